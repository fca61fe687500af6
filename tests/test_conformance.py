"""One matrix: every way to run a network × every exact network on bits of the zoo, equal to the network's call."""

from __future__ import annotations

import numpy as np
import pytest

import nets
from limen import bits, words
from limen.bits import _costs
from limen.bits._llvm import host
from limen.errors import InputError

NAMES = nets.names(lambda net: net.is_exact and net.domain == "binary")
FEW = NAMES[::8]  # for processors that this one is made to imitate
WAYS = ("wide", "sliced", "portable", None)
NEEDS = {"avx2": "avx2", "avx512": "avx512bw", "avx512_vpopcntdq": "avx512vpopcntdq"}
LESS = [name for name, feature in NEEDS.items() if f"+{feature}" in host().features.split(",")]


def outputs_of_bits(packed, n_outputs, activation):
    """Return unpacked bits as the numbers a call returns."""
    if activation != "sign":
        return packed.astype(np.int8)
    return packed[:, ::2].astype(np.int8) * (1 - 2 * packed[:, 1::2].astype(np.int8))


def compiled(name, how, processor=None):
    """Return a program; skip where the network can't run that way, and says so."""
    if how == "sliced" and nets.ZOO[name].layers[-1].activation == "identity":
        with pytest.raises(InputError, match="can't run sliced: its outputs are numbers"):
            bits.compile(nets.ZOO[name], how=how, processor=processor)
        pytest.skip("numbers don't come out of gates")
    return bits.compile(nets.ZOO[name], how=how, processor=processor)


def check(program, net):
    """Hold a program to the network's call: numbers, packed rows, packed columns."""
    X = np.asarray(nets.rows_for(net))
    expected = net(X)
    found = program(X)
    assert found.dtype == expected.dtype
    assert (found == expected).all()
    last = net.layers[-1].activation
    if last == "identity":
        return
    by_rows = words.unpack(program.run(words.pack(X)), program.out_bits)
    by_columns = words.unpack_columns(program.run_columns(words.pack_columns(X), len(X)), len(X))
    assert (outputs_of_bits(by_rows, net.n_outputs, last) == expected).all()
    assert (by_columns == by_rows).all()


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_its_network(name, how):
    """Whichever way it runs, a program returns what the network returns."""
    check(compiled(name, how), nets.ZOO[name])


@pytest.mark.parametrize("processor", ["baseline", *LESS])
@pytest.mark.parametrize("how", ["wide", "sliced"])
@pytest.mark.parametrize("name", FEW)
def test_a_program_is_its_network_on_lesser_processors(name, how, processor):
    """With fewer features of the processor the same numbers come out."""
    check(compiled(name, how, processor), nets.ZOO[name])


@pytest.mark.parametrize("name", [name for name in NAMES if name in NAMES[::3] or name.startswith("trained")])
def test_a_program_is_its_network_by_matrix_registers(name, monkeypatch):
    """Where the processor has matrix registers, and every layer whose weights are bytes takes them, the same numbers come out."""
    if not host().matrices:
        pytest.skip("no matrix registers here")
    monkeypatch.setattr(_costs, "PRODUCTS", 0.0)
    monkeypatch.setattr(_costs, "SPREAD", 0.0)
    monkeypatch.setattr(_costs, "SUMS", 0.0)
    net = nets.ZOO[name]
    program, X = bits.compile(net, how="wide"), nets.rows_for(net)
    if net.n_inputs and np.abs(net.layers[0].dense()).max() < 64:
        assert "tdpbusd" in program.assembly
    check(program, net)
    assert (program.scores(X) == net.scores(X)).all()


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_the_networks(name):
    """A program's scores are the net inputs of the last layer."""
    net = nets.ZOO[name]
    X = np.asarray(nets.rows_for(net, most=256))
    assert (bits.compile(net).scores(X) == net.scores(X)).all()


def test_the_matrix_catches_one_wrong_weight():
    """A program of a network with one weight changed isn't taken for the network's."""
    net = nets.ZOO["twelve inputs"]
    layer = net.layers[0]
    weights = layer.dense().copy()
    weights[0, 0] += 40
    wrong = nets.Network([nets.Layer(weights, layer.bias), *net.layers[1:]], domain="binary")
    for how in ("wide", "sliced", "portable"):
        with pytest.raises(AssertionError):
            check(bits.compile(wrong, how=how), net)
