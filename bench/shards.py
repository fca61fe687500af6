"""What it costs to learn in shards: epochs and accuracy of iterative parameter mixing, and of averaging once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from bench.data import images
from bench.held_out import a9a
from bench.report import Table
from bench.settings import Settings
from limen.learn import Perceptron, ShardState, mix, shard_epoch

__all__ = ["shards"]

EPOCHS = 10
SHARDS = (1, 2, 8, 64)


def shards(settings: Settings) -> list[Table]:
    """Compare test accuracy after 1, 3 and 10 epochs, S shards mixed every epoch, and each alone, mixed once."""
    data = images(settings)
    sets: dict[str, Any] = {data.source: (data.scaled, data.y, data.scaled_test, data.y_test)}
    adult = a9a(settings)
    if adult is not None:
        sets["a9a"] = adult
    cells = []
    for name, (X, y, X_test, y_test) in sets.items():
        for n_shards in SHARDS:
            found = [_mixed(n_shards, epochs, X, y, X_test, y_test) for epochs in (1, 3, EPOCHS)]
            once = _once(n_shards, X, y, X_test, y_test)
            cells.append((f"{name}, S = {n_shards}", *(f"{100 * score:.2f}" for score in (*found, once))))
    columns = ("test accuracy, %", "1 epoch", "3 epochs", f"{EPOCHS} epochs", f"alone {EPOCHS}, mixed once")
    notes = [
        "Last weights, neurons compete, shuffled. Mixed once: each shard learns alone, then the weights are averaged."
    ]
    return [Table("shards", "12", "Many shards, one model", columns, cells, notes)]


def _mixed(n_shards: int, epochs: int, X: Any, y: Any, X_test: Any, y_test: Any) -> float:
    model = Perceptron(solution="last", shards=n_shards, max_iter=epochs, random_state=0, n_jobs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(model.fit(X, y).score(X_test, y_test))


def _once(n_shards: int, X: Any, y: Any, X_test: Any, y_test: Any) -> float:
    classes = np.unique(y)
    parts = np.array_split(np.random.default_rng(0).permutation(len(y)), n_shards)
    states = []
    for part in parts:
        rows, labels = X[part], y[part]
        state = ShardState.zero(X.shape[1], classes, average=False)
        for epoch in range(EPOCHS):
            state, mistakes = shard_epoch(state, rows, labels, random_state=epoch)
            if mistakes == 0:
                break
        states.append(state)
    outputs = mix(states).network()(X_test)
    decided = outputs.argmax(axis=1) if len(classes) > 2 else outputs[:, 0]
    return float((classes[decided] == y_test).mean())
