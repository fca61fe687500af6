"""The marks of a drawing as SVG elements: neurons, connections, text.

Elements carry presentation attributes only: no style sheet and no ids, which would act on the whole page of a
notebook, and no markers or filters, which some programs draw differently. Arrow heads are drawn as shapes.
Every name goes through `escaped`.

Excitatory connections are solid, blue and end in an arrow head; inhibitory ones are dashed, vermilion and end
in a flat bar. The two colours are told apart by every kind of colour vision.

References
----------
M. Okabe and K. Ito (2008), "Color Universal Design", section "Color barrier-free colour palette".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal
from xml.sax.saxutils import escape

from limen.draw._lettering import CAPTION_SIZE, NAME_SIZE, WEIGHT_SIZE, brief, printable, width
from limen.draw._scene import Edge, Line, Node

__all__ = [
    "GREY",
    "LEAVING",
    "PALE",
    "circle",
    "connection",
    "escaped",
    "leaving",
    "line",
    "neuron",
    "number",
    "polygon",
    "stroke",
    "text",
    "weight",
]

BLUE, VERMILION = "#0072B2", "#D55E00"
INK, GREY, SHADE, PALE = "#1A1A1A", "#595959", "#8A8A8A", "#EDEDED"
LEAVING = 24.0  # length of the arrow that leaves an output


def number(value: float) -> str:
    """Return a coordinate, with at most two digits after the point."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")  # adding 0 makes -0 a plain 0


def escaped(content: str, *, lines: bool = False) -> str:
    """Return text that may stand between two tags or in double quotes; line ends stay if `lines`."""
    content = printable(content)
    return escape(content if lines else " ".join(content.split()), {'"': "&quot;"})


def text(
    x: float,
    y: float,
    content: str,
    size: float,
    *,
    anchor: Literal["start", "middle", "end"] = "middle",
    colour: str = INK,
    bold: bool = False,
) -> str:
    """Return one line of text, its middle at height `y`."""
    # Baseline attributes are read differently from program to program; 0.35 em below the middle is not.
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{number(x)}" y="{number(y + 0.35 * size)}" font-size="{number(size)}" text-anchor="{anchor}"'
        f' fill="{colour}"{weight}>{escaped(content)}</text>'
    )


def line(ends: Line, *, excites: bool, thickness: float, half: float, colour: str = "") -> str:
    """Return a line and its head, an arrow head or a flat bar, `half` half its width."""
    x1, y1, x2, y2 = ends
    length = math.hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    colour = colour or (BLUE if excites else VERMILION)
    dash = "" if excites else ' stroke-dasharray="7 4"'
    if excites:
        long = 2 * half
        bx, by = x2 - long * dx, y2 - long * dy
        head = polygon(((x2, y2), (bx - half * dy, by + half * dx), (bx + half * dy, by - half * dx)), colour)
        back = long - 1  # inside the head, so that no gap shows and the tip stays sharp
    else:
        back, wide = 1.3, 1.25 * half
        bx, by = x2 - back * dx, y2 - back * dy
        head = stroke((bx - wide * dy, by + wide * dx, bx + wide * dy, by - wide * dx), colour, 2.6)
    return stroke((x1, y1, x2 - back * dx, y2 - back * dy), colour, thickness, dash) + head


def stroke(ends: Line, colour: str, thickness: float, more: str = "") -> str:
    """Return a plain line."""
    x1, y1, x2, y2 = map(number, ends)
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{number(thickness)}"{more}/>'


def polygon(corners: Sequence[tuple[float, float]], colour: str) -> str:
    """Return a filled shape."""
    points = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def circle(x: float, y: float, radius: float, *, fill: str, thickness: float) -> str:
    """Return a circle with a dark outline."""
    return (
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="{fill}" stroke="{INK}"'
        f' stroke-width="{number(thickness)}"/>'
    )


def connection(edge: Edge) -> str:
    """Return the line of a connection with its head, and what it is as a tooltip."""
    kind = "excitatory" if edge.excites else "inhibitory"
    if edge.source.kind == "bias":
        drawn = line(edge.line, excites=edge.excites, thickness=1.1, half=edge.head, colour=SHADE)
    else:
        thickness = (0.5 if edge.crowded else 0.9) + 1.7 * edge.share
        drawn = line(edge.line, excites=edge.excites, thickness=thickness, half=edge.head)
    faint = f' opacity="{number(0.25 + 0.75 * edge.share**2)}"' if edge.crowded else ""
    return (
        f'<g class="limen-connection limen-{kind} limen-from-{edge.source.kind}"{faint}>'
        f"<title>{escaped(edge.meaning)}</title>{drawn}</g>"
    )


def weight(edge: Edge) -> str:
    """Return the weight written on a connection, the line interrupted under it; "" where it doesn't fit."""
    if edge.label is None:
        return ""
    x, y, wide, high = edge.label
    return (
        f'<g class="limen-weight"><rect x="{number(x - wide / 2 - 1)}" y="{number(y - high / 2)}"'
        f' width="{number(wide + 2)}" height="{number(high)}" fill="white"/>'
        f"{text(x, y, brief(edge.weight), WEIGHT_SIZE)}</g>"
    )


def neuron(node: Node) -> str:
    """Return the circle of a neuron and what is written in and beside it."""
    if node.kind == "more":
        body = more(node)
    else:
        fill = PALE if node.kind in {"bias", "pass"} else "white"
        thickness = {"neuron": 2.0, "input": 1.4}.get(node.kind, 1.1)
        body = circle(node.x, node.y, node.radius, fill=fill, thickness=thickness)
        offsets = (-7.0, 8.0) if len(node.inside) == 2 else (0.0,)
        for offset, (content, size) in zip(offsets, node.inside, strict=False):
            body += text(node.x, node.y + offset, content, size)
        if node.name and node.kind == "input":
            body += text(node.x - node.radius - 8, node.y, node.name, NAME_SIZE, anchor="end")
    return f'<g class="limen-node limen-{node.kind}"><title>{escaped(node.meaning)}</title>{body}</g>'


def more(node: Node) -> str:
    """Return three dots and how many neurons they stand for."""
    x, y, half = node.x, node.y + 14, width(node.name, CAPTION_SIZE) / 2
    dots = (
        f'<circle cx="{number(x)}" cy="{number(node.y + d)}" r="1.8" fill="{GREY}"/>' for d in (-14, -7, 0)
    )
    # White behind the words: lines from the bias neuron below pass here.
    ground = f'<rect x="{number(x - half)}" y="{number(y - 8)}" width="{number(2 * half)}" height="16" fill="white"/>'
    return "".join(dots) + ground + text(x, y, node.name, CAPTION_SIZE, colour=GREY)


def leaving(node: Node) -> str:
    """Return the arrow that leaves an output neuron, and the output's name."""
    start = node.x + node.radius + 1
    tip = start + LEAVING
    return (
        f'<g class="limen-output"><title>{escaped(node.meaning)}</title>'
        f"{stroke((start, node.y, tip - 8, node.y), INK, 1.4)}"
        f"{polygon(((tip, node.y), (tip - 9, node.y - 4), (tip - 9, node.y + 4)), INK)}"
        f"{text(tip + 6, node.y, node.name, NAME_SIZE, anchor='start')}</g>"
    )
