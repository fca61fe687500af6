"""The least whole weights that fire on some points and not on others, or multiples of points that show there are none.

The one file of this room that sees the solvers. A linear program suggests weights, or multipliers; what is said to be
so is worked out again in fractions from its basis (`limen.logic._basis`):

* its solution gives whole weights, which are checked on all points;
* its multipliers give a lower bound on any weights' sum, or points with equal sums;
* where least fractions aren't whole numbers, CP-SAT, which counts in whole numbers, closes the gap.

Points are added only when weights get them wrong, so a function whose points can't be listed can be asked about too:
`separate` finds a point that is wrong, or says that there is none.

Two kinds of weights: *orderly* ones, ``w1 >= w2 >= … >= wn >= 0`` (a threshold function whose inputs are turned and
ordered has least weights of that kind), and *free* ones.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley: least weights by linear programming.
J. E. Kelley (1960), "The cutting-plane method for solving convex programs", Journal of SIAM 8.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, gcd, lcm
from typing import Literal, TypeAlias

import numpy as np

from limen import _rational
from limen._solver import LinearProgram, Outcome, has_cp_sat, whole_program
from limen.errors import NotExactError
from limen.logic import _basis
from limen.step import Array

__all__ = ["EVERY_TIME", "Least", "Separate", "deadline", "fewest_changes", "least_weights", "time_left"]

Separate: TypeAlias = Callable[[list[int], int, int], tuple[Array, Array]]
"""``separate(weights, threshold, gap)`` → firing points whose weighted sum is below `threshold` and resting points
whose sum is above ``threshold - gap``, shapes (k, n); none only if there are none."""

LOG = logging.getLogger("limen.logic")

EVERY_TIME = 64  # points added at a time
SMALL = (1, 3, 10)  # the largest weights that are tried before all
SOONER = 10.0  # seconds for these
SCALES = 200  # at which fractions are rounded, in search of whole weights


@dataclass(frozen=True)
class Least:
    """What was found.

    Attributes
    ----------
    weights : list of int, or None
        Right on all points.
    threshold : int
    lower : int
        No right weights have a smaller sum of absolute values.
    unique : bool or None
        Whether the weights are the only ones of their kind with that sum, where it is known to be least.
    multiples : list of (point, count), or None
        If there are no weights: counts above 0 for firing points, below 0 for resting ones, that sum up to 0. For
        orderly weights the sum of the points, from the strongest input on, is nowhere above 0.
    """

    weights: list[int] | None
    threshold: int
    lower: int
    unique: bool | None
    multiples: list[tuple[Array, int]] | None = None


class _Points:
    """Points as rows of a linear program over weights (as gaps, or as two halves) and the threshold."""

    def __init__(self, n: int, *, orderly: bool, largest: int | None) -> None:
        self.n, self.orderly = n, orderly
        self.points: list[Array] = []
        self.known: set[tuple[int, bytes]] = set()
        self.kinds: list[int] = []
        width = n if orderly else 2 * n
        self.cost = np.append(np.arange(1, n + 1) if orderly else np.ones(2 * n, dtype=np.int64), 0)
        self.lower = np.append(np.zeros(width), -np.inf)
        self.upper = np.full(width + 1, np.inf)
        self.rows: Array = np.zeros((0, width + 1), dtype=np.int64)
        self.right: Array = np.zeros(0, dtype=np.int64)
        self.program = LinearProgram(self.cost, self.lower, self.upper)
        if largest is not None:
            self._no_more_than(largest)

    def _no_more_than(self, largest: int) -> None:
        """Bound the weights' absolute values, by rows like the others."""
        width = self.rows.shape[1]
        if self.orderly:
            bounds = np.zeros((1, width), dtype=np.int64)
            bounds[0, : self.n] = -1
        else:
            bounds = np.zeros((self.n, width), dtype=np.int64)
            bounds[np.arange(self.n), np.arange(self.n)] = -1
            bounds[np.arange(self.n), np.arange(self.n) + self.n] = -1
        self._append(bounds, np.full(len(bounds), -largest))
        self.points += [np.zeros(self.n, dtype=np.int64)] * len(bounds)
        self.kinds += [0] * len(bounds)

    def add(self, firing: Array, resting: Array) -> bool:
        """Add points; tell whether any of them is new, as it is unless the program was solved too roughly."""
        any_new = False
        for points, kind in ((firing, 1), (resting, -1)):
            new = [point for point in points if (kind, point.tobytes()) not in self.known]
            if new:
                any_new = True
                self.known.update((kind, point.tobytes()) for point in new)
                seen = np.array(new, dtype=np.int64)
                rows = np.cumsum(seen, axis=1) if self.orderly else np.hstack([seen, -seen])
                ones = np.full((len(seen), 1), -1)
                self._append(kind * np.hstack([rows, ones]), np.full(len(seen), 0 if kind > 0 else 1))
                self.points += list(seen)
                self.kinds += [kind] * len(seen)
        return any_new

    def _append(self, rows: Array, right: Array) -> None:
        self.rows = np.vstack([self.rows, rows])
        self.right = np.append(self.right, right)
        self.program.add_rows(rows, right, np.full(len(rows), np.inf))

    def weights(self, columns: list[Fraction]) -> list[Fraction]:
        """Return the weights that the program's variables stand for."""
        if not self.orderly:
            return [columns[i] - columns[self.n + i] for i in range(self.n)]
        weights, total = [], Fraction(0)
        for gap in reversed(columns[: self.n]):
            total += gap
            weights.append(total)
        return weights[::-1]

    def box(self, cap: int, most: int) -> tuple[Array, Array]:
        """Return bounds of the variables for weights of at most `cap` whose sum is at most `most`."""
        width = self.rows.shape[1] - 1
        highest = most * max((int(np.abs(point).max(initial=0)) for point in self.points), default=1) + 1
        lower = np.append(np.zeros(width, dtype=np.int64), -highest)
        return lower, np.append(np.full(width, min(cap, most)), highest)

    def columns(self, weights: list[int], threshold: int) -> list[int]:
        """Return the variables that stand for weights."""
        if self.orderly:
            return [w - v for w, v in zip(weights, [*weights[1:], 0], strict=True)] + [threshold]
        return [max(w, 0) for w in weights] + [max(-w, 0) for w in weights] + [threshold]

    def multiples(self, found: Outcome) -> list[tuple[Array, int]] | None:
        """Return points and counts that show that there are no weights, or None if they don't come out exactly."""
        rows = _basis.contradiction(self.rows, self.right, found)
        if rows is None:
            return None
        return [(self.points[row], self.kinds[row] * count) for row, count in rows if self.kinds[row]]


def least_weights(
    n: int,
    separate: Separate,
    *,
    orderly: bool,
    firing: Array | None = None,
    resting: Array | None = None,
    largest: int | None = None,
    known: tuple[list[int], int] | None = None,
    least: bool = True,
    time_limit: float | None = None,
) -> Least | None:
    """Return the least weights, or multiples of points that show that there are none.

    Parameters
    ----------
    n : int
        Number of inputs.
    separate : callable
        Finds points that weights get wrong; see `Separate`.
    orderly : bool
        Whether the weights fall from the first to the last and are at least 0.
    firing, resting : ndarray of int, shapes (k, n) and (m, n), optional
        Points to begin with.
    largest : int, optional
        No weight's absolute value may be larger.
    known : (weights, threshold), optional
        Weights that are right, to begin with.
    least : bool
        Whether to go on until the weights are proved least (or the time is up); otherwise any that are right will do.
    time_limit : float, optional
        Seconds.

    Returns
    -------
    Least, or None
        None if the time was up before there were weights or a proof that there are none.
    """
    until = deadline(time_limit)
    points = _Points(n, orderly=orderly, largest=largest)
    nothing: Array = np.zeros((0, n), dtype=np.int64)
    points.add(nothing if firing is None else firing, nothing if resting is None else resting)
    while True:
        found = points.program.solve(time_limit=time_left(until))
        if found.status == "infeasible":
            multiples = points.multiples(found)
            if multiples is None:
                return None
            return Least(None, 0, 0, None, multiples)
        if found.status != "optimal":
            return None if known is None else Least(*known, 0, None)
        columns = _basis.vertex(points.rows, points.right, found)
        common = lcm(*(value.denominator for value in columns))
        weights = [int(value * common) for value in points.weights(columns)]
        threshold = int(columns[-1] * common)
        wrong = separate(weights, threshold, common)
        if not (len(wrong[0]) or len(wrong[1])):
            break
        if _is_over(until) or not points.add(*wrong):
            return None if known is None else Least(*known, 0, None)
    proved = None if _is_over(until) else _basis.bound(points.rows, points.right, points.cost, found)
    lower = ceil(proved[0]) if proved is not None else 0
    divisor = gcd(*weights)
    if divisor > 1:
        weights, threshold = [w // divisor for w in weights], -(-threshold // divisor)
    if known is not None and _size(known[0]) < _size(weights):
        weights, threshold = known
    if least and not orderly and _size(weights) > lower:
        weights, threshold = _rounded(points, columns, separate, weights, threshold)
    result = Least(weights, threshold, min(lower, _size(weights)), None)
    too_large = largest is not None and max(map(abs, weights), default=0) > largest
    if not (least or too_large):
        return result
    if _size(weights) > lower or too_large:
        whole = _whole(points, separate, result, largest, until)
        if whole is None or whole.weights is None:
            return whole
        result = whole
    if result.lower != _size(result.weights):
        return result
    assert result.weights is not None
    unique = _only_one(points, found, proved, result, separate, until)
    return Least(result.weights, result.threshold, result.lower, unique)


def _rounded(
    points: _Points, columns: list[Fraction], separate: Separate, weights: list[int], threshold: int
) -> tuple[list[int], int]:
    """Return smaller weights than these if the program's fractions, enlarged and rounded, are right."""
    exact = np.array([float(w) for w in points.weights(columns)])
    least = np.abs(exact).sum()
    for scale in np.geomspace(1.0, max(1.0, min(100.0, _size(weights) / max(least, 1.0))), SCALES):
        rounded = [int(w) for w in np.rint(exact * scale)]
        if _size(rounded) >= _size(weights):
            continue
        for bar in sorted(
            {int(np.floor(float(columns[-1]) * scale)), int(np.ceil(float(columns[-1]) * scale))}
        ):
            if not any(len(wrong) for wrong in separate(rounded, bar, 1)):
                return rounded, bar
    return weights, threshold


def _size(weights: list[int] | None) -> int:
    return sum(abs(w) for w in weights or [])


def _is_over(until: float | None) -> bool:
    return until is not None and time.monotonic() > until


def deadline(limit: float | None) -> float | None:
    """Return when so many seconds will be over, by `time.monotonic`."""
    return None if limit is None else time.monotonic() + limit


def time_left(until: float | None) -> float | None:
    """Return the seconds until then, never quite none."""
    return None if until is None else max(0.01, until - time.monotonic())


def _whole(
    points: _Points, separate: Separate, known: Least, largest: int | None, until: float | None
) -> Least | None:
    """Return smaller whole weights, or the same with a better bound, from programs in whole numbers.

    Where `largest` forbids the weights that are known: others, or that there are none, or None if time was up. First
    only small weights are tried, for a part of the time: what they reach narrows down the rest.
    """
    engine: Literal["CP-SAT", "HiGHS"] = "CP-SAT" if has_cp_sat() else "HiGHS"
    assert known.weights is not None
    heaviest = max(map(abs, known.weights), default=0)
    forbidden = largest is not None and heaviest > largest
    best: Least | None = None if forbidden else known
    most = largest * points.n if largest is not None and forbidden else _size(known.weights)
    caps = [] if points.orderly else [cap for cap in SMALL if cap < min(heaviest, largest or heaviest)]
    lower = known.lower
    while True:
        left = time_left(until)
        if left is not None and left <= 0.01:
            return best and replace(best, lower=lower)
        cap = caps[0] if caps else most
        limit = left if not caps else min(SOONER, left / 4 if left is not None else SOONER)
        start = None if best is None or best.weights is None else points.columns(best.weights, best.threshold)
        try:
            found = whole_program(
                points.cost,
                *points.box(cap, most),
                points.rows,
                points.right,
                np.full(len(points.rows), np.inf),
                engine=engine,
                time_limit=limit,
                start=start,
            )
        except NotExactError:  # too large for CP-SAT: HiGHS may still find weights, though it proves nothing
            engine = "HiGHS"
            continue
        if not caps:
            if found.status == "infeasible" and engine == "CP-SAT" and best is None:
                return Least(None, 0, 0, None)
            if engine == "CP-SAT" and np.isfinite(found.bound):
                lower = max(lower, min(ceil(found.bound - 1e-9), most))
        if found.x is not None:
            columns = [Fraction(int(value)) for value in found.x]
            weights, threshold = [int(w) for w in points.weights(columns)], int(columns[-1])
            wrong = separate(weights, threshold, 1)
            if len(wrong[0]) or len(wrong[1]):
                if not points.add(*wrong):
                    return best and replace(best, lower=lower)
                continue
            if best is None or _size(weights) <= _size(best.weights):
                best, most = Least(weights, threshold, lower, None), _size(weights)
        LOG.info("weights of %s in all, at least %d", _size(best.weights) if best else "no number", lower)
        if not caps:
            return best and replace(best, lower=min(lower, _size(best.weights)))
        caps = caps[1:] if _size(best.weights if best else None) > lower or best is None else []


def _only_one(
    points: _Points,
    found: Outcome,
    proved: tuple[Fraction, Array] | None,
    least: Least,
    separate: Separate,
    until: float | None,
) -> bool | None:
    """Tell whether no other weights of the kind have the same sum.

    At every solution of least sum the rows that hold up the bound are tight. If only one point lies in all of them,
    it is the only solution, even among fractions. Otherwise each weight is made as large as the sum allows: if none can
    be larger by 1, there are no others (of two with one sum, one has a weight that is larger by 1 or more; free
    weights, whose signs may differ, are made as small as can be too).
    """
    assert least.weights is not None
    size, width = _size(least.weights), points.rows.shape[1]
    if proved is not None and proved[0] == size and _rational.rank(proved[1].tolist()) == width:
        return True
    points._append(-points.cost[np.newaxis], np.array([-size]))
    points.points.append(np.zeros(points.n, dtype=np.int64))
    points.kinds.append(0)
    unit = np.eye(width, dtype=np.int64)
    for k, own in enumerate(least.weights):
        up = unit[k : points.n].sum(axis=0) if points.orderly else unit[k] - unit[points.n + k]
        for cost, limit in [(up, own + 1)] if points.orderly else [(up, own + 1), (-up, 1 - own)]:
            points.program.set_cost(-cost)
            while True:
                best = points.program.solve(time_limit=time_left(until))
                if best.status != "optimal" or _is_over(until):
                    return None
                bound = _basis.bound(points.rows, points.right, -cost, best)
                if bound is not None and -bound[0] < limit:
                    break
                columns = _basis.vertex(points.rows, points.right, best)
                common = lcm(*(value.denominator for value in columns))
                weights = [int(value * common) for value in points.weights(columns)]
                wrong = separate(weights, int(columns[-1] * common), common)
                if len(wrong[0]) or len(wrong[1]):
                    if _is_over(until) or not points.add(*wrong):
                        return None
                    continue
                if common == 1 and _size(weights) == size and weights != least.weights:
                    return False
                other = _another(points, cost, limit, size, separate, until)
                if other is not False:
                    return None if other is None else False
                break
    return True


def _another(
    points: _Points, side: Array, least: int, size: int, separate: Separate, until: float | None
) -> bool | None:
    """Tell whether there are whole weights of that sum with ``side · columns`` of at least `least`; CP-SAT knows."""
    while has_cp_sat() and not _is_over(until):
        try:
            found = whole_program(
                np.zeros(len(side), dtype=np.int64),
                *points.box(size, size),
                np.vstack([points.rows, side]),
                np.append(points.right, least),
                np.full(len(points.rows) + 1, np.inf),
                engine="CP-SAT",
                time_limit=time_left(until),
            )
        except NotExactError:
            return None
        if found.x is None:
            return False if found.status == "infeasible" else None
        columns = [Fraction(int(value)) for value in found.x]
        wrong = separate([int(w) for w in points.weights(columns)], int(columns[-1]), 1)
        if not (len(wrong[0]) or len(wrong[1])):
            return True
        points.add(*wrong)
    return None


def fewest_changes(
    points: Array,
    fires: Array,
    counts: Array,
    largest: int,
    start: tuple[list[int], int],
    time_limit: float | None,
) -> tuple[list[int], int, int]:
    """Return weights of at most `largest` that get the fewest points wrong, and a bound on how few that can be.

    Parameters
    ----------
    points : ndarray of int, shape (n_points, n)
    fires : ndarray of bool, shape (n_points,)
    counts : ndarray of int, shape (n_points,)
        How many times a point counts.
    largest : int
    start : (weights, threshold)
        To begin with.
    time_limit : float or None
        Seconds.

    Returns
    -------
    (weights, threshold, lower)
        `lower` is proved if CP-SAT is installed, otherwise 0.
    """
    from scipy import sparse

    n, n_points = points.shape[1], len(points)
    engine: Literal["CP-SAT", "HiGHS"] = "CP-SAT" if has_cp_sat() else "HiGHS"
    reach = int(np.abs(points).sum(axis=1).max(initial=1)) * largest + 1
    signs = np.where(fires, 1, -1)
    # signs·(points·w − T) + slack·wrong >= 0 for firing points, >= 1 for resting ones
    rows = sparse.hstack(
        [
            sparse.csr_array(points * signs[:, np.newaxis]),
            sparse.csr_array(-signs[:, np.newaxis]),
            sparse.diags_array(np.full(n_points, 2 * reach + 1), dtype=np.int64),
        ],
        format="csr",
    )
    weights, threshold = start
    wrong = (points @ np.array(weights) >= threshold) != fires
    try:
        found = whole_program(
            np.concatenate([np.zeros(n + 1, dtype=np.int64), counts]),
            np.concatenate([np.full(n, -largest), [-reach], np.zeros(n_points, dtype=np.int64)]),
            np.concatenate([np.full(n, largest), [reach], np.ones(n_points, dtype=np.int64)]),
            rows,
            np.where(fires, 0, 1),
            np.full(n_points, np.inf),
            engine=engine,
            time_limit=time_limit,
            start=np.concatenate([weights, [threshold], wrong]),
        )
    except NotExactError:  # too large for CP-SAT
        return weights, threshold, 0
    lower = max(0, ceil(found.bound - 1e-9)) if engine == "CP-SAT" and np.isfinite(found.bound) else 0
    if found.x is None:
        return weights, threshold, lower
    return [int(w) for w in found.x[:n]], int(found.x[n]), lower
