"""Weights are found, checked, downloaded whole or not at all, and their errors say what to do."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pooch
import pytest
from hello import HELLO, HELLO_GIT, HELLO_SHA256, Server, make, written
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core import weights as store
from asdkit.core.errors import WeightsError
from asdkit.core.weights import Weights, WeightsStatus, locate, status

pytestmark = pytest.mark.usefixtures("cache")

YUNET = Weights(
    name="yunet",
    url="http://127.0.0.1:9/face_detection_yunet_2023mar.onnx",
    published="face_detection_yunet_2023mar.onnx",
    check="sha256:8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    size_bytes=232589,
    licence="MIT",
)


# Checks


def test_local_name_is_the_name_with_the_published_suffix():
    assert make().local == "hello_small.model"


@pytest.mark.parametrize("check", ["md5:00", "sha256:00", "git:" + "0" * 64, "sha256:" + "G" * 64])
def test_an_unknown_check_is_refused(check: str):
    with pytest.raises(ValueError, match="check"):
        make(check=check)


@pytest.mark.parametrize(
    ("content", "check"),
    [
        (HELLO, HELLO_GIT),
        (HELLO, HELLO_SHA256),
        (b"", "git:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        (bytes(3_000_000), "git:73e77f405a9ff5ab6f54695cf10e7be6d23c9a4b"),  # longer than one block
    ],
)
def test_published_hashes_are_met(folder: Path, content: bytes, check: str):
    path = written(folder / "hello.model", content)
    assert status(make(check=check)) == WeightsStatus(path, "ok")


@given(content=st.binary(min_size=1, max_size=2000), data=st.data())
def test_any_changed_byte_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
):
    path = tmp_path_factory.getbasetemp() / "changed"
    at = data.draw(st.integers(0, len(content) - 1))
    other = bytes([content[at] ^ data.draw(st.integers(1, 255))])
    git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    for check in (f"git:{git}", f"sha256:{hashlib.sha256(content).hexdigest()}"):
        path.write_bytes(content)
        assert store._fault(make(check=check), path) == ""
        for damaged in (content[:at] + other + content[at + 1 :], content[:at], content + other):
            path.write_bytes(damaged)
            assert store._fault(make(check=check), path).startswith(f"expected {check}, got ")


@pytest.mark.parametrize(
    ("content", "size", "state"),
    [
        (HELLO, None, "unchecked"),
        (HELLO, len(HELLO), "unchecked"),
        (HELLO, len(HELLO) + 1, "damaged"),
        (b"", None, "damaged"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", None, "damaged"),
        (b"<html>", len(b"<html>"), "damaged"),
    ],
)
def test_without_a_published_hash_size_and_looks_decide(
    cache: Path, content: bytes, size: int | None, state: str
):
    path = written(cache / "hello_small.model", content)
    found = status(make(check="", size=size))
    assert (found.path, found.state) == (path, state)


def test_a_hash_decides_even_for_a_file_that_looks_like_a_page(cache: Path):
    content = b"<xml of weights>"
    path = written(cache / "hello_small.model", content)
    assert locate(make(check=f"sha256:{hashlib.sha256(content).hexdigest()}")) == path


# Where it is looked for


@pytest.mark.parametrize("name", ["hello.model", "hello_small.model"])
def test_the_folder_comes_before_the_cache(folder: Path, cache: Path, name: str):
    written(cache / "hello_small.model")
    path = written(folder / name)
    assert locate(make()) == path
    assert status(make()) == WeightsStatus(path, "ok")


def test_the_cache_serves_what_the_folder_lacks(folder: Path, cache: Path):
    path = written(cache / "hello_small.model")
    assert locate(make()) == path
    assert status(make()) == WeightsStatus(path, "ok")


def test_the_cache_does_not_know_published_names(cache: Path):
    written(cache / "hello.model")
    assert status(make()) == WeightsStatus(None, "missing")


def test_two_models_with_one_published_name(folder: Path):
    """The published name can hold the other model's file: each gets its own."""
    large = replace(
        make(check=f"sha256:{hashlib.sha256(b'large').hexdigest()}"), name="hello_large"
    )
    published = written(folder / "hello.model", b"large")
    local = written(folder / "hello_small.model")
    assert locate(make()) == local
    assert locate(large) == published


def test_without_a_hash_the_local_name_is_trusted_first(folder: Path):
    written(folder / "hello.model", b"of another model, perhaps")
    local = written(folder / "hello_small.model")
    assert locate(make(check="")) == local


def test_a_wrong_local_file_gives_way_to_a_right_published_one(folder: Path):
    written(folder / "hello_small.model", b"other")
    path = written(folder / "hello.model")
    assert locate(make()) == path


def test_a_wrong_file_in_the_folder_is_an_error(folder: Path, cache: Path, server: Server):
    path = written(folder / "hello.model", b"other")
    written(cache / "hello_small.model")
    with pytest.raises(WeightsError) as caught:
        locate(make(server.url))
    got = f"sha256:{hashlib.sha256(b'other').hexdigest()}"
    for part in (str(path), "hello_small", HELLO_SHA256, got, server.url, "ASDKIT_WEIGHTS"):
        assert part in str(caught.value)
    assert server.requests == 0
    found = status(make())
    assert (found.path, found.state) == (path, "damaged")
    assert HELLO_SHA256 in found.fault


def test_an_unreadable_file_in_the_folder_is_an_error(folder: Path):
    (folder / "hello_small.model").mkdir()
    with pytest.raises(WeightsError, match="cannot be read"):
        locate(make())


@pytest.mark.parametrize("get", [locate, status])
def test_a_folder_that_does_not_exist_is_an_error(
    get: Callable[[Weights], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError, match=r"ASDKIT_WEIGHTS names .*nowhere.*unset it"):
        get(make())


def test_a_file_for_a_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(written(tmp_path / "hello.model")))
    with pytest.raises(WeightsError, match="not a folder"):
        locate(make())


def test_the_cache_is_the_users_own_unless_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ASDKIT_CACHE")
    assert store.cache_folder() == Path(pooch.os_cache("asdkit"))


def test_a_file_at_hand_needs_no_network_library(folder: Path):
    written(folder / "hello.model")
    code = (
        "import sys\n"
        "from asdkit.core.weights import Weights, locate\n"
        f"locate({make()!r})\n"
        "print({'pooch', 'requests', 'rich'} & set(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_real_yunet(shared: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch):
    path = shared("weights/face_detection_yunet_2023mar.onnx")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(path.parent))
    assert locate(YUNET) == path
    wrong = replace(YUNET, check="git:" + "0" * 40)
    with pytest.raises(WeightsError, match="232589 bytes"):
        locate(wrong)
