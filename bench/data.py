"""Images, texts and sparse rows: from a folder, from OpenML, or made up with a fixed seed.

The folder has a sub-folder for each set: ``mnist`` and ``fashion_mnist`` (four gzipped idx files each), ``a9a``
(svmlight text, gzipped), ``adult`` (``adult.data.gz``, ``adult.test.gz``), ``monks``, ``breast_cancer``
(Ljubljana's, from UCI) and ``20news_bydate`` (``train.jsonl.xz``, ``test.jsonl.xz``).
"""

from __future__ import annotations

import functools
import gzip
import json
import lzma
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from bench.settings import Settings
from bench.timing import say

__all__ = ["COLUMNS", "PER_ROW", "Images", "images", "sparse_rows", "sparse_scores", "texts", "zipf_rows"]

COLUMNS = 47_236  # as RCV1 has
PER_ROW = 75


# Images -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Images:
    """Grey pixels from 0 to 255 with their classes, and where they are from."""

    X: Any
    y: Any
    X_test: Any
    y_test: Any
    source: str

    @functools.cached_property
    def scaled(self) -> Any:
        """The training pixels as float32 in [0, 1]."""
        return self.X / np.float32(255)

    @functools.cached_property
    def scaled_test(self) -> Any:
        """The test pixels as float32 in [0, 1]."""
        return self.X_test / np.float32(255)


@functools.lru_cache(maxsize=2)
def images(settings: Settings, name: str = "mnist") -> Images:
    """Return MNIST, or another set in its format: from the folder, else from OpenML, else made up."""
    sizes = settings.sizes
    folder = settings.folder(name)
    if folder is not None:
        parts = [_idx(folder, split) for split in ("train", "t10k")]
        (X, y), (X_test, y_test) = parts
        source = name
    else:
        fetched = _fetched() if settings.full else None
        if fetched is None:
            X, y, X_test, y_test = _made_up(sizes.images, sizes.test_images)
            source = "synthetic images in place of MNIST"
        else:
            X, y = fetched
            X, y, X_test, y_test = X[:60_000], y[:60_000], X[60_000:], y[60_000:]
            source = f"{name} from OpenML"
    X, y = X[: sizes.images], y[: sizes.images]
    return Images(X, y, X_test[: sizes.test_images], y_test[: sizes.test_images], source)


def _idx(folder: Path, split: str) -> tuple[Any, Any]:
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz") as file:
        return pixels, np.frombuffer(file.read(), np.uint8, offset=8).astype(int)


def _fetched() -> tuple[Any, Any] | None:
    """Return MNIST from OpenML, or None where it can't be had."""
    from sklearn.datasets import fetch_openml

    say("MNIST: asking OpenML ...")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X, y = fetch_openml("mnist_784", version=1, as_frame=False, return_X_y=True, n_retries=0)
    except Exception as error:  # whatever stands between here and there, the bench goes on
        say(f"MNIST: OpenML can't be reached ({type(error).__name__}); synthetic images instead")
        return None
    return np.ascontiguousarray(X, np.uint8), np.asarray(y).astype(int)


def _made_up(n_rows: int, n_test: int) -> tuple[Any, Any, Any, Any]:
    """Return images with a fifth of the pixels set, ten noisy prototypes, and some labels wrong."""
    rng = np.random.default_rng(0)
    prototypes = (rng.random((10, 784)) * (rng.random((10, 784)) < 0.2)).astype(np.float32)
    y = rng.integers(0, 10, n_rows + n_test)
    X = np.empty((len(y), 784), np.uint8)
    for start in range(0, len(y), 10_000):  # in blocks, for memory
        part = slice(start, start + 10_000)
        n = len(y[part])
        noise = rng.random((n, 784), dtype=np.float32) * (rng.random((n, 784)) < 0.15)
        kept = rng.random((n, 784)) < 0.5
        X[part] = 127 * prototypes[y[part]] * kept + 127 * noise
    wrong = rng.random(len(y)) < 0.05
    y[wrong] = rng.integers(0, 10, int(wrong.sum()))
    return X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:]


# Sparse rows --------------------------------------------------------------------------------------------------


def zipf_rows(n_rows: int, rng: np.random.Generator) -> sparse.csr_array:
    """Return rows of 75 entries whose columns are Zipf's: column k is drawn in proportion to 1 / (k + 1).

    Columns are distinct and in order within a row; values are whole millionths from 0.02 to 0.25, in float32.
    """
    cumulative = np.cumsum(1.0 / np.arange(1, COLUMNS + 1))
    cumulative /= cumulative[-1]
    blocks = [_columns(min(10_000, n_rows - start), cumulative, rng) for start in range(0, n_rows, 10_000)]
    indices = np.concatenate(blocks, dtype=np.int32).ravel()
    values = (rng.integers(20_000, 250_000, len(indices)) / 1e6).astype(np.float32)
    starts = np.arange(0, len(indices) + 1, PER_ROW, dtype=np.int32)
    return sparse.csr_array((values, indices, starts), shape=(n_rows, COLUMNS))


def _columns(n_rows: int, cumulative: Any, rng: np.random.Generator) -> Any:
    """Return an array of 75 distinct columns for each row, in increasing order."""
    drawn = np.searchsorted(cumulative, rng.random((n_rows, 3 * PER_ROW)))
    order = np.argsort(drawn, axis=1, kind="stable")
    sorted_ = np.take_along_axis(drawn, order, axis=1)
    first = np.ones(drawn.shape, bool)
    first[:, 1:] = sorted_[:, 1:] != sorted_[:, :-1]
    new = np.empty_like(first)
    np.put_along_axis(new, order, first, axis=1)  # a draw counts if it is the first of its column
    kept = new & (np.cumsum(new, axis=1) <= PER_ROW)
    short = np.flatnonzero(kept.sum(axis=1) < PER_ROW)
    for row in short:  # hardly ever: fill up with the commonest columns that are missing
        missing = np.setdiff1d(np.arange(4 * PER_ROW), drawn[row, kept[row]])
        free = np.flatnonzero(~kept[row])[: PER_ROW - int(kept[row].sum())]
        drawn[row, free], kept[row, free] = missing[: len(free)], True
    return np.sort(drawn[kept].reshape(n_rows, PER_ROW), axis=1)


def sparse_scores(X: Any, n_outputs: int, seed: int = 1) -> Any:
    """Return net inputs of hidden sparse weights, with a little noise: what labels are made from."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((COLUMNS, n_outputs), dtype=np.float32)
    hidden *= rng.random((COLUMNS, n_outputs), dtype=np.float32) < 0.3
    scores = X @ hidden
    return scores + 0.1 * scores.std() * rng.standard_normal(scores.shape, dtype=np.float32)


@functools.lru_cache(maxsize=1)
def sparse_rows(settings: Settings) -> sparse.csr_array:
    """Return the sparse rows of the table."""
    return zipf_rows(settings.sizes.sparse_rows, np.random.default_rng(0))


# Texts --------------------------------------------------------------------------------------------------------


def texts(settings: Settings) -> tuple[list[str], list[str], list[str], list[str], str]:
    """Return 20 newsgroups by date: training texts and groups, test texts and groups; and the source."""
    folder = settings.folder("20news_bydate")
    if folder is None:
        return (*_made_up_texts(), "synthetic texts in place of 20 newsgroups")
    splits = []
    for name in ("train", "test"):
        with lzma.open(folder / f"{name}.jsonl.xz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        # A part is every k-th row, for the files are sorted by group.
        rows = rows[:: max(1, len(rows) // (settings.sizes.texts or len(rows)))]
        splits += [[row["text"] for row in rows], [row["group"] for row in rows]]
    return (*splits, "20 newsgroups by date")


def _made_up_texts() -> tuple[list[str], list[str], list[str], list[str]]:
    rng = np.random.default_rng(0)
    weights = 1.0 / np.arange(1, 2001)
    made = []
    for n_rows in (300, 200):
        groups = rng.integers(0, 20, n_rows)
        common = rng.choice(2000, (n_rows, 60), p=weights / weights.sum())
        own = 2000 + 30 * groups[:, None] + rng.integers(0, 60, (n_rows, 6))
        rows = np.hstack([common, own])
        made += [[" ".join(f"word{k}" for k in row) for row in rows], [f"group{g:02d}" for g in groups]]
    return made[0], made[1], made[2], made[3]
