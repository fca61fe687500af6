"""What is given away: an exact network, or a refusal that says what to do."""

from __future__ import annotations

from limen.errors import InputError, NotExactError
from limen.model import Model
from limen.network import Network

__all__ = ["binary_network", "exact_network", "network_of"]


def network_of(net: object) -> Network:
    """Return a network, or that of a model; refuse anything else."""
    if isinstance(net, Model):
        return net.network
    if not isinstance(net, Network):
        raise InputError(f"Expected a limen.Network or a limen.Model. Received: {type(net).__name__}.")
    return net


def exact_network(net: object, form: str) -> Network:
    """Return a network, or that of a model, if it is exact.

    Parameters
    ----------
    net : Network or Model
    form : str
        What is to be made of it, as a person says it: ``"C"``.

    Raises
    ------
    NotExactError
        Weights that are no integers, an activation that is no step, or an unbounded domain.
    """
    network = network_of(net)
    if network.is_exact:
        return network
    smooth = next(
        (
            layer.activation
            for k, layer in enumerate(network.layers)
            if layer.activation not in {"heaviside", "sign", "hardmax"}
            and not (layer.activation == "identity" and k + 1 == network.depth)
        ),
        None,
    )
    if smooth is not None:
        raise NotExactError(
            f"{form} is written for networks of threshold neurons: heaviside, sign or hardmax, identity only last."
            f" Received: a layer of {smooth}. Train with step neurons (limen.learn.ThresholdNetworkClassifier)."
        )
    if network.domain == "real":
        raise NotExactError(
            f"{form} is written for inputs that are 0 and 1, or integers. Received: a network on real numbers."
            " Give the network its domain, as Network(net.layers, net.inputs, net.outputs, 'binary'), or let an"
            " encoding make its inputs 0 and 1."
        )
    raise NotExactError(
        f"{form} is written for networks whose weights and biases are integers. Received: numbers with fractions."
        " Make them integers with limen.rewrite.to_integers(net), which keeps the function."
    )


def binary_network(net: object, form: str) -> Network:
    """Return a network, or that of a model, if it is exact and its inputs are 0 and 1."""
    network = exact_network(net, form)
    if network.domain != "binary":
        raise InputError(
            f"{form} is written for inputs that are 0 and 1. Received: a network on integers. Encode its inputs as"
            " bits first, or export it as C or ONNX, which take integers."
        )
    return network
