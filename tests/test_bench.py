"""The benchmark runs, on toy sizes; how quick anything is isn't asked here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUPS = {"mnist", "uint8", "csr", "csr20", "multilabel", "average", "predict", "iris"}
APART = {"stream", "text", "shards", "accuracy"}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m bench`` in the checkout."""
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


pytestmark = pytest.mark.skipif(
    not (ROOT / "bench").is_dir(), reason="the benchmarks are in the checkout only"
)


def test_every_row_is_measured_and_comes_as_json(tmp_path):
    """On tiny data every group gives rows with times, checks or cells, and the picture is drawn."""
    picture = tmp_path / "epochs.png"
    done = bench("perceptron", "--tiny", "--json", "--plot", str(picture))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {row["group"] for row in found["rows"]} == GROUPS | APART
    for row in found["rows"]:
        timed = [line for line in row.get("lines", []) if line["seconds"] or line["missing"]]
        assert timed or row.get("checks") or row.get("table"), row["work"]
    assert found["bandwidth"]["1"] > 0
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_every_side_of_the_accuracy_table_is_shown():
    """Each of limen's rules and each rival has a mean and a spread, none hidden by another column."""
    done = bench("perceptron", "--tiny", "--json", "--only", "accuracy")
    assert done.returncode == 0, done.stderr
    for row in json.loads(done.stdout)["rows"][0]["table"]:
        for side in ("limen", "limen pa1", "limen pa2", "Perceptron", "SGD(average)", "LinearSVC"):
            assert "±" in row[side]
        assert "verdict" in row


def test_the_table_is_printed_for_people():
    """Without --json a table with its header is printed, and only the groups asked for."""
    done = bench("perceptron", "--tiny", "--only", "iris")
    assert done.returncode == 0, done.stderr
    assert "Memory bandwidth" in done.stdout
    assert "[iris]" in done.stdout
    assert "[mnist]" not in done.stdout


def test_the_tables_of_exact_questions_are_made():
    """On toy sizes each group of `neuron` gives its table, every answer checked."""
    done = bench("neuron", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = {row["group"]: row["table"] for row in json.loads(done.stdout)["rows"]}
    assert set(found) == {"decide", "gates", "cards", "separable"}
    assert all(row["checked"] == "yes" for row in found["separable"])
    assert found["gates"][0]["gates: functions"] == "1: 104, 2: 152"


@pytest.mark.parametrize(
    "arguments",
    [("perceptron", "--only", "none"), ("perceptron", "--data", "nowhere"), ("neuron", "--only", "none"), ()],
)
def test_what_cannot_be_run_is_refused(arguments):
    """An unknown group, a folder that isn't there or no name ends with a message and no result."""
    done = bench(*arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "usage" in done.stderr


def test_networks_as_bits_are_measured(monkeypatch, capsys):
    """Each group of the bits benchmark gives rows with times, checks or cells; every side computes the same."""
    monkeypatch.syspath_prepend(str(ROOT))
    from bench import bits

    monkeypatch.setattr(bits, "RUNS", 1)
    monkeypatch.setattr(bits, "LEAST_SECONDS", 0.0)
    bits.main(["--quick", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {row["group"] for row in found["rows"]} == set(bits.GROUPS)
    for row in found["rows"]:
        timed = [line for line in row.get("lines", []) if line["seconds"] or line["missing"]]
        assert timed or row.get("table"), row["work"]
