"""A network as text: what `print`, `repr` and the command line show.

`chain` is one line (``2 inputs → 3 heaviside → 1 hardmax``), `describe` a line for each neuron (``c fires when
a − b ≥ 1``), `rule` one such line,
`terms` a weighted sum. Large layers and long sums are abbreviated; what is left out is counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limen.network import Layer, Network

__all__ = ["article", "chain", "describe", "hidden_names", "listing", "number", "plural", "rule", "terms"]

NEURONS = 16  # a layer's neurons described before the rest is only counted
TERMS = 8  # terms of a weighted sum before the rest is only counted
MINUS = "\N{MINUS SIGN}"
PLAIN = re.compile(r"\w+(\.\w+)*")  # a name that needs no quotes


def number(value: float) -> str:
    """Return a number as people write it: whole numbers in full, others to six digits."""
    whole = isinstance(value, int) or (value.is_integer() and abs(value) < 1e16)
    text = str(int(value)) if whole else f"{value:.6g}"
    return text.replace("-", MINUS)


def listing(names: Sequence[str], most: int = 6) -> str:
    """Return names separated by commas, the middle left out where there are many."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])}, …, {names[-1]}"


def plural(n: int, noun: str) -> str:
    """Return ``1 input``, ``2 inputs``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def article(noun: str) -> str:
    """Return ``a heaviside``, ``an identity``."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def chain(net: Network) -> str:
    """Return the layers in one line.

    Examples
    --------
    >>> import limen
    >>> chain(limen.Network(limen.Layer([[1], [1]], [-1])))
    '2 inputs → 1 heaviside'
    """
    layers = (f"{layer.n_neurons} {layer.activation}" for layer in net.layers)
    return " → ".join([plural(net.n_inputs, "input"), *layers])


def hidden_names(net: Network, index: int) -> tuple[str, ...]:
    """Return what to call the neurons of layer `index`: the outputs' names, or ``h1.1, h1.2, …``."""
    if index == net.depth - 1:
        return net.outputs
    return tuple(f"h{index + 1}.{k + 1}" for k in range(net.layers[index].n_neurons))


def quoted(name: str) -> str:
    """Return a name as it stands in a sum: in quotes unless it is one plain word.

    Examples
    --------
    >>> quoted("h1.2"), quoted("age >= 35")
    ('h1.2', '"age >= 35"')
    """
    return name if PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def terms(weights: Sequence[tuple[str, Any]], most: int = TERMS) -> str:
    """Return a weighted sum, terms of weight 0 left out.

    Parameters
    ----------
    weights : sequence of (name, weight)
        In the order to be written. If there are more than `most`, the heaviest are kept.

    Examples
    --------
    >>> terms([("a", 1), ("b", -2), ("c", 0)])
    'a − 2·b'
    """
    kept = [(name, weight) for name, weight in weights if weight != 0]
    dropped = len(kept) - most
    if dropped > 0:
        kept = sorted(kept, key=lambda term: -abs(term[1]))[:most]
    if not kept:
        return "0"
    pieces: list[str] = []
    for name, weight in kept:
        joint = (MINUS if weight < 0 else "") if not pieces else (f" {MINUS} " if weight < 0 else " + ")
        factor = "" if abs(weight) == 1 else f"{number(abs(weight))}·"
        pieces.append(f"{joint}{factor}{quoted(name)}")
    more = f" + … ({plural(dropped, 'more term')})" if dropped > 0 else ""
    return "".join(pieces) + more


def describe(net: Network) -> str:
    """Return the network as a heading and a line for each neuron."""
    lines = [f"Network: {chain(net)}"]
    names: Sequence[str] = net.inputs
    for index, layer in enumerate(net.layers):
        own = hidden_names(net, index)
        lines += [rule(layer, k, own[k], names) for k in range(min(layer.n_neurons, NEURONS))]
        if layer.n_neurons > NEURONS:
            lines.append(f"… and {plural(layer.n_neurons - NEURONS, 'more neuron')} in layer {index + 1}")
        if layer.activation in {"hardmax", "softmax"}:
            together = "the largest wins, the first of equals"
            if layer.activation == "softmax":
                together = "softmax over them"
            lines.append(f"{listing([quoted(name) for name in own])}: {together}")
        names = own
    return "\n".join(lines)


def rule(layer: Layer, k: int, name: str, inputs: Sequence[str]) -> str:
    """Return what neuron `k` of a layer computes, in words.

    Examples
    --------
    >>> import limen
    >>> rule(limen.Layer([[1], [-1]], [-1]), 0, "c", ["a", "b"])
    'c fires when a − b ≥ 1'
    """
    weights, bias, name = _column(layer.weights, k, inputs), layer.bias[k].item(), quoted(name)
    constant = all(weight == 0 for _, weight in weights)
    if layer.activation == "heaviside":
        if constant:
            return f"{name} {'always' if bias >= 0 else 'never'} fires"
        return f"{name} fires when {terms(weights)} ≥ {number(-bias + 0)}"
    total = number(bias) if constant else terms(weights)
    if bias and not constant:
        total += f" {MINUS if bias < 0 else '+'} {number(abs(bias))}"
    if layer.activation in {"hardmax", "softmax"}:
        return f"{name}: {total}"
    return f"{name} = {total}" if layer.activation == "identity" else f"{name} = {layer.activation}({total})"


def _column(weights: Any, k: int, names: Sequence[str]) -> list[tuple[str, Any]]:
    if hasattr(weights, "indptr"):
        entries = slice(weights.indptr[k], weights.indptr[k + 1])
        pairs = sorted(zip(weights.indices[entries].tolist(), weights.data[entries].tolist(), strict=True))
        return [(names[i], weight) for i, weight in pairs]
    return list(zip(names, weights[:, k].tolist(), strict=True))
