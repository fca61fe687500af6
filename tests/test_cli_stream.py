"""``limen fit --stream``: tables larger than memory, with the report, the refusals and the interrupt of any other fit."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import limen as library
from limen import _memory
from limen.cli import memory, progress
from limen.cli.interrupts import insistent
from limen.learn import stream_trial as module
from shell import EXAMPLES, Ended, limen, write_csv

ADULT = EXAMPLES / "adult.csv"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fitted(*arguments: object) -> dict:
    """Run ``limen fit … --json`` and return what it says."""
    ended = limen("fit", *arguments, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def refused(ended: Ended, *words: str) -> None:
    """Hold a refusal to its form: code 1, nothing on standard output, one line that starts with Error."""
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


def test_the_report_says_that_the_table_was_streamed_and_from_how_many_rows(monkeypatch):
    """One line names the size of the sample; all other lines are those of any fit."""
    monkeypatch.setattr(module, "SAMPLE_ROWS", 1000)
    ended = limen("fit", ADULT, "-t", "income", "--stream", "--max-iter", 3)
    assert ended.code == 0, ended.err
    assert "Streamed  in parts; thresholds and categories from a sample of 1,000 rows\n" in ended.out
    plain = limen("fit", ADULT, "-t", "income", "--max-iter", 3)
    assert "Streamed" not in plain.out
    heads = [
        [line[:10] for line in text.splitlines() if line and not line.startswith(("+", "−", " "))]
        for text in (ended.out, plain.out)
    ]
    assert [head for head in heads[0] if head != "Streamed  "][:9] == heads[1][:9]


def test_a_sample_of_all_rows_is_called_so():
    """Where the sample holds every row learned from, no sample is spoken of."""
    ended = limen("fit", EXAMPLES / "iris.csv", "-t", "species", "--stream")
    assert "thresholds and categories from all rows learned from" in ended.out


def test_json_tells_whether_the_table_was_streamed(monkeypatch):
    """`streamed` is true or false, `sample_rows` a number or null."""
    monkeypatch.setattr(module, "SAMPLE_ROWS", 1000)
    said = fitted(ADULT, "-t", "income", "--stream", "--max-iter", 2)
    assert (said["streamed"], said["sample_rows"], said["rows"]) == (True, 1000, 3000)
    assert said["held_out"]["rows"] + said["learned_from"]["rows"] == 3000
    said = fitted(ADULT, "-t", "income", "--max-iter", 2)
    assert (said["streamed"], said["sample_rows"]) == (False, None)


def test_what_the_report_says_is_what_the_saved_model_does():
    """The counts of both sides together are those of `limen score` on the whole table."""
    said = fitted(ADULT, "-t", "income", "--stream", "--max-iter", 3)
    ended = limen("score", "adult.limen", ADULT, "--json")
    whole = json.loads(ended.out)["decisions"][0]["confusion"]
    sides = [said[side]["decisions"][0]["confusion"] for side in ("held_out", "learned_from")]
    assert whole == [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(*sides, strict=True)]


def test_a_table_larger_than_a_share_of_memory_is_streamed_unless_one_says_otherwise(monkeypatch):
    """An eighth of the memory for CSV, a sixteenth for compressed files; `--no-stream` and `--stream` go before."""
    import gzip

    size = ADULT.stat().st_size
    arguments = (ADULT, "-t", "income", "--max-iter", 2)
    for available, streamed in ((8 * size, False), (8 * size - 8, True), (None, False)):
        monkeypatch.setattr(memory, "memory", lambda found=available: found)
        assert fitted(*arguments)["streamed"] is streamed
    monkeypatch.setattr(memory, "memory", lambda: 1000)
    assert fitted(*arguments, "--no-stream")["streamed"] is False
    Path("a.csv.gz").write_bytes(gzip.compress(ADULT.read_bytes()))
    packed = Path("a.csv.gz").stat().st_size
    for available, streamed in ((16 * packed, False), (16 * packed - 16, True)):
        monkeypatch.setattr(memory, "memory", lambda found=available: found)
        assert memory.is_large("a.csv.gz") is streamed


def test_the_memory_is_that_of_the_machine_or_of_its_container(tmp_path, monkeypatch):
    """The smaller of the machine's memory and a limit that is set; a limit of `max` is none."""
    machine = _memory.memory()
    assert machine is None or machine > 1 << 20
    (tmp_path / "limit").write_text("12345678\n")
    (tmp_path / "none").write_text("max\n")
    monkeypatch.setattr(_memory, "LIMITS", (str(tmp_path / "none"), str(tmp_path / "limit")))
    assert _memory.memory() == 12345678


def test_help_states_the_rule():
    """`limen fit --help` says when a table is streamed."""
    text = " ".join(limen("fit", "--help").out.split())
    assert "--stream" in text
    assert "an eighth of the memory" in text


def test_the_same_seed_gives_the_same_file_and_another_another(monkeypatch):
    """The seed decides which rows are held out, sampled and taught when: equal seeds give equal bytes."""
    monkeypatch.setattr(module, "SAMPLE_ROWS", 500)
    files = []
    for seed in (5, 5, 6):
        fitted(ADULT, "-t", "income", "--stream", "--max-iter", 3, "--seed", seed)
        files.append(Path("adult.limen").read_bytes())
    assert files[0] == files[1] != files[2]


def test_all_other_options_work_as_in_memory():
    """Columns dropped, further texts for missing, categories, thresholds, the solution and several targets."""
    said = fitted(
        *(ADULT, "-t", "income", "--stream", "--drop", "fnlwgt,education", "--drop", "race"),
        *("--thresholds", 2, "--categorical", "education-num", "--solution", "pocket", "--max-iter", 2),
    )
    assert {"fnlwgt", "education", "race"}.isdisjoint(said["columns"])
    assert said["training"]["solution"] == "pocket"
    inputs = library.load("adult.limen").network.inputs
    assert "education-num = 10" in inputs
    assert sum(name.startswith("age >= ") for name in inputs) == 2
    table = {
        "x": [1, -999, 2, None] * 50,
        "y": ["a", "b", "c", "b"] * 50,
        "z": [0, 1] * 100,
        "w": [1, 0] * 100,
    }
    write_csv(Path("t.csv"), table)
    fitted("t.csv", "-t", "y", "--stream", "--missing", "-999", "--drop", "z,w")
    assert library.load("t.limen").network.inputs == ("x >= 2", "x is missing")
    said = fitted("t.csv", "-t", "z,w", "--stream", "--test-size", 0)
    assert (said["targets"], said["held_out"]) == (["z", "w"], None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,y", "no rows"),
        (b"a,y\n", "no rows"),
        (b"a,y\n1,x\n2\n", "t.csv"),
        (b"a,y\n1,x\n2,x\n" * 1, "only one class, 'x'"),
        (b"a,y\n1,0.5\n2,1.5\n3,1\n", "measurements such as 0.5"),
        (b"a,y\n" + b"".join(b"%d,n%d\n" % (i, i) for i in range(50)), "50 different values"),
        (b"y\nx\nz\n", "No column is left"),
        (b"a,y\n1,x\n1,z\n1,x\n1,z\n", "two different values"),
        (b"when,a,y\n2020-01-01,1,x\n2020-01-02,2,z\n2020-01-03,3,x\n", "--drop when"),
        (b"a b,y\n1,x\ninf,z\n2,x\ninf,z\n", "--drop 'a b'"),
        (b"a,a,y\n1,2,x\n3,4,z\n", "twice: a"),
        (b"\x00\x01\x02\xff\xfe", ""),
        (b"a,y\n1,\n2,\n", "missing in 2 rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line_and_nothing_is_lost(content, words, tmp_path):
    """Exit code 1, one line that names the fault; a model of an earlier fit is as it was, nothing is left behind."""
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "t.limen").write_bytes(b"precious")
    refused(limen("fit", "t.csv", "--target", "y", "--stream"), words)
    assert (tmp_path / "t.limen").read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.limen"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-", "-t", "y"], "standard input"),
        (["nowhere.csv", "-t", "y"], "nowhere.csv"),
        ([".", "-t", "y"], "folder"),
        (["IRIS", "-t", "specie"], "Did you mean 'species'?"),
        (["IRIS", "-t", "species", "--test-size", "148"], "148"),
        (["IRIS", "-t", "species", "--drop", "species"], "--drop"),
        (["IRIS", "-t", "species,petal width cm"], "Column 'species' has 3"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_in_one_line(arguments, words, tmp_path):
    """Exit code 1 and one line with what is wrong; no file is written."""
    iris = str(EXAMPLES / "iris.csv")
    refused(limen("fit", "--stream", *[iris if a == "IRIS" else a for a in arguments]), words)
    assert list(tmp_path.iterdir()) == []


def test_the_bar_shows_how_much_was_read(monkeypatch):
    """The first look, each epoch and the judging move the bar by the share of the table that was read."""
    from rich.progress import Progress

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "is_terminal", lambda stream: True)
    monkeypatch.setattr(module, "BATCH_BYTES", 50_000)
    moves = []
    monkeypatch.setattr(Progress, "update", lambda self, task, **fields: moves.append(fields))
    assert limen("fit", ADULT, "-t", "income", "--stream", "--max-iter", 2).code == 0
    said = [move.get("detail", "") for move in moves]
    assert {
        "description": "Looking through the table",
        "total": 1.0,
        "completed": 1.0,
        "detail": "100% read",
    } in moves
    assert any(detail.startswith("epoch 2 of 2, ") and detail.endswith("read") for detail in said)
    assert any(detail.startswith("epoch 2 of 2, ") and detail.endswith("mistakes") for detail in said)
    assert "Judging" in [move.get("description") for move in moves]
    for move in moves:
        assert 0 <= move.get("completed", 0) <= move.get("total", 2)


def test_what_the_log_tells_of_a_stream_moves_the_bar(monkeypatch):
    """A record with the share that was read within an epoch is shown, and the log is left as it was."""
    import logging

    from rich.progress import Progress

    monkeypatch.setattr(progress, "is_terminal", lambda stream: True)
    moves = []
    monkeypatch.setattr(Progress, "update", lambda self, task, **fields: moves.append(fields))
    logger = logging.getLogger("limen")
    before = (list(logger.handlers), logger.level)
    with progress.progress():
        logger.info("read", extra={"epoch": 3, "max_iter": 10, "share": 0.25})
        logger.info("read", extra={"epoch": 0, "max_iter": 0, "share": 0.5})
    assert moves[0]["completed"] == 2.25
    assert moves[0]["detail"] == "epoch 3 of 10, 25% read"
    assert moves[1]["completed"] == 0.5
    assert ([h for h in logger.handlers if not isinstance(h, logging.NullHandler)], logger.level) == (
        [h for h in before[0] if not isinstance(h, logging.NullHandler)],
        before[1],
    )


PROGRAM = """
import os, pathlib, signal, sys, threading
from limen.cli import main, progress
from limen.learn import stream_trial

stream_trial.KEPT_BYTES, stream_trial.BATCH_BYTES = 0, 1 << 18

def share(self, what, share):
    if what == {what!r} and share >= {share} and not sent:
        sent.append(what)
        threading.Timer({delay}, interrupt).start()

def interrupt():
    pathlib.Path({mark!r}).touch()
    os.kill(os.getpid(), signal.SIGINT)

sent = []
progress.Watch.share = share
sys.argv = ["limen", "fit", "t.csv", "-t", "income", "--stream", "--max-iter", "1000000"{more}]
main()
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Have all compiled that a fit needs: the compiler itself can't be interrupted."""
    folder = tmp_path_factory.mktemp("compiled")
    arguments = ["fit", str(ADULT), "-t", "income", "--stream", "--max-iter", "2"]
    program = f"from limen.cli import main; main({arguments!r})"
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("delay", [0.0, 0.03])
@pytest.mark.parametrize(
    ("what", "share"),
    [("Looking through the table", 0.3), ("Learning", 0.0), ("Learning", 0.5), ("Judging", 0.1)],
)
def test_ctrl_c_is_answered_within_a_second_at_any_moment(what, share, delay, tmp_path):
    """A real signal in any pass ends the program with code 130 and one line; no file is left, whole or half."""
    folder, mark = tmp_path / "folder", tmp_path / "sent"
    folder.mkdir()
    head, *lines = ADULT.read_text().splitlines(keepends=True)
    (folder / "t.csv").write_text(head + "".join(lines) * 60)  # some parts, so that there is a middle
    more = ', "--max-iter", "1"' if what == "Judging" else ""
    program = PROGRAM.format(what=what, share=share, delay=delay, mark=str(mark), more=more)
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    answered = time.time() - mark.stat().st_mtime
    assert (process.returncode, out, err) == (130, b"", b"Interrupted. Nothing was saved.\n")
    assert answered < 1.5  # a second, and what it takes to end a process on a busy machine
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_that_python_drops_is_sent_again():
    """Where a first interrupt is lost, a second comes soon after; once it is answered there is none any more."""

    def long_work_that_drops_the_first() -> None:
        with contextlib.suppress(KeyboardInterrupt):  # as Python does while it frees an object
            signal.raise_signal(signal.SIGINT)
        time.sleep(20)

    before, start = signal.getsignal(signal.SIGINT), time.monotonic()
    with pytest.raises(KeyboardInterrupt), insistent():
        long_work_that_drops_the_first()
    assert time.monotonic() - start < 5
    assert signal.getsignal(signal.SIGINT) is before
    time.sleep(0.5)
