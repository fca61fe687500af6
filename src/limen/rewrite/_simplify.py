"""Fewer neurons, smaller integers: rules that keep the function, run until none of them acts.

A pass goes forward through the layers (divide by common divisors, fold constant neurons into the biases behind
them, merge duplicates), then backward (drop neurons that nothing reads), then dissolves layers that only pass
values through. Folding and merging take a neuron's outgoing weights away; dropping is what removes it. Every
rule makes something smaller (layers, neurons, read neurons, weights), so the passes end.

`simplify` is the public function; what can be known of a net input's sign stands in `_range.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from limen._door import is_sparse
from limen._weights import entries
from limen.errors import InputError
from limen.network import Layer, Network, Weights
from limen.rewrite._range import NOT_CONSTANT, constants
from limen.step import COUPLED, STEPS, Array

__all__ = ["simplify"]


def simplify(net: Network) -> Network:
    """Return a network with the same function, without what it doesn't need.

    * *Dead* hidden neurons, which no neuron of the next layer reads, are dropped.
    * *Constant* heaviside and sign neurons, whose output the range of their inputs fixes (0 to 1, -1 to 1, or one-hot
      behind a hardmax), and layers of hardmax in which only the biases decide, are folded into the biases of the next layer; a constant output keeps no weights.
    * *Duplicate* hidden neurons (equal weights and bias, or passing on the same input) are merged, their outgoing
      weights added.
    * The *greatest common divisor* of int64 weights is divided out. Heaviside: for each neuron, the bias rounded down
      (inputs that are whole numbers) or divided too (reals). Sign: for each neuron, the bias divided too. Hardmax: one
      divisor for the layer. Identity: never, since its scale is seen.
    * Layers made wholly of *pass-through* neurons (`Network.pass_through`) dissolve: a hidden one, and a last one
      behind a layer of heaviside.

    No neuron of a hardmax or softmax layer is dropped or merged, since those decide together, and no output. A
    constant network is left with a single layer where its hidden layers are steps. Floats are folded and merged
    only where the sum is exact, int64 only where it fits; a neuron is left alone otherwise.

    Parameters
    ----------
    net : Network

    Returns
    -------
    Network
        With the inputs, outputs and domain of `net`; `net` itself where no rule acts. The function is kept in exact
        arithmetic (`limen.rewrite`); `scores` may change.

    Examples
    --------
    >>> net = Network([Layer([[2, 4, 0], [2, 4, 0]], [-3, -5, 1]), Layer([[1], [1], [3]], [-4])], ["a", "b"], domain="binary")
    >>> print(net)
    Network: 2 inputs → 3 heaviside → 1 heaviside
    h1.1 fires when 2·a + 2·b ≥ 3
    h1.2 fires when 4·a + 4·b ≥ 5
    h1.3 always fires
    y1 fires when h1.1 + h1.2 + 3·h1.3 ≥ 4
    >>> print(simplify(net))
    Network: 2 inputs → 1 heaviside
    y1 fires when a + b ≥ 2
    """
    if not isinstance(net, Network):
        raise InputError(f"Expected a limen.Network. Received: {type(net).__name__}.")
    layers = net.layers
    while True:
        simpler = _dissolved(_without_dead(_forward(layers, net.domain)), net.domain)
        if len(simpler) == len(layers) and all(a is b for a, b in zip(simpler, layers, strict=True)):
            return Network(layers, net.inputs, net.outputs, net.domain) if layers != net.layers else net
        layers = simpler


def _forward(layers: Sequence[Layer], domain: str) -> tuple[Layer, ...]:
    """Divide, fold and merge, layer after layer. A layer that no rule changes stays the same object."""
    result = list(layers)
    whole = domain != "real"
    seen = "bits" if domain == "binary" else "numbers"
    for index in range(len(result)):
        layer = result[index] = _divided(result[index], whole=whole)
        values = constants(layer, seen)
        if index == len(result) - 1:
            result[index] = _without_constant_weights(layer, values)
        else:
            outgoing = _Outgoing(result[index + 1])
            for k in np.flatnonzero(values != NOT_CONSTANT).tolist():
                outgoing.fold(k, int(values[k]))
            if layer.activation not in COUPLED:
                for first, again in _duplicates(layer, bits=seen in {"bits", "one-hot"}):
                    outgoing.merge(first, again)
            result[index + 1] = outgoing.layer()
        whole = layer.activation in STEPS or (whole and layer.activation == "identity" and layer.is_integer)
        seen = {"heaviside": "bits", "sign": "signs", "hardmax": "one-hot"}.get(layer.activation, "numbers")
    return tuple(result)


def _divided(layer: Layer, *, whole: bool) -> Layer:
    """Return the layer with the greatest common divisor of its integer weights divided out."""
    if not layer.is_integer or layer.activation not in STEPS:
        return layer
    floors = whole and layer.activation == "heaviside"
    divisor = _divisors(layer.weights)
    if not floors:
        divisor = np.gcd(divisor, layer.bias)
    if layer.activation == "hardmax":
        divisor = np.full_like(divisor, np.gcd.reduce(divisor))
    divisor = np.where(divisor < 0, 2**62, np.maximum(divisor, 1))  # a divisor of 2**63 wraps to -2**63
    if (divisor == 1).all():
        return layer
    if is_sparse(layer.weights):
        weights = layer.weights.copy()
        weights.data //= np.repeat(divisor, np.diff(weights.indptr))
    else:
        weights = layer.weights // divisor
    return Layer(weights, layer.bias // divisor, layer.activation)


def _divisors(weights: Weights) -> Array:
    """Return the greatest common divisor of each column, 0 where it has no weight."""
    divisors: Array = np.zeros(weights.shape[1], dtype=np.int64)
    if is_sparse(weights):
        filled = np.flatnonzero(np.diff(weights.indptr))
        if filled.size:
            divisors[filled] = np.gcd.reduceat(weights.data, weights.indptr[filled])
    else:
        divisors = np.gcd.reduce(weights, axis=0)
    return np.gcd(divisors, 0)  # a column of one weight was returned with its sign


def _without_constant_weights(layer: Layer, values: Array) -> Layer:
    """Return a last layer whose constant neurons have no weights, and a bias of 0 or ±1 that says which constant."""
    constant = values != NOT_CONSTANT
    bias = np.where(layer.activation == "heaviside", values - 1, values).astype(layer.bias.dtype)
    weighted = np.zeros(layer.n_neurons, dtype=bool)
    weighted[entries(layer.weights)[1]] = True
    if not (constant & (weighted | (bias != layer.bias))).any():
        return layer
    if is_sparse(layer.weights):
        weights = layer.weights.copy()
        weights.data[np.repeat(constant, np.diff(weights.indptr))] = 0
    else:
        weights = np.where(constant, 0, layer.weights)
    return Layer(weights, np.where(constant, bias, layer.bias), layer.activation)


def _duplicates(layer: Layer, *, bits: bool) -> list[tuple[int, int]]:
    """Return (first, again) for each neuron whose output is that of an earlier one of the layer."""
    sources = _sources(layer) if bits else np.full(layer.n_neurons, -1)
    weights: Any = layer.weights if is_sparse(layer.weights) else np.ascontiguousarray(layer.weights.T)
    first: dict[Any, int] = {}
    pairs = []
    for k, (bias, source) in enumerate(zip(layer.bias.tolist(), sources.tolist(), strict=True)):
        if source >= 0:
            key: Any = source
        elif is_sparse(weights):
            run = slice(weights.indptr[k], weights.indptr[k + 1])
            key = (bias, weights.indices[run].tobytes(), weights.data[run].tobytes())
        else:
            key = (bias, weights[k].tobytes())
        if first.setdefault(key, k) != k:
            pairs.append((first[key], k))
    return pairs


def _sources(layer: Layer) -> Array:
    """Return which of its inputs, being bits, each neuron passes through; -1 where it does something else."""
    passes = Network(layer, domain="binary").pass_through(0)
    rows, columns, _ = entries(layer.weights)
    sources = np.full(layer.n_neurons, -1)
    sources[columns] = rows
    return np.where(passes, sources, -1)


class _Outgoing:
    """The weights that lead out of a layer, being edited row by row; every sum is exact or isn't made."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._bias: Array | None = None  # a copy, made at the first change, as are the rows
        self._edited: dict[int, tuple[Array, Array]] = {}
        self._rows = layer.weights.tocsr() if is_sparse(layer.weights) else layer.weights

    def fold(self, k: int, value: int) -> None:
        """Add `value` (-1, 0 or 1) times the weights out of neuron `k` to the biases, and remove them."""
        columns, weights = self._row(k)
        if not columns.size:
            return
        bias = self._layer.bias if self._bias is None else self._bias
        total: Array | None = bias[columns]
        if value:
            total = _exact_sum(bias[columns], weights, subtract=value < 0)
        if total is not None:
            self._bias = bias.copy() if self._bias is None else self._bias
            self._bias[columns] = total
            self._edited[k] = (columns[:0], weights[:0])

    def merge(self, first: int, again: int) -> None:
        """Add the weights out of neuron `again` to those out of `first`, and remove them."""
        columns, weights = self._row(again)
        if not columns.size:
            return
        before, kept = self._row(first)
        union = np.union1d(before, columns)
        a, b = np.zeros(union.size, dtype=kept.dtype), np.zeros(union.size, dtype=kept.dtype)
        a[np.searchsorted(union, before)] = kept
        b[np.searchsorted(union, columns)] = weights
        total = _exact_sum(a, b)
        if total is not None:
            self._edited[first] = (union[total != 0], total[total != 0])
            self._edited[again] = (columns[:0], weights[:0])

    def layer(self) -> Layer:
        """Return the layer with its edited weights and bias; the same object if nothing was edited."""
        if not self._edited:
            return self._layer
        bias = self._layer.bias if self._bias is None else self._bias
        if is_sparse(self._rows):
            from scipy import sparse

            entered = self._rows.tocoo()
            kept = ~np.isin(entered.row, list(self._edited))
            parts = [(entered.row[kept], entered.col[kept], entered.data[kept])]
            parts += [(np.full(c.size, k), c, w) for k, (c, w) in self._edited.items()]
            rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
            weights = sparse.csc_array((values, (rows, columns)), shape=self._rows.shape)
        else:
            weights = self._rows.copy()
            for k, (columns, values) in self._edited.items():
                weights[k] = 0
                weights[k, columns] = values
        return Layer(weights, bias, self._layer.activation)

    def _row(self, k: int) -> tuple[Array, Array]:
        """Return columns and values of the weights other than zero out of neuron `k`."""
        if k in self._edited:
            return self._edited[k]
        if is_sparse(self._rows):
            run = slice(self._rows.indptr[k], self._rows.indptr[k + 1])
            return self._rows.indices[run], self._rows.data[run]
        columns = np.flatnonzero(self._rows[k])
        return columns, self._rows[k, columns]


def _exact_sum(a: Array, b: Array, *, subtract: bool = False) -> Array | None:
    """Return ``a + b`` or ``a - b`` if no entry is rounded or wraps, else None.

    For floats this is the TwoSum of D. E. Knuth (1997), "The Art of Computer Programming" vol. 2, 4.2.2, theorem B.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if a.dtype == np.int64:
            total: Array = a - b if subtract else a + b
            wrong = (((a ^ b) if subtract else ~(a ^ b)) & (a ^ total)) < 0
        else:
            b = -b if subtract else b
            total = a + b
            shift = total - a
            wrong = ((a - (total - shift)) + (b - shift) != 0) | ~np.isfinite(total)
    return None if wrong.any() else total


def _without_dead(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the layers without hidden neurons that nothing reads, and without layers before a constant."""
    result = list(layers)
    for index in reversed(range(len(result) - 1)):
        layer, following = result[index], result[index + 1]
        read = np.zeros(layer.n_neurons, dtype=bool)
        read[entries(following.weights)[0]] = True
        if not read.any():  # the layer behind is constant, and becomes the first
            shape = (result[0].n_inputs, following.n_neurons)
            return (
                Layer(_zeros(shape, following), following.bias, following.activation),
                *result[index + 2 :],
            )
        if layer.activation not in COUPLED and not read.all():
            result[index] = Layer(layer.weights[:, read], layer.bias[read], layer.activation)
            result[index + 1] = Layer(following.weights[read], following.bias, following.activation)
    return tuple(result)


def _zeros(shape: tuple[int, int], layer: Layer) -> Weights:
    if is_sparse(layer.weights):
        from scipy import sparse

        return sparse.csc_array(shape, dtype=layer.bias.dtype)
    return np.zeros(shape, dtype=layer.bias.dtype)


def _dissolved(layers: Sequence[Layer], domain: str) -> tuple[Layer, ...]:
    """Return the layers without those that only pass values through."""
    result = list(layers)
    index = 0
    while index < len(result):
        last = index == len(result) - 1
        net = Network(result, domain=domain)
        if len(result) > 1 and net.pass_through(index).all():
            sources = _sources(result[index])
            before = result[index - 1] if index else None
            if not last and np.unique(sources).size == sources.size:
                result[index : index + 2] = [_reading(result[index], result[index + 1], sources)]
                continue
            if last and before is not None and _may_select(before, sources):
                chosen = Layer(before.weights[:, sources], before.bias[sources], before.activation)
                result[index - 1 :] = [chosen]
                continue
        index += 1
    return tuple(result)


def _may_select(layer: Layer, sources: Array) -> bool:
    """Whether the layer can be left with the neurons `sources`: any heaviside ones, or all and in order."""
    return layer.activation == "heaviside" or np.array_equal(sources, np.arange(layer.n_neurons))


def _reading(passing: Layer, following: Layer, sources: Array) -> Layer:
    """Return `following`, reading what `passing` reads: its neuron k passes on input ``sources[k]``."""
    shape = (passing.n_inputs, following.n_neurons)
    weights: Weights
    if is_sparse(following.weights) or is_sparse(passing.weights):
        from scipy import sparse

        rows, columns, values = entries(following.weights)
        weights = sparse.csc_array((values, (sources[rows], columns)), shape=shape)
    else:
        weights = np.zeros(shape, dtype=following.bias.dtype)
        weights[sources] = following.weights
    return Layer(weights, following.bias, following.activation)
