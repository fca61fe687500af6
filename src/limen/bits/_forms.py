"""Rows of numbers in the forms that executors take and return."""

from __future__ import annotations

from typing import Any

import numpy as np

from limen._door import is_sparse
from limen.step import Array
from limen.words import pack

__all__ = ["bytes_of", "counting", "joined", "plain", "signs_of", "sure"]


def plain(X: Any, n_inputs: int) -> bool:
    """Whether rows can be taken as they lie in memory."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.itemsize == 1
        and X.shape[1] == n_inputs
        and X.flags.c_contiguous
        and X.dtype.kind in "bui"
    )


def bytes_of(X: Any) -> Array:
    """Return admitted rows as contiguous bytes, shape (n_rows, n_inputs)."""
    if is_sparse(X):
        X = X.toarray()
    n_rows = int(np.prod(X.shape[:-1], dtype=np.int64))
    return np.ascontiguousarray(X.reshape(n_rows, X.shape[-1]).astype(np.uint8, copy=False))


def sure(found: Array | None) -> Array:
    assert found is not None  # the rows were admitted
    return found


def joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def signs_of(pairs: Array) -> Array:
    """Return pairs of bits as -1, 0 and 1."""
    signs: Array = pairs[:, ::2].view(np.int8) * (1 - 2 * pairs[:, 1::2].view(np.int8))
    return signs


def counting(n: int) -> Array:
    """Return the columns of the truth table of `n` inputs, packed."""
    rows = np.arange(1 << n, dtype=np.uint64)
    return (
        np.stack([pack(rows[np.newaxis] >> np.uint64(n - 1 - k) & np.uint64(1))[0] for k in range(n)])
        if n
        else (np.zeros((0, 1), dtype=np.uint64))
    )
