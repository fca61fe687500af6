"""The rules a perceptron is taught by: margins, and passive-aggressive steps."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

import naive_perceptron
from limen.errors import InputError
from limen.learn import Perceptron

FORMS = pytest.mark.parametrize("form", [np.array, sp.csr_array])
VARIANTS = pytest.mark.parametrize("variant", ["pa1", "pa2"])
EPOCHS = 3


def table(classes=2, seed=0, n=50, d=5):
    """Return real-valued rows, and labels that overlap."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(n, d)), 3)
    y = (X @ rng.normal(size=(d, classes)) + rng.normal(size=(n, classes))).argmax(axis=1)
    y[:classes] = np.arange(classes)
    return X, y


def fitted(X, y, sample_weight=None, **settings):
    """Return a perceptron after a few epochs in the order of the rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf = Perceptron(**({"shuffle": False, "max_iter": EPOCHS} | settings))
        return clf.fit(X, y, sample_weight=sample_weight)


def close(clf, weights, bias, n_steps=1):
    """Whether coefficients are those of plain Python, but for rounding."""
    scale = np.abs(clf.coef_).max()
    coef = np.reshape(weights, clf.coef_.shape) / n_steps
    intercept = np.reshape(bias, clf.intercept_.shape) / n_steps
    return np.allclose(clf.coef_, coef, rtol=1e-9, atol=1e-9 * scale) and np.allclose(
        clf.intercept_, intercept, rtol=1e-9, atol=1e-9 * scale
    )


# Passive-aggressive -----------------------------------------------------------------------------------------


@FORMS
@VARIANTS
@pytest.mark.parametrize(("C", "margin"), [(1.0, None), (0.05, None), (0.5, 2.5)])
def test_one_neuron_equals_plain_python(form, variant, C, margin):
    """Last and averaged weights and the mistakes are those of the rule written out, weights on rows included."""
    X, y = table()
    weight = np.random.default_rng(1).choice([0.5, 1.0, 2.0], len(y))
    signs = np.where(y == 1, 1, -1)
    w, b, w_sum, b_sum, mistakes = naive_perceptron.aggressive(
        X.tolist(), signs.tolist(), EPOCHS, variant, C, margin or 1.0, weight.tolist()
    )
    settings = {"update": variant, "C": C, "margin": margin, "sample_weight": weight}
    last, average = (fitted(form(X), y, solution=name, **settings) for name in ("last", "average"))
    assert last.n_mistakes_.tolist() == average.n_mistakes_.tolist() == mistakes
    assert close(last, w, b)
    assert close(average, w_sum, b_sum, len(mistakes) * len(y))
    assert not close(last, w_sum, b_sum)


@FORMS
@VARIANTS
@pytest.mark.parametrize("n_classes", [3, 6])
def test_one_vs_rest_is_so_many_neurons(form, variant, n_classes):
    """Each class learns what a neuron of its own learns, and the mistakes add up."""
    X, y = table(classes=n_classes)
    clf = fitted(form(X), y, solution="last", multi_class="ovr", update=variant, C=0.3)
    alone = [
        naive_perceptron.aggressive(X.tolist(), np.where(y == k, 1, -1).tolist(), EPOCHS, variant, 0.3)
        for k in range(n_classes)
    ]
    assert close(clf, [w for w, *_ in alone], [b for _, b, *_ in alone])
    assert clf.n_mistakes_.tolist() == np.sum([mistakes for *_, mistakes in alone], axis=0).tolist()


@FORMS
@VARIANTS
@pytest.mark.parametrize("n_classes", [3, 6])
def test_competing_classes_equal_plain_python(form, variant, n_classes):
    """The true class and its best rival share the step; weights on rows and classes multiply it."""
    X, y = table(classes=n_classes)
    weight = np.random.default_rng(1).choice([0.5, 1.0, 2.0], len(y))
    costs = dict(enumerate(np.linspace(0.5, 2, n_classes)))
    weights = [s * costs[k] for s, k in zip(weight.tolist(), y.tolist(), strict=True)]
    w, b, w_sum, b_sum, mistakes = naive_perceptron.aggressive_competing(
        X.tolist(), y.tolist(), n_classes, EPOCHS, variant, 0.3, 1.0, weights
    )
    settings = {"update": variant, "C": 0.3, "class_weight": costs, "sample_weight": weight}
    last, average = (fitted(form(X), y, solution=name, **settings) for name in ("last", "average"))
    assert last.n_mistakes_.tolist() == mistakes
    assert close(last, w, b)
    assert close(average, w_sum, b_sum, len(mistakes) * len(y))


@VARIANTS
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_without_a_bias_it_is_scikit_learns(load, variant):
    """Without bias and weights on rows, the coefficients are those of scikit-learn's own implementation."""
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    clf = fitted(X, y, solution="last", multi_class="ovr", update=variant, C=0.1, fit_intercept=False)
    theirs = SGDClassifier(
        loss="hinge",
        learning_rate=variant,
        eta0=0.1,
        penalty=None,
        shuffle=False,
        fit_intercept=False,
        max_iter=EPOCHS,
        tol=None,
    ).fit(X, y)
    np.testing.assert_allclose(clf.coef_, theirs.coef_, rtol=1e-9, atol=1e-9)


@FORMS
@VARIANTS
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int8])
def test_a_hard_step_gives_a_row_its_margin(form, variant, kind):
    """With C so large that nothing limits it, the row just taught has net input 1 or -1: the rule's definition."""
    rng = np.random.default_rng(0)
    X = rng.integers(-4, 5, (9, 70)).astype(kind)
    for y in ([0, 1] + [0] * 7, [0, 1, 2] * 3):
        clf = fitted(form(X), y, solution="last", multi_class="ovr", update=variant, C=1e12, max_iter=1)
        net = clf.decision_function(X[-1:].astype(float)).ravel()
        signs = np.where(np.arange(3) == y[-1], 1, -1) if 2 in y else np.array([1 if y[-1] else -1])
        np.testing.assert_allclose((signs * net)[signs * net < 1.01], 1, rtol=1e-4)
        assert (signs * net > 0.99).all()
        assert not clf.network_.is_exact


def test_a_row_inside_its_margin_is_no_mistake():
    """A row on the right side but inside the margin is taught, and isn't counted."""
    X, y = np.array([[0.5], [-0.5]]), [1, 0]
    given = {"coef_init": [[1.0]], "intercept_init": [0.0]}
    clf = Perceptron(solution="last", update="pa1", shuffle=False).fit(X, y, **given)
    assert (clf.stop_reason_, clf.n_mistakes_.tolist()) == ("converged", [0])
    assert clf.coef_[0, 0] > 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solution", ["average", "last", "pocket"])
def test_batches_go_on_passive_aggressively(solution):
    """Batches give what epochs over all rows give, and a change of the rule between them is refused."""
    X, y = table(classes=3)
    clf = Perceptron(update="pa1", solution=solution, shuffle=False)
    for start in range(0, len(X), 20):
        clf.partial_fit(X[start : start + 20], y[start : start + 20], classes=[0, 1, 2])
    whole = fitted(X, y, update="pa1", solution=solution, max_iter=1)
    np.testing.assert_allclose(clf.coef_, whole.coef_, rtol=1e-12)
    for change in ({"update": "pa2"}, {"C": 0.5}, {"margin": 2.0}):
        other = Perceptron(update="pa1").partial_fit(X, y, classes=[0, 1, 2])
        with pytest.raises(InputError, match=r"goes on as it began: .*update, margin, C"):
            other.set_params(**change).partial_fit(X, y)


# Margins ----------------------------------------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32])
def test_a_margin_is_kept_exactly(form, kind):
    """With a margin the whole-number weights are plain Python's, whatever type the rows came in."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 9, (60, 5)), rng.integers(0, 3, 60)
    for margin in (3, 40.5):
        w, b, _, _, mistakes = naive_perceptron.competing(X.tolist(), y.tolist(), 3, EPOCHS, margin)
        clf = fitted(form(X.astype(kind)), y, solution="last", margin=margin)
        assert clf.network_.is_exact
        assert clf.network_.layers[0].dense().T.tolist() == w
        assert clf.network_.layers[0].bias.tolist() == b
        assert clf.n_mistakes_.tolist() == mistakes
        signs = np.where(y == 1, 1, -1).tolist()
        w, b, _, _, mistakes = naive_perceptron.one_output(X.tolist(), signs, EPOCHS, None, margin)
        clf = fitted(form(X.astype(kind)), y == 1, solution="last", margin=margin)
        assert clf.network_.layers[0].dense().ravel().tolist() == w
        assert clf.n_mistakes_.tolist() == mistakes


def test_converged_rows_are_outside_the_margin():
    """Where training with a margin converged, the last weights put every row beyond it, in units of coef_."""
    X, y = load_iris(return_X_y=True)
    for eta0 in (1.0, 0.25):
        clf = Perceptron(solution="last", margin=2.0, eta0=eta0, random_state=0, max_iter=10_000).fit(
            X, y == 0
        )
        assert clf.stop_reason_ == "converged"
        assert (np.where(y == 0, 1, -1) * clf.decision_function(X) > 2 * (1 - 1e-12)).all()


def test_the_unit_of_a_margin_is_that_of_coef():
    """Twice the margin with twice the step is the same training: weights twice as large."""
    X, y = table()
    one, two = fitted(X, y, margin=1.5), fitted(X, y, margin=3.0, eta0=2.0)
    assert np.array_equal(2 * one.coef_, two.coef_)


# Refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"update": "pa3"}, "update"),
        ({"margin": -1.0}, "margin"),
        ({"margin": np.inf}, "margin"),
        ({"margin": np.nan}, "margin"),
        ({"C": 0}, "'C'"),
        ({"C": np.inf}, "'C'"),
        ({"unknown_classes": "ignore"}, "unknown_classes"),
        ({"update": "pa1", "eta0": 0.5}, "eta0 must be 1 with update='pa1'.* Set C"),
        ({"update": "pa2", "penalty": "l2"}, "penalty must be None with update='pa2'.*'l2'"),
        ({"update": "pa1", "margin": 0}, "margin must be above 0 with update='pa1'"),
    ],
)
def test_rules_that_make_no_sense_are_named(settings, message):
    """Each parameter that can't be, alone or beside another, is refused by name, and nothing is fitted."""
    X, y = table()
    clf = Perceptron(**settings)
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y)
    assert not [name for name in vars(clf) if name.endswith("_")]
