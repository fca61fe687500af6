"""Networks of formulas: they agree with the formulas, the textbook's functions are one neuron, weights are small."""

import itertools
import operator
import random
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import formula_trees
import limen
import naive
from limen import logic
from limen.errors import InputError
from limen.logic import network, parse, truth_table

A, B, C, D = logic.inputs("a b c d")


def plain(net):
    """Return the layers of a network as plain lists."""
    return [(layer.dense().tolist(), layer.bias.tolist(), layer.activation) for layer in net.layers]


def outputs(net):
    """Return the first output of a network on all rows, computed by the oracle."""
    return [row[0] for row in naive.network_table(plain(net), net.n_inputs)]


@given(formula_trees.trees(2) | formula_trees.trees(5))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_formula_table_and_network_agree(tree):
    """On all rows, the oracle's value of a formula is its table's, its network's, and that of the network's own layers."""
    formula = formula_trees.built(tree)
    net = network(formula)
    expected = naive.truth_table(tree, formula.inputs)
    assert truth_table(formula).to_array().ravel().tolist() == expected
    assert truth_table(net).to_array().ravel().tolist() == expected
    assert outputs(net) == expected
    assert truth_table(formula) == truth_table(net)


@given(formula_trees.trees(12, max_leaves=40))
@settings(max_examples=25, derandomize=True, deadline=None)
def test_formula_table_and_network_agree_on_twelve_inputs(tree):
    """The same with twelve declared inputs and larger formulas: 4,096 rows each."""
    formula, names = formula_trees.built(tree), formula_trees.names(12)
    table = truth_table(formula, inputs=names)
    assert table.to_array().ravel().tolist() == naive.truth_table(tree, names)
    assert table == truth_table(network(formula, inputs=names))


@given(st.lists(formula_trees.trees(4), min_size=1, max_size=4))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_several_formulas_in_one_network(trees):
    """Each output of a network of several formulas is its own formula's, and the network is exact."""
    names = formula_trees.names(4)
    net = network({f"out {k}": formula_trees.built(tree) for k, tree in enumerate(trees)}, inputs=names)
    expected = zip(*[naive.truth_table(tree, names) for tree in trees], strict=True)
    assert naive.network_table(plain(net), 4) == [list(row) for row in expected]
    assert net.outputs == tuple(f"out {k}" for k in range(len(trees)))
    assert net.is_exact
    assert net.domain == "binary"
    assert all(layer.activation == "heaviside" and layer.is_integer for layer in net.layers)


TEXTBOOK = [
    ("a", "y fires when a ≥ 1"),
    ("not a", "y fires when −a ≥ 0"),
    ("a and b", "y fires when a + b ≥ 2"),
    ("a or b", "y fires when a + b ≥ 1"),
    ("a and not b", "y fires when a − b ≥ 1"),
    ("not (a and b)", "y fires when −a − b ≥ −1"),
    ("not (a or b)", "y fires when −a − b ≥ 0"),
    ("a implies b", "y fires when −a + b ≥ 0"),
    ("a and b and not c and not d", "y fires when a + b − c − d ≥ 2"),
    ("a or not b or c", "y fires when a − b + c ≥ 0"),
    ("at_least(2, a, b, c)", "y fires when a + b + c ≥ 2"),
    ("at_least(2, a, not b, c)", "y fires when a − b + c ≥ 1"),
    ("at_most(1, a, b, c)", "y fires when −a − b − c ≥ −1"),
    ("majority(a, b, c)", "y fires when a + b + c ≥ 2"),
    ("a and (b or c)", "y fires when 2·a + b + c ≥ 3"),
    ("a or b and c", "y fires when 2·a + b + c ≥ 2"),
    ("a and (b and (c or d))", "y fires when 2·a + 2·b + c + d ≥ 5"),
    ("a and not at_least(2, b, c, d)", "y fires when 2·a − b − c − d ≥ 1"),
    # Constants, and parts given twice.
    ("a and true", "y fires when a ≥ 1"),
    ("a or b or false", "y fires when a + b ≥ 1"),
    ("at_least(2, a, b, true)", "y fires when a + b ≥ 1"),
    ("at_least(2, a, b, c, false, not c)", "y fires when a + b ≥ 1"),
    ("a and a", "y fires when a ≥ 1"),
    ("a xor b xor a", "y fires when b ≥ 1"),
    ("at_least(3, a, a, b, c)", "y fires when 2·a + b + c ≥ 3"),
    ("at_least(2, a, a, b)", "y fires when a ≥ 1"),
    ("at_least(3, a, a, b)", "y fires when a + b ≥ 2"),
    ("a and (a or b)", "y fires when a ≥ 1"),
    ("a and (not a or b)", "y fires when a + b ≥ 2"),
    ("exactly(0, a, b)", "y fires when −a − b ≥ 0"),
    ("exactly(2, a, b)", "y fires when a + b ≥ 2"),
    ("a or not a", "y always fires"),
    ("a and not a", "y never fires"),
    ("a xor a", "y never fires"),
    ("at_least(0, a)", "y always fires"),
    ("at_least(2, a)", "y never fires"),
    ("true", "y always fires"),
    ("false", "y never fires"),
]


@pytest.mark.parametrize(("text", "neuron"), TEXTBOOK)
def test_the_textbook_functions_are_one_neuron(text, neuron):
    """Each is one layer of one neuron that reads as expected, and right on every row."""
    formula = parse(text)
    net = network(formula)
    assert (net.n_neurons, net.depth, net.inputs) == (1, 1, formula.inputs)
    assert str(net).split("\n")[1:] == [neuron]
    assert truth_table(net) == truth_table(formula)


@pytest.mark.parametrize("n", range(1, 6))
def test_counting_literals_is_one_neuron(n):
    """At least, and at most, k of n inputs, any of them negated, is one neuron for every k."""
    wires = logic.inputs(formula_trees.names(n))
    for negated in naive.rows(n):
        literals = [~wire if flip else wire for wire, flip in zip(wires, negated, strict=True)]
        for k in range(-1, n + 2):
            net = network({"up": logic.at_least(k, literals), "down": logic.at_most(k, literals)})
            assert net.n_neurons == 2
            assert net.depth == 1
            counts = [sum(x ^ flip for x, flip in zip(row, negated, strict=True)) for row in naive.rows(n)]
            assert net(naive.rows(n)).tolist() == [[int(c >= k), int(c <= k)] for c in counts]


@given(st.lists(st.tuples(st.sampled_from("&|"), st.booleans()), min_size=1, max_size=8))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_adding_inputs_by_and_and_or_is_one_neuron(steps):
    """Up to nine inputs joined one after the other by and and or, any negated, are one neuron of small weights."""
    first, *rest = logic.inputs(formula_trees.names(len(steps) + 1))
    formula = first
    for wire, (sign, negated) in zip(rest, steps, strict=True):
        literal = ~wire if negated else wire
        formula = formula & literal if sign == "&" else literal | formula
    net = network(formula)
    assert net.n_neurons == 1
    assert abs(net.layers[0].weights).max() <= 55  # Fibonacci numbers are the worst case
    assert truth_table(net) == truth_table(formula)


def test_negation_costs_no_neuron():
    """A negated part becomes a negative weight, and a negated output the neuron's opposite."""
    formula = (A | B) & (C | D)
    negative = ~(A | B) & ~(~C & ~D) | D
    assert network(formula).n_neurons == network(~formula).n_neurons == 3
    assert truth_table(network(~formula)) == truth_table(~formula)
    assert network(negative).depth == 1 or network(negative).n_gates <= 2
    hidden, last = network(~(A ^ B)).layers
    assert (hidden.n_neurons, last.weights.ravel().tolist(), last.bias.tolist()) == (2, [-1, 1], [0])


@pytest.mark.parametrize("n", range(2, 8))
def test_parity_is_n_hidden_neurons_and_one(n):
    """An xor of n inputs, however bracketed, counts in n hidden neurons."""
    wires = logic.inputs(formula_trees.names(n))
    for formula in (
        reduce(operator.xor, wires),
        reduce(lambda p, q: q ^ p, wires),
        ~reduce(logic.iff, wires),
    ):
        net = network(formula)
        assert [layer.n_neurons for layer in net.layers] == [n, 1]
        assert truth_table(net) == truth_table(formula)


@pytest.mark.parametrize("n", range(2, 6))
def test_exactly_is_two_neurons_and_one(n):
    """Exactly k of n, for k strictly between 0 and n, is two neurons and one."""
    wires = logic.inputs(formula_trees.names(n))
    for k in range(1, n):
        net = network(logic.exactly(k, wires))
        assert [layer.n_neurons for layer in net.layers] == [2, 1]
        assert outputs(net) == [int(sum(row) == k) for row in naive.rows(n)]


def test_equal_parts_are_one_neuron():
    """A part that is written twice, in one formula or in two, is built once."""
    twice = parse("(a xor b) and c or (b xor a) and d")
    once = network({"p": A ^ B, "q": A ^ B, "r": ~(B ^ A)})
    assert [layer.n_neurons for layer in once.layers] == [2, 3]
    assert network(twice).n_gates <= 5
    assert truth_table(network(twice)) == truth_table(twice)


def test_a_full_adder_adds():
    """Sum and carry share their neurons, and add three bits rightly."""
    net = network({"sum": A ^ B ^ C, "carry": logic.majority(A, B, C)})
    assert [layer.n_neurons for layer in net.layers] == [3, 2]
    assert net(naive.rows(3)).tolist() == [[sum(row) % 2, sum(row) // 2] for row in naive.rows(3)]


def test_pass_through_neurons():
    """What is needed later goes through hidden neurons of weight 1 and bias -1 that are no gates."""
    net = network({"deep": (A ^ B) & C, "early": A & D})
    first = net.layers[0]
    passing = [k for k in range(first.n_neurons) if np.count_nonzero(first.weights[:, k]) == 1]
    assert [net.pass_through(0)[k] for k in range(first.n_neurons)] == [
        k in passing for k in range(first.n_neurons)
    ]
    assert len(passing) == 1
    assert first.weights[:, passing].sum() == 1
    assert first.bias[passing].tolist() == [-1]
    assert net.n_gates == net.n_neurons - 1


def test_constants_keep_their_inputs():
    """A formula that is always or never true is one neuron that keeps the declared inputs."""
    net = network(A & ~A, inputs="a b c")
    assert (net.inputs, net.n_neurons) == (("a", "b", "c"), 1)
    assert net(naive.rows(3)).ravel().tolist() == [0] * 8
    assert network(logic.true)(np.zeros((2, 0))).ravel().tolist() == [1, 1]
    assert network({"t": logic.true, "deep": A ^ B})(naive.rows(2)).tolist() == [
        [1, 0],
        [1, 1],
        [1, 1],
        [1, 0],
    ]


def test_inputs_are_ordered_as_asked():
    """Inputs come in order of first appearance over all outputs, as declared, or as `inputs` says."""
    assert network({"p": C & A, "q": B | A}).inputs == ("c", "a", "b")
    assert network(parse("c and a", inputs="a b c")).inputs == ("a", "b", "c")
    net = network(C & ~A, inputs=["b", "a", "c"])
    assert net.inputs == ("b", "a", "c")
    assert net.layers[0].weights.ravel().tolist() == [0, -1, 1]


def test_odd_names_reach_the_network():
    """Names that need quotes are the network's names as they are."""
    net = network(parse('"age >= 35" and not "job = farmer"'))
    assert net.inputs == ("age >= 35", "job = farmer")
    assert str(net).split("\n")[1] == 'y fires when "age >= 35" − "job = farmer" ≥ 1'


@pytest.mark.parametrize(
    ("formula", "inputs", "message"),
    [
        ("a and b", None, "logic.parse"),
        (True, None, "Expected a formula"),
        (None, None, "Expected a formula"),
        ([A, B], None, "Expected a formula"),
        ({}, None, "at least one output"),
        ({"p": "a"}, None, "Expected a formula"),
        ({"": A}, None, "outputs must be names"),
        ({1: A}, None, "outputs must be names"),
        (A & B, ["a"], r"inputs must hold every input of the formulas \(a, b\). Received: no b"),
        (A & B, "a a b", "'a' twice"),
        (A, [1], "inputs must be names"),
        (A, 5, "inputs must be names"),
    ],
)
def test_what_has_no_network_is_refused(formula, inputs, message):
    """No formula, no output and inputs that don't fit are InputErrors, for a network as for a table."""
    with pytest.raises(InputError, match=message):
        network(formula, inputs=inputs)
    with pytest.raises(InputError, match=r"formula|outputs|inputs"):
        truth_table(formula, inputs=inputs)


@pytest.mark.parametrize("kind", ["and", "or", "xor", "implies", "iff", "and or", "xor and", "at_least"])
@pytest.mark.parametrize("grow", ["left", "right"])
def test_long_chains_become_networks(kind, grow):
    """Chains of hundreds or thousands of names are built without recursion and agree on random rows."""
    layered = kind in {"and or", "xor and"} or (kind == "implies" and grow == "left")
    n = 300 if layered else 5000 if kind in {"and", "xor"} and grow == "left" else 1500
    names = [f"x{i}" for i in range(n)]
    kinds = itertools.cycle(kind.split())

    def join(p, q):
        k = next(kinds)
        p, q = (p, q) if grow == "left" else (q, p)
        return logic.at_least(1, p, q) if k == "at_least" else logic.Formula(k, (p, q))

    formula = reduce(join, logic.inputs(names))
    net = network(formula, inputs=names)
    rows = np.random.default_rng(1).integers(0, 2, (8, n), dtype=np.int8)
    rows[0], rows[1] = 0, 1
    rows[2:4] = 1 - np.eye(n, dtype=np.int8)[[0, n - 1]]
    expected = [formula(dict(zip(names, row, strict=True))) for row in rows.tolist()]
    assert net(rows).ravel().astype(bool).tolist() == expected


def test_wide_parity_is_split_into_blocks():
    """A parity of 1,000 inputs is right on random rows, and its layers are sparse."""
    names = [f"x{i}" for i in range(1000)]
    net = network(reduce(operator.xor, logic.inputs(names)))
    rows = np.random.default_rng(1).integers(0, 2, (50, 1000), dtype=np.int8)
    assert net(rows).ravel().tolist() == (rows.sum(axis=1) % 2).tolist()
    assert "sparse" in repr(net.layers[0])
    assert net.depth == 4


def test_weights_stay_small():
    """However deeply and and or alternate, no weight passes 99: a neuron that would is left as two."""
    formula = reduce(
        lambda p, q: (p & q[1]) if q[0] % 2 else (p | q[1]),
        enumerate(logic.inputs(formula_trees.names(16))),
        A,
    )
    net = network(formula)
    assert net.depth == 2
    assert max(abs(layer.dense()).max() for layer in net.layers) <= 99
    assert truth_table(net) == truth_table(formula)


def test_parts_shared_exponentially_often():
    """A formula whose text would have 2**100 names becomes a network at once."""
    formula = A
    for wire in itertools.islice(itertools.cycle([B, C, D]), 100):
        formula = (formula ^ wire) & (formula | wire)
    assert truth_table(network(formula)) == truth_table(formula)
    for join in (operator.and_, operator.or_, operator.xor):
        formula = A
        for _ in range(101):
            formula = join(join(formula, B), formula)
        assert truth_table(network(formula)) == truth_table(formula)


def test_a_chain_that_cancels_deeply():
    """A neuron swallowed by another, again and again for hundreds of layers, takes no recursion."""
    wires = logic.inputs([f"x{i}" for i in range(1200)])
    formula = reduce(lambda h, y: ~A | (y & h), wires)
    assert str(network(A & formula)).startswith("Network: 1201 inputs → 1 heaviside")


@pytest.mark.parametrize("text", ["a", "a and b", "a and not b", "at_least(2, a, b, c)", "a and (b or c)"])
def test_a_wrong_network_is_caught(text):
    """The comparison fails when the threshold is off by one, a weight is dropped or turned over."""
    formula = parse(text)
    net = network(formula)
    (layer,) = net.layers
    wrong = [limen.Layer(layer.weights, layer.bias + step) for step in (-1, 1)]
    for i in range(net.n_inputs):
        for factor in (0, -1):
            weights = layer.weights.copy()
            weights[i] *= factor
            wrong.append(limen.Layer(weights, layer.bias))
    for changed in wrong:
        other = limen.Network(changed, net.inputs, net.outputs, domain="binary")
        assert truth_table(other) != truth_table(formula)
        assert outputs(other) != outputs(net)


def test_the_same_formula_gives_the_same_network():
    """Building is deterministic: order and numbers don't depend on hashes."""
    chance = random.Random(3)
    names = [f"n{chance.random()}" for _ in range(6)]
    formula = logic.exactly(2, logic.inputs(names)) ^ logic.inputs(names)[0]
    assert network(formula) == network(parse(str(formula)))
