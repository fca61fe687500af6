"""A network as Verilog-2001: synthesizable, combinational or pipelined, with a test bench.

`to_verilog` returns a `VerilogSource`. The module of a network called ``name`` has

=============================  =======================================================================================
``input [n-1:0] in``           bit k is input k
``output [m-1:0] out``         bit k is output k (heaviside, hardmax); bits 2k and 2k + 1 are sign k in two's complement; of an
                               identity layer bits w·k to w·k + w - 1 are net input k, signed, w bits wide
``output [i-1:0] winner``      the number of the winning output, if the last layer is hardmax
``input clk``                  if there are `stages`: the outputs of a row are there so many rising edges later
=============================  =======================================================================================

Weights are bit planes: a neuron counts the bits of ``(in ^ signs) & mask`` for each plane, and compares the sum with a constant. A neuron
that reads few of many inputs adds a constant for each of them instead.
Sums are as wide as the weights prove they must be, beyond 64 bits if need be, and unsigned until the last subtraction.

What this form can't carry: networks on integers or real numbers, floats, smooth activations.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import limen
from limen import _text
from limen._digest import network_digest
from limen.errors import InputError
from limen.export._admission import binary_network
from limen.export._names import commented
from limen.export._stages import Neuron, Stage, index_bits, stages_of
from limen.export._verilog_bench import bench
from limen.model import Model
from limen.network import Network

__all__ = ["VerilogSource", "to_verilog"]

_WORDS = """
always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default
defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive
endspecify endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone
incdir include initial inout input instance integer join large liblist library localparam macromodule
medium module nand negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos posedge
primitive pull0 pull1 pulldown pullup pulsestyle_onevent pulsestyle_ondetect rcmos real realtime reg
release repeat rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg
unsigned use vectored wait wand weak0 weak1 while wire wor xnor xor bit byte logic int do return
"""
KEYWORDS = frozenset(_WORDS.split())


@final
@dataclass(frozen=True)
class VerilogSource:
    """A network in Verilog.

    Parameters
    ----------
    name : str
    source, test : str
        Texts of ``name.v`` and ``name_test.v``.
    latency : int
        Rising edges of the clock between inputs and their outputs; 0: there is no clock.
    """

    name: str
    source: str
    test: str
    latency: int

    @property
    def files(self) -> dict[str, str]:
        """The texts by the names their files must have."""
        return {f"{self.name}.v": self.source, f"{self.name}_test.v": self.test}

    def __repr__(self) -> str:
        return f"VerilogSource({self.name!r}, {_text.plural(self.latency, 'stage')})"


def to_verilog(
    net: Network | Model, *, name: str = "network", stages: int = 0, vectors: int = 64
) -> VerilogSource:
    """Return a network as Verilog-2001.

    Parameters
    ----------
    net : Network or Model
        Exact and on bits.
    name : str
        What the module is called.
    stages : int
        Registers on the way: 0 for none, up to one after each layer and one before the first.
    vectors : int
        Rows that the test bench tries.

    Returns
    -------
    VerilogSource

    Raises
    ------
    InputError
        A name that isn't one in Verilog, too many stages, or a network that isn't on bits.
    NotExactError
        Floats or smooth activations.

    Examples
    --------
    >>> from limen import Layer, Network, export
    >>> majority = Network(Layer([[1], [1], [1]], [-2]), domain="binary")
    >>> made = export.to_verilog(majority, name="majority")
    >>> "module majority(input [2:0] in, output [0:0] out);" in made.source
    True
    """
    network = binary_network(net, "Verilog")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,60}", name) or name in KEYWORDS:
        raise InputError(
            "name must be letters, digits and underscores, at most 61, the first a letter, and no word of Verilog."
            f" Received: {name!r}."
        )
    if isinstance(vectors, bool) or not isinstance(vectors, int) or vectors < 1:
        raise InputError(f"vectors must be a whole number from 1. Received: {vectors!r}.")
    if isinstance(stages, bool) or not isinstance(stages, int) or not 0 <= stages <= network.depth + 1:
        raise InputError(
            f"stages must be a whole number from 0 to {network.depth + 1}: one register after each of the network's"
            f" layers, and one before them. Received: {stages!r}."
        )
    layers = stages_of(network)
    registers = _registers(network.depth, stages)
    source = "\n".join([_about(network, name, stages), *_module(network, name, layers, registers), ""])
    return VerilogSource(name, source, bench(network, name, layers[-1], stages, vectors), stages)


def _registers(depth: int, stages: int) -> set[int]:
    """Return after which layers there is a register, evenly spread and always after the last; 0 is before the first."""
    if stages == depth + 1:
        return set(range(depth + 1))
    return {depth - depth * k // stages for k in range(stages)} if stages else set()


def _about(net: Network, name: str, stages: int) -> str:
    lines = [
        f"{name}: {_text.chain(net)}, {_text.plural(stages, 'stage')}. Written by limen {limen.__version__}.",
        f"SHA-256 of the network: {network_digest(net)}.",
        "",
    ]
    lines += [f"in[{k}] is {commented(text)}" for k, text in enumerate(net.inputs)]
    lines += [f"output {k} is {commented(text)}" for k, text in enumerate(net.outputs)]
    return "\n".join(f"// {line}".rstrip() for line in lines)


def _module(net: Network, name: str, layers: Sequence[Stage], registers: set[int]) -> list[str]:
    last = layers[-1]
    ports = [*(["input clk"] if registers else []), f"input [{max(1, net.n_inputs) - 1}:0] in"]
    ports.append(f"output [{last.out_bits - 1}:0] out")
    if last.decide == "hardmax":
        ports.append(f"output [{index_bits(last) - 1}:0] winner")
    quiet = any(map(_leaves_unread, layers))
    lines = (
        ["/* verilator lint_off UNUSEDSIGNAL */  // some neuron is constant, or no neuron reads some bit"]
        if quiet
        else []
    )
    lines.append(f"module {name}({', '.join(ports)});")
    before = "in"
    if 0 in registers:
        lines += _register("r0", max(1, net.n_inputs), "in")
        before = "r0"
    for k, stage in enumerate(layers):
        lines += _layer(k + 1, stage, before, is_last=stage is last)
        before = f"h{k + 1}"
        if k + 1 in registers:
            lines += _register(f"r{k + 1}", _bits_between(stage, stage is last), before)
            before = f"r{k + 1}"
            if stage is last and stage.decide == "hardmax":
                lines += _register("w", index_bits(stage), f"w{k + 1}")
    lines.append(f"  assign out = {before};")
    if last.decide == "hardmax":
        lines.append(f"  assign winner = {'w' if len(layers) in registers else f'w{len(layers)}'};")
    return [*lines, "endmodule", *(["/* verilator lint_on UNUSEDSIGNAL */"] if quiet else [])]


def _leaves_unread(stage: Stage) -> bool:
    """Whether a layer has a constant neuron, or a bit that no neuron reads."""
    decides = stage.decide in {"heaviside", "sign"}
    constant = [decides and not 0 < n.limit <= n.most + (stage.decide == "sign") for n in stage.neurons]
    read = {row for neuron in stage.neurons for row in neuron.weights}
    return (
        any(constant)
        or len(read) < max(stage.n_inputs, 1)
        or (stage.decide == "hardmax" and len(stage.neurons) == 1)
    )


def _bits_between(stage: Stage, is_last: bool) -> int:
    return stage.out_bits if is_last or stage.decide != "identity" else len(stage.neurons)


def _register(name: str, width: int, source: str) -> list[str]:
    return [f"  reg [{width - 1}:0] {name};", f"  always @(posedge clk) {name} <= {source};"]


def _layer(k: int, stage: Stage, before: str, *, is_last: bool) -> list[str]:
    """Return the lines of a layer: a function that counts, a count for each neuron, and what is decided."""
    n, width = max(1, stage.n_inputs), stage.width
    lines = [
        "",
        f"  // Layer {k}: {stage.n_inputs} inputs, {_text.plural(len(stage.neurons), 'neuron')} of {stage.decide}.",
    ]
    counts = [_count(k, neuron, n, width, before) if neuron.weights else "" for neuron in stage.neurons]
    if any(f"ones{k}(" in count for count in counts):
        one = "bits[i]" if width == 1 else f"{{{{{width - 1}{{1'b0}}}}, bits[i]}}"
        lines += [
            f"  function [{width - 1}:0] ones{k};",
            f"    input [{n - 1}:0] bits;",
            "    integer i;",
            "    begin",
            f"      ones{k} = {width}'d0;",
            f"      for (i = 0; i < {n}; i = i + 1) ones{k} = ones{k} + {one};",
            "    end",
            "  endfunction",
        ]
    lines += [f"  wire [{width - 1}:0] c{k}_{j} = {count};" for j, count in enumerate(counts) if count]
    if stage.decide == "heaviside":
        fires = [_reaches(f"c{k}_{j}", neuron, neuron.limit, width) for j, neuron in enumerate(stage.neurons)]
        return [*lines, f"  wire [{len(fires) - 1}:0] h{k};", *_assigned(f"h{k}", fires)]
    if stage.decide == "sign":
        above = [_reaches(f"c{k}_{j}", n_, n_.limit + 1, width) for j, n_ in enumerate(stage.neurons)]
        below = [_negated(_reaches(f"c{k}_{j}", n_, n_.limit, width)) for j, n_ in enumerate(stage.neurons)]
        if is_last:
            bits = [
                bit for up, down in zip(above, below, strict=True) for bit in (f"({up}) | ({down})", down)
            ]
        else:
            bits = above + below
        return [*lines, f"  wire [{len(bits) - 1}:0] h{k};", *_assigned(f"h{k}", bits)]
    signed = stage.signed_width
    for j, neuron in enumerate(stage.neurons):
        shift = -neuron.limit % (1 << signed)
        pad = f"{{{{{signed - width}{{1'b0}}}}, c{k}_{j}}}" if signed > width else f"c{k}_{j}"
        value = f"{pad} + {signed}'h{shift:x}" if neuron.weights else f"{signed}'h{shift:x}"
        lines.append(f"  wire signed [{signed - 1}:0] z{k}_{j} = {value};")
    if stage.decide == "identity":
        bits_of = ", ".join(f"z{k}_{j}" for j in reversed(range(len(stage.neurons))))
        return [*lines, f"  wire [{stage.out_bits - 1}:0] h{k} = {{{bits_of}}};"]
    return lines + _winner(k, stage, signed)


def _count(k: int, neuron: Neuron, n: int, width: int, before: str) -> str:
    """Return a neuron's count: the sum of its planes, each shifted to its place, or of its weights where that is shorter."""
    by_weight = " + ".join(
        f"({before}[{row}] ? {width}'d{max(weight, 0)} : {width}'d{max(-weight, 0)})"
        for row, weight in neuron.weights.items()
    )
    used = 0
    for weight in neuron.weights.values():
        used |= abs(weight)
    if used.bit_count() * n / 2 > len(by_weight):  # a plane takes about that many digits
        return by_weight
    signs = sum(1 << row for row, weight in neuron.weights.items() if weight < 0)
    planes = []
    for p in range(used.bit_length()):
        mask = sum(1 << row for row, weight in neuron.weights.items() if abs(weight) >> p & 1)
        if mask:
            bits = f"{before} ^ {n}'h{signs:x}" if signs else before
            bits = bits if mask == (1 << n) - 1 else f"({bits}) & {n}'h{mask:x}"
            planes.append(f"ones{k}({bits})" if p == 0 else f"(ones{k}({bits}) << {p})")
    return " + ".join(planes)


def _reaches(count: str, neuron: Neuron, limit: int, width: int) -> str:
    """Return whether a count reaches a limit; a constant where every count does, or none."""
    if limit <= 0:
        return "1'b1"
    if limit > neuron.most:
        return "1'b0"
    return f"{count} >= {width}'h{limit:x}"


def _negated(condition: str) -> str:
    return {"1'b1": "1'b0", "1'b0": "1'b1"}.get(condition, condition.replace(">=", "<"))


def _assigned(name: str, values: Sequence[str]) -> list[str]:
    return [f"  assign {name}[{j}] = {value};" for j, value in enumerate(values)]


def _winner(k: int, stage: Stage, signed: int) -> list[str]:
    """Return the lines that find the largest net input, the first of equals."""
    index, n = index_bits(stage), len(stage.neurons)
    lines = [
        f"  reg [{index - 1}:0] w{k};",
        f"  reg signed [{signed - 1}:0] best{k};",
        "  always @* begin",
        f"    best{k} = z{k}_0;",
        f"    w{k} = {index}'d0;",
    ]
    lines += [
        f"    if (z{k}_{j} > best{k}) begin best{k} = z{k}_{j}; w{k} = {index}'d{j}; end" for j in range(1, n)
    ]
    lines += ["  end", f"  wire [{n - 1}:0] h{k};"]
    return lines + _assigned(f"h{k}", [f"w{k} == {index}'d{j}" for j in range(n)])
