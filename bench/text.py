"""20 newsgroups: from text to groups, by hashed words, beside scikit-learn's linear classifiers."""

from __future__ import annotations

import time
from typing import Any

from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Perceptron as Rival
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC

from bench.data import texts
from bench.report import Table
from bench.settings import Settings
from limen.learn import Perceptron

__all__ = ["text"]


def text(settings: Settings) -> list[Table]:
    """Compare accuracy and seconds on the official split, all sides with the same features."""
    train, y, test, y_test, source = texts(settings)
    start = time.perf_counter()
    hashing = HashingVectorizer(n_features=2**18, stop_words="english", dtype="float32")
    X, X_test = hashing.transform(train), hashing.transform(test)
    hashed = time.perf_counter() - start
    sides: dict[str, Any] = {
        "limen Perceptron": Perceptron(random_state=0),
        "limen Perceptron, 10 epochs": Perceptron(random_state=0, max_iter=10),
        'limen Perceptron, update="pa1", 10 epochs': Perceptron(random_state=0, max_iter=10, update="pa1"),
        "scikit-learn Perceptron": Rival(random_state=0),
        "scikit-learn SGDClassifier": SGDClassifier(random_state=0),
        "scikit-learn SGDClassifier(average=True)": SGDClassifier(random_state=0, average=True),
        "scikit-learn LinearSVC": LinearSVC(random_state=0),
    }
    Perceptron(max_iter=1).fit(X[::50], y[::50])  # compile
    cells = []
    for name, model in sides.items():
        start = time.perf_counter()
        model.fit(X, y)
        fitted = time.perf_counter()
        score = 100 * model.score(X_test, y_test)
        done = time.perf_counter()
        cells.append(
            (
                name,
                f"{score:.2f}",
                f"{fitted - start:.2f}",
                f"{done - fitted:.3f}",
                f"{hashed + done - start:.2f}",
            )
        )
    columns = ("side", "accuracy %", "fit s", "predict s", "total s")
    notes = [
        f"{source}: {len(train):,} texts to learn from, {len(test):,} to judge by; defaults unless said.",
        f"All sides get the same features, HashingVectorizer(n_features=2**18), made in {hashed:.1f} s, which total counts.",
    ]
    return [Table("text", "11", "Text: 20 newsgroups, by date", columns, cells, notes)]
