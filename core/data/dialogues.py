"""Makes synthetic dialogues out of clips of single people, with their truth.

What they are: no conversations. People speak sentences that have nothing to do with each other. A
listener is the same person's own silent frames, played back and forth: nobody nods, laughs, chews
or looks at who speaks. Sounds are added up as they were recorded, without a room around them, and
noise fills the pauses. Truth is the energy of the clip's sound, so the clips must be quiet. With
few clips, sentences come back. Figures on such videos compare configurations with each other; they
say little of how well one does on real ones.

The same clips, options and seed give the same pictures and sound.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ..errors import InputError
from ..files import whole
from ..labels import Bool
from ..media.encode import Mp4Writer
from ..media.soundtrack import sound_of_samples
from ..types import GRID_FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, Int16, UInt8
from .dialogue_plan import SHORTEST_SHOT, Cast, Plan, make_plan
from .dialogue_settings import Wanted
from .takes import SPEECH_DBFS, Take, read_take, runs

_MOST_TAKES = 3
"""Clips of one person that are used in one video; all lie in memory."""
_IN_A_ROW = 4
"""Most people side by side; more stand in rows."""
_NOISE = 0.001
"""Root mean square of the noise, relative to full scale."""
_FADE_SAMPLES = 160


class _Scene(NamedTuple):
    """Who does what where.

    Attributes:
        plan: The dialogue.
        cast: The takes of each person.
        places: x1, y1, x2, y2 of each place in the picture.
    """

    plan: Plan
    cast: Cast
    places: Sequence[tuple[int, int, int, int]]


def make_dialogue(
    people: Mapping[str, Sequence[Path]], folder: Path, seed: int, wanted: Wanted
) -> Path:
    """Make a video with its truth.

    Args:
        people: The clips of each person, by name.
        folder: Where to write `dialogue_SEED` with the suffixes .mp4, .json and .rttm.
        seed: What is drawn depends on this, the clips and `wanted` alone.
        wanted: What it should be like.

    Returns:
        The video.

    Raises:
        InputError: There are too few people, the clips cannot be read or differ in size, or the
            time is too short.
        OutputError: The files cannot be written.
    """
    check_wanted(people, wanted)
    rng = np.random.default_rng(seed)
    names = [sorted(people)[k] for k in rng.permutation(len(people))[: 2 * wanted.people]]
    cast = []
    for name in names:
        chosen = rng.permutation(len(people[name]))[:_MOST_TAKES]
        cast.append([read_take(people[name][k]) for k in chosen])
    _check_sizes(cast)
    plan = make_plan(
        cast,
        round(wanted.seconds * GRID_FPS),
        wanted.people,
        wanted.shots,
        rng,
        overlap=wanted.overlap,
        off_screen=wanted.off_screen,
    )
    if not plan.turns:
        raise InputError("No sentence fits in the time", "Give more seconds=, or shorter clips")
    speaking = plan.speaking(cast)
    video = folder / f"dialogue_{seed}.mp4"
    height, width = _size(cast, wanted.height)
    places = tiles(wanted.people, height, width)
    _write_video(video, _Scene(plan, cast, places), wanted, rng)
    heard = _later(speaking, round(wanted.offset_s * GRID_FPS))
    told = truth(names, plan, speaking, heard, places)
    _write_text(video.with_suffix(".json"), json.dumps(told) + "\n")
    _write_text(video.with_suffix(".rttm"), "".join(rttm(video.stem, names, heard)))
    return video


def _size(cast: Cast, height: int | None) -> tuple[int, int]:
    """Height and width in pixels of each person's picture."""
    own_height, own_width = cast[0][0].pictures.shape[1:3]
    if height is None:
        return own_height, own_width
    return height, max(1, round(own_width * height / own_height))


def _later(speaking: Bool, frames: int) -> Bool:
    """What is heard, (people, frames) bool, if the sound is late by so many frames, or early."""
    heard = np.zeros_like(speaking)
    length = speaking.shape[1]
    begin, end = max(frames, 0), min(length + frames, length)
    if begin < end:
        heard[:, begin:end] = speaking[:, begin - frames : end - frames]
    return heard


def check_wanted(people: Mapping[str, Sequence[Path]], wanted: Wanted) -> None:
    """Check that there are people and time enough.

    Raises:
        InputError: There are not.
    """
    least = wanted.people + (wanted.shots > 1)
    if len(people) < least:
        raise InputError(
            f"There are clips of {len(people)} people, but {least} are needed",
            "Give more clips, or fewer people=; several shots= need somebody who is not shown",
        )
    if wanted.seconds * GRID_FPS < wanted.shots * SHORTEST_SHOT:
        raise InputError(
            f"{wanted.seconds:g} s are too short for {wanted.shots} shots",
            f"Each takes {SHORTEST_SHOT / GRID_FPS:g} s at least",
        )


def _check_sizes(cast: Cast) -> None:
    sizes = {take.pictures.shape[1:3] for takes in cast for take in takes}
    if len(sizes) > 1:
        shown = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        raise InputError(f"Clips are of different sizes: {shown}", "Give clips of one size")


def tiles(people: int, height: int, width: int) -> list[tuple[int, int, int, int]]:
    """x1, y1, x2, y2 of each place in the picture, in pixels, row by row.

    Args:
        people: Number of places; up to four stand side by side, more in rows of equal length.
        height: Height of a place in pixels.
        width: Its width.
    """
    columns = math.ceil(people / math.ceil(people / _IN_A_ROW))
    corners = [(k % columns * width, k // columns * height) for k in range(people)]
    return [(x, y, x + width, y + height) for x, y in corners]


def truth(
    names: Sequence[str],
    plan: Plan,
    speaking: Bool,
    heard: Bool,
    places: Sequence[Sequence[int]],
) -> dict[str, object]:
    """The truth as the dataset `dialogue` reads it.

    Args:
        names: The people.
        plan: The dialogue.
        speaking: (people, frames) bool, whose lips speak, seen or not.
        heard: (people, frames) bool, whose voice is heard: the same, if the sound is in time.
        places: x1, y1, x2, y2 of each place in the picture.
    """
    shown = plan.shown(len(names))
    seen = np.flatnonzero(shown.any(1)).tolist()
    place_of = {person: place for shot in plan.shots for place, person in enumerate(shot.shown)}
    return {
        "fps": GRID_FPS,
        "shots": [[shot.first, shot.end] for shot in plan.shots],
        "regions": {names[k]: list(places[place_of[k]]) for k in seen},
        "speaking": {names[k]: (speaking & shown)[k].astype(int).tolist() for k in seen},
        "off_screen": (heard & ~shown).any(0).astype(int).tolist(),
    }


def rttm(video: str, names: Sequence[str], speaking: Bool) -> list[str]:
    """A line of RTTM for each stretch of speech of each person, by onset.

    Args:
        video: The video's name, without white space.
        names: The people, without white space.
        speaking: (people, frames) bool.
    """
    turns = sorted(
        (*run, name) for name, frames in zip(names, speaking, strict=True) for run in runs(frames)
    )
    return [
        f"SPEAKER {video} 1 {first / GRID_FPS:.3f} {(end - first) / GRID_FPS:.3f} "
        f"<NA> <NA> {name} <NA> <NA>\n"
        for first, end, name in turns
    ]


def _write_video(path: Path, scene: _Scene, wanted: Wanted, rng: np.random.Generator) -> None:
    plan, cast, _ = scene
    faces = plan.faces(cast, rng)
    sound = sound_of_samples(_sound(plan, cast, wanted, rng))
    fps = Fraction(wanted.fps).limit_denominator(1001)
    image: UInt8 | None = None
    last = -1
    with whole(path) as aside, Mp4Writer(aside, fps, sound=sound, threads=1) as video:
        for number in range(max(round(plan.frames * fps / GRID_FPS), 1)):
            # The frame of the 25 fps grid that is nearest, the earlier one of two.
            k = min(math.ceil(number * GRID_FPS / fps - Fraction(1, 2)), plan.frames - 1)
            if image is None or k != last:
                image, last = _composed(scene, faces, k), k
            video.add(image, number / fps, (number + 1) / fps)


def _composed(scene: _Scene, faces: Sequence[Sequence[tuple[int, int]]], frame: int) -> UInt8:
    """The picture of a frame: (height, width, 3) uint8, RGB."""
    plan, cast, places = scene
    _, _, width, height = np.max(places, axis=0)
    image = np.zeros((height, width, 3), np.uint8)
    shot = next(one for one in plan.shots if one.first <= frame < one.end)
    for person, (x1, y1, x2, y2) in zip(shot.shown, places, strict=True):
        image[y1:y2, x1:x2] = _picture(cast[person], faces[person][frame], (x2 - x1, y2 - y1))
    return image


def _picture(takes: Sequence[Take], face: tuple[int, int], size: tuple[int, int]) -> UInt8:
    """A frame of a take, of this width and height."""
    take, frame = face
    picture = takes[take].pictures[frame]
    if picture.shape[1::-1] == size:
        return np.asarray(picture, np.uint8)
    smaller = size[0] < picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _sound(plan: Plan, cast: Cast, wanted: Wanted, rng: np.random.Generator) -> Int16:
    """The sum of all takes and the noise: (640 frames,)."""
    level = _NOISE if wanted.snr_db is None else 10 ** ((SPEECH_DBFS - wanted.snr_db) / 20)
    sound = rng.normal(0, level, plan.frames * SAMPLES_PER_FRAME)
    late = round(wanted.offset_s * SAMPLE_RATE)
    for turn in plan.turns:
        samples = cast[turn.person][turn.take].sound.copy()
        fade = np.arange(_FADE_SAMPLES) / _FADE_SAMPLES
        samples[:_FADE_SAMPLES] *= fade
        samples[-_FADE_SAMPLES:] *= fade[::-1]
        begin = turn.begin * SAMPLES_PER_FRAME + late
        part = sound[max(begin, 0) :][: max(len(samples) + min(begin, 0), 0)]
        part += samples[max(-begin, 0) :][: len(part)]
    return np.asarray(np.rint(sound.clip(-1, 1) * np.iinfo(np.int16).max), np.int16)


def _write_text(path: Path, text: str) -> None:
    with whole(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")
