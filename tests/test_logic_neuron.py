"""Questions about one neuron: what matters, decides and vetoes, counts, power, prime implicants."""

from __future__ import annotations

import itertools
import math
import random
import time
from fractions import Fraction

import numpy as np
import pytest

import naive
from limen import Layer, Network, logic
from limen.errors import InputError, NotExactError
from limen.logic import _points, voting


def neuron(weights, threshold, names=None):
    """Return one neuron on bits."""
    column = np.array(weights, dtype=np.int64).reshape(-1, 1)
    return Network(Layer(column, [-threshold]), names, domain="binary")


# Oracles, on rows ---------------------------------------------------------------------------------------------


def table(weights, threshold):
    """Return the output of a neuron for each row, by row."""
    return {tuple(row): naive.neuron(weights, -threshold, row) for row in naive.rows(len(weights))}


def flipped(row, i):
    """Return a row with one bit changed."""
    return (*row[:i], 1 - row[i], *row[i + 1 :])


def naive_relevant(outputs, n):
    """Return the numbers of the inputs that change the output somewhere."""
    return [i for i in range(n) if any(outputs[row] != outputs[flipped(row, i)] for row in outputs)]


def naive_values(outputs, n, output):
    """Return {input: value} for values that alone fix the output of a function that isn't constant."""
    if len(set(outputs.values())) == 1:
        return {}
    return {
        i: value
        for i in range(n)
        for value in (0, 1)
        if all(out == output for row, out in outputs.items() if row[i] == value)
    }


def naive_implicants(outputs, n):
    """Return the prime implicants as sets of (input, value), tried one by one."""

    def implies(term):
        return all(out for row, out in outputs.items() if all(row[i] == v for i, v in term))

    terms = []
    for pattern in itertools.product((0, 1, None), repeat=n):
        term = frozenset((i, v) for i, v in enumerate(pattern) if v is not None)
        if implies(term) and not any(implies(term - {part}) for part in term):
            terms.append(term)
    return set(terms)


def naive_banzhaf(outputs, n, i):
    """Return the share of rows in which an input decides."""
    return Fraction(sum(outputs[row] != outputs[flipped(row, i)] for row in outputs), 2**n)


def naive_shapley(weights, threshold):
    """Return for each input the share of the orders in which it is the one to change the output."""
    n = len(weights)
    start = [0 if w >= 0 else 1 for w in weights]
    times = [0] * n
    for order in itertools.permutations(range(n)):
        row = list(start)
        before = naive.neuron(weights, -threshold, row)
        for i in order:
            row[i] = 1 - row[i]
            after = naive.neuron(weights, -threshold, row)
            if after != before:
                times[i] += 1
            before = after
    return [Fraction(count, math.factorial(n)) for count in times]


def naive_swappable(outputs, i, vi, j, vj):
    """Tell whether "input i is vi" and "input j is vj" may change places in every row."""
    for row in outputs:
        swapped = list(row)
        swapped[i] = vi if row[j] == vj else 1 - vi
        swapped[j] = vj if row[i] == vi else 1 - vj
        if outputs[tuple(swapped)] != outputs[row]:
            return False
    return True


SMALL = [
    (weights, threshold)
    for n in range(4)
    for weights in itertools.product(range(-3, 4) if n < 3 else range(-2, 4), repeat=n)
    for threshold in range(-4, 6)
]
FOUR = [
    (weights, threshold)
    for weights in itertools.combinations_with_replacement((-3, -2, -1, 0, 1, 2, 3), 4)
    for threshold in (-3, -1, 0, 1, 2, 4)
]


def test_every_question_about_small_neurons_agrees_with_all_rows() -> None:
    """All neurons of up to three inputs with small weights, and many of four, answer as their rows do."""
    for weights, threshold in SMALL + FOUR:
        n, net, outputs = len(weights), neuron(weights, threshold), table(weights, threshold)
        names = net.inputs
        relevant = naive_relevant(outputs, n)
        assert logic.relevant_inputs(net) == tuple(names[i] for i in relevant)
        assert logic.count_firing(net) == sum(outputs.values())
        for question, output in ((logic.forcing, 1), (logic.vetoing, 0)):
            expected = {names[i]: v for i, v in naive_values(outputs, n, output).items()}
            assert question(net) == expected, (weights, threshold)
        expected = {names[i]: max(row[i] for row in outputs if outputs[row]) for i in relevant}
        assert logic.deciding(net) == (expected if len(relevant) == 1 else {})
        assert logic.banzhaf(net) == {name: naive_banzhaf(outputs, n, i) for i, name in enumerate(names)}
        found = logic.prime_implicants(net)
        terms = {frozenset((names.index(name), v) for name, v in term.items()) for term in found}
        assert terms == naive_implicants(outputs, n)
        assert len(terms) == len(found)
        held = logic.truth_table(logic.minimal_formula(net)).values[:, 0].tolist()
        assert held == list(outputs.values())


def test_power_by_orders_of_inputs() -> None:
    """Shapley's power is what all orders of the inputs give."""
    for weights, threshold in SMALL[::3] + FOUR[::2]:
        net = neuron(weights, threshold)
        assert list(logic.shapley(net).values()) == naive_shapley(weights, threshold), (weights, threshold)


def test_groups_are_what_may_be_swapped() -> None:
    """Two values are in one group if and only if they may change places; what doesn't matter is in none."""
    for weights, threshold in SMALL + FOUR:
        net, outputs = neuron(weights, threshold), table(weights, threshold)
        groups = logic.interchangeable(net)
        listed = [(name, value, k) for k, group in enumerate(groups) for name, value in group.items()]
        assert sorted(name for name, _, _ in listed) == sorted(logic.relevant_inputs(net))
        for (one, v, k), (other, u, m) in itertools.combinations(listed, 2):
            i, j = net.inputs.index(one), net.inputs.index(other)
            assert naive_swappable(outputs, i, v, j, u) == (k == m), (weights, threshold, one, other)
        power = logic.banzhaf(net)
        assert [power[next(iter(group))] for group in groups] == sorted(
            (power[next(iter(group))] for group in groups), reverse=True
        )


def test_weights_that_differ_may_be_interchangeable() -> None:
    """Interchangeable is said of what is computed, not of how it is weighted."""
    assert logic.interchangeable(neuron([5, 4, 3], 7)) == ({"x1": 1, "x2": 1, "x3": 1},)
    assert logic.interchangeable(neuron([5, -4, 3], 3)) == ({"x1": 1, "x2": 0, "x3": 1},)
    assert logic.interchangeable(neuron([2, 1, 1], 3)) == ({"x1": 1}, {"x2": 1, "x3": 1})


def test_powers_of_textbook_votes() -> None:
    """[4; 3, 2, 1, 1] and [51; 50, 49, 1] have the powers that textbooks give."""
    board = neuron([3, 2, 1, 1], 4)
    assert list(logic.shapley(board).values()) == [Fraction(1, 2), *[Fraction(1, 6)] * 3]
    assert list(logic.banzhaf(board).values()) == [Fraction(3, 4), *[Fraction(1, 4)] * 3]
    assert list(logic.banzhaf(board, normalized=True).values()) == [Fraction(1, 2), *[Fraction(1, 6)] * 3]
    shares = neuron([50, 49, 1], 51)
    assert list(logic.shapley(shares).values()) == [Fraction(2, 3), Fraction(1, 6), Fraction(1, 6)]
    assert list(logic.banzhaf(shares, normalized=True).values()) == [
        Fraction(3, 5),
        Fraction(1, 5),
        Fraction(1, 5),
    ]


def test_the_security_council() -> None:
    """Five vetoes and four of ten others: 421/2145 for a permanent member, 4/2145 for another."""
    council = neuron([7] * 5 + [1] * 10, 39)
    power = list(logic.shapley(council).values())
    assert power == [Fraction(421, 2145)] * 5 + [Fraction(4, 2145)] * 10
    assert logic.vetoing(council) == {f"x{i}": 0 for i in range(1, 6)}
    assert logic.count_firing(council) == sum(math.comb(10, k) for k in range(4, 11))
    assert [len(group) for group in logic.interchangeable(council)] == [5, 10]
    assert len(logic.prime_implicants(council)) == math.comb(10, 4)


def test_majority_of_sixty_in_closed_form() -> None:
    """Counts and powers of "31 of 60" are what binomials say."""
    net = neuron([1] * 60, 31)
    assert logic.count_firing(net) == sum(math.comb(60, k) for k in range(31, 61))
    assert set(logic.banzhaf(net).values()) == {Fraction(math.comb(59, 30), 2**59)}
    assert set(logic.shapley(net).values()) == {Fraction(1, 60)}
    assert logic.interchangeable(net) == (dict.fromkeys(net.inputs, 1),)
    assert logic.relevant_inputs(net) == net.inputs
    with pytest.raises(InputError, match=f"{math.comb(60, 31):,}"):
        logic.prime_implicants(net)


def test_sixty_inputs_with_small_weights_are_fast() -> None:
    """Each question about 60 inputs takes seconds at most, and the answers fit together."""
    rng = random.Random(5)
    weights = [rng.choice([-1, 1]) * rng.randint(1, 9) for _ in range(60)]
    net = neuron(weights, 20)
    start = time.perf_counter()
    powers, orders = logic.banzhaf(net), logic.shapley(net)
    fires, groups = logic.count_firing(net), logic.interchangeable(net)
    assert time.perf_counter() - start < 20
    assert sum(orders.values()) == 1
    for group in groups:
        assert len({powers[name] for name in group}) == 1
        assert len({orders[name] for name in group}) == 1
    # The neuron that fires on the opposite rows fires on all the others.
    opposite = neuron([-w for w in weights], 1 - 20)
    assert logic.count_firing(opposite) == 2**60 - fires
    assert logic.banzhaf(opposite) == powers


def test_large_weights_with_a_small_diagram() -> None:
    """A comparator of 31 bits has weights up to 2**30 and is counted all the same."""
    weights = [2**i for i in range(31)] + [-(2**i) for i in range(31)]
    net = neuron(weights, 0)
    assert logic.count_firing(net) == 2**31 * (2**31 + 1) // 2
    assert logic.banzhaf(net)["x31"] == Fraction(1, 2)


@pytest.mark.parametrize("scale", [1, 2**47])
def test_halves_where_the_diagram_is_too_large(monkeypatch: pytest.MonkeyPatch, scale: int) -> None:
    """Counting sums of two halves gives what the diagram gives, also beyond int64."""
    rng = random.Random(8)
    weights = [rng.choice([-1, 1]) * rng.randint(1, 2**12) * scale for _ in range(13)] + [1]
    net = neuron(weights, sum(w for w in weights if w > 0) // 2)
    with_diagram = [
        question(net)
        for question in (logic.count_firing, logic.banzhaf, logic.relevant_inputs, logic.interchangeable)
    ]

    def refuse(sizes, need, most=0):
        raise NotExactError("too large")

    monkeypatch.setattr(voting, "Diagram", refuse)
    by_halves = [
        question(net)
        for question in (logic.count_firing, logic.banzhaf, logic.relevant_inputs, logic.interchangeable)
    ]
    assert by_halves == with_diagram
    with pytest.raises(NotExactError, match="too large"):
        logic.shapley(net)


def test_forty_inputs_with_huge_weights_are_counted() -> None:
    """Weights of 2**45 that fit into no diagram are counted by halves; more inputs of them are refused by name."""
    rng = random.Random(9)
    weights = [rng.randint(2**44, 2**45) for _ in range(42)]
    net = neuron(weights[:38], sum(weights[:38]) // 2 + 1)
    other = neuron([-w for w in weights[:38]], -(sum(weights[:38]) // 2))
    assert logic.count_firing(net) + logic.count_firing(other) == 2**38
    with pytest.raises(NotExactError, match="42 inputs"):
        logic.count_firing(neuron(weights, sum(weights) // 2))


def test_floats_are_taken_exactly() -> None:
    """A neuron of floats is asked about as the fractions its weights are."""
    net = Network(Layer([[0.5], [0.25], [0.25]], [-0.6]), ["a", "b", "c"], domain="binary")
    assert logic.vetoing(net) == {"a": 0}
    assert print_formula(net) == "a and b or a and c"


def print_formula(net: Network) -> str:
    """Return the minimal formula as text."""
    return str(logic.minimal_formula(net))


def test_a_selected_neuron_may_be_asked() -> None:
    """`net.select` leaves one neuron to ask about; layers that only pass on don't count."""
    both = Network(Layer([[1, 1], [1, -1]], [-2, -1]), ["a", "b"], ["both", "only a"], "binary")
    assert print_formula(both.select("only a")) == "a and not b"
    passed = both.select("both").then(Network(Layer([[1]], [-1]), domain="binary"))
    assert logic.prime_implicants(passed) == ({"a": 1, "b": 1},)


def test_minimal_formula_keeps_the_inputs() -> None:
    """The formula is asked in the order of the network, also of inputs that don't matter."""
    formula = logic.minimal_formula(neuron([0, 1, 3], 3))
    assert formula.inputs == ("x1", "x2", "x3")
    assert print_formula(neuron([1, 1], 0)) == "true"
    assert print_formula(neuron([1, 1], 3)) == "false"


XOR = Network([Layer([[1, 1], [1, 1]], [-1, -2]), Layer([[1], [-1]], [-1])], domain="binary")


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ("a and b", "Received: str"),
        (XOR, "2 inputs → 2 heaviside → 1 heaviside"),
        (Network(Layer([[1]], [0])), "real inputs and a heaviside neuron"),
        (Network(Layer([[1]], [0], "sign"), domain="binary"), "binary inputs and a sign neuron"),
        (Network(Layer([[1, 1]], [0, 0]), domain="binary"), "2 outputs"),
    ],
)
def test_what_is_not_one_neuron_is_refused(net: object, message: str) -> None:
    """Something else than one heaviside neuron on bits is named."""
    with pytest.raises(InputError, match=message):
        logic.count_firing(net)  # type: ignore[arg-type]


def test_too_many_prime_implicants_are_counted_first() -> None:
    """The refusal says how many there are; with a larger limit they come."""
    net = neuron([1] * 12, 6)
    with pytest.raises(InputError, match="924"):
        logic.prime_implicants(net, most=923)
    assert len(logic.prime_implicants(net, most=924)) == 924
    with pytest.raises(InputError, match="whole number"):
        logic.prime_implicants(net, most=-1)


def test_prime_implicants_that_can_only_be_listed() -> None:
    """Where weights are too large to count them first, listing stops at the limit."""
    rng = random.Random(6)
    weights = [rng.randint(2**44, 2**45) for _ in range(42)]
    with pytest.raises(InputError, match="more than 50"):
        logic.prime_implicants(neuron(weights, sum(weights) // 2), most=50)
    enough = min(weights)
    assert len(logic.prime_implicants(neuron(weights, enough))) == 42


def test_neurons_are_compared_exactly() -> None:
    """Two neurons are the same if and only if all rows say so."""
    rng = random.Random(3)
    seen = set()
    for _ in range(4000):
        n = rng.randint(0, 4)
        one, other = ([rng.randint(-2, 2) for _ in range(n)] for _ in range(2))
        s, t = rng.randint(-3, 3), rng.randint(-3, 3)
        equal = table(one, s) == table(other, t)
        named = [[(f"x{i}", w) for i, w in enumerate(weights)] for weights in (one, other)]
        found = _points.same(_points.points(named[0], s), _points.points(named[1], t))
        assert found == equal, (one, s, other, t)
        seen.add(equal)
    assert seen == {True, False}
