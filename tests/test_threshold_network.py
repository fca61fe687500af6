"""Networks with hidden layers as a scikit-learn classifier: exact, reproducible, and safe to interrupt."""

from __future__ import annotations

import itertools
import logging
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from limen.errors import FileError, InputError, TrainingError
from limen.learn import ThresholdEncoder, ThresholdNetworkClassifier
from limen.learn import _network_admission as module
from limen.learn._keras_door import keras

ROWS = np.array(list(itertools.product((0, 1), repeat=6)), dtype=np.uint8)
PARITY = ROWS.sum(axis=1) % 2
THIRDS = np.array(["none", "one", "two"])[ROWS.sum(axis=1) % 3]


def small(**options):
    """Return a small classifier; its defaults share one compiled program."""
    return ThresholdNetworkClassifier(
        **{"hidden": (16,), "epochs": 30, "batch_size": 16, "random_state": 0, **options}
    )


# Contract -----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [ThresholdNetworkClassifier(hidden=(8,), encode=True, epochs=120, batch_size=1000, random_state=0)],
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_dense_data": "rows are normalised by the batch they are drawn into"
    },
    xfail_strict=True,
)
def test_the_classifier_keeps_scikit_learns_contract(estimator, check):
    """Every check of scikit-learn's for classifiers passes, but for the expected one, which fails."""
    check(estimator)


# Learning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["binary", "ternary", "int4", "int8"])
def test_parity_is_learned_and_the_network_is_what_predicts(weights):
    """Parity of six needs a hidden layer; the network's weights are of the kind asked for, and it decides alone."""
    fitted = small(weights=weights, epochs=300, batch_size=64, hidden=(64,)).fit(ROWS, PARITY)
    net = fitted.network_
    assert fitted.score(ROWS, PARITY) > 0.9
    assert (fitted.predict(ROWS) == net(ROWS)[:, 0]).all()
    assert ((fitted.decision_function(ROWS) >= 0) == net(ROWS)[:, 0]).all()
    assert net.is_exact
    assert net.domain == "binary"
    most = {"binary": 1, "ternary": 1, "int4": 7, "int8": 127}[weights]
    found = net.layers[0].dense()
    assert np.abs(found).max() <= most
    assert weights != "binary" or set(np.unique(found)) == {-1, 1}


def test_classes_compete_by_their_names():
    """Three classes, named: a hardmax layer, probabilities that agree with what is predicted."""
    fitted = small(epochs=300, batch_size=64, hidden=(64,)).fit(ROWS, THIRDS)
    assert fitted.score(ROWS, THIRDS) > 0.9
    assert fitted.network_.layers[-1].activation == "hardmax"
    shares = fitted.predict_proba(ROWS)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(ROWS)))
    assert (fitted.classes_[shares.argmax(axis=1)] == fitted.predict(ROWS)).all()


def test_several_outputs_each_decide():
    """A column of zeros and ones for each output, each its own neuron."""
    y = np.stack([ROWS[:, 0] & ROWS[:, 1], ROWS[:, 2] | ROWS[:, 3], PARITY], axis=1)
    fitted = small(epochs=300, batch_size=64, hidden=(64,)).fit(ROWS, y)
    assert fitted.predict(ROWS).shape == y.shape
    assert (fitted.predict(ROWS) == y).mean() > 0.9
    assert fitted.network_.layers[-1].activation == "heaviside"
    assert ((fitted.predict_proba(ROWS) >= 0.5) == fitted.predict(ROWS)).all()


def test_the_same_seed_gives_the_same_network_and_another_another():
    """Everything random hangs on random_state; Keras's and NumPy's own random numbers are left alone."""
    np.random.seed(1)  # noqa: NPY002  # the global state is what is looked at
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    one, same, other = (
        small(dropout=0.2, random_state=seed).fit(ROWS, PARITY).network_ for seed in (3, 3, 4)
    )
    assert one == same
    assert one != other
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_rows_without_weight_are_not_seen_and_weights_pull():
    """Rows of weight 0 don't matter; of two contradicting rows the heavier wins, by row and by class."""
    wrong = np.concatenate([PARITY, 1 - PARITY])
    weight = np.repeat([1.0, 0.0], len(ROWS))
    doubled = np.concatenate([ROWS, ROWS])
    assert small().fit(doubled, wrong, weight).network_ == small().fit(ROWS, PARITY).network_
    pulled = small(hidden=()).fit(doubled, np.repeat([0, 1], len(ROWS)), np.repeat([1.0, 9.0], len(ROWS)))
    assert (pulled.predict(ROWS) == 1).all()
    classes = small(hidden=(), class_weight={0: 9.0, 1: 1.0}).fit(doubled, np.repeat([0, 1], len(ROWS)))
    assert (classes.predict(ROWS) == 0).all()


def test_sparse_rows_are_learned_like_dense_ones():
    """A sparse matrix gives the same network, and predicts the same."""
    dense = small().fit(ROWS, PARITY)
    rows = sparse.csr_array(ROWS)
    assert small().fit(rows, PARITY).network_ == dense.network_
    assert (dense.predict(rows) == dense.predict(ROWS)).all()


def test_no_hidden_layer_is_a_neuron():
    """() is a single layer of whole weights."""
    fitted = small(hidden=(), epochs=100).fit(ROWS, ROWS[:, 0])
    assert fitted.network_.depth == 1
    assert fitted.score(ROWS, ROWS[:, 0]) == 1


def test_images_are_shifted_and_only_while_learning():
    """Shifts move what is there by at most so many pixels, bits of a pixel together, with zeros from outside."""
    from limen.learn._keras_training import Plan, shifted

    plan = Plan(24, 1, False, (), "binary", "binary", "triangle", 0, 0, 1, 4, 0.1, 0, (3, 4, 2), 1, 0)
    X = np.random.default_rng(0).integers(0, 2, (500, 24)).astype(np.uint8)
    moved = shifted(X, plan, np.random.default_rng(1)).reshape(-1, 3, 4, 2)
    seen = set()
    for before, after in zip(X.reshape(-1, 3, 4, 2), moved, strict=True):
        framed = np.pad(before, ((1, 1), (1, 1), (0, 0)))
        places = [(a, b) for a in range(3) for b in range(3) if (framed[a : a + 3, b : b + 4] == after).all()]
        assert places
        seen.update(places if len(places) == 1 else ())
    assert len(seen) == 9
    fitted = small(image_shape=(2, 3), max_shift=1).fit(ROWS, ROWS[:, 0])
    assert fitted.network_.n_inputs == 6


# Encoding -----------------------------------------------------------------------------------------------------

TABLE = {"age": np.arange(20, 84).tolist(), "job": ["cook", "farmer"] * 32}
OLD = (np.arange(20, 84) >= 50).astype(int)


def test_numbers_need_an_encoder_and_may_bring_one():
    """Real numbers are refused with both remedies; encode=True, an encoder, or a pipeline take them."""
    X = np.array(TABLE["age"], dtype=float)[:, np.newaxis]
    with pytest.raises(InputError, match=r"zeros and ones.*Received: 20\.0.*ThresholdEncoder.*encode=True"):
        small().fit(X, OLD)
    inside = small(encode=True).fit(X, OLD)
    pipeline = make_pipeline(ThresholdEncoder(), small()).fit(X, OLD)
    assert inside.network_.layers == pipeline[-1].network_.layers
    assert inside.network_.inputs == inside.encoder_.encoding_.inputs
    assert (inside.predict(X) == pipeline.predict(X)).all()
    few = small(encode=ThresholdEncoder(2)).fit(TABLE, OLD)
    assert few.network_.n_inputs == 4
    assert few.score(TABLE, OLD) > 0.7
    assert few.n_features_in_ == 2


# How it ends --------------------------------------------------------------------------------------------------


class At(keras.callbacks.Callback):
    """Do something when an epoch begins or a batch ends."""

    def __init__(self, epoch, what, batch=None):
        super().__init__()
        self.epoch, self.what, self.batch, self.now = epoch, what, batch, 0

    def on_epoch_begin(self, epoch, logs=None):
        """Do it, if it's time."""
        self.now = epoch
        if epoch == self.epoch and self.batch is None:
            self.what(self.model)

    def on_train_batch_end(self, batch, logs=None):
        """Do it, if it's time."""
        if self.now == self.epoch and batch == self.batch:
            self.what(self.model)


def spoil(model):
    """Make the loss no number."""
    bias = model.layers[-1].bias
    bias.assign(np.full(bias.shape, np.nan, dtype=np.float32))


def interrupt(model):
    """Do as Ctrl-C does."""
    raise KeyboardInterrupt


def test_a_loss_that_is_no_number_keeps_the_last_good_epoch():
    """Training stops, says so, and the network is that of the epoch before."""
    with pytest.warns(
        ConvergenceWarning, match="loss of epoch 8 was no number; the network of epoch 7 is kept"
    ):
        fitted = small(callbacks=[At(7, spoil)]).fit(ROWS, PARITY)
    assert (fitted.stop_reason_, fitted.n_iter_, fitted.best_epoch_) == ("diverged", 7, 7)
    assert len(fitted.history_["loss"]) == 7
    assert set(np.unique(fitted.network_.layers[0].dense())) == {-1, 1}


def test_a_loss_that_is_no_number_at_once_changes_nothing():
    """In the first epoch it is an error, and a fitted estimator stays what it was."""
    fitted = small(epochs=2).fit(ROWS, PARITY)
    before = fitted.network_
    fitted.set_params(callbacks=[At(0, spoil)])
    with pytest.raises(TrainingError, match="no number in the first epoch"):
        fitted.fit(ROWS, PARITY)
    assert fitted.network_ is before


def test_an_interrupt_keeps_the_best_epoch():
    """Ctrl-C in the middle of an epoch is raised on, and the network so far is there; in the first, nothing is."""
    estimator = small(callbacks=[At(5, interrupt, batch=2)])
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(ROWS, PARITY)
    assert (estimator.stop_reason_, estimator.n_iter_, estimator.best_epoch_) == ("interrupted", 5, 5)
    assert estimator.predict(ROWS).shape == (64,)
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[At(0, interrupt, batch=1)]).fit(ROWS, PARITY)
    unfitted = small(callbacks=[At(0, interrupt)])
    with pytest.raises(KeyboardInterrupt):
        unfitted.fit(ROWS, PARITY)
    with pytest.raises(NotFittedError):
        unfitted.predict(ROWS)


def test_early_stopping_keeps_the_epoch_that_was_best_on_the_users_own_rows():
    """Training ends after so many epochs without improvement, and the kept epoch has the highest accuracy of all."""
    rng = np.random.default_rng(0)
    fitted = small(n_iter_no_change=3, epochs=60).fit(
        ROWS, PARITY, X_val=ROWS[::2], y_val=rng.integers(0, 2, 32)
    )
    scores = fitted.history_["val_accuracy"]
    assert fitted.stop_reason_ == "early_stopping"
    assert fitted.n_iter_ == fitted.best_epoch_ + 3 < 60
    assert scores[fitted.best_epoch_ - 1] == max(scores)
    held_out = small(early_stopping=True, validation_fraction=0.25, epochs=3).fit(ROWS, PARITY)
    assert len(held_out.history_["val_loss"]) == held_out.n_iter_


def test_a_training_goes_on_from_its_checkpoint_to_the_same_bits(tmp_path, monkeypatch):
    """Interrupted and taken up again, training ends with the network it would have had, and removes the file."""
    from limen.learn import _deep_checkpoint

    monkeypatch.setattr(_deep_checkpoint, "PAUSE", 0.0)
    file = tmp_path / "training"
    options = {"dropout": 0.2, "epochs": 8}
    whole = small(**options).fit(ROWS, PARITY)
    with pytest.raises(KeyboardInterrupt):
        small(**options, callbacks=[At(5, interrupt, batch=1)]).fit(ROWS, PARITY, checkpoint=file)
    assert file.exists()
    with pytest.raises(InputError, match="checkpoint of another training"):
        small(**options, learning_rate=0.01).fit(ROWS, PARITY, checkpoint=file)
    later = small(**options).fit(ROWS, PARITY, checkpoint=file)
    assert later.network_ == whole.network_
    assert later.history_ == whole.history_
    assert not file.exists()
    file.write_bytes(b"PK\x03\x04 no checkpoint")
    with pytest.raises(FileError, match="isn't a whole checkpoint"):
        small(**options).fit(ROWS, PARITY, checkpoint=file)


def test_epochs_are_told_on_the_log(caplog):
    """Each epoch is a record with its loss and the validation accuracy."""
    with caplog.at_level(logging.INFO, logger="limen"):
        small(epochs=3).fit(ROWS, PARITY, X_val=ROWS, y_val=PARITY)
    records = [record for record in caplog.records if hasattr(record, "loss")]
    assert [(record.epoch, record.max_iter) for record in records] == [(1, 3), (2, 3), (3, 3)]
    assert "validation accuracy" in records[-1].getMessage()


# Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"hidden": (8, 0)}, "a width for each hidden layer. Received: "),
        ({"hidden": (8.5,)}, "hidden must be whole numbers from 1"),
        ({"hidden": (10_000_000, 10_000_000)}, r"takes about [\d,.]+ GiB, and there are"),
        ({"weights": "float"}, "weights"),
        ({"callbacks": [len]}, "callbacks must be Keras callbacks. Received: builtin"),
        ({"surrogate": "ramp"}, "surrogate"),
        ({"dropout": 1.0}, "dropout"),
        ({"max_shift": 1}, "image_shape must be given"),
        ({"image_shape": (4, 4)}, "with 6 bits in all"),
        ({"image_shape": (2, 3), "max_shift": 2}, "less than an image's sides"),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_built(options, expected):
    """The message names the parameter; nothing is fitted."""
    estimator = small(**options)
    with pytest.raises(ValueError, match=expected):
        estimator.fit(ROWS, PARITY)
    assert not hasattr(estimator, "network_")


@pytest.mark.parametrize(
    ("X", "y", "extra", "expected"),
    [
        (ROWS, np.zeros(64), {}, "at least two classes"),
        (ROWS, PARITY, {"sample_weight": np.zeros(64)}, "at least one non-zero number"),
        (ROWS, PARITY, {"X_val": ROWS}, "must be given together"),
        (ROWS, PARITY, {"X_val": ROWS, "y_val": PARITY + 1}, "y_val must hold labels of y"),
        (ROWS, PARITY, {"X_val": ROWS * 2, "y_val": PARITY}, "zeros and ones"),
        (ROWS, PARITY, {"checkpoint": 7}, "checkpoint must be a path"),
        (ROWS, PARITY, {"checkpoint": "."}, "checkpoint must be a file in a folder that is there"),
        (
            ROWS,
            PARITY,
            {"checkpoint": "nowhere/training"},
            "checkpoint must be a file in a folder that is there",
        ),
        ([["a"], ["b"]] * 32, PARITY, {}, "Received: text .* or set encode=True"),
        (ROWS * 2, PARITY, {}, "Received: 2"),
        (np.where(ROWS, np.nan, 0), PARITY, {}, "NaN"),
    ],
)
def test_bad_data_is_refused_by_name(X, y, extra, expected):
    """What can't be learned from is refused, and nothing is fitted."""
    estimator = small(epochs=1)
    with pytest.raises(ValueError, match=expected):
        estimator.fit(X, y, **extra)
    assert not hasattr(estimator, "network_")


def test_too_much_memory_is_refused_by_what_there_is(monkeypatch):
    """The same network is refused on a small machine and trained on a large one."""
    monkeypatch.setattr(module, "memory", lambda: 10_000)
    with pytest.raises(InputError, match="Make layers narrower"):
        small(epochs=1).fit(ROWS, PARITY)
    monkeypatch.setattr(module, "memory", lambda: None)
    small(epochs=1).fit(ROWS, PARITY)


# Without Keras ------------------------------------------------------------------------------------------------


def test_a_fitted_model_works_without_keras(tmp_path):
    """Unpickled where Keras isn't there, it predicts; clone and pickle keep all of it."""
    fitted = small(epochs=3, callbacks=[]).fit(ROWS, THIRDS)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(fitted))
    code = (
        "import sys, pickle; sys.modules['keras'] = None; sys.modules['jax'] = None\n"
        f"fitted = pickle.load(open({str(tmp_path / 'model.pickle')!r}, 'rb'))\n"
        "print(*fitted.predict([[0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == fitted.predict(ROWS[[1, 63]]).tolist()
    assert clone(fitted).get_params() == fitted.get_params()


ABSENT = """
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {absent!r} else real(name, *rest)
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import limen.learn
try:
    limen.learn.ThresholdNetworkClassifier(hidden=(2,)).fit([[0], [1]], [0, 1])
except limen.errors.LimenError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("absent", "backend", "expected"),
    [
        (
            {"keras"},
            None,
            'MissingExtraError Keras is not installed. Install it with: pip install "limen[keras]"',
        ),
        ({"tensorflow"}, "tensorflow", "MissingExtraError tensorflow, the backend that Keras is set to use,"),
        (set(), "numpy", "InputError Training needs Keras on one of the backends jax, torch, tensorflow"),
        ({"tensorflow", "torch"}, None, ""),
    ],
)
def test_what_is_missing_is_named(absent, backend, expected, tmp_path):
    """Without Keras, or with a backend that isn't there or can't train, the message says what to install or set."""
    import os

    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment["KERAS_HOME"] = str(tmp_path)
    if backend:
        environment["KERAS_BACKEND"] = backend
    code = ABSENT.format(absent=absent)
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert run.stdout.startswith(expected)
    assert bool(run.stdout.strip()) == bool(expected)
