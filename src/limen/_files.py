"""Files: written whole or not at all.

`write_atomically` puts the bytes beside the target under a name of its own, forces them to the disk and then
renames: whatever happens, a reader finds the old file or the new one, and of two writers the later wins.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from limen.errors import FileError

__all__ = ["read_bytes", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path`, replacing a file that is there only when all is written.

    Raises
    ------
    FileError
        The folder doesn't exist, can't be written to, or the disk is full; `path` is as it was.
    """
    target = Path(path)
    if target.is_symlink():
        target = Path(os.path.realpath(target))
    temporary: str | None = None
    try:
        if target.is_dir():
            raise IsADirectoryError("it is a folder")
        handle, temporary = tempfile.mkstemp(
            prefix=f".{target.name[:80]}.", suffix=".part", dir=target.parent
        )
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
        temporary = None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            f"{path} can't be written: {reason}. Name a file in a folder that exists, that you may write to,"
            " and that has room."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the contents of the file at `path`.

    Raises
    ------
    FileError
        There is no such file, or it can't be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(f"{path} can't be read: {reason}. Check the name.") from error


def _mode(target: Path) -> int:
    """Return the permissions of the file to be replaced, or those a new file would get."""
    try:
        return target.stat().st_mode & 0o7777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
