"""The value `Formula`: a proposition about named inputs, built from operators and functions.

A formula is a tree. Its leaves are inputs and constants; every other formula has a *kind* and *parts*:

=============  ======================  =====================================================
kind           written                 holds when
=============  ======================  =====================================================
``input``      ``a``                   the input is 1
``constant``   ``true``, ``false``     always, never
``not``        ``~p``                  `p` doesn't hold
``and``        ``p & q``               both hold
``or``         ``p | q``               at least one holds
``xor``        ``p ^ q``               exactly one of the two holds
``implies``    ``implies(p, q)``       `p` doesn't hold or `q` holds
``iff``        ``iff(p, q)``           both hold or neither
``at_least``   ``at_least(k, p, …)``   `k` or more of the parts hold
``at_most``    ``at_most(k, p, …)``    `k` or fewer hold
``exactly``    ``exactly(k, p, …)``    `k` hold, no more and no fewer
``majority``   ``majority(p, …)``      more than half hold
=============  ======================  =====================================================

Formulas are frozen and compare by structure: ``a & b == b & a`` is False although both mean the same. (Whether two
formulas mean the same is asked of their truth tables.) Parts may be shared, and no function here recurses, so
depth is limited by memory alone. There is no ``>>`` for *implies*: in Python it binds more tightly than ``&``,
which is not how a formula is read.

`evaluate` and a call are the definition of what a formula means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeAlias, final

import numpy as np

from limen import _text
from limen._door import unique_names
from limen.errors import InputError
from limen.logic import notation
from limen.logic.notation import MAX_COUNT

__all__ = ["Formula", "Kind", "checked", "evaluate", "inputs_of", "postorder"]

Kind: TypeAlias = Literal[
    "input",
    "constant",
    "not",
    "and",
    "or",
    "xor",
    "implies",
    "iff",
    "at_least",
    "at_most",
    "exactly",
    "majority",
]

N_PARTS: dict[str, int | None] = {
    "input": 0,
    "constant": 0,
    "not": 1,
    "and": 2,
    "or": 2,
    "xor": 2,
    "implies": 2,
    "iff": 2,
    "at_least": None,
    "at_most": None,
    "exactly": None,
    "majority": None,
}
"""How many parts a formula of each kind has; None is any number."""


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Formula:
    """A proposition about named inputs; made by `inputs`, operators, functions and `parse`.

    Parameters
    ----------
    kind : str
        One of the kinds in the table above.
    parts : tuple of Formula
        What it is made of.
    name : str
        The input's name, if it is an input.
    count : int
        The `k` of ``at_least``, ``at_most`` and ``exactly``; 0 or 1 for a constant.

    Raises
    ------
    InputError
        Parts, name or count don't fit the kind.

    Examples
    --------
    >>> from limen import logic
    >>> a, b = logic.inputs("a b")
    >>> a & ~b
    a & ~b
    >>> print(a & ~b)
    a and not b
    >>> (a & ~b)(a=1, b=0)
    True
    """

    kind: Kind
    parts: tuple[Formula, ...] = ()
    name: str = ""
    count: int = 0

    # An order of inputs that was declared, the inputs once they were asked for, and the hash of the structure.
    _declared: tuple[str, ...] | None = field(default=None)
    _inputs: tuple[str, ...] | None = field(default=None, init=False)
    _hash: int = field(default=0, init=False)

    # NumPy then leaves `array & formula` to this class, which refuses it by name.
    __array_ufunc__ = None

    def __post_init__(self) -> None:
        if self.kind not in N_PARTS:
            raise InputError(f"kind must be one of {', '.join(N_PARTS)}. Received: {self.kind!r}.")
        if not isinstance(self.parts, tuple | list):
            raise InputError(f"parts must be a tuple of formulas. Received: {self.parts!r}.")
        object.__setattr__(self, "parts", tuple(self.parts))
        for part in self.parts:
            checked(part)
        if N_PARTS[self.kind] not in {None, len(self.parts)}:
            raise InputError(
                f"A formula of kind {self.kind!r} has {_text.plural(N_PARTS[self.kind] or 0, 'part')}."
                f" Received: {len(self.parts)}."
            )
        if self.kind == "input":
            unique_names([self.name], "inputs", "x", 1)
        object.__setattr__(self, "count", whole_number(self.count))
        if self.kind == "constant" and self.count not in {0, 1}:
            raise InputError(f"A constant is 0 or 1. Received: {self.count}.")
        structure = (self.kind, self.name, self.count, tuple(part._hash for part in self.parts))
        object.__setattr__(self, "_hash", hash(structure))

    def __init_subclass__(cls) -> None:
        raise TypeError("Formula is a value and can't be subclassed; write a function that returns one.")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs: in declared order, otherwise in order of first appearance."""
        if self._inputs is None:
            object.__setattr__(self, "_inputs", inputs_of([self]))
        assert self._inputs is not None
        return self._inputs

    def __and__(self, other: Formula) -> Formula:
        return Formula("and", (self, checked(other)))

    def __or__(self, other: Formula) -> Formula:
        return Formula("or", (self, checked(other)))

    def __xor__(self, other: Formula) -> Formula:
        return Formula("xor", (self, checked(other)))

    def __invert__(self) -> Formula:
        return Formula("not", (self,))

    def _refuse(self, other: object) -> NoReturn:
        checked(other)
        raise InputError("Expected a formula on both sides.")

    __rand__ = __ror__ = __rxor__ = _refuse

    def __bool__(self) -> bool:
        raise InputError(
            "A formula has no truth value until its inputs have values. Use &, | and ~ instead of and, or and"
            " not; `is` or == to compare its structure; a call such as f(a=1, b=0) to evaluate it."
        )

    def __call__(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> bool:
        """Tell whether the formula holds.

        Parameters
        ----------
        values : mapping of str to 0 or 1, optional
            A value for each input, for names that aren't Python's.
        **named : 0 or 1
            The same by keyword.

        Raises
        ------
        InputError
            An input without a value, a name that isn't an input, a value other than 0, 1, False or True.

        Examples
        --------
        >>> from limen import logic
        >>> old, b = logic.inputs(["age >= 35", "b"])
        >>> (old ^ b)({"age >= 35": 1}, b=True)
        False
        """
        if values is not None and not isinstance(values, Mapping):
            raise InputError(f"Expected a mapping of names to 0 or 1. Received: {values!r}.")
        given = {**(values or {}), **named}
        expected = set(self.inputs)
        missing = [name for name in self.inputs if name not in given]
        unknown = [str(name) for name in given if name not in expected]
        if missing or unknown:
            wrong = f"nothing for {_text.listing(missing)}" if missing else _text.listing(unknown)
            raise InputError(
                f"Expected a value for each input ({_text.listing(self.inputs)}) and no other."
                f" Received: {wrong}."
            )
        return bool(evaluate([self], {name: _bit(name, value) for name, value in given.items()})[0])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Formula):
            return NotImplemented
        pending, seen = [(self, other)], set()
        while pending:
            p, q = pending.pop()
            if p is q or (id(p), id(q)) in seen:
                continue
            seen.add((id(p), id(q)))
            if (p._hash, p.kind, p.name, p.count) != (q._hash, q.kind, q.name, q.count):
                return False
            if len(p.parts) != len(q.parts):
                return False
            pending += zip(p.parts, q.parts, strict=True)
        return True

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return notation.write(self, notation.SYMBOLS)

    def __str__(self) -> str:
        return notation.write(self, notation.WORDS)

    def __copy__(self) -> Formula:
        return self

    def __deepcopy__(self, memo: object) -> Formula:
        return self

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        # A flat list: pickle would recurse into the parts, and copy the shared ones.
        nodes = postorder([self])
        place = {id(node): index for index, node in enumerate(nodes)}
        flat = [
            (node.kind, tuple(place[id(part)] for part in node.parts), node.name, node.count, node._declared)
            for node in nodes
        ]
        return _restored, (flat,)


def _restored(flat: Sequence[tuple[Kind, tuple[int, ...], str, int, tuple[str, ...] | None]]) -> Formula:
    nodes: list[Formula] = []
    for kind, places, name, count, declared in flat:
        nodes.append(Formula(kind, tuple(nodes[place] for place in places), name, count, declared))
    return nodes[-1]


# What it means ------------------------------------------------------------------------------------------------


def evaluate(formulas: Sequence[Formula], values: Mapping[str, Any]) -> list[Any]:
    """Return what each formula means, given the inputs: the definition.

    Parameters
    ----------
    formulas : sequence of Formula
    values : mapping of str to bool or ndarray of bool
        A value for each input that appears; arrays have one shape.

    Returns
    -------
    list of bool or ndarray of bool
        One for each formula. A constant is a bool whatever the shape of the values.
    """
    order = postorder(formulas)
    uses: dict[int, int] = {}
    for node in [*formulas, *(part for whole in order for part in whole.parts)]:
        uses[id(node)] = uses.get(id(node), 0) + 1
    known: dict[int, Any] = {}
    for node in order:
        known[id(node)] = _meaning(node, [known[id(part)] for part in node.parts], values)
        for part in node.parts:
            uses[id(part)] -= 1
            if not uses[id(part)]:
                del known[id(part)]  # as soon as it is no longer needed: values may be long arrays
    return [known[id(formula)] for formula in formulas]


def _meaning(node: Formula, parts: list[Any], values: Mapping[str, Any]) -> Any:
    match node.kind:
        case "input":
            return values[node.name]
        case "constant":
            return bool(node.count)
        case "not":
            return parts[0] ^ True
        case "and":
            return parts[0] & parts[1]
        case "or":
            return parts[0] | parts[1]
        case "xor":
            return parts[0] ^ parts[1]
        case "implies":
            return parts[0] ^ True | parts[1]
        case "iff":
            return parts[0] ^ parts[1] ^ True
        case "at_least":
            return sum(parts) >= node.count
        case "at_most":
            return sum(parts) <= node.count
        case "exactly":
            return sum(parts) == node.count
        case "majority":
            return sum(parts) > len(parts) // 2


def postorder(formulas: Iterable[Formula]) -> list[Formula]:
    """Return every formula in these, parts before wholes, left before right; a shared part only once."""
    order: list[Formula] = []
    done: set[int] = set()
    for root in formulas:
        path: list[tuple[Formula, Iterator[Formula]]] = [(root, iter(root.parts))]
        while path:
            node, rest = path[-1]
            part = next((part for part in rest if id(part) not in done), None)
            if part is not None:
                path.append((part, iter(part.parts)))
                continue
            path.pop()
            if id(node) not in done:
                done.add(id(node))
                order.append(node)
    return order


def inputs_of(formulas: Iterable[Formula]) -> tuple[str, ...]:
    """Return the inputs of several formulas together, in declared order or in order of first appearance."""
    names: dict[str, None] = {}
    seen: set[int] = set()
    pending = list(formulas)[::-1]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node._declared is not None:
            names.update(dict.fromkeys(node._declared))
        elif node.kind == "input":
            names[node.name] = None
        else:
            pending += reversed(node.parts)
    return tuple(names)


# At the door --------------------------------------------------------------------------------------------------


def checked(value: object) -> Formula:
    """Return the value if it is a formula, or say how to make one of it."""
    if isinstance(value, Formula):
        return value
    if isinstance(value, str):
        remedy = "Turn text into one with logic.parse, or a name with logic.inputs"
    elif isinstance(value, bool | int | np.bool):
        remedy = "Use logic.true or logic.false"
    else:
        remedy = "Make one with logic.inputs or logic.parse"
    raise InputError(f"Expected a formula. Received: {value!r}. {remedy}.")


def whole_number(k: object) -> int:
    if isinstance(k, bool | np.bool) or not isinstance(k, int | np.integer):
        remedy = " The number comes first, then the formulas." if isinstance(k, Formula) else ""
        raise InputError(f"k must be a whole number. Received: {k!r}.{remedy}")
    if abs(int(k)) > MAX_COUNT:
        raise InputError(f"k must lie between {-MAX_COUNT} and {MAX_COUNT}. Received: a larger number.")
    return int(k)


def _bit(name: str, value: object) -> bool:
    if isinstance(value, bool | np.bool | int | float | np.integer | np.floating) and value in {0, 1}:
        return bool(value)
    raise InputError(f"The value of {name} must be 0 or 1. Received: {value!r}.")
