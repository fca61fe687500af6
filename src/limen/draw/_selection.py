"""Which neurons of a network are drawn: `Network` → `Selection`, plain data.

A drawing has ``depth + 1`` columns: the inputs, then the neurons of each layer. A column of more than
``max_neurons`` is abbreviated to ``max_neurons - 1`` of them, kept in their order. Shown are those whose
outgoing connections are heaviest, by the sum of ``|weight|`` over the whole next layer, the first of equals;
of the last layer, which has no outgoing connections, the first. The rest is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from limen import _text
from limen._weights import entries
from limen.network import Layer, Network
from limen.step import Array

__all__ = ["Column", "Selection", "select"]


@dataclass(frozen=True, slots=True)
class Column:
    """The inputs, or a layer's neurons: those that are shown, and how many there are.

    Attributes
    ----------
    shown : tuple of int
        Positions in the layer, ascending.
    total : int
        Neurons of the layer, shown or not.
    caption : str
        What stands above the column.
    names : tuple of str
        A name for each shown neuron.
    """

    shown: tuple[int, ...]
    total: int
    caption: str
    names: tuple[str, ...]

    @property
    def hidden(self) -> int:
        """How many neurons aren't shown."""
        return self.total - len(self.shown)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is drawn of a network.

    Attributes
    ----------
    columns : tuple of Column
        The inputs, then each layer.
    weights : tuple of ndarray, each of shape (n_shown_before, n_shown)
        float64 weights between the shown neurons of neighbouring columns, one array for each layer.
    biases : tuple of ndarray, each of shape (n_shown,)
        float64.
    passes : tuple of ndarray of bool, each of shape (n_shown,)
        Which shown neurons are hidden pass-through neurons.
    activations : tuple of str
    meanings : tuple of tuple of str
        What each shown neuron of each layer computes, in words.
    """

    columns: tuple[Column, ...]
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    passes: tuple[Array, ...]
    activations: tuple[str, ...]
    meanings: tuple[tuple[str, ...], ...]


def select(net: Network, max_neurons: int) -> Selection:
    """Return what is drawn of `net`, at most `max_neurons` (2 or more) rows a column."""
    columns = [
        _column(net.inputs, _text.plural(net.n_inputs, "input"), _chosen(net, 0, net.n_inputs, max_neurons))
    ]
    for index, layer in enumerate(net.layers):
        shown = _chosen(net, index + 1, layer.n_neurons, max_neurons)
        caption = f"{layer.n_neurons} {layer.activation}"
        columns.append(_column(_text.hidden_names(net, index), caption, shown))
    weights, biases, passes, meanings = [], [], [], []
    for index, layer in enumerate(net.layers):
        before, after = columns[index], columns[index + 1]
        kept = list(after.shown)
        hidden = index < net.depth - 1
        weights.append(_dense(layer.weights[:, kept])[list(before.shown)].astype(np.float64))
        biases.append(layer.bias[kept].astype(np.float64))
        passes.append(net.pass_through(index)[kept] & hidden)
        names = net.inputs if index == 0 else _text.hidden_names(net, index - 1)
        meanings.append(tuple(_text.rule(layer, k, after.names[i], names) for i, k in enumerate(kept)))
    return Selection(
        tuple(columns),
        tuple(weights),
        tuple(biases),
        tuple(passes),
        tuple(layer.activation for layer in net.layers),
        tuple(meanings),
    )


def _column(names: tuple[str, ...], caption: str, shown: tuple[int, ...]) -> Column:
    return Column(shown, len(names), caption, tuple(names[k] for k in shown))


def _chosen(net: Network, column: int, total: int, most: int) -> tuple[int, ...]:
    if total <= most:
        return tuple(range(total))
    if column == net.depth:
        return tuple(range(most - 1))
    heaviest = np.argsort(-_outgoing(net.layers[column]), kind="stable")[: most - 1]
    return tuple(sorted(heaviest.tolist()))


def _outgoing(layer: Layer) -> Array:
    """Return ``Σ|w|`` of the connections that leave each input of `layer`, relative to its largest weight.

    Dense and sparse weights are added up in one order, so that both give the same picture.
    """
    rows, _, values = entries(layer.weights)
    sizes = np.abs(values.astype(np.float64))
    sums: Array = np.bincount(rows, weights=sizes / sizes.max(initial=1e-300), minlength=layer.n_inputs)
    return sums


def _dense(weights: Any) -> Array:
    dense: Array = weights.toarray() if hasattr(weights, "toarray") else weights
    return dense
