"""Chains: a neuron decides the rows at both ends of a weighted sum, and the next one those in between.

Let a neuron see the inputs with weights `w` and one hidden neuron `g`. It computes ``T1 where g, else T0``, T0 and T1
being "the sum reaches a threshold" with the same weights. So below both thresholds the function is 0, above both it is
1, and in between it is `g` or its negation. Read backwards: choose `w`; rows whose sum is below that of every true
row, or above that of every false one, are decided; the rest, the *window*, is a function with fewer rows to get right,
left to `g`. The chain ends where a window is empty. Negations cost nothing, since `w` may be turned round.

Up to four inputs `fewest` tries all weights from -3 to 3 and all windows. That no network is smaller than its chains is
a fact about 65,536 functions, which the tests compute anew from the 94,572 threshold functions of five inputs: two
neurons make exactly the functions for which a chain of at most two is found, and all others get three. A row for which
either value will do is in no window, so a table with such rows gets the fewest gates of all its completions.

Above four inputs `beam` keeps the most promising windows, and takes weights from a pool, from least squares and from
small steps away from the best of these: short chains, not proved shortest.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for networks of threshold gates.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TypeAlias

import numpy as np

from limen.logic._plan import Neuron, Plan, constant
from limen.logic.asked import DONT_CARE, rows_of
from limen.logic.threshold import one_neuron
from limen.step import Array

__all__ = ["EXACT_INPUTS", "beam", "fewest", "one", "sums"]

EXACT_INPUTS = 4
LARGEST = 3  # weight; enough for all functions of four inputs, as the tests show
MOST = 3  # gates that a function of four inputs needs

POOLED_WELL, POOLED = 8, 10  # inputs up to which a pool of weights is enough, and up to which there is one
POOL = 1 << 21  # sums in the table of a pool
WIDEST_POOL = 17_000  # vectors of weights in it
FINEST = 40  # weight that least squares is rounded to
SLOWEST = 0.96  # of a window left by the next one, above which a chain of many inputs is given up

_Window: TypeAlias = tuple[Array, Array]  # the rows that must fire and those that mustn't
_Link: TypeAlias = tuple[tuple[int, ...], int, int]  # weights, threshold above the window, least sum in it


@lru_cache(maxsize=8)
def _pool(n: int) -> tuple[Array, Array]:
    """Return vectors of weights, lightest and least negative first, and their sums, shape (rows, vectors)."""
    largest = LARGEST
    while (2 * largest + 1) ** n > WIDEST_POOL and largest > 1:
        largest -= 1
    most = min(WIDEST_POOL, POOL >> n)
    if (2 * largest + 1) ** n <= most:
        weights = np.array(list(product(range(-largest, largest + 1), repeat=n)), dtype=np.int16)
    else:
        weights = np.random.default_rng(n).integers(-LARGEST, LARGEST + 1, (most, n)).astype(np.int16)
    weights = weights.reshape(-1, n)
    order = np.lexsort(((weights < 0).sum(1), np.abs(weights).max(1, initial=0), np.abs(weights).sum(1)))
    weights = weights[order]
    return weights, sums(weights, n).T.copy()


def sums(weights: Array, n: int) -> Array:
    """Return the weighted sums of all rows of `n` inputs, one row of them for each vector of weights.

    Examples
    --------
    >>> sums(np.array([[2, 1]]), 2)
    array([[0, 1, 2, 3]])
    """
    total: Array = np.zeros((len(weights), 1), dtype=weights.dtype)
    for column in weights.T:
        total = (total[:, :, np.newaxis] + np.outer(column, [0, 1])[:, np.newaxis, :]).reshape(
            len(weights), -1
        )
    return total.astype(weights.dtype)


def one(values: Array) -> Neuron | None:
    """Return the one neuron that computes a table, `DONT_CARE` where either value will do, or None.

    Examples
    --------
    >>> one(np.array([0, 0, 0, 1])), one(np.array([0, 1, 1, 0]))
    (({0: 1, 1: 1}, 2), None)
    """
    answer = one_neuron(values, least=len(values) <= 1 << 7, time_limit=None)
    if answer.network is None:
        return None
    layer = answer.network.layers[0]
    column = layer.dense()[:, 0].tolist()
    return {i: w for i, w in enumerate(column) if w}, -int(layer.bias[0])


def fewest(values: Array) -> Plan:
    """Return a plan with the fewest gates for a table of at most four inputs.

    Parameters
    ----------
    values : ndarray of shape (2**n,)
        0, 1 and `DONT_CARE`.

    Examples
    --------
    >>> fewest(np.array([0, 1, 1, 0]))
    [({0: 1, 1: 1}, 2), ({0: 1, 1: 1, 2: -2}, 1)]
    """
    n = len(values).bit_length() - 1
    window = np.flatnonzero(values == 1), np.flatnonzero(values == 0)
    if not min(map(len, window)):
        return constant(len(window[0]) > 0)
    for n_gates in range(1, MOST + 1):
        links = _chain(n, window, n_gates)
        if links is not None:
            return _plan(n, links)
    raise AssertionError("every function of four inputs is a chain of three")


def _chain(n: int, window: _Window, n_gates: int) -> list[_Link] | None:
    """Return a chain of at most so many links, from the output inwards; None if there is none."""
    weights, table = _pool(n)
    above, least, firing, resting = _windows(table[window[0]], table[window[1]])
    left = firing.sum(0) + resting.sum(0)
    done = int(np.argmin(left))
    if left[done] == 0:
        return [_link(weights, above, least, done)]
    if n_gates == 1:
        return None
    places = np.packbits(np.concatenate([firing, resting]), axis=0)
    _, vectors = np.unique(places, axis=1, return_index=True)
    for k in sorted(vectors.tolist(), key=lambda k: (left[k], k)):
        rest = _chain(n, (window[0][firing[:, k]], window[1][resting[:, k]]), n_gates - 1)
        if rest is not None:
            return [_link(weights, above, least, k), *rest]
    return None


def _windows(firing: Array, resting: Array) -> tuple[Array, Array, Array, Array]:
    """Return for each vector of weights the largest sum that mustn't fire, the least that must, and what is undecided.

    Parameters
    ----------
    firing, resting : ndarray of shape (n_rows, n_vectors)
        The sums of the rows that must fire, and of those that mustn't.
    """
    above, least = resting.max(0), firing.min(0)
    return above, least, firing <= above, resting >= least


def _sums_at(window: _Window, weights: Array) -> tuple[Array, Array]:
    """Return the weighted sums in a window's rows, for each vector of weights."""
    n = weights.shape[1]
    columns = weights.T.astype(np.float32)  # small whole numbers, so the product is exact
    firing, resting = (rows_of(rows, n).astype(np.float32) @ columns for rows in window)
    return firing.astype(np.int32), resting.astype(np.int32)


def _link(weights: Array, above: Array, least: Array, k: int) -> _Link:
    return tuple(weights[k].tolist()), int(above[k]) + 1, int(least[k])


def _plan(n: int, links: list[_Link], innermost: Neuron | None = None) -> Plan:
    """Return the neurons of a chain, the innermost first; hidden ones are turned so that most weights are positive."""
    plan: Plan = [] if innermost is None else [innermost]
    for weights, above, least in reversed(links):
        neuron = {i: w for i, w in enumerate(weights) if w}
        threshold = above
        if plan:
            hidden, c = n + len(plan) - 1, above - least
            inner, t = plan[-1]
            if sum(inner.values()) < 0:
                plan[-1] = {signal: -w for signal, w in inner.items()}, 1 - t
                threshold, c = threshold - c, -c  # c·g is c - c·(not g)
            neuron[hidden] = c
        plan.append((neuron, threshold))
    return plan


def beam(values: Array, limit: int, width: int, branches: int, rounds: int) -> Plan | None:
    """Return a short chain for a table.

    Parameters
    ----------
    values : ndarray of shape (2**n,)
        0, 1 and `DONT_CARE`, neither 0 nor 1 missing.
    limit : int
        Longer chains aren't looked for: None then.
    width, branches : int
        Windows kept at a time, and new ones tried for each.
    rounds : int
        Steps from the best weights of the pool to better ones near them.
    """
    n = len(values).bit_length() - 1
    states: list[tuple[_Window, list[_Link]]]
    states = [((np.flatnonzero(values == 1), np.flatnonzero(values == 0)), [])]
    for length in range(1, limit + 1):
        found: dict[tuple[bytes, bytes], tuple[_Window, list[_Link]]] = {}
        for window, links in states:
            weights = _best(n, window, branches, rounds)
            above, least, firing, resting = _windows(*_sums_at(window, weights))
            left = firing.sum(0) + resting.sum(0)
            done = int(np.argmin(left))
            if left[done] == 0:
                return _plan(n, [*links, _link(weights, above, least, done)])
            for k in range(len(weights)) if length < limit else ():
                smaller = window[0][firing[:, k]], window[1][resting[:, k]]
                key = smaller[0].tobytes(), smaller[1].tobytes()
                if key not in found:
                    found[key] = smaller, [*links, _link(weights, above, least, k)]
        ranked = sorted(found.values(), key=lambda state: len(state[0][0]) + len(state[0][1]))
        if n > POOLED and ranked:
            before = min(len(window[0]) + len(window[1]) for window, _ in states)
            if len(ranked[0][0][0]) + len(ranked[0][0][1]) > SLOWEST * before:
                return None  # it goes on like this
        states = ranked[:width]
        for window, links in states[:branches]:
            if len(window[0]) + len(window[1]) <= 4 * (n + 1):
                partial = np.full(len(values), DONT_CARE, dtype=np.int8)
                partial[window[0]], partial[window[1]] = 1, 0
                innermost = one(partial)
                if innermost is not None:
                    return _plan(n, links, innermost)
    return None


def _best(n: int, window: _Window, branches: int, rounds: int) -> Array:
    """Return the vectors of weights that leave the smallest windows: of the pool and of least squares, and better ones near them."""
    best = np.empty((0, n), dtype=np.int16)
    if n <= POOLED:
        weights, table = _pool(n)
        best = _ranked(weights, table[window[0]], table[window[1]], branches)
    if n > POOLED_WELL:
        best = np.concatenate([best, _directions(n, window)])
    steps = np.concatenate([size * np.eye(n, dtype=np.int16) for size in (1, -1, 2, -2)])
    for k in range(rounds):
        if k == 0:
            best = 2 * best  # finer steps
        near = np.concatenate([best, (best[:, np.newaxis] + steps).reshape(-1, n)])
        better = _ranked(near, *_sums_at(window, near), branches)
        if np.array_equal(better, best):
            break
        best = better
    divisors = np.maximum(np.gcd.reduce(best, axis=1, keepdims=True), 1)
    reduced: Array = best // divisors
    return reduced


def _directions(n: int, window: _Window) -> Array:
    """Return weights that least squares suggests, rows on the right side soon counting little."""
    bits = np.concatenate([rows_of(rows, n) for rows in window])
    signs = np.repeat([1.0, -1.0], [len(rows) for rows in window])
    points = np.column_stack([2.0 * bits - 1, np.ones(len(bits))])
    found = []
    for costs in (
        (1, 1),
        (1, 100),
        (100, 1),
    ):  # of a row on the wrong side: one that must fire, one that mustn't
        cost = np.where(signs > 0, *costs) / len(bits)
        weight = cost
        for _ in range(6):
            scaled = (points * weight[:, np.newaxis]).T
            gram = scaled @ points + 1e-6 * weight.sum() * np.eye(n + 1)
            solution = np.linalg.solve(gram, scaled @ signs)
            found.append(solution[:n])
            weight = cost * np.where(signs * (points @ solution) < 1, 1, 0.01)
    directions = np.array(found)
    largest = np.abs(directions).max(1, keepdims=True)
    whole: Array = np.rint(FINEST * directions / np.where(largest > 0, largest, 1)).astype(np.int16)
    return whole


def _ranked(weights: Array, firing: Array, resting: Array, branches: int) -> Array:
    """Return the vectors of weights that leave the smallest windows, each window once."""
    _, _, firing, resting = _windows(firing, resting)
    left = firing.sum(0) + resting.sum(0)
    most = min(3 * branches, len(left))
    best = np.argpartition(left, most - 1)[:most]
    best = best[np.lexsort((best, left[best]))]
    places = np.packbits(np.concatenate([firing[:, best], resting[:, best]]), axis=0)
    _, first = np.unique(places, axis=1, return_index=True)
    ranked: Array = weights[best[np.sort(first)[:branches]]]
    return ranked
