"""The cache's keys: everything that scores and detections depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..component import PASS_KINDS
from ..config.chosen import Chosen
from ..config.plan import RunPlan
from ..files import expanded, sha256
from ..labels import LabelledFace
from ..provenance import versions
from .labelled_faces import FOUND_KINDS

_MATTER = (
    *("allow_silent", "device", "threads", "seed"),
    *("batch_frames", "crop_scale", "detect_every", "max_faces", "sync"),
    *("video_track", "sound_track", "program", "rotate", "max_pixels"),
)
"""Options, besides the components, that affect scores or the cost of computing them."""
MATTER_TO_DETECTORS = (
    *("device", "threads", "batch_frames"),
    *("video_track", "program", "rotate", "max_pixels"),
)
_SELF = __name__.partition(".")[0]
_MINE = (f"{_SELF}.core", f"{_SELF}.plugins")
"""The packages of asdkit's own components and of the code that runs them."""


def scores_key(content: str, plan: RunPlan, faces: Sequence[LabelledFace]) -> dict[str, Any]:
    """The key of a video's scores; without thresholds, which are applied to cached scores."""
    own = {}
    if plan.chosen["embedder"].component.name != "none":
        own["embed_every"] = plan.options.embed_every
    return _key_of_pass("scores", content, plan, faces, PASS_KINDS, **own)


def faces_key(content: str, plan: RunPlan, faces: Sequence[LabelledFace]) -> dict[str, Any]:
    """The key of a video's cut faces with their sound, whatever scores them."""
    return _key_of_pass("faces", content, plan, faces, FOUND_KINDS)


def _key_of_pass(
    what: str,
    content: str,
    plan: RunPlan,
    faces: Sequence[LabelledFace],
    kinds: Sequence[str],
    **more: Any,
) -> dict[str, Any]:
    """The key of what a pass with components of these kinds finds out."""
    options = plan.options
    given = hashlib.sha256()
    for face in faces:
        given.update(f"{face.first_frame} ".encode() + face.boxes.tobytes())
    unused = FOUND_KINDS if faces else ()
    passing = {kind: plan.chosen[kind] for kind in kinds}
    return {
        "what": what,
        "video": content,
        "sound": sha256(expanded(options.sound)) if options.sound else None,
        "end_s": options.end_s,
        "faces": given.hexdigest() if faces else None,
        "options": {**{name: getattr(options, name) for name in _MATTER}, **more},
        "versions": versions(replace(plan, chosen=passing)),
        **{kind: described(plan.chosen[kind]) for kind in kinds if kind not in unused},
    }


def voices_key(content: str, plan: RunPlan) -> dict[str, Any]:
    """The key of a video's voices, each of which is known by its samples."""
    options = plan.options
    chosen = plan.chosen["voice"]
    return {
        "what": "voices",
        "video": content,
        "sound": sha256(expanded(options.sound)) if options.sound else None,
        "options": {name: getattr(options, name) for name in ("device", "threads")},
        "versions": versions(replace(plan, chosen={"voice": chosen}, writers=())),
        "voice": described(chosen),
    }


def described(chosen: Chosen) -> dict[str, Any]:
    """A component's name, parameters, hash of its code, and hashes of files its parameters name.

    Of all that it is made of, `members`, likewise.
    """
    first, *members = map(_described, chosen.whole())
    return {**first, "members": members}


def _described(chosen: Chosen) -> dict[str, Any]:
    return {
        "name": chosen.component.name,
        "parameters": asdict(chosen.config),
        "files": {name: sha256(path) for name, path in chosen.named_files().items()},
        "code": _code(chosen.component.config.__module__.partition(".")[0]),
    }


@cache
def _code(package: str) -> str:
    """A hash of a package's code, since a plugin's author changes code without a new version."""
    own = [find_spec(package)] if package != _SELF else map(find_spec, _MINE)
    folders = [Path(spec.origin).parent for spec in own if spec and spec.origin]
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
