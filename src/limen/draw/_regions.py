"""A network of two inputs as plain numbers for a picture: what it decides where, and its neurons' lines.

`on_plane` takes what was given as model and returns a `Plane`, which tells the class of any point. Classes are
labels: those of a `limen.Model` or a fitted estimator, else the outputs' own values (0 and 1; −1, 0 and 1;
the number of the largest), put into the words of ``y`` where those differ. A network with several outputs
decides each for itself: its classes are tuples.

`line_within` is the line ``w1 x1 + w2 x2 + b = 0`` inside a rectangle.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limen._door import inputs_array, is_sparse
from limen.draw._source import network_of
from limen.errors import InputError
from limen.network import Network
from limen.step import COUPLED, STEPS, Array

__all__ = ["Plane", "labels_of", "line_within", "on_plane", "points_of"]

LARGEST = 1e300  # of a coordinate: matplotlib still draws it, and no difference overflows
BLOCK = 16_384  # points decided at a time, so that a wide hidden layer needs little memory


@dataclass(frozen=True, slots=True)
class Plane:
    """What a network of two real inputs decides.

    Attributes
    ----------
    network : Network
        With two inputs, its domain widened to the real numbers.
    meanings : sequence of sequences of labels
        For each decision, what its codes 0, 1, … mean.
    one : bool
        Whether the network makes one decision, so that a class is a label and not a tuple of labels.
    """

    network: Network
    meanings: tuple[tuple[Hashable, ...], ...]
    one: bool

    def classes(self, X: Array) -> tuple[list[Hashable], Array]:
        """Return the classes that occur among the points `X`, in a fixed order, and each point's position there."""
        blocks = [_codes(self.network, X[start : start + BLOCK]) for start in range(0, len(X), BLOCK)]
        codes = np.concatenate(blocks)
        first, positions = _distinct_rows(codes)
        found = [
            tuple(meaning[c] for meaning, c in zip(self.meanings, code, strict=True))
            for code in codes[first].tolist()
        ]
        return [label[0] if self.one else label for label in found], positions


def on_plane(model: Any, y: Sequence[Hashable]) -> Plane:
    """Return what `model` decides on the plane, in the labels of `y` where it has none of its own.

    Raises
    ------
    InputError
        `model` doesn't take two inputs, or its classes and the labels of `y` can't be the same.
    """
    network = network_of(model)
    encoding = getattr(model, "encoding", None)
    if encoding is not None:
        network = encoding.network().then(network)
    if network.n_inputs != 2:
        raise InputError(
            f"A plane shows a network of 2 inputs. Received: one of {network.n_inputs}. Draw its diagram, or"
            " learn from two columns."
        )
    network = Network(network.layers, network.inputs, network.outputs, domain="real")
    layer = network.layers[-1]
    one = layer.activation in COUPLED or network.n_outputs == 1
    n_decisions = 1 if one else network.n_outputs
    if any((len(label) if isinstance(label, tuple) else 1) != n_decisions for label in y):
        raise InputError(
            f"y must have a label for each of the network's {n_decisions} decisions: shape (n,) for one,"
            " (n, n_outputs) for several. Received: another number of columns."
        )
    own = _own_meanings(model, network, one)
    if own is not None:
        _require_common(y, own, one)
        return Plane(network, own, one)
    values = _values(network)
    columns = [list(y)] if one else [[label[k] for label in y] for k in range(n_decisions)]  # type: ignore[index]
    return Plane(network, tuple(_matched(values, set(column), network) for column in columns), one)


def _own_meanings(model: Any, network: Network, one: bool) -> tuple[tuple[Hashable, ...], ...] | None:
    """Return the labels a model or an estimator knows, for each decision, or None."""
    labels = getattr(model, "labels", None)
    if labels is not None:
        return (tuple(labels),) if one else tuple(tuple(pair) for pair in labels)
    classes = getattr(model, "classes_", None)
    if classes is None:
        return None
    known = tuple(np.asarray(classes).astype(object).tolist())
    expected = len(_values(network))
    if len(known) != expected:
        return None
    return (known,) if one else (known,) * network.n_outputs


def _values(network: Network) -> tuple[int, ...]:
    """Return the values one decision of the network can have."""
    activation = network.layers[-1].activation
    if activation in COUPLED:
        return tuple(range(network.n_outputs))
    return (-1, 0, 1) if activation == "sign" else (0, 1)


def _codes(network: Network, X: Array) -> Array:
    """Return each decision at each point as a position in `_values`, shape (n, n_decisions)."""
    activation = network.layers[-1].activation
    if activation in COUPLED:
        codes: Array = network.scores(X).argmax(axis=-1)[:, np.newaxis]
    elif activation in STEPS:
        codes = network(X).astype(np.int64) - _values(network)[0]
    else:
        codes = (network.scores(X) >= 0).astype(np.int64)
    return codes


def _distinct_rows(codes: Array) -> tuple[Array, Array]:
    """Return where each distinct row of small codes comes first, and for each row which of them it is."""
    base = int(codes.max()) + 1
    if base ** codes.shape[1] < 2**62:
        # One number for a row: sorting numbers is many times faster than sorting rows.
        codes = codes @ base ** np.arange(codes.shape[1] - 1, -1, -1)
    _, first, positions = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    return first, positions.reshape(-1)


def _matched(values: tuple[int, ...], labels: set[Hashable], network: Network) -> tuple[Hashable, ...]:
    """Return what `values` are called in `labels`."""
    if labels <= set(values):
        return tuple(next((label for label in labels if label == value), value) for value in values)
    if network.layers[-1].activation in COUPLED and labels <= set(network.outputs):
        return network.outputs
    if len(labels) == len(values):
        return tuple(_sorted(labels))
    received = ", ".join(map(repr, _sorted(labels)[:6]))
    raise InputError(
        f"y must hold the values the network decides between ({', '.join(map(str, values))}), or as many labels"
        f" as there are values, which are then taken in sorted order. Received: {received}."
    )


def _require_common(y: Sequence[Hashable], meanings: tuple[tuple[Hashable, ...], ...], one: bool) -> None:
    for k, meaning in enumerate(meanings):
        labels = set(y) if one else {label[k] for label in y}  # type: ignore[index]
        if labels and labels.isdisjoint(meaning):
            raise InputError(
                f"y must hold labels of the model ({', '.join(map(repr, meaning[:6]))})."
                f" Received: {', '.join(map(repr, _sorted(labels)[:6]))}."
            )


def _sorted(labels: set[Hashable]) -> list[Any]:
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))


def points_of(X: Any) -> Array:
    """Return points as float64, shape (n, 2).

    Raises
    ------
    InputError
        Another shape, no point, NaN, infinity or numbers so large that their range isn't a number.
    """
    array = inputs_array(X)
    points: Array = (array.toarray() if is_sparse(array) else array).astype(np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not points.shape[0]:
        raise InputError(f"X must be points of shape (n, 2), at least one. Received: shape {points.shape}.")
    if not (np.abs(points) <= LARGEST).all():  # NaN isn't either
        wrong = points[~(np.abs(points) <= LARGEST)][0]
        raise InputError(f"X must hold finite numbers of at most {LARGEST:g}. Received: {wrong}.")
    return points


def labels_of(y: Any, n: int) -> list[Hashable]:
    """Return labels as plain Python values, rows of a 2-D `y` as tuples.

    Raises
    ------
    InputError
        Not `n` labels, or a missing one.
    """
    array = np.asarray(y.toarray() if is_sparse(y) else y, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or len(array) != n:
        raise InputError(f"y must have a label for each of the {n} points. Received: shape {array.shape}.")
    if any(label is None or label != label for label in array.flat):
        raise InputError("y must hold no missing label. Received: None or NaN.")
    labels = array.tolist()
    return [tuple(row) for row in labels] if array.ndim == 2 else labels


def line_within(w: Array, b: float, low: Array, high: Array) -> Array | None:
    """Return where the line ``w · x + b = 0`` crosses a rectangle.

    Parameters
    ----------
    w : ndarray of shape (2,)
    b : float
    low, high : ndarray of shape (2,)
        Opposite corners.

    Returns
    -------
    ndarray of shape (2, 2), or None
        Both ends, a row each; None if the line misses the rectangle or both weights are 0.

    Examples
    --------
    >>> line_within(np.array([1.0, 1.0]), -1.0, np.zeros(2), np.ones(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    # In the rectangle's own coordinates, both from −1 to 1, so that no scale is lost against the other.
    centre, half = low / 2 + high / 2, high / 2 - low / 2
    w, b = np.asarray(w, dtype=np.float64), float(b)
    scale = max(float(np.abs(w).max()), 1e-300)
    normal = w / scale * half
    offset = b / scale + float(w / scale @ centre)
    length = float(np.hypot(*normal))
    if not w.any() or not np.isfinite(offset) or length == 0:
        return None
    normal, offset = normal / length, offset / length
    foot, along = -offset * normal, np.array([-normal[1], normal[0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = (np.array([[-1.0], [1.0]]) - foot) / along
    parallel = along == 0
    if (np.abs(foot[parallel]) > 1).any():
        return None
    crossings = crossings[:, ~parallel]
    start, end = crossings.min(axis=0).max(), crossings.max(axis=0).min()
    if not end - start > 1e-9:
        return None
    ends = foot + np.array([[start], [end]]) * along
    segment: Array = centre + np.clip(ends, -1, 1) * half
    return segment
