"""Validates values read from a file against a JSON Schema.

Implements the part of JSON Schema that `result.schema.json` uses, so that asdkit needs no validator
package; tests compare it with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_SHOWN = 40


def misfit(value: Any, schema: Schema) -> str | None:
    """Describe the first violation of a schema; None if the values are valid.

    Args:
        value: The values, as parsed from JSON.
        schema: A JSON Schema that uses only type, const, properties, required,
            additionalProperties, items, prefixItems, minItems, maxItems, minimum, maximum,
            exclusiveMinimum, minLength, pattern, anyOf, and $ref to its own $defs.
    """
    return next(_misfits(value, schema, schema, ""), None)


def _misfits(value: Any, schema: Schema, root: Schema, at: str) -> Iterator[str]:
    if reference := schema.get("$ref"):
        yield from _misfits(value, root["$defs"][reference.rpartition("/")[2]], root, at)
    if "anyOf" in schema and all(any(_misfits(value, s, root, at)) for s in schema["anyOf"]):
        yield from _misfits(value, schema["anyOf"][0], root, at)
    if "const" in schema and value != schema["const"]:
        yield f"{at or 'it'} is {_shown(value)}, not {_shown(schema['const'])}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{at or 'it'} is {_shown(value)}, which is no {' or '.join(kinds)}"
        return
    if isinstance(value, dict):
        yield from _in_object(value, schema, root, at)
    elif isinstance(value, list):
        yield from _in_array(value, schema, root, at)
    elif isinstance(value, str):
        if len(value) < schema.get("minLength", 0) or not re.search(
            schema.get("pattern", ""), value
        ):
            yield f"{at} is {_shown(value)}, which it cannot be"
    elif isinstance(value, (int, float)) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
    ):
        yield f"{at} is {_shown(value)}, which is out of range"


def _in_object(value: Mapping[str, Any], schema: Schema, root: Schema, at: str) -> Iterator[str]:
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{_key(at, key)} is missing"
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for key, item in value.items():
        if key in known:
            yield from _misfits(item, known[key], root, _key(at, key))
        elif others is False:
            yield f"there is no {_key(at, key)}"
        else:
            yield from _misfits(item, others, root, _key(at, key))


def _in_array(value: list[Any], schema: Schema, root: Schema, at: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{at} has {len(value)} items"
    first = schema.get("prefixItems", [])
    rest = schema.get("items", {})
    if rest is False and len(value) > len(first):
        yield f"{at} has {len(value)} items"
        return
    if not first and _are_numbers(value, rest):
        return
    for number, item in enumerate(value):
        part = first[number] if number < len(first) else rest
        if part:
            yield from _misfits(item, part, root, f"{at}[{number}]")


def _are_numbers(values: list[Any], schema: Schema) -> bool:
    """Whether all are numbers that fit, quickly, as results hold millions; False if in doubt."""
    if schema.get("type") != "number" or not schema.keys() <= {"type", "minimum", "maximum"}:
        return False
    if not values or any(type(value) not in (int, float) for value in values):
        return False
    least, most = min(values), max(values)
    return bool(schema.get("minimum", least) <= least and most <= schema.get("maximum", most))


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _KINDS[kind])


def _key(at: str, key: str) -> str:
    return f"{at}.{key[:_SHOWN]}" if at else key[:_SHOWN]


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "an array"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
