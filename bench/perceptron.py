"""The table: `limen.learn.Perceptron` beside its rivals, row by row.

All sides of a row work on the same data in the same process (Vowpal Wabbit in one of its own) and take turns after
a warm-up; medians are quoted. Progress goes to standard error, the table to standard output. Floors are meant for
the sizes of a run without ``--quick``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.machine import header
from bench.report import render, render_header
from bench.settings import SIZES, Settings
from bench.timing import say, seconds

__all__ = ["GROUPS", "main"]

QUIET = 0.3  # load average up to which timings are worth something

GROUPS = {  # what --only calls them: the module, its function, and whether it belongs to the table itself
    "mnist": ("dense", "mnist", True),
    "uint8": ("dense", "pixels", True),
    "csr": ("sparse_fits", "binary", True),
    "csr20": ("sparse_fits", "classes", True),
    "multilabel": ("sparse_fits", "labels", True),
    "average": ("dense", "average", True),
    "predict": ("predicting", "predict", True),
    "iris": ("dense", "iris", True),
    "stream": ("streaming", "stream", False),
    "text": ("text", "text", False),
    "shards": ("shards", "shards", False),
    "accuracy": ("held_out", "held_out", False),
}


def main(arguments: list[str]) -> None:
    """Measure and print."""
    options = _options(arguments)
    settings, names = _settings(options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that epochs ran out is what is asked for here
        head, facts, interrupted = _measured(options, settings, names)
    if options.json:
        print(json.dumps({**head, "rows": facts}, indent=1, ensure_ascii=False))
    else:
        _print_table(head, facts)
    if interrupted:
        say("Interrupted: these are the rows that were done.")
        sys.exit(130)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench perceptron",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with data sets: see bench/data.py")
    parser.add_argument("--quick", action="store_true", help="all groups, on toy sizes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--only", nargs="+", choices=GROUPS, metavar="NAME", help=f"some of: {', '.join(GROUPS)}"
    )
    parser.add_argument("--runs", type=int, metavar="N", help="timed runs of each side")
    parser.add_argument("--stream-mb", type=float, metavar="MB", help="size of the streamed files")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw time per epoch: .svg or .png")
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)  # smaller still, for tests
    options = parser.parse_args(arguments)
    if options.data is not None and not options.data.is_dir():
        parser.error(f"--data: {options.data} is not a folder")
    if options.plot is not None and options.plot.suffix not in (".svg", ".png"):
        parser.error("--plot: the file's name must end in .svg or .png")
    if options.runs is not None and options.runs < 1:
        parser.error("--runs: must be 1 or more")
    return options


def _settings(options: argparse.Namespace) -> tuple[Settings, list[str]]:
    size = "tiny" if options.tiny else "quick" if options.quick else "full"
    sizes = SIZES[size]
    if options.runs is not None:
        sizes = replace(sizes, runs=options.runs)
    if options.stream_mb is not None:
        sizes = replace(sizes, stream_mb=options.stream_mb)
    table = [name for name, (_, _, in_table) in GROUPS.items() if in_table or size != "full"]
    return Settings(options.data, sizes, size == "full"), options.only or table


def _measured(
    options: argparse.Namespace, settings: Settings, names: list[str]
) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    """Return the header, the rows as plain data, and whether measuring was interrupted."""
    took, head = seconds(lambda: header(settings.sizes.bandwidth_mb))
    say(f"header ({took:.1f} s)")
    head["notes"] = [] if settings.full else ["Toy sizes: whether a floor is reached says nothing."]
    if head["load"] > QUIET:
        head["notes"].append(
            "The machine is busy with something else: what takes milliseconds is then measured several times too"
            " long, and not the same on both sides. Repeat it in quiet."
        )
    facts: list[dict[str, Any]] = []
    try:
        for name in names:
            module, function, _ = GROUPS[name]
            measure = getattr(importlib.import_module(f"bench.{module}"), function)
            took, rows = seconds(lambda measure=measure: measure(settings))
            facts += [row.facts(head["bandwidth"]) for row in rows]
            say(f"{name} ({took:.1f} s)")
        if options.plot is not None:
            from bench.plot import plot

            took, points = seconds(lambda: plot(settings, options.plot))
            head["plot"] = points
            say(f"plot: {options.plot} ({took:.1f} s)")
    except KeyboardInterrupt:
        return head, facts, True
    return head, facts, False


def _print_table(head: dict[str, Any], facts: list[dict[str, Any]]) -> None:
    from bench.report import COLUMNS

    print(render_header(head))
    timed = False
    for row in facts:
        print()
        if not timed and "lines" in row:
            print(COLUMNS)
            timed = True
        print(render(row))
