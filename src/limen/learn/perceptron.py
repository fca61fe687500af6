"""The perceptron, a scikit-learn classifier whose result is a `limen.Network`.

A neuron errs on a row unless its net input ``z`` is on the right side: ``y * z > 0`` with ``y = ±1``. Each
mistake adds ``y`` times the row to the weights (Rosenblatt 1958), or as much of it as gives the row its margin
(passive-aggressive rules, Crammer et al. 2006). Two classes take one neuron; more classes a layer that ends in
hardmax; several binary outputs a layer of independent neurons, all trained in one pass.

Training stops after an epoch without a mistake. On data that are linearly separable with margin γ and radius R
that takes at most ``(R/γ)²`` mistakes, whatever the order (Novikoff 1962).

References
----------
F. Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and organization in the
brain", Psychological Review 65(6). A. B. J. Novikoff (1962), "On convergence proofs on perceptrons", Symposium
on the Mathematical Theory of Automata. K. Crammer, O. Dekel, J. Keshet, S. Shalev-Shwartz and Y. Singer (2006),
"Online passive-aggressive algorithms", JMLR 7. R. McDonald, K. Hall and G. Mann (2010), "Distributed training
strategies for the structured perceptron", NAACL HLT. The solutions and multiclass rules cite theirs in
`limen.learn._kernels`.
"""

from __future__ import annotations

import logging
import warnings
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from limen._door import is_sparse
from limen.errors import InputError
from limen.learn._admission import (
    CONSTRAINTS,
    admit,
    all_or_nothing,
    known_labels,
    learner_before,
    new_learner,
    start,
    validation_set,
)
from limen.learn._callbacks import CallbackSupportMixin, audience, heard, with_callbacks
from limen.learn._course import Course
from limen.learn._deciding import answer, decide
from limen.learn._rows import has_starts, rows
from limen.learn._stream_course import StreamCourse, admit_stream, stream_of
from limen.step import Array

__all__ = ["Perceptron"]

logger = logging.getLogger("limen")


class Perceptron(CallbackSupportMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
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
    update : {"perceptron", "pa1", "pa2"}, default="perceptron"
        How a row changes the weights: by itself, or passive-aggressively, by the least change that gives it its
        margin (Crammer et al. 2006, sections 3 and 7), limited by `C`: at most C times the row ("pa1"), or softly
        ("pa2"). Weights on rows and classes multiply the step.
    margin : float or None, default=None
        A row is taught unless ``y * z`` is above it. None is 0, and 1 for the passive-aggressive rules. Where
        classes compete, ``y * z`` is the net input of the true class less that of its best rival.
    C : float, default=1.0
        Aggressiveness of "pa1" and "pa2": the larger, the more one row may change.
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
        Factor on all updates. Without penalty or margin, from zero weights, it only scales `coef_`. 1 for "pa1"
        and "pa2".
    n_jobs : int or None, default=None
        Threads that share independent outputs, or shards. The result doesn't depend on it. Without shards, competing
        classes use one.
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
    shards : int, default=1
        Parts the training rows are split into, no more than there are rows. Each learns for an epoch, in one of
        `n_jobs` threads, then their weights are mixed: the next epoch starts from the mean (McDonald et al. 2010;
        see `limen.learn.shards`). The result depends on `shards`, not on `n_jobs`. With more than 1, "average" is the
        mean over all steps of all shards, "pocket" keeps the mixed weights with the fewest mistakes, nothing
        stays exact, no L1 penalty is taken, and `partial_fit` is refused.
    unknown_classes : {"error", "add"}, default="error"
        What `partial_fit` and `fit_stream` do about labels that weren't in `classes`: refuse them, or give each a new
        neuron, whose weights start at zero. With "add", `classes` needn't be given, each class has a neuron, also
        when there are two, and `classes_` grows; several outputs grow by columns.

    Attributes
    ----------
    network_ : limen.Network
        What was learned, and what predicts. One heaviside layer (hardmax for three or more classes), exact if
        all features and weights on rows and classes were whole numbers, `update` was "perceptron" and `shards` 1:
        averaged weights are then kept as the integer sums they are means of.
    classes_ : ndarray of shape (n_classes,)
        The labels; ``[0, 1]`` for several outputs.
    coef_ : ndarray of shape (1, n_features), (n_classes, n_features) or (n_outputs, n_features)
    intercept_ : ndarray of shape (1,), (n_classes,) or (n_outputs,)
    n_iter_ : int
        Epochs done.
    n_mistakes_ : ndarray of int64, shape (n_iter_,)
        Training mistakes in each epoch, summed over outputs: rows that were taught, and for "pa1" and "pa2" only
        those of them that weren't on the right side.
    stop_reason_ : {"converged", "max_iter", "no_improvement", "early_stopping", "callback", "interrupted", \
            "partial_fit"}
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

    scikit-learn's callbacks (``sklearn.callback``, experimental) are set with ``set_callbacks``. `fit` is their root
    task, each epoch a subtask; meanwhile `n_iter_` and `n_mistakes_` of the estimator tell how far it is. A callback
    can end training. `partial_fit` calls none.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    def __init__(
        self,
        *,
        solution: str = "average",
        multi_class: str = "crammer_singer",
        update: str = "perceptron",
        margin: float | None = None,
        C: float = 1.0,
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
        shards: int = 1,
        unknown_classes: str = "error",
    ) -> None:
        self.solution = solution
        self.multi_class = multi_class
        self.update = update
        self.margin = margin
        self.C = C
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
        self.shards = shards
        self.unknown_classes = unknown_classes

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
        X_val: Any = None,
        y_val: Any = None,
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
        X_val, y_val : array_like, optional
            Rows and labels, as `X` and `y`, for early stopping to judge by, whatever `early_stopping` says; no
            training rows are held out.

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
        with all_or_nothing(self), heard(self.verbose):
            given, target, weight = admit(self, X, y, sample_weight)
            validation = validation_set(self, target, X_val, y_val)
            learner = new_learner(self, target, given.n_features)
            start(self, learner, target, coef_init, intercept_init)
            course = Course(self, learner, given, target, weight, validation=validation)
            interrupted = self._learn(course, X, y, sample_weight)
        self._ended(course, interrupted)
        return self

    def fit_stream(
        self,
        source: Any,
        *,
        classes: Any = None,
        epochs: int | None = None,
        checkpoint: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        **reading: Any,
    ) -> Perceptron:
        r"""Learn from rows that needn't fit into memory, a batch at a time.

        Without shuffling the result is, bit by bit, that of `fit` on the same rows. With it, rows are shuffled within
        each batch, so that batches should be large or their rows in no order of their own.

        Parameters
        ----------
        source : path, list of paths, glob, `limen.learn.stream.Batches`, or iterable of pairs ``(X, y)``
            Files are read as `limen.learn.stream.batches` reads them. An iterable is gone through once for each epoch.
        classes : array_like of shape (n_classes,), optional
            All labels there are. If not given, a pass over the stream finds them, unless ``unknown_classes="add"``.
        epochs : int, optional
            The most epochs; `max_iter` if not given.
        checkpoint : path, optional
            A file to go on from if training is interrupted: it is written after each epoch and every half minute
            within one. If it is there, training goes on from it, to the same bits as if it had never stopped. It is
            removed when training has ended.
        X_val, y_val : array_like, optional
            As in `fit`: training stops when the accuracy on them stops improving.
        **reading
            Parameters of `limen.learn.stream.batches` (``target``, ``encoder``, ``n_features``, ``cache``, …), for
            paths.

        Returns
        -------
        Perceptron
            Itself.

        Raises
        ------
        ValueError
            Bad input, including files that can't be read (`limen.errors.FileError`); nothing is changed.
        KeyboardInterrupt
            Interrupted. If an epoch had ended, the model of the last whole epoch is kept.

        Examples
        --------
        >>> with open("rows.svm", "w") as file:
        ...     _ = file.write("+1 1:1 2:1\n-1 1:1\n-1 2:1\n-1\n")
        >>> conjunction = Perceptron(random_state=0).fit_stream("rows.svm")
        >>> conjunction.predict([[1, 1], [1, 0]])
        array([ 1., -1.])
        """
        with all_or_nothing(self), heard(self.verbose):
            self._validate_params()
            if epochs is not None and not (isinstance(epochs, Integral) and epochs >= 1):
                raise InputError(f"epochs must be a whole number from 1. Received: {epochs!r}.")
            stream = stream_of(source, reading)
            target, n_features = admit_stream(self, stream, classes, knows_features=X_val is not None)
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = n_features
            if stream.feature_names is not None:
                self.feature_names_in_ = np.array(stream.feature_names, dtype=object)
            validation = validation_set(self, target, X_val, y_val)
            learner = new_learner(self, target, n_features)
            start(self, learner, target, None, None)
            course = StreamCourse(
                self,
                learner,
                target,
                stream,
                validation=validation,
                max_iter=int(epochs or self.max_iter),
                checkpoint=checkpoint,
            )
            interrupted = self._learn(course, None, None, None)
            if interrupted is None:
                course.finished()
        self._ended(course, interrupted)
        return self

    def _ended(self, course: Course, interrupted: KeyboardInterrupt | None) -> None:
        """Say how a fit ended, if not well."""
        if interrupted is not None:
            logger.warning("Interrupted: the model of epoch %d is kept.", course.n_epochs)
            raise interrupted
        if course.stop_reason == "max_iter":
            warnings.warn(
                f"Epoch {course.n_epochs} of {course.max_iter} still had {course.n_mistakes[-1]} mistakes. If the"
                " data are linearly separable (limen.learn.separable(X, y) tells for two classes), raise max_iter. If"
                " they aren't, no number of epochs ends without a mistake: keep"
                ' solution="average" or "pocket", or add inputs or a hidden layer.',
                ConvergenceWarning,
                stacklevel=3 if isinstance(course, StreamCourse) else 4,
            )

    @with_callbacks  # type: ignore[untyped-decorator]
    def _learn(self, course: Course, X: Any, y: Any, sample_weight: Any) -> KeyboardInterrupt | None:
        """Run a course and keep what was learned; return what interrupted it after whole epochs."""
        try:
            course.audience = audience(self, X, y, sample_weight, course.fitted_so_far, course.max_iter)
            course.run()
            self.__dict__.update(course.fitted())
            if course.audience is not None:
                course.audience.end()
        except KeyboardInterrupt as error:
            if not course.n_epochs or getattr(course, "is_partial", False):
                raise
            course.stop_reason = "interrupted"
            self.__dict__.update(course.fitted())
            return error
        return None

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Perceptron:
        """Learn from one more batch: one epoch over its rows, going on from where the last call ended.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array_like of shape (n_classes,), optional
            All labels there will be; needed in the first call unless `y` has several outputs or `unknown_classes`
            is "add".

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
        with all_or_nothing(self), heard(self.verbose):
            labels = known_labels(self, y, classes, first)
            given, target, weight = admit(self, X, y, sample_weight, labels=labels, first=first)
            learner = new_learner(self, target, given.n_features)
            if not first:
                learner = learner_before(self, target, learner)
            course = Course(self, learner, given, target, weight, one_batch=True)
            course.run()
            self.__dict__.update(course.fitted())
        return self

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
        X = rows(self._checked(X, finite=True)).source
        scores: Array = answer(self.network_, X, "scores") * self._per_score
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
        X = self._checked(X, finite=False)
        decided = decide(self.network_, X, self._finite)
        labels: Array = self.classes_[decided[:, 0] if self._kind == "binary" else decided]
        return labels

    def _checked(self, X: Any, *, finite: bool) -> Any:
        """Return rows that may be decided on, looking for NaN and infinity if so asked."""
        check_is_fitted(self)
        X = validate_data(
            self,
            X,
            accept_sparse=("csr", "csc"),
            dtype="numeric",
            reset=False,
            ensure_all_finite=finite,
        )
        if is_sparse(X):
            return X if X.format == "csr" and has_starts(X) else rows(X).source
        return X

    def _finite(self, X: Any) -> Any:
        return rows(check_array(X, accept_sparse="csr", dtype="numeric", input_name="X")).source
