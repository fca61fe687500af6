"""Fewer mistakes without gradients: `polish` changes one weight or threshold of a network at a time.

The loss is the true one, the number of mistakes, and every change is judged by what it does to all rows, exactly. That
is affordable because a neuron whose one weight changes gives something else only in the rows near its tie: what turning
it round does there is worked out once for all of its weights, and added up for each of them on bits, 64 rows a word
(`limen.learn._kernels_polishing`).

References
----------
T. Grossman, R. Meir and E. Domany (1988), "Learning by choice of internal representations", Complex Systems 2: layers of
threshold neurons that learn without gradients. B. Selman, H. Levesque and D. Mitchell (1992), "A new method for solving
hard satisfiability problems", AAAI: moves that gain nothing lead on from where no move gains.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from limen._door import as_array, inputs_array, is_sparse
from limen._text import article
from limen._weights import entries
from limen.errors import InputError, NotExactError
from limen.learn import _kernels_polishing as kernels
from limen.network import Layer, Network
from limen.step import ACTIVATIONS, Array

__all__ = ["polish"]

logger = logging.getLogger("limen")
CHUNK = 1 << 26  # steps in one kernel call: a fraction of a second
BLOCK = 1 << 24  # numbers of the rows that are unpacked at a time
ROUNDING = 1e-9  # a share of all that rows are worth: sums of floats that differ by less are equal


def polish(
    network: Network,
    X: Any,
    y: Any,
    *,
    max_weight: int | None = None,
    sample_weight: Any = None,
    sideways: int = 1000,
    max_rounds: int = 100,
    seconds: float | None = None,
    random_state: Any = None,
    after_round: Callable[[Network], object] | None = None,
) -> Network:
    """Return a network with fewer mistakes, found by changing one weight or threshold at a time.

    It never makes more mistakes than the given one, which is itself returned where none with fewer is found. What it
    does on rows it hasn't seen is another matter: judge it on rows you held out.

    Parameters
    ----------
    network : Network
        Heaviside layers, the last one heaviside or hardmax, with integer weights, on binary inputs.
    X : array_like or scipy.sparse matrix of shape (n_rows, n_inputs)
        Zeros and ones.
    y : array_like of shape (n_rows,) or (n_rows, n_outputs)
        What the outputs should be. For a hardmax layer the number of the neuron that should win; for one heaviside
        output 0 or 1; for several a column of zeros and ones for each. For a fitted classifier `clf` with labels of
        another kind, `clf.network_` takes ``np.searchsorted(clf.classes_, y)``.
    max_weight : int, optional
        The largest absolute value that weights may grow to; by default that of each layer as it is, so that weights of
        ±1 stay ±1 and ternary ones ternary. Thresholds are free.
    sample_weight : array_like of shape (n_rows,), optional
        What a mistake in each row counts.
    sideways : int, default 1000
        How many moves in a row may leave the number of mistakes as it is. With 0 it ends where no single move gains.
    max_rounds : int, default 100
        In a round each neuron has its turn once.
    seconds : float, optional
        When to stop, at the latest.
    random_state : int, RandomState instance or None
        For the order of the neurons, and which of equally good moves is taken.
    after_round : callable, optional
        Called after each round with the network as it then is: what it keeps, Ctrl-C doesn't take.

    Returns
    -------
    Network
        With the same shape, names and activations.

    Raises
    ------
    InputError
        Rows or labels that don't fit, a layer that isn't heaviside (or hardmax, last), inputs that aren't binary, an
        option out of range.
    NotExactError
        Weights that aren't integers, or sums that could leave int64.

    Notes
    -----
    A move is a step of ±1 of one weight; where all weights of a layer have one absolute value, and none is 0, the sign of
    one weight; and a step of one threshold, as far as a weight's step at most. A layer with sparse weights keeps its
    wires: what is 0 there stays 0. For several outputs each wrong output is a mistake.

    A neuron whose turn it is takes its best move as long as one gains, then perhaps one that neither gains nor loses.
    The result hangs on `random_state` alone, unless `seconds` ends it. Each round is a record at level INFO on the
    logger ``limen``, with ``round``, ``max_rounds`` and ``n_mistakes``.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> start = Network([Layer([[1, 1], [1, -1]], [-1, -1]), Layer([[1], [1]], [-1])], domain="binary")
    >>> start(X).ravel().tolist()
    [0, 1, 1, 1]
    >>> polish(start, X, y, random_state=0)(X).ravel().tolist()
    [0, 1, 1, 0]
    """
    _require_moves(network)
    rows = inputs_array(X)
    if rows.ndim != 2 or rows.shape[0] == 0:
        raise InputError(f"X must be a table of at least one row. Received: shape {rows.shape}.")
    rows = rows.tocsr() if is_sparse(rows) else rows
    before = network(rows)
    targets = _targets(network, y, rows.shape[0])
    worth = _worth(sample_weight, rows.shape[0])
    limit = None if max_weight is None else _whole(max_weight, "max_weight", 1)
    budget, most = _whole(sideways, "sideways", 0), _whole(max_rounds, "max_rounds", 1)
    deadline = math.inf if seconds is None else time.monotonic() + _seconds(seconds)
    polishing = _Polishing(network, rows, targets, worth, limit, check_random_state(random_state))
    polishing.run(budget, most, deadline, after_round)
    better = polishing.network()
    if _loss(network, better(rows), targets, worth) < _loss(network, before, targets, worth):
        return better
    return network


# At the door --------------------------------------------------------------------------------------------------


def _require_moves(network: Any) -> None:
    """Refuse what isn't a network that this can change."""
    if not isinstance(network, Network):
        raise InputError(f"network must be a limen.Network. Received: {article(type(network).__name__)}.")
    if network.domain != "binary":
        raise InputError(
            "polish takes a network whose domain is 'binary': inputs 0 and 1, as limen.learn.ThresholdEncoder makes"
            f" them. Received: domain {network.domain!r}."
        )
    for index, layer in enumerate(network.layers):
        is_last = index == network.depth - 1
        if layer.activation == "heaviside" or (is_last and layer.activation == "hardmax"):
            continue
        remedy = (
            " limen.rewrite.split_sign turns hidden ones into heaviside neurons."
            if layer.activation == "sign"
            else ""
        )
        raise InputError(
            "polish takes heaviside layers, of which the last may be hardmax. Received: layer"
            f" {index + 1} is {layer.activation}.{remedy}"
        )
    for index, layer in enumerate(network.layers):
        if not layer.is_integer:
            raise NotExactError(
                f"polish takes integer weights. Received: layer {index + 1} has floats. limen.rewrite.to_integers"
                " gives a network of the same function with integers."
            )


def _targets(network: Network, y: Any, n_rows: int) -> Array:
    """Return the labels as int64 of shape (n_rows, n_targets)."""
    labels = as_array(y, "y", "labels")
    competing = network.layers[-1].activation == "hardmax"
    several = not competing and network.n_outputs > 1
    if labels.ndim == 2 and labels.shape[1] == 1 and not several:
        labels = labels[:, 0]
    wanted = (n_rows, network.n_outputs) if several else (n_rows,)
    if labels.shape != wanted:
        raise InputError(
            f"y must have shape {wanted}, for so many rows of X. Received: shape {labels.shape}."
        )
    if labels.dtype.kind not in "buif":
        raise InputError(
            "y must hold what the outputs should be, as whole numbers; labels of a classifier become them by"
            f" np.searchsorted(clf.classes_, y). Received: dtype {labels.dtype}."
        )
    most = network.n_outputs - 1 if competing else 1
    wrong = (
        labels[~((labels >= 0) & (labels <= most) & (labels == np.rint(labels)))]
        if labels.dtype.kind != "b"
        else labels[:0]
    )
    if len(wrong):
        expected = f"class numbers from 0 to {most}" if competing else "zeros and ones"
        raise InputError(f"y must hold {expected} for this network. Received: {wrong[0]}.")
    return labels.astype(np.int64).reshape(n_rows, -1)


def _worth(sample_weight: Any, n_rows: int) -> Array:
    if sample_weight is None:
        return np.ones(n_rows)
    worth = as_array(sample_weight, "sample_weight")
    if worth.shape != (n_rows,) or worth.dtype.kind not in "buif":
        raise InputError(
            f"sample_weight must have shape ({n_rows},), a number for each row. Received: shape {worth.shape},"
            f" dtype {worth.dtype}."
        )
    worth = worth.astype(np.float64)
    if not (np.isfinite(worth).all() and (worth >= 0).all() and np.isfinite(worth.sum())):
        raise InputError("sample_weight must hold finite numbers that aren't negative. Received: others.")
    return worth


def _whole(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be a whole number of at least {least}. Received: {value!r}.")
    return int(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value > 0:
        raise InputError(f"seconds must be a number above 0, or None. Received: {value!r}.")
    return float(value)


def _loss(network: Network, outputs: Array, targets: Array, worth: Array) -> float:
    """Return what the mistakes count, its sum rounded once."""
    if network.layers[-1].activation == "hardmax":
        wrong: Array = outputs.argmax(axis=1) != targets[:, 0]
    else:
        wrong = (outputs != targets).sum(axis=1)
    return math.fsum((wrong * worth).tolist())


# The search ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Room:
    """In which ways a layer may change.

    Parameters
    ----------
    weights : ndarray of shape (n_inputs, n_neurons)
        As they are now.
    bias : ndarray of int64, shape (n_neurons,)
        As it is now.
    movable : ndarray of bool, shape (n_inputs, n_neurons)
    flips : bool
        Whether a move turns the sign of a weight, instead of adding ±1.
    step : int
        By how much a move changes a net input at most.
    most : int
        The largest absolute value of a weight, and
    far : int
        of a bias.
    """

    weights: Array
    bias: Array
    movable: Array
    flips: bool
    step: int
    most: int
    far: int


class _Polishing:
    """A network that changes, and what it gives on its rows.

    Parameters
    ----------
    network : Network
    X : ndarray or csr_array of shape (n_rows, n_inputs)
    targets : ndarray of int64, shape (n_rows, n_targets)
    worth : ndarray of float64, shape (n_rows,)
    max_weight : int or None
    random : numpy.random.RandomState
    """

    def __init__(
        self, network: Network, X: Any, targets: Array, worth: Array, max_weight: int | None, random: Any
    ) -> None:
        self.given, self.random = network, random
        plans = [_plan(layer, max_weight) for layer in network.layers]
        dtype = _whole_type(plans)
        sizes = [layer.n_neurons for layer in network.layers]
        starts = np.cumsum([0, *(plan.weights.size for plan in plans)])
        flat = np.concatenate([plan.weights.ravel() for plan in plans]).astype(dtype)
        self.rooms = [
            _Room(flat[start : start + plan.weights.size].reshape(plan.weights.shape), *_rest(plan))
            for start, plan in zip(starts[:-1], plans, strict=True)
        ]
        n_rows = X.shape[0]
        z, bits = _net_inputs(network, X, dtype)
        self.state = kernels.State(
            z,
            bits,
            flat,
            np.cumsum([0, *sizes]),
            starts[:-1].astype(np.int64),
            np.ascontiguousarray(targets),
            network.layers[-1].activation == "hardmax",
            np.zeros(n_rows, dtype=np.int64),
            worth,
        )
        kernels.judge(self.state, 0, n_rows)
        self.is_plain = bool((worth == 1).all())
        self.slack = 0.0 if bool((worth == np.rint(worth)).all()) else ROUNDING * float(worth.sum())
        self._leads = np.zeros(n_rows, dtype=np.int64)
        self._rows = np.zeros(n_rows, dtype=np.int64)
        self._after = np.zeros(sum(sizes), dtype=dtype)
        # What one row may cost behind a layer: each of its neurons turned round, and those behind.
        self._work = [sum(a * b for a, b in pairwise([1, *sizes[k + 1 :], 1])) for k in range(len(sizes))]

    @property
    def n_mistakes(self) -> int:
        """Number of mistakes now."""
        return int(self.state.wrong.sum())

    def network(self) -> Network:
        """Return the network as it is now."""
        layers = []
        for layer, room in zip(self.given.layers, self.rooms, strict=True):
            weights: Any = room.weights.astype(np.int64)
            if is_sparse(layer.weights):
                weights = type(layer.weights)(weights)
            layers.append(Layer(weights, room.bias, layer.activation))
        return Network(layers, self.given.inputs, self.given.outputs, self.given.domain)

    def run(
        self, sideways: int, max_rounds: int, deadline: float, after_round: Callable[[Network], object] | None
    ) -> None:
        """Change the network, round after round."""
        neurons = [(k, j) for k, room in enumerate(self.rooms) for j in range(len(room.bias))]
        left = sideways
        for number in range(1, max_rounds + 1):
            moved = False
            for turn in self.random.permutation(len(neurons)).tolist():
                if time.monotonic() >= deadline or not self.n_mistakes:
                    return
                gained, slid = self._visit(*neurons[turn], slides=left > 0)
                left = (sideways if gained else left) - slid
                moved |= gained or slid
            logger.info(
                "round %d of at most %d: %d mistakes",
                number,
                max_rounds,
                self.n_mistakes,
                extra={"round": number, "max_rounds": max_rounds, "n_mistakes": self.n_mistakes},
            )
            if after_round is not None:
                after_round(self.network())
            if not moved:
                return

    def _visit(self, layer: int, k: int, *, slides: bool) -> tuple[bool, bool]:
        """Take the best moves of a neuron while they gain, then one that costs nothing; return whether it did either."""
        gained = False
        while True:
            costs, units, deltas = self._moves(layer, k)
            if not len(costs):
                return gained, False
            least = costs.min()
            gains = bool(least < -self.slack)
            if not gains and not (slides and least <= self.slack):
                return gained, False
            good = np.flatnonzero(costs == least) if gains else np.flatnonzero(costs <= self.slack)
            chosen = good[self.random.randint(len(good))]
            self._move(layer, k, int(units[chosen]), int(deltas[chosen]))
            if not gains:
                return gained, True
            gained = True

    def _moves(self, layer: int, k: int) -> tuple[Array, Array, Array]:
        """Return what each move of a neuron costs, which unit's weight it changes (-1: the bias), and by how much."""
        room, state = self.rooms[layer], self.state
        n_near = kernels.near(state, layer, k, room.step, self._leads, self._rows)
        leads, rows = self._leads[:n_near], self._rows[:n_near]
        effects = np.zeros(n_near)
        piece = max(1, CHUNK // self._work[layer])
        for first in range(0, n_near, piece):
            part = slice(first, first + piece)
            kernels.turned(state, layer, k, leads[part], rows[part], effects[part], self._after)
        rising, falling = self._tally(layer, room.step, leads, rows, effects)
        weights, movable = room.weights[:, k].astype(np.int64), room.movable[:, k]
        if room.flips:
            units = np.flatnonzero(movable)
            deltas = -2 * weights[units]
            costs = np.where(deltas > 0, rising[units], falling[units])
        else:
            up = np.flatnonzero(movable & ((weights < room.most) | (weights < 0)))
            down = np.flatnonzero(movable & ((weights > -room.most) | (weights > 0)))
            units = np.concatenate([up, down])
            deltas = np.repeat([1, -1], [len(up), len(down)])
            costs = np.concatenate([rising[up], falling[down]])
        # A bias that moves by t turns all rows within t of the tie round.
        at = np.bincount(leads + room.step, weights=effects, minlength=2 * room.step)
        ways = np.arange(1, room.step + 1)
        biases = np.concatenate([ways, -ways])
        tolls = np.concatenate([np.cumsum(at[: room.step][::-1]), np.cumsum(at[room.step :])])
        within = np.abs(room.bias[k] + biases) <= room.far
        return (
            np.concatenate([costs, tolls[within]]),
            np.concatenate([units, np.full(int(within.sum()), -1)]),
            np.concatenate([deltas, biases[within]]),
        )

    def _tally(self, layer: int, step: int, leads: Array, rows: Array, effects: Array) -> Array:
        """Return what it costs that each weight rises, and that it falls, by a step: shape (2, n_inputs)."""
        inputs = self._units(layer)
        costs = np.zeros((2, len(inputs)))
        if self.is_plain and (layer == len(self.rooms) - 1 or self.state.targets.shape[1] == 1):
            masks = np.zeros((4, inputs.shape[1]), dtype=np.uint64)
            kernels.mark(step, leads, rows, effects, masks)
            piece = max(1, CHUNK // max(1, 4 * inputs.shape[1]))
            for first in range(0, len(inputs), piece):
                kernels.tally(inputs[first : first + piece], masks, costs[:, first : first + piece])
        else:
            counts = np.flatnonzero(effects)
            leads, rows, effects = leads[counts], rows[counts], effects[counts]
            piece = max(1, CHUNK // max(1, 4 * len(rows)))
            for first in range(0, len(inputs), piece):
                part = slice(first, first + piece)
                kernels.tally_each(inputs[part], step, leads, rows, effects, costs[:, part])
        return costs

    def _units(self, layer: int) -> Array:
        """Return the bits of the units a layer sees."""
        n_inputs = self.given.n_inputs
        if layer == 0:
            return self.state.bits[:n_inputs]
        firsts = self.state.firsts
        return self.state.bits[n_inputs + firsts[layer - 1] : n_inputs + firsts[layer]]

    def _move(self, layer: int, k: int, unit: int, delta: int) -> None:
        """Change one weight, or the bias."""
        room, state, n_inputs = self.rooms[layer], self.state, self.given.n_inputs
        if unit < 0:
            room.bias[k] += delta
        else:
            room.weights[unit, k] += delta
            if layer:
                unit += n_inputs + int(state.firsts[layer - 1])
        piece = max(1, CHUNK // self._work[layer])
        for first in range(0, len(state.z), piece):
            end = min(first + piece, len(state.z))
            kernels.shift(state, layer, k, unit, delta, first, end, self._after)


def _rest(room: _Room) -> tuple[Array, Array, bool, int, int, int]:
    return room.bias, room.movable, room.flips, room.step, room.most, room.far


def _plan(layer: Layer, max_weight: int | None) -> _Room:
    """Return how a layer may change."""
    weights = layer.dense()
    _, _, values = entries(layer.weights)
    sizes = np.unique(np.abs(values))
    largest = max((abs(int(value)) for value in values), default=0)
    most = largest if max_weight is None else max_weight
    movable = weights != 0 if is_sparse(layer.weights) else np.full(weights.shape, most > 0)
    flips = len(sizes) == 1 and most == largest and bool((weights[movable] != 0).all())
    reach = max(map(abs, map(int, layer.bias)), default=0)
    far = max(reach, layer.n_inputs * max(most, largest) + 1)
    return _Room(weights, layer.bias.copy(), movable, flips, 2 * most if flips else 1, max(most, 0), far)


def _whole_type(plans: list[_Room]) -> type[np.signedinteger[Any]]:
    """Return the integers that hold every net input these layers can come to have."""
    reach = 0
    for plan in plans:
        largest = max(plan.most, max((abs(int(w)) for w in plan.weights.flat), default=0))
        reach = max(reach, plan.weights.shape[0] * largest + plan.far + plan.step)
    for kind in (np.int16, np.int32, np.int64):
        if reach < np.iinfo(kind).max // 2:
            return kind
    raise NotExactError(
        f"Net inputs must fit into int64 with room to spare while weights change. Received: they could reach {reach}."
        " Divide the weights by a common factor (limen.rewrite.simplify), or give a smaller max_weight."
    )


def _net_inputs(network: Network, X: Any, dtype: Any) -> tuple[Array, Array]:
    """Return the net inputs of all neurons, and what the inputs and hidden neurons give as bits."""
    n_rows, n_units = X.shape[0], network.n_inputs + network.n_neurons - network.n_outputs
    z = np.zeros((n_rows, network.n_neurons), dtype=dtype)
    octets = np.zeros((n_units, 8 * -(-n_rows // 64)), dtype=np.uint8)
    block = max(64, BLOCK // max(1, network.n_inputs) // 64 * 64)
    for first in range(0, n_rows, block):
        h = X[first : first + block]
        h = h.toarray() if is_sparse(h) else h
        end, unit, neuron = first + len(h), 0, 0
        for index, layer in enumerate(network.layers):
            packed = np.packbits(h != 0, axis=0, bitorder="little").T
            octets[unit : unit + h.shape[1], first // 8 : first // 8 + packed.shape[1]] = packed
            unit += h.shape[1]
            sums = layer.net_input(h != 0)
            z[first:end, neuron : neuron + layer.n_neurons] = sums
            neuron += layer.n_neurons
            if index < network.depth - 1:
                h = ACTIVATIONS[layer.activation](sums)
    words = octets.view("<u8").astype(np.uint64, copy=False)
    return z, words.reshape(n_units, -1)
