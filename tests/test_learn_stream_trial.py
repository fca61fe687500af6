"""A model learned from a table in a file that is read in parts: as good as in memory, and exactly what it says."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import limen.table_files
from limen.errors import FileError, InputError
from limen.evaluation import all_right, evaluate
from limen.learn import Perceptron, ThresholdEncoder
from limen.learn import stream_trial as module
from limen.learn._lots import HELD_OUT, Sample, lots
from limen.learn._stream_parts import Part
from limen.learn.stream_trial import stream_trial
from limen.learn.trial import trial
from limen.table_files import read
from shell import EXAMPLES, write_csv

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TARGETS = {"breast_cancer": "diagnosis", "iris": "species", "recurrence": "class", "adult": "income"}


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    """Cut files into parts of a few rows, and what was encoded into batches of a few more."""
    monkeypatch.chdir(tmp_path)
    options = limen.table_files._csv_options
    monkeypatch.setattr(
        limen.table_files, "_csv_options", lambda mark, block, *more, **how: options(mark, 8192, *more, **how)
    )
    monkeypatch.setattr(module, "BATCH_BYTES", 20_000)


def training_rows(n: int, test_size: float = 0.25, seed: int = 0) -> np.ndarray:
    """Return which rows are learned from."""
    return np.flatnonzero(lots(np.arange(n), seed, HELD_OUT) >= np.uint64(int(test_size * 2.0**64)))


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_the_model_of_the_same_rows_in_memory(name):
    """With a sample of all rows and no shuffling, encoding and network equal those fitted on the training rows."""
    path, target = str(EXAMPLES / f"{name}.csv"), TARGETS[name]
    found = stream_trial(path, [target], classifier=Perceptron(max_iter=5, shuffle=False))
    table = read(path)
    seen = table.take(training_rows(table.num_rows))
    encoder = ThresholdEncoder()
    inputs = encoder.fit_transform(seen.drop_columns([target]))
    assert found.model.encoding == encoder.encoding_
    y = np.searchsorted(found.labels[0], np.array(seen[target].to_pylist()))
    layers = Perceptron(max_iter=5, shuffle=False).fit(inputs, y).network_.layers
    assert found.model.network.layers == layers
    assert found.shares.tolist() == inputs.mean(axis=0).tolist()
    assert found.sample_rows == found.n_training == seen.num_rows


@pytest.mark.parametrize("name", TARGETS)
def test_rows_and_classes_are_counted_exactly(name):
    """Rows, classes and their order are those of the trial in memory, and about a quarter of the rows is held out."""
    path, targets = str(EXAMPLES / f"{name}.csv"), [TARGETS[name]]
    found = stream_trial(path, targets, classifier=Perceptron(max_iter=2))
    known = trial(read(path), targets, classifier=Perceptron(max_iter=2))
    n = known.n_training + known.n_test
    assert (found.labels, found.counts) == (known.labels, known.counts)
    assert found.n_training == len(training_rows(n))
    assert found.n_test == n - found.n_training
    assert abs(found.n_test / n - 0.25) < 0.05


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_about_as_good_as_in_memory(name):
    """Over some seeds the rows held out are decided about as well as those of the trial in memory."""
    path, targets = str(EXAMPLES / f"{name}.csv"), [TARGETS[name]]
    table, right = read(path), []
    for seed in range(3):
        pair = (
            stream_trial(
                path, targets, random_state=seed, classifier=Perceptron(max_iter=10, random_state=seed)
            ),
            trial(table, targets, random_state=seed, classifier=Perceptron(max_iter=10, random_state=seed)),
        )
        right.append([all_right(one.test) for one in pair])
    streamed, in_memory = np.mean(right, axis=0)
    assert streamed > in_memory - 0.04


def test_both_sides_are_judged_as_if_the_rows_were_in_memory():
    """Accuracy and confusion, counted part by part, are those of the saved model on the rows of each side."""
    path = str(EXAMPLES / "adult.csv")
    found = stream_trial(path, ["income"], classifier=Perceptron(max_iter=3, random_state=0))
    table = read(path)
    training = training_rows(table.num_rows)
    test = np.setdiff1d(np.arange(table.num_rows), training)
    for counted, rows in ((found.training, training), (found.test, test)):
        (one,), (other,) = counted, evaluate(found.model, table.take(rows))
        assert one.n_rows == other.n_rows == len(rows)
        assert one.confusion.tolist() == other.confusion.tolist()
        assert (one.accuracy, one.balanced_accuracy) == (other.accuracy, other.balanced_accuracy)
        assert (one.majority, one.always(0), one.n_unknown) == (other.majority, other.always(0), 0)
        assert all_right(counted) == one.accuracy
        assert len(one.truth) <= 4


def test_several_targets_are_judged_together():
    """With a target in each of two columns, the share of rows that are all right is that of the rows in memory."""
    chance = random.Random(0)
    bits = [[chance.randrange(2) for _ in range(4)] for _ in range(3000)]
    table = {f"x{k}": [row[k] for row in bits] for k in range(4)}
    table |= {"two": [int(sum(row) >= 2) for row in bits], "odd": ["ny"[sum(row) % 2] for row in bits]}
    path = write_csv(Path("t.csv"), table)
    found = stream_trial(str(path), ["two", "odd"], classifier=Perceptron(max_iter=3, random_state=0))
    rows = np.setdiff1d(np.arange(3000), training_rows(3000))
    known = evaluate(found.model, read(path).take(rows))
    assert found.labels == ((0, 1), ("n", "y"))
    assert all_right(found.test) == all_right(known)
    assert [e.confusion.tolist() for e in found.test] == [e.confusion.tolist() for e in known]


def test_the_model_does_not_hang_on_how_the_file_is_cut_or_kept(monkeypatch):
    """CSV, compressed CSV, Parquet and Arrow, whatever their parts, kept in memory or read again, give one network."""
    path = EXAMPLES / "adult.csv"
    table = read(path)
    Path("a.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    pq.write_table(table, "a.parquet", row_group_size=700)
    with pa.ipc.new_file("a.arrow", table.schema) as file:
        file.write_table(table, 500)
    with pa.ipc.new_stream("a.arrows", table.schema) as file:
        file.write_table(table, 900)

    def network(source: object) -> object:
        clf = Perceptron(max_iter=3, random_state=0)
        return stream_trial(str(source), ["income"], classifier=clf, sample_rows=800).model

    first = network(path)
    for name in ("a.csv.gz", "a.parquet", "a.arrow", "a.arrows"):
        assert network(name) == first
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    assert network(path) == first


def test_rows_held_out_never_influence_the_model():
    """Whatever stands in the rows held out, the model is the same; a change to rows learned from changes it."""
    table = read(EXAMPLES / "breast_cancer.csv")
    training = training_rows(table.num_rows)
    held_out = np.setdiff1d(np.arange(table.num_rows), training)
    chance = random.Random(0)

    def model(which: np.ndarray) -> object:
        columns = table.to_pydict()
        for name, values in columns.items():
            for row in which if name != "diagnosis" else ():
                values[row] = chance.uniform(-1e6, 1e6)
        path = write_csv(Path("changed.csv"), columns)
        clf = Perceptron(max_iter=10, random_state=0)
        return stream_trial(str(path), ["diagnosis"], classifier=clf, sample_rows=200).model

    untouched = model(held_out[:0])
    assert model(held_out) == untouched
    assert model(training[:40]) != untouched


def test_the_sample_is_uniform_bounded_and_the_same_for_any_parts():
    """It never holds more than an eighth above its size, has each row once, and doesn't favour early or late rows."""
    n, size = 20_000, 1000

    def drawn(part_rows: int) -> np.ndarray:
        sample = Sample(size, 7)
        for start in range(0, n, part_rows):
            table = pa.record_batch({"x": np.arange(start, min(n, start + part_rows))})
            sample.add(Part(table, start, 0.0), np.arange(table.num_rows), ["x"])
            assert len(sample) <= size + size // 8
        return sample.columns()["x"].values

    first = drawn(500)
    assert len(first) == len(np.unique(first)) == size
    assert (np.diff(first) > 0).all()
    assert abs(first.mean() - n / 2) < 4 * n / np.sqrt(12 * size)
    for part_rows in (1, 77, n):
        assert drawn(part_rows).tolist() == first.tolist()


LATE = {
    # what comes after 600 rows of the first: inputs and classes must be those found when all rows are seen at once
    "decimals after whole numbers": ("x", "3", "2.5"),
    "text after whole numbers": ("x", "3", "many"),
    "text after decimals": ("x", "3.5", "many"),
    "text after booleans": ("x", "true", "perhaps"),
    "numbers after nothing": ("x", "", "4"),
    "booleans after nothing": ("x", "", "true"),
    "text after nothing": ("x", "", "none"),
    "nothing, quoted, after numbers": ("x", "3", '"NA"'),
    "text after nothing, quoted, among numbers": ("x", '"NA"', "3z"),
    "numbers after nothing, quoted": ("x", '"NA"', "3"),
    "whole floats as classes": ("y", "3", "2.0"),
    "text as classes": ("y", "3", "many"),
    "text as classes after nothing": ("y", "", "many"),
    "booleans as classes after nothing": ("y", "", "true"),
}


@pytest.mark.parametrize("name", LATE)
def test_a_column_has_the_type_that_holds_all_of_it(name):
    """What comes late in a CSV file makes a column what it is in memory, where all rows are looked at."""
    column, early, late = LATE[name]
    chance = random.Random(3)
    lines = ["x,y,z"]
    for k in range(2000):
        odd = (
            early
            if k < 1200
            else chance.choice([early, late, "7" if late in ("2.5", "4", "3", "2.0", '"NA"') else late])
        )
        if column == "y" and k >= 1200 and early == "":
            odd = chance.choice([late, "false" if late == "true" else "few"])
        if column == "x" and name == "numbers after nothing, quoted":
            odd = chance.choice([early, late, "8"])
        z = chance.randrange(9)
        lines.append(f"{odd},{'ab'[z > 4]},{z}" if column == "x" else f"{z},{odd},{chance.randrange(3)}")
    Path("t.csv").write_text("\n".join(lines) + "\n")
    options = {"drop_missing_target": True, "test_size": 0}
    found = stream_trial("t.csv", ["y"], classifier=Perceptron(max_iter=2), **options)
    known = trial(read("t.csv"), ["y"], classifier=Perceptron(max_iter=2), **options)
    assert found.model.network.inputs == known.model.network.inputs
    assert (found.labels, found.counts) == (known.labels, known.counts)
    assert [type(label) for label in found.labels[0]] == [type(label) for label in known.labels[0]]


def test_whole_numbers_that_are_categories_stay_whole():
    """A column named as categorical makes inputs such as `level = 2`, not `level = 2.0`."""
    chance = random.Random(0)
    level = [chance.randrange(3) for _ in range(1000)]
    write_csv(Path("t.csv"), {"level": level, "y": ["ab"[n == 1] for n in level]})
    found = stream_trial("t.csv", ["y"], encoder=ThresholdEncoder(categorical=["level"]))
    assert found.model.network.inputs == ("level = 0", "level = 1", "level = 2")
    assert all_right(found.test) == 1


def test_rows_without_a_target_are_refused_or_left_out():
    """Their number is told; when they may be left out, they count on neither side."""
    write_csv(Path("t.csv"), {"x": [0, 1] * 500, "y": ["a", "b"] * 450 + [None] * 100})
    with pytest.raises(InputError, match="100 rows of 1000"):
        stream_trial("t.csv", ["y"])
    found = stream_trial("t.csv", ["y"], drop_missing_target=True)
    assert found.n_training + found.n_test == 900
    assert found.counts == ((450, 450),)


def test_a_class_that_was_only_held_out_is_said():
    """Where all rows of a class were drawn to be held out, a note says that nothing was learned of it."""
    rows = np.setdiff1d(np.arange(400), training_rows(400))
    y = ["ab"[k % 2] for k in range(400)]
    y[rows[0]] = "rare"
    write_csv(Path("t.csv"), {"x": [k % 2 for k in range(400)], "y": y})
    found = stream_trial("t.csv", ["y"])
    assert found.counts[0][2] == 1
    assert any("'rare'" in note and "held out" in note for note in found.notes)


@pytest.mark.parametrize("size", [1, 148, -0.1])
def test_a_number_of_rows_to_hold_out_is_refused(size):
    """Rows are held out as they come, so that only a share of them can be asked for."""
    with pytest.raises(InputError, match="must be a share"):
        stream_trial(str(EXAMPLES / "iris.csv"), ["species"], test_size=size)


@pytest.mark.parametrize("when", ["Looking through the table", "Learning", "Judging"])
def test_a_file_that_changes_between_passes_is_refused(when, monkeypatch):
    """A pass over a file that isn't the same any more ends with an error that names it."""
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    write_csv(Path("t.csv"), read(EXAMPLES / "adult.csv").to_pydict())

    def change(what: str, share: float) -> None:
        if what == when:
            os.utime("t.csv", (1, 1))

    with pytest.raises(FileError, match=r"^t\.csv has changed"):
        stream_trial("t.csv", ["income"], classifier=Perceptron(max_iter=5), progress=change)


def test_damaged_files_are_refused_by_name():
    """A torn gzip file, a torn Parquet file, a late row that is too short, late bytes that are no UTF-8: each is named."""
    content = (EXAMPLES / "adult.csv").read_bytes()
    Path("torn.csv.gz").write_bytes(gzip.compress(content)[:-3000])
    pq.write_table(read(EXAMPLES / "adult.csv"), "whole.parquet")
    Path("torn.parquet").write_bytes(Path("whole.parquet").read_bytes()[:-1000])
    Path("short.csv").write_bytes(content + b"1,2,3\n")
    last = content.rstrip(b"\n").split(b"\n")[-1]
    Path("bytes.csv").write_bytes(content + last.replace(b"K", b"\xff") + b"\n")
    Path("zstd.csv.zst").write_bytes(pa.Codec("zstd").compress(content, asbytes=True))
    for name in ("torn.csv.gz", "torn.parquet", "short.csv", "bytes.csv", "zstd.csv.zst", "nowhere.csv", "."):
        with pytest.raises(FileError) as caught:
            stream_trial(name, ["income"])
        assert str(caught.value).startswith(name)
        assert "\n" not in str(caught.value)


def test_progress_is_told_for_each_pass():
    """The first look, each epoch and the judging tell the share that was read, which rises within a pass."""
    told: dict[str, list[float]] = {}
    stream_trial(
        str(EXAMPLES / "adult.csv"),
        ["income"],
        classifier=Perceptron(max_iter=2),
        progress=lambda what, share: told.setdefault(what, []).append(share),
    )
    assert list(told) == ["Looking through the table", "Learning", "Judging"]
    for what in ("Looking through the table", "Judging"):
        assert told[what] == sorted(told[what])
        assert told[what][-1] == 1
    assert max(told["Learning"]) <= 1


def test_a_table_sorted_by_its_classes_has_a_note():
    """Rows are shuffled within a batch only, so that batches of one class are worth a word; shuffled rows aren't."""
    x = [k % 7 for k in range(20_000)]
    for y, is_said in ((["a"] * 10_000 + ["b"] * 10_000, True), (["a", "b"] * 10_000, False)):
        write_csv(Path("t.csv"), {"x": x, "y": y})
        found = stream_trial("t.csv", ["y"], classifier=Perceptron(max_iter=2))
        assert any("shuffle the file" in note for note in found.notes) is is_said


def test_a_wide_table_has_a_smaller_sample(monkeypatch):
    """The sample is bounded in values, so that a table of many columns has fewer rows in it; one can ask for more."""
    monkeypatch.setattr(module, "SAMPLE_VALUES", 3000)
    path, clf = str(EXAMPLES / "breast_cancer.csv"), Perceptron(max_iter=2)
    assert stream_trial(path, ["diagnosis"], classifier=clf).sample_rows == 100
    assert stream_trial(path, ["diagnosis"], classifier=clf, sample_rows=150).sample_rows == 150
    with pytest.raises(InputError, match="sample_rows"):
        stream_trial(path, ["diagnosis"], classifier=clf, sample_rows=0)
