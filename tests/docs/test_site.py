"""The site: it is built without a warning, is whole, and fetches nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from checkout import DOCS, ROOT


@pytest.mark.slow
def test_the_site_is_built_strictly_and_needs_no_other(tmp_path):
    pytest.importorskip("material", reason="needs asdkit[docs]")
    pytest.importorskip("mkdocstrings", reason="needs asdkit[docs]")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.html")]
    assert len(pages) > 25
    loaded = re.compile(
        r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(https?:[^\"' >]+)"
    )
    assert [found for page in pages for found in loaded.findall(page)] == []
    api = (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
    assert "Find out who speaks when in a video" in api


@pytest.mark.usefixtures("own_alone")
def test_the_components_are_those_of_the_program():
    spec = spec_from_file_location("components_page", DOCS / "components.py")
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (DOCS / "components.md").read_text(encoding="utf-8") == made.page()
