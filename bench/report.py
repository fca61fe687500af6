"""What was measured, and how it is printed: rows of timed sides, and tables of anything else."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Check", "Line", "Row", "Table", "amount", "render", "render_header"]


@dataclass(slots=True)
class Line:
    """One side of a row.

    Parameters
    ----------
    name : str
    side : {"limen", "rival", "reading"}
        "reading" is work that only reads the same bytes.
    times : sequence of float
        Seconds of each run.
    against : str, optional
        The line of the same row it is compared with.
    at_least, aim : float, optional
        What the time of `against` divided by this line's should reach.
    asked : str, optional
        The same in words; made from `at_least` and `aim` if not given.
    moved : int, optional
        Bytes that must move.
    threads : int, default 1
    missing : str, optional
        Why there are no times.
    """

    name: str
    side: str
    times: Sequence[float] = ()
    against: str | None = None
    at_least: float | None = None
    aim: float | None = None
    asked: str | None = None
    moved: int | None = None
    threads: int = 1
    missing: str | None = None

    @property
    def median(self) -> float | None:
        """The median of the runs."""
        return statistics.median(self.times) if self.times else None

    def floor(self) -> str:
        """Return what is asked for, in words."""
        if self.asked is not None or self.at_least is None:
            return self.asked or ""
        return f"{self.at_least:g} x" + (f", aim {self.aim:g}" if self.aim else "")


@dataclass(slots=True)
class Check:
    """What isn't a ratio of times: what was found, what is asked (``""``: nothing), and whether it is so."""

    what: str
    found: str
    asked: str
    reached: bool | None


@dataclass(slots=True)
class Row:
    """One row of the table: the same work by several sides.

    Parameters
    ----------
    group, number, title : str
        What ``--only`` calls it; its number; the work.
    lines : list of Line
    formula : str
        Which bytes must move.
    checks : list of Check
    notes : list of str
    """

    group: str
    number: str
    title: str
    lines: list[Line]
    formula: str = ""
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def facts(self, bandwidth: Mapping[str, float]) -> dict[str, Any]:
        """Return all of it as plain data."""
        median = {line.name: line.median for line in self.lines}
        lines = []
        for line in self.lines:
            other = median.get(line.against or "")
            ratio = other / line.median if other and line.median else None
            asked = line.at_least is not None and ratio is not None
            # Two threads can't be bound lower than one, whatever a busy machine measured.
            speed = max(bandwidth[str(n)] for n in range(1, line.threads + 1))
            bound = line.moved / speed if line.moved else None
            lines.append(
                {
                    "name": line.name,
                    "side": line.side,
                    "seconds": list(line.times),
                    "median": line.median,
                    "minimum": min(line.times, default=None),
                    "n": len(line.times),
                    "against": line.against,
                    "ratio": ratio,
                    "asked": line.floor(),
                    "at_least": line.at_least,
                    "aim": line.aim,
                    "reached": ratio >= line.at_least if asked else None,
                    "bytes": line.moved,
                    "threads": line.threads,
                    "roofline": bound,
                    "times_roofline": line.median / bound if bound and line.median else None,
                    "missing": line.missing,
                }
            )
        checks = [
            {"what": c.what, "found": c.found, "asked": c.asked, "reached": c.reached} for c in self.checks
        ]
        return {
            "group": self.group,
            "row": self.number,
            "work": self.title,
            "bytes_formula": self.formula,
            "lines": lines,
            "checks": checks,
            "notes": self.notes,
        }


@dataclass(slots=True)
class Table:
    """A table of text: what has other columns than times."""

    group: str
    number: str
    title: str
    columns: Sequence[str]
    cells: list[Sequence[str]]
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"Two columns have one name, and one would hide the other: {self.columns}")

    def facts(self, bandwidth: Mapping[str, float]) -> dict[str, Any]:
        """Return all of it as plain data."""
        cells = [dict(zip(self.columns, row, strict=True)) for row in self.cells]
        return {
            "group": self.group,
            "row": self.number,
            "work": self.title,
            "table": cells,
            "notes": self.notes,
        }


# Printing -----------------------------------------------------------------------------------------------------

COLUMNS = f"{'':4}{'side':8}{'what':45}{'median':>10}{'minimum':>10}{'N':>4}{'rival/limen':>13}  {'asked':<24}{'reached':<9}{'roofline':>10}{'x roofline':>12}"


def amount(value: float | None) -> str:
    """Return seconds in a unit that is easy to read."""
    if value is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if abs(value) >= size:
            return f"{value / size:#.4g} {unit}"
    return f"{value / 1e-6:#.3g} µs"


def render_header(header: Mapping[str, Any]) -> str:
    """Return the lines above the table."""
    versions = ", ".join(
        f"{name} {version or 'not installed'}" for name, version in header["versions"].items()
    )
    processor, speed = header["processor"], header["bandwidth"]
    return "\n".join(
        [
            f"{header['date']}",
            versions,
            f"{processor['name']}, {processor['cores']} cores, {' '.join(processor['vectors'])}",
            f"Memory bandwidth (sum of {speed['megabytes']} MB of float64, best of 7): {speed['1'] / 1e9:.1f} GB/s with"
            f" one thread, {speed['2'] / 1e9:.1f} GB/s with two; what fits a cache may be read faster",
            f"Load before the start: {header['load']:.2f}",
            *header["notes"],
        ]
    )


def render(facts: Mapping[str, Any]) -> str:
    """Return the lines of one row or table."""
    title = f"{facts['row']:4}{facts['work']}  [{facts['group']}]"
    body = _table(facts["table"]) if "table" in facts else _row(facts)
    return "\n".join([title, *body, *(f"    · {note}" for note in facts["notes"])])


def _row(facts: Mapping[str, Any]) -> list[str]:
    lines = []
    for line in facts["lines"]:
        start = f"    {line['side']:8}{line['name']:45}"
        if line["missing"]:
            lines.append(f"{start}  {line['missing']}")
            continue
        ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f} x"
        reached = {None: "", True: "yes", False: "NO"}[line["reached"]]
        off = "" if line["times_roofline"] is None else f"{line['times_roofline']:.2f} x"
        lines.append(
            f"{start}{amount(line['median']):>10}{amount(line['minimum']):>10}{line['n']:>4}{ratio:>13}"
            f"  {line['asked']:<24}{reached:<9}{amount(line['roofline']):>10}{off:>12}"
        )
        if line["against"]:
            lines[-1] += f"   beside {line['against']}"
    if facts["bytes_formula"]:
        lines.append(f"    bytes: {facts['bytes_formula']}")
    for check in facts["checks"]:
        reached = {None: "not measured", True: "yes", False: "NO"}[check["reached"]]
        asked = f"; asked {check['asked']}; reached: {reached}" if check["asked"] else ""
        lines.append(f"    check   {check['what']}: {check['found']}{asked}")
    return [line.rstrip() for line in lines]


def _table(cells: Sequence[Mapping[str, str]]) -> list[str]:
    columns = list(cells[0])
    width = {name: max(len(name), *(len(row[name]) for row in cells)) for name in columns}
    first, *others = columns

    def shown(row: Mapping[str, str]) -> str:
        return "    " + f"{row[first]:{width[first]}}" + "".join(f"  {row[o]:>{width[o]}}" for o in others)

    return [shown({name: name for name in columns}), *(shown(row) for row in cells)]
