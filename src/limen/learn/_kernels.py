"""What perceptron kernels change and how they teach: the state of a layer, the rule, one update.

`limen.learn._kernels_dense` and `limen.learn._kernels_sparse` hold the loops over rows. Nothing here or there checks
anything: `limen.learn._training` does, once, before it calls. A kernel runs over some rows of one epoch and changes
a `State` in place.

**When a row is taught.** With ``s = sign * z``, the perceptron teaches a row unless ``s > margin``, by its weight
(Rosenblatt 1958; with a margin: Krauth and Mézard 1987). Passive-aggressive rules teach by the least change that
gives the row its margin: ``(margin - s) / |x|²``, at most C (PA-I), or ``(margin - s) / (|x|² + 1 / 2C)`` (PA-II;
Crammer et al. 2006, section 3). Where classes compete, ``s`` is the net input of the true class less that of its
first best rival, and ``|x|²`` counts twice (section 7).

**One weight vector, three numbers.** With an L2 penalty all weights shrink by one factor a step. The stored
vector ``v`` doesn't: the weights are ``scale * v``. The running sum of the weights after every step, whose mean
is the averaged perceptron (Freund and Schapire 1999), isn't stored either: it is ``clock * v - late``, where
``clock`` is the sum of all scales so far and ``late`` has collected ``clock * change`` at each change (Bottou's
trick; Daumé 2006, section 2.1). Without a penalty ``scale`` stays 1 and ``clock`` counts the steps, so on whole
numbers all of this is exact.

References
----------
F. Rosenblatt (1958), "The perceptron", Psychological Review 65. W. Krauth and M. Mézard (1987), "Learning
algorithms with optimal stability in neural networks", J. Phys. A 20. S. I. Gallant (1990), "Perceptron-based
learning algorithms", IEEE Transactions on Neural Networks 1, for the pocket. Y. Freund and R. E. Schapire (1999),
"Large margin classification using the perceptron algorithm", Machine Learning 37. K. Crammer, O. Dekel, J. Keshet,
S. Shalev-Shwartz and Y. Singer (2006), "Online passive-aggressive algorithms", JMLR 7. Y. Tsuruoka, J. Tsujii and
S. Ananiadou (2009), "Stochastic gradient descent training for L1-regularized log-linear models with cumulative
penalty", ACL, section 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from limen.step import Array

__all__ = [
    "PA1",
    "PA2",
    "PERCEPTRON",
    "Rule",
    "State",
    "add_bias",
    "count",
    "pocket",
    "rival",
    "settle",
    "step_size",
    "truncate",
    "whole_pocket",
]

INF = np.inf
PERCEPTRON, PA1, PA2 = 0, 1, 2


class State(NamedTuple):
    """What a kernel changes.

    ``n_padded`` is 1 for one output; for more, a multiple of what one loop computes: `BLOCK` outputs for dense
    rows, a register full for sparse ones. ``width`` is the number of features, a multiple of 64, so that each row
    of weights starts a line of the cache. Padding stays zero.
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
    loss: Array  # (n_padded,) float64, margin - sign * z summed over rows that were taught
    time: Array  # (4,) float64: scale, clock, steps, L1 penalty due


class Rule(NamedTuple):
    """How a kernel teaches."""

    shrink: float  # factor on the weights at each step, above 0 (1 without an L2 penalty)
    truncate: float  # L1 penalty due at each step (0 without one)
    intercept: bool  # whether the bias learns
    average: bool  # whether `State.late` is kept
    pocket: bool  # whether `State.pocket` is kept
    update: int = PERCEPTRON  # or PA1, PA2
    margin: float = 0.0  # a row is taught unless sign * z is above it
    aggressiveness: float = 1.0  # C of the passive-aggressive rules


@njit(nogil=True, cache=True, error_model="numpy")
def step_size(rule: Rule, s: float, square: float) -> Any:
    """Return by how much a row is added whose ``s`` isn't above the margin; `square` is its ``|x|²``."""
    if rule.update == PERCEPTRON:
        return 1.0
    loss = rule.margin - s
    if rule.update == PA1:
        return min(rule.aggressiveness, loss / square) if square > 0 else 0.0
    return loss / (square + 0.5 / rule.aggressiveness)


@njit(nogil=True, cache=True, error_model="numpy")
def count(state: State, rule: Rule, k: int, s: float) -> None:
    """Count a row that is taught to output `k`, and whether it is a mistake."""
    state.loss[k] += rule.margin - s
    if rule.update == PERCEPTRON or not s > 0:
        state.mistakes[k] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def pocket(state: State, k: int, scale: float) -> None:
    """Keep the weights of output `k` as they are if their run beats the pocket's."""
    if state.run[k] > state.best_run[k]:
        state.best_run[k] = state.run[k]
        for j in range(state.weights.shape[1]):
            state.pocket[k, j] = scale * state.weights[k, j]
        state.pocket_bias[k] = state.bias[k]


@njit(nogil=True, cache=True, error_model="numpy")
def add_bias(state: State, rule: Rule, k: int, step: float, steps: float) -> None:
    if rule.intercept:
        state.bias[k] += state.bias.dtype.type(step)
        state.late_bias[k] += steps * step


@njit(nogil=True, cache=True, error_model="numpy")
def truncate(state: State, rule: Rule, k: int, j: int, scale: float, clock: float, due: float) -> None:
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
def rival(z: Array, state: State, scale: float, true: int, n_classes: int) -> Any:
    """Turn `z` into net inputs; return the first best class other than `true`, -1 if one isn't finite."""
    best = -1
    for k in range(n_classes):
        z[k] = scale * z[k] + state.bias[k]
        if not abs(z[k]) < INF:
            return -1
        if k != true and (best < 0 or z[k] > z[best]):
            best = k
    return best


@njit(nogil=True, cache=True, error_model="numpy")
def whole_pocket(state: State, n_classes: int, scale: float) -> None:
    """Keep or pass over the weights of all classes together: they share one run."""
    run, best_run = state.run[0], state.best_run[0]
    for k in range(n_classes):
        state.run[k], state.best_run[k] = run, best_run
        pocket(state, k, scale)
        state.run[k] = 0


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc"})
def _settle_rows(
    weights: Array, late: Array, total: Array, scale: float, clock: float, average: bool
) -> bool:
    """Settle weights whose numbers in a row lie side by side.

    Zero times a number is NaN if it isn't finite, and sums of that are computed many at a time.
    """
    check = 0.0
    if average and clock > 0:
        for k in range(weights.shape[0]):
            for j in range(weights.shape[1]):
                change = clock * np.float64(weights[k, j]) - late[k, j]
                total[k, j] += total.dtype.type(change)
                late[k, j] = 0.0
                check += 0.0 * change + 0.0 * np.float64(total[k, j])
    kind = weights.dtype.type(scale)
    own_check = weights.dtype.type(0)
    for k in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            weights[k, j] *= kind
            own_check += weights.dtype.type(0) * weights[k, j]
    return bool(check == 0 and own_check == 0)


@njit(nogil=True, cache=True, error_model="numpy")
def settle(state: State, total: Array, total_bias: Array, average: bool) -> bool:
    """Fold scale, clock and late sums into the weights and the total; return whether all weights are finite."""
    scale, clock, steps = state.time[0], state.time[1], state.time[2]
    weights, late = state.weights, state.late
    if weights.strides[0] < weights.strides[1]:
        finite = _settle_rows(weights.T, late.T, total.T, scale, clock, average)
    else:
        finite = _settle_rows(weights, late, total, scale, clock, average)
    if average and steps > 0:
        for k in range(len(total_bias)):
            total_bias[k] += total_bias.dtype.type(steps * np.float64(state.bias[k]) - state.late_bias[k])
            state.late_bias[k] = 0.0
    return bool(finite)
