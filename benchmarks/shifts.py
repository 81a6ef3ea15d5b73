"""How well `sync=check` finds out how late a sound is, and what that costs.

python -m benchmarks.shifts FILE [FILE ...] [OPTION=VALUE ...]

Each video is scored with its own sound, moved by each of `MOVED_MS`, and with that of the other
videos. The faces are found once. A line gives what was found, its certainty and the seconds taken.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np

from asdkit.core.analysis.shifting import AROUND, ShiftedScorer, WideClip
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import RunPlan, make_plan
from asdkit.core.decisions.in_step import checked
from asdkit.core.media.container import Media
from asdkit.core.media.sound import Sound
from asdkit.core.models import Models
from asdkit.core.progress import Stopwatch
from asdkit.core.sync import Sync
from asdkit.core.types import SAMPLES_PER_FRAME, Clip, Scores
from asdkit.core.viewing import analysed, media_of

PARTS = ["detector=yunet", "scorer=lr_asd", "sync=check", "threads=1", "writers=[]"]
MOVED_MS = (-400, -200, -80, 0, 80, 200, 400)
"""How much later the sound is made to come."""


class Faces:
    """A scorer that keeps the clips it is given; see `core.contracts.ShiftingScorer`."""

    def __init__(self) -> None:
        self.clips: list[WideClip] = []

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Keep the clips, and score nothing."""
        self.clips += [clip for clip in clips if isinstance(clip, WideClip)]
        return [Scores(np.zeros((len(clip), 2), np.float32)) for clip in clips]

    def score_shifted(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score nothing."""
        return [Scores(np.zeros((len(clip), 2), np.float32)) for clip in clips]


def faces_of(plan: RunPlan, models: Models) -> Sequence[WideClip]:
    """The clips of all faces of a video."""
    keeper = Faces()
    parts = models.parts({"scorer": keeper})
    analysed(media_of(plan.options), plan.options, parts, Stopwatch())
    return keeper.clips


def scanned(clips: Sequence[WideClip], sound_of: Media, scorer: ShiftedScorer) -> Sync:
    """What is found out about faces with a sound."""
    with Sound(sound_of, before_s=1.0) as sound:
        heard = [
            sound.read(first - AROUND, first + len(clip) * SAMPLES_PER_FRAME + AROUND)
            for clip in clips
            for first in [clip.first_frame * SAMPLES_PER_FRAME]
        ]
    tracks = [
        replace(clip, sound=around[AROUND:-AROUND], around=around, pieces=[])
        for clip, around in zip(clips, heard, strict=True)
    ]
    scorer.score(tracks)
    return checked([clip.pieces for clip in tracks], can_refuse=True)


def main(words: Sequence[str]) -> None:
    """Print a line for each video and sound."""
    options = [*PARTS, *(word for word in words if "=" in word)]
    videos = [word for word in words if "=" not in word]
    media = {video: media_of(make_plan(compose_run(options, video)).options) for video in videos}
    for video in videos:
        plan = make_plan(compose_run(options, video))
        models = Models(plan)
        clips = faces_of(plan, models)
        scorer = ShiftedScorer(models.part("scorer"), models.name("scorer"))
        begun = process_time()
        models.part("scorer").score(clips)
        _print(video, "scores alone", "", process_time() - begun)
        sounds = {f"{ms:+d} ms": media[video].with_sound_moved(-ms / 1000) for ms in MOVED_MS}
        sounds |= {Path(other).name: media[other] for other in videos if other != video}
        for name, sound in sounds.items():
            begun = process_time()
            found = scanned(clips, sound, scorer).whole
            said = f"{found.fits} {found.offset_s} s, certainty {found.certainty:.2f}"
            _print(video, name, said, process_time() - begun)


def _print(video: str, what: str, said: str, seconds: float) -> None:
    print(f"{Path(video).name} {what}: {said} ({seconds:.1f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
