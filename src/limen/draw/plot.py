"""Pictures with matplotlib: the plane of two inputs, and mistakes per epoch. The extra is ``plot``.

`plane` shows what a model decides where, the points it is judged by, and the line of each neuron of its first
layer; `mistakes` how a perceptron's training went. Both draw into the axes they are given, or into a new
figure, and return the axes. Matplotlib is imported when one of them is called.

Classes differ by colour and by the shape of their points. The colours are told apart by every kind of colour
vision and, tinted, differ in lightness, so that a print in grey still shows the regions.

References
----------
M. Okabe and K. Ito (2008), "Color Universal Design", section "Color barrier-free colour palette".
F. Rosenblatt (1958), "The perceptron", Psychological Review 65, for the line as what a neuron learns.
"""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from limen import _text
from limen.draw import _regions
from limen.draw._lettering import shortened
from limen.draw._source import require_fitted
from limen.errors import InputError, MissingExtraError
from limen.network import Network
from limen.step import COUPLED, Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["mistakes", "plane"]

Line: TypeAlias = tuple[int, Array, Array]  # a neuron's number, its weights, the ends of its line

INK = "#1A1A1A"
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#7F7F7F")
TINTS = (0.36, 0.16, 0.27, 0.44, 0.20, 0.30, 0.40, 0.24)  # how much of the colour is in its region
MARKERS = "osD^vPX*<>"
PIXELS = 500  # the plane is decided at the centres of so many by so many squares
NAMED_LINES = 12  # more lines than this go without arrow and name
NAMED_OUTPUTS = 10
NAMED_CLASSES = 16  # of more, the first have an entry in the legend, which is as high as the picture
ARROW = 26.0  # from a line to its neuron's name, in points of print


def plane(model: Any, X: Any, y: Any, *, ax: Axes | None = None, inputs: Sequence[str] | None = None) -> Axes:
    """Draw what a model of two inputs decides, and the points it is judged by.

    A neuron of the first layer fires on one side of the line ``w1 x1 + w2 x2 + b = 0``; an arrow points to
    that side. The line is solid where it is the border of a region by itself (one layer of heaviside or sign
    neurons), else dashed: hidden neurons only take part in a border, and under hardmax a border is where two net
    inputs are equal. A neuron with both weights 0 has no line. Points the model gets wrong are ringed.

    Parameters
    ----------
    model : Network, limen.Model, or fitted estimator with ``network_``
        Of two inputs, or of two numeric columns. Inputs between the values of its domain are decided too. The
        outputs of a network without labels mean 0 and 1 (heaviside; a smooth output counts as 1 where its net
        input is 0 or more), −1, 0 and 1 (sign), or the number or name of the largest (hardmax, softmax).
    X : array_like of shape (n, 2)
        Points.
    y : array_like of shape (n,), or (n, n_outputs) for several decisions
        Their labels, of any type. If the model has no labels and its values aren't among these, but are as
        many, they stand for them in sorted order, as in scikit-learn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    inputs : sequence of two str, optional
        What to write on the axes; by default the names of the model's inputs.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        Not two inputs, an unfitted estimator, points or labels that don't fit.
    MissingExtraError
        Matplotlib isn't installed.

    Examples
    --------
    >>> from limen import Layer, Network
    >>> a_and_b = Network(Layer([[1], [1]], [-2]), inputs=["a", "b"], domain="binary")
    >>> ax = plane(a_and_b, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('a', 'b')
    """
    points = _regions.points_of(X)
    labels = _regions.labels_of(y, len(points))
    decided = _regions.on_plane(model, labels)
    names = _axis_names(inputs, decided.network.inputs)
    low, high = _view(points)
    grid = _grid(low, high)
    everywhere, where = decided.classes(np.vstack([grid, points]))
    order = _ordered(decided, [*everywhere, *labels])
    position = {label: k for k, label in enumerate(order)}
    to_order = np.array([position[label] for label in everywhere])
    region = to_order[where[: len(grid)]].reshape(PIXELS, PIXELS)
    told = to_order[where[len(grid) :]]
    truth = np.array([position[label] for label in labels])
    lines = _lines(decided.network, low, high)

    # "compressed" leaves room for a legend beside axes of one scale, where "constrained" cuts it off.
    ax = _axes(ax, "compressed")
    from matplotlib.colors import ListedColormap

    ax.imshow(
        region,
        cmap=ListedColormap([_tint(k) for k in range(len(order))]),
        vmin=-0.5,
        vmax=len(order) - 0.5,
        origin="lower",
        extent=(low[0], high[0], low[1], high[1]),
        aspect="equal" if _alike(low, high) else "auto",
        interpolation="nearest",
        zorder=0,
    )
    _draw_lines(ax, decided.network, lines, points, low, high)
    _draw_points(ax, points, truth, told)
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    ax.set_xlabel(names[0], parse_math=False)
    ax.set_ylabel(names[1], parse_math=False)
    _plane_legend(ax, order, decided.network.outputs, set(region.ravel().tolist()), truth, told, bool(lines))
    return ax


def mistakes(clf: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the training mistakes of each epoch, and how training ended.

    Parameters
    ----------
    clf : fitted estimator
        With ``n_mistakes_``, shape (n_epochs,), or (n_epochs, n_outputs) for one line an output. Its
        ``stop_reason_`` becomes the title, and the outputs' names are those of its ``network_``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        An estimator that isn't fitted, or ``n_mistakes_`` isn't counts.
    MissingExtraError
        Matplotlib isn't installed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> fitted = SimpleNamespace(n_mistakes_=[3, 1, 0], stop_reason_="an epoch without a mistake")
    >>> mistakes(fitted).get_xlabel()
    'epoch'
    """
    counts = _counts(clf)
    ax = _axes(ax, "constrained")
    from matplotlib.ticker import MaxNLocator

    n_epochs, n_outputs = counts.shape
    epochs = np.arange(1, n_epochs + 1)
    names = _output_names(clf, n_outputs)
    few = n_outputs <= NAMED_OUTPUTS
    for k in range(n_outputs):
        ax.plot(
            epochs,
            counts[:, k],
            color=_colour(k),
            linestyle=("-", "--", "-.", ":")[k % 4],
            marker=MARKERS[k % len(MARKERS)] if few and n_epochs <= 60 else "",
            linewidth=1.6 if few else 0.8,
            markersize=5,
        )
    handles: list[Any] = list(ax.lines[-n_outputs:]) if 1 < n_outputs <= NAMED_OUTPUTS else []
    entries = [*names] if handles else []
    clean = epochs[(counts == 0).all(axis=1)]
    if clean.size:
        handles.append(
            ax.scatter(
                clean,
                np.zeros(clean.size),
                s=170,
                marker="*",
                facecolor="#009E73",
                edgecolor=INK,
                linewidth=0.8,
                zorder=4,
                clip_on=False,
            )
        )
        entries.append("epoch without a mistake")
    if handles:
        _plain_legend(ax, handles, entries, loc="upper right")
    ax.set_xlim(0.5, n_epochs + 0.5)
    ax.set_ylim(0, max(1.0, float(counts.max(initial=0))) * 1.08)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch")
    ax.set_ylabel("mistakes")
    reason = str(getattr(clf, "stop_reason_", "")).strip()
    if reason:
        stopped = textwrap.fill(f"{_text.plural(n_epochs, 'epoch')}; stopped: {reason}", 60)
        ax.set_title(stopped, fontsize="medium", parse_math=False)
    ax.grid(axis="y", color="#DDDDDD", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


# Matplotlib's door ----------------------------------------------------------------------------------------


def _axes(ax: Axes | None, layout: Literal["constrained", "compressed"]) -> Axes:
    try:
        from matplotlib import axes, pyplot
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error
    if ax is None:
        _, ax = pyplot.subplots(layout=layout)
    elif not isinstance(ax, axes.Axes):
        raise InputError(f"ax must be matplotlib axes or None. Received: {type(ax).__name__}.")
    return ax


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _tint(k: int) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    share = TINTS[k % len(TINTS)]
    r, g, b = (1 - share + share * part for part in to_rgb(_colour(k)))
    return r, g, b


def _plain_legend(ax: Axes, handles: list[Any], entries: list[str], **where: Any) -> None:
    """Add a legend whose entries are text as it is: no mathematics, no hidden entry."""
    # Matplotlib leaves out entries that begin with an underscore.
    shown = [shortened(entry, 1, 24) for entry in entries]
    shown = [f" {entry}" if entry.startswith("_") else entry for entry in shown]
    legend = ax.legend(handles, shown, **where)
    for text in legend.get_texts():
        text.set_parse_math(False)


# The plane ------------------------------------------------------------------------------------------------


def _axis_names(inputs: Sequence[str] | None, own: tuple[str, ...]) -> list[str]:
    names = own if inputs is None else tuple(inputs)
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise InputError(f"inputs must be two names, one for each axis. Received: {inputs!r}.")
    return [shortened(name, 1, 40) for name in names]


def _view(points: Array) -> tuple[Array, Array]:
    """Return the corners of the picture: the points and room around them, more for the corners of a square."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = high - low
    size = np.maximum(np.abs(low), np.abs(high))
    # All points on one line, as far as a picture can tell: show as much beside it as is clear at that size.
    span = np.where(span > np.maximum(size * 1e-12, 1e-290), span, np.maximum(1.0, size * 1e-6))
    room = (0.35 if len(np.unique(points, axis=0)) <= 8 else 0.12) * span
    return low - room, high + room


def _alike(low: Array, high: Array) -> bool:
    """Whether both axes cover so nearly the same range that one scale serves both."""
    span = high - low
    return bool(span.max() <= 2 * span.min())


def _grid(low: Array, high: Array) -> Array:
    """Return the centres of the pixels, row by row from the bottom, shape (PIXELS**2, 2)."""
    steps = (np.arange(PIXELS) + 0.5) / PIXELS
    x, y = (low[k] + steps * (high[k] - low[k]) for k in (0, 1))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _ordered(decided: _regions.Plane, occurring: list[Hashable]) -> list[Hashable]:
    """Return the classes in the order of their colours: the model's own first, then others by their text."""
    known: list[Hashable] = list(decided.meanings[0]) if decided.one else []
    others = set(occurring) - set(known)
    return known + sorted(others, key=str)


def _lines(network: Network, low: Array, high: Array) -> list[Line]:
    """Return number, weights and visible ends of the line of each neuron in the first layer."""
    layer = network.layers[0]
    weights = layer.dense().astype(np.float64)
    found = []
    for k in range(layer.n_neurons):
        ends = _regions.line_within(weights[:, k], float(layer.bias[k]), low, high)
        if ends is not None:
            found.append((k, weights[:, k], ends))
    return found


def _draw_lines(
    ax: Axes, network: Network, lines: list[Line], points: Array, low: Array, high: Array
) -> None:
    border = network.depth == 1 and network.layers[0].activation not in COUPLED
    for k, _, ends in lines:
        style: Any = "-" if border else (0, (5, 3))
        ax.plot(ends[:, 0], ends[:, 1], color=INK, linewidth=1.5, linestyle=style, zorder=2, gid=f"line {k}")
    if len(lines) > NAMED_LINES:
        return
    names = _text.hidden_names(network, 0)
    box = ax.get_window_extent()
    scale = np.array([box.width, box.height]) * 72 / ax.figure.dpi / (high - low)  # points of print per unit
    if _alike(low, high):
        scale = np.full(2, scale.min())
    drawn = [points] + [a + np.linspace(0, 1, 60)[:, None] * (b - a) for _, _, (a, b) in lines]
    for k, w, ends in lines:
        # Where the net input grows fastest on paper: at a right angle to the line there.
        across = w / np.abs(w).max() / scale
        across = across / np.hypot(*across)
        name = shortened(names[k], 1, 12)
        base, tip = _clear_place(ends, across * ARROW / scale, (points, np.vstack(drawn)), low, high)
        drawn.append(tip[None])
        ax.annotate(
            name,
            (float(base[0]), float(base[1])),
            xytext=(float(ARROW * across[0]), float(ARROW * across[1])),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize="small",
            color=INK,
            parse_math=False,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
            arrowprops={"arrowstyle": "<|-", "color": INK, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.2},
            zorder=5,
        )


def _clear_place(
    ends: Array, step: Array, taken: tuple[Array, Array], low: Array, high: Array
) -> tuple[Array, Array]:
    """Return start and end of the arrow from a line that is clearest.

    Its start is kept from the first of `taken` (the points), its end from the second (all that is drawn) and
    from the frame.
    """
    starts = ends[0] + np.linspace(0.06, 0.94, 45)[:, None] * (ends[1] - ends[0])
    size = high - low
    tips = (starts + step - low) / size
    near_start = _nearest((starts - low) / size, (taken[0] - low) / size)
    near_tip = _nearest(tips, (taken[1] - low) / size)
    frame = np.minimum(tips, 1 - tips).min(axis=1)
    best = np.minimum.reduce([near_start, near_tip, frame]).argmax()
    return starts[best], starts[best] + step


def _nearest(places: Array, others: Array) -> Array:
    """Return how far each place is from the nearest of the others."""
    nearest: Array = np.hypot(*np.moveaxis(places[:, None] - others[None], -1, 0)).min(axis=1)
    return nearest


def _draw_points(ax: Axes, points: Array, truth: Array, told: Array) -> None:
    size = 64 if len(points) <= 40 else 32 if len(points) <= 400 else 12
    for k in sorted(set(truth.tolist())):
        ax.scatter(
            points[truth == k, 0],
            points[truth == k, 1],
            s=size,
            marker=MARKERS[k % len(MARKERS)],
            facecolor=_colour(k),
            edgecolor="white",
            linewidth=0.8,
            zorder=3,
            gid=f"class {k}",
        )
    wrong = points[truth != told]
    if len(wrong):
        ax.scatter(
            wrong[:, 0],
            wrong[:, 1],
            s=3.2 * size,
            facecolor="none",
            edgecolor=INK,
            linewidth=1.3,
            zorder=4,
            gid="mistakes",
        )


def _said(label: Hashable, outputs: tuple[str, ...]) -> str:
    if isinstance(label, tuple):
        return ", ".join(f"{name} = {value}" for name, value in zip(outputs, label, strict=True))
    return str(label)


def _plane_legend(
    ax: Axes,
    order: list[Hashable],
    outputs: tuple[str, ...],
    regions: set[int],
    truth: Array,
    told: Array,
    lines: bool,
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    entries: list[str] = []
    for k, label in enumerate(order):
        parts: list[Any] = [Patch(facecolor=_tint(k), edgecolor="none")] if k in regions else []
        if (truth == k).any():
            mark = MARKERS[k % len(MARKERS)]
            parts.append(Line2D([], [], color=_colour(k), marker=mark, linestyle="", markeredgecolor="white"))
        if parts:
            handles.append(tuple(parts))
            entries.append(_said(label, outputs))
    if len(entries) > NAMED_CLASSES:
        more = len(entries) - NAMED_CLASSES + 1
        handles[-more:], entries[-more:] = [Line2D([], [], linestyle="")], [f"… {more} more"]
    if (truth != told).any():
        ring = Line2D([], [], marker="o", markersize=11, linestyle="", markerfacecolor="none", color=INK)
        handles.append(ring)
        entries.append("mistake")
    if lines:
        handles.append(Line2D([], [], color=INK, linewidth=1.5, linestyle=ax.lines[-1].get_linestyle()))
        entries.append("line of a neuron")
    beside = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0), "borderaxespad": 0.0, "frameon": False}
    _plain_legend(ax, handles, entries, **beside)


# Mistakes -------------------------------------------------------------------------------------------------


def _counts(clf: Any) -> Array:
    """Return the mistakes as counts of shape (n_epochs, n_outputs)."""
    require_fitted(clf, "n_mistakes_")
    if not hasattr(clf, "n_mistakes_"):
        raise InputError(
            f"Expected a fitted estimator with n_mistakes_. Received: {type(clf).__name__}. Call its fit first."
        )
    counts = np.asarray(clf.n_mistakes_)
    if counts.ndim not in (1, 2) or counts.dtype.kind not in "biuf" or not counts.size:
        raise InputError(
            "n_mistakes_ must be counts of shape (n_epochs,) or (n_epochs, n_outputs), at least one."
            f" Received: shape {counts.shape}, dtype {counts.dtype}."
        )
    if not (counts >= 0).all():
        raise InputError(f"n_mistakes_ must be counts of 0 or more. Received: {counts.min()}.")
    return counts.reshape(len(counts), -1)


def _output_names(clf: Any, n_outputs: int) -> tuple[str, ...]:
    own = getattr(getattr(clf, "network_", None), "outputs", ())
    return own if len(own) == n_outputs else tuple(f"y{k + 1}" for k in range(n_outputs))
