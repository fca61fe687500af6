"""How much memory this program may use."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["memory"]

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory() -> int | None:
    """Return the bytes of memory this program may use, the machine's or its container's; None if unknown."""
    found = []
    with contextlib.suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in LIMITS:
        with contextlib.suppress(ValueError, OSError):  # no such file, or "max": no limit
            found.append(int(Path(limit).read_text()))
    return min((size for size in found if size > 0), default=None)
