"""Several threads, and Hydra applications around them, in one process."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import hydra
import numpy as np
import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from synth import clicks, write_video

import asdkit
from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_app, compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.config.schemas import component_schema
from asdkit.core.evaluation.settings import EVALUATE
from asdkit.core.models import seeded
from asdkit.core.shared_state import Together

THREADS = 8
CHEAP = ["scorer=lip_motion", "cutter=none", "writers=[]", "detector=boxes"]


def at_once(work):
    """What `work` answers to 0, 1 and so on, all of them begun together."""
    barrier = Barrier(THREADS)

    def begin(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Eight videos, each a frame longer than the one before, and boxes for them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boxes.json").write_text(json.dumps([[[20, 10, 60, 50, 1.0]]] * 30))
    return [
        write_video(
            tmp_path / f"{k}.mp4", frames=10 + k, sounds=[(0.0, clicks([0.1], 0.04 * (10 + k)))]
        )
        for k in range(THREADS)
    ]


def test_eight_runs_in_eight_threads_are_each_of_their_own_file(videos):
    def run(number):
        words = [*CHEAP, "detector.path=boxes.json", f"crop_scale={0.1 * number}"]
        return asdkit.run(videos[number], [*words, "writers=[json]", f"output=out/{number}"])

    for number, result in enumerate(at_once(run)):
        assert result.video.path == videos[number]
        assert result.settings["video"] == str(videos[number])
        assert result.settings["crop_scale"] == pytest.approx(0.1 * number)
        assert result.shots == ((0, 10 + number),)
        written = json.loads(Path(f"out/{number}/result.json").read_text())
        assert written["shots"] == [[0, 10 + number]]


def test_inside_another_hydra_application_nothing_of_it_changes(tmp_path):
    (tmp_path / "own.yaml").write_text("defaults:\n- detector: yunet\n- _self_\nmine: 3\n")
    store = ConfigStore.instance()
    store.store(group="detector", name="yunet", node={"own": 1})
    try:
        with hydra.initialize_config_dir(str(tmp_path), version_base="1.2"):
            outer = GlobalHydra.instance().hydra

            def compose(number):
                return make_plan(compose_run(["detector=yunet"], f"{number}.mp4"))

            videos = [plan.options.video for plan in at_once(compose)]
            assert videos == [f"{number}.mp4" for number in range(THREADS)]
            assert GlobalHydra.instance().hydra is outer
            assert hydra.version.getbase() == hydra.version._get_version("1.2")
            assert hydra.compose("own") == {"detector": {"own": 1}, "mine": 3}
            assert set(store.repo["detector"]) == {"yunet.yaml"}
    finally:
        del store.repo["detector"]


def test_a_hydra_application_composes_while_threads_do(tmp_path):
    (tmp_path / "own.yaml").write_text("mine: 3\n")
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        with ThreadPoolExecutor(4) as pool:
            ours = [pool.submit(compose_run, ["detector=yunet"], f"{k}.mp4") for k in range(6)]
            while not all(one.done() for one in ours):
                assert GlobalHydra.instance().is_initialized()
                assert "detector" not in ConfigStore.instance().repo
        assert [one.result().video for one in ours] == [f"{k}.mp4" for k in range(6)]
        assert hydra.compose("own").mine == 3


def test_evaluations_are_composed_in_threads():
    found = at_once(lambda k: compose_app(EVALUATE, [f"dataset.folder={k}", f"seed={k}"]))
    assert [(one.dataset.folder, one.seed) for one in found] == [(str(k), k) for k in range(8)]


def test_commands_in_threads_take_turns(videos, capsys):
    def sweep(number):
        words = [*CHEAP[:2], *CHEAP[3:], "detector.path=boxes.json", "writers=[json]"]
        main(["run", str(videos[number]), *words, f"output=out/{number}", "-m", "seed=1,2"])

    barrier_free = range(3)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sweep, barrier_free))
    for number in barrier_free:
        for seed in (1, 2):
            found = json.loads(Path(f"out/{number}/seed={seed}/result.json").read_text())
            assert found["shots"] == [[0, 10 + number]]
            assert found["settings"]["seed"] == seed


def test_components_are_loaded_in_threads():
    component_schema.cache_clear()
    found = at_once(lambda k: asdkit.load("scorer", "lip_motion", threads=1 + k % 2))
    assert len({id(one) for one in found}) == THREADS


@pytest.mark.weights
@pytest.mark.parametrize("runtime", ["onnx", "opencv"])
def test_one_detector_serves_threads(shared, monkeypatch, runtime):
    if runtime == "onnx":
        pytest.importorskip("onnxruntime", reason="needs the package onnxruntime: asdkit[cpu]")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    detector = asdkit.load("detector", "yunet", runtime=runtime, threads=1, score_threshold=0.1)
    rng = np.random.default_rng(0)
    pictures = [
        rng.integers(0, 255, (1, 64 + 32 * k, 96 + 32 * k, 3)).astype(np.uint8)
        for k in range(THREADS)
    ]
    alone = [detector.detect(picture, [0])[0] for picture in pictures]
    for _ in range(3):
        for one, other in zip(
            alone, at_once(lambda k: detector.detect(pictures[k], [0])[0]), strict=True
        ):
            assert np.array_equal(one.boxes, other.boxes)
            assert np.array_equal(one.scores, other.scores)


def test_random_numbers_of_the_caller_go_on_after_overlapping_runs():
    random.seed(5)
    np.random.seed(5)
    wanted = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    first, second = seeded(1), seeded(2)
    first.__enter__()
    second.__enter__()
    drawn = random.random()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert (random.random(), np.random.random()) == wanted
    with seeded(1):
        assert random.random() == drawn


def test_state_is_changed_once_for_all_who_want_it():
    from contextlib import contextmanager

    log = []

    @contextmanager
    def change(name):
        log.append(name)
        yield
        log.append("back")

    together = Together(change)
    with together("a"), together("b"):
        assert log == ["a"]
    assert log == ["a", "back"]
    with pytest.raises(ValueError, match="x"), together("c"):
        raise ValueError("x")
    assert log == ["a", "back", "c", "back"]
