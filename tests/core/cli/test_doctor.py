"""`asd doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from asdkit.core.doctor import machine, packages, speed
from asdkit.core.doctor.finding import Finding
from asdkit.core.doctor.look import plain, to_do
from asdkit.core.errors import MissingWeightsError, PluginError
from asdkit.core.installation import install_words
from asdkit.core.lacking import Lack
from asdkit.core.registry import registry
from asdkit.core.weights import locate, without_downloads


@pytest.fixture(autouse=True)
def alone(own_alone, monkeypatch):
    """No other plugins, no network, and no driver of NVIDIA."""

    def connect(*_):
        raise AssertionError("the doctor asked a server")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    monkeypatch.setattr(machine, "_nvidia_cards", lambda: "")


def by_name(found) -> dict[str, Finding]:
    return {one.name: one for one in found}


def test_all_parts_are_told_and_the_base_works(asd):
    code, out, err = asd("doctor", "speed=false")
    assert (code, err) == (0, ""), out
    heads = [line for line in out.splitlines() if line and not line.startswith(" ")]
    parts = ["system", "packages", "extras", "plugins", "weights", "GPU", "codecs", "folders"]
    assert heads[:-1] == parts
    assert heads[-1].startswith("What every run needs is here")
    assert "s3fd" in out
    assert "missing" in out  # see conftest: there are no weights here
    assert "asd weights fetch s3fd face_detection_yunet_2023mar lr_asd_ava" not in out
    assert "asd weights fetch s3fd " in out.splitlines()[-1]


def test_nothing_is_left_behind(asd, tmp_path):
    asd("doctor", "speed=false")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", ["output=doctor.json", "output=-"])
def test_it_is_told_to_programs_too(asd, word):
    code, out, _ = asd("doctor", "speed=false", word)
    told = json.loads(out if word.endswith("-") else Path("doctor.json").read_text())
    assert code == 0
    assert told["schema"] == "asdkit.doctor/1"
    assert told["works"] is True
    assert {"part", "name", "said", "state", "remedy", "ms_per_frame"} == set(told["findings"][0])
    assert told["to_do"][-1].startswith("asd weights fetch ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["speed=maybe"], "speed must be true or false, got 'maybe'"),
        (["clip.mp4"], "takes no arguments but KEY=VALUE"),
        (["sped=false"], "Did you mean speed?"),
    ],
)
def test_wrong_words(refused, words, says):
    assert says in refused("doctor", *words)


# Packages


@pytest.fixture
def versions(monkeypatch):
    """Has packages be of another version, or missing."""
    others: dict[str, str | None] = {}
    real = packages.version

    def version(name):
        found = others[name] if name in others else real(name)
        if found is None:
            raise packages.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(packages, "version", version)
    return others


def test_a_package_that_is_too_old_is_broken(asd, versions):
    versions["numpy"] = "1.20.0"
    versions["rich"] = None
    code, out, _ = asd("doctor", "speed=false")
    assert code == 2
    lines = out.splitlines()
    assert " ! numpy" in out
    assert "1.20.0, where >=1.26 is needed" in out
    assert lines[-2].endswith('python -m pip install "numpy>=1.26"')
    assert lines[-1].endswith('python -m pip install "rich>=13.7"')
    assert "codecs" not in lines  # what stands on a broken base is not looked at


def test_a_package_that_cannot_be_imported_is_broken(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    found = by_name(packages.packages())["rich"]
    assert found.state == "broken"
    assert "cannot be imported: ModuleNotFoundError" in found.said
    assert found.remedy == 'python -m pip install --force-reinstall "rich>=13.7"'


def test_an_extra_that_is_not_here_says_what_installs_it(versions):
    versions.update({"torch": None, "onnxruntime": None, "onnxruntime-gpu": None})
    found = by_name(packages.extras())
    assert found["torch"].said.startswith("not installed (torch: missing")
    assert found["torch"].remedy == install_words("torch")
    assert found["cpu"].remedy == install_words("cpu")
    assert found["gpu"].remedy == ""  # only for those who have one


def test_one_onnxruntime_takes_the_place_of_the_other(versions):
    versions.update({"onnxruntime": "1.30", "onnxruntime-gpu": None})
    assert by_name(packages.extras())["gpu"].said == "not installed: cpu is in its place"
    versions.update({"onnxruntime": None, "onnxruntime-gpu": "1.30"})
    assert by_name(packages.extras())["cpu"].state == "ok"


def test_another_python_is_broken(monkeypatch):
    monkeypatch.setattr(packages.platform, "python_version", lambda: "3.8.1")
    found = by_name(packages.system())["Python"]
    assert found.state == "broken"
    assert "needs >=3.10" in found.said


def test_plugins_that_fail_are_named(monkeypatch):
    monkeypatch.setitem(registry().failures, "acme 1.0 (main)", "ValueError:\nno")
    found = by_name(packages.plugins())["acme"]
    assert found.said == "failed to load: ValueError: no"
    assert "python -m pip uninstall acme" in found.remedy

    def two():
        raise PluginError("Two packages provide vad=x: a and b", "Uninstall one of them")

    monkeypatch.setattr(packages, "registry", two)
    monkeypatch.setattr(machine, "registry", two)
    (found,) = packages.plugins()
    assert (found.state, found.remedy) == ("broken", "Uninstall one of them")
    assert list(machine.weights()) == []


# The machine


def test_damaged_weights_are_broken(monkeypatch, tmp_path):
    (tmp_path / "s3fd.pth").write_bytes(b"no weights")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(tmp_path))
    found = by_name(machine.weights())["s3fd"]
    assert found.state == "broken"
    assert found.said.startswith("damaged: expected ")
    assert found.remedy == f"remove {tmp_path / 's3fd.pth'}, then: asd weights fetch s3fd"


def test_a_folder_of_weights_that_is_not_there_is_broken(monkeypatch):
    monkeypatch.setenv("ASDKIT_WEIGHTS", "nowhere")
    (found,) = machine.weights()
    assert (found.name, found.state) == ("ASDKIT_WEIGHTS", "broken")


class Cuda:
    """As much of PyTorch as is asked."""

    __version__ = "9"

    class version:  # noqa: N801
        cuda = "13.0"

    class cuda:  # noqa: N801
        @staticmethod
        def is_available():
            return True

        @staticmethod
        def device_count():
            return 1

        @staticmethod
        def get_device_properties(number):
            return type("Card", (), {"name": "H100", "total_memory": 80 << 30})


def test_gpus(monkeypatch):
    monkeypatch.setattr(machine, "is_there", lambda name: name == "torch")
    monkeypatch.setitem(sys.modules, "torch", Cuda)
    (found,) = machine.gpus()
    assert (found.name, found.said) == ("PyTorch cuda:0", "9 on CUDA: H100, 80 GiB")
    monkeypatch.setattr(Cuda.cuda, "is_available", staticmethod(lambda: False))
    (found,) = machine.gpus()
    assert found.said == "9 built for CUDA 13.0; there is no usable GPU"
    monkeypatch.setattr(machine, "_nvidia_cards", lambda: "NVIDIA H100, 81559 MiB")
    *_, card = machine.gpus()
    assert "nothing here computes on it" in card.said or "CUDA" in found.said


def test_a_card_that_nothing_uses(monkeypatch):
    monkeypatch.setattr(machine, "is_there", lambda name: False)
    monkeypatch.setattr(machine, "_nvidia_cards", lambda: "NVIDIA H100, 81559 MiB")
    (found,) = machine.gpus()
    assert found.state == "lacking"
    assert install_words("torch") in found.remedy
    monkeypatch.setattr(machine, "_nvidia_cards", lambda: "")
    (found,) = machine.gpus()
    assert found.said == "all runs on the CPU"


def test_broken_libraries_for_gpus_are_told(monkeypatch):
    monkeypatch.setattr(machine, "is_there", lambda name: True)
    for name in ("torch", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)
    found = list(machine.gpus())
    assert [one.name for one in found] == ["PyTorch", "ONNX Runtime"]
    assert all("cannot be used: ModuleNotFoundError" in one.said for one in found)


def test_codecs_that_are_not_here(monkeypatch):
    assert all(one.state == "ok" for one in machine.codecs())
    monkeypatch.setattr(machine, "_has_codec", lambda av, name, mode: name not in ("av1", "aac"))
    found = by_name(machine.codecs())
    assert found["reads"].state == "broken"  # without AAC not even asdkit's own files
    assert found["reads"].said.endswith("not av1,aac")
    monkeypatch.setattr(machine, "_has_codec", lambda av, name, mode: name != "av1")
    assert by_name(machine.codecs())["reads"].state == "lacking"
    monkeypatch.setitem(sys.modules, "av", None)
    (found,) = machine.codecs()
    assert found.state == "broken"


def test_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "file" / "cache"))
    (tmp_path / "file").write_text("")
    found = by_name(machine.folders())
    assert "which cannot be written" in found["cache"].said
    assert "ASDKIT_CACHE" in found["cache"].remedy
    assert (found["results"].state, found["results"].remedy) == ("ok", "")
    monkeypatch.setattr(machine, "_LEAST_FREE_BYTES", 1 << 60)
    assert "which is nearly full" in by_name(machine.folders())["results"].said


def test_what_is_broken_is_to_be_done_first():
    found = [
        Finding("weights", "b", "", "lacking", "asd weights fetch b"),
        Finding("weights", "c", "", "lacking", "asd weights fetch c"),
        Finding("folders", "d", "", "lacking", ""),
        Finding("codecs", "a", "", "broken", "mend a"),
    ]
    assert to_do(found) == ["mend a", "asd weights fetch b c"]
    assert plain(found)["works"] is False


# Speed


def test_what_lacks_nothing_is_measured(monkeypatch):
    """Without weights and torch, as in the base installation."""
    monkeypatch.setattr(speed, "_FRAMES", 30)
    monkeypatch.setattr(
        speed, "lack_of", lambda one, _: Lack(one.needs, "", tuple(w.name for w in one.weights))
    )
    found = by_name(speed.speed())
    assert set(found) >= {"decode", "track", "crop", "write (json, annotated)", "score, lip_motion"}
    assert not {"detect, s3fd", "detect, boxes", "score, talknet"} & set(found)
    for name in ("decode", "score, lip_motion"):
        assert found[name].ms_per_frame > 0
        assert f"{found[name].ms_per_frame:.1f} ms a frame" in found[name].said


def test_what_cannot_be_measured_is_told(monkeypatch):
    monkeypatch.setattr(speed, "_measurable", lambda kind: [registry().find("scorer", "lr_asd")])
    lr_asd = registry().find("scorer", "lr_asd")
    found = speed._measured("score", lr_asd, lambda part: 1, lambda part: 1)
    assert found.said.startswith("not measured: ")
    assert found.state == "lacking"


def test_a_run_that_fails_is_broken(monkeypatch):
    def fails(*_, **__):
        raise OSError("no space")

    monkeypatch.setattr(speed, "execute", fails)
    monkeypatch.setattr(speed, "_measurable", lambda kind: [])
    (found,) = speed.speed()
    assert (found.state, found.said) == ("broken", "a run fails: no space")


def test_weights_are_not_downloaded_meanwhile():
    weights = registry().find("detector", "s3fd").weights[0]
    with without_downloads(), pytest.raises(MissingWeightsError, match="nothing is downloaded now"):
        locate(weights)


@pytest.mark.slow
def test_without_torch_it_is_not_imported():
    """In a process of its own, as other tests have imported it."""
    program = (
        "import sys; sys.modules['torch'] = sys.modules['onnxruntime'] = None\n"
        "from asdkit.core import lacking\n"
        "from asdkit.core.doctor import machine\n"
        "machine.is_there = lacking.find_spec = lambda name: False\n"
        "from asdkit.core.cli.main import main\n"
        "main(['doctor', 'speed=false'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
