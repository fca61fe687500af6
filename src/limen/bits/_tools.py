"""What every program needs of the processor: bits turned from rows to columns and back, numbers compared with cut points.

A square of 64 × 64 bits is turned in six stages: stage j swaps, between rows whose numbers differ in bit j only, the columns that
differ in bit j only. Both kinds of function are compiled once, when they are first needed.

References
----------
H. S. Warren (2012), "Hacker's Delight", 2nd edition, section 7-3: transposing a bit matrix.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from limen.bits._llvm import compiled, host
from limen.bits._text import Function, repeated
from limen.step import Array
from limen.words import WORD, pack, words_for

__all__ = ["aligned", "packed", "reaching", "ready", "transposed"]

LINE = 64  # bytes of a cache line, and of the widest register
_MASKS = {
    1: 0x5555555555555555,
    2: 0x3333333333333333,
    4: 0x0F0F0F0F0F0F0F0F,
    8: 0x00FF00FF00FF00FF,
    16: 0x0000FFFF0000FFFF,
    32: 0x00000000FFFFFFFF,
}


def aligned(shape: tuple[int, ...], dtype: Any = np.uint64) -> Array:
    """Return an array of zeros that begins at a cache line."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    room = np.zeros(size + LINE, dtype=np.uint8)
    start = -room.ctypes.data % LINE
    found: Array = room[start : start + size].view(dtype).reshape(shape)
    return found


def packed(X: Array) -> Array:
    """Return rows of bytes, all 0 or 1, as rows of words: `limen.words.pack`, faster.

    Parameters
    ----------
    X : ndarray of uint8, shape (n_rows, n), contiguous
    """
    n_rows, n = X.shape
    out = np.empty((n_rows, words_for(n)), dtype=np.uint64)
    # Whole words are read, the last of a row beyond its end; the last rows must not read beyond the table's.
    safe = max(0, n_rows - -(-WORD // max(n, 1)))
    if safe and n:
        _functions()["pack"](X.ctypes.data, n, safe, out.ctypes.data)
    out[safe:] = pack(X[safe:])
    return out


def transposed(words: Array, n_bits: int) -> Array:
    """Return packed rows as packed columns, or the other way round.

    Parameters
    ----------
    words : ndarray of uint64, shape (n_rows, ⌈n_bits / 64⌉), rows contiguous
    n_bits : int
        What lies beyond in a row is ignored.

    Returns
    -------
    ndarray of uint64, shape (n_bits, ⌈n_rows / 64⌉)
        Padding is zero.
    """
    n_rows = len(words)
    out = np.empty((n_bits, words_for(n_rows)), dtype=np.uint64)
    if out.size:
        stride = words.strides[0] // 8
        _functions()["transpose"](words.ctypes.data, stride, n_rows, n_bits, out.ctypes.data, out.shape[1])
    return out


def reaching(values: Array, cut: float | int, out: Array) -> None:
    """Write, into whole words, which of the values reach a cut point: ``values >= cut``.

    Parameters
    ----------
    values : ndarray of float64 or int64, contiguous
    cut : float or int
        Of the same type as `values`. NaN reaches nothing.
    out : ndarray of uint64
        One word for each 64 values; padding is zero.
    """
    kind = "double" if values.dtype == np.float64 else "i64"
    whole = len(values) // WORD
    function = _functions()[kind]
    if whole:
        function(values.ctypes.data, whole, cut, out.ctypes.data)
    rest = len(values) % WORD
    if rest:
        bits = int.from_bytes(np.packbits(values[-rest:] >= cut, bitorder="little").tobytes(), "little")
        out[whole] = bits


def ready() -> None:
    """Compile all this, if it wasn't: what is compiled ahead isn't waited for by the first rows."""
    _functions()


@cache
def _functions() -> dict[str, Any]:
    text = "\n\n".join([_pack_text(), _transpose_text(), _reaching_text("double"), _reaching_text("i64")])
    code = compiled(text, host())
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    return {
        "code": code,
        "pack": code.function("pack", [pointer, number, number, pointer]),
        "transpose": code.function("transpose", [pointer, number, number, number, pointer, number]),
        "double": code.function("reach_double", [pointer, number, ctypes.c_double, pointer]),
        "i64": code.function("reach_i64", [pointer, number, number, pointer]),
    }


def _pack_text() -> str:
    f = Function("pack", ["ptr %X", "i64 %n", "i64 %n_rows", "ptr %out"], attributes="nounwind")
    vector = "<64 x i8>"
    whole, rest = f.op("lshr i64 %n, 6"), f.op("and i64 %n, 63")
    n_words = f.op(f"lshr i64 {f.op('add i64 %n, 63')}, 6")
    mask = f.op(f"sub i64 {f.op(f'shl i64 1, {rest}')}, 1")
    with f.loop(0, "%n_rows") as row:
        here = f.at("i8", "%X", f.op(f"mul i64 {row}, %n"))
        out = f.at("i64", "%out", f.op(f"mul i64 {row}, {n_words}"))
        with f.loop(0, n_words) as k:
            values = f.load(vector, f.at(vector, here, k), 1)
            word = f.op(f"bitcast <64 x i1> {f.op(f'icmp ne {vector} {values}, zeroinitializer')} to i64")
            last = f.op(f"icmp eq i64 {k}, {whole}")
            kept = f.op(f"select i1 {last}, i64 {f.op(f'and i64 {word}, {mask}')}, i64 {word}")
            f.do(f"store i64 {kept}, ptr {f.at('i64', out, k)}, align 8")
    f.end()
    return str(f)


def _reaching_text(kind: str) -> str:
    f = Function(
        f"reach_{kind}", ["ptr %values", "i64 %n", f"{kind} %cut", "ptr %out"], attributes="nounwind"
    )
    vector = f"<64 x {kind}>"
    cut = f.splat(vector, kind, "%cut", 64)
    compare = "fcmp oge" if kind == "double" else "icmp sge"
    with f.loop(0, "%n") as k:
        values = f.load(vector, f.at(vector, "%values", k), 8)
        reached = f.op(f"bitcast <64 x i1> {f.op(f'{compare} {vector} {values}, {cut}')} to i64")
        f.do(f"store i64 {reached}, ptr {f.at('i64', '%out', k)}, align 8")
    f.end()
    return str(f)


def _transpose_text() -> str:
    f = Function(
        "transpose",
        ["ptr %rows", "i64 %stride", "i64 %n_rows", "i64 %n_bits", "ptr %out", "i64 %out_stride"],
        attributes="nounwind",
    )
    square = f.slot("[64 x i64]")
    kind = "<8 x i64>"
    with f.loop(0, "%n_rows", WORD) as first, f.loop(0, "%n_bits", WORD) as left:
        present = f.least(f.op(f"sub i64 %n_rows, {first}"), WORD)
        with f.loop(0, present) as k:
            row = f.at("i64", "%rows", f.op(f"mul i64 {f.op(f'add i64 {first}, {k}')}, %stride"))
            word = f.load("i64", f.at("i64", row, f.op(f"lshr i64 {left}, 6")), 8)
            f.do(f"store i64 {word}, ptr {f.at('i64', square, k)}, align 8")
        with f.loop(present, WORD) as k:
            f.do(f"store i64 0, ptr {f.at('i64', square, k)}, align 8")
        rows = [f.load(kind, f.at(kind, square, eight), 8) for eight in range(8)]
        for j in (32, 16, 8):
            for eight in range(8):
                if not eight & j // 8:
                    low, high = rows[eight], rows[eight | j // 8]
                    rows[eight], rows[eight | j // 8] = _low(f, low, high, j), _high(f, high, low, j)
        for j in (4, 2, 1):
            order = ", ".join(f"i32 {lane ^ j}" for lane in range(8))
            upper = ", ".join(f"i1 {'true' if lane & j else 'false'}" for lane in range(8))
            for eight, own in enumerate(rows):
                other = f.op(f"shufflevector {kind} {own}, {kind} poison, <8 x i32> <{order}>")
                low, high = _low(f, own, other, j), _high(f, own, other, j)
                rows[eight] = f.op(f"select <8 x i1> <{upper}>, {kind} {high}, {kind} {low}")
        for eight, row in enumerate(rows):
            f.do(f"store {kind} {row}, ptr {f.at(kind, square, eight)}, align 8")
        with f.loop(0, f.least(f.op(f"sub i64 %n_bits, {left}"), WORD)) as k:
            out = f.at("i64", "%out", f.op(f"mul i64 {f.op(f'add i64 {left}, {k}')}, %out_stride"))
            word = f.load("i64", f.at("i64", square, k), 8)
            f.do(f"store i64 {word}, ptr {f.at('i64', out, f.op(f'lshr i64 {first}, 6'))}, align 8")
    f.end()
    return str(f)


def _low(f: Function, own: str, other: str, j: int) -> str:
    """Return a row without bit j: its own columns without bit j, and after them those of the other row."""
    mask, by = repeated("i64", _MASKS[j], 8), repeated("i64", j, 8)
    kept, taken = f.op(f"and <8 x i64> {own}, {mask}"), f.op(f"and <8 x i64> {other}, {mask}")
    return f.op(f"or <8 x i64> {kept}, {f.op(f'shl <8 x i64> {taken}, {by}')}")


def _high(f: Function, own: str, other: str, j: int) -> str:
    """Return a row with bit j: before its own columns with bit j those of the other row."""
    mask, by = repeated("i64", _MASKS[j], 8), repeated("i64", j, 8)
    rest = repeated("i64", _MASKS[j] ^ 0xFFFFFFFFFFFFFFFF, 8)
    kept = f.op(f"and <8 x i64> {own}, {rest}")
    moved = f.op(f"lshr <8 x i64> {other}, {by}")
    return f.op(f"or <8 x i64> {kept}, {f.op(f'and <8 x i64> {moved}, {mask}')}")
