"""Decides who speaks when, from the faces' scores and the detected speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..types import GRID_FPS, Heard, Spans, Track
from .segments import SegmentsConfig, SpeechConfig, mask, speaking_segments, uncovered

NEARLY_ALWAYS = 0.9
"""Fraction of speaking faces, in frames with several, above which the result is implausible."""
SEEN_TOGETHER_S = 3.0
"""Least duration of such frames for that judgement, as people do speak at once briefly."""


@dataclass(frozen=True)
class Decision:
    """Who speaks when.

    Attributes:
        tracks: The tracks, with the segments in which they speak.
        speech: When the sound is speech; None without voice activity detection.
        off_screen: When there is speech but no visible face speaks; None likewise.
    """

    tracks: tuple[Track, ...]
    speech: Spans | None
    off_screen: Spans | None


def decide(
    tracks: Sequence[Track], heard: Heard | None, segments: SegmentsConfig, speech: SpeechConfig
) -> Decision:
    """Decide who speaks when, by thresholds, each face by itself.

    Args:
        tracks: The tracks with their scores.
        heard: The detected speech, outside of which no face speaks; None without voice activity
            detection.
        segments: When a face counts as speaking.
        speech: When the sound counts as speech.
    """
    if heard is None:
        return Decision(tuple(_decided(track, None, segments) for track in tracks), None, None)
    spoken = spoken_in(heard, speech)
    decided = tuple(_decided(track, spoken, segments) for track in tracks)
    off_screen = uncovered(
        spoken,
        (track.speaking for track in decided),
        heard.first_frame,
        len(heard.probabilities),
        speech.off_screen_min_s,
    )
    return Decision(decided, spoken, off_screen)


def spoken_in(heard: Heard, speech: SpeechConfig) -> Spans:
    """When there is speech, from `heard.first_frame` on."""
    earliest = heard.first_frame - len(heard.before)
    spans = speaking_segments(np.concatenate([heard.before, heard.probabilities]), earliest, speech)
    begin_s = heard.first_frame / GRID_FPS
    return tuple((max(start_s, begin_s), end_s) for start_s, end_s in spans if end_s > begin_s)


def _decided(track: Track, speech: Spans | None, segments: SegmentsConfig) -> Track:
    likely = track.probabilities
    if speech is not None:
        audible = mask(speech, track.first_frame, len(track))
        likely = np.where(audible, likely, np.float32(0))
    return replace(track, speaking=speaking_segments(likely, track.first_frame, segments))


def doubt(tracks: Sequence[Track]) -> str:
    """A sentence for the implausible decision that everybody speaks all the time.

    A single face may well speak all the time, so only frames with two or more faces count.

    Args:
        tracks: The tracks with their speaking segments.

    Returns:
        The sentence, or "" if there is nothing to say.
    """
    end = max((track.frames.stop for track in tracks), default=0)
    seen, speaking = np.zeros((2, end), np.int64)
    for track in tracks:
        seen[track.first_frame : track.frames.stop] += 1
        speaking += mask(track.speaking, 0, end)
    together = seen > 1
    seconds = np.count_nonzero(together) / GRID_FPS
    if seconds < SEEN_TOGETHER_S:
        return ""
    share = speaking[together].sum() / seen[together].sum()
    if share <= NEARLY_ALWAYS:
        return ""
    return (
        f"Everybody in sight seems to speak all the time ({100 * share:.0f} % of the faces in the "
        f"{seconds:.1f} s that show two or more), which is seldom so: try other scorer.weights or "
        "another scorer, and look at annotated.mp4"
    )
