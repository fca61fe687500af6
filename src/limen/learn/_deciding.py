"""What a network decides on rows, a piece at a time, so that Ctrl-C is answered in between.

`answer` calls the network. `decide` gives the same decisions of a network of one layer at the speed of memory: kernels
decide nearly all rows in the rows' own type, and the few that rounding could have changed are left to the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from limen._door import is_sparse, well_formed
from limen.errors import InputError, NotExactError
from limen.learn._kernels_deciding import dense_decisions, sparse_decisions
from limen.learn._kernels_dots import BLOCK
from limen.learn._kernels_lanes import lanes
from limen.learn._rows import unsigned
from limen.learn._threads import n_processors
from limen.learn._training import LINE, aligned
from limen.network import Network
from limen.step import Array

__all__ = ["answer", "answers", "decide"]

PIECE = 1 << 26  # multiply-adds in one call, and as much memory as that takes: well under a second
ENTRY = 8  # multiply-adds in whose time a number of a row is checked and converted
FEW = 1 << 12  # multiply-adds below which calling the network is quicker
MANY = 1 << 24  # multiply-adds from which threads are worth starting
ROWS = 1 << 14  # rows left to the network at a time
UNIT = {4: (2.0**-24, 2.0**-149), 8: (2.0**-53, 2.0**-1074)}  # roundoff and smallest number by bytes


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


def decide(network: Network, X: Any, admit: Callable[[Any], Any]) -> Array:
    """Return what a network of one layer decides.

    Parameters
    ----------
    network : Network
        One layer, of heaviside or hardmax neurons.
    X : ndarray or scipy.sparse.csr_matrix of shape (n_rows, n_features)
        Numbers; rows that begin and end within its arrays.
    admit : callable
        Returns the rows it is given, if all numbers are finite, or raises. It sees those that kernels aren't sure of.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        The position of the neuron that wins, if the layer is hardmax.
    ndarray of int8, shape (n_rows, n_outputs)
        What `network` returns, otherwise.
    """
    competing = network.layers[0].activation == "hardmax"
    values = X.data if is_sparse(X) else X
    # In float32 bytes are exact, and so are booleans; other integers are left to the network.
    fits = values.dtype in (np.float32, np.float64) or (values.dtype in (np.uint8, bool) and not is_sparse(X))
    if not fits or values.size * network.n_outputs < FEW:
        outputs = answer(network, admit(X))
        found: Array = outputs.argmax(axis=1) if competing else outputs
        return found
    decided, sure = _decided(network, X, competing)
    open_rows = np.flatnonzero(~sure)
    for first in range(0, len(open_rows), ROWS):
        which = open_rows[first : first + ROWS]
        outputs = answer(network, admit(X[which]))
        decided[which] = outputs.argmax(axis=1)[:, np.newaxis] if competing else outputs
    return decided[:, 0] if competing else decided


def _decided(network: Network, X: Any, competing: bool) -> tuple[Array, Array]:
    """Return what kernels decide, and of which rows they are sure."""
    layer, sparse, n_outputs = network.layers[0], is_sparse(X), network.n_outputs
    n_rows, n_features = X.shape
    if sparse:
        arrays: tuple[Array, ...] = (X.data, *unsigned(X))
        # An entry may stand there twice, which the network adds up first.
        terms = 4.0 + 2.0 * np.diff(X.indptr).max(initial=0)
    else:
        dense = np.ascontiguousarray(X)
        arrays = (dense.view(np.uint8) if dense.dtype == bool else dense,)
        terms = 4.0 + n_features  # rounding of a weight and of the bias's addition are a term more each
    kind = np.dtype(np.float64 if arrays[0].dtype == np.float64 else np.float32)
    unit = 1 if n_outputs == 1 else lanes(np.empty(0, kind)) if sparse else BLOCK
    width = n_features if sparse else -(-n_features // LINE) * LINE
    weights = np.zeros((-(-n_outputs // unit) * unit, width))
    weights[:n_outputs, :n_features] = layer.dense().T
    reach = np.abs(weights[:n_outputs]).max(axis=1, initial=0.0)
    with np.errstate(over="ignore"):  # where a weight becomes infinite nothing is sure
        weights = aligned(weights, kind, "F" if sparse else "C")
    roundoff, smallest = UNIT[kind.itemsize]
    # The network's own rounding, in float64, comes on top.
    slack = (
        1.01 * terms * (roundoff + UNIT[8][0]) / (1 - terms * roundoff) if terms * roundoff < 0.5 else np.inf
    )
    decided = np.zeros((n_rows, 1 if competing else n_outputs), dtype=np.int64 if competing else np.int8)
    sure = np.zeros(n_rows, dtype=np.bool_)
    common = (weights, layer.bias.astype(np.float64), reach, slack, 2 * terms * smallest, competing)

    @np.errstate(over="ignore", invalid="ignore", under="ignore")  # then a row isn't sure, compiled or not
    def piece(first: int) -> None:
        which = slice(first, first + length)
        if sparse:
            data, indices, indptr = arrays
            starts = indptr[first : first + length + 1]
            if indices[int(starts[0]) : int(starts[-1])].max(initial=0) >= n_features:
                well_formed(X, "X")  # which it isn't
            sparse_decisions(data, indices, starts, *common, decided[which], sure[which])
        else:
            dense_decisions(arrays[0][which], *common, decided[which], sure[which])

    work = max(1.0, arrays[0].size / max(1, n_rows)) * (len(weights) + ENTRY)
    length = max(1, min(int(PIECE / work), -(-n_rows // n_processors())))
    pieces = range(0, n_rows, length)
    if n_rows * work < MANY:
        for first in pieces:
            piece(first)
    else:
        with ThreadPoolExecutor(max_workers=n_processors()) as pool:
            for _ in pool.map(piece, pieces):
                pass
    return decided, sure
