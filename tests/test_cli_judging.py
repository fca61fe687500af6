"""``limen predict`` and ``limen score``: a saved model on the rows of another table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import limen as library
from limen.table_files import read
from shell import EXAMPLES, limen, write_csv

IRIS = EXAMPLES / "iris.csv"
ADULT = EXAMPLES / "adult.csv"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return a folder with a model of each of two tables."""
    folder = tmp_path_factory.mktemp("models")
    for table, target in ((IRIS, "species"), (ADULT, "income")):
        ended = limen("fit", table, "-t", target, "--max-iter", 5, "-o", folder / f"{table.stem}.limen")
        assert ended.code == 0, ended.err
    return folder


def test_predictions_are_those_of_the_model_a_line_for_each_row(models):
    """Standard output is CSV: the target's name, then what the model predicts, in the order of the rows."""
    ended = limen("predict", models / "iris.limen", IRIS)
    expected = library.load(models / "iris.limen").predict(read(IRIS))
    assert ended.out.split("\n") == ["species", *expected, ""]
    assert (ended.code, ended.err) == (0, "")


def test_predictions_go_to_a_file_if_one_is_named(models, tmp_path):
    """With -o the same bytes are in the file, and standard output is empty."""
    ended = limen("predict", models / "iris.limen", IRIS, "-o", tmp_path / "p.csv")
    assert (ended.code, ended.out) == (0, "")
    assert (tmp_path / "p.csv").read_text() == limen("predict", models / "iris.limen", IRIS, "-o", "-").out
    assert "150 predictions saved" in ended.err


def test_predictions_as_json(models, tmp_path):
    """`--json` gives the rows as objects, or where the file is."""
    said = json.loads(limen("predict", models / "iris.limen", IRIS, "--json").out)
    assert said["rows"] == 150
    assert said["predictions"][0] == {"species": "setosa"}
    said = json.loads(limen("predict", models / "iris.limen", IRIS, "--json", "-o", tmp_path / "p.csv").out)
    assert said == {"rows": 150, "unseen": {}, "output": str(tmp_path / "p.csv")}


def test_the_order_of_columns_and_further_columns_do_not_matter(models, tmp_path):
    """Columns are found by name, in any format and from standard input."""
    table = read(IRIS)
    turned = table.select(table.column_names[::-1]).append_column("more", table["species"])
    pq.write_table(turned, tmp_path / "t.parquet")
    expected = limen("predict", models / "iris.limen", IRIS).out
    assert limen("predict", models / "iris.limen", tmp_path / "t.parquet").out == expected
    assert limen("predict", models / "iris.limen", "-", stdin=IRIS.read_bytes()).out == expected


def test_values_never_seen_in_training_are_counted_on_standard_error(models, tmp_path):
    """A category without an input is predicted all the same, and said by column with its number."""
    rows = [line.split(",") for line in ADULT.read_text().splitlines()[:20]]
    place = rows[0].index("occupation")
    for row in rows[1:4]:
        row[place] = "Astronaut"
    (tmp_path / "t.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
    ended = limen("predict", models / "adult.limen", tmp_path / "t.csv")
    assert ended.code == 0
    assert len(ended.out.split()) == 20
    assert "'occupation' has 3 values unseen" in ended.err
    said = json.loads(limen("predict", models / "adult.limen", tmp_path / "t.csv", "--json").out)
    assert said["unseen"]["occupation"] == 3


def test_text_that_looks_like_a_number_in_the_new_table_stays_text(tmp_path, monkeypatch):
    """A column learned as text is read as text, even where all its new values look like numbers."""
    monkeypatch.chdir(tmp_path)
    write_csv(Path("t.csv"), {"code": ["7", "A", "7", "B"] * 6, "y": ["no", "yes"] * 12})
    assert limen("fit", "t.csv", "-t", "y").code == 0
    Path("new.csv").write_text("code\n7\n7\n")
    assert limen("predict", "t.limen", "new.csv").out == "y\nno\nno\n"


def test_a_class_that_reads_like_missing_comes_back_quoted(tmp_path, monkeypatch):
    """A class "NA" isn't taken for a missing value when the predictions are read again."""
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,y\n" + '0,"NA"\n1,"b"\n' * 8)
    assert limen("fit", "t.csv", "-t", "y").code == 0
    Path("p.csv").write_text(limen("predict", "t.limen", "t.csv").out)
    assert read("p.csv")["y"].to_pylist() == ["NA", "b"] * 8


def counted(rows: list[tuple[str, str]]) -> tuple[float, float, dict[tuple[str, str], int]]:
    """Return accuracy, balanced accuracy and confusions of (true, predicted) pairs, counted one by one."""
    confusion: dict[tuple[str, str], int] = {}
    for pair in rows:
        confusion[pair] = confusion.get(pair, 0) + 1
    recalls = []
    for label in {true for true, _ in rows}:
        of_label = [predicted for true, predicted in rows if true == label]
        recalls.append(of_label.count(label) / len(of_label))
    return sum(t == p for t, p in rows) / len(rows), sum(recalls) / len(recalls), confusion


@pytest.mark.parametrize(("table", "target"), [(IRIS, "species"), (ADULT, "income")])
def test_score_counts_what_predict_says(models, table, target):
    """Accuracy, balanced accuracy and confusion table are those of the predictions, counted by hand."""
    model = models / f"{table.stem}.limen"
    said = json.loads(limen("score", model, table, "--json").out)
    predicted = limen("predict", model, table).out.split()[1:]
    true = [row[target] for row in csv.DictReader(table.read_text().splitlines())]
    accuracy, balanced, confusion = counted(list(zip(true, predicted, strict=True)))
    (decision,) = said["decisions"]
    assert decision["accuracy"] == pytest.approx(accuracy, abs=1e-15)
    assert decision["balanced_accuracy"] == pytest.approx(balanced, abs=1e-15)
    labels = decision["labels"]
    for i, t in enumerate(labels):
        for j, p in enumerate(labels):
            assert decision["confusion"][i][j] == confusion.get((t, p), 0)
    assert decision["baseline"]["accuracy"] == max(true.count(label) for label in labels) / len(true)


def test_score_prints_the_same_lines_as_fit(models, tmp_path, monkeypatch):
    """On the very rows that fit held out, score prints the accuracy and confusion table that fit printed."""
    from limen.learn.split import split_rows

    monkeypatch.chdir(tmp_path)
    ended = limen("fit", IRIS, "-t", "species")
    rows = IRIS.read_text().splitlines()
    _, held_out = split_rows([row.split(",")[-1] for row in rows[1:]], 0.25, random_state=0)
    Path("held_out.csv").write_text("\n".join([rows[0], *(rows[i + 1] for i in held_out)]) + "\n")
    scored = limen("score", "iris.limen", "held_out.csv").out
    table = scored[scored.index("true ↓") :]
    assert table.strip() in ended.out
    assert scored.splitlines()[2].split("(")[0] in ended.out


def test_another_column_can_hold_the_truth(models, tmp_path):
    """`--target` names the column; rows without the truth are left out and counted; unknown classes are wrong."""
    lines = IRIS.read_text().replace("species", "what it is").splitlines()
    lines[1] = lines[1].replace("setosa", "")
    lines[2] = lines[2].replace("setosa", "tulip")
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    ended = limen("score", models / "iris.limen", tmp_path / "t.csv", "--target", "what it is")
    assert ended.code == 0
    assert "149 rows" in ended.out
    assert "1 row of classes the model doesn't know" in ended.out
    assert "1 row without the truth" in ended.err
    ended = limen("score", models / "iris.limen", tmp_path / "t.csv")
    assert ended.code == 1
    assert "no column 'species'" in ended.err


def test_a_network_without_labels_predicts_and_is_scored_too(tmp_path, monkeypatch):
    """A network saved from logic has outputs of 0 and 1, under their own names."""
    monkeypatch.chdir(tmp_path)
    assert limen("logic", "a ^ b", "a & b", "--name", "sum", "--name", "carry", "-o", "adder.limen").code == 0
    Path("t.csv").write_text("a,b,sum,carry\n0,0,0,0\n0,1,1,0\n1,0,1,0\n1,1,1,1\n")
    assert limen("predict", "adder.limen", "t.csv").out == "sum,carry\n0,0\n1,0\n1,0\n0,1\n"
    said = json.loads(limen("score", "adder.limen", "t.csv", "--json").out)
    assert [decision["accuracy"] for decision in said["decisions"]] == [0.75, 1.0]
    assert said["all_right"] == 0.75


@pytest.mark.parametrize("command", ["predict", "score"])
@pytest.mark.parametrize(
    ("model", "table", "words"),
    [
        ("nowhere.limen", str(IRIS), "nowhere.limen"),
        (str(IRIS), str(IRIS), ".limen"),
        ("MODEL", "nowhere.csv", "nowhere.csv"),
        ("MODEL", "other.csv", "sepal length cm"),
        ("MODEL", "text.csv", "must hold numbers"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_one_line(
    models, command, model, table, words, tmp_path, monkeypatch
):
    """Exit code 1, nothing on standard output, one line that names the fault; no file is written."""
    monkeypatch.chdir(tmp_path)
    Path("text.csv").write_text(IRIS.read_text().replace("5.1,", "much,"))
    Path("other.csv").write_text("species,y\nsetosa,1\n")
    model = str(models / "iris.limen") if model == "MODEL" else model
    further = ["-o", "p.csv"] if command == "predict" else []
    ended = limen(command, model, table, *further)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert words in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.csv", "text.csv"]


def test_a_damaged_model_is_refused(models, tmp_path):
    """One flipped byte is found out before anything is predicted."""
    data = bytearray((models / "iris.limen").read_bytes())
    data[-1] ^= 1
    (tmp_path / "damaged.limen").write_bytes(data)
    ended = limen("predict", tmp_path / "damaged.limen", IRIS)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
