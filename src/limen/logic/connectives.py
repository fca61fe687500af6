"""Names, constants and functions that make formulas: `inputs`, `true`, `false`, `at_least` and its kin.

The operators ``&``, ``|``, ``^`` and ``~`` belong to `limen.logic.proposition.Formula`, where also stands what each
kind of formula means.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for "at least k of n" as the symmetric threshold
functions, of which *and*, *or* and *majority* are instances.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from limen._door import unique_names
from limen.errors import InputError
from limen.logic.proposition import Formula, checked

__all__ = [
    "at_least",
    "at_most",
    "exactly",
    "false",
    "iff",
    "implies",
    "inputs",
    "majority",
    "names_of",
    "true",
]

true = Formula("constant", count=1)
"""The formula that always holds."""

false = Formula("constant", count=0)
"""The formula that never holds."""


def inputs(names: str | Iterable[str]) -> tuple[Formula, ...]:
    """Return a formula for each named input.

    Parameters
    ----------
    names : str or iterable of str
        One text is split at spaces and commas. In a list, a name may be any text that isn't empty.

    Returns
    -------
    tuple of Formula
        Always a tuple, also for one name: ``(a,) = inputs("a")``.

    Raises
    ------
    InputError
        No name, a name twice, or a name that isn't text.

    Examples
    --------
    >>> a, b, c = inputs("a b c")
    >>> farmer, old = inputs(["job = farmer", "age >= 35"])
    >>> print(farmer & ~old)
    "job = farmer" and not "age >= 35"
    """
    listed = names_of(names)
    if not listed:
        raise InputError("inputs must be at least one name. Received: none.")
    return tuple(Formula("input", name=name) for name in listed)


def names_of(names: str | Iterable[str], what: str = "inputs") -> tuple[str, ...]:
    """Return the names in a text (split at spaces and commas) or a list, checked: none twice, none empty."""
    listed: Any
    if isinstance(names, str):
        listed = [name for name in re.split(r"[\s,]+", names) if name]
    else:
        try:
            listed = names if isinstance(names, set | frozenset) else list(names)
        except TypeError:
            raise InputError(
                f"{what} must be names: a text such as 'a b c' or a list of texts. Received: {names!r}."
            ) from None
    return unique_names(listed, what, "x", len(listed))


def implies(p: Formula, q: Formula) -> Formula:
    """Return the formula that holds unless `p` holds and `q` doesn't.

    Examples
    --------
    >>> a, b = inputs("a b")
    >>> print(implies(a, b))
    a implies b
    """
    return Formula("implies", (p, q))


def iff(p: Formula, q: Formula) -> Formula:
    """Return the formula that holds when `p` and `q` both hold or both don't.

    Examples
    --------
    >>> a, b = inputs("a b")
    >>> print(iff(a, b))
    a iff b
    """
    return Formula("iff", (p, q))


def at_least(k: int, *formulas: Formula | Iterable[Formula]) -> Formula:
    """Return the formula that holds when `k` or more of the formulas hold.

    Parameters
    ----------
    k : int
        Any whole number: ``k <= 0`` always holds, a `k` beyond the number of formulas never does.
    *formulas : Formula, or one iterable of Formula
        One that is given twice counts twice.

    Raises
    ------
    InputError
        `k` isn't a whole number of at most 18 digits, or something isn't a formula.

    Examples
    --------
    >>> a, b, c = inputs("a b c")
    >>> at_least(2, a, b, c)(a=1, b=0, c=1)
    True
    """
    return Formula("at_least", _parts(formulas), count=k)


def at_most(k: int, *formulas: Formula | Iterable[Formula]) -> Formula:
    """Return the formula that holds when `k` or fewer of the formulas hold; see `at_least`.

    Examples
    --------
    >>> a, b, c = inputs("a b c")
    >>> at_most(1, [a, b, c])(a=1, b=0, c=1)
    False
    """
    return Formula("at_most", _parts(formulas), count=k)


def exactly(k: int, *formulas: Formula | Iterable[Formula]) -> Formula:
    """Return the formula that holds when `k` of the formulas hold, no more and no fewer; see `at_least`.

    Examples
    --------
    >>> a, b, c = inputs("a b c")
    >>> exactly(2, a, b, c)(a=1, b=0, c=1)
    True
    """
    return Formula("exactly", _parts(formulas), count=k)


def majority(*formulas: Formula | Iterable[Formula]) -> Formula:
    """Return the formula that holds when more than half of the formulas hold; half is not enough.

    Examples
    --------
    >>> a, b, c = inputs("a b c")
    >>> majority(a, b, c)(a=1, b=0, c=1)
    True
    """
    return Formula("majority", _parts(formulas))


def _parts(formulas: tuple[Formula | Iterable[Formula], ...]) -> tuple[Formula, ...]:
    if len(formulas) == 1 and isinstance(formulas[0], Iterable) and not isinstance(formulas[0], str):
        return tuple(checked(part) for part in formulas[0])
    return tuple(checked(part) for part in formulas)
