"""One call of `fit` or `partial_fit`: epochs until there is a reason to stop, and which weights to keep.

A `Course` owns what one call needs and the estimator doesn't keep: which rows train and which validate, the
pocket, the best epoch so far. It logs each epoch at INFO on the logger ``limen``; the record carries ``epoch``,
``max_iter`` and ``n_mistakes``.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, TypeAlias

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils import check_random_state

from limen._door import INT64_MAX
from limen.errors import InputError, NotExactError, TrainingError
from limen.learn._rows import Rows
from limen.learn._targets import Targets
from limen.learn._training import Learner, Lesson, Weights
from limen.learn.split import split_rows, strata
from limen.network import Layer, Network
from limen.step import Array, heaviside

__all__ = ["Course"]

logger = logging.getLogger("limen")

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
    one_batch : bool
        Whether this is `partial_fit`: one epoch, after which the learner goes on.
    """

    def __init__(
        self,
        settings: Settings,
        learner: Learner,
        given: Rows,
        target: Targets,
        weight: Array,
        *,
        one_batch: bool = False,
    ) -> None:
        self.settings = settings
        self.learner = learner
        self.target = target
        self.one_batch = one_batch
        self.random = check_random_state(settings.random_state)
        self.n_threads = effective_n_jobs(settings.n_jobs)
        self.names = getattr(settings, "feature_names_in_", None)
        costs = target.costs(settings.class_weight)
        signs = target.codes if learner.classes else target.signs()
        # An output that never changes has nothing to learn: it becomes a constant neuron.
        self.constant = np.zeros(target.n_outputs, dtype=np.int64)
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
        self.training_rows, self.validation_rows = self._split(weight)
        self.n_mistakes: list[int] = []
        self.stop_reason = ""
        self.pocketed: Weights | None = None
        self.pocket_errors: Array = np.array(np.inf)
        self.best_validated: Weights | None = None

    @property
    def n_epochs(self) -> int:
        """Whole epochs done."""
        return len(self.n_mistakes)

    def _split(self, weight: Array) -> tuple[Array, Array]:
        seen = np.flatnonzero(weight > 0)
        if self.one_batch or not self.settings.early_stopping:
            return seen, seen[:0]
        codes = self.target.codes[seen]
        try:
            training, validation = split_rows(
                codes if codes.ndim == 1 else strata(codes),
                self.settings.validation_fraction,
                random_state=self.random.randint(2**31),
            )
        except InputError:
            raise InputError(
                "early_stopping must be able to hold out a row and still learn from one of each class."
                f" Received: {len(seen)} rows whose sample weight isn't 0. Give more, or early_stopping=False."
            ) from None
        return seen[training], seen[validation]

    def run(self) -> None:
        """Do epochs until there is a reason to stop; when interrupted, be as after the last whole epoch."""
        max_iter = 1 if self.one_batch else self.settings.max_iter
        best_loss, best_score, stale = np.inf, -np.inf, 0
        while not self.stop_reason:
            before = self.learner.copy()
            try:
                mistakes, loss = self.learner.epoch(
                    self.lesson,
                    self._order(),
                    n_threads=self.n_threads,
                    empty_pocket=not self.one_batch,
                )
                if self.learner.rule.pocket:
                    self._fill_pocket()
            except BaseException:
                self.learner = before
                raise
            self.n_mistakes.append(mistakes)
            logger.info(
                "epoch %d of %d: %d mistakes",
                self.n_epochs,
                max_iter,
                mistakes,
                extra={"epoch": self.n_epochs, "max_iter": max_iter, "n_mistakes": mistakes},
            )
            tol = self.settings.tol
            if len(self.validation_rows):
                score = self._validation_score()
                stale = 0 if score > best_score + (tol or 0.0) else stale + 1
                if score > best_score:
                    best_score, self.best_validated = score, self._current()
            elif tol is not None:
                loss *= self.settings.eta0 / len(self.training_rows)
                stale = stale + 1 if loss > best_loss - tol else 0
                best_loss = min(best_loss, loss)
            if self.one_batch:
                self.stop_reason = "partial_fit"
            elif mistakes == 0:
                self.stop_reason = "converged"
            elif stale >= self.settings.n_iter_no_change:
                self.stop_reason = "early_stopping" if len(self.validation_rows) else "no_improvement"
            elif self.n_epochs == max_iter:
                self.stop_reason = "max_iter"

    def _order(self) -> Array:
        return self.random.permutation(self.training_rows) if self.settings.shuffle else self.training_rows

    def kept(self) -> tuple[Weights, str]:
        """Return the weights to keep, and which they are."""
        solution = self.settings.solution
        if self.best_validated is not None and self.stop_reason != "converged":
            return self.best_validated, solution
        current = self._current()
        if solution == "average" and self.stop_reason == "converged" and self._errors(current).any():
            return self._with_constants(self.learner.last()), "last"
        return current, solution

    def _current(self) -> Weights:
        solution = self.settings.solution
        if solution == "average":
            kept = self.learner.averaged()
        elif solution == "last":
            kept = self.learner.last()
        else:
            kept = self.learner.longest_run() if self.pocketed is None else self.pocketed
        return self._with_constants(kept)

    def _with_constants(self, kept: Weights) -> Weights:
        never_changes = self.constant != 0
        bias = np.where(never_changes, self.constant * kept.divisor, kept.bias)
        # Weights it started from may not be zero.
        weights = np.where(never_changes[:, np.newaxis], 0, kept.weights)
        return Weights(weights, bias.astype(kept.bias.dtype), kept.divisor)

    def _fill_pocket(self) -> None:
        """Put the weights of the longest run into the pocket where they err on fewer training rows."""
        if self.one_batch:
            return  # a batch can't judge; the longest run of all batches is kept
        run = self.learner.longest_run()
        errors = self._errors(self._with_constants(run))
        better = errors < self.pocket_errors
        if self.pocketed is None:
            self.pocketed, self.pocket_errors = run, errors
        elif better.any():
            old = self.pocketed
            whole = better if better.ndim else np.full(self.learner.n_outputs, bool(better))
            weights = np.where(whole[:, np.newaxis], run.weights, old.weights)
            self.pocketed = Weights(weights, np.where(whole, run.bias, old.bias), 1)
            self.pocket_errors = np.minimum(errors, self.pocket_errors)

    def _decisions(self, kept: Weights, which: Array) -> Array:
        """Return what a network with these weights decides on some rows, as codes."""
        network = self.network(kept)
        outputs = network(self.lesson.rows.take(which))
        if self.target.kind == "multiclass":
            decided: Array = outputs.argmax(axis=1)
            return decided
        return outputs[:, 0] if self.target.kind == "binary" else outputs

    def _errors(self, kept: Weights) -> Array:
        """Return what wrong decisions on training rows cost: for each independent output, or in all."""
        which = self.training_rows
        weight, codes = self.lesson.sample_weight[which], self.target.codes[which]
        if self.learner.classes:
            costs = self.lesson.cost[codes, 1]
            wrong = self._decisions(kept, which) != codes
        else:
            signs = self.lesson.targets[which]
            fires = signs > 0
            costs = np.where(fires, self.lesson.cost[:, 1], self.lesson.cost[:, 0])
            wrong = heaviside(self.network(kept).scores(self.lesson.rows.take(which))) != fires
            wrong &= signs != 0  # a constant neuron isn't taught and can't be wrong
        errors: Array = np.asarray(weight @ (wrong * costs))
        return errors

    def _validation_score(self) -> float:
        which = self.validation_rows
        right = self._decisions(self._current(), which) == self.target.codes[which]
        return float(
            np.average(right.reshape(len(which), -1).mean(axis=1), weights=self.lesson.sample_weight[which])
        )

    def coefficients(self, kept: Weights) -> tuple[Array, Array]:
        """Return weights and bias as scikit-learn shapes them: floats in units of eta0."""
        with np.errstate(over="ignore"):
            weights, bias = (part / kept.divisor * self.settings.eta0 for part in (kept.weights, kept.bias))
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise TrainingError(
                f"The weights overflowed when multiplied by eta0={self.settings.eta0}, so nothing was kept."
                " Lower eta0."
            )
        return weights, bias

    def network(self, kept: Weights) -> Network:
        """Return the network with these weights: integers if they are and their sums fit into int64."""
        weights, bias = kept.weights, kept.bias
        rows = self.lesson.rows
        if weights.dtype == np.int64:
            reach = np.abs(weights.astype(np.float64)).sum(axis=1) * rows.largest + np.abs(
                bias.astype(np.float64)
            )
            if float(reach.max()) >= INT64_MAX * (1 - 1e-9):
                if rows.is_integer_typed:
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


def _usable_names(names: Any) -> list[str] | None:
    """Return names that a network can bear, or None where one is empty or two are alike."""
    texts = [] if names is None else [str(name) for name in names]
    return texts if texts and all(texts) and len(set(texts)) == len(texts) else None
