"""``limen export``: a saved model as C, Verilog, ONNX, and in the other forms it can be given away in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limen.cli.files import check_writable, write_text
from limen.cli.streams import data, message, result_json

if TYPE_CHECKING:
    from limen.model import Model

__all__ = ["Form", "export"]


class Form(StrEnum):
    """What a model can be given away as."""

    c = "c"
    verilog = "verilog"
    onnx = "onnx"
    keras = "keras"
    cnf = "cnf"
    dot = "dot"
    th = "th"
    table = "table"


ENDINGS = {
    Form.c: ".c",
    Form.verilog: ".v",
    Form.onnx: ".onnx",
    Form.keras: ".keras",
    Form.cnf: ".cnf",
    Form.dot: ".dot",
    Form.th: ".th",
    Form.table: ".csv",
}


def export(
    model_file: Annotated[Path, typer.Argument(metavar="MODEL", help="A .limen file.", show_default=False)],
    to: Annotated[
        Form,
        typer.Option(
            "--to",
            help="C99; Verilog-2001; ONNX; a Keras model; DIMACS for SAT solvers; Graphviz; threshold-logic text; the truth table as CSV.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write; C and Verilog write a header, or a test, beside it. [default: the model's name with the"
            " form's ending, in this folder]",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of the function or module in C and Verilog. [default: the file's]"
        ),
    ] = None,
    stages: Annotated[int, typer.Option(min=0, metavar="N", help="Registers on the way, in Verilog.")] = 0,
    floats: Annotated[
        bool, typer.Option("--floats", help="ONNX in float32, for models that aren't exact.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print which files were written as JSON.")] = False,
) -> None:
    """Give a model away in a form that others run; each computes exactly what the model does, or is refused."""
    from limen.errors import InputError
    from limen.export import load

    if stages and to is not Form.verilog:
        raise InputError(f"--stages is for Verilog. Received: --to {to.value}.")
    if floats and to is not Form.onnx:
        raise InputError(f"--floats is for ONNX. Received: --to {to.value}.")
    if name is not None and to not in (Form.c, Form.verilog):
        raise InputError(f"--name is for C and Verilog. Received: --to {to.value}.")
    model = load(model_file)
    to_stdout = output == Path("-")
    if to_stdout and to is Form.keras:
        raise InputError("A Keras model is written to a file. Give --output FILE.keras.")
    path = Path(f"{model_file.stem}{ENDINGS[to]}") if output is None or to_stdout else output
    if not to_stdout:
        named = to in (Form.c, Form.verilog, Form.keras)  # others write beside them, or need the ending
        check_writable(path, reads=(model_file,), ending=ENDINGS[to] if named else "")
    if to is Form.keras:
        _save_keras(model, path)
        written = [path]
    else:
        files = _files(model, to, path, name, stages, floats)
        if to_stdout:
            data(files[path])
            return
        for file in files:
            check_writable(file, reads=(model_file,))
        for file, content in files.items():
            write_text(file, content)
        written = list(files)
    if as_json:
        result_json({"files": [{"path": str(file), "bytes": file.stat().st_size} for file in written]})
        return
    for file in written:
        message(f"Written: {file} ({file.stat().st_size:,} bytes).")


def _files(
    model: Model, to: Form, path: Path, name: str | None, stages: int, floats: bool
) -> Mapping[Path, bytes]:
    """Return the contents of the files of a form, the one asked for first."""
    from limen import export as room

    called = name if name is not None else _identifier(path.stem)
    if to is Form.c:
        made = room.to_c(model, name=called)
        header = made.source.replace(f'#include "{called}.h"', f'#include "{path.stem}.h"')
        return {
            path: header.encode(),
            path.with_suffix(".h"): made.header.encode(),
            path.with_name(f"{path.stem}_test{path.suffix}"): made.test.replace(
                f'#include "{called}.h"', f'#include "{path.stem}.h"'
            ).encode(),
        }
    if to is Form.verilog:
        verilog = room.to_verilog(model, name=called, stages=stages)
        return {
            path: verilog.source.encode(),
            path.with_name(f"{path.stem}_test{path.suffix}"): verilog.test.encode(),
        }
    texts: dict[Form, Any] = {
        Form.cnf: lambda: room.to_cnf(model).text,
        Form.dot: lambda: room.to_dot(model) + "\n",
        Form.th: lambda: room.to_th(model, name=_identifier(path.stem)),
        Form.table: lambda: room.to_truth_table(model, format="csv"),
    }
    if to is Form.onnx:
        return {path: room.to_onnx(model, exact=not floats).SerializeToString()}
    return {path: texts[to]().encode()}


def _identifier(text: str) -> str:
    from limen.export._names import identifier

    return identifier(text)


def _save_keras(model: Model, path: Path) -> None:
    from limen.learn import keras_model

    keras_model(model.network).save(path)
