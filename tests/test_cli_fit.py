"""``limen fit``: what it promises about the table, the split, the report and the file."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import limen as library
from limen.learn.split import split_rows
from limen.table_files import read
from shell import EXAMPLES, Ended, limen, write_csv


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fitted(*arguments: object, **options: bytes) -> dict:
    """Run ``limen fit … --json`` and return what it says."""
    ended = limen("fit", *arguments, "--json", **options)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def refused(ended: Ended, *words: str) -> None:
    """Hold a refusal to its form: code 1, nothing on standard output, one line that starts with Error."""
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


@pytest.mark.parametrize(
    ("table", "target", "floor"),
    [
        ("breast_cancer", "diagnosis", 0.9),
        ("iris", "species", 0.85),
        ("recurrence", "class", 0.6),
        ("adult", "income", 0.8),
    ],
)
def test_every_example_is_learned_better_than_by_luck(table, target, floor):
    """On each example table the rows held out are mostly right, and the model is saved under the table's name."""
    said = fitted(EXAMPLES / f"{table}.csv", "--target", target, "--max-iter", 30)
    assert said["held_out"]["decisions"][0]["accuracy"] > floor
    assert said["exact"]
    assert library.load(f"{table}.limen").network.n_inputs == said["inputs"]


def test_the_report_says_all_that_was_promised():
    """Rows, accuracy beside the baseline, balanced accuracy, confusion, weights, the ending, the file with its size."""
    ended = limen("fit", EXAMPLES / "breast_cancer.csv", "--target", "diagnosis")
    size = Path("breast_cancer.limen").stat().st_size
    for text in (
        "569 rows",
        "Accuracy ",
        "(always 'benign': 62.7 %)",
        "Balanced accuracy",
        "true ↓  predicted →  benign  malignant",
        "weight  holds in  input",
        "without a mistake",
        f"breast_cancer.limen, {size:,} bytes",
    ):
        assert text in ended.out
    assert "\x1b" not in ended.out + ended.err


def test_held_out_accuracy_is_that_of_the_saved_model_on_those_rows():
    """What fit says of the rows held out is what the saved model does on them, counted here by hand."""
    said = fitted(EXAMPLES / "iris.csv", "-t", "species", "--seed", 3)
    rows = list(csv.DictReader((EXAMPLES / "iris.csv").read_text().splitlines()))
    _, held_out = split_rows([row["species"] for row in rows], 0.25, random_state=3)
    table = read(EXAMPLES / "iris.csv").take(held_out)
    predicted = library.load("iris.limen").predict(table)
    right = [rows[i]["species"] == label for i, label in zip(held_out, predicted, strict=True)]
    assert said["held_out"]["rows"] == len(right)
    assert said["held_out"]["decisions"][0]["accuracy"] == sum(right) / len(right)


def test_test_rows_are_not_looked_at_before_the_end():
    """Whatever stands in the rows held out, the model is the same; a change to another row changes it."""
    rows = list(csv.DictReader((EXAMPLES / "breast_cancer.csv").read_text().splitlines()))
    training, held_out = split_rows([row["diagnosis"] for row in rows], 0.25, random_state=0)

    def model_after_changing(which: np.ndarray) -> bytes:
        changed = [dict(row) for row in rows]
        lots = random.Random(0)
        for i in which:
            for name in changed[i]:
                if name != "diagnosis":
                    changed[i][name] = str(lots.uniform(-1e6, 1e6))
        table = {name: [row[name] for row in changed] for name in rows[0]}
        fitted(write_csv(Path("changed.csv"), table), "-t", "diagnosis")
        return Path("changed.limen").read_bytes()

    untouched = model_after_changing(held_out[:0])
    assert model_after_changing(held_out) == untouched
    assert model_after_changing(training[:1]) != untouched


def test_the_same_seed_gives_the_same_file_and_another_another():
    """The seed decides everything: equal seeds give equal bytes."""
    files = []
    for seed in (5, 5, 6):
        fitted(EXAMPLES / "iris.csv", "-t", "species", "--seed", seed)
        files.append(Path("iris.limen").read_bytes())
    assert files[0] == files[1] != files[2]


def test_several_targets_are_learned_at_once(tmp_path):
    """`--target a,b,c` gives a model with an output for each, named like its column."""
    bits = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)] * 4
    table = {
        "a": [a for a, _, _ in bits],
        "b": [b for _, b, _ in bits],
        "c": [c for _, _, c in bits],
        "any": [int(a or b or c) for a, b, c in bits],
        "all, truly": ["yes" if a and b and c else "no" for a, b, c in bits],
        "two": [str(a + b + c >= 2).lower() for a, b, c in bits],
    }
    path = write_csv(tmp_path / "votes.csv", table)
    said = fitted(path, "-t", 'any, "all, truly", two', "--test-size", 8)
    assert said["targets"] == ["any", "all, truly", "two"]
    assert said["labels"] == [[0, 1], ["no", "yes"], [False, True]]
    assert said["held_out"]["all_right"] == 1
    ended = limen("predict", "votes.limen", path)
    assert list(csv.reader(ended.out.splitlines()))[:3] == [
        ["any", "all, truly", "two"],
        ["0", "no", "false"],
        ["1", "no", "false"],
    ]
    assert "All outputs right    100 %" in limen("score", "votes.limen", path).out


def test_a_column_whose_name_has_a_comma_is_reached_by_its_exact_name(tmp_path):
    """The exact name comes first, before a comma is read as a separator."""
    path = write_csv(
        tmp_path / "t.csv", {"x": [0, 1] * 8, "a": [0, 1] * 8, "b": [1, 0] * 8, "a,b": ["n", "y"] * 8}
    )
    assert fitted(path, "-t", "a,b")["targets"] == ["a,b"]


@pytest.mark.parametrize("values", [[True, False], [1, 0], [7, 9], [1.0, 2.0], ["no", "yes"], ["1e5", "x"]])
def test_classes_come_back_as_what_they_were(tmp_path, values):
    """Booleans, integers, whole floats and text are learned as classes and predicted in the same form."""
    table = {"x": [0, 1] * 10, "y": [str(v).lower() if isinstance(v, bool) else v for v in values * 10]}
    path = write_csv(tmp_path / "t.csv", table)
    assert fitted(path, "-t", "y")["labels"] == [sorted(values)]
    ended = limen("predict", "t.limen", path)
    assert ended.out.split() == ["y", *map(str, table["y"])]


def test_parquet_arrow_and_standard_input_are_tables_too(tmp_path):
    """The same rows in any format give the same model; from standard input it is called model.limen."""
    table = read(EXAMPLES / "recurrence.csv")
    pq.write_table(table, tmp_path / "r.parquet")
    with pa.ipc.new_file(tmp_path / "r.arrow", table.schema) as file:
        file.write_table(table)
    data = (EXAMPLES / "recurrence.csv").read_bytes()
    sources = [(EXAMPLES / "recurrence.csv", b""), ("r.parquet", b""), ("r.arrow", b""), ("-", data)]
    for source, stdin in sources:
        fitted(source, "-t", "class", "-o", "model.limen" if source != "-" else "other.limen", stdin=stdin)
    models = [library.load(name) for name in ("model.limen", "other.limen")]
    assert models[0] == models[1]
    fitted("-", "-t", "class", stdin=data)
    assert library.load("model.limen") == models[0]


def test_quoted_fields_missing_values_booleans_and_categories_are_read_as_such(tmp_path):
    """A table with everything in it is learned without a mistake on rows held out."""
    lots = random.Random(1)
    rows = []
    for _ in range(400):
        job, smoker, age = (
            lots.choice(['cook, "chef"', "farmer", None]),
            lots.choice(["true", "false"]),
            lots.choice([20, 40, 60, None]),
        )
        level = lots.choice([1, 2, 3])
        risk = (smoker == "true") + (age is None) + (job is None) + (level == 2) >= 2
        rows.append([job, smoker, age, level, "high\nrisk" if risk else "low"])
    names = ["job", "smoker", "age", "level", "risk"]
    path = write_csv(tmp_path / "t.csv", {n: [row[k] for row in rows] for k, n in enumerate(names)})
    said = fitted(path, "-t", "risk", "--categorical", "level")
    assert said["held_out"]["decisions"][0]["accuracy"] == 1
    inputs = library.load("t.limen").network.inputs
    for name in ('job = cook, "chef"', "job is missing", "smoker = true", "age is missing", "level = 2"):
        assert name in inputs


def test_columns_that_are_dropped_are_not_looked_at():
    """`--drop` takes columns out of the table, one by one or several with commas."""
    said = fitted(
        EXAMPLES / "adult.csv",
        "-t",
        "income",
        "--drop",
        "fnlwgt,education",
        "--drop",
        "race",
        "--max-iter",
        3,
    )
    assert {"fnlwgt", "education", "race"}.isdisjoint(said["columns"])
    assert len(said["columns"]) == 11


def test_further_texts_can_mean_missing(tmp_path):
    """`--missing -999` makes that text a missing value, beside the usual ones."""
    path = write_csv(tmp_path / "t.csv", {"x": [1, -999, 2, None] * 5, "y": ["a", "b", "c", "b"] * 5})
    fitted(path, "-t", "y", "--missing", "-999")
    assert library.load("t.limen").network.inputs == ("x >= 2", "x is missing")


def test_rows_without_a_target_are_refused_until_one_says_otherwise(tmp_path):
    """A target with missing values is refused with their number; `--drop-missing-target` leaves those rows out."""
    path = write_csv(tmp_path / "t.csv", {"x": [0, 1] * 10, "y": ["a", "b"] * 9 + [None, "b"]})
    refused(limen("fit", path, "-t", "y"), "1 row of 20", "--drop-missing-target")
    assert fitted(path, "-t", "y", "--drop-missing-target")["rows"] == 19


def test_a_class_with_a_single_row_is_learned_from_and_said():
    """It can't be on both sides of the split: it stays with the rows to learn from, and a note says so."""
    path = write_csv(Path("t.csv"), {"x": [0, 1] * 6 + [5], "y": ["a", "b"] * 6 + ["rare"]})
    ended = limen("fit", path, "-t", "y")
    assert ended.code == 0
    assert "'rare'" in ended.err
    assert "only one row" in ended.err
    assert "t.limen" in ended.out


def test_what_is_odd_about_a_table_is_said_on_standard_error(tmp_path):
    """Constant columns, columns like identifiers, many whole numbers as classes: each has its note, on one line."""
    n = 150
    table = {
        "x": list(range(n)),
        "same": [1] * n,
        "name": [f"n{i}" for i in range(n)],
        "y": [i % 50 for i in range(n)],
    }
    ended = limen("fit", write_csv(tmp_path / "t.csv", table), "-t", "y", "--max-iter", 2)
    assert ended.code == 0
    notes = ended.err.splitlines()
    assert all(line.startswith("Note: ") for line in notes)
    for word in ("'same'", "'name'", "50 different numbers", "2 epochs"):
        assert sum(word in line for line in notes) == 1
    assert "Warning" not in ended.err
    assert limen("fit", tmp_path / "t.csv", "-t", "y", "--max-iter", 2, "--quiet").err == ""


def test_no_row_held_out_says_that_nothing_is_known_of_new_ones():
    """`--test-size 0` learns from all rows and doesn't call the result held out."""
    said = fitted(EXAMPLES / "iris.csv", "-t", "species", "--test-size", 0)
    assert said["held_out"] is None
    assert said["learned_from"]["rows"] == 150
    assert (
        "On the rows held out"
        not in limen("fit", EXAMPLES / "iris.csv", "-t", "species", "--test-size", 0).out
    )


def test_more_thresholds_and_another_solution_are_used():
    """`--thresholds` and `--solution` reach the encoder and the perceptron."""
    few = fitted(EXAMPLES / "iris.csv", "-t", "species", "--thresholds", 1)
    many = fitted(EXAMPLES / "iris.csv", "-t", "species", "--thresholds", 20, "--solution", "pocket")
    assert (few["inputs"], few["training"]["solution"]) == (4, "average")
    assert many["inputs"] > 32
    assert many["training"]["solution"] == "pocket"


BAD = {
    "empty": (b"", "is empty"),
    "names only": (b"a,y\n", "no rows"),
    "ragged": (b"a,y\n1,x\n2\n", ""),
    "one class": (b"a,y\n1,x\n2,x\n", "only one class, 'x'"),
    "measurements": (b"a,y\n1,0.5\n2,1.5\n3,1\n", "measurements such as 0.5"),
    "names as target": (b"a,y\n" + b"".join(b"%d,n%d\n" % (i, i) for i in range(50)), "50 different values"),
    "no column": (b"y\nx\nz\n", "No column is left"),
    "nothing to tell apart": (b"a,y\n1,x\n1,z\n1,x\n1,z\n", "two different values"),
    "dates": (b"when,a,y\n2020-01-01,1,x\n2020-01-02,2,z\n2020-01-03,3,x\n2020-01-01,4,z\n", "--drop when"),
    "infinity": (b"a b,y\n1,x\ninf,z\n2,x\ninf,z\n", "--drop 'a b'"),
    "twice": (b"a,a,y\n1,2,x\n3,4,z\n", "twice: a"),
    "not a table": (b"\x00\x01\x02\xff\xfe", ""),
    "all missing": (b"a,y\n1,\n2,\n", "missing in 2 rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_table_that_cannot_be_used_is_refused_in_one_line_and_nothing_is_lost(name, tmp_path):
    """Exit code 1, one line that names the fault; a model of an earlier fit is as it was, nothing is left behind."""
    content, words = BAD[name]
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "t.limen").write_bytes(b"precious")
    refused(limen("fit", "t.csv", "--target", "y"), words)
    assert (tmp_path / "t.limen").read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.limen"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.csv", "-t", "y"], "nowhere.csv"),
        (["IRIS", "-t", "specie"], "Did you mean 'species'?"),
        (["IRIS", "-t", "zzz"], "petal width cm"),
        (["IRIS", "-t", "species,species"], "only once"),
        (["IRIS", "-t", "species,petal width cm"], "Column 'species' has 3"),
        (["IRIS", "-t", "species", "--drop", "species"], "--drop"),
        (["IRIS", "-t", "species", "--categorical", "no such"], "no such"),
        (["IRIS", "-t", "species", "--test-size", "148"], "148"),
        (["IRIS", "-t", "species", "--test-size", "1.5"], "1.5"),
        (["IRIS", "-t", "species", "-o", "nowhere/m.limen"], "nowhere"),
        (["IRIS", "-t", "species", "-o", "."], "folder"),
        (["IRIS", "-t", "species", "-o", "IRIS"], "replace the table"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_in_one_line(arguments, words, tmp_path):
    """Exit code 1 and one line with what is wrong; no file is written."""
    iris = str(EXAMPLES / "iris.csv")
    refused(limen("fit", *[iris if a == "IRIS" else a for a in arguments]), words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["t.csv"],
        ["-t", "y"],
        ["t.csv", "-t", "y", "--solution", "best"],
        ["t.csv", "-t", "y", "--max-iter", "0"],
        ["t.csv", "-t", "y", "-o", "-"],
    ],
)
def test_a_command_line_that_cannot_be_understood_ends_with_code_2(arguments):
    """Usage and the fault on standard error, nothing on standard output."""
    ended = limen("fit", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: limen fit" in ended.err
    assert "Error: " in ended.err


def test_a_report_is_printed_even_if_the_disk_is_full(monkeypatch):
    """What was learned isn't lost with the file: the report comes, then the error, with code 1."""
    from limen.errors import FileError

    def full(*_: object) -> None:
        raise FileError("m.limen can't be written: No space left on device.")

    monkeypatch.setattr("limen.export.save", full)
    ended = limen("fit", EXAMPLES / "iris.csv", "-t", "species")
    assert ended.code == 1
    assert "On the rows held out" in ended.out
    assert "Saved" not in ended.out
    assert ended.err.splitlines()[-1] == "Error: m.limen can't be written: No space left on device."


def test_ctrl_c_ends_with_code_130_one_line_and_the_old_file(tmp_path, monkeypatch):
    """An interrupted fit says so, saves nothing, and shows no traceback."""
    from limen.learn import Perceptron

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Perceptron, "fit", interrupted)
    (tmp_path / "iris.limen").write_bytes(b"precious")
    ended = limen("fit", EXAMPLES / "iris.csv", "-t", "species")
    assert (ended.code, ended.out, ended.err) == (130, "", "Interrupted. Nothing was saved.\n")
    assert (tmp_path / "iris.limen").read_bytes() == b"precious"
