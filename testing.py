"""Checks that every component must pass, asdkit's own and those of plugins.

Each raises `PluginError` with one line that says what is wrong. In a test of a plugin:

    >>> def test_my_detector():
    ...     asdkit.testing.check_detector(asdkit.load("detector", "mine"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from .core.analysis.answers import (
    Pieces,
    asked,
    checked_cut,
    checked_faces,
    checked_heard,
    checked_lookahead,
    checked_memory_s,
    checked_scores,
    checked_vectors,
)
from .core.contracts import (
    Cutter,
    Dataset,
    Detector,
    Embedder,
    Scorer,
    Tracker,
    Vad,
    Writer,
)
from .core.errors import PluginError
from .core.evaluation.checked_dataset import measure_of, videos_of
from .core.labels import LabelledVideo
from .core.samples import noise_picture, noise_sound, result, two_faces, write_video
from .core.types import (
    FACE_SIZE_PX,
    PORTRAIT_SIZE_PX,
    SAMPLES_PER_FRAME,
    Clip,
    Int16,
    Result,
    UInt8,
)
from .core.writing import written

__all__ = [
    "check_cutter",
    "check_dataset",
    "check_detector",
    "check_embedder",
    "check_scorer",
    "check_tracker",
    "check_vad",
    "check_writer",
    "result",
    "write_video",
]

_Part = TypeVar("_Part")
_SAME_BOX_PX = 1.0
"""Allowed difference between the boxes of a picture alone and in a batch."""
_SAME_SCORE = 1e-2
"""The same for scores and embeddings: networks round differently in a batch."""


def check_detector(detector: Detector, height: int = 240, width: int = 320) -> None:
    """Check that a detector answers for each frame, and equally for one frame and for a batch.

    Args:
        detector: The detector.
        height: Height of the test pictures, in pixels.
        width: Width of the test pictures, in pixels.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Detector`.
    """
    frames = noise_picture((3, height, width, 3), seed=1)
    before = frames.copy()
    indices = [0, 1, 4]
    name = _name(detector)
    with asked(name):
        answer = detector.detect(frames, indices)
        none = detector.detect(frames[:0], [])
        singly = [detector.detect(frames[k : k + 1], [index]) for k, index in enumerate(indices)]
    found = checked_faces(name, answer, indices, (height, width))
    checked_faces(name, none, [], (height, width))
    _unchanged(name, before, frames)
    for index, faces, single in zip(indices, found, singly, strict=True):
        alone = checked_faces(name, single, [index], (height, width))[0]
        same = len(faces) == len(alone) and np.allclose(
            faces.boxes, alone.boxes, rtol=0, atol=_SAME_BOX_PX
        )
        _hold(same, f"{name} finds other faces in frame {index} by itself than among others")


def check_tracker(make: Callable[[], Tracker]) -> None:
    """Check that a tracker returns tracks without gaps, ends them, and never reuses numbers.

    Args:
        make: Builds a new tracker.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Tracker`.
    """
    tracker = _made(make)
    name = _name(tracker)
    pieces = Pieces(name)
    seen = 0
    for shot in range(2):
        for frame in range(60 * shot, 60 * shot + 50):
            with asked(name):
                answer = tracker.update(frame, two_faces(frame))
            seen += sum(len(piece.boxes) for piece in pieces.checked(answer, frame + 1))
        with asked(name):
            last = tracker.flush()
        pieces.checked(last, 60 * shot + 50)
        pieces.finish()
        with asked(name):
            _hold(not list(tracker.flush()), f"{name} has tracks left after all were ended")
    _hold(seen > 0, f"{name} follows no face, though two stood still for two seconds")


def check_scorer(scorer: Scorer) -> None:
    """Check that a scorer gives each frame of clips of any length a finite score.

    The scores of a clip must not depend on the other clips.

    Args:
        scorer: The scorer.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Scorer`.
    """
    name = _name(scorer)
    clips = [
        Clip(
            noise_picture((n, FACE_SIZE_PX, FACE_SIZE_PX), n), noise_sound(SAMPLES_PER_FRAME * n, n)
        )
        for n in (1, 7, 30)
    ]
    before = [(clip.faces.copy(), clip.sound.copy()) for clip in clips]
    with asked(name):
        together = checked_scores(name, scorer.score(clips), clips)
        checked_scores(name, scorer.score([]), [])
        singly = [checked_scores(name, scorer.score([clip]), [clip])[0] for clip in clips]
    for clip, (faces, sound), one, other in zip(clips, before, together, singly, strict=True):
        _unchanged(name, faces, clip.faces)
        _unchanged(name, sound, clip.sound)
        _hold(np.isfinite(one.logits).all(), f"{name} gives scores that are not finite")
        same = np.allclose(one.logits, other.logits, rtol=0, atol=_SAME_SCORE)
        _hold(same, f"{name} scores a clip of {len(clip)} frames otherwise among others than alone")


def check_embedder(embedder: Embedder) -> None:
    """Check that an embedder gives each face a vector of length 1, independent of other faces.

    Args:
        embedder: The embedder.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Embedder`.
    """
    name = _name(embedder)
    faces = noise_picture((3, PORTRAIT_SIZE_PX, PORTRAIT_SIZE_PX, 3), seed=2)
    before = faces.copy()
    with asked(name):
        together = checked_vectors(name, embedder.embed(faces), 3)
        alone = checked_vectors(name, embedder.embed(faces[:1]), 1, together.shape[1])
    _unchanged(name, before, faces)
    lengths = np.linalg.norm(together, axis=1)
    _hold(np.allclose(lengths, 1, atol=1e-3), f"{name} gives vectors whose length is not 1")
    same = np.allclose(together[0], alone[0], rtol=0, atol=_SAME_SCORE)
    _hold(same, f"{name} embeds a face otherwise among others than alone")


def check_vad(make: Callable[[], Vad]) -> None:
    """Check that a voice activity detector answers for each frame, however the sound is divided.

    Args:
        make: Builds a new detector.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Vad`.
    """
    frames = 203
    sound = noise_sound(SAMPLES_PER_FRAME * frames, seed=3)
    answers = []
    for step in (100, 4, frames):
        vad = _made(make)
        name = _name(vad)
        checked_memory_s(name, vad)
        heard = []
        for first in range(0, frames, step):
            piece = sound[SAMPLES_PER_FRAME * first : SAMPLES_PER_FRAME * (first + step)]
            before = piece.copy()
            with asked(name):
                answer = vad.speech(piece)
            _unchanged(name, before, piece)
            heard.append(checked_heard(name, answer, len(piece) // SAMPLES_PER_FRAME))
        answers.append(np.concatenate(heard))
    same = all(np.allclose(answers[0], other, rtol=0, atol=1e-3) for other in answers)
    _hold(same, f"{name} answers otherwise where the same sound is cut otherwise")


def check_cutter(make: Callable[[], Cutter]) -> None:
    """Check that a cutter answers for each frame, and equally for equal pictures.

    Args:
        make: Builds a new cutter.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Cutter`.
    """
    answers: list[list[bool]] = []
    for _ in range(2):
        cutter = _made(make)
        name = _name(cutter)
        said = []
        for index in range(20 + checked_lookahead(name, cutter)):
            frame = np.full((90, 160, 3), 40 if index < 10 else 200, np.uint8)
            before = frame.copy()
            with asked(name):
                said.append(checked_cut(name, cutter.starts_shot(frame, index)))
            _unchanged(name, before, frame)
        answers.append(said)
    _hold(answers[0] == answers[1], f"{name} answers otherwise for the same pictures")


def check_writer(writer: Writer, folder: Path, *, of: Result | None = None) -> list[Path]:
    """Check that a writer writes exactly the files it returns, inside its folder only.

    Args:
        writer: The writer.
        folder: An empty folder.
        of: The result to write; by default that of `result`, which has no video file.

    Returns:
        The files.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Writer`.
    """
    name = _name(writer)
    files = written(name, writer, of or result(folder / "talk.mp4"), folder)
    place = folder.resolve()
    listed = sorted(path for path in place.rglob("*") if path.is_file())
    _hold(bool(files), f"{name} tells of no file")
    told = {path.resolve() for path in files}
    more = [path for path in listed if path not in told and not told & set(path.parents)]
    more = [path for path in more if of is None or path != of.video.path.resolve()]
    _hold(not more, f"{name} leaves {more[:1]}, of which it does not tell")
    return files


def check_dataset(dataset: Dataset) -> Sequence[LabelledVideo]:
    """Check that a dataset returns videos with unique names, always in the same order.

    Args:
        dataset: The dataset.

    Returns:
        The dataset's videos.

    Raises:
        PluginError: It does not keep its contract; see `core.contracts.Dataset`.
    """
    name = _name(dataset)
    videos, again = videos_of(name, dataset), videos_of(name, dataset)
    same = [video.name for video in videos] == [video.name for video in again]
    _hold(same, f"{name} gives its videos in another order")
    measure_of(name, dataset)
    return videos


def _name(part: object) -> str:
    return type(part).__name__


def _made(make: Callable[[], _Part]) -> _Part:
    if not callable(make):
        raise PluginError(
            f"This check takes what makes a {_name(make)}, as it needs new ones",
            "As in: lambda: asdkit.load(KIND, NAME)",
        )
    return make()


def _hold(true: object, otherwise: str) -> None:
    if not true:
        raise PluginError(otherwise)


def _unchanged(name: str, before: UInt8 | Int16, after: UInt8 | Int16) -> None:
    _hold(np.array_equal(before, after), f"{name} changes the arrays that it is given")
