"""Propositions as neurons: formulas, truth tables, and the networks that compute them.

A *formula* says something about named inputs that are 0 or 1. It is written with Python's operators or as text:

>>> from limen import logic
>>> a, b, c = logic.inputs("a b c")
>>> a & ~b | logic.at_least(2, a, b, c) == logic.parse("a and not b or at_least(2, a, b, c)")
True

A formula becomes a network, and either becomes a truth table:

>>> print(logic.network({"c": a & ~b}))
Network: 2 inputs → 1 heaviside
c fires when a − b ≥ 1
>>> logic.truth_table(logic.network(a ^ b)) == logic.truth_table(a ^ b)
True

==================================================  ==========================================================
`inputs`, `true`, `false`                           formulas to begin with
``&  |  ^  ~``, `implies`, `iff`                    formulas from two formulas, or one
`at_least`, `at_most`, `exactly`, `majority`        formulas from any number
`parse`                                             text → `Formula`; the notation: `limen.logic.notation`
`network`                                           formulas → `limen.Network`
`truth_table`                                       formulas or network → `TruthTable`
`from_table`                                        truth table → `limen.Network`
`synthesize`                                        any function of up to 16 inputs → `limen.Network` of few gates
`circuits`                                          adder, comparator, multiplexer, …: `limen.logic.circuits`
`one_neuron`                                        is a function one neuron? least weights, or rows that show why not
`small_integers`, `points_card`                     a neuron's smallest whole weights; points to add up
`relevant_inputs`, `forcing`, `banzhaf`, …          one neuron as a vote: `limen.logic.voting`
`prime_implicants`, `minimal_formula`               one neuron → its shortest disjunction of conjunctions
`formula`, `formulas`                               function → a small formula
`minimal_dnf`                                       function → the shortest disjunction of conjunctions
`rules`                                             network → `Rules`: what each neuron says
`from_sympy`, `to_sympy`                            SymPy's Boolean expressions ↔ formulas
==================================================  ==========================================================

References
----------
W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous activity", Bulletin of
Mathematical Biophysics 5.
S. Muroga (1971), "Threshold Logic and Its Applications", Wiley.
"""

from limen.logic import circuits
from limen.logic._sympy import (
    from_sympy,
    to_sympy,
)
from limen.logic.building import network
from limen.logic.card import PointsCard, points_card
from limen.logic.connectives import (
    at_least,
    at_most,
    exactly,
    false,
    iff,
    implies,
    inputs,
    majority,
    true,
)
from limen.logic.grammar import parse
from limen.logic.minterms import from_table
from limen.logic.primes import (
    minimal_formula,
    prime_implicants,
)
from limen.logic.proposition import Formula
from limen.logic.reading import (
    Rule,
    Rules,
    rules,
)
from limen.logic.small_formula import (
    formula,
    formulas,
)
from limen.logic.synthesis import synthesize
from limen.logic.table import TruthTable, truth_table
from limen.logic.threshold import one_neuron
from limen.logic.two_level import minimal_dnf
from limen.logic.voting import (
    banzhaf,
    count_firing,
    deciding,
    forcing,
    interchangeable,
    relevant_inputs,
    shapley,
    vetoing,
)
from limen.logic.whole_weights import small_integers

__all__ = [
    "Formula",
    "PointsCard",
    "Rule",
    "Rules",
    "TruthTable",
    "at_least",
    "at_most",
    "banzhaf",
    "circuits",
    "count_firing",
    "deciding",
    "exactly",
    "false",
    "forcing",
    "formula",
    "formulas",
    "from_sympy",
    "from_table",
    "iff",
    "implies",
    "inputs",
    "interchangeable",
    "majority",
    "minimal_dnf",
    "minimal_formula",
    "network",
    "one_neuron",
    "parse",
    "points_card",
    "prime_implicants",
    "relevant_inputs",
    "rules",
    "shapley",
    "small_integers",
    "synthesize",
    "to_sympy",
    "true",
    "truth_table",
    "vetoing",
]
