"""Rows 4, 5 and 6: epochs over sparse rows with one output, 20 classes, and many rare labels."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.multiclass import OneVsRestClassifier

from bench.data import COLUMNS, PER_ROW, sparse_rows, sparse_scores
from bench.fits import bare, bare_rival, epoch, moved_sparse
from bench.report import Line, Row
from bench.rivals import VOWPAL, missing, vowpal_seconds
from bench.settings import Settings
from bench.svmlight import write_vowpal
from bench.timing import Work, alternate

__all__ = ["binary", "classes", "labels"]

ONCE = "value (4) and column (4) of each entry once, 4 a row for its start; weights stay in the cache"
RARE = 0.02


def _title(X: Any, what: str) -> str:
    return (
        f"One epoch, CSR {X.shape[0]:,} × {COLUMNS:,} float32, {PER_ROW} entries a row, Zipf columns, {what}"
    )


def binary(settings: Settings) -> list[Row]:
    """Time an epoch of one output beside scikit-learn, Vowpal Wabbit and a product with SciPy."""
    X, epochs = sparse_rows(settings), settings.sizes.epochs
    y = np.where(sparse_scores(X, 1)[:, 0] > 0, 1, -1)
    w = np.random.default_rng(2).standard_normal(COLUMNS, dtype=np.float32)
    absent = missing("vowpalwabbit")
    rival, vowpal, product = "scikit-learn Perceptron", "Vowpal Wabbit, pass from its cache", "SciPy X @ w"
    works = {
        "limen": epoch(lambda: bare(epochs), X, y),
        rival: epoch(lambda: bare_rival(epochs), X, y),
        product: Work(lambda: X @ w),
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if not absent:
            text, cache = Path(folder) / "rows.vw", Path(folder) / "rows.cache"
            write_vowpal(text, [(X, y)])
            works[vowpal] = Work(lambda: vowpal_pass(text, cache), reported=True)
        times = alternate(works, settings.sizes.runs)
    size = moved_sparse(X)
    compared = {
        rival: {"at_least": 6},
        vowpal: {"at_least": 25},
        product: {"at_least": 1 / 1.4, "asked": "time ≤ 1.4 x"},
    }
    lines = [
        Line("limen", "limen", times["limen"], other, moved=size, **floor)
        for other, floor in compared.items()
        if other in times
    ]
    lines += [
        Line(rival, "rival", times[rival], moved=size),
        Line(vowpal, "rival", times.get(vowpal, ()), missing=absent),
        Line(product, "reading", times[product], moved=size),
    ]
    notes = [
        f"Vowpal Wabbit: {VOWPAL}; a fresh process, (passes 1 to 11 less pass 1) / 10, all from the cache it has"
        " made; a thread of its own parses.",
    ]
    return [Row("csr", "4", _title(X, "one output"), lines, f"{ONCE} = {size:,}", notes=notes)]


def vowpal_pass(text: Path, cache: Path, passes: int = 10) -> float:
    """Return the seconds of one pass of Vowpal Wabbit over a cache, which is made if it isn't there."""
    options = f"-d {text} --cache_file {cache} {VOWPAL} --passes "
    if not cache.exists():
        vowpal_seconds(f"{options}1 -k")
    return (vowpal_seconds(f"{options}{passes + 1}") - vowpal_seconds(f"{options}1")) / passes


def classes(settings: Settings) -> list[Row]:
    """Time an epoch of 20 one-vs-rest outputs beside scikit-learn."""
    X, epochs = sparse_rows(settings), settings.sizes.epochs
    y = sparse_scores(X, 20).argmax(axis=1)
    rival = "scikit-learn Perceptron, n_jobs=1"
    times = alternate(
        {
            "limen, 2 threads": epoch(lambda: bare(epochs, n_jobs=2), X, y),
            "limen, 1 thread": epoch(lambda: bare(epochs, n_jobs=1), X, y),
            rival: epoch(lambda: bare_rival(epochs), X, y, slow=True),
        },
        settings.sizes.runs,
    )
    size = moved_sparse(X)
    lines = [
        Line("limen, 2 threads", "limen", times["limen, 2 threads"], rival, 15, 25, moved=size, threads=2),
        Line("limen, 1 thread", "limen", times["limen, 1 thread"], rival, moved=size),
        Line(rival, "rival", times[rival], moved=size),
    ]
    title = _title(X, "20 classes one-vs-rest")
    return [Row("csr20", "5", title, lines, f"{ONCE} = {size:,}")]


def labels(settings: Settings) -> list[Row]:
    """Time an epoch of many labels a row, each rare, beside scikit-learn's one-vs-rest."""
    X, epochs, n_labels = sparse_rows(settings), settings.sizes.epochs, settings.sizes.labels
    scores = sparse_scores(X, n_labels)
    Y = (scores > np.quantile(scores, 1 - RARE, axis=0)).astype(np.int8)
    rival = "scikit-learn OneVsRest(Perceptron), n_jobs=2"
    works = {
        "limen, 2 threads": epoch(lambda: bare(epochs, n_jobs=2), X, Y),
        "limen, 1 thread": epoch(lambda: bare(epochs, n_jobs=1), X, Y),
        # Its workers start in the warm-up and are kept.
        rival: epoch(lambda: OneVsRestClassifier(bare_rival(epochs), n_jobs=2), X, Y, slow=True),
    }
    times = alternate(works, settings.sizes.runs)
    size = moved_sparse(X)
    lines = [
        Line("limen, 2 threads", "limen", times["limen, 2 threads"], rival, 20, moved=size, threads=2),
        Line("limen, 1 thread", "limen", times["limen, 1 thread"], rival, moved=size),
        Line(rival, "rival", times[rival], moved=size, threads=2),
    ]
    title = _title(X, f"{n_labels} labels, each on {100 * RARE:g} % of the rows")
    return [Row("multilabel", "6", title, lines, f"{ONCE} = {size:,}")]
