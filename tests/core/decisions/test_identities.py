"""Identities: tracks of one person, across shots, and people known by name."""

from __future__ import annotations

from dataclasses import dataclass

import by_hand
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synth import write_video

import asdkit
from asdkit.core.analysis.crops import portrait
from asdkit.core.analysis.people import read_people
from asdkit.core.component import Component
from asdkit.core.concluding import concluded
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.decisions.identities import cluster, identify
from asdkit.core.errors import ConfigError, InputError, PluginError
from asdkit.core.evaluation.kept_scores import entry_of, seen_of
from asdkit.core.models import Models
from asdkit.core.progress import Stopwatch
from asdkit.core.registry import Provider, registry
from asdkit.core.repeat import begin_again
from asdkit.core.types import Detections, Track
from asdkit.core.viewing import analysed, media_of


def unit(*angles_degrees: float) -> np.ndarray:
    """(n, 2) float32 vectors of length 1."""
    angles = np.radians(angles_degrees)
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def track(first: int, frames: int, *angles: float, number: int = 0) -> Track:
    embedded = np.arange(first, first + len(angles))
    boxes = np.zeros((frames, 4))
    return by_hand.track(number, first, boxes, embedded=embedded, embeddings=unit(*angles))


def names(tracks, people=None, max_distance=0.2):
    return [one.identity for one in identify(tracks, people or {}, max_distance)]


def test_a_person_keeps_the_identity_in_every_shot():
    tracks = [track(0, 50, 0, 10), track(0, 50, 90), track(50, 50, 85, 80), track(100, 9, 3)]
    assert names(tracks) == ["person_0", "person_1", "person_1", "person_0"]


def test_two_faces_in_one_frame_are_never_one_person():
    assert names([track(0, 50, 0), track(50, 50, 0)]) == ["person_0", "person_0"]
    assert names([track(0, 51, 0), track(50, 50, 0)]) == ["person_0", "person_1"]


def test_nor_are_they_by_way_of_a_third():
    """The third looks like both, who are seen together: it can only be one of them."""
    found = names([track(0, 50, 0), track(0, 50, 20), track(60, 50, 8)])
    assert found[0] != found[1]
    assert found[2] == found[0]


def test_names_are_given_and_do_not_merge():
    people = {"Ann": unit(0, 4), "Bob": unit(12), "person_0": unit(200)}
    tracks = [track(0, 9, 1), track(9, 9, 14), track(20, 9, 90), track(40, 9, 100)]
    assert names(tracks, people) == ["Ann", "Bob", "person_1", "person_1"]


def test_nobody():
    assert identify([], {"Ann": unit(0)}, 0.5) == ()


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 40), st.integers(0, 359)), max_size=12),
    st.floats(0, 2),
)
def test_properties_of_any_tracks(rows, distance):
    tracks = [track(first, frames, angle) for first, frames, angle in rows]
    found = names(tracks, max_distance=distance)
    assert all(found)
    for a in range(len(rows)):
        for b in range(a):
            together = set(tracks[a].frames) & set(tracks[b].frames)
            assert not (together and found[a] == found[b])
    seen = list(dict.fromkeys(found))
    assert seen == [f"person_{k}" for k in range(len(seen))]


def test_average_linkage_by_hand():
    """Of 0, 20 and 44 degrees the first two join (0.060); the third is 0.183 from them."""
    third = ((1 - np.cos(np.radians(44))) + (1 - np.cos(np.radians(24)))) / 2
    vectors = unit(0, 20, 44).astype(np.float64)
    assert len(set(cluster(vectors, np.zeros((3, 3), bool), third + 1e-6))) == 1
    apart = cluster(vectors, np.zeros((3, 3), bool), third - 1e-6)
    assert apart[0] == apart[1] != apart[2]


# --- portraits


def test_a_portrait_is_cut_as_facenet_pytorch_cuts_it():
    image = np.random.default_rng(0).integers(0, 256, (120, 200, 3), np.uint8)
    extract = pytest.importorskip("facenet_pytorch.models.utils.detect_face").extract_face
    for box in ([20.7, 10.2, 90.9, 99.9], [-15.0, 60.3, 40.0, 150.0]):
        theirs = extract(image, np.array(box), image_size=160, margin=0)
        ours = portrait(image, np.array(box))
        assert np.array_equal(ours, theirs.permute(1, 2, 0).numpy().astype(np.uint8))


@pytest.mark.parametrize("box", [[-90, -90, -10, -5], [500, 500, 600, 600], [5, 5, 5, 5]])
def test_a_portrait_of_a_box_without_a_picture_is_no_trouble(box):
    image = np.full((40, 60, 3), 7, np.uint8)
    assert np.array_equal(portrait(image, np.array(box, float)), np.full((160, 160, 3), 7))


class Colours:
    """Finds what is not black; tells of the pictures it was shown."""

    def detect(self, frames, indices):
        self.indices = list(indices)
        found = []
        for frame in frames:
            boxes = []
            for x in range(0, frame.shape[1], 64):
                lit = frame[:, x : x + 64].max(2) > 120
                if lit.any():
                    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
                    boxes.append([x + columns[0], rows[0], x + columns[-1] + 1, rows[-1] + 1])
            found.append(Detections(np.array(boxes, float).reshape(-1, 4), np.ones(len(boxes))))
        return found


class MeanColour:
    def embed(self, faces):
        means = faces.mean((1, 2)).astype(np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


RED, GREEN, BLUE = (220, 30, 30), (30, 220, 30), (30, 30, 220)


def faces(*colours):
    """A picture (64, 64 n, 3) with a block of each colour."""
    image = np.zeros((64, 64 * len(colours), 3), np.uint8)
    for k, colour in enumerate(colours):
        image[16:48, 64 * k + 16 : 64 * k + 48] = colour
    return image


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image[..., ::-1])[1].tobytes())


def test_people_are_read_from_pictures_and_from_folders_of_them(tmp_path):
    save(tmp_path / "Ann Röd.png", faces(RED))
    save(tmp_path / "Bob" / "1.png", faces(GREEN))
    save(tmp_path / "Bob" / "2.JPG", faces((60, 220, 30)))
    (tmp_path / "notes.txt").write_text("no picture")
    detector = Colours()
    people = read_people(tmp_path, detector, MeanColour())
    assert detector.indices == [-1]
    assert {name: len(vectors) for name, vectors in people.items()} == {"Ann Röd": 1, "Bob": 2}
    assert people["Ann Röd"][0].argmax() == 0  # red is the first channel
    assert people["Bob"].argmax(1).tolist() == [1, 1]


def test_the_largest_face_of_a_portrait_counts(tmp_path):
    image = faces(RED, GREEN)
    image[8:60, 70:124] = GREEN
    save(tmp_path / "Bob.png", image)
    assert read_people(tmp_path, Colours(), MeanColour())["Bob"][0].argmax() == 1


def test_a_portrait_that_is_none(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read from .*nowhere"):
        read_people(tmp_path / "nowhere", Colours(), MeanColour())
    with pytest.raises(InputError, match=r"There is no picture in"):
        read_people(tmp_path, Colours(), MeanColour())
    (tmp_path / "Ann.jpg").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"Ann\.jpg is not a picture"):
        read_people(tmp_path, Colours(), MeanColour())
    (tmp_path / "Ann.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"Ann\.jpg is not a picture"):
        read_people(tmp_path, Colours(), MeanColour())
    save(tmp_path / "Ann.jpg", np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(InputError, match=r"No face was found in the portrait .*Ann\.jpg"):
        read_people(tmp_path, Colours(), MeanColour())


# --- from end to end


@dataclass(frozen=True)
class NoConfig:
    """No parameters."""


class Loud:
    """Speech is where the sound is not silent; remembers the pieces."""

    pieces: list[int] = []

    def speech(self, sound):
        assert len(sound) % 640 == 0
        self.pieces.append(len(sound) // 640)
        return (np.abs(sound.reshape(-1, 640).astype(int)).max(1) > 1000).astype(np.float32)


@pytest.fixture
def strangers(monkeypatch):
    """Components of a stranger's package: `detector=colours embedder=colours vad=loud`."""
    found = registry()
    monkeypatch.setattr(found, "components", dict(found.components))
    monkeypatch.setattr(found, "providers", dict(found.providers))
    monkeypatch.setattr(Loud, "pieces", [])
    for kind, name, made in (
        ("detector", "colours", Colours), ("embedder", "colours", MeanColour), ("vad", "loud", Loud)
    ):  # fmt: skip
        component = Component(kind, name, NoConfig, lambda _, __, made=made: made())
        found.add(component, Provider("strangers", "1"))


WORDS = ["detector=colours", "embedder=colours", "scorer=lip_motion", "device=auto", "cutter=csv"]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Six seconds: red and green for three, then green and blue; a tone from 1 to 2 s."""
    folder = tmp_path_factory.mktemp("people")

    def image(k, *_):
        return faces(RED, GREEN) if k < 75 else faces(GREEN, BLUE)

    tone = np.zeros(6 * 16_000, np.int16)
    tone[16_000:32_000] = 8000 * np.sin(np.arange(16_000) / 5)
    path = write_video(
        folder / "talk.mkv", frames=150, size=(128, 64), image=image,
        sounds=[(0.0, tone)], sound_rate=16_000,
    )  # fmt: skip
    (folder / "scenes.csv").write_text(
        "Scene Number,Start Frame,Start Timecode,Start Time (seconds),"
        "End Frame,End Timecode,End Time (seconds)\n"
        "1,1,00:00:00.000,0.000,75,00:00:03.000,3.000\n"
        "2,76,00:00:03.000,3.000,150,00:00:06.000,6.000\n"
    )
    return path, f"cutter.path={folder / 'scenes.csv'}"


def test_identities_from_end_to_end(strangers, video, tmp_path):
    path, scenes = video
    save(tmp_path / "people" / "Gerda.png", faces(GREEN))
    result = asdkit.run(
        path,
        [*WORDS, scenes, f"identities={tmp_path / 'people'}", "embed_every=10", "writers=[]"],
    )
    assert [(one.shot, one.identity) for one in result.tracks] == [
        (0, "person_0"), (0, "Gerda"), (1, "Gerda"), (1, "person_1"),
    ]  # fmt: skip
    for one in result.tracks:
        assert one.embedded.tolist() == list(one.frames)[::10]
        assert one.embeddings.shape == (8, 3)
    assert result.speech is None
    assert "embed" in result.timings_s


# Red, green and blue are 0.72 apart.
@pytest.mark.parametrize(
    ("own", "given", "used", "people"),
    [
        (None, None, 0.5, 3),
        (0.9, None, 0.9, 2),
        (0.9, "identity_distance=0.2", 0.2, 3),
        (0.3, "identity_distance=0.9", 0.9, 2),
        (0, None, 0, 3),  # all green is alike
    ],
)
def test_the_embedder_says_how_far_apart_people_are(
    strangers, video, monkeypatch, tmp_path, own, given, used, people
):
    path, scenes = video
    if own is not None:
        monkeypatch.setattr(MeanColour, "identity_distance", own, raising=False)
    words = [*WORDS, scenes, *([given] if given else [])]
    output = f"output={tmp_path / 'out'}"
    result = asdkit.run(path, [*words, "writers=[json]", output])
    assert len({track.identity for track in result.tracks}) == people
    assert result.settings["identity_distance"] == used
    # The same again, whatever the embedder says then; another embedder has its own.
    monkeypatch.setattr(MeanColour, "identity_distance", 1.9, raising=False)
    again = begin_again(tmp_path / "out", []).plan()
    assert again.options.identity_distance == used
    other = begin_again(tmp_path / "out", ["embedder=none"]).plan()
    assert other.options.identity_distance is None


def test_what_is_kept_is_decided_alike_later(strangers, video, monkeypatch):
    path, scenes = video
    monkeypatch.setattr(MeanColour, "identity_distance", 0.9, raising=False)
    plan = make_plan(compose_run([*WORDS, scenes, "writers=[]"], str(path)))
    seen = analysed(media_of(plan.options), plan.options, Models(plan).parts(), Stopwatch())
    kept = seen_of(entry_of(seen, {}, {}))
    info = media_of(plan.options).info
    for one in (seen, kept):
        result = concluded(info, plan, one, {}, None)
        assert len({track.identity for track in result.tracks}) == 2
        assert result.settings["identity_distance"] == 0.9


def test_a_distance_out_of_range_is_refused(strangers, video):
    path, scenes = video
    with pytest.raises(ConfigError, match="identity_distance must be from 0 to 2, got 3"):
        asdkit.run(path, [*WORDS, scenes, "identity_distance=3", "writers=[]"])


def test_speech_from_end_to_end(strangers, video):
    path, scenes = video
    result = asdkit.run(path, [*WORDS, scenes, "vad=loud", "writers=[]"])
    assert Loud.pieces == [100, 50]
    assert result.speech == ((1.0, 2.0),)
    for one in result.tracks:
        for start, end in one.speaking:
            assert 1 <= start < end <= 2
    part = asdkit.run(path, [*WORDS, scenes, "vad=loud", "writers=[]", "start_s=1.6", "end_s=4"])
    assert part.speech == ((1.6, 2.0),)


def test_without_an_embedder_names_are_refused(strangers, video, tmp_path):
    path, scenes = video
    with pytest.raises(ConfigError, match="needs an embedder"):
        asdkit.run(path, [*WORDS, scenes, "embedder=none", f"identities={tmp_path}", "writers=[]"])


@pytest.mark.parametrize("answer", [np.zeros((1, 3)), np.zeros(3), np.full((4, 3), np.nan)])
def test_an_embedder_that_answers_wrongly_is_named(strangers, video, monkeypatch, answer):
    path, scenes = video
    monkeypatch.setattr(MeanColour, "embed", lambda self, faces: answer)
    with pytest.raises(PluginError, match="must answer with one finite vector"):
        asdkit.run(path, [*WORDS, scenes, "embed_every=50", "end_s=2", "writers=[]"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (np.zeros(99), "one number from 0 to 1 for each of 100 frames"),
        (np.full(100, np.inf), "among its numbers is inf"),
        (np.full(100, 3.0), "among its numbers is 3"),
        ("abc", "failed: ValueError"),
        (ZeroDivisionError("no level"), "failed: ZeroDivisionError: no level"),
    ],
)
def test_a_listener_that_answers_wrongly_is_named(strangers, video, monkeypatch, answer, says):
    def speech(self, sound):
        if isinstance(answer, Exception):
            raise answer
        return answer

    path, scenes = video
    monkeypatch.setattr(Loud, "speech", speech)
    with pytest.raises(PluginError, match=f"vad=loud.*{says}"):
        asdkit.run(path, [*WORDS, scenes, "vad=loud", "writers=[]"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda frames: [], "one Detections for each of 1 frames"),
        (lambda frames: [Detections(np.array([[900.0, 0, 950, 50]]), np.ones(1))], "lies outside"),
        (lambda frames: 1 / 0, "failed: ZeroDivisionError"),
    ],
)
def test_a_detector_that_answers_wrongly_for_a_portrait_is_named(tmp_path, answer, says):
    class Wrong:
        def detect(self, frames, indices):
            return answer(frames)

    save(tmp_path / "Ann.png", faces(RED))
    with pytest.raises(PluginError, match=f"The detector .*{says}"):
        read_people(tmp_path, Wrong(), MeanColour())


def test_names_are_one_line_and_hidden_files_are_no_people(tmp_path):
    save(tmp_path / "Zoe\u0308  Ann.png", faces(RED))
    (tmp_path / "._Zoe.jpg").write_bytes(b"not a picture")
    save(tmp_path / ".thumbs" / "1.png", faces(GREEN))
    assert list(read_people(tmp_path, Colours(), MeanColour())) == ["Zo\u00eb Ann"]


def test_no_folder_is_no_folder():
    with pytest.raises(ConfigError, match="identities names no folder"):
        asdkit.run("talk.mp4", ["identities=''"])
