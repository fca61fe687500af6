"""Networks as formulas: for every row the right outputs can be, and no others."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from pysat.formula import CNF
from pysat.solvers import Cadical153

import nets
from limen import Layer, Network
from limen.errors import InputError, MissingExtraError
from limen.export import cnf as cnf_file
from limen.export import to_cnf

NAMES = nets.names(
    lambda net: net.is_exact and net.domain == "binary" and net.layers[-1].activation != "identity"
)
MOST = 40  # rows


def literals_of(formula, row):
    """Return the literals that say what the outputs are."""
    if formula.signs:
        pairs = zip(formula.signs, row, strict=True)
        return [lit for (up, down), v in pairs for lit in (up if v == 1 else -up, down if v == -1 else -down)]
    return [var if value else -var for var, value in zip(formula.outputs, row, strict=True)]


def wrong_rows(formula, X, outputs):
    """Return the rows whose outputs can't be, or could be others; the formula is read back from its text."""
    wrong = []
    with Cadical153(bootstrap_with=CNF(from_string=formula.text).clauses) as solver:
        for k, (row, out) in enumerate(zip(X.tolist(), outputs.tolist(), strict=True)):
            given = [var if value else -var for var, value in zip(formula.inputs, row, strict=True)]
            expected = literals_of(formula, out)
            fits = solver.solve(assumptions=given + expected)
            if not fits or any(solver.solve(assumptions=[*given, -literal]) for literal in expected):
                wrong.append(k)
    return wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_formula_has_the_networks_rows_and_no_others(name):
    """With the inputs given, the network's outputs are the only ones that satisfy the formula."""
    net = nets.ZOO[name]
    X = np.asarray(nets.rows_for(net))
    X = X[:: max(1, len(X) // MOST)]
    assert wrong_rows(to_cnf(net), X, net(X)) == []


def test_a_formula_of_another_network_is_found_out():
    """The comparison sees a threshold that is off by one."""
    one, other = (Network(Layer([[1], [1], [1]], [-t]), domain="binary") for t in (2, 3))
    X = np.asarray(nets.rows_for(one))
    assert len(wrong_rows(to_cnf(one), X, other(X))) == 3


def test_a_solver_answers_questions_about_a_network():
    """What is assumed of inputs and outputs, by name, has a row exactly where the network has one."""
    net = Network(
        [Layer([[1, -1], [1, 1], [-2, 1]], [-1, 0], "sign"), Layer([[1], [1]], [-1])],
        ["a", "b", "c"],
        domain="binary",
    )
    X = np.asarray(nets.rows_for(net))
    for a in (0, 1):
        for y in (0, 1):
            formula = to_cnf(net, assume={"a": a, "y1": y})
            with Cadical153(bootstrap_with=[list(clause) for clause in formula.clauses]) as solver:
                assert solver.solve() == bool(((X[:, 0] == a) & (net(X)[:, 0] == y)).any())
                if solver.get_model():
                    row = [int(solver.get_model()[v - 1] > 0) for v in formula.inputs]
                    assert net([row])[0, 0] == y
                    assert row[0] == a


@pytest.mark.parametrize("value", [-1, 0, 1])
def test_signs_can_be_assumed(value):
    """An output of sign may be asked to be -1, 0 or 1."""
    net = Network(Layer([[1], [-1]], [0], "sign"), ["a", "b"], ["s"], domain="binary")
    formula = to_cnf(net, assume={"s": value})
    with Cadical153(bootstrap_with=[list(clause) for clause in formula.clauses]) as solver:
        rows = {tuple(int(v > 0) for v in model[:2]) for model in solver.enum_models()}
    assert rows == {(a, b) for a in (0, 1) for b in (0, 1) if np.sign(a - b) == value}


def test_the_text_names_its_variables():
    """Comments say what inputs and outputs are called, whatever they are called."""
    net = Network(Layer([[1], [1]], [-2]), ["a\np cnf 0 0", "b"], ["é"], domain="binary")
    text = to_cnf(net).text
    assert [line for line in text.splitlines() if line.startswith("p ")] == [
        f"p cnf {to_cnf(net).n_variables} {len(to_cnf(net).clauses)}"
    ]
    assert r'c 1 is "a\np cnf 0 0"' in text
    assert "Cnf(" in repr(to_cnf(net))


@pytest.mark.parametrize(
    ("net", "options", "expected"),
    [
        (Network(Layer([[1]], [0], "identity"), domain="binary"), {}, "last layer is identity"),
        (Network(Layer([[1]], [0]), domain="integer"), {}, "inputs that are 0 and 1"),
        (
            Network(Layer(np.ones((1500, 1500), int), np.zeros(1500, int)), domain="binary"),
            {},
            "2,000,000 weights",
        ),
        (
            Network(Layer([[1]], [0]), ["a"], domain="binary"),
            {"assume": {"b": 1}},
            "must name inputs and outputs",
        ),
        (Network(Layer([[1]], [0]), ["a"], domain="binary"), {"assume": {"a": 2}}, "'a' can't be 2"),
        (Network(Layer([[1]], [0]), ["a"], domain="binary"), {"assume": [("a", 1)]}, "Received: list"),
        (Network(Layer([[1]], [0]), ["a"], ["y"], domain="binary"), {"assume": {"y": -1}}, "'y' can't be -1"),
    ],
)
def test_what_a_formula_cannot_hold_is_refused(net, options, expected):
    """Each refusal says what and what to do."""
    with pytest.raises(InputError, match=expected):
        to_cnf(net, **options)


def test_a_missing_extra_is_named(monkeypatch):
    """Without PySAT the error says what to install."""
    monkeypatch.setitem(sys.modules, "pysat.pb", None)
    cnf_file._library.cache_clear()
    with pytest.raises(MissingExtraError, match=r"limen\[cnf\]"):
        to_cnf(nets.ZOO["twelve inputs"])
    cnf_file._library.cache_clear()
