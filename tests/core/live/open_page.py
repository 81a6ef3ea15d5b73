"""The page of a live session, open in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from browser import wait_until


class Watched:
    """A page that is open.

    Attributes:
        page: The page of playwright.
        complaints: What the console said and which scripts failed.
        requests: The addresses that were asked for.
    """

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.goto(address)

    def ask(self, code: str) -> Any:
        """The value of an expression in JavaScript."""
        return self.page.evaluate(code)

    def until(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds."""
        wait_until(self.page, condition, self.complaints)

    def drawn(self) -> None:
        """Wait until what holds now has been drawn, and is seen."""
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def until_it_says(self, where: str, words: str) -> None:
        """Wait until an element holds some words."""
        self.until(f"document.getElementById('{where}').textContent.includes({json.dumps(words)})")


@contextmanager
def watched(browser: Any, address: str, **options: Any) -> Iterator[Watched]:
    """Open the page at an address; in the end it is closed."""
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 1000}, **options})
    try:
        yield Watched(page, address)
    finally:
        page.close()
