"""``limen run``: a compiled model on a table read in parts, the same predictions as ``limen predict``."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import limen as library
from limen import Encoding, Layer, Model, Network
from limen.encoding import Categories, Thresholds
from limen.table_files import read, read_in_parts
from shell import EXAMPLES, limen, write_csv

ADULT = EXAMPLES / "adult.csv"


@pytest.fixture(scope="module")
def adult(tmp_path_factory):
    """Return a model of numbers, text and missing values."""
    path = tmp_path_factory.mktemp("models") / "adult.limen"
    ended = limen("fit", ADULT, "-t", "income", "--max-iter", 5, "-o", path)
    assert ended.code == 0, ended.err
    return path


def test_predictions_are_those_of_predict(adult, tmp_path):
    """To a file and to standard output come the same bytes as from limen predict, and the speed on standard error."""
    expected = limen("predict", adult, ADULT).out
    ended = limen("run", adult, ADULT)
    assert (ended.code, ended.out) == (0, expected)
    assert "rows a second" in ended.err
    ended = limen("run", adult, ADULT, "-o", tmp_path / "p.csv", "-j", 2)
    assert (ended.code, ended.out) == (0, "")
    assert (tmp_path / "p.csv").read_text() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


@pytest.mark.parametrize("form", ["parquet", "arrow", "stream", "gzip", "stdin"])
def test_every_kind_of_file_is_read(adult, tmp_path, form):
    """Parquet, Arrow in both forms, compressed CSV and standard input give the same predictions."""
    table, path, stdin = read(ADULT), tmp_path / "table", b""
    if form == "parquet":
        pq.write_table(table, path, row_group_size=100)
    elif form in ("arrow", "stream"):
        new = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with new(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=100)
    elif form == "gzip":
        path.write_bytes(gzip.compress(ADULT.read_bytes()))
    else:
        path, stdin = "-", ADULT.read_bytes()
    ended = limen("run", adult, path, stdin=stdin)
    assert ended.out == limen("predict", adult, ADULT).out, ended.err


def test_a_table_is_read_in_parts(tmp_path):
    """Parts are tables of their own, and together all rows; a column's type is the one asked for in each."""
    path = write_csv(tmp_path / "t.csv", {"a": list(range(700_000)), "b": ["x"] * 700_000})
    parts = list(read_in_parts(path, kinds={"a": "double", "b": "string"}))
    assert len(parts) > 1
    assert {str(part.schema.field("a").type) for part in parts} == {"double"}
    assert np.concatenate([part["a"].to_numpy() for part in parts]).tolist() == list(range(700_000))


def test_what_was_measured_as_json(adult, tmp_path):
    """With --json and a file the figures are plain data."""
    said = json.loads(limen("run", adult, ADULT, "-o", tmp_path / "p.csv", "--json").out)
    assert said["rows"] == len(read(ADULT))
    assert said["how"] in ("wide", "sliced", "portable")
    assert 0 < said["seconds_of_predicting"] < said["seconds"]


def test_several_decisions_and_strange_labels_are_written_as_csv(tmp_path):
    """Labels with commas and quotes, and labels that read like missing, are quoted as limen predict quotes them."""
    encoding = Encoding([Thresholds("a", (2,)), Categories("b", (True,))])
    net = Network(Layer([[1, 0], [0, 1]], [-1, -1]), encoding.inputs, ["one", "two"], domain="binary")
    for labels in ([("x,y", 'q"'), (False, True)], [("NA", "yes"), (0, 1)]):
        library.save(Model(net, encoding, labels), tmp_path / "m.limen")
        table = write_csv(tmp_path / "t.csv", {"a": [1, 2, 3], "b": ["true", "false", "true"]})
        ended = limen("run", tmp_path / "m.limen", table)
        assert ended.out == limen("predict", tmp_path / "m.limen", table).out, ended.err


@pytest.mark.parametrize("command", ["run", "predict"])
def test_what_is_read_is_never_written_over(adult, tmp_path, command):
    """Predictions can't replace the table or the model they are made from, by whatever name; both stay as they were."""
    table, model = tmp_path / "t.csv", tmp_path / "m.limen"
    table.write_bytes(ADULT.read_bytes())
    model.write_bytes(adult.read_bytes())
    other = tmp_path / "link.csv"
    other.symlink_to(table)
    for output in (table, model, other):
        ended = limen(command, model, table, "-o", output)
        assert (ended.code, ended.out) == (1, "")
        assert "this command reads it, and would lose it" in ended.err
    assert (table.read_bytes(), model.read_bytes()) == (ADULT.read_bytes(), adult.read_bytes())


def test_nothing_is_said_of_a_table_that_cannot_be_read(adult, tmp_path):
    """On standard output there isn't so much as a name before the first rows are predicted."""
    ended = limen("run", adult, tmp_path / "nowhere.csv")
    assert (ended.code, ended.out) == (1, "")


def test_what_cannot_run_leaves_nothing_behind(adult, tmp_path):
    """A table without a column, an empty one, one that breaks off, or a model that isn't exact: named, and no file written."""
    out = tmp_path / "p.csv"
    short = write_csv(tmp_path / "short.csv", {"age": [1, 2]})
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    names = tmp_path / "names.csv"
    names.write_text(ADULT.read_text().splitlines()[0] + "\n")
    broken = tmp_path / "broken.csv"
    broken.write_text("\n".join([*ADULT.read_text().splitlines()[:5], "1,2"]) + "\n")
    library.save(Network(Layer([[0.5]], [0.0]), ["age"]), tmp_path / "float.limen")
    for model, table, expected in (
        (adult, short, "workclass"),
        (adult, empty, "is empty"),
        (adult, names, "no rows"),
        (adult, broken, "can't be read as a table"),
        (adult, tmp_path / "nowhere.csv", "nowhere.csv can't be read"),
        (tmp_path / "float.limen", short, "reads real numbers"),
    ):
        ended = limen("run", model, table, "-o", out)
        assert ended.code == 1, ended.err
        assert expected in ended.err
        assert ended.err.count("\n") == 1
        assert not out.exists()
        assert not list(tmp_path.glob(".p.csv*"))
    assert "give --output FILE" in limen("run", adult, ADULT, "--json").err
