r"""A network as the text that tools for threshold logic read, and such text as a network.

The format is BLIF's with another kind of gate (``read_th`` and ``write_th`` of threABC)::

    .model majority
    .inputs a b c
    .outputs y
    .threshold a b c y
    1 1 1 2
    .end

A gate's line names what it reads and then itself; below are its weights and its threshold, which its sum must reach. ``#`` begins a
comment, ``\`` at a line's end continues it. Also read, and written with ``brackets=True``, is one line for each neuron, before which ``.inputs`` and ``.outputs`` may be missing::

    y = [1, 1, 1; 2] a b c

Names in these formats hold no spaces. `to_th` writes identifiers in place of names that do, and says in comments what they stand for;
`from_th` reads these comments, so that names come back.

References
----------
N.-Z. Lee, H.-Y. Kuo, Y.-H. Lai and J.-H. R. Jiang (2016), "Analytic approaches to the collapse operation and equivalence verification
of threshold logic circuits", ICCAD.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

import limen
from limen import _text, rewrite
from limen._door import INT64_MAX
from limen._weights import entries
from limen.errors import InputError
from limen.export._admission import binary_network
from limen.export._names import identifiers
from limen.model import Model
from limen.network import Layer, Network

__all__ = ["from_th", "to_th"]

_PLAIN = re.compile(r"[A-Za-z0-9_.\[\]<>$]+")  # what may be a name as it is
_ALIAS = re.compile(r"# (\S+) is (\".*\")$")
_BRACKETS = re.compile(r"(\S+)\s*=\s*\[([^\];]*);([^\]]*)\]\s*(.*)$")
DENSE = 1 << 20  # weights of a layer up to which they are an array


def to_th(net: Network | Model, *, name: str = "network", brackets: bool = False) -> str:
    """Return a network as threshold-logic text.

    Parameters
    ----------
    net : Network or Model
        Exact and on bits, of heaviside neurons; hidden neurons of sign are split.
    name : str
        Of the model.
    brackets : bool
        One line ``name = [weights; threshold] inputs`` for each neuron, after the names of inputs and outputs.

    Returns
    -------
    str

    Raises
    ------
    InputError
        A last layer that isn't heaviside, a layer of hardmax, or a network that isn't on bits.
    NotExactError
        Floats, smooth activations, or sign neurons that can't be split within int64.

    Examples
    --------
    >>> from limen import Layer, Network, export
    >>> majority = Network(Layer([[1], [1], [1]], [-2]), ["a", "b", "c"], ["y"], domain="binary")
    >>> print(export.to_th(majority, brackets=True).splitlines()[-1])
    y = [1, 1, 1; 2] a b c
    """
    network = binary_network(net, "Threshold-logic text")
    last = network.layers[-1].activation
    kinds = {layer.activation for layer in network.layers}
    if last != "heaviside" or "hardmax" in kinds:
        wrong = "hardmax" if "hardmax" in kinds else last
        raise InputError(
            "Threshold-logic text holds neurons that fire or don't (heaviside), and hidden ones of sign, which are split."
            f" Received: a layer of {wrong}."
        )
    if "sign" in kinds:
        network = rewrite.split_sign(network)
    if not re.fullmatch(r"\S+", name) or "#" in name:
        raise InputError(f"name must be one word. Received: {name!r}.")
    hidden = [
        f"h{k + 1}_{n + 1}" for k, layer in enumerate(network.layers[:-1]) for n in range(layer.n_neurons)
    ]
    kept = _kept([*network.inputs, *network.outputs], hidden)
    lines = [f"# {_text.chain(network)}. Written by limen {limen.__version__}."]
    lines += [
        f"# {word} is {json.dumps(original)}"
        for word, original in zip(kept, [*network.inputs, *network.outputs], strict=True)
        if word != original
    ]
    inputs, outputs = kept[: network.n_inputs], kept[network.n_inputs :]
    lines += [] if brackets else [f".model {name}"]
    lines += [f".inputs {' '.join(inputs)}", f".outputs {' '.join(outputs)}"]
    before: Sequence[str] = inputs
    for k, layer in enumerate(network.layers):
        own = outputs if k + 1 == network.depth else [f"h{k + 1}_{n + 1}" for n in range(layer.n_neurons)]
        lines += _gates(layer, before, own, brackets)
        before = own
    return "\n".join([*lines, *([] if brackets else [".end"])]) + "\n"


def _kept(names: Sequence[str], hidden: Sequence[str]) -> list[str]:
    """Return names as they are where they are words nobody else uses, identifiers otherwise."""
    plain = [
        name for name in names if _PLAIN.fullmatch(name) and names.count(name) == 1 and name not in hidden
    ]
    words = iter(identifiers([name for name in names if name not in plain], [*plain, *hidden]))
    return [name if name in plain else next(words) for name in names]


def _gates(layer: Layer, before: Sequence[str], own: Sequence[str], brackets: bool) -> Iterator[str]:
    rows, columns, weights = (part.tolist() for part in entries(layer.weights))
    of: list[list[tuple[str, int]]] = [[] for _ in own]
    for row, column, weight in zip(rows, columns, weights, strict=True):
        of[column].append((before[row], weight))
    for name, reads, bias in zip(own, of, layer.bias.tolist(), strict=True):
        if brackets:
            numbers = ", ".join(str(weight) for _, weight in reads)
            yield f"{name} = [{numbers}; {-bias}] {' '.join(word for word, _ in reads)}".rstrip()
        else:
            yield " ".join([".threshold", *(word for word, _ in reads), name])
            yield " ".join([*(str(weight) for _, weight in reads), str(-bias)])


# Reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Gate:
    """A gate as it was read."""

    reads: tuple[str, ...]
    weights: tuple[int, ...]
    threshold: int
    line: int


def from_th(text: str) -> Network:
    r"""Return the network that threshold-logic text describes.

    Parameters
    ----------
    text : str
        Gates in any order; each may read inputs and other gates, at any depth.

    Returns
    -------
    Network
        On bits, of heaviside layers. A value that is needed later than in the next layer is passed through.

    Raises
    ------
    InputError
        What can't be read, with its line; a gate defined twice, a name nobody defines, a circle, a number beyond int64.

    Examples
    --------
    >>> from limen import export
    >>> print(export.from_th("y = [1, 1, -2; 1] a b h\nh = [1, 1; 2] a b"))
    Network: 2 inputs → 3 heaviside → 1 heaviside
    h1.1 fires when a ≥ 1
    h1.2 fires when b ≥ 1
    h1.3 fires when a + b ≥ 2
    y fires when h1.1 + h1.2 − 2·h1.3 ≥ 1
    """
    if not isinstance(text, str):
        raise InputError(f"Expected text. Received: {type(text).__name__}.")
    inputs, outputs, gates, aliases = _read(text)
    if inputs is None:
        read = [word for gate in gates.values() for word in gate.reads]
        inputs = list(dict.fromkeys(word for word in read if word not in gates))
    if outputs is None:
        read_by_some = {word for gate in gates.values() for word in gate.reads}
        outputs = [word for word in gates if word not in read_by_some]
    if not gates or not outputs:
        raise InputError("Expected at least one gate that is an output. Received: none.")
    depth = _depths(inputs, outputs, gates)
    return _network(inputs, outputs, gates, depth, aliases)


def _read(text: str) -> tuple[list[str] | None, list[str] | None, dict[str, _Gate], dict[str, str]]:
    inputs: list[str] | None = None
    outputs: list[str] | None = None
    gates: dict[str, _Gate] = {}
    aliases: dict[str, str] = {}
    waiting: tuple[int, list[str]] | None = None
    for number, line in _lines(text, aliases):
        words = line.split()
        if waiting is not None:
            _add(gates, waiting[1][-1], waiting[1][:-1], words[:-1], words[-1], waiting[0])
            waiting = None
        elif words[0] in (".inputs", ".outputs"):
            found = inputs if words[0] == ".inputs" else outputs
            joined = [*(found or []), *words[1:]]
            if len(set(joined)) < len(joined):
                raise InputError(f"Line {number}: a name stands twice in {words[0]}.")
            inputs, outputs = (joined, outputs) if words[0] == ".inputs" else (inputs, joined)
        elif words[0] == ".threshold":
            if len(words) < 2:
                raise InputError(f"Line {number}: a gate needs a name. Received: {line!r}.")
            waiting = number, words[1:]
        elif match := _BRACKETS.match(line):
            weights = [part.strip() for part in match[2].split(",") if part.strip()]
            _add(gates, match[1], match[4].split(), weights, match[3].strip(), number)
        elif words[0] not in (".model", ".end"):
            raise InputError(
                f"Line {number}: expected .model, .inputs, .outputs, .threshold, .end or name = [weights; threshold] inputs."
                f" Received: {line[:60]!r}."
            )
    if waiting is not None:
        raise InputError(f"Line {waiting[0]}: a gate's weights and threshold must follow in the next line.")
    return inputs, outputs, gates, aliases


def _lines(text: str, aliases: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield lines without comments, continued ones joined, and note what names stand for."""
    kept, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if match := _ALIAS.match(line):
            try:
                aliases[match[1]] = str(json.loads(match[2]))
            except ValueError:
                raise InputError(f"Line {number}: {match[2]} isn't a text in JSON's quotes.") from None
        start = start or number
        kept += line.split("#", 1)[0]
        if kept.rstrip().endswith("\\"):
            kept = kept.rstrip()[:-1] + " "
            continue
        if kept.strip():
            yield start, kept.strip()
        kept, start = "", 0
    if kept.strip():
        yield start, kept.strip()


def _add(
    gates: dict[str, _Gate], name: str, reads: list[str], weights: list[str], threshold: str, line: int
) -> None:
    if name in gates:
        raise InputError(f"Line {line}: {name!r} is defined a second time; first in line {gates[name].line}.")
    if len(reads) != len(weights):
        raise InputError(
            f"Line {line}: {name!r} reads {len(reads)} values and has {_text.plural(len(weights), 'weight')}."
        )
    numbers = []
    for word in [*weights, threshold]:
        if not re.fullmatch(r"[+-]?\d+", word):
            raise InputError(f"Line {line}: weights and thresholds are whole numbers. Received: {word!r}.")
        if abs(int(word)) > INT64_MAX:
            raise InputError(f"Line {line}: {word} doesn't fit into int64.")
        numbers.append(int(word))
    gates[name] = _Gate(tuple(reads), tuple(numbers[:-1]), numbers[-1], line)


def _depths(inputs: list[str], outputs: list[str], gates: dict[str, _Gate]) -> dict[str, int]:
    """Return in which layer each value is made; inputs in layer 0."""
    for name in inputs:
        if name in gates:
            raise InputError(f"Line {gates[name].line}: {name!r} is an input, and can't be a gate as well.")
    for name in outputs:
        if name not in gates:
            raise InputError(f"Output {name!r} is no gate.")
    depth = dict.fromkeys(inputs, 0)
    for name in outputs:
        stack = [name]
        open_: dict[str, None] = {}
        while stack:
            top = stack[-1]
            if top in depth:
                stack.pop()
                continue
            if top not in gates:
                reader = gates[next(reversed(open_))]
                raise InputError(f"Line {reader.line}: {top!r} is neither an input nor a gate.")
            missing = [word for word in gates[top].reads if word not in depth]
            if not missing:
                depth[top] = 1 + max((depth[word] for word in gates[top].reads), default=0)
                open_.pop(top, None)
                stack.pop()
                continue
            open_[top] = None
            circle = next((word for word in missing if word in open_), None)
            if circle is not None:
                raise InputError(f"Line {gates[circle].line}: {circle!r} depends on itself.")
            stack += missing[:1]
    return depth


def _network(
    inputs: list[str],
    outputs: list[str],
    gates: dict[str, _Gate],
    depth: dict[str, int],
    aliases: dict[str, str],
) -> Network:
    last = max(depth[name] for name in outputs)
    needed = {name: depth[name] for name in depth}  # until which layer a value is read
    for name in depth:
        if name in gates:
            for word in gates[name].reads:
                needed[word] = max(needed[word], depth[name] - 1)
    for name in outputs:
        needed[name] = max(needed[name], last)
    layers, before = [], list(inputs)
    for k in range(1, last + 1):
        if k == last:
            own = list(outputs)
        else:
            own = [name for name in depth if depth[name] <= k <= needed[name] and (k > 0)]
        place = {name: row for row, name in enumerate(before)}
        rows, columns, weights, bias = [], [], [], []
        for column, name in enumerate(own):
            if depth[name] < k:  # passed through
                rows.append(place[name])
                columns.append(column)
                weights.append(1)
                bias.append(-1)
                continue
            gate = gates[name]
            bias.append(-gate.threshold)
            for word, weight in zip(gate.reads, gate.weights, strict=True):
                rows.append(place[word])
                columns.append(column)
                weights.append(weight)
        matrix = sparse.coo_array(
            (np.array(weights, dtype=np.int64), (rows, columns)), shape=(len(before), len(own))
        )
        dense = len(before) * len(own) <= DENSE
        layers.append(Layer(matrix.toarray() if dense else matrix.tocsc(), np.array(bias, dtype=np.int64)))
        before = own
    return Network(
        layers,
        [aliases.get(name, name) for name in inputs],
        [aliases.get(name, name) for name in outputs],
        "binary",
    )
