"""Truth tables: their order, how they print and compare, what they refuse; and networks made from tables."""

import itertools
import math
import pickle
import tracemalloc
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy import sparse

import formula_trees
import limen
import naive
from limen import logic
from limen.errors import InputError
from limen.logic import TruthTable, from_table, network, truth_table
from limen.logic import table as table_module

A, B, C = logic.inputs("a b c")


def plain(net):
    """Return the layers of a network as plain lists."""
    return [(layer.dense().tolist(), layer.bias.tolist(), layer.activation) for layer in net.layers]


# Tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(6))
def test_rows_count_upwards_in_binary(n):
    """Rows stand in the order of itertools.product, and input i's table is column i of the rows."""
    wires = logic.inputs(formula_trees.names(n)) if n else ()
    table = truth_table({"t": logic.true, **{wire.name: wire for wire in wires}})
    rows = [list(row) for row in itertools.product((0, 1), repeat=n)]
    assert table.rows().tolist() == rows == naive.rows(n)
    assert table.to_array()[:, 1:].tolist() == rows
    assert (table.n_inputs, table.n_outputs, table.n_rows) == (n, n + 1, 2**n)


def test_a_table_prints_aligned():
    """Every column is as wide as its name, outputs behind a line."""
    table = truth_table({"sum": logic.inputs(["job = x"])[0] ^ A, "c": A})
    assert str(table).split("\n") == [
        "job = x a │ sum c",
        "      0 0 │   0 0",
        "      0 1 │   1 1",
        "      1 0 │   1 0",
        "      1 1 │   0 1",
    ]
    assert repr(table) == "TruthTable(2 inputs → 2 outputs, 4 rows)"
    assert str(truth_table(logic.true)) == "│ y\n│ 1"


def test_a_large_table_prints_its_ends():
    """64 rows print whole; of more, the first and last 32 and how many are left out; outputs beyond 16 are counted."""
    wires = logic.inputs(formula_trees.names(7))
    assert len(str(truth_table(logic.majority(wires[:6]))).split("\n")) == 65
    lines = str(truth_table(logic.majority(wires))).split("\n")
    assert len(lines) == 66
    assert lines[33] == "… 64 more rows …"
    assert lines[-1].split() == ["1"] * 7 + ["│", "1"]
    many = str(truth_table({f"y{k}": A for k in range(20)})).split("\n")
    assert many[-1] == "… and 4 more outputs"
    assert many[0].split()[-1] == "y15"


def test_names_that_would_break_the_lines_are_escaped():
    """A line break in a name doesn't break the table."""
    lines = str(truth_table(logic.inputs(["a\nb"])[0])).split("\n")
    assert lines[0] == r"a\nb │ y"
    assert len(lines) == 3


def test_tables_compare_by_content():
    """Equal values and names make equal tables, of whatever they were made; anything else doesn't."""
    table = truth_table(A & B)
    assert (
        table
        == truth_table(~(~A | ~B))
        == truth_table(network(A & B))
        == TruthTable([[0], [0], [0], [1]], "a b", "y")
    )
    assert hash(table) == hash(truth_table(network(A & B)))
    others = [
        truth_table(A | B),
        truth_table(B & A),
        truth_table({"z": A & B}),
        truth_table(A & B, inputs="a b c"),
    ]
    assert not any(table == other for other in others)
    assert table != table.to_array()


def test_order_of_inputs_can_be_asked_for():
    """Tables of formula and network in another order, or with more inputs, agree with the oracle."""
    implication = ("implies", ("input", "a"), ("input", "b"))
    for order in (["a", "b"], ["b", "a"]):
        expected = naive.truth_table(implication, order)
        for function in (logic.implies(A, B), network(logic.implies(A, B))):
            table = truth_table(function, inputs=order)
            assert table.inputs == tuple(order)
            assert table.to_array().ravel().tolist() == expected
    expected = naive.truth_table(implication, ["b", "c", "a"])
    assert truth_table(logic.implies(A, B), inputs="b c a").to_array().ravel().tolist() == expected


def test_a_table_is_an_array():
    """NumPy takes a table as its values; a copy can be changed, the table can't."""
    table = truth_table({"and": A & B, "or": A | B})
    assert np.asarray(table).tolist() == [[0, 0], [0, 1], [0, 1], [1, 1]]
    assert np.asarray(table).dtype == np.int8
    assert np.array(table, dtype=bool).sum() == 4
    changed = table.to_array()
    changed[:] = 1
    assert table.to_array().sum() == 4
    with pytest.raises(ValueError, match="read-only"):
        table.values[0, 0] = 1
    with pytest.raises(FrozenInstanceError):
        table.inputs = ("p", "q")
    with pytest.raises(TypeError, match="can't be subclassed"):
        type("Mine", (TruthTable,), {})
    assert pickle.loads(pickle.dumps(table)) == table


@pytest.mark.parametrize("chunk", [1, 3, 16])
def test_chunks_join(monkeypatch, chunk):
    """A table computed in chunks of any size is the whole table."""
    formula = A & ~B | logic.exactly(2, A, B, C)
    expected = truth_table(formula)
    monkeypatch.setattr(table_module, "CHUNK", chunk)
    monkeypatch.setattr(table_module, "NUMBERS", chunk)
    assert truth_table(formula) == truth_table(network(formula)) == expected


def test_many_rows_are_counted_right():
    """At least k of 16 inputs holds on as many rows as there are subsets of k or more."""
    wires = logic.inputs(formula_trees.names(16))
    tables = truth_table({str(k): logic.at_least(k, wires) for k in range(18)})
    subsets = [sum(math.comb(16, j) for j in range(k, 17)) for k in range(18)]
    assert tables.to_array().sum(axis=0, dtype=int).tolist() == subsets


WIRES = logic.inputs(formula_trees.names(25))


@pytest.mark.parametrize(
    "function",
    [
        logic.majority(WIRES),
        {"p": logic.majority(WIRES[:13]), "q": logic.majority(WIRES[13:])},
        logic.parse("a", inputs=[*formula_trees.names(24), "a"]),
        network(logic.majority(WIRES)),
    ],
    ids=["formula", "formulas", "declared", "network"],
)
def test_more_than_24_inputs_are_refused_before_anything_is_allocated(function):
    """25 inputs are an InputError, at once and without memory."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"at most 24 inputs \(16777216 rows\). Received: 25 inputs"):
            truth_table(function)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_rows_take_little_more_memory_than_they_hold():
    """Making all rows of 18 inputs takes less than three times the memory of the rows."""
    table = truth_table(WIRES[0], inputs=formula_trees.names(18))
    tracemalloc.start()
    try:
        rows = table.rows()
        assert tracemalloc.get_traced_memory()[1] < 3 * rows.nbytes
    finally:
        tracemalloc.stop()


def test_a_table_of_too_many_entries_is_refused():
    """24 inputs with hundreds of outputs are an InputError, before anything is allocated."""
    with pytest.raises(InputError, match="Ask for fewer outputs at a time"):
        truth_table({f"y{k}": logic.majority(WIRES[:24]) for k in range(100)})


@pytest.mark.parametrize(
    ("activation", "domain", "message"),
    [
        ("heaviside", "real", "Received: real inputs"),
        ("heaviside", "integer", "Received: integer inputs"),
        ("identity", "binary", "and identity neurons"),
        ("sign", "binary", "and sign neurons"),
        ("sigmoid", "binary", "and sigmoid neurons"),
    ],
)
def test_networks_without_a_truth_table_are_refused(activation, domain, message):
    """A network must take binary inputs and end in heaviside or hardmax neurons."""
    net = limen.Network(limen.Layer([[1], [1]], [-1], activation), domain=domain)
    with pytest.raises(InputError, match=message):
        truth_table(net)


def test_other_networks_with_binary_outputs_have_tables():
    """Hardmax outputs, sparse layers and weights that aren't integers are fine."""
    layer = limen.Layer(sparse.csr_array([[1.5, 0], [0, 1.5]]), [0.0, 0.5], "hardmax")
    net = limen.Network(layer, domain="binary")
    expected = naive.network_table(plain(net), 2)
    assert truth_table(net).to_array().tolist() == expected


@pytest.mark.parametrize("inputs", ["a", "a b c", "a c", []])
def test_inputs_of_a_network_are_its_own(inputs):
    """Asking for other inputs than the network has is an InputError."""
    with pytest.raises(InputError, match="must be those of the network"):
        truth_table(network(A & B), inputs=inputs)


@pytest.mark.parametrize("function", ["a and b", None, 3, [A], np.zeros(4), TruthTable([[0]], [], "y")])
def test_only_functions_have_truth_tables(function):
    """Anything but formulas and networks is an InputError that names its type."""
    with pytest.raises(InputError, match=f"Received: {type(function).__name__}"):
        truth_table(function)


@pytest.mark.parametrize(
    ("values", "inputs", "outputs"),
    [
        ([0, 1], "a", "y"),
        ([[0], [1], [1]], "a", "y"),
        ([[0], [1]], "a b", "y"),
        ([[0], [1]], "a", "y z"),
        ([[], []], "a", []),
        ([[0], [2]], "a", "y"),
        ([[0], [1]], "", "y"),
        ([[0]] * 4, ["a", "a"], "y"),
        ([[0]], formula_trees.names(25), "y"),
    ],
)
def test_tables_that_make_no_sense_are_refused(values, inputs, outputs):
    """Shape, values and names must fit together."""
    with pytest.raises(InputError, match="Received"):
        TruthTable(values, inputs, outputs)


# Networks from tables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(4))
def test_every_table_of_up_to_three_inputs(n):
    """All 2, 4, 16 and 256 tables of none to three inputs become networks that compute them."""
    for values in itertools.product((0, 1), repeat=2**n):
        net = from_table(values)
        assert naive.network_table(plain(net), n) == [[value] for value in values]
        assert truth_table(net) == TruthTable([[value] for value in values], net.inputs, "y")
        assert net.is_exact
        assert net.depth <= 2


def test_fourteen_functions_of_two_inputs_are_one_neuron():
    """Of the 16 tables of two inputs, all but xor and its negation come out as one neuron."""
    tables = itertools.product((0, 1), repeat=4)
    larger = [values for values in tables if from_table(values).n_neurons > 1]
    assert larger == [(0, 1, 1, 0), (1, 0, 0, 1)]


@pytest.mark.parametrize("n", [4, 5, 8, 12])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_random_tables_of_up_to_twelve_inputs(n, share):
    """Random tables of several outputs, rarely, half or mostly true, are computed on every row."""
    values = (np.random.default_rng(n).random((2**n, 3)) < share).astype(np.int8)
    net = from_table(values)
    assert np.array_equal(net(naive.rows(n)), values)
    assert net.layers[0].n_neurons <= 3 * 2 ** (n - 1)
    assert net.outputs == ("y1", "y2", "y3")


def test_inputs_that_do_not_matter_cost_nothing():
    """A literal, a conjunction or a disjunction of some of many inputs is one neuron; so is a constant."""
    wires = logic.inputs(formula_trees.names(9))
    for formula in (
        wires[4],
        ~wires[8],
        wires[1] & ~wires[7] & wires[2],
        wires[0] | ~wires[3],
        logic.true,
        logic.false,
    ):
        table = truth_table(formula, inputs=formula_trees.names(9))
        net = from_table(table)
        assert net.n_neurons == 1
        assert truth_table(net) == table


def test_names_come_from_the_table_or_the_call():
    """A TruthTable brings its names, which can be replaced; an array gets x1, x2, … and y, or y1, y2, …."""
    table = truth_table({"sum": A ^ B, "carry": A & B})
    assert truth_table(from_table(table)) == table
    renamed = from_table(table, inputs=["age >= 35", "b"], outputs="p q")
    assert (renamed.inputs, renamed.outputs) == (("age >= 35", "b"), ("p", "q"))
    assert (from_table([0, 1]).inputs, from_table([0, 1]).outputs) == (("x1",), ("y",))
    assert from_table([[0], [1]]).outputs == ("y1",)
    assert from_table(np.array([True, False])).outputs == ("y",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 1, 0], "Received: 3"),
        ([], "Received: 0"),
        ([0, 1, 0, 2], "Received: 2"),
        ([0, -1], "Received: -1"),
        ([0.0, 0.5], "Received: 0.5"),
        ([0, float("nan")], "Received: nan"),
        ("0110", "must hold zeros and ones"),
        (None, "must hold zeros and ones"),
        ([0, None], "must hold zeros and ones"),
        ([0, 1j], "must hold zeros and ones"),
        ([[0], [1, 0]], "rows of one length"),
        (np.ma.array([0, 1], mask=[False, True]), "must have a value everywhere"),
        (1, r"Received: shape \(\)"),
        ([[[0]], [[1]]], "Received: shape"),
        (np.zeros((4, 0)), "Received: shape"),
        (np.zeros(2**13), "at most 12 inputs. Received: 13 inputs"),
        (sparse.csr_array(np.zeros((2, 1))), "must hold zeros and ones"),
    ],
)
def test_wrong_tables_are_refused(values, message):
    """Another number of rows, other values, too many inputs and things that are no table are InputErrors."""
    with pytest.raises(InputError, match=message):
        from_table(values)


@pytest.mark.parametrize("names", [{"inputs": "a"}, {"inputs": "a a"}, {"outputs": "y z"}, {"outputs": [""]}])
def test_wrong_names_are_refused(names):
    """Names must fit the table in number, and be unique."""
    with pytest.raises(InputError, match="Received"):
        from_table([0, 1, 1, 0], **names)
