"""svmlight text, a file at a time: from whole lines in a buffer to batches of CSR rows.

`rows_of` yields `Parsed` rows from one file, from any byte at which a line starts. A batch ends where the arrays
that it was given are full, never where the text in the buffer ends, so that it doesn't hang on how a file was read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from limen.errors import FileError
from limen.learn import _kernels_svmlight as kernel
from limen.learn._kernels_svmlight import Found, Layout
from limen.learn._stream_sources import BROKEN, Reading, damaged, opened
from limen.step import Array

__all__ = ["LINE_LIMIT", "Parsed", "has_several_labels", "has_zero_index", "rows_of"]

TEXT = 1 << 20  # bytes of text at a time: they stay in the processor's cache
LINE_LIMIT = 1 << 26  # bytes; a longer line is refused
UNDECIDED = 1 << 12
PEEK = 1 << 16
SHOWN = 40


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """Some rows: the arrays of a CSR matrix, its labels, and where the next row is.

    Parameters
    ----------
    data, indices, indptr : ndarray
        Of float32 or float64, int32, int32.
    labels : ndarray
        float64 of shape (n_rows,), or int32 of all rows' labels one after the other.
    label_ptr : ndarray of int32, shape (n_rows + 1,)
        Where each row's labels start.
    n_columns : int
        1 + the largest index.
    offset, lines : int
        Bytes (before compression) and lines of the file up to the next row.
    share : float
        How much of the file was read, about, from 0 to 1.
    """

    data: Array
    indices: Array
    indptr: Array
    labels: Array
    label_ptr: Array
    n_columns: int
    offset: int
    lines: int
    share: float


def rows_of(path: str, layout: Layout, reading: Reading, offset: int = 0, lines: int = 0) -> Iterator[Parsed]:
    """Yield the rows of a file, from byte `offset`, before which there are `lines` lines.

    Raises
    ------
    FileError
        What isn't svmlight, naming line and column; a damaged or vanished file; a line above `LINE_LIMIT`.
    """
    with opened(path) as file:
        window = _Window(path, file, offset, lines)
        size = max(1, reading.batch_bytes // (4 + np.dtype(reading.dtype).itemsize))
        n_rows = reading.batch_rows or max(1, reading.batch_bytes // 64)
        found, state = _arrays(size, n_rows, reading.dtype), np.zeros(kernel.STATE, dtype=np.int64)
        while True:
            if state[kernel.AT] >= window.stop:
                more = window.more(int(state[kernel.AT]), int(state[kernel.LINES]))
                state[[kernel.AT, kernel.LINES]] = 0
                if not more:
                    break
            with np.errstate(over="ignore"):  # the kernel says so itself, compiled or not
                kernel.parse(window.view, window.stop, found, layout, state)
            status = int(state[kernel.STATUS])
            if status > kernel.UNDECIDED_FULL:
                raise window.wrong(status, state, layout, reading)
            undecided = int(state[kernel.UNDECIDED])
            window.decide(found, undecided)
            state[kernel.UNDECIDED] = 0
            if status == kernel.UNDECIDED_FULL and not undecided:
                found = found._replace(undecided=np.empty((2 * len(found.undecided), 3), dtype=np.int64))
            elif status == kernel.FULL and state[kernel.ROWS] == 0:
                found = _larger(found)
            elif status == kernel.FULL:
                yield _parsed(found, layout, state, window)
                found = _arrays(size, n_rows, reading.dtype)
                state[[kernel.ROWS, kernel.ENTRIES, kernel.LABELS, kernel.TOP]] = 0
        if state[kernel.ROWS]:
            state[kernel.AT] = -window.torn  # the line feed that was added is none of the file's
            yield _parsed(found, layout, state, window)


def _arrays(size: int, n_rows: int, dtype: Any) -> Found:
    return Found(
        np.empty(size, dtype=dtype),
        np.empty(size, dtype=np.int32),
        np.zeros(n_rows + 1, dtype=np.int64),
        np.empty(n_rows + size // 4 + 1, dtype=np.float64),
        np.zeros(n_rows + 1, dtype=np.int64),
        np.empty((UNDECIDED, 3), dtype=np.int64),
    )


def _larger(found: Found) -> Found:
    """Return empty arrays for one row that is larger than all that was meant for a batch."""
    return found._replace(
        data=np.empty(2 * found.data.size, dtype=found.data.dtype),
        indices=np.empty(2 * found.indices.size, dtype=np.int32),
        labels=np.empty(2 * found.labels.size, dtype=np.float64),
    )


def _parsed(found: Found, layout: Layout, state: Array, window: _Window) -> Parsed:
    n_rows, entries, labels = (int(state[k]) for k in (kernel.ROWS, kernel.ENTRIES, kernel.LABELS))
    return Parsed(
        found.data[:entries],
        found.indices[:entries],
        found.indptr[: n_rows + 1].astype(np.int32),
        found.labels[:labels].astype(np.int32 if layout.multilabel else np.float64),
        found.label_ptr[: n_rows + 1].astype(np.int32),
        int(state[kernel.TOP]),
        window.offset + int(state[kernel.AT]),
        window.lines + int(state[kernel.LINES]),
        window.share(int(state[kernel.AT])),
    )


class _Window:
    """The piece of a file's text that is in memory: whole lines up to `stop`, then the start of one."""

    def __init__(self, path: str, file: IO[bytes], offset: int, lines: int) -> None:
        self.path = path
        self.file: Any = file
        self.text = bytearray(TEXT + 1)  # one byte more, for a line feed that the last line may lack
        self.view = np.frombuffer(self.text, dtype=np.uint8)
        self.offset = offset  # of the first byte in the file
        self.lines = lines  # before it
        self.stop = self.end = 0
        self.ended = self.torn = False
        try:
            if offset and file.seek(offset - 1) != offset - 1:
                raise EOFError("it is shorter than it was")
            before = file.read(1) if offset else b"\n"
            if before != b"\n" and (not before or file.read(1)):  # an unfinished last line ends with the file
                raise EOFError(f"no line starts at byte {offset}, where reading stopped")
        except BROKEN as error:
            raise damaged(path, error) from error

    def more(self, at: int, lines: int) -> bool:
        """Drop the text before `at` and read on to the end of a line; whether there was one."""
        self.offset += at
        self.lines += lines
        rest = self.end - at
        self.text[:rest] = self.text[at : self.end]
        self.stop, self.end = 0, rest
        while not self.ended and not self.stop:
            if self.end == len(self.text) - 1:
                self._grow()
            try:
                with memoryview(self.text) as whole, whole[self.end : -1] as room:
                    n = self.file.readinto(room)
            except BROKEN as error:
                raise damaged(self.path, error) from error
            before, self.end = self.end, self.end + (n or 0)
            self.ended = not n
            self.stop = self.text.rfind(b"\n", before, self.end) + 1
        if self.ended and self.end > self.stop:
            self.torn = self.text[self.end - 1] != 10
            self.text[self.end] = 10
            self.end += self.torn
            self.stop = self.end
        return self.stop > 0

    def share(self, at: int) -> float:
        """Return how much of the file lies before `at`; of a compressed one, how much was taken from it."""
        below = getattr(self.file, "below", None)
        size = os.fstat((below or self.file).fileno()).st_size
        return min(1.0, (below.tell() if below else self.offset + at) / max(1, size))

    def _grow(self) -> None:
        if self.end >= LINE_LIMIT:
            raise FileError(
                f"{self.path}, line {self.lines + 1}: a line must be at most {LINE_LIMIT} bytes long. Received: more,"
                f" from byte {self.offset} of the file. Check that its lines end with line feeds."
            )
        text = bytearray(2 * (len(self.text) - 1) + 1)
        text[: self.end] = self.text[: self.end]
        self.text = text
        self.view = np.frombuffer(text, dtype=np.uint8)

    def decide(self, found: Found, n: int) -> None:
        """Read the numbers that the kernel left to Python."""
        for start, end, place in found.undecided[:n].tolist():
            value = float(self.text[start:end])
            with np.errstate(over="ignore"):
                held = found.data.dtype.type(value) if place >= 0 else np.float64(value)
            if not np.isfinite(held):
                raise self._error(start, self._range(found.data.dtype, place))
            if place >= 0:
                found.data[place] = held
            else:
                found.labels[-1 - place] = held

    @staticmethod
    def _range(dtype: Any, place: int = 0) -> str:
        if place < 0 or dtype == np.float64:
            return "a number within the range of float64"
        return "a number within the range of float32 (dtype=numpy.float64 holds larger ones)"

    def wrong(self, status: int, state: Array, layout: Layout, reading: Reading) -> FileError:
        """Return the error for what the kernel met."""
        if status == kernel.ABOVE and reading.n_features is None:
            status = kernel.HUGE_INDEX
        several = (
            "labels such as 1,3,7, whole numbers from 0" if layout.multilabel else "a label, a finite number"
        )
        last = layout.limit - 1 + layout.base
        expected = {
            kernel.NO_LABEL: f"{several} (multilabel=True if rows may have none)",
            kernel.BAD_LABEL: several,
            kernel.MANY_LABELS: "one label a row, as in the rows before (or multilabel=True)",
            kernel.LABEL_TWICE: "each label of a row once",
            kernel.BAD_VALUE: "a finite number after the index and its colon",
            kernel.OVERFLOW: self._range(reading.dtype),
            kernel.BAD_INDEX: "index:value, with an index of digits",
            kernel.ORDER: "indices in increasing order, each once",
            kernel.BELOW: "indices from 1 (zero_based=True if they start at 0)",
            kernel.ABOVE: f"indices up to {last}, since n_features is {reading.n_features}",
            kernel.HUGE_INDEX: f"indices up to {kernel.LARGEST - 1 + layout.base}",
        }[status]
        return self._error(int(state[kernel.AT]), expected)

    def _error(self, at: int, expected: str) -> FileError:
        start = self.text.rfind(b"\n", 0, at) + 1
        line = self.lines + self.text.count(b"\n", 0, at) + 1
        stop = self.text.find(b"\n", at)
        came = bytes(self.text[at : min(stop, at + SHOWN + 1)]).split(b" ", 1)[0].split(b"\t", 1)[0]
        shown = came[:SHOWN].decode("utf-8", "backslashreplace") + ("…" if len(came) > SHOWN else "")
        message = (
            f"{self.path}, line {line}, column {at - start + 1}: expected {expected}. Received: {shown!r}."
        )
        if self.torn and stop == self.end - 1:
            message += (
                f" This is the last line, which starts at byte {self.offset + start} and has no end: the file seems to"
                " be cut off. Fetch it again, or cut it there."
            )
        return FileError(message)


def has_several_labels(path: str) -> bool:
    """Whether a row near the start of a file has more than one label."""
    with opened(path) as file:
        try:
            start = file.read(PEEK)
        except BROKEN as error:
            raise damaged(path, error) from error
    lines = start.split(b"\n")
    words = (line.split(b"#", 1)[0].split(None, 1) for line in lines)
    return any(b"," in line[0] and b":" not in line[0] for line in words if line)


def has_zero_index(path: str) -> bool:
    """Whether a file has an index 0: it is then counted from 0, as scikit-learn's ``zero_based="auto"`` has it."""
    with opened(path) as file:
        window = _Window(path, file, 0, 0)
        at = 0
        while window.more(at, 0):
            at = 0
            while (step := kernel.zero_index(window.view[at:], window.stop - at)) >= 0:
                line = window.text[window.text.rfind(b"\n", 0, at + step) + 1 : at + step]
                if b"#" not in line:
                    return True
                at += step
            at = window.stop
    return False
