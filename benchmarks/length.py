"""Memory and time against length: `python -m benchmarks.length [FILE] [OPTION=VALUE ...]`.

Repeats a clip (the demo clip unless a file is named) to 1 and to 10 minutes, runs each in a
process of its own and prints peak memory and time, with the ratios.
"""

from __future__ import annotations

import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av

from asdkit.core.demo.clip import make_clip

from .machine import describe
from .process import CommandError, measured

MINUTES = (1, 10)
DEFAULTS = ["experiment=offline", "detect_every=5"]


def repeat(clip: Path, minutes: float, target: Path) -> float:
    """Join whole copies of a clip up to about this length, without encoding anew.

    Returns:
        The length in minutes.
    """
    with av.open(str(target), "w") as out:
        offset = Fraction(0)
        streams = {}
        while offset < 60 * minutes:
            with av.open(str(clip)) as source:
                for stream in (source.streams.video[0], source.streams.audio[0]):
                    if stream.type not in streams:
                        streams[stream.type] = out.add_stream_from_template(stream)
                video = source.streams.video[0]
                length = video.duration * video.time_base
                for packet in source.demux(source.streams.video[0], source.streams.audio[0]):
                    # The sound's run-in and run-out would overlap with the copies beside.
                    if packet.dts is None or not 0 <= packet.pts * packet.time_base < length:
                        continue
                    shift = round(offset / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.type]
                    out.mux(packet)
            offset += length
    return float(offset / 60)


def main(words: list[str]) -> None:
    """Make the videos, run on them and print the table."""
    files = [word for word in words if Path(word).exists()]
    overrides = [word for word in words if word not in files] or DEFAULTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = Path(files[0]) if files else folder / "demo.mp4"
        if not files:
            make_clip(clip)
        print(describe())
        print(f"{clip.name} repeated, {' '.join(overrides)}")
        print(f"{'minutes':>7} {'s':>8} {'s/minute':>9} {'peak MiB':>9}")
        rows = []
        for minutes in MINUTES:
            video = folder / f"{minutes}.mp4"
            length = repeat(clip, minutes, video)
            command = [sys.executable, "-m", "asdkit", "run", str(video), *overrides]
            try:
                used, _ = measured([*command, f"output={folder / str(minutes)}"])
            except CommandError as error:
                sys.exit(f"benchmarks.length: {video.name}: {error}")
            seconds, peak = used.wall_s, used.peak_bytes / 2**20
            rows.append((seconds / length, peak))
            print(f"{length:>7.2f} {seconds:8.1f} {seconds / length:9.1f} {peak:9.0f}", flush=True)
        print(
            f"the long one against the short one: {rows[1][1] / rows[0][1]:.2f} times the memory, "
            f"{rows[1][0] / rows[0][0]:.2f} times the time per minute"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
