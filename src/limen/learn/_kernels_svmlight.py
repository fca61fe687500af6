"""The loop that reads svmlight text: from bytes to the three arrays of CSR rows and their labels.

`parse` reads whole lines and never past them: its text must end with a line feed, at which every other loop stops
by itself. It writes rows one after the other into the arrays of `Found` and stops, always between two rows, when
the text is used up, when one of the arrays is full, or at what isn't svmlight, whose place it tells. What it did is
in the int64 array `state`, whose places the constants name.

**Numbers.** A number of at most 18 digits is a whole number ``m`` times a power of ten. Where ``m`` is at most
2⁵³ and the power at most 10²², both are exact in float64 and one multiplication or division rounds correctly
(Clinger 1990). Others are rounded from the product of ``m`` with the first 128 bits of the power (Lemire 2021,
algorithm 1), for powers up to 10⁶⁰ and down to 10⁻⁶⁰. What neither decides is left to the caller: its place in the
text and in the result goes to `Found.undecided`.

References
----------
W. D. Clinger (1990), "How to read floating point numbers accurately", PLDI. D. Lemire (2021), "Number parsing at
a gigabyte per second", Software: Practice and Experience 51.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from limen.step import Array

__all__ = [
    "AT",
    "DONE",
    "ENTRIES",
    "FULL",
    "LABELS",
    "LINES",
    "ROWS",
    "STATE",
    "STATUS",
    "TOP",
    "UNDECIDED",
    "UNDECIDED_FULL",
    "Found",
    "Layout",
    "parse",
    "zero_index",
]

# Places in `state`: counted up by `parse`, which goes on from what it finds there.
AT = 0  # where the next row starts in the text; on an error, where it is
ROWS = 1  # rows found
ENTRIES = 2  # index:value pairs found
LABELS = 3  # labels found
UNDECIDED = 4  # numbers left to the caller
LINES = 5  # line feeds read
TOP = 6  # 1 + the largest column found
STATUS = 7  # DONE, FULL, UNDECIDED_FULL or one of the errors
STATE = 8  # length of `state`

DONE, FULL, UNDECIDED_FULL = 0, 1, 2
NO_LABEL, BAD_LABEL, MANY_LABELS, LABEL_TWICE, BAD_VALUE, OVERFLOW = range(10, 16)
BAD_INDEX, ORDER, BELOW, ABOVE, HUGE_INDEX = range(20, 25)
__all__ += [
    "ABOVE",
    "BAD_INDEX",
    "BAD_LABEL",
    "BAD_VALUE",
    "BELOW",
    "HUGE_INDEX",
    "LABEL_TWICE",
    "MANY_LABELS",
    "NO_LABEL",
    "ORDER",
    "OVERFLOW",
]

OTHER, BLANK, END = 16, 17, 18  # classes of bytes that aren't digits; END: a line feed or a comment
LARGEST = 2**31 - 1  # columns or labels there may be, since their numbers are int32
INF = np.inf


def _classes() -> Array:
    """Return for each byte its value as a digit, or one of the classes above."""
    classes = np.full(256, OTHER, dtype=np.uint8)
    classes[ord("0") : ord("9") + 1] = np.arange(10)
    classes[[ord(c) for c in " \t\r\v\f"]] = BLANK
    classes[[ord("\n"), ord("#")]] = END
    return classes


CLASS = _classes()
POWERS = np.array([10.0**k for k in range(23)])
EXACT = 2**53
REACH = 60  # powers of ten whose first 128 bits are kept


def _leading_bits() -> Array:
    """Return the first 128 bits of ``5**q``, in two halves, for -REACH <= q <= REACH.

    As in Lemire's table 1: cut off where q isn't negative, and where it is, cut off and one added.
    """
    halves = np.empty((2 * REACH + 1, 2), dtype=np.uint64)
    for q in range(-REACH, REACH + 1):
        five = 5 ** abs(q)
        bits = (five << 128) >> five.bit_length()
        if q < 0:
            bits = (1 << (five - 1).bit_length() + 127) // five + 1
        halves[q + REACH] = bits >> 64, bits & (1 << 64) - 1
    return halves


FIVES = _leading_bits()
TWOS = np.array([2.0**k for k in range(-1074, 972)])
U1, U9, U32, U63 = (np.uint64(k) for k in (1, 9, 32, 63))
LOW32, LOW9, ALL = np.uint64(2**32 - 1), np.uint64(511), np.uint64(2**64 - 1)
HIGHEST = np.uint64(2**63)


class Layout(NamedTuple):
    """How the text is to be read."""

    base: int  # the first index: 0 or 1
    limit: int  # columns there may be
    multilabel: bool  # whether a row has any number of labels, whole numbers from 0, instead of one


class Found(NamedTuple):
    """Where `parse` writes; what the arrays hold bounds what it reads."""

    data: Array  # (n,) float32 or float64
    indices: Array  # (n,) int32
    indptr: Array  # (rows + 1,) int64; indptr[0] is 0
    labels: Array  # (m,) float64
    label_ptr: Array  # (rows + 1,) int64
    undecided: Array  # (k, 3) int64: start, end in the text, place in data, or -1 - place in labels


@njit(nogil=True, cache=True, error_model="numpy")
def _product(a: Any, b: Any) -> Any:
    """Return both halves of the 128-bit product of two uint64; no step of it overflows."""
    a1, a0, b1, b0 = a >> U32, a & LOW32, b >> U32, b & LOW32
    low = a0 * b0
    middle = a1 * b0 + (low >> U32)
    other = a0 * b1 + (middle & LOW32)
    return a1 * b1 + (middle >> U32) + (other >> U32), ((other & LOW32) << U32) | (low & LOW32)


@njit(nogil=True, cache=True, error_model="numpy")
def _rounded(m: int, power: int) -> Any:
    """Return the float64 nearest to ``m * 10**power``, or -1.0 where this doesn't tell; m is above 0."""
    w = np.uint64(m)
    shift = 0
    while w < HIGHEST:
        w <<= U1
        shift += 1
    high, low = _product(w, FIVES[power + REACH, 0])
    if high & LOW9 == LOW9:
        more, _ = _product(w, FIVES[power + REACH, 1])
        if low > ALL - more:
            low = more - (ALL - low) - U1
            high += U1
        else:
            low += more
    if low == ALL:
        return -1.0
    top = high >> U63
    mantissa = high >> (top + U9)
    between = low <= U1 and -4 <= power <= 23 and mantissa << (top + U9) == high
    if between and mantissa & np.uint64(3) == U1:
        mantissa -= U1  # to the even one
    mantissa = (mantissa + (mantissa & U1)) >> U1
    two = ((217706 * power) >> 16) + int(top) - shift + 11  # 2**16 * log2(10) = 217706 and something
    return float(mantissa) * TWOS[two + 1074]


@njit(nogil=True, cache=True, error_model="numpy")
def _number(text: Array, p: int) -> tuple[int, int, float]:
    """Read a number at `p`: where it ends (-1 if there is none), whether it is decided, and its value."""
    negative = text[p] == 45
    if negative or text[p] == 43:
        p += 1
    start = p
    m = 0
    d = int(CLASS[text[p]])
    while d < 10:
        m = m * 10 + d
        p += 1
        d = int(CLASS[text[p]])
    digits = p - start
    power = 0
    if text[p] == 46:
        p += 1
        point = p
        d = int(CLASS[text[p]])
        while d < 10:
            m = m * 10 + d
            p += 1
            d = int(CLASS[text[p]])
        power = point - p
        digits -= power
    if digits == 0:
        return -1, 0, 0.0
    if digits > 18:
        q = start
        while text[q] == 48 or text[q] == 46:
            if text[q] == 48:
                digits -= 1
            q += 1
    if text[p] == 101 or text[p] == 69:
        p += 1
        down = text[p] == 45
        if down or text[p] == 43:
            p += 1
        point = p
        e = 0
        d = int(CLASS[text[p]])
        while d < 10:
            if e < 100000:
                e = e * 10 + d
            p += 1
            d = int(CLASS[text[p]])
        if p == point:
            return -1, 0, 0.0
        power += -e if down else e
    if CLASS[text[p]] < BLANK and text[p] != 44:
        return -1, 0, 0.0
    value = -1.0
    if digits <= 18:
        if m <= EXACT and -22 <= power <= 22:
            value = m * POWERS[power] if power >= 0 else m / POWERS[-power]
        elif m == 0:
            value = 0.0
        elif -REACH <= power <= REACH:
            value = _rounded(m, power)
    if value < 0:
        return p, 0, 0.0
    return p, 1, -value if negative else value


@njit(nogil=True, cache=True, error_model="numpy")
def _skip_line(text: Array, p: int) -> int:
    while text[p] != 10:
        p += 1
    return p


@njit(nogil=True, cache=True, error_model="numpy")
def _labels(text: Array, p: int, found: Found, layout: Layout, state: Array, error: Array) -> int:
    """Read the labels of a row at `p`; return where they end, -1 on an error, -2 if an array is full."""
    first = n = state[LABELS]
    error[1] = p
    if text[p] == 113:  # q: no label before "qid:"
        error[0] = NO_LABEL
        return p if layout.multilabel else -1
    while True:
        start = p
        if n >= found.labels.size:
            return -2
        p, decided, value = _number(text, start)
        if p < 0:
            q = start
            while CLASS[text[q]] < 10:
                q += 1
            if text[q] == 58 and n == first and q > start:  # "3:1" is no label, so that there is none
                error[0] = NO_LABEL
                return start if layout.multilabel else -1
            error[0], error[1] = BAD_LABEL, start
            return -1
        if layout.multilabel:
            whole = int(value) if decided and 0 <= value < LARGEST else -1
            if whole != value or whole < 0:
                error[0], error[1] = BAD_LABEL, start
                return -1
            q = n
            while q > first and found.labels[q - 1] > value:
                found.labels[q] = found.labels[q - 1]
                q -= 1
            if q > first and found.labels[q - 1] == value:
                error[0], error[1] = LABEL_TWICE, start
                return -1
            found.labels[q] = value
        else:
            found.labels[n] = value
            if not decided:
                u = state[UNDECIDED]
                if u >= len(found.undecided):
                    return -3
                found.undecided[u, 0], found.undecided[u, 1], found.undecided[u, 2] = start, p, -1 - n
                state[UNDECIDED] = u + 1
        n += 1
        if text[p] != 44:
            state[LABELS] = n
            return p
        if not layout.multilabel:
            error[0], error[1] = MANY_LABELS, p
            return -1
        p += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _entries(text: Array, p: int, found: Found, layout: Layout, state: Array, error: Array) -> int:
    """Read the index:value pairs of a row at `p`; return where its line ends, -1, -2 or -3 as `_labels`."""
    n = state[ENTRIES]
    first = n
    before = -1
    top = state[TOP]
    size = found.data.size
    while True:
        kind = CLASS[text[p]]
        while kind == BLANK:
            p += 1
            kind = CLASS[text[p]]
        if kind == END:
            break
        start = p
        index = 0
        d = int(kind)
        while d < 10:
            index = index * 10 + d
            p += 1
            d = int(CLASS[text[p]])
        if p == start or text[p] != 58:
            if (
                n == first
                and text[start] == 113
                and text[p + 1] == 105
                and text[p + 2] == 100
                and text[p + 3] == 58
            ):
                while CLASS[text[p]] < BLANK:
                    p += 1
                first = -1  # only once
                continue
            error[0], error[1] = BAD_INDEX, start
            return -1
        column = index - layout.base
        if p - start > 10 or column <= before or column >= layout.limit:
            error[1] = start
            if p - start > 10 or index > LARGEST:
                error[0] = HUGE_INDEX
            elif column < 0:
                error[0] = BELOW
            elif column <= before:
                error[0] = ORDER
            else:
                error[0] = ABOVE
            return -1
        before = column
        start = p + 1
        p, decided, value = _number(text, start)
        if p < 0 or text[p] == 44:
            error[0], error[1] = BAD_VALUE, start
            return -1
        if n >= size:
            return -2
        found.indices[n] = column
        found.data[n] = value
        if not abs(found.data[n]) < INF:
            error[0], error[1] = OVERFLOW, start
            return -1
        if not decided:
            u = state[UNDECIDED]
            if u >= len(found.undecided):
                return -3
            found.undecided[u, 0], found.undecided[u, 1], found.undecided[u, 2] = start, p, n
            state[UNDECIDED] = u + 1
        n += 1
    state[ENTRIES] = n
    if before >= top:
        state[TOP] = before + 1
    return p


@njit(nogil=True, cache=True, error_model="numpy")
def parse(text: Array, stop: int, found: Found, layout: Layout, state: Array) -> None:
    """Read the lines of ``text[state[AT]:stop]``, whose last byte is a line feed."""
    error = np.zeros(2, dtype=np.int64)
    p = state[AT]
    state[STATUS] = DONE
    while p < stop:
        kind = CLASS[text[p]]
        while kind == BLANK:
            p += 1
            kind = CLASS[text[p]]
        if kind != END:
            rows, labels, undecided = state[ROWS], state[LABELS], state[UNDECIDED]
            if rows + 1 >= found.indptr.size:
                state[STATUS] = FULL
                return
            p = _labels(text, p, found, layout, state, error)
            if p >= 0:
                p = _entries(text, p, found, layout, state, error)
            if p < 0:
                state[LABELS], state[UNDECIDED] = labels, undecided
                if p == -1:
                    state[STATUS], state[AT] = error[0], error[1]
                else:
                    state[STATUS] = FULL if p == -2 else UNDECIDED_FULL
                return
            state[ROWS] = rows + 1
            found.indptr[rows + 1] = state[ENTRIES]
            found.label_ptr[rows + 1] = state[LABELS]
        p = _skip_line(text, p) + 1
        state[LINES] += 1
        state[AT] = p


@njit(nogil=True, cache=True, error_model="numpy")
def zero_index(text: Array, stop: int) -> Any:
    """Return where in ``text[1:stop]`` the first index 0 may stand (its colon), -1 if nowhere."""
    for p in range(2, stop):
        if text[p] == 58 and text[p - 1] == 48:
            q = p - 1
            while q > 0 and text[q] == 48:
                q -= 1
            if CLASS[text[q]] == BLANK:
                return p
    return -1
