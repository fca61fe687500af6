"""The two kinds of files a stream reads, behind one face: svmlight text and tables.

Both say what they were asked for (`asked`), how many columns they have (`n_features`, `n_labels`), and `read` one
file: X, y, where the next batch starts in the file, and how much of the file was read.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from limen.errors import FileError
from limen.learn import _stream_svmlight as svmlight
from limen.learn import _stream_tables as tables
from limen.learn._cache import csr
from limen.learn._kernels_svmlight import LARGEST, Layout
from limen.learn._stream_sources import Reading, Sources

__all__ = ["Table", "Text"]


class Text:
    """Files of svmlight text."""

    feature_names = None
    has_labels = True
    place_size = 2

    def __init__(self, files: Sources, reading: Reading, multilabel: bool | None, zero_based: Any) -> None:
        self._files, self._reading = files, reading
        self._multilabel, self._zero_based = multilabel, zero_based
        self._base: int | None = None if zero_based == "auto" else 1 - int(zero_based)
        self._features, self._labels = reading.n_features, reading.n_labels

    @property
    def multilabel(self) -> bool:
        if self._multilabel is None:
            self._multilabel = svmlight.has_several_labels(self._files.paths[0])
        return self._multilabel

    @property
    def has_several_outputs(self) -> bool:
        return self.multilabel

    @property
    def n_features(self) -> int | None:
        return self._features

    @property
    def n_labels(self) -> int | None:
        return self._labels

    def asked(self) -> list[Any]:
        reading = self._reading
        kind = np.dtype(reading.dtype).name
        return [kind, reading.n_features, reading.n_labels, self.multilabel, str(self._zero_based)]

    def saw(self, n_features: Any, n_labels: Any) -> None:
        """Note that rows have needed as many columns, unless their number was given."""
        if self._reading.n_features is None and isinstance(n_features, int):
            self._features = max(n_features, self._features or 0)
        if self._reading.n_labels is None and isinstance(n_labels, int):
            self._labels = max(n_labels, self._labels or 0)

    def read(self, number: int, place: Any) -> Generator[tuple[Any, Any, list[int], float], None, None]:
        if self._base is None:
            self._base = 0 if any(map(svmlight.has_zero_index, self._files.paths)) else 1
        layout = Layout(self._base, self._reading.n_features or LARGEST, self.multilabel)
        path = self._files.paths[number]
        for rows in svmlight.rows_of(path, layout, self._reading, *(place or (0, 0))):
            self.saw(rows.n_columns, None)
            n_rows = len(rows.indptr) - 1
            X = csr(rows.data, rows.indices, rows.indptr, (n_rows, self._features))
            y: Any = rows.labels
            if layout.multilabel:
                top = int(rows.labels.max(initial=-1)) + 1
                if self._reading.n_labels is not None and top > self._reading.n_labels:
                    row = int(np.searchsorted(rows.label_ptr, rows.labels.argmax(), side="right")) - 1
                    raise FileError(
                        f"{path}, before line {rows.lines + 1}: expected labels up to {self._reading.n_labels - 1}, since"
                        f" n_labels is {self._reading.n_labels}. Received: {top - 1}, in row {row + 1} of the batch."
                    )
                self.saw(None, top)
                ones = np.ones(len(rows.labels), dtype=np.int8)
                y = csr(ones, rows.labels, rows.label_ptr, (n_rows, self._labels))
            yield X, y, [rows.offset, rows.lines], rows.share


class Table:
    """Files of tables."""

    multilabel = False
    place_size = 3

    def __init__(self, files: Sources, reading: Reading, plan: tables.Plan) -> None:
        self._files, self._reading, self._plan = files, reading, plan
        self.n_features = plan.n_features
        self.n_labels = len(plan.targets) if plan.several else None
        self.has_labels, self.has_several_outputs = bool(plan.targets), plan.several
        encoding = plan.encoding
        self.feature_names: tuple[str, ...] | None = plan.features if encoding is None else encoding.inputs

    def asked(self) -> list[Any]:
        plan = self._plan
        rules = None if plan.encoding is None else repr(plan.encoding.rules)
        return [plan.features, plan.targets, plan.several, list(plan.types.items()), rules]

    def saw(self, n_features: Any, n_labels: Any) -> None:
        """Do nothing: a table says how many columns it has."""

    def read(self, number: int, place: Any) -> Generator[tuple[Any, Any, list[int], float], None, None]:
        for rows in tables.rows_of(
            self._files.paths[number], self._plan, self._reading, *(place or (0, 0, 0))
        ):
            yield rows.X, rows.y, [rows.group, rows.row, rows.before], rows.share
