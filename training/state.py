"""The state of a training: from where it goes on after it was stopped or killed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..core.errors import OutputError, TrainingError
from ..core.files import whole

FILE = "state.ckpt"
_SCHEMA = "asdkit.training-state/1"
FREE = (
    *("output", "overwrite", "quiet", "workers", "threads", "save_every_min", "logs", "cache_gb"),
    *("epochs", "patience"),
)
"""Options that may change when a training goes on: no weight depends on them, but for when it
ends."""


@dataclass(frozen=True)
class Position:
    """Where a training stands, besides the tensors.

    Attributes:
        settings: The settings of the training as plain values.
        data: What it is trained and validated on; see `dividing.fingerprint`.
        epoch: The epoch that is in progress, from 1.
        batch: How many of its batches are done.
        loss_sum: The sum of their losses.
        frames: The face frames in them, of this process.
        seconds: The time that they took.
        history: What is known of the epochs that are done, in order.
    """

    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    epoch: int = 1
    batch: int = 0
    loss_sum: float = 0.0
    frames: int = 0
    seconds: float = 0.0
    history: tuple[Mapping[str, Any], ...] = field(default=())

    def after(self, entry: Mapping[str, Any]) -> Position:
        """The beginning of the next epoch, after this one with what is known of it."""
        return Position(self.settings, self.data, self.epoch + 1, history=(*self.history, entry))

    def with_entry(self, entry: Mapping[str, Any]) -> Position:
        """The same place, with an entry of the history from before the first epoch."""
        return replace(self, history=(*self.history, entry))

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The entry with the highest average precision, the first of equal ones; None at first."""
        return max(self.history, key=lambda entry: entry["average_precision"], default=None)

    def ended(self, epochs: int, patience: int | None) -> str | None:
        """Why there is no further epoch: "epochs" or "patience"; None if there is one."""
        if self.epoch > epochs:
            return "epochs"
        if patience is not None and self.best is not None:
            since = self.history[-1]["epoch"] - self.best["epoch"]
            return "patience" if since >= patience else None
        return None


def save(folder: Path, position: Position, tensors: Mapping[str, Any]) -> None:
    """Write the state, whole or not at all.

    Args:
        folder: The folder of the training.
        position: Where it stands.
        tensors: The states of the module, the optimizer and the precision.

    Raises:
        OutputError: It cannot be written.
    """
    told = json.dumps(vars(position))
    put(folder / FILE, {"schema": _SCHEMA, "position": told, **tensors})


def put(path: Path, tensors: Mapping[str, Any]) -> None:
    """Write a file of PyTorch, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    import torch

    buffer = io.BytesIO()  # PyTorch itself fails with a RuntimeError where the disk is full
    torch.save(dict(tensors), buffer)
    with whole(path) as aside:
        aside.write_bytes(buffer.getbuffer())


def read(folder: Path) -> tuple[Position, dict[str, Any]] | None:
    """The state in a folder, with its tensors; None if there is none.

    Raises:
        TrainingError: It is damaged, or of another version.
    """
    import torch

    path = folder / FILE
    if not path.exists():
        return None
    wrong = TrainingError(
        f"{path} is damaged, or another version of asdkit wrote it",
        "Begin anew with overwrite=true, or choose another folder with output=FOLDER",
    )
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        schema, plain = found.pop("schema"), json.loads(found.pop("position"))
        position = Position(**{**plain, "history": tuple(plain["history"])})
    except Exception as error:  # a damaged file may fail in any way
        raise wrong from error
    if schema != _SCHEMA:
        raise wrong
    return position, found


def check_same(folder: Path, position: Position, now: Position) -> None:
    """Check that what is to be done is what was begun in the folder.

    Raises:
        OutputError: Settings or data differ; the error names them.
    """
    mend = "Use the same, begin anew with overwrite=true, or choose another output=FOLDER"
    before, asked = dict(_flat(position.settings)), dict(_flat(now.settings))
    other = {key for key in {**before, **asked} if before.get(key) != asked.get(key)}
    differ = [
        f"{key}={_shown(before.get(key))} before, {_shown(asked.get(key))} now"
        for key in {**before, **asked}
        if key in other
        and key.partition(".")[0] not in FREE
        # Parameters of another component differ, whatever they are.
        and (key.endswith(".name") or f"{key.partition('.')[0]}.name" not in other)
    ]
    if differ:
        raise OutputError(
            f"A training of other settings stands in {folder}: {'; '.join(differ)}", mend
        )
    for side, videos in now.data.items():
        others = position.data.get(side, {})
        changed = sorted(n for n in {**videos, **others} if videos.get(n) != others.get(n))
        if changed:
            raise OutputError(
                f"The data of the training in {folder} has changed: {', '.join(changed[:5])} of "
                f"{side}",
                mend,
            )


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values that are no mappings, each with its dotted name."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | None) else str(value)
