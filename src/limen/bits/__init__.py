"""Run a network as bits: `compile` makes a `Program` of it, for this processor, the same for every row.

A network of threshold neurons with whole weights needs no floating point. `compile` plans how to run it (`limen.bits.plan`), writes LLVM's
assembly language for it, and returns what LLVM makes of that.

==================  =========================================================================
`compile`           a network or a model, to a program
`Program`           takes what the network takes, or packed words (`limen.words`)
`Plan`              how a program runs, and why
==================  =========================================================================

>>> from limen import Layer, Network, bits
>>> program = bits.compile(Network(Layer([[1], [1], [1]], [-2]), domain="binary"))
>>> program.truth_table()
array([[232]], dtype=uint64)
"""

from __future__ import annotations

from limen.bits.plan import Plan
from limen.bits.program import Program, compile  # noqa: A004  # `bits.compile`, as `re.compile`

__all__ = ["Plan", "Program", "compile"]
