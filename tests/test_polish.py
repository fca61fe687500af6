"""`polish`: never worse, and every move counted as a plain evaluation counts it."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import scipy.sparse as sp

import nets
from limen import Layer, Network
from limen.errors import InputError, NotExactError
from limen.learn import _polishing, polish

SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]
COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"


# A plain evaluation, on lists ---------------------------------------------------------------------------------


def plain(network):
    """Return the layers as lists: weights, bias, activation."""
    return [[layer.dense().tolist(), layer.bias.tolist(), layer.activation] for layer in network.layers]


def naive_mistakes(layers, X, y, worth):
    """Return what the mistakes count, one row, neuron and weight after the other."""
    total = 0
    for row, wanted, each in zip(X, y, worth, strict=True):
        values = list(row)
        for weights, bias, activation in layers:
            sums = list(bias)
            for value, column in zip(values, weights, strict=True):
                for k, weight in enumerate(column):
                    sums[k] += weight * value
            if activation == "hardmax":
                best = max(sums)
                values = [0] * len(sums)
                values[sums.index(best)] = 1
            else:
                values = [1 if z >= 0 else 0 for z in sums]
        if layers[-1][2] == "hardmax":
            total += each * (values.index(1) != wanted)
        else:
            wanted = wanted if isinstance(wanted, list) else [wanted]
            total += each * sum(a != b for a, b in zip(values, wanted, strict=True))
    return total


def problem(seed, *, kind=None):
    """Return a random network with rows, labels and what each row is worth."""
    rng = np.random.default_rng(seed)
    depth = 1 + seed % 4
    sizes = rng.integers(1, 8, depth + 1).tolist()
    last = ("heaviside", "hardmax")[seed % 2]
    kind = kind or ("signs", "ternary", "whole")[seed % 3]
    layers = []
    for index in range(depth):
        shape = (sizes[index], sizes[index + 1])
        if kind == "signs":
            weights = rng.choice([-2, 2], shape)
        else:
            most = 1 if kind == "ternary" else 5
            weights = rng.integers(-most, most + 1, shape)
        activation = last if index == depth - 1 else "heaviside"
        layers.append(Layer(weights, rng.integers(-3, 4, shape[1]), activation))
    n_rows = int(rng.choice([1, 5, 63, 64, 65, 130]))
    X = rng.integers(0, 2, (n_rows, sizes[0]))
    classes = last == "hardmax"
    y = rng.integers(0, sizes[-1], n_rows) if classes else rng.integers(0, 2, (n_rows, sizes[-1]))
    if not classes and sizes[-1] == 1:
        y = y[:, 0]
    worth = (None, rng.integers(0, 4, n_rows), rng.random(n_rows))[rng.integers(3)]
    return Network(layers, domain="binary"), X, y, worth


def loss(network, X, y, worth):
    """Return what a network's mistakes count, on lists."""
    each = [1] * len(X) if worth is None else worth.tolist()
    return naive_mistakes(plain(network), X.tolist(), y.tolist(), each)


def test_the_plain_evaluation_counts_right():
    """XOR by two neurons and an output errs on no row; with one threshold wrong it errs on the row 11."""
    xor = Network([Layer([[1, 1], [1, 1]], [-1, -2]), Layer([[1], [-1]], [-1])], domain="binary")
    wrong = Network([Layer([[1, 1], [1, 1]], [-1, -3]), Layer([[1], [-1]], [-1])], domain="binary")
    assert naive_mistakes(plain(xor), SQUARE, [0, 1, 1, 0], [1, 1, 1, 5]) == 0
    assert naive_mistakes(plain(wrong), SQUARE, [0, 1, 1, 0], [1, 1, 1, 5]) == 5


# Every move ---------------------------------------------------------------------------------------------------


def moves_are_right(network, X, y, worth):
    """Check what all moves of all neurons are said to cost; return how many there are."""
    targets = y.reshape(len(X), -1).astype(np.int64)
    each = np.ones(len(X)) if worth is None else worth.astype(float)
    search = _polishing.Polishing(network, X, targets, each, None, np.random.RandomState(0))
    before, count = loss(network, X, y, worth), 0
    for index, layer in enumerate(network.layers):
        for k in range(layer.n_neurons):
            for cost, unit, delta in zip(*(part.tolist() for part in search.moves(index, k)), strict=True):
                layers = plain(network)
                if unit < 0:
                    layers[index][1][k] += delta
                else:
                    layers[index][0][unit][k] += delta
                after = naive_mistakes(layers, X.tolist(), y.tolist(), each.tolist())
                if abs(after - before - cost) > 1e-9:
                    return -1
                count += 1
    return count


@pytest.mark.parametrize("seed", range(24))
def test_every_move_costs_what_a_plain_evaluation_says(seed):
    """What a move of any weight or threshold would do to the mistakes is counted without error, row for row."""
    assert moves_are_right(*problem(seed)) > 0


def test_a_wrong_cost_is_found(monkeypatch):
    """The check fails when rows at the tie are counted as below it."""
    near = _polishing.kernels.near

    def off_by_one(state, layer, k, reach, leads, rows):
        n = near(state, layer, k, reach, leads, rows)
        leads[:n] = np.maximum(leads[:n] - 1, -reach)
        return n

    monkeypatch.setattr(_polishing.kernels, "near", off_by_one)
    assert -1 in [moves_are_right(*problem(seed)) for seed in range(8)]


@pytest.mark.parametrize("seed", range(6))
def test_after_moves_the_state_is_that_of_the_network(seed):
    """Net inputs, bits and mistakes that were changed move by move equal those computed afresh."""
    network, X, y, _ = problem(seed)
    targets = y.reshape(len(X), -1).astype(np.int64)
    search = _polishing.Polishing(network, X, targets, np.ones(len(X)), 6, np.random.RandomState(seed))
    search.run(30, 3, float("inf"), None)
    afresh = _polishing.Polishing(search.network(), X, targets, np.ones(len(X)), 6, np.random.RandomState(0))
    assert np.array_equal(search.state.z, afresh.state.z)
    hidden = X.shape[1] + network.n_neurons - network.n_outputs
    assert np.array_equal(search.state.bits[:hidden], afresh.state.bits[:hidden])
    assert np.array_equal(search.state.wrong, afresh.state.wrong)
    assert search.n_mistakes == loss(search.network(), X, y, None)


# What comes back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_it_is_never_worse(seed):
    """A network comes back with fewer mistakes, or it is the given one itself; its shape and names stay."""
    network, X, y, worth = problem(seed)
    better = polish(network, X, y, sample_weight=worth, sideways=20, max_rounds=5, random_state=seed)
    if better is not network:
        assert loss(better, X, y, worth) < loss(network, X, y, worth)
    assert (better.inputs, better.outputs, better.domain) == (
        network.inputs,
        network.outputs,
        network.domain,
    )
    for old, new in zip(network.layers, better.layers, strict=True):
        assert (old.activation, old.weights.shape) == (new.activation, new.weights.shape)
        assert np.abs(new.dense()).max() <= np.abs(old.dense()).max()


@pytest.mark.parametrize("seed", range(8))
def test_without_sideways_moves_it_ends_where_no_move_gains(seed):
    """With `sideways` 0 the result is a local optimum: no single move makes fewer mistakes, by plain evaluation."""
    network, X, y, _ = problem(seed)
    better = polish(network, X, y, sideways=0, max_rounds=1000, random_state=0)
    targets = y.reshape(len(X), -1).astype(np.int64)
    search = _polishing.Polishing(better, X, targets, np.ones(len(X)), None, np.random.RandomState(0))
    costs = [search.moves(i, k)[0] for i, layer in enumerate(better.layers) for k in range(layer.n_neurons)]
    assert min(part.min(initial=0) for part in costs) >= 0


def test_xor_is_found():
    """From two neurons with the wrong threshold, it comes to XOR."""
    start = Network([Layer([[1, 1], [1, -1]], [-1, -1]), Layer([[1], [1]], [-1])], domain="binary")
    assert polish(start, SQUARE, [0, 1, 1, 0], random_state=0)(SQUARE).ravel().tolist() == [0, 1, 1, 0]


def test_nothing_to_gain_returns_the_network_itself():
    """A network without mistakes, and one that can't do better, come back as they are."""
    both = Network(Layer([[1], [1]], [-2]), domain="binary")
    assert polish(both, SQUARE, [0, 0, 0, 1]) is both
    one_class = Network(Layer([[1], [1]], [-2], "hardmax"), domain="binary")
    assert polish(one_class, SQUARE, [0, 0, 0, 0]) is one_class
    no_inputs = Network(Layer(np.zeros((0, 1), dtype=int), [0]), domain="binary")
    assert polish(no_inputs, np.zeros((3, 0)), [1, 1, 0]) is no_inputs
    assert polish(no_inputs, np.zeros((3, 0)), [0, 1, 0])(np.zeros((1, 0))).tolist() == [[0]]


@pytest.mark.parametrize("kind", ["signs", "ternary"])
def test_weights_stay_of_their_kind(kind):
    """Weights of one absolute value keep it; ternary ones stay ternary; thresholds are free."""
    for seed in range(12):
        network, X, y, _ = problem(seed, kind=kind)
        better = polish(network, X, y, random_state=0, max_rounds=5)
        for layer in better.layers:
            sizes = set(np.abs(layer.dense()).ravel().tolist())
            assert sizes <= ({2} if kind == "signs" else {0, 1})


def test_a_larger_max_weight_is_used_and_kept():
    """Weights grow to the limit, where that helps, and no further."""
    X = np.array([*SQUARE, [1, 1]])
    wide = np.column_stack([X, X[:, :1]])
    y = [0, 0, 0, 1, 1]
    start = Network(Layer([[1], [0], [1]], [-1]), domain="binary")
    better = polish(start, wide, y, max_weight=3, random_state=0)
    assert better(wide).ravel().tolist() == y
    assert np.abs(better.layers[0].weights).max() <= 3
    heavy = Network(Layer([[5], [0], [-4]], [0]), domain="binary")
    assert np.abs(polish(heavy, wide, y, max_weight=1, random_state=0).layers[0].weights).max() <= 5


def test_sparse_layers_keep_their_wires():
    """What is 0 in a sparse layer stays 0, and the layer sparse."""
    rng = np.random.default_rng(0)
    weights = sp.csc_array(np.where(rng.random((12, 6)) < 0.3, rng.choice([-1, 1], (12, 6)), 0))
    network = Network([Layer(weights, [0] * 6), Layer(rng.choice([-1, 1], (6, 1)), [0])], domain="binary")
    X, y = rng.integers(0, 2, (90, 12)), rng.integers(0, 2, 90)
    better = polish(network, X, y, random_state=0)
    assert better is not network
    assert sp.issparse(better.layers[0].weights)
    assert not better.layers[0].dense()[weights.toarray() == 0].any()


@pytest.mark.parametrize(
    "form", [np.asfortranarray, sp.csr_array, sp.csc_matrix, lambda X: X.astype(bool), np.float32]
)
def test_rows_of_any_form_are_the_same_rows(form):
    """Dense or sparse, bits, integers or floats, read-only or not: the result is the same."""
    network, X, y, _ = problem(7)
    expected = polish(network, X, y, random_state=3)
    given = form(X)
    if isinstance(given, np.ndarray):
        given.setflags(write=False)
    assert polish(network, given, y, random_state=3) == expected


def test_it_hangs_on_the_seed_alone():
    """The same `random_state` gives the same network; the labels may be a column or booleans."""
    network, X, y, _ = problem(16)
    first = polish(network, X, y, random_state=5)
    assert polish(network, X, y, random_state=5) == first
    assert polish(network, X, np.random.RandomState(0).permutation(y)) is not None
    single = Network(Layer(np.ones((6, 1), dtype=int), [-4]), domain="binary")
    rows = np.random.default_rng(0).integers(0, 2, (50, 6))
    labels = rows[:, 0] > rows[:, 1]
    first = polish(single, rows, labels, random_state=0)
    assert polish(single, rows, labels.astype(float)[:, np.newaxis], random_state=0) == first


def test_pieces_change_nothing(monkeypatch):
    """Kernels that are called for one row at a time, and rows unpacked in blocks, give the same network."""
    for seed in (2, 5, 6):
        network, X, y, worth = problem(seed)
        settings = {"sample_weight": worth, "random_state": 0, "sideways": 10, "max_rounds": 3}
        expected = polish(network, X, y, **settings)
        with monkeypatch.context() as patched:
            patched.setattr(_polishing, "CHUNK", 1)
            patched.setattr(_polishing, "BLOCK", 1)
            assert polish(network, X, y, **settings) == expected


@pytest.mark.parametrize(("weight", "kind"), [(1, np.int16), (2**14, np.int32), (2**31, np.int64)])
def test_large_weights_are_exact(weight, kind):
    """Net inputs are kept in the narrowest integers that hold all they can become."""
    network = Network(Layer([[weight], [weight], [-weight]], [-weight]), domain="binary")
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (70, 3)), rng.integers(0, 2, 70)
    search = _polishing.Polishing(network, X, y[:, np.newaxis], np.ones(70), None, np.random.RandomState(0))
    assert search.state.z.dtype == kind
    better = polish(network, X, y, random_state=0)
    assert loss(better, X, y, None) < loss(network, X, y, None)


# What is refused ----------------------------------------------------------------------------------------------


def network_of(**settings):
    """Return a network of one layer, of two inputs."""
    given = {"weights": [[1], [1]], "bias": [-1], "activation": "heaviside", "domain": "binary", **settings}
    return Network(Layer(given["weights"], given["bias"], given["activation"]), domain=given["domain"])


@pytest.mark.parametrize(
    ("network", "X", "y", "error", "message"),
    [
        ("a text", SQUARE, [0, 1, 1, 0], InputError, "must be a limen.Network"),
        (network_of(domain="real"), SQUARE, [0, 1, 1, 0], InputError, "domain is 'binary'"),
        (network_of(domain="integer"), SQUARE, [0, 1, 1, 0], InputError, "domain is 'binary'"),
        (network_of(weights=[[0.5], [1.0]]), SQUARE, [0, 1, 1, 0], NotExactError, "to_integers"),
        (network_of(activation="sign"), SQUARE, [0, 1, 1, 0], InputError, "layer 1 is sign.*split_sign"),
        (network_of(activation="identity"), SQUARE, [0, 1, 1, 0], InputError, "layer 1 is identity"),
        (nets.ZOO["hardmax hidden"], [[0, 0]], [[0, 0]], InputError, "layer 1 is hardmax"),
        (nets.ZOO["weights of 2**61"], [[0, 0, 0]], [0], NotExactError, "fit into int64"),
        (network_of(), [[0, 2]], [0], InputError, "0 or 1"),
        (network_of(), [[0, 1, 1]], [0], InputError, "2 columns"),
        (network_of(), [0, 1], [0], InputError, "at least one row"),
        (network_of(), np.zeros((0, 2)), [], InputError, "at least one row"),
        (network_of(), SQUARE, [0, 1, 1], InputError, r"shape \(4,\)"),
        (network_of(), SQUARE, [[0, 1]] * 4, InputError, r"shape \(4,\)"),
        (network_of(), SQUARE, [0, 1, 1, 2], InputError, "zeros and ones.*Received: 2"),
        (network_of(), SQUARE, [0, 1, 1, -1], InputError, "zeros and ones"),
        (network_of(), SQUARE, [0, 1, 1, 0.5], InputError, "zeros and ones"),
        (network_of(), SQUARE, [0, 1, 1, np.nan], InputError, "zeros and ones"),
        (network_of(), SQUARE, ["a", "b", "b", "a"], InputError, "searchsorted"),
        (network_of(weights=[[1, 0], [0, 1]], bias=[0, 0]), SQUARE, [0, 1, 1, 0], InputError, r"\(4, 2\)"),
        (
            network_of(weights=[[1, 0], [0, 1]], bias=[0, 0], activation="hardmax"),
            SQUARE,
            [0, 1, 2, 0],
            InputError,
            "class numbers from 0 to 1",
        ),
    ],
)
def test_what_is_refused(network, X, y, error, message):
    """What can't be polished is refused with what was expected, what came, and what to do."""
    with pytest.raises(error, match=message):
        polish(network, X, y)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"max_weight": 0}, "max_weight must be a whole number of at least 1"),
        ({"max_weight": 1.5}, "max_weight"),
        ({"sideways": -1}, "sideways"),
        ({"sideways": True}, "sideways"),
        ({"max_rounds": 0}, "max_rounds"),
        ({"time_limit": 0}, "time_limit must be a number of seconds above 0"),
        ({"time_limit": "1"}, "time_limit"),
        ({"time_limit": float("nan")}, "time_limit"),
        ({"sample_weight": [1, 1, 1]}, "sample_weight must have shape"),
        ({"sample_weight": [1, 1, 1, -1]}, "finite numbers"),
        ({"sample_weight": [1, 1, 1, np.inf]}, "finite numbers"),
        ({"sample_weight": ["a"] * 4}, "sample_weight"),
    ],
)
def test_options_that_are_refused(option, message):
    """An option out of range is named."""
    with pytest.raises(InputError, match=message):
        polish(network_of(), SQUARE, [0, 1, 1, 0], **option)


# Time, log, Ctrl-C --------------------------------------------------------------------------------------------


def test_rounds_are_told(caplog):
    """Each round is a record with its number and the mistakes, and is handed to `after_round` as a network."""
    network, X, y, _ = problem(9)
    seen = []
    with caplog.at_level(logging.INFO, "limen"):
        polish(network, X, y, max_rounds=4, random_state=0, after_round=seen.append)
    told = [(record.round, record.n_mistakes) for record in caplog.records]
    assert [number for number, _ in told] == list(range(1, len(seen) + 1))
    assert [mistakes for _, mistakes in told] == [loss(one, X, y, None) for one in seen]


def test_time_ends_it():
    """`time_limit` ends a search that would go on, and what was found by then comes back."""
    rng = np.random.default_rng(0)
    network = Network(
        [Layer(rng.choice([-1, 1], (20, 20)), [0] * 20), Layer(rng.choice([-1, 1], (20, 1)), [0])],
        domain="binary",
    )
    X, y = rng.integers(0, 2, (300, 20)), rng.integers(0, 2, 300)
    polish(network, X[:2], y[:2])  # compiled
    began = time.monotonic()
    better = polish(network, X, y, time_limit=0.3, sideways=10**9, max_rounds=10**9)
    assert time.monotonic() - began < 3
    assert loss(better, X, y, None) <= loss(network, X, y, None)


@pytest.mark.skipif(sys.platform == "win32" or not COMPILED, reason="signals of POSIX, and compiled kernels")
def test_a_signal_ends_it_within_a_second():
    """SIGINT ends a long round soon, and what `after_round` was given before is kept."""
    script = """
        import os, signal, threading, time
        import numpy as np
        from limen import Layer, Network
        from limen.learn import polish

        rng = np.random.default_rng(0)
        layers = [Layer(rng.choice([-1, 1], (100, 100)), [0] * 100) for _ in range(3)]
        network = Network([*layers, Layer(rng.choice([-1, 1], (100, 1)), [0])], domain="binary")
        X, y = rng.integers(0, 2, (20_000, 100)), rng.integers(0, 2, 20_000)
        polish(network, X[:64], y[:64], max_rounds=1)
        kept = []

        def interrupt():
            print(time.time(), flush=True)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Timer(1.0, interrupt).start()
        try:
            polish(network, X, y, max_rounds=10**6, sideways=10**9, after_round=kept.append)
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
