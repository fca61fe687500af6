"""A fitted estimator, or an encoder and an estimator in a pipeline, as a `limen.Model`.

`model` reads what was learned (``encoding_``, ``network_``, ``classes_``), gives the network the names of its inputs and
outputs, and binds the three. The model needs no scikit-learn to predict, and predicts what the pipeline does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from limen.encoding import Label, label_text, plain_label
from limen.errors import InputError
from limen.learn.encoder import ThresholdEncoder
from limen.model import Model
from limen.network import Network
from limen.target import output_names

__all__ = ["model"]


def model(
    pipeline: Any,
    *,
    target: str | None = None,
    outputs: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
) -> Model:
    """Return what a pipeline learned as a model.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline, or a fitted classifier
        A fitted classifier with a ``network_`` and ``classes_`` (`Perceptron`, `ThresholdNetworkClassifier`), with one
        fitted `ThresholdEncoder` before it, or within it (``encoder_``), or nothing.
    target : str, optional
        The column that one decision is about: its outputs are then called ``diagnosis = malignant``. Otherwise
        one output is called ``y``, and several of one decision like their classes.
    outputs : sequence of str, optional
        The names of the outputs. For several decisions, the columns they are about; default ``y1, y2, …``.
    labels : sequence, optional
        What the outputs mean, as in `limen.Model`. Default: the classes the classifier was fitted on; for several
        outputs a pair of them for each.

    Returns
    -------
    limen.Model
        ``model(pipeline).predict(table)`` equals ``pipeline.predict(table)``.

    Raises
    ------
    InputError
        Something that isn't fitted, a step that is neither encoder nor classifier, a classifier without a
        network, or names and labels that don't fit.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from limen.learn import Perceptron
    >>> table = {"age": [20, 30, 40, 50], "smoker": [True, False, True, False]}
    >>> pipeline = make_pipeline(ThresholdEncoder(), Perceptron(random_state=0))
    >>> pipeline = pipeline.fit(table, ["young", "young", "old", "old"])
    >>> young_or_old = model(pipeline, target="life")
    >>> young_or_old.network.outputs
    ('life = young',)
    >>> young_or_old.predict({"smoker": [True], "age": [70]})
    array(['old'], dtype='<U5')
    """
    *before, classifier = _steps(pipeline)
    within = getattr(classifier, "encoder_", None)
    encoder = _encoder([*before, within] if isinstance(within, ThresholdEncoder) else before)
    if isinstance(classifier, ThresholdEncoder):
        raise InputError("A pipeline must have a classifier at its end. Received: a ThresholdEncoder there.")
    network = _learned(
        classifier, "network_", "a limen.learn.Perceptron, or another classifier with a network_, at its end"
    )
    if not isinstance(network, Network):
        raise InputError(f"network_ must be a limen.Network. Received: {type(network).__name__}.")
    last = network.layers[-1]
    one_decision = last.activation == "hardmax" or network.n_outputs == 1
    if labels is None:
        labels = _class_labels(classifier, network, one_decision=one_decision)
    if target is not None and outputs is not None:
        raise InputError("Give target (one decision) or outputs, not both.")
    if target is not None and not one_decision:
        raise InputError(
            f"This network makes {network.n_outputs} decisions. Name them with outputs, not with one target."
        )
    if outputs is None and one_decision:
        outputs = _names(target, [plain_label(label) for label in labels], network.n_outputs)
    encoding = None if encoder is None else encoder.encoding_
    if encoding is not None and encoding.n_inputs != network.n_inputs:
        raise InputError(
            f"The encoder makes {encoding.n_inputs} inputs and the classifier takes {network.n_inputs}. Fit both"
            " together, as one pipeline."
        )
    if encoding is not None:
        inputs, domain = encoding.inputs, "binary"
    else:
        own = getattr(classifier, "feature_names_in_", None)
        inputs, domain = network.inputs if own is None else tuple(map(str, own)), network.domain
    named = Network(network.layers, inputs, network.outputs if outputs is None else outputs, domain)
    return Model(named, encoding, labels)


def _steps(pipeline: Any) -> list[Any]:
    """Return the steps of a pipeline, of pipelines within it, or the estimator alone."""
    if isinstance(pipeline, type):
        raise InputError(f"pipeline must be a fitted estimator. Received: the class {pipeline.__name__}.")
    if hasattr(pipeline, "best_estimator_"):
        raise InputError(
            f"pipeline must be a fitted pipeline. Received: {type(pipeline).__name__}; give its best_estimator_."
        )
    if not hasattr(pipeline, "steps"):
        return [pipeline]
    steps = [step for _, step in pipeline.steps if step is not None and not isinstance(step, str)]
    found = [inner for step in steps for inner in _steps(step)]
    if not found:
        raise InputError("pipeline must end in a classifier. Received: a pipeline without steps.")
    return found


def _encoder(steps: list[Any]) -> ThresholdEncoder | None:
    """Return the encoder that is the only step before the classifier, if there is a step."""
    others = [step for step in steps if not isinstance(step, ThresholdEncoder)]
    if others or len(steps) > 1:
        received = type(others[0]).__name__ if others else f"{len(steps)} encoders"
        raise InputError(
            "Between table and classifier a model has one ThresholdEncoder or nothing, so that it is one network."
            f" Received: {received}. Leave it out: thresholds don't depend on the scale of a column."
        )
    if not steps:
        return None
    _learned(steps[0], "encoding_", "a fitted ThresholdEncoder")
    encoder: ThresholdEncoder = steps[0]
    return encoder


def _learned(estimator: Any, attribute: str, expected: str) -> Any:
    """Return what an estimator learned, or say whether it isn't fitted or isn't of the kind."""
    found = getattr(estimator, attribute, None)
    if found is not None:
        return found
    name = type(estimator).__name__
    known_as = getattr(estimator, "__dict__", {})
    fitted = any(known.endswith("_") and not known.startswith("__") for known in known_as)
    if hasattr(estimator, "fit") and not fitted:
        raise InputError(f"The {name} must be fitted first: call fit on the pipeline.")
    raise InputError(f"A model needs {expected}. Received: {name}, which has no {attribute}.")


def _class_labels(classifier: Any, network: Network, *, one_decision: bool) -> list[Any]:
    """Return the labels a classifier was fitted on; for several decisions a pair for each."""
    classes = _learned(classifier, "classes_", "a classifier with classes_")
    if one_decision:
        return np.asarray(classes).tolist()  # type: ignore[no-any-return]
    if isinstance(classes, list | tuple):  # scikit-learn's way for several outputs: an array for each
        return [tuple(np.asarray(pair).tolist()) for pair in classes]
    return [tuple(np.asarray(classes).tolist())] * network.n_outputs


def _names(target: str | None, labels: list[Label], n_outputs: int) -> Sequence[str] | None:
    """Return names for the outputs of one decision; None where the labels make none."""
    if target is not None:
        return output_names([target], labels) if len(labels) == n_outputs or n_outputs == 1 else None
    if n_outputs == 1:
        return ("y",)
    texts = [label_text(label) for label in labels]
    return texts if all(texts) and len(set(texts)) == len(texts) == n_outputs else None
