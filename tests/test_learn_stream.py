from __future__ import annotations

import bz2
import gzip
import io
import itertools
import json
import lzma
import math
import os
import re
import signal
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_svmlight_file

from limen.errors import FileError, InputError
from limen.learn import ThresholdEncoder, _stream_sources, _stream_svmlight, stream
from limen.learn._kernels_svmlight import _number
from limen.learn._stream_ahead import ahead
from limen.learn.stream import Batches, batches

FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# Oracles ------------------------------------------------------------------------------------------------------


def naive_rows(text: str, base: int) -> list[tuple[list[float], dict[int, float]]]:
    """Read svmlight text as slowly and plainly as can be: labels, and values by column."""
    rows = []
    for line in text.split("\n"):
        words = line.split("#")[0].split()
        if not words:
            continue
        labels = [] if ":" in words[0] else [float(label) for label in words.pop(0).split(",")]
        if words and words[0].startswith("qid:"):
            words.pop(0)
        pairs = [word.split(":") for word in words]
        rows.append((sorted(labels), {int(index) - base: float(value) for index, value in pairs}))
    return rows


def rows_of(stream: Any) -> list[tuple[list[float], dict[int, float]]]:
    """Return what a stream yields in the form of `naive_rows`."""
    found = []
    for batch in stream:
        for r in range(len(batch)):
            entries = slice(batch.X.indptr[r], batch.X.indptr[r + 1])
            values = dict(zip(batch.X.indices[entries].tolist(), batch.X.data[entries].tolist(), strict=True))
            if sparse.issparse(batch.y):
                labels = batch.y.indices[batch.y.indptr[r] : batch.y.indptr[r + 1]].tolist()
            else:
                labels = [float(batch.y[r])]
            found.append((labels, values))
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two batches are equal to the bit, positions included."""
    parts = []
    for batch in (one, other):
        arrays = []
        for part in (batch.X, batch.y):
            if sparse.issparse(part):
                arrays += [part.data, part.indices, part.indptr, np.array(part.shape)]
            elif part is not None:
                arrays.append(part)
        parts.append((arrays, batch.position))
    (a, p), (b, q) = parts
    return (
        p == q
        and len(a) == len(b)
        and all(
            x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
            for x, y in zip(a, b, strict=True)
        )
    )


NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-1e6, 1e6, width=32).map(repr),
    st.floats(-1e30, 1e30).map(repr),
    st.sampled_from(
        ["+1", "-0", ".5", "5.", "1e5", "1E-3", "+0.25e+2", "007", "1" * 25, "0." + "3" * 30, "-0.0"]
    ),
)
BLANKS = st.sampled_from([" ", "  ", "\t", " \t "])
ENDS = st.sampled_from(["\n", "\r\n", " \n", "\n\n", " # 5:7 words\n", "#\n", "\n# a comment\n  \n"])


@st.composite
def texts(draw: st.DrawFn, *, several: bool = False, least: int = 1) -> str:
    """Draw svmlight text of all the forms there are."""
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        if several:
            labels = draw(st.lists(st.integers(0, 12), unique=True, max_size=4))
            label = ",".join(map(str, labels))
        else:
            label = draw(NUMBERS)
        indices = sorted(draw(st.sets(st.integers(least, 400), max_size=6, min_size=int(not label))))
        words = [label] if label else []
        words += draw(st.sampled_from([[], [], ["qid:3"]]))
        words += [f"{index}:{draw(NUMBERS)}" for index in indices]
        lines.append(draw(st.sampled_from(["", "", " "])) + draw(BLANKS).join(words) + draw(ENDS))
    text = "".join(lines)
    return text.rstrip("\n") if draw(st.booleans()) else text


def written(tmp_path: Path, data: str | bytes, name: str = "rows.svm") -> str:
    """Write a file and return its path."""
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


# svmlight text ------------------------------------------------------------------------------------------------


@FUZZ
@given(texts(), st.integers(1, 5), st.sampled_from([8, 33, 1 << 20]))
def test_rows_are_what_the_text_says(tmp_path: Path, text: str, most: int, window: int) -> None:
    """Whatever its form, text is read as the plainest reader does, however little of it is in memory at a time."""
    path = written(tmp_path, text)
    with mock.patch.object(_stream_svmlight, "TEXT", window):
        found = rows_of(batches(path, zero_based=False, multilabel=False, dtype=np.float64, batch_rows=most))
    assert repr(found) == repr(naive_rows(text, 1))  # repr tells -0.0 from 0.0


@FUZZ
@given(texts(least=0))
def test_rows_are_those_of_scikit_learn(tmp_path: Path, text: str) -> None:
    """`load_svmlight_file` gives the same matrix and labels, and counts indices from 0 or 1 alike."""
    path = written(tmp_path, text)
    X, y = load_svmlight_file(io.BytesIO(text.encode()), dtype=np.float32)
    found = list(batches(path, multilabel=False))
    ours = sparse.vstack(
        [sparse.csr_array((b.X.data, b.X.indices, b.X.indptr), (len(b), X.shape[1])) for b in found]
    )
    assert np.array_equal(ours.toarray(), X.toarray())
    assert np.array_equal(np.concatenate([b.y for b in found]), y)


@FUZZ
@given(texts(several=True), st.integers(1, 5))
def test_several_labels_are_a_matrix_of_them(tmp_path: Path, text: str, most: int) -> None:
    """Rows with any number of labels, none included, are read as the plainest reader does."""
    path = written(tmp_path, text)
    made = batches(path, zero_based=False, multilabel=True, dtype=np.float64, batch_rows=most)
    assert rows_of(made) == naive_rows(text, 1)
    assert all(batch.y.dtype == np.int8 and (batch.y.data == 1).all() for batch in made)


def test_several_labels_are_recognised(tmp_path: Path) -> None:
    """A comma among the first labels tells that rows have several, unless it is said; a gap alone doesn't."""
    assert batches(written(tmp_path, "1 2:3\n1,3 1:1\n")).multilabel
    assert not batches(written(tmp_path, "1 2:3 # 1,3\n2 1:1\n")).multilabel
    with pytest.raises(FileError, match=r"line 2, column 2: expected a label, .*multilabel=True"):
        list(batches(written(tmp_path, "1 2:3\n 1:1\n")))
    (batch,) = batches(written(tmp_path, "7,0 2:3\n 1:1\n"))
    assert batch.y.toarray().tolist() == [[1, 0, 0, 0, 0, 0, 0, 1], [0] * 8]
    (batch,) = batches(written(tmp_path, "1,0 2:3\n"), n_labels=5)
    assert batch.y.shape == (1, 5)


HARD = [
    "0.1", "1e22", "1e23", "9007199254740993", "9007199254740992.5", "1.7976931348623157e308", "5e-324", "1e-320",
    "2.2250738585072011e-308", "123456789012345678", "1234567890123456789", "0.000000000000000000000000000001234",
    "1e60", "1e-60", "1e61", "9.5e-61", "8.41e21", "7.3879e20", "4503599627370496.5", "4503599627370497.5",
    "9007199254740991e1", "-9.109383701528e-31", "1e-400", "0e999", "0.30000000000000004", "1e00000000000000000001",
]  # fmt: skip


def test_hard_numbers_are_those_of_python(tmp_path: Path) -> None:
    """Numbers half-way between two floats, tiny, huge or long are rounded as `float` rounds them."""
    path = written(tmp_path, "".join(f"{number} 1:{number}\n" for number in HARD))
    (batch,) = batches(path, dtype=np.float64, zero_based=False)
    assert batch.X.data.tolist() == [float(number) for number in HARD]
    assert batch.y.tolist() == [float(number) for number in HARD]


@settings(max_examples=300, deadline=None)
@given(st.one_of(
    st.integers(0, 2**64 - 1).map(lambda bits: repr(struct.unpack("d", struct.pack("Q", bits))[0])),
    st.tuples(st.integers(0, 10**18 - 1), st.integers(-70, 70)).map(lambda pair: f"{pair[0]}e{pair[1]}"),
    st.tuples(st.integers(2**53, 2**54), st.integers(0, 5)).map(lambda pair: str((2 * pair[0] + 1) << pair[1])),
))  # fmt: skip
@example("18014398509481985")
@example("9007199254740993")
def test_a_decided_number_is_that_of_python(text: str) -> None:
    """Where the kernel doesn't leave a number to Python, it gives the same 64 bits."""
    if text.lstrip("-") in {"nan", "inf"}:
        assert _number(np.frombuffer(text.encode() + b"\n", dtype=np.uint8), 0)[0] == -1
        return
    end, decided, value = _number(np.frombuffer(text.encode() + b"\n", dtype=np.uint8), 0)
    assert end == len(text)
    assert not decided or struct.pack("d", value) == struct.pack("d", float(text))


def test_most_numbers_are_decided() -> None:
    """Numbers of up to 17 digits and common size aren't left to Python, which is slow."""
    rng = np.random.default_rng(0)
    for value in (rng.standard_normal(50) * 10.0 ** rng.integers(-20, 20, 50)).tolist():
        assert _number(np.frombuffer(f"{value!r} ".encode() + b"\n", dtype=np.uint8), 0)[1]


WRONG = [
    ("1 1:2\nx 1:2\n", 2, 1, "a label, a finite number", "'x'"),
    ("1 1:2\n1 1:2 b\n", 2, 7, "index:value", "'b'"),
    ("1 1:2 2\n", 1, 7, "index:value", "'2'"),
    ("1 1:2 -2:3\n", 1, 7, "index:value", "'-2:3'"),
    ("1 1:2 2:\n", 1, 9, "a finite number", "''"),
    ("1 1:2 2:1,5\n", 1, 9, "a finite number", "'1,5'"),
    ("1 1:2 2:nan\n", 1, 9, "a finite number", "'nan'"),
    ("1 1:2 2:-inf 3:4\n", 1, 9, "a finite number", "'-inf'"),
    ("1 1:2 2:0x10\n", 1, 9, "a finite number", "'0x10'"),
    ("1 1:2 2:1_0\n", 1, 9, "a finite number", "'1_0'"),
    ("1 1:2 2:1e\n", 1, 9, "a finite number", "'1e'"),
    ("inf 1:2\n", 1, 1, "a label", "'inf'"),
    ("1 1:1e999\n", 1, 5, "the range of float32", "'1e999'"),
    ("1 1:1e39\n", 1, 5, "the range of float32", "'1e39'"),
    ("1e999 1:1\n", 1, 1, "the range of float64", "'1e999'"),
    ("# c\n\n1 5:2 3:1\n", 3, 7, "increasing order", "'3:1'"),
    ("1 5:2 5:1\n", 1, 7, "increasing order", "'5:1'"),
    ("1 0:2\n", 1, 3, "indices from 1 .zero_based=True", "'0:2'"),
    ("1 4294967297:2\n", 1, 3, "indices up to 2147483647", "'4294967297:2'"),
    ("1 99999999999999999999999:2\n", 1, 3, "indices up to 2147483647", "'9999"),
    ("1 3:2 qid:4\n", 1, 7, "index:value", "'qid:4'"),
    ("1,2 3:2\n", 1, 2, "one label a row", "',2'"),
    ("3:2\n", 1, 1, "multilabel=True", "'3:2'"),
    ("1\0 3:2\n", 1, 1, "a label", r"'1\\x00'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "expected", "received"), WRONG)
def test_what_is_wrong_in_a_file_is_named(
    tmp_path: Path, text: str, line: int, column: int, expected: str, received: str
) -> None:
    """An error says file, line, column, what was expected and what came."""
    path = written(tmp_path, text)
    with pytest.raises(FileError) as caught:
        list(batches(path, format="svmlight", zero_based=False, multilabel=False))
    message = str(caught.value)
    assert message.startswith(f"{path}, line {line}, column {column}: expected ")
    assert re.search(f"{expected}.*Received: .*{received}", message)
    assert "cut off" not in message


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [("1,-2 1:1\n", 3, "labels such as"), ("1,1.5 1:1\n", 3, "labels"), ("2,2 1:1\n", 3, "each label of a row once"),
     ("3, 1:1\n", 3, "labels"), ("1e12 1:1\n", 1, "labels")],
)  # fmt: skip
def test_wrong_lists_of_labels_are_named(tmp_path: Path, text: str, column: int, expected: str) -> None:
    """Labels of rows with several are whole numbers from 0, each once."""
    with pytest.raises(FileError, match=rf"line 1, column {column}: expected {expected}"):
        list(batches(written(tmp_path, text), multilabel=True, zero_based=False))


def test_lines_are_counted_across_windows_and_batches(tmp_path: Path) -> None:
    """The line of an error is right far into a file, after batches, comments and blank lines."""
    path = written(tmp_path, "1 1:1 # c\n\n" * 500 + "1 2:3\n1 x\n")
    with (
        mock.patch.object(_stream_svmlight, "TEXT", 64),
        pytest.raises(FileError, match="line 1002, column 3:"),
    ):
        list(batches(path, batch_rows=7))


def test_a_torn_last_line_is_named(tmp_path: Path) -> None:
    """A file that ends within a line that can't be read is said to be cut off, and where; others aren't."""
    for window in (8, 1 << 20):
        with mock.patch.object(_stream_svmlight, "TEXT", window):
            with pytest.raises(
                FileError, match=r"line 2, column 9: .*starts at byte 6 and has no end: .*cut off"
            ):
                list(batches(written(tmp_path, "1 1:2\n1 3:4 5:"), zero_based=False))
            (batch,) = batches(written(tmp_path, "1 1:2\n1 3:4"), zero_based=False)
            assert batch.y.tolist() == [1, 1]


def test_a_long_line_is_read_and_an_endless_one_refused(tmp_path: Path) -> None:
    """A line longer than the window and the batch is read whole; one above the bound is an error."""
    text = "1 " + " ".join(f"{k}:{k}" for k in range(1, 2000)) + "\n2 3:1\n"
    path = written(tmp_path, text)
    with mock.patch.object(_stream_svmlight, "TEXT", 16):
        made = batches(path, zero_based=False, dtype=np.float64, batch_bytes=1024)
        assert rows_of(made) == naive_rows(text, 1)
        with (
            mock.patch.object(_stream_svmlight, "LINE_LIMIT", 1000),
            pytest.raises(FileError, match="at most 1000 bytes"),
        ):
            list(made)


def test_columns_grow_unless_their_number_is_given(tmp_path: Path) -> None:
    """A batch has as many columns as any row has needed so far, in this pass or an earlier one, or what was said."""
    path = written(tmp_path, "1 1:1\n1 4:1\n1 2:1\n")
    made = batches(path, batch_rows=1)
    assert made.n_features is None
    assert [batch.X.shape for batch in made] == [(1, 1), (1, 4), (1, 4)]
    assert [batch.X.shape for batch in made] == [(1, 4)] * 3
    assert [batch.X.shape for batch in batches(path, batch_rows=2, n_features=9)] == [(2, 9), (1, 9)]
    with pytest.raises(FileError, match="line 2, column 3: expected indices up to 3, since n_features is 3"):
        list(batches(path, n_features=3))
    with pytest.raises(FileError, match=r"labels up to 2, since n_labels is 3.*Received: 5"):
        list(batches(written(tmp_path, "1,2 1:1\n5 1:1\n"), n_labels=3))


@pytest.mark.parametrize(
    ("name", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_compressed_text_is_read_as_the_text(tmp_path: Path, name: str, pack: Any) -> None:
    """gzip, bzip2 and xz are told from the contents; a file that was cut is named."""
    text = "".join(f"{k % 2} {k + 1}:{k}.5\n" for k in range(300))
    path = written(tmp_path, pack(text.encode()), f"rows.{name}")
    made = batches(path, batch_rows=100, dtype=np.float64)
    assert made.format == "svmlight"
    assert rows_of(made) == naive_rows(text, 1)
    assert rows_of(made.after(next(iter(made)).position)) == naive_rows(text, 1)[100:]
    cut = written(tmp_path, pack(text.encode())[:-20], f"cut.{name}")
    with pytest.raises(FileError, match=f"cut.{name} can't be read to its end"):
        list(batches(cut, format="svmlight", multilabel=False))


# Passes -------------------------------------------------------------------------------------------------------


TABLE = {
    "a": [1, 5, 3, 4, 9, 6, 2],
    "b": [0, 1, 1, 0, 1, 0, 0],
    "y": ["no", "yes", "no", "yes", "no", "no", "yes"],
}


def write_table(path: Path, table: pa.Table) -> str:
    """Write a table in the format its suffix names and return its path."""
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=3)
    else:
        with pa.OSFile(str(path), "wb") as file:
            make = pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream
            with make(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=3)
    return str(path)


@pytest.fixture(params=["svmlight", "gzip", "several", "csv", "parquet", "arrow", "arrows", "encoded"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Batches:
    """Return a stream of two files of each kind, of several batches each."""
    kind = request.param
    if kind in {"svmlight", "gzip", "several"}:
        label = "1,3" if kind == "several" else "-1"
        text = "".join(f"{label} {k + 1}:{k}.5 {k + 5}:1 # c\n" for k in range(7))
        data = gzip.compress(text.encode()) if kind == "gzip" else text
        paths = [written(tmp_path, data, f"{part}.x") for part in "ab"]
        return batches(paths, batch_rows=2)
    suffix = "parquet" if kind == "encoded" else kind
    paths = [write_table(tmp_path / f"{part}.{suffix}", pa.table(TABLE)) for part in "ab"]
    encoder = ThresholdEncoder().fit({"a": TABLE["a"], "b": TABLE["b"]}) if kind == "encoded" else None
    return batches(paths, target="y", batch_rows=2, encoder=encoder)


def test_every_pass_is_the_same(made: Batches) -> None:
    """Iterating again reads again, with and without a thread, and finds the same to the bit."""
    list(made)  # from here on the number of columns is known
    first, second = list(made), list(made)
    assert len(first) > 6
    assert all(map(same, first, second))
    made._ahead = False
    assert all(map(same, first, list(made)))
    assert len(first) == len(second)
    assert first[-1].share == pytest.approx(1, abs=0.5)
    assert all(0 <= one.share <= other.share <= 1 for one, other in itertools.pairwise(first))


def test_a_pass_goes_on_after_any_position(made: Batches) -> None:
    """From each position, written as JSON and read back, come exactly the batches that were left."""
    list(made)
    whole = list(made)
    for k, batch in enumerate(whole):
        rest = list(made.after(json.loads(json.dumps(batch.position))))
        assert len(rest) == len(whole) - k - 1
        assert all(map(same, rest, whole[k + 1 :]))


def test_going_on_in_another_process_gives_the_same_columns(tmp_path: Path) -> None:
    """A position holds what was seen so far, so that a new stream goes on with as many columns."""
    path = written(tmp_path, "1 9:1\n1 4:1\n1 2:1\n")
    first = list(batches(path, batch_rows=1))
    assert all(map(same, batches(path, batch_rows=1).after(first[0].position), first[1:]))


def test_a_position_of_another_stream_is_refused(tmp_path: Path) -> None:
    """Positions hold for the same files read in the same way, and for nothing else."""
    path = written(tmp_path, "1 1:1\n1 2:1\n")
    made = batches(path, batch_rows=1)
    position = next(iter(made)).position
    with pytest.raises(InputError, match="of a stream of the same files"):
        batches(path, batch_rows=2).after(position)
    for wrong in ({}, {**position, "place": [1]}, {**position, "file": -1}, {**position, "place": 3}, 5):
        with pytest.raises(InputError, match="position"):
            made.after(wrong)  # type: ignore[arg-type]  # it is wrong on purpose
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match="of a stream of the same files"):
        batches(path, batch_rows=1).after(position)


def test_text_before_a_position_is_not_read(tmp_path: Path) -> None:
    """What lies before the position may be nonsense: it isn't looked at."""
    path = written(tmp_path, "1 1:1\n1 2:1\n1 3:1\n")
    state = os.stat(path)
    made = batches(path, batch_rows=1, zero_based=False, multilabel=False)
    position = list(made)[1].position
    written(tmp_path, "??????????\n\n1 3:1\n"[-len("1 1:1\n1 2:1\n1 3:1\n") :].rjust(18, "?"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert rows_of(made.after(position)) == [([1.0], {2: 1.0})]


def test_a_scan_counts_rows_columns_and_classes(made: Batches, tmp_path: Path) -> None:
    """One pass tells the rows, the columns, and the labels in order."""
    shares: list[float] = []
    scan = made.scan(shares.append)
    assert scan.n_rows == 14
    assert scan.n_features == list(made)[-1].X.shape[1]
    expected = {"svmlight": [-1.0], "csv": ["no", "yes"]}
    if made.multilabel:
        assert (scan.classes.tolist(), scan.n_labels) == ([1, 3], 4)  # type: ignore[union-attr]
    else:
        assert scan.n_labels is None
        assert scan.classes.tolist() == expected["svmlight" if made.format == "svmlight" else "csv"]  # type: ignore[union-attr]
    assert shares
    assert made.scan() is scan


def test_classes_of_many_batches_are_gathered(tmp_path: Path) -> None:
    """Labels that come late, between and below the others, are all found."""
    labels = [5, 5, 3, 9, 3, -2, 7, 5]
    path = written(tmp_path, "".join(f"{label} 1:1\n" for label in labels))
    scan = batches(path, batch_rows=1).scan()
    assert scan.classes.tolist() == sorted(set(labels))  # type: ignore[union-attr]


# Tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "arrows"])
def test_tables_become_arrays(tmp_path: Path, suffix: str) -> None:
    """Columns but the target become X in the table's order, the target becomes y, in whatever pieces."""
    path = write_table(tmp_path / f"t.{suffix}", pa.table(TABLE))
    for rows in (1, 2, 100):
        made = batches(path, target="y", batch_rows=rows)
        found = list(made)
        assert np.concatenate([b.X for b in found]).tolist() == [
            list(row) for row in zip(TABLE["a"], TABLE["b"], strict=True)
        ]
        assert np.concatenate([b.y for b in found]).tolist() == TABLE["y"]
        assert made.feature_names == ("a", "b")
        assert all(b.X.flags.c_contiguous and len(b) <= rows for b in found)
        kind = np.float64 if suffix == "csv" else np.int64
        assert {b.X.dtype for b in found} == {np.dtype(kind)}
    assert all(b.y is None for b in batches(written(tmp_path, "a,b\n1,2\n", "u.csv")))


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [(["uint8", "uint8"], "uint8"), (["bool", "bool"], "bool"), (["float", "float"], "float32"),
     (["halffloat", "halffloat"], "float32"), (["uint8", "int64"], "float64"), (["float", "double"], "float64")],
)  # fmt: skip
def test_a_type_that_all_columns_share_is_kept(tmp_path: Path, kinds: list[str], kind: str) -> None:
    """Whole numbers, booleans and float32 stay what they are if every column is; else all are float64."""
    columns = [pa.array([1, 0, 1]).cast(pa.type_for_alias(name)) for name in kinds]
    path = write_table(tmp_path / "t.parquet", pa.table(dict(zip("ab", columns, strict=True))))
    (batch,) = batches(path)
    assert batch.X.dtype == kind
    assert batch.X.tolist() == [[1, 1], [0, 0], [1, 1]]


def test_several_targets_are_columns(tmp_path: Path) -> None:
    """With a list of targets, y has a column for each, also for one."""
    path = write_table(tmp_path / "t.parquet", pa.table({"a": [1, 2], "p": [0, 1], "q": [1, 1]}))
    (batch,) = batches(path, target=["q", "p"])
    assert batch.y.tolist() == [[1, 0], [1, 1]]
    (batch,) = batches(path, target=["q"])
    assert batch.y.tolist() == [[1], [1]]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow"])
def test_an_encoder_makes_the_inputs(tmp_path: Path, suffix: str) -> None:
    """With a fitted encoder, X is what it makes of the whole table; columns it doesn't use don't matter."""
    table = {
        "a": [1.5, None, 3.0, 4.0],
        "job": ["cook", "judge", None, "cook"],
        "id": ["x", "y", "z", "w"],
        "y": [0, 1, 1, 0],
    }
    encoder = ThresholdEncoder().fit({"a": table["a"], "job": table["job"]})
    path = write_table(tmp_path / f"t.{suffix}", pa.table(table))
    made = batches(path, target="y", encoder=encoder, batch_rows=3)
    found = np.concatenate([batch.X for batch in made])
    assert np.array_equal(found, encoder.transform({"a": table["a"], "job": table["job"]}))
    assert found.dtype == np.uint8
    assert made.feature_names == encoder.encoding_.inputs


def test_a_csv_column_may_turn_into_fractions(tmp_path: Path) -> None:
    """Whole numbers in the first part of a CSV file may be followed by others; what is no number is named."""
    text = "a,y\n" + "1,0\n" * 5 + "2.5,1\n"
    first = written(tmp_path, "a,y\n1,0\n", "1.csv")
    second = written(tmp_path, text, "2.csv")
    assert [b.X.tolist()[-1] for b in batches([first, second], target="y")] == [[1.0], [2.5]]
    third = written(tmp_path, "a,y\nabc,0\n", "3.csv")
    with pytest.raises(FileError, match=r"3.csv.*column 'a' began as type double.*'abc'"):
        list(batches([first, third], target="y"))
    with pytest.raises(FileError, match=r"3.csv.*Expected 2 columns, got 1"):
        list(batches([first, written(tmp_path, "a,y\n1\n", "3.csv")], target="y"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"a": [1, None], "y": [0, 1]}, "row 2: column 'a' must have a value everywhere"),
        ({"a": [1.0, math.nan], "y": [0, 1]}, "row 2: column 'a' must have a value everywhere"),
        ({"a": [1.0, math.inf], "y": [0, 1]}, "row 2: column 'a' must hold finite numbers"),
        ({"a": [1, 2], "y": [0, None]}, "row 2: target 'y' must have a value everywhere"),
    ],
)
def test_gaps_are_named(tmp_path: Path, table: dict[str, list[Any]], words: str) -> None:
    """Without an encoder, a missing or infinite value is an error that names file, row and column."""
    path = write_table(tmp_path / "t.parquet", pa.table(table))
    with pytest.raises(FileError, match=f"t.parquet, {words}"):
        list(batches(path, target="y", batch_rows=1))


def test_tables_that_cannot_be_used_are_refused_at_once(tmp_path: Path) -> None:
    """Text without an encoder, no such target, an unfitted encoder and parameters of text are named."""
    path = write_table(tmp_path / "t.parquet", pa.table({"a": ["x"], "y": [1]}))
    with pytest.raises(InputError, match=r"column 'a' of type string. Fit a ThresholdEncoder"):
        batches(path, target="y")
    with pytest.raises(InputError, match=r"no column 'z' to be the target. Its columns: a, y"):
        batches(path, target="z")
    with pytest.raises(InputError, match="ThresholdEncoder that is not fitted"):
        batches(path, target="y", encoder=ThresholdEncoder())
    with pytest.raises(InputError, match=r"are for svmlight text. Received: parquet"):
        batches(path, multilabel=True)
    with pytest.raises(InputError, match="no columns but the target"):
        batches(path, target=["a", "y"])
    with pytest.raises(InputError, match="n_features must be 1"):
        batches(write_table(tmp_path / "u.parquet", pa.table({"a": [1]})), n_features=7)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow"])
def test_a_changed_schema_is_named(tmp_path: Path, suffix: str) -> None:
    """A part that lacks a column, has another one, or another type is named beside the first part."""
    first = write_table(tmp_path / f"1.{suffix}", pa.table({"a": [1], "b": [2], "y": [0]}))
    cases = [({"a": [1], "y": [0]}, "lacks 'b'"), ({"a": [1], "b": [1], "c": [2], "y": [0]}, "'c' is new")]
    if suffix != "csv":
        cases.append(
            ({"a": [1], "b": [1.5], "y": [0]}, "'b' must be of type int64, as in .*1.*Received: double")
        )
    for table, words in cases:
        second = write_table(tmp_path / f"2.{suffix}", pa.table(table))
        with pytest.raises(FileError, match=f"2.{suffix}.*1.{suffix}.*{words}|2.{suffix}: column {words}"):
            list(batches([first, second], target="y"))
    second = write_table(tmp_path / f"2.{suffix}", pa.table({"y": [0], "b": [2], "a": [1]}))
    assert [b.X.tolist() for b in batches([first, second], target="y")] == [[[1, 2]], [[1, 2]]]


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "arrows"])
def test_a_damaged_table_is_named(tmp_path: Path, suffix: str) -> None:
    """A table file that was cut off is an error that names it."""
    whole = Path(
        write_table(tmp_path / f"t.{suffix}", pa.table({"a": list(range(2000)), "y": [0] * 2000}))
    ).read_bytes()
    path = written(tmp_path, whole[: len(whole) // 2], f"cut.{suffix}")
    with pytest.raises(FileError, match=rf"cut\.{suffix} can't be read"):
        list(batches(path, target="y", format="parquet" if suffix == "parquet" else "arrow"))


# Files --------------------------------------------------------------------------------------------------------


def test_a_glob_is_read_in_order_of_name(tmp_path: Path) -> None:
    """A pattern gives its files by name, a list in the list's order, and a pattern without files is an error."""
    for name in ("b", "a", "c"):
        written(tmp_path, f"{ord(name)} 1:1\n", f"{name}.svm")
    made = batches(f"{tmp_path}/*.svm")
    assert [batch.y.tolist() for batch in made] == [[97], [98], [99]]
    assert made.fingerprint == batches([f"{tmp_path}/{name}.svm" for name in "abc"]).fingerprint
    assert made.fingerprint != batches([f"{tmp_path}/{name}.svm" for name in "bac"]).fingerprint
    with pytest.raises(FileError, match=r"No file matches .*\*\.parquet"):
        batches(f"{tmp_path}/*.parquet")
    literal = written(tmp_path, "1 1:1\n", "[x]*.svm") if os.name != "nt" else None
    if literal:
        assert batches(literal).paths == (literal,)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """A folder, a missing file, a file given twice, no file, and no path are errors of their own."""
    path = written(tmp_path, "1 1:1\n")
    with pytest.raises(FileError, match="it is a folder"):
        batches(tmp_path)
    with pytest.raises(FileError, match=r"none.svm can't be read: No such file"):
        batches(tmp_path / "none.svm")
    with pytest.raises(InputError, match="Received twice"):
        batches([path, path])
    with pytest.raises(InputError, match="an empty list"):
        batches([])
    for wrong in (5, b"x", [5]):
        with pytest.raises(InputError, match="path"):
            batches(wrong)


@pytest.mark.parametrize(
    ("data", "name", "form"),
    [(b"+1 3:4\n", "x", "svmlight"), (b"# c\n\n1,2 qid:3 3:4 # d\n", "x", "svmlight"), (b"1\n", "x.svm", "svmlight"),
     (b"a,b\n1,2\n", "x", "csv"), (b"a\n1\n", "x.csv", "csv"), (b"a;b\n1;2\n", "x.txt", "csv"),
     (b"1 " + b" ".join(b"%d:1" % k for k in range(1, 20000)) + b"\n", "x", "svmlight")],
)  # fmt: skip
def test_formats_are_told_from_contents_and_name(tmp_path: Path, data: bytes, name: str, form: str) -> None:
    """The first row tells; where it can't, the name does."""
    assert batches(written(tmp_path, data, name)).format == form


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\0\1\2", b"word\n"])
def test_an_unknown_format_is_named(tmp_path: Path, data: bytes) -> None:
    """A file whose format can't be told is an error that says how to name it."""
    with pytest.raises(FileError, match=r"format can't be told.*format="):
        batches(written(tmp_path, data, "x"))
    with pytest.raises(InputError, match=r"format must be one of 'svmlight'.*Received: 'xlsx'"):
        batches(written(tmp_path, data, "x"), format="xlsx")


def test_a_part_that_vanishes_or_changes_between_passes_is_named(tmp_path: Path) -> None:
    """A pass begins only when every part is what it was."""
    first, second = (written(tmp_path, "1 1:1\n", f"{name}.svm") for name in "ab")
    made = batches([first, second])
    list(made)
    Path(second).write_text("1 1:1\n2 1:1\n")
    with pytest.raises(FileError, match=r"b\.svm has changed since .* expected 6 bytes, received 12"):
        next(iter(made))
    Path(second).unlink()
    with pytest.raises(FileError, match=r"A part of the stream is gone: .*b\.svm"):
        next(iter(made))


@pytest.mark.parametrize(
    "wrong",
    [{"n_features": 0}, {"n_features": 2.5}, {"batch_rows": -1}, {"batch_bytes": 1}, {"dtype": int}, {"dtype": "x y"},
     {"zero_based": 3}, {"zero_based": None}, {"multilabel": "yes"}, {"target": "a"}, {"cache": 5}],
)  # fmt: skip
def test_wrong_parameters_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A parameter that can't be used is named before anything is read."""
    with pytest.raises(InputError, match=next(iter(wrong))):
        batches(written(tmp_path, "1 1:1\n"), **wrong)


# One batch ahead ----------------------------------------------------------------------------------------------


def test_exactly_one_item_is_made_ahead() -> None:
    """While an item is used one more is made, and no further one."""
    made: list[int] = []

    def items() -> Iterator[int]:
        for k in range(5):
            made.append(k)
            yield k

    for k in ahead(items()):  # type: ignore[arg-type]  # a generator is an iterator here
        time.sleep(0.02)
        assert made == list(range(min(k + 2, 5)))


def test_an_error_comes_where_its_item_would_have(tmp_path: Path) -> None:
    """Batches before the one that is wrong are yielded, then the error is raised, as without a thread."""
    path = written(tmp_path, "1 1:1\n2 1:1\n3 x\n")
    for threaded in (True, False):
        found = []
        with pytest.raises(FileError, match="line 3"):
            found.extend(batch.y.tolist() for batch in batches(path, batch_rows=1, ahead=threaded))
        assert found == [[1.0], [2.0]]


def test_a_pass_that_is_left_closes_its_thread_and_file(tmp_path: Path) -> None:
    """Leaving a loop ends the thread and closes the file."""
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    for _ in ahead(items()):  # type: ignore[arg-type]
        break
    assert closed.wait(5)
    before = threading.active_count()
    for _ in batches(written(tmp_path, "1 1:1\n" * 100), batch_rows=1):
        break
    assert threading.active_count() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal for one process")
def test_an_interruption_is_seen_while_waiting() -> None:
    """Ctrl-C ends a loop that waits for an item that takes long."""
    free = threading.Event()

    def items() -> Iterator[int]:
        free.wait(30)
        yield 1

    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            next(ahead(items()))  # type: ignore[arg-type]
    finally:
        free.set()
        timer.join()


def test_the_oracle_can_disagree() -> None:
    """The comparison of two batches sees another value, type or position."""
    one = stream.Batch(np.array([[1.0]]), np.array([1]), {"n": 1}, 0.0)
    assert same(one, one)
    for X, y, position in [([[2.0]], [1], 1), ([[1.0]], [2], 1), ([[1.0]], [1], 2), ([[1.0], [1.0]], [1], 1)]:
        assert not same(one, stream.Batch(np.array(X), np.array(y), {"n": position}, 0.0))
    assert not same(one, stream.Batch(np.array([[1.0]], np.float32), np.array([1]), {"n": 1}, 0.0))
    assert naive_rows("1 2:3\n", 1) != naive_rows("1 2:4\n", 1)
    assert _stream_sources.FORMATS
