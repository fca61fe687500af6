"""``limen fit --hidden``: networks with hidden layers, from the table to the file, and what the other commands make of them."""

from __future__ import annotations

import csv
import json
import logging
import os
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import limen as library
from limen.cli import progress as module
from limen.cli.interrupts import insistent
from limen.learn import ThresholdNetworkClassifier
from limen.learn._callbacks import log_network_epoch, log_share
from limen.learn.split import split_rows
from shell import Ended, limen, write_csv

BITS = list(product((0, 1), repeat=3)) * 32


def odd(path: Path, rows: list[tuple[int, ...]] = BITS) -> Path:
    """Write a table whose class no single neuron can tell: whether an odd number of columns is 1."""
    table: dict[str, list[object]] = {name: [row[k] for row in rows] for k, name in enumerate("abc")}
    return write_csv(path, {**table, "odd": ["yes" if sum(row) % 2 else "no" for row in rows]})


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def learned(tmp_path_factory) -> tuple[Path, Ended]:
    """Return a folder with a table and the model that a program of its own made of it, and what that program said."""
    folder = tmp_path_factory.mktemp("learned")
    odd(folder / "odd.csv")
    program = "from limen.cli import main; main(['fit', 'odd.csv', '-t', 'odd', '--hidden', '64', '--epochs', '100'])"
    ended = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    return folder, Ended(ended.returncode, ended.stdout, ended.stderr)


def refused(ended: Ended, *words: str) -> None:
    """Hold a refusal to its form: code 1, nothing on standard output, one line that starts with Error."""
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


# What is learned ----------------------------------------------------------------------------------------------


def test_what_one_neuron_cannot_tell_is_learned_and_reported(learned):
    """The report has the shape, the weights and the training, no list of inputs; frameworks say nothing."""
    folder, ended = learned
    network = library.load(folder / "odd.limen").network
    assert (ended.code, ended.err) == (0, "")
    weights = [layer.dense() for layer in network.layers]
    least, largest = weights[1].min(), weights[1].max()
    n_weights = sum(np.count_nonzero(w) for w in weights)
    zeros = " that aren't 0" if n_weights < sum(w.size for w in weights) else ""
    lines = ended.out.replace("\N{MINUS SIGN}", "-").splitlines()
    assert "Network   3 inputs → 64 heaviside → 1 heaviside" in lines
    assert f"Weights   {n_weights}{zeros}: -1 and +1; in the last layer {least:+d} to {largest:+d}" in lines
    assert any(line.startswith("Training  100 epochs; the last is kept: loss 0.") for line in lines)
    assert "Accuracy             100 %" in ended.out
    assert f"odd.limen, {(folder / 'odd.limen').stat().st_size:,} bytes, exact in whole numbers" in ended.out
    assert "What it looks at" not in ended.out


def test_the_other_commands_take_the_model(learned, tmp_path):
    """Predict and score agree with the truth, a picture is drawn, and a points card is refused by name."""
    folder, _ = learned
    model, table = folder / "odd.limen", folder / "odd.csv"
    truth = [row["odd"] for row in csv.DictReader(table.read_text().splitlines())]
    assert limen("predict", model, table).out.split() == ["odd", *truth]
    assert "Accuracy             100 %" in limen("score", model, table).out
    assert limen("show", model, "--svg", "odd.svg").code == 0
    assert ElementTree.parse("odd.svg").getroot().tag.endswith("svg")
    refused(limen("card", model, table), "one neuron", "3 inputs → 64 heaviside → 1 heaviside")


def test_rows_held_out_neither_teach_nor_choose_the_epoch():
    """Whatever stands in them the file is the same; the epoch is chosen by a tenth of the other rows."""
    rows = BITS * 3
    _, held_out = split_rows(["yes" if sum(row) % 2 else "no" for row in rows], 0.25, random_state=0)
    changed = list(rows)
    for i in held_out:  # another row of the same class
        changed[i] = (1 - rows[i][0], 1 - rows[i][1], rows[i][2])
    files = []
    for table in (rows, changed):
        ended = limen(
            "fit",
            odd(Path("odd.csv"), table),
            *("-t", "odd", "--hidden", "8", "--weights", "ternary", "--epochs", 4, "--json"),
        )
        files.append(Path("odd.limen").read_bytes())
    said = json.loads(ended.out)
    training, accuracies = said["training"], said["training"]["history"]["val_accuracy"]
    assert files[0] == files[1]
    assert (training["validation"], training["epochs"], training["weights"]) == (0.1, 4, "ternary")
    assert accuracies[training["best_epoch"] - 1] == max(accuracies)
    n_judged = round(0.1 * said["learned_from"]["rows"])
    assert all(round(share * n_judged) == pytest.approx(share * n_judged, abs=1e-3) for share in accuracies)
    assert [layer["neurons"] for layer in said["layers"]] == [8, 1]
    assert said["heaviest"] == []


def test_several_targets_and_several_classes_are_learned():
    """Two columns give two outputs that each decide; three classes give a layer in which the largest wins."""
    table = {name: [row[k] for row in BITS] for k, name in enumerate("abc")}
    table["odd"] = [row[0] ^ row[1] for row in BITS]
    table["any"] = ["yes" if row[0] or row[2] else "no" for row in BITS]
    table["sum"] = [f"n{row[0] + row[1]}" for row in BITS]
    path = write_csv(Path("t.csv"), table)
    options = ("--hidden", "64", "--epochs", 100, "--json")
    both = json.loads(limen("fit", path, "-t", "odd,any", "--drop", "sum", *options).out)
    assert both["labels"] == [[0, 1], ["no", "yes"]]
    assert library.load("t.limen").network.outputs == ("odd", "any")
    assert both["held_out"]["all_right"] > 0.5
    three = json.loads(limen("fit", path, "-t", "sum", "--drop", "odd,any", *options).out)
    assert three["layers"][-1]["activation"] == "hardmax"
    assert three["held_out"]["decisions"][0]["accuracy"] > 0.7


# What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", ["0", "64,", "abc", "-3", "10000000", "", "1.5", "64,0", "٣", "9" * 99])
def test_what_are_no_widths_is_refused_with_an_example(widths, tmp_path):
    """One line says what is expected and what came, before the table is looked for."""
    ended = limen("fit", "nowhere.csv", "-t", "y", f"--hidden={widths}")
    refused(ended, "from 1 to 100,000", "--hidden 64,64", f"Received: {widths[:40]!r}"[:-1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epochs", 5], "--epochs is for networks with hidden layers"),
        (["--weights", "int8"], "--weights is for networks with hidden layers"),
        (["--validation", 0.2], "--validation is for networks with hidden layers"),
        (["--hidden", 8, "--max-iter", 100], "--max-iter is for a network without hidden layers"),
        (["--hidden", 8, "--solution", "average"], "--solution is for a network without hidden layers"),
        (["--hidden", 8, "--most", 3], "--most is for a network without hidden layers"),
        (["--hidden", 8, "--stream"], "--stream is for a network without hidden layers"),
        (["--hidden", 8, "--validation", 1], "from 0 to less than 1"),
    ],
)
def test_options_of_the_other_kind_of_network_are_refused(options, words):
    """An option that would do nothing is refused by name, also if it is given its default."""
    refused(limen("fit", odd(Path("odd.csv")), "-t", "odd", *options), words)


def test_a_table_too_large_for_memory_is_refused_rather_than_streamed(monkeypatch):
    """What would be streamed without hidden layers is refused with them, and --no-stream is named."""
    monkeypatch.setattr("limen.cli.fitting.is_large", lambda path: True)
    refused(limen("fit", odd(Path("odd.csv")), "-t", "odd", "--hidden", 8), "in memory", "--no-stream")


def test_without_keras_the_line_that_installs_it_is_shown(monkeypatch):
    """It comes before the table is read."""
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.delitem(sys.modules, "limen.learn._keras_door", raising=False)
    refused(limen("fit", "nowhere.csv", "-t", "y", "--hidden", 8), 'pip install "limen[keras]"')


# While it learns ----------------------------------------------------------------------------------------------


class _Interrupt(logging.Handler):
    """An interrupt as soon as an epoch has ended."""

    def __init__(self, epoch: int) -> None:
        super().__init__(logging.INFO)
        self.epoch = epoch

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "loss") and record.epoch == self.epoch:
            raise KeyboardInterrupt


def test_an_interrupted_training_keeps_its_network_beside_what_was_there(caplog):
    """Code 130, no report, the network of the last epoch saved and named; an earlier file stays as it was."""
    path = odd(Path("odd.csv"))
    logger = logging.getLogger("limen")
    handler = _Interrupt(epoch=2)
    logger.addHandler(handler)
    try:
        command = ("fit", path, "-t", "odd", "--hidden", "8", "--epochs", 30)
        with caplog.at_level(logging.INFO, "limen"):
            first, second = limen(*command), limen(*command)
    finally:
        logger.removeHandler(handler)
    saved = "Interrupted after 2 epochs: the network of epoch 2 is saved as "
    assert (first.code, first.out, first.err) == (130, "", f"{saved}odd.limen.\n")
    beside = "odd.interrupted.limen; odd.limen is as it was.\n"
    assert (second.code, second.out, second.err) == (130, "", saved + beside)
    assert Path("odd.limen").read_bytes() == Path("odd.interrupted.limen").read_bytes()
    assert len(limen("predict", "odd.limen", path).out.split()) == 1 + len(BITS)


def test_an_interrupt_before_an_epoch_has_ended_saves_nothing(monkeypatch):
    """There is no network yet; the command says so and ends with code 130."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ThresholdNetworkClassifier, "fit", interrupted)
    ended = limen("fit", odd(Path("odd.csv")), "-t", "odd", "--hidden", 8)
    assert (ended.code, ended.out, ended.err) == (130, "", "Interrupted. Nothing was saved.\n")
    assert not Path("odd.limen").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("is_told", [True, False])
def test_an_interrupt_that_was_heard_does_not_come_again(is_told, monkeypatch):
    """Once the log tells that what was learned is kept, it isn't disturbed; otherwise the interrupt comes again."""
    monkeypatch.setattr("limen.cli.interrupts.AGAIN", 0.05)
    times = 0
    with insistent():
        for attempt in range(2):
            try:
                if attempt == 0:
                    os.kill(os.getpid(), signal.SIGINT)
                end = time.monotonic() + 0.5
                while time.monotonic() < end:
                    time.sleep(0.01)
            except KeyboardInterrupt:
                times += 1
                if is_told:
                    logging.getLogger("limen").warning("kept", extra={"kept": 3})
    assert times == (1 if is_told else 2)


def test_the_bar_shows_loss_and_validation_accuracy_and_moves_within_an_epoch(monkeypatch):
    """It is fed by the log of training: an epoch's end by its loss, a part of the next one by the share."""
    from rich.progress import Progress

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("limen.learn._callbacks._last_share", 0.0)
    moves: list[dict[str, object]] = []
    monkeypatch.setattr(Progress, "update", lambda self, task, **fields: moves.append(fields))
    with module.progress() as watched:
        watched(ThresholdNetworkClassifier())
        log_network_epoch(3, 10, {"loss": 0.25, "accuracy": 0.5, "val_accuracy": 0.965})
        log_share(4, 10, 0.5)
        logging.getLogger("limen").warning("", extra={"kept": 3})
    seen = "epoch 3 of 10, loss 0.2500, validation 96.5 %"
    assert moves == [
        {"detail": "(compiles for some seconds first)"},
        {"total": 10, "completed": 3, "detail": seen},
        {"description": "Learning", "total": 10, "completed": 3.5, "detail": seen},
        {"detail": "interrupted; keeping the network of epoch 3"},
    ]


# What is shown ------------------------------------------------------------------------------------------------


def test_a_wide_network_is_shown_layer_by_layer():
    """Sums of hundreds of terms aren't written out: each layer has a line, whose numbers are the network's."""
    random = np.random.default_rng(0)
    layers = [
        library.Layer(2 * random.integers(0, 2, shape) - 1, random.integers(-9, 9, shape[1]))
        for shape in ((240, 64), (64, 64))
    ]
    last = library.Layer(np.arange(64)[:, np.newaxis] - 20, [7])
    library.save(library.Network([*layers, last], domain="binary"), "wide.limen")
    ended = limen("show", "wide.limen")
    lines = ended.out.replace("\N{MINUS SIGN}", "-").splitlines()
    assert "fires when" not in ended.out
    assert [line.split() for line in lines[-3:]] == [
        f"1 64 heaviside 15,360 -1 and +1 fires at {-max(layers[0].bias)} to {-min(layers[0].bias)}".split(),
        f"2 64 heaviside 4,096 -1 and +1 fires at {-max(layers[1].bias)} to {-min(layers[1].bias)}".split(),
        ["3", "1", "heaviside", "63", "-20", "to", "+43", "fires", "at", "-7"],
    ]
    said = json.loads(limen("show", "wide.limen", "--json").out)
    assert said["layers"][2] == {
        "neurons": 1,
        "activation": "heaviside",
        "weights": 63,
        "least": -20,
        "largest": 43,
    }


PROGRAM = """
import logging, os, signal, threading
class AfterThree(logging.Handler):
    def emit(self, record):
        if hasattr(record, "loss") and record.epoch == 3:
            threading.Timer({delay}, os.kill, (os.getpid(), signal.SIGINT)).start()
logging.getLogger("limen").addHandler(AfterThree())
logging.getLogger("limen").setLevel(logging.INFO)
import sys
sys.argv = "limen fit odd.csv -t odd --hidden 256,256 --epochs {epochs}".split()
from limen.cli import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("epochs", "delay"), [(10**6, 0.2), (3, 0.05)], ids=["training", "ending"])
def test_ctrl_c_keeps_the_network_whenever_it_comes_after_an_epoch(epochs, delay):
    """A real signal, in the midst of training or when it has just ended: code 130, one line, and the network is saved."""
    path = odd(Path("odd.csv"))
    program = PROGRAM.format(epochs=epochs, delay=delay)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr.startswith("Interrupted after ")
    assert ended.stderr.count("\n") == 1
    assert len(limen("predict", "odd.limen", path).out.split()) == 1 + len(BITS)
