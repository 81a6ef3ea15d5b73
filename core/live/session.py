"""A live session: everything from a stream to events, results and the page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from typing import Any

from ..analysis.embedder_answers import checked_identity_distance
from ..config.compose import compose_app
from ..config.words import Overrides, words_of
from ..errors import AsdError, CancelledError, ConfigError, InputError
from ..files import expanded
from ..known_faces import KnownFaces
from ..media.container import Reading
from ..models import Models, seeded
from ..notes import Notes
from ..progress import Event, Stopwatch
from ..provenance import provenance
from .addresses import address_of
from .arrivals import Input
from .deciding import LiveDecider
from .delays import Delays
from .events import LiveEvent
from .feed import Feed
from .handed import LiveFeed
from .outlets import Outlets
from .parts import recording
from .passing import LivePass
from .plan import LIVE, LivePlan, make_live_plan
from .rehearsing import rehearse
from .results import LiveResults
from .serving import LiveServer
from .settings import REAL
from .sources import check_input, open_input
from .status import Status
from .ticks import Counts
from .working import Working

OnEvent = Callable[[LiveEvent], object]


def live(
    source: str | os.PathLike[str] | LiveFeed,
    overrides: Overrides = (),
    *,
    on_event: OnEvent | None = None,
    cancel: Event | None = None,
    **options: Any,
) -> LiveSession:
    """Find out who is speaking now, in what a camera or a stream brings.

    Nothing is opened before the first event is asked for. Nothing is written unless `output` names
    a folder.

    Args:
        source: A camera, an address, - or a file, as in `asd live`; or a `LiveFeed`, to which the
            caller hands pictures and sound.
        overrides: Options as on the command line; see `asdkit.run`.
        on_event: Called with each event, too; what it raises ends the session.
        cancel: Ends the session when it is set, such as a `threading.Event`: by `CancelledError`,
            once what was decided is written. To end it in good order call `LiveSession.stop`.
        **options: More options, which go before the overrides: `detector="yunet"`.

    Returns:
        The session, to iterate over.

    Raises:
        AsdError: An option is not usable.

    Example:
        >>> with asdkit.live("camera") as session:
        ...     for event in session:
        ...         if event.event in ("speaking", "silent") and event.certain:
        ...             print(event.name, event.event, event.time_s)
    """
    handed = source if isinstance(source, LiveFeed) else None
    named = HANDED if isinstance(source, LiveFeed) else os.fspath(source)
    plan = make_live_plan(compose_app(LIVE, words_of(overrides, {**options, "source": named})))
    return LiveSession(plan, handed, on_event=on_event, cancel=cancel)


STOPPED = "stopped"
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')
"""What names of folders cannot hold, on some system."""
HANDED = "handed over"
"""The `source` of frames that come from Python."""


class LiveSession(Iterator[LiveEvent]):
    """A live session, to iterate over for its events; see `live`.

    All is computed in the thread that iterates, while it does, but for reading the stream, and for
    the page, which have threads of their own. As a context manager it is closed at the end, and
    when nobody holds it any more, as after a loop that was left. Whatever ends it, what was decided
    is written whole. Random numbers of the process are seeded from the first event to the last.

    Args:
        plan: The plan.
        handed: Where frames are handed over, in place of the plan's source.
        results: The folder in which one is made for this session, named after it, if the plan names
            none; nothing is written if None.
        on_event: Called with each event.
        cancel: Ends the session when it is set.
        clock: The time in seconds, as `time.monotonic`.

    Attributes:
        plan: The plan.
    """

    def __init__(
        self,
        plan: LivePlan,
        handed: LiveFeed | None = None,
        *,
        results: Path | None = None,
        on_event: OnEvent | None = None,
        cancel: Event | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.plan = plan
        self._course = _Course(plan, handed, results, Outlets(on_event), cancel, clock)
        self._events = self._course.events()

    @property
    def counts(self) -> Counts:
        """What was counted of the stream so far."""
        return self._course.counts

    @property
    def folder(self) -> Path | None:
        """The folder of the results; None before the first event, and if nothing is written."""
        return self._course.folder

    @property
    def url(self) -> str | None:
        """The address of the page; None before the first event, and without `serve`."""
        return self._course.url

    def __next__(self) -> LiveEvent:
        """The next event.

        Raises:
            AsdError: The source, weights, the device or the folder is not usable, or not any more.
            CancelledError: `cancel` was set.
        """
        return next(self._events)

    def run(self) -> Counts:
        """Go on to the end, for those who have an `on_event`; what was counted of the stream."""
        for _ in self:
            pass
        return self.counts

    def stop(self) -> None:
        """End it, from any thread, once what was read by now is decided and written.

        If nothing has come yet, it ends without an event.
        """
        self._course.stop()

    def close(self) -> None:
        """End it now, in the thread that iterates; what is decided by now is written."""
        self._events.close()
        self._course.leave()

    def __enter__(self) -> LiveSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Course:
    """What goes on in a session; it does not know the session, which can so be forgotten."""

    def __init__(  # noqa: PLR0917 - as the session has them
        self,
        plan: LivePlan,
        handed: LiveFeed | None,
        results: Path | None,
        tell: Outlets,
        cancel: Event | None,
        clock: Callable[[], float],
    ) -> None:
        self.plan = plan
        self.counts = Counts()
        self.folder: Path | None = None
        self.url: str | None = None
        self._handed, self._results, self._tell = handed, results, tell
        self._cancel, self._clock = cancel, clock
        self._source: Input | None = None
        self._stopping = Flag()

    def stop(self) -> None:
        """See `LiveSession.stop`."""
        self._stopping.set()
        if self._source is not None:
            self._source.close()

    def leave(self) -> None:
        """Let go of a feed that was never begun with."""
        if self._handed is not None:
            self._handed.release()

    def events(self) -> Generator[LiveEvent, None, None]:
        """Prepare everything, work, and leave everything whole behind."""
        options, tell = self.plan.options, self._tell
        notes, watch = Notes(), Stopwatch()
        with ExitStack() as stack:
            if self._handed is not None:
                self._handed.claim()
                stack.callback(self._handed.close)
            models = Models(self.plan)
            results = LiveResults(self.plan, self._name, notes)
            self._record(stack, models, results)
            if self._handed is None:
                check_input(options)
            self._serve(stack)
            parts = models.parts()
            self._check()
            if isinstance(parts.detector, KnownFaces):
                raise ConfigError(
                    f"{parts.name('detector')} knows the faces of a video, not of a live session",
                    "Use detector=yunet, or another one that looks",
                )
            people, context = models.people, models.part("context")
            distance = options.identity_distance
            if distance is None and parts.embedder:
                distance = checked_identity_distance(parts.name("embedder"), parts.embedder)
            results.distance = distance
            if options.pace == REAL and (self._handed is None or self._handed.live):
                rehearse(parts, options, options.live, models.part)
            results.provenance = provenance(self.plan, models.weights, models.devices)
            source = self._opened(stack, notes)
            if source is None:
                return
            results.source = source
            stack.enter_context(seeded(options.seed))
            feed = Feed(source, options.live, Reading.of(vars(options)), notes, self._clock)
            self.counts = feed.counts
            if source.live:
                most = options.live.frames("memory_s") + options.live.frames("context_s")
                tell.delays = Delays(most, self._clock)
                tell.status = Status(feed.counts, watch, self._clock)
            passing = stack.enter_context(
                LivePass(
                    parts,
                    feed.sound,
                    watch,
                    options,
                    options.live,
                    notes,
                    pixel_aspect=source.pixel_aspect,
                    anew=models.part,
                )
            )
            decider = LiveDecider(self.plan, options.live, context, people, distance)
            work = Working(feed, passing, decider, notes, tell, results, self._check, options.end_s)
            try:
                yield tell(self._begun(results))
                yield from work.events()
                yield from tell.finish()
                yield tell(self._ended(work, STOPPED if self._stopping.is_set() else work.why))
            except BaseException as error:
                tell.last(self._ended(work, _why(error)))
                raise
            if work.failed is not None:
                raise work.failed

    @property
    def _name(self) -> str:
        """What the session is called."""
        address = address_of(self.plan.options.source)
        return self.plan.options.name or (self._handed.name if self._handed else address.name)

    def _record(self, stack: ExitStack, models: Models, results: LiveResults) -> None:
        """Take the folder of the results, if there is to be one."""
        options = self.plan.options
        folder = expanded(options.output) if options.output else None
        if folder is None and self._results is not None:
            folder = self._results / (_UNFIT.sub("_", self._name).strip(" .") or "live")
        if folder is not None:
            part_s = options.live.part_s
            self._tell.recorder = stack.enter_context(
                recording(
                    folder,
                    self.plan.writers,
                    models.context,
                    part_frames=None if part_s is None else options.live.frames("part_s"),
                    as_result=results.of,
                    name=self._name,
                    overwrite=options.overwrite,
                )
            )
            self.folder = folder

    def _opened(self, stack: ExitStack, notes: Notes) -> Input | None:
        """The source, which is closed in the end; None if the session was stopped by then.

        Raises:
            CancelledError: The session was cancelled.
            InputError: It cannot be opened, or is over, or has no sound and that was not allowed.
        """
        options, handed = self.plan.options, self._handed
        if handed is not None and not (handed.has_sound or options.allow_silent):
            raise InputError(
                f"The LiveFeed {handed.name} was made without sound, by which speakers are found",
                "Hand over sound as well, or use allow_silent=True",
            )
        source: Input
        try:
            source = handed or open_input(options, notes, self._unwanted)
        except CancelledError:
            self._check()
            return None
        stack.callback(source.close)
        self._source = source
        if self._stopping.is_set():
            source.close()
        return source

    def _unwanted(self) -> bool:
        """Whether the session was stopped or cancelled."""
        return self._stopping.is_set() or (self._cancel is not None and self._cancel.is_set())

    def _serve(self, stack: ExitStack) -> None:
        """Serve the page, if it was asked for."""
        options = self.plan.options
        if options.serve:
            about = {"name": self._name}
            server = LiveServer(options.port, options.token, options.origins, about)
            self.url = server.start()
            stack.callback(server.close)
            self._tell.server = server

    def _check(self) -> None:
        """Raise an error if the session was cancelled."""
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("The session was cancelled")

    def _begun(self, results: LiveResults) -> LiveEvent:
        config, source = self.plan.options.live, results.source
        about = {
            "name": self._name,
            "source": self.plan.settings["source"],
            "started_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "hop_s": config.hop_s,
            "context_s": config.context_s,
            "lookahead_s": config.lookahead_s,
            "fps": source.fps,
            "size": source.size,
            "pixel_aspect": source.pixel_aspect,
            "has_sound": source.has_sound,
            "versions": results.provenance["versions"],
        }
        return LiveEvent("begun", 0.0, about=about)

    def _ended(self, work: Working, why: str) -> LiveEvent:
        return LiveEvent("ended", work.time_s, about={"why": why, "counts": asdict(self.counts)})


def _why(error: BaseException) -> str:
    """Why a session ended that did not end by itself, in a line."""
    if isinstance(error, AsdError):
        return str(error)
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        return STOPPED
    return f"{type(error).__name__}: {error}"
