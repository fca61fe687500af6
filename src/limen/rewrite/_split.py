"""Sign neurons as pairs of heaviside neurons: ``sign(z) = [z >= 0] - [-z >= 0]``."""

from __future__ import annotations

from typing import Any

import numpy as np

from limen import _text
from limen._door import INT64_MAX, is_sparse
from limen._weights import absolute_sums
from limen.errors import InputError, NotExactError
from limen.network import Layer, Network, Weights

__all__ = ["split_sign"]


def split_sign(net: Network) -> Network:
    """Return the network with each sign neuron as two heaviside neurons.

    ``sign(z) = [z >= 0] - [-z >= 0]``: for z > 0 that is 1 - 0, for z < 0 it is 0 - 1, and at z = 0 both fire. A layer
    of n sign neurons becomes 2n heaviside neurons, those of z before those of -z, and the weight w that left a sign
    neuron becomes w and -w. Behind a last layer of sign comes an identity layer that takes the difference; its
    outputs are the same -1, 0 and +1 as int64.

    Parameters
    ----------
    net : Network

    Returns
    -------
    Network
        Without sign neurons.

    Raises
    ------
    NotExactError
        An int64 weight or bias has no negative (-2**63), or the doubled sum of a neuron behind could pass int64.

    Examples
    --------
    >>> net = Network(Layer([[1], [-1]], [0], "sign"), ["a", "b"], domain="binary")
    >>> print(split_sign(net))
    Network: 2 inputs → 2 heaviside → 1 identity
    h1.1 fires when a − b ≥ 0
    h1.2 fires when −a + b ≥ 0
    y1 = h1.1 − h1.2
    """
    if not isinstance(net, Network):
        raise InputError(f"Expected a limen.Network. Received: {type(net).__name__}.")
    layers: list[Layer] = []
    weights: Weights = None  # of the layer at hand, where the layer before it was split
    for index, layer in enumerate(net.layers):
        if weights is not None:
            _require_sums(net, index)
            layer = Layer(weights, layer.bias, layer.activation)
            weights = None
        if layer.activation == "sign":
            opposite = _negative(net, index, layer.weights)
            bias = np.concatenate([layer.bias, _negative(net, index, layer.bias)])
            split = Layer(_stacked(layer.weights, opposite, axis=1), bias)
            if index + 1 < net.depth:
                following = net.layers[index + 1].weights
                weights = _stacked(following, _negative(net, index + 1, following), axis=0)
                layers.append(split)
            else:
                layers += [split, _difference(layer.n_neurons, sparse=is_sparse(layer.weights))]
        else:
            layers.append(layer)
    return Network(layers, net.inputs, net.outputs, net.domain)


def _negative(net: Network, index: int, numbers: Any) -> Any:
    values = numbers.data if is_sparse(numbers) else numbers
    if values.dtype == np.int64 and (values == np.iinfo(np.int64).min).any():
        raise NotExactError(
            f"A sign neuron is split by negating weights, and -2**63 in layer {index + 1} has no negative in int64."
            " Divide the neuron's weights by a common factor first (rewrite.simplify)."
        )
    return -numbers


def _require_sums(net: Network, index: int) -> None:
    """Refuse a layer behind a split one whose sums, with every weight there twice, could pass int64."""
    layer = net.layers[index]
    if not layer.is_integer:
        return
    for k, reach in enumerate(absolute_sums(layer.weights)):
        total = 2 * reach + abs(int(layer.bias[k]))
        if total > INT64_MAX:
            name = _text.hidden_names(net, index)[k]
            raise NotExactError(
                f"The net input of neuron {name!r} of layer {index + 1} could reach {total}, outside int64, once the"
                " sign neurons before it are split. Divide its weights by a common factor first."
            )


def _stacked(first: Any, second: Any, *, axis: int) -> Weights:
    if is_sparse(first):
        from scipy import sparse

        return sparse.hstack([first, second]) if axis == 1 else sparse.vstack([first, second])
    return np.concatenate([first, second], axis=axis)


def _difference(n: int, *, sparse: bool) -> Layer:
    """Return the identity layer that subtracts the second `n` of 2n inputs from the first."""
    weights: Weights
    if sparse:
        from scipy import sparse as scipy_sparse

        one = scipy_sparse.eye_array(n, dtype=np.int64)
        weights = scipy_sparse.vstack([one, -one])
    else:
        weights = np.vstack([np.eye(n, dtype=np.int64), -np.eye(n, dtype=np.int64)])
    return Layer(weights, np.zeros(n, dtype=np.int64), "identity")
