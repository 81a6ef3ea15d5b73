"""Makes the pictures of report.html, and of the page of asd live, of drawn faces.

`python docs/screenshots.py` writes docs/report-light.png, docs/report-dark.png and the same of a
narrow screen, report-narrow-light.png and report-narrow-dark.png; likewise live-light.png,
live-dark.png and the narrow ones. It needs no weights, but playwright and Chromium (asdkit[test];
as root, apt-get install chromium).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import cv2
import numpy as np

import asdkit
from asdkit.core.live.events import LiveEvent, LiveFace
from asdkit.core.live.serving import LiveServer
from asdkit.core.pictures import ArrayPicture
from asdkit.testing import write_video

WIDTH, HEIGHT, FPS, RATE = 960, 540, 25, 16_000
LENGTH_S, CUT_S = 16, 11
MOMENT_S = 5.2
"""The pictures show this moment."""
LEVELS = 4
"""Colours are rounded to multiples of this, which takes a third off the files."""
HALF = 84
"""Half the side of a face's box."""
SYLLABLES_HZ, RISE_S = 4.0, 0.25
# Where each head is, its colours (skin, hair, shirt), when it is seen and when it speaks.
PEOPLE = (
    (
        (270, 240),
        ((238, 196, 168), (92, 58, 38), (58, 104, 168)),
        (0, CUT_S),
        ((0.8, 3.6), (7.4, 9.0)),
    ),
    (
        (690, 250),
        ((176, 124, 92), (30, 28, 34), (196, 92, 70)),
        (0, CUT_S),
        ((4.2, 6.8), (9.2, 10.4)),
    ),
    (
        (480, 245),
        ((250, 214, 190), (206, 150, 70), (70, 140, 104)),
        (CUT_S, LENGTH_S),
        ((12.8, 15.2),),
    ),
)
OFF_SCREEN_S = ((11.3, 12.4),)
NAMES = ("Anna", "Ben", "Clara")
SIZES = {"": (1440, 1220), "-narrow": (390, 1180)}
LIVE_SIZES = {"": (1440, 1010), "-narrow": (390, 1010)}
LIVE_S, HOP_S, LATER_S = 44.2, 0.2, 0.8
"""The page of asd live shows this moment; what it shows is certain so much later."""
LIVE_CUT_S = 18.4
LIVE_TURNS = (
    (0, "Anna", ((14.2, 17.6), (19.0, 24.2), (30.4, 33.2), (38.6, 42.8))),
    (1, "Ben", ((24.9, 29.8), (33.9, 37.1), (42.9, 60.0))),
    (None, "off_screen", ((37.2, 38.4),)),
)


def opening(turns: tuple, time_s: np.ndarray) -> np.ndarray:
    """How far a mouth is open at some times, (n,) from 0 to 1: it opens with each syllable."""
    active = np.zeros(len(time_s))
    for start_s, end_s in turns:
        active += np.minimum(time_s - start_s, end_s - time_s).clip(0, RISE_S) / RISE_S
    pace = SYLLABLES_HZ * (time_s + 0.05 * np.sin(3.1 * time_s))
    return active * np.sin(np.pi * pace) ** 2


def centre(place: tuple, time_s: float, number: int) -> tuple[float, float]:
    """Where a head is: it sways a little."""
    x, y = place
    return x + 9 * np.sin(0.9 * time_s + number), y + 5 * np.sin(1.3 * time_s + 2 * number)


def draw_person(image: np.ndarray, at: tuple, colours: tuple, gap: float) -> None:
    """Draw head and shoulders."""
    x, y = (round(value) for value in at)
    skin, hair, shirt = colours
    dark = tuple(round(0.82 * value) for value in skin)
    ellipse = {"thickness": -1, "lineType": cv2.LINE_AA}
    cv2.ellipse(image, (x, y + 300), (190, 170), 0, 0, 360, shirt, **ellipse)
    cv2.ellipse(image, (x, y - 18), (92, 112), 0, 0, 360, hair, **ellipse)
    cv2.rectangle(image, (x - 30, y + 60), (x + 30, y + 150), dark, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, y), (78, 100), 0, 0, 360, skin, **ellipse)
    cv2.ellipse(image, (x, y - 74), (84, 40), 0, 180, 360, hair, **ellipse)
    for side in (-1, 1):
        eye = x + 30 * side, y - 12
        cv2.ellipse(image, eye, (13, 9), 0, 0, 360, (255, 255, 255), **ellipse)
        cv2.circle(image, eye, 6, (40, 34, 30), -1, cv2.LINE_AA)
        cv2.ellipse(image, (eye[0], eye[1] - 18), (18, 6), 0, 180, 360, hair, 4, cv2.LINE_AA)
    cv2.ellipse(image, (x, y + 16), (9, 7), 0, 0, 180, dark, 3, cv2.LINE_AA)
    cv2.ellipse(image, (x, y + 48), (27, 5 + round(17 * gap)), 0, 0, 360, (168, 66, 66), **ellipse)
    if gap > 0.1:
        cv2.ellipse(image, (x, y + 48), (20, round(17 * gap)), 0, 0, 360, (70, 20, 24), **ellipse)


def background(wall: tuple, frame: tuple) -> np.ndarray:
    """(540, 960, 3) uint8, RGB: a wall with pictures on it."""
    image = np.full((HEIGHT, WIDTH, 3), wall, np.uint8)
    for left, right in ((40, 130), (430, 530), (830, 920)):
        cv2.rectangle(image, (left, 60), (right, 190), frame, -1)
    cv2.rectangle(image, (0, 470), (WIDTH, HEIGHT), frame, -1)
    return image


def make_clip(folder: Path) -> tuple[Path, Path]:
    """Write the clip, and the boxes of its faces as detector=boxes reads them."""
    frames = np.arange(LENGTH_S * FPS)
    gaps = [opening(turns, frames / FPS) for _, _, _, turns in PEOPLE]
    walls = (
        background((226, 213, 196), (206, 188, 166)),
        background((190, 208, 214), (164, 186, 196)),
    )
    pictures, boxes = [], []
    for frame in frames:
        time_s = frame / FPS
        image, faces = walls[int(time_s >= CUT_S)].copy(), []
        for number, (place, colours, (first_s, end_s), _) in enumerate(PEOPLE):
            if first_s <= time_s < end_s:
                x, y = centre(place, time_s, number)
                draw_person(image, (x, y), colours, gaps[number][frame])
                faces.append([x - HALF, y - HALF + 6, x + HALF, y + HALF + 6, 1.0])
        pictures.append(image)
        boxes.append(faces)
    (folder / "boxes.json").write_text(json.dumps(boxes))
    return write_video(folder / "drawn.mp4", pictures, sound()), folder / "boxes.json"


def sound() -> np.ndarray:
    """(n,) int16: a hum for each voice, as loud as its mouth is open, and a little noise."""
    time_s = np.arange(LENGTH_S * RATE) / RATE
    heard = np.random.default_rng(0).normal(0, 0.002, len(time_s))
    voices = [*(turns for *_, turns in PEOPLE), OFF_SCREEN_S]
    for turns, pitch_hz in zip(voices, (210, 120, 190, 150), strict=True):
        hum = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 8))
        heard += 0.16 * opening(turns, time_s) * hum
    return (heard.clip(-1, 1) * 32767).astype(np.int16)


def make_report(folder: Path) -> Path:
    """Run asdkit on the clip."""
    clip, boxes = make_clip(folder)
    asdkit.run(
        clip,
        [
            *(
                "detector=boxes",
                "detect_every=1",
                f"detector.path={boxes}",
                "scorer=lip_motion",
                "vad=energy",
            ),
            *("writers=[report]", f"output={folder / 'out'}"),
        ],
    )
    return folder / "out" / "report.html"


def take(browser: object, folder: Path) -> list[Path]:
    """Take the pictures."""
    taken = []
    with TemporaryDirectory() as aside:
        report = make_report(Path(aside))
        for name, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page.goto(report.as_uri())
                page.evaluate("asdReport.ready")
                for number, given in enumerate(NAMES):
                    page.fill(f"input.name >> nth={number}", given)
                page.evaluate("document.activeElement.blur()")
                page.evaluate("time => asdReport.seek(time)", MOMENT_S)
                page.wait_for_timeout(800)
                taken.append(save(page, folder / f"report{name}-{scheme}.png"))
                page.close()
    return taken


def live_events() -> list[LiveEvent]:
    """What a session of two people tells up to a moment."""
    about = {"name": "Meeting room", "size": [WIDTH, HEIGHT]}
    told = [LiveEvent("begun", 0.0, about=about), LiveEvent("cut", LIVE_CUT_S)]
    for track, name, turns in LIVE_TURNS:
        if track is not None:
            told.append(LiveEvent("appeared", 12.0, track=track, name=name))
        for start_s, end_s in turns:
            for kind, time_s in (("speaking", start_s), ("silent", end_s)):
                certain = time_s < LIVE_S - LATER_S
                told.append(LiveEvent(kind, time_s, certain, track, name))
    for hop in range(round(12 / HOP_S), round((LIVE_S + HOP_S) / HOP_S) + 1):
        time_s = round(hop * HOP_S, 3)
        told.append(LiveEvent("faces", time_s, faces=live_faces(time_s)))
    delays = {"frames": None, "events": {"mean": 0.62, "worst": 0.78}}
    counts = {"left_out": 0, "skipped": 0, "lost": 0, "breaks": 0}
    told.append(LiveEvent("status", LIVE_S, about={"delay_s": delays, "counts": counts}))

    def told_s(event: LiveEvent) -> float:
        late = event.event in ("speaking", "silent") and event.certain
        return event.time_s + LATER_S * late

    return sorted((one for one in told if told_s(one) <= LIVE_S + HOP_S), key=told_s)


def live_faces(time_s: float) -> tuple[LiveFace, ...]:
    """Both faces at a time."""
    found = []
    for track, name, turns in LIVE_TURNS[:2]:
        x, y = centre(PEOPLE[track][0], time_s, track)
        speaking = any(start_s <= time_s < end_s for start_s, end_s in turns)
        likely = 0.94 if speaking else 0.06
        box = (x - HALF, y - HALF + 6, x + HALF, y + HALF + 6)
        found.append(LiveFace(track, name, box, likely, speaking, False))
    return tuple(found)


def live_picture() -> np.ndarray:
    """(540, 960, 3) uint8, RGB: the moment that the page shows."""
    image = background((226, 213, 196), (206, 188, 166))
    for number, gap in ((0, 0.0), (1, 0.8)):
        place, colours, *_ = PEOPLE[number]
        draw_person(image, centre(place, LIVE_S, number), colours, gap)
    return image


def take_live(browser: object, folder: Path) -> list[Path]:
    """Take the pictures of the page of asd live."""
    taken = []
    for name, (width, height) in LIVE_SIZES.items():
        for scheme in ("light", "dark"):
            server = LiveServer(0)
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            page.goto(server.start())
            page.wait_for_timeout(800)
            for event in live_events():
                server.publish(event)
            server.show(LIVE_S, ArrayPicture(live_picture()))
            page.wait_for_timeout(1500)
            taken.append(save(page, folder / f"live{name}-{scheme}.png"))
            page.close()
            server.close()
    return taken


def save(page: object, path: Path) -> Path:
    """Save a picture of a page, in somewhat fewer colours."""
    image = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    image = (np.rint(image / LEVELS) * LEVELS).clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return path


def main() -> None:
    """Take the pictures into the folder docs, or another one that is named."""
    from playwright.sync_api import sync_playwright

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium"), args=["--no-sandbox"]
        )
        for path in [*take(browser, folder), *take_live(browser, folder)]:
            print(path, path.stat().st_size)
        browser.close()


if __name__ == "__main__":
    main()
