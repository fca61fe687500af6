"""Held-out accuracy on the example tables, beside scikit-learn's Perceptron and LogisticRegression.

For each table and each of five seeds, a quarter of the rows is held out, the same for all sides. limen stands
twice: as ``limen fit`` learns (its own 0/1 inputs), and as a Perceptron on the columns the rivals get:
categories one-hot, numbers standardised, a missing number replaced by the median with a column saying so. All
sides have their default parameters.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Perceptron as Rival
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from limen import __version__, table
from limen.learn import Perceptron, ThresholdEncoder
from limen.learn.split import split_rows

TABLES = {"breast_cancer": "diagnosis", "iris": "species", "adult": "income", "recurrence": "class"}
EXAMPLES = Path(__file__).parent.parent / "examples"


def columns_for_rivals() -> Any:
    """Return the transformer that gives one-hot and standardised columns."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )


def sides(seed: int) -> dict[str, Any]:
    """Return what is compared, unfitted."""
    return {
        "limen fit": make_pipeline(ThresholdEncoder(), Perceptron(random_state=seed)),
        "limen, same columns": make_pipeline(columns_for_rivals(), Perceptron(random_state=seed)),
        "scikit-learn Perceptron": make_pipeline(columns_for_rivals(), Rival(random_state=seed)),
        "LogisticRegression": make_pipeline(columns_for_rivals(), LogisticRegression(max_iter=1000)),
    }


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench accuracy", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    names = list(sides(0))
    print(
        f"limen {__version__}, scikit-learn {sklearn.__version__}; accuracy in %, mean ± sd of {options.seeds} seeds"
    )
    print(f"{'':16}{'majority':>12}" + "".join(f"{name:>26}" for name in names))
    for name, target in TABLES.items():
        frame = table.read(EXAMPLES / f"{name}.csv").to_pandas()
        y, X = frame.pop(target).to_numpy(), frame
        found: dict[str, list[float]] = {side: [] for side in ("majority", *names)}
        for seed in range(options.seeds):
            training, test = split_rows(y, 0.25, random_state=seed)
            values, counts = np.unique(y[training], return_counts=True)
            found["majority"].append(float((y[test] == values[counts.argmax()]).mean()))
            for side, pipeline in sides(seed).items():
                pipeline.fit(X.iloc[training], y[training])
                found[side].append(pipeline.score(X.iloc[test], y[test]))
        cells = [f"{100 * np.mean(v):.1f} ± {100 * np.std(v, ddof=1):.1f}" for v in found.values()]
        print(f"{name:16}{cells[0]:>12}" + "".join(f"{cell:>26}" for cell in cells[1:]), flush=True)
