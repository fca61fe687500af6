"""`separable`: its verdicts against a plain linear program over all rows, and its proofs checked again."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import warnings
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning

from limen.answer import Certificate
from limen.errors import InputError
from limen.learn import Perceptron, _separation, separable
from limen.learn._exact_separation import Combination, combination, decide_exactly
from limen.learn._two_classes import two_classes

MODULE = sys.modules[separable.__module__]
SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def naive(X, y):
    """Return whether ``side * (x · w + b) >= 1`` has a solution, all rows in one linear program."""
    X = np.asarray(X, dtype=float)
    sides = np.where(np.asarray(y) == max(y), 1.0, -1.0)
    largest = np.abs(X).max(initial=0.0) or 1.0
    rows = np.column_stack([X / largest, np.ones(len(X))]) * sides[:, np.newaxis]
    bounds = [(None, None)] * rows.shape[1]
    found = linprog(np.zeros(rows.shape[1]), A_ub=-rows, b_ub=-np.ones(len(X)), bounds=bounds)
    assert found.status in (0, 2)
    return found.status == 0


def exactly_right(network, X, fires):
    """Return whether one neuron has every row on its side, in fractions."""
    weights = [Fraction(w) for w in network.layers[0].dense()[:, 0].tolist()]
    bias = Fraction(network.layers[0].bias[0].item())
    for row, side in zip(np.asarray(X).tolist(), fires, strict=True):
        total = bias + sum(w * Fraction(x) for w, x in zip(weights, row, strict=True))
        if (total >= 0) != side:
            return False
    return True


def proved(answer, X, y):
    """Check all that an answer claims, and return whether the rows are separable."""
    y = np.asarray(y)
    dense = X.toarray() if sp.issparse(X) else np.asarray(X)
    fires = y == np.unique(y)[1]
    if answer.is_proved:
        assert answer.certificate is None
        assert np.array_equal(answer.network(X)[:, 0], fires)
        assert exactly_right(answer.network, dense, fires)
        return True
    assert answer.is_refuted
    assert answer.network is None
    shown = answer.certificate
    assert shown.check()
    assert shown.n_rows <= dense.shape[1] + 2
    assert np.array_equal(shown.firing, dense[list(shown.firing_indices)])
    assert np.array_equal(shown.resting, dense[list(shown.resting_indices)])
    assert fires[list(shown.firing_indices)].all()
    assert not fires[list(shown.resting_indices)].any()
    # None of its rows can be spared: there is one such combination only, and all rows are in it.
    indices = [*shown.firing_indices, *shown.resting_indices]
    signed = two_classes(X, y).signed(indices)
    again = combination(signed, range(len(indices)))
    assert again == Combination(list(range(len(indices))), [*shown.firing_counts, *shown.resting_counts])
    return False


# The verdict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_inputs", [2, 3])
def test_every_function_of_a_few_inputs(n_inputs):
    """14 functions of two inputs and 104 of three are threshold functions; two of each are constant."""
    X = np.array(list(product([0, 1], repeat=n_inputs)))
    codes = range(1, 2 ** len(X) - 1)
    labels = [[(code >> row) & 1 for row in range(len(X))] for code in codes]
    assert sum(proved(separable(X, y), X, y) for y in labels) == {2: 12, 3: 102}[n_inputs]


@pytest.mark.parametrize("kind", ["whole", "rounded", "float", "wide"])
def test_random_rows_against_a_linear_program(kind):
    """Verdicts are those of one linear program over all rows, and every proof holds."""
    rng = np.random.default_rng(1)
    seen = set()
    for turn in range(60):
        n, d = rng.integers(2, 30), rng.integers(1, 6)
        X = rng.integers(-2, 3, (n, d)) if kind == "whole" else rng.normal(size=(n, d))
        if kind == "rounded":
            X = X.round(1)
        if kind == "wide":
            X = X * 10.0 ** rng.integers(-4, 5, d)
        y = rng.integers(0, 2, n) if turn % 2 else (X.sum(axis=1) > X.sum() / n).astype(int)
        y[:2] = 0, 1
        verdict = proved(separable(X, y), X, y)
        seen.add(verdict)
        if kind != "wide":
            assert verdict == naive(X, y)
    assert seen == {True, False}


def test_the_oracle_knows_both_verdicts():
    """The plain linear program tells AND from XOR, as does its check of a neuron in fractions."""
    assert naive(SQUARE, [0, 0, 0, 1])
    assert not naive(SQUARE, [0, 1, 1, 0])
    network = separable(SQUARE, [0, 0, 0, 1]).network
    assert not exactly_right(network, SQUARE, [False, False, True, True])


def test_xor():
    """Both rows that fire and both that don't add up to 11."""
    answer = separable(SQUARE, ["no", "yes", "yes", "no"])
    assert not answer
    assert answer.certificate.firing.tolist() == [[0, 1], [1, 0]]
    assert answer.certificate.resting.tolist() == [[0, 0], [1, 1]]
    assert answer.certificate.firing_counts == answer.certificate.resting_counts == (1, 1)
    assert "'no' from 'yes'" in answer.says


def test_the_second_label_fires():
    """The neuron fires for the label that comes later in order, and is named after it if that is a text."""
    answer = separable([[0.0], [1.0], [2.0]], ["pear", "apple", "apple"])
    assert answer.network([[0.0], [1.0]]).ravel().tolist() == [1, 0]
    assert answer.network.outputs == ("pear",)
    assert "wider margin" in answer.says


def test_a_table_with_names():
    """Columns of a pandas table name the neuron's inputs and the certificate's columns."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(SQUARE, columns=["left", "right"])
    assert separable(table, [0, 0, 0, 1]).network.inputs == ("left", "right")
    assert separable(table, [0, 1, 1, 0]).certificate.inputs == ("left", "right")
    labels = pandas.Series(["no", "no", "no", "yes"])
    assert separable(table, labels).network.outputs == ("yes",)
    assert separable(table, labels.astype(object)).network.outputs == ("yes",)


@pytest.mark.parametrize(
    "dtype", [bool, np.uint8, np.int8, np.int64, np.uint64, np.float16, np.float32, float]
)
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sp.csr_array, sp.csc_matrix, sp.coo_array])
def test_all_types_and_layouts(dtype, form):
    """Numbers of any type, dense or sparse, have the verdicts of their values, and whole ones whole weights."""
    if form in (sp.csr_array, sp.csc_matrix, sp.coo_array) and dtype is np.float16:
        pytest.skip("SciPy has no sparse rows of float16")
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2 if dtype is bool else 100, (12, 3)).astype(dtype)
    X = form(values)
    for y in (values[:, 0] > values[:, 0].mean(), rng.integers(0, 2, 12)):
        answer = separable(X, y)
        assert proved(answer, X, y) == naive(values.astype(float), y.astype(int))
        assert answer.network is None or answer.network.layers[0].is_integer


def test_rows_of_no_column():
    """Without columns, rows of two classes are equal: one of each is a certificate."""
    answer = separable(np.zeros((3, 0)), [0, 1, 1])
    assert not proved(answer, np.zeros((3, 0)), [0, 1, 1])
    assert answer.certificate.n_rows == 2


def test_one_column():
    """In one column a gap separates; touching or crossing doesn't."""
    assert proved(separable([[1], [2], [5]], [1, 1, 0]), [[1], [2], [5]], [1, 1, 0])
    assert not proved(separable([[1], [2], [5]], [1, 0, 1]), [[1], [2], [5]], [1, 0, 1])


def test_two_rows():
    """Two rows are separable unless they are equal."""
    assert proved(separable([[3, 1], [3, 2]], [0, 1]), [[3, 1], [3, 2]], [0, 1])
    assert not proved(separable([[3, 1], [3, 1]], [0, 1]), [[3, 1], [3, 1]], [0, 1])


def test_constant_columns_change_nothing():
    """A column of one value, however large, is carried along."""
    X = np.column_stack([np.full(4, 1e300), SQUARE, np.zeros(4), np.full(4, -7.5)])
    assert proved(separable(X, [0, 1, 1, 1]), X, [0, 1, 1, 1])
    assert not proved(separable(X, [0, 1, 1, 0]), X, [0, 1, 1, 0])


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_a_row_in_both_classes_is_a_certificate(form):
    """Equal rows of both classes, also where one has a negative zero, are shown once each."""
    X = form(np.array([[0.5, 1.0], [3.0, 0.0], [2.0, 2.0], [3.0, -0.0]]))
    answer = separable(X, [0, 1, 1, 0])
    assert not proved(answer, X, [0, 1, 1, 0])
    assert (answer.certificate.firing_indices, answer.certificate.resting_indices) == ((1,), (3,))


def test_ties_are_seen():
    """A row exactly between two of the other class is a certificate; moved by 1e-12, it no longer is."""
    X = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]])
    assert not proved(separable(X, [0, 0, 1]), X, [0, 0, 1])
    for step in (1e-12, -1e-12):
        moved = X.copy()
        moved[2, 1] += step
        assert proved(separable(moved, [0, 0, 1]), moved, [0, 0, 1])


def test_a_tenth_and_two_tenths_are_not_three_tenths():
    """Floats are the fractions they are: 0.1 + 0.2 is more than 0.3, so that rows on a line are separable."""
    X = np.array([[0.1, 0.2], [0.2, 0.1], [0.15, 0.15]])
    lies_between = Fraction(0.1) + Fraction(0.2) == 2 * Fraction(0.15)
    assert not lies_between
    assert proved(separable(X, [0, 0, 1]), X, [0, 0, 1])


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12])
def test_narrow_gaps(gap):
    """Rows this far from a plane, on its two sides, are separated; on the wrong sides they aren't."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    normal = np.array([0.6, -0.8, 0.5])
    side = np.where(np.arange(60) % 2, 1, -1)
    X -= np.outer(X @ normal / (normal @ normal) - gap * side, normal)
    assert proved(separable(X, side), X, side)
    X -= np.outer(2 * gap * side, normal) * (1 + rng.random((60, 1)))
    mixed = side * np.where(rng.random(60) < 0.5, 1, -1)
    assert not proved(separable(X, mixed), X, mixed)


def test_neighbouring_floats():
    """A gap of one bit is a gap."""
    X = [[1.0], [np.nextafter(1.0, 2.0)]]
    assert proved(separable(X, [0, 1]), X, [0, 1])


def test_large_numbers():
    """Whole numbers float64 can't tell apart, and floats near its end, are decided exactly."""
    large = 2**62
    X = np.array([[large, 0], [large + 1, 0], [large + 2, 0]])
    assert not proved(separable(X, [0, 1, 0]), X, [0, 1, 0])
    assert separable(X, [0, 0, 1]).is_proved
    X = np.array([[1e300, -1e300], [1.5e300, 1e300], [-1e300, 3.0], [1e-300, 0.0]])
    assert proved(separable(X, [0, 1, 0, 1]), X, [0, 1, 0, 1]) == naive(X, [0, 1, 0, 1])


@pytest.mark.parametrize("size", [1e-310, 1e-160, 1e160, 1.7e308])
def test_sizes_at_the_ends_of_float64(size):
    """Numbers so small or large that sums of them leave float64 are decided without a warning, and rightly."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (14, 3)) * size
    for y in (np.arange(14) % 2, (X[:, 0] > 0).astype(int)):
        answer = separable(X, y)
        assert answer.is_proved == naive(X / size, y)
        assert answer.network is None or proved(answer, X, y)
        assert answer.certificate is None or answer.certificate.check()


def test_separable_beyond_float64_is_proved_without_a_network():
    """Where no weights in float64 do it, the answer says so instead of showing a neuron that errs."""
    X = [[0, 0], [3, 2**60], [6, 2**61 + 1]]
    net_inputs = [(2**61 + 1) // 3 * a - 2 * b - 1 for a, b in X]
    assert [z >= 0 for z in net_inputs] == [False, True, False]
    answer = separable(X, [0, 1, 0])
    assert answer
    assert answer.network is None
    assert "no weights in float64" in answer.says


def test_more_columns_than_rows():
    """Rows in general position are always separable when there are more columns than rows."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 40)), np.arange(20) % 2
    assert proved(separable(X, y), X, y)
    X[10:] = X[:10] + 0.0
    X[10:, 3] += 1e-9
    assert proved(separable(X, y), X, y)


def test_repeated_rows():
    """Copies of rows change nothing."""
    X = np.repeat(SQUARE, 30, axis=0)
    assert proved(separable(X, np.repeat([0, 0, 0, 1], 30)), X, np.repeat([0, 0, 0, 1], 30))
    assert not proved(separable(X, np.repeat([0, 1, 1, 0], 30)), X, np.repeat([0, 1, 1, 0], 30))


def test_known_tables():
    """Iris setosa is separable from the rest, the other two aren't; breast cancer's 30 columns aren't enough."""
    X, y = load_iris(return_X_y=True)
    assert [proved(separable(X, y == kind), X, y == kind) for kind in range(3)] == [True, False, False]
    assert not proved(separable(X[50:], y[50:]), X[50:], y[50:])
    X, y = load_breast_cancer(return_X_y=True)
    verdict = proved(separable(X, y), X, y)
    assert verdict == naive((X - X.mean(axis=0)) / X.std(axis=0), y)


def test_one_wrong_label_among_many():
    """Rows are added until the one that spoils it is found."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(1500, 4))
    y = X @ [1.0, 2.0, -1.0, 0.5] > 0
    assert proved(separable(X, y), X, y)
    y[np.argmax(np.abs(X @ [1.0, 2.0, -1.0, 0.5]))] ^= True
    assert not proved(separable(X, y), X, y)


def test_few_rows_are_active_at_first(monkeypatch):
    """A search that starts from a single row of each class finds the others it needs."""
    monkeypatch.setattr(_separation.Search, "start_from", lambda *args: None)
    monkeypatch.setattr(MODULE, "EPOCHS", (1,))
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 3))
    y = X[:, 0] + 0.3 * X[:, 1] > 0.1
    assert proved(separable(X, y), X, y)
    y[7] ^= True
    assert proved(separable(X, y), X, y) == naive(X, y.astype(int))


@pytest.mark.parametrize("patience", [0.0, 10.0])
def test_the_method_of_inner_points_agrees(patience, monkeypatch):
    """Where the simplex method isn't tried, or given up, verdicts and proofs are the same."""
    monkeypatch.setattr(_separation, "LARGE", 0 if patience else 1 << 18)
    monkeypatch.setattr(_separation, "PATIENCE", patience or 1e-9)
    X, y = load_iris(return_X_y=True)
    assert not proved(separable(X, y == 1), X, y == 1)
    assert proved(separable(X[:100], y[:100]), X[:100], y[:100])


def test_a_wrong_suggestion_is_put_right(monkeypatch):
    """Whatever the solver says, what is returned is exact."""
    solve = _separation.LinearProgram.solve

    def worse(self, **limits):
        outcome = solve(self, **limits)
        rng = np.random.default_rng(len(outcome.duals))
        outcome.x[:] = rng.normal(size=len(outcome.x))
        outcome.duals[:] = rng.normal(size=len(outcome.duals))
        return outcome

    monkeypatch.setattr(_separation.LinearProgram, "solve", worse)
    monkeypatch.setattr(MODULE, "EPOCHS", (1,))
    rng = np.random.default_rng(0)
    for turn in range(12):
        X = rng.integers(-9, 10, (25, 3)) / 4
        y = (X @ [1, 2, 3] > 0.3).astype(int) if turn % 2 else rng.integers(0, 2, 25)
        y[:2] = 0, 1
        assert proved(separable(X, y), X, y) == naive(X, y)


# The exact method -------------------------------------------------------------------------------------------


def test_the_exact_method_from_any_suggestion():
    """From good, bad and empty suggestions alike it ends with a combination or weights, and they hold."""
    rng = np.random.default_rng(4)
    seen = set()
    for turn in range(150):
        n, d = rng.integers(2, 12), rng.integers(1, 5)
        X = rng.integers(-2, 3, (n, d)) if turn % 2 else rng.normal(size=(n, d)).round(2)
        y = rng.integers(0, 2, n)
        y[:2] = 0, 1
        signed = two_classes(X, y).signed(np.arange(n))
        found = decide_exactly(signed, rng.random(n) * (rng.random(n) < 0.6) * (turn % 5 > 0))
        seen.add(type(found))
        assert isinstance(found, list) == naive(X, y)
        if isinstance(found, list):
            assert (signed @ np.array(found, dtype=object) > 0).all()
        else:
            assert len(found.rows) <= d + 2
            assert not any(np.array(found.counts, dtype=object) @ signed[found.rows])
            assert combination(signed, found.rows) == found
    assert seen == {list, Combination}


def test_a_combination_must_be_the_only_one_and_positive():
    """Rows that don't add up, add up in two ways, or only with a negative count, are refused."""
    rows = np.array([[1, 1], [2, 1], [-3, -2], [-1, -1], [1, 3]], dtype=object)
    assert combination(rows, [0, 1, 2]) is not None
    assert combination(rows, [0, 1]) is None
    assert combination(rows, [0, 1, 2, 3]) is None
    assert combination(rows, [0, 1, 4]) is None
    assert combination(rows, []) is None


def test_misplaced_rows_are_found_exactly():
    """A net input of exactly 0 fires; the least number below it doesn't, although floats round it away."""
    sample = two_classes([[1.0, 1e-30], [1.0, -1e-30], [1.0, 0.0]], [1, 0, 1])
    assert sample.misplaced([1.0, 1.0], -1.0).tolist() == []
    assert sample.misplaced([1.0, -1.0], -1.0).tolist() == [0, 1]
    assert sample.misplaced([-1.0, 0.0], 1.0).tolist() == [1]


# Certificates -----------------------------------------------------------------------------------------------


def corrupted(shown, **changes):
    """Return a certificate with some of its parts exchanged."""
    parts = {
        name: changes.get(name, copy.copy(getattr(shown, name)))
        for name in (
            "firing",
            "resting",
            "firing_counts",
            "resting_counts",
            "firing_indices",
            "resting_indices",
            "inputs",
            "decide",
        )
    }
    return Certificate(**parts)


def test_corrupted_certificates_are_rejected():
    """A changed count, a changed number, another index, swapped classes or a row outside the data don't pass."""
    X, y = load_iris(return_X_y=True)
    shown = separable(X, y == 1).certificate
    assert corrupted(shown).check()
    first = shown.firing.copy()
    first[0, 0] += 1e-9
    counts = (shown.firing_counts[0] + 1, *shown.firing_counts[1:])
    assert not corrupted(shown, firing_counts=counts).check()
    assert not corrupted(shown, firing=first).check()
    for wrong in ((shown.firing_indices[0] + 1) % 150, shown.resting_indices[0], 150, -1):
        assert not corrupted(shown, firing_indices=(wrong, *shown.firing_indices[1:])).check()
    swapped = {
        "firing": shown.resting,
        "resting": shown.firing,
        "firing_counts": shown.resting_counts,
        "resting_counts": shown.firing_counts,
        "firing_indices": shown.resting_indices,
        "resting_indices": shown.firing_indices,
    }
    assert not corrupted(shown, **swapped).check()


def test_rows_made_up_are_rejected():
    """Rows with equal sums that aren't rows of the data show nothing about the data."""
    shown = separable(SQUARE, [0, 1, 1, 0]).certificate
    twice = {"firing": shown.firing * 2, "resting": shown.resting * 2}
    assert corrupted(shown, **twice, decide=None).check()
    assert not corrupted(shown, **twice).check()


def test_certificates_can_be_stored():
    """A certificate comes back from a pickle with the data it is about, dense or sparse."""
    for X in (SQUARE, sp.csr_array(SQUARE)):
        again = pickle.loads(pickle.dumps(separable(X, [0, 1, 1, 0]).certificate))
        assert again.check()
        assert again.decide(again.firing + 1, again.firing_indices).tolist() == [-1, -1]


# At the door ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (SQUARE, [1, 1, 1, 1], "two classes. Received: 1"),
        (SQUARE, [0, 1, 2, 3], "two classes. Received: 4 .*one class against the rest"),
        (SQUARE, [0, 1, 1], "one label for each of the 4 rows"),
        (SQUARE, [[0, 1], [1, 1], [0, 1], [0, 0]], "one label for each"),
        (SQUARE, [0.0, 1.0, np.nan, 1.0], "a label for every row"),
        (SQUARE, np.array([0, "a", None, 1], dtype=object), "can be sorted"),
        ([[0.0, np.nan], [1.0, 2.0]], [0, 1], "X must be finite. Received: nan"),
        ([[0.0, np.inf], [1.0, 2.0]], [0, 1], "X must be finite. Received: inf"),
        (sp.csr_array([[0.0, np.inf], [1.0, 2.0]]), [0, 1], "X must be finite"),
        (np.zeros((0, 3)), [], "at least one row"),
        ([1.0, 2.0], [0, 1], "table of shape"),
        ([["a"], ["b"]], [0, 1], "booleans, integers or floats"),
        ([[1, 2], [3]], [0, 1], "rows of one length"),
        ([[1j], [2]], [0, 1], "booleans, integers or floats"),
    ],
)
def test_what_is_refused(X, y, message):
    """What can't be asked about is refused with what was expected, what came, and what to do."""
    with pytest.raises(InputError, match=message):
        separable(X, y)


@pytest.mark.parametrize("limit", [0, -1, "1", np.nan, True])
def test_time_limits_that_are_refused(limit):
    """A time limit is a number of seconds above 0."""
    with pytest.raises(InputError, match="time_limit"):
        separable(SQUARE, [0, 1, 1, 0], time_limit=limit)


# Time and Ctrl-C --------------------------------------------------------------------------------------------


def test_out_of_time_is_unknown():
    """An answer that didn't come in time is unknown, says so, and is neither true nor false."""
    X, y = load_iris(return_X_y=True)
    answer = separable(X, y == 1, time_limit=1e-9)
    assert answer.is_unknown
    assert "in time" in answer.says
    assert answer.network is answer.certificate is None
    with pytest.raises(ValueError, match="unknown"):
        bool(answer)


@pytest.mark.skipif(
    sys.platform == "win32" or bool(os.environ.get("NUMBA_DISABLE_JIT")),
    reason="signals of POSIX, and a second of compiled code",
)
def test_a_signal_stops_it_within_a_second():
    """SIGINT ends a search that would go on for long."""
    script = """
        import os, signal, sys, threading, time
        import numpy as np
        import limen.learn
        from limen.learn import _separation

        module = sys.modules["limen.learn.separability"]
        module._taught = lambda *args: None
        _separation.LARGE = 1 << 40  # one long simplex method
        decide = _separation.Search.decide

        def interrupt():
            print(time.time(), flush=True)
            os.kill(os.getpid(), signal.SIGINT)

        def interrupted(self, *args):
            self.activate(np.arange(900))
            threading.Timer(0.5, interrupt).start()
            return decide(self, *args)

        _separation.Search.decide = interrupted
        rng = np.random.default_rng(0)
        try:
            limen.learn.separable(rng.normal(size=(900, 300)), rng.integers(0, 2, 900))
        finally:
            print(time.time(), flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == -signal.SIGINT, done.stdout + done.stderr
    sent, heard = map(float, done.stdout.split())
    assert heard - sent < 1.0


# The estimator's warning ------------------------------------------------------------------------------------


def test_the_perceptrons_warning_points_here():
    """Who is told that training didn't converge is told whom to ask whether it can."""
    with pytest.warns(ConvergenceWarning, match=r"limen\.learn\.separable\(X, y\)"):
        Perceptron(max_iter=3, random_state=0).fit(SQUARE, [0, 1, 1, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        separable(SQUARE, [0, 1, 1, 0])
