"""Which point of a neuron do other weights get wrong the most? For neurons with more inputs than a table has.

Of the points where a neuron rests (``a·x <= t - 1``), the one that other weights ``w`` put highest is the best filling
of a knapsack: most ``w·x`` for at most ``t - 1`` of ``a·x``. Firing points are the same with every input turned over.
Two ways, both exact: a table over the sums, while those are small; two halves of the inputs, sorted, while there are few.

References
----------
R. Bellman (1957), "Dynamic Programming", Princeton University Press.
E. Horowitz and S. Sahni (1974), "Computing partitions with applications to the knapsack problem", Journal of the ACM 21.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limen.logic._least import Separate
from limen.logic._table_neuron import sums_of
from limen.step import Array

__all__ = ["can_be_asked", "of_neuron"]

MOST_SUMS = 1 << 26  # entries of the table over sums, one for each input and sum
MOST_HALVED = 36  # inputs that are cut into halves of all combinations
WHOLE = 1 << 62


def can_be_asked(sizes: Sequence[int], need: int) -> bool:
    """Tell whether one of the two ways goes."""
    return len(sizes) <= MOST_HALVED or len(sizes) * max(need, sum(sizes) - need + 1) <= MOST_SUMS


def of_neuron(sizes: Sequence[int], need: int) -> Separate:
    """Return what finds the points that weights get wrong, the neuron being ``Σ sizes·x >= need``, sizes above 0.

    Examples
    --------
    >>> separate = of_neuron([2, 1, 1], 3)
    >>> [points.tolist() for points in separate([1, 1, 1], 2, 1)]
    [[], [[0, 1, 1]]]
    """
    n = len(sizes)
    spare = sum(sizes) - need
    nothing: Array = np.zeros((0, n), dtype=np.int64)

    def separate(weights: list[int], threshold: int, gap: int) -> tuple[Array, Array]:
        off = _fill(sizes, weights, spare)  # what is off, where it fires with the lowest sum
        on = _fill(sizes, weights, need - 1)
        firing = resting = nothing
        if sum(w for w, bit in zip(weights, off, strict=True) if not bit) < threshold:
            firing = _at_the_edge(1 - np.array([off], dtype=np.int64), sizes, need)
        if sum(w for w, bit in zip(weights, on, strict=True) if bit) > threshold - gap:
            resting = 1 - _at_the_edge(1 - np.array([on], dtype=np.int64), sizes, spare + 1)
        return firing, resting

    return separate


def _at_the_edge(points: Array, sizes: Sequence[int], need: int) -> Array:
    """Return firing points weakened as far as they go: inputs exchanged for the next weaker one, or turned off."""
    points = points.copy()
    for point in points:
        total = sum(s for s, bit in zip(sizes, point.tolist(), strict=True) if bit)
        moved = True
        while moved:
            moved = False
            for i in range(len(sizes) - 1, -1, -1):
                if not point[i]:
                    continue
                if total - sizes[i] >= need:
                    point[i], total, moved = 0, total - sizes[i], True
                elif i + 1 < len(sizes) and not point[i + 1] and total - sizes[i] + sizes[i + 1] >= need:
                    point[i], point[i + 1] = 0, 1
                    total, moved = total - sizes[i] + sizes[i + 1], True
    return points


def _fill(sizes: Sequence[int], values: Sequence[int], capacity: int) -> list[int]:
    """Return the bits of most value whose sizes add up to at most `capacity`, values being at least 0."""
    if len(sizes) * (capacity + 1) <= MOST_SUMS:
        return _by_sums(sizes, values, capacity)
    return _by_halves(sizes, values, capacity)


def _by_sums(sizes: Sequence[int], values: Sequence[int], capacity: int) -> list[int]:
    best: Array = np.zeros(capacity + 1, dtype=_kind(values))
    taken: Array = np.zeros((len(sizes), capacity + 1), dtype=bool)
    for i, (size, value) in enumerate(zip(sizes, values, strict=True)):
        if size <= capacity:
            with_it = best[: capacity + 1 - size] + value
            taken[i, size:] = with_it > best[size:]
            best[size:] = np.maximum(best[size:], with_it)
    bits, left = [0] * len(sizes), capacity
    for i in range(len(sizes) - 1, -1, -1):
        if taken[i, left]:
            bits[i], left = 1, left - sizes[i]
    return bits


def _kind(numbers: Sequence[int]) -> type:
    """Return int64, or Python's integers where sums would leave it."""
    return np.int64 if sum(numbers) < WHOLE else object


def _by_halves(sizes: Sequence[int], values: Sequence[int], capacity: int) -> list[int]:
    half = len(sizes) // 2
    (a_sizes, a_values), (b_sizes, b_values) = (
        (sums_of(sizes[run]), sums_of(values[run])) for run in (slice(half), slice(half, None))
    )
    order = np.argsort(b_sizes, kind="stable")
    b_sizes, b_values = b_sizes[order], b_values[order]
    highest = np.maximum.accumulate(b_values)
    fits = np.flatnonzero(a_sizes <= capacity)
    last = np.searchsorted(b_sizes, capacity - a_sizes[fits], side="right") - 1
    k = int(np.argmax(a_values[fits] + highest[last]))
    a = int(fits[k])
    b = int(order[np.argmax(b_values[: last[k] + 1])])
    rest = len(sizes) - half
    return [a >> (half - 1 - i) & 1 for i in range(half)] + [b >> (rest - 1 - i) & 1 for i in range(rest)]
