"""One neuron or not: every answer checked, everything small tried, and a slow linear program as judge."""

import itertools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import naive
from limen import Layer, Network, logic
from limen.errors import InputError, NotExactError
from limen.logic import _least, _orderly, _table_neuron
from limen.logic.structure import neuron_of

# Judges -------------------------------------------------------------------------------------------------------


def separable(values):
    """Tell whether weights exist, by a linear program with a row for every row of the table."""
    n = len(values).bit_length() - 1
    rows = [
        [*(x if value == 0 else -x for x in row), -1 if value == 0 else 1]
        for row, value in zip(naive.rows(n), values, strict=True)
        if value in (0, 1)
    ]
    right = [-1 if value == 0 else 0 for value in values if value in (0, 1)]
    if not rows:
        return True
    found = linprog(np.zeros(n + 1), A_ub=rows, b_ub=right, bounds=[(None, None)] * (n + 1))
    return found.status == 0


def checked(answer, values):
    """Return the verdict of an answer after checking what it shows."""
    n = len(values).bit_length() - 1
    rows = naive.rows(n)
    if answer.is_proved:
        assert answer.certificate is None
        layer = answer.network.layers[0]
        weights, bias = layer.weights[:, 0].tolist(), layer.bias[0].item()
        for row, value in zip(rows, values, strict=True):
            assert value not in (0, 1) or naive.neuron(weights, bias, row) == value
        assert answer.bounds[1] == sum(map(abs, weights))
        assert answer.bounds[0] <= answer.bounds[1]
        return True
    assert answer.is_refuted
    proof = answer.certificate
    totals = [0] * n
    for side, indices, counts, kind in (
        (proof.firing, proof.firing_indices, proof.firing_counts, 1),
        (proof.resting, proof.resting_indices, proof.resting_counts, 0),
    ):
        for row, index, count in zip(side.tolist(), indices, counts, strict=True):
            assert count > 0
            assert rows[index] == row
            assert values[index] == kind
            for k, x in enumerate(row):
                totals[k] += (count if kind else -count) * x
    assert totals == [0] * n
    assert sum(proof.firing_counts) == sum(proof.resting_counts) > 0
    assert proof.check()
    assert answer.network is None
    return False


def table_of(weights, at):
    """Return the truth table of a neuron."""
    return [
        int(sum(w * x for w, x in zip(weights, row, strict=True)) >= at) for row in naive.rows(len(weights))
    ]


# Everything small ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "count"), [(0, 2), (1, 4), (2, 14), (3, 104)])
def test_all_functions_of_few_inputs(n: int, count: int) -> None:
    """Of all functions, as many are one neuron as the literature says, and each answer shows it."""
    found = [checked(logic.one_neuron(values), values) for values in itertools.product((0, 1), repeat=2**n)]
    assert sum(found) == count


def test_all_functions_of_four_inputs() -> None:
    """1,882 of 65,536 are one neuron, their least weights unique and at most 3; the others show it on four rows."""
    count = heaviest = 0
    for number in range(1 << 16):
        values = [number >> k & 1 for k in range(16)]
        answer = logic.one_neuron(values)
        if answer.is_proved:
            assert answer.is_least
            assert answer.unique is True
            count += 1
            heaviest = max(heaviest, int(np.abs(answer.network.layers[0].weights).max()))
            layer = answer.network.layers[0]
            sums = _table_neuron.sums_of(layer.weights[:, 0].tolist())
            assert ((sums >= -layer.bias[0]).astype(int) == values).all()
        else:
            proof = answer.certificate
            assert proof.check()
            assert sum(proof.firing_counts) == 2
            fires = [values[index] for index in (*proof.firing_indices, *proof.resting_indices)]
            assert sorted(fires, reverse=True) == fires
    assert (count, heaviest) == (1882, 3)


def orderly_tables(n):
    """Yield every function that never loses by turning an input on or exchanging it for an earlier one."""
    rows = naive.rows(n)
    place = {tuple(row): k for k, row in enumerate(rows)}
    weaker = []
    for row in rows:
        below = []
        for k in range(n):
            if row[k] and k == n - 1:
                below.append(place[(*row[:k], 0)])
            elif row[k] and not row[k + 1]:
                below.append(place[(*row[:k], 0, 1, *row[k + 2 :])])
        weaker.append(below)
    order = sorted(range(len(rows)), key=lambda k: sum((n - i) * x for i, x in enumerate(rows[k])))

    def extend(values, position):
        if position == len(order):
            yield list(values)
            return
        k = order[position]
        if not any(values[j] for j in weaker[k]):
            values[k] = 0
            yield from extend(values, position + 1)
        values[k] = 1
        yield from extend(values, position + 1)

    yield from extend([0] * len(rows), 0)


def members_of_class(values, n):
    """Return how many functions there are that differ by order and negation of the inputs only."""
    table = np.array(values).reshape((2,) * n)
    matters = [k for k in range(n) if (np.diff(table, axis=k) != 0).any()]
    groups, free = [1], n - len(matters)
    for i, j in itertools.pairwise(matters):
        if (np.swapaxes(table, i, j) == table).all():
            groups[-1] += 1
        else:
            groups.append(1)
    same = math.prod(math.factorial(g) for g in (groups if matters else [0]))
    return math.factorial(n) // same // math.factorial(free) * 2 ** len(matters)


@pytest.mark.parametrize(
    ("n", "positive_heaviest", "count"), [(3, 2, 104), (4, 3, 1882), (5, 5, 94572), (6, 9, 15028134)]
)
def test_functions_are_counted_through_classes(n: int, positive_heaviest: int, count: int) -> None:
    """Each orderly function stands for its class; the classes of one neuron add up to the known numbers."""
    total = heaviest = 0
    for values in orderly_tables(n):
        answer = logic.one_neuron(values)
        if checked(answer, values):
            assert answer.is_least
            assert answer.unique is True
            heaviest = max(heaviest, int(np.abs(answer.network.layers[0].weights).max()))
            total += members_of_class(values, n)
    assert (total, heaviest) == (count, positive_heaviest)


# Against the judge --------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.integers(3, 7).flatmap(lambda n: st.lists(st.integers(0, 1), min_size=2**n, max_size=2**n)))
def test_any_table(values: list[int]) -> None:
    """Whatever the table, the answer is the judge's."""
    assert checked(logic.one_neuron(values), values) == separable(values)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(-9, 9), min_size=3, max_size=8),
    st.integers(-20, 20),
    st.lists(st.integers(0, 255), max_size=2),
)
def test_neurons_and_their_neighbours(weights: list[int], at: int, flipped: list[int]) -> None:
    """A neuron is proved, with no larger weights than it has; with a row or two changed the judge decides."""
    values = table_of(weights, at)
    answer = logic.one_neuron(values)
    assert checked(answer, values)
    assert answer.bounds[1] <= sum(map(abs, weights))
    for row in flipped:
        values[row % len(values)] ^= 1
    assert checked(logic.one_neuron(values), values) == separable(values)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.sampled_from([0, 1, -1, -1]), min_size=2**n, max_size=2**n)
    )
)
def test_tables_with_rows_that_do_not_matter(values: list[int]) -> None:
    """Don't-care rows may come out either way, the others not."""
    answer = logic.one_neuron([None if value < 0 else value for value in values])
    assert checked(answer, values) == separable(values)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, -1]), min_size=4, max_size=4), st.data())
def test_least_weights_with_rows_that_do_not_matter_are_least(values: list[int], data: st.DataObject) -> None:
    """No smaller whole weights fit an incomplete table, and others as small only where it is said: all are tried."""
    answer = logic.one_neuron(values)
    right = {
        (w1, w2)
        for w1, w2, at in itertools.product(range(-2, 3), range(-2, 3), range(-4, 6))
        if all(v < 0 or v == t for v, t in zip(values, table_of([w1, w2], at), strict=True))
    }
    assert answer.is_proved == bool(right)
    if right:
        size = min(abs(w1) + abs(w2) for w1, w2 in right)
        assert answer.bounds == (size, size)
        assert answer.unique is (sum(abs(w1) + abs(w2) == size for w1, w2 in right) == 1)


SIX_VOTERS = [int(sum(row) >= 3 and (row[0] or row[1])) for row in naive.rows(6)]


def test_orderly_and_yet_not_one_neuron() -> None:
    """Six voters pass the unate and the 2-monotone tests; four rows still refute."""
    assert isinstance(_orderly.edge(_orderly.bit_set(np.array(SIX_VOTERS)), 6), _orderly.Edge)
    answer = logic.one_neuron(SIX_VOTERS, inputs="y1 y2 b1 b2 b3 b4")
    assert not checked(answer, SIX_VOTERS)
    assert len(answer.certificate.firing) == len(answer.certificate.resting) == 2
    assert answer.certificate.firing.sum(axis=0).tolist() == [1] * 6


def test_refusals_from_multipliers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where four rows aren't looked for, the linear program's multipliers become rows with equal sums."""
    monkeypatch.setattr(_table_neuron, "FOUR_ROWS", 0)
    assert not checked(logic.one_neuron(SIX_VOTERS), SIX_VOTERS)
    rng = np.random.default_rng(3)
    refuted = 0
    for _ in range(300):
        n = int(rng.integers(6, 10))
        a, b = rng.integers(1, 12, n), rng.integers(1, 12, n)
        a, b = np.sort(a)[::-1], np.sort(b)[::-1]
        values = [
            int(x and y)
            for x, y in zip(
                table_of(a.tolist(), int(a.sum()) // 2), table_of(b.tolist(), int(b.sum()) // 2), strict=True
            )
        ]
        refuted += not checked(logic.one_neuron(values), values)
    assert refuted > 30


def test_four_rows_are_enough_up_to_eight_inputs() -> None:
    """Orderly functions of eight inputs that aren't one neuron show it on two and two rows."""
    rng = np.random.default_rng(4)
    refuted = 0
    for _ in range(150):
        a, b = (np.sort(rng.integers(1, 12, 8))[::-1] for _ in range(2))
        values = np.array(table_of(a.tolist(), int(a.sum()) // 2)) | table_of(b.tolist(), int(b.sum()) // 2)
        answer = logic.one_neuron(values)
        if not checked(answer, values.tolist()):
            refuted += 1
            assert sum(answer.certificate.firing_counts) == 2
    assert refuted > 20


@pytest.mark.parametrize("n", [12, 16, 20])
def test_large_tables(n: int) -> None:
    """Heavy neurons are recognised, a changed row is refuted, and what is shown is right on every row."""
    rng = np.random.default_rng(n)
    weights = (rng.integers(1, 60, n) * rng.choice([-1, 1], n)).tolist()
    sums = _table_neuron.sums_of(weights)
    values = (sums >= int(np.median(sums))).astype(np.int8)
    answer = logic.one_neuron(values, least=False)
    layer = answer.network.layers[0]
    assert ((_table_neuron.sums_of(layer.weights[:, 0].tolist()) >= -layer.bias[0]) == values).all()
    values[rng.integers(2**n)] ^= 1
    again = logic.one_neuron(values, least=False)
    assert again.is_proved or again.certificate.check()


def test_eight_inputs_where_fractions_are_smaller() -> None:
    """From eight inputs on least fractions need not be whole; then CP-SAT proves the least, and others may be as small."""
    rng = np.random.default_rng(11)
    seen = set()
    for _ in range(400):
        n = int(rng.integers(8, 11))
        weights = rng.integers(1, 30, n).tolist()
        values = table_of(weights, sum(weights) // 2)
        answer = logic.one_neuron(values)
        assert checked(answer, values)
        assert answer.is_least
        seen.add(answer.unique)
    assert True in seen


def test_without_cp_sat_bounds_stay_honest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only CP-SAT could close stays open, and is never claimed."""
    monkeypatch.setattr(_least, "has_cp_sat", lambda: False)
    rng = np.random.default_rng(11)
    for _ in range(60):
        weights = rng.integers(1, 30, 9).tolist()
        values = table_of(weights, sum(weights) // 2)
        answer = logic.one_neuron(values)
        assert checked(answer, values)
        assert answer.unique is None or answer.is_least


def test_time_limits_give_bounds() -> None:
    """However short the time, nothing wrong is claimed."""
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 2000, 14).tolist()
    values = table_of(weights, sum(weights) // 2)
    for limit in (1e-9, 0.01, 1):
        answer = logic.one_neuron(values, time_limit=limit)
        assert answer.is_unknown or checked(answer, values)


# The checks can fail ------------------------------------------------------------------------------------------


def test_wrong_weights_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that returned wrong weights would be found out by running them."""
    wrong = _least.Least([1, 1, 1], 3, 3, True)
    monkeypatch.setattr(_table_neuron, "least_weights", lambda *args, **kwargs: wrong)
    answer = logic.one_neuron(table_of([2, 1, 1], 3))
    assert answer.is_unknown
    assert "isn't right on all rows" in answer.says


def test_wrong_multiples_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that returned wrong multipliers would be found out by adding up."""
    ones, zeros = np.ones(6, dtype=np.int64), np.zeros(6, dtype=np.int64)
    wrong = _least.Least(None, 0, 0, None, [(ones, 1), (zeros, -1)])
    monkeypatch.setattr(_table_neuron, "least_weights", lambda *args, **kwargs: wrong)
    monkeypatch.setattr(_table_neuron, "FOUR_ROWS", 0)
    monkeypatch.setattr(_table_neuron, "_evened", lambda multiples, n: ({(1,) * 6: 1}, {(0,) * 6: 1}))
    assert logic.one_neuron(SIX_VOTERS).is_unknown


def test_certificates_know_their_function() -> None:
    """A certificate of one function doesn't check for another, and survives pickling."""
    a, b = logic.inputs("a b")
    proof = logic.one_neuron(a ^ b).certificate
    assert pickle.loads(pickle.dumps(proof)).check()
    other = logic.one_neuron(logic.iff(a, b)).certificate
    mixed = type(proof)(**{**vars(proof), "decide": other.decide})
    assert not mixed.check()


# What may be asked --------------------------------------------------------------------------------------------


def test_formulas_tables_and_networks_give_one_answer() -> None:
    """However a function is given, the answer is the same, with the names it came with."""
    formula = logic.parse("a and (b or not c)")
    table = logic.truth_table(formula)
    net = logic.network({"fires": formula})
    answers = [
        logic.one_neuron(f) for f in (formula, table, table.values[:, 0], table.values[:, 0].tolist(), net)
    ]
    layers = {answer.network.layers[0] for answer in answers}
    assert len(layers) == 1
    assert answers[0].network.inputs == ("a", "b", "c")
    assert answers[2].network.inputs == ("x1", "x2", "x3")
    assert answers[4].network.outputs == ("fires",)
    assert logic.one_neuron(formula, inputs="c b a d").network.layers[0].weights.ravel().tolist() == [
        -1,
        1,
        2,
        0,
    ]


def test_constants_have_no_weights() -> None:
    """What always or never fires is a neuron of weights 0."""
    for values, bias in (
        ([1], 0),
        ([0], -1),
        ([1] * 8, 0),
        ([0] * 4, -1),
        ([None, None], 0),
        ([0, None], -1),
    ):
        answer = logic.one_neuron(values)
        assert answer.bounds == (0, 0)
        assert answer.unique
        assert answer.network.layers[0].bias.tolist() == [bias]


@pytest.mark.parametrize(
    ("f", "said"),
    [
        ([0, 1, 1], "1, 2, 4, 8, … rows"),
        ([], "1, 2, 4, 8, … rows"),
        ([0, 2], "0 and 1, and None or -1"),
        ([0, float("nan")], "0 and 1, and None or -1"),
        ([[0, 1], [1, 0]], r"shape \(2\*\*n_inputs,\)"),
        (["a", "b"], "zeros and ones"),
        ("a & b", "logic.parse"),
        (7, "Expected a formula"),
        (Network(Layer([[1, 1]], [0, 0]), domain="binary"), "net.select"),
        (Network(Layer([[1]], [0])), "binary inputs"),
        (Network(Layer([[1]], [0], "identity"), domain="binary"), "heaviside or hardmax"),
        ([0] * (1 << 21), "at most 20 inputs"),
    ],
)
def test_what_cannot_be_asked_is_named(f, said: str) -> None:
    """Each refusal says what was expected."""
    with pytest.raises(InputError, match=said):
        logic.one_neuron(f)


def test_names_and_limits_are_checked() -> None:
    """Names that appear twice or don't fit, and limits that aren't seconds, are refused."""
    with pytest.raises(InputError, match="twice"):
        logic.one_neuron([0, 1, 1, 1], inputs="a a")
    with pytest.raises(InputError, match="2 names"):
        logic.one_neuron([0, 1, 1, 1], inputs="a b c")
    with pytest.raises(InputError, match="every input of the formula"):
        logic.one_neuron(logic.parse("a & b"), inputs="a")
    with pytest.raises(InputError, match="time_limit"):
        logic.one_neuron([0, 1], time_limit=0)
    two = logic.truth_table(logic.network({"s": logic.parse("a ^ b"), "c": logic.parse("a & b")}))
    with pytest.raises(InputError, match="one output"):
        logic.one_neuron(two)


# By structure -------------------------------------------------------------------------------------------------


def greater(m, form):
    """Return "a is greater than b" for two numbers of m bits, least significant first, in one of three forms."""
    a, b = (logic.inputs([f"{name}{k}" for k in range(m)]) for name in "ab")
    formula = a[0] & ~b[0]
    for x, y in zip(a[1:], b[1:], strict=True):
        if form == 0:
            formula = x & ~y | logic.iff(x, y) & formula
        elif form == 1:
            formula = x & ~y | (x | ~y) & formula
        else:
            formula = logic.majority(x, ~y, formula)
    return formula


@pytest.mark.parametrize("form", [0, 1, 2])
def test_comparators_are_recognised(form: int) -> None:
    """Two numbers of 32 bits are compared by one neuron with weights of 1, 2, 4, …, however it is written."""
    net = logic.one_neuron(greater(32, form)).network
    weights = dict(zip(net.inputs, net.layers[0].weights[:, 0].tolist(), strict=True))
    assert weights == {
        f"{name}{k}": sign << k if sign > 0 else -(1 << k)
        for name, sign in (("a", 1), ("b", -1))
        for k in range(32)
    }
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, y = (int(v) for v in rng.integers(0, 2**32, 2))
        y = x + int(rng.integers(-1, 2)) if rng.random() < 0.5 else y
        bits = {**{f"a{k}": x >> k & 1 for k in range(32)}, **{f"b{k}": y >> k & 1 for k in range(32)}}
        assert net([[bits[name] for name in net.inputs]])[0, 0] == ((x % 2**32) > (y % 2**32))


@pytest.mark.parametrize("m", [1, 3, 5])
def test_small_comparators_are_right_on_all_rows(m: int) -> None:
    """By structure and by table, the neuron is the same."""
    formula = greater(m, 0)
    found = neuron_of(formula)
    assert found is not None
    by_table = logic.one_neuron(formula)
    weights = by_table.network.layers[0].weights[:, 0].tolist()
    assert [found.weights[name] for name in formula.inputs] == weights
    assert by_table.is_least


@pytest.mark.parametrize("m", [62, 63, 64])
def test_weights_beyond_int64_are_refused(m: int) -> None:
    """Up to 62 bits the sums fit into int64; beyond, the heaviest input is named."""
    if m == 62:
        net = logic.one_neuron(greater(m, 0)).network
        ones = [[1 if name.startswith("a") else 0 for name in net.inputs]]
        assert net(ones)[0, 0] == 1
    else:
        with pytest.raises(NotExactError, match=f"a{m - 1}"):
            logic.one_neuron(greater(m, 0))


def test_counts_of_many_inputs() -> None:
    """At least 70 of 200 is one neuron of weights 1, which is least since every input matters."""
    xs = logic.inputs([f"x{k}" for k in range(200)])
    answer = logic.one_neuron(logic.at_least(70, *xs))
    assert answer.network.layers[0].weights.ravel().tolist() == [1] * 200
    assert answer.network.layers[0].bias.tolist() == [-70]
    assert answer.is_least
    assert answer.unique
    none = logic.one_neuron(logic.at_most(0, *xs[:30]))
    assert none.network([[0] * 30])[0, 0] == 1
    assert none.network([[0] * 29 + [1]])[0, 0] == 0


def test_nested_parts_are_put_together() -> None:
    """And, or and counts of parts that share no inputs, where one part is compound, are one neuron of 30 inputs."""
    xs = logic.inputs([f"x{k}" for k in range(30)])
    formula = logic.at_least(5, *xs[:12])
    for k, x in enumerate(xs[12:]):
        formula = (
            (formula & ~x, formula | x, logic.at_least(2, formula, x, xs[k % 12]))[k % 2]
            if k < 99
            else formula
        )
    net = logic.one_neuron(formula).network
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 2, (300, 30))
    expected = [formula(dict(zip(net.inputs, row, strict=True))) for row in rows.tolist()]
    assert net(rows)[:, 0].tolist() == expected


def test_what_structure_does_not_show_is_not_claimed() -> None:
    """A formula of many inputs that isn't recognised is refused by name, saying what to do."""
    xs = logic.inputs([f"x{k}" for k in range(25)])
    for formula in (
        xs[0] ^ logic.at_least(3, *xs[1:]),
        logic.at_least(2, *xs[:24]) & logic.at_least(2, *xs[5:]),
    ):
        with pytest.raises(InputError, match="at most 20 inputs"):
            logic.one_neuron(formula)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_structure_shows_is_so(data: st.DataObject) -> None:
    """Whatever formula of few inputs is recognised by structure, its neuron agrees on all rows."""
    names = [f"x{k}" for k in range(6)]

    def formula(depth):
        if depth == 0:
            return logic.inputs([data.draw(st.sampled_from(names))])[0]
        kind = data.draw(
            st.sampled_from(["not", "and", "or", "implies", "iff", "at_least", "majority", "leaf"])
        )
        if kind == "leaf":
            return formula(0)
        if kind == "not":
            return ~formula(depth - 1)
        parts = [formula(depth - 1) for _ in range(2 if kind in {"and", "or", "implies", "iff"} else 3)]
        if kind == "and":
            return parts[0] & parts[1]
        if kind == "or":
            return parts[0] | parts[1]
        if kind == "at_least":
            return logic.at_least(data.draw(st.integers(0, 4)), *parts)
        return {"implies": logic.implies, "iff": logic.iff, "majority": logic.majority}[kind](*parts)

    drawn = formula(data.draw(st.integers(0, 4)))
    found = neuron_of(drawn)
    if found is not None:
        for row in naive.rows(len(drawn.inputs)):
            values = dict(zip(drawn.inputs, row, strict=True))
            total = sum(w * values[name] for name, w in found.weights.items())
            assert (total >= found.threshold) == drawn(values)


def test_one_neuron_of_many_inputs_is_made_smaller() -> None:
    """A network that is one neuron comes back with its least weights, also where there is no table."""
    rng = np.random.default_rng(0)
    weights = rng.integers(-20, 21, 40)
    net = Network(Layer(weights[:, np.newaxis] * 6, [-6 * int(weights.sum() // 2) + 3]), domain="binary")
    answer = logic.one_neuron(net)
    assert answer.is_least
    assert answer.bounds[1] <= np.abs(weights).sum()
    rows = rng.integers(0, 2, (2000, 40))
    assert (answer.network(rows) == net(rows)).all()


def test_float_weights_are_taken_exactly() -> None:
    """A network with float weights is the neuron of the fractions that they are."""
    net = Network(Layer([[0.1], [0.2], [-0.3]], [0.0]), domain="binary")
    answer = logic.one_neuron(net)
    exact = [
        int(sum(Fraction(w) * x for w, x in zip((0.1, 0.2, -0.3), row, strict=True)) >= 0)
        for row in naive.rows(3)
    ]
    assert checked(answer, net(naive.rows(3))[:, 0].tolist())
    assert exact[7] == 1


def test_long_chains_are_read_quickly_or_refused_by_name() -> None:
    """25,000 inputs in a chain are one neuron of ones, or need a weight that is named without all its digits."""
    xs = logic.inputs([f"x{k}" for k in range(25_000)])
    both, mixed = xs[0], xs[0]
    for k, x in enumerate(xs[1:]):
        both = both & x
        mixed = mixed & x if k % 2 else mixed | x
    assert logic.one_neuron(both).bounds == (25_000, 25_000)
    with pytest.raises(NotExactError, match="doesn't fit into int64") as refusal:
        logic.one_neuron(mixed)
    assert len(str(refusal.value)) < 300


def test_names_may_look_like_anything() -> None:
    """Inputs called like what stands for a part of a formula are still themselves."""
    names = ["\x000", "\x001", "\x00\x000", *(f"b{k}" for k in range(20))]
    p = logic.inputs(names)
    formula = p[0] & ~p[1]
    for x in p[3:]:
        formula = formula & x
    formula = formula | p[2]
    net = logic.one_neuron(formula).network
    rows = np.random.default_rng(0).integers(0, 2, (500, 23)) | (np.arange(23) > 2)
    expected = [formula(dict(zip(net.inputs, row, strict=True))) for row in rows.tolist()]
    assert net(rows)[:, 0].tolist() == expected


def test_ragged_tables_and_masked_ones() -> None:
    """Rows of unequal lengths are named; a masked entry is one that doesn't matter; a limit may be a NumPy number."""
    with pytest.raises(InputError, match="unequal lengths"):
        logic.one_neuron([0, [1]])
    masked = np.ma.array([0, 1, 1, 0], mask=[0, 0, 0, 1])
    assert logic.one_neuron(masked, time_limit=np.float32(1)).is_proved
