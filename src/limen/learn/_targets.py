"""What the outputs should be: `y` at the door.

`targets` turns the labels of the training rows into what the kernels teach from: signs (+1, -1) for
independent outputs, class numbers for competing classes. The estimator's shape of answer follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from limen._door import is_sparse, well_formed
from limen.errors import InputError
from limen.step import Array, to_signs

__all__ = ["Kind", "Targets", "targets"]

Kind = Literal["binary", "multiclass", "multioutput"]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The labels of the training rows, as numbers.

    Parameters
    ----------
    kind : {"binary", "multiclass", "multioutput"}
    classes : ndarray of shape (n_classes,)
        The labels in order; ``[0, 1]`` for several outputs.
    codes : ndarray of int64, shape (n_rows,), or of int8, shape (n_rows, n_outputs)
        The position of each row's label in `classes`.
    """

    kind: Kind
    classes: Array
    codes: Array

    @property
    def n_outputs(self) -> int:
        """Number of neurons that learn: one for two classes, else one for each class or output."""
        if self.kind == "multioutput":
            return int(self.codes.shape[1])
        return 1 if self.kind == "binary" else len(self.classes)

    def signs(self) -> Array:
        """Return +1 where an output should fire and -1 where not, int8 of shape (n_rows, n_outputs)."""
        if self.kind == "multiclass":
            return to_signs(self.codes[:, np.newaxis] == np.arange(len(self.classes)))
        return to_signs(self.codes.reshape(len(self.codes), -1))

    def costs(self, class_weight: Any) -> Array:
        """Return what a mistake counts on a row where an output should be 0 and where 1, (n_outputs, 2)."""
        if self.kind != "multioutput":
            weights = compute_class_weight(class_weight, classes=self.classes, y=self.classes[self.codes])
            if self.kind == "binary":
                return _costs([weights])
            return _costs(np.stack([np.ones(len(weights)), weights], axis=1))
        if isinstance(class_weight, list) and len(class_weight) != self.n_outputs:
            raise InputError(
                f"class_weight must be one dict for each of the {self.n_outputs} outputs."
                f" Received: {len(class_weight)}."
            )
        each = class_weight if isinstance(class_weight, list) else [class_weight] * self.n_outputs
        costs = np.ones((self.n_outputs, 2))
        for k, weight in enumerate(each):
            present = np.unique(self.codes[:, k])
            costs[k, present] = compute_class_weight(weight, classes=present, y=self.codes[:, k])
        return _costs(costs)


def _costs(values: Any) -> Array:
    costs = np.array(values, dtype=np.float64)
    if not (np.isfinite(costs).all() and (costs >= 0).all()):
        raise InputError(
            f"class_weight must hold finite numbers that aren't negative. Received: {np.unique(costs).tolist()}."
        )
    return costs


def targets(y: Any, classes: Array | None = None, *, grows: bool = False) -> Targets:
    """Return the labels `y` as `Targets`.

    Parameters
    ----------
    y : array_like of shape (n_rows,), (n_rows, 1) or (n_rows, n_outputs), or sparse indicator matrix
        Labels, or zeros and ones for several outputs.
    classes : ndarray, optional
        All labels there are, in order; those of `y` by default.
    grows : bool
        Whether more classes may come: one is then enough, and each has a neuron, two as well.

    Raises
    ------
    InputError
        One class only, an unknown label, values other than 0 and 1 for several outputs, or a sparse matrix
        whose index arrays are out of range or out of order.
    """
    if is_sparse(y):
        y = well_formed(y, "y").toarray()
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        if y.dtype.kind not in "buif" or not ((y == 0) | (y == 1)).all():
            raise InputError(
                "y of shape (n_rows, n_outputs) must hold zeros and ones, a column for each output."
                f" Received: other values, dtype {y.dtype}. For one output of several classes give shape (n_rows,)."
            )
        return Targets("multioutput", np.array([0, 1]), y.astype(np.int8))
    check_classification_targets(y)
    found, codes = np.unique(y, return_inverse=True)
    if classes is not None:
        unknown = np.setdiff1d(found, classes)
        if len(unknown):
            raise InputError(f"y must hold the classes {list(classes)}. Received: {list(unknown)} as well.")
        codes = np.searchsorted(classes, y)
        found = classes
    if len(found) < (1 if grows else 2):
        raise InputError(
            f"y must have at least two classes to learn from. Received one class: {found.tolist()}."
            " Check the target, or how rows were selected."
        )
    return Targets(
        "binary" if len(found) == 2 and not grows else "multiclass", found, codes.reshape(-1).astype(np.int64)
    )
