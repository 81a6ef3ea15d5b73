"""Exports bundles, and checks existing ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..core.bundle import FORMAT, MANIFEST, Bundle, bundle_name, own_folder
from ..core.component import Context
from ..core.config.chosen import Chosen
from ..core.errors import ConfigError, MissingExtraError, OutputError, WeightsError
from ..core.exportable import Exportable, Tensor
from ..core.files import sha256, whole_folder
from ..core.version import __version__
from ..plugins.support.onnx_devices import check_device, import_onnxruntime
from ..plugins.support.pytorch import import_torch, set_threads
from .agreement import Recorder, measure_agreement, record
from .convert import check_opset, to_int8, to_onnx
from .proof import ANSWERS, Say, answers, prove
from .settings import ExportOptions, ExportPlan

_TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")


def export(plan: ExportPlan, say: Say) -> Bundle:
    """Export a scorer's network, run the proof, and put the bundle in place.

    Args:
        plan: The plan of the export.
        say: Called with a line on each step.

    Raises:
        AsdError: A required package is missing, the bundle cannot be written, or the proof fails.
            Then no bundle is written, and an existing one is unchanged.
    """
    options = plan.options
    context = Context(options.device, options.threads)
    _need_tools()
    check_device(context)
    check_opset(options.opset)
    set_threads(options.threads)
    network = _in(options.precision, plan.network())
    if options.precision == "int8" and not any(graph.int8 for graph in network.graphs):
        raise ConfigError(
            f"scorer={network.model} has nothing that may be computed in int8",
            "Choose precision=fp32 or precision=fp16",
        )
    folder = _target(network, options)
    say(f"exporting {network.model} from {network.source}, {options.precision}")
    with whole_folder(folder) as new:
        recorder = None
        if options.precision == "int8":
            say("finding faces to calibrate by")
            recorder = record(plan.scorer, options.calibration, options.threads)
        _write_graphs(new, network, options, recorder)
        manifest = _manifest(new, network, options)
        _write(new, manifest)
        proof = asdict(prove(Bundle(new), context, say))
        if recorder is not None:
            agreement = measure_agreement(recorder, _from_bundle(plan.scorer, new).build(context))
            say(str(agreement))
            clip = Path(options.calibration).name if options.calibration else "asd demo"
            proof["agreement"] = {"calibration": clip, **asdict(agreement)}
        _write(new, {**manifest, "proof": proof})
    return Bundle(folder)


def _in(precision: str, network: Exportable) -> Exportable:
    """What bundles of a precision hold of a network."""
    graphs = tuple(graph for graph in network.graphs if precision in graph.precisions)
    return replace(network, graphs=graphs)


def settings_to_check(bundle: Bundle) -> list[str]:
    """The overrides that reproduce the export of a bundle, to check it."""
    manifest = bundle.manifest
    weights = manifest["weights"]["name"]
    return [
        f"scorer={manifest['model']}",
        f"precision={manifest['precision']}",
        f"scorer.weights={weights or _NONE}",
    ]


_NONE = "none"
"""Placeholder for a user's own checkpoint, which must be named to check an int8 bundle."""


def check(bundle: Bundle, plan: ExportPlan, say: Say) -> None:
    """Repeat the proof of a bundle.

    Args:
        bundle: The bundle.
        plan: Provides device and threads; for int8 also the checkpoint and the video to judge by.
        say: Called with a line on each check.

    Raises:
        AsdError: A file is missing or altered, or the proof fails.
    """
    context = Context(plan.options.device, plan.options.threads)
    prove(bundle, context, say)
    if bundle.manifest["precision"] == "int8":
        made_of = bundle.manifest["weights"]
        if plan.scorer.config.weights == _NONE:
            raise ConfigError(
                "An int8 bundle is judged by PyTorch's scores, and this one was made of a "
                f"checkpoint that is not known here ({made_of['file']})",
                "Name it: scorer.weights=FILE",
            )
        network = plan.network()
        if (network.model, sha256(network.source)) != (bundle.manifest["model"], made_of["sha256"]):
            raise ConfigError(
                f"{bundle.folder} was made of other weights than {network.source}",
                f"Name the checkpoint {made_of['file']} it was made of: scorer.weights=FILE",
            )
        recorder = record(plan.scorer, plan.options.calibration, plan.options.threads)
        say(
            str(
                measure_agreement(recorder, _from_bundle(plan.scorer, bundle.folder).build(context))
            )
        )


def _need_tools() -> None:
    """Check that the packages needed for an export are installed.

    Raises:
        MissingExtraError: A package is missing.
    """
    import_torch("asd export")
    for name in ("onnx", "onnxscript"):
        try:
            import_module(name)
        except ImportError as error:
            raise MissingExtraError("asd export", name, "torch") from error
    import_onnxruntime("asd export")


def _target(network: Exportable, options: ExportOptions) -> Path:
    """The folder for the bundle.

    Raises:
        ConfigError: No folder was given, and the weights are a user's own file.
        OutputError: The folder holds other files, or a bundle that may not be overwritten.
    """
    if options.output is not None:
        folder = Path(options.output)
    elif network.weights:
        folder = own_folder(bundle_name(network.model, network.weights, options.precision))
    else:
        raise ConfigError(
            "output is not set, and the weights are a file of your own", "Set it: output=FOLDER"
        )
    try:
        folder = folder.expanduser().resolve()
        present = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except (OSError, RuntimeError) as error:  # RuntimeError: unknown user's home
        raise OutputError(
            f"Cannot write {folder}: {getattr(error, 'strerror', None) or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    if not present:
        return folder
    try:
        own = {MANIFEST, *Bundle(folder).manifest["files"]}
    except WeightsError:
        own = set()
    if present - own:
        raise OutputError(
            f"{folder} holds something that is not of a bundle ({min(present - own)})",
            "Choose another folder with output=FOLDER",
        )
    if not options.overwrite:
        raise OutputError(
            f"{folder} already holds a bundle",
            "Choose another folder with output=FOLDER, or replace it with overwrite=true",
        )
    return folder


def _write_graphs(
    folder: Path, network: Exportable, options: ExportOptions, recorder: Recorder | None
) -> None:
    """Write the graphs, and PyTorch's outputs for the proof."""
    notes = {
        "asdkit.model": network.model,
        "asdkit.precision": options.precision,
        "asdkit.weights": network.source.name,
        "asdkit.weights_sha256": sha256(network.source),
        "asdkit.licence": network.licence,
    }
    known: dict[str, Any] = {}
    for graph in network.graphs:
        model = to_onnx(graph, options.precision == "fp16", options.opset, notes)
        if recorder is not None:
            model = to_int8(model, graph, recorder.clips)
        (folder / graph.file).write_bytes(model.SerializeToString())
        known |= answers(graph)
    np.savez_compressed(folder / ANSWERS, **known)


def _manifest(folder: Path, network: Exportable, options: ExportOptions) -> dict[str, Any]:
    """The manifest without the results of the proof."""
    files: dict[str, dict[str, Any]] = {
        graph.file: {
            "meaning": graph.meaning,
            "inputs": [_described(tensor) for tensor in graph.inputs],
            "output": _described(graph.output),
            **({"more": [_described(tensor) for tensor in graph.more]} if graph.more else {}),
        }
        for graph in network.graphs
    }
    files[ANSWERS] = {"meaning": "what PyTorch computed, to check the graphs by"}
    for name, entry in files.items():
        entry["sha256"] = sha256(folder / name)
        entry["bytes"] = (folder / name).stat().st_size
    return {
        "format": FORMAT,
        "model": network.model,
        "weights": {
            "name": network.weights,
            "file": network.source.name,
            "sha256": sha256(network.source),
        },
        "licence": network.licence,
        "precision": options.precision,
        "opset": options.opset,
        "files": files,
        "versions": {"asdkit": __version__, **{name: _version(name) for name in _TOOLS}},
    }


def _described(tensor: Tensor) -> dict[str, Any]:
    return {"dtype": "float32", **asdict(tensor)}


def _version(package: str) -> str:
    """The version of a module; asked of the module, as two packages provide onnxruntime."""
    return str(import_module(package).__version__)


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


def _from_bundle(scorer: Chosen, folder: Path) -> Chosen:
    """The scorer with the network of a bundle in place of its own."""
    return replace(scorer, config=replace(scorer.config, weights=str(folder)))
