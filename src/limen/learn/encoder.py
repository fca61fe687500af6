"""From a table to the 0/1 inputs that threshold neurons like best, with names a person can read.

`ThresholdEncoder` looks at each column of a training table and makes a rule for it:

* a column of numbers becomes inputs ``age >= 35``, one for each *cut point*;
* a column of text, or of what the table calls categories, becomes inputs ``job = farmer``, one for each
  *category*, and a column of booleans the one input ``smoker = true``;
* where values were missing there is one more input, ``age is missing``.

What it learned is `ThresholdEncoder.encoding_`, a `limen.Encoding`: plain data that is kept in a model's file
and needs no scikit-learn to be used.

A *split* of a column is a place between two neighbouring distinct values. Every number in the gap, the upper
value included, makes the same input from the training rows; the cut point is the one written with the fewest
digits: ``mean radius >= 13.4``. So no input is constant on the training rows, and people can read it.

References
----------
J. Dougherty, R. Kohavi and M. Sahami (1995), "Supervised and unsupervised discretization of continuous features",
ICML, section 2: equal-frequency (``quantile``) and equal-width (``uniform``) intervals.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from limen._text import listing, plural
from limen.encoding import Categories, Encoding, Rule, Thresholds, plain_label
from limen.errors import InputError
from limen.network import Network
from limen.step import Array
from limen.table import Column, column_names, columns

__all__ = ["ThresholdEncoder"]

DIGITS = 17  # no float64 needs more to be told from its neighbours


class ThresholdEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Turn a table into 0/1 inputs: numbers into thresholds, categories into equalities.

    Parameters
    ----------
    n_thresholds : int, default 8
        The most cut points a column of numbers gets. A column with fewer splits gets one for each.
    strategy : {"quantile", "uniform"}, default "quantile"
        Where the cut points go. ``quantile``: equally many rows between neighbours; where many equal values
        swallow some of them, the rest halve the fullest intervals. ``uniform``: equally far apart.
    cuts : mapping of column to sequence of numbers, optional
        Cut points for some columns of numbers, taken as they are; an empty sequence leaves the column out.
    categorical : "auto" or sequence of columns, default "auto"
        Columns of numbers to take as categories. Text, booleans, and what the table itself calls categories
        (pandas ``category``, Arrow dictionaries, polars ``Categorical``) always are.
    max_categories : int or None, default 32
        The most categories a column gets. Of a column with more, as of names or identifiers, the most
        frequent are kept (of equally frequent ones the first by value), and none that occurs only once.
    missing : {"auto", "ignore"}, default "auto"
        ``auto``: an input ``… is missing`` for each column with missing values in the training table.
        ``ignore``: none.

    Attributes
    ----------
    encoding_ : limen.Encoding
        What was learned; it has a rule for every column, in the order of the training table.
    network_ : limen.Network
        The encoding as a layer of threshold neurons, if all columns are numeric and complete.
    constant_columns_ : tuple of str
        Columns that make no input because all their values were the same, or all missing.
    truncated_columns_ : dict of str to int
        For each column with more than `max_categories`, how many categories were left out.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str objects, shape (n_features_in_,)
        Their names; only there if the training table has names, all of them text.

    Notes
    -----
    A *column* is named by its name or its position. Columns are found by name where both tables have names:
    their order doesn't matter, further columns are ignored (as `sklearn.compose.ColumnTransformer` does, and
    unlike most of scikit-learn, which wants the same columns in the same order). A column that makes no input
    may be missing. Where one of the two is a plain array, columns are found by position, their number must be
    the same, and scikit-learn's warning says so.

    A missing value, or a category not seen in training, sets only the input made for it, if there is one.
    `encoding_.unseen(table)` counts the values that set none.

    Integers get integer cut points, and so do floats that are all whole numbers.

    Examples
    --------
    >>> table = {"age": [20, 30, 40, 50], "job": ["cook", None, "cook", "farmer"], "smoker": [True, False] * 2}
    >>> encoder = ThresholdEncoder(n_thresholds=2).fit(table)
    >>> for name in encoder.get_feature_names_out():
    ...     print(name)
    age >= 30
    age >= 50
    job = cook
    job = farmer
    job is missing
    smoker = true
    >>> encoder.transform({"smoker": [True], "job": ["judge"], "age": [35]})
    array([[1, 0, 0, 0, 0, 1]], dtype=uint8)
    """

    encoding_: Encoding
    constant_columns_: tuple[str, ...]
    truncated_columns_: dict[str, int]
    n_features_in_: int

    def __init__(
        self,
        n_thresholds: int = 8,
        *,
        strategy: str = "quantile",
        cuts: Mapping[str | int, Sequence[float]] | None = None,
        categorical: str | Sequence[str | int] = "auto",
        max_categories: int | None = 32,
        missing: str = "auto",
    ) -> None:
        self.n_thresholds = n_thresholds
        self.strategy = strategy
        self.cuts = cuts
        self.categorical = categorical
        self.max_categories = max_categories
        self.missing = missing

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn a rule for each column.

        Parameters
        ----------
        X : pandas, polars or Arrow table, mapping of columns, or array of shape (n_rows, n_columns)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        InputError
            A parameter or a table that can't be used, dates, infinite numbers, or no column with two values.
        """
        self._check_parameters()
        _refuse_sparse(X)
        found = columns(X)
        if not found:
            raise InputError(
                f"Found array with 0 feature(s) (shape={np.shape(X)}) while a minimum of 1 is required."
                " Give a table with at least one column."
            )
        names = tuple(found)
        n_samples = len(found[names[0]])
        if n_samples == 0:
            raise InputError("A table to learn from needs rows. Received: 0 samples.")
        categorical = () if isinstance(self.categorical, str) else self.categorical
        chosen = {_name(column, names, "categorical") for column in categorical}
        cuts = {_name(column, names, "cuts"): points for column, points in (self.cuts or {}).items()}
        truncated: dict[str, int] = {}
        rules = [self._rule(column, chosen, cuts, truncated) for column in found.values()]
        idle = tuple(
            rule.column for rule in rules if not rule.inputs and rule.column not in {*truncated, *cuts}
        )
        if not any(rule.inputs for rule in rules):
            raise InputError(
                "A table to learn from needs at least one column with two different values."
                f" Received: {plural(n_samples, 'sample')} of {listing(names)}, none of which makes an input."
            )
        encoding = Encoding(rules)

        self.encoding_ = encoding
        self.constant_columns_ = idle
        self.truncated_columns_ = truncated
        self.n_features_in_ = len(names)
        if _has_names(X):
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def transform(self, X: Any) -> Array:
        """Return the inputs for the rows of a table.

        Parameters
        ----------
        X : pandas, polars or Arrow table, mapping of columns, or array of shape (n_rows, n_features_in_)

        Returns
        -------
        ndarray of uint8, shape (n_rows, n_inputs)
            Zeros and ones; a table instead, if `set_output` asked for one.

        Raises
        ------
        InputError
            A column that makes inputs isn't in the table, or holds another kind of values than in training.
        """
        check_is_fitted(self)
        _refuse_sparse(X)
        names = column_names(X)
        fitted_by_name = hasattr(self, "feature_names_in_")
        if names is not None and (fitted_by_name or set(self.encoding_.used_columns) <= set(names)):
            return self.encoding_.encode(X)
        found = columns(X)
        if len(found) != self.n_features_in_:
            raise InputError(
                f"X has {len(found)} features, but ThresholdEncoder is expecting {self.n_features_in_} features"
                f" as input ({listing(self.encoding_.columns)})."
            )
        if fitted_by_name:
            warnings.warn(
                "X does not have valid feature names, but ThresholdEncoder was fitted with feature names",
                stacklevel=2,
            )
        elif names is not None:
            warnings.warn(
                "X has feature names, but ThresholdEncoder was fitted without feature names", stacklevel=2
            )
        return self.encoding_.encode(dict(zip(self.encoding_.columns, found.values(), strict=True)))

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> Array:
        """Return the names of the inputs.

        Parameters
        ----------
        input_features : sequence of str, optional
            What to call the columns if the encoder was fitted on a plain array.

        Returns
        -------
        ndarray of str objects, shape (n_inputs,)
        """
        check_is_fitted(self)
        encoding = self.encoding_
        if input_features is not None:
            own = getattr(self, "feature_names_in_", None)
            if own is not None and list(own) != list(input_features):
                raise InputError(
                    "input_features is not equal to feature_names_in_."
                    f" Received: {listing(list(map(str, input_features)))}."
                )
            if len(input_features) != self.n_features_in_:
                raise InputError(
                    f"input_features should have length equal to the number of columns, {self.n_features_in_}."
                    f" Received: {len(input_features)}."
                )
            pairs = zip(encoding.rules, input_features, strict=True)
            encoding = Encoding([_renamed(rule, str(name)) for rule, name in pairs])
        return np.array(encoding.inputs, dtype=object)

    @property
    def network_(self) -> Network:
        """The encoding as a layer of threshold neurons; see `limen.Encoding.network`."""
        check_is_fitted(self)
        return self.encoding_.network()

    # One column -------------------------------------------------------------------------------------------------

    def _rule(
        self,
        column: Column,
        categorical: set[str],
        cuts: Mapping[str, Sequence[float]],
        truncated: dict[str, int],
    ) -> Rule:
        """Return the rule for a column; `truncated` is told what was left out."""
        present = column.present
        missing = self.missing == "auto" and 0 < len(present) < len(column)
        is_number = column.kind == "number" and not column.is_category and column.name not in categorical
        if column.name in cuts:
            if not is_number:
                raise InputError(
                    f"cuts are for columns of numbers. Received: column {column.name!r}, of categories."
                )
            points = {_plain(point) for point in cuts[column.name]}
            return Thresholds(column.name, tuple(sorted(points)), missing and len(points) > 0)
        if is_number:
            return Thresholds(column.name, _cut_points(present, self.n_thresholds, self.strategy), missing)
        counts = _counts(present)
        if len(counts) + missing < 2:
            return Categories(column.name, ())
        if column.kind == "boolean":
            return Categories(column.name, (True,) if True in counts else (False,), missing)
        kept = sorted(counts)
        if self.max_categories is not None and len(kept) > self.max_categories:
            kept.sort(key=lambda value: -counts[value])
            kept = sorted(value for value in kept[: self.max_categories] if counts[value] > 1)
            truncated[column.name] = len(counts) - len(kept)
        return Categories(column.name, tuple(kept), missing)

    def _check_parameters(self) -> None:
        for name in ("n_thresholds", "max_categories"):
            value = getattr(self, name)
            if name == "max_categories" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"{name} must be a whole number, at least 1. Received: {value!r}.")
        for name, words in (("strategy", ("quantile", "uniform")), ("missing", ("auto", "ignore"))):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in words:
                raise InputError(f"{name} must be {' or '.join(map(repr, words))}. Received: {value!r}.")
        if self.cuts is not None and not isinstance(self.cuts, Mapping):
            raise InputError(f"cuts must map columns to cut points. Received: {type(self.cuts).__name__}.")
        if isinstance(self.categorical, str) and self.categorical != "auto":
            raise InputError(
                f"categorical must be 'auto' or a list of columns. Received: {self.categorical!r}."
            )

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags.

        Text is taken too, but its tag ``string`` would promise to take any object as well.
        """
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.dict = True
        tags.transformer_tags.preserves_dtype = []
        return tags


# At the door ----------------------------------------------------------------------------------------------------


def _refuse_sparse(X: Any) -> None:
    if hasattr(X, "tocsr"):
        raise InputError(
            "A sparse matrix can't be encoded: give a table or a dense array (X.toarray())."
            f" Received: {type(X).__name__}."
        )


def _has_names(X: Any) -> bool:
    """Whether a table has names of its own, all of them text."""
    if column_names(X) is None:
        return False
    own = X if isinstance(X, Mapping) else getattr(X, "column_names", None)
    return all(isinstance(name, str) for name in (X.columns if own is None else own))


def _name(column: Any, names: Sequence[str], parameter: str) -> str:
    """Return the name of a column given by name or position."""
    if isinstance(column, str) and column in names:
        return column
    if isinstance(column, int | np.integer) and not isinstance(column, bool) and 0 <= column < len(names):
        return names[int(column)]
    raise InputError(
        f"{parameter} must name columns of the table, by name ({listing(names)}) or by position"
        f" (0 to {len(names) - 1}). Received: {column!r}."
    )


def _renamed(rule: Rule, column: str) -> Rule:
    if isinstance(rule, Thresholds):
        return Thresholds(column, rule.cuts, rule.missing)
    return Categories(column, rule.categories, rule.missing)


def _plain(value: Any) -> Any:
    """Return a value as plain Python data, a whole float as an int: people read 35, not 35.0."""
    value = plain_label(value, "value")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _counts(values: Array) -> dict[Any, int]:
    """Return how often each value occurs."""
    if values.dtype == object:
        return {str(value): count for value, count in Counter(values.tolist()).items()}
    distinct, counts = np.unique(values, return_counts=True)
    return {_plain(value): int(count) for value, count in zip(distinct, counts, strict=True)}


# Cut points -----------------------------------------------------------------------------------------------------


def _cut_points(values: Array, n: int, strategy: str) -> tuple[int | float, ...]:
    """Return at most `n` cut points for the values of a column, each splitting them."""
    distinct, counts = np.unique(values, return_counts=True)
    n_splits = len(distinct) - 1
    if n_splits < 1:
        return ()
    whole = distinct.dtype.kind in "iu" or bool(
        (distinct == np.rint(distinct)).all() and abs(distinct).max() < 2**53
    )
    if n_splits <= n:
        splits = list(range(n_splits))
    elif strategy == "uniform":
        splits = _even_splits(distinct, n)
    else:
        splits = _balanced_splits(np.cumsum(counts), n)
    pairs = [(distinct[k].item(), distinct[k + 1].item()) for k in splits]
    if whole and n_splits <= n:
        return tuple(int(value) for _, value in pairs)  # few whole numbers are levels: name the levels
    return tuple(_shortest(int(low), int(high)) if whole else _shortest(low, high) for low, high in pairs)


def _even_splits(distinct: Array, n: int) -> list[int]:
    """Return the splits nearest above `n` points equally far apart. Split ``k`` is above ``distinct[k]``."""
    parts = np.arange(1, n + 1) / (n + 1)
    edges = (1 - parts) * float(distinct[0]) + parts * float(distinct[-1])
    above = np.searchsorted(distinct, edges)
    return sorted({int(k) - 1 for k in np.clip(above, 1, len(distinct) - 1)})


def _balanced_splits(up_to: Array, n: int) -> list[int]:
    """Return `n` splits with about equally many rows between neighbours.

    Parameters
    ----------
    up_to : ndarray of int, shape (n_distinct,)
        How many rows hold the k-th distinct value or a smaller one: the rows below split ``k``.
    """
    below, n_rows = up_to[:-1], int(up_to[-1])
    splits = {_nearest(below, n_rows * k / (n + 1)) for k in range(1, n + 1)}
    while len(splits) < n:  # there are more splits than that, so some interval can be halved
        ends = [-1, *sorted(splits), len(below)]
        rows = [0, *(int(up_to[k]) for k in ends[1:])]
        intervals = [(rows[i + 1] - rows[i], -i) for i in range(len(ends) - 1) if ends[i + 1] - ends[i] > 1]
        i = -max(intervals)[1]
        inside = below[ends[i] + 1 : ends[i + 1]]
        splits.add(ends[i] + 1 + _nearest(inside, (rows[i] + rows[i + 1]) / 2))
    return sorted(splits)


def _nearest(increasing: Array, target: float) -> int:
    """Return the position of the number nearest to `target`, the lower of two."""
    k = int(np.searchsorted(increasing, target))
    if k == len(increasing) or (k > 0 and target - increasing[k - 1] <= increasing[k] - target):
        return k - 1
    return k


def _shortest(low: float, high: float) -> int | float:
    """Return the number ``c`` with ``low < c <= high`` that is a multiple of the largest power of ten.

    Of several it is `high`, or else the one nearest to the middle. Two integers give an integer. The search is
    in fractions, so it is exact, and a number that float64 would round out of the gap isn't taken.
    """
    bottom, top = Fraction(low), Fraction(high)
    first = math.floor(math.log10(max(abs(low), abs(high)))) + 1
    for exponent in range(first, first - DIGITS - 1, -1):
        step = Fraction(10) ** exponent
        least, most = bottom // step + 1, top // step
        if most * step == top:
            break
        if least > most:
            continue
        middle = round((bottom + top) / (2 * step))
        multiple = min(max(middle, least), most) * step
        cut = int(multiple) if isinstance(high, int) else _plain(float(multiple))
        if low < cut <= high:
            return cut
    return _plain(high)  # type: ignore[no-any-return]
