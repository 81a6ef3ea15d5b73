"""The result of a run, and what is said of its video.

The methods of `Result` are in `core.finished`, which they import when they are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .scaling import Scaling
from .sync import Sync
from .types import Heard, Spans, Track, UInt8
from .voice import Voice

if TYPE_CHECKING:
    from .decisions.conversation import ConversationConfig
    from .decisions.segments import SegmentsConfig, SpeechConfig
    from .finished.moments import Moment
    from .given_writers import GivenWriters

KEPT = "kept"
"""The value of `calibration` in `Result.decide` that leaves the probabilities as they are."""


@dataclass(frozen=True)
class VideoInfo:
    """The properties of a video.

    Attributes:
        path: The file.
        duration_s: Length of the picture in seconds.
        width: Width in pixels, after rotation.
        height: Height in pixels, after rotation.
        fps: Mean frame rate of the source.
        has_sound: Whether sound was found, in the file or beside it.
        start_s: Time of the first picture (time zero) on the clock of the file, which begins with
            its earliest stream; 0 or more. Add it to a time to get the time that players and
            audio tools show.
        pixel_aspect: Width of a pixel over its height, after rotation.
        notes: Sentences on what was chosen or left out of the file, and on implausible results.
        name: What the video is called in all files that name it; the file's name without suffix
            if not given.
    """

    path: Path
    duration_s: float
    width: int
    height: int
    fps: float
    has_sound: bool
    start_s: float = 0.0
    pixel_aspect: float = 1.0
    notes: tuple[str, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.path.stem)


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """The result of a run.

    In a notebook it is shown as a table of the people and a timeline.

    Attributes:
        video: The source.
        shots: (first, end) grid frames of each shot, end excluded.
        tracks: The faces, by first frame.
        settings: Every option of the run, as plain values.
        timings_s: Seconds spent in each stage; stages that overlap add up to more than the total.
        speech: When anybody speaks; None without voice activity detection.
        off_screen: When there is speech but no visible face speaks; None without voice activity
            detection and diarization. With a diarization neither a face that is decided as speaking
            nor one whose own voice is heard is visible then.
        voices: The voices of the diarization; None without one.
        off_screen_names: For each span of `off_screen`: the `name` of the tracks that have its
            voice, or None if nobody's is close enough; None without an embedder of voices.
        sync: Whether the sound fits the lips; None if nobody asked.
        sound_path: The file the sound came from; None without sound.
        folder: Where the files were written; None if nothing was written.
        files: The files written.
        provenance: The origin besides the settings: versions, devices, weights files.
        media: What probing found in the file, so that asdkit's own writers need not probe again;
            None for a result without a run.
        heard: The output of voice activity detection, from which `decide` decides anew; None
            without it, and where it was not kept.
        calibration: The correction of the tracks' probabilities; None without one, and where it
            is not known.
    """

    video: VideoInfo
    shots: tuple[tuple[int, int], ...]
    tracks: tuple[Track, ...]
    settings: Mapping[str, Any]
    timings_s: Mapping[str, float]
    speech: Spans | None = None
    off_screen: Spans | None = None
    voices: tuple[Voice, ...] | None = None
    off_screen_names: tuple[str | None, ...] | None = None
    sync: Sync | None = None
    sound_path: Path | None = None
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    media: object = field(default=None, repr=False, compare=False)
    heard: Heard | None = field(default=None, compare=False)
    calibration: Scaling | None = None

    def __repr__(self) -> str:
        from .finished.showing import in_a_line

        return in_a_line(self)

    def _repr_html_(self) -> str:
        """Shown by notebooks: a table of the people, and a timeline; it needs no network."""
        from .finished.showing import as_html

        return as_html(self)

    @classmethod
    def load(cls, path: str | Path, video: str | Path | None = None) -> Result:
        """Read a result.json.

        What the file does not hold is missing: embeddings. The positions of crops are computed
        from its boxes, which are rounded to 0.001 pixels.

        Args:
            path: The file, of this or an earlier version of asdkit, or the folder of a run.
            video: Where the video is now, if it was moved; it is opened only when it is needed.

        Raises:
            InputError: The file cannot be read, or is not a result.

        Example:
            >>> result = asdkit.Result.load("asd_results/talk")
        """
        from .finished.reading import load

        return load(Path(path), None if video is None else Path(video))

    def to_json(self) -> dict[str, Any]:
        """The content of a result.json as plain values; see docs/formats.md.

        Raises:
            ValueError: A box, score or probability is not finite, which JSON cannot hold.
        """
        from .results import to_json

        return to_json(self)

    def save(self, path: str | Path) -> Path:
        """Write a result.json, whole or not at all; an existing file is replaced.

        Args:
            path: The file; in an existing folder, result.json is written.

        Returns:
            The file.

        Raises:
            OutputError: The file cannot be written.
        """
        from .results import FILE, save

        file = Path(path, FILE) if Path(path).is_dir() else Path(path)
        save(self, file)
        return file

    def decide(
        self,
        *,
        segments: SegmentsConfig | Mapping[str, Any] | None = None,
        speech: SpeechConfig | Mapping[str, Any] | None = None,
        conversation: ConversationConfig | Mapping[str, Any] | None = None,
        decisions: str | None = None,
        calibration: str | Path | None = KEPT,
    ) -> Result:
        """Decide anew who speaks when, without running any model: a new result.

        It is what a run with these options would have found. But who is who stays as it is, and
        off-screen speech keeps the names of the spans that it was part of.

        Args:
            segments: When a face counts as speaking: a mapping of what is to change, such as
                `{"on": 0.7}`, or a `SegmentsConfig`; None leaves it as it was, as for all others.
            speech: When the sound counts as speech; likewise, with voice activity detection.
            conversation: How people take turns; likewise.
            decisions: "independent", "exclusive" or "overlap".
            calibration: The file of a calibration, in place of the one that was applied; None
                for none; "kept" leaves the probabilities as they are.

        Raises:
            ConfigError: An option is unknown, of the wrong type or out of range.
            InputError: The file that the result was loaded from lacks what this needs, as files
                of asdkit 0.1 do: see docs/formats.md.
        """
        from .finished.deciding import decided

        given = {"segments": segments, "speech": speech, "conversation": conversation}
        return decided(self, given, decisions, calibration)

    def at(self, time_s: float) -> Moment:
        """Who is visible at a time, and who speaks.

        Args:
            time_s: Seconds from the start of the picture; where nothing was processed, nobody is
                there.

        Raises:
            ValueError: The time is not finite.

        Example:
            >>> for face in result.at(12.5).faces:
            ...     print(face.name, face.box, face.probability, face.speaking)
        """
        from .finished.moments import moment

        return moment(self, time_s)

    def renamed(self, names: Mapping[str, str]) -> Result:
        """A result with people called otherwise, in all that names them.

        Two who get the same name are one person from then on, and so is a voice that gets the name
        of somebody who is seen, or the other way round.

        Args:
            names: By name as it is now, that of tracks (`Track.name`, such as "track_0" or
                "person_1") or of voices of a diarization: the new one. A voice of nobody seen that
                has the name of a track is called as outputs show it, such as "track_1_2".

        Raises:
            ConfigError: Nobody has such a name, or a new one is empty.
        """
        from .finished.naming import renamed

        return renamed(self, names)

    def write(
        self,
        writers: GivenWriters,
        folder: str | Path,
        *,
        overwrite: bool = False,
    ) -> Result:
        """Write files of this result; they appear together, when all are whole.

        Args:
            writers: Names of writers, some in a dict with parameters, such as
                `["rttm", {"name": "annotated", "crf": 30}]`, or a dict of parameters by name, such
                as `{"rttm": None, "annotated": {"crf": 30}}`.
            folder: The folder; it is created if missing. What other writers wrote there stays.
            overwrite: Whether files of the same names may be replaced.

        Returns:
            The result with `folder` and `files` set to what was written.

        Raises:
            AsdError: There is no such writer, a parameter is wrong, the video that a writer needs
                is not there any more, or the folder cannot be written to.
        """
        from .finished.writing import write

        return write(self, writers, Path(folder), overwrite=overwrite)

    def crops(self, track: Track | int, *, colour: bool = False) -> Iterator[UInt8]:
        """The crops of a face, one for each of its frames, decoded from the video again.

        Args:
            track: The track, or its number.
            colour: Whether to yield the whole crop in colour, instead of the part that scorers
                read.

        Yields:
            (112, 112) uint8, grey, as scorers read it; with `colour` (224, 224, 3) uint8, RGB, of
            which that is the middle. Both are filled up with grey (110) beyond the picture.

        Raises:
            InputError: There is no such track; or the video is not there any more, has another
                size, or ends before the track does.
        """
        from .finished.crops import crops

        return crops(self, track, colour=colour)

    def to_annotation(self) -> Any:
        """The turns as an `Annotation` of pyannote.core, as in RTTM.

        Times are on the clock of the file, as audio tools show them: `video.start_s` is added.

        Raises:
            MissingExtraError: pyannote.core is not installed.
        """
        from .finished.annotation import annotation

        return annotation(self)
