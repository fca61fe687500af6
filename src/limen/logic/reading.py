"""Network → `Rules`: what each neuron says, in the shortest words that say exactly that.

A neuron on bits is read as the shortest of these; its *length* counts names, numbers, signs, words and commas:

========================  ==========================================================================
``always fires``          a constant
``a``, ``not a``          one input decides
``a and not b``           *and* or *or* of inputs and negated inputs
``at least 2 of a, b``    a count, or ``at most``
``a and (b or c)``        inputs that alone force or veto, before a reading of the rest
``a and b or c and d``    its prime implicants, where they are few (`limen.logic.primes`)
``2·a − b ≥ 1``           a sum of points (a minus counts 2: it adds and turns over)
========================  ==========================================================================

No reading is shown before `agrees` has found it equal to the neuron, exactly, for any number of inputs. Whatever sees
other values than bits (the first layer of integers or reals, a layer behind sign or identity) is read as its sum; sign
neurons as ``sign(…)``; a hardmax layer as scores of which the largest wins.

References
----------
W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous activity", Bulletin of
Mathematical Biophysics 5.
G. Towell and J. Shavlik (1993), "Extracting refined rules from knowledge-based neural networks", Machine Learning 13, for
"m of n" readings of neurons.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from limen import _text
from limen._door import is_sparse
from limen.errors import InputError, NotExactError
from limen.logic._points import Points, points, same, smallest
from limen.logic.connectives import at_least, at_most, false, true
from limen.logic.forms import joined
from limen.logic.notation import RESERVED
from limen.logic.primes import disjunction, literal, n_primes, primes_of
from limen.logic.proposition import Formula
from limen.logic.two_level import length
from limen.network import Layer, Network
from limen.rewrite import to_integers
from limen.step import STEPS

__all__ = ["Rule", "Rules", "agrees", "rules"]

FEW = 6  # prime implicants that are tried as a reading
HEAVIEST = 256  # points in all up to which a sum of points is also a formula
MOST_NODES = 20_000  # of the diagrams that compare a neuron with its smaller weights
WORDS = RESERVED | {"of", "at", "least", "most"}  # names that would be misread stand in quotes


@final
@dataclass(frozen=True)
class Rule:
    """What one neuron says.

    Attributes
    ----------
    name : str
        The neuron: an output's name, or ``h1.1``, ``h1.2``, … for a hidden one.
    text : str
        The reading, without the name: ``fires when a and not b``.
    formula : Formula or None
        The same as a formula of the neuron's own inputs; None for what isn't bits in and a bit out, and for sums of
        many points.
    """

    name: str
    text: str
    formula: Formula | None = None

    def __str__(self) -> str:
        joint = "" if self.text.startswith(":") else " "
        return f"{_quoted(self.name)}{joint}{self.text}"


@final
@dataclass(frozen=True, repr=False)
class Rules:
    """What all neurons of a network say, first layer first; prints as one line each.

    Attributes
    ----------
    rules : tuple of Rule
    lines : tuple of str
        What is printed: a line for each rule, and one for each hardmax layer.
    """

    rules: tuple[Rule, ...]
    lines: tuple[str, ...]

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, name: str) -> Rule:
        for rule in self.rules[::-1]:  # an output may be called h1.1 as well, and then it is meant
            if rule.name == name:
                return rule
        names = _text.listing([rule.name for rule in self.rules])
        raise InputError(f"Expected the name of a neuron ({names}). Received: {name!r}.")

    def __repr__(self) -> str:
        return f"Rules({_text.plural(len(self.rules), 'neuron')})"

    def __str__(self) -> str:
        return "\n".join(self.lines)


def rules(net: Network) -> Rules:
    """Read a network back: the shortest exact reading of each neuron.

    Parameters
    ----------
    net : Network
        Of heaviside, sign, hardmax and identity layers. A neuron's floats become integers
        (`limen.rewrite.to_integers`); on reals, and where int64 can't carry them, they stay as they are.

    Returns
    -------
    Rules
        Prints as a line for each neuron; ``rules(net)["h1.1"].formula`` is a reading as a formula.

    Raises
    ------
    InputError
        Not a network.
    NotExactError
        A layer of another activation.

    Examples
    --------
    >>> from limen import Layer, logic
    >>> a, b, c = logic.inputs("a b c")
    >>> print(rules(logic.network({"sum": a ^ b ^ c, "carry": logic.majority(a, b, c), "low": a & (b | ~c)})))
    h1.1 fires when a or b or c
    h1.2 fires when at least 2 of a, b, c
    h1.3 fires when a and b and c
    h1.4 fires when a and (b or not c)
    sum fires when at least 2 of h1.1, not h1.2, h1.3
    carry fires when h1.2
    low fires when h1.4
    >>> print(rules(Network(Layer([[5], [4], [-2], [2]], [-4]), ["a", "b", "age >= 35", "c"], domain="binary")))
    y1 fires when 2·a + 2·b − "age >= 35" + c ≥ 2
    """
    if not isinstance(net, Network):
        raise InputError(f"Expected a limen.Network. Received: {type(net).__name__}.")
    found: list[Rule] = []
    lines: list[str] = []
    names: Sequence[str] = net.inputs
    for index, layer in enumerate(net.layers):
        if layer.activation not in STEPS | {"identity"}:
            raise NotExactError(
                "Layers must be heaviside, sign, hardmax or identity to be read exactly. Received: layer"
                f" {index + 1} of {layer.activation}. Print the network instead."
            )
        bits = net.takes_bits(index)
        domain = "binary" if bits else _domain_behind(net, index)
        if layer.activation == "hardmax":
            layer = _in_integers(layer, domain)  # of which one factor is meant for all neurons
        own = _text.hidden_names(net, index)
        of_layer = [_rule(layer, k, own[k], names, domain) for k in range(layer.n_neurons)]
        found += of_layer
        lines += map(str, of_layer)
        if layer.activation == "hardmax":
            listed = _text.listing([_quoted(name) for name in own])
            lines.append(f"the largest of {listed} fires, the first of equals")
        names = own
    return Rules(tuple(found), tuple(lines))


def _domain_behind(net: Network, index: int) -> str:
    if index == 0:
        return net.domain
    return "integer" if net.layers[index - 1].activation == "sign" else "real"


def _in_integers(layer: Layer, domain: str) -> Layer:
    """Return the layer with whole weights, or as it is where its inputs are reals or int64 can't carry them."""
    if layer.is_integer or domain == "real":
        return layer
    try:
        return to_integers(Network(layer, domain=domain)).layers[0]
    except NotExactError:
        return layer


def _rule(layer: Layer, k: int, name: str, inputs: Sequence[str], domain: str) -> Rule:
    """Return what neuron `k` of a layer says."""
    column = layer.weights[:, [k]].toarray() if is_sparse(layer.weights) else layer.weights[:, [k]]
    if layer.activation in {"heaviside", "sign"}:
        layer, k = _in_integers(Layer(column, layer.bias[[k]], layer.activation), domain), 0
        column = layer.weights
    weights = [(i, w) for i, w in zip(inputs, column.ravel().tolist(), strict=True) if w]
    bias = layer.bias[k].item()
    if layer.activation == "heaviside":
        if domain == "binary" and layer.is_integer:
            return _read(name, points(weights, -bias), {key: i for i, key in enumerate(inputs)})
        if not weights:
            return Rule(name, "always fires" if bias >= 0 else "never fires")
        return Rule(name, f"fires when {_sum(weights)} ≥ {_number(-bias)}")
    total = _sum(weights) if weights else _number(bias)
    if weights and bias:
        total += f" {_text.MINUS if bias < 0 else '+'} {_number(abs(bias))}"
    if layer.activation == "hardmax":
        return Rule(name, f": {total}")
    return Rule(name, f"= {total}" if layer.activation == "identity" else f"= {layer.activation}({total})")


# One neuron on bits -------------------------------------------------------------------------------------------


def _read(name: str, vote: Points, place: Mapping[str, int]) -> Rule:
    """Return the shortest reading of a neuron on bits; `place` is the order in which inputs are named."""
    vote = _small(vote)
    if vote.constant is not None:
        return Rule(
            name, "always fires" if vote.constant else "never fires", true if vote.constant else false
        )
    formula = _shortest(vote, place)
    text, points_length, as_formula = _as_points(vote, place)
    if formula is not None and length(formula) <= points_length:
        if not agrees(formula, vote):
            raise AssertionError("a reading must agree with its neuron")
        return Rule(name, f"fires when {_in_words(formula)}", formula)
    return Rule(name, f"fires when {text}", as_formula)


def _small(vote: Points) -> Points:
    """Return the same neuron with smaller weights, as far as that is proved."""
    weights, threshold = vote.weights()
    smaller = points(smallest(weights, threshold)[0].items(), smallest(weights, threshold)[1])
    try:
        return smaller if same(vote, smaller, MOST_NODES) else vote
    except NotExactError:
        return vote


def _shortest(vote: Points, place: Mapping[str, int]) -> Formula | None:
    """Return the shortest formula among counts, inputs before a rest, and few prime implicants; None if there is none."""
    candidates = [_count(vote, place), _after_some(vote, place)]
    n_terms = n_primes(vote) if len(vote.sizes) <= 64 else None
    if n_terms is not None and n_terms <= FEW:
        terms = [sorted(chosen, key=lambda i: place[vote.names[i]]) for chosen in primes_of(vote, FEW)]
        candidates.append(disjunction({vote.names[i]: vote.scores[i] for i in chosen} for chosen in terms))
    found = [candidate for candidate in candidates if candidate is not None]
    return min(found, key=length, default=None)


def _count(vote: Points, place: Mapping[str, int]) -> Formula | None:
    """Return "at least k" or a shorter form of it, if the neuron only counts the inputs that score."""
    n = len(vote.sizes)
    k = next((k for k in range(1, n + 1) if sum(vote.sizes[n - k :]) >= vote.need), n)
    if sum(vote.sizes[: k - 1]) >= vote.need:
        return None
    values = sorted(zip(vote.names, vote.scores, strict=True), key=lambda value: place[value[0]])
    literals = [literal(name, score) for name, score in values]
    if k == n:
        return joined("and", literals)
    if k == 1:
        return joined("or", literals)
    opposite = [literal(name, 1 - score) for name, score in values]
    return min(at_least(k, literals), at_most(n - k, opposite), key=length)


def _after_some(vote: Points, place: Mapping[str, int]) -> Formula | None:
    """Return inputs that alone force or veto, joined to a reading of the rest, if there are such."""
    n, total = len(vote.sizes), sum(vote.sizes)
    forcing = sum(p >= vote.need for p in vote.sizes)
    vetoing = sum(total - p < vote.need for p in vote.sizes)
    first = max(forcing, vetoing)
    if not 0 < first < n:
        return None
    need = vote.need if forcing else vote.need - sum(vote.sizes[:first])
    rest = Points(vote.names[first:], vote.scores[first:], vote.sizes[first:], need)
    inner = None if rest.constant is not None else _shortest(rest, place)
    if inner is None:
        return None
    values = sorted(zip(vote.names[:first], vote.scores, strict=False), key=lambda value: place[value[0]])
    return joined("or" if forcing else "and", [*(literal(*value) for value in values), inner])


def _as_points(vote: Points, place: Mapping[str, int]) -> tuple[str, int, Formula | None]:
    """Return a neuron as a sum of points: its text, how long that is, and as a formula if the points are few."""
    weights, threshold = vote.weights()
    terms = sorted(weights.items(), key=lambda term: place[term[0]])
    formula = None
    if sum(vote.sizes) <= HEAVIEST:
        repeated = [literal(name, int(w > 0)) for name, w in terms for _ in range(abs(w))]
        formula = at_least(vote.need, repeated)
    sign = "≥"
    if all(w < 0 for _, w in terms):
        terms, sign, threshold = [(name, -w) for name, w in terms], "≤", -threshold
    elif terms[0][1] < 0:  # no sign in front
        terms.sort(key=lambda term: term[1] < 0)
    n_signs = sum(w < 0 for _, w in terms) + (threshold < 0)
    n_tokens = 2 * len(terms) + 1 + sum(abs(w) != 1 for _, w in terms) + n_signs
    return f"{_sum(terms)} {sign} {_number(threshold)}", n_tokens, formula


def agrees(formula: Formula, vote: Points) -> bool:
    """Tell whether a reading and a neuron are the same function, exactly, for any number of inputs.

    It knows the forms that readings have and says no to any other. *Or*: inputs that alone force, and the rest is what
    remains without them. *And*: inputs that veto, likewise. A count of k: the k lightest inputs are enough, the k - 1
    heaviest aren't. Terms: each is enough, none of it can be left out, and there are as many as prime implicants.

    Examples
    --------
    >>> from limen import logic
    >>> agrees(logic.parse("a and (b or c)"), points([("a", 2), ("b", 1), ("c", 1)], 3))
    True
    >>> agrees(logic.parse("at_least(2, a, b, c)"), points([("a", 2), ("b", 1), ("c", 1)], 3))
    False
    """
    size = {(name, score): p for name, score, p in zip(vote.names, vote.scores, vote.sizes, strict=True)}
    total, need = sum(vote.sizes), vote.need
    own = _value(formula)
    if own is not None:
        return own in size and total - size[own] < need <= size[own]
    if formula.kind in {"at_least", "at_most"}:
        held = [_value(part) for part in formula.parts]
        k, turned = formula.count, 0
        if formula.kind == "at_most":  # k of n hold at most: n - k of their opposites at least
            k, turned = len(held) - k, 1
        scored = Counter((pair[0], pair[1] ^ turned) for pair in held if pair is not None)
        if None in held or set(scored) != set(size) or k < 1:
            return False
        if max(scored.values()) == 1:
            in_order = sorted(vote.sizes)
            return sum(in_order[:k]) >= need > sum(in_order[len(in_order) - k + 1 :])
        counted = points(((name, m if score else -m) for (name, score), m in scored.items()), 0)
        return same(Points(counted.names, counted.scores, counted.sizes, k), vote)
    if formula.kind not in {"and", "or"}:
        return False
    parts = _chain(formula, formula.kind)
    values = [_value(part) for part in parts]
    first = {value for value in values if value is not None}
    if len(first) + values.count(None) != len(parts) or not first <= set(size):
        return False
    if formula.kind == "or" and any(size[value] < need for value in first):
        return False
    if formula.kind == "and" and any(total - size[value] >= need for value in first):
        return False
    left = [(name, score, p) for (name, score), p in size.items() if (name, score) not in first]
    if formula.kind == "and":
        need -= sum(size[value] for value in first)
    rest = Points(
        tuple(n for n, _, _ in left), tuple(s for _, s, _ in left), tuple(p for *_, p in left), need
    )
    others = [part for part, value in zip(parts, values, strict=True) if value is None]
    if not others:
        return rest.constant == (1 if formula.kind == "and" else 0)
    if len(others) == 1:
        return bool(first) and agrees(others[0], rest)
    return formula.kind == "or" and _are_its_primes(others, rest)


def _are_its_primes(terms: Sequence[Formula], vote: Points) -> bool:
    """Tell whether conjunctions are all prime implicants of a neuron."""
    size = {(name, score): p for name, score, p in zip(vote.names, vote.scores, vote.sizes, strict=True)}
    seen = set()
    for term in terms:
        values = frozenset(_value(part) for part in _chain(term, "and"))
        scored = [size.get(value) for value in values if value is not None]
        known = [p for p in scored if p is not None]
        if len(known) != len(values) or not sum(known) - min(known) < vote.need <= sum(known):
            return False
        seen.add(values)
    return len(seen) == len(terms) == n_primes(vote)


def _chain(formula: Formula, kind: str) -> list[Formula]:
    """Return the parts of a chain, left to right."""
    found = []
    while formula.kind == kind:
        formula, last = formula.parts
        found.append(last)
    return [formula, *reversed(found)]


def _value(formula: Formula) -> tuple[str, int] | None:
    """Return the input and the value that a formula asks for, or None where it asks for more."""
    if formula.kind == "input":
        return formula.name, 1
    if formula.kind == "not" and formula.parts[0].kind == "input":
        return formula.parts[0].name, 0
    return None


# As text ------------------------------------------------------------------------------------------------------


def _in_words(formula: Formula, above: str = "") -> str:
    """Return a reading as words, in parentheses where it stands inside another and could be misread."""
    value = _value(formula)
    if value is not None:
        return ("" if value[1] else "not ") + _quoted(value[0])
    if formula.kind in {"at_least", "at_most"}:
        listed = ", ".join(_in_words(part, "of") for part in formula.parts)
        text = f"{formula.kind.replace('_', ' ')} {formula.count} of {listed}"
        return f"({text})" if above else text
    text = f" {formula.kind} ".join(_in_words(part, formula.kind) for part in _chain(formula, formula.kind))
    return f"({text})" if above == "and" or above == "of" else text


def _sum(weights: Sequence[tuple[str, Any]]) -> str:
    """Return a weighted sum in full."""
    pieces = []
    for k, (name, weight) in enumerate(weights):
        joint = f" {_text.MINUS} " if weight < 0 else " + "
        if k == 0:
            joint = _text.MINUS if weight < 0 else ""
        factor = "" if abs(weight) == 1 else f"{_number(abs(weight))}·"
        pieces.append(f"{joint}{factor}{_quoted(name)}")
    return "".join(pieces)


def _number(value: float) -> str:
    """Return a number in full: whole numbers as such, others with as many digits as tell them from all others."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e16):
        return _text.number(int(value))
    return repr(value).replace("-", _text.MINUS)


def _quoted(name: str) -> str:
    """Return a name as it stands in a rule: in quotes where it could be misread."""
    return json.dumps(name, ensure_ascii=False) if name.lower() in WORDS else _text.quoted(name)
