"""What the commands print: evaluations and weights as lines of text, and the same as plain data for JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from limen._text import MINUS, TERMS, number, plural
from limen.cli.streams import width
from limen.encoding import label_text
from limen.evaluation import Evaluation, all_right
from limen.model import Model
from limen.network import Layer, Network
from limen.step import COUPLED, Array

__all__ = [
    "confusion_lines",
    "evaluation_data",
    "evaluation_lines",
    "heaviest",
    "heaviest_lines",
    "in_words",
    "is_read",
    "layer_lines",
    "layers_data",
    "percent",
    "rows",
    "rule",
    "score_lines",
    "size",
    "used_columns",
    "weight_text",
    "weights_line",
]

OUTPUTS = 12  # outputs whose weights are listed before the rest is only counted
LABEL = 24  # characters of a class before it is cut in a table
SMALL = 8  # neurons up to which every one is written out, however many inputs it has
MOST_READ = 64  # neurons and inputs of a network that is read back in words
CONFUSIONS = 10  # lines where the whole table has no room


def percent(share: float) -> str:
    """Return a share as people read it, never rounded up to 100 % nor down to 0 %.

    Examples
    --------
    >>> percent(0.9583), percent(0.99999), percent(1.0)
    ('95.8 %', '99.9 %', '100 %')
    """
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    tenths = min(max(round(share * 1000), 1), 999)
    return f"{tenths / 10:.1f} %"


def rows(n: int) -> str:
    """Return ``1 row``, ``3,000 rows``."""
    return f"{n:,} {'row' if n == 1 else 'rows'}"


def size(n_bytes: int) -> str:
    """Return ``7,412 bytes``."""
    return f"{n_bytes:,} {'byte' if n_bytes == 1 else 'bytes'}"


def used_columns(model: Model) -> tuple[str, ...]:
    """Return the columns of a table that a model looks at."""
    return model.network.inputs if model.encoding is None else model.encoding.used_columns


# Evaluations --------------------------------------------------------------------------------------------------


def evaluation_lines(
    evaluations: Sequence[Evaluation], always: Sequence[int], *, said: str = "always {label}"
) -> list[str]:
    """Return accuracy and balanced accuracy beside that of always giving one answer, and what was confused.

    Parameters
    ----------
    evaluations : sequence of Evaluation
    always : sequence of int
        For each, the position of the class that the simplest rule would always give.
    said : str
        What to call that rule.
    """
    if len(evaluations) > 1:
        return _several_lines(evaluations, always)
    (evaluation,), (position,) = evaluations, always
    rule = said.format(label=repr(label_text(evaluation.labels[position])))
    lines = [
        f"Accuracy           {percent(evaluation.accuracy):>7}   ({rule}: {percent(evaluation.always(position))})",
        f"Balanced accuracy  {percent(evaluation.balanced_accuracy):>7}",
        "",
        *confusion_lines(evaluation),
    ]
    if evaluation.n_unknown:
        lines.append(f"and {rows(evaluation.n_unknown)} of classes the model doesn't know (wrong)")
    return lines


def confusion_lines(evaluation: Evaluation) -> list[str]:
    """Return the confusion table, or the most frequent confusions where the table has no room."""
    names = [_cut(label_text(label)) for label in evaluation.labels]
    counts = evaluation.confusion
    table = [[name, *map(str, row)] for name, row in zip(names, counts.tolist(), strict=True)]
    lines = _aligned([["true ↓  predicted →", *names], *table])
    if _width(lines[0]) <= width():
        return lines
    wrong = [(int(counts[i, j]), names[i], names[j]) for i, j in np.argwhere(counts) if i != j]
    wrong.sort(key=lambda entry: -entry[0])
    shown = [[true, predicted, str(count)] for count, true, predicted in wrong[:CONFUSIONS]]
    lines = _aligned([["true", "predicted", "rows"], *shown], left=2)
    if len(wrong) > CONFUSIONS:
        lines.append(f"… and {plural(len(wrong) - CONFUSIONS, 'more pair')}")
    return lines if wrong else ["No class was taken for another."]


def _several_lines(evaluations: Sequence[Evaluation], always: Sequence[int]) -> list[str]:
    table = []
    head = ["output", "accuracy", "always the same", "balanced", "missed", "false alarms"]
    for evaluation, position in zip(evaluations, always, strict=True):
        counts = evaluation.confusion
        table.append(
            [
                _cut(evaluation.target),
                percent(evaluation.accuracy),
                percent(evaluation.always(position)),
                percent(evaluation.balanced_accuracy),
                f"{counts[1, 0]} of {counts[1].sum()}",
                f"{counts[0, 1]} of {counts[0].sum()}",
            ]
        )
    return [*_aligned([head, *table]), "", f"All outputs right  {percent(all_right(evaluations)):>7}"]


def evaluation_data(evaluations: Sequence[Evaluation], always: Sequence[int]) -> dict[str, Any]:
    """Return the same as plain data."""
    decisions = [
        {
            "target": evaluation.target,
            "accuracy": evaluation.accuracy,
            "balanced_accuracy": evaluation.balanced_accuracy,
            "baseline": {"label": evaluation.labels[position], "accuracy": evaluation.always(position)},
            "labels": list(evaluation.labels),
            "confusion": evaluation.confusion.tolist(),
            "rows_of_unknown_class": evaluation.n_unknown,
        }
        for evaluation, position in zip(evaluations, always, strict=True)
    ]
    return {"rows": evaluations[0].n_rows, "all_right": all_right(evaluations), "decisions": decisions}


# Weights ------------------------------------------------------------------------------------------------------


def rule(model: Model) -> str:
    """Return how the weights decide, in words."""
    network = model.network
    last = network.layers[-1]
    if last.activation in COUPLED:
        return "the class with the largest sum wins"
    if network.n_outputs > 1 or last.activation != "heaviside":
        return "each fires if the weights of what holds reach its number"
    said = network.outputs[0] if model.labels is None else label_text(model.labels[1])  # type: ignore[arg-type]
    return f"{said} if the weights of what holds reach {sum_text(-last.bias[0].item())}"


def heaviest(network: Network, most: int) -> list[tuple[str, list[tuple[str, float]]]]:
    """Return each output's inputs with the largest weights, heaviest first; none for a network of layers."""
    if network.depth > 1:
        return []
    weights = network.layers[0].dense()
    found = []
    for k, output in enumerate(network.outputs):
        column = weights[:, k]
        order = np.argsort(-np.abs(column.astype(np.float64)), kind="stable")[:most]
        found.append((output, [(network.inputs[i], column[i].item()) for i in order if column[i] != 0]))
    return found


def heaviest_lines(network: Network, most: int, shares: Array | None = None) -> list[str]:
    """Return the heaviest inputs as lines, with a heading for each output where there are several.

    Parameters
    ----------
    network : Network
    most : int
        Inputs listed for each output.
    shares : ndarray of shape (n_inputs,), optional
        The share of rows in which each input is 1, to be listed beside its weight.
    """
    lines: list[str] = []
    listed = heaviest(network, most)
    place = {name: position for position, name in enumerate(network.inputs)}
    head = ["weight", "input"] if shares is None else ["weight", "holds in", "input"]
    coupled = network.layers[0].activation in COUPLED
    for k, (output, inputs) in enumerate(listed[:OUTPUTS]):
        if len(listed) > 1:
            bias = network.layers[0].bias[k].item()
            start = f"starts at {sum_text(bias)}" if coupled else f"fires at {sum_text(-bias)}"
            lines += [""] * bool(lines) + [f"{output} ({start})"]
        cells = [[weight_text(weight), name] for name, weight in inputs]
        if shares is not None:
            cells = [[weight, percent(shares[place[name]]), name] for weight, name in cells]
        if cells:
            lines += _aligned([head, *cells], left=0, last_left=True)
        else:
            lines.append("no input: it always gives the same answer")
    if len(listed) > OUTPUTS:
        lines += ["", f"… and {plural(len(listed) - OUTPUTS, 'more output')}"]
    return lines


def weights_line(network: Network) -> str:
    """Return how many weights a network of layers has that aren't 0, and which.

    Examples
    --------
    >>> from limen import Layer
    >>> weights_line(Network([Layer([[1, -1], [1, 1]], [0, 0]), Layer([[7], [-3]], [0])]))
    '6: −1 and +1; in the last layer −3 and +7'
    """
    *hidden, last = (_weights(layer) for layer in network.layers)
    n, n_zeros = 0, 0
    for layer, weights in zip(network.layers, (*hidden, last), strict=True):
        n, n_zeros = n + len(weights), n_zeros + layer.n_inputs * layer.n_neurons - len(weights)
    text = f"{n:,} that aren't 0" if n_zeros else f"{n:,}"
    before = f"{_range(np.concatenate(hidden), weight_text)}; in the last layer " if hidden else ""
    return f"{text}: {before}{_range(last, weight_text)}"


def layer_lines(network: Network) -> list[str]:
    """Return a line for each layer: its neurons, its weights that aren't 0, and where their sums fire or start."""
    table = [["layer", "neurons", "weights", "which", ""]]
    for k, layer in enumerate(network.layers, start=1):
        weights = _weights(layer)
        fires = layer.activation == "heaviside"
        ends = (
            f"fires at {_range(-layer.bias, sum_text)}"
            if fires
            else f"starts at {_range(layer.bias, sum_text)}"
        )
        neurons = f"{layer.n_neurons:,} {layer.activation}"
        table.append([str(k), neurons, f"{len(weights):,}", _range(weights, weight_text), ends])
    return _aligned(table, last_left=True)


def layers_data(network: Network) -> list[dict[str, Any]]:
    """Return the same as plain data."""
    found = []
    for layer in network.layers:
        weights = _weights(layer)
        least, largest = (weights.min().item(), weights.max().item()) if len(weights) else (None, None)
        entry = {"neurons": layer.n_neurons, "activation": layer.activation, "weights": len(weights)}
        found.append({**entry, "least": least, "largest": largest})
    return found


def is_read(network: Network) -> bool:
    """Return whether a network is so small, or its sums so short, that a person reads it neuron by neuron."""
    n_weights = sum(len(_weights(layer)) for layer in network.layers)
    return network.n_neurons <= SMALL or n_weights <= TERMS * network.n_neurons


def _weights(layer: Layer) -> Array:
    """Return the weights of a layer that aren't 0."""
    weights = layer.weights.data if hasattr(layer.weights, "indptr") else layer.weights
    found: Array = weights[weights != 0]
    return found


def _range(values: Array, text: Callable[[Any], str]) -> str:
    """Return the values that occur, or from where to where they go."""
    found = np.unique(values).tolist()
    if len(found) <= 2:
        return " and ".join(map(text, found)) or "none"
    return f"{text(found[0])} to {text(found[-1])}"


def weight_text(weight: float) -> str:
    """Return a weight with its sign.

    Examples
    --------
    >>> weight_text(1248310), weight_text(-0.5)
    ('+1,248,310', '−0.5')
    """
    return ("+" if weight > 0 else "") + sum_text(weight)


def sum_text(value: float) -> str:
    """Return a threshold or a sum of weights, with commas between thousands."""
    return f"{value:,}".replace("-", MINUS) if isinstance(value, int) else number(value)


def in_words(network: Network) -> list[str]:
    """Return what neurons say, unless all of it stands in `str` of the network already."""
    from limen.errors import NotExactError
    from limen.logic import rules

    if network.n_neurons > MOST_READ or network.n_inputs > MOST_READ or not is_read(network):
        return []
    try:
        read = rules(network)
    except NotExactError:
        return []
    sums = set(str(network).splitlines())
    return [] if sums.issuperset(read.lines) else list(read.lines)


def score_lines(scores: Sequence[Any], output: str) -> list[str]:
    """Return how many rows reach each number of points, and the share of positives among them."""
    cells = [[f"{s.points:,}", f"{s.n_rows:,}", percent(s.share)] for s in scores]
    return _aligned([["points", "rows", output], *cells], left=0)


# Tables of text -----------------------------------------------------------------------------------------------


def _aligned(table: Sequence[Sequence[str]], *, left: int = 1, last_left: bool = False) -> list[str]:
    """Return rows of text as lines, the first `left` columns (and the last) flush left, the others right."""
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [
            cell + " " * (room - _width(cell))
            if k < left or (last_left and k == len(widths) - 1)
            else " " * (room - _width(cell)) + cell
            for k, (cell, room) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    """Return how many columns a text takes in a terminal; East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"
