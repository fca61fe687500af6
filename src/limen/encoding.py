"""From a table to zeros and ones: plain frozen data, and what it means.

An `Encoding` is a tuple of column rules, in the order of the inputs they make:

* `Thresholds`: a column of numbers becomes one input for each cut point, ``age >= 35``.
* `Categories`: any column becomes one input for each category, ``job = farmer``.

Either may have one more input, ``age is missing``. A value that is missing sets only that input (if there is
one); a category that isn't listed sets none. Makers fill an encoding from data, users only read it.

Rules compare by what they read as: 1, 1.0 and True are equal to Python, but make inputs of other names.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any, TypeAlias, final

import numpy as np

from limen._door import FLOAT64_WHOLE, INT64_MAX
from limen.errors import InputError, NotExactError
from limen.network import Layer, Network
from limen.step import Array
from limen.table import Column, columns

__all__ = ["Categories", "Encoding", "Label", "Rule", "Thresholds", "comparable", "label_text", "plain_label"]

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
@dataclass(frozen=True, slots=True, eq=False)
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
        if any(abs(cut) > sys.float_info.max for cut in cuts):  # type: ignore[arg-type]
            raise InputError(
                f"Cut points of column {self.column!r} must lie within float64. Received: {cuts}."
            )
        if any(low >= high for low, high in pairwise(cuts)):  # type: ignore[operator]
            raise InputError(f"Cut points of column {self.column!r} must increase. Received: {cuts}.")
        object.__setattr__(self, "cuts", cuts)
        object.__setattr__(self, "missing", bool(self.missing))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        names = tuple(f"{self.column} >= {cut}" for cut in self.cuts)
        return (*names, f"{self.column} is missing") if self.missing else names

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other) if isinstance(other, Thresholds) else NotImplemented

    def __hash__(self) -> int:
        return hash(repr(self))

    def encode(self, column: Column) -> Array:
        """Return the inputs as uint8 of shape (n_rows, n_inputs)."""
        if column.kind == "text" and not column.missing.all():
            raise InputError(f"Column {self.column!r} must hold numbers. Received: text, {_first(column)}.")
        values = np.zeros(len(column)) if column.kind == "text" else column.values
        present = ~column.missing
        bits = np.empty((len(values), len(self.inputs)), dtype=np.uint8)
        for k, cut in enumerate(self.cuts):
            bits[:, k] = _reaches(values, cut) & present
        if self.missing:
            bits[:, -1] = column.missing
        return bits

    def unseen(self, column: Column) -> int:
        """Return how many values no input stands for: the missing ones, where missing has no input."""
        return 0 if self.missing else int(column.missing.sum())


@final
@dataclass(frozen=True, slots=True, eq=False)
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

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other) if isinstance(other, Categories) else NotImplemented

    def __hash__(self) -> int:
        return hash(repr(self))

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

        Where a column of booleans lists only ``true``, ``false`` is the absence of it and not unseen.
        """
        unlisted = (self._positions(column) < 0) & ~column.missing
        n_unlisted = 0 if self.categories == (True,) and self.kind == "boolean" else int(unlisted.sum())
        return n_unlisted + (0 if self.missing else int(column.missing.sum()))

    def _positions(self, column: Column) -> Array:
        """Return the position of each value's category, -1 where it is missing or not listed."""
        if not self.categories:
            return np.full(len(column), -1)
        if column.kind != self.kind and not column.missing.all():
            raise InputError(
                f"Column {self.column!r} must hold {_PLURAL[self.kind]}. Received: {_PLURAL[column.kind]},"
                f" {_first(column)}."
            )
        places = {value: k for k, value in enumerate(self.categories)}
        found = np.fromiter(map(places.get, column.values.tolist(), repeat(-1)), np.int64, len(column))
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
        """The columns it is for. Their order matters only in an array, which has no names."""
        return tuple(rule.column for rule in self.rules)

    @property
    def used_columns(self) -> tuple[str, ...]:
        """The columns a table must have: those that make an input (a constant column makes none)."""
        return tuple(rule.column for rule in self.rules if rule.inputs)

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
            With at least `used_columns`, in any order; an array has exactly `columns`, in this order.

        Returns
        -------
        ndarray of uint8, shape (n_rows, n_inputs)
            Zeros and ones.

        Raises
        ------
        InputError
            A column is missing from the table, or is of another kind than the rule's.
        """
        found = columns(table, self.used_columns, array_names=self.columns)
        return np.concatenate([rule.encode(found[rule.column]) for rule in self.rules if rule.inputs], axis=1)

    def unseen(self, table: Any) -> dict[str, int]:
        """Return, for each used column that has any, how many values no input stands for."""
        found = columns(table, self.used_columns, array_names=self.columns)
        counts = {rule.column: rule.unseen(found[rule.column]) for rule in self.rules if rule.inputs}
        return {name: count for name, count in counts.items() if count}

    def network(self) -> Network:
        """Return the encoding as a layer of threshold neurons with one input each.

        Returns
        -------
        Network
            From `columns` as raw numbers (real domain) to `inputs`, equal to `encode`: for every float64, and
            for every int64 where all cut points are whole. It refuses, by name, a number so large that its
            distance to a cut point overflows.

        Raises
        ------
        InputError
            A column has categories or an input for missing values: a neuron reads only numbers.
        NotExactError
            A cut point is a whole number that float64 can't hold.

        Examples
        --------
        >>> print(Encoding([Thresholds("age", (35,))]).network())
        Network: 1 input → 1 heaviside
        "age >= 35" fires when age ≥ 35
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
        cuts = [cut for rule in self.rules if isinstance(rule, Thresholds) for cut in rule.cuts]
        for cut in cuts:
            if isinstance(cut, int) and int(float(cut)) != cut:
                raise NotExactError(
                    "A threshold neuron for any number needs cut points that float64 holds exactly."
                    f" Received: {cut}. Use the encoding itself, or scale the column."
                )
        exact = all(isinstance(cut, int) and abs(cut) <= INT64_MAX for cut in cuts)
        dtype = np.int64 if exact else np.float64
        rows = np.repeat(np.arange(len(self.rules)), [len(rule.inputs) for rule in self.rules])
        shape = (len(self.rules), len(cuts))
        ones = np.ones(len(cuts), dtype=dtype)
        weights = sparse.csc_array((ones, (rows, np.arange(len(cuts)))), shape=shape)
        return Network(Layer(weights, -np.array(cuts, dtype=dtype)), self.columns, self.inputs)


def comparable(dtype: np.dtype[Any], cut: int | float) -> int | float:
    """Return a cut point that values of a type reach exactly where they reach `cut`.

    NumPy compares int64 with a float in float64, and so back; a whole number with whole numbers, or a float with floats,
    isn't rounded.

    Examples
    --------
    >>> comparable(np.dtype(np.int64), 2.5), comparable(np.dtype(np.float64), 2**53 + 1)
    (3, 9007199254740994.0)
    """
    if dtype.kind in "iu":
        return math.ceil(cut)
    if isinstance(cut, int) and abs(cut) > FLOAT64_WHOLE:
        rounded = float(cut)
        return math.nextafter(rounded, math.inf) if int(rounded) < cut else rounded
    return cut


def _reaches(values: Array, cut: int | float) -> Array:
    reached: Array = values >= comparable(values.dtype, cut)
    return reached


_PLURAL = {"text": "text", "number": "numbers", "boolean": "booleans"}


def _first(column: Column) -> str:
    """Return the first value that is there, as people read it."""
    row = int(np.flatnonzero(~column.missing)[0])
    return f"{column.values[row : row + 1].tolist()[0]!r} in row {row}"


def _kind(value: Label) -> str:
    if isinstance(value, str):
        return "text"
    return "boolean" if isinstance(value, bool) else "number"


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise InputError(f"A column's name is text. Received: {name!r}.")
