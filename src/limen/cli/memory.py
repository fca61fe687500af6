"""Whether a table is too large for memory."""

from __future__ import annotations

import os

from limen._memory import memory

__all__ = ["is_large"]

SHARE, SHARE_COMPRESSED = 1 / 8, 1 / 16  # of the memory; in it a table takes some times its file's size
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PAR1")  # what compressed files and Parquet begin with
ZSTANDARD = b"\x28\xb5\x2f\xfd"


def is_large(path: str) -> bool:
    """Whether a file holds a table that should be streamed: more than an eighth of the memory, a sixteenth if compressed.

    What isn't a file, or can't be streamed, is not large.
    """
    available = memory()
    try:
        if available is None or not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            start = file.read(5)
        share = SHARE_COMPRESSED if start.startswith(COMPRESSED) else SHARE
        return not start.startswith(ZSTANDARD) and os.path.getsize(path) > share * available
    except OSError:
        return False  # whoever reads it says why it can't be read
