"""What a live session was asked to do, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from ..component import RUN_KINDS
from ..config.chosen import Chosen
from ..config.compose import settings_of
from ..config.options import make_options
from ..config.plan import AnalysisPlan, analysis_plan_of
from ..config.schemas import App
from ..config.values import make
from ..errors import ConfigError
from ..registry import registry
from ..sync import OFF
from .addresses import NONE, address_of
from .options import CaptureConfig, LiveOptions
from .settings import LiveConfig

_ABOUT = """\
asd live SOURCE [OPTION=VALUE ...]

Says who is speaking now, in a line for each change: who comes into sight, begins to speak, ceases.
output=- tells all of it as lines of JSON, for other programs, and serve=true on a page. Ctrl-C ends
it, and all up to there is written.

The source is a camera (camera, camera:1, v4l2:/dev/video0, avfoundation:0, dshow:NAME), an address
(rtsp://, rtsps://, srt://, udp://, rtmp://, rtmps://), - for a pipe into standard input, or a file.
It is a plain argument, whatever it holds; or source=SOURCE.

The values are those of this very command line. To see the parameters of another component choose
it, as in: asd live camera scorer=talknet --help
"""
LIVE = App("live", LiveOptions, RUN_KINDS, _ABOUT, writers=True)


@dataclass(frozen=True)
class LivePlan(AnalysisPlan):
    """The complete plan of a live session.

    Attributes:
        options: The options that belong to no component. Its addresses may hold passwords, which
            `settings` do not.
    """

    options: LiveOptions


def make_live_plan(config: DictConfig) -> LivePlan:
    """Check a composed configuration, and find its components.

    Raises:
        ConfigError: A value is missing or out of range, or asks for what only a run can do.
        InputError: There is no such kind of source.
        PluginError: A component does not exist.
    """
    settings = settings_of(LIVE, config)
    _check_live(settings)
    base = analysis_plan_of(settings)
    _check_writers(base.writers)
    options: LiveOptions = make_options(
        LiveOptions,
        {
            **settings,
            "capture": make(CaptureConfig, settings["capture"], "capture"),
            "live": make(LiveConfig, settings["live"], "live"),
        },
    )
    recorded = {**settings, **base.settings, "quiet": False, "token": None}
    recorded["source"] = address_of(options.source).shown
    if options.sound not in (None, NONE):
        recorded["sound"] = address_of(options.sound, "sound").shown
    ordered = {key: recorded[key] for key in LIVE.keys}
    return LivePlan(options, base.chosen, base.writers, ordered)


def _check_live(settings: Mapping[str, Any]) -> None:
    """Check that nothing is asked for that needs the whole of a video.

    Raises:
        ConfigError: Something is.
    """
    voice = settings["voice"]
    voice = voice.get("name") if isinstance(voice, Mapping) else voice
    if voice != "none":
        raise ConfigError(
            f"voice={voice} compares voices over a whole video, which a live session never has",
            "Use voice=none; an embedder, such as mobilefacenet, knows people by their faces",
        )
    if settings["diarization"] is not None:
        raise ConfigError(
            f"diarization={settings['diarization']} holds the turns of a video that is there as a "
            "whole, and a live session is not",
            "Leave diarization out, or use asd run on a recording",
        )
    if settings["sync"] != OFF:
        raise ConfigError(
            f"sync={settings['sync']} measures a whole video, which a live session never has",
            "Use sync=off, or asd run on a recording",
        )


def _check_writers(writers: Iterable[Chosen]) -> None:
    """Check that all writers can write about a stream that nobody records.

    Raises:
        ConfigError: One cannot.
    """
    unfit = [one.component.name for one in writers if one.component.needs_video]
    if unfit:
        able = [one.name for one in registry().of_kind("writer") if not one.needs_video]
        raise ConfigError(
            f"writers=[{','.join(unfit)}] {'needs' if len(unfit) == 1 else 'need'} the video as a "
            "file, which a live session does not keep",
            f"There are {', '.join(able)}",
        )
