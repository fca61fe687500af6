"""What a linear program's basis says, in fractions: its solution, a lower bound, or that it has no solution.

The program: least ``cost · columns`` under ``rows @ columns >= right``, all columns at least 0 but the last, which is
free. A solver suggests which rows hold with equality and which columns are 0; the rest is arithmetic. What doesn't come
out exactly is None.

References
----------
D. L. Applegate, W. Cook, S. Dash and D. G. Espinoza (2007), "Exact solutions to linear programming problems", Operations
Research Letters 35: exact arithmetic on the basis that a float solver ends with.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Protocol

import numpy as np

from limen import _rational
from limen.step import Array

__all__ = ["Suggestion", "bound", "contradiction", "vertex"]

TINY = (1e-7, 1e-5, 1e-9)  # multipliers, beside the largest, that are taken for 0; tried in this order
ROUND = 360  # the largest denominator of multipliers that are only rounded


class Suggestion(Protocol):
    """What a solver says: the solution, multipliers of the rows, and which columns and rows are in the basis."""

    @property
    def x(self) -> Array: ...
    @property
    def duals(self) -> Array: ...
    @property
    def basic_columns(self) -> Array: ...
    @property
    def basic_rows(self) -> Array: ...


def vertex(rows: Array, right: Array, found: Suggestion) -> list[Fraction]:
    """Return the solution exactly, from its basis; roughly where the basis gives none."""
    tight, free = np.flatnonzero(~found.basic_rows), np.flatnonzero(found.basic_columns)
    exact = None
    if len(tight) == len(free):
        exact = _rational.solve(rows[np.ix_(tight, free)].tolist(), right[tight].tolist())
    if exact is None:
        return [Fraction(float(value)).limit_denominator(1000) for value in found.x]
    columns = [Fraction(0)] * rows.shape[1]
    for place, value in zip(free.tolist(), exact, strict=True):
        columns[place] = value
    return columns


def bound(rows: Array, right: Array, cost: Array, found: Suggestion) -> tuple[Fraction, Array] | None:
    """Return a proved lower bound on ``cost · columns``, and which rows and columns hold it up, or None."""
    tight, free = np.flatnonzero(~found.basic_rows), np.flatnonzero(found.basic_columns)
    if len(tight) != len(free):
        return None
    duals = _rational.solve(rows[np.ix_(tight, free)].T.tolist(), cost[free].tolist())
    if duals is None or min(duals, default=Fraction(0)) < 0:
        return None
    reduced = [Fraction(int(c)) for c in cost]
    for row, dual in zip(tight.tolist(), duals, strict=True):
        if dual:
            for column in np.flatnonzero(rows[row]).tolist():
                reduced[column] -= dual * int(rows[row, column])
    if reduced[-1] != 0 or min(reduced) < 0:
        return None
    value = sum((d * int(b) for d, b in zip(duals, right[tight].tolist(), strict=True)), Fraction(0))
    needed = [rows[row] for row, d in zip(tight.tolist(), duals, strict=True) if d > 0]
    unit = np.eye(rows.shape[1], dtype=np.int64)
    needed += [unit[column] for column, r in enumerate(reduced) if r > 0]
    return value, np.array(needed, dtype=np.int64).reshape(-1, rows.shape[1])


def contradiction(rows: Array, right: Array, found: Suggestion) -> list[tuple[int, int]] | None:
    """Return rows and how many times to add each so that nothing can satisfy the sum, exactly, or None."""
    if len(found.duals) != len(rows):
        return None
    sizes = np.abs(found.duals)
    for tiny in TINY:
        used = np.flatnonzero(sizes > tiny * sizes.max(initial=1e-300))
        totals = found.duals[used] @ rows[used]
        equal = np.flatnonzero(np.abs(totals) <= tiny * max(1.0, sizes.max(initial=0)) * 10)
        for counts in _counts(rows, used, equal, sizes):
            if counts is not None and _contradicts(rows[used], right[used], counts):
                return [(row, count) for row, count in zip(used.tolist(), counts, strict=True) if count]
    return None


def _counts(rows: Array, used: Array, equal: Array, sizes: Array) -> list[list[int] | None]:
    """Return whole multipliers of the rows that are used: those that make columns 0 exactly, and rounded ones."""
    exact = None
    if len(used) and len(equal):
        exact = _rational.null_vector(rows[np.ix_(used, equal)].T.tolist())
        if exact is not None and exact[0] < 0:
            exact = [-count for count in exact]
    scaled = sizes[used] / sizes[used].min() if len(used) else sizes[used]
    shares = [Fraction(float(value)).limit_denominator(ROUND) for value in scaled]
    common = lcm(*(share.denominator for share in shares)) if shares else 1
    return [exact, [int(share * common) for share in shares]]


def _contradicts(rows: Array, right: Array, counts: list[int]) -> bool:
    """Tell whether the sum of the rows is nowhere above 0 while its right side is, so that no columns satisfy it."""
    if not counts or min(counts) < 0:
        return False
    totals = [
        sum(c * v for c, v in zip(counts, column, strict=True)) for column in rows.astype(object).T.tolist()
    ]
    gain = sum(c * int(b) for c, b in zip(counts, right.tolist(), strict=True))
    return gain > 0 and totals[-1] == 0 and max(totals[:-1], default=0) <= 0
