"""At the door: what comes in as an array, a matrix or names goes on as checked int64 or float64.

`inputs_array` is for the rows a network is called with, `numbers` and `sparse_numbers` for weights and
biases, `as_array` for whatever else NumPy reads, `unique_names` for names. Each raises `InputError` or `NotExactError` before anything is changed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from limen import _text
from limen.errors import InputError, NotExactError
from limen.step import Array

__all__ = [
    "FLOAT64_WHOLE",
    "INT64_MAX",
    "as_array",
    "extremes",
    "frozen",
    "inputs_array",
    "is_sparse",
    "numbers",
    "require",
    "sparse_numbers",
    "unique_names",
    "well_formed",
    "widen",
]

INT64_MAX = 2**63 - 1
FLOAT64_WHOLE = 2**53  # float64 holds every whole number up to here
DOMAIN_VALUES = {"binary": "0 or 1", "integer": "whole numbers within int64", "real": "finite numbers"}


def is_sparse(array: object) -> bool:
    """Whether `array` is a `scipy.sparse` matrix or array; costs no import of SciPy."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(array))


def as_array(values: Any, name: str, form: str = "an array of numbers") -> Array:
    """Return `values` as NumPy reads them, refusing gaps, ragged rows and what NumPy can't have."""
    masked = sys.modules.get("numpy.ma")
    if masked is not None and masked.is_masked(values):
        raise InputError(
            f"{name} must have a value everywhere. Received: a masked array with masked entries."
        )
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        # The last two also come from other libraries' arrays, for instance of one on a graphics card.
        received = str(error).rstrip(".")
        raise InputError(f"{name} must be {form} with rows of one length. Received: {received}.") from None


def inputs_array(X: Any) -> Any:
    """Return the rows a network is called with as an array or compressed matrix of plain numbers."""
    if is_sparse(X):
        array = well_formed(X, "X")
    else:
        array = as_array(X, "X", "a table of numbers")
        if array.dtype == object and array.size and all(type(x) is int for x in array.flat):
            largest = max(array.flat, key=abs)
            if not -(2**63) <= largest <= INT64_MAX:
                raise NotExactError(f"Whole-number inputs must fit into int64. Received: {largest}.")
    if array.dtype.kind not in "buif" or array.dtype.itemsize > 8:
        remedy = " Convert it, for instance with X.astype(float)." if array.dtype == object else ""
        raise InputError(f"X must hold booleans, integers or floats. Received: dtype {array.dtype}.{remedy}")
    return array


def numbers(values: Any, name: str) -> Array:
    """Return a copy of `values` as int64 (integers, booleans) or float64 (other numbers)."""
    array = as_array(values, name)
    if array.dtype == np.float64 and array.size and isinstance(values, Sequence):
        array = _unrounded(values, array)
    if array.dtype == object and array.size and all(isinstance(x, int | np.integer) for x in array.flat):
        largest = max(array.flat, key=abs)
        if not -(2**63) <= largest <= INT64_MAX:
            raise NotExactError(f"{name} must fit into int64 to be exact. Received: {largest}.")
        array = array.astype(np.int64)
    checked: Array = _int64_or_float64(array, name)
    return checked


def _unrounded(values: Sequence[Any], floats: Array) -> Array:
    """Return a list of nothing but integers as objects: NumPy turns 2**63 beside -1 into floats."""
    objects: Array = np.array(values, dtype=object)
    return objects if all(type(x) is int for x in objects.flat) else floats


def _int64_or_float64(array: Any, name: str) -> Any:
    """Return `array` (dense or sparse) as int64 or float64, refusing what neither holds."""
    kind = array.dtype.kind
    values = array.data if is_sparse(array) else array
    if kind in "bui":
        if kind == "u" and values.size and int(values.max()) > INT64_MAX:
            raise NotExactError(f"{name} must fit into int64 to be exact. Received: {int(values.max())}.")
        return array.astype(np.int64)
    if kind != "f" or array.dtype.itemsize > 8:
        raise InputError(
            f"{name} must hold integers or floats of at most 64 bits. Received: dtype {array.dtype}."
        )
    if not np.isfinite(values).all():
        raise InputError(f"{name} must be finite. Received: {values[~np.isfinite(values)][0]}.")
    return array.astype(np.float64) + 0.0 if not is_sparse(array) else array.astype(np.float64)


def well_formed(matrix: Any, name: str) -> Any:
    """Return a sparse matrix in a compressed format, its index arrays checked: SciPy's loops trust them.

    Entries that stand there twice are added, as SciPy reads them. The caller's matrix isn't changed.
    """
    from scipy import sparse

    try:
        if matrix.ndim != 2:
            raise ValueError(f"{matrix.ndim} dimension(s)")
        if matrix.format not in {"csr", "csc"}:
            entered = matrix.tocoo()
            for index, size in zip((entered.row, entered.col), entered.shape, strict=True):
                if index.size and not (index.min() >= 0 and index.max() < size):
                    raise ValueError(f"indices must be from 0 to {size - 1}")
            matrix = entered.tocsr()
        compressed = sparse.csr_array if matrix.format == "csr" else sparse.csc_array
        # Checking prunes a matrix in place, so it is done on another one that shares the arrays.
        matrix = compressed((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
        matrix.check_format(full_check=True)
    except (ValueError, AttributeError) as error:
        raise InputError(f"{name} must be a well-formed 2-D sparse matrix. Received: {error}.") from None
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix


def sparse_numbers(weights: Any) -> Any:
    """Return a sparse matrix as `csc_array` of int64 or float64, without duplicates or stored zeros."""
    from scipy import sparse

    columns = sparse.csc_array(well_formed(weights, "weights"), copy=True)
    columns = _int64_or_float64(columns, "weights")
    columns.eliminate_zeros()
    return columns


def widen(array: Any, name: str) -> Any:
    """Return `array` as float64, refusing integers that float64 would round."""
    if array.dtype == np.float64:
        return array
    widened = array.astype(np.float64)
    values, rounded = (array.data, widened.data) if is_sparse(array) else (array, widened)
    with np.errstate(invalid="ignore"):  # 2**63 comes back as -2**63, which differs too
        wrong = rounded.astype(np.int64) != values
    if wrong.any():
        raise NotExactError(
            f"{name} of {int(values[wrong][0])} would be rounded in float64, which the floats beside it need."
            " Make both integers (limen.rewrite.to_integers does for a network), or both floats."
        )
    return widened


def frozen(array: Any) -> Any:
    """Return `array`, now read-only."""
    parts = (array.data, array.indices, array.indptr) if is_sparse(array) else (array,)
    for part in parts:
        part.setflags(write=False)
    return array


def unique_names(names: Sequence[str] | None, what: str, prefix: str, n: int) -> tuple[str, ...]:
    """Return `n` unique names that aren't empty, by default ``x1, x2, …`` after `prefix`."""
    if names is None:
        return _numbered(prefix, n)
    if isinstance(names, set | frozenset):
        raise InputError(f"{what} must be names in an order, and a set has none. Give a list.")
    try:
        names = (names,) if isinstance(names, str) else tuple(names)
    except TypeError:
        raise InputError(f"{what} must be names, each a text. Received: {names!r}.") from None
    for name in names:
        if not isinstance(name, str) or not name:
            raise InputError(f"{what} must be names: text that isn't empty. Received: {name!r}.")
    if len(names) != n:
        raise InputError(f"{what} must be {n} names. Received: {len(names)} ({_text.listing(names)}).")
    if len(set(names)) != n:
        twice, _ = Counter(names).most_common(1)[0]
        raise InputError(f"{what} must be unique. Received: {twice!r} twice.")
    return tuple(str(name) for name in names)


@lru_cache(maxsize=16)
def _numbered(prefix: str, n: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{i + 1}" for i in range(n))


def extremes(values: Any) -> tuple[int, int] | tuple[()]:
    """Return the smallest and the largest value as Python integers, or nothing if there are none."""
    values = values.data if is_sparse(values) else values
    return (int(values.min()), int(values.max())) if values.size else ()


def require(good: Array, values: Array, domain: str) -> None:
    """Raise `InputError`, showing the first value that isn't good."""
    if not good.all():
        expected = DOMAIN_VALUES[domain]
        raise InputError(
            f"Inputs of a network on the {domain} domain must be {expected}. "
            f"Received: {values[~good].flat[0]}."
        )
