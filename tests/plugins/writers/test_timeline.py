"""The picture of who speaks when: its lanes, its words, its bytes."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import by_hand
import cv2
import numpy as np
import pytest

from asdkit.core.component import Context
from asdkit.core.decisions.segments import SegmentsConfig, speaking_segments
from asdkit.core.errors import MissingExtraError
from asdkit.core.registry import registry
from asdkit.core.result import Result, VideoInfo
from asdkit.core.types import Track
from asdkit.plugins.writers.timeline import (
    FILES,
    OFF_SCREEN,
    SPEAKING,
    SPEECH,
    VISIBLE,
    TimelineConfig,
    build,
)

WORDS = {"face visible", "face speaks", "probability of speaking", "shot boundary"}
SOUND = {"speech", "off-screen"}


def track(number: int, first: int, frames: int, identity: str | None = None) -> Track:
    """A face that speaks in the second half."""
    scores = np.where(np.arange(frames) < frames // 2, -3, 3).astype(np.float32)
    speaking = speaking_segments(1 / (1 + np.exp(-scores)), first, SegmentsConfig())
    boxes = np.zeros((frames, 4))
    return by_hand.track(number, first, boxes, scores, speaking, identity=identity)


def result(*tracks: Track, seconds: int = 12, path: str = "talk.mp4", **more) -> Result:
    """A result of two shots."""
    shots = ((0, 25 * seconds // 2), (25 * seconds // 2, 25 * seconds))
    video = {"path": path, "duration_s": float(seconds), "size": (640, 360), "shots": shots}
    return by_hand.result(*tracks, **video, **more)


@pytest.fixture
def draw(tmp_path):
    """Draw a result; gives the SVG, parsed, and the PNG."""
    pytest.importorskip("matplotlib")

    def drawn(what: Result, **parameters):
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        found = build(TimelineConfig(**parameters), Context()).write(what, folder)
        assert found == [folder / name for name in FILES]
        assert sorted(found) == sorted(folder.iterdir())
        return ElementTree.parse(found[0]), cv2.imread(str(found[1]))

    return drawn


def texts(svg: ElementTree.ElementTree) -> list[str]:
    nodes = svg.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(node.itertext()) for node in nodes]


def lanes(svg: ElementTree.ElementTree) -> list[str]:
    """The names of the lanes, from the top down."""
    return [
        "".join(node.itertext())
        for group in svg.iter("{http://www.w3.org/2000/svg}g")
        if group.get("id", "").startswith("ytick")
        for node in group.iter("{http://www.w3.org/2000/svg}text")
    ]


def bars(png: np.ndarray, colour: str) -> np.ndarray:
    """Which pixels are of a colour."""
    blue_green_red = [int(colour[k : k + 2], 16) for k in (5, 3, 1)]
    return (png == blue_green_red).all(axis=2)


def test_it_is_a_writer_but_not_a_default_one():
    from asdkit.core.config.compose import RUN, compose_app, settings_of

    assert registry().find("writer", "timeline").files == FILES
    assert "timeline" not in settings_of(RUN, compose_app(RUN, ["video=x"]))["writers"]


def test_a_lane_for_each_track(draw):
    svg, png = draw(result(track(0, 0, 100), track(1, 50, 100), track(2, 150, 150)))
    assert lanes(svg) == ["track_0", "track_1", "track_2"]
    assert {"talk", *WORDS} <= set(texts(svg))
    assert not SOUND.intersection(texts(svg))
    assert png.shape[1] == 1600
    assert svg.getroot().get("width") == "900pt"  # 1600 px, at 128 an inch


def test_tracks_of_one_person_share_a_lane(draw):
    people = [track(k, 30 * k, 25, identity=("Ann", "Bo")[k % 2]) for k in range(6)]
    svg, _ = draw(result(*people))
    assert lanes(svg) == ["Ann", "Bo"]


def test_when_somebody_speaks_is_where_the_colour_is(draw):
    """Twelve seconds: seen in the first half, speaking from 3 to 6 s."""
    _, png = draw(result(track(0, 0, 150)))
    bar = max(range(len(png)), key=lambda row: bars(png, SPEAKING)[row].sum())
    seen, speaking = (np.flatnonzero(bars(png, colour)[bar]) for colour in (VISIBLE, SPEAKING))
    half = (speaking[-1] - seen[0]) / 2
    assert abs(speaking[0] - seen[0] - half) < 4
    assert len(speaking) > 0.95 * half


def test_speech_and_what_of_it_is_off_screen(draw):
    svg, png = draw(
        result(track(0, 0, 150), speech=((1.0, 5.0), (7.0, 9.0)), off_screen=((7.0, 9.0),))
    )
    assert lanes(svg) == ["track_0", "speech"]
    assert set(texts(svg)) >= SOUND
    heard, unseen = (bars(png, colour).sum(axis=1).max() for colour in (SPEECH, OFF_SCREEN))
    assert heard == pytest.approx(2 * unseen, rel=0.05)  # 4 s are seen, 2 s are not


def test_no_faces(draw):
    svg, _ = draw(result())
    assert lanes(svg) == ["no faces"]
    svg, _ = draw(result(speech=(), off_screen=()))
    assert lanes(svg) == ["no faces", "speech"]


def test_nothing_at_all(draw):
    info = VideoInfo(Path("x.mp4"), 0.01, 640, 360, 25.0, has_sound=False)
    svg, _ = draw(Result(info, (), (), {}, {}))
    assert lanes(svg) == ["no faces"]


def test_more_faces_than_lanes(draw):
    svg, png = draw(result(*(track(k, 3 * k, 20 + k % 7) for k in range(20))), max_lanes=5)
    # The longest, of 26 and of 25 frames, in the order in which they come.
    assert lanes(svg) == [f"track_{k}" for k in (5, 6, 12, 13, 19)]
    assert "15 of 20 faces are left out" in texts(svg)
    tall = draw(result(*(track(k, 3 * k, 20) for k in range(20))))[1]
    assert len(tall) > len(png)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("$5 & <b>$x_1$", "$5 & <b>$x_1$"),
        ("Дмитрий", "Дмитрий"),
        ("العربية", "العربية"),
        ("山田太郎", "山田太郎"),
        ("two\nlines\t", "two lines"),
        ("a\x01b\udc80", "a\ufffdb\ufffd"),
        ("x" * 200, "x" * 25 + "…"),
        ("山" * 200, "山" * 12 + "…"),
        ("\U0010fffd\u200d", "\U0010fffd\u200d"),  # nobody has a sign for it
    ],
)
def test_names(draw, name, shown):
    """Whatever a person is called: no warning, and the SVG is XML with the very name."""
    svg, _ = draw(result(track(0, 0, 50, identity=name), path=f"{name[:3]}.mp4"))
    assert lanes(svg) == [shown]


@pytest.mark.parametrize(
    ("seconds", "there"),
    [
        (5, {"0:00", "0:01", "0:05"}),
        (90, {"0:00", "0:30", "1:30"}),
        (10_800, {"0:00", "30:00", "1:00:00", "3:00:00"}),
    ],
)
def test_times(draw, seconds, there):
    svg, _ = draw(result(track(0, 10, 100), seconds=seconds))
    clocks = [text for text in texts(svg) if text.replace(":", "").isdecimal()]
    assert there <= set(clocks)
    assert 4 < len(clocks) < 25


def test_a_part_of_a_video(draw):
    info = VideoInfo(Path("talk.mp4"), 600.0, 640, 360, 25.0, has_sound=True)
    svg, _ = draw(Result(info, ((2500, 2750),), (track(0, 2500, 100),), {}, {}))
    clocks = [text for text in texts(svg) if text.replace(":", "").isdecimal()]
    assert (clocks[0], clocks[-1]) == ("1:40", "1:50")


def test_a_long_video_makes_no_huge_file(draw, tmp_path):
    people = [track(k, 100 * k, 200_000, identity=f"person {k}") for k in range(8)]
    draw(result(*people, seconds=10_800))
    assert (tmp_path / "out" / "timeline.svg").stat().st_size < 500_000


def test_the_same_bytes_each_time(draw, tmp_path, monkeypatch):
    what = result(track(0, 0, 100), track(1, 90, 90), speech=((1.0, 2.0),), off_screen=())

    def files() -> list[bytes]:
        return [(tmp_path / "out" / name).read_bytes() for name in FILES]

    draw(what)
    before = files()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    draw(what)
    assert files() == before
    assert b"<dc:date>" not in before[0]


def test_nothing_of_it_stays_behind(draw):
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw(result(track(0, 0, 100)))
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("width_px", [600, 1601, 3000])
def test_width(draw, width_px):
    assert draw(result(track(0, 0, 100)), width_px=width_px)[1].shape[1] == width_px


@pytest.mark.parametrize("wrong", [{"width_px": 10}, {"width_px": 10**6}, {"max_lanes": 0}])
def test_parameters_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TimelineConfig(**wrong)


def test_without_matplotlib(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"timeline.*matplotlib.*\[evaluate\]"):
        build(TimelineConfig(), Context())
