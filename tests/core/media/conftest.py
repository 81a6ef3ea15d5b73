"""What is decoded of a video, and what is said of one that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdkit.core.errors import InputError
from asdkit.core.media.decoder import Decoder
from asdkit.core.media.probe import probe


@pytest.fixture
def decoded(monkeypatch):
    """Every frame that was decoded."""
    run = Decoder._run
    seen = []

    def counting(*args: object) -> object:
        for frame in run(*args):
            seen.append(frame)
            yield frame

    monkeypatch.setattr(Decoder, "_run", counting)
    return seen


@pytest.fixture
def refused(capfd):
    """The one line said about a file that is refused, with nothing else printed."""

    def refuse(path: Path, *args: object, **kwargs: object) -> str:
        with pytest.raises(InputError) as caught:
            probe(path, *args, **kwargs)
        assert capfd.readouterr() == ("", "")
        assert caught.value.hint
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return refuse
