"""``limen predict`` and ``limen score``: a saved model on the rows of another table."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.files import check_writable, write_text
from limen.cli.options import MissingText, missing_texts
from limen.cli.streams import data, message, result, result_json

if TYPE_CHECKING:
    from limen.model import Model

__all__ = ["predict", "read_table", "score"]

ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A .limen file.", show_default=False)]
TableFile = Annotated[
    str,
    typer.Argument(metavar="TABLE", help="CSV, Parquet or Arrow; - is standard input.", show_default=False),
]


def predict(
    model_file: ModelFile,
    table_file: TableFile,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write. [default: standard output]"),
    ] = None,
    missing: MissingText = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of CSV.")] = False,
) -> None:
    """Predict each row of a table; write the predictions as CSV, one column for each target."""
    from limen.encoding import label_text
    from limen.export import load
    from limen.target import decisions

    output = None if output == Path("-") else output
    check_writable(output, reads=(model_file, table_file))
    model = load(model_file)
    table = read_table(model, table_file, missing)
    names = [decision.target or "prediction" for decision in decisions(model)]
    predicted = model.predict(table)
    lines = predicted.reshape(len(predicted), len(names)).tolist()
    unseen = _unseen(model, table)
    if as_json:
        content: dict[str, Any] = {"rows": len(lines), "unseen": unseen}
        if output is None:
            content["predictions"] = [dict(zip(names, row, strict=True)) for row in lines]
        else:
            content["output"] = str(output)
    if output is not None or not as_json:
        written = _as_csv([names, *([label_text(value) for value in row] for row in lines)])
        if output is None:
            data(written)
        else:
            write_text(output, written)
    if as_json:
        result_json(content)
    elif output is not None:
        message(f"{len(lines):,} predictions saved as {output}.")


def score(
    model_file: ModelFile,
    table_file: TableFile,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The column that holds the truth; several separated by commas. [default: the model's own]",
        ),
    ] = None,
    missing: MissingText = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Predict the rows of a table that holds the truth, and say how many are right."""
    from limen.cli.report import evaluation_data, evaluation_lines, rows
    from limen.evaluation import evaluate
    from limen.export import load
    from limen.target import decisions, find_columns, rows_with_truth

    model = load(model_file)
    own: list[str | None] = [decision.target for decision in decisions(model)]
    table = read_table(model, table_file, missing, truth=target)
    targets = own if target is None else [*find_columns(table, target)]
    complete = rows_with_truth(table, [name for name in targets if name and name in table.column_names])
    if len(complete) < table.num_rows:
        message(f"Note: {rows(table.num_rows - len(complete))} without the truth left out.", "yellow")
        table = table.take(complete)
    evaluations = evaluate(model, table, targets)
    unseen = _unseen(model, table)
    always = [evaluation.majority for evaluation in evaluations]
    if as_json:
        result_json({"unseen": unseen, **evaluation_data(evaluations, always)})
        return
    result(f"{', '.join(e.target for e in evaluations)}: {rows(evaluations[0].n_rows)}", "bold")
    result()
    result("\n".join(evaluation_lines(evaluations, always)))


def read_table(model: Model, path: str, missing: list[str] | None, *, truth: str | None = None) -> Any:
    """Read a table as the model takes it: what it knows as text stays text."""
    from limen.table_files import read
    from limen.target import decisions

    text = set(model.encoding.text_columns if model.encoding else ())
    for decision in decisions(model):
        if isinstance(decision.labels[0], str):
            text |= {name for name in (decision.target, truth) if name}
    return read(path, text=sorted(text), missing=missing_texts(missing))


def _unseen(model: Model, table: Any) -> dict[str, int]:
    """Return how many values the model's inputs don't stand for, by column, having said so."""
    counts = model.encoding.unseen(table) if model.encoding else {}
    for name, count in counts.items():
        message(
            f"Note: column {name!r} has {count:,} {'value' if count == 1 else 'values'} unseen in training;"
            " no input stands for them.",
            "yellow",
        )
    return counts


def _as_csv(lines: list[list[str]]) -> bytes:
    from limen.table import MISSING_TEXT

    text = io.StringIO()
    if any(cell in MISSING_TEXT for line in lines for cell in line):
        # A class that reads like "missing" is kept apart from it by its quotes.
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(lines)
    else:
        csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()
