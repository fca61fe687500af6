"""One neuron on bits as *points*, and its decision diagram: what exact questions about it are asked of.

With negative weights turned over, a neuron is a vote. An input *scores* its points by being 1 where its weight is
positive, by being 0 where it is negative, and the neuron fires when the points reach what is *needed*:

>>> points([("a", 2), ("b", -1), ("c", 0)], 1)
Points(names=('a', 'b'), scores=(1, 0), sizes=(2, 1), need=2)

`Diagram` says for each input in turn what remains to be asked. A node is "the inputs from here on reach at least t";
all t for which that is the same function are one node, so a diagram has at most as many nodes in a level as there are
points left (small weights) or as 2**(n/2) (any weights), and is equal for equal functions in one order of inputs.

`points_of` takes a network, `smallest` makes weights small, `same` compares two neurons.

References
----------
M. Behle (2007), "On threshold BDDs and the optimal variable ordering problem", COCOA, for nodes as intervals.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for negative weights turned over.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd

from limen import _text
from limen.errors import InputError, NotExactError
from limen.logic._knapsack import of_neuron
from limen.logic._least import least_weights
from limen.logic.gates import reduce_weights
from limen.network import Network
from limen.rewrite import simplify, to_integers

__all__ = ["MOST_NODES", "Diagram", "Points", "points", "points_of", "same", "smallest"]

MOST_NODES = 200_000
FEW_INPUTS = 20  # inputs up to which least weights are looked for
SECONDS_EACH = 0.2
MOST_SUMS = 1 << 20  # points in all up to which inputs that can't matter are searched for by their sums


@dataclass(frozen=True, slots=True)
class Points:
    """A neuron that fires when the points of the inputs that score reach what is needed; most points first.

    Attributes
    ----------
    names : tuple of str
        The inputs with points; the neuron doesn't look at the others.
    scores : tuple of int
        The value with which each scores.
    sizes : tuple of int
        The points of each, at least 1, in falling order.
    need : int
        From 1 to the sum of the points, or beyond where the neuron is constant.
    """

    names: tuple[str, ...]
    scores: tuple[int, ...]
    sizes: tuple[int, ...]
    need: int

    @property
    def constant(self) -> int | None:
        """What the neuron always puts out, or None."""
        if self.need <= 0:
            return 1
        return 0 if self.need > sum(self.sizes) else None

    def weights(self) -> tuple[dict[str, int], int]:
        """Return weights and threshold of the neuron."""
        signed = {
            name: size if score else -size
            for name, score, size in zip(self.names, self.scores, self.sizes, strict=True)
        }
        return signed, self.need + sum(w for w in signed.values() if w < 0)


def points(weights: Iterable[tuple[str, int]], threshold: int) -> Points:
    """Return a neuron, given by its weights and its threshold, as points."""
    kept = [(name, w) for name, w in weights if w]
    need = threshold - sum(w for _, w in kept if w < 0)
    kept.sort(key=lambda term: -abs(term[1]))  # stable: inputs of equal weight keep their order
    scores = tuple(int(w > 0) for _, w in kept)
    return Points(tuple(name for name, _ in kept), scores, tuple(abs(w) for _, w in kept), need)


def points_of(net: Network) -> Points:
    """Return a network of one neuron as points.

    Raises
    ------
    InputError
        Not one heaviside neuron on binary inputs (layers that only pass values on don't count).
    NotExactError
        Floats that no int64 weights can replace.
    """
    if not isinstance(net, Network):
        raise InputError(f"Expected a network of one neuron. Received: {type(net).__name__}.")
    if net.n_outputs != 1:
        raise InputError(
            f"Expected a network of one neuron. Received: {net.n_outputs} outputs ({_text.listing(net.outputs)})."
            " Take one with net.select(output)."
        )
    if net.domain != "binary" or net.layers[-1].activation != "heaviside":
        raise InputError(
            "Expected a heaviside neuron on binary inputs. Received:"
            f" {net.domain} inputs and {_text.article(net.layers[-1].activation)} neuron."
        )
    whole = to_integers(net)
    if whole.depth > 1:
        whole = simplify(whole)
    if whole.depth > 1:
        raise InputError(
            f"Expected a network of one neuron. Received: {_text.chain(net)}. Ask logic.rules what its neurons say."
        )
    layer = whole.layers[0]
    column = layer.dense()[:, 0].tolist()
    return points(zip(whole.inputs, column, strict=True), -int(layer.bias[0]))


def smallest(weights: dict[str, int], threshold: int) -> tuple[dict[str, int], int]:
    """Return smaller weights and a threshold of the same function, without inputs that are known not to matter.

    Weights beyond what can matter are cut and common divisors taken out, over and over. For few inputs they are then
    made the least there are, if that is quickly found.
    """
    names = list(weights)
    signed = dict(enumerate(weights.values()))
    if sum(map(abs, weights.values())) <= MOST_SUMS:
        signed, threshold = reduce_weights(signed, threshold)
        if len(signed) <= FEW_INPUTS and max(map(abs, signed.values()), default=0) > 1:
            signed, threshold = _least(signed, threshold)
    else:
        divisor = gcd(*weights.values())
        signed = {index: w // divisor for index, w in signed.items()}
        threshold = -(-threshold // divisor)
    return {names[index]: w for index, w in signed.items()}, threshold


def _least(signed: dict[int, int], threshold: int) -> tuple[dict[int, int], int]:
    """Return the least whole weights of the same function, or these if they aren't found at once."""
    order = sorted(signed, key=lambda index: -abs(signed[index]))
    sizes = [abs(signed[index]) for index in order]
    need = threshold - sum(w for w in signed.values() if w < 0)
    if not 0 < need <= sum(sizes):
        return signed, threshold
    found = least_weights(
        len(sizes), of_neuron(sizes, need), orderly=True, least=False, time_limit=SECONDS_EACH
    )
    if found is None or found.weights is None or sum(found.weights) >= sum(sizes):
        return signed, threshold
    smaller = {
        index: w if signed[index] > 0 else -w for index, w in zip(order, found.weights, strict=True) if w
    }
    return {index: smaller[index] for index in sorted(smaller)}, found.threshold + sum(
        w for w in smaller.values() if w < 0
    )


# The decision diagram -----------------------------------------------------------------------------------------


class Diagram:
    """A neuron as a decision diagram; its nodes are numbered, children first.

    Node 0 never fires and node 1 always does; both end a path in whatever level. Every other node of level `i` asks
    input `i` and leads to node `high` of the next level (or to 0 or 1) if it scores, to `low` if not.

    Parameters
    ----------
    sizes : sequence of int
        Points of the inputs, in the order in which they are asked; 0 is allowed.
    need : int
    most : int
        Nodes.

    Raises
    ------
    NotExactError
        More than `most` nodes.
    """

    def __init__(self, sizes: Sequence[int], need: int, most: int = MOST_NODES) -> None:
        self.n = len(sizes)
        self.level = [-1, -1]
        self.high = [0, 1]
        self.low = [0, 1]
        self._sizes = sizes
        self._rest = [0] * (self.n + 1)
        for i in range(self.n - 1, -1, -1):
            self._rest[i] = self._rest[i + 1] + sizes[i]
        # For each level (first need, last need, node), sorted: needs from first to last are one function.
        self._known: list[list[tuple[int, int, int]]] = [[] for _ in range(self.n + 1)]
        self.root = self._build(need, most)
        del self._known

    def _build(self, need: int, most: int) -> int:
        path = [(0, need)]
        while True:
            i, t = path[-1]
            found = self._find(i, t)
            if found is None:
                w = self._sizes[i]
                high, low = self._find(i + 1, t - w), self._find(i + 1, t)
                if high is None or low is None:
                    path.append((i + 1, t - w if high is None else t))
                    continue
                first = max(1, high[0] + w, low[0])
                last = min(self._rest[i], high[1] + w, low[1])
                found = (first, last, len(self.level))
                insort(self._known[i], found)
                self.level.append(i)
                self.high.append(high[2])
                self.low.append(low[2])
                if len(self.level) > most:
                    raise NotExactError(
                        f"This question needs a decision diagram of at most {most} nodes. Received: a neuron of"
                        f" {_text.plural(self.n, 'input')} that needs more. Ask about fewer inputs or give smaller"
                        " weights."
                    )
            path.pop()
            if not path:
                return found[2]

    def _find(self, i: int, t: int) -> tuple[int, int, int] | None:
        if t <= 0:
            return -self._rest[0], 0, 1
        if t > self._rest[i]:
            return self._rest[i] + 1, 2 * self._rest[0] + 1, 0
        known = self._known[i]
        at = bisect_right(known, (t, self._rest[0] + 1, 0)) - 1
        return known[at] if at >= 0 and known[at][1] >= t else None

    def by_level(self) -> list[list[int]]:
        """Return the nodes of each level."""
        nodes: list[list[int]] = [[] for _ in range(self.n)]
        for node in range(2, len(self.level)):
            nodes[self.level[node]].append(node)
        return nodes


def same(one: Points, other: Points, most: int = MOST_NODES) -> bool:
    """Tell whether two neurons compute the same function, exactly.

    Both are asked the same inputs in the same order, so their diagrams are equal if and only if they are.

    Examples
    --------
    >>> same(points([("a", 5), ("b", 4), ("c", 3)], 7), points([("a", 1), ("b", 1), ("c", 1)], 2))
    True
    >>> same(points([("a", 2), ("b", 1), ("c", 1)], 2), points([("a", 1), ("b", 1), ("c", 1)], 2))
    False
    """
    order = list(dict.fromkeys([*one.names, *other.names]))
    both = []
    for neuron in (one, other):
        size = dict(zip(neuron.names, neuron.sizes, strict=True))
        score = dict(zip(neuron.names, neuron.scores, strict=True))
        both.append((size, score, Diagram([size.get(name, 0) for name in order], neuron.need, most)))
    (_, scores, first), (_, others, second) = both
    turned = [name in scores and name in others and scores[name] != others[name] for name in order]
    paired = {0: 0, 1: 1}
    pending = [(first.root, second.root)]
    while pending:
        p, q = pending.pop()
        if p in paired:
            if paired[p] != q:
                return False
            continue
        if q < 2 or first.level[p] != second.level[q]:
            return False
        paired[p] = q
        ways = (second.low[q], second.high[q])
        if turned[first.level[p]]:
            ways = ways[::-1]
        pending += [(first.low[p], ways[0]), (first.high[p], ways[1])]
    return True
