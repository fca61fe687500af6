"""Wide layers as LLVM text: XOR or AND, population count, add; a tile of rows by a block of neurons stays in registers.

A row is packed: input j is bit j % 64 of word j // 64. A *block* is a few vectors of neurons, one neuron to each 64-bit lane; the
table of a block holds, for each word of the inputs, one vector of weights after the other. So the inner loop loads a word
of a row into all lanes, and each lane counts the bits of its own neuron:

    count[row, neuron] += popcount((row's word XOR signs) AND mask)

Where weights are -1 and 1 the mask is dropped. Larger weights are bit planes, the highest first: after each plane the counts
are doubled. A neuron fires where its count reaches its limit; the net input is count minus limit.

Processors that can't count the bits of words count those of bytes, up to 31 words before the bytes are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from limen.bits._llvm import Target
from limen.bits._text import Function, repeated
from limen.step import Array

__all__ = ["LIMIT", "TILE", "Shape", "layer_text", "planes_of", "shaped"]

TILE = 192  # rows that go through all layers: a multiple of every tile, little enough for the nearest caches
LIMIT = 31  # words whose bits a byte can count: 8 * 31 = 248


@dataclass(frozen=True)
class Shape:
    """What the loops of one layer look like.

    Parameters
    ----------
    words : int
        64-bit words of a row of inputs.
    neurons : int
    masked : bool
        Whether some weight is 0, or larger than 1.
    shifts : tuple of int
        For each plane, how often the count is doubled before it; the last one, how often afterwards.
    lanes, vectors, rows : int
        Neurons of a vector, vectors of a block, rows of a tile.
    """

    words: int
    neurons: int
    masked: bool
    shifts: tuple[int, ...]
    lanes: int
    vectors: int
    rows: int

    @property
    def planes(self) -> int:
        """How many bit planes the weights have."""
        return len(self.shifts) - 1

    @property
    def bits(self) -> tuple[int, ...]:
        """Which bit of the weights each plane holds, the highest first."""
        return tuple(sum(self.shifts[k + 1 :]) for k in range(self.planes))

    @property
    def block(self) -> int:
        """Neurons of a block."""
        return self.lanes * self.vectors

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.neurons // self.block)

    @property
    def out_words(self) -> int:
        """64-bit words of a row of outputs."""
        return -(-self.neurons // 64)

    @property
    def sums(self) -> int:
        """Net inputs of a row in memory: whole blocks, of matrix registers too."""
        return -(-self.neurons // 32) * 32


def planes_of(sizes: Array, n: int) -> tuple[bool, tuple[int, ...]]:
    """Return `masked` and `shifts` of a layer.

    Parameters
    ----------
    sizes : ndarray of int64
        Of its weights; those of 0 may be left out.
    n : int
        How many weights there are.
    """
    used = int(np.bitwise_or.reduce(sizes, axis=None)) if sizes.size else 0
    planes = [p for p in reversed(range(63)) if used >> p & 1] or [0]
    masked = not (len(planes) == 1 and sizes.size == n and bool((sizes == used).all()) and used)
    return masked, (0, *(high - low for high, low in pairwise(planes)), planes[-1])


def shaped(words: int, neurons: int, masked: bool, shifts: tuple[int, ...], target: Target) -> Shape:
    """Return the loops that fit a processor's registers: counts, weights, a word and what is in between."""
    lanes = target.lanes
    if lanes == 8 and target.counts_words:
        # 24 counts; two vectors of signs and two of masks leave more rows for each word of weights that is loaded.
        most, counts = (2 if masked else 4), 24
    else:
        # At least 8 neurons, as many as a byte has bits. Counting bytes takes registers of its own.
        most, counts = {8: 4, 4: 2, 2: 4}[lanes], 12 if lanes == 8 else 8
    vectors = most
    while lanes * vectors > 8 and lanes * (vectors // 2) >= neurons:
        vectors //= 2
    return Shape(words, neurons, masked, shifts, lanes, vectors, counts // vectors)


def layer_text(name: str, shape: Shape, target: Target, *, scores: bool) -> str:
    """Return the function of a layer: ``(rows, stride, n, table, limits, out)``.

    It takes `n` packed rows, `stride` bytes apart, and writes packed outputs, or with `scores` the net inputs as
    int64, a row of whole blocks each.
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
        ],
        internal=True,
        attributes="noinline nounwind",
    )
    whole = f.op(f"sub i64 %n, {f.op(f'srem i64 %n, {shape.rows}')}") if shape.rows > 1 else "%n"
    with f.loop(0, shape.blocks) as block:
        size = shape.planes * shape.words * shape.vectors * shape.lanes * (2 if shape.masked else 1)
        table = f.at("i64", "%table", f.op(f"mul i64 {block}, {size}"))
        limits = f.at("i64", "%limits", f.op(f"mul i64 {block}, {shape.block}"))
        if shape.rows > 1:
            with f.loop(0, whole, shape.rows) as row:
                _tile(f, shape, target, row, block, table, limits, shape.rows, scores=scores)
            with f.loop(whole, "%n") as row:
                _tile(f, shape, target, row, block, table, limits, 1, scores=scores)
        else:
            with f.loop(0, "%n") as row:
                _tile(f, shape, target, row, block, table, limits, 1, scores=scores)
    f.end()
    return str(f)


def _tile(
    f: Function,
    shape: Shape,
    target: Target,
    row: str,
    block: str,
    table: str,
    limits: str,
    rows: int,
    *,
    scores: bool,
) -> None:
    """Add the counts of a tile, and what becomes of them."""
    words = f"<{shape.lanes} x i64>"
    places = [
        f.at("i8", "%rows", f.op(f"mul i64 {f.op(f'add i64 {row}, {r}')}, %stride")) for r in range(rows)
    ]
    counts = [[f.slot(words, "zeroinitializer") for _ in range(shape.vectors)] for _ in range(rows)]
    per_plane = shape.words * shape.vectors * (2 if shape.masked else 1)
    for plane, shift in enumerate(shape.shifts):
        if shift:
            for count in (count for of_row in counts for count in of_row):
                value = f.get(words, count)
                f.put(words, f.op(f"shl {words} {value}, {repeated('i64', shift, shape.lanes)}"), count)
        if plane == shape.planes:
            break
        start = plane * per_plane
        with _counting(f, shape, target, counts) as (ranges, kind, places_of_counts):
            for first, last, flush in ranges:
                with f.loop(first, last) as k:
                    _words(f, shape, kind, table, start, places, k, places_of_counts)
                flush()
    for r in range(rows):
        here = f.op(f"add i64 {row}, {r}")
        _sink(f, shape, [f.get(words, count) for count in counts[r]], here, block, limits, scores=scores)


def _words(
    f: Function,
    shape: Shape,
    kind: str,
    table: str,
    start: int,
    places: list[str],
    k: str,
    counts: list[list[str]],
) -> None:
    """Add what one word of the inputs adds to all counts of a tile."""
    words = f"<{shape.lanes} x i64>"
    step = shape.vectors * (2 if shape.masked else 1)
    base = f.op(f"add i64 {f.op(f'mul i64 {k}, {step}')}, {start}")
    loaded = [
        f.load(words, f.at(words, table, f.op(f"add i64 {base}, {v}")), 8 * shape.lanes) for v in range(step)
    ]
    for place, of_row in zip(places, counts, strict=True):
        x = f.splat(words, "i64", f.load("i64", f.at("i64", place, k), 8), shape.lanes)
        for v, count in enumerate(of_row):
            signs = loaded[v * 2] if shape.masked else loaded[v]
            bits = f.op(f"xor {words} {x}, {signs}")
            if shape.masked:
                bits = f.op(f"and {words} {bits}, {loaded[v * 2 + 1]}")
            if kind != words:
                bits = f.op(f"bitcast {words} {bits} to {kind}")
            n, element = kind.strip("<>").split(" x ")
            counted = f.op(f"call {kind} @llvm.ctpop.v{n}{element}({kind} {bits})")
            f.put(kind, f.op(f"add {kind} {f.get(kind, count)}, {counted}"), count)


@contextmanager
def _counting(
    f: Function, shape: Shape, target: Target, counts: list[list[str]]
) -> Iterator[tuple[list[tuple[int, int, Callable[[], None]]], str, list[list[str]]]]:
    """Yield runs of words, the type to count in, and the places of the counts; bytes are added up after each run."""
    words = f"<{shape.lanes} x i64>"
    if target.counts_words:
        yield [(0, shape.words, lambda: None)], words, counts
        return
    kind = f"<{shape.lanes * 8} x i8>"
    small = [[f.slot(kind, "zeroinitializer") for _ in of_row] for of_row in counts]

    def flush() -> None:
        for places, narrow in zip(counts, small, strict=True):
            for place, count in zip(places, narrow, strict=True):
                value = f.op(f"bitcast {kind} {f.get(kind, count)} to {words}")
                for width, ones in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0xFFFFFFFF)):
                    mask = repeated("i64", ones, shape.lanes)
                    right = f.op(f"lshr {words} {value}, {repeated('i64', width, shape.lanes)}")
                    low, high = f.op(f"and {words} {value}, {mask}"), f.op(f"and {words} {right}, {mask}")
                    value = f.op(f"add {words} {low}, {high}")
                f.put(words, f.op(f"add {words} {f.get(words, place)}, {value}"), place)
                f.put(kind, "zeroinitializer", count)

    yield (
        [(first, min(first + LIMIT, shape.words), flush) for first in range(0, shape.words, LIMIT)],
        kind,
        small,
    )


def _sink(
    f: Function, shape: Shape, counts: list[str], row: str, block: str, limits: str, *, scores: bool
) -> None:
    """Add what becomes of a row's counts: bits that fire, or net inputs."""
    words = f"<{shape.lanes} x i64>"
    limit = [f.load(words, f.at(words, limits, v), 8 * shape.lanes) for v in range(shape.vectors)]
    if scores:
        first = f.at("i64", "%out", f.op(f"mul i64 {row}, {shape.sums}"))
        base = f.at("i64", first, f.op(f"mul i64 {block}, {shape.block}"))
        for v, count in enumerate(counts):
            z = f.op(f"sub {words} {count}, {limit[v]}")
            f.do(f"store {words} {z}, ptr {f.at(words, base, v)}, align 8")
        return
    fires = [f.op(f"icmp sge {words} {count}, {least}") for count, least in zip(counts, limit, strict=True)]
    lanes = shape.block
    packed = f.op(f"bitcast <{lanes} x i1> {f.joined(fires, shape.lanes)} to i{lanes}")
    byte = f.op(
        f"add i64 {f.op(f'mul i64 {row}, {8 * shape.out_words}')}, {f.op(f'mul i64 {block}, {shape.block // 8}')}"
    )
    f.do(f"store i{lanes} {packed}, ptr {f.at('i8', '%out', byte)}, align 1")
