"""Compiled code on disk, found again by a digest of what it came from.

A file is ``<key>.limencode``: the key says text, processor, effort and compiler, so that code of another network or for another
processor isn't taken for this one. It begins with the SHA-256 of its content. A file that fails its digest is never loaded: it is
compiled anew and replaced.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from limen._files import write_atomically
from limen.bits._llvm import VERSION, Code, Target, compiled
from limen.errors import FileError, InputError

__all__ = ["Store"]

MAGIC = b"limen code 1\n"


class Store:
    """A folder of compiled code, or none.

    Parameters
    ----------
    folder : path-like, optional
        Made when it is first needed. None: nothing is kept.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        if folder is not None and not isinstance(folder, str | os.PathLike):
            raise InputError(f"cache must be a folder's path or None. Received: {folder!r}.")
        self._folder = None if folder is None else Path(folder)
        if self._folder is not None and self._folder.exists() and not self._folder.is_dir():
            raise InputError(f"cache must be a folder. Received: {self._folder}, which is a file.")

    def compiled(self, text: str, target: Target, *, effort: int) -> Code:
        """Return compiled text, from the folder if it is there and sound."""
        if self._folder is None:
            return compiled(text, target, effort=effort)
        about = "\n".join([VERSION, target.cpu, target.features, str(effort), text])
        path = self._folder / f"{hashlib.sha256(about.encode()).hexdigest()[:40]}.limencode"
        found = _read(path)
        code = compiled(text, target, effort=effort, object_code=found)
        if found is None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise FileError(f"The folder {self._folder} can't be made: {error}.") from error
            write_atomically(path, MAGIC + hashlib.sha256(code.object_code).digest() + code.object_code)
        return code


def _read(path: Path) -> bytes | None:
    """Return the code in a file; None if there is none, or it isn't sound."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, content = data[len(MAGIC) : len(MAGIC) + 32], data[len(MAGIC) + 32 :]
    sound = data.startswith(MAGIC) and hashlib.sha256(content).digest() == digest
    return content if sound else None
