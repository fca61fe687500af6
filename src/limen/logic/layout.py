"""Gates → `Network`: every gate in the first layer it can stand in, and pass-through neurons in between.

A layer sees only the layer before it, so a signal that is needed further on is passed through: by a neuron with
the one weight 1 and the bias -1, layer after layer. The last layer has one neuron for each output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from limen.logic.gates import TRUE, Gates, Literal
from limen.network import Layer, Network

__all__ = ["lay_out"]

DENSE = 1 << 16  # layers of at most so many weights are always dense
MOSTLY = 8  # larger ones are sparse if fewer than one weight in so many isn't 0


def lay_out(gates: Gates, outputs: Mapping[str, Literal], inputs: Sequence[str]) -> Network:
    """Return the network whose outputs are these literals.

    Parameters
    ----------
    gates : Gates
    outputs : mapping of str to literal
    inputs : sequence of str
        A name for each input of `gates`.

    Returns
    -------
    Network
        Heaviside layers with int64 weights on the binary domain.
    """
    depth = max([1, *(gates.levels[literal // 2] for literal in outputs.values())])
    last = [_last_neuron(gates, literal, depth) for literal in outputs.values()]
    until = _needed_until(gates, [weights for weights, _ in last], depth)
    layers = []
    present = list(range(1, gates.n_inputs + 1))
    starting: dict[int, list[int]] = {}
    for signal in range(gates.n_inputs + 1, len(gates.weights)):
        if signal in until:
            starting.setdefault(gates.levels[signal], []).append(signal)
    for level in range(1, depth):
        passing = [signal for signal in present if until.get(signal, 0) >= level]
        own = starting.get(level, [])
        neurons = [({signal: 1}, 1) for signal in passing]
        neurons += [(gates.weights[signal], gates.thresholds[signal]) for signal in own]
        layers.append(_layer(neurons, present))
        present = passing + own
    layers.append(_layer(last, present))
    return Network(layers, inputs, list(outputs), domain="binary")


def _last_neuron(gates: Gates, literal: Literal, depth: int) -> tuple[dict[int, int], int]:
    """Return weights and threshold of the neuron of the last layer that puts out a literal."""
    signal, negated = divmod(literal, 2)
    if signal == 0:
        return {}, 0 if literal == TRUE else 1
    if gates.levels[signal] == depth:
        return gates.neuron(literal)
    return ({signal: -1}, 0) if negated else ({signal: 1}, 1)


def _needed_until(gates: Gates, last: Sequence[Mapping[int, int]], depth: int) -> dict[int, int]:
    """Return for each signal that is needed the last layer that must still put it out."""
    until = dict.fromkeys((signal for weights in last for signal in weights), depth - 1)
    for signal in range(len(gates.weights) - 1, gates.n_inputs, -1):  # users come after what they use
        if signal in until:
            for used in gates.weights[signal]:
                until[used] = max(until.get(used, 0), gates.levels[signal] - 1)
    return until


def _layer(neurons: Sequence[tuple[Mapping[int, int], int]], present: Sequence[int]) -> Layer:
    """Return the layer of these neurons, above one that puts out the signals `present`."""
    row = {signal: index for index, signal in enumerate(present)}
    rows = [row[signal] for weights, _ in neurons for signal in weights]
    values = np.array([w for weights, _ in neurons for w in weights.values()], dtype=np.int64)
    counts = [len(weights) for weights, _ in neurons]
    bias = np.array([-threshold for _, threshold in neurons], dtype=np.int64)
    shape = (len(present), len(neurons))
    columns = np.repeat(np.arange(len(neurons)), counts)
    if shape[0] * shape[1] > max(DENSE, MOSTLY * len(values)):
        from scipy import sparse

        weights: Any = sparse.csc_array((values, (np.array(rows), columns)), shape=shape)
    else:
        weights = np.zeros(shape, dtype=np.int64)
        weights[rows, columns] = values
    return Layer(weights, bias)
