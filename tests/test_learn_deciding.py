"""Predictions are what the network decides, whoever computed them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from limen import Layer, Network
from limen.errors import InputError
from limen.learn import Perceptron, _deciding
from limen.learn._deciding import decide

RNG = np.random.default_rng(7)


def layers(n_inputs: int, n_outputs: int, activation: str) -> dict[str, Network]:
    """Return networks of one layer: real weights, whole ones that tie often, huge and tiny ones."""
    shape = (n_inputs, n_outputs)
    weights = {
        "real": RNG.standard_normal(shape),
        "whole": RNG.integers(-2, 3, shape),
        "alike": np.full(shape, 0.125),
        "huge": RNG.standard_normal(shape) * 1e200,
        "tiny": RNG.standard_normal(shape) * 1e-300,
    }
    return {
        name: Network(Layer(w, np.zeros(n_outputs, w.dtype) if name == "whole" else w[0] / 3, activation))
        for name, w in weights.items()
    }


def plain(network: Network, X: Any) -> Any:
    """Return what the network decides, in the shape of `decide`."""
    outputs = network(X)
    return outputs.argmax(axis=1) if network.layers[0].activation == "hardmax" else outputs


@pytest.mark.parametrize("activation", ["heaviside", "hardmax"])
@pytest.mark.parametrize("n_outputs", [1, 2, 5, 6, 17])
@pytest.mark.parametrize("kind", ["float32", "float64", "uint8", "bool", "sparse32", "sparse64"])
def test_decisions_are_those_of_the_network(activation, n_outputs, kind, monkeypatch):
    """Kernels and network decide alike on rows that tie, almost tie or don't, in pieces and in threads."""
    n_inputs = 37
    X = RNG.integers(0, 2, (203, n_inputs)) if kind == "bool" else RNG.integers(-3, 4, (203, n_inputs))
    if "32" in kind or "64" in kind:
        X = np.concatenate([X, X * 0.125, X * (1 + 2.0**-20)])  # so that ties are exact in float64
    dense = X.astype({"sparse32": "float32", "sparse64": "float64"}.get(kind, kind))
    rows = sparse.csr_array(dense) if kind.startswith("sparse") else dense
    monkeypatch.setattr(_deciding, "MANY", 1)
    monkeypatch.setattr(_deciding, "PIECE", 20_000)
    for name, network in layers(n_inputs, n_outputs, activation).items():
        found = decide(network, rows, lambda X: X)
        assert np.array_equal(found, plain(network, rows)), name


def test_a_tie_is_never_sure_and_most_rows_are():
    """Rows whose net input is exactly 0 go to the network; of random rows hardly any do."""
    network = Network(Layer(RNG.integers(-3, 4, (50, 1)), [0]))
    X = RNG.standard_normal((500, 50)).astype(np.float32)
    X[::5] = 0
    _, sure = _deciding._decided(network, X, False)
    assert not sure[::5].any()
    assert sure.sum() > 390


def test_a_sparse_row_may_have_an_entry_twice():
    """Entries that stand there twice are added, and columns may come in any order."""
    X = sparse.csr_matrix((np.ones(6), [3, 1, 3, 0, 2, 0], [0, 3, 6]), shape=(2, 1200))
    classifier = Perceptron(random_state=0).fit(RNG.integers(0, 2, (60, 1200)), np.arange(60) % 2)
    found = classifier.predict(sparse.vstack([X] * 1000).tocsr())
    assert np.array_equal(found, classifier.predict(sparse.vstack([X] * 1000).toarray()))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_a_number_that_is_not_finite_is_refused_wherever_it_stands(bad, form):
    """One NaN or infinity among many rows is an error, although the kernels read it first."""
    X = RNG.standard_normal((300, 40)).astype(np.float32)
    classifier = Perceptron(random_state=0).fit(X, np.arange(300) < 150)
    X[250, 39] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        classifier.predict(form(X))


@pytest.mark.parametrize("change", [{"indices": [0, 9]}, {"indices": [0, -1]}, {"indptr": [0, 2, 1]}])
def test_index_arrays_out_of_range_are_refused(change):
    """No kernel reads by an index that isn't in range."""
    classifier = Perceptron(random_state=0).fit([[0.0, 1], [1, 0]], [0, 1])
    X = sparse.csr_matrix(np.eye(2))
    for name, values in change.items():
        setattr(X, name, np.array(values, dtype=np.int32))
    with pytest.raises(InputError, match="well-formed"):
        classifier.predict(X)
