"""Ctrl-C that is answered, also where Python would drop it."""

from __future__ import annotations

import logging
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
    """Send an interrupt again and again until the block ends, or the log tells that it was heard.

    Python drops an exception, and so the `KeyboardInterrupt` too, while it frees an object or is called back from C:
    when compiled code is loaded, for instance. A record with the attribute ``kept`` on the logger ``limen`` says that an
    interrupt has ended a training, and that what was learned is being kept: which no further one should disturb, unless a
    person sends it.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    answered, resent, ended = threading.Event(), threading.Event(), threading.Event()
    again: list[threading.Thread] = []

    def send_again() -> None:
        while not answered.wait(AGAIN):
            resent.set()
            os.kill(os.getpid(), signal.SIGINT)

    class Heard(logging.Handler):
        """What the log tells of an interrupt."""

        def emit(self, record: logging.LogRecord) -> None:
            if hasattr(record, "kept"):
                answered.set()

    def interrupted(number: int, frame: Any) -> None:
        is_late = ended.is_set() or (resent.is_set() and answered.is_set())
        resent.clear()
        if is_late:
            return
        if not again:
            again.append(threading.Thread(target=send_again, name="limen interrupt", daemon=True))
            again[0].start()
        raise KeyboardInterrupt

    hook = sys.unraisablehook

    def dropped(unraisable: Any) -> None:
        # A dropped interrupt comes again, so that nobody need hear of it.
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    logger, heard = logging.getLogger("limen"), Heard()
    logger.addHandler(heard)
    sys.unraisablehook = dropped
    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        ended.set()
        answered.set()
        for thread in again:  # what it has just sent must not come after the block
            thread.join()
        logger.removeHandler(heard)
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler)
