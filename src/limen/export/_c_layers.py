"""Layers as C functions: bits in, bits out, with tables that are as small as may be.

A row of bits is an array of ``uint32_t``; bit j is bit j % 32 of word j / 32. A layer reads one and writes one, or writes its net inputs. Its
weights are stored in the smallest of three forms:

*planes*
    Of each neuron a row of signs and, unless all weights are ±1, a row of bits for each bit of the weights' sizes. The
    sum is counted: ``count = Σ 2^p · popcount((x ^ signs) & mask_p)``, and the net input is count minus a limit.
*numbers*
    The weights themselves, in the narrowest type that holds them, added where the input's bit is set.
*entries*
    The weights other than zero, each with the number of its input, one neuron after the other.

A network whose sign neurons can't be split, and one on integers, works with numbers instead of bits (`numbers_layer`),
stored as numbers or entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limen._door import INT64_MAX
from limen._weights import entries
from limen.export._c_text import constant, signed_type, table
from limen.export._sums import reach
from limen.network import Layer
from limen.step import Array

__all__ = ["WORD", "Part", "bits_layer", "numbers_layer", "words_of"]

WORD = 32


@dataclass(frozen=True)
class Part:
    """One layer's function, and the tables it reads.

    Parameters
    ----------
    text : str
    table_bytes : int
    """

    text: str
    table_bytes: int


def words_of(n_bits: int) -> int:
    """Return how many words hold so many bits."""
    return -(-n_bits // WORD)


def bits_layer(name: str, layer: Layer, *, sums: str | None) -> Part:
    """Return ``void name(const uint32_t *x, uint32_t *y)``, or with `sums` ``void name(const uint32_t *x, sums *z)``."""
    _, _, values = entries(layer.weights)
    n = layer.n_neurons
    sizes = np.abs(values)
    used = int(np.bitwise_or.reduce(sizes)) if sizes.size else 0
    low, high = (used & -used).bit_length() - 1 if used else 0, max(used.bit_length(), 1)
    planes = high - low
    full = sizes.size == layer.n_inputs * n
    masked = not (planes == 1 and used and full and bool((sizes == used).all()))
    plane_bytes = n * words_of(layer.n_inputs) * 4 * (1 + planes if masked else 1)
    bounds = reach(layer, 0, 1)
    sum_kind = _at_least(sums or "int8_t", signed_type(min(a for a, _ in bounds), max(b for _, b in bounds)))
    ends = f"z[n] = ({sums})sum;" if sums else "if (sum >= 0) y[n >> 5] |= UINT32_C(1) << (n & 31);"
    head = f"static void {name}(const uint32_t *x, {f'{sums} *z' if sums else 'uint32_t *y'}) {{"
    added = _adding(
        name,
        layer,
        [head, *([] if sums else _cleared(n))],
        f"if (x[%j >> 5] >> (%j & 31) & 1) sum = ({sum_kind})(sum + %w);",
        sum_kind,
        ends,
    )
    if plane_bytes <= added.table_bytes:
        return _planes(name, layer, layer.dense(), low, planes, masked, sums)
    return added


def _adding(name: str, layer: Layer, head: Sequence[str], step: str, sum_kind: str, ends: str) -> Part:
    """Return a function that adds weights, stored as numbers or as entries.

    Parameters
    ----------
    name : str
    layer : Layer
    head : sequence of str
        How the function begins, up to what it does once.
    step : str
        What a weight does to ``sum``; ``%w`` is the weight, ``%j`` the number of its input.
    sum_kind : str
        The type of ``sum``.
    ends : str
        What becomes of the sum of neuron ``n``.
    """
    rows, neurons, values = entries(layer.weights)
    n, n_inputs = layer.n_neurons, layer.n_inputs
    kind = signed_type(int(values.min(initial=0)), int(values.max(initial=0)))
    bias_kind = signed_type(int(layer.bias.min()), int(layer.bias.max()))
    from_kind, end_kind = _index_type(n_inputs), _index_type(values.size + 1)
    dense = n * n_inputs * _bytes(kind)
    sparse = values.size * (_bytes(kind) + _bytes(from_kind)) + n * _bytes(end_kind)
    if dense <= sparse:
        stored = [table(kind, f"{name}_weights", layer.dense().T)]
        start = [f"    const {kind} *w = {name}_weights;", "    int_fast32_t n, i;"]
        loop = f"        for (i = 0; i < {n_inputs}; i++, w++) {{"
        step = step.replace("%j", "i").replace("%w", "*w")
    else:
        counts = np.bincount(neurons, minlength=n)
        stored = [
            table(kind, f"{name}_weights", values),
            table(from_kind, f"{name}_from", rows),
            table(end_kind, f"{name}_ends", counts.cumsum()),
        ]
        start = ["    int_fast32_t n, i = 0;"]
        loop = f"        for (; i < {name}_ends[n]; i++) {{"
        step = step.replace("%j", f"{name}_from[i]").replace("%w", f"{name}_weights[i]")
    text = "\n".join(
        [
            *stored,
            table(bias_kind, f"{name}_bias", layer.bias),
            "",
            head[0],
            *start,
            *head[1:],
            f"    for (n = 0; n < {n}; n++) {{",
            f"        {sum_kind} sum = {name}_bias[n];",
            loop,
            f"            {step}",
            "        }",
            f"        {ends}",
            "    }",
            *(["    (void)x;"] if n_inputs == 0 else []),
            "}",
        ]
    )
    return Part(text, min(dense, sparse) + n * _bytes(bias_kind))


def _planes(
    name: str, layer: Layer, weights: Array, low: int, planes: int, masked: bool, sums: str | None
) -> Part:
    n, n_inputs = layer.n_neurons, layer.n_inputs
    words = words_of(n_inputs)
    ones = f"{name.rpartition('_')[0]}_ones"
    sizes = np.abs(weights)
    rows = [_words(weights.T < 0)]
    if masked:
        rows += [_words((sizes.T >> p & 1).astype(bool)) for p in reversed(range(low, low + planes))]
    bits = np.stack(rows, axis=1)  # neurons, signs and planes, words
    limits = np.where(weights < 0, sizes, 0).sum(axis=0) - layer.bias
    most = int(sizes.sum(axis=0).max(initial=0))
    limit_kind = signed_type(int(limits.min()), int(limits.max()))
    count_kind = _at_least("int16_t", signed_type(-most - 1, most))
    if sums:
        bounds = (int(limits.min()), int(limits.max()), most)
        # The result fits into int64; what lies between may only look as if it didn't.
        least, greatest = min(bounds) - most, max(bounds) + most
        wide = signed_type(max(least, -INT64_MAX), min(greatest, INT64_MAX))
        wide = _at_least(sums, wide)
        ends = f"z[n] = ({sums})(({wide})count * {constant(1 << low)} - {name}_limits[n]);"
    else:
        # count · 2^low >= limit exactly where count >= limit / 2^low, rounded up.
        limits = -(-limits // (1 << low))
        limit_kind = signed_type(int(limits.min()), int(limits.max()))
        ends = f"if (count >= {name}_limits[n]) y[n >> 5] |= UINT32_C(1) << (n & 31);"
    head = [
        table("uint32_t", f"{name}_bits", bits),
        table(limit_kind, f"{name}_limits", limits),
        "",
        f"static void {name}(const uint32_t *x, {f'{sums} *z' if sums else 'uint32_t *y'}) {{",
        f"    const uint32_t *t = {name}_bits;",
        f"    int_fast32_t n, k{', p' if masked and planes > 1 else ''};",
        *([] if sums else _cleared(n)),
        f"    for (n = 0; n < {n}; n++) {{",
        f"        {count_kind} count = 0;",
    ]
    if not masked:
        body = [
            f"        for (k = 0; k < {words}; k++, t++) count = ({count_kind})(count + {ones}(x[k] ^ *t));",
        ]
    elif planes == 1:
        body = [
            f"        for (k = 0; k < {words}; k++, t++) {{",
            f"            count = ({count_kind})(count + {ones}((x[k] ^ *t) & t[{words}]));",
            "        }",
            f"        t += {words};",
        ]
    else:
        body = [
            f"        for (p = 1; p <= {planes}; p++) {{",
            f"            count = ({count_kind})(count * 2);",
            f"            for (k = 0; k < {words}; k++) {{",
            f"                count = ({count_kind})(count + {ones}((x[k] ^ t[k]) & t[p * {words} + k]));",
            "            }",
            "        }",
            f"        t += {(1 + planes) * words};",
        ]
    text = "\n".join([*head, *body, f"        {ends}", "    }", "}"])
    return Part(text, bits.size * 4 + n * _bytes(limit_kind))


def numbers_layer(name: str, layer: Layer, seen: str, least: int, greatest: int, *, sums: str | None) -> Part:
    """Return ``void name(const seen *x, int8_t *y)``, or with `sums` ``void name(const seen *x, sums *z)``.

    Parameters
    ----------
    name : str
    layer : Layer
        Of heaviside or sign, or one whose net inputs are asked for.
    seen : str
        The type of the inputs.
    least, greatest : int
        The least and the greatest input.
    sums : str, optional
        The type of the net inputs.
    """
    bounds = reach(layer, least, greatest)
    sum_kind = _at_least(sums or "int8_t", signed_type(min(a for a, _ in bounds), max(b for _, b in bounds)))
    if sums:
        ends = f"z[n] = ({sums})sum;"
    elif layer.activation == "sign":
        ends = "y[n] = (int8_t)((sum > 0) - (sum < 0));"
    else:
        ends = "y[n] = (int8_t)(sum >= 0);"
    head = f"static void {name}(const {seen} *x, {f'{sums} *z' if sums else 'int8_t *y'}) {{"
    step = f"sum = ({sum_kind})(sum + ({sum_kind})(%w * ({sum_kind})x[%j]));"
    return _adding(name, layer, [head], step, sum_kind, ends)


def _cleared(n: int) -> list[str]:
    return [f"    for (n = 0; n < {words_of(n)}; n++) y[n] = 0;"]


def _words(bits: Array) -> Array:
    """Return rows of bits as rows of 32-bit words."""
    rows, n = bits.shape
    padded = np.zeros((rows, words_of(n) * WORD), dtype=bool)
    padded[:, :n] = bits
    words: Array = np.packbits(padded, axis=1, bitorder="little").view("<u4").astype(np.uint32)
    return words


def _index_type(n: int) -> str:
    """Return a narrow type that counts up to `n` - 1, and that C turns into a signed one."""
    return "uint8_t" if n <= 1 << 8 else "uint16_t" if n <= 1 << 16 else "int32_t"


def _bytes(kind: str) -> int:
    return int(kind.removeprefix("u").removeprefix("int").removesuffix("_t")) // 8


def _at_least(one: str, other: str) -> str:
    """Return the wider of two signed types."""
    return max(one, other, key=_bytes)
