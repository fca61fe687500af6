"""The command line run inside the tests: fast, with its two streams apart."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from limen.cli import main

EXAMPLES = Path(__file__).parent.parent / "examples"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def limen(*arguments: object, stdin: bytes = b"") -> Ended:
    """Run ``limen ARGUMENTS`` and return its exit code and what it wrote."""
    streams = {
        name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for name in ("stdout", "stderr")
    }
    streams["stdin"] = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    code: object = None
    with mock.patch.multiple(sys, **streams):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    texts = []
    for name in ("stdout", "stderr"):
        streams[name].flush()
        texts.append(streams[name].buffer.getvalue().decode())
    return Ended(code if isinstance(code, int) else 0 if code is None else -1, *texts)


def write_csv(path: Path, columns: dict[str, list[object]]) -> Path:
    """Write columns as a CSV file, quoted where it takes quotes; None is an empty field."""
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path
