"""One neuron → its prime implicants: the values that are just enough to make it fire.

An *implicant* is a set of values of inputs that make the neuron fire whatever the other inputs are; it is *prime* if
none of the values can be left out. A neuron never looks at both values of an input, so all its prime implicants
together, as a disjunction of conjunctions, are its only irredundant such formula, and its shortest.

They are found by branch and bound on inputs in falling order of their points (`limen.logic._points`): every branch that
is followed ends in at least one of them, so the time is in proportion to what is found.

References
----------
Y. Crama and P. L. Hammer (2011), "Boolean Functions", Cambridge University Press, chapters 1 and 9.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for threshold functions as unate functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from limen.errors import InputError, NotExactError
from limen.logic._points import Diagram, Points, points_of
from limen.logic.connectives import false, true
from limen.logic.proposition import Formula
from limen.network import Network

__all__ = [
    "checked_limit",
    "conjunction",
    "disjunction",
    "literal",
    "minimal_formula",
    "prime_implicants",
    "with_inputs",
]

MOST = 100_000


def prime_implicants(net: Network, *, most: int = MOST) -> tuple[dict[str, int], ...]:
    """Return the prime implicants of one neuron, each as a mapping of inputs to values.

    Parameters
    ----------
    net : Network
        One heaviside neuron on binary inputs.
    most : int, default 100_000
        More of them are refused; they are counted before they are listed.

    Returns
    -------
    tuple of dict of str to int
        Inputs with many points first. None where the neuron never fires, one empty mapping where it always does.

    Raises
    ------
    InputError
        Not one heaviside neuron on binary inputs, or more than `most` prime implicants: the message holds the number.
    NotExactError
        Floats that no int64 weights can replace.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> net = Network(Layer([[2], [1], [-1]], [-2]), ["a", "b", "c"], domain="binary")
    >>> prime_implicants(net)
    ({'a': 1, 'b': 1}, {'a': 1, 'c': 0})
    """
    vote = points_of(net)
    return tuple(
        {vote.names[i]: vote.scores[i] for i in chosen} for chosen in primes_of(vote, checked_limit(most))
    )


def minimal_formula(net: Network, *, most: int = MOST) -> Formula:
    """Return one neuron as a disjunction of conjunctions, the only irredundant one.

    Parameters
    ----------
    net : Network
        One heaviside neuron on binary inputs.
    most : int, default 100_000
        Conjunctions.

    Returns
    -------
    Formula
        With all inputs of the network as its inputs.

    Raises
    ------
    InputError, NotExactError
        As `prime_implicants`.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> print(minimal_formula(Network(Layer([[2], [1], [-1]], [-2]), ["a", "b", "c"], domain="binary")))
    a and b or a and not c
    """
    return with_inputs(disjunction(prime_implicants(net, most=most)), net.inputs)


def primes_of(vote: Points, most: int) -> list[tuple[int, ...]]:
    """Return the prime implicants of a vote as tuples of the numbers of inputs that score; refuse more than `most`."""
    number = n_primes(vote)
    if number is not None and number > most:
        raise InputError(
            f"Expected a neuron of at most {most:,} prime implicants. Received: one of {number:,}. Read it with"
            " logic.rules, or raise most."
        )
    found = []
    for chosen in _primes(vote):
        found.append(chosen)
        if len(found) > most:
            raise InputError(
                f"Expected a neuron of at most {most:,} prime implicants. Received: one of more than {most:,}. Read it"
                " with logic.rules, or raise most."
            )
    return found


def n_primes(vote: Points) -> int | None:
    """Return how many prime implicants a vote has, or None where its decision diagram is too large."""
    try:
        diagram = Diagram(vote.sizes, vote.need)
    except NotExactError:
        return None
    counts = [0, 1]
    for node in range(2, len(diagram.level)):  # the input that completes one is the lightest in it
        counts.append(counts[diagram.high[node]] + counts[diagram.low[node]])
    return counts[diagram.root]


def _primes(vote: Points) -> Iterator[tuple[int, ...]]:
    sizes, n = vote.sizes, len(vote.sizes)
    if vote.need <= 0:
        yield ()
        return
    rest = [0] * (n + 1)
    for i in range(n - 1, -1, -1):
        rest[i] = rest[i + 1] + sizes[i]
    pending: list[tuple[int, int, tuple[int, ...]]] = [(0, vote.need, ())]
    while pending:
        i, need, chosen = pending.pop()
        if need > rest[i]:
            continue
        pending.append((i + 1, need, chosen))
        if need <= sizes[i]:
            yield (*chosen, i)
        else:
            pending.append((i + 1, need - sizes[i], (*chosen, i)))


# Formulas of values -------------------------------------------------------------------------------------------


def literal(name: str, value: int) -> Formula:
    """Return "the input has this value"."""
    wire = Formula("input", name=name)
    return wire if value else ~wire


def conjunction(term: Mapping[str, int]) -> Formula:
    """Return "all inputs have these values"."""
    whole: Formula | None = None
    for name, value in term.items():
        part = literal(name, value)
        whole = part if whole is None else whole & part
    return true if whole is None else whole


def disjunction(terms: Iterable[Mapping[str, int]]) -> Formula:
    """Return "all values of one of these hold"."""
    whole: Formula | None = None
    for term in terms:
        part = conjunction(term)
        whole = part if whole is None else whole | part
    return false if whole is None else whole


def with_inputs(formula: Formula, inputs: tuple[str, ...]) -> Formula:
    """Return the formula with these inputs, in this order, some of which it needn't use."""
    return Formula(formula.kind, formula.parts, formula.name, formula.count, inputs)


def checked_limit(most: Any) -> int:
    """Return how many are allowed, if it is a whole number."""
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 0:
        raise InputError(f"most must be a whole number, 0 or more. Received: {most!r}.")
    return int(most)
