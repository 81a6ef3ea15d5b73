"""Face crops and sound of AVA-ActiveSpeaker, in the layout that published loaders read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from glob import escape
from pathlib import Path

import cv2
import numpy as np

from ...core.errors import InputError
from ...core.files import is_litter, same_form
from ...core.labelled_clip import LabelledClip
from ...core.media.probe import Media, Sound, sound_of
from ...core.result import VideoInfo
from ...core.types import (
    CLIP_FRAMES,
    FACE_SIZE_PX,
    GRID_FPS,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    SOUND_AFTER,
    Clip,
    Float64,
    Int64,
    UInt8,
)

_LAYOUT = (
    "There should be clips_videos/VIDEO/FACE/TIME.jpg and clips_audios/VIDEO/FACE.wav, "
    "VIDEO perhaps in a folder more"
)


@dataclass(frozen=True)
class FaceCrops:
    """The crops and the sound of one face.

    Attributes:
        pictures: Folder of the crops, each named by its time in seconds.
        sound: The sound file.
        begins_s: When the sound begins, in seconds on the clock of the crops.
    """

    pictures: Path
    sound: Path
    begins_s: float

    def picture_near(self, time_s: float) -> UInt8:
        """The crop nearest to a time: (height, width, 3) uint8, BGR."""
        times, paths = self._listed()
        return _picture(paths[int(np.abs(times - time_s).argmin())])

    def clips(self, time_s: Float64, max_gap_s: float) -> list[Clip]:
        """A stretch of this face as successive clips.

        Each frame has the crop nearest in time. As in the published loaders, scorers get the whole
        crop, in grey.

        Args:
            time_s: (n,) the times of its grid frames, in seconds on the clock of the crops.
            max_gap_s: How far the nearest crop may be, in seconds.

        Raises:
            InputError: A crop is missing, or a file cannot be read.
        """
        nearest, paths = self._nearest(time_s, max_gap_s)
        begin = round((time_s[0] - self.begins_s) * SAMPLE_RATE)
        clips = []
        with self._heard() as sound:
            for start in range(0, len(time_s), CLIP_FRAMES):
                shown = nearest[start : start + CLIP_FRAMES]
                first = begin + start * SAMPLES_PER_FRAME
                stop = first + len(shown) * SAMPLES_PER_FRAME
                before = int(start > 0)  # one sample, if not the first clip
                heard = sound.read(first - before, stop + SOUND_AFTER)
                ahead, during, after = np.split(heard, [before, before + stop - first])
                faces = _faces(paths, shown)
                clips.append(Clip(faces, during, int(ahead.sum()), after))
        return clips

    def sizes(self, offset_s: float) -> Float64:
        """(m, 3) float64: the time, the width and the height in pixels of each crop.

        Args:
            offset_s: The second on the clock of the crops from which times are to count.

        Raises:
            InputError: A crop cannot be read.
        """
        times, paths = self._listed()
        shapes = [_picture(path).shape for path in paths]
        return np.array([(t - offset_s, s[1], s[0]) for t, s in zip(times, shapes, strict=True)])

    def labelled_clip(self, time_s: Float64, fps: float) -> LabelledClip:
        """The whole face, with the crop nearest to each label and the stored sound.

        Args:
            time_s: (n,) the times of all its labels, rising, in seconds on the clock of the crops.
            fps: Labels a second.

        Raises:
            InputError: A crop is missing, or a file cannot be read.
        """
        nearest, paths = self._nearest(time_s, 1 / fps)
        stop = math.ceil((len(time_s) + 1) / fps * SAMPLE_RATE)
        with self._heard() as sound:
            samples = sound.read(0, stop)
            ended = stop if sound.ended_at is None else sound.ended_at
        return LabelledClip(_faces(paths, nearest), samples[: max(ended, 1)], fps=fps)

    def _nearest(self, time_s: Float64, most_s: float) -> tuple[Int64, list[Path]]:
        """For each time the number of the nearest crop, and the files of the crops."""
        times, paths = self._listed()
        nearest = np.abs(times - time_s[:, None]).argmin(1)
        far = np.abs(times[nearest] - time_s) > most_s
        if far.any():
            raise InputError(
                f"{self.pictures} holds no crop near {time_s[far][0]:.2f} s, where labels are",
                "Cut the crops again: there should be one for each label",
            )
        return nearest, paths

    def _heard(self) -> Sound:
        info = VideoInfo(self.sound, 0.0, 0, 0, GRID_FPS, has_sound=True)
        source, _, clock = sound_of(self.sound)
        # Only the sound is read.
        return Sound(Media(info, source, source, Fraction(0), Fraction(0), sound_clock=clock))

    def _listed(self) -> tuple[Float64, list[Path]]:
        """The times of the crops, (n,), and their files."""
        try:
            paths = [path for path in self.pictures.glob("*.jpg") if not is_litter(path)]
            found = sorted((_seconds(path.stem), path) for path in paths)
        except ValueError as error:
            raise InputError(
                f"A crop in {self.pictures} is not named by its time: {error}", _LAYOUT
            ) from error
        if not found:
            raise InputError(f"{self.pictures} holds no crop", _LAYOUT)
        return np.array([time_s for time_s, _ in found]), [path for _, path in found]


def crops_of(folder: Path, video: str, begins_s: Mapping[str, float]) -> dict[str, FaceCrops]:
    """The crops of a video's faces.

    Args:
        folder: Holds the folders clips_videos and clips_audios.
        video: The video's name.
        begins_s: By face: the time of its first label, at which its sound begins, in seconds on
            the clock of the crops.

    Returns:
        By face: its crops.

    Raises:
        InputError: The crops or the sound of a face are missing.
    """
    pictures = _listing(folder / "clips_videos", video)
    sounds = _listing(folder / "clips_audios", video)
    found = {}
    for face, first_s in begins_s.items():
        try:
            found[face] = FaceCrops(pictures[_plain(face)], sounds[_plain(f"{face}.wav")], first_s)
        except KeyError as error:
            raise InputError(f"{folder} lacks the crops or the sound of {face}", _LAYOUT) from error
    return found


def _listing(folder: Path, video: str) -> dict[str, Path]:
    """By plain name: the files of a video in a folder, or in a subfolder for its split."""
    for place in (folder / video, *sorted(folder.glob(f"*/{escape(video)}"))):
        if place.is_dir():
            return {_plain(path.name): path for path in place.iterdir() if not is_litter(path)}
    raise InputError(f"{folder} has nothing of the video {video}", _LAYOUT)


def _plain(name: str) -> str:
    """Normalise a name for comparison with file names, where a face's colon is often replaced."""
    return re.sub(r"\W", "_", same_form(name))


def _seconds(text: str) -> float:
    """Parse a finite time in seconds; raises `ValueError` for any other text."""
    seconds = float(text)
    if not math.isfinite(seconds):
        raise ValueError(f"{text!r} is no time")
    return seconds


def _picture(path: Path) -> UInt8:
    try:
        picture = cv2.imread(str(path))
    except cv2.error:  # more pixels than OpenCV accepts
        picture = None
    if picture is None:
        raise InputError(f"{path} cannot be read as a picture", "Cut the crop again")
    return np.asarray(picture, np.uint8)


def _faces(paths: list[Path], shown: Int64) -> UInt8:
    """The input of scorers for the crops numbered `shown`: (n, 112, 112) uint8, grey."""
    numbers, places = np.unique(shown, return_inverse=True)
    return np.stack([as_face(_picture(paths[k])) for k in numbers])[places]


def as_face(picture: UInt8) -> UInt8:
    """A crop (height, width, 3), BGR, as scorers read it: (112, 112) uint8, grey."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (FACE_SIZE_PX, FACE_SIZE_PX)), np.uint8)
