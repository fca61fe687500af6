"""Checkpoints: all that a fit over a stream needs to go on, in one file.

A checkpoint is NumPy's ``.npz``: arrays, none of them pickled, and one of JSON text for the rest. It is written whole
or not at all, and names the fit it belongs to by a digest of the stream and of the parameters that matter, so that
another fit doesn't go on from it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from typing import Any

import numpy as np

from limen._files import read_bytes, write_atomically
from limen.errors import FileError, InputError
from limen.learn._kernels import State
from limen.learn._training import Weights, aligned
from limen.step import Array

__all__ = ["Checkpoint", "Found"]

VERSION = 1
FREE = {"n_jobs", "verbose", "max_iter", "random_state"}  # parameters that may differ when a fit goes on
KEPT = (
    "n_mistakes",
    "best_loss",
    "best_score",
    "n_stale",
    "solution",
    "largest",
    "is_integer_typed",
    "n_training",
)
LEARNER = ("n_outputs", "n_features", "exact", "domain", "n_steps")


class Checkpoint:
    """The file that one fit saves itself to.

    Parameters
    ----------
    path : str or path
    settings : estimator
        For its parameters.
    key : str
        What the stream is known by.

    Raises
    ------
    InputError
        `path` isn't a path.
    """

    def __init__(self, path: Any, settings: Any, key: str) -> None:
        if not isinstance(path, str | os.PathLike):
            raise InputError(f"checkpoint must be a path. Received: {type(path).__name__}.")
        self.path = os.fsdecode(path)
        parameters = {name: repr(value) for name, value in settings.get_params().items() if name not in FREE}
        self.key = hashlib.sha256(json.dumps([VERSION, key, parameters]).encode()).hexdigest()

    def load(self) -> Found | None:
        """Return what was saved, None if nothing was.

        Raises
        ------
        FileError
            The file can't be read, or isn't a whole checkpoint.
        InputError
            It is the checkpoint of another fit.
        """
        if not os.path.lexists(self.path):
            return None
        try:
            with np.load(io.BytesIO(read_bytes(self.path)), allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            facts = json.loads(arrays.pop("facts").tobytes())
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(
                f"{self.path} is no whole checkpoint: {error}. Delete it to start anew, or name another file."
            ) from error
        if facts.get("key") != self.key:
            raise InputError(
                f"{self.path} must be a checkpoint of the same fit: the same files, classes and parameters."
                " Received: another one's. Delete it to start anew, or name another file."
            )
        return Found(facts, arrays)

    def save(self, course: Any, position: dict[str, Any] | None) -> None:
        """Write what is needed to go on after the batch at `position`, or after a whole epoch if it is None."""
        learner = course.learner
        classes = course.target.classes
        facts: dict[str, Any] = {"key": self.key, "position": position, "kind": course.target.kind}
        facts |= {name: getattr(course, name) for name in KEPT}
        facts |= {name: getattr(learner, name) for name in LEARNER}
        facts["layout"] = "C" if learner.state.weights.flags.c_contiguous else "F"
        name, keys, *rest = course.random.get_state(legacy=True)
        facts["random"] = [name, *rest]
        arrays = {f"state.{name}": array for name, array in learner.state._asdict().items()}
        arrays |= {
            "total": learner.total,
            "total_bias": learner.total_bias,
            "random": keys,
            "classes": classes,
        }
        for name, kept in (
            ("validated", course.best_validated),
            ("pocketed", (course.pocketed or [None])[0]),
        ):
            if kept is not None:
                arrays |= {f"{name}.weights": kept.weights, f"{name}.bias": kept.bias}
                facts[name] = kept.divisor
        if course.pocketed is not None:
            arrays["pocketed.errors"] = np.asarray(course.pocketed[1])
        file = io.BytesIO()
        np.savez(file, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)
        write_atomically(self.path, file.getvalue())

    def remove(self) -> None:
        """Delete the file of a fit that has ended."""
        if os.path.exists(self.path):
            os.unlink(self.path)


class Found:
    """What was read from a checkpoint."""

    def __init__(self, facts: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.facts, self.arrays = facts, arrays

    def restore(self, course: Any) -> dict[str, Any] | None:
        """Bring a course to where it was; return the position within an epoch, None if it was between two."""
        facts, arrays, learner = self.facts, self.arrays, course.learner
        classes, n_outputs = arrays["classes"], facts["n_outputs"]
        codes = np.zeros((0, n_outputs), np.int8) if facts["kind"] == "multioutput" else np.zeros(0, np.int64)
        course.target = type(course.target)(facts["kind"], classes, codes)
        course.constant = np.zeros(n_outputs, dtype=np.int64)
        layout = facts["layout"]
        learner.state = State(
            *(
                aligned(array, array.dtype, layout)
                for array in (arrays[f"state.{name}"] for name in State._fields)
            )
        )
        learner.total = aligned(arrays["total"], arrays["total"].dtype, layout)
        learner.total_bias = arrays["total_bias"]
        for name in LEARNER:
            setattr(learner, name, facts[name])
        for name in KEPT:
            setattr(course, name, facts[name])
        name, *rest = facts["random"]
        course.random.set_state((name, arrays["random"], *rest))
        kept = {
            name: Weights(arrays[f"{name}.weights"], arrays[f"{name}.bias"], facts[name])
            for name in ("validated", "pocketed")
            if name in facts
        }
        course.best_validated = kept.get("validated")
        course.pocketed = (kept["pocketed"], arrays["pocketed.errors"]) if "pocketed" in kept else None
        position: dict[str, Any] | None = facts["position"]
        return position
