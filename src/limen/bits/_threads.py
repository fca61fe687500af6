"""Rows shared out among threads: whole words of them, each slice computed as if it were alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from limen.errors import InputError
from limen.step import Array
from limen.words import WORD

__all__ = ["in_slices", "threads"]


def threads(n_jobs: int | None) -> int:
    """Return a number of threads: None is 1, -1 all the processors this program may use, -2 one less.

    Raises
    ------
    InputError
        0, or no whole number.
    """
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0:
        raise InputError(f"n_jobs must be None or a whole number other than 0. Received: {n_jobs!r}.")
    if n_jobs > 0:
        return n_jobs
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, here + 1 + n_jobs)


def in_slices(work: Callable[[slice], Array], n_rows: int, n_threads: int, unit: int = WORD) -> list[Array]:
    """Return what `work` makes of each slice of rows, in order; a slice is a multiple of `unit` rows but for the last.

    What a thread raises is raised here.
    """
    size = max(unit, -(-n_rows // (n_threads * unit)) * unit)
    slices = [slice(start, min(start + size, n_rows)) for start in range(0, max(n_rows, 1), size)]
    if len(slices) == 1:
        return [work(slices[0])]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, slices))
