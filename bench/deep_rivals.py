"""Rivals of deep networks: scikit-learn's in this process, `tmu` and `torchlogix` each in the Python that has it.

These two can't be installed beside limen: ``tmu`` 0.8.3 needs NumPy below 2, ``torchlogix`` 0.2.2 needs Python 3.12::

    python3.11 -m venv TMU && TMU/bin/pip install tmu==0.8.3 "numpy<2"
    python3.12 -m venv LOGIC && LOGIC/bin/pip install torch==2.13.0 torchlogix==0.2.2

All have the settings that their authors publish or default ones, which every result names. What is given seconds learns for
as long as limen's network did on the same data, whole epochs or steps, if that is shorter than the published training.
"""

from __future__ import annotations

import json
import os
import pickle
import statistics
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from bench.accuracy import columns_for_rivals
from bench.deep_data import Split
from bench.deep_table import Result
from bench.timing import say, seconds

__all__ = [
    "DIFFLOGIC",
    "Bounds",
    "adult_rivals",
    "alone",
    "apart",
    "image_rivals",
    "judged",
    "one_hot",
    "taught",
    "told",
]

ROOT = Path(__file__).parent.parent
SINGLE = 200  # rows that are predicted one at a time
DIFFLOGIC = (
    "not measured: difflogic 0.1.0 is compiled with CUDA while it is installed, and this machine has none (its setup.py ends"
    " with “CUDA_HOME environment variable is not set”). torchlogix, which goes back to it, runs without."
)

# Tsetlin machine: tmu's examples/classification/MNISTDemo.py; for Adult, where it has no example, the best on validation
# rows of five settings from 200 to 2,000 clauses, T from 100 to 1,600, s from 3 to 10. Logic gates: the commands in difflogic's README for Adult and for
# MNIST (small), and torchlogix's own DlgnMnistTiny.
TMU_MNIST = {"clauses": 2000, "T": 5000, "s": 10.0, "max_included_literals": 32, "epochs": 60}
TMU_ADULT = {"clauses": 200, "T": 100, "s": 3.0, "max_included_literals": 32, "epochs": 60}
GATES_MNIST = {
    "gates": 8000,
    "layers": 6,
    "tau": 10.0,
    "learning_rate": 0.01,
    "batch_size": 100,
    "epochs": 333,
}
GATES_TINY = {
    "gates": 1000,
    "layers": 5,
    "tau": 10.0,
    "learning_rate": 0.01,
    "batch_size": 100,
    "epochs": 333,
}
GATES_ADULT = {
    "gates": 256,
    "layers": 5,
    "tau": 20.0,
    "learning_rate": 0.01,
    "batch_size": 100,
    "epochs": 307,
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much rivals are given.

    Parameters
    ----------
    seeds : int
    seconds : float
        Of training, for rivals that are stopped by the clock.
    pythons : mapping of str to str
        Which Python has ``tmu`` and ``torchlogix``.
    """

    seeds: int
    seconds: float
    pythons: Mapping[str, str]


# In this process ----------------------------------------------------------------------------------------------


def judged(
    result: Result, make: Callable[[int], Any], split: Split, seeds: int, fit: Mapping[str, Any] | None = None
) -> Any:
    """Fit a classifier with each seed, note in the result what it is like, and return the last."""
    model = None
    for seed in range(seeds):
        model = make(seed)
        taught(result, model, split, fit)
        say(f"{told(result)}, seed {seed}: {result.accuracy[-1]:.2f} % after {result.fit_seconds[-1]:.1f} s")
    result.row_seconds = alone(model, split.X_test)
    return model


def taught(result: Result, model: Any, split: Split, fit: Mapping[str, Any] | None = None) -> None:
    """Fit one classifier, and note in the result what it is like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that iterations run out is the default's affair
        took, _ = seconds(lambda: model.fit(split.X, split.y, **fit or {}))
    spent, decided = seconds(lambda: model.predict(split.X_test))
    result.accuracy.append(100 * float((decided == split.y_test).mean()))
    result.fit_seconds.append(took)
    epochs = getattr(model[-1] if hasattr(model, "steps") else model, "n_iter_", None)
    if epochs is not None:
        result.epochs.append(float(np.max(epochs)))
    result.batch_seconds = min(spent / len(split.y_test), result.batch_seconds or np.inf)


def told(result: Result) -> str:
    """Return what progress is reported of."""
    return f"{result.data}, {result.name}"


def alone(model: Any, X: Any) -> float:
    """Return the median of the seconds that a row takes by itself."""
    rows = [X.iloc[k : k + 1] if hasattr(X, "iloc") else X[k : k + 1] for k in range(min(SINGLE, X.shape[0]))]
    model.predict(rows[0])
    return statistics.median(seconds(lambda row=row: model.predict(row))[0] for row in rows)


def one_hot(classifier: Any) -> Any:
    """Return a pipeline that takes the tables: categories one-hot, numbers standardised."""
    return make_pipeline(columns_for_rivals(), classifier)


def _categories(table: Any) -> Any:
    """Return a table whose text is what pandas calls categories."""
    text = table.select_dtypes(exclude="number").columns
    return table.astype(dict.fromkeys(text, "category"))


def _scikit(
    group: str, data: str, split: Split, sides: Mapping[str, tuple[str, int, Callable[[int], Any]]]
) -> Iterator[Result]:
    for name, (settings, seeds, make) in sides.items():
        result = Result(group, data, "rival", name, settings)
        result.file_bytes = len(pickle.dumps(judged(result, make, split, seeds)))
        yield result


# Apart --------------------------------------------------------------------------------------------------------


def apart(
    group: str, data: str, split: Split, rival: str, title: str, settings: Mapping[str, Any], bounds: Bounds
) -> Result:
    """Measure ``tmu`` or ``torchlogix`` on rows of zeros and ones, in a process of its own for each seed."""
    result = Result(
        group, data, "rival", title, ", ".join(f"{name} {value}" for name, value in settings.items())
    )
    result.notes.append(f"{bounds.seconds:.0f} s of training at most")
    classes, y = np.unique(split.y, return_inverse=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        np.savez(
            path,
            n_inputs=split.X.shape[1],
            X=np.packbits(split.X, axis=1),
            y=y,
            X_test=np.packbits(split.X_test, axis=1),
            y_test=np.searchsorted(classes, split.y_test),
        )
        for seed in range(bounds.seeds):
            asked = json.dumps({**settings, "seed": seed, "seconds": bounds.seconds})
            try:
                facts = _in_process(bounds.pythons[rival], rival, str(path), asked)
            except (OSError, subprocess.CalledProcessError) as error:
                lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
                result.missing = (
                    f"not measured: {lines[-1]} ({bounds.pythons[rival]}, see bench/deep_rivals.py)"
                )
                say(f"{told(result)}: {result.missing}")
                return result
            for kept in ("accuracy", "fit_seconds", "epochs"):
                getattr(result, kept).append(facts[kept])
            result.packed_bytes, result.row_seconds = facts["packed_bytes"], facts["row_seconds"]
            result.batch_seconds = min(facts["batch_seconds"], result.batch_seconds or np.inf)
            result.measured["versions"] = facts["version"]
            say(f"{told(result)}, seed {seed}: {facts['accuracy']:.2f} % after {facts['fit_seconds']:.1f} s")
    return result


def _in_process(python: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-m", "bench.deep_worker", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONWARNINGS": "ignore",
            "OMP_WAIT_POLICY": "PASSIVE",
        },  # threads that wait must not spin
        capture_output=True,
        text=True,
        check=True,
    )
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


# Groups -------------------------------------------------------------------------------------------------------


def image_rivals(group: str, data: str, bits: Split, bounds: Bounds) -> Iterator[Result]:
    """Measure rivals on images of one bit a pixel."""
    yield from _scikit(
        group,
        data,
        bits,
        {
            "MLPClassifier, 3 × 256, float": (
                "hidden_layer_sizes (256, 256, 256), else defaults",
                bounds.seeds,
                lambda seed: MLPClassifier((256, 256, 256), random_state=seed),
            ),
            "LogisticRegression": ("defaults", 1, lambda seed: LogisticRegression()),
        },
    )
    yield apart(group, data, bits, "tmu", "Tsetlin machine, 2,000 clauses a class", TMU_MNIST, bounds)
    yield apart(group, data, bits, "torchlogix", "logic gates, 6 × 8,000", GATES_MNIST, bounds)
    yield apart(group, data, bits, "torchlogix", "logic gates, 5 × 1,000", GATES_TINY, bounds)
    yield Result(group, data, "rival", "difflogic", missing=DIFFLOGIC)


def adult_rivals(group: str, data: str, table: Split, bits: Split, bounds: Bounds) -> Iterator[Result]:
    """Measure rivals on Adult: scikit-learn's on the table, the others on the inputs that limen's network has."""
    yield from _scikit(
        group,
        data,
        table,
        {
            "LogisticRegression": (
                "one-hot, max_iter 1,000, else defaults",
                1,
                lambda seed: one_hot(LogisticRegression(max_iter=1000)),
            ),
            "MLPClassifier, 100, float": (
                "one-hot, early_stopping, else defaults",
                bounds.seeds,
                lambda seed: one_hot(MLPClassifier(early_stopping=True, random_state=seed)),
            ),
            "HistGradientBoostingClassifier": (
                "categories as they are, else defaults",
                bounds.seeds,
                lambda seed: make_pipeline(
                    FunctionTransformer(_categories),
                    HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=seed),
                ),
            ),
            "GradientBoostingClassifier": (
                "one-hot, defaults",
                bounds.seeds,
                lambda seed: one_hot(GradientBoostingClassifier(random_state=seed)),
            ),
        },
    )
    yield apart(group, data, bits, "tmu", "Tsetlin machine, 200 clauses a class", TMU_ADULT, bounds)
    yield apart(group, data, bits, "torchlogix", "logic gates, 5 × 256", GATES_ADULT, bounds)
    yield Result(group, data, "rival", "difflogic", missing=DIFFLOGIC)
