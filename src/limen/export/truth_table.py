"""A network's truth table as text: for reading, for a spreadsheet, for a page."""

from __future__ import annotations

import csv
import io
import re
from typing import Literal

import numpy as np

from limen.errors import InputError
from limen.export._admission import binary_network
from limen.model import Model
from limen.network import Network

__all__ = ["to_truth_table"]

MOST_INPUTS = 20


def to_truth_table(
    net: Network | Model,
    *,
    format: Literal["text", "csv", "markdown"] = "text",  # noqa: A002  # the field's own word
) -> str:
    """Return all rows of a network on bits, and what it says to each, as text.

    Rows stand in truth-table order: row r gives the inputs the binary digits of r, the first input the most significant.

    Parameters
    ----------
    net : Network or Model
        Exact and on bits, of up to 20 inputs.
    format : {"text", "csv", "markdown"}
        Aligned columns, comma-separated values, or a Markdown table.

    Returns
    -------
    str

    Raises
    ------
    InputError
        Too many inputs, another format, or a network that isn't on bits.
    NotExactError
        Floats or smooth activations.

    Examples
    --------
    >>> from limen import Layer, Network, export
    >>> print(export.to_truth_table(Network(Layer([[1], [1]], [-2]), ["a", "b"], ["both"], domain="binary")), end="")
    a b  both
    0 0  0
    0 1  0
    1 0  0
    1 1  1
    """
    network = binary_network(net, "A truth table")
    if format not in ("text", "csv", "markdown"):
        raise InputError(f"format must be 'text', 'csv' or 'markdown'. Received: {format!r}.")
    n = network.n_inputs
    if n > MOST_INPUTS:
        raise InputError(
            f"A truth table is written for up to {MOST_INPUTS} inputs. Received: {n}, which have 2**{n} rows; limen.bits"
            " makes such a table as bits: bits.compile(net).truth_table()."
        )
    rows = np.arange(1 << n)[:, np.newaxis] >> np.arange(n)[::-1] & 1
    table = np.concatenate([rows, network(rows)], axis=1).tolist()
    names = [*network.inputs, *network.outputs]
    if format == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(table)
        return out.getvalue()
    safe = [name.replace("\n", " ") for name in names]
    if format == "markdown":
        head = ["| " + " | ".join(re.sub(r"[\\`*<\[|&]", r"\\\g<0>", name) for name in safe) + " |"]
        head.append("| " + " | ".join("---:" for _ in names) + " |")
        return "\n".join([*head, *("| " + " | ".join(map(str, row)) + " |" for row in table)]) + "\n"
    wide = [
        max(len(name), *(len(str(v)) for v in column))
        for name, column in zip(safe, zip(*table, strict=True), strict=True)
    ]

    def line(cells: list[str]) -> str:
        padded = [cell.ljust(width) for cell, width in zip(cells, wide, strict=True)]
        return "  ".join([" ".join(padded[:n]), " ".join(padded[n:])]).strip()

    return "\n".join([line(safe), *(line([str(value) for value in row]) for row in table)]) + "\n"
