"""Networks from networks: one after the other, side by side, fewer outputs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import nets
from limen import Layer, Network
from limen.errors import InputError, NotExactError

BITS = np.array(list(itertools.product((0, 1), repeat=2)))
AND = Network(Layer([[1], [1]], [-2]), ["a", "b"], ["and"], "binary")
OR = Network(Layer([[1], [1]], [-1]), ["a", "b"], ["or"], "binary")
XOR = Network([Layer([[1, 1], [1, 1]], [-1, -2]), Layer([[1], [-1]], [-1])], ["a", "b"], ["xor"], "binary")
NOT = Network(Layer([[-1]], [0]), ["a"], ["not"], "binary")


def last_of(activation: str, domain: str = "binary") -> Network:
    """Return a network of two outputs that ends in this activation."""
    return Network(Layer([[1, -1], [2, 1]], [0, 1], activation), ["a", "b"], ["p", "q"], domain)


def renamed(net: Network, mark: str) -> Network:
    """Return the network with other names."""
    return Network(net.layers, [mark + n for n in net.inputs], [mark + n for n in net.outputs], net.domain)


# One after the other ------------------------------------------------------------------------------------------


def test_then_feeds_outputs_into_inputs() -> None:
    """Inputs and domain are the first's, outputs the second's, layers those of both."""
    nand = AND.then(NOT)
    assert nand(BITS).ravel().tolist() == [1, 1, 1, 0]
    assert nand == Network(AND.layers + NOT.layers, ["a", "b"], ["not"], "binary")


@pytest.mark.parametrize(
    "name", nets.names(lambda net: net.layers[-1].activation in {"heaviside", "hardmax"})
)
def test_then_is_second_of_first(name: str) -> None:
    """On every network of the zoo that puts out bits: ``first.then(second)(X) == second(first(X))``."""
    first = nets.ZOO[name]
    n = first.n_outputs
    second = nets.random_network(5, [n, 3, 2], ["sign", "heaviside"], "binary")
    X = nets.rows_for(first)[:300]
    assert np.array_equal(first.then(second)(X), second(first(X)))


@pytest.mark.parametrize(
    ("activation", "domain", "fits"),
    [
        ("heaviside", "binary", True),
        ("hardmax", "binary", True),
        ("sign", "binary", False),
        ("sign", "integer", True),
        ("identity", "integer", True),
        ("identity", "binary", False),
        ("relu", "integer", False),
        ("sigmoid", "real", True),
        ("identity", "real", True),
    ],
)
def test_what_goes_into_a_domain(activation: str, domain: str, fits: bool) -> None:
    """Bits go anywhere, signs and whole numbers into integers and reals, other numbers into reals."""
    first = last_of(activation)
    second = Network(Layer([[1], [1]], [-1]), domain=domain)
    if fits:
        assert np.array_equal(first.then(second)(BITS), second(first(BITS)))
    else:
        with pytest.raises(
            InputError, match=f"The second network takes {domain} inputs, but a layer of {activation}"
        ):
            first.then(second)


def test_an_identity_of_floats_puts_out_reals() -> None:
    """Only an exact network's identity layer is known to put out whole numbers."""
    first = Network(Layer([[0.5], [1.0]], [0.0], "identity"), domain="binary")
    with pytest.raises(InputError, match="puts out real values"):
        first.then(Network(Layer([[1]], [0]), domain="integer"))


def test_then_refuses_another_number() -> None:
    """As many inputs as outputs."""
    with pytest.raises(
        InputError, match=r"must take 1 inputs, one for each output of the first\. Received: 2\."
    ):
        AND.then(OR)


# Side by side -------------------------------------------------------------------------------------------------


def test_beside_with_the_same_inputs() -> None:
    """Both read the same inputs; the outputs of the first come first."""
    both = AND.beside(OR, inputs="same")
    assert both(BITS).tolist() == [[0, 0], [0, 1], [0, 1], [1, 1]]
    assert (both.inputs, both.outputs, both.domain) == (("a", "b"), ("and", "or"), "binary")
    assert both.depth == 1


def test_beside_with_separate_inputs() -> None:
    """The second's inputs come after the first's."""
    both = AND.beside(renamed(OR, "z"), inputs="separate")
    assert both.inputs == ("a", "b", "za", "zb")
    X = np.array(list(itertools.product((0, 1), repeat=4)))
    assert np.array_equal(both(X), np.hstack([AND(X[:, :2]), OR(X[:, 2:])]))


@pytest.mark.parametrize("inputs", ["same", "separate"])
@pytest.mark.parametrize("as_sparse", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(("first", "second"), [(AND, XOR), (XOR, AND), (XOR, XOR), (AND, OR)])
def test_beside_is_both(first: Network, second: Network, as_sparse: tuple[bool, bool], inputs: Any) -> None:
    """Networks of any depths, dense and sparse, side by side: each half equals the network it came from."""
    second = Network(second.layers, second.inputs, ["second"], "binary")
    one = nets.with_sparse_weights(first) if as_sparse[0] else first
    other = nets.with_sparse_weights(second) if as_sparse[1] else second
    if inputs == "same":
        X, halves = BITS, (BITS, BITS)
    else:
        other = renamed(other, "z")
        X = np.array(list(itertools.product((0, 1), repeat=4)))
        halves = (X[:, :2], X[:, 2:])
    both = one.beside(other, inputs=inputs)
    assert np.array_equal(both(X), np.hstack([first(halves[0]), second(halves[1])]))
    assert both.depth == max(first.depth, second.depth)
    passed_to_the_end = (
        0 if first.depth == second.depth else 1
    )  # an output counts, also one that only passes on
    assert both.n_gates == first.n_gates + second.n_gates + passed_to_the_end
    assert all(sparse.issparse(layer.weights) for layer in both.layers[:1]) == any(as_sparse)


@pytest.mark.parametrize(
    ("short", "deep"),
    [
        (Layer([[1, 0], [0, 1]], [-1, 0]), ["heaviside", "heaviside", "heaviside"]),
        (Layer([[1, 0], [0, 1]], [-1, 0]), ["heaviside", "sign", "sign"]),
        (Layer([[1, 0], [0, 1]], [-1, 0]), ["heaviside", "identity"]),
        (Layer([[1, 0], [-1, 1]], [0, 0], "sign"), ["sign", "sign", "identity"]),
        (Layer([[3, 0], [-1, 1]], [0, 0], "identity"), ["identity", "identity"]),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_outputs_are_passed_through_to_the_depth_of_the_other(
    short: Layer, deep: list[str], first: bool
) -> None:
    """A shallower network keeps its values while the deeper one goes on."""
    a = Network(short, ["a", "b"], ["s", "t"], "binary")
    b = Network(
        nets.random_network(3, [2] * (len(deep) + 1), deep, "binary").layers, ["a", "b"], domain="binary"
    )
    if first:
        assert np.array_equal(a.beside(b, inputs="same")(BITS), np.hstack([a(BITS), b(BITS)]))
    else:
        assert np.array_equal(b.beside(a, inputs="same")(BITS), np.hstack([b(BITS), a(BITS)]))


@pytest.mark.parametrize(
    ("short", "deep"), [("sign", ["sign", "heaviside"]), ("identity", ["identity", "heaviside"]), ("heaviside", ["heaviside", "relu"]), ("identity", ["identity", "sign"])]
)  # fmt: skip
def test_what_cannot_be_passed_through_is_refused(short: str, deep: list[str]) -> None:
    """Signs and numbers don't fit through heaviside, nothing fits through relu."""
    a = last_of(short)
    b = Network(
        nets.random_network(3, [2] * (len(deep) + 1), deep, "binary").layers, ["a", "b"], domain="binary"
    )
    with pytest.raises(
        InputError, match=f"Outputs of a {short} layer can't be passed through a {deep[-1]} layer"
    ):
        a.beside(b, inputs="same")


def test_the_same_inputs_have_the_narrower_domain() -> None:
    """Where one takes bits and the other reals, both take bits."""
    wide = Network(OR.layers, OR.inputs, OR.outputs, "real")
    assert AND.beside(wide, inputs="same").domain == "binary"
    assert wide.beside(AND, inputs="same").domain == "binary"


def test_integers_beside_floats_become_floats() -> None:
    """A layer has one type of number."""
    floats = Network(Layer([[0.5], [0.25]], [-0.5]), ["a", "b"], ["f"], "binary")
    both = AND.beside(floats, inputs="same")
    assert not both.layers[0].is_integer
    assert np.array_equal(both(BITS), np.hstack([AND(BITS), floats(BITS)]))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: AND.beside(OR, inputs="shared"), InputError, r'inputs must be "same" or "separate"\. Received: \'shared\'\.'),
        (lambda: AND.beside(renamed(OR, "z"), inputs="same"), InputError, "must name them alike and in one order"),
        (
            lambda: AND.beside(Network(OR.layers, ["b", "a"], ["or"], "binary"), inputs="same"),
            InputError,
            r"Received: \('a', 'b'\) and \('b', 'a'\)\.",
        ),
        (lambda: AND.beside(AND, inputs="same"), InputError, r"outputs must be unique\. Received: 'and' twice\."),
        (lambda: AND.beside(OR, inputs="separate"), InputError, r"inputs must be unique\. Received: 'a' twice\."),
        (
            lambda: AND.beside(Network(OR.layers, ["c", "d"], ["or"], "real"), inputs="separate"),
            InputError,
            r"must have one domain\. Received: binary and real\.",
        ),
        (
            lambda: last_of("hardmax").beside(Network(last_of("hardmax").layers, ["a", "b"], ["r", "s"], "binary"), inputs="same"),
            InputError,
            "neurons that don't decide together. Received: hardmax beside hardmax",
        ),
        (lambda: last_of("softmax").beside(AND, inputs="same"), InputError, "Received: softmax beside heaviside"),
        (lambda: last_of("sign").beside(AND, inputs="same"), InputError, r"Received: sign beside heaviside\. .*split_sign"),
        (
            lambda: Network(Layer([[2**53 + 1], [1]], [0]), ["a", "b"], domain="binary").beside(
                Network(Layer([[0.5], [1.0]], [0.0]), ["a", "b"], ["f"], "binary"), inputs="same"
            ),
            NotExactError,
            r"weights of 9007199254740993 would be rounded in float64, which the floats beside it need",
        ),
    ],
)  # fmt: skip
def test_what_cannot_stand_side_by_side_is_refused(make: Any, error: type, message: str) -> None:
    """Names, domains, activations and numbers that don't fit together are named."""
    with pytest.raises(error, match=message):
        make()


def test_networks_without_inputs_stand_side_by_side() -> None:
    """Constants of integers and of floats, which read nothing."""
    integers = Network(Layer(np.zeros((0, 1), dtype=int), [0]), domain="binary", outputs=["i"])
    floats = Network(Layer(np.zeros((0, 1)), [-0.5]), domain="binary", outputs=["f"])
    for inputs in ("same", "separate"):
        assert integers.beside(floats, inputs=inputs)(np.zeros((2, 0))).tolist() == [[1, 0]] * 2
        in_rows = nets.with_sparse_weights(integers).beside(nets.with_sparse_weights(floats), inputs=inputs)
        assert in_rows(np.zeros((2, 0))).tolist() == [[1, 0]] * 2


# Fewer outputs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "positions"),
    [
        ("q", [1]),
        (0, [0]),
        (-1, [2]),
        (["r", "p"], [2, 0]),
        ((2, "q"), [2, 1]),
        (np.int64(1), [1]),
        (np.array([0, 2]), [0, 2]),
        (range(3), [0, 1, 2]),
    ],
)
@pytest.mark.parametrize("as_sparse", [False, True])
def test_select_keeps_these_outputs_in_this_order(
    outputs: Any, positions: list[int], as_sparse: bool
) -> None:
    """By name or by position, one or several."""
    net = Network(Layer([[1, -1, 2], [1, 1, -1]], [-1, 0, -2]), ["a", "b"], ["p", "q", "r"], "binary")
    net = nets.with_sparse_weights(net) if as_sparse else net
    chosen = net.select(outputs)
    assert chosen.outputs == tuple(net.outputs[p] for p in positions)
    assert (chosen.inputs, chosen.domain) == (net.inputs, net.domain)
    assert np.array_equal(chosen(BITS), net(BITS)[:, positions])


@pytest.mark.parametrize(
    "name", nets.names(lambda net: net.layers[-1].activation not in {"hardmax", "softmax"})
)
def test_select_is_columns_of_the_outputs(name: str) -> None:
    """On the zoo: the outputs in reverse order are the reversed columns."""
    net = nets.ZOO[name]
    X = nets.rows_for(net)[:100]
    reverse = net.select(net.outputs[::-1])
    if net.is_exact:
        assert np.array_equal(reverse(X), net(X)[:, ::-1])
    else:
        assert np.allclose(reverse(X), net(X)[:, ::-1], rtol=1e-12)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ("z", r"Outputs are p, q\. Received: 'z'\."),
        (["p", "z"], r"Received: 'z'\."),
        (2, r"Outputs are numbered 0 to 1\. Received: 2\."),
        (-3, r"Received: -3\."),
        ([], r"Select at least one output, and each only once\. Received: \[\]\."),
        (["p", "p"], r"each only once"),
        (["p", 0], r"each only once"),
    ],
)
def test_bad_selections_are_named(outputs: Any, message: str) -> None:
    """Unknown, none, twice."""
    with pytest.raises(InputError, match=message):
        last_of("heaviside").select(outputs)


@pytest.mark.parametrize("activation", ["hardmax", "softmax"])
def test_neurons_that_decide_together_are_not_parted(activation: str) -> None:
    """All outputs of a hardmax layer in their order, or none."""
    net = last_of(activation)
    assert net.select(["p", "q"]) == net
    for cut in ("p", ["q", "p"]):
        with pytest.raises(InputError, match=f"The neurons of a {activation} layer decide together"):
            net.select(cut)
