"""Separable or not, exactly, for a few rows: a simplex method in fractions that starts from a solver's suggestion.

Rows ``a`` are signed: all ``a · w`` must be above 0. Either some `w` does that, or 0 is a convex combination of the
rows, and then of at most as many as there are numbers in a row, and one (Gordan's theorem; Carathéodory's). A suggested
combination has a sum ``g`` that is nearly 0. The method looks for the combination whose sum is ``μ g`` with the least
``μ >= 0``: the suggestion is one for ``μ = 1``. If 0 is reached, the rows are a certificate; if not, the multipliers
of the equations are a `w`.

References
----------
G. B. Dantzig (1963), "Linear Programming and Extensions". R. G. Bland (1977), "New finite pivoting rules for the
simplex method", Mathematics of Operations Research 2: why it ends. Solving exactly from a basis found in floats:
D. L. Applegate, W. Cook, S. Dash and D. G. Espinoza (2007), "Exact solutions to linear programming problems",
Operations Research Letters 35.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from limen._rational import null_vector, solve
from limen.step import Array

__all__ = ["Combination", "combination", "decide_exactly"]

PRIMES = (2_147_483_647, 2_147_483_629, 2_147_483_587)  # their products fit into int64
GRAIN = 1 << 40  # a suggestion is kept in whole numbers up to here


@dataclass(frozen=True)
class Combination:
    """Rows by position, and positive whole numbers they are counted with: their sum is 0."""

    rows: list[int]
    counts: list[int]


def combination(signed: Array, rows: Sequence[int]) -> Combination | None:
    """Return the one combination of some rows whose sum is 0, or None if there isn't exactly one, or not of all.

    Parameters
    ----------
    signed : ndarray of int (object), shape (n_rows, n_numbers)
    rows : sequence of int

    Examples
    --------
    >>> combination(np.array([[1, 1], [2, 1], [-3, -2], [9, 9]], dtype=object), [0, 1, 2])
    Combination(rows=[0, 1, 2], counts=[1, 1, 1])
    """
    taken = signed[list(rows)]
    if not len(taken):
        return None
    used = taken[:, (taken != 0).any(axis=0)]
    counts = null_vector(used.T.tolist()) if used.shape[1] else None
    if counts is None or min(counts) < 1:
        return None
    return Combination(list(rows), counts)


def decide_exactly(
    signed: Array, suggestion: Any, deadline: float = math.inf
) -> Combination | list[Fraction] | None:
    """Return a combination of rows whose sum is 0, or else numbers whose product with every row is above 0.

    Parameters
    ----------
    signed : ndarray of int (object), shape (n_rows, n_numbers)
    suggestion : array_like of shape (n_rows,)
        Shares of the rows in a sum that may be 0; any that aren't all 0 will do.
    deadline : float
        When to give up, by `time.monotonic`; the result is then None.

    Examples
    --------
    >>> above = np.array([[2, 1], [1, 1], [1, -1]], dtype=object)
    >>> (above @ decide_exactly(above, [1, 1, 1]) > 0).all()
    np.True_
    >>> decide_exactly(np.array([[2, 1], [-1, 1], [-1, -2]], dtype=object), [1, 1, 0.9])
    Combination(rows=[0, 1, 2], counts=[1, 1, 1])
    """
    for prime in PRIMES:
        found = _from(signed, np.maximum(np.asarray(suggestion, dtype=np.float64), 0.0), prime, deadline)
        if not isinstance(found, Combination):
            return found
        # Equations that depend on others modulo the prime were left out: do they hold?
        if not any((signed[found.rows].T @ np.array(found.counts, dtype=object)).tolist()):
            return found
    raise AssertionError("three primes divide what isn't 0")


def _from(signed: Array, shares: Array, prime: int, deadline: float) -> Combination | list[Fraction] | None:
    n_rows, n_numbers = signed.shape
    largest = float(shares.max(initial=0.0))
    first = np.rint(shares / largest * GRAIN) if largest > 0 else np.ones(n_rows)
    order = np.argsort(-first, kind="stable")
    # The first equation: shares add up to what they do now. Then one for each number of a row.
    matrix = np.concatenate([np.ones((1, n_rows), dtype=object), signed.T])
    kept = [int(order[k]) for k in _independent(matrix[:, order], prime)[1]]
    counts = [int(first[row]) for row in kept]
    if not any(counts):
        counts = [1] * len(kept)
    total = sum(counts)
    target = matrix[:, kept] @ np.array(counts, dtype=object)
    target[0] = 0
    if not target.any():
        positive = [k for k, count in enumerate(counts) if count]
        return _reduced([kept[k] for k in positive], [counts[k] for k in positive])
    column = np.concatenate([matrix, -target[:, np.newaxis]], axis=1)  # the last one is that of μ
    mu = n_rows
    equations, pivots = _independent(column[:, [*kept, mu]], prime)
    system = column[equations]
    right = [total if equation == 0 else 0 for equation in equations]
    if len(pivots) == len(kept) + 1:
        basis = [*kept, mu]
    else:
        at_zero = _solution(system[:, kept], right)
        falling = [k for k, value in enumerate(at_zero) if value < 0]
        if not falling:
            return _combination(kept, at_zero)
        leaving = max(falling, key=lambda k: (-at_zero[k] / (counts[k] - at_zero[k]), -kept[k]))
        basis = [*kept[:leaving], *kept[leaving + 1 :], mu]
    careful = False
    while time.monotonic() < deadline:
        square = system[:, basis]
        level = _solution(square, right)
        prices = _solution(square.T, [int(variable == mu) for variable in basis])
        scale = math.lcm(*(price.denominator for price in prices))
        whole = np.array([int(price * scale) for price in prices], dtype=object)
        # The first price is that of the shares' sum; the others, turned around, are the weights looked for.
        costs = -(whole @ system[:, :n_rows])
        products = costs + whole[0]
        if (products > 0).all():
            weights = [Fraction(0)] * n_numbers
            for equation, price in zip(equations[1:], prices[1:], strict=True):
                weights[equation - 1] = -price
            return weights
        # A row in the basis costs nothing; one that costs less lowers μ.
        entering = int(np.flatnonzero(costs < 0)[0]) if careful else int(np.argmin(costs))
        change = _solution(square, system[:, entering].tolist())
        steps = [
            (value / slope, variable != mu, variable, k)
            for k, (value, slope, variable) in enumerate(zip(level, change, basis, strict=True))
            if slope > 0
        ]
        step, is_row, _, leaving = min(steps)
        careful = step == 0
        if not is_row:
            after = [value - step * slope for value, slope in zip(level, change, strict=True)]
            after[leaving] = step
            basis[leaving] = entering
            return _combination(basis, after)
        basis[leaving] = entering
    return None


def _solution(matrix: Array, right: Sequence[int]) -> list[Fraction]:
    found = solve(matrix.tolist(), right)
    assert found is not None  # a basis is independent
    return found


def _combination(rows: Sequence[int], shares: Sequence[Fraction]) -> Combination:
    used = [(row, share) for row, share in zip(rows, shares, strict=True) if share > 0]
    scale = math.lcm(*(share.denominator for _, share in used))
    return _reduced([row for row, _ in used], [int(share * scale) for _, share in used])


def _reduced(rows: list[int], counts: list[int]) -> Combination:
    divisor = math.gcd(*counts)
    pairs = sorted(zip(rows, (count // divisor for count in counts), strict=True))
    return Combination([row for row, _ in pairs], [count for _, count in pairs])


def _independent(matrix: Array, prime: int) -> tuple[list[int], list[int]]:
    """Return rows and columns of a largest square part that isn't singular, the first columns preferred.

    Independent modulo a prime is independent. The other way round it nearly always is, and the caller checks.
    """
    rest = (matrix % prime).astype(np.int64)
    places = np.arange(len(rest))
    columns: list[int] = []
    for column in range(rest.shape[1]):
        done = len(columns)
        below = np.flatnonzero(rest[done:, column])
        if not len(below):
            continue
        pivot = done + int(below[0])
        rest[[done, pivot]] = rest[[pivot, done]]
        places[[done, pivot]] = places[[pivot, done]]
        rest[done] = rest[done] * pow(int(rest[done, column]), -1, prime) % prime
        others = done + 1 + np.flatnonzero(rest[done + 1 :, column])
        rest[others] = (rest[others] - rest[others, column][:, np.newaxis] * rest[done] % prime) % prime
        columns.append(column)
        if len(columns) == len(rest):
            break
    return places[: len(columns)].tolist(), columns
