"""TalkNet on ONNX Runtime: PyTorch's numbers, without PyTorch, and every way loading can fail."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import synth
from extras import onnx, onnxruntime, torch
from family import clip_of
from onnx import TensorProto, helper
from refusing import refusal

import asdkit
from asdkit.core.bundle import FORMAT
from asdkit.core.component import Context
from asdkit.core.errors import (
    ConfigError,
    DeviceError,
    MissingExtraError,
    OutputError,
    WeightsError,
)
from asdkit.core.files import sha256
from asdkit.core.installation import install_words
from asdkit.core.onnx_file import hold_in_one_file
from asdkit.plugins.scorers.talknet import MODEL, TALKNET
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.onnx_runtime import SplitRuntime, WholeRuntime
from asdkit.plugins.scorers.windowed.tensors import LOGITS, MFCC
from asdkit.plugins.support import onnx_devices
from asdkit.plugins.support.onnx import OnnxSession, nodes_by_provider
from asdkit.plugins.support.onnx_devices import CPU, CUDA, TENSORRT

HAS_GPU = torch.cuda.is_available()
needs_cuda = pytest.mark.skipif(
    not (HAS_GPU and CUDA in onnxruntime.get_available_providers()),
    reason="needs a CUDA device and an ONNX Runtime for it",
)


def loaded(weights, device="cpu", **parameters):
    return TALKNET.build(WindowedConfig(str(weights), **parameters), Context(device))


def refused(kind, weights, **parameters):
    return refusal(kind, loaded, weights, **parameters)


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    """A graph that hands on x (batch, 3)."""
    return save(tmp_path_factory.mktemp("identity") / "identity.onnx", {"x": ["batch", 3]})


def save(path, inputs, output="y", opset=18, kind=TensorProto.FLOAT, **notes):
    """A graph that hands on its first input."""
    values = [helper.make_tensor_value_info(name, kind, sizes) for name, sizes in inputs.items()]
    result = helper.make_tensor_value_info(output, kind, next(iter(inputs.values())))
    node = helper.make_node("Identity", [next(iter(inputs))], [output], "the_node")
    graph = helper.make_graph([node], "graph", values, [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    helper.set_model_props(model, notes)
    onnx.save(model, path)
    return path


# Running


@pytest.mark.slow
def test_all_ways_give_the_same_scores(bundle, checkpoint):
    """Several clips at once, with edges in some windows and not in others."""
    clips = [clip_of(f"ways{frames}", frames) for frames in (53, 3, 1, 28)]
    ways = [
        loaded(path, window_seconds=[1, 2, 2])
        for path in (checkpoint, bundle, bundle / "model.onnx")
    ]
    wanted, *others = (way.score(clips) for way in ways)
    for found in others:
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one.logits, other.logits, atol=1e-4, rtol=0)
    assert loaded(bundle).score([]) == []


@pytest.mark.slow
def test_weights_say_which_runtime(bundle, checkpoint):
    def runtime(weights, **parameters):
        return loaded(weights, **parameters)._runtime

    assert isinstance(runtime(bundle), SplitRuntime)
    assert isinstance(runtime(bundle, runtime="onnx"), SplitRuntime)
    assert isinstance(runtime(bundle / "model.onnx"), WholeRuntime)
    assert "nowhere.ONNX" in refused(WeightsError, bundle / "nowhere.ONNX")
    assert type(runtime(checkpoint)).__name__ == "TorchRuntime"
    assert loaded(bundle).device == "cpu"


@pytest.mark.slow
def test_published_weights_are_looked_for_as_a_bundle(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(tmp_path))
    text = refused(WeightsError, "talkset", runtime="onnx")
    for said in (
        "no folder",
        str(tmp_path / "talknet_talkset_fp32"),
        str(tmp_path / "cache" / "talknet_talkset_fp32"),
        "asd export scorer=talknet scorer.weights=talkset output=DIR",
    ):
        assert said in text
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "talknet_talkset_fp32").symlink_to(bundle)
    assert loaded("talkset", runtime="onnx").device == "cpu"
    (tmp_path / "talknet_talkset_fp32").mkdir()  # this one comes first
    assert "is not a bundle" in refused(WeightsError, "talkset", runtime="onnx")


NO_TORCH = """
import sys

for name in ("torch", "torchvision", "facenet_pytorch", "onnx", "onnxscript"):
    sys.modules[name] = None  # importing it fails

from asdkit.core.cli.main import main

main(sys.argv[1:])
loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
assert "onnxruntime" in loaded
assert not {"torch", "torchvision", "facenet_pytorch", "onnx"} & loaded
"""


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["boxes", "yunet"])
def test_a_video_without_torch(bundle, tmp_path, shared, monkeypatch, detector):
    if detector == "yunet":
        monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
        words = [str(shared("clips/dialogue_small.mp4")), "end_s=3", "detector=yunet"]
    else:
        sound = synth.clicks([0.2, 0.7], 1.0)
        clip = synth.write_video(tmp_path / "clip.mp4", frames=25, sounds=[(0.0, sound)])
        (tmp_path / "boxes.json").write_text(json.dumps([[[20, 10, 60, 50, 1.0]]] * 25))
        words = [str(clip), "detector=boxes", f"detector.path={tmp_path / 'boxes.json'}"]
    words += ["scorer=talknet_onnx", f"scorer.weights={bundle}", f"output={tmp_path / 'out'}"]
    words += ["device=cpu", "writers=[json,rttm]"]
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH, "run", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "result.json").stat().st_size > 0


@pytest.mark.slow
def test_a_run_gives_pytorchs_scores(bundle, checkpoint, shared, tmp_path):
    video = shared("clips/dialogue.mp4")
    boxes = shared("reference/dialogue.detections.json")
    parts = ["detector=boxes", f"detector.path={boxes}", "writers=[json]", "device=cpu"]
    parts += ["end_s=2", "scorer.window_seconds=[1]"]
    results = []
    for number, weights in enumerate((checkpoint, bundle)):
        output = tmp_path / str(number)
        asdkit.run(video, [*parts, f"scorer.weights={weights}", f"output={output}"])
        results.append(json.loads((output / "result.json").read_text()))
        assert results[-1]["provenance"]["devices"] == {"scorer": "cpu"}
    by_torch, by_onnx = (result["tracks"] for result in results)
    assert len(by_torch) == 2
    for one, other in zip(by_torch, by_onnx, strict=True):
        np.testing.assert_allclose(one["scores"], other["scores"], atol=1e-3, rtol=0)


# Loading


@pytest.mark.slow
@pytest.mark.parametrize("name", ["frontend.onnx", "window.onnx"])
def test_bundles_with_a_file_missing_or_altered(bundle, tmp_path, name):
    broken = shutil.copytree(bundle, tmp_path / "broken")
    with (broken / name).open("r+b") as file:
        file.seek(10**6)
        file.write(b"\0\0\0\0")
    assert f"{name} was altered: its SHA-256 is" in refused(WeightsError, broken)
    (broken / name).unlink()
    assert f"{name} of the bundle cannot be read" in refused(WeightsError, broken)


@pytest.mark.slow
def test_bundles_of_another_model(bundle, tmp_path):
    other = shutil.copytree(bundle, tmp_path / "other")
    manifest = other / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"talknet"', '"lr_asd"'))
    assert "is a bundle of lr_asd, not of talknet" in refused(WeightsError, other)


def test_models_that_are_not_talknet(identity, tmp_path):
    text = refused(WeightsError, identity)
    assert f"{identity} is not TalkNet: it has x (batch, 3), y (batch, 3), expected" in text
    assert "faces (batch, frames, 112, 112)" in text
    inputs = {"mfcc": ["b", "m", 13], "faces": ["b", 25, 112, 112]}
    fixed = save(tmp_path / "fixed.onnx", inputs, "logits")
    assert "is not TalkNet" in refused(WeightsError, fixed)
    named = save(tmp_path / "named.onnx", inputs, "logits", **{"asdkit.model": "lr_asd"})
    assert "holds lr_asd, not talknet" in refused(WeightsError, named)


@pytest.mark.slow
def test_logits_of_another_shape(bundle, monkeypatch):
    talknet = loaded(bundle / "model.onnx")
    monkeypatch.setattr(OnnxSession, "run", lambda *_: np.zeros((1, 3, 2), np.float32))
    with pytest.raises(WeightsError, match=r"gave logits \(1, 3, 2\), expected \(1, 2, 2\)"):
        talknet.score([clip_of("shape", 2)])


def test_models_of_another_type(tmp_path):
    inputs = {"faces": ["b", "t", 112, 112], "mfcc": ["b", "m", 13]}
    half = save(tmp_path / "half.onnx", inputs, "logits", kind=TensorProto.FLOAT16)
    assert "as tensor(float16), expected tensor(float)" in refused(WeightsError, half)


def test_a_graph_that_fails_is_one_line(identity):
    session = OnnxSession(identity, Context("cpu"))
    with pytest.raises(WeightsError, match=r"failed on cpu with x \(2, 4\)") as caught:
        session.run({"x": np.zeros((2, 4), np.float32)})
    assert "\n" not in str(caught.value)
    assert "may be of another model" in str(caught.value)
    assert "batch_frames" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "option"),
    [({}, "scorer.batch_frames"), ({"smaller": "detector.size_px"}, "detector.size_px")],
)
def test_memory_that_is_short_is_told_so(identity, monkeypatch, given, option):
    session = OnnxSession(identity, Context("cpu"), **given)

    def fail(*_):
        raise RuntimeError("Failed to allocate memory for requested buffer of size 99")

    monkeypatch.setattr(session, "_value", SimpleNamespace(ortvalue_from_numpy=fail))
    with pytest.raises(WeightsError, match=f"Use a smaller {re.escape(option)}"):
        session.run({"x": np.zeros((1, 3), np.float32)})


def test_files_that_are_no_models(tmp_path):
    path = tmp_path / "page.onnx"
    path.write_text("<html>Sign in</html>")
    assert f"{path} is not an ONNX graph, or is damaged" in refused(WeightsError, path)
    with pytest.raises(WeightsError) as caught:
        OnnxSession(path, Context("cpu"))
    assert f"cannot run {path}: Protobuf parsing failed" in str(caught.value)
    assert onnxruntime.__version__ in str(caught.value)


@pytest.mark.parametrize("where", ["initializer", "attribute", "branch", "function"])
def test_graphs_with_weights_in_other_files_are_refused(tmp_path, where):
    """Harmless: the file named is not there, and is never looked for."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="nowhere.bin")
    path = save(tmp_path / "graph.onnx", {"x": ["batch", 3]})
    assert hold_in_one_file(path) == path
    model = onnx.load(path)
    if where == "initializer":
        model.graph.initializer.append(weight)
    elif where == "attribute":
        model.graph.node.append(helper.make_node("Constant", [], ["c"], value=weight))
    elif where == "branch":
        inner = helper.make_graph([], "inner", [], [], [weight])
        model.graph.node.append(helper.make_node("If", ["x"], ["i"], then_branch=inner))
    else:
        model.functions.add().node.append(helper.make_node("Constant", [], ["c"], value=weight))
    path.write_bytes(model.SerializeToString())
    text = refused(WeightsError, path)
    assert f"{path} keeps weights in other files, which asdkit does not open" in text


def test_a_graph_of_another_model_is_refused_before_it_is_run(tmp_path):
    sharing = MODEL.sharing
    files = {}
    for name, inputs, output in (
        ("frontend", (sharing.seen,), sharing.vectors),
        ("window", (MFCC, sharing.visual), LOGITS),
    ):
        shapes = {tensor.name: list(tensor.shape) for tensor in inputs}
        path = save(tmp_path / f"{name}.onnx", shapes, output.name)
        files[path.name] = {"sha256": sha256(path)}
    manifest = {
        "format": FORMAT, "model": "talknet", "precision": "fp32", "opset": 18, "files": files,
        "weights": {"name": "", "file": "x", "sha256": "0"},
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    text = refused(WeightsError, tmp_path)
    assert "frontend.onnx is not TalkNet: it has seen (batch, 5, 112, 112), visual (" in text
    assert "Make one with: asd export scorer=talknet output=DIR" in text
    assert "memory" not in text


def test_an_opset_the_runtime_does_not_know(tmp_path):
    path = save(tmp_path / "new.onnx", {"x": ["batch", 3]}, opset=99)
    text = refused(WeightsError, path)
    assert "pset" in text
    assert "99" in text
    assert "lower opset" in text
    assert "onnxruntime_src" not in text


def test_weights_that_are_nowhere(tmp_path):
    text = refused(WeightsError, tmp_path / "nowhere.onnx")
    assert "There is no bundle and no ONNX model" in text
    assert "asd export" in text
    text = refused(WeightsError, tmp_path / "nowhere", runtime="onnx")
    assert "There is no bundle" in text


def test_weights_for_the_other_runtime(identity, checkpoint):
    text = refused(WeightsError, identity, runtime="torch")
    assert "is for ONNX Runtime, but scorer.runtime=torch" in text
    text = refused(WeightsError, checkpoint, runtime="onnx")
    assert "is neither a bundle nor an ONNX model" in text
    assert f"asd export scorer=talknet scorer.weights={checkpoint}" in text


def test_tensorrt_is_for_onnx(checkpoint):
    assert "Use scorer=talknet_onnx" in refused(ConfigError, checkpoint, tensorrt=True)


def test_an_unknown_runtime_is_named():
    with pytest.raises(ValueError, match="runtime must be auto, torch or onnx, got 'tflite'"):
        WindowedConfig(runtime="tflite")


def test_missing_onnxruntime_says_what_to_install(identity, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    text = refused(MissingExtraError, identity)
    assert "needs the package onnxruntime" in text
    assert install_words("cpu") in text


# Devices


class FakeRuntime:
    """ONNX Runtime on a machine that is told of: what is installed, and what starts."""

    def __init__(self, monkeypatch, installed, starts, fails=False):
        self.asked = []
        self.starts, self.fails = starts, fails
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*installed, CPU])
        monkeypatch.setattr(onnxruntime, "InferenceSession", self.session)

    def session(self, path, options, providers, **_):
        names = [p if isinstance(p, str) else p[0] for p in providers]
        self.asked.append(providers)
        if self.fails and names != [CPU]:
            raise RuntimeError("a library is missing")
        got = [name for name in names if name == CPU or name in self.starts]
        return SimpleNamespace(get_providers=lambda: got)


def test_the_device_asked_for_is_had(monkeypatch, tmp_path):
    fake = FakeRuntime(monkeypatch, [TENSORRT, CUDA], [CUDA])
    session = OnnxSession(tmp_path, Context("cuda:1"))
    assert (session.device, session.providers) == ("cuda:1", (CUDA, CPU))
    ((cuda, options), cpu) = fake.asked[0]
    assert (cuda, cpu) == (CUDA, CPU)
    assert options["device_id"] == "1"
    assert options["use_tf32"] == "0"
    assert OnnxSession(tmp_path, Context("auto")).device == "cuda:0"
    assert OnnxSession(tmp_path, Context("cpu")).providers == (CPU,)


@pytest.mark.parametrize("fails", [False, True])
def test_a_device_that_does_not_start_is_never_replaced(monkeypatch, tmp_path, fails):
    FakeRuntime(monkeypatch, [CUDA], [], fails)
    with pytest.raises(
        DeviceError, match=r"device=cuda needs the CUDAExecutionProvider.*pip install.*\[gpu"
    ):
        OnnxSession(tmp_path, Context("cuda"))
    session = OnnxSession(tmp_path, Context("auto"))
    assert (session.device, session.providers) == ("cpu", (CPU,))


def test_a_bad_file_is_not_blamed_on_the_device(monkeypatch, tmp_path):
    path = tmp_path / "page.onnx"
    path.write_text("<html>Sign in</html>")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    with pytest.raises(WeightsError, match="Protobuf parsing failed"):
        OnnxSession(path, Context("cuda"))


def test_a_library_that_is_missing_is_named(monkeypatch, tmp_path):
    capi = tmp_path / "capi"
    capi.mkdir()
    library = capi / "libonnxruntime_providers_cuda.so"
    library.write_bytes(b"not a library")
    FakeRuntime(monkeypatch, [CUDA], [])
    monkeypatch.setattr(onnxruntime, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(DeviceError, match=r"cannot start: .*libonnxruntime_providers_cuda\.so"):
        OnnxSession(tmp_path, Context("cuda"))


def test_tensorrt_is_asked_for_by_name(monkeypatch, tmp_path):
    FakeRuntime(monkeypatch, [CUDA], [CUDA])
    with pytest.raises(DeviceError, match="tensorrt=true needs the TensorrtExecutionProvider"):
        OnnxSession(tmp_path, Context("auto"), tensorrt=True)
    with pytest.raises(DeviceError, match="device=cpu was asked for"):
        OnnxSession(tmp_path, Context("cpu"), tensorrt=True)
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path))
    both = [TENSORRT, CUDA]
    fake = FakeRuntime(monkeypatch, both, both)
    session = OnnxSession(tmp_path, Context("cuda"), tensorrt=True)
    assert session.providers[0] == TENSORRT
    options = fake.asked[0][0][1]
    assert options["trt_engine_cache_enable"] == "True"
    assert options["trt_engine_cache_path"] == str(tmp_path / "tensorrt")
    assert (tmp_path / "tensorrt").is_dir()
    monkeypatch.setenv("ASDKIT_CACHE", "/proc/asdkit")
    with pytest.raises(OutputError, match="ASDKIT_CACHE"):
        OnnxSession(tmp_path, Context("cuda"), tensorrt=True)


@pytest.mark.skipif(HAS_GPU, reason="there is a CUDA device")
def test_cuda_without_a_gpu(identity):
    with pytest.raises(DeviceError) as caught:
        OnnxSession(identity, Context("cuda"))
    text = str(caught.value)
    assert "device=cuda needs the CUDAExecutionProvider" in text
    assert f"pip uninstall --yes onnxruntime && {install_words('gpu')}" in text
    with pytest.raises(DeviceError, match="is not a device asdkit knows"):
        OnnxSession(identity, Context("gpu"))


def test_threads_are_those_asked_for(monkeypatch, identity):
    given = []
    real = onnxruntime.InferenceSession

    def session(path, options, **words):
        given.append(options.intra_op_num_threads)
        return real(path, options, **words)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    for threads in (1, 3, None):
        OnnxSession(identity, Context("cpu", threads))
    assert given == [1, 3, 0]  # 0 is its own choice


def test_a_session_hands_arrays_through(identity):
    session = OnnxSession(identity, Context("cpu"))
    x = np.arange(12, dtype=np.float32).reshape(3, 4).T  # not in C order
    found = session.run({"x": x[:, :3]})
    np.testing.assert_array_equal(found, x[:, :3])
    assert session.inputs == {"x": ["batch", 3]}
    assert session.outputs == {"y": ["batch", 3]}
    assert nodes_by_provider(identity, Context("cpu"), {"x": np.zeros((1, 3), np.float32)}) == {
        CPU: {"the_node"}
    }


@pytest.mark.gpu
@needs_cuda
def test_cuda_gives_the_scores_of_the_cpu(bundle):
    clips = [clip_of("cuda", 60), clip_of("cuda2", 7)]
    on_cpu, on_cuda = (loaded(bundle, device, window_seconds=[1, 2]) for device in ("cpu", "cuda"))
    assert on_cuda.device == "cuda:0"
    for one, other in zip(on_cuda.score(clips), on_cpu.score(clips), strict=True):
        np.testing.assert_allclose(one.logits, other.logits, atol=1e-4, rtol=0)


@pytest.mark.gpu
@needs_cuda
def test_no_node_falls_back_to_the_cpu(bundle):
    inputs = {
        "mfcc": np.zeros((2, 28, 13), np.float32),
        "faces": np.zeros((2, 7, 112, 112), np.float32),
    }
    assert set(nodes_by_provider(bundle / "model.onnx", Context("cuda"), inputs)) == {CUDA}


def test_importing_the_scorers_imports_neither_runtime():
    program = (
        "import sys, asdkit.plugins.scorers, asdkit.plugins.support.onnx\n"
        "sys.exit(bool({'torch', 'onnxruntime', 'onnx'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert onnx_devices.import_onnxruntime("a test") is onnxruntime
