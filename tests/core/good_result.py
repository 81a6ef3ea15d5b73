"""What a result.json says, as small as can be."""

from __future__ import annotations

from asdkit.core.results import SCHEMA

GOOD = {
    "schema": SCHEMA,
    "video": {
        **{"path": "a.mp4", "duration_s": 2.0, "width": 96, "height": 64, "fps": 25.0},
        **{"has_sound": True, "start_s": 0.0, "pixel_aspect": 1.0, "notes": ["so"]},
    },
    "grid_fps": 25,
    "settings": {},
    "shots": [[0, 2]],
    "tracks": [
        {
            **{"id": 0, "shot": 0, "identity": None, "first_frame": 0},
            **{"boxes": [[1, 2, 3, 4]], "scores": [0.5], "probabilities": [0.5]},
            "speaking": [[0.0, 0.04]],
        }
    ],
    "speech": None,
    "off_screen": [[0.0, 1.0]],
    "provenance": {
        "versions": {"asdkit": "1"},
        "weights": {"scorer": [{"path": "w", "sha256": "0" * 64, "size_bytes": 3}]},
    },
    "timings_s": {"total": 1.5},
}
