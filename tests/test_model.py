"""Models: a network bound to its table and to labels that come back as what they were."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from limen import Encoding, Layer, Model, Network
from limen.encoding import Categories, Thresholds
from limen.errors import InputError

AGE = Encoding([Thresholds("age", (35, 60))])
OLD = Network(Layer([[1], [1]], [-2]), inputs=AGE.inputs, outputs=["old"], domain="binary")
EITHER = Network(
    Layer([[1, 1], [1, 1]], [-2, -1]), inputs=AGE.inputs, outputs=["old", "grown"], domain="binary"
)
PHASE = Network(Layer([[0, 2, 2], [0, 0, 2]], [1, 0, -1], "hardmax"), inputs=AGE.inputs, domain="binary")
TABLE = {"age": [20, 35, 60]}


# Labels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (("young", "old"), "U"),
        ((0, 1), "i"),
        ((False, True), "b"),
        ((0.5, -1.5), "f"),
        ((True, "old"), "O"),
        ((1, True), "O"),
    ],
    ids=repr,
)
def test_one_neuron_decides_between_two_labels_of_any_kind(labels, kind: str) -> None:
    """Output 0 means the first label, 1 the second, in the type they were given in."""
    if labels == (1, True):  # equal to Python, so one decision can't tell them apart
        with pytest.raises(InputError, match="must differ"):
            Model(OLD, AGE, labels)
        return
    predicted = Model(OLD, AGE, labels).predict(TABLE)
    assert predicted.shape == (3,)
    assert predicted.dtype.kind == kind
    assert predicted.tolist() == [labels[0], labels[0], labels[1]]
    assert [type(value) for value in predicted.tolist()] == [type(labels[k]) for k in (0, 0, 1)]


def test_hardmax_decides_between_as_many_labels_as_neurons() -> None:
    """The neuron with the largest net input gives the label."""
    assert Model(PHASE, AGE, ["young", "grown", "old"]).predict(TABLE).tolist() == ["young", "grown", "old"]
    assert Model(PHASE, AGE, [7, 8, 9]).makes_one_decision


def test_hardmax_of_one_neuron_always_decides_for_it() -> None:
    """A network with one class has one label."""
    only = Network(Layer([[1], [1]], [0], "hardmax"), inputs=AGE.inputs)
    assert Model(only, AGE, ["all"]).predict(TABLE).tolist() == ["all"] * 3


def test_several_outputs_each_decide_between_a_pair() -> None:
    """Each output has its own pair of labels; pairs of one kind make an array of that kind."""
    model = Model(EITHER, AGE, [("young", "old"), ("child", "grown")])
    assert not model.makes_one_decision
    predicted = model.predict(TABLE)
    assert predicted.dtype.kind == "U"
    assert predicted.tolist() == [["young", "child"], ["young", "grown"], ["old", "grown"]]


def test_several_outputs_with_pairs_of_several_kinds_keep_them() -> None:
    """A pair of booleans beside a pair of text stays booleans."""
    predicted = Model(EITHER, AGE, [(False, True), ["child", "grown"]]).predict(TABLE)
    assert predicted.tolist() == [[False, "child"], [False, "grown"], [True, "grown"]]


def test_without_labels_the_outputs_come_back() -> None:
    """An unlabelled model predicts what its network computes, one column for each output."""
    assert Model(OLD, AGE).predict(TABLE).tolist() == [[0], [0], [1]]
    assert Model(EITHER, AGE).predict(TABLE).tolist() == EITHER(AGE.encode(TABLE)).tolist()


@pytest.mark.parametrize(
    ("net", "labels", "message"),
    [
        (OLD, ["a"], r"must be 2 labels\. Received: 1"),
        (OLD, ["a", "b", "c"], r"must be 2 labels\. Received: 3"),
        (OLD, ["a", "a"], "must differ"),
        (OLD, ["a", None], r"A label must be text.*None"),
        (OLD, ["a", float("nan")], r"A label must be text.*nan"),
        (PHASE, ["a", "b"], r"must be 3 labels\. Received: 2"),
        (PHASE, ["a", "b", "a"], "must differ"),
        (EITHER, ["a", "b"], "must be 2 pairs"),
        (EITHER, [("a", "b")], "must be 2 pairs"),
        (EITHER, [("a", "b"), ("c",)], "must be 2 pairs"),
        (EITHER, [("a", "b"), ("c", "c")], "must differ"),
        (
            Network(Layer([[1], [1]], [0], "sign"), inputs=AGE.inputs),
            ["a", "b"],
            "heaviside or hardmax. Received: sign",
        ),
        (Network(Layer([[1.0], [1]], [0], "sigmoid"), inputs=AGE.inputs), ["a", "b"], "Received: sigmoid"),
    ],
)
def test_labels_that_do_not_fit_are_refused(net: Network, labels, message: str) -> None:
    """Labels must be as many as the network decides between, differ, and mean a decision."""
    with pytest.raises(InputError, match=message):
        Model(net, AGE, labels)


# Tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [pd.DataFrame, pl.DataFrame, pa.table, dict], ids=lambda make: make.__module__
)
def test_any_table_is_read_by_name(make) -> None:
    """Columns in another order and further columns change nothing."""
    encoding = Encoding([Thresholds("age", (35,)), Categories("job", ("cook",))])
    net = Network(Layer([[1], [1]], [-2]), inputs=encoding.inputs, domain="binary")
    table = make({"else": ["x", "y", "z"], "job": ["cook", "cook", None], "age": [34, 35, 36]})
    assert Model(net, encoding, [False, True]).predict(table).tolist() == [False, True, False]


def test_integers_beyond_2_to_53_are_decided_exactly() -> None:
    """A cut at 2**60 + 1 divides the integers on both sides of it."""
    encoding = Encoding([Thresholds("n", (2**60 + 1,))])
    net = Network(Layer([[1]], [-1]), inputs=encoding.inputs, domain="binary")
    model = Model(net, encoding, ["below", "reached"])
    assert model.predict({"n": [2**60, 2**60 + 1]}).tolist() == ["below", "reached"]


SUM = Network(Layer([[1], [1]], [-3]), inputs=["a", "b"], domain="integer")


def test_without_an_encoding_columns_are_the_inputs() -> None:
    """A table's columns go to the inputs of their names, an array's and a sparse matrix's by position."""
    model = Model(SUM, labels=["less", "three"])
    assert model.columns == ("a", "b")
    assert model.predict({"b": [2, 2], "a": [1, 0], "c": ["x", "y"]}).tolist() == ["three", "less"]
    assert model.predict(pd.DataFrame({"b": [True], "a": [2]})).tolist() == ["three"]
    for X in (np.array([[1, 2], [0, 2]]), [[1, 2], [0, 2]], sparse.csr_array([[1, 2], [0, 2]])):
        assert model.predict(X).tolist() == ["three", "less"]


def test_columns_are_those_a_table_must_have() -> None:
    """A column that makes no input isn't asked for."""
    encoding = Encoding([Thresholds("n", (1,)), Thresholds("constant", ())])
    net = Network(Layer([[1]], [-1]), inputs=encoding.inputs, domain="binary")
    assert Model(net, encoding).columns == ("n",)
    assert Model(net, encoding).predict({"n": [0, 1]}).tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": [1]}, r"Missing: b"),
        ({"a": [1], "b": ["x"]}, "Column 'b' must hold numbers, none missing.*Received: text"),
        ({"a": [1], "b": [None]}, "Column 'b' must hold numbers, none missing"),
        ({"a": [1.0], "b": [float("nan")]}, "Received: a missing value"),
        ({"a": [0.5], "b": [1]}, "whole numbers"),
        ({"a": [1], "b": [float("inf")]}, "Column 'b' must hold finite numbers"),
        (np.zeros((1, 3)), "must have 2 columns"),
        ("ab", "A table is"),
        (3, "A table is"),
    ],
    ids=repr,
)
def test_tables_a_network_cannot_read_are_refused(table, message: str) -> None:
    """Without an encoding only complete columns of numbers within the domain go in."""
    with pytest.raises(InputError, match=message):
        Model(SUM, labels=["less", "three"]).predict(table)


def test_a_table_for_a_network_without_inputs_is_refused() -> None:
    """A constant network can't tell from a table how many rows are meant."""
    constant = Network(Layer(np.zeros((0, 1)), [0.0]))
    with pytest.raises(InputError, match="no inputs"):
        Model(constant).predict({"a": [1]})
    assert Model(constant).predict(np.zeros((2, 0))).tolist() == [[1], [1]]


# The value ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Model(Layer([[1]], [0])), "network must be a limen.Network. Received: Layer"),
        (lambda: Model(OLD, {"age": [1]}), "encoding must be a limen.Encoding or None. Received: dict"),
        (lambda: Model(SUM, AGE), "Received: 'age >= 35' and 'a'"),
        (lambda: Model(OLD, Encoding([Thresholds("age", (35,))])), "makes 1 inputs and the network takes 2"),
    ],
)
def test_parts_that_do_not_fit_are_refused(make, message: str) -> None:
    """The inputs an encoding makes must be those the network takes, name by name."""
    with pytest.raises(InputError, match=message):
        make()


def test_models_are_frozen_values() -> None:
    """They compare and hash by content, survive pickling, and can't be changed."""
    model = Model(OLD, AGE, ["young", "old"])
    again = Model(OLD, Encoding(AGE.rules), np.array(["young", "old"]))
    assert (again, hash(again)) == (model, hash(model))
    assert pickle.loads(pickle.dumps(model)) == model
    assert Model(OLD, AGE, ["old", "young"]) != model
    assert Model(OLD, AGE) != model
    assert model != OLD
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.labels = None  # type: ignore[misc]


def test_labels_of_different_types_make_different_models() -> None:
    """0 and False are equal to Python but not to who reads them: such models differ."""
    assert Model(OLD, AGE, [0, 1]) != Model(OLD, AGE, [False, True])


@pytest.mark.parametrize("labels", [5, "ab", {"a", "b"}])
def test_labels_come_in_a_list(labels):
    """A number, one text or a set as labels is a named error, not a guess."""
    with pytest.raises(InputError, match="list of labels"):
        Model(Network(Layer([[1]], [-1])), labels=labels)
