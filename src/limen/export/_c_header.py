"""What a network in C is called and takes: its head comment and its header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import limen
from limen import _text
from limen._digest import network_digest
from limen._door import INT64_MAX
from limen._weights import absolute_sums
from limen.encoding import label_text
from limen.export._c_columns import Columns
from limen.export._c_text import require_text
from limen.export._names import commented
from limen.network import Network

__all__ = [
    "about",
    "declarations",
    "header",
    "input_type",
    "label_texts",
    "largest_input",
    "makes_one_decision",
    "output_type",
    "reads",
]


def largest_input(net: Network) -> int:
    """Return the largest size of an input for which no sum of the first layer can pass int64."""
    if net.domain == "binary":
        return 1
    first = net.layers[0]
    weights, bias = max(absolute_sums(first.weights)), max(abs(b) for b in first.bias.tolist())
    return INT64_MAX if weights == 0 else (INT64_MAX - bias) // weights


def reads(net: Network) -> bool:
    """Whether the first layer has a weight that isn't 0."""
    return max(absolute_sums(net.layers[0].weights)) > 0


def input_type(net: Network, k: int) -> str:
    if k > 0:
        return "int8_t"
    return "uint8_t" if net.domain == "binary" else "int64_t"


def output_type(net: Network) -> str:
    return "int64_t" if net.layers[-1].activation == "identity" else "int8_t"


def makes_one_decision(net: Network) -> bool:
    last = net.layers[-1].activation
    return last == "hardmax" or (last == "heaviside" and net.n_outputs == 1)


def label_texts(labels: Any) -> list[str] | None:
    """Return the labels' texts, one after the other; pairs for several decisions."""
    if labels is None:
        return None
    flat = [label for entry in labels for label in (entry if isinstance(entry, tuple) else (entry,))]
    texts = [label_text(label) for label in flat]
    for text in texts:
        require_text(text, "A label")
    return texts


def about(net: Network, name: str, columns: Columns | None) -> str:
    lines = [
        f"{name}: {_text.chain(net)}. Written by limen {limen.__version__}.",
        f"SHA-256 of the network: {network_digest(net)}.",
        "",
    ]
    lines += [f"in[{k}] is {commented(text)}" for k, text in enumerate(net.inputs)]
    lines += [f"out[{k}] is {commented(text)}" for k, text in enumerate(net.outputs)]
    lines += [] if columns is None else columns.about
    return "/*\n" + "\n".join(f" * {line}".rstrip() for line in lines) + "\n */"


def declarations(net: Network, name: str, columns: Columns | None, labels: list[str] | None) -> list[str]:
    into, out = input_type(net, 0), output_type(net)
    upper, largest = name.upper(), largest_input(net)
    lines = [f"#define {upper}_INPUTS {net.n_inputs}", f"#define {upper}_OUTPUTS {net.n_outputs}"]
    if net.domain == "integer" and reads(net):
        lines += [
            "/* The largest size of an input for which no sum can pass int64. */",
            f"#define {upper}_LARGEST INT64_C({largest})",
        ]
    lines += [
        "",
        "/* All return -1 where an input is outside the domain; then nothing was written. */",
        f"int {name}(const {into} *in, {out} *out);",
        f"int {name}_scores(const {into} *in, int64_t *out);",
    ]
    if net.layers[-1].activation == "hardmax":
        lines.append(f"int {name}_class(const {into} *in);")
    if net.domain == "binary" and net.layers[-1].activation != "identity":
        lines += [
            "",
            "/* Bit j is bit j % 32 of word j / 32; what lies beyond the last input is ignored. A sign is two bits:",
            " * whether it isn't 0, and whether it is -1. */",
            f"int {name}_packed(const uint32_t *in, uint32_t *out);",
        ]
    if columns is not None:
        ends = "" if makes_one_decision(net) else f", {out} *out"
        returns = "/* Returns the number of the decision. */" if makes_one_decision(net) else ""
        lines += [
            "",
            columns.struct,
            *([returns] if returns else []),
            f"int {name}_row(const {name}_columns *row{ends});",
        ]
    if labels is not None:
        lines.append(f"extern const char *const {name}_labels[{len(labels)}];")
    return lines


def header(name: str, about: str, declared: Sequence[str]) -> str:
    guard = f"LIMEN_{name}_H"
    return "\n".join(
        [
            about,
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            "#include <stdint.h>",
            "",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            *declared,
            "",
            "#ifdef __cplusplus",
            "}",
            "#endif",
            "",
            "#endif",
            "",
        ]
    )
