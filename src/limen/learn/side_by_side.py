"""A Keras model and the network made of it, side by side on some rows: `disagreements`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from limen._text import plural
from limen.errors import InputError
from limen.learn._keras_door import keras
from limen.network import Network
from limen.step import Array

__all__ = ["Disagreements", "disagreements"]


@final
@dataclass(frozen=True, eq=False)
class Disagreements:
    """Rows on which a Keras model and a network decide differently, and why.

    Parameters
    ----------
    n_rows : int
        Rows looked at.
    ties : ndarray of int64
        Rows where the network's whole scores of the two classes (or the net input and 0) are equal, so that the model's
        rounding decided what is decided by order.
    rounded : ndarray of int64
        Rows where the model's own two scores are equal, although the whole ones aren't: rounding lost the difference.
    unexplained : ndarray of int64
        All others. None, if the network was proved.
    """

    n_rows: int
    ties: Array
    rounded: Array
    unexplained: Array

    def __len__(self) -> int:
        return len(self.ties) + len(self.rounded) + len(self.unexplained)

    def __str__(self) -> str:
        if not len(self):
            return f"Model and network decide alike on all {plural(self.n_rows, 'row')}."
        return (
            f"Model and network differ on {len(self)} of {plural(self.n_rows, 'row')}: {len(self.ties)} exact ties,"
            f" {len(self.rounded)} that the model rounds together, {len(self.unexplained)} unexplained."
        )


def disagreements(model: Any, network: Network, X: Any, *, batch_size: int = 1024) -> Disagreements:
    """Compare what a Keras model and a network decide, row by row.

    Parameters
    ----------
    model : keras.Model
        Its last layer gives scores (or probabilities), of which the largest wins; one output fires from 0 on (from one half,
        if it is a sigmoid).
    network : Network
        Ends in hardmax, or in one heaviside neuron.
    X : ndarray of shape (n_rows, n_inputs)
        For both.
    batch_size : int
        Rows predicted at a time.

    Returns
    -------
    Disagreements
        Each row in question is computed anew in whole numbers.

    Raises
    ------
    InputError
        A network that doesn't make one decision, or outputs that don't fit.

    Examples
    --------
    >>> from limen.learn import network_from
    >>> from limen.learn.keras import ThresholdDense
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(2.0, -1.0), ThresholdDense(2)])
    >>> print(disagreements(model, network_from(model), np.eye(3, dtype="uint8")))
    Model and network decide alike on all 3 rows.
    """
    last = network.layers[-1].activation
    if last != "hardmax" and (last != "heaviside" or network.n_outputs > 1):
        raise InputError(
            "network must make one decision: end in hardmax, or in one heaviside neuron."
            f" Received: {network.n_outputs} outputs, {last}."
        )
    X = np.asarray(X)
    given = np.asarray(model.predict(X, batch_size=batch_size, verbose=0)).reshape(len(X), -1)
    if given.shape[1] != network.n_outputs:
        raise InputError(
            f"model must have the network's {network.n_outputs} outputs. Received: {given.shape[1]}."
        )
    if last == "heaviside":
        half = 0.5 if _is_sigmoid(model) else 0.0
        given = np.concatenate([np.full_like(given, half), given], axis=1)  # firing wins from a tie on
        theirs, ours = given[:, 1] >= given[:, 0], network(X)[:, 0] == 1
    else:
        theirs, ours = given.argmax(axis=1), network(X).argmax(axis=1)
    differ = np.flatnonzero(theirs != ours)
    scores = network.scores(X[differ]) if len(differ) else np.zeros((0, given.shape[1]), dtype=np.int64)
    if last == "heaviside" and len(differ):
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    rows = np.arange(len(differ))
    a, b = theirs[differ].astype(np.int64), ours[differ].astype(np.int64)
    tie = scores[rows, a] == scores[rows, b]
    equal = given[differ, a] == given[differ, b]
    return Disagreements(len(X), differ[tie], differ[equal & ~tie], differ[~equal & ~tie])


def _is_sigmoid(model: Any) -> bool:
    activation = getattr(model.layers[-1], "activation", None)
    return activation is keras.activations.sigmoid
