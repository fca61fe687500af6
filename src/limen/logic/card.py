"""A neuron as a *points card*: points for what is so, added up, and a number of points at which it fires.

A weight below 0 becomes points for what is *not* so, so that points are only ever added. Over an encoding, inputs are
questions such as ``age >= 35``, and the card is the whole model.

References
----------
B. Ustun and C. Rudin (2016), "Supersparse linear integer models for optimized medical scoring systems", Machine Learning
102.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from limen import _text
from limen.errors import InputError
from limen.network import Network
from limen.step import Array

__all__ = ["PointsCard", "Score", "points_card"]


@final
@dataclass(frozen=True)
class Score:
    """The rows that reach a number of points.

    Attributes
    ----------
    points, n_rows, n_positive : int
    """

    points: int
    n_rows: int
    n_positive: int

    @property
    def share(self) -> float:
        """The share of positives among the rows."""
        return self.n_positive / self.n_rows


@final
@dataclass(frozen=True)
class PointsCard:
    """What gives points, and how many it takes.

    Parameters
    ----------
    items : tuple of (name, holds, points)
        `points` above 0, given if the input is 1 (`holds` True) or 0 (False); most points first.
    threshold : int
        It fires at so many points.
    output : str
    inputs : tuple of str
        Of the network, in its order.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> net = Network(Layer([[3], [-2], [1]], [-4]), ["age >= 35", "job = cook", "smoker"], ["y"], "binary")
    >>> print(points_card(net))
    3 points if age >= 35
    2 points unless job = cook
    1 point  if smoker
    y at 6 points, which is all of them
    """

    items: tuple[tuple[str, bool, int], ...]
    threshold: int
    output: str
    inputs: tuple[str, ...]

    @property
    def most(self) -> int:
        """The most points there are."""
        return sum(points for _, _, points in self.items)

    def points(self, X: Any) -> Array:
        """Return the points of rows of inputs, shape (n_rows,), int64."""
        rows = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
        if rows.ndim != 2 or rows.shape[1] != len(self.inputs):
            raise InputError(
                f"X must have {len(self.inputs)} columns, one for each input. Received: shape {rows.shape}."
            )
        place = {name: k for k, name in enumerate(self.inputs)}
        total: Array = np.zeros(len(rows), dtype=np.int64)
        for name, holds, points in self.items:
            total += points * ((rows[:, place[name]] == 1) == holds)
        return total

    def scores(self, X: Any, positive: Any) -> tuple[Score, ...]:
        """Return how many rows reach each number of points, and how many of them are positive.

        Parameters
        ----------
        X : array_like of shape (n_rows, n_inputs)
        positive : array_like of bool, shape (n_rows,)
        """
        reached, truth = self.points(X), np.asarray(positive).astype(bool)
        if truth.shape != reached.shape:
            raise InputError(
                f"positive must have shape ({len(reached)},), one for each row. Received: shape {truth.shape}."
            )
        return tuple(
            Score(points, int((reached == points).sum()), int(truth[reached == points].sum()))
            for points in np.unique(reached).tolist()
        )

    def __str__(self) -> str:
        if not self.items:
            return f"{self.output} {'always' if self.threshold <= 0 else 'never'}"
        digits = max(len(f"{points:,}") for _, _, points in self.items)
        noun = 5 + any(points > 1 for _, _, points in self.items)
        lines = [
            f"{points:>{digits},} {'point' if points == 1 else 'points':<{noun}} {'if' if holds else 'unless'} {name}"
            for name, holds, points in self.items
        ]
        need = f"{self.threshold:,} {'point' if self.threshold == 1 else 'points'}"
        if self.threshold == self.most:
            lines.append(f"{self.output} at {need}, which is all of them")
        else:
            lines.append(f"{self.output} at {need} or more, of {self.most:,}")
        return "\n".join(lines)


def points_card(net: Network) -> PointsCard:
    """Return a neuron on binary inputs as a points card.

    Parameters
    ----------
    net : Network
        One heaviside neuron of whole weights, such as `limen.logic.small_integers` returns.

    Raises
    ------
    InputError
        Anything else.
    """
    layer = net.layers[0] if isinstance(net, Network) else None
    if layer is None or net.depth != 1 or net.n_outputs != 1 or layer.activation != "heaviside":
        received = _text.chain(net) if isinstance(net, Network) else type(net).__name__
        raise InputError(f"A points card is made of one heaviside neuron. Received: {received}.")
    if net.domain != "binary" or not layer.is_integer:
        raise InputError(
            "A points card needs whole weights and binary inputs. Received:"
            f" {'float weights' if not layer.is_integer else f'{net.domain} inputs'}. Make weights whole with"
            " logic.small_integers, inputs binary with limen.learn.ThresholdEncoder."
        )
    weights: Sequence[int] = layer.dense()[:, 0].tolist()
    named = [(name, w) for name, w in zip(net.inputs, weights, strict=True) if w]
    items = tuple((name, w > 0, abs(w)) for name, w in sorted(named, key=lambda item: -abs(item[1])))
    threshold = -int(layer.bias[0]) - sum(w for _, w in named if w < 0)
    return PointsCard(items, threshold, net.outputs[0], net.inputs)
