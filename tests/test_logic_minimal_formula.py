"""The shortest disjunction of conjunctions, and small formulas of other forms."""

from __future__ import annotations

import itertools
import random
import time

import numpy as np
import pytest

import naive
from limen import Layer, Network, logic
from limen.errors import InputError
from limen.logic import forms, small_formula, two_level
from limen.logic.two_level import length


def names(n):
    """Return the names of `n` inputs."""
    return [f"x{k + 1}" for k in range(n)]


def values_of(formula, n):
    """Return what a formula says on every row, one row at a time."""
    used = set(formula.inputs)
    rows = [dict(zip(names(n), row, strict=True)) for row in naive.rows(n)]
    return [int(formula({name: x for name, x in row.items() if name in used})) for row in rows]


def tree_length(formula):
    """Return the length of a formula from its text: every name, word, number and comma counts 1."""
    text = str(formula).replace("(", " ").replace(")", " ").replace(",", " , ")
    tokens = text.split()
    # After the number of a counting word stands a comma that doesn't separate parts.
    numbered = sum(token in {"at_least", "at_most", "exactly"} for token in tokens)
    return len(tokens) - numbered


# The oracle ---------------------------------------------------------------------------------------------------


def shortest_cover_length(table):
    """Return the length of the shortest disjunction of conjunctions: all sets of terms, cheapest first."""
    n = len(table).bit_length() - 1
    rows = naive.rows(n)
    true_rows = frozenset(k for k, value in enumerate(table) if value == 1)
    if not true_rows or all(value != 0 for value in table):
        return 1
    terms = []
    for pattern in itertools.product((0, 1, None), repeat=n):
        held = [
            k for k, row in enumerate(rows) if all(p in (None, x) for p, x in zip(pattern, row, strict=True))
        ]
        if all(table[k] != 0 for k in held):
            n_inputs = sum(p is not None for p in pattern)
            terms.append((2 * n_inputs + sum(p == 0 for p in pattern), true_rows & set(held)))
    best = {frozenset(): 0}
    for cost, held in terms:
        for covered, so_far in list(best.items()):
            together = covered | held
            if so_far + cost < best.get(together, 10**9):
                best[together] = so_far + cost
    return best[true_rows] - 1


def irredundant(formula, table):
    """Tell whether no input and no term of a disjunction of conjunctions can be left out."""
    terms = disjuncts(formula)
    n = len(table).bit_length() - 1
    rows = [dict(zip(names(n), row, strict=True)) for row in naive.rows(n)]

    def holds(term, row):
        return all(row[name] == value for name, value in term)

    for k, term in enumerate(terms):
        others = terms[:k] + terms[k + 1 :]
        alone = [
            row
            for row, value in zip(rows, table, strict=True)
            if value == 1 and holds(term, row) and not any(holds(other, row) for other in others)
        ]
        if not alone:
            return False
        for part in term:
            wider = term - {part}
            if not any(holds(wider, row) and value == 0 for row, value in zip(rows, table, strict=True)):
                return False
    return True


def disjuncts(formula):
    """Return the terms of a disjunction of conjunctions as sets of (name, value)."""
    if formula.kind == "constant":
        return [frozenset()] if formula.count else []
    if formula.kind == "or":
        return disjuncts(formula.parts[0]) + disjuncts(formula.parts[1])
    pending, term = [formula], set()
    while pending:
        part = pending.pop()
        if part.kind == "and":
            pending += part.parts
        elif part.kind == "not":
            term.add((part.parts[0].name, 0))
        else:
            assert part.kind == "input"
            term.add((part.name, 1))
    return [frozenset(term)]


THREE = list(itertools.product((0, 1), repeat=8))
RANDOM = random.Random(11)
FOUR_TO_SIX = [
    [int(RANDOM.random() < share) for _ in range(2**n)]
    for n, times in ((4, 20), (5, 10), (6, 4))
    for share in (0.3, 0.5, 0.75)
    for _ in range(times)
]


# The shortest disjunction of conjunctions ---------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_minimal_dnf_of_every_function_of_few_inputs(n: int) -> None:
    """It is equal on all rows, of that form, and as short as the shortest of all sets of terms."""
    for table in itertools.product((0, 1), repeat=2**n):
        formula = logic.minimal_dnf(table)
        assert values_of(formula, n) == list(table)
        assert length(formula) == shortest_cover_length(table), table
        assert irredundant(formula, table)


def test_minimal_dnf_with_rows_that_do_not_matter() -> None:
    """Where either value will do, the shortest is chosen; the other rows are kept."""
    tables = list(itertools.product((0, 1, -1), repeat=4))
    tables += [[RANDOM.choice((0, 1, -1)) for _ in range(8)] for _ in range(150)]
    tables += [[RANDOM.choice((0, 1, -1, -1)) for _ in range(16)] for _ in range(12)]
    for table in tables:
        n = len(table).bit_length() - 1
        formula = logic.minimal_dnf(table)
        held = values_of(formula, n)
        assert all(value in (-1, got) for value, got in zip(table, held, strict=True)), table
        assert length(formula) == shortest_cover_length(table), table


def test_minimal_dnf_of_four_inputs_against_all_sets_of_terms() -> None:
    """Random functions of four inputs get the shortest formula."""
    for table in [table for table in FOUR_TO_SIX if len(table) == 16][::4]:
        assert length(logic.minimal_dnf(table)) == shortest_cover_length(table)


@pytest.mark.parametrize("n", [7, 9, 10, 13])
def test_minimal_dnf_of_more_inputs_is_irredundant(n: int) -> None:
    """Larger tables get a formula that is equal on all rows, and of which nothing can be left out."""
    rng = np.random.default_rng(n)
    table = (rng.random(2**n) < (0.5 if n < 10 else 0.02)).astype(np.int8)
    if n == 13:  # what a few terms make
        table = logic.truth_table(
            logic.parse("x1 and x13 and not x4 or x2 and not x13 or x4 and x5 and not x6 or x6 and x7"),
            inputs=names(13),
        ).values[:, 0]
    formula = logic.minimal_dnf(table)
    assert np.array_equal(logic.truth_table(formula).values[:, 0], table)
    assert irredundant(formula, table.tolist())


def test_minimal_dnf_of_one_neuron_is_all_its_prime_implicants() -> None:
    """For a unate function the only irredundant formula is found, up to 20 inputs."""
    net = Network(Layer([[w] for w in (3, -2, 2, 1, 1, *[0] * 8, 1, -1, *[0] * 5)], [-4]), domain="binary")
    terms = disjuncts(logic.minimal_dnf(net))
    assert set(terms) == {frozenset(term.items()) for term in logic.prime_implicants(net)}
    assert len(terms) == len(set(terms))


def test_minimal_dnf_refuses_more_terms_than_asked_for() -> None:
    """A parity of six needs 32 terms; the limit, too many inputs, and a bad limit are named."""
    parity = [sum(row) % 2 for row in naive.rows(6)]
    assert len(disjuncts(logic.minimal_dnf(parity, most=32))) == 32
    with pytest.raises(InputError, match="at most 31 terms"):
        logic.minimal_dnf(parity, most=31)
    with pytest.raises(InputError, match="at most 100 terms"):
        logic.minimal_dnf(logic.at_least(10, logic.inputs(names(20))), most=100)
    with pytest.raises(InputError, match="21 inputs"):
        logic.minimal_dnf(logic.at_least(1, logic.inputs(names(21))))
    with pytest.raises(InputError, match="most must be"):
        logic.minimal_dnf([0, 1], most=True)


# Small formulas -----------------------------------------------------------------------------------------------


def test_formula_of_every_function_of_three_inputs() -> None:
    """It is equal on all rows and never longer than the shortest disjunction of conjunctions."""
    for table in THREE:
        formula = logic.formula(table)
        assert values_of(formula, 3) == list(table)
        assert length(formula) <= shortest_cover_length(table)


def test_formula_of_random_functions_of_four_to_six_inputs() -> None:
    """The same for random tables, of which most get shorter by it."""
    shorter = 0
    for table in FOUR_TO_SIX:
        formula = logic.formula(table)
        assert values_of(formula, len(table).bit_length() - 1) == table
        shorter += length(formula) < length(logic.minimal_dnf(table))
        assert length(formula) <= length(logic.minimal_dnf(table))
    assert shorter > len(FOUR_TO_SIX) // 2


def test_formula_with_rows_that_do_not_matter() -> None:
    """The rows that matter are kept, and it is no longer than the shortest disjunction of conjunctions."""
    for _ in range(60):
        table = [RANDOM.choice((0, 1, -1)) for _ in range(2 ** RANDOM.randint(2, 4))]
        formula = logic.formula(table)
        held = values_of(formula, len(table).bit_length() - 1)
        assert all(value in (-1, got) for value, got in zip(table, held, strict=True))
        assert length(formula) <= length(logic.minimal_dnf(table))
    assert str(logic.formula([0, 1, 1, None], inputs="a b")) == "a or b"
    assert str(logic.formula([0, 1, 1, None, 1, None, None, None], inputs="a b c")) == "a or b or c"


def signed_parts(n, seed):
    """Return `n` inputs, some of them negated."""
    rng = random.Random(seed)
    return [wire if rng.random() < 0.6 else ~wire for wire in logic.inputs(names(n))]


@pytest.mark.parametrize("n", range(4, 11))
def test_counts_of_inputs_are_found(n: int) -> None:
    """At least, at most and exactly k, majorities and parities come out as such, also of negated inputs."""
    for signs in (0, n):
        parts = signed_parts(n, signs) if signs else list(logic.inputs(names(n)))
        for k in range(2, n - 1):
            found = logic.formula(logic.at_least(k, parts), inputs=names(n))
            assert found.kind in {"at_least", "at_most", "majority"}
            assert len(found.parts) == n
            assert logic.formula(logic.at_most(k, parts), inputs=names(n)).kind in {
                "at_least",
                "at_most",
                "majority",
            }
            assert logic.formula(logic.exactly(k, parts), inputs=names(n)).kind == "exactly"
            for asked in (logic.at_least(k, parts), logic.at_most(k, parts), logic.exactly(k, parts)):
                assert length(logic.formula(asked, inputs=names(n))) <= length(asked) + n
        assert logic.formula(logic.majority(parts), inputs=names(n)).kind in {
            "at_least",
            "at_most",
            "majority",
        }
        odd = parts[0]
        for part in parts[1:]:
            odd = odd ^ part
        for parity in (odd, ~odd):
            found = logic.formula(parity, inputs=names(n))
            assert length(found) <= 2 * n
            assert logic.truth_table(found) == logic.truth_table(parity, inputs=names(n))
    assert logic.formula(logic.majority(logic.inputs(names(n)))).kind == "majority"


@pytest.mark.parametrize(
    "text",
    [
        "a and (b or c)",
        "a or b and at_least(2, c, d, e)",
        "a xor b and c",
        "(a xor b) and (c xor d)",
        "a xor b or c and d",
        "majority(a and b, c, d)",
        "majority(a xor b, c, d or e)",
        "exactly(2, a, b, c, d and e)",
        "at_least(3, a, a, b, c, d)",
        "a and b or not a and c",
        "(a or b) and (c or d) and (e or f)",
        "not (a and b and c and d)",
    ],
)
def test_forms_that_are_found(text: str) -> None:
    """What is short as written is found again from its table, at that length or a shorter one."""
    asked = logic.parse(text)
    found = logic.formula(asked)
    assert logic.truth_table(found) == logic.truth_table(asked)
    assert length(found) <= length(asked), found


def test_twenty_inputs_take_seconds() -> None:
    """Counts, votes and parities of 20 inputs are found fast."""
    parts = logic.inputs(names(20))
    weighted = [part for k, part in enumerate(parts) for _ in range(1 + k % 4)]
    odd = parts[0]
    for part in parts[1:]:
        odd = odd ^ part
    start = time.perf_counter()
    for asked in (logic.at_least(7, parts), logic.exactly(9, parts), logic.at_least(25, weighted), odd):
        found = logic.formula(asked)
        assert length(found) <= length(asked)
        assert logic.truth_table(found) == logic.truth_table(asked)
    assert time.perf_counter() - start < 30


def test_formula_of_a_network_keeps_its_inputs() -> None:
    """The inputs are those of the network, in its order; `formulas` gives one for each output."""
    a, b, c = logic.inputs("a b c")
    net = logic.network({"sum": a ^ b ^ c, "carry": logic.majority(a, b, c)}, inputs="c b a d")
    found = logic.formulas(net)
    assert list(found) == ["sum", "carry"]
    assert found["carry"] == logic.majority(c, b, a)
    assert found["sum"].inputs == ("c", "b", "a", "d")
    assert logic.formula(net.select("sum")) == found["sum"]
    table = logic.truth_table(net)
    assert logic.formulas(table) == found
    assert logic.formulas(table, inputs="p q r s")["carry"] == logic.majority(logic.inputs("p q r"))
    assert logic.formulas({"p": a & b | a & c}) == {"p": a & (b | c)}
    assert logic.formulas([0, 1]) == {"y": logic.inputs("x1")[0]}
    winner = Network(Layer([[1, 0], [0, 1]], [0, 0], "hardmax"), ["a", "b"], ["p", "q"], "binary")
    assert logic.formulas(winner)["q"] == ~a & b


def test_too_many_inputs_are_refused() -> None:
    """More than 20 inputs, and names that don't fit, are named."""
    wide = logic.network({"p": logic.at_least(3, logic.inputs(names(21)))})
    with pytest.raises(InputError, match=r"21 inputs.*logic\.rules"):
        logic.formula(wide)
    with pytest.raises(InputError, match=r"21 inputs.*logic\.rules"):
        logic.formulas(wide)
    with pytest.raises(InputError, match="2 names"):
        logic.formulas(logic.truth_table(logic.parse("a and b")), inputs="a b c")


# The parts ----------------------------------------------------------------------------------------------------


def test_length_is_what_is_written() -> None:
    """The length of a formula is the number of names, words, numbers, operators and commas of its text."""
    for text in ("true", "not a", "a and not b or c", "at_least(2, a, b, c)", "majority(a, b and c) xor d"):
        assert length(logic.parse(text)) == tree_length(logic.parse(text)), text
    for table in THREE[::7]:
        formula = logic.formula(table)
        assert length(formula) == tree_length(formula)


def test_a_wrong_formula_is_rejected() -> None:
    """The check on all rows sees a single row that differs, and passes over rows that don't matter."""
    formula, inputs = logic.parse("a and b or c"), ("a", "b", "c")
    table = logic.truth_table(formula, inputs=inputs).values[:, 0].copy()
    assert two_level.holds_on(formula, table, inputs)
    for row in range(8):
        wrong = table.copy()
        wrong[row] = 1 - wrong[row]
        assert not two_level.holds_on(formula, wrong, inputs)
        wrong[row] = -1
        assert two_level.holds_on(formula, wrong, inputs)


def test_no_wrong_formula_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in a form is caught before the formula is returned."""
    monkeypatch.setattr(small_formula, "counted", lambda parts, values: logic.true)
    with pytest.raises(AssertionError, match="agree"):
        logic.formula(logic.majority(logic.inputs("a b c")))
    monkeypatch.setattr(two_level, "_shortest", lambda table: [((0, 1),)])
    with pytest.raises(AssertionError, match="agree"):
        logic.minimal_dnf([0, 1, 1, 0])


def test_counted_writes_every_function_of_a_count() -> None:
    """Whatever the values for 0 to n parts, also of negated parts, the formula has them."""
    for n in range(2, 6):
        parts = signed_parts(n, n)
        holding = [sum(column) for column in zip(*(values_of(part, n) for part in parts), strict=True)]
        for values in itertools.product((0, 1), repeat=n + 1):
            assert values_of(forms.counted(parts, values), n) == [values[k] for k in holding]


def test_factored_is_never_longer() -> None:
    """Taking out what terms share keeps the function and never lengthens; the dual is what doesn't hold."""
    for table in FOUR_TO_SIX[::5]:
        n = len(table).bit_length() - 1
        parts = logic.inputs(names(n))
        terms = two_level.cover(np.array(table, dtype=np.int8))
        formula = forms.factored(terms, parts)
        assert values_of(formula, n) == table
        assert length(formula) <= length(two_level.terms_formula(terms, names(n)))
        dual = forms.factored(terms, parts, dual=True)
        assert values_of(dual, n) == [1 - value for value in table]
