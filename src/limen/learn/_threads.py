"""How many threads: what ``n_jobs`` means, and how many processors this process may use."""

from __future__ import annotations

from joblib import cpu_count, effective_n_jobs

__all__ = ["n_processors", "n_threads"]


def n_threads(n_jobs: int | None) -> int:
    """Return the number of threads that ``n_jobs`` asks for, as scikit-learn reads it: None is 1, -1 all."""
    return int(effective_n_jobs(n_jobs))


def n_processors() -> int:
    """Return how many processors this process may use."""
    return int(cpu_count())
