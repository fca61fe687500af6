"""The value: what layers and networks compute, what they refuse, and that they are values."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import limen.network
import naive
import nets
from limen import Layer, Network
from limen.errors import InputError, LimenError, NotExactError

INT64_MAX = 2**63 - 1
AND = Layer([[1], [1]], [-2])
XOR = Network([Layer([[1, 1], [1, 1]], [-1, -2]), Layer([[1], [-1]], [-1])], ["a", "b"], ["a^b"], "binary")
SMOOTH = {"sigmoid", "tanh", "softmax"}


def as_lists(net: Network) -> list[Any]:
    """Return the network as the oracles read it."""
    return [(layer.dense().tolist(), layer.bias.tolist(), layer.activation) for layer in net.layers]


# The definition -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", nets.names(lambda net: net.is_exact))
def test_an_exact_network_equals_the_oracle(name: str) -> None:
    """Every output equals that of plain sums over Python's integers."""
    net = nets.ZOO[name]
    X = nets.rows_for(net)
    X = X[:: max(1, len(X) * net.n_inputs // 6000)]
    expected = [naive.network(as_lists(net), row) for row in X.tolist()]
    assert net(X).tolist() == expected


def multiples_of_eighths(net: Network) -> bool:
    """Whether float64 sums of the network are exact: weights are small multiples of 1/8."""
    return all((layer.dense() * 8 == np.rint(layer.dense() * 8)).all() for layer in net.layers)


@pytest.mark.parametrize(
    "name",
    nets.names(lambda net: not net.is_exact and not SMOOTH & {layer.activation for layer in net.layers}),
)
def test_a_float_network_equals_the_oracle_where_sums_are_exact(name: str) -> None:
    """Where no sum is rounded, outputs equal those of fractions; where one is, only rows on a tie may differ."""
    net = nets.ZOO[name]
    X = nets.rows_for(net)[:300]
    layers = naive.exactly(as_lists(net))
    expected = [naive.network(layers, [naive.exact_number(x) for x in row]) for row in X.tolist()]
    got = net(X).tolist()
    if net.domain != "real" and multiples_of_eighths(net):
        assert got == expected
    else:
        for row, mine, exact in zip(X.tolist(), got, expected, strict=True):
            assert mine == exact or near_a_tie(net, row)


def near_a_tie(net: Network, row: list[Any]) -> bool:
    """Whether some net input, or difference of two, is within rounding of 0, so that rounding may decide."""
    h: Any = np.array(row)
    for layer in net.layers:
        z = layer.net_input(h)
        size = np.abs(h) @ np.abs(layer.dense()) + np.abs(layer.bias)
        among = z if layer.activation != "hardmax" else np.sort(z)[-1] - np.sort(z)[:-1]
        if layer.activation in {"identity", "relu"} or (np.abs(among) <= 1e-12 * size.max()).any():
            return True
        h = layer(h)
    return False


def test_the_comparison_of_floats_can_fail() -> None:
    """A wrong output far from a tie isn't excused."""
    assert not near_a_tie(nets.ZOO["reals, a line"], [3.0, -5.0])
    assert near_a_tie(nets.ZOO["reals, a line"], [1.0, 1.0])


@pytest.mark.parametrize("name", nets.ZOO)
def test_sparse_weights_compute_the_same(name: str) -> None:
    """A network with sparse weights gives the outputs of its dense twin, equal in type and value."""
    net = nets.ZOO[name]
    X = nets.rows_for(net)[:200]
    twin = nets.with_sparse_weights(net)
    assert twin == net
    mine, other = twin(X), net(X)
    assert mine.dtype == other.dtype
    for row, p, q in zip(X.tolist(), mine, other, strict=True):
        if mine.dtype == np.int8:
            assert np.array_equal(p, q) or (not multiples_of_eighths(net) and near_a_tie(net, row))
        else:
            assert np.array_equal(p, q) if net.is_exact else np.allclose(p, q, rtol=1e-12)


def test_the_tie_rule_at_the_threshold() -> None:
    """A neuron of threshold θ fires at sums θ and θ+1, not at θ-1, in integers and in floats."""
    for theta in (-3, 0, 5, 2**40):
        for number in (int, float):
            net = Network(Layer([[number(1)]], [number(-theta)]), domain="integer")
            assert net([[theta - 1], [theta], [theta + 1]]).ravel().tolist() == [0, 1, 1]


def test_scores_are_the_net_inputs_of_the_last_layer() -> None:
    """`scores` stops before the last activation."""
    assert XOR.scores([[0, 0], [0, 1], [1, 1]]).ravel().tolist() == [-1, 0, -1]
    assert Network(AND).scores([[0.5, 0.25]]).tolist() == [[-1.25]]


# Shapes and types of X ----------------------------------------------------------------------------------------

BITS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.mark.parametrize(
    ("X", "shape"),
    [
        (BITS[1], (1,)),
        (BITS, (4, 1)),
        (BITS[:0], (0, 1)),
        (BITS.reshape(2, 2, 2), (2, 2, 1)),
        (np.zeros((3, 0, 2), dtype=int), (3, 0, 1)),
        (np.zeros((2, 3, 4, 2)), (2, 3, 4, 1)),
        ([0, 1], (1,)),
        (((0, 1), (1, 1)), (2, 1)),
    ],
)
def test_shapes(X: Any, shape: tuple[int, ...]) -> None:
    """X of shape (..., n_inputs) gives (..., n_outputs), batches of no rows included."""
    assert XOR(X).shape == shape
    assert XOR.scores(X).shape == shape
    assert XOR.layers[0](X).shape == (*shape[:-1], 2)


def test_no_inputs() -> None:
    """A network without inputs is constant, for any number of rows."""
    net = nets.ZOO["no inputs"]
    assert net(np.zeros((2, 0), dtype=int)).tolist() == [[1, 0, 1]] * 2
    assert net(np.zeros(0)).tolist() == [1, 0, 1]
    assert net(sparse.csr_array((3, 0), dtype=np.int8)).tolist() == [[1, 0, 1]] * 3


DTYPES = [
    bool, np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("domain", ["binary", "integer", "real"])
def test_types(dtype: type, domain: str) -> None:
    """Booleans, integers and floats of every width are zeros and ones alike."""
    net = Network(XOR.layers, domain=domain)
    result = net(BITS.astype(dtype))
    assert result.ravel().tolist() == [0, 1, 1, 0]
    assert result.dtype == np.int8


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sparse_inputs(dtype: type, layout: str, index: type) -> None:
    """Sparse matrices of every format and index type are rows like any other."""
    for made in (sparse.csr_matrix, sparse.csr_array):
        X = made(BITS.astype(dtype))
        X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
        assert XOR(X.asformat(layout)).ravel().tolist() == [0, 1, 1, 0]
        assert nets.with_sparse_weights(XOR)(X.asformat(layout)).ravel().tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "X",
    [
        np.asfortranarray(BITS),
        np.repeat(np.repeat(BITS, 2, axis=0), 3, axis=1)[::2, ::3],
        BITS[::-1][::-1],
        np.broadcast_to(np.array([0, 1]), (4, 2)),
    ],
)
def test_layouts(X: Any) -> None:
    """Rows that aren't contiguous, or are read-only, are read where they lie."""
    X = X.view()
    X.setflags(write=False)
    assert XOR(X).ravel().tolist() == [a ^ b for a, b in X.tolist()]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float64])
def test_the_inputs_are_left_alone(dtype: type) -> None:
    """A call changes nothing about X, dense or sparse."""
    X = BITS.astype(dtype)
    XOR(X)
    assert np.array_equal(X, BITS)
    csr = sparse.csr_array(X)
    csr.data, csr.indices = np.append(csr.data, X[3, 3 - 2]), np.append(csr.indices, 0)  # room to spare
    XOR(csr)
    assert csr.data.size == 5


def test_entries_that_stand_twice_are_added() -> None:
    """SciPy reads two entries at one place as their sum; so do the domain and the bound on sums."""
    twice = sparse.csr_array((np.array([1, 1]), np.array([0, 0]), np.array([0, 2])), shape=(1, 2))
    with pytest.raises(InputError, match=r"must be 0 or 1\. Received: 2\."):
        XOR(twice)
    assert twice.nnz == 2
    assert Network(AND, domain="integer")(twice).tolist() == [[1]]
    wide = Network(Layer([[2**61], [0]], [0], "identity"), domain="integer")
    six = sparse.csr_array((np.ones(6, dtype=int), np.zeros(6, dtype=int), np.array([0, 6])), shape=(1, 2))
    with pytest.raises(NotExactError, match="could reach 13835058055282163712"):
        wide(six)
    weights = sparse.csc_array((np.array([1, 2]), np.array([0, 0]), np.array([0, 2])), shape=(2, 1))
    assert Layer(weights, [0]) == Layer([[3], [0]], [0])


# Bad inputs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "indices", "indptr"),
    [
        ([1, 1], [0, 2], [0, 1, 2]),
        ([1, 1], [0, -1], [0, 1, 2]),
        ([1, 1], [0, 10**6], [0, 1, 2]),
        ([1, 1], [0, 1], [0, 2, 1]),
        ([1, 1], [0, 1], [0, 1, 3]),
        ([1, 1], [0, 1], [1, 1, 2]),
        ([1, 1], [0, 1], [0, 10**6, 2]),
        ([1, 1], [0, 1], [0, -5, 2]),
        ([1], [0, 1], [0, 1, 2]),
    ],
)
@pytest.mark.parametrize("made", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_broken_index_arrays_are_named(made: Any, data: Any, indices: Any, indptr: Any) -> None:
    """A hand-built matrix with wrong index arrays is refused, as rows and as weights, before SciPy loops over it."""
    X = made((2, 2), dtype=np.int8)
    X.data, X.indices, X.indptr = (
        np.array(data, np.int8),
        np.array(indices, np.int32),
        np.array(indptr, np.int32),
    )
    with pytest.raises(InputError, match=r"X must be a well-formed 2-D sparse matrix\. Received: "):
        XOR(X)
    with pytest.raises(InputError, match=r"weights must be a well-formed 2-D sparse matrix\. Received: "):
        Layer(X, [0, 0])


def broken_coo() -> Any:
    """Return coordinates with a row that isn't there."""
    X = sparse.coo_array(np.eye(2, dtype=np.int8))
    X.row[0] = 10**6
    return X


def broken_bsr() -> Any:
    """Return blocks with a column that isn't there."""
    X = sparse.bsr_array(np.eye(2, dtype=np.int8), blocksize=(1, 1))
    X.indices[0] = -7
    return X


@pytest.mark.parametrize("broken", [broken_coo, broken_bsr])
def test_broken_coordinates_are_named(broken: Any) -> None:
    """The other sparse formats are checked too."""
    with pytest.raises(InputError, match="X must be a well-formed 2-D sparse matrix"):
        XOR(broken())


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[1j, 0]]), r"X must hold booleans, integers or floats\. Received: dtype complex128\."),
        (np.array([["0", "1"]]), r"Received: dtype <U1\."),
        (np.array([[None, 1]]), r"Received: dtype object\."),
        (np.array([[b"0", b"1"]]), r"Received: dtype \|S1\."),
        (np.array([["2020-01-01"] * 2], dtype="M8[D]"), r"Received: dtype datetime64\[D\]\."),
        (np.zeros((1, 2), dtype=np.longdouble), r"Received: dtype (float128|longdouble)\."),
        (sparse.csr_array(np.array([[1j, 0]])), r"Received: dtype complex128\."),
        (sparse.coo_array(np.array([0, 1])), r"well-formed 2-D sparse matrix\. Received: 1 dimension"),
        ([[0, 1], [1]], r"X must be a table of numbers with rows of one length"),
        (None, r"Received: dtype object\."),
        ("ab", r"Received: dtype <U2\."),
        (np.ma.array([[0, 1]], mask=[[True, False]]), r"a masked array with masked entries"),
        (3, r"X must have 2 columns, one for each input \(a, b\)\. Received: shape \(\)\."),
        ([], r"Received: shape \(0,\)\."),
        ([[0, 1, 1]], r"Received: shape \(1, 3\)\."),
        (sparse.csr_array((4, 3)), r"Received: shape \(4, 3\)\."),
        ([[0, 2]], r"Inputs of a network on the binary domain must be 0 or 1\. Received: 2\."),
        ([[0, -1]], r"Received: -1\."),
        ([[0.0, 0.5]], r"Received: 0\.5\."),
        ([[0.0, np.nan]], r"Received: nan\."),
        (sparse.csr_array([[0, 3]]), r"Received: 3\."),
        (sparse.csr_array([[0, np.inf]]), r"Received: inf\."),
        (np.array([[0, 2**63]], dtype=np.uint64), r"Received: 9223372036854775808\."),
    ],
)
def test_bad_rows_are_named(X: Any, message: str) -> None:
    """What X should be, and what came."""
    with pytest.raises(InputError, match=message):
        XOR(X)
    with pytest.raises(InputError, match=message):
        XOR.scores(X)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("domain", ["integer", "real"])
@pytest.mark.parametrize("form", [np.array, sparse.csr_array])
def test_what_is_not_finite_is_refused(bad: float, domain: str, form: Any) -> None:
    """NaN and infinity are outside every domain."""
    with pytest.raises(InputError, match=f"on the {domain} domain must be .* Received: {bad}"):
        Network(AND, domain=domain)(form([[0.0, bad]]))


def test_integers_outside_the_domain() -> None:
    """Fractions and numbers beyond int64 aren't inputs of a network on integers."""
    net = Network(AND, domain="integer")
    with pytest.raises(InputError, match=r"must be whole numbers within int64\. Received: 0\.5\."):
        net([[1, 0.5]])
    with pytest.raises(InputError, match=r"Received: 1e\+19\."):
        net([[1, 1e19]])
    with pytest.raises(NotExactError, match=r"must fit into int64\. Received: 9223372036854775808\."):
        net(np.array([[1, 2**63]], dtype=np.uint64))
    with pytest.raises(NotExactError, match=r"Received: 1000000000000000000000\."):
        net(np.array([[1, 10**21]], dtype=object))


# Whole numbers ------------------------------------------------------------------------------------------------


def bits(number: int, m: int) -> list[int]:
    """Return the binary digits of a number, most significant first."""
    return [number >> i & 1 for i in reversed(range(m))]


@pytest.mark.parametrize("m", [1, 2, 31, 52, 53, 54, 61, 62])
def test_comparing_numbers_of_many_bits(m: int) -> None:
    """X >= y is one neuron with weights ±2^i, exact up to 62 bits, where float64 holds 53."""
    top = 2**m - 1
    pairs = [(0, 0), (top, top), (top, top - 1), (top - 1, top), (0, top), (top, 0), (top // 2, top // 2 + 1)]
    X = np.array([bits(x, m) + bits(y, m) for x, y in pairs])
    for net in (nets.comparator(m), nets.with_sparse_weights(nets.comparator(m))):
        assert net(X).ravel().tolist() == [int(x >= y) for x, y in pairs]
        assert net(sparse.csr_array(X)).ravel().tolist() == [int(x >= y) for x, y in pairs]


def test_comparing_numbers_of_63_bits_is_refused() -> None:
    """The sum of 126 weights up to 2^62 could pass int64, so the call is refused, by name."""
    net = nets.comparator(63)
    with pytest.raises(NotExactError, match=f"could reach {2 * (2**63 - 1)}"):
        net(np.ones((1, 126), dtype=np.int8))


def test_comparing_numbers_of_64_bits_is_refused() -> None:
    """A weight of 2^63 doesn't fit into int64, so there is no such layer."""
    with pytest.raises(
        NotExactError, match=r"weights must fit into int64 to be exact\. Received: 9223372036854775808\."
    ):
        nets.comparator(64)


@pytest.mark.parametrize("weight", [2**53 - 2, 2**53 - 1, 2**53, 2**53 + 1, 2**62])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_the_product_is_exact_on_both_sides_of_float64(weight: int, as_sparse: bool) -> None:
    """Net inputs around 2**53, where the product moves from float64 to int64, are whole numbers held exactly."""
    W = [[weight, 1], [-1, weight]]
    layer = Layer(sparse.csr_array(W) if as_sparse else W, [1, 0], "identity")
    X = [[1, 0], [0, 1], [1, 1], [-1, 1]]
    assert layer(X).tolist() == [naive.layer(W, [1, 0], "identity", row) for row in X]


def test_the_path_switches_at_2_to_the_53(monkeypatch: pytest.MonkeyPatch) -> None:
    """float64 multiplies while Σ|w|·max|x| + |b| < 2**53, and int64 from there on."""
    calls = []
    product = limen.network.product
    monkeypatch.setattr(limen.network, "product", lambda *args: calls.append(1) or product(*args))
    below = Layer([[2**53 - 2]], [1])
    below([[1]])
    assert calls == [1]
    Layer([[2**53 - 2]], [2])([[1]])
    below([[2]])
    assert calls == [1]


def test_the_bound_counts_the_bias_and_the_largest_input() -> None:
    """A sum that fits to the last unit is computed; one that might not is refused."""
    net = Network(Layer([[2**61], [2**61]], [2**62 - 1], "identity"), domain="integer")
    assert net([[1, 1]]).tolist() == [[INT64_MAX]]
    with pytest.raises(NotExactError, match="could reach 13835058055282163711"):
        net([[2, 0]])
    assert Network(Layer([[1]], [0], "identity"), domain="integer")(
        [[INT64_MAX], [-INT64_MAX]]
    ).ravel().tolist() == [
        INT64_MAX,
        -INT64_MAX,
    ]


def test_float_overflow_is_named() -> None:
    """A float sum that becomes infinite is refused, with the neuron and the row."""
    net = Network(Layer([[1.0, 1e308], [1.0, 1e308]], [0.0, 0.0]))
    with pytest.raises(InputError, match=r"net input of neuron 1 overflows float64.* in row 1\. Scale"):
        net([[0.0, 0.0], [1.0, 1.0]])
    for layer in (AND, nets.with_sparse_weights(Network(AND)).layers[0]):
        with pytest.raises(InputError, match="overflows float64, or an input is NaN or infinite"):
            layer([[np.nan, 1.0]])


def test_big_integer_inputs_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows converted a block at a time give what they give at once."""
    X = np.random.default_rng(0).integers(-9, 10, (101, 7))
    net = Network(Layer(np.arange(21).reshape(7, 3) - 10, [1, 2, 3], "identity"), domain="integer")
    at_once = net(X)
    monkeypatch.setattr("limen._weights.BLOCK", 50)
    assert np.array_equal(net(X), at_once)
    assert at_once.tolist() == [naive.network(as_lists(net), row) for row in X.tolist()]


# Building -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ([[1], [1]], [-2], "step"),
            InputError,
            r"activation must be one of heaviside, .*\. Received: 'step'\.",
        ),
        (([[1], [1]], [-2], None), InputError, r"Received: None\."),
        (([[1], [1]], [-2], ["sign"]), InputError, r"Received: \['sign'\]\."),
        (
            ([[1], [1]], [[-2]]),
            InputError,
            r"bias must have shape \(n_neurons,\).*an array of shape \(1, 1\)\.",
        ),
        (([[1], [1]], -2), InputError, r"an array of shape \(\)\."),
        (([1, 1], [-2]), InputError, r"weights must have shape \(n_inputs, n_neurons\).* shape \(2,\)\."),
        (([[1], [1]], [-2, 1]), InputError, r"have 1 neurons, so bias must have 1 entries\. Received: 2\."),
        ((np.zeros((2, 0)), []), InputError, r"A layer needs at least one neuron"),
        ((sparse.csr_array((2, 0)), []), InputError, r"A layer needs at least one neuron"),
        (([[1], [1, 2]], [-2]), InputError, r"weights must be an array of numbers with rows of one length"),
        (([["a"]], [-2]), InputError, r"weights must hold integers or floats.*Received: dtype <U1\."),
        (([[1j]], [-2]), InputError, r"Received: dtype complex128\."),
        (([[None]], [-2]), InputError, r"Received: dtype object\."),
        (([[np.nan]], [-2]), InputError, r"weights must be finite\. Received: nan\."),
        (([[1.0]], [-np.inf]), InputError, r"bias must be finite\. Received: -inf\."),
        ((sparse.csr_array([[np.inf]]), [0.0]), InputError, r"weights must be finite\. Received: inf\."),
        ((sparse.csr_array([[1j]]), [0.0]), InputError, r"Received: dtype complex128\."),
        (
            ([[2**63]], [0]),
            NotExactError,
            r"weights must fit into int64 to be exact\. Received: 9223372036854775808\.",
        ),
        (([[2**63, -1]], [0, 0]), NotExactError, r"Received: 9223372036854775808\."),
        (([[1]], [-(2**63) - 1]), NotExactError, r"bias must fit into int64"),
        ((np.array([[2**63]], np.uint64), [0]), NotExactError, r"weights must fit into int64"),
        (([[2**53 + 1]], [0.5]), NotExactError, r"weights of 9007199254740993 would be rounded in float64"),
        (([[0.5]], [2**63 - 1]), NotExactError, r"bias of 9223372036854775807 would be rounded"),
    ],
)
def test_bad_layers_are_named(arguments: Any, error: type, message: str) -> None:
    """What weights, bias and activation should be, and what came; no layer of no neurons."""
    with pytest.raises(error, match=message):
        Layer(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), r"A network is made of one or more limen\.Layer\. Received: none\."),
        (([[[1]]],), r"Received: list\."),
        (
            ([AND, AND],),
            r"Layer 2 must take 1 inputs, one from each neuron of layer 1\. Received: weights with 2 rows\.",
        ),
        ((AND, ["a"]), r"inputs must be 2 names\. Received: 1 \(a\)\."),
        ((AND, ["a", "a"]), r"inputs must be unique\. Received: 'a' twice\."),
        ((AND, ["a", ""]), r"inputs must be names: text that isn't empty\. Received: ''\."),
        ((AND, ["a", 1]), r"Received: 1\."),
        ((AND, None, ["c", "d"]), r"outputs must be 1 names\. Received: 2 \(c, d\)\."),
        ((AND, None, None, "bits"), r"domain must be one of binary, integer, real\. Received: 'bits'\."),
        ((AND, None, None, None), r"Received: None\."),
    ],
)
def test_bad_networks_are_named(arguments: Any, message: str) -> None:
    """What layers, names and domain should be, and what came."""
    with pytest.raises(InputError, match=message):
        Network(*arguments)


@pytest.mark.parametrize(
    ("weights", "bias", "dtype"),
    [
        ([[1]], [0], np.int64),
        ([[True]], [False], np.int64),
        (np.array([[1]], np.uint8), [0], np.int64),
        (np.array([[1]], np.float32), [0], np.float64),
        ([[1]], [0.0], np.float64),
        ([[1.0]], [0], np.float64),
        ([[2**60]], [0.5], np.float64),
        (sparse.csr_array(np.array([[1]], np.int8)), [0], np.int64),
        (sparse.coo_matrix(np.array([[1]], np.float32)), [0], np.float64),
    ],
)
def test_numbers_become_int64_or_float64(weights: Any, bias: Any, dtype: type) -> None:
    """Integers and booleans are kept as int64; if weights or bias are floats, both are."""
    layer = Layer(weights, bias)
    assert layer.weights.dtype == layer.bias.dtype == dtype
    assert layer.is_integer == (dtype == np.int64)


# Being a value ------------------------------------------------------------------------------------------------


def test_arrays_are_copies_and_read_only() -> None:
    """Changing the array a layer was made from doesn't change the layer, and its own can't be written."""
    W, b = np.array([[1], [1]]), np.array([-2])
    layer = Layer(W, b)
    W[0], b[0] = 9, 9
    assert layer == AND
    with pytest.raises(ValueError, match="read-only"):
        layer.weights[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        layer.bias[0] = 5
    matrix = sparse.csc_array(np.array([[1.0], [1.0]]))
    from_sparse = Layer(matrix, [-2.0])
    matrix.data[:] = 9
    assert from_sparse == Layer([[1.0], [1.0]], [-2.0])
    with pytest.raises(ValueError, match="read-only"):
        from_sparse.weights.data[0] = 5


@pytest.mark.parametrize("value", [AND, XOR])
def test_attributes_are_frozen(value: Any) -> None:
    """Neither a layer nor a network can be changed in place or given new attributes."""
    name = "bias" if isinstance(value, Layer) else "domain"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, getattr(value, name))
    with pytest.raises((AttributeError, TypeError)):
        value.note = "mine"
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(value, name)


@pytest.mark.parametrize("value", [Layer, Network])
def test_nothing_subclasses_a_value(value: type) -> None:
    """A subclass is refused, saying what to do instead."""
    with pytest.raises(TypeError, match="can't be subclassed; write a function"):
        type("Mine", (value,), {})


def test_equality_is_by_content() -> None:
    """Equal layers, names and domain make equal networks, with equal hashes; anything else differs."""
    same = Network(
        [Layer(layer.dense().copy(), layer.bias.copy()) for layer in XOR.layers],
        ["a", "b"],
        ["a^b"],
        "binary",
    )
    assert same == XOR
    assert hash(same) == hash(XOR)
    others = [
        Network(XOR.layers, ["a", "c"], ["a^b"], "binary"),
        Network(XOR.layers, ["a", "b"], ["c"], "binary"),
        Network(XOR.layers, ["a", "b"], ["a^b"], "integer"),
        Network([XOR.layers[0], Layer([[1], [-1]], [0])], ["a", "b"], ["a^b"], "binary"),
        Network([XOR.layers[0], Layer([[1], [-2]], [-1])], ["a", "b"], ["a^b"], "binary"),
        Network([XOR.layers[0], Layer([[1], [-1]], [-1], "sign")], ["a", "b"], ["a^b"], "binary"),
        Network([XOR.layers[0], Layer([[1.0], [-1.0]], [-1.0])], ["a", "b"], ["a^b"], "binary"),
        "XOR",
        None,
    ]
    assert all(other != XOR for other in others)
    assert len({XOR, same, *others}) == 1 + len(others)


def test_integers_and_floats_differ() -> None:
    """A layer of the same numbers in another type is another layer: it computes in another way."""
    assert Layer([[1]], [0]) != Layer([[1.0]], [0.0])


def test_dense_and_sparse_are_equal() -> None:
    """How weights are stored isn't part of the value, stored zeros and order of entries neither."""
    W = np.array([[0, 2, 0], [3, 0, 0], [1, -4, 0]])
    stored = sparse.csr_array(np.where(W == 0, 7, W))
    stored.data[stored.data == 7] = 0
    for form in (sparse.csr_array(W), sparse.csc_matrix(W), sparse.coo_array(W), stored):
        assert Layer(form, [1, 2, 3]) == Layer(W, [1, 2, 3])
        assert hash(Layer(form, [1, 2, 3])) == hash(Layer(W, [1, 2, 3]))
    assert Layer(sparse.csr_array((3, 1), dtype=int), [0]) != Layer(sparse.csr_array((2, 1), dtype=int), [0])


def test_minus_zero_is_zero() -> None:
    """Layers that differ in the sign of a zero are equal and hash alike."""
    plus, minus = Layer([[0.0], [1.0]], [0.0]), Layer([[-0.0], [1.0]], [-0.0])
    assert plus == minus
    assert hash(plus) == hash(minus)
    assert Layer(sparse.csr_array([[-0.0], [1.0]]), [-0.0]) == plus


@pytest.mark.parametrize("name", nets.ZOO)
def test_copies_and_pickles_are_equal(name: str) -> None:
    """copy, deepcopy and every pickle protocol give an equal, frozen value."""
    net = nets.ZOO[name]
    net(nets.rows_for(net)[:1])  # what a call remembers isn't part of the value
    twins = [copy.copy(net), copy.deepcopy(net)]
    twins += [pickle.loads(pickle.dumps(net, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for twin in twins:
        assert twin == net
        assert hash(twin) == hash(net)
        assert not twin.layers[0].bias.flags.writeable


def test_names_by_default() -> None:
    """Inputs are x1, x2, …, outputs y1, y2, …."""
    net = Network(Layer([[1, 0], [0, 1], [1, 1]], [0, 0]))
    assert net.inputs == ("x1", "x2", "x3")
    assert net.outputs == ("y1", "y2")
    assert net.domain == "real"
    assert Network(AND, outputs="both").outputs == ("both",)


def test_numbers_of_things() -> None:
    """Inputs, outputs, neurons, depth."""
    net = nets.ZOO["full adder"]
    assert (net.n_inputs, net.n_outputs, net.n_neurons, net.depth) == (3, 2, 6, 2)
    assert (net.layers[0].n_inputs, net.layers[0].n_neurons) == (3, 4)


# Pass-through and exactness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [int, float])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_pass_through_is_what_repeats_an_input(number: type, as_sparse: bool) -> None:
    """On bits a heaviside neuron passes through iff it has one weight and equals that input: tried on all weights."""
    for weight in range(-2, 4):
        for other in (0, 1):
            for bias in range(-4, 3):
                W = np.array([[weight], [other]], dtype=number)
                net = Network(Layer(sparse.csr_array(W) if as_sparse else W, [number(bias)]), domain="binary")
                outputs = net(BITS).ravel().tolist()
                repeats = other == 0 and outputs == BITS[:, 0].tolist()
                repeats = repeats or (weight == 0 and other == 1 and outputs == BITS[:, 1].tolist())
                assert net.pass_through(0).tolist() == [repeats]


def test_only_bits_are_passed_through() -> None:
    """Integers, reals and signs aren't repeated by a heaviside neuron, nor is anything by another activation."""
    repeat = Layer([[1]], [-1])
    assert not Network(Layer([[1]], [-(2**63)]), domain="binary").pass_through(0).any()
    assert not Network(Layer([[-(2**63)]], [-1]), domain="binary").pass_through(0).any()
    for domain, expected in (("binary", True), ("integer", False), ("real", False)):
        assert Network(repeat, domain=domain).pass_through(0).tolist() == [expected]
    for activation, expected in (
        ("heaviside", True),
        ("hardmax", True),
        ("sign", False),
        ("identity", False),
    ):
        net = Network([Layer([[1]], [0], activation), repeat], domain="binary")
        assert net.pass_through(1).tolist() == [expected]
    assert Network(Layer([[1]], [-1], "sign"), domain="binary").pass_through(0).tolist() == [False]


@pytest.mark.parametrize(
    ("name", "gates"),
    [
        ("repeat", 1),  # output neurons always count
        ("xor", 2),  # the first hidden neuron is a or b; the second a and b; the output reads both
        ("full adder", 5),
        ("parity of 4, six layers", 9),
        ("inputs passed through", 2),
        ("outputs passed through", 5),
    ],
)
def test_gates_are_neurons_that_are_not_hidden_pass_through(name: str, gates: int) -> None:
    """Hidden pass-through neurons don't count, output neurons do."""
    net = nets.ZOO[name]
    hidden = sum(int(net.pass_through(i).sum()) for i in range(net.depth - 1))
    assert net.n_gates == net.n_neurons - hidden == (3 if name == "xor" else gates)


@pytest.mark.parametrize(
    ("layers", "domain", "exact"),
    [
        ([AND], "binary", True),
        ([AND], "integer", True),
        ([AND], "real", False),
        ([Layer([[1.0], [1.0]], [-2.0])], "binary", False),
        ([Layer([[1, 1], [1, 0]], [0, 0], "sign"), AND], "binary", True),
        ([Layer([[1, 1], [1, 0]], [0, 0], "hardmax"), AND], "binary", True),
        ([Layer([[1, 1], [1, 0]], [0, 0], "identity"), AND], "binary", False),
        ([Layer([[1, 1], [1, 0]], [0, 0]), Layer([[1], [1]], [0], "identity")], "integer", True),
        ([Layer([[1, 1], [1, 0]], [0, 0]), Layer([[1], [1]], [0], "relu")], "binary", False),
        ([Layer([[1, 1], [1, 0]], [0, 0]), Layer([[1.0], [1.0]], [0.0])], "binary", False),
    ],
)
def test_exact_takes_integers_steps_and_whole_inputs(layers: list[Layer], domain: str, exact: bool) -> None:
    """int64 everywhere, steps (identity last), binary or integer domain."""
    assert Network(layers, domain=domain).is_exact == exact


# As text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (AND, "Layer(2 → 1 heaviside, int64)"),
        (Layer(sparse.csr_array([[1.0]]), [0], "sign"), "Layer(1 → 1 sign, sparse float64)"),
        (XOR, "Network(2 inputs → 2 heaviside → 1 heaviside, binary, exact)"),
        (Network(Layer([[0.5]], [0], "tanh")), "Network(1 input → 1 tanh, real)"),
    ],
)
def test_repr(value: Any, text: str) -> None:
    """One line: sizes, activations, type or domain, whether exact."""
    assert repr(value) == text


def test_print_says_when_each_neuron_fires() -> None:
    """Excitatory and inhibitory weights, hidden neurons by layer and number, constants in words."""
    assert str(XOR) == (
        "Network: 2 inputs → 2 heaviside → 1 heaviside\n"
        "h1.1 fires when a + b ≥ 1\n"
        "h1.2 fires when a + b ≥ 2\n"
        '"a^b" fires when h1.1 − h1.2 ≥ 1'
    )
    net = Network(
        Layer([[2, 0, 0, -1, 0.1], [-3, 0, 0, -1, 0]], [-1, 0, -0.5, 0, 1e-7]),
        ["a", "b"],
        list("pqrst"),
        "binary",
    )
    assert str(net).splitlines()[1:] == [
        "p fires when 2·a − 3·b ≥ 1",
        "q always fires",
        "r never fires",
        "s fires when −a − b ≥ 0",
        "t fires when 0.1·a ≥ −1e−07",
    ]


def test_print_of_other_activations() -> None:
    """Sign, identity and smooth neurons as formulas, hardmax with its rule."""
    W, b = [[1, -2], [0, 1]], [0, -3]
    for activation, lines in {
        "sign": ["p = sign(a)", "q = sign(−2·a + b − 3)"],
        "identity": ["p = a", "q = −2·a + b − 3"],
        "relu": ["p = relu(a)", "q = relu(−2·a + b − 3)"],
        "hardmax": ["p: a", "q: −2·a + b − 3", "p, q: the largest wins, the first of equals"],
        "softmax": ["p: a", "q: −2·a + b − 3", "p, q: softmax over them"],
    }.items():
        for weights in (W, sparse.csr_array(W)):
            assert (
                str(Network(Layer(weights, b, activation), ["a", "b"], ["p", "q"])).splitlines()[1:] == lines
            )
    assert str(Network(Layer([[0]], [4], "identity"))).splitlines()[1:] == ["y1 = 4"]


def test_print_keeps_whole_numbers_in_full() -> None:
    """An integer weight isn't rounded for the eye."""
    net = Network(Layer([[2**62], [1]], [-(2**62) - 1]), domain="binary")
    assert str(net).splitlines()[1] == "y1 fires when 4611686018427387904·x1 + x2 ≥ 4611686018427387905"


def test_print_abbreviates() -> None:
    """Long sums keep their eight heaviest terms, layers their first 16 neurons; what is left out is counted."""
    wide = Network(Layer(np.arange(1, 13).reshape(12, 1), [-40]), domain="binary")
    assert str(wide).splitlines()[1] == (
        "y1 fires when 12·x12 + 11·x11 + 10·x10 + 9·x9 + 8·x8 + 7·x7 + 6·x6 + 5·x5 + … (4 more terms) ≥ 40"
    )
    nine = Network(Layer(np.ones((9, 1), int), [0]))
    assert "… (1 more term) ≥ 0" in str(nine)
    tall = Network(Layer(np.ones((1, 40), int), np.zeros(40, int), "hardmax"))
    lines = str(tall).splitlines()
    assert len(lines) == 1 + 16 + 1 + 1
    assert lines[17] == "… and 24 more neurons in layer 1"
    assert lines[18] == "y1, y2, y3, y4, y5, …, y40: the largest wins, the first of equals"


def test_every_network_of_the_zoo_prints() -> None:
    """Printing refuses nothing."""
    for net in nets.ZOO.values():
        assert str(net).startswith(f"Network: {net.n_inputs} input")
        assert repr(net).startswith("Network(")


def test_errors_are_limen_errors() -> None:
    """One `except` catches every refusal, and Python's own names catch them too."""
    for error in (LimenError, ValueError):
        with pytest.raises(error):
            XOR([[0, 2]])
        with pytest.raises(error):
            Layer([[2**63]], [0])
