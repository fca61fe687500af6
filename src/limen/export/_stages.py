"""Layers on bits without a bound on integers, as Verilog and CNF take them: counts of bits, and limits.

A sign neuron hands on two bits, whether its net input is above 0 and whether it is below; the weight that leaves it is that of the first
and, negated, of the second. Python's integers hold what that makes of weights at the edge of int64.
"""

from __future__ import annotations

from dataclasses import dataclass

from limen._weights import entries
from limen.network import Network

__all__ = ["Neuron", "Stage", "index_bits", "stages_of"]


@dataclass(frozen=True)
class Neuron:
    """A neuron on bits: sizes and signs of its weights by input, and the count from which on it fires."""

    weights: dict[int, int]
    limit: int

    @property
    def bias(self) -> int:
        """The neuron's bias."""
        return -self.limit - sum(weight for weight in self.weights.values() if weight < 0)

    @property
    def most(self) -> int:
        """The largest count."""
        return sum(map(abs, self.weights.values()))


@dataclass(frozen=True)
class Stage:
    """A layer on bits.

    Parameters
    ----------
    n_inputs : int
    neurons : tuple of Neuron
    decide : str
    """

    n_inputs: int
    neurons: tuple[Neuron, ...]
    decide: str

    @property
    def width(self) -> int:
        """Bits that hold every neuron's count."""
        return max(1, *(neuron.most.bit_length() for neuron in self.neurons))

    @property
    def signed_width(self) -> int:
        """Bits that hold every neuron's net input, and its count."""
        ends = [end for n in self.neurons for end in (-n.limit, n.most - n.limit)]
        return max(self.width, *((end if end >= 0 else ~end).bit_length() + 1 for end in ends))

    @property
    def out_bits(self) -> int:
        """Bits of what it hands on."""
        per = {"sign": 2, "identity": self.signed_width}.get(self.decide, 1)
        return per * len(self.neurons)


def stages_of(net: Network) -> list[Stage]:
    """Return the layers on bits; a hidden sign neuron hands on two: whether it is 1, and whether it is -1."""
    found: list[Stage] = []
    for k, layer in enumerate(net.layers):
        n_inputs = layer.n_inputs
        doubled = k > 0 and net.layers[k - 1].activation == "sign"
        columns: list[dict[int, int]] = [{} for _ in range(layer.n_neurons)]
        for row, neuron, weight in zip(*(part.tolist() for part in entries(layer.weights)), strict=True):
            columns[neuron][row] = weight
            if doubled:
                columns[neuron][row + n_inputs] = -weight
        neurons = [
            Neuron(weights, -sum(w for w in weights.values() if w < 0) - bias)
            for weights, bias in zip(columns, layer.bias.tolist(), strict=True)
        ]
        found.append(Stage(2 * n_inputs if doubled else n_inputs, tuple(neurons), layer.activation))
    return found


def index_bits(stage: Stage) -> int:
    return max(1, (len(stage.neurons) - 1).bit_length())
