"""The logs of a training: a table in CSV, and events for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import OutputError
from ..core.files import whole

TABLE = "metrics.csv"
EVENTS = "tensorboard"
_COLUMNS = (
    *("epoch", "loss", "learning_rate", "average_precision"),
    *("seconds", "frames", "frames_per_s", "validation_seconds"),
)


class Log(Protocol):
    """Takes down what is known after an epoch."""

    def __call__(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Take down the last entry; the others have been before, perhaps by another process."""


@contextmanager
def logging_to(folder: Path, logs: Sequence[str], first: int | None) -> Iterator[Log]:
    """Open the logs of a training.

    Args:
        folder: The folder of the training.
        logs: Of `settings.LOGS`.
        first: The epoch that will be taken down first, where a training goes on: events of
            TensorBoard from there on, of a process that was killed, are hidden. None at the begin.
    """
    writer = None
    if "tensorboard" in logs:
        from torch.utils.tensorboard import SummaryWriter

        with _told(folder):
            writer = SummaryWriter(str(folder / EVENTS), purge_step=first)

    def log(history: Sequence[Mapping[str, Any]]) -> None:
        if "csv" in logs:
            _write_table(folder / TABLE, history)
        if writer is not None:
            with _told(folder):
                for name, value in history[-1].items():
                    if name != "epoch" and value is not None:
                        writer.add_scalar(name, value, history[-1]["epoch"])
                writer.flush()

    try:
        yield log
    finally:
        if writer is not None:
            with _told(folder):
                writer.close()


def _write_table(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(history)
    with whole(path) as aside:
        aside.write_text(text.getvalue())


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"Cannot write {folder / EVENTS}: {error.strerror or error}",
            "Make room, or do without: logs=[csv]",
        ) from error
