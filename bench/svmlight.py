"""Write rows as svmlight text and as Vowpal Wabbit's text, quickly: gigabytes of them are streamed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numba
import numpy as np

__all__ = ["write_svmlight", "write_vowpal"]

ENTRY = 16  # bytes that an entry takes at most: a space, six digits, ":0.", six digits
START = 5  # and a row: a sign, a digit, " |", a line's end


@numba.njit
def _text(values: Any, indices: Any, starts: Any, y: Any, first: int, bar: bool, out: Any) -> int:
    """Write rows of values in millionths as text; return the bytes written."""
    end = 0
    digits = np.empty(8, np.uint8)
    for i in range(len(y)):
        if y[i] < 0:
            out[end] = 45
            end += 1
        out[end] = 49
        end += 1
        if bar:
            out[end], out[end + 1] = 32, 124
            end += 2
        for k in range(starts[i], starts[i + 1]):
            out[end] = 32
            end += 1
            rest, n = indices[k] + first, 0
            while True:
                digits[n] = 48 + rest % 10
                rest //= 10
                n += 1
                if rest == 0:
                    break
            for d in range(n):
                out[end + d] = digits[n - 1 - d]
            end += n
            out[end], out[end + 1], out[end + 2] = 58, 48, 46
            rest = int(values[k] * 1e6 + 0.5)
            for d in range(6):
                out[end + 8 - d] = 48 + rest % 10
                rest //= 10
            end += 9
        out[end] = 10
        end += 1
    return end


def _write(path: Path, blocks: Iterable[tuple[Any, Any]], first: int, bar: bool) -> None:
    with open(path, "wb") as file:
        for X, y in blocks:
            out = np.empty(ENTRY * X.nnz + START * len(y), np.uint8)
            end = _text(X.data.astype(np.float64), X.indices, X.indptr, y.astype(np.int64), first, bar, out)
            file.write(memoryview(out)[:end])


def write_svmlight(path: Path, blocks: Iterable[tuple[Any, Any]]) -> None:
    """Write blocks of rows and their labels, -1 or 1, as svmlight text whose indices start at 1.

    Values must be from 0 to below 1; six decimals are kept.
    """
    _write(path, blocks, 1, False)


def write_vowpal(path: Path, blocks: Iterable[tuple[Any, Any]]) -> None:
    """Write the same rows as Vowpal Wabbit reads them."""
    _write(path, blocks, 1, True)
