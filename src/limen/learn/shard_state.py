"""What travels between shards: weights, their sums, and how they learn, as one value that turns into bytes and back.

`limen.learn.shards` has the functions from states to states; `ShardState` is what they take and give.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from numbers import Integral
from typing import Any, final

import numpy as np

from limen._door import as_array, frozen
from limen.errors import FileError, InputError, LimenError
from limen.learn._admission import UPDATES
from limen.learn._targets import Kind
from limen.network import Layer, Network
from limen.step import Array

__all__ = ["SETTINGS", "ShardState", "is_finite", "plain_labels", "same"]

MAGIC = b"limen shard state 1\n"  # then a SHA-256 digest of the rest: a line of JSON, and arrays as NumPy saves them
SETTINGS = ("kind", "multi_class", "update", "margin", "C", "fit_intercept", "shrink")
FLOAT_MAX = sys.float_info.max
COUNTS = ("n_steps", "shard_steps")
SUMS = ("total", "total_bias", "shard_total", "shard_total_bias")


@final
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ShardState:
    """What a shard starts an epoch from, and what an epoch leaves: weights, their sums, and how they learn.

    `ShardState.zero` makes the first. Sums are kept in two parts, so that S shards which start from one state don't
    count it S times: ``total`` belongs to the state that all shards started from, ``shard_total`` to this shard since
    then. `mix` folds the second into the first.

    Parameters
    ----------
    kind : {"binary", "multiclass", "multioutput"}
    classes : array_like of shape (n_classes,)
        The labels in order: numbers, booleans or text; ``[0, 1]`` for several outputs.
    weights : array_like of shape (n_outputs, n_features)
        After the last step. One output for two classes, else one for each class or output.
    bias : array_like of shape (n_outputs,)
    n_steps : int
        Steps of all shards up to the state they started from.
    total, total_bias : array_like or None
        The weights and biases after each of those steps, added up; None if sums aren't kept.
    shard_steps : int
        Steps of this shard since then.
    shard_total, shard_total_bias : array_like or None
        The weights and biases after each of these steps, added up.
    multi_class : {"crammer_singer", "ovr"}
    update : {"perceptron", "pa1", "pa2"}
    margin, C : float
    fit_intercept : bool
        These five as in `Perceptron`.
    shrink : float
        Factor on the weights at each step, above 0: ``1 - alpha`` for an L2 penalty, 1 for none.

    Raises
    ------
    InputError
        Shapes that don't fit each other, numbers that aren't finite, labels or settings that can't be.

    Notes
    -----
    Arrays are float64 and read-only. Mixing divides, so nothing here is exact on whole numbers, as `Perceptron` is.
    States are equal if all they hold is.

    Examples
    --------
    >>> state = ShardState.zero(3, classes=["no", "yes"])
    >>> state
    ShardState(binary, 3 features, 1 output, 0 steps)
    >>> ShardState.from_bytes(state.to_bytes()) == state
    True
    """

    kind: Kind
    classes: Array
    weights: Array
    bias: Array
    n_steps: int = 0
    total: Array | None = None
    total_bias: Array | None = None
    shard_steps: int = 0
    shard_total: Array | None = None
    shard_total_bias: Array | None = None
    multi_class: str = "crammer_singer"
    update: str = "perceptron"
    margin: float = 0.0
    C: float = 1.0
    fit_intercept: bool = True
    shrink: float = 1.0

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        _check_settings(self)
        put("fit_intercept", bool(self.fit_intercept))
        for name in ("margin", "C", "shrink"):
            put(name, float(getattr(self, name)))
        put("classes", _labels(self.classes))
        shape = np.shape(self.weights)
        if len(shape) != 2 or not _fits(self.kind, len(self.classes), shape[0]):
            raise InputError(
                "weights must be of shape (n_outputs, n_features), with one output for two classes, else one for each"
                f" class or each of several outputs. Received: shape {shape}, {self.kind},"
                f" {len(self.classes)} classes."
            )
        for name in ("weights", "bias", *SUMS):
            value = getattr(self, name)
            if name in SUMS and (value is None) != (self.total is None):
                raise InputError(
                    f"{', '.join(SUMS)} must all be arrays, or all None. Received: some of each."
                )
            if value is not None:
                put(name, _held(value, name, shape[:1] if name.endswith("bias") else shape))
        for name in COUNTS:
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
                raise InputError(f"{name} must be a whole number that isn't negative. Received: {value!r}.")
            put(name, int(value))

    @classmethod
    def zero(
        cls,
        n_features: int,
        classes: Any = None,
        *,
        n_outputs: int | None = None,
        multi_class: str = "crammer_singer",
        update: str = "perceptron",
        margin: float | None = None,
        C: float = 1.0,
        fit_intercept: bool = True,
        shrink: float = 1.0,
        average: bool = True,
    ) -> ShardState:
        """Return the state that has learned nothing yet.

        Parameters
        ----------
        n_features : int
        classes : array_like of shape (n_classes,), optional
            All labels there will be in any shard, in any order.
        n_outputs : int, optional
            Instead of `classes`: how many outputs of zeros and ones there are, at least 2.
        multi_class, update, margin, C, fit_intercept
            As in `Perceptron`.
        shrink : float
            As in `ShardState`.
        average : bool
            Whether sums are kept for the averaged weights.

        Returns
        -------
        ShardState

        Raises
        ------
        InputError
            One class only; both or neither of `classes` and `n_outputs`; settings that can't be.

        Examples
        --------
        >>> ShardState.zero(4, n_outputs=2, update="pa1").margin
        1.0
        """
        if (classes is None) == (n_outputs is None):
            raise InputError(
                "Either classes or n_outputs must be given: the labels of one output, or the number of outputs of"
                f" zeros and ones. Received: {'neither' if classes is None else 'both'}."
            )
        for name, value, least in (("n_features", n_features, 0), ("n_outputs", n_outputs, 2)):
            if value is not None and (not isinstance(value, Integral) or value < least):
                hint = " For one output give classes=[0, 1]." if name == "n_outputs" else ""
                raise InputError(
                    f"{name} must be a whole number, at least {least}. Received: {value!r}.{hint}"
                )
        labels = _labels([0, 1] if classes is None else _unique(classes))
        if n_outputs is not None:
            kind: Kind = "multioutput"
            n = int(n_outputs)
        else:
            kind, n = ("binary", 1) if len(labels) == 2 else ("multiclass", len(labels))
        if margin is None:
            margin = 0.0 if update == "perceptron" else 1.0
        weights, bias = np.zeros((n, int(n_features))), np.zeros(n)
        sums: dict[str, Any] = dict(zip(SUMS, (weights, bias) * 2, strict=True)) if average else {}
        return cls(
            kind=kind,
            classes=labels,
            weights=weights,
            bias=bias,
            multi_class=multi_class,
            update=update,
            margin=margin,
            C=C,
            fit_intercept=fit_intercept,
            shrink=shrink,
            **sums,
        )

    @property
    def n_outputs(self) -> int:
        """Number of neurons that learn."""
        return int(self.weights.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns of the rows."""
        return int(self.weights.shape[1])

    def network(self, solution: str | None = None) -> Network:
        """Return the network that decides with these weights.

        Parameters
        ----------
        solution : {"average", "last"}, optional
            The mean of the weights after every step of every shard, or those after the last. By default the
            mean, where sums are kept.

        Returns
        -------
        limen.Network
            One heaviside layer, hardmax for three or more classes; output ``k`` belongs to ``classes[k]``.

        Raises
        ------
        InputError
            The mean is asked for, and sums aren't kept.

        Examples
        --------
        >>> from limen import Model
        >>> from limen.learn import shard_epoch
        >>> state, _ = shard_epoch(ShardState.zero(1, ["low", "high"]), [[-5], [9]], ["low", "high"])
        >>> Model(state.network(), labels=state.classes.tolist()).predict([[-6], [10]]).tolist()
        ['low', 'high']
        """
        if solution not in (None, "average", "last"):
            raise InputError(f'solution must be "average", "last" or None. Received: {solution!r}.')
        if solution == "average" and self.total is None:
            raise InputError(
                'solution="average" needs the sums of the weights, and this state doesn\'t keep them. Ask for'
                ' "last", or begin with ShardState.zero(..., average=True).'
            )
        weights, bias = self.weights, self.bias
        if solution != "last" and self.n_steps + self.shard_steps and self.total is not None:
            weights, bias = (
                (getattr(self, name) + getattr(self, f"shard_{name}")) / (self.n_steps + self.shard_steps)
                for name in ("total", "total_bias")
            )
        return Network(Layer(weights.T, bias, "hardmax" if self.kind == "multiclass" else "heaviside"))

    def to_bytes(self) -> bytes:
        """Return the state as bytes that depend on nothing but it, for `from_bytes`."""
        arrays = [name for name in ("classes", "weights", "bias", *SUMS) if getattr(self, name) is not None]
        plain = {name: getattr(self, name) for name in (*SETTINGS, *COUNTS)}
        content = BytesIO()
        content.write(json.dumps({**plain, "arrays": arrays}, sort_keys=True).encode() + b"\n")
        for name in arrays:
            np.lib.format.write_array(content, getattr(self, name), version=(1, 0), allow_pickle=False)
        return MAGIC + hashlib.sha256(content.getbuffer()).digest() + content.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> ShardState:
        """Return the state that `to_bytes` wrote. Nothing in the bytes is run.

        Raises
        ------
        FileError
            The bytes are damaged, cut short, or something else.
        """
        data, start = bytes(data), len(MAGIC) + hashlib.sha256().digest_size
        remedy = "Send the bytes again, whole and in binary."
        if not data.startswith(MAGIC):
            raise FileError(
                f"The bytes of a shard state must begin with {MAGIC!r}. Received: {data[: len(MAGIC)]!r}. {remedy}"
            )
        if hashlib.sha256(data[start:]).digest() != data[len(MAGIC) : start]:
            raise FileError(
                "The digest of a shard state must be that of its bytes. Received: another one, so they were changed or"
                f" cut short on the way. {remedy}"
            )
        try:
            content = BytesIO(data[start:])
            fields = json.loads(content.readline())
            for name in fields.pop("arrays"):
                fields[name] = np.lib.format.read_array(content, allow_pickle=False)
            if content.read(1):
                raise FileError("bytes are left over at the end")
            return cls(**fields)
        except (LimenError, ValueError, TypeError, KeyError, AttributeError, EOFError, MemoryError) as error:
            raise FileError(f"A shard state must be one that to_bytes wrote. Received: {error}") from None

    def __reduce__(self) -> tuple[Callable[[bytes], ShardState], tuple[bytes]]:
        return ShardState.from_bytes, (self.to_bytes(),)  # NumPy's own pickles would come back writable

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ShardState):
            return NotImplemented
        return (
            all(getattr(self, name) == getattr(other, name) for name in (*SETTINGS, *COUNTS))
            and self.classes.dtype.kind == other.classes.dtype.kind
            and all(
                same(getattr(self, name), getattr(other, name))
                for name in ("classes", "weights", "bias", *SUMS)
            )
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.weights.shape, self.n_steps, self.shard_steps))

    def __repr__(self) -> str:
        steps = self.n_steps + self.shard_steps
        counts = ((self.n_features, "feature"), (self.n_outputs, "output"), (steps, "step"))
        words = [self.kind, *(f"{n} {word}" + "s" * (n != 1) for n, word in counts)]
        return f"ShardState({', '.join(words)})"


def _check_settings(state: ShardState) -> None:
    """Refuse settings that can't be, alone or beside another."""
    choices = {
        "kind": ("binary", "multiclass", "multioutput"),
        "multi_class": ("crammer_singer", "ovr"),
        "update": tuple(UPDATES),
    }
    for name, allowed in choices.items():
        value = getattr(state, name)
        if value not in allowed:
            raise InputError(f"{name} must be one of {', '.join(allowed)}. Received: {value!r}.")
    if not isinstance(state.fit_intercept, bool | np.bool_):
        raise InputError(f"fit_intercept must be True or False. Received: {state.fit_intercept!r}.")
    passive = state.update != "perceptron"
    least = "above 0" if passive else "0 or above"
    ranges: dict[str, tuple[str, Callable[[float], bool]]] = {
        "margin": (f"{least} with update={state.update!r}", lambda x: x > 0 if passive else x >= 0),
        "C": ("above 0", lambda x: x > 0),
        "shrink": (
            f"1 with update={state.update!r}, whose C limits the weights"
            if passive
            else "above 0, at most 1",
            lambda x: x == 1 if passive else 0 < x <= 1,
        ),
    }
    for name, (expected, holds) in ranges.items():
        value = getattr(state, name)
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not (number and abs(value) <= FLOAT_MAX and holds(value)):
            raise InputError(f"{name} must be a finite number, {expected}. Received: {value!r}.")


def _fits(kind: Kind, n_classes: int, n_outputs: int) -> bool:
    """Whether a layer of so many outputs decides between so many classes."""
    if kind == "multioutput":
        return n_classes == 2 and n_outputs >= 2
    return (n_classes, n_outputs) == (2, 1) if kind == "binary" else n_outputs == n_classes >= 3


def _unique(labels: Any) -> Array:
    """Return labels in order, each once."""
    array = plain_labels(as_array(labels, "classes", "labels"))
    if array.ndim != 1 or len(array) < 2:
        raise InputError(f"classes must be at least two labels in a list. Received: {labels!r}.")
    return np.unique(array)


def _labels(values: Any) -> Array:
    """Return the classes of a state, read-only."""
    array = np.array(plain_labels(as_array(values, "classes", "labels")))
    in_order = array.ndim == 1 and len(array) >= 2 and bool((array[:-1] < array[1:]).all())
    if not in_order or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise InputError(
            "classes must be at least two different labels, in order and without NaN. Received:"
            f" {np.asarray(values).tolist()}."
        )
    return frozen(array)  # type: ignore[no-any-return]


def plain_labels(array: Array) -> Array:
    """Return labels that came as Python objects in a type of NumPy's that needs none."""
    if array.dtype.kind not in "biufU":
        kinds = {type(label) for label in array.flat}
        if array.dtype.kind == "T" or (kinds and all(issubclass(kind, str) for kind in kinds)):
            return array.astype(np.str_)
        if len(kinds) == 1 and issubclass(kinds.pop(), bool | int | float):
            return np.array(array.tolist())
        raise InputError(
            f"Labels must be numbers, booleans or text, all of one type. Received: dtype {array.dtype}."
        )
    return array


def _held(values: Any, name: str, shape: tuple[int, ...]) -> Array:
    """Return finite float64 numbers of a shape, read-only; themselves if they are so and nobody's else."""
    array = as_array(values, name)
    if array.shape != shape or array.dtype.kind not in "buif" or not is_finite(array):
        raise InputError(
            f"{name} must be finite numbers of shape {shape}. Received: shape {array.shape}, dtype {array.dtype}"
            f"{'' if array.shape != shape else ', not all of them finite numbers'}."
        )
    held = array.dtype == np.float64 and array.base is None and array.flags.c_contiguous
    if held and not array.flags.writeable:
        return array
    return frozen(np.array(array, dtype=np.float64, order="C"))  # type: ignore[no-any-return]


def is_finite(array: Array) -> bool:
    """Whether all numbers are finite: seen from their sum, which costs no copy, where that doesn't overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def same(a: Array | None, b: Array | None) -> bool:
    """Whether two arrays hold the same, or both are missing."""
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b)
