"""`plugins=[my.py]`: components of a single file, here and in the processes that are started."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from checkout import DOCS
from synth import clicks, steady, write_video

import asdkit
from asdkit.core.config.compose import RUN, compose_app
from asdkit.core.errors import ConfigError, PluginError
from asdkit.core.evaluation import repeat
from asdkit.core.plugin_files import load_plugin_files
from asdkit.core.registry import registry

RUN_WORDS = ["detector=boxes", "detector.path=boxes.json", "cutter=none", "plugins=[my.py]"]
RUN_WORDS += ["scorer=loud", "writers=[json]"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a clip, boxes, and the example of the page as my.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "plugins.md").read_text("utf-8"), re.DOTALL)
    (code,) = (block for block in blocks if "LoudConfig" in block)
    Path("my.py").write_text(code)
    sounds = [(0.0, clicks([0.2, 0.3], 1.2))]
    write_video(Path("clip.mp4"), frames=30, size=(64, 48), image=steady, sounds=sounds)
    Path("boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 30))
    yield
    registry.cache_clear()


@pytest.fixture
def progress():
    return ("asd: loading", "asd: finding speakers", "asd: scoring")


def result(folder="out"):
    return json.loads(Path(folder, "result.json").read_text())


def test_the_example_of_the_page_runs_and_is_recorded(asd):
    code, _, err = asd("run", "clip.mp4", *RUN_WORDS, "output=out", "scorer.threshold_db=-30")
    assert code == 0, err
    digest = hashlib.sha256(Path("my.py").read_bytes()).hexdigest()
    provenance = result()["provenance"]
    assert provenance["plugin_files"] == [{"path": str(Path("my.py").resolve()), "sha256": digest}]
    assert provenance["versions"]["my.py"] == digest[:12]
    assert result()["settings"]["scorer"]["threshold_db"] == -30
    assert result()["tracks"][0]["scores"]


def test_without_the_option_nothing_is_recorded(asd):
    words = [word for word in RUN_WORDS if not word.startswith(("plugins", "scorer"))]
    assert asd("run", "clip.mp4", *words, "scorer=lip_motion", "output=out")[0] == 0
    assert "plugin_files" not in result()["provenance"]
    assert result()["settings"]["plugins"] is None


def test_help_tells_of_it(asd):
    code, out, _ = asd("run", "plugins=[my.py]", "scorer=loud", "--help")
    assert code == 0
    assert "scorer.threshold_db=-40.0" in out
    assert "who is seen speaks whenever it is loud" in out


def test_from_python():
    found = asdkit.run("clip.mp4", RUN_WORDS, writers=[])
    assert len(found.tracks) == 1
    assert asdkit.load("scorer", "loud", threshold_db=-20)


@pytest.mark.slow
def test_workers_of_a_batch_know_it(asd):
    code, out, err = asd("batch", "clip.mp4", *RUN_WORDS, "output=batch")
    assert code == 0, out + err
    assert result("batch/clip")["settings"]["scorer"]["name"] == "loud"


@pytest.mark.slow
def test_processes_of_a_sweep_of_evaluations_know_it(asd):
    Path("clip.rttm").write_text("SPEAKER clip 1 0.1 0.2 <NA> <NA> a <NA> <NA>\n")
    words = [word for word in RUN_WORDS if not word.startswith("writers")]
    code, out, err = asd(
        *("evaluate", "dataset=rttm", "dataset.videos=clip.mp4", "dataset.rttm=clip.rttm"),
        *(*words, "scorer.threshold_db=-40,-30", "-m", "plots=false", "foreign_sound=false"),
        "output=sweep",
    )
    assert code == 0, out + err
    assert len(list(Path("sweep").glob("*/evaluation.json"))) == 2


def test_a_sweep_knows_it(asd):
    code, out, err = asd(
        "run", "clip.mp4", *RUN_WORDS, "scorer.threshold_db=-40,-30", "-m", "output=sweep"
    )
    assert code == 0, out + err
    assert len(list(Path("sweep").glob("*/result.json"))) == 2


# What is not run because a file says so


def test_repeat_says_that_it_needs_the_file(asd, refused, capsys):
    assert asd("run", "clip.mp4", *RUN_WORDS, "output=out")[0] == 0
    registry.cache_clear()
    line = refused("repeat", "out")
    path = Path("my.py").resolve()
    assert f"plugins=[{path}]" in line
    assert "not run because a file says so" in line
    code, out, err = asd("repeat", "out", "plugins=[my.py]")
    assert code == 0, err
    assert "The same as before, number for number" in out


def test_a_changed_file_is_told_by_repeat(asd):
    assert asd("run", "clip.mp4", *RUN_WORDS, "output=out")[0] == 0
    registry.cache_clear()
    Path("my.py").write_text(Path("my.py").read_text() + "\n# changed\n")
    _, out, _ = asd("repeat", "out", "plugins=[my.py]")
    assert re.search(r"versions, my\.py: [0-9a-f]{12} before, [0-9a-f]{12} now", out)


@pytest.mark.parametrize("named", [5, "x.py", ["x.py"], {"a": 1}])
def test_whatever_a_result_names_is_not_run(asd, refused, named):
    words = [word for word in RUN_WORDS if not word.startswith(("plugins", "scorer"))]
    assert asd("run", "clip.mp4", *words, "scorer=lip_motion", "output=out")[0] == 0
    found = result()
    found["settings"]["plugins"] = named
    Path("out/result.json").write_text(json.dumps(found))
    Path("x.py").write_text("open('run', 'w')")
    assert "If they are yours, name them" in refused("repeat", "out")
    assert not Path("run").exists()


def test_an_evaluation_is_not_repeated_with_it(monkeypatch):
    made = {"settings": {"plugins": ["x.py"]}}
    monkeypatch.setattr(repeat, "read_evaluation_file", lambda _: made)
    with pytest.raises(asdkit.AsdError, match="not run because a file says so"):
        repeat.read_evaluation(Path())


def test_a_preset_cannot_name_it(refused):
    Path("presets/experiment").mkdir(parents=True)
    Path("presets/experiment/sly.yaml").write_text("# @package _global_\nplugins: [my.py]\n")
    line = refused("run", "clip.mp4", "--config-dir", "presets", "experiment=sly")
    assert "names plugins to run. Name them on the command line" in line


# Errors


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1\n\nraise ValueError('no\\nluck')\n", "my.py, line 3, failed: ValueError: no luck"),
        ("x = 1\nx = (\n", "my.py, line 2, failed: SyntaxError: '(' was never closed"),
        ("import no_such_module\n", "my.py, line 1, failed: ModuleNotFoundError: No module"),
        ("raise SystemExit(3)\n", "my.py, line 1, failed: SystemExit: 3"),
        ("x = 1\n", "my.py has no hook of asdkit. It needs a function asdkit_components"),
        (
            "import asdkit\n@asdkit.hookimpl\ndef asdkit_component():\n    return []\n",
            "my.py failed: PluginValidationError",
        ),
        (
            "import asdkit\n@asdkit.hookimpl\ndef asdkit_components():\n    return 1 / 0\n",
            "my.py, line 4, failed: ZeroDivisionError",
        ),
        (
            "import asdkit\n@asdkit.hookimpl\ndef asdkit_components():\n    return 5\n",
            "my.py failed: TypeError: asdkit_components must return a list",
        ),
        (
            "import asdkit\n@asdkit.hookimpl\ndef asdkit_components():\n    return [5]\n",
            "my.py failed: TypeError: asdkit_components returned 5, which is no asdkit.Component",
        ),
    ],
)
def test_a_file_that_fails_is_told_with_its_line(refused, code, words):
    Path("my.py").write_text(code)
    assert words in refused("run", "clip.mp4", *RUN_WORDS)


def test_a_component_that_fails_is_named_with_the_file(refused):
    code = Path("my.py").read_text().replace("samples = ", "samples = 1 / 0 + ")
    Path("my.py").write_text(code)
    digest = hashlib.sha256(code.encode()).hexdigest()[:12]
    line = refused("run", "clip.mp4", *RUN_WORDS, "output=out")
    assert f"scorer=loud (my.py {digest}) failed: ZeroDivisionError" in line


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("plugins=[gone.py]", "gone.py cannot be read: No such file"),
        ("plugins=[.]", "cannot be read: Is a directory"),
        ("plugins=my.py", "plugins must be a list of files, got 'my.py'. As in [my.py]"),
        ("plugins=[my.txt]", "my.txt failed: ImportError: it is not called NAME.py"),
    ],
)
def test_what_is_no_plugin(refused, word, words):
    Path("my.txt").write_text("x = 1\n")
    assert words in refused("run", "clip.mp4", "scorer=lip_motion", word)


def test_a_name_that_is_taken():
    code = Path("my.py").read_text().replace('name="loud"', 'name="talknet"')
    Path("my.py").write_text(code)
    before = dict(registry().components)
    with pytest.raises(PluginError, match=r"provides scorer=talknet, as asdkit does\. Choose"):
        load_plugin_files(["my.py"])
    assert registry().components == before


def test_a_file_is_read_once_and_none_is_no_file():
    load_plugin_files(None)
    load_plugin_files(["my.py"])
    component = registry().find("scorer", "loud")
    load_plugin_files([str(Path("my.py").resolve())])
    assert registry().find("scorer", "loud") is component


def test_words_that_cannot_be_understood():
    with pytest.raises(ConfigError, match=r"plugins=\[my\.py cannot be understood"):
        compose_app(RUN, ["plugins=[my.py"])


def test_presets_come_from_a_file_too(asd):
    Path("conf/scorer").mkdir(parents=True)
    Path("conf/scorer/louder.yaml").write_text("defaults:\n  - loud\nthreshold_db: -10\n")
    code = "from pathlib import Path\n" + Path("my.py").read_text()
    code += "\n\n@asdkit.hookimpl\ndef asdkit_presets():\n"
    code += "    return Path(__file__).parent / 'conf'\n"
    Path("my.py").write_text(code)
    words = [word for word in RUN_WORDS if word != "scorer=loud"]
    done = asd("run", "clip.mp4", *words, "scorer=louder", "output=out")
    assert done[0] == 0, done[2]
    assert result()["settings"]["scorer"] | {"threshold_db": -10} == result()["settings"]["scorer"]
