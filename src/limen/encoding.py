"""From a table to zeros and ones: plain frozen data, and what it means.

An `Encoding` is a tuple of column rules, in the order of the inputs they make:

* `Thresholds`: a column of numbers becomes one input for each cut point, ``age >= 35``.
* `Categories`: any column becomes one input for each category, ``job = farmer``.

Either may have one more input, ``age is missing``. A value that is missing sets only that input (if there is
one); a category that isn't listed sets none. Makers fill an encoding from data, users only read it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias, final

import numpy as np

from limen.errors import InputError
from limen.network import Layer, Network
from limen.step import Array
from limen.table import Column, columns

__all__ = ["Categories", "Encoding", "Label", "Rule", "Thresholds", "label_text", "plain_label"]

Label: TypeAlias = str | int | float | bool
"""What a category or a class may be: text, a whole number, a finite number, or a boolean."""


def plain_label(value: Any, what: str = "label") -> Label:
    """Return a label as plain Python data, keeping its type.

    Raises
    ------
    InputError
        Anything but text, a boolean or a finite number.

    Examples
    --------
    >>> plain_label(np.int64(3)), plain_label(np.bool_(False)), plain_label("malignant")
    (3, False, 'malignant')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value) if isinstance(value, str) else value
    raise InputError(f"A {what} must be text, a boolean or a finite number. Received: {value!r}.")


def label_text(value: Label) -> str:
    """Return a label as people read it: booleans as ``true`` and ``false``, text as it is."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@final
@dataclass(frozen=True, slots=True)
class Thresholds:
    """A column of numbers as inputs ``column >= cut``, each 1 iff the value reaches the cut point.

    Parameters
    ----------
    column : str
    cuts : tuple of int or float
        Finite, strictly increasing.
    missing : bool
        Whether there is an input that is 1 iff the value is missing.
    """

    column: str
    cuts: tuple[int | float, ...]
    missing: bool = False

    def __post_init__(self) -> None:
        _check_name(self.column)
        cuts = tuple(plain_label(cut, f"cut point of column {self.column!r}") for cut in self.cuts)
        if any(isinstance(cut, str | bool) for cut in cuts):
            raise InputError(f"Cut points of column {self.column!r} must be numbers. Received: {cuts}.")
        if any(low >= high for low, high in pairwise(cuts)):  # type: ignore[operator]
            raise InputError(f"Cut points of column {self.column!r} must increase. Received: {cuts}.")
        object.__setattr__(self, "cuts", cuts)
        object.__setattr__(self, "missing", bool(self.missing))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        names = tuple(f"{self.column} >= {cut}" for cut in self.cuts)
        return (*names, f"{self.column} is missing") if self.missing else names

    def encode(self, column: Column) -> Array:
        """Return the inputs as uint8 of shape (n_rows, n_inputs)."""
        if column.kind == "text" and not column.missing.all():
            row = int(np.flatnonzero(~column.missing)[0])
            raise InputError(
                f"Column {self.column!r} must hold numbers. Received: text, {column.values[row]!r} in row {row}."
            )
        values = np.zeros(len(column.values)) if column.kind == "text" else column.values
        bits = np.zeros((len(values), len(self.inputs)), dtype=np.uint8)
        for k, cut in enumerate(self.cuts):
            bits[:, k] = (values >= cut) & ~column.missing
        if self.missing:
            bits[:, -1] = column.missing
        return bits

    def unseen(self, column: Column) -> int:
        """Return how many values no input stands for: the missing ones, where missing has no input."""
        return 0 if self.missing else int(column.missing.sum())


@final
@dataclass(frozen=True, slots=True)
class Categories:
    """A column as inputs ``column = category``, each 1 iff the value is that category.

    Parameters
    ----------
    column : str
    categories : tuple of str, int, float or bool
        All text, all numbers or all booleans; no two equal.
    missing : bool
        Whether there is an input that is 1 iff the value is missing.
    """

    column: str
    categories: tuple[Label, ...]
    missing: bool = False

    def __post_init__(self) -> None:
        _check_name(self.column)
        categories = tuple(
            plain_label(value, f"category of column {self.column!r}") for value in self.categories
        )
        kinds = {_kind(value) for value in categories}
        if len(kinds) > 1 or len(set(categories)) < len(categories):
            raise InputError(
                f"Categories of column {self.column!r} must be of one kind (text, numbers or booleans) and no two"
                f" equal. Received: {categories}."
            )
        object.__setattr__(self, "categories", categories)
        object.__setattr__(self, "missing", bool(self.missing))

    @property
    def kind(self) -> str:
        """The kind of the categories: ``text``, ``number`` or ``boolean``."""
        return _kind(self.categories[0]) if self.categories else "text"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        names = tuple(f"{self.column} = {label_text(value)}" for value in self.categories)
        return (*names, f"{self.column} is missing") if self.missing else names

    def encode(self, column: Column) -> Array:
        """Return the inputs as uint8 of shape (n_rows, n_inputs)."""
        bits = np.zeros((len(column.values), len(self.inputs)), dtype=np.uint8)
        positions = self._positions(column)
        rows = np.flatnonzero(positions >= 0)
        bits[rows, positions[rows]] = 1
        if self.missing:
            bits[:, -1] = column.missing
        return bits

    def unseen(self, column: Column) -> int:
        """Return how many values no input stands for: unlisted categories, and missing ones without an input.

        A boolean column lists only ``true``, so that ``false`` is not unseen.
        """
        unlisted = (self._positions(column) < 0) & ~column.missing
        if self.kind == "boolean":
            unlisted &= False
        return int(unlisted.sum()) + (0 if self.missing else int(column.missing.sum()))

    def _positions(self, column: Column) -> Array:
        """Return the position of each value's category, -1 where it is missing or not listed."""
        if column.kind != self.kind and not column.missing.all():
            row = int(np.flatnonzero(~column.missing)[0])
            raise InputError(
                f"Column {self.column!r} must hold {_PLURAL[self.kind]}. Received: {_PLURAL[column.kind]},"
                f" {column.values[row]!r} in row {row}."
            )
        places = {value: k for k, value in enumerate(self.categories)}
        found = np.fromiter(
            (places.get(value, -1) for value in column.values.tolist()), np.int64, len(column.values)
        )
        positions: Array = np.where(column.missing, -1, found)
        return positions


Rule: TypeAlias = Thresholds | Categories
"""How one column becomes inputs."""


@final
@dataclass(frozen=True)
class Encoding:
    """How a table becomes the 0/1 inputs of a network.

    Parameters
    ----------
    rules : sequence of Thresholds or Categories
        One for each column used, no column twice; at least one input in all.

    Raises
    ------
    InputError
        No rule, no input, a column twice, or two inputs that would have one name.

    Examples
    --------
    >>> encoding = Encoding([Thresholds("age", (35, 60)), Categories("job", ("farmer",), missing=True)])
    >>> encoding.inputs
    ('age >= 35', 'age >= 60', 'job = farmer', 'job is missing')
    >>> encoding.encode({"job": ["farmer", None], "age": [61, 35]})
    array([[1, 1, 1, 0],
           [1, 0, 0, 1]], dtype=uint8)
    """

    rules: tuple[Rule, ...]

    def __init__(self, rules: Sequence[Rule]) -> None:
        rules = tuple(rules)
        for rule in rules:
            if not isinstance(rule, Thresholds | Categories):
                raise InputError(f"A rule is a Thresholds or a Categories. Received: {type(rule).__name__}.")
        for what, names in (
            ("column", [rule.column for rule in rules]),
            ("input", [name for rule in rules for name in rule.inputs]),
        ):
            if not names:
                raise InputError(f"An encoding needs at least one {what}. Received: none.")
            if len(set(names)) < len(names):
                twice = next(name for i, name in enumerate(names) if name in names[:i])
                raise InputError(
                    f"Each {what} of an encoding needs a name of its own. Received twice: {twice!r}."
                )
        object.__setattr__(self, "rules", rules)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a table must have; their order in the table doesn't matter."""
        return tuple(rule.column for rule in self.rules)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns whose categories are text, to be read from a file as text whatever they look like."""
        return tuple(
            rule.column for rule in self.rules if isinstance(rule, Categories) and rule.kind == "text"
        )

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(name for rule in self.rules for name in rule.inputs)

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.inputs)

    def encode(self, table: Any) -> Array:
        """Return the inputs for the rows of a table.

        Parameters
        ----------
        table : pandas, polars or Arrow table, mapping of columns, or array
            With at least `columns`, in any order; an array has exactly these, in this order.

        Returns
        -------
        ndarray of uint8, shape (n_rows, n_inputs)
            Zeros and ones.

        Raises
        ------
        InputError
            A column is missing from the table, or is of another kind than the rule's.
        """
        found = columns(table, self.columns, array_names=self.columns)
        return np.concatenate([rule.encode(found[rule.column]) for rule in self.rules], axis=1)

    def unseen(self, table: Any) -> dict[str, int]:
        """Return, for each column that has any, how many values no input stands for."""
        found = columns(table, self.columns, array_names=self.columns)
        counts = {rule.column: rule.unseen(found[rule.column]) for rule in self.rules}
        return {name: count for name, count in counts.items() if count}

    def network(self) -> Network:
        """Return the encoding as a layer of threshold neurons with one input each.

        Returns
        -------
        Network
            From the raw columns (real domain) to `inputs`; equal to `encode` for every finite number.

        Raises
        ------
        InputError
            A column has categories or an input for missing values: a neuron reads only numbers.

        Examples
        --------
        >>> print(Encoding([Thresholds("age", (35,))]).network())
        Network: 1 input → 1 heaviside
        age >= 35 fires when age ≥ 35
        """
        from scipy import sparse

        for rule in self.rules:
            if isinstance(rule, Categories) or rule.missing:
                reason = (
                    "has an input for missing values" if isinstance(rule, Thresholds) else "holds categories"
                )
                raise InputError(
                    "Only numeric columns without missing values make a layer of threshold neurons. Column"
                    f" {rule.column!r} {reason}; use the encoding itself, or leave the column out."
                )
        cuts = [cut for rule in self.rules for cut in (rule.cuts if isinstance(rule, Thresholds) else ())]
        rows = np.repeat(np.arange(len(self.rules)), [len(rule.inputs) for rule in self.rules])
        shape = (len(self.rules), len(cuts))
        weights = sparse.csc_array((np.ones(len(cuts)), (rows, np.arange(len(cuts)))), shape=shape)
        return Network(Layer(weights, -np.array(cuts, dtype=np.float64)), self.columns, self.inputs)


_PLURAL = {"text": "text", "number": "numbers", "boolean": "booleans"}


def _kind(value: Label) -> str:
    if isinstance(value, str):
        return "text"
    return "boolean" if isinstance(value, bool) else "number"


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise InputError(f"A column's name is text. Received: {name!r}.")
