"""Networks as Verilog: every exact network on bits of the zoo in two simulators, combinational and pipelined."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nets
from limen import Layer, Network
from limen.errors import InputError, NotExactError
from limen.export import to_verilog
from tools import run, tool

NAMES = nets.names(lambda net: net.is_exact and net.domain == "binary")
MAJORITY = Network(Layer([[1], [1], [1]], [-2]), domain="binary")
MOST = 300  # rows


def stages_of(k, net):
    """Return another number of stages for one network after the other."""
    return (0, 1, net.depth + 1, net.depth)[(k + k // 2) % 4]


def made(k, name):
    """Return a network of the zoo in Verilog."""
    net = nets.ZOO[name]
    return to_verilog(net, name=f"net{k}", stages=stages_of(k, net), vectors=MOST)


def written(source, folder):
    """Write a network's files and return their names."""
    for file, text in source.files.items():
        (folder / file).write_text(text)
    return list(source.files)


@pytest.mark.parametrize("name", NAMES)
def test_the_test_bench_passes_in_icarus(name, tmp_path):
    """The module does in Icarus Verilog, without a warning, what the network does, some of them behind registers."""
    source = made(NAMES.index(name), name)
    files = written(source, tmp_path)
    printed = run(tool("iverilog", "iverilog"), "-g2001", "-Wall", "-o", "bench", *files, folder=tmp_path)
    assert printed == ""
    assert re.fullmatch(
        rf"{source.name}: ok \d+ rows\n.*", run(tool("vvp", "iverilog"), "bench", folder=tmp_path), re.S
    )


def test_vectors_are_the_networks_rows():
    """What the bench expects is what the network says, bit by bit; small networks are tried on all rows."""
    net = nets.ZOO["hardmax last, ties"]
    text = to_verilog(net, name="net", vectors=MOST).test
    found = {
        int(x, 16): int(y, 16)
        for x, y in re.findall(r"'h([0-9a-f]+); expected\[\d+\] = \d+'h([0-9a-f]+)", text)
    }
    rows = np.arange(2**net.n_inputs)[:, np.newaxis] >> np.arange(net.n_inputs) & 1
    expected = net(rows) @ (1 << np.arange(net.n_outputs))
    assert found == dict(enumerate(expected.tolist()))


def top_of(sources):
    """Return one bench for all modules at once, and the rows it reads: a bench each takes minutes to compile."""
    declared, read, given, checked, files = [], [], [], [], {}
    for source in sources:
        k, test = source.name, source.test
        rows = re.findall(r"'h([0-9a-f]+); expected\[\d+\] = \d+'h([0-9a-f]+);", test)
        files[f"{k}.given"], files[f"{k}.expected"] = (
            "".join(f"{row[j]}\n" for row in rows) for j in range(2)
        )
        wide = [int(re.search(rf" \[(\d+):0\] {port};", test)[1]) for port in ("in", "out")]
        last = len(rows) - 1
        clock = ".clk(clk), " if source.latency else ""
        declared.append(
            f"reg [{wide[0]}:0] {k}_in; reg [{wide[0]}:0] {k}_given [0:{last}]; wire [{wide[1]}:0] {k}_out;"
            f" reg [{wide[1]}:0] {k}_expected [0:{last}]; {k} {k}_dut({clock}.in({k}_in), .out({k}_out)"
            f"{', .winner()' if '.winner(' in test else ''});"
        )
        read.append(f'$readmemh("{k}.given", {k}_given); $readmemh("{k}.expected", {k}_expected);')
        given.append(f"{k}_in = {k}_given[row % {last + 1}];")
        checked.append(f'if ({k}_out !== {k}_expected[row % {last + 1}]) $display("{k}: row %0d", row);')
    text = "\n".join(
        [
            "module top;",
            "reg clk = 0;",
            "integer row, edges;",
            *declared,
            "initial begin",
            *read,
            f"for (row = 0; row < {MOST}; row = row + 1) begin",
            *given,
            "for (edges = 0; edges < 9; edges = edges + 1) begin #1 clk = 1; #1 clk = 0; end",
            "#1;",
            *checked,
            'end $display("done"); $finish; end',
            "endmodule",
            "",
        ]
    )
    return text, files


def test_verilator_agrees_and_has_nothing_to_say(tmp_path):
    """All modules are clean under Verilator's lint; every second one, compiled by it, computes the network's outputs."""
    verilator = tool("verilator", "verilator")
    sources = [made(k, name) for k, name in enumerate(NAMES)]
    for source in sources:
        written(source, tmp_path)
    modules = [f"{source.name}.v" for source in sources]
    assert run(verilator, "--lint-only", "-Wall", "-Wno-MULTITOP", *modules, folder=tmp_path) == ""
    sources = sources[::2]  # compiling takes longer than all else
    modules = [f"{source.name}.v" for source in sources]
    text, files = top_of(sources)
    (tmp_path / "top.v").write_text(text)
    for file, rows in files.items():
        (tmp_path / file).write_text(rows)
    quiet = ["-Wno-fatal", "-Wno-WIDTH", "-Wno-PINMISSING", "-Wno-DECLFILENAME", "-CFLAGS", "-O0"]
    run(verilator, "--binary", "-j", "2", *quiet, "--top-module", "top", "top.v", *modules, folder=tmp_path)
    printed = run(tmp_path / "obj_dir" / "Vtop", folder=tmp_path)
    assert printed.splitlines()[0] == "done", printed[:500]


@pytest.mark.parametrize("stages", [0, 2])
def test_one_wrong_constant_is_found(stages, tmp_path):
    """A bench whose module has one limit changed says in which row."""
    source = to_verilog(nets.ZOO["twelve inputs"], name="net", stages=stages)
    written(source, tmp_path)
    limit = re.search(r"h3\[0\] = c3_0 (>=) ", source.source)
    (tmp_path / "net.v").write_text(source.source[: limit.start(1)] + "<" + source.source[limit.end(1) :])
    run(tool("iverilog", "iverilog"), "-g2001", "-o", "bench", *source.files, folder=tmp_path)
    printed = run(tool("vvp", "iverilog"), "bench", folder=tmp_path)
    assert re.search(r"net: row \d+: expected", printed)
    assert "ok" not in printed


@pytest.mark.parametrize("stages", range(5))
def test_stages_are_registers(stages):
    """So many registers lie between input and output, and the last of them at the output."""
    net = nets.ZOO["twelve inputs"]
    source = to_verilog(net, name="net", stages=stages)
    assert source.latency == stages
    assert source.source.count("posedge clk") == stages
    assert ("input clk" in source.source) == (stages > 0)
    if stages:
        assert "assign out = r3;" in source.source


def test_names_stay_in_comments(tmp_path):
    """Names that try to be Verilog are comments, and the module compiles."""
    names = ["*/ $finish; /*", "a\nendmodule", "\\", "`include", 'x"', "é✓"]
    net = Network(Layer([[1]] * 6, [-2]), names, ["out\n$display(1);"], domain="binary")
    source = to_verilog(net, name="net")
    files = written(source, tmp_path)
    run(tool("iverilog", "iverilog"), "-g2001", "-o", "bench", *files, folder=tmp_path)
    assert run(tool("vvp", "iverilog"), "bench", folder=tmp_path).startswith("net: ok 64 rows")
    assert source.source.count("endmodule\n") == 1


@pytest.mark.parametrize("m", [31, 62])
def test_sums_may_leave_int64(m):
    """Behind sign neurons, weights at the edge of int64 need one bit more, and get it."""
    weight = 2**m
    net = Network([Layer([[1, -1]], [0, 0], "sign"), Layer([[weight], [weight - 2]], [-1])], domain="binary")
    source = to_verilog(net, name="net").source
    assert f"[{(2 * (2 * weight - 2)).bit_length() - 1}:0] c2_0" in source


@pytest.mark.parametrize(
    ("net", "options", "error", "expected"),
    [
        (MAJORITY, {"name": "module"}, InputError, "no word of Verilog"),
        (MAJORITY, {"name": "a b"}, InputError, "name must be letters"),
        (MAJORITY, {"stages": 3}, InputError, "stages must be a whole number from 0 to 2"),
        (MAJORITY, {"stages": -1}, InputError, "stages must be"),
        (MAJORITY, {"stages": True}, InputError, "stages must be"),
        (Network(Layer([[1]], [0]), domain="integer"), {}, InputError, "inputs that are 0 and 1"),
        (Network(Layer([[0.5]], [0.0]), domain="binary"), {}, NotExactError, "to_integers"),
        ("net", {}, InputError, "Received: str"),
    ],
)
def test_what_verilog_cannot_carry_is_refused(net, options, error, expected):
    """Each refusal says what and what to do."""
    with pytest.raises(error, match=expected):
        to_verilog(net, **options)
