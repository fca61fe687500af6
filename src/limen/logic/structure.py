"""Formulas that are one neuron by the way they are built, whatever the number of inputs.

A *module* is a part of a formula whose inputs appear nowhere else in it. Seen from outside it is one value. So a formula
is taken apart from the inside out: where a module is one neuron, the formula around it sees one input in its place; and
where that formula, of few inputs, is one neuron too, the two are put together:

    if ``u·x + v·g`` decides by `g` only where ``u·x`` has one certain value `r`, and ``g`` fires when ``w·y >= t``, then
    the whole fires when ``c·(u·x - r) + w·y >= t``, with `c` so large that ``w·y`` can't make up for 1.

A comparator of two numbers, bit by bit, comes out with weights of 1, 2, 4, …, "at least k of 200" with weights of 1.
What isn't recognised may still be one neuron; nothing is said of it.

References
----------
R. L. Ashenhurst (1957), "The decomposition of switching functions", Symposium on the Theory of Switching: simple
disjoint decomposition.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
T. Lengauer and R. E. Tarjan (1979), "A fast algorithm for finding dominators in a flowgraph", ACM TOPLAS 1: modules are
found by which node all ways to another pass through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from limen import _text, rewrite
from limen._door import INT64_MAX
from limen.answer import Answer
from limen.errors import InputError, NotExactError
from limen.logic._knapsack import can_be_asked, of_neuron
from limen.logic._least import least_weights
from limen.logic._table_neuron import decide_table, neuron, proved
from limen.logic.asked import MOST_INPUTS, Asked
from limen.logic.gates import reduce_weights
from limen.logic.proposition import Formula, evaluate, postorder
from limen.network import Network

__all__ = ["Neuron", "neuron_of", "reduced", "turned", "wide_neuron"]

MOST_SEARCHED = 300  # inputs up to which least weights are looked for
MOST_COMPARED = 1_000  # inputs up to which it is looked at which of them matter
MOST_LEAVES = 12  # inputs and modules around which a table is made
LEAF = (
    "\N{NULL}"  # begins the name of what stands for a module, repeated where an input's name begins with it
)


class _TooHeavy(Exception):  # noqa: N818 - no error yet: the caller knows what the output is called
    """A weight doesn't fit into int64, and can only grow."""


@dataclass(frozen=True)
class Neuron:
    """A neuron over named inputs, in Python's integers: it fires when ``Σ weights >= threshold``."""

    weights: dict[str, int]
    threshold: int
    _known_range: tuple[int, int] | None = field(default=None, compare=False, repr=False)

    def negated(self) -> Neuron:
        """Return the neuron that fires when this one doesn't."""
        return Neuron({name: -w for name, w in self.weights.items()}, 1 - self.threshold)

    @property
    def range(self) -> tuple[int, int]:
        """The least and the largest weighted sum."""
        if self._known_range is not None:
            return self._known_range
        lowest = sum(w for w in self.weights.values() if w < 0)
        return lowest, lowest + sum(map(abs, self.weights.values()))


def neuron_of(formula: Formula) -> Neuron | None:
    """Return the neuron that a formula is by the way it is built, or None if it isn't seen to be one.

    Examples
    --------
    >>> from limen import logic
    >>> a, b, c, d = logic.inputs("a b c d")
    >>> neuron_of(a & ~b | logic.iff(a, b) & (c & ~d))
    Neuron(weights={'a': 2, 'b': -2, 'c': 1, 'd': -1}, threshold=1)
    """
    order = postorder([formula])
    known: dict[int, Neuron | None] = {}
    for module in _modules(order):
        known[id(module)] = _module(module, known)
    found = known[id(formula)]
    if found is None:
        return None
    return Neuron(
        {name: found.weights[name] for name in formula.inputs if name in found.weights}, found.threshold
    )


# Modules ------------------------------------------------------------------------------------------------------


def _modules(order: list[Formula]) -> list[Formula]:
    """Return the formulas whose inputs appear only inside them, inner ones first; the last is the whole.

    In a graph in which an input is one node, however often it is written, they are the nodes that all ways from the top
    to whatever they are made of pass through: no child of what they dominate has its dominator outside.
    """
    names: dict[str, int] = {}
    number: dict[int, int] = {}
    nodes: list[Formula] = []
    for node in order:
        if node.kind == "input" and node.name in names:
            number[id(node)] = names[node.name]
            continue
        number[id(node)] = len(nodes)
        if node.kind == "input":
            names[node.name] = len(nodes)
        nodes.append(node)
    top = len(nodes) - 1
    parents: list[list[int]] = [[] for _ in nodes]
    children = [list(dict.fromkeys(number[id(part)] for part in node.parts)) for node in nodes]
    for k, below in enumerate(children):
        for child in below:
            parents[child].append(k)
    dominator, depth = [top] * len(nodes), [0] * len(nodes)
    for k in range(top - 1, -1, -1):  # parents have higher numbers
        meet = parents[k][0]
        for other in parents[k][1:]:
            while meet != other:
                if depth[meet] >= depth[other]:
                    meet = dominator[meet]
                else:
                    other = dominator[other]
        dominator[k], depth[k] = meet, depth[meet] + 1
    highest = list(depth)
    for k in range(len(nodes)):  # children have lower numbers
        highest[k] = min([highest[k], *(depth[dominator[child]] for child in children[k])])
        if k != top:
            highest[dominator[k]] = min(highest[dominator[k]], highest[k])
    modules = [nodes[k] for k in range(top) if highest[k] >= depth[k] and nodes[k].kind != "constant"]
    return [*modules, nodes[top]]


def _module(module: Formula, known: Mapping[int, Neuron | None]) -> Neuron | None:
    """Return the neuron of a module, given those of the modules in it."""
    if module.kind == "input":
        return Neuron({module.name: 1}, 1)
    leaves: dict[str, Neuron] = {}
    made: dict[int, Formula] = {}
    around, prefix = _around(module, known), LEAF
    while any(node.kind == "input" and node.name.startswith(prefix) for node in around):
        prefix += LEAF
    for node in around:
        if node.kind == "input" or id(node) not in known or node is module:
            made[id(node)] = Formula(
                node.kind, tuple(made[id(part)] for part in node.parts), node.name, node.count
            )
            if node.kind == "input":
                leaves[node.name] = Neuron({node.name: 1}, 1)
            continue
        own = known[id(node)]
        if own is None:
            return None
        name = f"{prefix}{len(leaves)}"
        leaves[name] = own
        made[id(node)] = Formula("input", name=name)
    whole = made[id(module)]
    outer = _counted(whole, leaves) or _by_table(whole, tuple(leaves))
    for name, inner in sorted(
        leaves.items(), key=lambda leaf: len(leaf[1].weights)
    ):  # a heavy one goes in last
        if outer is not None and (len(inner.weights) != 1 or name not in inner.weights):
            outer = _put_in(outer, name, inner)
    return outer


def _around(module: Formula, known: Mapping[int, Neuron | None]) -> list[Formula]:
    """Return what a module is made of, down to the modules in it, parts before wholes."""
    order: list[Formula] = []
    done: set[int] = set()
    pending: list[tuple[Formula, bool]] = [(module, False)]
    while pending:
        node, seen = pending.pop()
        if seen:
            order.append(node)
        elif id(node) not in done:
            done.add(id(node))
            pending.append((node, True))
            if node is module or id(node) not in known:
                pending += [(part, False) for part in reversed(node.parts)]
    return order


def _counted(around: Formula, leaves: Mapping[str, Neuron]) -> Neuron | None:
    """Return the neuron of a formula that counts leaves, negated or not, each only once; None for any other."""
    signs: dict[str, int] = {}
    for part in around.parts:
        sign = 1
        while part.kind == "not":
            part, sign = part.parts[0], -sign
        if part.kind != "input" or part.name in signs:
            return None
        signs[part.name] = sign
    n = len(around.parts)
    match around.kind:
        case "not" | "and":
            need = n
        case "or":
            need = 1
        case "implies":
            first, second = signs
            signs, need = {first: -signs[first], second: signs[second]}, 1
        case "at_least":
            need = around.count
        case "majority":
            need = n // 2 + 1
        case "at_most":
            signs, need = {name: -sign for name, sign in signs.items()}, n - around.count
        case _:
            return None
    if around.kind == "not":
        signs = {name: -sign for name, sign in signs.items()}
    if not 0 < need <= n:
        return Neuron({}, 0 if need <= 0 else 1)
    return Neuron(signs, need - sum(sign < 0 for sign in signs.values()))


def _by_table(around: Formula, leaves: tuple[str, ...]) -> Neuron | None:
    """Return the neuron of a formula of few leaves, from its truth table."""
    if len(leaves) > MOST_LEAVES:
        return None
    rows = np.arange(1 << len(leaves))
    columns = {name: (rows >> (len(leaves) - 1 - k) & 1) == 1 for k, name in enumerate(leaves)}
    values = np.broadcast_to(np.asarray(evaluate([around], columns)[0], dtype=np.int8), rows.shape)
    answer = decide_table(Asked(leaves, "y", values=values), values, least=True, time_limit=1.0)
    if not answer.is_proved or answer.network is None:
        return None
    layer = answer.network.layers[0]
    weights = {name: int(w) for name, w in zip(leaves, layer.dense()[:, 0], strict=True) if w}
    return Neuron(weights, -int(layer.bias[0]))


def _put_in(outer: Neuron, name: str, inner: Neuron) -> Neuron | None:
    """Return the neuron that has `inner` in place of the input `name`, or None where the two don't make one."""
    if name not in outer.weights:
        return outer
    rest = {other: w for other, w in outer.weights.items() if other != name}
    own, threshold = outer.weights[name], outer.threshold
    if own < 0:  # with the negated inner neuron the weight is positive
        inner, own, threshold = inner.negated(), -own, threshold - own
    value = _only_value(rest, threshold - own, threshold)
    if value is None:
        return None
    lowest, highest = inner.range
    low = sum(w for w in rest.values() if w < 0)
    above = (
        low + sum(map(abs, rest.values())) > value
    )  # then, and below `value`, the others alone must decide
    c = max(1, inner.threshold - lowest if above else 1, highest - inner.threshold + 1 if low < value else 1)
    grown = {other: c * w for other, w in rest.items()}
    for other, w in grown.items():
        if abs(w) > INT64_MAX:
            raise _TooHeavy(other, w)
    inner.weights.update(grown)  # a module is used once, so its weights may grow where they are
    low = sum(w for w in grown.values() if w < 0)
    known = lowest + low, highest + low + sum(map(abs, grown.values()))
    return Neuron(inner.weights, inner.threshold + c * value, known)


def _only_value(weights: Mapping[str, int], low: int, high: int) -> int | None:
    """Return the one weighted sum there is from `low` to before `high`, or None if there may be several."""
    if high - low == 1:
        return low
    if len(weights) > MOST_LEAVES:
        return None
    sums = {0}
    for weight in weights.values():
        sums |= {total + weight for total in sums}
    between = {total for total in sums if low <= total < high}
    return between.pop() if len(between) == 1 else None


# Answers for more inputs than a table has ---------------------------------------------------------------------


def wide_neuron(what: Asked, *, least: bool, time_limit: float | None) -> Answer:
    """Return the answer for a formula or network of more inputs than a table has."""
    found = _recognised(what)
    if found is None:
        raise InputError(
            f"Whether one neuron computes {what.output} is decided from a truth table, of at most {MOST_INPUTS} inputs,"
            " or by the way a formula is built: counts, comparisons, and and-or of parts that share no inputs."
            f" Received: {_text.plural(what.n_inputs, 'input')}, built in another way. Ask about parts of it instead,"
            " or build a network with logic.network."
        )
    return least_neuron(what, found, least=least, time_limit=time_limit)


def _recognised(what: Asked) -> Neuron | None:
    if what.formula is not None:
        try:
            return neuron_of(what.formula)
        except _TooHeavy as heavy:
            raise _too_heavy(what.output, *heavy.args) from None
    assert what.network is not None  # tables don't come here
    net = what.network if what.network.depth == 1 else rewrite.simplify(what.network)
    return of_network(net) if net.depth == 1 and net.layers[0].activation == "heaviside" else None


def of_network(net: Network) -> Neuron:
    """Return the one heaviside neuron that a network is, in whole numbers."""
    layer = rewrite.to_integers(net).layers[0]
    weights = {name: int(w) for name, w in zip(net.inputs, layer.dense()[:, 0], strict=True) if w}
    return Neuron(weights, -int(layer.bias[0]))


def turned(found: Neuron) -> tuple[list[str], list[int], list[int], int]:
    """Return names, signs and sizes of the weights, heaviest first, and what the sizes must add up to to fire."""
    names = sorted(found.weights, key=lambda name: -abs(found.weights[name]))
    signs = [1 if found.weights[name] > 0 else -1 for name in names]
    sizes = [abs(found.weights[name]) for name in names]
    return names, signs, sizes, found.threshold - found.range[0]


def reduced(found: Neuron) -> Neuron:
    """Return a neuron with smaller weights that does the same, as far as simple rules go."""
    names = list(found.weights)
    weights, threshold = reduce_weights(
        {k: found.weights[name] for k, name in enumerate(names)}, found.threshold
    )
    return Neuron({names[k]: w for k, w in weights.items() if w}, threshold)


def least_neuron(
    what: Asked, found: Neuron, *, least: bool, time_limit: float | None, largest: int | None = None
) -> Answer:
    """Return the answer that there is a neuron, with the least weights that were found in time."""
    found = reduced(found)
    names, signs, sizes, need = turned(found)
    if not names or not 0 < need <= sum(sizes):
        fires = need <= 0
        net = neuron(what, [0] * what.n_inputs, 0 if fires else 1)
        return Answer(
            "proved", f"{what.output} {'always' if fires else 'never'} fires.", net, None, (0, 0), True
        )
    lower, unique = _least_possible(sizes, need), None
    if least and lower < sum(sizes) and len(sizes) <= MOST_SEARCHED and can_be_asked(sizes, need):
        best = least_weights(
            len(names), of_neuron(sizes, need), orderly=True, largest=largest, time_limit=time_limit
        )
        if best is not None and best.weights is not None:
            lower = max(lower, best.lower)
            if sum(best.weights) <= sum(sizes):
                sizes, need = best.weights, best.threshold
                unique = best.unique and _twins_agree(sizes, need)
    elif lower == sum(sizes):
        unique = True  # every input matters, so no weight can be smaller
    weights = [0] * what.n_inputs
    place = {name: k for k, name in enumerate(what.inputs)}
    for name, sign, size in zip(names, signs, sizes, strict=True):
        weights[place[name]] = sign * size
    threshold = need - sum(size for sign, size in zip(signs, sizes, strict=True) if sign < 0)
    _must_fit(what, weights, threshold)
    return proved(what, weights, threshold, lower, unique)


def _least_possible(sizes: list[int], need: int) -> int:
    """Return how many inputs surely matter: each has a weight of at least 1 in whatever neuron does the same.

    An input matters if the others can bring the sum so near that it decides. Filling up with the heaviest that still
    fit shows that for most; what it doesn't show isn't counted.
    """
    if max(sizes) == 1:
        return len(sizes)
    if len(sizes) > MOST_COMPARED:
        return 0
    matter = 0
    for k, own in enumerate(sizes):
        left = need - 1
        for i, size in enumerate(sizes):
            if i != k and size <= left:
                left -= size
        matter += left < own
    return matter


def _twins_agree(sizes: list[int], need: int) -> bool:
    """Tell whether neighbours of unequal weights do differ: exchanging them changes what the neuron does."""
    for k in range(len(sizes) - 1):
        if sizes[k] == sizes[k + 1]:
            continue
        sums = 1
        for i, size in enumerate(sizes):
            if i not in (k, k + 1):
                sums |= sums << size
        window = (1 << max(0, need - sizes[k + 1])) - (1 << max(0, need - sizes[k]))
        if not sums & window:
            return False
    return True


def _must_fit(what: Asked, weights: list[int], threshold: int) -> None:
    """Refuse weights whose sums could leave int64."""
    reach = sum(map(abs, weights)) + abs(threshold)
    if reach > INT64_MAX:
        heaviest = max(range(len(weights)), key=lambda k: abs(weights[k]))
        raise _too_heavy(what.output, what.inputs[heaviest], weights[heaviest])


def _too_heavy(output: str, name: str, weight: int) -> NotExactError:
    shown = (
        str(weight)
        if abs(weight) < 1 << 80
        else f"about {'-' if weight < 0 else ''}2**{abs(weight).bit_length() - 1}"
    )
    return NotExactError(
        f"One neuron computes {output}, but its net input doesn't fit into int64: input {name!r} has weight {shown}. Use"
        " fewer inputs, or a network of several neurons (logic.network)."
    )
