"""``limen show``: what a saved model is and what it looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limen.cli.files import check_writable, saved
from limen.cli.options import MissingText
from limen.cli.streams import result, result_json
from limen.errors import InputError

__all__ = ["show"]

SMALL = 8  # inputs and neurons of one layer up to which every neuron is written out


def show(
    model_file: Annotated[Path, typer.Argument(metavar="MODEL", help="A .limen file.", show_default=False)],
    most: Annotated[
        int, typer.Option("--most", min=1, metavar="N", help="Inputs listed for each output.")
    ] = 10,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a picture of the network, as in net.svg.")
    ] = None,
    table_file: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="TABLE",
            help="For a points card: rows with the truth, to count what each score means.",
        ),
    ] = None,
    missing: MissingText = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show what a model decides, what it looks at or says, how large it is, and whether it is exact."""
    from limen._text import chain, listing
    from limen.cli.cards import card_data, card_lines, card_of, scores_of
    from limen.cli.judging import read_table
    from limen.cli.report import heaviest_lines, in_words, is_read, layer_lines, rule, size, used_columns
    from limen.encoding import label_text
    from limen.export import load
    from limen.target import decisions

    check_writable(svg, reads=(model_file, table_file), ending=".svg")
    model = load(model_file)
    points = card_of(model)
    scores = None
    if table_file is not None:
        if points is None:
            raise InputError(
                "--data counts what each score of a points card means, and this model isn't a card. Make one with limen"
                " card, or judge the model with limen score."
            )
        scores = scores_of(model, points, read_table(model, table_file, missing))
        if scores is None:
            raise InputError(
                f"{table_file} doesn't hold the column that the model predicts, so scores can't be judged."
            )
    files = saved(model, None, svg)
    if as_json:
        card = {"card": None if points is None else card_data(points, scores)}
        result_json(_data(model, model_file, most) | card | files)
        return
    net = model.network
    result(str(model_file), "bold")
    if model.labels is not None:
        for decision in decisions(model):
            classes = ", ".join(label_text(label) for label in decision.labels)
            result(f"Decides     {decision.target or 'one label'}: {classes}")
    if model.encoding is not None:
        result(f"Columns     {listing(used_columns(model))}")
    result(f"Network     {chain(net)}, {net.domain} inputs")
    kind = "exact, in whole numbers" if net.is_exact else "not exact: weights or inputs are floats"
    result(f"Arithmetic  {kind}")
    result(f"Size        {size(model_file.stat().st_size)}")
    lines = heaviest_lines(net, most)
    plain = all(name.replace(".", "_").isidentifier() for name in net.inputs)
    if points is not None:
        result()
        result("Points", "bold")
        result("\n".join(card_lines(model, points, scores)))
    elif net.depth > 1 and not is_read(net):
        result()
        result("Layers", "bold")
        result("\n".join(layer_lines(net)))
    elif net.depth > 1 or (plain and net.n_inputs <= SMALL and net.n_neurons <= SMALL):
        result()
        result(str(net).split("\n", 1)[1])
        words = in_words(net)
        if words:
            result()
            result("In words", "bold")
            result("\n".join(words))
    elif lines:
        result()
        result(f"Heaviest of {net.n_inputs} inputs: {rule(model)}", "bold")
        result("\n".join(lines))
    for file in files.values():
        result(f"Picture     {file['path']} ({size(file['bytes'])})")


def _data(model: Any, path: Path, most: int) -> dict[str, Any]:
    from limen.cli.report import heaviest, in_words, layers_data, used_columns
    from limen.target import decisions

    net = model.network
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "exact": net.is_exact,
        "domain": net.domain,
        "depth": net.depth,
        "neurons": net.n_neurons,
        "gates": net.n_gates,
        "inputs": net.n_inputs,
        "layers": layers_data(net),
        "in_words": in_words(net),
        "columns": list(used_columns(model)),
        "outputs": list(net.outputs),
        "decisions": None
        if model.labels is None
        else [{"target": d.target, "labels": list(d.labels)} for d in decisions(model)],
        "heaviest": [
            {"output": output, "inputs": [{"input": name, "weight": weight} for name, weight in inputs]}
            for output, inputs in heaviest(net, most)
        ],
    }
