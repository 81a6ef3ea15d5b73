"""Writes the whole result as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from ...core.results import json_lines

FILE = "result.json"


@dataclass(frozen=True)
class JsonConfig:
    """The `json` writer has no parameters."""


class JsonWriter:
    """Writes `result.json`, as specified by `core.results.schema`."""

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json_lines(result))
        return [path]


def build(config: JsonConfig, context: Context) -> JsonWriter:
    """Make the writer."""
    return JsonWriter()
