"""What a fit is given, checked before anything is learned: rows, labels, weights, parameters.

`admit` turns what the user gave into `Rows`, `Targets` and sample weights; `validation_set` does so for rows that
training is judged by. `new_learner` turns the parameters into a `Learner` with its `Rule`; `start` sets the weights
it starts from; `learner_before` is what a further batch goes on with. Each refuses what can't be learned from, by name, and `all_or_nothing` sees to it that a refused or
failed fit leaves the estimator as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from limen.errors import InputError
from limen.learn._kernels import PA1, PA2, PERCEPTRON, Rule
from limen.learn._rows import Rows, rows
from limen.learn._targets import Targets, targets
from limen.learn._training import Learner
from limen.step import Array

__all__ = [
    "CONSTRAINTS",
    "Validation",
    "admit",
    "all_or_nothing",
    "known_labels",
    "learner_before",
    "new_learner",
    "start",
    "validation_set",
]

Settings: TypeAlias = Any
"""The estimator, for its parameters and what it learned before."""

UPDATES = {"perceptron": PERCEPTRON, "pa1": PA1, "pa2": PA2}


# Data -----------------------------------------------------------------------------------------------------------


def admit(
    settings: Settings, X: Any, y: Any, sample_weight: Any, labels: Array | None = None, first: bool = True
) -> tuple[Rows, Targets, Array]:
    """Return rows, targets and sample weights, checked.

    Parameters
    ----------
    settings : estimator
    X, y, sample_weight
        As the user gave them.
    labels : ndarray, optional
        All labels there are; those of `y` by default. Several outputs have none.
    first : bool
        Whether these rows say how many features there are; otherwise they must have those of the first.
    """
    X, y = validate_data(
        settings, X, y, accept_sparse=("csr", "csc"), dtype="numeric", multi_output=True, reset=first
    )
    grows = labels is not None and settings.unknown_classes == "add"
    target = targets(y, None if _has_columns(y) else labels, grows=grows)
    if sample_weight is None:
        return rows(X), target, np.ones(X.shape[0])
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not (weight > 0).any():
        raise InputError("At least one sample weight must be above zero. Received: all-zero sample weights.")
    return rows(X), target, weight


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Rows that training is judged by.

    Parameters
    ----------
    rows : ndarray or scipy.sparse matrix of shape (n_rows, n_features)
    codes : ndarray
        As in `Targets`.
    sample_weight : ndarray of shape (n_rows,)
    """

    rows: Any
    codes: Array
    sample_weight: Array


def validation_set(settings: Settings, target: Targets, X_val: Any, y_val: Any) -> Validation | None:
    """Return the user's own validation set, checked against the training rows; None if there is none."""
    if (X_val is None) != (y_val is None):
        missing, given = ("X_val", "y_val") if X_val is None else ("y_val", "X_val")
        raise InputError(f"X_val and y_val must be given together. Received: {given} without {missing}.")
    if X_val is None:
        return None
    X_val, y_val = validate_data(
        settings, X_val, y_val, accept_sparse=("csr", "csc"), dtype="numeric", multi_output=True, reset=False
    )
    several = target.kind == "multioutput"
    if _has_columns(y_val) != several or (several and y_val.shape[1] != target.n_outputs):
        shape = f"(n_rows, {target.n_outputs})" if several else "(n_rows,)"
        raise InputError(f"y_val must be of shape {shape}, as y. Received: shape {np.shape(y_val)}.")
    try:
        codes = targets(y_val, None if several else target.classes).codes
    except InputError as error:
        raise InputError(f"y_val must hold labels of y: {error}") from None
    return Validation(rows(X_val).source, codes, np.ones(len(codes)))


def _has_columns(y: Any) -> bool:
    """Whether `y` has a column for each of several outputs."""
    return np.ndim(y) == 2 and np.shape(y)[1] > 1


# Parameters -----------------------------------------------------------------------------------------------------


CONSTRAINTS: dict[str, list[Any]] = {
    "solution": [StrOptions({"average", "last", "pocket"})],
    "multi_class": [StrOptions({"crammer_singer", "ovr"})],
    "update": [StrOptions({"perceptron", "pa1", "pa2"})],
    "margin": [Interval(Real, 0, None, closed="left"), None],
    "C": [Interval(Real, 0, None, closed="neither")],
    "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "fit_intercept": ["boolean"],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left"), None],
    "shuffle": ["boolean"],
    "verbose": ["verbose"],
    "eta0": [Interval(Real, 0, None, closed="neither")],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
    "warm_start": ["boolean"],
    "shards": [Interval(Integral, 1, None, closed="left")],
    "unknown_classes": [StrOptions({"error", "add"})],
}
"""What each parameter may be, as scikit-learn wants it said."""


def new_learner(settings: Settings, target: Targets, n_features: int) -> Learner:
    """Return a learner that has learned nothing yet."""
    return Learner(
        target.n_outputs,
        n_features,
        classes=target.kind == "multiclass" and settings.multi_class == "crammer_singer",
        rule=_rule(settings),
        exact=settings.shards == 1,  # mixing divides
    )


def _rule(settings: Settings) -> Rule:
    """Return how the parameters say to teach. Weights are learned in units of eta0, and so is all that meets them."""
    update, eta0, penalty = settings.update, settings.eta0, settings.penalty
    passive = update != "perceptron"
    if passive and eta0 != 1:
        raise InputError(
            f"eta0 must be 1 with update={update!r}: a passive-aggressive step has a length of its own, which C"
            f" limits. Received: eta0={eta0}. Set C instead."
        )
    if passive and penalty is not None:
        raise InputError(
            f"penalty must be None with update={update!r}, whose C limits the weights already."
            f" Received: {penalty!r}. Lower C instead."
        )
    margin = settings.margin
    if margin is None:
        margin = 1.0 if passive else 0.0
    if passive and margin == 0:
        raise InputError(
            f"margin must be above 0 with update={update!r}, which never leaves zero weights otherwise."
            " Received: 0. Give margin=1, or None."
        )
    share = {"l1": 1.0, "elasticnet": settings.l1_ratio}.get(str(penalty), 0.0)
    strength = 0.0 if penalty is None else settings.alpha
    shrink = 1.0 - (1.0 - share) * strength * eta0
    if shrink <= 0:
        raise InputError(
            f"alpha * eta0 must be below 1 for penalty={penalty!r}, which else leaves no weight."
            f" Received: alpha={settings.alpha}, eta0={eta0}. Lower alpha."
        )
    if settings.shards > 1 and share * strength > 0:
        raise InputError(
            "penalty must be None or 'l2' with shards above 1: what an L1 penalty still owes each weight can't be"
            f" mixed. Received: penalty={penalty!r}, shards={settings.shards}."
        )
    return Rule(
        shrink=shrink,
        truncate=share * strength,
        intercept=bool(settings.fit_intercept),
        average=settings.solution == "average",
        pocket=settings.solution == "pocket",
        update=UPDATES[update],
        margin=float(margin / eta0),
        aggressiveness=float(settings.C),
    )


# What it starts from --------------------------------------------------------------------------------------------


def start(settings: Settings, learner: Learner, target: Targets, coef_init: Any, intercept_init: Any) -> None:
    """Set the weights a fit starts from: zero, those of the previous fit, or those given."""
    if coef_init is None and intercept_init is None and not settings.warm_start:
        return
    shape = (learner.n_outputs, learner.n_features)
    coef, intercept = np.zeros(shape), np.zeros(shape[0])
    if settings.warm_start and hasattr(settings, "network_"):
        before = settings._learner
        if (before.n_outputs, before.n_features) != shape or not np.array_equal(
            settings.classes_, target.classes
        ):
            raise InputError(
                "With warm_start=True, X and y must have the features and classes of the previous fit."
                f" Received: {shape[1]} features, classes {target.classes.tolist()}."
            )
        last = before.last()
        ratio = settings._eta0 / settings.eta0  # exactly 1 if nothing changed, so that integers stay integers
        coef, intercept = last.weights * ratio, last.bias * ratio
    if coef_init is not None:
        coef = _initial(coef_init, shape, "coef_init") / settings.eta0
    if intercept_init is not None:
        intercept = _initial(intercept_init, shape[:1], "intercept_init") / settings.eta0
    if coef.any() or intercept.any():
        learner.start_from(coef, intercept)


def _initial(values: Any, shape: tuple[int, ...], name: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.size != np.prod(shape) or not np.isfinite(array).all():
        raise InputError(f"{name} must be finite numbers of shape {shape}. Received: shape {array.shape}.")
    return array.reshape(shape)


# One batch after another ----------------------------------------------------------------------------------------


def known_labels(settings: Settings, y: Any, classes: Any, first: bool) -> Array | None:
    """Return all labels that a batch may hold, None for several outputs.

    Parameters
    ----------
    settings : estimator
    y : array_like or sparse matrix
        The labels of the batch.
    classes : array_like or None
        All labels, as the user gave them.
    first : bool
        Whether there was no batch before.
    """
    if isinstance(settings.class_weight, str):
        raise InputError(
            'class_weight="balanced" needs all rows at once, and partial_fit sees a batch. Give the weights as'
            " a dict, from sklearn.utils.class_weight.compute_class_weight."
        )
    if settings.shards > 1:
        raise InputError(
            "shards must be 1 in partial_fit, whose batches come one after another."
            f" Received: shards={settings.shards}. Set it to 1, or teach shards with limen.learn.shard_epoch and mix."
        )
    labels = None if classes is None else np.unique(classes)
    if settings.unknown_classes == "add" and not _has_columns(y):
        parts = [
            np.unique(np.asarray(y)),
            *([] if labels is None else [labels]),
            *([] if first else [settings.classes_]),
        ]
        return np.unique(np.concatenate(parts))
    if first:
        if labels is None and not _has_columns(y):
            raise InputError(
                "classes must be given in the first call of partial_fit: all labels there will be. If they aren't known,"
                ' set unknown_classes="add".'
            )
        return labels
    known: Array = settings.classes_
    if labels is not None and not np.array_equal(labels, known):
        raise InputError(
            f"classes must be those of the first call, {known.tolist()}. Received: {labels.tolist()}."
        )
    return known


def learner_before(settings: Settings, target: Targets, learner: Learner) -> Learner:
    """Return a copy of the learner that learned from the batches before, to go on with.

    Parameters
    ----------
    settings : estimator
    target : Targets
        The labels of this batch.
    learner : Learner
        What it would begin with, were this batch the first.
    """
    before: Learner = settings._learner
    places = None
    if (
        settings.unknown_classes == "add"
        and target.kind == settings._kind
        and target.n_outputs > before.n_outputs
    ):
        before = before.copy()
        several = target.kind == "multioutput"
        places = range(before.n_outputs) if several else np.searchsorted(target.classes, settings.classes_)
        before.grow(before.n_features, target.n_outputs, places)
    if target.kind != settings._kind or target.n_outputs != before.n_outputs:
        raise InputError(
            f"y must be {settings._kind} with {before.n_outputs} outputs, as in the first call."
            f" Received: {target.kind} with {target.n_outputs}."
        )
    if (learner.rule, learner.classes, settings.eta0) != (before.rule, before.classes, settings._eta0):
        raise InputError(
            "partial_fit goes on as it began: solution, multi_class, update, margin, C, penalty, alpha, l1_ratio,"
            " fit_intercept and eta0 must be those of the last call. Received: others. Set them back,"
            " or start anew with sklearn.base.clone."
        )
    return before.copy() if places is None else before


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Leave the estimator as it was when anything goes wrong, what scikit-learn's validation sets included."""
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise
