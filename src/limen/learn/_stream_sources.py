"""Which files a stream reads, in what format, and whether they are still the ones it began with.

`sources` turns a path, a list of paths or a glob into `Sources`: plain files in an order, their format, and a
fingerprint of their names, sizes and times of change. `Sources.open` opens one of them, decompressed, and
`Sources.unchanged` finds a part that vanished or changed. `Reading` holds what a pass is asked for.
"""

from __future__ import annotations

import bz2
import glob
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import stat
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

from limen._text import listing
from limen.errors import FileError, InputError

__all__ = ["FORMATS", "Reading", "Sources", "damaged", "opened", "sources"]

FORMATS = ("svmlight", "csv", "parquet", "arrow")
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError)  # what reading a damaged compressed file raises
NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
LABELS = rb"(?:" + NUMBER + rb"(?:," + NUMBER + rb")*)"
SVMLIGHT = re.compile(rb"\s*" + LABELS + rb"?(?:\s+qid:\S*)?(?:\s+\d+:\S+)+\s*(?:#.*)?")
SUFFIXES = {
    "svmlight": (".svm", ".svmlight", ".libsvm"),
    "csv": (".csv", ".tsv"),
}
LOOK = 1 << 16  # bytes looked at to tell what a file is


@dataclass(frozen=True, slots=True)
class Reading:
    """What a pass is asked for; see `limen.learn.stream.batches`."""

    dtype: Any
    n_features: int | None
    n_labels: int | None
    batch_rows: int | None
    batch_bytes: int


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a stream.

    Parameters
    ----------
    paths : tuple of str
        In the order they are read.
    format : {"svmlight", "csv", "parquet", "arrow"}
    states : tuple of (int, int)
        Size in bytes and time of change in nanoseconds of each.
    """

    paths: tuple[str, ...]
    format: str
    states: tuple[tuple[int, int], ...]

    @property
    def fingerprint(self) -> str:
        """A SHA-256 digest, in hex, of the files' names (without folders), sizes and times of change."""
        names = [os.path.basename(path) for path in self.paths]
        facts = json.dumps([self.format, names, self.states])
        return hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()

    def unchanged(self) -> None:
        """Raise `FileError`, naming it, if a file isn't there any more or isn't the same."""
        for path, state in zip(self.paths, self.states, strict=True):
            try:
                now = _state(path)
            except FileError as error:
                raise FileError(f"A part of the stream is gone: {error}") from error
            if now != state:
                raise FileError(
                    f"{path} has changed since the stream was made: expected {state[0]} bytes, received {now[0]}"
                    f" bytes{'' if now[0] != state[0] else ' written at another time'}. Make the stream anew with"
                    " batches(...)."
                )


def sources(path: Any, form: str | None) -> Sources:
    """Return the files that `path` names.

    Parameters
    ----------
    path : str, path, or sequence of them
        Text with ``*``, ``?`` or ``[`` that isn't the name of a file is a glob, whose files come in order of name.
    form : {"svmlight", "csv", "parquet", "arrow"}, optional
        Told from the first file if not given.

    Raises
    ------
    FileError
        No such file, a folder, a device or a pipe; or the format can't be told.
    InputError
        No path, no path in a list, or an unknown format.
    """
    if form is not None and form not in FORMATS:
        raise InputError(f"format must be one of {', '.join(map(repr, FORMATS))}. Received: {form!r}.")
    if isinstance(path, str | os.PathLike):
        path = [path]
    elif not isinstance(path, Iterable) or isinstance(path, bytes):
        raise InputError(
            f"A stream reads a path, a list of paths or a glob. Received: {type(path).__name__}."
        )
    paths = tuple(found for one in path for found in _expanded(one))
    if not paths:
        raise InputError("A stream reads at least one file. Received: an empty list.")
    if len(set(paths)) < len(paths):
        twice = sorted({one for one in paths if paths.count(one) > 1})
        raise InputError(f"A stream reads each file once. Received twice: {listing(twice)}.")
    states = tuple(_state(one) for one in paths)
    return Sources(paths, form or _format(paths[0]), states)


def _expanded(path: Any) -> list[str]:
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"A path is text or a pathlib.Path. Received: {type(path).__name__}.")
    name = os.fspath(path)
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    if not glob.has_magic(name) or os.path.lexists(name):
        return [name]
    found = sorted(one for one in glob.glob(name, recursive=True) if not os.path.isdir(one))
    if not found:
        raise FileError(f"No file matches {name}. Check the folder and the pattern.")
    return found


def _state(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise FileError(f"{path} can't be read: {_reason(error)}. Check the name.") from error
    if stat.S_ISDIR(status.st_mode):
        raise FileError(f"{path} can't be read: it is a folder. Name its files, for instance {path}/*.")
    if not stat.S_ISREG(status.st_mode):
        raise FileError(
            f"{path} can't be read: it is a device or a pipe, which can't be read twice. Write it to a file."
        )
    return status.st_size, status.st_mtime_ns


def opened(path: str) -> IO[bytes]:
    """Open a file to read its bytes as they were before compression; its first bytes tell which.

    Raises
    ------
    FileError
        It can't be opened.
    """
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115 - it is handed on
    except (OSError, ValueError) as error:
        raise FileError(f"{path} can't be read: {_reason(error)}. Check the name.") from error
    try:
        start = file.read(10)
        file.seek(0)
    except OSError as error:
        file.close()
        raise damaged(path, error) from error
    if start[:2] == b"\x1f\x8b":
        return _Owning(file, gzip.GzipFile(fileobj=file))
    if start[:3] == b"BZh" and start[4:10] == b"1AY&SY":
        return _Owning(file, bz2.BZ2File(file))
    if start[:6] == b"\xfd7zXZ\0":
        return _Owning(file, lzma.LZMAFile(file))
    return file


class _Owning(io.BufferedReader):
    """A decompressing reader that closes the file below it too."""

    def __init__(self, file: IO[bytes], reader: Any) -> None:
        super().__init__(reader, 1 << 20)
        self.below = file

    def close(self) -> None:
        super().close()
        self.below.close()


def damaged(path: str, error: Exception) -> FileError:
    """Return the error for a file that can't be read to its end."""
    return FileError(f"{path} can't be read to its end: {_reason(error)}. Check that it was copied whole.")


def _format(path: str) -> str:
    """Return the format of a file, told from its contents and, for text, its name."""
    with opened(path) as file:
        try:
            start = file.read(LOOK)
        except BROKEN as error:
            raise damaged(path, error) from error
    if start[:4] == b"PAR1" and b"\0" in start:
        return "parquet"
    if start[:6] == b"ARROW1" or start[:4] == b"\xff\xff\xff\xff":
        return "arrow"
    remedy = f"Name it with format=: {', '.join(map(repr, FORMATS))}."
    if b"\0" in start or not start.strip():
        what = "bytes that are no text" if start.strip() else "an empty file"
        raise FileError(f"{path}: the format can't be told. Received: {what}. {remedy}")
    name = re.sub(r"\.(gz|bz2|xz)$", "", os.path.basename(path).lower())
    for form, suffixes in SUFFIXES.items():
        if name.endswith(suffixes):
            return form
    lines = [line for line in start.split(b"\n") if line.strip() and not line.lstrip().startswith(b"#")]
    first = lines[0] if lines else b""
    if SVMLIGHT.fullmatch(first) or (
        len(start) == LOOK and len(lines) <= 1 and re.match(rb"\s*\S+ \d+:\S+ ", first)
    ):
        return "svmlight"
    if re.search(rb"[,;\t|]", first):
        return "csv"
    raise FileError(f"{path}: the format can't be told. Received: a first row of {_shown(first)}. {remedy}")


def _shown(line: bytes) -> str:
    text = line[:40].decode("utf-8", "replace")
    return repr(text + ("…" if len(line) > 40 else ""))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
