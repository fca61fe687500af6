"""The network of one hidden layer with the fewest mistakes on a table, as a program in whole numbers.

Variables are the weights and biases of the hidden neurons, what each gives for each row, and which function of them the
output is. Much is left out that can't make a difference:

* The output's weights aren't negative: a hidden neuron can be negated with its weight. They aren't 0 either: a neuron
  that the output doesn't see might as well always fire, and count. So the output is one of few functions (`decisions`).
* Of hidden neurons that the output treats alike, the one with the larger weights, in the order of the columns, is first.
* Where columns of a table are one-hot (one of them is 1 in every row), adding to all of their weights is the same as
  adding to the bias: one of them has the least weight there may be.

Equal rows are one row that counts for as many. Rows that are in both classes equally often cost the same whatever is
decided, and aren't looked at.

References
----------
D. Bertsimas and J. Dunn (2017), "Optimal classification trees", Machine Learning 106: training as a program in whole
numbers. R. Toro Icarte, L. Illanes, M. P. Castro, A. A. Cire, S. A. McIlraith and J. C. Beck (2019), "Training
binarized neural networks using MIP and CP", CP: networks with weights of -1, 0 and 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from limen._solver import WholeModel
from limen.step import Array

__all__ = ["Decision", "Program", "Shape", "decisions", "one_hot_groups"]

ROUNDING = 1e-6  # the bound is a whole number that comes as a float


@dataclass(frozen=True, eq=False)
class Shape:
    """A network of one hidden layer and one output, all heaviside.

    Parameters
    ----------
    weights : ndarray of int64, shape (n_inputs, n_hidden)
    bias : ndarray of int64, shape (n_hidden,)
    output : ndarray of int64, shape (n_hidden,)
        The weights of the output.
    threshold : int
        From which sum on it fires.
    """

    weights: Array
    bias: Array
    output: Array
    threshold: int


@dataclass(frozen=True, eq=False)
class Decision:
    """A function of the hidden neurons: it fires where the weights of those that fire reach the threshold.

    Parameters
    ----------
    weights : tuple of int
        From the largest on, none below 1.
    threshold : int
    alike : tuple of bool
        Whether each neuron but the last can change places with the next.
    """

    weights: tuple[int, ...]
    threshold: int
    alike: tuple[bool, ...]


def decisions(n_hidden: int, max_weight: int) -> Iterator[tuple[bytes, Decision]]:
    """Yield the functions of all hidden neurons that are worth trying, after their truth tables.

    With the neurons in another order, with some negated, or with some that always or never fire, they are all
    functions that one neuron with such weights can have.

    Examples
    --------
    >>> [(found.weights, found.threshold) for _, found in decisions(3, 2)]
    [((1, 1, 1), 1), ((1, 1, 1), 2), ((1, 1, 1), 3), ((2, 1, 1), 2), ((2, 1, 1), 3)]
    """
    points = np.array(list(itertools.product((0, 1), repeat=n_hidden)))
    known: set[bytes] = set()
    for rising in itertools.combinations_with_replacement(range(1, max_weight + 1), n_hidden):
        weights = rising[::-1]
        sums = points @ np.array(weights)
        for threshold in range(1, sum(weights) + 1):
            fires = sums >= threshold
            table = fires.tobytes()
            cube = fires.reshape((2,) * n_hidden)
            if table in known or not all(_matters(cube, k) for k in range(n_hidden)):
                continue
            known.add(table)
            swapped = [np.array_equal(cube, cube.swapaxes(k, k + 1)) for k in range(n_hidden - 1)]
            yield table, Decision(weights, threshold, tuple(swapped))


def _matters(cube: Array, axis: int) -> bool:
    return not np.array_equal(cube.take(0, axis), cube.take(1, axis))


def one_hot_groups(rows: Array) -> list[slice]:
    """Return runs of two columns or more of which exactly one is 1 in every row.

    Examples
    --------
    >>> one_hot_groups(np.array([[1, 0, 1, 0, 0], [0, 1, 0, 0, 1], [0, 1, 0, 1, 0]]))
    [slice(0, 2, None), slice(2, 5, None)]
    """
    groups, start, n = [], 0, rows.shape[1]
    while start < n:
        total = np.zeros(len(rows), dtype=np.int64)
        end = start
        while end < n and not (total > 1).any() and not (total == 1).all():
            total += rows[:, end]
            end += 1
        if (total == 1).all() and end - start > 1:
            groups.append(slice(start, end))
            start = end
        else:
            start += 1
    return groups


class Program:
    """The program, and what its solution is as a network.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_inputs)
        Zeros and ones; different rows, at least one.
    resting, firing : ndarray of int64, shape (n_rows,)
        How often each row shouldn't fire, and should.
    n_hidden, max_weight : int
    found : list of (bytes, Decision)
        All `decisions`.
    """

    def __init__(
        self,
        rows: Array,
        resting: Array,
        firing: Array,
        n_hidden: int,
        max_weight: int,
        found: list[tuple[bytes, Decision]],
    ) -> None:
        kept = resting != firing
        self.rows, self.n_hidden, self.max_weight = rows[kept].astype(np.int64), n_hidden, max_weight
        self.tables = {table: index for index, (table, _) in enumerate(found)}
        self.decisions = [decision for _, decision in found]
        self.groups = one_hot_groups(self.rows) if kept.any() else []
        # A row costs `resting` where it fires and `firing` where it doesn't.
        self.cost = (resting - firing)[kept]
        self.fixed = int(firing[kept].sum() + resting[~kept].sum())
        self.model = WholeModel()
        n, h, m, n_rows = self.rows.shape[1], n_hidden, max_weight, len(self.rows)
        far = n * m + 1
        self.weights = np.array([self._new(n, -m, m) for _ in range(h)], dtype=np.int64).reshape(h, n)
        self.bias = self._new(h, -far, far)
        self.fires = np.array([self._new(n_rows, 0, 1) for _ in range(h)], dtype=np.int64).reshape(h, n_rows)
        self.chosen = self._new(len(self.decisions), 0, 1)
        self.out = self._new(n_rows, 0, 1)
        equal = [self._new(n + 1, 0, 1) for _ in range(h - 1)]
        self.equal = np.array(equal, dtype=np.int64).reshape(h - 1, n + 1)
        self.least = [[self._new(part.stop - part.start, 0, 1) for part in self.groups] for _ in range(h)]
        self._hidden_neurons()
        self._output()
        self._order()
        self._one_hot()

    def _new(self, n: int, low: int, high: int) -> Array:
        return np.array(self.model.variables([low] * n, [high] * n), dtype=np.int64)

    def _hidden_neurons(self) -> None:
        """Each hidden neuron fires in a row iff its net input reaches 0."""
        for k in range(self.n_hidden):
            for r, row in enumerate(self.rows):
                terms = [*self.weights[k, row != 0].tolist(), int(self.bias[k])]
                self._either(int(self.fires[k, r]), terms, [1] * len(terms), 0)

    def _output(self) -> None:
        """One of the functions is chosen, and the output is that one's in each row."""
        self.model.add(self.chosen.tolist(), [1] * len(self.chosen), 1, 1)
        for decision, choice in zip(self.decisions, self.chosen.tolist(), strict=True):
            for r, out in enumerate(self.out.tolist()):
                self._either(out, self.fires[:, r].tolist(), decision.weights, decision.threshold, choice)

    def _order(self) -> None:
        """Of neurons that the output treats alike, the larger is first: ``equal[k, i]`` if they may differ from i on."""
        for k, equal in enumerate(self.equal.tolist()):
            for decision, choice in zip(self.decisions, self.chosen.tolist(), strict=True):
                if decision.alike[k]:
                    self.model.add([equal[0]], [1], 1, 1, where=[choice])
            for i, (one, next_one) in enumerate(self.weights[k : k + 2].T.tolist()):
                self.model.add([one, next_one], [1, -1], 0, math.inf, where=[equal[i]])
                self.model.add([one, next_one], [1, -1], 1, math.inf, where=[equal[i], ~equal[i + 1]])

    def _one_hot(self) -> None:
        """One of the weights of one-hot columns is the least there may be."""
        for weights, least in zip(self.weights, self.least, strict=True):
            for part, marks in zip(self.groups, least, strict=True):
                for weight, mark in zip(weights[part].tolist(), marks.tolist(), strict=True):
                    self.model.add([weight], [1], -math.inf, -self.max_weight, where=[mark])
                self.model.add(marks.tolist(), [1] * len(marks), 1, math.inf)

    def _either(self, bit: int, columns: list[int], values: Any, threshold: int, *where: int) -> None:
        """Let a variable be 1 iff a sum reaches a threshold, where others are 1."""
        self.model.add(columns, values, threshold, math.inf, where=[*where, bit])
        self.model.add(columns, values, -math.inf, threshold - 1, where=[*where, ~bit])

    def solve(self, start: Shape, time_limit: float | None) -> tuple[Shape | None, int]:
        """Return the best network that was found, and how many mistakes none is below."""
        found = self.model.solve(
            self.out.tolist(), self.cost, time_limit=time_limit, start=self.values(self.canonical(start))
        )
        bound = self.fixed + math.ceil(found.bound - ROUNDING) if np.isfinite(found.bound) else 0
        if found.x is None:
            return None, bound
        decision = self.decisions[int(np.argmax(found.x[self.chosen]))]
        weights, bias = found.x[self.weights].T.copy(), found.x[self.bias].copy()
        for part in self.groups:
            self._light(weights[part], bias)
        return Shape(weights, bias, np.array(decision.weights), decision.threshold), bound

    def _light(self, weights: Array, bias: Array) -> None:
        """Let the weights of one-hot columns be as light as they can without a change of what is decided."""
        for k in range(self.n_hidden):
            column = weights[:, k]
            steps = range(self.max_weight - int(column.max()) + 1)
            step = min(steps, key=lambda step: int(np.abs(column + step).sum()))
            weights[:, k] += step
            bias[k] -= step

    def canonical(self, shape: Shape) -> Shape:
        """Return a network that decides the rows alike, in the form that the program looks for."""
        weights, bias, output = shape.weights.copy(), shape.bias.copy(), shape.output.copy()
        negative = output < 0
        weights[:, negative] *= -1
        bias[negative] = -1 - bias[negative]
        threshold = shape.threshold - int(output[negative].sum())
        output[negative] *= -1
        cube, threshold = _normal(output, threshold)
        idle = np.array([not _matters(cube, k) for k in range(self.n_hidden)])
        weights[:, idle] = 0
        if idle.all():  # a constant: of the neurons all fire or none does
            bias[:], output[:], threshold = (0 if cube.all() else -1), 1, self.n_hidden
        else:
            bias[idle], output[idle] = 0, 1
            threshold += int(idle.sum())
        order = np.argsort(-output, kind="stable")
        weights, bias, output = weights[:, order], bias[order], output[order]
        for part in self.groups:
            steps = weights[part].min(axis=0) + self.max_weight
            weights[part] -= steps
            bias += steps
        cube, _ = _normal(output, threshold)
        decision = self.decisions[self.tables[cube.tobytes()]]
        first = 0
        for k in range(self.n_hidden):
            if k == self.n_hidden - 1 or not decision.alike[k]:
                run = range(first, k + 1)
                sorted_run = sorted(run, key=lambda j: weights[:, j].tolist(), reverse=True)
                weights[:, run], bias[run] = weights[:, sorted_run], bias[sorted_run]
                first = k + 1
        far = (
            self.rows.shape[1] * self.max_weight + 1
        )  # a neuron with a bias beyond that always or never fires
        return Shape(weights, np.clip(bias, -far, far), np.array(decision.weights), decision.threshold)

    def values(self, shape: Shape) -> Array:
        """Return the values that all variables have for a network in canonical form."""
        values = np.zeros(self.model.n_variables, dtype=np.int64)
        fires = self.rows @ shape.weights + shape.bias >= 0
        cube, _ = _normal(shape.output, shape.threshold)
        choice = self.tables[cube.tobytes()]
        values[self.weights], values[self.bias] = shape.weights.T, shape.bias
        values[self.fires] = fires.T
        values[self.chosen[choice]] = 1
        values[self.out] = fires @ shape.output >= shape.threshold
        for k, equal in enumerate(self.equal):
            same = shape.weights[:, k] == shape.weights[:, k + 1]
            values[equal] = np.logical_and.accumulate([self.decisions[choice].alike[k], *same])
        for weights, least in zip(shape.weights.T, self.least, strict=True):
            for part, marks in zip(self.groups, least, strict=True):
                values[marks] = weights[part] == -self.max_weight
        return values


def _normal(output: Array, threshold: int) -> tuple[Array, int]:
    """Return a function as a cube with an axis for each neuron, and the least sum from which on it fires."""
    points = np.array(list(itertools.product((0, 1), repeat=len(output))))
    sums = points @ output
    reached = sums[sums >= threshold]
    cube = (sums >= threshold).reshape((2,) * len(output))
    return cube, int(reached.min()) if len(reached) else threshold
