"""The fits that are timed, the same for every row: epochs without shuffling, last weights, and their divisor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sklearn.linear_model

from bench.timing import Work
from limen.learn import Perceptron

__all__ = ["bare", "bare_rival", "epoch", "moved_dense", "moved_sparse"]

WARM_ROWS = 200


def bare(epochs: int, **more: Any) -> Perceptron:
    """Return limen's perceptron without what costs more: last weights, rows in order, each neuron alone."""
    return Perceptron(
        **{"solution": "last", "shuffle": False, "multi_class": "ovr", "max_iter": epochs} | more
    )


def bare_rival(epochs: int, **more: Any) -> sklearn.linear_model.Perceptron:
    """Return scikit-learn's perceptron for the same work."""
    return sklearn.linear_model.Perceptron(tol=None, shuffle=False, max_iter=epochs, **more)


def epoch(make: Callable[[], Any], X: Any, y: Any, *, slow: bool = False) -> Work:
    """Return the work of a fit, whose seconds are divided by the epochs it did.

    Parameters
    ----------
    make : callable
        Returns an unfitted model.
    X, y : array_like
    slow : bool, default False
        Whether to warm up with few rows only: for what is compiled already and takes long.
    """
    few = (lambda: make().fit(X[-WARM_ROWS:], y[-WARM_ROWS:])) if slow else None
    return Work(lambda: make().fit(X, y), per=_epochs, warm=few)


def _epochs(model: Any) -> float:
    first = getattr(model, "estimators_", [model])[0]  # of one-vs-rest, any; none stops early
    return float(first.n_iter_)


def moved_dense(X: Any) -> int:
    """Return the bytes of a dense array, read once."""
    return int(X.nbytes)


def moved_sparse(X: Any) -> int:
    """Return the bytes of a CSR matrix, read once."""
    return int(X.data.nbytes + X.indices.nbytes + X.indptr.nbytes)
