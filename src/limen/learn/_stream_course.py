"""A fit over a stream: the epochs of a `Course`, a batch at a time, with a checkpoint to go on from.

`admit_stream` checks what `Perceptron.fit_stream` was given and finds out what has to be known first: the labels, how
many outputs, how many features. `StreamCourse` then teaches batch by batch. New features, and new classes if they are
asked for, get weights of zero when they first come. Without shuffling an epoch over a stream is, bit by bit, an epoch
over the same rows in memory, however they are cut into batches.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from sklearn.utils.validation import check_array

from limen._door import is_sparse
from limen._text import listing
from limen.errors import InputError
from limen.learn._admission import Validation
from limen.learn._cache import csr
from limen.learn._callbacks import log_share
from limen.learn._checkpoint import Checkpoint
from limen.learn._course import Course
from limen.learn._rows import rows
from limen.learn._targets import Targets
from limen.learn._training import Learner, Lesson
from limen.learn.stream import Batch, Batches, batches
from limen.step import Array

__all__ = ["Pairs", "StreamCourse", "admit_stream", "stream_of"]

Settings: TypeAlias = Any
"""The estimator, for its parameters."""

SAVE_EVERY = 30.0  # seconds between two checkpoints within an epoch


class Pairs:
    """Any iterable of pairs ``(X, y)`` that can be read again and again, as a stream."""

    feature_names = None

    def __init__(self, source: Iterable[Any]) -> None:
        if iter(source) is source:
            raise InputError(
                "A stream must be one that can be read again, for the next epoch. Received: an iterator, such as a"
                " generator. Give a list, or an object whose __iter__ begins anew; or call partial_fit for each batch."
            )
        self.source = source
        # Closed here and not by Python when nobody holds it any more, since then a Ctrl-C would get lost.
        with closing(self._pairs()) as pairs:
            self.first = next(pairs, None)
        if self.first is None:
            raise InputError("A stream must have at least one batch. Received: an empty one.")
        self.n_features = int(self.first.X.shape[1])
        self.has_several_outputs = np.ndim(self.first.y) == 2 and np.shape(self.first.y)[1] > 1
        self.n_labels = int(self.first.y.shape[1]) if self.has_several_outputs else None

    def __iter__(self) -> Iterator[Batch]:
        return self._pairs()

    def _pairs(self) -> Generator[Batch, None, None]:
        source = iter(self.source)
        try:
            yield from self._checked(source)
        finally:
            if hasattr(source, "close"):
                source.close()

    def _checked(self, source: Iterator[Any]) -> Iterator[Batch]:
        for pair in source:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise InputError(
                    "A stream of a kind of its own must give pairs (X, y). Received:"
                    f" {type(pair).__name__}. For files, give a path or limen.learn.stream.batches."
                )
            X, y = pair
            X = check_array(X, accept_sparse=("csr", "csc"), dtype="numeric", input_name="X")
            y = y if is_sparse(y) else np.asarray(y)
            if y.ndim == 2 and y.shape[1] == 1:
                y = y.reshape(-1)
            if y.shape[:1] != X.shape[:1]:
                raise InputError(
                    f"X and y of a batch must have as many rows. Received: {X.shape[0]} and {y.shape[0]}."
                )
            yield Batch(X, y, {}, 0.0)

    def labels(self) -> Array:
        """Return all labels, in order, from one pass."""
        return np.unique(np.concatenate([np.unique(batch.y) for batch in self]))


def stream_of(source: Any, reading: Mapping[str, Any]) -> Batches | Pairs:
    """Return the stream that a source is: batches as they are, paths opened, pairs wrapped."""
    path = isinstance(source, str) or hasattr(source, "__fspath__")
    paths = isinstance(source, list | tuple) and all(
        isinstance(s, str) or hasattr(s, "__fspath__") for s in source
    )
    if path or (paths and source):
        return batches(source, **reading)
    if reading:
        raise InputError(
            f"{listing(sorted(reading))} say how files are read, so they go with a path. Received: a"
            f" {type(source).__name__}. Make the stream with limen.learn.stream.batches(path, ...)."
        )
    if isinstance(source, Batches):
        return source
    if not isinstance(source, Iterable):
        raise InputError(
            f"A stream is a path, a list of paths, a glob, limen.learn.stream.batches(...), or an iterable of pairs"
            f" (X, y). Received: {type(source).__name__}."
        )
    return Pairs(source)


def admit_stream(
    settings: Settings, stream: Batches | Pairs, classes: Any, *, knows_features: bool
) -> tuple[Targets, int]:
    """Return the targets, with no rows yet, and how many features there are, at least.

    Parameters
    ----------
    settings : estimator
    stream : Batches or Pairs
    classes : array_like or None
        All labels there will be; found in a pass of its own if not given.
    knows_features : bool
        Whether the number of features must be known in advance.
    """
    adds = settings.unknown_classes == "add"
    if settings.shards > 1:
        raise InputError(
            f"shards must be 1 for a stream. Received: {settings.shards}. Set it to 1, or teach parts of the stream with"
            " limen.learn.shard_epoch and mix."
        )
    if isinstance(settings.class_weight, str):
        raise InputError(
            'class_weight="balanced" needs all rows at once, and a stream shows a batch. Give the weights as a dict.'
        )
    if settings.early_stopping:
        raise InputError(
            "early_stopping holds out rows of an array, which a stream isn't. Received: True. Give X_val and y_val, by"
            " which training is then stopped, and early_stopping=False."
        )
    if isinstance(stream, Batches) and not stream.has_labels:
        raise InputError(
            "A stream to learn from must have labels. Received: a table without a target. Name its column: target=..."
        )
    several = stream.has_several_outputs
    wants_labels = (stream.n_labels is None) if several else classes is None
    if isinstance(stream, Batches) and (
        (wants_labels and not adds) or (knows_features and stream.n_features is None)
    ):
        stream.scan(lambda share: log_share(0, 0, share))
    if several:
        n_outputs = stream.n_labels or int(_first(stream).y.shape[1])
        return Targets("multioutput", np.array([0, 1]), np.zeros((0, n_outputs), np.int8)), _n_features(
            stream
        )
    if classes is not None:
        labels = np.unique(classes)
    elif adds:
        labels = np.unique(_first(stream).y)
    elif isinstance(stream, Batches):
        found = stream.scan().classes
        labels = np.zeros(0) if found is None else found
    else:
        labels = stream.labels()
    if len(labels) < (1 if adds else 2):
        raise InputError(
            f"A stream must have at least two classes to learn from. Received: {labels.tolist()}. Check the target."
        )
    kind: Any = "binary" if len(labels) == 2 and not adds else "multiclass"
    return Targets(kind, labels, np.zeros(0, np.int64)), _n_features(stream)


def _first(stream: Batches | Pairs) -> Batch:
    first = stream.first if isinstance(stream, Pairs) else stream.first()
    if first is None:
        raise InputError("A stream must have at least one row. Received: none.")
    return first


def _n_features(stream: Batches | Pairs) -> int:
    return stream.n_features or 1


class StreamCourse(Course):
    """One call of `Perceptron.fit_stream`.

    Parameters
    ----------
    settings : estimator
    learner : Learner
    target : Targets
        Kind and classes; no rows.
    stream : Batches or Pairs
    validation : Validation or None
    max_iter : int
    checkpoint : path or None
        Where to keep what is needed to go on; what is there is gone on from.

    Attributes
    ----------
    is_partial : bool
        Whether the epoch that is under way began before this call, so that there is nothing to fall back on.
    """

    def __init__(
        self,
        settings: Settings,
        learner: Learner,
        target: Targets,
        stream: Batches | Pairs,
        *,
        validation: Validation | None,
        max_iter: int,
        checkpoint: Any = None,
    ) -> None:
        self._set_out(settings, learner, target, validation, max_iter)
        self.stream = stream
        self.names = stream.feature_names
        self.is_partial = False
        self._begun: dict[str, Any] | None = None
        self._checkpoint: Checkpoint | None = None
        if checkpoint is not None:
            if not isinstance(stream, Batches):
                raise InputError(
                    "checkpoint needs a stream of files, whose batches have positions. Received: pairs (X, y)."
                )
            self._checkpoint = Checkpoint(checkpoint, settings, stream.key)
            found = self._checkpoint.load()
            if found is not None:
                self._begun = found.restore(self)
                self.is_partial = self._begun is not None

    # One pass -------------------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[Batch]:
        """Yield the batches of an epoch: those after the checkpoint, if it is from within the epoch."""
        stream = self.stream
        if self._begun is not None and isinstance(stream, Batches):
            stream = stream.after(self._begun)
        self._begun = None
        yield from stream

    def _lessons(self) -> Iterator[tuple[Lesson, Array, Array]]:
        for batch in self.stream:
            yield self._lesson(batch)

    def _teach(self) -> tuple[int, float]:
        if self._begun is None:
            self.learner.begin(empty_pocket=True)
            self.n_training = 0
        saved = time.monotonic()
        for batch in self._batches():
            lesson, _, which = self._lesson(batch)
            self.learner.show(lesson, self._order(which), n_threads=self.n_threads)
            self.n_training += len(which)
            log_share(self.n_epochs + 1, self.max_iter, batch.share)
            if self._checkpoint is not None and time.monotonic() - saved >= SAVE_EVERY:
                self._checkpoint.save(self, batch.position)
                saved = time.monotonic()
        if not self.n_training:
            raise InputError("A stream must have at least one row. Received: none.")
        return self.learner.end()

    def _verdict(self, mistakes: int, loss: float) -> str:
        self.is_partial = False
        verdict = super()._verdict(mistakes, loss)
        if self._checkpoint is not None and not verdict:
            self._checkpoint.save(self, None)
        return verdict

    def finished(self) -> None:
        """Remove the checkpoint of a fit that has ended."""
        if self._checkpoint is not None:
            self._checkpoint.remove()

    def fitted(self) -> dict[str, Any]:
        """Return the fitted attributes of the estimator, as training has ended."""
        found = {**super().fitted(), "n_features_in_": self.learner.n_features}
        if self.names is not None:
            found["feature_names_in_"] = np.array(self.names, dtype=object)
        return found

    # One batch ------------------------------------------------------------------------------------------------

    def _lesson(self, batch: Batch) -> tuple[Lesson, Array, Array]:
        """Return what a batch teaches; the learner grows where it brings new features or classes."""
        X = batch.X
        n_features = self.learner.n_features
        if X.shape[1] > n_features and is_sparse(X) and not isinstance(self.stream, Pairs):
            self._grow(X.shape[1], list(range(self.learner.n_outputs)), self.learner.n_outputs)
        elif X.shape[1] < n_features and is_sparse(X) and not isinstance(self.stream, Pairs):
            X = csr(X.data, X.indices, X.indptr, (X.shape[0], n_features))
        elif X.shape[1] != n_features:
            raise InputError(
                f"Every batch must have the {n_features} columns of the first. Received: {X.shape[1]}."
            )
        given = rows(X, is_checked=isinstance(self.stream, Batches))
        self.largest = max(self.largest, given.largest)
        self.is_integer_typed = self.is_integer_typed and given.is_integer_typed
        codes = self._codes(batch)  # which may bring new classes
        target = replace(self.target, codes=codes)
        signs = target.codes if self.learner.classes else target.signs()
        n_rows = given.n_rows
        return Lesson(given, signs, np.ones(n_rows), self._cost()), target.codes, np.arange(n_rows)

    def _cost(self) -> Array:
        weights = self.settings.class_weight
        return np.ones((self.target.n_outputs, 2)) if weights is None else self.target.costs(weights)

    def _codes(self, batch: Batch) -> Array:
        y = batch.y
        if self.target.kind == "multioutput":
            found = y.toarray() if is_sparse(y) else np.asarray(y)
            n_outputs = self.learner.n_outputs
            if found.dtype.kind not in "buif" or not ((found == 0) | (found == 1)).all():
                raise InputError("Several targets must hold zeros and ones. Received: other values.")
            if found.shape[1] > n_outputs:
                if self.settings.unknown_classes != "add":
                    raise InputError(
                        f"y must have the {n_outputs} outputs there were before. Received: {found.shape[1]}. Give"
                        ' n_labels, or unknown_classes="add".'
                    )
                self._grow(self.learner.n_features, list(range(n_outputs)), found.shape[1])
                self.target = replace(self.target, codes=np.zeros((0, found.shape[1]), np.int8))
            padded = np.zeros((len(found), self.learner.n_outputs), dtype=np.int8)
            padded[:, : found.shape[1]] = found
            return padded
        classes = self.target.classes
        if np.ndim(y) != 1:
            raise InputError(f"Every batch must have one label a row. Received: y of shape {np.shape(y)}.")
        positions = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        unknown = np.unique(y[classes[positions] != y])
        if len(unknown):
            if self.settings.unknown_classes != "add":
                raise InputError(
                    f"y must hold the classes {classes.tolist()}. Received: {unknown.tolist()} as well. Name all in"
                    ' classes=, or give unknown_classes="add".'
                )
            known, self.target = classes, replace(self.target, classes=np.union1d(classes, unknown))
            classes = self.target.classes
            self._grow(self.learner.n_features, np.searchsorted(classes, known).tolist(), len(classes))
            positions = np.searchsorted(classes, y)
        codes: Array = positions.astype(np.int64)
        return codes

    def _grow(self, n_features: int, places: list[int], n_outputs: int) -> None:
        """Make room in the learner, and in what was kept of it."""
        self.learner.grow(n_features, n_outputs, places)
        self.constant = np.zeros(n_outputs, dtype=np.int64)
