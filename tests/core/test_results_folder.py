"""Results appear together, or not at all; what killed runs leave is removed by the next one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from strangers import package

import asdkit
from asdkit.core.errors import AsdError, OutputError, PluginError
from asdkit.core.file_patterns import INCOMPLETE
from asdkit.core.files import remove_partial, whole, whole_folder
from asdkit.core.results_folder import taken

UNSURE = """
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import asdkit
from asdkit.core.component import Component
from asdkit.core.files import whole


@dataclass(frozen=True)
class Config:
    \"\"\"Parameters.

    Attributes:
        does: What it does in the middle of writing.
    \"\"\"

    does: str = "nothing"


class Writer:
    def __init__(self, does):
        self.does = does

    def write(self, result, folder):
        path = folder / "sub" / "unsure.txt"
        with whole(path) as aside:
            aside.write_text(str(result.settings["seed"]))
            if self.does == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.does == "raise":
                raise RuntimeError("broken")
            if self.does == "full":
                raise OSError(28, os.strerror(28))
            if self.does == "vanish":
                shutil.rmtree("out")
                folder.mkdir(parents=True)
            if self.does == "other":
                (folder / "other.txt").touch()
        if self.does == "other":
            return [folder / "sub", folder / "other.txt"]
        (folder / "more.txt").write_text("of which it does not tell")
        return [path]


def build(config, context):
    return Writer(config.does)


@asdkit.hookimpl
def asdkit_components():
    return [Component("writer", "unsure", Config, build, files=("sub/unsure.txt",))]
"""
WORDS = ["detector=boxes", "detector.path=boxes.json", "cutter=none", "scorer=lip_motion"]
WORDS += ["writers=[json,rttm,unsure,pywork]", "output=out"]
FILES = ["more.txt", "pywork/scores.pckl", "pywork/tracks.pckl", "result.json", "speakers.rttm"]
FILES += ["sub/unsure.txt"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with an installed plugin."""
    return package(tmp_path_factory.mktemp("site"), "unsure", UNSURE)


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch, site, found_in):
    """Runs in an empty folder, with the plugin there."""
    monkeypatch.chdir(tmp_path)
    found_in(site)
    Path("boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 25))


def files(folder="out"):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


def seeds():
    """The seed of the run that each of two files is of."""
    settings = json.loads(Path("out/result.json").read_text())["settings"]
    return settings["seed"], int(Path("out/sub/unsure.txt").read_text())


def gone():
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


def test_killed_while_writing_the_same_command_does_it(clip):
    words = [sys.executable, "-m", "asdkit", "run", str(clip), *WORDS, "writers.unsure.does=die"]
    killed = subprocess.run(words, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert "incomplete/new/result.json" in files()
    assert not Path("out/result.json").exists()
    asdkit.run(str(clip), WORDS)
    assert files() == FILES
    assert not Path("out", INCOMPLETE).exists()


def test_a_file_that_the_component_does_not_name_is_an_error(clip):
    says = r"^writer=unsure \(unsure 1.0\) has written other.txt, but .* files are sub/unsure.txt"
    with pytest.raises(PluginError, match=says):
        asdkit.run(str(clip), [*WORDS, "writers.unsure.does=other"])
    assert not Path("out").exists()
    result = asdkit.run(str(clip), [*WORDS, "writers=[]"])
    with pytest.raises(PluginError, match=says):
        result.write({"unsure": {"does": "other"}}, "out")
    assert not Path("out").exists()


class KillError(BaseException):
    """Stands for SIGKILL: nothing is put in order."""


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("again", [["seed=2"], ["seed=2", "overwrite=true"]])
def test_killed_while_files_are_put_in_place_the_next_run_can_tell(
    clip, monkeypatch, tmp_path, place, again
):
    asdkit.run(str(clip), [*WORDS, "seed=0"])
    with monkeypatch.context() as patched:
        moves = []
        real = {name: getattr(Path, name) for name in ("replace", "rename", "unlink")}

        def counted(name):
            def move(path, *args, **how):
                if path.is_relative_to("out") and "partial" not in path.name:
                    moves.append(name)
                    if len(moves) > place + 2:
                        raise KillError
                return real[name](path, *args, **how)

            return move

        for name in real:
            patched.setattr(Path, name, counted(name))
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KillError):
            asdkit.run(str(clip), [*WORDS, "seed=1", "overwrite=true"])
    both = all(Path("out", name).exists() for name in ("result.json", "sub/unsure.txt"))
    assert not both or seeds() in ((0, 0), (1, 1)), "never new results beside old ones"
    if both and not Path("out/incomplete/whole").exists():
        return  # those of before, untouched
    asdkit.run(str(clip), [*WORDS, *again])
    assert seeds() == (2, 2)
    assert files() == FILES


@pytest.mark.parametrize(
    ("does", "error", "told"),
    [
        ("raise", PluginError, r"writer=unsure \(unsure 1.0\) failed: RuntimeError: broken"),
        ("full", OutputError, "No space left on device"),
    ],
)
def test_what_cannot_be_written_leaves_the_results_of_before(clip, does, error, told):
    asdkit.run(str(clip), WORDS)
    words = [*WORDS, "seed=1", "overwrite=true", f"writers.unsure.does={does}"]
    with pytest.raises(error, match=told):
        asdkit.run(str(clip), words)
    assert seeds() == (0, 0)
    assert files() == FILES
    shutil.rmtree("out")
    with pytest.raises(error, match=told):
        asdkit.run(str(clip), [*WORDS, f"writers.unsure.does={does}"])
    assert not Path("out").exists()


def test_a_run_with_other_writers_leaves_no_old_results(clip):
    asdkit.run(str(clip), WORDS)
    result = asdkit.run(str(clip), [*WORDS, "writers=[rttm]", "overwrite=true"])
    assert result.files == (Path("out/speakers.rttm"),)
    assert result.folder == Path("out")
    assert files() == ["more.txt", "speakers.rttm"], "only what writers tell of is theirs"


def test_a_folder_that_vanishes_is_told_of(clip):
    with pytest.raises(
        OutputError, match=r"Cannot write out/incomplete/new/sub/unsure.txt: No such file"
    ):
        asdkit.run(str(clip), [*WORDS, "writers.unsure.does=vanish"])

    def remove(stage, done, total):
        if done == 10:
            shutil.rmtree("out")

    shutil.rmtree("out", ignore_errors=True)
    asdkit.run(str(clip), WORDS, remove)  # the results are too dear to be lost for this
    assert files() == FILES


def test_left_overs_of_processes_that_are_gone_are_removed(clip):
    Path("out/pywork").mkdir(parents=True)
    old = [f".annotated.{gone()}.partial.mp4", f".result.{gone()}.partial.json"]
    mine = [".annotated.mp4", ".a.partial.mp4", "a.99.partial.mp4", ".x.1e9.partial.y"]
    others = [f".annotated.{os.getppid()}.partial.mp4", f".x.{gone()}-00000000.partial.mp4"]
    for name in (*old, *mine, *others):
        Path("out", name).touch()
    asdkit.run(str(clip), WORDS)
    assert files() == sorted([*FILES, *mine, *others])
    remove_partial(Path("none"))


def test_names_that_stand_in_the_way_are_refused_before_the_work(clip):
    for name, told in (
        ("out/result.json", "out/result.json is a folder, where a file is to be made"),
        ("out/pywork/scores.pckl", "out/pywork/scores.pckl is a folder, where a file"),
    ):
        Path(name).mkdir(parents=True)
        with pytest.raises(OutputError, match=told):
            asdkit.run(str(clip), [*WORDS, "overwrite=true"])
        assert Path(name).is_dir()
        shutil.rmtree("out")
    Path("out").mkdir()
    Path("out/pywork").touch()
    with pytest.raises(OutputError, match="out/pywork is a file, where a folder is to be made"):
        asdkit.run(str(clip), WORDS)
    Path("out/pywork").unlink()
    Path("out", INCOMPLETE).touch()
    with pytest.raises(OutputError, match="Cannot write to out"):
        asdkit.run(str(clip), WORDS)
    assert files() == [INCOMPLETE]


@pytest.mark.parametrize(
    "name", ["a" * 300, "x/" + "a" * 300, "'a\0b'", "boxes.json", "boxes.json/x"]
)
def test_names_that_no_folder_can_have_are_refused(clip, name):
    before = sorted(Path().rglob("*"))
    with pytest.raises(AsdError) as refused:
        asdkit.run(str(clip), [*WORDS, f"output={name}"])
    assert "Traceback" not in str(refused.value)
    assert sorted(Path().rglob("*")) == before


def test_a_folder_made_anew_in_the_place_of_another_is_noticed():
    with pytest.raises(OutputError, match="removed meanwhile"), whole_folder(Path("x", "a")) as new:
        shutil.rmtree(new)
        new.mkdir()
    assert not Path("x").exists()


def test_a_file_is_whole_or_not_there():
    Path("x").mkdir()
    path = Path("x", "a.txt")
    path.write_text("before")
    with pytest.raises(RuntimeError), whole(path) as aside:
        aside.write_text("half")
        assert aside.name.startswith(f".a.{os.getpid()}-")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(Path("x").iterdir()) == [path]


def test_threads_do_not_share_a_partial_file_nor_remove_each_others():
    Path("x").mkdir()
    left = Path("x", f".a.{os.getpid()}.partial.txt")  # of a process that had our number
    left.touch()
    path = Path("x", "a.txt")
    with whole(path) as one, whole(path) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
        remove_partial(Path("x"))
        assert sorted(Path("x").iterdir()) == sorted([one, other])
    assert path.read_text() == "one"
    assert list(Path("x").iterdir()) == [path]


def test_a_folder_is_for_one_run_at_a_time():
    with taken(Path("x"), [], [], overwrite=False):  # noqa: SIM117
        with (
            pytest.raises(OutputError, match="Another asd run is at work"),
            taken(Path("x"), [], [], overwrite=True),
        ):
            pass
    assert not Path("x").exists()
