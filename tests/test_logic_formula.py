"""Formulas as values: what they mean, how they compare, and what they refuse."""

import copy
import operator
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings

import formula_trees
import naive
from limen import logic
from limen.errors import InputError
from limen.logic import Formula

A, B, C = logic.inputs("a b c")
NAMES = formula_trees.names(4)


@given(formula_trees.trees(4))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_formula_means_what_the_oracle_says(tree):
    """On every row, calling a formula gives what the naive evaluation of its tree gives."""
    formula = formula_trees.built(tree)
    for row in naive.rows(4):
        values = dict(zip(NAMES, row, strict=True))
        given = {name: values[name] for name in formula.inputs}
        assert formula(given) is bool(naive.formula(tree, values))


@pytest.mark.parametrize("kind", ["at_least", "at_most", "exactly"])
@pytest.mark.parametrize("n", range(5))
def test_counting_functions_for_every_count(kind, n):
    """Counting n parts against any k, in range or out of it, is right on every row."""
    names = formula_trees.names(n)
    for k in range(-2, n + 3):
        formula = getattr(logic, kind)(k, [logic.inputs([name])[0] for name in names])
        tree = (kind, k, *[("input", name) for name in names])
        for row in naive.rows(n):
            values = dict(zip(names, row, strict=True))
            assert formula(values) == naive.formula(tree, values)


def test_majority_needs_more_than_half():
    """Half of an even number is no majority, and nobody is none."""
    assert not logic.majority(A, B)(a=1, b=0)
    assert logic.majority(A, B, C)(a=1, b=0, c=1)
    assert not logic.majority()()


def test_counting_takes_one_iterable_or_several_formulas():
    """A list, a generator and separate arguments make equal formulas."""
    assert logic.at_least(2, A, B, C) == logic.at_least(2, [A, B, C]) == logic.at_least(2, iter((A, B, C)))
    assert logic.majority(A, B) == logic.majority((A, B))
    assert logic.at_least(1, A) == logic.at_least(1, [A])
    assert logic.at_least(np.int64(2), A, B).count == 2


def test_equality_is_of_structure():
    """Formulas compare by how they are made, not by what they mean; equal ones hash alike."""
    a, b = logic.inputs(["a", "b"])
    assert (a & b) == (A & B)
    assert hash(a & ~b) == hash(A & ~B)
    assert len({a & b, A & B, b & a}) == 2
    different = [
        A,
        B,
        A & B,
        B & A,
        A | B,
        A ^ B,
        ~A,
        ~~A,
        logic.implies(A, B),
        logic.iff(A, B),
        logic.true,
        logic.false,
    ]
    different += [
        logic.at_least(1, A, B),
        logic.at_least(2, A, B),
        logic.majority(A, B),
        (A & B) & C,
        A & (B & C),
    ]
    for i, p in enumerate(different):
        assert [p == q for q in different] == [i == j for j in range(len(different))]
    assert A != "a"


def test_inputs_are_in_order_of_first_appearance_or_as_declared():
    """The order of a formula's inputs is the reader's, unless it was declared."""
    assert (C & (A | C) ^ B).inputs == ("c", "a", "b")
    assert logic.true.inputs == ()
    declared = logic.parse("c and a", inputs="a b c")
    assert declared.inputs == ("a", "b", "c")
    assert declared == C & A
    assert (declared | logic.inputs("d")[0]).inputs == ("a", "b", "c", "d")


def test_repr_is_python_and_str_is_words():
    """A formula shows itself as Python's operators and prints in words."""
    formula = A & ~B | logic.implies(A, C) ^ logic.exactly(1, A, B)
    assert repr(formula) == "a & ~b | implies(a, c) ^ exactly(1, a, b)"
    assert str(formula) == "a and not b or (a implies c) xor exactly(1, a, b)"


@pytest.mark.parametrize("use", [bool, lambda f: f and A, lambda f: not f, lambda f: A if f else B])
def test_python_words_are_refused(use):
    """Using a formula as a truth value says which operators to use instead."""
    with pytest.raises(InputError, match=r"Use &, \| and ~ instead of and, or and not"):
        use(A & B)


@pytest.mark.parametrize("other", [True, 1, "b", None, np.array([True]), np.int8(1), 0.5])
@pytest.mark.parametrize("use", [operator.and_, operator.or_, operator.xor])
def test_operators_take_formulas_only(use, other):
    """Both sides of an operator must be formulas; the error says how to make one."""
    for sides in [(A, other), (other, A)]:
        with pytest.raises(InputError, match=r"Expected a formula\. Received: .*logic\."):
            use(*sides)


@pytest.mark.parametrize("k", [1.0, 2.5, True, "2", None, A, np.float64(1), [1], 10**18])
def test_a_count_is_a_whole_number(k):
    """Anything but a whole number of at most 18 digits as k is an InputError."""
    for make in (logic.at_least, logic.at_most, logic.exactly):
        with pytest.raises(InputError, match="k must"):
            make(k, A, B)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: logic.at_least(2, "ab"),
        lambda: logic.at_least(2, [A, "b"]),
        lambda: logic.majority(A, [B]),
        lambda: logic.implies(A, 1),
        lambda: logic.iff("a", B),
        lambda: Formula("nand", (A, B)),
        lambda: Formula("and", (A,)),
        lambda: Formula("and", A),
        lambda: Formula("not", (A, B)),
        lambda: Formula("input"),
        lambda: Formula("input", name=3),
        lambda: Formula("constant", count=2),
        lambda: Formula("at_least", (A,), count=0.5),
    ],
)
def test_what_is_no_formula_is_refused(wrong):
    """Parts that aren't formulas and formulas that don't fit their kind are InputErrors."""
    with pytest.raises(InputError, match="Received"):
        wrong()


@pytest.mark.parametrize(
    "names", ["a b c", "a,b,c", " a, b\tc\n", ["a", "b", "c"], ("a", "b", "c"), iter("abc")]
)
def test_inputs_from_text_or_list(names):
    """A text is split at spaces and commas, a list is taken as it is."""
    assert logic.inputs(names) == (A, B, C)


def test_inputs_may_have_any_name():
    """Names in a list may hold anything, and one name still gives a tuple."""
    odd = ["age >= 35", "job = farmer", 'a "quote"', "two\nlines", "and", " ", "é😀", "\udc80"]
    assert [formula.name for formula in logic.inputs(odd)] == odd
    assert logic.inputs("a") == (A,)


@pytest.mark.parametrize("names", ["", " , ", [], ["a", "a"], "a a", [""], [1], 7, None])
def test_wrong_names_are_refused(names):
    """No name, a name twice, an empty one, or something other than text is an InputError."""
    with pytest.raises(InputError, match="inputs must be"):
        logic.inputs(names)


@pytest.mark.parametrize(
    ("values", "named", "message"),
    [
        ({}, {"a": 1}, "nothing for b"),
        ({"a": 1, "b": 0}, {"c": 1}, "Received: c"),
        ([1, 0], {}, "Expected a mapping"),
        ({"a": 1, "b": 2}, {}, "b must be 0 or 1. Received: 2"),
        ({"a": float("nan"), "b": 1}, {}, "a must be 0 or 1"),
        ({"a": "1", "b": 1}, {}, "a must be 0 or 1"),
        ({"a": None, "b": 1}, {}, "a must be 0 or 1"),
    ],
)
def test_a_call_needs_a_value_for_each_input(values, named, message):
    """A missing value, a name too many and a value other than 0 or 1 are named."""
    with pytest.raises(InputError, match=message):
        (A & B)(values, **named)


def test_a_call_takes_what_numpy_gives():
    """NumPy's booleans and numbers count as 0 and 1."""
    assert (A & B)(a=np.bool(True), b=np.int8(1))
    assert not (A & B)({"a": np.float32(1)}, b=False)


def test_formulas_are_frozen():
    """A formula can't be changed or subclassed."""
    with pytest.raises(FrozenInstanceError):
        A.name = "b"
    with pytest.raises(TypeError, match="can't be subclassed"):
        type("Mine", (Formula,), {})


def test_copies_and_pickles_are_equal():
    """Copying and pickling keep structure, hash and the declared order."""
    formula = logic.parse("c and not (a or at_least(2, a, b, c))", inputs="a b c d")
    for other in (copy.copy(formula), copy.deepcopy(formula), pickle.loads(pickle.dumps(formula))):
        assert other == formula
        assert hash(other) == hash(formula)
        assert other.inputs == ("a", "b", "c", "d")


@pytest.mark.parametrize("use", [operator.and_, operator.or_, operator.xor, logic.implies, logic.iff])
@pytest.mark.parametrize("grow", ["left", "right"])
def test_long_chains_never_recurse(use, grow):
    """A chain of 5,000 names (2,000 for the other operators) is evaluated, compared, hashed, written, pickled and freed."""
    names = [f"x{i}" for i in range(5000 if use is operator.and_ else 2000)]
    make = use if grow == "left" else lambda p, q: use(q, p)
    first, second = (reduce(make, logic.inputs(names)) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert sorted(first.inputs) == sorted(names)
    ones = dict.fromkeys(names, 1)
    assert first(ones) is {"and": True, "or": True, "xor": False, "implies": True, "iff": True}[first.kind]
    assert logic.parse(str(first)) == first
    assert pickle.loads(pickle.dumps(first)) == first


def test_parts_shared_exponentially_often():
    """A formula whose text would have 2**200 names is still evaluated and compared at once, and shown in part."""

    def doubled():
        formula = A
        for _ in range(200):
            formula = (formula ^ B) ^ formula
        return formula

    formula = doubled()
    assert formula == doubled()
    assert formula(a=1, b=1) is True
    assert formula.inputs == ("a", "b")
    assert repr(formula).endswith("…")
    assert pickle.loads(pickle.dumps(formula)) == formula


def test_the_room_costs_numpy_only():
    """Importing the room loads no SciPy, scikit-learn or numba."""
    code = "import sys, limen.logic; print([m for m in ('scipy', 'sklearn', 'numba') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
