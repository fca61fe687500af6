r"""How formulas are written: the words and symbols, which binds more tightly, and formula → text.

`limen.logic.grammar` reads what is defined here; this module only writes. From the tightest to the loosest:

===========  ==================  ====================  ================================================
operator     in words            in symbols            chains
===========  ==================  ====================  ================================================
not          ``not a``           ``~a !a ¬a``
and          ``a and b``         ``a & b && ∧``        from the left
xor          ``a xor b``         ``a ^ b ⊕``           from the left
or           ``a or b``          ``a | b || ∨``        from the left
implies      ``a implies b``     ``a -> b →``          from the right: ``a -> b -> c`` is ``a -> (b -> c)``
iff          ``a iff b``         ``a <-> b ↔``         from the left
===========  ==================  ====================  ================================================

Words and symbols bind alike, and ``~ & ^ |`` as they do in Python. Functions are written ``at_least(2, a, b, c)``,
``at_most``, ``exactly``, ``majority(a, b, c)``, and also ``implies(a, b)`` and ``iff(a, b)``.

A name of letters, digits and underscores that doesn't start with a digit and isn't a word of the notation is
written as it is; any other is quoted: ``"age >= 35"``. Inside quotes a backslash introduces ``\\ \" \' \n \r \t``,
``\uXXXX`` and ``\UXXXXXXXX``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limen.logic.proposition import Formula

__all__ = [
    "BINARY",
    "COUNTED",
    "FUNCTIONS",
    "MAX_COUNT",
    "NAME",
    "RESERVED",
    "RIGHT",
    "SIGNS",
    "SYMBOLS",
    "TIGHTNESS",
    "WORDS",
    "quoted",
    "write",
]

TIGHTNESS = {"not": 6, "and": 5, "xor": 4, "or": 3, "implies": 2, "iff": 1}
"""The operators; the larger number binds more tightly."""

BINARY = frozenset(TIGHTNESS) - {"not"}
RIGHT = frozenset({"implies"})

SIGNS = {
    "<->": "iff", "->": "implies", "&&": "and", "||": "or", "&": "and", "|": "or", "^": "xor", "~": "not",
    "!": "not", "∧": "and", "∨": "or", "⊕": "xor", "¬": "not", "→": "implies", "↔": "iff",
}  # fmt: skip
"""Symbols and the operator each stands for."""

COUNTED = frozenset({"at_least", "at_most", "exactly"})
FUNCTIONS = ("at_least", "at_most", "exactly", "majority", "implies", "iff")

RESERVED = frozenset(TIGHTNESS) | COUNTED | {"majority", "true", "false"}
"""Words that aren't names, in whatever case they are written."""

NAME = re.compile(r"[^\W\d]\w*")
MAX_COUNT = 10**18 - 1

WORDS = {"not": "not ", **{kind: f" {kind} " for kind in BINARY}}
SYMBOLS = {"not": "~", "and": " & ", "xor": " ^ ", "or": " | "}
LONGEST = 1_000_000  # pieces of text written before the rest is left out: parts shared often make a long text
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(name: str) -> str:
    r"""Return a name as a formula writes it: in quotes where it could be misread.

    Examples
    --------
    >>> print(quoted("age"), quoted("age >= 35"), quoted("and"), quoted('5" disk'))
    age "age >= 35" "and" "5\" disk"
    """
    if NAME.fullmatch(name) and name.lower() not in RESERVED:
        return name
    return '"' + "".join(_escaped(character) for character in name) + '"'


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def write(formula: Formula, signs: dict[str, str]) -> str:
    """Return a formula as text that reads back as an equal formula.

    Parameters
    ----------
    formula : Formula
    signs : dict
        `WORDS`, or `SYMBOLS`, which is also what one types in Python. An operator that isn't in it is written
        as a function.

    Returns
    -------
    str
        Ends in ``…`` (and doesn't read back) where it would have more than `LONGEST` names and operators.
    """
    pieces: list[str] = []
    pending: list[Formula | str] = [formula]
    while pending:
        item = pending.pop()
        if len(pieces) > LONGEST:
            return "".join(pieces) + " …"
        if isinstance(item, str):
            pieces.append(item)
        else:
            pending += reversed(_pieces(item, signs))
    return "".join(pieces)


def _pieces(node: Formula, signs: dict[str, str]) -> list[Formula | str]:
    """Return the text of a formula, its parts still formulas."""
    kind, parts = node.kind, node.parts
    if kind == "input":
        return [quoted(node.name)]
    if kind == "constant":
        return ["true" if node.count else "false"]
    if kind == "not":
        return [signs[kind], *_operand(parts[0], TIGHTNESS[kind], signs)]
    if kind in signs:
        here = TIGHTNESS[kind]
        left, right = (here + 1, here) if kind in RIGHT else (here, here + 1)
        return [*_operand(parts[0], left, signs), signs[kind], *_operand(parts[1], right, signs)]
    listed: list[Formula | str] = [str(node.count)] if kind in COUNTED else []
    for part in parts:
        listed += [", ", part] if listed else [part]
    return [f"{kind}(", *listed, ")"]


def _operand(part: Formula, needed: int, signs: dict[str, str]) -> list[Formula | str]:
    """Return a part, in parentheses if it binds less tightly than `needed`."""
    if part.kind in signs and TIGHTNESS[part.kind] < needed:
        return ["(", part, ")"]
    return [part]
