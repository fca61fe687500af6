"""`train_exactly`: its bounds against trying every network, and its network run again."""

import itertools
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import scipy.sparse as sp

from limen import _solver
from limen.errors import InputError, MissingExtraError, UndecidedError
from limen.learn import _exact_training, exact_training, train_exactly
from limen.learn._exact_training import Program, Shape, decisions, one_hot_groups

SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]


# Trying everything --------------------------------------------------------------------------------------------


def neurons(rows, most):
    """Return what neurons with weights up to `most` can be on some rows: tuples of zeros and ones, each once."""
    n = len(rows[0])
    found = set()
    for weights in itertools.product(range(-most, most + 1), repeat=n):
        sums = [sum(w * x for w, x in zip(weights, row, strict=True)) for row in rows]
        for threshold in range(-n * most, n * most + 2):
            found.add(tuple(int(total >= threshold) for total in sums))
    return found


def naive(X, y, hidden, most):
    """Return the fewest mistakes of any network of one hidden layer, by trying every one."""
    patterns = sorted(neurons(X, most))
    corners = [list(corner) for corner in itertools.product((0, 1), repeat=hidden)]
    outputs = [dict(zip(map(tuple, corners), bits, strict=True)) for bits in neurons(corners, most)]
    fewest = len(y)
    for chosen in itertools.combinations_with_replacement(patterns, hidden):
        given = list(zip(*chosen, strict=True))
        for output in outputs:
            fewest = min(fewest, sum(output[bits] != label for bits, label in zip(given, y, strict=True)))
    return fewest


def mistakes(network, X, y):
    """Return the rows on which a network errs, by its definition on lists."""
    wrong = 0
    for row, label in zip(X, y, strict=True):
        values = row
        for layer in network.layers:
            columns = layer.dense().T.tolist()
            biases = layer.bias.tolist()
            values = [
                int(sum(w * v for w, v in zip(column, values, strict=True)) + b >= 0)
                for column, b in zip(columns, biases, strict=True)
            ]
        wrong += values[0] != label
    return wrong


def checked(answer, X, y, hidden, most):
    """Check all that an answer claims but its bound from below, and return its bounds."""
    layers = answer.network.layers
    assert [layer.n_neurons for layer in layers] == [hidden, 1]
    assert [layer.activation for layer in layers] == ["heaviside", "heaviside"]
    assert all(layer.is_integer and np.abs(layer.dense()).max(initial=0) <= most for layer in layers)
    assert answer.bounds[1] == mistakes(answer.network, X, y)
    assert answer.is_proved == (answer.bounds[0] == answer.bounds[1])
    return answer.bounds


def test_trying_everything_knows_xor():
    """One hidden neuron errs on one row of XOR at least, two on none; AND needs one; the check counts an error."""
    assert naive(SQUARE, [0, 1, 1, 0], 1, 1) == 1
    assert naive(SQUARE, [0, 1, 1, 0], 2, 1) == 0
    assert naive(SQUARE, [0, 0, 0, 1], 1, 1) == 0
    answer = train_exactly(SQUARE, [0, 1, 1, 0], hidden=2, random_state=0)
    with pytest.raises(AssertionError):
        checked(answer, SQUARE, [0, 1, 1, 1], 2, 1)


@pytest.mark.parametrize("polished", [True, False])
@pytest.mark.parametrize(
    ("n_inputs", "hidden", "most"), [(2, 1, 1), (2, 2, 2), (3, 1, 2), (3, 2, 1), (3, 3, 1)]
)
def test_bounds_are_those_of_trying_everything(n_inputs, hidden, most, polished, monkeypatch):
    """Repeated and contradicting rows included, the proved number is the least; also if the solver does it all."""
    if not polished:
        monkeypatch.setattr(exact_training, "STARTS", 0)
    rng = np.random.default_rng(n_inputs + hidden)
    for _ in range(3 if hidden < 3 else 1):
        n_rows = int(rng.integers(6, 14))
        X, y = rng.integers(0, 2, (n_rows, n_inputs)).tolist(), rng.integers(0, 2, n_rows).tolist()
        y[:2] = 0, 1
        answer = train_exactly(X, y, hidden=hidden, max_weight=most, time_limit=None, random_state=0)
        assert checked(answer, X, y, hidden, most) == (naive(X, y, hidden, most),) * 2


def test_one_hot_columns_are_searched_in_full():
    """What is left out because columns are one-hot costs no solution: the least is that of trying everything."""
    rng = np.random.default_rng(3)
    for turn in range(3):
        codes = rng.integers(0, [3, 2], (12, 2))
        X = np.column_stack([np.eye(3, dtype=int)[codes[:, 0]], np.eye(2, dtype=int)[codes[:, 1]]]).tolist()
        y = [0, 1, *rng.integers(0, 2, 10).tolist()]
        hidden = 1 + turn % 2
        answer = train_exactly(X, y, hidden=hidden, time_limit=None, random_state=0)
        assert checked(answer, X, y, hidden, 1) == (naive(X, y, hidden, 1),) * 2


def reached(n_hidden, found):
    """Return the tables of some functions, their neurons moved, negated, or made to fire always or never."""
    tables = set()
    for one in found:
        for ways in itertools.product(range(2 * n_hidden + 2), repeat=n_hidden):
            table = []
            for corner in itertools.product((0, 1), repeat=n_hidden):
                values = [*corner, *(1 - bit for bit in corner), 0, 1]
                total = sum(w * values[way] for w, way in zip(one.weights, ways, strict=True))
                table.append(int(total >= one.threshold))
            tables.add(tuple(table))
    return tables


@pytest.mark.parametrize(("n_hidden", "most"), [(1, 3), (2, 2), (3, 2), (3, 3)])
def test_the_functions_of_the_output_are_all_there(n_hidden, most):
    """Every function an output can have is one of the list with other neurons, and none of the list can be spared."""
    found = [one for _, one in decisions(n_hidden, most)]
    every = neurons(list(itertools.product((0, 1), repeat=n_hidden)), most)
    assert every <= reached(n_hidden, found)
    for spared in found:
        assert not every <= reached(n_hidden, [one for one in found if one is not spared])


@pytest.mark.parametrize("hidden", [1, 2, 4])
def test_a_network_to_begin_with_is_a_solution(hidden):
    """Any network, brought into canonical form, decides every row alike, and its values satisfy the whole program."""
    rng = np.random.default_rng(hidden)
    codes = rng.integers(0, [3, 2, 2], (20, 3))
    rows = np.unique(np.column_stack([np.eye(3, dtype=int)[codes[:, 0]], codes[:, 1:]]), axis=0)
    firing = rng.integers(0, 2, len(rows))
    for _ in range(12):
        program = Program(rows, 1 - firing, firing, hidden, 2, list(decisions(hidden, 2)))
        weights, output = rng.integers(-2, 3, (rows.shape[1], hidden)), rng.integers(-2, 3, hidden)
        shape = Shape(weights, rng.integers(-9, 9, hidden), output, int(rng.integers(-5, 6)))
        same = program.canonical(shape)
        decided = [
            (rows @ one.weights + one.bias >= 0) @ one.output >= one.threshold for one in (shape, same)
        ]
        assert np.array_equal(*decided)
        for variable, value in enumerate(program.values(same).tolist()):
            program.model.add([variable], [1], value, value)
        held, n_mistakes = program.solve(shape, None)
        assert held is not None
        assert n_mistakes == (decided[0] != firing).sum()


def test_equal_rows_of_both_classes_bound_from_below():
    """What equal rows make necessary is proved without a solver."""
    X, y = [*SQUARE, [1, 1], [1, 1], [0, 0]], [0, 1, 1, 0, 1, 0, 0]
    answer = train_exactly(X, y, hidden=2, random_state=0)
    assert answer.bounds == (1, 1)
    assert "errs on 1 of 7 rows, and none errs on fewer" in answer.says


# What goes in -------------------------------------------------------------------------------------------------


def test_labels_and_names():
    """The second label fires and names the output; a table's columns name the inputs."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(SQUARE, columns=["left", "right"])
    network = train_exactly(table, ["same", "unlike", "unlike", "same"], hidden=2, random_state=0).network
    assert (network.inputs, network.outputs, network.domain) == (("left", "right"), ("unlike",), "binary")
    assert network(SQUARE).ravel().tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sp.csr_array, sp.csc_array])
@pytest.mark.parametrize("dtype", [bool, np.int8, float])
def test_rows_of_any_form(form, dtype):
    """Bits, integers and floats, dense or sparse, are the same rows."""
    answer = train_exactly(form(np.array(SQUARE, dtype=dtype)), [0, 1, 1, 0], hidden=1, random_state=0)
    assert answer.bounds == (1, 1)


def test_rows_without_columns():
    """With nothing to tell rows apart, the rarer class is the fewest mistakes."""
    assert train_exactly(np.zeros((5, 0)), [0, 1, 1, 0, 1], hidden=2, random_state=0).bounds == (2, 2)


def test_it_hangs_on_the_seed():
    """The same `random_state` gives the same network, where time doesn't run out."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (20, 5)), rng.integers(0, 2, 20)
    answers = [train_exactly(X, y, hidden=2, time_limit=None, random_state=4) for _ in range(2)]
    assert answers[0].network == answers[1].network


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        ([[0, 2], [1, 0]], [0, 1], {}, "0 or 1. Received: 2"),
        ([[0.5, 1], [1, 0]], [0, 1], {}, "0 or 1"),
        (SQUARE, [0, 1, 2, 0], {}, "two classes"),
        (SQUARE, [0, 0, 0, 0], {}, "two classes"),
        (SQUARE, [0, 1, 1], {}, "4 rows"),
        (SQUARE, [0, 1, 1, 0], {"hidden": 0}, "hidden must be a whole number from 1 to 8"),
        (SQUARE, [0, 1, 1, 0], {"hidden": 9}, "hidden"),
        (SQUARE, [0, 1, 1, 0], {"hidden": 2.0}, "hidden"),
        (SQUARE, [0, 1, 1, 0], {"max_weight": 0}, "max_weight"),
        (
            SQUARE,
            [0, 1, 1, 0],
            {"hidden": 8, "max_weight": 7},
            "fewer hidden neurons or a smaller max_weight",
        ),
        (SQUARE, [0, 1, 1, 0], {"time_limit": -1}, "time_limit"),
    ],
)
def test_what_is_refused(X, y, options, message):
    """What can't be asked is refused with what was expected, what came, and what to do."""
    with pytest.raises(InputError, match=message):
        train_exactly(X, y, **{"hidden": 2, **options})


def test_an_absent_solver_is_named(monkeypatch):
    """Without CP-SAT the error holds the line that installs it."""
    monkeypatch.setattr(exact_training, "has_cp_sat", lambda: False)
    with pytest.raises(MissingExtraError, match=r"limen\[proof\]"):
        train_exactly(SQUARE, [0, 1, 1, 0], hidden=2)


# Solver, time, Ctrl-C -----------------------------------------------------------------------------------------


def test_rows_of_a_model_may_hang_on_variables():
    """A row given `where` holds only if those variables are 1, or with ``~``, 0; numbers too large are refused."""
    model = _solver.WholeModel()
    x, small, even = model.variables([0, 0, 0], [9, 1, 1])
    model.add([x], [1], 0, 5, where=[small])
    model.add([x], [1], 7, 7, where=[~small, even])
    assert model.solve([x, even], [-1, -3]).value == -10
    model.add([~small], [1], 0, 0)
    found = model.solve([x, even], [-1, -3], start=[5, 1, 1])
    assert (found.value, found.x.tolist()) == (-8, [5, 1, 1])


def test_a_solver_that_lies_is_found_out(monkeypatch):
    """The mistakes that are reported are those of the network that is returned, whatever the solver made of them."""

    def wrong(self, start, time_limit):
        shape = _exact_training.Shape(np.zeros((2, 2), int), np.array([0, 0]), np.array([1, 1]), 1)
        return shape, 0

    monkeypatch.setattr(exact_training, "STARTS", 0)
    monkeypatch.setattr(Program, "solve", wrong)
    answer = train_exactly(SQUARE, [0, 1, 1, 0], hidden=2)
    assert answer.is_unknown
    assert answer.bounds == (0, 2) == checked(answer, SQUARE, [0, 1, 1, 0], 2, 1)


def hard():
    """Return a table that no solver is done with soon."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, (200, 20)), rng.integers(0, 2, 200)


def test_out_of_time_leaves_bounds():
    """An answer that wasn't decided in time has a network, bounds that hold, and is neither true nor false."""
    X, y = hard()
    began = time.monotonic()
    answer = train_exactly(X, y, hidden=3, max_weight=2, time_limit=1.5, random_state=0)
    assert time.monotonic() - began < 6
    assert answer.is_unknown
    lower, upper = checked(answer, X.tolist(), y.tolist(), 3, 2)
    assert 0 <= lower < upper < 100
    assert "wasn't decided in time" in answer.says
    with pytest.raises(UndecidedError):
        bool(answer)
    assert train_exactly(X, y, hidden=3, time_limit=1e-9).is_unknown


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_ends_it_within_a_second():
    """SIGINT ends the solver soon."""
    script = """
        import os, signal, threading, time
        import numpy as np
        from limen.learn import exact_training

        exact_training.STARTS = 0

        def interrupt():
            print(time.time(), flush=True)
            os.kill(os.getpid(), signal.SIGINT)

        solve = exact_training.Program.solve

        def interrupted(*args):
            threading.Timer(1.0, interrupt).start()
            return solve(*args)

        exact_training.Program.solve = interrupted
        rng = np.random.default_rng(0)
        try:
            exact_training.train_exactly(rng.integers(0, 2, (200, 20)), rng.integers(0, 2, 200), hidden=3, time_limit=60)
        finally:
            print(time.time(), flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGINT, done.stderr
    sent, heard = map(float, done.stdout.split())
    assert heard - sent < 1.0


def test_groups_of_one_hot_columns_are_found():
    """Runs of columns with one 1 in every row are groups; a column of ones alone is none."""
    assert one_hot_groups(np.array([[1, 0, 1], [0, 1, 1]])) == [slice(0, 2)]
    assert one_hot_groups(np.array([[1, 0], [1, 1]])) == []
    assert one_hot_groups(np.array([[0, 1, 0], [0, 0, 1]])) == [slice(0, 3)]
