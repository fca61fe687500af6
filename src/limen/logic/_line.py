"""Functions of one weighted sum: folded until few changes are left, then cut at those.

If a function depends on its inputs only through a sum ``s = w·x``, it is a row of zeros and ones along a line, with
some number `m` of changes. A neuron that sees `s`, and a hidden neuron for each of the ``m // 2`` falls that takes
enough away for the next rise to happen at the same threshold, compute it: ``m // 2 + 1`` gates.

A *fold* lays the part from `t` on over the part below: ``s - c·[s >= t]``. Where the values agree, the function depends
on that new sum alone, and has fewer changes. So the parity of 7 inputs, 8 values along a line, takes two folds (t = c
= 4, then 2) and one last neuron.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
K.-Y. Siu, V. P. Roychowdhury and T. Kailath (1991), "Depth-size tradeoffs for neural computation", IEEE Transactions on
Computers 40: symmetric functions by few threshold gates.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from limen.logic._plan import Neuron, Plan, constant
from limen.logic.asked import DONT_CARE
from limen.step import Array

__all__ = ["along"]

LONGEST = 64  # values along a line that may be folded
WIDEST = 512  # and their range
WIDTH = 6  # folded lines kept at a time


class _Line(NamedTuple):
    """Sums that differ, ascending, the function's value at each, and the folds ``(t, c)`` so far."""

    sums: Array
    values: Array
    folds: tuple[tuple[int, int], ...]

    @property
    def n_gates(self) -> int:
        changes = int(np.count_nonzero(np.diff(self.values)))
        return len(self.folds) + changes // 2 + 1


def along(weights: Sequence[int], sums: Array, values: Array, limit: int) -> Plan | None:
    """Return a plan for a function of one weighted sum.

    Parameters
    ----------
    weights : sequence of int
        One for each input.
    sums, values : ndarray of shape (n_rows,)
        The weighted sum and the function's value, 0, 1 or `DONT_CARE`, in each row.
    limit : int
        Larger plans aren't wanted.

    Returns
    -------
    list of neurons, or None
        None if two rows with equal sums have different values, or there are more gates than `limit`.

    Examples
    --------
    >>> along([1, 1], np.array([0, 1, 1, 2]), np.array([0, 1, 1, 0]), limit=5)
    [({0: 1, 1: 1}, 2), ({0: 1, 1: 1, 2: -2}, 1)]
    """
    line = _line(sums, values, ())
    if line is None:
        return None
    if not len(line.values) or (line.values == line.values[0]).all():
        return constant(len(line.values) > 0 and bool(line.values[0]))
    best = _folded(line)
    return _plan(weights, best) if best.n_gates <= limit else None


def _line(sums: Array, values: Array, folds: tuple[tuple[int, int], ...]) -> _Line | None:
    """Return the values along the sums, or None where rows with equal sums disagree."""
    known = values != DONT_CARE
    sums, values = sums[known], values[known]
    order = np.argsort(sums, kind="stable")
    sums, values = sums[order], values[order]
    new = np.diff(sums, prepend=sums[0] - 1 if len(sums) else 0) != 0
    kept = values[new]
    return _Line(sums[new], kept, folds) if np.array_equal(kept[np.cumsum(new) - 1], values) else None


def _folded(line: _Line) -> _Line:
    """Return the line after the folds that leave the fewest gates, as far as they are tried."""
    best = line
    lines = [line]
    while lines and len(line.sums) <= LONGEST and np.ptp(line.sums) <= WIDEST:
        # A fold is a gate, and whatever is left takes at least one more.
        folded = [
            new for old in lines if len(old.folds) + 2 < best.n_gates for new in _folds(old, best.n_gates)
        ]
        lines = sorted(folded, key=lambda new: (new.n_gates, len(new.sums)))[:WIDTH]
        if lines and lines[0].n_gates < best.n_gates:
            best = lines[0]
    return best


def _folds(line: _Line, most: int) -> list[_Line]:
    """Return the line folded in all ways in which values agree."""
    lowest = int(line.sums[0])
    places = (line.sums - lowest).tolist()
    ones = sum(1 << p for p, value in zip(places, line.values.tolist(), strict=True) if value)
    zeros = sum(1 << p for p in places) - ones
    found = []
    for k, place in enumerate(places[1:], 1):
        below = (1 << place) - 1
        for shift in sorted({place - p for p in places[:k]}):
            if (ones & below | ones >> place << place - shift) & (
                zeros & below | zeros >> place << place - shift
            ):
                continue  # a one on a zero
            moved = np.where(line.sums >= lowest + place, line.sums - shift, line.sums)
            new = _line(moved, line.values, (*line.folds, (lowest + place, shift)))
            if new is not None and new.n_gates <= most + 1:
                found.append(new)
    return found


def _plan(weights: Sequence[int], line: _Line) -> Plan:
    """Return the neurons: folds, falls, and the last one."""
    n = len(weights)
    turned = line.values[0] > line.values[-1]  # along -s it ends with a rise, and there is one fall fewer
    view: dict[int, int] = {i: w for i, w in enumerate(weights) if w}
    plan: Plan = []
    for threshold, shift in line.folds:
        plan.append((dict(view), threshold))
        view[n + len(plan) - 1] = -shift
    sums, values = (-line.sums[::-1], line.values[::-1]) if turned else (line.sums, line.values)
    sign = -1 if turned else 1
    view = {signal: sign * w for signal, w in view.items()}
    starts = np.flatnonzero(np.diff(values, prepend=1 - values[0]))
    rises = [int(sums[k]) for k in starts if values[k]]
    first = rises[0]
    last: Neuron = (dict(view), first)
    taken = 0
    for k in starts.tolist():
        if values[k] or sums[k] < first:
            continue
        later = bisect_right(rises, int(sums[k]))
        enough = (rises[later] if later < len(rises) else int(sums[-1]) + 1) - first
        plan.append((dict(view), int(sums[k])))
        last[0][n + len(plan) - 1] = taken - enough
        taken = enough
    return [*plan, last]
