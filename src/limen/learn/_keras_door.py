"""The door to Keras 3: the only file that imports it, for layers, conversion and training alike.

Keras runs on JAX, PyTorch or TensorFlow, and takes the one that ``KERAS_BACKEND`` or its own file of settings names;
TensorFlow, if neither does. Where the one it would take isn't installed and ``KERAS_BACKEND`` is not set, one that is
installed is chosen: JAX first, then PyTorch. Whoever has imported Keras before has chosen already.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from limen.errors import InputError, MissingExtraError

__all__ = ["BACKENDS", "keras", "require_training"]

BACKENDS = {"jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}
"""The backends that can train, best first, and the package each needs."""


def _chosen() -> str:
    """Return the backend Keras would take."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        settings = json.loads((home / "keras.json").read_text("utf-8"))
        return str(settings.get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


def _prefer_what_is_installed() -> None:
    """Set ``KERAS_BACKEND`` where nobody has, and what Keras would take isn't there."""
    if "keras" in sys.modules or "KERAS_BACKEND" in os.environ:
        return
    if find_spec(BACKENDS.get(_chosen(), _chosen())) is None:
        found = [name for name, package in BACKENDS.items() if find_spec(package)]
        if found:
            os.environ["KERAS_BACKEND"] = found[0]


def _keras() -> Any:
    _prefer_what_is_installed()
    if find_spec("keras") is None:
        raise MissingExtraError("Keras", "keras")
    try:
        import keras
    except ModuleNotFoundError as error:
        asked = os.environ.get("KERAS_BACKEND", _chosen())
        if error.name is None or error.name.split(".")[0] != BACKENDS.get(asked):
            raise
        raise MissingExtraError(
            f"{asked}, the backend that Keras is set to use,", "keras", "and set KERAS_BACKEND=jax"
        ) from error
    if int(keras.__version__.split(".")[0]) < 3:
        raise MissingExtraError(f"Keras 3 (Keras {keras.__version__} is, and)", "keras")
    return keras


keras: Any = _keras()


def require_training() -> None:
    """Raise an error where the backend at work can't train.

    Raises
    ------
    InputError
        Keras runs on another backend than those in `BACKENDS`.
    """
    backend = keras.backend.backend()
    if backend not in BACKENDS:
        raise InputError(
            f"Training needs Keras on one of the backends {', '.join(BACKENDS)}. Received: {backend}. Set"
            " KERAS_BACKEND=jax before Keras is first imported."
        )
