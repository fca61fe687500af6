"""How often it is right: limen's update rules beside rivals, on all data there are, over several seeds.

Official test splits are used where there are any; else a quarter of the rows is held out, anew for each seed. All
sides get the same columns: numbers standardised, categories one-hot, pixels divided by 255.
"""

from __future__ import annotations

import csv
import gzip
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.linear_model import Perceptron as Rival
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from bench.data import images
from bench.report import Table
from bench.settings import Settings
from bench.timing import say
from limen.learn import Perceptron
from limen.learn.stream import batches

__all__ = ["a9a", "held_out"]

SLOW, LARGE = "LinearSVC", 10_000_000  # which has one seed only where there are more numbers than that
ADULT_NUMBERS = (0, 2, 4, 10, 11, 12)
BUNDLED = {"iris": "iris", "wine": "wine", "breast_cancer (Wisconsin)": "breast_cancer", "digits": "digits"}


def held_out(settings: Settings) -> list[Table]:
    """Return mean and standard deviation of the accuracy, in %, with the best of limen against the best rival."""
    sides = _sides(settings)
    cells = []
    for name, load in _sets(settings).items():
        scores: dict[str, list[float]] = {side: [] for side in sides}
        for seed in range(settings.sizes.seeds):
            X, y, X_test, y_test = load(seed)
            for side, make in sides.items():
                if side == SLOW and seed and X.size > LARGE:
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    scores[side].append(100 * make(seed).fit(X, y).score(X_test, y_test))
        mean = {side: float(np.mean(found)) for side, found in scores.items()}
        best = max(mean[side] for side in sides if side.startswith("limen"))
        rival = max(mean[side] for side in sides if not side.startswith("limen"))
        shown = [
            f"{mean[side]:.2f}" + (f" ± {np.std(found, ddof=1):.2f}" if len(found) > 1 else "")
            for side, found in scores.items()
        ]
        cells.append((name, *shown, "" if best >= rival else f"loses by {rival - best:.2f}"))
        say(f"accuracy: {name}")
    notes = [
        f"Mean ± sd of {settings.sizes.seeds} seeds. limen: averaged weights, max_iter 20, C = 0.1"
        " for pa1 and pa2 (its default is 1); rivals: defaults.",
        "The verdict compares the best rule of limen with the best rival, both chosen by these test rows.",
    ]
    return [Table("accuracy", "13", "Accuracy, %", ("data", *sides, "verdict"), cells, notes)]


def _sides(settings: Settings) -> dict[str, Callable[[int], Any]]:
    return {
        "limen": lambda seed: Perceptron(max_iter=20, random_state=seed),
        "limen pa1": lambda seed: Perceptron(max_iter=20, update="pa1", C=0.1, random_state=seed),
        "limen pa2": lambda seed: Perceptron(max_iter=20, update="pa2", C=0.1, random_state=seed),
        "Perceptron": lambda seed: Rival(random_state=seed),
        "SGD(average)": lambda seed: SGDClassifier(average=True, random_state=seed),
        "LinearSVC": lambda seed: LinearSVC(random_state=seed),
    }


def _sets(settings: Settings) -> dict[str, Callable[[int], Any]]:
    """Return what loads each set: training rows, labels, test rows, labels, for a seed."""
    found: dict[str, Callable[[int], Any]] = {}
    for title, name in BUNDLED.items():
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        found[title] = lambda seed, X=X, y=y: _split(X, y, seed)
    if settings.data is None:
        return found
    folder = settings.folder("monks")
    for k in (1, 2, 3) if folder else ():
        parts = [
            _table(folder / f"monks-{k}.{split}", " ", 0, (), slice(1, 7)) for split in ("train", "test")
        ]
        found[f"monks {k}"] = lambda seed, parts=parts: _encoded(*parts)
    folder = settings.folder("breast_cancer")
    if folder:
        rows = _table(folder / "breast-cancer.data", ",", 0, (), slice(1, None))
        found["breast_cancer (Ljubljana)"] = lambda seed, rows=rows: _encoded(*_halves(rows, seed))
    if settings.folder("a9a"):
        found["a9a"] = lambda seed: a9a(settings)
    folder = settings.folder("adult")
    if folder:
        adult = [
            _table(folder / f"adult.{s}.gz", ",", -1, ADULT_NUMBERS, slice(0, -1)) for s in ("data", "test")
        ]
        found["adult"] = lambda seed, adult=adult: _encoded(*adult)
    for name in ("mnist", "fashion_mnist"):
        if settings.folder(name):
            found[name] = lambda seed, name=name: _pixels(settings, name)
    return found


def _split(X: Any, y: Any, seed: int) -> Any:
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), y, scaler.transform(X_test), y_test


def _pixels(settings: Settings, name: str) -> Any:
    data = images(settings, name)
    return data.scaled, data.y, data.scaled_test, data.y_test


def a9a(settings: Settings) -> Any:
    """Return a9a's official split, None where it isn't there."""
    folder = settings.folder("a9a")
    if folder is None:
        return None
    parts = []
    for name in ("a9a.gz", "a9a.t.gz"):
        stream = list(
            batches(folder / name, format="svmlight", zero_based=False, n_features=123, batch_bytes=1 << 30)
        )
        parts += [stream[0].X[: settings.sizes.images], stream[0].y[: settings.sizes.images]]
    return parts


def _table(path: Path, separator: str, label: int, numbers: tuple[int, ...], columns: slice) -> Any:
    """Return the numbers, the categories and the labels of a table without a row of names."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="utf-8")  # noqa: SIM115 - below
    with opened as file:
        lines = csv.reader(file, delimiter=separator, skipinitialspace=True)
        rows = [row for row in lines if len(row) > 2 and not row[0].startswith("|")]
    y = np.array([row[label].rstrip(".") for row in rows])
    values = [row[columns] for row in rows]
    kinds = [k for k in range(len(values[0])) if k not in numbers]
    figures = np.array([[float(row[k]) for k in numbers] for row in values]).reshape(len(rows), len(numbers))
    return figures, np.array([[row[k] for k in kinds] for row in values]), y


def _halves(rows: Any, seed: int) -> Any:
    which, test = train_test_split(np.arange(len(rows[2])), stratify=rows[2], random_state=seed)
    return tuple(part[which] for part in rows), tuple(part[test] for part in rows)


def _encoded(training: Any, test: Any) -> Any:
    """Return both parts with categories one-hot and numbers standardised, as the training rows say."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(training[1])
    scaler = StandardScaler().fit(training[0]) if training[0].shape[1] else None
    made = []
    for figures, categories, y in (training, test):
        scaled = figures if scaler is None else scaler.transform(figures)
        made += [np.hstack([scaled, encoder.transform(categories)]), y]
    return made
