"""A network as C99: no heap, no floating point, constant tables, nothing beyond the standard's ``stdint.h``.

`to_c` returns a `CSource`: a header, a source file, and a program that tests them with vectors. For a network called ``name`` there are

==================================================  ==================================================================
``int name(in, out)``                               the network's call for one row: ``uint8_t`` in (0 and 1; ``int64_t``
                                                    for a network on integers), ``int8_t`` out (``int64_t`` from an
                                                    identity layer)
``int name_scores(in, int64_t *out)``               the net inputs of the last layer
``int name_class(in)``                              the number of the winning output, if the last layer is hardmax
``int name_packed(uint32_t *in, uint32_t *out)``    the same on bits: bit j is bit j % 32 of word j / 32; what lies beyond the
                                                    last input is ignored. A sign takes two bits: whether it isn't 0, and
                                                    whether it is -1. Not for networks on integers or with identity last
``int name_row(const name_columns *row, ...)``      for a `limen.Model` with an encoding: takes a row of the table
``name_labels``                                     for a model with labels: their text
==================================================  ==================================================================

They return 0, or a number (class), or -1 where an input is outside the domain; then nothing was written. Sums are as wide as the
weights prove they must be; what could pass int64 is refused.

What this form can't carry: floats, smooth activations, networks on real numbers. Columns of a table are compared as ``double``, the
only floating point there is, or as ``int64_t`` (`numbers`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

from limen import rewrite
from limen._door import INT64_MAX
from limen._weights import largest_sum
from limen.errors import InputError, NotExactError
from limen.export._admission import exact_network
from limen.export._c_columns import Columns, columns_of
from limen.export._c_header import (
    about,
    declarations,
    header,
    input_type,
    label_texts,
    largest_input,
    makes_one_decision,
    output_type,
    reads,
)
from limen.export._c_layers import WORD, Part, bits_layer, numbers_layer, words_of
from limen.export._c_test import vectors_program
from limen.export._c_text import KEYWORDS, c_string, signed_type
from limen.export._sums import reach
from limen.model import Model
from limen.network import Layer, Network

__all__ = ["CSource", "to_c"]


@final
@dataclass(frozen=True)
class CSource:
    """A network in C.

    Parameters
    ----------
    name : str
    header, source, test : str
        Texts of ``name.h``, ``name.c`` and ``name_test.c``.
    table_bytes : int
        Bytes of the constant tables.
    """

    name: str
    header: str
    source: str
    test: str
    table_bytes: int

    @property
    def files(self) -> dict[str, str]:
        """The texts by the names their files must have."""
        return {
            f"{self.name}.h": self.header,
            f"{self.name}.c": self.source,
            f"{self.name}_test.c": self.test,
        }

    def __repr__(self) -> str:
        return f"CSource({self.name!r}, {self.table_bytes:,} bytes of tables)"


def to_c(
    net: Network | Model,
    *,
    name: str = "network",
    numbers: Literal["double", "int64"] = "double",
    vectors: int = 64,
) -> CSource:
    """Return a network as C99.

    Parameters
    ----------
    net : Network or Model
        Exact, on bits or integers. Of a model with an encoding there is a function for a row of the table, too.
    name : str
        What the functions and files are called.
    numbers : {"double", "int64"}
        The type of a table's columns of numbers. In ``double`` NaN is a missing value, infinity reaches every cut point
        or none, and whole numbers beyond 2**53 must not have been rounded. ``int64`` needs no floating point, and a flag for each column says whether it is missing.
    vectors : int
        Rows that the test program tries.

    Returns
    -------
    CSource

    Raises
    ------
    InputError
        A name that isn't one in C, or no network.
    NotExactError
        Floats, smooth activations, real numbers, or a sum that could pass int64.

    Examples
    --------
    >>> from limen import Layer, Network, export
    >>> majority = Network(Layer([[1], [1], [1]], [-2]), domain="binary")
    >>> made = export.to_c(majority, name="majority")
    >>> sorted(made.files)
    ['majority.c', 'majority.h', 'majority_test.c']
    >>> "int majority(const uint8_t *in, int8_t *out);" in made.header
    True
    """
    network = exact_network(net, "C")
    _check_name(name)
    if isinstance(vectors, bool) or not isinstance(vectors, int) or vectors < 1:
        raise InputError(f"vectors must be a whole number from 1. Received: {vectors!r}.")
    if numbers not in ("double", "int64"):
        raise InputError(f"numbers must be 'double' or 'int64'. Received: {numbers!r}.")
    layers, on_bits = _split(network)
    largest = largest_input(network)
    sums = _sum_type(layers, on_bits, network, largest)
    parts = _parts(name, layers, on_bits, network, largest, sums)
    model = net if isinstance(net, Model) and net.encoding is not None else None
    labels = net.labels if isinstance(net, Model) else None
    columns = None if model is None else columns_of(model, name, numbers)
    comment = about(network, name, columns)
    declared = declarations(network, name, columns, label_texts(labels))
    source = "\n\n".join(
        [
            comment,
            "\n".join(_includes(name, columns)),
            *(
                [_ONES.replace("ones", f"{name}_ones", 1)]
                if any(f"{name}_ones(" in p.text for p in parts)
                else []
            ),
            *(part.text for part in parts),
            _through(name, layers, on_bits, network, sums),
            *_functions(network, name, on_bits, largest, sums),
            *([] if columns is None else [_row(network, name, columns, labels is not None)]),
            *_label_table(name, label_texts(labels)),
        ]
    )
    test = vectors_program(network, name, vectors, model, numbers)
    size = sum(part.table_bytes for part in parts)
    return CSource(name, header(name, comment, declared), source + "\n", test, size)


# What is written ----------------------------------------------------------------------------------------------


def _includes(name: str, columns: Columns | None) -> list[str]:
    lines = [f'#include "{name}.h"']
    if columns is not None and columns.compares_text:
        lines.append("#include <string.h>")
    if columns is not None and columns.compares_doubles:
        lines += [
            "#include <float.h>",
            "#if DBL_MANT_DIG < 53",
            '#error "double must have 53 binary digits; write this file with numbers as int64"',
            "#endif",
            "#ifdef __FAST_MATH__",
            '#error "without NaN no value is missing; compile without -ffast-math, or write this file with numbers as int64"',
            "#endif",
        ]
    return lines


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,40}", name) or name in KEYWORDS:
        raise InputError(
            "name must be letters, digits and underscores, at most 41, the first a letter, and no word of C."
            f" Received: {name!r}."
        )


def _split(net: Network) -> tuple[Sequence[Layer], bool]:
    """Return the layers, hidden ones of sign split where that is possible, and whether all then read bits."""
    if net.domain != "binary":
        return net.layers, False
    if all(layer.activation != "sign" for layer in net.layers[:-1]):
        return net.layers, True
    last = net.layers[-1]
    try:
        kept = Network([*net.layers[:-1], Layer(last.weights, last.bias, "identity")], domain="binary")
        *hidden, end = rewrite.split_sign(kept).layers
    except NotExactError:
        return net.layers, False
    return [*hidden, Layer(end.weights, end.bias, last.activation)], True


def _seen(net: Network, layers: Sequence[Layer], k: int, largest: int) -> tuple[int, int]:
    """Return the least and greatest input of a layer."""
    if k == 0:
        return (0, 1) if net.domain == "binary" else (-largest, largest)
    return (-1, 1) if layers[k - 1].activation == "sign" else (0, 1)


def _sum_type(layers: Sequence[Layer], on_bits: bool, net: Network, largest: int) -> str:
    """Return the type of the last layer's net inputs, and refuse sums that could pass int64 anywhere."""
    for k, layer in enumerate(layers):
        most = INT64_MAX if k == 0 and net.domain == "integer" else largest_sum(layer.weights, layer.bias)
        if most > INT64_MAX:
            raise NotExactError(
                f"Every sum must fit into int64, and one of layer {k + 1} could reach {most}. Divide its weights by a"
                " common factor (limen.rewrite.simplify)."
            )
    bounds = reach(layers[-1], *_seen(net, layers, len(layers) - 1, largest))
    return signed_type(min(low for low, _ in bounds), max(high for _, high in bounds))


def _parts(
    name: str, layers: Sequence[Layer], on_bits: bool, net: Network, largest: int, sums: str
) -> list[Part]:
    parts = []
    for k, layer in enumerate(layers):
        wanted = sums if k + 1 == len(layers) else None
        if wanted is None and layer.activation == "hardmax":
            wanted = _hidden_sums(layer, *_seen(net, layers, k, largest))
        title = f"{name}_layer{k + 1}"
        if on_bits:
            parts.append(bits_layer(title, layer, sums=wanted))
        else:
            low, high = _seen(net, layers, k, largest)
            parts.append(numbers_layer(title, layer, input_type(net, k), low, high, sums=wanted))
    return parts


def _hidden_sums(layer: Layer, least: int, greatest: int) -> str:
    bounds = reach(layer, least, greatest)
    return signed_type(min(low for low, _ in bounds), max(high for _, high in bounds))


_ONES = """/* How many bits of a word are 1. H. S. Warren, Hacker's Delight, section 5-1. */
static int ones(uint32_t x) {
    x -= (x >> 1) & UINT32_C(0x55555555);
    x = (x & UINT32_C(0x33333333)) + ((x >> 2) & UINT32_C(0x33333333));
    x = (x + (x >> 4)) & UINT32_C(0x0F0F0F0F);
    return (int)((x * UINT32_C(0x01010101) & UINT32_C(0xFFFFFFFF)) >> 24);
}"""


def _through(name: str, layers: Sequence[Layer], on_bits: bool, net: Network, sums: str) -> str:
    """Return the function that takes a row through all layers, to the net inputs of the last."""
    last = len(layers) - 1
    lines = [
        f"static void {name}_through(const {'uint32_t' if on_bits else input_type(net, 0)} *x, {sums} *z) {{"
    ]
    calls, before = [], "x"
    for k, layer in enumerate(layers):
        call = f"{name}_layer{k + 1}"
        if k == last:
            calls.append(f"    {call}({before}, z);")
            break
        here = f"h{k + 1}"
        n = words_of(layer.n_neurons) if on_bits else layer.n_neurons
        lines.append(f"    {'uint32_t' if on_bits else 'int8_t'} {here}[{n}];")
        if layer.activation == "hardmax":
            kind = _hidden_sums(layer, *_seen(net, layers, k, 1 if on_bits else largest_input(net)))
            lines += [f"    {kind} z{k + 1}[{layer.n_neurons}];", f"    int i{k + 1}, w{k + 1} = 0;"]
            i, w = f"i{k + 1}", f"w{k + 1}"
            calls += [
                f"    {call}({before}, z{k + 1});",
                f"    for ({i} = 1; {i} < {layer.n_neurons}; {i}++) if (z{k + 1}[{i}] > z{k + 1}[{w}]) {w} = {i};",
                f"    for ({i} = 0; {i} < {n}; {i}++) {here}[{i}] = 0;",
                f"    {here}[{w} >> 5] = UINT32_C(1) << ({w} & 31);" if on_bits else f"    {here}[{w}] = 1;",
            ]
        else:
            calls.append(f"    {call}({before}, {here});")
        before = here
    return "\n".join([*lines, *calls, "}"])


def _functions(net: Network, name: str, on_bits: bool, largest: int, sums: str) -> list[str]:
    """Return the functions that take a row of inputs."""
    n, m = net.n_inputs, net.n_outputs
    into, out = input_type(net, 0), output_type(net)
    bad = ""
    if net.domain == "binary":
        bad = "in[i] > 1"
    elif reads(net):
        above = "" if largest == INT64_MAX else f"in[i] > {name.upper()}_LARGEST || "
        bad = f"{above}in[i] < -{name.upper()}_LARGEST"
    admit = f"    for (i = 0; i < {n}; i++) if ({bad}) return -1;" if n and bad else ""
    declare = ["    int_fast32_t i;"] if admit else []
    declare += [] if n else ["    (void)in;"]
    if on_bits:
        words = max(1, words_of(n))
        declare.insert(0, f"    uint32_t x[{words}] = {{0}};")
        fill = [f"    for (i = 0; i < {n}; i++) x[i >> 5] |= (uint32_t)in[i] << (i & 31);"] if n else []
        row = "x"
    else:
        fill, row = [], "in"
    start = [
        *declare,
        f"    {sums} z[{m}];",
        *([admit] if admit else []),
        *fill,
        f"    {name}_through({row}, z);",
    ]

    def function(head: str, *body: str) -> str:
        return "\n".join([f"{head} {{", *start, *body, "}"])

    decide = _decide(net, "k")
    found = [
        function(
            f"int {name}(const {into} *in, {out} *out)",
            *_with_counter(decide),
            "    return 0;",
        ),
        function(
            f"int {name}_scores(const {into} *in, int64_t *out)",
            "    {",
            "        int_fast32_t k;",
            f"        for (k = 0; k < {m}; k++) out[k] = z[k];",
            "    }",
            "    return 0;",
        ),
    ]
    if net.layers[-1].activation == "hardmax":
        found.append(
            function(
                f"int {name}_class(const {into} *in)",
                "    {",
                "        int k, best = 0;",
                f"        for (k = 1; k < {m}; k++) if (z[k] > z[best]) best = k;",
                "        return best;",
                "    }",
            )
        )
    if net.domain == "binary" and net.layers[-1].activation != "identity":
        found.append(_packed(net, name, on_bits, sums))
    return found


def _with_counter(lines: Sequence[str]) -> list[str]:
    return ["    {", "        int_fast32_t k;", *(f"    {line}" for line in lines), "    }"]


def _decide(net: Network, k: str) -> list[str]:
    """Return the lines that turn net inputs into outputs."""
    m, last = net.n_outputs, net.layers[-1].activation
    if last == "heaviside":
        return [f"    for ({k} = 0; {k} < {m}; {k}++) out[{k}] = (int8_t)(z[{k}] >= 0);"]
    if last == "sign":
        return [f"    for ({k} = 0; {k} < {m}; {k}++) out[{k}] = (int8_t)((z[{k}] > 0) - (z[{k}] < 0));"]
    if last == "identity":
        return [f"    for ({k} = 0; {k} < {m}; {k}++) out[{k}] = z[{k}];"]
    return [
        "    int_fast32_t best = 0;",
        f"    for ({k} = 1; {k} < {m}; {k}++) if (z[{k}] > z[best]) best = {k};",
        f"    for ({k} = 0; {k} < {m}; {k}++) out[{k}] = (int8_t)({k} == best);",
    ]


def _packed(net: Network, name: str, on_bits: bool, sums: str) -> str:
    n, m = net.n_inputs, net.n_outputs
    words, last = words_of(n), net.layers[-1].activation
    lines = [
        f"int {name}_packed(const uint32_t *in, uint32_t *out) {{",
        f"    {sums} z[{m}];",
        "    int_fast32_t k;",
    ]
    if on_bits:
        lines.append(f"    uint32_t x[{max(1, words)}] = {{0}};")
        lines.append(f"    for (k = 0; k < {words}; k++) x[k] = in[k];" if words else "    (void)in;")
        if n % WORD:
            lines.append(f"    x[{words - 1}] &= UINT32_C(0x{(1 << n % WORD) - 1:x});")
    else:
        lines.append(f"    uint8_t x[{max(1, n)}] = {{0}};")
        lines.append(
            f"    for (k = 0; k < {n}; k++) x[k] = (uint8_t)(in[k >> 5] >> (k & 31) & 1);"
            if n
            else "    (void)in;"
        )
    lines.append(f"    {name}_through(x, z);")
    out_bits = 2 * m if last == "sign" else m
    lines.append(f"    for (k = 0; k < {words_of(out_bits)}; k++) out[k] = 0;")
    if last == "heaviside":
        lines.append(f"    for (k = 0; k < {m}; k++) if (z[k] >= 0) out[k >> 5] |= UINT32_C(1) << (k & 31);")
    elif last == "sign":
        lines += [
            f"    for (k = 0; k < {m}; k++) {{",
            "        uint32_t pair = (uint32_t)(z[k] != 0) | (uint32_t)(z[k] < 0) << 1;",
            "        out[k >> 4] |= pair << (2 * (k & 15));",
            "    }",
        ]
    else:
        lines += [
            "    {",
            "        int_fast32_t best = 0;",
            f"        for (k = 1; k < {m}; k++) if (z[k] > z[best]) best = k;",
            "        out[best >> 5] = UINT32_C(1) << (best & 31);",
            "    }",
        ]
    return "\n".join([*lines, "    return 0;", "}"])


def _row(net: Network, name: str, columns: Columns, has_labels: bool) -> str:
    """Return the function that takes a row of the table."""
    one = makes_one_decision(net)
    head = f"int {name}_row(const {name}_columns *row{'' if one else f', {output_type(net)} *out'})"
    calls = (
        [
            f"    {input_type(net, 0)} x[{net.n_inputs}];",
            *([] if net.layers[-1].activation == "hardmax" else [f"    {output_type(net)} out[1];"]),
        ]
        if one
        else [f"    {input_type(net, 0)} x[{net.n_inputs}];"]
    )
    ends = (
        [f"    return {name}_class(x);"]
        if net.layers[-1].activation == "hardmax" and one
        else [f"    if ({name}(x, out) != 0) return -1;", "    return out[0];"]
        if one
        else [f"    return {name}(x, out);"]
    )
    return "\n".join([f"{head} {{", *calls, *columns.body, *ends, "}"])


def _label_table(name: str, texts: list[str] | None) -> list[str]:
    if texts is None:
        return []
    strings = ",\n    ".join(c_string(text) for text in texts)
    return [f"const char *const {name}_labels[{len(texts)}] = {{\n    {strings}\n}};"]
