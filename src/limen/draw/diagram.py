"""A network as a drawing: `Network` → `Diagram`, an SVG that needs nothing to be shown but a browser.

The drawing runs left to right. Circles are neurons: the inputs, then layer by layer the neurons with their
threshold ``θ = −b`` written in them; small grey circles pass a value on; ``1`` is the bias neuron. Lines are
connections: solid and ending in an arrow head where the weight is positive (*excitatory*), dashed and ending
in a flat bar where it is negative (*inhibitory*), the thicker the larger ``|w|`` in its layer. A connection of
weight 0 isn't drawn. Weights are written on the lines where they fit without touching another line.

The work is done in stages, each plain data: `_selection` chooses the neurons that are shown, `_layout` gives
them places (with `_labels` for the weights), `_svg` writes the page from the elements in `_marks`.

References
----------
W. S. McCulloch and W. Pitts (1943), "A logical calculus of the ideas immanent in nervous activity", Bulletin
of Mathematical Biophysics 5, figure 1, for excitatory and inhibitory connections told apart by how they end.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from limen import _files, _text
from limen.draw import _layout, _selection, _svg
from limen.draw._source import network_of
from limen.errors import InputError

__all__ = ["Diagram", "diagram"]


@final
@dataclass(frozen=True, repr=False, slots=True)
class Diagram:
    """A drawing of a network; it shows itself in a notebook.

    Attributes
    ----------
    svg : str
        The drawing, an SVG document.
    width, height : int
        Its size in CSS pixels (96 to the inch).
    """

    svg: str
    width: int
    height: int

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing to a file, whole or not at all: a crash leaves the old file or the new one.

        Parameters
        ----------
        path : str or path-like
            Must end in ``.svg``.

        Raises
        ------
        InputError
            Another ending.
        FileError
            The folder doesn't exist, or the file can't be written.
        """
        if isinstance(path, str | os.PathLike) and Path(path).suffix.lower() != ".svg":
            raise InputError(
                "A diagram is saved as SVG, so the path must end in .svg (for PNG or PDF, convert that file)."
                f" Received: {str(path)!r}."
            )
        _files.write_atomically(path, self.svg.encode())

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Diagram({self.width} × {self.height})"


def diagram(
    net: Any,
    *,
    max_neurons: int = 12,
    weights: bool = True,
    bias: bool = True,
    legend: bool = True,
    title: str | None = None,
) -> Diagram:
    """Draw a network.

    Parameters
    ----------
    net : Network
        Or what holds one: a `limen.Model`, a fitted estimator with ``network_``.
    max_neurons : int
        Most rows of a column, at least 2. A larger layer is abbreviated to ``max_neurons - 1`` neurons and
        the number of the others: shown are those with the largest sum of ``|weight|`` on their outgoing
        connections (the first of equals), in their order; of the outputs, the first.
    weights : bool
        Whether weights are written on the connections where they fit.
    bias : bool
        Whether the bias neurons and their connections are drawn. The thresholds say the same.
    legend : bool
        Whether the signs are explained below the drawing.
    title : str, optional
        Written above the drawing.

    Returns
    -------
    Diagram
        Equal for equal networks.

    Raises
    ------
    InputError
        Not a network, `max_neurons` isn't a whole number of 2 or more, or `title` isn't text.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> a_without_b = Network(Layer([[1], [-1]], [-1]), inputs=["a", "b"], outputs=["c"])
    >>> picture = diagram(a_without_b, title="a and not b")
    >>> "inhibitory" in picture.svg
    True
    """
    network = network_of(net)
    if isinstance(max_neurons, bool) or not isinstance(max_neurons, int) or max_neurons < 2:
        raise InputError(f"max_neurons must be a whole number of 2 or more. Received: {max_neurons!r}.")
    if not isinstance(title, str | None):
        raise InputError(f"title must be text or None. Received: {title!r}.")
    selection = _selection.select(network, max_neurons)
    scene = _layout.lay_out(selection, weights=weights, bias=bias, max_neurons=max_neurons)
    label = title or f"Network: {_text.chain(network)}"
    svg, width, height = _svg.write(
        scene, title=title, label=label, description=_text.describe(network), legend=legend
    )
    return Diagram(svg, width, height)
