"""One call of `fit` or `partial_fit`: epochs until there is a reason to stop, and which weights to keep.

A `Course` owns what one call needs and the estimator doesn't keep: which rows train and which validate, the
pocket, the best epoch so far. It is consistent between epochs, whatever interrupts it: `Course.kept` then returns
what the last whole epoch left.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from sklearn.utils import check_random_state

from limen._door import INT64_MAX
from limen.errors import InputError, NotExactError, TrainingError
from limen.learn._admission import Validation
from limen.learn._callbacks import Audience, log_epoch
from limen.learn._deciding import answers
from limen.learn._mixing import Shards
from limen.learn._rows import Rows
from limen.learn._targets import Targets
from limen.learn._threads import n_threads
from limen.learn._training import Learner, Lesson, Weights
from limen.learn.split import split_rows, strata
from limen.network import Layer, Network
from limen.step import Array, heaviside

__all__ = ["Course"]

Settings: TypeAlias = Any
"""The estimator, for its parameters."""


class Course:
    """One call of `fit` or `partial_fit`.

    Parameters
    ----------
    settings : estimator
        Read for its parameters.
    learner : Learner
        What learns; replaced by its copy of the last whole epoch when an epoch fails.
    given, target, weight : Rows, Targets, ndarray of shape (n_rows,)
    validation : Validation, optional
        Rows to judge by instead of some held out.
    one_batch : bool
        Whether this is `partial_fit`: one epoch, after which the learner goes on.

    Attributes
    ----------
    audience : Audience or None
        Whom to tell of the epochs; none unless set.
    stop_reason : str
        Empty while there is none.
    solution : str
        Which weights to keep, where no epoch was better on the validation rows.
    """

    shards: Shards | None

    def __init__(
        self,
        settings: Settings,
        learner: Learner,
        given: Rows,
        target: Targets,
        weight: Array,
        *,
        validation: Validation | None = None,
        one_batch: bool = False,
    ) -> None:
        self._set_out(settings, learner, target, validation, 1 if one_batch else settings.max_iter)
        self.one_batch = one_batch
        weighs = settings.class_weight is not None
        costs = target.costs(settings.class_weight) if weighs else np.ones((target.n_outputs, 2))
        signs = target.codes if learner.classes else target.signs()
        # An output that never changes has nothing to learn: it becomes a constant neuron.
        if target.kind == "multioutput" and not one_batch:
            self.constant = np.where((signs == signs[0]).all(axis=0), signs[0], 0).astype(np.int64)
            if self.constant.any():
                always = {int(k): int(self.constant[k] > 0) for k in np.flatnonzero(self.constant)}
                warnings.warn(
                    f"Outputs that never change in y get a neuron that never changes: {always} (output: value).",
                    UserWarning,
                    stacklevel=4,
                )
                signs = np.where(self.constant == 0, signs, 0).astype(np.int8)
        self.lesson = Lesson(given, signs, weight, costs)
        self.largest, self.is_integer_typed = given.largest, given.is_integer_typed
        self.training_rows = np.flatnonzero(weight > 0)
        if validation is None and settings.early_stopping and not one_batch:
            self._hold_out()
        self.n_training = len(self.training_rows)
        if settings.shards > 1:
            self.shards = Shards(
                self.lesson,
                target,
                learner,
                self.training_rows,
                n_shards=settings.shards,
                random=self.random if settings.shuffle else None,
                n_threads=self.n_threads,
            )

    def _set_out(
        self,
        settings: Settings,
        learner: Learner,
        target: Targets,
        validation: Validation | None,
        max_iter: int,
    ) -> None:
        """Set what every course begins with."""
        self.settings = settings
        self.learner = learner
        self.target = target
        self.validation = validation
        self.max_iter = max_iter
        self.one_batch = False
        self.n_threads = n_threads(settings.n_jobs)
        self.names = getattr(settings, "feature_names_in_", None)
        self.audience: Audience | None = None
        self.constant = np.zeros(target.n_outputs, dtype=np.int64)
        # Of the features: the largest absolute value, and whether they came as integers.
        self.largest, self.is_integer_typed = 0.0, True
        self.n_training = 0
        self.shards = None
        self.n_mistakes: list[int] = []
        self.stop_reason = ""
        self.solution: str = settings.solution
        self.best_loss, self.best_score, self.n_stale = np.inf, -np.inf, 0
        # Weights, and what their wrong decisions cost; one value, so that an interrupt can't part them.
        self.pocketed: tuple[Weights, Array] | None = None
        self.best_validated: Weights | None = None
        self._spare: Learner | None = None

    def _lessons(self) -> Iterator[tuple[Lesson, Array, Array]]:
        """Yield what is taught in one epoch, a part after the other: a lesson, its labels' codes, its training rows."""
        yield self.lesson, self.target.codes, self.training_rows

    @property
    def n_epochs(self) -> int:
        """Whole epochs done."""
        return len(self.n_mistakes)

    @cached_property
    def random(self) -> Any:
        """What orders are drawn from, made when the first is."""
        return check_random_state(self.settings.random_state)

    def _hold_out(self) -> None:
        """Take some of the training rows to judge by."""
        seen = self.training_rows
        codes = self.target.codes[seen]
        try:
            training, held_out = split_rows(
                codes if codes.ndim == 1 else strata(codes),
                self.settings.validation_fraction,
                random_state=self.random.randint(2**31),
            )
        except InputError:
            raise InputError(
                "early_stopping must be able to hold out a row and still learn from one of each class."
                f" Received: {len(seen)} rows whose sample weight isn't 0. Give more, or early_stopping=False."
            ) from None
        which, self.training_rows = seen[held_out], seen[training]
        self.validation = Validation(
            self.lesson.rows.take(which), self.target.codes[which], self.lesson.sample_weight[which]
        )

    # Epochs -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Do epochs until there is a reason to stop; when interrupted, be as after the last whole epoch."""
        while not self.stop_reason:
            if self.audience is not None:
                self.audience.begin_epoch()
            mistakes, loss = self._epoch()
            log_epoch(self.n_epochs, self.max_iter, mistakes)
            self.stop_reason = self._verdict(mistakes, loss)
            averages = self.stop_reason == "converged" and self.solution == "average"
            if averages and self._errors(self._current("average")).any():
                self.solution = "last"  # the last weights are without a mistake; the averaged ones may err
            if self.audience is not None and self.audience.end_epoch(self.n_mistakes):
                self.stop_reason = self.stop_reason or "callback"

    def _epoch(self) -> tuple[int, float]:
        """Do one epoch, or none at all; return its mistakes and its loss."""
        before = self._spare = _copied(self.learner, self._spare)
        n_epochs, pocketed = self.n_epochs, self.pocketed
        try:
            mistakes, loss = self._teach() if self.shards is None else self.shards.epoch(self.learner)
            if self.learner.rule.pocket:
                self._fill_pocket()
            self.n_mistakes.append(mistakes)
        except BaseException:
            self.learner, self.pocketed, self._spare = before, pocketed, None
            del self.n_mistakes[n_epochs:]
            raise
        return mistakes, loss

    def _teach(self) -> tuple[int, float]:
        """Show every training row once; return the mistakes and the loss."""
        self.learner.begin(empty_pocket=not self.one_batch)
        for lesson, _, which in self._lessons():
            self.learner.show(lesson, self._order(which), n_threads=self.n_threads)
        return self.learner.end()

    def _verdict(self, mistakes: int, loss: float) -> str:
        """Return why to stop after an epoch; empty if there is no reason."""
        tol = self.settings.tol
        if self.validation is not None:
            score = self._validation_score(self.validation)
            self.n_stale = 0 if score > self.best_score + (tol or 0.0) else self.n_stale + 1
            if score > self.best_score:
                self.best_score, self.best_validated = score, self._current()
        elif tol is not None:
            loss *= self.settings.eta0 / max(1, self.n_training)
            self.n_stale = self.n_stale + 1 if loss > self.best_loss - tol else 0
            self.best_loss = min(self.best_loss, loss)
        if self.one_batch:
            return "partial_fit"
        if mistakes == 0:
            return "converged"
        if self.n_stale >= self.settings.n_iter_no_change:
            return "no_improvement" if self.validation is None else "early_stopping"
        return "max_iter" if self.n_epochs == self.max_iter else ""

    def _order(self, which: Array) -> Array:
        return self.random.permutation(which) if self.settings.shuffle else which

    # What to keep -------------------------------------------------------------------------------------------

    def kept(self) -> tuple[Weights, str]:
        """Return the weights to keep, and which they are."""
        if self.best_validated is not None and self.stop_reason != "converged":
            return self.best_validated, self.settings.solution
        return self._current(self.solution), self.solution

    def _current(self, solution: str | None = None) -> Weights:
        solution = solution or self.settings.solution
        if solution == "average":
            kept = self.learner.averaged()
        elif solution == "last":
            kept = self.learner.last()
        else:
            kept = self.learner.longest_run() if self.pocketed is None else self.pocketed[0]
        return self._with_constants(kept)

    def _with_constants(self, kept: Weights) -> Weights:
        never_changes = self.constant != 0
        if not never_changes.any():
            return kept
        bias = np.where(never_changes, self.constant * kept.divisor, kept.bias)
        # Weights it started from may not be zero.
        weights = np.where(never_changes[:, np.newaxis], 0, kept.weights)
        return Weights(weights, bias.astype(kept.bias.dtype), kept.divisor)

    def _fill_pocket(self) -> None:
        """Put the weights of the longest run, or those mixed, into the pocket where they err on fewer training rows."""
        if self.one_batch:
            return  # a batch can't judge; the longest run of all batches is kept
        run = self.learner.longest_run() if self.shards is None else self.learner.last()
        errors = self._errors(self._with_constants(run))
        if self.pocketed is None:
            self.pocketed = run, errors
            return
        old, fewest = self.pocketed
        better = errors < fewest
        if better.any():
            whole = better if better.ndim else np.full(self.learner.n_outputs, bool(better))
            weights = np.where(whole[:, np.newaxis], run.weights, old.weights)
            pocketed = Weights(weights, np.where(whole, run.bias, old.bias), 1)
            self.pocketed = pocketed, np.minimum(errors, fewest)

    def fitted(self) -> dict[str, Any]:
        """Return the fitted attributes of the estimator, as training has ended."""
        kept, solution = self.kept()
        network = self.network(kept)  # may refuse
        coef, intercept = self.coefficients(kept)
        eta0 = self.settings.eta0
        return {
            "_learner": self.learner,
            "_kind": self.target.kind,
            "_eta0": eta0,
            "_per_score": 1.0 if network.layers[0].weights.dtype == np.float64 else eta0 / kept.divisor,
            "classes_": self.target.classes,
            "network_": network,
            "coef_": coef,
            "intercept_": intercept,
            "n_iter_": self.n_epochs,
            "n_mistakes_": np.array(self.n_mistakes, dtype=np.int64),
            "stop_reason_": self.stop_reason,
            "solution_": solution,
            "t_": self.learner.n_steps,
        }

    def fitted_so_far(self) -> dict[str, Any]:
        """Return the fitted attributes, had training ended here, while it goes on."""
        so_far = self.fitted()
        return so_far | {"_learner": self.learner.copy(), "stop_reason_": self.stop_reason or "callback"}

    # Judging ------------------------------------------------------------------------------------------------

    def _errors(self, kept: Weights) -> Array:
        """Return what wrong decisions on training rows cost: for each independent output, or in all."""
        network = self.network(kept)
        errors: Array = np.array(0.0)
        method = "__call__" if self.learner.classes else "scores"
        for lesson, codes, training in self._lessons():
            for which, outputs in answers(network, lesson.rows.source, training, method):
                if self.learner.classes:
                    costs = lesson.cost[codes[which], 1]
                    wrong = outputs.argmax(axis=1) != codes[which]
                else:
                    signs = lesson.targets[which]
                    fires = signs > 0
                    costs = np.where(fires, lesson.cost[:, 1], lesson.cost[:, 0])
                    wrong = heaviside(outputs) != fires
                    wrong &= signs != 0  # a constant neuron isn't taught and can't be wrong
                errors = errors + lesson.sample_weight[which] @ (wrong * costs)
        return errors

    def _validation_score(self, validation: Validation) -> float:
        """Return the share of right decisions on the validation rows, weighted."""
        network, right = self.network(self._current()), 0.0
        everything = np.arange(len(validation.codes))
        for which, outputs in answers(network, validation.rows, everything):
            if self.target.kind == "multiclass":
                outputs = outputs.argmax(axis=1)
            agrees = outputs.reshape(len(which), -1) == validation.codes[which].reshape(len(which), -1)
            right += float(validation.sample_weight[which] @ agrees.mean(axis=1))
        return right / float(validation.sample_weight.sum())

    def coefficients(self, kept: Weights) -> tuple[Array, Array]:
        """Return weights and bias as scikit-learn shapes them: floats in units of eta0."""
        factor = self.settings.eta0
        with np.errstate(over="ignore"):
            weights, bias = (part / kept.divisor for part in (kept.weights, kept.bias))
            if factor != 1:
                weights, bias = weights * factor, bias * factor
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise TrainingError(
                f"The weights overflowed when multiplied by eta0={self.settings.eta0}, so nothing was kept."
                " Lower eta0."
            )
        return weights, bias

    def network(self, kept: Weights) -> Network:
        """Return the network with these weights: integers if they are and their sums fit into int64."""
        weights, bias = kept.weights, kept.bias
        if weights.dtype == np.int64:
            reach = np.abs(weights.astype(np.float64)).sum(axis=1) * self.largest + np.abs(
                bias.astype(np.float64)
            )
            if float(reach.max()) >= INT64_MAX * (1 - 1e-9):
                if self.is_integer_typed:
                    raise NotExactError(
                        f"The {self.settings.solution} weights are integers whose sums could pass int64. Use"
                        ' fewer epochs, solution="last", smaller features, or floats, X.astype(float), to learn'
                        " without exactness."
                    )
                weights = weights.astype(np.float64)
        if weights.dtype != np.int64:
            weights, bias = self.coefficients(kept)
        kind = self.target.kind
        layer = Layer(weights.T, bias, "hardmax" if kind == "multiclass" else "heaviside")
        inputs = _usable_names(self.names)
        outputs = _usable_names(self.target.classes if kind == "multiclass" else None)
        return Network(layer, inputs, outputs, self.learner.domain)


def _copied(learner: Learner, spare: Learner | None) -> Learner:
    """Return a copy of a learner, in the memory of `spare` where that has room for it.

    Fresh memory costs a page fault every few thousand bytes, more than what is copied into it.
    """
    if spare is None or spare is learner:
        return learner.copy()
    mine, other = learner.state, spare.state
    # One kind, layout and padding is that of all; an empty array may have any strides.
    if (
        mine.weights.shape != other.weights.shape
        or mine.weights.strides != other.weights.strides
        or mine.late.shape != other.late.shape
        or mine.weights.dtype != other.weights.dtype
        or learner.total.dtype != spare.total.dtype
        or (learner.total.size and learner.total.strides != spare.total.strides)
    ):
        return learner.copy()
    arrays = [*zip(mine, other, strict=True)]
    arrays += [(learner.total, spare.total), (learner.total_bias, spare.total_bias)]
    for array, copy in arrays:
        if array.size:
            np.copyto(copy, array)
    for name in ("n_outputs", "n_features", "n_steps", "exact", "domain"):
        setattr(spare, name, getattr(learner, name))
    return spare


def _usable_names(names: Any) -> list[str] | None:
    """Return names that a network can bear, or None where one is empty or two are alike."""
    texts = [] if names is None else [str(name) for name in names]
    return texts if texts and all(texts) and len(set(texts)) == len(texts) else None
