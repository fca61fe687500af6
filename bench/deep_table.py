"""What `python -m bench deep` measured: results as plain data in one file, and that file as a table in Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Result", "added", "joined", "markdown", "read"]


@dataclass(slots=True)
class Result:
    """One side on one set of data.

    Parameters
    ----------
    group, data : str
        What ``--only`` calls it; the data in words.
    side : {"limen", "rival"}
    name, settings : str
        What was trained and how.
    accuracy : list of float
        In %, of each seed.
    fit_seconds : list of float
        Of each seed; whatever encodes the rows is included.
    epochs : list of float
    file_bytes : int, optional
        Of the saved model, encoding included: a ``.limen`` file, or a pickle.
    packed_bytes : int, optional
        The same with weights and biases in as few bits as hold them.
    batch_seconds, row_seconds : float, optional
        Of a prediction, among all test rows at once, and alone.
    missing : str, optional
        Why there are no numbers.
    notes : list of str
    measured : dict
        When, at what load of the machine, and with which versions beyond those of the header.
    """

    group: str
    data: str
    side: str
    name: str
    settings: str = ""
    accuracy: list[float] = field(default_factory=list)
    fit_seconds: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    file_bytes: int | None = None
    packed_bytes: int | None = None
    batch_seconds: float | None = None
    row_seconds: float | None = None
    missing: str | None = None
    notes: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return asdict(self)


# One file -----------------------------------------------------------------------------------------------------


def read(path: Path) -> dict[str, Any]:
    """Return what a file holds, nothing if it isn't there."""
    if not path.exists():
        return {"header": None, "rows": []}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def added(found: Mapping[str, Any], header: Mapping[str, Any], results: Iterable[Result]) -> dict[str, Any]:
    """Return the data of a file with new results, each in place of the one of the same group, data and name."""
    rows = {_key(row): row for row in found["rows"]}
    rows |= {_key(row): row for row in (result.facts() for result in results)}
    return {"header": header, "rows": list(rows.values())}


def joined(files: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the rows of several files, the last of those of the same group, data and name, under the last header."""
    header, rows = None, {}
    for found in files:
        header = found["header"] or header
        rows |= {_key(row): row for row in found["rows"]}
    return {"header": header, "rows": list(rows.values())}


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["group"], row["data"], row["name"]


# Markdown -----------------------------------------------------------------------------------------------------

COLUMNS = (
    "data",
    "what",
    "accuracy %",
    "seeds",
    "training s",
    "epochs",
    "file",
    "packed",
    "µs a row",
    "one row µs",
)


def markdown(found: Mapping[str, Any]) -> str:
    """Return the results as a table, with the settings of each row and what couldn't be measured below."""
    rows = found["rows"]
    lines = [_line(COLUMNS), _line(["---", "---", *["---:"] * (len(COLUMNS) - 2)])]
    lines += [_line(_cells(row)) for row in rows if row["accuracy"]]
    told = [
        f"* {row['data']}, {row['name']}: {'; '.join(filter(None, [row['settings'], *row['notes']]))}."
        for row in rows
        if row["accuracy"] and (row["settings"] or row["notes"])
    ]
    missing = [f"* {row['data']}, {row['name']}: {row['missing']}" for row in rows if row["missing"]]
    parts = ["\n".join(part) for part in (_header(found["header"]), lines, told, missing) if part]
    return "\n\n".join(parts)


def _header(header: Mapping[str, Any] | None) -> list[str]:
    if header is None:
        return []
    versions = ", ".join(f"{name} {version}" for name, version in header["versions"].items() if version)
    processor = header["processor"]
    return [
        f"{header['date']}, {processor['name']}, {processor['cores']} cores, {' '.join(processor['vectors'])};",
        f"load before the start {header['load']:.2f}; {versions}.",
    ]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["data"],
        f"**{row['name']}**" if row["side"] == "limen" else row["name"],
        _spread(row["accuracy"], 2),
        str(len(row["accuracy"])),
        _spread(row["fit_seconds"], 1),
        f"{statistics.mean(row['epochs']):.3g}" if row["epochs"] else "",
        _size(row["file_bytes"]),
        _size(row["packed_bytes"]),
        _microseconds(row["batch_seconds"]),
        _microseconds(row["row_seconds"]),
    ]


def _spread(values: Sequence[float], digits: int) -> str:
    mean = f"{statistics.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def _size(n_bytes: int | None) -> str:
    if n_bytes is None:
        return ""
    return f"{n_bytes / 1024:.1f} KiB" if n_bytes < 2**20 else f"{n_bytes / 2**20:.1f} MiB"


def _microseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:.3g}"
