"""Writes the whole result as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core import results
from ...core.component import Context
from ...core.result import Result

FILE = results.FILE


@dataclass(frozen=True)
class JsonConfig:
    """The `json` writer has no parameters."""


class JsonWriter:
    """Writes `result.json`, as specified by `core.results.schema`."""

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        results.save(result, path)
        return [path]


def build(config: JsonConfig, context: Context) -> JsonWriter:
    """Make the writer."""
    return JsonWriter()
