"""The application: its commands, its help, and how it ends.

====  ===========================================================================
code  meaning
====  ===========================================================================
0     done
1     refused: one line on standard error says what is wrong and what to do
2     the command line itself can't be understood
130   interrupted with Ctrl-C
====  ===========================================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

import limen
from limen.cli.cards import card
from limen.cli.exporting import export
from limen.cli.fitting import fit
from limen.cli.formulas import logic
from limen.cli.judging import predict, score
from limen.cli.running import run
from limen.cli.showing import show
from limen.cli.streams import message
from limen.errors import LimenError

__all__ = ["app", "main"]

INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended

app = typer.Typer(
    name="limen",
    help="Networks of threshold neurons: learn one from a table, or write one as logic.",
    epilog="""Results go to standard output, messages to standard error.

\b
Exit codes: 0    done
            1    refused; a line says what is wrong and what to do
            2    the command line can't be understood
            130  interrupted with Ctrl-C""",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(short_help="Learn a model from a table and judge it.")(fit)
app.command(short_help="Predict the rows of a table.")(predict)
app.command(short_help="Predict rows whose truth is known, and count.")(score)
app.command(short_help="Predict a table of any size, compiled to bits.")(run)
app.command(short_help="Show what a model looks at.")(show)
app.command(short_help="Make a points card of a model.")(card)
app.command(short_help="Give a model away: C, Verilog, ONNX, …")(export)
app.command(short_help="Turn formulas into neurons and tables.")(logic)


def _version(asked: bool) -> None:
    if asked:
        print(f"limen {limen.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Networks of threshold neurons: learn one from a table, or write one as logic."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those the program was started with.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no "≥" shows "?"
    try:
        app(args=None if arguments is None else list(arguments), prog_name="limen")
    except LimenError as error:
        message(f"Error: {error}", "red")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        message("Interrupted.")
        _interrupted(arguments is None)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _interrupted(arguments is None)
        raise


def _interrupted(is_program: bool) -> NoReturn:
    """End with code 130; the program at once, for compiled code that was half loaded can't be freed without a crash."""
    if is_program:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(INTERRUPTED)
    raise SystemExit(INTERRUPTED) from None
