"""Finds the video that a result is of, so that it can be decoded again."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import InputError
from ..notes import Notes
from ..result import Result
from .container import Media, Reading
from .probe import probe


def media_of(result: Result) -> Media:
    """The video as the run has probed it; probed anew for a result that was loaded.

    A path that is not absolute is looked for in the folder that the run was started in, then in
    the current one. The sound is moved as it was for the run.

    Raises:
        InputError: There is no such file any more, it cannot be read, or its picture has another
            size than the one that the result is of.
    """
    if isinstance(result.media, Media):
        return result.media
    info = result.video
    path = _place(info.path, result)
    media = probe(
        path,
        None if result.sound_path is None else _place(result.sound_path, result),
        Reading.of(result.settings),
        allow_silent=True,
        end_s=result.settings.get("end_s"),
        notes=Notes(info.notes),
    )
    if (media.info.width, media.info.height) != (info.width, info.height):
        raise InputError(
            f"{path} is not the video that the result is of: its picture has "
            f"{media.info.width}x{media.info.height} pixels, not {info.width}x{info.height}",
            _NAME_IT,
        )
    return media if result.sync is None else media.with_sound_moved(result.sync.moved_s)


_NAME_IT = "Name the right one: Result.load(path, video=FILE), or asd write RESULT video=FILE"


def place_of(path: Path, result: Result) -> Path:
    """The absolute path of a file that the run has read: where it is now, or was, if it is gone.

    All that opens or names such a file asks here, so that nothing shows another file than the rest.
    """
    places = Path(result.provenance.get("folder", "."), path), path
    place = next(filter(_exists, places), places[0])
    return Path(os.path.abspath(place))  # noqa: PTH100 - resolve() would follow links


def _place(path: Path, result: Result) -> Path:
    """Where a file that the run has read is now.

    Raises:
        InputError: It is not there.
    """
    place = place_of(path, result)
    if not _exists(place):
        raise InputError(f"{place}, which the result is of, is not there any more", _NAME_IT)
    return place


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - False for any name
