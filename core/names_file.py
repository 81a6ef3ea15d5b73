"""Reads the names of people from a file, as report.html saves it."""

from __future__ import annotations

from pathlib import Path

from .errors import InputError
from .forms import misfit
from .named_files import read_json

SCHEMA = "asdkit.names/1"
_FORM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "names"],
    "properties": {
        "schema": {"const": SCHEMA},
        "names": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
    },
}


def read_names(path: Path) -> dict[str, str]:
    """By name that a result has, such as "track_0", "person_1" or that of a voice: the new name.

    Args:
        path: A JSON file: `{"schema": "asdkit.names/1", "names": {"track_0": "Anna"}}`.

    Raises:
        InputError: The file cannot be read, or does not have this form.
    """
    hint = f'It should be: {{"schema": "{SCHEMA}", "names": {{"track_0": "Anna"}}}}'
    values = read_json(path, "a file of names", hint)
    if wrong := misfit(values, _FORM):
        raise InputError(f"{path} is not a file of names: {wrong}", hint)
    return dict(values["names"])
