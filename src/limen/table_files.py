"""Tables in files: CSV, Parquet and Arrow, whole or in parts. The only file that imports Arrow.

===================  ================================================================================
`read`               a file as an Arrow table
`read_in_parts`      one Arrow table after the other, of a file of any size
`reader`             what Arrow reads a file in parts with, for whoever keeps track of it
`arrow_errors`       names the file in what Arrow raises
`arrow`              pyarrow itself
===================  ================================================================================
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from limen._files import read_bytes, reading
from limen.errors import FileError, InputError
from limen.table import MISSING_TEXT, column_names

__all__ = ["arrow", "arrow_errors", "read", "read_in_parts", "reader"]


def arrow() -> Any:
    """Return pyarrow."""
    import pyarrow

    return pyarrow


def read(
    path: str | os.PathLike[str], *, text: Iterable[str] = (), missing: Sequence[str] = MISSING_TEXT
) -> Any:
    """Read a CSV, Parquet or Arrow file into an Arrow table.

    The format is told from the contents. In a CSV file the first row holds the names; the separator is the
    comma, semicolon, tab or bar that the first row has most of; types are told from all rows. Quoted text is
    text, unless it means "missing" and everything else in the column is a number.

    Parameters
    ----------
    path : str or path
        ``-`` reads standard input. A CSV file may be compressed (gzip, bzip2, Zstandard).
    text : iterable of str
        Columns of a CSV file to leave as text whatever they look like.
    missing : sequence of str
        Text that means "missing" in a CSV file.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    FileError
        No such file, or it can't be read.
    InputError
        An empty file, no rows, a row with more or fewer fields than the first, a column name used twice.
    """
    data = sys.stdin.buffer.read() if os.fspath(path) == "-" else read_bytes(path)
    import pyarrow as pa

    text = frozenset(text)
    try:
        if data[:5] == b"PAR1\x15":  # the fifth byte opens a Parquet header, but no row of names
            import pyarrow.parquet as pq

            table = pq.read_table(pa.BufferReader(data))
        elif data[:8] == b"ARROW1\0\0":
            table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
        elif data[:4] == b"\xff\xff\xff\xff":
            table = pa.ipc.open_stream(pa.BufferReader(data)).read_all()
        else:
            table = _read_csv(_decompressed(data), path, text, missing)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{_called(path)} can't be read as a table: {_first_line(error)}") from error
    column_names(table)
    if table.num_rows == 0:
        raise InputError(f"{_called(path)} has names but no rows. Give a table with at least one row.")
    return table


def reader(source: Any, form: str, *, header: bytes = b"", kinds: Any = None, **how: Sequence[str]) -> Any:
    """Open a path (``form="parquet"`` or ``"arrow"``) or a stream (``"csv"``, first line `header`) in parts.

    A CSV file's types are told from its first part unless `kinds` gives their Arrow names by column. For CSV, too:
    `missing`, as in `read`, and `only`, the columns wanted.
    """
    import pyarrow as pa

    if form == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetFile(source, pre_buffer=False)
    if form == "arrow":
        with pa.OSFile(source) as file:
            whole = file.read(6) == b"ARROW1"
        return (pa.ipc.open_file if whole else pa.ipc.open_stream)(pa.OSFile(source))
    types = {name: pa.type_for_alias(kind) for name, kind in (kinds or {}).items()}
    return pa.csv.open_csv(source, **_csv_options(_separator(header, "A table"), 1 << 22, types, **how))


PART = 1 << 17  # rows of a part, where the file doesn't say itself


def read_in_parts(
    path: str | os.PathLike[str], *, kinds: Mapping[str, str], missing: Sequence[str] = MISSING_TEXT
) -> Iterator[Any]:
    """Yield a CSV, Parquet or Arrow file as Arrow tables, one part after the other, however large it is.

    Parameters
    ----------
    path : str or path
        ``-`` reads standard input, CSV in parts and other formats whole. A CSV file may be compressed.
    kinds : mapping of str to str
        The columns wanted, and the Arrow type to read each with, where the file is CSV.
    missing : sequence of str
        Text that means "missing" in a CSV file.

    Raises
    ------
    FileError
        No such file, or it can't be read.
    InputError
        An empty CSV file.
    """
    import pyarrow as pa

    called = _called(path)
    with arrow_errors(called):
        if os.fspath(path) == "-":
            source: Any = sys.stdin.buffer
            source = source if hasattr(source, "peek") else io.BufferedReader(source)
            start = source.peek(1 << 16)
        else:
            start = _start(path)
            source = None
        if start[:5] == b"PAR1\x15" or start[:8] == b"ARROW1\0\0" or start[:4] == b"\xff\xff\xff\xff":
            if source is not None:
                yield read(path)
                return
            form = "parquet" if start[:4] == b"PAR1" else "arrow"
            file = reader(os.fspath(path), form)
            if form == "parquet":
                batches = file.iter_batches(PART)
            else:
                batches = (
                    (file.get_batch(k) for k in range(file.num_record_batches))
                    if start[:5] == b"ARROW"
                    else file
                )
        else:
            compressed = next((how for mark, how in _COMPRESSED.items() if start.startswith(mark)), None)
            if compressed is not None:
                if source is not None:
                    raise InputError(
                        f"{called} must not be compressed. Uncompress it on the way: gzip -dc FILE | …"
                    )
                with pa.input_stream(os.fspath(path), compression=compressed) as opened:
                    start = opened.read(1 << 16)
            first = re.search(rb"[^\r\n]+", start)
            if first is None:
                raise InputError(
                    f"{called} is empty. Give a table with a row of names and at least one more row."
                )
            stream = source or pa.input_stream(os.fspath(path), compression=compressed)
            batches = reader(stream, "csv", header=first[0], kinds=dict(kinds), missing=missing)
        for batch in batches:
            yield pa.Table.from_batches([batch])


_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}


def _start(path: str | os.PathLike[str]) -> bytes:
    with reading(path) as (file, _):
        return file.read(1 << 16)


@contextlib.contextmanager
def arrow_errors(path: str) -> Iterator[None]:
    """Name the file in what Arrow raises, and give Arrow's memory back to the system."""
    import pyarrow as pa
    import pyarrow.csv  # what `pa.csv` is in `reader`

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{path} can't be read as a table: {_first_line(error)}") from error
    finally:
        pa.default_memory_pool().release_unused()


def _separator(first: bytes, called: str) -> str:
    try:
        header = first.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{called} must be UTF-8 text. Received: {error.reason}.") from None
    outside = "".join(header.split('"')[::2])  # what stands between quotes separates nothing
    return max(",;\t|", key=outside.count)


def _csv_options(
    separator: str, block: int, types: Any, missing: Sequence[str] = MISSING_TEXT, only: Sequence[str] = ()
) -> dict[str, Any]:
    from pyarrow import csv

    return {
        "read_options": csv.ReadOptions(block_size=block, use_threads=False),
        "parse_options": csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        "convert_options": csv.ConvertOptions(
            null_values=list(missing),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            column_types=types,
            include_columns=list(only),
            true_values=["true", "True", "TRUE"],
            false_values=["false", "False", "FALSE"],
        ),
    }


def _read_csv(data: bytes, path: str | os.PathLike[str], text: Iterable[str], missing: Sequence[str]) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    first = re.search(rb"[^\r\n]+", data)
    if first is None:
        raise InputError(
            f"{_called(path)} is empty. Give a table with a row of names and at least one more row."
        )
    separator = _separator(first[0], _called(path))
    if first.end() == len(data):
        data += b"\n"  # a row of names that doesn't end is no table to Arrow
    block = min(len(data) + 1, 2**31 - 1)  # one block, so that types are told from all rows
    types = dict.fromkeys(text, pa.string())
    table = csv.read_csv(pa.BufferReader(data), **_csv_options(separator, block, types, missing))
    for index, (name, kind) in enumerate(zip(table.column_names, table.schema.types, strict=True)):
        if pa.types.is_binary(kind):
            raise InputError(
                f"{_called(path)} must be UTF-8 text. Received: other bytes in column {name!r}. Save the file as"
                " UTF-8."
            )
        if pa.types.is_string(kind) and name not in text:
            table = table.set_column(index, name, _unquoted(table.column(index), missing))
    return table


def _unquoted(column: Any, missing: Sequence[str]) -> Any:
    """Return a column as numbers if only quoted text that means "missing" made it text."""
    import pyarrow as pa
    from pyarrow import compute

    marked = compute.is_in(column, pa.array(missing, pa.string()))
    if not compute.any(marked).as_py():
        return column
    rest = compute.if_else(marked, pa.scalar(None, pa.string()), column)
    for kind in (pa.int64(), pa.float64()):
        try:
            return rest.cast(kind) if rest.null_count < len(rest) else column
        except pa.ArrowInvalid:
            continue
    return column


def _decompressed(data: bytes) -> bytes:
    """Return the bytes of a compressed file as they were before; its first bytes tell."""
    if data[:2] == b"\x1f\x8b":
        codec = "gzip"
    elif data[:3] == b"BZh" and data[4:10] == b"1AY&SY":
        codec = "bz2"
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        codec = "zstd"
    else:
        return data
    import pyarrow as pa

    return bytes(pa.CompressedInputStream(pa.BufferReader(data), codec).read())


# One column ---------------------------------------------------------------------------------------------------


def _called(path: str | os.PathLike[str]) -> str:
    return "Standard input" if os.fspath(path) == "-" else os.fspath(path)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:300]
