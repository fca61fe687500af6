"""What one neuron says as a vote: which inputs matter, decide or veto, and how much each can do.

A neuron on bits is a vote with weights. An input with a positive weight *scores* by being 1, one with a negative weight
by being 0; so a neuron speaks of values, written as a mapping: ``{"b": 0}`` is "b being 0". Every answer is exact.

================================  ==========================================================================
`relevant_inputs`                 the inputs that matter
`interchangeable`                 groups of inputs that may be swapped
`forcing`, `vetoing`, `deciding`  values that alone make it fire, keep it from firing, or do both
`count_firing`                    how many of the ``2**n_inputs`` rows fire
`banzhaf`, `shapley`              the power of each input
================================  ==========================================================================

They take a network of one heaviside neuron on binary inputs, with integer weights or with floats, which are made whole
(`limen.rewrite.to_integers`) as the fractions they are, so that a call, which rounds, may decide a tie otherwise. A decision diagram (`limen.logic._points`) answers for any number of inputs with small
weights, and for many neurons with large ones, such as comparators. Where it gets too large and there are at most 40
inputs, sums of halves are counted instead; what neither can do is refused by name.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
Y. Crama and P. L. Hammer (2011), "Boolean Functions", Cambridge University Press, chapter 9.
L. S. Shapley and M. Shubik (1954), "A method for evaluating the distribution of power in a committee system",
American Political Science Review 48.
P. Dubey and L. S. Shapley (1979), "Mathematical properties of the Banzhaf power index", Mathematics of Operations
Research 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

import numpy as np

from limen.errors import NotExactError
from limen.logic._points import Diagram, Points, points_of
from limen.network import Network
from limen.step import Array

__all__ = [
    "banzhaf",
    "count_firing",
    "deciding",
    "forcing",
    "interchangeable",
    "relevant_inputs",
    "shapley",
    "vetoing",
]

MOST_HALVED = 40  # inputs whose sums are counted in two halves of 2**20
INT64_SAFE = 1 << 62


def relevant_inputs(net: Network) -> tuple[str, ...]:
    """Return the inputs that matter: those that change the output in some row, in the network's order.

    Parameters
    ----------
    net : Network
        One neuron. A weight other than 0 doesn't make an input matter.

    Raises
    ------
    InputError
        Not one heaviside neuron on binary inputs.
    NotExactError
        More than 40 inputs whose weights are too large for a decision diagram.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> relevant_inputs(Network(Layer([[2], [2], [1]], [-4]), ["a", "b", "c"], domain="binary"))
    ('a', 'b')
    """
    vote = _without_irrelevant(points_of(net))
    return tuple(name for name in net.inputs if name in vote.names)


def interchangeable(net: Network) -> tuple[dict[str, int], ...]:
    """Return the inputs that matter in groups within which they may be swapped, the most powerful group first.

    A group holds values: ``{"a": 1, "b": 0}`` says that the function stays when "a is 1" and "b is 0" change places, that
    is, when a becomes *not b* and b becomes *not a*. With equal values it is the inputs themselves that are swapped.
    Inputs that don't matter are left out.

    Parameters
    ----------
    net : Network
        One neuron.

    Raises
    ------
    InputError, NotExactError
        As `relevant_inputs`.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> interchangeable(Network(Layer([[5], [3], [-2]], [-4]), ["a", "b", "c"], domain="binary"))
    ({'a': 1}, {'b': 1, 'c': 0})
    """
    vote = _without_irrelevant(points_of(net))
    groups: list[dict[str, int]] = []
    diagram = _diagram(vote)
    nodes = diagram.by_level() if diagram else []
    for i, (name, score) in enumerate(zip(vote.names, vote.scores, strict=True)):
        if i == 0 or not (
            all(diagram.high[diagram.low[v]] == diagram.low[diagram.high[v]] for v in nodes[i - 1])
            if diagram
            else _ways(
                [*vote.sizes[: i - 1], *vote.sizes[i + 1 :]],
                vote.need - vote.sizes[i - 1],
                vote.need - vote.sizes[i],
            )
            == 0
        ):
            groups.append({})
        groups[-1][name] = score
    return tuple(groups)


def forcing(net: Network) -> dict[str, int]:
    """Return the values that alone make the neuron fire, whatever the other inputs are.

    A neuron that always fires isn't made to by any input: the mapping is empty.

    Parameters
    ----------
    net : Network
        One neuron.

    Raises
    ------
    InputError
        Not one heaviside neuron on binary inputs.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> forcing(Network(Layer([[2], [-2], [1], [1]], [0]), ["a", "b", "c", "d"], domain="binary"))
    {'a': 1, 'b': 0}
    """
    vote = points_of(net)
    if vote.constant is not None:
        return {}
    return _in_order(net, {n: v for n, v, p in _terms(vote) if p >= vote.need})


def vetoing(net: Network) -> dict[str, int]:
    """Return the values that alone keep the neuron from firing, whatever the other inputs are.

    A neuron that never fires isn't kept from it by any input: the mapping is empty.

    Parameters
    ----------
    net : Network
        One neuron.

    Raises
    ------
    InputError
        Not one heaviside neuron on binary inputs.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> vetoing(Network(Layer([[2], [-2], [1], [1]], [-3]), ["a", "b", "c", "d"], domain="binary"))
    {'a': 0, 'b': 1}
    """
    vote = points_of(net)
    if vote.constant is not None:
        return {}
    total = sum(vote.sizes)
    return _in_order(net, {n: 1 - v for n, v, p in _terms(vote) if total - p < vote.need})


def deciding(net: Network) -> dict[str, int]:
    """Return the input that alone decides, with the value on which the neuron fires; nothing if there is none.

    It forces with one value and vetoes with the other, so no other input matters and there is at most one.

    Parameters
    ----------
    net : Network
        One neuron.

    Raises
    ------
    InputError
        Not one heaviside neuron on binary inputs.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> deciding(Network(Layer([[-3], [1], [1]], [0]), ["a", "b", "c"], domain="binary"))
    {'a': 0}
    """
    vetoes = vetoing(net)
    return {name: value for name, value in forcing(net).items() if name in vetoes}


def count_firing(net: Network) -> int:
    """Return how many of the ``2**n_inputs`` rows of inputs make the neuron fire.

    Parameters
    ----------
    net : Network
        One neuron.

    Raises
    ------
    InputError, NotExactError
        As `relevant_inputs`.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> count_firing(Network(Layer([[1]] * 60, [-31]), domain="binary"))
    517328461520992776
    """
    vote = points_of(net)
    unseen = net.n_inputs - len(vote.sizes)
    diagram = _diagram(vote)
    if diagram is None:
        return _ways(vote.sizes, vote.need, sum(vote.sizes) + 1) << unseen
    return _counts(diagram, 1)[diagram.root] << unseen


def banzhaf(net: Network, *, normalized: bool = False) -> dict[str, Fraction]:
    """Return the Banzhaf power of each input: how often it decides when all inputs are tossed like coins.

    It is the share of the rows of the other inputs in which this one changes the output; so it doesn't matter which
    value of the input makes the neuron fire, and no power is negative.

    Parameters
    ----------
    net : Network
        One neuron.
    normalized : bool, default False
        Divide by the sum over all inputs, so that the powers add up to 1 (to 0 where no input matters).

    Returns
    -------
    dict of str to Fraction

    Raises
    ------
    InputError, NotExactError
        As `relevant_inputs`.

    References
    ----------
    P. Dubey and L. S. Shapley (1979), "Mathematical properties of the Banzhaf power index".

    Examples
    --------
    >>> from limen import Layer, Network
    >>> board = Network(Layer([[3], [2], [1], [1]], [-4]), ["a", "b", "c", "d"], domain="binary")
    >>> print(*banzhaf(board, normalized=True).values())
    1/2 1/6 1/6 1/6
    """
    vote = points_of(net)
    diagram = _diagram(vote)
    if diagram is None:
        swings = [
            _ways([*vote.sizes[:i], *vote.sizes[i + 1 :]], vote.need - p, vote.need)
            for i, p in enumerate(vote.sizes)
        ]
    else:
        swings = _swings(diagram, 1)
    whole = max(1, sum(swings)) if normalized else 1 << max(0, len(swings) - 1)
    power = {name: Fraction(count, whole) for name, count in zip(vote.names, swings, strict=True)}
    return {name: power.get(name, Fraction(0)) for name in net.inputs}


def shapley(net: Network) -> dict[str, Fraction]:
    """Return the Shapley-Shubik power of each input: how often it decides when inputs come to score in random order.

    All inputs start with the value that doesn't score (0, or 1 where the weight is negative) and change one after the
    other. The one with which the neuron starts to fire decides. The powers add up to 1 unless the neuron is constant.

    Parameters
    ----------
    net : Network
        One neuron.

    Returns
    -------
    dict of str to Fraction

    Raises
    ------
    InputError
        Not one heaviside neuron on binary inputs.
    NotExactError
        Weights too large for a decision diagram.

    References
    ----------
    L. S. Shapley and M. Shubik (1954), "A method for evaluating the distribution of power in a committee system".

    Examples
    --------
    >>> from limen import Layer, Network
    >>> board = Network(Layer([[3], [2], [1], [1]], [-4]), ["a", "b", "c", "d"], domain="binary")
    >>> print(*shapley(board).values())
    1/2 1/6 1/6 1/6
    """
    vote = points_of(net)
    n = len(vote.sizes)
    # Counts by the number of inputs that score, side by side in one large integer: 2**n fits into each place.
    bits = n + 1
    by_size = _swings(Diagram(vote.sizes, vote.need), 1 << bits)
    mask = (1 << bits) - 1
    power = {}
    for name, packed in zip(vote.names, by_size, strict=True):
        counts = [packed >> bits * size & mask for size in range(n)]
        power[name] = sum(
            (Fraction(count, n * comb(n - 1, size)) for size, count in enumerate(counts) if count),
            Fraction(0),
        )
    return {name: power.get(name, Fraction(0)) for name in net.inputs}


# Counting -----------------------------------------------------------------------------------------------------


def _diagram(vote: Points) -> Diagram | None:
    """Return the diagram, or None where it is too large but the halves of the inputs aren't."""
    try:
        return Diagram(vote.sizes, vote.need)
    except NotExactError:
        if len(vote.sizes) > MOST_HALVED:
            raise
        return None


def _counts(diagram: Diagram, x: int) -> list[int]:
    """Return for each node the sum of ``x**k`` over the rows from its level on that fire, `k` of which score."""
    free = [1]  # all rows of so many inputs
    for _ in range(diagram.n):
        free.append(free[-1] * (1 + x))
    counts = [0, free[diagram.n] if diagram.root == 1 else 1]
    for node in range(2, len(diagram.level)):
        below = free[diagram.n - diagram.level[node] - 1]
        high, low = diagram.high[node], diagram.low[node]
        counts.append(x * (below if high == 1 else counts[high]) + (below if low == 1 else counts[low]))
    return counts


def _swings(diagram: Diagram, x: int) -> list[int]:
    """Return for each input the sum of ``x**k`` over rows of the others, `k` of which score, in which it decides."""
    counts = _counts(diagram, x)
    reached = [0] * len(diagram.level)
    reached[diagram.root] = 1
    swings = [0] * diagram.n
    free = [1]
    for _ in range(diagram.n):
        free.append(free[-1] * (1 + x))
    for level, nodes in enumerate(diagram.by_level()):
        below = free[diagram.n - level - 1]
        for node in nodes:
            high, low = diagram.high[node], diagram.low[node]
            reached[high] += x * reached[node]
            reached[low] += reached[node]
            if high != low:
                difference = (below if high == 1 else counts[high]) - (below if low == 1 else counts[low])
                swings[level] += reached[node] * difference
    return swings


def _ways(sizes: Sequence[int], low: int, high: int) -> int:
    """Return how many subsets of the sizes have a sum from `low` to `high - 1`, by sums of two halves."""
    number = np.int64 if sum(sizes) + abs(low) + abs(high) < INT64_SAFE else object
    halves: list[Array] = []
    for half in (sizes[::2], sizes[1::2]):
        sums = np.zeros(1, dtype=number)
        for size in half:
            sums = np.concatenate([sums, sums + size])
        halves.append(np.sort(sums))
    ends = [int(np.searchsorted(halves[1], bound - halves[0]).sum()) for bound in (low, high)]
    return ends[1] - ends[0]


def _without_irrelevant(vote: Points) -> Points:
    """Return the vote without the inputs that can't matter: the lightest, so many as there are."""
    diagram = _diagram(vote)
    kept = len(vote.sizes)
    nodes = diagram.by_level() if diagram else []
    while kept and (
        all(diagram.high[v] == diagram.low[v] for v in nodes[kept - 1])
        if diagram
        else not _ways(
            [*vote.sizes[: kept - 1], *vote.sizes[kept:]], vote.need - vote.sizes[kept - 1], vote.need
        )
    ):
        kept -= 1
    return Points(vote.names[:kept], vote.scores[:kept], vote.sizes[:kept], vote.need)


def _terms(vote: Points) -> list[tuple[str, int, int]]:
    return list(zip(vote.names, vote.scores, vote.sizes, strict=True))


def _in_order(net: Network, values: dict[str, int]) -> dict[str, int]:
    return {name: values[name] for name in net.inputs if name in values}
