"""Perceptron kernels over dense rows.

`dense_outputs` trains outputs that are independent perceptrons (one neuron, one-vs-rest, several binary outputs):
each has a sign +1 or -1 on every row (0: don't teach). It trains the outputs ``first <= k < last``, so that
threads can share the outputs of one network. `dense_classes` trains a multiclass layer whose neurons compete: the
true class is pulled, the first best rival pushed (Crammer and Singer 2003).

**Blocks.** Outputs are independent, so a block of `BLOCK` of them learns from a tile of `TILE` rows before the
next block sees them: its weights stay in the first-level cache, the rows in the second, into which the next tile
is fetched meanwhile. Within a tile, the net inputs of `ROWS` rows are computed together; when one of them changes
the weights of an output, those of the later ones are computed again. So all is as if rows came one by one.

**Filter.** Exact learning has whole weights in float64. A copy of them in float32, the *view*, decides most rows
at half the cost or less, and lets rows of bytes be read as bytes: a row is passed over if its net input is on the
right side by more than `_doubt`, a bound on what rounding can do; the others are computed again in float64,
where whole numbers below 2**53 are exact. So no decision depends on the view.

References
----------
K. Crammer and Y. Singer (2003), "Ultraconservative online algorithms for multiclass problems", JMLR 3.
N. J. Higham (2002), "Accuracy and stability of numerical algorithms", 2nd ed., section 3.1, for the bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from limen.learn._kernels import (
    INF,
    PERCEPTRON,
    Rule,
    State,
    add_bias,
    count,
    pocket,
    rival,
    step_size,
    truncate,
    whole_pocket,
)
from limen.learn._kernels_dots import BLOCK, ROWS, dot, dots_of_rows, rows_of_one
from limen.learn._kernels_lanes import lanes, load, load_rest, multiply_add, spread, total
from limen.step import Array

__all__ = ["TILE", "dense_classes", "dense_outputs", "refresh"]

TILE = 32  # rows that one block of outputs learns from while they, and its weights, are in the cache
HALF = 2.0**-24  # the unit roundoff of float32


@njit(nogil=True, cache=True, error_model="numpy")
def _doubt(total_weight: float, largest: float, view: Array) -> Any:
    """Return how far a net input in the view may be from the true one (Higham 2002, section 3.1).

    A lane sums ``width / lanes`` products, each rounded with its sum, then lanes are added in pairs, and a weight
    itself was rounded. Below 2**24 nothing is rounded at all.
    """
    most = total_weight * largest
    if most < 1 / HALF:
        return 0.0
    n = view.shape[1] / lanes(view) + 16
    return 1.001 * n * HALF / (1 - n * HALF) * most


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc"})
def refresh(weights: Array, view: Array, doubt: Array, largest: float, k: int) -> None:
    """Bring the view of output `k`, and its doubt, up to date with its weights."""
    total_weight = 0.0
    for j in range(weights.shape[1]):
        view[k, j] = weights[k, j]
        total_weight += abs(weights[k, j])
    doubt[k] = _doubt(total_weight, largest, view)


@njit(nogil=True, cache=True, error_model="numpy")
def _square(source: Array, i: int, weights: Array, rule: Rule) -> Any:
    """Return ``|x|²`` of a row, the bias neuron's 1 included."""
    width = lanes(weights)
    whole = source.shape[1] - source.shape[1] % width
    squares = spread(weights.dtype.type(0), weights)
    for j in range(0, whole, width):
        x = load(source, i, j, weights)
        squares = multiply_add(x, x, squares)
    if whole < source.shape[1]:
        x = load_rest(source, i, whole, weights)
        squares = multiply_add(x, x, squares)
    return total(squares) + (1.0 if rule.intercept else 0.0)


@njit(nogil=True, cache=True, error_model="numpy")
def _add(
    state: State, rule: Rule, k: int, source: Array, i: int, step: float, scale: float, clock: float
) -> None:
    """Add ``step`` times row `i` to the weights of output `k`."""
    weights, late = state.weights, state.late
    change = weights.dtype.type(step / scale)
    for j in range(source.shape[1]):
        weights[k, j] += change * source[i, j]
    if rule.average:
        change_late = clock * (step / scale)
        for j in range(source.shape[1]):
            late[k, j] += change_late * source[i, j]


@njit(nogil=True, cache=True, error_model="numpy")
def dense_outputs(
    source: Array,
    rows: Array,
    signs: Array,
    sample_weight: Array,
    cost: Array,
    first: int,
    last: int,
    view: Array,
    doubt: Array,
    largest: float,
    state: State,
    rule: Rule,
) -> bool:
    """Train the independent outputs ``first <= k < last``.

    Parameters
    ----------
    source : array of shape (n_rows, n_features), C order, float32, float64, or uint8 with a view
    rows : int64 array, the rows to visit, in order
    signs : int8 array of shape (n_rows, n_outputs), +1, -1, or 0 for "don't teach"
    sample_weight : float64 array of shape (n_rows,)
    cost : float64 array of shape (n_outputs, 2), the step on a negative and on a positive row
    first, last : multiples of `BLOCK`, or all outputs
    view : array of shape (n_padded, width)
        The weights themselves, of the rows' type; or, of float32, what filters for whole weights of float64.
    doubt : float64 array of shape (n_padded,), or empty without a filter
    largest : float
        The largest absolute feature, where there is a filter.
    state, rule : State, Rule
        ``state.time`` is read, not changed.

    Returns
    -------
    bool
        Whether every net input was finite; stops at the first that isn't.
    """
    weights = state.weights
    filters = len(doubt) > 0
    n_outputs = signs.shape[1]
    z = np.zeros((ROWS, weights.shape[0]), dtype=view.dtype)
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    group = 1 if rule.truncate > 0 else ROWS  # an L1 penalty changes all weights after every row
    n_blocks = max(1, (last - first) // BLOCK)
    for start in range(0, len(rows), TILE):
        stop = min(start + TILE, len(rows))
        scale0, clock0, steps0, due0 = scale, clock, steps, due
        soon = stop
        for block in range(first, last, BLOCK):
            scale, clock, steps, due = scale0, clock0, steps0, due0
            end = min(block + BLOCK, n_outputs)
            for at in range(start, stop, group):
                n = min(group, stop - at)
                n_soon = min(-(-n // n_blocks), len(rows) - soon)
                dots_of_rows(source, rows, at, n, view, block, z, soon, n_soon)
                soon += n_soon
                for r in range(n):
                    i = rows[at + r]
                    square = -1.0
                    shrunk = scale * rule.shrink
                    for k in range(block, end):
                        sign = signs[i, k]
                        net = scale * z[r, k] + state.bias[k]
                        s = sign * net
                        sure = rule.margin + (doubt[k] if filters else 0.0)
                        if s > sure and s < INF:
                            if rule.pocket:
                                state.run[k] += 1
                            continue
                        if filters:
                            net = dot(source, i, weights, k) + state.bias[k]
                            s = sign * net
                        if not abs(net) < INF:
                            return False
                        if sign == 0 or s > rule.margin:
                            if rule.pocket:
                                state.run[k] += 1
                            continue
                        count(state, rule, k, s)
                        if rule.pocket:
                            pocket(state, k, scale)
                            state.run[k] = 0
                        if rule.update != PERCEPTRON and square < 0:
                            square = _square(source, i, weights, rule)
                        step = sign * sample_weight[i] * cost[k, 1 if sign > 0 else 0]
                        step *= step_size(rule, s, square)
                        _add(state, rule, k, source, i, step, shrunk, clock)
                        add_bias(state, rule, k, step, steps)
                        if filters:
                            refresh(weights, view, doubt, largest, k)
                        if r + 1 < n:
                            rows_of_one(source, rows, at + r + 1, n - r - 1, view, k, z, r + 1, 0, 0)
                    scale = shrunk
                    if rule.truncate > 0:
                        due += rule.truncate
                        for k in range(block, end):
                            for j in range(source.shape[1]):
                                truncate(state, rule, k, j, scale, clock, due)
                    clock += scale
                    steps += 1
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _surely_right(z: Array, state: State, doubt: Array, margin: float, true: int, n_classes: int) -> bool:
    """Return whether the true class is above every other by the margin, whatever rounding did."""
    least = z[true] + state.bias[true] - doubt[true]
    for k in range(n_classes):
        if k != true and not least - (z[k] + state.bias[k] + doubt[k]) > margin:
            return False
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def dense_classes(
    source: Array,
    rows: Array,
    codes: Array,
    sample_weight: Array,
    cost: Array,
    view: Array,
    doubt: Array,
    largest: float,
    state: State,
    rule: Rule,
) -> bool:
    """Train competing classes; `codes` is each row's true class, the rest as in `dense_outputs`."""
    weights = state.weights
    filters = len(doubt) > 0
    n_classes = cost.shape[0]
    z = np.zeros((ROWS, weights.shape[0]), dtype=view.dtype)
    exact = np.zeros(weights.shape[0])
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    group = 1 if rule.truncate > 0 else ROWS
    n_blocks = weights.shape[0] // BLOCK
    soon = min(TILE, len(rows))
    for at in range(0, len(rows), group):
        n = min(group, len(rows) - at)
        for block in range(0, weights.shape[0], BLOCK):
            n_soon = min(-(-n // n_blocks), len(rows) - soon)
            dots_of_rows(source, rows, at, n, view, block, z, soon, n_soon)
            soon += n_soon
        for r in range(n):
            i = rows[at + r]
            true = codes[i]
            before, scale = scale, scale * rule.shrink
            right = filters and _surely_right(z[r], state, doubt, rule.margin, true, n_classes)
            if not right:
                if filters:
                    for k in range(n_classes):
                        exact[k] = dot(source, i, weights, k)
                else:
                    for k in range(n_classes):
                        exact[k] = z[r, k]
                other = rival(exact, state, before, true, n_classes)
                if other < 0:
                    return False
                s = exact[true] - exact[other]
                right = s > rule.margin
                if not right:
                    count(state, rule, true, s)
                    if rule.pocket:
                        whole_pocket(state, n_classes, before)
                    square = 0.0
                    if rule.update != PERCEPTRON:
                        square = 2 * _square(source, i, weights, rule)
                    step = sample_weight[i] * cost[true, 1] * step_size(rule, s, square)
                    for k, change in ((true, step), (other, -step)):
                        _add(state, rule, k, source, i, change, scale, clock)
                        add_bias(state, rule, k, change, steps)
                        if filters:
                            refresh(weights, view, doubt, largest, k)
                        if r + 1 < n:
                            rows_of_one(source, rows, at + r + 1, n - r - 1, view, k, z, r + 1, 0, 0)
            if right and rule.pocket:
                state.run[0] += 1
            if rule.truncate > 0:
                due += rule.truncate
                for k in range(n_classes):
                    for j in range(source.shape[1]):
                        truncate(state, rule, k, j, scale, clock, due)
            clock += scale
            steps += 1
    return True
