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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from limen._door import FLOAT64_WHOLE, INT64_MAX
from limen.errors import NotExactError, TrainingError
from limen.learn import _kernels_dense, _kernels_sparse
from limen.learn._kernels import PERCEPTRON, Rule, State, settle
from limen.learn._kernels_dots import BLOCK
from limen.learn._kernels_lanes import lanes
from limen.learn._rows import Rows
from limen.network import DOMAINS
from limen.step import Array

__all__ = ["LINE", "Learner", "Lesson", "Weights", "aligned"]

CHUNK = 1 << 27  # multiply-adds in one kernel call: well under a second on any machine
PIECE = 1 << 20  # numbers of a type kernels don't know that are copied at a time, into one they do
LINE = 64  # features that rows of weights are padded to, so that each starts a line of the cache
ROW = 128  # multiply-adds in whose time a row is fetched and decided on, for each output
SINGLE_WHOLE = 2.0**24  # whole numbers up to here are float32 numbers
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
    exact : bool
        Whether whole numbers are to stay exact, where the rule lets them.
    """

    def __init__(
        self, n_outputs: int, n_features: int, *, classes: bool, rule: Rule, exact: bool = True
    ) -> None:
        self.n_outputs = n_outputs
        self.n_features = n_features
        self.classes = classes
        self.rule = rule
        self.exact = exact and rule.shrink == 1 and rule.truncate == 0 and rule.update == PERCEPTRON
        self.domain = "binary"
        self.n_steps = 0
        padded = 1 if n_outputs == 1 else -(-n_outputs // BLOCK) * BLOCK
        shape, none = (padded, -(-n_features // LINE) * LINE), (0, 0)
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
        self._view = np.zeros(none, dtype=np.float32)  # of exact weights, see `limen.learn._kernels_dense`
        self._doubt = np.zeros(0)
        self._prepared: tuple[Lesson | None, bool] = (None, False)
        # The sum of the weights after every step so far, int64 while exact.
        kind = np.int64 if self.exact else np.float64
        self.total = np.zeros(shape if rule.average else none, dtype=kind)
        self.total_bias = np.zeros(padded, dtype=kind)

    def copy(self) -> Learner:
        """Return a learner that can go on from here without changing this one."""
        twin = copy.copy(self)
        twin.state = State(*(aligned(array, array.dtype, _layout(array)) for array in self.state))
        twin.total = self.total.copy(order="K")
        twin.total_bias = self.total_bias.copy()
        twin._view = np.zeros((0, 0), dtype=np.float32)  # which two learners in two threads must not share
        twin._prepared = (None, False)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        scratch = {"_view": np.zeros((0, 0), dtype=np.float32), "_prepared": (None, False)}
        return {**self.__dict__, **scratch}  # which has no place in a pickle

    def start_from(self, weights: Array, bias: Array) -> None:
        """Set the weights training starts from, shapes (n_outputs, n_features) and (n_outputs,)."""
        self._prepared = (None, False)
        self.state.weights[: self.n_outputs, : self.n_features] = weights
        self.state.bias[: self.n_outputs] = bias
        given = (self.state.weights, self.state.bias)
        if self.exact and not all(np.array_equal(array, np.rint(array)) for array in given):
            self._become_inexact()

    def grow(self, n_features: int, n_outputs: int, places: Sequence[int]) -> None:
        """Become a learner of more features and outputs, which have weighed nothing so far.

        Parameters
        ----------
        n_features, n_outputs : int
            No fewer than now.
        places : sequence of int
            Where each output of now stands then.
        """
        self._prepared = (None, False)
        width, padded = self.state.weights.shape[1], len(self.state.weights)
        if (
            n_features > width
        ):  # by a half at least, so that a stream of ever new features isn't copied all the time
            width = -(-max(n_features, width * 3 // 2) // LINE) * LINE
        if n_outputs > self.n_outputs:
            padded = -(-n_outputs // BLOCK) * BLOCK
        elif width == self.state.weights.shape[1]:
            self.n_features = n_features
            return
        old, new = np.arange(self.n_outputs), np.asarray(places)

        def grown(array: Array, fill: int = 0) -> Array:
            if array.size == 0:
                return array
            larger = np.full((padded, width)[: array.ndim], fill, array.dtype)
            larger[(new, slice(0, array.shape[1])) if array.ndim == 2 else new] = array[old]
            return aligned(larger, array.dtype, _layout(array))

        parts = {name: grown(array) for name, array in self.state._asdict().items() if name != "time"}
        parts["best_run"] = grown(self.state.best_run, -1)
        if self.classes:  # which share one run
            parts["run"][:] = self.state.run[0]
            parts["best_run"][:] = self.state.best_run[0]
        self.state = State(**parts, time=self.state.time)
        self.total, self.total_bias = grown(self.total), grown(self.total_bias)
        self.n_features, self.n_outputs = n_features, n_outputs

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
        self.begin(empty_pocket=empty_pocket)
        self.show(lesson, order, n_threads=n_threads)
        return self.end()

    def begin(self, *, empty_pocket: bool = False) -> None:
        """Begin an epoch: no mistakes so far."""
        self.state.mistakes[:] = 0
        self.state.loss[:] = 0
        if empty_pocket:
            self.state.best_run[:] = -1

    def show(
        self,
        lesson: Lesson,
        order: Array,
        *,
        n_threads: int = 1,
        between: Callable[[], None] | None = None,
    ) -> None:
        """Show rows, which may be all of an epoch or a part; see `epoch`. Before each chunk `between` is called."""
        self._prepare(lesson)
        position = 0
        if self.classes and self.n_outputs == 1:  # a class without a rival is always right
            self._advance(len(order))
            position = len(order)
        with ThreadPoolExecutor(max_workers=n_threads) if n_threads > 1 else nullcontext() as pool:
            while position < len(order):
                if between is not None:
                    between()
                length = self._chunk(lesson, len(order) - position)
                self._run(lesson, order[position : position + length], pool, n_threads)
                self._advance(length)
                position += length
        self.n_steps += len(order)

    def end(self) -> tuple[int, float]:
        """End an epoch; return its number of mistakes and its loss."""
        self._settle()
        return int(self.state.mistakes.sum()), float(self.state.loss.sum())

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
        """Bring the arrays into the type, layout and padding for these rows."""
        if self._prepared[0] is lesson and self._prepared[1] == self.exact:
            return
        self.domain = max(self.domain, lesson.rows.domain, key=DOMAINS.index)
        if self.exact and not lesson.is_whole:
            self._become_inexact()
        single = not self.exact and lesson.rows.arrays[0].dtype == np.float32
        kind = np.dtype(np.float32 if single else np.float64)
        layout = "F" if lesson.rows.is_sparse else "C"
        if self.n_outputs == 1:
            self._unit = n_padded = 1
        else:
            self._unit = lanes(np.empty(0, kind)) if lesson.rows.is_sparse else BLOCK
            n_padded = -(-self.n_outputs // self._unit) * self._unit
        learned = ("weights", "bias", "pocket", "pocket_bias")
        fitted = {
            name: _fitting(array, n_padded, kind if name in learned else array.dtype, layout)
            for name, array in self.state._asdict().items()
            if name != "time"
        }
        self.state = State(**fitted, time=self.state.time)
        self.total = _fitting(self.total, n_padded, self.total.dtype, layout)
        self.total_bias = _fitting(self.total_bias, n_padded, self.total.dtype, layout)
        self._view, self._doubt = self.state.weights, np.zeros(0)
        rows = lesson.rows
        fits_single = rows.largest <= SINGLE_WHOLE and rows.arrays[0].dtype != np.float64
        if self.exact and not rows.is_sparse and fits_single:
            self._view = aligned(self.state.weights, np.dtype(np.float32), "C")
            self._doubt = np.zeros(n_padded)
            for k in range(self.n_outputs):
                _kernels_dense.refresh(self.state.weights, self._view, self._doubt, rows.largest, k)
        self._prepared = (lesson, self.exact)

    def _taken(self, lesson: Lesson) -> np.dtype[Any] | None:
        """Return the type dense rows must be copied to for a kernel to take them; None if it takes them as they are."""
        given = lesson.rows.arrays[0].dtype
        if lesson.rows.is_sparse or given == self._view.dtype or (len(self._doubt) and given == np.uint8):
            return None
        return np.dtype(self._view.dtype)

    def _chunk(self, lesson: Lesson, remaining: int) -> int:
        """Return how many rows to do next, settling sums or giving up exactness where numbers get large."""
        n_outputs, width = self.state.weights.shape
        per_output = ROW + (lesson.rows.cost if lesson.rows.is_sparse else width)
        per_row = per_output * n_outputs * (4 if self.rule.truncate > 0 else 1)
        length = min(remaining, max(1, int(CHUNK / per_row)))
        if self._taken(lesson) is not None:
            length = min(length, max(1, PIECE // width))
        if self.rule.shrink < 1:
            # Sums are settled after a number of steps that hangs on nothing but the penalty, so chunks change no bit.
            most = max(1, int(np.log(SMALLEST_SCALE) / np.log(self.rule.shrink)))
            if self.state.time[2] >= most:
                self._settle()
            length = min(length, most - int(self.state.time[2]))
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
        given: tuple[Array, ...] = (order, lesson.targets, lesson.sample_weight)
        arrays = rows.arrays
        taken = self._taken(lesson)
        if taken is not None:
            arrays = (arrays[0][order].astype(taken),)
            given = (np.arange(len(order)), lesson.targets[order], lesson.sample_weight[order])
        kernel: Any
        if rows.is_sparse:
            kernel = _kernels_sparse.sparse_classes if self.classes else _kernels_sparse.sparse_outputs
            place: tuple[Any, ...] = ()
        else:
            kernel = _kernels_dense.dense_classes if self.classes else _kernels_dense.dense_outputs
            place = (self._view, self._doubt, rows.largest)
        spans = [()] if self.classes else _spans(len(state.weights), self._unit, n_threads)
        calls = [(*arrays, *given, lesson.cost, *span, *place, state, rule) for span in spans]
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

    def _advance(self, length: int) -> None:
        """Let time go on by some steps, adding in the order in which kernels do."""
        time, rule = self.state.time, self.rule
        if rule.shrink < 1:
            scales = np.full(length + 1, rule.shrink)
            scales[0] = time[0]
            scales = np.multiply.accumulate(scales)
            time[0] = scales[-1]
            scales[0] = time[1]
            time[1] = np.add.accumulate(scales)[-1]
        else:
            time[1] += length * time[0]
        time[2] += length
        if rule.truncate > 0:
            dues = np.full(length + 1, rule.truncate)
            dues[0] = time[3]
            time[3] = np.add.accumulate(dues)[-1]

    def _settle(self) -> None:
        """Fold scale, clock and late sums into the weights and the total."""
        state = self.state
        with np.errstate(over="ignore", invalid="ignore"):
            finite = settle(state, self.total, self.total_bias, self.rule.average)
        state.time[:3] = (1.0, 0.0, 0.0)
        if not finite:
            raise TrainingError(
                "The weights overflowed while learning, so nothing was kept. Scale the features or the sample"
                " weights down."
            )

    def _become_inexact(self) -> None:
        self._settle()
        self.exact = False
        self.total = self.total.astype(np.float64)
        self.total_bias = self.total_bias.astype(np.float64)


def _spans(n: int, unit: int, n_threads: int) -> list[tuple[int, ...]]:
    """Return ranges of outputs, each a multiple of `unit`, one for each thread."""
    share = -(-(n // unit) // n_threads) * unit
    return [(first, min(first + share, n)) for first in range(0, n, share)]


def _fitting(array: Array, n_padded: int, dtype: np.dtype[Any], layout: str) -> Array:
    """Return an array of the type, padding and layout kernels want: itself if it is so already."""
    if array.size == 0:
        return array
    if len(array) == n_padded and array.dtype == dtype and _lies(array, layout):
        return array
    n = min(len(array), n_padded)
    padded = np.zeros((n_padded, *array.shape[1:]), dtype)
    padded[:n] = array[:n]
    return aligned(padded, dtype, layout)


def _lies(array: Array, layout: str) -> bool:
    return array.flags.c_contiguous if layout == "C" else array.flags.f_contiguous


def _layout(array: Array) -> str:
    """Return "C" or "F": how an array lies in memory."""
    return "C" if array.flags.c_contiguous else "F"


def aligned(array: Array, dtype: np.dtype[Any], layout: str) -> Array:
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
    """Return the largest absolute value, NaN if there is one, without a copy."""
    return max(float(array.max(initial=0)), -float(array.min(initial=0))) if array.size else 0.0
