"""``limen export``: a saved model in the forms that others run."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest

import limen as library
from limen import Encoding, Layer, Model, Network
from limen.encoding import Thresholds
from limen.export import from_th
from limen.learn import network_from
from shell import limen
from tools import run, tool

NET = Network(Layer([[1], [1], [-2]], [-1]), ["a >= 1", "b", "c"], ["y"], domain="binary")


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Return a model's file; the folder is the current one."""
    library.save(NET, tmp_path / "my model.limen")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "my model.limen"


def test_c_is_written_with_its_header_and_its_test(model, tmp_path):
    """Three files are written, named after the model, and the test among them passes."""
    ended = limen("export", model, "--to", "c")
    assert ended.code == 0, ended.err
    assert {path.name for path in tmp_path.iterdir()} == {
        "my model.limen",
        "my model.c",
        "my model.h",
        "my model_test.c",
    }
    assert "int my_model(const uint8_t *in, int8_t *out);" in (tmp_path / "my model.h").read_text()
    run(
        tool("gcc", "gcc"),
        "-std=c99",
        "-Wall",
        "-Werror",
        "my model.c",
        "my model_test.c",
        "-o",
        "t",
        folder=tmp_path,
    )
    assert run(tmp_path / "t") == "ok 8 rows\n"


def test_names_and_stages_are_passed_on(model, tmp_path):
    """--name calls the function or module, --stages pipelines it, --output says where."""
    assert limen("export", model, "--to", "verilog", "--name", "top", "--stages", 1, "-o", "x.v").code == 0
    assert "module top(input clk," in (tmp_path / "x.v").read_text()
    assert "module top_test;" in (tmp_path / "x_test.v").read_text()
    assert limen("export", model, "--to", "c", "--name", "decide", "-o", "x.c").code == 0
    assert "int decide(" in (tmp_path / "x.h").read_text()


def test_onnx_and_keras_files_hold_the_network(model, tmp_path):
    """Other programs load the files, and they compute what the network does."""
    rows = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    assert limen("export", model, "--to", "onnx").code == 0
    session = onnxruntime.InferenceSession(
        str(tmp_path / "my model.onnx"), providers=["CPUExecutionProvider"]
    )
    assert (session.run(["output"], {"X": rows.astype(np.uint8)})[0] == NET(rows)).all()
    assert limen("export", model, "--to", "keras").code == 0
    from limen.learn.keras import keras

    loaded = keras.models.load_model(tmp_path / "my model.keras")
    assert (network_from(loaded)(rows) == NET(rows)).all()


def test_texts_go_to_standard_output_if_asked(model):
    """-o - prints; what is printed as threshold-logic text is the network, as DIMACS a formula, as Graphviz a graph."""
    assert from_th(limen("export", model, "--to", "th", "-o", "-").out) == NET
    assert limen("export", model, "--to", "cnf", "-o", "-").out.splitlines()[-1].endswith(" 0")
    assert limen("export", model, "--to", "dot", "-o", "-").out.startswith("digraph network {")
    table = limen("export", model, "--to", "table", "-o", "-").out.splitlines()
    assert (table[0], len(table)) == ("a >= 1,b,c,y", 9)


def test_what_was_written_as_json(model):
    """With --json the files are listed with their sizes."""
    said = json.loads(limen("export", model, "--to", "c", "--json").out)
    assert [entry["path"] for entry in said["files"]] == ["my model.c", "my model.h", "my model_test.c"]
    assert all(entry["bytes"] > 100 for entry in said["files"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--to", "c", "--stages", 2], "--stages is for Verilog"),
        (["--to", "c", "--floats"], "--floats is for ONNX"),
        (["--to", "onnx", "--name", "x"], "--name is for C and Verilog"),
        (["--to", "c", "--name", "int"], "no word of C"),
        (["--to", "keras", "-o", "-"], "written to a file"),
        (["--to", "keras", "-o", "x.h5"], "must end in .keras"),
        (["--to", "c", "-o", "x.h"], "must end in .c"),
        (["--to", "verilog", "-o", "x"], "must end in .v"),
        (["--to", "dot", "-o", "my model.limen"], "this command reads it"),
        (["--to", "c", "-o", "nowhere/x.c"], "there is no folder nowhere"),
        (["--to", "verilog", "--stages", 9], "stages must be"),
    ],
)
def test_what_cannot_be_done_is_named_and_nothing_is_written(model, tmp_path, options, expected):
    """A refusal is one line, exit code 1, and no file."""
    ended = limen("export", model, *options)
    assert ended.code == 1
    assert expected in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["my model.limen"]


def test_a_model_that_is_not_exact_says_what_to_do(tmp_path, monkeypatch):
    """Fractions are refused in C with the remedy; ONNX takes them with --floats."""
    monkeypatch.chdir(tmp_path)
    encoding = Encoding([Thresholds("a", (1,))])
    net = Network(Layer([[0.5]], [-0.25]), encoding.inputs, domain="binary")
    library.save(Model(net, encoding, ["no", "yes"]), tmp_path / "m.limen")
    ended = limen("export", "m.limen", "--to", "c")
    assert (ended.code, "to_integers" in ended.err) == (1, True)
    assert limen("export", "m.limen", "--to", "onnx", "--floats").code == 0
    session = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    assert session.run(["label"], {"a": np.array([[0.0], [1.0]])})[0].tolist() == ["no", "yes"]
