"""Threshold neurons over signals, made as few and as small as simple, always sound rules allow.

A *signal* is a value of 0 or 1 that some neuron puts out, numbered: 0 is the constant, then come the inputs, then
the gates. A *literal* is a signal or its negation: ``2 * signal``, plus 1 if negated; so `FALSE` is 0 and `TRUE`
is 1 (the numbering of the AIGER format for circuits). A *gate* is a neuron: it fires iff ``Σ w·s >= t`` over its
signals, with integers other than 0. Not firing is ``Σ -w·s >= 1 - t``, a neuron as well, so a negation never costs
one: whoever uses a negated gate takes it with a negative weight.

`Gates` makes literals from literals and remembers every gate, so that nothing is built twice:

* `Gates.at_least`, a literal given twice counting twice; `Gates.conjunction` and `Gates.disjunction`;
* `Gates.exactly` k: at least k and not at least k + 1;
* `Gates.parity` of n: its hidden gates count to n, and are added with weights +1, -1, +1, ….

Rules, in the order they are tried: constants and negations go into the threshold; a conjunction takes the parts of
a conjunction in it as its own; *literals and one neuron are one neuron*, because ``x and (Σ w·s >= t)`` is
``c·x + Σ w·s >= c + t`` with ``c = Σ max(w, 0) - t + 1``, the least weight that the other side can't make up
for; weights above what can matter are cut, common divisors taken out, and inputs that can't matter dropped.

References
----------
W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous activity", Bulletin of
Mathematical Biophysics 5, for propositions as neurons.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for threshold functions, their complements and
networks for symmetric functions such as parity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from math import gcd
from typing import TypeAlias

__all__ = ["FALSE", "TRUE", "Gates", "Literal", "reduce_weights"]

Literal: TypeAlias = int

FALSE: Literal = 0
TRUE: Literal = 1

HEAVIEST = 99  # a neuron that would need a heavier weight is left as two: weights stay readable
WIDEST_PARITY = 64  # more signals are split into blocks, so that a parity's weights don't grow as n²
WIDEST_SEARCH = 64  # more weights than this aren't searched for inputs that can't matter
HIGHEST_SEARCH = 1 << 20  # nor are higher thresholds


class Gates:
    """Gates over `n_inputs` inputs, each only once; the one mutable thing on the way to a network.

    Attributes
    ----------
    weights : list of dict
        For each signal ``{signal: weight}`` of the gate that it is, empty for the constant and the inputs.
    thresholds, levels : list of int
        For each signal its gate's threshold, and in which layer it can stand (inputs in 0).
    """

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.weights: list[dict[int, int]] = [{} for _ in range(n_inputs + 1)]
        self.thresholds = [0] * (n_inputs + 1)
        self.levels = [0] * (n_inputs + 1)
        self._known: dict[tuple[tuple[tuple[int, int], ...], int], Literal] = {}
        self._conjunctions: set[Literal] = set()

    def input(self, index: int) -> Literal:
        """Return the literal of input `index`, from 0."""
        return 2 * (index + 1)

    def neuron(self, literal: Literal) -> tuple[dict[int, int], int]:
        """Return the weights and the threshold of the neuron that puts out this literal of a gate."""
        weights, threshold = self.weights[literal // 2], self.thresholds[literal // 2]
        if literal % 2:
            return _opposite(weights), 1 - threshold
        return weights, threshold

    # Functions of literals --------------------------------------------------------------------------------

    def at_least(self, k: int, literals: Iterable[Literal]) -> Literal:
        """Return "k or more of the literals hold"."""
        return self._sum(((literal, 1) for literal in literals), k)

    def exactly(self, k: int, literals: Sequence[Literal]) -> Literal:
        """Return "k of the literals hold"."""
        return self.conjunction([self.at_least(k, literals), self.at_least(k + 1, literals) ^ 1])

    def disjunction(self, literals: Iterable[Literal]) -> Literal:
        """Return "one or more of the literals hold"."""
        return self.conjunction(literal ^ 1 for literal in literals) ^ 1

    def conjunction(self, literals: Iterable[Literal]) -> Literal:
        """Return "all literals hold"."""
        distinct = dict.fromkeys(literals)
        return self.at_least(len(distinct), distinct)

    def parity(self, literals: Iterable[Literal]) -> Literal:
        """Return "an odd number of the literals hold"."""
        odd: dict[int, None] = {}
        negated = 0
        for literal in literals:
            signal = literal // 2
            negated ^= literal % 2
            if signal in odd:
                del odd[signal]  # twice the same is none
            elif signal:
                odd[signal] = None
        wires = [2 * signal for signal in odd]
        while len(wires) > WIDEST_PARITY:
            n_blocks = -(-len(wires) // WIDEST_PARITY)
            blocks = [wires[i::n_blocks] for i in range(n_blocks)]
            wires = [self.parity(block) for block in blocks]
        if len(wires) <= 1:
            return (wires[0] if wires else FALSE) ^ negated
        counts = [self.at_least(k, wires) for k in range(1, len(wires) + 1)]
        return self._sum(zip(counts, cycle([1, -1])), 1) ^ negated

    # Neurons ----------------------------------------------------------------------------------------------

    def _sum(self, terms: Iterable[tuple[Literal, int]], threshold: int) -> Literal:
        """Return "the weighted literals reach the threshold": a constant, a wire or a gate."""
        negated = 0
        while True:
            weights, threshold = reduce_weights(*_collected(terms, threshold))
            lowest, highest = _range(weights)
            if threshold <= lowest:
                return TRUE ^ negated
            if threshold > highest:
                return FALSE ^ negated
            if lowest + 1 == threshold < highest:  # a disjunction: go on with its negation
                weights, threshold, highest = _opposite(weights), 1 - threshold, -lowest
                negated ^= 1
            if threshold < highest:
                return self._gate(weights, threshold) ^ negated
            literals = [2 * signal + (w < 0) for signal, w in weights.items()]
            if len(literals) == 1:
                return literals[0] ^ negated
            if any(literal in self._conjunctions for literal in literals):
                literals = list(dict.fromkeys(part for x in literals for part in self._conjuncts(x)))
                terms, threshold = [(literal, 1) for literal in literals], len(literals)
                continue
            merged = self._merged(literals)
            if merged is None:
                gate = self._gate(weights, threshold)
                self._conjunctions.add(gate)
                return gate ^ negated
            weights, threshold = merged
            terms = [(2 * signal, w) for signal, w in weights.items()]

    def _conjuncts(self, literal: Literal) -> list[Literal]:
        """Return the literals that this one is the conjunction of."""
        if literal not in self._conjunctions:
            return [literal]
        return [2 * signal + (w < 0) for signal, w in self.neuron(literal)[0].items()]

    def _merged(self, literals: list[Literal]) -> tuple[dict[int, int], int] | None:
        """Return the one neuron for the conjunction of inputs and one gate, unless it would get too heavy."""
        gates = [literal for literal in literals if literal // 2 > self.n_inputs]
        if len(gates) != 1:
            return None
        inner, threshold = self.neuron(gates[0])
        c = _range(inner)[1] - threshold + 1
        terms = [(literal, c) for literal in literals if literal != gates[0]]
        threshold += c * len(terms)
        terms += [(2 * signal, w) for signal, w in inner.items()]
        weights, threshold = reduce_weights(*_collected(terms, threshold))
        heaviest = max(map(abs, weights.values()), default=0)
        return (weights, threshold) if heaviest <= HEAVIEST else None

    def _gate(self, weights: dict[int, int], threshold: int) -> Literal:
        """Return the gate with these weights or the negation of its opposite, new or known."""
        terms = sorted(weights.items())
        negated = int(terms[0][1] < 0)
        if negated:
            terms, threshold = [(signal, -w) for signal, w in terms], 1 - threshold
        key = (tuple(terms), threshold)
        if key not in self._known:
            self._known[key] = 2 * len(self.weights)
            self.weights.append(dict(terms))
            self.thresholds.append(threshold)
            self.levels.append(1 + max(self.levels[signal] for signal in weights))
        return self._known[key] ^ negated


def _collected(terms: Iterable[tuple[Literal, int]], threshold: int) -> tuple[dict[int, int], int]:
    """Return weights of signals in place of weights of literals: ``1 - s`` for a negated one."""
    weights: dict[int, int] = {}
    for literal, weight in terms:
        if literal % 2:
            threshold -= weight
            weight = -weight
        weights[literal // 2] = weights.get(literal // 2, 0) + weight
    weights.pop(0, None)  # the constant 0
    return weights, threshold


def _opposite(weights: dict[int, int]) -> dict[int, int]:
    return {signal: -w for signal, w in weights.items()}


def _range(weights: dict[int, int]) -> tuple[int, int]:
    """Return the least and the largest weighted sum."""
    lowest = sum(w for w in weights.values() if w < 0)
    return lowest, lowest + sum(abs(w) for w in weights.values())


def reduce_weights(weights: dict[int, int], threshold: int) -> tuple[dict[int, int], int]:
    """Return smaller weights of the same function, and without inputs that can't matter.

    With negative weights turned over, ``p = |w|`` and ``need = t - Σ min(w, 0)``: the neuron fires when what is on
    reaches `need`, and doesn't when what is off reaches ``spare = Σp - need + 1``. A weight above `need` might
    as well be `need`, and one above `spare` might as well be `spare`.
    """
    sizes = {signal: abs(w) for signal, w in weights.items() if w}
    need = threshold - _range(weights)[0]
    while sizes and 0 < need <= sum(sizes.values()) and max(sizes.values()) > 1:
        before = dict(sizes)
        sizes = {signal: min(p, need) for signal, p in sizes.items()}
        spare = sum(sizes.values()) - need + 1
        sizes = {signal: min(p, spare) for signal, p in sizes.items()}
        need = sum(sizes.values()) - spare + 1
        divisor = gcd(*sizes.values())
        sizes = {signal: p // divisor for signal, p in sizes.items()}
        need = -(-need // divisor)
        if sizes == before:
            lightest = min(sizes, key=lambda signal: sizes[signal])
            if _matters(lightest, sizes, need):
                break
            del sizes[lightest]
    signed = {signal: p if weights[signal] > 0 else -p for signal, p in sizes.items()}
    return signed, need + _range(signed)[0]


def _matters(lightest: int, sizes: dict[int, int], need: int) -> bool:
    """Tell whether the input of least weight ever decides; if it does, so does every other.

    It decides where the others' sum lies in ``[need - p, need)``. Bit `i` of `sums` says whether a sum of `i` can occur.
    """
    if len(sizes) > WIDEST_SEARCH or need > HIGHEST_SEARCH:
        return True
    sums = 1
    for signal, p in sizes.items():
        if signal != lightest:
            sums |= sums << p
    window = (1 << need) - (1 << max(0, need - sizes[lightest]))
    return bool(sums & window)
