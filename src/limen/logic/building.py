"""`Formula` → `Network`: `network`.

Formulas become literals and gates (`limen.logic.gates`) from the inside out, gates become layers
(`limen.logic.layout`). On the way, chains are gathered, however they were bracketed: a conjunction takes in the
parts of the conjunctions inside it (and, by De Morgan's laws, of the negated disjunctions and implications), a parity
those of ``xor`` and ``iff``. A part that is used elsewhere too keeps its own neuron.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from limen import _text
from limen._door import unique_names
from limen.errors import InputError
from limen.logic.connectives import names_of
from limen.logic.gates import FALSE, TRUE, Gates, Literal
from limen.logic.layout import lay_out
from limen.logic.proposition import Formula, checked, inputs_of, postorder
from limen.network import Network

__all__ = ["named_formulas", "network"]


def network(
    formula: Formula | Mapping[str, Formula], *, inputs: str | Iterable[str] | None = None
) -> Network:
    """Return the network of threshold neurons that computes one or several formulas.

    The identity, *not*, *and*, *or*, ``a & ~b``, ``implies``, ``at_least``, ``at_most`` and ``majority`` of inputs or
    negated inputs are one neuron each; so is whatever adds inputs to one neuron by *and* and *or*, such as
    ``a & (b | c)``. Anything else becomes layers. Equal parts become one neuron. (*Not* is the always-active bias
    neuron against an inhibitory input: ``1 − a`` reaches 1, written ``−a ≥ 0``.)

    Parameters
    ----------
    formula : Formula, or mapping of str to Formula
        One formula (its output is called ``y``), or a formula for each named output.
    inputs : str or iterable of str, optional
        Names and order of the inputs; may hold more than the formulas use. Default: the formulas' own.

    Returns
    -------
    Network
        Exact: heaviside layers, int64 weights, binary domain. Agrees with the formulas on all rows of inputs.

    Raises
    ------
    InputError
        Not a formula, no formula, or a formula uses an input that isn't in `inputs`.

    References
    ----------
    W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous activity".

    Examples
    --------
    >>> from limen import logic
    >>> a, b, c = logic.inputs("a b c")
    >>> print(network({"c": a & ~b}))
    Network: 2 inputs → 1 heaviside
    c fires when a − b ≥ 1
    >>> print(network(a & (b | ~c)))
    Network: 3 inputs → 1 heaviside
    y fires when 2·a + b − c ≥ 2
    >>> print(network({"sum": a ^ b, "carry": a & b}))
    Network: 2 inputs → 2 heaviside → 2 heaviside
    h1.1 fires when a + b ≥ 1
    h1.2 fires when a + b ≥ 2
    sum fires when h1.1 − h1.2 ≥ 1
    carry fires when h1.2 ≥ 1
    """
    formulas, names = named_formulas(formula, inputs)
    gates = Gates(len(names))
    literals = _literals(gates, list(formulas.values()), {n: gates.input(i) for i, n in enumerate(names)})
    return lay_out(gates, dict(zip(formulas, literals, strict=True)), names)


def named_formulas(
    formula: Formula | Mapping[str, Formula], inputs: str | Iterable[str] | None
) -> tuple[dict[str, Formula], tuple[str, ...]]:
    """Return a formula for each output, and the inputs, both checked."""
    if isinstance(formula, Mapping):
        formulas = {name: checked(part) for name, part in formula.items()}
        if not formulas:
            raise InputError("Expected a formula for at least one output. Received: none.")
    else:
        formulas = {"y": checked(formula)}
    unique_names(list(formulas), "outputs", "y", len(formulas))
    used = inputs_of(formulas.values())
    if inputs is None:
        return formulas, used
    names = names_of(inputs)
    known = set(names)
    unknown = [name for name in used if name not in known]
    if unknown:
        raise InputError(
            f"inputs must hold every input of the formulas ({_text.listing(used)}). Received: no"
            f" {_text.listing(unknown)}."
        )
    return formulas, names


def _literals(gates: Gates, formulas: list[Formula], wires: Mapping[str, Literal]) -> list[Literal]:
    """Return the literal of each formula."""
    uses = Counter(id(formula) for formula in formulas)
    for node in postorder(formulas):
        uses.update(id(part) for part in node.parts)
    known: dict[int, Literal] = {}
    gathered: dict[int, tuple[list[Formula], Callable[[list[Literal]], Literal]]] = {}
    pending = formulas[::-1]
    while pending:
        node = pending[-1]
        if id(node) in known:
            pending.pop()
        elif id(node) not in gathered:
            gathered[id(node)] = parts, _ = _gathered(node, uses, gates, wires)
            pending += reversed(parts)
        else:
            pending.pop()
            parts, combine = gathered.pop(id(node))
            known[id(node)] = combine([known[id(part)] for part in parts])
    return [known[id(formula)] for formula in formulas]


def _gathered(
    node: Formula, uses: Mapping[int, int], gates: Gates, wires: Mapping[str, Literal]
) -> tuple[list[Formula], Callable[[list[Literal]], Literal]]:
    """Return the formulas that a node's literal is made of, and how their literals make it."""
    junction = _junction(node)
    if junction:
        turned = int(junction != "and")  # a disjunction is what isn't a conjunction of negations
        parts, signs = _spread(node, turned, _all, uses)
        return parts, lambda p: gates.conjunction(x ^ s for x, s in zip(p, signs, strict=True)) ^ turned
    match node.kind:
        case "input":
            return [], lambda _: wires[node.name]
        case "constant":
            return [], lambda _: TRUE if node.count else FALSE
        case "not":
            return [node.parts[0]], lambda p: p[0] ^ 1
        case "at_most":
            return list(node.parts), lambda p: gates.at_least(node.count + 1, p) ^ 1
        case "exactly":
            return list(node.parts), lambda p: gates.exactly(node.count, p)
        case "xor" | "iff":
            parts, signs = _spread(node, 0, _odd, uses)
            return parts, lambda p: gates.parity([TRUE] * (sum(signs) % 2) + p)
        case _:
            return list(node.parts), lambda p: gates.at_least(_needed(node), p)


def _needed(node: Formula) -> int:
    """Return how many parts of an ``at_least`` or a ``majority`` must hold."""
    return node.count if node.kind == "at_least" else len(node.parts) // 2 + 1


def _junction(node: Formula) -> str:
    """Return ``and``, ``or`` or ``implies`` for a formula that is one of them, whatever its kind, else nothing."""
    if node.kind in {"and", "or", "implies"}:
        return node.kind
    if node.kind in {"at_least", "majority"}:
        k = _needed(node)
        return "and" if k == len(node.parts) else "or" if k == 1 else ""
    return ""


_Signed: TypeAlias = tuple[Formula, int]  # a formula, and 1 if its negation is meant


def _spread(
    node: Formula, sign: int, rule: Callable[[Formula, int], list[_Signed]], uses: Mapping[int, int]
) -> tuple[list[Formula], list[int]]:
    """Return what a node comes apart into by a rule, left to right, and the signs; shared parts stay whole."""
    parts, signs = [], []
    pending = rule(node, sign)[::-1]
    while pending:
        part, sign = pending.pop()
        inner = rule(part, sign) if uses[id(part)] == 1 else []
        if inner:
            pending += reversed(inner)
        else:
            parts.append(part)
            signs.append(sign)
    return parts, signs


def _all(node: Formula, sign: int) -> list[_Signed]:
    """Return the signed formulas that must all hold for the signed `node` to hold, or none if it is no such."""
    if node.kind == "not":
        return [(node.parts[0], 1 - sign)]
    junction = _junction(node)
    if junction == "implies":
        return [(node.parts[0], 0), (node.parts[1], 1)] if sign else []
    return [(part, sign) for part in node.parts] if junction == ("or" if sign else "and") else []


def _odd(node: Formula, sign: int) -> list[_Signed]:
    """Return signed formulas of which `node` is the parity; the signs that are 1 are counted."""
    match node.kind:
        case "not":
            return [(node.parts[0], 1 - sign)]
        case "xor":
            return [(node.parts[0], sign), (node.parts[1], 0)]
        case "iff":
            return [(node.parts[0], 1 - sign), (node.parts[1], 0)]
        case _:
            return []
