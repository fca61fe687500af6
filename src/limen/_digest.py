"""What tells networks apart in a few letters: the digest that generated code and files of code carry."""

from __future__ import annotations

import hashlib

import numpy as np

from limen._weights import entries
from limen.network import Network

__all__ = ["network_digest"]


def network_digest(net: Network) -> str:
    """Return the SHA-256 of a network's domain, weights, biases and activations, however they are stored.

    Examples
    --------
    >>> from limen import Layer
    >>> network_digest(Network(Layer([[1]], [-1]), domain="binary"))[:16]
    'dfc853114d1545b6'
    """
    found = hashlib.sha256(f"limen network, {net.domain}\n".encode())
    for layer in net.layers:
        rows, columns, values = entries(layer.weights)
        found.update(f"{layer.n_inputs} {layer.n_neurons} {layer.activation}\n".encode())
        for array in (rows, columns, values, layer.bias):
            found.update(np.ascontiguousarray(array).astype(f"<{array.dtype.kind}8").tobytes())
    return found.hexdigest()
