"""Truth tables as bit sets: which way each input pushes, which is the strongest, and which rows are on the edge.

A table of ``n`` inputs is one Python integer of ``2**n`` bits, bit ``r`` for row ``r``; so a test over all rows is a few
operations on long integers. A threshold function must pass two of them:

* *unate*: each input, turned on, either never stops the neuron (weight above 0) or never starts it (below 0);
* *2-monotone*: of two inputs, turned that way, one is at least as strong: whatever the others are, it does all that
  the other does. Chow's parameters (on how many firing rows an input is on) say which of two can be the stronger.

A table that fails shows it on four rows, two firing and two not, with equal sums. One that passes has an order of its
inputs, ``w1 >= w2 >= …``, and then only the rows on the edge matter: firing rows that stop when an input is exchanged
for the next weaker one or the weakest is turned off, and resting rows that start when the opposite is done.

References
----------
C. K. Chow (1961), "On the characterization of threshold functions", Symposium on Switching Circuit Theory and
Logical Design.
R. O. Winder (1962), "Threshold Logic", PhD thesis, Princeton University: 2-monotonicity and the order of the inputs.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from limen.step import Array

__all__ = ["Edge", "FourRows", "bit_set", "edge", "members"]


@dataclass(frozen=True)
class FourRows:
    """Two firing and two resting rows with equal sums, by number."""

    firing: tuple[int, int]
    resting: tuple[int, int]


@dataclass(frozen=True)
class Edge:
    """An orderly function: its inputs from the strongest to the weakest, and the rows that settle its weights.

    Attributes
    ----------
    inputs : tuple of int
        The inputs that matter, by position, strongest first.
    signs : tuple of int
        1 or -1 for each of these: whether turning it on helps or hinders.
    twins : tuple of bool
        For each but the last, whether the next one is exactly as strong.
    pulls : tuple of int
        For each input, in how many more firing than resting rows it helps: a first guess at its weight.
    firing, resting : ndarray of int64
        Numbers of the rows on the edge, hindering inputs turned over and inputs that don't matter off.
    turned : int
        What a row's number has to be xored with to become that of the table as it was given.
    """

    inputs: tuple[int, ...]
    signs: tuple[int, ...]
    twins: tuple[bool, ...]
    pulls: tuple[int, ...]
    firing: Array
    resting: Array
    turned: int


def bit_set(flags: Array) -> int:
    """Return the integer whose bit ``r`` is set where ``flags[r]`` isn't 0.

    Examples
    --------
    >>> bit_set(np.array([1, 0, 1, 1]))
    13
    """
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def members(bits: int, n_rows: int) -> Array:
    """Return the numbers of the bits that are set, smallest first.

    Examples
    --------
    >>> members(13, 4)
    array([0, 2, 3])
    """
    raw = np.frombuffer(bits.to_bytes((n_rows + 7) // 8, "little"), dtype=np.uint8)
    found: Array = np.flatnonzero(np.unpackbits(raw, count=n_rows, bitorder="little"))
    return found


@lru_cache(maxsize=64)
def _on(n: int, i: int) -> int:
    """Return the rows of `n` inputs in which input `i` is 1, as a bit set."""
    stride = 1 << (n - 1 - i)
    pattern, width = ((1 << stride) - 1) << stride, 2 * stride
    while width < 1 << n:
        pattern |= pattern << width
        width *= 2
    return pattern


def _first(bits: int) -> int:
    """Return the number of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1


def edge(table: int, n: int) -> Edge | FourRows:
    """Return how a function orders its inputs, or four rows that show that it doesn't.

    Parameters
    ----------
    table : int
        Bit ``r`` says whether row ``r`` fires.
    n : int
        Number of inputs.

    Examples
    --------
    >>> edge(0b0110, 2)
    FourRows(firing=(2, 1), resting=(0, 3))
    >>> edge(0b1000, 2).inputs, edge(0b1000, 2).firing, edge(0b1000, 2).resting
    ((0, 1), array([3]), array([2]))
    """
    everything = (1 << (1 << n)) - 1
    turned, signs, places = 0, [], []
    for i in range(n):
        stride, on = 1 << (n - 1 - i), _on(n, i)
        with_it, without = (table & on) >> stride, table & (on >> stride)
        differ = with_it ^ without
        helps, hinders = differ & with_it, differ & without
        if helps and hinders:
            a, b = _first(helps), _first(hinders)
            return _given((a | stride, b), (a, b | stride), turned)
        if not differ:
            continue
        places.append(i)
        signs.append(1 if helps else -1)
        if hinders:
            turned |= stride
            table = with_it | without << stride
    chow = [(table & _on(n, i)).bit_count() for i in places]
    order = sorted(range(len(places)), key=lambda k: -chow[k])
    places, signs = [places[k] for k in order], [signs[k] for k in order]
    pulls = tuple(2 * chow[k] - table.bit_count() for k in order)
    firing, resting = table, everything & ~table
    for i in range(n):
        if i not in places:  # it doesn't matter: its rows come in pairs, and one of each will do
            firing &= everything & ~_on(n, i)
            resting &= everything & ~_on(n, i)
    twins = []
    for i, j in pairwise(places):
        si, sj, on_i, on_j = 1 << (n - 1 - i), 1 << (n - 1 - j), _on(n, i), _on(n, j)
        only_i, only_j = on_i & ~on_j, on_j & ~on_i
        with_i, with_j = (table & only_i) >> si, (table & only_j) >> sj
        differ = with_i ^ with_j
        stronger, weaker = differ & with_i, differ & with_j
        if weaker:  # then `stronger` isn't empty either, since input i is on in at least as many firing rows
            a, b = _first(weaker), _first(stronger)
            return _given((a | sj, b | si), (a | si, b | sj), turned)
        twins.append(not differ)
        firing &= ~(with_j << si)  # what fires still after the exchange isn't on the edge
        resting &= ~((only_i & ~table) >> si << sj)
    if places:
        last = _on(n, places[-1])
        stride = 1 << (n - 1 - places[-1])
        firing &= ~((table & ~last) << stride)
        resting &= ~((last & ~table) >> stride)
    rows = 1 << n
    return Edge(
        tuple(places),
        tuple(signs),
        tuple(twins),
        pulls,
        members(firing, rows),
        members(resting, rows),
        turned,
    )


def _given(firing: tuple[int, int], resting: tuple[int, int], turned: int) -> FourRows:
    return FourRows((firing[0] ^ turned, firing[1] ^ turned), (resting[0] ^ turned, resting[1] ^ turned))
