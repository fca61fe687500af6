"""Early stopping by a validation set of the user's own."""

import itertools
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from limen.errors import InputError
from limen.learn import Perceptron, _course

SQUARE = np.array(list(itertools.product((0, 1), repeat=2)))


def table(classes=3, n=90, d=6, seed=0):
    """Return whole-number rows, overlapping labels, and as many rows and labels to validate by."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-4, 5, (2 * n, d))
    y = (X @ rng.normal(size=(d, classes)) + 5 * rng.normal(size=(2 * n, classes))).argmax(axis=1)
    return X[:n], y[:n], X[n:], y[n:]


def fitted(X, y, *, X_val=None, y_val=None, **settings):
    """Return a fitted perceptron without the warning that it never converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Perceptron(**({"random_state": 0} | settings)).fit(X, y, X_val=X_val, y_val=y_val)


def kinds(y):
    """Return labels of two classes, of three, and of two outputs."""
    return {"binary": y > 0, "multiclass": y, "multioutput": (y[:, None] == [0, 1]).astype(int)}


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multioutput"])
@pytest.mark.parametrize("solution", ["average", "last", "pocket"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_best_epoch_on_the_set_is_kept(kind, solution, early_stopping):
    """The model is that of the first epoch with the best score on the set, found by fitting each number of epochs."""
    X, y, X_val, y_val = table()
    y, y_val = kinds(y)[kind], kinds(y_val)[kind]
    clf = fitted(
        X, y, X_val=X_val, y_val=y_val, solution=solution, early_stopping=early_stopping, n_iter_no_change=4
    )
    assert clf.stop_reason_ == "early_stopping"
    assert clf.t_ == clf.n_iter_ * len(X)  # no training row is held out
    each = [fitted(X, y, solution=solution, max_iter=n) for n in range(1, clf.n_iter_ + 1)]
    scores = [np.mean(one.predict(X_val) == y_val) for one in each]
    best = int(np.argmax(scores))
    assert clf.n_iter_ == best + 1 + 4
    assert clf.network_ == each[best].network_


def test_a_set_changes_nothing_but_the_end():
    """Epochs go as they go without a set: the same mistakes, one by one."""
    X, y, X_val, y_val = table()
    clf = fitted(X, y, X_val=X_val, y_val=y_val)
    assert clf.n_mistakes_.tolist() == fitted(X, y, max_iter=clf.n_iter_).n_mistakes_.tolist()


def test_convergence_wins():
    """An epoch without a mistake ends training, whatever the set says, and its weights are kept."""
    clf = fitted(SQUARE, [0, 0, 0, 1], X_val=SQUARE, y_val=[1, 1, 1, 0], n_iter_no_change=50)
    assert clf.stop_reason_ == "converged"
    assert clf.score(SQUARE, [0, 0, 0, 1]) == 1


@pytest.mark.parametrize("form", [np.array, sp.csr_array, sp.csc_array, np.float32])
def test_a_set_in_every_form_is_one_set(form):
    """Sparse, dense, another type or a target of one column: the same model."""
    X, y, X_val, y_val = table()
    expected = fitted(X, y, X_val=X_val, y_val=y_val)
    found = fitted(X, y, X_val=form(X_val), y_val=y_val[:, None])
    assert found.network_ == expected.network_
    assert found.n_iter_ == expected.n_iter_


def test_a_set_may_leave_the_domain_of_the_rows():
    """Trained on zeros and ones, validated on other numbers: judged as `predict` judges them."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (80, 6)), rng.integers(0, 2, 80)
    X_val, y_val = rng.normal(size=(80, 6)), rng.integers(0, 2, 80)
    clf = fitted(X, y, X_val=X_val, y_val=y_val, n_iter_no_change=3)
    scores = [fitted(X, y, max_iter=n).score(X_val, y_val) for n in range(1, clf.n_iter_ + 1)]
    assert clf.score(X_val, y_val) == max(scores)
    assert clf.network_.domain == "binary"


def test_a_set_is_judged_in_pieces(monkeypatch):
    """How many rows are judged in one call changes nothing."""
    from limen.learn import _deciding

    X, y, X_val, y_val = table()
    expected = fitted(X, y, X_val=X_val, y_val=y_val, solution="pocket")
    lengths, answers = [], _course.answers

    def counted(*args):
        for which, outputs in answers(*args):
            lengths.append(len(which))
            yield which, outputs

    monkeypatch.setattr(_deciding, "PIECE", 1000)
    monkeypatch.setattr(_course, "answers", counted)
    for form in (np.array, sp.csr_array):
        found = fitted(form(X), y, X_val=form(X_val), y_val=y_val, solution="pocket")
        assert found.network_ == expected.network_
        assert found.n_iter_ == expected.n_iter_
    assert max(lengths) < 20


def test_a_set_is_checked_before_anything_is_learned():
    """Half a set, other features, unknown labels, other outputs: each is named, and nothing is fitted."""
    X, y, X_val, y_val = table()
    several = kinds(y)["multioutput"]
    cases = [
        (y, X_val, None, "given together.*X_val without y_val"),
        (y, None, y_val, "given together.*y_val without X_val"),
        (y, X_val[:, :4], y_val, "4 features"),
        (y, X_val[:5], y_val, "inconsistent"),
        (y, X_val * np.nan, y_val, "NaN"),
        (y, X_val, y_val + 1, r"y_val must hold labels of y: .*3"),
        (y, X_val, several, "y_val must be of shape .n_rows,., as y"),
        (several, X_val, y_val, "y_val must be of shape .n_rows, 2., as y"),
        (several, X_val, several[:, [0, 1, 1]], "y_val must be of shape .n_rows, 2., as y"),
        (several, X_val, 2 * several, "y_val.*zeros and ones"),
    ]
    for target, rows, labels, message in cases:
        clf = Perceptron()
        with pytest.raises(ValueError, match=message):
            clf.fit(X, target, X_val=rows, y_val=labels)
        assert not vars(clf).keys() - clf.get_params().keys()
    with pytest.raises(InputError):
        Perceptron().fit(X, y, X_val=X_val)


def test_one_class_is_enough_to_validate_by():
    """A set that holds only some of the labels is one to judge by."""
    X, y, X_val, y_val = table()
    clf = fitted(X, y, X_val=X_val[y_val == 2], y_val=y_val[y_val == 2])
    assert clf.stop_reason_ == "early_stopping"
