"""Learning: networks from tables, arrays and streams, in scikit-learn's world.

`Perceptron` learns a layer of threshold neurons; `ThresholdEncoder` turns a table into the 0/1 inputs it
likes best; `model` binds the two, fitted, into a `limen.Model`; `stream` reads files of any size, a batch at a
time; `shard_epoch` teaches rows where they lie, from a `ShardState`, and `mix` makes one model of all shards. What an
estimator learned is ``estimator.network_``, and that is what predicts. `separable` tells, with a proof, whether one neuron can
separate two classes at all, and `fewest_removals` which rows stand in its way.

Networks with hidden layers: `ThresholdNetworkClassifier` trains them with Keras; `limen.learn.keras` holds the layers for models of
one's own, `network_from` turns such a model into a network, `keras_model` a network into a model, and `disagreements`
lays the two side by side. What needs Keras is loaded when it is first asked for.

Without gradients: `polish` changes one weight or threshold of a network at a time, so that it makes fewer mistakes;
`train_exactly` finds the network of one hidden layer that makes the fewest on a small table, with a proof or with bounds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from limen.learn import stream
from limen.learn.binding import model
from limen.learn.encoder import ThresholdEncoder
from limen.learn.exact_training import train_exactly
from limen.learn.perceptron import Perceptron
from limen.learn.polishing import polish
from limen.learn.separability import Removal, fewest_removals, separable
from limen.learn.shards import ShardState, mix, shard_epoch
from limen.learn.threshold_network import ThresholdNetworkClassifier

if TYPE_CHECKING:
    from limen.learn import keras
    from limen.learn.conversion import network_from
    from limen.learn.side_by_side import Disagreements, disagreements
    from limen.learn.to_keras import keras_model

__all__ = [
    "Disagreements",
    "Perceptron",
    "Removal",
    "ShardState",
    "ThresholdEncoder",
    "ThresholdNetworkClassifier",
    "disagreements",
    "fewest_removals",
    "keras",
    "keras_model",
    "mix",
    "model",
    "network_from",
    "polish",
    "separable",
    "shard_epoch",
    "stream",
    "train_exactly",
]

_WITH_KERAS = {
    "Disagreements": "side_by_side",
    "disagreements": "side_by_side",
    "keras_model": "to_keras",
    "network_from": "conversion",
}


def __getattr__(name: str) -> Any:
    if name == "keras":
        return importlib.import_module("limen.learn.keras")
    if name in _WITH_KERAS:
        value = getattr(importlib.import_module(f"limen.learn.{_WITH_KERAS[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'limen.learn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
