"""What a framework's float evaluation does with every whole number that a weighted sum can be.

`proved_thresholds` finds, for each neuron, the whole threshold that the evaluation has, and is a proof: nothing
between the least and the largest sum is left out. `proved_increasing` does so for net inputs that compete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from limen.errors import NotExactError
from limen.step import Array

__all__ = ["FLOAT32_WHOLE", "proved_increasing", "proved_thresholds"]

FLOAT32_WHOLE = 1 << 24
FEW, MANY = 256, 64  # rows in a piece, and the most pieces of so few rows
BLOCK = 1 << 22  # sums in a larger piece


def proved_thresholds(
    fires: Callable[[Array], Array], low: Array, high: Array, factor: Array, shift: Array, name: str
) -> tuple[Array, Array]:
    """Return, for each neuron, which way it turns and from where on it fires.

    Parameters
    ----------
    fires : callable
        Given sums of shape (n_rows, n_neurons), which neurons fire.
    low, high : ndarray of int64, shape (n_neurons,)
        The least and the largest sum of each neuron.
    factor, shift : ndarray of float64, shape (n_neurons,)
        It should fire where ``factor * s + shift >= 0``.
    name : str
        The layer's, for messages.

    Returns
    -------
    turns : ndarray of int64
        1 if a neuron fires from a sum on, -1 if it does down from a sum.
    thresholds : ndarray of int64
        It fires iff ``turns * s >= thresholds``.

    Raises
    ------
    NotExactError
        A sum that float32 can't hold, a neuron that fires with gaps, or one that differs from what it should be by more than
        rounding.
    """
    _require_small(low, high, name)
    n = len(low)
    count, first, last = np.zeros(n, dtype=np.int64), high + 1, low - 1
    for sums, real in _every_sum(low, high):
        fired = fires(sums) & real
        count += fired.sum(axis=0)
        first = np.minimum(first, np.where(fired, sums, high + 1).min(axis=0))
        last = np.maximum(last, np.where(fired, sums, low - 1).max(axis=0))
    upwards, downwards = count == high - first + 1, count == last - low + 1
    gaps = np.flatnonzero(~(upwards | downwards))
    if len(gaps):
        raise NotExactError(
            f"Neuron {gaps[0] + 1} of layer {name!r} fires for some sums between others for which it doesn't, so that it has no"
            " threshold: the layers between its weights and its step must be monotone."
        )
    # A neuron that always or never fires is turned as its factor is.
    turns = np.where(upwards & downwards, np.where(factor < 0, -1, 1), np.where(upwards, 1, -1))
    thresholds = np.where(turns > 0, first, -last)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(factor == 0, np.where(shift >= 0, -np.inf, np.inf), -shift / np.abs(factor))
    expected = np.ceil(
        np.clip(expected, np.where(turns > 0, low, -high), np.where(turns > 0, high, -low) + 1)
    )
    wrong = np.flatnonzero(np.abs(expected - thresholds) > 1)
    if len(wrong):
        k = int(wrong[0])
        raise NotExactError(
            f"Neuron {k + 1} of layer {name!r} should fire from {expected[k]:.0f} on, and its Keras layer does from"
            f" {thresholds[k]}. It is evaluated with too little precision: give its layers dtype='float32'."
        )
    return turns, thresholds


def proved_increasing(
    outputs: Callable[[Array], Array], low: Array, high: Array, bias: Array, name: str
) -> None:
    """Raise an error unless, of any two net inputs, the larger whole number has the larger output.

    Parameters
    ----------
    outputs : callable
        Given sums of shape (n_rows, n_neurons), the outputs.
    low, high, bias : ndarray of int64, shape (n_neurons,)
        The least and the largest sum of each neuron, and what is added.
    name : str

    Raises
    ------
    NotExactError
        Two whole numbers have the same output, or outputs of one whole number differ.
    """
    _require_small(low + bias, high + bias, name)
    # Every neuron is given every net input that any of them can have.
    lowest, highest = (low + bias).min() - bias, (high + bias).max() - bias
    before: float | None = None
    for sums, real in _every_sum(lowest, highest):
        found = outputs(sums)[real[:, 0]]
        one = found[:, 0]
        steps = np.diff(one, prepend=-np.inf if before is None else before)
        if (found != one[:, np.newaxis]).any() or not (steps > 0).all():
            raise NotExactError(
                f"The outputs of layer {name!r} don't tell all its whole net inputs apart: they run up to"
                f" {int(np.abs(highest + bias).max())}, and its scale rounds some together. Take smaller weights."
            )
        before = float(one[-1])


def _require_small(low: Array, high: Array, name: str) -> None:
    largest = max(abs(int(low.min())), abs(int(high.max())))
    if largest >= FLOAT32_WHOLE:
        raise NotExactError(
            f"The sums of layer {name!r} reach {largest}, and Keras adds them in float32, which is exact below 2**24. Take fewer"
            " inputs or smaller weights."
        )


def _every_sum(low: Array, high: Array) -> Iterator[tuple[Array, Array]]:
    """Yield all whole numbers from `low` to `high`, some rows at a time, and which of them are within.

    Pieces have one shape, however far neurons reach, so that a framework compiles what it does with them once.
    """
    length = int((high - low).max()) + 1
    rows = FEW if length <= MANY * FEW else max(FEW, BLOCK // len(low))
    for start in range(0, length, rows):
        sums = low + np.arange(start, start + rows)[:, np.newaxis]
        yield np.minimum(sums, high), sums <= high
