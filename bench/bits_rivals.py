"""Rivals of networks as bits: ONNX Runtime in int8 and float32, PyTorch in float32, on one thread each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from limen import Network
from limen.step import Array

__all__ = ["rivals"]


def onnx_session(net: Network, kind: str) -> Any:
    """Return an ONNX Runtime session of one thread: ``"int8"`` by MatMulInteger, or ``"float32"``. It returns bits, or classes."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, value = [], [], "X"
    whole = kind == "int8"
    for k, layer in enumerate(net.layers):
        weights = layer.dense().astype(np.int8 if whole else np.float32)
        limit = (-layer.bias).astype(np.int32 if whole else np.float32)
        constants += [numpy_helper.from_array(weights, f"W{k}"), numpy_helper.from_array(limit, f"t{k}")]
        nodes.append(helper.make_node("MatMulInteger" if whole else "MatMul", [value, f"W{k}"], [f"z{k}"]))
        if layer.activation == "hardmax":
            nodes.append(helper.make_node("Sub", [f"z{k}", f"t{k}"], [f"s{k}"]))
            nodes.append(helper.make_node("ArgMax", [f"s{k}"], ["Y"], axis=1, keepdims=0))
            break
        nodes.append(helper.make_node("GreaterOrEqual", [f"z{k}", f"t{k}"], [f"b{k}"]))
        last = k + 1 == net.depth
        value = "Y" if last else f"h{k}"
        to = TensorProto.UINT8 if whole or last else TensorProto.FLOAT
        nodes.append(helper.make_node("Cast", [f"b{k}"], [value], to=to))
    ends = net.layers[-1].activation == "hardmax"
    shape = [None] if ends else [None, net.n_outputs]
    out = helper.make_tensor_value_info("Y", TensorProto.INT64 if ends else TensorProto.UINT8, shape)
    kind_in = TensorProto.UINT8 if whole else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("X", kind_in, [None, net.n_inputs])], [out], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def torch_side(net: Network) -> Callable[[Array], Any] | None:
    """Return a call of PyTorch in float32 with one thread; None where it isn't installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    layers = [
        (
            torch.tensor(layer.dense().T.astype(np.float32)).contiguous(),
            torch.tensor(layer.bias.astype(np.float32)),
        )
        for layer in net.layers
    ]

    def call(X: Array) -> Any:
        with torch.inference_mode():
            h = torch.from_numpy(X)
            for weights, bias in layers[:-1]:
                h = (torch.nn.functional.linear(h, weights, bias) >= 0).float()
            z = torch.nn.functional.linear(h, *layers[-1])
            return z.argmax(dim=1) if net.layers[-1].activation == "hardmax" else (z >= 0).to(torch.uint8)

    return call


def rivals(net: Network, X: Array, expected: Array) -> dict[str, Callable[[], Any] | str]:
    """Return the rivals' calls on rows of bytes, checked; a text where a side is missing."""
    floats = X.astype(np.float32)
    found: dict[str, Callable[[], Any] | str] = {}
    for kind, rows in (("int8", X), ("float32", floats)):
        try:
            session = onnx_session(net, kind)
        except ImportError:
            found[f"ONNX Runtime, {kind}"] = "not installed"
            continue
        call = lambda session=session, rows=rows: session.run(None, {"X": rows})[0]  # noqa: E731
        if not (call() == expected).all():
            raise AssertionError(f"ONNX Runtime {kind} computes something else")
        found[f"ONNX Runtime, {kind}"] = call
    torch_call = torch_side(net)
    if torch_call is None:
        found["PyTorch, float32"] = "not installed"
    else:
        if not (torch_call(floats).numpy() == expected).all():
            raise AssertionError("PyTorch computes something else")
        found["PyTorch, float32"] = lambda: torch_call(floats)
    return found
