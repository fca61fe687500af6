"""A model learned from part of a table that needn't fit into memory, and judged by the rest: ``limen fit --stream``.

`stream_trial` does what `limen.learn.trial.trial` does, and returns the same `Trial`. It reads the file again and again:

1. The first pass counts rows and classes, and draws a sample of the rows to learn from, on which the encoder is fitted.
2. Each epoch is a pass: rows are encoded and taught in batches of `BATCH_BYTES`, shuffled within a batch. If the encoded
   rows fit into `KEPT_BYTES`, an eighth of a byte for each input, they are kept after the first and the file isn't read again.
3. The last pass judges the rows learned from and the rows held out.

Which rows are held out, and which are in the sample, is drawn from the seed and each row's number alone (`limen.learn._lots`):
it neither hangs on how the file is cut into parts, nor takes memory that grows with it, and the same file and seed give the
same model. Unlike a split in memory this one doesn't keep the share of each class to the row.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from limen._text import listing, plural
from limen.encoding import Encoding, Label, label_text
from limen.errors import FileError, InputError
from limen.evaluation import Evaluation, together
from limen.learn._lots import HELD_OUT, Sample, lots
from limen.learn._stream_ahead import ahead
from limen.learn._stream_parts import Part, Parts, WidenedError
from limen.learn.encoder import ThresholdEncoder
from limen.learn.perceptron import Perceptron
from limen.learn.trial import Trial, notes_on_columns, notes_on_targets
from limen.model import Model
from limen.network import Network
from limen.step import Array
from limen.table import MISSING_TEXT, Column
from limen.target import class_labels, class_positions, output_names

__all__ = ["SAMPLE_ROWS", "Parts", "stream_trial"]

SAMPLE_ROWS = 100_000  # rows the encoder is fitted on
SAMPLE_VALUES = 10_000_000  # values in them: of a table with more than 100 columns, fewer rows
BATCH_BYTES = 32 << 20  # encoded rows that are shuffled together
KEPT_BYTES = 256 << 20  # encoded rows, eight inputs a byte, kept in memory instead of being read again
PATIENCE = 1.0  # seconds to wait for a thread that was told to end
CLASSES = 10_000  # different values of a target before they are counted no further

Progress = Callable[[str, float], None]


def stream_trial(
    path: str | Parts,
    targets: Sequence[str],
    *,
    drop: Sequence[str] = (),
    drop_missing_target: bool = False,
    test_size: float = 0.25,
    random_state: int = 0,
    encoder: ThresholdEncoder | None = None,
    classifier: Perceptron | None = None,
    epochs: int | None = None,
    missing: Sequence[str] = MISSING_TEXT,
    sample_rows: int | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Learn to predict columns of a table in a file from its other columns, and judge it by rows held out.

    Memory doesn't grow with the file.

    Parameters
    ----------
    path : str or Parts
        A CSV (plain or compressed with gzip, bzip2 or xz), Parquet or Arrow file.
    targets : sequence of str
        One column of two or more classes, or several of two classes each.
    drop : sequence of str
        Columns not to look at.
    drop_missing_target : bool
        Whether rows without a target are left out. Otherwise they are refused.
    test_size : float
        About the share of rows to hold out; 0 for none.
    random_state : int
        For the rows held out and the sample.
    encoder : ThresholdEncoder, optional
    classifier : Perceptron, optional
        Both are fitted. Default: with default parameters, the classifier with `random_state`.
    epochs : int, optional
        The most epochs; `max_iter` of the classifier if not given.
    missing : sequence of str
        Text that means "missing" in a CSV file.
    sample_rows : int, optional
        The most rows the encoder is fitted on. Default: `SAMPLE_ROWS`, but no more than make `SAMPLE_VALUES` values.
    progress : callable, optional
        Called now and then with what is done and the share of the file that was read.

    Raises
    ------
    InputError
        The target or the columns can't be used; the message says what to do.
    FileError
        The file can't be read to its end, or has changed.
    """
    if not 0 <= test_size < 1:
        raise InputError(
            "The test size of a table that is streamed must be a share, from 0 to less than 1, since its rows aren't"
            f" known in advance. Received: {test_size}."
        )
    said: Progress = (lambda what, share: None) if progress is None else progress
    parts = Parts(path, tuple(missing)) if isinstance(path, str) else path
    features = [name for name in parts.names if name not in {*targets, *drop}]
    if not features:
        raise InputError("No column is left to learn from. Give a table with columns beside the target.")
    encoder = ThresholdEncoder() if encoder is None else encoder
    classifier = Perceptron(random_state=random_state) if classifier is None else classifier
    chosen = () if isinstance(encoder.categorical, str) else tuple(map(str, encoder.categorical))
    parts.want(features, [*targets, *(name for name in chosen if name in features)])
    rows = _Rows(parts, tuple(targets), test_size, random_state)
    if sample_rows is None:
        sample_rows = max(1, min(SAMPLE_ROWS, SAMPLE_VALUES // len(features)))
    elif not (isinstance(sample_rows, int | np.integer) and sample_rows >= 1):
        raise InputError(f"sample_rows must be a whole number from 1. Received: {sample_rows!r}.")
    seen = _look(rows, features, int(sample_rows), said)
    labels, counts = _classes(rows, seen, drop_missing_target)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder.fit(seen.sample.columns())
        lessons = _Lessons(rows, encoder.encoding_, labels, lambda share: said("Learning", share))
        known = np.arange(len(labels[0])) if len(targets) == 1 else None
        with closing(lessons):
            classifier.fit_stream(lessons, classes=known, epochs=epochs)
    encoding = encoder.encoding_
    outputs = output_names(targets, labels[0])
    network = Network(classifier.network_.layers, encoding.inputs, outputs, "binary")
    training, test, ones = _judge(rows, encoding, labels, classifier, lambda share: said("Judging", share))

    n_sample = len(seen.sample)
    where = "all rows learned from" if n_sample == seen.n_training else f"the sample of {n_sample:,} rows"
    notes = _notes(seen, labels, counts, test_size) + notes_on_columns(encoder, where)
    if lessons.is_sorted:
        notes.append(
            "Long stretches of rows are of one class only. Rows are shuffled within a batch, not across the file:"
            " shuffle the file first, and the model will be better."
        )
    notes += [str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)]
    return Trial(
        model=Model(network, encoding, labels[0] if len(targets) == 1 else labels),
        targets=tuple(targets),
        labels=labels,
        counts=tuple(tuple(own[:, 0].tolist()) for own in counts),
        n_training=seen.n_training,
        n_test=seen.n_test,
        training=training,
        test=test,
        majority=tuple(int(own[:, 1].argmax()) for own in counts),
        classifier=classifier,
        shares=ones / seen.n_training,
        notes=tuple(notes),
        sample_rows=n_sample,
    )


# Which rows ---------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Rows:
    """The rows of the file, and which of them are held out."""

    parts: Parts
    targets: tuple[str, ...]
    test_size: float
    seed: int

    def held_out(self, part: Part) -> Array:
        """Return which rows of a part are held out."""
        rows = part.before + np.arange(len(part))
        limit = np.uint64(int(self.test_size * 2.0**64))
        found: Array = lots(rows, self.seed, HELD_OUT) < limit
        return found

    def truth(self, part: Part, labels: Sequence[tuple[Label, ...]]) -> Array:
        """Return the position of each row's class, -1 for a missing one; shape (n_rows, n_targets)."""
        truth = np.empty((len(part), len(self.targets)), dtype=np.int64)
        for k, (name, own) in enumerate(zip(self.targets, labels, strict=True)):
            column, codes = part.column(name, distinct=True)
            positions = class_positions(column, own)
            if (positions[:-1][~column.missing[:-1]] < 0).any():
                raise FileError(
                    f"{self.parts.path} has changed while it was read: column {name!r} has new classes."
                )
            truth[:, k] = positions[codes]
        return truth


# The first pass -----------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Seen:
    """What the first pass found."""

    sample: Sample
    n_rows: int = 0
    n_training: int = 0
    n_test: int = 0
    n_missing: int = 0
    kinds: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[Any, list[int]]] = field(default_factory=dict)
    """For each target, how many rows have a value: in all, and to learn from."""


def _look(rows: _Rows, features: Sequence[str], size: int, said: Progress) -> _Seen:
    """Go through the file until every column has a type that holds all of it."""
    while True:
        seen = _Seen(Sample(size, rows.seed), values={name: {} for name in rows.targets})
        with suppress(WidenedError), _read_ahead(lambda stop: rows.parts.read(settle=True)) as made:
            for part in made:
                said("Looking through the table", part.share)
                try:
                    _count(rows, part, features, seen)
                except InputError as error:
                    raise InputError(f"{rows.parts.path}, after row {part.before}: {error}") from error
            return seen


def _count(rows: _Rows, part: Part, features: Sequence[str], seen: _Seen) -> None:
    known = np.ones(len(part), dtype=bool)
    found = [part.column(name, distinct=True) for name in rows.targets]
    for column, codes in found:
        known &= ~column.missing[codes]
    training = known & ~rows.held_out(part)
    for name, (column, codes), values in zip(rows.targets, found, seen.values.values(), strict=True):
        assert codes is not None  # what `distinct` promises
        if not column.missing.all():
            seen.kinds[name] = column.kind
        for which, place in ((known, 0), (training, 1)):
            numbers = np.bincount(codes[which], minlength=len(column))
            for k in np.flatnonzero(numbers):
                values.setdefault(column.values[k : k + 1].tolist()[0], [0, 0])[place] += int(numbers[k])
        if len(values) > CLASSES:
            raise InputError(
                f"A target holds classes, and limen classifies. Column {name!r} has more than {CLASSES:,} different"
                " values. Choose another target, or turn the values into a few classes."
            )
    for name in features:
        if not _is_text(part, name):
            part.column(name)  # refuses dates and infinite numbers
    seen.n_rows += len(part)
    seen.n_missing += int((~known).sum())
    seen.n_training += int(training.sum())
    seen.n_test += int((known & ~training).sum())
    seen.sample.add(part, np.flatnonzero(training), features)


def _is_text(part: Part, name: str) -> bool:
    kind = str(part.table.column(name).type)
    return "string" in kind or kind.startswith("dictionary")


def _classes(
    rows: _Rows, seen: _Seen, drop_missing_target: bool
) -> tuple[tuple[tuple[Label, ...], ...], list[Array]]:
    """Return the classes of each target, and how many rows have each: in all, and to learn from."""
    if not seen.n_rows:
        raise InputError(f"{rows.parts.path} has names but no rows. Give a table with at least one row.")
    if seen.n_missing and not drop_missing_target:
        raise InputError(
            f"Every row needs a target. {listing([repr(name) for name in rows.targets])} is missing in"
            f" {plural(seen.n_missing, 'row')} of {seen.n_rows}. Leave them out (--drop-missing-target) or fill them in."
        )
    n_known = seen.n_rows - seen.n_missing
    labels, counts = [], []
    for name, values in seen.values.items():
        own = class_labels(_target(seen, name), pair=len(rows.targets) > 1, n_rows=n_known)
        labels.append(own)
        counts.append(np.array([values.get(label, [0, 0]) for label in own], dtype=np.int64))
    if not seen.n_training:
        raise InputError(
            f"Of {plural(n_known, 'row')} none was left to learn from: so few shouldn't be streamed. Give more rows or a"
            " smaller test size."
        )
    return tuple(labels), counts


def _target(seen: _Seen, name: str) -> Column:
    """Return the distinct values of a target as a column."""
    kind: Any = seen.kinds.get(name, "text")
    values = list(seen.values[name])
    array = np.array(values, dtype=object if kind == "text" else None)
    return Column(name, kind, array, np.zeros(len(values), dtype=bool))


def _notes(
    seen: _Seen, labels: Sequence[tuple[Label, ...]], counts: Sequence[Array], test_size: float
) -> list[str]:
    found = {name: _target(seen, name) for name in seen.kinds}
    notes = notes_on_targets(found, labels)
    unlearned = [label_text(label) for label, (_, n) in zip(labels[0], counts[0], strict=True) if not n]
    if unlearned and len(labels) == 1:
        rows = listing([repr(label) for label in unlearned])
        notes.append(f"All rows of {rows} were drawn to be held out: nothing was learned of them.")
    if test_size and not seen.n_test:
        notes.append("No row was drawn to be held out, as there are so few. They needn't be streamed.")
    return notes


# Batches ------------------------------------------------------------------------------------------------------


@contextmanager
def _read_ahead(make: Callable[[threading.Event], Generator[Any, None, None]]) -> Iterator[Iterator[Any]]:
    """Give an iterator over what a thread makes; when the block ends, however it does, so has the thread.

    Otherwise the program could end under a thread that reads, and crash instead. `make` is called with an event: when it is
    set, nothing more is wanted.
    """
    stop, ended = threading.Event(), threading.Event()

    def items() -> Generator[Any, None, None]:
        begun.append(True)
        try:
            with closing(make(stop)) as made:
                for item in made:
                    if stop.is_set():
                        return
                    yield item
        finally:
            ended.set()

    begun: list[bool] = []
    made = ahead(items())
    try:
        yield made
    finally:
        stop.set()
        made.close()  # type: ignore[attr-defined]  # a generator
        if begun:
            ended.wait(PATIENCE)


class _Lessons:
    """The training rows as batches (X, y), from the file or, once they were all read and are small enough, from memory.

    Parameters
    ----------
    rows : _Rows
    encoding : Encoding
    labels : tuple of tuple
    said : callable
        Called with the share of the rows that were read.
    """

    def __init__(
        self,
        rows: _Rows,
        encoding: Encoding,
        labels: tuple[tuple[Label, ...], ...],
        said: Callable[[float], None],
    ) -> None:
        self.rows, self.encoding, self.labels, self.said = rows, encoding, labels, said
        self.kept: list[tuple[Array, Array]] | None = None
        self.fits, self.is_sorted = True, False
        self.open = ExitStack()
        self.opening: tuple[Array, Array] | None = None
        with closing(self._batches(threading.Event())) as made:
            for bits, y, _ in made:
                self.opening = bits, y
                break

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        # Whoever takes a first look drops the pass after one batch. Python then closes it where an interrupt can't be
        # handed on, so that nothing may be open: the first batch is there already.
        opening, self.opening = self.opening, None
        if opening is not None:
            yield opening
        rest = self._from_file() if self.kept is None else self._from_memory()
        yield from islice(rest, 0 if opening is None else 1, None)

    def close(self) -> None:
        """End the pass that is under way, if there is one, and give the memory back."""
        self.open.close()
        self.kept = None

    def _from_memory(self) -> Iterator[tuple[Array, Array]]:
        kept = self.kept or []
        for k, (bits, y) in enumerate(kept):
            self.said(k / len(kept))
            yield np.unpackbits(bits, axis=1, count=self.encoding.n_inputs), y

    def _from_file(self) -> Iterator[tuple[Array, Array]]:
        kept: list[tuple[Array, Array]] | None = [] if self.fits else None
        size = 0
        self.open.close()
        for bits, y, share in self.open.enter_context(_read_ahead(self._batches)):
            self.said(share)
            whole = len(y) == _batch_rows(self.encoding)
            self.is_sorted = self.is_sorted or (whole and y.ndim == 1 and len(y) > 1 and y.min() == y.max())
            if kept is not None:
                packed = np.packbits(bits, axis=1)
                size += packed.nbytes + y.nbytes
                kept.append((packed, y))
                if size > KEPT_BYTES:
                    kept, self.fits = None, False
            yield bits, y
        self.open.close()
        self.kept = kept

    def _batches(self, stop: threading.Event) -> Generator[tuple[Array, Array, float], None, None]:
        """Yield batches of as many rows as `BATCH_BYTES` hold; but for the last, all equally long."""
        n_inputs, n_targets = self.encoding.n_inputs, len(self.labels)
        most = _batch_rows(self.encoding)
        small = np.int8 if max(map(len, self.labels)) < 2**7 else np.int16
        X, y, n, share = np.empty((most, n_inputs), np.uint8), np.empty((most, n_targets), small), 0, 0.0

        def batch() -> tuple[Array, Array, float]:
            return X[:n], y[:n, 0] if n_targets == 1 else y[:n], share

        with closing(self.rows.parts.read()) as parts:
            for part in parts:
                truth = self.rows.truth(part, self.labels)
                which = np.flatnonzero((truth >= 0).all(axis=1) & ~self.rows.held_out(part))
                bits, truth, share = part.encode(self.encoding)[which], truth[which], part.share
                start = 0
                while start < len(which):
                    taken = min(most - n, len(which) - start)
                    X[n : n + taken] = bits[start : start + taken]
                    y[n : n + taken] = truth[start : start + taken]
                    start, n = start + taken, n + taken
                    if n == most:
                        yield batch()
                        X, y, n = np.empty_like(X), np.empty_like(y), 0
                if stop.is_set():
                    return
        if n:
            yield batch()


def _batch_rows(encoding: Encoding) -> int:
    return max(1, BATCH_BYTES // encoding.n_inputs)


def _judge(
    rows: _Rows,
    encoding: Encoding,
    labels: Sequence[tuple[Label, ...]],
    classifier: Perceptron,
    said: Callable[[float], None],
) -> tuple[tuple[Evaluation, ...], tuple[Evaluation, ...], Array]:
    """Return how the rows learned from and held out were decided, and in how many of the former each input is 1."""
    judged: list[tuple[Evaluation, ...]] = [(), ()]
    ones = np.zeros(encoding.n_inputs, dtype=np.int64)

    def encoded(stop: threading.Event) -> Generator[tuple[Part, Array, Array], None, None]:
        with closing(rows.parts.read()) as parts:
            for part in parts:
                yield part, rows.truth(part, labels), part.encode(encoding)

    with _read_ahead(encoded) as made:
        for part, truth, bits in made:
            said(part.share)
            known, held_out = (truth >= 0).all(axis=1), rows.held_out(part)
            predicted = classifier.predict(bits).reshape(len(part), -1)
            ones += bits[known & ~held_out].sum(axis=0, dtype=np.int64)
            for k, which in enumerate((known & ~held_out, known & held_out)):
                if which.any():
                    pairs = zip(rows.targets, labels, truth[which].T, predicted[which].T, strict=True)
                    found = tuple(Evaluation(*pair) for pair in pairs)
                    judged[k] = together([found, judged[k]] if judged[k] else [found])
    return judged[0], judged[1], ones
