"""Give a network away: as a file that limen reads back, or in a form that others run.

===================  ========================================================
`save`               write a model or a network to a ``.limen`` file
`load`               read one; whatever isn't sound is refused by name
`to_c`               C99, for a device
`to_verilog`         Verilog-2001, for a chip
`to_onnx`            ONNX, exact in integers or in floats
===================  ========================================================
"""

from __future__ import annotations

from limen.export._onnx_sklearn import register_with_skl2onnx
from limen.export.c import CSource, to_c
from limen.export.file import load, save
from limen.export.onnx import to_onnx
from limen.export.verilog import VerilogSource, to_verilog

__all__ = [
    "CSource",
    "VerilogSource",
    "load",
    "register_with_skl2onnx",
    "save",
    "to_c",
    "to_onnx",
    "to_verilog",
]
