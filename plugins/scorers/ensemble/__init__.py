"""Averages the logits of several scorers, such as one network with two sets of weights.

Errors that networks do not share average out (Breiman 1996, "Bagging Predictors"). Each scorer
keeps the windows that suit its weights. Two sets of weights share no layer, so each looks at the
faces itself: an ensemble costs what its scorers cost together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ....core.analysis.answers import asked, checked_scores
from ....core.analysis.attributes import checked_concurrent
from ....core.component import BuiltMember, Component, Context, Member, Settled
from ....core.errors import PluginError
from ....core.labelled_clip import read_by
from ....core.scenes import SceneScorer
from ....core.types import Clip, Scores

NAME = "ensemble"


def _two_sets() -> list[str]:
    return ["lr_asd:ava", "lr_asd:talkset"]


@dataclass(frozen=True)
class EnsembleConfig:
    """Parameters of `scorer=ensemble`.

    Attributes:
        of: The scorers, each as NAME@WEIGHTS (NAME:WEIGHTS is the same), or NAME for one without
            weights or with its default ones. NAME is what `scorer=` takes, presets such as
            lr_asd_onnx too; WEIGHTS is what scorer.weights would be: a name, or the path of a
            checkpoint or a bundle. One named twice counts twice.
    """

    of: list[str] = field(default_factory=_two_sets)

    def __post_init__(self) -> None:
        if not self.of:
            raise ValueError(f"of must name one scorer or more, such as {_two_sets()}")
        if any(_parted(one)[0] == NAME for one in self.of):
            raise ValueError(f"of must name other scorers than {NAME}, but is {list(self.of)}")
        for one in self.of:
            name, weights = _parted(one)
            if not name or weights == "":
                raise ValueError(
                    f"of must name each scorer as NAME@WEIGHTS, or as NAME for its default "
                    f"weights, but names {one!r}"
                )

    @property
    def weights(self) -> str:
        """What its scores come from, in one text: a calibration was fitted with it."""
        return ",".join(map(_with_colon, self.of))


def _parted(one: str) -> tuple[str, str | None]:
    """The name and the weights of a scorer; None if it has its default ones."""
    name, *rest = re.split("[@:]", one, maxsplit=1)
    return name, rest[0] if rest else None


def _with_colon(one: str) -> str:
    """A scorer as calibrations name it, which are older than the spelling with @."""
    name, weights = _parted(one)
    return name if weights is None else f"{name}:{weights}"


class Ensemble:
    """Scores clips by the mean of several scorers' logits; see the module's docstring.

    Args:
        members: The scorers, one or more.

    Attributes:
        reads_labelled_clips: See `core.labelled_clip.LabelledClip`; each of them gets its own form.
        concurrent: Whether all of them may run beside other components.
        device: Their devices: "cpu", "cuda:N", or several with a comma between them.
    """

    reads_labelled_clips = True

    def __init__(self, members: Sequence[BuiltMember]) -> None:
        self._members = members
        self.concurrent = all(checked_concurrent(*member) for member in members)
        devices = {str(getattr(member.part, "device", "cpu")) for member in members}
        self.device = ", ".join(sorted(devices, reverse=True))

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips; see `core.contracts.Scorer`."""
        totals = [np.zeros((len(clip), 2)) for clip in clips]
        for name, scorer in self._members:
            with asked(name):
                answer = scorer.score(read_by(scorer, clips))
            for total, scores in zip(totals, checked_scores(name, answer, clips), strict=True):
                np.add(total, scores.logits, out=total)
        return [Scores((total / len(self._members)).astype(np.float32)) for total in totals]


def members(config: EnsembleConfig) -> list[Member]:
    """The scorers that a configuration names."""
    found = []
    for one in config.of:
        name, weights = _parted(one)
        parameters = {} if weights is None else {"weights": weights}
        found.append(Member("scorer", name, parameters, f"scorer.of: {one}"))
    return found


def settled(config: EnsembleConfig) -> Settled:
    """Find the calibrations, which were fitted to the scorers that it has by default.

    ONNX Runtime computes the same, so they also hold with the presets that choose it.
    """
    named = sorted(_with_colon(one).replace("_onnx:", ":") for one in config.of)
    default = named == sorted(_two_sets())
    found = sorted(Path(__file__).parent.glob("*.calibration.json")) if default else ()
    return Settled(config, tuple(found))


def build(config: EnsembleConfig, context: Context) -> Ensemble:
    """Make the scorer of its members.

    Raises:
        PluginError: One looks at all faces of a moment at once.
    """
    for name, scorer in context.members:
        if isinstance(scorer, SceneScorer):
            raise PluginError(
                f"{name} looks at all faces of a moment at once, but an ensemble at each by itself",
                "Leave it out of scorer.of",
            )
    return Ensemble(context.members)


ENSEMBLE = Component(
    "scorer",
    NAME,
    EnsembleConfig,
    build,
    settle=settled,
    members=members,
    about="the mean of several scorers, LR-ASD with both sets of weights by default",
    needs=("torch",),
)
