"""The evaluations that papers print, chosen by `protocol`: what they need of a configuration."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..ava_csv import PREDICTION_COLUMNS, SPEAKING_AUDIBLE, AvaRows
from ..config.chosen import Chosen
from ..contracts import Dataset
from ..errors import ConfigError, PluginError
from ..files import sha256
from ..labels import Judged, LabelledVideo, Published

NONE, AVA, COLUMBIA = "none", "ava", "columbia"
PROTOCOLS = (NONE, AVA, COLUMBIA)
PREDICTIONS_FILE = "predictions.csv"
_WINDOWS = "window_seconds"


@dataclass(frozen=True)
class _Needs:
    """What a protocol asks of a configuration.

    Attributes:
        faces: The value of `faces`.
        windows: The lengths of a scorer's windows, where it has any.
        writes: Whether writers may write a result of each video.
    """

    faces: str
    windows: tuple[int, ...]
    writes: bool


_NEEDS = {
    # The whole track at once: trainTalkNet.py and its kin load one track after the other.
    AVA: _Needs("labelled", (60,), writes=False),
    # The mean over windows of 1 to 6 s of the faces it finds: demoTalkNet.py, Columbia_test.py.
    COLUMBIA: _Needs("found", (1, 2, 3, 4, 5, 6), writes=True),
}


def with_protocol(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an application, with what their protocol needs.

    Raises:
        ConfigError: They ask for something else.
    """
    protocol = settings.get("protocol", NONE)
    if protocol not in _NEEDS:
        return dict(settings)
    needs, scorer = _NEEDS[protocol], dict(settings["scorer"])
    if protocol == COLUMBIA and settings["faces"] != needs.faces:
        raise ConfigError(
            f"protocol={protocol} finds the faces, but got faces={settings['faces']}",
            f"Leave it out, or use protocol={NONE}",
        )
    if _WINDOWS in scorer:
        windows = scorer[_WINDOWS]
        if windows is not None and sorted(windows) != list(needs.windows):
            raise ConfigError(
                f"protocol={protocol} scores with scorer.{_WINDOWS}={list(needs.windows)}, but got "
                f"{list(windows)}",
                f"Leave it out, or use protocol={NONE}",
            )
        scorer[_WINDOWS] = list(needs.windows)
    if settings["writers"] and not needs.writes:
        raise ConfigError(
            f"protocol={protocol} knows faces by their labels, not in a video that "
            f"{', '.join(settings['writers'])} could write about",
            f"Leave writers out: {PREDICTIONS_FILE} is written",
        )
    return {**settings, "faces": needs.faces, "scorer": scorer}


def check_protocol(chosen: Chosen, dataset: Dataset, protocol: str) -> None:
    """Check that a dataset has the protocol.

    Raises:
        ConfigError: It has not.
    """
    own = getattr(dataset, "protocol", NONE)
    if protocol not in (NONE, own):
        name = chosen.component.name
        raise ConfigError(
            f"dataset={name} has no protocol={protocol}"
            + (f"; it has protocol={own}" if own != NONE else ", and no other published one"),
            "Choose a dataset that has it, such as dataset=ava or dataset=columbia, or leave "
            "protocol out",
        )


def under(protocol: str, name: str, video: LabelledVideo) -> LabelledVideo:
    """A video with the faces and the judge of a protocol; see `core.labels.Published`.

    Args:
        protocol: The protocol.
        name: The dataset in words.
        video: The video, of a dataset that has this protocol.

    Raises:
        PluginError: The dataset does not say how the protocol looks at this video.
    """
    if protocol == NONE:
        return video
    published = video.published
    if not isinstance(published, Published):
        raise PluginError(
            f"{name} has protocol={protocol}, but its video {video.name} has no Published",
            "Give every LabelledVideo its `published`",
        )
    if not published.faces:
        return replace(video, judge=published.judge)
    return replace(video, path=None, faces=published.faces, judge=published.judge)


def content_of(video: LabelledVideo) -> str:
    """A hash of all that the clips of a protocol's faces are made of; "" for stored crops."""
    published = video.published
    if video.path is not None or published is None or published.source is None:
        return ""
    digest = hashlib.sha256(sha256(published.source).encode())
    if published.rows is not None:
        digest.update(published.rows.time_s.tobytes() + published.rows.boxes.tobytes())
    return digest.hexdigest()


def write_predictions(path: Path, parts: Iterable[tuple[AvaRows, Judged]]) -> None:
    """Write predictions in AVA's form: for each row of the truth, what it is ranked by.

    Numbers have as many digits as they need to be read back as they were.

    Args:
        path: The file.
        parts: Of each video, the rows of the truth, and what was judged of them, row by row.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(PREDICTION_COLUMNS)
        for rows, judged in parts:
            lines.writerows(
                (video, repr(time_s), *map(repr, box), SPEAKING_AUDIBLE, entity, repr(score))
                for video, time_s, box, entity, score in zip(
                    rows.video_id.tolist(),
                    rows.time_s.tolist(),
                    rows.boxes.tolist(),
                    rows.entity_id.tolist(),
                    judged.score.tolist(),
                    strict=True,
                )
            )
