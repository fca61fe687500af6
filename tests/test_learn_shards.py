"""Many shards, one model: an epoch over one shard, the mean of all, and a perceptron that does both in threads."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import textwrap
import warnings
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

import naive_perceptron
from limen import Model
from limen.errors import FileError, InputError, TrainingError
from limen.learn import Perceptron, ShardState, _mixing, mix, shard_epoch
from limen.learn.shard_state import MAGIC

FORMS = pytest.mark.parametrize("form", [np.array, sp.csr_array])
COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
EPOCHS = 4

# Linearly separable, and so is each half; but the mean of what the halves learn to the end is wrong on a row.
ROWS = np.array([[0, 0], [2, 4], [-4, -3], [3, 4], [-2, -2], [3, -1]])
LABELS = np.array([0, 1, 1, 1, 0, 0])


def table(kind, n=41, d=5, seed=0, whole=True):
    """Return rows, labels that overlap, and the first state for them."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-4, 5, (n, d)) if whole else np.round(rng.normal(size=(n, d)), 3)
    score = X @ rng.normal(size=(d, 4)) + rng.normal(size=(n, 4))
    if kind == "several":
        return X, (score[:, :3] > 0).astype(int), ShardState.zero(d, n_outputs=3)
    if kind == "two":
        return X, np.where(score[:, 0] > 0, "yes", "no"), ShardState.zero(d, classes=["yes", "no"])
    state = ShardState.zero(d, classes=[2, 3, 5, 8], multi_class=kind)
    return X, np.array([2, 3, 5, 8])[score.argmax(axis=1)], state


KINDS = pytest.mark.parametrize("kind", ["two", "several", "crammer_singer", "ovr"])


def naive(kind, X, y, bounds, epochs, shares=None):
    """Return what plain Python learns from the shards between `bounds`."""
    if kind == "crammer_singer":
        taught, n_outputs = naive_perceptron.shard_competing, 4
        codes = [[2, 3, 5, 8].index(label) for label in y.tolist()]
    else:
        taught = naive_perceptron.shard_independent
        columns = {"two": lambda: [[label == "yes"] for label in y], "several": lambda: y.tolist()}
        codes = columns.get(kind, lambda: [[label == k for k in (2, 3, 5, 8)] for label in y])()
        n_outputs = len(codes[0])
    rows = [[Fraction(x) for x in row] for row in X.tolist()]
    shards = [(rows[a:b], codes[a:b]) for a, b in bounds]
    return naive_perceptron.mixing(shards, taught, n_outputs, epochs, shares)


def epochs(state, X, y, bounds, n, weights=None, **options):
    """Do epochs of shards; return the mixed state and the mistakes of each shard in each epoch."""
    mistakes = []
    for _ in range(n):
        done = [shard_epoch(state, X[a:b], y[a:b], **options) for a, b in bounds]
        state = mix([new for new, _ in done], weights)
        mistakes.append([n for _, n in done])
    return state, mistakes


def split(n_rows, n_shards):
    """Return the bounds of shards as equal as can be, the larger ones first."""
    sizes = [n_rows // n_shards + (k < n_rows % n_shards) for k in range(n_shards)]
    return [(sum(sizes[:k]), sum(sizes[: k + 1])) for k in range(n_shards)]


def fitted(X, y, sample_weight=None, **settings):
    """Return a perceptron after a few epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf = Perceptron(**({"shuffle": False, "max_iter": EPOCHS} | settings))
        return clf.fit(X, y, sample_weight=sample_weight)


def learned(clf):
    """Return all numbers a perceptron learned, to be compared to the bit."""
    return clf.coef_.tolist(), clf.intercept_.tolist(), clf.n_mistakes_.tolist(), clf.t_


# Plain Python -----------------------------------------------------------------------------------------------


@KINDS
@FORMS
@pytest.mark.parametrize("n_shards", [1, 2, 4])
def test_epochs_and_mixes_are_plain_pythons(kind, form, n_shards):
    """Weights, sums and mistakes are those of the definition in exact fractions, where a half is exact in floats."""
    X, y, state = table(kind)
    bounds = split(len(y), n_shards)
    state, mistakes = epochs(state, form(X), y, bounds, EPOCHS)
    w, b, w_sum, b_sum, expected = naive(kind, X, y, bounds, EPOCHS)
    assert mistakes == expected
    assert state.weights.tolist() == w
    assert state.bias.tolist() == b
    assert state.total.tolist() == w_sum
    assert state.total_bias.tolist() == b_sum
    assert state.n_steps == EPOCHS * len(y)
    assert not state.shard_total.any()
    wrong = naive(kind, X, y, bounds, EPOCHS - 1)
    assert state.total.tolist() != wrong[2]


@KINDS
@pytest.mark.parametrize("n_shards", [3, 5])
def test_thirds_are_plain_pythons_but_for_rounding(kind, n_shards):
    """Real rows in three or five shards make the mistakes of plain Python, and its weights up to rounding."""
    X, y, state = table(kind, whole=False)
    bounds = split(len(y), n_shards)
    state, mistakes = epochs(state, X, y, bounds, EPOCHS)
    w, b, w_sum, b_sum, expected = naive(kind, X, y, bounds, EPOCHS)
    assert mistakes == expected
    for ours, theirs in (
        (state.weights, w),
        (state.bias, b),
        (state.total, w_sum),
        (state.total_bias, b_sum),
    ):
        np.testing.assert_allclose(ours, np.array(theirs, dtype=float), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("weights", [[1, 3], [0.25, 0.75], [3e307, 9e307], np.array([1, 3], dtype=np.uint8)])
def test_shares_are_weights_divided_by_their_sum(weights):
    """Shards may count differently in the mean; sums of weights are added whatever the shares."""
    X, y, state = table("two")
    bounds = [(0, 11), (11, 41)]
    state, mistakes = epochs(state, X, y, bounds, EPOCHS, weights)
    w, b, w_sum, b_sum, expected = naive("two", X, y, bounds, EPOCHS, [Fraction(1, 4), Fraction(3, 4)])
    assert mistakes == expected
    assert (state.weights.tolist(), state.bias.tolist()) == (w, b)
    assert (state.total.tolist(), state.total_bias.tolist()) == (w_sum, b_sum)
    assert state != epochs(table("two")[2], X, y, bounds, EPOCHS)[0]


def test_a_shard_may_do_several_epochs_before_it_is_mixed():
    """Steps and sums of a shard add up over its epochs, and those before its state are counted once."""
    X, y, state = table("two")
    state, _ = epochs(state, X, y, [(0, 20), (20, 41)], 1)
    a, _ = shard_epoch(state, X[:20], y[:20])
    twice, _ = shard_epoch(a, X[:20], y[:20])
    b, _ = shard_epoch(state, X[20:], y[20:])
    both = mix([twice, b])
    assert (twice.n_steps, twice.shard_steps, both.n_steps, both.shard_steps) == (41, 40, 102, 0)
    anew = replace(a, shard_steps=0, shard_total=np.zeros((1, 5)), shard_total_bias=[0])
    second, _ = shard_epoch(anew, X[:20], y[:20])
    assert np.array_equal(twice.shard_total, a.shard_total + second.shard_total)
    assert np.array_equal(twice.shard_total_bias, a.shard_total_bias + second.shard_total_bias)
    assert np.array_equal(both.total, state.total + twice.shard_total + b.shard_total)
    assert np.array_equal(both.total_bias, state.total_bias + twice.shard_total_bias + b.shard_total_bias)
    assert second.shard_total.any()
    assert second.shard_total_bias.any()


# The same as a fit --------------------------------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, {}),
        ({"margin": 0.5}, {"margin": 0.5}),
        ({"fit_intercept": False}, {"fit_intercept": False}),
        ({"update": "pa1", "C": 0.1}, {"update": "pa1", "C": 0.1}),
        ({"update": "pa2", "margin": 2.0}, {"update": "pa2", "margin": 2.0}),
        ({"penalty": "l2", "alpha": 0.01}, {"shrink": 0.99}),
    ],
)
def test_one_shard_is_a_fit(form, dtype, settings, options):
    """Epochs over one shard give the bits that a fit gives, whatever the rule, weights on rows included."""
    X, y, _ = table("crammer_singer", whole=False)
    X, weight = form(X.astype(dtype)), np.random.default_rng(1).choice([0.0, 0.5, 1.0, 2.0], len(y))
    for solution in ("last", "average"):
        state = ShardState.zero(5, [2, 3, 5, 8], average=solution == "average", **options)
        state, mistakes = epochs(state, X, y, [(0, len(y))], EPOCHS, sample_weight=weight)
        clf = fitted(X, y, sample_weight=weight, solution=solution, **settings)
        assert clf.network_.layers == state.network(solution).layers
        assert clf.n_mistakes_.tolist() == [n for (n,) in mistakes]
        assert clf.t_ == state.n_steps == EPOCHS * (weight > 0).sum()


@KINDS
@FORMS
@pytest.mark.parametrize("n_shards", [2, 3])
def test_a_fit_with_shards_is_these_two_functions(kind, form, n_shards):
    """`Perceptron(shards=S)` on rows in their order is epochs over S parts and their mixes, to the bit."""
    X, y, state = table(kind, whole=False)
    state, mistakes = epochs(state, form(X), y, split(len(y), n_shards), EPOCHS)
    settings = {} if kind in ("two", "several") else {"multi_class": kind}
    for solution in ("last", "average"):
        clf = fitted(form(X), y, shards=n_shards, n_jobs=2, solution=solution, **settings)
        assert clf.network_.layers == state.network(solution).layers
        assert clf.n_mistakes_.tolist() == [sum(each) for each in mistakes]
        assert clf.t_ == state.n_steps
        assert Model(state.network(solution), labels=None).network(X).shape[0] == len(y)


@KINDS
def test_one_is_the_default(kind):
    """With shards=1 the network is the one there always was: exact on whole numbers; with two it isn't exact."""
    X, y, _ = table(kind)
    one, default, two = (
        fitted(X, y, shuffle=True, random_state=0, **s) for s in ({"shards": 1}, {}, {"shards": 2})
    )
    assert one.network_ == default.network_
    assert one.network_.is_exact
    assert not two.network_.is_exact
    assert two.network_.domain == "integer"


@KINDS
@pytest.mark.parametrize("solution", ["average", "last", "pocket"])
def test_the_number_of_threads_changes_no_bit(kind, solution):
    """A fit is determined by its shards and its random state, not by n_jobs."""
    X, y, _ = table(kind, whole=False)
    settings = {"solution": solution, "shuffle": True, "random_state": 7}
    fits = [fitted(X, y, shards=4, n_jobs=n, **settings) for n in (None, 1, 2, 3, 4, 9, -1)]
    assert all(learned(clf) == learned(fits[0]) for clf in fits)
    others = [fitted(X, y, **(settings | {"shards": 4} | s)) for s in ({"shards": 3}, {"random_state": 8})]
    assert all(learned(clf) != learned(fits[0]) for clf in others)


def test_each_shard_has_an_order_of_its_own_in_each_epoch(monkeypatch):
    """Orders are permutations of parts that together are all rows that count, other ones in each epoch."""
    X, y, _ = table("two")
    weight = np.ones(len(y))
    weight[[3, 30]] = 0
    orders, taught = [], _mixing.taught
    monkeypatch.setattr(_mixing, "taught", lambda *args: orders.append(args[2].tolist()) or taught(*args))
    fitted(X, y, sample_weight=weight, shards=3, shuffle=True, random_state=0, max_iter=2)
    first, second = orders[:3], orders[3:]
    assert sorted(row for order in first for row in order) == np.flatnonzero(weight).tolist()
    assert [sorted(order) for order in first] == [sorted(order) for order in second]
    assert all(a != b for a, b in zip(first, second, strict=True))
    assert [len(order) for order in first] == [13, 13, 13]
    moves = [[a.index(row) for row in b] for a, b in zip(first, second, strict=True)]
    assert moves[0] != moves[1] != moves[2] != moves[0]


@FORMS
def test_more_shards_than_rows_are_one_for_each_row(form):
    """A shard is never empty, so the number of shards ends at the number of rows."""
    X, y, _ = table("two", n=7)
    many, seven, six = (fitted(form(X), y, shards=n) for n in (1000, 7, 6))
    assert learned(many) == learned(seven) != learned(six)


def test_weights_on_classes_are_weights_on_rows():
    """class_weight and sample_weight multiply, in shards as without."""
    X, y, _ = table("crammer_singer", whole=False)
    weight = np.random.default_rng(1).choice([0.5, 1.0, 2.0], len(y))
    costs = {2: 0.5, 3: 1.0, 5: 2.0, 8: 4.0}
    both = fitted(X, y, weight, shards=3, class_weight=costs)
    rows_only = fitted(X, y, weight * [costs[k] for k in y.tolist()], shards=3)
    assert learned(both) == learned(rows_only) != learned(fitted(X, y, shards=3))


def test_shards_are_parts_of_the_rows_that_train():
    """Early stopping holds out rows first; a fit with shards then stops for the reasons that one without does."""
    X, y, _ = table("two", n=200, whole=False)
    clf = fitted(X, y, shards=3, early_stopping=True, random_state=0, max_iter=500)
    assert clf.stop_reason_ == "early_stopping"
    assert clf.t_ == clf.n_iter_ * 180
    clf = fitted(X, y, shards=3, tol=1e-3, max_iter=500)
    assert clf.stop_reason_ == "no_improvement"


def test_a_warm_start_goes_on_from_the_mixed_weights():
    """Two epochs, and two more from where they ended, are four epochs; and a fit without shards may go on."""
    X, y, _ = table("two", whole=False)
    clf = fitted(X, y, shards=3, solution="last", max_iter=2).set_params(warm_start=True)
    with pytest.warns(ConvergenceWarning):
        clf.fit(X, y)
    assert clf.coef_.tolist() == fitted(X, y, shards=3, solution="last").coef_.tolist()
    with pytest.warns(ConvergenceWarning):
        clf.set_params(shards=1).fit(X, y)
    assert clf.n_iter_ == 2


# Convergence ------------------------------------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("n_shards", [2, 3, 7])
@pytest.mark.parametrize("solution", ["average", "last", "pocket"])
def test_an_epoch_without_a_mistake_means_all_rows_are_right(form, n_shards, solution):
    """Where the data are separable, training converges, and what is kept decides every row rightly."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(40, 3))
        score = X @ rng.normal(size=(3, 3))
        for labels in (score.argmax(axis=1), score[:, 0] > 0.2, (score > 0).astype(int)):
            clf = fitted(
                form(X),
                labels,
                shards=n_shards,
                solution=solution,
                shuffle=True,
                random_state=seed,
                max_iter=5000,
            )
            assert clf.stop_reason_ == "converged"
            assert clf.n_mistakes_[-1] == 0 < clf.n_mistakes_[-2]
            assert np.array_equal(clf.predict(X), labels)


@pytest.mark.parametrize("n_shards", [1, 2, 5])
def test_mistakes_stay_below_the_bound(n_shards):
    """The mistakes of S shards are at most S (R/γ)², γ the margin of any unit vector that separates the rows."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(40, 2))
        clf = fitted(
            X,
            X @ [1, 2] > 0.3,
            shards=n_shards,
            shuffle=True,
            random_state=seed,
            max_iter=5000,
            solution="last",
        )
        rows = np.column_stack([X, np.ones(40)])  # the bias neuron is an input, too
        separates = np.append(clf.coef_, clf.intercept_)
        margins = np.where(X @ [1, 2] > 0.3, 1, -1) * (rows @ separates) / np.linalg.norm(separates)
        assert clf.stop_reason_ == "converged"
        assert clf.n_mistakes_.sum() <= n_shards * (rows**2).sum(axis=1).max() / margins.min() ** 2


@pytest.mark.parametrize("n_shards", [2, 3, 6])
def test_an_epoch_without_a_change_changes_no_bit(n_shards):
    """Weights in which all shards agree are mixed to themselves, whatever the shares and however they round."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 4))
    weights, bias = rng.normal(size=(1, 4)), rng.normal(size=1)
    state = replace(ShardState.zero(4, classes=[0, 1]), weights=weights, bias=bias)
    y = (X @ weights[0] + bias > 0).astype(int)
    for shares in (None, rng.random(n_shards)):
        new, mistakes = epochs(state, X, y, split(12, n_shards), 1, shares)
        assert mistakes == [[0] * n_shards]
        assert new.weights.tolist() == weights.tolist()
        assert new.bias.tolist() == bias.tolist()


def test_mixing_once_at_the_end_is_another_thing():
    """Shards that each converged and are mixed once may err on a row, where mixing every epoch separates all."""
    ends = []
    for part in (slice(0, 3), slice(3, 6)):
        state, n_mistakes = ShardState.zero(2, classes=[0, 1]), 1
        while n_mistakes:
            state, n_mistakes = shard_epoch(state, ROWS[part], LABELS[part])
        assert state.network("last")(ROWS[part])[:, 0].tolist() == LABELS[part].tolist()
        ends.append(state)
    assert mix(ends).network("last")(ROWS)[:, 0].tolist() != LABELS.tolist()
    clf = fitted(ROWS, LABELS, shards=2, max_iter=1000)
    assert clf.stop_reason_ == "converged"
    assert clf.predict(ROWS).tolist() == LABELS.tolist()


@KINDS
def test_the_pocket_keeps_the_mixed_weights_with_fewest_mistakes(kind):
    """After each epoch the mixed weights are judged by all rows; independent outputs are judged one by one."""
    X, y, _ = table(kind, whole=False, seed=3)
    settings = {} if kind in ("two", "several") else {"multi_class": kind}
    lasts = [fitted(X, y, shards=3, solution="last", max_iter=n + 1, **settings) for n in range(9)]
    pocket = fitted(X, y, shards=3, solution="pocket", max_iter=9, **settings)
    if kind == "ovr":
        wrong = [(clf.decision_function(X) >= 0) != (y[:, np.newaxis] == clf.classes_) for clf in lasts]
    else:
        wrong = [np.reshape(clf.predict(X) != y, (len(y), -1)) for clf in lasts]
    errors = np.array([each.sum(axis=0) for each in wrong])
    best = np.broadcast_to(errors.argmin(axis=0), len(pocket.coef_))
    assert pocket.coef_.tolist() == [lasts[n].coef_[k].tolist() for k, n in enumerate(best)]
    assert (best < 8).any()


# All or nothing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupted_epoch_leaves_the_last_whole_one(monkeypatch, n_jobs):
    """Ctrl-C in a shard ends the fit with the model of the epochs before, and none if there was none."""
    X, y, _ = table("two", whole=False)
    calls, taught = [], _mixing.taught

    def at_the_eighth(*args):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return taught(*args)

    monkeypatch.setattr(_mixing, "taught", at_the_eighth)
    clf = Perceptron(shards=3, n_jobs=n_jobs, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert (clf.stop_reason_, clf.n_iter_) == ("interrupted", 2)
    calls.clear()
    assert learned(clf) == learned(fitted(X, y, shards=3, shuffle=True, random_state=0, max_iter=2))
    calls[:] = [1] * 6
    clf = Perceptron(shards=3, n_jobs=n_jobs, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert not hasattr(clf, "network_")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_shard_that_fails_ends_all(n_jobs):
    """Numbers that overflow in one shard are the error of the fit, and nothing is kept."""
    X, y = np.ones((40, 2)), np.arange(40) % 2
    X[-3:] = 1e200
    clf = Perceptron(shards=4, n_jobs=n_jobs, shuffle=False)
    with pytest.raises(TrainingError, match="overflowed"):
        clf.fit(X, y)
    assert not [name for name in vars(clf) if name.endswith("_")]


INTERRUPT = """
    import os, signal, threading, time
    import numpy as np
    from sklearn.base import clone
    from limen.learn import Perceptron

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400_000, 64)).astype(np.float32), rng.integers(0, 2, (400_000, 200), dtype=np.int8)
    clf = Perceptron(shards=2, n_jobs=2, solution="last", max_iter=10**6, random_state=0).set_params(**{settings})
    clone(clf).set_params(max_iter=1).fit(X[:9], y[:9])  # compiled, or read from the cache
    seen = []

    def interrupt():
        seen.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.5, interrupt).start()
    try:
        clf.fit(X, y)
    except KeyboardInterrupt:
        print(time.perf_counter() - seen[0], threading.active_count(), getattr(clf, "stop_reason_", "nothing"))
"""


@pytest.mark.skipif(
    sys.platform == "win32" or not COMPILED, reason="signals of POSIX, and chunks of compiled code"
)
@pytest.mark.parametrize("settings", [{}, {"n_jobs": 1}])
def test_a_signal_is_answered_within_a_second(settings):
    """SIGINT in an epoch that takes seconds ends the fit at once, and no thread goes on."""
    script = "import warnings; warnings.simplefilter('ignore')\n" + textwrap.dedent(INTERRUPT).format(
        settings=settings
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    seconds, n_threads, reason = done.stdout.split()
    assert float(seconds) < 1
    assert n_threads in ("1", "2")  # the timer's thread may be about to end
    assert reason in ("interrupted", "nothing")


# Values -----------------------------------------------------------------------------------------------------


@KINDS
@FORMS
def test_nothing_given_is_changed(kind, form):
    """An epoch and a mix return new states; rows, labels, weights and states are as before, and read-only ones do."""
    X, y, state = table(kind, whole=False)
    X, weight = form(X), np.ones(len(y))
    for array in (X.data if sp.issparse(X) else X, y, weight):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    before = X.copy(), y.copy(), state.to_bytes()
    first, _ = shard_epoch(state, X, y, sample_weight=weight, random_state=0)
    again, _ = shard_epoch(state, X, y, sample_weight=weight, random_state=0)
    other, _ = shard_epoch(state, X, y, sample_weight=weight, random_state=1)
    assert first == again != other
    given = first.to_bytes(), other.to_bytes()
    mix([first, other])
    assert (first.to_bytes(), other.to_bytes()) == given
    assert abs(X - before[0]).sum() == 0
    assert np.array_equal(y, before[1])
    assert state.to_bytes() == before[2]


def test_a_state_is_frozen():
    """Its arrays are copies, float64 and read-only, after an epoch, a mix and a journey too."""
    weights = np.zeros((1, 2), dtype=np.float32)
    state = ShardState(kind="binary", classes=[0, 1], weights=weights, bias=[0])
    weights[:] = 1
    assert not state.weights.any()
    state = ShardState.zero(2, classes=[0, 1])
    epoch, _ = shard_epoch(state, [[1, 2]], [1])
    for each in (
        state,
        epoch,
        mix([epoch]),
        pickle.loads(pickle.dumps(epoch)),
        ShardState.from_bytes(epoch.to_bytes()),
    ):
        with pytest.raises(FrozenInstanceError):
            each.n_steps = 3
        for array in (each.classes, each.weights, each.bias, each.total, each.shard_total, each.total_bias):
            assert not array.flags.writeable
        assert each.weights.dtype == each.total.dtype == np.float64


CLASSES = [["no", "yes", "ö"], [False, True], [-3, 0, 7], [-1.0, 2.0], np.array(["b", "a"], dtype=object)]


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("average", [True, False])
def test_a_state_comes_back_from_bytes(classes, average):
    """Bytes, and pickles, hold all of a state, labels of every type included, and are a function of it."""
    state = ShardState.zero(2, classes, average=average, update="pa2", C=0.1, margin=1 / 3)
    state, _ = shard_epoch(state, [[0.1, 2], [3, -4]], [classes[0], classes[1]])
    assert state.shard_steps == 2
    for back in (ShardState.from_bytes(state.to_bytes()), pickle.loads(pickle.dumps(state))):
        assert back == state
        assert hash(back) == hash(state)
        assert back.to_bytes() == state.to_bytes()
        assert back.classes.dtype == state.classes.dtype
    assert ShardState.from_bytes(bytearray(state.to_bytes())) == state
    assert state != replace(state, C=0.2)
    assert state != replace(state, weights=state.weights + 1)
    assert state != replace(state, n_steps=1)
    assert state != 3


def test_labels_of_other_types_are_other_labels():
    """States of the classes 0 and 1, and of False and True, aren't equal."""
    assert ShardState.zero(2, [0, 1]) != ShardState.zero(2, [False, True])


def test_damaged_bytes_are_refused():
    """A byte that changed, bytes cut short or longer, and bytes of something else are a named error."""
    state, _ = shard_epoch(ShardState.zero(2, classes=["a", "b"]), [[1, 2]], ["b"])
    data = state.to_bytes()
    for k in range(len(data)):
        damaged = bytearray(data)
        damaged[k] ^= 1 << k % 8
        with pytest.raises(FileError, match="Send the bytes again"):
            ShardState.from_bytes(bytes(damaged))
    for damaged in (b"", data[:10], data[:-1], data + b"\0", pickle.dumps(3), b"\0" * 100):
        with pytest.raises(FileError, match="Send the bytes again"):
            ShardState.from_bytes(damaged)


def signed(header, *arrays):
    """Return bytes with a right digest."""
    content = BytesIO()
    content.write(json.dumps(header).encode() + b"\n")
    for array in arrays:
        np.lib.format.write_array(content, array, version=(1, 0))
    return MAGIC + hashlib.sha256(content.getvalue()).digest() + content.getvalue()


HEADER = {"kind": "binary", "arrays": ["classes", "weights", "bias"]}
ARRAYS = np.array([0, 1]), np.zeros((1, 2)), np.zeros(1)


@pytest.mark.parametrize(
    "data",
    [
        signed([]),
        signed({}),
        signed({"arrays": 3}),
        signed(HEADER),
        signed(HEADER, *ARRAYS[:2]),
        signed(HEADER, *ARRAYS, ARRAYS[0]),
        signed(HEADER | {"kind": "other"}, *ARRAYS),
        signed(HEADER | {"kind": ["binary"]}, *ARRAYS),
        signed(HEADER | {"n_steps": -1}, *ARRAYS),
        signed(HEADER | {"C": "1"}, *ARRAYS),
        signed(HEADER | {"C": 10**400}, *ARRAYS),
        signed(HEADER | {"more": 1}, *ARRAYS),
        signed(HEADER, np.array([{}, 1]), *ARRAYS[1:]),
        signed(HEADER, ARRAYS[0], np.full((1, 2), np.nan), ARRAYS[2]),
        signed(HEADER, ARRAYS[0], np.zeros((2, 2)), ARRAYS[2]),
        signed(HEADER, ARRAYS[0], np.array(3.0), ARRAYS[2]),
        signed(HEADER, ARRAYS[0], ARRAYS[1], np.array(["x"])),
        signed(HEADER, *ARRAYS).replace(b"(1, 2)", b"(1, 9)"),
    ],
)
def test_bytes_that_to_bytes_never_wrote_are_refused(data):
    """What a right digest hides isn't trusted: no object is unpickled, and a state is checked as any other."""
    assert ShardState.from_bytes(signed(HEADER, *ARRAYS)).n_features == 2
    with pytest.raises(FileError):
        ShardState.from_bytes(data)


def test_a_size_that_no_memory_holds_is_refused():
    """A header that promises more numbers than there are bytes is a named error."""
    body = signed(HEADER, *ARRAYS)[len(MAGIC) + 32 :].replace(b"(1, 2)", b"(9**", 1)
    body = body.replace(b"(9**", b"(99999999999999,)")
    with pytest.raises(FileError):
        ShardState.from_bytes(MAGIC + hashlib.sha256(body).digest() + body)


@KINDS
def test_a_states_network_decides(kind):
    """The network has a neuron for each output; the mean is there where sums are kept, and asked for by name."""
    X, y, state = table(kind, whole=False)
    state, _ = epochs(state, X, y, split(len(y), 2), EPOCHS)
    last, mean = state.network("last"), state.network()
    assert last.layers[0].dense().T.tolist() == state.weights.tolist()
    assert mean == state.network("average") != last
    np.testing.assert_allclose(mean.layers[0].dense().T * state.n_steps, state.total, rtol=1e-12)
    assert mean(X).shape == (len(y), state.n_outputs)
    assert mean.layers[0].activation == ("hardmax" if state.kind == "multiclass" else "heaviside")
    bare = replace(state, total=None, total_bias=None, shard_total=None, shard_total_bias=None)
    assert bare.network() == last
    with pytest.raises(InputError, match=r"needs the sums.*average=True"):
        bare.network("average")
    with pytest.raises(InputError, match=r"solution must be.*'best'"):
        state.network("best")


# Refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Either classes or n_outputs.*neither"),
        ({"classes": [0, 1], "n_outputs": 2}, "Either classes or n_outputs.*both"),
        ({"classes": [1]}, r"at least two labels.*\[1\]"),
        ({"classes": 3}, "at least two labels"),
        ({"classes": [1, 1]}, r"at least two different labels.*\[1\]"),
        ({"classes": [0.0, np.nan]}, "without NaN"),
        ({"classes": np.array([0, "a"], dtype=object)}, "all of one type.*object"),
        ({"classes": [None, "a"]}, "all of one type"),
        ({"n_outputs": 1}, r"n_outputs must be.*at least 2.*1.*classes=\[0, 1\]"),
        ({"n_outputs": 2.5}, "n_outputs must be a whole number"),
        ({"n_features": -1, "n_outputs": 2}, "n_features must be.*-1"),
        ({"n_outputs": 2, "update": "pa3"}, "update must be one of perceptron, pa1, pa2.*'pa3'"),
        ({"n_outputs": 2, "multi_class": "x"}, "multi_class must be.*'x'"),
        ({"n_outputs": 2, "margin": -1}, "margin must be a finite number, 0 or above.*-1"),
        ({"n_outputs": 2, "margin": np.inf}, "margin must be a finite number"),
        ({"n_outputs": 2, "margin": True}, "margin must be a finite number"),
        ({"n_outputs": 2, "update": "pa1", "margin": 0}, "margin must be a finite number, above 0"),
        ({"n_outputs": 2, "C": 0}, "C must be a finite number, above 0"),
        ({"n_outputs": 2, "shrink": 0}, "shrink must be.*above 0, at most 1"),
        ({"n_outputs": 2, "shrink": 1.5}, "shrink must be.*above 0, at most 1.*1.5"),
        ({"n_outputs": 2, "update": "pa2", "shrink": 0.5}, "shrink must be.*1 with update='pa2'"),
        ({"n_outputs": 2, "fit_intercept": 1}, "fit_intercept must be True or False"),
    ],
)
def test_states_that_make_no_sense_are_named(given, message):
    """Classes and settings that can't be, alone or beside another, are refused by name."""
    with pytest.raises(InputError, match=message):
        ShardState.zero(**({"n_features": 2} | given))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.zeros((2, 2))}, r"weights must be of shape.*\(2, 2\), binary, 2 classes"),
        ({"weights": np.zeros(2)}, r"weights must be of shape.*\(2,\)"),
        ({"weights": [[np.inf, 1]]}, "weights must be finite numbers.*not all"),
        ({"weights": [["a", "b"]]}, "weights must be finite numbers"),
        ({"bias": [1, 2]}, r"bias must be finite numbers of shape \(1,\).*\(2,\)"),
        ({"total": None}, "must all be arrays, or all None"),
        ({"shard_total_bias": None}, "must all be arrays, or all None"),
        ({"total": np.zeros((1, 3))}, r"total must be .* shape \(1, 2\)"),
        ({"n_steps": -1}, "n_steps must be a whole number.*-1"),
        ({"shard_steps": 1.5}, "shard_steps must be a whole number.*1.5"),
        ({"classes": [1, 0]}, "in order"),
        ({"kind": "multiclass"}, "weights must be of shape.*multiclass"),
        ({"kind": "regression"}, "kind must be one of"),
    ],
)
def test_fields_that_do_not_fit_are_named(change, message):
    """A state can't be made of arrays and counts that don't belong together."""
    with pytest.raises(InputError, match=message):
        replace(ShardState.zero(2, classes=[0, 1]), **change)


TWO, FOUR = ShardState.zero(2, classes=["a", "b"]), ShardState.zero(2, n_outputs=4)
EYE = np.eye(2)


@pytest.mark.parametrize(
    ("state", "X", "y", "options", "message"),
    [
        (3, EYE, ["a", "b"], {}, "state must be a ShardState.*int"),
        (TWO, np.eye(3), list("aba"), {}, "2 features of the state.*3"),
        (TWO, EYE, ["a", "c"], {}, "hold the classes.*'c'"),
        (TWO, EYE, [0, 1], {}, "hold the classes of the state.*int64"),
        (TWO, EYE, EYE, {}, r"y must be of shape \(n_rows,\).*\(2, 2\)"),
        (TWO, EYE, ["a"], {}, "inconsistent numbers"),
        (TWO, EYE * np.nan, ["a", "b"], {}, "NaN"),
        (TWO, EYE, ["a", "b"], {"sample_weight": [0, 0]}, "at least one non-zero"),
        (TWO, EYE, ["a", "b"], {"sample_weight": [1, -1]}, "Negative"),
        (TWO, EYE, ["a", "b"], {"random_state": "x"}, "cannot be used to seed"),
        (FOUR, EYE, [0, 1], {}, r"y must be of shape \(n_rows, 4\).*\(2,\)"),
        (FOUR, EYE, np.eye(2), {}, r"y must be of shape \(n_rows, 4\).*\(2, 2\)"),
        (FOUR, EYE, 2 * np.eye(2, 4), {}, "zeros and ones"),
    ],
)
def test_shards_that_do_not_fit_are_named(state, X, y, options, message):
    """Rows, labels and weights that the state can't learn from are refused, saying what it expects."""
    with pytest.raises(ValueError, match=message):
        shard_epoch(state, X, y, **options)


def test_a_shard_need_not_have_every_class():
    """Labels are those of the state, whichever of them the shard has, in whatever form they come."""
    state = ShardState.zero(2, classes=[1, 2, 3])
    one, n_mistakes = shard_epoch(state, EYE, [3, 3])
    assert n_mistakes == 1
    assert one == shard_epoch(state, EYE, np.array([3, 3], dtype=object))[0]
    assert one == shard_epoch(state, sp.csc_array(EYE), [[3], [3]])[0]
    text, _ = shard_epoch(TWO, EYE, np.array(["a", "b"], dtype=object))
    assert text == shard_epoch(TWO, EYE, ["a", "b"])[0]
    dense, _ = shard_epoch(FOUR, EYE, np.eye(2, 4))
    assert dense == shard_epoch(FOUR, EYE, sp.csr_array(np.eye(2, 4)))[0]


ONE, _ = shard_epoch(TWO, EYE, ["a", "b"])


@pytest.mark.parametrize(
    ("states", "weights", "message"),
    [
        ([], None, "at least one ShardState"),
        ([ONE, 3], None, "ShardState objects.*int at 1"),
        ([ONE, FOUR], None, r"same \(n_outputs, n_features\).*\(1, 2\) in state 0, \(4, 2\) in state 1"),
        ([TWO, ShardState.zero(2, classes=["a", "c"])], None, r"same classes.*'b'.*'c'"),
        ([ShardState.zero(2, [0, 1]), ShardState.zero(2, [False, True])], None, "same classes"),
        ([TWO, ShardState.zero(2, ["a", "b"], update="pa1")], None, "same update.*'perceptron'.*'pa1'"),
        ([TWO, ShardState.zero(2, ["a", "b"], margin=2)], None, "same margin.*0.0 in state 0, 2.0"),
        ([TWO, ShardState.zero(2, ["a", "b"], C=2)], None, "same C"),
        ([TWO, ShardState.zero(2, ["a", "b"], shrink=0.5)], None, "same shrink"),
        ([TWO, ShardState.zero(2, ["a", "b"], fit_intercept=False)], None, "same fit_intercept"),
        ([TWO, ShardState.zero(2, ["a", "b"], multi_class="ovr")], None, "same multi_class"),
        ([TWO, ShardState.zero(2, ["a", "b"], average=False)], None, "same averaging.*sums.*no sums"),
        ([ONE, mix([ONE])], None, "same n_steps.*0 in state 0, 2 in state 1.*in one call"),
        ([mix([ONE]), mix([shard_epoch(TWO, EYE, ["b", "b"])[0]])], None, "same total.*mix returned last"),
        ([ONE, ONE], [1], r"2 numbers, one for each.*\(1,\)"),
        ([ONE, ONE], ["1", "2"], "2 numbers, one for each"),
        ([ONE, ONE], [1, -1], "aren't negative.*-1"),
        ([ONE, ONE], [0, 0], "at least one of them above 0.*give None"),
        ([ONE, ONE], [1, np.nan], "finite"),
    ],
)
def test_states_that_can_not_be_mixed_are_named(states, weights, message):
    """States of other features, classes, settings or beginnings, and weights that aren't shares, are refused."""
    with pytest.raises(InputError, match=message):
        mix(states, weights)


def test_a_mix_that_overflows_is_an_error():
    """Weights so large that their mean isn't a number are a named error."""
    ends = [replace(ONE, weights=[[sign * 1.7e308, 0]]) for sign in (1, -1)]
    with pytest.raises(TrainingError, match="overflowed while they were mixed"):
        mix(ends)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shards": 0}, "'shards'"),
        ({"shards": 2.0}, "'shards'"),
        ({"shards": 2, "penalty": "l1"}, "penalty must be None or 'l2' with shards above 1.*'l1'"),
        ({"shards": 2, "penalty": "elasticnet"}, "penalty must be None or 'l2' with shards above 1"),
    ],
)
def test_settings_that_shards_do_not_take_are_named(settings, message):
    """A number of shards that can't be, and penalties that can't be mixed, are refused, and nothing is fitted."""
    clf = Perceptron(**settings)
    with pytest.raises(ValueError, match=message):
        clf.fit(ROWS, LABELS)
    assert not [name for name in vars(clf) if name.endswith("_")]


def test_batches_are_no_shards():
    """partial_fit with shards is refused by name, before anything changes; with shards=1 it goes on from a fit."""
    clf = Perceptron(shards=2, random_state=0)
    with pytest.raises(InputError, match=r"shards must be 1 in partial_fit.*shards=2.*shard_epoch"):
        clf.partial_fit(ROWS, LABELS, classes=[0, 1])
    assert not hasattr(clf, "network_")
    clf = fitted(ROWS, LABELS, shards=2, max_iter=1)
    clf.set_params(shards=1).partial_fit(ROWS, LABELS)
    assert clf.t_ == 12
