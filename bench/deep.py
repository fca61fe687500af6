"""Deep networks of threshold neurons, beside rivals: accuracy on test rows, seconds, bytes.

Accuracy is of the official test split, mean and standard deviation over seeds. Training seconds include whatever encodes
the rows and compiles the training. The size of a model is that of its ``.limen`` file; packed, its weights and biases
take as few bits as hold them, and all else in the file, encoding and names, is counted as it is. Results are added to one
file of JSON as they come, so that the rows that take hours can be measured by themselves; ``--table`` prints such
files, joined.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench import deep_data
from bench.deep_data import Split
from bench.deep_rivals import Bounds, adult_rivals, alone, image_rivals, judged, one_hot, taught, told
from bench.deep_table import Result, added, joined, markdown, read
from bench.machine import header, installed
from bench.settings import SIZES, Settings
from bench.timing import say
from limen import Network

__all__ = ["NETS", "Net", "main", "packed_bytes"]


@dataclass(frozen=True, slots=True)
class Net:
    """What one row trains.

    Parameters
    ----------
    seeds : int
    hidden : tuple of int
    options : dict
        Further parameters of `limen.learn.ThresholdNetworkClassifier`.
    inputs : int
        Cut points of a column, or words.
    levels : tuple of int
        From which on the bits of a pixel are 1.
    """

    seeds: int
    hidden: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    inputs: int = 1
    levels: tuple[int, ...] = (64,)

    def settings(self) -> str:
        """Return the options in words."""
        return ", ".join(f"{name} {value}" for name, value in self.options.items()) or "defaults"


# Chosen by validation rows within the training rows, never by test rows.
IMAGE = {"image_shape": (28, 28), "max_shift": 1, "batch_size": 512}
WIDE = {**IMAGE, "learning_rate": 0.008, "dropout": 0.2, "input_dropout": 0.1, "head_weights": "binary"}
FASHION = {**IMAGE, "image_shape": (28, 28, 3), "learning_rate": 0.008, "dropout": 0.1, "input_dropout": 0.1}
NETS = {
    "mnist": Net(5, (256, 256, 256), {**IMAGE, "epochs": 80, "head_weights": "binary"}),
    "mnist-wide": Net(3, (1024, 1024, 1024), {**WIDE, "epochs": 60}),
    "mnist-full": Net(1, (1024, 1024, 1024), {**WIDE, "epochs": 300}),
    "fashion": Net(3, (1024, 1024, 1024), {**FASHION, "epochs": 50}, levels=(16, 96, 176)),
    "adult": Net(5, (512,), {"weights": "ternary", "dropout": 0.5}, inputs=64),
    "adult-small": Net(5, (24,), {"weights": "ternary", "dropout": 0.2}, inputs=32),
    "monks-1": Net(5, (256, 256)),
    "monks-2": Net(5, (256,), {"dropout": 0.5}),
    "monks-3": Net(5, (), {"epochs": 100}),
    "breast-cancer": Net(5, (), {"head_weights": "ternary", "epochs": 30}),
    "news": Net(3, (512,), {"weights": "ternary", "dropout": 0.7, "label_smoothing": 0.1}, inputs=10_000),
}
# Of Adult's columns: how many people a row stands for, not what they earn.
LEFT_OUT: dict[str, list[float]] = {"fnlwgt": []}
FOLDS = 10
SIMPLEST_OF = 10  # networks without a training mistake, of which the simplest is taken
RIVAL_SECONDS = 120.0  # of training at least, for rivals that are stopped by the clock


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for.

    Parameters
    ----------
    settings : bench.settings.Settings
    seeds : int, optional
        In place of those in `NETS`.
    checkpoint : Path
        What ``mnist-full`` is interrupted to and goes on from.
    pythons : mapping of str to str
    rival_seconds : float, optional
        Of training, for rivals that are stopped by the clock; by default as long as limen takes, and two minutes at
        least.
    measured : list of dict
        Rows measured so far, in this run and in those before that wrote the same file.
    """

    settings: Settings
    seeds: int | None
    checkpoint: Path
    pythons: Mapping[str, str]
    rival_seconds: float | None
    measured: list[dict[str, Any]]

    def net(self, name: str) -> Net:
        """Return what a row trains; on toy sizes hardly anything."""
        net = NETS[name]
        if self.settings.full:
            return net
        hidden = tuple(min(width, 32) for width in net.hidden)
        return Net(net.seeds, hidden, {**net.options, "epochs": 2}, min(net.inputs, 500), net.levels)

    def n_seeds(self, asked: int) -> int:
        """Return how many seeds to take."""
        return self.seeds or (asked if self.settings.full else min(asked, 2))

    def bounds(self, group: str, seeds: int) -> Bounds:
        """Return what rivals of a group of limen's get."""
        took = [
            statistics.mean(row["fit_seconds"])
            for row in self.measured
            if row["group"] == group and row["side"] == "limen" and row["fit_seconds"]
        ]
        least = RIVAL_SECONDS if self.settings.full else 2.0
        limit = self.rival_seconds or max([least, *took])
        return Bounds(self.n_seeds(seeds), limit, self.pythons)


# limen's side -------------------------------------------------------------------------------------------------


def classifier(net: Net, seed: int) -> Any:
    """Return the untrained classifier of a row."""
    from limen.learn import ThresholdNetworkClassifier

    return ThresholdNetworkClassifier(net.hidden, random_state=seed, **net.options)


def encoded(net: Net, seed: int) -> Any:
    """Return the untrained classifier of a row that takes a table."""
    from limen.learn import ThresholdEncoder

    return classifier(net, seed).set_params(encode=ThresholdEncoder(n_thresholds=net.inputs))


def adult_encoded(net: Net, seed: int) -> Any:
    """Return the untrained classifier that takes Adult's tables."""
    from limen.learn import ThresholdEncoder

    return classifier(net, seed).set_params(encode=ThresholdEncoder(net.inputs, cuts=LEFT_OUT))


KINDS = {"binary": "±1", "ternary": "-1, 0, 1", "int4": "4 bits", "int8": "8 bits"}


def shape(net: Net) -> str:
    """Return what a network is called in the table."""
    if not net.hidden:
        return f"limen, no hidden layer, {KINDS[net.options.get('head_weights', 'int8')]}"
    same = len(net.hidden) > 1 and len(set(net.hidden)) == 1
    widths = f"{len(net.hidden)} × {net.hidden[0]}" if same else "-".join(map(str, net.hidden))
    return f"limen, {widths}, {KINDS[net.options.get('weights', 'binary')]}"


def learned(
    group: str,
    data: str,
    net: Net,
    split: Split,
    run: Run,
    make: Callable[[Net, int], Any] = classifier,
    **fit: Any,
) -> Result:
    """Train and judge a row's network with each seed."""
    result = Result(group, data, "limen", shape(net), net.settings())
    model = judged(result, lambda seed: make(net, seed), split, run.n_seeds(net.seeds), fit)
    result.file_bytes, result.packed_bytes = sizes(model)
    return result


def sizes(estimator: Any) -> tuple[int, int]:
    """Return the bytes of a fitted classifier's file, and of the same with packed weights and biases."""
    from limen.export import save
    from limen.learn import model

    bound = model(estimator)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.limen"
        save(bound, path)
        size = path.stat().st_size
    numbers = sum(8 * (layer.weights.size + layer.bias.size) for layer in bound.network.layers)
    return size, size - numbers + packed_bytes(bound.network)


def packed_bytes(network: Any) -> int:
    """Return the bytes of all weights and biases in as few bits as hold them.

    The weights of a layer are whole steps from the least of them on, and so are its biases: ±1 takes one bit. What says
    where the steps begin and how large they are counts 16 bytes.
    """
    n_bytes = 0
    for layer in network.layers:
        for numbers in (layer.weights, layer.bias):
            offsets = np.asarray(numbers).ravel() - np.asarray(numbers).min()
            step = int(np.gcd.reduce(offsets)) or 1
            n_bits = math.ceil(math.log2(int(offsets.max()) // step + 1))
            n_bytes += math.ceil(offsets.size * n_bits / 8) + 16
    return n_bytes


class TrainedExactly:
    """What `limen.learn.train_exactly` finds for a table, as a classifier: of some networks the simplest.

    Of those with the fewest training mistakes, which may be several, it has the fewest weights other than 0.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, X: Any, y: Any) -> TrainedExactly:
        """Encode the table, and train two hidden neurons with the smallest weights."""
        from limen.learn import ThresholdEncoder, train_exactly

        self.encoder_ = ThresholdEncoder().fit(X)
        bits = self.encoder_.transform(X)
        starts = range(SIMPLEST_OF * self.seed, SIMPLEST_OF * (self.seed + 1))
        answers = [train_exactly(bits, y, hidden=2, max_weight=1, random_state=k) for k in starts]
        found = min(answers, key=lambda answer: (answer.bounds[1], _n_weights(answer.network))).network
        self.network_ = Network(found.layers, self.encoder_.encoding_.inputs, None, "binary")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        """Return the labels of rows."""
        return self.classes_[self.network_(self.encoder_.transform(X))[:, 0]]


def _n_weights(network: Network) -> int:
    return sum(int(np.count_nonzero(layer.dense())) for layer in network.layers)


# Rows ---------------------------------------------------------------------------------------------------------


def _image_row(group: str, name: str, title: str) -> Callable[[Run], Iterator[Result]]:
    def rows(run: Run) -> Iterator[Result]:
        net = run.net(group)
        split = deep_data.images_as_bits(run.settings, name, net.levels)
        fit: dict[str, Any] = {}
        notes = [] if split.source == name else [split.source]
        if group == "mnist-full":
            fit["checkpoint"] = run.checkpoint
            if run.checkpoint.exists():
                notes.append("it went on from a checkpoint, and seconds are only those since then")
        result = learned(group, f"{title}, {_bits(len(net.levels))}", net, split, run, **fit)
        result.notes += notes
        yield result

    return rows


def _bits(n_bits: int) -> str:
    return "1 bit a pixel" if n_bits == 1 else f"{n_bits} bits a pixel"


def _adult(run: Run) -> Iterator[Result]:
    split = deep_data.adult(run.settings)
    if split is None:
        yield _absent("adult", "Adult")
        return
    for name in ("adult", "adult-small"):
        yield learned("adult", "Adult", run.net(name), split, run, adult_encoded)


def _monks(run: Run) -> Iterator[Result]:
    for number in (1, 2, 3):
        split = deep_data.monks(run.settings, number)
        if split is None:
            yield _absent("monks", f"MONK {number}")
        else:
            yield learned("monks", f"MONK {number}", run.net(f"monks-{number}"), split, run, encoded)
            if number == 3:
                continue  # its labels are partly wrong: the fewest mistakes are not what is looked for
            exact = Result("monks", f"MONK {number}", "limen", "limen, train_exactly, 2, up to 1")
            exact.notes.append(
                f"no training mistake with 2 hidden neurons of weights -1, 0 and 1; of {SIMPLEST_OF} such networks the one with the"
                " fewest weights"
            )
            model = judged(exact, TrainedExactly, split, run.n_seeds(5))
            exact.file_bytes, exact.packed_bytes = sizes(model)
            yield exact


def _breast_cancer(run: Run) -> Iterator[Result]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    group, data = "breast-cancer", f"Ljubljana's breast cancer, {FOLDS} folds"
    found = deep_data.breast_cancer(run.settings)
    if found is None:
        yield _absent(group, data)
        return
    X, y = found
    net = run.net(group)
    sides = (
        (
            Result(group, data, "limen", shape(net), net.settings()),
            net.seeds,
            lambda seed: encoded(net, seed),
        ),
        (
            Result(group, data, "rival", "LogisticRegression", "one-hot, max_iter 1,000, else defaults"),
            1,
            lambda seed: one_hot(LogisticRegression(max_iter=1000)),
        ),
    )
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y))
    for result, seeds, make in sides:
        for seed in range(run.n_seeds(seeds)):
            each = Result(group, data, result.side, result.name)
            for training, test in folds:
                split = Split(X.iloc[training], y[training], X.iloc[test], y[test], data)
                model = make(seed)
                taught(each, model, split)
            sizes_of_folds = [len(test) for _, test in folds]
            result.accuracy.append(float(np.average(each.accuracy, weights=sizes_of_folds)))
            result.fit_seconds.append(statistics.mean(each.fit_seconds))
            result.epochs += each.epochs[-1:]
            result.batch_seconds, result.row_seconds = each.batch_seconds, alone(model, split.X_test)
            say(f"{told(result)}, seed {seed}: {result.accuracy[-1]:.2f} %")
        if result.side == "limen":
            result.file_bytes, result.packed_bytes = sizes(model)
        result.notes.append("seconds and bytes are of one fold")
        yield result


def _news(run: Run) -> Iterator[Result]:
    from limen.learn import Perceptron

    net = run.net("news")
    split = deep_data.newsgroups(run.settings, net.inputs)
    data = f"20 newsgroups by date, {split.X.shape[1]:,} words"
    deep = learned("news", data, net, split, run)
    deep.notes += [] if run.settings.folder("20news_bydate") else [split.source]
    yield deep
    floats = Split(
        split.X.astype(np.float32), split.y, split.X_test.astype(np.float32), split.y_test, split.source
    )
    result = Result("news", data, "limen", "limen Perceptron, averaged", "defaults")
    model = judged(result, lambda seed: Perceptron(random_state=seed), floats, run.n_seeds(net.seeds))
    result.file_bytes, result.packed_bytes = sizes(model)
    yield result


def _image_rivals(run: Run) -> Iterator[Result]:
    split = deep_data.images_as_bits(run.settings, "mnist", run.net("mnist").levels)
    yield from image_rivals("rivals-mnist", "MNIST, 1 bit a pixel", split, run.bounds("mnist", 3))


def _adult_rivals(run: Run) -> Iterator[Result]:
    from limen.learn import ThresholdEncoder

    table = deep_data.adult(run.settings)
    if table is None:
        yield _absent("rivals-adult", "Adult")
        return
    encoder = ThresholdEncoder(run.net("adult").inputs, cuts=LEFT_OUT).fit(table.X)
    bits = Split(encoder.transform(table.X), table.y, encoder.transform(table.X_test), table.y_test, "adult")
    yield from adult_rivals("rivals-adult", "Adult", table, bits, run.bounds("adult", 5))


def _absent(group: str, data: str) -> Result:
    return Result(group, data, "limen", "limen", missing="not measured: its folder isn't there (--data)")


GROUPS: dict[str, Callable[[Run], Iterator[Result]]] = {
    "mnist": _image_row("mnist", "mnist", "MNIST"),
    "mnist-wide": _image_row("mnist-wide", "mnist", "MNIST"),
    "mnist-full": _image_row("mnist-full", "mnist", "MNIST, long schedule"),
    "fashion": _image_row("fashion", "fashion_mnist", "Fashion-MNIST"),
    "adult": _adult,
    "monks": _monks,
    "breast-cancer": _breast_cancer,
    "news": _news,
    "rivals-adult": _adult_rivals,
    "rivals-mnist": _image_rivals,
}


# The command --------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> None:
    """Measure, keep and print."""
    options = _options(arguments)
    if options.table:
        print(markdown(joined(read(path) for path in options.table)))
        return
    found = read(options.out) if options.out else {"header": None, "rows": []}
    head = header(100 if options.quick else 1000)
    head["versions"] |= {name: installed(name) for name in ("keras", "jax", "tmu", "torchlogix")}
    settings = Settings(options.data, SIZES["quick" if options.quick else "full"], not options.quick)
    pythons = {"tmu": options.tmu, "torchlogix": options.torchlogix}
    for name in options.only or [name for name in GROUPS if name != "mnist-full"]:
        run = Run(
            settings, options.seeds, options.checkpoint, pythons, options.rival_seconds, list(found["rows"])
        )
        about = {"start": _now(), "load": os.getloadavg()[0], "toy sizes": options.quick}
        start = time.perf_counter()
        for result in GROUPS[name](run):
            result.measured |= about
            found = added(found, head, [result])
            if options.out is not None:
                text = json.dumps(found, indent=1, ensure_ascii=False)
                options.out.write_text(text + "\n", encoding="utf-8")
        say(f"{name} ({time.perf_counter() - start:.1f} s)")
    print(markdown(found))


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench deep", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with data sets: see bench/data.py")
    parser.add_argument("--quick", action="store_true", help="toy sizes")
    parser.add_argument(
        "--only", nargs="+", choices=GROUPS, metavar="NAME", help=f"some of: {', '.join(GROUPS)}"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds of each row")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON that results are added to")
    parser.add_argument(
        "--table", nargs="+", type=Path, metavar="FILE", help="print such files as Markdown, measure nothing"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        default=Path("mnist-full.npz"),
        help="what mnist-full goes on from; default mnist-full.npz",
    )
    for name in ("tmu", "torchlogix"):
        parser.add_argument(
            f"--{name}", metavar="PYTHON", default=sys.executable, help=f"a Python that has {name}"
        )
    parser.add_argument("--rival-seconds", type=float, metavar="S", help="training of tmu and torchlogix")
    options = parser.parse_args(arguments)
    if options.data is not None and not options.data.is_dir():
        parser.error(f"--data: {options.data} is not a folder")
    for path in options.table or ():
        if not path.is_file():
            parser.error(f"--table: {path} is not a file")
    if options.seeds is not None and options.seeds < 1:
        parser.error("--seeds: must be 1 or more")
    return options
