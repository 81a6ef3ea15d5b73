"""Whatever it is given, the command ends soon, in a result or in one clear line.

Some three hundred files, texts and names go through `asd`, each in a process of its own
(tests/hostile_runner.py); docs/security.md says what is trusted and what is not.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hostile
import jsonschema
import pytest

from asdkit.core.results import schema

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks"),
]

MOST_S = 30
MOST_MIB = 1500
"""For the largest picture that is accepted, with everything that is imported."""
CHEAP = ["scorer=lip_motion", "cutter=none", "allow_silent=true"]
BOXES = ["detector=boxes", "detector.path=boxes.json"]
WRITERS = ["writers=[json,rttm,webvtt,ava,annotated]", "output=out"]


@dataclass(frozen=True)
class Hostile:
    """What came of all inputs.

    Attributes:
        ended: What the runner says of each, by name.
        folders: Where each was run.
        left: The hidden files that each left there.
        read: The files that no input may make anyone open, and that were opened.
        connections: How many connections there were to the test's own server.
    """

    ended: dict[str, dict[str, Any]]
    folders: dict[str, Path]
    left: dict[str, list[str]]
    read: list[str]
    connections: int


class _Cases:
    """Gathers inputs, each in a folder of its own with a clip and its boxes."""

    def __init__(self, root: Path, clip: Path) -> None:
        self.listed: list[dict[str, Any]] = []
        self.folders: dict[str, Path] = {}
        self._root = root
        self._clip = clip

    def folder(self, name: str) -> Path:
        """A new folder for an input."""
        folder = self._root / name
        folder.mkdir()
        (folder / "boxes.json").write_text(hostile.BOXES)
        os.link(self._clip, folder / "clip.mp4")
        self.folders[name] = folder
        return folder

    def add(self, name: str, *words: str) -> None:
        """Give these words to the command, in the folder of this name."""
        case = {"name": name, "words": list(words), "folder": str(self.folders[name])}
        self.listed.append(case)

    def video(self, name: str, file: str) -> None:
        """Run a video."""
        self.add(name, "run", file, *BOXES, *CHEAP, *WRITERS)


class _Server:
    """Counts who knocks."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


def _gather(cases: _Cases, made: Path, port: int) -> list[Path]:
    """List all inputs; the files that none of them may make anyone open."""
    for name, path in hostile.containers(made).items():
        shutil.copy(path, cases.folder(f"{name}_whole"))
        cases.video(f"{name}_whole", path.name)
        for case in hostile.damaged(path, made, name).values():
            shutil.move(case, cases.folder(case.stem))
            cases.video(case.stem, case.name)
    for name, path in hostile.odd_media(made).items():
        shutil.move(path, cases.folder(f"odd_{name}"))
        cases.video(f"odd_{name}", path.name)
    clip = (made / "whole.mp4").read_bytes()
    others = []
    for name in hostile.lists(made, port):
        folder = cases.folder(f"list_{name}")
        second = folder / "second.mp4"
        second.write_bytes(clip)
        others.append(second)
        file, text = hostile.lists(second, port)[name]
        (folder / file).write_text(text)
        cases.video(f"list_{name}", file)
        # The same as a file of sound alone.
        folder = cases.folder(f"list_{name}_as_sound")
        (folder / file).write_text(text)
        cases.add(
            f"list_{name}_as_sound", "run", "clip.mp4", f"sound={file}", *BOXES, *CHEAP, *WRITERS
        )
    _gather_names(cases, clip)
    _gather_texts(cases)
    return others


def _gather_names(cases: _Cases, clip: bytes) -> None:
    scratch = cases.folder("names")
    for what, name in hostile.odd_names(scratch, clip).items():
        folder = cases.folder(f"name_{what}")
        (folder / name).write_bytes(clip)
        cases.add(f"name_{what}", "run", name, *BOXES, *CHEAP, "writers=[json,rttm,webvtt,ava]")
    scratch = cases.folder("no_media")
    for what, name in hostile.no_media(scratch).items():
        shutil.copy(scratch / name, cases.folder(f"no_media_{what}"))
        cases.video(f"no_media_{what}", name)
    for what in ("missing", "folder", "fifo", "null_device", "output_is_a_file", "output_too_long"):
        folder = cases.folder(f"place_{what}")
        file, output = "clip.mp4", "out"
        if what == "missing":
            file = "nowhere.mp4"
        elif what == "folder":
            (folder / "films").mkdir()
            file = "films"
        elif what == "fifo":
            os.mkfifo(folder / "pipe.mp4")
            file = "pipe.mp4"
        elif what == "null_device":
            file = os.devnull
        elif what == "output_is_a_file":
            (folder / "out").write_text("")
        else:
            output = "n" * 300
        cases.add(
            f"place_{what}", "run", file, *BOXES, *CHEAP, "writers=[json]", f"output={output}"
        )


def _gather_texts(cases: _Cases) -> None:
    for name, (text, words) in hostile.texts().items():
        folder = cases.folder(f"text_{name}")
        (folder / "given").write_text(text)
        boxes = [] if "detector=boxes" in words else BOXES
        cheap = [
            word for word in CHEAP if not word.startswith("cutter") or "cutter=csv" not in words
        ]
        cases.add(f"text_{name}", "run", "clip.mp4", *boxes, *cheap, *words, "output=out",
                  "writers=[json]")  # fmt: skip
    for what in ("boxes", "scenes", "calibration"):
        folder = cases.folder(f"text_{what}_pipe")
        os.mkfifo(folder / "given")
        words = {"boxes": ["detector=boxes", "detector.path=given"],
                 "scenes": [*BOXES, "cutter=csv", "cutter.path=given"],
                 "calibration": [*BOXES, "scorer.calibration=given"]}[what]  # fmt: skip
        cases.add(f"text_{what}_pipe", "run", "clip.mp4", "scorer=lip_motion", *words, "output=out",
                  "writers=[json]")  # fmt: skip
    for name, text in hostile.results().items():
        folder = cases.folder(name)
        (folder / "given").mkdir()
        (folder / "given" / "result.json").write_text(text)
        cases.add(name, "repeat", "given", "output=out")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """All inputs, run."""
    root = tmp_path_factory.mktemp("hostile")
    made = root / "made"
    made.mkdir()
    server = _Server()
    cases = _Cases(root, hostile.whole(made, "whole.mp4"))
    others = _gather(cases, made, server.port)
    for path in others:
        os.utime(path, (0, 0))
    hidden = {name: set(folder.rglob(".*")) for name, folder in cases.folders.items()}
    listed, ended = root / "cases.json", root / "ended.json"
    listed.write_text(json.dumps(cases.listed))
    runner = Path(__file__).with_name("hostile_runner.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HOME": str(root), "SECRET": "s3cr3t"}
    environment.pop("ASDKIT_DEBUG", None)
    subprocess.run([sys.executable, runner, listed, ended], check=True, env=environment, cwd=root)
    server.close()
    read = [str(path.relative_to(root)) for path in others if path.stat().st_atime > 0]
    left = {
        name: [
            path.name for path in folder.rglob(".*") if path not in {*hidden[name], *_own(folder)}
        ]
        for name, folder in cases.folders.items()
    }
    yield Hostile(json.loads(ended.read_text()), cases.folders, left, read, server.connections)
    shutil.rmtree(root, ignore_errors=True)


def _own(folder: Path) -> list[Path]:
    """What the runner writes there."""
    return [folder / ".stdout", folder / ".stderr"]


def _faults(everything: Hostile) -> dict[str, str]:
    """What is wrong with how the inputs ended, by name."""
    found = {}
    for name, ended in everything.ended.items():
        fault = _fault(ended, everything.folders[name], everything.left[name])
        if fault:
            found[name] = fault
    return found


def _fault(ended: dict[str, Any], folder: Path, left: list[str]) -> str:
    out = folder / "out"
    if ended["code"] is None:
        return "does not end"
    if ended["code"] not in (0, 2):
        return f"exit {ended['code']}: {ended['err'][-600:]}"
    if "Traceback" in ended["err"] + ended["out"]:
        return ended["err"][-600:]
    lines = ended["err"].splitlines()
    if strange := [line for line in lines if not line.startswith("asd: ")]:
        return f"prints {strange[0]!r}"
    if ended["code"] == 2 and len(lines[-1]) > 1000:
        return f"a line of {len(lines[-1])} characters"
    if ended["code"] == 2 and out.is_dir():
        return f"leaves {[path.name for path in out.rglob('*')]}"
    return f"leaves {left}" if left else ""


def test_every_input_ends_in_a_result_or_one_line(everything):
    faults = _faults(everything)
    assert not faults, json.dumps(faults, indent=1)


def test_results_are_whole(everything):
    form = jsonschema.Draft202012Validator(schema())
    checked = 0
    for name, folder in everything.folders.items():
        if everything.ended.get(name, {}).get("code") == 0:
            for path in folder.rglob("result.json"):
                if path.parent.name != "given":
                    form.validate(json.loads(path.read_text()))
                    checked += 1
    assert checked > 50


def test_no_other_file_and_no_address_is_opened(everything):
    control = next(
        folder for folder in everything.folders.values() if (folder / "second.mp4").exists()
    )
    second = control / "second.mp4"
    os.utime(second, (0, 0))
    second.read_bytes()
    if second.stat().st_atime == 0:
        pytest.skip("needs a file system that notes when a file is read")
    assert everything.read == []
    assert everything.connections == 0


def test_lists_of_other_files_are_refused(everything):
    accepted = [
        name
        for name, ended in everything.ended.items()
        if name.startswith("list_") and ended["code"] != 2
    ]
    assert accepted == []


def test_whole_files_of_every_container_give_results(everything):
    refused = {
        name: ended["err"]
        for name, ended in everything.ended.items()
        if name.endswith("_whole") and ended["code"] != 0 and not name.startswith("webp")
    }
    assert not refused


def test_memory_is_bounded(everything):
    peaks = {name: ended["peak_mib"] for name, ended in everything.ended.items()}
    assert {name: peak for name, peak in peaks.items() if peak > MOST_MIB} == {}


def test_nothing_of_the_environment_is_told(everything):
    told = [
        name
        for name, ended in everything.ended.items()
        if "interpolation" in name and "s3cr3t" in ended["err"] + ended["out"]
    ]
    assert told == []


def test_there_are_many_inputs(everything):
    codes = [ended["code"] for ended in everything.ended.values()]
    print(
        f"{len(codes)} inputs, {codes.count(0)} results, {codes.count(2)} refusals, "
        f"{max(ended['peak_mib'] for ended in everything.ended.values()):.0f} MiB at most"
    )
    assert len(codes) > 250
    assert min(codes.count(0), codes.count(2)) > 50
