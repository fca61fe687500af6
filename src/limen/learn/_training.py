"""Training between kernels: epochs in bounded chunks, exact sums, threads over outputs.

A `Learner` owns the weights of a layer that is being trained. `Learner.epoch` shows it every row once. Kernels
run over chunks of rows that take a fraction of a second, so that Ctrl-C is answered between them.

**Exact.** When all features, sample weights and class weights are whole numbers, so is every weight and every
sum of weights. Kernels compute in float64, which holds whole numbers up to 2**53 exactly; before each chunk the
largest number that could arise in it is bounded, and sums move over into int64 in time. What can't be kept
exact is refused (`NotExactError`) where the features are integers; where they are whole numbers that came as
floats, training goes on in floats.
"""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from limen._door import FLOAT64_WHOLE, INT64_MAX
from limen.errors import NotExactError, TrainingError
from limen.learn import _kernels
from limen.learn._kernels import BLOCK, LANES, TILE, Rule, State
from limen.learn._rows import Rows
from limen.network import DOMAINS
from limen.step import Array

__all__ = ["Learner", "Lesson", "Weights"]

CHUNK = 1 << 27  # multiply-adds in one kernel call: well under a second on any machine
ROW = 128  # multiply-adds in whose time a row is fetched and decided on, for each output
SMALLEST_SCALE = 1e-9  # a chunk ends before the L2 penalty has shrunk the weights further than this


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What is taught: rows, what they should give, and how much each counts.

    Parameters
    ----------
    rows : Rows
    targets : ndarray
        Independent outputs: int8 of shape (n_rows, n_outputs), +1, -1, or 0 where nothing is taught.
        Competing classes: int64 of shape (n_rows,), the true class of each row.
    sample_weight : ndarray of float64, shape (n_rows,)
    cost : ndarray of float64, shape (n_outputs, 2)
        What a mistake on a negative and on a positive row counts.
    """

    rows: Rows
    targets: Array
    sample_weight: Array
    cost: Array

    @property
    def is_whole(self) -> bool:
        """Whether features, sample weights and costs are all whole numbers."""
        whole = [bool(np.array_equal(w, np.rint(w))) for w in (self.sample_weight, self.cost)]
        return self.rows.domain != "real" and all(whole)

    @property
    def largest_step(self) -> float:
        """The most that one mistake can count."""
        return float(self.sample_weight.max(initial=0.0) * self.cost.max(initial=0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Weights to be kept: int64 sums or floats, and the number they are to be divided by.

    Parameters
    ----------
    weights : ndarray of shape (n_outputs, n_features)
    bias : ndarray of shape (n_outputs,)
    divisor : int
    """

    weights: Array
    bias: Array
    divisor: int


class Learner:
    """The weights of a layer being trained.

    Parameters
    ----------
    n_outputs, n_features : int
    classes : bool
        Whether the outputs are competing classes, not independent.
    rule : Rule
    """

    def __init__(self, n_outputs: int, n_features: int, *, classes: bool, rule: Rule) -> None:
        self.n_outputs = n_outputs
        self.n_features = n_features
        self.classes = classes
        self.rule = rule
        self.exact = rule.shrink == 1 and rule.truncate == 0
        self.domain = "binary"
        self.n_steps = 0
        padded = 1 if n_outputs == 1 else -(-n_outputs // BLOCK) * BLOCK
        shape, none = (padded, -(-n_features // LANES) * LANES), (0, 0)
        self.state = State(
            weights=np.zeros(shape),
            bias=np.zeros(padded),
            late=np.zeros(shape if rule.average else none),
            late_bias=np.zeros(padded),
            pocket=np.zeros(shape if rule.pocket else none),
            pocket_bias=np.zeros(padded),
            run=np.zeros(padded, dtype=np.int64),
            best_run=np.full(padded, -1, dtype=np.int64),
            debt=np.zeros(shape if rule.truncate > 0 else none),
            mistakes=np.zeros(padded, dtype=np.int64),
            loss=np.zeros(padded),
            time=np.array([1.0, 0.0, 0.0, 0.0]),
        )
        self._tiles: list[Array] = []  # one for each thread
        self._direct = False
        # The sum of the weights after every step so far, int64 while exact.
        kind = np.int64 if self.exact else np.float64
        self.total = np.zeros(shape if rule.average else none, dtype=kind)
        self.total_bias = np.zeros(padded, dtype=kind)

    def copy(self) -> Learner:
        """Return a learner that can go on from here without changing this one."""
        twin = copy.copy(self)  # without the tiles, which two learners in two threads must not share
        twin.state = State(*(_aligned(array, array.dtype, _layout(array)) for array in self.state))
        twin.total = self.total.copy(order="K")
        twin.total_bias = self.total_bias.copy()
        return twin

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tiles": []}  # scratch: not worth a place in a pickle

    def start_from(self, weights: Array, bias: Array) -> None:
        """Set the weights training starts from, shapes (n_outputs, n_features) and (n_outputs,)."""
        self.state.weights[: self.n_outputs, : self.n_features] = weights
        self.state.bias[: self.n_outputs] = bias
        given = (self.state.weights, self.state.bias)
        if not all(np.array_equal(array, np.rint(array)) for array in given):
            self._become_inexact()

    def epoch(
        self, lesson: Lesson, order: Array, *, n_threads: int = 1, empty_pocket: bool = False
    ) -> tuple[int, float]:
        """Show the rows in `order` once.

        Parameters
        ----------
        lesson : Lesson
        order : ndarray of int64
            The rows to visit; those of sample weight 0 should be left out.
        n_threads : int
            Threads that share independent outputs. The result doesn't depend on it.
        empty_pocket : bool
            Whether `longest_run` shall know of this epoch only.

        Returns
        -------
        n_mistakes : int
        loss : float
            The sum over all mistakes of how far the net input was on the wrong side.

        Raises
        ------
        NotExactError
            Whole numbers grew too large to stay exact, and the features are integers.
        TrainingError
            Numbers overflowed.
        """
        self._prepare(lesson)
        state = self.state
        # Rows in their own order and type are streamed from where they are; others go through tiles.
        same_type = lesson.rows.arrays[0].dtype == state.weights.dtype
        self._direct = same_type and bool((np.diff(order) >= 0).all())
        state.mistakes[:] = 0
        state.loss[:] = 0
        if empty_pocket:
            state.best_run[:] = -1
        position = 0
        with ThreadPoolExecutor(max_workers=n_threads) if n_threads > 1 else nullcontext() as pool:
            while position < len(order):
                length = self._chunk(lesson, len(order) - position)
                self._run(lesson, order[position : position + length], pool, n_threads)
                self._advance(length)
                position += length
        self._settle()
        self.n_steps += len(order)
        return int(state.mistakes.sum()), float(state.loss.sum())

    def last(self) -> Weights:
        """Return the weights after the last step."""
        return self._kept(self.state.weights, self.state.bias, 1)

    def averaged(self) -> Weights:
        """Return the weights summed over all steps, to be divided by their number."""
        return self._kept(self.total, self.total_bias, max(1, self.n_steps))

    def longest_run(self) -> Weights:
        """Return the weights that made the longest run without a mistake."""
        state = self.state
        still_running = state.run[:, np.newaxis] > state.best_run[:, np.newaxis]
        if self.classes:
            still_running = np.broadcast_to(still_running[:1], still_running.shape)
        weights = np.where(still_running, state.weights, state.pocket)
        return self._kept(weights, np.where(still_running[:, 0], state.bias, state.pocket_bias), 1)

    # Inside -------------------------------------------------------------------------------------------------

    def _kept(self, weights: Array, bias: Array, divisor: int) -> Weights:
        kind = np.int64 if self.exact else np.float64
        k, d = self.n_outputs, self.n_features
        return Weights(weights[:k, :d].astype(kind), bias[:k].astype(kind), divisor)

    def _prepare(self, lesson: Lesson) -> None:
        """Bring the arrays into the type and layout for these rows."""
        self.domain = max(self.domain, lesson.rows.domain, key=DOMAINS.index)
        if self.exact and not lesson.is_whole:
            self._become_inexact()
        single = not self.exact and lesson.rows.arrays[0].dtype == np.float32
        kind = np.float32 if single else np.float64
        layout = "F" if lesson.rows.is_sparse else "C"
        learned = {name: getattr(self.state, name) for name in ("weights", "bias", "pocket", "pocket_bias")}
        summed = {name: getattr(self.state, name) for name in ("late", "debt")}
        self.state = self.state._replace(
            **{name: _aligned(array, np.dtype(kind), layout) for name, array in learned.items()},
            **{name: _aligned(array, array.dtype, layout) for name, array in summed.items()},
        )

    def _chunk(self, lesson: Lesson, remaining: int) -> int:
        """Return how many rows to do next, settling sums or giving up exactness where numbers get large."""
        n_outputs, width = self.state.weights.shape
        per_output = ROW + (lesson.rows.cost if lesson.rows.is_sparse else width)
        per_row = per_output * n_outputs * (4 if self.rule.truncate > 0 else 1)
        length = min(remaining, max(1, int(CHUNK / per_row)))
        if self.rule.shrink < 1:
            length = min(length, max(1, int(np.log(SMALLEST_SCALE) / np.log(self.rule.shrink))))
            self._settle()
        if not self.exact or self._stays_whole(lesson, length):
            return length
        self._settle()
        while length > 1 and not self._stays_whole(lesson, length):
            length //= 2
        if self.exact and not self._stays_whole(lesson, length):
            if lesson.rows.is_integer_typed:
                raise NotExactError(
                    "Learning from integers is exact, but these are so large that a sum could pass 2**53."
                    " Scale the features down, or give them as floats, X.astype(float), to learn without exactness."
                )
            self._become_inexact()
        return length

    def _stays_whole(self, lesson: Lesson, length: int) -> bool:
        """Whether no number in the next `length` steps can reach 2**53, nor a settled sum 2**63."""
        state, rows = self.state, lesson.rows
        step = lesson.largest_step
        largest = max(1.0, rows.largest)  # the bias neuron's output is 1
        growth = length * step
        weight = max(_largest(state.weights), _largest(state.bias)) + growth * largest
        reach = float(np.abs(state.weights).sum(axis=1).max()) + growth * rows.reach
        net = reach * rows.largest + _largest(state.bias) + growth
        clock = state.time[2] + length
        late = max(_largest(state.late), _largest(state.late_bias)) + clock * growth * largest
        total = max(_largest(self.total), _largest(self.total_bias)) + clock * weight + late
        settles = not self.rule.average or (clock * weight + late < FLOAT64_WHOLE and total < INT64_MAX)
        return net < FLOAT64_WHOLE and settles

    def _run(self, lesson: Lesson, order: Array, pool: ThreadPoolExecutor | None, n_threads: int) -> None:
        rows, state, rule = lesson.rows, self.state, self.rule
        given = (*rows.arrays, order, lesson.targets, lesson.sample_weight, lesson.cost)
        spans = [()] if self.classes else _spans(len(state.weights), n_threads)
        kernel: Any
        if rows.is_sparse:
            kernel = _kernels.sparse_classes if self.classes else _kernels.sparse_outputs
            calls = [(*given, *span, state, rule) for span in spans]
        else:
            kernel = _kernels.dense_classes if self.classes else _kernels.dense_outputs
            if self._direct:
                no_tile = np.zeros((0, 0), dtype=state.weights.dtype)
                places = [(rows.arrays[0], no_tile)] * len(spans)
            else:
                places = [(tile, tile) for tile in self._scratch(len(spans))]
            calls = [(*given, *span, *place, state, rule) for span, place in zip(spans, places, strict=True)]
        with np.errstate(over="ignore", invalid="ignore"):  # kernels say so themselves, compiled or not
            if pool is None or len(calls) == 1:
                finite = [kernel(*call) for call in calls]
            else:
                futures = [pool.submit(kernel, *call) for call in calls]
                try:
                    wait(futures)
                finally:  # interrupted: let the threads end before anyone touches what they write
                    finite = [future.result() for future in futures]
        if not all(finite):
            raise TrainingError(
                "A net input overflowed while learning, so nothing was kept. Scale the features down"
                " (sklearn.preprocessing.StandardScaler), or give float64 instead of float32."
            )

    def _scratch(self, n: int) -> list[Array]:
        """Return a tile for each of `n` threads."""
        weights = self.state.weights
        if len(self._tiles) < n or self._tiles[0].dtype != weights.dtype:
            empty = np.zeros((TILE, weights.shape[1]), dtype=weights.dtype)
            self._tiles = [_aligned(empty, weights.dtype, "C") for _ in range(n)]
        return self._tiles[:n]

    def _advance(self, length: int) -> None:
        time = self.state.time
        scales = time[0] * np.cumprod(np.full(length, self.rule.shrink)) if self.rule.shrink < 1 else None
        time[1] += length if scales is None else float(scales.sum())
        time[0] = time[0] if scales is None else float(scales[-1])
        time[2] += length
        time[3] += length * self.rule.truncate

    def _settle(self) -> None:
        """Fold scale, clock and late sums into the weights and the total."""
        state = self.state
        scale, clock, steps = state.time[0], state.time[1], state.time[2]
        with np.errstate(over="ignore", invalid="ignore"):
            if self.rule.average and steps:
                kind = self.total.dtype
                self.total += (clock * state.weights.astype(np.float64) - state.late).astype(kind)
                self.total_bias += (steps * state.bias.astype(np.float64) - state.late_bias).astype(kind)
                state.late[:] = 0
                state.late_bias[:] = 0
            if scale != 1:
                state.weights[:] *= state.weights.dtype.type(scale)
        state.time[:3] = (1.0, 0.0, 0.0)
        if not (_largest(state.weights) < np.inf and _largest(self.total) < np.inf):
            raise TrainingError(
                "The weights overflowed while learning, so nothing was kept. Scale the features or the sample"
                " weights down."
            )

    def _become_inexact(self) -> None:
        self._settle()
        self.exact = False
        self.total = self.total.astype(np.float64)
        self.total_bias = self.total_bias.astype(np.float64)


def _spans(n: int, n_threads: int) -> list[tuple[int, ...]]:
    """Return ranges of outputs, each a multiple of a block, one for each thread."""
    blocks = -(-n // BLOCK)
    share = -(-blocks // n_threads) * BLOCK
    return [(first, min(first + share, n)) for first in range(0, n, share)]


def _layout(array: Array) -> str:
    """Return "C" or "F": how an array lies in memory."""
    return "C" if array.flags.c_contiguous else "F"


def _aligned(array: Array, dtype: np.dtype[Any], layout: str) -> Array:
    """Return a copy that starts at a line of the cache, in C ("C") or Fortran ("F") order.

    Vector loads that cross lines take twice as long, and NumPy aligns to 16 bytes only.
    """
    line = 64
    buffer = np.zeros(array.size * dtype.itemsize + line, dtype=np.uint8)
    start = -buffer.ctypes.data % line
    flat = buffer[start : start + array.size * dtype.itemsize].view(dtype)
    aligned = flat.reshape(array.shape, order="C" if layout == "C" else "F")
    aligned[...] = array
    return aligned


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0))
