"""Puts a page together: one file that holds its style, its script and its data."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from typing import Any

STYLES = ("style.css", "timeline.css")
SCRIPTS = (
    *("tools.js", "tracks.js", "names.js", "player.js", "stage.js", "scale.js", "painting.js"),
    *("lanes.js", "heads.js", "turns.js", "filters.js", "keys.js", "theme.js", "main.js"),
)
"""The parts of the script, in the order in which they stand in the page."""
_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page(title: str, data: Any) -> str:
    """The page as HTML.

    Its Content-Security-Policy lets nothing run but its own script, and nothing be loaded but
    pictures within it and videos from the file system or, if it comes from a server, from there.

    Args:
        title: Its heading.
        data: All that it shows, as plain values; no string in it is taken for HTML.
    """
    style = "".join(_part(name) for name in STYLES)
    script = f'(() => {{\n"use strict";\n{"".join(map(_part, SCRIPTS))}}})();\n'
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"media-src file: 'self'; script-src {_digest(script)}; style-src {_digest(style)}"
    )
    parts = {
        "policy": html.escape(policy),
        "title": html.escape(title),
        "style": style,
        "script": script,
        "data": in_script(data),
    }
    return _PLACE.sub(lambda place: parts[place[1]], _part("page.html"))


def in_script(data: Any) -> str:
    """Plain values as JSON that can stand in an element `script`, whatever strings they hold."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).translate(_UNSAFE)


def _part(name: str) -> str:
    """A file of the folder `page`; its lines end alike on all systems."""
    text = files(__package__).joinpath("page").joinpath(name).read_text("utf-8")
    return text.replace("\r\n", "\n")


def _digest(text: str) -> str:
    """A source of a Content-Security-Policy that allows just this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
