"""The plain loop: a network's definition, compiled by Numba for any processor it knows.

Each row goes through the layers one after the other, each neuron adds its weights in int64, and what it decides is written as int8.
No bit is packed; every other executor is faster, and equal.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from limen.step import Array

__all__ = ["HARDMAX", "HEAVISIDE", "IDENTITY", "SIGN", "forward"]

HEAVISIDE, SIGN, HARDMAX, IDENTITY = range(4)


@njit(nogil=True, cache=True)
def forward(
    X: Array,
    ends: Array,
    rows: Array,
    weights: Array,
    biases: Array,
    widths: Array,
    decides: Array,
    outputs: Array,
    sums: Array,
) -> None:
    """Fill `outputs`, or `sums` where the last layer is one of identity.

    Parameters
    ----------
    X : ndarray of uint8, shape (n_rows, n_inputs)
    ends : ndarray of int64
        Where the weights of each neuron end, over all layers; those of the first begin at 0.
    rows, weights : ndarrays of int64
        Which input a weight belongs to, and the weight.
    biases : ndarray of int64
        Of all neurons.
    widths, decides : ndarrays of int64
        Of each layer: its neurons, and what they do with their net inputs.
    outputs : ndarray of int8, shape (n_rows, n_outputs)
    sums : ndarray of int64, shape (n_rows, n_outputs) or (0, n_outputs)
    """
    widest = max(X.shape[1], widths.max())
    before, after = np.zeros(widest, dtype=np.int8), np.zeros(widest, dtype=np.int8)
    for r in range(X.shape[0]):
        for j in range(X.shape[1]):
            before[j] = X[r, j]
        neuron = 0
        start = 0
        for layer in range(len(widths)):
            best, winner = np.int64(0), -1
            for k in range(widths[layer]):
                z = biases[neuron]
                for at in range(start, ends[neuron]):
                    z += weights[at] * np.int64(before[rows[at]])
                start = ends[neuron]
                neuron += 1
                if decides[layer] == HEAVISIDE:
                    after[k] = 1 if z >= 0 else 0
                elif decides[layer] == SIGN:
                    after[k] = 1 if z > 0 else (-1 if z < 0 else 0)
                elif decides[layer] == HARDMAX:
                    after[k] = 0
                    if winner < 0 or z > best:
                        best, winner = z, k
                else:
                    sums[r, k] = z
            if decides[layer] == HARDMAX:
                after[winner] = 1
            before, after = after, before
        if decides[-1] != IDENTITY:
            for k in range(widths[-1]):
                outputs[r, k] = before[k]
