"""Forms of formulas that shorten: chains, terms with what they share taken out, and counts.

`joined` makes one flat chain of parts; `factored` writes a cover so that an input that several terms share stands once;
`counted` writes a function of *how many* of its parts hold: at least, at most or exactly so many, a majority, a parity.

References
----------
R. K. Brayton (1987), "Factoring logic functions", IBM Journal of Research and Development 31: literal factoring.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for symmetric functions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from limen.logic.connectives import at_least, at_most, exactly, false, iff, majority, true
from limen.logic.proposition import Formula, Kind
from limen.logic.two_level import Term, length

__all__ = ["counted", "factored", "joined", "negated", "shorter"]


def shorter(candidates: Sequence[Formula]) -> Formula:
    """Return the shortest of some formulas, the first of equals."""
    return min(candidates, key=length)


def negated(part: Formula) -> Formula:
    """Return "this doesn't hold", without a double negation.

    Examples
    --------
    >>> from limen import logic
    >>> a, b = logic.inputs("a b")
    >>> print(negated(~a), "|", negated(a | b), "|", negated(logic.at_least(2, a, b)))
    a | not (a or b) | at_most(1, a, b)
    """
    match part.kind:
        case "not":
            return part.parts[0]
        case "constant":
            return false if part.count else true
        case "at_least":
            return at_most(part.count - 1, part.parts)
        case "at_most":
            return at_least(part.count + 1, part.parts)
        case "xor":
            return iff(*part.parts)
        case "iff":
            return part.parts[0] ^ part.parts[1]
        case _:
            return ~part


def joined(kind: Kind, parts: Sequence[Formula]) -> Formula:
    """Return the parts in one chain of ``and``, ``or`` or ``xor``; those of a part of the same kind join it.

    Examples
    --------
    >>> from limen import logic
    >>> a, b, c = logic.inputs("a b c")
    >>> print(joined("and", [a, b & c]))
    a and b and c
    """
    flat: list[Formula] = []
    for part in parts:
        chain = []
        while part.kind == kind:
            part, last = part.parts
            chain.append(last)
        flat += [part, *reversed(chain)]
    if not flat:
        return true if kind == "and" else false
    whole = flat[0]
    for part in flat[1:]:
        whole = Formula(kind, (whole, part))
    return whole


# Terms --------------------------------------------------------------------------------------------------------


def factored(terms: Sequence[Term], parts: Sequence[Formula], *, dual: bool = False) -> Formula:
    """Return a cover as a formula in which what terms share is written once, over and over.

    Never longer than the cover itself. With `dual`, the cover is one of the rows on which the function does *not* hold,
    and what comes back holds on the others: *and* and *or* change places, and every value is turned.

    Examples
    --------
    >>> from limen import logic
    >>> parts = logic.inputs("a b c")
    >>> print(factored([((0, 1), (1, 1)), ((0, 1), (2, 0))], parts))
    a and (b or not c)
    """
    both: Kind = "or" if dual else "and"
    either: Kind = "and" if dual else "or"

    def literal(i: int, value: int) -> Formula:
        return parts[i] if value != dual else negated(parts[i])

    def written(terms: list[Term]) -> Formula:
        if any(not term for term in terms):
            return false if dual else true
        counts = Counter(pair for term in terms for pair in term)
        shared = [pair for pair in terms[0] if counts[pair] == len(terms)] if terms else []
        if shared:
            rest = [tuple(pair for pair in term if pair not in shared) for term in terms]
            listed = [literal(*pair) for pair in shared]
            return joined(both, [*listed, written(rest)] if all(rest) else listed)
        pair, times = min(counts.items(), key=lambda item: (-item[1], item[0]), default=((0, 0), 0))
        if times < 2:
            return joined(either, [joined(both, [literal(*p) for p in term]) for term in terms])
        inside = [term for term in terms if pair in term]
        outside = [term for term in terms if pair not in term]
        return joined(either, [written(inside), written(outside)])

    return written(list(terms))


# Counts -------------------------------------------------------------------------------------------------------


def counted(parts: Sequence[Formula], values: Sequence[int]) -> Formula:
    """Return the shortest form known of the function whose value is ``values[k]`` where `k` of the parts hold.

    Examples
    --------
    >>> from limen import logic
    >>> parts = logic.inputs("a b c")
    >>> for values in ([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 1, 1]):
    ...     print(counted(parts, values))
    majority(a, b, c)
    a xor b xor c
    (a or b or c) and not (a and b and c)
    not exactly(1, a, b, c)
    """
    candidates: list[Formula] = []
    for turned in (False, True):
        own = [negated(part) for part in parts] if turned else list(parts)
        n_holding = list(values)[::-1] if turned else list(values)
        opposite = [1 - value for value in n_holding]
        candidates.append(joined("or", [_between(own, a, b) for a, b in _runs(n_holding)]))
        candidates.append(negated(joined("or", [_between(own, a, b) for a, b in _runs(opposite)])))
    if all(a != b for a, b in pairwise(values)):
        odd = joined("xor", parts)
        candidates.append(negated(odd) if values[0] else odd)
    return shorter(candidates)


def _runs(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last place of every run of ones."""
    start = None
    for k, value in enumerate([*values, 0]):
        if value and start is None:
            start = k
        elif not value and start is not None:
            yield start, k - 1
            start = None


def _between(parts: Sequence[Formula], a: int, b: int) -> Formula:
    """Return "from `a` to `b` of the parts hold"."""
    n = len(parts)
    if a == b and 0 < a < n:
        return exactly(a, parts)
    bounds = [_from(parts, a)] if a else []
    if b < n:
        above = _from(parts, b + 1)
        bounds.append(at_most(b, parts) if above.kind in {"at_least", "majority"} else negated(above))
    return joined("and", bounds)


def _from(parts: Sequence[Formula], k: int) -> Formula:
    """Return "`k` or more of the parts hold", `k` being at least 1."""
    if k in {1, len(parts)}:
        return joined("or" if k == 1 else "and", parts)
    return majority(parts) if k == len(parts) // 2 + 1 else at_least(k, parts)
