"""Encodings: cut points to the last bit, categories by value and kind, and one input for each name."""

from __future__ import annotations

import dataclasses
import math
import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import Encoding
from limen.encoding import Categories, Thresholds, label_text, plain_label
from limen.errors import InputError, NotExactError

DENORMAL = 5e-324
CUTS = [0.0, -0.0, 0.1, -3.7, 1e300, -1e300, DENORMAL, -DENORMAL, 2.0**53, 35, 0, -7, 2**53 + 1, -(2**53) - 1]


def inputs_of(rule, values) -> list[list[int]]:
    """Return the inputs that one rule makes of one column."""
    return Encoding([rule]).encode({rule.column: values}).tolist()


# Thresholds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", CUTS, ids=repr)
def test_a_cut_is_reached_at_itself_and_not_one_step_below(cut: float) -> None:
    """For floats the input is 1 at the cut and above, 0 at the next float below, by comparison of fractions."""
    nearest = float(cut)
    values = [nearest]
    for _ in range(2):
        values = [math.nextafter(values[0], -math.inf), *values, math.nextafter(values[-1], math.inf)]
    expected = [[int(Fraction(value) >= Fraction(cut))] for value in values]
    assert [0] in expected
    assert [1] in expected
    assert inputs_of(Thresholds("x", (cut,)), np.array(values)) == expected


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
@pytest.mark.parametrize("cut", [2**53 + 1, 2**62 + 1, 2**62 + 0.0, 34.5, 35, 0.0], ids=repr)
def test_integers_are_compared_exactly_beyond_2_to_53(kind: type, cut: float) -> None:
    """An int64 or uint64 column meets its cut at exactly the smallest integer that reaches it."""
    first = math.ceil(cut)
    values = [value for value in (first - 2, first - 1, first, first + 1) if value >= np.iinfo(kind).min]
    expected = [[int(value >= first)] for value in values]
    assert inputs_of(Thresholds("x", (cut,)), np.array(values, dtype=kind)) == expected


def test_cuts_beyond_the_integers_of_a_column_are_never_or_always_reached() -> None:
    """A cut outside int64 compares with int64 as a number would."""
    assert (
        inputs_of(Thresholds("x", (-1e30, 2**63, 1e30)), np.array([2**63 - 1, -(2**63)])) == [[1, 0, 0]] * 2
    )


def test_minus_zero_reaches_zero() -> None:
    """-0.0 and 0.0 are one number."""
    for cut in (0, 0.0, -0.0):
        assert inputs_of(Thresholds("x", (cut,)), [-0.0, 0.0, -DENORMAL]) == [[1], [1], [0]]


def test_a_missing_number_sets_only_its_own_input() -> None:
    """What is missing reaches no cut, and sets the input for missing values if there is one."""
    values = [None, 1.0, float("nan"), -1.0]
    assert inputs_of(Thresholds("x", (0,), missing=True), values) == [[0, 1], [1, 0], [0, 1], [0, 0]]
    assert inputs_of(Thresholds("x", (0,)), values) == [[0], [1], [0], [0]]


def test_booleans_are_numbers_to_a_threshold() -> None:
    """A column of booleans reaches a cut as 0 and 1 would."""
    assert inputs_of(Thresholds("x", (1,)), [True, False, None]) == [[1], [0], [0]]


def test_a_column_with_nothing_in_it_is_any_kind() -> None:
    """A column of missing values only is missing, not text."""
    assert inputs_of(Thresholds("x", (0,), missing=True), [None, None]) == [[0, 1], [0, 1]]
    assert inputs_of(Categories("x", (1, 2), missing=True), [None, None]) == [[0, 0, 1], [0, 0, 1]]


def test_text_where_numbers_are_expected_is_named() -> None:
    """The refusal names the column, the value and its row."""
    with pytest.raises(InputError, match=r"Column 'x' must hold numbers\. Received: text, 'old' in row 1"):
        inputs_of(Thresholds("x", (0,)), [None, "old"])


# Categories ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("categories", "values", "expected"),
    [
        (("a", "b"), ["b", "a", "c", None, ""], [[0, 1], [1, 0], [0, 0], [0, 0], [0, 0]]),
        ((1, 2**62 + 1), [2**62 + 1, 1, 2**62, None], [[0, 1], [1, 0], [0, 0], [0, 0]]),
        ((1, 2), [1.0, 2.0, 1.5, -0.0], [[1, 0], [0, 1], [0, 0], [0, 0]]),
        ((0, 0.5), [-0.0, 0.5], [[1, 0], [0, 1]]),
        ((True,), [True, False, None], [[1], [0], [0]]),
        ((False, True), [True, False, None], [[0, 1], [1, 0], [0, 0]]),
    ],
)
def test_a_value_sets_the_input_of_its_category(categories, values, expected) -> None:
    """Each value sets the input of the category it equals; unlisted and missing ones set none."""
    assert inputs_of(Categories("x", categories), values) == expected


def test_a_missing_category_sets_only_its_own_input() -> None:
    """The input for missing values is the last, or the only one, and then any kind will do."""
    assert inputs_of(Categories("x", (), missing=True), [3, None]) == [[0], [1]]
    assert inputs_of(Categories("x", ("a",), missing=True), ["a", None, "b"]) == [[1, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("categories", "values", "message"),
    [
        (("a",), [1], r"must hold text\. Received: numbers, 1 in row 0"),
        ((1,), [None, "a"], r"must hold numbers\. Received: text, 'a' in row 1"),
        ((True,), [1], r"must hold booleans\. Received: numbers, 1 in row 0"),
        ((1,), [True], r"must hold numbers\. Received: booleans, True in row 0"),
    ],
)
def test_values_of_another_kind_are_named(categories, values, message: str) -> None:
    """1 is no True and "1" is no 1: a column of another kind is refused."""
    with pytest.raises(InputError, match=message):
        inputs_of(Categories("x", categories), values)


@pytest.mark.parametrize(
    "make",
    [
        lambda values: pd.DataFrame({"x": pd.Series(values, dtype="category")}),
        lambda values: pl.DataFrame({"x": pl.Series(values, dtype=pl.Categorical)}),
        lambda values: pa.table({"x": pa.array(values).dictionary_encode()}),
    ],
    ids=["pandas", "polars", "Arrow"],
)
def test_tables_that_hold_codes_are_encoded_by_value(make) -> None:
    """A framework's own category codes don't matter, only the values."""
    encoding = Encoding([Categories("x", ("a", "b"), missing=True)])
    assert encoding.encode(make(["b", None, "a"])).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


# Encodings ----------------------------------------------------------------------------------------------------

MIXED = Encoding(
    [Thresholds("age", (35, 60.5), missing=True), Categories("job", ("a",)), Categories("s", (True,))]
)


def test_inputs_are_named_as_people_read_them() -> None:
    """Names say the column and what it is compared with, booleans in lower case."""
    assert MIXED.inputs == ("age >= 35", "age >= 60.5", "age is missing", "job = a", "s = true")
    assert MIXED.n_inputs == 5
    assert MIXED.columns == ("age", "job", "s")
    assert MIXED.text_columns == ("job",)


def test_columns_may_come_in_another_order_with_others() -> None:
    """Columns are found by name, and those without a rule are ignored, whatever they hold."""
    table = {"s": [True, False], "day": [object()] * 2, "job": ["a", None], "age": [61, None]}
    expected = [[1, 1, 0, 1, 1], [0, 0, 1, 0, 0]]
    assert MIXED.encode(table).tolist() == expected
    assert MIXED.encode(table).dtype == np.uint8
    assert MIXED.encode([[61, "a", True], [None, None, False]]).tolist() == expected


def test_a_table_without_rows_makes_none() -> None:
    """No rows in, no rows out, the inputs still counted."""
    assert MIXED.encode({"s": [], "job": [], "age": []}).shape == (0, 5)


def test_a_missing_column_is_named() -> None:
    """A table without a used column is refused with the column's name."""
    with pytest.raises(InputError, match="Missing: job"):
        MIXED.encode({"age": [1], "s": [True]})
    with pytest.raises(InputError, match=r"must have 3 columns \(age, job, s\)\. Received: 2"):
        MIXED.encode(np.zeros((1, 2)))


def test_a_column_that_makes_no_input_may_be_missing_or_anything() -> None:
    """A rule without inputs keeps a column's place in an array and asks nothing of a table."""
    encoding = Encoding([Thresholds("a", ()), Thresholds("b", (1,)), Categories("c", ())])
    assert (encoding.columns, encoding.used_columns) == (("a", "b", "c"), ("b",))
    assert encoding.encode({"b": [0, 1]}).tolist() == [[0], [1]]
    assert encoding.encode({"b": [0, 1], "a": ["x", "y"], "c": [1, 2]}).tolist() == [[0], [1]]
    assert encoding.encode([["x", 0, "y"], ["x", 1, 2.5]]).tolist() == [[0], [1]]
    assert encoding.unseen({"b": [0, None]}) == {"b": 1}


def test_unseen_counts_the_values_no_input_stands_for() -> None:
    """Unlisted categories count, missing values where they have no input, and false never."""
    table = {"age": [None, 1, 2], "job": ["z", None, "a"], "s": [True, False, None]}
    assert MIXED.unseen(table) == {"job": 2, "s": 1}
    assert MIXED.unseen({"age": [1], "job": ["a"], "s": [False]}) == {}
    assert Encoding([Categories("s", (False,))]).unseen({"s": [True, False]}) == {"s": 1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Encoding([]), "at least one column"),
        (lambda: Encoding([Thresholds("x", ())]), "at least one input"),
        (lambda: Encoding(["x"]), "A rule is a Thresholds or a Categories. Received: str"),
        (lambda: Encoding([Thresholds("x", (1,)), Categories("x", ("a",))]), "Received twice: 'x'"),
        (
            lambda: Encoding([Categories("a", ("b = c",)), Categories("a = b", ("c",))]),
            "Received twice: 'a = b = c'",
        ),
        (lambda: Thresholds(3, (1,)), "A column's name is text. Received: 3"),
        (lambda: Categories(None, ("a",)), "A column's name is text. Received: None"),
        (lambda: Thresholds("x", (2, 1)), "must increase"),
        (lambda: Thresholds("x", (1, 1.0)), "must increase"),
        (lambda: Thresholds("x", (float("nan"),)), "finite number. Received: nan"),
        (lambda: Thresholds("x", (math.inf,)), "finite number. Received: inf"),
        (lambda: Thresholds("x", (10**400,)), "within float64"),
        (lambda: Thresholds("x", ("1",)), "must be numbers"),
        (lambda: Thresholds("x", (True,)), "must be numbers"),
        (lambda: Categories("x", ("a", 1)), "of one kind"),
        (lambda: Categories("x", (True, 1)), "of one kind"),
        (lambda: Categories("x", ("a", "a")), "no two"),
        (lambda: Categories("x", (1, 1.0)), "no two"),
        (lambda: Categories("x", (None,)), "must be text, a boolean or a finite number. Received: None"),
        (lambda: Categories("x", (float("nan"),)), "finite number"),
    ],
)
def test_what_makes_no_encoding_is_refused(make, message: str) -> None:
    """Every rule and encoding that could not be encoded with is refused when it is made."""
    with pytest.raises(InputError, match=message):
        make()


def test_encodings_are_frozen_values() -> None:
    """They compare and hash by content, survive pickling, and can't be changed."""
    again = Encoding(list(MIXED.rules))
    assert (again, hash(again)) == (MIXED, hash(MIXED))
    assert pickle.loads(pickle.dumps(MIXED)) == MIXED
    assert Encoding([Thresholds("age", (36,))]) != MIXED
    with pytest.raises(dataclasses.FrozenInstanceError):
        MIXED.rules = ()  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        MIXED.rules[0].cuts = ()  # type: ignore[misc]


def test_equal_numbers_of_different_types_make_different_rules() -> None:
    """1, 1.0 and True are equal to Python but make inputs of other names or read other columns."""
    assert len({Categories("x", (value,)) for value in (1, 1.0, True)}) == 3
    assert len({Thresholds("x", (value,)) for value in (1, 1.0)}) == 2
    assert Thresholds("x", (1,)) != Categories("x", (1,))


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("a", "a"),
        (np.str_("a"), "a"),
        (np.int8(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (0, 0),
    ],
)
def test_labels_become_plain_python_data(value, plain) -> None:
    """A label keeps its kind and loses its framework."""
    assert plain_label(value) == plain
    assert type(plain_label(value)) is type(plain)


@pytest.mark.parametrize("value", [None, math.inf, math.nan, b"a", [1], 1j, np.datetime64("2020")], ids=repr)
def test_what_is_no_label_is_refused(value) -> None:
    """Only text, booleans and finite numbers are labels."""
    with pytest.raises(InputError, match="A label must be"):
        plain_label(value)


def test_labels_read_as_they_are() -> None:
    """Only booleans are written otherwise than Python writes them."""
    assert [label_text(x) for x in ("True", True, 1, 0.5)] == ["True", "true", "1", "0.5"]


# The encoding as neurons --------------------------------------------------------------------------------------


def interesting(cuts) -> np.ndarray:
    """Return floats at, beside and far from cut points, with zeros and denormals."""
    near = [np.nextafter(float(cut), side) for cut in cuts for side in (-np.inf, np.inf)]
    return np.array([*map(float, cuts), *near, 0.0, -0.0, DENORMAL, -DENORMAL, 1.5, -1e18, 1e18, 2.0**53])


@pytest.mark.parametrize(
    "cuts",
    [
        (35,),
        (-1, 0, 7),
        (0.1, 0.2, 1e-300),
        (-DENORMAL, DENORMAL),
        (0.0,),
        (2**53, 2**60),
        (-(2**62), 0.5, 2**62),
    ],
    ids=repr,
)
def test_the_network_equals_the_encoding_on_floats(cuts) -> None:
    """One neuron for each cut fires exactly where the encoding sets its input, to the last bit."""
    encoding = Encoding([Thresholds("a", tuple(sorted(cuts))), Thresholds("b", (1,))])
    values = interesting(cuts)
    X = np.stack([values, np.roll(values, 3)], axis=1)
    net = encoding.network()
    assert (net.inputs, net.outputs, net.domain) == (("a", "b"), encoding.inputs, "real")
    np.testing.assert_array_equal(net(X), encoding.encode(X))


@given(
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20),
)
def test_the_network_equals_the_encoding_on_any_floats(cuts, values) -> None:
    """The same for cut points and values of any size."""
    encoding = Encoding([Thresholds("a", tuple(sorted({cut + 0.0 for cut in cuts})))])
    X = np.array(values + cuts)[:, np.newaxis]
    np.testing.assert_array_equal(encoding.network()(X), encoding.encode(X))


def test_the_network_is_exact_on_integers_beyond_2_to_53() -> None:
    """Whole cut points make integer neurons, which tell 2**60 from its neighbours."""
    encoding = Encoding([Thresholds("a", (-(2**54), 2**60))])
    values = [cut + step for cut in (-(2**54), 2**60) for step in (-1, 0, 1)]
    X = np.array(values)[:, np.newaxis]
    assert encoding.encode(X).tolist() == [[0, 0], [1, 0], [1, 0], [1, 0], [1, 1], [1, 1]]
    np.testing.assert_array_equal(encoding.network()(X), encoding.encode(X))


def test_the_network_keeps_a_place_for_a_column_without_inputs() -> None:
    """A constant column of numbers is an input with no weight, so that raw rows keep their width."""
    encoding = Encoding([Thresholds("a", ()), Thresholds("b", (1,))])
    assert encoding.network()([[9, 0], [9, 1]]).tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("rules", "error", "message"),
    [
        ([Thresholds("a", (1,), missing=True)], InputError, "Column 'a' has an input for missing values"),
        ([Thresholds("a", (1,)), Categories("b", ("x",))], InputError, "Column 'b' holds categories"),
        ([Thresholds("a", (1,)), Categories("b", ())], InputError, "Column 'b' holds categories"),
        ([Thresholds("a", (2**53 + 1,))], NotExactError, f"Received: {2**53 + 1}"),
    ],
)
def test_what_neurons_cannot_read_is_named(rules, error, message: str) -> None:
    """A network of the encoding is refused where it could differ from it."""
    with pytest.raises(error, match=message):
        Encoding(rules).network()


def test_the_network_refuses_what_overflows() -> None:
    """A number whose distance to a cut point isn't finite is refused, not encoded wrongly."""
    with pytest.raises(InputError, match="overflows"):
        Encoding([Thresholds("a", (-1.7e308,))]).network()([[1.7e308]])
