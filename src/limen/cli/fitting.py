"""``limen fit``: learn a model from a table, judge it by rows held out, save it."""

from __future__ import annotations

import shlex
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli import hidden as deep
from limen.cli.files import check_writable, saved
from limen.cli.interrupts import insistent
from limen.cli.memory import is_large
from limen.cli.options import MissingText, missing_texts
from limen.cli.progress import progress, waiting
from limen.cli.streams import message, result, result_json
from limen.errors import FileError, InputError

if TYPE_CHECKING:
    from limen.learn.stream_trial import Parts
    from limen.learn.trial import Classifier, Trial

__all__ = ["fit"]


class Solution(StrEnum):
    """Which weights are kept."""

    average = "average"
    last = "last"
    pocket = "pocket"


def fit(
    context: typer.Context,
    table_file: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="CSV, Parquet or Arrow; - is standard input.", show_default=False
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            "--target",
            "-t",
            metavar="COLUMN",
            help="The column to predict. Several, separated by commas, are learned at once, each with two"
            " classes.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to save the model. [default: TABLE's name.limen, here]",
        ),
    ] = None,
    test_size: Annotated[
        float,
        typer.Option(min=0, metavar="SIZE", help="Rows to hold out: a share, or how many; 0 for none."),
    ] = 0.25,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same seed, the same model.")] = 0,
    thresholds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Most cut points of a column of numbers.")
    ] = 8,
    categorical: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Take its numbers as categories; may be repeated."),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Leave a column out, such as an id; may be repeated."),
    ] = None,
    drop_missing_target: Annotated[
        bool, typer.Option("--drop-missing-target", help="Leave out rows without a target.")
    ] = False,
    missing: MissingText = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,…",
            help="Learn a network with hidden layers of so many neurons, as in 64,64. Keras trains it (the extra keras);"
            " the table must fit into memory. Ctrl-C saves the best network so far.",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        deep.Weights,
        typer.Option(
            help="With --hidden: the weights of hidden neurons. -1 and 1; -1, 0 and 1; whole numbers up to 7; up to 127."
        ),
    ] = deep.Weights.binary,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="With --hidden: most passes over the rows. [default: as many as make 2,000 steps of training, but from 30 to 500]",
            show_default=False,
        ),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="With --hidden: of the rows to learn from, the share that only chooses which epoch to keep, never of the"
            " rows held out; 0 for none, and the last epoch. [default: 0.1, and 0 if fewer than 500 rows are learned from]",
            show_default=False,
        ),
    ] = None,
    max_iter: Annotated[
        int, typer.Option(min=1, metavar="N", help="Without --hidden: most passes over the rows.")
    ] = 100,
    solution: Annotated[
        Solution,
        typer.Option(help="Without --hidden: weights to keep. Averaged, the last, or the longest right."),
    ] = Solution.average,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            help="Read the table in parts, again for each epoch, in bounded memory. [default: if it is larger than"
            " an eighth of the memory, a sixteenth if compressed or Parquet]",
            show_default=False,
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="Inputs listed for each output.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes and no progress.")] = False,
) -> None:
    """Learn from a table: hold rows out, learn from the others, judge, save the model."""
    from limen.table_files import read
    from limen.target import find_columns

    widths = None if hidden is None else deep.widths(hidden)
    deep.check(context, widths, validation)
    output = _output(table_file, output)
    check_writable(output)
    if widths is not None:
        _must_not_stream(table_file, stream)
        with waiting("Loading Keras", quiet=quiet):
            deep.ready()
        stream = False
    parts = _parts(table_file, missing_texts(missing)) if _is_streamed(table_file, stream) else None
    # Of a table that is streamed only the names are needed here.
    table = (
        read(table_file, missing=missing_texts(missing)) if parts is None else dict.fromkeys(parts.names, ())
    )
    targets = find_columns(table, target)
    dropped, categories = (
        _named(table, targets, drop, "--drop"),
        _named(table, targets, categorical, "--categorical"),
    )
    try:
        from limen.learn import Perceptron, ThresholdEncoder
        from limen.learn.stream_trial import stream_trial
        from limen.learn.trial import trial as trial_in_memory

        with progress(quiet=quiet) as watched, insistent():
            classifier: Classifier = Perceptron(max_iter=max_iter, solution=solution.value, random_state=seed)
            if widths is not None:
                left = test_size if test_size >= 1 else test_size * len(table)
                classifier = deep.classifier(
                    widths, weights, epochs, validation, n_rows=len(table) - left, seed=seed
                )
            learn: Any = (
                partial(trial_in_memory, table)
                if parts is None
                else partial(stream_trial, parts, progress=watched.share)
            )
            trial = learn(
                targets,
                drop=dropped,
                drop_missing_target=drop_missing_target,
                test_size=test_size,
                random_state=seed,
                encoder=ThresholdEncoder(thresholds, categorical=categories or "auto"),
                classifier=watched(classifier),
            )
    except KeyboardInterrupt as interrupt:
        message(deep.interrupted(interrupt, output) or "Interrupted. Nothing was saved.")
        raise typer.Exit(130) from None
    except InputError as error:
        raise _with_remedy(error, table, {*targets, *dropped}) from None
    file: dict[str, Any] | None = None
    failure: FileError | None = None
    try:
        file = saved(trial.model, output, None)["model"]
    except FileError as error:  # what was learned is still worth printing
        failure = error
    if as_json:
        result_json(_data(trial, table_file, seed, most, file))
    else:
        _print(trial, table_file, seed, most, file)
    if not quiet:
        for note in _notes(trial):
            message(f"Note: {note}", "yellow")
    if failure is not None:
        raise failure


# Before -------------------------------------------------------------------------------------------------------


def _output(table: str, output: Path | None) -> Path:
    """Return where the model is saved: by default under the table's name, in the current folder."""
    if output is None:
        stem = Path(table).name
        for ending in (".gz", ".bz2", ".zst"):
            stem = stem.removesuffix(ending)
        return Path("model.limen" if table == "-" else f"{Path(stem).stem}.limen")
    if output == Path("-"):
        raise typer.BadParameter(
            "The report goes to standard output, so the model needs a file.", param_hint="-o"
        )
    if table != "-" and output.exists() and Path(table).exists() and output.samefile(table):
        raise InputError(f"The model would replace the table {table}. Name another file with -o.")
    return output


def _is_streamed(table: str, asked: bool | None) -> bool:
    """Return whether the table is read in parts: if asked, or if nothing was asked and it is large."""
    if asked and table == "-":
        raise InputError(
            "A table that is streamed is read several times, which standard input can't be. Write it to a file and name"
            " that, or leave --stream out."
        )
    return is_large(table) if asked is None else asked


def _must_not_stream(table: str, asked: bool | None) -> None:
    """Refuse a table that is to be streamed, or is too large not to be."""
    if asked:
        raise InputError(
            "--stream is for a network without hidden layers, so it can't be given with --hidden. Leave one of the two out."
        )
    if asked is None and is_large(table):
        raise InputError(
            f"A network with hidden layers learns from a table in memory, and {table} is larger than a large part of it."
            " Give fewer rows, leave out --hidden, or try all the same with --no-stream."
        )


def _parts(table: str, missing: tuple[str, ...]) -> Parts:
    from limen.learn.stream_trial import Parts

    return Parts(table, missing)


def _named(table: Any, targets: tuple[str, ...], given: list[str] | None, option: str) -> tuple[str, ...]:
    """Return the columns given to an option, checked."""
    from limen.target import find_columns

    names = tuple(name for text in given or () for name in find_columns(table, text))
    for name in names:
        if name in targets:
            raise InputError(f"{name!r} is the target, so it can't be given to {option} as well.")
    return names


def _with_remedy(error: InputError, table: Any, apart: set[str]) -> InputError:
    """Return the error with the option that helps, if a column of the table is at fault."""
    from limen.table import column_names, columns

    if isinstance(table, dict):  # names only: what went wrong names the column
        at_fault = [name for name in table if name not in apart and f"Column {name!r} " in str(error)]
        return InputError(f"{error} (--drop {shlex.quote(at_fault[0])})") if at_fault else error
    for name in column_names(table) or ():
        try:
            if name not in apart:
                columns(table, [name])
        except InputError as fault:
            return InputError(f"{fault} (--drop {shlex.quote(name)})")
    return error


# After --------------------------------------------------------------------------------------------------------


def _print(trial: Trial, table: str, seed: int, most: int, file: dict[str, Any] | None) -> None:
    from limen._text import chain, plural
    from limen.cli.report import (
        evaluation_lines,
        heaviest_lines,
        percent,
        rows,
        rule,
        size,
        used_columns,
        weights_line,
    )
    from limen.evaluation import all_right

    n_rows, network = trial.n_training + trial.n_test, trial.model.network
    used = len(used_columns(trial.model))
    result(f"Table     {table}, {rows(n_rows)}")
    result(f"Target    {_targets_text(trial)}")
    result(
        f"Inputs    {network.n_inputs:,} of 0 or 1 from {plural(used, 'column')}, such as {network.inputs[0]!r}"
    )
    if trial.sample_rows is not None:
        whole = trial.sample_rows == trial.n_training
        drawn = "all rows learned from" if whole else f"a sample of {rows(trial.sample_rows)}"
        result(f"Streamed  in parts; thresholds and categories from {drawn}")
    if trial.n_test:
        share = percent(trial.n_test / n_rows)
        result(f"Held out  {rows(trial.n_test)} ({share}), drawn with seed {seed}")
        result()
        result("On the rows held out", "bold")
        lines = evaluation_lines(trial.test, trial.majority)
    else:
        result("Held out  no rows, so how well it does on new ones isn't known")
        result()
        result("On the rows it learned from", "bold")
        lines = evaluation_lines(trial.training, trial.majority)
    result("\n".join(lines))
    result()
    if network.depth == 1:
        result(f"What it looks at: {rule(trial.model)}", "bold")
        result("\n".join(heaviest_lines(network, most, trial.shares)))
        result()
    else:
        result(f"Network   {chain(network)}")
        result(f"Weights   {weights_line(network)}")
    result(f"Training  {_ending(trial)}")
    validated = " or chose the epoch by" if deep.validated(trial.classifier) else ""
    result(f"          {percent(all_right(trial.training))} right on the rows it learned from{validated}")
    if file is not None:
        exact = ", exact in whole numbers" if network.is_exact else ""
        result(f"Saved     {file['path']}, {size(file['bytes'])}{exact}")


def _targets_text(trial: Trial) -> str:
    from limen.encoding import label_text

    if len(trial.targets) > 1:
        return f"{', '.join(trial.targets)} (several at once)"
    pairs = sorted(zip(trial.counts[0], trial.labels[0], strict=True), key=lambda pair: -pair[0])
    shown = ", ".join(f"{label_text(label)} {count:,}" for count, label in pairs[:6])
    more = f", … ({len(pairs)} classes)" if len(pairs) > 6 else ""
    return f"{trial.targets[0]}: {shown}{more}"


def _ending(trial: Trial) -> str:
    """Return how training ended, in words."""
    from limen._text import plural

    classifier = trial.classifier
    if deep.is_deep(classifier):
        return deep.ending(classifier)
    n_mistakes = int(classifier.n_mistakes_[-1])
    last = (
        f"with {n_mistakes:,} {'mistake' if n_mistakes == 1 else 'mistakes'}"
        if n_mistakes
        else "without a mistake"
    )
    text = f"{plural(classifier.n_iter_, 'epoch')}, the last {last}"
    return f"{text}; {_KEPT[classifier.solution_]} kept"


_KEPT = {"average": "averaged weights", "last": "last weights", "pocket": "best weights"}


def _notes(trial: Trial) -> list[str]:
    """Return what a person should know, the ending of training included."""
    from limen._text import plural

    classifier, notes = trial.classifier, list(trial.notes)
    if deep.is_deep(classifier):
        return notes + deep.notes(classifier)
    if classifier.stop_reason_ == "max_iter":
        notes.append(
            f"Training ended after {plural(classifier.n_iter_, 'epoch')} and still made mistakes. More epochs"
            f" (--max-iter {10 * classifier.max_iter}) or finer inputs (--thresholds) may help; classes that overlap can't be"
            " learned without any."
        )
    return notes


def _data(trial: Trial, table: str, seed: int, most: int, file: dict[str, Any] | None) -> dict[str, Any]:
    """Return the report as plain data."""
    from limen.cli.report import evaluation_data, heaviest, layers_data, used_columns

    classifier, network = trial.classifier, trial.model.network
    return {
        "table": table,
        "rows": trial.n_training + trial.n_test,
        "targets": list(trial.targets),
        "labels": [list(labels) for labels in trial.labels],
        "counts": [list(counts) for counts in trial.counts],
        "columns": list(used_columns(trial.model)),
        "inputs": network.n_inputs,
        "seed": seed,
        "streamed": trial.sample_rows is not None,
        "sample_rows": trial.sample_rows,
        "held_out": evaluation_data(trial.test, trial.majority) if trial.test else None,
        "learned_from": evaluation_data(trial.training, trial.majority),
        "layers": layers_data(network),
        "training": deep.training_data(classifier)
        if deep.is_deep(classifier)
        else {
            "stop_reason": classifier.stop_reason_,
            "epochs": classifier.n_iter_,
            "mistakes": classifier.n_mistakes_.tolist(),
            "solution": classifier.solution_,
        },
        "heaviest": [
            {"output": output, "inputs": [{"input": name, "weight": weight} for name, weight in inputs]}
            for output, inputs in heaviest(network, most)
        ],
        "exact": network.is_exact,
        "model": file,
        "notes": _notes(trial),
    }
