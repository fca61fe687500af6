"""The perceptron, a scikit-learn classifier whose result is a `limen.Network`.

A neuron errs on a row unless its net input ``z`` is on the right side: ``y * z > 0`` with ``y = ±1``. Each
mistake adds ``y`` times the row to the weights (Rosenblatt 1958). Two classes take one neuron; more classes a
layer that ends in hardmax; several binary outputs a layer of independent neurons, all trained in one pass.

Training stops after an epoch without a mistake. On data that are linearly separable with margin γ and radius R
that takes at most ``(R/γ)²`` mistakes, whatever the order (Novikoff 1962).

References
----------
F. Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and organization in the
brain", Psychological Review 65(6). A. B. J. Novikoff (1962), "On convergence proofs on perceptrons", Symposium
on the Mathematical Theory of Automata. The solutions and multiclass rules cite theirs in `limen.learn._kernels`.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from limen.errors import InputError, NotExactError
from limen.learn._course import Course
from limen.learn._kernels import Rule
from limen.learn._rows import Rows, rows
from limen.learn._targets import Targets, targets
from limen.learn._training import Learner
from limen.network import Network
from limen.step import Array

__all__ = ["Perceptron"]

logger = logging.getLogger("limen")


class Perceptron(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Perceptron: binary, multiclass and several outputs at once; dense or sparse; exact on whole numbers.

    Parameters
    ----------
    solution : {"average", "last", "pocket"}, default="average"
        Which weights are kept: the mean of the weights after every step (Freund and Schapire 1999), those after
        the last step, or those that made the longest run without a mistake, replaced at the end of an epoch
        only by weights with fewer mistakes on the training rows (Gallant 1990).
    multi_class : {"crammer_singer", "ovr"}, default="crammer_singer"
        How three or more classes learn: neurons that compete (a mistake pulls the true class and pushes the
        best rival), or one-vs-rest (each neuron alone).
    penalty : {None, "l2", "l1", "elasticnet"}, default=None
        Shrinks the weights at every step.
    alpha : float, default=0.0001
        Strength of the penalty.
    l1_ratio : float, default=0.15
        Share of L1 in ``penalty="elasticnet"``.
    fit_intercept : bool, default=True
        Whether the bias learns; otherwise it is 0.
    max_iter : int, default=100
        The most epochs.
    tol : float or None, default=None
        If given, training also stops when the loss of an epoch isn't below the best by `tol` for
        `n_iter_no_change` epochs; with `early_stopping`, when the validation score isn't above it.
    shuffle : bool, default=True
        Whether each epoch visits the rows in an order of its own.
    verbose : int, default=0
        If above 0, epochs are reported on the logger ``limen``, on standard error if nobody else listens.
    eta0 : float, default=1.0
        Factor on all updates. Without a penalty and from zero weights it only scales `coef_`.
    n_jobs : int or None, default=None
        Threads that share independent outputs. The result doesn't depend on it. Competing classes use one.
    random_state : int, RandomState or None, default=None
        For shuffling and for the validation rows.
    early_stopping : bool, default=False
        Whether to hold out rows and stop when the accuracy on them stops improving; the weights of the best
        epoch are kept, unless an epoch on the other rows had no mistake.
    validation_fraction : float, default=0.1
        Share of the rows held out by `early_stopping`.
    n_iter_no_change : int, default=5
        Epochs without improvement before stopping.
    class_weight : dict, "balanced", list of dict, or None, default=None
        Factor on the updates of each class; a list gives one dict for each of several outputs.
    warm_start : bool, default=False
        Whether `fit` starts from the last weights of the previous fit. Averages start anew.

    Attributes
    ----------
    network_ : limen.Network
        What was learned, and what predicts. One heaviside layer (hardmax for three or more classes), exact if
        all features and weights on rows and classes were whole numbers: averaged weights are then kept as the
        integer sums they are means of.
    classes_ : ndarray of shape (n_classes,)
        The labels; ``[0, 1]`` for several outputs.
    coef_ : ndarray of shape (1, n_features), (n_classes, n_features) or (n_outputs, n_features)
    intercept_ : ndarray of shape (1,), (n_classes,) or (n_outputs,)
    n_iter_ : int
        Epochs done.
    n_mistakes_ : ndarray of int64, shape (n_iter_,)
        Training mistakes in each epoch, summed over outputs.
    stop_reason_ : {"converged", "max_iter", "no_improvement", "early_stopping", "interrupted", "partial_fit"}
        How training ended.
    solution_ : {"average", "last", "pocket"}
        Which weights were kept. "last" where training converged but the averaged weights still erred.
    t_ : int
        Steps taken, a row being one.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where `X` had names.

    Warns
    -----
    ConvergenceWarning
        `max_iter` epochs went by, each with a mistake.

    Notes
    -----
    ``predict`` fires at ``z >= 0``, as every neuron of limen; a training mistake is ``y * z <= 0``, so that what
    was learned doesn't hang on a tie.

    Examples
    --------
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [1, 1, 1, 0]
    >>> nand = Perceptron(random_state=0).fit(X, y)
    >>> nand.predict(X), nand.stop_reason_
    (array([1, 1, 1, 0]), 'converged')

    Several outputs at once, one neuron each:

    >>> gates = Perceptron(random_state=0).fit(X, [[0, 0], [0, 1], [0, 1], [1, 1]])
    >>> gates.predict(X).tolist()
    [[0, 0], [0, 1], [0, 1], [1, 1]]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "solution": [StrOptions({"average", "last", "pocket"})],
        "multi_class": [StrOptions({"crammer_singer", "ovr"})],
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
    }

    def __init__(
        self,
        *,
        solution: str = "average",
        multi_class: str = "crammer_singer",
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 100,
        tol: float | None = None,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: dict[Any, float] | list[dict[int, float]] | str | None = None,
        warm_start: bool = False,
    ) -> None:
        self.solution = solution
        self.multi_class = multi_class
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        return tags

    # Learning -----------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Perceptron:
        """Learn from rows and their labels.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_rows, n_features)
        y : array_like of shape (n_rows,) or (n_rows, n_outputs), or sparse indicator matrix
            Labels; zeros and ones for several outputs.
        coef_init, intercept_init : array_like, optional
            What training starts from, in the shapes of `coef_` and `intercept_`.
        sample_weight : array_like of shape (n_rows,), optional
            Factor on the updates of each row, not negative. A row of weight 0 isn't seen.

        Returns
        -------
        Perceptron
            Itself.

        Raises
        ------
        ValueError
            Bad input; nothing is changed.
        NotExactError
            Integers too large to learn from exactly.
        TrainingError
            Numbers overflowed; nothing is changed.
        KeyboardInterrupt
            Interrupted. If an epoch had ended, the model of the last whole epoch is kept.
        """
        interrupted: KeyboardInterrupt | None = None
        with _all_or_nothing(self), _heard(self.verbose):
            given, target, weight = self._admit(X, y, sample_weight)
            learner = self._new_learner(target, given)
            self._start(learner, target, coef_init, intercept_init)
            course = Course(self, learner, given, target, weight)
            try:
                course.run()
            except KeyboardInterrupt as error:
                if not course.n_epochs:
                    raise
                interrupted, course.stop_reason = error, "interrupted"
            self._keep(course)
        if interrupted is not None:
            logger.warning("Interrupted: the model of epoch %d is kept.", course.n_epochs)
            raise interrupted
        if course.stop_reason == "max_iter":
            warnings.warn(
                f"Epoch {course.n_epochs} of {self.max_iter} still had {course.n_mistakes[-1]} mistakes. If the"
                " data are linearly separable, raise max_iter. If they aren't, no number of epochs ends without"
                ' a mistake: keep solution="average" or "pocket", or add inputs or a hidden layer.',
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Perceptron:
        """Learn from one more batch: one epoch over its rows, going on from where the last call ended.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array_like of shape (n_classes,), optional
            All labels there will be; needed in the first call unless `y` has several outputs.

        Returns
        -------
        Perceptron
            Itself.

        Raises
        ------
        ValueError
            Bad input; nothing is changed. So too for the errors of `fit`, and when interrupted.
        """
        first = not hasattr(self, "network_")
        if self.class_weight == "balanced":
            raise InputError(
                'class_weight="balanced" needs all rows at once, and partial_fit sees a batch. Give the weights as'
                " a dict, from sklearn.utils.class_weight.compute_class_weight."
            )
        labels: Array | None = None if classes is None else np.unique(classes)
        if not first:
            if labels is not None and not np.array_equal(labels, self.classes_):
                raise InputError(
                    f"classes must be those of the first call, {self.classes_.tolist()}."
                    f" Received: {labels.tolist()}."
                )
            labels = self.classes_
        with _all_or_nothing(self), _heard(self.verbose):
            given, target, weight = self._admit(X, y, sample_weight, labels=labels, first=first)
            if first and labels is None and target.kind != "multioutput":
                raise InputError(
                    "classes must be given in the first call of partial_fit: all labels there will be."
                )
            if not first and (target.kind != self._kind or target.n_outputs != self._learner.n_outputs):
                raise InputError(
                    f"y must be {self._kind} with {self._learner.n_outputs} outputs, as in the first call."
                    f" Received: {target.kind} with {target.n_outputs}."
                )
            learner = self._new_learner(target, given)
            if not first:
                before = self._learner
                if (learner.rule, learner.classes, self.eta0) != (before.rule, before.classes, self._eta0):
                    raise InputError(
                        "partial_fit goes on as it began: solution, multi_class, penalty, alpha, l1_ratio,"
                        " fit_intercept and eta0 must be those of the last call. Received: others. Set them back,"
                        " or start anew with sklearn.base.clone."
                    )
                learner = before.copy()
            course = Course(self, learner, given, target, weight, one_batch=True)
            course.run()
            self._keep(course)
        return self

    def _admit(
        self, X: Any, y: Any, sample_weight: Any, labels: Array | None = None, first: bool = True
    ) -> tuple[Rows, Targets, Array]:
        """Return rows, targets and sample weights, checked."""
        X, y = validate_data(
            self, X, y, accept_sparse=("csr", "csc"), dtype="numeric", multi_output=True, reset=first
        )
        target = targets(y, None if labels is None or (np.ndim(y) == 2 and np.shape(y)[1] > 1) else labels)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not (weight > 0).any():
            raise InputError(
                "At least one sample weight must be above zero. Received: all-zero sample weights."
            )
        return rows(X), target, weight

    def _new_learner(self, target: Targets, given: Rows) -> Learner:
        share = {"l1": 1.0, "elasticnet": self.l1_ratio}.get(str(self.penalty), 0.0)
        strength = 0.0 if self.penalty is None else self.alpha
        # Weights are learned in units of eta0, and so is what the L1 penalty takes off them.
        shrink = 1.0 - (1.0 - share) * strength * self.eta0
        if shrink <= 0:
            raise InputError(
                f"alpha * eta0 must be below 1 for penalty={self.penalty!r}, which else leaves no weight."
                f" Received: alpha={self.alpha}, eta0={self.eta0}. Lower alpha."
            )
        return Learner(
            target.n_outputs,
            given.n_features,
            classes=target.kind == "multiclass" and self.multi_class == "crammer_singer",
            rule=Rule(
                shrink=shrink,
                truncate=share * strength,
                intercept=bool(self.fit_intercept),
                average=self.solution == "average",
                pocket=self.solution == "pocket",
            ),
        )

    def _start(self, learner: Learner, target: Targets, coef_init: Any, intercept_init: Any) -> None:
        """Set the weights a fit starts from."""
        shape = (learner.n_outputs, learner.n_features)
        coef, intercept = np.zeros(shape), np.zeros(shape[0])
        if self.warm_start and hasattr(self, "network_"):
            before = self._learner
            if (before.n_outputs, before.n_features) != shape or not np.array_equal(
                self.classes_, target.classes
            ):
                raise InputError(
                    "With warm_start=True, X and y must have the features and classes of the previous fit."
                    f" Received: {shape[1]} features, classes {target.classes.tolist()}."
                )
            last = before.last()
            ratio = self._eta0 / self.eta0  # exactly 1 if nothing changed, so that integers stay integers
            coef, intercept = last.weights * ratio, last.bias * ratio
        if coef_init is not None:
            coef = _initial(coef_init, shape, "coef_init") / self.eta0
        if intercept_init is not None:
            intercept = _initial(intercept_init, shape[:1], "intercept_init") / self.eta0
        if coef.any() or intercept.any():
            learner.start_from(coef, intercept)

    def _keep(self, course: Course) -> None:
        """Set the fitted attributes from a course of training."""
        kept, solution = course.kept()
        network = course.network(kept)  # may refuse, so before anything is set
        self._learner, self._kind, self._eta0 = course.learner, course.target.kind, self.eta0
        self.classes_ = course.target.classes
        self.network_ = network
        self.coef_, self.intercept_ = course.coefficients(kept)
        self._per_score = 1.0 if network.layers[0].weights.dtype == np.float64 else self.eta0 / kept.divisor
        self.n_iter_ = course.n_epochs
        self.n_mistakes_ = np.array(course.n_mistakes, dtype=np.int64)
        self.stop_reason_ = course.stop_reason
        self.solution_ = solution
        self.t_ = course.learner.n_steps

    # Deciding -----------------------------------------------------------------------------------------------

    def decision_function(self, X: Any) -> Array:
        """Return the net inputs, in the units of `coef_`.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_rows, n_features)

        Returns
        -------
        ndarray of float64, shape (n_rows,), (n_rows, n_classes) or (n_rows, n_outputs)
        """
        scores: Array = self._called("scores", X) * self._per_score
        return scores[:, 0] if self._kind == "binary" else scores

    def predict(self, X: Any) -> Array:
        """Return the labels that `network_` decides for.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows,), or of zeros and ones of shape (n_rows, n_outputs)
        """
        outputs = self._called("__call__", X)
        if self._kind == "multiclass":
            decided = outputs.argmax(axis=1)
        else:
            decided = outputs[:, 0] if self._kind == "binary" else outputs
        labels: Array = self.classes_[decided]
        return labels

    def _called(self, method: str, X: Any) -> Any:
        """Call the network; where `X` leaves its domain or its exact range, call it as on floats."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype="numeric", reset=False)
        X = rows(X).source
        try:
            return getattr(self.network_, method)(X)
        except (InputError, NotExactError):
            on_reals = Network(self.network_.layers, domain="real")
            return getattr(on_reals, method)(X.astype(np.float64))


def _initial(values: Any, shape: tuple[int, ...], name: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.size != np.prod(shape) or not np.isfinite(array).all():
        raise InputError(f"{name} must be finite numbers of shape {shape}. Received: shape {array.shape}.")
    return array.reshape(shape)


@contextmanager
def _all_or_nothing(estimator: Perceptron) -> Iterator[None]:
    """Leave the estimator as it was when anything goes wrong, what scikit-learn's validation sets included."""
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise


@contextmanager
def _heard(verbose: int) -> Iterator[None]:
    """Let the epochs be heard on standard error if asked for and nobody listens yet."""
    if not verbose or logger.isEnabledFor(logging.INFO):
        yield
        return
    handler, level = logging.StreamHandler(sys.stderr), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
