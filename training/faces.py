"""The faces of labelled videos: crops that a dataset holds, or cut from a video once and kept."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import numpy as np

from ..core.config.compose import RUN, compose_run, settings_of
from ..core.config.plan import AnalysisPlan, RunPlan, analysis_plan_of
from ..core.errors import ConfigError, OutputError
from ..core.evaluation.cache import Cache, Entry, shrink
from ..core.evaluation.cache_keys import faces_key
from ..core.evaluation.kept_scores import entry_of, seen_of
from ..core.evaluation.labelled_faces import crops_info, parts_for
from ..core.files import claim, remove_partial, sha256, whole
from ..core.labels import LabelledFace, LabelledVideo
from ..core.models import Models
from ..core.progress import Progress, Stopwatch
from ..core.sync import OFF
from ..core.types import GRID_FPS, SAMPLES_PER_FRAME, SOUND_AFTER, Clip
from ..core.viewing import analysed, media_of
from ..core.weights import cache_folder
from .examples import Face, FacesOfVideo
from .kept_faces import ROW, KeptFace, Recorder, rows_of

Tell = Callable[[str], None]
"""Called with a line of text for each video."""
_SUFFIX = ".faces"
"""Of files of faces, which lie beside the cache's entries on them."""
_LOCK = ".cutting.lock"
_WAIT_S = 0.2


@dataclass
class VideoFaces:
    """Gives the faces of videos; see `training.examples.Faces`.

    Crops that a dataset holds are read as they are, whenever they are asked for. Of a video its
    labelled faces are cut, by the rule of `asd evaluate faces=labelled`; if the dataset gives
    none, those that the detector and the tracker of the plan find. That takes one pass over the
    video, and what is cut is kept for the next training, whatever scorer is trained.

    Attributes:
        plan: The detector, the tracker and the options of a pass.
        limit_bytes: How much may be kept; the least recently used faces are removed, but none that
            this training needs.
        tell: Called for each video with a line on what was done.
        folder: Where faces are kept.
    """

    plan: AnalysisPlan
    limit_bytes: float
    tell: Tell = lambda _: None
    folder: Path = field(default_factory=lambda: cache_folder() / "faces")

    def __post_init__(self) -> None:
        self._models = Models(self.plan)
        self._cache = Cache(self.folder, self.limit_bytes)
        self._expected = 0
        self._needed: dict[Path, int] = {}
        """By file that this training needs: its size in bytes."""

    def expect(self, videos: Sequence[LabelledVideo]) -> None:
        """Check that the labelled faces of these videos may be kept, beside others expected.

        See `training.examples.Faces`.
        """
        faces = [face for video in videos if video.path for face in video.faces]
        self._expected += sum(len(face.boxes) for face in faces) * ROW.itemsize
        self._check_room(self._expected)

    def __call__(self, video: LabelledVideo, progress: Progress) -> FacesOfVideo:
        """The faces of a video; see `Faces`."""
        if video.path is None:
            faces = tuple(
                Face(face.first_frame, face.boxes, partial(_clip_of_crops, face))
                for face in video.faces
            )
            info = crops_info(video)
            return FacesOfVideo(info, ((0, round(info.duration_s * GRID_FPS)),), faces)
        plan = self.plan.for_video(str(video.path), overwrite=True)
        media = media_of(plan.options)
        key = faces_key(sha256(video.path), plan, video.faces)
        kept = self._kept(key)
        said = "kept from an earlier training" if kept else "cut"
        if kept is None:
            with self._alone(progress):
                kept = self._kept(key) or self._cut(video, plan, key, progress)
        entry, rows = kept
        self._need(rows)
        seen = seen_of(entry)
        frames = sum(len(track) for track in seen.tracks)
        self.tell(f"{video.name}: {len(seen.tracks)} faces in {frames} frames, {said}")
        faces = tuple(
            Face(t.first_frame, t.boxes, KeptFace.of(rows, rows_of(t.logits)).clip)
            for t in seen.tracks
        )
        return FacesOfVideo(media.info, seen.shots, faces)

    def _kept(self, key: Mapping[str, Any]) -> tuple[Entry, Path] | None:
        """The entry of a key, and the file of its rows; None if it is not there, or not whole."""
        entry = self._cache.get(key)
        if entry is not None:
            path = self.folder / str(entry.about["file"])
            with suppress(OSError):
                if path.stat().st_size == entry.about["rows"] * ROW.itemsize:
                    os.utime(path)
                    return entry, path
        return None

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """Wait until no other training cuts faces: they may well be the same."""
        held = None
        with suppress(OSError):  # without locks, or a folder; what is written next tells of that
            self.folder.mkdir(parents=True, exist_ok=True)
            while (held := claim(self.folder / _LOCK)) is None:
                progress("waiting for another training that cuts faces", 0, 0)
                sleep(_WAIT_S)
        try:
            yield
        finally:
            if held is not None:
                held.release()

    def _cut(
        self, video: LabelledVideo, plan: RunPlan, key: Mapping[str, Any], progress: Progress
    ) -> tuple[Entry, Path]:
        """Cut the faces of a video in one pass; return the entry, and the file of its rows."""
        media = media_of(plan.options)
        instead: dict[str, Any] = {"embedder": None, "vad": None}
        options = replace(plan.options, sync=OFF)
        if video.faces:
            instead |= parts_for(video.faces, media.info.pixel_aspect)
            options = replace(options, detect_every=1)
        remove_partial(self.folder)
        path = self.folder / f"{uuid4().hex}{_SUFFIX}"
        try:
            with whole(path) as aside, aside.open("wb") as file:
                recorder = Recorder(file)
                parts = self._models.parts({**instead, "scorer": recorder})
                seen = analysed(media, options, parts, Stopwatch(), progress, overlap=False)
            about = {"file": path.name, "rows": recorder.rows}
            entry = entry_of(seen, about, self._models.weights)
            self._cache.put(key, entry)
        except OutputError as error:
            raise OutputError(
                error.what, "Make room, or set ASDKIT_CACHE to a folder that can be written to"
            ) from error
        return entry, path

    def _need(self, path: Path) -> None:
        """Note that this training needs a file; remove others if there is no room for all."""
        self._needed[path] = path.stat().st_size
        self._check_room(sum(self._needed.values()))
        shrink(self.folder, _SUFFIX, self.limit_bytes, self._needed)

    def _check_room(self, wanted: int) -> None:
        """Check that so many bytes may be kept.

        Raises:
            ConfigError: They may not.
        """
        if wanted > self.limit_bytes:
            raise ConfigError(
                f"The faces of these videos take {wanted / 1e9:.3g} GB, once they are cut, of "
                f"which cache_gb={self.limit_bytes / 1e9:g} allows no more to be kept",
                f"Set cache_gb={math.ceil(wanted / 1e9)} or more, or train on fewer videos",
            )


def usual_plan(options: Sequence[str] = (), nodes: Mapping[str, Any] | None = None) -> AnalysisPlan:
    """The plan of a run of these options, such as "device=cpu", as `asd run` takes them.

    Args:
        options: The options.
        nodes: By kind: the name and the parameters, as plain values, of components to use in
            place of the usual ones.

    Raises:
        ConfigError: An option or a parameter is invalid.
        PluginError: A component does not exist.
    """
    settings = settings_of(RUN, compose_run([*options, "writers=[]"], "video"))
    return analysis_plan_of({**settings, **(nodes or {})})


def _clip_of_crops(face: LabelledFace, start: int, stop: int) -> Clip:
    """The frames from `start` to `stop` of a face of which the dataset holds crops."""
    assert face.clips is not None
    clips = face.clips()
    faces = np.concatenate([clip.faces for clip in clips])
    sound = np.concatenate([*(clip.sound for clip in clips), clips[-1].sound_after])
    begin, end = start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME
    before = int(sound[begin - 1]) if start else clips[0].sound_before
    return Clip(faces[start:stop], sound[begin:end], before, sound[end : end + SOUND_AFTER])
