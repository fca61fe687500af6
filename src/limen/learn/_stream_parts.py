"""A table in a file as parts of a few megabytes, every part typed as the whole is.

`Parts(path)` opens a CSV, Parquet or Arrow file; `Parts.read` goes through it and yields a `Part` at a time. The types of a
CSV file are told from its first part; where a later value needs a wider one, the column gets it and `WidenedError` is
raised, for what was seen of it until then was typed in another way. `limen.table_files.read`, which looks at all rows at once,
finds the same kinds: numbers, booleans, text. (What begins as dates is refused, also where text comes later.)

`Part.column` gives a column as its distinct values and which of them stands in each row, so that text is looked
at once and not row by row; `Part.encode` makes a network's inputs of that.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from limen._files import reading
from limen._text import listing
from limen.encoding import Categories, Encoding
from limen.errors import FileError, InputError
from limen.learn._stream_sources import BROKEN, Sources, damaged, opened, sources
from limen.step import Array
from limen.table import MISSING_TEXT, Column, columns
from limen.table_files import arrow_errors, reader

__all__ = ["Part", "Parts", "WidenedError"]

PART_BYTES = 4 << 20  # a part of a Parquet or Arrow file; CSV comes in parts of as much text
HEADER = 1 << 20  # bytes of a CSV file in which the row of names must end
QUOTED = "quoted"  # our type for a column of numbers in which quoted text means "missing"
TRUTH = ("true", "True", "TRUE", "false", "False", "FALSE")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
REFUSED = re.compile(r"In CSV column #(\d+):.*?(?:invalid value '(.*)')?\s*$", re.DOTALL)


class WidenedError(Exception):
    """A column got a wider type: what was read so far is to be forgotten, and the pass begun anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows.

    Parameters
    ----------
    table : pyarrow.RecordBatch
    before : int
        How many rows of the file lie before it.
    share : float
        About how much of the file was read.
    quoted : frozenset of str
        Columns of numbers that were read as text.
    missing : tuple of str
        Text that means "missing" in them.
    """

    table: Any
    before: int
    share: float
    quoted: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def take(self, which: Array) -> Part:
        """Return some of the rows."""
        return replace(self, table=self.table.take(which))

    def column(self, name: str, *, distinct: bool = False) -> tuple[Column, Array | None]:
        """Return a column.

        Parameters
        ----------
        name : str
        distinct : bool
            Whether to give distinct values in any case.

        Returns
        -------
        column : Column
            The values; or distinct ones, after which comes a missing one.
        codes : ndarray of int64, shape (n_rows,), or None
            Which of the distinct values stands in each row.
        """
        values = self.table.column(name)
        kind = str(values.type)
        coded = kind.startswith("dictionary")
        if not coded and "string" not in kind:
            column = columns({name: values})[name]
            return _distinct(column) if distinct else (column, None)
        if not coded:
            values = values.dictionary_encode()
        found = columns({name: values.dictionary})[name]
        if name in self.quoted:
            found = _numbers(found, self.missing)
        codes = values.indices.cast("int64").fill_null(len(found)).to_numpy(zero_copy_only=False)
        return _with_missing(replace(found, is_category=coded)), codes

    def rows_of(self, name: str) -> Column:
        """Return a column with a value for each row."""
        column, codes = self.column(name)
        if codes is None:
            return column
        return replace(column, values=column.values[codes], missing=column.missing[codes])

    def encode(self, encoding: Encoding) -> Array:
        """Return what ``encoding.encode`` makes of the rows: uint8 of shape (n_rows, n_inputs)."""
        pieces = []
        for rule in encoding.rules:
            if rule.inputs:
                column, codes = self.column(rule.column, distinct=isinstance(rule, Categories))
                bits = rule.encode(column)
                pieces.append(bits if codes is None else bits[codes])
        return np.concatenate(pieces, axis=1)


@dataclass(eq=False)
class Parts:
    """A table in a file, to be read in parts again and again.

    Parameters
    ----------
    path : str
    missing : sequence of str
        Text that means "missing" in a CSV file.

    Attributes
    ----------
    names : tuple of str
        All its columns.
    wanted : tuple of str
        Those that are read.

    Raises
    ------
    FileError
        No such file, a folder, a pipe, or no table.
    """

    path: str
    missing: Sequence[str] = MISSING_TEXT
    names: tuple[str, ...] = field(init=False)
    wanted: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        with reading(self.path):  # a folder, a pipe or no file at all is refused by name
            pass
        with opened(self.path) as file:
            try:
                start = file.read(8)
            except BROKEN as error:
                raise damaged(self.path, error) from error
        if start[:4] == b"\x28\xb5\x2f\xfd":
            raise FileError(
                f"{self.path} is compressed with Zstandard, which can't be streamed. Decompress it first, or"
                " compress it with gzip."
            )
        self.form = "parquet" if start[:5] == b"PAR1\x15" else "csv"
        if start in (b"ARROW1\0\0",) or start[:4] == b"\xff\xff\xff\xff":
            self.form = "arrow"
        self._files: Sources = sources([self.path], self.form)
        self._kinds: dict[str, str] = {}
        with self._named_errors(), self._open(()) as (file, _):
            schema = getattr(file, "schema_arrow", None) or file.schema
            self.names = self.wanted = tuple(schema.names)
            types = [str(kind) for kind in schema.types]
        if len(set(self.names)) < len(self.names):
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise InputError(f"Columns of a table need names of their own. Received twice: {listing(twice)}.")
        self._first = dict(zip(self.names, types, strict=True))

    def want(self, features: Sequence[str], whole: Sequence[str]) -> None:
        """Choose columns. Whole numbers stay whole in those of `whole`; in features they may have fractions later."""
        self.wanted = tuple(dict.fromkeys([*features, *whole]))
        if self.form == "csv":
            for name in self.wanted:
                kind = self._first[name]
                if kind in ("null", "int64"):
                    kind = "int64" if name in whole else "double"
                self._kinds[name] = kind
            self._check_text()

    def read(self, *, settle: bool = False) -> Generator[Part, None, None]:
        """Yield all rows, in order.

        Parameters
        ----------
        settle : bool
            Whether a column may still get a wider type.

        Raises
        ------
        WidenedError
            One did.
        FileError
            The file can't be read to its end, or has changed since it was opened.
        """
        before = 0
        self.check_unchanged()
        kinds = dict(self._kinds)
        kinds = {name: "string" if kind == QUOTED else kind for name, kind in kinds.items()}
        quoted = frozenset(name for name, kind in self._kinds.items() if kind == QUOTED)
        with self._named_errors():
            try:
                with self._open(self.wanted, kinds) as (file, share):
                    for batch, done in self._batches(file):
                        if batch.num_rows:
                            part = Part(
                                batch, before, share() if done is None else done, quoted, tuple(self.missing)
                            )
                            for name in quoted if settle else ():
                                part.column(name)  # still all numbers?
                            yield part
                            before += batch.num_rows
            except FileError:
                raise
            except ValueError as error:  # of Arrow, or of numbers in quoted text
                self.check_unchanged()
                if self.form == "csv" and settle and self._widen(error):
                    raise WidenedError from None
                raise self._explained(error, before) from error
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise `FileError` if the file isn't the one that was opened."""
        try:
            self._files.unchanged()
        except FileError as error:
            raise FileError(
                f"{self.path} has changed while it was read. Received: another file than at the start. Try again once"
                " nothing writes to it."
            ) from error

    # The file -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            with arrow_errors(self.path):
                yield
        except BROKEN as error:
            raise damaged(self.path, error) from error

    @contextlib.contextmanager
    def _open(
        self, only: Sequence[str], kinds: dict[str, str] | None = None
    ) -> Iterator[tuple[Any, Callable[[], float]]]:
        """Open the table, and give it with a function that tells how much of it was read."""
        with contextlib.ExitStack() as stack:
            if self.form != "csv":
                file = reader(self.path, self.form)
                stack.callback(getattr(file, "close", lambda: None))
                yield file, lambda: 0.0
                return
            text = stack.enter_context(opened(self.path))
            try:
                start = text.read(HEADER)
                text.seek(0)
            except BROKEN as error:
                raise damaged(self.path, error) from error
            first = re.search(rb"[^\r\n]+", start)
            if first is None:
                raise FileError(
                    f"{self.path} is empty. Give a table with a row of names and at least one more row."
                )
            if len(start) < HEADER and first.end() == len(start):
                raise FileError(f"{self.path} has names but no rows. Give a table with at least one row.")
            below, size = getattr(text, "below", text), max(1, os.path.getsize(self.path))
            file = reader(text, "csv", header=first[0], kinds=kinds, missing=self.missing, only=only)
            stack.callback(file.close)
            yield file, lambda: min(1.0, below.tell() / size)

    def _batches(self, file: Any) -> Iterator[tuple[Any, float | None]]:
        """Yield record batches with the columns wanted, each with the share that was read, where it is known."""
        wanted = list(self.wanted)
        most = max(256, PART_BYTES // (8 * len(wanted)))
        if self.form == "parquet":
            done, n_rows = 0, max(1, file.metadata.num_rows)
            for batch in file.iter_batches(most, columns=wanted, use_threads=False):
                done += batch.num_rows
                yield batch.select(wanted), done / n_rows
        elif self.form == "csv":
            for batch in file:
                yield batch, None
        else:
            n_batches = getattr(file, "num_record_batches", None)
            for k, whole in enumerate(map(file.get_batch, range(n_batches)) if n_batches else file):
                for start in range(0, whole.num_rows, most):
                    yield whole.select(wanted).slice(start, most), (k + 1) / n_batches if n_batches else 0.0

    # The types of a CSV file ----------------------------------------------------------------------------------

    def _check_text(self) -> None:
        """Find columns of numbers that quoted text made text, and refuse what is no text at all."""
        doubtful = [name for name in self.wanted if self._kinds[name] == "string"]
        for name in self.wanted:
            if self._kinds[name] == "binary":
                raise _no_utf8(self.path, name)
        if not doubtful:
            return
        with (
            self._named_errors(),
            self._open(tuple(doubtful), dict.fromkeys(doubtful, "string")) as (file, _),
        ):
            part = next(iter(file), None)
        if part is None:
            return
        for name in doubtful:
            present = [text for text in part.column(name).unique().to_pylist() if text is not None]
            rest = [text for text in present if text not in self.missing]
            if rest and len(rest) < len(present) and all(map(NUMBER.fullmatch, rest)):
                self._kinds[name] = QUOTED

    def _widen(self, error: ValueError) -> bool:
        """Give the column that an error is about a wider type; return whether it has one."""
        if isinstance(error, _NoNumberError):
            self._kinds[error.column] = "string"
            return True
        found = REFUSED.match(str(error).split("\n", 1)[0] if "'" not in str(error) else str(error))
        if found is None or int(found[1]) >= len(self.names):
            return False
        name, value = self.names[int(found[1])], found[2]
        kind = self._kinds.get(name)
        if kind is None or kind == "string":
            return False
        wider = "string"
        if value is not None and kind in ("int64", "double"):
            if NUMBER.fullmatch(value):
                wider = "double" if kind == "int64" else "string"
            elif value in self.missing:
                wider = QUOTED
            elif value in TRUTH and self._first[name] == "null":
                wider = "bool"
        self._kinds[name] = wider
        return True

    def _explained(self, error: ValueError, before: int) -> FileError:
        """Return the error with the file and, for text, the name of the column that Arrow only counts."""
        text = str(error).split("\n", 1)[0][:300]
        counted = re.match(r"In CSV column #(\d+): (.*)", text)
        if counted and int(counted[1]) < len(self.names):
            name = self.names[int(counted[1])]
            if "UTF8" in counted[2]:
                return _no_utf8(self.path, name)
            text = f"column {name!r}: {counted[2]}"
        return FileError(f"{self.path} can't be read as a table, after row {before}: {text}")


# One column ---------------------------------------------------------------------------------------------------


class _NoNumberError(ValueError):
    def __init__(self, column: str) -> None:
        super().__init__(f"column {column!r} holds other text than numbers")
        self.column = column


def _numbers(column: Column, missing: Sequence[str]) -> Column:
    """Return text as numbers, but what means "missing"."""
    gone = column.missing | np.isin(column.values.astype(str), list(missing))
    if not all(NUMBER.fullmatch(text) for text in column.values[~gone].tolist()):
        raise _NoNumberError(column.name)
    values = [0.0 if absent else float(text) for text, absent in zip(column.values, gone, strict=True)]
    return columns({column.name: Column(column.name, "number", np.array(values, dtype=np.float64), gone)})[
        column.name
    ]


def _distinct(column: Column) -> tuple[Column, Array]:
    """Return the distinct values of a column, then a missing one, and which of them stands in each row."""
    codes = np.zeros(len(column), dtype=np.int64)
    values, codes[~column.missing] = np.unique(column.present, return_inverse=True)
    codes[column.missing] = len(values)
    return _with_missing(replace(column, values=values, missing=np.zeros(len(values), dtype=bool))), codes


def _with_missing(column: Column) -> Column:
    last: Any = "" if column.values.dtype == object else 0
    values = np.concatenate([column.values, np.array([last], dtype=column.values.dtype)])
    return replace(column, values=values, missing=np.append(column.missing, True))


def _no_utf8(path: str, name: str) -> FileError:
    return FileError(
        f"{path} must be UTF-8 text. Received: other bytes in column {name!r}. Save the file as UTF-8."
    )
