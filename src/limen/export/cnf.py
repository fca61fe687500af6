"""A network as a formula in conjunctive normal form, DIMACS, for a SAT solver.

Each input and each neuron is a variable, and each neuron is said to be true exactly where its sum reaches its threshold, by an encoding
of that pseudo-Boolean constraint (PySAT with pindakaas: a binary adder, or for small neurons the encoding PySAT thinks best). So
an assignment of the inputs settles all neurons, and every assignment of the inputs can be completed.

A hidden sign neuron is two variables, whether it is 1 and whether it is -1. A hardmax neuron is true where its net input isn't
less than those after it, and greater than those before it. A last layer of identity has no such form.

References
----------
N. Eén and N. Sörensson (2006), "Translating pseudo-Boolean constraints into SAT", JSAT 2, section 5: adders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import limen
from limen import _text
from limen.errors import InputError, MissingExtraError
from limen.export._admission import binary_network
from limen.export._names import commented
from limen.export._stages import Neuron, Stage, stages_of
from limen.model import Model
from limen.network import Network

__all__ = ["Cnf", "to_cnf"]

SMALL = 40  # sum of weights up to which PySAT chooses the encoding; beyond, others grow with the sum, an adder with its digits
MOST_WEIGHTS = 2_000_000  # about 30 clauses each
MOST_HARDMAX = 1000  # neurons: each pair is a constraint


@final
@dataclass(frozen=True)
class Cnf:
    """A formula whose models are the rows of a network.

    Parameters
    ----------
    clauses : tuple of tuple of int
        Literals: a variable, or its negative.
    n_variables : int
    inputs, outputs : tuple of int
        The variables of the network's inputs and outputs; an output of sign has two, as `signs` says.
    names : mapping of int to str
        Of inputs and outputs.
    signs : tuple of (int, int)
        For each output of sign the variable that it is 1, and that it is -1.
    comment : str
    """

    clauses: tuple[tuple[int, ...], ...]
    n_variables: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    names: Mapping[int, str]
    signs: tuple[tuple[int, int], ...]
    comment: str

    @property
    def text(self) -> str:
        """The formula in DIMACS; its comments name the variables."""
        lines = [f"c {self.comment}"]
        lines += [f"c {variable} is {commented(name)}" for variable, name in self.names.items()]
        lines.append(f"p cnf {self.n_variables} {len(self.clauses)}")
        lines += [" ".join(map(str, (*clause, 0))) for clause in self.clauses]
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"Cnf({self.n_variables:,} variables, {len(self.clauses):,} clauses)"


def to_cnf(net: Network | Model, *, assume: Mapping[str, int] | None = None) -> Cnf:
    """Return a network as a formula in conjunctive normal form.

    Parameters
    ----------
    net : Network or Model
        Exact and on bits; its last layer decides.
    assume : mapping of str to int, optional
        What inputs and outputs, by name, are to be: 0 or 1, of a sign -1, 0 or 1. A solver then finds a row that has these, or
        proves that there is none.

    Returns
    -------
    Cnf

    Raises
    ------
    InputError
        A last layer of identity, a network that isn't on bits, too large a network, or names and values that don't fit.
    NotExactError
        Floats or smooth activations.
    MissingExtraError
        PySAT isn't installed.

    Examples
    --------
    >>> from limen import Layer, Network, export
    >>> net = Network(Layer([[1], [1]], [-2]), ["a", "b"], ["both"], domain="binary")
    >>> print(export.to_cnf(net, assume={"both": 1}).text.splitlines()[-1])
    3 0
    """
    if assume is not None and not isinstance(assume, Mapping):
        raise InputError(
            f"assume must be a mapping of names to values, as {{'y1': 1}}. Received: {type(assume).__name__}."
        )
    network = binary_network(net, "CNF")
    _require_size(network)
    formula = _Formula(network.n_inputs)
    values = list(range(1, network.n_inputs + 1))
    signs: list[tuple[int, int]] = []
    for stage in stages_of(network):
        values, pairs = formula.layer(stage, values)
        signs = pairs
    names = dict(zip(range(1, network.n_inputs + 1), network.inputs, strict=True))
    if signs:
        for (above, below), name in zip(signs, network.outputs, strict=True):
            names |= {above: f"{name} = 1", below: f"{name} = -1"}
    else:
        names |= dict(zip(values, network.outputs, strict=True))
    for name, value in (assume or {}).items():
        formula.clauses += _assumed(network, name, value, values, signs)
    comment = f"{_text.chain(network)}. Written by limen {limen.__version__}."
    return Cnf(
        tuple(map(tuple, formula.clauses)),
        formula.n_variables,
        tuple(range(1, network.n_inputs + 1)),
        tuple(values),
        names,
        tuple(signs),
        comment,
    )


def _require_size(net: Network) -> None:
    last = net.layers[-1].activation
    if last == "identity":
        raise InputError(
            "A formula has outputs that are true or false. Received: a network whose last layer is identity. Ask about a"
            " threshold of its sums instead: replace the last layer by one of heaviside."
        )
    for k, layer in enumerate(net.layers):
        pairs = layer.n_neurons if layer.activation == "hardmax" else 1
        if pairs > MOST_HARDMAX or layer.n_inputs * layer.n_neurons * pairs > MOST_WEIGHTS:
            raise InputError(
                f"A formula is written for layers of up to {MOST_WEIGHTS:,} weights (of hardmax, times its neurons)."
                f" Received: layer {k + 1} with {layer.n_inputs} inputs and {layer.n_neurons} neurons of {layer.activation}."
            )


def _assumed(
    net: Network, name: str, value: int, values: list[int], signs: list[tuple[int, int]]
) -> list[list[int]]:
    if name in net.inputs and value in (0, 1):
        variable = net.inputs.index(name) + 1
        return [[variable if value else -variable]]
    if name in net.outputs and signs and value in (-1, 0, 1):
        above, below = signs[net.outputs.index(name)]
        return [[above if value == 1 else -above], [below if value == -1 else -below]]
    if name in net.outputs and not signs and value in (0, 1):
        variable = values[net.outputs.index(name)]
        return [[variable if value else -variable]]
    if name in net.inputs or name in net.outputs:
        raise InputError(f"{name!r} can't be {value!r}. Give 0 or 1, for an output of sign also -1.")
    raise InputError(f"assume must name inputs and outputs. Received: {name!r}.")


class _Formula:
    """Clauses, and the variables used so far."""

    def __init__(self, n_variables: int) -> None:
        self.n_variables = n_variables
        self.clauses: list[list[int]] = []

    def _fresh(self) -> int:
        self.n_variables += 1
        return self.n_variables

    def layer(self, stage: Stage, values: list[int]) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the variables of a layer's neurons, and if they are of sign, in pairs too."""
        if stage.decide == "sign":
            above = [self._reaching(neuron.weights, neuron.bias - 1, values) for neuron in stage.neurons]
            below = [  # z < 0 is -z - 1 >= 0
                self._reaching({row: -w for row, w in neuron.weights.items()}, -neuron.bias - 1, values)
                for neuron in stage.neurons
            ]
            for up, down in zip(above, below, strict=True):
                self.clauses.append([-up, -down])
            return above + below, list(zip(above, below, strict=True))
        if stage.decide == "hardmax":
            return self._hardmax(stage.neurons, values), []
        return [self._reaching(neuron.weights, neuron.bias, values) for neuron in stage.neurons], []

    def _hardmax(self, neurons: tuple[Neuron, ...], values: list[int]) -> list[int]:
        """Return variables that are true for the first of the largest net inputs: for each pair, who is ahead."""
        n = len(neurons)
        ahead: dict[tuple[int, int], int] = {}
        for i in range(n):
            for j in range(i + 1, n):
                one, other = neurons[i], neurons[j]
                weights = {
                    row: one.weights.get(row, 0) - other.weights.get(row, 0)
                    for row in one.weights.keys() | other.weights.keys()
                }
                ahead[i, j] = self._reaching(
                    {row: w for row, w in sorted(weights.items()) if w}, one.bias - other.bias, values
                )
                ahead[j, i] = -ahead[i, j]
        winners = []
        for i in range(n):
            wins = [ahead[i, j] for j in range(n) if j != i]
            winner = self._fresh()
            self.clauses += [[-winner, win] for win in wins]
            self.clauses.append([winner, *(-win for win in wins)])
            winners.append(winner)
        return winners

    def _reaching(self, weights: Mapping[int, int], bias: int, values: list[int]) -> int:
        """Return a variable that is true exactly where ``Σ w x + bias >= 0``."""
        literals = [values[row] if weight > 0 else -values[row] for row, weight in weights.items()]
        sizes = [abs(weight) for weight in weights.values()]
        least = -bias - sum(weight for weight in weights.values() if weight < 0)
        fires = self._fresh()
        if least <= 0:
            self.clauses.append([fires])
        elif least > sum(sizes):
            self.clauses.append([-fires])
        else:
            self._implied(fires, literals, sizes, least)
            # It doesn't fire where at most least - 1 is reached: where the negated literals reach the rest.
            self._implied(-fires, [-literal for literal in literals], sizes, sum(sizes) - least + 1)
        return fires

    def _implied(self, condition: int, literals: list[int], sizes: list[int], least: int) -> None:
        """Add that `condition` means ``Σ size · literal >= least``."""
        for clause in _at_least(tuple(literals), tuple(sizes), least, self.n_variables):
            self.n_variables = max(self.n_variables, *(abs(literal) for literal in clause))
            self.clauses.append([-condition, *clause])


def _at_least(literals: tuple[int, ...], sizes: tuple[int, ...], least: int, top: int) -> list[list[int]]:
    """Return clauses for a pseudo-Boolean constraint; new variables come after `top`."""
    if len(set(map(abs, literals))) < len(literals):
        raise AssertionError("a literal twice")  # neurons read each input once
    if least <= min(sizes):
        return [list(literals)]  # any of them
    encoder, kinds = _library()
    kind = kinds.best if sum(sizes) <= SMALL else kinds.adder
    made = encoder.geq(lits=list(literals), weights=list(sizes), bound=least, top_id=top, encoding=kind)
    return [list(clause) for clause in made.clauses]


@cache
def _library() -> tuple[Any, Any]:
    try:
        from pysat.pb import EncType, PBEnc
    except (ImportError, AssertionError):  # PySAT asserts that its own extra is there
        raise MissingExtraError("PySAT with pindakaas", "cnf") from None
    return PBEnc, EncType
