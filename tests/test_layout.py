"""The checkout and the package it is are the same thing."""

from __future__ import annotations

import re
import sys
from collections import Counter

import pytest
from checkout import ROOT

NOT_PACKAGED = {"benchmarks", "build", "docs", "examples", "tests"}


def pyproject():
    if sys.version_info < (3, 11):
        pytest.skip("needs tomllib, from Python 3.11 on")
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_list_of_packages_is_that_of_the_folders():
    folders = {
        ".".join(("asdkit", *path.parent.relative_to(ROOT).parts))
        for path in ROOT.rglob("__init__.py")
        if not NOT_PACKAGED & set(path.relative_to(ROOT).parts)
        and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    }
    assert set(pyproject()["tool"]["setuptools"]["packages"]) == folders


def test_no_two_modules_of_the_tests_have_one_name():
    """pytest imports each by its bare name."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_no_folder_hides_a_standard_module():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert not folders & sys.stdlib_module_names


def test_the_package_imports_itself_relatively():
    bare = re.compile(
        r"^\s*(?:from|import) (?:core|plugins|conf|export|training|asdkit)\b", re.MULTILINE
    )
    for folder in ("core", "plugins", "conf", "export", "training"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not bare.search(path.read_text()), path


def test_the_readme_has_its_two_lines():
    lines = [line.strip() for line in (ROOT / "README.md").read_text().splitlines()]
    assert 'python -m pip install -e ".[all]" && asd demo' in lines
    assert 'python -m pip install -e ".[test]" && pytest' in lines


def test_links_of_the_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
        assert "@@" not in page.read_text(), page.name  # a place kept for a figure


def test_nothing_heavy_lies_here():
    """No weights, clips or pictures; the figures tests compare with are small."""
    allowed = {".py", ".md", ".toml", ".yaml", ".json", ".npz", ".txt", ".typed", ""}
    allowed |= {".html", ".css", ".js"}  # the pages of the writer report and of asd live
    shots = (ROOT / "docs").glob("*-*.png")
    drawn = {path for path in shots if path.name.startswith(("report-", "live-"))}
    for folder in (
        "core",
        "plugins",
        "conf",
        "export",
        "training",
        "tests",
        "docs",
        "benchmarks",
        "examples",
    ):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not re.search(
                r"__pycache__|\.egg-info|/\.ruff_cache/", str(path)
            ):
                assert path.suffix in allowed or path in drawn, path
                assert path.stat().st_size < 500_000, path
