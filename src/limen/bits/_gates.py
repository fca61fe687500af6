"""Layers as Boolean gates: each neuron a carry-save adder and a comparison, what is equal built once.

A `Graph` holds gates of two or three inputs. A *literal* is ``2 * gate + 1`` where the gate's value is negated, else
``2 * gate``; gate 0 is the constant 0, so literal 0 is false and literal 1 true. Gates are

=========  ===============================================================
``AND``    both inputs
``XOR``    one of two inputs
``XOR3``   one or three of three inputs: the sum of a full adder
``MAJ``    at least two of three inputs: the carry of a full adder
=========  ===============================================================

A neuron with weights ``w`` and threshold ``t`` over 0/1 inputs: where a weight is negative the input is negated, which adds
``|w|`` to the threshold; so all weights are positive. Bit p of each weight puts its input into column p of an addition, and the
constant ``2**m - t`` is added, so that the neuron fires iff the sum carries out of column m - 1. Full adders take three
values of a column and return one to it and one to the next (carry-save addition); of the last addition in each column only the
carry is made.

References
----------
C. S. Wallace (1964), "A suggestion for a fast multiplier", IEEE Transactions on Electronic Computers EC-13.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from limen._weights import entries
from limen.errors import LimenError
from limen.network import Layer

__all__ = ["AND", "INPUT", "MAJ", "XOR", "XOR3", "Graph", "TooManyGatesError", "graph_of"]

INPUT, AND, XOR, XOR3, MAJ = range(5)
FALSE, TRUE = 0, 1
_NAMES = {AND: "and", XOR: "xor", XOR3: "xor", MAJ: "majority"}


class TooManyGatesError(LimenError):
    """A network takes more gates than were allowed."""


class Graph:
    """Gates, each after those it reads.

    Parameters
    ----------
    n_inputs : int
    most : int, optional
        Gates at most; one more is `TooManyGatesError`.

    Attributes
    ----------
    kinds : list of int
        What each gate is; gate 0 is the constant 0, then come the inputs.
    reads : list of tuple of int
        The literals each gate reads.
    outputs : list of int
        Literals.
    """

    def __init__(self, n_inputs: int, most: int | None = None) -> None:
        self.n_inputs = n_inputs
        self.kinds = [INPUT] * (n_inputs + 1)
        self.reads: list[tuple[int, ...]] = [()] * (n_inputs + 1)
        self.outputs: list[int] = []
        self._most = most
        self._known: dict[tuple[int, ...], int] = {}

    @property
    def inputs(self) -> list[int]:
        """The literals of the inputs."""
        return [2 * (k + 1) for k in range(self.n_inputs)]

    @property
    def n_gates(self) -> int:
        """Number of gates, inputs and the constant not counted."""
        return len(self.kinds) - self.n_inputs - 1

    def __str__(self) -> str:
        """Return a line for each gate that is used, and one for the outputs."""
        used = self.used()
        lines = [
            f"g{gate} = {_NAMES[self.kinds[gate]]}({', '.join(map(self._name, self.reads[gate]))})"
            for gate in range(self.n_inputs + 1, len(self.kinds))
            if used[gate]
        ]
        return "\n".join([*lines, f"outputs {', '.join(map(self._name, self.outputs))}"])

    def _name(self, literal: int) -> str:
        gate = literal >> 1
        if gate == 0:
            return str(literal)
        name = f"x{gate}" if gate <= self.n_inputs else f"g{gate}"
        return f"not {name}" if literal & 1 else name

    def used(self) -> list[bool]:
        """Return which gates and inputs some output depends on."""
        used = [False] * len(self.kinds)
        for literal in self.outputs:
            used[literal >> 1] = True
        for gate in range(len(self.kinds) - 1, self.n_inputs, -1):
            if used[gate]:
                for literal in self.reads[gate]:
                    used[literal >> 1] = True
        return used

    def _gate(self, kind: int, *reads: int) -> int:
        key = (kind, *reads)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = 2 * len(self.kinds)
            self.kinds.append(kind)
            self.reads.append(reads)
            if self._most is not None and self.n_gates > self._most:
                raise TooManyGatesError(f"More than {self._most} gates.")
        return found

    def conjunction(self, a: int, b: int) -> int:
        """Return the literal of ``a and b``."""
        if a > b:
            a, b = b, a
        if a == FALSE or a == b ^ 1:
            return FALSE
        if a in (TRUE, b):
            return b
        return self._gate(AND, a, b)

    def disjunction(self, a: int, b: int) -> int:
        """Return the literal of ``a or b``."""
        return self.conjunction(a ^ 1, b ^ 1) ^ 1

    def parity(self, a: int, b: int) -> int:
        """Return the literal of ``a xor b``."""
        flip = (a ^ b) & 1
        a, b = a & ~1, b & ~1
        if a > b:
            a, b = b, a
        if a == b:
            return flip
        return (b if a == FALSE else self._gate(XOR, a, b)) ^ flip

    def choice(self, which: int, a: int, b: int) -> int:
        """Return the literal of ``a if which else b``."""
        if a == b:
            return a
        return self.disjunction(self.conjunction(which, a), self.conjunction(which ^ 1, b))

    def sum3(self, a: int, b: int, c: int) -> int:
        """Return the literal of the sum of a full adder."""
        flip = (a ^ b ^ c) & 1
        a, b, c = sorted((a & ~1, b & ~1, c & ~1))
        if a == b:
            return c ^ flip
        if b == c:
            return a ^ flip
        return (self.parity(b, c) if a == FALSE else self._gate(XOR3, a, b, c)) ^ flip

    def carry3(self, a: int, b: int, c: int) -> int:
        """Return the literal of the carry of a full adder."""
        a, b, c = sorted((a, b, c))
        if a == b:
            return a
        if b == c:
            return b
        if a ^ 1 == b:
            return c
        if b ^ 1 == c:
            return a
        if a == FALSE:
            return self.conjunction(b, c)
        if a == TRUE:
            return self.disjunction(b, c)
        flip = (a & 1) + (b & 1) + (c & 1) >= 2
        if flip:
            a, b, c = a ^ 1, b ^ 1, c ^ 1
        return self._gate(MAJ, a, b, c) ^ flip


def graph_of(layers: Sequence[Layer], most: int | None = None) -> Graph:
    """Return the gates of layers of heaviside and hardmax neurons; a last layer of sign gives two outputs a neuron.

    Parameters
    ----------
    layers : sequence of Layer
        Integers; each reads zeros and ones.
    most : int, optional
        Gates at most.

    Raises
    ------
    TooManyGatesError
    """
    graph = Graph(layers[0].n_inputs, most)
    values = graph.inputs
    for layer in layers:
        values = _layer(graph, layer, values)
    graph.outputs = values
    return graph


def _layer(graph: Graph, layer: Layer, values: list[int]) -> list[int]:
    neurons = [
        ([values[k] for k in rows], weights, bias)
        for (rows, weights), bias in zip(_columns(layer), layer.bias.tolist(), strict=True)
    ]
    if layer.activation == "hardmax":
        return _hardmax(graph, neurons)
    if layer.activation == "sign":
        pairs = []
        for inputs, weights, bias in neurons:
            above = _fires(graph, inputs, weights, 1 - bias)  # z >= 1
            below = _fires(graph, inputs, weights, -bias) ^ 1  # z < 0
            pairs += [graph.disjunction(above, below), below]
        return pairs
    return [_fires(graph, inputs, weights, -bias) for inputs, weights, bias in neurons]


def _columns(layer: Layer) -> list[tuple[list[int], list[int]]]:
    """Return the inputs and weights of each neuron, zero weights left out."""
    rows, columns, weights = entries(layer.weights)
    ends = np.searchsorted(columns, np.arange(layer.n_neurons + 1)).tolist()
    all_rows, all_weights = rows.tolist(), weights.tolist()
    return [(all_rows[a:b], all_weights[a:b]) for a, b in pairwise(ends)]


def _fires(graph: Graph, inputs: list[int], weights: list[int], threshold: int) -> int:
    """Return the literal of ``Σ w x >= threshold``."""
    literals, sizes, constant = _collected(inputs, weights)
    threshold -= constant
    total = sum(sizes)
    if threshold <= 0:
        return TRUE
    if threshold > total:
        return FALSE
    least = min(sizes)
    if threshold <= least:
        return _all(graph, [literal ^ 1 for literal in literals]) ^ 1
    if threshold > total - least:
        return _all(graph, literals)
    width = max(total, threshold - 1).bit_length()
    columns = _addition(literals, sizes, (1 << width) - threshold, width)
    for p in range(width):
        carry = _reduced(graph, columns, p, sums=False)
    return carry


def _collected(inputs: list[int], weights: list[int]) -> tuple[list[int], list[int], int]:
    """Return literals, positive sizes and a constant of the same sum, each gate in it once."""
    found: dict[int, int] = {}
    constant = 0
    for literal, weight in zip(inputs, weights, strict=True):
        if literal & 1:
            constant, weight = constant + weight, -weight
        if literal > TRUE:
            found[literal & ~1] = found.get(literal & ~1, 0) + weight
    literals, sizes = [], []
    for literal, weight in found.items():
        if weight:
            literals.append(literal | (weight < 0))
            sizes.append(abs(weight))
            constant += min(weight, 0)
    return literals, sizes, constant


def _all(graph: Graph, literals: list[int]) -> int:
    """Return the literal of a conjunction, built as a balanced tree."""
    waiting = deque(sorted(literals))
    while len(waiting) > 1:
        waiting.append(graph.conjunction(waiting.popleft(), waiting.popleft()))
    return waiting[0]


def _addition(literals: list[int], sizes: list[int], constant: int, width: int) -> list[list[int]]:
    """Return the columns of a sum: literals by the bits of their weights, and a constant."""
    columns: list[list[int]] = [[] for _ in range(width + 1)]
    for literal, size in zip(literals, sizes, strict=True):
        while size:
            low = size & -size
            columns[low.bit_length() - 1].append(literal)
            size ^= low
    for p in range(width):
        if constant >> p & 1:
            columns[p].append(TRUE)
    return columns


def _reduced(graph: Graph, columns: list[list[int]], p: int, *, sums: bool) -> int:
    """Add up column `p`, its carries into the next one; return the sum, or without `sums` the last carry."""
    waiting, following = deque(columns[p]), columns[p + 1]
    while len(waiting) > 3:
        a, b, c = waiting.popleft(), waiting.popleft(), waiting.popleft()
        waiting.append(graph.sum3(a, b, c))
        following.append(graph.carry3(a, b, c))
    a, b, c = (*waiting, FALSE, FALSE, FALSE)[:3]
    carry = graph.carry3(a, b, c)
    if carry != FALSE:
        following.append(carry)
    return graph.sum3(a, b, c) if sums else carry


def _hardmax(graph: Graph, neurons: list[tuple[list[int], list[int], int]]) -> list[int]:
    """Return the one-hot literals of the largest net input, the first of equals."""
    sums = []
    for inputs, weights, bias in neurons:
        literals, sizes, constant = _collected(inputs, weights)
        sums.append((literals, sizes, constant + bias))
    least = min(constant for _, _, constant in sums)
    width = max(constant - least + sum(sizes) for _, sizes, constant in sums).bit_length()
    numbers = []
    for literals, sizes, constant in sums:
        columns = _addition(literals, sizes, constant - least, width)
        numbers.append([_reduced(graph, columns, p, sums=True) for p in range(width)])
    best, winners = numbers[0], [TRUE]
    for number in numbers[1:]:
        better = _greater(graph, number, best)
        winners = [graph.conjunction(winner, better ^ 1) for winner in winners] + [better]
        best = [graph.choice(better, a, b) for a, b in zip(number, best, strict=True)]
    return winners


def _greater(graph: Graph, a: list[int], b: list[int]) -> int:
    """Return the literal of ``a > b`` of two numbers, lowest bits first: the carry of ``a + not b``."""
    carry: Any = FALSE
    for x, y in zip(a, b, strict=True):
        carry = graph.carry3(x, y ^ 1, carry)
    return int(carry)
