"""Voices are read from the sound once, forward, and embedded; answers are checked."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from asdkit.core.analysis.voices import checked_limits, voices_in
from asdkit.core.errors import PluginError
from asdkit.core.progress import Stopwatch


class Counting:
    """A sound in which sample n of second s has the value s; it forgets what it is told to."""

    def __init__(self):
        self.kept_from = 0

    def forget(self, sample):
        self.kept_from = sample

    def read(self, first, stop):
        assert first >= self.kept_from
        return (np.arange(first, stop) // 16_000).astype(np.int16)


class Noting:
    """Keeps the seconds of what it hears, and how long it is; its vectors are all the same."""

    min_s, max_distance = 1.0, 0.5

    def __init__(self, answer=None):
        self.heard = []
        self.answer = answer

    def embed(self, sounds):
        self.heard += [(np.unique(sound).tolist(), len(sound) / 16_000) for sound in sounds]
        return np.array([[1.0, 0.0]], np.float32) if self.answer is None else self.answer


def voices(embedder, *wanted):
    watch = Stopwatch()
    return voices_in(Counting(), wanted, embedder, watch, "voice=acme (acme 1.2)")


def test_each_voice_is_put_together_from_its_spans():
    embedder = Noting()
    found = voices(embedder, ((1.0, 2.0), (5.0, 6.5)), ((3.0, 4.2),), ((7.0, 7.5), (8.0, 8.48)), ())
    # In the order in which they end; the third is too short in all, the last one never speaks.
    assert embedder.heard == [([3, 4], 1.2), ([1, 5, 6], 2.5)]
    assert [voice is None for voice in found] == [False, False, True, True]
    assert found[0].tolist() == [1, 0]


def test_a_voice_of_just_the_least_length_is_embedded():
    assert voices(Noting(), ((2.0, 3.0),))[0] is not None
    assert voices(Noting(), ((2.0, 2.96),))[0] is None


def test_no_sound_is_no_voice():
    embedder = Noting()
    assert voices(embedder, ((0.0, 1.0),)) == [None]  # the first second of the sound is 0
    assert embedder.heard == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (np.zeros((2, 4)), "one finite vector for each of 1 sounds, but answered with shape"),
        (np.full((1, 4), np.nan), "one finite vector"),
        ("loud", "failed: ValueError"),
    ],
)
def test_an_embedder_that_breaks_its_contract_is_named(answer, says):
    with pytest.raises(PluginError) as caught:
        voices(Noting(answer), ((0.0, 2.0),))
    assert str(caught.value).startswith("voice=acme (acme 1.2)")
    assert says in str(caught.value)


def test_vectors_of_another_length_are_refused():
    class Growing(Noting):
        def embed(self, sounds):
            super().embed(sounds)
            return np.ones((1, len(self.heard)), np.float32)

    with pytest.raises(PluginError, match="vectors of one length, but after 1 numbers came 2"):
        voices(Growing(), ((0.0, 2.0),), ((3.0, 5.0),))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"max_distance": 0.5}, "has min_s=None, which is no number of seconds above 0"),
        ({"min_s": 0, "max_distance": 0.5}, "has min_s=0"),
        ({"min_s": float("nan"), "max_distance": 0.5}, "has min_s=nan"),
        ({"min_s": "1", "max_distance": 0.5}, "has min_s='1'"),
        ({"min_s": 1.0}, "has max_distance=None, which is no cosine distance from 0 to 2"),
        ({"min_s": 1.0, "max_distance": 2.5}, "has max_distance=2.5"),
    ],
)
def test_limits_that_are_no_numbers_are_refused(given, says):
    with pytest.raises(PluginError, match=says):
        checked_limits("voice=acme", SimpleNamespace(**given))
    assert checked_limits("voice=acme", Noting()) == (1.0, 0.5)
