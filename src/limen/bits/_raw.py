"""A table as packed columns of a model's inputs: the encoding's comparisons, a bit for each row."""

from __future__ import annotations

from typing import Any

import numpy as np

from limen._door import INT64_MAX
from limen.bits._tools import reaching
from limen.encoding import Encoding, Thresholds, comparable
from limen.step import Array
from limen.table import Column, columns
from limen.words import clear_padding, pack_columns, words_for

__all__ = ["encoded_columns"]


def encoded_columns(encoding: Encoding, table: Any) -> tuple[Array, int]:
    """Return what `encoding` makes of a table, packed, and how many rows there are.

    Parameters
    ----------
    encoding : Encoding
    table : table or array
        As for `limen.Encoding.encode`, which says what is refused.

    Returns
    -------
    words : ndarray of uint64, shape (n_inputs, ⌈n_rows / 64⌉)
    n_rows : int
    """
    found = columns(table, encoding.used_columns, array_names=encoding.columns)
    n_rows = len(next(iter(found.values())))
    out = np.zeros((encoding.n_inputs, words_for(n_rows)), dtype=np.uint64)
    k = 0
    for rule in encoding.rules:
        if not rule.inputs:
            continue
        column, here = found[rule.column], out[k : k + len(rule.inputs)]
        if isinstance(rule, Thresholds) and column.values.dtype in (np.float64, np.int64):
            _compare(rule, column, here)
        else:
            here[:] = pack_columns(rule.encode(column))
        k += len(rule.inputs)
    return out, n_rows


def _compare(rule: Thresholds, column: Column, out: Array) -> None:
    values = np.ascontiguousarray(column.values)
    missing = pack_columns(column.missing[:, np.newaxis])[0] if column.missing.any() else None
    for cut, words in zip(rule.cuts, out, strict=False):
        exact = comparable(values.dtype, cut)
        if values.dtype == np.float64:
            reaching(values, float(exact), words)
        elif exact > INT64_MAX:
            words[:] = 0
        elif exact < -INT64_MAX - 1:
            words[:] = np.uint64(0xFFFFFFFFFFFFFFFF)
            clear_padding(out, len(values))
        else:
            reaching(values, int(exact), words)
        if missing is not None:
            words &= ~missing
    if rule.missing and missing is not None:
        out[-1] = missing
