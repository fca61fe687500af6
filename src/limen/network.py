"""The value: layers of threshold neurons, frozen, and the definition of what they compute.

A *layer* has weights ``W`` of shape ``(n_inputs, n_neurons)`` (a row per input, a column per neuron), a bias
``b`` of shape ``(n_neurons,)`` (the weights of the bias neuron, whose output is always 1) and one activation
``φ``. It computes ``h(X) = φ(X W + b)`` for ``X`` of shape ``(..., n_inputs)``. ``z = X W + b`` is the *net
input*; a neuron's *threshold* is ``-b``: it fires when its weighted sum reaches it (`limen.step`, tie rule).

A *network* is a tuple of layers with names for its inputs and outputs and the *domain* of its inputs:
``"binary"`` (0 and 1), ``"integer"`` or ``"real"``. `Network.__call__` is the definition of what a network
computes; every other form of a network is tested against it.

Integers stay integers: where the weights are int64 and the inputs are whole numbers, the net input is exact.
It is multiplied in float64 while no sum can reach 2**53 (every intermediate value is then a whole number that
float64 holds exactly), in int64 while none can pass int64, and is refused otherwise.

Both values are frozen: their arrays are read-only copies, "changing" one returns a new one, nothing
subclasses them, and they compare by content.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, TypeAlias, final

import numpy as np

from limen import _text
from limen._door import (
    FLOAT64_WHOLE,
    INT64_MAX,
    extremes,
    frozen,
    inputs_array,
    is_sparse,
    numbers,
    require,
    sparse_numbers,
    unique_names,
    widen,
)
from limen._weights import absolute_sums, entries, product
from limen.errors import InputError, NotExactError
from limen.step import ACTIVATIONS, STEPS, Array

__all__ = ["DOMAINS", "Layer", "Network", "Weights"]

Weights: TypeAlias = Any
"""A 2-D array, or any matrix of `scipy.sparse`."""

DOMAINS = ("binary", "integer", "real")
"""The domains of a network's inputs, narrowest first."""


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Layer:
    """One layer of neurons: ``h(X) = φ(X W + b)``.

    Parameters
    ----------
    weights : array_like or scipy.sparse matrix of shape (n_inputs, n_neurons)
        Integers or booleans are kept as int64, other numbers as float64. A sparse matrix stays sparse.
    bias : array_like of shape (n_neurons,)
        Kept in the type of the weights; if one of the two is float64, both are.
    activation : str, default "heaviside"
        One of `limen.step.ACTIVATIONS`.

    Raises
    ------
    InputError
        A shape that doesn't fit, no neuron, a number that isn't finite, an unknown activation.
    NotExactError
        An integer outside int64.

    Examples
    --------
    >>> conjunction = Layer([[1], [1]], [-2])
    >>> conjunction(np.array([[0, 0], [0, 1], [1, 0], [1, 1]])).ravel()
    array([0, 0, 0, 1], dtype=int8)
    """

    weights: Weights
    bias: Array
    activation: str = "heaviside"

    # Derived once: the largest Σ|w| and |b| of the layer's neurons, and its weights as float64.
    _reach: tuple[int, int] | None = field(default=None, init=False)
    _as_float: Weights = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.activation, str) or self.activation not in ACTIVATIONS:
            raise InputError(
                f"activation must be one of {', '.join(ACTIVATIONS)}. Received: {self.activation!r}."
            )
        bias = numbers(self.bias, "bias")
        if bias.ndim != 1:
            raise InputError(
                "bias must have shape (n_neurons,), one number for each neuron."
                f" Received: an array of shape {bias.shape}."
            )
        weights = (
            sparse_numbers(self.weights) if is_sparse(self.weights) else numbers(self.weights, "weights")
        )
        if weights.ndim != 2:
            raise InputError(
                "weights must have shape (n_inputs, n_neurons): a row for each input, a column for each neuron."
                f" Received: an array of shape {weights.shape}."
            )
        if weights.shape[1] != bias.shape[0]:
            raise InputError(
                f"weights of shape {weights.shape} have {weights.shape[1]} neurons, so bias must have"
                f" {weights.shape[1]} entries. Received: {bias.shape[0]}."
            )
        if weights.shape[1] == 0:
            raise InputError("A layer needs at least one neuron. Received: weights with no column.")
        if weights.dtype != bias.dtype:
            weights, bias = widen(weights, "weights"), widen(bias, "bias")
        object.__setattr__(self, "weights", frozen(weights))
        object.__setattr__(self, "bias", frozen(bias))

    def __init_subclass__(cls) -> None:
        raise TypeError("Layer is a value and can't be subclassed; write a function that returns one.")

    def __reduce__(self) -> tuple[type[Layer], tuple[Weights, Array, str]]:
        return Layer, (self.weights, self.bias, self.activation)

    @property
    def n_inputs(self) -> int:
        """Number of inputs, the rows of the weights."""
        return int(self.weights.shape[0])

    @property
    def n_neurons(self) -> int:
        """Number of neurons, the columns of the weights."""
        return int(self.weights.shape[1])

    @property
    def is_integer(self) -> bool:
        """Whether weights and bias are int64."""
        return bool(self.bias.dtype == np.int64)

    def __call__(self, X: Any) -> Array:
        """Return ``φ(X W + b)``, shape ``(..., n_neurons)``; steps return int8."""
        return ACTIVATIONS[self.activation](self.net_input(X))

    def net_input(self, X: Any) -> Array:
        """Return ``z = X W + b``.

        Parameters
        ----------
        X : array_like of shape (..., n_inputs), or scipy.sparse matrix of shape (n_rows, n_inputs)

        Returns
        -------
        ndarray of shape (..., n_neurons)
            int64 where weights and `X` are integers, and then exact; float64 otherwise.

        Raises
        ------
        InputError
            `X` has another number of columns, isn't numbers, or a float64 sum overflowed.
        NotExactError
            An integer sum could pass int64.
        """
        X = inputs_array(X)
        if X.ndim == 0 or X.shape[-1] != self.n_inputs:
            raise InputError(
                f"X must have {self.n_inputs} columns, one for each input. Received: shape {X.shape}."
            )
        rows = X if is_sparse(X) else X.reshape(math.prod(X.shape[:-1]), self.n_inputs)
        z = self._exact(rows) if self.is_integer and X.dtype.kind in "bui" else self._rounded(rows)
        shaped: Array = z.reshape(*X.shape[:-1], self.n_neurons)
        return shaped

    def _exact(self, rows: Array) -> Array:
        bound = self._bound(rows)
        if bound < FLOAT64_WHOLE:
            return product(rows, self._floats()).astype(np.int64) + self.bias
        if bound <= INT64_MAX:
            z = rows.astype(np.int64) @ self.weights
            whole: Array = z.toarray() if is_sparse(z) else z
            return whole + self.bias
        raise NotExactError(
            "A net input must fit into int64 whatever the order of its sum, and for these inputs it could"
            f" reach {bound}. Divide the weights by a common factor or give smaller inputs."
        )

    def _bound(self, rows: Array) -> int:
        """Return an upper bound on ``Σ|w x| + |b|`` over all rows and neurons, as a Python integer."""
        if self._reach is None:
            sums = absolute_sums(self.weights)
            reach = (max(sums), max(abs(int(b)) for b in self.bias))
            object.__setattr__(self, "_reach", reach)
        assert self._reach is not None
        largest = max((abs(int(x)) for x in extremes(rows)), default=0)
        return self._reach[0] * largest + self._reach[1]

    def _rounded(self, rows: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            z = product(rows, self._floats()) + self.bias
        if not np.isfinite(z).all():
            row, neuron = np.argwhere(~np.isfinite(z))[0]
            raise InputError(
                f"The net input of neuron {neuron} overflows float64, or an input is NaN or infinite, in row"
                f" {row}. Scale the inputs or the weights down."
            )
        return z

    def _floats(self) -> Weights:
        if self._as_float is None:
            floats = self.weights if self.weights.dtype == np.float64 else self.weights.astype(np.float64)
            object.__setattr__(self, "_as_float", floats)
        return self._as_float

    def dense(self) -> Array:
        """Return the weights as a dense array of shape (n_inputs, n_neurons)."""
        weights: Array = self.weights.toarray() if is_sparse(self.weights) else self.weights
        return weights

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        return (
            self.activation == other.activation
            and self.weights.shape == other.weights.shape
            and self.weights.dtype == other.weights.dtype
            and np.array_equal(self.bias, other.bias)
            and self._weighs_as(other)
        )

    def _weighs_as(self, other: Layer) -> bool:
        """Whether two layers of one shape have the same weights, dense or sparse."""
        if not is_sparse(self.weights) and not is_sparse(other.weights):
            return bool(np.array_equal(self.weights, other.weights))
        pairs = zip(entries(self.weights), entries(other.weights), strict=True)
        return all(np.array_equal(a, b) for a, b in pairs)

    def __hash__(self) -> int:
        parts = tuple(part.tobytes() for part in entries(self.weights))
        return hash((self.activation, self.weights.shape, self.bias.tobytes(), parts))

    def __repr__(self) -> str:
        kind = "sparse " if is_sparse(self.weights) else ""
        return f"Layer({self.n_inputs} → {self.n_neurons} {self.activation}, {kind}{self.bias.dtype})"


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Network:
    """A network of threshold neurons: layers, names, and the domain of the inputs.

    Parameters
    ----------
    layers : Layer or sequence of Layer
        At least one; each takes as many inputs as the layer before it has neurons.
    inputs, outputs : sequence of str, optional
        Names, unique and not empty. Default ``x1, x2, …`` and ``y1, y2, …``.
    domain : {"real", "integer", "binary"}
        Which values the inputs may have.

    Raises
    ------
    InputError
        No layer, layers that don't fit together, names that don't fit, an unknown domain.

    Examples
    --------
    >>> net = Network(Layer([[1], [-1]], [-1]), inputs=["a", "b"], outputs=["c"], domain="binary")
    >>> print(net)
    Network: 2 inputs → 1 heaviside
    c fires when a − b ≥ 1
    >>> net([[0, 0], [0, 1], [1, 0], [1, 1]]).ravel()
    array([0, 0, 1, 0], dtype=int8)
    """

    layers: tuple[Layer, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    domain: str

    def __init__(
        self,
        layers: Layer | Sequence[Layer],
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        domain: str = "real",
    ) -> None:
        layers = tuple(layers) if isinstance(layers, Iterable) else (layers,)
        if not layers or not all(isinstance(layer, Layer) for layer in layers):
            received = ", ".join(type(layer).__name__ for layer in layers) or "none"
            raise InputError(f"A network is made of one or more limen.Layer. Received: {received}.")
        for i, (before, after) in enumerate(pairwise(layers)):
            if before.n_neurons != after.n_inputs:
                raise InputError(
                    f"Layer {i + 2} must take {before.n_neurons} inputs, one from each neuron of layer {i + 1}."
                    f" Received: weights with {after.n_inputs} rows."
                )
        if not isinstance(domain, str) or domain not in DOMAINS:
            raise InputError(f"domain must be one of {', '.join(DOMAINS)}. Received: {domain!r}.")
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "inputs", unique_names(inputs, "inputs", "x", layers[0].n_inputs))
        object.__setattr__(self, "outputs", unique_names(outputs, "outputs", "y", layers[-1].n_neurons))
        object.__setattr__(self, "domain", domain)

    def __init_subclass__(cls) -> None:
        raise TypeError("Network is a value and can't be subclassed; write a function that returns one.")

    def __reduce__(self) -> tuple[type[Network], tuple[Any, ...]]:
        return Network, (self.layers, self.inputs, self.outputs, self.domain)

    # The definition -------------------------------------------------------------------------------------

    def __call__(self, X: Any) -> Array:
        """Return the outputs for the rows of `X`: the definition of what the network computes.

        Parameters
        ----------
        X : array_like of shape (..., n_inputs), or scipy.sparse matrix of shape (n_rows, n_inputs)
            Booleans, integers or floats whose values lie in the domain.

        Returns
        -------
        ndarray of shape (..., n_outputs)
            int8 for step outputs; int64 or float64 for an identity layer; float64 for the smooth ones.

        Raises
        ------
        InputError
            Another number of columns, a value outside the domain, NaN, infinity, or not numbers.
        NotExactError
            An integer sum could pass int64.
        """
        h = self.admit(X)
        for layer in self.layers:
            h = layer(h)
        return h  # type: ignore[no-any-return]  # X is anything; what a layer returns is an array

    def scores(self, X: Any) -> Array:
        """Return the net inputs of the last layer, shape ``(..., n_outputs)``, for `X` as in a call."""
        h = self.admit(X)
        for layer in self.layers[:-1]:
            h = layer(h)
        return self.layers[-1].net_input(h)

    def admit(self, X: Any) -> Any:
        """Return `X` checked against the domain, as integers unless the domain is real."""
        X = inputs_array(X)
        if X.ndim == 0 or X.shape[-1] != self.n_inputs:
            raise InputError(
                f"X must have {self.n_inputs} columns, one for each input ({_text.listing(self.inputs)})."
                f" Received: shape {X.shape}."
            )
        values = X.data if is_sparse(X) else X
        if values.dtype.kind == "f":
            if self.domain == "real":
                good = np.isfinite(values)
            elif self.domain == "integer":
                good = (
                    (values == np.rint(values))
                    & (values >= np.float64(-(2**63)))
                    & (values < np.float64(2**63))
                )
            else:
                good = (values == 0) | (values == 1)
            require(good, values, self.domain)
            return X if self.domain == "real" else X.astype(np.int8 if self.domain == "binary" else np.int64)
        if values.dtype.kind == "b":
            return X.astype(np.int8) if is_sparse(X) else X.view(np.int8)
        low, high = extremes(values) or (0, 0)
        if self.domain == "binary" and not (low >= 0 and high <= 1):
            require((values == 0) | (values == 1), values, self.domain)
        if high > INT64_MAX:
            raise NotExactError(f"Whole-number inputs must fit into int64. Received: {high}.")
        return X

    # What it is -----------------------------------------------------------------------------------------

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return self.layers[0].n_inputs

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.layers[-1].n_neurons

    @property
    def n_neurons(self) -> int:
        """Number of neurons in all layers; inputs and the bias neuron don't count."""
        return sum(layer.n_neurons for layer in self.layers)

    @property
    def n_gates(self) -> int:
        """Number of neurons that aren't hidden pass-through neurons (see `pass_through`)."""
        return self.n_neurons - sum(int(self.pass_through(i).sum()) for i in range(self.depth - 1))

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def is_exact(self) -> bool:
        """Whether every form of the network agrees with ``==``.

        That takes int64 weights and biases, heaviside, sign or hardmax activations (identity is allowed in
        the last layer) and a binary or integer domain.
        """
        hidden = all(layer.activation in STEPS for layer in self.layers[:-1])
        last = self.layers[-1].activation in STEPS | {"identity"}
        return hidden and last and self.domain != "real" and all(layer.is_integer for layer in self.layers)

    def takes_bits(self, index: int) -> bool:
        """Whether layer `index` (from 0) sees only zeros and ones."""
        if index == 0:
            return self.domain == "binary"
        return self.layers[index - 1].activation in {"heaviside", "hardmax"}

    def pass_through(self, index: int) -> Array:
        """Tell which neurons of layer `index` merely repeat one of their 0/1 inputs.

        Such a neuron is heaviside and has one weight other than zero; it fires iff that input is 1. Layers
        only see the layer before them, so a value needed later is passed through.

        Returns
        -------
        ndarray of bool, shape (n_neurons,)
        """
        layer = self.layers[index]
        if layer.activation != "heaviside" or not self.takes_bits(index):
            return np.zeros(layer.n_neurons, dtype=bool)
        _, columns, values = entries(layer.weights)
        single = np.bincount(columns, minlength=layer.n_neurons) == 1
        weight = np.zeros(layer.n_neurons, dtype=values.dtype)
        weight[columns] = values
        passes: Array = single & (layer.bias < 0) & (weight > 0) & (-weight <= layer.bias)
        return passes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        mine = (self.layers, self.inputs, self.outputs, self.domain)
        return mine == (other.layers, other.inputs, other.outputs, other.domain)

    def __hash__(self) -> int:
        return hash((self.layers, self.inputs, self.outputs, self.domain))

    def __repr__(self) -> str:
        exact = ", exact" if self.is_exact else ""
        return f"Network({_text.chain(self)}, {self.domain}{exact})"

    def __str__(self) -> str:
        return _text.describe(self)

    # Composition ----------------------------------------------------------------------------------------

    def then(self, other: Network) -> Network:
        """Return the network that feeds this one's outputs into `other`; see `limen.compose.then`."""
        from limen import compose

        return compose.then(self, other)

    def beside(self, other: Network, *, inputs: Literal["same", "separate"]) -> Network:
        """Return the network that computes both side by side; see `limen.compose.beside`."""
        from limen import compose

        return compose.beside(self, other, inputs=inputs)

    def select(self, outputs: str | int | Iterable[str | int]) -> Network:
        """Return the network with only these outputs, in this order; see `limen.compose.select`."""
        from limen import compose

        return compose.select(self, outputs)
