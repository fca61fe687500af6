"""From fitted estimators to a model: the same predictions, names people gave, and labels in their own type."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from limen import Layer, Model, Network, learn
from limen.errors import InputError
from limen.learn import Perceptron, ThresholdEncoder
from limen.target import decisions

TABLE = {
    "age": [20, 70, 35, None, 50, 61, 18, 44],
    "job": ["cook", "farmer", None, "cook", "judge", "farmer", "cook", "judge"],
    "smoker": [True, False, True, True, False, False, True, False],
    "same": [1] * 8,
}
OLD = np.array([0, 1, 0, 0, 1, 1, 0, 1])


class Wired(ClassifierMixin, BaseEstimator):
    """A classifier with a network made by hand."""

    def __init__(self, network=None, classes=None) -> None:
        self.network = network
        self.classes = classes

    def fit(self, X, y=None) -> Wired:
        """Take the network as learned."""
        self.network_, self.classes_ = self.network, self.classes
        return self


def pipeline(y=OLD, **options) -> Pipeline:
    """Return an encoder and a perceptron, fitted on the table."""
    return make_pipeline(ThresholdEncoder(**options), Perceptron(random_state=0)).fit(TABLE, y)


# What a model predicts ----------------------------------------------------------------------------------------

TARGETS = {
    "0 and 1": OLD,
    "booleans": OLD.astype(bool),
    "text": np.array(["young", "old"])[OLD],
    "text objects": np.array(["young", "old"], dtype=object)[OLD],
    "other numbers": np.array([-3, 7])[OLD],
    "floats": np.array([1.0, 2.0])[OLD],
    "three classes": np.array(["a", "b", "c", "a", "b", "b", "a", "c"]),
    "three numbers": np.array([3, 1, 2, 3, 1, 1, 3, 2]),
    "two outputs": np.stack([OLD, 1 - OLD], axis=1),
    "three outputs": np.stack([OLD, 1 - OLD, [1, 0, 0, 1, 0, 0, 1, 0]], axis=1),
}


@pytest.mark.parametrize("case", TARGETS)
def test_a_model_predicts_what_its_pipeline_does(case: str) -> None:
    """Labels, shape and kind of what is predicted are the pipeline's own."""
    fitted = pipeline(TARGETS[case])
    model = learn.model(fitted)
    expected = fitted.predict(TABLE)
    predicted = model.predict(TABLE)
    assert isinstance(model, Model)
    assert predicted.tolist() == expected.tolist()
    assert predicted.shape == expected.shape
    assert model.network.domain == "binary"
    assert model.network.is_exact
    assert model.network.inputs == fitted[0].encoding_.inputs


@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("load", [load_breast_cancer, load_iris], ids=lambda load: load.__name__)
@pytest.mark.parametrize(
    "make", [pd.DataFrame, pl.DataFrame, lambda table: table], ids=["pandas", "polars", "dict"]
)
def test_a_model_of_real_data_predicts_what_its_pipeline_does(load, make) -> None:
    """The same on real columns, in another order."""
    data = load()
    names = [str(name) for name in data.feature_names]
    table = {name: data.data[:, k] for k, name in enumerate(names)}
    y = data.target_names[data.target]
    fitted = make_pipeline(ThresholdEncoder(4), Perceptron(random_state=0)).fit(make(table), y)
    model = learn.model(fitted)
    expected = fitted.predict(make(table))
    assert model.predict(make(dict(reversed(table.items())))).tolist() == expected.tolist()
    assert (expected == y).mean() > 0.9


def test_arrays_are_read_by_position_with_constant_columns_in_them() -> None:
    """A model of a plain array takes arrays of the same width."""
    X = np.array([[1, 9, 2.5], [2, 9, 1.5], [3, 9, 0.5], [4, 9, 3.5]])
    fitted = make_pipeline(ThresholdEncoder(), Perceptron(random_state=0)).fit(X, [0, 0, 1, 1])
    assert learn.model(fitted).predict(X).tolist() == fitted.predict(X).tolist() == [0, 0, 1, 1]


def test_a_classifier_alone_is_a_model_without_an_encoding() -> None:
    """Its inputs are called like the columns it was fitted on, if they had names."""
    table = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]})
    classifier = Perceptron(random_state=0).fit(table, [0, 0, 0, 1])
    model = learn.model(classifier)
    assert model.encoding is None
    assert model.network.inputs == ("a", "b")
    assert model.network.domain == classifier.network_.domain
    assert model.predict(table[["b", "a"]]).tolist() == [0, 0, 0, 1]
    plain = learn.model(Perceptron(random_state=0).fit(table.to_numpy(), [0, 0, 0, 1]))
    assert plain.network.inputs == ("x1", "x2")
    assert plain.predict(table.to_numpy()).tolist() == [0, 0, 0, 1]


def test_steps_that_do_nothing_and_pipelines_within_are_looked_through() -> None:
    """``passthrough`` steps don't count, nor does nesting."""
    steps = [
        ("no", "passthrough"),
        ("in", make_pipeline(ThresholdEncoder())),
        ("out", Perceptron(random_state=0)),
    ]
    fitted = Pipeline(steps).fit(TABLE, OLD)
    assert learn.model(fitted).predict(TABLE).tolist() == fitted.predict(TABLE).tolist()


def test_any_classifier_with_a_network_will_do() -> None:
    """``network_`` and ``classes_`` are all that is asked for, scikit-learn's list of classes included."""
    net = Network(Layer([[1, 0], [0, 1]], [-1, -1]), domain="binary")
    wired = Wired(net, [np.array(["no", "yes"]), np.array([0, 1])]).fit(None)
    model = learn.model(wired, outputs=["p", "q"])
    assert model.labels == (("no", "yes"), (0, 1))
    assert model.predict([[1, 0]]).tolist() == [["yes", 0]]


def test_behind_an_encoder_the_inputs_are_binary() -> None:
    """Zeros and ones are all the network will ever see, so a network of real weights is marked for them."""
    encoder = ThresholdEncoder().fit({"a": [1, 2]})
    model = learn.model(
        Pipeline([("in", encoder), ("out", Wired(Network(Layer([[0.5]], [-0.5])), [0, 1]).fit(None))])
    )
    assert model.network == Network(Layer([[0.5]], [-0.5]), ["a >= 2"], ["y"], "binary")


# Names and labels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "options", "outputs"),
    [
        ("text", {}, ("y",)),
        ("text", {"target": "life"}, ("life = young",)),
        ("booleans", {"target": "is old"}, ("is old = true",)),
        ("text", {"outputs": ["who"]}, ("who",)),
        ("three classes", {}, ("a", "b", "c")),
        ("three numbers", {}, ("1", "2", "3")),
        ("three classes", {"target": "t"}, ("t = a", "t = b", "t = c")),
        ("three classes", {"outputs": ["p", "q", "r"]}, ("p", "q", "r")),
        ("two outputs", {}, ("y1", "y2")),
        ("two outputs", {"outputs": ["old", "young"]}, ("old", "young")),
    ],
)
def test_outputs_are_named(case: str, options, outputs) -> None:
    """After the target, as given, or sensibly."""
    assert learn.model(pipeline(TARGETS[case]), **options).network.outputs == outputs


@pytest.mark.parametrize("case", ["0 and 1", "booleans", "text", "three classes"])
def test_the_target_can_be_read_back(case: str) -> None:
    """The names that a target gives tell the target."""
    (decision,) = decisions(learn.model(pipeline(TARGETS[case]), target="the target"))
    assert decision.target == "the target"


def test_classes_that_make_no_names_leave_the_default() -> None:
    """A class of empty text can't name an output."""
    net = Network(Layer([[1, 0, -1]], [0, 0, 1], "hardmax"), domain="binary")
    model = learn.model(Wired(net, np.array(["", "b", "c"])).fit(None))
    assert model.network.outputs == ("y1", "y2", "y3")
    assert model.predict([[0], [1]]).tolist() == ["c", ""]


@pytest.mark.parametrize(
    ("case", "labels"),
    [
        ("0 and 1", (0, 1)),
        ("booleans", (False, True)),
        ("text", ("old", "young")),
        ("text objects", ("old", "young")),
        ("floats", (1.0, 2.0)),
        ("three numbers", (1, 2, 3)),
        ("two outputs", ((0, 1), (0, 1))),
    ],
)
def test_labels_are_the_classes_in_their_own_type(case: str, labels) -> None:
    """Plain Python values of the kind the target had."""
    assert repr(learn.model(pipeline(TARGETS[case])).labels) == repr(labels)


def test_labels_can_be_given() -> None:
    """For one decision or a pair for each output."""
    assert learn.model(pipeline(), labels=["young", "old"]).predict({k: v[:1] for k, v in TABLE.items()}) == [
        "young"
    ]
    pairs = learn.model(pipeline(TARGETS["two outputs"]), labels=[("young", "old"), (True, False)])
    assert pairs.predict(TABLE)[0].tolist() == ["young", False]


# What is refused ----------------------------------------------------------------------------------------------


def test_what_is_not_fitted_is_named() -> None:
    """A pipeline, its encoder or its classifier must be fitted."""
    with pytest.raises(InputError, match="The ThresholdEncoder must be fitted first"):
        learn.model(make_pipeline(ThresholdEncoder(), Perceptron()))
    with pytest.raises(InputError, match="The Perceptron must be fitted first"):
        learn.model(make_pipeline(ThresholdEncoder().fit(TABLE), Perceptron()))
    with pytest.raises(InputError, match="The Perceptron must be fitted first"):
        learn.model(Perceptron())


def fitted(*steps) -> Pipeline:
    """Return a pipeline of these steps, fitted on numbers."""
    return make_pipeline(*steps).fit(np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 2.0]]), [0, 1, 1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fitted(StandardScaler(), Perceptron()), r"Received: StandardScaler\. Leave it out"),
        (lambda: fitted(StandardScaler(), ThresholdEncoder(), Perceptron()), "Received: StandardScaler"),
        (lambda: fitted(ThresholdEncoder(), StandardScaler(), Perceptron()), "Received: StandardScaler"),
        (lambda: fitted(ThresholdEncoder(), ThresholdEncoder(), Perceptron()), "Received: 2 encoders"),
        (
            lambda: fitted(ThresholdEncoder(), LogisticRegression()),
            "Received: LogisticRegression, which has no network_",
        ),
        (lambda: fitted(ThresholdEncoder(1)), "at its end"),
        (lambda: Pipeline([("no", "passthrough")]), "without steps"),
        (lambda: ThresholdEncoder, "Received: the class ThresholdEncoder"),
        (lambda: Network(Layer([[1]], [0])), "Received: Network, which has no network_"),
        (lambda: None, "Received: NoneType"),
        (lambda: Wired("no network", [0, 1]).fit(None), r"network_ must be a limen\.Network\. Received: str"),
        (
            lambda: GridSearchCV(Perceptron(), {"max_iter": [5, 6]}, cv=2).fit(
                [[0], [1], [0], [1]], [0, 1, 0, 1]
            ),
            "Received: GridSearchCV; give its best_estimator_",
        ),
        (
            lambda: make_pipeline(ThresholdEncoder().fit(TABLE), Perceptron().fit([[0], [1]], [0, 1])),
            "encoder makes .* inputs and the classifier takes 1",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.ConvergenceWarning")
def test_what_makes_no_model_is_refused(make, message: str) -> None:
    """Only one encoder, or nothing, and a classifier with a network; the message says what to do."""
    with pytest.raises(InputError, match=message):
        learn.model(make())


@pytest.mark.parametrize(
    ("case", "options", "message"),
    [
        ("text", {"target": "a", "outputs": ["b"]}, "not both"),
        ("two outputs", {"target": "a"}, "makes 2 decisions"),
        ("text", {"outputs": ["a", "b"]}, "outputs"),
        ("two outputs", {"outputs": ["a", "a"]}, "a"),
        ("text", {"labels": ["a"]}, "must be 2 labels"),
        ("two outputs", {"labels": ["a", "b"]}, "must be 2 pairs"),
    ],
)
def test_names_and_labels_that_do_not_fit_are_refused(case: str, options, message: str) -> None:
    """As many names and labels as the network has outputs and decides between."""
    fitted_pipeline = pipeline(TARGETS[case])
    with pytest.raises(InputError, match=message):
        learn.model(fitted_pipeline, **options)
