"""The page and its video: where it is, what else is shown without it, and in step with it."""

from __future__ import annotations

from dataclasses import replace

import by_hand
import numpy as np
import pytest
from browser import (
    GREEN,
    HALF,
    RIGHT,
    SIZE,
    near,
    opened,
    picture,
    result_of_two,
    screenshot,
    video_of_two,
    write_report,
)
from synth import clicks, number_of, write_video

from asdkit.core.media.probe import probe
from asdkit.core.samples import write_video as write_sample


def test_without_a_video_all_the_rest_works(browser, tmp_path):
    made = result_of_two(video_of_two(tmp_path / "talk.mp4"))
    made = replace(made, video=replace(made.video, path=tmp_path / "gone.mpg"), media=None)
    with opened(browser, write_report(made, tmp_path)) as report:
        page = report.page
        assert page.is_visible("#no-video")
        assert report.complaints == []
        report.seek(0.2)
        page.click("#play")
        report.until("asdReport.state.time > 0.5")
        assert page.locator(".head.lit").count() == 1
        page.click("#play")
        stood = report.time_s
        page.wait_for_timeout(150)
        assert report.time_s == stood
        assert near(screenshot(page, clip=page.locator("#stage").bounding_box()), GREEN).any()


def test_a_video_that_was_moved_away_gives_way_to_annotated(browser, tmp_path):
    video = video_of_two(tmp_path / "talk.mp4")
    path = write_report(
        replace(result_of_two(video), files=(tmp_path / "annotated.mp4",)), tmp_path
    )
    video.rename(tmp_path / "annotated.mp4")
    with opened(browser, path) as report:
        report.wait_for_video()
        assert report.page.evaluate("asdReport.source.url") == "annotated.mp4"
        assert report.page.get_attribute("#boxes", "aria-pressed") == "false"  # they are painted in


@pytest.mark.parametrize(
    ("picture_s", "sound_s"), [(0.0, 0.0), (0.76, 0.0), (1.0, 1.0), (0.0, 0.5)]
)
def test_times_are_on_the_clock_of_the_file(browser, tmp_path, picture_s, sound_s):
    """Whenever its streams begin: the picture shown is that of the grid frame gone to."""
    video = write_video(
        tmp_path / "late.mp4",
        frames=75,
        size=SIZE,
        starts_s=picture_s,
        sounds=[(sound_s, clicks([1.0], 4))],
    )
    media = probe(video)
    path = write_report(
        by_hand.result_of(media, by_hand.track(0, 0, [[9, 9, 19, 19]] * 75)), tmp_path
    )
    with opened(browser, path) as report:
        page = report.page
        report.wait_for_video()
        page.keyboard.press("b")
        for frame in (0, 31, 60):
            report.seek(frame / 25)
            page.wait_for_timeout(250)
            assert number_of(screenshot(page, clip=page.locator("#video").bounding_box())) == frame
            told = page.inner_text("#time")
            assert float(told.split(":")[1]) == pytest.approx(
                frame / 25 + media.info.start_s, abs=0.006
            )


def test_pixels_that_are_not_square_are_shown_as_players_show_them(browser, tmp_path):
    video = write_sample(tmp_path / "talk.mp4", [picture()] * 25, np.zeros(16_000, np.int16))
    media = probe(video)
    made = by_hand.result_of(media, by_hand.track(0, 0, [by_hand.square(*RIGHT, HALF)] * 25))
    made = replace(made, video=replace(made.video, pixel_aspect=2.0))
    with opened(browser, write_report(made, tmp_path)) as report:
        stage = report.page.locator("#stage").bounding_box()
        assert stage["width"] / stage["height"] == pytest.approx(2 * SIZE[0] / SIZE[1], rel=0.01)
        (box,) = report.page.evaluate("asdReport.boxes()")
        assert box["width"] == pytest.approx(2 * box["height"], rel=0.01)
        middle = (box["x"] + box["width"] / 2 - stage["x"]) / stage["width"]
        assert middle == pytest.approx(RIGHT[0] / SIZE[0], abs=0.005)
