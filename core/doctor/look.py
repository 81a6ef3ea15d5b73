"""Looks at everything, and sorts what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from .finding import Finding

SCHEMA = "asdkit.doctor/1"


def findings(*, measure: bool) -> Iterator[Finding]:
    """Everything there is to find, part by part; nothing is downloaded, no server is asked.

    Args:
        measure: Whether to measure speed, too, which takes the longest.
    """
    from .packages import extras, packages, plugins, system

    needed = []
    for part in (system, packages):
        for finding in part():
            needed.append(finding)
            yield finding
    yield from extras()
    yield from plugins()
    if broken(needed):
        return  # all that follows would fail for the same reason
    from .machine import codecs, folders, gpus, weights

    for part in (weights, gpus, codecs, folders):
        yield from part()
    if measure:
        from .speed import speed

        yield from speed()


def broken(found: Iterable[Finding]) -> list[Finding]:
    """Those that are needed and do not work."""
    return [one for one in found if one.state == "broken"]


def to_do(found: Iterable[Finding]) -> list[str]:
    """What to do, most important first: what is broken, then what is lacking; each once."""
    listed = list(found)
    ordered = [*broken(listed), *(one for one in listed if one.state == "lacking")]
    fetch = "asd weights fetch "
    names = [one.remedy.removeprefix(fetch) for one in ordered if one.remedy.startswith(fetch)]
    lines: dict[str, None] = {}
    for one in ordered:
        if one.remedy.startswith(fetch):
            lines[fetch + " ".join(names)] = None
        elif one.remedy:
            lines[one.remedy] = None
    return list(lines)


def plain(found: Iterable[Finding]) -> dict[str, Any]:
    """What was found, as plain values for JSON."""
    listed = list(found)
    return {
        "schema": SCHEMA,
        "works": not broken(listed),
        "findings": [asdict(one) for one in listed],
        "to_do": to_do(listed),
    }
