"""Rivals beside scikit-learn that may not be installed: LIBLINEAR, Vowpal Wabbit, River."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.machine import installed

__all__ = ["VOWPAL", "missing", "quiet", "river_rows", "vowpal_seconds"]

ROOT = Path(__file__).parent.parent
# Plain gradient steps on the hinge loss, the nearest to a perceptron and the quickest that it has.
VOWPAL = "--loss_function hinge --sgd -b 18 --holdout_off --quiet"


def missing(package: str) -> str | None:
    """Return a line that says how a package is installed if it isn't, else None."""
    return None if installed(package) else f"not installed: pip install {package}"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what compiled code prints off standard output, which is for results."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def in_process(module: str, *arguments: str) -> Any:
    """Run a module of this package in a fresh process and return what it prints, read as JSON."""
    command = [sys.executable, "-m", f"bench.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def vowpal_seconds(options: str) -> float:
    """Return the seconds in which Vowpal Wabbit, in a fresh process, learns what its options say."""
    return float(in_process("vowpal", options))


def river_rows(X: Any) -> list[dict[int, float]]:
    """Return rows as River takes them: a dict of what isn't 0."""
    return [{int(k): float(row[k]) for k in row.nonzero()[0]} for row in X]


def river_perceptron(several: bool) -> Any:
    """Return River's perceptron, one-vs-rest where there are several classes."""
    from river import linear_model, multiclass

    one = linear_model.Perceptron()
    return multiclass.OneVsRestClassifier(one) if several else one


def river_learns(model: Any, rows: Sequence[dict[int, float]], labels: Sequence[Any]) -> Any:
    """Teach a model of River row by row; return it."""
    for row, label in zip(rows, labels, strict=True):
        model.learn_one(row, label)
    return model
