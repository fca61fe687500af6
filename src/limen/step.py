"""The tie rule and the activations: what a neuron does with its net input.

**Tie rule.** A neuron fires iff its net input ``z >= 0``. It is written here, once, in `heaviside`.
Every other form of a neuron is tested against it at ``z = -1``, ``0`` and ``1``.

An activation takes the net inputs of a layer, shape ``(..., n_neurons)``, and returns an array of the
same shape. The *steps* return int8; `identity` returns what it was given; the smooth ones return float64.

==============  ===================================================  =======
activation      output of a neuron with net input ``z``               exact
==============  ===================================================  =======
``heaviside``   1 where ``z >= 0``, else 0                            yes
``sign``        -1, 0 or +1; 0 exactly at ``z = 0``                   yes
``hardmax``     1 for the layer's largest ``z`` (first of equals)     yes
``identity``    ``z``                                                 last
``sigmoid``     ``1 / (1 + exp(-z))``                                 no
``tanh``        ``tanh(z)``                                           no
``relu``        ``max(z, 0)``                                         no
``softmax``     ``exp(z) / sum(exp(z))`` over the layer               no
==============  ===================================================  =======

References
----------
W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous activity",
Bulletin of Mathematical Biophysics 5, section 2, for the neuron that fires when its sum reaches a threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACTIVATIONS",
    "COUPLED",
    "STEPS",
    "Array",
    "hardmax",
    "heaviside",
    "identity",
    "relu",
    "sigmoid",
    "sign",
    "softmax",
    "tanh",
    "to_bits",
    "to_signs",
]

Array: TypeAlias = NDArray[Any]


def heaviside(z: Array) -> Array:
    """Fire (1) iff ``z >= 0``: the tie rule.

    Parameters
    ----------
    z : ndarray
        Net inputs, any shape.

    Returns
    -------
    ndarray of int8
        0 or 1, the shape of `z`.

    Examples
    --------
    >>> heaviside(np.array([-1, 0, 1]))
    array([0, 1, 1], dtype=int8)
    """
    return (z >= 0).astype(np.int8)


def sign(z: Array) -> Array:
    """Return -1, 0 or +1 as `z` is negative, exactly 0, or positive.

    Examples
    --------
    >>> sign(np.array([-0.5, 0.0, 7.0]))
    array([-1,  0,  1], dtype=int8)
    """
    return (z > 0).astype(np.int8) - (z < 0).astype(np.int8)


def hardmax(z: Array) -> Array:
    """Return 1 for the layer's largest net input, the first of equals, and 0 for the others.

    Examples
    --------
    >>> hardmax(np.array([[3, 5, 5]]))
    array([[0, 1, 0]], dtype=int8)
    """
    one_hot = np.zeros(z.shape, dtype=np.int8)
    np.put_along_axis(one_hot, z.argmax(axis=-1)[..., np.newaxis], 1, axis=-1)
    return one_hot


def identity(z: Array) -> Array:
    """Return the net input itself."""
    return z


def sigmoid(z: Array) -> Array:
    """Return ``1 / (1 + exp(-z))``, written so that it can't overflow.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(z, dtype=np.float64)))


def tanh(z: Array) -> Array:
    """Return the hyperbolic tangent of `z`."""
    result: Array = np.tanh(np.asarray(z, dtype=np.float64))
    return result


def relu(z: Array) -> Array:
    """Return ``max(z, 0)``."""
    result: Array = np.maximum(np.asarray(z, dtype=np.float64), 0.0)
    return result


def softmax(z: Array) -> Array:
    """Return ``exp(z) / sum(exp(z))`` over the last axis, shifted so that it can't overflow.

    Examples
    --------
    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    z = np.asarray(z, dtype=np.float64)
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "heaviside": heaviside,
    "sign": sign,
    "identity": identity,
    "hardmax": hardmax,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "softmax": softmax,
}
"""Every activation a layer may have, by name."""

STEPS = frozenset({"heaviside", "sign", "hardmax"})
"""The activations whose outputs are small integers (int8)."""

COUPLED = frozenset({"hardmax", "softmax"})
"""The activations in which a neuron's output depends on the other neurons of its layer."""


def to_signs(bits: Array) -> Array:
    """Turn 0/1 into -1/+1, exactly.

    Examples
    --------
    >>> to_signs(np.array([0, 1], dtype=np.int8))
    array([-1,  1], dtype=int8)
    """
    return (2 * bits.astype(np.int8) - 1).astype(np.int8)


def to_bits(signs: Array) -> Array:
    """Turn -1/+1 into 0/1, exactly: the inverse of `to_signs`.

    Examples
    --------
    >>> to_bits(np.array([-1, 1], dtype=np.int8))
    array([0, 1], dtype=int8)
    """
    return (signs > 0).astype(np.int8)
