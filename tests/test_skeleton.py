"""`asd plugins new`: what it writes is installed, listed, chosen, and passes its own tests."""

from __future__ import annotations

import re
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from checkout import DOCS, ROOT
from strangers import asd, install, run_module
from synth import clicks, steady, write_video

from asdkit.core.cli import main as cli
from asdkit.core.cli import skeleton
from asdkit.core.registry import Provider, registry

PAGE = DOCS / "plugins.md"
NOT_SOURCE = re.compile(r"__pycache__|\.egg-info|^build/|(^|/)\.")


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Runs in an empty folder."""
    monkeypatch.chdir(tmp_path)


def tree(folder: Path) -> dict[str, str]:
    return {
        name: path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not NOT_SOURCE.search(name := path.relative_to(folder).as_posix())
    }


def test_a_new_plugin_is_installed_listed_and_run(tmp_path, tmp_path_factory, capsys):
    cli.main(["plugins", "new", "My_Faces"])
    assert "each called my_faces" in capsys.readouterr().out
    site = install(tmp_path / "asdkit-my-faces", tmp_path_factory.mktemp("installed"))
    own = run_module("pytest", "-q", "asdkit-my-faces", site=site, cwd=tmp_path)
    assert own.returncode == 0, own.stdout
    assert re.search(r"\d passed", own.stdout)

    listed = asd("plugins", site=site)
    rows = [line.split() for line in listed.stdout.splitlines()]
    for kind in ("detector", "scorer", "writer"):
        assert [kind, "my_faces", "asdkit-my-faces", "0.1.0"] in [row[:4] for row in rows]
    assert "failed" not in listed.stdout

    write_video(tmp_path / "clip.mp4", image=steady, sounds=[(0.0, clicks([0.5, 1.0], 2.0))])
    chosen = ["detector=my_faces", "detector.face_ratio=0.8", "scorer=my_faces"]
    done = asd(
        "run", "clip.mp4", *chosen, "writers=[my_faces]", "output=out", site=site, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "1 face track" in done.stdout
    assert (tmp_path / "out" / "my_faces.csv").read_text().startswith("track,start_s,end_s")


@pytest.mark.parametrize("name", ["a", "smile", "my-talking-faces-of-my-own"])
def test_what_is_written_is_in_the_style_that_ruff_has_unasked(tmp_path, name):
    """Whatever settings stand around it, and however long its name is."""
    pytest.importorskip("ruff")
    folder, _ = skeleton.write_skeleton(name)
    for words in (["check", "--select", "I,E,F,W,UP,B"], ["format", "--check", "--diff"]):
        for own in ([], ["--isolated"]):
            done = run_module("ruff", *words, *own, ".", site=tmp_path, cwd=folder)
            assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_what_is_written_is_typed_strictly(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / "asdkit").symlink_to(ROOT)
    folder, part = skeleton.write_skeleton("smile")
    done = run_module(
        *("mypy", "--strict", "--follow-imports=silent"),
        *("--cache-dir", str(ROOT / ".mypy_cache"), f"asdkit_{part}", "tests"),
        site=tmp_path / "view",
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout


def test_the_example_is_what_the_command_writes():
    """The names of the files too: one left out of the list would be missing from what is made."""
    folder, _ = skeleton.write_skeleton("centre")
    assert tree(folder) == tree(skeleton.EXAMPLE)


def test_the_wheel_carries_the_example():
    if sys.version_info < (3, 11):
        pytest.skip("needs tomllib, from Python 3.11 on")
    import tomllib

    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = setuptools["package-data"]["asdkit"]
    for file in skeleton.FILES:
        path = f"examples/plugin/{file}"
        # A star of fnmatch matches slashes, one of setuptools does not.
        assert any(
            fnmatch(path, pattern) and path.count("/") == pattern.count("/") for pattern in patterns
        ), path


@pytest.mark.parametrize(
    ("name", "folder", "part"),
    [
        ("smile", "asdkit-smile", "smile"),
        ("Smile", "asdkit-smile", "smile"),
        ("my-faces", "asdkit-my-faces", "my_faces"),
        ("my__Faces2", "asdkit-my-faces2", "my_faces2"),
        ("asdkit-smile", "asdkit-smile", "smile"),
        ("my-centre", "asdkit-my-centre", "my_centre"),
        ("class", "asdkit-class", "class"),
    ],
)
def test_names(name, folder, part):
    assert skeleton.write_skeleton(name) == (Path(folder), part)
    module = f"asdkit_{part}"
    texts = tree(Path(folder))
    assert f'name = "{folder}"' in texts["pyproject.toml"]
    assert f'{part} = "{module}"' in texts["pyproject.toml"]
    assert f'kind="detector",\n            name="{part}"' in texts[f"{module}/__init__.py"]
    assert f"override /scorer: {part}\n" in texts[f"{module}/conf/experiment/{part}.yaml"]
    for file in (file for file in texts if file.endswith(".py")):
        compile(texts[file], file, "exec")
    if "centre" not in part:
        assert "centre" not in " ".join([*texts, *texts.values()])


@pytest.mark.parametrize(
    "name",
    [
        "-",
        "-x",
        "x-",
        "1st",
        "a b",
        "a/b",
        "..",
        "a.b",
        "лицо",
        "null",
        "True",
        "nan",
        "on",
        "No",
    ],
)
def test_names_that_will_not_do(refused, name):
    assert "letters, digits and hyphens" in refused("plugins", "new", "--", name)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("mtcnn", "asdkit has detector=mtcnn"),
        ("talknet-onnx", "asdkit has scorer=talknet_onnx"),
        ("offline", "asdkit has experiment=offline"),
    ],
)
def test_names_that_are_taken(refused, name, taken):
    assert taken in refused("plugins", "new", name)


def test_names_that_a_stranger_has_taken(refused, monkeypatch):
    monkeypatch.setitem(registry().providers, ("tracker", "smile"), Provider("acme", "1"))
    assert "acme has tracker=smile" in refused("plugins", "new", "smile")


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_nothing_is_written_over(refused, there):
    path = Path("asdkit-smile")
    if there == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("kept")
    elif there == "file":
        path.write_text("kept")
    else:
        path.symlink_to("nowhere")
    assert "asdkit-smile is there already" in refused("plugins", "new", "smile")


def test_half_a_plugin_is_never_left(refused, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    line = refused("plugins", "new", "smile")
    assert "No space left on device" in line
    assert "folder that you may write to" in line


@pytest.mark.parametrize("words", [["now"], ["new"], ["new", "a", "b"]])
def test_wrong_words_are_answered_with_the_right_ones(refused, words):
    assert "asd plugins new NAME" in refused("plugins", *words)


def test_the_page_shows_the_example_and_the_commands(capsys):
    """Its code stands in the example, under the name the page uses."""
    cli.main(["plugins", "new", "smile"])
    page = PAGE.read_text("utf-8")
    commands = [line.strip() for line in capsys.readouterr().out.splitlines()[1:]]
    assert len(commands) == 3
    for command in commands:
        assert command in page
    texts = tree(Path("asdkit-smile"))
    blocks = re.findall(r"```(?:python|yaml|toml)\n(.*?)```", page, re.DOTALL)
    # Of another kind, and of a single file.
    others = "SmileEmbedder|LoudConfig|LipsConfig"
    shown = [block for block in blocks if not re.search(others, block)]
    assert len(shown) == len(blocks) - 3 >= 3
    for block in shown:
        assert any(block in text for text in texts.values()), block
