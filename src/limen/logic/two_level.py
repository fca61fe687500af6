"""Truth table → the shortest disjunction of conjunctions: `minimal_dnf`.

A *term* is a conjunction of inputs and negated inputs, kept as pairs (number of the input, value). An *implicant* is a
term that holds on no false row; it is *prime* if no input can be left out of it. A *cover* is a set of terms that hold,
between them, on every true row; the shortest cover consists of primes.

How long a formula is, `length` says: it counts what is written. A term of `k` inputs, `m` of them negated, takes
``2*k - 1 + m``, and between two terms stands an *or*; so the weight of a term in the search is ``2*k + m``.

* A *unate* function (one that looks at no input both ways, such as what a single neuron computes) has only one cover
  of primes that none can be left out of: all of them. They are its minimal true rows.
* Up to `MOST_LISTED` inputs all primes are listed, those that alone cover a row are taken, and the rest is a covering
  problem with whole numbers, solved by branch and bound (HiGHS, through `scipy.optimize.milp`). Up to `MOST_PROVED`
  inputs it is solved to the end; above, within `NODES` nodes, the better of what it found and of a greedy cover.
* Beyond, a cover is built from both halves of the table (Minato and Morreale): irredundant, not proved shortest.

References
----------
W. V. Quine (1952), "The problem of simplifying truth functions", American Mathematical Monthly 59.
E. J. McCluskey (1956), "Minimization of Boolean functions", Bell System Technical Journal 35.
S. Minato (1992), "Fast generation of irredundant sum-of-products forms from binary decision diagrams", SASIMI.
Y. Crama and P. L. Hammer (2011), "Boolean Functions", Cambridge University Press, chapters 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from limen.errors import InputError
from limen.logic.asked import asked
from limen.logic.primes import checked_limit, disjunction, with_inputs
from limen.logic.proposition import Formula, evaluate, postorder
from limen.step import Array

__all__ = ["Term", "cover", "holds_on", "length", "minimal_dnf", "terms_formula"]

Term: TypeAlias = tuple[tuple[int, int], ...]

MOST_TERMS = 20_000
MOST_LISTED = 12  # inputs of which all 3**n terms are looked at
MOST_PROVED = 8  # inputs up to which branch and bound always goes to the end
NODES = 50  # of branch and bound above that
MOST_ENTRIES = 1 << 16  # rows times primes of the covering problem given to branch and bound above that


def minimal_dnf(f: Any, *, inputs: str | Iterable[str] | None = None, most: int = MOST_TERMS) -> Formula:
    """Return the shortest disjunction of conjunctions of inputs and negated inputs.

    Shortest means fewest names, *not*, *and* and *or* together. That it is, is proved up to 8 inputs, and up to 20
    inputs for unate functions without don't-cares, which have one such formula only. For others of up to 12 inputs it
    is the shortest that was found, beyond that an irredundant one: no term and no input can be left out.

    Parameters
    ----------
    f : Formula, Network with one output, TruthTable with one output, or array_like of shape (2**n_inputs,)
        Of at most 20 inputs. None or -1 in an array: either will do.
    inputs : str or iterable of str, optional
        Names. Default: its own, or ``x1, x2, …``.
    most : int, default 20_000
        More terms are refused.

    Returns
    -------
    Formula
        Verified on every row. ``true`` and ``false`` where it is constant.

    Raises
    ------
    InputError
        More than 20 inputs, more than `most` terms, or not a function of the kinds above.

    References
    ----------
    W. V. Quine (1952), E. J. McCluskey (1956); S. Minato (1992) beyond 12 inputs.

    Examples
    --------
    >>> print(minimal_dnf([0, 0, 0, 1, 1, 0, 1, 1], inputs="a b c"))
    a and not c or b and c
    >>> print(minimal_dnf([0, 0, 0, 1, 1, None, 1, None], inputs="a b c"))
    a or b and c
    """
    question = asked(f, inputs=inputs)
    table = question.table()
    formula = terms_formula(cover(table, checked_limit(most)), question.inputs)
    if not holds_on(formula, table, question.inputs):
        raise AssertionError("a cover must agree with its table")
    return with_inputs(formula, question.inputs)


def length(formula: Formula) -> int:
    """Return how long a formula is as text: its names, constants, operators, words, numbers, and commas between parts.

    Parentheses don't count. A part that is shared counts wherever it is written.

    Examples
    --------
    >>> from limen import logic
    >>> length(logic.parse("a and not b")), length(logic.parse("at_least(2, a, b, c)"))
    (4, 7)
    """
    known: dict[int, int] = {}
    for node in postorder([formula]):
        parts = [known[id(part)] for part in node.parts]
        if node.kind in {"input", "constant"}:
            own = 1
        elif node.kind in {"at_least", "at_most", "exactly", "majority"}:
            own = max(0, len(parts) - 1) + (1 if node.kind == "majority" else 2)
        else:
            own = 1
        known[id(node)] = own + sum(parts)
    return known[id(formula)]


def holds_on(formula: Formula, table: Array, inputs: Sequence[str]) -> bool:
    """Tell whether a formula agrees with a table wherever that says something, on every row."""
    n = len(inputs)
    numbers = np.arange(len(table), dtype=np.int32)
    columns = {name: (numbers >> (n - 1 - k) & 1).astype(bool) for k, name in enumerate(inputs)}
    held = np.broadcast_to(np.asarray(evaluate([formula], columns)[0], dtype=bool), table.shape)
    return bool(((table == held) | (table < 0)).all())


def terms_formula(terms: Iterable[Term], inputs: Sequence[str]) -> Formula:
    """Return the disjunction of the terms."""
    return disjunction({inputs[i]: value for i, value in term} for term in terms)


# Covers -------------------------------------------------------------------------------------------------------


def cover(table: Array, most: int = MOST_TERMS) -> list[Term]:
    """Return a cover of a truth table, the shortest as far as `minimal_dnf` says; refuse more than `most` terms."""
    n = len(table).bit_length() - 1
    if not (table == 1).any():
        return []
    if not (table == 0).any():
        return [()]
    if (table >= 0).all():
        turned = unate(table)
        if turned is not None:
            return _minimal_true_rows(table, turned, most)
    if n <= MOST_LISTED:
        terms = _shortest(table)
        return terms if len(terms) <= most else _refuse(most)
    return _irredundant(table, most)


def unate(table: Array) -> list[int] | None:
    """Return the value of each input that can only make a table rise, or None where one does both."""
    cube = table.reshape((2,) * (len(table).bit_length() - 1))
    turned = []
    for axis in range(cube.ndim):
        low, high = cube.take(0, axis), cube.take(1, axis)
        rises, falls = bool((high > low).any()), bool((high < low).any())
        if rises and falls:
            return None
        turned.append(0 if falls else 1)
    return turned


def _minimal_true_rows(table: Array, turned: Sequence[int], most: int) -> list[Term]:
    """Return the primes of a unate function: true rows on which no input that scores can be taken away."""
    cube: Array = table.reshape((2,) * len(turned)).astype(bool)
    cube = np.flip(cube, tuple(axis for axis, value in enumerate(turned) if not value))
    least = cube.copy()
    for axis in range(cube.ndim):
        np.moveaxis(least, axis, 0)[1] &= ~np.moveaxis(cube, axis, 0)[0]
    rows = np.argwhere(least)
    if len(rows) > most:
        _refuse(most)
    return [
        tuple((i, turned[i]) for i in np.flatnonzero(row).tolist())
        for row in rows[np.lexsort([*(-rows.T[::-1]), rows.sum(axis=1)])]
    ]


def _shortest(table: Array) -> list[Term]:
    """Return the cheapest cover by primes, or a good one where there are too many inputs to search to the end."""
    n = len(table).bit_length() - 1
    patterns = _primes(table)
    rows = np.flatnonzero(table == 1)
    bits = rows[:, None] >> np.arange(n - 1, -1, -1) & 1
    covers = np.empty((len(patterns), len(rows)), dtype=bool)
    for k, pattern in enumerate(patterns):
        seen = pattern < 2
        covers[k] = (bits[:, seen] == pattern[seen]).all(axis=1)
    costs = 2 * (patterns < 2).sum(axis=1) + (patterns == 0).sum(axis=1)

    alone = covers.sum(axis=0) == 1
    chosen: Array = np.asarray(covers[:, alone].any(axis=1))  # primes that alone cover some row
    open_rows = ~covers[chosen].any(axis=0)
    useful = covers[:, open_rows].any(axis=1)
    candidates = np.flatnonzero(useful & ~chosen)
    if open_rows.any():
        core = covers[np.ix_(candidates, open_rows)]
        chosen[candidates[_covering(core, costs[candidates], to_the_end=n <= MOST_PROVED)]] = True
    terms = [
        tuple((i, value) for i, value in enumerate(pattern) if value < 2)
        for pattern in patterns[chosen].tolist()
    ]
    return sorted(terms, key=lambda term: (len(term), [(i, 1 - value) for i, value in term]))


def _primes(table: Array) -> Array:
    """Return all primes that hold on a true row: 0, 1, or 2 for an input left out; shape (n_primes, n_inputs)."""
    n = len(table).bit_length() - 1
    implicant = (table != 0).reshape((2,) * n)
    touches = (table == 1).reshape((2,) * n)
    for axis in range(n):
        halves = [implicant.take([k], axis) for k in (0, 1)]
        implicant = np.concatenate([implicant, halves[0] & halves[1]], axis)
        halves = [touches.take([k], axis) for k in (0, 1)]
        touches = np.concatenate([touches, halves[0] | halves[1]], axis)
    prime = implicant & touches
    for axis in range(n):
        fixed: Array = np.moveaxis(prime, axis, 0)
        larger: Array = np.moveaxis(implicant, axis, 0)[2]
        fixed[:2] &= ~larger
    found: Array = np.argwhere(prime)
    return found


def _covering(core: Array, costs: Array, *, to_the_end: bool) -> Array:
    """Return which columns (first axis) cover all rows at the least cost, or at a low one."""
    greedy = _greedy(core, costs)
    if not to_the_end and core.size > MOST_ENTRIES:
        return greedy
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    options = {} if to_the_end else {"node_limit": NODES}
    result = milp(
        costs.astype(float),
        constraints=LinearConstraint(sparse.csr_array(core.T.astype(float)), lb=1, ub=np.inf),
        integrality=np.ones(len(costs)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0, **options},
    )
    if result.x is None:
        return greedy
    found = np.flatnonzero(result.x > 0.5)
    covered = bool(core[found].any(axis=0).all())  # exactly, whatever the solver rounded
    return found if covered and costs[found].sum() <= costs[greedy].sum() else greedy


def _greedy(core: Array, costs: Array) -> Array:
    """Return columns that cover all rows, most new rows for their cost first, none of them superfluous."""
    still_open = np.ones(core.shape[1], dtype=bool)
    chosen: list[int] = []
    gain = core.sum(axis=1).astype(np.int64)
    while still_open.any():
        best = int(np.argmax(gain / costs))
        chosen.append(best)
        newly = core[best] & still_open
        gain -= core[:, newly].sum(axis=1)
        still_open &= ~newly
    times = core[chosen].sum(axis=0)
    for column in sorted(chosen, key=lambda c: -int(costs[c])):
        if (times[core[column]] > 1).all():
            times -= core[column]
            chosen.remove(column)
    return np.array(chosen, dtype=np.int64)


def _irredundant(table: Array, most: int) -> list[Term]:
    """Return an irredundant cover, from covers of what only one half of the table needs and of what is left."""
    n = len(table).bit_length() - 1
    must = int.from_bytes(np.packbits(table == 1).tobytes(), "big")
    may = int.from_bytes(np.packbits(table != 0).tobytes(), "big")
    n_terms = 0

    def covered(must: int, may: int, i: int) -> tuple[list[Term], int]:
        """Return terms of inputs from `i` on and the table they make; the first row is the highest bit."""
        nonlocal n_terms
        full = (1 << (1 << n - i)) - 1
        if not must:
            return [], 0
        if may == full:
            n_terms += 1
            if n_terms > most:
                _refuse(most)
            return [()], full
        half = 1 << n - i - 1
        mask = (1 << half) - 1
        must0, must1, may0, may1 = must >> half, must & mask, may >> half, may & mask
        terms0, held0 = covered(must0 & ~may1, may0, i + 1)
        terms1, held1 = covered(must1 & ~may0, may1, i + 1)
        either, held = covered(must0 & ~held0 | must1 & ~held1, may0 & may1, i + 1)
        terms = [((i, 1), *term) for term in terms1] + [((i, 0), *term) for term in terms0] + either
        return terms, (held0 | held) << half | held1 | held

    return covered(must, may, 0)[0]


def _refuse(most: int) -> list[Term]:
    raise InputError(
        f"Expected a function with a disjunction of at most {most:,} terms. Received: one that needs more. Raise most,"
        " or ask logic.formula, which knows other forms."
    )
