"""A network compiled: `compile`, and the `Program` it returns."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, final

import numpy as np

from limen import _text
from limen._digest import network_digest
from limen._door import is_sparse
from limen.bits._executors import Portable, Sliced, Wide
from limen.bits._forms import bytes_of, counting, joined, plain, signs_of, sure
from limen.bits._layers import admitted, layers_of_bits
from limen.bits._llvm import Target, target
from limen.bits._raw import encoded_columns
from limen.bits._store import Store
from limen.bits._threads import in_slices, threads
from limen.bits._tools import packed, ready, transposed
from limen.bits.plan import Plan, Way, planned
from limen.errors import InputError
from limen.model import Model
from limen.network import Layer, Network
from limen.step import Array
from limen.table import column_names
from limen.words import WORD, checked, clear_padding, pack, unpack, unpack_columns, words_for

__all__ = ["Program", "compile"]

SLAB = (
    1 << 20
)  # rows of a slice whose form is changed on the way, so that a copy is never as large as the table
MOST_TRUTH_TABLE = 40  # inputs: 2**40 rows are 128 GiB an output
TRUTH_ROWS = 1 << 18


def compile(  # noqa: A001  # what a person wants to do; `bits.compile`, as `re.compile`
    net: Network | Model,
    *,
    how: Way | None = None,
    processor: str | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Program:
    """Return a network as a program for this processor: bits in, bits out, the same for every row.

    Parameters
    ----------
    net : Network or Model
        Exact and on zeros and ones. Of a model, the encoding becomes part of the program.
    how : {"wide", "sliced", "portable"}, optional
        Which way to run; by default the one `plan` expects to be the fastest.
    processor : {"baseline", "avx2", "avx512", "avx512_vpopcntdq"}, optional
        Use no more of this processor than that. By default all it has, matrix registers (AMX) too.
    cache : path-like, optional
        A folder in which compiled code is kept, and found the next time.

    Returns
    -------
    Program

    Raises
    ------
    InputError
        Not a network on zeros and ones, or a way that can't be taken.
    NotExactError
        Fractions, smooth activations, or a sum that could pass int64.

    Examples
    --------
    >>> from limen import Layer, Network, bits
    >>> majority = bits.compile(Network(Layer([[1], [1], [1]], [-2]), domain="binary"))
    >>> majority([[1, 0, 1], [1, 0, 0]])
    array([[1],
           [0]], dtype=int8)
    """
    model = net if isinstance(net, Model) else None
    network = admitted(net.network if isinstance(net, Model) else net)
    return Program(network, model, target(processor), how, Store(cache))


@final
class Program:
    """A network compiled for one processor; `compile` returns it.

    Calling it is calling the network. It may be used by several threads at once.
    """

    def __init__(
        self, network: Network, model: Model | None, processor: Target, how: Way | None, store: Store
    ) -> None:
        self._network, self._model = network, model
        self._target, self._store = processor, store
        self._plan, layers, graph = planned(network, processor, how)
        self._wide: Wide | None = None
        self._sliced: Sliced | None = None
        self._portable: Portable | None = None
        self._sums: Wide | Portable | None = None
        if self._plan.how == "wide":
            self._wide = Wide(layers, processor, store)
        elif graph is not None:
            self._sliced = Sliced(graph, processor, store)
        else:
            self._portable = Portable(network)
        self._pairs = 2 if network.layers[-1].activation == "sign" else 1
        self._is_sums = network.layers[-1].activation == "identity"
        self._digest: str | None = None
        if model is not None and model.encoding is not None:
            ready()

    # What it is -------------------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The network it came from."""
        return self._network

    @property
    def plan(self) -> Plan:
        """How it runs, and why."""
        return self._plan

    @property
    def ir(self) -> str:
        """What was compiled, as text: LLVM's assembly language."""
        return self._executor.ir

    @property
    def stages(self) -> dict[str, str]:
        """Everything between the network and the processor as text, in order: plan, gates where there are any, ir, assembly."""
        gates = {} if self._sliced is None else {"gates": str(self._sliced.graph)}
        return {"plan": str(self._plan), **gates, "ir": self.ir, "assembly": self.assembly}

    @property
    def assembly(self) -> str:
        """The processor's instructions, as text; empty for a portable program."""
        return "" if self._executor.code is None else self._executor.code.assembly

    @property
    def nbytes(self) -> int:
        """Bytes of the tables it reads, and of its code."""
        code = self._executor.code
        return self._executor.nbytes + (0 if code is None else len(code.object_code))

    @property
    def digest(self) -> str:
        """SHA-256 of the network it came from: of its domain, weights, biases and activations."""
        if self._digest is None:
            self._digest = network_digest(self._network)
        return self._digest

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return self._network.n_inputs

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self._network.n_outputs

    @property
    def out_bits(self) -> int:
        """Bits of a packed row of outputs: one for each, two for each where the last layer is sign."""
        return self._pairs * self.n_outputs

    def __repr__(self) -> str:
        return f"Program({_text.chain(self._network)}, {self._plan.how})"

    @property
    def _executor(self) -> Wide | Sliced | Portable:
        executor = self._wide or self._sliced or self._portable
        assert executor is not None  # one of the three was made
        return executor

    # What it does -----------------------------------------------------------------------------------------------

    def __call__(self, X: Any, *, n_jobs: int | None = None) -> Array:
        """Return what the network returns.

        Parameters
        ----------
        X : array_like of shape (..., n_inputs), or scipy.sparse matrix of shape (n_rows, n_inputs)
            Zeros and ones. Of a model with an encoding: a table, or an array of its columns, shape (n_rows, n_columns).
        n_jobs : int, optional
            Threads; -1 for all processors. Results don't depend on it.

        Returns
        -------
        ndarray of shape (..., n_outputs)
            int8, or int64 from an identity layer.

        Raises
        ------
        InputError
            What the network's call or the encoding refuses.
        """
        if self._wide is not None and self._model is None and plain(X, self.n_inputs) and n_jobs in (None, 1):
            found = self._wide.numbers(X)
            if found is not None:
                return found
        if self._model is not None and self._model.encoding is not None:
            columns, n_rows = encoded_columns(self._model.encoding, X)
            return self._numbers_of_columns(columns, n_rows, threads(n_jobs))
        X = self._admit(X)
        rows = bytes_of(X)
        found = self._numbers(rows, threads(n_jobs))
        return found.reshape(*X.shape[:-1], self.n_outputs)

    def predict(self, table: Any, *, n_jobs: int | None = None) -> Array:
        """Return what `limen.Model.predict` returns, for a program that was compiled from a model.

        Raises
        ------
        InputError
            It was compiled from a network, or what the model refuses.
        """
        if self._model is None:
            raise InputError(
                "This program was compiled from a network, which has no labels. Compile the limen.Model, or call the"
                " program for its outputs."
            )
        return self._model.labelled(self(table, n_jobs=n_jobs))

    def scores(self, X: Any, *, n_jobs: int | None = None) -> Array:
        """Return what `limen.Network.scores` returns: the net inputs of the last layer, int64."""
        if self._model is not None and self._model.encoding is not None:
            columns, n_rows = encoded_columns(self._model.encoding, X)
            rows, shape = unpack_columns(columns, n_rows), (n_rows,)
        else:
            X = self._admit(X)
            rows, shape = bytes_of(X), X.shape[:-1]
        executor = self._of_sums()
        found = in_slices(lambda part: sure(executor.numbers(rows[part])), len(rows), threads(n_jobs))
        return joined(found).reshape(*shape, self.n_outputs)

    def run(self, words: Any, *, n_jobs: int | None = None) -> Array:
        """Return packed outputs for packed rows.

        Parameters
        ----------
        words : ndarray of uint64, shape (n_rows, ⌈n_inputs / 64⌉)
            As `limen.words.pack` returns; what stands in the padding is ignored.
        n_jobs : int, optional
            Threads.

        Returns
        -------
        ndarray of uint64, shape (n_rows, ⌈out_bits / 64⌉)
            A bit for each output. A sign is two bits, the first 1 unless it is 0, the second 1 if it is -1.

        Raises
        ------
        InputError
            Not such words, or a network whose outputs are numbers.
        """
        self._require_bits()
        words = np.ascontiguousarray(checked(words, words_for(self.n_inputs), "words"))
        return joined(in_slices(lambda part: self._run(words[part]), len(words), threads(n_jobs)))

    def run_columns(
        self, columns: Any, n_rows: int, *, n_jobs: int | None = None, out: Array | None = None
    ) -> Array:
        """Return packed columns of outputs for packed columns of inputs.

        Parameters
        ----------
        columns : ndarray of uint64, shape (n_inputs, ⌈n_rows / 64⌉)
            As `limen.words.pack_columns` returns; what stands in the padding is ignored.
        n_rows : int
        n_jobs : int, optional
            Threads.
        out : ndarray of uint64, shape (out_bits, ⌈n_rows / 64⌉), optional
            What is filled and returned; new memory takes longer than a small network does.

        Returns
        -------
        ndarray of uint64, shape (out_bits, ⌈n_rows / 64⌉)

        Raises
        ------
        InputError
            Not such columns, an `out` that doesn't fit, or a network whose outputs are numbers.
        """
        self._require_bits()
        if isinstance(n_rows, bool) or not isinstance(n_rows, int | np.integer) or n_rows < 0:
            raise InputError(f"n_rows must be a whole number from 0. Received: {n_rows!r}.")
        columns = checked(columns, words_for(int(n_rows)), "columns")
        if len(columns) != self.n_inputs:
            raise InputError(
                f"columns must have {self.n_inputs} rows, one for each input. Received: {len(columns)}."
            )
        if columns.strides[1] != 8 and columns.shape[1] > 1:
            columns = np.ascontiguousarray(columns)
        if out is None:
            return self._run_columns(columns, int(n_rows), threads(n_jobs))
        shape = (self.out_bits, columns.shape[1])
        if (
            not isinstance(out, np.ndarray)
            or out.dtype != np.uint64
            or out.shape != shape
            or not (out.flags.writeable and out.flags.c_contiguous)
        ):
            raise InputError(f"out must be a writeable, contiguous array of uint64 of shape {shape}.")
        return self._run_columns(columns, int(n_rows), threads(n_jobs), out)

    def truth_table(self, *, n_jobs: int | None = None) -> Array:
        """Return the outputs of all 2**n_inputs rows, packed, in truth-table order.

        Row r gives the inputs the binary digits of r, the first input the most significant.

        Returns
        -------
        ndarray of uint64, shape (out_bits, ⌈2**n_inputs / 64⌉)
            Row r is bit r % 64 of word r // 64.

        Raises
        ------
        InputError
            More than 40 inputs, or a network whose outputs are numbers.
        """
        self._require_bits()
        n = self.n_inputs
        if n > MOST_TRUTH_TABLE:
            raise InputError(
                f"A truth table of {n} inputs has 2**{n} rows, which is too many: at most {MOST_TRUTH_TABLE} inputs. Ask"
                " for the rows that matter with run or run_columns."
            )
        n_rows = 1 << n
        size = min(n_rows, TRUTH_ROWS)
        low = size.bit_length() - 1  # inputs that change within a slice
        out = np.empty((self.out_bits, words_for(n_rows)), dtype=np.uint64)
        low_columns = counting(low)

        def fill(part: slice) -> Array:
            columns = np.empty((n, words_for(size)), dtype=np.uint64)
            columns[n - low :] = low_columns
            for start in range(part.start, part.stop, size):
                for k in range(n - low):
                    columns[k] = np.uint64(0xFFFFFFFFFFFFFFFF if start >> (n - 1 - k) & 1 else 0)
                first = start // WORD
                out[:, first : first + columns.shape[1]] = self._run_columns(columns, size, 1)
            return out[:0]

        in_slices(fill, n_rows, threads(n_jobs), size)
        return out

    # How it does it ---------------------------------------------------------------------------------------------

    def _admit(self, X: Any) -> Any:
        if self._model is not None and not is_sparse(X) and column_names(X) is not None:
            X = self._model.encode(X)
        return self._network.admit(X)

    def _require_bits(self) -> None:
        if self._is_sums:
            raise InputError(
                "The outputs of this network are numbers (its last layer is identity), not bits. Call the program, or"
                " ask for its scores."
            )

    def _of_sums(self) -> Wide | Portable:
        """Return what computes the net inputs of the last layer; made when it is first needed."""
        if self._sums is None:
            last = self._network.layers[-1]
            network = Network(
                [*self._network.layers[:-1], Layer(last.weights, last.bias, "identity")],
                domain=self._network.domain,
            )
            if "wide" in self._plan.refused or self._plan.how == "portable":
                self._sums = Portable(network)
            else:
                self._sums = Wide(layers_of_bits(network), self._target, self._store)
        return self._sums

    def _numbers(self, rows: Array, n_threads: int) -> Array:
        """Return the outputs for contiguous bytes that are zeros and ones."""
        if self._sliced is None:
            executor = self._wide or self._portable
            assert executor is not None
            numbers: Callable[[Array], Array | None] = executor.numbers
            return joined(in_slices(lambda part: sure(numbers(rows[part])), len(rows), n_threads))

        def part_of(part: slice) -> Array:
            slabs = [
                self._outputs(
                    self._run_columns(transposed(packed(slab), self.n_inputs), len(slab), 1), len(slab)
                )
                for start in range(part.start, max(part.stop, part.start + 1), SLAB)
                for slab in [rows[start : min(start + SLAB, part.stop)]]
            ]
            return joined(slabs)

        return joined(in_slices(part_of, len(rows), n_threads))

    def _numbers_of_columns(self, columns: Array, n_rows: int, n_threads: int) -> Array:
        """Return the outputs for packed columns."""
        if self._sliced is not None:
            return self._outputs(self._run_columns(columns, n_rows, n_threads), n_rows)
        return self._numbers(unpack(transposed(columns, n_rows), self.n_inputs), n_threads)

    def _outputs(self, columns: Array, n_rows: int) -> Array:
        """Return packed columns of outputs as the numbers a call returns."""
        if self.out_bits == 1:
            return unpack(columns, n_rows).view(np.int8).reshape(n_rows, 1)
        bits = unpack(transposed(columns, n_rows), self.out_bits)
        return signs_of(bits) if self._pairs == 2 else bits.view(np.int8)

    def _run(self, words: Array) -> Array:
        """Return packed outputs of packed, contiguous rows."""
        if self._wide is not None:
            if (
                self.n_inputs % WORD
                and len(words)
                and int(np.bitwise_or.reduce(words[:, -1])) >> self.n_inputs % WORD
            ):
                words = words.copy()
                clear_padding(words, self.n_inputs)
            return self._wide.words(words)
        if self._sliced is not None:
            columns = transposed(words, self.n_inputs)
            return transposed(self._run_columns(columns, len(words), 1), len(words))
        return pack(self._portable_bits(unpack(words, self.n_inputs)))

    def _run_columns(self, columns: Array, n_rows: int, n_threads: int, out: Array | None = None) -> Array:
        if self._sliced is None:
            rows = transposed(columns, n_rows)
            packed_rows = joined(in_slices(lambda part: self._run(rows[part]), n_rows, n_threads))
            found = transposed(packed_rows, self.out_bits)
            if out is None:
                return found
            out[:] = found
            return out
        sliced = self._sliced
        if out is None:
            out = np.empty((self.out_bits, columns.shape[1]), dtype=np.uint64)
        if n_threads == 1:
            sliced.into(columns, out)
            clear_padding(out, n_rows)
            return out

        def fill(part: slice) -> Array:
            sliced.into(columns[:, part], out[:, part])
            return out[:0]

        in_slices(fill, columns.shape[1], n_threads, self._target.lanes)
        clear_padding(out, n_rows)
        return out

    def _portable_bits(self, rows: Array) -> Array:
        assert self._portable is not None
        outputs = sure(self._portable.numbers(rows))
        if self._pairs == 1:
            return outputs
        pairs = np.empty((len(outputs), self.out_bits), dtype=np.uint8)
        pairs[:, ::2], pairs[:, 1::2] = outputs != 0, outputs < 0
        return pairs
