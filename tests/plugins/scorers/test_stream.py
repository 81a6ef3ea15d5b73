"""LR-ASD and Light-ASD piece by piece: each window gets the vectors it would get by itself."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import rule
from extras import torch
from family import MODELS, SMALL, clip_of, close, normalised, scorer
from hypothesis import example, given
from hypothesis import strategies as st

from asdkit.core.component import Context
from asdkit.plugins.scorers.windowed.checkpoint import read_network
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.reach import Layer, Reach
from asdkit.plugins.scorers.windowed.stream import plan
from asdkit.plugins.scorers.windowed.windows import cut

small = pytest.mark.parametrize("name", SMALL)


def convolved(numbers, reach):
    """A frontend of one number a frame: convolutions that see zeros beyond the edges."""
    x = numbers / 255
    for _ in range(reach):
        padded = np.pad(x, 1)
        x = np.tanh(0.7 * padded[:-2] + x - 0.9 * padded[2:] + 0.5)
    return x


def streamed(numbers, pieces, reach):
    """What the graphs give for the pieces, by what they are said to give."""
    whole, found = convolved(numbers, reach), []
    for start, end, goes_on, joins, ends in pieces:
        if goes_on:
            late = np.arange(start, end) - reach
            found.append(np.where(late >= reach, whole[late], np.nan))
        else:
            found.append(convolved(numbers[start:end], reach))
        if joins:
            assert end - start >= 2 * reach
            found.append(whole[start - reach : start + reach])
        if ends:
            found.append(convolved(numbers[:end], reach)[-reach:])
    return found


@given(
    frames=st.integers(1, 400),
    seconds=st.lists(st.integers(1, 8), min_size=1, max_size=6),
    batch_frames=st.integers(1, 60),
    reach=st.integers(1, 13),
    seed=st.integers(0, 2**32 - 1),
)
@example(frames=1500, seconds=[60], batch_frames=32, reach=9, seed=0)
@example(frames=205, seconds=[1, 2, 3, 4, 5, 6], batch_frames=32, reach=9, seed=0)
@example(frames=53, seconds=[1, 2], batch_frames=1, reach=6, seed=0)
@example(frames=301, seconds=[3, 2], batch_frames=72, reach=12, seed=0)
def test_each_window_gets_the_vectors_it_would_get_by_itself(
    frames, seconds, batch_frames, reach, seed
):
    numbers = np.random.default_rng(seed).integers(0, 256, frames)
    spans = list(cut(frames, seconds))
    stream, rest, rows = plan(Reach(reach, 128, [Layer(reach, 1, 1)]), spans, batch_frames)
    vectors = streamed(numbers, stream, reach)
    vectors += [convolved(numbers[run], reach) for piece in rest for run in piece]
    vectors = np.concatenate(vectors)
    for (start, end), mine in zip(spans, rows, strict=True):
        close(vectors[mine], convolved(numbers[start:end], reach), 1e-12)
    assert [piece.start for piece in stream[1:]] == [piece.end for piece in stream[:-1]]


@pytest.mark.parametrize(
    ("seconds", "joins", "ends"),
    [([1, 2, 3, 4, 5, 6], 59, 0), ([60], 0, 1), ([6], 0, 10), ([3, 6], 10, 20)],
)
def test_pieces_are_short_and_joined_where_windows_go_on(seconds, joins, ends):
    stream, rest, _ = plan(MODELS["lr_asd"].sharing, list(cut(1500, seconds)), 32)
    assert max(piece.end - piece.start for piece in stream) == 25
    assert sum(piece.joins for piece in stream) == joins
    assert sum(piece.ends for piece in stream) == ends
    assert rest == []


def test_windows_that_share_nothing_are_runs_of_their_own():
    stream, rest, _ = plan(MODELS["lr_asd"].sharing, list(cut(100, [1])), 32)
    assert stream == []
    assert sum(piece.size for piece in rest) == 100


@small
@torch.inference_mode()
def test_the_parts_of_the_encoder_give_what_the_whole_gives(family, name):
    model = MODELS[name]
    network = read_network(model, family.checkpoint(name)).eval()
    alone, through, join, end = (part.eval() for part in model.parts(network))
    sharing = model.sharing
    reach, beside = sharing.frames, sharing.before.shape[1]
    contexts = len(sharing.kept)
    faces, edge = normalised(rule.face_frames("parts", 50))[None], 25
    window, whole = network.vectors(faces[:, :edge]), network.vectors(faces)

    vectors, *more = alone(faces[:, :edge])
    close(vectors, window, 1e-5)
    kept = more[:contexts]
    assert [tuple(x.shape[1:]) for x in kept] == [tensor.shape[1:] for tensor in sharing.kept]
    close(end(*kept), window[:, -reach:], 1e-5)

    _, *more = alone(faces[:, edge:])
    close(join(*kept, *more[contexts:]), whole[:, edge - reach : edge + reach], 1e-5)

    past = kept[-len(sharing.past) :]
    vectors, *kept = through(faces[:, edge - beside : edge], faces[:, edge:], *past)
    close(vectors, whole[:, edge - reach : -reach], 1e-5)
    close(end(*kept), whole[:, -reach:], 1e-5)


@pytest.mark.slow
@small
def test_bundles_made_before_there_were_pieces_give_the_same_scores(family, tmp_path, name):
    folder, _ = family.exported(name)
    old = shutil.copytree(folder, tmp_path / "old")
    manifest = json.loads((old / "manifest.json").read_text())
    for part in ("alone", "through", "join", "end"):
        (old / f"{part}.onnx").unlink()
        del manifest["files"][f"{part}.onnx"]
    (old / "manifest.json").write_text(json.dumps(manifest))
    clip = clip_of("old", 60)
    (found,), (wanted,) = (
        scorer(name)
        .build(WindowedConfig(str(bundle), window_seconds=[1, 2]), Context("cpu", 1))
        .score([clip])
        for bundle in (folder, old)
    )
    close(found.logits, wanted.logits, 1e-5)
