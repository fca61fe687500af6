"""``limen card``: a neuron as a points card that people can add up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.files import check_writable, saved
from limen.cli.options import MissingText
from limen.cli.progress import waiting
from limen.cli.streams import message, result, result_json
from limen.errors import InputError

if TYPE_CHECKING:
    from limen.answer import Answer
    from limen.logic.card import PointsCard, Score
    from limen.model import Model

__all__ = ["card", "card_data", "card_lines", "card_of", "scores_of"]

MOST_ITEMS = 40  # items up to which a model is shown as a card; of more, the rest is only counted


def card(
    model_file: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A .limen file that decides between two classes.", show_default=False
        ),
    ],
    table_file: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE",
            help="Rows on which the decisions must stay: fewer and smaller points. [default: every possible input]",
            show_default=False,
        ),
    ] = None,
    max_points: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The most points an item may give, even if decisions change."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Save the card as a model.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How long to look.")] = 10.0,
    missing: MissingText = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Make a points card of a model: the smallest whole points that decide as it does."""
    from limen.export import load
    from limen.logic import points_card, small_integers

    check_writable(output, reads=(model_file, table_file))
    model = load(model_file)
    _must_be_one_neuron(model)
    table = None
    if table_file is not None:
        from limen.cli.judging import read_table

        table = read_table(model, table_file, missing)
    rows = None if table is None else model.encode(table)
    with waiting(f"Looking for the fewest points, {time_limit:g} s at most"):
        answer = small_integers(model.network, rows, max_weight=max_points, time_limit=time_limit)
    if answer.network is None:
        raise InputError(f"{answer.says} Raise --time-limit. Received: {time_limit:g} seconds.")
    small = type(model)(answer.network, model.encoding, model.labels)
    points = points_card(answer.network)
    scores = None if table is None else scores_of(small, points, table)
    files = saved(small, output, None)
    if as_json:
        result_json(_data(answer, points, scores) | files)
        return
    result("\n".join(card_lines(small, points, scores)))
    result()
    result(answer.says)
    for file in files.values():
        message(f"Card saved as {file['path']} ({file['bytes']:,} bytes).")


def _must_be_one_neuron(model: Model) -> None:
    net = model.network
    if net.depth != 1 or net.n_outputs != 1 or net.layers[0].activation != "heaviside":
        from limen._text import chain

        raise InputError(
            f"A points card is made of a model that is one neuron, for two classes. Received: {chain(net)}."
        )


def card_of(model: Model) -> PointsCard | None:
    """Return a model as the card that it is, or None if it isn't one."""
    from limen.logic import points_card

    net = model.network
    layer = net.layers[0]
    if net.depth > 1 or net.n_outputs > 1 or net.domain != "binary" or not net.is_exact:
        return None
    if layer.activation != "heaviside" or model.encoding is None:
        return None
    points = points_card(net)
    return points if 0 < len(points.items) <= MOST_ITEMS else None


def scores_of(model: Model, points: PointsCard, table: Any) -> tuple[Score, ...] | None:
    """Return each score's rows and positives, if the table holds the truth."""
    from limen.cli.report import rows
    from limen.table import column_names, columns
    from limen.target import class_positions, decisions, rows_with_truth

    (decision,) = decisions(model)
    if decision.target is None or decision.target not in (column_names(table) or ()):
        return None
    table = table.take(rows_with_truth(table, [decision.target]))
    truth = class_positions(columns(table, [decision.target])[decision.target], decision.labels)
    known = truth >= 0
    if not known.all():
        message(
            f"Note: {rows(int((~known).sum()))} of classes that the model doesn't know left out.", "yellow"
        )
        table, truth = table.take(known.nonzero()[0]), truth[known]
    return points.scores(model.encode(table), truth == 1)


def card_lines(model: Model, points: PointsCard, scores: tuple[Score, ...] | None) -> list[str]:
    """Return a card, and below it each score's share of positives."""
    from limen._text import plural
    from limen.cli.report import score_lines

    *items, rule = str(points).splitlines()
    if len(items) > MOST_ITEMS:
        items = [*items[:MOST_ITEMS], f"… and {plural(len(items) - MOST_ITEMS, 'more item')}"]
    lines = [*items, rule]
    if scores is not None:
        lines += ["", *score_lines(scores, points.output)]
    return lines


def _data(answer: Answer, points: PointsCard, scores: tuple[Score, ...] | None) -> dict[str, Any]:
    return {
        "verdict": answer.verdict,
        "says": answer.says,
        "bounds": None if answer.bounds is None else list(answer.bounds),
        "changes": None if answer.changes is None else list(answer.changes),
        **card_data(points, scores),
    }


def card_data(points: PointsCard, scores: tuple[Score, ...] | None) -> dict[str, Any]:
    """Return a card, and each score's rows, as plain data."""
    return {
        "items": [{"input": name, "holds": holds, "points": number} for name, holds, number in points.items],
        "threshold": points.threshold,
        "most": points.most,
        "scores": None
        if scores is None
        else [{"points": s.points, "rows": s.n_rows, "positive": s.n_positive} for s in scores],
    }
