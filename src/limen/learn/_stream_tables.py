"""Tables, a file at a time: from Arrow record batches to arrays.

`plan` looks at the first file and settles which columns are features and which are targets; `rows_of` yields the
rows of one file, from any group (a Parquet row group, a record batch, a block of CSV text) and row in it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limen._text import listing
from limen.encoding import Encoding, Thresholds
from limen.errors import FileError, InputError
from limen.learn._stream_sources import BROKEN, Reading, damaged, opened
from limen.step import Array
from limen.table import columns
from limen.table_files import arrow_errors, reader

__all__ = ["Plan", "TableRows", "plan", "rows_of"]

NUMERIC = re.compile(r"bool|u?int(8|16|32|64)|halffloat|float|double|decimal\d*\(.*")
WIDTHS = {"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "float": 4}
TEXT_WIDTH = 32  # bytes; what a value that isn't a number is taken to need
TILE = 512  # rows written at a time, so that they stay in the processor's cache
HEADER = 1 << 20  # bytes of a CSV file in which the row of names must end


@dataclass(frozen=True, slots=True)
class Plan:
    """What is read from each file.

    Parameters
    ----------
    form : {"csv", "parquet", "arrow"}
    first : str
        The file that settled it.
    features, targets : tuple of str
    types : dict of str to str
        The Arrow type of each column in the first file.
    encoding : limen.Encoding or None
    """

    form: str
    first: str
    features: tuple[str, ...]
    targets: tuple[str, ...]
    types: Mapping[str, str]
    encoding: Encoding | None
    several: bool

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return len(self.features) if self.encoding is None else self.encoding.n_inputs

    @property
    def used(self) -> list[str]:
        """The columns that are read."""
        return list(dict.fromkeys([*self.features, *self.targets]))

    def rows(self, reading: Reading) -> int:
        """Return how many rows a batch has at most."""
        if reading.batch_rows:
            return reading.batch_rows
        width = sum(_width(self.types[name]) for name in self.used) + self.n_features
        return max(1, reading.batch_bytes // max(1, width))


@dataclass(frozen=True, slots=True, eq=False)
class TableRows:
    """Some rows, and where the next ones are: a group, a row in it, and how many rows lie before it."""

    X: Array
    y: Array | None
    group: int
    row: int
    before: int
    share: float


def plan(path: str, form: str, target: str | Sequence[str] | None, encoder: Any) -> Plan:
    """Return the plan for files like `path`.

    Raises
    ------
    FileError
        The file can't be read.
    InputError
        A target that isn't a column, columns that are no numbers without an encoder, or no columns at all.
    """
    several = target is not None and not isinstance(target, str)
    targets: tuple[str, ...] = (
        () if target is None else (target,) if isinstance(target, str) else tuple(target)
    )
    if several and (not targets or not all(isinstance(name, str) for name in targets)):
        raise InputError(f"target must be the name of a column, or a list of names. Received: {target!r}.")
    with arrow_errors(path), _table_file(path, form, {}) as file:
        types = _types(path, file)
    lacking = [name for name in targets if name not in types]
    if lacking:
        raise InputError(
            f"{path} has no column {lacking[0]!r} to be the target. Its columns: {listing(list(types))}."
        )
    encoding: Encoding | None = None if encoder is None else getattr(encoder, "encoding_", encoder)
    if encoding is None:
        features = tuple(name for name in types if name not in targets)
    elif isinstance(encoding, Encoding):
        features = encoding.used_columns
    else:
        raise InputError(
            f"encoder must be a fitted ThresholdEncoder or an Encoding. Received: {type(encoder).__name__}"
            f"{' that is not fitted' if hasattr(encoder, 'fit') else ''}."
        )
    if form == "csv":
        types = _csv_types(types, features, targets, encoding)
    made = Plan(form, path, features, targets, types, encoding, several)
    if encoding is None:
        wrong = [name for name in features if not NUMERIC.fullmatch(types[name])]
        if wrong:
            raise InputError(
                f"{path}: without an encoder every column but the target must hold numbers or booleans. Received:"
                f" column {wrong[0]!r} of type {types[wrong[0]]}. Fit a ThresholdEncoder and give it as encoder=."
            )
        if not features:
            raise InputError(f"{path} has no columns but the target. Give a table with at least one more.")
    else:
        _check_types(path, made, types)
    return made


def rows_of(
    path: str, made: Plan, reading: Reading, group: int = 0, row: int = 0, before: int = 0
) -> Iterator[TableRows]:
    """Yield the rows of a file, from row `row` of group `group`, before which there are `before` rows.

    Raises
    ------
    FileError
        The file can't be read, its columns aren't those of the first file, or a value is missing or infinite.
    """
    most, wanted, current, at = made.rows(reading), (group, row), -1, 0
    kinds = made.types if made.form == "csv" else {}
    with arrow_errors(path):
        try:
            with _table_file(path, made.form, kinds) as file:
                _check_types(path, made, _types(path, file))
                n_groups = _n_groups(file)
                for number, part in _parts(file, made, most, group):
                    current, at = number, (at if number == current else 0)
                    done = wanted[1] - at if number == wanted[0] else 0
                    at += part.num_rows
                    if part.num_rows > max(0, done):
                        X, y = _arrays(path, made, part.slice(max(0, done)), before)
                        before += len(X)
                        yield TableRows(X, y, number, at, before, number / n_groups if n_groups else 0.0)
        except FileError:
            raise
        except InputError as error:
            raise FileError(f"{path}, after row {before}: {error}") from error
        except BROKEN as error:
            raise damaged(path, error) from error
        except ValueError as error:
            raise _explained(error, path, made, before) from error


@contextlib.contextmanager
def _table_file(path: str, form: str, kinds: Mapping[str, str]) -> Iterator[Any]:
    """Open a table for reading in parts, and close it."""
    with contextlib.ExitStack() as stack:
        if form == "csv":
            text = stack.enter_context(opened(path))
            try:
                start = text.read(HEADER)
                text.seek(0)
            except BROKEN as error:
                raise damaged(path, error) from error
            first = re.search(rb"[^\r\n]+", start)
            if first is None:
                raise FileError(
                    f"{path} is empty. Give a table with a row of names and at least one more row."
                )
            file = reader(text, form, header=first[0], kinds=kinds)
        else:
            file = reader(path, form)
        if hasattr(file, "close"):
            stack.callback(file.close)
        yield file


def _types(path: str, file: Any) -> dict[str, str]:
    """Return the type of each column by its name."""
    schema = getattr(file, "schema_arrow", None) or file.schema
    names = list(schema.names)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FileError(
            f"{path}: columns of a table need names of their own. Received twice: {listing(twice)}."
        )
    return {name: str(kind) for name, kind in zip(names, schema.types, strict=True)}


def _csv_types(
    types: Mapping[str, str], features: Sequence[str], targets: Sequence[str], encoding: Encoding | None
) -> dict[str, str]:
    """Return the types to read CSV files with: a feature that looks like whole numbers may have others later."""
    text = set(encoding.text_columns) if encoding else set()
    numbers = (
        {rule.column for rule in encoding.rules if isinstance(rule, Thresholds)}
        if encoding
        else set(features)
    )
    made = {}
    for name, kind in types.items():
        if name in text or (name in targets and kind == "null"):
            made[name] = "string"
        elif name in numbers and name not in targets and (kind == "null" or kind.startswith("int")):
            made[name] = "double"
        else:
            made[name] = "string" if kind == "null" else kind
    return made


def _check_types(path: str, made: Plan, types: Mapping[str, str]) -> None:
    """Raise `FileError` unless a file has the columns of the first file, in the same types."""
    wanted = {name: made.types.get(name) for name in made.used}
    lacking = [name for name in wanted if name not in types]
    added = [name for name in types if name not in wanted] if made.encoding is None else []
    if lacking or added:
        what = f"it lacks {lacking[0]!r}" if lacking else f"{added[0]!r} is new"
        raise FileError(
            f"{path} must have the columns of {made.first}: {listing(list(wanted))}. Received: {listing(list(types))};"
            f" {what}. Parts of one stream need the same columns."
        )
    for name, kind in wanted.items():
        if types[name] != kind:
            raise FileError(
                f"{path}: column {name!r} must be of type {kind}, as in {made.first}. Received: {types[name]}. Parts of"
                " one stream need the same types."
            )


def _n_groups(file: Any) -> int:
    for name in ("num_row_groups", "num_record_batches"):
        if hasattr(file, name):
            return int(getattr(file, name))
    return 0


def _parts(file: Any, made: Plan, most: int, group: int) -> Iterator[tuple[int, Any]]:
    """Yield record batches of at most `most` rows, each with its group, from the first of `group` on."""
    if hasattr(file, "num_row_groups"):
        for number in range(group, file.num_row_groups):
            batches = file.iter_batches(most, row_groups=[number], columns=made.used, use_threads=False)
            for part in batches:
                yield number, part
        return
    if hasattr(file, "get_batch"):
        wholes = ((number, file.get_batch(number)) for number in range(group, file.num_record_batches))
    else:
        wholes = ((number, part) for number, part in enumerate(file) if number >= group)
    for number, whole in wholes:
        chosen = whole.select(made.used)
        for start in range(0, chosen.num_rows, most):
            yield number, chosen.slice(start, most)


def _arrays(path: str, made: Plan, part: Any, before: int) -> tuple[Array, Array | None]:
    """Return the features and the labels of a record batch."""
    y = None
    if made.targets:
        found = columns(part, made.targets)
        for column in found.values():
            if column.missing.any():
                raise FileError(_missing(path, column.name, before + int(column.missing.argmax()), "target"))
        values = [np.array(c.values.tolist()) if c.kind == "text" else c.values for c in found.values()]
        y = np.stack(values, axis=1) if made.several else np.array(values[0])
    if made.encoding is not None:
        return made.encoding.encode(part), y
    X = _matrix([_numbers(path, name, part.column(name), before) for name in made.features])
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        row, k = np.argwhere(~np.isfinite(X))[0].tolist()
        if np.isnan(X[row, k]):
            raise FileError(_missing(path, made.features[k], before + row, "column"))
        raise FileError(
            f"{path}, row {before + row + 1}: column {made.features[k]!r} must hold finite numbers. Received:"
            f" {X[row, k]}. Leave the row out, or give an encoder."
        )
    return X, y


def _numbers(path: str, name: str, part: Any, before: int) -> Array:
    if part.null_count:
        raise FileError(_missing(path, name, before + int(np.asarray(part.is_null()).argmax()), "column"))
    if str(part.type).startswith("decimal"):
        part = part.cast("double")
    values: Array = part.to_numpy(zero_copy_only=False)
    return values


def _matrix(parts: Sequence[Array]) -> Array:
    """Return columns side by side in C order, in their own type if they share one."""
    kinds = {part.dtype for part in parts}
    kind = kinds.pop() if len(kinds) == 1 else np.dtype(np.float64)
    X = np.empty((len(parts[0]), len(parts)), dtype=np.float32 if kind == np.float16 else kind)
    for start in range(0, len(X), TILE):
        tile = X[start : start + TILE]
        for k, part in enumerate(parts):
            tile[:, k] = part[start : start + TILE]
    return X


def _missing(path: str, name: str, row: int, what: str) -> str:
    remedy = "Leave the row out." if what == "target" else "Leave the row out, or give an encoder."
    return f"{path}, row {row + 1}: {what} {name!r} must have a value everywhere. Received: a missing one. {remedy}"


def _explained(error: Exception, path: str, made: Plan, before: int) -> FileError:
    """Return the error for text that isn't the table it began as; Arrow counts columns, people name them."""
    text = str(error).split("\n", 1)[0][:300]
    counted = re.match(r"In CSV column #(\d+): (.*)", text)
    if counted and int(counted[1]) < len(made.types):
        name, kind = list(made.types.items())[int(counted[1])]
        text = f"column {name!r} began as type {kind}: {counted[2]}"
    return FileError(f"{path} can't be read as the table it began as, after row {before}: {text}")


def _width(kind: str) -> int:
    return WIDTHS.get(kind, 8 if NUMERIC.fullmatch(kind) else TEXT_WIDTH)
