"""What stands where in a drawing: plain data between the layout and the SVG text.

Lengths are CSS pixels, x to the right, y downwards. A `Node` is a neuron (or the mark for those left out), an
`Edge` a connection; both know what they mean, and `limen.draw._svg` how they look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from limen.draw._labels import Box

__all__ = ["RADIUS", "Edge", "Line", "Node", "Scene"]

Line = tuple[float, float, float, float]
"""x and y of the start, x and y of the end."""

RADIUS = {"input": 19.0, "bias": 14.0, "neuron": 26.0, "pass": 9.0, "more": 14.0}


@dataclass(frozen=True, slots=True)
class Node:
    """A neuron, or the mark that says how many more there are.

    Attributes
    ----------
    kind : {"input", "bias", "neuron", "pass", "more"}
    column, index : int
        The column (0 holds the inputs) and the position in its layer; -1 for "bias" and "more".
    x, y : float
        Centre.
    inside : tuple of (text, size)
        Lines written in the circle.
    name : str
        Written beside it, shortened; "" if none is.
    meaning : str
        The tooltip: the whole name, what the neuron computes.
    said : str
        The whole name, for the tooltips of its connections.
    """

    kind: Literal["input", "bias", "neuron", "pass", "more"]
    column: int
    index: int
    x: float
    y: float
    inside: tuple[tuple[str, float], ...] = ()
    name: str = ""
    meaning: str = ""
    said: str = ""

    @property
    def radius(self) -> float:
        """Radius of the circle; small where an input's name stands beside it."""
        return 12.0 if self.kind == "input" and self.name else RADIUS[self.kind]


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection whose weight isn't zero.

    Attributes
    ----------
    source, target : Node
    weight : float
    share : float
        ``|weight|`` over the layer's largest, in (0, 1]; 0 for the connections of a bias neuron.
    line : Line
        Its ends, on the two circles.
    head : float
        Half the width of the arrow head or bar, less where many lines arrive.
    meaning : str
        The tooltip.
    crowded : bool
        Whether the layer has so many connections that all but the heaviest are drawn faint.
    label : Box, optional
        Where the weight is written, if it fits.
    """

    source: Node
    target: Node
    weight: float
    share: float
    line: Line
    head: float
    meaning: str
    crowded: bool
    label: Box | None = None

    @property
    def excites(self) -> bool:
        """Whether the weight is positive."""
        return self.weight > 0


@dataclass(frozen=True, slots=True)
class Scene:
    """A network laid out.

    Attributes
    ----------
    nodes : tuple of Node
    edges : tuple of Edge
    captions : tuple of (x, y, text)
        Above each column, centred.
    activations : frozenset of str
        Those that occur, for the legend.
    max_neurons : int or None
        The most rows of a column, where a column is abbreviated.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    captions: tuple[tuple[float, float, str], ...]
    activations: frozenset[str]
    max_neurons: int | None
