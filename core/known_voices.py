"""Names who speaks by voice: off screen, and across shots where faces are not compared."""

from __future__ import annotations

from dataclasses import replace

from .analysis.voices import checked_limits, voices_in
from .config.plan import RunPlan
from .contracts import VoiceEmbedder
from .decisions.voices import alone, identified_by_voice, sample, voices_by_name, whose
from .media.container import Media
from .media.sound import Sound
from .progress import Progress, Stopwatch, silent
from .result import Result


def voiced(
    result: Result,
    media: Media,
    plan: RunPlan,
    voice: VoiceEmbedder | None,
    watch: Stopwatch,
    *,
    progress: Progress = silent,
) -> Result:
    """A result with what voices tell.

    What is heard while one face alone speaks is this face's voice. If faces were not compared, the
    tracks of one voice get the same identity. Each off-screen span gets the name of whose voice is
    closest, if it is close enough.

    Args:
        result: The result, with the decisions on who speaks when.
        media: The video.
        plan: The plan that the result was made by.
        voice: The embedder of voices; None leaves the result as it is.
        watch: Times the stages "sound" and "voice".
        progress: Called before each voice.

    Raises:
        PluginError: The embedder breaks its contract.
    """
    if voice is None:
        return result
    name = plan.chosen["voice"].in_words
    _, max_distance = checked_limits(name, voice)
    off_screen = result.off_screen or ()
    wanted = [*map(sample, alone(result.tracks)), *(sample((span,)) for span in off_screen)]
    start_s = min((span[0] for own in wanted for span in own), default=0.0)
    with Sound(media, start_s, threads=plan.options.threads) as sound:
        found = voices_in(sound, wanted, voice, watch, name, progress=progress)
    tracks, of_tracks = result.tracks, found[: len(result.tracks)]
    if all(track.identity is None for track in tracks):
        tracks = identified_by_voice(tracks, of_tracks, max_distance)
    if result.off_screen is None:
        return replace(result, tracks=tracks)
    people = voices_by_name(tracks, of_tracks)
    names = tuple(whose(one, people, max_distance) for one in found[len(tracks) :])
    return replace(result, tracks=tracks, off_screen_names=names)
