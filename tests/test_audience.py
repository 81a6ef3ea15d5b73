"""A real clip in which, at its end, six people are seen while somebody unseen goes on."""

from __future__ import annotations

import pytest

import asdkit
from asdkit.core.concluding import concluded
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.decisions.segments import mask
from asdkit.core.models import Models
from asdkit.core.progress import Stopwatch
from asdkit.core.viewing import analysed, media_of

FIRST, END = 176, 229
"""The grid frames, 7.04 to 9.16 s, in which nobody visible speaks."""
WORDS = ["detector=yunet", "scorer=lr_asd", "vad=silero", "writers=[]", "device=cpu"]


@pytest.fixture(scope="module")
def decided(shared):
    """The result with a value of `decisions`, the clip being analysed once for all."""
    pytest.importorskip("torch", reason="needs the package torch: asdkit[torch]")
    pytest.importorskip("silero_vad", reason="needs the package silero_vad: asdkit[silero]")
    shared("weights/lr_asd_ava.model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
        clip = str(shared("clips/audience.mp4"))
        plan = make_plan(compose_run(WORDS, clip))
        media = media_of(plan.options)
        seen = analysed(media, plan.options, Models(plan).parts(), Stopwatch())

        def with_decisions(decisions: str, context: str = "none") -> asdkit.Result:
            own = [f"decisions={decisions}", f"context={context}"]
            plan = make_plan(compose_run([*WORDS, *own], clip))
            return concluded(media.info, plan, seen, {}, Models(plan).part("context"))

        yield with_decisions


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("context", ["none", "others"])
@pytest.mark.parametrize("decisions", ["exclusive", "overlap"])
def test_an_audience_is_not_taken_for_who_is_heard(decisions, context, decided):
    result = decided(decisions, context)
    listeners = [track for track in result.tracks if track.first_frame >= FIRST]
    assert len(listeners) == 6
    assert not any(track.speaking for track in listeners)
    assert mask(result.off_screen, FIRST, END - FIRST).all()
    speaker = next(track for track in result.tracks if track.shot == 2)
    assert mask(speaker.speaking, speaker.first_frame, len(speaker)).all()
    assert result.speech == decided("independent").speech


@pytest.mark.slow
@pytest.mark.weights
def test_the_accurate_preset_does_not_take_it_for_that_either(shared, monkeypatch):
    for package in ("torch", "facenet_pytorch", "silero_vad"):
        pytest.importorskip(package)
    for name in ("ava", "talkset"):
        shared(f"weights/lr_asd_{name}.model")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    words = ["experiment=accurate", "writers=[]", "device=cpu"]
    result = asdkit.run(shared("clips/audience.mp4"), words)
    listeners = [track for track in result.tracks if track.first_frame >= FIRST]
    assert len(listeners) >= 4
    assert not any(track.speaking for track in listeners)
    assert mask(result.off_screen, FIRST, END - FIRST).all()


@pytest.mark.slow
@pytest.mark.weights
def test_by_itself_some_of_the_audience_seem_to_speak(decided):
    """What the other decisions are for; if this changes, the documentation has to."""
    result = decided("independent")
    assert sum(bool(t.speaking) for t in result.tracks if t.first_frame >= FIRST) == 2
