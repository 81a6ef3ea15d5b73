"""`asd plugins new NAME kind=KIND`: one component alone, which works and passes its own tests."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from checkout import ROOT
from strangers import asd as asd_at
from strangers import install, run_module
from test_skeleton import tree

from asdkit.core.cli import skeleton
from asdkit.core.cli.new_kinds import NEW_KINDS
from asdkit.core.component import KINDS
from asdkit.core.component_checks import LONGEST_ABOUT


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Runs in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", NEW_KINDS)
def test_it_is_installed_listed_and_passes_its_own_tests(asd, tmp_path, tmp_path_factory, kind):
    code, out, err = asd("plugins", "new", "my-part", f"kind={kind}")
    assert code == 0, err
    assert out.startswith(f"asdkit-my-part holds a{'n' if kind == 'embedder' else ''} {kind} ")
    site = install(tmp_path / "asdkit-my-part", tmp_path_factory.mktemp("installed"))
    own = run_module("pytest", "-q", "asdkit-my-part", site=site, cwd=tmp_path)
    assert own.returncode == 0, own.stdout + own.stderr
    assert re.search(r"\d passed", own.stdout)
    listed = asd_at("plugins", site=site)
    rows = [line.split()[:4] for line in listed.stdout.splitlines()]
    assert [row for row in rows if "my_part" in row] == [
        [kind, "my_part", "asdkit-my-part", "0.1.0"]
    ]
    assert "failed" not in listed.stdout


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_it_holds_this_kind_alone_in_the_usual_style(tmp_path, kind):
    folder, part = skeleton.write_skeleton("my-part", kind)
    texts = tree(folder)
    module = f"asdkit_{part}"
    assert set(texts) == {
        *("README.md", "pyproject.toml", f"{module}/__init__.py"),
        *(f"{module}/{kind}.py", f"tests/test_{part}.py"),
    }
    assert "centre" not in " ".join([*texts, *texts.values()])
    assert f'kind="{kind}",\n            name="my_part"' in texts[f"{module}/__init__.py"]
    about = re.search('about="(.*)"', texts[f"{module}/__init__.py"])
    assert about
    an = "an" if kind == "embedder" else "a"
    assert f"writes it: {an} {kind}, small" in texts["README.md"]
    assert f'description = "{an.capitalize()} {kind} for asdkit."' in texts["pyproject.toml"]
    assert len(about[1]) <= LONGEST_ABOUT
    assert f'asdkit.load("{kind}", "my_part"' in texts[f"tests/test_{part}.py"]
    pytest.importorskip("ruff")
    for words in (["check", "--select", "I,E,F,W,UP,B"], ["format", "--check", "--diff"]):
        done = run_module("ruff", *words, "--isolated", ".", site=tmp_path, cwd=folder)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_all_kinds_are_typed_strictly(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / "asdkit").symlink_to(ROOT)
    modules = []
    for kind in NEW_KINDS:
        folder, part = skeleton.write_skeleton(f"my-{kind}", kind)
        (tmp_path / "view" / f"asdkit_{part}").symlink_to(folder.absolute() / f"asdkit_{part}")
        modules += ["-p", f"asdkit_{part}"]
    done = run_module(
        *("mypy", "--strict", "--follow-imports=silent"),
        *("--cache-dir", str(ROOT / ".mypy_cache"), *modules),
        site=tmp_path / "view",
        cwd=tmp_path / "view",
    )
    assert done.returncode == 0, done.stdout


def test_every_kind_can_be_written_but_voices():
    assert set(KINDS) - set(NEW_KINDS) == {"voice"}


def test_the_wheel_carries_the_parts():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    patterns = re.findall(r'"(examples/parts/[^"]*)"', text)
    for file in skeleton.PARTS.rglob("*.py"):
        path = file.relative_to(ROOT).as_posix()
        assert any(fnmatch(path, one) and path.count("/") == one.count("/") for one in patterns), (
            path
        )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["new", "x", "kind=trakcer"], "kind=trakcer cannot be written; there are detector, "),
        (["new", "x", "kind=trakcer"], "Did you mean tracker?"),
        (["new", "x", "kind=voice"], "kind=voice cannot be written"),
        (["kind=vad"], "takes kind together with new alone"),
        (["new", "x", "--kind", "vad"], "--kind vad is written kind=vad"),
        (["new", "kind=vad"], "new takes one name"),
    ],
)
def test_wrong_kinds_are_answered(refused, words, says):
    assert says in refused("plugins", *words)
    assert not list(Path().iterdir())
