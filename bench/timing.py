"""Time in alternation: every side is warmed up, then the sides take turns, so that a slow minute hits them all."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Work", "alternate", "say", "seconds"]

LEAST = 3  # runs that a side gets however slow it is


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be timed.

    Parameters
    ----------
    call : callable
        Does it once.
    per : float or callable, default 1
        What a run's seconds are divided by, such as its epochs; a callable is given what `call` returned.
    warm : callable, optional
        What is done first, untimed; `call` if not given.
    runs : int, optional
        The most runs, if fewer than the others get.
    reported : bool, default False
        Whether `call` returns the seconds itself: it has measured them in another process.
    """

    call: Callable[[], Any]
    per: float | Callable[[Any], float] = 1.0
    warm: Callable[[], Any] | None = None
    runs: int | None = None
    reported: bool = False

    def run(self) -> float:
        """Do it once and return the seconds, divided."""
        gc.collect()
        start = time.perf_counter()
        made = self.call()
        took = time.perf_counter() - start
        return (made if self.reported else took) / (self.per(made) if callable(self.per) else self.per)


def alternate(
    works: Mapping[str, Work], runs: int, budget: float = 120.0, least: int = LEAST
) -> dict[str, tuple[float, ...]]:
    """Return the seconds of each run of each side, the sides taking turns.

    Parameters
    ----------
    works : mapping of str to Work
    runs : int
        Runs of each side.
    budget : float, default 120
        Seconds after which a side has no more turns, once it had `least`.
    least : int, default 3

    Returns
    -------
    dict of str to tuple of float
    """
    found: dict[str, list[float]] = {name: [] for name in works}
    spent = dict.fromkeys(works, 0.0)
    for work in works.values():
        (work.warm or work.call)()
    for _ in range(runs):
        for name, work in works.items():
            done = len(found[name])
            if (work.runs is not None and done >= work.runs) or (spent[name] > budget and done >= least):
                continue
            start = time.perf_counter()
            found[name].append(work.run())
            spent[name] += time.perf_counter() - start
    return {name: tuple(times) for name, times in found.items()}


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and what it returns."""
    start = time.perf_counter()
    made = call()
    return time.perf_counter() - start, made


def say(text: str) -> None:
    """Report progress on standard error."""
    print(text, file=sys.stderr, flush=True)
