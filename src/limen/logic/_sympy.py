"""Formulas ↔ SymPy's Boolean expressions: `from_sympy`, `to_sympy`. The only file that imports SymPy.

What both know goes over as it is. SymPy has no "k of n": a count becomes a decision diagram of nested ``ITE`` (if, then,
else) in which equal parts are one object, so that ``at_least(k, …)`` of n parts has at most ``k * (n - k + 1)`` of them.
Both ways, parts that are shared stay shared; written out in full, such an expression can be very long all the same.

References
----------
A. Meurer et al. (2017), "SymPy: symbolic computing in Python", PeerJ Computer Science 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from limen._door import unique_names
from limen.errors import InputError, MissingExtraError
from limen.logic.connectives import false, iff, implies, names_of, true
from limen.logic.primes import with_inputs
from limen.logic.proposition import Formula, checked, postorder

__all__ = ["from_sympy", "to_sympy"]


def from_sympy(expression: Any, *, inputs: str | Iterable[str] | None = None) -> Formula:
    """Return one of SymPy's Boolean expressions as a formula.

    Parameters
    ----------
    expression : sympy expression or bool
        Made of symbols, ``true``, ``false``, ``And``, ``Or``, ``Not``, ``Xor``, ``Implies``, ``Equivalent``, ``ITE``, and,
        where they stand unevaluated, ``Nand``, ``Nor`` and ``Xnor``.
    inputs : str or iterable of str, optional
        Names and order of the inputs; may hold more than it uses. Default: its symbols, sorted by name, since SymPy keeps no
        order of its own.

    Returns
    -------
    Formula

    Raises
    ------
    InputError
        Something else in it: a number, a relation such as ``x > 1``, another function; two different symbols of one name.
    MissingExtraError
        SymPy isn't installed.

    Examples
    --------
    >>> import sympy
    >>> a, b, c = sympy.symbols("a b c")
    >>> print(from_sympy(a & ~b | sympy.Xor(b, c)))
    b xor c or a and not b
    """
    sympy = _sympy()
    makers = _makers(sympy)
    root = sympy.sympify(expression) if isinstance(expression, bool) else expression
    if not isinstance(root, sympy.Basic):
        raise InputError(
            f"Expected one of SymPy's Boolean expressions. Received: {expression!r}. Turn text into a formula with"
            " logic.parse."
        )
    known: dict[Any, Formula] = {}
    symbols: dict[str, Any] = {}
    pending = [root]
    while pending:
        node = pending[-1]
        if node in known:
            pending.pop()
        elif isinstance(node, sympy.Symbol):
            if symbols.setdefault(node.name, node) != node:
                raise InputError(
                    f"Expected one symbol for each name. Received: two different ones called {node.name}."
                )
            known[node] = Formula("input", name=unique_names([node.name], "inputs", "x", 1)[0])
        elif node in (sympy.true, sympy.false):
            known[node] = true if node == sympy.true else false
        elif type(node) in makers:
            missing = [part for part in node.args if part not in known]
            if missing:
                pending += missing
            else:
                known[node] = makers[type(node)]([known[part] for part in node.args])
        else:
            raise InputError(
                "Expected symbols, true, false, And, Or, Not, Xor, Implies, Equivalent and ITE. Received:"
                f" {type(node).__name__}: {node}. Name what isn't Boolean as an input of its own."
            )
    names = tuple(sorted(symbols)) if inputs is None else names_of(inputs)
    unknown = [name for name in sorted(symbols) if name not in set(names)]
    if unknown:
        raise InputError(f"inputs must hold every symbol. Received: no {', '.join(unknown)}.")
    return with_inputs(known[root], names)


def to_sympy(formula: Formula) -> Any:
    """Return a formula as one of SymPy's Boolean expressions.

    Parameters
    ----------
    formula : Formula

    Returns
    -------
    sympy expression
        Of a symbol for each input. SymPy may reorder and simplify a little as it builds it. At least, at most and exactly k
        and majorities are nested ``ITE``.

    Raises
    ------
    InputError
        Not a formula, or one nested too deeply for SymPy.
    MissingExtraError
        SymPy isn't installed.

    Examples
    --------
    >>> from limen import logic
    >>> print(to_sympy(logic.parse("a and not b or c")))
    c | (a & ~b)
    >>> print(to_sympy(logic.parse("at_least(2, a, b, c)")))
    ITE(a, ITE(b, True, c), ITE(b, c, False))
    """
    sympy = _sympy()
    known: dict[int, Any] = {}
    try:
        for node in postorder([checked(formula)]):
            known[id(node)] = _expression(node, [known[id(part)] for part in node.parts], sympy)
    except RecursionError:
        raise InputError(
            "The formula is nested more deeply than SymPy can hold. Write chains as at_least or from fewer parts."
        ) from None
    return known[id(formula)]


def _sympy() -> Any:
    try:
        import sympy
    except ImportError:
        raise MissingExtraError("sympy", "sympy") from None
    return sympy


def _makers(sympy: Any) -> dict[Any, Callable[[list[Formula]], Formula]]:
    """Return how each of SymPy's functions is made of its parts."""

    def chain(kind: Any, empty: Formula) -> Callable[[list[Formula]], Formula]:
        return lambda parts: reduce(lambda p, q: Formula(kind, (p, q)), parts) if parts else empty

    conjunction, disjunction, parity = chain("and", true), chain("or", false), chain("xor", false)
    return {
        sympy.And: conjunction,
        sympy.Or: disjunction,
        sympy.Xor: parity,
        sympy.Not: lambda parts: ~parts[0],
        sympy.Nand: lambda parts: ~conjunction(parts),
        sympy.Nor: lambda parts: ~disjunction(parts),
        sympy.logic.boolalg.Xnor: lambda parts: ~parity(parts),
        sympy.Implies: lambda parts: implies(*parts),
        # Equivalent says that all are equal, which is not what a chain of iff says of three.
        sympy.Equivalent: lambda parts: conjunction([iff(parts[0], part) for part in parts[1:]]),
        sympy.ITE: lambda parts: parts[0] & parts[1] | ~parts[0] & parts[2],
    }


def _expression(node: Formula, parts: list[Any], sympy: Any) -> Any:
    match node.kind:
        case "input":
            return sympy.Symbol(node.name)
        case "constant":
            return sympy.true if node.count else sympy.false
        case "not":
            return sympy.Not(parts[0])
        case "and":
            return sympy.And(*parts)
        case "or":
            return sympy.Or(*parts)
        case "xor":
            return sympy.Xor(*parts)
        case "implies":
            return sympy.Implies(*parts)
        case "iff":
            return sympy.Equivalent(*parts)
        case "at_least":
            return _between(parts, node.count, len(parts), sympy)
        case "at_most":
            return _between(parts, 0, node.count, sympy)
        case "exactly":
            return _between(parts, node.count, node.count, sympy)
        case "majority":
            return _between(parts, len(parts) // 2 + 1, len(parts), sympy)


def _between(parts: list[Any], low: int, high: int, sympy: Any) -> Any:
    """Return "from `low` to `high` of the parts hold" as nested if-then-else, from the last part to the first."""
    n = len(parts)
    # cases[k]: what remains to hold of the parts from here on where k of those before do.
    cases = [sympy.true if low <= k <= high else sympy.false for k in range(n + 1)]
    for place in range(n - 1, -1, -1):
        cases = [
            cases[k] if cases[k] is cases[k + 1] else sympy.ITE(parts[place], cases[k + 1], cases[k])
            for k in range(place + 1)
        ]
    return cases[0]
