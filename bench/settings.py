"""What was asked for on the command line, and how large things then are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["SIZES", "Settings", "Sizes"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large data are and how often things are run.

    Parameters
    ----------
    images, test_images : int
        Rows of the image sets.
    epochs : int
        Epochs of one timed fit.
    sparse_rows : int
        Rows of the sparse matrices; they always have 47,236 columns and 75 entries a row.
    labels : int
        Outputs of the multi-label row.
    runs, brief_runs : int
        Timed runs of each side; of what takes microseconds.
    bandwidth_mb, stream_mb : int
        Size of the array read for the bandwidth, of the streamed files.
    texts : int or None
        The most texts of each split; None for all.
    seeds : int
        Seeds of the accuracy table.
    slow : bool
        Whether rivals that take minutes on large data take part with all of it.
    outputs, rows : tuple of int
        What the plot's axes show.
    """

    images: int
    test_images: int
    epochs: int
    sparse_rows: int
    labels: int
    runs: int
    brief_runs: int
    bandwidth_mb: int
    stream_mb: float
    texts: int | None
    seeds: int
    slow: bool
    outputs: tuple[int, ...]
    rows: tuple[int, ...]


SIZES = {
    "full": Sizes(
        images=60_000,
        test_images=10_000,
        epochs=10,
        sparse_rows=100_000,
        labels=100,
        runs=5,
        brief_runs=51,
        bandwidth_mb=1000,
        stream_mb=2000,
        texts=None,
        seeds=5,
        slow=True,
        outputs=(1, 2, 5, 10, 20, 50, 100),
        rows=(1000, 2000, 5000, 10_000, 20_000, 60_000),
    ),
    "quick": Sizes(
        images=2000,
        test_images=1000,
        epochs=2,
        sparse_rows=4000,
        labels=20,
        runs=3,
        brief_runs=9,
        bandwidth_mb=200,
        stream_mb=5,
        texts=600,
        seeds=2,
        slow=False,
        outputs=(1, 2, 5, 10, 20, 50, 100),
        rows=(500, 1000, 2000),
    ),
    "tiny": Sizes(
        images=200,
        test_images=100,
        epochs=2,
        sparse_rows=300,
        labels=6,
        runs=1,
        brief_runs=1,
        bandwidth_mb=8,
        stream_mb=0.2,
        texts=80,
        seeds=2,
        slow=False,
        outputs=(1, 3),
        rows=(50, 100),
    ),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for.

    Parameters
    ----------
    data : Path or None
        Folder of data sets.
    sizes : Sizes
    full : bool
        Whether sizes are those that floors are asked for.
    """

    data: Path | None
    sizes: Sizes
    full: bool

    def folder(self, name: str) -> Path | None:
        """Return the folder of one data set, if there is one."""
        path = None if self.data is None else self.data / name
        return path if path is not None and path.is_dir() else None
