"""Sentences on what a pass has not heard or seen, for the notes of a result."""

from __future__ import annotations

from ..media.container import Media, Source
from .answers import asked
from .parts import Parts


def silence(source: Source) -> str:
    """The note for a sound track that is silent throughout."""
    with source.opened() as (container, _):
        tracks = len(container.streams.audio)
    said = (
        f"The sound of {source.path} is silence throughout what was looked at: nobody can be heard"
    )
    if tracks < 2:
        return said
    return f"{said}; the file has {tracks} sound tracks, and sound_track=N chooses (from 0)"


def say_what_is_too_small(media: Media, parts: Parts) -> None:
    """Note the size of the smallest face that the detector can find, if it states one."""
    smallest = getattr(parts.detector, "smallest_face_px", None)
    if smallest is not None:
        height, width = media.info.height, media.info.width
        with asked(parts.name("detector")):
            smallest_px = float(smallest(height, width))
        media.notes.add(
            f"No face was found: in a picture of {width}x{height} {parts.name('detector')} finds "
            f"faces from about {smallest_px:.0f} px on; a smaller detector.min_face_px finds "
            "smaller ones, and in a large picture a larger detector.longer_side_px"
        )
