"""The portable way to run: its loop is the network's definition, with and without the compiler."""

from __future__ import annotations

import numpy as np
import pytest

import nets
from limen import Layer, Network, bits
from limen.bits._executors import Portable

SMALL = nets.names(
    lambda net: (
        net.is_exact and net.domain == "binary" and sum(k.n_inputs * k.n_neurons for k in net.layers) < 400
    )
)


@pytest.mark.parametrize("name", SMALL)
def test_the_loop_is_the_network(name):
    """Outputs of the plain loop are those of the call, to the type."""
    net = nets.ZOO[name]
    X = np.asarray(nets.rows_for(net, most=64)).astype(np.uint8)[:64]
    found, expected = Portable(net).numbers(X), net(X)
    assert found.dtype == expected.dtype
    assert (found == expected).all()


def test_another_value_is_noticed():
    """A byte other than 0 and 1 is no row."""
    assert Portable(nets.ZOO["hardmax of one"]).numbers(np.array([[0, 2]], np.uint8)) is None


def test_the_loop_sees_a_wrong_bias():
    """A network that differs in one bias gives other outputs."""
    net = Network(Layer([[1], [1]], [-1]), domain="binary")
    other = Network(Layer([[1], [1]], [-2]), domain="binary")
    X = np.array([[0, 1]], np.uint8)
    assert Portable(net).numbers(X) != Portable(other).numbers(X)
    assert bits.compile(net, how="portable").ir.startswith("A loop")
