"""A headless Chromium, and results to look at in it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import cv2
import numpy as np
import pytest
from by_hand import result_of, square, track

from asdkit.core.loading import load
from asdkit.core.media.probe import probe
from asdkit.core.result import Result
from asdkit.core.samples import write_video

SIZE = 320, 180
HALF = 30.0
"""Half the side of a face in the videos made here."""
LEFT, RIGHT = (70.0, 80.0), (240.0, 100.0)
"""The centres of the two faces."""
GREEN = (47, 224, 143)
"""The colour of the box of a face that speaks."""
GREEN = (47, 224, 143)
"""The colour of the box of a face that speaks."""
_WAIT_MS, _MOST_WAITS = 50, 600
_INSTALL = "as root, apt-get install chromium"


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; skips where playwright or Chromium is not installed."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs the package playwright: asdkit[test]"
    )
    path = which("chromium")
    if path is None:
        pytest.skip(f"needs Chromium: {_INSTALL}")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        try:
            yield browser
        finally:
            browser.close()


def wait_until(page: Any, condition: str, complaints: list[str]) -> None:
    """Wait until a condition in JavaScript holds; for a page that forbids `wait_for_function`."""
    for _ in range(_MOST_WAITS):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(_WAIT_MS)
    pytest.fail(f"in vain waited for {condition}; the console said {complaints}")


class Opened:
    """A report that is open in a page.

    Attributes:
        page: The page of playwright.
        complaints: What the console said and which scripts failed.
        requests: The addresses that were asked for, those within the page itself left out.
    """

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.page = browser.new_page(**{"viewport": {"width": 1280, "height": 1000}, **options})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(path.as_uri())
        self.page.evaluate("asdReport.ready")

    def _note(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            self.requests.append(url)

    def until(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds."""
        wait_until(self.page, condition, self.complaints)

    def wait_for_video(self) -> None:
        self.until("document.getElementById('video').readyState >= 2")

    def wait_for_words(self, words: str) -> None:
        """Wait until the page says something."""
        self.until(f"document.getElementById('status').textContent.includes({json.dumps(words)})")

    def seek(self, time_s: float) -> None:
        """Go to a time from the first picture, and wait until its picture is shown."""
        self.page.evaluate("time => asdReport.seek(time)", time_s)
        self.until("!document.getElementById('video').seeking")

    @property
    def time_s(self) -> float:
        return float(self.page.evaluate("asdReport.state.time"))


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[Opened]:
    """Open a report; in the end the page is closed."""
    report = Opened(browser, path, **options)
    try:
        yield report
    finally:
        report.page.close()


def picture(_: int = 0) -> np.ndarray:
    """(180, 320, 3) uint8: two faces, a red and a blue square on grey."""
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for (x, y), colour in ((LEFT, (220, 40, 40)), (RIGHT, (40, 60, 220))):
        rows = slice(round(y - HALF), round(y + HALF))
        image[rows, round(x - HALF) : round(x + HALF)] = colour
    return image


def video_of_two(path: Path, frames: int = 75) -> Path:
    """A video of the two faces, with sound."""
    return write_video(path, [picture()] * frames, np.zeros(frames * 640, np.int16))


def result_of_two(video: Path, **more: Any) -> Result:
    """Its result: the red one speaks from 0.4 to 1.2 s, the blue one from 1.6 to 2.4 s."""
    media = probe(video)
    faces = [
        track(0, 0, [square(*LEFT, HALF)] * 75, _scores(10, 30), [(0.4, 1.2)]),
        track(1, 0, [square(*RIGHT, HALF)] * 75, _scores(40, 60), [(1.6, 2.4)]),
    ]
    made = result_of(media, *faces)
    return Result(
        **{**vars(made), "shots": ((0, 75),), "media": media, **more}  # as a run gives it
    )


def _scores(first: int, end: int) -> list[float]:
    return [3.0 if first <= frame < end else -3.0 for frame in range(75)]


def write_report(result: Result, folder: Path, **parameters: Any) -> Path:
    """Write the report of a result."""
    folder.mkdir(exist_ok=True)
    (path,) = load("writer", "report", **parameters).write(result, folder)
    return path


def data_in(text: str) -> Any:
    """The data of a page, read from its text."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def screenshot(page, **options) -> np.ndarray:
    """(height, width, 3) uint8, RGB."""
    image = cv2.imdecode(np.frombuffer(page.screenshot(**options), np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def near(image: np.ndarray, colour: tuple[int, int, int], margin: int = 40) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) < margin).all(-1)
