"""What a network's training is given, checked before anything is built: parameters, zeros and ones, labels, memory.

Each function returns what training takes, or refuses by name what it can't; the estimator is `ThresholdNetworkClassifier`.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from limen._door import is_sparse
from limen._memory import memory
from limen.errors import InputError
from limen.learn._targets import Targets
from limen.learn.encoder import ThresholdEncoder
from limen.learn.split import split_rows, strata
from limen.step import Array

__all__ = [
    "CONSTRAINTS",
    "ENCODE",
    "batch_size_of",
    "bits_of",
    "epochs_of",
    "held_out_rows",
    "image_of",
    "require_memory",
    "taught",
    "widths_of",
]

ENCODE = "Put a limen.learn.ThresholdEncoder before this classifier in a pipeline, or set encode=True."
WHOLE = ("binary", "ternary", "int4", "int8")

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden": ["array-like", Integral],
    "weights": [StrOptions(set(WHOLE))],
    "head_weights": [StrOptions(set(WHOLE))],
    "encode": ["boolean", ThresholdEncoder],
    "epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "surrogate": [StrOptions({"clipped_identity", "triangle", "power"})],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "input_dropout": [Interval(Real, 0, 1, closed="left")],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    "image_shape": ["array-like", None],
    "max_shift": [Interval(Integral, 0, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
    "random_state": ["random_state"],
    "callbacks": [list, tuple, None],
    "verbose": ["verbose"],
}
"""What each parameter may be, as scikit-learn wants it said."""


def widths_of(asked: Any) -> tuple[int, ...]:
    """Return the widths of the hidden layers."""
    hidden = (asked,) if isinstance(asked, Integral) else tuple(asked)
    for width in hidden:
        if isinstance(width, bool) or not isinstance(width, Integral) or width < 1:
            raise InputError(
                f"hidden must be whole numbers from 1, a width for each hidden layer. Received: {asked!r}."
                " Leave a layer out rather than give it no neuron; () is no hidden layer."
            )
    return tuple(int(width) for width in hidden)


def image_of(asked: Any, max_shift: int, n_inputs: int) -> tuple[int, ...] | None:
    """Return the shape of images, if rows are images."""
    if asked is None:
        if max_shift:
            raise InputError("max_shift moves images, so image_shape must be given. Received: None.")
        return None
    shape = tuple(int(n) for n in asked)
    if len(shape) not in (2, 3) or min(shape) < 1 or int(np.prod(shape)) != n_inputs:
        raise InputError(
            f"image_shape must be (height, width) or (height, width, n_bits) with {n_inputs} bits in all."
            f" Received: {shape}."
        )
    if max_shift >= min(shape[:2]):
        raise InputError(f"max_shift must be less than an image's sides, {shape[:2]}. Received: {max_shift}.")
    return shape


def held_out_rows(target: Targets, seen: Array, share: float, seed: int) -> tuple[Array, Array]:
    """Return which rows to learn from and which to hold out, each class in its share."""
    codes = target.codes[seen]
    try:
        training, test = split_rows(codes if codes.ndim == 1 else strata(codes), share, random_state=seed)
    except InputError:
        raise InputError(
            "early_stopping must be able to hold out a row and still learn from one of each class."
            f" Received: {len(seen)} rows. Give more, or early_stopping=False."
        ) from None
    return seen[training], seen[test]


def bits_of(X: Any) -> Any:
    """Return zeros and ones as they are, dense ones as bytes; refuse anything else."""
    values = X.data if is_sparse(X) else X
    if values.dtype.kind not in "buif" or not ((values == 0) | (values == 1)).all():
        strange = values[(values != 0) & (values != 1)].ravel()[:1]
        raise InputError(
            "X must hold zeros and ones, the inputs of threshold neurons."
            f" Received: {strange[0] if len(strange) else values.dtype}. {ENCODE}"
        )
    return X if is_sparse(X) else np.ascontiguousarray(X, dtype=np.uint8)


def taught(target: Targets, class_weight: Any) -> tuple[Array, Array]:
    """Return what the losses take for labels, and what each row counts."""
    if target.kind == "multiclass":
        shares = np.zeros((len(target.codes), target.n_outputs), dtype=np.float32)
        shares[np.arange(len(target.codes)), target.codes] = 1
        return shares, target.costs(class_weight)[target.codes, 1]
    signs = target.signs().astype(np.float32)
    costs = target.costs(class_weight)[np.arange(target.n_outputs), (signs > 0).astype(np.int64)]
    return np.concatenate([signs, costs.astype(np.float32)], axis=1), np.ones(len(signs))


def batch_size_of(asked: int | str, n_rows: int) -> int:
    """Return the rows of a batch."""
    return min(n_rows, max(32, min(256, n_rows // 64)) if asked == "auto" else int(asked))


def epochs_of(asked: int | str, n_rows: int, batch_size: int) -> int:
    """Return the epochs of a training."""
    return max(30, min(500, 2000 * batch_size // n_rows)) if asked == "auto" else int(asked)


def require_memory(plan: Any) -> None:
    """Refuse a training that takes more memory than there is."""
    available, needed = memory(), plan.n_bytes()
    if available is not None and needed > available:
        raise InputError(
            f"Training this network takes about {needed / 2**30:,.1f} GiB, and there are {available / 2**30:,.1f} GiB."
            f" Received: hidden={plan.hidden}, batch_size={plan.batch_size}. Make layers narrower, or batches smaller."
        )
