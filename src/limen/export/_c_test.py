"""The program that tries a network in C on rows whose outputs are known."""

from __future__ import annotations

import numpy as np

from limen.export._c_header import input_type, makes_one_decision, output_type
from limen.export._c_rows import rows_for
from limen.export._c_text import table
from limen.export._vectors import vectors_for
from limen.model import Model
from limen.network import Network
from limen.step import Array

__all__ = ["vectors_program"]


def vectors_program(net: Network, name: str, n_vectors: int, model: Model | None, numbers: str) -> str:
    """Return the program; of a model with an encoding it tries rows of the table, too."""
    rows: Array = vectors_for(net, n_vectors)
    outputs = net(rows)
    into, out = input_type(net, 0), output_type(net)
    n, m = max(1, net.n_inputs), net.n_outputs
    body = rows if net.n_inputs else np.zeros((len(rows), 1), dtype=np.int64)
    packed = _packed_test(net, name, n)
    of_table: tuple[list[str], list[str]] = (
        ([], []) if model is None else _table_test(model, name, n_vectors, numbers)
    )
    lines = [
        f"/* Rows whose outputs are known, tried on {name}. */",
        *(["#include <math.h>"] if "NAN" in "".join(of_table[0]) else []),
        "#include <stdio.h>",
        f'#include "{name}.h"',
        "",
        table(into, "inputs", body),
        table(out, "outputs", outputs),
        "",
        table("int64_t", "scores", net.scores(rows)),
        *of_table[0],
        "",
        "static int wrong(long row, const char *what, long k) {",
        '    printf("row %ld: %s, output %ld: expected something else\\n", row, what, k);',
        "    return 1;",
        "}",
        "",
        "int main(void) {",
        f"    {out} out[{m}];",
        f"    int64_t z[{m}];",
        *(f"    {line}" for line in packed[0]),
        "    long row, k;",
        f"    for (row = 0; row < {len(rows)}; row++) {{",
        f'        if ({name}(inputs + row * {n}, out) != 0) return wrong(row, "refused", 0);',
        f'        if ({name}_scores(inputs + row * {n}, z) != 0) return wrong(row, "scores refused", 0);',
        f"        for (k = 0; k < {m}; k++) {{",
        f'            if (out[k] != outputs[row * {m} + k]) return wrong(row, "call", k);',
        f'            if (z[k] != scores[row * {m} + k]) return wrong(row, "scores", k);',
        "        }",
        *(f"        {line}" for line in packed[1]),
        "    }",
        *(f"    {line}" for line in of_table[1]),
        f'    printf("ok {len(rows)} rows\\n");',
        "    return 0;",
        "}",
        "",
    ]
    return "\n".join(lines)


def _packed_test(net: Network, name: str, n: int) -> tuple[list[str], list[str]]:
    """Return the declarations and statements that try the forms which not every network has."""
    m, last = net.n_outputs, net.layers[-1].activation
    declared, tried = [], []
    if last == "hardmax":
        tried.append(
            f'if (outputs[row * {m} + {name}_class(inputs + row * {n})] != 1) return wrong(row, "class", 0);'
        )
    if net.domain == "binary" and last != "identity":
        per = 2 if last == "sign" else 1
        declared = [f"uint32_t x[{-(-n // 32)}], y[{-(-per * m // 32)}];"]
        bit = f"y[(k * {per}) >> 5] >> ((k * {per}) & 31)"
        value = f"(int)({bit} & 1)" if per == 1 else f"(int)({bit} & 1) * (1 - 2 * (int)({bit} >> 1 & 1))"
        tried += [
            f"for (k = 0; k < {-(-n // 32)}; k++) x[k] = 0;",
            f"for (k = 0; k < {n}; k++) x[k >> 5] |= (uint32_t)inputs[row * {n} + k] << (k & 31);",
            f'if ({name}_packed(x, y) != 0) return wrong(row, "packed refused", 0);',
            f"for (k = 0; k < {m}; k++) {{",
            f'    if ({value} != outputs[row * {m} + k]) return wrong(row, "packed", k);',
            "}",
        ]
    return declared, tried


def _table_test(model: Model, name: str, n_rows: int, numbers: str) -> tuple[list[str], list[str]]:
    """Return the tables and statements that try rows of the table."""
    net, rows = model.network, rows_for(model, numbers, n_rows)
    outputs, m, n = net(rows.inputs), net.n_outputs, len(rows.texts)
    structs = ",\n".join(f"    {text}" for text in rows.texts)
    tables = [f"static const {name}_columns rows[{n}] = {{\n{structs}\n}};"]
    if makes_one_decision(net):
        decided = outputs.argmax(axis=1) if net.layers[-1].activation == "hardmax" else outputs[:, 0]
        tables.append(table("int32_t", "decisions", decided))
        tried = [f'if ({name}_row(rows + row) != decisions[row]) return wrong(row, "row of the table", 0);']
    else:
        tables.append(table(output_type(net), "decisions", outputs))
        tried = [
            f'if ({name}_row(rows + row, out) != 0) return wrong(row, "row refused", 0);',
            f"for (k = 0; k < {m}; k++) {{",
            f'    if (out[k] != decisions[row * {m} + k]) return wrong(row, "row of the table", k);',
            "}",
        ]
    return tables, [f"for (row = 0; row < {n}; row++) {{", *(f"    {line}" for line in tried), "}"]
