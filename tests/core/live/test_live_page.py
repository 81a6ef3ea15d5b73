"""The page of a live session in a browser: what it shows, and that it goes on."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from browser import near, screenshot
from open_page import watched
from told import (
    ANN,
    BEGUN,
    SIZE,
    TOKEN,
    appeared,
    faces,
    needs_aiohttp,
    picture,
    serving,
    speech,
    status,
    until,
)

from asdkit.core.live.events import LiveEvent, LiveFace
from asdkit.core.live.serving import LiveServer

needs_aiohttp()
GREEN = (47, 224, 143)
"""The colour of the box of a face that speaks."""
HOP_S = 0.2


@pytest.fixture
def served():
    """A server, whose clock for pictures stands at the time of the picture."""
    now = [0.0]
    with serving(clock=lambda: now[0]) as (server, address):
        server.now = now
        yield server, f"{address}/?token={TOKEN}"


@pytest.fixture
def live(browser, served):
    with watched(browser, served[1]) as page:
        page.until_it_says("state", "Live")
        page.server = served[0]
        yield page


def tell(server, *events):
    for event in events:
        server.publish(event)


def show(server, time_s, image):
    until(lambda: server._clients.looking)
    server.now[0] = time_s
    server.show(time_s, image)
    until(lambda: server._picture is None)


def hops(start_s, end_s, *speaking, certain=False):
    """Faces every hop, from a time up to and with another."""
    first, last = round(start_s / HOP_S), round(end_s / HOP_S)
    return [faces(n * HOP_S, *speaking, certain=certain) for n in range(first, last + 1)]


def test_it_opens_without_a_complaint_and_asks_this_server_alone(live):
    tell(live.server, BEGUN)
    live.until_it_says("name", "hall")
    host = live.page.url.split("/")[2]
    assert live.complaints == []
    assert {url.split("/")[2] for url in live.requests} == {host}
    assert live.page.title() == "hall - asdkit live"


def test_the_token_leaves_the_address_and_is_kept_for_this_tab(live):
    assert TOKEN not in live.page.url
    assert live.page.url.endswith("/")
    live.page.reload()
    live.until_it_says("state", "Live")
    with_token = [url for url in live.requests if TOKEN in url]
    assert all("/ws?" in url or url.endswith(f"/?token={TOKEN}") for url in with_token)


@pytest.mark.parametrize("query", ["", "?token=not-the-token"])
def test_without_the_right_token_it_says_so(browser, served, query):
    address = served[1].partition("?")[0] + query
    with watched(browser, address) as page:
        page.until_it_says("state", "The token is missing or wrong: open the address")
        assert page.ask("document.getElementById('state').dataset.kind") == "refused"


def test_boxes_are_where_the_faces_are(live):
    server, page = live.server, live.page
    tell(server, BEGUN, speech(0.4, 0, True), *hops(0, 2, True, False))
    show(server, 1.0, picture())
    live.until("asdLive.shown.stills[0]?.time === 1 && asdLive.boxes().length === 2")
    live.until("document.getElementById('no-picture').hidden")
    live.drawn()
    stage = page.locator("#picture").bounding_box()
    scale = stage["width"] / SIZE[0]
    assert stage["height"] == pytest.approx(scale * SIZE[1], abs=1)
    ann, ben = live.ask("asdLive.boxes()")
    assert (ann["name"], ann["speaking"], ben["name"], ben["speaking"]) == (
        "ann",
        True,
        "ben",
        False,
    )
    for found, expected in zip(
        (ann["x"] - stage["x"], ann["y"] - stage["y"], ann["width"], ann["height"]),
        (ANN[0], ANN[1], ANN[2] - ANN[0], ANN[3] - ANN[1]),
        strict=True,
    ):
        assert found == pytest.approx(scale * expected, abs=1)
    image = screenshot(page)
    middle = round(ann["y"] + ann["height"] / 2)
    for side in (ann["x"], ann["x"] + ann["width"]):  # the box is drawn there, on the red face
        assert near(image, GREEN)[middle, round(side) - 2 : round(side) + 3].any()
    inside = image[middle, round(ann["x"] + 8) : round(ann["x"] + ann["width"] - 8)]
    assert near(inside[None], (220, 40, 40)).mean() > 0.9
    side = round(ben["x"])
    assert not near(image, GREEN)[middle, side - 3 : side + 4].any()


def test_long_hops_are_shown_as_evenly(live):
    """Of faces every two seconds those between two moments are in sight, too."""
    begun = LiveEvent("begun", 0.0, about={"name": "hall", "size": list(SIZE), "hop_s": 2.0})
    tell(live.server, begun, *(faces(float(n), True) for n in (0, 2, 4, 6)))
    live.until("asdLive.boxes().length === 1")
    assert live.ask("asdLive.shown.time < 5.01 && asdLive.memory.newest === 6")
    assert live.ask("asdLive.lanes()[0].visible") == [[0, 6]]


def test_boxes_can_be_switched_off(live):
    tell(live.server, BEGUN, speech(0.4, 0, True), *hops(0, 2, True))
    live.until("asdLive.boxes().length === 1")
    live.drawn()
    assert near(screenshot(live.page.locator("#picture")), GREEN).any()
    live.page.keyboard.press("b")
    live.drawn()
    assert not near(screenshot(live.page.locator("#picture")), GREEN).any()
    assert live.page.get_attribute("#boxes", "aria-pressed") == "false"


def test_boxes_and_picture_are_of_the_same_moment(live):
    """Ann moves 20 pixels a second; wherever the page is, her box is where she was then."""
    server = live.server
    tell(server, BEGUN)
    for n in range(12):
        time_s = n * HOP_S
        show(server, time_s, picture(40 + 10 * n))
        (face,) = faces(time_s, True).faces
        moved = tuple(side + 20 * time_s * (k % 2 == 0) for k, side in enumerate(face.box))
        tell(server, LiveEvent("faces", time_s, faces=(replace(face, box=moved),)))
        live.page.wait_for_timeout(40)
    live.until("asdLive.boxes().length === 1 && asdLive.shown.time > 1.9")
    found = live.ask(
        "({time: asdLive.shown.time, boxes: asdLive.boxes(), width: asdLive.shown.width,"
        " stage: document.getElementById('picture').getBoundingClientRect().toJSON(),"
        " stills: asdLive.shown.stills.map(({time}) => time)})"
    )
    scale = found["stage"]["width"] / found["width"]
    left = (found["boxes"][0]["x"] - found["stage"]["x"]) / scale
    assert left == pytest.approx(ANN[0] + 20 * min(found["time"], 11 * HOP_S), abs=0.5)
    assert found["stills"][0] <= found["time"]
    assert all(time > found["time"] for time in found["stills"][1:])


def test_what_is_provisional_is_dashed_until_it_is_certain(live):
    tell(live.server, BEGUN, appeared(0, name="ann"), *hops(0, 2, True))
    tell(live.server, speech(0.2, 0, True, certain=False))
    live.until("asdLive.boxes()[0]?.certain === false")
    live.drawn()
    dashed = near(screenshot(live.page.locator("#picture")), GREEN).sum()
    assert "ann speaks" not in live.page.inner_text("#spoken")
    live.until_it_says("now", "ann speaks")
    tell(live.server, speech(0.2, 0, True))
    live.until("asdLive.boxes()[0]?.certain === true")
    live.drawn()
    assert near(screenshot(live.page.locator("#picture")), GREEN).sum() > 1.1 * dashed
    live.until_it_says("spoken", "ann speaks")


def test_lanes_say_who_spoke_when(live):
    tell(live.server, BEGUN, appeared(0, name="ann"), appeared(1, name="ben"))
    tell(live.server, *hops(0, 20, False, False), LiveEvent("cut", 9.0))
    tell(live.server, speech(3.0, 0, True), speech(8.0, 0, False))
    tell(live.server, speech(12.0, None, True), speech(14.0, None, False))
    tell(live.server, speech(18.0, 1, True), *hops(20.2, 22, False, True))
    live.until("asdLive.memory.newest >= 21.9 && asdLive.shown.time > 21.7")
    ann, ben, unseen = live.ask("asdLive.lanes()")
    assert (ann["name"], ben["name"], unseen["name"]) == ("ann", "ben", "off_screen")
    assert ann["certain"] == [[3, 8]]
    assert ann["visible"] == [[0, pytest.approx(22)]]
    assert ben["certain"] == [[18, pytest.approx(20)]]  # told 2 s later than it was
    assert ben["maybe"] == [[pytest.approx(20), pytest.approx(22)]]
    assert unseen["certain"] == [[12, 14]]
    assert live.page.locator("#heads").inner_text().split("\n") == ["ann", "ben", "Off screen"]
    image = screenshot(live.page.locator("#lanes"))
    end_s, width = live.ask("asdLive.shown.time"), image.shape[1]
    row = image[30 + 22]  # ann's
    speaks = near(row[None], (43, 182, 115), 12)[0]
    first, last = np.flatnonzero(speaks)[[0, -1]]
    assert first == pytest.approx(((3 - end_s) / 30 + 1) * width, abs=4)
    assert last == pytest.approx(((8 - end_s) / 30 + 1) * width, abs=4)
    rows = live.page.eval_on_selector_all("#turns li", "all => all.map((one) => one.innerText)")
    said = [row.split("\n") for row in rows]
    assert said == [
        ["0:18", "ben", "2.0 s"],
        ["0:12", "Off screen", "2.0 s"],
        ["0:03", "ann", "5.0 s"],
    ]
    tell(live.server, speech(21.0, 1, False))
    live.until("asdLive.lanes()[1].certain.length === 1")
    assert live.ask("asdLive.lanes()[1].certain") == [[18, 21]]


def test_a_person_who_is_named_keeps_their_lane(live):
    tell(live.server, BEGUN, appeared(0), speech(1.0, 0, True), speech(2.0, 0, False))
    tell(live.server, *hops(0, 3, False), LiveEvent("named", 3.0, track=0, name="dora"))
    live.until("asdLive.lanes()[0]?.name === 'dora'")
    assert live.ask("asdLive.lanes().map(({name, certain}) => [name, certain])") == [
        ["dora", [[1, 2]]]
    ]


def test_names_are_only_text(live):
    name = "<img src=x onerror=alert(1)>"
    face = LiveFace(0, name, ANN, 0.9, True, True)
    tell(live.server, BEGUN, appeared(0, name=name), LiveEvent("faces", 1.0, faces=(face,)))
    tell(live.server, LiveEvent("speaking", 1.0, track=0, name=name))
    live.until_it_says("sight", name)
    live.until_it_says("now", name)
    assert live.page.locator("img").count() == 0
    assert live.complaints == []


def test_a_page_that_is_opened_later_is_right(browser, served):
    server, address = served
    tell(server, BEGUN, appeared(0, name="ann"), appeared(1, name="ben"), speech(2.0, 1, True))
    tell(server, *hops(0, 4, False, True), status(0.5))
    with watched(browser, address) as page:
        page.until_it_says("now", "ben speaks")
        page.until_it_says("sight", "ann")
        page.until_it_says("measured", "0.50 s")
        page.until("asdLive.boxes().length === 2")


def test_it_says_what_happens_to_the_stream(live):
    tell(live.server, BEGUN, *hops(0, 1))
    tell(live.server, LiveEvent("interrupted", 1.0, reason="stalled: nothing came for 2.0 s"))
    live.until_it_says("state", "The stream stalled: nothing came for 2.0 s.")
    tell(live.server, *hops(4, 5))
    live.until("document.getElementById('state').textContent === 'Live'")
    tell(live.server, status(0.62, left_out=2, skipped=2, lost=1, breaks=1))
    live.until_it_says("measured", "Delay0.62 s")
    live.until_it_says("measured", "Frames left out5")
    live.until_it_says("measured", "Interruptions1")
    tell(live.server, LiveEvent("ended", 5.0, about={"why": "the source has ended"}))
    live.until_it_says("state", "The session has ended: the source has ended.")


def test_it_finds_the_server_again(browser):
    with serving() as (server, address), watched(browser, f"{address}/?token={TOKEN}") as page:
        tell(server, BEGUN, *hops(0, 1, True), speech(0.4, 0, True))
        page.until_it_says("now", "ann speaks")
        server.close()
        page.until_it_says("state", "The server is gone. Trying to reach it again")
        with serving(int(address.rpartition(":")[2])) as (another, _):
            tell(another, BEGUN, speech(50.2, 1, True), *hops(50, 51, False, True))
            page.until_it_says("state", "Live")
            page.until_it_says("now", "ben speaks")
            assert page.ask("asdLive.memory.moments[0].time") >= 50  # no half of what was before


def test_a_server_with_another_token_is_not_asked_for_ever(browser):
    with serving() as (server, address), watched(browser, f"{address}/?token={TOKEN}") as page:
        page.until_it_says("state", "Live")
        server.close()
        page.until_it_says("state", "The server is gone")
        another = LiveServer(int(address.rpartition(":")[2]), "another-token")
        another.start()
        try:
            page.until_it_says("state", "The token is missing or wrong")
        finally:
            another.close()


@pytest.mark.slow
def test_its_memory_is_bounded(live):
    """A quarter of an hour in which faces come and go."""
    server = live.server
    tell(server, BEGUN)
    sizes = []
    for block in range(30):
        for n in range(150):
            time_s = (150 * block + n) * HOP_S
            track = round(time_s)
            if n % 5 == 0:
                tell(server, appeared(track, time_s), LiveEvent("cut", time_s))
                tell(server, LiveEvent("speaking", time_s, track=track, name=f"track_{track}"))
                tell(server, LiveEvent("silent", time_s + 0.5, track=track, name=f"track_{track}"))
            face = LiveFace(track, f"track_{track}", ANN, 0.5, False, False)
            tell(server, LiveEvent("faces", time_s, faces=(face,)))
            if n % 50 == 49:
                live.until(f"asdLive.memory.newest >= {time_s - 0.01}")
        show(server, time_s, picture())
        sizes.append(
            live.ask(
                "({moments: asdLive.memory.moments.length, people: asdLive.memory.people.size,"
                " cuts: asdLive.memory.cuts.length, stills: asdLive.shown.stills.length,"
                " elements: document.querySelectorAll('*').length})"
            )
        )
    assert "lost" not in live.page.inner_text("#measured")
    for name, most in {"moments": 180, "people": 40, "cuts": 40, "stills": 40}.items():
        assert max(size[name] for size in sizes) <= most, name
    assert max(size["elements"] for size in sizes) <= sizes[2]["elements"] + 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_screen(browser, served, scheme):
    server, address = served
    tell(server, BEGUN, appeared(0, name="a name that is far too long " * 4), *hops(0, 2, True))
    size = {"width": 360, "height": 800}
    with watched(browser, address, viewport=size, color_scheme=scheme) as page:
        page.until("asdLive.boxes().length === 1")
        page.until("document.getElementById('heads').children.length === 1")
        assert page.ask("document.documentElement.scrollWidth") == 360
        light = cv2.cvtColor(screenshot(page.page)[:1, :1], cv2.COLOR_RGB2GRAY)[0, 0] > 128
        assert light == (scheme == "light")


def test_the_theme_can_be_chosen(live):
    for theme in ("light", "dark", "auto"):
        live.page.keyboard.press("d")
        live.until_it_says("theme", f"Theme: {theme}")


def test_screen_readers_are_told_who_speaks_in_words(live):
    tell(live.server, BEGUN, *hops(0, 1, True, True), speech(0.2, 0, True))
    live.until("document.getElementById('spoken').textContent === 'ann speaks'")
    tell(live.server, speech(0.4, 1, True))
    live.until("document.getElementById('spoken').textContent === 'ann and ben speak'")
    tell(live.server, speech(0.6, 0, False), speech(0.8, 1, False))
    live.until("document.getElementById('spoken').textContent === 'Nobody speaks'")
    assert live.page.get_attribute("#spoken", "aria-live") == "polite"
    live.until_it_says("sight", "speaking, 90 %")
    unnamed = live.ask(
        "[...document.querySelectorAll('canvas, ul, section, button')].filter((one) => !"
        "(one.ariaLabel || one.getAttribute('aria-labelledby') || one.textContent.trim())).length"
    )
    assert unnamed == 0
