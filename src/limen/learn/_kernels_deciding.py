"""Kernels that decide rows by one layer of neurons, and say of which rows they are sure.

Net inputs are computed in the type of the weights given, float32 or float64, in an order of summation of their own.
A row is *sure* if no rounding, here or in NumPy's float64, can have changed what is decided: its net inputs (or,
where neurons compete, the lead of the best) are further from the threshold than a bound on all errors. So what is
sure is what `limen.Network` decides, bit by bit; the other rows are for the network itself.

The bound is the usual one for sums of products in any order, ``n u / (1 - n u) · Σ|x||w|`` (Higham 2002, section
3.1), once for this and once for the network.

References
----------
N. J. Higham (2002), "Accuracy and stability of numerical algorithms", 2nd ed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from limen.learn._kernels_dots import BLOCK, ROWS, dots_of_rows
from limen.learn._kernels_sparse import net_input_and_total, net_inputs
from limen.step import Array

__all__ = ["dense_decisions", "sparse_decisions"]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def _total(values: Array, like: Array) -> float:
    """Return ``Σ|x|``, rounded in the type of `like`."""
    total = like.dtype.type(0)
    for p in range(len(values)):
        total += abs(like.dtype.type(values[p]))
    return np.float64(total)


@njit(nogil=True, cache=True, error_model="numpy")
def _competing(
    z: Array, bias: Array, reach: Array, total: float, slack: float, tiny: float
) -> tuple[int, bool]:
    """Return the first best neuron, and whether its lead is above all doubt."""
    n = len(bias)
    best = 0
    for k in range(1, n):
        if z[k] + bias[k] > z[best] + bias[best]:
            best = k
    lead = z[best] + bias[best] - (slack * (total * reach[best] + abs(bias[best])) + tiny)
    for k in range(n):
        if k != best and not lead - (z[k] + bias[k]) > slack * (total * reach[k] + abs(bias[k])) + tiny:
            return best, False
    return best, True


@njit(nogil=True, cache=True, error_model="numpy")
def _alone(
    z: Array, bias: Array, reach: Array, total: float, slack: float, tiny: float, fires: Array
) -> bool:
    """Write which neurons fire; return whether all are beyond doubt."""
    sure = True
    for k in range(len(bias)):
        net = z[k] + bias[k]
        fires[k] = net >= 0
        sure &= abs(net) > slack * (total * reach[k] + abs(bias[k])) + tiny
    return sure


@njit(nogil=True, cache=True, error_model="numpy")
def dense_decisions(
    source: Array,
    weights: Array,
    bias: Array,
    reach: Array,
    slack: float,
    tiny: float,
    competing: bool,
    decided: Array,
    sure: Array,
) -> None:
    """Decide dense rows.

    Parameters
    ----------
    source : array of shape (n_rows, n_features), C order
    weights : array of shape (n_padded, width), padded as `limen.learn._kernels_dots` wants it
    bias, reach : float64 arrays of shape (n_outputs,), reach being the largest ``|w|``
    slack : the error of a net input, relative to ``Σ|x||w| + |b|``
    tiny : what underflow can add to it
    competing : whether one neuron is decided for, the first best
    decided : int64 array of shape (n_rows, 1) if competing, else int8 of shape (n_rows, n_outputs); written
    sure : bool array of shape (n_rows,); written
    """
    n_rows = len(source)
    rows = np.arange(n_rows)
    z = np.zeros((ROWS, weights.shape[0]), dtype=weights.dtype)
    wide = np.zeros(weights.shape[0])
    for at in range(0, n_rows, ROWS):
        n = min(ROWS, n_rows - at)
        for block in range(0, weights.shape[0], BLOCK):
            dots_of_rows(source, rows, at, n, weights, block, z, 0, 0)
        for r in range(n):
            wide[:] = z[r]
            total = _total(source[at + r], weights)
            if competing:
                best, sure[at + r] = _competing(wide, bias, reach, total, slack, tiny)
                decided[at + r, 0] = best
            else:
                sure[at + r] = _alone(wide, bias, reach, total, slack, tiny, decided[at + r])


@njit(nogil=True, cache=True, error_model="numpy")
def sparse_decisions(
    data: Array,
    indices: Array,
    indptr: Array,
    weights: Array,
    bias: Array,
    reach: Array,
    slack: float,
    tiny: float,
    competing: bool,
    decided: Array,
    sure: Array,
) -> None:
    """Decide the rows of a CSR matrix; `weights` lie by features, the rest is as above."""
    z = np.zeros(weights.shape[0], dtype=weights.dtype)
    wide = np.zeros(weights.shape[0])
    for i in range(len(indptr) - 1):
        start, stop = np.int64(indptr[i]), np.int64(indptr[i + 1])
        if weights.shape[0] == 1:
            z[0], of_row = net_input_and_total(data, indices, start, stop, weights)
            total = np.float64(of_row)
        else:
            net_inputs(data, indices, start, stop, weights.T, 0, weights.shape[0], z)
            total = _total(data[start:stop], weights)
        wide[:] = z
        if competing:
            best, sure[i] = _competing(wide, bias, reach, total, slack, tiny)
            decided[i, 0] = best
        else:
            sure[i] = _alone(wide, bias, reach, total, slack, tiny, decided[i])
