#!/usr/bin/env bash
# PyAV 18.1.0 and H.264 with B-frames in AVI, as recorders and old encoders write it.
#
# AVI has no times of presentation, so one would guess that frames come with none (pts is None), or
# with right ones. In fact each frame has the place of its packet in decoding order: decoded frames
# come in the order of presentation, their times jump to and fro, and whoever trusts them loses pictures.
#
# Output seen:
#   frames 24, None 0, rising False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet av==18.1.0 numpy==2.4.6
cd "$work"
"$work/env/bin/python" - <<'END' | tee "$work/seen"
import av
import numpy as np

with av.open("b.avi", "w") as file:
    stream = file.add_stream("libx264", rate=25, options={"bf": "3", "preset": "fast"})
    stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
    for number in range(24):
        image = np.random.default_rng(number).integers(0, 255, (64, 96, 3)).astype(np.uint8)
        image[:, : 4 * number] = 0
        file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
    file.mux(stream.encode(None))
with av.open("b.avi") as file:
    times = [frame.pts for frame in file.decode(video=0)]
known = [time for time in times if time is not None]
print(f"frames {len(times)}, None {times.count(None)}, rising {known == sorted(known)}")
END
diff "$work/seen" - <<'END'
frames 24, None 0, rising False
END
echo "as stated"
