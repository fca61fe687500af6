"""Lots: which rows of a table that is read in parts are held out, and which are in a sample.

A *lot* is a number drawn for a row from a seed and the row's number alone. A row is held out if its lot is below a share
of all numbers; a `Sample` holds the rows with the smallest lots of another kind. So neither hangs on how the table is
cut into parts, nor takes memory that grows with it.

References
----------
G. L. Steele, D. Lea and C. H. Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA, figure 16: the
mixing function that makes lots (SplitMix64).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from limen.learn._stream_parts import Part
from limen.step import Array
from limen.table import Column

__all__ = ["HELD_OUT", "SAMPLED", "Sample", "lots"]

HELD_OUT, SAMPLED = 1, 2  # kinds of lots


def lots(rows: Array, seed: int, kind: int) -> Array:
    """Return the lots of rows, uint64: no two rows of a kind have the same."""
    x = rows.astype(np.uint64)
    for salt in (seed, kind):
        x = x + np.uint64((0x9E3779B97F4A7C15 * (salt + 1)) & (2**64 - 1))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return x


class Sample:
    """The rows with the smallest lots: a uniform sample without replacement, of bounded size.

    Parameters
    ----------
    size : int
        The most rows it gives in the end; it never holds more than an eighth above that.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seed = size, seed
        self.lots, self.rows = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        self.held: dict[str, list[Column]] = {}
        self.limit = 2**64 - 1

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, part: Part, which: Array, features: Sequence[str]) -> None:
        """Draw from some rows of a part."""
        own = lots(part.before + which, self.seed, SAMPLED)
        drawn = np.flatnonzero(own <= np.uint64(self.limit))
        for start in range(0, len(drawn), max(1, self.size // 8)):
            piece = drawn[start : start + max(1, self.size // 8)]
            piece = piece[own[piece] <= np.uint64(self.limit)]  # which a piece before may have lowered
            if not len(piece):
                continue
            chosen = part.take(which[piece])
            for name in features:
                self.held.setdefault(name, []).append(chosen.rows_of(name))
            self.lots = np.concatenate([self.lots, own[piece]])
            self.rows = np.concatenate([self.rows, part.before + which[piece]])
            if len(self.rows) >= self.size + self.size // 8:
                self._settle()

    def columns(self) -> Mapping[str, Column]:
        """Return the sample in the order of the file."""
        self._settle()
        return {name: column for name, (column,) in self.held.items()}

    def _settle(self) -> None:
        """Keep the rows with the smallest lots, in the order of the file."""
        kept = np.argsort(self.lots)[: self.size]
        if len(kept) == self.size:
            self.limit = int(self.lots[kept[-1]])
        kept = kept[np.argsort(self.rows[kept])]
        self.lots, self.rows = self.lots[kept], self.rows[kept]
        for name, pieces in self.held.items():
            first = next((piece for piece in pieces if not piece.missing.all()), pieces[0])
            values = np.concatenate([piece.values for piece in pieces])[kept]
            gone = np.concatenate([piece.missing for piece in pieces])[kept]
            self.held[name] = [Column(name, first.kind, values, gone, first.is_category)]
