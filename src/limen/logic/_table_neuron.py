"""Truth table → is it one neuron? The answer with its least weights, or with rows that show why not.

A complete table goes through `limen.logic._orderly`, which finds four rows that refute, or the order of the inputs and
the rows on the edge; `limen.logic._least` finds the least weights for those, or multiples of them with equal sums. A
table with don't-care entries goes to the latter at once. Whatever comes out is run on all rows, or added up, before it
is called proved or refuted.

References
----------
J. D. Sarje and N. N. Biswas (1977), "Testing threshold functions using implied minterm structure", IEEE Transactions on
Computers C-26: up to eight inputs, two firing and two resting rows refute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from limen.answer import Answer, Certificate
from limen.logic._least import EVERY_TIME, Least, Separate, least_weights
from limen.logic._orderly import Edge, FourRows, bit_set, edge
from limen.logic.asked import DONT_CARE, Asked, numbers_of, rows_of
from limen.network import Layer, Network
from limen.step import Array

__all__ = ["decide_table", "neuron", "proved", "separation", "sums_of"]

FOUR_ROWS = 10  # inputs up to which four rows are looked for before anything else shows why not
EASY = (
    400  # rows on the edge that are given to the first linear program; of more, only the likeliest to matter
)


def decide_table(what: Asked, values: Array, *, least: bool, time_limit: float | None) -> Answer:
    """Return the answer for a truth table of int8."""
    n = what.n_inputs
    if (values != 0).all() or (values != 1).all():
        fires = not (values == 0).any()
        net = neuron(what, [0] * n, 0 if fires else 1)
        return Answer(
            "proved", f"{what.output} {'always' if fires else 'never'} fires.", net, None, (0, 0), True
        )
    if (values == DONT_CARE).any():
        return _incomplete(what, values, least, time_limit)
    found = edge(bit_set(values), n)
    if isinstance(found, FourRows):
        return _refuted(what, found.firing, (1, 1), found.resting, (1, 1))
    return _orderly(what, values, found, least, time_limit)


def neuron(what: Asked, weights: Sequence[int], threshold: int) -> Network:
    """Return one neuron as a network."""
    column = np.array(weights, dtype=np.int64).reshape(-1, 1)
    domain = "binary" if what.network is None else what.network.domain
    return Network(Layer(column, np.array([-threshold])), what.inputs, [what.output], domain=domain)


# A complete table whose inputs have an order ------------------------------------------------------------------


def _orderly(what: Asked, values: Array, found: Edge, least: bool, time_limit: float | None) -> Answer:
    n, k = what.n_inputs, len(found.inputs)
    columns = list(found.inputs)
    firing = rows_of(found.firing, n)[:, columns].astype(np.int64)
    resting = rows_of(found.resting, n)[:, columns].astype(np.int64)
    first_firing, first_resting = firing, resting
    if len(firing) + len(resting) > EASY:
        pulls = np.array(found.pulls, dtype=np.int64)
        first_firing = firing[np.argsort(firing @ pulls, kind="stable")[: EASY // 2]]
        first_resting = resting[np.argsort(-(resting @ pulls), kind="stable")[: EASY // 2]]
    best = least_weights(
        k,
        separation(firing, resting),
        orderly=True,
        firing=first_firing,
        resting=first_resting,
        least=least,
        time_limit=time_limit,
    )
    if best is None:
        return Answer("unknown", f"It isn't known yet whether one neuron computes {what.output}.")
    if best.weights is None:
        return _refuted_by_sums(what, values, found, best)
    weights, threshold = [0] * n, best.threshold
    for place, sign, weight in zip(found.inputs, found.signs, best.weights, strict=True):
        weights[place] = sign * weight
        threshold -= weight if sign < 0 else 0
    unique = best.unique
    if unique:  # the only one in this order; inputs that are exactly as strong must then have one weight
        unequal = zip(best.weights, best.weights[1:], found.twins, strict=False)
        unique = not any(twin and w != v for w, v, twin in unequal)
    return _proved(what, values, weights, threshold, best.lower, unique)


def separation(firing: Array, resting: Array) -> Separate:
    """Return what finds the points of two lists that weights get wrong, the worst first."""
    largest = max((int(np.abs(points).max(initial=1)) for points in (firing, resting)), default=1)

    def separate(weights: list[int], threshold: int, gap: int) -> tuple[Array, Array]:
        small = largest * sum(map(abs, weights)) + abs(threshold) + gap < 1 << 62
        column = np.array(weights, dtype=np.int64 if small else object)
        above, below = firing @ column - threshold, threshold - gap - resting @ column
        return _worst(firing, above), _worst(resting, below)

    return separate


def _worst(points: Array, margins: Array) -> Array:
    """Return the points whose margins are below 0, the lowest first, at most `EVERY_TIME`."""
    wrong = np.flatnonzero(margins < 0)
    if len(wrong) > EVERY_TIME:
        wrong = wrong[np.argpartition(margins[wrong], EVERY_TIME)[:EVERY_TIME]]
    chosen: Array = points[wrong]
    return chosen


def _refuted_by_sums(what: Asked, values: Array, found: Edge, best: Least) -> Answer:
    if what.n_inputs <= FOUR_ROWS:
        four = _four_rows(values)
        if four is not None:
            return _refuted(what, four.firing, (1, 1), four.resting, (1, 1))
    if best.multiples is None:
        return Answer("unknown", f"No neuron was found for {what.output}, nor a proof that there is none.")
    strides = [1 << (what.n_inputs - 1 - place) for place in found.inputs]
    sides: list[dict[int, int]] = []
    for side in _evened(best.multiples, len(strides)):
        rows: dict[int, int] = {}
        for bits, count in side.items():
            row = sum(stride for stride, bit in zip(strides, bits, strict=True) if bit) ^ found.turned
            rows[row] = rows.get(row, 0) + count
        sides.append(dict(sorted(rows.items(), reverse=True)))
    return _refuted(
        what, tuple(sides[0]), tuple(sides[0].values()), tuple(sides[1]), tuple(sides[1].values())
    )


def _evened(multiples: list[tuple[Array, int]], n: int) -> tuple[dict[Any, int], dict[Any, int]]:
    """Return points with multiplicities whose sums are equal, from orderly ones where the resting are stronger.

    Counted from the strongest input on, the resting points have at least as many ones as the firing ones. Where they
    have most more, up to input `k`, either a firing point is off at `k` and on at `k + 1`, or a resting point is on at
    `k` and off at `k + 1`. Exchanging the two inputs strengthens the firing or weakens the resting point, so it stays
    what it is, and takes one away from the difference at `k` alone.
    """
    firing: dict[tuple[int, ...], int] = {}
    resting: dict[tuple[int, ...], int] = {}
    for point, count in multiples:
        side = firing if count > 0 else resting
        bits = tuple(int(bit) for bit in point)
        side[bits] = side.get(bits, 0) + abs(count)
    ahead = [0] * n
    for side, sign in ((resting, 1), (firing, -1)):
        for bits, count in side.items():
            total = 0
            for k, bit in enumerate(bits):
                total += bit
                ahead[k] += sign * count * total
    while max(ahead, default=0) > 0:
        k = ahead.index(max(ahead))
        side, off = firing, 0
        movable = [b for b in firing if _step(b, k) == (0, 1)]
        if not movable:
            side, off = resting, 1
            movable = [b for b in resting if _step(b, k) == (1, 0)]
        bits = movable[0]
        times = min(side[bits], ahead[k])
        side[bits] -= times
        if not side[bits]:
            del side[bits]
        moved = list(bits)
        moved[k] = 1 - off
        if k + 1 < n:
            moved[k + 1] = off
        side[tuple(moved)] = side.get(tuple(moved), 0) + times
        ahead[k] -= times
    return firing, resting


def _step(bits: tuple[int, ...], k: int) -> tuple[int, int]:
    """Return bits `k` and `k + 1`; after the last one comes whatever differs from it."""
    return bits[k], bits[k + 1] if k + 1 < len(bits) else 1 - bits[k]


def _four_rows(values: Array) -> FourRows | None:
    """Return two firing and two resting rows with equal sums, if there are any.

    A row read in base 3 adds up without carries: two pairs have equal sums iff their numbers in base 3 have.
    """
    n = len(values).bit_length() - 1
    rows = rows_of(np.arange(len(values)), n).astype(np.int64)
    codes = rows @ (3 ** np.arange(n - 1, -1, -1, dtype=np.int64))
    pairs = []
    for kind in (1, 0):
        own = np.flatnonzero(values == kind)
        sums = (codes[own][:, np.newaxis] + codes[own]).ravel()
        pairs.append((own, sums))
    (firing, fired), (resting, rested) = pairs
    seen: Array = np.full(3**n, -1, dtype=np.int64)
    seen[rested] = np.arange(len(rested))
    hits = np.flatnonzero(seen[fired] >= 0)
    if not len(hits):
        return None
    a, b = divmod(int(hits[0]), len(firing))
    c, d = divmod(int(seen[fired[hits[0]]]), len(resting))
    return FourRows((int(firing[a]), int(firing[b])), (int(resting[c]), int(resting[d])))


# A table with don't-care entries ------------------------------------------------------------------------------


def _incomplete(what: Asked, values: Array, least: bool, time_limit: float | None) -> Answer:
    n = what.n_inputs
    if n <= FOUR_ROWS:
        four = _four_rows(values)
        if four is not None:
            return _refuted(what, four.firing, (1, 1), four.resting, (1, 1))
    firing, resting = np.flatnonzero(values == 1), np.flatnonzero(values == 0)

    def separate(weights: list[int], threshold: int, gap: int) -> tuple[Array, Array]:
        sums = sums_of(weights)
        wrong_firing = _worst(firing, sums[firing] - threshold)
        wrong_resting = _worst(resting, threshold - gap - sums[resting])
        return rows_of(wrong_firing, n).astype(np.int64), rows_of(wrong_resting, n).astype(np.int64)

    best = least_weights(n, separate, orderly=False, least=least, time_limit=time_limit)
    if best is None or (best.weights is None and best.multiples is None):
        return Answer("unknown", f"It isn't known yet whether one neuron computes {what.output}.")
    if best.weights is None:
        assert best.multiples is not None
        rows = numbers_of(np.array([point for point, _ in best.multiples])).tolist()
        counted = list(zip(rows, (count for _, count in best.multiples), strict=True))
        return _refuted(
            what,
            tuple(row for row, count in counted if count > 0),
            tuple(count for _, count in counted if count > 0),
            tuple(row for row, count in counted if count < 0),
            tuple(-count for _, count in counted if count < 0),
        )
    return _proved(what, values, best.weights, best.threshold, best.lower, best.unique)


def sums_of(weights: Sequence[int]) -> Array:
    """Return the weighted sum of every row of the truth table, exactly.

    Examples
    --------
    >>> sums_of([2, -1])
    array([ 0, -1,  2,  1])
    """
    small = sum(map(abs, weights)) < 1 << 62
    sums: Array = np.zeros(1, dtype=np.int64 if small else object)
    for weight in weights:
        sums = np.stack([sums, sums + weight], axis=1).ravel()
    return sums


# Answers ------------------------------------------------------------------------------------------------------


def _proved(
    what: Asked, values: Array, weights: list[int], threshold: int, lower: int, unique: bool | None
) -> Answer:
    """Return the answer that there is a neuron, having run it on all rows."""
    fires = (sums_of(weights) >= threshold).astype(np.int8)
    if not ((fires == values) | (values == DONT_CARE)).all():
        return Answer("unknown", f"A neuron was found for {what.output}, but it isn't right on all rows.")
    return proved(what, weights, threshold, lower, unique)


def proved(what: Asked, weights: list[int], threshold: int, lower: int, unique: bool | None) -> Answer:
    """Return the answer that there is a neuron, and how small its weights are known to be."""
    size = sum(map(abs, weights))
    says = f"One neuron computes {what.output}"
    if lower < size:
        says += f". Its weights add up to {size:,}; the least possible sum isn't known, but is at least {lower:,}."
    elif unique is None:
        says += "; no smaller whole weights do."
    else:
        says += f"; no smaller whole weights do, and {'no' if unique else 'some'} others as small."
    net = neuron(what, weights, threshold)
    return Answer("proved", says, net, None, (lower, size), unique if lower == size else None)


def _refuted(
    what: Asked,
    firing: tuple[int, ...],
    firing_counts: tuple[int, ...],
    resting: tuple[int, ...],
    resting_counts: tuple[int, ...],
) -> Answer:
    """Return the answer that there is no neuron, having checked its rows."""
    both = []
    for rows, counts in ((firing, firing_counts), (resting, resting_counts)):
        counted: dict[int, int] = {}
        for row, count in zip(rows, counts, strict=True):
            counted[row] = counted.get(row, 0) + count
        both.append((tuple(counted), tuple(counted.values())))
    (firing, firing_counts), (resting, resting_counts) = both
    n = what.n_inputs
    certificate = Certificate(
        rows_of(firing, n),
        rows_of(resting, n),
        firing_counts,
        resting_counts,
        firing,
        resting,
        what.inputs,
        what.decide,
    )
    if not certificate.check():
        return Answer("unknown", f"No neuron was found for {what.output}, nor a proof that there is none.")
    return Answer(
        "refuted",
        f"No single neuron computes {what.output}: these rows have equal sums, so equal net inputs, whatever the"
        " weights.",
        None,
        certificate,
    )
