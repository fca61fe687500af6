"""Files the commands write: checked before the work starts, written whole or not at all after it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from limen.errors import FileError, InputError

__all__ = ["check_writable", "saved", "write_text"]


def check_writable(path: Path | None, *, ending: str = "") -> None:
    """Refuse early, before any work, a path that can't be written to.

    Raises
    ------
    InputError
        The name has another ending.
    FileError
        It is a folder, its folder doesn't exist, or one may not write there.
    """
    if path is None:
        return
    if path.suffix.lower() != ending and ending:
        raise InputError(f"A picture is saved as SVG, so its name must end in {ending}. Received: {path}.")
    folder = path.parent
    if path.is_dir():
        reason = "it is a folder. Name a file in it"
    elif not folder.is_dir():
        reason = f"there is no folder {folder}. Create it first, or name another"
    elif not os.access(folder, os.W_OK):
        reason = f"the folder {folder} is write-protected. Name another"
    else:
        return
    raise FileError(f"{path} can't be written: {reason}.")


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
