"""The check of embedders of voices finds what breaks them."""

from __future__ import annotations

import numpy as np
import pytest

from asdkit import testing
from asdkit.core.errors import PluginError


class Levels:
    """Keeps the contract; others change one thing."""

    min_s, max_distance = 0.5, 0.3

    def embed(self, sounds):
        found = np.array([self.of(sound) for sound in sounds], np.float32).reshape(-1, 2)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def of(self, sound):
        return [np.abs(sound / 32768).mean(), 0.1]


class Unlimited(Levels):
    min_s = None


class Raw(Levels):
    def embed(self, sounds):
        return np.array([self.of(sound) for sound in sounds], np.float32).reshape(-1, 2)


class NotSilence(Levels):
    def of(self, sound):
        return [np.abs(sound / 32768).mean(), 0]

    def embed(self, sounds):
        with np.errstate(invalid="ignore"):
            return super().embed(sounds)


class Padded(Levels):
    """Pads all to the longest."""

    def embed(self, sounds):
        longest = max(map(len, sounds), default=0)
        return super().embed([np.pad(sound, (0, longest - len(sound))) for sound in sounds])


class Quiets(Levels):
    def embed(self, sounds):
        found = super().embed(sounds)
        for sound in sounds:
            sound[:] = 0
        return found


class NotWithout(Levels):
    def embed(self, sounds):
        return super().embed(sounds)[: len(sounds)] if sounds else np.empty(0, np.float32)


class Same(Levels):
    """Returns the same array each time."""

    room = np.zeros((4, 2), np.float32)

    def embed(self, sounds):
        self.room[: len(sounds)] = super().embed(sounds)
        return self.room[: len(sounds)]


def test_one_that_keeps_the_contract_passes():
    testing.check_voice(Levels())


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (Unlimited, "Unlimited has min_s=None, which is no number of seconds"),
        (Raw, "Raw gives vectors whose length is not 1"),
        (NotSilence, "NotSilence must answer with one finite vector for each of 4 sounds"),
        (Padded, "Padded embeds a sound otherwise among others than alone"),
        (Quiets, "Quiets changes the arrays that it is given"),
        (NotWithout, "NotWithout must answer with one finite vector for each of 0 sounds"),
        (Same, "Same changes in a later call what it returned"),
    ],
)
def test_one_that_breaks_it_is_told_how(broken, says):
    with pytest.raises(PluginError, match=says):
        testing.check_voice(broken())
