"""Finds, downloads and verifies published weights."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from .download import BLOCK_BYTES, describe_failure, download
from .errors import MissingWeightsError, WeightsError
from .spelling import alike

_CHECK = re.compile(r"(sha256:[0-9a-f]{64}|git:[0-9a-f]{40})?")


@dataclass(frozen=True)
class Weights:
    r"""A published weights file.

    Attributes:
        name: Its name in `asd weights`, such as "talknet_talkset".
        url: The address to download it from.
        published: Its file name as published.
        check: "sha256:HEX", "git:HEX" (a git blob id: SHA-1 over `blob <size>\0` and the
            content) or "" if no hash is published; HEX in lower case.
        size_bytes: Its size; None if only the order of magnitude is known.
        licence: Its licence.

    Raises:
        ValueError: `check` has another form.
    """

    name: str
    url: str
    published: str
    check: str
    size_bytes: int | None
    licence: str

    def __post_init__(self) -> None:
        if not _CHECK.fullmatch(self.check):
            raise ValueError(
                f"Weights.check must be 'sha256:' and 64, 'git:' and 40 lower-case hexadecimal "
                f"digits, or empty, but got {self.check!r}"
            )

    @property
    def local(self) -> str:
        """Its local file name; unlike published names, it is unique across models."""
        return self.name + PurePosixPath(self.published).suffix


@dataclass(frozen=True)
class WeightsStatus:
    """The state of a weights file on this machine.

    Attributes:
        path: The file; None if it is missing.
        state: "ok" if its hash is right; "unchecked" if no hash is published and the file looks
            right; "damaged" if it is another file or unreadable; "missing" if there is none.
        fault: What is wrong with a damaged file, expected and found; else empty.
    """

    path: Path | None
    state: Literal["ok", "missing", "damaged", "unchecked"]
    fault: str = ""


_watching: ContextVar[list[Path] | None] = ContextVar("watching", default=None)


@contextmanager
def noting() -> Iterator[list[Path]]:
    """Record the weights files that are used while the block runs.

    Yields:
        A list of the files used so far, each once.
    """
    used: list[Path] = []
    token = _watching.set(used)
    try:
        yield used
    finally:
        _watching.reset(token)


_downloading: ContextVar[bool] = ContextVar("downloading", default=True)


@contextmanager
def without_downloads() -> Iterator[None]:
    """Have weights that are not on this machine be missing while the block runs."""
    token = _downloading.set(False)
    try:
        yield
    finally:
        _downloading.reset(token)


def note(path: Path) -> Path:
    """Record that weights are read from a file, so that results name it with its hash.

    `locate` and `chosen_path` do so themselves: it is for a component that finds its weights in
    another way, such as in an installed package. Call it in `build`.

    Args:
        path: The file.

    Returns:
        The same path.
    """
    used = _watching.get()
    if used is not None and path not in used:
        used.append(path)
    return path


def cache_folder() -> Path:
    """The folder for downloads: `ASDKIT_CACHE` if it is set, else the user's cache folder."""
    if folder := os.environ.get("ASDKIT_CACHE"):
        return Path(folder).expanduser()
    import pooch

    return Path(pooch.os_cache("asdkit"))


def status(weights: Weights) -> WeightsStatus:
    """Look for the file, and check it, without downloading anything.

    Raises:
        WeightsError: `ASDKIT_WEIGHTS` is not a readable folder.
    """
    given = _examine(weights, _given(weights))
    return given if given.path else _examine(weights, [_cached(weights)])


def locate(weights: Weights) -> Path:
    """Find and check the file: in the folder `ASDKIT_WEIGHTS`, in the cache, or by download.

    Raises:
        WeightsError: `ASDKIT_WEIGHTS` is not a readable folder or holds a wrong file of this name,
            or the file is not found and cannot be downloaded.
    """
    given = _examine(weights, _given(weights))
    if given.path is None:
        folder = given_folder()
        return note(
            _cached_or_downloaded(
                weights,
                f"not in {folder} (ASDKIT_WEIGHTS)" if folder else "ASDKIT_WEIGHTS is not set",
            )
        )
    if given.fault:
        # A download instead would hide that the user's file is not used.
        raise WeightsError(
            f"{given.path} (in ASDKIT_WEIGHTS) is not the weights {weights.name}: {given.fault}",
            f"Put the file from {weights.url} there as {weights.local}, or remove this one",
        )
    return note(given.path)


def is_published(weights: Weights, path: Path) -> bool:
    """Whether a file has the hash of published weights; False if no hash is published.

    Raises:
        OSError: The file cannot be read.
    """
    other_size = weights.size_bytes not in (None, path.stat().st_size)
    return bool(weights.check) and not other_size and not _fault(weights, path)


def chosen_path(published: Mapping[str, Weights], given: str) -> Path:
    """The file that a component's parameter `weights` names.

    Args:
        published: The component's published weights, by name.
        given: One of these names, or a path.

    Returns:
        The checked file of published weights, downloaded if necessary; a path unchecked.

    Raises:
        WeightsError: As for `locate`, or the value is empty, or names an unknown user's home.
    """
    if given in published:
        return locate(published[given])
    if not given:
        named = f"{', '.join(published)} or " if published else ""
        raise WeightsError("weights= names nothing", f"Give {named}the path of a file")
    try:
        path = Path(given).expanduser()
    except RuntimeError as error:
        raise WeightsError(
            f"There is no folder for {given}: {error}",
            f"Give {', '.join(published)} or the path of a file",
        ) from error
    if Path(given).name == given and not path.exists():  # no path, but a misspelt name
        listed = {weights.name: short for short, weights in published.items()}
        meant = [listed.get(one, one) for one in alike(given, [*published, *listed])]
        if meant:
            raise WeightsError(
                f"There are no weights {given} here, and no file of that name",
                f"Did you mean {' or '.join(dict.fromkeys(meant))}?",
            )
    return note(path)


def fetch(weights: Weights) -> Path:
    """The checked file in the cache, downloaded if necessary; `ASDKIT_WEIGHTS` is not used.

    Raises:
        WeightsError: The download fails, or the cache cannot be written.
    """
    return _cached_or_downloaded(weights, "")


def given_folder() -> Path | None:
    """The folder `ASDKIT_WEIGHTS`; None if it is not set."""
    value = os.environ.get("ASDKIT_WEIGHTS")
    if not value:
        return None
    folder = Path(value).expanduser()
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise WeightsError(
            f"ASDKIT_WEIGHTS names {folder}, which is not a folder to read: {error.strerror}",
            "Set it to a folder that holds weights, or unset it",
        ) from error
    return folder


def _given(weights: Weights) -> list[Path]:
    """Possible paths of the file in `ASDKIT_WEIGHTS`: its unique name first."""
    folder = given_folder()
    return [folder / weights.local, folder / weights.published] if folder else []


def _cached(weights: Weights) -> Path:
    return cache_folder() / weights.local


def _examine(weights: Weights, candidates: Iterable[Path]) -> WeightsStatus:
    """The status of the first candidate that is right, else of the first one that exists."""
    damaged = None
    for path in candidates:
        try:
            fault = _fault(weights, path)
        except FileNotFoundError:
            continue
        except OSError as error:
            fault = f"it cannot be read: {error.strerror}"
        if not fault:
            return WeightsStatus(path, "ok" if weights.check else "unchecked")
        damaged = damaged or WeightsStatus(path, "damaged", fault)
    return damaged or WeightsStatus(None, "missing")


def _fault(weights: Weights, path: Path) -> str:
    """Why `path` is not the right file, expected and found; empty if it is."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        # A server may return a web page instead; no weights file begins like one.
        is_page = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        got = f"a web page of {size} bytes" if is_page else f"a file of {size} bytes"
        if weights.check:
            file.seek(0)
            digest = _digest(weights.check.partition(":")[0], file, size)
            right, expected, got = digest == weights.check, weights.check, f"{digest} ({got})"
        elif weights.size_bytes is not None:
            right = size == weights.size_bytes and not is_page
            expected = f"a file of {weights.size_bytes} bytes"
        else:
            right, expected = size > 0 and not is_page, "a file of weights"
    return "" if right else f"expected {expected}, got {got}"


def _digest(kind: str, file: BinaryIO, size: int) -> str:
    """The hash of a file, in the form of `Weights.check`."""
    if kind == "git":
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    else:
        digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return f"{kind}:{digest.hexdigest()}"


def _cached_or_downloaded(weights: Weights, looked: str) -> Path:
    """The file in the cache, downloaded if missing; a damaged one is replaced only by a right one.

    Args:
        weights: The weights to find.
        looked: Where else the file was searched, for the error.

    Raises:
        WeightsError: The download fails, or the cache cannot be written.
    """
    target = _cached(weights)
    cached = _examine(weights, [target])
    if cached.path and not cached.fault:
        return cached.path
    lack = (
        f"damaged in {target.parent} ({cached.fault})"
        if cached.fault
        else f"missing: not in {target.parent}"
    )
    if looked:
        lack += f", {looked}"
    if not _downloading.get():
        raise _unobtainable(weights, lack, "nothing is downloaded now")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A temporary folder per call keeps parallel downloads apart, and files in it get the
        # user's default permissions, as needed for a cache shared on a cluster.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{weights.name}.") as aside:
            path = Path(aside, weights.local)
            download(weights.url, path, weights.name, weights.size_bytes)
            fault = _fault(weights, path)
            if not fault:
                path.replace(target)
    except OSError as error:  # includes the network errors of requests
        raise _unobtainable(weights, lack, describe_failure(error)) from error
    if fault:
        raise _unobtainable(weights, lack, fault)
    return target


def _unobtainable(weights: Weights, lack: str, reason: str) -> MissingWeightsError:
    """The error for weights that are neither on this machine nor downloadable."""
    target = _cached(weights)
    return MissingWeightsError(
        f"The weights {weights.name} are {lack}, and downloading {weights.url} to {target} "
        f"failed: {reason}",
        f"Run `asd weights fetch {weights.name}` on a machine with a network, or download that "
        f"address, and copy the file here to {target} (ASDKIT_CACHE names another folder for it) "
        "or into a folder named by ASDKIT_WEIGHTS; experiment=offline needs no weights",
        weights.name,
        reason,
        str(target),
    )
