"""The kinds of which `asd plugins new` writes a component."""

from __future__ import annotations

NEW_KINDS = (
    "detector",
    "scorer",
    "writer",
    "tracker",
    "cutter",
    "embedder",
    "vad",
    "context",
    "dataset",
)
"""The kinds of which a plugin of one component can be written."""


def with_article(kind: str) -> str:
    """A kind of component with its article, such as "an embedder"."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
