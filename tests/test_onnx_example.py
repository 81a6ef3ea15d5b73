"""docs/onnx.md: its example runs without asdkit, its recipes and tables are those of the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import wave
from dataclasses import fields
from itertools import chain
from math import floor

import numpy as np
import pytest
import rule
from checkout import DOCS
from family import MODELS
from hypothesis import example, given, settings
from hypothesis import strategies as st

import asdkit
from asdkit.core.analysis.crops import face
from asdkit.core.analysis.features import FACE_MEAN, FACE_STD, mfcc
from asdkit.core.bundle import MANIFEST, Bundle
from asdkit.core.types import SAMPLES_PER_FRAME, SOUND_AFTER, Clip
from asdkit.export.agreement import Agreement
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.tensors import FACES, LOGITS, MFCC
from asdkit.plugins.scorers.windowed.windows import cut

PAGE = (DOCS / "onnx.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FRAMES = 30
AFTERWARDS = """
import sys
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"asdkit", "scipy", "torch", "cv2", "python_speech_features"}, loaded
np.save("logits.npy", logits)
"""


def own_mfcc():
    """The function `mfcc` of the example."""
    body = [
        node
        for node in ast.parse(EXAMPLE).body
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef))
    ]
    names = {}
    exec(compile(ast.Module(body, []), "docs/onnx.md", "exec"), names)
    return names["mfcc"]


def clip_of(sound, frames):
    """The clip of the first frames of a sound."""
    heard = np.zeros(frames * SAMPLES_PER_FRAME + SOUND_AFTER, np.int16)
    heard[: len(sound)] = sound[: len(heard)]
    faces = np.zeros((frames, 112, 112), np.uint8)
    return Clip(faces, heard[:-SOUND_AFTER], 0, heard[-SOUND_AFTER:])


# The example


@pytest.mark.slow
def test_the_example_gives_asdkits_logits(bundle, tmp_path):
    faces = rule.face_frames("onnx_example", FRAMES)
    sound = rule.waveform("onnx_example", (FRAMES + 1) * SAMPLES_PER_FRAME)
    (tmp_path / "bundle").symlink_to(bundle, target_is_directory=True)
    np.save(tmp_path / "faces.npy", faces)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(sound.astype("<i2").tobytes())
    (tmp_path / "example.py").write_text(EXAMPLE + AFTERWARDS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    logits = np.load(tmp_path / "logits.npy")

    # One window that is longer than the clip; asdkit runs the split graphs.
    talknet = asdkit.load(
        "scorer", "talknet", weights=str(bundle), window_seconds=[6], device="cpu"
    )
    heard = clip_of(sound, FRAMES)
    (wanted,) = talknet.score([Clip(faces, heard.sound, 0, heard.sound_after)])
    np.testing.assert_allclose(logits, wanted.logits, atol=1e-4, rtol=0)
    title, *lines = done.stdout.splitlines()
    assert title == "talknet fp32"
    printed = [float(line.split()[-1]) for line in lines]
    np.testing.assert_allclose(printed, wanted.probability, atol=6e-4)


def test_the_example_is_short():
    assert len([line for line in EXAMPLE.splitlines() if line.strip()]) <= 36


@settings(max_examples=40)
@given(
    frames=st.integers(1, 40),
    extra=st.integers(-640, 1000),
    amplitude=st.sampled_from([1, 30, 3000, 32767]),
    silent=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 2**32 - 1),
)
@example(frames=3, extra=240, amplitude=3000, silent=(0, 1), seed=0)
@example(frames=1, extra=-640, amplitude=1, silent=(0, 0), seed=0)
def test_the_examples_mfcc_is_asdkits(frames, extra, amplitude, silent, seed):
    samples = frames * SAMPLES_PER_FRAME + extra
    random = np.random.default_rng(seed)
    sound = random.integers(-amplitude, amplitude, samples, np.int16, endpoint=True)
    begin, end = (int(share * samples) for share in sorted(silent))
    sound[begin:end] = 0
    found = own_mfcc()(sound, frames)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, mfcc(clip_of(sound, frames)), atol=1e-5, rtol=0)


# What the page tells


def test_the_page_has_every_tensor():
    sharings = [model.sharing for model in MODELS.values()]
    parts = [(sharing.seen, sharing.vectors, sharing.visual) for sharing in sharings]
    for tensor in (MFCC, FACES, LOGITS, *chain.from_iterable(parts)):
        shape = ", ".join(map(str, tensor.shape))
        assert re.search(rf"\| `{tensor.name}` \|[^|]* `{re.escape(f'({shape})')}`[^|]*\|", PAGE)
    assert f"(x / 255 - {FACE_MEAN}) / {FACE_STD}" in PAGE


@pytest.mark.slow
def test_the_page_has_every_file_and_key_of_a_manifest(bundle):
    def keys(value):
        children = value.values() if isinstance(value, dict) else value
        nested = [child for child in children if isinstance(child, (dict, list))]
        own = set(value) if isinstance(value, dict) else set()
        return own.union(*map(keys, nested))

    of_int8 = {"agreement", "calibration", *(field.name for field in fields(Agreement))}
    told = set(re.findall(r"`([^`\n]+)`", PAGE))
    assert not {MANIFEST, *keys(dict(Bundle(bundle).manifest)), *of_int8} - told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("talknet", "about {:.2f} vectors a frame instead of 6"),
        ("lr_asd", "about {:.2f} vectors a frame for LR-ASD"),
        ("light_asd", "for LR-ASD and {:.2f} for Light-ASD, instead of 6"),
    ],
)
def test_the_page_tells_what_sharing_costs(name, said):
    model, spans = MODELS[name], list(cut(60 * 25, [1, 2, 3, 4, 5, 6]))
    pieces, _ = model.sharing.plan(spans, WindowedConfig().batch_frames)
    size = sum(len(piece) if name == "talknet" else piece.size for piece in pieces)
    assert said.format(size / (60 * 25)) in " ".join(PAGE.split())


def test_the_page_has_the_bins_of_the_mel_filters():
    from python_speech_features import get_filterbanks

    (listed,) = re.findall(r"^ +0 2 4 [0-9 ]+$", PAGE, re.MULTILINE)
    bins = list(map(int, listed.split()))
    corners = [
        np.interp(np.arange(257), bins[m : m + 3], [0, 1, 0], left=0, right=0) for m in range(26)
    ]
    np.testing.assert_allclose(corners, get_filterbanks(26, 512, 16000), atol=1e-12)


def face_by_the_page(image, x, y, s, c):
    """Steps 4 to 7 of the recipe for `faces`, word by word, in floating point."""
    top, left = floor(y - s), floor(x - s * (1 + c))
    bottom = max(top + 1, floor(y + s * (1 + 2 * c)))
    right = max(left + 1, floor(x + s * (1 + c)))
    rows, columns = np.ogrid[top:bottom, left:right]
    height, width = image.shape[:2]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    nearest = image[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    square = np.where(inside[..., None], nearest, 110.0)
    for axis in (0, 1):
        m = square.shape[axis]
        p = np.clip((np.arange(224) + 0.5) * m / 224 - 0.5, 0, m - 1)
        first = np.floor(p).astype(int)
        weight = np.expand_dims(p - first, (1 - axis, 2))
        second = np.take(square, np.minimum(first + 1, m - 1), axis)
        square = np.take(square, first, axis) * (1 - weight) + second * weight
    red, green, blue = np.rint(square[56:168, 56:168]).astype(np.float32).transpose(2, 0, 1)
    grey = np.float32(0.2989) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    return grey.astype(np.uint8)


@settings(max_examples=30)
@given(
    x=st.floats(0, 80),
    y=st.floats(0, 60),
    s=st.floats(1, 60),  # so that the square meets the picture
    c=st.floats(0, 1),
    seed=st.integers(0, 9),
)
def test_the_pages_face_is_asdkits(x, y, s, c, seed):
    image = np.random.default_rng(seed).integers(0, 256, (61, 81, 3), np.uint8)
    found = face_by_the_page(image, x, y, s, c).astype(int)
    assert np.abs(found - face(image, x, y, s, c)).max() <= 1
