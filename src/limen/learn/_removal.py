"""Which rows to leave out so that the others are separable: certificates collected until the fewest hit them all.

Of each certificate one row has to go. The fewest rows that hit every certificate found so far are a lower bound, and if
the others are separable without them, the answer. If not, there is another certificate, and it goes on (implicit
hitting sets). Certificates that a *fractional* choice of rows misses are looked for first: they cost little. Rows that
are equal and of one class go together.

References
----------
M. Parker and J. Ryan (1996), "Finding the minimum weight IIS cover of an infeasible system of linear inequalities",
Annals of Mathematics and Artificial Intelligence 17. J. W. Chinneck (2001), "Fast heuristics for the maximum feasible
subsystem problem", INFORMS Journal on Computing 13, for removing, one after the other, rows that many certificates
have.
"""

from __future__ import annotations

import math
import time

import numpy as np

from limen.learn._separation import ROUNDING, Core, Cover, Neuron, Search
from limen.learn._two_classes import Sample
from limen.step import Array

__all__ = ["Removing", "grouped"]

LEVELS = (0.9, 0.6, 0.4, 0.25)  # rows chosen by this share are left out before certificates are looked for
GAIN = 0.02  # of the fractional cost; less than that, three times over, is too little
SETS = 800  # certificates the whole program is given, besides those found for it
TRIES = 5  # searches after a whole program, each of which removes other rows


def grouped(sample: Sample) -> tuple[Sample, list[list[int]]]:
    """Return the different rows of each class as a sample of their own, and the rows each of them stands for."""
    groups: dict[tuple[bool, bytes], list[int]] = {}
    for row, side in enumerate(sample.fires.tolist()):
        groups.setdefault((side, sample.key(row)), []).append(row)
    first = np.array([rows[0] for rows in groups.values()])
    different = Sample(sample.X[first], sample.fires[first], sample.inputs, sample.classes)
    return different, list(groups.values())


class Removing:
    """The search for the fewest rows, and what is known at any time.

    Parameters
    ----------
    search : Search
        On different rows.
    costs : ndarray of int
        How many rows each stands for.
    deadline : float
        By `time.monotonic`.

    Attributes
    ----------
    lower : int
        No fewer are enough.
    rows : ndarray of int
        These are.
    neuron : Neuron
        It separates the others.
    proof : list of Core
        What `lower` was counted from.
    """

    def __init__(self, search: Search, costs: Array, deadline: float) -> None:
        self.search, self.costs, self.deadline = search, costs, deadline
        fires = search.sample.fires
        side = bool(costs[fires].sum() <= costs[~fires].sum())  # leaving out a whole class is always enough
        self.rows = np.flatnonzero(fires == side)
        self.neuron = Neuron(np.zeros(search.sample.n_features), -1.0 if side else 1.0)
        self.lower = 0
        self.proof: list[Core] = []
        self._all = np.ones(len(costs), dtype=bool)
        self._cover = Cover(costs)
        self._cores: dict[tuple[int, ...], Core] = {}
        self._waiting: list[tuple[int, ...]] = []
        self._lots = np.random.default_rng(0)

    @property
    def upper(self) -> int:
        """How many rows are enough."""
        return int(self.costs[self.rows].sum())

    @property
    def _left(self) -> float:
        return self.deadline - time.monotonic()

    @property
    def _is_done(self) -> bool:
        return self.lower >= self.upper or self._left <= 0

    def run(self) -> None:
        """Go on until the bounds meet, or time is up."""
        self._begin()
        wanted: set[tuple[int, ...]] = set()
        while not self._is_done:
            shares = self._fractional()
            if shares is None or self._is_done:
                return
            hits = self._whole(shares, wanted)
            if self._is_done:
                return
            often = np.bincount([row for rows in self._cores for row in rows], minlength=len(self.costs))
            for turn in range(TRIES):
                missed = self._all.copy()
                missed[hits] = False
                wanted.update(self._dig(missed, (often if turn % 2 else shares + GAIN) / self.costs))

    def offer(self, neuron: Neuron) -> bool:
        """Take a neuron that errs on fewer rows than any before."""
        wrong = self.search.wrong(neuron, self._all)
        if int(self.costs[wrong].sum()) >= self.upper:
            return False
        self.rows, self.neuron = wrong, neuron
        return True

    def _begin(self) -> None:
        """Find equal rows of both classes, and a first few certificates."""
        seen: dict[bytes, int] = {}
        for row in range(len(self.costs)):
            other = seen.setdefault(self.search.sample.key(row), row)
            if other != row:
                self._note(Core(np.array([other, row]), (1, 1)))
        self._dig(self._all.copy(), 1.0 / self.costs)
        if self._cores and self.lower == 0:
            first = next(iter(self._cores.values()))
            self._raise(int(self.costs[first.rows].min()), [first])

    def _note(self, core: Core) -> tuple[int, ...]:
        rows = tuple(sorted(core.rows.tolist()))
        if rows not in self._cores:
            self._cores[rows] = core
            self._waiting.append(rows)
        return rows

    def _raise(self, bound: int, proof: list[Core]) -> None:
        if bound > self.lower:
            self.lower, self.proof = bound, proof

    def _dig(self, allowed: Array, weights: Array) -> list[tuple[int, ...]]:
        """Find certificate after certificate, each time leaving out its heaviest row, until the rest is separable."""
        found = []
        while (result := self.search.decide(allowed, self.deadline)) is not None:
            if isinstance(result, Neuron):
                if self.offer(result):
                    self._put_back()
                break
            found.append(self._note(result))
            lots = 0.7 + 0.6 * self._lots.random(len(result.rows))
            allowed[result.rows[np.argmax(weights[result.rows] * lots)]] = False
        return found

    def _put_back(self) -> None:
        """Put back rows that needn't have been left out; the others give certificates."""
        for row in self._lots.permutation(self.rows).tolist():
            if self._is_done or row not in self.rows:
                continue
            allowed = self._all.copy()
            allowed[self.rows] = False
            allowed[row] = True
            result = self.search.decide(allowed, self.deadline)
            if isinstance(result, Neuron):
                self.offer(result)
            elif isinstance(result, Core):
                self._note(result)

    def _fractional(self) -> Array | None:
        """Find certificates that a choice of rows in parts misses; return the last such choice."""
        shares, best, stalled = None, -math.inf, 0
        while stalled < 3 and not self._is_done:
            self._cover.add(self._waiting)
            self._waiting = []
            solved = self._cover.shares(None if self._left == math.inf else self._left)
            if solved is None:
                return None
            value, shares = solved
            self._raise(math.ceil(value - ROUNDING), list(self._cores.values()))
            stalled = stalled + 1 if value < best + GAIN else 0
            best = max(value, best)
            known = len(self._cores)
            for level in LEVELS:
                if not self._is_done:
                    self._dig(shares < level, (shares + GAIN) / self.costs)
            if len(self._cores) == known:
                break
        return shares

    def _whole(self, shares: Array, wanted: set[tuple[int, ...]]) -> list[int]:
        """Return the fewest rows that hit the certificates that matter most."""
        self._cover.add(self._waiting)
        self._waiting = []
        sets = self._cover.sets
        covered = np.array([shares[list(rows)].sum() for rows in sets])
        chosen = set(np.argsort(covered, kind="stable")[:SETS].tolist())
        chosen.update(k for k, rows in enumerate(sets) if rows in wanted)
        which = sorted(chosen)
        hits, bound = self._cover.cheapest(which, self.rows.tolist(), self._left)
        self._raise(bound, [self._cores[sets[k]] for k in which])
        return hits
