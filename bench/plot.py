"""Time per epoch against outputs and against rows, log-log, limen beside scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.data import images
from bench.fits import bare, bare_rival, epoch
from bench.settings import Settings
from bench.timing import alternate

__all__ = ["plot"]

EPOCHS = 5  # the same on all sides: what surrounds the epochs of a fit is shared out among them


def plot(settings: Settings, path: Path) -> dict[str, Any]:
    """Measure, draw, and return the points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    data = images(settings)
    X = data.scaled
    rng = np.random.default_rng(0)
    hidden = X @ rng.standard_normal((X.shape[1], max(settings.sizes.outputs)), dtype=np.float32)
    Y = (hidden > np.quantile(hidden, 0.9, axis=0)).astype(int)
    few = X[: min(len(X), 10_000)]
    panels = {
        f"outputs, one in ten rows each, {len(few):,} rows": {
            n: (few, Y[: len(few), :n] if n > 1 else Y[: len(few), 0]) for n in settings.sizes.outputs
        },
        "rows, 10 classes": {n: (X[:n], data.y[:n]) for n in settings.sizes.rows if n <= len(X)},
    }
    points: dict[str, Any] = {}
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4.2), constrained_layout=True)
    for axis, (title, works) in zip(axes, panels.items(), strict=True):
        lines: dict[str, list[float]] = {"limen, 1 thread": [], "limen, 2 threads": [], "scikit-learn": []}
        for rows, y in works.values():
            times = _times(rows, y)
            for name, value in times.items():
                lines[name].append(value)
        for (name, values), style in zip(lines.items(), ("o-", "s--", "^-"), strict=True):
            axis.plot(list(works), [1000 * value for value in values], style, label=name)
        axis.set(xscale="log", yscale="log", xlabel=f"number of {title}", ylabel="ms per epoch")
        axis.set_xticks(list(works), [f"{n:,}" for n in works])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        points[title] = {"x": list(works), **lines}
    axes[0].legend()
    figure.suptitle(f"One epoch of a perceptron, {X.shape[1]} columns of float32 ({data.source})")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return points


def _times(X: Any, y: Any) -> dict[str, float]:
    from sklearn.multiclass import OneVsRestClassifier

    several = np.ndim(y) == 2

    def rival() -> Any:
        return OneVsRestClassifier(bare_rival(EPOCHS)) if several else bare_rival(EPOCHS)

    works = {
        "limen, 1 thread": epoch(lambda: bare(EPOCHS), X, y),
        "limen, 2 threads": epoch(lambda: bare(EPOCHS, n_jobs=2), X, y),
        "scikit-learn": epoch(rival, X, y, slow=True),
    }
    return {name: float(np.median(times)) for name, times in alternate(works, 3, budget=3, least=1).items()}
