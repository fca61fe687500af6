"""Rows from files of any size, a batch at a time, in bounded memory.

``batches(path)`` gives a `Batches`: iterating it reads the files from the start and yields frozen `Batch` objects,
``Batch(X, y, position)``; iterating it again reads them again, which is the next epoch.

* ``X``: a `scipy.sparse.csr_array` (svmlight text: float32 unless asked, int32 indices, sorted) or an ndarray in C
  order (tables), shape (n_rows, n_features).
* ``y``: the labels, shape (n_rows,); for svmlight text with several labels a row, an int8 `csr_array` of zeros and
  ones, shape (n_rows, n_labels), whose column ``k`` is the label written ``k``; None for a table without a target.
* ``position``: plain data for JSON. ``batches(...).after(position)`` goes on with the batch after that one, and
  yields exactly the batches that an uninterrupted pass would have.

A batch ends where `batch_rows` or `batch_bytes` or its file ends: it never hangs on how the file was read.

Formats: svmlight text, plain or compressed (gzip, bzip2, xz); CSV, plain or compressed; Parquet, a row group at a
time; Arrow IPC files and streams, a record batch at a time. Rows that were parsed once can be kept in a binary
cache (``cache=path``), from which the next passes read.

The svmlight format: a line is a row, ``label index:value index:value … # comment``, with indices in increasing
order. What a row doesn't name is 0. ``qid:`` after the label is read over. Source: T. Joachims (1999), "Making
large-scale SVM learning practical"; as read by `sklearn.datasets.load_svmlight_file`, with which values agree.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from limen.errors import InputError
from limen.learn import _stream_tables as tables
from limen.learn._cache import Cache, Writer, is_cache, read_rows, write_rows
from limen.learn._kernels_svmlight import LARGEST
from limen.learn._stream_ahead import ahead as one_ahead
from limen.learn._stream_formats import Table, Text
from limen.learn._stream_sources import Reading, Sources, sources
from limen.step import Array

__all__ = ["Batch", "Batches", "Scan", "batches"]

SMALLEST = 1 << 10  # bytes a batch may be asked to hold at most
log = logging.getLogger("limen")


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some rows of a stream. Its arrays may be shared with other batches: read them, don't change them.

    Parameters
    ----------
    X : scipy.sparse.csr_array or ndarray, shape (n_rows, n_features)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), csr_array of int8 of shape (n_rows, n_labels), or None
    position : dict
        Where the next batch starts, for `Batches.after`; plain data for JSON.
    share : float
        About how much of all files lies behind, from 0 to 1.
    """

    X: Any
    y: Any
    position: dict[str, Any]
    share: float

    def __len__(self) -> int:
        return int(self.X.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What one pass over a stream finds.

    Parameters
    ----------
    n_rows, n_features : int
    classes : ndarray or None
        The labels that occur, in order (of all targets, or of all rows' lists, together); None without a target.
    n_labels : int or None
        Columns of `Batch.y` for svmlight text with several labels a row: 1 + the largest label.
    """

    n_rows: int
    n_features: int
    classes: Array | None
    n_labels: int | None


def batches(
    path: Any,
    *,
    format: str | None = None,  # noqa: A002 - the field's own word
    target: str | Sequence[str] | None = None,
    encoder: Any = None,
    n_features: int | None = None,
    n_labels: int | None = None,
    multilabel: bool | None = None,
    zero_based: bool | str = "auto",
    dtype: Any = np.float32,
    batch_rows: int | None = None,
    batch_bytes: int = 8 << 20,
    cache: str | os.PathLike[str] | None = None,
    ahead: bool = True,
) -> Batches:
    r"""Return the rows of files as batches.

    Parameters
    ----------
    path : str, path, or sequence of them
        Local files, in this order. Text with ``*``, ``?`` or ``[`` is a glob, whose files come in order of name.
    format : {"svmlight", "csv", "parquet", "arrow"}, optional
        Told from the first file's contents and name if not given. All files have one format.
    target : str or sequence of str, optional
        For tables: the column of labels; with a list, `y` has a column for each.
    encoder : ThresholdEncoder or Encoding, optional
        For tables: fitted; X is then what it makes of the rows, zeros and ones of uint8. Without one every other
        column must hold numbers or booleans without gaps; X has their type if they share it, else float64. Numbers
        in CSV files are float64.
    n_features, n_labels : int, optional
        For svmlight text: columns of X and, with several labels a row, of y. An index or a label above is an
        error. If not given, a batch has as many as any row of the stream has needed so far.
    multilabel : bool, optional
        For svmlight text: whether a row has any number of labels, whole numbers from 0 (``1,3,7``, or none), or
        exactly one number. Told from the first 64 kB if not given.
    zero_based : bool or "auto", default "auto"
        For svmlight text: whether indices start at 0 or at 1. ``"auto"``: at 0 if any index of any file is 0, as
        `sklearn.datasets.load_svmlight_files` has it; to know that, the files are looked through once more.
    dtype : float32 or float64, default float32
        For svmlight text: the type of X. A value is what Python's `float` makes of it, then rounded to `dtype`.
    batch_rows : int, optional
        The most rows a batch has.
    batch_bytes : int, default 8 MiB
        About the most memory a batch takes; a single row may take more.
    cache : str or path, optional
        A file for the parsed rows. The first whole pass writes it, later ones read it, also those of another
        process. It is made anew when the files or what is asked of them have changed. It takes about as much disk
        as all batches take memory.
    ahead : bool, default True
        Whether a thread makes the next batch while one is used.

    Returns
    -------
    Batches

    Raises
    ------
    InputError
        A parameter that can't be used.
    FileError
        A file is missing, is a folder or a device, no file matches, or the format can't be told. What is wrong in a
        file is raised when a pass comes to it, naming the file and the place.

    Examples
    --------
    >>> with open("rows.svm", "w") as file:
    ...     _ = file.write("+1 1:0.5 3:2 # first\n-1 2:1\n")
    >>> stream = batches("rows.svm")
    >>> for batch in stream:
    ...     print(batch.X.toarray().tolist(), batch.y.tolist())
    [[0.5, 0.0, 2.0], [0.0, 1.0, 0.0]] [1.0, -1.0]
    >>> stream.scan().classes
    array([-1.,  1.])
    """
    files = sources(path, format)
    for name, value in (("n_features", n_features), ("n_labels", n_labels), ("batch_rows", batch_rows)):
        _check_count(name, value, 1, LARGEST)
    _check_count("batch_bytes", batch_bytes, SMALLEST, 1 << 31)
    reading = Reading(_float(dtype), n_features, n_labels, batch_rows, batch_bytes)
    made = Batches(files, reading, None if cache is None else _cache_path(cache, files), bool(ahead))
    if files.format == "svmlight":
        _check_choices(multilabel, zero_based)
        if target is not None or encoder is not None:
            raise InputError("target and encoder are for tables, and svmlight text has no names of columns.")
        made._rows = Text(files, reading, multilabel, zero_based)
    else:
        if n_labels is not None or multilabel is not None or zero_based != "auto":
            raise InputError(
                f"n_labels, multilabel and zero_based are for svmlight text. Received: {files.format}."
            )
        made._rows = Table(files, reading, tables.plan(files.paths[0], files.format, target, encoder))
        width = made._rows.n_features
        if n_features not in (None, width):
            raise InputError(f"n_features must be {width}, what the table has. Received: {n_features}.")
    return made


class Batches:
    """A stream of batches that can be read again and again; made by `batches`.

    Attributes
    ----------
    paths : tuple of str
        The files, in order.
    format : {"svmlight", "csv", "parquet", "arrow"}
    n_features : int or None
        Columns of X: as given or as the table has them, else the most that any pass has seen so far.
    n_labels : int or None
        Columns of y where a row has several labels, in the same way.
    multilabel : bool
        Whether y is a matrix of labels.
    has_labels, has_several_outputs : bool
        Whether there is a y, and whether it has a column for each of several outputs.
    feature_names : tuple of str or None
        What a table calls the columns of X.
    fingerprint : str
        A digest of the files' names, sizes and times of change.
    key : str
        A digest of that and of all that was asked of them: two streams with one key yield the same batches.
    cache : str or None
    """

    _rows: Text | Table

    def __init__(self, files: Sources, reading: Reading, cache: str | None, reads_ahead: bool) -> None:
        self._files, self._reading, self.cache, self._ahead = files, reading, cache, reads_ahead
        self._start: dict[str, Any] | None = None
        self._scan: Scan | None = None
        self._seen: dict[tuple[int, ...], set[int]] = {}  # batches of a cache that were checked

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, in order."""
        return self._files.paths

    @property
    def format(self) -> str:
        """The format of the files."""
        return self._files.format

    @property
    def fingerprint(self) -> str:
        """A digest of the files' names, sizes and times of change."""
        return self._files.fingerprint

    @property
    def key(self) -> str:
        """A digest of the files and of all that was asked of them."""
        reading = self._reading
        asked = [reading.batch_rows, reading.batch_bytes, *self._rows.asked()]
        return hashlib.sha256(json.dumps([self.fingerprint, asked]).encode()).hexdigest()

    @property
    def n_features(self) -> int | None:
        """Columns of X, as far as they are known."""
        return self._rows.n_features

    @property
    def n_labels(self) -> int | None:
        """Columns of y where a row has several labels, as far as they are known."""
        return self._rows.n_labels

    @property
    def multilabel(self) -> bool:
        """Whether y is a matrix of labels."""
        return self._rows.multilabel

    @property
    def has_labels(self) -> bool:
        """Whether a batch has labels."""
        return self._rows.has_labels

    @property
    def has_several_outputs(self) -> bool:
        """Whether y has a column for each of several outputs."""
        return self._rows.has_several_outputs

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """What a table calls the columns of X."""
        return self._rows.feature_names

    def __repr__(self) -> str:
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"Batches({self.paths[0]!r}{more}, format={self.format!r})"

    def __iter__(self) -> Iterator[Batch]:
        made = self._pass(self._start)
        return one_ahead(made) if self._ahead else made

    def first(self) -> Batch | None:
        """Return the first batch, None if there is no row; no cache is written for it."""
        made = self._from_files(None)
        try:
            return next(made, None)
        finally:
            made.close()

    def after(self, position: Mapping[str, Any]) -> Batches:
        """Return a stream whose passes start just after the batch that had `position`.

        What lies before isn't parsed, and but for CSV and compressed files isn't read either.

        Raises
        ------
        InputError
            It isn't the position of a batch of this stream: of these files, read in this way.
        """
        wanted = {"key", "file", "n_rows", "n_features", "n_labels", "place"}
        if not isinstance(position, Mapping) or set(position) != wanted:
            raise InputError(
                "A position is what a batch of a stream has as its position. Received: something else."
            )
        place = position["place"]
        counts = [
            position["file"],
            position["n_rows"],
            *(place if isinstance(place, list | tuple) else [None]),
        ]
        if len(counts) != 2 + self._rows.place_size or not all(
            type(count) is int and count >= 0 for count in counts
        ):
            raise InputError("A position holds whole numbers from 0. Received: something else.")
        if position["key"] != self.key[:16] or position["file"] >= len(self.paths):
            raise InputError(
                "The position must be of a stream of the same files, unchanged and read in the same way. Received:"
                " another one's. Start anew, or make the stream as it was."
            )
        other = Batches(self._files, self._reading, self.cache, self._ahead)
        other._rows, other._scan, other._start = self._rows, self._scan, dict(position)
        other._seen = self._seen
        other._rows.saw(position["n_features"], position["n_labels"])
        return other

    def scan(self, progress: Callable[[float], None] | None = None) -> Scan:
        """Return what one whole pass finds; it is made once, and writes the cache if one was asked for.

        Parameters
        ----------
        progress : callable, optional
            Called now and then with the share that was read, from 0 to 1.
        """
        if self._scan is None:
            facts = self._cached_facts()
            if facts is None:
                tally = _Tally()
                whole = self._pass(None)
                for batch in one_ahead(whole) if self._ahead else whole:
                    tally.add(batch)
                    if progress is not None:
                        progress(batch.share)
                facts = tally.facts(self)
            self._scan = _scan(facts)
        return self._scan

    # One pass ---------------------------------------------------------------------------------------------------

    def _pass(self, start: dict[str, Any] | None) -> Generator[Batch, None, None]:
        """Yield the batches after `start`, from the cache if there is one."""
        self._files.unchanged()
        if self.cache is not None and is_cache(self.cache):
            with Cache(self.cache, self.key) as cache:
                if cache.fits:
                    cache.seen = self._seen.setdefault(cache.state(), set())
                    yield from self._from_cache(cache, start)
                    return
            log.info(
                "The cache %s is of other files or of another way to read them; it is made anew.", self.cache
            )
        if self.cache is None or start is not None:
            yield from self._from_files(start)
        else:
            yield from self._caching(self.cache)

    def _from_files(self, start: dict[str, Any] | None) -> Generator[Batch, None, None]:
        first, n_rows, place = (
            (0, 0, None) if start is None else (start["file"], start["n_rows"], start["place"])
        )
        sizes = np.cumsum([0, *(max(1, size) for size, _ in self._files.states)])
        for number in range(first, len(self.paths)):
            # Closed here and not by Python when nobody holds it any more, since then a Ctrl-C would get lost.
            with contextlib.closing(self._rows.read(number, place if number == first else None)) as found:
                for X, y, next_place, share in found:
                    n_rows += X.shape[0]
                    done = (sizes[number] + share * (sizes[number + 1] - sizes[number])) / sizes[-1]
                    yield Batch(X, y, self._position(number, n_rows, next_place), float(done))

    def _position(self, number: int, n_rows: int, place: list[int]) -> dict[str, Any]:
        return {
            "key": self.key[:16],
            "file": number,
            "n_rows": n_rows,
            "n_features": self.n_features,
            "n_labels": self.n_labels,
            "place": place,
        }

    def _caching(self, path: str) -> Generator[Batch, None, None]:
        """Yield the batches of a whole pass and write them to the cache."""
        writer, tally = Writer(path, self.key), _Tally()
        try:
            for batch in self._from_files(None):
                write_rows(writer, batch.X, batch.y, batch.position)
                tally.add(batch)
                yield batch
            self._files.unchanged()  # what was read is what the key says
            writer.finish(tally.facts(self))
        finally:
            writer.abandon()

    def _from_cache(self, cache: Cache, start: dict[str, Any] | None) -> Generator[Batch, None, None]:
        self._rows.saw(cache.facts["n_features"], cache.facts["n_labels"])
        for k in range(cache.n_batches):
            position = cache.position(k)
            if start is not None and position["n_rows"] <= start["n_rows"]:
                continue
            X, y = read_rows(cache, k, self.n_features, self.n_labels)
            yield Batch(X, y, position, (k + 1) / cache.n_batches)

    def _cached_facts(self) -> dict[str, Any] | None:
        if self.cache is None or not is_cache(self.cache):
            return None
        self._files.unchanged()
        with Cache(self.cache, self.key) as cache:
            return cache.facts if cache.fits else None


# What a pass finds -------------------------------------------------------------------------------------------


class _Tally:
    """What a pass finds, counted up."""

    def __init__(self) -> None:
        self.n_rows = 0
        self.classes: Array | None = None

    def add(self, batch: Batch) -> None:
        self.n_rows += len(batch)
        if batch.y is None:
            return
        y = batch.y.indices if sparse.issparse(batch.y) else batch.y.reshape(-1)
        known = self.classes
        if known is not None and known.size:
            y = y[known[np.minimum(np.searchsorted(known, y), known.size - 1)] != y]
        if y.size or known is None:
            found = np.unique(y)
            self.classes = found if known is None else np.union1d(known, found)

    def facts(self, stream: Batches) -> dict[str, Any]:
        classes = self.classes
        return {
            "n_rows": self.n_rows,
            "n_features": stream.n_features or 0,
            "n_labels": stream.n_labels,
            "classes": None if classes is None else [classes.dtype.str, classes.tolist()],
        }


def _scan(facts: Mapping[str, Any]) -> Scan:
    classes = facts["classes"]
    found = None if classes is None else np.array(classes[1], dtype=classes[0])
    return Scan(facts["n_rows"], facts["n_features"], found, facts["n_labels"])


# What is asked ----------------------------------------------------------------------------------------------------


def _check_count(name: str, value: Any, least: int, most: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if value is not None and not (whole and least <= value <= most):
        raise InputError(f"{name} must be a whole number from {least} to {most}. Received: {value!r}.")


def _check_choices(multilabel: Any, zero_based: Any) -> None:
    if multilabel is not None and not isinstance(multilabel, bool):
        raise InputError(f"multilabel must be True, False or None. Received: {multilabel!r}.")
    if not isinstance(zero_based, bool) and not (isinstance(zero_based, str) and zero_based == "auto"):
        raise InputError(f"zero_based must be True, False or 'auto'. Received: {zero_based!r}.")


def _float(dtype: Any) -> Any:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = None
    if kind not in (np.float32, np.float64):
        raise InputError(f"dtype must be float32 or float64. Received: {dtype!r}.")
    return kind


def _cache_path(cache: Any, files: Sources) -> str:
    if not isinstance(cache, str | os.PathLike):
        raise InputError(f"cache must be a path. Received: {type(cache).__name__}.")
    path = os.fsdecode(cache)
    if any(os.path.realpath(path) == os.path.realpath(one) for one in files.paths):
        raise InputError(f"cache must be a file of its own. Received: {path}, one of the files to be read.")
    return path
