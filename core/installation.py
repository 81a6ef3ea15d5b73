"""How this installation of asdkit gets more packages, in words that can be typed."""

from __future__ import annotations

import json
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname


def install_words(extra: str) -> str:
    """The command that installs an extra into this installation.

    asdkit that was installed from a folder, as from a checkout, is on no package index: then the
    command names that folder, as pip has recorded it (PEP 610).

    Args:
        extra: An extra of asdkit, or several with commas between them.

    Returns:
        Such as `python -m pip install -e "/home/me/asdkit[cpu]"`, or, where asdkit came from an
        index, `pip install "asdkit[cpu]"`.
    """
    folder, editable = _source()
    if not folder:
        return f'pip install "asdkit[{extra}]"'
    return f'python -m pip install {"-e " if editable else ""}"{folder}[{extra}]"'


@cache
def _source() -> tuple[str, bool]:
    """The folder that asdkit was installed from, empty if it is not here; whether as editable."""
    try:
        recorded = distribution("asdkit").read_text("direct_url.json")
        record = json.loads(recorded) if recorded else {}
        address, about = urlsplit(record["url"]), record["dir_info"]
        folder = url2pathname(unquote(address.path)) if address.scheme == "file" else ""
        return (folder if os.path.isdir(folder) else ""), bool(about.get("editable"))  # noqa: PTH112
    except (PackageNotFoundError, KeyError, ValueError, TypeError, AttributeError):
        return "", False
