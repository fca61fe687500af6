"""Any table in about ``2 · 2**(n/2)`` gates: thresholds that a first layer of neurons moves.

The inputs are parted into `u` and `v`, both read as binary numbers. For a fixed `u` the table is a row of zeros and
ones along `v`, given by the places where it changes: ``v >= T1(u)``, ``v >= T2(u)``, …. The neuron ``v >= Tj(u)`` gets
its threshold from neurons ``u >= k``, each adding ``Tj(k) - Tj(k - 1)``: a telescoping sum. The output adds the second
layer's neurons with weights +1, -1, +1, …. Rows `u` that equal the one before need no neuron.

References
----------
K.-Y. Siu, V. P. Roychowdhury and T. Kailath (1991), "Depth-size tradeoffs for neural computation", IEEE Transactions on
Computers 40.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limen.logic._plan import Plan, constant
from limen.step import Array

__all__ = ["best_parting", "telescoped"]


def best_parting(values: Array, orders: Sequence[tuple[int, ...]]) -> tuple[int, tuple[int, ...], int]:
    """Return the least number of gates, and the order of inputs and the number of those in `u` that lead to it.

    Parameters
    ----------
    values : ndarray of shape (2**n,)
        0 and 1.
    orders : sequence of tuple of int
        Orders of the inputs that are tried, `u` first.

    Examples
    --------
    >>> best_parting(np.array([0, 1, 1, 0]), [(0, 1)])
    (3, (0, 1), 0)
    """
    n = len(values).bit_length() - 1
    found = []
    for order in orders:
        turned = values.reshape((2,) * n).transpose(order).reshape(-1)
        for n_first in range(n):
            table = turned.reshape(1 << n_first, -1)
            changes = np.count_nonzero(np.diff(table, axis=1, prepend=0), axis=1).max()
            moved = np.count_nonzero((table[1:] != table[:-1]).any(axis=1))
            found.append((int(moved + changes) + 1, order, n_first))
    return min(found)


def telescoped(values: Array, order: tuple[int, ...], n_first: int) -> Plan:
    """Return the plan for one parting of the inputs.

    Examples
    --------
    >>> telescoped(np.array([0, 1, 1, 0]), (0, 1), 1)
    [({0: 1}, 1), ({1: 1, 2: 1}, 1), ({1: 1, 2: 1}, 2), ({3: 1, 4: -1}, 1)]
    """
    n = len(order)
    table = values.reshape((2,) * n).transpose(order).reshape(1 << n_first, -1)
    n_rows, width = table.shape
    changes = np.diff(table, axis=1, prepend=0) != 0
    counts = changes.sum(1)
    thresholds = np.full((n_rows, int(counts.max())), width)
    rows, places = np.nonzero(changes)
    thresholds[rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)] = places
    if not thresholds.shape[1]:
        return constant(0)
    first = {i: 1 << (n_first - 1 - k) for k, i in enumerate(order[:n_first])}
    second = {i: 1 << (n - n_first - 1 - k) for k, i in enumerate(order[n_first:])}
    moves = np.diff(thresholds, axis=0)
    moving = np.flatnonzero(moves.any(axis=1))
    plan: Plan = [(dict(first), int(row) + 1) for row in moving]
    for j in range(thresholds.shape[1]):
        shifts = {n + k: -int(moves[row, j]) for k, row in enumerate(moving.tolist()) if moves[row, j]}
        plan.append((second | shifts, int(thresholds[0, j])))
    signs = {n + len(moving) + j: 1 - 2 * (j % 2) for j in range(thresholds.shape[1])}
    return [*plan, (signs, 1)]
