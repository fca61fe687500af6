"""Local search over the weights and thresholds of a network, one at a time, judged by its mistakes on all rows.

`Polishing` holds a network that changes. A neuron has its turn: what each of its moves would cost is counted
(`limen.learn._kernels_polishing`), the best is made as long as one gains, then perhaps one that costs nothing. `Room`
says which moves a layer has. Nothing here checks what a user gives; `limen.learn.polishing` does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from limen._door import is_sparse
from limen._weights import entries
from limen.errors import NotExactError
from limen.learn import _kernels_polishing as kernels
from limen.network import Layer, Network
from limen.step import ACTIVATIONS, Array

__all__ = ["Polishing", "Room"]

logger = logging.getLogger("limen")
CHUNK = 1 << 26  # steps in one kernel call: a fraction of a second
BLOCK = 1 << 24  # numbers of the rows that are unpacked at a time
WIDE = 256  # steps of a threshold that are tried either way, at most
ROUNDING = 1e-9  # a share of all that rows are worth: sums of floats that differ by less are equal


@dataclass(frozen=True, eq=False)
class Room:
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


class Polishing:
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
            Room(flat[start : start + plan.weights.size].reshape(plan.weights.shape), *_rest(plan))
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
            costs, units, deltas = self.moves(layer, k)
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

    def moves(self, layer: int, k: int) -> tuple[Array, Array, Array]:
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
        wide = min(room.step, WIDE)
        close = np.abs(leads + 0.5) < wide
        at = np.bincount(leads[close] + wide, weights=effects[close], minlength=2 * wide)
        ways = np.arange(1, wide + 1)
        biases = np.concatenate([ways, -ways])
        tolls = np.concatenate([np.cumsum(at[:wide][::-1]), np.cumsum(at[wide:])])
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


def _rest(room: Room) -> tuple[Array, Array, bool, int, int, int]:
    return room.bias, room.movable, room.flips, room.step, room.most, room.far


def _plan(layer: Layer, max_weight: int | None) -> Room:
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
    return Room(weights, layer.bias.copy(), movable, flips, 2 * most if flips else 1, max(most, 0), far)


def _whole_type(plans: list[Room]) -> type[np.signedinteger[Any]]:
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
    return z, octets.view("<u8").astype(np.uint64, copy=False)
