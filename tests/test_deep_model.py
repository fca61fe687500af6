"""A `ThresholdNetworkClassifier`, alone or in a pipeline, as a model: the same predictions from the same table."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from limen.errors import InputError
from limen.learn import ThresholdEncoder, ThresholdNetworkClassifier, model
from limen.learn.trial import TrialInterrupt, trial
from limen.table_files import read
from limen.target import decisions
from shell import EXAMPLES

TABLE = {
    "age": [20, 70, 35, None, 50, 61, 18, 44] * 5,
    "job": ["cook", "farmer", None, "cook", "judge", "farmer", "cook", "judge"] * 5,
    "smoker": [True, False, True, True, False, False, True, False] * 5,
}
OLD = np.array([0, 1, 0, 0, 1, 1, 0, 1] * 5)
JOBS = np.array(["young", "old", "other"])[(OLD + np.arange(40) % 2)]


def network(**options) -> ThresholdNetworkClassifier:
    """Return a small classifier that is quickly trained."""
    return ThresholdNetworkClassifier((8,), epochs=3, random_state=0, **options)


@pytest.mark.parametrize("y", [OLD, JOBS, np.stack([OLD, 1 - OLD], axis=1)], ids=["two", "three", "outputs"])
def test_an_encoder_before_it_and_within_it_give_the_same_model(y):
    """Both models are one network that reads the table, and predict what their estimators predict."""
    before = make_pipeline(ThresholdEncoder(), network()).fit(TABLE, y)
    within = network(encode=True).fit(TABLE, y)
    models = [model(before), model(within)]
    assert models[0] == models[1]
    assert models[0].network.inputs == within.encoder_.encoding_.inputs
    assert models[0].network.depth == 2
    for estimator, own in zip((before, within), models, strict=True):
        np.testing.assert_array_equal(own.predict(TABLE), estimator.predict(TABLE))


def test_a_target_names_what_it_decides():
    """The target and the classes name the outputs, as for a perceptron."""
    named = model(network(encode=True).fit(TABLE, JOBS), target="life")
    assert named.network.outputs == ("life = old", "life = other", "life = young")
    (decision,) = decisions(named)
    assert (decision.target, decision.labels) == ("life", ("old", "other", "young"))


def test_two_encoders_are_refused():
    """A table is encoded once: an encoder before and one within can't be one network."""
    twice = make_pipeline(ThresholdEncoder(), network(encode=True)).fit(TABLE, OLD)
    with pytest.raises(InputError, match="2 encoders"):
        model(twice)


def test_a_trial_takes_it_and_hands_on_its_network_when_interrupted(monkeypatch):
    """An interrupt after an epoch ends the trial with a model that predicts; one before any with nothing."""
    fit = ThresholdNetworkClassifier.fit
    classifier = network()

    def interrupted(self, *data, **more):
        fit(self, *data, **more)
        raise KeyboardInterrupt

    table = read(EXAMPLES / "iris.csv")
    monkeypatch.setattr(ThresholdNetworkClassifier, "fit", interrupted)
    with pytest.raises(TrialInterrupt) as caught:
        trial(table, ["species"], classifier=classifier)
    assert caught.value.classifier is classifier
    assert caught.value.model.network.layers == classifier.network_.layers
    assert set(caught.value.model.predict(table)) <= {"setosa", "versicolor", "virginica"}

    def at_once(self, *data, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(ThresholdNetworkClassifier, "fit", at_once)
    with pytest.raises(KeyboardInterrupt) as caught:
        trial(table, ["species"], classifier=classifier)  # it has a network still, of the fit before
    assert not isinstance(caught.value, TrialInterrupt)
