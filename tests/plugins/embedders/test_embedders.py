"""Embedders: faces as vectors of length 1."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import asdkit
from asdkit import testing
from asdkit.core.analysis.crops import portrait
from asdkit.core.errors import ConfigError, DeviceError, MissingExtraError, WeightsError
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.core.registry import registry
from asdkit.core.weights import status

torch = pytest.importorskip("torch")
facenet_pytorch = pytest.importorskip("facenet_pytorch")

from asdkit.plugins.embedders import facenet  # noqa: E402

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
CLASSES = 8631


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def faces():
    """(5, 160, 160, 3) uint8: noise on a colour, another for each face."""
    random = np.random.default_rng(0)
    colours = random.integers(40, 216, (5, 1, 1, 3))
    noise = random.integers(-40, 40, (5, 160, 160, 3))
    return (colours + noise).astype(np.uint8)


@pytest.fixture(scope="module")
def network(faces):
    """FaceNet with random weights, its batch norms set so that they tell these faces apart."""
    torch.manual_seed(0)
    network = facenet_pytorch.InceptionResnetV1(classify=True, num_classes=CLASSES)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(standardized(faces))
    network.classify = False
    return network.eval()


def standardized(faces):
    """What facenet-pytorch itself feeds the network with."""
    pictures = torch.from_numpy(faces.copy()).permute(0, 3, 1, 2).float()
    return facenet_pytorch.fixed_image_standardization(pictures)


@pytest.fixture(scope="module")
def checkpoint(network, tmp_path_factory):
    """All its weights in one file, in the old format that the published file has."""
    path = tmp_path_factory.mktemp("facenet") / "random.pt"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture(scope="module")
def embedder(checkpoint):
    return asdkit.load("embedder", "facenet", device="cpu", weights=str(checkpoint))


def test_the_check_of_every_embedder(embedder):
    testing.check_embedder(embedder)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


def test_vectors_are_those_of_facenet_pytorch_fed_with_rgb(embedder, network, faces):
    found = embedder.embed(faces)
    assert found.dtype == np.float32
    assert found.shape == (5, 512)
    with torch.inference_mode():
        close(found, network(standardized(faces)).numpy())
        swapped = network(standardized(faces[..., ::-1])).numpy()
    assert np.linalg.norm(found - swapped, axis=1).min() > 0.1


def test_vectors_have_length_one_and_differ(embedder, faces):
    found = embedder.embed(faces)
    close(np.linalg.norm(found, axis=1), 1.0)
    likeness = found @ found.T
    assert likeness[~np.eye(5, dtype=bool)].max() < 0.9


@pytest.mark.parametrize("batch_faces", [1, 2, 5])
def test_batches_change_nothing(embedder, checkpoint, faces, batch_faces):
    other = asdkit.load(
        "embedder", "facenet", device="cpu", weights=str(checkpoint), batch_faces=batch_faces
    )
    close(other.embed(faces), embedder.embed(faces))
    close(other.embed(faces[::-2]), embedder.embed(faces)[::-2])


def test_no_face_gives_no_vector(embedder):
    found = embedder.embed(np.empty((0, 160, 160, 3), np.uint8))
    assert found.shape == (0, 512)
    assert found.dtype == np.float32


@pytest.mark.gpu
@needs_cuda
def test_cuda_gives_the_same_vectors(embedder, checkpoint, faces):
    other = asdkit.load("embedder", "facenet", device="cuda", weights=str(checkpoint))
    assert (embedder.device, other.device) == ("cpu", "cuda:0")
    close(other.embed(faces), embedder.embed(faces))


# What can be wrong


def test_the_name_stands_for_the_published_file(checkpoint, faces, monkeypatch):
    asked = []

    def locate(weights):
        asked.append(weights)
        return checkpoint

    monkeypatch.setattr("asdkit.core.weights.locate", locate)
    assert asdkit.load("embedder", "facenet", device="cpu").embed(faces[:1]).shape == (1, 512)
    assert asked == [facenet.VGGFACE2]
    assert registry().find("embedder", "facenet").weights == (facenet.VGGFACE2,)


def test_another_file_under_the_published_name_is_refused(checkpoint, tmp_path, monkeypatch):
    (tmp_path / "facenet_vggface2.pt").symlink_to(checkpoint)
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"facenet_vggface2\.pt .* is not the weights"):
        asdkit.load("embedder", "facenet", device="cpu")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "There is no file of weights"),
        ({"conv1.weight": torch.zeros(1)}, "716 missing (conv2d_1a.conv.weight,"),
        ("without logits", "2 missing (logits.weight, logits.bias)"),
        ("of CASIA", "2 of another shape (logits.weight, logits.bias)"),
    ],
)
def test_another_checkpoint_is_refused_in_one_line(network, tmp_path, state, said):
    path = tmp_path / "other.pt"
    if isinstance(state, str):
        kept = {k: v for k, v in network.state_dict().items() if not k.startswith("logits")}
        classes = {"logits.weight": torch.zeros(10575, 512), "logits.bias": torch.zeros(10575)}
        state = kept if state == "without logits" else {**kept, **classes}
    if state is not None:
        torch.save(state, path)
    with pytest.raises(WeightsError) as caught:
        asdkit.load("embedder", "facenet", device="cpu", weights=str(path))
    text = str(caught.value)
    assert "\n" not in text
    for words in (str(path), said, "embedder.weights takes vggface2 or the path"):
        assert words in text


@pytest.mark.skipif(sys.platform == "win32", reason="any user may have a folder there")
def test_a_home_that_is_not_there_is_named():
    with pytest.raises(WeightsError, match="no folder for ~nobody-of-this-name/weights"):
        asdkit.load("embedder", "facenet", weights="~nobody-of-this-name/weights")


@pytest.mark.parametrize(
    ("absent", "named"), [("torch", "torch"), ("facenet_pytorch", "facenet-pytorch")]
)
def test_without_its_packages_the_extra_is_named(monkeypatch, absent, named):
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(
        MissingExtraError,
        match=rf"package {named}, .*\[torch\]\", or choose embedder=mobilefacenet",
    ):
        asdkit.load("embedder", "facenet")


def test_options_are_checked():
    with pytest.raises(ConfigError, match="batch_faces must be at least 1, got 0"):
        asdkit.load("embedder", "facenet", batch_faces=0)
    with pytest.raises(DeviceError, match="tpu"):
        asdkit.load("embedder", "facenet", device="tpu")


# Real faces


@pytest.mark.weights
def test_a_person_is_closer_to_himself_than_to_others(shared, monkeypatch):
    """Two frames of each of three people, a second apart."""
    with np.load(shared("reference/dialogue.pipeline.npz")) as stored:
        tracks = dict(stored)
    video = shared("clips/dialogue.mp4")
    if status(facenet.VGGFACE2).path is None:
        monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    if status(facenet.VGGFACE2).path is None:
        pytest.skip(f"needs {facenet.VGGFACE2.local} in ASDKIT_WEIGHTS, the cache or ../shared")
    wanted = {}
    for person in range(3):
        numbers, *middle = (tracks[f"track{person}_{name}"] for name in ("frame", "x", "y", "s"))
        for row in (10, 35):
            x, y, half = (values[row] for values in middle)
            box = np.array([x - half, y - half, x + half, y + half])
            wanted.setdefault(int(numbers[row]), []).append((person, box))
    found = [
        (person, portrait(frame.image, box))
        for frame in frames(probe(video))
        for person, box in wanted.get(frame.index, ())
    ]
    embedder = asdkit.load("embedder", "facenet", device="cpu")
    vectors = embedder.embed(np.stack([picture for _, picture in found]))
    people = np.array([person for person, _ in found])
    same = (people[:, None] == people) & ~np.eye(len(people), dtype=bool)
    likeness = vectors @ vectors.T
    assert len(people) == 6
    assert likeness[same].min() > likeness[people[:, None] != people].max() + 0.1
