"""What is asked about: a formula, a truth table or a network with one output, all as `Asked`.

Questions such as "is this one neuron?" or "what is the smallest network for this?" take any of the three. A table may
have *don't-care* entries, None or -1: rows for which either output will do.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for functions that aren't completely specified.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from limen import _text
from limen._door import unique_names
from limen.errors import InputError
from limen.logic.connectives import names_of
from limen.logic.proposition import Formula, evaluate
from limen.logic.table import TruthTable, truth_table
from limen.network import Network
from limen.step import Array

__all__ = ["DONT_CARE", "MOST_INPUTS", "Asked", "asked", "numbers_of", "rows_of"]

DONT_CARE = -1
MOST_INPUTS = 20


@final
@dataclass(frozen=True, eq=False)
class Asked:
    """A function of named inputs that are 0 or 1, however it was given.

    Attributes
    ----------
    inputs : tuple of str
    output : str
    formula : Formula or None
    network : Network or None
        With one output.
    values : ndarray of int8, shape (2**n_inputs,), or None
        The table that was given, in truth-table order, `DONT_CARE` where it says nothing.
    """

    inputs: tuple[str, ...]
    output: str
    formula: Formula | None = None
    network: Network | None = None
    values: Array | None = None

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.inputs)

    def table(
        self, most: int = MOST_INPUTS, remedy: str = "Ask about a formula or a network instead"
    ) -> Array:
        """Return the truth table, int8, `DONT_CARE` where it says nothing; refuse more than `most` inputs."""
        if self.n_inputs > most:
            raise InputError(
                f"A truth table for this question has at most {most} inputs ({1 << most:,} rows). Received:"
                f" {_text.plural(self.n_inputs, 'input')}. {remedy}."
            )
        if self.values is not None:
            return self.values
        if self.formula is not None:
            return truth_table(self.formula, inputs=self.inputs).values[:, 0]
        return truth_table(self.network, inputs=self.inputs).values[:, 0]  # type: ignore[arg-type]

    def decide(self, rows: Array, indices: tuple[int, ...] = ()) -> Array:
        """Return what the function says for rows of inputs: 1, 0 or `DONT_CARE`.

        Parameters
        ----------
        rows : array_like of shape (n_rows, n_inputs)
            It says nothing of rows that aren't zeros and ones.
        indices : tuple of int, optional
            Their numbers in the truth table; it says nothing of a row with a number that isn't its own.
        """
        given = np.asarray(rows).reshape(-1, self.n_inputs)
        bits = ((given == 0) | (given == 1)).all(axis=1)
        zeros_and_ones = np.where(bits[:, np.newaxis], given, 0).astype(np.int8)
        if len(indices) and self.n_inputs <= MOST_INPUTS:
            bits &= numbers_of(zeros_and_ones) == np.array(indices)
        return np.where(bits, self._says(zeros_and_ones), DONT_CARE)

    def _says(self, rows: Array) -> Array:
        if self.values is not None:
            said: Array = self.values[numbers_of(rows)]
            return said
        if self.formula is not None:
            columns = {name: rows[:, k] == 1 for k, name in enumerate(self.inputs)}
            held = evaluate([self.formula], columns)[0]
            return np.broadcast_to(np.asarray(held, dtype=np.int8), (len(rows),))
        assert self.network is not None
        decided: Array = self.network(rows)[:, 0]
        return decided


def asked(f: Any, *, inputs: str | Iterable[str] | None = None) -> Asked:
    """Return what is asked about.

    Parameters
    ----------
    f : Formula, Network with one output, TruthTable with one output, or array_like of shape (2**n_inputs,)
        An array holds 0, 1 (or booleans) and, where either will do, None or -1. A network takes binary inputs and ends
        in a heaviside or hardmax neuron.
    inputs : str or iterable of str, optional
        Names (for a formula: names and order, and there may be more than it uses). Default: its own, or ``x1, x2, …``.

    Raises
    ------
    InputError
        Several outputs, a number of rows that isn't a power of 2, other values, or names that don't fit.

    Examples
    --------
    >>> asked([0, 1, None, 0]).table()
    array([ 0,  1, -1,  0], dtype=int8)
    """
    names = None if inputs is None else names_of(inputs)
    if isinstance(f, Formula):
        used = f.inputs
        if names is None:
            return Asked(used, "y", formula=f)
        missing = [name for name in used if name not in set(names)]
        if missing:
            raise InputError(
                f"inputs must hold every input of the formula ({_text.listing(used)}). Received: no"
                f" {_text.listing(missing)}."
            )
        return Asked(names, "y", formula=f)
    if isinstance(f, Network):
        return _network(f, names)
    if isinstance(f, TruthTable):
        if f.n_outputs != 1:
            raise InputError(
                f"Expected a truth table with one output. Received: {f.n_outputs} ({_text.listing(f.outputs)}). Ask"
                " about one column of its values at a time."
            )
        table = f.values[:, 0]
        return Asked(unique_names(names or f.inputs, "inputs", "x", f.n_inputs), f.outputs[0], values=table)
    values = _values(f)
    n_inputs = len(values).bit_length() - 1
    if len(values) != 1 << max(n_inputs, 0):
        raise InputError(f"A truth table has 1, 2, 4, 8, … rows, 2**n_inputs. Received: {len(values)}.")
    return Asked(unique_names(names, "inputs", "x", n_inputs), "y", values=values)


def _network(net: Network, names: tuple[str, ...] | None) -> Asked:
    last = net.layers[-1].activation
    if net.n_outputs != 1:
        raise InputError(
            f"Expected a network with one output. Received: {net.n_outputs} ({_text.listing(net.outputs)}). Take one"
            " with net.select(output)."
        )
    if net.domain != "binary" or last not in {"heaviside", "hardmax"}:
        raise InputError(
            "Expected a network with binary inputs that ends in a heaviside or hardmax neuron. Received:"
            f" {net.domain} inputs and {_text.article(last)} neuron."
        )
    if names is not None and names != net.inputs:
        raise InputError(
            f"inputs must be those of the network ({_text.listing(net.inputs)}). Received: {_text.listing(names)}."
        )
    return Asked(net.inputs, net.outputs[0], network=net)


def _values(f: Any) -> Array:
    """Return a table given as a sequence, as int8."""
    if isinstance(f, str) or not hasattr(f, "__len__"):
        raise InputError(
            "Expected a formula, a network with one output, or a truth table: a sequence of 2**n_inputs zeros and"
            f" ones. Received: {f!r}."
            + (" Turn text into a formula with logic.parse." if isinstance(f, str) else "")
        )
    if isinstance(f, np.ma.MaskedArray):
        f = f.filled(DONT_CARE)
    try:
        given = np.asarray(f)
    except ValueError:
        raise InputError(
            "A truth table must have shape (2**n_inputs,). Received: rows of unequal lengths."
        ) from None
    if given.dtype == object:
        given = np.array([DONT_CARE if value is None else value for value in given.ravel()]).reshape(
            given.shape
        )
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim != 1:
        raise InputError(f"A truth table must have shape (2**n_inputs,). Received: shape {given.shape}.")
    if given.dtype.kind not in "buif":
        raise InputError(f"A truth table must hold zeros and ones. Received: dtype {given.dtype}.")
    good = (given == 0) | (given == 1) | (given == DONT_CARE)
    if not good.all():
        row = int(np.argmin(good))
        raise InputError(
            "A truth table must hold 0 and 1, and None or -1 where either will do. Received:"
            f" {given[row]} in row {row}."
        )
    values: Array = given.astype(np.int8)
    values.setflags(write=False)
    return values


def rows_of(indices: Any, n_inputs: int) -> Array:
    """Return rows of a truth table, given their numbers; int8, shape (n_rows, n_inputs)."""
    numbers = np.asarray(indices, dtype=np.int64).reshape(-1, 1)
    bits: Array = (numbers >> np.arange(n_inputs - 1, -1, -1) & 1).astype(np.int8)
    return bits


def numbers_of(rows: Array) -> Array:
    """Return the numbers of rows of a truth table: the reverse of `rows_of`; int64, shape (n_rows,)."""
    places = 1 << np.arange(rows.shape[1] - 1, -1, -1)
    numbers: Array = rows.astype(np.int64) @ places
    return numbers
