"""The textbook's circuits as networks of threshold neurons, each with few gates: pure functions, no tables.

===================  ======================================================  =======================================
`parity`             an odd number of the inputs is 1                        ``floor(log2 n) + 1`` gates
`majority`           more than half of them are                              1
`at_least`           `k` or more are                                         1
`symmetric`          a function of how many are                              half its changes and 1, or fewer
`sorter`             the inputs, ones first                                  `n`
`popcount`           how many are 1, in binary                               ``floor(log2 n) + 1``
`decoder`            which number the inputs are                             ``2**n``
`multiplexer`        the input that the others select                        ``2**n_select``
`comparator`         a >= b                                                  1
`adder`              a + b                                                   2 for each bit
===================  ======================================================  =======================================

A binary number's most significant bit comes first; ``a0`` is the bit of weight 1. A *gate* is a neuron that doesn't
merely pass a value on. An output that other gates need as well (a carry, the higher digits of a count) is passed on to
the last layer, where all outputs stand; `limen.Network.n_gates` counts that neuron of the last layer, the table above
doesn't.

References
----------
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley, for symmetric functions and adders.
K.-Y. Siu, V. P. Roychowdhury and T. Kailath (1991), "Depth-size tradeoffs for neural computation", IEEE Transactions on
Computers 40.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any

import numpy as np

from limen import _text
from limen.errors import InputError, NotExactError
from limen.logic._line import along
from limen.logic._plan import add_neuron, planned
from limen.logic.gates import Gates, Literal
from limen.logic.layout import lay_out
from limen.network import Network

__all__ = [
    "adder",
    "at_least",
    "comparator",
    "decoder",
    "majority",
    "multiplexer",
    "parity",
    "popcount",
    "sorter",
    "symmetric",
]

MOST_INPUTS = 1 << 16
MOST_COMPARED = 62  # bits: a sum of weights up to 2**61, for two numbers, still fits into int64
MOST_SELECTING = 12  # inputs of a decoder or a multiplexer, which has 2**n gates
MOST_ADDED = 1 << 10  # bits of the numbers an adder adds
BLOCK = 32  # bits whose carries come from one layer
MOST_COUNTED = 1 << 10  # inputs of a symmetric function


def parity(n: int) -> Network:
    """Return the network that tells whether an odd number of `n` inputs is 1, in ``floor(log2 n) + 1`` gates.

    The digits of the count, from the most significant: each neuron sees the inputs and takes away what the digits
    before it stand for. The last digit is the parity.

    Examples
    --------
    >>> print(parity(3))
    Network: 3 inputs → 4 heaviside → 1 heaviside
    h1.1 fires when x1 ≥ 1
    h1.2 fires when x2 ≥ 1
    h1.3 fires when x3 ≥ 1
    h1.4 fires when x1 + x2 + x3 ≥ 2
    y fires when h1.1 + h1.2 + h1.3 − 2·h1.4 ≥ 1
    """
    gates = Gates(_whole(n, "n", 1, MOST_INPUTS))
    return lay_out(gates, {"y": _digits(gates)[-1]}, _numbered("x", gates.n_inputs))


def majority(n: int) -> Network:
    """Return the neuron that tells whether more than half of `n` inputs are 1; half is not enough.

    Examples
    --------
    >>> print(majority(5))
    Network: 5 inputs → 1 heaviside
    y fires when x1 + x2 + x3 + x4 + x5 ≥ 3
    """
    return at_least(_whole(n, "n", 1, MOST_INPUTS) // 2 + 1, n)


def at_least(k: int, n: int) -> Network:
    """Return the neuron that tells whether `k` or more of `n` inputs are 1.

    Parameters
    ----------
    k : int
        From 0 (it always fires) to ``n + 1`` (it never does).
    n : int

    Examples
    --------
    >>> print(at_least(2, 3))
    Network: 3 inputs → 1 heaviside
    y fires when x1 + x2 + x3 ≥ 2
    """
    n = _whole(n, "n", 1, MOST_INPUTS)
    k = _whole(k, "k", 0, n + 1)
    gates = Gates(n)
    literal = add_neuron(gates, dict.fromkeys(_inputs(gates) if 0 < k <= n else (), 1), k)
    return lay_out(gates, {"y": literal}, _numbered("x", n))


def symmetric(n: int, values: Iterable[int]) -> Network:
    """Return a network for a function of how many of `n` inputs are 1.

    Parameters
    ----------
    n : int
    values : iterable of 0 and 1
        ``n + 1`` of them: the output for no input, one, … all `n`.

    Returns
    -------
    Network
        Of at most ``m // 2 + 1`` gates for `m` changes in `values`; of fewer where folding helps
        (`limen.logic._line`).

    Examples
    --------
    >>> print(symmetric(3, [0, 1, 1, 0]))  # not all equal
    Network: 3 inputs → 4 heaviside → 1 heaviside
    h1.1 fires when x1 ≥ 1
    h1.2 fires when x2 ≥ 1
    h1.3 fires when x3 ≥ 1
    h1.4 fires when x1 + x2 + x3 ≥ 3
    y fires when h1.1 + h1.2 + h1.3 − 3·h1.4 ≥ 1
    """
    n = _whole(n, "n", 1, MOST_COUNTED)
    try:
        listed = list(values)
    except TypeError:
        raise InputError(f"values must be {n + 1} zeros and ones. Received: {values!r}.") from None
    if len(listed) != n + 1:
        raise InputError(
            f"values must be {n + 1} zeros and ones, the output for 0 to {n} ones. Received: {len(listed)}."
        )
    wrong = [
        value for value in listed if not isinstance(value, int | np.integer | np.bool_) or value not in (0, 1)
    ]
    if wrong:
        raise InputError(f"values must be zeros and ones. Received: {wrong[0]!r}.")
    plan = along([1] * n, np.arange(n + 1), np.array(listed, dtype=np.int8), limit=n + 1)
    if plan is None:
        raise AssertionError("a symmetric function always has a plan")
    return planned(plan, _numbered("x", n), "y")


def sorter(n: int) -> Network:
    """Return the network that puts `n` inputs in order, ones first: output `k` fires for `k` ones or more.

    Examples
    --------
    >>> print(sorter(2))
    Network: 2 inputs → 2 heaviside
    y1 fires when x1 + x2 ≥ 1
    y2 fires when x1 + x2 ≥ 2
    """
    gates = Gates(_whole(n, "n", 1, MOST_COUNTED))
    ones = dict.fromkeys(_inputs(gates), 1)
    outputs = {f"y{k}": add_neuron(gates, ones, k) for k in range(1, n + 1)}
    return lay_out(gates, outputs, _numbered("x", n))


def popcount(n: int) -> Network:
    """Return the network that counts the ones of `n` inputs, in binary; ``floor(log2 n) + 1`` gates.

    Examples
    --------
    >>> popcount(3)([1, 0, 1])
    array([1, 0], dtype=int8)
    >>> popcount(3).outputs
    ('count1', 'count0')
    """
    gates = Gates(_whole(n, "n", 1, MOST_INPUTS))
    digits = _digits(gates)
    names = _places("count", len(digits))
    return lay_out(gates, dict(zip(names, digits, strict=True)), _numbered("x", gates.n_inputs))


def decoder(n: int) -> Network:
    """Return the network whose output ``yi`` fires when the `n` inputs are the number `i` in binary.

    Parameters
    ----------
    n : int
        From 1 to 12.

    Examples
    --------
    >>> print(decoder(2))
    Network: 2 inputs → 4 heaviside
    y0 fires when −a1 − a0 ≥ 0
    y1 fires when −a1 + a0 ≥ 1
    y2 fires when a1 − a0 ≥ 1
    y3 fires when a1 + a0 ≥ 2
    """
    gates = Gates(_whole(n, "n", 1, MOST_SELECTING))
    outputs = {f"y{i}": add_neuron(gates, *_equals(gates, i, n)) for i in range(1 << n)}
    return lay_out(gates, outputs, _places("a", n))


def multiplexer(n_select: int) -> Network:
    """Return the network that puts out the one of ``2**n_select`` data inputs whose number the others select.

    Each data input but one has a gate, "selected and 1"; the last is the output, which takes them all in.

    Parameters
    ----------
    n_select : int
        From 1 to 12. Inputs are ``s1, s0, d0, d1, d2, d3`` for 2.

    Examples
    --------
    >>> print(multiplexer(1))
    Network: 3 inputs → 3 heaviside → 1 heaviside
    h1.1 fires when s0 ≥ 1
    h1.2 fires when d0 ≥ 1
    h1.3 fires when s0 + d1 ≥ 2
    y fires when −h1.1 + h1.2 + 2·h1.3 ≥ 1
    """
    n = _whole(n_select, "n_select", 1, MOST_SELECTING)
    n_data = 1 << n
    gates = Gates(n + n_data)
    data = _inputs(gates)[n:]
    taken = {}
    for i in range(1, n_data):
        weights, threshold = _equals(gates, i, n)
        taken[add_neuron(gates, {**weights, data[i]: 1}, threshold + 1) // 2] = n + 1
    weights, threshold = _equals(gates, 0, n)
    literal = add_neuron(gates, {**weights, data[0]: 1, **taken}, threshold + 1)
    return lay_out(gates, {"y": literal}, [*_places("s", n), *(f"d{i}" for i in range(n_data))])


def comparator(n_bits: int) -> Network:
    """Return the neuron that tells whether one number is at least as large as another; its output is ``ge``.

    Parameters
    ----------
    n_bits : int
        Of each number, from 1 to 62. Inputs are ``a1, a0, b1, b0`` for 2.

    Raises
    ------
    NotExactError
        More than 62 bits: the sum of the weights would leave int64.

    Examples
    --------
    >>> print(comparator(2))
    Network: 4 inputs → 1 heaviside
    ge fires when 2·a1 + a0 − 2·b1 − b0 ≥ 0
    """
    n = _whole(n_bits, "n_bits", 1, None)
    if n > MOST_COMPARED:
        raise NotExactError(
            f"A neuron compares numbers of at most {MOST_COMPARED} bits: beyond, the sum of its weights leaves int64."
            f" Received: n_bits={n}."
        )
    gates = Gates(2 * n)
    powers = [1 << i for i in reversed(range(n))]
    signals = _inputs(gates)
    weights = dict(zip(signals, [*powers, *(-p for p in powers)], strict=True))
    names = [*_places("a", n), *_places("b", n)]
    return lay_out(gates, {"ge": add_neuron(gates, weights, 0)}, names)


def adder(n_bits: int, *, carry_in: bool = False) -> Network:
    """Return the network that adds two numbers, in two gates for each bit: its carry and its sum.

    A carry is a neuron over all bits below it, with powers of two as weights, and a sum bit sees the same bits and its
    own carry; so up to 32 bits need two layers, however long they are. Every further 32 bits take the carry of
    those before, and one layer more.

    Parameters
    ----------
    n_bits : int
        Of each number, from 1 to 1,024. Inputs are ``a1, a0, b1, b0`` for 2.
    carry_in : bool, default False
        Whether there is one more input, ``carry_in``, that is added too.

    Returns
    -------
    Network
        Outputs ``carry``, then ``sum1, sum0`` for 2 bits; ``carry``, ``sum`` for 1.

    Examples
    --------
    >>> print(adder(1, carry_in=True))
    Network: 3 inputs → 4 heaviside → 2 heaviside
    h1.1 fires when a0 ≥ 1
    h1.2 fires when b0 ≥ 1
    h1.3 fires when carry_in ≥ 1
    h1.4 fires when a0 + b0 + carry_in ≥ 2
    carry fires when h1.4 ≥ 1
    sum fires when h1.1 + h1.2 + h1.3 − 2·h1.4 ≥ 1
    """
    n = _whole(n_bits, "n_bits", 1, MOST_ADDED)
    gates = Gates(2 * n + bool(carry_in))
    depth = 1 + -(-n // BLOCK)
    carry: Literal | None = gates.input(2 * n) if carry_in else None
    bits: list[Literal] = []
    for start in range(0, n, BLOCK):
        incoming = carry
        seen: dict[int, int] = {} if incoming is None else {incoming // 2: 1}
        for i in range(start, min(start + BLOCK, n)):
            place = 1 << (i - start)
            seen = {n - i: place, 2 * n - i: place, **seen}  # signal 1 is the first number's first bit
            carry = add_neuron(gates, seen, 2 * place)
            bits.append(add_neuron(gates, {**seen, carry // 2: -2 * place}, place, level=depth))
    assert carry is not None
    names = ["carry", *(["sum"] if n == 1 else _places("sum", n))]
    inputs = [*_places("a", n), *_places("b", n), *(["carry_in"] if carry_in else [])]
    return lay_out(gates, dict(zip(names, [carry, *reversed(bits)], strict=True)), inputs)


def _digits(gates: Gates) -> list[Literal]:
    """Return the binary digits of how many inputs are 1, most significant first."""
    seen = dict.fromkeys(_inputs(gates), 1)
    digits = []
    for k in reversed(range(gates.n_inputs.bit_length())):
        digits.append(add_neuron(gates, seen, 1 << k))
        seen = {**seen, digits[-1] // 2: -1 << k}
    return digits


def _equals(gates: Gates, number: int, n: int) -> tuple[dict[int, int], int]:
    """Return the neuron that fires when the first `n` inputs are a number in binary."""
    ones = [number >> (n - 1 - k) & 1 for k in range(n)]
    return {signal: 2 * one - 1 for signal, one in zip(_inputs(gates)[:n], ones, strict=True)}, sum(ones)


def _inputs(gates: Gates) -> list[int]:
    """Return the signals of the inputs."""
    return [gates.input(i) // 2 for i in range(gates.n_inputs)]


def _numbered(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(1, n + 1)]


def _places(prefix: str, n: int) -> list[str]:
    """Return the names of a number's bits, most significant first."""
    return [f"{prefix}{i}" for i in reversed(range(n))]


def _whole(value: Any, name: str, least: int, most: int | None) -> int:
    """Return a whole number within its limits."""
    try:
        number = index(value)
    except TypeError:
        raise InputError(f"{name} must be a whole number. Received: {value!r}.") from None
    if isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be a whole number. Received: {value!r}.")
    if number < least or (most is not None and number > most):
        until = "on" if most is None else f"to {_text.number(most)}"
        raise InputError(f"{name} must be from {least} {until}. Received: {_text.number(number)}.")
    return number
