"""What is heard in a part is what is heard in the whole; silence throughout is said."""

from __future__ import annotations

import math
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from synth import write_video

import asdkit
from asdkit.core.analysis.listening import Listener, frames_before
from asdkit.core.decisions.segments import SegmentsConfig, SpeechConfig
from asdkit.core.decisions.speaking import decide
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound
from asdkit.core.progress import Stopwatch
from asdkit.core.result import Result
from asdkit.core.types import Heard, Spans


def run(folder: Path, video: Path, *overrides: str) -> Result:
    """A run that looks at no face."""
    (folder / "none.json").write_text("[]")
    nobody = ["detector=boxes", f"detector.path={folder / 'none.json'}", "scorer=lip_motion"]
    return asdkit.run(video, [*nobody, "vad=energy", "cutter=none", "writers=[]", *overrides])


def voice(seconds: float, rate: int = 16_000) -> np.ndarray:
    """A buzz that swells four times a second, as syllables do."""
    time = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 120 * k * time + k * k) / k for k in range(1, 40))
    return buzz * (0.6 + 0.4 * np.cos(2 * np.pi * 4 * time)) * 3_000


def spoken_video(path: Path, *, codec: str = "pcm_s16le") -> Path:
    """10 s with a voice from 1.5 to 3.5 s and from 5 to 9 s, over noise."""
    sound = np.random.default_rng(0).normal(0, 20, 160_000)
    for begin, end in [(1.5, 3.5), (5.0, 9.0)]:
        sound[round(begin * 16_000) : round(end * 16_000)] += voice(end - begin)
    return write_video(
        path,
        frames=250,
        codec="mpeg4",
        sounds=[(0.0, sound.astype(np.int16))],
        sound_codec=codec,
        sound_rate=16_000,
    )


def within(spans: Spans, start_s: float) -> list[tuple[float, float]]:
    return [(max(begin, start_s), end) for begin, end in spans if end > start_s]


@pytest.mark.parametrize("start_s", [0.5, 2.0, 2.37, 3.52, 6.0, 8.2, 9.0])
def test_a_part_says_what_the_whole_says(tmp_path, start_s):
    video = spoken_video(tmp_path / "a.mkv")
    whole = run(tmp_path, video).speech
    assert len(whole) == 2
    part = run(tmp_path, video, f"start_s={start_s}").speech
    assert list(part) == within(whole, math.ceil(start_s * 25) / 25)


@pytest.mark.skipif(
    not (find_spec("onnxruntime") and find_spec("silero_vad")), reason="needs asdkit[silero]"
)
@pytest.mark.parametrize("vad", ["energy", "silero"])
def test_a_part_of_a_real_clip_says_what_the_whole_says(shared, tmp_path, vad):
    video = shared("clips/dialogue_30fps.mp4")
    whole = run(tmp_path, video, f"vad={vad}").speech
    for start_s in (3.0, 5.0):
        part = run(tmp_path, video, f"vad={vad}", f"start_s={start_s}").speech
        assert list(part) == within(whole, start_s)


def test_speech_from_before_a_part_that_goes_on_counts():
    """Between both thresholds speech only goes on; too short alone, it is long enough in all."""
    heard_before = np.full(10, 0.6, np.float32)
    goes_on = np.array([0.4, 0.4, 0.1, 0.1], np.float32)
    config = SpeechConfig()
    decision = decide([], Heard(50, goes_on, heard_before), SegmentsConfig(), config)
    assert decision.speech == ((2.0, 2.08),)
    assert decide([], Heard(50, goes_on), SegmentsConfig(), config).speech == ()


def test_a_detector_hears_as_much_before_a_part_as_it_asks_for(tmp_path):
    asked = []

    class Listening:
        memory_s = 1.0

        def speech(self, sound):
            asked.append(len(sound) // 640)
            return np.zeros(len(sound) // 640, np.float32)

    video = spoken_video(tmp_path / "a.mkv")
    for vad, start_s, frames in [
        (Listening(), 4.0, 150 + 28),  # pieces begin at multiples of four frames
        (Listening(), 0.4, 250),
        (SimpleNamespace(speech=Listening().speech), 4.0, 150),
    ]:
        asked.clear()
        first = round(start_s * 25)
        before = frames_before(vad, first)
        with Sound(probe(video), start_s, before / 25) as sound:
            listener = Listener(vad, sound, Stopwatch(), first, before=before)
            heard = listener.finish(250)
        assert sum(asked) == frames
        assert len(heard.probabilities) == 250 - round(start_s * 25)


def test_silence_throughout_is_said_and_kept(tmp_path, caplog):
    silence = [(0.0, np.zeros(32_000, np.int16))]
    path = write_video(tmp_path / "a.mkv", sounds=silence, sound_rate=16_000)
    for more in (["vad=energy"], ["vad=none"], ["vad=energy", "start_s=0.5", "end_s=1.5"]):
        caplog.clear()
        (note,) = run(tmp_path, path, *more).video.notes
        assert "is silence throughout what was looked at" in note
        assert "sound_track" not in note
        assert caplog.messages.count(note) == 1


def test_a_silent_sound_track_names_the_option_for_the_others(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        tracks = [container.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(2)]
        for number in range(50):
            image = av.VideoFrame(96, 64, "yuv420p")
            image.pts, image.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(image))
        container.mux(picture.encode(None))
        for track, samples in zip(tracks, (np.zeros(32_000), voice(2.0)), strict=True):
            frame = av.AudioFrame.from_ndarray(samples.astype(np.int16)[None], "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, 0
            container.mux(track.encode(frame))
            container.mux(track.encode(None))
    *_, note = run(tmp_path, path).video.notes
    assert "the file has 2 sound tracks, and sound_track=N chooses" in note


def test_sound_that_is_there_is_not_called_silence(tmp_path):
    video = spoken_video(tmp_path / "a.mkv")
    assert run(tmp_path, video, "vad=none").video.notes == ()
    assert run(tmp_path, video, "start_s=2", "end_s=3").video.notes == ()
