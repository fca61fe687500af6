"""What a network decides on the rows of a fit, a piece at a time, so that Ctrl-C is answered in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from limen._door import is_sparse
from limen.errors import InputError, NotExactError
from limen.network import Network
from limen.step import Array

__all__ = ["answer", "answers"]

PIECE = 1 << 26  # multiply-adds in one call, and as much memory as that takes: well under a second
ENTRY = 8  # multiply-adds in whose time a number of a row is checked and converted


def answer(network: Network, X: Any, method: str = "__call__") -> Any:
    """Call a network; where `X` leaves its domain or its exact range, call it as on floats."""
    try:
        return getattr(network, method)(X)
    except (InputError, NotExactError):
        return getattr(Network(network.layers, domain="real"), method)(X.astype(np.float64))


def answers(
    network: Network, source: Any, which: Array, method: str = "__call__"
) -> Iterator[tuple[Array, Any]]:
    """Yield some rows, and what the network answers on them, until all in `which` had their turn.

    Parameters
    ----------
    network : Network
    source : ndarray or scipy.sparse matrix of shape (n_rows, n_features)
    which : ndarray of int64
        Rows, increasing.
    method : {"__call__", "scores"}
    """
    n_rows, n_features = source.shape
    entries = source.nnz / max(1, n_rows) if is_sparse(source) else n_features
    length = max(1, int(PIECE / ((entries + 1) * (network.n_outputs + ENTRY))))
    everything = len(which) == n_rows
    for first in range(0, len(which), length):
        piece = which[first : first + length]
        rows = source[first : first + length] if everything and len(piece) < n_rows else source
        yield piece, answer(network, rows if everything else source[piece], method)
