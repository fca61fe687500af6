"""Text → `Formula`: a scanner and an operator-precedence parser, nothing evaluated, nothing recursive.

The notation, with what binds more tightly, stands in `limen.logic.notation`. `parse` goes through the text once,
from left to right. Names, words, symbols, numbers and parentheses are all that it knows; whatever else comes is a
`FormulaError` that points at the character. The parser keeps its own stack, so a text may nest as deeply as it
likes.

References
----------
E. W. Dijkstra (1961), "ALGOL 60 translation", Mathematisch Centrum MR 34/61, for the two stacks (the
"shunting yard").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, NoReturn, cast

from limen import _text
from limen.errors import FormulaError, InputError
from limen.logic.connectives import false, names_of, true
from limen.logic.notation import BINARY, COUNTED, FUNCTIONS, RESERVED, RIGHT, SIGNS, TIGHTNESS, quoted
from limen.logic.proposition import Formula, Kind

__all__ = ["parse"]

TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>[^\W\d]\w*)
      | (?P<number>-?[0-9][\w.]*)
      | (?P<sign><->|->|&&|\|\||[&|^~!∧∨⊕¬→↔])
      | (?P<mark>[(),])
      | (?P<quote>["'])
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
PLAIN = {"'": re.compile(r"[^'\\]*"), '"': re.compile(r'[^"\\]*')}
ESCAPE = re.compile(r"\\(?:([\\\"'nrt])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
PARENTHESIS = re.compile(r"\s*\(")
COUNT = re.compile(r"-?[0-9]{1,18}")
ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(slots=True)
class Token:
    """A piece of the text.

    Kinds: ``name`` (of an input), ``operator``, ``word`` (a constant or a function), ``number``, ``(``, ``)``,
    ``,`` and ``end``. Symbols and words have one value: that of ``&&`` is ``and``.
    """

    kind: str
    value: str
    position: int
    written: str

    @property
    def shown(self) -> str:
        if self.kind == "end":
            return "the end"
        return f"the number {self.written}" if self.kind == "number" else repr(self.written)


@dataclass(slots=True)
class Open:
    """What the parser has begun: an operator that waits for its right side, a parenthesis, or a call."""

    form: Literal["operator", "parenthesis", "call"]
    position: int
    kind: str = ""
    count: int = 0
    first: int = 0  # where the parts of a call start among the operands


def parse(text: str, *, inputs: str | Iterable[str] | None = None) -> Formula:
    """Return the formula that a text says.

    Parameters
    ----------
    text : str
        For instance ``a and not b``, ``a & ~b | at_least(2, a, b, c)`` or ``"age >= 35" -> "job = farmer"``. The
        notation stands in `limen.logic.notation`. Words are read in any case, names as they are written.
    inputs : str or iterable of str, optional
        The names that may appear, and their order. Default: any, in order of first appearance.

    Raises
    ------
    FormulaError
        The text can't be read or has a name that isn't in `inputs`; the error knows the position.
    InputError
        `text` isn't text, or `inputs` aren't names.

    Examples
    --------
    >>> parse("a and not b")
    a & ~b
    >>> parse("a && !b") == parse("A AND NOT B".lower())
    True
    >>> parse("sex = 1")
    Traceback (most recent call last):
        ...
    limen.errors.FormulaError: Unexpected '='. A name with anything but letters, digits and underscores is quoted, as in "age >= 35". At character 5:
      sex = 1
          ^
    """
    if not isinstance(text, str):
        remedy = " It is a formula already." if isinstance(text, Formula) else ""
        raise InputError(f"The text of a formula must be a str. Received: {type(text).__name__}.{remedy}")
    declared = None if inputs is None else names_of(inputs)
    formula = _Parser(text, declared).formula()
    return formula if declared is None else replace(formula, _declared=declared)


class _Parser:
    def __init__(self, text: str, declared: tuple[str, ...] | None) -> None:
        self.text = text
        self.names = {name: Formula("input", name=name) for name in declared or ()}
        self.declared = declared
        self.here = 0
        self.last: Token | None = None
        self.token = self.scanned()
        self.operands: list[Formula] = []
        self.opened: list[Open] = []

    def fail(self, reason: str, position: int) -> NoReturn:
        raise FormulaError(reason, self.text, position)

    # The scanner ------------------------------------------------------------------------------------------

    def scanned(self) -> Token:
        """Return the token that starts here, and go on behind it."""
        match = TOKEN.match(self.text, self.here)
        if match is None:
            start = next(i for i in range(self.here, len(self.text)) if not self.text[i].isspace())
            self.fail(
                f"Unexpected {self.text[start]!r}. A name with anything but letters, digits and underscores is"
                ' quoted, as in "age >= 35".',
                start,
            )
        kind = match.lastgroup or ""
        value, position = match[kind], match.start(kind)
        self.here = match.end()
        if kind == "quote":
            return self.scanned_quote(value, position)
        if kind == "end":
            return Token("end", "", len(self.text.rstrip()), "")
        if kind == "mark":
            kind = value
        if kind == "sign":
            return Token("operator", SIGNS[value], position, value)
        if kind == "name" and value.lower() in RESERVED:
            word = value.lower()
            return Token("operator" if word in TIGHTNESS else "word", word, position, value)
        return Token(kind, value, position, value)

    def scanned_quote(self, mark: str, start: int) -> Token:
        pieces: list[str] = []
        while True:
            plain = PLAIN[mark].match(self.text, self.here)
            assert plain is not None
            pieces.append(plain[0])
            self.here = plain.end()
            if self.here == len(self.text):
                self.fail(f"The name that starts here needs a closing {mark}.", start)
            if self.text[self.here] == mark:
                break
            escape = ESCAPE.match(self.text, self.here)
            code = int(escape[2] or escape[3], 16) if escape and not escape[1] else 0
            if escape is None or code > 0x10FFFF:
                self.fail(
                    r"""A backslash in a name is followed by \ " ' n r t, u and 4 digits of a code point, or U and 8."""
                    r" A backslash itself is written \\.",
                    self.here,
                )
            pieces.append(ESCAPED.get(escape[1], escape[1]) if escape[1] else chr(code))
            self.here = escape.end()
        self.here += 1
        if not any(pieces):
            self.fail("A name must not be empty.", start)
        return Token("name", "".join(pieces), start, self.text[start : self.here])

    def advance(self) -> Token:
        """Return the current token, and go on to the next."""
        self.last = self.token
        if self.token.kind != "end":
            self.token = self.scanned()
        return self.last

    # The parser -------------------------------------------------------------------------------------------

    def formula(self) -> Formula:
        """Read the whole text: operands and what stands between them, in turn."""
        while True:
            self.operand()
            if self.behind_operand():
                return self.operands[0]

    def operand(self) -> None:
        """Read up to and including a name, a constant, or a call without parts."""
        while True:
            token = self.token
            if token.kind == "name":
                self.advance()
                self.operands.append(self.named(token))
                return
            if token.value in {"true", "false"}:
                self.advance()
                self.operands.append(true if token.value == "true" else false)
                return
            if token.value == "not":
                self.advance()
                self.opened.append(Open("operator", token.position, "not"))
            elif token.kind == "(":
                self.advance()
                self.opened.append(Open("parenthesis", token.position))
            elif token.kind == "word" or (
                token.written.lower() in FUNCTIONS and PARENTHESIS.match(self.text, self.here)
            ):
                self.advance()
                if self.call(token):
                    return
            else:
                self.refuse_operand()

    def named(self, token: Token) -> Formula:
        if self.token.kind == "(" and token.written[0] not in PLAIN:
            self.fail(
                f"Unknown function {token.shown}. Functions are {', '.join(FUNCTIONS)}.", token.position
            )
        if token.value not in self.names:
            if self.declared is not None:
                known = _text.listing([quoted(name) for name in self.declared])
                self.fail(f"Unknown name {token.shown}. Inputs are {known}.", token.position)
            self.names[token.value] = Formula("input", name=token.value)
        return self.names[token.value]

    def call(self, function: Token) -> bool:
        """Begin a call; tell whether it is complete, having no parts."""
        name = function.value
        opened = Open("call", function.position, name, first=len(self.operands))
        if self.token.kind != "(":
            example = f"{name}({'2, ' if name in COUNTED else ''}a, b, c)"
            self.fail(
                f"{name} is a function, written as in {example}. Quote it if it is a name.", function.position
            )
        self.advance()
        if name in COUNTED:
            opened.count = self.number(name)
        if self.token.kind == ")" and name not in BINARY:
            self.advance()
            self.operands.append(self.called(opened))
            return True
        if name in COUNTED:
            self.advance()
        self.opened.append(opened)
        return False

    def number(self, function: str) -> int:
        token = self.token
        if token.kind != "number" or not COUNT.fullmatch(token.value):
            self.fail(
                f"{function} starts with a whole number of at most 18 digits, as in {function}(2, a, b, c)."
                f" Received: {token.shown}.",
                token.position,
            )
        self.advance()
        if self.token.kind not in {",", ")"}:
            self.fail(
                f"Expected a comma after {token.shown}. Received: {self.token.shown}.", self.token.position
            )
        return int(token.value)

    def called(self, call: Open) -> Formula:
        parts = tuple(self.operands[call.first :])
        del self.operands[call.first :]
        if call.kind in BINARY and len(parts) != 2:
            self.fail(f"{call.kind} takes 2 formulas. Received: {len(parts)}.", call.position)
        return Formula(cast(Kind, call.kind), parts, count=call.count)

    def behind_operand(self) -> bool:
        """Read what follows an operand, up to where the next one is due; tell whether the text is over."""
        while True:
            token = self.token
            if token.kind == "operator" and token.value in BINARY:
                self.apply(TIGHTNESS[token.value] + (token.value in RIGHT))
                self.opened.append(Open("operator", token.position, token.value))
                self.advance()
                return False
            if token.kind not in {"end", ",", ")"}:
                self.refuse_missing_operator()
            self.apply(0)
            group = self.opened[-1] if self.opened else None
            if token.kind == "end":
                if group is not None:
                    self.fail("What opens here needs a closing ).", group.position)
                return True
            if token.kind == ")" and group is None:
                self.fail("No parenthesis is open that this could close.", token.position)
            if group is None or (token.kind == "," and group.form == "parenthesis"):
                self.fail(
                    "A comma stands only between the parts of a function. Join formulas with and, or, xor.",
                    token.position,
                )
            self.advance()
            if token.kind == ",":
                return False
            self.opened.pop()
            if group.form == "call":
                self.operands.append(self.called(group))

    def apply(self, tightness: int) -> None:
        """Apply the waiting operators that bind at least so tightly."""
        while self.opened:
            top = self.opened[-1]
            if top.form != "operator" or TIGHTNESS[top.kind] < tightness:
                return
            self.opened.pop()
            n_parts = 1 if top.kind == "not" else 2
            parts = tuple(self.operands[-n_parts:])
            del self.operands[-n_parts:]
            self.operands.append(Formula(cast(Kind, top.kind), parts))

    # What went wrong --------------------------------------------------------------------------------------

    def refuse_operand(self) -> NoReturn:
        token = self.token
        if token.kind == "number":
            reason = (
                f"Expected a formula. Received: {token.shown}. Write true or false for a constant; quote it if"
                " it is a name."
            )
        elif token.kind == "end" and self.last is None:
            reason = "Expected a formula. Received: an empty text."
        else:
            after = "" if self.last is None else f" after {self.last.shown}"
            reason = f"Expected a formula{after}. Received: {token.shown}."
        self.fail(reason, token.position)

    def refuse_missing_operator(self) -> NoReturn:
        token, last = self.token, self.last
        after = "" if last is None else f" after {last.shown}"
        spaces = token.kind == "name" and last is not None and last.kind == "name"
        remedy = " Quote a name that has spaces." if spaces else ""
        self.fail(
            f"Expected an operator such as and, or, xor{after}. Received: {token.shown}.{remedy}",
            token.position,
        )
