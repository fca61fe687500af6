"""``limen logic``: formulas as truth tables, neurons, files and pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from limen.cli.files import check_writable, saved
from limen.cli.progress import waiting
from limen.cli.report import in_words
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
    one_neuron: Annotated[
        bool,
        typer.Option(
            "--one-neuron",
            help="Say whether a single neuron does it: the smallest one, or rows that show why not.",
        ),
    ] = False,
    fewest: Annotated[
        bool, typer.Option("--fewest", help="Build it from as few neurons as can be found; one formula only.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Save the network, as in net.limen.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a picture of the network, as in net.svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Turn formulas into neurons: print the truth table, and when each neuron fires, in numbers and in words."""
    check_writable(output)
    check_writable(svg, ending=".svg")
    named = _named(formulas, name or [])
    if one_neuron and fewest:
        raise InputError(
            "Give --one-neuron or --fewest, not both: the one asks a question, the other builds."
        )
    if one_neuron:
        _one_neuron(named, output, svg, as_json)
        return
    net = _fewest(named) if fewest else _network(named)
    table = _table(net)
    files = saved(net, output, svg)
    if as_json:
        result_json(_data(net, table) | files)
        return
    if table is not None:
        result(str(table))
        result()
    result(str(net))
    words = in_words(net)
    if words:
        result()
        result("In words", "bold")
        result("\n".join(words))
    _say_saved(files)


def _named(texts: list[str], names: list[str]) -> dict[str, Any]:
    """Return a formula for each name."""
    from limen.logic import parse

    texts = [sys.stdin.read() if text == "-" else text for text in texts]
    if names and len(names) != len(texts):
        raise InputError(f"Give --name once for each of the {len(texts)} formulas. Received: {len(names)}.")
    if not names:
        names = ["y"] if len(texts) == 1 else [f"y{k + 1}" for k in range(len(texts))]
    if len(set(names)) < len(names):
        raise InputError(f"Outputs need names of their own. Received: {', '.join(names)}.")
    return {name: parse(text) for name, text in zip(names, texts, strict=True)}


def _network(named: dict[str, Any]) -> Any:
    from limen.logic import network

    return network(named)


def _fewest(named: dict[str, Any]) -> Any:
    from limen import Network
    from limen.logic import synthesize

    if len(named) > 1:
        raise InputError(f"--fewest builds one formula at a time. Received: {len(named)} formulas.")
    ((name, formula),) = named.items()
    with waiting("Looking for few neurons"):
        net = synthesize(formula)
    return Network(net.layers, net.inputs, [name], net.domain)


def _one_neuron(named: dict[str, Any], output: Path | None, svg: Path | None, as_json: bool) -> None:
    """Print for each formula whether one neuron computes it, and why or why not."""
    from dataclasses import replace

    from limen.logic.asked import asked
    from limen.logic.threshold import SECONDS, decide

    if (output or svg) and len(named) > 1:
        raise InputError(f"One neuron is saved at a time. Received: {len(named)} formulas.")
    with waiting("Deciding"):
        answers = {
            name: decide(replace(asked(formula), output=name), least=True, time_limit=SECONDS)
            for name, formula in named.items()
        }
    if (output or svg) and not all(answer.is_proved for answer in answers.values()):
        raise InputError(f"There is no single neuron to save. {next(iter(answers.values())).says}")
    files = saved(next(iter(answers.values())).network, output, svg) if output or svg else {}
    if as_json:
        result_json({"one_neuron": {name: _answer_data(answer) for name, answer in answers.items()}} | files)
        return
    for k, answer in enumerate(answers.values()):
        if k:
            result()
        result(str(answer))
    _say_saved(files)


def _answer_data(answer: Any) -> dict[str, Any]:
    proof, net = answer.certificate, answer.network
    return {
        "verdict": answer.verdict,
        "says": answer.says,
        "bounds": None if answer.bounds is None else list(answer.bounds),
        "unique": answer.unique,
        "inputs": list(net.inputs if net is not None else proof.inputs if proof is not None else ()),
        "weights": None if net is None else net.layers[0].dense()[:, 0].tolist(),
        "threshold": None if net is None else -net.layers[0].bias[0].item(),
        "certificate": None
        if proof is None
        else {
            "firing": [
                {"row": row, "count": count}
                for row, count in zip(proof.firing.tolist(), proof.firing_counts, strict=True)
            ],
            "resting": [
                {"row": row, "count": count}
                for row, count in zip(proof.resting.tolist(), proof.resting_counts, strict=True)
            ],
        },
    }


def _say_saved(files: dict[str, dict[str, Any]]) -> None:
    for kind, file in files.items():
        result(f"{kind.capitalize()} saved as {file['path']} ({file['bytes']:,} bytes).")


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
