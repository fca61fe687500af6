"""Steps in Keras: exact going forward, with the slope of a surrogate going back; see `limen.learn.keras`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from limen.errors import InputError
from limen.learn._keras_door import keras

__all__ = [
    "OUTPUTS",
    "SURROGATES",
    "Hardmax",
    "PowerSchedule",
    "Silence",
    "Step",
    "one_of",
    "registered",
    "step",
]

ops = keras.ops
registered = keras.saving.register_keras_serializable(package="limen")

OUTPUTS = ("heaviside", "bipolar", "sign")
NEAR, FAR = 0.1, 1.5  # where the slope of the power function is cut off


def _clipped_identity(distance: Any, power: Any) -> Any:
    return ops.where(distance <= 1, ops.ones_like(distance), ops.zeros_like(distance))


def _triangle(distance: Any, power: Any) -> Any:
    return ops.maximum(2 - 2 * distance, 0)


def _power(distance: Any, power: Any) -> Any:
    exponent = 1 / power - 1
    outside = ops.power(ops.clip(distance, NEAR, FAR), exponent) / power
    chord = ops.power(ops.full_like(distance, NEAR), exponent)
    return ops.where(distance > FAR, ops.zeros_like(distance), ops.where(distance < NEAR, chord, outside))


SURROGATES: dict[str, Callable[[Any, Any], Any]] = {
    "clipped_identity": _clipped_identity,
    "triangle": _triangle,
    "power": _power,
}
"""The slope of each surrogate, given ``abs(z)`` and the power."""


def stepped(z: Any, output: str) -> Any:
    """Return the step of `z`, without a slope."""
    one = ops.ones_like(z)
    if output == "sign":
        return ops.where(z > 0, one, ops.where(z < 0, -one, ops.zeros_like(z)))
    return ops.where(z >= 0, one, ops.zeros_like(z) if output == "heaviside" else -one)


def step(z: Any, output: str, surrogate: str, power: Any) -> Any:
    """Return the step of `z`, with the slope of its surrogate."""
    slope, height = SURROGATES[surrogate], 0.5 if output == "heaviside" else 1.0

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def with_slope(z: Any) -> Any:
        def back(*args: Any, upstream: Any = None) -> Any:
            (upstream,) = args if upstream is None else (upstream,)
            return upstream * ops.cast(height * slope(ops.abs(z), power), upstream.dtype)

        return stepped(z, output), back

    return with_slope(z)


def one_of(value: Any, allowed: Any, name: str) -> Any:
    """Return `value` if it is among those allowed."""
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(map(str, allowed))}. Received: {value!r}.")
    return value


@registered
class Step(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped here
    """The step of a neuron, exact going forward, with the slope of a surrogate going back.

    Parameters
    ----------
    output : {"heaviside", "bipolar", "sign"}
        Its values: 0 and 1; -1 and +1; or -1, 0 and +1.
    surrogate : {"clipped_identity", "triangle", "power"}
        Whose slope it has. The tables are at the head of this module.
    **kwargs
        Of a Keras layer.

    Raises
    ------
    InputError
        An output or surrogate there isn't.

    Examples
    --------
    >>> import numpy as np
    >>> Step()(np.array([[-1.0, 0.0, 1.0]], "float32")).tolist()
    [[0.0, 1.0, 1.0]]
    """

    def __init__(self, output: str = "heaviside", surrogate: str = "clipped_identity", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_kind = one_of(output, OUTPUTS, "output")
        self.surrogate = one_of(surrogate, SURROGATES, "surrogate")
        self.power = self._power() if surrogate == "power" else None

    def _power(self) -> Any:
        return self.add_weight(
            shape=(), initializer="ones", trainable=False, autocast=False, dtype="float32", name="power"
        )

    def build(self, input_shape: Any) -> None:
        """Do nothing: a step has no weights."""
        self.built = True

    def call(self, z: Any) -> Any:
        """Return the step of net inputs, in their own type and shape."""
        return step(z, self.output_kind, self.surrogate, self.power)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape it is given."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        return {**super().get_config(), "output": self.output_kind, "surrogate": self.surrogate}


@registered
class Hardmax(keras.layers.Layer):  # type: ignore[misc]
    """One for the largest net input of each row, the first of equals, and 0 for the others; the slope of softmax.

    Examples
    --------
    >>> import numpy as np
    >>> Hardmax()(np.array([[3.0, 5.0, 5.0]], "float32")).tolist()
    [[0.0, 1.0, 0.0]]
    """

    def call(self, z: Any) -> Any:
        """Return the one-hot rows, in the type and shape of `z`."""
        if z.shape[-1] == 1:
            return ops.ones_like(z)
        soft = ops.softmax(z)
        hard = ops.one_hot(ops.argmax(z, axis=-1), z.shape[-1], dtype=z.dtype)
        return ops.stop_gradient(hard) + (soft - ops.stop_gradient(soft))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape it is given."""
        return input_shape


def _mixed(numbers: Any) -> Any:
    """Return 32-bit integers mixed up: one pass, where random numbers for each would take longer than all products.

    The last step of MurmurHash3 (A. Appleby 2011, ``fmix32``); here shifts keep the sign, which doesn't matter for chance.
    """
    for shift, factor in ((16, 0x85EBCA6B - 2**32), (13, 0xC2B2AE35 - 2**32)):
        numbers = ops.bitwise_xor(numbers, ops.right_shift(numbers, shift)) * factor
    return ops.bitwise_xor(numbers, ops.right_shift(numbers, 16))


@registered
class Silence(keras.layers.Layer):  # type: ignore[misc]
    """Silence a share of the steps it is given while training: to 0, between -1 and +1, and leave the others as they are.

    `keras.layers.Dropout` makes up for what it drops by raising the others, which are then steps no more.

    Parameters
    ----------
    rate : float
        The share silenced, from 0 to 1 exclusive, kept to a 256th.
    seed : int, optional
    **kwargs
        Of a Keras layer.

    Examples
    --------
    >>> import numpy as np
    >>> Silence(0.5)(np.ones((1, 3), "float32")).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise InputError(f"rate must be a share from 0 to 1 exclusive. Received: {rate!r}.")
        self.rate, self.seed = rate, seed
        self.random = keras.random.SeedGenerator(seed)

    def call(self, h: Any, training: bool = False) -> Any:
        """Return the steps, or what is left of them."""
        if not training:
            return h
        start = keras.random.randint((), -(2**31), 2**31 - 1, dtype="int32", seed=self.random)
        numbers = ops.arange(math.prod(ops.shape(h)), dtype="int32") + start
        kept = ops.bitwise_and(_mixed(numbers), 255) >= round(256 * self.rate)
        return ops.where(ops.reshape(kept, ops.shape(h)), h, ops.zeros_like(h))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape it is given."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


class PowerSchedule(keras.callbacks.Callback):  # type: ignore[misc]
    """Raise the power of every ``power`` surrogate of a model from 1 to `last`, evenly over the epochs.

    Parameters
    ----------
    last : float, default 3.0
        The power in the last epoch.
    """

    def __init__(self, last: float = 3.0) -> None:
        super().__init__()
        self.last = last

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the power of this epoch."""
        share = epoch / max(1, self.params["epochs"] - 1)
        for layer in self.model._flatten_layers():
            if getattr(layer, "power", None) is not None:
                layer.power.assign(1 + share * (self.last - 1))
