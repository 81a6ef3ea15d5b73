"""The picture in docs/architecture.md is that of the imports."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

grimp = pytest.importorskip("grimp")
DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def drawing():
    spec = spec_from_file_location("drawing", DOCS / "drawing.py")
    module = module_from_spec(spec)
    sys.modules["drawing"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["drawing"]


def test_the_page_shows_the_imports(drawing):
    page = drawing.PAGE.read_text(encoding="utf-8")
    assert page == drawing.drawn_page(), "python docs/drawing.py --write"


def test_every_wing_says_what_lives_there_and_stands_in_the_page(drawing):
    page = drawing.PAGE.read_text(encoding="utf-8")
    for wing in (DOCS.parent / "core").glob("*/__init__.py"):
        assert wing.read_text().startswith('"""'), wing
        assert f"      {wing.parent.name}/" in page, wing


def test_a_circle_is_refused(drawing):
    with pytest.raises(ValueError, match="circle"):
        drawing.floors({"a": {"b"}, "b": {"a"}})
    assert drawing.floors({"a": {"b"}, "b": set(), "c": set()}) == [["b", "c"], ["a"]]
