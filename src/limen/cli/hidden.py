"""``limen fit --hidden``: its options, checked, the classifier they ask for, and what that says when it has learned.

A network with hidden layers is trained with Keras. What Keras and its backend would say on standard error, of devices they
don't find for instance, isn't a person's concern: `ready` silences it before they are loaded.
"""

from __future__ import annotations

import logging
import os
import warnings
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeGuard

from limen.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from limen.learn import ThresholdNetworkClassifier
    from limen.learn.trial import Classifier

__all__ = [
    "Weights",
    "check",
    "classifier",
    "ending",
    "interrupted",
    "notes",
    "ready",
    "training_data",
    "widths",
]

MOST_WIDE, MOST_DEEP = 100_000, 64  # neurons in a layer, and layers: what is above is a slip of the finger
SHARE = 0.1  # of the rows to learn from, to choose the epoch by,
FEW = 500  # unless there are fewer: a tenth of them says little, and each is needed
WITHOUT = {"max_iter": "--max-iter", "solution": "--solution", "most": "--most"}
WITH = {"weights": "--weights", "epochs": "--epochs", "validation": "--validation"}
INSTEAD = {"max_iter": "Give --epochs instead."}


class Weights(StrEnum):
    """The weights of hidden neurons."""

    binary = "binary"
    ternary = "ternary"
    int4 = "int4"
    int8 = "int8"


# Before -------------------------------------------------------------------------------------------------------


def widths(text: str) -> tuple[int, ...]:
    """Return the widths of hidden layers.

    Examples
    --------
    >>> widths("64, 32")
    (64, 32)
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) <= MOST_DEEP and all(part.isascii() and part.isdigit() for part in parts):
        found = tuple(int(part) for part in parts if len(part) <= len(str(MOST_WIDE)))
        if len(found) == len(parts) and all(1 <= width <= MOST_WIDE for width in found):
            return found
    received = text if len(text) <= 40 else f"{text[:40]}…"
    raise InputError(
        f"--hidden is how many neurons each hidden layer has, whole numbers from 1 to {MOST_WIDE:,} separated by commas,"
        f" for {MOST_DEEP} layers at most, as in --hidden 64,64. Received: {received!r}."
    )


def check(context: Any, hidden: tuple[int, ...] | None, validation: float | None) -> None:
    """Refuse options that belong to the other kind of network.

    Parameters
    ----------
    context : typer.Context
        It knows which options were given.
    hidden : tuple of int or None
    validation : float or None
    """
    others = WITH if hidden is None else WITHOUT
    given = [name for name in others if context.get_parameter_source(name).name != "DEFAULT"]
    if given and hidden is None:
        raise InputError(
            f"{others[given[0]]} is for networks with hidden layers. Add them, as in --hidden 64,64, or leave it out."
        )
    if given:
        raise InputError(
            f"{others[given[0]]} is for a network without hidden layers, so it can't be given with --hidden."
            f" {INSTEAD.get(given[0], 'Leave one of the two out.')}"
        )
    if validation is not None and not 0 <= validation < 1:
        raise InputError(
            f"--validation is a share of the rows to learn from, from 0 to less than 1. Received: {validation:g}."
        )


def ready() -> None:
    """Load Keras and its backend, silently.

    Raises
    ------
    MissingExtraError
        One of them isn't installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what XLA, JAX's compiler, listens to
    for name in ("jax", "absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from limen.learn._keras_door import require_training

        require_training()


def classifier(
    hidden: tuple[int, ...],
    weights: Weights,
    epochs: int | None,
    validation: float | None,
    *,
    n_rows: float,
    seed: int,
) -> ThresholdNetworkClassifier:
    """Return the classifier that the options ask for.

    Parameters
    ----------
    hidden : tuple of int
    weights : Weights
    epochs : int or None
        None for the classifier's own.
    validation : float or None
        None for a tenth, or none if there are few rows.
    n_rows : float
        About how many rows there are to learn from.
    seed : int
    """
    from limen.learn import ThresholdNetworkClassifier

    share = (SHARE if n_rows >= FEW else 0.0) if validation is None else validation
    chosen: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    if share:
        chosen |= {"early_stopping": True, "validation_fraction": share}
    return ThresholdNetworkClassifier(hidden, weights=weights.value, random_state=seed, **chosen)


# After --------------------------------------------------------------------------------------------------------


def ending(learned: ThresholdNetworkClassifier) -> str:
    """Return how training ended, in words."""
    from limen._text import plural
    from limen.cli.report import percent

    text, best = plural(learned.n_iter_, "epoch"), learned.best_epoch_
    if learned.stop_reason_ == "early_stopping":
        text += ", until none was better for a while"
    which = f"epoch {best}, the best," if "val_accuracy" in learned.history_ else "the last"
    text += f"; {which} is kept: loss {learned.history_['loss'][best - 1]:.4f}"
    if "val_accuracy" in learned.history_:
        text += f", validation accuracy {percent(learned.history_['val_accuracy'][best - 1])}"
    return text


def notes(learned: ThresholdNetworkClassifier) -> list[str]:
    """Return what a person should know of how training ended."""
    if learned.stop_reason_ != "diverged":
        return []
    return [
        f"The loss of epoch {learned.n_iter_ + 1} was no number, which ended training. The network of epoch"
        f" {learned.best_epoch_} is kept."
    ]


def training_data(learned: ThresholdNetworkClassifier) -> dict[str, Any]:
    """Return the same as plain data, epoch by epoch."""
    return {
        "stop_reason": learned.stop_reason_,
        "epochs": learned.n_iter_,
        "best_epoch": learned.best_epoch_,
        "history": learned.history_,
        "weights": learned.weights,
        "validation": learned.validation_fraction if learned.early_stopping else 0,
    }


def interrupted(interrupt: KeyboardInterrupt, output: Path) -> str | None:
    """Save the network that an interrupted training has kept, if it has, and return what to say.

    A file that is there already may hold a network that was trained to the end. It stays; the new one lies beside it.
    """
    from limen._text import plural
    from limen.cli.files import saved
    from limen.learn.trial import TrialInterrupt

    if not isinstance(interrupt, TrialInterrupt) or not is_deep(interrupt.classifier):
        return None
    path = output.with_suffix(".interrupted.limen") if output.exists() else output
    saved(interrupt.model, path, None)
    learned = interrupt.classifier
    best = ", the best so far," if validated(learned) else ""
    beside = f"; {output} is as it was" if path != output else ""
    return (
        f"Interrupted after {plural(learned.n_iter_, 'epoch')}: the network of epoch {learned.best_epoch_}{best} is saved as"
        f" {path}{beside}."
    )


def is_deep(learned: Classifier) -> TypeGuard[ThresholdNetworkClassifier]:
    """Return whether it is the classifier that this file makes."""
    from limen.learn import ThresholdNetworkClassifier

    return isinstance(learned, ThresholdNetworkClassifier)


def validated(learned: Classifier) -> bool:
    """Return whether some of the rows to learn from only chose the epoch."""
    return "val_accuracy" in getattr(learned, "history_", {})
