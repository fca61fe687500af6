"""Training as a question with a proof: `train_exactly` finds the network with the fewest mistakes, or bounds on them.

References
----------
R. Toro Icarte, L. Illanes, M. P. Castro, A. A. Cire, S. A. McIlraith and J. C. Beck (2019), "Training binarized neural
networks using MIP and CP", CP. S. B. Thrun et al. (1991), "The MONK's problems", Carnegie Mellon University: tables of
the size that this is for.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from limen._door import is_sparse, require
from limen._solver import has_cp_sat
from limen._text import plural
from limen.answer import Answer
from limen.errors import InputError, MissingExtraError
from limen.learn._exact_training import Decision, Program, Shape, decisions
from limen.learn._limits import deadline, whole_number
from limen.learn._two_classes import Sample, two_classes
from limen.learn.polishing import polish
from limen.learn.separability import fewest_removals
from limen.network import Layer, Network
from limen.step import Array

__all__ = ["train_exactly"]

MOST_HIDDEN = 8
MOST_DECISIONS = 500
STARTS = 50  # networks that are polished before the solver is asked
SHARE = 0.2  # of the time, at most, for these
BOUNDING = 10.0  # seconds, at most, for what no neuron at all can do


def train_exactly(
    X: Any,
    y: Any,
    *,
    hidden: int,
    max_weight: int = 1,
    time_limit: float | None = 60.0,
    random_state: Any = None,
) -> Answer:
    """Return the network of one hidden layer that makes the fewest mistakes on a small table, with proof or bounds.

    Parameters
    ----------
    X : array_like or scipy.sparse matrix of shape (n_rows, n_inputs)
        Zeros and ones.
    y : array_like of shape (n_rows,)
        Labels, two different ones. The network fires for the second, in sorted order.
    hidden : int
        The number of hidden neurons, 1 to 8.
    max_weight : int, default 1
        The largest absolute value of a weight, of hidden neurons and of the output. Thresholds are free.
    time_limit : float or None, default 60.0
        After which the bounds are returned as they are.
    random_state : int, RandomState instance or None
        For the networks that are polished to begin with.

    Returns
    -------
    Answer
        Proved: its network makes the fewest mistakes that any network of this form makes on these rows. Unknown: its
        network is the best that was found. Either way ``bounds`` are the fewest mistakes, at least and at most; the
        second is how many the network makes, counted by running it.

    Raises
    ------
    InputError
        Values other than 0 and 1, labels that don't fit, more or fewer than two classes, an option out of range.
    MissingExtraError
        CP-SAT isn't installed (the extra ``proof``).

    Notes
    -----
    All neurons are heaviside. A bound from below is CP-SAT's word, which counts in whole numbers; there is no certificate
    of it that could be checked without a solver. That no network errs on fewer rows than equal rows of both classes
    make necessary needs no solver, and for one hidden neuron `fewest_removals` has a bound for any weights, which is used.

    This is for tables of some hundred rows and a few hidden neurons: time grows steeply with both, and with
    `max_weight`. More rows: `polish`. One neuron without a limit to its weights: `fewest_removals`.

    What is proved hangs on nothing but the question; which of several best networks is returned hangs on
    `random_state`, and, where time runs out, on the machine.

    Examples
    --------
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> answer = train_exactly(X, y, hidden=2, random_state=0)
    >>> answer
    Answer(proved: A network of 2 hidden neurons with weights up to 1 has every row of 4 right.)
    >>> answer.network(X).ravel().tolist()
    [0, 1, 1, 0]
    >>> train_exactly(X, y, hidden=1, random_state=0).bounds
    (1, 1)
    """
    until = deadline(time_limit)
    n_hidden, most = whole_number(hidden, "hidden", 1, MOST_HIDDEN), whole_number(max_weight, "max_weight", 1)
    sample = two_classes(X, y)
    values = sample.X.data if is_sparse(sample.X) else sample.X
    require((values == 0) | (values == 1), values, "binary")
    found = _decisions(n_hidden, most)
    if not has_cp_sat():
        raise MissingExtraError("ortools", "proof")
    random = check_random_state(random_state)
    rows, resting, firing = _merged(sample)
    lower = int(np.minimum(resting, firing).sum())
    best, upper = _polished(sample, n_hidden, most, lower, random, until)
    if n_hidden == 1 and lower < upper:
        limit = max(0.01, min(BOUNDING, SHARE * (until - time.monotonic())))
        lower = max(lower, fewest_removals(sample.X, sample.fires, time_limit=limit).lower)
    if lower < upper and time.monotonic() < until:
        program = Program(rows, resting, firing, n_hidden, most, found)
        left = None if until == math.inf else until - time.monotonic()
        shape, bound = program.solve(_shape(best), left)
        lower = max(lower, bound)
        if shape is not None:
            network = _network(sample, shape)
            n_mistakes = _mistakes(network, sample)
            if n_mistakes <= upper:
                best, upper = network, n_mistakes
    return _answer(best, sample.n_rows, n_hidden, most, lower, upper)


def _answer(network: Network, n_rows: int, n_hidden: int, most: int, lower: int, upper: int) -> Answer:
    what = f"A network of {plural(n_hidden, 'hidden neuron')} with weights up to {most}"
    if upper == 0:
        return Answer("proved", f"{what} has every row of {n_rows} right.", network=network, bounds=(0, 0))
    errs = f"{what} errs on {upper} of {plural(n_rows, 'row')}"
    if lower >= upper:
        return Answer("proved", f"{errs}, and none errs on fewer.", network=network, bounds=(upper, upper))
    says = f"{errs}; whether one errs on fewer, though on no fewer than {lower}, wasn't decided in time."
    return Answer("unknown", says, network=network, bounds=(lower, upper))


def _merged(sample: Sample) -> tuple[Array, Array, Array]:
    """Return the different rows, and how often each shouldn't fire, and should."""
    dense = sample.X.toarray() if is_sparse(sample.X) else sample.X
    rows, group = np.unique(dense.astype(np.int8), axis=0, return_inverse=True)
    counts = [np.bincount(group.ravel()[sample.fires == side], minlength=len(rows)) for side in (False, True)]
    return rows, counts[0], counts[1]


def _polished(
    sample: Sample, n_hidden: int, most: int, lower: int, random: Any, until: float
) -> tuple[Network, int]:
    """Return the best of some networks that were polished, and its mistakes."""
    side = 2 * int(sample.fires.sum()) >= sample.n_rows
    none = np.zeros((sample.n_features, n_hidden), dtype=np.int64)
    constant = np.full(n_hidden, 0 if side else -1)
    best = _network(sample, Shape(none, constant, np.ones(n_hidden, dtype=np.int64), 1))
    upper = _mistakes(best, sample)
    if until < math.inf:
        until -= (1 - SHARE) * (until - time.monotonic())
    for _ in range(STARTS):
        left = until - time.monotonic()
        if upper == lower or left <= 0:
            break
        start = _network(sample, _random_shape(sample, n_hidden, most, random))
        limit = None if left == math.inf else left
        polished = polish(
            start, sample.X, sample.fires, max_weight=most, time_limit=limit, random_state=random
        )
        n_mistakes = _mistakes(polished, sample)
        if n_mistakes < upper:
            best, upper = polished, n_mistakes
    return best, upper


def _random_shape(sample: Sample, n_hidden: int, most: int, random: Any) -> Shape:
    """Return a network of which each neuron fires in about half of the rows."""
    weights = random.randint(-most, most + 1, (sample.n_features, n_hidden))
    sums = sample.X.astype(np.int64) @ weights
    bias = -np.median(sums, axis=0).astype(np.int64)
    return Shape(weights, bias, np.ones(n_hidden, dtype=np.int64), random.randint(1, n_hidden + 1))


def _network(sample: Sample, shape: Shape) -> Network:
    label = sample.classes[1]
    outputs = [label if isinstance(label, str) and label else "y"]
    hidden = Layer(shape.weights, shape.bias)
    return Network(
        [hidden, Layer(shape.output[:, np.newaxis], np.array([-shape.threshold]))],
        sample.inputs,
        outputs,
        "binary",
    )


def _shape(network: Network) -> Shape:
    hidden, output = network.layers
    return Shape(hidden.dense(), hidden.bias, output.dense()[:, 0], -int(output.bias[0]))


def _mistakes(network: Network, sample: Sample) -> int:
    return int((network(sample.X)[:, 0] != sample.fires).sum())


def _decisions(n_hidden: int, most: int) -> list[tuple[bytes, Decision]]:
    """Return what the output may be, unless it is too much."""
    found = []
    for one in decisions(n_hidden, most):
        found.append(one)
        if len(found) > MOST_DECISIONS:
            raise InputError(
                f"An output of {n_hidden} weights up to {most} can be more than {MOST_DECISIONS} functions, which is more"
                " than a solver can go through. Give fewer hidden neurons or a smaller max_weight."
            )
    return found
