"""From a Keras model to a network, and back.

`network_from` reads a chain of Keras layers. Layers of `limen.learn.keras.ThresholdDense` become exact: a neuron that hands on
-1 and +1 becomes a heaviside neuron with whole weights, and whatever stands between its weighted sum and its step (a
scale, statistics of batches) becomes one whole threshold. That threshold is computed in float64 and then *proved*: the
Keras layers themselves are evaluated for every whole number the sum can be. Ordinary `Dense` layers are read too, and give
a network that equals the model up to rounding.

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from limen.errors import InputError, NotExactError
from limen.learn._keras_door import keras
from limen.learn._whole_sums import proved_increasing, proved_thresholds
from limen.learn.keras import Hardmax, Silence, Step, ThresholdDense
from limen.network import Layer, Network
from limen.step import Array

__all__ = ["network_from"]

ops, kl = keras.ops, keras.layers
SILENT = (kl.InputLayer, kl.Dropout, kl.GaussianNoise, kl.GaussianDropout, kl.ActivityRegularization, Silence)
"""Layers that do nothing once a model is trained."""

SMOOTH = {"linear": "identity", "sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu", "softmax": "softmax"}
DECISIONS = ("largest", "each", "none")


@dataclass
class _Sum:
    """The weighted sums of a layer whose activation isn't known yet.

    `weights` and `bias` are on what the network's layer before hands on; `low` and `high` bound the sum that Keras adds up, and
    `after` are the Keras layers it goes through. `factor` is what the whole net input is multiplied with on the way.
    """

    name: str
    weights: Array
    bias: Array
    own_bias: Array
    low: Array
    high: Array
    offset: Array
    is_whole: bool
    threshold_layer: Any = None
    after: list[Any] = field(default_factory=list)


class _Reader:
    """Reads layers one after another. What Keras hands on is ``spread * h + shift``, with the network's ``h``."""

    def __init__(self, n_inputs: int, domain: str, *, prove: bool) -> None:
        self.prove = prove
        self.layers: list[Layer] = []
        self.spread, self.shift = np.ones(n_inputs, dtype=np.int64), np.zeros(n_inputs, dtype=np.int64)
        self.bits = domain == "binary"  # whether what comes in is 0 or 1
        self.whole = domain != "real"
        self.sum: _Sum | None = None
        self.last_kind: str | None = None
        self.is_last = False
        self.inexact: list[str] = []

    # What comes in ------------------------------------------------------------------------------------------

    def rescale(self, factor: Array, offset: Array) -> None:
        """Take in a layer that multiplies and shifts."""
        self.spread, self.shift = _whole(self.spread * factor), _whole(self.shift * factor + offset)

    def weigh(self, layer: Any, weights: Array, bias: Array) -> None:
        """Take in the weights of a layer."""
        if self.sum is not None:
            self.finish("identity")
        weights, bias, spread, shift = _whole(weights), _whole(bias), self.spread, self.shift
        ends = np.stack([weights * shift[:, np.newaxis], weights * (spread + shift)[:, np.newaxis]])
        own = weights * spread[:, np.newaxis]
        offset = (weights * shift[:, np.newaxis]).sum(axis=0)
        self.sum = _Sum(
            name=layer.name,
            weights=own,
            bias=bias + offset,
            own_bias=bias,
            low=ends.min(axis=0).sum(axis=0),
            high=ends.max(axis=0).sum(axis=0),
            offset=offset,
            is_whole=self.whole and all(a.dtype == np.int64 for a in (own, bias, offset)),
            threshold_layer=layer if isinstance(layer, ThresholdDense) and layer.kind != "float" else None,
        )
        if not self.sum.is_whole:
            reason = (
                "its weights" if weights.dtype != np.int64 or bias.dtype != np.int64 else "what it is given"
            )
            self.inexact.append(f"layer {layer.name!r}: {reason} aren't whole numbers")

    def normalise(self, layer: Any) -> None:
        """Take in batch normalisation, which moves and stretches by the statistics of training."""
        if layer.axis not in (-1, len(layer.input.shape) - 1):
            raise _unknown(layer, "it normalises another axis than the last")
        variance, mean = _numbers(layer.moving_variance), _numbers(layer.moving_mean)
        factor = (_numbers(layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
        offset = (_numbers(layer.beta) if layer.center else 0.0) - factor * mean
        if self.sum is None:
            self.rescale(factor, offset)
            return
        self.sum.after.append((layer, factor, offset))

    # What goes out ------------------------------------------------------------------------------------------

    def step(self, output: str, layer: Any) -> None:
        """Take in a step: the layer's neurons are complete."""
        if self.sum is None:  # a step of what comes in: neurons of one input each
            n = len(self.spread)
            self.weigh(layer, np.eye(n, dtype=np.int64), np.zeros(n, dtype=np.int64))
        found = self.sum
        assert found is not None
        own = found.threshold_layer is not None and output != "sign"
        if found.is_whole and (found.after or (own and self.prove)):
            if output == "sign":
                raise _unknown(layer, "a sign of three values after normalisation has no whole threshold")
            if not self.bits:
                raise NotExactError(
                    f"Whole thresholds are proved for every sum there can be, and the sums of layer {found.name!r} have no"
                    " bounds: its inputs are whole numbers of any size. Give domain='binary', or exact=False."
                )
            self._thresholds(output, layer)
        else:
            self._fold()
            self._emit("sign" if output == "sign" else "heaviside")
        n = self.layers[-1].n_neurons
        self.bits, self.whole = output != "sign", True
        signs = output == "bipolar"
        self.spread, self.shift = np.full(n, 2 if signs else 1), np.full(n, -1 if signs else 0)

    def _thresholds(self, output: str, layer: Any) -> None:
        """Emit heaviside neurons with the thresholds that the Keras layers turn out to have."""
        found = self.sum
        assert found is not None
        own, after = found.threshold_layer, [stage for stage, _, _ in found.after]

        def fires(s: Array) -> Array:
            z = ops.convert_to_tensor(s.astype(np.float32))
            z = (
                own.outputs(z)
                if own is not None
                else z + ops.convert_to_tensor(found.own_bias.astype(np.float32))
            )
            for stage in after:
                z = stage(z, training=False)
            return np.asarray(ops.convert_to_numpy(layer(z) if layer is not own else z) > 0)

        # Where it should fire from, computed in float64: factor * (s + bias) + offset >= 0.
        scale = 1.0 if own is None or own.normalize else float(ops.convert_to_numpy(own.scale()))
        factor, shift = np.full(len(found.bias), scale), scale * found.own_bias
        for _, times, plus in found.after:
            factor, shift = factor * times, shift * times + plus
        turns, thresholds = proved_thresholds(fires, found.low, found.high, factor, shift, found.name)
        # turns * s >= threshold, and s is the network's sum plus an offset.
        weights = found.weights * turns
        bias = turns * found.offset - thresholds
        self._push(weights, bias, "heaviside")

    def _fold(self) -> None:
        """Take normalisation into the weights, in float64."""
        found = self.sum
        assert found is not None
        for _, factor, offset in found.after:
            found.weights = found.weights * factor
            found.bias = found.bias * factor + offset
        if found.after:
            found.after, found.is_whole = [], False
            self.inexact.append(f"layer {found.name!r}: it is normalised, and no step follows")

    def finish(self, activation: str) -> None:
        """Emit the waiting sums with an activation that isn't a step."""
        self._fold()
        self._emit(activation)
        n = self.layers[-1].n_neurons
        self.bits, self.whole = activation == "hardmax", activation == "hardmax"
        self.spread, self.shift = np.ones(n, dtype=np.int64), np.zeros(n, dtype=np.int64)

    def _emit(self, activation: str) -> None:
        assert self.sum is not None
        if activation in ("sigmoid", "tanh", "softmax", "relu"):
            self.inexact.append(f"layer {self.sum.name!r}: {activation} isn't a step")
        self._push(self.sum.weights, self.sum.bias, activation)

    def _push(self, weights: Array, bias: Array, activation: str) -> None:
        # The scores of a last layer stay what the model's are.
        if not self.is_last and activation == "heaviside" and weights.dtype == bias.dtype == np.int64:
            common = np.maximum(np.gcd.reduce(weights, axis=0, initial=0), 1)
            weights, bias = weights // common, bias // common
        self.layers.append(Layer(weights, bias, activation))
        self.sum = None


def network_from(
    model: Any,
    *,
    domain: str | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    decision: str | None = None,
    exact: bool | None = None,
    prove: bool = True,
) -> Network:
    r"""Return the network that a Keras model is.

    Parameters
    ----------
    model : keras.Model
        A chain: `Sequential`, or functional with one input, one output and no branch. It may hold `ThresholdDense`, `Step`,
        `Hardmax`, `Dense`, `BatchNormalization`, `Activation`, `ReLU`, `Softmax`, `Rescaling`, and layers that only matter in
        training (`Dropout` and noise). A model that reads zeros and ones and works with -1 and +1 begins with ``Rescaling(2, -1)``.
    domain : {"binary", "integer", "real"}, optional
        What the model's inputs are. Default: binary if it begins with ``Rescaling(2, -1)``, otherwise real.
    inputs, outputs : sequence of str, optional
        Names.
    decision : {"largest", "each", "none"}, optional
        What a last layer of net inputs means: the largest wins (hardmax), each fires from 0 on (heaviside), or nothing
        (identity). Default, for a `ThresholdDense`: several outputs compete, one decides; sigmoid says "each" and softmax
        "largest". Other layers keep their activation.
    exact : bool, optional
        True: refuse what isn't exact, and say which layer is why. False: allow floats. Default: True if all neurons come from
        `ThresholdDense` layers with whole weights and the domain isn't real.
    prove : bool, default True
        False: take `ThresholdDense` layers at their word that they decide by the threshold they keep, which saves a second.

    Returns
    -------
    Network
        Exact: it decides as ``model.predict`` does for every input, except where the model's own rounding breaks a tie
        of whole numbers (`disagreements` finds such rows). Otherwise equal up to rounding. A last layer's scores are
        the model's whole net inputs.

    Raises
    ------
    InputError
        Not such a model, a layer there is no reading for, or names that don't fit.
    NotExactError
        `exact` was asked for (or stands to be expected) and can't be: float weights, sums that pass 2**24 in float32, or a
        neuron whose Keras evaluation doesn't follow one threshold.

    Notes
    -----
    A neuron's threshold is proved by evaluating the Keras layers between its weighted sum and its step on *every* whole number
    from the least sum to the largest its weights allow. Each is a neuron's possible net input, so nothing is left out.

    Examples
    --------
    >>> from limen.learn.keras import ThresholdDense, keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(2.0, -1.0), ThresholdDense(2)])
    >>> network = network_from(model)
    >>> network.is_exact, network.layers[-1].activation
    (True, 'hardmax')
    """
    layers = _chain(model)
    if decision is not None and decision not in DECISIONS:
        raise InputError(f"decision must be one of {', '.join(DECISIONS)}. Received: {decision!r}.")
    if domain is None:
        domain = "binary" if layers and _is_to_signs(layers[0]) else "real"
    if domain not in ("binary", "integer", "real"):
        raise InputError(f"domain must be binary, integer or real. Received: {domain!r}.")
    reader = _Reader(int(np.prod(model.input_shape[1:])), domain, prove=prove)
    for layer in layers:
        _read(reader, layer)
    last = reader.sum
    if last is not None:
        _finish(reader, layers[-1], decision)
    elif decision is not None:
        raise InputError(f"decision is for a last layer without a step. Received: {decision!r}.")
    if not reader.layers:
        raise InputError("The model must have a layer with weights. Received: none.")
    whole = [layer for layer in layers if isinstance(layer, ThresholdDense) and layer.kind != "float"]
    weighing = [layer for layer in layers if isinstance(layer, ThresholdDense | kl.Dense)]
    expected = len(whole) == len(weighing) and domain != "real" and decision != "none"
    if exact and domain == "real":
        raise NotExactError(
            "This model isn't exact: its inputs may be any numbers. Give domain='binary' if they are zeros and ones."
        )
    if reader.inexact and (exact or (exact is None and expected)):
        raise NotExactError(
            f"This model isn't exact: {'; '.join(reader.inexact)}. Use ThresholdDense layers with whole weights, or give"
            " exact=False."
        )
    return Network(reader.layers, inputs, outputs, domain)


def _chain(model: Any) -> list[Any]:
    """Return the layers of a model, in order, those of models within it included."""
    if not isinstance(model, keras.Model):
        raise InputError(f"model must be a Keras model. Received: {type(model).__name__}.")
    if not isinstance(model, keras.Sequential) and not hasattr(model, "operations"):
        raise InputError(
            "model must be Sequential or functional, so that its layers are known. Received: a model with a call of its own,"
            f" {type(model).__name__}."
        )
    if not model.built:
        raise InputError("The model must be built: begin it with keras.Input, or call it once.")
    if isinstance(model, keras.Sequential):
        layers = model.layers
    else:
        layers = _in_order(model)
    return [
        inner for layer in layers for inner in (_chain(layer) if isinstance(layer, keras.Model) else [layer])
    ]


def _in_order(model: Any) -> list[Any]:
    """Return the layers of a functional model, if each reads the one before."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError("The model must have one input and one output. Received: more.")
    nodes = [
        node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]
    ]
    for before, node in pairwise(nodes):
        read = [tensor._keras_history.operation for tensor in node.input_tensors]
        if len(read) != 1 or read[0] is not before.operation:
            raise InputError(
                "The model must be a chain, each layer reading the one before. Layer"
                f" {node.operation.name!r} doesn't."
            )
    return [node.operation for node in nodes]


def _read(reader: _Reader, layer: Any) -> None:
    """Take in one layer."""
    if isinstance(layer, SILENT):
        return
    if isinstance(layer, kl.Flatten):
        if reader.layers or reader.sum is not None:
            raise _unknown(layer, "it isn't the first")
    elif isinstance(layer, kl.Rescaling):
        if reader.sum is not None:
            raise _unknown(layer, "it follows net inputs; put it after their activation")
        reader.rescale(np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64))
    elif isinstance(layer, ThresholdDense):
        reader.weigh(layer, layer.whole_weights(), layer.whole_bias())
        if layer.activation is not None:
            reader.step(layer.activation, layer)
    elif isinstance(layer, kl.Dense) and type(layer) is kl.Dense:
        kernel = _numbers(layer.kernel)
        reader.weigh(layer, kernel, _numbers(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1]))
        _activate(reader, layer, keras.activations.serialize(layer.activation))
    elif isinstance(layer, kl.BatchNormalization):
        reader.normalise(layer)
    elif isinstance(layer, Step):
        reader.step(layer.output_kind, layer)
    elif isinstance(layer, Hardmax):
        _activate(reader, layer, "hardmax")
    elif isinstance(layer, kl.Activation):
        _activate(reader, layer, keras.activations.serialize(layer.activation))
    elif isinstance(layer, kl.Softmax):
        _activate(reader, layer, "softmax")
    elif isinstance(layer, kl.ReLU) and not (layer.max_value or layer.negative_slope or layer.threshold):
        _activate(reader, layer, "relu")
    else:
        raise _unknown(layer, "there is no reading for it")


def _activate(reader: _Reader, layer: Any, name: Any) -> None:
    if name == "linear":
        return
    if name != "hardmax" and name not in SMOOTH:
        raise _unknown(layer, f"a network knows no activation {name!r}")
    if reader.sum is None:
        raise _unknown(layer, "it follows no net inputs")
    if reader.sum.threshold_layer is not None and name in ("softmax", "sigmoid"):
        reader.last_kind = name  # of a last layer that decides, only the decision is kept
        return
    reader.finish(name if name == "hardmax" else SMOOTH[name])


def _finish(reader: _Reader, layer: Any, decision: str | None) -> None:
    """Emit the last layer, whose net inputs mean a decision."""
    found, reader.is_last = reader.sum, True
    assert found is not None
    if decision is None and found.threshold_layer is None:
        decision = "none"
    if decision is None:
        each = reader.last_kind == "sigmoid" or len(found.bias) == 1
        decision = "each" if each else "largest"
    if decision == "each":
        reader.step("heaviside", Step())
    else:
        if (
            reader.prove
            and decision == "largest"
            and found.threshold_layer is not None
            and found.is_whole
            and not found.after
        ):
            own = found.threshold_layer
            proved_increasing(
                lambda s: ops.convert_to_numpy(own.outputs(ops.convert_to_tensor(s.astype(np.float32)))),
                found.low,
                found.high,
                found.own_bias,
                found.name,
            )
        reader.finish("hardmax" if decision == "largest" else "identity")


def _is_to_signs(layer: Any) -> bool:
    return isinstance(layer, kl.Rescaling) and (layer.scale, layer.offset) == (2.0, -1.0)


def _numbers(variable: Any) -> Array:
    found: Array = np.asarray(ops.convert_to_numpy(variable), dtype=np.float64)
    return found


def _whole(values: Array) -> Array:
    """Return numbers as int64 if all are whole and small enough to be exact, otherwise as float64."""
    values = np.asarray(values)
    if values.dtype == np.int64:
        return values
    whole = bool((values == np.rint(values)).all() and (np.abs(values) < 2**53).all())
    return values.astype(np.int64) if whole else values.astype(np.float64)


def _unknown(layer: Any, reason: str) -> InputError:
    return InputError(
        f"Layer {layer.name!r} ({type(layer).__name__}) can't become part of a network: {reason}."
    )
