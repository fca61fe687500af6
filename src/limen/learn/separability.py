"""Can one neuron separate the two classes of a table? `separable` answers, and proves its answer.

==================  ==========================================================================================
`separable`         a neuron that errs on no row, or few rows that show that there is none
`fewest_removals`   the fewest rows to leave out so that there is one
`Removal`           what that returns: bounds that are proved, and what proves them
==================  ==========================================================================================

Rows are taken as the numbers they are: nothing is rounded where that could matter.

References
----------
F. Rosenblatt (1958), "The perceptron", Psychological Review 65(6), for what is tried first. P. Kirchberger (1903),
"Über Tchebychefsche Annäherungsmethoden", Mathematische Annalen 57, for the number of rows in a certificate.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from limen._text import plural
from limen.answer import Answer, Certificate
from limen.errors import InputError, NotExactError
from limen.learn._removal import Removing, grouped
from limen.learn._separation import Core, Neuron, Search
from limen.learn._two_classes import Sample, two_classes
from limen.learn.perceptron import Perceptron
from limen.network import Layer, Network
from limen.step import Array

__all__ = ["Removal", "fewest_removals", "separable"]

EPOCHS = (1, 2, 4, 8, 16, 32)  # of the perceptron, between two looks at the clock
HOPELESS = 0.2  # the share of mistakes at which more epochs aren't tried
BITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # of whole weights that stand for floats
EVEN = 1000.0  # whole numbers of columns whose scales differ by less are learned from as they are


def separable(X: Any, y: Any, *, time_limit: float | None = None) -> Answer:
    """Tell whether one neuron can separate the two classes of a table.

    Parameters
    ----------
    X : array_like or scipy.sparse matrix of shape (n_rows, n_features)
        Booleans, integers or finite floats.
    y : array_like of shape (n_rows,)
        Labels, two different ones. The neuron fires for the second, in sorted order.
    time_limit : float, optional
        Seconds after which the answer may be unknown.

    Returns
    -------
    Answer
        If proved, its network is a neuron that errs on no row: one of many, not the one with the widest margin. If
        refuted, its certificate has at most n_features + 2 rows, and there is none without each of them.

    Raises
    ------
    InputError
        No row, NaN or infinity, labels that don't fit, more or fewer than two classes.

    Notes
    -----
    A row that is in both classes is a certificate already. Otherwise a perceptron learns for a few epochs. If it still
    errs, linear programs over few rows find the neuron, or the rows that stand in each other's way; these are then
    counted in whole numbers. A neuron is judged by `Network.__call__` and, where rounding could matter, exactly. Should
    no weights in float64 separate rows that are separable, the answer is proved and has no network.

    Examples
    --------
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> print(separable(X, [0, 0, 0, 1]).network)
    Network: 2 inputs → 1 heaviside
    y fires when x1 + x2 ≥ 2
    >>> answer = separable(X, [0, 1, 1, 0])
    >>> print(answer)
    No neuron separates 0 from 1: 4 of the 4 rows show it.
             x1 x2
    fires     0  1
    fires     1  0
    sum       1  1
    doesn't   0  0
    doesn't   1  1
    sum       1  1
    >>> answer.certificate.check()
    True
    """
    sample = two_classes(X, y)
    deadline = _deadline(time_limit)
    twice = sample.contradiction()
    if twice is not None:
        return _answer(sample, Core(np.array(twice), (1, 1)))
    return _answer(sample, _decide(sample, deadline))


@final
@dataclass(frozen=True, eq=False, repr=False)
class Removal:
    """The fewest rows to leave out so that one neuron separates the others, between two bounds.

    Parameters
    ----------
    lower : int
        No fewer rows are enough.
    upper : int
        So many are.
    rows : tuple of int
        The `upper` rows, by position in the data.
    network : Network or None
        A neuron that errs on no other row; None where no weights in float64 were found that do that.
    certificates : tuple of Certificate
        One row of each has to go, so as few rows as are in all of them are `lower`. A row stands there for all equal
        rows of its class.

    Examples
    --------
    >>> fewest_removals([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    Removal(1 row is the fewest)
    """

    lower: int
    upper: int
    rows: tuple[int, ...]
    network: Network | None
    certificates: tuple[Certificate, ...]

    @property
    def is_exact(self) -> bool:
        """Whether there are no fewer rows that are enough, and that is proved."""
        return self.lower == self.upper

    def __repr__(self) -> str:
        if self.is_exact:
            rows = plural(self.upper, "row")
            return f"Removal({rows} {'is' if self.upper == 1 else 'are'} the fewest)"
        return f"Removal(at least {self.lower}, at most {self.upper} rows)"


def fewest_removals(X: Any, y: Any, *, time_limit: float | None = 10.0) -> Removal:
    """Return the fewest rows without which one neuron can separate the two classes of a table.

    Parameters
    ----------
    X, y
        As in `separable`.
    time_limit : float or None
        Seconds after which the bounds are returned as they are; both are then still true.

    Returns
    -------
    Removal

    Raises
    ------
    InputError
        As in `separable`.

    Notes
    -----
    The same number is the fewest errors that one neuron can make on the rows. Finding it is hard for many columns and
    many errors. The certificates and the separation without the rows are checked exactly; that no fewer rows hit all
    certificates is counted by a branch and bound in floats, on whole numbers.

    Examples
    --------
    >>> X, y = [[1], [2], [3], [4], [5], [6]], [0, 0, 1, 0, 1, 1]
    >>> removal = fewest_removals(X, y)
    >>> removal.lower, removal.upper, len(removal.rows), len(removal.certificates)
    (1, 1, 1, 1)
    >>> print(removal.certificates[0])
                x1
    fires        3
    fires        5
    sum          8
    doesn't ×2   4
    sum          8
    """
    sample = two_classes(X, y)
    deadline = _deadline(time_limit)
    different, groups = grouped(sample)
    search = Search(different)
    removing = Removing(search, np.array([len(rows) for rows in groups]), deadline)
    taught = _taught(search, deadline)
    if taught is not None:
        removing.offer(taught.neuron)
        search.start_from(taught.weights, taught.bias)
    removing.run()
    rows = sorted(row for group in removing.rows.tolist() for row in groups[group])
    allowed = np.ones(sample.n_rows, dtype=bool)
    allowed[rows] = False
    first = np.array([group[0] for group in groups])
    cores = [Core(first[core.rows], core.counts) for core in removing.proof]
    return Removal(
        removing.lower,
        len(rows),
        tuple(rows),
        network_of(sample, removing.neuron, allowed),
        tuple(certificate(sample, core) for core in cores),
    )


def _deadline(time_limit: Any) -> float:
    """Return when that many seconds will have passed, by `time.monotonic`."""
    if time_limit is None:
        return math.inf
    if (
        isinstance(time_limit, bool)
        or not isinstance(time_limit, int | float | np.number)
        or not time_limit > 0
    ):
        raise InputError(
            f"time_limit must be a number of seconds above 0, or None. Received: {time_limit!r}."
        )
    return time.monotonic() + float(time_limit)


@dataclass(frozen=True, eq=False)
class _Taught:
    """A neuron a perceptron learned, and the same on the working rows of a search."""

    neuron: Neuron
    weights: Array
    bias: float


def _taught(search: Search, deadline: float) -> _Taught | None:
    """Return what a perceptron learns in a few epochs; None where there is nothing to learn from, or no time."""
    sample, taught = search.sample, search.working
    if not len(search.kept):
        return None
    as_given = sample.is_whole and np.ptp(np.log(search.scale)) < math.log(EVEN)
    if as_given:
        taught = sample.X
    learner = Perceptron(random_state=0, warm_start=True)
    for epochs in EPOCHS:
        if time.monotonic() > deadline:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            learner.set_params(max_iter=epochs).fit(taught, sample.fires)
        if learner.stop_reason_ == "converged" or learner.n_mistakes_[-1] > HOPELESS * sample.n_rows:
            break
    layer = learner.network_.layers[0]
    if not as_given:
        weights = learner.coef_[0]
        return _Taught(search.neuron(weights), weights, float(learner.intercept_[0]))
    weights = learner.coef_[0][search.kept]
    return _Taught(
        Neuron(layer.dense()[:, 0].tolist(), layer.bias[0].item()),
        weights * search.scale,
        float(learner.intercept_[0] + weights @ search.centre),
    )


def _decide(sample: Sample, deadline: float) -> Neuron | Core | None:
    everything = np.ones(sample.n_rows, dtype=bool)
    search = Search(sample)
    taught = _taught(search, deadline)
    if taught is not None:
        if not len(search.wrong(taught.neuron, everything)):
            return taught.neuron
        search.start_from(taught.weights, taught.bias)
    return search.decide(everything, deadline)


def _answer(sample: Sample, found: Neuron | Core | None) -> Answer:
    rest, fires = sample.classes
    if found is None:
        return Answer(
            "unknown", f"Whether a neuron separates {rest!r} from {fires!r} wasn't decided in time."
        )
    if isinstance(found, Core):
        n_rows = plural(sample.n_rows, "row")
        says = f"No neuron separates {rest!r} from {fires!r}: {len(found.rows)} of the {n_rows} show it."
        return Answer("refuted", says, certificate=certificate(sample, found))
    network = network_of(sample, found, np.ones(sample.n_rows, dtype=bool))
    says = f"This neuron separates {rest!r} from {fires!r}; others may do so with a wider margin."
    if network is None:
        says = f"{rest!r} and {fires!r} can be separated, but by no weights in float64 that were found."
    return Answer("proved", says, network=network)


def certificate(sample: Sample, core: Core) -> Certificate:
    """Return rows that no neuron separates, with their numbers."""
    fires = sample.fires[core.rows]
    sides = [core.rows[fires], core.rows[~fires]]
    counts = np.array(core.counts, dtype=object)
    return Certificate(
        sample.take(sides[0]),
        sample.take(sides[1]),
        tuple(counts[fires].tolist()),
        tuple(counts[~fires].tolist()),
        tuple(sides[0].tolist()),
        tuple(sides[1].tolist()),
        sample.inputs,
        sample.decide(),
    )


def network_of(sample: Sample, neuron: Neuron, allowed: Array) -> Network | None:
    """Return a network that has all allowed rows right, exactly as well as in floats, near a neuron that does."""
    rows, fires = sample.X[allowed], sample.fires[allowed]
    label = sample.classes[1]
    outputs = [label if isinstance(label, str) and label else "y"]
    for weights, bias in _candidates(sample, neuron, rows, fires):
        try:
            layer = Layer(np.array(weights)[:, np.newaxis], np.array([bias]))
            network = Network(layer, inputs=sample.inputs, outputs=outputs, domain="real")
            decided = network(rows)[:, 0]
        except (InputError, NotExactError):  # too large for int64, or for a float
            continue
        if np.array_equal(decided, fires) and not allowed[sample.misplaced(weights, bias)].any():
            return network
    return None


def _candidates(sample: Sample, neuron: Neuron, rows: Any, fires: Array) -> Iterator[tuple[list[Any], Any]]:
    """Yield weights and a bias: small whole numbers for rows of whole numbers, then floats."""
    exact = [Fraction(value) for value in (*neuron.weights, neuron.bias)]
    largest = max(map(abs, exact[:-1]), default=Fraction(0)) or Fraction(1)
    floats = np.array([float(value / largest) for value in exact[:-1]])
    if sample.is_whole:
        for bits in BITS:
            coarse = np.rint(floats * 2.0**bits)
            low, high = _edges(rows @ coarse, fires)
            if high < low < 2.0**53 and high > -(2.0**53):
                yield _smallest(coarse.astype(np.int64).tolist(), -((int(low) + int(high) + 1) // 2))
        if all(value.denominator == 1 for value in exact):
            yield _smallest([int(value) for value in exact[:-1]], int(exact[-1]))
    with np.errstate(over="ignore", invalid="ignore"):  # a bias that isn't finite is refused
        low, high = _edges(rows @ floats, fires)
    yield floats.tolist(), -(low / 2 + high / 2)
    yield floats.tolist(), -low
    yield floats.tolist(), float(exact[-1] / largest)


def _smallest(weights: list[int], bias: int) -> tuple[list[int], int]:
    """Divide whole weights by what they have in common; on whole numbers the neuron stays the same."""
    divisor = math.gcd(*weights) or 1
    return [weight // divisor for weight in weights], bias // divisor


def _edges(z: Array, fires: Array) -> tuple[float, float]:
    """Return the least net input, without bias, of what fires, and the largest of what doesn't; 1 apart if all do."""
    if fires.all() or not fires.any():
        return (z.min(), z.min() - 1.0) if fires.any() else (z.max() + 1.0, z.max())
    return float(z[fires].min()), float(z[~fires].max())
