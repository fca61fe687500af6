"""Networks as text: threshold-logic files in and out, drawings for Graphviz, truth tables."""

from __future__ import annotations

import csv
import itertools
import re

import numpy as np
import pytest

import nets
from limen import Layer, Network
from limen.errors import InputError, NotExactError
from limen.export import from_th, to_dot, to_th, to_truth_table
from tools import run, tool

WRITABLE = nets.names(
    lambda net: (
        net.is_exact
        and net.domain == "binary"
        and net.layers[-1].activation == "heaviside"
        and all(layer.activation != "hardmax" for layer in net.layers)
    )
)
HOSTILE = ["a b", "#x", "a_b", "h1_1", '"', "é ✓", "\\", "[1;2]", ".end"]


# Threshold logic ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("brackets", [False, True])
@pytest.mark.parametrize("name", WRITABLE)
def test_what_is_written_is_read_back(name, brackets):
    """The text of a network is the same function again, and the same network where nothing is sign or unread."""
    net = nets.ZOO[name]
    back = from_th(to_th(net, brackets=brackets))
    assert (back.inputs, back.outputs) == (net.inputs, net.outputs)
    X = np.asarray(nets.rows_for(net))
    assert (back(X) == net(X)).all()


def test_a_network_comes_back_as_itself():
    """Where every neuron is read and only the last layer gives outputs, the value is equal."""
    net = Network(
        [Layer([[1, -2], [3, 1]], [-1, 0]), Layer([[1], [-1]], [0])],
        ["age >= 3", "b"],
        ["y = yes"],
        domain="binary",
    )
    assert from_th(to_th(net)) == net


def test_the_text_is_that_of_other_tools():
    """The file has a model's head, and two lines for each gate: names, then weights and threshold."""
    net = Network(Layer([[1], [1], [1]], [-2]), ["a", "b", "c"], ["y"], domain="binary")
    assert to_th(net, name="majority").splitlines()[1:] == [
        ".model majority",
        ".inputs a b c",
        ".outputs y",
        ".threshold a b c y",
        "1 1 1 2",
        ".end",
    ]


def test_names_that_are_no_words_come_back():
    """Spaces, quotes, comments and words of the format are written as identifiers, and read back as they were."""
    net = Network(Layer(np.ones((len(HOSTILE), 1), int), [-2]), HOSTILE, ["a b2"], domain="binary")
    assert from_th(to_th(net)) == net


def test_gates_may_come_in_any_order_and_see_any_value():
    """Values needed later are passed through; outputs at different depths end in one layer."""
    net = from_th(
        """
        .model any
        .inputs a b c
        .outputs late early
        .threshold h a \\
            c late
        2 -1 1 1   # a comment
        .threshold a b early
        1 1 1
        .threshold a b h
        1 1 2
        .end
        """
    )
    for a, b, c in itertools.product((0, 1), repeat=3):
        h = int(a + b >= 2)
        assert net([[a, b, c]])[0].tolist() == [int(2 * h - a + c >= 1), int(a + b >= 1)]
    assert net.outputs == ("late", "early")


def test_a_line_for_each_neuron_is_read_without_a_head():
    """Inputs are what no line defines, in the order in which they are read; outputs what no line reads."""
    net = from_th("y = [1, 1, -2; 1] a b h\nh = [1, 1; 2] a b\nalways = [; 0]")
    assert (net.inputs, net.outputs) == (("a", "b"), ("y", "always"))
    assert net([[0, 1], [1, 1]]).tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "at least one gate"),
        ("hello", "Line 1: expected .model"),
        ("y = [1, 2; 3] a", "reads 1 values and has 2 weights"),
        ("y = [1.5; 3] a", "whole numbers. Received: '1.5'"),
        ("y = [1; x] a", "whole numbers. Received: 'x'"),
        ("y = [1; 9223372036854775808] a", "doesn't fit into int64"),
        ("y = [1; 1] a\ny = [1; 1] b", "Line 2: 'y' is defined a second time; first in line 1"),
        (".inputs a\n.outputs y\n.threshold b y\n1 1", "Line 3: 'b' is neither an input nor a gate"),
        (".inputs a\n.outputs y z\n.threshold a y\n1 1", "Output 'z' is no gate"),
        (".inputs y a\n.outputs y\n.threshold a y\n1 1", "is an input, and can't be a gate"),
        (".inputs a a\n.outputs y", "a name stands twice in .inputs"),
        ("y = [1; 1] z\nz = [1; 1] y\nw = [1; 1] y", "depends on itself"),
        (".inputs a\n.outputs y\n.threshold a y", "must follow in the next line"),
        (".threshold", "a gate needs a name"),
        ('# b is "x\ny = [1; 1] b', "at least one gate"),
        (7, "Received: int"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text, expected):
    """Malformed numbers, doubled and unknown names, circles: each is refused."""
    if isinstance(text, str) and text.startswith('# b is "x\n'):
        assert from_th(text).inputs == ("b",)  # not a text in quotes, so only a comment
        return
    with pytest.raises(InputError, match=re.escape(expected)):
        from_th(text)


@pytest.mark.parametrize(
    ("net", "options", "error", "expected"),
    [
        (Network(Layer([[1]], [0], "sign"), domain="binary"), {}, InputError, "a layer of sign"),
        (Network(Layer([[1]], [0], "hardmax"), domain="binary"), {}, InputError, "a layer of hardmax"),
        (Network(Layer([[0.5]], [0.0]), domain="binary"), {}, NotExactError, "to_integers"),
        (Network(Layer([[1]], [0]), domain="binary"), {"name": "a b"}, InputError, "one word"),
    ],
)
def test_what_the_text_cannot_hold_is_refused(net, options, error, expected):
    """Only neurons that fire or don't go into such text."""
    with pytest.raises(error, match=expected):
        to_th(net, **options)


def test_a_long_chain_of_gates_is_read():
    """Depth isn't bounded by Python's recursion."""
    lines = ["g0 = [1; 1] a", *(f"g{k} = [1; 1] g{k - 1}" for k in range(1, 3000))]
    assert from_th("\n".join(reversed(lines))).depth == 3000


# Graphviz -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [n for n in nets.ZOO if sum(k.n_inputs * k.n_neurons for k in nets.ZOO[n].layers) < 500]
)
def test_a_drawing_has_an_arrow_for_each_weight(name):
    """Every input and neuron is a node, every weight other than 0 an arrow with its number."""
    net = nets.ZOO[name]
    text = to_dot(net)
    arrows = re.findall(r"-> n(\d+)_(\d+) ", text)
    assert len(arrows) == sum(np.count_nonzero(layer.dense()) for layer in net.layers)
    assert len(re.findall(r"^  x\d+ \[", text, re.M)) == net.n_inputs
    assert len(re.findall(r"^    n\d+_\d+ \[", text, re.M)) == net.n_neurons


def test_graphviz_takes_it(tmp_path):
    """Names of all kinds are text in the drawing that Graphviz makes."""
    net = Network(Layer(np.arange(-5, 4)[:, np.newaxis], [-2]), HOSTILE, ['y"];&lt;'], domain="binary")
    (tmp_path / "net.dot").write_text(to_dot(net), encoding="utf-8")
    drawn = run(tool("dot", "graphviz"), "-Tsvg", "net.dot", folder=tmp_path)
    assert "é ✓" in drawn
    assert "y&quot;];&amp;lt;" in drawn


def test_a_drawing_nobody_could_read_is_refused():
    """Too many arrows are refused by their number."""
    net = Network(Layer(np.ones((50, 50), int), np.zeros(50, int)), domain="binary")
    with pytest.raises(InputError, match=r"2,500 weights that aren't 0\. limen\.draw\.diagram"):
        to_dot(net)


# Truth tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "csv", "markdown"])
def test_a_truth_table_has_all_rows_in_order(form):
    """Each form holds the inputs of itertools.product, and the network's outputs beside them."""
    net = Network(Layer([[1, 1], [1, -1]], [-2, 0], "sign"), ["a", "b|"], domain="binary")
    text = to_truth_table(net, format=form)
    split = {
        "text": lambda line: line.split(),
        "csv": lambda line: next(csv.reader([line])),
        "markdown": lambda line: [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]],
    }[form]
    head, *rows = [split(line) for line in text.splitlines() if "---" not in line]
    assert [name.replace("\\", "") for name in head] == [*net.inputs, *net.outputs]
    expected = [[*row, *net([row])[0].tolist()] for row in itertools.product((0, 1), repeat=2)]
    assert [[int(cell) for cell in row] for row in rows] == expected


def test_names_are_no_markup():
    """What Markdown would read as code, a link, emphasis or HTML is shown as it stands."""
    net = Network(Layer([[1], [1]], [-2]), ["<b>*x*", "`[y]"], ["&amp;|"], domain="binary")
    head = to_truth_table(net, format="markdown").splitlines()[0]
    assert head == r"| \<b>\*x\* | \`\[y] | \&amp;\| |"


def test_large_tables_and_other_forms_are_refused():
    """More than 20 inputs, and a form that isn't one, are named."""
    net = Network(Layer(np.ones((21, 1), int), [-2]), domain="binary")
    with pytest.raises(InputError, match=r"which have 2\*\*21 rows; limen\.bits"):
        to_truth_table(net)
    with pytest.raises(InputError, match="format must be"):
        to_truth_table(nets.ZOO["hardmax of one"], format="html")
