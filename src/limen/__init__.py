"""Networks of threshold neurons: written as logic or learned from data, exact as integers.

The value is `Network`, a tuple of `Layer`. Makers (`limen.logic`, `limen.learn`) return one, users
(`limen.draw`, `limen.save`) take one. Importing `limen` costs NumPy only; the rooms load on first use.

>>> import limen
>>> a, b = limen.logic.inputs("a b")
>>> print(limen.logic.network(a & ~b))
Network: 2 inputs → 1 heaviside
y fires when a − b ≥ 1
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from limen import errors
from limen.network import Layer, Network

if TYPE_CHECKING:
    from limen import bits, draw, export, learn, logic, rewrite
    from limen.encoding import Encoding
    from limen.export import load, save
    from limen.model import Model

__version__ = "0.1.0"

__all__ = [
    "Encoding",
    "Layer",
    "Model",
    "Network",
    "bits",
    "draw",
    "errors",
    "export",
    "learn",
    "load",
    "logic",
    "rewrite",
    "save",
]

_ROOMS = {"bits", "draw", "export", "learn", "logic", "rewrite"}
_PLACES = {
    "Encoding": "limen.encoding",
    "Model": "limen.model",
    "load": "limen.export",
    "save": "limen.export",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"limen.{name}")
    if name in _PLACES:
        value = getattr(importlib.import_module(_PLACES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'limen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
