"""MobileFaceNet: aligned faces as vectors, without PyTorch."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
from synth import write_video

import asdkit
from asdkit import testing
from asdkit.core.analysis.alignment import aligned
from asdkit.core.errors import ConfigError, DeviceError, MissingExtraError, WeightsError
from asdkit.core.media.picture import frames as frames_of
from asdkit.core.media.probe import probe
from asdkit.core.registry import registry
from asdkit.plugins.embedders import mobilefacenet

onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: asdkit[cpu]")


@pytest.fixture(scope="module")
def weights(shared):
    with pytest.MonkeyPatch.context() as patch:
        path = shared("weights/mobilefacenet.onnx")
        patch.setenv("ASDKIT_WEIGHTS", str(path.parent))
        yield path


@pytest.fixture(scope="module")
def embedder(weights):
    return asdkit.load("embedder", "mobilefacenet", device="cpu", threads=1)


@pytest.fixture(scope="module")
def pictures(shared):
    """The first picture of each shot of the dialogue: two people, and a third one."""
    media = probe(shared("clips/dialogue.mp4"))
    return [f.image for f in islice(frames_of(media), 151) if f.index in (0, 150)]


@pytest.mark.weights
def test_the_check_of_every_embedder(embedder):
    testing.check_embedder(embedder)


@pytest.mark.weights
def test_faces_are_fed_as_the_network_was_trained(embedder, weights):
    """Held against ONNX Runtime itself, value by value."""
    faces = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3)).astype(np.uint8)
    session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    wanted = []
    for face in faces:
        planes = [
            (face[..., channel] / 255.0 - mean) / std
            for channel, (mean, std) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)])
        ]
        (vector,) = session.run(None, {"input0": np.stack(planes)[None].astype(np.float32)})
        wanted.append(vector[0] / np.sqrt((vector**2).sum()))
    found = embedder.embed(faces)
    assert found.dtype == np.float32
    assert found.shape == (3, 128)
    np.testing.assert_allclose(found, wanted, atol=1e-4, rtol=0)
    assert np.abs(found - embedder.embed(faces[..., ::-1])).max() > 0.05


@pytest.mark.weights
def test_no_face_gives_no_vector(embedder):
    assert embedder.embed(np.empty((0, 112, 112, 3), np.uint8)).shape == (0, 128)


@pytest.mark.weights
def test_a_person_is_near_to_himself_however_the_picture_is_turned(embedder, pictures):
    """Upright, and with the whole picture turned by a quarter, landmarks and all."""
    detector = asdkit.load("detector", "yunet", threads=1)
    faces, turned = [], []
    for picture in pictures:
        (found,) = detector.detect(picture[None], [0])
        for points in found.landmarks:
            faces.append(aligned(picture, points, embedder.template))
            around = np.stack([points[:, 1], picture.shape[1] - 1 - points[:, 0]], 1)
            quarter = np.ascontiguousarray(np.rot90(picture))
            turned.append(aligned(quarter, around, embedder.template))
    upright, again = embedder.embed(np.stack(faces)), embedder.embed(np.stack(turned))
    distances = 1 - upright @ again.T
    assert len(distances) == 3
    assert np.diag(distances).max() < 0.05
    limit = mobilefacenet.MobilefacenetEmbedder.identity_distance
    assert distances[~np.eye(3, dtype=bool)].min() > limit + 0.15


@pytest.fixture(scope="module")
def clip(shared, tmp_path_factory):
    """Four seconds: the two of the dialogue, then the third alone, then the two on other sides."""
    images = {f.index: f.image[::2, ::2] for f in frames_of(probe(shared("clips/dialogue.mp4")))}

    def image(k, *_):
        if k < 40:
            return images[k]
        if k < 70:
            return images[150 + k]
        return np.concatenate([images[k + 40][:, 320:], images[k + 40][:, :320]], 1)

    path = tmp_path_factory.mktemp("shots") / "three.mkv"
    return write_video(path, frames=100, size=(640, 360), image=image)


@pytest.mark.weights
@pytest.mark.parametrize("every", ["1", "3"])
def test_people_have_one_identity_across_shots(weights, clip, every):
    result = asdkit.run(
        clip,
        [
            *("detector=yunet", "scorer=lip_motion", "embedder=mobilefacenet", "writers=[]"),
            *("allow_silent=true", "threads=1", f"detect_every={every}", "embed_every=10"),
        ],
    )
    assert len(result.shots) == 3
    found = sorted((one.shot, one.boxes[0, 0], one.identity) for one in result.tracks)
    first, second, third, *again = (name for _, _, name in found)
    assert len({first, second, third}) == 3
    assert again == [second, first]
    assert result.settings["identity_distance"] == 0.55


@pytest.mark.weights
def test_dialogue(weights, shared, tmp_path):
    """Three people, no two of them one; and by name, from a portrait of another size."""
    import cv2

    media = probe(shared("clips/dialogue.mp4"))
    picture = next(f.image for f in frames_of(media) if f.index == 160)
    cv2.imwrite(str(tmp_path / "Ann.png"), picture[::2, ::2, ::-1])
    result = asdkit.run(
        shared("clips/dialogue.mp4"),
        [
            *("detector=yunet", "scorer=lip_motion", "embedder=mobilefacenet", "writers=[]"),
            *("threads=1", "detect_every=5", f"identities={tmp_path}"),
        ],
    )
    assert [(one.shot, one.identity) for one in result.tracks] == [
        (0, "person_0"),
        (0, "person_1"),
        (1, "Ann"),
    ]


# What can be wrong.


def test_the_name_stands_for_the_published_file():
    assert registry().find("embedder", "mobilefacenet").weights == (mobilefacenet.WEIGHTS,)
    assert mobilefacenet.WEIGHTS.local == "mobilefacenet.onnx"


def test_another_file_under_the_published_name_is_refused(tmp_path, monkeypatch):
    (tmp_path / "mobilefacenet.onnx").write_bytes(b"another graph")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"mobilefacenet\.onnx .* is not the weights"):
        asdkit.load("embedder", "mobilefacenet", device="cpu")


@pytest.mark.weights
def test_a_device_that_is_not_there_is_refused(weights):
    with pytest.raises(DeviceError, match="device=tpu is not a device"):
        asdkit.load("embedder", "mobilefacenet", device="tpu")


def test_it_has_no_parameters():
    with pytest.raises(ConfigError, match=r"no option embedder\.weights with embedder=mobilefacen"):
        asdkit.load("embedder", "mobilefacenet", weights="other")


def test_without_onnx_runtime_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        MissingExtraError,
        match=r'mobilefacenet needs the package onnxruntime, .*\[cpu\]", or choose '
        "embedder=none",
    ):
        asdkit.load("embedder", "mobilefacenet")


@pytest.mark.weights
def test_it_imports_no_pytorch(weights):
    program = (
        "import os, sys, numpy, asdkit\n"
        f"os.environ['ASDKIT_WEIGHTS'] = {str(weights.parent)!r}\n"
        "embedder = asdkit.load('embedder', 'mobilefacenet', device='cpu')\n"
        "embedder.embed(numpy.zeros((1, 112, 112, 3), numpy.uint8))\n"
        "sys.exit(bool({'torch', 'torchvision', 'facenet_pytorch', 'onnx'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.gpu
@pytest.mark.weights
def test_cuda_gives_the_same_vectors(embedder):
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("needs a CUDA device and onnxruntime-gpu")
    other = asdkit.load("embedder", "mobilefacenet", device="cuda")
    faces = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3)).astype(np.uint8)
    assert other.device == "cuda:0"
    np.testing.assert_allclose(other.embed(faces), embedder.embed(faces), atol=1e-3, rtol=0)
