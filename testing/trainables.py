"""The check of scorers that can be trained."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.analysis.answers import asked
from ..core.component import Component, Context
from ..core.samples import noise_picture, noise_sound
from ..core.trainable import Trainable
from ..core.types import FACE_SIZE_PX, SAMPLES_PER_FRAME, Clip
from .holding import SAME_SCORE, asking, hold

if TYPE_CHECKING:
    import torch

_CLIPS = 2
_UNLABELLED = -1


def check_trainable(
    component: Component, *, config: Any = None, frames: int = 8, steps: int = 10
) -> None:
    """Check that a scorer can be trained, as `asd train` does it, on the CPU.

    Its weights are drawn at random and trained for some steps on two made-up clips. Its
    checkpoint must give the same scores in the trained network, in one that is read for more
    training, and in the scorer itself.

    Args:
        component: The scorer, with `trainable`.
        config: An instance of its `config`; that of the defaults if not given.
        frames: Length of the clips.
        steps: How many steps of training must lower the loss.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Trainable`.
    """
    scorer = _Scorer(f"scorer={component.name}", component, config or component.config())
    hold(
        component.trainable is not None,
        f"{scorer.name} cannot be trained",
        "Pass trainable=FUNCTION to its Component, which returns an asdkit.plugin.Trainable",
    )
    hold(
        hasattr(scorer.config, "weights"),
        f"{scorer.name} has no parameter weights, through which it would read what was trained",
        "Add a field weights to its config",
    )
    ready, again = (scorer.ready(from_nothing=True) for _ in range(2))
    hold(
        _same(ready.module.state_dict(), again.module.state_dict()),
        f"{scorer.name} draws other weights from the same seed",
        "Draw them with PyTorch's own generator, which is seeded before",
    )
    _Check(scorer.name, ready, frames).run(steps)
    with TemporaryDirectory() as folder:
        _check_checkpoint(scorer, ready, _clips(frames), Path(folder, "trained.model"))


class _Scorer(NamedTuple):
    """A scorer in words, and what describes it."""

    name: str
    component: Component
    config: Any

    def ready(self, *, from_nothing: bool) -> Trainable:
        """What `trainable` returns after PyTorch's generator was seeded."""
        import torch

        assert self.component.trainable is not None
        torch.manual_seed(0)
        with asked(self.name):
            ready = self.component.trainable(self.config, from_nothing)
        hold(
            isinstance(ready, Trainable),
            f"{self.name}: trainable returns {type(ready).__name__}, not an "
            "asdkit.plugin.Trainable",
            "Return one",
        )
        hold(
            isinstance(ready.module, torch.nn.Module) and any(_learned(ready.module)),
            f"{self.name}: Trainable.module must be a torch.nn.Module with parameters to train",
            "Pass the network itself",
        )
        return ready


def _same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(bool((one[key] == other[key]).all()) for key in one)


def _learned(module: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """The parameters that are trained, with their names."""
    return ((key, one) for key, one in module.named_parameters() if one.requires_grad)


class _Check:
    """Trains a network on two clips and checks what its parts return meanwhile."""

    def __init__(self, name: str, ready: Trainable, frames: int) -> None:
        import torch

        self.name, self.ready, self.frames = name, ready, frames
        self.arrays = _inputs(name, ready, _clips(frames))
        self.labels = torch.tensor(
            np.stack([_speaking(frames, number) for number in range(_CLIPS)])
        )

    def run(self, steps: int) -> None:
        """Check the inputs, the loss, its gradients, and that training lowers it."""
        self._check_inputs()
        self.ready.module.train()
        outputs = self._outputs()
        for epoch in (1, self.ready.recipe.epochs, 10 * self.ready.recipe.epochs):
            self._check_loss(outputs, epoch)
        self._check_gradients(outputs)
        self._check_training(steps)

    def _check_inputs(self) -> None:
        """Each clip has the inputs that it has alone; the function can be sent to a process."""
        clips = _clips(self.frames)
        try:
            pickle.dumps(self.ready.inputs)
        except Exception as error:  # pickling raises nearly anything
            hold(
                False,
                f"{self.name}: Trainable.inputs cannot be pickled ({type(error).__name__}), but "
                "worker processes call it",
                "Make it a function of a module, not one within a function",
            )
        for number, clip in enumerate(clips):
            alone = _inputs(self.name, self.ready, [clip])
            hold(
                all(
                    np.array_equal(a[0], b[number]) for a, b in zip(alone, self.arrays, strict=True)
                ),
                f"{self.name}: Trainable.inputs returns other inputs for a clip among others than "
                "alone",
                "Compute them from each clip separately, and use no chance",
            )

    def _outputs(self) -> tuple[torch.Tensor, ...]:
        """What the module returns for the clips."""
        return _logits(self.name, self.ready, self.arrays, self.frames)

    def _loss(self, outputs: Sequence[torch.Tensor], labels: torch.Tensor, epoch: int) -> Any:
        import torch

        with asked(self.name):
            loss = self.ready.loss(outputs, labels, epoch)
        scalar = isinstance(loss, torch.Tensor) and loss.shape == () and loss.is_floating_point()
        hold(
            scalar,
            f"{self.name}: Trainable.loss must return a scalar tensor, but returned "
            + (f"one of shape {tuple(loss.shape)}" if torch.is_tensor(loss) else repr(loss)),
            "Return the mean over the frames that count",
        )
        hold(
            bool(loss.isfinite()),
            f"{self.name}: Trainable.loss is {loss.item()} in epoch {epoch} where "
            f"{int((labels != _UNLABELLED).sum())} frames count",
            "It must be finite in any epoch, also where no frame counts",
        )
        return loss

    def _check_loss(self, outputs: Sequence[torch.Tensor], epoch: int) -> None:
        """The loss asks for the labels where they count, and for nothing elsewhere."""
        import torch

        apart = [logits.detach().requires_grad_() for logits in outputs]
        labels = self.labels.clone()
        labels[:, ::3] = _UNLABELLED
        found = torch.autograd.grad(self._loss(apart, labels, epoch), apart, allow_unused=True)
        wrong = [one for one in found if one is not None and bool(one[labels == _UNLABELLED].any())]
        hold(
            not wrong,
            f"{self.name}: Trainable.loss depends on frames whose label is -1, which do not count",
            "Leave them out, as by torch.nn.functional.cross_entropy(..., ignore_index=-1)",
        )
        main = found[0]
        wanted = main is not None and all(
            bool((sign * (main[..., 1] - main[..., 0])[labels == label] > 0).all())
            for label, sign in ((0, 1), (1, -1))
        )
        hold(
            wanted,
            f"{self.name}: a lower Trainable.loss does not bring the scorer's logits, the first, "
            f"nearer to the labels in epoch {epoch}",
            "They are not speaking, then speaking; the label of speaking is 1",
        )
        self._loss(apart, torch.full_like(labels, _UNLABELLED), epoch)

    def _check_gradients(self, outputs: Sequence[torch.Tensor]) -> None:
        """Every parameter that is trained has a gradient."""
        self._loss(outputs, self.labels, 1).backward()
        for key, one in _learned(self.ready.module):
            hold(
                one.grad is not None and bool(one.grad.isfinite().all()),
                f"{self.name}: the loss has no finite gradient for {key} of Trainable.module",
                "Use all parameters in the loss, or call requires_grad_(False) on those that are "
                "not trained: several GPUs wait for each gradient",
            )

    def _check_training(self, steps: int) -> None:
        """Some steps lower the loss of clips that are always the same."""
        import torch

        recipe, losses = self.ready.recipe, []
        parameters = [one for _, one in _learned(self.ready.module)]
        optimiser = torch.optim.AdamW(
            parameters, recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        for _ in range(steps):
            optimiser.zero_grad()
            loss = self._loss(self._outputs(), self.labels, 1)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        third = max(steps // 3, 1)
        first, last = np.mean(losses[:third]), np.mean(losses[-third:])
        hold(
            last < first,
            f"{self.name}: {steps} steps of training on the same clips do not lower the loss, "
            f"which went from {first:.3f} to {last:.3f}",
            "See that gradients reach all layers, and that Recipe.learning_rate is not too high",
        )


def _inputs(name: str, ready: Trainable, clips: Sequence[Clip]) -> tuple[np.ndarray, ...]:
    """What `inputs` makes of clips."""
    given = [array for clip in clips for array in (clip.faces, clip.sound, clip.sound_after)]
    with asking(name, *given):
        arrays = ready.inputs(clips)
    hold(
        isinstance(arrays, tuple)
        and bool(arrays)
        and all(isinstance(one, np.ndarray) and one.shape[:1] == (len(clips),) for one in arrays),
        f"{name}: Trainable.inputs must return a tuple of arrays whose first axis is the clip, of "
        f"length {len(clips)} here",
        "Stack what there is for each clip, as by numpy.stack",
    )
    return arrays


def _logits(
    name: str, ready: Trainable, arrays: tuple[np.ndarray, ...], frames: int
) -> tuple[torch.Tensor, ...]:
    """What the module returns for inputs of clips of so many frames."""
    import torch

    with asked(name):
        outputs = ready.module(*(torch.tensor(array) for array in arrays))
    shape = (len(arrays[0]), frames, 2)
    hold(
        isinstance(outputs, tuple)
        and bool(outputs)
        and all(torch.is_tensor(one) and one.shape == shape for one in outputs),
        f"{name}: Trainable.module must return a tuple of logits, each of shape {shape} for "
        f"{shape[0]} clips of {frames} frames",
        "Return (logits,) if there is one head alone",
    )
    logits: tuple[torch.Tensor, ...] = outputs
    return logits


def _check_checkpoint(scorer: _Scorer, ready: Trainable, clips: Sequence[Clip], path: Path) -> None:
    """The checkpoint, saved as a file, gives the same scores wherever it is read."""
    import torch

    name = scorer.name
    with asked(name):
        state = ready.checkpoint()
    hold(
        isinstance(state, Mapping)
        and all(isinstance(key, str) and torch.is_tensor(one) for key, one in state.items()),
        f"{name}: Trainable.checkpoint must return tensors by their names",
        "As by module.state_dict()",
    )
    torch.save(dict(state), path)
    with asked(name):
        config = replace(scorer.config, weights=str(path), **ready.settings)
    trained = scorer._replace(config=config)
    wanted = _judged(name, ready, clips)
    reread = _judged(name, trained.ready(from_nothing=False), clips)
    hold(
        np.allclose(wanted, reread, rtol=0, atol=SAME_SCORE),
        f"{name}: its checkpoint, read for more training by weights=FILE, gives other logits",
        "Have checkpoint return all weights and statistics, and have trainable read them from "
        "weights unless it starts from nothing",
    )
    with asked(name):
        scores = scorer.component.build(trained.config, Context("cpu")).score(list(clips))
    hold(
        np.allclose(wanted, np.stack([one.logits for one in scores]), rtol=0, atol=SAME_SCORE),
        f"{name}: with its checkpoint as weights=FILE the scorer gives other logits than the "
        "network that was trained, in eval mode",
        "Have build read the checkpoint, and the scorer return the logits of the module's first "
        "head",
    )


def _judged(name: str, ready: Trainable, clips: Sequence[Clip]) -> np.ndarray:
    """The scorer's logits (B, T, 2) by the network in eval mode."""
    import torch

    ready.module.eval()
    with torch.no_grad():
        found = _logits(name, ready, _inputs(name, ready, clips), len(clips[0]))
    return np.asarray(found[0].numpy())


def _speaking(frames: int, number: int) -> np.ndarray:
    """The labels (frames,) int64 of a made-up clip: halves of it, in turn."""
    return (np.arange(frames) >= frames // 2).astype(np.int64) ^ (number % 2)


def _clips(frames: int) -> list[Clip]:
    """Clips of noise, loud and with a mouth that changes where they are labelled as speaking."""
    return [_clip(frames, number) for number in range(_CLIPS)]


def _clip(frames: int, number: int) -> Clip:
    faces = np.broadcast_to(
        noise_picture((FACE_SIZE_PX, FACE_SIZE_PX), number), (frames, FACE_SIZE_PX, FACE_SIZE_PX)
    ).copy()
    speaking = _speaking(frames, number)
    mouth = (slice(70, 100), slice(36, 76))
    for frame in np.flatnonzero(speaking):
        faces[frame][mouth] = noise_picture((30, 40), 100 + int(frame))
    sound = noise_sound(SAMPLES_PER_FRAME * frames, number)
    return Clip(faces, np.where(np.repeat(speaking, SAMPLES_PER_FRAME), sound, sound >> 6))
