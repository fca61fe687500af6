"""Tables: whatever holds one is read alike, files are read by their contents, and what can't be used is named."""

from __future__ import annotations

import bz2
import datetime
import decimal
import gzip
import io
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from limen.errors import FileError, InputError
from limen.table import Column, column_names, columns, n_rows
from limen.table_files import read


def seen(column: Column) -> tuple[str, list[object], bool]:
    """Return kind, values with None where missing, and whether the table calls them categories."""
    values = [
        None if gone else value
        for value, gone in zip(column.values.tolist(), column.missing.tolist(), strict=True)
    ]
    return column.kind, values, column.is_category


# One column, however it is held -------------------------------------------------------------------------------

DICTIONARY = pa.array(["b", None, "a"]).dictionary_encode()

HELD = {
    "list of int": ([1, 2, None], ("number", [1, 2, None], False)),
    "list of int and float": ([1, 2.5, float("nan")], ("number", [1.0, 2.5, None], False)),
    "list of bool": ([True, None, False], ("boolean", [True, None, False], False)),
    "list of text": (["a", None, ""], ("text", ["a", None, ""], False)),
    "list of text and NaN": (["a", float("nan")], ("text", ["a", None], False)),
    "list of nothing": ([None, None], ("text", [None, None], False)),
    "tuple of NumPy scalars": ((np.int8(3), np.float32(0.5)), ("number", [3.0, 0.5], False)),
    "list of NumPy text": ([np.str_("a"), "b"], ("text", ["a", "b"], False)),
    "range": (range(3), ("number", [0, 1, 2], False)),
    "NumPy int8": (np.array([-1, 2], dtype=np.int8), ("number", [-1, 2], False)),
    "NumPy uint64": (np.array([2**64 - 1], dtype=np.uint64), ("number", [2**64 - 1], False)),
    "NumPy float32": (np.array([0.5, np.nan], dtype=np.float32), ("number", [0.5, None], False)),
    "NumPy float16": (np.array([0.5], dtype=np.float16), ("number", [0.5], False)),
    "NumPy bool": (np.array([True, False]), ("boolean", [True, False], False)),
    "NumPy text": (np.array(["a", "bc"]), ("text", ["a", "bc"], False)),
    "NumPy object": (np.array(["a", None], dtype=object), ("text", ["a", None], False)),
    "NumPy masked": (np.ma.masked_array([1, 2], mask=[True, False]), ("number", [None, 2], False)),
    "NumPy read-only": (np.broadcast_to(np.array([7]), 3), ("number", [7, 7, 7], False)),
    "pandas int64": (pd.Series([1, 2]), ("number", [1, 2], False)),
    "pandas Int64": (pd.Series([2**62 + 1, None], dtype="Int64"), ("number", [2**62 + 1, None], False)),
    "pandas UInt8": (pd.Series([255, None], dtype="UInt8"), ("number", [255, None], False)),
    "pandas Float64": (pd.Series([0.5, None], dtype="Float64"), ("number", [0.5, None], False)),
    "pandas boolean": (pd.Series([True, None], dtype="boolean"), ("boolean", [True, None], False)),
    "pandas object of bool": (
        pd.Series([True, None], dtype=object),
        ("boolean", [True, None], False),
    ),
    "pandas object of NA": (pd.Series(["a", pd.NA], dtype=object), ("text", ["a", None], False)),
    "pandas str": (pd.Series(["a", None], dtype="str"), ("text", ["a", None], False)),
    "pandas string": (pd.Series(["a", None], dtype="string"), ("text", ["a", None], False)),
    "pandas category of text": (
        pd.Series(["b", None, "a"], dtype="category"),
        ("text", ["b", None, "a"], True),
    ),
    "pandas category of int": (pd.Series([3, 1], dtype="category"), ("number", [3, 1], True)),
    "pandas category of int, missing": (
        pd.Series([3, None], dtype=pd.CategoricalDtype([3, 4])),
        ("number", [3, None], True),
    ),
    "pandas category of bool": (pd.Series([True, False], dtype="category"), ("boolean", [True, False], True)),
    "pandas Arrow int": (
        pd.Series([1, None], dtype=pd.ArrowDtype(pa.int64())),
        ("number", [1, None], False),
    ),
    "polars int": (pl.Series([1, None]), ("number", [1, None], False)),
    "polars float": (pl.Series([0.5, None, float("nan")]), ("number", [0.5, None, None], False)),
    "polars bool": (pl.Series([True, None]), ("boolean", [True, None], False)),
    "polars text": (pl.Series(["a", None]), ("text", ["a", None], False)),
    "polars Categorical": (
        pl.Series(["b", None, "a"], dtype=pl.Categorical),
        ("text", ["b", None, "a"], True),
    ),
    "polars Enum": (pl.Series(["b", "a"], dtype=pl.Enum(["a", "b"])), ("text", ["b", "a"], True)),
    "polars null": (pl.Series([None, None]), ("text", [None, None], False)),
    "Arrow int": (pa.array([2**62 + 1, None]), ("number", [2**62 + 1, None], False)),
    "Arrow float32": (pa.array([0.5, None], pa.float32()), ("number", [0.5, None], False)),
    "Arrow bool": (pa.array([True, None]), ("boolean", [True, None], False)),
    "Arrow text": (pa.array(["a", None]), ("text", ["a", None], False)),
    "Arrow large text": (pa.array(["a", None], pa.large_string()), ("text", ["a", None], False)),
    "Arrow text view": (pa.array(["a", None], pa.string_view()), ("text", ["a", None], False)),
    "Arrow dictionary": (DICTIONARY, ("text", ["b", None, "a"], True)),
    "Arrow dictionary of int": (pa.array([3, None]).dictionary_encode(), ("number", [3, None], True)),
    "Arrow decimal": (
        pa.array([decimal.Decimal("1.25"), None], pa.decimal128(5, 2)),
        ("number", [1.25, None], False),
    ),
    "Arrow null": (pa.nulls(2), ("text", [None, None], False)),
    "Arrow chunked": (pa.chunked_array([[1], [], [None, 3]]), ("number", [1, None, 3], False)),
    "Arrow chunked dictionary": (
        pa.chunked_array([DICTIONARY, pa.array(["c"]).dictionary_encode()]),
        ("text", ["b", None, "a", "c"], True),
    ),
}


@pytest.mark.parametrize("case", HELD)
def test_a_column_is_read_alike_however_it_is_held(case: str) -> None:
    """Kind, values and missing values don't depend on the framework."""
    part, expected = HELD[case]
    assert seen(columns({"c": part})["c"]) == expected


@pytest.mark.parametrize(
    "make", [pd.DataFrame, pl.DataFrame, pa.table, dict], ids=lambda make: make.__module__
)
def test_a_table_is_read_alike_whatever_holds_it(make: object) -> None:
    """pandas, polars, Arrow and a mapping give the same columns in the same order."""
    table = make({"n": [1, 2], "x": [0.5, None], "t": ["a", None], "b": [True, False]})  # type: ignore[operator]
    assert column_names(table) == ("n", "x", "t", "b")
    assert n_rows(table) == 2
    found = columns(table)
    assert [seen(column) for column in found.values()] == [
        ("number", [1, 2], False),
        ("number", [0.5, None], False),
        ("text", ["a", None], False),
        ("boolean", [True, False], False),
    ]
    assert list(found) == ["n", "x", "t", "b"]


def test_only_the_columns_asked_for_are_looked_at() -> None:
    """A column that can't be used does no harm while nobody asks for it."""
    table = {"day": [datetime.date(2020, 1, 2)], "b": [1], "a": [2]}
    assert list(columns(table, ["a", "b"])) == ["a", "b"]


def test_an_array_gets_names_or_is_given_some() -> None:
    """A plain array's columns are x0, x1, … or what the caller says."""
    array = np.array([[1, 2], [3, 4]])
    assert column_names(array) is None
    assert n_rows(array) == 2
    assert [seen(c)[1] for c in columns(array).values()] == [[1, 3], [2, 4]]
    assert list(columns(array)) == ["x0", "x1"]
    assert list(columns(array, ["b"], array_names=["a", "b"])) == ["b"]


def test_a_list_of_rows_may_differ_in_kind_by_column() -> None:
    """Rows of Python values keep a kind for each column instead of becoming all text."""
    found = columns([["a", 1, True], ["b", 2.5, None]])
    assert [seen(column)[:2] for column in found.values()] == [
        ("text", ["a", "b"]),
        ("number", [1.0, 2.5]),
        ("boolean", [True, None]),
    ]


def test_an_object_that_offers_an_array_is_a_table() -> None:
    """Anything with ``__array__`` and no names is read as a plain array."""

    class Offers:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return np.array([[1.5, 2.5]])

    assert seen(columns(Offers())["x1"])[1] == [2.5]


def test_columns_of_a_pandas_table_may_be_called_by_numbers() -> None:
    """Names that aren't text are read as text."""
    assert list(columns(pd.DataFrame([[1, 2]]))) == ["0", "1"]


def test_present_leaves_out_what_is_missing() -> None:
    """`Column.present` holds the values that are there, in order."""
    assert columns({"c": [3, None, 1]})["c"].present.tolist() == [3, 1]


def test_a_column_may_be_given_as_one() -> None:
    """A mapping of `Column` is a table, and a column takes the name it stands under."""
    first = columns({"c": [1]})["c"]
    assert columns({"d": first})["d"].name == "d"
    assert columns({"c": first})["c"] is first


# What is refused ----------------------------------------------------------------------------------------------

REFUSED = {
    "date": ([datetime.date(2020, 1, 2)], "dates or times"),
    "datetime": ([datetime.datetime(2020, 1, 2)], "dates or times"),
    "NumPy datetime": (np.array(["2020-01-02"], dtype="datetime64[D]"), "dates or times"),
    "NumPy timedelta": (np.array([1], dtype="timedelta64[s]"), "dates or times"),
    "pandas datetime": (pd.Series(pd.to_datetime(["2020-01-02"])), "dates or times"),
    "pandas datetime with zone": (pd.Series(pd.to_datetime(["2020-01-02"], utc=True)), "dates or times"),
    "pandas datetime with NaT": (pd.Series(pd.to_datetime(["2020-01-02", None])), "dates or times"),
    "polars datetime": (pl.Series([datetime.datetime(2020, 1, 2)]), "dates or times"),
    "polars duration": (pl.Series([datetime.timedelta(1)]), "dates or times"),
    "Arrow date": (pa.array([datetime.date(2020, 1, 2)]), "dates or times"),
    "mixture": ([1, "a"], "a mixture: number, text"),
    "mixture of bool": ([True, 1], "a mixture: boolean, number"),
    "infinite": ([1.0, float("-inf")], "-inf in row 1"),
    "infinite float32": (np.array([np.inf], dtype=np.float32), "inf in row 0"),
    "beyond int64": ([2**64], "beyond int64"),
    "complex": (np.array([1j]), "Complex data not supported"),
    "dict": ([{"a": 1}], "a number. Received: dict"),
    "bytes": ([b"a"], "a number. Received: bytes"),
    "nested": ([[1, 2], [3, 4]], "a number. Received: list"),
    "Arrow list": (pa.array([[1]]), "a number. Received: list"),
    "two-dimensional": (np.zeros((2, 2)), r"one value a row. Received: shape \(2, 2\)"),
    "no sequence": (3, "must be a sequence. Received: int"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_column_that_cannot_be_used_is_refused_by_name(case: str) -> None:
    """The message names the column and what it holds."""
    part, message = REFUSED[case]
    with pytest.raises(InputError, match=rf"Column 'the one'.*{message}"):
        columns({"the one": part})


def test_a_wrong_kind_is_also_a_type_error() -> None:
    """A column of objects is what Python calls a `TypeError`, and still an `InputError`."""
    with pytest.raises(TypeError) as caught:
        columns({"c": [object()]})
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize("table", [None, 3, "text", object(), pd.Series([1])], ids=repr)
def test_what_is_no_table_is_refused(table: object) -> None:
    """Anything else than a table or a 2-D array is refused."""
    with pytest.raises(InputError, match=r"A table (is|as an array)"):
        columns(table)


@pytest.mark.parametrize(
    "array",
    [np.zeros(3), np.zeros((1, 2, 3)), [], [1, 2], [[1, 2], [3]], [np.zeros((1, 2)), np.zeros((1, 3))]],
    ids=repr,
)
def test_an_array_needs_two_dimensions(array: object) -> None:
    """Arrays and lists that aren't rows and columns are refused, saying what a table is."""
    with pytest.raises(InputError, match="A table as a"):
        columns(array)


def test_columns_must_be_equally_long() -> None:
    """A mapping of columns of different lengths is refused with the lengths."""
    with pytest.raises(InputError, match=r"equally long. Received lengths: \[1, 2\]"):
        columns({"a": [1], "b": [1, 2]})


def test_a_missing_column_is_named() -> None:
    """A column asked for and not there is named, with those that are."""
    with pytest.raises(InputError, match=r"Missing: b, c\. Received: a\."):
        columns({"a": [1]}, ["a", "b", "c"])


def test_two_columns_of_one_name_are_refused() -> None:
    """A name used twice is said."""
    with pytest.raises(InputError, match=r"Received twice: a\."):
        columns(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_an_array_of_another_width_is_refused() -> None:
    """An array must have as many columns as it has names."""
    with pytest.raises(InputError, match=r"must have 2 columns \(a, b\)\. Received: 3"):
        columns(np.zeros((1, 3)), array_names=["a", "b"])


# Files: CSV ---------------------------------------------------------------------------------------------------


def csv(tmp_path, data, **options):
    """Return the columns of a CSV file with these contents."""
    path = tmp_path / "table.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read(path, **options).to_pydict()


CSV = {
    "quoted separator": ('a,b\n"x, y",1\n', {"a": ["x, y"], "b": [1]}),
    "quoted newline": ('a,b\n"x\ny",1\n"z",2\n', {"a": ["x\ny", "z"], "b": [1, 2]}),
    "quoted quote": ('a,b\n"x""y",1\n', {"a": ['x"y'], "b": [1]}),
    "quoted name": ('"a,b";"c;d,e,f"\n1;2\n', {"a,b": [1], "c;d,e,f": [2]}),
    "byte order mark": ("\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}),
    "semicolons": ("a;b\n1,5;2\n", {"a": ["1,5"], "b": [2]}),
    "tabs": ("a\tb c\n1\t2\n", {"a": [1], "b c": [2]}),
    "bars": ("a|b\n1|2\n", {"a": [1], "b": [2]}),
    "one column": ("a\nx\ny\n", {"a": ["x", "y"]}),
    "line ends of Windows": ("a,b\r\n1,x\r\n", {"a": [1], "b": ["x"]}),
    "line ends of old": ("a;b\r1;x\r", {"a": [1], "b": ["x"]}),
    "no last line end": ("a,b\n1,2", {"a": [1], "b": [2]}),
    "empty lines": ("\n\na;b\n\n1;2\n\n", {"a": [1], "b": [2]}),
    "other letters": ("größe,名\n1,ü\n", {"größe": [1], "名": ["ü"]}),
    "missing": (
        "a,b,c\n,?,NA\nx,1,true\nnan,N/A,null\n",
        {"a": [None, "x", None], "b": [None, 1, None], "c": [None, True, None]},
    ),
    "quoted NA is text": ('a,b\n"NA",1\nNA,2\n', {"a": ["NA", None], "b": [1, 2]}),
    "quoted nothing is text": ('a,b\n"",1\n,2\n', {"a": ["", None], "b": [1, 2]}),
    "quoted NA among numbers": ('a,b\n"1",x\n"NA",y\n"2",z\n', {"a": [1, None, 2], "b": ["x", "y", "z"]}),
    "quoted NA among text": ('a,b\n"NA",1\nx,2\n', {"a": ["NA", "x"], "b": [1, 2]}),
    "quoted NA only": ('a,b\n"NA",1\n"",2\n', {"a": ["NA", ""], "b": [1, 2]}),
    "quoted nothing among floats": ('a,b\n"",x\n"2.5",y\n', {"a": [None, 2.5], "b": ["x", "y"]}),
    "all missing": ("a,b\nNA,1\n,2\n", {"a": [None, None], "b": [1, 2]}),
    "booleans": ("a,b\ntrue,yes\nFalse,no\n", {"a": [True, False], "b": ["yes", "no"]}),
    "whole and other numbers": ("a,b\n1,1e3\n2.5,-7\n", {"a": [1.0, 2.5], "b": [1000.0, -7.0]}),
    "beyond 2**53": (f"a\n{2**53 + 1}\n", {"a": [2**53 + 1]}),
    "names like a Parquet file": ("PAR1,b\n1,2\n", {"PAR1": [1], "b": [2]}),
}


@pytest.mark.parametrize("case", CSV)
def test_a_csv_file_is_read_as_people_mean_it(tmp_path, case: str) -> None:
    """Quotes, separators, line ends, missing values and types come out as they were meant."""
    data, expected = CSV[case]
    assert csv(tmp_path, data) == expected


def test_columns_asked_for_as_text_stay_text(tmp_path) -> None:
    """Identifiers keep their leading zeros; quoted NA stays text there, unquoted NA is missing."""
    table = csv(tmp_path, 'zip,n\n01234,1\n"NA",2\nNA,3\n', text=["zip", "not there"])
    assert table == {"zip": ["01234", "NA", None], "n": [1, 2, 3]}


def test_the_caller_says_what_missing_is(tmp_path) -> None:
    """Only the markers given mean missing."""
    table = csv(tmp_path, "a,b\n-9,x\n1,NA\n", missing=["-9"])
    assert table == {"a": [None, 1], "b": ["x", "NA"]}


@pytest.mark.parametrize(("late", "kind"), [("1.5", "double"), ("x", "string"), ("", "int64")])
def test_types_are_told_from_all_rows(tmp_path, late: str, kind: str) -> None:
    """A value far down decides about the column as much as the first."""
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2\n" * 400_000 + f"{late},2\n")
    table = read(path)
    assert [str(kind) for kind in table.schema.types] == [kind, "int64"]
    assert table.num_rows == 400_001


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lambda data: pa.compress(data, "zstd", asbytes=True)]
)
@pytest.mark.parametrize("name", ["table.csv.gz", "table"])
def test_compressed_files_are_told_by_their_contents(tmp_path, pack, name: str) -> None:
    """A compressed CSV file is read whatever it is called."""
    path = tmp_path / name
    path.write_bytes(pack(b"a,b\n1,2\n"))
    assert read(path).to_pydict() == {"a": [1], "b": [2]}


def test_dates_in_a_file_are_refused_when_used(tmp_path) -> None:
    """A file with dates can be read; the column is refused by name only when it is asked for."""
    path = tmp_path / "table.csv"
    path.write_text("day,time,n\n2020-01-02,12:30:00,1\n")
    table = read(path)
    assert seen(columns(table, ["n"])["n"])[1] == [1]
    for name in ("day", "time"):
        with pytest.raises(InputError, match=f"Column '{name}' holds dates or times"):
            columns(table, [name])


BROKEN = {
    "too few fields": (b"a,b\n1,2\n3\n", "Row #3: Expected 2 columns, got 1"),
    "too many fields": (b"a,b\n1,2\n3,4,5\n", "Row #3: Expected 2 columns, got 3"),
    "empty": (b"", "is empty"),
    "only line ends": (b"\r\n\n", "is empty"),
    "only names": (b"a,b\n", "names but no rows"),
    "only names, no line end": (b"a,b", "names but no rows"),
    "a name twice": (b"a,b,a\n1,2,3\n", "Received twice: a"),
    "other bytes": (b"a,b\nx,\xff\n", "must be UTF-8 text. Received: other bytes in column 'b'"),
    "other bytes in names": (b"a\xff,b\nx,1\n", "must be UTF-8 text"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "must be UTF-8 text"),
    "an open quote": (b'a,b\n"x,1\n', "can't be read as a table"),
    "truncated gzip": (gzip.compress(b"a,b\n1,2\n")[:-5], "can't be read as a table"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "foreign": (b"\x00\x01\x02\x03", "names but no rows"),
    "broken Parquet": (b"PAR1\x15\x00rest", "can't be read as a table"),
    "broken Arrow file": (b"ARROW1\0\0rest", "can't be read as a table"),
    "broken Arrow stream": (b"\xff\xff\xff\xffrest", "can't be read as a table"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_table_is_refused(tmp_path, case: str) -> None:
    """Every damaged or foreign file ends in one named error."""
    data, message = BROKEN[case]
    with pytest.raises(InputError, match=message):
        csv(tmp_path, data)


def test_a_file_that_is_not_there_is_a_file_error(tmp_path) -> None:
    """A missing file and a folder are named."""
    with pytest.raises(FileError, match=r"nothing\.csv can't be read"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(FileError, match="can't be read"):
        read(tmp_path)


# Files: Parquet and Arrow -------------------------------------------------------------------------------------

TABLE = pa.table({"n": [1, None], "t": pa.array(["a", "b"]).dictionary_encode(), "x": [0.5, 1.5]})


def _packed(form: str) -> bytes:
    sink = io.BytesIO()
    if form == "parquet":
        pyarrow.parquet.write_table(TABLE, sink)
    else:
        make = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
        with make(sink, TABLE.schema) as writer:
            writer.write_table(TABLE)
    return sink.getvalue()


@pytest.mark.parametrize("form", ["parquet", "file", "stream"])
def test_parquet_and_arrow_are_told_by_their_contents(tmp_path, form: str) -> None:
    """The three binary forms come back as the table that was written, categories included."""
    path = tmp_path / "table.csv"
    path.write_bytes(_packed(form))
    table = read(path)
    assert table.to_pydict() == TABLE.to_pydict()
    assert columns(table)["t"].is_category


@pytest.mark.parametrize("form", ["parquet", "file", "stream"])
def test_truncated_binary_files_are_refused(tmp_path, form: str) -> None:
    """Half of a file is an error with the file's name, not a table."""
    path = tmp_path / "half.dat"
    data = _packed(form)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"half\.dat can't be read as a table"):
        read(path)


@pytest.mark.parametrize("data", [b"a,b\n1,2\n", gzip.compress(b"a,b\n1,2\n")])
def test_a_hyphen_reads_standard_input(monkeypatch, data: bytes) -> None:
    """``-`` is standard input, compressed or not."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert read("-").to_pydict() == {"a": [1], "b": [2]}


def test_standard_input_is_named_in_errors(monkeypatch) -> None:
    """A refusal about standard input says so."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match="Standard input is empty"):
        read("-")
