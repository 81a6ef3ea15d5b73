"""Takes the items of an iterator in a thread of its own, a few ahead of who uses them."""

from __future__ import annotations

from collections.abc import Generator
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TypeVar

_T = TypeVar("_T")


def ahead(items: Generator[_T, None, None], most: int) -> Generator[_T, None, None]:
    """Yield the items of a generator, which runs in a thread beside the caller's.

    An error of the generator is raised here, after the items before it. When this iterator is
    closed, be it by an error of the caller, the generator is closed in its thread, and the thread
    has ended.

    Args:
        items: The generator; not to be used by anyone else.
        most: How many items may wait.
    """
    room = Semaphore(most)
    ready: SimpleQueue[tuple[_T | None, BaseException | None]] = SimpleQueue()
    wanted = True

    def work() -> None:
        try:
            while room.acquire() and wanted:
                ready.put((next(items), None))
        except BaseException as error:  # StopIteration is the end
            ready.put((None, error))
        finally:
            items.close()

    thread = Thread(target=work, name="asdkit-ahead", daemon=True)
    error = None
    try:
        thread.start()
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            room.release()
            yield item  # type: ignore[misc]
            del item
    finally:
        del error  # its traceback holds this very frame, and so what is decoded
        wanted = False
        room.release()
        if thread.ident is not None:
            thread.join()
