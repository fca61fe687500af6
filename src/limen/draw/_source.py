"""Which network is meant: a `Network`, or the one that a model or a fitted estimator holds.

Estimators are made in another room, so they are known by their attributes: ``network_`` once fitted.
"""

from __future__ import annotations

from typing import Any

from limen.errors import InputError
from limen.network import Network

__all__ = ["network_of", "require_fitted"]


def network_of(model: Any) -> Network:
    """Return the network in `model`.

    Parameters
    ----------
    model : Network, limen.Model, or fitted estimator
        ``model`` itself, its ``network`` or its ``network_``.

    Raises
    ------
    InputError
        An estimator that isn't fitted, or none of the three.
    """
    for candidate in (model, getattr(model, "network", None), getattr(model, "network_", None)):
        if isinstance(candidate, Network):
            return candidate
    require_fitted(model, "network_")
    raise InputError(
        "Expected a limen.Network, a limen.Model, or a fitted estimator with network_."
        f" Received: {type(model).__name__}."
    )


def require_fitted(model: Any, attribute: str) -> None:
    """Raise `InputError` if `model` is an estimator without `attribute`, which fitting would give it."""
    if callable(getattr(model, "fit", None)) and not hasattr(model, attribute):
        raise InputError(
            f"The estimator must be fitted: it has no {attribute}. Received: an unfitted"
            f" {type(model).__name__}. Call its fit first."
        )
