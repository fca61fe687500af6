"""Layers of many inputs: their tables of weights, and the module that takes rows through all of them.

A tile of `TILE` rows goes through all layers before the next one is looked at, so that what one layer hands to the next stays in the
first cache. Rows come packed or as bytes of 0 and 1, and leave packed or as the numbers a network's call returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from limen.bits._costs import layer_cost
from limen.bits._llvm import Target
from limen.bits._matrix_text import (
    CONFIGURED,
    DECLARED,
    RELEASED,
    MatrixShape,
    matrix_limits,
    matrix_table,
    matrix_text,
)
from limen.bits._text import Function
from limen.bits._wide_text import TILE, Shape, layer_text
from limen.network import Layer
from limen.step import Array
from limen.words import WORD, words_for

__all__ = ["Wide", "WideLayer", "wide_layer", "wide_of"]

MANY = 24  # rows from which on matrix registers are quicker
LINE = 64  # bytes of a cache line, and of the widest register


@dataclass(frozen=True)
class MatrixLayer:
    """One layer as tables of bytes; see `_matrix_text`."""

    shape: MatrixShape
    table: Array
    limits: Array


@dataclass(frozen=True)
class WideLayer:
    """One layer as tables of bits.

    Parameters
    ----------
    shape : Shape
    decide : str
        Heaviside, hardmax, sign or identity.
    table : ndarray of uint64
        Blocks of neurons; in each, planes, words, vectors; of each vector the signs and, if masked, the mask.
    limits : ndarray of int64, shape (blocks * block,)
        The count from which on a neuron fires.
    matrix : MatrixLayer, optional
        The same for matrix registers, where they are quicker for all but a few rows.
    """

    shape: Shape
    decide: str
    table: Array
    limits: Array
    matrix: MatrixLayer | None


@dataclass(frozen=True)
class Wide:
    """The text of a module, its tables, and the memory it works in.

    Parameters
    ----------
    text : str
    tables : ndarray of uint8
        All tables, each at a multiple of a cache line.
    scratch_bytes : int
    returns : str
        What one output is: ``"i8"`` or ``"i64"``.
    """

    text: str
    tables: Array
    scratch_bytes: int
    returns: str


def wide_layer(layer: Layer, target: Target) -> WideLayer:
    """Return the tables of a layer that reads zeros and ones."""
    weights, n, cost = layer.dense(), layer.n_neurons, layer_cost(layer, target)
    sizes, shape = np.abs(weights), cost.shape
    signs = _columns_as_words(weights < 0, shape)
    parts = np.zeros(
        (shape.blocks, shape.planes, shape.words, shape.vectors, 1 + shape.masked, shape.lanes),
        dtype=np.uint64,
    )
    for k, p in enumerate(shape.bits):
        parts[:, k, :, :, 0] = signs
        if shape.masked:
            parts[:, k, :, :, 1] = _columns_as_words((sizes >> p & 1).astype(bool), shape)
    limits = np.full(shape.blocks * shape.block, np.iinfo(np.int64).max)
    limits[:n] = np.where(weights < 0, sizes, 0).sum(axis=0) - layer.bias
    matrix, of_matrix = None, cost.matrix_shape
    if of_matrix is not None:
        scores = layer.activation != "heaviside"
        matrix = MatrixLayer(
            of_matrix,
            matrix_table(weights, of_matrix),
            matrix_limits(weights, layer.bias, of_matrix, scores=scores),
        )
    return WideLayer(shape, layer.activation, parts.ravel(), limits, matrix)


def _columns_as_words(bits: Array, shape: Shape) -> Array:
    """Return bits of (inputs, neurons) as words of shape (blocks, words, vectors, lanes)."""
    n_inputs, n = bits.shape
    padded = np.zeros((shape.blocks * shape.block, shape.words * WORD), dtype=bool)
    padded[:n, :n_inputs] = bits.T
    words = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    split = words.reshape(shape.blocks, shape.vectors, shape.lanes, shape.words)
    return split.transpose(0, 3, 1, 2)


def wide_of(layers: Sequence[WideLayer], n_inputs: int, target: Target) -> Wide:
    """Return the module of layers: ``words`` and ``numbers``.

    ``words(rows, n, tables, scratch, out)`` takes packed rows and returns packed outputs; ``numbers(X, stride, n, tables, scratch,
    out)`` takes bytes of 0 and 1 and returns int8, or int64 from an identity layer, and what it returns itself is above 1 where a byte
    was neither 0 nor 1. ``scores(rows, n, tables, scratch, out)`` and ``words`` of an identity layer return int64.
    """
    arrays = [(layer.table, layer.limits) for layer in layers]
    arrays += [(layer.matrix.table, layer.matrix.limits) for layer in layers if layer.matrix is not None]
    places, tables = _laid_out([array for pair in arrays for array in pair])
    scratch, size = [], 0
    for words in [layers[0].shape.words, *(layer.shape.out_words for layer in layers)]:
        scratch.append(size)
        size += -(-TILE * 8 * words // LINE) * LINE
    scores = size
    size += TILE * 8 * max(layer.shape.sums for layer in layers)
    room = size
    size += TILE * WORD * max((layer.shape.words for layer in layers if layer.matrix is not None), default=0)
    bits = 2 * layers[-1].shape.neurons if layers[-1].decide == "sign" else layers[-1].shape.neurons
    text = [
        layer_text(f"layer{k}", layer.shape, target, scores=layer.decide != "heaviside")
        for k, layer in enumerate(layers)
    ]
    text += [
        matrix_text(f"matrix{k}", layer.matrix.shape, scores=layer.decide != "heaviside")
        for k, layer in enumerate(layers)
        if layer.matrix is not None
    ]
    if room < size:
        text.append(DECLARED)
    text += [
        _winners(f"winners{k}", layer.shape) for k, layer in enumerate(layers) if layer.decide == "hardmax"
    ]
    text.append(_through(layers, places, scratch, scores, room))
    text.append(_pack(n_inputs))
    numbers = "i64" if layers[-1].decide == "identity" else "i8"
    finish = {"heaviside": _bytes_of_bits, "hardmax": _bytes_of_bits, "sign": _signs, "identity": _sums}
    text.append(finish[layers[-1].decide](layers[-1].shape))
    if layers[-1].decide == "sign":
        text.append(_sign_pairs(layers[-1].shape))
    text.append(_words_driver(layers, scratch, scores, bits))
    text.append(_numbers_driver(layers, n_inputs, scratch, scores, numbers))
    return Wide("\n\n".join(text), tables, size, numbers)


def _laid_out(arrays: Sequence[Array]) -> tuple[list[int], Array]:
    """Return where each array begins, and all of them behind one another."""
    places, size = [], 0
    for array in arrays:
        places.append(size)
        size += -(-array.nbytes // LINE) * LINE
    room = np.zeros(size + LINE, dtype=np.uint8)
    start = -room.ctypes.data % LINE
    tables = room[start : start + size]
    for place, array in zip(places, arrays, strict=True):
        tables[place : place + array.nbytes] = array.view(np.uint8)
    tables.flags.writeable = False
    return places, tables


# The parts of the module ------------------------------------------------------------------------------------------


def _through(
    layers: Sequence[WideLayer], places: list[int], scratch: list[int], scores: int, room: int
) -> str:
    """Return the function that takes up to a tile of packed rows through all layers."""
    f = Function(
        "through",
        ["ptr %rows", "i64 %n", "ptr %tables", "ptr %scratch"],
        internal=True,
        attributes="noinline nounwind",
    )

    def chain(*, by_matrix: bool) -> None:
        rows, stride, table = "%rows", 8 * layers[0].shape.words, 2 * len(layers)
        for k, layer in enumerate(layers):
            out = f.at("i8", "%scratch", scratch[k + 1] if layer.decide == "heaviside" else scores)
            multiplies = by_matrix and layer.matrix is not None
            first = table if multiplies else 2 * k
            tables = ", ".join(f"ptr {f.at('i8', '%tables', places[first + part])}" for part in range(2))
            given = f"ptr {rows}, i64 {stride}, i64 %n, {tables}, ptr {out}"
            if multiplies:
                f.do(f"call void @matrix{k}({given}, ptr {f.at('i8', '%scratch', room)})")
            else:
                f.do(f"call void @layer{k}({given})")
            table += 2 * (layer.matrix is not None)
            if layer.decide == "hardmax":
                sums, out = out, f.at("i8", "%scratch", scratch[k + 1])
                f.do(f"call void @winners{k}(ptr {sums}, i64 %n, ptr {out})")
            rows, stride = out, 8 * layer.shape.out_words

    if any(layer.matrix is not None for layer in layers):
        for many in f.switch(f.op(f"zext i1 {f.op(f'icmp sge i64 %n, {MANY}')} to i64"), 2):
            if many:
                f.do(CONFIGURED)
            chain(by_matrix=bool(many))
            if many:
                f.do(RELEASED)
    else:
        chain(by_matrix=False)
    f.end()
    return str(f)


def _winners(name: str, shape: Shape) -> str:
    """Return the function that sets the bit of each row's largest net input, the first of equals."""
    f = Function(name, ["ptr %sums", "i64 %n", "ptr %out"], internal=True, attributes="noinline nounwind")
    best, place = f.slot("i64"), f.slot("i64")
    with f.loop(0, "%n") as row:
        sums = f.at("i64", "%sums", f.op(f"mul i64 {row}, {shape.sums}"))
        out = f.at("i64", "%out", f.op(f"mul i64 {row}, {shape.out_words}"))
        f.put("i64", f.load("i64", sums, 8), best)
        f.put("i64", "0", place)
        with f.loop(1, shape.neurons) as k:
            z, most = f.load("i64", f.at("i64", sums, k), 8), f.get("i64", best)
            more = f.op(f"icmp sgt i64 {z}, {most}")
            f.put("i64", f.op(f"select i1 {more}, i64 {z}, i64 {most}"), best)
            f.put("i64", f.op(f"select i1 {more}, i64 {k}, i64 {f.get('i64', place)}"), place)
        with f.loop(0, shape.out_words) as word:
            f.do(f"store i64 0, ptr {f.at('i64', out, word)}, align 8")
        winner = f.get("i64", place)
        bit = f.op(f"shl i64 1, {f.op(f'and i64 {winner}, 63')}")
        f.do(f"store i64 {bit}, ptr {f.at('i64', out, f.op(f'lshr i64 {winner}, 6'))}, align 8")
    f.end()
    return str(f)


def _pack(n_inputs: int) -> str:
    """Return the function that packs bytes, and returns the OR of all of them."""
    f = Function(
        "pack",
        ["ptr %X", "i64 %stride", "i64 %n", "ptr %out"],
        returns="i8",
        internal=True,
        attributes="noinline nounwind",
    )
    all_bytes, rest = "<64 x i8>", n_inputs % WORD
    seen, tail = f.slot(all_bytes, "zeroinitializer"), f.slot(all_bytes, "zeroinitializer")
    whole = n_inputs // WORD
    with f.loop(0, "%n") as row:
        here = f.at("i8", "%X", f.op(f"mul i64 {row}, %stride"))
        out = f.at("i64", "%out", f.op(f"mul i64 {row}, {words_for(n_inputs)}"))

        def word(values: str, place: str) -> None:
            f.put(all_bytes, f.op(f"or {all_bytes} {f.get(all_bytes, seen)}, {values}"), seen)
            ones = f.op(f"icmp ne {all_bytes} {values}, zeroinitializer")
            packed = f.op(f"bitcast <64 x i1> {ones} to i64")
            f.do(f"store i64 {packed}, ptr {place}, align 8")

        with f.loop(0, whole) as k:
            word(f.load(all_bytes, f.at(all_bytes, here, k), 1), f.at("i64", out, k))
        if rest:
            last = f.at("i8", here, whole * WORD)
            f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {tail}, ptr {last}, i64 {rest}, i1 false)")
            word(f.get(all_bytes, tail), f.at("i64", out, whole))
    f.end(f.op(f"call i8 @llvm.vector.reduce.or.v64i8({all_bytes} {f.get(all_bytes, seen)})"))
    return str(f)


_FINISH = ["ptr %from", "i64 %n", "ptr %out"]


def _bytes_of_bits(shape: Shape) -> str:
    """Return the function that writes packed outputs as int8."""
    f = Function("finish", _FINISH, internal=True, attributes="noinline nounwind")
    part = f.slot("<64 x i8>")
    with f.loop(0, "%n") as row:
        bits = f.at("i64", "%from", f.op(f"mul i64 {row}, {shape.out_words}"))
        out = f.at("i8", "%out", f.op(f"mul i64 {row}, {shape.neurons}"))
        with f.loop(0, shape.neurons // WORD) as word:
            _spread(f, bits, out, word, WORD, part)
        if shape.neurons % WORD:
            _spread(f, bits, out, str(shape.neurons // WORD), shape.neurons % WORD, part)
    f.end()
    return str(f)


def _spread(f: Function, bits: str, out: str, word: str, n: int, part: str) -> None:
    packed = f.load("i64", f.at("i64", bits, word), 8)
    spread = f.op(f"zext <64 x i1> {f.op(f'bitcast i64 {packed} to <64 x i1>')} to <64 x i8>")
    place = f.at("<64 x i8>", out, word)
    if n == WORD:
        f.do(f"store <64 x i8> {spread}, ptr {place}, align 1")
    else:
        f.put("<64 x i8>", spread, part)
        f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {place}, ptr {part}, i64 {n}, i1 false)")


def _signs(shape: Shape) -> str:
    """Return the function that writes the signs of net inputs as int8."""
    f = Function("finish", _FINISH, internal=True, attributes="noinline nounwind")
    with f.loop(0, "%n") as row:
        sums = f.at("i64", "%from", f.op(f"mul i64 {row}, {shape.sums}"))
        out = f.at("i8", "%out", f.op(f"mul i64 {row}, {shape.neurons}"))
        with f.loop(0, shape.neurons) as k:
            z = f.load("i64", f.at("i64", sums, k), 8)
            above = f.op(f"zext i1 {f.op(f'icmp sgt i64 {z}, 0')} to i8")
            below = f.op(f"zext i1 {f.op(f'icmp slt i64 {z}, 0')} to i8")
            f.do(f"store i8 {f.op(f'sub i8 {above}, {below}')}, ptr {f.at('i8', out, k)}, align 1")
    f.end()
    return str(f)


def _sign_pairs(shape: Shape) -> str:
    """Return the function that writes two bits for each sign: whether it isn't 0, and whether it is -1."""
    f = Function("pairs", _FINISH, internal=True, attributes="noinline nounwind")
    words = words_for(2 * shape.neurons)
    with f.loop(0, "%n") as row:
        sums = f.at("i64", "%from", f.op(f"mul i64 {row}, {shape.sums}"))
        out = f.at("i64", "%out", f.op(f"mul i64 {row}, {words}"))
        with f.loop(0, words) as word:
            f.do(f"store i64 0, ptr {f.at('i64', out, word)}, align 8")
        with f.loop(0, shape.neurons) as k:
            z = f.load("i64", f.at("i64", sums, k), 8)
            other = f.op(f"zext i1 {f.op(f'icmp ne i64 {z}, 0')} to i64")
            below = f.op(f"zext i1 {f.op(f'icmp slt i64 {z}, 0')} to i64")
            pair = f.op(f"or i64 {other}, {f.op(f'shl i64 {below}, 1')}")
            bit = f.op(f"shl i64 {k}, 1")
            place = f.at("i64", out, f.op(f"lshr i64 {bit}, 6"))
            shifted = f.op(f"shl i64 {pair}, {f.op(f'and i64 {bit}, 63')}")
            both = f.op(f"or i64 {f.load('i64', place, 8)}, {shifted}")
            f.do(f"store i64 {both}, ptr {place}, align 8")
    f.end()
    return str(f)


def _sums(shape: Shape) -> str:
    """Return the function that writes net inputs as int64."""
    f = Function("finish", _FINISH, internal=True, attributes="noinline nounwind")
    with f.loop(0, "%n") as row:
        sums = f.at("i64", "%from", f.op(f"mul i64 {row}, {shape.sums}"))
        out = f.at("i64", "%out", f.op(f"mul i64 {row}, {shape.neurons}"))
        f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {out}, ptr {sums}, i64 {8 * shape.neurons}, i1 false)")
    f.end()
    return str(f)


def _tiles(f: Function, body: Callable[[str, str], None]) -> None:
    """Add a loop over tiles; `body` takes the first row of each and how many there are."""
    with f.loop(0, "%n", TILE) as first:
        body(first, f.least(f.op(f"sub i64 %n, {first}"), TILE))


def _words_driver(layers: Sequence[WideLayer], scratch: list[int], scores: int, bits: int) -> str:
    f = Function(
        "words",
        ["ptr %rows", "i64 %n", "ptr %tables", "ptr %scratch", "ptr %out"],
        attributes="nounwind",
    )
    decide = layers[-1].decide

    def tile(first: str, n: str) -> None:
        here = f.at("i64", "%rows", f.op(f"mul i64 {first}, {layers[0].shape.words}"))
        f.do(f"call void @through(ptr {here}, i64 {n}, ptr %tables, ptr %scratch)")
        if decide in {"heaviside", "hardmax"}:
            words = layers[-1].shape.out_words
            there = f.at("i64", "%out", f.op(f"mul i64 {first}, {words}"))
            made = f.at("i8", "%scratch", scratch[-1])
            size = f.op(f"mul i64 {n}, {8 * words}")
            f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {there}, ptr {made}, i64 {size}, i1 false)")
        else:
            width = words_for(bits) if decide == "sign" else layers[-1].shape.neurons
            there = f.at("i64", "%out", f.op(f"mul i64 {first}, {width}"))
            made = f.at("i8", "%scratch", scores)
            name = "pairs" if decide == "sign" else "finish"
            f.do(f"call void @{name}(ptr {made}, i64 {n}, ptr {there})")

    _tiles(f, tile)
    f.end()
    return str(f)


def _numbers_driver(
    layers: Sequence[WideLayer], n_inputs: int, scratch: list[int], scores: int, kind: str
) -> str:
    f = Function(
        "numbers",
        ["ptr %X", "i64 %stride", "i64 %n", "ptr %tables", "ptr %scratch", "ptr %out"],
        returns="i8",
        attributes="nounwind",
    )
    seen = f.slot("i8", "0")

    def tile(first: str, n: str) -> None:
        here = f.at("i8", "%X", f.op(f"mul i64 {first}, %stride"))
        packed = f.at("i8", "%scratch", scratch[0])
        found = f.op(f"call i8 @pack(ptr {here}, i64 %stride, i64 {n}, ptr {packed})")
        f.put("i8", f.op(f"or i8 {found}, {f.get('i8', seen)}"), seen)
        f.do(f"call void @through(ptr {packed}, i64 {n}, ptr %tables, ptr %scratch)")
        made = f.at(
            "i8", "%scratch", scratch[-1] if layers[-1].decide in {"heaviside", "hardmax"} else scores
        )
        there = f.at(kind, "%out", f.op(f"mul i64 {first}, {layers[-1].shape.neurons}"))
        f.do(f"call void @finish(ptr {made}, i64 {n}, ptr {there})")

    _tiles(f, tile)
    f.end(f.get("i8", seen))
    return str(f)
