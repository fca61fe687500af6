"""``limen run``: a saved model compiled for this processor, on a table of any size."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from limen.cli.files import check_writable
from limen.cli.options import MissingText, missing_texts
from limen.cli.streams import is_terminal, message, result_json

if TYPE_CHECKING:
    from limen.model import Model

__all__ = ["run"]

EVERY = 0.5  # seconds between two lines of progress


def run(
    model_file: Annotated[Path, typer.Argument(metavar="MODEL", help="A .limen file.", show_default=False)],
    table_file: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="CSV, Parquet or Arrow; - is standard input.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write. [default: standard output]"),
    ] = None,
    missing: MissingText = None,
    n_jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", help="Threads; -1 for all processors.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was measured as JSON; needs --output.")
    ] = False,
) -> None:
    """Predict a table of any size with a model compiled to bits, and say how many rows a second that was.

    The predictions are those of limen predict. The table is read in parts, so that it needn't fit into memory.
    """
    from limen import bits
    from limen.errors import InputError
    from limen.export import load

    output = None if output == Path("-") else output
    if as_json and output is None:
        raise InputError(
            "--json prints what was measured, so the predictions need a file: give --output FILE."
        )
    check_writable(output, reads=(model_file, table_file))
    model = load(model_file)
    program = bits.compile(model)
    started = time.perf_counter()
    n_rows, computing = 0, 0.0
    with _written(output) as file:
        for lines, seconds, count in _predicted(model, program, table_file, missing, n_jobs):
            file.write(lines)
            n_rows, computing = n_rows + count, computing + seconds
        file.flush()
    took = time.perf_counter() - started
    if as_json:
        result_json(
            {
                "rows": n_rows,
                "seconds": took,
                "seconds_of_predicting": computing,
                "how": program.plan.how,
                "output": str(output),
            }
        )
        return
    where = "" if output is None else f" saved as {output}"
    message(
        f"{n_rows:,} predictions{where} in {took:.2f} s: {n_rows / took:,.0f} rows a second, read and written;"
        f" predicting alone {n_rows / max(computing, 1e-9):,.0f} ({program.plan.how})."
    )


def _predicted(
    model: Model, program: Any, path: str, missing: list[str] | None, n_jobs: int
) -> Iterator[tuple[bytes, float, int]]:
    """Yield CSV lines for each part of a table, the seconds that predicting took, and the rows."""
    import numpy as np

    from limen.encoding import label_text
    from limen.errors import InputError
    from limen.table import MISSING_TEXT
    from limen.table_files import read_in_parts
    from limen.target import decisions

    names = [decision.target or "prediction" for decision in decisions(model)]
    texts = [label_text(label) for decision in decisions(model) for label in decision.labels]
    quoted = any(text in MISSING_TEXT for text in [*texts, *names])
    show = _progress()
    done, head = 0, _csv_line(names, quoted)
    for part in read_in_parts(path, kinds=_kinds(model), missing=missing_texts(missing)):
        if part.num_rows == 0:
            continue
        if done == 0:  # what is loaded when it is first needed isn't predicting
            program.predict(part.slice(0, 1))
        start = time.perf_counter()
        predicted = program.predict(part, n_jobs=n_jobs)
        seconds = time.perf_counter() - start
        columns = predicted.reshape(len(predicted), len(names)).T
        as_text = [_as_text(np.asarray(column), label_text, quoted) for column in columns]
        joined = as_text[0] if len(as_text) == 1 else [",".join(row) for row in zip(*as_text, strict=True)]
        done += part.num_rows
        show(done)
        yield head + ("\n".join(joined) + "\n").encode(), seconds, part.num_rows
        head = b""
    show(None)
    if done == 0:
        raise InputError(f"{path} has names but no rows. Give a table with at least one row.")


def _as_text(column: Any, label_text: Any, quoted: bool) -> list[str]:
    """Return predictions as cells of CSV, each different one written only once."""
    import numpy as np

    if column.dtype == object:  # labels of several types
        return [_cell(label_text(value), quoted) for value in column.tolist()]
    found, places = np.unique(column, return_inverse=True)
    cells = [_cell(label_text(value), quoted) for value in found.tolist()]
    cell_of: list[str] = np.array(cells, dtype=object)[places].tolist()
    return cell_of


def _csv_line(names: list[str], quoted: bool) -> bytes:
    return (",".join(_cell(name, quoted) for name in names) + "\n").encode()


def _cell(text: str, quoted: bool) -> str:
    """Return a cell of CSV; all are in quotes where some would read as missing without."""
    if quoted or any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _kinds(model: Model) -> dict[str, str]:
    """Return the Arrow types to read a model's columns with, so that all parts of a table have the same."""
    from limen.encoding import Categories, Thresholds

    if model.encoding is None:
        return {}
    kinds = {}
    for rule in model.encoding.rules:
        if isinstance(rule, Thresholds):
            whole = any(isinstance(cut, int) and abs(cut) > 2**53 for cut in rule.cuts)
            kinds[rule.column] = "int64" if whole else "double"
        elif isinstance(rule, Categories) and rule.kind in ("text", "boolean"):
            kinds[rule.column] = "string" if rule.kind == "text" else "bool"
    return kinds


def _progress() -> Any:
    """Return what shows how many rows were done, where a person looks; called with None, it clears the line."""
    if not is_terminal(sys.stderr):
        return lambda done: None
    started = last = time.perf_counter()

    def show(done: int | None) -> None:
        nonlocal last
        now = time.perf_counter()
        if done is None:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        elif now - last > EVERY:
            last = now
            print(
                f"\r\033[K{done:,} rows, {done / (now - started):,.0f} a second",
                end="",
                file=sys.stderr,
                flush=True,
            )

    return show


@contextmanager
def _written(path: Path | None) -> Iterator[BinaryIO]:
    """Give what to write to: standard output, or a file that is there only once it is whole."""
    if path is None:
        yield sys.stdout.buffer
        return
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now
