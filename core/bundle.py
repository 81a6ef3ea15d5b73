"""A bundle: a folder with a network as ONNX graphs, and a manifest that describes them.

`asd export` writes bundles; scorers that run on ONNX Runtime read them. The manifest holds the
SHA-256 of each file, so that missing or altered files are noticed before they are run. All files
are in the folder itself, and each graph has its weights in its own file.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import WeightsError
from .files import sha256
from .named_files import parse_json, read_text_file
from .onnx_file import hold_in_one_file
from .weights import cache_folder, given_folder, note

MANIFEST = "manifest.json"
FORMAT = "asdkit-bundle-1"
"""The value of `format` in the manifest."""
_MOST_OPSET = 1000
AGAIN = "Copy the bundle again, or make it anew with: asd export"
"""Hint of errors about a damaged bundle."""


class Bundle:
    """A bundle on disk.

    Args:
        folder: The folder.

    Attributes:
        folder: The folder.
        manifest: The content of its manifest; docs/onnx.md lists the keys.

    Raises:
        WeightsError: The folder is not a bundle, or its manifest is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Mapping[str, Any] = _read(folder / MANIFEST)

    def file(self, name: str) -> Path:
        """A file of the bundle, checked against the manifest.

        Raises:
            WeightsError: The file is not in the manifest, is missing or altered, or is a graph
                with weights in another file.
        """
        path = self.folder / name
        files = self.manifest["files"]
        if name not in files:
            raise WeightsError(f"The bundle {self.folder} has no {name}; it has {', '.join(files)}")
        try:
            found = sha256(path)
        except OSError as error:
            raise WeightsError(
                f"{path} of the bundle cannot be read: {error.strerror}", AGAIN
            ) from error
        if found != files[name]["sha256"]:
            raise WeightsError(
                f"{path} was altered: its SHA-256 is {found}, but {MANIFEST} says "
                f"{files[name]['sha256']}",
                AGAIN,
            )
        if path.suffix == ".onnx":
            hold_in_one_file(path)
        return note(path)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        manifest = parse_json(read_text_file(path))
    except OSError as error:
        raise WeightsError(
            f"{path.parent} is not a bundle: {path.name} cannot be read ({error.strerror})",
            "asd export makes bundles",
        ) from error
    except ValueError as error:
        raise WeightsError(f"{path} is damaged: {error}", AGAIN) from error
    known = manifest.get("format") if isinstance(manifest, dict) else None
    if known != FORMAT:
        raise WeightsError(
            f"{path} is not a manifest this version reads: its format is "
            f"{reprlib.repr(known)}, not {FORMAT!r}",
            "Make the bundle anew with: asd export",
        )
    if wrong := next(_damages(manifest), None):
        raise WeightsError(f"{path} is damaged: {wrong}", AGAIN)
    return dict(manifest)


def _damages(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Each thing that is wrong with a manifest; later checks rely on the earlier ones."""
    parts = (("model", str), ("precision", str), ("opset", int), ("weights", dict), ("files", dict))
    for key, kind in parts:
        if type(manifest.get(key)) is not kind:  # not isinstance, as True is an int
            yield f"it says nothing of {key!r}"
    if not 0 < manifest["opset"] <= _MOST_OPSET:
        yield "there is no such opset"
    for key in ("name", "file", "sha256"):
        if not isinstance(manifest["weights"].get(key), str):
            yield f"its weights have no {key!r}"
    for name, entry in manifest["files"].items():
        if name in ("", ".", "..") or {*name} & {"/", "\\", "\0"}:
            yield f"{reprlib.repr(name)} is not the name of a file in its folder"
        if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
            yield f"it has no SHA-256 of {name}"


def bundle_name(model: str, weights: str, precision: str) -> str:
    """The folder name of a bundle of published weights."""
    return f"{model}_{weights}_{precision}"


def own_folder(name: str) -> Path:
    """The default folder of `asd export` for a bundle of published weights."""
    return cache_folder() / name


def find_bundle(model: str, weights: str) -> Path:
    """Find the exported bundle of published weights in fp32, in `ASDKIT_WEIGHTS` or the cache.

    Raises:
        WeightsError: There is no such bundle.
    """
    name = bundle_name(model, weights, "fp32")
    given = given_folder()
    candidates = [*([given / name] if given else []), own_folder(name)]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise WeightsError(
        f"There is no ONNX bundle of {model} with the weights {weights}: "
        f"no folder {' nor '.join(map(str, candidates))}",
        f"Where PyTorch is installed make it with: asd export scorer={model} "
        f"scorer.weights={weights} output=DIR, and give DIR as the weights",
    )
