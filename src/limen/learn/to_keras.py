"""From a network to a Keras model: `keras_model`, the way back from `limen.learn.network_from`."""

from __future__ import annotations

from typing import Any

import numpy as np

from limen.errors import InputError, NotExactError
from limen.learn._keras_door import keras
from limen.learn._whole_sums import FLOAT32_WHOLE
from limen.learn.keras import Hardmax, ThresholdDense
from limen.network import Layer, Network
from limen.step import Array

__all__ = ["keras_model"]

ACTIVATIONS = {
    "identity": "linear",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
}


def keras_model(network: Network, *, surrogate: str = "clipped_identity") -> Any:
    """Return a Keras model that computes what a network does, to go on training it or to use it there.

    Each layer of steps becomes a `ThresholdDense` of float weights that are whole where the network's are, and each layer of
    another activation a `keras.layers.Dense`.

    Parameters
    ----------
    network : Network
    surrogate : str, default "clipped_identity"
        The slope of its steps, as in `limen.learn.keras.Step`.

    Returns
    -------
    keras.Sequential
        With the network's inputs. If the network is exact, ``network_from(model, domain=network.domain)`` computes what the
        network does, and so does the model, for every input; otherwise up to rounding to float32.

    Raises
    ------
    InputError
        Not a network, or one without inputs.
    NotExactError
        The network is exact and a net input could pass 2**24, which float32 can't hold.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> conjunction = keras_model(Network(Layer([[1], [1]], [-2]), domain="binary"))
    >>> conjunction.predict(np.array([[1, 0], [1, 1]]), verbose=0).ravel().tolist()
    [0.0, 1.0]
    """
    if not isinstance(network, Network):
        raise InputError(f"network must be a limen.Network. Received: {type(network).__name__}.")
    if network.n_inputs == 0:
        raise InputError("A Keras model needs at least one input. Received: a network without inputs.")
    model = keras.Sequential([keras.Input((network.n_inputs,))])
    for number, layer in enumerate(network.layers):
        if network.is_exact and (number > 0 or network.domain == "binary"):
            _require_small(layer, number)
        for part in _layers(layer, surrogate):
            model.add(part)
        model.layers[-1 if layer.activation != "hardmax" else -2].set_weights(_weights(layer))
    return model


def _layers(layer: Layer, surrogate: str) -> list[Any]:
    if layer.activation in ("heaviside", "sign"):
        return [ThresholdDense(layer.n_neurons, "float", layer.activation, surrogate=surrogate)]
    if layer.activation == "hardmax":
        return [ThresholdDense(layer.n_neurons, "float"), Hardmax()]
    return [keras.layers.Dense(layer.n_neurons, activation=ACTIVATIONS[layer.activation])]


def _weights(layer: Layer) -> list[Array]:
    return [layer.dense().astype(np.float32), layer.bias.astype(np.float32)]


def _require_small(layer: Layer, number: int) -> None:
    reach = int(np.abs(layer.dense().astype(np.float64)).sum(axis=0).max() + np.abs(layer.bias).max())
    if reach >= FLOAT32_WHOLE:
        raise NotExactError(
            f"Keras computes in float32, which holds whole numbers below 2**24, and a net input of layer {number + 1} could"
            f" reach {reach}. Make its weights smaller (limen.logic.small_integers)."
        )
