"""The progress bar of a fit: fed by every epoch, shown to people only."""

import io
import warnings

import numpy as np
import pytest

from limen.cli import progress as module
from limen.learn import Perceptron


def fitted(watched):
    """Return a perceptron fitted for three epochs."""
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return watched(Perceptron(max_iter=3)).fit(rng.integers(0, 3, (60, 4)), rng.integers(0, 2, 60))


def standard_error(monkeypatch, *, terminal=True):
    """Return a new standard error, as a terminal somebody looks at or not."""
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr("sys.stderr", stream)
    return stream


def test_every_epoch_moves_the_bar(monkeypatch):
    """After each epoch the bar knows its number, the last one's, and the mistakes."""
    from rich.progress import Progress

    standard_error(monkeypatch)
    moves = []
    monkeypatch.setattr(Progress, "update", lambda self, task, **fields: moves.append(fields))
    with module.progress() as watched:
        clf = fitted(watched)
    details = [
        f"epoch {n} of 3, {mistakes:,} mistakes" for n, mistakes in enumerate(clf.n_mistakes_, start=1)
    ]
    assert moves == [
        {"total": 3},
        *({"completed": n, "detail": detail} for n, detail in enumerate(details, start=1)),
    ]


def test_a_short_fit_shows_nothing(monkeypatch):
    """A fit that ends before a person would wonder writes nothing."""
    terminal = standard_error(monkeypatch)
    with module.progress() as watched:
        fitted(watched)
    assert terminal.getvalue() == ""


def test_a_long_fit_shows_the_bar(monkeypatch):
    """A fit that runs on is shown, with what it does."""
    terminal = standard_error(monkeypatch)
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with module.progress() as watched:
        for _ in range(1000):  # until the bar's own thread had its turn
            fitted(watched)
            if "Learning" in terminal.getvalue():
                break
    assert "Learning" in terminal.getvalue()
    assert "\x1b[2K" in terminal.getvalue()  # taken away again


@pytest.mark.parametrize("quiet", [True, False])
def test_nobody_looks(quiet, monkeypatch):
    """Where standard error is no terminal, or all should be quiet, nobody watches and nothing is written."""
    stream = standard_error(monkeypatch, terminal=quiet)
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with module.progress(quiet=quiet) as watched:
        clf = Perceptron()
        assert watched(clf) is clf
        assert vars(clf) == vars(Perceptron())
    assert stream.getvalue() == ""


def test_a_search_shows_what_the_log_tells(monkeypatch):
    """A search that takes longer is named, with what it found so far; where nobody looks, nothing is written."""
    import logging

    from rich.progress import Progress

    standard_error(monkeypatch)
    moves = []
    monkeypatch.setattr(Progress, "update", lambda self, task, **fields: moves.append(fields))
    with module.waiting("Looking"):
        logging.getLogger("limen.logic").info("weights of %d in all", 7)
    assert moves == [{"detail": "weights of 7 in all"}]
    logging.getLogger("limen.logic").info("nobody listens any more")
    assert len(moves) == 1
    stream = standard_error(monkeypatch, terminal=False)
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with module.waiting("Looking"):
        logging.getLogger("limen.logic").info("weights of %d in all", 7)
    assert (stream.getvalue(), len(moves)) == ("", 1)


def test_an_interrupted_search_says_so_and_saves_nothing(tmp_path):
    """Ctrl-C during `limen card` ends it with code 130, one line on standard error, and no file."""
    import os
    import signal
    import subprocess
    import sys
    import threading
    import time

    import limen

    rng = np.random.default_rng(0)
    net = limen.Network(limen.Layer(rng.integers(-(10**6), 10**6, (36, 1)), [17]), domain="binary")
    limen.save(net, tmp_path / "wide.limen")
    program = (
        "import pathlib\n"
        "import limen.logic\n"
        "search = limen.logic.small_integers\n"
        "def searching(*args, **kwargs):\n"
        "    pathlib.Path('started').touch()\n"
        "    return search(*args, **kwargs)\n"
        "limen.logic.small_integers = searching\n"
        "from limen.cli import main\n"
        "main(['card', 'wide.limen', '-o', 'card.limen', '--time-limit', '60'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(60, process.kill)
    killer.start()
    while not (tmp_path / "started").exists() and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate()
    killer.cancel()
    assert (process.returncode, out, err) == (130, "", "Interrupted. Nothing was saved.\n")
    assert not (tmp_path / "card.limen").exists()
