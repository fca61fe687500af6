"""The target: the column a model predicts, as classes to learn and as names of outputs.

A *decision* is one thing a network says about a row, and has a *target*: the column that holds the truth.

* One target with two classes is one output, which fires for the second: ``diagnosis = malignant``.
* One target with more classes is an output for each: ``species = setosa``, ``species = virginica``, …
* Several targets with two classes each are an output for each, named like its column.

So the names of the outputs tell the targets, and `decisions` reads them back from a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

import numpy as np

from limen._text import listing, plural
from limen.encoding import Label, label_text, plain_label
from limen.errors import InputError
from limen.model import Model
from limen.step import Array
from limen.table import Column, column_names, columns, n_rows

__all__ = [
    "Decision",
    "class_labels",
    "class_positions",
    "decisions",
    "find_columns",
    "output_names",
    "rows_with_truth",
]

MANY = 20  # classes of a column before their number is doubted


@dataclass(frozen=True, slots=True)
class Decision:
    """What one decision of a model is about.

    Parameters
    ----------
    target : str or None
        The column that holds the truth; None if the names of the outputs don't tell.
    labels : tuple
        The classes it decides between.
    """

    target: str | None
    labels: tuple[Label, ...]


def output_names(targets: Sequence[str], labels: Sequence[Label]) -> tuple[str, ...]:
    """Return the names of the outputs that decide about `targets`.

    Parameters
    ----------
    targets : sequence of str
    labels : sequence
        The classes, if there is one target; two classes are one output.

    Examples
    --------
    >>> output_names(["diagnosis"], ["benign", "malignant"])
    ('diagnosis = malignant',)
    >>> output_names(["even", "has a loop"], [])
    ('even', 'has a loop')
    """
    if len(targets) > 1:
        return tuple(targets)
    named = labels[1:] if len(labels) == 2 else labels
    return tuple(f"{targets[0]} = {label_text(label)}" for label in named)


def decisions(model: Model) -> tuple[Decision, ...]:
    """Return what a model decides about: the reverse of `output_names`.

    Examples
    --------
    >>> from limen import Layer, Model, Network
    >>> net = Network(Layer([[1]], [-1]), inputs=["x"], outputs=["diagnosis = malignant"])
    >>> decisions(Model(net, labels=["benign", "malignant"]))
    (Decision(target='diagnosis', labels=('benign', 'malignant')),)
    """
    outputs, labels = model.network.outputs, model.labels
    if labels is None:
        return tuple(Decision(name, (0, 1)) for name in outputs)
    if not model.makes_one_decision:
        pairs = cast("tuple[tuple[Label, Label], ...]", labels)
        return tuple(Decision(name, pair) for name, pair in zip(outputs, pairs, strict=True))
    classes = cast("tuple[Label, ...]", labels)
    ending = f" = {label_text(classes[1] if len(outputs) == 1 and len(classes) == 2 else classes[0])}"
    target = outputs[0][: -len(ending)] if outputs[0].endswith(ending) else ""
    if target and output_names([target], classes) == outputs:
        return (Decision(target, classes),)
    return (Decision(outputs[0] if len(outputs) == 1 else None, classes),)


def find_columns(table: Any, wanted: str) -> tuple[str, ...]:
    """Return the columns that a text names: one column, or several separated by commas.

    A column whose name is the whole text comes first, so that a name with a comma in it can be reached; a name
    among several may be put in double quotes.

    Raises
    ------
    InputError
        A column that the table doesn't have (names that are close are listed), or one named twice.

    Examples
    --------
    >>> find_columns({"a": [], "b, c": []}, 'a, "b, c"')
    ('a', 'b, c')
    """
    own = column_names(table) or ()
    if wanted in own:
        return (wanted,)
    import csv

    found: list[str] = []
    for name in (part.strip() for part in next(csv.reader([wanted], skipinitialspace=True), [])):
        if name not in own:
            lower = {candidate.lower(): candidate for candidate in own}
            close = [lower[match] for match in get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
            remedy = (
                f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Columns: {listing(own, 12)}."
            )
            raise InputError(f"The table has no column {name!r}. {remedy}")
        found.append(name)
    if not found or len(set(found)) < len(found):
        raise InputError(f"Name at least one column, and each only once. Received: {wanted!r}.")
    return tuple(found)


def class_labels(column: Column, *, pair: bool = False, n_rows: int | None = None) -> tuple[Label, ...]:
    """Return the classes of a column, in order: text by alphabet, numbers by size, false before true.

    Parameters
    ----------
    column : Column
        Its missing values are passed over.
    pair : bool
        Whether there must be two: then 0 and 1, or false and true, are two although one may not occur.
    n_rows : int, optional
        How many rows there are, where the column holds each value only once.

    Raises
    ------
    InputError
        No class or only one, or values that are measurements or names rather than classes.
    """
    name, values = column.name, column.present
    n_rows = len(values) if n_rows is None else n_rows
    if column.kind == "number" and values.dtype.kind == "f":
        fractions = values[values != np.rint(values)]
        if len(fractions):
            raise InputError(
                f"A target holds classes, and limen classifies. Column {name!r} holds measurements such as"
                f" {fractions[0]}. Turn them into classes first, for instance low, middle and high."
            )
    found = tuple(plain_label(value) for value in sorted(set(values.tolist())))
    if pair and column.kind != "text" and set(found) <= {0, 1}:
        return (False, True) if column.kind == "boolean" else (0, 1)
    if len(found) > max(MANY, n_rows // 2) or (column.kind == "number" and len(found) > 5 * MANY):
        raise InputError(
            f"A target holds classes, and limen classifies. Column {name!r} has {len(found)} different values in"
            f" {plural(n_rows, 'row')}. Choose another target, or turn the values into a few classes."
        )
    if pair and len(found) != 2:
        raise InputError(
            "Of several targets, each must have two classes: 0 and 1, true and false, or two texts."
            f" Column {name!r} has {len(found)}: {listing([label_text(label) for label in found])}."
        )
    if len(found) < 2:
        only = f"only one class, {label_text(found[0])!r}" if found else "no values"
        raise InputError(f"A target must have at least two classes. Column {name!r} has {only}.")
    return found


def class_positions(column: Column, labels: Sequence[Label]) -> Array:
    """Return the position of each row's class among `labels`, and -1 for a missing or unknown one.

    Raises
    ------
    InputError
        The column holds text and the labels don't, or the other way round.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
    """
    is_text = isinstance(labels[0], str)
    if is_text != (column.kind == "text") and not column.missing.all():
        raise InputError(
            f"Column {column.name!r} must hold the classes {listing([label_text(label) for label in labels])}."
            f" Received: {'numbers' if column.kind == 'number' else column.kind}."
        )
    places = {label: position for position, label in enumerate(labels)}
    found = np.fromiter(
        (places.get(value, -1) for value in column.values.tolist()), np.int64, len(column.values)
    )
    positions: Array = np.where(column.missing, -1, found)
    return positions


def rows_with_truth(table: Any, targets: Sequence[str]) -> Array:
    """Return the positions of the rows in which no target is missing.

    Returns
    -------
    ndarray of int64
        Increasing.
    """
    gone = [column.missing for column in columns(table, targets).values()]
    return np.flatnonzero(~np.any(gone, axis=0)) if gone else np.arange(n_rows(table))
