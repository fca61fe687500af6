"""What deep networks learn from: images as bits, tables as they are, texts as words that occur or don't.

The folders are those of ``bench/data.py``. Test rows are those of the official splits; Ljubljana's breast cancer has none
and is divided into ten folds. Images and texts are made up where there is no folder; tables are not, they are None.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest, chi2

from bench.data import images, texts
from bench.settings import Settings

__all__ = ["Split", "adult", "breast_cancer", "images_as_bits", "monks", "newsgroups"]

ADULT = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
)
BREAST_CANCER = (
    "class",
    "age",
    "menopause",
    "tumor-size",
    "inv-nodes",
    "node-caps",
    "deg-malig",
    "breast",
    "breast-quad",
    "irradiat",
)
MONKS = ("class", "a1", "a2", "a3", "a4", "a5", "a6", "id")


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to judge by.

    Parameters
    ----------
    X, X_test : ndarray, scipy.sparse matrix or DataFrame
    y, y_test : ndarray
    source : str
        Where they are from.
    """

    X: Any
    y: Any
    X_test: Any
    y_test: Any
    source: str


# Images -------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=2)
def images_as_bits(settings: Settings, name: str, levels: tuple[int, ...]) -> Split:
    """Return images of 784 pixels, a zero or one for each pixel and level: whether it reaches it, of 255 at most."""
    found = images(settings, name)

    def bits(pixels: Any) -> Any:
        steps = np.stack([pixels >= level for level in levels], axis=-1)
        return steps.reshape(len(pixels), -1).astype(np.uint8)

    return Split(bits(found.X), found.y, bits(found.X_test), found.y_test, found.source)


# Tables -------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def adult(settings: Settings) -> Split | None:
    """Return Adult's two files as they are; a missing value is "?" there, and None here."""
    folder = settings.folder("adult")
    if folder is None:
        return None
    frames = [
        pd.read_csv(
            folder / f"adult.{split}.gz", names=ADULT, skipinitialspace=True, na_values="?", comment="|"
        )
        for split in ("data", "test")
    ]
    parts = []
    for frame in frames:
        y = frame.pop("income").str.rstrip(".").to_numpy(str)  # the test file's labels end in a full stop
        parts += [frame, y]
    return Split(*_some(parts, settings), "adult")


@functools.lru_cache(maxsize=3)
def monks(settings: Settings, number: int) -> Split | None:
    """Return one of the MONK's problems; all its columns are categories."""
    folder = settings.folder("monks")
    if folder is None:
        return None
    parts = []
    for split in ("train", "test"):
        frame = pd.read_csv(
            folder / f"monks-{number}.{split}", names=MONKS, sep=" ", skipinitialspace=True, dtype=str
        )
        y = frame.pop("class").to_numpy(int)
        parts += [frame.drop(columns="id"), y]
    return Split(*parts, f"monks {number}")


def breast_cancer(settings: Settings) -> tuple[Any, Any] | None:
    """Return Ljubljana's breast cancer data, all its columns categories, with the classes."""
    folder = settings.folder("breast_cancer")
    if folder is None:
        return None
    frame = pd.read_csv(folder / "breast-cancer.data", names=BREAST_CANCER, na_values="?", dtype=str)
    return frame, frame.pop("class").to_numpy(str)


def _some(parts: list[Any], settings: Settings) -> list[Any]:
    """Return as many of the first rows as images are taken, which is all unless sizes are toys."""
    most = (settings.sizes.images, settings.sizes.test_images)
    if settings.full:
        return parts
    return [part[: most[k // 2]] for k, part in enumerate(parts)]


# Texts --------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def newsgroups(settings: Settings, n_words: int) -> Split:
    """Return 20 newsgroups by date as zeros and ones, one for each of the words that tell most about the groups.

    The words are chosen on the training texts, by the chi-squared statistic of their occurrence and the groups.
    """
    train, y, test, y_test, source = texts(settings)
    vectorizer = CountVectorizer(binary=True, stop_words="english", min_df=2, dtype=np.uint8)
    words = vectorizer.fit_transform(train)
    chosen = SelectKBest(chi2, k=min(n_words, words.shape[1])).fit(words, y)
    X, X_test = (chosen.transform(part).tocsr() for part in (words, vectorizer.transform(test)))
    return Split(X, np.asarray(y), X_test, np.asarray(y_test), source)
