"""What can be wrong with labelled data, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = {
    "unreadable": "Give the file again, whole; or leave its labels out",
    "no_face": "Correct the box, or take the labels away: nothing can be cut there",
    "no_crop": "Cut the crops again: there should be one for each label",
    "wrong_size": "Cut the crops again: a crop should be the box of its label",
    "outside": "Correct the boxes or the times, or take the labels away",
    "off_grid": "Check the frame rate that the labels were made with, and where their clock begins",
    "silent": "Take the face away, or give the video with its sound: nobody can be heard",
    "short_sound": "Give the whole sound: the face goes on after it ends",
    "blank": "Correct the boxes: there is nothing to be seen in them",
    "frozen": "Take the face away: it is a still picture",
    "one_frame": "Take the face away, or label more of it: one frame tells nothing",
    "twice": "Take one of the two away: one face has two labels at one moment",
    "one_class": "Add faces of the other kind: nothing can be learned from one alone",
    "same_video": "Take one of them away; between two sets it makes figures too good",
    "same_face": "Take one of them away; between two sets it makes figures too good",
}
"""By kind of problem: what to do."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with labelled data.

    Attributes:
        kind: One of `KINDS`.
        video: The name of the video; "" for the whole set.
        face: The person whose face it is, as the dataset says; "" for the whole video.
        time_s: When, the first time, in seconds from the first picture; None for no moment.
        said: What is wrong, in words.
    """

    kind: str
    video: str
    face: str
    time_s: float | None
    said: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return KINDS[self.kind]
