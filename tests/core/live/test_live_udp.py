"""A stream over UDP tells what the same hops of the file tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from enduring import followed, installed_in, known, whole
from streams import Sender, free_port, pieces_of, to_udp
from synth import clicks, steady, write_video

from asdkit.core.live.events import MEASURED

PATIENT = ["live.late_s=60", "live.skip_s=600", "live.stall_s=60", "end_s=2.4"]
"""So nothing is left out, however busy the machine is."""


@pytest.fixture(scope="module", autouse=True)
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Quick parts, found as a stranger's are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed_in(tmp_path_factory.mktemp("site")))
        known()
        yield
    known()


def test_a_stream_tells_what_its_file_tells(tmp_path):
    """All but what is measured: events with their faces, and the results."""
    sounds = [(0.0, clicks([*np.arange(0.4, 1.0, 0.05), *np.arange(1.6, 2.0, 0.05)], 3.0))]
    path = write_video(tmp_path / "talk.ts", frames=75, image=steady, sounds=sounds)
    pieces = pieces_of(path)
    (tmp_path / "sent.ts").write_bytes(b"".join(piece.data for piece in pieces))
    port = free_port()
    with (
        Sender(pieces, to_udp(port)),
        followed(f"udp://127.0.0.1:{port}", tmp_path / "stream", *PATIENT) as streamed,
    ):
        pass
    file = str(tmp_path / "sent.ts")
    with followed(file, tmp_path / "file", "pace=fast", *PATIENT) as read:
        pass
    whole(tmp_path / "stream")
    whole(tmp_path / "file")
    stream, same = (
        [replace(event, about=None) for event in told if event.event not in MEASURED]
        for told in (streamed, read)
    )
    assert stream == same
    changes = [(e.event, e.time_s) for e in stream if e.certain and e.event in "speaking silent"]
    assert [event for event, _ in changes] == ["speaking", "silent"] * 2
    for part in ("0001", "0002", "0003"):
        results = [tmp_path / name / f"parts/{part}/speakers.rttm" for name in ("stream", "file")]
        turns = [[line.split()[3:] for line in one.read_text().splitlines()] for one in results]
        assert turns[0] == turns[1]
