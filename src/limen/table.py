"""Tables as named columns: from whatever holds one.

`columns` takes a pandas, polars or Arrow table, a mapping of columns, or a 2-D array and returns each
column as a `Column`: numbers, booleans or text as a NumPy array, and where values are missing.
Frameworks are known by their own objects, never imported.

What counts as missing: null, None, NaN, pandas' NA. What is refused, by name: dates and times, columns of
mixed types, infinities, nested values. Only the columns asked for are looked at. Files are read by `limen.table_files`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from limen._text import listing
from limen.errors import InputError
from limen.step import Array

__all__ = ["MISSING_TEXT", "Column", "column_names", "columns", "n_rows"]

MISSING_TEXT = ("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null")
"""Unquoted text that means "missing" in a CSV file unless said otherwise."""
WIDE = {"b": np.bool_, "i": np.int64, "u": np.uint64, "f": np.float64}  # pandas' columns as NumPy types


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
    kind : {"number", "boolean", "text"}
    values : ndarray of shape (n_rows,)
        int64, uint64 or float64 for numbers, bool, or objects that are str. What stands where a value is
        missing has no meaning.
    missing : ndarray of bool, shape (n_rows,)
    is_category : bool
        Whether the table itself says that the values are categories, whatever their kind.
    """

    name: str
    kind: Literal["number", "boolean", "text"]
    values: Array
    missing: Array
    is_category: bool = False

    @property
    def present(self) -> Array:
        """The values that aren't missing."""
        found: Array = self.values[~self.missing]
        return found

    def __len__(self) -> int:
        return len(self.values)


def column_names(table: Any) -> tuple[str, ...] | None:
    """Return the names of a table's columns, or None for a plain array, which has none.

    Raises
    ------
    InputError
        `table` isn't a table, or two columns have one name.
    """
    if isinstance(table, np.ndarray | list | tuple):
        return None
    if isinstance(table, Mapping):
        found = list(table)
    elif hasattr(table, "column_names"):  # Arrow
        found = list(table.column_names)
    elif hasattr(table, "columns"):  # pandas, polars
        found = list(table.columns)
    elif hasattr(table, "__array__"):
        return None
    else:
        raise InputError(
            "A table is a pandas, polars or Arrow table, a mapping of columns, or a 2-D array."
            f" Received: {type(table).__name__}."
        )
    names = tuple(str(name) for name in found)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(f"Columns of a table need names of their own. Received twice: {listing(twice)}.")
    return names


def n_rows(table: Any) -> int:
    """Return how many rows a table has."""
    if isinstance(table, Mapping):
        return len(next(iter(table.values()), ()))
    rows = getattr(table, "num_rows", None)
    return len(table) if rows is None else int(rows)


def columns(
    table: Any, names: Sequence[str] | None = None, *, array_names: Sequence[str] | None = None
) -> dict[str, Column]:
    """Return the columns of a table by name.

    Parameters
    ----------
    table : pandas, polars or Arrow table, mapping of str to 1-D sequence, or array of shape (n_rows, n_columns)
        A sequence may be a `Column` already, which is taken as it is. A list of rows is an array whose
        columns may differ in kind.
    names : sequence of str, optional
        The columns wanted, in the order wanted. Default: all, in the table's order.
    array_names : sequence of str, optional
        What to call the columns of a plain array, which has no names. Default ``x0, x1, …``.

    Raises
    ------
    InputError
        No table, a column missing from it, one of a kind that can't be used, or columns of unequal length.

    Examples
    --------
    >>> column = columns({"age": [35, None, 61]})["age"]
    >>> column.kind, column.missing
    ('number', array([False,  True, False]))
    """
    own = column_names(table)
    if own is None:
        array = _plain_array(table)
        own = tuple(array_names) if array_names is not None else tuple(f"x{i}" for i in range(array.shape[1]))
        if len(own) != array.shape[1]:
            raise InputError(
                f"The array must have {len(own)} columns ({listing(own)}). Received: {array.shape[1]}."
            )
        parts: dict[str, Any] = dict(zip(own, array.T, strict=True))
    else:
        table = table.to_arrow() if _made_by(table, "polars") else table
        keys = table if isinstance(table, Mapping) else getattr(table, "column_names", None) or table.columns
        parts = {str(key): table[key] for key in keys}
    wanted = own if names is None else tuple(names)
    lacking = [name for name in wanted if name not in parts]
    if lacking:
        raise InputError(
            f"The table must have the columns {listing(wanted)}. Missing: {listing(lacking)}."
            f" Received: {listing(own)}."
        )
    result = {name: _column(name, parts[name]) for name in wanted}
    lengths = {len(column.values) for column in result.values()}
    if len(lengths) > 1:
        raise InputError(f"Columns of a table must be equally long. Received lengths: {sorted(lengths)}.")
    return result


def _column(name: str, part: Any) -> Column:
    if isinstance(part, Column):
        return part if part.name == name else replace(part, name=name)
    if _made_by(part, "pyarrow"):
        return _arrow_column(name, part)
    if _made_by(part, "polars"):
        return _arrow_column(name, part.to_arrow())
    is_category = False
    if _made_by(part, "pandas"):
        is_category = str(part.dtype) == "category"
        missing = np.asarray(part.isna(), dtype=bool)
        kind = getattr(part.dtype, "kind", "O")
        if kind in "buif" and missing.any():  # pandas' nullable types: fill, the mask remembers
            part = part.fillna(False if kind == "b" else 0)
        if kind in "buif" and not is_category:
            return _finished(name, part.to_numpy(dtype=WIDE[kind]), missing)
        array = part.to_numpy(dtype=None if kind in "mM" else object)
    else:
        array = np.asarray(part) if isinstance(part, np.ndarray) else _from_sequence(name, part)
        if array.ndim != 1:
            raise InputError(f"Column {name!r} must hold one value a row. Received: shape {array.shape}.")
        missing = (
            np.ma.getmaskarray(part) if isinstance(part, np.ma.MaskedArray) else np.zeros(len(array), bool)
        )
    if array.dtype.kind == "U":
        array = array.astype(object)
    if array.dtype != object:
        return _finished(name, array, missing, is_category)
    return _from_objects(name, array, missing, is_category)


def _arrow_column(name: str, part: Any) -> Column:
    from limen.table_files import arrow

    pa = arrow()
    if isinstance(part, pa.ChunkedArray):
        part = part.combine_chunks()
    is_category = pa.types.is_dictionary(part.type)
    if is_category:
        part = part.dictionary_decode()
    missing = np.asarray(part.is_null(), dtype=bool)
    kind = part.type
    if pa.types.is_null(kind):
        return Column(name, "text", np.full(len(part), "", dtype=object), missing, is_category)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return Column(name, "text", np.asarray(part.to_pylist(), dtype=object), missing, is_category)
    if pa.types.is_decimal(kind):
        part, kind = part.cast(pa.float64()), pa.float64()
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        filled = part.fill_null(False if pa.types.is_boolean(kind) else 0)
        return _finished(name, filled.to_numpy(zero_copy_only=False), missing, is_category)
    raise _refused(name, str(kind), dates=pa.types.is_temporal(kind))


def _finished(name: str, array: Array, missing: Array, is_category: bool = False) -> Column:
    """Return a column from an array of a plain type, NaN counted as missing."""
    kind = array.dtype.kind
    if kind == "b":
        return Column(name, "boolean", array, missing, is_category)
    if kind in "iu":
        wide = np.uint64 if array.dtype == np.uint64 else np.int64
        return Column(name, "number", array.astype(wide, copy=False), missing, is_category)
    if kind != "f":
        raise _refused(name, str(array.dtype), dates=kind in "mM")
    values = array.astype(np.float64, copy=False)
    missing = missing | np.isnan(values)
    infinite = np.isinf(values) & ~missing
    if infinite.any():
        raise InputError(
            f"Column {name!r} must hold finite numbers. Received: {values[infinite][0]} in row"
            f" {int(np.flatnonzero(infinite)[0])}. Mark it as missing or leave the row out."
        )
    return Column(name, "number", values, missing, is_category)


def _from_objects(name: str, array: Array, missing: Array, is_category: bool) -> Column:
    values = array.tolist()
    types = set(map(type, values))
    if types <= {str}:
        return Column(name, "text", array, missing, is_category)
    nothing = {kind for kind in types if kind.__name__ in ("NoneType", "NAType", "NaTType")}
    floats = {kind for kind in types if issubclass(kind, float | np.floating)}
    absent = [type(value) in nothing or (type(value) in floats and value != value) for value in values]
    missing = missing | np.array(absent, dtype=bool)
    kinds = {_kind(kind) for kind in set(map(type, array[~missing].tolist()))}
    unusable = sorted(kinds - {"boolean", "number", "text"})
    if unusable:
        raise _refused(name, unusable[0], dates="date" in unusable[0] or "time" in unusable[0].lower())
    if len(kinds) > 1:
        raise InputError(
            f"Column {name!r} must hold values of one kind. Received a mixture: {', '.join(sorted(kinds))}."
            " Turn them all into text or all into numbers."
        )
    kind = kinds.pop() if kinds else "text"
    if kind == "text":
        return Column(name, "text", np.where(missing, "", array), missing, is_category)
    filled = [False if gone else value for value, gone in zip(array, missing, strict=True)]
    if kind == "boolean":
        return Column(name, "boolean", np.array(filled, dtype=bool), missing, is_category)
    whole = all(isinstance(value, int | np.integer) for value in filled)
    try:
        numbers = np.array(filled, dtype=np.int64 if whole else np.float64)
    except OverflowError:
        raise InputError(f"Column {name!r} holds whole numbers beyond int64. Turn them into text.") from None
    return _finished(name, numbers, missing, is_category)


def _from_sequence(name: str, part: Any) -> Array:
    try:
        values = list(part)
    except TypeError:
        raise InputError(f"Column {name!r} must be a sequence. Received: {type(part).__name__}.") from None
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _kind(kind: type) -> str:
    if issubclass(kind, bool | np.bool_):
        return "boolean"
    if issubclass(kind, int | float | np.integer | np.floating):
        return "number"
    return "text" if issubclass(kind, str) else kind.__name__


class _KindError(InputError, TypeError):
    """A column of a kind that can't be used: what Python calls a `TypeError`."""


def _refused(name: str, kind: str, *, dates: bool) -> InputError:
    if dates:
        return InputError(
            f"Column {name!r} holds dates or times ({kind}), which aren't encoded. Turn it into a number (a year,"
            " a count of days) or leave the column out."
        )
    if "complex" in kind:
        return _KindError(f"Column {name!r}: Complex data not supported. Received: {kind}. Take real parts.")
    return _KindError(
        f"Column {name!r} can't be used: an argument must be a text string, a boolean or a number."
        f" Received: {kind}. Convert it or leave it out."
    )


def _plain_array(table: Any) -> Array:
    """Return a 2-D array; of objects where it came as rows, so that each column keeps its kind."""
    by_rows = isinstance(table, list | tuple)
    try:
        array: Array = np.array(table, dtype=object) if by_rows else np.asanyarray(table)
    except ValueError:
        raise InputError("A table as a list of rows needs rows of one length.") from None
    if array.ndim != 2:
        raise InputError(
            f"A table as an array has shape (n_rows, n_columns). Received: {array.shape}. Reshape your data:"
            " one row for each case, one column for each thing measured."
        )
    return array


def _made_by(thing: Any, package: str) -> bool:
    return type(thing).__module__.split(".")[0] == package
