"""One item ahead: while one is used, the next is made in a thread.

At most two items are alive, the one in use and the next. What goes wrong in the thread is raised where the item
would have come. A thread that is no longer wanted ends with the item it is at.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["ahead"]

Item = TypeVar("Item")
PATIENCE = 0.8  # seconds to wait for a thread that was told to end


def ahead(items: Generator[Item, None, None]) -> Iterator[Item]:
    """Yield what `items` yields, made in a thread; closing this closes `items`."""
    made: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    wanted, unwanted = threading.Semaphore(0), threading.Event()
    thread = threading.Thread(
        target=_make, args=(items, made, wanted, unwanted), name="limen reading ahead", daemon=True
    )
    thread.start()
    try:
        while True:
            what, value = made.get()
            if what == "end":
                return
            if what == "error":
                raise value
            wanted.release()
            yield value
            del value  # nothing holds on to an item that was used while the next is waited for
    finally:
        unwanted.set()
        wanted.release()
        thread.join(PATIENCE)


def _make(
    items: Generator[Any, None, None], made: Any, wanted: threading.Semaphore, unwanted: threading.Event
) -> None:
    try:
        for item in items:
            made.put(("item", item))
            del item
            wanted.acquire()
            if unwanted.is_set():
                items.close()  # here, so that what it has open is closed by the thread that uses it
                return
        made.put(("end", None))
    except BaseException as error:
        made.put(("error", error))
