"""The registry: one hook for asdkit's own components and for strangers'."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from checkout import ROOT
from strangers import asd, install, package

import asdkit
from asdkit.core import contracts, hookspecs, types
from asdkit.core.component import KINDS, BuiltMember, Component, Context, Member
from asdkit.core.errors import PluginError
from asdkit.core.landmarks import FaceTemplate
from asdkit.core.registry import Provider, Registry, registry
from asdkit.core.result import Result, VideoInfo
from asdkit.core.scenes import Scene, SceneFace, SceneScorer
from asdkit.core.weights import Weights

EXAMPLE = ROOT / "examples" / "plugin"
BUILT_IN = {
    "cutter": ["content", "csv", "none"],
    "detector": ["boxes", "mtcnn", "s3fd", "yunet"],
    "tracker": ["bytetrack", "cbiou", "iou", "ocsort"],
    "scorer": ["ensemble", "light_asd", "lip_motion", "loconet", "lr_asd", "talknet"],
    "embedder": ["facenet", "mobilefacenet", "none"],
    "vad": ["energy", "none", "silero"],
    "context": ["none", "others"],
    "voice": ["campplus", "none"],
    "writer": [
        *("annotated", "ava", "clips", "eaf", "json", "mot", "otio", "pywork", "reframe"),
        *("report", "rttm", "srt", "textgrid", "timeline", "webvtt"),
    ],
    "dataset": ["asw", "ava", "columbia", "dialogue", "results", "rttm", "unitalk", "wasd"],
}


@dataclass(frozen=True)
class Config:
    """Parameters of a stranger's component."""


def component(name: str = "acme", kind: str = "detector") -> Component:
    return Component(kind, name, Config, lambda config, context: None)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """A folder with the example plugin installed into it, from its own pyproject.toml."""
    return install(EXAMPLE, tmp_path_factory.mktemp("stranger"))


@pytest.mark.usefixtures("own_alone")
def test_built_ins_come_through_the_entry_points():
    assert {kind: [c.name for c in registry().of_kind(kind)] for kind in KINDS} == BUILT_IN
    assert not [label for label in registry().failures if label.startswith("asdkit (")]
    assert all(provider.name == "asdkit" for provider in registry().providers.values())
    own = [e for e in entry_points(group="asdkit") if e.value.startswith("asdkit.plugins.")]
    assert {entry.name for entry in own} == {f"{kind}s" for kind in KINDS}


# Plugins in the field are called, and call, by the names below. If one of these tests fails, the
# change breaks plugins, or is about to add to what must be kept from now on. Make it only if it is
# meant; then change the list here, docs/plugins.md and CHANGELOG.md with it.

HOOKS = {"asdkit_components": "", "asdkit_presets": ""}
METHODS = {
    "Cutter.starts_shot": "self frame index",
    "Detector.detect": "self frames indices",
    "ScalingDetector.input_side_px": "self height width",
    "ScalingDetector.detect_scaled": "self frames indices size",
    "Tracker.update": "self index found",
    "Tracker.flush": "self",
    "Scorer.score": "self clips",
    "ShiftingScorer.score_shifted": "self clips",
    "FollowedByScorer.score": "self clip new",
    "FollowingScorer.follow": "self",
    "SceneScorer.score_scene": "self scene",
    "FaceContext.rescore": "self shot",
    "Embedder.embed": "self faces",
    "Vad.speech": "self sound",
    "VoiceEmbedder.embed": "self sounds",
    "Writer.write": "self result folder",
    "Dataset.videos": "self",
}
FIELDS = {
    Component: (
        "kind name config build weights files export trainable settle members shifts variant about "
        "needs needs_video"
    ),
    Context: "device threads detect_every members",
    Member: "kind name parameters called",
    BuiltMember: "in_words part",
    Weights: "name url published check size_bytes licence",
    FaceTemplate: "side_px landmarks",
    types.Detections: "boxes scores landmarks ids",
    types.TrackPiece: "track first_frame boxes status",
    types.Clip: "faces sound sound_before sound_after",
    types.Scores: "logits",
    Scene: "faces sound sound_before sound_after",
    SceneFace: "first_frame faces",
    types.Shot: "first_frame end tracks heard",
}
READ_FIELDS = {
    VideoInfo: "path duration_s width height fps has_sound",
    types.Track: "id shot first_frame boxes smoothed logits speaking",
    Result: "video shots tracks settings timings_s sound_path folder files",
}
"""Of what plugins read only; more may be added."""


def parameters(function: Callable) -> str:
    return " ".join(inspect.signature(function).parameters)


def test_the_hooks_keep_their_names_and_parameters():
    assert hookspecs.PROJECT == "asdkit"
    found = [f for f in vars(hookspecs).values() if hasattr(f, "asdkit_spec")]
    assert {function.__name__: parameters(function) for function in found} == HOOKS


def test_the_contracts_keep_their_methods_and_parameters():
    kinds = [c for c in vars(contracts).values() if getattr(c, "_is_protocol", False)]
    kinds.append(SceneScorer)
    found = {
        method.__qualname__: parameters(method)
        for contract in kinds
        for name, method in vars(contract).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    assert found == METHODS


def test_the_types_keep_their_fields():
    found = {t: getattr(t, "_fields", None) or [f.name for f in fields(t)] for t in FIELDS}
    assert {t: " ".join(names) for t, names in found.items()} == FIELDS
    for kind, names in READ_FIELDS.items():
        assert set(names.split()) <= {f.name for f in fields(kind)}


def test_two_packages_with_one_name_are_both_named():
    found = Registry()
    found.add(component(), Provider("first", "1"))
    with pytest.raises(PluginError, match=r"detector=acme: first and second"):
        found.add(component(), Provider("second", "1"))


@pytest.mark.usefixtures("own_alone")
def test_an_unknown_kind_or_name_lists_what_there_is():
    with pytest.raises(PluginError, match="boxes, mtcnn"):
        asdkit.load("detector", "yunett")
    with pytest.raises(PluginError, match=", ".join(KINDS)):
        asdkit.load("detecter", "yunet")


def in_order(*names: str, text: str) -> bool:
    """Whether a text lists these names in this order, perhaps with others between them."""
    return re.search(r", (?:\w+, )*".join(names), text) is not None


def test_a_strangers_package_is_listed_and_chosen(stranger, tmp_path):
    listed = asd("plugins", site=stranger)
    assert listed.returncode == 0, listed.stderr
    rows = [line.split() for line in listed.stdout.splitlines()]
    for kind in ("detector", "scorer", "writer"):
        assert [kind, "centre", "asdkit-centre", "0.1.0"] in [row[:4] for row in rows]
    rows = [row[:5] for row in rows]
    assert ["experiment", "centre", "asdkit-centre", "0.1.0", "preset:"] in rows
    assert ["scorer", "talknet_onnx", "asdkit", asdkit.__version__, "preset:"] in rows
    shown = asd(
        "run", "a.mp4", "detector=centre", "detector.face_ratio=0.25", "--cfg", "job",
        site=stranger,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "name: centre" in shown.stdout
    assert "face_ratio: 0.25" in shown.stdout
    wrong = asd("run", "a.mp4", "detector=centre", "detector.face_ratio=big", site=stranger)
    assert wrong.returncode == 2
    assert "detector.face_ratio" in wrong.stderr
    missing = asd("run", "a.mp4", "detector=center", site=stranger)
    assert missing.returncode == 2
    assert in_order("boxes", "centre", "mtcnn", text=missing.stderr)


def test_a_strangers_preset_is_chosen_as_asdkits_own(stranger):
    composed = asd(
        "run", "a.mp4", "experiment=centre", "writers.centre.decimals=1", "--cfg", "job",
        site=stranger,
    )  # fmt: skip
    assert composed.returncode == 0, composed.stderr
    for said in ("face_ratio: 0.6", "threshold_db: -40.0", "decimals: 1"):
        assert said in composed.stdout
    helped = asd("run", "experiment=centre", "--help", site=stranger)
    assert in_order("centre", "fast", text=" ".join(helped.stdout.split()))
    missing = asd("run", "a.mp4", "experiment=center", site=stranger)
    assert missing.returncode == 2
    assert in_order("centre", "fast", text=missing.stderr)


def preset(folder: Path, kind: str, name: str) -> Path:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / kind / f"{name}.yaml").write_text("")
    return folder


def test_presets_take_part_in_what_names_are_taken(tmp_path):
    found = Registry()
    first, second = Provider("first", "1"), Provider("second", "1")
    found.add(component("acme", "writer"), first)
    found.add_presets(preset(tmp_path / "one", "experiment", "acme"), first)
    assert found.choices("experiment") == found.choices("writer") == ["acme"]
    with pytest.raises(PluginError, match=r"experiment=acme: first and second"):
        found.add_presets(preset(tmp_path / "two", "experiment", "acme"), second)
    with pytest.raises(ValueError, match=r"no folder of presets; there are cutter, detector"):
        found.add_presets(preset(tmp_path / "three", "detectors", "far"), second)
    found.add(component("acme", "detector"), second)
    with pytest.raises(ValueError, match=r"a component and a preset are both .*detector=acme"):
        found.add_presets(preset(tmp_path / "four", "detector", "acme"), second)


UNUSABLE = """
from __future__ import annotations
from dataclasses import dataclass
import asdkit

@dataclass(frozen=True)
class C:
    size: Pixels = 3

@asdkit.hookimpl
def asdkit_components():
    return [asdkit.Component("detector", "{name}", {config}, print)]
"""


def test_a_broken_plugin_is_reported_and_stops_nobody(tmp_path):
    package(tmp_path, "broken", "import no_such_module")
    package(
        tmp_path,
        "misspelt",
        "import asdkit\n@asdkit.hookimpl\ndef asdkit_component():\n    return []\n",
    )
    package(
        tmp_path,
        "odd",
        "import asdkit\n@asdkit.hookimpl\ndef asdkit_components():\n"
        "    return [asdkit.Component('tractor', 'x', int, None)]\n",
    )
    package(
        tmp_path,
        "bare",
        "import asdkit, pathlib\n@asdkit.hookimpl\ndef asdkit_presets():\n"
        "    return pathlib.Path(__file__).parent / 'conf'\n",
    )
    package(tmp_path, "quits", "import sys\nsys.exit('usage: quits')\n")
    for name, config in (("plain", "int"), ("unknown", "C")):
        package(tmp_path, name, UNUSABLE.format(name=name, config=config))
    package(tmp_path, "damaged", "")
    (tmp_path / "damaged-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff[asdkit]\n")
    package(tmp_path, "nameless", "")
    (tmp_path / "nameless-1.0.dist-info" / "METADATA").unlink()
    listed = asd("plugins", site=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert ["detector", "mtcnn"] in [line.split()[:2] for line in listed.stdout.splitlines()]
    assert "bare 1.0 (main) failed to load: ValueError" in listed.stdout
    assert "conf holds no preset" in listed.stdout
    assert "broken 1.0 (main) failed to load: ModuleNotFoundError: No module named" in listed.stdout
    assert "misspelt 1.0 (main) failed to load: PluginValidationError" in listed.stdout
    assert "odd 1.0 (main) failed to load: ValueError" in listed.stdout
    assert "quits 1.0 (main) failed to load: SystemExit: usage: quits" in listed.stdout
    assert (
        "plain 1.0 (main) failed to load: ValueError: detector=plain: config must" in listed.stdout
    )
    assert (
        "unknown 1.0 (main) failed to load: ValueError: detector=unknown: C cannot" in listed.stdout
    )
    assert "damaged-1.0.dist-info failed to load: UnicodeDecodeError" in listed.stdout
    assert "nameless-1.0.dist-info failed to load: ValueError: there are entry" in listed.stdout
    missing = asd("run", "a.mp4", "detector=broken", site=tmp_path)
    assert missing.returncode == 2
    assert "broken 1.0 (main)" in missing.stderr


@dataclass(frozen=True)
class Odd:
    """Parameters that cannot be options."""

    sizes: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Named:
    """A parameter that every component has."""

    name: str = "x"


@dataclass(frozen=True)
class Calibrated:
    """A parameter that every scorer has."""

    calibration: str = "x"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"kind": "tractor"}, "of no kind of component; there are cutter"),
        ({"name": "a b"}, "must be letters, digits, - and _, but is 'a b'"),
        ({"name": "../a"}, "must be letters, digits"),
        ({"name": ""}, "must be letters, digits"),
        ({"name": None}, "must be letters, digits"),
        ({"build": None}, "scorer=acme: build must be a function, but is None"),
        ({"export": "net"}, "scorer=acme: export must be a function, but is 'net'"),
        ({"settle": 3}, "scorer=acme: settle must be a function, but is 3"),
        ({"members": []}, r"scorer=acme: members must be a function, but is \[\]"),
        ({"config": int}, "scorer=acme: config must be a dataclass, but is <class 'int'>"),
        ({"config": Config()}, "scorer=acme: config must be a dataclass, but is Config"),
        ({"config": Odd}, r"Odd cannot be made options: ValidationError: Unexpected type ann"),
        ({"config": Named}, "Named has a field name, which every scorer has already"),
        ({"config": Calibrated}, "Calibrated has a field calibration, which every scorer has"),
        ({"weights": ["net.pt"]}, r"weights must be a tuple of Weights, but is \['net.pt'\]"),
        ({"files": "a.txt"}, "files must be a tuple of str, but is 'a.txt'"),
        ({"files": ["a.txt"]}, r"files must be a tuple of str, but is \['a.txt'\]"),
        ({"files": ("/etc/passwd",)}, "files must be names within a folder, but one is '/etc/p"),
        ({"files": ("../a.txt",)}, "files must be names within a folder, but one is '../a.txt'"),
        ({"files": ("",)}, "files must be names within a folder, but one is ''"),
        ({"files": ("*",)}, "scorer=acme: files must have three letters"),
    ],
)
def test_a_component_that_cannot_be_chosen_is_not_added(changed, words):
    found = Registry()
    good = component("good", "scorer")
    odd = replace(component("acme", "scorer"), **changed)
    with pytest.raises(ValueError, match=words):
        found.add_all([good, odd], Provider("acme", "1"))
    assert found.components == {}
    found.add_all([good], Provider("acme", "1"))
    assert list(found.components) == [("scorer", "good")]


@pytest.mark.parametrize("answer", [None, 3, ["detector"], [Config]])
def test_what_is_no_list_of_components_is_not_added(answer):
    with pytest.raises(TypeError, match="asdkit_components "):
        Registry().add_all(answer, Provider("acme", "1"))


def test_two_packages_with_one_name_stop_with_one_line(tmp_path):
    code = (
        "import asdkit, dataclasses\n@dataclasses.dataclass\nclass C: pass\n"
        "@asdkit.hookimpl\ndef asdkit_components():\n"
        "    return [asdkit.Component('detector', 'mtcnn', C, print)]\n"
    )
    package(tmp_path, "rival", code)
    done = asd("plugins", site=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "asdkit and rival" in done.stderr
