"""One epoch of 60,000 x 784 float32 and ten outputs, one-vs-rest, beside scikit-learn's Perceptron.

Both sides learn without shuffling and keep the last weights; runs alternate; medians are quoted. Data are MNIST
if a folder with its four idx files is given (pixels / 255), else random sparse images of the same shape. The
averaged, shuffled epoch of limen and one pass of ``X.sum()`` over the same array stand beside it.
"""

from __future__ import annotations

import argparse
import gzip
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import Perceptron as Rival

from limen import __version__
from limen.learn import Perceptron


def images(folder: Path | None, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels as float32 in [0, 1] and labels 0 to 9."""
    if folder is None:
        rng = np.random.default_rng(0)
        prototypes = rng.random((10, 784)) * (rng.random((10, 784)) < 0.3)
        y = rng.integers(0, 10, rows)
        noise = rng.random((rows, 784), dtype=np.float32) * (rng.random((rows, 784)) < 0.2)
        return (0.5 * prototypes[y] + 0.5 * noise).astype(np.float32), y
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8).astype(int)
    return pixels[:rows] / np.float32(255), y[:rows]


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench epoch", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with MNIST's idx files, gzipped")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=5, help="epochs in one timed fit")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    X, y = images(options.data, options.rows)
    epochs = options.epochs
    last = {"solution": "last", "multi_class": "ovr", "shuffle": False, "max_iter": epochs}
    average = {"solution": "average", "multi_class": "ovr", "random_state": 0, "max_iter": epochs}
    work: dict[str, Callable[[], object]] = {
        "limen, last, 1 thread": lambda: Perceptron(**last).fit(X, y),
        "limen, last, 2 threads": lambda: Perceptron(**last, n_jobs=2).fit(X, y),
        "limen, average, shuffled, 1 thread": lambda: Perceptron(**average).fit(X, y),
        "scikit-learn Perceptron, n_jobs=1": lambda: Rival(tol=None, shuffle=False, max_iter=epochs).fit(
            X, y
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for name in list(work)[:3]:
        work[name]()  # compile
    for _ in range(options.runs):
        for name, fit in work.items():
            times[name].append(seconds(fit) / epochs)
    reading = [seconds(X.sum) for _ in range(options.runs)]
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"limen {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}")
    print(
        f"{X.shape[0]:,} x {X.shape[1]} float32, 10 outputs; seconds an epoch, N = {options.runs} alternating fits"
    )
    print(f"{'':38}{'minimum':>9}{'median':>9}{'x rival':>9}")
    rival = statistics.median(times["scikit-learn Perceptron, n_jobs=1"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:38}{min(found):9.4f}{median:9.4f}{rival / median:9.1f}")
    print(f"{'one pass of X.sum()':38}{min(reading):9.4f}{statistics.median(reading):9.4f}")
