"""Zeros and ones in 64-bit words: the one bit order of limen.

A table of zeros and ones is packed in one of two ways.

*Rows*: a row of the table is a row of words, shape ``(n_rows, ⌈n / 64⌉)``. Column j is bit ``j % 64`` of word ``j // 64``, bit 0 the
lowest. Eight columns of one row, in a word of eight bits::

    column   0 1 2 3 4 5 6 7
    value    1 0 1 1 0 0 0 0
    word     0b00001101          the first column is the lowest bit

*Columns*: a column of the table is a row of words, shape ``(n, ⌈n_rows / 64⌉)``. Row r is bit ``r % 64`` of word ``r // 64``. This is how a
truth table is written in bits, and how many rows are computed at once.

The bits of the last word that stand for nothing are its *padding*: zero in everything limen returns, and never read as data
in anything it is given.

==================================  ==========================================
`pack`, `unpack`                    a table to rows of words, and back
`pack_columns`, `unpack_columns`    a table to columns of words, and back
`words_for`                         how many words hold so many bits
==================================  ==========================================
"""

from __future__ import annotations

from typing import Any

import numpy as np

from limen.errors import InputError
from limen.step import Array

__all__ = ["WORD", "clear_padding", "pack", "pack_columns", "unpack", "unpack_columns", "words_for"]

WORD = 64


def words_for(n_bits: int) -> int:
    """Return how many words hold so many bits.

    Examples
    --------
    >>> [words_for(n) for n in (0, 1, 64, 65)]
    [0, 1, 1, 2]
    """
    return -(-n_bits // WORD)


def pack(X: Any) -> Array:
    """Return a table of zeros and ones as rows of words.

    Parameters
    ----------
    X : array_like of shape (n_rows, n)
        Booleans, or numbers that are 0 or 1.

    Returns
    -------
    ndarray of uint64, shape (n_rows, ⌈n / 64⌉)

    Raises
    ------
    InputError
        Another shape, or another number than 0 and 1.

    Examples
    --------
    >>> pack([[1, 0, 1, 1], [0, 1, 0, 0]])
    array([[13],
           [ 2]], dtype=uint64)
    """
    X = _bits(X)
    packed = np.packbits(X, axis=1, bitorder="little")
    return _as_words(packed, X.shape[0], X.shape[1])


def pack_columns(X: Any) -> Array:
    """Return a table of zeros and ones as columns of words.

    Parameters
    ----------
    X : array_like of shape (n_rows, n)
        Booleans, or numbers that are 0 or 1.

    Returns
    -------
    ndarray of uint64, shape (n, ⌈n_rows / 64⌉)

    Raises
    ------
    InputError
        Another shape, or another number than 0 and 1.

    Examples
    --------
    >>> pack_columns([[1, 0, 1, 1], [0, 1, 0, 0]]).ravel()
    array([1, 2, 1, 1], dtype=uint64)
    """
    return pack(_bits(X).T)


def unpack(words: Any, n: int) -> Array:
    """Return the table of `n` columns whose rows are packed, as uint8; padding is ignored.

    Examples
    --------
    >>> unpack(np.array([[13], [2]], dtype=np.uint64), 4)
    array([[1, 0, 1, 1],
           [0, 1, 0, 0]], dtype=uint8)
    """
    words = checked(words, words_for(n), "words")
    if n == 0:
        return np.zeros((len(words), 0), dtype=np.uint8)
    as_bytes = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
    bits: Array = np.unpackbits(as_bytes, axis=1, count=n, bitorder="little")
    return bits


def unpack_columns(words: Any, n_rows: int) -> Array:
    """Return the table of `n_rows` rows whose columns are packed, as uint8; padding is ignored.

    Examples
    --------
    >>> unpack_columns(np.array([[1], [2], [1], [1]], dtype=np.uint64), 2)
    array([[1, 0, 1, 1],
           [0, 1, 0, 0]], dtype=uint8)
    """
    return np.ascontiguousarray(unpack(words, n_rows).T)


def clear_padding(words: Array, n_bits: int) -> None:
    """Set the bits of each row's last word that stand for nothing to 0, in place."""
    if n_bits % WORD:
        words[:, -1] &= np.uint64((1 << n_bits % WORD) - 1)


def checked(words: Any, n_words: int, name: str) -> Array:
    """Return packed words as they are; refuse another type or shape."""
    array: Array = np.asarray(words)
    if array.dtype != np.uint64 or array.ndim != 2 or array.shape[1] != n_words:
        raise InputError(
            f"{name} must be an array of uint64 of shape (n, {n_words}). Received: {array.dtype} of shape"
            f" {array.shape}. limen.words.pack makes such words."
        )
    return array


def _bits(table: Any) -> Array:
    X: Array = np.asarray(table)
    if X.ndim != 2 or X.dtype.kind not in "biuf":
        raise InputError(
            f"Expected a table of zeros and ones, shape (n_rows, n). Received: {X.dtype} of shape {X.shape}."
        )
    if X.dtype.kind != "b":
        good = (X == 0) | (X == 1)
        if not good.all():
            row, column = map(int, np.argwhere(~good)[0])
            raise InputError(
                f"Expected zeros and ones. Received: {X[row, column]} in row {row}, column {column}."
            )
        X = X.astype(np.uint8, copy=False)
    return X


def _as_words(packed: Array, n_rows: int, n_bits: int) -> Array:
    """Return bytes as words, those of a row filled up with zeros."""
    size = 8 * words_for(n_bits)
    if packed.shape[1] != size:
        padded = np.zeros((n_rows, size), dtype=np.uint8)
        padded[:, : packed.shape[1]] = packed
        packed = padded
    words: Array = np.ascontiguousarray(packed).view("<u8").astype(np.uint64, copy=False)
    return words
