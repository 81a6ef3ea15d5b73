"""Real clips whose sound comes late or early, or is of another clip, with published weights."""

from __future__ import annotations

import wave

import numpy as np
import pytest

import asdkit
from asdkit.core.media.probe import Sound, probe

pytestmark = [pytest.mark.weights, pytest.mark.slow]
WORDS = ["detector=yunet", "scorer=lr_asd", "device=cpu", "writers=[]"]


@pytest.fixture
def ran(shared, monkeypatch, tmp_path):
    """Runs a clip with the sound of a clip that comes late."""
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    shared("weights/lr_asd_ava.model")

    def run(name, *more, late_s=0.0, sound_of=None):
        path = tmp_path / "late.wav"
        media = probe(shared(f"clips/{sound_of or name}"))
        late = round(late_s * 16_000)
        with Sound(media) as sound, wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(sound.read(-late, 16_000 * 10 - late).tobytes())
        return asdkit.run(shared(f"clips/{name}"), [*WORDS, f"sound={path}", *more])

    return run


@pytest.mark.parametrize(("name", "late_s"), [("dialogue.mp4", 0.2), ("dialogue_small.mp4", -0.4)])
def test_the_offset_is_found_within_a_frame(ran, name, late_s):
    fit = ran(name, "sync=check", late_s=late_s).sync.whole
    assert fit.fits == "yes"
    assert fit.offset_s == pytest.approx(late_s, abs=0.04)


def test_the_sound_of_another_clip_fits_nobody(ran):
    assert ran("dialogue.mp4", "sync=check", sound_of="audience.mp4").sync.whole.fits == "no"


def test_a_late_sound_is_put_in_step(ran):
    right, late, auto = (
        ran("dialogue_small.mp4", *more, late_s=late_s)
        for late_s, more in ((0, []), (0.4, []), (0.4, ["sync=auto"]))
    )
    assert auto.sync.moved_s == pytest.approx(0.4, abs=0.04)

    def apart(result):
        pairs = zip(right.tracks, result.tracks, strict=True)
        return np.mean([np.abs(one.scores - other.scores).mean() for one, other in pairs])

    assert apart(auto) < apart(late) / 4
