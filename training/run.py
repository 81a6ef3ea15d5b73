"""`asd train`: begins a training or goes on with one, and keeps what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..core.component import Context
from ..core.config.chosen import Chosen
from ..core.evaluation.checked_dataset import videos_of
from ..core.labels import LabelledVideo
from ..core.plugin_files import OPTION, load_plugin_files
from ..core.progress import Progress, silent
from ..core.stopping import last_resort
from ..core.trainable import Recipe, Trainable
from ..plugins.support.pytorch import set_threads
from . import records, state
from .batches import Batches
from .dividing import check_divided, divided, fingerprint
from .examples import Example, examples_of
from .faces import VideoFaces, usual_plan
from .folder import check_own, claimed, remove_own, resolved
from .logs import Log, logging_to
from .loop import Done, Loop, rate_of
from .processes import check_tools, fabric_of, stopped_short, team
from .scoring import Validation
from .settings import TrainPlan, train_plan_of
from .state import Position

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Tell = Callable[[str], None]
"""Called with a line of text on each step done."""


def train(plan: TrainPlan, folder: Path, tell: Tell, progress: Progress = silent) -> dict[str, Any]:
    """Train as planned; go on with a training that was stopped in the folder.

    Args:
        plan: The plan.
        folder: The folder for the weights, the logs, the record and the state.
        tell: Called with a line after each epoch.
        progress: Called with the progress within an epoch.

    Returns:
        The record, as in training.json.

    Raises:
        AsdError: Something that is needed is missing; the folder holds something else, or a
            training of other settings; the loss is not finite; or the disk is full.
    """
    check_tools(plan.options)
    folder = resolved(folder)
    check_own(folder)
    if not plan.options.overwrite and (found := state.read(folder)):
        # Before the data is read, which may take long.
        state.check_same(folder, found[0], Position(plan.settings, {}))
    prepared = _prepare(plan, tell, progress)
    with claimed(folder):
        if plan.options.overwrite:
            remove_own(folder)
        arguments = (_follow, plan.settings, str(folder))
        with team(plan.options.devices, *arguments) as port, _fabric(plan, 0, port) as fabric:
            return _Training(plan, prepared, folder, fabric, tell=tell, progress=progress).run()


def _follow(settings: Mapping[str, Any], folder: str, rank: int, port: int) -> None:
    """Take part in a training as another process than the first."""
    load_plugin_files(settings.get(OPTION))
    plan = train_plan_of(settings)
    prepared = _prepare(plan, _unsaid, silent)
    with _fabric(plan, rank, port) as fabric:
        _Training(plan, prepared, Path(folder), fabric, tell=_unsaid, progress=silent).run()


def _unsaid(line: str) -> None:
    """Say nothing."""


@contextmanager
def _fabric(plan: TrainPlan, rank: int, port: int) -> Iterator[Fabric]:
    """Fabric, connected to the other processes while the block runs."""
    from torch import distributed

    try:
        yield fabric_of(plan.options, rank, port)
    finally:
        if distributed.is_available() and distributed.is_initialized():
            distributed.destroy_process_group()


@dataclass(frozen=True)
class _Prepared:
    """What is trained, how, on what."""

    trainable: Trainable
    recipe: Recipe
    train: list[Example]
    validation: list[Example]
    batches: Batches

    @property
    def data(self) -> dict[str, Any]:
        """What the record says of the data."""
        return {"train": fingerprint(self.train), "validation": fingerprint(self.validation)}


def _prepare(plan: TrainPlan, tell: Tell, progress: Progress) -> _Prepared:
    """The network, and the faces; those of videos are cut first, if they have not been."""
    import torch

    options = plan.options
    set_threads(options.threads)
    torch.manual_seed(options.seed)
    trainable = plan.trainable()
    words = [f"device={options.device}", f"threads={options.threads or 'null'}"]
    nodes = {kind: plan.settings[kind] for kind in plan.finding}
    faces = VideoFaces(usual_plan(words, nodes), options.cache_gb * 1e9, tell)
    train = examples_of(_videos(plan.dataset), faces, progress)
    if plan.validation:
        validation = examples_of(_videos(plan.validation), faces, progress)
    else:
        train, validation = divided(train, options.validation_part, options.seed)
    check_divided(train, validation)
    recipe = options.course(trainable.recipe)
    frames, seed = recipe.batch_frames, options.seed
    batches = Batches(train, trainable.inputs, frames, options.augment, seed)
    return _Prepared(trainable, recipe, train, validation, batches)


def _videos(dataset: Chosen) -> list[LabelledVideo]:
    return videos_of(dataset.in_words, dataset.build(Context()))


class _Training:
    """A training in one process; that of rank 0 writes the files and tells of it."""

    def __init__(
        self,
        plan: TrainPlan,
        prepared: _Prepared,
        folder: Path,
        fabric: Fabric,
        *,
        tell: Tell,
        progress: Progress,
    ) -> None:
        options = plan.options
        self._plan = plan
        self._it = prepared
        self._folder = folder
        self._fabric = fabric
        self._tell = tell
        self._progress = progress
        self._first = fabric.global_rank == 0
        self._loop = Loop(
            fabric,
            prepared.trainable,
            prepared.recipe,
            batches=prepared.batches,
            options=options,
            progress=progress,
        )
        self._validation = Validation(
            prepared.trainable,
            prepared.validation,
            fabric,
            workers=options.workers,
            progress=progress,
        )
        self._known = records.origin(
            plan, prepared.trainable, prepared.recipe, _in_words(fabric, options.precision)
        )

    def run(self) -> dict[str, Any]:
        """Train to the end; return the record."""
        position = self._begin()
        begun = bool(position.history)
        again = begun and not position.batch
        """Whether a process may have been killed before it has written all of the last epoch."""
        logs = self._plan.options.logs if self._first else []
        first = position.history[-1]["epoch"] + (not again) if begun else None
        with (
            last_resort(stopped_short),
            closing(self._loop),
            closing(self._validation),
            logging_to(self._folder, logs, first) as log,
        ):
            if again:
                self._write(position, log)
            if not begun and not self._plan.options.from_nothing:
                entry = self._entry(0, None)
                self._keep(position := position.with_entry(entry), log)
            while not self._ended(position):
                done = self._loop.epoch(position, self._save)
                position = position.after(self._entry(position.epoch, done))
                self._keep(position, log)
        self._fabric.barrier()
        return self._record(position)

    def _begin(self) -> Position:
        """Where to begin, or to go on."""
        position = Position(self._plan.settings, self._it.data)
        found = state.read(self._folder)
        self._fabric.barrier()  # all have read it before the first writes it anew
        if found is None:
            return position
        before, tensors = found
        state.check_same(self._folder, before, position)
        self._loop.load(tensors)
        if reason := self._ended(before):
            more = "patience=null, or a larger one," if reason == "patience" else "more epochs=N"
            self._tell(f"{self._folder} is done already ({reason}); {more} would go on with it")
        else:
            self._tell(f"goes on in epoch {before.epoch}, after {before.batch} of its batches")
        return Position(**{**vars(before), "settings": self._plan.settings})

    def _entry(self, epoch: int, done: Done | None) -> dict[str, Any]:
        """What is known after an epoch, which the validation is part of."""
        begun = monotonic()
        it = self._it
        precision = self._validation.average_precision(epoch)
        entry = {
            "epoch": epoch,
            "loss": done and done.loss,
            "learning_rate": done and rate_of(it.recipe, epoch),
            "average_precision": precision,
            "seconds": done and round(done.seconds, 3),
            "frames": done and done.frames,
            "frames_per_s": done and round(done.frames / max(done.seconds, 1e-9), 1),
            "validation_seconds": round(monotonic() - begun, 3),
        }
        told = f"average precision {precision:.4f}"
        if done:
            told = (
                f"loss {done.loss:.4f}, {told}, {done.seconds:.0f} s, "
                f"{entry['frames_per_s']:.0f} face frames/s"
            )
        self._tell(f"epoch {epoch}: {told}")
        return entry

    def _keep(self, position: Position, log: Log) -> None:
        """Write all files after an epoch.

        The state is the first: what it has is written again by `run` where a process was killed
        after it, while an epoch that is gone through again need not come to the same weights.
        """
        self._save(position)
        self._write(position, log)

    def _write(self, position: Position, log: Log) -> None:
        """Write the weights, the logs and the record at the end of an epoch."""
        if not self._first:
            return
        weights = {
            name: tensor.detach().cpu().float() if tensor.is_floating_point() else tensor.cpu()
            for name, tensor in self._it.trainable.checkpoint().items()
        }
        state.put(self._folder / records.LAST, weights)
        if position.best is position.history[-1]:
            state.put(self._folder / records.BEST, weights)
        log(position.history)
        self._record(position)

    def _save(self, position: Position) -> None:
        if self._first:
            state.save(self._folder, position, self._loop.tensors())

    def _record(self, position: Position) -> dict[str, Any]:
        if not self._first:
            return {}
        return records.write(self._folder, position, self._known, self._ended(position))

    def _ended(self, position: Position) -> str | None:
        return position.ended(self._it.recipe.epochs, self._plan.options.patience)


def _in_words(fabric: Fabric, precision: str) -> str:
    """Where a training computes, and how."""
    import torch

    device = fabric.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return f"{fabric.world_size} x {name}, precision {precision}"
