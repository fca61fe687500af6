"""Linear algebra without rounding: whole numbers in, fractions out. The only file that sees FLINT.

A solver works in floats and so only *suggests*: which equations hold, which rows matter. What it suggests is solved
here again, exactly, and then it is a fact.

==================  =======================================================================================
`whole`             numbers → whole numbers, all multiplied by one power of two
`solve`             a square system → its one solution, or None
`null_vector`       equations → the one direction that solves them all, in smallest whole numbers, or None
`rank`              how many rows don't follow from the others
==================  =======================================================================================

References
----------
The FLINT team (2025), "FLINT: Fast Library for Number Theory", through python-flint.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from limen.step import Array

__all__ = ["null_vector", "rank", "solve", "whole"]


def whole(numbers: Any) -> Array:
    """Return numbers as Python's whole numbers: each times the least power of two that makes all of them whole.

    Parameters
    ----------
    numbers : array_like of integers or finite floats
        A float is the fraction it is: a whole number over a power of two.

    Returns
    -------
    ndarray of object (int), same shape

    Examples
    --------
    >>> whole([[0.5, 3.0], [0.25, 1.0]]).tolist()
    [[2, 12], [1, 4]]
    """
    array = np.asarray(numbers)
    if array.dtype.kind in "bui":
        return array.astype(object) if array.dtype.kind != "b" else array.astype(np.int8).astype(object)
    if array.dtype.kind == "f":
        array = array.astype(np.float64, copy=False)
        if (array == np.rint(array)).all() and (np.abs(array) < 2.0**63).all():
            return array.astype(np.int64).astype(object)
    ratios = [value.as_integer_ratio() for value in array.ravel().tolist()]
    scale = max((denominator for _, denominator in ratios), default=1)
    wholes: Array = np.empty(len(ratios), dtype=object)
    wholes[:] = [numerator * (scale // denominator) for numerator, denominator in ratios]
    return wholes.reshape(array.shape)


def solve(matrix: Sequence[Sequence[int]], right: Sequence[int]) -> list[Fraction] | None:
    """Return the solution of a square system of equations, or None where it has none or many.

    Examples
    --------
    >>> solve([[2, 1], [0, 3]], [1, 1])
    [Fraction(1, 3), Fraction(1, 3)]
    """
    from flint import fmpz_mat

    if not matrix:
        return []
    try:
        solution = fmpz_mat([list(row) for row in matrix]).solve(fmpz_mat([[value] for value in right]))
    except ZeroDivisionError:  # FLINT's word for a singular matrix
        return None
    return [Fraction(int(value.p), int(value.q)) for value in solution.entries()]


def null_vector(matrix: Sequence[Sequence[int]]) -> list[int] | None:
    """Return whole numbers without common divisor that every row of a matrix sums up to 0 with.

    Returns
    -------
    list of int or None
        None unless there is exactly one such direction. Its first number other than 0 is positive.

    Examples
    --------
    >>> null_vector([[2, 1, 0], [0, 3, -1]])
    [1, -2, -6]
    """
    from flint import fmpz_mat

    basis, nullity = fmpz_mat([list(row) for row in matrix]).nullspace()
    if nullity != 1:
        return None
    vector = [int(basis[row, 0]) for row in range(basis.nrows())]
    divisor = int(np.gcd.reduce(np.array(vector, dtype=object)))
    first = next(value for value in vector if value)
    return [value // (divisor if first > 0 else -divisor) for value in vector]


def rank(matrix: Sequence[Sequence[int]]) -> int:
    """Return how many rows of a matrix don't follow from the others.

    Examples
    --------
    >>> rank([[1, 2], [2, 4], [0, 1]])
    2
    """
    from flint import fmpz_mat

    return int(fmpz_mat([list(row) for row in matrix]).rank()) if len(matrix) else 0
