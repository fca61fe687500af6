"""Networks as bits beside ONNX Runtime, PyTorch, NumPy and scikit-learn, and beside what the processor could do at most.

All sides compute the same outputs, which is checked before a time counts, and take turns; one thread each unless said. *Roofs* are
measured in the same run: XOR, population count and add of registers; full adders of registers; reading memory. ONNX Runtime and
PyTorch get rows as bytes or floats, which is what they compute with; limen gets packed words, and in lines that say so bytes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from bench.bits_rivals import rivals
from bench.bits_roofs import roofs
from bench.machine import header, installed
from bench.report import Check, Line, Row, Table, render, render_header
from bench.sizes import adult_card, sizes
from bench.timing import Work, alternate, say, seconds
from limen import Layer, Network, bits, words
from limen.bits._gates import AND, MAJ, graph_of
from limen.bits._llvm import host
from limen.logic import circuits
from limen.step import Array

__all__ = ["main"]

RUNS = 25
LEAST_SECONDS = 0.02  # of a run: shorter work is repeated, so that all sides find their caches warm
MNIST = (784, 256, 256, 256, 10)


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench bits", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="toy sizes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    options = parser.parse_args(arguments)
    head = header(100 if options.quick else 1000)
    head["versions"] |= {name: installed(name) for name in ("llvmlite", "onnx", "onnxruntime", "torch")}
    head["notes"] = ["Toy sizes."] if options.quick else []
    facts = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in options.only or GROUPS:
            took, found = seconds(lambda name=name: GROUPS[name](options.quick))
            facts += [table.facts(head["bandwidth"]) for table in found]
            say(f"{name} ({took:.1f} s)")
    if options.json:
        print(json.dumps({**head, "rows": facts}, indent=1, ensure_ascii=False))
        return
    print(render_header(head))
    for table in facts:
        print("\n" + render(table))


# Roofs --------------------------------------------------------------------------------------------------------


def _roofs(quick: bool) -> list[Table]:
    found = roofs()
    cells = [
        ("XOR, population count, add", f"{found['count'] / 1e12:.2f}"),
        ("full adders of sliced rows", f"{found['adders'] / 1e12:.2f}"),
    ]
    if "products" in found:
        cells.append(("products of bytes in matrix registers (AMX)", f"{found['products'] / 1e12:.2f}"))
    return [
        Table(
            "roofs",
            "0",
            "Roofs of one thread",
            ("what", "10¹² weights of a row a second"),
            cells,
            ["A full adder takes one weight of each row of a register in; the best of 15."],
        )
    ]


# Sides --------------------------------------------------------------------------------------------------------


def signs(n: int, m: int, rng: np.random.Generator) -> Array:
    """Return weights of ±1."""
    return rng.choice([-1, 1], (n, m))


def network(sizes: tuple[int, ...], seed: int = 0, zeros: float = 0.0) -> Network:
    """Return a network whose neurons fire about every other time; more than one layer end in hardmax."""
    rng = np.random.default_rng(seed)
    layers = []
    for k, (n, m) in enumerate(pairwise(sizes)):
        weights = signs(n, m, rng) * (rng.random((n, m)) >= zeros)
        last = k + 2 == len(sizes) and k > 0
        bias = rng.integers(-3, 3, m) if last else -(weights.sum(axis=0) // 2) + rng.integers(-3, 3, m)
        layers.append(Layer(weights, bias, "hardmax" if last else "heaviside"))
    return Network(layers, domain="binary")


def lines_of(
    works: Mapping[str, Callable[[], Any]],
    others: dict[str, Callable[[], Any] | str],
    asked: dict[str, tuple[str, float]],
    runs: int,
    per: float = 1.0,
) -> list[Line]:
    """Return timed lines: limen's first, which are compared as asked, then the rivals'."""
    sides: dict[str, Callable[[], Any]] = {
        **works,
        **{name: call for name, call in others.items() if callable(call)},
    }

    def repeated(call: Callable[[], Any], n: int) -> Callable[[], None]:
        def calls() -> None:
            for _ in range(n):
                call()

        return calls

    timed = {}
    for name, call in sides.items():
        call()
        n = max(1, min(1000, int(LEAST_SECONDS / seconds(call)[0])))
        timed[name] = Work(repeated(call, n), per * n)
    times = alternate(timed, runs, budget=20)
    lines = []
    for name in works:
        against, least = asked.get(name, (None, None))
        known = against in times
        lines.append(Line(name, "limen", times[name], against if known else None, least if known else None))
    for name, call in others.items():
        side = "reading" if name.startswith("reading") else "rival"
        lines.append(Line(name, side, times[name]) if callable(call) else Line(name, side, missing=str(call)))
    return lines


def shares(lines: list[Line], work: float, found: dict[str, float], least: float) -> list[Check]:
    """Return how near to the roofs lines come: the first by the quickest way, and the one that counts bits."""
    first, counting = lines[0], lines[1]
    checks = [_share(counting, work, "XOR, count and add roof", found["count"], least)]
    if "products" in found:
        checks.append(_share(first, work, "XOR, count and add roof", found["count"], least))
        checks.append(_share(first, work, "matrix registers' roof", found["products"], None))
    return checks


def _share(line: Line, work: float, name: str, roof: float, least: float | None) -> Check:
    rate = work / float(line.median or np.inf)
    return Check(
        f"{line.name}: share of the {name}",
        f"{rate / 1e12:.2f} of {roof / 1e12:.2f} · 10¹² a second: {rate / roof:.0%}",
        "" if least is None else f"{least:.0%}",
        None if least is None else rate / roof >= least,
    )


def counting() -> str | None:
    """Return the processor whose programs count bits: this one without its matrix registers."""
    return "avx512_vpopcntdq" if host().matrices else None


# Rows ---------------------------------------------------------------------------------------------------------


def _layer(quick: bool) -> list[Row]:
    found_roofs = roofs()
    net = network((1024, 1024))
    program = bits.compile(net, how="wide")
    counts = bits.compile(net, how="wide", processor=counting())
    found = []
    for number, batch in (("1a", 4096), ("1b", 256)):
        if quick:
            batch = 64
        X = np.random.default_rng(1).integers(0, 2, (batch, 1024), dtype=np.uint8)
        packed, floats = words.pack(X), X.astype(np.float32)
        weights = net.layers[0].dense().astype(np.float32)
        expected = net(X)
        if not (program(X) == expected).all():
            raise AssertionError("limen computes something else")
        others = rivals(net, X, expected)
        others["NumPy, X @ W float32"] = lambda floats=floats, weights=weights: floats @ weights
        works = {
            "limen, packed": lambda packed=packed: program.run(packed),
            "limen, packed, bits counted": lambda packed=packed: counts.run(packed),
            "limen, bytes": lambda X=X: program(X),
        }
        names = {"int8": "ONNX Runtime, int8", "float32": "ONNX Runtime, float32"}
        lines = lines_of(works, others, {"limen, packed": (names["int8"], 1.0)}, RUNS)
        row = Row("layer", number, f"1024 → 1024, ±1, batch {batch}", lines)
        row.checks += shares(lines, batch * 1024.0 * 1024.0, found_roofs, 0.65)
        row.checks += [
            ratio(lines, names["float32"], 12.0),
            ratio(lines, "NumPy, X @ W float32", 10.0),
        ]
        found.append(row)
    return found


def ratio(lines: list[Line], name: str, least: float) -> Check:
    """Return how many times a rival's time is that of the first line."""
    other = next(line for line in lines if line.name == name)
    if other.median is None or lines[0].median is None:
        return Check(f"beside {name}", "", f"{least:g} x", None)
    times = other.median / lines[0].median
    return Check(f"beside {name}", f"{times:.1f} x", f"{least:g} x", times >= least)


def _mnist(quick: bool) -> list[Row]:
    found_roofs = roofs()
    net = network(MNIST)
    program, counts = bits.compile(net), bits.compile(net, how="wide", processor=counting())
    weights = sum(n * m for n, m in pairwise(MNIST))
    found = []
    for number, batch in (("2a", 10_000), ("2b", 1000)):
        if quick:
            batch = 100
        X = np.random.default_rng(1).integers(0, 2, (batch, 784), dtype=np.uint8)
        expected = net(X).argmax(axis=1)
        if not (program(X).argmax(axis=1) == expected).all():
            raise AssertionError("limen computes something else")
        others = rivals(net, X, expected)
        packed = words.pack(X)
        works = {
            "limen, packed": lambda packed=packed: program.run(packed),
            "limen, packed, bits counted": lambda packed=packed: counts.run(packed),
            "limen, bytes": lambda X=X: program(X),
        }
        lines = lines_of(works, others, {}, RUNS, per=batch)
        best = min(
            (line for line in lines if line.side == "rival" and line.median), key=lambda k: k.median or 0
        )
        for line in (lines[0], lines[2]):
            line.against, line.at_least = best.name, 3.0
        row = Row("mnist", number, f"{' - '.join(map(str, MNIST))}, ±1, batch {batch}, an image", lines)
        row.checks += shares(lines, float(weights), found_roofs, 0.5)
        found.append(row)
    return found


def _latency(quick: bool) -> list[Row]:
    net = network(MNIST)
    program = bits.compile(net)
    X = np.random.default_rng(1).integers(0, 2, (1, 784), dtype=np.uint8)
    others = rivals(net, X, net(X).argmax(axis=1))
    lines = lines_of({"limen, bytes": lambda: program(X)}, others, {}, RUNS)
    onnx = [line for line in lines if line.name.startswith("ONNX") and line.median]
    if onnx:
        lines[0].against, lines[0].at_least = min(onnx, key=lambda line: line.median or 0).name, 2.0
    return [Row("latency", "3", f"{' - '.join(map(str, MNIST))}, ±1, one image through Python", lines)]


def _ternary(quick: bool) -> list[Row]:
    found = []
    for number, batch in (("4a", 4096), ("4b", 256)):
        if quick:
            batch = 64
        X = np.random.default_rng(1).integers(0, 2, (batch, 1024), dtype=np.uint8)
        packed = words.pack(X)
        sides = {}
        for name, zeros in (("limen, ternary, half zeros", 0.5), ("limen, ±1", 0.0)):
            net = network((1024, 1024), zeros=zeros)
            program = bits.compile(net, how="wide")
            if not (program(X) == net(X)).all():
                raise AssertionError("limen computes something else")
            sides[name] = lambda program=program, packed=packed: program.run(packed)
        lines = lines_of(sides, {}, {"limen, ternary, half zeros": ("limen, ±1", 0.95)}, RUNS)
        lines[0].asked = "not slower (5 % noise)"
        found.append(Row("ternary", number, f"1024 → 1024, half of the weights 0, batch {batch}", lines))
    return found


def circuit(n_inputs: int, n_gates: int, n_outputs: int, seed: int = 0) -> Network:
    """Return layers of random gates of three inputs, and outputs that need them all."""
    rng = np.random.default_rng(seed)
    width, before, layers = n_gates // 5, n_inputs, []
    for _ in range(5):
        weights = np.zeros((before, width), dtype=np.int64)
        for k in range(width):
            weights[rng.choice(before, 3, replace=False), k] = rng.choice([-1, 1, 1, 2], 3)
        layers.append(Layer(weights, -(weights.sum(axis=0) // 2) - 1 + rng.integers(0, 2, width)))
        before = width
    weights = np.zeros((before, n_outputs), dtype=np.int64)
    weights[np.arange(before), np.arange(before) % n_outputs] = rng.choice([-1, 1], before)
    layers.append(Layer(weights, -(weights.sum(axis=0) // 2)))
    return Network(layers, domain="binary")


def numpy_expression(net: Network, columns: list[Array]) -> list[Array]:
    """Return outputs by NumPy: of each neuron, its products added up and compared."""
    values = columns
    for layer in net.layers:
        weights, bias = layer.dense(), layer.bias
        after = []
        for k in range(layer.n_neurons):
            z = np.full(len(columns[0]), bias[k], dtype=np.int8)
            for j in np.flatnonzero(weights[:, k]):
                z += np.int8(weights[j, k]) * values[j]
            after.append(z >= 0)
        values = after
    return values


def numpy_gates(net: Network, columns: Array) -> list[Array]:
    """Return packed outputs by NumPy: limen's own gates, one operation of arrays after the other."""
    graph = graph_of(net.layers)
    used = graph.used()
    values = [np.zeros_like(columns[0]), *columns]

    def value(literal: int) -> Array:
        return ~values[literal >> 1] if literal & 1 else values[literal >> 1]

    for gate in range(graph.n_inputs + 1, len(graph.kinds)):
        if not used[gate]:
            values.append(columns[0])
            continue
        a, b, *rest = (value(literal) for literal in graph.reads[gate])
        kind = graph.kinds[gate]
        if kind == MAJ:
            values.append((a & b) | ((a ^ b) & rest[0]))
        elif kind == AND:
            values.append(a & b)
        else:
            values.append(a ^ b ^ rest[0] if rest else a ^ b)
    return [value(literal) for literal in graph.outputs]


def _small(quick: bool) -> list[Row]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(5)
    card = Network(Layer(rng.integers(-5, 6, (12, 1)), [-3]), domain="binary")
    found = []
    for number, what, net in (
        ("5a", "a points card of 12 inputs", card),
        ("5b", "a circuit of 500 gates, 24 inputs, 8 outputs", circuit(24, 500, 8)),
    ):
        for part, n in enumerate((10_000, 100_000) if quick else (10_000_000, 1_000_000)):
            program = bits.compile(net, how="sliced")
            X = rng.integers(0, 2, (n, net.n_inputs), dtype=np.uint8)
            packed = words.pack_columns(X)
            few = X[:5000]
            if not (program(few) == net(few)).all():
                raise AssertionError("limen computes something else")
            columns = [np.ascontiguousarray(X[:, k]).astype(np.int8) for k in range(net.n_inputs)]
            model: Any
            if net is card:
                model = LogisticRegression().fit(few, net(few)[:, 0])
                model.coef_, model.intercept_ = card.layers[0].dense().T.astype(float), np.array([-2.5])
                name = "scikit-learn, LogisticRegression.predict"
            else:
                model = DecisionTreeClassifier(max_depth=12).fit(few, net(few))
                name = "scikit-learn, a tree of depth 12"
            out = np.empty((program.out_bits, packed.shape[1]), dtype=np.uint64)
            works = {
                "limen, packed columns": lambda p=program, packed=packed, n=n, out=out: p.run_columns(
                    packed, n, out=out
                ),
                "limen, bytes": lambda p=program, X=X: p(X),
            }
            others: dict[str, Any] = {
                "NumPy, a byte a row": lambda net=net, columns=columns: numpy_expression(net, columns),
                "NumPy, gates on packed words": lambda net=net, packed=packed: numpy_gates(net, packed),
                name: lambda model=model, X=X: model.predict(X),
                "reading the words: NumPy, OR of all": lambda packed=packed: np.bitwise_or.reduce(
                    packed, axis=None
                ),
            }
            runs = RUNS if net is card else 7
            lines = lines_of(
                works,
                others,
                {"limen, packed columns": ("NumPy, a byte a row", 20.0)},
                runs,
            )
            row = Row("small", f"{number}{'' if part == 0 else '′'}", f"{what}, {n:,} rows", lines)
            row.checks.append(ratio(lines, name, 100.0))
            times = float(lines[0].median or 0) / float(lines[-1].median or 1)
            row.checks.append(
                Check(
                    "time of reading the words",
                    f"{times:.2f} x",
                    "at most 1.5 x where the network is tiny",
                    times <= 1.5 if net is card else None,
                )
            )
            row.notes.append(f"{program.plan.gates} logic gates. The output has {out.nbytes / 1e6:.1f} MB.")
            found.append(row)
    return found


def _table(quick: bool) -> list[Row]:
    n = 16 if quick else 24
    net = circuit(n, 100, 4)
    program = bits.compile(net)
    took = statistics.median(seconds(program.truth_table)[0] for _ in range(5))
    columns = [(np.arange(1 << n) >> (n - 1 - k) & 1).astype(np.int8) for k in range(n)]
    numpy_took, values = seconds(lambda: numpy_expression(net, columns))
    if not (words.unpack_columns(program.truth_table(), 1 << n) == np.stack(values, axis=1)).all():
        raise AssertionError("limen computes something else")
    lines = [
        Line("limen, truth_table()", "limen", [took], "NumPy", 1.0, asked="under 1 s"),
        Line("NumPy", "rival", [numpy_took]),
    ]
    row = Row("table", "6", f"All 2^{n} rows of {n} inputs, 100 gates, 4 outputs", lines)
    row.notes.append("limen works on slices of 2^18 rows; NumPy holds all rows at once.")
    return [row]


def _compiling(quick: bool) -> list[Table]:
    from scipy import sparse

    rng = np.random.default_rng(3)

    def large(n_gates: int) -> Network:
        layers, before, width = [], 1000, n_gates // 20
        for _ in range(20):
            rows = rng.integers(0, before, (width, 3))
            weights = sparse.csc_array(
                (rng.choice([-1, 1, 1, 2], 3 * width), (rows.ravel(), np.repeat(np.arange(width), 3))),
                shape=(before, width),
            )
            sums = np.asarray(weights.sum(axis=0)).ravel()
            layers.append(Layer(weights, -(sums // 2) - 1 + rng.integers(0, 2, width)))
            before = width
        return Network(layers, domain="binary")

    cells = []
    for what, net, how in (
        ("points card", Network(Layer(rng.integers(-5, 6, (12, 1)), [-3]), domain="binary"), "sliced"),
        ("circuit, 500 gates", circuit(24, 500, 8), "sliced"),
        ("circuit, 100,000 gates", large(1000 if quick else 100_000), "sliced"),
        ("MNIST 3 × 256", network(MNIST), "wide"),
        ("1024 → 1024", network((1024, 1024)), "wide"),
    ):
        took, program = seconds(lambda net=net, how=how: bits.compile(net, how=how))
        gates = program.plan.gates
        cells.append(
            (what, how, f"{gates:,}" if gates else "", f"{took:.2f}", f"{program.nbytes / 1024:,.1f}")
        )
    return [
        Table(
            "compile",
            "7",
            "Compiling",
            ("what", "how", "logic gates", "seconds", "KiB of code and tables"),
            cells,
        )
    ]


def _sizes(quick: bool) -> list[Table]:
    if quick:
        return sizes({"comparator of 4 bits": circuits.comparator(4)})
    return sizes(
        {
            "MNIST 3 × 256": network(MNIST),
            "card of Adult": adult_card(),
            "comparator of 32 bits": circuits.comparator(32),
        }
    )


GROUPS: dict[str, Callable[[bool], list[Any]]] = {
    "roofs": _roofs,
    "layer": _layer,
    "mnist": _mnist,
    "latency": _latency,
    "ternary": _ternary,
    "small": _small,
    "table": _table,
    "compile": _compiling,
    "sizes": _sizes,
}
