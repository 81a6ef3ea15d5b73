"""A scorer's network in training, called so that errors in it are told with the scorer's name."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.analysis.answers import asked, shown
from ..core.errors import PluginError
from ..core.trainable import Trainable
from ..core.types import Clip

_Arrays = tuple[NDArray[np.generic], ...]


@dataclass(frozen=True)
class AskedInputs:
    """Makes the arrays of a batch, and checks them; see `core.trainable.Trainable.inputs`.

    Attributes:
        name: The scorer in words.
        inputs: What makes them.
    """

    name: str
    inputs: Callable[[Sequence[Clip]], _Arrays]

    def __call__(self, clips: Sequence[Clip]) -> _Arrays:
        """The arrays of a batch of clips.

        Raises:
            AsdError: The scorer failed.
            PluginError: They are no tuple of arrays, each with a row for each clip.
        """
        with asked(self.name):
            made: Any = self.inputs(clips)
        wanted = f"{self.name} must make its inputs as a tuple of arrays"
        if not isinstance(made, tuple) or not made:
            raise PluginError(f"{wanted}, but made {_kind(made)}", "A single one is a tuple, too")
        for one in made:
            if not isinstance(one, np.ndarray):
                raise PluginError(f"{wanted}, but among them is {_kind(one)}")
            if one.ndim == 0 or len(one) != len(clips):
                raise PluginError(
                    f"{wanted} with a row for each of {len(clips)} clips, but one has the shape "
                    f"{one.shape}"
                )
        return made


def asked_as(name: str, made: Trainable) -> Trainable:
    """A network whose parts raise their errors under its scorer's name.

    Args:
        name: The scorer in words.
        made: The network. The `forward` of its module is replaced by one that asks the same.

    Raises:
        PluginError: Its inputs cannot be made in another process, as they cannot be pickled.
    """
    try:
        pickle.dumps(made.inputs)
    except Exception as error:  # what pickle raises depends on what it meets
        raise PluginError(
            f"{name} must make its inputs by a function that can be pickled, but: {error}",
            "Use a function of a module, without values of another function",
        ) from error

    forward = made.module.forward

    def named(*tensors: Any) -> Any:
        with asked(name):  # within the module: what fails around it, between GPUs, is another's
            return forward(*tensors)

    made.module.forward = named

    def loss(outputs: Sequence[Any], labels: Any, epoch: int) -> Any:
        with asked(name):
            return made.loss(outputs, labels, epoch)

    def checkpoint() -> Mapping[str, Any]:
        with asked(name):
            return made.checkpoint()

    return replace(made, inputs=AskedInputs(name, made.inputs), loss=loss, checkpoint=checkpoint)


def _kind(value: Any) -> str:
    return shown(value) if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
