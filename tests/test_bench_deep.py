"""The benchmark of deep networks runs, on toy sizes; how right or quick anything is isn't asked here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(
    not (ROOT / "bench").is_dir(), reason="the benchmarks are in the checkout only"
)


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m bench deep`` in the checkout."""
    command = [sys.executable, "-m", "bench", "deep", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_results_are_added_to_a_file_and_printed_from_it(tmp_path):
    """A network is trained, its bytes are counted, and the rows of a later run stand beside it in the table."""
    pytest.importorskip("keras")
    out = tmp_path / "deep.json"
    done = bench("--quick", "--seeds", "1", "--only", "mnist", "--out", str(out))
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(out.read_text())["rows"]
    assert len(row["accuracy"]) == 1
    assert 0 < row["packed_bytes"] < row["file_bytes"]
    assert row["row_seconds"] > 0
    done = bench("--quick", "--seeds", "1", "--only", "monks", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert len(json.loads(out.read_text())["rows"]) == 4
    printed = bench("--table", str(out)).stdout
    assert printed == done.stdout
    assert "| **limen, 3 × 32, ±1** |" in printed
    assert "* MONK 1, limen: not measured: its folder isn't there" in printed


def test_a_rival_that_is_not_there_is_named(tmp_path):
    """Rivals in a Python without them are results that say why there are no numbers; the others are measured."""
    out = tmp_path / "deep.json"
    none = str(tmp_path / "python")
    done = bench(
        *("--quick", "--seeds", "1", "--only", "rivals-mnist", "--out", str(out)),
        *("--tmu", none, "--torchlogix", none),
    )
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(out.read_text())["rows"]}
    assert rows["LogisticRegression"]["accuracy"]
    assert rows["Tsetlin machine, 2,000 clauses a class"]["missing"].startswith("not measured")
    assert rows["difflogic"]["missing"].startswith("not measured")


@pytest.mark.parametrize("arguments", [("--only", "none"), ("--data", "nowhere"), ("--seeds", "0")])
def test_what_cannot_be_run_is_refused(arguments):
    """An unknown group, a folder that isn't there or no seed ends with a message and no result."""
    done = bench(*arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "usage" in done.stderr
