"""Train the networks of this folder: `python tests/trained/train.py`.

They are small Keras models that learned the digit sum of eight bits for three epochs, taken as networks. The zoo in
``nets.py`` reads the files, because training them takes longer than all that is done with them.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

import limen
from limen.learn import network_from
from limen.learn.keras import ThresholdDense, keras

ROWS = np.array(list(itertools.product((0, 1), repeat=8)), dtype=np.float32)


def trained(weights: str, normalize: bool) -> limen.Network:
    """Return what a model learned whose hidden layers are normalised, or have whole biases."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Rescaling(2.0, -1.0),
            ThresholdDense(9, weights, "bipolar", normalize=normalize),
            ThresholdDense(7, weights, "bipolar", normalize=normalize),
            ThresholdDense(4, weights),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(ROWS, ROWS.sum(axis=1) % 4, epochs=3, verbose=0)
    return network_from(model)


if __name__ == "__main__":
    for weights in ("binary", "ternary", "int4"):
        for how in ("normalised", "biases"):
            net = trained(weights, how == "normalised")
            limen.save(net, Path(__file__).with_name(f"{weights}-{how}.limen"))
