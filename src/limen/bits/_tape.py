"""Gates as a tape: numbers that a small loop reads, for circuits too large to be code of their own.

Compiling a gate takes LLVM longer than a loop takes to read it a thousand times. A tape is an array of *steps*, five numbers each:

    what, where to, first, second, third

*What* is one of `STEPS`. The numbers name slots, each a few vectors of rows; a slot is used again after the last step that
reads it. The loop does a step for all vectors of its slots before it reads the next one. Steps of one kind and one depth follow each
other, so that the processor guesses the next one right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen.bits._gates import AND, MAJ, XOR, XOR3, Graph
from limen.bits._llvm import Target
from limen.bits._sliced_text import gate_text
from limen.bits._text import Function, repeated
from limen.step import Array

__all__ = ["STEPS", "Tape", "tape_of", "tape_text"]

STEPS: dict[str, tuple[int, tuple[int, ...]]] = {
    "and": (AND, (0, 0)),
    "and not": (AND, (1, 0)),
    "nor": (AND, (1, 1)),
    "xor": (XOR, (0, 0)),
    "xor of three": (XOR3, (0, 0, 0)),
    "majority": (MAJ, (0, 0, 0)),
    "majority, first negated": (MAJ, (1, 0, 0)),
}
"""The steps that are gates, in the order of their numbers: kind, and which of the literals read are negated."""

_NUMBERS = {gate: k for k, gate in enumerate(STEPS.values())}
READ, WRITE, WRITE_NOT = range(len(STEPS), len(STEPS) + 3)

CACHE_BYTES = 1 << 20  # of slots at a time, to stay in the second cache
MOST_VECTORS = 16


@dataclass(frozen=True)
class Tape:
    """Steps, and the slots they need.

    Parameters
    ----------
    steps : ndarray of int32, shape (n_steps, 5)
    n_slots : int
    vectors : int
        Of a slot.
    """

    steps: Array
    n_slots: int
    vectors: int


def tape_of(graph: Graph, target: Target) -> Tape:
    """Return the tape of a graph."""
    used = graph.used()
    n = len(graph.kinds)
    depth, last = [0] * n, [0] * n
    gates = [gate for gate in range(graph.n_inputs + 1, n) if used[gate]]
    for gate in gates:
        depth[gate] = 1 + max(depth[literal >> 1] for literal in graph.reads[gate])
    forms = {}
    for gate in gates:
        reads = sorted(graph.reads[gate], key=lambda literal: -(literal & 1))
        forms[gate] = _NUMBERS[graph.kinds[gate], tuple(literal & 1 for literal in reads)], reads
    gates.sort(key=lambda gate: (depth[gate], forms[gate][0]))
    for k, gate in enumerate(gates):
        for literal in graph.reads[gate]:
            last[literal >> 1] = k
    for literal in graph.outputs:
        last[literal >> 1] = len(gates)
    slots: dict[int, int] = {}
    free: list[int] = []
    steps: list[tuple[int, ...]] = []
    n_slots = 0

    def place(gate: int) -> int:
        nonlocal n_slots
        if free:
            slots[gate] = free.pop()
        else:
            slots[gate] = n_slots
            n_slots += 1
        return slots[gate]

    def found(gate: int) -> int:
        if gate not in slots:  # an input, read when it is first needed
            place(gate)
            steps.append((READ, slots[gate], gate - 1, 0, 0))
        return slots[gate]

    for k, gate in enumerate(gates):
        what, reads = forms[gate]
        places = [found(literal >> 1) for literal in reads]
        free += [slots[read] for read in {literal >> 1 for literal in reads} if last[read] == k]
        steps.append((what, place(gate), *places, *[0] * (3 - len(places))))
    for j, literal in enumerate(graph.outputs):
        # Slot -1 is the constant 0; it lies before the others.
        slot = found(literal >> 1) if literal > 1 else -1
        steps.append((WRITE_NOT if literal & 1 else WRITE, j, slot, 0, 0))
    n_slots += 1
    vectors = max(1, min(MOST_VECTORS, CACHE_BYTES // (n_slots * target.lanes * 8)))
    tape = np.array(steps, dtype=np.int32)
    tape[:, 1:] += np.where(
        tape[:, :1] == READ, [[1, 0, 0, 0]], np.where(tape[:, :1] < READ, 1, [[0, 1, 0, 0]])
    )
    return Tape(tape, n_slots, vectors)


def tape_text(target: Target) -> str:
    """Return a module with ``run(inputs, outputs, n_words, steps, n_steps, slots, vectors)``.

    Inputs and outputs are arrays of addresses, one for each column. `n_words` is a multiple of the target's lanes.
    """
    f = Function(
        "run",
        [
            "ptr %in",
            "ptr %out",
            "i64 %n_words",
            "ptr %steps",
            "i64 %n_steps",
            "ptr %slots",
            "i64 %vectors",
        ],
        attributes="nounwind",
    )
    kind, align = f"<{target.lanes} x i64>", 8 * target.lanes
    ones = repeated("i64", -1, target.lanes)
    n = f.op(f"sdiv i64 %n_words, {target.lanes}")
    with f.loop(0, "%vectors") as v:
        f.do(f"store {kind} zeroinitializer, ptr {f.at(kind, '%slots', v)}, align {align}")
    with f.loop(0, n, "%vectors") as first:
        left = f.op(f"sub i64 {n}, {first}")
        few = f.op(f"icmp slt i64 {left}, %vectors")
        count = f.op(f"select i1 {few}, i64 {left}, i64 %vectors")
        with f.loop(0, "%n_steps") as step:
            here = f.at("[5 x i32]", "%steps", step)
            what, *numbers = (
                f.op(f"zext i32 {f.load('i32', f.at('i32', here, k), 4)} to i64") for k in range(5)
            )
            slots = [f.at(kind, "%slots", f.op(f"mul i64 {number}, %vectors")) for number in numbers]
            for case in f.switch(what, len(STEPS) + 3):
                if case < READ:
                    gate, negated = list(STEPS.values())[case]
                    with f.loop(0, count) as v:
                        read = [
                            f.load(kind, f.at(kind, slot, v), align) for slot in slots[1 : 1 + len(negated)]
                        ]

                        def value(literal: int, read: list[str] = read) -> str:
                            plain = read[literal >> 1]
                            return f.op(f"xor {kind} {plain}, {ones}") if literal & 1 else plain

                        literals = tuple(2 * k + flip for k, flip in enumerate(negated))
                        result = gate_text(f, target, gate, literals, value)
                        f.do(f"store {kind} {result}, ptr {f.at(kind, slots[0], v)}, align {align}")
                else:
                    table, number = ("%in", numbers[1]) if case == READ else ("%out", numbers[0])
                    column = f.load("ptr", f.at("ptr", table, number), 8)
                    with f.loop(0, count) as v:
                        word = f.op(f"mul i64 {f.op(f'add i64 {first}, {v}')}, {target.lanes}")
                        outside = f.at("i64", column, word)
                        if case == READ:
                            inside = f.at(kind, slots[0], v)
                            f.do(f"store {kind} {f.load(kind, outside, 8)}, ptr {inside}, align {align}")
                        else:
                            result = f.load(kind, f.at(kind, slots[1], v), align)
                            if case == WRITE_NOT:
                                result = f.op(f"xor {kind} {result}, {ones}")
                            f.do(f"store {kind} {result}, ptr {outside}, align 8")
    f.end()
    return str(f)
