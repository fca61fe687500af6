"""Perceptron kernels: loops over checked arrays, compiled by numba.

Nothing here checks anything: `limen.learn._training` does, once, before it calls. A kernel runs over some rows
of one epoch and changes a `State` in place.

``*_outputs`` kernels train outputs that are independent perceptrons (one neuron, one-vs-rest, several binary
outputs): each has a sign +1 or -1 on every row (0: don't teach), and errs unless ``sign * z > 0``. They train
the outputs ``first <= k < last``, so that threads can share the outputs of one network.
``*_classes`` kernels train a multiclass layer whose neurons compete: a row errs unless the net input of its
true class is above every other (Crammer and Singer 2003); the true class is pulled, the first best rival
pushed.

**One weight vector, three numbers.** With an L2 penalty all weights shrink by one factor a step. The stored
vector ``v`` doesn't: the weights are ``scale * v``. The running sum of the weights after every step, whose mean
is the averaged perceptron (Freund and Schapire 1999), isn't stored either: it is ``clock * v - late``, where
``clock`` is the sum of all scales so far and ``late`` has collected ``clock * change`` at each change (Bottou's
trick; Daumé 2006, section 2.1). Without a penalty ``scale`` stays 1 and ``clock`` counts the steps, so on whole
numbers all of this is exact.

**Sums.** A dense dot product may be reordered (vectorised), always in the same way for every output: blocks of
`BLOCK` outputs are computed by one loop, and outputs are padded to fill blocks. Since outputs are independent, a
block learns from a tile of `TILE` rows before the next block sees them: its weights stay in the first-level cache,
the rows in the second. Rows that lie in another order or type than they are needed in are first copied, tile by tile. A sparse one is summed in order.

References
----------
F. Rosenblatt (1958), "The perceptron", Psychological Review 65. S. I. Gallant (1990), "Perceptron-based
learning algorithms", IEEE Transactions on Neural Networks 1, for the pocket. K. Crammer and Y. Singer (2003),
"Ultraconservative online algorithms for multiclass problems", JMLR 3. Y. Freund and R. E. Schapire (1999),
"Large margin classification using the perceptron algorithm", Machine Learning 37. Y. Tsuruoka, J. Tsujii and
S. Ananiadou (2009), "Stochastic gradient descent training for L1-regularized log-linear models with cumulative
penalty", ACL, section 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from limen.step import Array

__all__ = [
    "BLOCK",
    "LANES",
    "Rule",
    "State",
    "dense_classes",
    "dense_outputs",
    "sparse_classes",
    "sparse_outputs",
]

BLOCK = 5  # outputs of a dense layer computed by one loop
LANES = 64  # features a vectorised loop takes at a time; rows are padded with zeros to a multiple of it
TILE = 64  # rows that one block of outputs learns from while they, and its weights, are in the cache

SUMS: Any = {"reassoc", "contract"}  # reorder and fuse a sum, but never assume away NaN or infinity
INF = np.inf


class State(NamedTuple):
    """What a kernel changes.

    ``n_padded`` is the number of outputs, a multiple of `BLOCK` unless it is 1; ``width`` is the number of
    features, a multiple of `LANES`, so that each row of weights starts a line of the cache and loops have no rest. Padding stays zero.
    """

    weights: Array  # (n_padded, width), v
    bias: Array  # (n_padded,)
    late: Array  # (n_padded, width) float64; (0, 0) unless averaging
    late_bias: Array  # (n_padded,) float64
    pocket: Array  # (n_padded, width): the weights with the longest run; (0, 0) unless pocketing
    pocket_bias: Array  # (n_padded,)
    run: Array  # (n_padded,) int64: rows in a row without a mistake
    best_run: Array  # (n_padded,) int64: the pocket's run
    debt: Array  # (n_padded, width): L1 penalty received, with sign; (0, 0) without one
    mistakes: Array  # (n_padded,) int64, counted up
    loss: Array  # (n_padded,) float64, -sign * z summed over mistakes
    time: Array  # (4,) float64: scale, clock, steps, L1 penalty due


class Rule(NamedTuple):
    """How a kernel teaches."""

    shrink: float  # factor on the weights at each step, above 0 (1 without an L2 penalty)
    truncate: float  # L1 penalty due at each step (0 without one)
    intercept: bool  # whether the bias learns
    average: bool  # whether `State.late` is kept
    pocket: bool  # whether `State.pocket` is kept


@njit(fastmath=SUMS, nogil=True, cache=True, error_model="numpy")
def _dot(source: Array, p: int, weights: Array, z: Array) -> None:
    """Write the dot product of row `p` with the only row of weights into ``z[0]``."""
    total = weights.dtype.type(0)
    for j in range(source.shape[1]):
        total += source[p, j] * weights[0, j]
    z[0] = total


@njit(fastmath=SUMS, nogil=True, cache=True, error_model="numpy")
def _dots(source: Array, p: int, weights: Array, k: int, z: Array) -> None:
    """Write the dot products of row `p` with the `BLOCK` rows of weights from `k` on into `z`."""
    zero = weights.dtype.type(0)
    z0, z1, z2, z3, z4 = zero, zero, zero, zero, zero
    for j in range(source.shape[1]):
        x = source[p, j]
        z0 += x * weights[k, j]
        z1 += x * weights[k + 1, j]
        z2 += x * weights[k + 2, j]
        z3 += x * weights[k + 3, j]
        z4 += x * weights[k + 4, j]
    z[k], z[k + 1], z[k + 2], z[k + 3], z[k + 4] = z0, z1, z2, z3, z4


@njit(nogil=True, cache=True, error_model="numpy")
def _net_inputs_sparse(
    data: Array, indices: Array, start: int, stop: int, weights: Array, first: int, last: int, z: Array
) -> None:
    if weights.shape[0] == 1:
        total = weights.dtype.type(0)
        for p in range(start, stop):
            total += data[p] * weights[0, indices[p]]
        z[0] = total
    else:
        z[first:last] = 0
        for p in range(start, stop):
            value = data[p]
            j = indices[p]
            for k in range(first, last):
                z[k] += value * weights[k, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _pocket(state: State, k: int, scale: float) -> None:
    """Keep the weights of output `k` as they are if their run beats the pocket's."""
    if state.run[k] > state.best_run[k]:
        state.best_run[k] = state.run[k]
        for j in range(state.weights.shape[1]):
            state.pocket[k, j] = scale * state.weights[k, j]
        state.pocket_bias[k] = state.bias[k]


@njit(nogil=True, cache=True, error_model="numpy")
def _fill(tile: Array, X: Array, rows: Array, start: int, n: int) -> None:
    """Copy the next `n` rows into the tile, in the type of the weights."""
    for p in range(n):
        i = rows[start + p]
        for j in range(X.shape[1]):
            tile[p, j] = X[i, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _add_dense(
    state: State, rule: Rule, k: int, source: Array, p: int, step: float, scale: float, clock: float
) -> None:
    """Add ``step`` times row `p` to the weights of output `k`."""
    weights, late = state.weights, state.late
    change = weights.dtype.type(step / scale)
    for j in range(source.shape[1]):
        weights[k, j] += change * source[p, j]
    if rule.average:
        change_late = clock * (step / scale)
        for j in range(source.shape[1]):
            late[k, j] += change_late * source[p, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _add_sparse(
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
    for p in range(start, stop):
        state.weights[k, indices[p]] += change * data[p]
    if rule.average:
        change_late = clock * (step / scale)
        for p in range(start, stop):
            state.late[k, indices[p]] += change_late * data[p]


@njit(nogil=True, cache=True, error_model="numpy")
def _add_bias(state: State, rule: Rule, k: int, step: float, steps: float) -> None:
    if rule.intercept:
        state.bias[k] += state.bias.dtype.type(step)
        state.late_bias[k] += steps * step


@njit(nogil=True, cache=True, error_model="numpy")
def _truncate(state: State, rule: Rule, k: int, j: int, scale: float, clock: float, due: float) -> None:
    """Pull one weight towards zero by the L1 penalty still due to it, never past zero (Tsuruoka et al.).

    It is the end of a step: `clock` doesn't count the step yet, so that the sum has the pulled weight.
    """
    before = scale * state.weights[k, j]
    after = before
    if before > 0:
        after = max(0.0, before - (due + state.debt[k, j]))
    elif before < 0:
        after = min(0.0, before + (due - state.debt[k, j]))
    change = after - before
    state.debt[k, j] += change
    state.weights[k, j] += change / scale
    if rule.average:
        state.late[k, j] += clock * (change / scale)


@njit(nogil=True, cache=True, error_model="numpy")
def dense_outputs(
    X: Array,
    rows: Array,
    signs: Array,
    sample_weight: Array,
    cost: Array,
    first: int,
    last: int,
    source: Array,
    tile: Array,
    state: State,
    rule: Rule,
) -> bool:
    """Train the independent outputs ``first <= k < last`` on dense rows.

    Parameters
    ----------
    X : array of shape (n_rows, n_features), C order
    rows : int64 array, the rows to visit, in order
    signs : int8 array of shape (n_rows, n_outputs), +1, -1, or 0 for "don't teach"
    sample_weight : float64 array of shape (n_rows,)
    cost : float64 array of shape (n_outputs, 2), the step on a negative and on a positive row
    first, last : multiples of `BLOCK`, or all outputs
    source : array of the weights' type
        Where rows are read from: `X` itself, or `tile`.
    tile : array of the weights' type, shape (TILE, width), zero beyond n_features
        Where rows are copied to first; of no rows if `source` is `X`, which may be read-only.
    state, rule : State, Rule
        ``state.time`` is read, not changed.

    Returns
    -------
    bool
        Whether every net input was finite; stops at the first that isn't.
    """
    z = np.zeros(state.weights.shape[0], dtype=state.weights.dtype)
    n_outputs = signs.shape[1]
    direct = tile.shape[0] == 0
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    for start in range(0, rows.shape[0], TILE):
        n = min(TILE, rows.shape[0] - start)
        if not direct:
            _fill(tile, X, rows, start, n)
        scale0, clock0, steps0, due0 = scale, clock, steps, due
        for block in range(first, last, BLOCK):
            scale, clock, steps, due = scale0, clock0, steps0, due0
            end = min(block + BLOCK, n_outputs)
            for p in range(n):
                i = rows[start + p]
                row = i if direct else p
                if n_outputs == 1:
                    _dot(source, row, state.weights, z)
                else:
                    _dots(source, row, state.weights, block, z)
                shrunk = scale * rule.shrink
                for k in range(block, end):
                    sign = signs[i, k]
                    net = scale * z[k] + state.bias[k]
                    if not abs(net) < INF:
                        return False
                    if sign != 0 and not sign * net > 0:
                        state.mistakes[k] += 1
                        state.loss[k] -= sign * net
                        if rule.pocket:
                            _pocket(state, k, scale)
                            state.run[k] = 0
                        step = sign * sample_weight[i] * cost[k, 1 if sign > 0 else 0]
                        _add_dense(state, rule, k, source, row, step, shrunk, clock)
                        _add_bias(state, rule, k, step, steps)
                    elif rule.pocket:
                        state.run[k] += 1
                scale = shrunk
                if rule.truncate > 0:
                    due += rule.truncate
                    for k in range(block, end):
                        for j in range(X.shape[1]):
                            _truncate(state, rule, k, j, scale, clock, due)
                clock += scale
                steps += 1
    return True


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
    """Train independent outputs on the rows of a CSR matrix; see `dense_outputs`.

    `indices` are unsigned, which spares numba's check for negative ones.
    """
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    z = np.zeros(state.weights.shape[0], dtype=state.weights.dtype)
    end = min(last, signs.shape[1])
    for p in range(rows.shape[0]):
        i = rows[p]
        start, stop = indptr[i], indptr[i + 1]
        _net_inputs_sparse(data, indices, start, stop, state.weights, first, last, z)
        shrunk = scale * rule.shrink
        for k in range(first, end):
            sign = signs[i, k]
            net = scale * z[k] + state.bias[k]
            if not abs(net) < INF:
                return False
            if sign != 0 and not sign * net > 0:
                state.mistakes[k] += 1
                state.loss[k] -= sign * net
                if rule.pocket:
                    _pocket(state, k, scale)
                    state.run[k] = 0
                step = sign * sample_weight[i] * cost[k, 1 if sign > 0 else 0]
                _add_sparse(state, rule, k, data, indices, start, stop, step, shrunk, clock)
                _add_bias(state, rule, k, step, steps)
            elif rule.pocket:
                state.run[k] += 1
        scale = shrunk
        if rule.truncate > 0:
            due += rule.truncate
            for k in range(first, end):
                for q in range(start, stop):
                    _truncate(state, rule, k, indices[q], scale, clock, due)
        clock += scale
        steps += 1
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _rival(z: Array, state: State, scale: float, true: int, n_classes: int) -> Any:
    """Turn `z` into net inputs; return the first best class other than `true`, -1 if one isn't finite."""
    rival = -1
    for k in range(n_classes):
        z[k] = scale * z[k] + state.bias[k]
        if not abs(z[k]) < INF:
            return -1
        if k != true and (rival < 0 or z[k] > z[rival]):
            rival = k
    return rival


@njit(nogil=True, cache=True, error_model="numpy")
def _whole_pocket(state: State, n_classes: int, scale: float) -> None:
    """Keep or pass over the weights of all classes together: they share one run."""
    run, best_run = state.run[0], state.best_run[0]
    for k in range(n_classes):
        state.run[k], state.best_run[k] = run, best_run
        _pocket(state, k, scale)
        state.run[k] = 0


@njit(nogil=True, cache=True, error_model="numpy")
def dense_classes(
    X: Array,
    rows: Array,
    codes: Array,
    sample_weight: Array,
    cost: Array,
    source: Array,
    tile: Array,
    state: State,
    rule: Rule,
) -> bool:
    """Train competing classes on dense rows; `codes` is each row's true class, the rest as in `dense_outputs`."""
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    n_classes = cost.shape[0]
    z = np.zeros(state.weights.shape[0], dtype=state.weights.dtype)
    direct = tile.shape[0] == 0
    for start in range(0, rows.shape[0], TILE):
        n = min(TILE, rows.shape[0] - start)
        if not direct:
            _fill(tile, X, rows, start, n)
        for p in range(n):
            i = rows[start + p]
            row = i if direct else p
            true = codes[i]
            for block in range(0, state.weights.shape[0], BLOCK):
                _dots(source, row, state.weights, block, z)
            rival = _rival(z, state, scale, true, n_classes)
            if rival < 0:
                return False
            before, scale = scale, scale * rule.shrink
            if not z[true] > z[rival]:
                state.mistakes[true] += 1
                state.loss[true] += z[rival] - z[true]
                if rule.pocket:
                    _whole_pocket(state, n_classes, before)
                step = sample_weight[i] * cost[true, 1]
                _add_dense(state, rule, true, source, row, step, scale, clock)
                _add_bias(state, rule, true, step, steps)
                _add_dense(state, rule, rival, source, row, -step, scale, clock)
                _add_bias(state, rule, rival, -step, steps)
            elif rule.pocket:
                state.run[0] += 1
            if rule.truncate > 0:
                due += rule.truncate
                for k in range(n_classes):
                    for j in range(X.shape[1]):
                        _truncate(state, rule, k, j, scale, clock, due)
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
    """Train competing classes on the rows of a CSR matrix; see `dense_classes` and `sparse_outputs`."""
    scale, clock, steps, due = state.time[0], state.time[1], state.time[2], state.time[3]
    n_classes = cost.shape[0]
    z = np.zeros(state.weights.shape[0], dtype=state.weights.dtype)
    for p in range(rows.shape[0]):
        i = rows[p]
        start, stop = indptr[i], indptr[i + 1]
        true = codes[i]
        _net_inputs_sparse(data, indices, start, stop, state.weights, 0, state.weights.shape[0], z)
        rival = _rival(z, state, scale, true, n_classes)
        if rival < 0:
            return False
        before, scale = scale, scale * rule.shrink
        if not z[true] > z[rival]:
            state.mistakes[true] += 1
            state.loss[true] += z[rival] - z[true]
            if rule.pocket:
                _whole_pocket(state, n_classes, before)
            step = sample_weight[i] * cost[true, 1]
            _add_sparse(state, rule, true, data, indices, start, stop, step, scale, clock)
            _add_bias(state, rule, true, step, steps)
            _add_sparse(state, rule, rival, data, indices, start, stop, -step, scale, clock)
            _add_bias(state, rule, rival, -step, steps)
        elif rule.pocket:
            state.run[0] += 1
        if rule.truncate > 0:
            due += rule.truncate
            for k in range(n_classes):
                for q in range(start, stop):
                    _truncate(state, rule, k, indices[q], scale, clock, due)
        clock += scale
        steps += 1
    return True
