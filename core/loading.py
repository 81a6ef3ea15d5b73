"""`asdkit.load`: builds a single component, to use on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from .component import Context
from .config.chosen import choose
from .contracts import ShiftingScorer
from .scenes import SceneScorer
from .types import Clip, Scores

if TYPE_CHECKING:
    from .contracts import (
        Cutter,
        Dataset,
        Detector,
        Embedder,
        FaceContext,
        Scorer,
        Tracker,
        Vad,
        VoiceEmbedder,
        Writer,
    )
    from .decisions.calibration import Calibration


@overload
def load(
    kind: Literal["cutter"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Cutter: ...


@overload
def load(
    kind: Literal["detector"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Detector: ...


@overload
def load(
    kind: Literal["tracker"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Tracker: ...


@overload
def load(
    kind: Literal["scorer"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Scorer: ...


@overload
def load(
    kind: Literal["context"],
    name: Literal["none"],
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> None: ...


@overload
def load(
    kind: Literal["context"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> FaceContext: ...


@overload
def load(
    kind: Literal["embedder"],
    name: Literal["none"],
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> None: ...


@overload
def load(
    kind: Literal["embedder"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Embedder: ...


@overload
def load(
    kind: Literal["vad"],
    name: Literal["none"],
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> None: ...


@overload
def load(
    kind: Literal["vad"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Vad: ...


@overload
def load(
    kind: Literal["voice"],
    name: Literal["none"],
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> None: ...


@overload
def load(
    kind: Literal["voice"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> VoiceEmbedder: ...


@overload
def load(
    kind: Literal["writer"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Writer: ...


@overload
def load(
    kind: Literal["dataset"],
    name: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    **parameters: Any,
) -> Dataset: ...


@overload
def load(
    kind: str, name: str, *, device: str = "auto", threads: int | None = None, **parameters: Any
) -> Any: ...


def load(
    kind: str, name: str, *, device: str = "auto", threads: int | None = None, **parameters: Any
) -> Any:
    """Build one component, to use on its own.

    Args:
        kind: "cutter", "detector", "tracker", "scorer", "context", "embedder",
            "vad", "voice", "writer" or "dataset".
        name: Its name, as `asd plugins` lists it.
        device: "auto", "cpu", "cuda" or "cuda:N".
        threads: CPU threads it may use; None for the library's own choice.
        **parameters: Its parameters; the defaults are those of its config dataclass.

    Returns:
        The component; its methods are those of its kind's protocol, such as
        `asdkit.plugin.Detector`. None for the context, the embedder, the vad
        and the voice "none".

    Raises:
        PluginError: There is no such component.
        ConfigError: A parameter is unknown, of the wrong type or out of range.

    Example:
        >>> detector = asdkit.load("detector", "mtcnn", min_face_px=40)
        >>> faces = detector.detect(frames, indices=[0, 1, 2])
    """
    chosen = choose(kind, {**parameters, "name": name})
    part = chosen.build(Context(device, threads))
    return _Calibrated(part, chosen.calibration) if chosen.calibration else part


class _Calibrated:
    """A scorer with a calibration applied to its logits."""

    def __init__(self, scorer: Scorer, calibration: Calibration) -> None:
        self._scorer = scorer
        self._calibration = calibration
        if hasattr(scorer, "device"):
            self.device = scorer.device
        if isinstance(scorer, ShiftingScorer):
            shifting = scorer
            self.score_shifted = lambda clips: self._applied(shifting.score_shifted(clips))
        if isinstance(scorer, SceneScorer):
            of_scenes = scorer
            self.score_scene = lambda scene: self._applied(of_scenes.score_scene(scene))

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """See `core.contracts.Scorer`."""
        return self._applied(self._scorer.score(clips))

    def _applied(self, scores: Sequence[Scores]) -> list[Scores]:
        return [Scores(self._calibration.apply(one.logits)) for one in scores]
