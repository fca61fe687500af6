"""Truth table → `Network`: `from_table`, a neuron for each row.

A *minterm* is a neuron that fires on one row only: weight +1 from each input that is 1 there, -1 from each that is 0,
and as many ones as threshold. An output is the disjunction of the minterms of its true rows, or the negation of
that of its false rows, whichever are fewer. Inputs that an output doesn't depend on are left out of its minterms
first, so constants, single inputs, conjunctions and disjunctions of literals come out as one neuron. It needs at
most ``2**(n - 1)`` minterms an output: a network for any table, not the smallest.

References
----------
W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous activity", Bulletin of
Mathematical Biophysics 5: every truth table is computed by a net of two layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from limen import _text
from limen._door import unique_names
from limen.errors import InputError
from limen.logic.connectives import names_of
from limen.logic.gates import FALSE, TRUE, Gates, Literal
from limen.logic.layout import lay_out
from limen.logic.table import TruthTable, zeros_and_ones
from limen.network import Network
from limen.step import Array

__all__ = ["from_table"]

MOST_INPUTS = 12


def from_table(
    values: Any, *, inputs: str | Iterable[str] | None = None, outputs: str | Iterable[str] | None = None
) -> Network:
    """Return a network that computes a truth table of up to 12 inputs.

    Parameters
    ----------
    values : TruthTable, or array_like of 0 and 1, shape (2**n_inputs,) or (2**n_inputs, n_outputs)
        Rows in truth-table order: first input most significant.
    inputs : str or iterable of str, optional
        Names; one text is split at spaces and commas. Default: those of the `TruthTable`, otherwise ``x1, x2, …``.
    outputs : str or iterable of str, optional
        Names. Default: those of the `TruthTable`, otherwise ``y``, or ``y1, y2, …`` for an array of two
        dimensions.

    Returns
    -------
    Network
        Exact, of one or two heaviside layers, on the binary domain.

    Raises
    ------
    InputError
        The number of rows isn't a power of 2, more than 12 inputs, a value other than 0 or 1, or names that
        don't fit.

    Examples
    --------
    >>> print(from_table([0, 0, 1, 0], inputs="a b"))
    Network: 2 inputs → 1 heaviside
    y fires when a − b ≥ 1
    """
    own_outputs: tuple[str, ...] | None = None
    if isinstance(values, TruthTable):
        own_outputs = values.outputs
        inputs = values.inputs if inputs is None else inputs
        values = values.values
    table = zeros_and_ones(values)
    if table.ndim == 1:
        own_outputs = ("y",)
        table = table[:, np.newaxis]
    if table.ndim != 2 or table.shape[1] == 0:
        raise InputError(
            "A truth table must have shape (2**n_inputs,) or (2**n_inputs, n_outputs). Received: shape"
            f" {table.shape}."
        )
    n_inputs = _number_of_inputs(table.shape[0])
    called = own_outputs if outputs is None else names_of(outputs, "outputs")
    called = unique_names(called, "outputs", "y", table.shape[1])
    names = unique_names(None if inputs is None else names_of(inputs), "inputs", "x", n_inputs)
    gates = Gates(n_inputs)
    literals = [_output(gates, column) for column in table.T]
    return lay_out(gates, dict(zip(called, literals, strict=True)), names)


def _number_of_inputs(n_rows: int) -> int:
    n_inputs = n_rows.bit_length() - 1
    if n_rows != 1 << max(n_inputs, 0):
        raise InputError(f"A truth table has 1, 2, 4, 8, … rows, 2**n_inputs. Received: {n_rows}.")
    if n_inputs > MOST_INPUTS:
        raise InputError(
            f"from_table takes tables of at most {MOST_INPUTS} inputs. Received: {_text.plural(n_inputs, 'input')}."
        )
    return n_inputs


def _output(gates: Gates, column: Array) -> Literal:
    """Return the literal that puts out one column."""
    cube = column.reshape((2,) * gates.n_inputs)
    matters = [axis for axis in range(gates.n_inputs) if (np.diff(cube, axis=axis) != 0).any()]
    cube = cube[tuple(slice(None) if axis in matters else 0 for axis in range(gates.n_inputs))]
    if not matters:
        return TRUE if cube.all() else FALSE
    rarer = int(2 * cube.sum() <= cube.size)
    minterms = []
    for row in np.argwhere(cube == rarer).tolist():
        wires = [gates.input(axis) for axis in matters]
        minterms.append(gates.conjunction(wire ^ 1 ^ bit for wire, bit in zip(wires, row, strict=True)))
    return gates.disjunction(minterms) ^ 1 ^ rarer
