"""Gates as LLVM text: one bit of a register a row, straight-line code.

Inputs and outputs lie in columns: a row of words for each input, one bit a row of the table. A vector register holds 128 to 512
rows, and every gate is one or two instructions for all of them. Where a register may be put into any Boolean function of three
(AVX-512), a full adder is two.
"""

from __future__ import annotations

from collections.abc import Callable

from limen.bits._gates import AND, MAJ, XOR, XOR3, Graph
from limen.bits._llvm import Target
from limen.bits._text import Function, repeated

__all__ = ["MOST", "gate_text", "sliced_text"]

MOST = 1500  # gates: LLVM takes longer than in proportion for more, and their values don't stay in registers anyway


def sliced_text(graph: Graph, target: Target) -> str:
    """Return a module with ``run(inputs, outputs, n_words)``.

    Inputs and outputs are arrays of addresses, one for each column. `n_words` is a multiple of the target's lanes.
    """
    f = Function("run", ["ptr %in", "ptr %out", "i64 %n_words"], attributes="nounwind")
    kind = f"<{target.lanes} x i64>"
    ones = repeated("i64", -1, target.lanes)
    used = graph.used()
    with f.loop(0, "%n_words", target.lanes) as word:
        values: dict[int, str] = {0: "zeroinitializer"}
        negated: dict[int, str] = {0: ones}
        for k in range(1, graph.n_inputs + 1):
            if used[k]:
                column = f.load("ptr", f.at("ptr", "%in", k - 1), 8)
                values[k] = f.load(kind, f.at("i64", column, word), 8)

        def value(literal: int) -> str:
            gate = literal >> 1
            if literal & 1 and gate not in negated:
                negated[gate] = f.op(f"xor {kind} {values[gate]}, {ones}")
            return (negated if literal & 1 else values)[gate]

        for gate in range(graph.n_inputs + 1, len(graph.kinds)):
            if used[gate]:
                values[gate] = gate_text(f, target, graph.kinds[gate], graph.reads[gate], value)
        for j, literal in enumerate(graph.outputs):
            column = f.load("ptr", f.at("ptr", "%out", j), 8)
            f.do(f"store {kind} {value(literal)}, ptr {f.at('i64', column, word)}, align 8")
    f.end()
    return str(f)


def gate_text(
    f: Function, target: Target, what: int, reads: tuple[int, ...], value: Callable[[int], str]
) -> str:
    """Add one gate for a whole register of rows; `value` names that of a literal."""
    kind = f"<{target.lanes} x i64>"
    if what in {XOR3, MAJ} and target.ternary:
        table = 0
        for row in range(8):
            bits = [(row >> (2 - k) & 1) ^ (literal & 1) for k, literal in enumerate(reads)]
            table |= (sum(bits) & 1 if what == XOR3 else int(sum(bits) >= 2)) << row
        a, b, c = (value(literal & ~1) for literal in reads)
        name = f"@llvm.x86.avx512.pternlog.q.{target.register_bits}"
        return f.op(f"call {kind} {name}({kind} {a}, {kind} {b}, {kind} {c}, i32 {table})")
    literals = [value(literal) for literal in reads]
    if what == AND:
        return f.op(f"and {kind} {literals[0]}, {literals[1]}")
    half = f.op(f"xor {kind} {literals[0]}, {literals[1]}")
    if what == XOR:
        return half
    if what == XOR3:
        return f.op(f"xor {kind} {half}, {literals[2]}")
    both = f.op(f"and {kind} {literals[0]}, {literals[1]}")
    return f.op(f"or {kind} {both}, {f.op(f'and {kind} {half}, {literals[2]}')}")
