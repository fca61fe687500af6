"""Wide layers on a processor's matrix registers (AMX) as LLVM text: bytes, products, sums of 32 bits.

A matrix register holds 16 rows of 64 bytes. A tile of 32 rows by 32 neurons is four registers of sums; for each word of the inputs
two registers of rows and two of weights are loaded, and four instructions add their products to the sums:

    sums[row, neuron] += Σ over 64 inputs of row's byte * weight

Rows come packed. They are spread out to bytes of 0 and 1 first, the 64 bytes of a word behind one another for 16 rows, as they
will be loaded. Weights of one byte cost the same whatever they are. A neuron fires where its sum reaches its limit.

Weights lie in the order the instruction wants (Intel, 2021, Architecture Instruction Set Extensions Programming Reference,
TDPBUSD): four inputs of one neuron, then those of the next neuron, 16 neurons a line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen.bits._text import Function
from limen.step import Array
from limen.words import WORD

__all__ = [
    "CONFIGURED",
    "DECLARED",
    "RELEASED",
    "ROWS",
    "MatrixShape",
    "fits",
    "matrix_limits",
    "matrix_table",
    "matrix_text",
]

ROWS = 32  # of a tile
SIDE = 16  # rows of a matrix register, and neurons
REGISTER = 1024  # bytes

_LAYOUT = bytes([1, *[0] * 15]) + b"\x40\x00" * 8 + bytes(16) + bytes([SIDE] * 8) + bytes(8)
_TEXT = "".join(f"\\{byte:02x}" for byte in _LAYOUT)
DECLARED = f'@registers = internal constant [64 x i8] c"{_TEXT}", align 64'
"""What the eight registers are: 16 rows of 64 bytes each."""
CONFIGURED = "call void @llvm.x86.ldtilecfg(ptr @registers)"
RELEASED = "call void @llvm.x86.tilerelease()"


@dataclass(frozen=True)
class MatrixShape:
    """What the loops of one layer look like.

    Parameters
    ----------
    words : int
        64-bit words of a row of inputs.
    neurons : int
    """

    words: int
    neurons: int

    @property
    def across(self) -> int:
        """Registers of neurons in a block."""
        return 1 if self.neurons <= SIDE else 2

    @property
    def block(self) -> int:
        """Neurons of a block."""
        return SIDE * self.across

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.neurons // self.block)

    @property
    def out_words(self) -> int:
        """64-bit words of a row of outputs."""
        return -(-self.neurons // WORD)

    @property
    def sums(self) -> int:
        """Net inputs of a row in memory: whole blocks, of either kind."""
        return -(-self.neurons // 32) * 32


def fits(weights: Array, n_inputs: int) -> bool:
    """Whether all weights are bytes, and no sum of a layer leaves 32 bits."""
    bytes_ = not weights.size or (weights.min() >= -128 and weights.max() <= 127)
    return bool(bytes_) and n_inputs < 1 << 23


def matrix_limits(weights: Array, bias: Array, shape: MatrixShape, *, scores: bool) -> Array:
    """Return from which sum on each neuron fires, int32; with `scores` what is taken from a sum, int64."""
    least, most = (np.minimum(weights, 0).sum(axis=0), np.maximum(weights, 0).sum(axis=0))
    limits = np.full(shape.blocks * shape.block, 0 if scores else np.iinfo(np.int32).max)
    limits[: shape.neurons] = -bias if scores else np.clip(-bias, least, most + 1)
    return limits if scores else limits.astype(np.int32)


def matrix_table(weights: Array, shape: MatrixShape) -> Array:
    """Return int8 weights of shape (inputs, neurons) as blocks of registers, in the order they will be loaded."""
    padded = np.zeros((shape.words * WORD, shape.blocks * shape.block), dtype=np.int8)
    padded[: weights.shape[0], : weights.shape[1]] = weights
    parts = padded.reshape(shape.words, SIDE, 4, shape.blocks, shape.across, SIDE)
    return np.ascontiguousarray(parts.transpose(3, 0, 4, 1, 5, 2)).ravel()


def matrix_text(name: str, shape: MatrixShape, *, scores: bool) -> str:
    """Return the function of a layer: ``(rows, stride, n, table, limits, out, room)``.

    It takes `n` packed rows, `stride` bytes apart, and writes packed outputs, or with `scores` the net inputs as int64, whole
    blocks a row; rows up to the next multiple of 32 are written too. Limits are int32, with `scores` int64. `room` holds
    64 bytes for each word of as many rows.
    """
    f = Function(
        name,
        [
            "ptr %rows",
            "i64 %stride",
            "i64 %n",
            "ptr noalias %table",
            "ptr noalias %limits",
            "ptr noalias %out",
            "ptr noalias %room",
        ],
        internal=True,
        attributes="noinline nounwind",
    )
    sums = f.slot(f"[{4 * REGISTER} x i8]", align=64)
    _spread(f, shape)
    with f.loop(0, shape.blocks) as block, f.loop(0, "%n", ROWS) as row:
        panel = f.at("i8", "%table", f.op(f"mul i64 {block}, {shape.words * shape.across * REGISTER}"))
        tiles = f.at("i8", "%room", f.op(f"mul i64 {row}, {shape.words * REGISTER // SIDE}"))
        for register in range(2 * shape.across):
            f.do(f"call void @llvm.x86.tilezero(i8 {register})")
        with f.loop(0, shape.words) as k:
            _products(f, shape, tiles, panel, k)
        for register in range(2 * shape.across):
            place = f.at("i8", sums, REGISTER * register)
            f.do(f"call void @llvm.x86.tilestored64(i8 {register}, ptr {place}, i64 64)")
        if scores:
            _net_inputs(f, shape, sums, row, block)
        else:
            _fires(f, shape, sums, row, block)
    f.end()
    return str(f)


def _spread(f: Function, shape: MatrixShape) -> None:
    """Write packed rows as bytes of 0 and 1 to where they will be loaded from."""
    with f.loop(0, "%n") as row:
        here = f.at("i8", "%rows", f.op(f"mul i64 {row}, %stride"))
        sixteen = f.op(f"mul i64 {f.op(f'lshr i64 {row}, 4')}, {shape.words * REGISTER}")
        line = f.op(f"shl i64 {f.op(f'and i64 {row}, {SIDE - 1}')}, 6")
        there = f.at("i8", "%room", f.op(f"add i64 {sixteen}, {line}"))
        with f.loop(0, shape.words) as k:
            word = f.op(f"bitcast i64 {f.load('i64', f.at('i64', here, k), 8)} to <64 x i1>")
            spread = f.op(f"zext <64 x i1> {word} to <64 x i8>")
            f.do(f"store <64 x i8> {spread}, ptr {f.at(f'[{REGISTER} x i8]', there, k)}, align 64")


def _products(f: Function, shape: MatrixShape, tiles: str, panel: str, k: str) -> None:
    """Add the products of one word of the inputs: registers 0 to 3 are sums, 4 and 5 rows, 6 and 7 weights."""
    across = shape.across
    first = f.op(f"mul i64 {k}, {across}")
    for i in range(2):
        left = f.at(f"[{REGISTER} x i8]", tiles, f.op(f"add i64 {k}, {i * shape.words}"))
        f.do(f"call void @llvm.x86.tileloadd64(i8 {4 + i}, ptr {left}, i64 64)")
        for j in range(across):
            if i == 0:
                place = f.at(f"[{REGISTER} x i8]", panel, f.op(f"add i64 {first}, {j}"))
                f.do(f"call void @llvm.x86.tileloadd64(i8 {6 + j}, ptr {place}, i64 64)")
            f.do(f"call void @llvm.x86.tdpbusd(i8 {i * across + j}, i8 {4 + i}, i8 {6 + j})")


def _sums(f: Function, shape: MatrixShape, sums: str, r: int, j: int) -> str:
    """Return the sums of a row of the tile, for 16 neurons."""
    at = (r // SIDE * shape.across + j) * REGISTER + r % SIDE * 64
    return f.load("<16 x i32>", f.at("i8", sums, at), 64)


def _fires(f: Function, shape: MatrixShape, sums: str, row: str, block: str) -> None:
    """Write which neurons fire."""
    first = f.at("i32", "%limits", f.op(f"mul i64 {block}, {shape.block}"))
    limits = [f.load("<16 x i32>", f.at("i32", first, SIDE * j), 64) for j in range(shape.across)]
    column = f.at("i8", "%out", f.op(f"mul i64 {block}, {shape.block // 8}"))
    place = f.at("i64", column, f.op(f"mul i64 {row}, {shape.out_words}"))
    for r in range(ROWS):
        fires = [
            f.op(f"icmp sge <16 x i32> {_sums(f, shape, sums, r, j)}, {limit}")
            for j, limit in enumerate(limits)
        ]
        packed = f.op(f"bitcast <{shape.block} x i1> {f.joined(fires, SIDE)} to i{shape.block}")
        f.do(f"store i{shape.block} {packed}, ptr {f.at('i64', place, r * shape.out_words)}, align 1")


def _net_inputs(f: Function, shape: MatrixShape, sums: str, row: str, block: str) -> None:
    """Write net inputs."""
    offset = f.op(f"mul i64 {block}, {shape.block}")
    first = f.at("i64", "%limits", offset)
    limits = [f.load("<16 x i64>", f.at("i64", first, SIDE * j), 64) for j in range(shape.across)]
    place = f.at("i64", f.at("i64", "%out", offset), f.op(f"mul i64 {row}, {shape.sums}"))
    for r in range(ROWS):
        for j, limit in enumerate(limits):
            z = f.op(f"sext <16 x i32> {_sums(f, shape, sums, r, j)} to <16 x i64>")
            there = f.at("i64", place, r * shape.sums + SIDE * j)
            f.do(f"store <16 x i64> {f.op(f'sub <16 x i64> {z}, {limit}')}, ptr {there}, align 8")
