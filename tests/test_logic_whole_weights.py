"""The smallest whole weights: the same decisions, nothing smaller, and honest bounds; points cards."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from limen import Layer, Network, logic
from limen.errors import InputError
from limen.logic import _knapsack, whole_weights


def net_of(weights, bias, domain="binary"):
    """Return one neuron."""
    return Network(Layer(np.array(weights).reshape(-1, 1), [bias]), domain=domain)


def brute(points, fires, most, largest=None):
    """Return the least sum of absolute weights that is right on all points, and how many weights have it."""
    n = len(points[0])
    reach = range(-most, most + 1)
    best, count = None, 0
    for weights in itertools.product(reach, repeat=n):
        size = sum(map(abs, weights))
        if (best is not None and size > best) or (largest and max(map(abs, weights)) > largest):
            continue
        sums = [sum(w * x for w, x in zip(weights, p, strict=True)) for p in points]
        firing = [s for s, f in zip(sums, fires, strict=True) if f]
        resting = [s for s, f in zip(sums, fires, strict=True) if not f]
        if not firing or not resting or min(firing) > max(resting):
            count = count + 1 if size == best else 1
            best = size
    return best, count


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-3, 3, allow_nan=False).map(lambda x: round(x, 2)), min_size=3, max_size=3),
    st.integers(-4, 4),
)
def test_no_smaller_weights_decide_alike(weights: list[float], half: int) -> None:
    """On every input of a float neuron: all smaller whole weights are tried, and none will do."""
    net = net_of(np.array(weights), half / 2)
    answer = logic.small_integers(net)
    rows = naive.rows(3)
    assert (answer.network(rows) == net(rows)).all()
    size, count = brute(rows, net(rows)[:, 0].tolist(), 3)
    assert answer.bounds == (size, size)
    assert answer.unique is (count == 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-2, 3), min_size=2, max_size=2), min_size=1, max_size=8),
    st.tuples(*[st.integers(-40, 40)] * 3),
)
def test_no_smaller_weights_decide_alike_on_rows(rows: list[list[int]], parts: tuple[int, int, int]) -> None:
    """On given rows of whole numbers: all smaller whole weights are tried, and none will do."""
    net = net_of(parts[:2], parts[2], "integer")
    answer = logic.small_integers(net, rows)
    assert answer.is_proved
    assert (answer.network(rows) == net(rows)).all()
    size, count = brute(rows, net(rows)[:, 0].tolist(), 7)
    if size is not None:
        assert answer.bounds == (size, size)
        assert answer.unique is (count == 1)


@pytest.mark.parametrize(("n", "most"), [(12, 100), (19, 30), (24, 60), (30, 10**6), (60, 40)])
def test_many_inputs(n: int, most: int) -> None:
    """Where all inputs can't be listed, the answer is still proved, and right wherever it is looked at."""
    rng = np.random.default_rng(n)
    weights = rng.integers(-most, most + 1, n)
    net = net_of(weights, -int(weights.sum() // 2))
    answer = logic.small_integers(net, time_limit=60)
    assert answer.is_least
    rows = rng.integers(0, 2, (5000, n))
    assert (answer.network(rows) == net(rows)).all()
    assert np.abs(answer.network.layers[0].weights).sum() <= np.abs(weights).sum()


def test_both_ways_through_a_knapsack_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table over sums and two sorted halves fill as much value as trying everything."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        n = int(rng.integers(1, 9))
        sizes, values = rng.integers(1, 30, n).tolist(), rng.integers(0, 30, n).tolist()
        capacity = int(rng.integers(0, sum(sizes) + 1))
        fits = [
            sum(v for v, bit in zip(values, row, strict=True) if bit)
            for row in naive.rows(n)
            if sum(s for s, bit in zip(sizes, row, strict=True) if bit) <= capacity
        ]
        for way in (_knapsack._by_sums, _knapsack._by_halves):
            bits = way(sizes, values, capacity)
            assert sum(s for s, bit in zip(sizes, bits, strict=True) if bit) <= capacity
            assert sum(v for v, bit in zip(values, bits, strict=True) if bit) == max(fits)
            huge = way(sizes, [v << 70 for v in values], capacity)
            assert sum(v << 70 for v, bit in zip(values, huge, strict=True) if bit) == max(fits) << 70


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.data())
def test_wrong_points_are_found(sizes: list[int], data: st.DataObject) -> None:
    """A neuron's points that other weights get wrong are found if there are any, and none is returned that isn't wrong."""
    sizes.sort(reverse=True)
    need = data.draw(st.integers(1, sum(sizes)))
    weights = sorted(
        data.draw(st.lists(st.integers(0, 9), min_size=len(sizes), max_size=len(sizes))), reverse=True
    )
    bar = data.draw(st.integers(-2, sum(weights) + 2))
    firing, resting = _knapsack.of_neuron(sizes, need)(weights, bar, 1)
    wrong = [
        row
        for row in naive.rows(len(sizes))
        if (sum(s * x for s, x in zip(sizes, row, strict=True)) >= need)
        != (sum(w * x for w, x in zip(weights, row, strict=True)) >= bar)
    ]
    assert bool(wrong) == bool(len(firing) or len(resting))
    for row in (*firing.tolist(), *resting.tolist()):
        assert row in wrong


# Budgets ------------------------------------------------------------------------------------------------------


def test_a_budget_that_can_be_kept_changes_nothing() -> None:
    """The least sum may have a weight that is too heavy while a larger sum hasn't."""
    net = net_of([5, 3, 3, 2, 2], -8)
    answer = logic.small_integers(net)
    heaviest = int(np.abs(answer.network.layers[0].weights).max())
    kept = logic.small_integers(net, max_weight=heaviest)
    assert kept.is_proved
    assert kept.changes is None
    assert kept.bounds == answer.bounds


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=3, max_size=3), st.integers(-9, 9), st.integers(1, 2))
def test_a_budget_changes_the_fewest_decisions(weights: list[int], bias: int, largest: int) -> None:
    """The number of changed decisions lies within the bounds, and trying everything finds none below them."""
    net = net_of(weights, bias)
    rows = naive.rows(3)
    fires = net(rows)[:, 0]
    answer = logic.small_integers(net, max_weight=largest)
    assert np.abs(answer.network.layers[0].weights).max() <= largest
    changed = int((answer.network(rows)[:, 0] != fires).sum())
    least = min(
        int(((np.array(rows) @ np.array(w) >= at) != fires).sum())
        for w in itertools.product(range(-largest, largest + 1), repeat=3)
        for at in range(-7, 8)
    )
    if answer.is_proved:
        assert changed == least == 0
    else:
        assert answer.is_refuted
        assert answer.changes == (least, least)
        assert changed == least


def test_a_budget_on_rows_counts_rows() -> None:
    """A row that appears often counts as often, and the count of changes is that of a call."""
    rng = np.random.default_rng(1)
    net = net_of(rng.integers(-50, 51, 8), 11)
    X = rng.integers(0, 2, (300, 8))
    answer = logic.small_integers(net, X, max_weight=2, time_limit=5)
    changed = int((answer.network(X) != net(X)).sum())
    lower, upper = answer.changes
    assert changed == upper
    assert 0 < lower <= upper


def test_bounds_without_cp_sat_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CP-SAT the lower bound comes from sets of rows that exclude each other."""
    from limen.logic import _least

    monkeypatch.setattr(_least, "has_cp_sat", lambda: False)
    net = net_of([7, 5, 4, 2, 1], -10)
    with_it, without = logic.small_integers(net, max_weight=2), None
    without = logic.small_integers(net, max_weight=2, time_limit=3)
    assert 1 <= without.changes[0] <= without.changes[1]
    assert with_it.changes[1] <= without.changes[1]


def test_a_short_time_gives_bounds() -> None:
    """Out of time, the neuron still decides alike, and nothing is called least."""
    rng = np.random.default_rng(3)
    net = net_of(rng.integers(-(10**6), 10**6, 34), 17)
    answer = logic.small_integers(net, time_limit=0.01)
    rows = rng.integers(0, 2, (500, 34))
    assert (answer.network(rows) == net(rows)).all()
    assert not answer.is_least


# What may be asked --------------------------------------------------------------------------------------------


def test_constants_need_no_weights() -> None:
    """A neuron that always fires, here or on the rows, has none."""
    assert logic.small_integers(net_of([1, 1], 5)).bounds == (0, 0)
    assert logic.small_integers(net_of([1, 1], -1), [[1, 1], [0, 1]]).bounds == (0, 0)
    assert logic.small_integers(net_of([1, 1], -1), [[0, 0]]).network([[0, 0]])[0, 0] == 0


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: logic.small_integers(net_of([1.5], 0.0, "real")), "Every possible input"),
        (lambda: logic.small_integers(net_of([1.5], 0.0, "real"), [[0.5]]), "whole numbers below"),
        (lambda: logic.small_integers(net_of([1], 0, "integer"), [[2**40]]), "whole numbers below"),
        (lambda: logic.small_integers(net_of([1], 0), np.zeros((0, 1))), "at least one row"),
        (lambda: logic.small_integers(net_of([1], 0), max_weight=0), "max_weight"),
        (lambda: logic.small_integers(net_of([1], 0), max_weight=True), "max_weight"),
        (lambda: logic.small_integers(net_of([1], 0), time_limit="soon"), "time_limit"),
        (lambda: logic.small_integers("net"), "limen.Network"),
        (lambda: logic.small_integers(logic.network(logic.parse("a ^ b"))), "one heaviside neuron"),
        (lambda: logic.small_integers(net_of([1, 1], 0), [[1]]), "2 columns"),
        (
            lambda: logic.small_integers(net_of(np.arange(1, 41) * 10**9, -(10**10)), max_weight=3),
            "Give rows: X in Python",
        ),
    ],
)
def test_what_cannot_be_asked_is_named(ask, said: str) -> None:
    """Each refusal says what was expected and what to do."""
    with pytest.raises(InputError, match=said):
        ask()


# Points cards -------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=5), st.integers(-8, 8))
def test_points_decide_as_the_neuron(weights: list[int], bias: int) -> None:
    """Adding up points and comparing with the card's threshold is the neuron, on every row."""
    net = net_of(weights, bias)
    card = logic.points_card(net)
    rows = np.array(naive.rows(len(weights)))
    assert ((card.points(rows) >= card.threshold) == (net(rows)[:, 0] == 1)).all()
    assert all(points > 0 for _, _, points in card.items)
    assert card.points(rows).max(initial=0) == card.most


def test_scores_count_rows_and_positives() -> None:
    """Each score's rows and positives are counted; together they are all rows."""
    card = logic.points_card(net_of([2, -1], -1))
    X = np.array([[0, 0], [1, 0], [1, 1], [1, 1]])
    scores = card.scores(X, [0, 1, 1, 0])
    assert [(s.points, s.n_rows, s.n_positive) for s in scores] == [(1, 1, 0), (2, 2, 1), (3, 1, 1)]
    assert scores[1].share == 0.5
    with pytest.raises(InputError, match="one for each row"):
        card.scores(X, [1])
    with pytest.raises(InputError, match="2 columns"):
        card.points([[1]])


def test_cards_print_as_people_read_them() -> None:
    """Most points first, "unless" for what takes away, one point in the singular."""
    net = Network(Layer([[1], [-2]], [0]), ["smoker", "age >= 35"], ["ill"], "binary")
    assert (
        str(logic.points_card(net))
        == "2 points unless age >= 35\n1 point  if smoker\nill at 2 points or more, of 3"
    )
    assert str(logic.points_card(net_of([0], -1))) == "y1 never"
    assert str(logic.points_card(net_of([1], -1))) == "1 point if x1\ny1 at 1 point, which is all of them"


def test_what_is_no_card_is_refused() -> None:
    """Several neurons, floats or other inputs can't be added up in points."""
    for net, said in (
        (logic.network(logic.parse("a ^ b")), "one heaviside neuron"),
        (net_of([0.5], 0.5), "float weights"),
        (net_of([1], 0, "integer"), "integer inputs"),
        (3, "int"),
    ):
        with pytest.raises(InputError, match=said):
            logic.points_card(net)


def test_the_count_of_changes_can_be_wrong() -> None:
    """The count that answers rest on tells right from wrong weights."""
    points, fires, counts = np.array([[0], [1]]), np.array([False, True]), np.array([1, 5])
    assert whole_weights._changed(points, fires, counts, [1], 1) == 0
    assert whole_weights._changed(points, fires, counts, [-1], 0) == 6


# Clocks and rounding --------------------------------------------------------------------------------------------


def test_calls_that_round_are_taken_as_calls() -> None:
    """A float neuron whose sums round to a tie is made whole as it decides when called, not as its fractions would."""
    net = net_of([-0.6, -0.3, 0.1, -0.2, 0.1], 0.3)
    rows = naive.rows(5)
    for answer in (logic.small_integers(net), logic.small_integers(net, rows), logic.one_neuron(net)):
        assert (answer.network(rows) == net(rows)).all()


def test_out_of_time_nothing_wrong_is_proved() -> None:
    """A float neuron that isn't right on the rows as fractions isn't handed back as if it were."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows = rng.integers(-3, 4, (8, 4))
        net = net_of(rng.integers(-9, 10, 4) / 10, float(rng.integers(-9, 10) / 10), "real")
        answer = logic.small_integers(net, rows, time_limit=1e-9)
        assert answer.is_unknown or (answer.network(rows) == net(rows)).all()


def test_a_program_solved_too_roughly_ends() -> None:
    """Numbers so large that the solver's answer breaks its own rows end the search for others, not the clock."""
    rows = [
        [61474, -78922, -38559, -72016], [-72487, -11556, -71031, -72973], [-56216, -80604, 39200, 58630],
        [-84757, -30654, 67751, 51061], [44395, -95149, 94345, -48884], [-30493, 50171, 24817, -38788],
        [-13341, -10340, -73411, 39177], [2314, 96239, 39335, -62551],
    ]  # fmt: skip
    net = net_of([-3, 1, 3, -4], -236431, "real")
    answer = logic.small_integers(net, rows, time_limit=2.0)
    assert (answer.network(rows) == net(rows)).all()


def test_numbers_too_large_for_cp_sat_are_no_error() -> None:
    """Where CP-SAT can't add up, less is proved, and that is all."""
    rng = np.random.default_rng(1)
    rows = rng.integers(-(2**30), 2**30, (12, 3))
    net = net_of([3, -2, 1], 7, "real")
    for budget in (2, 2**25, None):
        answer = logic.small_integers(net, rows, max_weight=budget, time_limit=2.0)
        changed = int((answer.network(rows) != net(rows)).sum())
        assert changed == (answer.changes[1] if answer.changes else 0)


def test_what_is_least_within_a_budget_is_said_to_be_so() -> None:
    """A larger sum under a budget isn't called the least without naming the budget."""
    rows = [
        [1, -1, 0, 3], [3, 3, -1, 1], [-3, 1, 2, 3], [1, 1, -2, -2], [-1, -2, -2, -1], [-2, 2, 0, 3], [-2, 2, -3, 2],
        [2, -3, 2, 1], [3, 1, 1, -1],
    ]  # fmt: skip
    net = net_of([-8, 9, -8, -9], 7, "integer")
    free, bound = logic.small_integers(net, rows), logic.small_integers(net, rows, max_weight=1)
    assert free.bounds[1] < bound.bounds[1]
    assert "whole weights of at most 1 do" in bound.says


def test_points_that_int64_could_not_add_up_are_added_up() -> None:
    """Sums beyond int64 are exact, so no point is taken for wrong that isn't."""
    from limen.logic._table_neuron import separation

    separate = separation(np.array([[2**31 - 1, 2**31 - 1]]), np.array([[0, 0]]))
    assert [len(points) for points in separate([2**60, 2**60], 0, 1)] == [0, 1]


@pytest.mark.parametrize("budget", [None, 2])
def test_time_limits_are_kept_for_many_inputs(budget: int | None) -> None:
    """Thousands of inputs end about when they should, with an answer or a refusal by name."""
    import time

    net = net_of(np.random.default_rng(0).integers(1, 8, 3000), -6000)
    started = time.monotonic()
    if budget is None:
        assert logic.small_integers(net, time_limit=1.0).is_proved
    else:
        with pytest.raises(InputError, match="can't be counted over every input"):
            logic.small_integers(net, max_weight=budget, time_limit=1.0)
    assert time.monotonic() - started < 8  # a second or two on a quiet machine
