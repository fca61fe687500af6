"""`fewest_removals`: its bounds against trying all subsets, and everything it returns checked again."""

import time
from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.datasets import load_breast_cancer, load_iris

from limen.errors import InputError
from limen.learn import Removal, fewest_removals, separable
from limen.learn._separation import Cover

SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def separates(X, y):
    """Return whether ``side * (x · w + b) >= 1`` has a solution."""
    rows = np.column_stack([X, np.ones(len(X))]) * np.where(y, 1.0, -1.0)[:, np.newaxis]
    bounds = [(None, None)] * rows.shape[1]
    found = linprog(np.zeros(rows.shape[1]), A_ub=-rows, b_ub=-np.ones(len(X)), bounds=bounds)
    assert found.status in (0, 2)
    return found.status == 0


def naive(X, y):
    """Return the fewest rows to leave out, by trying no row, each row, each pair, and so on."""
    n = len(y)
    for size in range(n):
        for left_out in combinations(range(n), size):
            kept = [row for row in range(n) if row not in left_out]
            if separates(X[kept], y[kept]):
                return size
    return n


def checked(removal, X, y):
    """Check all that a removal claims, except that no fewer rows hit its certificates."""
    y = np.asarray(y)
    fires = y == np.unique(y)[1]
    rows = X.toarray() if sp.issparse(X) else np.asarray(X)
    assert 0 <= removal.lower <= removal.upper == len(set(removal.rows)) == len(removal.rows)
    kept = np.setdiff1d(np.arange(len(y)), removal.rows)
    assert np.array_equal(removal.network(rows[kept])[:, 0], fires[kept])
    assert all(shown.check() for shown in removal.certificates)
    assert bool(removal.certificates) == (removal.lower > 0)
    return removal


def hits_all(removal, chosen, X, y):
    """Return whether each certificate has a row that equals, class and all, one of some rows of the data."""
    gone = {(tuple(X[row].tolist()), bool(y[row])) for row in chosen}
    for shown in removal.certificates:
        rows = [(tuple(row), True) for row in shown.firing.tolist()]
        rows += [(tuple(row), False) for row in shown.resting.tolist()]
        if not gone & set(rows):
            return False
    return True


@pytest.mark.parametrize("kind", ["whole", "float"])
def test_against_all_subsets(kind):
    """The bounds meet at what trying all subsets finds; fewer rows never hit all certificates."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(12):
        n, d = int(rng.integers(4, 10)), int(rng.integers(1, 4))
        X = rng.integers(0, 3, (n, d)) if kind == "whole" else rng.normal(size=(n, d))
        y = rng.integers(0, 2, n).astype(bool)
        y[:2] = False, True
        removal = checked(fewest_removals(X, y, time_limit=None), X, y)
        assert removal.is_exact
        assert removal.upper == naive(X.astype(float), y)
        seen.add(removal.upper)
        if removal.upper:
            fewer = combinations(range(n), removal.upper - 1)
            # A certificate's row stands for its equals, so leaving out some of them isn't enough.
            different = len(np.unique(np.column_stack([X, y]), axis=0)) == n
            assert not different or not any(hits_all(removal, chosen, X, y) for chosen in fewer)
            assert hits_all(removal, removal.rows, X, y)
    assert len(seen) > 2


def test_the_oracles_can_say_no():
    """Trying all subsets finds XOR's one row, and a certificate that is missed is noticed."""
    y = np.array([False, True, True, False])
    assert naive(SQUARE.astype(float), y) == 1
    removal = fewest_removals(SQUARE, y)
    assert not hits_all(removal, [], SQUARE, y)
    assert hits_all(removal, [3], SQUARE, y)


def test_separable_rows_need_no_removal():
    """Of separable rows none has to go, and there is nothing to certify."""
    removal = checked(fewest_removals(SQUARE, [0, 0, 0, 1]), SQUARE, [0, 0, 0, 1])
    assert (removal.lower, removal.upper, removal.rows, removal.certificates) == (0, 0, (), ())


def test_xor():
    """One row of XOR has to go."""
    removal = checked(fewest_removals(SQUARE, [0, 1, 1, 0]), SQUARE, [0, 1, 1, 0])
    assert removal.is_exact
    assert removal.upper == 1
    assert repr(removal) == "Removal(1 row is the fewest)"


def test_equal_rows_of_both_classes():
    """Of equal rows the rarer class goes, all of it."""
    X = np.array([[1, 2]] * 5 + [[0, 0]] * 4)
    y = [1, 1, 0, 0, 0, 0, 0, 0, 1]
    removal = checked(fewest_removals(X, y), X, y)
    assert removal.is_exact
    assert removal.rows == (0, 1, 8)


def test_copies_count():
    """A row that is there three times costs three rows."""
    X = np.repeat(SQUARE, [3, 3, 3, 2], axis=0)
    y = np.repeat([0, 1, 1, 0], [3, 3, 3, 2])
    removal = checked(fewest_removals(X, y), X, y)
    assert removal.is_exact
    assert removal.rows == (9, 10)


def test_a_whole_class_may_have_to_go():
    """Rows around all rows of the other class: it goes, and the neuron always does the same."""
    X = np.array([[-2], [2], [0], [-3], [3]])
    removal = checked(fewest_removals(X, [0, 0, 1, 0, 0]), X, [0, 0, 1, 0, 0])
    assert removal.rows == (2,)
    assert removal.network(X).ravel().tolist() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_matrix, np.asfortranarray])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, bool])
def test_types_and_layouts(form, dtype):
    """The fewest rows don't depend on how the same numbers are stored."""
    rng = np.random.default_rng(1)
    values, y = rng.integers(0, 2, (14, 3)).astype(dtype), rng.integers(0, 2, 14)
    X = form(values)
    removal = checked(fewest_removals(X, y), X, y)
    assert removal.is_exact
    assert removal.upper == checked(fewest_removals(values.astype(float), y), values, y).upper


def test_rows_of_no_column():
    """Without columns one class has to go."""
    removal = fewest_removals(np.zeros((5, 0)), [0, 1, 1, 0, 1])
    assert removal.is_exact
    assert removal.rows == (0, 3)


def test_ties_and_narrow_gaps():
    """A row on the line between two others has to go; 1e-12 beside it, none has."""
    X = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]])
    assert fewest_removals(X, [0, 0, 1]).upper == fewest_removals(X, [0, 0, 1]).lower == 1
    X[2, 0] += 1e-12
    assert fewest_removals(X, [0, 0, 1]).upper == 0


@pytest.mark.parametrize(("kind", "fewest"), [(0, 0), (2, 1)])
def test_iris(kind, fewest):
    """Setosa is separable from the rest, virginica but for one flower."""
    X, y = load_iris(return_X_y=True)
    removal = checked(fewest_removals(X, y == kind), X, y == kind)
    assert removal.is_exact
    assert removal.upper == fewest
    kept = np.setdiff1d(np.arange(150), removal.rows)
    assert separable(X[kept], y[kept] == kind)


def test_the_hard_one_of_iris_is_bounded():
    """Versicolor lies between the others: bounds after little time are apart, and true."""
    X, y = load_iris(return_X_y=True)
    removal = checked(fewest_removals(X, y == 1, time_limit=1.5), X, y == 1)
    assert 1 <= removal.lower <= 25  # 25 are enough
    assert 25 <= removal.upper <= 40
    assert not removal.is_exact
    assert repr(removal) == f"Removal(at least {removal.lower}, at most {removal.upper} rows)"


@pytest.mark.parametrize(("n_columns", "fewest"), [(3, 10), (5, 7)])
def test_two_hundred_rows_of_breast_cancer(n_columns, fewest):
    """On 200 rows the bounds meet."""
    X, y = load_breast_cancer(return_X_y=True)
    X, y = X[:200, :n_columns], y[:200]
    removal = checked(fewest_removals(X, y, time_limit=60), X, y)
    assert removal.is_exact
    assert removal.upper == fewest


def test_no_time():
    """With no time at all a class can always go, and nothing is claimed from below."""
    X, y = load_iris(return_X_y=True)
    removal = checked(fewest_removals(X, y == 1, time_limit=1e-9), X, y == 1)
    assert (removal.lower, removal.upper) == (0, 50)


def test_the_time_limit_is_kept():
    """More rows and columns than can be solved come back in time."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 10)), rng.integers(0, 2, 3000)
    before = time.monotonic()
    removal = checked(fewest_removals(X, y, time_limit=1.0), X, y)
    assert time.monotonic() - before < 20
    assert 0 < removal.lower < removal.upper


def test_what_is_refused():
    """The same inputs as by `separable` are refused."""
    with pytest.raises(InputError, match="two classes"):
        fewest_removals(SQUARE, [1, 1, 1, 1])
    with pytest.raises(InputError, match="time_limit"):
        fewest_removals(SQUARE, [0, 1, 1, 0], time_limit=0)


def test_a_removal_is_a_value():
    """Its parts can't be exchanged."""
    removal = fewest_removals(SQUARE, [0, 1, 1, 0])
    assert isinstance(removal, Removal)
    with pytest.raises(AttributeError):
        removal.lower = 3


def test_fewest_elements_against_all_choices():
    """Elements that hit all sets cost as little as the best of all choices, and the bound says so."""
    rng = np.random.default_rng(2)
    for _ in range(10):
        costs = rng.integers(1, 4, 7)
        sets = [tuple(rng.choice(7, 3, replace=False).tolist()) for _ in range(8)]
        cheapest = min(
            sum(costs[list(chosen)])
            for size in range(8)
            for chosen in combinations(range(7), size)
            if all(set(one) & set(chosen) for one in sets)
        )
        cover = Cover(costs)
        cover.add(sets)
        chosen, bound = cover.cheapest(range(8), range(7), 10.0)
        assert all(set(one) & set(chosen) for one in sets)
        assert sum(costs[chosen]) == bound == cheapest
        assert cover.shares()[0] <= cheapest + 1e-9
