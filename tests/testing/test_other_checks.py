"""The checks of voice activity detectors, cutters, writers and datasets find what breaks them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asdkit import plugin, testing
from asdkit.core.errors import PluginError

# Voice activity detectors


class Loudness:
    """Keeps the contract; others change one thing."""

    def speech(self, sound):
        levels = np.abs(sound.reshape(-1, 640) / 32768).mean(1)
        return np.minimum(levels * 10, 1).astype(np.float32)


class Sure(Loudness):
    def speech(self, sound):
        return np.full(len(sound) // 640, 1.5)


class Deafens(Loudness):
    def speech(self, sound):
        sound[:] = 0
        return np.zeros(len(sound) // 640)


class LogOfSilence(Loudness):
    def speech(self, sound):
        with np.errstate(divide="ignore"):
            return np.log10(super().speech(sound)) / 10 + 1


class Loudest(Loudness):
    """Takes sound for quieter than it can be."""

    def speech(self, sound):
        return np.abs(sound.reshape(-1, 640) / 20_000).mean(1)


class FourAtATime(Loudness):
    def speech(self, sound):
        levels = np.abs(sound.reshape(-1, 4 * 640) / 32768).mean(1)
        return np.repeat(levels, 4)


class NotWithoutSound(Loudness):
    def speech(self, sound):
        return super().speech(sound) * float(sound.max() > -40_000)


class PerPiece(Loudness):
    def speech(self, sound):
        found = super().speech(sound)
        return found / max(found.max(initial=0), 1e-9)


class SharedMemory(Loudness):
    heard = [0.0]

    def speech(self, sound):
        found = np.minimum(super().speech(sound) + self.heard[0], 1)
        self.heard[0] = min(self.heard[0] + 0.02, 1)
        return found


class NoMemory(Loudness):
    """Says that half a second is enough, but never forgets."""

    memory_s = 0.5

    def __init__(self):
        self.frames = 0

    def speech(self, sound):
        found = super().speech(sound)
        frames = self.frames + np.arange(len(found))
        self.frames += len(found)
        return np.where(frames < 100, 0, found)


class Endless(Loudness):
    memory_s = float("inf")


class OneRoom(Loudness):
    room = np.zeros(400, np.float32)

    def speech(self, sound):
        found = self.room[: len(sound) // 640]
        found[:] = super().speech(sound)
        return found


def test_a_vad_that_keeps_the_contract_passes():
    testing.check_vad(Loudness)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (Sure, r"from 0 to 1 for each of 100 frames, but among its numbers is 1.5. Turn"),
        (Deafens, r"Deafens changes the arrays"),
        (LogOfSilence, r"from 0 to 1.*silence, whose logarithm is infinite"),
        (Loudest, r"from 0 to 1"),
        (FourAtATime, r"FourAtATime failed: ValueError"),
        (NotWithoutSound, r"NotWithoutSound failed: ValueError"),
        (PerPiece, r"where the same sound is divided otherwise"),
        (SharedMemory, r"where the same sound is divided otherwise. Keep in the instance"),
        (NoMemory, r"memory_s=0.5.*State the time"),
        (Endless, r"memory_s=inf"),
        (OneRoom, r"changes in a later call"),
    ],
)
def test_a_vad_that_breaks_it_is_named(broken, says):
    with pytest.raises(PluginError, match=says):
        testing.check_vad(broken)


# Cutters


class Brightness:
    """Keeps the contract; others change one thing."""

    def __init__(self):
        self.last = None

    def starts_shot(self, frame, index):
        level = float(frame.mean())
        cut = self.last is not None and abs(level - self.last) > 30
        self.last = level
        return cut


class Ahead(Brightness):
    lookahead_frames = 5


class Perhaps(Brightness):
    def starts_shot(self, frame, index):
        return None


class PaintsToo(Brightness):
    def starts_shot(self, frame, index):
        frame[:] = 0
        return False


class Contrast(Brightness):
    def starts_shot(self, frame, index):
        return 100 // int(np.ptp(frame)) > 5


class Shared(Brightness):
    seen = []

    def starts_shot(self, frame, index):
        self.seen.append(index)
        return len(self.seen) > 20


class Behind(Brightness):
    lookahead_frames = -2


class FromZero(Brightness):
    def starts_shot(self, frame, index):
        self.all = [*getattr(self, "all", ()), frame]
        return bool(self.all[index].mean() > 30)


class LargeOnly(Brightness):
    def starts_shot(self, frame, index):
        return bool(frame[40:50, 40:50].reshape(10, 10, 3).mean() > 30)


class ByNumber(Brightness):
    looks = False

    def starts_shot(self, frame, index):
        return index % 7 == 3


class SaysItIsBlind(Brightness):
    looks = False


class PerhapsLooks(Brightness):
    looks = 1


@pytest.mark.parametrize("sound", [Brightness, Ahead, ByNumber])
def test_a_cutter_that_keeps_the_contract_passes(sound):
    testing.check_cutter(sound)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (Perhaps, "must answer True or False"),
        (PaintsToo, "PaintsToo changes the arrays"),
        (Contrast, "Contrast failed: ZeroDivisionError"),
        (Shared, "each video has a new cutter. Keep what it knows in the instance"),
        (Behind, "lookahead_frames=-2, which is no number of frames. Leave it out"),
        (FromZero, "FromZero failed: IndexError"),
        (LargeOnly, "LargeOnly failed: ValueError"),
        (SaysItIsBlind, "says by looks = False that it looks at no pictures, but answers otherw"),
        (PerhapsLooks, "looks=1, which must be True or False"),
    ],
)
def test_a_cutter_that_breaks_it_is_named(broken, says):
    with pytest.raises(PluginError, match=says):
        testing.check_cutter(broken)


# Writers


class Lines:
    """Keeps the contract; others change one thing."""

    def write(self, result, folder):
        path = folder / "lines.txt"
        path.write_text("".join(f"{track.first_frame}\n" for track in result.tracks))
        return [path]


class TellsOfNothing(Lines):
    def write(self, result, folder):
        (folder / "secret.txt").touch()
        return [folder / "there_is_none.txt"]


class KeepsASecret(Lines):
    def write(self, result, folder):
        (folder / "lines.tmp").touch()
        return super().write(result, folder)


class OnePath(Lines):
    def write(self, result, folder):
        return super().write(result, folder)[0]


class Elsewhere(Lines):
    def write(self, result, folder):
        path = folder.parent / "lines.txt"
        path.touch()
        return [path]


class NeedsAFace(Lines):
    def write(self, result, folder):
        first = min(track.first_frame for track in result.tracks)
        assert first == 0
        return super().write(result, folder)


class NothingToWrite(Lines):
    def write(self, result, folder):
        return super().write(result, folder) if result.tracks else []


class NeedsSound(Lines):
    def write(self, result, folder):
        1 / result.video.has_sound
        return super().write(result, folder)


class OnceOnly(Lines):
    def write(self, result, folder):
        (folder / "lines.txt").open("x").close()
        return super().write(result, folder)


class Numbers(Lines):
    def write(self, result, folder):
        path = folder / f"lines_{len(list(folder.iterdir()))}.txt"
        path.touch()
        return sorted(folder.glob("lines_*.txt"))


class Twice(Lines):
    def write(self, result, folder):
        return super().write(result, folder) * 2


class Negates(Lines):
    def write(self, result, folder):
        for track in result.tracks:
            np.negative(track.logits, out=track.logits)
        return super().write(result, folder)


def test_a_writer_that_keeps_the_contract_passes(tmp_path):
    found = testing.check_writer(Lines(), tmp_path, files=["lines.txt"])
    assert found == testing.check_writer(Lines(), tmp_path) == [tmp_path / "lines.txt"]
    assert (tmp_path / "lines.txt").read_text() == "0\n0\n"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (TellsOfNothing(), "there_is_none.txt, which is not there"),
        (KeepsASecret(), "leaves lines.tmp, of which it does not tell"),
        (OnePath(), r"must answer with a list of Path.*return \[path\]"),
        (Elsewhere(), "must write into the folder"),
        (NeedsAFace(), r"NeedsAFace failed: ValueError: min\(\)"),
        (NothingToWrite(), "tells of no file"),
        (NeedsSound(), "NeedsSound failed: ZeroDivisionError"),
        (OnceOnly(), "OnceOnly failed: FileExistsError"),
        (Numbers(), "writes other files if it writes the same result again"),
        (Twice(), "tells of a file twice"),
        (Negates(), "changes the arrays"),
    ],
)
def test_a_writer_that_breaks_it_is_named(tmp_path, broken, says):
    folder = tmp_path / "results"
    folder.mkdir()
    with pytest.raises(PluginError, match=says):
        testing.check_writer(broken, folder)


def test_a_writer_of_a_file_that_its_component_does_not_name_is_named(tmp_path):
    says = r"Lines has written lines\.txt, but its Component says that its files are a\.txt, b/c_.*"
    with pytest.raises(PluginError, match=says):
        testing.check_writer(Lines(), tmp_path, files=["a.txt", "b/c_*.txt"])


# Datasets


def judge(result):
    return plugin.judge_matches([plugin.Label("ann", 0.0, True)], [None], result.tracks)


def dataset(*videos, measure=None):
    """A dataset of these videos."""

    class Given:
        def videos(self):
            return videos

    given = Given()
    given.measure = measure or plugin.Measure("f1")
    return given


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "a.mp4"
    path.touch()
    return plugin.LabelledVideo("a", path, judge, speakers={"ann": ((0.0, 1.0), (2.0, 3.0))})


def crops(frames):
    face = np.zeros((frames, 112, 112), np.uint8)
    return lambda: [plugin.Clip(face, np.zeros(640 * frames, np.int16))]


def test_a_dataset_that_keeps_the_contract_passes(video):
    face = plugin.LabelledFace(0, np.tile([0.0, 0, 9, 9], (3, 1)), crops(3))
    videos = (video, replace(video, name="b", path=None, faces=(face,)))
    assert [video.name for video in testing.check_dataset(dataset(*videos))] == [video.name, "b"]


def test_a_dataset_in_another_order_or_gone_through_once_is_named(video):
    class OnceOnly:
        measure = plugin.Measure("f1")

        def videos(self):
            yield video

    class Turns:
        measure = plugin.Measure("f1")
        all = [video, replace(video, name="b")]

        def videos(self):
            self.all = self.all[::-1]
            return self.all

    with pytest.raises(PluginError, match=r"sequence of LabelledVideo.*Return a list"):
        testing.check_dataset(OnceOnly())
    with pytest.raises(PluginError, match=r"another order.*Sort them"):
        testing.check_dataset(Turns())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"path": Path("there_is_none.mp4")}, "there_is_none.mp4, where no file is"),
        ({"scored": ((2.0, 3.0), (0.0, 1.0))}, "not in order"),
        ({"judge": lambda result: result.tracks[0]}, "failed: IndexError"),
        ({"judge": lambda result: []}, "with Judged, but did with a list"),
        (
            {"judge": lambda result: replace(judge(result), found=np.ones(1, bool))},
            "faces were found where the result has none",
        ),
        (
            {"faces": (plugin.LabelledFace(0, np.zeros((2, 4)), crops(3)),)},
            "clips of all 2 frames.*one crop for each box",
        ),
    ],
)
def test_a_video_that_breaks_the_contract_is_named(video, changed, says):
    with pytest.raises(PluginError, match=says):
        testing.check_dataset(dataset(replace(video, **changed)))


def test_a_dataset_with_one_name_twice_or_no_measure_is_named(video):
    with pytest.raises(PluginError, match="two videos one name"):
        testing.check_dataset(dataset(video, video))
    with pytest.raises(PluginError, match=r"have a Measure.*but has 'f1'"):
        testing.check_dataset(dataset(video, measure="f1"))
