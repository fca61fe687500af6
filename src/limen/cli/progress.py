"""Progress of a fit that takes longer, on standard error, where a person looks at it.

The bar is a callback of the estimator, as scikit-learn's own is: fitting is the task, an epoch a part of it. Where
scikit-learn has no callbacks, it shows the time only.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

from limen.cli.streams import is_terminal

__all__ = ["progress"]

PATIENCE = 2.0  # seconds before progress is worth showing


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[Any], Any]]:
    """Show a progress bar while the block runs, if it runs for longer than a moment.

    Yields
    ------
    callable
        Returns the estimator it is given, watched by the bar.
    """
    logger = logging.getLogger("limen")
    logger.addHandler(logging.NullHandler())  # the command says itself how an interrupted fit ends
    logger.propagate = False
    if quiet or not is_terminal(sys.stderr):
        yield lambda estimator: estimator
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

    class Epochs:
        """What scikit-learn calls while it fits."""

        def setup(self, estimator: Any, context: Any) -> None:
            bar.update(task, total=context.max_subtasks)

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_end(self, estimator: Any, context: Any) -> None:
            if context.task_name == "epoch":
                epoch, last = estimator.n_iter_, context.parent.max_subtasks
                detail = f"epoch {epoch} of {last}, {estimator.n_mistakes_[-1]:,} mistakes"
                bar.update(task, completed=epoch, detail=detail)

        def teardown(self, estimator: Any, context: Any) -> None:
            pass

    def watched(estimator: Any) -> Any:
        return estimator.set_callbacks(Epochs()) if hasattr(estimator, "set_callbacks") else estimator

    timer = Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield watched
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
