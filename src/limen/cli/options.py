"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["MissingText", "missing_texts"]

MissingText = Annotated[
    list[str] | None,
    typer.Option(
        "--missing",
        metavar="TEXT",
        help="In CSV, further text that means a missing value, as in --missing -999; may be repeated.",
        show_default=False,
    ),
]


def missing_texts(further: list[str] | None) -> tuple[str, ...]:
    """Return all texts that mean a missing value."""
    from limen.table import MISSING_TEXT

    return (*MISSING_TEXT, *(further or ()))
