"""Progress of a fit that takes longer, on standard error, where a person looks at it.

The epochs are read from the log of `limen`: records at level INFO with ``epoch``, ``max_iter`` and ``n_mistakes``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from limen.cli.streams import is_terminal

__all__ = ["progress"]

PATIENCE = 2.0  # seconds before progress is worth showing


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[None]:
    """Show a progress bar while the block runs, if it runs for longer than a moment."""
    logger = logging.getLogger("limen")
    logger.addHandler(logging.NullHandler())  # the command says itself how an interrupted fit ends
    logger.propagate = False
    if quiet or not is_terminal(sys.stderr):
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    task = bar.add_task("Learning", total=None, detail="(the first run of all compiles for some seconds)")

    class Epochs(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            epoch, last = getattr(record, "epoch", None), getattr(record, "max_iter", None)
            if epoch is not None:
                mistakes = f"{getattr(record, 'n_mistakes', 0):,} mistakes"
                bar.update(task, completed=epoch, total=last, detail=f"epoch {epoch} of {last}, {mistakes}")

    handler, timer = Epochs(), Timer(PATIENCE, bar.start)
    level = logger.level
    timer.daemon = True
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
        logger.setLevel(level)
        logger.removeHandler(handler)
