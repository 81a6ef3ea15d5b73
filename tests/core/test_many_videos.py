"""A Pipeline: loaded once, called on many videos, from threads, and cancelled in any stage."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from synth import clicks, steady, write_video

import asdkit
from asdkit.core.contracts import ScalingDetector, ShiftingScorer
from asdkit.core.errors import AsdError, ConfigError, PluginError
from asdkit.core.one_at_a_time import one_at_a_time

CHEAP = {"scorer": "lip_motion", "cutter": "none", "writers": [], "detector": "boxes"}
CHEAP |= {"detector.path": "boxes.json"}
THREADS = 8


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Eight videos, each a frame longer than the one before, and boxes for them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boxes.json").write_text(json.dumps([[[20, 10, 60, 50, 1.0]]] * 40))
    return [
        write_video(
            tmp_path / f"{k}.mp4",
            frames=20 + k,
            image=steady,
            sounds=[(0.0, clicks([0.1 + 0.05 * k], 1.2))],
        )
        for k in range(THREADS)
    ]


def told(result):
    """What a result says of a video."""
    tracks = [
        (one.id, one.first_frame, one.boxes.tolist(), one.logits.tolist(), one.speaking)
        for one in result.tracks
    ]
    return str(result.video.path), result.shots, tracks, dict(result.settings)


def at_once(work, count=THREADS):
    barrier = threading.Barrier(count)

    def begin(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_it_finds_what_run_finds(videos):
    pipeline = asdkit.Pipeline(CHEAP)
    for video in videos[:2]:
        assert told(pipeline(video)) == told(asdkit.run(video, CHEAP))


def test_eight_threads_find_what_one_does(videos):
    pipeline = asdkit.Pipeline(CHEAP)
    alone = [told(pipeline(video)) for video in videos]
    assert len({str(one[2]) for one in alone}) == THREADS
    assert [path for path, *_ in alone] == [str(video) for video in videos]
    for _ in range(2):
        assert [told(one) for one in at_once(lambda k: pipeline(videos[k]))] == alone


def test_pipelines_with_other_options_run_side_by_side(videos):
    pipelines = [asdkit.Pipeline(CHEAP, crop_scale=0.1 * k, seed=k) for k in range(4)]
    alone = [told(pipelines[k % 4](videos[k])) for k in range(THREADS)]
    assert [told(one) for one in at_once(lambda k: pipelines[k % 4](videos[k]))] == alone
    assert [one[3]["seed"] for one in alone] == [0, 1, 2, 3, 0, 1, 2, 3]


class Rude:
    """Stands for detector, scorer and embedder; fails if two threads are in it at once."""

    identity_distance = 0.5

    def __init__(self):
        self.inside = threading.Lock()

    def _alone(self, answer):
        assert self.inside.acquire(blocking=False), "two threads at once"
        try:
            threading.Event().wait(0.001)
            return answer
        finally:
            self.inside.release()

    def detect(self, frames, indices):
        faces = asdkit.Detections([[20, 10, 60, 50]], [1.0])
        return self._alone([faces] * len(frames))

    def score(self, clips):
        return self._alone(
            [asdkit.Scores(np.full((len(one), 2), one.faces.mean(), np.float32)) for one in clips]
        )

    def embed(self, faces):
        return self._alone(np.tile(np.float32([1, 0]), (len(faces), 1)))


@pytest.fixture
def rude(monkeypatch):
    """Has what is built be one that only one thread may call; counts how often it is."""
    from asdkit.core.config.chosen import Chosen

    built = []
    build = Chosen.build

    def instead(self, context):
        if self.component.kind not in ("detector", "scorer", "embedder"):
            return build(self, context)
        built.append(self.component.kind)
        return Rude()

    monkeypatch.setattr(Chosen, "build", instead)
    return built


def test_components_are_built_once_and_called_by_one_thread_at_a_time(videos, rude):
    options = {"scorer": "lip_motion", "cutter": "none", "writers": [], "detector": "yunet"}
    pipeline = asdkit.Pipeline(options, embedder="facenet")
    alone = [told(pipeline(video)) for video in videos]
    assert [told(one) for one in at_once(lambda k: pipeline(videos[k]))] == alone
    assert sorted(rude) == ["detector", "embedder", "scorer"]


class Scaling:
    looks = True
    refuses_sounds = True

    def input_side_px(self, height, width):
        return height + width

    def detect(self, frames, indices):
        return [len(frames), indices]

    def detect_scaled(self, frames, indices, size):
        return size


class Shifting:
    def score(self, clips):
        return clips

    score_shifted = score


def test_what_stands_in_for_a_component_is_like_it():
    detector = one_at_a_time("detector", Scaling())
    assert isinstance(detector, ScalingDetector)
    assert not isinstance(one_at_a_time("detector", Rude()), ScalingDetector)
    assert (detector.looks, detector.input_side_px(3, 4)) == (True, 7)
    assert detector.detect([1, 2], [5]) == [2, [5]]
    assert detector.detect_scaled([], [], (8, 9)) == (8, 9)
    assert not hasattr(detector, "smallest_face_px")
    assert isinstance(one_at_a_time("scorer", Shifting()), ShiftingScorer)
    assert not isinstance(one_at_a_time("scorer", Rude()), ShiftingScorer)


def test_each_call_has_options_of_its_own(videos):
    pipeline = asdkit.Pipeline(CHEAP, writers=["json", "rttm"], output="all", end_s=0.4)
    first = pipeline(videos[0])
    assert first.shots == ((0, 10),)
    assert [file.name for file in first.files] == ["result.json", "speakers.rttm"]
    other = pipeline(videos[1], output=Path("a b"), start_s=0.2, end_s=0.6, writers=["json"])
    assert other.shots == ((5, 15),)
    assert other.files == (Path("a b/result.json"),)
    assert other.settings["writers"] == {"json": {"name": "json"}}
    assert pipeline(videos[2], writers=[]).files == ()
    with pytest.raises(AsdError, match="all already holds results"):
        pipeline(videos[0])
    assert pipeline(videos[0], overwrite=True).folder == Path("all")
    whole = {"name": "annotated", "crf": 40, "colour": "speaking"}
    found = pipeline(videos[3], writers={"annotated": {"crf": 40}}, output="c")
    assert found.settings["writers"] == {"annotated": whole}
    found = pipeline(videos[3], writers=[{"name": "annotated", "crf": 40}], output="d")
    assert found.settings["writers"] == {"annotated": whole}
    assert pipeline(videos[3], writers="json", output="e").files == (Path("e/result.json"),)


def test_a_call_changes_only_the_parameters_that_it_gives(videos):
    pipeline = asdkit.Pipeline(CHEAP, writers=[{"name": "annotated", "crf": 40}])
    found = pipeline(videos[0], writers=[{"name": "annotated", "colour": "score"}], end_s=0.2)
    assert found.settings["writers"]["annotated"] == {
        "name": "annotated",
        "crf": 40,
        "colour": "score",
    }


def test_it_says_what_it_has_loaded(videos):
    pipeline = asdkit.Pipeline(CHEAP)
    assert pipeline.device == "cpu"
    assert [(one.kind, one.name) for one in pipeline.models] == [
        ("detector", "boxes"),
        ("tracker", "iou"),
        ("scorer", "lip_motion"),
    ]
    assert pipeline.settings["scorer"]["name"] == "lip_motion"
    assert pipeline.plan.chosen["detector"].component.name == "boxes"
    assert repr(pipeline).startswith("<Pipeline detector=boxes, tracker=iou, scorer=lip_motion")


@pytest.mark.weights
def test_it_says_which_weights_it_has_read(shared, monkeypatch, tmp_path):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    shared("weights/face_detection_yunet_2023mar.onnx")
    pipeline = asdkit.Pipeline(
        "detector=yunet detector.runtime=opencv scorer=lip_motion writers=[]"
    )
    (detector,) = (one for one in pipeline.models if one.kind == "detector")
    assert detector.runtime == "opencv"
    assert [Path(file.path).name for file in detector.weights] == [
        "face_detection_yunet_2023mar.onnx"
    ]


def test_a_closed_one_says_so(videos):
    with asdkit.Pipeline(CHEAP) as pipeline:
        pipeline(videos[0])
    assert "closed" in repr(pipeline)
    with pytest.raises(ConfigError, match="This Pipeline is closed"):
        pipeline(videos[0])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"video": "a.mp4"}, "for any video, but its options name a.mp4"),
        ({"end_s": -1}, "end_s must be after start_s"),
        ({"seed": "x"}, "seed must be a whole number, got 'x'"),
    ],
)
def test_options_that_cannot_be_are_refused_before_any_video(videos, options, says):
    with pytest.raises(ConfigError, match=says):
        asdkit.Pipeline(CHEAP, **options)


def test_options_of_a_call_that_cannot_be_are_refused(videos):
    pipeline = asdkit.Pipeline(CHEAP)
    with pytest.raises(ConfigError, match="end_s must be after start_s"):
        pipeline(videos[0], start_s=3, end_s=2)
    for wrong, says in ((3, "a dict, got 3"), ({"clips": 3}, "writers.clips must be a dict of")):
        with pytest.raises(ConfigError, match=says):
            pipeline(videos[0], writers=wrong)
    with pytest.raises(ConfigError, match="The writer clips was named twice"):
        pipeline(videos[0], writers=["clips", "clips"])
    with pytest.raises(ConfigError, match="output names no folder"):
        pipeline(videos[0], output="")
    with pytest.raises(PluginError, match="jsn"):
        pipeline(videos[0], writers=["jsn"])
    with pytest.raises(AsdError, match="No such file"):
        pipeline("none.mp4")


def test_one_video_that_fails_leaves_the_others_alone(videos):
    videos[3].write_bytes(b"nothing")
    pipeline = asdkit.Pipeline(CHEAP)

    def found(number):
        try:
            return pipeline(videos[number]).shots
        except AsdError as error:
            return str(error)

    answers = at_once(found)
    assert "3.mp4 is not a video" in answers.pop(3)
    assert answers == [((0, 20 + k),) for k in range(THREADS) if k != 3]


@pytest.mark.slow
@pytest.mark.weights
def test_real_networks_serve_eight_threads(shared, monkeypatch):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    pytest.importorskip("torch", reason="needs the package torch: asdkit[torch]")
    for weights in ("face_detection_yunet_2023mar.onnx", "lr_asd_talkset.model"):
        shared(f"weights/{weights}")
    names = ["bbaf2n", "brbk7n", "lbax4n", "lbbc2a", "lrwp9a", "sbia1a"]
    clips = [shared(f"clips/{name}.mpg") for name in names]
    clips += [shared("clips/dialogue_small.mp4"), shared("clips/audience.mp4")]
    options = "detector=yunet scorer=lr_asd writers=[] end_s=1.5"
    pipeline = asdkit.Pipeline(options)
    alone = [told(pipeline(clip)) for clip in clips]
    assert all(tracks for _, _, tracks, _ in alone[:6])
    assert [told(one) for one in at_once(lambda k: pipeline(clips[k]))] == alone
    assert told(asdkit.run(clips[0], options)) == alone[0]
