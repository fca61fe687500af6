"""What a layer's net inputs can be: the least and the greatest, in Python integers, and the bits they take."""

from __future__ import annotations

from limen._weights import entries
from limen.network import Layer, Network

__all__ = ["bits_for", "inputs_seen", "reach"]


def inputs_seen(net: Network, index: int) -> tuple[int, int]:
    """Return the least and the greatest value that the inputs of a layer have, in a network on bits."""
    if index == 0:
        return 0, 1
    return (-1, 1) if net.layers[index - 1].activation == "sign" else (0, 1)


def reach(layer: Layer, least: int, greatest: int) -> list[tuple[int, int]]:
    """Return the least and the greatest net input of each neuron, for inputs between two numbers.

    Partial sums, in whatever order, lie between the sum of all that is negative and the sum of all that is positive;
    so these are taken, and a sum that starts with the bias or with 0 never leaves what is returned here.

    Examples
    --------
    >>> reach(Layer([[1, 3], [-2, 0]], [0, -5]), 0, 1)
    [(-2, 1), (-5, 3)]
    """
    low = [min(0, int(b)) for b in layer.bias.tolist()]
    high = [max(0, int(b)) for b in layer.bias.tolist()]
    _, neurons, weights = entries(layer.weights)
    for k, w in zip(neurons.tolist(), weights.tolist(), strict=True):
        ends = (w * least, w * greatest)
        low[k] += min(0, *ends)
        high[k] += max(0, *ends)
    return list(zip(low, high, strict=True))


def bits_for(least: int, greatest: int) -> int:
    """Return how many bits a signed number takes that lies between the two.

    Examples
    --------
    >>> bits_for(-2, 1), bits_for(-5, 3), bits_for(0, 128)
    (2, 4, 9)
    """
    return max(_bits(least), _bits(greatest))


def _bits(number: int) -> int:
    return (number if number >= 0 else ~number).bit_length() + 1
