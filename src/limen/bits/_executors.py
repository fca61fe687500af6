"""The three ways to run, each as an object that takes rows in the form it likes best.

`Wide` takes rows of words or bytes, `Sliced` columns of words, `Portable` bytes. `program.Program` turns what it is given into that form.
All of them may be called by several threads at once.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from limen.bits._gates import Graph
from limen.bits._llvm import Code, Target
from limen.bits._sliced_text import MOST, sliced_text
from limen.bits._store import Store
from limen.bits._tape import tape_of, tape_text
from limen.bits._tools import aligned
from limen.bits._wide import wide_layer, wide_of
from limen.network import Layer, Network
from limen.step import Array
from limen.words import words_for

__all__ = ["Portable", "Sliced", "Wide"]

_POINTER, _NUMBER = ctypes.c_void_p, ctypes.c_int64


T = TypeVar("T")


class _Pool(Generic[T]):
    """What calls work with, made when all that were made are in use; each call takes one, and gives it back."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._free: deque[T] = deque()

    def take(self) -> T:
        try:
            return self._free.pop()
        except IndexError:
            return self._make()

    def give(self, taken: T) -> None:
        self._free.append(taken)


def _scratch(size: int) -> tuple[int, Array]:
    """Return where so many bytes of zeros lie, and what holds them."""
    memory = aligned((size,), np.uint8)
    return memory.ctypes.data, memory


@dataclass(frozen=True)
class _Bench:
    """What a call of sliced code works with: the slots of a tape, and columns one register wide."""

    slots: tuple[int, Array]
    inputs: Array
    outputs: Array
    input_places: Array
    output_places: Array


class Wide:
    """Rows of words.

    Parameters
    ----------
    layers : sequence of Layer
        Of bits; see `_layers`.
    target : Target
    store : Store
    """

    def __init__(self, layers: Sequence[Layer], target: Target, store: Store) -> None:
        self.n_inputs, self.n_outputs = layers[0].n_inputs, layers[-1].n_neurons
        made = wide_of([wide_layer(layer, target) for layer in layers], self.n_inputs, target)
        self.ir = made.text
        self.code: Code | None = store.compiled(made.text, target, effort=2)
        self.nbytes = made.tables.nbytes
        self._tables, self._address = made.tables, made.tables.ctypes.data
        self._dtype = np.int64 if made.returns == "i64" else np.int8
        pairs = 2 if layers[-1].activation == "sign" else 1
        self._out_words = self.n_outputs if made.returns == "i64" else words_for(pairs * self.n_outputs)
        size = made.scratch_bytes
        self._scratch = _Pool(lambda: _scratch(size))
        self._words = self.code.function("words", [_POINTER, _NUMBER, _POINTER, _POINTER, _POINTER])
        self._numbers = self.code.function(
            "numbers", [_POINTER, _NUMBER, _NUMBER, _POINTER, _POINTER, _POINTER], ctypes.c_uint8
        )

    def numbers(self, X: Array) -> Array | None:
        """Return the outputs for rows of bytes; None if one is neither 0 nor 1."""
        out = np.empty((len(X), self.n_outputs), dtype=self._dtype)
        scratch = self._scratch.take()
        found = self._numbers(
            X.ctypes.data, self.n_inputs, len(X), self._address, scratch[0], out.ctypes.data
        )
        self._scratch.give(scratch)
        return out if found <= 1 else None

    def words(self, rows: Array) -> Array:
        """Return the packed outputs of packed rows without dirt in their padding; int64 from an identity layer."""
        dtype = np.int64 if self._dtype == np.int64 else np.uint64
        out = np.empty((len(rows), self._out_words), dtype=dtype)
        scratch = self._scratch.take()
        self._words(rows.ctypes.data, len(rows), self._address, scratch[0], out.ctypes.data)
        self._scratch.give(scratch)
        return out


class Sliced:
    """Columns of words.

    Parameters
    ----------
    graph : Graph
    target : Target
    store : Store
    """

    def __init__(self, graph: Graph, target: Target, store: Store) -> None:
        self.n_inputs, self.n_outputs = graph.n_inputs, len(graph.outputs)
        self.graph = graph
        self._lanes = target.lanes
        self._tape = None if graph.n_gates <= MOST else tape_of(graph, target)
        if self._tape is None:
            self.ir = sliced_text(graph, target)
            size, arguments = 0, [_POINTER, _POINTER, _NUMBER]
            self.nbytes = 0
        else:
            self.ir = tape_text(target)
            size = self._tape.n_slots * self._tape.vectors * target.lanes * 8
            arguments = [_POINTER, _POINTER, _NUMBER, _POINTER, _NUMBER, _POINTER, _NUMBER]
            self.nbytes = self._tape.steps.nbytes
        self.code: Code | None = store.compiled(self.ir, target, effort=1)
        self._slots_bytes = size
        self._benches = _Pool(self._bench)
        self._run = self.code.function("run", arguments)

    def _bench(self) -> _Bench:
        inputs, outputs = aligned((self.n_inputs, self._lanes)), aligned((self.n_outputs, self._lanes))
        return _Bench(_scratch(self._slots_bytes), inputs, outputs, _places(inputs), _places(outputs))

    def into(self, columns: Array, out: Array) -> None:
        """Fill packed columns of the outputs, their padding left dirty; the last words pass through copies."""
        n_words = columns.shape[1]
        whole = n_words - n_words % self._lanes
        bench = self._benches.take()
        if whole:
            self._call(_places(columns), _places(out), whole, bench)
        if whole < n_words:
            rest = n_words - whole
            bench.inputs[:, :rest] = columns[:, whole:]
            self._call(bench.input_places, bench.output_places, self._lanes, bench)
            out[:, whole:] = bench.outputs[:, :rest]
        self._benches.give(bench)

    def _call(self, sources: Array, targets: Array, n_words: int, bench: _Bench) -> None:
        if self._tape is None:
            self._run(sources.ctypes.data, targets.ctypes.data, n_words)
        else:
            steps = self._tape.steps
            self._run(
                sources.ctypes.data,
                targets.ctypes.data,
                n_words,
                steps.ctypes.data,
                len(steps),
                bench.slots[0],
                self._tape.vectors,
            )


def _places(columns: Array) -> Array:
    """Return where each column begins in memory."""
    places: Array = columns.ctypes.data + columns.strides[0] * np.arange(len(columns), dtype=np.int64)
    return places


class Portable:
    """Bytes, a plain loop.

    Parameters
    ----------
    net : Network
    """

    code: Code | None = None
    ir = "A loop compiled by Numba; see limen/bits/_kernels_portable.py.\n"

    def __init__(self, net: Network) -> None:
        from limen._weights import entries
        from limen.bits import _kernels_portable as kernels

        numbers = {
            "heaviside": kernels.HEAVISIDE,
            "sign": kernels.SIGN,
            "hardmax": kernels.HARDMAX,
            "identity": kernels.IDENTITY,
        }
        self._forward = kernels.forward
        self.n_inputs, self.n_outputs = net.n_inputs, net.n_outputs
        self._sums = net.layers[-1].activation == "identity"
        parts: list[tuple[Any, Any, Any]] = [entries(layer.weights) for layer in net.layers]
        counts = [
            np.bincount(columns, minlength=layer.n_neurons)
            for layer, (_, columns, _) in zip(net.layers, parts, strict=True)
        ]
        self._tables = (
            np.concatenate(counts).cumsum(),
            np.concatenate([rows for rows, _, _ in parts]).astype(np.int64),
            np.concatenate([values for _, _, values in parts]),
            np.concatenate([layer.bias for layer in net.layers]),
            np.array([layer.n_neurons for layer in net.layers]),
            np.array([numbers[layer.activation] for layer in net.layers]),
        )
        self.nbytes = sum(table.nbytes for table in self._tables)

    def numbers(self, X: Array) -> Array | None:
        """Return the outputs for rows of bytes; None if one is neither 0 nor 1."""
        if X.size and X.max() > 1:
            return None
        outputs = np.zeros((len(X), self.n_outputs), dtype=np.int8)
        sums = np.zeros((len(X) if self._sums else 0, self.n_outputs), dtype=np.int64)
        self._forward(X, *self._tables, outputs, sums)
        return sums if self._sums else outputs
