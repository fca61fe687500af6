"""Where everything stands: `Selection` → `Scene`.

Columns run left to right, each centred on one middle line; a layer's bias neuron stands below the column its
connections start from. The gap before a layer is the narrowest of a few in which every weight can be written
on its line; where none will do, the layer is drawn without weights rather than with a few of them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from limen import _text
from limen.draw import _labels
from limen.draw._lettering import CAPTION_SIZE, NAME_SIZE, WEIGHT_SIZE, brief, shortened, width
from limen.draw._scene import RADIUS, Edge, Node, Scene
from limen.draw._selection import Column, Selection
from limen.step import Array

__all__ = ["SYMBOL", "lay_out"]

NAME_ROOM = 260.0
GAPS = (150.0, 180.0, 215.0, 255.0, 300.0, 350.0)
PLAIN_GAP = 240.0  # where weights aren't written
MOST_LABELS = 72  # connections of a layer beyond which weights are never written
ENOUGH = 0.75  # share of a layer's weights that must fit, or none is written
SYMBOL = {
    "heaviside": "≥",
    "sign": "sgn",
    "hardmax": "max",
    "identity": "Σ",
    "sigmoid": "σ",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "soft",
}


def lay_out(selection: Selection, *, weights: bool, bias: bool, max_neurons: int) -> Scene:
    """Return the scene of `selection`, its first column at x = 0 and its middle line at y = 0."""
    columns = selection.columns
    pitch = _pitch(max(map(_rows, columns)))
    nodes: list[Node] = []
    edges: list[Edge] = []
    before: list[Node] = _column(selection, 0, 0.0, pitch)
    x = 0.0
    xs = [x]
    for index, (w, b) in enumerate(zip(selection.weights, selection.biases, strict=True)):
        always = _bias_node(columns[index], index, x, pitch)
        # A pass-through neuron's threshold says nothing: it repeats its input.
        b = np.where(selection.passes[index], 0.0, b) if bias else np.zeros_like(b)
        matrix = np.vstack([w, b])
        gap, layer_edges, after = _gap(selection, index, (*before, always), matrix, x, pitch, weights)
        nodes += [*before, *([always] if b.any() else []), *_more(columns[index], index, x, pitch)]
        edges += layer_edges
        before = after
        x += gap
        xs.append(x)
    nodes += [*before, *_more(columns[-1], len(columns) - 1, x, pitch)]
    top = min(node.y - node.radius for node in nodes) - 22
    captions = tuple((x, top, column.caption) for x, column in zip(xs, columns, strict=True))
    abbreviated = any(column.hidden for column in columns)
    shown = frozenset(selection.activations)
    return Scene(tuple(nodes), tuple(edges), captions, shown, max_neurons if abbreviated else None)


def _rows(column: Column) -> int:
    return len(column.shown) + bool(column.hidden)


def _pitch(rows: int) -> float:
    """Return the distance of neighbouring rows: wide in small networks, where weights want room."""
    return 88.0 if rows <= 4 else 76.0 if rows <= 7 else 64.0


def _y(column: Column, row: int, pitch: float) -> float:
    return (row - (_rows(column) - 1) / 2) * pitch


def _column(selection: Selection, index: int, x: float, pitch: float) -> list[Node]:
    """Return the shown neurons of one column."""
    column = selection.columns[index]
    places = [
        (k, name, x, _y(column, row, pitch))
        for row, (k, name) in enumerate(zip(column.shown, column.names, strict=True))
    ]
    if index == 0:
        room = 2 * RADIUS["input"] - 8
        inside = all(width(shortened(name, NAME_SIZE, 1e9), NAME_SIZE) <= room for name in column.names)
        return [
            Node(
                "input", 0, k, x, y,
                inside=((shortened(name, NAME_SIZE, room), NAME_SIZE),) if inside else (),
                name="" if inside else shortened(name, NAME_SIZE, NAME_ROOM),
                meaning=f"input {name}",
                said=name,
            )
            for k, name, x, y in places
        ]  # fmt: skip
    last = index == len(selection.columns) - 1
    activation = selection.activations[index - 1]
    nodes = []
    for (k, name, x, y), b, passes, meaning in zip(
        places,
        selection.biases[index - 1],
        selection.passes[index - 1],
        selection.meanings[index - 1],
        strict=True,
    ):
        written = () if passes else _threshold(activation, float(-b) + 0.0)
        outside = shortened(name, NAME_SIZE, NAME_ROOM) if last else ""
        nodes.append(Node("pass" if passes else "neuron", index, k, x, y, written, outside, meaning, name))
    return nodes


def _threshold(activation: str, theta: float) -> tuple[tuple[str, float], ...]:
    """Return the lines written in a neuron, in sizes that fit its circle."""
    room = 2 * RADIUS["neuron"] - 8
    if activation == "heaviside":
        return (_fitted(f"≥ {brief(theta)}", 14, room),)
    symbol = _fitted(SYMBOL[activation], 13, room)
    return (symbol, _fitted(f"θ {brief(theta)}", 11, room - 4)) if theta else (symbol,)


def _fitted(text: str, size: float, room: float) -> tuple[str, float]:
    return text, round(min(size, size * room / width(text, size)), 1)


def _bias_node(column: Column, index: int, x: float, pitch: float) -> Node:
    y = _y(column, _rows(column), pitch) if _rows(column) else 0.0
    return Node("bias", index, -1, x, y, (("1", 13.0),), meaning="bias neuron, always 1", said="bias")


def _more(column: Column, index: int, x: float, pitch: float) -> list[Node]:
    if not column.hidden:
        return []
    y = _y(column, _rows(column) - 1, pitch)
    what = "inputs" if index == 0 else "neurons"
    return [
        Node("more", index, -1, x, y, name=f"{column.hidden} more", meaning=f"{column.hidden} more {what}")
    ]


def _gap(
    selection: Selection,
    index: int,
    sources: tuple[Node, ...],
    matrix: Array,
    x: float,
    pitch: float,
    labelled: bool,
) -> tuple[float, list[Edge], list[Node]]:
    """Return the gap before layer `index`, the connections in it and the neurons behind it."""
    least = _least_gap(sources, _column(selection, index + 1, x, pitch), matrix, pitch)
    least = max(
        least, sum(width(c.caption, CAPTION_SIZE) for c in selection.columns[index : index + 2]) / 2 + 18
    )
    n_edges = int(np.count_nonzero(matrix))
    passes = selection.passes[index]
    best: tuple[int, float, list[Edge], list[Node]] | None = None
    if labelled and n_edges <= MOST_LABELS:
        narrowest = max(least, GAPS[0 if n_edges <= 3 else 1 if n_edges <= 12 else 2])
        for gap in sorted({max(gap, narrowest) for gap in GAPS}):
            targets = _column(selection, index + 1, x + gap, pitch)
            edges = _labelled(_edges(sources, targets, matrix), passes)
            wanted = sum(edge.source.kind != "bias" and edge.target.kind != "pass" for edge in edges)
            fitted = sum(edge.label is not None and edge.source.kind != "bias" for edge in edges)
            if best is None or fitted > best[0]:
                best = (fitted, gap, edges, targets)
            if fitted == wanted:
                break
        if best is not None and best[0] >= ENOUGH * wanted:
            return best[1:]
    gap = max(PLAIN_GAP if n_edges > MOST_LABELS // 2 else GAPS[1], least)
    targets = _column(selection, index + 1, x + gap, pitch)
    return gap, _edges(sources, targets, matrix), targets


def _least_gap(sources: tuple[Node, ...], targets: list[Node], matrix: Array, pitch: float) -> float:
    """Return the gap in which even the steepest line passes the neighbours of the neurons it joins."""
    rises = [abs(sources[i].y - targets[j].y) for i, j in zip(*np.nonzero(matrix), strict=True)]
    radii = [max(node.radius for node in nodes) for nodes in (sources, targets) if len(nodes) > 1]
    # A line at angle φ to the horizontal passes a neighbour in its column at the distance pitch · cos φ.
    cosine = (max(radii, default=0.0) + 3) / pitch
    return max(rises, default=0.0) * cosine / math.sqrt(1 - cosine**2)


def _edges(sources: tuple[Node, ...], targets: list[Node], matrix: Array) -> list[Edge]:
    # Line width compares the weights of neurons; a bias, drawn thin, must not make them all look light.
    largest = np.abs(matrix[:-1]).max(initial=0.0)
    crowded = bool(np.count_nonzero(matrix) > MOST_LABELS)
    edges = []
    for j, target in enumerate(targets):
        arriving = np.flatnonzero(matrix[:, j])
        head = _head(target, [sources[i] for i in arriving])
        for i in arriving:
            weight = float(matrix[i, j])
            share = 0.0 if sources[i].kind == "bias" else abs(weight) / largest
            meaning = f"{sources[i].said} → {target.said}: weight {_text.number(weight)}"
            edges.append(
                Edge(sources[i], target, weight, share, _line(sources[i], target), head, meaning, crowded)
            )
    return edges


def _line(source: Node, target: Node) -> tuple[float, float, float, float]:
    dx, dy = target.x - source.x, target.y - source.y
    length = math.hypot(dx, dy)
    dx, dy = dx / length, dy / length
    near, far = source.radius + 1, target.radius + 2
    return source.x + near * dx, source.y + near * dy, target.x - far * dx, target.y - far * dy


def _head(target: Node, sources: list[Node]) -> float:
    """Return half the width of a head: neighbouring heads on the circle leave each other room."""
    angles = sorted(math.atan2(source.y - target.y, target.x - source.x) for source in sources)
    nearest = min((b - a for a, b in pairwise(angles)), default=math.pi)
    return min(max(nearest * (target.radius + 6) * 0.42, 2.6), 5.5)


def _labelled(edges: list[Edge], passes: Array) -> list[Edge]:
    """Return the connections with their weights where they fit; what passes through needs none."""
    if not edges:
        return edges
    lines = np.array([edge.line for edge in edges])
    sizes = np.array([(width(brief(edge.weight), WEIGHT_SIZE), WEIGHT_SIZE) for edge in edges])
    ends = {
        (node.x, node.y, node.radius + (14 if node is edge.target else 3))
        for edge in edges
        for node in (edge.source, edge.target)
    }
    wanted = [k for k, edge in enumerate(edges) if edge.source.kind != "bias" and edge.target.kind != "pass"]
    extra = [k for k, edge in enumerate(edges) if edge.source.kind == "bias"]
    boxes = _labels.place(lines, sizes, np.array(sorted(ends)), (wanted, extra))
    return [replace(edge, label=boxes.get(k)) for k, edge in enumerate(edges)]
