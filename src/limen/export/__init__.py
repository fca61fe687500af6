"""Give a network away: as a file that limen reads back, or in a form that others run.

==========================  ===========================================================
`save`                      write a model or a network to a ``.limen`` file
`load`                      read one; whatever isn't sound is refused by name
`to_c`                      C99, for a device
`to_verilog`                Verilog-2001, for a chip
`to_onnx`                   ONNX, exact in integers or in floats
`register_with_skl2onnx`    lets skl2onnx convert pipelines with limen's estimators
`to_cnf`                    DIMACS, for a SAT solver
`to_th`, `from_th`          the text of tools for threshold logic, written and read
`to_dot`                    a drawing for Graphviz
`to_truth_table`            all rows, as text
==========================  ===========================================================

Each computes exactly what the network does, or refuses it by name. The way to Keras is `limen.learn.keras_model`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from limen.export.file import load, save

if TYPE_CHECKING:
    from limen.export._onnx_sklearn import register_with_skl2onnx
    from limen.export.c import CSource, to_c
    from limen.export.cnf import Cnf, to_cnf
    from limen.export.dot import to_dot
    from limen.export.onnx import to_onnx
    from limen.export.th import from_th, to_th
    from limen.export.truth_table import to_truth_table
    from limen.export.verilog import VerilogSource, to_verilog

__all__ = [
    "CSource",
    "Cnf",
    "VerilogSource",
    "from_th",
    "load",
    "register_with_skl2onnx",
    "save",
    "to_c",
    "to_cnf",
    "to_dot",
    "to_onnx",
    "to_th",
    "to_truth_table",
    "to_verilog",
]

_PLACES = {
    "CSource": "c",
    "Cnf": "cnf",
    "VerilogSource": "verilog",
    "from_th": "th",
    "register_with_skl2onnx": "_onnx_sklearn",
    "to_c": "c",
    "to_cnf": "cnf",
    "to_dot": "dot",
    "to_onnx": "onnx",
    "to_th": "th",
    "to_truth_table": "truth_table",
    "to_verilog": "verilog",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:  # loaded when first asked for: to read a model takes none of it
        value = getattr(importlib.import_module(f"limen.export.{_PLACES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'limen.export' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
