"""The two streams: results to standard output, messages to standard error.

Where a stream is a terminal, headings are bold and warnings yellow, unless ``NO_COLOR`` is set; elsewhere they are plain
text, and nothing is ever wrapped or cut. Only then is rich loaded.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any, TextIO

__all__ = ["data", "is_terminal", "message", "result", "result_json", "width"]

PIPE_WIDTH = 120  # columns a table may take where no terminal says how wide it is


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at the stream."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return how many columns a result may take."""
    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else PIPE_WIDTH


def result(text: str = "", style: str = "") -> None:
    """Write a line, or several, to standard output."""
    _write(sys.stdout, text, style)


def result_json(value: Any) -> None:
    """Write a value to standard output as JSON."""
    _write(sys.stdout, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False), "")


def data(content: bytes) -> None:
    """Write bytes to standard output, untouched."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def message(text: str, style: str = "") -> None:
    """Write a line to standard error."""
    sys.stdout.flush()
    _write(sys.stderr, text, style)


def _write(stream: TextIO, text: str, style: str) -> None:
    if style and is_terminal(stream) and not os.environ.get("NO_COLOR"):
        from rich.console import Console
        from rich.text import Text

        Console(file=stream, highlight=False, soft_wrap=True).print(Text(text, style=style))
    else:
        print(text, file=stream)
