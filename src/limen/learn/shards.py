"""Many shards, one model: epochs over parts of the rows, each where they lie, and the mean of what they learned.

`shard_epoch` teaches one shard of the rows, from a state, for one epoch; `mix` turns the states of all shards
into one, from which the next epoch starts. Both are pure functions from values to values: a state goes to other
processes and machines and comes back as bytes. `limen.learn.Perceptron` with ``shards=S`` runs the same two in
threads.

This is iterative parameter mixing. On data that are linearly separable with margin γ and radius R, the mistakes of
all shards in all epochs, each multiplied by its shard's share in the mix, are at most ``(R/γ)²``, whatever the
shards and the shares: with equal shares, at most S times the bound of one perceptron, made by S shards at once
(McDonald, Hall and Mann 2010, theorem 3). So there is an epoch in which no shard makes a mistake; without a penalty or a
passive-aggressive rule no weight changes in it, so the mixed weights separate all rows. Mixing once, at the end of training, has no such guarantee (theorem 2).

References
----------
R. McDonald, K. Hall and G. Mann (2010), "Distributed training strategies for the structured perceptron", NAACL HLT,
section 4.2 and figure 3. Theirs keeps the mixed weights; the mean of the weights after every step, of all shards,
follows Y. Freund and R. E. Schapire (1999), "Large margin classification using the perceptron algorithm", Machine
Learning 37.

Examples
--------
Two shards of the rows of an AND gate, until neither makes a mistake:

>>> shards = [([[0, 0], [0, 1]], [0, 0]), ([[1, 0], [1, 1]], [0, 1])]
>>> state, n_mistakes = ShardState.zero(2, classes=[0, 1]), 1
>>> while n_mistakes:
...     taught = [shard_epoch(state, X, y) for X, y in shards]
...     state, n_mistakes = mix([new for new, _ in taught]), sum(n for _, n in taught)
>>> state.network("last")([[0, 0], [0, 1], [1, 0], [1, 1]])[:, 0]
array([0, 0, 0, 1], dtype=int8)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_X_y

from limen._door import as_array
from limen.errors import InputError
from limen.learn._mixing import competes, mixed, taught
from limen.learn._rows import rows
from limen.learn._targets import Targets, targets
from limen.learn._training import Lesson
from limen.learn.shard_state import SETTINGS, ShardState, plain_labels, same
from limen.step import Array

__all__ = ["ShardState", "mix", "shard_epoch"]


# One epoch over one shard ---------------------------------------------------------------------------------------


def shard_epoch(
    state: ShardState, X: Any, y: Any, *, sample_weight: Any = None, random_state: Any = None
) -> tuple[ShardState, int]:
    """Teach one shard for one epoch, from the weights of a state.

    Parameters
    ----------
    state : ShardState
        It isn't changed.
    X : array_like or sparse matrix of shape (n_rows, n_features)
        The rows of the shard.
    y : array_like of shape (n_rows,) or (n_rows, n_outputs)
        Their labels, of those in ``state.classes``, not all of which need to be there; zeros and ones for
        several outputs.
    sample_weight : array_like of shape (n_rows,), optional
        Factor on the updates of each row, not negative. A row of weight 0 isn't seen.
    random_state : int, RandomState or None, default=None
        What the order of the rows is drawn from. None visits them as they come, so that nothing here is
        random; give each epoch a seed of its own to have an order of its own.

    Returns
    -------
    state : ShardState
        After the last step, with the sums of these steps added to those of the shard.
    n_mistakes : int
        Mistakes in this epoch, summed over outputs, as `Perceptron` counts them.

    Raises
    ------
    ValueError
        Bad input: another number of features or outputs, unknown labels, numbers that aren't finite.
    TrainingError
        Numbers overflowed.

    Examples
    --------
    >>> before = ShardState.zero(1, classes=[0, 1])
    >>> after, n_mistakes = shard_epoch(before, [[-1], [2]], [0, 1])
    >>> after.weights, n_mistakes
    (array([[1.]]), 1)
    >>> after, n_mistakes = shard_epoch(after, [[-1], [2]], [0, 1])
    >>> n_mistakes
    0
    """
    if not isinstance(state, ShardState):
        raise InputError(f"state must be a ShardState. Received: {type(state).__name__}.")
    X, y = check_X_y(X, y, accept_sparse=("csr", "csc"), dtype="numeric", multi_output=True)
    if X.shape[1] != state.n_features:
        raise InputError(
            f"X must have the {state.n_features} features of the state. Received: {X.shape[1]}. Every shard needs"
            " the same columns in the same order."
        )
    target = _targets(state, y)
    weight = np.ones(X.shape[0])
    if sample_weight is not None:
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    order = np.flatnonzero(weight > 0)
    if random_state is not None:
        order = check_random_state(random_state).permutation(order)
    signs = target.codes if competes(state) else target.signs()
    lesson = Lesson(rows(X), signs, weight, np.ones((state.n_outputs, 2)))
    new, n_mistakes, _ = taught(state, lesson, order)
    return new, n_mistakes


def _targets(state: ShardState, y: Any) -> Targets:
    """Return the labels of a shard as positions in the classes of the state."""
    if state.kind == "multioutput":
        target = targets(y)
        if target.kind != "multioutput" or target.n_outputs != state.n_outputs:
            raise InputError(
                f"y must be of shape (n_rows, {state.n_outputs}), as the state has so many outputs."
                f" Received: shape {np.shape(y)}."
            )
        return target
    if np.ndim(y) == 2 and np.shape(y)[1] != 1:
        raise InputError(
            f"y must be of shape (n_rows,), as the state has one output of {len(state.classes)} classes."
            f" Received: shape {np.shape(y)}."
        )
    if not hasattr(y, "tocsr"):
        y = plain_labels(np.asarray(y))
        if (y.dtype.kind == "U") != (state.classes.dtype.kind == "U"):
            raise InputError(
                f"y must hold the classes of the state, {state.classes.tolist()}. Received: labels of dtype {y.dtype}."
            )
    return targets(y, state.classes)


# Mixing ---------------------------------------------------------------------------------------------------------


def mix(states: Iterable[ShardState], weights: Any = None) -> ShardState:
    """Return the one state that the states of all shards make.

    Weights and biases are the mean of those of the shards. Sums are added: with ``N`` steps before the state all
    shards started from, and ``n`` of a shard since, the result has ``N + Σn`` steps and the sums of just these, so its
    averaged weights are the mean over all steps of all shards, each counted once.

    Parameters
    ----------
    states : iterable of ShardState
        One for each shard, all of them made by `shard_epoch` from one state; a shard may have done several epochs.
        They aren't changed.
    weights : array_like of shape (n_states,), optional
        The share of each shard in the mean, not negative, not all zero; they are divided by their sum. Equal by
        default. The numbers of mistakes of the shards are another choice (McDonald et al. 2010, section 4.2).
        Sums aren't weighted.

    Returns
    -------
    ShardState
        In whose steps and sums nothing is told from what came before: mix all shards in one call.

    Raises
    ------
    InputError
        No states; states with other features, classes or settings, or that didn't start from one state; weights
        that are negative, not finite, all zero or too many.
    TrainingError
        Numbers overflowed.

    Notes
    -----
    Weights in which all shards agree are kept to the bit, so an epoch without a change changes nothing.

    Examples
    --------
    >>> start = ShardState.zero(2, classes=[0, 1])
    >>> a, _ = shard_epoch(start, [[4, 0]], [1])
    >>> b, _ = shard_epoch(start, [[0, 4]], [1])
    >>> mix([a, b]).weights, mix([a, b], [3, 1]).weights
    (array([[2., 2.]]), array([[3., 1.]]))
    """
    states = [states] if isinstance(states, ShardState) else list(states)
    if not states:
        raise InputError("states must hold at least one ShardState. Received: none.")
    for k, state in enumerate(states):
        if not isinstance(state, ShardState):
            raise InputError(f"states must hold ShardState objects. Received: {type(state).__name__} at {k}.")
        _check_alike(states[0], state, k)
    return mixed(states, _shares(weights, len(states)))


def _check_alike(first: ShardState, state: ShardState, k: int) -> None:
    """Refuse a state that can't be mixed with the first."""

    def differs(what: str, expected: Any, received: Any, remedy: str) -> InputError:
        return InputError(
            f"States to be mixed must have the same {what}. Received: {expected} in state 0, {received} in"
            f" state {k}. {remedy}"
        )

    begin = "Begin all shards with one state."
    if first.weights.shape != state.weights.shape:
        raise differs("(n_outputs, n_features)", first.weights.shape, state.weights.shape, begin)
    if first.classes.dtype.kind != state.classes.dtype.kind or not same(first.classes, state.classes):
        raise differs("classes", first.classes.tolist(), state.classes.tolist(), begin)
    for name in SETTINGS:
        if getattr(first, name) != getattr(state, name):
            raise differs(name, repr(getattr(first, name)), repr(getattr(state, name)), begin)
    if (first.total is None) != (state.total is None):
        keeps = ["no sums" if s.total is None else "sums" for s in (first, state)]
        raise differs("averaging", keeps[0], keeps[1], begin)
    if first.n_steps != state.n_steps:
        remedy = (
            "Mix the states of all shards in one call, and start each from the state that mix returned last."
        )
        raise differs(
            "n_steps, that of the state they all started from", first.n_steps, state.n_steps, remedy
        )
    if not (same(first.total, state.total) and same(first.total_bias, state.total_bias)):
        remedy = "Start every shard from the state that mix returned last."
        raise differs("total, that of the state they all started from", "one", "another", remedy)


def _shares(weights: Any, n: int) -> Array:
    """Return the shares of n states: numbers that sum to 1."""
    if weights is None:
        return np.full(n, 1 / n)
    given = as_array(weights, "weights", "numbers")
    if given.shape != (n,) or given.dtype.kind not in "buif":
        raise InputError(
            f"weights must be {n} numbers, one for each state. Received: shape {given.shape}, dtype {given.dtype}."
        )
    given = given.astype(np.float64)
    if not (np.isfinite(given).all() and (given >= 0).all() and given.any()):
        raise InputError(
            "weights must be finite numbers that aren't negative, at least one of them above 0."
            f" Received: {given.tolist()}. For equal shares give None."
        )
    given = given / given.max()  # so that their sum is finite, and none is lost in it
    return np.asarray(given / given.sum())
