"""The page of an hour with forty faces, all visible throughout: the most that it must bear."""

from __future__ import annotations

import by_hand
import numpy as np
import pytest
from browser import data_in, opened, write_report

FACES, FRAMES = 40, 90_000
MOST_A_FRAME = 4.5
"""Bytes of the page per face and grid frame: its box and its probability."""


def hour():
    """Faces that sway, each with its own pace, and speak by turns of three seconds."""
    random = np.random.default_rng(0)
    time_s = np.arange(FRAMES) / 25
    tracks = []
    for number in range(FACES):
        x, y = 100.0 + 220 * (number % 8), 90.0 + 200 * (number // 8)
        phase = random.uniform(0, 6, 2)
        sway = 12 * np.sin(time_s[:, None] * (0.7, 0.4) + phase) + random.normal(
            0, 0.5, (FRAMES, 2)
        )
        corner = sway + np.array([x, y])
        boxes = np.concatenate([corner - 60, corner + 60], 1)
        starts = np.arange(3.0 * number, 3600, 3.0 * FACES)
        speaking = [(float(start), float(start) + 3) for start in starts]
        active = ((time_s - 3.0 * number) % (3.0 * FACES)) < 3
        scores = 8.0 * active - 4 + random.normal(0, 1, FRAMES)
        tracks.append(by_hand.track(number, 0, boxes, scores, speaking))
    return by_hand.result(
        *tracks,
        path="gone.mpg",
        duration_s=3600.0,
        size=(1920, 1080),
        shots=[(first, first + 250) for first in range(0, FRAMES, 250)],
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_report(hour(), tmp_path_factory.mktemp("hour"))


def test_an_hour_of_forty_faces_is_a_page_of_few_bytes_a_frame(path):
    assert len(data_in(path.read_text("utf-8"))["people"]) == FACES
    assert path.stat().st_size < MOST_A_FRAME * FACES * FRAMES


@pytest.fixture(scope="module")
def report(browser, path):
    with opened(browser, path) as one:
        yield one


def test_what_is_drawn_is_bounded_by_the_view_alone(report):
    page = report.page
    drawn = "[asdReport.drawn.lanes, asdReport.drawn.items]"
    high = "document.getElementById('turns-scroller').clientHeight"
    most_rows = page.evaluate(high) / 44 + 6
    room = page.evaluate("[lanes.clientHeight, lanes.clientWidth]")
    most_lanes = room[0] / 56 + 2
    most_items = most_lanes * 4 * room[1]

    def in_view():
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        lanes, items = page.evaluate(drawn)
        assert 0 < lanes <= most_lanes
        assert 0 < items <= most_items
        heads = page.locator(".head").count()
        rows = page.locator("#turns-rows .turn").count()
        assert 0 < heads <= most_lanes + 5
        assert 0 < rows <= most_rows
        return page.eval_on_selector_all("input.name", "all => all.map(one => one.value)")

    assert "Track 0" in in_view()
    page.evaluate("lanes.scrollTop = lanes.scrollHeight")
    assert "Track 39" in in_view()
    for _ in range(14):
        page.keyboard.press("+")
    in_view()
    assert page.evaluate("lanes.scrollWidth") > 100_000
    report.seek(3599.0)  # the last turn: of the face whose turn it is in the 120 s
    assert "Track 39" in in_view()
    assert page.inner_text("#now") == "Speaking: Track 39"
    assert page.locator(".head.lit").count() == 1
    assert page.locator("#turns-rows .turn.current").inner_text().startswith("59:57.00")
    left, right = page.evaluate(
        "(r => [r.left, r.right])(document.getElementById('playhead').getBoundingClientRect())"
    )
    lanes = page.locator("#lanes").bounding_box()
    assert lanes["x"] < left < right < lanes["x"] + lanes["width"]
    report.seek(1800.0)
    assert page.inner_text("#now") == "Speaking: Track 0"
    assert "Track 0" in in_view()
    assert page.inner_text("#time") == "30:00.00"
    page.select_option("#filter-shot", "100")
    assert report.time_s == 1000.0
    in_view()
    assert report.complaints == []
    assert page.locator("*").count() < 1500
    page.select_option("#filter-shot", "")


def test_boxes_of_the_hour_are_where_they_were(report):
    made = hour()
    for frame in (0, 44_321, 89_999):
        report.seek(frame / 25)
        stage = report.page.locator("#stage").bounding_box()
        scale = stage["width"] / 1920
        found = report.page.evaluate("asdReport.boxes()")
        assert len(found) == FACES
        for one in found:
            x1, y1 = made.tracks[one["track"]].boxes[frame][:2]
            assert one["x"] == pytest.approx(stage["x"] + x1 * scale, abs=0.2)
            assert one["y"] == pytest.approx(stage["y"] + y1 * scale, abs=0.2)
