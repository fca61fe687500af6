"""Kernels that change one weight or threshold at a time and say what that does to the mistakes.

A `State` holds the net inputs of every neuron for every row, and what each unit (an input, or a hidden neuron) gives
for every row as bits, 64 rows a word: bit ``row % 64`` of word ``row // 64``; the bits behind the last row are 0.

A neuron that changes by ``delta`` in one weight changes what it gives only in rows that have that input and whose net
input lies within ``delta`` of the tie. What happens to a row then is the same whichever weight it was: the neuron's bit
is turned round. So `turned` finds out once, for the rows near the tie, what that does to the mistakes, and `tally` adds
it up for all inputs with a few operations on words. The neurons of a hardmax layer are seen alike: one wins where its
net input, less the best of the others, reaches 0.

Nothing here checks anything: `limen.learn.polishing` does, once, before it calls. A call is bounded by the rows it is
given, so that Ctrl-C is answered between calls.

References
----------
H. S. Warren (2013), "Hacker's Delight", 2nd ed., section 5-1: counting the bits of a word.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from limen.step import Array

__all__ = ["State", "judge", "near", "shift", "tally", "tally_each", "turned"]

PAIRS = np.uint64(0x5555555555555555)
FOURS = np.uint64(0x3333333333333333)
BYTES = np.uint64(0x0F0F0F0F0F0F0F0F)
ONE, TWO, FOUR, EIGHT = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(8)
LEAST = np.int64(-(1 << 62))
SIXTEEN, HALF, LOWEST = np.uint64(16), np.uint64(32), np.uint64(0x7F)


class State(NamedTuple):
    """A network on its rows.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_neurons)
        Net inputs, the layers side by side.
    bits : ndarray of uint64, shape (n_units, n_words)
        What the inputs and the hidden neurons give.
    weights : ndarray, of the type of `z`
        All weights, one layer after the other, each row by row.
    firsts : ndarray of int64, shape (depth + 1,)
        The first neuron of each layer, and the number of neurons.
    starts : ndarray of int64, shape (depth,)
        Where the weights of each layer begin.
    targets : ndarray of int64, shape (n_rows, n_targets)
        The class of each row, or 0 or 1 for each output.
    competing : bool
        Whether the last layer is hardmax.
    wrong : ndarray of int64, shape (n_rows,)
        Mistakes in each row.
    worth : ndarray of float64, shape (n_rows,)
        What a mistake counts.
    """

    z: Array
    bits: Array
    weights: Array
    firsts: Array
    starts: Array
    targets: Array
    competing: bool
    wrong: Array
    worth: Array


@njit(forceinline=True)
def _count(word: Any) -> Any:
    """Return how many bits of a word are 1."""
    word = word - ((word >> ONE) & PAIRS)
    word = (word & FOURS) + ((word >> TWO) & FOURS)
    word = (word + (word >> FOUR)) & BYTES
    word = word + (word >> EIGHT)
    word = word + (word >> SIXTEEN)
    return (word + (word >> HALF)) & LOWEST


@njit(forceinline=True)
def _errors(z: Array, targets: Array, competing: bool) -> int:
    """Return the mistakes of a row whose last net inputs these are."""
    if competing:
        best = 0
        for k in range(1, len(z)):
            if z[k] > z[best]:
                best = k
        return 1 if best != targets[0] else 0
    errors = 0
    for k in range(len(z)):
        if (z[k] >= 0) != (targets[k] == 1):
            errors += 1
    return errors


@njit(forceinline=True)
def _lead(z: Array, k: int) -> Any:
    """Return by how much net input `k` is the largest, the first of equals: at least 0 iff it is."""
    other = LEAST
    for j in range(k):
        other = max(other, np.int64(z[j]) + 1)
    for j in range(k + 1, len(z)):
        other = max(other, np.int64(z[j]))
    return np.int64(z[k]) - other


@njit(forceinline=True)
def _add(z: Array, weights: Array, rises: bool) -> None:
    """Add weights to net inputs, or take them away."""
    if rises:
        for i in range(len(z)):
            z[i] += weights[i]
    else:
        for i in range(len(z)):
            z[i] -= weights[i]


@njit(forceinline=True)
def _forward(state: State, row: int, layer: int, k: int, rises: bool, after: Array) -> int:
    """Write into `after` the net inputs behind hidden neuron `k` of a layer once it is turned round.

    Returns the last layer they were written for: behind it nothing changes.
    """
    last = len(state.starts) - 1
    low, high = state.firsts[layer + 1], state.firsts[layer + 2]
    before, now = state.z[row, low:high], after[low:high]
    now[:] = before
    width = high - low
    start = state.starts[layer + 1] + k * width
    _add(now, state.weights[start : start + width], rises)
    for at in range(layer + 1, last):
        low, high = state.firsts[at + 1], state.firsts[at + 2]
        ahead = after[low:high]
        width = high - low
        changed = False
        for j in range(len(now)):
            fires = now[j] >= 0
            if fires != (before[j] >= 0):
                if not changed:
                    changed = True
                    ahead[:] = state.z[row, low:high]
                start = state.starts[at + 1] + j * width
                _add(ahead, state.weights[start : start + width], fires)
        if not changed:
            return at
        before, now = state.z[row, low:high], ahead
    return last


@njit(forceinline=True)
def _outcome(state: State, row: int, layer: int, k: int, rises: bool, after: Array) -> Any:
    """Return the mistakes of a row once neuron `k` of a layer is turned round."""
    last = len(state.starts) - 1
    low = state.firsts[last]
    if layer < last:
        if _forward(state, row, layer, k, rises, after) < last:
            return state.wrong[row]
        return _errors(after[low:], state.targets[row], state.competing)
    if not state.competing:
        return state.wrong[row] + (1 if (state.targets[row, k] == 1) != rises else -1)
    if rises:
        return 1 if k != state.targets[row, 0] else 0
    z = state.z[row, low:]
    best = -1
    for j in range(len(z)):
        if j != k and (best < 0 or z[j] > z[best]):
            best = j
    return 1 if best != state.targets[row, 0] else 0


@njit(nogil=True, cache=True)
def judge(state: State, first: int, end: int) -> None:
    """Count the mistakes of some rows."""
    low = state.firsts[len(state.starts) - 1]
    for row in range(first, end):
        state.wrong[row] = _errors(state.z[row, low:], state.targets[row], state.competing)


@njit(nogil=True, cache=True)
def near(state: State, layer: int, k: int, reach: int, leads: Array, rows: Array) -> int:
    """Find the rows in which neuron `k` of a layer has ``-reach <= lead < reach``; return how many.

    The lead of a heaviside neuron is its net input.
    """
    n = 0
    last = len(state.starts) - 1
    low = state.firsts[layer]
    compares = state.competing and layer == last
    for row in range(len(state.z)):
        lead = _lead(state.z[row, low:], k) if compares else state.z[row, low + k]
        if -reach <= lead and lead < reach:
            leads[n] = lead
            rows[n] = row
            n += 1
    return n


@njit(nogil=True, cache=True)
def turned(state: State, layer: int, k: int, leads: Array, rows: Array, effects: Array, after: Array) -> None:
    """Write what it costs, in each of some rows, to turn neuron `k` of a layer round."""
    for t in range(len(rows)):
        row = rows[t]
        wrong = _outcome(state, row, layer, k, leads[t] < 0, after)
        effects[t] = (wrong - state.wrong[row]) * state.worth[row]


@njit(nogil=True, cache=True)
def mark(step: int, leads: Array, rows: Array, effects: Array, masks: Array) -> None:
    """Set the bits of rows: risen for the worse and the better, fallen for the worse and the better."""
    for t in range(len(rows)):
        if effects[t] != 0 and -step <= leads[t] and leads[t] < step:
            which = (0 if leads[t] < 0 else 2) + (0 if effects[t] > 0 else 1)
            masks[which, rows[t] >> 6] |= ONE << np.uint64(rows[t] & 63)


@njit(nogil=True, cache=True)
def tally(bits: Array, masks: Array, costs: Array) -> None:
    """Write what it costs that each unit's weight rises or falls by the step that the bits were set for."""
    for unit in range(len(bits)):
        for which in range(2):
            worse, better = masks[2 * which], masks[2 * which + 1]
            lost, won = np.uint64(0), np.uint64(0)
            for word in range(bits.shape[1]):
                lost += _count(bits[unit, word] & worse[word])
                won += _count(bits[unit, word] & better[word])
            costs[which, unit] = np.float64(lost) - np.float64(won)


@njit(nogil=True, cache=True)
def tally_each(bits: Array, step: int, leads: Array, rows: Array, effects: Array, costs: Array) -> None:
    """Do as `mark` and `tally` do, for effects of any size."""
    for unit in range(len(bits)):
        rising, falling = 0.0, 0.0
        for t in range(len(rows)):
            if (bits[unit, rows[t] >> 6] >> np.uint64(rows[t] & 63)) & ONE:
                if leads[t] < 0:
                    if -step <= leads[t]:
                        rising += effects[t]
                elif leads[t] < step:
                    falling += effects[t]
        costs[0, unit], costs[1, unit] = rising, falling


@njit(nogil=True, cache=True)
def shift(
    state: State, layer: int, k: int, unit: int, delta: int, first: int, end: int, after: Array
) -> None:
    """Add `delta` to the net input of neuron `k` of a layer in those of some rows that have a unit (-1: in all)."""
    last = len(state.starts) - 1
    own = state.firsts[layer] + k
    n_inputs = len(state.bits) - state.firsts[last]
    for row in range(first, end):
        word, bit = row >> 6, np.uint64(row & 63)
        if unit >= 0 and not (state.bits[unit, word] >> bit) & ONE:
            continue
        z = state.z[row]
        before = z[own] >= 0
        z[own] += delta
        rises = z[own] >= 0
        if layer == last:
            state.wrong[row] = _errors(z[state.firsts[last] :], state.targets[row], state.competing)
        elif rises != before:
            reached = _forward(state, row, layer, k, rises, after)
            state.bits[n_inputs + own, word] ^= ONE << bit
            for j in range(state.firsts[layer + 1], state.firsts[reached + 1]):
                if j < state.firsts[last] and (after[j] >= 0) != (z[j] >= 0):
                    state.bits[n_inputs + j, word] ^= ONE << bit
                z[j] = after[j]
            if reached == last:
                state.wrong[row] = _errors(z[state.firsts[last] :], state.targets[row], state.competing)
