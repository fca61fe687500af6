"""Files: written whole or not at all.

`write_atomically` puts the bytes beside the target under a name of its own, forces them to the disk and then
renames: whatever happens, a reader finds the old file or the new one, and of two writers the later wins. A
device or a pipe can't be replaced, so that it is written to as it is. `reading` and `read_bytes` read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from limen.errors import FileError, InputError, LimenError

__all__ = ["read_bytes", "reading", "write_atomically"]

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends otherwise


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path`, replacing a file that is there only when all is written.

    A file that is replaced keeps its permissions; one that is a symbolic link stays one, and what it points to is
    replaced. A process that is killed may leave its unfinished copy, ``.NAME.….part``, but never touches `path`.

    Raises
    ------
    FileError
        The folder doesn't exist, it or the file can't be written to, or the disk is full; `path` is as it was.
    InputError
        `path` isn't a path.
    """
    target = _as_path(path)
    try:
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            target.write_bytes(data)  # a folder is refused by the system
            return
        target = Path(os.path.realpath(target))
        if mode is not None and not _may_write(target):
            raise PermissionError("it is write-protected")
        _replace(target, data, mode)
    except (OSError, ValueError) as error:
        raise FileError(
            f"{path} can't be written: {_reason(error)}. Name a file in a folder that exists, that you may write"
            " to, and that has room."
        ) from error


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the contents of the file at `path`.

    Raises
    ------
    FileError
        There is no such file, or it can't be read.
    InputError
        `path` isn't a path.
    """
    source = _as_path(path)
    try:
        return source.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


@contextlib.contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, int]]:
    """Open the file at `path`, and give the open file and its size.

    All that is read then is of one file, also while another process replaces it.

    Raises
    ------
    FileError
        There is no such file, it can't be read, or it is a folder, a device or a pipe, which have no size.
    InputError
        `path` isn't a path.
    """
    source = _as_path(path)
    try:
        mode = source.stat().st_mode  # to open a pipe would wait for its writer
        if not stat.S_ISREG(mode):
            raise OSError(f"it is {'a folder' if stat.S_ISDIR(mode) else 'a device or a pipe'}")
        with source.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
    except LimenError:
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | os.PathLike[str], error: Exception) -> FileError:
    return FileError(f"{path} can't be read: {_reason(error)}. Check the name.")


def _as_path(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise InputError(f"A path is text or a pathlib.Path. Received: {type(path).__name__}.") from None


def _mode(target: Path) -> int | None:
    """Return what kind of file `target` is and its permissions, or None if there is nothing."""
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


def _may_write(target: Path) -> bool:
    return os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    """Write `data` beside `target` and rename; leave nothing behind if that fails."""
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    # A new file gets the permissions that the process gives to new files; a copy of a private one is never public.
    permissions = 0o666 if mode is None else 0o600
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, permissions)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
