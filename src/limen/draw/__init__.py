"""Seeing: a network as a picture.

====================  =====================================================================================
`diagram`             a network as an SVG drawing (a `Diagram`): neurons, thresholds, weighted connections
`plane`               two inputs: decision regions, points, and the line of each neuron (matplotlib)
`mistakes`            training mistakes per epoch (matplotlib)
====================  =====================================================================================

`diagram` needs nothing but NumPy. `plane` and `mistakes` need the extra ``plot``; importing this room doesn't
load matplotlib.

>>> import limen
>>> from limen import draw
>>> picture = draw.diagram(limen.Network(limen.Layer([[1], [-1]], [-1]), inputs=["a", "b"]))
>>> picture.svg.startswith("<svg")
True
"""

from __future__ import annotations

from limen.draw.diagram import Diagram, diagram
from limen.draw.plot import mistakes, plane

__all__ = ["Diagram", "diagram", "mistakes", "plane"]
