"""What comes back when something is asked: `Answer`, and the `Certificate` that says why not.

An answer is *proved*, *refuted*, or *unknown*, and is true, false or an error in an ``if``. A refusal to be one neuron
comes with a certificate: rows that must fire and rows that must not, some of them counted more than once, as many of
the one as of the other, whose sums are equal. Whatever the weights, both then have one and the same total net input,
which can't be at least 0 for the one and below 0 for the other. Such rows exist whenever there is no neuron.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley: asummability.
P. Kirchberger (1903), "Über Tchebychefsche Annäherungsmethoden", Mathematische Annalen 57: for points of d dimensions,
d + 2 are enough to show that two sets can't be separated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias, final

import numpy as np

from limen import _text
from limen._rational import whole
from limen.errors import InputError, UndecidedError
from limen.network import Network
from limen.step import Array

__all__ = ["Answer", "Certificate", "Verdict"]

Verdict: TypeAlias = Literal["proved", "refuted", "unknown"]

DIGITS = 24  # a longer number is only counted in print


@final
@dataclass(frozen=True, eq=False, repr=False)
class Certificate:
    """Rows that fire and rows that don't, with equal sums: no neuron tells them apart.

    Parameters
    ----------
    firing, resting : array_like, shapes (k, n_inputs) and (m, n_inputs)
        The rows that must fire and those that must not: integers, or floats taken as the fractions they are.
    firing_counts, resting_counts : sequence of int
        How many times each row is counted, at least once; in total as many firing as resting rows.
    firing_indices, resting_indices : sequence of int
        Which rows of the truth table, or of the data, they are, from 0.
    inputs : sequence of str
        Names of the columns.
    decide : callable, optional
        What is asked about: takes rows and their indices, returns 1 for each that must fire, 0 for each that must not,
        anything else where it says nothing.

    Examples
    --------
    >>> xor = Certificate([[0, 1], [1, 0]], [[0, 0], [1, 1]], (1, 1), (1, 1), (1, 2), (0, 3), ("a", "b"))
    >>> xor.check()
    True
    >>> print(xor)
             a b
    fires    0 1
    fires    1 0
    sum      1 1
    doesn't  0 0
    doesn't  1 1
    sum      1 1
    """

    firing: Array
    resting: Array
    firing_counts: tuple[int, ...]
    resting_counts: tuple[int, ...]
    firing_indices: tuple[int, ...]
    resting_indices: tuple[int, ...]
    inputs: tuple[str, ...]
    decide: Callable[[Array, tuple[int, ...]], Array] | None = field(default=None)

    def __post_init__(self) -> None:
        for side in ("firing", "resting"):
            rows = np.array(getattr(self, side))
            n_rows = len(getattr(self, f"{side}_counts"))
            if rows.shape != (n_rows, len(self.inputs)) or len(getattr(self, f"{side}_indices")) != n_rows:
                raise InputError(
                    f"A certificate needs a row of {len(self.inputs)} numbers, a count and an index for each {side}"
                    f" row. Received: rows of shape {rows.shape} and {n_rows} counts."
                )
            if rows.dtype.kind not in "buif" or not np.isfinite(rows).all():
                raise InputError(
                    f"The rows of a certificate must be finite numbers. Received: {rows.tolist()}."
                )
            rows.setflags(write=False)
            object.__setattr__(self, side, rows)
            for name in (f"{side}_counts", f"{side}_indices"):
                given = tuple(getattr(self, name))
                if not all(isinstance(value, int | np.integer) for value in given):
                    raise InputError(f"{name} must be whole numbers. Received: {given}.")
                object.__setattr__(self, name, tuple(int(value) for value in given))
        object.__setattr__(self, "inputs", tuple(self.inputs))

    @property
    def n_rows(self) -> int:
        """Number of different rows."""
        return len(self.firing_counts) + len(self.resting_counts)

    @property
    def firing_multipliers(self) -> tuple[Fraction, ...]:
        """The counts as shares of 1: the convex combination of the firing rows."""
        return _shares(self.firing_counts)

    @property
    def resting_multipliers(self) -> tuple[Fraction, ...]:
        """The counts as shares of 1: the convex combination of the resting rows."""
        return _shares(self.resting_counts)

    def check(self) -> bool:
        """Tell whether this proves that there is no neuron, in exact arithmetic and without a solver.

        All counts are positive, in total as many for the firing as for the resting rows; the sums of the rows are
        equal, column by column; and what was asked about does fire on the ones and not on the others.
        """
        counts = (self.firing_counts, self.resting_counts)
        if not all(counts) or min(map(min, counts)) < 1 or sum(counts[0]) != sum(counts[1]):
            return False
        both = whole(np.concatenate([self.firing, self.resting]))
        signed = [*self.firing_counts, *(-count for count in self.resting_counts)]
        for column in both.T.tolist():
            if sum(count * value for count, value in zip(signed, column, strict=True)) != 0:
                return False
        if self.decide is None:
            return True
        fires = np.asarray(self.decide(self.firing, self.firing_indices))
        rests = np.asarray(self.decide(self.resting, self.resting_indices))
        return bool((fires == 1).all() and (rests == 0).all())

    def __repr__(self) -> str:
        fires, rests = len(self.firing_counts), len(self.resting_counts)
        return f"Certificate({fires} firing and {rests} resting {'row' if rests == 1 else 'rows'} with equal sums)"

    def __str__(self) -> str:
        """Return the rows and their sums as a table, or what they are where a table has no room."""
        if len(self.inputs) > 24 or self.n_rows > 64:
            return f"{repr(self)[12:-1]} over {len(self.inputs)} inputs"
        table = [["", *self.inputs]]
        for word, side in (("fires", "firing"), ("doesn't", "resting")):
            rows, counts = getattr(self, side), getattr(self, f"{side}_counts")
            for row, count in zip(rows.tolist(), counts, strict=True):
                times = "" if count == 1 else f" ×{_short(count)}"
                table.append([f"{word}{times}", *(_number(value) for value in row)])
            sums = [
                sum(Fraction(v) * c for v, c in zip(column, counts, strict=True))
                for column in rows.T.tolist()
            ]
            table.append(["sum", *(_number(total) for total in sums)])
        widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
        lines = []
        for row in table:
            cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
            gap = "  " if len(cells) > 1 else ""
            lines.append((cells[0] + gap + " ".join(cells[1:])).rstrip())
        return "\n".join(lines)


def _shares(counts: Sequence[int]) -> tuple[Fraction, ...]:
    total = sum(counts)
    return tuple(Fraction(count, total) for count in counts)


def _short(count: int) -> str:
    text = str(count)
    return text if len(text) <= DIGITS else f"(a number of {len(text)} digits)"


def _number(value: Any) -> str:
    """Return a number in full if it is short, else rounded: what is checked are the numbers themselves."""
    exact = Fraction(value)
    text = _short(exact.numerator) if exact.denominator == 1 else f"{float(exact):.6g}"
    return text.replace("-", _text.MINUS)


@final
@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """What was found: proved, refuted, or unknown so far.

    Parameters
    ----------
    verdict : {"proved", "refuted", "unknown"}
        True, False, or an `UndecidedError` when asked with ``if`` or `bool`.
    says : str
        The answer in one sentence.
    network : Network, optional
        What shows that it is so: a neuron that does what was asked.
    certificate : Certificate, optional
        What shows that it isn't.
    bounds : (int, int or None), optional
        What is proved of the quantity that was to be as small as possible: at least the first number, at most the
        second. `says` and the question's own page say which quantity. Equal numbers: it is the least.
    unique : bool, optional
        Whether the network's weights are the only ones that reach the least; None where that isn't known.
    changes : (int, int), optional
        How many decisions change, at least and at most, where some had to.

    Examples
    --------
    >>> answer = Answer("refuted", "No single neuron computes y.")
    >>> bool(answer), answer.is_refuted
    (False, True)
    """

    verdict: Verdict
    says: str
    network: Network | None = None
    certificate: Certificate | None = None
    bounds: tuple[int, int | None] | None = None
    unique: bool | None = None
    changes: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        if self.verdict == "unknown":
            raise UndecidedError(
                f"The answer is unknown so far. {self.says} Give more time, or look at its bounds."
            )
        return self.verdict == "proved"

    @property
    def is_proved(self) -> bool:
        """Whether it is so."""
        return self.verdict == "proved"

    @property
    def is_refuted(self) -> bool:
        """Whether it is not so."""
        return self.verdict == "refuted"

    @property
    def is_unknown(self) -> bool:
        """Whether it could be either."""
        return self.verdict == "unknown"

    @property
    def is_least(self) -> bool:
        """Whether what was to be as small as possible is proved to be so."""
        return self.bounds is not None and self.bounds[0] == self.bounds[1]

    def __repr__(self) -> str:
        return f"Answer({self.verdict}: {self.says})"

    def __str__(self) -> str:
        parts = [self.says]
        if self.network is not None:
            parts.append(str(self.network).split("\n", 1)[1])
        if self.certificate is not None:
            parts.append(str(self.certificate))
        return "\n".join(parts)
