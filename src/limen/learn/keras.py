r"""Keras 3 layers of threshold neurons, trained by gradient, deciding in whole numbers.

`Step` is the step of a neuron, `ThresholdDense` a layer of threshold neurons with whole weights. Both live in any Keras
model, on JAX, PyTorch and TensorFlow; `limen.learn.network_from` turns a model of them into an exact `limen.Network`.

A step has no slope to learn from. Going forward it is exact; going back it has the slope of another function, its
*surrogate*. Forward, for a net input ``z`` (a tie, ``z = 0``, fires, as everywhere in limen):

=============  =========================================================================
``output``     value
=============  =========================================================================
``heaviside``  1 if z >= 0, else 0
``bipolar``    +1 if z >= 0, else -1
``sign``       +1 if z > 0, 0 if z = 0, -1 if z < 0: the three values of `limen.step.sign`
=============  =========================================================================

(JAX takes numbers below 1.2e-38 in size for 0 on some processors; whole numbers aren't among them), and the slopes, halved for ``heaviside``, whose step is half as high:

====================  =======================================================================================
``surrogate``         slope at ``z``, and the function that has it
====================  =======================================================================================
``clipped_identity``  1 if abs(z) <= 1, else 0: of ``clip(z, -1, 1)``
``triangle``          2 - 2 abs(z) if abs(z) < 1, else 0: of ``2 z - z abs(z)``
``power``             of ``sign(z) abs(z)^(1/p)``, that is ``abs(z)^(1/p - 1) / p``, if 0.1 <= abs(z) <= 1.5; the
                      chord's slope, ``0.1^(1/p - 1)``, if abs(z) < 0.1; else 0. With p = 1 it is the identity;
                      `PowerSchedule` raises p, so that it comes ever closer to the step.
====================  =======================================================================================

A plot of them is in the documentation, "Deep networks".

References
----------
M. Courbariaux, I. Hubara, D. Soudry, R. El-Yaniv and Y. Bengio (2016), "Binarized neural networks", sections 1.1 to 1.3:
latent weights that are clipped, and the clipped identity. Z. Liu et al. (2018), "Bi-Real Net", ECCV, section 3.3: the triangle
(ApproxSign). X.-M. Wu et al. (2023), "Estimator meets equilibrium perspective: a rectified straight through estimator
for binary neural networks training", ICCV: the power function (ReSTE). S. Ioffe and C. Szegedy (2015), "Batch normalization", section 3.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from limen.errors import InputError
from limen.learn._keras_door import keras
from limen.learn._keras_steps import (
    OUTPUTS,
    SURROGATES,
    Hardmax,
    PowerSchedule,
    Silence,
    Step,
    one_of,
    registered,
    step,
    stepped,
)
from limen.step import Array

__all__ = [
    "LEVELS",
    "OUTPUTS",
    "PRODUCTS",
    "SURROGATES",
    "ClipLatent",
    "Hardmax",
    "PowerSchedule",
    "Silence",
    "Step",
    "ThresholdDense",
]

ops = keras.ops

LEVELS = {"binary": 1, "ternary": 1, "int4": 7, "int8": 127, "float": None}
"""The kinds of weights, and the largest whole weight of each."""

START = 0.3  # the size of a last layer's outputs at first, about
PRODUCTS = ("float32", "int8")


@registered
class ClipLatent(keras.constraints.Constraint):  # type: ignore[misc]
    """Keep latent weights between -1 and 1, beyond which a weight could no longer change its mind in time."""

    def __call__(self, latent: Any) -> Any:
        """Return the latent weights, clipped."""
        return ops.clip(latent, -1.0, 1.0)


def quantised(latent: Any, weights: str) -> Any:
    """Return the weights that latent ones stand for, whole numbers in the type of `latent`.

    ``binary``: +1 from 0 on, else -1. ``ternary``: +1 from 0.5 on, -1 down from -0.5, else 0. ``int4``, ``int8``: 7 or
    127 times the latent weight, rounded. ``float``: themselves.
    """
    one, level = ops.ones_like(latent), LEVELS[weights]
    if weights == "binary":
        return ops.where(latent >= 0, one, -one)
    if weights == "ternary":
        return ops.where(latent >= 0.5, one, ops.where(latent <= -0.5, -one, ops.zeros_like(latent)))
    return latent if level is None else ops.round(latent * level)


def _weighted_sum(x: Any, latent: Any, weights: str, product: str) -> Any:
    """Return ``x`` times the quantised weights in float32, the slope going straight through to the latent ones."""
    level, multiplied_back = LEVELS[weights] or 1, _bytes_back if product == "int8" else _floats_back

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def weighted_sum(x: Any, latent: Any) -> Any:
        inputs, whole = ops.cast(x, product), ops.cast(quantised(latent, weights), product)

        def back(*args: Any, upstream: Any = None) -> Any:
            (upstream,) = args if upstream is None else (upstream,)
            to_inputs, to_weights = multiplied_back(upstream, inputs, whole)
            return ops.cast(to_inputs, x.dtype), level * ops.cast(to_weights, latent.dtype)

        return ops.cast(ops.matmul(inputs, whole), "float32"), back

    return weighted_sum(x, latent)


def _floats_back(upstream: Any, inputs: Any, whole: Any) -> tuple[Any, Any]:
    return ops.matmul(upstream, ops.transpose(whole)), ops.matmul(ops.transpose(inputs), upstream)


def _bytes_back(upstream: Any, inputs: Any, whole: Any) -> tuple[Any, Any]:
    """Return the slopes by inputs and by weights, from slopes rounded to a byte of the largest of their row or neuron."""
    by_row, row_factor = _as_bytes(upstream, axis=1)
    by_neuron, neuron_factor = _as_bytes(upstream, axis=0)
    to_inputs = ops.matmul(by_row, _turned(whole))
    to_weights = ops.matmul(_turned(inputs), by_neuron)
    return ops.cast(to_inputs, "float32") * row_factor, ops.cast(to_weights, "float32") * neuron_factor


def _as_bytes(slopes: Any, axis: int) -> tuple[Any, Any]:
    factor = ops.maximum(ops.max(ops.abs(slopes), axis=axis, keepdims=True), 1e-30) / 127
    return ops.cast(ops.round(slopes / factor), "int8"), factor


def _turned(a: Any) -> Any:
    """Return the transpose, by way of two reversals: XLA would make a plain one part of the product, fifty times slower."""
    return ops.flip(ops.transpose(ops.flip(a, axis=1)), axis=0)


def _normalised_step(s: Any, offset: Any, epsilon: float, output: str, surrogate: str, power: Any) -> Any:
    """Return the steps of weighted sums that are normalised over the batch; going back, all in one formula.

    The slope by ``s`` is that of Ioffe and Szegedy (2015), section 3, with the surrogate's at the step.
    """
    height = 0.5 if output == "heaviside" else 1.0

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def normalised_step(s: Any, offset: Any) -> Any:
        mean, variance = ops.moments(s, axes=[0])
        inverse = ops.rsqrt(variance + epsilon)
        x = (s - mean) * inverse
        z = x + offset

        def back(*args: Any, upstream: Any = None) -> Any:
            (upstream,) = args if upstream is None else (upstream,)
            by_z = upstream * (height * SURROGATES[surrogate](ops.abs(z), power))
            by_offset, along = ops.mean(by_z, axis=0), ops.mean(by_z * x, axis=0)
            return inverse * (by_z - by_offset - x * along), by_offset * s.shape[0]

        return stepped(z, output), back

    return normalised_step(s, offset)


@registered
class ThresholdDense(keras.layers.Layer):  # type: ignore[misc]
    r"""A layer of threshold neurons: whole weights, learned by gradient through *latent* ones.

    What is trained are latent weights between -1 and 1; what works, from the first step of training on, are the whole
    weights `Q` they stand for. With inputs that are whole numbers the weighted sum ``s = x Q`` is exact, and so is

    * without `normalize`, the net input ``s + B``, with a bias of whole numbers `B`. The layer hands on ``(s + B) c`` with one
      scale ``c > 0`` for all its neurons, so that a step decides by the sign of ``s + B``, and the largest output of a
      last layer is the largest whole number;
    * with `normalize`, the comparison ``s >= T``. While training, ``s`` is normalised with the batch's mean and variance, and an
      offset is learned: ``z = (s - mean) / sqrt(variance + epsilon) + offset``. The threshold `T` is the least whole number
      from which on that isn't negative, by the running statistics; it is kept as a weight, and otherwise decides.

    Parameters
    ----------
    units : int
        Number of neurons.
    weights : {"binary", "ternary", "int4", "int8", "float"}, default "binary"
        What the weights may be: -1 and 1; -1, 0 and 1; whole numbers up to 7; up to 127; or any number, and then the
        layer isn't exact.
    activation : {"heaviside", "bipolar", "sign"} or None, default None
        As in `Step`; None for a layer whose outputs are its net inputs, such as a last one.
    surrogate : str, default "clipped_identity"
        As in `Step`.
    normalize : bool, default False
        Whether to normalise over the batch; for heaviside and bipolar neurons.
    use_bias : bool, default True
        Whether there is a bias (an offset, if normalised).
    momentum, epsilon : float
        Of the normalisation, as in `keras.layers.BatchNormalization`.
    product : {"float32", "int8"}, default "float32"
        The type in which inputs and weights are multiplied. float32 is exact while no sum can pass 2**24. int8 is for inputs
        that are whole numbers from -128 to 127, such as steps; it is several times faster on processors with
        matrix units (AMX, GPUs), and slopes are then rounded to a byte of the largest of their row or neuron. Not for ``float``.
    kernel_initializer : default uniform from -1 to 1 (``float``: Glorot's)
        Of the latent weights.
    **kwargs
        Of a Keras layer.

    Raises
    ------
    InputError
        A parameter that isn't one of these.

    Examples
    --------
    >>> layer = ThresholdDense(3, activation="heaviside")
    >>> layer(np.ones((2, 4), "float32")).shape
    (2, 3)
    >>> sorted(set(layer.whole_weights().ravel().tolist())) in ([-1, 1], [-1], [1])
    True
    """

    def __init__(
        self,
        units: int,
        weights: str = "binary",
        activation: str | None = None,
        *,
        surrogate: str = "clipped_identity",
        normalize: bool = False,
        use_bias: bool = True,
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        product: str = "float32",
        kernel_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        if isinstance(units, bool) or not isinstance(units, int | np.integer) or units < 1:
            raise InputError(f"units must be a whole number from 1. Received: {units!r}.")
        self.units = int(units)
        self.kind = one_of(weights, LEVELS, "weights")
        self.activation = one_of(activation, (*OUTPUTS, None), "activation")
        self.surrogate = one_of(surrogate, SURROGATES, "surrogate")
        self.product = one_of(product, PRODUCTS, "product")
        if normalize and activation not in ("heaviside", "bipolar"):
            raise InputError(
                "normalize is for heaviside and bipolar neurons, whose thresholds it becomes."
                f" Received: activation={activation!r}. Leave it out, or add keras.layers.BatchNormalization."
            )
        if product == "int8" and weights == "float":
            raise InputError("product must be float32 for float weights. Received: int8.")
        self.normalize, self.use_bias = bool(normalize), bool(use_bias)
        self.momentum, self.epsilon = float(momentum), float(epsilon)
        if kernel_initializer is None:
            uniform = keras.initializers.RandomUniform(-1.0, 1.0)
            kernel_initializer = "glorot_uniform" if weights == "float" else uniform
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape."""
        n_inputs, whole = int(input_shape[-1]), self.kind != "float"
        self.input_spec = keras.InputSpec(min_ndim=2, axes={-1: n_inputs})
        level = LEVELS[self.kind] or 1
        spread = {"binary": 1.0, "float": 1.0, "ternary": math.sqrt(0.5)}.get(self.kind, level / math.sqrt(3))
        self.reach = n_inputs * level
        self.unit = 1 / (
            math.sqrt(max(1, n_inputs)) * spread
        )  # a weighted sum's usual size, to the minus one
        self.kernel = self.add_weight(
            shape=(n_inputs, self.units),
            initializer=self.kernel_initializer,
            constraint=ClipLatent() if whole else None,
            autocast=False,
            name="kernel",
        )
        self.bias = self._per_unit("bias", trainable=True) if self.use_bias else None
        self.log_scale = self.power = None
        if self.normalize:
            self.mean, self.variance = self._per_unit("mean"), self._per_unit("variance", "ones")
            self.threshold = self._per_unit("threshold")
        elif self.activation is None and whole:
            start = keras.initializers.Constant(math.log(START * self.unit))
            self.log_scale = self.add_weight(shape=(), initializer=start, autocast=False, name="log_scale")
        if self.surrogate == "power" and self.activation:
            self.power = self.add_weight(
                shape=(), initializer="ones", trainable=False, autocast=False, name="power"
            )
        self.built = True

    def _per_unit(self, name: str, initializer: str = "zeros", *, trainable: bool = False) -> Any:
        return self.add_weight(
            shape=(self.units,),
            initializer=initializer,
            trainable=trainable,
            autocast=False,
            dtype="float32",
            name=name,
        )

    def call(self, x: Any, training: bool = False) -> Any:
        """Return the outputs of the neurons, shape ``(..., units)``."""
        rows = ops.reshape(x, (-1, x.shape[-1])) if len(x.shape) > 2 else x
        h = self.outputs(_weighted_sum(rows, self.kernel.value, self.kind, self.product), training=training)
        return ops.reshape(h, (*ops.shape(x)[:-1], self.units)) if len(x.shape) > 2 else h

    def outputs(self, s: Any, *, training: bool = False) -> Any:
        """Return the outputs of the neurons for their weighted sums, shape ``(n_rows, units)``."""
        if self.normalize and training and self.trainable:
            return ops.cast(self._normalised(s), self.compute_dtype)
        if not self.normalize:
            z = (s + self._bias()) * self.scale() if self.kind != "float" else s + self._bias()
        else:
            z = (s - self.threshold) * ops.rsqrt(self.variance + self.epsilon)
        if self.activation is None:
            return z
        return ops.cast(step(z, self.activation, self.surrogate, self.power), self.compute_dtype)

    def _bias(self) -> Any:
        if self.bias is None:
            return 0.0
        if self.kind == "float":
            return self.bias.value
        units = self.bias / self.unit
        return ops.stop_gradient(ops.round(units)) + (units - ops.stop_gradient(units))

    def scale(self) -> Any:
        """Return the scale ``c`` that whole net inputs are handed on with."""
        return self.unit if self.log_scale is None else ops.exp(self.log_scale)

    def _normalised(self, s: Any) -> Any:
        mean, variance = ops.moments(ops.stop_gradient(s), axes=[0])
        kept, new = self.momentum, 1 - self.momentum
        self.mean.assign(kept * self.mean + new * mean)
        self.variance.assign(kept * self.variance + new * variance)
        offset = ops.zeros_like(mean) if self.bias is None else self.bias.value
        found = self.mean - offset * ops.sqrt(self.variance + self.epsilon)
        self.threshold.assign(ops.stop_gradient(self._threshold(found, ops)))
        return _normalised_step(s, offset, self.epsilon, self.activation, self.surrogate, self.power)

    def _threshold(self, found: Any, of: Any) -> Any:
        """Return the thresholds that stand for real ones: whole, and no further than sums can reach."""
        return found if self.kind == "float" else of.clip(of.ceil(found), -self.reach, self.reach + 1)

    def set_statistics(self, mean: Array, variance: Array) -> None:
        """Set the statistics of the weighted sums, and the thresholds that follow from them.

        Parameters
        ----------
        mean, variance : ndarray of float64, shape (units,)
            Of each neuron's weighted sum, over all rows that matter.
        """
        offset = 0.0 if self.bias is None else ops.convert_to_numpy(self.bias).astype(np.float64)
        self.mean.assign(mean.astype(np.float32))
        self.variance.assign(variance.astype(np.float32))
        found = mean - offset * np.sqrt(variance + self.epsilon)
        self.threshold.assign(np.asarray(self._threshold(found, np), dtype=np.float32))

    def whole_weights(self) -> Array:
        """Return the weights ``Q`` at work, int64 of shape (n_inputs, units); float64 for ``float``."""
        weights = ops.convert_to_numpy(quantised(self.kernel.value, self.kind))
        whole: Array = weights.astype(np.float64 if self.kind == "float" else np.int64)
        return whole

    def whole_bias(self) -> Array:
        """Return the bias ``B``, or ``-T`` if normalised: int64 of shape (units,); float64 for ``float``."""
        if self.normalize:
            bias = -ops.convert_to_numpy(self.threshold).astype(np.float64)
        else:
            bias = np.zeros(self.units) + ops.convert_to_numpy(self._bias())
        whole: Array = bias.astype(np.float64 if self.kind == "float" else np.int64)
        return whole

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        names = (
            "units",
            "activation",
            "surrogate",
            "normalize",
            "use_bias",
            "momentum",
            "epsilon",
            "product",
        )
        own = {name: getattr(self, name) for name in names}
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), **own, "weights": self.kind, "kernel_initializer": initializer}
