"""Decides who speaks, for good, as far as what is certain allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..analysis.rescoring import in_context
from ..config.plan import AnalysisPlan
from ..contracts import FaceContext
from ..decisions.turns import Rules
from ..scaling import calibrated
from ..shots import heard_in
from ..types import Float32, Heard, Track
from .choosing import Choice, chooser, speech_in, speech_known_to
from .decided import Decided, DecidedRows
from .hops import Hop
from .kept_rows import Kept, Window
from .lengths import Bools, frames_of, lasting, waiting
from .settings import LiveConfig
from .telling import Seen, Teller
from .who import Naming, Who


class LiveDecider:
    """Decides hop by hop what `core.concluding.concluded` decides of a whole video.

    Contexts see what is kept of a shot: the last `memory_s` seconds of certain scores, and the
    provisional ones. Decisions are taken for good once nothing that comes can change them: a
    stretch of speaking when it has lasted as long as it must, an end of speaking at once; where
    all faces of a shot are decided together, see `core.live.choosing.Together`. Each goes on from
    those before, so that they are those of a run over the same scores.
    """

    def __init__(
        self,
        plan: AnalysisPlan,
        config: LiveConfig,
        context: FaceContext | None,
        people: Mapping[str, Float32],
        identity_distance: float | None,
    ) -> None:
        """Begin a session.

        Args:
            plan: The plan; its thresholds and its scorer's calibration are applied here.
            config: How much is remembered.
            context: What corrects the scores of faces by those of others; None for nothing.
            people: The embeddings (m, d) of people known by name.
            identity_distance: Tracks this close on average are one person: cosine distance, from 0
                to 2; None without an embedder.
        """
        options = plan.options
        self._rules = Rules(
            options.decisions, options.segments, options.speech, options.conversation
        )
        self._context = context
        self._context_name = plan.chosen["context"].in_words
        calibration = plan.chosen["scorer"].calibration
        self._scaling = None if calibration is None else calibration.scaling
        self._chooser = chooser(self._rules)
        self._memory = config.frames("memory_s")
        speech = options.speech
        least_s = max(options.segments.min_s, speech.min_s, speech.off_screen_min_s)
        self._needed = max(frames_of(least_s), 1)
        """So many frames that are decided are kept: those that follow may belong to them."""
        self._window = Window()
        self._stop = 0
        self._who = None if identity_distance is None else Who(people, identity_distance)
        self._teller = Teller()

    def take(self, hop: Hop, *, flush: bool = False) -> Decided:
        """Decide what a hop allows to decide.

        Args:
            hop: The scores; hops follow each other without a gap in `certain_to`.
            flush: Whether nothing more comes of what is there, as the stretch or the session has
                ended: all is decided up to the end of the hop, and all tracks end.

        Raises:
            PluginError: The context breaks its contract.
        """
        window, first = self._window, self._stop
        window.take(hop)
        if flush:
            window.end()
        namings = [] if self._who is None else self._who.take(hop, flush=flush)
        window.name(namings)
        tracks = self._scored(hop)
        known_to = speech_known_to(window, self._rules.speech)
        certain = hop.end if flush else max(int(min(hop.certain_to, known_to)), first)
        choice = self._chooser.choose(tracks, window, certain, first)
        speaks, stop = self._lasting(choice, hop.end if flush else choice.settled)
        speech, unseen = self._heard(tracks, choice.unseen, speaks, stop)
        least_s = self._rules.speech.off_screen_min_s
        if not flush:
            stop -= waiting(unseen, frames_of(least_s))
        stop = max(stop, first)
        new = slice(first - window.first, stop - window.first)
        speech, unseen = speech[new], lasting(unseen, least_s)[new]
        rows, seen = [], []
        for track in tracks:
            kept = window.tracks[track.id]
            if not kept.closed:
                decided = _decided(kept, track, speaks[track.id], stop)
                seen.append(_seen(kept, track, choice.speaks[track.id], decided, namings))
                rows.append(decided)
        listened = window.heard is not None
        events = self._teller.tell(
            hop,
            seen,
            window.tracks,
            unseen if listened else None,
            range(first, stop),
            flush=flush,
        )
        likely = heard_in(window.heard, first, stop)
        window.decide(speech, unseen)
        window.forget(min(hop.certain_to - self._memory, stop - self._needed))
        self._stop = stop
        return Decided(
            first,
            stop,
            hop.shots,
            tuple(one for one in rows if len(one.speaking) or one.ended),
            speech if listened else None,
            unseen if listened else None,
            None if likely is None else Heard(first, likely),
            events,
        )

    def _scored(self, hop: Hop) -> tuple[Track, ...]:
        """The tracks that are kept, with logits in context and calibrated."""
        window = self._window
        tracks = [kept.as_track() for kept in window.tracks.values() if len(kept)]
        shots = window.shots_to(hop.scored_to)
        found = in_context(tracks, shots, window.heard, self._context, self._context_name)
        return tuple(calibrated(track, track.logits, self._scaling) for track in found)

    def _lasting(self, choice: Choice, settled: int) -> tuple[dict[int, Bools], int]:
        """Who speaks for as long as it must last, and before which grid frame that is settled."""
        min_s, stop = self._rules.segments.min_s, settled
        speaks = {}
        for number, brief in choice.speaks.items():
            kept = self._window.tracks[number]
            speaks[number] = lasting(brief, min_s)
            if not kept.ends_by(settled):
                begun = brief[: max(settled - kept.first_frame, 0)]
                stop = min(stop, settled - waiting(begun, frames_of(min_s)))
        return speaks, stop

    def _heard(
        self,
        tracks: Sequence[Track],
        unseen: Bools | None,
        speaks: Mapping[int, Bools],
        stop: int,
    ) -> tuple[Bools, Bools]:
        """Whether there is speech, and whether somebody unseen speaks, for however short a time.

        Both (n,) bool, of the frames from the window's first on, up to `stop`.
        """
        window = self._window
        shape = stop - window.first
        speech = _of_length(speech_in(window, self._rules.speech), shape)
        if unseen is None:
            unseen = speech.copy()
            for track in tracks:
                first = track.first_frame - window.first
                own = unseen[first : first + len(track)]
                own &= ~speaks[track.id][: len(own)]
        found = _of_length(unseen, shape)
        found[: len(window.off_screen)] = window.off_screen
        return speech, found


def _of_length(values: Bools, length: int) -> Bools:
    """The first `length` values, and false where there are fewer: a copy."""
    found = np.zeros(length, np.bool_)
    found[: len(values)] = values[:length]
    return found


def _decided(kept: Kept, track: Track, speaks: Bools, stop: int) -> DecidedRows:
    """The rows of a track that are decided now; the track notes it."""
    begin = kept.decided_to
    rows = slice(begin - kept.first_frame, max(min(stop, kept.stop), begin) - kept.first_frame)
    kept.closed = kept.ended and kept.stop <= stop
    assert track.uncalibrated is not None
    embedded, embeddings = kept.decide(speaks[rows])
    return DecidedRows(
        kept.track,
        kept.shot,
        begin,
        track.boxes[rows],
        track.smoothed[rows],
        track.logits[rows],
        track.uncalibrated[rows],
        speaks[rows],
        kept.name,
        embedded,
        embeddings,
        kept.closed,
        kept.source_id,
    )


def _seen(
    kept: Kept, track: Track, brief: Bools, decided: DecidedRows, namings: Sequence[Naming]
) -> Seen:
    """What there is to tell of a track after these decisions."""
    speaks = np.concatenate([kept.spoke, brief[len(kept.spoke) :]])
    return Seen(
        track=kept.track,
        name=replace(track, identity=kept.name, source_id=kept.source_id).name,
        begin=kept.begin,
        first_frame=kept.first_frame,
        boxes=track.boxes,
        likely=track.probabilities,
        speaks=speaks,
        decided=range(decided.first_frame, decided.first_frame + len(decided.speaking)),
        sure=kept.certain_to > kept.begin,
        ended=kept.ended,
        closed=kept.closed,
        namings=tuple(naming for naming in namings if naming.track == kept.track),
    )
