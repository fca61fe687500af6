"""`Scene` → SVG text: the page, its bounds, its title and its legend."""

from __future__ import annotations

import math

from limen.draw import _legend, _marks
from limen.draw._lettering import CAPTION_SIZE, NAME_SIZE, width, wrapped
from limen.draw._scene import Scene

__all__ = ["write"]

FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
MARGIN = 16.0
NARROWEST = 390.0  # the legend's sentences want room
TITLE_SIZE, TITLE_LINE = 17.0, 23.0


def write(
    scene: Scene, *, title: str | None, label: str, description: str, legend: bool
) -> tuple[str, int, int]:
    """Return the SVG text, its width and its height.

    Parameters
    ----------
    scene : Scene
    title : str or None
        Written above the drawing.
    label, description : str
        What a screen reader says: the document's title and description.
    legend : bool
        Whether the signs are explained below.
    """
    left, top, right, bottom = _bounds(scene)
    body = _network(scene)
    slack = max((NARROWEST if legend else 0.0) - (right - left), 0.0)
    left, right = left - slack / 2, right + slack / 2
    if title:
        lines = wrapped(title, TITLE_SIZE, right - left)
        top -= TITLE_LINE * len(lines) + 8
        body += [
            _marks.text(
                (left + right) / 2, top + TITLE_LINE * (k + 0.5), line, TITLE_SIZE, anchor="middle", bold=True
            )
            for k, line in enumerate(lines)
        ]
    if legend:
        rows, height = _legend.explain(scene, left, bottom + 14, right - left)
        body += ['<g class="limen-legend">', *rows, "</g>"]
        bottom += 14 + height
    left, top = math.floor(left - MARGIN), math.floor(top - MARGIN)
    wide, high = math.ceil(right + MARGIN) - left, math.ceil(bottom + MARGIN) - top
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}"'
        f' viewBox="{left} {top} {wide} {high}" role="img" font-family="{FONT}">'
    )
    page = [
        opening,
        f"<title>{_marks.escaped(label)}</title>",
        f"<desc>{_marks.escaped(description, lines=True)}</desc>",
        f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="white"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(page) + "\n", wide, high


def _network(scene: Scene) -> list[str]:
    """Return the elements of the network, heavy connections above light ones and weights above both."""
    last = max(node.column for node in scene.nodes)
    edges = sorted(scene.edges, key=lambda edge: edge.share)
    return [
        *(_marks.connection(edge) for edge in edges),
        *(_marks.weight(edge) for edge in scene.edges if edge.label is not None),
        *(_marks.neuron(node) for node in scene.nodes),
        *(_marks.leaving(node) for node in scene.nodes if node.column == last and node.kind != "more"),
        *(_marks.text(x, y, caption, CAPTION_SIZE, colour=_marks.GREY) for x, y, caption in scene.captions),
    ]


def _bounds(scene: Scene) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of everything that is drawn of the network."""
    last = max(node.column for node in scene.nodes)
    boxes = [
        (x - width(caption, CAPTION_SIZE) / 2, y - 9, x + width(caption, CAPTION_SIZE) / 2, y + 9)
        for x, y, caption in scene.captions
    ]
    for node in scene.nodes:
        left, right = node.x - node.radius - 2, node.x + node.radius + 2
        if node.kind == "more":
            half = width(node.name, 12.0) / 2
            left, right = node.x - half, node.x + half
        elif node.name and node.column == last:
            right += _marks.LEAVING + 8 + width(node.name, NAME_SIZE)
        elif node.name:
            left -= 8 + width(node.name, NAME_SIZE)
        boxes.append((left, node.y - node.radius - 4, right, node.y + node.radius + 8))
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
