"""Networks read back: the shortest exact reading of each neuron."""

from __future__ import annotations

import itertools
import pickle
import random

import numpy as np
import pytest

import naive
import nets
from limen import Layer, Network, logic
from limen.errors import InputError, NotExactError
from limen.logic import reading
from limen.logic._points import points
from limen.logic.two_level import length

LETTERS = "abcdefgh"


def neuron(weights, threshold, inputs=None):
    """Return one neuron on bits."""
    column = np.array(weights, dtype=np.int64).reshape(-1, 1)
    return Network(Layer(column, [-threshold]), inputs or list(LETTERS[: len(weights)]), ["y"], "binary")


def read(weights, threshold):
    """Return what one neuron says, without its name."""
    return logic.rules(neuron(weights, threshold))["y"].text


# The oracle: a reading as text, read with a few lines of its own ----------------------------------------------


def says(text, values):
    """Return 1 if a reading holds for {name: value}, else 0."""
    if text == "always fires":
        return 1
    if text == "never fires":
        return 0
    assert text.startswith("fires when ")
    tokens = (
        text.removeprefix("fires when ").replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split()
    )
    result, rest = either(tokens, values)
    assert rest == [], text
    return result


def either(tokens, values):
    """Read parts joined by *or*."""
    result, tokens = all_of(tokens, values)
    while tokens and tokens[0] == "or":
        more, tokens = all_of(tokens[1:], values)
        result = max(result, more)
    return result, tokens


def all_of(tokens, values):
    """Read parts joined by *and*."""
    result, tokens = one(tokens, values)
    while tokens and tokens[0] == "and":
        more, tokens = one(tokens[1:], values)
        result = min(result, more)
    return result, tokens


def one(tokens, values):
    """Read a literal, parentheses, a count or a sum."""
    if tokens[0] == "(":
        result, tokens = either(tokens[1:], values)
        assert tokens[0] == ")"
        return result, tokens[1:]
    if tokens[0] == "at":
        word, k = tokens[1], int(tokens[2])
        assert tokens[3] == "of"
        count, tokens = one(tokens[4:], values)
        while tokens and tokens[0] == ",":
            more, tokens = one(tokens[1:], values)
            count += more
        return int(count >= k if word == "least" else count <= k), tokens
    if tokens[0] == "not":
        return 1 - values[tokens[1]], tokens[2:]
    if any(sign in tokens for sign in "≥≤"):
        total, sign = 0, 1
        for place, token in enumerate(tokens):
            if token in ("≥", "≤"):
                bound = int(tokens[place + 1].replace("−", "-"))
                return int(total >= bound if token == "≥" else total <= bound), tokens[place + 2 :]
            if token in ("+", "−"):
                sign = 1 if token == "+" else -1
                continue
            if token[0] == "−":
                token, sign = token[1:], -sign
            factor, name = token.split("·") if "·" in token else (1, token)
            total, sign = total + sign * int(factor) * values[name], 1
    return values[tokens[0]], tokens[1:]


def check(weights, threshold):
    """Assert that the reading of a neuron is what the neuron does, as text and as a formula."""
    rule = logic.rules(neuron(weights, threshold))["y"]
    for row in naive.rows(len(weights)):
        values = dict(zip(LETTERS, row, strict=False))
        expected = naive.neuron(weights, -threshold, row)
        assert says(rule.text, values) == expected, (weights, threshold, rule.text)
        if rule.formula is not None:
            used = {name: values[name] for name in rule.formula.inputs}
            assert rule.formula(used) == expected, (weights, threshold, str(rule.formula))
    return rule


def test_every_small_neuron_is_read_back_exactly() -> None:
    """All neurons of up to three inputs and many of four say what they do on every row."""
    for n in range(4):
        for weights in itertools.product(range(-3, 4), repeat=n):
            for threshold in range(-4, 5):
                rule = check(weights, threshold)
                assert rule.formula is not None
    for weights in itertools.combinations_with_replacement((-4, -2, -1, 1, 2, 3), 4):
        for threshold in (-5, -2, 0, 1, 3, 5):
            check(weights, threshold)


def test_random_neurons_of_more_inputs_are_read_back_exactly() -> None:
    """The same for random neurons of up to eight inputs."""
    rng = random.Random(2)
    for _ in range(150):
        n = rng.randint(5, 8)
        weights = [rng.choice((-1, 1)) * rng.choice((1, 1, 1, 2, 3, 9)) for _ in range(n)]
        check(weights, rng.randint(-3, sum(map(abs, weights)) // 2))


def test_no_reading_is_longer_than_the_prime_implicants() -> None:
    """A reading that is a formula is at most as long as the disjunction of all prime implicants."""
    for weights in itertools.product(range(-2, 4), repeat=3):
        for threshold in range(-3, 5):
            net = neuron(weights, threshold)
            rule = logic.rules(net)["y"]
            if "≥" not in rule.text and "≤" not in rule.text:
                assert length(rule.formula) <= length(logic.minimal_formula(net))


@pytest.mark.parametrize(
    ("weights", "threshold", "text"),
    [
        ([1, 1], 0, "always fires"),
        ([1, -1], 2, "never fires"),
        ([], 0, "always fires"),
        ([5, 1, -1], 3, "fires when a"),
        ([-1], 0, "fires when not a"),
        ([1, -1], 1, "fires when a and not b"),
        ([2, 3, 4], 2, "fires when a or b or c"),
        ([1, 1, 1, 1], 2, "fires when at least 2 of a, b, c, d"),
        ([5, 4, 3, 4], 7, "fires when at least 2 of a, b, c, d"),
        ([-1, -1, -1, -1], -2, "fires when at most 2 of a, b, c, d"),
        ([2, 1, 1], 3, "fires when a and (b or c)"),
        ([2, 1, 1], 2, "fires when a or b and c"),
        ([3, 1, 1, 1], 3, "fires when a or b and c and d"),
        ([3, 1, 1, 1], 5, "fires when a and (at least 2 of b, c, d)"),
        ([2, 2, 1, 1], 3, "fires when 2·a + 2·b + c + d ≥ 3"),
        ([-2, 2, 1, -1], 1, "fires when 2·b + c − 2·a − d ≥ 1"),
        ([-2, -2, -1, -1], -2, "fires when 2·a + 2·b + c + d ≤ 2"),
    ],
)
def test_readings(weights: list[int], threshold: int, text: str) -> None:
    """A neuron gets the shortest of the forms."""
    assert read(weights, threshold) == text


def test_sixty_inputs_are_read() -> None:
    """Counts and nested readings are found and proved for many inputs."""
    names = [f"x{k}" for k in range(60)]
    net = Network(Layer([[7]] * 60, [-7 * 20 + 3]), names, ["y"], "binary")
    assert logic.rules(net)["y"].text == f"fires when at least 20 of {', '.join(names)}"
    heavy = Network(Layer([[100], *[[1]] * 59], [-130]), names, ["y"], "binary")
    assert logic.rules(heavy)["y"].text == f"fires when x0 and (at least 30 of {', '.join(names[1:])})"


# The verifier -------------------------------------------------------------------------------------------------


WRONG = [
    ("a and b or c", [2, 1, 1], 3),
    ("a or b or c", [1, 1, 1], 2),
    ("a and b", [1, 1, 1], 3),
    ("a and b and c and d", [1, 1, 1], 3),
    ("a and not b", [1, 1], 2),
    ("at_least(3, a, b, c)", [1, 1, 1], 2),
    ("at_least(1, a, b, c)", [1, 1, 1], 2),
    ("at_least(2, a, b, not c)", [1, 1, 1], 2),
    ("at_least(2, a, b)", [1, 1, 1], 2),
    ("at_most(1, a, b, c)", [1, 1, 1], 2),
    ("at_least(0, a, b, c)", [1, 1, 1], 2),
    ("at_least(3, a, a, b, c)", [3, 1, 1], 3),
    ("a and b or a and c", [1, 1, 1], 2),
    ("a and b or a and c or a and b", [1, 1, 1], 2),
    ("a and b or a and c or b and c or a and b and c", [1, 1, 1], 2),
    ("a and b or a and c or b", [1, 1, 1], 2),
    ("a or (b or c) and d", [2, 1, 1, 0], 2),
    ("a xor b", [1, 1], 1),
    ("a", [1, 1], 1),
    ("a", [1, 1], 2),
    ("not a", [1], 1),
    ("true", [1], 1),
    ("a and a", [1], 1),
]


@pytest.mark.parametrize(("text", "weights", "threshold"), WRONG)
def test_a_wrong_reading_is_rejected(text: str, weights: list[int], threshold: int) -> None:
    """A formula that isn't the neuron, or not of a known form, is refused by the verifier."""
    vote = points(zip(LETTERS, weights, strict=False), threshold)
    assert not reading.agrees(logic.parse(text), vote)


def test_the_verifier_agrees_with_all_rows() -> None:
    """Whatever it says yes to is equal on all rows, and it says yes to what is equal and in form."""
    rng = random.Random(4)
    yes = 0
    texts = sorted(
        {text for text, _, _ in WRONG} | {"a and (b or c)", "a or b and c", "at_least(4, a, a, b, c)"}
    )
    for text in texts:
        formula = logic.parse(text, inputs="a b c d")
        for weights in itertools.product((-1, 0, 1, 2), repeat=4):
            threshold = rng.choice((0, 1, 2, 2, 3, 3, 4))
            vote = points(zip(LETTERS, weights, strict=False), threshold)
            if reading.agrees(formula, vote):
                yes += 1
                for row in naive.rows(4):
                    assert formula(dict(zip("abcd", row, strict=True))) == naive.neuron(
                        weights, -threshold, row
                    )
    assert yes > 5
    for text, weights, threshold in [
        ("a and b or a and c or b and c", [1, 1, 1], 2),
        ("at_most(1, a, b, c)", [-1, -1, -1], -1),
        ("at_least(4, a, a, b, c, d)", [3, 2, 2, 1], 5),
        ("a or b and (c or d)", [4, 2, 1, 1], 3),
    ]:
        vote = points(zip(LETTERS, weights, strict=False), threshold)
        rows = naive.rows(len(weights))
        formula = logic.parse(text)
        equal = all(
            formula(dict(zip(LETTERS, row, strict=False))) == naive.neuron(weights, -threshold, row)
            for row in rows
        )
        assert reading.agrees(formula, vote) == equal


def test_no_wrong_reading_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in a form is caught before it is printed; so is one in the smaller weights."""
    monkeypatch.setattr(reading, "_count", lambda vote, place: logic.parse("a"))
    with pytest.raises(AssertionError, match="agree"):
        read([1, 1, 1], 2)
    monkeypatch.undo()
    monkeypatch.setattr(reading, "smallest", lambda weights, threshold: (weights, threshold + 1))
    assert read([1, 1, 1], 2) == "fires when at least 2 of a, b, c"


# Whole networks -----------------------------------------------------------------------------------------------


def test_a_network_is_read_neuron_by_neuron() -> None:
    """Hidden neurons have names, names that could be misread are quoted, and each line is one neuron."""
    net = Network(
        [Layer([[1, 1], [1, 1], [0, -1]], [-2, -1]), Layer([[1], [-1]], [-1])],
        ["age >= 35", "not", "b"],
        ["ok?"],
        "binary",
    )
    assert str(logic.rules(net)).splitlines() == [
        'h1.1 fires when "age >= 35" and "not"',
        'h1.2 fires when at least 2 of "age >= 35", "not", not b',
        '"ok?" fires when h1.1 and not h1.2',
    ]
    rules = logic.rules(net)
    assert len(rules) == 3
    assert [rule.name for rule in rules] == ["h1.1", "h1.2", "ok?"]
    assert rules["h1.1"].formula == logic.parse('"age >= 35" and "not"')
    assert logic.parse(str(rules["ok?"].formula)) == rules["ok?"].formula
    assert repr(rules) == "Rules(3 neurons)"
    assert pickle.loads(pickle.dumps(rules)) == rules
    with pytest.raises(InputError, match=r"h1\.1, h1\.2"):
        rules["h2.1"]


def test_formulas_of_the_rules_compute_the_network() -> None:
    """Put together, the readings of an exact binary network are the network, on all rows."""
    for name in nets.names(lambda net: net.domain == "binary" and net.is_exact):
        net = nets.ZOO[name]
        if any(layer.activation != "heaviside" for layer in net.layers) or net.n_inputs > 10:
            continue
        rules = logic.rules(net)
        for row in naive.rows(net.n_inputs):
            values = dict(zip(net.inputs, row, strict=True))
            position = 0
            for layer in net.layers:
                fired = {}
                for _ in range(layer.n_neurons):
                    rule = rules.rules[position]
                    position += 1
                    assert rule.formula is not None or "≥" in rule.text, name
                    if rule.formula is None:
                        break
                    fired[rule.name] = int(rule.formula({key: values[key] for key in rule.formula.inputs}))
                values = fired
                if len(fired) < layer.n_neurons:
                    break
            else:
                assert list(values.values()) == net([row])[0].tolist(), name


def test_every_network_of_steps_has_rules() -> None:
    """All networks of the zoo are read, a line for each neuron; smooth ones are refused by name."""
    for net in nets.ZOO.values():
        steps = {"heaviside", "sign", "hardmax", "identity"}
        if {layer.activation for layer in net.layers} <= steps:
            rules = logic.rules(net)
            assert len(rules) == net.n_neurons
            n_together = sum(layer.activation == "hardmax" for layer in net.layers)
            assert len(str(rules).splitlines()) == net.n_neurons + n_together
        else:
            with pytest.raises(NotExactError, match="layer"):
                logic.rules(net)


def test_hardmax_sign_and_identity() -> None:
    """A hardmax layer is scores of which the largest wins; sign and identity are sums."""
    votes = Network(Layer([[1, -2], [0.5, 0]], [0, 1.5], "hardmax"), ["a", "b"], ["p", "q"], "binary")
    assert str(logic.rules(votes)).splitlines() == [
        "p: 2·a + b",
        "q: −4·a + 3",
        "the largest of p, q fires, the first of equals",
    ]
    signs = Network(
        [Layer([[1], [-1]], [2], "sign"), Layer([[2]], [-1], "identity")], ["a", "b"], ["z"], "binary"
    )
    assert str(logic.rules(signs)).splitlines() == ["h1.1 = sign(a − b + 2)", "z = 2·h1.1 − 1"]
    behind = Network([Layer([[1], [-1]], [0], "sign"), Layer([[2]], [1])], domain="binary")
    assert str(logic.rules(behind)).splitlines()[1] == "y1 fires when 2·h1.1 ≥ −1"


def test_numbers_instead_of_bits_are_read_as_sums() -> None:
    """A first layer on integers or reals is its inequality, with the numbers in full."""
    reals = Network(
        [Layer([[0.1, 0], [-1.25, 0]], [-1 / 3, 0]), Layer([[1], [1]], [-2])], ["width", "height"]
    )
    assert str(logic.rules(reals)).splitlines() == [
        "h1.1 fires when 0.1·width − 1.25·height ≥ 0.3333333333333333",
        "h1.2 always fires",
        "y1 fires when h1.1 and h1.2",
    ]
    whole = Network(Layer([[3], [-2]], [5]), ["m", "n"], domain="integer")
    assert str(logic.rules(whole)) == "y1 fires when 3·m − 2·n ≥ −5"
    halves = Network(Layer([[1.5], [-1]], [0.25]), ["m", "n"], domain="integer")
    assert str(logic.rules(halves)) == "y1 fires when 3·m − 2·n ≥ 0"


def test_floats_become_integers_where_they_can() -> None:
    """A neuron whose floats int64 carries is read in integers; one that is too fine is read in its floats."""
    fine = Network(
        Layer([[0.5, 2.0**-70], [0.25, 3.0], [0.25, 1.0]], [-0.6, -1.0]), list("abc"), domain="binary"
    )
    assert str(logic.rules(fine)).splitlines() == [
        "y1 fires when a and (b or c)",
        "y2 fires when 8.470329472543003e−22·a + 3·b + c ≥ 1",
    ]


def test_many_points_have_no_formula() -> None:
    """A sum of many points is text only; one of few points is also an at_least with repeated parts."""
    few = logic.rules(neuron([3, 2, 2, 1, 1], 5))["y"]
    assert few.text == "fires when 3·a + 2·b + 2·c + d + e ≥ 5"
    assert few.formula == logic.parse("at_least(5, a, a, a, b, b, c, c, d, e)")
    compared = [sign << k for k in reversed(range(8)) for sign in (1, -1)]
    many = logic.rules(neuron(compared, 1, list("abcdefghijklmnop")))["y"]
    assert many.text.startswith("fires when 128·a − 128·b + ")
    assert many.formula is None


def test_only_networks_have_rules() -> None:
    """Something else is named."""
    with pytest.raises(InputError, match="Received: str"):
        logic.rules("a and b")  # type: ignore[arg-type]
