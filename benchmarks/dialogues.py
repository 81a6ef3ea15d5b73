"""Synthetic dialogues from clips of single people: `python -m benchmarks.dialogues CLIPS OUTPUT`.

CLIPS holds videos of one person each who says one sentence, such as those of the GRID audiovisual
sentence corpus (Cooke, Barker, Cunningham and Shao, 2006). Clips in a folder of their own are of
one person; each other clip is of another person. For each video OUTPUT gets

  dialogue_SEED.mp4   the people side by side, who speak in turn, at once, or without being seen
  dialogue_SEED.json  the truth, as `asd evaluate dataset=dialogue dataset.folder=OUTPUT` reads it
  dialogue_SEED.rttm  every voice with the person's name, those that are not seen too

What they are: no conversations. People speak sentences that have nothing to do with each other. A
listener is the same person's own silent frames, played back and forth: nobody nods, laughs, chews
or looks at who speaks. Sounds are added up as they were recorded, without a room around them, and
faint noise fills the pauses. Truth is the energy of the clip's sound, so the clips must be quiet.
With few clips, sentences come back. Figures on such videos compare configurations with each other;
they say little of how well one does on real ones.

The same clips and seed give the same pictures and sound.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asdkit.core.errors import AsdError, InputError
from asdkit.core.files import whole
from asdkit.core.media.encode import Mp4Writer
from asdkit.core.media.soundtrack import sound_of_samples
from asdkit.core.types import GRID_FPS, SAMPLES_PER_FRAME, Int16, UInt8

from .dialogue_plan import SHORTEST_SHOT, Cast, Plan, make_plan
from .takes import Bool, Take, people_in, read_take, runs

_MOST_TAKES = 3
"""Clips of one person that are used in one video; all lie in memory."""
_IN_A_ROW = 4
"""Most people side by side; more stand in rows."""
_NOISE = 0.001
"""Root mean square of the noise, relative to full scale."""
_FADE_SAMPLES = 160


class Wanted(NamedTuple):
    """What the dialogues should be like.

    Attributes:
        people: How many are in the picture at once.
        shots: How many shots; they differ in who is shown.
        seconds: Length of a video.
    """

    people: int = 3
    shots: int = 1
    seconds: float = 20.0


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
    _check(people, wanted)
    rng = np.random.default_rng(seed)
    names = [sorted(people)[k] for k in rng.permutation(len(people))[: 2 * wanted.people]]
    cast = []
    for name in names:
        chosen = rng.permutation(len(people[name]))[:_MOST_TAKES]
        cast.append([read_take(people[name][k]) for k in chosen])
    _check_sizes(cast)
    plan = make_plan(cast, round(wanted.seconds * GRID_FPS), wanted.people, wanted.shots, rng)
    if not plan.turns:
        raise InputError("No sentence fits in the time", "Give more --seconds, or shorter clips")
    speaking = plan.speaking(cast)
    video = folder / f"dialogue_{seed}.mp4"
    places = tiles(wanted.people, *cast[0][0].pictures.shape[1:3])
    _write_video(video, plan, cast, places, rng)
    _write_text(video.with_suffix(".json"), json.dumps(truth(names, plan, speaking, places)) + "\n")
    _write_text(video.with_suffix(".rttm"), "".join(rttm(video.stem, names, speaking)))
    return video


def _check(people: Mapping[str, Sequence[Path]], wanted: Wanted) -> None:
    least = wanted.people + (wanted.shots > 1)
    if len(people) < least:
        raise InputError(
            f"There are clips of {len(people)} people, but {least} are needed",
            "Give more clips, or fewer --people; several --shots need somebody who is not shown",
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
    names: Sequence[str], plan: Plan, speaking: Bool, places: Sequence[Sequence[int]]
) -> dict[str, object]:
    """The truth as the dataset `dialogue` reads it.

    Args:
        names: The people.
        plan: The dialogue.
        speaking: (people, frames) bool, who speaks, seen or not.
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
        "off_screen": (speaking & ~shown).any(0).astype(int).tolist(),
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


def _write_video(
    path: Path,
    plan: Plan,
    cast: Cast,
    places: Sequence[tuple[int, int, int, int]],
    rng: np.random.Generator,
) -> None:
    faces = plan.faces(cast, rng)
    sound = sound_of_samples(_sound(plan, cast, rng))
    _, _, width, height = np.max(places, axis=0)
    with whole(path) as aside, Mp4Writer(aside, GRID_FPS, sound=sound, threads=1) as video:
        for shot in plan.shots:
            for k in range(shot.first, shot.end):
                image = np.zeros((height, width, 3), np.uint8)
                for person, (x1, y1, x2, y2) in zip(shot.shown, places, strict=True):
                    image[y1:y2, x1:x2] = _picture(cast[person], faces[person][k])
                video.add(image, Fraction(k, GRID_FPS), Fraction(k + 1, GRID_FPS))


def _picture(takes: Sequence[Take], face: tuple[int, int]) -> UInt8:
    take, frame = face
    return np.asarray(takes[take].pictures[frame], np.uint8)


def _sound(plan: Plan, cast: Cast, rng: np.random.Generator) -> Int16:
    """The sum of all takes and the noise: (640 frames,)."""
    sound = rng.normal(0, _NOISE, plan.frames * SAMPLES_PER_FRAME)
    for turn in plan.turns:
        samples = cast[turn.person][turn.take].sound.copy()
        fade = np.arange(_FADE_SAMPLES) / _FADE_SAMPLES
        samples[:_FADE_SAMPLES] *= fade
        samples[-_FADE_SAMPLES:] *= fade[::-1]
        part = sound[turn.begin * SAMPLES_PER_FRAME :][: len(samples)]
        part += samples[: len(part)]
    return np.asarray(np.rint(sound.clip(-1, 1) * np.iinfo(np.int16).max), np.int16)


def _write_text(path: Path, text: str) -> None:
    with whole(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")


def main(words: Sequence[str]) -> None:
    """Make the dialogues, and print their names."""
    asked = _parser().parse_args(words)
    try:
        people = people_in(asked.clips)
        for seed in range(asked.seed, asked.seed + asked.videos):
            print(
                make_dialogue(
                    people, asked.output, seed, Wanted(asked.people, asked.shots, asked.seconds)
                )
            )
    except AsdError as error:
        sys.exit(f"benchmarks.dialogues: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dialogues",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clips", type=Path, metavar="CLIPS", help="folder of clips with sound")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="folder to write to")
    parser.add_argument(
        "--seed",
        type=_natural,
        default=0,
        help="of the first video, the next has the next; default: 0",
    )
    parser.add_argument("--videos", type=_positive, default=1, help="how many; default: 1")
    parser.add_argument(
        "--people", type=_positive, default=3, help="people in the picture at once; default: 3"
    )
    parser.add_argument(
        "--shots", type=_positive, default=1, help="shots, which show different people; default: 1"
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=20.0, help="length of each video; default: 20"
    )
    return parser


def _natural(text: str) -> int:
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, got {text}")
    return int(text)


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return int(text)


def _seconds(text: str) -> float:
    if not 0 < float(text) < math.inf:
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return float(text)


if __name__ == "__main__":
    main(sys.argv[1:])
