"""Builds the components of a plan, for one or many videos, and records weights and devices."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np

from .analysis.pacing import longest_step
from .analysis.parts import Parts
from .analysis.people import read_people
from .component import PASS_KINDS, Context
from .config.plan import AnalysisPlan
from .errors import DeviceError
from .files import expanded
from .known_faces import KnownFaces
from .one_at_a_time import one_at_a_time
from .provenance import WeightsFile
from .shared_state import Together
from .types import Float32
from .weights import noting

_LASTING = ("detector", "scorer", "embedder", "context", "voice")
"""Stateless kinds: one instance serves all videos; others are rebuilt per video."""


class Models:
    """The components of a plan, each built on first use.

    Args:
        plan: Names the components and their parameters. Detector, scorer, embedder, context and
            voice are loaded once for any number of videos.
        shared: Whether several threads use them at once, each for a video of its own. Then each of
            those is loaded and called by one thread at a time.

    Attributes:
        weights: By kind: the weights files read by the components built so far.
        devices: By kind: the device in use, for components that can use several.
        runtimes: By kind: what computes it, such as "onnx", for components that say so by an
            attribute `runtime`.
        context: Device, threads and detect_every, as every component is built with.
    """

    def __init__(self, plan: AnalysisPlan, *, shared: bool = False) -> None:
        self._shared = shared
        self._loading = RLock()
        self.weights: dict[str, tuple[WeightsFile, ...]] = {}
        self.devices: dict[str, str] = {}
        self.runtimes: dict[str, str] = {}
        self._plan = plan
        self._lasting: dict[str, Any] = {}
        options = plan.options
        step = longest_step(options.detect_every)
        self.context = Context(options.device, options.threads, step)

    def part(self, kind: str) -> Any:
        """The component of a kind; the same instance each time if the kind is stateless.

        Raises:
            AsdError: The component cannot be built.
        """
        if kind not in _LASTING:
            return self._built(kind)
        with self._loading:
            if kind not in self._lasting:
                part = self._built(kind)
                wanted = self._shared and not isinstance(part, KnownFaces | None)
                self._lasting[kind] = one_at_a_time(kind, part) if wanted else part
            return self._lasting[kind]

    def _built(self, kind: str) -> Any:
        chosen = self._plan.chosen[kind]
        with noting() as files:
            part = chosen.build(self.context)
        if kind not in self.weights:
            self.weights[kind] = tuple(WeightsFile.at(path) for path in files if path.is_file())
        if hasattr(part, "device"):
            self.devices[kind] = part.device
        if isinstance(runtime := getattr(part, "runtime", None), str):
            self.runtimes[kind] = runtime
        return part

    def name(self, kind: str) -> str:
        """The component of a kind in words, such as "detector=yunet (asdkit 0.1.0)"."""
        return self._plan.chosen[kind].in_words

    def parts(
        self, instead: Mapping[str, Any] | None = None, tell: Callable[[], None] = lambda: None
    ) -> Parts:
        """A component of each kind that the pass uses, for one video.

        Args:
            instead: By kind: components to use in place of the plan's.
            tell: Called before each component is built.

        Raises:
            AsdError: A component cannot be built, or none can use the requested device.
        """
        own = {}
        for kind in PASS_KINDS:
            if kind not in (instead or {}):
                tell()
                own[kind] = self.part(kind)
        if not instead:
            self.check_device({})
        names = {kind: self.name(kind) for kind in PASS_KINDS}
        return Parts(**{**own, **(instead or {})}, names=names)

    def check_device(self, others: Mapping[str, str]) -> None:
        """Check that some component uses CUDA if it was requested.

        Args:
            others: By kind: devices of components that were not built here.

        Raises:
            DeviceError: No component uses CUDA.
        """
        asked = self._plan.options.device
        taken = {**self.devices, **others}.values()
        if asked.startswith("cuda") and not any(device.startswith("cuda") for device in taken):
            names = ", ".join(f"{k}={c.component.name}" for k, c in self._plan.chosen.items())
            raise DeviceError(
                f"device={asked} was asked for, but nothing here can use it ({names})",
                "Use device=auto, or choose a detector or scorer that runs on CUDA",
            )

    @cached_property
    def people(self) -> Mapping[str, Float32]:
        """The embeddings of people known by name.

        Raises:
            AsdError: A portrait is unusable.
        """
        folder = self._plan.options.identities
        if folder is None:
            return {}
        return read_people(
            expanded(folder),
            self.part("detector"),
            self.part("embedder"),
            detector_name=self.name("detector"),
            embedder_name=self.name("embedder"),
        )


@contextmanager
def _seeded(number: int) -> Iterator[None]:
    import cv2

    torch = sys.modules.get("torch")
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(number)
    np.random.seed(number)  # plugins may draw from it
    cv2.setRNGSeed(number % 2**31)
    with torch.random.fork_rng(devices=[]) if torch else nullcontext():
        if torch:
            torch.manual_seed(number)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


seeded = Together(_seeded)
"""`with seeded(NUMBER)`: seeds the random generators of Python, NumPy, OpenCV and, if imported,
PyTorch. Afterwards the caller's generators continue where they were, except those of OpenCV and
GPUs. The generators belong to the process: if several threads run at once, the first one seeds
them, and a plugin that must be reproducible then needs a generator of its own."""
