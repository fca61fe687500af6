"""A network as an ONNX model: exact in integers, or in floats.

`to_onnx` returns an ``onnx.ModelProto`` (opset 19, ONNX Runtime 1.15 or later); ``path.write_bytes(made.SerializeToString())`` saves it. Its
inputs and outputs are

============  ===========================================================================================================
``X``         rows, shape (n_rows, n_inputs): uint8 for bits, int64 for integers, float32 or float64 in floats. For a
              `limen.Model` with an encoding there is an input for each column instead, shape (n_rows, 1): float64 (NaN is missing)
              or int64 for numbers, bool, or text (the empty one is missing)
``output``    what the network's call returns
``scores``    the net inputs of the last layer
``label``     for a model of one decision that has labels, shape (n_rows,)
============  ===========================================================================================================

Exact models equal the network for all inputs of its domain; it isn't checked that inputs are. In floats a sum that is rounded
may cross its threshold. What this form can't carry is refused by name.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np

import limen
from limen import _text
from limen._digest import network_digest
from limen._door import INT64_MAX
from limen._weights import largest_sum
from limen.encoding import label_text
from limen.errors import InputError, MissingExtraError, NotExactError
from limen.export._admission import exact_network, network_of
from limen.export._onnx_nodes import TYPES, Nodes, column_kind, encoded, exact_layers, float_layers, kind_of
from limen.model import Model
from limen.network import Network

__all__ = ["OPSET", "to_onnx"]

OPSET, IR_VERSION = 19, 9
MOST_BYTES = 1 << 30  # of weights: a model of 2 GiB can't be serialised
RESERVED = ("X", "output", "scores", "label")


def to_onnx(
    net: Network | Model,
    *,
    exact: bool = True,
    dtype: Literal["float32", "float64"] = "float32",
    numbers: Literal["float64", "int64"] = "float64",
) -> Any:
    """Return a network as an ONNX model.

    Parameters
    ----------
    net : Network or Model
        Of a model with an encoding, the columns of the table become the inputs.
    exact : bool
        In integers, for exact networks; else in floats, for any.
    dtype : {"float32", "float64"}
        The type of the floats.
    numbers : {"float64", "int64"}
        The type of a table's columns of numbers.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    NotExactError
        `exact`, and floats, smooth activations, real numbers, or a sum that could pass int64.
    InputError
        Not a network, weights of more than 1 GiB, or columns that ONNX can't hold.
    MissingExtraError
        onnx isn't installed.

    Examples
    --------
    >>> from limen import Layer, Network, export
    >>> majority = Network(Layer([[1], [1], [1]], [-2]), domain="binary")
    >>> made = export.to_onnx(majority)
    >>> [node.op_type for node in made.graph.node][:3]
    ['MatMulInteger', 'Add', 'GreaterOrEqual']
    """
    network = exact_network(net, "Exact ONNX") if exact else network_of(net)
    if dtype not in ("float32", "float64"):
        raise InputError(f"dtype must be 'float32' or 'float64'. Received: {dtype!r}.")
    if numbers not in ("float64", "int64"):
        raise InputError(f"numbers must be 'float64' or 'int64'. Received: {numbers!r}.")
    _require_size(network)
    if exact:
        _require_sums(network)
    model = net if isinstance(net, Model) else None
    nodes = Nodes()
    kind = kind_of(network, exact, dtype)
    inputs: list[tuple[str, str, int]] = [("X", kind, network.n_inputs)]
    value = "X"
    if model is not None and model.encoding is not None:
        rules = [rule for rule in model.encoding.rules if rule.inputs]
        names = [rule.column for rule in rules]
        bad = next(
            (name for name in names if name in RESERVED or not name or name.startswith("limen/")), None
        )
        if bad is not None:
            raise InputError(f"A column of an ONNX model can't be called {bad!r}. Rename it in the encoding.")
        inputs = [(rule.column, column_kind(rule, numbers), 1) for rule in rules]
        value = encoded(nodes, model.encoding, names, numbers)
        if not exact:
            value = nodes.cast(value, dtype)
    out, scores = exact_layers(nodes, network, value) if exact else float_layers(nodes, network, value, dtype)
    nodes.add("Identity", out, to="output")
    nodes.add("Identity", scores, to="scores")
    last = network.layers[-1].activation
    steps = last in {"heaviside", "sign", "hardmax"}
    outputs: list[tuple[str, str, int]] = [
        ("output", "int8" if steps else "int64" if exact else dtype, network.n_outputs),
        ("scores", "int64" if exact else dtype, network.n_outputs),
    ]
    if model is not None and model.labels is not None and model.makes_one_decision:
        outputs.append(("label", _label(nodes, model, scores, exact, dtype), 0))
    return _proto(nodes, network, inputs, outputs)


def _require_size(net: Network) -> None:
    size = sum(8 * layer.n_inputs * layer.n_neurons for layer in net.layers)
    if size > MOST_BYTES:
        raise InputError(
            f"An ONNX model of weights of at most {MOST_BYTES / 2**30:g} GiB can be written. Received: a network whose"
            f" dense weights are {size / 2**30:,.1f} GiB."
        )


def _require_sums(net: Network) -> None:
    for k, layer in enumerate(net.layers):
        if k == 0 and net.domain == "integer":
            continue  # what inputs may be isn't known; the sums of those that a call takes fit
        most = largest_sum(layer.weights, layer.bias)
        if most > INT64_MAX:
            raise NotExactError(
                f"Every sum must fit into int64, and one of layer {k + 1} could reach {most}. Divide its weights by a"
                " common factor (limen.rewrite.simplify)."
            )


def _label(nodes: Nodes, model: Model, scores: str, exact: bool, dtype: str) -> str:
    """Add the labels that are decided for, and return their type."""
    labels = list(model.labels or ())
    kinds = {type(label) for label in labels}
    if kinds == {bool}:
        kind = "bool"
    elif kinds == {int}:
        kind = "int64"
    elif kinds <= {int, float}:
        kind = "float64"
    else:
        kind, labels = "string", [label_text(label) for label in labels]  # type: ignore[arg-type]
    if kind == "int64" and any(abs(label) > INT64_MAX for label in labels):  # type: ignore[arg-type]
        raise InputError("A label in ONNX must fit into int64. Received: a larger one.")
    table = nodes.constant(labels, kind)
    if model.network.layers[-1].activation == "hardmax":
        index = nodes.add("ArgMax", scores, axis=1, keepdims=0, select_last_index=0)
    else:
        zero = nodes.constant(0, "int64" if exact else dtype)
        fires = nodes.cast(nodes.add("GreaterOrEqual", scores, zero), "int64")
        index = nodes.add("Squeeze", fires, nodes.constant([1], "int64"))
    nodes.add("Gather", table, index, to="label", axis=0)
    return kind


def _proto(
    nodes: Nodes, net: Network, inputs: list[tuple[str, str, int]], outputs: list[tuple[str, str, int]]
) -> Any:
    try:
        import onnx
        from onnx import helper, numpy_helper
    except ImportError:
        raise MissingExtraError("onnx", "onnx") from None

    def info(name: str, kind: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TYPES[kind], ["rows", width] if width else ["rows"])

    # Widths of no columns are written as they are: a tensor may have none.
    made_inputs = [helper.make_tensor_value_info(name, TYPES[kind], ["rows", n]) for name, kind, n in inputs]
    graph = helper.make_graph(
        [
            helper.make_node(node.what, node.inputs, [node.output], name=f"limen/{k}", **node.attributes)
            for k, node in enumerate(nodes.nodes)
        ],
        "limen",
        made_inputs,
        [info(*output) for output in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in nodes.constants.items()],
        doc_string=_text.chain(net),
    )
    made = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="limen",
        producer_version=limen.__version__,
    )
    helper.set_model_props(
        made,
        {"inputs": json.dumps(net.inputs), "outputs": json.dumps(net.outputs), "digest": network_digest(net)},
    )
    onnx.checker.check_model(made, full_check=True)
    return made
