#!/usr/bin/env bash
# OpenTimelineIO 0.18.1 and a loop over the tracks of a timeline that no variable holds.
#
# [track.name for track in otio.adapters.read_from_file(path).tracks] is the shortest way to look into a
# file, and one would guess that the loop keeps alive what it goes through, as loops over lists do. In fact
# the timeline is freed before the first step, and the loop ends at once, without an error: the file
# seems to be empty. With the tracks in a variable, or with [:] after them, they are all there.
#
# Output seen:
#   held 2, sliced 2, neither 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet opentimelineio==0.18.1
cd "$work"
"$work/env/bin/python" - <<'END' | tee "$work/seen"
import opentimelineio as otio

timeline = otio.schema.Timeline("two tracks")
timeline.tracks.append(otio.schema.Track("Picture", kind="Video"))
timeline.tracks.append(otio.schema.Track("Sound", kind="Audio"))
otio.adapters.write_to_file(timeline, "two.otio")

held = otio.adapters.read_from_file("two.otio").tracks
names = [track.name for track in held]
sliced = [track.name for track in otio.adapters.read_from_file("two.otio").tracks[:]]
neither = [track.name for track in otio.adapters.read_from_file("two.otio").tracks]
print(f"held {len(names)}, sliced {len(sliced)}, neither {len(neither)}")
END
diff "$work/seen" - <<'END'
held 2, sliced 2, neither 0
END
echo "as stated"
