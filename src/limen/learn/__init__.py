"""Learning: networks from tables, arrays and streams, in scikit-learn's world.

`Perceptron` learns a layer of threshold neurons; `ThresholdEncoder` turns a table into the 0/1 inputs it
likes best; `model` binds the two, fitted, into a `limen.Model`; `stream` reads files of any size, a batch at a
time; `shard_epoch` teaches rows where they lie, from a `ShardState`, and `mix` makes one model of all shards. What an
estimator learned is ``estimator.network_``, and that is what predicts. `separable` tells, with a proof, whether one neuron can
separate two classes at all, and `fewest_removals` which rows stand in its way.
"""

from __future__ import annotations

from limen.learn import stream
from limen.learn.binding import model
from limen.learn.encoder import ThresholdEncoder
from limen.learn.perceptron import Perceptron
from limen.learn.separability import Removal, fewest_removals, separable
from limen.learn.shards import ShardState, mix, shard_epoch

__all__ = [
    "Perceptron",
    "Removal",
    "ShardState",
    "ThresholdEncoder",
    "fewest_removals",
    "mix",
    "model",
    "separable",
    "shard_epoch",
    "stream",
]
