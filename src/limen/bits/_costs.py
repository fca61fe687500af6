"""What steps take, in nanoseconds, as measured on one core; and which of two ways each wide layer takes.

On an Intel Xeon of 2023, for 512-bit registers with and without a population count of words, and for narrower ones. Between
processors the ratios change less than the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen._weights import entries
from limen.bits._llvm import Target
from limen.bits._matrix_text import MatrixShape, fits
from limen.bits._wide_text import Shape, planes_of, shaped
from limen.network import Layer
from limen.words import words_for

__all__ = ["COSTS", "GATES_PER_BIT", "LAYER", "PORTABLE", "ROW", "LayerCost", "costs_of", "layer_cost"]

COSTS: dict[str, dict[str, float]] = {
    # register_bits and what counts: XOR, count and add of one register; a gate of straight code; a step of a tape
    "512 words": {"wide": 0.43, "gate": 0.23, "step": 1.7},
    "512 bytes": {"wide": 1.11, "gate": 0.23, "step": 1.7},
    "256 bytes": {"wide": 0.78, "gate": 0.32, "step": 1.3},
    "128 bytes": {"wide": 1.2, "gate": 0.35, "step": 1.2},
}
PRODUCTS, SPREAD, SUMS = 0.49, 1.2, 0.2  # of matrix registers: 16 neurons and a word; a word; a block
PORTABLE = 1.0  # a weight
ROW, LAYER = 8.0, 3.0  # of the wide way: a row, and a layer of it
GATES_PER_BIT = 2.0  # gates that a bit of a weight takes, about


def costs_of(target: Target) -> dict[str, float]:
    """Return what steps take on a processor."""
    return COSTS[f"{target.register_bits} {'words' if target.counts_words else 'bytes'}"]


@dataclass(frozen=True)
class LayerCost:
    """What a wide layer takes for a row.

    Parameters
    ----------
    shape : Shape
        Of its loops where bits are counted.
    matrix_shape : MatrixShape, optional
        Of its loops where matrix registers multiply; None where they can't, or take longer.
    nanoseconds : float
        Of the quicker of the two.
    """

    shape: Shape
    matrix_shape: MatrixShape | None
    nanoseconds: float


def layer_cost(layer: Layer, target: Target) -> LayerCost:
    """Return what a layer takes for a row, in large batches."""
    _, _, weights = entries(layer.weights)
    words, neurons = words_for(layer.n_inputs), layer.n_neurons
    masked, shifts = planes_of(np.abs(weights), layer.n_inputs * neurons)
    shape = shaped(words, neurons, masked, shifts, target)
    counting = costs_of(target)["wide"] * shape.blocks * shape.vectors * words * shape.planes
    matrix = MatrixShape(words, neurons)
    multiplying = (PRODUCTS * matrix.across * words + SUMS) * matrix.blocks + SPREAD * words
    if target.matrices and multiplying < counting and fits(weights, layer.n_inputs):
        return LayerCost(shape, matrix, multiplying)
    return LayerCost(shape, None, counting)
