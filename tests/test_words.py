"""Zeros and ones in words: the bit order, both ways, and the padding."""

from __future__ import annotations

import numpy as np
import pytest

from limen import words
from limen.errors import InputError


@pytest.mark.parametrize("n", [0, 1, 7, 63, 64, 65, 130])
@pytest.mark.parametrize("n_rows", [0, 1, 63, 64, 65])
def test_a_table_comes_back(n, n_rows):
    """Packed either way, a table comes back as it was, and every bit lies where the drawing says."""
    X = np.random.default_rng(n * 100 + n_rows).integers(0, 2, (n_rows, n), dtype=np.uint8)
    rows, columns = words.pack(X), words.pack_columns(X)
    assert rows.shape == (n_rows, -(-n // 64))
    assert columns.shape == (n, -(-n_rows // 64))
    assert (words.unpack(rows, n) == X).all()
    assert (words.unpack_columns(columns, n_rows) == X).all()
    for r, j in zip(*np.nonzero(X), strict=True):
        assert int(rows[r, j // 64]) >> (int(j) % 64) & 1
        assert int(columns[j, r // 64]) >> (int(r) % 64) & 1
    assert int(np.bitwise_count(rows).sum()) == int(np.bitwise_count(columns).sum()) == int(X.sum())


def test_padding_is_ignored_and_can_be_cleared():
    """What stands in the padding is no data, and `clear_padding` sets it to 0."""
    dirty = np.full((2, 2), 2**64 - 1, dtype=np.uint64)
    assert (words.unpack(dirty, 65) == 1).all()
    words.clear_padding(dirty, 65)
    assert dirty.tolist() == [[2**64 - 1, 1], [2**64 - 1, 1]]
    words.clear_padding(dirty, 128)
    assert dirty.tolist() == [[2**64 - 1, 1], [2**64 - 1, 1]]


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int64, np.float64, np.float32])
def test_any_type_that_holds_zeros_and_ones_is_packed(kind):
    """The type of the numbers doesn't matter, nor how they lie in memory."""
    X = np.array([[1, 0, 1], [0, 0, 1]])
    assert words.pack(np.asfortranarray(X.astype(kind))).tolist() == [[5], [4]]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: words.pack([[0, 2]]), "Received: 2 in row 0, column 1"),
        (lambda: words.pack([[0.0, np.nan]]), "Received: nan in row 0"),
        (lambda: words.pack([0, 1]), r"shape \(n_rows, n\)"),
        (lambda: words.pack([["a"]]), "table of zeros and ones"),
        (lambda: words.unpack(np.zeros((2, 1), np.int64), 3), r"uint64 of shape \(n, 1\)"),
        (lambda: words.unpack(np.zeros((2, 2), np.uint64), 3), r"uint64 of shape \(n, 1\)"),
    ],
)
def test_what_is_no_table_of_bits_is_refused(call, expected):
    """The message says what was expected and what came."""
    with pytest.raises(InputError, match=expected):
        call()
