"""C99 as text: constants, tables, strings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from limen.errors import InputError
from limen.step import Array

__all__ = ["KEYWORDS", "c_string", "constant", "require_text", "signed_type", "table"]

WIDTH = 110

_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile
while _Bool _Complex _Imaginary main asm fortran alignas alignof and and_eq bitand bitor bool catch class
compl concept const_cast delete dynamic_cast explicit export false friend mutable namespace new noexcept
not not_eq nullptr operator or or_eq private protected public reinterpret_cast static_assert static_cast
template this thread_local throw true try typeid typename using virtual wchar_t xor xor_eq NULL errno
linux unix typeof constexpr consteval constinit decltype requires concept co_await co_return co_yield
char8_t char16_t char32_t in out row k i n x y z t w p sum count best pair bits given expected inputs
outputs printf puts strcmp memcpy memset abs wrong scores stdin stdout stderr exit system int8_t int16_t int32_t
int64_t uint8_t uint16_t uint32_t uint64_t EOF
"""
KEYWORDS = frozenset(_WORDS.split())
"""Words that can't be names in C99 or C++, or are names in what is written here or in the headers it needs."""


def signed_type(least: int, greatest: int) -> str:
    """Return the narrowest signed type that holds all numbers between the two.

    Examples
    --------
    >>> signed_type(-128, 127), signed_type(0, 128), signed_type(0, 2**31)
    ('int8_t', 'int16_t', 'int64_t')
    """
    return next(f"int{n}_t" for n in (8, 16, 32, 64) if -(1 << n - 1) <= least and greatest < 1 << n - 1)


def constant(number: int) -> str:
    """Return an integer constant of any value of int64.

    Examples
    --------
    >>> constant(-3), constant(2**31), constant(-(2**63))
    ('-3', 'INT64_C(2147483648)', '(-INT64_C(9223372036854775807) - 1)')
    """
    if number == -(1 << 63):
        return f"(-INT64_C({(1 << 63) - 1}) - 1)"
    if abs(number) < 1 << 15:  # an int has at least 16 bits
        return str(number)
    kind = 32 if abs(number) < 1 << 31 else 64
    return f"{'-' if number < 0 else ''}INT{kind}_C({abs(number)})"


def table(kind: str, name: str, numbers: Array | Sequence[int]) -> str:
    """Return a constant table of numbers; one of none holds a 0, since C has no empty arrays."""
    values = np.asarray(numbers).ravel().tolist() or [0]
    if kind == "uint32_t":
        texts = [f"0x{value:x}u" if value < 1 << 16 else f"UINT32_C(0x{value:x})" for value in values]
    else:
        texts = [constant(value) for value in values]
    return f"static const {kind} {name}[{len(values)}] = {{\n{_filled(texts)}\n}};"


def _filled(texts: Iterable[str]) -> str:
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) + 2 > WIDTH:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return "\n".join([*lines, line])


LONGEST = 1000  # bytes of a string; a C99 compiler must take 4,095


def require_text(text: str, what: str) -> None:
    """Refuse a text that can't be a string constant.

    Raises
    ------
    InputError
        It isn't Unicode, holds a zero byte, which ends a string, or is longer than 1,000 bytes.
    """
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise InputError(f"{what} must be Unicode text in C. Received: {text!r}.") from None
    if "\0" in text or length > LONGEST:
        raise InputError(
            f"{what} must be text without a zero byte, of at most {LONGEST:,} bytes, in C. Received: {text[:40]!r}."
        )


def c_string(text: str) -> str:
    r"""Return a string constant of the UTF-8 bytes of a text; nothing in it means anything to C.

    Examples
    --------
    >>> print(c_string('a"b\\?'), c_string("é"))
    "a\042b\134\077" "\303\251"
    """
    safe = set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;()")
    return '"' + "".join(chr(byte) if byte in safe else f"\\{byte:03o}" for byte in text.encode()) + '"'
