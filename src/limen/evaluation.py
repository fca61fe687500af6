"""A model's predictions held against the truth: accuracy, balanced accuracy, the confusion table.

`evaluate` predicts the rows of a table that also holds the truth, and returns an `Evaluation` for each decision.
Confusion tables have a row for each true class and a column for each predicted one.

References
----------
K. H. Brodersen, C. S. Ong, K. E. Stephan and J. M. Buhmann (2010), "The balanced accuracy and its posterior
distribution", ICPR, section 2; for more than two classes the mean of the recalls of the classes that occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limen._text import plural
from limen.encoding import Label
from limen.errors import InputError
from limen.model import Model
from limen.step import Array
from limen.table import column_names, columns
from limen.target import class_positions, decisions

__all__ = ["Evaluation", "all_right", "evaluate"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How often one decision was right, and what was taken for what.

    Parameters
    ----------
    target : str
        The column that holds the truth.
    labels : tuple
        The classes the model knows.
    truth, predicted : ndarray of int64, shape (n_rows,)
        Positions in `labels`. A true class that the model doesn't know is -1: never predicted, always wrong.

    Examples
    --------
    >>> e = Evaluation("diagnosis", ("benign", "malignant"), np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    >>> e.accuracy, e.balanced_accuracy, e.confusion.tolist()
    (0.75, 0.8333333333333333, [[2, 1], [0, 1]])
    """

    target: str
    labels: tuple[Label, ...]
    truth: Array
    predicted: Array

    @property
    def n_rows(self) -> int:
        """Number of rows that were predicted."""
        return len(self.truth)

    @property
    def n_unknown(self) -> int:
        """Number of rows whose true class the model doesn't know."""
        return int((self.truth < 0).sum())

    @property
    def accuracy(self) -> float:
        """The share of rows that were right."""
        return float((self.truth == self.predicted).mean())

    @property
    def balanced_accuracy(self) -> float:
        """The mean, over the classes that occur, of the share of their rows that were right."""
        recalls = [(self.predicted[self.truth == k] == k).mean() for k in np.unique(self.truth)]
        return float(np.mean(recalls))

    @property
    def confusion(self) -> Array:
        """Counts of shape (n_labels, n_labels): a row for each true class, a column for each predicted one."""
        n, known = len(self.labels), self.truth >= 0
        counts = np.bincount(self.truth[known] * n + self.predicted[known], minlength=n * n)
        table: Array = counts.reshape(n, n)
        return table

    def always(self, position: int) -> float:
        """Return the accuracy of always saying the class at `position`."""
        return float((self.truth == position).mean())

    @property
    def majority(self) -> int:
        """The position of the true class that most rows have."""
        return int(np.bincount(self.truth[self.truth >= 0], minlength=len(self.labels)).argmax())


def evaluate(model: Model, table: Any, targets: Sequence[str | None] | None = None) -> tuple[Evaluation, ...]:
    """Predict the rows of a table and hold the predictions against its own columns.

    Parameters
    ----------
    model : Model
    table : pandas, polars or Arrow table, or mapping of columns
        With the columns the model reads and those that hold the truth, which must be complete.
    targets : sequence of str, optional
        The columns that hold the truth, one for each decision. Default: those the model was made for.

    Returns
    -------
    tuple of Evaluation
        One for each decision.

    Raises
    ------
    InputError
        A column is missing or unknown, holds another kind than the classes, or lacks values.
    """
    if model.labels is None and model.network.layers[-1].activation not in ("heaviside", "hardmax"):
        raise InputError(
            "Only outputs that decide, of a heaviside or hardmax layer, can be right or wrong."
            f" Received: a network that ends in {model.network.layers[-1].activation}."
        )
    decided = decisions(model)
    names = [decision.target for decision in decided] if targets is None else list(targets)
    if len(names) != len(decided):
        raise InputError(
            f"The model makes {plural(len(decided), 'decision')}, so it needs as many targets. Received: {len(names)}."
        )
    known = [name for name in names if name is not None]
    if len(known) < len(names) or not set(known) <= set(column_names(table) or ()):
        lacking = next((name for name in known if name not in (column_names(table) or ())), None)
        reason = (
            "The model doesn't tell which column holds the truth"
            if lacking is None
            else f"The table has no column {lacking!r} to compare with"
        )
        raise InputError(f"{reason}. Name the column that holds the truth as the target (--target).")
    truths = columns(table, known)
    for column in truths.values():
        if column.missing.any():
            raise InputError(
                f"Column {column.name!r} must hold the truth for every row. Received: {int(column.missing.sum())}"
                f" of {plural(len(column.missing), 'row')} without. Leave them out."
            )
    predicted = _positions(model, table)
    return tuple(
        Evaluation(name, decision.labels, class_positions(truths[name], decision.labels), predicted[:, k])
        for k, (name, decision) in enumerate(zip(known, decided, strict=True))
    )


def all_right(evaluations: Sequence[Evaluation]) -> float:
    """Return the share of rows for which every decision was right."""
    return float(np.all([e.truth == e.predicted for e in evaluations], axis=0).mean())


def _positions(model: Model, table: Any) -> Array:
    """Return the position of each predicted class, shape (n_rows, n_decisions)."""
    outputs = model.network(model.encode(table)).astype(np.int64)
    if model.labels is not None and model.network.layers[-1].activation == "hardmax":
        best: Array = outputs.argmax(axis=-1)[:, np.newaxis]
        return best
    return outputs
