"""Function → a `Network` of few gates: `synthesize`.

A *gate* is a neuron that doesn't merely pass a value on (`limen.Network.n_gates`). What is promised:

====================================  ==================================================================================
functions of up to four inputs        the fewest gates of all networks of threshold neurons, don't-care entries used as
                                      serves best: at most 3
functions of more inputs              one gate if and only if it is one neuron; otherwise a small network, of which it
                                      isn't known that it is the smallest
parity of `n` inputs                  ``floor(log2 n) + 1`` gates, as any function of the number of ones has few
any function of `n` inputs            about ``2 · 2**(n / 2)`` gates at most
====================================  ==================================================================================

Inputs on which a complete table doesn't depend aren't counted. Every network is compared with the function on all rows
before it is returned.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import index
from typing import Any

import numpy as np

from limen import rewrite
from limen.errors import InputError
from limen.logic._chain import EXACT_INPUTS
from limen.logic._plan import planned
from limen.logic._smallest import matters, smallest
from limen.logic.asked import DONT_CARE, Asked, asked, rows_of
from limen.logic.building import network
from limen.network import Network
from limen.step import Array

__all__ = ["MOST_INPUTS", "synthesize"]

MOST_INPUTS = 16
CHUNK = 1 << 12  # rows that a network is called with at a time


def synthesize(f: Any, *, inputs: str | Iterable[str] | None = None, max_gates: int | None = None) -> Network:
    """Return a network of few gates that computes a function.

    Parameters
    ----------
    f : Formula, Network with one output, TruthTable with one output, or array_like of shape (2**n_inputs,)
        At most 16 inputs. An array holds 0 and 1 in truth-table order, and None or -1 where either will do.
    inputs : str or iterable of str, optional
        Names. Default: those of `f`, or ``x1, x2, …``.
    max_gates : int, optional
        The most gates that will do.

    Returns
    -------
    Network
        Exact: heaviside layers, int64 weights, binary domain. Agrees with `f` on all rows. The fewest gates there are
        for up to four inputs; small, but not proved smallest, for more.

    Raises
    ------
    InputError
        Not one of these, several outputs, more than 16 inputs, `max_gates` isn't a whole number from 1 on, or more
        gates are needed, or were found, than `max_gates`.

    References
    ----------
    S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.

    Examples
    --------
    >>> from limen import logic
    >>> a, b, c = logic.inputs("a b c")
    >>> parity = synthesize(a ^ b ^ c)
    >>> parity.n_gates
    2
    >>> print(synthesize([0, 1, None, 0], inputs="a b"))
    Network: 2 inputs → 1 heaviside
    y fires when −a + b ≥ 1
    >>> synthesize(a ^ b, max_gates=1)
    Traceback (most recent call last):
        ...
    limen.errors.InputError: max_gates must be at least 2, the fewest gates that compute y. Received: 1.
    """
    most = None if max_gates is None else _at_least_one(max_gates)
    what = asked(f, inputs=inputs)
    values = what.table(MOST_INPUTS, "Give a formula of fewer inputs, or build it with limen.logic.network")
    n_needed = len(matters(values)[0])
    best = min(_candidates(what, values), key=lambda net: (net.n_gates, net.n_neurons))
    if most is not None and best.n_gates > most:
        if (values != DONT_CARE).all():
            proved = n_needed <= EXACT_INPUTS
        else:
            proved = what.n_inputs <= EXACT_INPUTS
        proved = proved or best.n_gates == 2  # it isn't one neuron
        raise InputError(
            f"max_gates must be at least {best.n_gates}, the fewest gates that compute {what.output}."
            f" Received: {most}."
            if proved
            else f"max_gates is {most}, and the smallest network found for {what.output} has {best.n_gates} gates (it"
            " isn't proved that none is smaller). Allow more gates."
        )
    return best


def _at_least_one(max_gates: Any) -> int:
    try:
        most = index(max_gates)
    except TypeError:
        most = 0
    if most < 1 or isinstance(max_gates, bool | np.bool_):
        raise InputError(
            f"max_gates must be a whole number from 1 on (an output is a gate). Received: {max_gates!r}."
        )
    return most


def _candidates(what: Asked, values: Array) -> Iterator[Network]:
    """Yield networks that compute the function, compared with it on all rows."""
    for net in _own(what):
        if _agrees(net, values):
            yield net
    plan = smallest(values)
    if plan is None:
        raise AssertionError("without a limit there is a plan for every table")
    net = planned(plan, what.inputs, what.output)
    if not _agrees(net, values):
        raise AssertionError("a plan that doesn't compute the table")
    yield net


def _own(what: Asked) -> Iterator[Network]:
    """Yield the networks that a formula or a network is by the way it is written."""
    if what.formula is not None:
        yield rewrite.simplify(network({what.output: what.formula}, inputs=what.inputs))
    elif what.network is not None and what.network.is_exact:
        yield rewrite.simplify(what.network)


def _agrees(net: Network, values: Array) -> bool:
    """Whether a network puts out a table's values on all rows for which it has one."""
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        put_out = net(rows_of(np.arange(start, start + len(part)), net.n_inputs))[:, 0]
        if not ((put_out == part) | (part == DONT_CARE)).all():
            return False
    return True
