"""Formula or network → `TruthTable`: what it puts out for every row of its inputs.

Row ``r`` gives the inputs the binary digits of ``r``, first input most significant: the order of
``itertools.product((0, 1), repeat=n)`` and of every textbook table. A table of a formula is made from what the
formula means (`limen.logic.proposition.evaluate`), a table of a network by calling the network; neither is made from
the other, so comparing them says something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from limen import _text
from limen._door import as_array, frozen
from limen.errors import InputError
from limen.logic.building import named_formulas
from limen.logic.connectives import names_of
from limen.logic.proposition import Formula, evaluate
from limen.network import Network
from limen.step import Array

__all__ = ["MOST_INPUTS", "TruthTable", "truth_table", "zeros_and_ones"]

MOST_INPUTS = 24
MOST_ENTRIES = 1 << 28
ROWS = 64  # rows printed before the middle is left out
COLUMNS = 16  # outputs printed before the rest is only counted
CHUNK = 1 << 14  # rows of a formula at a time
NUMBERS = 1 << 22  # numbers in the widest layer of a network at a time


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class TruthTable:
    """The outputs for every row of inputs.

    Parameters
    ----------
    values : array_like of 0 and 1, shape (2**n_inputs, n_outputs)
        Kept as int8, read-only.
    inputs, outputs : str or iterable of str
        Names; one text is split at spaces and commas.

    Raises
    ------
    InputError
        Another shape, other values, more than 24 inputs, or names that don't fit.

    Examples
    --------
    >>> print(TruthTable([[0], [0], [0], [1]], ["a", "b"], ["y"]))
    a b │ y
    0 0 │ 0
    0 1 │ 0
    1 0 │ 0
    1 1 │ 1
    """

    values: Array
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    # NumPy would otherwise compare entry by entry; tables compare as wholes.
    __array_ufunc__ = None

    def __post_init__(self) -> None:
        inputs, outputs = names_of(self.inputs), names_of(self.outputs, "outputs")
        _few_inputs(len(inputs))
        values = zeros_and_ones(self.values)
        if values.ndim != 2 or values.shape != (1 << len(inputs), len(outputs)) or not outputs:
            raise InputError(
                f"The values of a truth table of {_text.plural(len(inputs), 'input')} must have shape"
                f" ({1 << len(inputs)}, n_outputs), with at least one output. Received: shape {values.shape}"
                f" and {_text.plural(len(outputs), 'output name')}."
            )
        object.__setattr__(self, "values", frozen(values))
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "outputs", outputs)

    def __init_subclass__(cls) -> None:
        raise TypeError("TruthTable is a value and can't be subclassed; write a function that returns one.")

    def __reduce__(self) -> tuple[type[TruthTable], tuple[Any, ...]]:
        return TruthTable, (self.values, self.inputs, self.outputs)

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.inputs)

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return len(self.outputs)

    @property
    def n_rows(self) -> int:
        """Number of rows, ``2**n_inputs``."""
        return int(self.values.shape[0])

    def rows(self) -> Array:
        """Return the rows of inputs, shape ``(2**n_inputs, n_inputs)``, int8."""
        return _rows(self.n_inputs, 0, self.n_rows)

    def to_array(self) -> Array:
        """Return a copy of the values, shape ``(2**n_inputs, n_outputs)``, int8."""
        return self.values.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TruthTable):
            return NotImplemented
        mine, others = (self.inputs, self.outputs), (other.inputs, other.outputs)
        return mine == others and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.inputs, self.outputs, self.values.tobytes()))

    def __repr__(self) -> str:
        n_inputs, n_outputs = _text.plural(self.n_inputs, "input"), _text.plural(self.n_outputs, "output")
        return f"TruthTable({n_inputs} → {n_outputs}, {_text.plural(self.n_rows, 'row')})"

    def __str__(self) -> str:
        shown = min(self.n_outputs, COLUMNS)
        heads = [_one_line(name) for name in self.inputs + self.outputs[:shown]]
        whole = self.n_rows <= ROWS
        parts = [(0, self.n_rows)] if whole else [(0, ROWS // 2), (self.n_rows - ROWS // 2, self.n_rows)]
        lines = [self._line(heads, heads)]
        for index, (start, stop) in enumerate(parts):
            if index:
                lines.append(f"… {_text.plural(self.n_rows - ROWS, 'more row')} …")
            rows = np.hstack([_rows(self.n_inputs, start, stop), self.values[start:stop, :shown]])
            lines += [self._line([str(bit) for bit in row], heads) for row in rows.tolist()]
        if shown < self.n_outputs:
            lines.append(f"… and {_text.plural(self.n_outputs - shown, 'more output')}")
        return "\n".join(lines)

    def _line(self, cells: list[str], heads: list[str]) -> str:
        padded = [cell.rjust(len(head)) for cell, head in zip(cells, heads, strict=True)]
        return " ".join([*padded[: self.n_inputs], "│", *padded[self.n_inputs :]])


def truth_table(
    function: Formula | Mapping[str, Formula] | Network, *, inputs: str | Iterable[str] | None = None
) -> TruthTable:
    """Return the truth table of a formula, of several, or of a network.

    Parameters
    ----------
    function : Formula, mapping of str to Formula, or Network
        A single formula's output is called ``y``. A network takes binary inputs and ends in heaviside or
        hardmax neurons.
    inputs : str or iterable of str, optional
        The inputs, in the order of the table's columns. Formulas may have fewer, a network has just these.
        Default: the function's own order. Tables in different orders aren't equal.

    Returns
    -------
    TruthTable

    Raises
    ------
    InputError
        More than 24 inputs (before anything is allocated), a network whose inputs or outputs aren't binary, or
        something that is neither formula nor network.

    Examples
    --------
    >>> from limen import logic
    >>> a, b = logic.inputs("a b")
    >>> print(truth_table({"sum": a ^ b, "carry": a & b}))
    a b │ sum carry
    0 0 │   0     0
    0 1 │   1     0
    1 0 │   1     0
    1 1 │   0     1
    >>> truth_table(logic.network(a ^ b)) == truth_table(a ^ b)
    True
    """
    if isinstance(function, Network):
        return _network_table(function, None if inputs is None else names_of(inputs))
    if not isinstance(function, Formula | Mapping):
        raise InputError(
            "A truth table is made of a formula, a mapping of names to formulas, or a limen.Network."
            f" Received: {type(function).__name__}."
        )
    formulas, names = named_formulas(function, inputs)
    _few_inputs(len(names), len(formulas))
    values = np.empty((1 << len(names), len(formulas)), dtype=np.int8)
    for start in range(0, len(values), CHUNK):
        stop = min(start + CHUNK, len(values))
        columns = _rows(len(names), start, stop).T.astype(bool)
        held = evaluate(list(formulas.values()), dict(zip(names, columns, strict=True)))
        for k, column in enumerate(held):
            values[start:stop, k] = column
    return TruthTable(values, names, tuple(formulas))


def _network_table(net: Network, inputs: tuple[str, ...] | None) -> TruthTable:
    last = net.layers[-1].activation
    if net.domain != "binary" or last not in {"heaviside", "hardmax"}:
        raise InputError(
            "A truth table needs a network with binary inputs that ends in heaviside or hardmax neurons."
            f" Received: {net.domain} inputs and {last} neurons."
        )
    names = net.inputs if inputs is None else inputs
    if set(names) != set(net.inputs):
        raise InputError(
            f"inputs must be those of the network ({_text.listing(net.inputs)}) in some order. Received:"
            f" {_text.listing(names)}."
        )
    _few_inputs(net.n_inputs, net.n_outputs)
    place = {name: column for column, name in enumerate(names)}
    order = [place[name] for name in net.inputs]
    values = np.empty((1 << net.n_inputs, net.n_outputs), dtype=np.int8)
    chunk = max(1, NUMBERS // max([1, net.n_inputs, *(layer.n_neurons for layer in net.layers)]))
    for start in range(0, len(values), chunk):
        stop = min(start + chunk, len(values))
        values[start:stop] = net(_rows(net.n_inputs, start, stop)[:, order])
    return TruthTable(values, names, net.outputs)


def _rows(n: int, start: int, stop: int) -> Array:
    """Return rows `start` to `stop` of all rows of `n` bits, first bit most significant."""
    numbers = np.arange(start, stop, dtype=np.int32)
    bits: Array = np.empty((stop - start, n), dtype=np.int8)
    for column in range(n):  # one at a time: all shifted numbers at once would be many times the bits
        bits[:, column] = numbers >> (n - 1 - column) & 1
    return bits


def _few_inputs(n_inputs: int, n_outputs: int = 1) -> None:
    """Refuse a table too large to be one, before it is allocated."""
    if n_inputs > MOST_INPUTS:
        raise InputError(
            f"A truth table has at most {MOST_INPUTS} inputs ({1 << MOST_INPUTS} rows). Received: {n_inputs}"
            " inputs. Call the network on the rows you need instead."
        )
    if n_outputs << n_inputs > MOST_ENTRIES:
        raise InputError(
            f"A truth table has at most {MOST_ENTRIES} entries. Received: {1 << n_inputs} rows of {n_outputs}"
            " outputs. Ask for fewer outputs at a time."
        )


def zeros_and_ones(values: Any) -> Array:
    """Return a copy of an array of zeros and ones (or booleans) as int8; refuse any other value."""
    array = as_array(values, "A truth table", "zeros and ones")
    if array.dtype.kind not in "buif":
        raise InputError(f"A truth table must hold zeros and ones. Received: dtype {array.dtype}.")
    if array.size and not (array.min() >= 0 and array.max() <= 1 and array.dtype.kind != "f"):
        wrong = array[(array != 0) & (array != 1)]
        if wrong.size:
            raise InputError(f"A truth table must hold zeros and ones. Received: {wrong[0]}.")
    bits: Array = array.astype(np.int8)
    return bits


def _one_line(name: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
