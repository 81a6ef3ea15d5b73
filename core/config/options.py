"""The options of a run that belong to no component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..analysis.pass_options import AUTO
from ..decisions.conversation import ConversationConfig
from ..decisions.segments import SegmentsConfig, SpeechConfig
from ..decisions.turns import DECISIONS, INDEPENDENT
from ..device import DEVICES, read_device
from ..errors import ConfigError
from ..media.container import MAX_PIXELS, Reading
from ..plugin_files import OPTION
from ..spelling import guess, one_of
from ..sync import MODES, OFF
from .schemas import names
from .values import make

PRINTED = "-"
"""The `output` with which `asd run` prints the result."""
RESULTS_FOLDER = "asd_results"
"""Default folder for results, with a folder named after each video, if `output` is not given."""

AT_FIRST: dict[str, Any] = {
    "context": {"name": "none"},
    "voice": {"name": "none"},
    "decisions": INDEPENDENT,
    "conversation": {},
    "diarization": None,
    "sync": OFF,
    OPTION: None,
    "name": None,
}
"""What was done before there were these options; of `conversation` nothing was used."""


def check_device_name(device: str) -> None:
    """Check the name of a device.

    Raises:
        ValueError: The name is not auto, cpu, cuda or cuda:N.
    """
    if read_device(device) is None:
        hint = guess(device.replace("gpu", "cuda"), ("auto", "cpu", "cuda"))
        told = f"device must be {DEVICES}, got {device or 'nothing'}"
        raise ValueError(f"{told}. {hint}" if hint else told)


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """What holds for every video alike and belongs to no component.

    Attributes:
        allow_silent: Go on without sound: every face is scored against silence.
        video_track: Number of the picture's track among the file's video tracks, from 0; chosen
            if not given.
        sound_track: Number of the sound's track among the sound tracks of its file, from 0; chosen
            if not given.
        program: Number of a programme, as the file gives it, to take picture and sound from.
        rotate: auto turns the picture as the file says; 0, 90, 180 or 270 turns what is stored by
            so many degrees, clockwise.
        max_pixels: Pictures of more pixels are refused.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads a library may use; its own choice if not given. With 1 the stages of
            a run do not overlap, either.
        seed: What random numbers begin with, for components that draw some; asdkit's own do not.
        detect_every: Look for faces on every so many grid frames; the tracker fills the others.
            auto looks on every frame to every eighth, as often as the faces move.
        max_faces: Most faces of a frame that are followed: those the detector is surest of.
        batch_frames: Most frames handed to the detector at once; fewer of large pictures.
        crop_scale: How much wider than the face the crop is, on the left, the right and below.
        embed_every: Embed every so many faces of a track, if there is an embedder.
        identities: A folder of named portraits: NAME.jpg, or folders NAME of several pictures;
            needs an embedder. Whoever looks like none of them is called person_0 and so on.
        identity_distance: Tracks whose embeddings are this close on average are one person:
            cosine distance, from 0 (all alike) to 2; the embedder's own if not given.
        diarization: The turns of a diarizer, whose voices are joined to the faces seen speaking: a
            file (RTTM, or JSON of whisperX or pyannote), or a folder of files named like the
            videos. An RTTM file may hold several videos.
        decisions: independent decides for each face by itself, by thresholds; exclusive and overlap
            for all faces of a shot together, by a model of how people take turns, so that one
            speaks at a time, or two at most.
        sync: check measures how late or early the sound is, by scoring the faces with the sound
            at 23 offsets, too, and whether it fits anybody in sight; auto measures it before the
            run, on the first 30 s or more, and moves the sound by so much; off does neither. For
            scorers that can score one face with several sounds.
        quiet: The command prints nothing but errors and, where there is one, its final answer.
        plugins: Plugins of a single file, such as [my.py], which are run; their components can be
            chosen like all others.
        segments: When a face counts as speaking.
        speech: When the sound counts as speech, if there is voice activity detection.
        conversation: How people take turns, for decisions=exclusive and overlap.
    """

    allow_silent: bool = False
    video_track: int | None = None
    sound_track: int | None = None
    program: int | None = None
    rotate: str = "auto"
    max_pixels: int = MAX_PIXELS
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    detect_every: int | str = 1
    max_faces: int = 100
    batch_frames: int = 8
    crop_scale: float = 0.4
    embed_every: int = 25
    identities: str | None = None
    identity_distance: float | None = None
    diarization: str | None = None
    decisions: str = INDEPENDENT
    sync: str = OFF
    quiet: bool = False
    plugins: list[str] | None = None
    segments: SegmentsConfig = field(default_factory=SegmentsConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    conversation: ConversationConfig = field(default_factory=ConversationConfig)

    def __post_init__(self) -> None:
        check_device_name(self.device)
        Reading.of(vars(self))
        if isinstance(self.detect_every, str) and self.detect_every != AUTO:
            raise ValueError(
                f"detect_every must be a whole number or {AUTO}, got {self.detect_every!r}"
            )
        for name in ("threads", "detect_every", "max_faces", "batch_frames", "embed_every"):
            value = getattr(self, name)
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        for name, words in (("decisions", DECISIONS), ("sync", MODES)):
            if getattr(self, name) not in words:
                raise ValueError(one_of(name, getattr(self, name), words))
        for name, what in (("identities", "folder"), ("diarization", "file")):
            if getattr(self, name) == "":
                raise ValueError(f"{name} names no {what}")
        _check_range("seed", self.seed, 2**32 - 1, "2**32 - 1")
        _check_range("identity_distance", self.identity_distance, 2, "2")
        if self.crop_scale < 0:
            raise ValueError(f"crop_scale must not be negative, got {self.crop_scale}")


def check_folder(output: Any) -> None:
    """Check that an output names a folder or file, if it is given.

    Raises:
        ConfigError: It is empty, or a dash, which only `asd run` understands, and replaces before.
    """
    if output == "":
        raise ConfigError(
            "output names no folder", "Name one: output=FOLDER, or leave it out for the default"
        )
    if output == PRINTED:
        raise ConfigError(
            "output=- prints the result of a single asd run, and is of no use here",
            "Name a folder: output=FOLDER",
        )


def _check_range(name: str, value: float | None, most: float, in_words: str) -> None:
    if value is not None and not 0 <= value <= most:
        raise ValueError(f"{name} must be from 0 to {in_words}, got {value}")


@dataclass(frozen=True, kw_only=True)
class Options(AnalysisOptions):
    """The options of a run that belong to no component.

    Attributes:
        video: The video file.
        name: What the video is called in the results; its file name without suffix if not given.
        sound: Another file to take the sound from; it starts with the picture.
        output: Folder for the results; asd_results/NAME-OF-THE-VIDEO if not given. asd run prints
            the result as JSON in place of all files if it is -.
        overwrite: Replace results that are already in the output folder.
        resume: Go on with what a run into the same folder has found before it was stopped.
        start_s: Process from this second of the video on.
        end_s: Process up to this second, excluded; to the end if not given.
    """

    video: str
    name: str | None = None
    sound: str | None = None
    output: str | None = None
    overwrite: bool = False
    resume: bool = False
    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if not self.video:
            raise ValueError("video names no file")
        if self.name is not None and not self.name.strip():
            raise ValueError("name is empty")
        check_folder(self.output)
        if self.sound == "":
            raise ValueError("sound names no file")
        if self.start_s < 0:
            raise ValueError(f"start_s must not be negative, got {self.start_s}")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(
                f"end_s must be after start_s, got start_s={self.start_s} and end_s={self.end_s}"
            )
        super().__post_init__()


def make_options(options: type, settings: Mapping[str, Any]) -> Any:
    """The options of an application that runs videos, from its settings.

    Raises:
        ConfigError: A value is out of range, or `output` is of no use.
    """
    own = {name: settings[name] for name in names(options)}
    check_folder(own.get("output"))
    own["segments"] = make(SegmentsConfig, own["segments"], "segments")
    own["speech"] = make(SpeechConfig, own["speech"], "speech")
    own["conversation"] = make(ConversationConfig, own["conversation"], "conversation")
    return make(options, own)
