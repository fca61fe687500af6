"""A model: a network, how a table becomes its inputs, and what its outputs mean.

It is what a file holds and what the command line uses. `Model.predict` takes a table and returns labels.

Labels belong to *decisions*. A network that ends in one heaviside neuron, or in a hardmax layer, makes one
decision; one that ends in several heaviside neurons makes one decision for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from limen.encoding import Encoding, Label, plain_label
from limen.errors import InputError
from limen.network import Network
from limen.step import Array
from limen.table import column_names, columns

__all__ = ["Labels", "Model"]

Labels: TypeAlias = tuple[Label, ...] | tuple[tuple[Label, Label], ...]


@final
@dataclass(frozen=True, init=False, eq=False)
class Model:
    """A network bound to the table it reads and to the meaning of its outputs.

    Parameters
    ----------
    network : Network
    encoding : Encoding, optional
        Its inputs must be the network's, name by name. Without one, a table must have a column of numbers
        for each input of the network.
    labels : sequence, optional
        One decision: what output 0 and output 1 mean (one heaviside neuron), or what each neuron means
        (hardmax). Several heaviside neurons: a pair for each. A label is text, a boolean or a number, and
        comes back as what it was.

    Raises
    ------
    InputError
        Names, numbers or kinds that don't fit the network.

    Examples
    --------
    >>> from limen import Layer, Model
    >>> from limen.encoding import Thresholds
    >>> net = Network(Layer([[1]], [-1]), inputs=["age >= 35"], domain="binary")
    >>> Model(net, Encoding([Thresholds("age", (35,))]), ["young", "old"]).predict({"age": [20, 70]})
    array(['young', 'old'], dtype='<U5')
    """

    network: Network
    encoding: Encoding | None
    labels: Labels | None

    def __init__(
        self, network: Network, encoding: Encoding | None = None, labels: Sequence[Any] | None = None
    ) -> None:
        if not isinstance(network, Network):
            raise InputError(f"network must be a limen.Network. Received: {type(network).__name__}.")
        if encoding is not None and not isinstance(encoding, Encoding):
            raise InputError(
                f"encoding must be a limen.Encoding or None. Received: {type(encoding).__name__}."
            )
        if encoding is not None and encoding.inputs != network.inputs:
            differ = [
                pair for pair in zip(encoding.inputs, network.inputs, strict=False) if pair[0] != pair[1]
            ]
            received = f"{differ[0][0]!r} and {differ[0][1]!r}" if differ else "different numbers"
            raise InputError(
                f"The encoding makes {encoding.n_inputs} inputs and the network takes {network.n_inputs}; they"
                f" must have the same names in the same order. Received: {received}."
            )
        object.__setattr__(self, "network", network)
        object.__setattr__(self, "encoding", encoding)
        object.__setattr__(self, "labels", None if labels is None else _checked_labels(network, labels))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        mine = (self.network, self.encoding, repr(self.labels))  # 0 == False, but they are other labels
        return mine == (other.network, other.encoding, repr(other.labels))

    def __hash__(self) -> int:
        return hash((self.network, self.encoding, repr(self.labels)))

    @property
    def makes_one_decision(self) -> bool:
        """Whether all outputs together mean one label, rather than one each."""
        return self.network.layers[-1].activation == "hardmax" or self.network.n_outputs == 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a table must have."""
        return self.network.inputs if self.encoding is None else self.encoding.used_columns

    def encode(self, table: Any) -> Any:
        """Return the network's inputs for the rows of a table, shape (n_rows, n_inputs)."""
        if self.encoding is not None:
            return self.encoding.encode(table)
        if hasattr(table, "tocsr") or column_names(table) is None:
            return table
        found = columns(table, self.columns)
        for column in found.values():
            if column.kind == "text" or column.missing.any():
                what = "a missing value" if column.missing.any() else "text"
                raise InputError(
                    f"Column {column.name!r} must hold numbers, none missing, since this model has no encoding."
                    f" Received: {what}."
                )
        if not found:
            raise InputError("This network has no inputs, so a table can't tell how many rows are meant.")
        return np.stack([column.values for column in found.values()], axis=1)

    def predict(self, table: Any) -> Array:
        """Return what the network decides for the rows of a table.

        Parameters
        ----------
        table : pandas, polars or Arrow table, mapping of columns, or array
            With at least `columns`, in any order.

        Returns
        -------
        ndarray
            With labels: shape (n_rows,) for one decision, (n_rows, n_outputs) for several. Without labels:
            the network's outputs, shape (n_rows, n_outputs).

        Raises
        ------
        InputError
            A column is missing from the table or holds something else than expected.
        """
        return self.labelled(self.network(self.encode(table)))

    def labelled(self, outputs: Array) -> Array:
        """Return what the network's outputs, shape (n_rows, n_outputs), mean; themselves where there are no labels."""
        if self.labels is None:
            return outputs
        if not self.makes_one_decision:
            pairs = [_as_array(pair)[outputs[..., k]] for k, pair in enumerate(self.labels)]  # type: ignore[arg-type]
            one_kind = len({pair.dtype.kind for pair in pairs}) == 1
            return np.stack(pairs if one_kind else [pair.astype(object) for pair in pairs], axis=-1)
        decided = (
            outputs.argmax(axis=-1)
            if self.network.n_outputs > 1 or len(self.labels) == 1
            else outputs[..., 0]
        )
        predicted: Array = _as_array(self.labels)[decided]
        return predicted


def _as_array(labels: Sequence[Any]) -> Array:
    """Return labels as an array of their own type, or as objects where types are mixed."""
    kinds = {type(label) for label in labels}
    return np.array(labels, dtype=None if len(kinds) == 1 else object)


def _checked_labels(network: Network, labels: Sequence[Any]) -> Labels:
    activation, n = network.layers[-1].activation, network.n_outputs
    if isinstance(labels, str) or not isinstance(labels, Sequence | np.ndarray):
        raise InputError(f"labels must be a list of labels. Received: {labels!r}.")
    if activation not in ("heaviside", "hardmax"):
        raise InputError(f"Labels need outputs that decide: heaviside or hardmax. Received: {activation}.")
    if activation == "heaviside" and n > 1:
        pairs = [tuple(pair) if isinstance(pair, list | tuple | np.ndarray) else () for pair in labels]
        if len(pairs) != n or any(len(pair) != 2 for pair in pairs):
            raise InputError(f"labels must be {n} pairs, one for each output. Received: {list(labels)}.")
        return tuple((_distinct(pair)[0], _distinct(pair)[1]) for pair in pairs)
    expected = n if activation == "hardmax" else 2
    if len(labels) != expected:
        raise InputError(f"labels must be {expected} labels. Received: {len(labels)} ({list(labels)}).")
    return _distinct(labels)


def _distinct(labels: Sequence[Any]) -> tuple[Label, ...]:
    plain = tuple(plain_label(label) for label in labels)
    if len(set(plain)) < len(plain):
        raise InputError(f"Labels of one decision must differ. Received: {list(plain)}.")
    return plain
