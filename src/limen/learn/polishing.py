"""Fewer mistakes without gradients: `polish` changes one weight or threshold of a network at a time.

The loss is the true one, the number of mistakes, and every change is judged by what it does to all rows, exactly. That
is affordable because a neuron whose one weight changes gives something else only in the rows near its tie: what turning
it round does there is worked out once for all of its weights, and added up for each of them on bits, 64 rows a word
(`limen.learn._polishing`).

References
----------
T. Grossman, R. Meir and E. Domany (1988), "Learning by choice of internal representations", Complex Systems 2: layers of
threshold neurons that learn without gradients. B. Selman, H. Levesque and D. Mitchell (1992), "A new method for solving
hard satisfiability problems", AAAI: moves that gain nothing lead on from where no move gains.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from limen._door import as_array, inputs_array, is_sparse
from limen._text import article
from limen.errors import InputError, NotExactError
from limen.learn._limits import deadline, whole_number
from limen.learn._polishing import Polishing
from limen.network import Network
from limen.step import Array

__all__ = ["polish"]


def polish(
    network: Network,
    X: Any,
    y: Any,
    *,
    max_weight: int | None = None,
    sample_weight: Any = None,
    sideways: int = 1000,
    max_rounds: int = 100,
    time_limit: float | None = None,
    random_state: Any = None,
    after_round: Callable[[Network], object] | None = None,
) -> Network:
    """Return a network with fewer mistakes, found by changing one weight or threshold at a time.

    It never makes more mistakes than the given one, which is itself returned where none with fewer is found. What it
    does on rows it hasn't seen is another matter: judge it on rows you held out.

    Parameters
    ----------
    network : Network
        Heaviside layers, the last one heaviside or hardmax, with integer weights, on binary inputs.
    X : array_like or scipy.sparse matrix of shape (n_rows, n_inputs)
        Zeros and ones.
    y : array_like of shape (n_rows,) or (n_rows, n_outputs)
        What the outputs should be. For a hardmax layer the number of the neuron that should win; for one heaviside
        output 0 or 1; for several a column of zeros and ones for each. For a fitted classifier `clf` with labels of
        another kind, `clf.network_` takes ``np.searchsorted(clf.classes_, y)``.
    max_weight : int, optional
        The largest absolute value that weights may grow to; by default that of each layer as it is, so that weights of
        ±1 stay ±1 and ternary ones ternary. Thresholds are free.
    sample_weight : array_like of shape (n_rows,), optional
        What a mistake in each row counts.
    sideways : int, default 1000
        How many moves in a row may leave the number of mistakes as it is. With 0 it ends where no single move gains.
    max_rounds : int, default 100
        In a round each neuron has its turn once.
    time_limit : float, optional
        When to stop, at the latest.
    random_state : int, RandomState instance or None
        For the order of the neurons, and which of equally good moves is taken.
    after_round : callable, optional
        Called after each round with the network as it then is: what it keeps, Ctrl-C doesn't take.

    Returns
    -------
    Network
        With the same shape, names and activations.

    Raises
    ------
    InputError
        Rows or labels that don't fit, a layer that isn't heaviside (or hardmax, last), inputs that aren't binary, an
        option out of range.
    NotExactError
        Weights that aren't integers, or sums that could leave int64.

    Notes
    -----
    A move is a step of ±1 of one weight; where all weights of a layer have one absolute value, and none is 0, the sign of
    one weight; and a step of one threshold, as far as a weight's at most
    (and 256). A layer with sparse weights keeps its
    wires: what is 0 there stays 0. For several outputs each wrong output is a mistake.

    A neuron whose turn it is takes its best move as long as one gains, then perhaps one that neither gains nor loses.
    The result hangs on `random_state` alone, unless `time_limit` ends it. Each round is a record at level INFO on the
    logger ``limen``, with ``round``, ``max_rounds`` and ``n_mistakes``.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> start = Network([Layer([[1, 1], [1, -1]], [-1, -1]), Layer([[1], [1]], [-1])], domain="binary")
    >>> start(X).ravel().tolist()
    [0, 1, 1, 1]
    >>> polish(start, X, y, random_state=0)(X).ravel().tolist()
    [0, 1, 1, 0]
    """
    until = deadline(time_limit)
    _require_moves(network)
    rows = inputs_array(X)
    if rows.ndim != 2 or rows.shape[0] == 0:
        raise InputError(f"X must be a table of at least one row. Received: shape {rows.shape}.")
    rows = rows.tocsr() if is_sparse(rows) else rows
    before = network(rows)
    targets = _targets(network, y, rows.shape[0])
    worth = _worth(sample_weight, rows.shape[0])
    limit = None if max_weight is None else whole_number(max_weight, "max_weight", 1)
    budget, most = whole_number(sideways, "sideways", 0), whole_number(max_rounds, "max_rounds", 1)
    polishing = Polishing(network, rows, targets, worth, limit, check_random_state(random_state))
    polishing.run(budget, most, until, after_round)
    better = polishing.network()
    if _loss(network, better(rows), targets, worth) < _loss(network, before, targets, worth):
        return better
    return network


def _require_moves(network: Any) -> None:
    """Refuse what isn't a network that this can change."""
    if not isinstance(network, Network):
        raise InputError(f"network must be a limen.Network. Received: {article(type(network).__name__)}.")
    if network.domain != "binary":
        raise InputError(
            "polish takes a network whose domain is 'binary': inputs 0 and 1, as limen.learn.ThresholdEncoder makes"
            f" them. Received: domain {network.domain!r}."
        )
    for index, layer in enumerate(network.layers):
        is_last = index == network.depth - 1
        if layer.activation == "heaviside" or (is_last and layer.activation == "hardmax"):
            continue
        remedy = (
            " limen.rewrite.split_sign turns hidden ones into heaviside neurons."
            if layer.activation == "sign"
            else ""
        )
        raise InputError(
            "polish takes heaviside layers, of which the last may be hardmax. Received: layer"
            f" {index + 1} is {layer.activation}.{remedy}"
        )
    for index, layer in enumerate(network.layers):
        if not layer.is_integer:
            raise NotExactError(
                f"polish takes integer weights. Received: layer {index + 1} has floats. limen.rewrite.to_integers"
                " gives a network of the same function with integers."
            )


def _targets(network: Network, y: Any, n_rows: int) -> Array:
    """Return the labels as int64 of shape (n_rows, n_targets)."""
    labels = as_array(y, "y", "labels")
    competing = network.layers[-1].activation == "hardmax"
    several = not competing and network.n_outputs > 1
    if labels.ndim == 2 and labels.shape[1] == 1 and not several:
        labels = labels[:, 0]
    wanted = (n_rows, network.n_outputs) if several else (n_rows,)
    if labels.shape != wanted:
        raise InputError(
            f"y must have shape {wanted}, for so many rows of X. Received: shape {labels.shape}."
        )
    if labels.dtype.kind not in "buif":
        raise InputError(
            "y must hold what the outputs should be, as whole numbers; labels of a classifier become them by"
            f" np.searchsorted(clf.classes_, y). Received: dtype {labels.dtype}."
        )
    most = network.n_outputs - 1 if competing else 1
    wrong = (
        labels[~((labels >= 0) & (labels <= most) & (labels == np.rint(labels)))]
        if labels.dtype.kind != "b"
        else labels[:0]
    )
    if len(wrong):
        expected = f"class numbers from 0 to {most}" if competing else "zeros and ones"
        raise InputError(f"y must hold {expected} for this network. Received: {wrong[0]}.")
    return labels.astype(np.int64).reshape(n_rows, -1)


def _worth(sample_weight: Any, n_rows: int) -> Array:
    if sample_weight is None:
        return np.ones(n_rows)
    worth = as_array(sample_weight, "sample_weight")
    if worth.shape != (n_rows,) or worth.dtype.kind not in "buif":
        raise InputError(
            f"sample_weight must have shape ({n_rows},), a number for each row. Received: shape {worth.shape},"
            f" dtype {worth.dtype}."
        )
    worth = worth.astype(np.float64)
    if not (np.isfinite(worth).all() and (worth >= 0).all() and np.isfinite(worth.sum())):
        raise InputError("sample_weight must hold finite numbers that aren't negative. Received: others.")
    return worth


def _loss(network: Network, outputs: Array, targets: Array, worth: Array) -> float:
    """Return what the mistakes count, its sum rounded once."""
    if network.layers[-1].activation == "hardmax":
        wrong: Array = outputs.argmax(axis=1) != targets[:, 0]
    else:
        wrong = (outputs != targets).sum(axis=1)
    return math.fsum((wrong * worth).tolist())
