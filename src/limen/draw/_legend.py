"""The signs of a drawing, explained below it: those that occur, in rows as wide as the drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from limen.draw import _marks
from limen.draw._layout import SYMBOL
from limen.draw._lettering import width, wrapped
from limen.draw._scene import Scene

__all__ = ["explain"]

SIZE, LINE, ROW = 12.0, 16.0, 28.0
SIGN = 50.0  # width kept for a sign
SPACE = 28.0  # between two entries of a row
RULE = {
    "heaviside": "fires when its weighted sum is at least θ",
    "sign": "sign of (weighted sum − θ): −1, 0 or 1",
    "hardmax": "hardmax: 1 for the layer's largest (weighted sum − θ)",
    "identity": "identity: weighted sum − θ",
    "sigmoid": "sigmoid of (weighted sum − θ)",
    "tanh": "tanh of (weighted sum − θ)",
    "relu": "relu: weighted sum − θ, at least 0",
    "softmax": "softmax of the layer's (weighted sum − θ)",
}

Sign = Callable[[float, float], str]


def explain(scene: Scene, x: float, y: float, room: float) -> tuple[list[str], float]:
    """Return the elements of the legend below (`x`, `y`), at most `room` wide, and its height."""
    entries = [(sign, wrapped(sentence, SIZE, room - SIGN)) for sign, sentence in _entries(scene)]
    widest = max((width(lines[0], SIZE) for _, lines in entries if len(lines) == 1), default=room)
    across = max(int((room + SPACE) // (SIGN + widest + SPACE)), 1)
    elements: list[str] = []
    place, top = 0, y
    for sign, lines in entries:
        if place and (place == across or len(lines) > 1):
            place, top = 0, top + ROW
        left, middle = x + place * (SIGN + widest + SPACE), top + ROW / 2
        if sign is not None:
            elements.append(sign(left, middle))
        elements += [
            _marks.text(left + SIGN, middle + LINE * k, line, SIZE, anchor="start", colour=_marks.GREY)
            for k, line in enumerate(lines)
        ]
        place += 1
        if len(lines) > 1:
            place, top = 0, top + ROW + LINE * (len(lines) - 1)
    return elements, top + (ROW if place else 0) - y


def _entries(scene: Scene) -> Iterator[tuple[Sign | None, str]]:
    """Yield what is drawn and what it means."""
    if any(edge.excites for edge in scene.edges):
        yield _sample_connection(True), "excitatory connection (weight > 0)"
    if any(not edge.excites for edge in scene.edges):
        yield _sample_connection(False), "inhibitory connection (weight < 0)"
    if len({edge.share for edge in scene.edges if edge.share}) > 1:
        yield _sample_widths, "the thicker, the larger |weight| in its layer"
    if any(node.kind == "bias" for node in scene.nodes):
        yield _sample_circle("1", 9, _marks.PALE), "bias neuron, always 1; its weight is −θ"
    for activation in (name for name in SYMBOL if name in scene.activations):
        content = "≥ θ" if activation == "heaviside" else SYMBOL[activation]
        yield _sample_circle(content, 13, "white"), RULE[activation]
    if any(node.kind == "pass" for node in scene.nodes):
        yield _sample_circle("", 6, _marks.PALE), "passes one value on"
    if scene.max_neurons is not None:
        yield (
            None,
            f"Of more than {scene.max_neurons} in a column, {scene.max_neurons - 1} are shown: those with the"
            " largest sum of |weight| on their outgoing connections; in the last column the first.",
        )


def _sample_connection(excites: bool) -> Sign:
    return lambda x, y: _marks.line((x, y, x + SIGN - 10, y), excites=excites, thickness=1.8, half=4.5)


def _sample_widths(x: float, y: float) -> str:
    return "".join(
        f'<rect x="{_marks.number(x)}" y="{_marks.number(y + d - high / 2)}" width="{_marks.number(SIGN - 10)}"'
        f' height="{_marks.number(high)}" fill="{_marks.GREY}"/>'
        for d, high in ((-4, 0.9), (3, 2.6))
    )


def _sample_circle(content: str, radius: float, fill: str) -> Sign:
    def draw(x: float, y: float) -> str:
        x += (SIGN - 10) / 2
        size = min(10.0, 10.0 * (2 * radius - 4) / max(width(content, 10), 1))
        written = _marks.text(x, y, content, size) if content else ""
        return _marks.circle(x, y, radius, fill=fill, thickness=1.2) + written

    return draw
