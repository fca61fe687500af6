"""Row 8: predictions on the same arrays, beside scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from bench.data import images, sparse_rows, sparse_scores
from bench.fits import bare, bare_rival, moved_dense, moved_sparse
from bench.report import Line, Row
from bench.settings import Settings
from bench.timing import Work, alternate

__all__ = ["predict"]


def predict(settings: Settings) -> list[Row]:
    """Time `predict` of dense and sparse rows."""
    given, X = images(settings), sparse_rows(settings)
    sign = np.where(sparse_scores(X, 1)[:, 0] > 0, 1, -1)
    groups = sparse_scores(X, 20).argmax(axis=1)
    cases: dict[str, tuple[Any, Any, int]] = {
        "dense float32, 10 classes": (given.scaled, given.y, moved_dense(given.scaled)),
        "dense uint8, 10 classes": (given.X, given.y, moved_dense(given.X)),
        "CSR float32, 2 classes": (X, sign, moved_sparse(X)),
        "CSR float32, 20 classes": (X, groups, moved_sparse(X)),
    }
    works = {}
    for name, (rows, y, _) in cases.items():
        few = min(len(y), 20_000)  # what is learned doesn't change how long deciding takes
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = bare(1).fit(rows[:few], y[:few])
            theirs = bare_rival(1).fit(rows[:few], y[:few])
        works[f"limen, {name}"] = Work(lambda model=ours, rows=rows: model.predict(rows))
        works[f"scikit-learn, {name}"] = Work(lambda model=theirs, rows=rows: model.predict(rows))
    times = alternate(works, 3 * settings.sizes.runs)
    lines = []
    for name, (_, _, size) in cases.items():
        ours, theirs = f"limen, {name}", f"scikit-learn, {name}"
        lines.append(Line(ours, "limen", times[ours], theirs, 1, asked="time ≤ 1 x", moved=size))
        lines.append(Line(theirs, "rival", times[theirs], moved=size))
    title = f"predict: {len(given.y):,} images and {X.shape[0]:,} sparse rows"
    formula = (
        "X once, as in rows 1, 3 and 4; the bound is of one thread, and scikit-learn's BLAS may use more"
    )
    return [Row("predict", "8", title, lines, formula, notes=[given.source])]
