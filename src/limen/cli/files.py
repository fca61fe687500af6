"""Files the commands write: checked before the work starts, written whole or not at all after it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limen.errors import FileError, InputError

__all__ = ["check_writable", "saved", "write_text"]


def check_writable(path: Path | None, *, reads: Sequence[str | Path | None] = (), ending: str = "") -> None:
    """Refuse early, before any work, a path that can't be written to.

    Parameters
    ----------
    path : Path, optional
    reads : sequence of paths
        What the command reads, and mustn't write over.
    ending : str
        How the name must end.

    Raises
    ------
    InputError
        The name has another ending.
    FileError
        It is a folder or what the command reads, its folder doesn't exist, or one may not write there.
    """
    if path is None:
        return
    if path.suffix.lower() != ending and ending:
        raise InputError(f"{_KINDS[ending]} must end in {ending}. Received: {path}.")
    folder = path.parent
    if any(_same(path, read) for read in reads):
        reason = "this command reads it, and would lose it. Name another"
    elif path.is_dir():
        reason = "it is a folder. Name a file in it"
    elif not folder.is_dir():
        reason = f"there is no folder {folder}. Create it first, or name another"
    elif not os.access(folder, os.W_OK):
        reason = f"the folder {folder} is write-protected. Name another"
    else:
        return
    raise FileError(f"{path} can't be written: {reason}.")


_KINDS = {
    ".svg": "A picture is saved as SVG, so its name",
    ".c": "The name of a source file in C",
    ".v": "The name of a source file in Verilog",
    ".keras": "The name of a Keras model's file",
}


def _same(path: Path, read: str | Path | None) -> bool:
    """Whether two names are those of one file that exists."""
    try:
        return read is not None and path.samefile(read)
    except OSError:
        return False


def saved(model: Any, output: Path | None, svg: Path | None) -> dict[str, dict[str, Any]]:
    """Save a model or network, and a picture of it, where paths are given; tell where and how large."""
    written: dict[str, dict[str, Any]] = {}
    if output is not None:
        from limen.export import save

        save(model, output)
        written["model"] = _entry(output)
    if svg is not None:
        from limen.draw import diagram

        diagram(model).save(svg)
        written["picture"] = _entry(svg)
    return written


def write_text(path: Path, content: bytes) -> None:
    """Write bytes to a file, whole or not at all."""
    from limen._files import write_atomically

    write_atomically(path, content)


def _entry(path: Path) -> dict[str, Any]:
    return {"path": str(path), "bytes": path.stat().st_size}
