"""Is this one neuron? `one_neuron` decides it, with the least weights or with rows that show why not.

Tables are decided in `limen.logic._table_neuron`; formulas of more inputs than a table can have are recognised by their
structure (`limen.logic.structure`).

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from limen.answer import Answer
from limen.errors import InputError
from limen.logic._table_neuron import decide_table
from limen.logic.asked import MOST_INPUTS, Asked, asked
from limen.logic.structure import wide_neuron

__all__ = ["SECONDS", "decide", "one_neuron", "seconds"]

SECONDS = 10.0  # that a question may take by default


def one_neuron(
    f: Any,
    *,
    inputs: str | Iterable[str] | None = None,
    least: bool = True,
    time_limit: float | None = SECONDS,
) -> Answer:
    """Decide whether a single threshold neuron computes a function.

    Parameters
    ----------
    f : Formula, Network with one output, TruthTable with one output, or array_like of shape (2**n_inputs,)
        An array holds 0 and 1 in truth-table order, and None or -1 where either will do. At most 20 inputs, except for
        formulas that are one neuron by the way they are built, and one neuron itself.
    inputs : str or iterable of str, optional
        Names. Default: those of `f`, or ``x1, x2, …``.
    least : bool, default True
        Whether to look for the least weights. If not, any right ones will do, which is quicker.
    time_limit : float or None, default 10.0
        Seconds. For the decision and for the least weights together.

    Returns
    -------
    Answer
        *Proved*: `network` is one neuron of whole weights. The sum of their absolute values is the least possible if
        ``answer.is_least``; `bounds` is what is proved of that sum. `unique` tells whether they are the only weights
        with it.
        *Refuted*: `certificate` holds firing and resting rows with equal sums; for complete tables of up to 8 inputs,
        two and two.
        *Unknown*: out of time.

    Raises
    ------
    InputError
        Not one of these, several outputs, or too many inputs.
    NotExactError
        The neuron's weights don't fit into int64.

    Notes
    -----
    Least fractions come from a linear program and are proved least by its multipliers, in exact arithmetic. Up to seven
    inputs they are whole numbers; from eight on they need not be, and then the extra ``proof`` (CP-SAT) closes the gap;
    without it `bounds` may stay apart. For functions recognised by structure that have more than 20 inputs, least
    weights are looked for where their sum allows it.

    References
    ----------
    S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.

    Examples
    --------
    >>> from limen import logic
    >>> a, b, c = logic.inputs("a b c")
    >>> print(logic.one_neuron(a & (b | c)))
    One neuron computes y; no smaller whole weights do, and no others as small.
    y fires when 2·a + b + c ≥ 3
    >>> print(logic.one_neuron(a ^ b))
    No single neuron computes y: these rows have equal sums, so equal net inputs, whatever the weights.
             a b
    fires    1 0
    fires    0 1
    sum      1 1
    doesn't  0 0
    doesn't  1 1
    sum      1 1
    """
    return decide(asked(f, inputs=inputs), least=least, time_limit=seconds(time_limit))


def decide(what: Asked, *, least: bool, time_limit: float | None) -> Answer:
    """Return the answer of `one_neuron`."""
    if what.n_inputs > MOST_INPUTS and what.values is None:
        return wide_neuron(what, least=least, time_limit=time_limit)
    return decide_table(what, what.table(), least=least, time_limit=time_limit)


def seconds(time_limit: Any) -> float | None:
    """Return a time limit, checked."""
    if time_limit is None:
        return None
    number = isinstance(time_limit, int | float | np.integer | np.floating) and not isinstance(
        time_limit, bool
    )
    if not number or not time_limit > 0:
        raise InputError(
            f"time_limit must be a number of seconds above 0, or None. Received: {time_limit!r}."
        )
    return float(time_limit)
