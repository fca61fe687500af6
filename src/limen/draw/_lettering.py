"""Text of a drawing: how wide it is, what is left of it where room is short, numbers in few characters.

The program that shows an SVG chooses the font, so widths are estimates. They follow DejaVu Sans, the widest
of the usual sans-serif fonts, and are no less than its own for ASCII: what fits by them fits elsewhere too. Widths are in the unit of
`size`, the font's size.

`width` measures, `shortened` cuts the middle out of a long name, `wrapped` breaks a sentence into lines,
`brief` writes a number, `printable` replaces what XML can't hold.
"""

from __future__ import annotations

import re
import unicodedata

from limen import _text

__all__ = ["CAPTION_SIZE", "NAME_SIZE", "WEIGHT_SIZE", "brief", "printable", "shortened", "width", "wrapped"]

NAME_SIZE, WEIGHT_SIZE, CAPTION_SIZE = 14.0, 13.0, 12.0
ELLIPSIS = "…"
_EM = {
    **dict.fromkeys("iIjl.,:;'| ", 0.34),
    **dict.fromkeys('ftr()[]-/\\!"`J', 0.5),
    **dict.fromkeys("mwMW@%", 1.0),
    **dict.fromkeys("<>=+~^#_&", 0.84),
    ELLIPSIS: 1.0,
}
# Control characters, lone surrogates and noncharacters, which XML 1.0 (section 2.2) doesn't allow.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _em(character: str) -> float:
    if character in _EM:
        return _EM[character]
    if character.isascii():
        return 0.79 if character.isupper() else 0.64
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf"}:
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.35 if category == "So" else 1.05
    return 0.72 if category == "Ll" else 0.88


def width(text: str, size: float) -> float:
    """Return the estimated width of `text` in one line."""
    return size * sum(map(_em, text))


def printable(text: str) -> str:
    r"""Return `text` with every character that XML can't hold replaced by U+FFFD.

    Examples
    --------
    >>> printable("a\x00b")
    'a�b'
    """
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def shortened(text: str, size: float, room: float) -> str:
    """Return `text` in one line, its middle cut out where it is wider than `room`.

    Names made from a table differ at their ends ("age >= 35", "age >= 50"), so both ends are kept.

    Examples
    --------
    >>> shortened("a name with a threshold >= 35", 10, 120)
    'a name wi…old >= 35'
    """
    text = " ".join(printable(text).split()) or "\N{OPEN BOX}"
    if width(text, size) <= room:
        return text
    room -= width(ELLIPSIS, size)
    head, tail, left = 0, len(text), room
    while head < tail:
        from_head = width(text[:head], size) <= width(text[tail:], size)
        left -= size * _em(text[head] if from_head else text[tail - 1])
        if left < 0:
            break
        head, tail = (head + 1, tail) if from_head else (head, tail - 1)
    end = text[tail:]
    while end and (_em(end[0]) == 0 or end[0] == " "):  # an accent without its letter
        end = end[1:]
    return text[:head].rstrip() + ELLIPSIS + end


def wrapped(text: str, size: float, room: float) -> list[str]:
    """Return the lines of `text`, broken at spaces, each at most `room` wide (longer words are shortened)."""
    lines: list[str] = []
    for word in printable(text).split():
        word = shortened(word, size, room)
        if lines and width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def brief(value: float) -> str:
    """Return a number in few characters: whole numbers to five digits in full, others to two or three digits.

    Examples
    --------
    >>> brief(-12), brief(1.2345), brief(0.12345), brief(1234567), brief(1e-9)
    ('−12', '1.23', '0.12', '1.2e6', '1e−9')
    """
    size = abs(value)
    if size < 100_000 and value == int(value):
        return _text.number(value)
    if 0.01 <= size < 10_000:
        text = f"{value:.0f}" if size >= 1000 else f"{value:.3g}" if size >= 1 else f"{value:.2g}"
    else:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return text.replace("-", _text.MINUS)
