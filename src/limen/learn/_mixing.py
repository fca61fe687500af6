"""Shards inside: an epoch over one, the mean of all, and all of them in threads.

`taught` and `mixed` do the work of `limen.learn.shards`, which checks first. `Shards` runs the epochs of a
`limen.learn.Perceptron` that has ``shards``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np

from limen._door import frozen
from limen.errors import TrainingError
from limen.learn._admission import UPDATES
from limen.learn._kernels import Rule
from limen.learn._targets import Targets
from limen.learn._training import Learner, Lesson
from limen.learn.shard_state import ShardState, is_finite
from limen.network import DOMAINS
from limen.step import Array

__all__ = ["Shards", "competes", "mixed", "taught"]

PATIENCE = 0.2  # seconds between two looks at the threads, for systems where a wait can't be interrupted


def competes(state: ShardState) -> bool:
    """Whether the outputs of a state are competing classes, not independent."""
    return state.kind == "multiclass" and state.multi_class == "crammer_singer"


def taught(
    state: ShardState, lesson: Lesson, order: Array, between: Callable[[], None] | None = None
) -> tuple[ShardState, int, float]:
    """Do the work of `shard_epoch` on checked rows; return the loss as well.

    Parameters
    ----------
    state : ShardState
    lesson : Lesson
    order : ndarray of int64
        The rows of the shard, as they are to be visited.
    between : callable, optional
        Called between kernels; what it raises ends the epoch.
    """
    rule = Rule(
        shrink=state.shrink,
        truncate=0.0,
        intercept=state.fit_intercept,
        average=state.total is not None,
        pocket=False,
        update=UPDATES[state.update],
        margin=state.margin,
        aggressiveness=state.C,
    )
    learner = Learner(state.n_outputs, state.n_features, classes=competes(state), rule=rule, exact=False)
    learner.start_from(state.weights, state.bias)
    learner.begin()
    learner.show(lesson, order, between=between)
    n_mistakes, loss = learner.end()
    last = learner.last()
    changed: dict[str, Any] = {"weights": frozen(last.weights), "bias": frozen(last.bias)}
    if state.shard_total is not None:
        sums = learner.averaged()
        changed["shard_total"] = frozen(sums.weights + state.shard_total)
        changed["shard_total_bias"] = frozen(sums.bias + state.shard_total_bias)
    return replace(state, shard_steps=state.shard_steps + len(order), **changed), n_mistakes, loss


def mixed(states: Sequence[ShardState], shares: Array) -> ShardState:
    """Do the work of `mix` on states that may be mixed, with shares that sum to 1."""
    first = states[0]
    changed: dict[str, Any] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for name in ("weights", "bias"):
            mean = np.array(getattr(first, name))
            # Differences, so that what is equal in all states stays as it is.
            for state, share in zip(states[1:], shares[1:].tolist(), strict=True):
                mean += share * (getattr(state, name) - getattr(first, name))
            changed[name] = mean
        for name in ("total", "total_bias") if first.total is not None else ():
            own = sum(getattr(state, f"shard_{name}") for state in states)
            changed[name] = getattr(first, name) + own
            changed[f"shard_{name}"] = np.zeros_like(own)
    if not all(is_finite(array) for array in changed.values()):
        raise TrainingError(
            "The weights overflowed while they were mixed, so nothing was kept. Scale the features or the sample"
            " weights down."
        )
    n_steps = first.n_steps + sum(state.shard_steps for state in states)
    return replace(
        first, n_steps=n_steps, shard_steps=0, **{name: frozen(array) for name, array in changed.items()}
    )


class Shards:
    """The training rows of a fit, in parts that learn at the same time.

    Parameters
    ----------
    lesson : Lesson
    target : Targets
        The labels of all rows.
    learner : Learner
        For how it learns.
    training_rows : ndarray of int64
        The rows to be split, into parts of sizes as equal as can be; no part is empty.
    n_shards : int
    random : RandomState or None
        What the parts and the orders of their rows are drawn from; None leaves the rows in their order.
    n_threads : int
        The result doesn't depend on it.
    """

    def __init__(
        self,
        lesson: Lesson,
        target: Targets,
        learner: Learner,
        training_rows: Array,
        *,
        n_shards: int,
        random: Any,
        n_threads: int,
    ) -> None:
        n = min(n_shards, len(training_rows))
        order = training_rows if random is None else random.permutation(training_rows)
        self.lesson = lesson
        self.parts = np.array_split(order, n)
        # Each shard draws from a stream of its own, so that no thread waits for another, or changes what it gets.
        seeds = [] if random is None else random.randint(2**31, size=n).tolist()
        self.streams = [np.random.RandomState(seed) for seed in seeds]
        self.n_threads = min(n_threads, n)
        rule = learner.rule
        self.settings: dict[str, Any] = {
            "kind": target.kind,
            "classes": np.arange(max(2, len(target.classes))),  # which ones they are doesn't matter here
            "multi_class": "crammer_singer" if learner.classes else "ovr",
            "update": next(name for name, code in UPDATES.items() if code == rule.update),
            "margin": rule.margin,
            "C": rule.aggressiveness,
            "fit_intercept": rule.intercept,
            "shrink": rule.shrink,
        }

    def epoch(self, learner: Learner) -> tuple[int, float]:
        """Do one epoch of every shard from the weights of a learner, and give it their mean.

        Returns
        -------
        n_mistakes : int
        loss : float
            Both summed over shards.
        """
        orders = self.parts
        if self.streams:
            orders = [stream.permutation(part) for stream, part in zip(self.streams, orders, strict=True)]
        done = self._each(self._state(learner), orders)
        states = [state for state, _, _ in done]
        new = mixed(states, np.full(len(states), 1 / len(states)))
        k, d = learner.n_outputs, learner.n_features
        learner.start_from(new.weights, new.bias)
        if new.total is not None and new.total_bias is not None:
            learner.total[:k, :d] = new.total
            learner.total_bias[:k] = new.total_bias
        learner.n_steps = new.n_steps
        learner.domain = max(learner.domain, self.lesson.rows.domain, key=DOMAINS.index)
        return sum(n for _, n, _ in done), sum(loss for _, _, loss in done)

    def _state(self, learner: Learner) -> ShardState:
        last, sums, none = learner.last(), {}, np.zeros((learner.n_outputs, learner.n_features))
        if learner.rule.average:
            total = learner.averaged()
            sums = {
                "total": frozen(total.weights),
                "total_bias": frozen(total.bias),
                "shard_total": frozen(none),
                "shard_total_bias": frozen(np.zeros(learner.n_outputs)),
            }
        return ShardState(
            weights=frozen(last.weights),
            bias=frozen(last.bias),
            n_steps=learner.n_steps,
            **sums,
            **self.settings,
        )

    def _each(self, state: ShardState, orders: Sequence[Array]) -> list[tuple[ShardState, int, float]]:
        """Teach each shard; whatever ends one early, or this wait for them, ends all."""
        if self.n_threads == 1:
            return [taught(state, self.lesson, order) for order in orders]
        stopped = Event()

        def between() -> None:
            if stopped.is_set():
                raise _StoppedError

        with ThreadPoolExecutor(self.n_threads) as pool:
            try:
                futures = [pool.submit(taught, state, self.lesson, order, between) for order in orders]
                waiting: set[Future[Any]] = set(futures)
                while waiting:
                    done, waiting = wait(waiting, timeout=PATIENCE, return_when=FIRST_EXCEPTION)
                    for future in done:
                        future.result()
            except BaseException:
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [future.result() for future in futures]


class _StoppedError(Exception):
    """Ends a shard because another one failed, or because training was interrupted."""
