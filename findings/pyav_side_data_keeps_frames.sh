#!/usr/bin/env bash
# PyAV 18.1.0 and the side data of decoded frames, such as the display matrix of a rotated phone video.
#
# One would guess that a decoded frame is freed, with its several megabytes of pixels, as soon as nobody
# holds it, whatever has been read from it. In fact reading `frame.side_data` once ties the frame into
# a circle of references: it stays until Python's garbage collector passes by, which counts objects, not
# bytes, so that hundreds of pictures pile up. A `SideDataContainer` made by hand says the same and ties
# nothing.
#
# Output seen:
#   read nothing: 0 of 50 frames still there
#   read frame.side_data: 50 of 50 frames still there
#   read a SideDataContainer of its own: 0 of 50 frames still there
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet av==18.1.0
"$work/env/bin/python" - <<'END' | tee "$work/seen"
import gc

import av
from av.sidedata.sidedata import SideDataContainer

ways = {
    "nothing": lambda frame: None,
    "frame.side_data": lambda frame: frame.side_data.get("DISPLAYMATRIX"),
    "a SideDataContainer of its own": lambda frame: SideDataContainer(frame).get("DISPLAYMATRIX"),
}
gc.disable()
for name, read in ways.items():
    gc.collect()
    for _ in range(50):
        read(av.VideoFrame(64, 64, "yuv420p"))
    left = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    print(f"read {name}: {left} of 50 frames still there")
END
diff "$work/seen" - <<'END'
read nothing: 0 of 50 frames still there
read frame.side_data: 50 of 50 frames still there
read a SideDataContainer of its own: 0 of 50 frames still there
END
echo "as stated"
