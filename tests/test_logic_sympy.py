"""Formulas to and from SymPy."""

from __future__ import annotations

import builtins
import itertools

import pytest
from hypothesis import given

import formula_trees
import limen
import naive
from limen import logic
from limen.errors import InputError, MissingExtraError

sympy = pytest.importorskip("sympy")
boolalg = sympy.logic.boolalg

A, B, C, D = sympy.symbols("a b c d")


def held(expression, names):
    """Return what SymPy says on every row of some symbols."""
    symbols = [sympy.Symbol(name) for name in names]
    rows = [[bool(x) for x in row] for row in naive.rows(len(names))]
    return [int(bool(expression.subs(dict(zip(symbols, row, strict=True))))) for row in rows]


def meant(formula, names):
    """Return what a formula says on every row of some names."""
    return logic.truth_table(formula, inputs=names).values[:, 0].tolist()


EXPRESSIONS = [
    sympy.true,
    sympy.false,
    A,
    ~A,
    A & ~B | C,
    sympy.Xor(A, B, C),
    sympy.Xor(A, ~B),
    sympy.Implies(A, B & C),
    sympy.Implies(B, A),
    sympy.Equivalent(A, B),
    sympy.Equivalent(A, B, C),
    sympy.Equivalent(A, ~B, C, D),
    sympy.ITE(A, B, C),
    sympy.ITE(A & B, sympy.Xor(B, C), ~D),
    sympy.Nand(A, B, C),
    sympy.Nor(A, B, C),
    boolalg.Xnor(A, B, C),
    boolalg.Nand(A, B, C, evaluate=False),
    boolalg.Nor(A, B, evaluate=False),
    boolalg.Xnor(A, B, C, evaluate=False),
    sympy.And(A, A, evaluate=False),
    sympy.Not(sympy.Not(A, evaluate=False), evaluate=False),
    sympy.And(),
    sympy.Or(),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_each_function_of_sympy_means_the_same(expression) -> None:
    """What SymPy says of an expression on every row, the formula says too."""
    names = ["a", "b", "c", "d"]
    formula = logic.from_sympy(expression, inputs=names)
    assert meant(formula, names) == held(expression.doit(), names)
    assert formula.inputs == tuple(names)


@given(formula_trees.trees(4))
def test_formulas_go_to_sympy_and_back(tree) -> None:
    """Any formula means the same as an expression, and as the formula it comes back as."""
    names = formula_trees.names(4)
    formula = formula_trees.built(tree)
    expression = logic.to_sympy(formula)
    expected = naive.truth_table(tree, names)
    assert held(expression, names) == expected
    assert meant(logic.from_sympy(expression), names) == expected


@pytest.mark.parametrize("kind", ["at_least", "at_most", "exactly"])
def test_counts_for_every_number(kind: str) -> None:
    """Counts from below 0 to beyond n mean the same in SymPy."""
    parts = logic.inputs("a b c d")
    for k in range(-1, 6):
        formula = getattr(logic, kind)(k, parts)
        assert held(logic.to_sympy(formula), "abcd") == meant(formula, "a b c d"), k


def distinct_parts(expression):
    """Return how many different parts an expression has."""
    seen = set()
    pending = [expression]
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending += node.args
    return len(seen)


def test_counts_stay_small() -> None:
    """Half of 40 parts is a few hundred different parts in SymPy, and comes back as few."""
    parts = logic.inputs([f"x{k}" for k in range(40)])
    expression = logic.to_sympy(logic.at_least(20, parts))
    assert distinct_parts(expression) <= 20 * 21 + 40 + 2
    formula = logic.from_sympy(expression)
    for on in (19, 20):
        assert formula({f"x{k}": int(k % 40 < on) for k in range(40)}) == (on == 20)


def test_names_and_order() -> None:
    """Inputs are sorted by name unless an order is given; any name may come and go."""
    old = sympy.Symbol("age >= 35")
    assert logic.from_sympy(B & old & A).inputs == ("a", "age >= 35", "b")
    assert logic.from_sympy(B & A, inputs="b c a").inputs == ("b", "c", "a")
    assert logic.to_sympy(logic.inputs(["age >= 35"])[0]) == old
    assert logic.from_sympy(True) == logic.true
    assert logic.from_sympy(False) == logic.false


def test_the_same_expression_gives_the_same_formula() -> None:
    """However it was put together, equal expressions become equal formulas."""
    parts = [A, B & C, ~D]
    found = {logic.from_sympy(sympy.Or(*order)) for order in itertools.permutations(parts)}
    assert len(found) == 1


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sympy.Symbol("x") > 1, "StrictGreaterThan: x > 1"),
        (A & (sympy.Symbol("x") > 1), "x > 1"),
        (sympy.Integer(1), "One: 1"),
        (A + 1, "Add"),
        (sympy.Function("f")(A), r"f\(a\)"),
        ("a & b", r"logic\.parse"),
        (1, "Received: 1"),
        (sympy.Symbol("a") & sympy.Dummy("a"), "two different ones called a"),
    ],
    ids=str,
)
def test_what_is_not_boolean_is_refused(expression, message: str) -> None:
    """Numbers, relations and other functions are named."""
    with pytest.raises(InputError, match=message):
        logic.from_sympy(expression)


def test_what_does_not_fit_is_refused() -> None:
    """A symbol that isn't among the inputs, and something that is no formula, are named."""
    with pytest.raises(InputError, match="no b"):
        logic.from_sympy(A & B, inputs="a c")
    with pytest.raises(InputError, match="Expected a formula"):
        logic.to_sympy(A)


def test_without_sympy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SymPy isn't installed, the error holds the install line."""
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "sympy":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for ask in (lambda: logic.to_sympy(logic.true), lambda: logic.from_sympy(True)):
        with pytest.raises(MissingExtraError, match=r"limen\[sympy\]"):
            ask()
    assert limen.logic is logic
