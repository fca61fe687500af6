"""Formulas from text: what binds more tightly, names of any kind, and errors that point at the character."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import formula_trees
from limen import logic
from limen.errors import FormulaError, InputError
from limen.logic import parse

A, B, C = logic.inputs("a b c")
FROM_TIGHT_TO_LOOSE = ["and", "xor", "or", "implies", "iff"]
RESERVED = [
    "not",
    "and",
    "xor",
    "or",
    "implies",
    "iff",
    "true",
    "false",
    "at_least",
    "at_most",
    "exactly",
    "majority",
]


@given(formula_trees.trees(4), st.integers(0, 1000))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_text_says_what_operators_say(tree, seed):
    """The same tree, written in any mixture of spellings or built with operators, is the same formula."""
    assert parse(formula_trees.written(tree, seed)) == formula_trees.built(tree)


@given(formula_trees.trees(4))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_formulas_read_back(tree):
    """What a formula prints and shows reads back as an equal formula."""
    formula = formula_trees.built(tree)
    assert parse(str(formula)) == formula
    assert parse(repr(formula)) == formula


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_any_name_reads_back(names):
    """Any text is a name, and a formula that has it reads back."""
    formula = logic.majority(logic.inputs(names))
    assert parse(str(formula)) == formula
    assert "\n" not in str(formula)


@pytest.mark.parametrize("name", [*RESERVED, "And", "TRUE", "At_Least", "nOt"])
def test_reserved_words_are_names_when_quoted(name):
    """An input may be called like a word of the notation; it is then quoted, in any case."""
    (formula,) = logic.inputs([name])
    assert str(formula & A) == f'"{name}" and a'
    assert parse(f'"{name}" and a') == parse(f"'{name}' & a") == formula & A


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (r'"a \"b\" c"', 'a "b" c'),
        (r"'a \'b\' c'", "a 'b' c"),
        ('"it\'s"', "it's"),
        (r'"C:\\temp"', "C:\\temp"),
        (r'"\n\r\t"', "\n\r\t"),
        (r'"\u00e9\U0001f600"', "é😀"),
        ('"two\nlines"', "two\nlines"),
        ("größe_2", "größe_2"),
        ("_", "_"),
        ("nand", "nand"),
        ("trueish", "trueish"),
    ],
)
def test_names_and_escapes(text, name):
    """Names are read as they are written, escapes as what they stand for."""
    assert parse(text) == logic.inputs([name])[0]


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("second", range(5))
def test_what_binds_more_tightly(first, second):
    """For any two operators, in any spelling, the tighter takes its sides first; equals go from the left, or right for implies."""
    one, two = FROM_TIGHT_TO_LOOSE[first], FROM_TIGHT_TO_LOOSE[second]
    left_first = first < second or (first == second and one != "implies")
    tree = (two, (one, "a", "b"), "c") if left_first else (one, "a", (two, "b", "c"))

    def build(tree):
        return (
            logic.inputs(tree)[0]
            if isinstance(tree, str)
            else logic.Formula(tree[0], tuple(map(build, tree[1:])))
        )

    for s, t in itertools.product(formula_trees.SPELLINGS[one], formula_trees.SPELLINGS[two]):
        assert parse(f"a{s}b{t}c") == build(tree)


def test_not_binds_most_tightly():
    """A negation takes the next operand only."""
    assert parse("not a and b") == ~A & B
    assert parse("not a implies not not b") == logic.implies(~A, ~~B)
    assert parse("a&~b|~(a^!c)") == A & ~B | ~(A ^ ~C)


def test_symbols_bind_as_in_python():
    """Random texts of ``~ & ^ |`` mean what Python makes of them."""
    chance = random.Random(1)
    for _ in range(300):
        text = ""
        for _ in range(chance.randint(1, 8)):
            text += "~" * chance.randint(0, 2) + chance.choice("ABC") + chance.choice("&^|")
        text += "A"
        expected = eval(text, {"A": A, "B": B, "C": C})
        assert parse(text.lower()) == expected


def test_words_are_read_in_any_case_and_names_as_written():
    """AND is and, but A isn't a."""
    assert parse("NOT a AND True OR At_Least(1, b)") == ~A & logic.true | logic.at_least(1, B)
    assert parse("A and a").inputs == ("A", "a")


def test_functions():
    """Functions take a count and any number of formulas, or two; implies and iff stand between formulas too."""
    assert parse("at_least(2, a, b | c, c)") == logic.at_least(2, A, B | C, C)
    assert parse("at_most ( -1 )") == logic.at_most(-1)
    assert parse("exactly(0,a) and majority()") == logic.exactly(0, A) & logic.majority()
    assert parse("implies(a, b and c) iff iff(a, b)") == logic.iff(logic.implies(A, B & C), logic.iff(A, B))
    assert parse("a implies (b)") == logic.implies(A, B)
    assert parse("majority(majority(a, b), at_least(1, (a), ((b))))") == logic.majority(
        logic.majority(A, B), logic.at_least(1, A, B)
    )


ERRORS = [
    ("", 0, "an empty text"),
    (" \n ", 0, "an empty text"),
    ("a and", 5, "Expected a formula after 'and'. Received: the end."),
    ("a and  \n", 5, "Received: the end."),
    ("and b", 0, "Expected a formula. Received: 'and'."),
    ("a and or b", 6, "Expected a formula after 'and'. Received: 'or'."),
    ("a -> -> b", 5, "Expected a formula after '->'"),
    ("not", 3, "after 'not'. Received: the end."),
    ("a not b", 2, "Expected an operator such as and, or, xor after 'a'. Received: 'not'."),
    ("a b", 2, "Received: 'b'. Quote a name that has spaces."),
    ("(a", 0, "needs a closing )"),
    ("(a or (b and c)", 0, "needs a closing )"),
    ("a)", 1, "No parenthesis is open"),
    ("()", 1, "Expected a formula after '('. Received: ')'."),
    ("(a)(b)", 3, "Expected an operator such as and, or, xor after ')'. Received: '('."),
    ("a, b", 1, "A comma stands only between the parts of a function"),
    ("(a, b)", 2, "A comma stands only between the parts of a function"),
    ("at_least(2, (a, b))", 14, "A comma stands only"),
    (
        "x and foo(a)",
        6,
        "Unknown function 'foo'. Functions are at_least, at_most, exactly, majority, implies, iff.",
    ),
    ("__import__('os')", 0, "Unknown function '__import__'"),
    ('"foo"(a)', 5, "Expected an operator"),
    ("at_least", 0, "at_least is a function, written as in at_least(2, a, b, c). Quote it if it is a name."),
    ("a and Majority", 6, "majority is a function, written as in majority(a, b, c)"),
    ("at_least(a, b)", 9, "at_least starts with a whole number"),
    ("at_least()", 9, "Received: ')'."),
    ("at_least(1.5, a)", 9, "Received: the number 1.5."),
    ("at_least(1e3, a)", 9, "Received: the number 1e3."),
    ("at_least(9999999999999999999, a)", 9, "at most 18 digits"),
    ("exactly(" + "9" * 10_000 + ", a)", 8, "at most 18 digits"),
    ("at_most(2 a)", 10, "Expected a comma after the number 2. Received: 'a'."),
    ("at_least(2,)", 11, "Expected a formula after ','. Received: ')'."),
    ("at_least(2, a", 0, "needs a closing )"),
    ("b or majority(a,", 16, "Received: the end."),
    ("a and implies(b)", 6, "implies takes 2 formulas. Received: 1."),
    ("iff(a, b, c)", 0, "iff takes 2 formulas. Received: 3."),
    ("implies()", 8, "Expected a formula after '('"),
    ("->(a, b)", 0, "Expected a formula. Received: '->'."),
    ("a implies", 9, "Received: the end."),
    ("implies", 0, "Expected a formula. Received: 'implies'."),
    ("1", 0, "Received: the number 1. Write true or false for a constant"),
    ("a and 2nd", 6, "Received: the number 2nd."),
    ("a -1", 2, "Received: the number -1."),
    ("majority(2, a, b)", 9, "Received: the number 2."),
    ("a.b", 1, "Unexpected '.'"),
    ("age >= 35", 4, "Unexpected '>'. A name with anything but letters, digits and underscores is quoted"),
    ("job = farmer", 4, "Unexpected '='"),
    ("a[0]", 1, "Unexpected '['"),
    ("a - b", 2, "Unexpected '-'"),
    ("a\nand ?", 6, "Unexpected '?'"),
    ("a and\x00b", 5, "Unexpected '\\x00'"),
    ("lambda: a", 6, "Unexpected ':'"),
    ("a if b else c", 2, "Received: 'if'"),
    ('a and "b', 6, 'needs a closing "'),
    ("'", 0, "needs a closing '"),
    ('"a\\"', 0, "needs a closing"),
    ('a or ""', 5, "must not be empty"),
    (r'"a\q"', 2, "A backslash in a name"),
    (r'"\u12"', 1, "A backslash in a name"),
    (r'"\U00110000"', 1, "A backslash in a name"),
    ('"a\\', 2, "A backslash in a name"),
]


@pytest.mark.parametrize(("text", "position", "reason"), ERRORS)
def test_errors_say_what_and_where(text, position, reason):
    """Each text that isn't a formula raises a FormulaError with its reason, the text and the position."""
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert reason in caught.value.reason
    assert (caught.value.text, caught.value.position) == (text, position)
    assert caught.value.reason.endswith((".", '."'))


def test_an_error_shows_the_place():
    """The message holds the line of the text and a caret under the character."""
    with pytest.raises(FormulaError) as caught:
        parse("a and\nb or = c")
    *_, line, caret = str(caught.value).split("\n")
    assert line[caret.index("^")] == "="


@given(
    st.text(alphabet="ab ()\n,12-<>&|^~!→'\"\\.=_é")
    | st.lists(st.sampled_from([*RESERVED, "a", "(", ")", ",", "2", "'b'"])).map(" ".join)
)
@settings(max_examples=500, derandomize=True, deadline=None)
def test_any_text_is_a_formula_or_a_formula_error(text):
    """Whatever the text, it reads as a formula that reads back, or the error has a position within it."""
    try:
        formula, position = parse(text), 0
    except FormulaError as error:
        formula, position = A, error.position
    assert 0 <= position <= len(text)
    assert parse(str(formula)) == formula


@pytest.mark.parametrize("text", [None, 3, b"a", ["a"], A])
def test_only_text_is_parsed(text):
    """Anything but a str is an InputError that names its type."""
    with pytest.raises(InputError, match="must be a str"):
        parse(text)


def test_declared_inputs_fix_names_and_order():
    """With `inputs`, only these names may appear, and they are the formula's inputs in this order."""
    formula = parse('c and not "age >= 35"', inputs=["age >= 35", "b", "c"])
    assert formula.inputs == ("age >= 35", "b", "c")
    with pytest.raises(FormulaError, match=r"Unknown name 'd'\. Inputs are a, \"age >= 35\"\.") as caught:
        parse("a and d", inputs=["a", "age >= 35"])
    assert caught.value.position == 6
    with pytest.raises(InputError, match="'a' twice"):
        parse("a", inputs="a a")


DEPTH = 5_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(" * DEPTH + "a" + ")" * DEPTH, True),
        ("not " * DEPTH + "a", True),
        ("~" * (DEPTH + 1) + "a", False),
        ("majority(" * DEPTH + "a" + ")" * DEPTH, True),
        ("at_least(1, a, " * DEPTH + "a" + ")" * DEPTH, True),
        ("a -> (" * DEPTH + "a" + ")" * DEPTH, True),
        ("a ^ " * DEPTH + "a", True),
        ("(not a and " * DEPTH + "a" + ")" * DEPTH, False),
    ],
    ids=["parentheses", "not", "~", "majority", "at_least", "implies", "xor", "mixed"],
)
def test_deep_nesting_is_read(text, expected):
    """Nesting 5,000 deep is read, evaluated and written like any other."""
    formula = parse(text)
    assert formula(a=1) is expected
    assert parse(str(formula)) == formula


@pytest.mark.parametrize(
    "text", ["(" * 50_000, ")" * 50_000, "not " * 50_000, "at_least(1," * 50_000, "a" + "(" * 50_000]
)
def test_deep_nonsense_is_a_formula_error(text):
    """A text of nothing but openings is a FormulaError, never a RecursionError."""
    with pytest.raises(FormulaError):
        parse(text)
