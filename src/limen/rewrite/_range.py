"""What the range of a layer's inputs says about its neurons: which of them are constant.

The least and the greatest net input of a neuron follow from what its inputs can be. Only their signs matter, and
those are found exactly: in float64 where an error bound or whole numbers below 2**53 settle them, in Python
integers or with `math.fsum` otherwise.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from limen._door import FLOAT64_WHOLE
from limen._weights import entries
from limen.network import Layer
from limen.step import Array, hardmax

__all__ = ["NOT_CONSTANT", "constants"]

NOT_CONSTANT = 2


def constants(layer: Layer, seen: str) -> Array:
    """Return the output of each neuron whose inputs can't change it, `NOT_CONSTANT` for the others.

    Parameters
    ----------
    layer : Layer
        Heaviside, sign or hardmax; neurons of other layers count as not constant, and so do those of a hardmax layer
        unless they have equal weights, so that only the biases decide.
    seen : {"bits", "signs", "one-hot", "numbers"}
        What the layer's inputs are: 0 or 1, -1 to 1, one of them 1 and the others 0, or anything.

    Returns
    -------
    ndarray of int64, shape (n_neurons,)

    Examples
    --------
    >>> constants(Layer([[1, 1], [1, 1]], [-2, -3]), "bits")
    array([2, 0])
    """
    if layer.activation == "hardmax" and _has_equal_columns(layer):
        return hardmax(layer.bias).astype(np.int64)
    if layer.activation not in {"heaviside", "sign"}:
        return np.full(layer.n_neurons, NOT_CONSTANT)
    least, greatest = _signs(layer, seen)
    if layer.activation == "sign":
        return np.where(least == greatest, least, NOT_CONSTANT)
    return np.where(least >= 0, 1, np.where(greatest < 0, 0, NOT_CONSTANT))


def _has_equal_columns(layer: Layer) -> bool:
    rows, columns, values = entries(layer.weights)
    n = layer.n_neurons
    if (np.bincount(columns, minlength=n) * n != rows.size).any():
        return False
    rows, values = rows.reshape(n, -1), values.reshape(n, -1)
    return bool((rows == rows[0]).all() and (values == values[0]).all())


def _signs(layer: Layer, seen: str) -> tuple[Array, Array]:
    """Return the signs of the least and of the greatest net input of each neuron."""
    _, columns, values = entries(layer.weights)
    counts = np.bincount(columns, minlength=layer.n_neurons)
    if seen == "numbers":
        own = np.sign(layer.bias).astype(np.int64)
        return np.where(counts > 0, -1, own), np.where(counts > 0, 1, own)
    if seen == "one-hot":
        return _sign_of_one(layer, columns, values, counts, np.minimum), _sign_of_one(
            layer, columns, values, counts, np.maximum
        )
    ends = np.concatenate([[0], counts.cumsum()])
    best = (values > 0).astype(np.int64)  # the input that makes the sum greatest
    worst = (values < 0).astype(np.int64)
    if seen == "signs":
        best, worst = best - worst, worst - best
    return _sign_of_sum(layer, columns, values, worst, ends), _sign_of_sum(layer, columns, values, best, ends)


def _sign_of_one(layer: Layer, columns: Array, values: Array, counts: Array, extreme: np.ufunc) -> Array:
    """Return the sign of the bias plus the least or greatest weight, weights of 0 included."""
    start = np.iinfo(np.int64) if layer.is_integer else np.finfo(np.float64)
    found = np.full(
        layer.n_neurons, start.min if extreme is np.maximum else start.max, dtype=layer.bias.dtype
    )
    extreme.at(found, columns, values)
    found = np.where(counts < layer.n_inputs, extreme(found, 0), found)
    # Python's integers don't wrap, and the sum of two floats has the sign of the exact sum.
    totals = [w + b for w, b in zip(found.tolist(), layer.bias.tolist(), strict=True)]
    return np.array([(total > 0) - (total < 0) for total in totals])


def _sign_of_sum(layer: Layer, columns: Array, values: Array, inputs: Array, ends: Array) -> Array:
    """Return the sign of the sum of ``values * inputs`` and the bias, for each neuron, exactly."""
    n = layer.n_neurons
    with np.errstate(over="ignore", invalid="ignore"):
        floats, bias = values.astype(np.float64) * inputs, layer.bias.astype(np.float64)
        total = np.bincount(columns, weights=floats, minlength=n) + bias
        magnitude = np.bincount(columns, weights=np.abs(floats), minlength=n) + np.abs(bias)
        error = magnitude * (np.diff(ends) + 4) * 2.0**-52
        if layer.is_integer:
            error[magnitude < FLOAT64_WHOLE] = 0
            certain = (np.abs(total) > error) | (magnitude < FLOAT64_WHOLE)
        else:
            certain = np.abs(total) > error
    signs = np.sign(total, where=certain, out=np.zeros(n)).astype(np.int64)
    for k in np.flatnonzero(~certain).tolist():
        run = slice(ends[k], ends[k + 1])
        products = [w * x for w, x in zip(values[run].tolist(), inputs[run].tolist(), strict=True)]
        terms = [*products, layer.bias[k].item()]
        exact = sum(terms) if layer.is_integer else _float_sum(terms)
        signs[k] = (exact > 0) - (exact < 0)
    return signs


def _float_sum(terms: list[float]) -> float | Fraction:
    """Return the sum with the sign of the exact one: rounded once, or not at all where that overflows."""
    try:
        return math.fsum(terms)
    except OverflowError:
        return sum((Fraction(term) for term in terms), Fraction(0))
