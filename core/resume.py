"""What networks have answered, kept on the disk while a run goes: one that is killed can go on.

Detector, scorer and embedder keep nothing of a video, so an answer depends on the question alone.
A run that goes on passes over the video from its beginning, as the cutter, the tracker and voice
activity detection must; but what was asked before is not computed again. So it ends with the very
result of a run that nobody has stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np

from .analysis.one_pass import Parts
from .contracts import Detector, Embedder, Scorer
from .errors import OutputError
from .files import whole
from .kept_answers import FIELDS, Answer, Item, packed, rebuilt, taken_apart, unpacked
from .stopping import last_resort
from .types import GRID_FPS, Clip, Detections, Float32, Scores, UInt8

ABOUT = "about.json"
"""Says of what the answers beside it are."""
SCHEMA = "asdkit.incomplete/1"
_EVERY_S = 5.0
"""Answers are put on the disk this often; so much is lost at most, and nothing of a short run."""
_LOOKED_AT = 8
"""Of pictures every so many rows are looked at, to tell whether they are those of before."""
_log = logging.getLogger(__name__)

"""A part of an answer: arrays of one length."""


class Answers:
    """The answers of a run, given before or now.

    Args:
        folder: Where they are kept; None keeps none.
        origin: What they depend on, as plain values: only answers of the same origin are used.
        seed: What random numbers begin with anew after each answer, so that those drawn later do
            not depend on whether it was computed.

    Attributes:
        reached: The last grid frame that a detector has answered for in an earlier run, or -1.
    """

    def __init__(
        self, folder: Path | None, origin: Mapping[str, Any] | None = None, seed: int = 0
    ) -> None:
        self.reached = -1
        self._folder = folder
        self._origin = dict(origin or {})
        self._seed = seed
        self._known: dict[str, list[Item]] = {}
        self._new: list[Answer] = []
        self._files = 0
        self._stale: list[Path] = []
        self._asked = 0
        self._frame = -1
        self._kept_at = perf_counter()
        self._lock = Lock()

    def resume(self) -> None:
        """Read what an earlier run has kept.

        Raises:
            OutputError: It is of another video, or other components have answered.
        """
        files = self._earlier()
        if not files:
            return
        about = _about(cast("Path", self._folder))
        other = sorted(k for k in self._origin if about["origin"].get(k) != self._origin[k])
        if other:
            raise OutputError(
                f"{self._folder} holds what an earlier run has found, but not of the same "
                f"{', '.join(other)}",
                "Give the same again, or start anew with resume=false",
            )
        for path in files:
            self._read(path)
        self._files = int(files[-1].stem)

    def start_anew(self) -> None:
        """Do without what an earlier run has kept; it goes once there is something new to keep."""
        self._stale = self._earlier()
        if self._stale:
            reached_s = _about(cast("Path", self._folder)).get("reached_s")
            _log.warning(
                "An earlier run was stopped at %s s; this one starts anew, resume=true would go on",
                reached_s,
            )

    def _earlier(self) -> list[Path]:
        """The files of an earlier run, in order."""
        if self._folder is None or not _about(self._folder):
            return []
        return sorted(p for p in self._folder.glob("*.npz") if p.stem.isdecimal())

    def _read(self, path: Path) -> None:
        """Read a file; one that is damaged is passed over."""
        try:
            # NumPy leaves a damaged file open that it has opened itself.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            reached = int(arrays.pop("reached"))
            for kind in FIELDS:
                self._known.update(unpacked(kind, arrays))
        except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile):
            return
        self.reached = max(self.reached, reached)

    def ask(self, kind: str, key: str, compute: Callable[[], Any]) -> Any:
        """The answer to a question.

        Args:
            kind: Kind of the component asked.
            key: Tells the question from all others.
            compute: Asks the component.
        """
        key = f"{kind} {key}"
        self._asked += 1
        if key in self._known:
            answer = rebuilt(kind, self._known[key])
        else:
            answer = compute()
            items = taken_apart(kind, answer) if self._folder is not None else None
            if items is not None:
                self._new.append(Answer(kind, key, items))
                if perf_counter() - self._kept_at > _EVERY_S:
                    self.keep()
        _draw_anew(self._seed, self._asked)
        return answer

    def pass_frame(self, frame: int) -> None:
        """Take note of how far the run has come."""
        self._frame = max(self._frame, frame)

    def keep(self) -> None:
        """Put new answers on the disk; if that cannot be, the run goes on without."""
        if self._folder is None or not self._lock.acquire(timeout=0.2):
            return
        try:
            count = len(self._new)
            if not count:
                return
            for path in self._stale:
                path.unlink(missing_ok=True)
            self._stale = []
            path = self._folder / f"{self._files + 1:06}.npz"
            with whole(path) as aside:
                np.savez(aside, **packed(self._new[:count]), reached=self._frame)
            self._files += 1
            del self._new[:count]
            about = {
                "schema": SCHEMA,
                "complete": False,
                "reached_s": self.reached_s,
                "origin": self._origin,
            }
            with whole(self._folder / ABOUT) as aside:
                aside.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
            self._kept_at = perf_counter()
        except (OutputError, OSError, ValueError) as error:
            _log.warning("What is found cannot be kept for resume=true: %s", error)
            self._folder = None
        finally:
            self._lock.release()

    @property
    def reached_s(self) -> float:
        """The time, in seconds, up to which the detector has answered, now or before."""
        return (max(self._frame, self.reached) + 1) / GRID_FPS

    def last_words(self) -> str | None:
        """Keep what is new; how to go on, if there is something to go on from."""
        self.keep()
        return self.how_to_go_on()

    def how_to_go_on(self) -> str | None:
        """How to go on with what is kept, if there is something."""
        if self._folder is None or not self._files:
            return None
        return (
            f"What was found up to {self.reached_s:.2f} s is kept in {self._folder}: go on with "
            "the same options and resume=true"
        )

    def remove(self) -> None:
        """Remove what was kept: the run is over."""
        if self._folder is not None:
            for path in (*self._folder.glob("[0-9]*.npz"), self._folder / ABOUT):
                path.unlink(missing_ok=True)

    def asked_of(self, parts: Parts) -> Parts:
        """The components, each asked only what has not been answered."""
        return replace(
            parts,
            detector=_Detector(parts.detector, self),
            scorer=_Scorer(parts.scorer, self),
            embedder=_Embedder(parts.embedder, self) if parts.embedder else None,
        )


class _Detector:
    """Asks a detector only what has not been answered."""

    def __init__(self, detector: Detector, answers: Answers) -> None:
        self.looks = getattr(detector, "looks", True)
        self._detector = detector
        self._answers = answers

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """See `core.contracts.Detector`."""
        key = f"{','.join(map(str, indices))} {frames.shape} {_hash(frames[:, ::_LOOKED_AT])}"
        self._answers.pass_frame(max(indices, default=-1))
        found: list[Detections] = self._answers.ask(
            "detector", key, lambda: self._detector.detect(frames, indices)
        )
        return found


class _Scorer:
    """Asks a scorer only what has not been answered."""

    def __init__(self, scorer: Scorer, answers: Answers) -> None:
        self._scorer = scorer
        self._answers = answers

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """See `core.contracts.Scorer`."""
        parts = [(c.faces, c.sound, np.int64(c.sound_before), c.sound_after) for c in clips]
        key = f"{[len(clip) for clip in clips]} {_hash(*(a for part in parts for a in part))}"
        scores: list[Scores] = self._answers.ask("scorer", key, lambda: self._scorer.score(clips))
        return scores


class _Embedder:
    """Asks an embedder only what has not been answered."""

    def __init__(self, embedder: Embedder, answers: Answers) -> None:
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


def _about(folder: Path) -> dict[str, Any]:
    """What stands of the answers in a folder; empty if there are none of this form."""
    try:
        found = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        sound = found["schema"] == SCHEMA and isinstance(found["origin"], dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if sound else {}


def _draw_anew(seed: int, answer: int) -> None:
    """Begin random numbers for what follows an answer, as `core.models.seeded` does for a run."""
    import cv2

    number = (seed + 0x9E3779B1 * answer) % 2**32
    random.seed(number)
    np.random.seed(number)
    cv2.setRNGSeed(number % 2**31)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(number)


def digest_of(path: Path) -> str:
    """What tells a file from others without reading all of it: its size, its begin and its end.

    Raises:
        OSError: It cannot be read.
    """
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        digest.update(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        digest.update(file.read(1 << 20))
    return digest.hexdigest()


@contextmanager
def kept(answers: Answers) -> Iterator[None]:
    """A block that asks; if it does not end well, it says how to go on.

    If it is stopped, what it has found until then is kept as well.
    """
    with last_resort(answers.last_words):
        try:
            yield
        except KeyboardInterrupt as stop:
            if words := answers.last_words():
                stop.args = (words,)
            raise
        except Exception:
            if words := answers.how_to_go_on():
                _log.warning("%s", words)
            raise
