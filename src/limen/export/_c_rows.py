"""Rows of a table in C, to try a model on: values at and just below cut points, categories and others, missing ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from limen._door import INT64_MAX
from limen.encoding import Categories, Rule, comparable
from limen.export._c_columns import FLOAT, INT, double, kind_in_c
from limen.export._c_text import c_string, constant
from limen.model import Model
from limen.step import Array
from limen.table import Column

__all__ = ["Rows", "rows_for"]


@dataclass(frozen=True)
class Rows:
    """Rows as C structures, and what the encoding makes of them.

    Parameters
    ----------
    texts : tuple of str
        An initializer for each row.
    inputs : ndarray of uint8, shape (n_rows, n_inputs)
    """

    texts: tuple[str, ...]
    inputs: Array


def rows_for(model: Model, numbers: str, n_rows: int) -> Rows:
    """Return rows that try each input of a model's encoding, always the same for the same model."""
    assert model.encoding is not None  # asked for models with an encoding only
    rng = np.random.default_rng(0)
    columns, inputs = [], []
    for rule in model.encoding.rules:
        if not rule.inputs:
            continue
        kind = kind_in_c(rule, numbers)
        values = _values(rule, kind)
        # Each value comes up as often as any other, in an order of this column's own.
        order = np.concatenate([rng.permutation(len(values)) for _ in range(-(-n_rows // len(values)))])
        taken = [values[k] for k in order[:n_rows]]
        columns.append([_initializer(value, kind) for value in taken])
        inputs.append(rule.encode(_column(rule.column, kind, taken)))
    texts = tuple(f"{{{', '.join(row)}}}" for row in zip(*columns, strict=True))
    return Rows(texts, np.concatenate(inputs, axis=1))


def _values(rule: Rule, kind: str) -> list[str | int | float | bool | None]:
    """Return values that tell a column's inputs apart; None is missing."""
    found: list[str | int | float | bool | None] = [None]
    if kind == "int":
        return [*found, True, False]
    if kind == "const char *":
        known = [str(category) for category in rule.categories]  # type: ignore[union-attr]
        return [*found, *known, _unlisted(known)]
    if isinstance(rule, Categories):
        for category in rule.categories:
            exact = _as_number(category, kind)  # type: ignore[arg-type]
            found += [] if exact is None else [exact]
        return [*found, next(k for k in range(len(found) + 1) if k not in rule.categories)]
    for cut in rule.cuts:
        if kind == "double":
            reached = float(comparable(FLOAT, cut))
            found += [k for k in (reached, math.nextafter(reached, -math.inf)) if math.isfinite(k)]
        else:
            whole = int(comparable(INT, cut))
            found += [k for k in (whole, whole - 1) if abs(k) <= INT64_MAX]
    return [*found, 0]


def _unlisted(known: list[str]) -> str:
    text = "other"
    while text in known:
        text += " other"
    return text


def _as_number(category: int | float, kind: str) -> int | float | None:
    """Return a category as a number of C's type; None where it has none."""
    if kind == "double":
        try:
            return float(category) if float(category) == category else None
        except OverflowError:
            return None
    return int(category) if int(category) == category and abs(category) <= INT64_MAX else None


def _initializer(value: str | int | float | bool | None, kind: str) -> str:
    if kind == "const char *":
        return "0" if value is None else c_string(str(value))
    if kind == "int":
        return "-1" if value is None else str(int(value))
    if kind == "double":
        return "NAN" if value is None else double(float(value))
    return "0, 1" if value is None else f"{constant(int(value))}, 0"


def _column(name: str, kind: str, values: list[str | int | float | bool | None]) -> Column:
    """Return values as a table has them."""
    missing = np.array([value is None for value in values])
    if kind == "const char *":
        return Column(name, "text", np.array([value or "" for value in values], dtype=object), missing)
    if kind == "int":
        return Column(name, "boolean", np.array([bool(value) for value in values]), missing)
    dtype = np.float64 if kind == "double" else np.int64
    return Column(name, "number", np.array([value or 0 for value in values], dtype=dtype), missing)
