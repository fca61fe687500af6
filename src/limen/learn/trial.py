"""A model learned from part of a table and judged by the rest: what ``limen fit`` does.

`trial` takes a table and a target, in order: the classes, the split, an encoding of the training rows, a classifier on
their 0/1 inputs, and then, at the very end, the test rows. Until then nothing is computed from a test row but
its class, which the split needs to keep the share of each.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from limen._text import listing, plural
from limen.encoding import Label, label_text
from limen.errors import InputError
from limen.evaluation import Evaluation, evaluate
from limen.learn.encoder import ThresholdEncoder
from limen.learn.perceptron import Perceptron
from limen.learn.split import split_rows, strata
from limen.learn.threshold_network import ThresholdNetworkClassifier
from limen.model import Model
from limen.network import Network
from limen.step import Array
from limen.table import Column, column_names, columns
from limen.target import MANY, class_labels, class_positions, output_names, rows_with_truth

__all__ = ["Classifier", "Trial", "TrialInterrupt", "notes_on_columns", "notes_on_targets", "trial"]

Classifier = Perceptron | ThresholdNetworkClassifier


@dataclass(frozen=True, eq=False)
class Trial:
    """A model, how it was learned, and how it fares on rows it never saw.

    Parameters
    ----------
    model : Model
    targets : tuple of str
    labels : tuple
        The classes of each target.
    counts : tuple of tuple of int
        How many rows of the table have each class.
    n_training, n_test : int
        Rows to learn from and rows to judge by.
    training, test : tuple of Evaluation
        One for each target; `test` is empty if no row was held out.
    majority : tuple of int
        For each target, the position of the class that most training rows have.
    classifier : Perceptron or ThresholdNetworkClassifier
    shares : ndarray of float64, shape (n_inputs,)
        The share of training rows in which each input is 1.
    notes : tuple of str
        What a person should know about the table.
    sample_rows : int or None
        How many rows the encoding was learned from, if the table was streamed; None if it was in memory.
    """

    model: Model
    targets: tuple[str, ...]
    labels: tuple[tuple[Label, ...], ...]
    counts: tuple[tuple[int, ...], ...]
    n_training: int
    n_test: int
    training: tuple[Evaluation, ...]
    test: tuple[Evaluation, ...]
    majority: tuple[int, ...]
    classifier: Classifier
    shares: Array
    notes: tuple[str, ...]
    sample_rows: int | None = None


class TrialInterrupt(KeyboardInterrupt):
    """A trial was interrupted; nothing was judged, but a model is there.

    Parameters
    ----------
    model : Model
        What had been learned.
    classifier : Perceptron or ThresholdNetworkClassifier
    """

    def __init__(self, model: Model, classifier: Classifier) -> None:
        super().__init__()
        self.model = model
        self.classifier = classifier


def trial(
    table: Any,
    targets: Sequence[str],
    *,
    drop: Sequence[str] = (),
    drop_missing_target: bool = False,
    test_size: float = 0.25,
    random_state: int = 0,
    encoder: ThresholdEncoder | None = None,
    classifier: Classifier | None = None,
) -> Trial:
    """Learn to predict columns of a table from its other columns, and judge it by rows held out.

    Parameters
    ----------
    table : pyarrow.Table
    targets : sequence of str
        One column of two or more classes, or several of two classes each.
    drop : sequence of str
        Columns not to look at.
    drop_missing_target : bool
        Whether rows without a target are left out. Otherwise they are refused.
    test_size : float
        The share of rows to hold out, or a whole number of rows; 0 for none.
    random_state : int
        For the split.
    encoder : ThresholdEncoder, optional
    classifier : Perceptron or ThresholdNetworkClassifier, optional
        Both are fitted. Default: with default parameters, a perceptron with `random_state`.

    Raises
    ------
    InputError
        The target or the columns can't be used; the message says what to do.
    TrialInterrupt
        Interrupted, and the classifier has kept what it had learned.
    """
    own = column_names(table) or ()
    features = [name for name in own if name not in {*targets, *drop}]
    if not features:
        raise InputError("No column is left to learn from. Give a table with columns beside the target.")
    table = _complete(table, targets, drop_missing_target)
    found = columns(table, targets)
    labels = tuple(class_labels(found[name], pair=len(targets) > 1) for name in targets)
    truth = np.stack(
        [class_positions(found[name], own) for name, own in zip(targets, labels, strict=True)], axis=1
    )
    counts = [np.bincount(truth[:, k], minlength=len(own)) for k, own in enumerate(labels)]
    notes = notes_on_targets(found, labels) + _notes_on_single_rows(labels, counts)
    classes = truth[:, 0] if len(targets) == 1 else strata(truth)
    training_rows, test_rows = split_rows(classes, test_size, random_state=random_state)

    seen = table.select(features).take(training_rows)
    y = truth[training_rows, 0] if len(targets) == 1 else truth[training_rows]
    encoder = ThresholdEncoder() if encoder is None else encoder
    classifier = Perceptron(random_state=random_state) if classifier is None else classifier
    before = getattr(classifier, "network_", None)
    interrupt: KeyboardInterrupt | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inputs = encoder.fit_transform(seen)
        try:
            classifier.fit(inputs, y)
        except KeyboardInterrupt as error:
            if getattr(classifier, "network_", None) is before:
                raise
            interrupt = error
    encoding = encoder.encoding_
    outputs = output_names(targets, labels[0])
    network = Network(classifier.network_.layers, encoding.inputs, outputs, "binary")
    model = Model(network, encoding, labels[0] if len(targets) == 1 else labels)
    if interrupt is not None:
        raise TrialInterrupt(model, classifier) from interrupt
    notes += notes_on_columns(encoder)
    if isinstance(classifier, Perceptron):  # what others warn of comes from the framework that trains them
        notes += [str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)]

    test = evaluate(model, table.take(test_rows), targets) if len(test_rows) else ()
    return Trial(
        model=model,
        targets=tuple(targets),
        labels=labels,
        counts=tuple(tuple(count.tolist()) for count in counts),
        n_training=len(training_rows),
        n_test=len(test_rows),
        training=evaluate(model, table.take(training_rows), targets),
        test=test,
        majority=tuple(int(np.bincount(column).argmax()) for column in truth[training_rows].T),
        classifier=classifier,
        shares=inputs.mean(axis=0),
        notes=tuple(notes),
    )


def _complete(table: Any, targets: Sequence[str], drop_missing_target: bool) -> Any:
    """Return the rows whose targets are known, if rows without may be left out."""
    complete = rows_with_truth(table, targets)
    n_missing = table.num_rows - len(complete)
    if not n_missing:
        return table
    if not drop_missing_target:
        raise InputError(
            f"Every row needs a target. {listing([repr(name) for name in targets])} is missing in"
            f" {plural(n_missing, 'row')} of {table.num_rows}. Leave them out (--drop-missing-target) or fill them in."
        )
    return table.take(complete)


def notes_on_targets(found: dict[str, Column], labels: Sequence[tuple[Label, ...]]) -> list[str]:
    """Return what is odd about the targets."""
    return [
        f"Column {name!r} holds {len(own)} different numbers. They are learned as classes without an order."
        for (name, column), own in zip(found.items(), labels, strict=True)
        if column.kind == "number" and len(own) > MANY
    ]


def _notes_on_single_rows(labels: Sequence[tuple[Label, ...]], counts: Sequence[Array]) -> list[str]:
    alone = [label_text(label) for label, n in zip(labels[0], counts[0], strict=True) if n == 1]
    if not alone or len(labels) > 1:
        return []
    return [
        f"Of {listing([repr(label) for label in alone])} there is only one row, which can't be on both sides of"
        " the split. It is learned from, never tested on."
    ]


def notes_on_columns(encoder: ThresholdEncoder, where: str = "all rows learned from") -> list[str]:
    """Return what is odd about the columns that a fitted encoder saw."""
    notes = []
    if encoder.constant_columns_:
        constant = listing([repr(name) for name in encoder.constant_columns_])
        notes.append(f"Without use, having one value in {where}: {constant}.")
    for name, left_out in encoder.truncated_columns_.items():
        notes.append(
            f"Column {name!r} has many different values. The most frequent became inputs, {left_out} didn't; if it"
            " holds names or numbers of the rows, leave it out (--drop)."
        )
    return notes
