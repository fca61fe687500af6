"""One zoo of networks, and the rows to try them on.

`ZOO` maps a name to a network; between them the networks have every feature a network can have. Whatever
executes, exports or rewrites networks is held to all of them:

    @pytest.mark.parametrize("name", nets.names(lambda net: net.is_exact))
    def test_something(name):
        net = nets.ZOO[name]
        X = nets.rows_for(net)

`rows_for` gives all rows of a binary network of up to 12 inputs, and rows on both sides of every tie otherwise.
`networks` is a Hypothesis strategy for small ones of the same kinds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

import limen
from limen import Layer, Network

INT64_MAX = 2**63 - 1
MOST_INPUTS = 12  # of a binary network whose rows are all tried


# Parts --------------------------------------------------------------------------------------------------------


def with_sparse_weights(net: Network) -> Network:
    """Return the network with the weights of every layer sparse."""
    layers = [Layer(sparse.csc_array(layer.dense()), layer.bias, layer.activation) for layer in net.layers]
    return Network(layers, net.inputs, net.outputs, net.domain)


def comparator(m: int) -> Network:
    """Return the neuron that fires iff x >= y for two m-bit numbers, heaviest bits first."""
    weights = [[2**i] for i in reversed(range(m))] + [[-(2**i)] for i in reversed(range(m))]
    names = [f"{letter}{i}" for letter in "xy" for i in reversed(range(m))]
    return Network(Layer(weights, [0]), names, ["x>=y"], "binary")


def parity_chain(n: int) -> Network:
    """Return parity of `n` inputs as n - 1 XORs in a row: 2 (n - 1) layers, the inputs to come passed through."""
    layers = []
    for left in range(n, 1, -1):
        rest = left - 2
        first = np.zeros((left, 2 + rest), dtype=np.int64)
        first[:2, 0], first[:2, 1] = 1, 1
        first[2:, 2:] = np.eye(rest)
        second = np.zeros((2 + rest, 1 + rest), dtype=np.int64)
        second[0, 0], second[1, 0] = 1, -1
        second[2:, 1:] = np.eye(rest)
        layers.append(Layer(first, [-1, -2] + [-1] * rest))
        layers.append(Layer(second, [-1] * (1 + rest)))
    return Network(layers, domain="binary")


def random_network(
    seed: int,
    widths: list[int],
    activations: list[str],
    domain: str,
    *,
    density: float = 1.0,
    weights: Callable[[Any, tuple[int, ...]], Any] = lambda rng, shape: rng.integers(-3, 4, shape),
) -> Network:
    """Return a network with the given widths (inputs first); some row of zeros and ones is a tie of each neuron."""
    rng = np.random.default_rng(seed)
    layers = []
    for n_inputs, n_neurons, activation in zip(widths[:-1], widths[1:], activations, strict=True):
        W = weights(rng, (n_inputs, n_neurons)) * (rng.random((n_inputs, n_neurons)) < density)
        b = -np.round((W * rng.integers(0, 2, W.shape)).sum(axis=0), 3).astype(W.dtype)
        layers.append(Layer(W if density == 1.0 else sparse.csr_array(W), b, activation))
    return Network(layers, domain=domain)


def decimals(rng: Any, shape: tuple[int, ...]) -> Any:
    """Return weights that are multiples of 0.1, which no float64 holds."""
    return rng.integers(-12, 13, shape) / 10


def halves(rng: Any, shape: tuple[int, ...]) -> Any:
    """Return weights that are multiples of 1/8, which float64 holds."""
    return rng.integers(-20, 21, shape) / 8


# The zoo ------------------------------------------------------------------------------------------------------


def _neurons() -> dict[str, Network]:
    two = {"inputs": ["a", "b"], "domain": "binary"}
    return {
        "repeat": Network(Layer([[1]], [-1]), ["a"], ["c"], "binary"),
        "not": Network(Layer([[-1]], [0]), ["a"], ["c"], "binary"),
        "and": Network(Layer([[1], [1]], [-2]), **two),
        "or": Network(Layer([[1], [1]], [-1]), **two),
        "nand": Network(Layer([[-1], [-1]], [1]), **two),
        "a and not b": Network(Layer([[1], [-1]], [-1]), **two),
        "always": Network(Layer([[0], [0]], [0]), **two),
        "never": Network(Layer([[0], [0]], [-1]), **two),
        "always, heavily": Network(Layer([[2], [-3]], [3]), **two),
        "never, nearly": Network(Layer([[2], [3]], [-6]), **two),
        "no inputs": Network(Layer(np.zeros((0, 3), dtype=np.int64), [0, -1, 1]), domain="binary"),
        "one input, four functions": Network(Layer([[1, -1, 0, 0]], [-1, 0, 0, -1]), domain="binary"),
        "all of two inputs": Network(
            Layer([[1, 1, 1, -1, -1, 0], [1, 1, -1, -1, 1, -1]], [-2, -1, -1, 1, 0, 0]), **two
        ),
        "at least 3 of 7": Network(Layer(np.ones((7, 1), dtype=np.int64), [-3]), domain="binary"),
        "heaviest of five": Network(Layer([[5], [4], [3], [2], [2]], [-8]), domain="binary"),
        "not reduced": Network(Layer([[6, -4], [9, 2], [-3, 6]], [-7, -3]), domain="binary"),
    }


def _logic() -> dict[str, Network]:
    xor = Network(
        [Layer([[1, 1], [1, 1]], [-1, -2]), Layer([[1], [-1]], [-1])], ["a", "b"], ["a^b"], "binary"
    )
    half_adder = Network(
        [Layer([[1, 1], [1, 1]], [-1, -2]), Layer([[1, 0], [-1, 1]], [-1, -1])],
        ["a", "b"],
        ["sum", "carry"],
        "binary",
    )
    full_adder = Network(
        [
            Layer([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1]], [-1, -2, -3, -1]),
            Layer([[1, 0], [-1, 1], [1, 0], [0, 0]], [-1, -1]),
        ],
        ["a", "b", "carry in"],
        ["sum", "carry out"],
        "binary",
    )
    passed = Network(
        [Layer([[0, 2, 0], [0, 0, 1], [5, 0, 0]], [-3, -1, -1]), Layer([[1, 0], [1, -1], [0, 1]], [-2, 0])],
        domain="binary",
    )
    passed_last = Network(
        [Layer([[1, -1], [1, 1]], [-2, 0]), Layer([[0, 3, 0], [1, 0, 1]], [-1, -2, -1])], domain="binary"
    )
    wasteful = Network(
        [
            Layer([[1, 2, 0, 1, 3, -1], [1, 2, 0, 0, 3, 1]], [-1, -2, 4, -1, -7, 0]),
            Layer([[1, 0], [1, 1], [2, -1], [0, 0], [4, 4], [-1, 1]], [-3, -1]),
        ],
        domain="binary",
    )
    hidden_constant = Network(
        [Layer([[1, 1], [1, 1]], [-3, 0]), Layer([[3], [-2]], [1]), Layer([[1, -1]], [-1, 0])],
        domain="binary",
    )
    return {
        "xor": xor,
        "xor, sparse": with_sparse_weights(xor),
        "half adder": half_adder,
        "full adder": full_adder,
        "comparator of 4 bits": comparator(4),
        "comparator of 31 bits": comparator(31),
        "comparator of 62 bits": comparator(62),
        "parity of 4, six layers": parity_chain(4),
        "parity of 4, sparse": with_sparse_weights(parity_chain(4)),
        "inputs passed through": passed,
        "inputs passed through, sparse": with_sparse_weights(passed),
        "outputs passed through": passed_last,
        "outputs passed through, sparse": with_sparse_weights(passed_last),
        "dead, constant and duplicate neurons": wasteful,
        "dead, constant and duplicate neurons, sparse": with_sparse_weights(wasteful),
        "constant behind a hidden layer": hidden_constant,
        "weights of 2**40": Network(
            Layer([[2**40, -(2**40)], [2**40, 1], [-(2**40), 3]], [-(2**40), 2**40 - 2]), domain="binary"
        ),
        "weights of 2**61": Network(Layer([[2**61], [-(2**61)], [1]], [-(2**61)]), domain="binary"),
        "weights of 2**61, hidden": Network(
            [Layer([[2**61, 1], [-(2**61), 1]], [-1, -1]), Layer([[2**61], [-(2**61)]], [0])], domain="binary"
        ),
    }


def _decisions() -> dict[str, Network]:
    votes = Layer([[1, 1, 0], [0, 1, 1], [1, 0, 1]], [0, 0, 0], "hardmax")
    signs = Layer([[1, -1, 2], [-1, 1, 2], [1, -1, 0]], [0, 0, -2], "sign")
    return {
        "hardmax last, ties": Network(votes, domain="binary"),
        "hardmax of one": Network(Layer([[1], [-1]], [3], "hardmax"), domain="binary"),
        "hardmax of equals": Network(Layer([[2, 2], [2, 2]], [4, 4], "hardmax"), domain="binary"),
        "hardmax hidden": Network(
            [votes, Layer([[0, 1], [-1, 2], [1, -2]], [-1, 0])], domain="binary", outputs=["p", "q"]
        ),
        "hardmax hidden, a neuron unread": Network(
            [votes, Layer([[0, 2], [1, -3], [0, 0]], [-1, 1])], domain="binary"
        ),
        "hardmax, then passed through": Network(
            [votes, Layer(np.eye(3, dtype=np.int64), [-1] * 3)], domain="binary"
        ),
        "hardmax, then hardmax": Network(
            [votes, Layer([[1, 3], [4, 4], [2, 1]], [1, 0], "hardmax")], domain="binary"
        ),
        "hardmax, sparse": with_sparse_weights(Network(votes, domain="binary")),
        "sign last, ties": Network(signs, domain="binary"),
        "sign hidden": Network([signs, Layer([[1, -1], [1, 2], [-1, 1]], [0, -1])], domain="binary"),
        "sign hidden, constant": Network(
            [Layer([[1, 0, 2, 1], [1, 0, 1, -1]], [-3, 0, 1, 0], "sign"), Layer([[2], [1], [4], [1]], [-2])],
            domain="binary",
        ),
        "sign, then sign": Network(
            [signs, Layer([[1, 2], [1, -2], [-1, 0]], [0, 1], "sign")], domain="binary"
        ),
        "sign, sparse": with_sparse_weights(
            Network([signs, Layer([[1, 0], [0, 2], [-1, 1]], [0, -1], "sign")], domain="binary")
        ),
        "sign, then hardmax": Network(
            [signs, Layer([[1, 0], [2, -2], [0, 1]], [0, 0], "hardmax")], domain="binary"
        ),
        "sign, then identity": Network(
            [signs, Layer([[3, 1], [-2, 1], [1, 1]], [1, -2], "identity")], domain="binary"
        ),
        "identity last": Network(
            Layer([[4], [2], [1]], [-3], "identity"), outputs=["number"], domain="binary"
        ),
        "identity hidden": Network(
            [Layer([[4, 1], [2, 1], [1, 1]], [-3, 0], "identity"), Layer([[1, -1], [-1, 2]], [0, -3])],
            domain="binary",
        ),
        "sigmoid last": Network(Layer([[1.5], [-2.0]], [0.25], "sigmoid"), domain="binary"),
        "tanh hidden": Network(
            [Layer([[1.5, 1.0], [-2.0, 0.5]], [0.25, -1.0], "tanh"), Layer([[1.0], [-1.0]], [0.125])],
            domain="binary",
        ),
        "relu hidden": Network(
            [Layer([[1, 1], [1, 1]], [0, -1], "relu"), Layer([[1], [-2]], [-1])], domain="binary"
        ),
        "softmax last": Network(
            Layer([[1.0, 0.0, -1.0], [0.5, 0.5, 2.0]], [0.0, 0.25, -1.0], "softmax"), domain="binary"
        ),
    }


def _domains() -> dict[str, Network]:
    step_of_ages = Layer(np.ones((1, 3)), [-18.0, -35.0, -64.5])
    return {
        "integers, a line": Network(Layer([[3], [-2]], [5]), domain="integer"),
        "integers, not reduced": Network(Layer([[6, 4], [-4, 10]], [5, -7]), domain="integer"),
        "integers, wide": Network(Layer([[2**40], [-(2**40) - 1]], [7]), domain="integer"),
        "integers, sign": Network(Layer([[2, -3], [2, 3]], [4, 0], "sign"), domain="integer"),
        "integers, hardmax": Network(Layer([[1, 2, -1], [1, 0, 3]], [0, 0, -2], "hardmax"), domain="integer"),
        "integers, identity last": Network(
            [Layer([[1, 1], [-1, 2]], [0, -3]), Layer([[2], [-5]], [1], "identity")], domain="integer"
        ),
        "integers, deep": Network(
            [Layer([[1, -1, 2], [1, 1, 0]], [-2, 0, 1], "sign"), *layers_of_all_steps()], domain="integer"
        ),
        "integers, sparse": with_sparse_weights(
            Network([Layer([[3, 0], [0, -2]], [-4, 6]), Layer([[1], [-1]], [0])], domain="integer")
        ),
        "integers, eighths": random_network(3, [3, 4, 2], ["heaviside"] * 2, "integer", weights=halves),
        "reals, a line": Network(Layer([[0.5], [-1.25]], [0.75]), ["width", "height"], ["inside"]),
        "reals, a line of decimals": Network(Layer([[0.1], [0.2]], [-0.3])),
        "reals, integer weights not reduced": Network(
            [Layer([[2, 3], [4, -3]], [1, -6]), Layer([[2], [2]], [-3])]
        ),
        "reals, cut points": Network(step_of_ages, ["age"], ["age >= 18", "age >= 35", "age >= 64.5"]),
        "reals, cut points, then a decision": Network(
            [step_of_ages, Layer([[1, 0], [-2, 1], [3, 1]], [0, -1])], ["age"], ["p", "q"]
        ),
        "reals, sign": Network(Layer([[0.5, 3.0], [0.25, -2.0]], [-0.75, 0.0], "sign")),
        "reals, hardmax": Network(Layer([[0.5, -1.5, 1.0], [1.0, 2.0, -0.25]], [0.0, 0.0, -1.0], "hardmax")),
        "reals, identity": Network(Layer([[0.5], [1.5]], [0.25], "identity")),
        "reals, relu, then softmax": random_network(
            4, [3, 4, 3], ["relu", "softmax"], "real", weights=halves
        ),
        "reals, sparse": with_sparse_weights(Network(Layer([[0.5, 0.0], [0.0, -1.25]], [0.75, 2.0]))),
    }


def layers_of_all_steps() -> list[Layer]:
    """Return layers after a sign layer of three: heaviside, hardmax, heaviside, sign, heaviside."""
    return [
        Layer([[1, 0, 2], [-1, 1, 1], [1, 1, -1]], [0, -1, 1]),
        Layer([[1, 2, 0], [1, 0, 1], [0, 1, 2]], [0, 0, 0], "hardmax"),
        Layer([[1, 0], [0, 1], [1, 1]], [-1, -1]),
        Layer([[1, 2], [-1, -1]], [0, 0], "sign"),
        Layer([[1, 1], [1, -1]], [0, -1]),
    ]


def _random() -> dict[str, Network]:
    steps = ["heaviside", "heaviside", "heaviside"]
    return {
        "eighths": random_network(1, [6, 8, 5, 3], steps, "binary", weights=halves),
        "decimals": random_network(21, [6, 8, 5, 3], steps, "binary", weights=decimals),
        "decimals, hardmax": random_network(
            5, [6, 5, 4], ["heaviside", "hardmax"], "binary", weights=decimals
        ),
        "decimals, sparse": random_network(
            6, [8, 12, 3], ["sign", "heaviside"], "binary", weights=decimals, density=0.4
        ),
        "integers before floats": Network(
            [
                *random_network(7, [5, 6], ["heaviside"], "binary").layers,
                *random_network(8, [6, 2], ["heaviside"], "binary", weights=halves).layers,
            ],
            domain="binary",
        ),
        "twelve inputs": random_network(9, [12, 10, 6, 2], ["heaviside", "sign", "heaviside"], "binary"),
        "63 inputs": random_network(10, [63, 65, 1], ["heaviside", "heaviside"], "binary"),
        "64 inputs": random_network(11, [64, 64, 2], ["heaviside", "sign"], "binary"),
        "65 inputs": random_network(12, [65, 63, 3], ["heaviside", "hardmax"], "binary"),
        "300 inputs, sparse": random_network(
            13, [300, 130, 40, 4], ["heaviside", "sign", "hardmax"], "binary", density=0.04
        ),
        "six layers": random_network(
            14,
            [7, 9, 8, 7, 6, 5, 3],
            ["heaviside", "sign", "heaviside", "hardmax", "heaviside", "heaviside"],
            "binary",
        ),
    }


def _trained() -> dict[str, Network]:
    """Return networks as training left them: weights of few values, odd thresholds, classes that often tie."""
    files = sorted(Path(__file__).with_name("trained").glob("*.limen"))
    return {f"trained, {path.stem}": limen.load(path).network for path in files}


ZOO: dict[str, Network] = {
    **_neurons(),
    **_logic(),
    **_decisions(),
    **_domains(),
    **_random(),
    **_trained(),
}


def names(good: Callable[[Network], object] = lambda net: True) -> list[str]:
    """Return the names of the networks of the zoo that are `good`."""
    return [name for name, net in ZOO.items() if good(net)]


# Rows to try --------------------------------------------------------------------------------------------------


def rows_for(net: Network, *, most: int = 4096) -> Any:
    """Return rows of the network's domain that are worth trying, shape (n_rows, n_inputs).

    Binary, up to 12 inputs: all rows, in truth-table order, int8. Binary, more inputs: all zeros, all ones, each
    input alone, and random rows, among them rows one flip from a tie of a first-layer neuron. Integer (int64) and
    real (float64): for each first-layer neuron, rows with a net input at, just below and just above a tie, and
    random rows; all small enough that no integer sum passes int64.
    """
    n = net.n_inputs
    if net.domain == "binary" and n <= MOST_INPUTS:
        return np.array(list(itertools.product((0, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)
    rng = np.random.default_rng(20)
    rows = _bit_rows(net, rng) if net.domain == "binary" else _number_rows(net, rng)
    return rows[:most]


def _planes(net: Network) -> list[tuple[list[Any], Any]]:
    """Return (weights, bias) of the sums whose sign decides in the first layer."""
    layer = net.layers[0]
    W, b = layer.dense().T.tolist(), layer.bias.tolist()
    if layer.activation in {"hardmax", "softmax"}:
        pairs = list(itertools.combinations(range(len(b)), 2))[:40]
        return [([p - q for p, q in zip(W[i], W[j], strict=True)], b[i] - b[j]) for i, j in pairs]
    return list(zip(W, b, strict=True))[:40]


def _bit_rows(net: Network, rng: Any) -> Any:
    n = net.n_inputs
    rows = [np.zeros(n, dtype=np.int8), np.ones(n, dtype=np.int8), *np.eye(n, dtype=np.int8)]
    for weights, bias in _planes(net):
        row = rng.integers(0, 2, n).astype(np.int8)
        total = sum(w for w, x in zip(weights, row.tolist(), strict=True) if x) + bias
        for i in rng.permutation(n).tolist():  # walk towards the tie, keeping each row on the way
            step = weights[i] * (1 - 2 * int(row[i]))
            if abs(total + step) < abs(total):
                row = row.copy()
                row[i], total = 1 - row[i], total + step
                rows.append(row)
    return np.array([*rows, *rng.integers(0, 2, (64, n)).astype(np.int8)])


def _number_rows(net: Network, rng: Any) -> Any:
    n, integer = net.n_inputs, net.domain == "integer"
    most = _largest_input(net)
    bases = [[0] * n, [1] * n, *rng.integers(-9, 10, (12, n)).tolist()]
    rows: list[list[Any]] = list(bases)
    for weights, bias in _planes(net):
        for base, i in itertools.product(bases, range(n)):
            if weights[i] == 0:
                continue
            others = sum(
                Fraction(w) * x for j, (w, x) in enumerate(zip(weights, base, strict=True)) if j != i
            )
            for target in (-1, 0, 1):  # the sum wanted: below the tie, at it, above it
                exact = (target - Fraction(bias) - others) / Fraction(weights[i])
                if abs(exact) >= most:
                    continue
                near = _whole_around(exact) if integer else _floats_from(exact)
                rows.extend([*base[:i], x, *base[i + 1 :]] for x in near)
    unique = list(dict.fromkeys(map(tuple, rows)))
    return np.array(unique, dtype=np.int64 if integer else np.float64).reshape(-1, n)


def _whole_around(exact: Fraction) -> tuple[int, int]:
    floor = exact.numerator // exact.denominator
    return floor, floor + 1


def _floats_from(exact: Fraction) -> tuple[float, float]:
    return float(exact), float(np.nextafter(float(exact), np.inf))


def _largest_input(net: Network) -> int:
    """Return how large inputs may be for the first layer's integer sums to stay within int64."""
    layer = net.layers[0]
    if not layer.is_integer or net.domain == "real":
        return 2**40
    reach = max(sum(map(abs, column)) for column in layer.dense().T.tolist())
    return (INT64_MAX - max(map(abs, layer.bias.tolist()))) // max(1, reach)


# Hypothesis ---------------------------------------------------------------------------------------------------

INTEGERS = st.integers(-6, 6)
EIGHTHS = st.integers(-24, 24).map(lambda k: k / 8)
DECIMALS = st.integers(-12, 12).map(lambda k: k / 10)


@st.composite
def networks(
    draw: Any,
    *,
    domains: tuple[str, ...] = ("binary", "integer", "real"),
    activations: tuple[str, ...] = ("heaviside", "sign", "hardmax"),
    last: tuple[str, ...] | None = None,
    numbers: tuple[Any, ...] = (INTEGERS, EIGHTHS, DECIMALS),
    most_inputs: int = 5,
) -> Network:
    """Draw a small network of up to four layers, dense or sparse, with columns and rows that repeat now and then."""
    depth = draw(st.integers(1, 4))
    widths = [draw(st.integers(1, most_inputs))] + [draw(st.integers(1, 5)) for _ in range(depth)]
    layers = []
    for index, (n_inputs, n_neurons) in enumerate(itertools.pairwise(widths)):
        allowed = last if last is not None and index == depth - 1 else activations
        number = draw(st.sampled_from(numbers))
        column = st.lists(st.just(0) | number, min_size=n_inputs + 1, max_size=n_inputs + 1)
        columns = draw(st.lists(column, min_size=1, max_size=n_neurons))
        while (
            len(columns) < n_neurons
        ):  # what is missing repeats what is there, once, twice or three times as heavy
            factor = draw(st.integers(1, 3))
            columns.append([factor * w for w in draw(st.sampled_from(columns))])
        table = np.array(columns).T
        W = sparse.csr_array(table[:-1]) if draw(st.booleans()) else table[:-1]
        layers.append(Layer(W, table[-1], draw(st.sampled_from(allowed))))
    return Network(layers, domain=draw(st.sampled_from(domains)))
