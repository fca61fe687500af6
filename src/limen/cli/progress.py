"""Progress of a fit that takes longer, on standard error, where a person looks at it.

The bar is a callback of the estimator, as scikit-learn's own is: fitting is the task, an epoch a part of it. Where
scikit-learn has no callbacks, it shows the time only. Where files are read in epochs, it also moves within one: by what the
log tells of the share that was read, and by what it is told itself. Of networks with hidden layers the log tells all of it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import Timer
from typing import Any

import typer

from limen.cli.interrupts import insistent
from limen.cli.streams import is_terminal, message

__all__ = ["Watch", "progress", "waiting"]

PATIENCE = 2.0  # seconds before progress is worth showing
LEARNING = "Learning"


@dataclass
class Shown:
    """Which epoch the bar shows as done, and how many there may be; 0 before the fit. And what it says within an epoch."""

    epoch: int = 0
    last: int = 0
    detail: str = ""


class Watch:
    """What a command tells of its progress, and nobody looks."""

    def __call__(self, estimator: Any) -> Any:
        """Return the estimator, watched."""
        return estimator

    def share(self, what: str, share: float) -> None:
        """Tell what is done, and how much of it was read, from 0 to 1."""


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Watch]:
    """Show a progress bar while the block runs, if it runs for longer than a moment.

    Yields
    ------
    Watch
        Called with an estimator, it returns it watched by the bar; its `share` tells the bar how much was read.
    """
    logger = logging.getLogger("limen")
    logger.addHandler(logging.NullHandler())  # the command says itself how an interrupted fit ends
    logger.propagate = False
    if quiet or not is_terminal(sys.stderr):
        yield Watch()
        return
    bar = _bar()
    task = bar.add_task(LEARNING, total=None, detail="(the first run of all compiles for some seconds)")
    shown = Shown()

    def show_share(epoch: int, last: int, share: float) -> None:
        detail = shown.detail or f"epoch {epoch} of {last}, {share:.0%} read"
        bar.update(task, description=LEARNING, total=last, completed=epoch - 1 + share, detail=detail)

    class Epochs:
        """What scikit-learn calls while it fits."""

        def setup(self, estimator: Any, context: Any) -> None:
            shown.epoch, shown.last = 0, context.max_subtasks
            bar.update(task, total=context.max_subtasks)

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_end(self, estimator: Any, context: Any) -> None:
            if context.task_name == "epoch":
                epoch, last = estimator.n_iter_, context.parent.max_subtasks
                shown.epoch = epoch
                detail = f"epoch {epoch} of {last}, {estimator.n_mistakes_[-1]:,} mistakes"
                bar.update(task, completed=epoch, detail=detail)

        def teardown(self, estimator: Any, context: Any) -> None:
            pass

    class Watched(Watch):
        def __call__(self, estimator: Any) -> Any:
            if hasattr(estimator, "hidden"):
                shown.detail = "(compiles for some seconds first)"
                bar.update(task, detail=shown.detail)
            return estimator.set_callbacks(Epochs()) if hasattr(estimator, "set_callbacks") else estimator

        def share(self, what: str, share: float) -> None:
            if what == LEARNING and shown.last:
                show_share(min(shown.epoch + 1, shown.last), shown.last, share)
            else:
                bar.update(task, description=what, total=1.0, completed=share, detail=f"{share:.0%} read")

    class Told(logging.Handler):
        """What the log tells of a stream, where it knows the share, and of a network with hidden layers."""

        def emit(self, record: logging.LogRecord) -> None:
            share = getattr(record, "share", 0.0)
            if hasattr(record, "kept"):
                shown.detail = f"interrupted; keeping the network of epoch {record.kept}"
                bar.update(task, detail=shown.detail)
            elif hasattr(record, "loss"):
                shown.detail = _of_network(record)
                bar.update(task, total=record.max_iter, completed=record.epoch, detail=shown.detail)  # type: ignore[attr-defined]
            elif share and record.epoch:  # type: ignore[attr-defined]  # a field of our own
                show_share(record.epoch, record.max_iter, share)  # type: ignore[attr-defined]
            elif share:
                bar.update(task, total=1.0, completed=share, detail=f"looking through it, {share:.0%} read")

    with _listening(logger, Told(logging.INFO)), _patiently(bar):
        yield Watched()


def _of_network(record: Any) -> str:
    """Return what an epoch of a network with hidden layers has come to."""
    text = f"epoch {record.epoch} of {record.max_iter}, loss {record.loss:.4f}"
    if hasattr(record, "score"):
        text += f", validation {100 * record.score:.1f} %"
    return text


@contextmanager
def waiting(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show, where a person looks, what takes so long and what the log says of it, if it takes longer than a moment.

    Raises
    ------
    typer.Exit
        With code 130, once an interrupt was heard and said.
    """
    try:
        with insistent(), nullcontext() if quiet else _shown(what):
            yield
    except KeyboardInterrupt:
        message("Interrupted. Nothing was saved.")
        raise typer.Exit(130) from None


@contextmanager
def _shown(what: str) -> Iterator[None]:
    if not is_terminal(sys.stderr):
        yield
        return
    bar = _bar()
    task = bar.add_task(what, total=None, detail="")

    class Found(logging.Handler):
        """What the log tells of a search."""

        def emit(self, record: logging.LogRecord) -> None:
            bar.update(task, detail=record.getMessage())

    with _listening(logging.getLogger("limen"), Found(logging.INFO)), _patiently(bar):
        yield


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )


@contextmanager
def _patiently(bar: Any) -> Iterator[None]:
    """Start the bar after a moment, and take it away in the end."""
    timer = Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


@contextmanager
def _listening(logger: logging.Logger, handler: logging.Handler) -> Iterator[None]:
    """Hand what the log says to a handler."""
    level = logger.level
    logger.addHandler(handler)
    if not logger.isEnabledFor(logging.INFO):
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
