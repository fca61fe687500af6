"""Networks from networks: one after the other (`then`), side by side (`beside`), fewer outputs (`select`).

Each returns a new network whose function follows from its parts' functions, and refuses, by name, what a
layer can't express: a layer has one activation, so two layers with different ones can't stand side by side,
and the neurons of a hardmax or softmax layer can't be parted.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import Literal

import numpy as np

from limen import _text
from limen._door import is_sparse, widen
from limen.errors import InputError
from limen.network import DOMAINS, Layer, Network
from limen.step import COUPLED, STEPS

__all__ = ["beside", "select", "then"]


def then(first: Network, second: Network) -> Network:
    """Return the network that computes ``second(first(X))``.

    Parameters
    ----------
    first, second : Network
        `second` takes as many inputs as `first` has outputs; they are joined by position.

    Returns
    -------
    Network
        With the inputs and the domain of `first` and the outputs of `second`.

    Raises
    ------
    InputError
        The numbers don't fit, or `first` can put out values outside the domain of `second`.

    Examples
    --------
    >>> a_or_b = Network(Layer([[1], [1]], [-1]), inputs=["a", "b"], domain="binary")
    >>> negation = Network(Layer([[-1]], [0]), outputs=["nor"], domain="binary")
    >>> then(a_or_b, negation)([[0, 0], [1, 0]]).ravel()
    array([1, 0], dtype=int8)
    """
    _require_networks(first, second)
    if first.n_outputs != second.n_inputs:
        raise InputError(
            f"The second network must take {first.n_outputs} inputs, one for each output of the first."
            f" Received: {second.n_inputs}."
        )
    activation = first.layers[-1].activation
    puts_out = (
        "binary" if activation in {"heaviside", "hardmax"} else "integer" if activation == "sign" else "real"
    )
    if activation == "identity" and first.is_exact:
        puts_out = "integer"
    if DOMAINS.index(puts_out) > DOMAINS.index(second.domain):
        raise InputError(
            f"The second network takes {second.domain} inputs, but a layer of {activation} puts out"
            f" {puts_out} values. End the first network in a heaviside layer, or widen the second's domain."
        )
    return Network(first.layers + second.layers, first.inputs, second.outputs, first.domain)


def beside(first: Network, second: Network, *, inputs: Literal["same", "separate"]) -> Network:
    """Return the network that computes both, the outputs of `first` before those of `second`.

    The shallower network's outputs are passed through layers of their own until both are equally deep.

    Parameters
    ----------
    first, second : Network
        With outputs of different names.
    inputs : {"same", "separate"}
        ``"same"``: both read the same inputs, whose names must be equal and in one order; the result has the
        narrower domain. ``"separate"``: the inputs of `second` come after those of `first`; names must differ
        and domains be equal.

    Raises
    ------
    InputError
        Names or domains don't fit, or two layers that would stand side by side have different activations or
        are hardmax or softmax.
    NotExactError
        An integer weight would have to become a float that can't hold it.

    Examples
    --------
    >>> both = Network(Layer([[1], [1]], [-2]), ["a", "b"], ["and"], "binary")
    >>> either = Network(Layer([[1], [1]], [-1]), ["a", "b"], ["or"], "binary")
    >>> beside(both, either, inputs="same")([[0, 1]])
    array([[0, 1]], dtype=int8)
    """
    _require_networks(first, second)
    if inputs not in ("same", "separate"):
        raise InputError(f'inputs must be "same" or "separate". Received: {inputs!r}.')
    if inputs == "same":
        if first.inputs != second.inputs:
            raise InputError(
                'Networks that read the same inputs must name them alike and in one order (or say inputs="separate").'
                f" Received: {reprlib.repr(first.inputs)} and {reprlib.repr(second.inputs)}."
            )
        names, domain = first.inputs, min(first.domain, second.domain, key=DOMAINS.index)
    else:
        if first.domain != second.domain:
            raise InputError(
                "Networks with separate inputs must have one domain."
                f" Received: {first.domain} and {second.domain}."
            )
        names, domain = first.inputs + second.inputs, first.domain
    depth = max(first.depth, second.depth)
    pairs = zip(_deepened(first, second, depth), _deepened(second, first, depth), strict=True)
    layers = [_joined(a, b, shared=inputs == "same" and index == 0) for index, (a, b) in enumerate(pairs)]
    return Network(layers, names, first.outputs + second.outputs, domain)


def select(net: Network, outputs: str | int | Iterable[str | int]) -> Network:
    """Return the network with only these outputs, in this order.

    Parameters
    ----------
    net : Network
    outputs : str, int, or several
        Names or positions (from 0; negative ones from the end).

    Raises
    ------
    InputError
        An unknown output, none, one named twice, or a cut through a hardmax or softmax layer.

    Examples
    --------
    >>> adder = Network(Layer([[1, 1], [1, 1]], [-1, -2]), outputs=["or", "and"], domain="binary")
    >>> select(adder, "and").outputs
    ('and',)
    """
    wanted = list(outputs) if isinstance(outputs, Iterable) and not isinstance(outputs, str) else [outputs]
    positions = [_position(net, output) for output in wanted]
    if not positions or len(set(positions)) != len(positions):
        raise InputError(f"Select at least one output, and each only once. Received: {wanted}.")
    last = net.layers[-1]
    if last.activation in COUPLED and positions != list(range(net.n_outputs)):
        raise InputError(
            f"The neurons of a {last.activation} layer decide together, so none can be left out or moved."
            f" Received: a selection of {len(positions)} of {net.n_outputs} outputs."
        )
    chosen = Layer(last.weights[:, positions], last.bias[positions], last.activation)
    return Network((*net.layers[:-1], chosen), net.inputs, [net.outputs[p] for p in positions], net.domain)


def _require_networks(*parts: object) -> None:
    for part in parts:
        if not isinstance(part, Network):
            raise InputError(
                "Only a limen.Network is composed with another; a model holds one as its network."
                f" Received: {type(part).__name__}."
            )


def _position(net: Network, output: str | int) -> int:
    if isinstance(output, str):
        if output not in net.outputs:
            raise InputError(f"Outputs are {_text.listing(net.outputs)}. Received: {output!r}.")
        return net.outputs.index(output)
    if not isinstance(output, int | np.integer):
        raise InputError(f"Outputs are selected by name or number. Received: {output!r}.")
    if not -net.n_outputs <= output < net.n_outputs:
        raise InputError(f"Outputs are numbered 0 to {net.n_outputs - 1}. Received: {output}.")
    return int(output) % net.n_outputs


def _deepened(net: Network, other: Network, depth: int) -> list[Layer]:
    """Return the layers of `net`, followed by layers that pass its outputs on, `depth` in all."""
    layers = list(net.layers)
    for index in range(net.depth, depth):
        before, activation = layers[-1].activation, other.layers[index].activation
        bits = before in {"heaviside", "hardmax"}
        if activation == "heaviside" and bits:
            bias = -1
        elif activation == "identity" or (activation == "sign" and before in STEPS):
            bias = 0
        else:
            raise InputError(
                f"Outputs of a {before} layer can't be passed through a {activation} layer, which the deeper"
                " network has there. Bring both networks to the same depth first."
            )
        n = layers[-1].n_neurons
        layers.append(Layer(np.eye(n, dtype=np.int64), np.full(n, bias), activation))
    return layers


def _joined(a: Layer, b: Layer, *, shared: bool) -> Layer:
    """Return the layer holding the neurons of `a` and then those of `b`."""
    if a.activation != b.activation or a.activation in COUPLED:
        raise InputError(
            "Layers side by side need one activation, and neurons that don't decide together."
            f" Received: {a.activation} beside {b.activation}. (rewrite.split_sign turns sign into heaviside.)"
        )
    exact = a.is_integer and b.is_integer
    wa, ba, wb, bb = a.weights, a.bias, b.weights, b.bias
    if not exact:
        wa, ba, wb, bb = widen(wa, "weights"), widen(ba, "bias"), widen(wb, "weights"), widen(bb, "bias")
    bias = np.concatenate([ba, bb])
    if is_sparse(wa) or is_sparse(wb):
        from scipy import sparse

        joined = sparse.hstack([wa, wb]) if shared else sparse.block_diag([wa, wb])
        return Layer(joined, bias, a.activation)
    if shared:
        return Layer(np.hstack([wa, wb]), bias, a.activation)
    weights = np.zeros((a.n_inputs + b.n_inputs, len(bias)), dtype=wa.dtype)
    weights[: a.n_inputs, : a.n_neurons] = wa
    weights[a.n_inputs :, a.n_neurons :] = wb
    return Layer(weights, bias, a.activation)
