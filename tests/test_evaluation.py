"""Targets and evaluations: names of outputs told back, and counts held against counting by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from limen import Layer, Model, Network
from limen.errors import InputError
from limen.evaluation import Evaluation, all_right, evaluate, together
from limen.table import columns
from limen.target import class_labels, class_positions, decisions, find_columns, output_names

MODEL = Model(Network(Layer([[1]], [-3]), inputs=["x"], outputs=["size = large"]), labels=["small", "large"])


def by_hand(truth: list[int], predicted: list[int]) -> tuple[float, float]:
    """Return accuracy and balanced accuracy, counted one by one."""
    recalls = []
    for k in sorted(set(truth)):
        hits = [p == t for t, p in zip(truth, predicted, strict=True) if t == k]
        recalls.append(sum(hits) / len(hits))
    right = sum(t == p for t, p in zip(truth, predicted, strict=True))
    return right / len(truth), sum(recalls) / len(recalls)


def test_accuracy_and_balanced_accuracy_of_all_short_sequences():
    """Every sequence of 4 true and predicted classes of 3, an unknown true class included, is counted right."""
    for truth in itertools.product((-1, 0, 1, 2), repeat=4):
        for predicted in itertools.product((0, 1, 2), repeat=4):
            evaluation = Evaluation("y", ("a", "b", "c"), np.array(truth), np.array(predicted))
            accuracy, balanced = by_hand(list(truth), list(predicted))
            assert evaluation.accuracy == accuracy
            assert abs(evaluation.balanced_accuracy - balanced) < 1e-15
            assert evaluation.confusion.sum() + evaluation.n_unknown == 4


def test_a_wrong_evaluation_would_be_found():
    """The count by hand tells a wrong prediction from a right one."""
    assert by_hand([0, 1], [0, 1]) != by_hand([0, 1], [1, 1])


def test_rows_of_the_confusion_table_are_true_classes():
    """One row of class a taken for b is counted in row a, column b."""
    evaluation = Evaluation("y", ("a", "b"), np.array([0, 1, 1]), np.array([1, 1, 1]))
    assert evaluation.confusion.tolist() == [[0, 1], [0, 2]]


def test_several_decisions_are_right_only_together():
    """A row counts as all right if every decision about it was."""
    parts = [
        Evaluation("p", (0, 1), np.array([0, 1, 1]), np.array([0, 1, 0])),
        Evaluation("q", (0, 1), np.array([0, 0, 1]), np.array([0, 1, 1])),
    ]
    assert all_right(parts) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("targets", "labels", "layer"),
    [
        (["y"], ["no", "yes"], Layer([[1]], [0])),
        (["y = z"], [False, True], Layer([[1]], [0])),
        (["y"], ["p", "q", "r"], Layer([[1, 2, 3]], [0, 0, 0], "hardmax")),
        (["y"], [1, 2], Layer([[1, 2]], [0, 0], "hardmax")),
        (["p", "q"], [(0, 1), ("no", "yes")], Layer([[1, 2]], [0, 0])),
    ],
)
def test_names_of_outputs_tell_the_targets(targets, labels, layer):
    """What `output_names` writes, `decisions` reads back."""
    if layer.activation == "hardmax" and len(labels) == 2:
        outputs = [f"y = {label}" for label in labels]
    else:
        outputs = output_names(targets, labels)
    told = decisions(Model(Network(layer, inputs=["x"], outputs=outputs), labels=labels))
    if layer.activation == "hardmax" and len(labels) == 2:
        assert told[0].target is None  # two neurons for two classes are not what output_names makes
    else:
        assert [decision.target for decision in told] == targets


def test_outputs_with_names_of_their_own_are_targets_or_none():
    """One output names its target; of several for one decision none does."""
    one = Model(Network(Layer([[1]], [0]), outputs=["flag"]), labels=["no", "yes"])
    assert decisions(one)[0].target == "flag"
    three = Model(
        Network(Layer([[1, 2, 3]], [0, 0, 0], "hardmax"), outputs=["p", "q", "r"]), labels=[1, 2, 3]
    )
    assert decisions(three)[0].target is None


def test_evaluate_uses_the_target_the_model_was_made_for():
    """The truth is read from the column that the outputs' names tell."""
    table = {"x": [1, 2, 3, 4], "size": ["small", "large", "large", "large"]}
    (evaluation,) = evaluate(MODEL, table)
    assert evaluation.target == "size"
    assert evaluation.accuracy == 0.75


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"x": [1]}, "no column 'size'"),
        ({"x": [1], "size": [None]}, "1 of 1 row without"),
        ({"x": [1], "size": [3]}, "must hold the classes small, large"),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused(table, words):
    """A column that is missing, incomplete or of another kind is named."""
    with pytest.raises(InputError, match=words):
        evaluate(MODEL, table)


def test_a_network_that_does_not_decide_is_refused():
    """Outputs that are numbers can't be right or wrong."""
    with pytest.raises(InputError, match="identity"):
        evaluate(Model(Network(Layer([[1]], [0], "identity"))), {"x1": [1], "y1": [1]})


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("a", ("a",)),
        ("a,b", ("a,b",)),
        ("b,a", ("b", "a")),
        ('"c, d", a', ("c, d", "a")),
        ("c, d", ("c, d",)),
    ],
)
def test_columns_are_found_by_exact_name_first(wanted, found):
    """A name with a comma is itself before it is several."""
    assert find_columns({name: [] for name in ("a", "b", "a,b", "c, d")}, wanted) == found


@pytest.mark.parametrize("wanted", ["", "a,a", "x", "a,,b", "A,"])
def test_columns_that_are_not_there_are_refused(wanted):
    """Empty, twice or unknown: refused."""
    with pytest.raises(InputError):
        find_columns({"a": [], "b": []}, wanted)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["b", "a", None], ("a", "b")),
        ([True, False], (False, True)),
        ([3, 1, 2], (1, 2, 3)),
        ([2.0, 1.0, float("nan")], (1.0, 2.0)),
    ],
)
def test_classes_are_told_in_order(values, labels):
    """Text by alphabet, numbers by size, false before true; missing values are no class."""
    found = class_labels(columns({"y": values})["y"])
    assert found == labels
    assert [type(label) for label in found] == [type(label) for label in labels]


@pytest.mark.parametrize(
    ("values", "labels"), [([0, 0], (0, 1)), ([True], (False, True)), (["n", "y"], ("n", "y"))]
)
def test_of_several_targets_each_has_two_classes(values, labels):
    """A column of zeros is still zeros and ones."""
    assert class_labels(columns({"y": values})["y"], pair=True) == labels


def test_positions_of_classes_tell_missing_and_unknown_ones():
    """Both are -1."""
    assert class_positions(columns({"y": ["b", None, "z", "a"]})["y"], ["a", "b"]).tolist() == [1, -1, -1, 0]


def test_evaluations_of_parts_are_together_those_of_the_whole():
    """However rows are cut into parts, and parts are put together, every number is that of all rows at once."""
    rng = np.random.default_rng(0)
    n, cuts = 500, (0, 1, 40, 40, 300, 500)
    truth, predicted = rng.integers(-1, 3, (2, n)), rng.integers(0, 3, (2, n))

    def two(rows):
        pairs = zip("ab", truth[:, rows], predicted[:, rows], strict=True)
        return [Evaluation(name, ("x", "y", "z"), true, said) for name, true, said in pairs]

    whole, added = two(slice(0, n)), None
    for start, end in itertools.pairwise(cuts):
        part = two(slice(start, end))
        added = together([part] if added is None else [added, part])
    assert all_right(added) == all_right(whole)
    for one, other in zip(added, whole, strict=True):
        assert len(one.truth) <= 12
        assert one.confusion.tolist() == other.confusion.tolist()
        assert (one.target, one.n_rows, one.n_unknown) == (other.target, n, other.n_unknown)
        assert (one.accuracy, one.majority, one.always(2)) == (
            other.accuracy,
            other.majority,
            other.always(2),
        )
        assert one.balanced_accuracy == other.balanced_accuracy
