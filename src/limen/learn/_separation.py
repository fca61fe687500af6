"""Is a part of the data separable? Decided by linear programs over few rows.

A `Search` looks for the neuron with the widest margin on some rows only, the *active* ones. If it errs on others, the
worst of them become active, and it is looked for again. If there is no margin at all, the multipliers of the program
say which rows stand in each other's way. All that is a suggestion in floats: what is returned was checked exactly, and
where the suggestion was wrong, `decide_exactly` goes on from it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limen._door import is_sparse
from limen._solver import LinearProgram, Outcome, whole_program
from limen.learn._exact_separation import Combination, combination, decide_exactly
from limen.learn._two_classes import Sample
from limen.step import Array

__all__ = ["Core", "Cover", "Neuron", "Search"]

CLEAR = 1e-6  # a margin above this isn't rounding of the solver
SHARE = 1e-9  # a multiplier below this may be
LARGE = 1 << 18  # numbers in the rows of a program from which the simplex method isn't tried
PATIENCE = 10.0  # seconds after which it is given up
ROUNDING = 1e-6  # a bound in floats on a whole number may be that much too high


@dataclass(frozen=True, eq=False)
class Neuron:
    """Weights and a bias, as floats, whole numbers or fractions."""

    weights: Any
    bias: Any


@dataclass(frozen=True, eq=False)
class Core:
    """Rows that no neuron has all on the right side, and how often each is counted."""

    rows: Array
    counts: tuple[int, ...]


class Search:
    """Separates parts of a sample, or says why not.

    Parameters
    ----------
    sample : Sample
    """

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.sides = np.where(sample.fires, 1.0, -1.0)
        self.kept, self.centre, self.scale, self.working = _scaled(sample.X)
        self.active = np.zeros(0, dtype=np.int64)
        self._is_active = np.zeros(sample.n_rows, dtype=bool)
        self._is_on = np.zeros(0, dtype=bool)
        self._program = self._new("simplex")

    def _new(self, method: str) -> LinearProgram:
        """Return a program without rows: weights from -1 to 1, a bias, and the margin, to be as large as possible."""
        n = len(self.kept)
        ends = np.array([-1.0] * n + [-np.inf, -np.inf])
        return LinearProgram([*[0.0] * (n + 1), -1.0], ends, -ends, method=method)

    def _solve(self, left: float) -> Outcome:
        """Solve the program for the active rows that are switched on, in so many seconds."""
        if self._is_on.sum() * len(self.kept) <= LARGE:
            outcome = self._program.solve(time_limit=min(left, PATIENCE))
            if outcome.status != "stopped" or left <= PATIENCE:
                return outcome
            left -= PATIENCE
        # Where many rows lie on an edge, the simplex method may stand still; a method of inner points doesn't.
        on = np.flatnonzero(self._is_on)
        program = self._new("ipm")
        program.add_rows(self._signed(self.active[on]), np.zeros(len(on)), np.full(len(on), np.inf))
        outcome = program.solve(time_limit=None if left == math.inf else left)
        duals = np.zeros(len(self.active))
        if outcome.status == "optimal":
            duals[on] = outcome.duals
        return replace(outcome, duals=duals)

    def _signed(self, rows: Array) -> Any:
        """Return working rows as those of a program."""
        sides = self.sides[rows][:, np.newaxis]
        ends = np.concatenate([sides, np.full((len(rows), 1), -1.0)], axis=1)
        if not is_sparse(self.working):
            return np.concatenate([self.working[rows] * sides, ends], axis=1)
        from scipy import sparse

        return sparse.hstack([self.working[rows] * sides, ends], format="csr")

    def activate(self, rows: Array) -> None:
        """Make rows active that aren't yet."""
        rows = np.unique(rows[~self._is_active[rows]])
        if not len(rows):
            return
        self._program.add_rows(self._signed(rows), np.zeros(len(rows)), np.full(len(rows), np.inf))
        self.active = np.concatenate([self.active, rows])
        self._is_active[rows] = True
        self._is_on = np.concatenate([self._is_on, np.ones(len(rows), dtype=bool)])

    def start_from(self, weights: Array, bias: float) -> None:
        """Make those rows active that a neuron on the working rows has the most trouble with."""
        self.activate(self._worst(self._margins(weights, bias), 2 * (len(self.kept) + 10)))

    def decide(self, allowed: Array, deadline: float = math.inf) -> Neuron | Core | None:
        """Return a neuron that separates all allowed rows, or some of them that none separates; None when out of time.

        Parameters
        ----------
        allowed : ndarray of bool, shape (n_rows,)
        deadline : float
            By `time.monotonic`.
        """
        self._allow(allowed)
        while (left := deadline - time.monotonic()) > 0:
            outcome = self._solve(left)
            if outcome.status == "stopped":
                return None
            clear, outside, shares = False, np.zeros(0, dtype=np.int64), np.ones(len(self.active))
            if outcome.status == "optimal":
                weights, bias, margin = outcome.x[:-2], outcome.x[-2], outcome.x[-1]
                clear = margin > CLEAR
                if margin > 0:
                    neuron = self.neuron(weights, allowed)
                    wrong = self.wrong(neuron, allowed)
                    if not len(wrong):
                        return neuron
                    outside = wrong[~self._is_active[wrong]]
                shares = np.abs(outcome.duals)
            if clear and len(outside):
                margins = np.where(allowed & ~self._is_active, self._margins(weights, bias), np.inf)
                worst = self._worst(margins, len(self.kept) + 20)
                self.activate(np.concatenate([worst[margins[worst] < margin], outside[:1]]))
                continue
            exact = self._exactly(shares, deadline)
            if exact is None or isinstance(exact, Core):
                return exact
            wrong = self.wrong(exact, allowed)
            if not len(wrong):
                return exact
            self.activate(wrong[:100])
        return None

    def neuron(self, weights: Array, allowed: Array | None = None) -> Neuron:
        """Return weights on the working rows as those of a neuron on the rows themselves, its bias midway."""
        full = np.zeros(self.sample.n_features)
        fires, on = self.sample.fires, slice(None) if allowed is None else allowed
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            full[self.kept] = weights / self.scale
            full /= np.abs(full).max(initial=0.0) or 1.0
            z = self.sample.X @ full
        if not np.isfinite(z).all():
            return Neuron(np.zeros(len(full)), 0.0)  # wrong, so that the exact method has its turn
        low = z[on][fires[on]].min(initial=np.inf)
        high = z[on][~fires[on]].max(initial=-np.inf)
        if not np.isfinite(low):
            return Neuron(full, -high - 1.0)
        if not np.isfinite(high):
            return Neuron(full, 1.0 - low)
        return Neuron(full, -(low / 2 + high / 2))

    def wrong(self, neuron: Neuron, allowed: Array) -> Array:
        """Return the allowed rows that a neuron has on the wrong side, in exact arithmetic."""
        found = self.sample.misplaced(neuron.weights, neuron.bias)
        rows: Array = found[allowed[found]]
        return rows

    def _allow(self, allowed: Array) -> None:
        """Switch active rows on and off."""
        on = allowed[self.active]
        changed = np.flatnonzero(on != self._is_on)
        self._program.set_row_bounds(
            changed, np.where(on[changed], 0.0, -np.inf), np.full(len(changed), np.inf)
        )
        self._is_on = on
        for side in (True, False):  # a program without rows of both classes has no end
            these = allowed & (self.sample.fires == side)
            if these.any() and not these[self.active].any():
                self.activate(np.flatnonzero(these)[:1])

    def _margins(self, weights: Array, bias: float) -> Array:
        margins: Array = (self.working @ weights + bias) * self.sides
        return margins

    def _worst(self, margins: Array, n: int) -> Array:
        """Return the rows of each class with the smallest margins, at most `n` in all."""
        chosen = []
        for side in (True, False):
            these = np.flatnonzero((self.sample.fires == side) & (margins < np.inf))
            few = min(len(these), (n + 1) // 2)
            if few:
                chosen.append(these[np.argpartition(margins[these], few - 1)[:few]])
        return np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int64)

    def _exactly(self, shares: Array, deadline: float) -> Neuron | Core | None:
        """Decide the active rows that are switched on."""
        on = np.flatnonzero(self._is_on)
        rows, shares = self.active[on], shares[on]
        support = np.flatnonzero(shares > SHARE * shares.max(initial=0.0))
        found: Any = combination(self.sample.signed(rows[support]), range(len(support)))
        if found is not None:
            rows = rows[support]
        else:
            found = decide_exactly(self.sample.signed(rows), shares, deadline)
        if isinstance(found, Combination):
            return Core(rows[found.rows], tuple(found.counts))
        return None if found is None else Neuron(found[:-1], found[-1])


def _scaled(X: Any) -> tuple[Array, Array, Array, Any]:
    """Return which columns differ between rows, and these centred and scaled; sparse ones are only scaled."""
    if is_sparse(X):
        columns = X.tocsc().astype(np.float64)
        largest = np.asarray(abs(columns).max(axis=0).todense()).reshape(-1)
        kept = np.flatnonzero(largest > 0)
        scale = 2.0 ** np.clip(np.frexp(largest[kept])[1], -1000, 1000)
        return kept, np.zeros(len(kept)), scale, (columns[:, kept] * (1.0 / scale)).tocsr()
    low, high = X.min(axis=0), X.max(axis=0)
    kept = np.flatnonzero(low != high)
    largest = np.maximum(np.abs(low[kept].astype(np.float64)), np.abs(high[kept].astype(np.float64)))
    power = 2.0 ** -np.clip(np.frexp(largest)[1], -1000, 1000).astype(np.float64)
    working = X[:, kept] * power
    if np.count_nonzero(working[:1000]) < working[:1000].size / 2:
        return kept, np.zeros(len(kept)), 1.0 / power, working  # as good as sparse
    centre = working[0].copy() if len(working) < 3 else np.median(working[:1000], axis=0)
    working -= centre
    spread = np.sqrt(np.mean(np.square(working), axis=0))
    spread[spread == 0] = 1.0  # numbers that only float64 takes for equal
    working /= spread
    with np.errstate(over="ignore"):  # infinite where no float is as large: `neuron` sees to it
        return kept, centre / power, spread / power, working


class Cover:
    """Sets of elements of which each must have one chosen, at the least cost.

    Parameters
    ----------
    costs : array_like of int, shape (n_elements,)

    Examples
    --------
    >>> cover = Cover([1, 1, 1])
    >>> cover.add([(0, 1), (1, 2)])
    >>> cover.shares()[0]
    1.0
    >>> cover.cheapest([0, 1], [0, 2], 10.0)
    ([1], 1)
    """

    def __init__(self, costs: Any) -> None:
        self.costs = np.asarray(costs, dtype=np.int64)
        self.sets: list[tuple[int, ...]] = []
        n = len(self.costs)
        self._program = LinearProgram(self.costs, np.zeros(n), np.ones(n))

    def add(self, sets: Sequence[tuple[int, ...]]) -> None:
        """Add sets."""
        if sets:
            self._program.add_rows(self._matrix(sets), np.ones(len(sets)), np.full(len(sets), np.inf))
            self.sets.extend(sets)

    def shares(self, time_limit: float | None = None) -> tuple[float, Array] | None:
        """Return the least cost if elements may be chosen in part, and which part; None when out of time."""
        outcome = self._program.solve(time_limit=time_limit)
        return (outcome.value, outcome.x) if outcome.status == "optimal" else None

    def cheapest(
        self, which: Sequence[int], start: Sequence[int], time_limit: float
    ) -> tuple[list[int], int]:
        """Return elements that hit some of the sets, as cheap as they were found in time, and a bound from below.

        Parameters
        ----------
        which : sequence of int
            Sets.
        start : sequence of int
            Elements that hit all of them.
        time_limit : float
        """
        n = len(self.costs)
        given = np.zeros(n, dtype=np.int64)
        given[list(start)] = 1
        found = whole_program(
            self.costs,
            np.zeros(n),
            np.ones(n),
            self._matrix([self.sets[k] for k in which]),
            np.ones(len(which)),
            np.full(len(which), np.inf),
            engine="HiGHS",  # whose linear programs bound such a cost from below far better than CP-SAT does
            time_limit=time_limit,
            start=given,
        )
        bound = math.ceil(found.bound - ROUNDING) if np.isfinite(found.bound) else 0
        return np.flatnonzero(given if found.x is None else found.x).tolist(), max(0, bound)

    def _matrix(self, sets: Sequence[tuple[int, ...]]) -> Any:
        from scipy import sparse

        starts = np.cumsum([0, *(len(one) for one in sets)])
        entries = np.concatenate([np.array(one, dtype=np.int64) for one in sets])
        return sparse.csr_array((np.ones(len(entries)), entries, starts), shape=(len(sets), len(self.costs)))
