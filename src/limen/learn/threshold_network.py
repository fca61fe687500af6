"""Deep networks of threshold neurons, a scikit-learn classifier: trained by gradient, exact integers once trained.

Rows are zeros and ones, or are made so by a `ThresholdEncoder`, before it in a pipeline or within it (`encode`). Hidden
layers hand on -1 and +1 and have weights that are whole from the first step of training on (`limen.learn.keras`), so that nothing
is rounded in the end: the network that is kept decides as the one that was trained. Keras 3 trains it (the extra ``keras``);
what is fitted needs no Keras to predict, be pickled or saved.

References
----------
M. Courbariaux, I. Hubara, D. Soudry, R. El-Yaniv and Y. Bengio (2016), "Binarized neural networks", sections 1 and 2. I.
Loshchilov and F. Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", ICLR, equation 5: the cosine along which the
learning rate falls. C. Szegedy et al. (2016), "Rethinking the Inception architecture", CVPR, section 7: label smoothing.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import (
    _check_feature_names,
    _check_sample_weight,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from limen._door import is_sparse
from limen.errors import InputError, TrainingError
from limen.learn._admission import Validation, all_or_nothing, validation_set
from limen.learn._callbacks import heard, log_kept
from limen.learn._deciding import answers
from limen.learn._network_admission import (
    CONSTRAINTS,
    ENCODE,
    batch_size_of,
    bits_of,
    epochs_of,
    held_out_rows,
    image_of,
    require_memory,
    taught,
    widths_of,
)
from limen.learn._targets import Targets, targets
from limen.learn.encoder import ThresholdEncoder
from limen.network import Network
from limen.step import Array
from limen.table import column_names

__all__ = ["ThresholdNetworkClassifier"]

logger = logging.getLogger("limen")


class ThresholdNetworkClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A network of threshold neurons with hidden layers, as a classifier.

    Parameters
    ----------
    hidden : sequence of int, or int, default (256, 256)
        How many neurons each hidden layer has, or the only one. ``()`` for none.
    weights : {"binary", "ternary", "int4", "int8"}, default "binary"
        The weights of hidden neurons: -1 and 1; -1, 0 and 1; whole numbers up to 7; up to 127.
    head_weights : {"binary", "ternary", "int4", "int8"}, default "int8"
        The weights of the last layer.
    encode : bool or ThresholdEncoder, default False
        Whether to turn what `fit` is given into zeros and ones first, by a `ThresholdEncoder`, or this one.
    epochs : int or "auto", default "auto"
        How often all rows are seen. The learning rate falls over them, so that a training of fewer epochs isn't the
        beginning of one of more. "auto": as many as make 2,000 steps, but from 30 to 500.
    batch_size : int or "auto", default "auto"
        Rows in a step of training; no more than there are. "auto": a 64th of them, but from 32 to 256.
    learning_rate : float, default 0.02
        Of Adam, at the start; it falls to 0 along a cosine.
    surrogate : {"clipped_identity", "triangle", "power"}, default "triangle"
        Whose slope the steps have in training; `limen.learn.keras` has the formulas.
    dropout : float, default 0.0
        The share of the outputs of each hidden layer that are silenced in a step.
    input_dropout : float, default 0.0
        The share of the inputs that are silenced in a step.
    label_smoothing : float, default 0.0
        The share of each label that is spread over all classes, if there are three or more.
    image_shape : (height, width), (height, width, n_bits) or None, default None
        If rows are images, pixel after pixel: their shape.
    max_shift : int, default 0
        Images are moved by up to so many pixels each way, anew each time they are seen.
    early_stopping : bool, default False
        Whether to hold rows out, and to stop when the accuracy on them stops improving. The weights of the best epoch
        are kept.
    validation_fraction : float, default 0.1
        The share of the rows held out.
    n_iter_no_change : int, default 10
        Epochs without improvement before stopping.
    class_weight : dict, "balanced", list of dict, or None, default None
        How much each class counts; a list gives one dict for each of several outputs.
    random_state : int, RandomState or None, default None
        For weights, order, silence, shifts and rows held out. On one machine the same number gives the same network.
    callbacks : sequence of keras.callbacks.Callback or None, default None
        Called by Keras while it trains.
    verbose : int, default 0
        If above 0, epochs are reported on the logger ``limen``, on standard error if nobody else listens.

    Attributes
    ----------
    network_ : limen.Network
        What was learned, and what predicts: exact, on zeros and ones. It ends in one heaviside neuron, in one for each
        of several outputs, or in a hardmax layer.
    encoder_ : ThresholdEncoder or None
        What makes the network's inputs, if `encode`.
    classes_ : ndarray of shape (n_classes,)
        The labels; ``[0, 1]`` for several outputs.
    scale_ : float
        What a whole net input of the last layer counts in `decision_function`.
    history_ : dict of str to list of float
        ``loss`` and ``accuracy``, and ``val_loss`` and ``val_accuracy`` if rows were held out, of each epoch.
    n_iter_ : int
        Epochs done.
    best_epoch_ : int
        The epoch whose weights were kept, from 1 on.
    stop_reason_ : {"epochs", "early_stopping", "callback", "diverged", "interrupted"}
        How training ended.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where `X` had names.

    Warns
    -----
    ConvergenceWarning
        The loss was no number any more; the last good epoch is kept.

    See Also
    --------
    limen.learn.network_from : the same for a Keras model of one's own.
    limen.learn.polish : local search on a fitted network's true mistakes.

    Examples
    --------
    >>> X = [[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    >>> y = [(a + b + c) % 2 for a, b, c in X]
    >>> parity = ThresholdNetworkClassifier(hidden=(16,), epochs=60, random_state=0).fit(X, y)
    >>> parity.predict([[1, 1, 1], [1, 0, 1]]), parity.network_.is_exact
    (array([1, 0]), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    def __init__(
        self,
        hidden: Sequence[int] = (256, 256),
        *,
        weights: str = "binary",
        head_weights: str = "int8",
        encode: bool | ThresholdEncoder = False,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        learning_rate: float = 0.02,
        surrogate: str = "triangle",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        label_smoothing: float = 0.0,
        image_shape: Sequence[int] | None = None,
        max_shift: int = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        class_weight: dict[Any, float] | list[dict[int, float]] | str | None = None,
        random_state: int | np.random.RandomState | None = None,
        callbacks: Sequence[Any] | None = None,
        verbose: int = 0,
    ) -> None:
        self.hidden = hidden
        self.weights = weights
        self.head_weights = head_weights
        self.encode = encode
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.surrogate = surrogate
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.label_smoothing = label_smoothing
        self.image_shape = image_shape
        self.max_shift = max_shift
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.encode is False
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        tags.non_deterministic = self.random_state is None
        return tags

    # Learning -----------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        checkpoint: Any = None,
    ) -> ThresholdNetworkClassifier:
        """Learn from rows and their labels.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_rows, n_features), or a table if `encode`
            Zeros and ones, unless `encode`.
        y : array_like of shape (n_rows,) or (n_rows, n_outputs)
            Labels; zeros and ones for several outputs.
        sample_weight : array_like of shape (n_rows,), optional
            How much each row counts, not negative.
        X_val, y_val : array_like, optional
            Rows and labels, as `X` and `y`, for early stopping to judge by, whatever `early_stopping` says; no
            training rows are held out.
        checkpoint : path, optional
            A file to go on from if training is interrupted, written after epochs, at most every 20 seconds. If it is there,
            training goes on from it, as if it had never stopped. It is removed when training has ended.

        Returns
        -------
        ThresholdNetworkClassifier
            Itself.

        Raises
        ------
        ValueError
            Bad input, such as numbers other than 0 and 1 without `encode`, a width of zero, or more memory than there is;
            nothing is changed.
        MissingExtraError
            Keras, or the backend it should run on, isn't installed.
        TrainingError
            The loss was no number in the first epoch; nothing is changed.
        KeyboardInterrupt
            Interrupted. If an epoch had ended, the network of the best one so far is kept, at once: with the running
            statistics that training had.
        """
        with all_or_nothing(self), heard(self.verbose):
            hidden = widths_of(self.hidden)
            bits, encoder = self._inputs(X, y)
            target = targets(y)
            weight = _check_sample_weight(sample_weight, bits, dtype=np.float64, ensure_non_negative=True)
            validation = self._validation(target, X_val, y_val, encoder)
            interrupt = self._learn(hidden, bits, target, weight, validation, encoder, checkpoint)
        if interrupt is not None:
            raise interrupt
        if self.stop_reason_ == "diverged":
            warnings.warn(
                f"The loss of epoch {self.n_iter_ + 1} was no number; the network of epoch {self.best_epoch_} is kept. Lower"
                f" learning_rate (it is {self.learning_rate:g}).",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _inputs(self, X: Any, y: Any) -> tuple[Any, ThresholdEncoder | None]:
        """Return the rows to learn from as zeros and ones, and what makes them so."""
        if self.encode is False:
            try:
                X, _ = validate_data(self, X, y, accept_sparse="csr", dtype="numeric", multi_output=True)
            except ValueError as error:
                if "string" not in str(
                    error
                ):  # scikit-learn has one sentence for objects, another for fixed widths
                    raise
                raise InputError(f"X must hold zeros and ones. Received: text ({error}). {ENCODE}") from None
            return bits_of(X), None
        from sklearn.base import clone

        names = None if is_sparse(X) else column_names(X)
        if names is None:
            X, _ = validate_data(self, X, y, dtype="numeric", multi_output=True)
        else:
            _check_feature_names(self, X, reset=True)
            self.n_features_in_ = len(names)
        encoder = ThresholdEncoder() if self.encode is True else clone(self.encode)
        bits = encoder.fit_transform(X)
        if len(bits) != len(np.asarray(y)):
            raise InputError(
                f"y must have a label for each of the {len(bits)} rows. Received: {len(np.asarray(y))}."
            )
        return bits, encoder

    def _validation(
        self, target: Targets, X_val: Any, y_val: Any, encoder: ThresholdEncoder | None
    ) -> Validation | None:
        if encoder is not None and X_val is not None:
            X_val = encoder.transform(X_val)
            width = self.n_features_in_
            try:  # what is looked at now are the encoder's outputs
                self.n_features_in_ = X_val.shape[1]
                return validation_set(self, target, np.asarray(X_val), y_val)
            finally:
                self.n_features_in_ = width
        found = validation_set(self, target, X_val, y_val)
        if found is not None:
            bits_of(found.rows)
        return found

    def _learn(
        self,
        hidden: tuple[int, ...],
        bits: Any,
        target: Targets,
        weight: Array,
        validation: Validation | None,
        encoder: ThresholdEncoder | None,
        checkpoint: Any,
    ) -> BaseException | None:
        """Train, and keep what was learned; return what interrupted it."""
        from limen.learn._deep_checkpoint import DeepCheckpoint, fingerprint
        from limen.learn._keras_door import require_training
        from limen.learn._keras_training import Plan, Rows, build, head_scale, set_state, settle, train
        from limen.learn.conversion import network_from

        require_training()
        seed = int(check_random_state(self.random_state).randint(2**31))
        seen = np.flatnonzero(weight > 0)
        held_out: Array | None = None
        if validation is None and self.early_stopping:
            seen, held_out = held_out_rows(target, seen, float(self.validation_fraction), seed)
        batch_size = batch_size_of(self.batch_size, len(seen))
        plan = Plan(
            n_inputs=int(bits.shape[1]),
            n_outputs=target.n_outputs,
            competing=target.kind == "multiclass",
            hidden=hidden,
            weights=self.weights,
            head_weights=self.head_weights,
            surrogate=self.surrogate,
            dropout=float(self.dropout),
            input_dropout=float(self.input_dropout),
            epochs=epochs_of(self.epochs, len(seen), batch_size),
            batch_size=batch_size,
            learning_rate=float(self.learning_rate),
            label_smoothing=float(self.label_smoothing),
            image_shape=image_of(self.image_shape, int(self.max_shift), int(bits.shape[1])),
            max_shift=int(self.max_shift),
            seed=seed,
        )
        require_memory(plan)
        y, own = taught(target, self.class_weight)
        counts = (weight * own).astype(np.float32)
        rows = Rows(plan, bits if len(seen) == len(y) else bits[seen], y[seen], counts[seen])
        judge = None
        if held_out is not None:
            judge = Rows(plan, bits[held_out], y[held_out], counts[held_out], fixed=True)
        elif validation is not None:
            y_val, _ = taught(Targets(target.kind, target.classes, validation.codes), None)
            judge = Rows(plan, validation.rows, y_val, np.ones(len(y_val), dtype=np.float32), fixed=True)
        file = None
        if checkpoint is not None:
            judged = () if judge is None else (judge.X, judge.y)
            file = DeepCheckpoint(
                checkpoint, f"{plan} {fingerprint(rows.X, rows.y, rows.sample_weight, *judged)}"
            )
        model = build(plan)
        keeper, interrupt = train(
            model,
            plan,
            rows,
            validation=judge,
            patience=None if judge is None else int(self.n_iter_no_change),
            callbacks=tuple(self.callbacks or ()),
            checkpoint=file,
        )
        if keeper.best is None:
            if interrupt is not None:
                raise interrupt
            raise TrainingError(
                "The loss was no number in the first epoch, so that nothing was learned. Lower learning_rate"
                f" (it is {self.learning_rate:g}), or look at sample_weight and class_weight."
            )
        decision = "largest" if plan.competing else "each"
        try:
            if interrupt is None:
                settle(model, rows.X)
            network = network_from(model, decision=decision, prove=interrupt is None)
        except KeyboardInterrupt as error:
            if interrupt is not None:  # somebody insists
                raise
            log_kept(keeper.best_epoch)
            keeper.stop_reason, interrupt = "interrupted", error
            set_state(model, keeper.best)
            network = network_from(model, decision=decision, prove=False)
        if interrupt is None and file is not None:
            file.remove()
        self.network_ = _named(network, encoder)
        self.encoder_ = encoder
        self.classes_ = target.classes
        self.scale_ = head_scale(model)
        self.history_ = keeper.history
        self.n_iter_, self.best_epoch_ = keeper.n_epochs, keeper.best_epoch
        self.stop_reason_ = keeper.stop_reason
        self._kind = target.kind
        return interrupt

    # Deciding -----------------------------------------------------------------------------------------------

    def decision_function(self, X: Any) -> Array:
        """Return the net inputs of the last layer, times `scale_`.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_rows, n_features), or a table if `encode`

        Returns
        -------
        ndarray of float64, shape (n_rows,), (n_rows, n_classes) or (n_rows, n_outputs)
        """
        scores = self._answers(X, "scores", np.float64) * self.scale_
        return scores[:, 0] if self._kind == "binary" else scores

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities that training gave the classes: softmax, or logistic, of `decision_function`.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_rows, n_features), or a table if `encode`

        Returns
        -------
        ndarray of float64, shape (n_rows, n_classes), or (n_rows, n_outputs): of each output being 1
        """
        from scipy.special import expit, softmax

        z = self.decision_function(X)
        if self._kind == "multiclass":
            return softmax(z, axis=1)
        p = expit(z)
        return np.stack([1 - p, p], axis=1) if self._kind == "binary" else p

    def predict(self, X: Any) -> Array:
        """Return the labels that `network_` decides for.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_rows, n_features), or a table if `encode`

        Returns
        -------
        ndarray of shape (n_rows,), or of zeros and ones of shape (n_rows, n_outputs)
        """
        fired = self._answers(X, "__call__", np.int8)
        if self._kind == "multioutput":
            return self.classes_[fired]
        labels: Array = self.classes_[fired.argmax(axis=1) if self._kind == "multiclass" else fired[:, 0]]
        return labels

    def _answers(self, X: Any, method: str, dtype: Any) -> Array:
        """Return what the network answers, some rows at a time."""
        check_is_fitted(self)
        if self.encoder_ is None:
            bits = bits_of(validate_data(self, X, accept_sparse="csr", dtype="numeric", reset=False))
        else:
            if is_sparse(X) or column_names(X) is None:
                X = validate_data(self, X, dtype="numeric", reset=False)
            bits = self.encoder_.transform(X)
        found = np.empty((bits.shape[0], self.network_.n_outputs), dtype=dtype)
        for which, part in answers(self.network_, bits, np.arange(bits.shape[0]), method):
            found[which] = part
        return found


def _named(network: Network, encoder: ThresholdEncoder | None) -> Network:
    inputs = None if encoder is None else encoder.encoding_.inputs
    return Network(network.layers, inputs, network.outputs, network.domain)
