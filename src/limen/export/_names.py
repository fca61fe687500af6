"""Names of inputs and outputs in languages that have rules for names.

A name may be anything that a table's heading is: ``age >= 35``, ``*/ system("rm");``, an emoji. What goes into a program is an
identifier made from it; what goes into a comment is `commented`, which can't end the comment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

__all__ = ["commented", "identifier", "identifiers"]

LONGEST = 48  # characters taken from a name; 63 are significant in C99
_OPERATORS = ((">=", " ge "), ("<=", " le "), (">", " gt "), ("<", " lt "), ("=", " is "))


def identifier(name: str) -> str:
    """Return letters, digits and underscores that remind of a name, and begin with a letter.

    Examples
    --------
    >>> identifier("age >= 35"), identifier("7th"), identifier("¬x")
    ('age_ge_35', 'n7th', 'x')
    """
    for operator, word in _OPERATORS:
        name = name.replace(operator, word)
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:LONGEST].rstrip("_")
    if not plain:
        return "n"
    return plain if plain[0].isalpha() else f"n{plain}"


def identifiers(names: Sequence[str], reserved: Collection[str] = ()) -> tuple[str, ...]:
    """Return an identifier for each name: no two equal, even where upper and lower case aren't told apart, none reserved.

    Examples
    --------
    >>> identifiers(["a b", "a_b", "A b", "if"], reserved=["if"])
    ('a_b', 'a_b_2', 'A_b_3', 'if_2')
    """
    taken = {word.lower() for word in reserved}
    found = []
    for name in names:
        first = candidate = identifier(name)
        k = 2
        while candidate.lower() in taken:
            candidate = f"{first}_{k}"
            k += 1
        taken.add(candidate.lower())
        found.append(candidate)
    return tuple(found)


def commented(name: str) -> str:
    r"""Return a name in quotes and ASCII, which neither ends a comment nor continues a line.

    Examples
    --------
    >>> print(commented('*/ evil() /* \n'))
    "*\u002f evil() \u002f* \n"
    """
    safe = name.encode("unicode_escape").decode("ascii").replace('"', r"\u0022")
    safe = safe.replace("*/", r"*\u002f").replace("/*", r"\u002f*").replace("??", r"?\u003f")
    return f'"{safe}"'
