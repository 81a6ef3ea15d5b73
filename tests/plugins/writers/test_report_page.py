"""The page in a browser: what it shows, what clicks and keys do, that it asks for nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import by_hand
import numpy as np
import pytest
from browser import (
    GREEN,
    HALF,
    LEFT,
    RIGHT,
    SIZE,
    near,
    opened,
    result_of_two,
    screenshot,
    video_of_two,
    write_report,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def path(folder):
    """A report of two people, with its video."""
    video = video_of_two(folder / "talk of two.mp4")
    return write_report(result_of_two(video), folder / "out")


@pytest.fixture
def report(browser, path):
    with opened(browser, path) as one:
        one.wait_for_video()
        yield one


def bounds(found: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels found."""
    assert found.any()
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def names_lit(page) -> list[str]:
    return page.eval_on_selector_all(".head.lit input.name", "all => all.map(one => one.value)")


def test_it_opens_without_a_complaint_and_asks_for_its_video_alone(report, path, folder):
    assert report.complaints == []
    assert set(report.requests) == {path.as_uri(), (folder / "talk of two.mp4").as_uri()}
    assert report.page.evaluate("asdReport.source.url") == "../talk%20of%20two.mp4"
    assert report.page.inner_text("h1") == "talk of two"
    assert "2 faces" in report.page.inner_text("#summary")


def test_the_policy_lets_a_page_fetch_nothing(report):
    for code in (
        "fetch('http://127.0.0.1:9/')",
        "new Promise((_, no) => { const i = new Image(); i.onerror = () => no(new Error('x'));"
        " i.src = 'http://127.0.0.1:9/x.png'; })",
    ):
        assert report.page.evaluate(f"{code}.then(() => 'fetched', () => 'refused')") == "refused"
    assert any("Content Security Policy" in said for said in report.complaints)


def test_the_box_is_where_the_face_is(report):
    page = report.page
    report.seek(0.8)  # the red one speaks
    page.wait_for_timeout(200)
    video = page.locator("#video").bounding_box()
    scale = video["width"] / SIZE[0]
    found = {one["name"]: one for one in page.evaluate("asdReport.boxes()")}
    for name, (x, y) in (("Track 0", LEFT), ("Track 1", RIGHT)):
        assert found[name]["x"] == pytest.approx(video["x"] + (x - HALF) * scale, abs=1)
        assert found[name]["y"] == pytest.approx(video["y"] + (y - HALF) * scale, abs=1)
        assert found[name]["width"] == pytest.approx(2 * HALF * scale, abs=1)
        assert found[name]["height"] == pytest.approx(2 * HALF * scale, abs=1)
    # So it is painted, around the face that the video shows there.
    image = screenshot(page, clip=video)
    face = bounds(near(image, (220, 40, 40)))
    one = found["Track 0"]
    top = round(one["y"] - video["y"])
    box = bounds(near(image[top - 2 :], GREEN))  # the label is above
    assert abs(box[0] - face[0]) <= 6
    assert abs(box[2] - face[2]) <= 6
    assert abs(box[3] + top - 2 - face[3]) <= 6
    # Of a face that does not speak it is not green.
    assert not near(image, GREEN)[:, image.shape[1] // 2 :].any()


def test_boxes_can_be_put_out(report):
    report.seek(0.8)
    video = report.page.locator("#video").bounding_box()
    report.page.keyboard.press("b")
    assert report.page.get_attribute("#boxes", "aria-pressed") == "false"
    assert not near(screenshot(report.page, clip=video), GREEN).any()
    report.page.click("#boxes")
    assert near(screenshot(report.page, clip=video), GREEN).any()


def test_a_click_into_a_lane_seeks(report):
    page = report.page
    canvas = page.locator("#lanes-canvas").bounding_box()
    head = page.locator("#heads").bounding_box()["width"]
    room = canvas["width"] - head - 12
    page.mouse.click(canvas["x"] + head + room * 2 / 3, canvas["y"] + 50)
    assert report.time_s == pytest.approx(2.0, abs=0.02)
    report.until("!document.getElementById('video').seeking")
    assert page.evaluate("document.getElementById('video').currentTime") == pytest.approx(
        2.0, abs=0.03
    )
    assert page.inner_text("#time").startswith(("0:01.9", "0:02.0"))
    playhead = page.locator("#playhead").bounding_box()
    assert playhead["x"] == pytest.approx(canvas["x"] + head + room * 2 / 3, abs=3)


def test_the_lane_of_the_one_who_speaks_is_lit(report):
    page = report.page
    for time_s, who in ((0.2, []), (0.8, ["Track 0"]), (1.4, []), (2.0, ["Track 1"])):
        report.seek(time_s)
        assert names_lit(page) == who
        said = page.inner_text("#now")
        assert said == (f"Speaking: {who[0]}" if who else "Nobody speaks")
    rows = page.locator("#turns-rows .turn[aria-current=true]")
    assert rows.count() == 1
    assert "Track 1" in rows.inner_text()


def test_lanes_follow_playback(browser, path):
    with opened(browser, path, viewport={"width": 800, "height": 900}) as report:
        report.wait_for_video()
        page = report.page
        report.seek(0.3)
        for _ in range(8):
            page.keyboard.press("+")
        before = page.evaluate("document.getElementById('lanes').scrollLeft")
        page.click("#mute")
        page.keyboard.press("k")
        report.until("asdReport.state.time > 0.5")
        report.until("document.querySelector('.head.lit input')?.value === 'Track 0'")
        report.until("asdReport.state.time > 1.7")
        page.keyboard.press("k")
        assert page.get_attribute("#play", "aria-label") == "Play"
        assert page.evaluate("document.getElementById('video').paused")
        assert page.evaluate("document.getElementById('lanes').scrollLeft") > before
        lanes, playhead = (page.locator(one).bounding_box() for one in ("#lanes", "#playhead"))
        assert lanes["x"] < playhead["x"] < lanes["x"] + lanes["width"]


def test_keys_step_by_frame_and_by_turn(report):
    page = report.page
    report.seek(0.4)
    page.keyboard.press("ArrowRight")
    assert report.time_s == pytest.approx(0.44)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert report.time_s == pytest.approx(0.36)
    page.keyboard.press("n")
    assert report.time_s == pytest.approx(0.4)
    page.keyboard.press("n")
    assert report.time_s == pytest.approx(1.6)
    assert page.inner_text("#status") == "Track 1, 0:01.60 to 0:02.40"
    page.keyboard.press("p")
    assert report.time_s == pytest.approx(0.4)
    page.keyboard.press("End")
    assert report.time_s == pytest.approx(74 / 25)
    page.keyboard.press("?")
    assert page.is_visible("#help")
    assert "Next turn" in page.inner_text("#help-keys")
    page.keyboard.press("n")  # within the help it does nothing
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    assert report.time_s == pytest.approx(74 / 25)


def test_all_is_reached_and_named_without_a_mouse(report):
    page = report.page
    reached, focused = [], "document.activeElement"
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(f"{focused}.id || {focused}.className"))
        if reached[-1] and page.evaluate(f"{focused}.matches('a, button, input, select')"):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", reached[-1]
    order = [
        "skip",
        "names-save",
        "help-open",
        "seek",
        "play",
        "copy-all",
        "filter-person",
        "lanes",
    ]
    places = [reached.index(one) for one in order]
    assert places == sorted(places)
    assert {"go", "copy", "name", "solo"} <= set(reached)
    nameless = page.evaluate("""[...document.querySelectorAll("button, input, select")].filter(
        one => !one.hidden && !one.getAttribute("aria-label") && !one.textContent.trim()
        && !one.labels?.length).map(one => one.outerHTML)""")
    assert nameless == []
    tree = page.locator("main").aria_snapshot()
    for said in ('slider "Time"', 'table "Turns', 'list "People"', 'textbox "Name of Track 0"'):
        assert said in tree


def test_a_turn_of_the_table_is_gone_to_and_its_times_are_copied(browser, path):
    with opened(browser, path) as report:
        page = report.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.click("#turns-rows .turn >> nth=1 >> .go")
        assert report.time_s == pytest.approx(1.6)
        page.click("#turns-rows .turn >> nth=1 >> .copy")
        report.wait_for_words("Times copied.")
        assert page.evaluate("navigator.clipboard.readText()") == "0:01.60-0:02.40"
        page.click("#copy-all")
        report.wait_for_words("2 turns copied.")
        assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
            "start_s\tend_s\tname",
            "0.400\t1.200\tTrack 0",
            "1.600\t2.400\tTrack 1",
        ]


def test_names_are_shown_saved_and_read_back(browser, path, tmp_path):
    name = 'Zoë </script> "&" \u05e9\u05dc 👩'
    with opened(browser, path) as report:
        page = report.page
        page.fill("input.name >> nth=0", name)
        report.seek(0.8)
        assert page.inner_text("#now") == f"Speaking: {name}"
        assert page.inner_text("#turns-rows .turn >> nth=0 >> .text") == name
        assert name in page.locator("#filter-person option").all_inner_texts()
        with page.expect_download() as download:
            page.click("#names-save")
        assert download.value.suggested_filename == "names.json"
        download.value.save_as(tmp_path / "names.json")
        found = json.loads((tmp_path / "names.json").read_text("utf-8"))
        assert found == {"schema": "asdkit.names/1", "names": {"track_0": name}}
        page.fill("input.name >> nth=0", "")
        page.keyboard.press("Enter")
        assert page.input_value("input.name >> nth=0") == "Track 0"
        page.set_input_files("#names-file", tmp_path / "names.json")
        report.wait_for_words("1 names read.")
        assert page.input_value("input.name >> nth=0") == name
        assert report.complaints == []


@pytest.mark.parametrize("text", ["no json", "[]", '{"schema": "asdkit.names/1"}', '{"names": {}}'])
def test_a_file_of_anything_else_changes_no_name(browser, path, tmp_path, text):
    (tmp_path / "other.json").write_text(text)
    with opened(browser, path) as report:
        page = report.page
        page.fill("input.name >> nth=0", "Ann")
        page.set_input_files("#names-file", tmp_path / "other.json")
        report.wait_for_words("no file of names")
        assert page.input_value("input.name >> nth=0") == "Ann"


def test_filters_leave_one_person_one_shot_and_who_speaks(browser, tmp_path):
    boxes = [[20, 20, 60, 60]] * 25
    made = by_hand.result(
        by_hand.track(0, 0, boxes, 3.0, [(0.2, 0.8)]),
        by_hand.track(1, 0, boxes, -3.0),
        by_hand.track(2, 50, boxes, 3.0, [(2.2, 2.8)]),
        path=tmp_path / "gone.mpg",
        duration_s=3.0,
        shots=[(0, 50), (50, 75)],
        speech=((0.0, 3.0),),
        off_screen=((1.0, 2.0),),
    )
    with opened(browser, write_report(made, tmp_path)) as report:
        page = report.page

        def lanes():
            name = "all => all.map(one => one.value ?? one.textContent)"
            names = page.eval_on_selector_all("#heads .name", name)
            return [*names, page.inner_text("#turns-count")]

        assert lanes() == ["Track 0", "Track 1", "Track 2", "Off screen", "Speech", "3"]
        page.check("#filter-speaking")
        assert lanes() == ["Track 0", "Track 2", "Off screen", "Speech", "3"]
        page.uncheck("#filter-speaking")
        page.select_option("#filter-shot", "1")
        assert lanes() == ["Track 2", "Off screen", "Speech", "1"]
        assert report.time_s == 2.0
        page.select_option("#filter-shot", "")
        page.click(".head >> nth=1 >> .solo")
        assert lanes() == ["Track 1", "0"]
        assert len(page.evaluate("asdReport.boxes()")) == 0  # at 2 s it is not visible
        page.select_option("#filter-person", "")
        assert len(lanes()) == 6
        report.seek(1.5)
        assert page.inner_text("#now") == "Speaking: Off screen"


def test_light_and_dark_follow_the_system_and_the_reader(browser, path):
    def ground(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = "rgb(244, 245, 247)", "rgb(14, 17, 22)"
    with opened(browser, path, color_scheme="dark") as report:
        page = report.page
        assert ground(page) == dark
        page.emulate_media(color_scheme="light")
        assert ground(page) == light
        page.click("#theme")
        page.click("#theme")
        assert page.inner_text("#theme") == "Theme: dark"
        assert ground(page) == dark
        lane = screenshot(page, clip=page.locator("#lanes").bounding_box())
        assert lane[:, -3:].mean() < 60  # the canvas is dark as well
        page.reload()
        page.evaluate("asdReport.ready")
        assert ground(page) == dark


def test_who_wants_less_motion_gets_none(browser, path):
    with opened(browser, path, reduced_motion="reduce") as report:
        durations = report.page.eval_on_selector_all(
            "*", "all => all.map(e => getComputedStyle(e).transitionDuration)"
        )
        assert set(durations) == {"0s"}


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_nothing_sticks_out_at_any_width(browser, path, width):
    with opened(browser, path, viewport={"width": width, "height": 800}) as report:
        page = report.page
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for part in ("#video", "#lanes", "#turns-scroller", "#names-save", "#help-open"):
            box = page.locator(part).bounding_box()
            assert box["x"] >= 0, part
            assert box["x"] + box["width"] <= width, part
        field = page.locator("input.name >> nth=0").bounding_box()
        assert field["width"] > 80


def test_harmful_names_do_no_harm(browser, tmp_path):
    names = [
        "</script><script>document.title = 'harmed'</script>",
        "<img src=x onerror=\"document.title = 'harmed'\">",
        "\u202e\u05e9\u05dc\u05d5\u05dd --> 👩",
    ]
    boxes = [[20 + 90 * k, 20, 80 + 90 * k, 90] for k in range(3)]
    tracks = [
        by_hand.track(k, 0, [box] * 50, 3.0, [(0.2, 1.0)], identity=name)
        for k, (name, box) in enumerate(zip(names, boxes, strict=True))
    ]
    made = by_hand.result(*tracks, path=tmp_path / "gone.mpg", size=SIZE)
    made = replace(made, video=replace(made.video, notes=tuple(names)))
    path = write_report(made, tmp_path, title=names[0])
    with opened(browser, path) as report:
        report.seek(0.5)
        page = report.page
        assert report.complaints == []
        assert report.requests == [path.as_uri()]
        assert page.title() == names[0]
        assert page.locator("script").count() == 2
        assert page.locator("img[src=x]").count() == 0
        shown = page.eval_on_selector_all("input.name", "all => all.map(e => e.value)")
        assert shown == names
