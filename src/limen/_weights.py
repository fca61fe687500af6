"""Weights, dense or sparse, looked at in one way: their product with rows, their sums, their entries.

Weights are a 2-D array or a `scipy.sparse.csc_array` of int64 or float64, a row for each input and a column for each
neuron; what comes in has passed `limen._door`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from limen._door import FLOAT64_WHOLE, is_sparse
from limen.step import Array

__all__ = ["absolute_sums", "entries", "largest_sum", "product", "weights_of"]

BLOCK = 1 << 22  # numbers copied as float64 at a time, so that a big X is never copied whole


def product(rows: Any, weights: Any) -> Array:
    """Return ``rows @ weights`` in float64, converting `rows` a block at a time."""
    if is_sparse(rows):
        result = rows @ weights  # SciPy accumulates in float64, as one side is
        dense: Array = np.asarray(result.toarray() if is_sparse(result) else result, dtype=np.float64)
        return dense
    if rows.size <= BLOCK or (rows.dtype == np.float64 and not is_sparse(weights)):
        return _times(rows.astype(np.float64, copy=False), weights)
    in_blocks: Array = np.empty((rows.shape[0], weights.shape[1]))
    step = max(1, BLOCK // max(1, rows.shape[1]))
    for start in range(0, rows.shape[0], step):
        in_blocks[start : start + step] = _times(rows[start : start + step].astype(np.float64), weights)
    return in_blocks


def _times(rows: Array, weights: Any) -> Array:
    """Return ``rows @ weights`` of dense rows; SciPy takes the sparse factor on the left and copies the other."""
    result: Array = (weights.T @ rows.T).T if is_sparse(weights) else rows @ weights
    return result


def absolute_sums(weights: Any) -> list[int]:
    """Return ``Σ|w|`` of every neuron's integer weights as Python integers, which can't overflow.

    Examples
    --------
    >>> absolute_sums(np.array([[2**62, 1], [-(2**62), -2]])) == [2**63, 3]
    True
    """
    magnitudes = abs(weights.astype(np.float64))
    sums = np.asarray(magnitudes.sum(axis=0)).ravel()
    if sums.max(initial=0) < FLOAT64_WHOLE:  # then every partial sum was a whole number held exactly
        return [int(s) for s in sums]
    if is_sparse(weights):
        ends = weights.indptr
        return [sum(abs(int(w)) for w in weights.data[a:b]) for a, b in pairwise(ends)]
    return [sum(abs(int(w)) for w in column) for column in weights.T]


def largest_sum(weights: Any, bias: Array) -> int:
    """Return what no sum of a layer passes whose inputs are at most 1 in size, as a network's call reckons.

    Examples
    --------
    >>> largest_sum(np.array([[1, -4], [2, 0]]), np.array([-9, 1]))
    13
    """
    return max(absolute_sums(weights)) + max(abs(int(b)) for b in bias.tolist())


def entries(weights: Any) -> tuple[Array, Array, Array]:
    """Return rows, columns and values of the weights other than zero, column by column.

    Examples
    --------
    >>> [part.tolist() for part in entries(np.array([[0, 5], [7, 0]]))]
    [[1, 0], [0, 1], [7, 5]]
    """
    if is_sparse(weights):
        entered = weights.tocoo()
        rows, columns, values = entered.row, entered.col, entered.data
    else:
        columns, rows = np.nonzero(weights.T)
        values = weights[rows, columns]
    return rows.astype(np.int64), columns.astype(np.int64), values


def weights_of(weights: Any, neuron: int) -> Array:
    """Return the weights of one neuron, shape (n_inputs,).

    Examples
    --------
    >>> weights_of(np.array([[0, 5], [7, 0]]), 1).tolist()
    [5, 0]
    """
    column = weights[:, [neuron]]
    dense: Array = (column.toarray() if is_sparse(column) else column)[:, 0]
    return dense
