"""Plans of networks: neurons in order, each over the inputs and the neurons before it.

A *plan* for `n` inputs is a list of neurons ``(weights, threshold)``, ``weights`` being ``{signal: weight}``. Signals
count from 0: the inputs, then the neurons. The last neuron is the output. A plan of `k` neurons becomes a network of
`k` gates, since `limen.logic.layout` puts in the pass-through neurons that layers need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from limen.logic.gates import FALSE, TRUE, Gates, Literal
from limen.logic.layout import lay_out
from limen.network import Network

__all__ = ["Neuron", "Plan", "add_neuron", "constant", "either", "planned", "renamed", "span"]

Neuron: TypeAlias = tuple[dict[int, int], int]
Plan: TypeAlias = list[Neuron]


def constant(value: bool | int) -> Plan:
    """Return the plan of a constant: a neuron that sees nothing.

    Examples
    --------
    >>> constant(1), constant(0)
    ([({}, 0)], [({}, 1)])
    """
    return [({}, 0 if value else 1)]


def span(neuron: Neuron) -> tuple[int, int]:
    """Return the least and the largest sum that a neuron's weights allow."""
    weights, _ = neuron
    return sum(w for w in weights.values() if w < 0), sum(w for w in weights.values() if w > 0)


def renamed(plan: Plan, signals: Sequence[int], n_inputs: int, start: int) -> Plan:
    """Return a plan whose inputs are now these signals and whose neurons count from `start`.

    Parameters
    ----------
    plan : Plan
        For ``len(signals)`` inputs.
    signals : sequence of int
        For each input of the plan the input of the new one.
    n_inputs, start : int
        How many inputs the new one has, and how many neurons stand before these.

    Examples
    --------
    >>> renamed([({0: 1, 1: 1}, 2), ({0: 1, 2: -1}, 1)], [3, 1], n_inputs=4, start=0)
    [({3: 1, 1: 1}, 2), ({3: 1, 4: -1}, 1)]
    """
    n, first = len(signals), n_inputs + start
    return [
        ({signals[s] if s < n else first + s - n: w for s, w in weights.items()}, threshold)
        for weights, threshold in plan
    ]


def either(place: int, holds: Plan, fails: Plan, n_inputs: int) -> Plan:
    """Return the plan for "one plan where an input holds, the other where it doesn't".

    It has as many neurons as the two together: the input goes into the last neuron of each (a literal and one neuron
    are one neuron), and so does the disjunction of the two.

    Parameters
    ----------
    place : int
        The input.
    holds, fails : Plan
        For the same `n_inputs` inputs.

    Examples
    --------
    >>> either(0, [({1: 1}, 1)], [({2: 1}, 1)], n_inputs=3)  # x ? y : z
    [({1: 1, 0: 1}, 2), ({2: 1, 0: -1, 3: 2}, 1)]
    """
    last, threshold = holds[-1]
    _, most = span(holds[-1])
    c = most - threshold + 1
    first = [*holds[:-1], ({**last, place: last.get(place, 0) + max(c, 0)}, threshold + max(c, 0))]
    second = renamed(fails, range(n_inputs), n_inputs, len(first))
    last, threshold = second[-1]
    least, most = span(second[-1])
    c = max(most - threshold + 1, 0)
    force = max(threshold + c - least, 1)
    joined = {**last, place: last.get(place, 0) - c, n_inputs + len(first) - 1: force}
    return [*first, *second[:-1], (joined, threshold)]


def add_neuron(gates: Gates, weights: Mapping[int, int], threshold: int, level: int = 0) -> Literal:
    """Add a neuron to gates as it is, and return its literal; one without weights is a constant.

    Parameters
    ----------
    gates : Gates
    weights : mapping of int to int
        By signal, as `Gates` numbers them.
    threshold : int
    level : int, default 0
        A layer before which it shall not stand: an output that isn't needed earlier costs no pass-through.
    """
    kept = {signal: w for signal, w in weights.items() if w}
    if not kept:
        return TRUE if threshold <= 0 else FALSE
    gates.weights.append(kept)
    gates.thresholds.append(threshold)
    gates.levels.append(max(level, 1 + max(gates.levels[signal] for signal in kept)))
    return 2 * (len(gates.weights) - 1)


def planned(plan: Plan, inputs: Sequence[str], output: str) -> Network:
    """Return the network of a plan.

    Examples
    --------
    >>> print(planned([({0: 1, 1: 1}, 2), ({0: 1, 1: 1, 2: -2}, 1)], ["a", "b"], "y"))
    Network: 2 inputs → 3 heaviside → 1 heaviside
    h1.1 fires when a ≥ 1
    h1.2 fires when b ≥ 1
    h1.3 fires when a + b ≥ 2
    y fires when h1.1 + h1.2 − 2·h1.3 ≥ 1
    """
    gates = Gates(len(inputs))
    signals = [literal // 2 for literal in map(gates.input, range(len(inputs)))]
    literal = FALSE
    for weights, threshold in plan:
        # A constant neuron (signal 0 of the gates puts out 0) is folded into the thresholds behind it.
        seen: dict[int, int] = {}
        for signal, w in weights.items():
            if signals[signal] == -1:
                threshold -= w
            elif signals[signal]:
                seen[signals[signal]] = seen.get(signals[signal], 0) + w
        literal = add_neuron(gates, seen, threshold)
        signals.append(-1 if literal == TRUE else literal // 2)
    return lay_out(gates, {output: literal}, inputs)
