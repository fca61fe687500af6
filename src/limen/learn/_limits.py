"""Options that are numbers, checked: how many, and for how long."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from limen.errors import InputError

__all__ = ["deadline", "whole_number"]


def deadline(time_limit: Any) -> float:
    """Return when so many seconds will have passed, by `time.monotonic`; infinite for None.

    Raises
    ------
    InputError
        Not a number above 0.
    """
    if time_limit is None:
        return math.inf
    if (
        isinstance(time_limit, bool)
        or not isinstance(time_limit, int | float | np.number)
        or not time_limit > 0
    ):
        raise InputError(
            f"time_limit must be a number of seconds above 0, or None. Received: {time_limit!r}."
        )
    return time.monotonic() + float(time_limit)


def whole_number(value: Any, name: str, least: int, most: int | None = None) -> int:
    """Return an option that is a whole number.

    Raises
    ------
    InputError
        Not a whole number, or out of range.

    Examples
    --------
    >>> whole_number(3, "hidden", 1, 8)
    3
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        span = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name} must be a whole number {span}. Received: {value!r}.")
    return int(value)
