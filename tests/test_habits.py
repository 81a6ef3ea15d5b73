"""What helps those who work on asdkit says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import asdkit

ROOT = Path(__file__).resolve().parents[1]


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == asdkit.__version__
    assert cited["license"] == "MIT"


def test_each_job_of_the_makefile_is_told_and_calls_what_is_there():
    text = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert re.findall(r"^(\w+):.*## ", text, re.MULTILINE) == phony.split()
    for path in re.findall(r"(?:docs|\.ci)/[\w.]+", text):
        assert (ROOT / path).exists(), path


def test_the_workflow_runs_ci_on_each_python_that_is_claimed():
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = flow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]
    assert job["steps"][-1]["run"] == ".ci/run"
    assert "Python 3.10 to 3.13" in (ROOT / "README.md").read_text()


def test_hooks_before_a_commit_call_what_ci_calls():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    called = [hook["entry"].partition(" --")[0] for hook in hooks]
    run = (ROOT / ".ci" / "run").read_text()
    assert called == ["ruff check", "ruff format", ".ci/types", "lint-imports"]
    assert all(entry in run for entry in called)
