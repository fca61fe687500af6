"""Rewrites keep the function of the stored weights: judged by naive sums of fractions, not by limen."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import sparse

import naive
import nets
from limen import Layer, Network
from limen.errors import InputError, NotExactError
from limen.rewrite import simplify, split_sign, to_integers

REWRITES = [to_integers, simplify, split_sign]
SMOOTH = {"sigmoid", "tanh", "softmax"}
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


# The checker --------------------------------------------------------------------------------------------------


def exact_outputs(net: Network, X: Any) -> list[Any]:
    """Return the outputs in exact arithmetic; of a smooth last layer, the net inputs, which say the same."""
    layers = [(layer.dense().tolist(), layer.bias.tolist(), layer.activation) for layer in net.layers]
    if layers[-1][2] in SMOOTH:
        layers[-1] = (*layers[-1][:2], "identity")
    if any(activation in SMOOTH for *_, activation in layers):
        return net(X).tolist()
    layers = naive.exactly(layers)
    return [naive.network(layers, [naive.exact_number(x) for x in row]) for row in X.tolist()]


def differs(net: Network, other: Network, X: Any) -> bool:
    """Whether names, domain, a call on all rows (exact networks), or exact outputs on up to 300 rows differ."""
    if (net.inputs, net.outputs, net.domain) != (other.inputs, other.outputs, other.domain):
        return True
    if net.is_exact and other.is_exact and not np.array_equal(net(X), other(X)):
        return True
    few = X if net.n_inputs * len(X) < 2000 else X[:: max(1, net.n_inputs * len(X) // 2000)]
    return exact_outputs(net, few) != exact_outputs(other, few)


def refuses(rewrite: Any, net: Network) -> bool:
    """Whether the rewrite says that integers can't do it."""
    try:
        rewrite(net)
    except NotExactError:
        return True
    return False


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (Layer([[1], [1]], [-1]), "another threshold"),
        (Layer([[1], [2]], [-2]), "another weight"),
        (Layer([[0.5], [0.5]], [-1.0000000000000002]), "one unit in the last place"),
    ],
)
def test_the_checker_finds_a_wrong_rewrite(layer: Layer, why: str) -> None:
    """A network that differs in one row, or only in exact arithmetic, is caught."""
    net = Network(Layer([[1], [1]], [-2]), domain="binary")
    wrong = Network(layer, domain="binary")
    assert differs(net, wrong, nets.rows_for(net)), why


def test_the_checker_finds_other_names() -> None:
    """A rewrite that loses the names is caught."""
    net = Network(Layer([[1]], [-1]), ["a"], ["c"], "binary")
    assert differs(net, Network(net.layers, domain="binary"), nets.rows_for(net))


def test_the_checker_finds_a_rounded_decision() -> None:
    """0.1 + 0.2 >= 0.3 holds in floats but 0.1 + 0.2 + (-0.3) is judged by the exact sum of the stored numbers."""
    net = Network(Layer([[0.1], [0.2]], [-0.30000000000000004]), domain="binary")
    assert net([[1, 1]]).item() == 1
    assert Fraction(0.1) + Fraction(0.2) < Fraction(0.30000000000000004)
    assert exact_outputs(net, np.array([[1, 1]])) == [[0]]
    assert to_integers(net)([[1, 1]]).item() == 0


# All of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", nets.ZOO)
@pytest.mark.parametrize("rewrite", REWRITES)
def test_the_function_is_kept(name: str, rewrite: Any) -> None:
    """On the whole zoo a rewrite gives the same outputs in exact arithmetic, or to_integers refuses."""
    net = nets.ZOO[name]
    if rewrite is to_integers and refuses(to_integers, net):
        assert name in NO_INTEGERS
        return
    assert not differs(net, rewrite(net), nets.rows_for(net))


NO_INTEGERS = {
    "sigmoid last",
    "tanh hidden",
    "relu hidden",
    "softmax last",
    "reals, identity",
    "reals, relu, then softmax",
}


@pytest.mark.parametrize("name", sorted(NO_INTEGERS))
def test_what_has_no_integers_is_refused(name: str) -> None:
    """Smooth layers and identity layers of fractions raise."""
    assert refuses(to_integers, nets.ZOO[name])


@settings(max_examples=100, deadline=None)
@given(
    nets.networks(
        activations=("heaviside", "sign", "hardmax"), last=("heaviside", "sign", "hardmax", "identity")
    )
)
def test_the_function_of_drawn_networks_is_kept(net: Network) -> None:
    """The same for drawn networks, and for the rewrites one after the other."""
    X = nets.rows_for(net, most=40)
    for rewrite in (simplify, split_sign):
        assert not differs(net, rewrite(net), X)
    if not refuses(to_integers, net):
        integers = to_integers(net)
        assert all(layer.is_integer for layer in integers.layers)
        assert not differs(net, integers, X)
        assert not differs(net, simplify(split_sign(simplify(integers))), X)


@pytest.mark.parametrize("name", nets.ZOO)
@pytest.mark.parametrize("rewrite", REWRITES)
def test_again_changes_nothing(name: str, rewrite: Any) -> None:
    """What was rewritten comes back equal when rewritten again."""
    if rewrite is to_integers and name in NO_INTEGERS:
        return
    once = rewrite(nets.ZOO[name])
    assert rewrite(once) == once


@pytest.mark.parametrize("name", nets.ZOO)
@pytest.mark.parametrize("rewrite", REWRITES)
def test_sparse_weights_stay_sparse(name: str, rewrite: Any) -> None:
    """A network of sparse layers is rewritten to sparse layers, equal to those of its dense twin."""
    if rewrite is to_integers and name in NO_INTEGERS:
        return
    net = nets.ZOO[name]
    result = rewrite(nets.with_sparse_weights(net))
    assert all(sparse.issparse(layer.weights) for layer in result.layers)
    assert result == rewrite(net)


@pytest.mark.parametrize("rewrite", REWRITES)
def test_something_else_is_refused(rewrite: Any) -> None:
    """What isn't a network raises an InputError that says so."""
    with pytest.raises(InputError, match=r"Expected a limen\.Network\. Received: list\."):
        rewrite([[1, 2]])


# To integers --------------------------------------------------------------------------------------------------


def one(weights: list[Any], bias: Any, activation: str = "heaviside", domain: str = "binary") -> Network:
    """Return one neuron."""
    return Network(Layer([[w] for w in weights], [bias], activation), domain=domain)


def numbers(net: Network, index: int = 0, neuron: int = 0) -> tuple[list[int], int]:
    """Return weights and bias of one neuron."""
    layer = net.layers[index]
    return layer.dense()[:, neuron].tolist(), layer.bias[neuron].item()


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (one([0.5, 0.75], -0.6), ([2, 3], -3)),
        (one([0.5, 0.75], -0.6, domain="integer"), ([2, 3], -3)),
        (one([0.5, 0.75], -0.5, domain="real"), ([2, 3], -2)),
        (one([0.5, 0.75], -0.625, domain="real"), ([4, 6], -5)),
        (one([6.0, -9.0], -7.0), ([2, -3], -3)),
        (one([6.0, -9.0], -7.0, domain="real"), ([6, -9], -7)),
        (one([6.0, -9.0], -12.0, "sign"), ([2, -3], -4)),
        (one([1.5, 1.5], 0.5, "sign"), ([2, 2], 1)),
        (one([1.0, -1.0], -0.25, "sign"), ([2, -2], -1)),
        (one([0.5, -1.0], -0.25, "sign", domain="real"), ([2, -4], -1)),
        (one([0.0, 0.0], 0.3), ([0, 0], 0)),
        (one([0.0, 0.0], -1e300), ([0, 0], -1)),
        (one([0.0, 0.0], -0.3, "sign"), ([0, 0], -1)),
        (one([0.0, 0.0], 1e-300, "sign"), ([0, 0], 1)),
        (one([0.0, 0.0], 0.7, domain="real"), ([0, 0], 1)),
        (one([5e-324, 1.5e-323], -1e-323), ([1, 3], -2)),
        (one([2.0**1000, -(2.0**1001)], 0.0), ([1, -2], 0)),
        (one([1.0, 1.0], -1e-300), ([1, 1], -1)),
        (one([0.1, 0.1], -0.2), ([1, 1], -2)),
        (one([3 * 2.0**61, 3.0], -3.0), ([2**61, 1], -1)),
        (one([2.0, -1.0], -3.0, "identity"), ([2, -1], -3)),
    ],
)
def test_one_neuron_to_integers(net: Network, expected: tuple[list[int], int]) -> None:
    """Whole inputs let the bias be floored, reals make it scale too, and a common divisor goes."""
    assert numbers(to_integers(net)) == expected


def test_a_hardmax_layer_has_one_factor() -> None:
    """The factor and the divisor of a hardmax layer are common to its neurons, biases included."""
    net = Network(Layer([[0.5, 1.5], [1.0, -0.25]], [0.0, 3.0], "hardmax"), domain="binary")
    result = to_integers(net).layers[0]
    assert result.weights.tolist() == [[2, 6], [4, -1]]
    assert result.bias.tolist() == [0, 12]


def test_integers_come_back_equal() -> None:
    """A network of integers has nothing to scale, whatever common divisor its weights have."""
    for name in nets.names(lambda net: all(layer.is_integer for layer in net.layers)):
        if name not in NO_INTEGERS:
            assert to_integers(nets.ZOO[name]) == nets.ZOO[name]


def test_whole_inputs_follow_through_identity() -> None:
    """A hidden identity layer of whole numbers passes on whole numbers, so the bias behind it may be floored."""
    layers = [Layer([[2.0], [1.0]], [-1.0], "identity"), Layer([[0.5]], [-0.7])]
    assert numbers(to_integers(Network(layers, domain="binary")), 1) == ([1], -2)
    with_reals = to_integers(Network(layers, domain="real"))
    assert numbers(with_reals, 1)[0][0] > 2**50  # 0.7 itself had to become whole


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            one([1e-30, 1.0], 0.0),
            r"Neuron 'y1' of layer 1 has weights or a bias that differ too much in size",
        ),
        (one([1.0, 1.0], 1e-30, domain="real"), r"as integers they would need \d+ bits, and int64 has 63"),
        (one([0.5, 2.0**62], 0.0), r"they would need 64 bits"),
        (one([2.0**62, 1.0], 2.0**62), r"a net input of up to 9223372036854775809, outside int64"),
        (
            one([1.0, 1.0], 1e300),
            r"Neuron 'y1' of layer 1 would, as integers, have a net input of up to 1000000",
        ),
        (one([1.0, 1.0], 1e300, domain="integer"), r"outside int64\. Round the weights"),
        (one([0.5, 1.0], 0.0, "identity"), r"must already be whole numbers within int64\. Received: 0\.5\."),
        (one([1.0, 1.0], 0.5, "identity"), r"Received: 0\.5\."),
        (one([1.0, 2.0**63], 0.0, "identity"), r"Received: 9\.22"),
        (one([1.0, 2.0], 0.0, "sigmoid"), r"Received: layer 1 of sigmoid"),
        (one([1, 2], 0, "relu"), r"Received: layer 1 of relu"),
        (
            Network(
                [Layer([[1.0, 1.0]], [0.0, 0.0]), Layer([[1e-30], [1.0]], [0.0], "hardmax")], outputs=["wide"]
            ),
            r"Neuron 'wide' of layer 2",
        ),
        (
            Network([Layer([[1.0, 1e30]], [0.0, 1.0], "hardmax"), Layer([[1.0], [1.0]], [0.0])]),
            r"Neuron 'h1\.2' of layer 1",
        ),
    ],
)
def test_what_int64_cannot_hold_is_refused_by_name(net: Network, message: str) -> None:
    """The error names layer and neuron, says what would be needed, and what to do."""
    with pytest.raises(NotExactError, match=message):
        to_integers(net)


def test_integers_stay_callable() -> None:
    """The largest weights that come back are ones a call still takes."""
    net = to_integers(one([2.0**62, 2.0**61], -(2.0**60)))
    assert numbers(net) == ([2, 1], -1)
    wide = to_integers(one([2.0**61 + 2.0**20, -1.0, 2.0**60], -(2.0**59)))
    assert wide(nets.rows_for(wide)).ravel().tolist() == [0, 1, 0, 1, 1, 1, 1, 1]


def test_float32_weights_of_a_large_layer() -> None:
    """784 × 256 weights trained in float32 become integers that compute the same."""
    rng = np.random.default_rng(0)
    W = np.round(rng.normal(0, 0.05, (784, 256)), 6).astype(np.float32)
    net = Network(
        Layer(np.round(W * 2**20) / 2**20, rng.normal(0, 1, 256).astype(np.float32)), domain="binary"
    )
    result = to_integers(net)
    X = rng.integers(0, 2, (50, 784))
    assert np.array_equal(result(X), net(X))  # multiples of 2**-20 are summed without rounding in float64


# Simplify -----------------------------------------------------------------------------------------------------


def binary(*layers: Layer) -> Network:
    """Return a network of these layers on zeros and ones."""
    return Network(layers, domain="binary")


def widths(net: Network) -> list[int]:
    """Return the number of neurons of each layer."""
    return [layer.n_neurons for layer in net.layers]


XOR = nets.ZOO["xor"].layers


def test_dead_neurons_are_dropped() -> None:
    """A hidden neuron without outgoing weight goes, and so do those that only it read."""
    net = binary(
        Layer([[1, 1, 1], [1, 1, -1]], [-1, -2, 0]),
        Layer([[1, 0, 0], [-1, 0, 2], [0, 1, 1]], [-1, -1, -2]),
        Layer([[1], [0], [0]], [-1]),
    )
    assert simplify(net) == binary(*XOR)


def test_constant_neurons_are_folded() -> None:
    """A heaviside neuron that always or never fires moves into the biases of the next layer."""
    net = binary(
        Layer([[1, 1, 2, 1], [1, 1, -1, 1]], [-1, -2, 1, -3]),
        Layer([[1], [-1], [5], [7]], [-6]),
    )
    assert simplify(net) == binary(*XOR)


def test_constant_signs_are_folded() -> None:
    """A sign neuron that is always +1, 0 or -1 moves into the biases of the next layer."""
    net = binary(
        Layer([[1, 1, 2, 1, 0], [1, 1, -1, 1, 0]], [-1, -2, 2, -3, 0], "sign"),
        Layer([[1], [-1], [5], [7], [9]], [3], "identity"),
    )
    assert simplify(net) == binary(
        Layer([[1, 1], [1, 1]], [-1, -2], "sign"), Layer([[1], [-1]], [1], "identity")
    )


def test_constants_behind_signs_and_one_hot() -> None:
    """Behind signs a sum reaches from -Σ|w| to Σ|w|; behind a hardmax from its least weight to its greatest."""
    behind = Layer([[1, 1, 1], [1, 1, 1]], [2, 1, -3])
    last = Layer([[1], [1], [4]], [-2])
    bits = simplify(binary(Layer([[1, 1], [1, -1]], [-1, 0]), behind, last))
    assert bits.layers[0].n_inputs == 2
    assert widths(bits) == [1]  # both of the first two always fire among bits
    signs = simplify(binary(Layer([[1, 1], [1, -1]], [-1, 0], "sign"), behind, last))
    assert widths(signs) == [2, 1]  # only the second can fail, and it is passed on
    assert signs.layers[1].bias.tolist() == [1]
    votes = binary(
        Layer([[1, 0], [0, 1]], [0, 0], "hardmax"), Layer([[1, 1], [1, 2]], [-2, -2]), Layer([[3], [1]], [-1])
    )
    assert simplify(votes).layers[1] == Layer([[1], [2]], [-2])  # 1 + 1 is never reached: one of them is 0


def test_a_constant_network_keeps_one_neuron_for_each_output() -> None:
    """Where no input matters no hidden layer is left, and as many outputs as before."""
    hidden = Layer([[1, 1], [1, 1]], [-3, 0])
    net = Network([hidden, Layer([[3, 0], [-2, 1]], [2, -2])], ["a", "b"], ["p", "q"], "binary")
    result = simplify(net)
    assert result.layers == (Layer(np.zeros((2, 2), int), [0, -1]),)
    assert (result.inputs, result.outputs, result.domain) == (net.inputs, net.outputs, net.domain)
    for activation, bias in (("sign", [1, -1]), ("hardmax", [1, 0]), ("identity", [2, -2])):
        last = Layer([[1, 0], [-2, 1]], [4, -3], activation)
        assert simplify(Network([hidden, last], domain="binary")) == Network(
            Layer(np.zeros((2, 2), int), bias, activation), domain="binary"
        )


def test_a_hidden_layer_that_nothing_reads_goes_even_if_it_is_hardmax() -> None:
    """A last layer without weights is constant, and needs nothing before it."""
    net = binary(Layer([[1, 0], [0, 1]], [0, 0], "hardmax"), Layer([[0], [0]], [0]))
    assert widths(simplify(net)) == [1]


def test_duplicates_are_merged() -> None:
    """Neurons equal after division by their greatest common divisor become one, outgoing weights added."""
    net = binary(
        Layer([[1, 2, 1, 3], [1, 2, 1, 3]], [-1, -2, -2, -4]),
        Layer([[1, 0], [2, 1], [-3, -1], [0, -4]], [-2, -1]),
    )
    assert simplify(net).layers == (Layer([[1, 1], [1, 1]], [-1, -2]), Layer([[1, 1], [-1, -5]], [-1, -1]))


def test_duplicates_of_identity_and_relu_are_merged() -> None:
    """Neurons that don't decide together are merged whatever their activation."""
    for activation in ("identity", "relu", "tanh", "sigmoid"):
        net = binary(Layer([[1, 1], [2, 2]], [1, 1], activation), Layer([[2], [3]], [-5]))
        assert simplify(net) == binary(Layer([[1], [2]], [1], activation), Layer([[1]], [-1]))


def test_outgoing_weights_that_cancel_leave_a_dead_neuron() -> None:
    """Duplicates whose weights cancel are read by nothing once merged."""
    net = binary(Layer([[1, 1, 1], [1, 1, 0]], [-2, -2, -1]), Layer([[4], [-4], [1]], [-1]))
    assert simplify(net) == binary(Layer([[1], [0]], [-1]))


@pytest.mark.parametrize(
    ("layer", "domain", "expected"),
    [
        (Layer([[4], [6]], [-7]), "binary", Layer([[2], [3]], [-4])),
        (Layer([[4], [6]], [-7]), "integer", Layer([[2], [3]], [-4])),
        (Layer([[4], [6]], [-7]), "real", Layer([[4], [6]], [-7])),
        (Layer([[4], [6]], [-8]), "real", Layer([[2], [3]], [-4])),
        (Layer([[3], [3]], [1], "sign"), "integer", Layer([[3], [3]], [1], "sign")),
        (Layer([[3], [3]], [-6], "sign"), "integer", Layer([[1], [1]], [-2], "sign")),
        (Layer([[4], [4]], [2], "sign"), "integer", Layer([[2], [2]], [1], "sign")),
        (Layer([[4, 6], [2, 8]], [0, 2], "hardmax"), "real", Layer([[2, 3], [1, 4]], [0, 1], "hardmax")),
        (Layer([[4, 6], [2, 8]], [0, 1], "hardmax"), "binary", Layer([[4, 6], [2, 8]], [0, 1], "hardmax")),
        (Layer([[4, 9], [2, 6]], [0, 3], "hardmax"), "binary", Layer([[4, 9], [2, 6]], [0, 3], "hardmax")),
        (Layer([[4], [6]], [-8], "identity"), "binary", Layer([[4], [6]], [-8], "identity")),
        (Layer([[4], [6]], [-8], "relu"), "binary", Layer([[4], [6]], [-8], "relu")),
        (Layer([[4.0], [6.0]], [-8.0]), "binary", Layer([[4.0], [6.0]], [-8.0])),
        (Layer([[-4]], [3]), "binary", Layer([[-1]], [0])),
        (Layer([[INT64_MIN]], [0], "sign"), "integer", Layer([[-1]], [0], "sign")),
        (Layer([[INT64_MIN], [0]], [1], "sign"), "integer", Layer([[INT64_MIN], [0]], [1], "sign")),
        (Layer([[INT64_MIN], [6]], [4], "sign"), "integer", Layer([[-(2**62)], [3]], [2], "sign")),
    ],
)
def test_common_divisors(layer: Layer, domain: str, expected: Layer) -> None:
    """Heaviside floors the bias except on reals, sign and hardmax divide it too, other layers keep their scale."""
    assert simplify(Network(layer, domain=domain)) == Network(expected, domain=domain)


def test_divisors_behind_a_hidden_layer_on_reals() -> None:
    """Behind a step the inputs are whole numbers whatever the domain, so the bias is floored."""
    net = Network([Layer([[0.5, 1.0]], [0.25, -3.0]), Layer([[2, 1], [2, 1]], [-3, -1])])
    assert simplify(net).layers[1] == Layer([[1, 1], [1, 1]], [-2, -1])


def test_divisors_behind_identity_follow_whole_numbers() -> None:
    """Behind an identity layer a bias is floored only if its inputs and weights are whole."""
    behind = Layer([[2]], [-1])
    halves = binary(Layer([[0.5]], [0.0], "identity"), behind)
    assert simplify(halves) == halves
    assert simplify(binary(Layer([[3]], [0], "identity"), behind)).layers[1] == Layer([[1]], [-1])
    reals = Network([Layer([[3]], [0], "identity"), behind])
    assert simplify(reals) == reals


def test_layers_that_only_pass_on_dissolve() -> None:
    """Hidden layers made wholly of pass-through neurons go, one after the other."""
    passing = Layer([[0, 2, 0], [0, 0, 1], [5, 0, 0]], [-3, -1, -1])
    last = Layer([[1, 0], [1, -1], [0, 1]], [-2, 0])
    moved = Layer([[1, -1], [0, 1], [1, 0]], [-2, 0])
    assert simplify(binary(passing, last)) == binary(moved)
    again = Layer([[1, 1], [0, -1], [-1, 0]], [-2, 0])
    assert simplify(binary(passing, passing, last)).depth == 1
    assert not differs(
        binary(passing, passing, again),
        simplify(binary(passing, passing, again)),
        nets.rows_for(binary(passing)),
    )


def test_a_last_layer_that_only_passes_on_dissolves() -> None:
    """Its names stay; a neuron passed on twice stands there twice; one not passed on is dead."""
    first = Layer([[1, -1, 1], [1, 1, 0]], [-2, 0, -1])
    net = Network(
        [first, Layer([[0, 3, 0], [1, 0, 1], [0, 0, 0]], [-1, -2, -1])], ["a", "b"], ["p", "q", "r"], "binary"
    )
    result = simplify(net)
    assert result.layers == (Layer([[-1, 1, -1], [1, 1, 1]], [0, -2, 0]),)
    assert (result.inputs, result.outputs) == (("a", "b"), ("p", "q", "r"))


def test_pass_through_on_reals_and_behind_sign_stays() -> None:
    """Only a value of 0 or 1 can be passed through a heaviside neuron, or is the same at two cut points."""
    cuts = Network([Layer([[1.0, 1.0]], [-1.0, -0.5]), Layer([[1.0], [1.0]], [0.0], "identity")])
    assert simplify(cuts) == cuts
    for domain in ("integer", "real"):
        net = Network([Layer([[1]], [-1]), Layer([[1]], [0], "identity")], domain=domain)
        assert simplify(net) == net
    net = binary(Layer([[1], [-1]], [0], "sign"), Layer([[1]], [-1]))
    assert simplify(net) == net


def test_hardmax_neurons_stay() -> None:
    """No neuron of a hardmax layer is dropped or merged, hidden or last, read or not, twin or not."""
    votes = Layer([[1, 1, 1, 0], [0, 0, 1, 1]], [0, 0, 0, 0], "hardmax")
    assert simplify(binary(votes)) == binary(votes)
    net = binary(votes, Layer([[1], [0], [-1], [0]], [0]))
    assert simplify(net) == net


def test_a_hardmax_layer_keeps_its_order() -> None:
    """Passing on a hardmax layer's outputs dissolves only where all of them keep their places."""
    votes = Layer([[1, 0], [0, 1]], [0, 0], "hardmax")
    assert simplify(binary(votes, Layer([[1, 0], [0, 1]], [-1, -1]))) == binary(votes)
    swapped = binary(votes, Layer([[0, 1], [1, 0]], [-1, -1]))
    assert simplify(swapped) == swapped


def test_outputs_stay() -> None:
    """Equal, constant and unread output neurons stay outputs."""
    net = Network(Layer([[1, 1, 0, 2], [1, 1, 0, 1]], [-1, -1, 0, 5]), outputs=list("pqrs"), domain="binary")
    result = simplify(net)
    assert result.outputs == net.outputs
    assert result.layers == (Layer([[1, 1, 0, 0], [1, 1, 0, 0]], [-1, -1, 0, 0]),)


def test_softmax_neurons_stay() -> None:
    """The neurons of a softmax layer decide together, so none goes."""
    net = binary(
        Layer([[1.0, 1.0, 0.5], [0.5, 0.5, 1.0]], [0.0, 0.0, 0.0], "softmax"),
        Layer([[1.0], [0.5], [0.0]], [-0.5]),
    )
    assert simplify(net) == net


def test_floats_are_merged_only_where_the_sum_is_exact() -> None:
    """0.5 + 0.25 is a float64, 0.1 + 0.2 is rounded: the one pair is merged, the other stays."""
    twins = Layer([[1.0, 1.0, 0.5], [0.5, 0.5, 1.0]], [-1.25, -1.25, -1.0])
    merged = simplify(binary(twins, Layer([[0.5], [0.25], [-0.5]], [0.0])))
    assert merged.layers[1] == Layer([[0.75], [-0.5]], [0.0])
    net = binary(twins, Layer([[0.1], [0.2], [-0.5]], [0.0]))
    assert simplify(net) == net


def test_an_input_passed_on_twice_is_merged_where_the_sum_is_exact() -> None:
    """Passing on one input with different weights is the same; a layer dissolves only once each input is there once."""
    passing = Layer([[1.0, 3.0, 0.0], [0.0, 0.0, 1.0]], [-1.0, -2.0, -0.5])
    merged = simplify(binary(passing, Layer([[0.5], [0.25], [-0.5]], [-0.125])))
    assert merged == binary(Layer([[0.75], [-0.5]], [-0.125]))
    net = binary(passing, Layer([[0.1], [0.2], [-0.25]], [-0.05]))
    assert simplify(net) == net


def test_floats_are_folded_only_where_the_sum_is_exact() -> None:
    """A constant whose weight would be rounded into the bias stays a neuron."""
    layer = Layer([[1.0, 0.5], [0.5, 0.5]], [-1.25, 0.0])
    folded = simplify(binary(layer, Layer([[0.5], [0.25]], [-0.5])))
    assert folded == binary(Layer([[1.0], [0.5]], [-1.25]))  # what was left only passed it on
    assert Fraction(0.1 - 0.7) != Fraction(0.1) - Fraction(0.7)
    net = binary(layer, Layer([[0.65], [0.1]], [-0.7]))
    assert simplify(net) == net


def test_constant_floats_are_decided_exactly() -> None:
    """-0.1 - 0.2 + 0.3 rounds to a negative sum and is negative; with the next float up as bias it is never negative."""
    exact = Fraction(0.1) + Fraction(0.2)
    above = float(np.nextafter(0.3, 1))
    assert Fraction(0.3) < exact < Fraction(above)
    assert simplify(one([-0.1, -0.2], 0.3)) == one([-0.1, -0.2], 0.3)
    assert simplify(one([-0.1, -0.2], above)) == one([0.0, 0.0], 0.0)
    rounded = one(
        [1e16, 1.0, 1.0], -1e16 - 2
    )  # fires when all three are on, though 1e16 + 1 + 1 is 1e16 in floats
    assert simplify(rounded) == rounded
    huge = 1.5e308
    assert simplify(one([-huge, -huge, -huge], huge)) == one([-huge, -huge, -huge], huge)
    assert simplify(one([huge, huge, huge], 0.0)) == one([0.0, 0.0, 0.0], 0.0)


def test_weights_that_would_overflow_are_left_alone() -> None:
    """Merging or folding int64 numbers that don't fit isn't done."""
    twins = Layer([[1, 1, 1], [1, 1, -1]], [-2, -2, 0])
    net = binary(twins, Layer([[2**62], [2**62], [-1]], [0]))
    assert simplify(net) == net
    constant = Layer([[1, 1], [1, 1]], [-2, 0])
    net = binary(constant, Layer([[1], [INT64_MAX]], [1], "identity"))
    assert simplify(net) == net
    negative = binary(Layer([[1, 1], [1, 1]], [-2, -3], "sign"), Layer([[3], [INT64_MIN]], [0], "identity"))
    assert simplify(negative) == negative


def test_wide_integers_are_decided_exactly() -> None:
    """Sums beyond 2**53 and beyond int64 are compared as whole numbers, not as floats."""
    assert simplify(one([2**60, 2**60], -(2**61))) == one([1, 1], -2)
    assert simplify(one([2**60, 2**60], -(2**61) - 1)) == one([0, 0], -1)
    assert simplify(one([INT64_MIN, INT64_MIN + 1], INT64_MAX)).layers[0].weights.any()
    signs = binary(Layer([[1]], [0], "sign"), Layer([[INT64_MIN]], [INT64_MAX]))
    assert simplify(signs).layers[1].weights.any()


def test_a_network_that_is_simple_comes_back() -> None:
    """Where no rule acts the very same value comes back."""
    net = binary(*XOR)
    assert simplify(net) is net


def test_large_layers() -> None:
    """1000 × 1000 weights, dense integers with duplicates and constants, come out smaller and the same."""
    rng = np.random.default_rng(1)
    W = rng.integers(-9, 10, (1000, 1000))
    W[:, 500:600] = W[:, :100] * 3
    bias = rng.integers(-50, 50, 1000)
    bias[500:600] = bias[:100] * 3
    bias[900:] = 10**6
    net = binary(
        Layer(W, bias),
        Layer(rng.integers(-9, 10, (1000, 1000)), bias),
        Layer(np.ones((1000, 1), int), [-300]),
    )
    result = simplify(net)
    assert widths(result)[0] == 800
    X = rng.integers(0, 2, (20, 1000))
    assert np.array_equal(result(X), net(X))


def test_large_sparse_layers_stay_sparse() -> None:
    """Sparse layers are never made dense: 50,000 × 50,000 would not fit."""
    n = 50_000
    chain = sparse.eye_array(n, dtype=np.int64, format="csc")
    shifted = sparse.csc_array((np.full(n, 2), ((np.arange(n) + 1) % n, np.arange(n))), shape=(n, n))
    net = binary(
        Layer(chain + shifted, np.full(n, -2)), Layer(chain, np.full(n, -1)), Layer(shifted, np.full(n, -1))
    )
    result = simplify(net)
    assert result.depth == 1


# Split sign ---------------------------------------------------------------------------------------------------


def test_a_hidden_sign_layer_is_split() -> None:
    """Sign neurons, n of them, become 2n heaviside neurons, and the weights behind appear with both signs."""
    net = binary(Layer([[1, 2], [-1, 0]], [0, -1], "sign"), Layer([[3], [4]], [-2], "hardmax"))
    assert split_sign(net).layers == (
        Layer([[1, 2, -1, -2], [-1, 0, 1, 0]], [0, -1, 0, 1]),
        Layer([[3], [4], [-3], [-4]], [-2], "hardmax"),
    )


def test_a_last_sign_layer_is_split() -> None:
    """Behind it an identity layer subtracts; the outputs are the same numbers, as int64."""
    net = Network(Layer([[1.0], [-1.0]], [0.0], "sign"), ["a", "b"], ["c"], "integer")
    result = split_sign(net)
    assert result.outputs == ("c",)
    assert [layer.activation for layer in result.layers] == ["heaviside", "identity"]
    z = result([[3, 4], [4, 4], [5, 4]])
    assert z.ravel().tolist() == [-1, 0, 1]
    assert z.dtype == np.int64


def test_no_sign_is_left() -> None:
    """Sign behind sign is split too, and what has no sign comes back equal."""
    for net in nets.ZOO.values():
        activations = [layer.activation for layer in net.layers]
        result = split_sign(net)
        assert "sign" not in [layer.activation for layer in result.layers]
        assert (result == net) == ("sign" not in activations)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_what_cannot_be_negated_is_refused(as_sparse: bool) -> None:
    """-2**63 has no negative in int64: in the sign neuron, in its bias, or in the layer behind."""
    sign = Layer([[1]], [0], "sign")
    for net in (
        binary(Layer([[INT64_MIN]], [0], "sign")),
        binary(Layer([[1]], [INT64_MIN], "sign")),
        binary(sign, Layer([[INT64_MIN]], [0])),
    ):
        with pytest.raises(NotExactError, match=r"-2\*\*63|outside int64"):
            split_sign(nets.with_sparse_weights(net) if as_sparse else net)


def test_doubled_sums_that_could_overflow_are_refused() -> None:
    """The weights behind a sign neuron stand there twice, so their sum must fit twice."""
    sign = Layer([[1, 1], [1, 0]], [0, 0], "sign")
    fits = binary(sign, Layer([[2**61], [2**61 - 1]], [0]))
    assert not differs(fits, split_sign(fits), nets.rows_for(fits))
    with pytest.raises(
        NotExactError, match=r"neuron 'y1' of layer 2 could reach 9223372036854775808, outside int64"
    ):
        split_sign(binary(sign, Layer([[2**61], [2**61]], [0])))
