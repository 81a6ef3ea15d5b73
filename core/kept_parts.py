"""Wraps the networks of a run, so that each is called only for outputs that are not stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from .analysis.attributes import checked_concurrent, checked_knows_ids, checked_looks
from .analysis.embedder_answers import checked_identity_distance, checked_template
from .analysis.parts import Parts
from .analysis.shifting import sound_early_s
from .contracts import Detector, Embedder, ScalingDetector, Scorer, ShiftingScorer
from .resume import Answers
from .scenes import Scene, SceneScorer
from .types import Clip, Detections, Float32, Scores, UInt8

_LOOKED_AT = 8
"""One row in so many of a picture is hashed, to recognise the picture."""


def asked_of(answers: Answers, parts: Parts) -> Parts:
    """Wrap the components, so that each is called only for outputs that are not stored."""
    detector: Detector = _Detector(parts.detector, answers, parts.name("detector"))
    if isinstance(parts.detector, ScalingDetector):
        detector = _ScalingDetector(parts.detector, answers, parts.name("detector"))
    scorer: Scorer = _Scorer(parts.scorer, answers, parts.name("scorer"))
    if isinstance(parts.scorer, SceneScorer):
        scorer = _SceneScorer(parts.scorer, answers, parts.name("scorer"))
    elif isinstance(parts.scorer, ShiftingScorer):
        scorer = _ShiftingScorer(parts.scorer, answers, parts.name("scorer"))
    return replace(
        parts,
        detector=detector,
        scorer=scorer,
        embedder=_Embedder(parts.embedder, answers, parts.name("embedder"))
        if parts.embedder
        else None,
    )


class _Detector:
    """Calls a detector only if its output is not stored."""

    def __init__(self, detector: Detector, answers: Answers, name: str) -> None:
        self.looks = checked_looks(name, detector)
        self.one_at_a_time = getattr(detector, "one_at_a_time", False)
        self.knows_ids = checked_knows_ids(name, detector)
        self._detector = detector
        self._answers = answers

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """See `core.contracts.Detector`."""
        return self._ask(frames, indices, lambda: self._detector.detect(frames, indices))

    def _ask(
        self, frames: UInt8, indices: Sequence[int], compute: Callable[[], list[Detections]]
    ) -> list[Detections]:
        key = f"{','.join(map(str, indices))} {frames.shape} {_hash(frames[:, ::_LOOKED_AT])}"
        self._answers.pass_frame(max(indices, default=-1))
        found: list[Detections] = self._answers.ask("detector", key, compute)
        return found


class _ScalingDetector(_Detector):
    """Calls a detector that says the size it looks at only if its output is not stored."""

    def __init__(self, detector: ScalingDetector, answers: Answers, name: str) -> None:
        super().__init__(cast("Detector", detector), answers, name)
        self._scaling = detector

    def input_side_px(self, height: int, width: int) -> int | None:
        """See `core.contracts.ScalingDetector`."""
        return self._scaling.input_side_px(height, width)

    def detect_scaled(
        self, frames: UInt8, indices: Sequence[int], size: tuple[int, int]
    ) -> list[Detections]:
        """See `core.contracts.ScalingDetector`."""
        return self._ask(
            frames, indices, lambda: self._scaling.detect_scaled(frames, indices, size)
        )


class _Scorer:
    """Calls a scorer only if its output is not stored."""

    def __init__(self, scorer: Scorer, answers: Answers, name: str) -> None:
        self.concurrent = checked_concurrent(name, scorer)
        self._scorer = scorer
        self._answers = answers

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """See `core.contracts.Scorer`."""
        return self._ask("", clips, lambda: self._scorer.score(clips))

    def _ask(
        self, of: str, clips: Sequence[Clip], compute: Callable[[], list[Scores]]
    ) -> list[Scores]:
        parts = [(c.faces, c.sound, np.int64(c.sound_before), c.sound_after) for c in clips]
        key = f"{of}{[len(clip) for clip in clips]} {_hash(*(a for part in parts for a in part))}"
        scores: list[Scores] = self._answers.ask("scorer", key, compute, draws=not self.concurrent)
        return scores


class _ShiftingScorer(_Scorer):
    """Calls a scorer that scores one face with several sounds only if its output is not stored."""

    def __init__(self, scorer: ShiftingScorer, answers: Answers, name: str) -> None:
        super().__init__(cast("Scorer", scorer), answers, name)
        self._shifting = scorer
        self.sound_early_s = sound_early_s(self._scorer)

    def score_shifted(self, clips: Sequence[Clip]) -> list[Scores]:
        """See `core.contracts.ShiftingScorer`."""
        return self._ask("shifted ", clips, lambda: self._shifting.score_shifted(clips))


class _SceneScorer(_Scorer):
    """Calls a scorer of all faces of a moment at once only if its output is not stored."""

    def __init__(self, scorer: SceneScorer, answers: Answers, name: str) -> None:
        super().__init__(cast("Scorer", scorer), answers, name)
        self._of_scenes = scorer

    def score_scene(self, scene: Scene) -> list[Scores]:
        """See `core.scenes.SceneScorer`."""
        places = [(face.first_frame, len(face)) for face in scene.faces]
        around = np.int64(scene.sound_before), scene.sound_after
        told = _hash(*(face.faces for face in scene.faces), scene.sound, *around)
        scores: list[Scores] = self._answers.ask(
            "scorer",
            f"scene {places} {told}",
            lambda: self._of_scenes.score_scene(scene),
            draws=not self.concurrent,
        )
        return scores


class _Embedder:
    """Calls an embedder only if its output is not stored."""

    def __init__(self, embedder: Embedder, answers: Answers, name: str) -> None:
        self.template = checked_template(name, embedder)
        self.identity_distance = checked_identity_distance(name, embedder)
        self._embedder = embedder
        self._answers = answers

    def embed(self, faces: UInt8) -> Float32:
        """See `core.contracts.Embedder`."""
        key = f"{len(faces)} {_hash(faces)}"
        vectors: Float32 = self._answers.ask("embedder", key, lambda: self._embedder.embed(faces))
        return vectors


def _hash(*arrays: Any) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
