"""The encoder: cut points that split and can be read, categories, missing values, and scikit-learn's contract."""

from __future__ import annotations

import datetime
import io
import math
import pickle
import warnings
from decimal import Decimal
from fractions import Fraction

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from limen import Layer, Network
from limen.encoding import Categories, Thresholds
from limen.errors import InputError
from limen.learn import ThresholdEncoder


def rules(table, **options):
    """Return the rules learned from a table."""
    return ThresholdEncoder(**options).fit(table).encoding_.rules


def cuts(values, **options) -> tuple:
    """Return the cut points learned from one column of numbers."""
    (rule,) = rules({"x": values}, **options)
    return rule.cuts


# scikit-learn's contract --------------------------------------------------------------------------------------


@parametrize_with_checks([ThresholdEncoder(), ThresholdEncoder(2, strategy="uniform")])
def test_scikit_learn_finds_its_contract_kept(estimator, check) -> None:
    """Every check scikit-learn has for a transformer passes."""
    if check.func.__name__ == "check_array_api_input":  # skips itself: the tag promises nothing
        assert not estimator.__sklearn_tags__().array_api_support
        return
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_global_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_global_set_output_transform_polars",
    ],
)
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
def test_scikit_learn_finds_names_and_output_as_it_wants_them(check: str) -> None:
    """The checks of names and of `set_output`, which scikit-learn runs on its own transformers, pass."""
    getattr(estimator_checks, check)("ThresholdEncoder", ThresholdEncoder())


@pytest.mark.parametrize("copy", [clone, lambda e: pickle.loads(pickle.dumps(e))], ids=["clone", "pickle"])
def test_a_copy_learns_the_same(copy) -> None:
    """Clones and pickles keep the parameters and learn the same encoding."""
    encoder = ThresholdEncoder(3, strategy="uniform", cuts={"a": [1]}, categorical=["b"], max_categories=2)
    table = {"a": [1, 2, 3], "b": [1, 1, 2], "c": [0.5, 1.5, 2.5]}
    assert copy(encoder).fit(table).encoding_ == encoder.fit(table).encoding_


def test_joblib_brings_back_what_was_learned() -> None:
    """A dumped encoder transforms as before."""
    table = {"a": [1, 2, None], "b": ["x", None, "y"]}
    encoder = ThresholdEncoder().fit(table)
    file = io.BytesIO()
    joblib.dump(encoder, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).transform(table), encoder.transform(table))


# Cut points ---------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.lists(st.integers(-50, 50), min_size=2, max_size=60),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=20),
    st.lists(st.floats(-1e308, 1e308), min_size=2, max_size=40),
    st.lists(
        st.sampled_from([0.0, -0.0, 0.1, 0.2, 5e-324, 1e300, -1e-300, 2.0**53 + 2]), min_size=2, max_size=20
    ),
)


@given(NUMBERS, st.integers(1, 9), st.sampled_from(["quantile", "uniform"]))
@example([2**53, 2**53 + 1, 2**53 + 2], 1, "quantile")
@example([-1.7e308, 0.0, 1.7e308], 1, "uniform")
def test_no_input_is_constant_on_the_training_rows(values, n: int, strategy: str) -> None:
    """Every cut splits the values, no two alike, and there are as many as wanted or possible."""
    distinct = sorted(set(values))
    assume(len(distinct) > 1)
    found = cuts(values, n_thresholds=n, strategy=strategy)
    below = [sum(Fraction(value) < Fraction(cut) for value in values) for cut in found]
    assert below == sorted(set(below))
    assert below[0] > 0
    assert below[-1] < len(values)
    if strategy == "quantile" or len(distinct) - 1 <= n:
        assert len(found) == min(n, len(distinct) - 1)
    if all(isinstance(value, int) for value in values):
        assert all(type(cut) is int for cut in found)


def test_quantiles_divide_the_rows_evenly() -> None:
    """Of 900 different values each of nine intervals holds a hundred."""
    values = np.random.default_rng(0).normal(size=900)
    found = cuts(values)
    assert len(found) == 8
    assert np.histogram(values, [-np.inf, *found, np.inf])[0].tolist() == [100] * 9


def test_quantiles_are_not_lost_on_a_value_that_fills_the_column() -> None:
    """Where one value swallows all quantiles, the free cut points divide the others."""
    values = [0] * 900 + list(range(1, 101))
    found = cuts(values, n_thresholds=4)
    assert found[0] == 1
    assert np.histogram(values, [0, *found, 101])[0].tolist() == [900, 25, 25, 25, 25]


def test_uniform_cuts_are_equally_far_apart() -> None:
    """On a dense column they stand where a ruler would put them."""
    assert cuts(list(range(101)), n_thresholds=3, strategy="uniform") == (25, 50, 75)
    assert cuts([0.0] * 500 + [0.5, 1.0], n_thresholds=1, strategy="uniform") == (0.5,)


def test_few_numbers_get_a_cut_at_each_but_the_smallest() -> None:
    """Whole numbers are levels, and the cuts name them."""
    for values in ([5, 1, 3, 3, 20], [5.0, 1.0, 3.0, None, 20.0], np.array([20, 5, 3, 1], dtype=np.uint8)):
        found = cuts(values)
        assert found == (3, 5, 20)
        assert {type(cut) for cut in found} == {int}


def test_integers_beyond_2_to_53_are_told_apart() -> None:
    """Neighbours that float64 would merge still get a cut between them."""
    assert cuts([2**60, 2**60 + 1]) == (2**60 + 1,)
    assert cuts(np.array([2**64 - 2, 2**64 - 1], dtype=np.uint64)) == (2**64 - 1,)


def exponent(number: float) -> int:
    """Return the power of ten of a number's last digit, as it is written."""
    return int(Decimal(repr(number)).normalize().as_tuple().exponent)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
@example(13.37, 13.46)
@example(-1e-9, 1e-9)
@example(0.1, 0.30000000000000004)
@example(1234.2, 1871.9)
@example(-13.46, -13.37)
@example(99.95, 100.05)
def test_a_cut_is_written_with_the_fewest_digits(low: float, high: float) -> None:
    """No number in the gap is a multiple of a larger power of ten than the cut."""
    low, high = sorted((low, high))
    assume(high - low > 1e-12 * max(abs(low), abs(high)) and not (low.is_integer() and high.is_integer()))
    (cut,) = cuts([low, high])
    assert low < cut <= high
    if cut != 0:
        larger = Fraction(10) ** (exponent(cut) + 1)
        assert Fraction(high) // larger * larger <= Fraction(low)
    else:
        assert low < 0


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(0.0)
@example(1.0)
def test_neighbouring_floats_are_told_apart(low: float) -> None:
    """Between a float and the next the cut is the next, to the last bit."""
    high = math.nextafter(low, math.inf)
    assume(math.isfinite(high))
    assert cuts([low, high]) == (high,)


def test_readable_cuts_of_a_real_column() -> None:
    """The cuts of a measured column have no more digits than the measurements."""
    data = load_breast_cancer()
    encoder = ThresholdEncoder().fit(pd.DataFrame(data.data, columns=data.feature_names))
    found = encoder.encoding_.rules[0].cuts
    assert len(found) == 8
    assert min(map(exponent, found)) >= min(map(exponent, data.data[:, 0].tolist()))
    assert encoder.get_feature_names_out()[0] == f"mean radius >= {found[0]}"


def test_given_cuts_are_taken_as_they_are() -> None:
    """By name or position, sorted, even where they split nothing; none leaves the column out."""
    table = {"a": [1, 2, 3], "b": [1.5, 2.5, None], "c": [1, 2, 3], "d": [1, 2, 3]}
    found = ThresholdEncoder(cuts={"a": [100, 2.0], 1: (2,), "c": ()}).fit(table)
    assert found.encoding_.rules[:3] == (
        Thresholds("a", (2, 100)),
        Thresholds("b", (2,), missing=True),
        Thresholds("c", ()),
    )
    assert found.constant_columns_ == ()
    assert found.encoding_.used_columns == ("a", "b", "d")


# Categories ---------------------------------------------------------------------------------------------------


def test_text_and_booleans_become_equalities() -> None:
    """Categories stand in order of value; booleans make one input."""
    assert rules({"t": ["b", "a", "B"], "s": [True, False, True]}) == (
        Categories("t", ("B", "a", "b")),
        Categories("s", (True,)),
    )


def test_numbers_become_categories_where_asked_or_marked() -> None:
    """By name, by position, or because the table says so; whole floats read as integers."""
    table = pd.DataFrame({"a": [3, 1, 3], "b": [2.0, None, 1.5], "c": [3, 1, 3], "d": [1, 2, 3]})
    table["c"] = table["c"].astype("category")
    found = rules(table, categorical=["a", 1])
    assert found == (
        Categories("a", (1, 3)),
        Categories("b", (1.5, 2), missing=True),
        Categories("c", (1, 3)),
        Thresholds("d", (2, 3)),
    )
    assert found[1].inputs == ("b = 1.5", "b = 2", "b is missing")


def test_too_many_categories_are_cut_to_the_most_frequent() -> None:
    """Of equally frequent ones the first by value stay, and how many were left out is told."""
    values = ["c", "b", "a", "d"] * 2 + ["z"] * 3 + ["once"]
    encoder = ThresholdEncoder(max_categories=3).fit({"t": values})
    assert encoder.encoding_.rules == (Categories("t", ("a", "b", "z")),)
    assert encoder.truncated_columns_ == {"t": 3}
    assert encoder.encoding_.unseen({"t": values}) == {"t": 5}
    everything = ThresholdEncoder(max_categories=None).fit({"t": values})
    assert everything.encoding_.n_inputs == 6
    assert everything.truncated_columns_ == {}


def test_identifiers_make_no_inputs() -> None:
    """A column whose values are all different is left out once there are too many to keep, and told."""
    table = {"id": [f"row {k}" for k in range(40)], "n": list(range(40))}
    encoder = ThresholdEncoder().fit(table)
    assert encoder.truncated_columns_ == {"id": 40}
    assert encoder.constant_columns_ == ()
    assert encoder.encoding_.used_columns == ("n",)


def test_unseen_categories_set_nothing_and_are_counted() -> None:
    """A category that training didn't have is all zeros."""
    encoder = ThresholdEncoder().fit({"job": ["cook", "farmer"]})
    assert encoder.transform({"job": ["judge", "cook"]}).tolist() == [[0, 0], [1, 0]]
    assert encoder.encoding_.unseen({"job": ["judge", "cook"]}) == {"job": 1}


# Missing values -----------------------------------------------------------------------------------------------


def test_missing_values_have_an_input_where_training_had_any() -> None:
    """Elsewhere a missing value sets nothing, like an unseen category, and is counted."""
    train = {
        "a": [1, 2, None],
        "b": [1, 2, 3],
        "t": ["x", None, "x"],
        "u": ["x", "y", "x"],
        "s": [None, True, True],
    }
    encoder = ThresholdEncoder().fit(train)
    assert encoder.get_feature_names_out().tolist() == [
        "a >= 2", "a is missing", "b >= 2", "b >= 3", "t = x", "t is missing", "u = x", "u = y", "s = true",
        "s is missing",
    ]  # fmt: skip
    nothing = {name: [None] for name in train}
    assert encoder.transform(nothing).tolist() == [[0, 1, 0, 0, 0, 1, 0, 0, 0, 1]]
    assert encoder.encoding_.unseen(nothing) == {"b": 1, "u": 1}


def test_missing_values_can_be_ignored() -> None:
    """Then no column has an input for them."""
    encoder = ThresholdEncoder(missing="ignore").fit({"a": [1, 2, None], "t": ["x", None, "y"]})
    assert encoder.get_feature_names_out().tolist() == ["a >= 2", "t = x", "t = y"]


def test_a_constant_column_with_missing_values_tells_only_that() -> None:
    """One number and gaps make one input; one category and gaps make two."""
    found = rules({"a": [7, None], "t": ["x", None], "s": [False, None]})
    assert found == (
        Thresholds("a", (), missing=True),
        Categories("t", ("x",), missing=True),
        Categories("s", (False,), missing=True),
    )


def test_constant_columns_make_no_input_and_are_listed() -> None:
    """One value only, or none at all."""
    table = {"a": [7, 7], "t": ["x", "x"], "s": [True, True], "none": [None, None], "n": [1, 2]}
    encoder = ThresholdEncoder().fit(table)
    assert encoder.constant_columns_ == ("a", "t", "s", "none")
    assert encoder.get_feature_names_out().tolist() == ["n >= 2"]
    assert encoder.transform({"n": [1, 2]}).tolist() == [[0], [1]]


# Tables -------------------------------------------------------------------------------------------------------

MIXED = {
    "age": [35, 20, 61, 44],
    "weight": [70.5, None, 62.25, 81.0],
    "job": ["cook", "farmer", None, "cook"],
    "smoker": [True, False, False, True],
}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=lambda make: make.__module__)
def test_any_table_teaches_the_same(make) -> None:
    """pandas, polars, Arrow and a mapping give the same encoding and the same inputs."""
    expected = ThresholdEncoder().fit(MIXED)
    encoder = ThresholdEncoder().fit(make(MIXED))
    assert encoder.encoding_ == expected.encoding_
    assert encoder.feature_names_in_.tolist() == list(MIXED)
    assert encoder.n_features_in_ == 4
    np.testing.assert_array_equal(encoder.transform(make(MIXED)), expected.transform(MIXED))
    np.testing.assert_array_equal(ThresholdEncoder().fit_transform(make(MIXED)), expected.transform(MIXED))


def test_a_plain_array_teaches_by_position() -> None:
    """Its columns are x0, x1, … and may be of several kinds."""
    rows = list(zip(*MIXED.values(), strict=True))
    for X in (rows, np.array(rows, dtype=object)):
        encoder = ThresholdEncoder().fit(X)
        assert not hasattr(encoder, "feature_names_in_")
        assert [type(rule) for rule in encoder.encoding_.rules] == [
            Thresholds,
            Thresholds,
            Categories,
            Categories,
        ]
        assert encoder.encoding_.columns == ("x0", "x1", "x2", "x3")
        np.testing.assert_array_equal(encoder.transform(X), ThresholdEncoder().fit_transform(MIXED))
        names = encoder.get_feature_names_out(list(MIXED)).tolist()
        assert names == ThresholdEncoder().fit(MIXED).get_feature_names_out().tolist()


def test_columns_in_another_order_and_further_ones_are_fine() -> None:
    """Columns are found by name; those the encoder doesn't know may hold anything."""
    encoder = ThresholdEncoder().fit(pd.DataFrame(MIXED))
    other = pd.DataFrame(dict(reversed(MIXED.items()))).assign(day=pd.Timestamp("2020-01-02"))
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(MIXED))


def test_a_missing_column_is_named() -> None:
    """A table without a column that makes inputs is refused by its name."""
    encoder = ThresholdEncoder().fit(MIXED)
    with pytest.raises(InputError, match="Missing: job, smoker"):
        encoder.transform({"age": [1], "weight": [1]})


def test_names_on_one_side_only_are_warned_of_and_go_by_position() -> None:
    """scikit-learn's own warnings say that columns were not found by name."""
    X = np.array([[1, 5], [2, 5], [3, 6]])
    table = pd.DataFrame(X, columns=["a", "b"])
    expected = ThresholdEncoder().fit_transform(X)
    with pytest.warns(
        UserWarning, match="X does not have valid feature names, but ThresholdEncoder was fitted"
    ):
        np.testing.assert_array_equal(ThresholdEncoder().fit(table).transform(X), expected)
    with pytest.warns(UserWarning, match="X has feature names, but ThresholdEncoder was fitted without"):
        np.testing.assert_array_equal(ThresholdEncoder().fit(X).transform(table), expected)
    named = table.set_axis(["x0", "x1"], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(ThresholdEncoder().fit(X).transform(named[["x1", "x0"]]), expected)


def test_output_can_be_a_table() -> None:
    """`set_output` gives a table with the inputs' names, on the rows' own index."""
    table = pd.DataFrame({"a": [1, 2]}, index=["r", "s"])
    pandas_out = ThresholdEncoder().set_output(transform="pandas").fit_transform(table)
    pd.testing.assert_frame_equal(
        pandas_out, pd.DataFrame({"a >= 2": [0, 1]}, index=["r", "s"], dtype=np.uint8)
    )
    polars_out = ThresholdEncoder().set_output(transform="polars").fit_transform(pl.DataFrame({"a": [1, 2]}))
    assert polars_out.to_dict(as_series=False) == {"a >= 2": [0, 1]}


def test_fitting_again_forgets_the_names() -> None:
    """An encoder fitted on a table and then on an array goes by position."""
    encoder = ThresholdEncoder().fit(MIXED).fit(np.array([[1], [2]]))
    assert not hasattr(encoder, "feature_names_in_")
    assert encoder.encoding_.inputs == ("x0 >= 2",)


def test_a_hundred_thousand_rows_take_seconds() -> None:
    """15 mixed columns are learned and encoded without a pass of Python over every cell's meaning."""
    rng = np.random.default_rng(0)
    n = 100_000
    table = {f"n{k}": rng.normal(size=n) for k in range(5)} | {
        f"i{k}": rng.integers(0, 99, n) for k in range(4)
    }
    words = np.array([f"word {k}" for k in range(20)], dtype=object)
    table |= {f"t{k}": words[rng.integers(0, 20, n)] for k in range(5)} | {"s": rng.random(n) < 0.5}
    frame = pd.DataFrame(table)
    start = datetime.datetime.now(tz=datetime.UTC)
    encoded = ThresholdEncoder().fit_transform(frame)
    took = (datetime.datetime.now(tz=datetime.UTC) - start).total_seconds()
    assert encoded.shape == (n, 9 * 8 + 5 * 20 + 1)
    assert took < 10  # it takes about 0.5 s; the bound only catches a loop gone wrong


# The encoder as neurons ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits, load_wine], ids=lambda load: load.__name__)
def test_the_network_reads_raw_numbers_as_the_encoder_does(load) -> None:
    """Its outputs are the inputs of a classifier, constant columns and all, and the two compose."""
    X = load().data
    encoder = ThresholdEncoder(4).fit(X)
    net = encoder.network_
    np.testing.assert_array_equal(net(X), encoder.transform(X))
    assert net.outputs == tuple(encoder.get_feature_names_out())
    weights = np.random.default_rng(0).integers(-9, 10, (net.n_outputs, 3))
    classifier = Network(Layer(weights, [1, 0, -1], "hardmax"), domain="binary")
    np.testing.assert_array_equal(net.then(classifier)(X), classifier(encoder.transform(X)))


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"a": [1, 2], "job": ["x", "y"]}, "'job' holds categories"),
        ({"a": [1, 2], "s": [True, False]}, "'s' holds categories"),
        ({"a": [1, 2, None]}, "'a' has an input for missing values"),
    ],
)
def test_what_neurons_cannot_read_has_no_network(table, reason: str) -> None:
    """Categories and missing values are named."""
    encoder = ThresholdEncoder().fit(table)
    with pytest.raises(InputError, match=reason):
        encoder.network_  # noqa: B018  (the property is what is tested)


@pytest.mark.parametrize("ask", ["network_", "transform", "get_feature_names_out"])
def test_an_encoder_that_is_not_fitted_says_so(ask: str) -> None:
    """Before `fit` nothing can be asked of it."""
    with pytest.raises(NotFittedError):
        getattr(ThresholdEncoder(), ask)(*[[[1]]] if ask == "transform" else [])


# What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_thresholds": 0}, "n_thresholds must be a whole number, at least 1. Received: 0"),
        ({"n_thresholds": 2.0}, "n_thresholds must be a whole number"),
        ({"n_thresholds": True}, "n_thresholds must be a whole number"),
        ({"max_categories": 0}, "max_categories must be a whole number"),
        ({"strategy": "kmeans"}, "strategy must be 'quantile' or 'uniform'. Received: 'kmeans'"),
        ({"missing": None}, "missing must be 'auto' or 'ignore'. Received: None"),
        ({"cuts": [1, 2]}, "cuts must map columns to cut points. Received: list"),
        ({"cuts": {"b": [1]}}, r"cuts must name columns.*\(a, t\).*Received: 'b'"),
        ({"cuts": {2: [1]}}, r"by position \(0 to 1\)\. Received: 2"),
        ({"cuts": {"t": [1]}}, "cuts are for columns of numbers. Received: column 't'"),
        ({"cuts": {"a": [float("nan")]}}, "finite number. Received: nan"),
        ({"cuts": {"a": ["x"]}}, "must be numbers"),
        ({"categorical": "all"}, "categorical must be 'auto' or a list of columns"),
        ({"categorical": ["b"]}, "categorical must name columns"),
        ({"categorical": [True]}, "categorical must name columns"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_at_fit(options, message: str) -> None:
    """Each is named with what it must be, and nothing is learned."""
    encoder = ThresholdEncoder(**options)
    with pytest.raises(InputError, match=message):
        encoder.fit({"a": [1, 2], "t": ["x", "y"]})
    assert not hasattr(encoder, "encoding_")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"a": [1, 1], "t": ["x", "x"]},
            "at least one column with two different values. Received: 2 samples of a, t",
        ),
        ({"a": [None, None]}, "at least one column with two different values"),
        ({"a": []}, "Received: 0 samples"),
        ({}, "0 feature"),
        ({"day": [datetime.date(2020, 1, 2)], "n": [1]}, "Column 'day' holds dates or times"),
        ({"a": [1, "x"]}, "Column 'a' must hold values of one kind"),
        ({"a": [1.0, float("inf")]}, "Column 'a' must hold finite numbers"),
        ({"a": [1], "b": [1, 2]}, "equally long"),
        (np.zeros(3), "Reshape your data"),
        (np.array([[1j]]), "Complex data not supported"),
        (sparse.csr_array([[1, 0]]), "sparse"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Received twice: a"),
        ("table.csv", "A table is"),
        (None, "A table is"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_tables_that_teach_nothing_are_refused(table, message: str) -> None:
    """The refusal is named, and what was learned before is still there."""
    encoder = ThresholdEncoder().fit(MIXED)
    before = encoder.encoding_
    with pytest.raises(InputError, match=message):
        encoder.fit(table)
    assert encoder.encoding_ is before


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((1, 3)), "X has 3 features, but ThresholdEncoder is expecting 2 features"),
        (np.zeros(2), "Reshape your data"),
        (sparse.csr_array([[1.0, 0.0]]), "sparse"),
        (np.array([["x", "y"]], dtype=object), "Column 'x0' must hold numbers. Received: text"),
        (np.array([[np.inf, 0.0]]), "must hold finite numbers"),
    ],
    ids=["width", "1-D", "sparse", "text", "infinity"],
)
def test_rows_that_cannot_be_encoded_are_refused(X, message: str) -> None:
    """At transform the same is refused as at fit, and another number of columns."""
    encoder = ThresholdEncoder().fit(np.array([[1.0, 5.0], [2.0, 6.0]]))
    with pytest.raises(InputError, match=message):
        encoder.transform(X)


def test_columns_that_would_share_an_input_are_refused() -> None:
    """Two inputs of one name can't be told apart."""
    with pytest.raises(InputError, match="Received twice: 'a = b = c'"):
        ThresholdEncoder().fit({"a": ["b = c", "x"], "a = b": ["c", "x"]})
