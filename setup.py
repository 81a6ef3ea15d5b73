"""Has type checkers find an editable installation; all else about the package is in pyproject.toml.

The checkout is the package itself, whatever its folder is called, so `pip install -e .` has Python
find it by a finder, which runs code. Type checkers run none, but follow paths: so the installation
names a folder, too, in which a link with the name of the package leads to the checkout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command import editable_wheel

_NAME = "asdkit"
_ROOT = Path(__file__).parent.resolve()
_LINKS = _ROOT / "build" / "editable"


_BASE: Any = getattr(editable_wheel, "_TopLevelFinder", object)
"""A later setuptools may have none: then type checkers find nothing, but all else works."""


class _Finder(_BASE):  # type: ignore[misc]
    """Writes the files of the finder, which goes first, and the folder with the link after it."""

    def get_implementation(self) -> Iterator[tuple[str, bytes]]:
        """The files to put beside other packages: names, and contents."""
        finder, *_ = self.template_vars()
        for name, content in super().get_implementation():
            if name.endswith(".pth") and _linked():
                first = f"import sys; sys.meta_path.insert(0, {finder}._EditableFinder)"
                lines = [content.decode("ascii").strip(), first, str(_LINKS), ""]
                yield name, editable_wheel._encode_pth("\n".join(lines))
            else:
                yield name, content


def _linked() -> bool:
    """Make the link; False where the system does not let us."""
    link = _LINKS / _NAME
    with suppress(OSError):
        _LINKS.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(_ROOT, target_is_directory=True)
    return link.is_dir()


class _EditableWheel(editable_wheel.editable_wheel):
    """The command of setuptools that `pip install -e .` comes to."""

    def _select_strategy(self, name: str, tag: str, build_lib: Any) -> Any:
        chosen = super()._select_strategy(name, tag, build_lib)
        if type(chosen) is _BASE and hasattr(editable_wheel, "_encode_pth"):
            return _Finder(self.distribution, name)
        return chosen


if __name__ == "__main__":
    # By its name it is known as no part of the package.
    setup(cmdclass={"editable_wheel": _EditableWheel}, script_name="setup.py")
