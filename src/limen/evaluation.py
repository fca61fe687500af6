"""A model's predictions held against the truth: accuracy, balanced accuracy, the confusion table.

`evaluate` predicts the rows of a table that also holds the truth, and returns an `Evaluation` for each decision;
`together` makes one of the evaluations of several tables, in which rows are only counted.
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

__all__ = ["Evaluation", "all_right", "evaluate", "together"]


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
    counts : ndarray of int64, shape (n_rows,), optional
        How many rows each entry stands for. Default: 1.
    n_all_right : int, optional
        Of how many rows every decision made about them was right, which counts don't tell.

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
    counts: Array | None = None
    n_all_right: int | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows that were predicted."""
        return len(self.truth) if self.counts is None else int(self.counts.sum())

    @property
    def n_unknown(self) -> int:
        """Number of rows whose true class the model doesn't know."""
        unknown = self.truth < 0
        return int(unknown.sum() if self.counts is None else self.counts[unknown].sum())

    @property
    def accuracy(self) -> float:
        """The share of rows that were right."""
        return float(np.average(self.truth == self.predicted, weights=self.counts))

    @property
    def balanced_accuracy(self) -> float:
        """The mean, over the classes that occur, of the share of their rows that were right."""
        recalls = []
        for k in np.unique(self.truth):
            own = self.truth == k
            recalls.append(np.average(self.predicted[own] == k, weights=self._counts(own)))
        return float(np.mean(recalls))

    @property
    def confusion(self) -> Array:
        """Counts of shape (n_labels, n_labels): a row for each true class, a column for each predicted one."""
        n, known = len(self.labels), self.truth >= 0
        cells = self.truth[known] * n + self.predicted[known]
        counts = np.bincount(cells, weights=self._counts(known), minlength=n * n)
        table: Array = counts.astype(np.int64).reshape(n, n)
        return table

    def always(self, position: int) -> float:
        """Return the accuracy of always saying the class at `position`."""
        return float(np.average(self.truth == position, weights=self.counts))

    @property
    def majority(self) -> int:
        """The position of the true class that most rows have."""
        known = self.truth >= 0
        counts = np.bincount(self.truth[known], weights=self._counts(known), minlength=len(self.labels))
        return int(counts.argmax())

    def _counts(self, which: Array) -> Array | None:
        return None if self.counts is None else self.counts[which]


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
    if evaluations[0].n_all_right is not None:
        return evaluations[0].n_all_right / evaluations[0].n_rows
    return float(np.all([e.truth == e.predicted for e in evaluations], axis=0).mean())


def together(parts: Sequence[Sequence[Evaluation]]) -> tuple[Evaluation, ...]:
    """Return the evaluations of several tables as those of one table.

    Parameters
    ----------
    parts : sequence of sequence of Evaluation
        For each table those that `evaluate` or this function returned, of the same targets and classes.

    Returns
    -------
    tuple of Evaluation
        Rows with the same true and predicted class are one entry with a count, so that more rows take no more memory.

    Examples
    --------
    >>> e = Evaluation("y", ("a", "b"), np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0]))
    >>> (both,) = together([[e], [e]])
    >>> both.n_rows, both.accuracy, both.confusion.tolist()
    (8, 0.75, [[2, 0], [2, 4]])
    """
    n_right = sum(round(all_right(part) * part[0].n_rows) for part in parts if part[0].n_rows)
    found = []
    for same in zip(*parts, strict=True):
        first, n = same[0], len(same[0].labels)
        counts = np.zeros((n + 1) * n, dtype=np.int64)
        for e in same:
            cells = (e.truth + 1) * n + e.predicted
            counts += np.bincount(cells, weights=e.counts, minlength=len(counts)).astype(np.int64)
        (kept,) = np.nonzero(counts)
        truth, predicted = kept // n - 1, kept % n
        found.append(Evaluation(first.target, first.labels, truth, predicted, counts[kept], n_right))
    return tuple(found)


def _positions(model: Model, table: Any) -> Array:
    """Return the position of each predicted class, shape (n_rows, n_decisions)."""
    outputs = model.network(model.encode(table)).astype(np.int64)
    if model.labels is not None and model.network.layers[-1].activation == "hardmax":
        best: Array = outputs.argmax(axis=-1)[:, np.newaxis]
        return best
    return outputs
