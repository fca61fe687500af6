"""Rows of two classes, checked at the door, and which of them a neuron has on the wrong side, without rounding.

`two_classes` returns a `Sample`. `Sample.misplaced` looks at floats first; the few rows whose side rounding could have
changed are summed up again in whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from limen._door import inputs_array, is_sparse, unique_names
from limen._rational import whole
from limen.errors import InputError
from limen.step import Array

__all__ = ["Sample", "two_classes"]

PIECE = 1 << 22  # numbers looked at in one go, so that Ctrl-C is heard in between
UNIT = 2.0**-52  # more than a rounding in float64 changes, as a share
SMALLEST = 2.0**-1022  # more than one that loses its last bits changes


@dataclass(frozen=True, eq=False)
class Sample:
    """Checked rows of two classes.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), or scipy.sparse.csr_array in canonical format
        Booleans, integers or finite floats.
    fires : ndarray of bool, shape (n_rows,)
        Whether a row is of the second class.
    inputs : tuple of str
        Names of the columns.
    classes : tuple
        The two labels.
    """

    X: Any
    fires: Array
    inputs: tuple[str, ...]
    classes: tuple[Any, Any]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    @property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers that float64 holds."""
        values = self.X.data if is_sparse(self.X) else self.X
        limit = 2.0**53
        if values.dtype.kind == "b" or not values.size:
            return True
        if not -limit <= float(values.min()) <= float(values.max()) <= limit:
            return False
        return values.dtype.kind in "ui" or all(
            np.array_equal(piece, np.rint(piece)) for piece in _pieces(values.reshape(-1))
        )

    def take(self, which: Any) -> Array:
        """Return some rows as a dense array, in their own type."""
        return _take(self.X, which)

    def decide(self) -> Callable[[Array, tuple[int, ...]], Array]:
        """Return what a certificate asks: 1 or 0 for rows that are those of the data, -1 for others."""
        return partial(_decide, self.X, self.fires)

    def signed(self, which: Any) -> Array:
        """Return some rows, each followed by a 1, as Python's whole numbers; negative where a row mustn't fire.

        All are multiplied by one number, which changes no sign of any sum.
        """
        rows = self.take(which)
        if rows.dtype.kind == "b":
            rows = rows.astype(np.int8)
        if rows.dtype.kind == "f":
            rows = rows.astype(np.float64)
        numbers = whole(np.column_stack([rows, np.ones(len(rows), dtype=rows.dtype)]))
        numbers[~self.fires[np.asarray(which)]] *= -1
        return numbers

    def misplaced(self, weights: Sequence[Any], bias: Any) -> Array:
        """Return the rows on the wrong side of a neuron, in exact arithmetic.

        Parameters
        ----------
        weights : sequence of numbers, n_features of them
            Floats, whole numbers or fractions.
        bias : number

        Returns
        -------
        ndarray of int64
            Rows that should fire and whose net input is below 0; rows that shouldn't, and it isn't.
        """
        exact = [Fraction(value) for value in (*weights, bias)]
        largest = max(map(abs, exact)) or Fraction(1)
        rounded = np.array([float(value / largest) for value in exact])
        sides = np.where(self.fires, 1, -1)
        wrong = np.zeros(self.n_rows, dtype=bool)
        unsure = np.zeros(self.n_rows, dtype=bool)
        length = max(1, PIECE // max(1, self.n_features))
        for first in range(0, self.n_rows, length):
            piece = slice(first, first + length)
            rows = self.X[piece].astype(np.float64)
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):
                z = rows @ rounded[:-1] + rounded[-1]
                reach = abs(rows) @ np.abs(rounded[:-1]) + abs(rounded[-1])
                slack = (self.n_features + 8) * (UNIT * reach + SMALLEST)
                sure = np.abs(z) > slack
            unsure[piece] = ~sure
            wrong[piece] = sure & (z * sides[piece] < 0)
        open_rows = np.flatnonzero(unsure)
        if len(open_rows):
            denominator = int(np.lcm.reduce(np.array([value.denominator for value in exact], dtype=object)))
            column = np.array([int(value * denominator) for value in exact], dtype=object)
            for first in range(0, len(open_rows), length):
                which = open_rows[first : first + length]
                products = self.signed(which) @ column
                wrong[which] = np.where(self.fires[which], products < 0, products <= 0)
        return np.flatnonzero(wrong)

    def contradiction(self) -> tuple[int, int] | None:
        """Return a row that fires and an equal one that doesn't, if there are such rows."""
        seen: dict[int, int] = {}
        for side in (True, False):
            for index in np.flatnonzero(self.fires == side).tolist():
                key = self.key(index)
                if side:
                    seen.setdefault(hash(key), index)
                elif (other := seen.get(hash(key))) is not None and self.key(other) == key:
                    return other, index
        return None

    def key(self, index: int) -> bytes:
        """Return a row's numbers as bytes: equal rows have equal ones."""
        if not is_sparse(self.X):
            return bytes((self.X[index] + self.X.dtype.type(0)).tobytes())  # -0.0 is 0.0
        entries = slice(self.X.indptr[index], self.X.indptr[index + 1])
        return bytes(self.X.indices[entries].astype(np.int64).tobytes() + self.X.data[entries].tobytes())


def _pieces(values: Array) -> list[Array]:
    return [values[first : first + PIECE] for first in range(0, len(values), PIECE)]


def _take(X: Any, which: Any) -> Array:
    rows = X[np.asarray(which, dtype=np.int64)]
    dense: Array = rows.toarray() if is_sparse(rows) else rows
    return dense


def _decide(X: Any, fires: Array, rows: Array, indices: tuple[int, ...]) -> Array:
    """Return the classes of rows that stand in the data where they say, and -1 for the others."""
    found = np.full(len(indices), -1, dtype=np.int8)
    inside = [k for k, index in enumerate(indices) if 0 <= index < X.shape[0]]
    # Python compares whole numbers and floats without rounding either.
    for k, row in zip(inside, _take(X, [indices[k] for k in inside]).tolist(), strict=True):
        if row == rows[k].tolist():
            found[k] = fires[indices[k]]
    return found


def two_classes(X: Any, y: Any) -> Sample:
    """Return rows and their labels, checked.

    Raises
    ------
    InputError
        No row, NaN or infinity, as many labels as not rows, more or fewer than two classes.
    """
    names = getattr(X, "columns", None)
    array = inputs_array(X)
    if array.ndim != 2 or not array.shape[0]:
        raise InputError(
            "X must be a table of shape (n_rows, n_features) with at least one row."
            f" Received: shape {array.shape}."
        )
    values = array.data if is_sparse(array) else array
    if not np.isfinite(values).all():
        raise InputError(
            f"X must be finite. Received: {values[~np.isfinite(values)][0]}. Fill the gaps or leave out those rows."
        )
    if is_sparse(array):
        array = array.tocsr()
        if (array.data == 0).any():
            array = array.copy()
            array.eliminate_zeros()
    else:
        array = np.ascontiguousarray(array)
    if array.dtype == np.float16 or not array.dtype.isnative:
        array = array.astype(np.float64 if array.dtype.kind == "f" else array.dtype.newbyteorder("="))
    fires, classes = _labels(y, array.shape[0])
    is_named = names is not None and all(isinstance(name, str) for name in names)
    inputs = unique_names(
        list(names) if names is not None and is_named else None, "inputs", "x", array.shape[1]
    )
    return Sample(array, fires, inputs, classes)


def _labels(y: Any, n_rows: int) -> tuple[Array, tuple[Any, Any]]:
    labels = np.asarray(y.toarray() if is_sparse(y) else y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or len(labels) != n_rows:
        raise InputError(
            f"y must be one label for each of the {n_rows} rows of X. Received: shape {labels.shape}."
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise InputError(
            "y must have a label for every row. Received: NaN or infinity. Leave out those rows."
        )
    try:
        found, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise InputError(f"y must hold labels that can be sorted. Received: {error}.") from None
    if len(found) != 2:
        shown = ", ".join(map(repr, found[:6].tolist())) + (", …" if len(found) > 6 else "")
        remedy = (
            "Ask for one class against the rest, for instance with y == y[0]."
            if len(found) > 2
            else "Check the target, or how rows were selected."
        )
        raise InputError(f"y must hold two classes. Received: {len(found)} ({shown}). {remedy}")
    rest, fires = found.tolist()
    return codes.reshape(-1) == 1, (rest, fires)
