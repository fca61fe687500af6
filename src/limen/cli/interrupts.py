"""Ctrl-C that is answered, also where Python would drop it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["insistent"]

AGAIN = 0.3  # seconds before an interrupt that wasn't answered is sent again


@contextmanager
def insistent() -> Iterator[None]:
    """Send an interrupt again and again until the block ends.

    Python drops an exception, and so the `KeyboardInterrupt` too, while it frees an object or is called back from C:
    when compiled code is loaded, for instance.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    answered, sent = threading.Event(), threading.Event()

    def again() -> None:
        while not answered.wait(AGAIN):
            os.kill(os.getpid(), signal.SIGINT)

    def interrupted(number: int, frame: Any) -> None:
        if answered.is_set():
            return
        if not sent.is_set():
            sent.set()
            threading.Thread(target=again, name="limen interrupt", daemon=True).start()
        raise KeyboardInterrupt

    hook = sys.unraisablehook

    def dropped(unraisable: Any) -> None:
        # A dropped interrupt comes again, so that nobody need hear of it.
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    sys.unraisablehook = dropped
    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        answered.set()
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler)
