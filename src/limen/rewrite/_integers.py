"""Floats to integers, exactly: every weight is an odd whole number times a power of two.

A neuron's weights times ``2**-e``, ``e`` being the least of their powers of two, are whole numbers; what is left
of a common divisor is odd, and is divided out. `to_integers` is the public function.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from limen import _text
from limen._door import INT64_MAX, is_sparse
from limen._weights import absolute_sums, entries
from limen.errors import InputError, NotExactError
from limen.network import Layer, Network, Weights
from limen.step import STEPS, Array

__all__ = ["to_integers"]

REMEDY = "Round the weights to multiples of a power of two first, for example to multiples of 2**-20."
NO_EXPONENT = 1 << 20  # of a neuron all of whose weights are 0; larger than that of any float64


def to_integers(net: Network) -> Network:
    """Return the network with int64 weights and biases that computes the same function.

    The weights are taken as stored: 0.1 is the float64 nearest to a tenth, and its integer has 52 bits. A neuron
    of heaviside or sign is multiplied by a positive factor of its own, a layer of hardmax by one factor, so that
    its outputs stay. Where the inputs of such a neuron are whole numbers (a binary or integer domain, or a step
    layer before it) its weighted sum is too once the weights are, so that only the weights need to become whole
    and the bias is rounded down, which changes no decision and reaches further. Layers of integers stay as they are.

    Parameters
    ----------
    net : Network

    Returns
    -------
    Network
        Its weights have no common divisor within a neuron (hardmax: within a layer, the biases included). It is exact
        (`Network.is_exact`) unless its domain is real or a hidden layer is identity.

    Raises
    ------
    NotExactError
        Integers within int64 can't do it, naming the neuron: the weights differ too much in size, a sum over bits
        or signs could pass int64, an identity layer's numbers aren't whole already, or the activation is smooth.

    Notes
    -----
    That a threshold function has integer weights is Muroga (1971), "Threshold Logic and its Applications",
    chapter 3. These needn't be the smallest ones.

    Examples
    --------
    >>> net = Network(Layer([[0.5], [0.75]], [-0.6]), ["a", "b"], domain="binary")
    >>> print(to_integers(net))
    Network: 2 inputs → 1 heaviside
    y1 fires when 2·a + 3·b ≥ 3
    """
    if not isinstance(net, Network):
        raise InputError(f"Expected a limen.Network. Received: {type(net).__name__}.")
    layers = []
    whole = net.domain != "real"
    for index, layer in enumerate(net.layers):
        if layer.activation not in STEPS | {"identity"}:
            raise NotExactError(
                f"Layers must be heaviside, sign, hardmax or identity to become integers. Received: layer {index + 1}"
                f" of {layer.activation}. Keep the network in floats, or train it with steps."
            )
        scaled = layer if layer.is_integer else _scaled(net, index, whole=whole)
        layers.append(scaled)
        whole = whole or layer.activation in STEPS
    return Network(layers, net.inputs, net.outputs, net.domain)


def _scaled(net: Network, index: int, *, whole: bool) -> Layer:
    """Return a float layer as integers; `whole` says that its inputs are whole numbers."""
    layer = net.layers[index]
    rows, columns, values = entries(layer.weights)
    if layer.activation == "identity":
        weights, bias = _already_whole(net, index, columns, values)
        return Layer(_like(layer, rows, columns, weights), bias, "identity")
    odd, exponent = _odd_times_power_of_two(values)
    odd_bias, bias_exponent = _odd_times_power_of_two(layer.bias)
    group = np.zeros_like(columns) if layer.activation == "hardmax" else columns
    bias_group = (
        np.zeros(layer.n_neurons, np.int64) if layer.activation == "hardmax" else np.arange(layer.n_neurons)
    )

    floored = whole and layer.activation != "hardmax"
    base = np.full(layer.n_neurons, NO_EXPONENT)
    divisor = np.zeros(layer.n_neurons, dtype=np.int64)
    _gather(base, divisor, group, exponent, odd)
    if not floored:
        _gather(base, divisor, bias_group, bias_exponent, odd_bias)
    divisor[divisor == 0] = 1

    if floored:
        biases, halved = _floored_biases(layer, odd_bias, bias_exponent, base, divisor)
        base = base - halved
    shift, odd = exponent - base[group], odd // divisor[group]
    _require_bits(net, index, columns, np.frexp(odd.astype(np.float64))[1] + shift)
    if not floored:
        bias_shift = np.where(odd_bias == 0, 0, bias_exponent - base[bias_group])
        odd_bias = odd_bias // divisor[bias_group]
        _require_bits(net, index, bias_group, np.frexp(odd_bias.astype(np.float64))[1] + bias_shift)
        biases = [b << s for b, s in zip(odd_bias.tolist(), bias_shift.tolist(), strict=True)]
    weights = _like(layer, rows, columns, odd << shift)
    _require_sums(net, index, weights, biases)
    return Layer(weights, np.array(biases, dtype=np.int64), layer.activation)


def _odd_times_power_of_two(values: Array) -> tuple[Array, Array]:
    """Return ``odd`` and ``exponent``, int64, with ``values == odd * 2.0**exponent``; 0 gives 0 and a large exponent."""
    fraction, exponent = np.frexp(values)
    mantissa = (fraction * 2.0**53).astype(np.int64)
    lowest_bit = np.maximum(mantissa & -mantissa, 1)
    zeros = np.frexp(lowest_bit.astype(np.float64))[1] - 1
    exponents = np.where(mantissa == 0, NO_EXPONENT, exponent.astype(np.int64) - 53 + zeros)
    return mantissa >> zeros, exponents


def _gather(base: Array, divisor: Array, group: Array, exponent: Array, odd: Array) -> None:
    """Lower `base` to the least exponent and `divisor` to the greatest common divisor of each group."""
    if group.size:
        # Entries come column by column, so each group is one run.
        groups, starts = np.unique(group, return_index=True)
        base[groups] = np.minimum(base[groups], np.minimum.reduceat(exponent, starts))
        divisor[groups] = np.gcd(divisor[groups], np.gcd.reduceat(odd, starts))


def _floored_biases(
    layer: Layer, odd: Array, exponent: Array, base: Array, divisor: Array
) -> tuple[list[int], Array]:
    """Return biases for neurons whose sums are whole, and which neurons must be doubled to keep a sign.

    ``w·x + b >= 0`` iff ``w·x + floor(b) >= 0`` where ``w·x`` is whole. A sign neuron whose bias isn't whole is never
    0, and ``2 w·x + 2 floor(b) + 1``, which is odd, has its sign.
    """
    biases = []
    halved = np.zeros(layer.n_neurons, dtype=np.int64)
    for k, (b, e) in enumerate(zip(odd.tolist(), exponent.tolist(), strict=True)):
        least = int(base[k])
        if b == 0 or least == NO_EXPONENT:
            sign = (b > 0) - (b < 0)
            biases.append(sign if layer.activation == "sign" else min(sign, 0))
            continue
        numerator, denominator = b << max(e - least, 0), int(divisor[k]) << max(least - e, 0)
        floor, rest = divmod(numerator, denominator)
        halved[k] = layer.activation == "sign" and rest != 0
        biases.append(2 * floor + 1 if halved[k] else floor)
    return biases, halved


def _already_whole(net: Network, index: int, columns: Array, values: Array) -> tuple[Array, Array]:
    layer = net.layers[index]
    for numbers, neurons in ((values, columns), (layer.bias, np.arange(layer.n_neurons))):
        wrong = (numbers != np.rint(numbers)) | (np.abs(numbers) >= 2.0**63)
        if wrong.any():
            _refuse(
                net,
                index,
                neurons[wrong][0],
                "puts out its net input itself, which no factor may change, so its weights and bias must already be"
                f" whole numbers within int64. Received: {numbers[wrong][0]}. Scale them yourself, where that is meant.",
            )
    return values.astype(np.int64), layer.bias.astype(np.int64)


def _require_bits(net: Network, index: int, neurons: Array, bits: Array) -> None:
    if bits.size and bits.max() > 63:
        worst = int(bits.argmax())
        _refuse(
            net,
            index,
            neurons[worst],
            "has weights or a bias that differ too much in size: as integers they would need"
            f" {bits[worst]} bits, and int64 has 63 and the sign. {REMEDY}",
        )


def _require_sums(net: Network, index: int, weights: Weights, biases: list[int]) -> None:
    """Refuse biases that don't fit, and sums over bits or signs that could pass int64."""
    bounded = net.domain == "binary" if index == 0 else net.layers[index - 1].activation in STEPS
    sums = absolute_sums(weights) if bounded else [0] * len(biases)
    for k, (reach, bias) in enumerate(zip(sums, biases, strict=True)):
        if reach + abs(bias) > INT64_MAX:
            _refuse(
                net,
                index,
                k,
                f"would, as integers, have a net input of up to {reach + abs(bias)}, outside int64. {REMEDY}",
            )


def _refuse(net: Network, index: int, neuron: int, why: str) -> NoReturn:
    name = _text.hidden_names(net, index)[int(neuron)]
    raise NotExactError(f"Neuron {name!r} of layer {index + 1} {why}")


def _like(layer: Layer, rows: Array, columns: Array, values: Array) -> Weights:
    """Return weights with these entries, sparse if the layer's are."""
    if is_sparse(layer.weights):
        from scipy import sparse

        return sparse.csc_array((values, (rows, columns)), shape=layer.weights.shape)
    weights = np.zeros(layer.weights.shape, dtype=values.dtype)
    weights[rows, columns] = values
    return weights
