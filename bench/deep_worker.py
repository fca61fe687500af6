"""Rivals that need an environment of their own: learn from a file of bits, judge, and print one line of JSON.

``PYTHON -m bench.deep_worker NAME FILE SETTINGS`` needs NumPy and the rival, not limen. The file holds the rows of both
splits, packed, with classes from 0 on. A rival learns for as many epochs or seconds as SETTINGS, a JSON object, say,
whichever end first.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from itertools import pairwise
from typing import Any

import numpy as np

SINGLE = 50  # rows that are predicted one at a time


def main() -> None:
    """Measure one rival with one seed."""
    name, path, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    with np.load(path) as found:
        n_inputs = int(found["n_inputs"])
        X, X_test = (np.unpackbits(found[part], axis=1, count=n_inputs) for part in ("X", "X_test"))
        y, y_test = found["y"], found["y_test"]
    predict, facts = RIVALS[name](X, y, settings)
    start = time.perf_counter()
    decided = predict(X_test)
    batch = (time.perf_counter() - start) / len(X_test)
    singles = []
    for k in range(min(SINGLE, len(X_test))):
        start = time.perf_counter()
        predict(X_test[k : k + 1])
        singles.append(time.perf_counter() - start)
    accuracy = 100 * float((decided == y_test).mean())
    told = {
        "accuracy": accuracy,
        "batch_seconds": batch,
        "row_seconds": statistics.median(singles),
    }
    print(json.dumps(told | facts))


Predict = Callable[[Any], Any]


def tsetlin(X: Any, y: Any, settings: Mapping[str, Any]) -> tuple[Predict, dict[str, Any]]:
    """Teach a Tsetlin machine of ``tmu``: conjunctions of inputs and negated inputs that vote."""
    from tmu.models.classification.vanilla_classifier import TMClassifier

    machine = TMClassifier(
        settings["clauses"],
        settings["T"],
        settings["s"],
        max_included_literals=settings["max_included_literals"],
        weighted_clauses=True,
        platform="CPU",
        seed=settings["seed"] + 1,
    )
    X, y = X.astype(np.uint32), y.astype(np.uint32)
    start, epochs = time.perf_counter(), 0
    while epochs < settings["epochs"] and time.perf_counter() - start < settings["seconds"]:
        machine.fit(X, y)
        epochs += 1
    took = time.perf_counter() - start
    n_classes, n_literals = int(y.max()) + 1, 2 * X.shape[1]
    size = n_classes * settings["clauses"] * (n_literals / 8 + 4)  # which literals, and a weight
    return lambda rows: machine.predict(rows.astype(np.uint32)), {
        "fit_seconds": took,
        "epochs": epochs,
        "packed_bytes": math.ceil(size),
        "version": f"tmu {metadata.version('tmu')}",
    }


def logic_gates(X: Any, y: Any, settings: Mapping[str, Any]) -> tuple[Predict, dict[str, Any]]:
    """Teach a network of logic gates of ``torchlogix``: each takes two values of the layer before, at random."""
    import torch
    from torchlogix.layers import GroupSum, LogicDense

    torch.manual_seed(settings["seed"])
    width, depth, batch = settings["gates"], settings["layers"], settings["batch_size"]
    n_classes = int(y.max()) + 1
    sizes = [X.shape[1]] + [width] * depth
    layers = [LogicDense(sizes[k], sizes[k + 1], parametrization="raw") for k in range(depth)]
    model = torch.nn.Sequential(*layers, GroupSum(n_classes, settings["tau"]))
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["learning_rate"])
    rows, labels = torch.tensor(X), torch.tensor(y, dtype=torch.int64)
    start, steps = time.perf_counter(), 0
    while steps * batch < settings["epochs"] * len(y) and time.perf_counter() - start < settings["seconds"]:
        if steps * batch % len(y) < batch:
            order = torch.randperm(len(y))
        first = steps * batch % len(y)
        chosen = order[first : first + batch]
        loss = torch.nn.functional.cross_entropy(model(rows[chosen].float()), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    took = time.perf_counter() - start
    model.eval()  # from now on every gate is the likeliest of the sixteen

    def predict(bits: Any) -> Any:
        with torch.no_grad():
            blocks = [bits[k : k + 500] for k in range(0, len(bits), 500)]
            return np.concatenate([model(torch.tensor(b).float()).argmax(1).numpy() for b in blocks])

    size = sum(n * (4 + 2 * math.ceil(math.log2(before))) for before, n in pairwise(sizes))
    return predict, {
        "fit_seconds": took,
        "epochs": round(steps * batch / len(y), 2),
        "packed_bytes": math.ceil(size / 8),
        "version": f"torchlogix {metadata.version('torchlogix')}, torch {torch.__version__}",
    }


RIVALS = {"tmu": tsetlin, "torchlogix": logic_gates}

if __name__ == "__main__":
    main()
