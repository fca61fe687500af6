"""Tables that are a conjunction, a disjunction or a parity of functions of inputs that differ.

Two inputs may stand in different parts of a conjunction only if, from each true row, changing both keeps it true
exactly if changing either does; of a parity only if changing one changes the value whatever the other is. Inputs for
which that fails are put together, and whether the parts found so make up the table is then tested on all rows. (For a
parity that is enough; a few conjunctions pass the first test pair by pair and fail the second, and stay whole.)

References
----------
R. L. Ashenhurst (1957), "The decomposition of switching functions", Proceedings of an International Symposium on the
Theory of Switching: disjoint decompositions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from limen.logic._plan import Neuron, Plan, span
from limen.step import Array

__all__ = ["JUNCTIONS", "Part", "joined", "parts"]

JUNCTIONS = ("and", "or", "xor")

Part = tuple[list[int], Array]
"""Inputs, and the table over them."""


def parts(values: Array, junction: str) -> list[Part]:
    """Return the parts that make up a table; a single one if it doesn't come apart.

    Parameters
    ----------
    values : ndarray of shape (2**n,)
        0 and 1, and not all equal.
    junction : {"and", "or", "xor"}

    Examples
    --------
    >>> parts(np.array([0, 0, 0, 1, 0, 1, 1, 0]), "xor")
    [([0, 1, 2], array([0, 0, 0, 1, 0, 1, 1, 0]))]
    >>> parts(np.array([0, 1, 1, 0, 0, 0, 0, 0]), "and")
    [([0], array([1, 0])), ([1, 2], array([0, 1, 1, 0]))]
    """
    n = len(values).bit_length() - 1
    turned = int(junction == "or")  # a disjunction is what isn't a conjunction of negations
    cube = (values ^ turned).reshape((2,) * n)
    blocks = _blocks(cube, junction)
    base = np.unravel_index(0 if junction == "xor" else int(np.argmax(cube)), cube.shape)
    found: list[Part] = []
    whole: Array = np.array(0 if junction == "xor" else 1).reshape((1,) * n)
    for block in blocks:
        place = tuple(slice(None) if i in block else slice(base[i], int(base[i]) + 1) for i in range(n))
        part = cube[place]
        if junction == "xor" and found:
            part = part ^ cube[base]  # the constant is the first part's
        whole = whole ^ part if junction == "xor" else whole & part
        found.append((block, part.reshape(-1) ^ turned))
    return found if np.array_equal(whole, cube) else [(list(range(n)), values)]


def _blocks(cube: Array, junction: str) -> list[list[int]]:
    """Return the inputs, those together that can't be in different parts."""
    n = cube.ndim
    block_of = list(range(n))
    once = [np.flip(cube, i) for i in range(n)]
    for i, j in combinations(range(n), 2):
        if block_of[i] == block_of[j]:
            continue
        twice = np.flip(once[i], j)
        if junction == "xor":
            apart = not (cube ^ once[i] ^ once[j] ^ twice).any()
        else:
            apart = not (cube & (twice ^ (once[i] & once[j]))).any()
        if not apart:
            old, new = block_of[j], block_of[i]
            block_of = [new if block == old else block for block in block_of]
    return [[i for i in range(n) if block_of[i] == block] for block in sorted(set(block_of))]


def joined(plans: Sequence[Plan], n_inputs: int, junction: str) -> Plan:
    """Return the plan that joins the outputs of several.

    A conjunction or disjunction takes no neuron more than its parts: the last part's output takes in the others. A
    parity of `k` takes ``floor(log2 k) + 1`` more, the digits of how many hold; parts that are an input need none.

    Examples
    --------
    >>> joined([[({0: 1, 1: 1}, 2)], [({2: 1, 3: 1}, 2)]], 4, "or")
    [({0: 1, 1: 1}, 2), ({2: 1, 3: 1, 4: 2}, 2)]
    """
    together: Plan = []
    ends: list[int] = []
    turned = 0
    for plan in sorted(plans, key=lambda plan: len(plan) > 1) if junction != "xor" else plans:
        literal = _literal(plan, n_inputs)
        if literal is not None and junction == "xor":
            ends.append(literal[0])
            turned ^= literal[1]
            continue
        start = len(together)
        together += list(_moved(plan, n_inputs, start))
        ends.append(n_inputs + len(together) - 1)
    if junction == "xor":
        return [*together, *_digits(ends, n_inputs + len(together), turned)]
    others = ends[:-1]
    weights, threshold = together[-1]
    least, most = span(together[-1])
    if junction == "or":
        force = max(threshold - least, 1)
        together[-1] = {**weights, **dict.fromkeys(others, force)}, threshold
    else:
        force = max(most - threshold + 1, 1)
        together[-1] = {**weights, **dict.fromkeys(others, force)}, threshold + force * len(others)
    return together


def _literal(plan: Plan, n_inputs: int) -> tuple[int, int] | None:
    """Return the input that a plan puts out, and whether negated; None for other plans."""
    if len(plan) == 1 and len(plan[0][0]) == 1:
        ((signal, weight),) = plan[0][0].items()
        return signal, int(weight < 0)
    return None


def _moved(plan: Plan, n_inputs: int, start: int) -> Iterator[Neuron]:
    for weights, threshold in plan:
        yield {s if s < n_inputs else s + start: w for s, w in weights.items()}, threshold


def _digits(signals: Sequence[int], first: int, turned: int) -> Plan:
    """Return the neurons for the binary digits of how many signals are 1; the last is the parity, or its negation."""
    seen = dict.fromkeys(signals, 1)
    plan: Plan = []
    for k in reversed(range(len(signals).bit_length())):
        plan.append((dict(seen), 1 << k))
        seen[first + len(plan) - 1] = -1 << k
    weights, threshold = plan[-1]
    if turned:
        plan[-1] = {signal: -w for signal, w in weights.items()}, 1 - threshold
    return plan
