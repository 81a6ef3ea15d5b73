"""What `asd batch` says while the jobs of a launcher work."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path


def while_jobs_work(words: Sequence[str]) -> AbstractContextManager[None]:
    """Tell of jobs and videos during a block, if these arguments of Hydra have a launcher wait.

    Args:
        words: The arguments, as for Hydra.
    """
    given = dict(word.split("=", 1) for word in words if not word.startswith("-") and "=" in word)
    several = {"-m", "--multirun"}.intersection(words)
    if not several or given.get("hydra/launcher", "basic") == "basic":
        return nullcontext()
    folder = _value(given.get("output", ""))
    if not folder:
        return nullcontext()
    from ..batch.waiting import told_of_jobs

    return told_of_jobs(Path(folder), partial(print, flush=True))


def _value(text: str) -> str | None:
    """The value of an override; None if it is no single one."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    if "${" in text:
        return None
    try:
        (found,) = OverridesParser.create().parse_overrides([f"output={text}"])
    except HydraException:
        return None
    return None if found.is_sweep_override() else str(found.value())
