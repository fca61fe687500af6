"""limen's estimators in skl2onnx, so that a pipeline with one of them converts as any other does."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from limen.errors import InputError, MissingExtraError
from limen.export._onnx_nodes import TYPES, Nodes, encode_column, exact_layers, float_layers
from limen.network import Network

__all__ = ["register_with_skl2onnx"]

CLASSIFIERS = ("Perceptron", "ThresholdNetworkClassifier")
ENCODER = "ThresholdEncoder"


def register_with_skl2onnx() -> None:
    """Teach skl2onnx the estimators of `limen.learn`, which must have been imported.

    Then ``skl2onnx.to_onnx(pipeline, ...)`` takes pipelines that hold a `Perceptron` or a `ThresholdNetworkClassifier` of one decision,
    and a `ThresholdEncoder` on columns of numbers. Rows may be float32, float64 or int64; they are compared and added up in
    float64, networks of whole numbers on bits in integers. A classifier's second output are its scores.

    Raises
    ------
    MissingExtraError
        skl2onnx isn't installed.
    InputError
        `limen.learn` wasn't imported, so that there is nothing to convert.

    Examples
    --------
    >>> import limen.learn
    >>> from limen import export
    >>> export.register_with_skl2onnx()
    """
    room = sys.modules.get("limen.learn")  # looked up, not imported: exporting knows nothing of learning
    if room is None:
        raise InputError("Import limen.learn first: without it there is no estimator to convert.")
    try:
        import skl2onnx
    except ImportError:
        raise MissingExtraError("skl2onnx", "onnx") from None
    for name in CLASSIFIERS:
        skl2onnx.update_registered_converter(
            getattr(room, name),
            f"Limen{name}",
            _classifier_shapes,
            _classifier,
            options={"zipmap": [False, True, "columns"], "nocl": [False, True]},
        )
    skl2onnx.update_registered_converter(getattr(room, ENCODER), f"Limen{ENCODER}", _encoder_shapes, _encoder)


def _network(operator: Any) -> Network:
    network: Network = operator.raw_operator.network_
    if network.layers[-1].activation != "hardmax" and network.n_outputs > 1:
        raise InputError("A classifier of several decisions doesn't convert. Export each decision by itself.")
    return network


def _classifier_shapes(operator: Any) -> None:
    from skl2onnx.common import data_types as types

    classes = operator.raw_operator.classes_
    text = classes.dtype.kind not in "iub"
    operator.outputs[0].type = types.StringTensorType([None]) if text else types.Int64TensorType([None])
    exact = _network(operator).is_exact
    scores = types.Int64TensorType if exact else types.DoubleTensorType
    operator.outputs[1].type = scores([None, operator.raw_operator.network_.n_outputs])


def _classifier(scope: Any, operator: Any, container: Any) -> None:
    network, classes = _network(operator), operator.raw_operator.classes_
    if getattr(operator.raw_operator, "encoder_", None) is not None:
        raise InputError(
            "A classifier with an encoder within doesn't convert. Put a ThresholdEncoder before it in a pipeline."
        )
    nodes = Nodes(scope.get_unique_variable_name("limen") + "/")
    given, label, scores = operator.inputs[0].full_name, *(out.full_name for out in operator.outputs)
    exact = network.is_exact
    kind = "float64" if not exact else "uint8" if network.domain == "binary" else "int64"
    value = nodes.cast(given, kind)
    _, z = exact_layers(nodes, network, value) if exact else float_layers(nodes, network, value, "float64")
    nodes.add("Identity", z, to=scores)
    if network.layers[-1].activation == "hardmax":
        index = nodes.add("ArgMax", z, axis=1, keepdims=0, select_last_index=0)
    else:
        zero = nodes.constant(0, "int64" if exact else "float64")
        fires = nodes.cast(nodes.add("GreaterOrEqual", z, zero), "int64")
        index = nodes.add("Squeeze", fires, nodes.constant([1], "int64"))
    text = classes.dtype.kind not in "iub"
    table = nodes.constant(
        [str(c) for c in classes] if text else classes.astype(np.int64), "string" if text else "int64"
    )
    nodes.add("Gather", table, index, to=label, axis=0)
    _written(nodes, container)


def _encoder_shapes(operator: Any) -> None:
    from skl2onnx.common.data_types import Int64TensorType

    operator.outputs[0].type = Int64TensorType([None, operator.raw_operator.encoding_.n_inputs])


def _encoder(scope: Any, operator: Any, container: Any) -> None:
    encoding = operator.raw_operator.encoding_
    nodes = Nodes(scope.get_unique_variable_name("limen") + "/")
    if len(operator.inputs) > 1:
        raise InputError(
            "A ThresholdEncoder converts on one tensor of numbers. Export the pipeline's model, limen.learn.model(pipeline),"
            " with limen.export.to_onnx, which has an input for each column."
        )
    table = nodes.cast(operator.inputs[0].full_name, "float64")
    parts = []
    for k, rule in enumerate(encoding.rules):
        if not rule.inputs:
            continue
        if getattr(rule, "kind", "number") != "number":
            raise InputError(
                f"Column {rule.column!r} holds {rule.kind}, and a tensor of numbers doesn't. Export the pipeline's model,"
                " limen.learn.model(pipeline), with limen.export.to_onnx."
            )
        column = nodes.add("Gather", table, nodes.constant([k], "int64"), axis=1)
        parts.append(encode_column(nodes, rule, column, "float64"))
    joined = parts[0] if len(parts) == 1 else nodes.add("Concat", *parts, axis=1)
    nodes.add("Cast", joined, to=operator.outputs[0].full_name, to_type=TYPES["int64"])
    _written(nodes, container)


def _written(nodes: Nodes, container: Any) -> None:
    """Hand nodes and constants over to skl2onnx."""
    for name, value in nodes.constants.items():
        array = np.asarray(value)
        kind = TYPES["string" if array.dtype == object else array.dtype.name]
        flat = [v.encode() for v in array.ravel()] if array.dtype == object else array.ravel().tolist()
        container.add_initializer(name, kind, list(array.shape), flat)
    for node in nodes.nodes:
        container.add_node(
            node.what,
            list(node.inputs),
            [node.output],
            op_version=19,
            name=f"{node.output}_node",
            **node.attributes,
        )
