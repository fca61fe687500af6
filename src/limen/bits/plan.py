"""How a network will run, and why: plain data, and readable.

There are three ways:

============  =====================================================================================================
``wide``      rows of words: XOR or AND, population count, add; or products of bytes; for layers of many inputs
``sliced``    columns of words: each neuron a carry-save adder of logic gates, a row a bit; for circuits and cards
``portable``  a plain loop compiled by Numba; for whatever the other two can't hold
============  =====================================================================================================

The one that is expected to take the least time for a row, in large batches, is chosen, by what steps take (`_costs.COSTS`). Where
the processor has matrix registers, wide layers that gain by them use them, for all but a few rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from limen import _text
from limen._memory import memory
from limen._weights import entries
from limen.bits._costs import GATES_PER_BIT, LAYER, PORTABLE, ROW, costs_of, layer_cost
from limen.bits._gates import Graph, TooManyGatesError, graph_of
from limen.bits._layers import layers_of_bits
from limen.bits._llvm import Target
from limen.bits._matrix_text import ROWS
from limen.bits._sliced_text import MOST
from limen.errors import InputError, NotExactError
from limen.network import Layer, Network

__all__ = ["WAYS", "Plan", "Way", "planned"]

Way: TypeAlias = Literal["wide", "sliced", "portable"]
WAYS: tuple[Way, ...] = ("wide", "sliced", "portable")

MOST_GATES = 4_000_000


@dataclass(frozen=True)
class Plan:
    """How a network will run.

    Parameters
    ----------
    how : {"wide", "sliced", "portable"}
    network : str
        What it computes, in short.
    processor : str
    nanoseconds : mapping of str to float
        What each way is expected to take for a row, in large batches, with one thread.
    refused : mapping of str to str
        Why a way can't be taken.
    gates : int, optional
        Logic gates, where they were counted.
    layers : tuple of str
        What each layer asks of the wide way.

    Examples
    --------
    >>> from limen import Layer, Network, bits
    >>> card = Network(Layer([[2], [1], [-1]], [-2]), domain="binary")
    >>> bits.compile(card).plan.how
    'sliced'
    """

    how: Way
    network: str
    processor: str
    nanoseconds: Mapping[str, float]
    refused: Mapping[str, str]
    gates: int | None
    layers: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.network}: {self.how}, for {self.processor}"]
        for way in WAYS:
            if way in self.refused:
                lines.append(f"  {way:<8}  not taken: {self.refused[way]}")
            else:
                about = (
                    f", {_text.plural(self.gates, 'gate')}"
                    if way == "sliced" and self.gates is not None
                    else ""
                )
                lines.append(f"  {way:<8}  about {self.nanoseconds[way]:.3g} ns a row{about}")
        return "\n".join([*lines, *(f"  layer {k + 1}: {text}" for k, text in enumerate(self.layers))])


def planned(net: Network, target: Target, how: Way | None) -> tuple[Plan, tuple[Layer, ...], Graph | None]:
    """Return the plan of an admitted network, its layers of bits, and its gates if they are needed.

    Raises
    ------
    InputError
        No such way, or one that can't be taken.
    """
    if how is not None and how not in WAYS:
        raise InputError(f"how must be None or one of {', '.join(WAYS)}. Received: {how!r}.")
    costs = costs_of(target)
    nanoseconds: dict[str, float] = {
        "portable": PORTABLE * sum(len(entries(k.weights)[2]) for k in net.layers)
    }
    refused: dict[str, str] = {}
    layers: tuple[Layer, ...] = net.layers
    texts: tuple[str, ...] = ()
    graph = None
    try:
        layers = layers_of_bits(net)
    except NotExactError as error:
        refused |= {"wide": str(error), "sliced": str(error)}
    else:
        nanoseconds["wide"], texts = _wide_cost(layers, target)
        room = memory()
        dense = max(8 * layer.n_inputs * layer.n_neurons for layer in layers)
        if room is not None and dense > room / 8:
            refused["wide"] = f"its largest layer would be {dense / 2**30:,.1f} GiB of numbers"
        graph = _graph(layers, target, costs, nanoseconds, refused, how)
    if how is not None and how in refused:
        raise InputError(f"This network can't run {how}: {refused[how]}.")
    possible: list[Way] = [way for way in WAYS if way not in refused]
    chosen = min(possible, key=lambda way: nanoseconds[way]) if how is None else how
    plan = Plan(
        chosen,
        _text.chain(net),
        target.cpu or "any processor",
        nanoseconds,
        refused,
        None if graph is None else graph.n_gates,
        texts,
    )
    return plan, layers, graph if chosen == "sliced" else None


def _wide_cost(layers: Sequence[Layer], target: Target) -> tuple[float, tuple[str, ...]]:
    """Return what the wide way takes for a row, and what each layer asks of it."""
    total, texts = ROW, []
    for layer in layers:
        cost = layer_cost(layer, target)
        shape, matrix = cost.shape, cost.matrix_shape
        total += LAYER + cost.nanoseconds
        if matrix is not None:
            how = f"bytes, matrix registers: tiles of {ROWS} rows by {matrix.block} neurons"
        else:
            kind = (
                "±1"
                if not shape.masked
                else "-1, 0, 1"
                if shape.planes == 1
                else f"{_text.plural(shape.planes, 'bit plane')}"
            )
            how = f"{kind}, tiles of {shape.rows} rows by {shape.block} neurons"
        texts.append(f"{layer.n_inputs} → {layer.n_neurons} {layer.activation}, {how}")
    return total, tuple(texts)


def _graph(
    layers: Sequence[Layer],
    target: Target,
    costs: Mapping[str, float],
    nanoseconds: dict[str, float],
    refused: dict[str, str],
    how: Way | None,
) -> Graph | None:
    """Return the gates of a network where they might be the best way, and note what they cost."""
    if layers[-1].activation == "identity":
        refused["sliced"] = "its outputs are numbers, not bits"
        return None
    bits = sum(int(np.bitwise_count(np.abs(entries(layer.weights)[2])).sum()) for layer in layers)
    rows = 64 * target.lanes
    expected = GATES_PER_BIT * bits
    nanoseconds["sliced"] = costs["step" if expected > MOST else "gate"] * expected / rows
    others = [nanoseconds[way] for way in WAYS if way not in refused and way != "sliced"]
    if how != "sliced" and (how is not None or nanoseconds["sliced"] > 3 * min(others)):
        return None  # far from the best way, so that its gates need not be made
    try:
        graph = graph_of(layers, MOST_GATES)
    except TooManyGatesError:
        refused["sliced"] = f"it would take more than {MOST_GATES:,} gates"
        return None
    kind = "gate" if graph.n_gates <= MOST else "step"
    nanoseconds["sliced"] = costs[kind] * (graph.n_gates + graph.n_inputs + len(graph.outputs)) / rows
    return graph
