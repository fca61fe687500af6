"""Net inputs of dense rows: dot products of a few rows with a few rows of weights, in registers.

Rows and weights are two arrays whose columns lie side by side; weights are padded with zeros to whole registers
(`lanes`). A block of `ROWS` by `BLOCK` dot products reads each number of a row once for `BLOCK` outputs and each
weight once for `ROWS` rows. Meanwhile another row, wanted soon, is fetched into the second-level cache. All of
these functions give the same bits for the same row and weights.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from limen.learn._kernels_lanes import (
    MANY_REGISTERS,
    lanes,
    load,
    load_rest,
    multiply_add,
    prefetch,
    spread,
    total,
)
from limen.step import Array

__all__ = ["BLOCK", "ROWS", "dot", "dots_of_rows", "rows_of_one"]

BLOCK = 5  # outputs computed by one loop
ROWS = 4 if MANY_REGISTERS else 2  # rows computed by one loop, so that all sums stay in registers


@njit(forceinline=True)
def _add(x: Any, weights: Array, k: int, j: int, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """Add the products of one register of a row with those of `BLOCK` rows of weights."""
    return (
        multiply_add(x, load(weights, k, j, weights), a),
        multiply_add(x, load(weights, k + 1, j, weights), b),
        multiply_add(x, load(weights, k + 2, j, weights), c),
        multiply_add(x, load(weights, k + 3, j, weights), d),
        multiply_add(x, load(weights, k + 4, j, weights), e),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def dot(source: Array, i: int, weights: Array, k: int) -> Any:
    """Return the dot product of row `i` and weights `k`."""
    width = lanes(weights)
    whole = source.shape[1] - source.shape[1] % width
    a = spread(weights.dtype.type(0), weights)
    for j in range(0, whole, width):
        a = multiply_add(load(source, i, j, weights), load(weights, k, j, weights), a)
    if whole < source.shape[1]:
        a = multiply_add(load_rest(source, i, whole, weights), load(weights, k, whole, weights), a)
    return total(a)


@njit(forceinline=True)
def _hint(source: Array, rows: Array, soon: int, n: int, j: int) -> None:
    """Fetch column `j` of the `n` rows that stand at position `soon` of `rows`."""
    for p in range(soon, soon + n):
        prefetch(source, rows[p], j)


@njit(nogil=True, cache=True, error_model="numpy")
def _dots(source: Array, rows: Array, at: int, weights: Array, k: int, z: Array, r: int) -> None:
    """Write the dot products of the row at ``rows[at]`` with weights `k` to ``k + BLOCK - 1`` into ``z[r]``."""
    width = lanes(weights)
    whole = source.shape[1] - source.shape[1] % width
    i = rows[at]
    none = spread(weights.dtype.type(0), weights)
    a, b, c, d, e = none, none, none, none, none
    for j in range(0, whole, width):
        a, b, c, d, e = _add(load(source, i, j, weights), weights, k, j, a, b, c, d, e)
    if whole < source.shape[1]:
        a, b, c, d, e = _add(load_rest(source, i, whole, weights), weights, k, whole, a, b, c, d, e)
    z[r, k], z[r, k + 1], z[r, k + 2], z[r, k + 3], z[r, k + 4] = (
        total(a),
        total(b),
        total(c),
        total(d),
        total(e),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _four_rows(
    source: Array, rows: Array, at: int, weights: Array, k: int, z: Array, soon: int, n_soon: int
) -> None:
    width = lanes(weights)
    whole = source.shape[1] - source.shape[1] % width
    i, i1, i2, i3 = rows[at], rows[at + 1], rows[at + 2], rows[at + 3]
    none = spread(weights.dtype.type(0), weights)
    a, b, c, d, e = none, none, none, none, none
    a1, b1, c1, d1, e1 = none, none, none, none, none
    a2, b2, c2, d2, e2 = none, none, none, none, none
    a3, b3, c3, d3, e3 = none, none, none, none, none
    for j in range(0, whole, width):
        _hint(source, rows, soon, n_soon, j)
        x, x1 = load(source, i, j, weights), load(source, i1, j, weights)
        x2, x3 = load(source, i2, j, weights), load(source, i3, j, weights)
        a, b, c, d, e = _add(x, weights, k, j, a, b, c, d, e)
        a1, b1, c1, d1, e1 = _add(x1, weights, k, j, a1, b1, c1, d1, e1)
        a2, b2, c2, d2, e2 = _add(x2, weights, k, j, a2, b2, c2, d2, e2)
        a3, b3, c3, d3, e3 = _add(x3, weights, k, j, a3, b3, c3, d3, e3)
    if whole < source.shape[1]:
        x, x1 = load_rest(source, i, whole, weights), load_rest(source, i1, whole, weights)
        x2, x3 = load_rest(source, i2, whole, weights), load_rest(source, i3, whole, weights)
        a, b, c, d, e = _add(x, weights, k, whole, a, b, c, d, e)
        a1, b1, c1, d1, e1 = _add(x1, weights, k, whole, a1, b1, c1, d1, e1)
        a2, b2, c2, d2, e2 = _add(x2, weights, k, whole, a2, b2, c2, d2, e2)
        a3, b3, c3, d3, e3 = _add(x3, weights, k, whole, a3, b3, c3, d3, e3)
    z[0, k], z[0, k + 1], z[0, k + 2], z[0, k + 3], z[0, k + 4] = (
        total(a),
        total(b),
        total(c),
        total(d),
        total(e),
    )
    z[1, k], z[1, k + 1], z[1, k + 2], z[1, k + 3] = total(a1), total(b1), total(c1), total(d1)
    z[2, k], z[2, k + 1], z[2, k + 2], z[2, k + 3] = total(a2), total(b2), total(c2), total(d2)
    z[3, k], z[3, k + 1], z[3, k + 2], z[3, k + 3] = total(a3), total(b3), total(c3), total(d3)
    z[1, k + 4], z[2, k + 4], z[3, k + 4] = total(e1), total(e2), total(e3)


@njit(nogil=True, cache=True, error_model="numpy")
def _two_rows(
    source: Array, rows: Array, at: int, weights: Array, k: int, z: Array, r: int, soon: int, n_soon: int
) -> None:
    width = lanes(weights)
    whole = source.shape[1] - source.shape[1] % width
    i, i1 = rows[at], rows[at + 1]
    none = spread(weights.dtype.type(0), weights)
    a, b, c, d, e = none, none, none, none, none
    a1, b1, c1, d1, e1 = none, none, none, none, none
    for j in range(0, whole, width):
        _hint(source, rows, soon, n_soon, j)
        x, x1 = load(source, i, j, weights), load(source, i1, j, weights)
        a, b, c, d, e = _add(x, weights, k, j, a, b, c, d, e)
        a1, b1, c1, d1, e1 = _add(x1, weights, k, j, a1, b1, c1, d1, e1)
    if whole < source.shape[1]:
        x, x1 = load_rest(source, i, whole, weights), load_rest(source, i1, whole, weights)
        a, b, c, d, e = _add(x, weights, k, whole, a, b, c, d, e)
        a1, b1, c1, d1, e1 = _add(x1, weights, k, whole, a1, b1, c1, d1, e1)
    z[r, k], z[r, k + 1], z[r, k + 2], z[r, k + 3], z[r, k + 4] = (
        total(a),
        total(b),
        total(c),
        total(d),
        total(e),
    )
    z[r + 1, k], z[r + 1, k + 1], z[r + 1, k + 2], z[r + 1, k + 3] = (
        total(a1),
        total(b1),
        total(c1),
        total(d1),
    )
    z[r + 1, k + 4] = total(e1)


@njit(nogil=True, cache=True, error_model="numpy")
def rows_of_one(
    source: Array,
    rows: Array,
    at: int,
    n: int,
    weights: Array,
    k: int,
    z: Array,
    r: int,
    soon: int,
    n_soon: int,
) -> None:
    """Write the dot products of the rows at ``rows[at:at + n]``, 1 to 4, with weights `k` into ``z[r:r + n, k]``.

    Four sums run side by side, since each waits for its last addition; of fewer rows the last is done again.
    """
    width = lanes(weights)
    whole = source.shape[1] - source.shape[1] % width
    i, i1, i2, i3 = rows[at], rows[at + min(1, n - 1)], rows[at + min(2, n - 1)], rows[at + n - 1]
    none = spread(weights.dtype.type(0), weights)
    a, a1, a2, a3 = none, none, none, none
    for j in range(0, whole, width):
        _hint(source, rows, soon, n_soon, j)
        w = load(weights, k, j, weights)
        a = multiply_add(load(source, i, j, weights), w, a)
        a1 = multiply_add(load(source, i1, j, weights), w, a1)
        a2 = multiply_add(load(source, i2, j, weights), w, a2)
        a3 = multiply_add(load(source, i3, j, weights), w, a3)
    if whole < source.shape[1]:
        w = load(weights, k, whole, weights)
        a = multiply_add(load_rest(source, i, whole, weights), w, a)
        a1 = multiply_add(load_rest(source, i1, whole, weights), w, a1)
        a2 = multiply_add(load_rest(source, i2, whole, weights), w, a2)
        a3 = multiply_add(load_rest(source, i3, whole, weights), w, a3)
    z[r, k] = total(a)
    if n > 1:
        z[r + 1, k] = total(a1)
    if n > 2:
        z[r + 2, k] = total(a2)
    if n > 3:
        z[r + 3, k] = total(a3)


@njit(nogil=True, cache=True, error_model="numpy")
def dots_of_rows(
    source: Array, rows: Array, at: int, n: int, weights: Array, k: int, z: Array, soon: int, n_soon: int
) -> None:
    """Write dot products of the `n` rows at ``rows[at:at + n]`` into ``z[:n, k:k + BLOCK]``.

    Parameters
    ----------
    source : array of shape (n_rows, n_features)
    rows : int64 array, the rows in the order of their visit
    at, n : position in `rows`, and how many from there, `ROWS` at most
    weights : array of shape (n_padded, width), of one row or a multiple of `BLOCK` rows
    k : the first output
    z : array of shape (ROWS, n_padded) and the type of the weights
    soon, n_soon : positions in `rows` to fetch meanwhile
    """
    if weights.shape[0] == 1:
        rows_of_one(source, rows, at, n, weights, 0, z, 0, soon, n_soon)
    elif ROWS == 4 and n == 4:
        _four_rows(source, rows, at, weights, k, z, soon, n_soon)
    else:
        for r in range(0, n - 1, 2):
            _two_rows(source, rows, at + r, weights, k, z, r, soon, n_soon)
        if n % 2:
            _dots(source, rows, at + n - 1, weights, k, z, n - 1)
