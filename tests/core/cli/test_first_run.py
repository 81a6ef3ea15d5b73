"""A first run without weights says in three short lines what to do, and what works now."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from commanding import BOXES, CHEAP, PROGRESS, video

from asdkit.core.errors import MissingWeightsError
from asdkit.core.registry import registry

CLOSED = "http://127.0.0.1:9/weights.model"
"""Nobody answers there."""


@pytest.fixture
def offline(monkeypatch):
    """No published weights can be downloaded."""
    from asdkit.plugins.embedders.mobilefacenet import WEIGHTS as FACES
    from asdkit.plugins.scorers.talknet import MODEL

    closed = replace(MODEL.published["talkset"], url=CLOSED)
    monkeypatch.setitem(MODEL.published, "talkset", closed)
    monkeypatch.setattr(
        "asdkit.plugins.embedders.mobilefacenet.WEIGHTS", replace(FACES, url=CLOSED)
    )


def put(folder: Path, *kinds_and_names: tuple[str, str]) -> None:
    """Put files that pass for the weights of these components into a folder."""
    folder.mkdir()
    for key in kinds_and_names:
        for weights in registry().components[key].weights:
            (folder / weights.local).write_bytes(b"weights")


def told(err: str) -> list[str]:
    return [line for line in err.splitlines() if line not in PROGRESS]


@pytest.mark.usefixtures("offline", "own_alone")
def test_three_lines(asd):
    code, out, err = asd(video(), *BOXES, "cutter=none")
    assert (code, out) == (2, "")
    missing, fetch, works = told(err)
    assert missing.startswith("asd: The weights talknet_talkset are not here, and cannot be downl")
    assert "Connection refused" in missing
    assert "asd weights fetch talknet_talkset" in fetch
    assert fetch.endswith("talknet_talkset.model")
    assert works == "asd: What works now: experiment=offline (which needs no weights)"
    assert max(map(len, (missing, works))) < 120
    assert not Path("asd_results").exists()


@pytest.mark.usefixtures("offline", "own_alone")
def test_what_is_here_is_offered(asd, monkeypatch):
    put(Path("weights"), ("scorer", "lr_asd"))
    monkeypatch.setenv("ASDKIT_WEIGHTS", "weights")
    monkeypatch.setattr("asdkit.core.weights._fault", lambda weights, path: path.read_bytes()[:0])
    works = told(asd(video(), *BOXES, "cutter=none")[2])[-1]
    assert works.endswith("experiment=offline (which needs no weights), scorer=lr_asd")


@pytest.mark.usefixtures("offline", "own_alone")
def test_what_offline_leaves_alone_is_left_out_instead(asd):
    words = [*BOXES, *CHEAP, "embedder=mobilefacenet"]
    works = told(asd(video(), *words)[2])[-1]
    assert works == "asd: What works now: embedder=none"


def test_what_works_now_works(asd):
    """With nothing but what comes with the packages."""
    pytest.importorskip("facenet_pytorch")
    code, _, err = asd(video(frames=5), "experiment=offline", "writers=[json]")
    assert code == 0, err


def test_a_batch_says_the_same(asd, monkeypatch):
    """Its workers are processes of their own, which this one's changes do not reach."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    code, _, err = asd("batch", video(), *BOXES, "cutter=none", "output=out")
    assert code == 2
    assert [line.partition(":")[2].split()[0] for line in told(err)] == ["The", "With", "What"]
    assert not Path("out").exists()


def test_the_error_itself_is_one_line_and_survives_a_process():
    error = MissingWeightsError("a\nb", "c", "name", "no network", "/there")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "a b. c"
    assert (again.name, again.reason, again.target) == ("name", "no network", "/there")
