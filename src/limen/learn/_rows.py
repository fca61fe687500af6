"""The rows a perceptron learns from, checked once so that kernels can trust them.

`rows` takes what scikit-learn's validation let through and returns `Rows`: one dense array in C order, or the
three arrays of a CSR matrix, in the type they came in. At most one copy is made, for the layout, never one to
another type (half and extended precision excepted, which no kernel knows). It also tells what kind of numbers
these are: whole numbers are learned from exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from limen._door import is_sparse, well_formed
from limen.errors import InputError
from limen.learn._kernels_sparse import in_order
from limen.step import Array

__all__ = ["Rows", "has_starts", "rows", "unsigned"]

HEAD = 1 << 10  # numbers looked at first: most fractions show among them
PIECE = 1 << 20  # numbers looked at before asking whether the answer is known already


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Checked rows.

    Parameters
    ----------
    arrays : tuple of ndarray
        ``(X,)`` in C order, or ``(data, indices, indptr)`` with unsigned indices.
    source : ndarray or scipy.sparse.csr_array or csr_matrix
        The same rows as a matrix, for a network to be called with.
    domain : {"binary", "integer", "real"}
        The narrowest domain of `limen.Network` that holds all values.
    largest : float
        The largest absolute value; infinity for the real domain, where nobody asks.
    reach : float
        No row's ``Σ|x|`` is above it.
    """

    arrays: tuple[Array, ...]
    source: Any
    domain: str
    largest: float
    reach: float

    @property
    def is_sparse(self) -> bool:
        """Whether the rows are those of a CSR matrix."""
        return len(self.arrays) == 3

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.source.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.source.shape[1])

    @property
    def is_integer_typed(self) -> bool:
        """Whether the values came as integers or booleans, not as floats."""
        return self.arrays[0].dtype.kind in "bui"

    @property
    def cost(self) -> float:
        """Multiplications that one output costs, on average, in one row."""
        return max(1.0, self.arrays[0].size / max(1, self.n_rows))

    def take(self, which: Array) -> Any:
        """Return some of the rows, none of them twice, in increasing order; all of them without a copy."""
        return self.source if len(which) == self.n_rows else self.source[which]


def rows(X: Any, *, is_checked: bool = False) -> Rows:
    """Return `X` as `Rows`.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), or scipy.sparse matrix in CSR or CSC format
        Booleans, integers or finite floats.
    is_checked : bool
        Whether the index arrays of a CSR matrix are known to be in range and in order.

    Raises
    ------
    InputError
        A sparse matrix whose index arrays are out of range or out of order; an unusable type.
    """
    if is_sparse(X):
        if not is_checked and not (
            X.format == "csr" and has_starts(X) and in_order(*unsigned(X), X.shape[1])
        ):
            X = well_formed(X, "X").tocsr()
        return _sparse_rows(X)
    X = np.ascontiguousarray(_plain(X))
    domain = _domain(X)
    largest = _largest(X, domain)
    return Rows(
        (X.view(np.uint8) if X.dtype == bool else X,), X, domain, largest, largest * max(1, X.shape[1])
    )


def _sparse_rows(matrix: Any) -> Rows:
    data = _plain(matrix.data)
    domain = _domain(data)
    largest = _largest(data, domain)
    most = int(np.diff(matrix.indptr).max(initial=0))
    arrays = (data.view(np.uint8) if data.dtype == bool else data, *unsigned(matrix))
    return Rows(arrays, matrix, domain, largest, largest * max(1, most))


def unsigned(matrix: Any) -> tuple[Array, Array]:
    """Return the index arrays of a CSR matrix, known to be in range, as unsigned integers."""
    kinds = {4: np.uint32, 8: np.uint64}
    return (
        matrix.indices.view(kinds[matrix.indices.dtype.itemsize]),
        matrix.indptr.view(kinds[matrix.indptr.dtype.itemsize]),
    )


def has_starts(X: Any) -> bool:
    """Whether the rows of a CSR matrix begin and end within its arrays, so that kernels may go along them."""
    indptr = X.indptr
    good = (
        len(indptr) == X.shape[0] + 1 and indptr[0] == 0 and len(X.data) == len(X.indices) == int(indptr[-1])
    )
    return good and bool((indptr[1:] >= indptr[:-1]).all())


def _plain(values: Array) -> Array:
    """Return values in a type that kernels know."""
    if values.dtype.kind in "bui":
        plain = values
    elif values.dtype.kind == "f":
        kind = {2: np.float32, 4: np.float32, 8: np.float64}.get(values.dtype.itemsize, np.float64)
        plain = values.astype(kind, copy=False)
    else:
        raise InputError(f"X must hold booleans, integers or floats. Received: dtype {values.dtype}.")
    return plain if plain.dtype.isnative else plain.astype(plain.dtype.newbyteorder("="))


def _domain(values: Array) -> str:
    """Return the narrowest domain that holds all values; real ones are usually known after the first piece."""
    flat = values.reshape(-1)
    binary, start, length = True, 0, HEAD
    while start < flat.size:
        piece = flat[start : start + length]
        start, length = start + length, PIECE
        if piece.dtype.kind == "f" and not np.array_equal(piece, np.rint(piece)):
            return "real"
        binary = binary and (piece.dtype.kind == "b" or bool(piece.min() >= 0 and piece.max() <= 1))
    return "binary" if binary else "integer"


def _largest(values: Array, domain: str) -> float:
    if domain == "real":
        return np.inf
    return float(max(abs(float(values.min())), abs(float(values.max())))) if values.size else 0.0
