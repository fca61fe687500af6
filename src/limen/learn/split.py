"""Rows to learn from and rows to judge by: a split that keeps the share of each class.

`split_rows` draws, from each class, its share of test rows; where shares aren't whole, the largest remainders are
rounded up (largest remainder method), ties by lot. A class keeps at least one row to learn from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from limen._text import plural
from limen.errors import InputError
from limen.step import Array

__all__ = ["split_rows", "strata"]


def split_rows(classes: Any, test_size: float | int, *, random_state: int = 0) -> tuple[Array, Array]:
    """Return which rows to learn from and which to hold out.

    Parameters
    ----------
    classes : array_like of shape (n_rows,)
        What the shares are kept of.
    test_size : float or int
        The share of rows to hold out (0 < share < 1), or how many. 0 holds out none.
    random_state : int
        The same number, the same split.

    Returns
    -------
    training, test : ndarray of int64
        Positions of rows, increasing.

    Raises
    ------
    InputError
        A size that leaves no row to learn from or none to judge by.

    Examples
    --------
    >>> training, test = split_rows(["a"] * 6 + ["b"] * 2, 0.5)
    >>> len(training), (test < 6).sum(), (test >= 6).sum()
    (4, np.int64(3), np.int64(1))
    """
    _, stratum, counts = np.unique(np.asarray(classes), return_inverse=True, return_counts=True)
    n_rows = len(stratum)
    n_test = _n_test(n_rows, test_size, n_most=n_rows - len(counts))
    random = np.random.default_rng(random_state)
    shares = n_test * counts / n_rows
    take = np.minimum(np.floor(shares).astype(np.int64), counts - 1)
    while take.sum() < n_test:
        remainder = np.where(take < counts - 1, shares - take, -np.inf)
        largest = np.flatnonzero(remainder == remainder.max())
        take[random.choice(largest)] += 1
    shuffled = random.permutation(n_rows)
    shuffled = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    starts = np.cumsum(counts) - counts
    rank = np.arange(n_rows) - np.repeat(starts, counts)
    is_test = np.zeros(n_rows, dtype=bool)
    is_test[shuffled] = rank < np.repeat(take, counts)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def strata(positions: Array) -> Array:
    """Return one class for each combination of 0/1 targets, the combinations that occur once put together.

    Parameters
    ----------
    positions : ndarray of shape (n_rows, n_targets)

    Returns
    -------
    ndarray of int64, shape (n_rows,)
    """
    _, combination, counts = np.unique(positions, axis=0, return_inverse=True, return_counts=True)
    combination = combination.ravel()
    joined: Array = np.where(counts[combination] == 1, -1, combination)
    return joined


def _n_test(n_rows: int, test_size: float | int, *, n_most: int) -> int:
    """Return how many rows to hold out, at most `n_most` where a share was asked for."""
    is_share = 0 < test_size < 1
    wanted = round(n_rows * test_size) if is_share else int(test_size)
    if test_size < 0 or (not is_share and wanted != test_size):
        raise InputError(
            f"The test size is a share between 0 and 1, or a whole number of rows. Received: {test_size}."
        )
    if test_size == 0:
        return 0
    wanted = max(1, min(wanted, n_most)) if is_share else wanted
    if not 0 < wanted <= n_most:
        raise InputError(
            f"{plural(n_rows, 'row')} can't be split into {wanted} to hold out and at least one of each class to"
            " learn from. Give more rows or a smaller test size (0 holds out none)."
        )
    return wanted
