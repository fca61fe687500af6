"""How large networks are as C and as Verilog: bytes that compilers make, and the logic that Yosys makes.

Three networks: the 784-256-256-256-10 of `bench.bits`, a points card of Adult (at most 5 points an item, as in `bench.neuron`),
and a comparator of two 32-bit numbers. A tool that isn't installed is left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np

from bench.report import Table
from limen import Layer, Network, export, logic

__all__ = ["sizes"]

ROOT = Path(__file__).resolve().parents[1]
MOST = (
    10_000  # weights that Yosys is asked about: of 300,000 it makes a million gates, in 20 minutes and 10 GB
)
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Os", "-c")
COMPILERS = {"x86-64": ("gcc",), "Cortex-M3": ("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb")}


def adult_card() -> Network:
    """Return a points card of Adult's rows, without the items that have no points."""
    from limen.learn import Perceptron, ThresholdEncoder
    from limen.table_files import read

    table = read(str(ROOT / "examples" / "adult.csv"))
    truth = np.array([str(value) for value in table["income"].to_pylist()])
    X = ThresholdEncoder(n_thresholds=2).fit_transform(table.drop_columns(["income"]), truth)
    X = np.asarray(X.toarray() if hasattr(X, "toarray") else X).astype(np.int8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that epochs run out is no matter here
        learned = Perceptron(random_state=0).fit(X, truth)
    card = logic.small_integers(learned.network_, X, max_weight=5, time_limit=20.0).network
    layer = card.layers[0]
    used = np.flatnonzero(layer.dense()[:, 0])
    return Network(
        Layer(layer.dense()[used], layer.bias), [card.inputs[k] for k in used], card.outputs, "binary"
    )


def sizes(networks: dict[str, Network]) -> list[Table]:
    """Return the table."""
    found = [name for name, (command, *_) in COMPILERS.items() if shutil.which(command)]
    logic_made = shutil.which("yosys") is not None
    columns = ["network", "weights", *(f"C, {name}" for name in found), "tables of C", "Verilog, KiB"]
    cells = []
    for title, net in networks.items():
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            c, verilog = export.to_c(net, name="net"), export.to_verilog(net, name="net")
            for name, text in {**c.files, **verilog.files}.items():
                (here / name).write_text(text)
            cell = [title, f"{_n_weights(net):,}"]
            cell += [f"{_compiled(here, COMPILERS[name]):,}" for name in found]
            cell += [f"{c.table_bytes:,}", f"{len(verilog.source) / 1024:,.1f}"]
            if logic_made:
                cell += _synthesized(here) if _n_weights(net) <= MOST else ["", ""]
            cells.append(cell)
    if logic_made:
        columns += ["LUTs of 6 inputs", "longest path"]
    notes = [
        "Bytes of code and constants with -Os. Yosys: synth, then abc -lut 6, up to 10,000 weights; combinational."
    ]
    return [Table("sizes", "8", "Sizes", columns, cells, notes)]


def _n_weights(net: Network) -> int:
    return sum(int(np.count_nonzero(layer.dense())) for layer in net.layers)


def _compiled(folder: Path, compiler: tuple[str, ...]) -> int:
    """Return the bytes of code and constants in an object file."""
    subprocess.run([*compiler, *FLAGS, "-o", "net.o", "net.c"], cwd=folder, check=True)
    size = shutil.which(compiler[0].replace("gcc", "size")) or "size"
    text = subprocess.run([size, "net.o"], cwd=folder, check=True, capture_output=True, text=True).stdout
    return int(text.splitlines()[1].split()[0])


def _synthesized(folder: Path) -> list[str]:
    script = "read_verilog net.v; synth -flatten -top net; abc -lut 6; stat; ltp -noff"
    done = subprocess.run(
        ["yosys", "-p", script], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    counts, path = re.findall(r"\$lut\s+(\d+)", done), re.findall(r"path.*\(length=(\d+)\)", done)
    return [f"{int(counts[-1]):,}" if counts else "0", path[-1] if path else ""]
