"""The smallest whole weights that make a neuron's decisions: on every possible input, or on given rows.

`small_integers` is for people who want to add up a neuron in their heads, and for devices that count. Without rows, the
answer holds for every input of zeros and ones: from the truth table up to 20 inputs, and beyond by always looking for
the input that new weights would get wrong the most (`limen.logic._knapsack`). With rows, it holds for these, and the
weights can be much smaller.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
B. Ustun and C. Rudin (2016), "Supersparse linear integer models for optimized medical scoring systems", Machine Learning
102, for points that people add up.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from limen import _text
from limen._door import as_array
from limen.answer import Answer
from limen.errors import InputError
from limen.logic._knapsack import can_be_asked
from limen.logic._least import Least, deadline, fewest_changes, least_weights, time_left
from limen.logic._table_neuron import decide_table, neuron, separation, sums_of
from limen.logic.asked import MOST_INPUTS, Asked, rows_of
from limen.logic.structure import Neuron, least_neuron, of_network, reduced, turned
from limen.logic.threshold import seconds
from limen.network import Network
from limen.step import Array

__all__ = ["small_integers"]

EVERYWHERE = "The same decision for every input"
MOST_PROGRAM = 2_000  # different rows up to which the fewest changes are a program in whole numbers
SCALES = 24  # scales at which weights are rounded, to begin with
SWEEPS = 20  # times all weights are tried one larger and one smaller


def small_integers(
    net: Network, X: Any = None, *, max_weight: int | None = None, time_limit: float | None = 10.0
) -> Answer:
    """Return the neuron with the smallest whole weights that decides as another one does.

    Parameters
    ----------
    net : Network
        One heaviside neuron. Without `X` its inputs are binary; with it, the rows must be whole numbers.
    X : array_like of shape (n_rows, n_inputs), optional
        The rows on which the decisions count. Default: every possible row of zeros and ones.
    max_weight : int, optional
        No weight's absolute value may be larger. Where that can't be had without changing decisions, as few as can be
        found change.
    time_limit : float or None, default 10.0
        Seconds.

    Returns
    -------
    Answer
        *Proved*: `network` decides alike, everywhere or on all rows of `X`; `says` which. The sum of its weights'
        absolute values is the least possible (within `max_weight`) if ``answer.is_least``, and `bounds` is what is
        proved of it.
        *Refuted*: `max_weight` can't be had without changing decisions. `network` changes ``answer.changes[1]`` of
        them, and ``answer.changes[0]`` is proved to be needed.
        *Unknown*: out of time. With `max_weight`, `network` keeps to it, and `changes` says what is known.

    Raises
    ------
    InputError
        Not one heaviside neuron, inputs that aren't binary and no rows, rows that aren't whole numbers, or a
        `max_weight` below 1.

    Notes
    -----
    Decisions are those of a call, which rounds where weights are floats; only beyond 20 inputs, and without `X`, float
    weights are taken as the fractions they are.

    Examples
    --------
    >>> from limen import Layer, Network, logic
    >>> net = Network(Layer([[60], [110], [-34]], [-100]), ["a", "b", "c"], ["y"], "binary")
    >>> print(logic.small_integers(net))
    The same decision for every input; no smaller whole weights do, and no others as small.
    y fires when a + 2·b − c ≥ 2
    >>> print(logic.small_integers(net, [[0, 0, 0], [1, 0, 0], [0, 1, 0]]))
    The same decision on all 3 rows; no smaller whole weights do, and no others as small.
    y fires when b ≥ 1
    """
    one = _one_neuron(net)
    limit = seconds(time_limit)
    if max_weight is not None and (
        isinstance(max_weight, bool) or not isinstance(max_weight, int | np.integer) or max_weight < 1
    ):
        raise InputError(
            f"max_weight must be a whole number of at least 1, or None. Received: {max_weight!r}."
        )
    largest = None if max_weight is None else int(max_weight)
    if X is not None:
        return _on_rows(net, X, largest, limit)
    if net.domain != "binary":
        raise InputError(
            f"Every possible input can be looked at where inputs are binary. Received: {net.domain} inputs. Give rows"
            " of whole numbers as X, or encode the inputs (limen.learn.ThresholdEncoder)."
        )
    return _everywhere(net, one, largest, limit)


def _one_neuron(net: Any) -> Neuron:
    if not isinstance(net, Network):
        raise InputError(f"Expected a limen.Network. Received: {type(net).__name__}.")
    layer = net.layers[0]
    if net.depth != 1 or layer.activation != "heaviside" or net.n_outputs != 1:
        raise InputError(
            f"Expected one heaviside neuron. Received: {_text.chain(net)}. Take one output with net.select(output), or"
            " look at a network neuron by neuron with logic.rules."
        )
    return of_network(net)


# On every input -----------------------------------------------------------------------------------------------


def _everywhere(net: Network, one: Neuron, largest: int | None, limit: float | None) -> Answer:
    what, until = Asked(net.inputs, net.outputs[0], network=net), deadline(limit)
    if what.n_inputs > MOST_INPUTS:
        return _wide(net, what, one, largest, until)
    own = [one.weights.get(name, 0) for name in net.inputs]
    values = (sums_of(own) >= one.threshold).astype(np.int8) if net.layers[0].is_integer else what.table()
    answer = decide_table(what, values, least=True, time_limit=time_left(until))
    if (
        answer.network is None
    ):  # out of time: the neuron itself, made smaller by simple rules, if floats didn't round
        answer = _itself(what, one)
        layer = answer.network.layers[0] if answer.network is not None else None
        if (
            layer is None
            or ((sums_of(layer.weights[:, 0].tolist()) >= -layer.bias[0]) != (values == 1)).any()
        ):
            return Answer("unknown", "No whole weights were found in time. Give more time.")
    answer = replace(answer, says=_said(EVERYWHERE, answer, None))
    if largest is None or _heaviest(answer) <= largest:
        return answer
    rows = rows_of(np.arange(len(values)), what.n_inputs)
    return _forced(what, rows, values == 1, np.ones(len(rows), np.int64), largest, until, answer, False)


def _wide(net: Network, what: Asked, one: Neuron, largest: int | None, until: float | None) -> Answer:
    """Return the answer where there is no table; float weights are taken as the fractions they are."""
    names, _, sizes, need = turned(reduced(one))
    if largest is not None and max(sizes, default=0) > largest and not can_be_asked(sizes, need):
        raise _cannot_count(names, largest)
    answer = least_neuron(what, one, least=True, time_limit=time_left(until))
    answer = replace(answer, says=_said(EVERYWHERE, answer, None))
    if largest is None or _heaviest(answer) <= largest:
        return answer
    within = least_neuron(what, one, least=True, time_limit=time_left(until), largest=largest)
    if _heaviest(within) <= largest:
        return replace(within, says=_said(EVERYWHERE, within, largest))
    raise _cannot_count(names, largest)


def _cannot_count(names: list[str], largest: int) -> InputError:
    return InputError(
        f"With {len(names)} inputs the decisions that a budget of {largest} changes can't be counted over every input."
        " Give rows: X in Python, TABLE to limen card. Or leave the budget out."
    )


def _itself(what: Asked, one: Neuron) -> Answer:
    small = reduced(one)
    own = neuron(what, [small.weights.get(name, 0) for name in what.inputs], small.threshold)
    return Answer("proved", "", own, None, (0, sum(map(abs, small.weights.values()))))


def _heaviest(answer: Answer) -> int:
    assert answer.network is not None
    return int(np.abs(answer.network.layers[0].dense()).max(initial=0))


def _said(where: str, answer: Answer, largest: int | None) -> str:
    """Return what is proved, in one sentence."""
    assert answer.bounds is not None
    lower, size = answer.bounds
    kind = "whole weights" if largest is None else f"whole weights of at most {largest}"
    if answer.is_least:
        others = "" if answer.unique is None else f", and {'no' if answer.unique else 'some'} others as small"
        return f"{where}; no smaller {kind} do{others}."
    return (
        f"{where}. The weights add up to {size:,}; the least possible sum of {kind} isn't known, but is at least"
        f" {lower:,}."
    )


def _alike(what: Asked, best: Least, where: str, largest: int | None) -> Answer:
    """Return the answer that these weights decide alike."""
    assert best.weights is not None
    size = sum(map(abs, best.weights))
    unique = best.unique if best.lower == size else None
    network = neuron(what, best.weights, best.threshold)
    answer = Answer("proved", "", network, None, (best.lower, size), unique)
    return replace(answer, says=_said(where, answer, largest))


# On rows ------------------------------------------------------------------------------------------------------


def _on_rows(net: Network, X: Any, largest: int | None, limit: float | None) -> Answer:
    what = Asked(net.inputs, net.outputs[0], network=net)
    fires = net(X)[..., 0].ravel() == 1
    rows = _whole_rows(X, net.n_inputs)
    n_rows = len(rows)
    where = f"The same decision on {'the one row' if n_rows == 1 else f'all {n_rows:,} rows'}"
    points, first, counts = np.unique(rows, axis=0, return_index=True, return_counts=True)
    fires = fires[first]
    if fires.all() or not fires.any():
        constant = neuron(what, [0] * what.n_inputs, 0 if fires.all() else 1)
        says = f"{where}: it {'always' if fires.all() else 'never'} fires."
        return Answer("proved", says, constant, None, (0, 0), True)
    until, separate = deadline(limit), separation(points[fires], points[~fires])
    own: tuple[list[int], int] | None = _as_listed(net)
    assert own is not None
    if largest is not None or any(len(wrong) for wrong in separate(*own, 1)):  # a call may have rounded
        own = None
    best = least_weights(
        net.n_inputs, separate, orderly=False, largest=largest, known=own, time_limit=time_left(until)
    )
    if best is not None and best.weights is not None:
        return _alike(what, best, where, largest)
    if largest is None:
        return Answer("unknown", "No whole weights were found in time. Give more time.")
    return _forced(what, points, fires, counts, largest, until, None, best is not None)


def _whole_rows(X: Any, n_inputs: int) -> Array:
    rows = as_array(X.toarray() if hasattr(X, "toarray") else X, "X", "whole numbers")
    rows = rows.reshape(-1, n_inputs)
    if rows.dtype.kind == "f":
        good = (rows == np.rint(rows)) & (np.abs(rows) < 2.0**31)
        if not good.all():
            raise InputError(
                f"Whole weights are looked for on rows of whole numbers below 2**31. Received: {rows[~good][0]}. Encode"
                " the inputs (limen.learn.ThresholdEncoder)."
            )
    whole: Array = rows.astype(np.int64)
    if not len(whole):
        raise InputError(
            "X must have at least one row. Received: none. Leave X out to ask about every input."
        )
    if int(np.abs(whole).max(initial=0)) >= 1 << 31:
        raise InputError(
            f"Whole weights are looked for on rows of whole numbers below 2**31. Received: {whole.max()}."
        )
    return whole


def _as_listed(net: Network) -> tuple[list[int], int]:
    small = of_network(net)
    return [small.weights.get(name, 0) for name in net.inputs], small.threshold


# Fewer points than the decisions need ---------------------------------------------------------------------------


def _forced(
    what: Asked,
    points: Array,
    fires: Array,
    counts: Array,
    largest: int,
    until: float | None,
    free: Answer | None,
    impossible: bool,
) -> Answer:
    """Return the neuron within a budget that changes the fewest decisions that were found, with bounds.

    Parameters
    ----------
    free : Answer or None
        What is known without the budget.
    impossible : bool
        Whether it is proved that a decision must change.
    """
    points = points.astype(np.int64)
    if free is not None:
        separate = separation(points[fires], points[~fires])
        within = least_weights(
            points.shape[1], separate, orderly=False, largest=largest, time_limit=time_left(until)
        )
        if within is not None and within.weights is not None:
            return _alike(what, within, EVERYWHERE, largest)
        impossible = within is not None
    weights, threshold = _rounded(points, fires, counts, largest, what, free, until)
    lower = _surely_changed(points, fires, counts, largest, until)
    if len(points) <= MOST_PROGRAM:
        found, bar, bound = fewest_changes(
            points, fires, counts, largest, (weights, threshold), time_left(until)
        )
        lower = max(lower, bound)
        if _changed(points, fires, counts, found, bar) <= _changed(points, fires, counts, weights, threshold):
            weights, threshold = found, bar
    upper = _changed(points, fires, counts, weights, threshold)
    lower = min(upper, max(lower, int(impossible)))
    network = neuron(what, weights, threshold)
    where = (
        _text.plural(upper, "row") if free is None else f"{upper:,} of the {len(points):,} possible inputs"
    )
    needed = f"exactly {where}" if lower == upper else f"{lower:,} to {where}"
    verdict = "refuted" if lower > 0 else "unknown"
    says = (
        f"With weights of at most {largest} the decision on {needed} must change; this neuron changes {upper:,}."
        if lower > 0
        else f"With weights of at most {largest}, changing the decision on {where} is enough; whether fewer are isn't"
        " known."
    )
    return Answer(verdict, says, network, None, None, None, (lower, upper))  # type: ignore[arg-type]


def _surely_changed(points: Array, fires: Array, counts: Array, largest: int, until: float | None) -> int:
    """Return how many decisions change in any case: one at least in each of several sets of points that exclude each other.

    Points that no weights within the budget get right together are taken away, and others are looked for, for a quarter
    of the time.
    """
    remaining = time_left(until)
    until = deadline(None if remaining is None else remaining / 4)
    left, total = np.ones(len(points), dtype=bool), 0
    place = {point.tobytes(): k for k, point in enumerate(points)}
    while until is None or time.monotonic() < until:
        separate = separation(points[left & fires], points[left & ~fires])
        found = least_weights(
            points.shape[1],
            separate,
            orderly=False,
            largest=largest,
            least=False,
            time_limit=time_left(until),
        )
        if found is None or found.weights is not None or not found.multiples:
            break
        together = [place[point.tobytes()] for point, _ in found.multiples]
        total += int(counts[together].min())
        left[together] = False
    return total


def _changed(points: Array, fires: Array, counts: Array, weights: list[int], threshold: int) -> int:
    return int(counts[(_sums(points, weights) >= threshold) != fires].sum())


def _sums(points: Array, weights: Any) -> Array:
    """Return weighted sums of points, in Python's integers where int64 could be left."""
    reach = int(np.abs(points).max(initial=1)) * int(sum(abs(int(w)) for w in weights))
    column = np.array([int(w) for w in weights], dtype=np.int64 if reach < 1 << 62 else object)
    sums: Array = points @ column
    return sums


def _rounded(
    points: Array,
    fires: Array,
    counts: Array,
    largest: int,
    what: Asked,
    free: Answer | None,
    until: float | None,
) -> tuple[list[int], int]:
    """Return weights within the budget, from rounding at several scales and then changing one at a time."""
    source = what.network if free is None or free.network is None else free.network
    assert source is not None
    start = source.layers[0].dense()[:, 0].astype(np.float64)
    heaviest = np.abs(start).max()
    best: tuple[int, list[int], int] | None = None
    for k in range(SCALES):
        if best is not None and until is not None and time.monotonic() > until:
            break
        scaled = np.clip(np.rint(start / heaviest * largest * (1 + k / 8)), -largest, largest).astype(
            np.int64
        )
        changed, threshold = _best_threshold(_sums(points, scaled.tolist()), fires, counts)
        if best is None or changed < best[0]:
            best = (changed, scaled.tolist(), threshold)
    assert best is not None
    for _ in range(SWEEPS if len(points) * points.shape[1] < 1 << 22 else 1):
        before = best[0]
        for i in range(points.shape[1]):
            if until is not None and time.monotonic() > until:
                return best[1], best[2]
            for step in (-1, 1):
                weights = list(best[1])
                weights[i] += step
                if abs(weights[i]) <= largest:
                    changed, threshold = _best_threshold(_sums(points, weights), fires, counts)
                    if changed < best[0]:
                        best = (changed, weights, threshold)
        if best[0] == before:
            break
    return best[1], best[2]


def _best_threshold(sums: Array, fires: Array, counts: Array) -> tuple[int, int]:
    """Return how many decisions differ at the best threshold, and that threshold."""
    values, place = np.unique(sums, return_inverse=True)
    rests = np.bincount(place.ravel(), weights=np.where(fires, 0, counts), minlength=len(values))
    fired = np.bincount(place.ravel(), weights=np.where(fires, counts, 0), minlength=len(values))
    # With the threshold at values[k], what fires below it and what rests from it on is wrong.
    wrong = np.append(0, np.cumsum(fired)) + np.append(np.cumsum(rests[::-1])[::-1], 0)
    k = int(np.argmin(wrong))
    return int(wrong[k]), int(values[k]) if k < len(values) else int(values[-1]) + 1
