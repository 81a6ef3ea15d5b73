#!/usr/bin/env bash
# FFmpeg (as PyAV 18.1.0 brings it) and sound whose channels have no names, as field recorders write it.
#
# One would guess that a mix to mono hears every channel. In fact channels without names are taken for
# FFmpeg's default layout of as many channels, and its LFE is left out of the mix: a voice on the fourth
# of six or eight channels alone becomes digital silence, one on the third of three too; on any other
# channel it is heard.
#
# Output seen:
#   3 channels, silent when the voice is on: [3]
#   4 channels, silent when the voice is on: []
#   6 channels, silent when the voice is on: [4]
#   8 channels, silent when the voice is on: [4]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet av==18.1.0 numpy==2.4.6
"$work/env/bin/python" - <<'END' | tee "$work/seen"
from fractions import Fraction

import av
import numpy as np

for channels in (3, 4, 6, 8):
    silent = []
    for voice in range(channels):
        samples = np.zeros((1, channels * 16_000), np.int16)
        samples[0, voice::channels] = 10_000 * np.sin(np.arange(16_000) / 10)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=f"{channels} channels")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
        mixed = av.AudioResampler("s16", "mono", 16_000).resample(frame)[0].to_ndarray()
        if not mixed.any():
            silent.append(voice + 1)
    print(f"{channels} channels, silent when the voice is on: {silent}")
END
diff "$work/seen" - <<'END'
3 channels, silent when the voice is on: [3]
4 channels, silent when the voice is on: []
6 channels, silent when the voice is on: [4]
8 channels, silent when the voice is on: [4]
END
echo "as stated"
