"""Learning from streams: what `Perceptron.fit_stream` promises."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file
from sklearn.feature_extraction.text import HashingVectorizer

from limen.errors import FileError, InputError
from limen.learn import Perceptron, _checkpoint, _stream_course
from limen.learn.stream import batches

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"

RULES: dict[str, dict[str, Any]] = {
    "average": {},
    "last, ovr": {"solution": "last", "multi_class": "ovr"},
    "pocket": {"solution": "pocket"},
    "l2": {"penalty": "l2", "alpha": 0.05},
    "l1": {"penalty": "l1", "alpha": 0.001},
    "pa1": {"update": "pa1"},
    "pa2, ovr": {"update": "pa2", "multi_class": "ovr"},
}


def data(n_classes: int, n_rows: int = 120, n_features: int = 9) -> tuple[Any, Any]:
    """Return sparse rows that hardly separate and their labels."""
    rng = np.random.default_rng(3)
    X = np.round(rng.standard_normal((n_rows, n_features)), 2).astype(np.float32)
    X[np.abs(X) < 0.5] = 0
    y = (X @ rng.standard_normal((n_features, n_classes)) + rng.standard_normal((n_rows, n_classes))).argmax(
        axis=1
    )
    return X, y.astype(float)  # as labels in svmlight text are


def written(tmp_path: Path, X: Any, y: Any, name: str = "rows.svm") -> Path:
    """Write rows as svmlight text and return the path."""
    path = tmp_path / name
    with open(path, "wb") as file:
        dump_svmlight_file(X, y, file, zero_based=False, multilabel=np.ndim(y) == 2)
    return path


def same(one: Perceptron, other: Perceptron) -> bool:
    """Whether two perceptrons learned the same, to the bit."""
    names = ("coef_", "intercept_", "n_mistakes_", "classes_", "stop_reason_", "solution_", "t_", "network_")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_stream_teaches_what_the_rows_in_memory_teach(tmp_path, rule, n_classes):
    """Without shuffling, weights are equal to the bit to those of `fit`, in batches of any size, threads or not."""
    X, y = data(n_classes)
    path = written(tmp_path, X, y)
    want = Perceptron(shuffle=False, max_iter=3, **RULES[rule]).fit(sparse.csr_matrix(X), y)
    for reading in ({}, {"batch_rows": 7}, {"batch_rows": 50, "ahead": False}):
        found = Perceptron(shuffle=False, max_iter=3, n_jobs=2, **RULES[rule]).fit_stream(path, **reading)
        assert same(found, want), reading
    other = Perceptron(shuffle=False, max_iter=2, **RULES[rule]).fit_stream(path)
    assert not same(other, want)


def test_columns_may_come_as_they_are_met(tmp_path):
    """With classes named, nothing is looked through first: rows grow wider, and the result is the same."""
    X, y = data(2)
    X[:60, 5:] = 0
    path = written(tmp_path, X, y)
    want = Perceptron(shuffle=False, max_iter=3).fit(sparse.csr_matrix(X), y)
    with mock.patch.object(type(batches(path)), "scan", side_effect=AssertionError):
        found = Perceptron(shuffle=False, max_iter=3).fit_stream(
            path, classes=[0, 1], zero_based=False, batch_rows=9
        )
    assert np.array_equal(found.coef_, want.coef_)
    assert found.n_features_in_ == 9
    assert np.array_equal(found.predict(X), want.predict(X))


def test_many_new_columns_leave_the_weights_where_they_were(tmp_path):
    """A learner that grows past its padding goes on as if it had been wide from the start."""
    X = sparse.random(
        200, 700, density=0.02, format="csr", random_state=np.random.default_rng(0), dtype=np.float32
    )
    widths = np.maximum.reduceat(X.indices, X.indptr[:-1])
    X = X[np.argsort(widths)]
    X.sort_indices()
    y = np.arange(200) % 3.0
    path = written(tmp_path, X, y)
    for rule in RULES.values():
        want = Perceptron(shuffle=False, max_iter=2, **rule).fit(X, y)
        found = Perceptron(shuffle=False, max_iter=2, **rule)
        found.fit_stream(path, classes=[0, 1, 2], zero_based=False, dtype=np.float32, batch_rows=20)
        assert np.array_equal(found.coef_, want.coef_[:, : found.n_features_in_])


def test_several_labels_a_row_become_several_outputs(tmp_path):
    """Svmlight text with several labels teaches a neuron for each label, as the matrix of labels does."""
    X, _ = data(2)
    Y = np.random.default_rng(0).integers(0, 2, (120, 4))
    path = written(tmp_path, X, Y)
    want = Perceptron(shuffle=False, max_iter=3).fit(sparse.csr_matrix(X), Y)
    for reading in ({}, {"n_labels": 4, "batch_rows": 11}):
        found = Perceptron(shuffle=False, max_iter=3).fit_stream(path, multilabel=True, **reading)
        assert same(found, want)
    assert found.predict(X).shape == (120, 4)


@pytest.mark.parametrize("target", ["y", ["y", "z"]])
def test_tables_teach_with_their_names(tmp_path, target):
    """The columns of a Parquet file are the inputs of the network, by name."""
    X, y = data(2)
    table = pa.table({**{f"x{j}": X[:, j] for j in range(9)}, "y": y, "z": 1 - y})
    pyarrow.parquet.write_table(
        table if isinstance(target, list) else table.drop(["z"]), tmp_path / "t.parquet"
    )
    found = Perceptron(shuffle=False, max_iter=3).fit_stream(
        tmp_path / "t.parquet", target=target, batch_rows=13
    )
    want = Perceptron(shuffle=False, max_iter=3).fit(
        X, np.stack([y, 1 - y], axis=1) if isinstance(target, list) else y
    )
    assert np.array_equal(found.coef_, want.coef_)
    assert found.network_.inputs == tuple(f"x{j}" for j in range(9))
    assert found.feature_names_in_.tolist() == [f"x{j}" for j in range(9)]


def test_text_is_hashed_a_batch_at_a_time():
    """scikit-learn's HashingVectorizer before a perceptron learns from text, in a pipeline and from a stream."""
    from sklearn.pipeline import make_pipeline

    texts = ["a cat and a dog", "two dogs", "a car", "cars and a bus"] * 5
    labels = np.array(["animal", "animal", "machine", "machine"] * 5)
    pipeline = make_pipeline(HashingVectorizer(n_features=2**10), Perceptron(shuffle=False)).fit(
        texts, labels
    )
    assert pipeline.predict(["a dog and a cat", "one bus"]).tolist() == ["animal", "machine"]

    class Hashed:
        def __iter__(self) -> Any:
            for k in range(0, len(texts), 4):
                yield HashingVectorizer(n_features=2**10).transform(texts[k : k + 4]), labels[k : k + 4]

    found = Perceptron(shuffle=False).fit_stream(Hashed())
    assert same(found, pipeline[-1])


# Classes that come later ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("multi_class", ["crammer_singer", "ovr"])
@pytest.mark.parametrize("solution", ["average", "last"])
def test_classes_may_come_as_they_are_met(multi_class, solution):
    """With unknown_classes="add", labels get neurons when they come, one class at first, in any order of names."""
    X, y = data(4)
    X = np.rint(2 * X)  # so that averages are exact, however often they are settled
    X, y = X[np.argsort(y, kind="stable")], np.sort(y)
    names = np.array(["delta", "alpha", "charlie", "bravo"])[y.astype(int)]
    pairs = [(X[k : k + 10], names[k : k + 10]) for k in range(0, 120, 10)]
    settings = {"multi_class": multi_class, "solution": solution, "shuffle": False, "max_iter": 3}
    found = Perceptron(unknown_classes="add", **settings).fit_stream(pairs)
    assert found.classes_.tolist() == ["alpha", "bravo", "charlie", "delta"]
    assert found.coef_.shape == (4, 9)
    stepwise = Perceptron(unknown_classes="add", **settings)
    for _ in range(3):
        for piece in pairs:
            stepwise.partial_fit(*piece)
    assert np.array_equal(stepwise.coef_, found.coef_)
    assert np.array_equal(stepwise.classes_, found.classes_)
    if (
        multi_class == "crammer_singer"
    ):  # a class that hasn't come can't be a rival only if its neuron isn't there
        assert found.score(X, names) > 0.5
    assert len(Perceptron(unknown_classes="add").partial_fit(X[:3], names[:3]).predict(X)) == 120


def test_a_class_that_comes_last_is_learned_as_if_it_had_been_named(tmp_path):
    """Where no row errs towards a class that hasn't come yet, naming it first gives the same weights."""
    X = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]])
    y = np.array([0, 1, 0, 2])
    found = Perceptron(unknown_classes="add", shuffle=False).fit_stream([(X[:1], y[:1]), (X[1:], y[1:])])
    assert found.predict(X).tolist() == y.tolist()
    assert found.network_.is_exact


@pytest.mark.parametrize("method", ["fit_stream", "partial_fit"])
def test_an_unknown_class_is_an_error_unless_asked_for(method):
    """By default a label that wasn't named is refused, saying what to do, and nothing is changed."""
    X, y = data(3)
    classifier = Perceptron(max_iter=2)
    source = ([(X, y)],) if method == "fit_stream" else (X, y)
    with pytest.raises(InputError, match=r"\[2\.0\]|2\.0.*as well"):
        getattr(classifier, method)(*source, classes=[0, 1])
    assert not hasattr(classifier, "coef_")


def test_outputs_may_come_as_they_are_met():
    """With unknown_classes="add", batches with more columns of labels add neurons."""
    X, _ = data(2)
    Y = np.random.default_rng(0).integers(0, 2, (120, 3))
    pairs = [(X[:60], Y[:60, :2]), (X[60:], Y[60:])]
    with pytest.raises(InputError, match="2 outputs"):
        Perceptron().fit_stream(pairs)
    found = Perceptron(unknown_classes="add", shuffle=False, max_iter=3).fit_stream(pairs)
    padded = np.concatenate([np.pad(Y[:60, :2], ((0, 0), (0, 1))), Y[60:]])
    want = Perceptron(shuffle=False, max_iter=3).fit_stream([(X, padded)])
    assert np.array_equal(found.coef_[:2], want.coef_[:2])
    assert found.coef_.shape == (3, 9)


# Checkpoints and interruption -------------------------------------------------------------------------------------


class StopAfter:
    """Raises KeyboardInterrupt when `_lesson` was called so many times."""

    def __init__(self, n_batches: int) -> None:
        self.left = n_batches
        self.lesson = _stream_course.StreamCourse._lesson

    def __call__(self, course: Any, batch: Any) -> Any:
        """Do what `_lesson` does, or interrupt it."""
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.lesson(course, batch)


@pytest.mark.parametrize("rule", [*RULES, "validated", "grown"], ids=str)
@pytest.mark.parametrize("when", [1, 4, 9, 14])
def test_a_fit_that_was_interrupted_goes_on_to_the_bit(tmp_path, rule, when, monkeypatch):
    """Whichever batch Ctrl-C comes in, the next call with the checkpoint ends with the same bits, then removes it."""
    X, y = data(3)
    path, kept = written(tmp_path, X, y), tmp_path / "kept.ckpt"
    more: dict[str, Any] = {"X_val": X, "y_val": y} if rule == "validated" else {}
    settings = {"max_iter": 3, "random_state": 5, **RULES.get(rule, {})}
    if rule == "grown":
        settings |= {"unknown_classes": "add"}
    reading = {"batch_rows": 25, "zero_based": False}
    want = Perceptron(**settings).fit_stream(path, **reading, **more)
    monkeypatch.setattr(_stream_course, "SAVE_EVERY", 0.0)
    stopper = StopAfter(when)
    with monkeypatch.context() as patched:
        patched.setattr(_stream_course.StreamCourse, "_lesson", lambda course, batch: stopper(course, batch))
        with pytest.raises(KeyboardInterrupt):
            Perceptron(**settings).fit_stream(path, checkpoint=kept, **reading, **more)
    assert kept.exists()
    found = Perceptron(**settings).fit_stream(path, checkpoint=kept, **reading, **more)
    assert same(found, want)
    assert not kept.exists()


def test_an_interrupted_fit_keeps_the_last_whole_epoch(tmp_path, monkeypatch):
    """In a later epoch the model of the last whole one stays; in the first nothing is changed."""
    X, y = data(3)
    path = written(tmp_path, X, y)
    want = Perceptron(max_iter=1, random_state=0).fit_stream(path, batch_rows=30)
    for n_batches, kept in ((2, False), (6, True)):
        stopper = StopAfter(n_batches)
        with monkeypatch.context() as patched:
            patched.setattr(_stream_course.StreamCourse, "_lesson", lambda c, b, s=stopper: s(c, b))
            classifier = Perceptron(random_state=0)
            with pytest.raises(KeyboardInterrupt):
                classifier.fit_stream(path, batch_rows=30)
        assert hasattr(classifier, "coef_") == kept
    assert np.array_equal(classifier.coef_, want.coef_)
    assert classifier.stop_reason_ == "interrupted"


def test_a_checkpoint_of_another_fit_or_a_damaged_one_is_refused(tmp_path, monkeypatch):
    """Other parameters, other files and changed bytes are named, and the file is left as it is."""
    X, y = data(3)
    path, kept = written(tmp_path, X, y), tmp_path / "kept.ckpt"
    stopper = StopAfter(6)
    with monkeypatch.context() as patched:
        patched.setattr(_stream_course.StreamCourse, "_lesson", lambda course, batch: stopper(course, batch))
        with pytest.raises(KeyboardInterrupt):
            Perceptron().fit_stream(path, checkpoint=kept, batch_rows=30)
    whole = kept.read_bytes()
    with pytest.raises(InputError, match="same fit"):
        Perceptron(solution="last").fit_stream(path, checkpoint=kept, batch_rows=30)
    with pytest.raises(InputError, match="same fit"):
        Perceptron().fit_stream(written(tmp_path, X[:90], y[:90]), checkpoint=kept, batch_rows=30)
    written(tmp_path, X, y)
    for damaged in (whole[:-40], b"", b"text", bytes([*whole[:3000], whole[3000] ^ 1, *whole[3001:]])):
        kept.write_bytes(damaged)
        with pytest.raises((FileError, InputError), match="kept"):
            Perceptron().fit_stream(path, checkpoint=kept, batch_rows=30)
        assert kept.read_bytes() == damaged


def test_a_checkpoint_that_cannot_be_written_is_named_and_nothing_is_lost(tmp_path, monkeypatch):
    """A disk that fills while a checkpoint is written is an error; the checkpoint before it is still there."""
    X, y = data(3)
    path, kept = written(tmp_path, X, y), tmp_path / "kept.ckpt"
    real, calls = _checkpoint.write_atomically, itertools.count()

    def full(target: Any, content: bytes) -> None:
        if next(calls) == 1:
            raise FileError(f"{target} can't be written: No space left on device.")
        real(target, content)

    monkeypatch.setattr(_checkpoint, "write_atomically", full)
    classifier = Perceptron(random_state=0, max_iter=4)
    with pytest.raises(FileError, match="No space"):
        classifier.fit_stream(path, checkpoint=kept)
    assert kept.exists()
    assert not hasattr(classifier, "coef_")
    want = Perceptron(random_state=0, max_iter=4).fit_stream(path)
    assert same(classifier.fit_stream(path, checkpoint=kept), want)


@pytest.mark.skipif(not COMPILED, reason="without the compiler nothing takes a second only")
def test_ctrl_c_is_answered_within_a_second(tmp_path):
    """A real SIGINT while a process streams ends it within a second, with the model of the last whole epoch."""
    X = sparse.random(20_000, 300, density=0.2, format="csr", random_state=np.random.default_rng(0))
    path = written(tmp_path, X, np.arange(20_000) % 7)
    program = textwrap.dedent("""
        import sys, time
        from limen.learn import Perceptron
        from limen.learn.stream import batches
        classifier = Perceptron(random_state=0, max_iter=10**6)
        class Told:
            def setup(self, *a, **k): pass
            def teardown(self, *a, **k): pass
            def on_fit_task_begin(self, *a): pass
            def on_fit_task_end(self, *a):
                print("epoch", flush=True)
        classifier.set_callbacks(Told())
        try:
            classifier.fit_stream(sys.argv[1], zero_based=False)
        except KeyboardInterrupt:
            print("kept", classifier.n_iter_, classifier.stop_reason_, time.time(), flush=True)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program, os.fspath(path)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "epoch\n"
        time.sleep(0.3)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        lines = process.stdout.read().splitlines()
        assert process.wait(20) == 0
    word, n_iter, reason, answered = lines[-1].split()
    assert (word, reason) == ("kept", "interrupted")
    assert int(n_iter) >= 1
    assert float(answered) - sent < 1


def test_ctrl_c_while_a_first_look_is_closed_is_heard():
    """What a source raises as its first look is closed reaches the caller; Python alone would drop it."""
    X, y = data(2)

    class Source:
        def __iter__(self) -> Any:
            try:
                yield X, y
                yield X, y
            finally:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Perceptron().fit_stream(Source())


# What is refused --------------------------------------------------------------------------------------------------


def test_what_cannot_be_streamed_is_refused_by_name(tmp_path):
    """Iterators, empty streams, streams without labels and parameters that need all rows are named errors."""
    X, y = data(2)
    path = written(tmp_path, X, y)
    pyarrow.parquet.write_table(pa.table({"a": [1, 2], "y": [0, 1]}), tmp_path / "t.parquet")
    cases: list[tuple[dict[str, Any], Any, dict[str, Any], str]] = [
        ({}, iter([(X, y)]), {}, "read again"),
        ({}, [], {}, "at least one batch"),
        ({}, [(X, y), (X[:, :3], y)], {"classes": [0, 1]}, "9 columns"),
        ({}, [(X, y[:5])], {}, "as many rows"),
        ({}, [X], {}, "pairs"),
        ({}, [(X, y)], {"batch_rows": 3}, "batch_rows say how files are read"),
        ({}, 5, {}, "Received: a?n? ?int"),
        ({}, tmp_path / "t.parquet", {}, "without a target"),
        ({}, [(X, np.zeros(120))], {}, "two classes"),
        ({}, path, {"epochs": 0}, "epochs must be"),
        ({}, [(X, y)], {"checkpoint": tmp_path / "c"}, "stream of files"),
        ({}, path, {"checkpoint": 3}, "checkpoint must be a path"),
        ({"early_stopping": True}, path, {}, "early_stopping"),
        ({"class_weight": "balanced"}, path, {}, "balanced"),
        ({"shards": 2}, path, {}, "shards must be 1"),
    ]
    for settings, source, more, words in cases:
        classifier = Perceptron(**settings)
        with pytest.raises(InputError, match=words):
            classifier.fit_stream(source, **more)
        assert not hasattr(classifier, "n_features_in_"), words


def test_what_is_wrong_in_a_file_leaves_the_model_as_it_was(tmp_path):
    """A torn last line is named with its file and place, and what had been learned before is still there."""
    X, y = data(2)
    classifier = Perceptron(random_state=0).fit(X, y)
    before = classifier.coef_.copy()
    path = written(tmp_path, X, y)
    path.write_bytes(path.read_bytes()[:-2] + b" 9:")
    with pytest.raises(FileError, match=r"rows.svm, line 120.*cut off"):
        classifier.fit_stream(path, classes=[0, 1], batch_rows=10)
    assert np.array_equal(classifier.coef_, before)


def test_validation_rows_stop_training(tmp_path):
    """With X_val and y_val training stops when the accuracy on them stops improving, as in memory."""
    X, y = data(3)
    path = written(tmp_path, X, y)
    settings = {"shuffle": False, "n_iter_no_change": 2}
    found = Perceptron(**settings).fit_stream(path, X_val=X[:40], y_val=y[:40])
    want = Perceptron(**settings).fit(sparse.csr_matrix(X), y, X_val=X[:40], y_val=y[:40])
    assert same(found, want)
    assert found.stop_reason_ == "early_stopping"


def test_a_cache_gives_the_same_model(tmp_path):
    """The first pass writes the cache, later ones read it; weights are equal to the bit."""
    X, y = data(3)
    path = written(tmp_path, X, y)
    want = Perceptron(random_state=0, max_iter=3).fit_stream(path, batch_rows=30)
    for _ in range(2):
        found = Perceptron(random_state=0, max_iter=3).fit_stream(
            path, batch_rows=30, cache=tmp_path / "rows.cache"
        )
        assert same(found, want)
    assert (tmp_path / "rows.cache").exists()
