"""Rows 1, 2, 3, 7 and 9: epochs over images, as float32 and as bytes, and fits of a small table."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.datasets
import sklearn.linear_model

from bench.data import images
from bench.fits import bare, bare_rival, epoch, moved_dense
from bench.report import Check, Line, Row
from bench.rivals import missing, quiet, river_learns, river_perceptron, river_rows
from bench.settings import Settings
from bench.timing import Work, alternate
from limen.learn import Perceptron

__all__ = ["average", "iris", "mnist", "pixels"]

ONCE = "X once, rows × columns × {} bytes; weights and labels stay in the cache"


def mnist(settings: Settings) -> list[Row]:
    """Time an epoch of ten one-vs-rest outputs beside scikit-learn and others, and beside reading the array."""
    given, sizes = images(settings), settings.sizes
    X, y, epochs = given.scaled, given.y, sizes.epochs
    averaged = {"solution": "average", "shuffle": True, "random_state": 0}
    works = {
        "limen, 2 threads": epoch(lambda: bare(epochs, n_jobs=2), X, y),
        "limen, 1 thread": epoch(lambda: bare(epochs, n_jobs=1), X, y),
        "limen averaged, shuffled, 2 threads": epoch(lambda: bare(epochs, n_jobs=2, **averaged), X, y),
        "limen averaged, shuffled, 1 thread": epoch(lambda: bare(epochs, n_jobs=1, **averaged), X, y),
        "scikit-learn Perceptron, n_jobs=1": epoch(lambda: bare_rival(epochs), X, y, slow=True),
        "X.sum()": Work(X.sum),
    }
    notes = [
        f"{given.source}; the fits of {epochs} epochs, divided by {epochs}. All runs of rows 1 and 2 alternate."
    ]
    absent = {name: missing(name) for name in ("river", "liblinear-official")}
    if not absent["river"]:
        few = min(300, len(X)) if sizes.slow else min(50, len(X))
        rows, labels = river_rows(X[:few]), y[:few].tolist()
        works["River Perceptron, learn_one"] = Work(
            lambda: river_learns(river_perceptron(several=True), rows, labels), per=few / len(X), runs=3
        )
        notes.append(
            f"River learned {few} rows (dicts made beforehand, zeros left out); scaled up to {len(X):,}."
        )
    if not absent["liblinear-official"]:
        works["LIBLINEAR -s 1, whole fit"] = _liblinear(X, y)
        notes.append(
            "LIBLINEAR has no epochs: its whole fit to its default stopping, its problem made beforehand."
        )
    times = alternate(works, sizes.runs)
    size, rival = moved_dense(X), "scikit-learn Perceptron, n_jobs=1"

    def line(name: str, **more: Any) -> Line:
        return Line(name, times=times[name], moved=size, threads=1 + ("2 threads" in name), **more)

    others = [
        Line(name, "rival", times.get(name, ()), missing=absent[package])
        for name, package in (
            ("River Perceptron, learn_one", "river"),
            ("LIBLINEAR -s 1, whole fit", "liblinear-official"),
        )
    ]
    first = [
        line("limen, 2 threads", side="limen", against=rival, at_least=25, aim=40),
        line("limen, 1 thread", side="limen", against=rival, at_least=18),
        line("limen averaged, shuffled, 2 threads", side="limen", against=rival),
        line("limen averaged, shuffled, 1 thread", side="limen", against=rival),
        line(rival, side="rival"),
        *others,
    ]
    read = {"side": "limen", "against": "X.sum()"}
    second = [
        line("limen, 2 threads", at_least=1 / 2, asked="time ≤ 2 x, aim 1.3", aim=1 / 1.3, **read),
        line("limen, 1 thread", at_least=1 / 2.7, asked="time ≤ 2.7 x", **read),
        line("X.sum()", side="reading"),
    ]
    title = f"One epoch, {len(X):,} × {X.shape[1]} float32, 10 outputs one-vs-rest"
    formula = ONCE.format(4) + f" = {size:,}"
    return [
        Row("mnist", "1", title, first, formula, notes=notes),
        Row("mnist", "2", f"{title}, beside one pass of X.sum()", second, formula),
    ]


def _liblinear(X: Any, y: Any) -> Work:
    from liblinear import liblinearutil

    def learns(rows: Any, labels: Any) -> Any:
        problem = liblinearutil.problem(labels, rows)
        return lambda: _quietly(liblinearutil.train, problem, "-s 1 -B 1 -q")

    wide = X.astype(np.float64)
    return Work(learns(wide, y), warm=learns(wide[:100], y[:100]), runs=1)


def _quietly(call: Any, *arguments: Any) -> Any:
    with quiet():
        return call(*arguments)


def pixels(settings: Settings) -> list[Row]:
    """Time the same epoch on pixels as they are, one byte each, beside float32; ten outputs and one."""
    given, sizes = images(settings), settings.sizes
    wide, narrow, epochs = given.scaled, given.X, sizes.epochs
    three = np.where(given.y == 3, 1, 0)
    works = {
        f"{name}{end}": epoch(lambda X=X, y=y, n=n: bare(epochs, n_jobs=n), X, y)
        for name, y, n in (
            ("10 outputs, 2 threads", given.y, 2),
            ("10 outputs, 1 thread", given.y, 1),
            ("1 output (digit 3 or not)", three, 1),
        )
        for end, X in ((", uint8", narrow), (", float32", wide))
    }
    times = alternate(works, sizes.runs)
    lines = []
    for name, found in times.items():
        threads = 1 + ("2 threads" in name)
        if name.endswith("float32"):
            lines.append(Line(name, "limen", found, moved=moved_dense(wide), threads=threads))
            continue
        floor, asked = (1.0, "faster") if name.startswith("1 output") else (1 / 1.3, "time ≤ 1.3 x")
        other = name.replace("uint8", "float32")
        lines.append(
            Line(name, "limen", found, other, floor, asked=asked, moved=moved_dense(narrow), threads=threads)
        )
    title = f"The same epoch from uint8 pixels, without a float copy, {len(narrow):,} × {narrow.shape[1]}"
    return [Row("uint8", "3", title, lines, ONCE.format("1 (uint8) or 4 (float32)"), notes=[given.source])]


def average(settings: Settings) -> list[Row]:
    """Time ten epochs that average, and compare accuracy on the test rows."""
    given = images(settings)
    models: dict[str, Any] = {}

    def kept(name: str, make: Any) -> Any:
        models[name] = make().fit(given.scaled, given.y)
        return models[name]

    def ours() -> Perceptron:
        return Perceptron(max_iter=10, random_state=0)

    def theirs() -> sklearn.linear_model.SGDClassifier:
        return sklearn.linear_model.SGDClassifier(average=True, max_iter=10, tol=None, random_state=0)

    name, rival = "limen, competing classes, 1 thread", "scikit-learn SGDClassifier(average=True)"
    few = (given.scaled[:200], given.y[:200])
    times = alternate(
        {
            name: Work(lambda: kept(name, ours), per=lambda model: model.n_iter_ / 10),
            rival: Work(lambda: kept(rival, theirs), warm=lambda: theirs().fit(*few)),
        },
        settings.sizes.runs,
    )
    scores = {side: 100 * model.score(given.scaled_test, given.y_test) for side, model in models.items()}
    ahead = scores[name] - scores[rival]
    check = Check(
        f"accuracy on {len(given.y_test):,} test rows",
        f"limen {scores[name]:.2f} %, SGDClassifier {scores[rival]:.2f} %: {ahead:+.2f} points",
        "+1 point",
        ahead >= 1,
    )
    moved = 10 * moved_dense(given.scaled)
    lines = [
        Line(name, "limen", times[name], rival, 20, 50, moved=moved),
        Line(rival, "rival", times[rival], moved=moved),
    ]
    title = f"Ten epochs, averaged, {len(given.y):,} × {given.X.shape[1]} float32, 10 classes"
    formula = "X ten times, 10 × rows × columns × 4 bytes; weights stay in the cache"
    return [Row("average", "7", title, lines, formula, [check], [given.source])]


def iris(settings: Settings) -> list[Row]:
    """Time small fits, where what surrounds the epochs counts."""
    X, y = sklearn.datasets.load_iris(return_X_y=True)
    epochs = 100
    name, rival = "limen", "scikit-learn Perceptron"
    works = {
        name: Work(
            lambda: Perceptron(max_iter=epochs, random_state=0).fit(X, y), per=lambda m: m.n_iter_ / epochs
        ),
        rival: Work(
            lambda: sklearn.linear_model.Perceptron(max_iter=epochs, tol=None, random_state=0).fit(X, y)
        ),
    }
    times = alternate(works, settings.sizes.brief_runs)
    lines = [
        Line(name, "limen", times[name], rival, 1, asked="time ≤ 1 x"),
        Line(rival, "rival", times[rival]),
    ]
    title = f"Iris, 150 × 4 float64, 3 classes, {epochs} epochs, default parameters, second call in a process"
    notes = ["No roofline: 4.8 kB never leave the first cache; what counts is what surrounds the epochs."]
    return [Row("iris", "9", title, lines, notes=notes)]
