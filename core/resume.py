"""Stores the outputs of networks during a run, so that a killed run can be resumed.

Detector, scorer and embedder are stateless, so an output depends only on the input. A resumed run
passes over the video from its beginning, as cutter, tracker and voice activity detection require,
but reuses stored outputs. So its result is identical to that of an uninterrupted run.
"""

from __future__ import annotations

import json
import logging
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np

from .errors import CancelledError, OutputError
from .files import whole
from .kept_answers import FIELDS, Answer, Item, packed, rebuilt, taken_apart, unpacked
from .stopping import last_resort
from .types import GRID_FPS

ABOUT = "about.json"
"""Describes what the stored outputs beside it were computed from."""
SCHEMA = "asdkit.incomplete/1"
_EVERY_S = 5.0
"""Interval of storing; at most this much work is lost. Shorter runs store nothing."""
_log = logging.getLogger(__name__)

"""`Item`: a part of an answer, arrays of one length."""


class Answers:
    """The outputs ("answers") of a run's networks, from this run or an earlier one.

    Args:
        folder: The folder to store them in; None stores none.
        origin: Everything besides the inputs that they depend on, as plain values. Only outputs
            of the same origin are reused.
        seed: Reseeds the random generators after each answer, so that later random numbers do not
            depend on whether the answer was computed or reused.

    Attributes:
        reached: The last grid frame whose detections an earlier run has stored, or -1.
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
        """Read the stored outputs of an earlier run.

        Raises:
            OutputError: They are of another video or of other components.
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
        """Ignore the outputs of an earlier run; they are removed when new ones are stored."""
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
        """Read a file of stored outputs; ignore it if it is damaged."""
        try:
            # Opened here, as NumPy would not close a damaged file.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            reached = int(arrays.pop("reached"))
            for kind in FIELDS:
                self._known.update(unpacked(kind, arrays))
        except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile):
            return
        self.reached = max(self.reached, reached)

    def ask(self, kind: str, key: str, compute: Callable[[], Any], *, draws: bool = True) -> Any:
        """Return a component's output, stored or computed.

        Args:
            kind: Kind of the component.
            key: Identifies the input.
            compute: Calls the component.
            draws: Whether the component may draw random numbers; if not, it may run in a thread
                beside others that draw some.
        """
        key = f"{kind} {key}"
        if key in self._known:
            answer = rebuilt(kind, self._known[key])
        else:
            answer = compute()
            items = taken_apart(kind, answer) if self._folder is not None else None
            if items is not None:
                self._new.append(Answer(kind, key, items))
                if perf_counter() - self._kept_at > _EVERY_S:
                    self.keep()
        if draws:
            self._asked += 1
            _draw_anew(self._seed, self._asked)
        return answer

    def pass_frame(self, frame: int) -> None:
        """Note the grid frame the detector has reached."""
        self._frame = max(self._frame, frame)

    def keep(self) -> None:
        """Store new outputs on disk; if that fails, the run continues without storing."""
        if self._folder is None or not self._lock.acquire(timeout=0.2):
            return
        try:
            count = len(self._new)
            if not count or self._folder is None:  # another thread may have failed to store
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
        """The time in seconds up to which there are detections, of this run or an earlier one."""
        return (max(self._frame, self.reached) + 1) / GRID_FPS

    def last_words(self) -> str | None:
        """Store new outputs; return how to resume, if anything is stored."""
        self.keep()
        return self.how_to_go_on()

    def how_to_go_on(self) -> str | None:
        """A sentence on how to resume; None if nothing is stored."""
        if self._folder is None or not self._files:
            return None
        return (
            f"What was found up to {self.reached_s:.2f} s is kept in {self._folder}: go on with "
            "the same options and resume=true"
        )

    def forget(self) -> None:
        """Remove the outputs stored by this run, unless it goes on with those of an earlier one."""
        if self.reached < 0 and self._files:
            self.remove()

    def remove(self) -> None:
        """Remove the stored outputs, at the end of the run."""
        if self._folder is not None:
            for path in (*self._folder.glob("[0-9]*.npz"), self._folder / ABOUT):
                path.unlink(missing_ok=True)


def _about(folder: Path) -> dict[str, Any]:
    """Read the description of stored outputs in a folder; empty if there is no valid one."""
    try:
        found = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        sound = found["schema"] == SCHEMA and isinstance(found["origin"], dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if sound else {}


def _draw_anew(seed: int, answer: int) -> None:
    """Reseed the random generators after an answer, as `core.models.seeded` does for a run."""
    import cv2

    number = (seed + 0x9E3779B1 * answer) % 2**32
    random.seed(number)
    np.random.seed(number)
    cv2.setRNGSeed(number % 2**31)
    # Another thread may be about to import it.
    if seed_torch := getattr(sys.modules.get("torch"), "manual_seed", None):
        seed_torch(number)


@contextmanager
def kept(answers: Answers) -> Iterator[None]:
    """If the block fails or is stopped, say how to resume; if stopped, store new outputs first.

    If it is cancelled, what it has stored is removed, but not what an earlier run has.
    """
    with last_resort(answers.last_words):
        try:
            yield
        except KeyboardInterrupt as stop:
            if words := answers.last_words():
                stop.args = (words,)
            raise
        except CancelledError:
            answers.forget()
            raise
        except Exception:
            if words := answers.how_to_go_on():
                _log.warning("%s", words)
            raise
