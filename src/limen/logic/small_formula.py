"""Function → a small formula: `formula` for one output, `formulas` for each of several.

A truth table is taken apart as far as it comes apart without loss, and what is left is written in the shortest form
known. In this order:

1. inputs that don't matter are dropped; a function of *how many* inputs hold (some of them negated) is written as
   such: at least, at most or exactly k, a majority, a parity (`limen.logic.forms.counted`);
2. an input that alone forces, vetoes or flips the output is put before the rest: ``a or …``, ``a and …``, ``a xor …``;
3. two inputs that matter only through one function of both become one part, such as ``a and b`` in
   ``majority(a and b, c, d)``;
4. a disjunction, conjunction or parity of functions with no input in common comes apart into these;
5. otherwise: the shortest disjunction of conjunctions (`limen.logic.two_level`) or conjunction of disjunctions, with
   what its terms share taken out, or a vote with small weights, written as an at_least in which parts stand several
   times: it counts them so.

The shortest of these, and of the disjunction of conjunctions of the whole function, is returned: not always the
shortest formula there is, but never longer than `minimal_dnf`.

References
----------
R. L. Ashenhurst (1957), "The decomposition of switching functions", Proceedings of an International Symposium on the
Theory of Switching: functions that depend on some inputs through one function of them only.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from limen import _text
from limen.errors import InputError
from limen.logic.asked import DONT_CARE, MOST_INPUTS, asked
from limen.logic.building import named_formulas
from limen.logic.connectives import at_least, false, names_of, true
from limen.logic.forms import counted, factored, joined, negated, shorter
from limen.logic.primes import with_inputs
from limen.logic.proposition import Formula
from limen.logic.table import TruthTable, truth_table
from limen.logic.two_level import MOST_TERMS, Term, cover, holds_on, length, terms_formula, unate
from limen.network import Network
from limen.step import Array

__all__ = ["formula", "formulas"]

REMEDY = "Read a network neuron by neuron with logic.rules"
MOST_WRITTEN = 12  # inputs up to which terms are looked for even where a shorter form is known
MOST_SPLIT = 4  # inputs up to which "if x then … else …" is tried
HEAVIEST = 256  # points in all of a vote that is written out
AT_ONCE = 200  # conditions on its weights taken in at a time
ROUNDS = 12


def formula(f: Any, *, inputs: str | Iterable[str] | None = None) -> Formula:
    """Return a small formula of a function of up to 20 inputs.

    Parameters
    ----------
    f : Formula, Network with one output, TruthTable with one output, or array_like of shape (2**n_inputs,)
        None or -1 in an array: either will do.
    inputs : str or iterable of str, optional
        Names. Default: its own, or ``x1, x2, …``.

    Returns
    -------
    Formula
        Verified on every row. Its inputs are those of `f`, also where it doesn't use them. Never longer than
        ``minimal_dnf(f)``; at least, at most or exactly k, a majority and a parity of inputs and negated inputs are
        found. Length is the number of names, operators, words, numbers, and commas between parts.

    Raises
    ------
    InputError
        More than 20 inputs, not a function of the kinds above, or one of more than 12 inputs that isn't of a simple form
        and needs more than 20,000 terms.

    See Also
    --------
    formulas : for several outputs
    rules : reads a network neuron by neuron, of any number of inputs

    Examples
    --------
    >>> from limen import logic
    >>> print(formula([0, 0, 0, 1, 0, 1, 1, 1], inputs="a b c"))
    majority(a, b, c)
    >>> a, b, c, d = logic.inputs("a b c d")
    >>> print(formula(a & b | a & c & d | a & ~c & ~d))
    a and (b or (c iff d))
    """
    question = asked(f, inputs=inputs)
    return _small(question.table(remedy=REMEDY), question.inputs)


def formulas(f: Any, *, inputs: str | Iterable[str] | None = None) -> dict[str, Formula]:
    """Return a small formula for each output; see `formula`.

    Parameters
    ----------
    f : Network, TruthTable, mapping of str to Formula, or what `formula` takes
        A network takes binary inputs and ends in heaviside or hardmax neurons.
    inputs : str or iterable of str, optional
        As for `formula`.

    Returns
    -------
    dict of str to Formula

    Raises
    ------
    InputError
        As `formula`.

    Examples
    --------
    >>> from limen import logic
    >>> a, b, c = logic.inputs("a b c")
    >>> adder = logic.network({"sum": a ^ b ^ c, "carry": logic.majority(a, b, c)})
    >>> for name, small in formulas(adder).items():
    ...     print(f"{name}: {small}")
    sum: a xor b xor c
    carry: majority(a, b, c)
    """
    if not isinstance(f, Network | TruthTable | Mapping):
        question = asked(f, inputs=inputs)
        return {question.output: formula(f, inputs=inputs)}
    if isinstance(f, Mapping):
        given, names = named_formulas(f, inputs)
        return {name: formula(one, inputs=names) for name, one in given.items()}
    if f.n_inputs > MOST_INPUTS:
        raise InputError(
            f"Expected a function of at most {MOST_INPUTS} inputs. Received: {_text.plural(f.n_inputs, 'input')}."
            f" {REMEDY}."
        )
    table = f if isinstance(f, TruthTable) else truth_table(f, inputs=inputs)
    names = table.inputs if inputs is None else names_of(inputs)
    if len(names) != table.n_inputs:
        raise InputError(f"inputs must be {_text.plural(table.n_inputs, 'name')}. Received: {len(names)}.")
    return {name: _small(table.values[:, k], names) for k, name in enumerate(table.outputs)}


def _small(table: Array, names: Sequence[str]) -> Formula:
    """Return the small formula of a table, verified on every row."""
    parts = [Formula("input", name=name) for name in names]
    if (table == DONT_CARE).any():
        found = [_of_counts(table, parts)] if not len(table) >> MOST_WRITTEN + 1 else []
        whole = terms_formula(cover(table), names)
        opposite = np.where(table < 0, table, 1 - table).astype(np.int8)
        tables = (truth_table(whole, inputs=names).values[:, 0], _completed(opposite, names))
        found += [_taken_apart(completed, parts) for completed in tables]
        best = shorter([whole, *(one for one in found if one is not None)])
    else:
        best = _taken_apart(table, parts)
        terms = _bounded_cover(table, length(best) // 2 + 1)
        if terms is not None:
            best = shorter([best, terms_formula(terms, names)])
    if not holds_on(best, table, names):
        raise AssertionError("a formula must agree with its table")
    return with_inputs(best, tuple(names))


def _completed(opposite: Array, names: Sequence[str]) -> Array:
    """Return the table that holds where a cover of the opposite table doesn't."""
    values: Array = truth_table(terms_formula(cover(opposite), names), inputs=names).values[:, 0]
    return (1 - values).astype(np.int8)


def _bounded_cover(table: Array, most: int) -> list[Term] | None:
    """Return a cover of at most so many terms, or None; one of more terms than that is longer anyway."""
    try:
        return cover(table, min(most, MOST_TERMS))
    except InputError:
        return None


# Taking apart -------------------------------------------------------------------------------------------------


def _taken_apart(table: Array, parts: Sequence[Formula]) -> Formula:
    """Return a formula of a table over these parts, which stand for its inputs."""
    if table.all() or not table.any():
        return true if table[0] else false
    cube = table.reshape((2,) * len(parts))
    matters = [axis for axis in range(cube.ndim) if (cube.take(0, axis) != cube.take(1, axis)).any()]
    if len(matters) < len(parts):
        cube = cube[tuple(slice(None) if axis in matters else 0 for axis in range(cube.ndim))]
        return _taken_apart(cube.ravel(), [parts[axis] for axis in matters])
    if len(parts) == 1:
        return parts[0] if table[1] else negated(parts[0])
    candidates = []
    for way in (_of_counts, _one_first, _paired, _in_blocks):
        found = way(table, parts)
        if found is not None:
            candidates.append(found)
            break
    if not candidates or len(parts) <= MOST_WRITTEN:
        candidates += _written_out(table, parts)
    return shorter(candidates)


def _of_counts(table: Array, parts: Sequence[Formula]) -> Formula | None:
    """Return the formula if the function is one of how many parts, some of them negated, hold."""
    n = len(parts)
    signs = _signs(table, n)
    if signs is None:
        return None
    numbers = np.arange(len(table), dtype=np.int32)
    holding = sum((numbers >> (n - 1 - k) & 1) ^ sign for k, sign in enumerate(signs))
    values: list[int] = []
    for k in range(n + 1):
        level = table[holding == k]
        level = level[level >= 0]
        if level.size and level.min() != level.max():
            return None
        values.append(int(level[0]) if level.size else values[-1] if values else 0)
    return counted([negated(part) if sign else part for part, sign in zip(parts, signs, strict=True)], values)


def _signs(table: Array, n: int) -> list[int] | None:
    """Return which parts are to be negated so that all may be swapped with the first; none where rows are open."""
    if (table < 0).any():
        return [0] * n
    cube = table.reshape((2,) * n)
    signs = [0]
    for axis in range(1, n):
        pair = np.moveaxis(cube, (0, axis), (0, 1))
        if np.array_equal(pair[0, 1], pair[1, 0]):
            signs.append(0)
        elif np.array_equal(pair[0, 0], pair[1, 1]):
            signs.append(1)
        else:
            return None
    return signs


def _one_first(table: Array, parts: Sequence[Formula]) -> Formula | None:
    """Return the formula if one part alone forces, vetoes or flips the output."""
    cube = table.reshape((2,) * len(parts))
    for axis, part in enumerate(parts):
        rest = [*parts[:axis], *parts[axis + 1 :]]
        low, high = cube.take(0, axis).ravel(), cube.take(1, axis).ravel()
        if high.all() or not high.any():
            inner = _taken_apart(low, rest)
            return joined("or", [part, inner]) if high.all() else joined("and", [negated(part), inner])
        if low.all() or not low.any():
            inner = _taken_apart(high, rest)
            return joined("or", [negated(part), inner]) if low.all() else joined("and", [part, inner])
        if (low != high).all():
            odd, even = joined("xor", [part, _taken_apart(low, rest)]), None
            even = Formula("iff", (part, _taken_apart(high, rest)))
            return shorter([odd, even])
    return None


def _paired(table: Array, parts: Sequence[Formula]) -> Formula | None:
    """Return the formula if two parts matter only through one function of both."""
    cube = table.reshape((2,) * len(parts))
    for i, j in combinations(range(len(parts)), 2):
        pair = np.moveaxis(cube, (i, j), (0, 1)).reshape(4, -1)
        kinds = [0]
        others = [pair[0]]
        for k in range(1, 4):
            kind = next((m for m, other in enumerate(others) if np.array_equal(pair[k], other)), len(others))
            if kind == len(others):
                others.append(pair[k])
            kinds.append(kind)
        if len(others) > 2:
            continue
        rest = [part for k, part in enumerate(parts) if k not in {i, j}]
        inner = _taken_apart(np.array(kinds, dtype=np.int8), [parts[i], parts[j]])
        opposite = _taken_apart(np.array([1 - kind for kind in kinds], dtype=np.int8), [parts[i], parts[j]])
        if length(opposite) < length(inner):
            inner, others = opposite, others[::-1]
        return _taken_apart(np.concatenate(others), [inner, *rest])
    return None


def _in_blocks(table: Array, parts: Sequence[Formula]) -> Formula | None:
    """Return the formula if the function is a parity, disjunction or conjunction of blocks of parts."""
    n = len(parts)
    blocks = _components(np.flatnonzero(_monomials(table)), n)
    if len(blocks) > 1:
        pieces = [_restricted(table, block, np.zeros(n, dtype=int)) for block in blocks]
        odd = (sum(int(piece[0]) for piece in pieces) + int(table[0])) % 2
        if odd:
            pieces[0] = (1 - pieces[0]).astype(np.int8)
        return joined("xor", _each(pieces, blocks, parts))
    for kind, side in (("or", 1), ("and", 0)):
        terms = _bounded_cover((table == side).astype(np.int8), MOST_TERMS)
        if terms is None:
            continue
        masks = np.array([sum(1 << n - 1 - i for i, _ in term) for term in terms])
        blocks = _components(masks, n)
        if len(blocks) > 1:
            row = int(np.argmax(table != side))  # on it, every block is what leaves the others to decide
            bits = np.array([row >> n - 1 - k & 1 for k in range(n)])
            pieces = [_restricted(table, block, bits) for block in blocks]
            return joined("or" if kind == "or" else "and", _each(pieces, blocks, parts))
    return None


def _each(
    pieces: Sequence[Array], blocks: Sequence[Sequence[int]], parts: Sequence[Formula]
) -> list[Formula]:
    return [
        _taken_apart(piece, [parts[k] for k in block]) for piece, block in zip(pieces, blocks, strict=True)
    ]


def _restricted(table: Array, block: Sequence[int], bits: Array) -> Array:
    """Return the table of the parts of a block, the others having fixed values."""
    fixed = tuple(slice(None) if k in block else int(bit) for k, bit in enumerate(bits))
    piece: Array = table.reshape((2,) * len(bits))[fixed].ravel()
    return piece


def _monomials(table: Array) -> Array:
    """Return which conjunctions the function is the parity of, by the numbers of their rows."""
    cube = table.astype(np.int8).reshape((2,) * (len(table).bit_length() - 1)).copy()
    for axis in range(cube.ndim):
        view = np.moveaxis(cube, axis, 0)
        view[1] ^= view[0]
    return cube.ravel()


def _components(masks: Array, n: int) -> list[list[int]]:
    """Return the parts in groups: two are in one if some mask holds both, or a chain of masks joins them."""
    joins = [int(np.bitwise_or.reduce(masks[masks >> n - 1 - k & 1 == 1], initial=0)) for k in range(n)]
    groups: list[list[int]] = []
    left = list(range(n))
    while left:
        reached, seen = 1 << n - 1 - left[0], 0
        while reached != seen:
            seen = reached
            for k in range(n):
                if seen >> n - 1 - k & 1:
                    reached |= joins[k]
        groups.append([k for k in left if reached >> n - 1 - k & 1])
        left = [k for k in left if not reached >> n - 1 - k & 1]
    return groups


# What doesn't come apart --------------------------------------------------------------------------------------


def _written_out(table: Array, parts: Sequence[Formula]) -> list[Formula]:
    """Return the function as terms of either side, as a vote, and for few inputs case by case."""
    candidates = []
    opposite = (1 - table).astype(np.int8)
    holds = _bounded_cover(table, MOST_TERMS)
    doesnt = _bounded_cover(opposite, MOST_TERMS)
    if holds is not None:
        candidates.append(factored(holds, parts))
    if doesnt is not None:
        candidates.append(factored(doesnt, parts, dual=True))
        candidates.append(negated(factored(doesnt, parts)))
    vote = _vote(table, parts) if len(parts) > 3 else None  # of three, one stands first
    if vote is not None:
        candidates.append(vote)
    if not candidates:
        raise InputError(
            f"Expected a function with a formula of at most {MOST_TERMS:,} terms. Received: one of"
            f" {_text.plural(len(parts), 'input')} that needs more."
        )
    if len(parts) <= MOST_SPLIT:
        cube = table.reshape((2,) * len(parts))
        for axis, part in enumerate(parts):
            rest = [*parts[:axis], *parts[axis + 1 :]]
            low, high = (_taken_apart(cube.take(k, axis).ravel(), rest) for k in (0, 1))
            candidates.append(
                joined("or", [joined("and", [part, high]), joined("and", [negated(part), low])])
            )
    return candidates


def _vote(table: Array, parts: Sequence[Formula]) -> Formula | None:
    """Return an at_least in which parts count several times, if small weights are found that do it."""
    turned = unate(table)
    if turned is None:
        return None
    n = len(parts)
    cube: Array = np.flip(
        table.reshape((2,) * n).astype(bool), tuple(k for k, value in enumerate(turned) if not value)
    )
    least, greatest = cube.copy(), ~cube
    for axis in range(n):
        np.moveaxis(least, axis, 0)[1] &= ~np.moveaxis(cube, axis, 0)[0]
        np.moveaxis(greatest, axis, 0)[0] &= np.moveaxis(cube, axis, 0)[1]
    # Inputs of equal weight fire equally often; so few weights are sought, and few kinds of rows remain.
    often = [int(cube.take(1, axis).sum()) for axis in range(n)]
    groups = [[k for k in range(n) if often[k] == count] for count in sorted(set(often), reverse=True)]
    firing, resting = (
        np.unique(np.stack([np.argwhere(rows)[:, group].sum(axis=1) for group in groups], axis=1), axis=0)
        for rows in (least, greatest)
    )
    found = _weights(firing, resting, [len(group) for group in groups])
    if found is None:
        return None
    weight = {k: found[g] for g, group in enumerate(groups) for k in group}
    need = found[-1]
    listed = [parts[k] if turned[k] else negated(parts[k]) for k in range(n) for _ in range(weight[k])]
    numbers = np.arange(len(table), dtype=np.int32)
    total = sum(
        weight[k] * ((numbers >> (n - 1 - k) & 1) == value).astype(np.int32) for k, value in enumerate(turned)
    )
    return at_least(need, listed) if np.array_equal(total >= need, table == 1) else None


def _weights(firing: Array, resting: Array, sizes: Sequence[int]) -> list[int] | None:
    """Return small weights of groups, and last what is needed, so that the ones reach it and the others don't.

    Conditions are added as they are found to be broken: few of many thousands count.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    rows = np.hstack(
        [
            np.concatenate([firing, -resting]),
            np.repeat([-1, 1], [len(firing), len(resting)])[:, np.newaxis],
        ]
    )
    lower = np.repeat([0, 1], [len(firing), len(resting)])
    used = np.zeros(len(rows), dtype=bool)
    used[:: max(1, len(rows) // AT_ONCE)] = True
    for _ in range(ROUNDS):
        result = milp(
            np.array([*sizes, 0.0]),
            constraints=[
                LinearConstraint(rows[used].astype(float), lower[used], np.inf),
                LinearConstraint(np.array([[*sizes, 0.0]]), 0, HEAVIEST),
            ],
            integrality=np.ones(len(sizes) + 1),
            bounds=Bounds(0, HEAVIEST),
            options={"node_limit": 1000},
        )
        if result.x is None:
            return None
        found = np.rint(result.x).astype(np.int64)
        slack = rows @ found - lower
        if (slack >= 0).all():
            return [int(weight) for weight in found]
        used[np.argsort(slack)[:AT_ONCE]] = True
    return None
