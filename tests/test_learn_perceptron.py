"""The perceptron: what it learns, exactly; how it stops; what it refuses."""

import itertools
import logging
import pickle
import signal
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Perceptron as Rival
from sklearn.preprocessing import StandardScaler

import limen
import naive_perceptron
from limen.errors import InputError, NotExactError, TrainingError
from limen.learn import Perceptron, _training
from limen.learn._rows import rows

SQUARE = np.array(list(itertools.product((0, 1), repeat=2)))
NOT_CONVERGED = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def table(n=60, d=5, classes=2, seed=0, low=-4, high=5):
    """Return whole-number rows and labels with some noise."""
    rng = np.random.default_rng(seed)
    X = rng.integers(low, high, (n, d))
    directions = rng.normal(size=(d, classes))
    y = (X @ directions + rng.normal(size=(n, classes))).argmax(axis=1)
    y[:classes] = np.arange(classes)
    return X, y


def quiet(*args, **kwargs):
    """Return a fitted perceptron without the warning that it never converged."""
    sample_weight = kwargs.pop("sample_weight", None)
    X, y = args
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Perceptron(**kwargs).fit(X, y, sample_weight=sample_weight)


# What is learned --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", range(1, 15))
def test_every_separable_function_of_two_inputs_is_learned_for_every_seed(function):
    """The 12 are learned without a mistake for each of 100 seeds; XOR and XNOR end with the warning."""
    y = np.array([(function >> row) & 1 for row in range(4)])
    if function in (6, 9):
        with pytest.warns(ConvergenceWarning, match="hidden layer"):
            clf = Perceptron(random_state=0).fit(SQUARE, y)
        assert clf.stop_reason_ == "max_iter"
        assert (clf.predict(SQUARE) != y).any()
        return
    for seed in range(100):
        clf = Perceptron(random_state=seed).fit(SQUARE, y)
        assert clf.stop_reason_ == "converged"
        assert np.array_equal(clf.predict(SQUARE), y)
        assert clf.network_.is_exact


@NOT_CONVERGED
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("epochs", [1, 7])
def test_last_weights_are_scikit_learns(load, scaled, epochs):
    """One-vs-rest, unshuffled, the weights after some epochs equal those of scikit-learn's Perceptron."""
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X) if scaled else X
    ours = Perceptron(solution="last", multi_class="ovr", shuffle=False, max_iter=epochs).fit(X, y)
    theirs = Rival(tol=None, shuffle=False, max_iter=epochs).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-9 * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)


@NOT_CONVERGED
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet"])
@pytest.mark.parametrize("alpha", [1e-4, 0.02])
def test_penalties_are_scikit_learns(penalty, alpha):
    """With a penalty too, the weights equal scikit-learn's, step length included."""
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    shared = {
        "penalty": penalty,
        "alpha": alpha,
        "eta0": 0.5,
        "shuffle": False,
        "max_iter": 4,
        "l1_ratio": 0.4,
    }
    ours = Perceptron(solution="last", **shared).fit(X, y)
    theirs = Rival(tol=None, **shared).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-7, atol=1e-9)
    assert not ours.network_.is_exact
    assert (ours.coef_ == 0).any() == (penalty == "l1" or (penalty == "elasticnet" and alpha == 0.02))


@NOT_CONVERGED
@pytest.mark.parametrize("kind", [np.array, sp.csr_array])
@pytest.mark.parametrize("epochs", [1, 4])
def test_one_neuron_equals_the_naive_perceptron(kind, epochs):
    """Last and summed weights, biases and mistakes equal plain Python's, as integers."""
    X, y = table()
    weight = np.random.default_rng(1).integers(1, 4, len(y))
    signs = np.where(y == 1, 1, -1).tolist()
    w, b, w_sum, b_sum, mistakes = naive_perceptron.one_output(X.tolist(), signs, epochs, weight.tolist())
    shared = {"shuffle": False, "max_iter": epochs, "sample_weight": weight}
    last = quiet(kind(X), y, solution="last", **shared)
    average = quiet(kind(X), y, solution="average", **shared)
    assert last.network_.layers[0].dense().ravel().tolist() == w
    assert last.network_.layers[0].bias.tolist() == [b]
    assert average.network_.layers[0].dense().ravel().tolist() == w_sum
    assert average.network_.layers[0].bias.tolist() == [b_sum]
    assert average.n_mistakes_.tolist() == last.n_mistakes_.tolist() == mistakes
    np.testing.assert_allclose(average.coef_, [np.array(w_sum) / (len(mistakes) * len(y))])


@NOT_CONVERGED
@pytest.mark.parametrize("kind", [np.array, sp.csr_array])
def test_competing_classes_equal_the_naive_perceptron(kind):
    """Crammer and Singer's rule on three classes gives plain Python's integers."""
    X, y = table(classes=3)
    w, b, w_sum, b_sum, mistakes = naive_perceptron.competing(X.tolist(), y.tolist(), 3, 4)
    last = quiet(kind(X), y, solution="last", shuffle=False, max_iter=4)
    average = quiet(kind(X), y, shuffle=False, max_iter=4)
    assert last.network_.layers[0].dense().T.tolist() == w
    assert last.network_.layers[0].bias.tolist() == b
    assert average.network_.layers[0].dense().T.tolist() == w_sum
    assert average.network_.layers[0].bias.tolist() == b_sum
    assert average.n_mistakes_.tolist() == mistakes


@NOT_CONVERGED
@pytest.mark.parametrize("n_outputs", [2, 5, 7, 11])
@pytest.mark.parametrize("kind", [np.array, sp.csr_array])
def test_several_outputs_are_so_many_perceptrons(n_outputs, kind):
    """Each output learns what a perceptron of its own learns, whether or not it fills a block."""
    X, _ = table()
    Y = np.random.default_rng(3).integers(0, 2, (len(X), n_outputs))
    together = quiet(kind(X), Y, shuffle=False, max_iter=3)
    assert together.network_.layers[0].activation == "heaviside"
    assert together.classes_.tolist() == [0, 1]
    for k in range(n_outputs):
        signs = np.where(Y[:, k] == 1, 1, -1).tolist()
        w_sum = naive_perceptron.one_output(X.tolist(), signs, 3)[2]
        assert together.network_.layers[0].dense()[:, k].tolist() == w_sum


@NOT_CONVERGED
def test_the_pocket_holds_the_longest_run_with_fewest_errors():
    """After each epoch the pocket is what plain Python's pocket is, replaced only by fewer training errors."""
    X, y = table(n=80, seed=5)
    signs = np.where(y == 1, 1, -1)
    best, fewest = None, np.inf
    for epoch, (w, b) in enumerate(naive_perceptron.longest_run(X.tolist(), signs.tolist(), 6), start=1):
        errors = int(((X @ w + b >= 0) != (signs > 0)).sum())
        if errors < fewest:
            best, fewest = (w, b), errors
        clf = quiet(X, y, solution="pocket", shuffle=False, max_iter=epoch)
        assert clf.network_.layers[0].dense().ravel().tolist() == best[0]
        assert clf.network_.layers[0].bias.tolist() == [best[1]]
        assert int((clf.predict(X) != y).sum()) == fewest


@NOT_CONVERGED
def test_the_pocket_of_competing_classes_is_one_network():
    """The pocket of a multiclass layer makes no more training errors than the last weights."""
    X, y = table(n=80, classes=4, seed=6)
    for seed in range(5):
        pocket = quiet(X, y, solution="pocket", random_state=seed, max_iter=8)
        last = quiet(X, y, solution="last", random_state=seed, max_iter=8)
        assert (pocket.predict(X) != y).sum() <= (last.predict(X) != y).sum()
        assert pocket.network_.is_exact


@NOT_CONVERGED
@pytest.mark.parametrize("solution", ["average", "last", "pocket"])
@pytest.mark.parametrize("y_kind", ["binary", "multiclass", "multioutput"])
def test_the_network_is_exact_on_whole_numbers(solution, y_kind):
    """Whole-number rows and weights give an exact network, and `coef_` is its weights over one number."""
    X, y = table(classes=3)
    y = {"binary": y > 0, "multiclass": y, "multioutput": np.stack([y == 0, y == 1], axis=1).astype(int)}[
        y_kind
    ]
    for data in (X, X.astype(float), X.astype(np.float32), X.astype(np.int8), sp.csr_array(X)):
        clf = quiet(data, y, solution=solution, random_state=0, max_iter=6, eta0=0.3)
        assert clf.network_.is_exact
        assert clf.network_.domain == "integer"
        ratio = clf.coef_.T / np.where(clf.network_.layers[0].dense() == 0, 1, clf.network_.layers[0].dense())
        assert np.allclose(ratio[ratio != 0], ratio[ratio != 0].flat[0])
    assert quiet(X, y, solution=solution, sample_weight=np.full(len(X), 2)).network_.is_exact
    assert not quiet(X, y, solution=solution, sample_weight=np.full(len(X), 0.1)).network_.is_exact
    assert not quiet(X + 0.5, y, solution=solution).network_.is_exact


@NOT_CONVERGED
@pytest.mark.parametrize("multi_class", ["crammer_singer", "ovr"])
def test_predict_is_the_network_ties_included(multi_class):
    """`predict` and `network_` agree on every point of a grid, of which some lie on a neuron's line."""
    X, y = table(d=2, classes=3, high=4, low=-3)
    grid = np.array(list(itertools.product(range(-12, 13), repeat=2)))
    for labels in (y, y > 0, np.stack([y == 0, y == 1], axis=1).astype(int)):
        clf = quiet(X, labels, multi_class=multi_class, solution="last", random_state=0, max_iter=9)
        outputs, scores = clf.network_(grid), clf.network_.scores(grid)
        if labels is y:
            decided = clf.classes_[outputs.argmax(axis=1)]
            ties = (np.sort(scores, axis=1)[:, -1] == np.sort(scores, axis=1)[:, -2]).sum()
        else:
            decided = clf.classes_[outputs[:, 0] if labels.ndim == 1 else outputs]
            ties = (scores == 0).sum()
        assert ties > 0
        for data in (
            grid,
            grid.astype(float),
            grid.astype(np.float32),
            sp.csr_array(grid),
            sp.csc_array(grid),
        ):
            assert np.array_equal(clf.predict(data), decided)


# The same model from every form of the data -------------------------------------------------------------------


FORMS = {
    "int64": lambda X: X.astype(np.int64),
    "int8": lambda X: X.astype(np.int8),
    "uint8": lambda X: X.astype(np.uint8),
    "int32": lambda X: X.astype(np.int32),
    "float32": lambda X: X.astype(np.float32),
    "float64": lambda X: X.astype(np.float64),
    "float16": lambda X: X.astype(np.float16),
    "fortran": lambda X: np.asfortranarray(X.astype(float)),
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "csr": lambda X: sp.csr_array(X),
    "csc": lambda X: sp.csc_array(X),
    "csr matrix": lambda X: sp.csr_matrix(X.astype(float)),
    "csr long": lambda X: long_indices(sp.csr_array(X.astype(np.float32))),
    "csr unsorted": lambda X: unsorted(sp.csr_array(X)),
    "csr twice": lambda X: twice(X),
}


def long_indices(matrix):
    """Return a CSR matrix with int64 indices."""
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


def unsorted(matrix):
    """Return a CSR matrix whose rows list their entries backwards."""
    order = np.concatenate([np.arange(b, a, -1) - 1 for a, b in itertools.pairwise(matrix.indptr)]).astype(
        int
    )
    return sp.csr_array((matrix.data[order], matrix.indices[order], matrix.indptr), shape=matrix.shape)


def twice(X):
    """Return a CSR matrix that stores every entry in two parts."""
    matrix = sp.csr_array(X)
    data = np.stack([matrix.data - 1, np.ones_like(matrix.data)], axis=1).ravel()
    return sp.csr_array((data, np.repeat(matrix.indices, 2), matrix.indptr * 2), shape=matrix.shape)


@NOT_CONVERGED
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("y_kind", ["binary", "competing", "ovr", "multioutput"])
def test_every_form_of_whole_numbers_gives_one_model(form, y_kind):
    """Dense or sparse, any type, order or index width: the same network to the bit, and the same coef_."""
    X, y = table(n=90, d=9, classes=3, low=0, high=6)
    y = {"binary": y > 0, "multioutput": (y[:, None] == [0, 1]).astype(int)}.get(y_kind, y)
    settings = {
        "random_state": 0,
        "max_iter": 5,
        "multi_class": "ovr" if y_kind == "ovr" else "crammer_singer",
    }
    expected = quiet(X, y, **settings)
    data = FORMS[form](X)
    before = data.copy()
    found = quiet(data, y, **settings)
    assert found.network_ == expected.network_
    assert np.array_equal(found.coef_, expected.coef_)
    assert np.array_equal(found.predict(data), expected.predict(X))
    assert (before != data).sum() == 0


@NOT_CONVERGED
def test_booleans_learn_as_zeros_and_ones():
    """A boolean table gives the binary network that its zeros and ones give."""
    X, y = table(low=0, high=2)
    assert quiet(X.astype(bool), y, random_state=0).network_ == quiet(X, y, random_state=0).network_
    assert quiet(X.astype(bool), y, random_state=0).network_.domain == "binary"


@NOT_CONVERGED
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("y_kind", ["multiclass", "multioutput"])
def test_arrays_that_cant_be_written_are_read(shuffle, y_kind):
    """Read-only rows, as joblib hands to its workers, dense and sparse, learn to the bit what others do."""
    X, y = table(classes=3)
    Y = np.stack([y == 0, y == 1], axis=1).astype(int) if y_kind == "multioutput" else y
    for given in (X + 0.5, (X + 0.5).astype(np.float32), sp.csr_array(X + 0.5)):
        settings = {"shuffle": shuffle, "random_state": 0, "max_iter": 3}
        expected = quiet(given, Y, **settings).coef_
        for array in (given.data, given.indices, given.indptr) if sp.issparse(given) else (given,):
            array.setflags(write=False)
        assert np.array_equal(quiet(given, Y, **settings).coef_, expected)


def test_rows_are_copied_at_most_for_their_layout():
    """C-ordered arrays and CSR matrices reach the kernels as they are; others are copied once, in their type."""
    X = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert np.shares_memory(rows(X).arrays[0], X)
    sparse = sp.csr_array(X)
    given = (sparse.data, sparse.indices, sparse.indptr)
    assert all(np.shares_memory(a, b) for a, b in zip(rows(sparse).arrays, given, strict=True))
    assert rows(np.asfortranarray(X)).arrays[0].dtype == np.float32
    assert rows(np.asfortranarray(X)).arrays[0].flags.c_contiguous


@NOT_CONVERGED
@pytest.mark.parametrize("form", [np.float32, np.float64])
@pytest.mark.parametrize("y_kind", ["ovr", "multioutput"])
def test_the_number_of_threads_and_chunks_changes_no_bit(form, y_kind, monkeypatch):
    """Real numbers learned with 1, 2 or 3 threads, in one chunk or many, give weights equal to the bit."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 70)).astype(form)
    y = rng.integers(0, 12, 200)
    Y = (y[:, None] == np.arange(12)).astype(int) if y_kind == "multioutput" else y
    settings = {"multi_class": "ovr", "random_state": 0, "max_iter": 3}
    for data in (X, sp.csr_array(np.where(X > 0, X, 0))):
        monkeypatch.setattr(_training, "CHUNK", 1 << 27)
        expected = quiet(data, Y, **settings)
        for n_jobs, chunk in ((2, 1 << 27), (3, 1 << 27), (1, 20_000), (2, 20_000)):
            monkeypatch.setattr(_training, "CHUNK", chunk)
            found = quiet(data, Y, n_jobs=n_jobs, **settings)
            assert np.array_equal(found.coef_, expected.coef_)
            assert np.array_equal(found.intercept_, expected.intercept_)


@NOT_CONVERGED
def test_chunks_change_no_integer(monkeypatch):
    """Whole numbers learned a few rows at a time give the same exact network."""
    X, y = table(classes=3)
    expected = quiet(X, y, random_state=0, max_iter=4)
    monkeypatch.setattr(_training, "CHUNK", 100)
    assert quiet(X, y, random_state=0, max_iter=4).network_ == expected.network_


@NOT_CONVERGED
def test_averaging_is_right_with_a_penalty_and_short_chunks(monkeypatch):
    """The averaged weights under L2 equal the mean of the weights after every step, taken one by one."""
    X, y = table(n=30)
    signs = np.where(y == 1, 1.0, -1.0)
    w, b, total = np.zeros(X.shape[1]), 0.0, np.zeros(X.shape[1])
    for x, s in zip(X, signs, strict=True):
        z = w @ x + b
        w = w * (1 - 0.01)
        if s * z <= 0:
            w, b = w + s * x, b + s
        total += w
    for chunk in (1 << 27, 17):
        monkeypatch.setattr(_training, "CHUNK", chunk)
        clf = quiet(X, y, penalty="l2", alpha=0.01, shuffle=False, max_iter=1)
        np.testing.assert_allclose(clf.coef_[0], total / len(X), rtol=1e-12)


@NOT_CONVERGED
@pytest.mark.parametrize("form", [np.array, sp.csr_array])
def test_averaging_is_right_with_a_cumulative_penalty(form, monkeypatch):
    """The averaged weights under L1 equal the mean of the weights at the end of every step, pulled to zero."""
    X, y = table(n=30)
    X = np.where(X == 0, 1, X)  # a sparse row pulls only the weights it touches
    w, b, debt, total = np.zeros(X.shape[1]), 0.0, np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for step, (x, s) in enumerate(zip(X, np.where(y == 1, 1.0, -1.0), strict=True)):
        if s * (w @ x + b) <= 0:
            w, b = w + s * x, b + s
        due = 0.5 * (step + 1)
        pulled = np.where(w > 0, np.maximum(0, w - (due + debt)), np.minimum(0, w + (due - debt)))
        debt, w = debt + pulled - w, pulled
        total += w
    for chunk in (1 << 27, 17):
        monkeypatch.setattr(_training, "CHUNK", chunk)
        clf = quiet(form(X), y, penalty="l1", alpha=0.5, shuffle=False, max_iter=1)
        np.testing.assert_allclose(clf.coef_[0], total / len(X), rtol=1e-12, atol=1e-12)


# How training ends --------------------------------------------------------------------------------------------


def test_it_stops_after_an_epoch_without_a_mistake():
    """The last entry of `n_mistakes_` is 0 exactly when it converged, and there is one entry an epoch."""
    clf = Perceptron(random_state=0).fit(SQUARE, [0, 0, 0, 1])
    assert clf.stop_reason_ == "converged"
    assert clf.n_mistakes_[-1] == 0
    assert (clf.n_mistakes_[:-1] > 0).all()
    assert len(clf.n_mistakes_) == clf.n_iter_
    assert clf.t_ == 4 * clf.n_iter_


def test_converged_weights_are_kept_where_averaged_ones_err():
    """Some seed of NAND keeps the last weights, says so, and every kept network is without a mistake."""
    kept = set()
    for seed in range(100):
        clf = Perceptron(random_state=seed).fit(SQUARE, [1, 1, 1, 0])
        kept.add(clf.solution_)
        assert clf.score(SQUARE, [1, 1, 1, 0]) == 1
    assert kept == {"average", "last"}


def test_tol_stops_when_the_loss_stalls():
    """With `tol`, XOR ends after `n_iter_no_change` epochs without progress, and without the warning."""
    clf = Perceptron(tol=0.0, n_iter_no_change=3, random_state=0, max_iter=1000).fit(SQUARE, [0, 1, 1, 0])
    assert clf.stop_reason_ == "no_improvement"
    assert clf.n_iter_ < 1000


def test_early_stopping_keeps_the_best_epoch():
    """Held-out rows end training, and the kept weights score best on rows like them."""
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    clf = Perceptron(early_stopping=True, random_state=0, max_iter=500).fit(X, y)
    assert clf.stop_reason_ == "early_stopping"
    assert clf.n_iter_ < 500
    assert clf.score(X, y) > 0.95
    assert clf.t_ == clf.n_iter_ * (len(y) - round(0.1 * len(y)))


@NOT_CONVERGED
def test_warm_start_goes_on_from_the_last_weights():
    """Two epochs, warm, of one each, give the last weights of two epochs."""
    X, y = table()
    warm = Perceptron(solution="last", shuffle=False, max_iter=1, warm_start=True)
    warm.fit(X, y).fit(X, y)
    assert warm.network_ == quiet(X, y, solution="last", shuffle=False, max_iter=2).network_
    with pytest.raises(InputError, match="warm_start"):
        warm.fit(X[:, :2], y)


@NOT_CONVERGED
@pytest.mark.parametrize("eta0", [0.1, 1.0])
def test_warm_start_stays_exact(eta0):
    """Whole-number weights come through a warm start as whole numbers, whatever the step length."""
    X, y = table()
    warm = Perceptron(shuffle=False, max_iter=2, eta0=eta0, warm_start=True).fit(X, y).fit(X, y)
    assert warm.network_.is_exact


@NOT_CONVERGED
@pytest.mark.parametrize("solution", ["average", "last"])
def test_partial_fit_goes_on(solution):
    """Batches in turn, twice, give what two unshuffled epochs over all rows give, averages included."""
    X, y = table(classes=3)
    batches = Perceptron(solution=solution, shuffle=False)
    for _ in range(2):
        for start in range(0, len(X), 20):
            batches.partial_fit(X[start : start + 20], y[start : start + 20], classes=[0, 1, 2])
    whole = quiet(X, y, solution=solution, shuffle=False, max_iter=2)
    assert batches.network_ == whole.network_
    assert batches.stop_reason_ == "partial_fit"
    assert batches.t_ == whole.t_


def test_partial_fit_keeps_its_promises():
    """Classes are needed first and fixed then; an unknown label, or other outputs, change nothing."""
    X, y = table(classes=3)
    clf = Perceptron()
    with pytest.raises(InputError, match="classes must be given"):
        clf.partial_fit(X, y)
    assert not hasattr(clf, "classes_")
    clf.partial_fit(X, y, classes=[0, 1, 2])
    before = clf.network_
    with pytest.raises(InputError, match=r"classes \[0, 1, 2\]|hold the classes"):
        clf.partial_fit(X, y + 1)
    with pytest.raises(InputError, match="first call"):
        clf.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(InputError, match="multiclass"):
        clf.partial_fit(X, np.stack([y, y], axis=1) % 2)
    with pytest.raises(InputError, match="balanced"):
        Perceptron(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    assert clf.network_ is before
    several = Perceptron().partial_fit(X, np.stack([y == 0, y == 1], axis=1).astype(int))
    assert several.predict(X).shape == (len(X), 2)


@pytest.mark.parametrize(
    "change",
    [
        {"solution": "average"},
        {"penalty": "l2"},
        {"fit_intercept": False},
        {"eta0": 2.0},
        {"multi_class": "ovr"},
    ],
)
def test_partial_fit_refuses_to_learn_in_another_way(change):
    """Parameters that weights were learned by can't change between batches; a refusal changes nothing."""
    X, y = table(classes=3)
    clf = Perceptron(solution="last", random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    network, kept = clf.network_, {name: getattr(clf, name) for name in change}
    with pytest.raises(InputError, match="goes on as it began"):
        clf.set_params(**change).partial_fit(X, y)
    assert clf.network_ is network
    clf.set_params(n_jobs=2, **kept).partial_fit(X, y)
    assert clf.t_ == 2 * len(y)


@NOT_CONVERGED
def test_partial_fit_pocket_keeps_the_longest_run():
    """A pocket carried over batches holds weights, exact ones."""
    X, y = table()
    clf = Perceptron(solution="pocket", shuffle=False)
    for _ in range(3):
        clf.partial_fit(X, y, classes=[0, 1])
    assert clf.network_.is_exact
    assert clf.score(X, y) > 0.5


@NOT_CONVERGED
def test_initial_weights_are_where_training_starts():
    """With weights that already separate, no epoch makes a mistake and they come back unchanged."""
    X = np.array([[1.0], [-1.0]])
    clf = Perceptron(solution="last", eta0=0.5).fit(X, [1, 0], coef_init=[[3.0]], intercept_init=[0.25])
    assert clf.n_mistakes_.tolist() == [0]
    assert clf.coef_.tolist() == [[3.0]]
    assert clf.intercept_.tolist() == [0.25]
    with pytest.raises(InputError, match="coef_init"):
        clf.fit(X, [1, 0], coef_init=[1.0, 2.0])


@NOT_CONVERGED
def test_eta0_only_scales_coef():
    """Without a penalty, another step length gives the same network and proportional coefficients."""
    X, y = table()
    one, other = quiet(X, y, random_state=0), quiet(X, y, random_state=0, eta0=0.125)
    assert one.network_ == other.network_
    assert np.array_equal(one.coef_ * 0.125, other.coef_)
    assert np.array_equal(one.decision_function(X) * 0.125, other.decision_function(X))


@NOT_CONVERGED
def test_rows_of_weight_zero_are_not_seen():
    """A row of weight 0 changes nothing, not even the number of steps."""
    X, y = table()
    weight = np.ones(len(y))
    weight[5:] = 0
    assert quiet(X, y, shuffle=False, sample_weight=weight).t_ % 5 == 0
    few = quiet(X[:5], y[:5], shuffle=False)
    assert quiet(X, y, shuffle=False, sample_weight=weight).network_ == few.network_


@NOT_CONVERGED
def test_class_weights_favour_their_class():
    """A heavy class is predicted more often; a list gives each output weights of its own."""
    X, y = table(n=200, seed=8)
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.3, 1 - y, y)
    light, heavy = (quiet(X, y, random_state=0, class_weight={0: 1, 1: w}).predict(X).sum() for w in (1, 20))
    assert heavy > light
    Y = np.stack([y, y], axis=1)
    each = quiet(X, Y, random_state=0, class_weight=[{0: 1, 1: 1}, {0: 1, 1: 20}]).predict(X).sum(axis=0)
    assert each.tolist() == [light, heavy]
    with pytest.raises(InputError, match="one dict for each"):
        quiet(X, Y, class_weight=[{0: 1, 1: 1}])


# Targets --------------------------------------------------------------------------------------------------------


@NOT_CONVERGED
def test_targets_in_every_form():
    """Lists, booleans, sparse indicators and one column give what arrays give."""
    X, y = table()
    Y = np.stack([y, 1 - y], axis=1)
    expected = quiet(X, Y, random_state=0).network_
    for form in (Y.tolist(), Y.astype(bool), Y.astype(float), sp.csr_array(Y), sp.csc_matrix(Y)):
        assert quiet(X, form, random_state=0).network_ == expected
    column = quiet(X, y[:, None], random_state=0)
    assert column.network_ == quiet(X, y, random_state=0).network_
    assert column.predict(X).shape == (len(X),)
    words = quiet(X, np.array(["no", "yes"])[y], random_state=0)
    assert set(words.predict(X)) <= {"no", "yes"}


@NOT_CONVERGED
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_constant_output_becomes_a_constant_neuron(fit_intercept):
    """An output that never changes gets a neuron that never changes, with a warning that names it."""
    X, y = table()
    Y = np.stack([np.ones_like(y), y, np.zeros_like(y)], axis=1)
    with pytest.warns(UserWarning, match=r"\{0: 1, 2: 0\}"):
        clf = Perceptron(random_state=0, fit_intercept=fit_intercept).fit(X, Y)
    far = np.concatenate([X, 100 * X, -100 * X])
    assert clf.predict(far)[:, 0].all()
    assert not clf.predict(far)[:, 2].any()
    assert not clf.coef_[[0, 2]].any()
    assert clf.network_.is_exact


def test_a_constant_output_is_no_mistake():
    """An output that is always 1 doesn't send averaged weights that fit every row back to the last ones."""
    X = np.array(list(itertools.product((0, 1), repeat=4)))
    Y = np.stack([X[:, 0], np.ones(len(X), dtype=int)], axis=1)
    with pytest.warns(UserWarning, match="never change"):
        clf = Perceptron(random_state=0).fit(X, Y)
    alone = Perceptron(random_state=0).fit(X, np.stack([X[:, 0]] * 2, axis=1))
    assert (clf.stop_reason_, clf.solution_, alone.solution_) == ("converged", "average", "average")
    assert np.array_equal(clf.coef_[0], alone.coef_[0])


@NOT_CONVERGED
@pytest.mark.filterwarnings("ignore:Outputs that never change")
@pytest.mark.parametrize("start", ["warm_start", "coef_init"])
def test_a_constant_output_is_constant_wherever_training_starts(start):
    """Weights that training starts from don't make a constant neuron change."""
    X, y = table()
    clf = Perceptron(random_state=0, warm_start=start == "warm_start")
    if start == "warm_start":
        clf.fit(X, np.stack([y, 1 - y], axis=1))
    initial = np.full((2, X.shape[1]), -7.0) if start == "coef_init" else None
    clf.fit(X, np.stack([y, np.ones_like(y)], axis=1), coef_init=initial)
    assert not clf.coef_[1].any()
    assert clf.predict(np.concatenate([X, 100 * X, -100 * X]))[:, 1].all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 1, 1, 1], "one class"),
        ([0.5, 1.2, 3.3, 4.1], "Unknown label type"),
        ([[0, 1], [1, 2], [0, 0], [1, 1]], "zeros and ones"),
        ([0, 1, np.nan, 1], "NaN"),
        ([0, 1, 0], "inconsistent"),
    ],
)
def test_bad_targets_are_named(y, message):
    """Each kind of bad target is refused, and nothing is fitted."""
    clf = Perceptron()
    with pytest.raises(ValueError, match=message):
        clf.fit(SQUARE, y)
    assert not [name for name in vars(clf) if name.endswith("_")]


# Bad input ------------------------------------------------------------------------------------------------------


def hostile(indices=None, indptr=None):
    """Return a CSR matrix with its index arrays replaced behind SciPy's back."""
    matrix = sp.csr_array(np.eye(4))
    if indices is not None:
        matrix.indices = np.array(indices, dtype=np.int32)
    if indptr is not None:
        matrix.indptr = np.array(indptr, dtype=np.int32)
    return matrix


BAD_X = {
    "nan": (np.array([[0.0, np.nan]] * 4), "NaN"),
    "infinity": (np.array([[0.0, np.inf]] * 4), "infinity"),
    "complex": (np.ones((4, 2)) * 1j, "[Cc]omplex"),
    "text": (np.array([["a", "b"]] * 4), "numeric|convert"),
    "objects": (np.array([[object(), 1]] * 4, dtype=object), "float|argument"),
    "one dimension": (np.ones(4), "2D|1D"),
    "no rows": (np.ones((0, 2)), "0 sample"),
    "index out of range": (hostile(indices=[0, 1, 2, 9]), "X must be a well-formed"),
    "negative index": (hostile(indices=[0, 1, 2, -1]), "X must be a well-formed"),
    "decreasing indptr": (hostile(indptr=[0, 3, 2, 3, 4]), "X must be a well-formed"),
    "indptr beyond the data": (hostile(indptr=[0, 1, 2, 3, 99]), "X must be a well-formed"),
}


@pytest.mark.parametrize("case", BAD_X)
def test_bad_rows_are_named_and_nothing_is_lost(case):
    """Each kind of bad array is refused at fit and at predict, and a fitted model stays as it was."""
    X, message = BAD_X[case]
    clf = Perceptron(random_state=0).fit(np.arange(8).reshape(4, 2), [0, 0, 1, 1])
    before = {name: value for name, value in vars(clf).items() if name.endswith("_")}
    with pytest.raises((ValueError, TypeError), match=message):
        clf.fit(X, [0, 1, 0, 1])
    assert {name: value for name, value in vars(clf).items() if name.endswith("_")} == before
    wide = clf if X.ndim < 2 or X.shape[1] == 2 else Perceptron().fit(np.eye(4, dtype=int), [0, 0, 1, 1])
    with pytest.raises((ValueError, TypeError), match=message):
        wide.predict(X)


@pytest.mark.parametrize(
    "damage",
    [{"indices": [0, 1, 2, 10**8]}, {"indices": [0, 1, 2, -1]}, {"indptr": [0, 3, 2, 3, 4]}],
)
def test_a_malformed_sparse_target_is_named(damage):
    """A sparse indicator whose index arrays lead out of it is refused before SciPy follows them."""
    clf = Perceptron()
    with pytest.raises(InputError, match="y must be a well-formed"):
        clf.fit(SQUARE, hostile(**damage))
    with pytest.raises(InputError, match="y must be a well-formed"):
        clf.partial_fit(SQUARE, hostile(**damage))
    assert not [name for name in vars(clf) if name.endswith("_")]


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf])
@pytest.mark.parametrize("y", [[0, 1, 0, 1], [0, 1, 2, 1], [[0, 1], [1, 1], [0, 0], [1, 0]]])
def test_bad_class_weights_are_named(weight, y):
    """A class can't weigh less than nothing, nor a number that isn't one."""
    classes = np.unique(y)
    with pytest.raises(InputError, match="class_weight"):
        Perceptron(class_weight={**dict.fromkeys(classes.tolist(), 1), 1: weight}).fit(SQUARE, y)


def test_too_few_rows_to_hold_out_are_named():
    """Early stopping where each row is the only one of its class is refused, with what to do."""
    clf = Perceptron(early_stopping=True)
    with pytest.raises(InputError, match="early_stopping=False"):
        clf.fit(SQUARE[:2], [0, 1])
    with pytest.raises(InputError, match="early_stopping=False"):
        clf.fit(SQUARE, [0, 0, 0, 1], sample_weight=[1, 0, 0, 0])
    assert not [name for name in vars(clf) if name.endswith("_")]


@NOT_CONVERGED
@pytest.mark.parametrize("shift", [0, 0.5])
def test_an_overflowing_step_length_is_named(shift):
    """A step so long that the weights aren't finite is refused, on whole numbers and others."""
    X, y = table()
    with pytest.raises(TrainingError, match="eta0"):
        Perceptron(eta0=1e308, random_state=0).fit(X + shift, y)


@pytest.mark.parametrize(
    ("weight", "message"),
    [([-1, 1, 1, 1], "[Nn]egative"), ([0, 0, 0, 0], "zero"), ([1, 1], "shape|inconsistent")],
)
def test_bad_sample_weights_are_named(weight, message):
    """Negative, all-zero and misshapen sample weights are refused."""
    with pytest.raises(ValueError, match=message):
        Perceptron().fit(SQUARE, [0, 0, 0, 1], sample_weight=weight)


@pytest.mark.parametrize("form", [np.array, sp.csr_array])
@pytest.mark.parametrize("labels", [[0, 1, 0, 1], [0, 1, 2, 1]])
def test_overflow_is_named(form, labels):
    """Floats that overflow while learning are a named error, not a silent model."""
    X = np.array([[1e200, 1e200], [1e200, -1.5e200], [-1e200, 1e200], [1.5, 2.5]])
    with pytest.raises(TrainingError, match="overflow"):
        Perceptron().fit(form(X), labels)
    tiny = np.array([[3e38, 1.5], [1.5, -3e38], [2e38, 2.0], [1.0, 1.0]], dtype=np.float32)
    with pytest.raises(TrainingError, match="overflow"):
        Perceptron().fit(form(tiny), labels)


@NOT_CONVERGED
def test_integers_too_large_to_be_exact_are_refused():
    """Huge integers are a NotExactError that says what to do; the same as floats are learned in floats."""
    X = np.array([[2**40, 3], [2**41, 5], [2**39, 7], [2**42, 1]])
    with pytest.raises(NotExactError, match="floats"):
        Perceptron().fit(X, [0, 1, 0, 1])
    clf = quiet(X.astype(float), [0, 1, 0, 1], random_state=0)
    assert not clf.network_.is_exact
    assert clf.network_.layers[0].weights.dtype == np.float64


@NOT_CONVERGED
def test_sums_move_to_int64_before_floats_would_round(monkeypatch):
    """Averaged sums beyond 2**53 are kept exactly, as plain Python has them."""
    X, y = table(n=12, d=2)
    X = X * 2**17
    w_sum = naive_perceptron.one_output(X.tolist(), np.where(y == 1, 1, -1).tolist(), 3, [2**9] * 12)[2]
    clf = quiet(X, y, shuffle=False, max_iter=3, sample_weight=np.full(12, 2**9))
    assert clf.network_.layers[0].dense().ravel().tolist() == w_sum


def test_parameters_are_checked_before_anything_else():
    """An unknown value of a parameter is refused by name; an erasing penalty too."""
    for wrong in ({"solution": "best"}, {"max_iter": 0}, {"eta0": 0.0}, {"multi_class": "ovo"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Perceptron(**wrong).fit(SQUARE, [0, 0, 0, 1])
    with pytest.raises(InputError, match="alpha"):
        Perceptron(penalty="l2", alpha=2.0).fit(SQUARE, [0, 0, 0, 1])


def test_unfitted_and_misshapen_calls_are_named():
    """Predicting needs a fit, and as many columns as the fit had."""
    with pytest.raises(NotFittedError):
        Perceptron().predict(SQUARE)
    with pytest.raises(ValueError, match="3 features"):
        Perceptron().fit(SQUARE, [0, 0, 0, 1]).predict(np.ones((2, 3)))


def test_predict_leaves_the_learned_domain():
    """Learned from zeros and ones, it still answers for other numbers, by the same weights."""
    clf = Perceptron(random_state=0).fit(SQUARE, [0, 0, 0, 1])
    assert clf.network_.domain == "binary"
    X = np.array([[0.5, 0.5], [3.0, 4.0], [-1.0, 0.25]])
    assert np.array_equal(clf.predict(X), (clf.decision_function(X) >= 0).astype(int))


# Interruption, logs, pickles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [0, 2])
def test_interrupted_between_kernels(epochs, monkeypatch, caplog):
    """Ctrl-C after whole epochs keeps the model of the last one and says so; before, it keeps what was there."""
    X, y = table()
    calls = []
    run = _training.Learner._run

    def interrupt(self, *args):
        calls.append(1)
        if len(calls) > epochs:
            raise KeyboardInterrupt
        return run(self, *args)

    clf = Perceptron(shuffle=False)
    monkeypatch.setattr(_training.Learner, "_run", interrupt)
    with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.WARNING, "limen"):
        clf.fit(X, y)
    if not epochs:
        assert not hasattr(clf, "network_")
        assert not hasattr(clf, "n_features_in_")
        return
    monkeypatch.undo()
    assert clf.stop_reason_ == "interrupted"
    assert "epoch 2" in caplog.text
    assert clf.network_ == quiet(X, y, shuffle=False, max_iter=2).network_


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("form", ["X", "sparse.csr_array(X)"])
def test_a_real_signal_leaves_a_usable_model(form):
    """SIGINT during a long fit ends it with KeyboardInterrupt and a model that predicts."""
    script = f"""
        import logging, sys
        import numpy as np
        from scipy import sparse
        from limen.learn import Perceptron
        logging.getLogger("limen").addHandler(logging.StreamHandler(sys.stdout))
        logging.getLogger("limen").setLevel(logging.INFO)
        rng = np.random.default_rng(0)
        X, y = rng.integers(0, 9, (3000, 20)), rng.integers(0, 2, 3000)
        clf = Perceptron(max_iter=10**9)
        try:
            clf.fit({form}, y)
        except KeyboardInterrupt:
            print("kept", clf.stop_reason_, clf.predict(X[:3]).shape, flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    ) as run:
        for line in run.stdout:
            if line.startswith("epoch 3 "):
                run.send_signal(signal.SIGINT)
                break
        rest = run.stdout.read()
    assert "kept interrupted (3,)" in rest


def test_epochs_are_logged_not_printed(capfd, caplog):
    """Each epoch is a record on the logger; nothing is printed unless `verbose`, and then to standard error."""
    with caplog.at_level(logging.INFO, "limen"):
        clf = Perceptron(random_state=0).fit(SQUARE, [0, 0, 0, 1])
    assert [record.n_mistakes for record in caplog.records] == clf.n_mistakes_.tolist()
    assert [record.epoch for record in caplog.records] == list(range(1, clf.n_iter_ + 1))
    assert capfd.readouterr() == ("", "")
    Perceptron(random_state=0, verbose=1).fit(SQUARE, [0, 0, 0, 1])
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("mistakes") == clf.n_iter_


@NOT_CONVERGED
@NOT_CONVERGED
@pytest.mark.parametrize("form", [np.array, sp.csr_array])
def test_a_kernel_call_is_short_on_narrow_tables(form, monkeypatch):
    """A row costs time however few features it has, and the bound on one kernel call counts that."""
    lengths, run = [], _training.Learner._run
    monkeypatch.setattr(_training, "CHUNK", 1 << 15)
    monkeypatch.setattr(
        _training.Learner,
        "_run",
        lambda self, lesson, order, *rest: lengths.append(len(order)) or run(self, lesson, order, *rest),
    )
    X, y = table(n=2000, d=1)
    quiet(form(X), y, random_state=0, max_iter=1)
    assert sum(lengths) == 2000
    assert max(lengths) <= (1 << 15) / _training.ROW


def test_copies_share_no_scratch_and_pickles_hold_none():
    """Copies of an estimator can go on learning in two threads, and a pickle is about as large as its weights."""
    X, y = table(n=20, d=5000)
    clf = quiet(X, y, random_state=0, solution="last", max_iter=2)
    mine, its = vars(clf._learner), vars(clf._learner.copy())
    for name in ("_view", "total", "total_bias"):
        assert not np.shares_memory(mine[name], its[name])
    for array, twin in zip(mine["state"], its["state"], strict=True):
        assert not np.shares_memory(array, twin)
    weights = clf._learner.state.weights.nbytes
    assert len(pickle.dumps(clf._learner)) < weights + 4000  # 4000 bytes for all that doesn't grow with them


def test_estimators_clone_and_pickle():
    """A clone is unfitted with the same parameters; a pickle predicts and goes on learning as the original."""
    X, y = table()
    clf = quiet(X, y, random_state=0, max_iter=3)
    again = pickle.loads(pickle.dumps(clf))
    assert again.network_ == clf.network_
    assert again.partial_fit(X, y).network_ == clf.partial_fit(X, y).network_
    assert clone(clf).get_params() == clf.get_params()
    assert not hasattr(clone(clf), "network_")


@NOT_CONVERGED
def test_metadata_routing_hands_on_sample_weights():
    """Through a pipeline with routing on, the weights asked for arrive."""
    from sklearn.pipeline import make_pipeline

    X, y = table()
    weight = np.arange(len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(Perceptron(random_state=0).set_fit_request(sample_weight=True))
        pipeline.fit(X, y, sample_weight=weight)
    assert pipeline[-1].network_ == quiet(X, y, random_state=0, sample_weight=weight).network_


@NOT_CONVERGED
def test_names_of_columns_are_names_of_inputs():
    """A table with names gives a network whose inputs bear them, and classes name the outputs."""
    import pandas as pd

    X, y = table(classes=3)
    names = ["height", "width", "age", "x >= 3", "é"]
    clf = quiet(pd.DataFrame(X, columns=names), np.array(["a", "b", "c"])[y])
    assert clf.network_.inputs == tuple(names)
    assert clf.network_.outputs == ("a", "b", "c")
    assert isinstance(clf.network_, limen.Network)


@NOT_CONVERGED
def test_a_class_without_a_name_is_a_class():
    """An empty label, or an empty column name, can't name an output or input, and is learned all the same."""
    import pandas as pd

    X, y = table(d=2, classes=3)
    labels = np.array(["", "b", "c"])[y]
    clf = quiet(pd.DataFrame(X, columns=["", "width"]), labels, random_state=0)
    assert set(clf.predict(pd.DataFrame(X, columns=["", "width"]))) <= {"", "b", "c"}
    assert clf.network_.outputs == ("y1", "y2", "y3")
    assert clf.network_.inputs == ("x1", "x2")


def test_one_huge_row_is_answered_too():
    """A row whose sums leave int64 is decided in floats, and so is the batch it is in."""
    clf = Perceptron(random_state=0).fit(np.array([[0, 1], [5, 2], [1, 7], [8, 3]]), [0, 1, 0, 1])
    X = np.array([[2**62, 1], [1, 2**62], [5, 2]])
    with pytest.raises(NotExactError):
        clf.network_(X)
    assert clf.predict(X).tolist() == [1, 0, 1]


@NOT_CONVERGED
def test_competing_classes_feel_the_l1_penalty_dense_and_sparse():
    """On rows without zeros both kernels truncate alike, and a strong penalty leaves some weights at zero."""
    X, y = table(classes=3, low=1, high=5)
    dense, sparse = (
        quiet(form(X), y, penalty="l1", alpha=0.3, shuffle=False, max_iter=3, solution="last")
        for form in (np.array, sp.csr_array)
    )
    np.testing.assert_allclose(dense.coef_, sparse.coef_, rtol=1e-9, atol=1e-12)
    assert (dense.coef_ == 0).any()
    assert not (quiet(X, y, shuffle=False, max_iter=3, solution="last", penalty="l2").coef_ == 0).any()
