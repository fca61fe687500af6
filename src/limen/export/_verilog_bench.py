"""The test bench of a network in Verilog: rows whose outputs are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limen.export._stages import Stage, index_bits
from limen.export._vectors import vectors_for
from limen.network import Network

__all__ = ["bench"]


def bench(net: Network, name: str, last: Stage, stages: int, vectors: int) -> str:
    rows = vectors_for(net, vectors)
    n, m = max(1, net.n_inputs), last.out_bits
    inputs = [sum(1 << int(j) for j in np.flatnonzero(row)) for row in rows]
    outputs = [_as_bits(row, last) for row in net(rows).tolist()]
    ports = [*([".clk(clk)"] if stages else []), ".in(in)", ".out(out)"]
    wires = ["  reg clk = 1'b0;"] if stages else []
    if last.decide == "hardmax":
        ports.append(".winner(winner)")
        wires.append(f"  wire [{index_bits(last) - 1}:0] winner;")
    wait = f"repeat ({stages}) begin #1 clk = 1'b1; #1 clk = 1'b0; end" if stages else "#1;"
    check = "out !== expected[row]"
    if last.decide == "hardmax":
        check += f" || out !== ({m}'d1 << winner)"
    return "\n".join(
        [
            f"// Rows whose outputs are known, tried on {name}.",
            f"module {name}_test;",
            "  parameter FINISH = 1;",
            "  integer row, wrong;",
            f"  reg [{n - 1}:0] in;",
            f"  wire [{m - 1}:0] out;",
            *wires,
            f"  reg [{n - 1}:0] given [0:{len(rows) - 1}];",
            f"  reg [{m - 1}:0] expected [0:{len(rows) - 1}];",
            f"  {name} dut({', '.join(ports)});",
            "  initial begin",
            *(
                f"    given[{k}] = {n}'h{x:x}; expected[{k}] = {m}'h{y:x};"
                for k, (x, y) in enumerate(zip(inputs, outputs, strict=True))
            ),
            "    wrong = 0;",
            f"    for (row = 0; row < {len(rows)}; row = row + 1) begin",
            "      in = given[row];",
            f"      {wait}",
            f"      if ({check}) begin",
            f'        if (wrong == 0) $display("{name}: row %0d: expected %h, got %h", row, expected[row], out);',
            "        wrong = wrong + 1;",
            "      end",
            "    end",
            f'    if (wrong == 0) $display("{name}: ok {len(rows)} rows");',
            "    if (FINISH != 0) $finish;",
            "  end",
            "endmodule",
            "",
        ]
    )


def _as_bits(outputs: Sequence[int], last: Stage) -> int:
    per = {"sign": 2, "identity": last.signed_width}.get(last.decide, 1)
    return sum((value % (1 << per)) << per * k for k, value in enumerate(outputs))
