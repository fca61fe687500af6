"""A network as ONNX operators: nodes and constants as plain data, which `onnx` and `_onnx_sklearn` write down.

An exact layer multiplies with ``MatMulInteger`` (int8 weights, int32 sums) where its weights and sums fit, and with ``MatMul`` on
int64 where they don't. A layer of floats is ``MatMul`` and ``Add`` in float32 or float64.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from limen.encoding import Categories, Encoding, Rule, Thresholds, comparable
from limen.errors import InputError
from limen.export._sums import inputs_seen, reach
from limen.network import Layer, Network
from limen.step import Array

__all__ = [
    "TYPES",
    "Node",
    "Nodes",
    "column_kind",
    "encode_column",
    "encoded",
    "exact_layers",
    "float_layers",
    "kind_of",
]

TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "string": 8, "bool": 9, "float64": 11}
"""ONNX's numbers of element types (TensorProto.DataType)."""

INT32 = 2**31 - 1


@dataclass(frozen=True)
class Node:
    """An operator applied: what, to which values, giving which."""

    what: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


@dataclass
class Nodes:
    """Nodes and constants, written in order.

    Parameters
    ----------
    prefix : str
        Of every name made here.
    """

    prefix: str = "limen/"
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)

    def add(self, what: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        """Add an operator, and return the name of its result."""
        output = to or f"{self.prefix}{what}_{len(self.nodes)}"
        if "to_type" in attributes:  # ONNX calls it `to`, as this function does the result
            attributes["to"] = attributes.pop("to_type")
        self.nodes.append(Node(what, inputs, output, attributes))
        return output

    def constant(self, value: Any, kind: str) -> str:
        """Add a constant, and return its name."""
        name = f"{self.prefix}constant_{len(self.constants)}"
        self.constants[name] = np.array(value, dtype=object if kind == "string" else kind)
        return name

    def cast(self, value: str, kind: str) -> str:
        """Add a change of type, and return the name of its result."""
        return self.add("Cast", value, to_type=TYPES[kind])


def kind_of(net: Network, exact: bool, dtype: str) -> str:
    """Return the type of a network's input."""
    if not exact:
        return dtype
    return "uint8" if net.domain == "binary" else "int64"


def exact_layers(nodes: Nodes, net: Network, value: str) -> tuple[str, str]:
    """Add the layers of an exact network; return the names of its outputs and of its scores, int64."""
    kind = "uint8" if net.domain == "binary" else "int64"
    for k, layer in enumerate(net.layers):
        z, sums = _exact_net_input(nodes, net, k, value, kind)
        value, kind = _decided(nodes, layer, z, sums)
    return (value if kind == "int64" else nodes.cast(value, "int8")), nodes.cast(z, "int64")


def _exact_net_input(nodes: Nodes, net: Network, k: int, value: str, kind: str) -> tuple[str, str]:
    layer = net.layers[k]
    if layer.n_inputs == 0:
        return _bias_alone(nodes, layer, value, "int64"), "int64"
    weights = layer.dense()
    if kind != "int64" and np.abs(weights).max(initial=0) <= 127:
        bounds = reach(layer, *inputs_seen(net, k))
        if all(max(-low, high) <= INT32 for low, high in bounds):
            product = nodes.add("MatMulInteger", value, nodes.constant(weights, "int8"))
            return nodes.add("Add", product, nodes.constant(layer.bias, "int32")), "int32"
    wide = value if kind == "int64" else nodes.cast(value, "int64")
    product = nodes.add("MatMul", wide, nodes.constant(weights, "int64"))
    return nodes.add("Add", product, nodes.constant(layer.bias, "int64")), "int64"


def _bias_alone(nodes: Nodes, layer: Layer, value: str, kind: str) -> str:
    """Add the net inputs of a layer without inputs; a product of no columns isn't computed right everywhere."""
    rows = nodes.add("Shape", value, start=0, end=1)
    shape = nodes.add("Concat", rows, nodes.constant([layer.n_neurons], "int64"), axis=0)
    return nodes.add("Expand", nodes.constant(layer.bias, kind), shape)


def _decided(nodes: Nodes, layer: Layer, z: str, sums: str) -> tuple[str, str]:
    """Add what a layer does with its net inputs; return the name and type of its outputs."""
    if layer.activation == "identity":
        return (z, sums) if sums == "int64" else (nodes.cast(z, "int64"), "int64")
    if layer.activation == "heaviside":
        return nodes.cast(nodes.add("GreaterOrEqual", z, nodes.constant(0, sums)), "uint8"), "uint8"
    if layer.activation == "sign":
        zero = nodes.constant(0, sums)
        above = nodes.cast(nodes.add("Greater", z, zero), "int8")
        below = nodes.cast(nodes.add("Less", z, zero), "int8")
        return nodes.add("Sub", above, below), "int8"
    return nodes.cast(_winner(nodes, layer.n_neurons, z), "uint8"), "uint8"


def _winner(nodes: Nodes, n: int, z: str) -> str:
    """Add the one-hot of the largest, the first of equals, as bool."""
    best = nodes.add("ArgMax", z, axis=1, keepdims=1, select_last_index=0)
    return nodes.add("Equal", best, nodes.constant(np.arange(n), "int64"))


SMOOTH = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}


def float_layers(nodes: Nodes, net: Network, value: str, dtype: str) -> tuple[str, str]:
    """Add the layers of any network in floats; return the names of its outputs and of its scores."""
    for k, layer in enumerate(net.layers):
        if layer.n_inputs == 0:
            z = _bias_alone(nodes, layer, value, dtype)
        else:
            product = nodes.add("MatMul", value, nodes.constant(layer.dense(), dtype))
            z = nodes.add("Add", product, nodes.constant(layer.bias, dtype))
        last = k + 1 == net.depth
        steps = "int8" if last else dtype
        if layer.activation == "heaviside":
            value = nodes.cast(nodes.add("GreaterOrEqual", z, nodes.constant(0, dtype)), steps)
        elif layer.activation == "hardmax":
            value = nodes.cast(_winner(nodes, layer.n_neurons, z), steps)
        elif layer.activation == "sign":
            value = nodes.cast(nodes.add("Sign", z), steps)
        elif layer.activation == "softmax":
            value = nodes.add("Softmax", z, axis=-1)
        elif layer.activation == "identity":
            value = nodes.add("Identity", z)
        else:
            value = nodes.add(SMOOTH[layer.activation], z)
    return value, z


# Columns of a table -------------------------------------------------------------------------------------------


def column_kind(rule: Rule, numbers: str) -> str:
    """Return the type of a column's tensor."""
    if isinstance(rule, Categories) and rule.kind == "text":
        return "string"
    if isinstance(rule, Categories) and rule.kind == "boolean":
        return "bool"
    return numbers


def encode_column(nodes: Nodes, rule: Rule, column: str, kind: str) -> str:
    """Add the inputs that one column becomes, shape (n_rows, n_inputs), as uint8.

    Parameters
    ----------
    nodes : Nodes
    rule : Thresholds or Categories
    column : str
        The name of a tensor of shape (n_rows, 1).
    kind : str
        Its type: float64, int64, bool or string.
    """
    if rule.missing and kind in {"int64", "bool"}:
        raise InputError(
            f"A tensor of {kind} has no missing values, and column {rule.column!r} has an input for them. Export numbers"
            " as 'float64', where NaN is missing, or fit an encoder without that input."
        )
    parts: list[str] = []
    if isinstance(rule, Thresholds):
        if rule.cuts:
            parts.append(_reaches(nodes, column, rule, kind))
    else:
        parts += [_equals(nodes, column, category, kind) for category in rule.categories]
    if rule.missing:
        if kind == "string":
            if "" in rule.categories:  # type: ignore[union-attr]  # only categories are text
                raise InputError(
                    f"In ONNX a missing text is the empty one, and column {rule.column!r} has that as a category."
                )
            parts.append(nodes.add("Equal", column, nodes.constant([[""]], "string")))
        else:
            parts.append(nodes.add("IsNaN", column))
    joined = parts[0] if len(parts) == 1 else nodes.add("Concat", *parts, axis=1)
    return nodes.cast(joined, "uint8")


def _reaches(nodes: Nodes, column: str, rule: Thresholds, kind: str) -> str:
    cuts = [comparable(np.dtype(kind), cut) for cut in rule.cuts]
    if kind == "int64" and any(abs(cut) > 2**63 - 1 for cut in cuts):
        raise InputError(
            f"Cut points of a column of int64 must fit into int64. Received: those of column {rule.column!r}."
        )
    return nodes.add("GreaterOrEqual", column, nodes.constant([cuts], kind))


def _equals(nodes: Nodes, column: str, category: Any, kind: str) -> str:
    if kind == "bool":
        return nodes.add("Identity", column) if category else nodes.add("Not", column)
    if kind == "string":
        return nodes.add("Equal", column, nodes.constant([[category]], "string"))
    if kind == "int64" and not (int(category) == category and abs(category) <= 2**63 - 1):
        raise InputError(f"A column of int64 never equals {category!r}. Export numbers as 'float64'.")
    exact = float(category) if kind == "float64" else int(category)
    if exact != category:
        raise InputError(f"No float64 equals {category!r}. Export numbers as 'int64'.")
    return nodes.add("Equal", column, nodes.constant([[exact]], kind))


def encoded(nodes: Nodes, encoding: Encoding, names: list[str], numbers: str) -> str:
    """Add what an encoding makes of its columns, as uint8."""
    rules = [rule for rule in encoding.rules if rule.inputs]
    parts = [
        encode_column(nodes, rule, name, column_kind(rule, numbers))
        for rule, name in zip(rules, names, strict=True)
    ]
    return parts[0] if len(parts) == 1 else nodes.add("Concat", *parts, axis=1)
