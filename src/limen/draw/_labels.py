"""Where weights can be written on the lines of one layer: `place`.

A label is a box centred on its line. It fits where it touches no other line, no neuron and no other label. All
labels are first tried at the same distance along their lines, which looks tidy; where that fails, each takes
the place that is left to it, those with the fewest places first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limen.step import Array

__all__ = ["Box", "place"]

Box = tuple[float, float, float, float]
"""Centre x, centre y, width, height."""

MARGIN = 2.0  # white space kept around a label
# Fractions of a line's length, the most pleasing first: the middle, then outwards, to both ends in turn.
ALONG = np.array([0.5, *(0.5 + side * step / 50 for step in range(2, 22) for side in (-1, 1))])


def place(lines: Array, sizes: Array, circles: Array, groups: Sequence[Sequence[int]]) -> dict[int, Box]:
    """Return a box for each line on which its label fits.

    Parameters
    ----------
    lines : ndarray of shape (n_lines, 4)
        x and y where each line starts and ends.
    sizes : ndarray of shape (n_lines, 2)
        Width and height of each line's label.
    circles : ndarray of shape (n_circles, 3)
        x, y and radius of what labels must not touch.
    groups : sequence of sequences of int
        Which lines are labelled; an earlier group chooses its places first.
    """
    half = sizes / 2 + MARGIN
    start, along = lines[:, :2], lines[:, 2:] - lines[:, :2]
    centres = start[:, None, :] + ALONG[None, :, None] * along[:, None, :]
    clear = ~_touch_lines(centres, half, lines) & ~_touch_circles(centres, half, circles)
    placed: dict[int, tuple[float, float]] = {}
    for group in groups:
        together = _all_alike(list(group), centres, half, clear) if not placed else None
        placed |= together or _one_by_one(list(group), centres, half, clear, placed)
    return {line: (*placed[line], float(sizes[line, 0]), float(sizes[line, 1])) for line in placed}


def _touch_lines(centres: Array, half: Array, lines: Array) -> Array:
    """Tell which label positions, shape (n_lines, n_positions), touch a line other than their own."""
    x1, y1, x2, y2 = lines.T
    x, y = centres[..., 0, np.newaxis], centres[..., 1, np.newaxis]
    wide, high = half[:, 0, np.newaxis, np.newaxis], half[:, 1, np.newaxis, np.newaxis]
    # A box and a line are apart if they are along x, along y, or across the line.
    apart = (x + wide < np.minimum(x1, x2)) | (x - wide > np.maximum(x1, x2))
    apart |= (y + high < np.minimum(y1, y2)) | (y - high > np.maximum(y1, y2))
    across_x, across_y = y1 - y2, x2 - x1
    distance = np.abs((x - x1) * across_x + (y - y1) * across_y)
    apart |= distance > wide * np.abs(across_x) + high * np.abs(across_y)
    own = np.eye(len(lines), dtype=bool)[:, np.newaxis, :]
    touch: Array = ~(apart | own).all(axis=-1)
    return touch


def _touch_circles(centres: Array, half: Array, circles: Array) -> Array:
    dx, dy = (
        np.maximum(
            np.abs(centres[..., k, np.newaxis] - circles[:, k]) - half[:, k, np.newaxis, np.newaxis], 0
        )
        for k in (0, 1)
    )
    touch: Array = (dx**2 + dy**2 < circles[:, 2] ** 2).any(axis=-1)
    return touch


def _overlap(a: Array, half_a: Array, b: Array, half_b: Array) -> bool:
    return bool((np.abs(a - b) < half_a + half_b).all())


def _all_alike(
    group: list[int], centres: Array, half: Array, clear: Array
) -> dict[int, tuple[float, float]] | None:
    """Return places at one fraction of all lines, or None."""
    for position in np.flatnonzero(clear[group].all(axis=0)):
        at, size = centres[group, position], half[group]
        near = (np.abs(at[:, None] - at[None]) < size[:, None] + size[None]).all(axis=-1)
        if near.sum() == len(group):  # each is near itself only
            return {line: (float(x), float(y)) for line, (x, y) in zip(group, at, strict=True)}
    return None


def _one_by_one(
    group: list[int], centres: Array, half: Array, clear: Array, taken: dict[int, tuple[float, float]]
) -> dict[int, tuple[float, float]]:
    placed: dict[int, tuple[float, float]] = {}
    for line in sorted(group, key=lambda line: int(clear[line].sum())):
        others = {**taken, **placed}
        for position in np.flatnonzero(clear[line]):
            at = centres[line, position]
            if not any(_overlap(at, half[line], np.array(o), half[k]) for k, o in others.items()):
                placed[line] = (float(at[0]), float(at[1]))
                break
    return placed
