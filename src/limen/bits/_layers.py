"""A network as layers of bits: what all executors but the portable one start from.

Hidden neurons are heaviside or hardmax, so that every layer reads zeros and ones; a hidden layer of sign becomes one of twice as many
heaviside neurons. The last layer may be heaviside, hardmax, sign or identity.
"""

from __future__ import annotations

from limen import rewrite
from limen._door import INT64_MAX
from limen._weights import largest_sum
from limen.errors import InputError, NotExactError
from limen.network import Layer, Network

__all__ = ["admitted", "layers_of_bits"]


def admitted(net: object) -> Network:
    """Return an exact network on bits whose sums fit into int64, or refuse it.

    Raises
    ------
    InputError
        Not a network, or not one on zeros and ones.
    NotExactError
        Fractions, smooth activations, or a sum that could pass int64.
    """
    if not isinstance(net, Network):
        raise InputError(f"Expected a limen.Network or a limen.Model. Received: {type(net).__name__}.")
    if net.domain != "binary":
        raise InputError(
            f"A program reads bits, and this network reads {net.domain} numbers. Encode its inputs as 0 and 1"
            " (limen.Encoding), or give it its domain: Network(net.layers, net.inputs, net.outputs, 'binary')."
        )
    if not net.is_exact:
        smooth = [
            layer.activation
            for layer in net.layers
            if layer.activation not in {"heaviside", "sign", "hardmax"}
        ]
        if all(layer.is_integer for layer in net.layers) or (smooth and smooth != ["identity"]):
            raise NotExactError(
                "A program needs heaviside, sign or hardmax neurons, identity only last. Received: a layer of"
                f" {smooth[0]}."
            )
        raise NotExactError(
            "A program needs whole weights and biases. Received: numbers with fractions. Make them whole with"
            " limen.rewrite.to_integers(net), which keeps the function."
        )
    for index, layer in enumerate(net.layers):
        most = largest_sum(layer.weights, layer.bias)
        if most > INT64_MAX:
            raise NotExactError(
                f"Every sum must fit into int64, and one of layer {index + 1} could reach {most}. Divide its weights by"
                " a common factor (limen.rewrite.simplify)."
            )
    return net


def layers_of_bits(net: Network) -> tuple[Layer, ...]:
    """Return the layers of an admitted network, hidden ones of sign split.

    Raises
    ------
    NotExactError
        The weights behind a sign neuron can't be doubled within int64.
    """
    if all(layer.activation != "sign" for layer in net.layers[:-1]):
        return net.layers
    last = net.layers[-1]
    kept = Network(
        [*net.layers[:-1], Layer(last.weights, last.bias, "identity")], net.inputs, None, net.domain
    )
    *hidden, end = rewrite.split_sign(kept).layers
    layers = (*hidden, Layer(end.weights, end.bias, last.activation))
    for layer in layers:
        admitted(Network(layer, domain="binary"))
    return layers
