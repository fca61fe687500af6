"""Perceptron kernels over the rows of a CSR matrix: independent outputs and competing classes.

They do what `limen.learn._kernels_dense` does. `indices` are unsigned, which spares numba's check for negative
ones. Weights lie by features: those of all outputs for one feature side by side, padded to whole registers, so
that a stored number is read once for every output.
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
from limen.learn._kernels_lanes import lanes, load, multiply_add, spread, store
from limen.step import Array

__all__ = ["in_order", "net_input", "net_input_and_total", "net_inputs", "sparse_classes", "sparse_outputs"]


@njit(nogil=True, cache=True, error_model="numpy")
def net_input(data: Array, indices: Array, start: int, stop: int, weights: Array) -> Any:
    """Return the dot product of one row with the only row of weights."""
    total = weights.dtype.type(0)
    for p in range(start, stop):  # one sum: while it waits for an addition, the processor is at the next rows
        total += data[p] * weights[0, np.int64(indices[p])]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def net_input_and_total(
    data: Array, indices: Array, start: int, stop: int, weights: Array
) -> tuple[Any, Any]:
    """Return the same, and ``Σ|x|``."""
    net = total = weights.dtype.type(0)
    for p in range(start, stop):
        x = weights.dtype.type(data[p])
        net += x * weights[0, np.int64(indices[p])]
        total += abs(x)
    return net, total


@njit(nogil=True, cache=True, error_model="numpy")
def in_order(indices: Array, indptr: Array, n_columns: int) -> bool:
    """Return whether the columns of each row of a CSR matrix are in range and increase."""
    wrong = 0
    for i in range(len(indptr) - 1):
        start, stop = np.int64(indptr[i]), np.int64(indptr[i + 1])
        if stop < start or stop > len(indices):
            return False
        for p in range(start + 1, stop):
            wrong += indices[p] <= indices[p - 1]
        if stop > start:
            wrong += indices[stop - 1] >= n_columns
        if wrong:
            return False
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def net_inputs(
    data: Array, indices: Array, start: int, stop: int, by_feature: Array, first: int, last: int, z: Array
) -> None:
    """Write the dot products with the weights ``first <= k < last``, whole registers of them, into `z`."""
    width = lanes(by_feature)
    kind = by_feature.dtype.type
    none = spread(kind(0), by_feature)
    k = first
    while k + 4 * width <= last:
        a, b, c, d = none, none, none, none
        for p in range(start, stop):
            x, j = spread(kind(data[p]), by_feature), np.int64(indices[p])
            a = multiply_add(x, load(by_feature, j, k, by_feature), a)
            b = multiply_add(x, load(by_feature, j, k + width, by_feature), b)
            c = multiply_add(x, load(by_feature, j, k + 2 * width, by_feature), c)
            d = multiply_add(x, load(by_feature, j, k + 3 * width, by_feature), d)
        store(a, z, k)
        store(b, z, k + width)
        store(c, z, k + 2 * width)
        store(d, z, k + 3 * width)
        k += 4 * width
    while k + 2 * width <= last:
        a, b = none, none
        for p in range(start, stop):
            x, j = spread(kind(data[p]), by_feature), np.int64(indices[p])
            a = multiply_add(x, load(by_feature, j, k, by_feature), a)
            b = multiply_add(x, load(by_feature, j, k + width, by_feature), b)
        store(a, z, k)
        store(b, z, k + width)
        k += 2 * width
    if k < last:
        a = none
        for p in range(start, stop):
            x, j = spread(kind(data[p]), by_feature), np.int64(indices[p])
            a = multiply_add(x, load(by_feature, j, k, by_feature), a)
        store(a, z, k)


@njit(nogil=True, cache=True, error_model="numpy")
def _square(data: Array, start: int, stop: int, rule: Rule) -> Any:
    """Return ``|x|²`` of a row, the bias neuron's 1 included."""
    square = 1.0 if rule.intercept else 0.0
    for p in range(start, stop):
        x = np.float64(data[p])
        square += x * x
    return square


@njit(nogil=True, cache=True, error_model="numpy")
def _add(
    state: State,
    rule: Rule,
    k: int,
    data: Array,
    indices: Array,
    start: int,
    stop: int,
    step: float,
    scale: float,
    clock: float,
) -> None:
    """Add ``step * x`` to the weights of output `k`, where `x` is the sparse row ``start:stop``."""
    change = state.weights.dtype.type(step / scale)
    if not rule.average:
        for p in range(start, stop):
            state.weights[k, indices[p]] += change * data[p]
        return
    change_late = clock * (step / scale)
    for p in range(
        start, stop
    ):  # both at once: their places are far apart, so that one waits while the other goes on
        x, j = data[p], indices[p]
        state.weights[k, j] += change * x
        state.late[k, j] += change_late * x


@njit(nogil=True, cache=True, error_model="numpy")
def _all_right(z: Array, bias: Array, scale: float, signs: Array, margin: float, first: int, end: int) -> Any:
    """Return whether no output can need a lesson: a plain loop that takes many outputs at a time."""
    wrong = 0
    for k in range(first, end):
        s = signs[k] * (scale * z[k] + bias[k])
        wrong |= not ((s > margin) & (s < INF))
    return wrong == 0


@njit(nogil=True, cache=True, error_model="numpy")
def sparse_outputs(
    data: Array,
    indices: Array,
    indptr: Array,
    rows: Array,
    signs: Array,
    sample_weight: Array,
    cost: Array,
    first: int,
    last: int,
    state: State,
    rule: Rule,
) -> bool:
    """Train the independent outputs ``first <= k < last``, whole registers of them; see `dense_outputs`."""
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    weights = state.weights
    z = np.zeros(weights.shape[0], dtype=weights.dtype)
    end = min(last, signs.shape[1])
    one = weights.shape[0] == 1
    plain = not rule.pocket and rule.truncate == 0  # nothing to be done on a row that is right
    for at in range(len(rows)):
        i = rows[at]
        start, stop = np.int64(indptr[i]), np.int64(indptr[i + 1])
        shrunk = scale * rule.shrink
        if one:
            z[0] = net_input(data, indices, start, stop, weights)
            s = signs[i, 0] * (scale * z[0] + state.bias[0])
            if s > rule.margin and s < INF and plain:  # nearly every row of a long training
                scale = shrunk
                clock += scale
                steps += 1
                continue
        else:
            net_inputs(data, indices, start, stop, weights.T, first, last, z)
        if _all_right(z, state.bias, scale, signs[i], rule.margin, first, end):
            if rule.pocket:
                for k in range(first, end):
                    state.run[k] += 1
        else:
            square = -1.0
            for k in range(first, end):
                sign = signs[i, k]
                net = scale * z[k] + state.bias[k]
                if not abs(net) < INF:
                    return False
                s = sign * net
                if sign == 0 or s > rule.margin:
                    if rule.pocket:
                        state.run[k] += 1
                    continue
                count(state, rule, k, s)
                if rule.pocket:
                    pocket(state, k, scale)
                    state.run[k] = 0
                if rule.update != PERCEPTRON and square < 0:
                    square = _square(data, start, stop, rule)
                step = sign * sample_weight[i] * cost[k, 1 if sign > 0 else 0]
                step *= step_size(rule, s, square)
                _add(state, rule, k, data, indices, start, stop, step, shrunk, clock)
                add_bias(state, rule, k, step, steps)
        scale = shrunk
        if rule.truncate > 0:
            due += rule.truncate
            for k in range(first, end):
                for q in range(start, stop):
                    truncate(state, rule, k, indices[q], scale, clock, due)
        clock += scale
        steps += 1
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def sparse_classes(
    data: Array,
    indices: Array,
    indptr: Array,
    rows: Array,
    codes: Array,
    sample_weight: Array,
    cost: Array,
    state: State,
    rule: Rule,
) -> bool:
    """Train competing classes; `codes` is each row's true class."""
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    n_classes = cost.shape[0]
    weights = state.weights
    z = np.zeros(weights.shape[0], dtype=weights.dtype)
    for at in range(len(rows)):
        i = rows[at]
        start, stop = np.int64(indptr[i]), np.int64(indptr[i + 1])
        true = codes[i]
        net_inputs(data, indices, start, stop, weights.T, 0, weights.shape[0], z)
        other = rival(z, state, scale, true, n_classes)
        if other < 0:
            return False
        before, scale = scale, scale * rule.shrink
        s = np.float64(z[true]) - np.float64(z[other])
        if s > rule.margin:
            if rule.pocket:
                state.run[0] += 1
        else:
            count(state, rule, true, s)
            if rule.pocket:
                whole_pocket(state, n_classes, before)
            square = 0.0
            if rule.update != PERCEPTRON:
                square = 2 * _square(data, start, stop, rule)
            step = sample_weight[i] * cost[true, 1] * step_size(rule, s, square)
            for k, change in ((true, step), (other, -step)):
                _add(state, rule, k, data, indices, start, stop, change, scale, clock)
                add_bias(state, rule, k, change, steps)
        if rule.truncate > 0:
            due += rule.truncate
            for k in range(n_classes):
                for q in range(start, stop):
                    truncate(state, rule, k, indices[q], scale, clock, due)
        clock += scale
        steps += 1
    return True
