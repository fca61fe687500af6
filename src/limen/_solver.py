"""The only door to the solvers: linear programs to HiGHS, programs in whole numbers to HiGHS or CP-SAT.

What comes back is a *suggestion* in floats, except where CP-SAT, which counts in whole numbers, says so. Whoever claims
a proof checks it in exact arithmetic (`limen._rational`).

=====================  ====================================================================================
`LinearProgram`        least cost under rows of bounds; rows and columns can be added, and it goes on where it stood
`whole_program`        the same with variables that are whole numbers, once
`WholeModel`           whole numbers under rows that may hang on other variables: CP-SAT
`has_cp_sat`           whether CP-SAT (the extra ``proof``) is installed
=====================  ====================================================================================

Statuses of the solvers become our words: ``optimal``, ``infeasible``, ``unbounded``, ``stopped`` (out of time) and
``unclear`` (the solver gave up). Ctrl-C stops a solver within a fraction of a second.

References
----------
Q. Huangfu and J. A. J. Hall (2018), "Parallelizing the dual revised simplex method", Mathematical Programming
Computation 10, for HiGHS.
L. Perron and F. Didier (2025), "CP-SAT", OR-Tools.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np

from limen.errors import MissingExtraError, NotExactError
from limen.step import Array

__all__ = ["LinearProgram", "Outcome", "Status", "WholeModel", "WholeOutcome", "has_cp_sat", "whole_program"]

Status: TypeAlias = Literal["optimal", "infeasible", "unbounded", "stopped", "unclear"]

SMALL = 20_000  # entries of a linear program that is solved too quickly to be interrupted
POLL = 0.05  # seconds between two looks at whether Ctrl-C was pressed
CP_SAT_MOST = 1 << 50  # the largest coefficient or bound given to CP-SAT, whose sums must fit into int64
STATUSES: dict[str, Status] = {
    "kOptimal": "optimal",
    "kInfeasible": "infeasible",
    "kUnbounded": "unbounded",
    "kUnboundedOrInfeasible": "unclear",
    "kTimeLimit": "stopped",
    "kInterrupt": "stopped",
    "kIterationLimit": "stopped",
}


@dataclass(frozen=True)
class Outcome:
    """What HiGHS says of a linear program.

    Attributes
    ----------
    status : str
    value : float
        The least cost, if optimal.
    x : ndarray of shape (n_columns,)
    duals : ndarray of shape (n_rows,)
        If optimal, the multiplier of each row; if infeasible, multipliers that show it (empty where HiGHS has none).
    basic_columns : ndarray of bool, shape (n_columns,)
        Which variables lie between their bounds, in the basis.
    basic_rows : ndarray of bool, shape (n_rows,)
        Which rows lie between theirs: those that aren't basic hold with equality.
    """

    status: Status
    value: float
    x: Array
    duals: Array
    basic_columns: Array
    basic_rows: Array


class LinearProgram:
    """Least ``cost · x`` with ``lower <= x <= upper``, under rows that can be added between one solution and the next.

    Parameters
    ----------
    cost, lower, upper : array_like of shape (n_columns,)
        Infinite bounds are none.
    method : {"choose", "simplex", "ipm"}

    Examples
    --------
    >>> program = LinearProgram([1, 1], [0, 0], [np.inf, np.inf])
    >>> program.add_rows([[1, 0], [1, 1]], [2, 3], [np.inf, np.inf])
    >>> program.solve().value
    3.0
    """

    def __init__(self, cost: Any, lower: Any, upper: Any, *, method: str = "simplex") -> None:
        self._highs: Any = _silent_class()()
        self._highs.setOptionValue("solver", method)
        self._highs.setOptionValue("threads", 1)
        if method == "simplex":
            self._highs.setOptionValue("presolve", "off")  # an infeasible program keeps its multipliers
        self.n_columns = self.n_rows = self.n_entries = 0
        self.add_columns(cost, lower, upper)

    def add_columns(self, cost: Any, lower: Any, upper: Any, columns: Any = None) -> None:
        """Add variables; `columns` of shape (n_new, n_rows) are their entries in the rows there are."""
        cost = np.asarray(cost, dtype=np.float64)
        starts, indices, values = _sparse(columns, len(cost))
        self._highs.addCols(
            len(cost),
            cost,
            np.asarray(lower, dtype=np.float64),
            np.asarray(upper, dtype=np.float64),
            len(values),
            starts,
            indices,
            values,
        )
        self.n_columns += len(cost)
        self.n_entries += len(values)

    def add_rows(self, rows: Any, lower: Any, upper: Any) -> None:
        """Add constraints ``lower <= rows @ x <= upper``; rows may be dense or `scipy.sparse`."""
        lower = np.asarray(lower, dtype=np.float64)
        starts, indices, values = _sparse(rows, len(lower))
        self._highs.addRows(
            len(lower), lower, np.asarray(upper, dtype=np.float64), len(values), starts, indices, values
        )
        self.n_rows += len(lower)
        self.n_entries += len(values)

    def set_cost(self, cost: Any) -> None:
        """Change what is to be least."""
        everything = np.arange(self.n_columns, dtype=np.int32)
        self._highs.changeColsCost(self.n_columns, everything, np.asarray(cost, dtype=np.float64))

    def set_column_bounds(self, columns: Any, lower: Any, upper: Any) -> None:
        """Change the bounds of some variables."""
        columns = np.asarray(columns, dtype=np.int32)
        lower, upper = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
        self._highs.changeColsBounds(len(columns), columns, lower, upper)

    def set_row_bounds(self, rows: Any, lower: Any, upper: Any) -> None:
        """Change the bounds of some rows."""
        for row, low, high in zip(rows, lower, upper, strict=True):
            self._highs.changeRowBounds(int(row), float(low), float(high))

    def solve(self, *, time_limit: float | None = None) -> Outcome:
        """Solve, from where the last solution stood.

        Parameters
        ----------
        time_limit : float, optional
            Seconds.
        """
        status = _run(self._highs, time_limit, small=self.n_entries <= SMALL)
        solution, basis = self._highs.getSolution(), self._highs.getBasis()
        duals = np.array(solution.row_dual)
        if status == "infeasible":
            duals = self._ray()
        return Outcome(
            status,
            float(self._highs.getInfo().objective_function_value),
            np.array(solution.col_value),
            duals,
            np.array([_is_basic(s) for s in basis.col_status], dtype=bool),
            np.array([_is_basic(s) for s in basis.row_status], dtype=bool),
        )

    def _ray(self) -> Array:
        _, exists, ray = self._highs.getDualRay()
        return np.array(ray) if exists else np.zeros(0)


@cache
def _silent_class() -> Any:
    """Return HiGHS's class, silenced before it can print what it is."""
    import highspy

    loud: Any = highspy.Highs

    def enable_callbacks(self: Any) -> None:  # the first thing a new object does that prints
        self.setOptionValue("output_flag", False)
        loud.enableCallbacks(self)

    return type("SilentHighs", (loud,), {"enableCallbacks": enable_callbacks})


def _is_basic(status: Any) -> bool:
    return bool(status.name == "kBasic")


@dataclass(frozen=True)
class WholeOutcome:
    """What is known of a program in whole numbers.

    Attributes
    ----------
    status : str
    value : float
        The cost of `x`; infinite if none was found.
    bound : float
        No solution costs less.
    x : ndarray of int64, shape (n_columns,), or None
    engine : str
        ``"HiGHS"`` (branch and bound in floats) or ``"CP-SAT"`` (whole numbers).
    """

    status: Status
    value: float
    bound: float
    x: Array | None
    engine: str


def has_cp_sat() -> bool:
    """Tell whether CP-SAT is installed."""
    return importlib.util.find_spec("ortools") is not None


def whole_program(
    cost: Any,
    lower: Any,
    upper: Any,
    rows: Any,
    row_lower: Any,
    row_upper: Any,
    *,
    engine: Literal["HiGHS", "CP-SAT"],
    time_limit: float | None = None,
    start: Any = None,
) -> WholeOutcome:
    """Return least ``cost · x`` over whole numbers ``lower <= x <= upper`` with ``row_lower <= rows @ x <= row_upper``.

    Parameters
    ----------
    cost, lower, upper : array_like of shape (n_columns,)
        For CP-SAT whole numbers, and finite bounds of the variables.
    rows : array or scipy.sparse matrix of shape (n_rows, n_columns)
        For CP-SAT whole numbers.
    row_lower, row_upper : array_like of shape (n_rows,)
        May be infinite.
    engine : {"HiGHS", "CP-SAT"}
    time_limit : float, optional
        Seconds.
    start : array_like of int, optional
        A solution to begin with, or a guess at one.

    Raises
    ------
    MissingExtraError
        CP-SAT isn't installed.
    NotExactError
        A number too large for CP-SAT.

    Examples
    --------
    >>> found = whole_program([1, 1], [0, 0], [9, 9], [[2, 3]], [7], [np.inf], engine="HiGHS")
    >>> found.status, found.value
    ('optimal', 3.0)
    """
    if engine == "CP-SAT":
        model = WholeModel()
        columns = model.variables(lower, upper)
        starts, indices, values = _sparse(rows, len(row_lower))
        for k, run in enumerate(zip(starts, [*starts[1:], len(values)], strict=True)):
            model.add(indices[slice(*run)].tolist(), values[slice(*run)], row_lower[k], row_upper[k])
        return model.solve(columns, cost, time_limit=time_limit, start=start)
    program = LinearProgram(cost, lower, upper, method="choose")
    program.add_rows(rows, row_lower, row_upper)
    highs = program._highs
    highs.setOptionValue("presolve", "on")
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 1e-6)
    everything = np.arange(program.n_columns, dtype=np.int32)
    import highspy

    integral = [highspy.HighsVarType.kInteger] * program.n_columns
    highs.changeColsIntegrality(program.n_columns, everything, integral)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = [float(value) for value in start]
        highs.setSolution(solution)
    status = _run(highs, time_limit, small=False)
    info = highs.getInfo()
    bound = float(info.mip_dual_bound)
    if status == "infeasible":
        return WholeOutcome(status, np.inf, np.inf, None, "HiGHS")
    if not np.isfinite(info.objective_function_value) or info.primal_solution_status != 2:
        return WholeOutcome(status, np.inf, bound, None, "HiGHS")
    x = np.rint(np.array(highs.getSolution().col_value)).astype(np.int64)
    return WholeOutcome(status, float(np.asarray(cost) @ x), bound, x, "HiGHS")


class WholeModel:
    """Whole numbers between bounds under linear constraints, some of which hold only where others are 1; for CP-SAT.

    Raises
    ------
    MissingExtraError
        CP-SAT isn't installed.

    Examples
    --------
    The largest `x` up to 9 of which a truth value says that it is at most 5, where the other way costs 3:

    >>> model = WholeModel()
    >>> x, is_small = model.variables([0, 0], [9, 1])
    >>> model.add([x], [1], 0, 5, where=[is_small])
    >>> model.solve([x, ~is_small], [-1, 3]).value
    -6.0
    """

    def __init__(self) -> None:
        try:
            from ortools.sat.python import cp_model
        except ImportError:
            raise MissingExtraError("ortools", "proof") from None
        self._cp_model: Any = cp_model
        self._model: Any = cp_model.CpModel()
        self._x: list[Any] = []

    def variables(self, lower: Any, upper: Any) -> list[int]:
        """Return the numbers of new variables with these bounds."""
        _require_small(lower, upper)
        first = len(self._x)
        for low, high in zip(lower, upper, strict=True):
            self._x.append(self._model.new_int_var(int(low), int(high), ""))
        return list(range(first, len(self._x)))

    @property
    def n_variables(self) -> int:
        """Number of variables."""
        return len(self._x)

    def add(
        self, columns: Sequence[int], values: Any, lower: float, upper: float, *, where: Sequence[int] = ()
    ) -> None:
        """Add ``lower <= sum of values times variables <= upper``.

        Parameters
        ----------
        columns : sequence of int
            Variables. For one that is 0 or 1, ``~i`` is 1 less variable ``i``.
        values : array_like of int
        lower, upper : int, or infinite
        where : sequence of int
            It holds only if all these variables are 1.
        """
        _require_small(values)
        terms = [self._term(i) for i in columns]
        total = self._cp_model.LinearExpr.weighted_sum(terms, [int(value) for value in values])
        if np.isfinite(lower) and np.isfinite(upper):
            made = self._model.add_linear_constraint(total, int(lower), int(upper))
        elif np.isfinite(lower):
            made = self._model.add(total >= int(lower))
        elif np.isfinite(upper):
            made = self._model.add(total <= int(upper))
        else:
            return
        if where:
            made.only_enforce_if([self._term(i) for i in where])

    def solve(
        self, columns: Sequence[int], cost: Any, *, time_limit: float | None = None, start: Any = None
    ) -> WholeOutcome:
        """Return the least cost, a sum as in `add`; `start` is a value for each variable, or a guess at one."""
        cp_model = self._cp_model
        _require_small(cost)
        terms = [self._term(i) for i in columns]
        self._model.minimize(cp_model.LinearExpr.weighted_sum(terms, [int(value) for value in cost]))
        self._model.clear_hints()
        if start is not None:
            for variable, value in zip(self._x, start, strict=True):
                self._model.add_hint(variable, int(value))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.catch_sigint_signal = False
        if time_limit is not None:
            solver.parameters.max_time_in_seconds = max(0.01, time_limit)
        status = _in_thread(lambda: solver.solve(self._model), solver.stop_search)
        if status == cp_model.INFEASIBLE:
            return WholeOutcome("infeasible", np.inf, np.inf, None, "CP-SAT")
        if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            word: Status = "stopped" if status == cp_model.UNKNOWN else "unclear"
            return WholeOutcome(word, np.inf, solver.best_objective_bound, None, "CP-SAT")
        found = np.array([solver.value(variable) for variable in self._x], dtype=np.int64)
        done: Status = "optimal" if status == cp_model.OPTIMAL else "stopped"
        return WholeOutcome(done, solver.objective_value, solver.best_objective_bound, found, "CP-SAT")

    def _term(self, i: int) -> Any:
        return self._x[i] if i >= 0 else self._x[~i].negated()


def _require_small(*parts: Any) -> None:
    """Refuse numbers that CP-SAT couldn't add up."""
    largest = max(float(np.abs(np.asarray(part, dtype=np.float64)).max(initial=0)) for part in parts)
    if not largest < CP_SAT_MOST:
        raise NotExactError(
            f"CP-SAT takes whole numbers below 2**50. Received: {largest:.3g}. Reduce the weights first."
        )


def _sparse(matrix: Any, n_rows: int) -> tuple[Array, Array, Array]:
    """Return where each row starts, and columns and values of the entries other than zero, row by row."""
    if matrix is None:
        return np.zeros(n_rows, dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros(0)
    if hasattr(matrix, "tocsr"):
        compressed = matrix.tocsr()
        starts, indices, values = compressed.indptr[:-1], compressed.indices, compressed.data
    else:
        dense = np.asarray(matrix, dtype=np.float64)
        dense = dense.reshape(n_rows, -1)
        positions, indices = np.nonzero(dense)
        starts = np.searchsorted(positions, np.arange(n_rows))
        values = dense[positions, indices]
    return starts.astype(np.int32), indices.astype(np.int32), values.astype(np.float64)


def _run(highs: Any, limit: float | None, *, small: bool) -> Status:
    """Let HiGHS run, in a thread of its own where it may take long, so that Ctrl-C is heard."""
    highs.setOptionValue("time_limit", np.inf if limit is None else highs.getRunTime() + max(0.0, limit))
    if small:
        highs.run()
    else:
        highs.HandleUserInterrupt = True
        _in_thread(highs.run, highs.cancelSolve)
    return STATUSES.get(highs.getModelStatus().name, "unclear")


def _in_thread(work: Any, stop: Any) -> Any:
    """Return what `work` returns, done in a thread; on Ctrl-C stop it, wait until it has, and raise."""
    from threading import Event, Thread

    result: list[Any] = []
    failure: list[BaseException] = []
    done = Event()  # an interrupted join can take a thread that runs for one that has ended

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:  # handed on to the caller below
            failure.append(error)
        finally:
            done.set()

    Thread(target=run, daemon=True).start()
    try:
        while not done.wait(POLL):
            pass
    except KeyboardInterrupt:
        while not done.wait(POLL):
            stop()
        raise
    if failure:
        raise failure[0]
    return result[0]
