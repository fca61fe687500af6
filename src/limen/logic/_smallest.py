"""The smallest plan for a table that several ways of building can find.

One neuron, if it is one; up to four inputs the fewest gates there are (`limen.logic._chain.fewest`); above that the best
of

* functions of one weighted sum, for some natural weights (`limen.logic._line`),
* chains (`limen.logic._chain.beam`),
* a table's thresholds, moved (`limen.logic._telescope`),
* Shannon's expansion ``x ? f1 : f0``, as many gates as the two parts have, where a part is simple,
* conjunctions, disjunctions and parities of functions of different inputs (`limen.logic._parts`).

Inputs that don't matter are left out first. Don't-care entries stay open as long as they can.

References
----------
C. E. Shannon (1949), "The synthesis of two-terminal switching circuits", Bell System Technical Journal 28.
C. K. Chow (1961), "On the characterization of threshold functions": how often an input agrees with the function.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limen.logic._chain import EXACT_INPUTS, beam, fewest, one, sums
from limen.logic._line import along
from limen.logic._parts import JUNCTIONS, joined, parts
from limen.logic._plan import Plan, constant, either, renamed
from limen.logic._telescope import best_parting, telescoped
from limen.logic.asked import DONT_CARE
from limen.step import Array

__all__ = ["matters", "smallest"]

BEAMS = {5: (60, 20, 8), 6: (20, 20, 10), 7: (12, 12, 8), 8: (6, 8, 6), 9: (3, 6, 6), 10: (2, 6, 6)}
MANY = (2, 4, 6)
"""Windows kept, new ones for each, and steps to better weights, by number of inputs."""


def matters(values: Array) -> tuple[list[int], Array]:
    """Return the inputs that matter, and the table over these alone.

    Examples
    --------
    >>> matters(np.array([0, 0, 1, -1]))
    ([0], array([0, 1]))
    """
    n = len(values).bit_length() - 1
    kept = list(range(n))
    cube = values.reshape((2,) * n)
    for i in range(n):
        axis = kept.index(i)
        off, on = np.take(cube, 0, axis), np.take(cube, 1, axis)
        if ((off == on) | (off == DONT_CARE) | (on == DONT_CARE)).all():
            cube = np.where(off == DONT_CARE, on, off)
            kept.remove(i)
    return kept, cube.reshape(-1)


def smallest(values: Array, limit: int | None = None) -> Plan | None:
    """Return the smallest plan that is found.

    Parameters
    ----------
    values : ndarray of shape (2**n,)
        0, 1 and `DONT_CARE`.
    limit : int, optional
        Larger plans aren't wanted: None is returned instead.

    Examples
    --------
    >>> smallest(np.array([0, 1, 1, 0, 1, 0, 0, 1]))
    [({0: 1, 1: 1, 2: 1}, 2), ({0: 1, 1: 1, 2: 1, 3: -2}, 1)]
    """
    n = len(values).bit_length() - 1
    limit = len(values) if limit is None else limit
    if n <= EXACT_INPUTS:
        return _at_once(values, limit)
    kept, table = matters(values)
    if len(kept) < n and (values == DONT_CARE).any():  # leaving inputs out settles entries that were open
        neuron = one(values)
        if neuron is not None:
            return [neuron] if limit >= 1 else None
    plan = _of_all(table, limit)
    return None if plan is None else renamed(plan, kept, n, 0)


def _of_all(values: Array, limit: int) -> Plan | None:
    """Return the smallest plan for a table whose inputs all matter, if it has at most `limit` gates."""
    n = len(values).bit_length() - 1
    if limit < 1:
        return None
    limit = min(limit, (1 << n // 2) + (1 << (n + 1) // 2))  # what moved thresholds take at most
    best = _at_once(values, limit)
    if best is not None and (len(best) <= 2 or n <= EXACT_INPUTS):
        return best if len(best) <= limit else None
    most = limit if best is None else len(best) - 1
    if most < 2:
        return best
    width, branches, rounds = BEAMS.get(n, MANY)
    if n > EXACT_INPUTS:
        # Beyond this length the moved thresholds are about as few, and sooner found.
        found = beam(values, min(most, 3 << (n // 2), 40), width, branches, rounds)
        if found is not None:
            best, most = found, len(found) - 1
    if most >= 3:
        found = _moved(values, most)
        if found is not None:
            best, most = found, len(found) - 1
    for expanded in _expansions(values, most):
        if len(expanded) <= most:
            best, most = expanded, len(expanded) - 1
    return best if best is not None and len(best) <= limit else None


def _at_once(values: Array, limit: int) -> Plan | None:
    """Return a plan that is found without much searching, or None if that has more gates than `limit`."""
    n = len(values).bit_length() - 1
    if n <= EXACT_INPUTS:
        plan = fewest(values)
        return plan if len(plan) <= limit else None
    neuron = one(values)
    if neuron is not None or limit < 2:
        return None if neuron is None else [neuron]
    best: Plan | None = None
    for weights in _natural(values):
        found = along(weights, sums(np.array([weights]), n)[0], values, limit)
        if found is not None:
            best, limit = found, len(found) - 1
            if limit < 2:
                break
    return best


def _natural(values: Array) -> Iterator[list[int]]:
    """Yield weights that functions often depend on alone: ones, Chow's parameters, powers of two."""
    n = len(values).bit_length() - 1
    cube = np.where(values == DONT_CARE, 0, 2 * values.astype(np.int64) - 1).reshape((2,) * n)
    chow = np.array([int(np.take(cube, 1, i).sum() - np.take(cube, 0, i).sum()) for i in range(n)])
    signs = np.where(chow < 0, -1, 1)
    ranks = np.searchsorted(np.unique(np.abs(chow)), np.abs(chow)) + 1
    places = np.argsort(np.argsort(np.abs(chow), kind="stable"), kind="stable")
    yield [1] * n
    yield signs.tolist()
    yield (signs * ranks).tolist()
    if chow.any():
        yield (chow // np.gcd.reduce(chow)).tolist()
    yield (signs << places).tolist()
    halves = np.arange(n - 1, -1, -1) % ((n + 1) // 2)  # two numbers, one after the other or digit by digit
    yield (1 << halves).tolist()
    yield np.where(np.arange(n) < n // 2, 1 << halves, -(1 << halves)).tolist()
    yield (1 << (np.arange(n - 1, -1, -1) // 2)).tolist()


def _moved(values: Array, most: int) -> Plan | None:
    n = len(values).bit_length() - 1
    whole = values
    if (values == DONT_CARE).any():  # each as the row before it, so that there are fewer changes
        known = np.maximum.accumulate(np.where(values == DONT_CARE, 0, np.arange(len(values))))
        whole = np.maximum(values[known], 0)
    orders = [tuple(range(n)), tuple(range(n))[::-1], (*range(0, n, 2), *range(1, n, 2))]
    n_gates, order, n_first = best_parting(whole, orders)
    return telescoped(whole, order, n_first) if n_gates <= most else None


def _expansions(values: Array, most: int) -> Iterator[Plan]:
    """Yield plans made of plans for parts of the table: of different inputs, or parted at one input."""
    n = len(values).bit_length() - 1
    for junction in JUNCTIONS if (values != DONT_CARE).all() else ():
        pieces = parts(values, junction)
        plans: list[Plan] = []
        for block, table in pieces if len(pieces) > 1 else ():
            plan = smallest(table, most - sum(map(len, plans)))
            if plan is None:
                break
            plans.append(renamed(plan, block, n, 0))
        if len(plans) == len(pieces):
            yield joined(plans, n, junction)
    cube = values.reshape((2,) * n)
    pairs = []
    for i in range(n):
        fails, holds = np.take(cube, 0, i).reshape(-1), np.take(cube, 1, i).reshape(-1)
        left = len(matters(fails)[0]) + len(matters(holds)[0])
        pairs.append((left, i, fails, holds))
    pairs.sort(key=lambda pair: pair[:2])
    for place, (left, i, fails, holds) in enumerate(pairs):
        others = [k for k in range(n) if k != i]
        # The parts are searched in full only where inputs fall out of them, so that the work stays small.
        search = smallest if place == 0 and left < 2 * (n - 1) else _quickly
        first = search(fails, most - 1)
        second = None if first is None else search(holds, most - len(first))
        if first is not None and second is not None:
            yield either(i, renamed(second, others, n, 0), renamed(first, others, n, 0), n)


def _quickly(values: Array, limit: int) -> Plan | None:
    n = len(values).bit_length() - 1
    kept, table = matters(values)
    if not kept:
        return constant(bool((table == 1).any()))
    plan = _at_once(table, limit)
    return None if plan is None else renamed(plan, kept, n, 0)
