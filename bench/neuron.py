"""The tables of exact questions: deciding one neuron, gates of synthesis, points cards, separability.

Deciding is timed beside a linear program with a row for each row of the table (SciPy's linprog), which is what one would
write without the library; the two take turns on the same functions. Everything else is a table of what was found and
how long it took. Every answer is checked before its time counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.machine import header
from bench.report import Table, render, render_header
from bench.timing import say, seconds
from limen import logic
from limen.logic._table_neuron import sums_of
from limen.step import Array

__all__ = ["main"]

ASKED = {12: 10, 16: 50, 18: 200}  # milliseconds
KINDS = ("threshold", "one row changed", "edge row changed", "two neurons joined")
NAIVE_MOST = 12  # inputs up to which the naive linear program is run too
ROOT = Path(__file__).parent.parent


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench neuron", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with data sets: see bench/data.py")
    parser.add_argument("--quick", action="store_true", help="toy sizes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    options = parser.parse_args(arguments)
    if options.data is not None and not options.data.is_dir():
        parser.error(f"--data: {options.data} is not a folder")
    head = header(100 if options.quick else 1000)
    head["notes"] = ["Toy sizes."] if options.quick else []
    tables = []
    for name in options.only or GROUPS:
        took, found = seconds(lambda name=name: GROUPS[name](options.quick, options.data))
        tables += [table.facts(head["bandwidth"]) for table in found]
        say(f"{name} ({took:.1f} s)")
    if options.json:
        print(json.dumps({**head, "rows": tables}, indent=1, ensure_ascii=False))
        return
    print(render_header(head))
    for table in tables:
        print("\n" + render(table))


# Deciding -----------------------------------------------------------------------------------------------------


def function(n: int, kind: str, rng: np.random.Generator) -> Array:
    """Return the truth table of a function that is one neuron, or nearly."""
    weights = rng.integers(1, int(rng.choice([9, 40, 300])), n) * rng.choice([-1, 1], n)
    sums = sums_of(weights.tolist())
    at = np.quantile(sums, rng.uniform(0.2, 0.8))
    table = (sums >= at).astype(np.int8)
    if kind == "one row changed":
        table[rng.integers(len(table))] ^= 1
    elif kind == "edge row changed":
        table[np.argmin(np.abs(sums - at))] ^= 1
    elif (
        kind == "two neurons joined"
    ):  # alike, so that inputs keep their order: what only the program can refute
        other = sums_of((weights + rng.integers(-1, 2, n) * (np.abs(weights) > 3)).tolist())
        second = other >= np.quantile(other, rng.uniform(0.3, 0.7))
        table = (table & second if rng.random() < 0.5 else table | second).astype(np.int8)
    return table


def naive(table: Array) -> bool:
    """Decide by one linear program with a row for each row of the table."""
    from scipy.optimize import linprog

    n = len(table).bit_length() - 1
    rows = np.arange(len(table))[:, np.newaxis] >> np.arange(n - 1, -1, -1) & 1
    signs = np.where(table == 1, -1.0, 1.0)
    matrix = np.hstack([rows, np.full((len(rows), 1), -1.0)]) * signs[:, np.newaxis]
    right = np.where(table == 1, 0.0, -1.0)
    return bool(linprog(np.zeros(n + 1), A_ub=matrix, b_ub=right, bounds=(None, None)).status == 0)


def deciding(quick: bool, data: Path | None) -> list[Table]:
    """Time decisions, with a neuron or a certificate that is checked."""
    cells = []
    for n in (6, 8) if quick else (8, 10, 12, 16, 18, 20):
        for kind in KINDS:
            rng, own, others, verdicts = np.random.default_rng(n), [], [], Counter[str]()
            for _ in range(4 if quick else 40 if n < 18 else 20):
                table = function(n, kind, rng)
                took, answer = seconds(lambda table=table: logic.one_neuron(table, least=False))
                own.append(took * 1e3)
                verdicts[answer.verdict] += 1
                if answer.is_proved:
                    layer = answer.network.layers[0]
                    right = (sums_of(layer.weights[:, 0].tolist()) >= -layer.bias[0]) == (table == 1)
                    assert right.all()
                else:
                    assert answer.certificate.check()
                if n <= NAIVE_MOST:
                    slow, said = seconds(lambda table=table: naive(table))
                    others.append(slow * 1e3)
                    assert said == answer.is_proved
            low, high = np.quantile(own, [0.1, 0.9])
            median = statistics.median(own)
            cells.append(
                (
                    f"{n} inputs, {kind}",
                    f"{verdicts['proved']}/{verdicts['refuted']}/{verdicts['unknown']}",
                    f"{low:.2f}",
                    f"{median:.2f}",
                    f"{high:.2f}",
                    f"{max(own):.2f}",
                    f"≤ {ASKED[n]}" if n in ASKED else "",
                    f"{statistics.median(others):.1f}" if others else "",
                    f"{statistics.median(others) / median:.0f} x" if others else "",
                )
            )
    columns = ["function", "yes/no/?", "10 %", "median", "90 %", "most", "asked", "naive LP", "naive/limen"]
    note = "Milliseconds, one thread; a valid neuron or a checked certificate each time, least weights not asked for."
    return [Table("decide", "1", "Is this one neuron?", columns, cells, [note])]


# Gates --------------------------------------------------------------------------------------------------------


def gates(quick: bool, data: Path | None) -> list[Table]:
    """Count the gates that synthesis needs, beside the minimal two-level form."""
    cells = []
    for n, count in (
        (3, 256),
        (4, 40 if quick else 2000),
        (5, 10 if quick else 1000),
        (6, 2 if quick else 200),
    ):
        found, other, times = [], [], []
        for values in _functions(n, count):
            took, net = seconds(lambda values=values: logic.synthesize(values))
            times.append(took)
            found.append(net.n_gates)
            if n == 5:
                other.append(_two_level(values))
        spread = ", ".join(f"{k}: {number}" for k, number in sorted(Counter(found).items()))
        cells.append(
            (
                f"{n} inputs, {'all' if count == 2**2**n else 'random'} {len(found)}",
                spread,
                f"{statistics.mean(found):.3f}",
                f"{statistics.mean(other):.2f}" if other else "",
                f"{statistics.median(times) * 1e3:.1f}",
                f"{max(times) * 1e3:.0f}",
            )
        )
    columns = ["functions", "gates: functions", "mean", "mean of two levels", "median ms", "most ms"]
    return [Table("gates", "2", "Gates of a small network", columns, cells)]


def _functions(n: int, count: int) -> Iterator[list[int]]:
    rows = 2**n
    if count == 2**rows:
        yield from ([number >> k & 1 for k in range(rows)] for number in range(count))
    else:
        yield from np.random.default_rng(n).integers(0, 2, (count, rows)).tolist()


def _two_level(values: list[int]) -> int:
    """Return the gates of the shortest disjunction of conjunctions: one for each of two literals or more, and the or."""
    formula = logic.minimal_dnf(values)
    terms, pending = [], [formula]
    while pending:
        node = pending.pop()
        if node.kind == "or":
            pending += node.parts
        else:
            terms.append(node)
    return sum(term.kind == "and" for term in terms) + (len(terms) > 1)


# Cards --------------------------------------------------------------------------------------------------------


def cards(quick: bool, data: Path | None) -> list[Table]:
    """Make points cards of perceptrons, judged on held-out rows."""
    from sklearn.model_selection import train_test_split

    from limen.learn import Perceptron, ThresholdEncoder
    from limen.table_files import read

    cells = []
    tables = (("breast_cancer", "diagnosis"), ("recurrence", "class"), ("adult", "income"))
    for name, target in tables[1:2] if quick else tables:
        table = read(str(ROOT / "examples" / f"{name}.csv"))
        truth = np.array([str(value) for value in table[target].to_pylist()])
        fires = truth == np.unique(truth)[1]
        train, test = train_test_split(np.arange(len(truth)), test_size=0.25, random_state=0, stratify=truth)
        encoder = ThresholdEncoder(n_thresholds=2)
        rest = table.drop_columns([target])
        X, Z = encoder.fit_transform(rest.take(train), truth[train]), encoder.transform(rest.take(test))
        X, Z = (np.asarray(part.toarray() if hasattr(part, "toarray") else part) for part in (X, Z))
        X, Z = X.astype(np.int8), Z.astype(np.int8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that epochs run out is no matter here
            learned = Perceptron(random_state=0).fit(X, truth[train])
        for budget in (None, 5, 3, 1):
            took, answer = seconds(
                lambda X=X, learned=learned, budget=budget: logic.small_integers(
                    learned.network_, X, max_weight=budget, time_limit=1.0 if quick else 20.0
                )
            )
            weights = answer.network.layers[0].weights[:, 0]
            if answer.changes is None:
                proof = "least" if answer.is_least else f"sum ≥ {answer.bounds[0]}"
            else:
                low, high = answer.changes
                number = f"exactly {low}" if low == high else f"{low} to {high}"
                proof = f"{number} of {len(train)} decisions change"
            cells.append(
                (
                    f"{name}, points ≤ {budget or 'any'}",
                    f"{np.count_nonzero(weights)} of {len(weights)}",
                    str(int(np.abs(weights).sum())),
                    proof,
                    f"{np.mean((answer.network(Z)[:, 0] == 1) == fires[test]):.1%}",
                    f"{np.mean((learned.network_(Z)[:, 0] == 1) == fires[test]):.1%}",
                    f"{took:.1f}",
                )
            )
    columns = ["card", "items", "points", "proof", "held out", "perceptron", "seconds"]
    note = "Decisions on the training rows are kept, or changed as said; two thresholds a column; 25 % held out, seed 0."
    return [Table("cards", "3", "Points cards", columns, cells, [note])]


# Separability -------------------------------------------------------------------------------------------------


def separating(quick: bool, data: Path | None) -> list[Table]:
    """Decide whether data are linearly separable, with proof."""
    from limen.learn import separable

    cells = []
    n_rows, n_columns = (1000, 5) if quick else (100_000, 50)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    side = X @ rng.normal(size=n_columns)
    works: list[tuple[str, Array, Array]] = []
    for name, margin, flipped in (
        ("separable, margin 1e-2", 1e-2, 0.0),
        ("separable, margin 1e-6", 1e-6, 0.0),
        ("one label in a hundred flipped", 0.0, 0.01),
    ):
        kept = np.abs(side) > margin
        y = (side > 0) ^ (rng.random(n_rows) < flipped)
        works.append((f"{kept.sum():,} × {n_columns}, {name}", X[kept], y[kept]))
    if data is not None:
        from bench.data import images
        from bench.settings import SIZES, Settings

        pixels = images(Settings(data, SIZES["full"], True))
        digits = pixels.y
        for a, b in ((0, 1), (4, 9), (3, 5)):
            own = (digits == a) | (digits == b)
            works.append((f"MNIST {a} against {b}, {own.sum():,} × 784", pixels.X[own], digits[own]))
    for name, rows, y in works:
        start = time.perf_counter()
        answer = separable(rows, y)
        took = time.perf_counter() - start
        checked = answer.network is not None or answer.certificate.check()
        shown = "a neuron" if answer.is_proved else f"{answer.certificate.n_rows} rows with equal sums"
        cells.append((name, answer.verdict, shown, "yes" if checked else "NO", f"{took:.2f}"))
    columns = ["data", "separable", "shown by", "checked", "seconds"]
    return [Table("separable", "4", "Is this data linearly separable?", columns, cells)]


GROUPS: dict[str, Callable[[bool, Path | None], list[Table]]] = {
    "decide": deciding,
    "gates": gates,
    "cards": cards,
    "separable": separating,
}

if __name__ == "__main__":
    main(sys.argv[1:])
