"""A network as a drawing that Graphviz lays out: inputs, neurons, and an arrow for each weight."""

from __future__ import annotations

from limen import _text
from limen._weights import entries
from limen.errors import InputError
from limen.export._admission import network_of
from limen.model import Model
from limen.network import Network

__all__ = ["to_dot"]

MOST_ARROWS = 2000


def to_dot(net: Network | Model) -> str:
    r"""Return a network in Graphviz's language.

    Inputs stand on the left, layers beside each other. A neuron shows its threshold, or its bias where it doesn't fire; an arrow its
    weight, solid where it is positive and dashed where it is negative. A weight of 0 has no arrow.

    Parameters
    ----------
    net : Network or Model
        Of up to 2,000 weights that aren't 0.

    Returns
    -------
    str
        For ``dot -Tsvg``.

    Raises
    ------
    InputError
        Too many arrows to be read, or no network.

    Examples
    --------
    >>> from limen import Layer, Network, export
    >>> print(export.to_dot(Network(Layer([[1], [-2]], [1]), ["a", "b"], ["y"], domain="binary")))
    digraph network {
      rankdir=LR;
      node [shape=circle, fontname="sans-serif"];
      edge [fontname="sans-serif", fontsize=10];
      x0 [label="a", shape=plaintext];
      x1 [label="b", shape=plaintext];
      subgraph cluster_1 {
        label="heaviside"; color=gray;
        n1_0 [label="y\n≥ −1"];
      }
      x0 -> n1_0 [label="1"];
      x1 -> n1_0 [label="−2", style=dashed];
    }
    """
    network = network_of(net)
    parts = [entries(layer.weights) for layer in network.layers]
    arrows = sum(len(weights) for _, _, weights in parts)
    if arrows > MOST_ARROWS:
        raise InputError(
            f"A drawing of more than {MOST_ARROWS:,} arrows can't be read. Received: a network with {arrows:,} weights that"
            " aren't 0. limen.draw.diagram shows the most important ones of it."
        )
    lines = [
        "digraph network {",
        "  rankdir=LR;",
        '  node [shape=circle, fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize=10];',
        *(f"  x{k} [label={_quoted(name)}, shape=plaintext];" for k, name in enumerate(network.inputs)),
    ]
    for k, layer in enumerate(network.layers):
        names = network.outputs if k + 1 == network.depth else _text.hidden_names(network, k)
        lines += [f"  subgraph cluster_{k + 1} {{", f'    label="{layer.activation}"; color=gray;']
        for n, (name, bias) in enumerate(zip(names, layer.bias.tolist(), strict=True)):
            fires = layer.activation in {"heaviside", "sign"}
            about = f"≥ {_text.number(-bias)}" if fires else f"{'' if bias < 0 else '+'}{_text.number(bias)}"
            lines.append(f"    n{k + 1}_{n} [label={_quoted(name, about)}];")
        lines.append("  }")
    for k, (rows, columns, weights) in enumerate(parts):
        for row, column, weight in zip(rows.tolist(), columns.tolist(), weights.tolist(), strict=True):
            start = f"x{row}" if k == 0 else f"n{k}_{row}"
            style = ", style=dashed" if weight < 0 else ""
            lines.append(f'  {start} -> n{k + 1}_{column} [label="{_text.number(weight)}"{style}];')
    return "\n".join([*lines, "}"])


def _quoted(*texts: str) -> str:
    """Return lines of text in Graphviz's quotes."""
    return '"' + r"\n".join(_safe(t) for t in texts) + '"'


def _safe(text: str) -> str:
    """Return a text that Graphviz shows as it is: it reads entities such as ``&amp;`` in labels."""
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
