"""The checkpoint of a deep network's training: one file of arrays to go on from, written after an epoch.

It is NumPy's ``.npz``, none of it pickled, written whole or not at all. It names the training it belongs to by a digest
of the plan and of the data, so that another training doesn't go on from it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from limen._door import is_sparse
from limen._files import read_bytes, write_atomically
from limen.errors import FileError, InputError

if TYPE_CHECKING:
    from limen.learn._keras_training import Keeper

__all__ = ["DeepCheckpoint", "fingerprint"]

VERSION = 1
PAUSE = 20.0  # seconds between two writings at least
PARTS = ("weights", "optimizer", "best")


class DeepCheckpoint:
    """The file that one training saves itself to.

    Parameters
    ----------
    path : str or path
    key : str
        What the training is known by.

    Raises
    ------
    InputError
        `path` isn't a path, is a folder, or lies in one that isn't there.
    """

    def __init__(self, path: Any, key: str) -> None:
        if not isinstance(path, str | os.PathLike):
            raise InputError(f"checkpoint must be a path. Received: {type(path).__name__}.")
        self.path = os.fsdecode(path)
        if os.path.isdir(self.path) or not os.path.isdir(os.path.dirname(self.path) or "."):
            raise InputError(f"checkpoint must be a file in a folder that is there. Received: {self.path}.")
        self.key = hashlib.sha256(f"{VERSION} {key}".encode()).hexdigest()
        self._saved = time.monotonic()

    def save(self, keeper: Keeper) -> None:
        """Write all that the training needs to go on, if the last writing isn't quite recent."""
        if time.monotonic() - self._saved < PAUSE:
            return
        parts = {
            "weights": keeper.model_state(),
            "optimizer": keeper.optimizer_state(),
            "best": keeper.best or [],
        }
        told = {"key": self.key, "history": keeper.history, "best_epoch": keeper.best_epoch}
        arrays: dict[str, Any] = {
            f"{part}.{k}": array for part in PARTS for k, array in enumerate(parts[part])
        }
        buffer = io.BytesIO()
        np.savez(buffer, told=np.frombuffer(json.dumps(told).encode(), dtype=np.uint8), **arrays)
        write_atomically(self.path, buffer.getvalue())
        self._saved = time.monotonic()

    def restore(self, keeper: Keeper, model: Any) -> None:
        """Set model, optimizer and keeper to what was saved, if anything was.

        Raises
        ------
        FileError
            The file can't be read, or isn't a whole checkpoint.
        InputError
            It is the checkpoint of another training.
        """
        if not os.path.lexists(self.path):
            return
        try:
            with np.load(io.BytesIO(read_bytes(self.path)), allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            told = json.loads(arrays.pop("told").tobytes())
            key, history, best_epoch = told["key"], dict(told["history"]), int(told["best_epoch"])
            parts = {
                part: [arrays[f"{part}.{k}"] for k in range(sum(n.startswith(f"{part}.") for n in arrays))]
                for part in PARTS
            }
        except (ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
            raise FileError(
                f"{self.path} isn't a whole checkpoint ({error}). Remove it, or name another file."
            ) from None
        if key != self.key:
            raise InputError(
                f"{self.path} is the checkpoint of another training: other data or other parameters. Remove it, or name"
                " another file."
            )
        for variables, part in ((model.variables, "weights"), (model.optimizer.variables, "optimizer")):
            for variable, value in zip(variables, parts[part], strict=True):
                variable.assign(value)
        keeper.history, keeper.best_epoch, keeper.best = history, best_epoch, parts["best"]

    def remove(self) -> None:
        """Remove the file, when the training has ended."""
        if os.path.lexists(self.path):
            os.unlink(self.path)


def fingerprint(*data: Any) -> str:
    """Return a digest of arrays and sparse matrices."""
    digest = hashlib.sha256()
    for item in data:
        for array in (item.data, item.indices, item.indptr) if is_sparse(item) else (item,):
            digest.update(f"{array.shape} {array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
