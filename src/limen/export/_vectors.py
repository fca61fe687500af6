"""Rows to try a network on: the ends, rows near ties, and others."""

from __future__ import annotations

import numpy as np

from limen._door import INT64_MAX
from limen._weights import absolute_sums, weights_of
from limen.network import Network
from limen.step import Array

__all__ = ["vectors_for"]

ALL = 1 << 10  # up to so many rows, a network on bits is tried on all there are


def vectors_for(net: Network, n_rows: int) -> Array:
    """Return rows of the network's domain, always the same for the same network.

    Parameters
    ----------
    net : Network
        On bits or integers.
    n_rows : int
        How many; less where there are no more.

    Returns
    -------
    ndarray of int64, shape (n_rows or less, n_inputs)
        All rows of a network on bits where they are no more than asked for. Else zeros, ones, and random rows of which half
        were moved, input by input, to where the first layer's first neurons nearly tie.
    """
    n = net.n_inputs
    if net.domain == "binary" and 1 << min(n, 20) <= min(n_rows, ALL):
        rows: Array = np.arange(1 << n)[:, np.newaxis] >> np.arange(n)[::-1] & 1
        return rows
    rng = np.random.default_rng(0)
    low, high = (0, 1)
    if net.domain != "binary":
        first = net.layers[0]
        total, bias = max(absolute_sums(first.weights)), max(abs(b) for b in first.bias.tolist())
        high = min(9, (INT64_MAX - bias) // max(total, 1))  # further on a call would refuse its sums
        low = -high
    rows = rng.integers(low, high, (max(n_rows, 2), n), endpoint=True)
    rows[0], rows[1] = 0, high
    layer = net.layers[0]
    for r in range(2, len(rows), 2):
        neuron = r // 2 % layer.n_neurons
        weights = weights_of(layer.weights, neuron)
        z = int(rows[r] @ weights) + int(layer.bias[neuron])
        for j in rng.permutation(n):
            other = low + high - rows[r, j]
            moved = z + int(weights[j]) * int(other - rows[r, j])
            if abs(moved) < abs(z):
                rows[r, j], z = other, moved
    return rows[:n_rows]
