"""The door to the solvers, and the exact linear algebra that what they say is held against."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from limen import _rational, _solver
from limen._solver import LinearProgram, whole_program
from limen.errors import MissingExtraError, NotExactError


def test_a_linear_program_is_solved_and_goes_on() -> None:
    """Rows, columns, costs and bounds may change between solutions."""
    program = LinearProgram([1, 1], [0, 0], [np.inf, np.inf])
    program.add_rows([[1, 0], [1, 1]], [2, 3], [np.inf, np.inf])
    assert program.solve().value == 3
    program.set_cost([1, 3])
    assert program.solve().x.tolist() == [3, 0]
    program.set_column_bounds([0], [0], [2])
    assert program.solve().x.tolist() == [2, 1]
    program.set_row_bounds([1], [5], [np.inf])
    assert program.solve().x.tolist() == [2, 3]
    program.add_columns([0.5], [0], [np.inf], [[0, 1]])
    found = program.solve()
    assert found.x.tolist() == [2, 0, 3]
    assert found.status == "optimal"


def test_an_infeasible_program_has_multipliers() -> None:
    """What HiGHS says of two rows that exclude each other combines them to a contradiction."""
    program = LinearProgram([1], [-np.inf], [np.inf])
    program.add_rows([[1], [2]], [1, -np.inf], [np.inf, 1])
    found = program.solve()
    assert found.status == "infeasible"
    assert found.duals @ np.array([1, 2]) == pytest.approx(0)
    assert found.duals.any()


def test_an_unbounded_program_is_said_to_be_one() -> None:
    """Cost that falls for ever isn't taken for a solution."""
    assert LinearProgram([-1], [0], [np.inf]).solve().status in {"unbounded", "unclear"}


@pytest.mark.parametrize("engine", ["HiGHS", "CP-SAT"])
def test_whole_programs_agree_with_trying_everything(engine: str) -> None:
    """Both engines find the least cost that a search through all values finds."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        cost, rows, need = rng.integers(1, 6, 3), rng.integers(-3, 7, (3, 3)), rng.integers(0, 12, 3)
        points = np.stack(np.meshgrid(*[np.arange(5)] * 3), axis=-1).reshape(-1, 3)
        good = points[(points @ rows.T >= need).all(axis=1)]
        found = whole_program(cost, [0] * 3, [4] * 3, rows, need, [np.inf] * 3, engine=engine)  # type: ignore[arg-type]
        if len(good):
            assert found.value == (good @ cost).min() == found.bound
            assert found.x is not None
            assert (rows @ found.x >= need).all()
        else:
            assert (found.status, found.x) == ("infeasible", None)


def test_cp_sat_refuses_numbers_it_could_not_add_up() -> None:
    """A coefficient that would overflow is named before anything is solved."""
    with pytest.raises(NotExactError, match="below 2\\*\\*50"):
        whole_program([2**50], [0], [1], [[1]], [0], [1], engine="CP-SAT")


def test_an_absent_cp_sat_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error holds the line that installs it, and questions know that it isn't there."""
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(MissingExtraError, match=r"limen\[proof\]"):
        whole_program([1], [0], [1], [[1]], [0], [1], engine="CP-SAT")


def test_the_solver_prints_nothing() -> None:
    """Not even what it is called."""
    code = "from limen._solver import LinearProgram; LinearProgram([1], [0], [1]).solve()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


HARD = textwrap.dedent("""
    import numpy as np, sys, time
    from limen._solver import whole_program
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (400, 200))
    print("ready", flush=True)
    whole_program(rng.integers(5, 9, 200), [0] * 200, [1] * 200, rows, [45] * 400, [np.inf] * 400, engine=sys.argv[1])
""")


@pytest.mark.parametrize("engine", ["HiGHS", "CP-SAT"])
def test_ctrl_c_stops_a_solver(engine: str) -> None:
    """An interrupt ends a long search soon."""
    process = subprocess.Popen(
        [sys.executable, "-c", HARD, engine], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.5)
    killer = threading.Timer(20, process.kill)
    killer.start()
    os.kill(process.pid, signal.SIGINT)
    asked = time.monotonic()
    _, said = process.communicate()
    killer.cancel()
    assert "KeyboardInterrupt" in said
    assert time.monotonic() - asked < 5  # well under a second on a machine that does nothing else


@pytest.mark.parametrize("engine", ["HiGHS", "CP-SAT"])
def test_a_time_limit_leaves_bounds(engine: str) -> None:
    """Stopped before the end, what is known still holds: bound below value."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (300, 150))
    args = (rng.integers(5, 9, 150), [0] * 150, [1] * 150, rows, [35] * 300, [np.inf] * 300)
    found = whole_program(*args, engine=engine, time_limit=0.5)  # type: ignore[arg-type]
    assert found.status == "stopped"
    assert found.bound <= found.value


# Exactly ------------------------------------------------------------------------------------------------------


def test_whole_keeps_what_floats_are() -> None:
    """Numbers times one power of two, nothing rounded."""
    given = [0.1, 1e-300, 3.0, -(2.0**70)]
    whole = _rational.whole(given).tolist()
    scale = Fraction(whole[2], 3)
    assert [Fraction(w) / scale for w in whole] == [Fraction(x) for x in given]
    assert _rational.whole(np.array([True, False])).tolist() == [1, 0]
    assert _rational.whole(np.array([2**63], dtype=np.uint64)).tolist() == [2**63]
    assert _rational.whole(np.float32([0.5])).tolist() == [1]
    assert _rational.whole(np.zeros((0, 3))).shape == (0, 3)


def test_solutions_are_exact() -> None:
    """What comes out satisfies the equations as fractions; a singular system has no one solution."""
    rng = np.random.default_rng(1)
    for n in (1, 2, 5, 12):
        matrix, right = rng.integers(-9, 10, (n, n)).tolist(), rng.integers(-9, 10, n).tolist()
        solution = _rational.solve(matrix, right)
        assert solution is not None
        for row, value in zip(matrix, right, strict=True):
            assert sum(a * x for a, x in zip(row, solution, strict=True)) == value
    assert _rational.solve([[1, 2], [2, 4]], [1, 2]) is None
    assert _rational.solve([], []) == []


def test_null_vectors_are_the_only_direction() -> None:
    """One direction is returned in smallest whole numbers; none or several aren't."""
    assert _rational.null_vector([[2, 4]]) == [2, -1]
    assert _rational.null_vector([[1, 0], [0, 1]]) is None
    assert _rational.null_vector([[1, 1, 1]]) is None


def test_ranks_are_exact() -> None:
    """A matrix that is singular only exactly is seen to be."""
    assert _rational.rank([[1, 2], [2, 4]]) == 1
    assert _rational.rank([[10**30, 1], [10**30 + 1, 1]]) == 2
    assert _rational.rank([]) == 0


def test_the_solvers_are_found() -> None:
    """The tests run with CP-SAT, so what they say of it is true of it."""
    assert _solver.has_cp_sat()
