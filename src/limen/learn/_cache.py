"""A cache: the batches of one pass in a binary file, for the next passes to read as fast as memory gives them.

The file holds the arrays of each batch as they lie in memory, and what it was made from. ::

    b"limenrow", version, byte order        8 + 8 bytes
    for each batch: its arrays, each from a multiple of 64 bytes on
    index: JSON (key, facts, and for each batch where it is, its CRC-32, its arrays, its position)
    length and CRC-32 of the index          16 bytes
    b"limenend"                             8 bytes

An array of nothing but ones isn't stored. Each batch is checked when a stream reads it for the first time, the index
each time: a byte that changed is found (CRC-32 finds every single burst of up to 32 bits, and others but for one in
2³²). The key says what the batches came from, so that a cache of other files, or of the same files read otherwise,
isn't taken for this one.

`Writer` writes beside the target, under a name of its own, and renames at the end: a pass that is interrupted or a
disk that is full leaves the cache that was there, or none. `Cache` reads. They know arrays; `write_rows` and
`read_rows` know X and y.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import struct
import sys
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from scipy import sparse

from limen.errors import FileError
from limen.step import Array

__all__ = ["Cache", "Writer", "csr", "is_cache", "read_rows", "write_rows"]

MAGIC, END = b"limenrow", b"limenend"
VERSION = b"1" + sys.byteorder.encode()[:6].ljust(7)
LINE = 64  # bytes of the processor's cache
TAIL = struct.Struct("<QII8s")
INDEX_LIMIT = 1 << 30


def is_cache(path: str) -> bool:
    """Whether there is a file at `path`, which is then a cache of ours, of this version or another.

    Raises
    ------
    FileError
        There is something else, which a cache must not replace.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(len(MAGIC))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if start != MAGIC:
        raise FileError(f"{path} is no cache of limen's, and won't be replaced. Give cache= another name.")
    return True


class Cache:
    """A cache that is there and whole, open for reading; a context manager.

    Parameters
    ----------
    path : str
    key : str
        What the batches must have come from.
    seen : set of int, optional
        Batches whose bytes were checked before, in this file as it is now; those that are read are added. Without one,
        every batch is checked.

    Attributes
    ----------
    fits : bool
        Whether the cache is of this version and this key; if not, nothing else may be asked of it.
    facts : dict
        What was found out in the pass that wrote it.
    n_batches : int

    Raises
    ------
    FileError
        It is damaged.
    """

    def __init__(self, path: str, key: str, seen: set[int] | None = None) -> None:
        self.path = path
        self.seen = set() if seen is None else seen
        try:
            self._file: Any = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            index = self._index()
        except BaseException:
            self.close()
            raise
        self.fits = index is not None and index["key"] == key
        self.facts: dict[str, Any] = index["facts"] if index and self.fits else {}
        self._blocks: list[dict[str, Any]] = index["blocks"] if index and self.fits else []
        self._ones: dict[str, Array] = {}

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def state(self) -> tuple[int, ...]:
        """Return what tells this file from another one, and from itself before it was written to."""
        status = os.fstat(self._file.fileno())
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    @property
    def n_batches(self) -> int:
        """Number of batches."""
        return len(self._blocks)

    def position(self, k: int) -> dict[str, Any]:
        """Return what `Writer.add` was told about batch `k`."""
        told: dict[str, Any] = self._blocks[k]["position"]
        return told

    def arrays(self, k: int) -> dict[str, Array]:
        """Return the arrays of batch `k` by name.

        Ones that weren't stored are the same array for every batch: they must not be changed.
        """
        block = self._blocks[k]
        found, rooms, at = {}, [], 0
        for name, (kind, shape, start) in block["arrays"].items():
            size = math.prod(shape)
            if start is None:
                found[name] = self._all_ones(kind, size).reshape(shape)
                continue
            # Each array has memory of its own: SciPy copies what is part of something larger.
            array: Any = np.empty(size, dtype=kind)
            rooms += [memoryview(bytearray(start - at)), memoryview(array.view(np.uint8))]
            at = start + array.nbytes
            found[name] = array.reshape(shape)
        self._fill(block["offset"], rooms)
        if k not in self.seen:
            crc = 0
            for room in rooms:
                crc = zlib.crc32(room, crc)
            if at != block["length"] or crc != block["crc"]:
                raise self.damaged(f"the bytes from {block['offset']} on, batch {k + 1}, have changed")
        return found

    def _all_ones(self, kind: str, size: int) -> Array:
        ones = self._ones.get(kind)
        if ones is None or ones.size < size:
            ones = self._ones[kind] = np.ones(size, dtype=kind)
        return ones[:size]

    def _index(self) -> dict[str, Any] | None:
        """Return the index, or None if the file is of another version or processor."""
        size = os.fstat(self._file.fileno()).st_size
        if self._bytes(0, len(MAGIC) + len(VERSION)) != MAGIC + VERSION:
            return None
        at = size - TAIL.size
        if at < len(MAGIC) + len(VERSION):
            raise self.damaged("its end is missing")
        length, crc, _, end = TAIL.unpack(self._bytes(at, TAIL.size))
        if end != END:
            raise self.damaged("its end is missing")
        if length > min(at, INDEX_LIMIT):
            raise self.damaged("its index has changed")
        data = self._bytes(at - length, length)
        if zlib.crc32(data) != crc:
            raise self.damaged("its index has changed")
        index: dict[str, Any] = json.loads(data)
        return index

    def _bytes(self, offset: int, length: int) -> bytes:
        data = bytearray(length)
        self._fill(offset, [memoryview(data)])
        return bytes(data)

    def _fill(self, offset: int, rooms: list[memoryview]) -> None:
        """Read what stands from `offset` on into one room after the other."""
        try:
            self._file.seek(offset)
            for room in rooms:
                filled = 0
                while filled < len(room):
                    n = self._file.readinto(room[filled:])
                    if not n:
                        raise self.damaged(f"it ends at byte {self._file.tell()}")
                    filled += n
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def damaged(self, what: str) -> FileError:
        """Return the error for a cache that can't be used."""
        return FileError(
            f"{self.path} is damaged: {what}. Delete it: the next pass makes it anew from the files it came from."
        )


class Writer:
    """Writes a cache, batch by batch.

    Parameters
    ----------
    path : str
    key : str

    Raises
    ------
    FileError
        It can't be written, for instance because the disk is full; nothing is left of it, and what was at `path`
        is as it was.
    """

    def __init__(self, path: str, key: str) -> None:
        self.path, self.key = path, key
        target = Path(os.path.realpath(path))
        self._target = target
        self._temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
        self._written = 0
        self._blocks: list[dict[str, Any]] = []
        try:
            self._file: IO[bytes] = open(self._temporary, "xb", buffering=0)  # noqa: SIM115 - closed below
        except OSError as error:
            raise self._failed(error) from error
        self._put(MAGIC + VERSION)

    def add(self, arrays: dict[str, Array], position: dict[str, Any]) -> None:
        """Write the arrays of a batch."""
        self._pad()
        offset, crc = self._written, 0
        kept: dict[str, Any] = {}
        for name, array in arrays.items():
            if array.size and array.dtype.kind in "fi" and name.endswith("data") and (array == 1).all():
                kept[name] = (array.dtype.str, array.shape, None)
                continue
            crc = self._pad(crc)
            kept[name] = (array.dtype.str, array.shape, self._written - offset)
            flat: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            data = memoryview(flat)
            crc = zlib.crc32(data, crc)
            self._put(data)
        length = self._written - offset
        self._blocks.append(
            {"offset": offset, "length": length, "crc": crc, "arrays": kept, "position": position}
        )

    def finish(self, facts: dict[str, Any]) -> None:
        """Write the index, force all to the disk and give the file its name."""
        index = json.dumps({"key": self.key, "facts": facts, "blocks": self._blocks}).encode()
        self._put(index)
        self._put(TAIL.pack(len(index), zlib.crc32(index), 0, END))
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._temporary, self._target)
        except OSError as error:
            raise self._failed(error) from error

    def abandon(self) -> None:
        """Leave nothing of what was written."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink()

    def _pad(self, crc: int = 0) -> int:
        gap = bytes(-self._written % LINE)
        self._put(gap)
        return zlib.crc32(gap, crc)

    def _put(self, data: bytes | memoryview) -> None:
        done = 0
        try:
            while done < len(data):
                n = _write(self._file, data[done:])
                done += n
                self._written += n
        except OSError as error:
            self.abandon()
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> FileError:
        return FileError(
            f"The cache {self.path} can't be written: {error.strerror or error}, after {self._written} bytes. What was"
            " written is removed, and the files it came from are as they were. Make room, name a file elsewhere with"
            " cache=, or leave cache= out."
        )


def _write(file: IO[bytes], data: bytes | memoryview) -> int:
    return file.write(data)


def _unreadable(path: str, error: Exception) -> FileError:
    return FileError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}. Check the name.")


# Rows as arrays ---------------------------------------------------------------------------------------------------


def csr(data: Array, indices: Array, indptr: Array, shape: Any) -> Any:
    """Return a CSR matrix of arrays known to be in order."""
    matrix = sparse.csr_array((data, indices, indptr), shape=shape)
    matrix.has_canonical_format = True  # SciPy needn't look
    return matrix


def write_rows(writer: Writer, X: Any, y: Any, position: dict[str, Any]) -> None:
    """Add rows and their labels to a cache."""
    found: dict[str, Array] = {}
    for name, part in (("X", X), ("y", y)):
        if sparse.issparse(part):
            found |= {
                f"{name}.data": part.data,
                f"{name}.indices": part.indices,
                f"{name}.indptr": part.indptr,
            }
        elif part is not None:
            found[name] = part
    writer.add(found, position)


def read_rows(cache: Cache, k: int, n_features: int | None, n_labels: int | None) -> tuple[Any, Any]:
    """Return the rows and labels of batch `k`.

    Raises
    ------
    FileError
        The cache is damaged, or holds what kernels must not be given.
    """
    arrays = cache.arrays(k)
    known = k in cache.seen
    X = arrays["X"] if "X" in arrays else _matrix(cache, "X", arrays, n_features or 0, known)
    y = _matrix(cache, "y", arrays, n_labels or 0, known) if "y.indptr" in arrays else arrays.get("y")
    if y is not None and y.shape[0] != X.shape[0]:
        raise cache.damaged(f"batch {k + 1} has {X.shape[0]} rows and {y.shape[0]} labels")
    cache.seen.add(k)
    return X, y


def _matrix(cache: Cache, name: str, arrays: dict[str, Array], n_columns: int, known: bool) -> Any:
    """Return a CSR matrix whose arrays fit together, which is `known` or looked for."""
    data, indices, indptr = (arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    if known:
        return csr(data, indices, indptr, (len(indptr) - 1, n_columns))
    good = indices.dtype == indptr.dtype == np.int32 and len(indptr) > 0 and len(data) == len(indices)
    good = good and indptr[0] == 0 and indptr[-1] == len(indices) and bool((indptr[1:] >= indptr[:-1]).all())
    if not good or (len(indices) and int(indices.view(np.uint32).max()) >= n_columns):
        raise cache.damaged(f"the arrays of {name} don't fit together")
    return csr(data, indices, indptr, (len(indptr) - 1, n_columns))
