"""The values in a file's JSON: each is believed only when checked, and a refusal names its field.

==============================================================  ==================================================
`parsed`                                                        reads a JSON object strictly
`mapping`, `sequence`, `string`, `names`, `label`               return a value that is of this kind, or refuse it
`refusal`, `named`                                              say which field is at fault
==============================================================  ==================================================

A *field* is a path through the file: ``layers.0.activation``, ``encoding.2.cuts``.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from limen.encoding import Label
from limen.errors import FileError, LimenError

__all__ = [
    "LEAST",
    "MOST",
    "Fields",
    "is_unicode",
    "label",
    "mapping",
    "named",
    "names",
    "parsed",
    "refusal",
    "sequence",
    "string",
]

Fields: TypeAlias = dict[str, Any]

LEAST, MOST = -(2**63), 2**64 - 1
"""The whole numbers a file may hold: those a table's column may, int64 or uint64."""


def parsed(data: bytes, field: str) -> Fields:
    """Return a JSON object, refusing what JSON leaves open: doubled keys, NaN, numbers without bound."""
    with named(field):
        try:
            found = json.loads(
                data.decode(),
                object_pairs_hook=_without_doubles,
                parse_int=_whole,
                parse_float=_finite,
                parse_constant=_finite,
            )
        except FileError:
            raise
        except RecursionError:
            raise FileError("JSON must not be nested deeply.") from None
        except UnicodeDecodeError as error:
            raise FileError(f"Text must be UTF-8. Received: {error.reason} at byte {error.start}.") from None
        except ValueError as error:
            raise FileError(f"It must be JSON. Received: {error}.") from None
        if not isinstance(found, dict):
            raise FileError(f"It must be a JSON object. Received: {reprlib.repr(found)}.")
        return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> Fields:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise FileError(f"Keys must be unique. Received: {reprlib.repr(twice)} twice.")
    return unique


def _whole(digits: str) -> int:
    if len(digits) > len(str(LEAST)) or not LEAST <= int(digits) <= MOST:
        raise FileError(f"Whole numbers must fit into 64 bits. Received: {digits[:40]}.")
    return int(digits)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FileError(f"Numbers must be finite. Received: {text[:40]}.")
    return value


def refusal(field: str, expected: str, received: object) -> FileError:
    """Return the error that says what a field must be, and what came, abbreviated."""
    return FileError(f"{field} must be {expected}. Received: {reprlib.repr(received)}. The file is damaged.")


@contextmanager
def named(field: str) -> Iterator[None]:
    """Turn a refusal of a value into one of the file, with the field's name before it."""
    try:
        yield
    except LimenError as error:
        raise FileError(f"{field}: {str(error)[:500]}") from error


def mapping(found: object, keys: set[str], field: str) -> Fields:
    """Return an object that has exactly these keys."""
    if not isinstance(found, dict):
        raise refusal(field, "a JSON object", found)
    if unknown := found.keys() - keys:
        raise FileError(
            f"{field} may have the fields {', '.join(sorted(keys))}. Received: {reprlib.repr(min(unknown))}."
            " The file is damaged or foreign."
        )
    if lacking := keys - found.keys():
        raise FileError(f"{field} must have the field {min(lacking)}. Received: none. The file is damaged.")
    return found


def sequence(found: object, field: str) -> list[Any]:
    """Return a list of anything."""
    if not isinstance(found, list):
        raise refusal(field, "a list", found)
    return found


def string(found: object, field: str) -> str:
    """Return text that other programs can read too."""
    if not isinstance(found, str) or not is_unicode(found):
        raise refusal(field, "Unicode text", found)
    return found


def names(found: object, field: str) -> list[str]:
    """Return a list of names, none empty, no two equal."""
    listed = [string(name, field) for name in sequence(found, field)]
    if "" in listed:
        raise refusal(field, "names that aren't empty", "")
    if len(set(listed)) < len(listed):
        raise refusal(field, "names that differ", listed)
    return listed


def label(found: object, field: str) -> Label:
    """Return text, a boolean or a number, which keeps its type."""
    if isinstance(found, str):
        return string(found, field)
    if isinstance(found, bool | int | float):
        return found
    raise refusal(field, "text, a boolean or a number", found)


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can hold the text: Python allows half of a surrogate pair, others don't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
