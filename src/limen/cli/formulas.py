"""``limen logic``: formulas as truth tables, neurons, files and pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from limen.cli.files import check_writable, saved
from limen.cli.streams import result, result_json
from limen.errors import InputError

__all__ = ["logic"]

TABLE_INPUTS = 8  # inputs up to which the truth table is printed: 256 rows


def logic(
    formulas: Annotated[
        list[str],
        typer.Argument(
            metavar="FORMULA",
            show_default=False,
            help="For instance 'a and not b', 'at_least(2, a, b, c)' or '\"age >= 35\" xor b'; - reads one from"
            " standard input. Several become one network with an output each.",
        ),
    ],
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What to call the output; once for each formula. [default: y]"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Save the network, as in net.limen.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a picture of the network, as in net.svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Turn formulas into neurons: print the truth table and when each neuron fires."""
    check_writable(output)
    check_writable(svg, ending=".svg")
    net = _network(formulas, name or [])
    table = _table(net)
    files = saved(net, output, svg)
    if as_json:
        result_json(_data(net, table) | files)
        return
    if table is not None:
        result(str(table))
        result()
    result(str(net))
    for kind, file in files.items():
        result(f"{kind.capitalize()} saved as {file['path']} ({file['bytes']:,} bytes).")


def _network(texts: list[str], names: list[str]) -> Any:
    from limen.logic import network, parse

    texts = [sys.stdin.read() if text == "-" else text for text in texts]
    if names and len(names) != len(texts):
        raise InputError(f"Give --name once for each of the {len(texts)} formulas. Received: {len(names)}.")
    if not names:
        names = ["y"] if len(texts) == 1 else [f"y{k + 1}" for k in range(len(texts))]
    if len(set(names)) < len(names):
        raise InputError(f"Outputs need names of their own. Received: {', '.join(names)}.")
    return network({name: parse(text) for name, text in zip(names, texts, strict=True)})


def _table(net: Any) -> Any:
    from limen.logic import truth_table

    return truth_table(net) if net.n_inputs <= TABLE_INPUTS else None


def _data(net: Any, table: Any) -> dict[str, Any]:
    import numpy as np

    return {
        "inputs": list(net.inputs),
        "outputs": list(net.outputs),
        "truth_table": None if table is None else np.asarray(table).astype(int).tolist(),
        "neurons": net.n_neurons,
        "gates": net.n_gates,
        "depth": net.depth,
        "layers": [
            {
                "activation": layer.activation,
                "weights": layer.dense().tolist(),
                "bias": layer.bias.tolist(),
            }
            for layer in net.layers
        ],
    }
