"""The command as a program of its own: exit codes, streams, colour, what it loads, Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import limen as library
from limen.cli import report
from limen.evaluation import Evaluation
from shell import EXAMPLES, limen

PROGRAM = [sys.executable, "-c", "from limen.cli import main; main()"]
PLAIN = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}


def run(*arguments: object, **options) -> subprocess.CompletedProcess:
    """Run the command in a process of its own."""
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, timeout=60, **options)


def in_terminal(*arguments: object, cwd: Path, **environment: str) -> str:
    """Run the command where both streams are a terminal, and return what it shows."""
    mine, its = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdout=its,
        stderr=its,
        cwd=cwd,
        env=PLAIN | {"TERM": "xterm"} | environment,
    )
    os.close(its)
    shown = b""
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    process.wait(timeout=60)
    os.close(mine)
    return shown.decode()


def test_version_and_help_end_with_0():
    """`--version` prints the version, `--help` the commands and the exit codes."""
    assert limen("--version").out == f"limen {library.__version__}\n"
    ended = limen("--help")
    assert ended.code == 0
    for word in ("fit", "predict", "score", "show", "logic", "130"):
        assert word in ended.out


@pytest.mark.parametrize("command", ["fit", "predict", "score", "show", "logic"])
def test_each_command_explains_itself(command):
    """`--help` of each command names `--json`."""
    ended = limen(command, "--help")
    assert ended.code == 0
    assert "--json" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["logic", "a or b"], 0),
        (["logic", "a or"], 1),
        (["fit", "nowhere.csv", "-t", "y"], 1),
        (["fit"], 2),
        (["nonsense"], 2),
    ],
)
def test_exit_codes_and_streams_of_the_program(arguments, code):
    """Results are on standard output and only there, messages on standard error, without colour or traceback."""
    ended = run(*arguments)
    assert ended.returncode == code
    assert bool(ended.stdout) == (code == 0)
    assert bool(ended.stderr) == (code != 0)
    assert b"Traceback" not in ended.stderr
    assert b"\x1b" not in ended.stdout + ended.stderr


def test_colour_only_in_a_terminal_and_not_if_unwanted(tmp_path):
    """A terminal shows headings in bold; with NO_COLOR, or elsewhere, there is no escape sequence."""
    command = ["logic", "a or", "--name", "y"]
    assert "\x1b[" in in_terminal(*command, cwd=tmp_path)
    assert "\x1b[" not in in_terminal(*command, cwd=tmp_path, NO_COLOR="1")
    assert "\x1b[" not in in_terminal(*command, cwd=tmp_path, TERM="dumb")


def test_light_commands_load_nothing_heavy():
    """Help, version and logic come without scikit-learn, numba and pandas."""
    program = (
        "import sys\n"
        "from limen.cli import main\n"
        "for arguments in (['--help'], ['--version'], ['logic', 'a and b']):\n"
        "    try:\n"
        "        main(arguments)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "print([name for name in ('sklearn', 'numba', 'pandas', 'pyarrow', 'matplotlib') if name in sys.modules])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert ended.stdout.decode().splitlines()[-1] == "[]"


def test_predicting_and_scoring_do_not_load_what_only_learning_needs(tmp_path):
    """A saved model is used without scikit-learn and numba."""
    model = tmp_path / "iris.limen"
    assert limen("fit", EXAMPLES / "iris.csv", "-t", "species", "-o", model).code == 0
    program = (
        "import sys\n"
        "from limen.cli import main\n"
        "for command in ('predict', 'score'):\n"
        "    try:\n"
        f"        main([command, {str(model)!r}, {str(EXAMPLES / 'iris.csv')!r}])\n"
        "    except SystemExit:\n"
        "        pass\n"
        "print([name for name in ('sklearn', 'numba') if name in sys.modules])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert ended.stdout.decode().splitlines()[-1] == "[]"


def test_ctrl_c_ends_a_long_fit_within_seconds(tmp_path):
    """The program ends with code 130 and one line; no file is left, whole or half."""
    folder, started = tmp_path / "folder", tmp_path / "started"
    folder.mkdir()
    lines = ["a,b,y", *(f"{i * 7919 % 9973},{i * 104729 % 9967},{i * 31 % 2}" for i in range(5_000))]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    program = (
        "import logging, pathlib\n"
        "class Started(logging.Handler):\n"
        "    def emit(self, record):\n"
        f"        pathlib.Path({str(started)!r}).touch()\n"
        "logging.getLogger('limen').addHandler(Started())\n"
        "logging.getLogger('limen').setLevel(logging.INFO)\n"
        "from limen.cli import main\n"
        "main(['fit', 't.csv', '-t', 'y', '--max-iter', '10000000'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60  # the first run of all compiles
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - sent < 5
    assert (process.returncode, out, err) == (130, b"", b"Interrupted. Nothing was saved.\n")
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


def test_a_closed_pipe_is_no_error_worth_a_traceback(tmp_path):
    """`limen … | head` ends quietly."""
    ended = subprocess.run(
        f"{sys.executable} -c 'from limen.cli import main; main()' logic 'a ^ b ^ c ^ d ^ e ^ f' | head -n 1",
        shell=True,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.startswith(b"a b c")
    assert b"Traceback" not in ended.stderr


def test_shares_are_never_rounded_to_all_or_nothing():
    """100 % and 0 % are said only of all and of none."""
    assert report.percent(1.0) == "100 %"
    assert report.percent(0.0) == "0 %"
    assert report.percent(0.999999) == "99.9 %"
    assert report.percent(0.000001) == "0.1 %"
    assert report.percent(0.62677) == "62.7 %"


def test_a_confusion_table_without_room_becomes_a_list_of_the_most_frequent():
    """With many classes the pairs that were confused most often are listed instead, and the rest is counted."""
    import numpy as np

    labels = tuple(f"a class with a long name {k}" for k in range(12))
    truth = np.repeat(np.arange(12), 12)
    predicted = np.where(np.arange(144) % 12 == 0, (truth + 1) % 12, truth)
    predicted[1:5] = 7
    lines = report.confusion_lines(Evaluation("y", labels, truth, predicted))
    assert lines[0].split() == ["true", "predicted", "rows"]
    assert lines[1].endswith("4")
    assert lines[-1] == "… and 3 more pairs"
    assert max(map(len, lines)) <= 120
    small = report.confusion_lines(Evaluation("y", ("a", "b"), truth % 2, predicted % 2))
    assert small[0].split() == ["true", "↓", "predicted", "→", "a", "b"]
    assert len(small) == 3
