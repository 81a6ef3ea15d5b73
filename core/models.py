"""The components of a plan, built for one video or for many, and what they were made of."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any

import numpy as np

from .analysis.one_pass import Parts
from .analysis.people import read_people
from .component import RUN_KINDS, Context
from .config.plan import AnalysisPlan
from .errors import DeviceError
from .files import expanded
from .provenance import WeightsFile
from .registry import registry
from .shared_state import Together
from .types import Float32
from .weights import noting

_LASTING = ("detector", "scorer", "embedder")
"""Kinds that keep nothing of a video: one serves any number. The others are made anew for each."""


class Models:
    """The components of a plan, each built when first asked for.

    Args:
        plan: Says which, with which parameters. Its video does not matter: detector, scorer and
            embedder are loaded once for any number of videos.

    Attributes:
        weights: The files that each kind of component has read, of those built so far.
        devices: What each component that can choose has taken.
        context: What components are built for.
    """

    def __init__(self, plan: AnalysisPlan) -> None:
        self.weights: dict[str, tuple[WeightsFile, ...]] = {}
        self.devices: dict[str, str] = {}
        self._plan = plan
        self._lasting: dict[str, Any] = {}
        options = plan.options
        self.context = Context(options.device, options.threads, options.detect_every)

    def part(self, kind: str) -> Any:
        """The component of a kind; the same one again if it keeps nothing of a video.

        Raises:
            AsdError: It cannot be built.
        """
        if kind in self._lasting:
            return self._lasting[kind]
        chosen = self._plan.chosen[kind]
        with noting() as files:
            part = chosen.build(self.context)
        if kind not in self.weights:
            self.weights[kind] = tuple(WeightsFile.at(path) for path in files if path.is_file())
        if hasattr(part, "device"):
            self.devices[kind] = part.device
        if kind in _LASTING:
            self._lasting[kind] = part
        return part

    def parts(self, instead: Mapping[str, Any] | None = None) -> Parts:
        """A component of each kind, for one video.

        Args:
            instead: Others to take in the place of the plan's, by kind.

        Raises:
            AsdError: One cannot be built, or none can use the device that was asked for.
        """
        own = {kind: self.part(kind) for kind in RUN_KINDS if kind not in (instead or {})}
        if not instead:
            self.check_device({})
        names = {kind: self._in_words(kind) for kind in RUN_KINDS}
        return Parts(**{**own, **(instead or {})}, names=names)

    def _in_words(self, kind: str) -> str:
        """A component as it was chosen, with the package it comes from."""
        component = self._plan.chosen[kind].component
        words = f"{kind}={component.name}"
        # One that was made by hand, in Python, comes from no package.
        provider = registry().providers.get((kind, component.name))
        return f"{words} ({provider.name} {provider.version})" if provider else words

    def check_device(self, others: Mapping[str, str]) -> None:
        """Refuse to go on where CUDA was asked for and nothing has taken it.

        Args:
            others: Devices that components took which are not among those built here, by kind.

        Raises:
            DeviceError: None has.
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
        return read_people(expanded(folder), self.part("detector"), self.part("embedder"))


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
"""`with seeded(NUMBER)`: begins the random numbers of Python, NumPy, OpenCV and, where it is in
use, PyTorch. Afterwards those of the caller go on where they were, but for those of OpenCV and of
GPUs. They are the process's: of runs in several threads at once the first to begin seeds them, and
a plugin that is to draw the same again then needs a generator of its own."""
