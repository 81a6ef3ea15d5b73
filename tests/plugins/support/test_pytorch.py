"""Whatever runs on PyTorch computes without gradients and in true float32."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from extras import torch
from family import clip_of

import asdkit
from asdkit.plugins.support.pytorch import inference

pytestmark = pytest.mark.usefixtures("one_thread")


READ = {
    "old, cuDNN": lambda: torch.backends.cudnn.allow_tf32,
    "old, products": lambda: torch.backends.cuda.matmul.allow_tf32,
}
if hasattr(torch.backends, "fp32_precision"):
    READ |= {
        "conv": lambda: torch.backends.cudnn.conv.fp32_precision,
        "rnn": lambda: torch.backends.cudnn.rnn.fp32_precision,
        "products": lambda: torch.backends.cuda.matmul.fp32_precision,
    }


def flags():
    """PyTorch's flags for TF32; None for one that it refuses to read."""
    found = {}
    for name, read in READ.items():
        try:
            found[name] = read()
        except RuntimeError:
            found[name] = None
    return found


@pytest.fixture
def restored():
    """Restores PyTorch's flags for TF32."""
    backends = torch.backends
    before = flags()
    yield
    if hasattr(backends, "fp32_precision"):
        backends.fp32_precision = backends.cudnn.fp32_precision = "none"
    backends.cudnn.allow_tf32 = before["old, cuDNN"]
    backends.cuda.matmul.allow_tf32 = before["old, products"]
    if hasattr(backends, "fp32_precision"):
        backends.cudnn.conv.fp32_precision = before["conv"]
        backends.cudnn.rnn.fp32_precision = before["rnn"]
        backends.cuda.matmul.fp32_precision = before["products"]
    assert flags() == before


def old_flags(allow):
    torch.backends.cudnn.allow_tf32 = allow
    torch.backends.cuda.matmul.allow_tf32 = allow


def new_flags(value, *names):
    if not hasattr(torch.backends, "fp32_precision"):
        pytest.skip("needs PyTorch 2.9")
    for name in names or [""]:
        holder = torch.backends
        for part in filter(None, name.split(".")):
            holder = getattr(holder, part)
        holder.fp32_precision = value


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda: None, id="nothing"),
        pytest.param(partial(old_flags, True), id="old flags on"),
        pytest.param(partial(old_flags, False), id="old flags off"),
        pytest.param(partial(torch.set_float32_matmul_precision, "high"), id="fast products"),
        pytest.param(partial(new_flags, "tf32"), id="new flag on"),
        pytest.param(partial(new_flags, "tf32", "cudnn"), id="new flag of cuDNN on"),
        pytest.param(partial(new_flags, "ieee", "cudnn.conv"), id="a new flag off"),
    ],
)
@pytest.mark.usefixtures("restored")
def test_tf32_is_off_inside_and_as_before_outside_whatever_the_caller_has_chosen(choose):
    choose()
    before = flags()
    with inference():
        within = flags()
        with inference():
            assert flags() == within
    assert flags() == before
    assert set(within.values()) <= {False, None, "ieee"}
    assert within["old, products"] is False


def of_mtcnn():
    detector = asdkit.load("detector", "mtcnn", device="cpu", min_face_px=24)
    detector.detect(np.zeros((1, 48, 48, 3), np.uint8), [0])


def of_s3fd():
    from asdkit.plugins.detectors.s3fd.config import S3fdConfig
    from asdkit.plugins.detectors.s3fd.detector import S3fdDetector
    from asdkit.plugins.detectors.s3fd.network import S3fdNetwork

    detector = S3fdDetector(S3fdConfig(), S3fdNetwork().eval(), "cpu")
    detector.detect(np.zeros((1, 64, 64, 3), np.uint8), [0])


def of_facenet():
    from asdkit.plugins.embedders.facenet import FacenetEmbedder

    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 512))
    embedder = FacenetEmbedder(network, torch.device("cpu"), 1)
    embedder.embed(np.zeros((2, 1, 1, 3), np.uint8))


def of_scorers(name, family):
    weights = str(family.checkpoint(name))
    asdkit.load("scorer", name, device="cpu", weights=weights).score([clip_of("tf32", 3)])


@pytest.mark.parametrize("name", ["mtcnn", "s3fd", "facenet", "talknet", "lr_asd", "light_asd"])
def test_each_network_runs_in_true_float32_without_gradients(name, family):
    pytest.importorskip("facenet_pytorch")
    use = {"mtcnn": of_mtcnn, "s3fd": of_s3fd, "facenet": of_facenet}
    seen = []

    def look(module, inputs):
        seen.append((torch.is_inference_mode_enabled(), torch.backends.cudnn.allow_tf32))

    handle = torch.nn.modules.module.register_module_forward_pre_hook(look)
    try:
        use.get(name, partial(of_scorers, name, family))()
    finally:
        handle.remove()
    assert set(seen) == {(True, False)}
