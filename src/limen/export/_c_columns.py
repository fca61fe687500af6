"""A row of a table as a C structure, and the comparisons that turn it into a network's inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen._door import INT64_MAX
from limen.encoding import Categories, Encoding, Rule, Thresholds, comparable
from limen.export._c_text import KEYWORDS, c_string, constant, require_text
from limen.export._names import commented, identifier
from limen.model import Model

__all__ = ["FLOAT", "INT", "Columns", "columns_of", "double", "kind_in_c"]

FLOAT, INT = np.dtype(np.float64), np.dtype(np.int64)


@dataclass(frozen=True)
class Columns:
    """The parts of the source that know the table.

    Parameters
    ----------
    struct : str
        The declaration.
    body : tuple of str
        Lines that fill ``x`` from ``row``.
    about : tuple of str
        What each member is, for a comment.
    compares_text, compares_doubles : bool
    """

    struct: str
    body: tuple[str, ...]
    about: tuple[str, ...]
    compares_text: bool
    compares_doubles: bool


def columns_of(model: Model, name: str, numbers: str) -> Columns:
    """Return the structure ``name_columns`` of a model's columns."""
    encoding = model.encoding
    assert isinstance(encoding, Encoding)  # asked for models with an encoding only
    rules = [rule for rule in encoding.rules if rule.inputs]
    flagged = numbers == "int64"
    members = _members([rule.column for rule in rules], flagged)
    fields, about, lines, k = [], [], [], 0
    for rule, member in zip(rules, members, strict=True):
        kind = kind_in_c(rule, numbers)
        fields.append(f"    {kind}{'' if kind.endswith('*') else ' '}{member};")
        what = {
            "double": "a number; NaN is missing",
            "int64_t": f"a whole number, unless {member}_missing",
            "int": "1 is true, 0 false, anything below missing",
            "const char *": "text in UTF-8; a null pointer is missing",
        }[kind]
        about.append(f"row->{member} is {commented(rule.column)}: {what}")
        if kind == "int64_t":
            fields.append(f"    int {member}_missing;")
        value = f"row->{member}"
        for test in _tests(rule, value, kind, member):
            lines.append(f"    x[{k}] = {test};")
            k += 1
    struct = "\n".join(["typedef struct {", *fields, f"}} {name}_columns;"])
    text = any(isinstance(rule, Categories) and rule.kind == "text" for rule in rules)
    doubles = any(kind_in_c(rule, numbers) == "double" for rule in rules)
    return Columns(struct, ("    (void)row;", *lines), tuple(about), text, doubles)


def _members(columns: list[str], flagged: bool) -> list[str]:
    """Return a member's name for each column: no word of C, no macro, no type, and none taken by another's flag."""
    taken = {word.lower() for word in KEYWORDS}
    found = []
    for column in columns:
        first = identifier(column)
        if first.isupper() or first.endswith("_t"):  # as macros and types are called
            first += "_"
        name, k = first, 2
        while {name.lower(), f"{name.lower()}_missing"} & taken:
            name, k = f"{first}_{k}", k + 1
        taken |= {name.lower(), f"{name.lower()}_missing"} if flagged else {name.lower()}
        found.append(name)
    return found


def kind_in_c(rule: Rule, numbers: str) -> str:
    """Return the type of a column's member."""
    if isinstance(rule, Categories) and rule.kind != "number":
        return "const char *" if rule.kind == "text" else "int"
    if numbers == "double":
        return "double"
    return "int64_t"


def _tests(rule: Rule, value: str, kind: str, member: str) -> list[str]:
    """Return a C expression for each input of a rule."""
    missing = {
        "double": f"{value} != {value}",
        "int64_t": f"row->{member}_missing != 0",
        "int": f"{value} < 0",
        "const char *": f"{value} == 0",
    }[kind]
    present = {"int64_t": f"row->{member}_missing == 0 && ", "const char *": f"{value} != 0 && "}.get(
        kind, ""
    )
    tests = []
    if isinstance(rule, Thresholds):
        tests += [_reaches(value, cut, kind, present) for cut in rule.cuts]
    else:
        for category in rule.categories:
            if kind == "const char *":
                require_text(str(category), f"A category of column {rule.column!r}")
                tests.append(f"{present}strcmp({value}, {c_string(str(category))}) == 0")
            elif kind == "int":
                tests.append(f"{value} > 0" if category else f"{value} == 0")
            else:
                tests.append(_equals(value, category, kind, present))  # type: ignore[arg-type]
    if rule.missing:
        tests.append(missing)
    return [f"(uint8_t)({test})" for test in tests]


def _reaches(value: str, cut: int | float, kind: str, present: str) -> str:
    if kind == "double":
        return f"{value} >= {double(comparable(FLOAT, cut))}"
    whole = int(comparable(INT, cut))
    if whole > INT64_MAX:
        return "0"
    if whole <= -INT64_MAX - 1:
        return present.removesuffix(" && ")
    return f"{present}{value} >= {constant(whole)}"


def _equals(value: str, category: int | float, kind: str, present: str) -> str:
    if kind == "double":
        try:
            exact = float(category)
        except OverflowError:
            return "0"
        return f"{value} == {double(exact)}" if exact == category else "0"
    if int(category) != category or not -INT64_MAX - 1 <= category <= INT64_MAX:
        return "0"
    return f"{present}{value} == {constant(int(category))}"


def double(number: float) -> str:
    """Return a floating constant that is exact: in hexadecimal, as C99 has them."""
    text = float(number).hex()
    return text if not text.startswith("-") else f"({text})"
