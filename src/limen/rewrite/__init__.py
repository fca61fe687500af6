"""Network → Network, the function kept: `to_integers`, `simplify`, `split_sign`.

A *rewrite* returns a network with the same inputs, outputs and domain whose layers compute the same outputs for
every input of the domain. "The same" is meant exactly: weights are taken as the rational numbers they are (a
float64 is a whole number times a power of two), and sums as sums without rounding. Where a network is exact that
is what a call computes; where its weights are floats, a call may round a sum near a tie to the other side, and
the rewritten network need not repeat that. What comes out is a call's output; `Network.scores`, the net inputs of
the last layer, may change.

===============  =====================================================================================
`to_integers`    weights and biases become int64, each neuron scaled by a positive factor of its own
`simplify`       fewer neurons and smaller integers: dead, constant and duplicate neurons, common divisors,
                 layers that only pass values through
`split_sign`     each sign neuron becomes two heaviside neurons
===============  =====================================================================================

A network to which a rewrite has nothing to do comes back equal. Sparse weights stay sparse.

References
----------
S. Muroga (1971), "Threshold Logic and its Applications", Wiley, chapter 3: a threshold function keeps its values
when weights and threshold are multiplied by one positive number, and has integer weights.
"""

from __future__ import annotations

from limen.rewrite._integers import to_integers
from limen.rewrite._simplify import simplify
from limen.rewrite._split import split_sign

__all__ = ["simplify", "split_sign", "to_integers"]
