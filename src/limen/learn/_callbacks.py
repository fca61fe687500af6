"""Who hears of the epochs of a fit: the log, and scikit-learn's callbacks.

Each epoch is a record at level INFO on the logger ``limen``; it carries ``epoch``, ``max_iter`` and ``n_mistakes``.
In a stream, records with ``epoch``, ``max_iter`` and ``share`` tell in between how much of it was read.
`Audience` calls the hooks of callbacks that were set with ``set_callbacks``: the fit is the root task, an epoch a
subtask of it. This is the only file that knows scikit-learn's callback protocol, which is experimental; where it is
missing, nothing is called, and where no callback is set, nothing is made ready.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # a scikit-learn without the protocol, or with another one

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


__all__ = [
    "Audience",
    "CallbackSupportMixin",
    "audience",
    "heard",
    "log_epoch",
    "log_kept",
    "log_network_epoch",
    "log_share",
    "with_callbacks",
]

logger = logging.getLogger("limen")
QUIET = 1.0  # seconds between two records about one epoch
_last_share = 0.0


class Audience:
    """The callbacks of an estimator that is fitted.

    Parameters
    ----------
    estimator : estimator
    X, y : array_like
        The training data as the user gave them, so that the fitted estimators that hooks get can be called with them.
    sample_weight : array_like or None
    fitted : callable
        Returns the attributes the estimator would have, had training ended here.
    max_iter : int
        The most epochs there will be.
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        sample_weight: Any,
        fitted: Callable[[], dict[str, Any]],
        max_iter: int,
    ) -> None:
        self.estimator = estimator
        self.given = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "metadata": None if sample_weight is None else {"sample_weight": sample_weight},
        }
        self.fitted = fitted
        self.root = estimator._init_callback_context(max_subtasks=max_iter)
        self.root.call_on_fit_task_begin(**self.given)
        self.epoch: Any = None

    def begin_epoch(self) -> None:
        """Call the hooks before an epoch."""
        self.epoch = self.root.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.given)

    def end_epoch(self, n_mistakes: list[int]) -> bool:
        """Call the hooks after an epoch; return whether one of them asks to stop."""
        # Hooks that only show how far it is needn't wait for a fitted estimator to be made.
        self.estimator.n_iter_ = len(n_mistakes)
        self.estimator.n_mistakes_ = np.array(n_mistakes, dtype=np.int64)
        return bool(self.epoch.call_on_fit_task_end(**self.given, reconstruction_attributes=self.fitted))

    def end(self) -> None:
        """Call the hooks after the fit, with the estimator as it is."""
        self.root.call_on_fit_task_end(**self.given, reconstruction_attributes={})


def audience(
    estimator: Any, X: Any, y: Any, sample_weight: Any, fitted: Callable[[], dict[str, Any]], max_iter: int
) -> Audience | None:
    """Return the `Audience` of an estimator, None if nobody listens."""
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    return Audience(estimator, X, y, sample_weight, fitted, max_iter)


def log_epoch(epoch: int, max_iter: int, n_mistakes: int) -> None:
    """Log that an epoch has ended."""
    if logger.isEnabledFor(logging.INFO):
        record = {"epoch": epoch, "max_iter": max_iter, "n_mistakes": n_mistakes}
        logger.info("epoch %d of %d: %d mistakes", epoch, max_iter, n_mistakes, extra=record)


def log_network_epoch(epoch: int, max_iter: int, found: dict[str, float]) -> None:
    """Log that an epoch of a deep network has ended, with its loss and its accuracy on the validation rows, if any."""
    if logger.isEnabledFor(logging.INFO):
        record: dict[str, Any] = {"epoch": epoch, "max_iter": max_iter, "loss": found["loss"]}
        told = f"loss {found['loss']:.4f}, accuracy {100 * found['accuracy']:.1f} %"
        if "val_accuracy" in found:
            record["score"] = found["val_accuracy"]
            told += f", validation accuracy {100 * found['val_accuracy']:.1f} %"
        logger.info("epoch %d of %d: %s", epoch, max_iter, told, extra={**record, "told": told})


def log_kept(epoch: int) -> None:
    """Log that an interrupt was heard, and that the network of an epoch is being kept: no further one is needed."""
    logger.warning("Interrupted: the network of epoch %d is kept.", epoch, extra={"kept": epoch})


def log_share(epoch: int, max_iter: int, share: float) -> None:
    """Log how much of a stream was read in an epoch (0: before the first), now and then."""
    global _last_share
    now = time.monotonic()
    if now - _last_share >= QUIET and logger.isEnabledFor(logging.INFO):
        _last_share = now
        record = {"epoch": epoch, "max_iter": max_iter, "share": share}
        what = f"epoch {epoch} of {max_iter}" if epoch else "looking through the stream"
        logger.info("%s: %.0f %% read", what, 100 * share, extra=record)


@contextmanager
def heard(verbose: int) -> Iterator[None]:
    """Let the log be heard on standard error if asked for and nobody listens yet."""
    if not verbose or logger.isEnabledFor(logging.INFO):
        yield
        return
    handler, level = logging.StreamHandler(sys.stderr), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
