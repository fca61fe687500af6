"""Deep threshold networks, built in Keras and trained: from a `Plan`, rows and labels to a settled model.

`build` makes the model of a plan, `train` teaches it and `settle` replaces the running statistics of its layers by exact
ones. A training is kept alive by a `Keeper`: it holds the weights of the best epoch so far, so that whatever ends the training
(the last epoch, no more improvement, a loss that isn't a number, Ctrl-C) leaves a model that works; it writes the
checkpoint, and tells the log ``limen`` how far it is.

Each epoch and each batch has random numbers of its own, drawn from the seed and its number: a training that goes on from a
checkpoint goes on as if it had never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from limen._door import is_sparse
from limen.errors import InputError
from limen.learn._callbacks import log_kept, log_network_epoch, log_share
from limen.learn._deep_checkpoint import DeepCheckpoint
from limen.learn._keras_door import keras
from limen.learn.keras import PowerSchedule, Silence, ThresholdDense
from limen.step import Array

__all__ = ["Keeper", "Plan", "Rows", "build", "head_scale", "settle", "train"]

ops = keras.ops
BLOCK = 4096  # rows whose statistics are taken at a time


@dataclass(frozen=True, slots=True)
class Plan:
    """What is built and how it is trained.

    Parameters
    ----------
    n_inputs, n_outputs : int
    competing : bool
        Whether the outputs are classes of one decision; otherwise each decides for itself.
    hidden : tuple of int
        Neurons of each hidden layer.
    weights, head_weights : str
        Kinds of weights, of the hidden layers and of the last.
    surrogate : str
    dropout : float
        The share of the outputs of a hidden layer that are silenced in a training step.
    input_dropout : float
        The share of the inputs that are.
    epochs, batch_size : int
    learning_rate : float
        At the start; it falls to 0 along a cosine.
    label_smoothing : float
    image_shape : tuple of int or None
    max_shift : int
        How far images are shifted, in pixels.
    seed : int
    """

    n_inputs: int
    n_outputs: int
    competing: bool
    hidden: tuple[int, ...]
    weights: str
    head_weights: str
    surrogate: str
    dropout: float
    input_dropout: float
    epochs: int
    batch_size: int
    learning_rate: float
    label_smoothing: float
    image_shape: tuple[int, ...] | None
    max_shift: int
    seed: int

    def n_bytes(self) -> int:
        """Return about how much memory training takes: weights with slopes and Adam's two moments, and a batch."""
        widths = (self.n_inputs, *self.hidden, self.n_outputs)
        n_weights = sum(before * after for before, after in pairwise(widths))
        return 4 * (6 * n_weights + 6 * self.batch_size * sum(widths))


# The model ------------------------------------------------------------------------------------------------------


def build(plan: Plan) -> Any:
    """Return the untrained model of a plan, whose inputs are zeros and ones."""
    seeds = [
        int(n) for n in np.random.default_rng([plan.seed, 1]).integers(0, 2**31, 2 * len(plan.hidden) + 2)
    ]
    product = "int8" if has_matrix_units() else "float32"

    def uniform(weights: str, seed: int) -> Any:
        # Of binary weights only the signs count, and small latent ones change theirs within a few steps.
        most = 0.1 if weights == "binary" else 1.0
        return keras.initializers.RandomUniform(-most, most, seed=seed)

    model = keras.Sequential(
        [keras.Input((plan.n_inputs,), dtype="uint8"), keras.layers.Rescaling(2.0, -1.0)]
    )
    if plan.input_dropout:
        model.add(Silence(plan.input_dropout, seeds[-2]))
    for k, width in enumerate(plan.hidden):
        model.add(
            ThresholdDense(
                width,
                plan.weights,
                "bipolar",
                surrogate=plan.surrogate,
                normalize=True,
                product=product,
                kernel_initializer=uniform(plan.weights, seeds[2 * k]),
            )
        )
        if plan.dropout:
            model.add(Silence(plan.dropout, seeds[2 * k + 1]))
    model.add(
        ThresholdDense(
            plan.n_outputs,
            plan.head_weights,
            product=product,
            kernel_initializer=uniform(plan.head_weights, seeds[-1]),
        )
    )
    return model


def has_matrix_units() -> bool:
    """Whether whole numbers of 8 bits are multiplied faster here than floats: JAX on a processor with AMX, or a GPU."""
    if keras.backend.backend() != "jax":
        return False
    try:
        return "amx_int8" in Path("/proc/cpuinfo").read_text("ascii", "ignore")
    except OSError:
        return False


# Losses ---------------------------------------------------------------------------------------------------------


def competing_loss(y: Any, z: Any) -> Any:
    """Return the cross-entropy of class shares `y` and the softmax of `z`."""
    return -ops.sum(y * ops.log_softmax(z), axis=-1)


def competing_accuracy(y: Any, z: Any) -> Any:
    """Return 1 where the largest output is the class's."""
    return ops.cast(ops.argmax(z, axis=-1) == ops.argmax(y, axis=-1), "float32")


def _signs_and_costs(y: Any, z: Any) -> tuple[Any, Any]:
    return y[:, : z.shape[-1]], y[:, z.shape[-1] :]


def each_loss(y: Any, z: Any) -> Any:
    """Return the mean cross-entropy of outputs that each decide: `y` holds their signs, and then their costs."""
    signs, costs = _signs_and_costs(y, z)
    return ops.mean(costs * ops.softplus(-signs * z), axis=-1)


def each_accuracy(y: Any, z: Any) -> Any:
    """Return the share of outputs on the right side."""
    signs, _ = _signs_and_costs(y, z)
    return ops.mean(ops.cast((z >= 0) == (signs > 0), "float32"), axis=-1)


# Rows -----------------------------------------------------------------------------------------------------------


class Rows(keras.utils.PyDataset):  # type: ignore[misc]
    """Rows and what they should become, a batch at a time, every batch of one size.

    Parameters
    ----------
    plan : Plan
    X : ndarray or scipy.sparse.csr_matrix of shape (n_rows, n_inputs)
        Zeros and ones.
    y : ndarray of float32
        As the losses take it.
    sample_weight : ndarray of float32, shape (n_rows,)
    fixed : bool, default False
        Whether the rows come in order and as they are, to judge by.
    """

    def __init__(self, plan: Plan, X: Any, y: Array, sample_weight: Array, *, fixed: bool = False) -> None:
        super().__init__()
        self.plan, self.X, self.y, self.sample_weight, self.fixed = plan, X, y, sample_weight, fixed
        self.size = min(plan.batch_size, len(y))
        self.epoch = 0
        self._order: tuple[int, Array] | None = None

    def __len__(self) -> int:
        return math.ceil(len(self.y) / self.size)

    def __getitem__(self, number: int) -> tuple[Array, Array, Array]:
        n_rows, first = len(self.y), number * self.size
        if self.fixed:
            chosen = np.arange(first, min(first + self.size, n_rows))
        else:  # the last batch is filled up with the first rows of the epoch
            chosen = self._shuffled()[(first + np.arange(self.size)) % n_rows]
        X = self.X[chosen]
        X = X.toarray() if is_sparse(X) else X
        if self.plan.max_shift and not self.fixed:
            X = shifted(X, self.plan, np.random.default_rng([self.plan.seed, 3, self.epoch, number]))
        y = self.y[chosen]
        if self.plan.competing and self.plan.label_smoothing and not self.fixed:
            y = (1 - self.plan.label_smoothing) * y + np.float32(self.plan.label_smoothing / y.shape[1])
        return X.astype(np.uint8, copy=False), y, self.sample_weight[chosen]

    def _shuffled(self) -> Array:
        if self._order is None or self._order[0] != self.epoch:
            random = np.random.default_rng([self.plan.seed, 2, self.epoch])
            self._order = self.epoch, random.permutation(len(self.y))
        return self._order[1]


def shifted(X: Array, plan: Plan, random: np.random.Generator) -> Array:
    """Return images, each moved by up to `max_shift` pixels each way; what moves in from outside is 0."""
    assert plan.image_shape is not None
    most, (height, width) = plan.max_shift, plan.image_shape[:2]
    images = X.reshape(len(X), height, width, -1)
    framed = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    down, right = random.integers(0, 2 * most + 1, (2, len(X)))
    moved = np.empty_like(images)
    for move in range((2 * most + 1) ** 2):
        a, b = divmod(move, 2 * most + 1)
        which = np.flatnonzero((down == a) & (right == b))
        moved[which] = framed[which, a : a + height, b : b + width]
    return moved.reshape(X.shape)


# Training -------------------------------------------------------------------------------------------------------


@dataclass
class Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """What a training has come to: the weights of its best epoch, its history, and why it ended.

    Parameters
    ----------
    rows : Rows
    epochs : int
        The most epochs.
    patience : int or None
        Epochs without a better validation accuracy before training ends; None for all epochs.
    checkpoint : DeepCheckpoint or None
    stop_reason : str
    history : dict of str to list of float
        ``loss``, ``accuracy``, and if there are validation rows ``val_loss``, ``val_accuracy``, by epoch.
    best : list of ndarray or None
        The weights of the best epoch: the one of the highest validation accuracy, the later of equals; the last, without
        validation rows.
    best_epoch : int
        From 1 on; 0 before the first has ended.
    """

    rows: Rows
    epochs: int
    patience: int | None = None
    checkpoint: DeepCheckpoint | None = None
    stop_reason: str = "epochs"
    history: dict[str, list[float]] = field(default_factory=dict)
    best: list[Array] | None = None
    best_epoch: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def n_epochs(self) -> int:
        """Epochs that ended well."""
        return len(self.history.get("loss", ()))

    def model_state(self) -> list[Array]:
        """Return all that the model remembers: its weights, and where its random numbers are."""
        return [ops.convert_to_numpy(variable) for variable in self.model.variables]

    def optimizer_state(self) -> list[Array]:
        """Return all that the optimizer remembers."""
        return [ops.convert_to_numpy(variable) for variable in self.model.optimizer.variables]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Shuffle."""
        self.rows.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell how far the epoch is."""
        log_share(self.rows.epoch + 1, self.epochs, (batch + 1) / len(self.rows))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the weights if they are the best; stop if there is no use in going on."""
        found = {name: float(value) for name, value in (logs or {}).items()}
        if not all(math.isfinite(value) for value in found.values()):
            self.stop_reason, self.model.stop_training = "diverged", True
            return
        for name, value in found.items():
            self.history.setdefault(name, []).append(value)
        scores = self.history.get("val_accuracy")
        if scores is None or scores[-1] >= max(scores):
            self.best, self.best_epoch = self.model_state(), epoch + 1
        log_network_epoch(epoch + 1, self.epochs, found)
        if self.patience is not None and epoch + 1 - self.best_epoch >= self.patience:
            self.stop_reason, self.model.stop_training = "early_stopping", True
        elif self.checkpoint is not None and epoch + 1 < self.epochs:
            self.checkpoint.save(self)


def train(
    model: Any,
    plan: Plan,
    rows: Rows,
    *,
    validation: Rows | None = None,
    patience: int | None = None,
    callbacks: Sequence[Any] = (),
    checkpoint: DeepCheckpoint | None = None,
) -> tuple[Keeper, BaseException | None]:
    """Train a model, and leave it with the weights of its best epoch.

    Parameters
    ----------
    model : keras.Model
        As `build` made it.
    plan : Plan
    rows : Rows
    validation : Rows, optional
        To judge epochs by.
    patience : int, optional
        As in `Keeper`.
    callbacks : sequence of keras.callbacks.Callback
    checkpoint : DeepCheckpoint, optional
        What it goes on from, if there is one, and saves itself to.

    Returns
    -------
    Keeper
    KeyboardInterrupt or None
        What interrupted it.
    """
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise InputError(f"callbacks must be Keras callbacks. Received: {type(callback).__name__}.")
    steps = len(rows) * plan.epochs
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(plan.learning_rate, steps)),
        competing_loss if plan.competing else each_loss,
        weighted_metrics=[_named_accuracy(competing_accuracy if plan.competing else each_accuracy)],
    )
    keeper = Keeper(rows, plan.epochs, patience, checkpoint)
    model.optimizer.build(model.trainable_variables)
    if checkpoint is not None:
        checkpoint.restore(keeper, model)
    own = [keeper, PowerSchedule()] if plan.surrogate == "power" else [keeper]
    interrupt: BaseException | None = None
    try:
        if keeper.n_epochs < plan.epochs:
            model.fit(
                rows,
                epochs=plan.epochs,
                initial_epoch=keeper.n_epochs,
                validation_data=validation,
                callbacks=[*own, *callbacks],
                verbose=0,
                shuffle=False,
            )
    except KeyboardInterrupt as error:
        keeper.stop_reason, interrupt = "interrupted", error
        if keeper.best is not None:
            log_kept(keeper.best_epoch)
    if keeper.stop_reason == "epochs" and keeper.n_epochs < plan.epochs:
        keeper.stop_reason = "callback"
    if keeper.best is not None:
        set_state(model, keeper.best)
    return keeper, interrupt


def _named_accuracy(function: Any) -> Any:
    return keras.metrics.MeanMetricWrapper(function, name="accuracy")


def set_state(model: Any, state: list[Array]) -> None:
    """Give a model back what it remembered."""
    for variable, value in zip(model.variables, state, strict=True):
        variable.assign(value)


def head_scale(model: Any) -> float:
    """Return what a whole net input of the last layer counts."""
    return float(ops.convert_to_numpy(model.layers[-1].scale()))


def settle(model: Any, X: Any) -> None:
    """Replace the running statistics of a model's normalised layers by those of all rows, layer by layer.

    While training, statistics lag behind the weights and are those of steps some of which were silenced.

    Parameters
    ----------
    model : keras.Model
        As `build` made it.
    X : ndarray or scipy.sparse.csr_matrix of shape (n_rows, n_inputs)
        Zeros and ones.
    """
    steps: Any = X
    for layer in model.layers:
        if not isinstance(layer, ThresholdDense) or not layer.normalize:
            continue
        weights = ops.cast(ops.convert_to_tensor(layer.whole_weights()), layer.product)
        n_rows, total, squares = steps.shape[0], np.zeros(layer.units), np.zeros(layer.units)
        for s in _sums(steps, weights, layer.product):
            total += s.sum(axis=0)
            squares += np.einsum("ij,ij->j", s, s)
        mean = total / n_rows
        layer.set_statistics(mean, np.maximum(squares / n_rows - mean**2, 0.0))
        bias = layer.whole_bias()
        steps = np.concatenate([(s + bias >= 0) for s in _sums(steps, weights, layer.product)])


def _sums(bits: Any, weights: Any, product: str) -> Iterator[Array]:
    """Yield the weighted sums of -1 and +1, given as bits, for some rows at a time, in float64."""
    for first in range(0, bits.shape[0], BLOCK):
        block = bits[first : first + BLOCK]
        block = block.toarray() if is_sparse(block) else block
        signs = ops.cast(ops.convert_to_tensor(2 * block.astype(np.int8) - 1), product)
        yield ops.convert_to_numpy(ops.matmul(signs, weights)).astype(np.float64)
