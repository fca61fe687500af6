"""The plane shows what the model decides and where its neurons' lines are; mistakes shows how training went."""

from __future__ import annotations

import builtins
import itertools
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from scipy import sparse

import nets
from limen import Layer, Model, Network, errors
from limen.draw import mistakes, plane, plot
from limen.draw._regions import line_within
from limen.encoding import Categories, Encoding, Thresholds

SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]
AND = nets.ZOO["and"]
XOR = nets.ZOO["xor"]
THREE = Network(Layer([[-2, 2, 0], [-1, -1, 2]], [0, 0, -1], "hardmax"), ["u", "v"], ["p", "q", "r"])


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    """Decide fewer pixels, to be quick, and close what is opened."""
    monkeypatch.setattr(plot, "PIXELS", 90)
    yield
    plt.close("all")


# Reading a picture back ---------------------------------------------------------------------------------------


def regions(ax):
    """Return the centres of the picture's pixels, shape (n, 2), and the class number of each."""
    (image,) = ax.images
    numbers = np.asarray(image.get_array())
    left, right, bottom, top = image.get_extent()
    rows, columns = numbers.shape
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    return np.array([(a, b) for b in y for a in x]), numbers.ravel()


def colour_of_points(ax):
    """Return the colour and the marker's shape of each point that is drawn as one of a class."""
    found = {}
    for points in ax.collections:
        if (points.get_gid() or "").startswith("class"):
            shape = points.get_paths()[0].vertices.tobytes()
            for x, y in points.get_offsets():
                found.setdefault((float(x), float(y)), (to_hex(points.get_facecolor()[0]), shape))
    return found


def drawn_lines(ax):
    """Return the ends of each neuron's line by the neuron's number."""
    return {
        int(line.get_gid().split()[1]): line.get_xydata()
        for line in ax.lines
        if (line.get_gid() or "").startswith("line")
    }


def legend(ax):
    """Return what the legend says."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


# The plane ----------------------------------------------------------------------------------------------------

TWO_INPUTS = nets.names(lambda net: net.n_inputs == 2 and "wide" not in repr(net) and net.depth < 6)


def decided(net, X):
    """Return what a network of two inputs decides, by the definition: the oracle of the regions."""
    net = Network(net.layers, net.inputs, net.outputs)
    last = net.layers[-1].activation
    if last in {"hardmax", "softmax"}:
        return [(int(k),) for k in net.scores(X).argmax(axis=-1)]
    if last in {"heaviside", "sign"}:
        return [tuple(row) for row in net(X).tolist()]
    return [tuple(row) for row in (net.scores(X) >= 0).astype(int).tolist()]


def agree(ax, net):
    """Tell whether any two pixels have one colour iff `net` decides them alike."""
    X, numbers = regions(ax)
    # At a tie the last bit of a pixel's coordinates decides; those are left out.
    near = np.abs(net.layers[0].net_input(X)).min(axis=1) < 1e-9
    pairs = set(zip(decided(net, X[~near]), numbers[~near].tolist(), strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_the_checker_sees_the_regions_of_another_network():
    """The picture of XOR isn't taken for one of AND, OR or a threshold a little higher."""
    ax = plane(XOR, SQUARE, [0, 1, 1, 0])
    assert agree(ax, XOR)
    higher = Network([Layer([[1.0, 1.0], [1.0, 1.0]], [-1.1, -2.0]), XOR.layers[1]])
    assert not any(agree(ax, other) for other in (AND, nets.ZOO["or"], higher))


@pytest.mark.parametrize("name", TWO_INPUTS)
def test_regions_are_what_the_network_decides(name):
    """At pixels all over the plane, two have one colour iff the network decides them alike."""
    net = nets.ZOO[name]
    labels = decided(net, np.array(SQUARE))
    ax = plane(net, SQUARE, [label[0] for label in labels] if len(labels[0]) == 1 else labels)
    assert agree(ax, net)
    assert not any(points.get_gid() == "mistakes" for points in ax.collections)


@pytest.mark.parametrize("name", TWO_INPUTS)
def test_lines_are_where_the_net_input_is_zero(name):
    """Along each drawn line w·x + b is 0 for its neuron; a neuron without weights has none."""
    net = nets.ZOO[name]
    labels = decided(net, np.array(SQUARE))
    ax = plane(net, SQUARE, [label[0] for label in labels] if len(labels[0]) == 1 else labels)
    W, b = net.layers[0].dense().astype(float), net.layers[0].bias.astype(float)
    for k, (start, end) in drawn_lines(ax).items():
        for t in (0, 0.3, 1):
            x = start + t * (end - start)
            assert abs(x @ W[:, k] + b[k]) <= 1e-9 * (np.abs(x) @ np.abs(W[:, k]) + abs(b[k]))
    corners = np.array(list(itertools.product(ax.get_xlim(), ax.get_ylim())))
    sums = corners @ W + b
    sums = sums / np.maximum(np.abs(sums).max(axis=0), 1)
    crossing = set(np.flatnonzero((sums.min(axis=0) < -1e-6) & (sums.max(axis=0) > 1e-6)).tolist())
    assert crossing == set(drawn_lines(ax))


def test_points_have_the_colour_of_their_class_and_a_shape_of_their_own():
    """Points of one class look alike, of another differ in colour and shape; they match their region."""
    ax = plane(XOR, SQUARE, ["no", "yes", "yes", "no"])
    looks = colour_of_points(ax)
    assert looks[(0, 0)] == looks[(1, 1)]
    assert looks[(0, 1)] == looks[(1, 0)]
    assert looks[(0, 0)][0] != looks[(0, 1)][0]
    assert looks[(0, 0)][1] != looks[(0, 1)][1]
    assert legend(ax) == ["no", "yes", "line of a neuron"]


def test_a_region_has_the_tint_of_its_points():
    """Around a point that is right, the region's colour is white mixed with the point's."""
    ax = plane(THREE, [[-1, 0], [1, 0], [0, 3]], [0, 1, 2])
    (image,) = ax.images
    X, numbers = regions(ax)
    for point, (colour, _) in colour_of_points(ax).items():
        number = numbers[np.hypot(*(X - point).T).argmin()]
        tint, full = np.array(image.cmap(image.norm(number))[:3]), np.array(to_rgb(colour))
        share = (1 - tint) / (1 - full)
        assert share.max() - share.min() < 0.01
        assert 0.1 < share.max() < 0.6


def test_mistakes_are_ringed():
    """Exactly the points whose label isn't what the model decides are ringed, and the legend says so."""
    ax = plane(AND, SQUARE, [0, 1, 0, 1])
    (rings,) = [points for points in ax.collections if points.get_gid() == "mistakes"]
    assert rings.get_offsets().tolist() == [[0, 1]]
    assert "mistake" in legend(ax)
    assert "mistake" not in legend(plane(AND, SQUARE, [0, 0, 0, 1]))


def test_arrows_point_to_the_firing_side():
    """The end of each neuron's arrow is where its net input is larger than at its start."""
    ax = plane(nets.ZOO["all of two inputs"], SQUARE, nets.ZOO["all of two inputs"](SQUARE))
    ax.figure.draw_without_rendering()
    net = nets.ZOO["all of two inputs"]
    arrows = {text.get_text(): text for text in ax.texts}
    assert len(arrows) == len(drawn_lines(ax))
    for k in drawn_lines(ax):
        arrow = arrows[net.outputs[k]]
        tip = ax.transData.transform(arrow.xy) + np.array(arrow.xyann) * ax.figure.dpi / 72
        end = ax.transData.inverted().transform(tip)
        z = net.layers[0].net_input(np.array([arrow.xy, end]))[:, k]
        assert z[1] > z[0] + 0.01


def test_a_single_layer_has_solid_lines_and_a_hidden_layer_dashed_ones():
    """A line is solid only where it is the border itself."""
    assert plane(AND, SQUARE, [0, 0, 0, 1]).lines[0].get_linestyle() == "-"
    assert plane(XOR, SQUARE, [0, 1, 1, 0]).lines[0].get_linestyle() == "--"
    assert plane(THREE, SQUARE, [0, 1, 2, 1]).lines[0].get_linestyle() == "--"


def test_many_lines_go_without_names():
    """Thirteen lines are drawn, but not named."""
    ax = plane(
        Network(Layer(np.ones((2, 13)), -np.linspace(0.2, 1.8, 13))), [[0, 0], [1, 1]], [[0] * 13, [1] * 13]
    )
    assert len(drawn_lines(ax)) == 13
    assert list(ax.texts) == []


@pytest.mark.parametrize(
    ("y", "shown"),
    [
        ([0, 0, 0, 1], ["0", "1"]),
        ([False, False, False, True], ["False", "True"]),
        (["no", "no", "no", "yes"], ["no", "yes"]),
        ([-1, -1, -1, 1], ["-1", "1"]),
        (np.array([[0], [0], [0], [1]]), ["0", "1"]),
        (["$x_", "$x_", "$x_", "_y$"], ["$x_", " _y$"]),
        ([1, 1, 1, "one"], ["1", "one"]),
    ],
)
def test_labels_of_any_type_stand_for_the_outputs(y, shown):
    """Labels that aren't the network's own values stand for them in sorted order."""
    ax = plane(AND, SQUARE, y)
    assert legend(ax)[:2] == shown
    assert "mistake" not in legend(ax)
    ax.figure.draw_without_rendering()


def test_a_hardmax_network_decides_between_numbers_names_or_labels():
    """The largest output is known by its number, by its name, or by the label at its place in sorted order."""
    X = [[-1, 0], [1, 0], [0, 3]]
    for y in ([0, 1, 2], ["p", "q", "r"], ["ant", "bee", "cat"]):
        ax = plane(THREE, X, y)
        assert legend(ax)[:3] == [str(label) for label in y]
        assert "mistake" not in legend(ax)


def test_a_legend_of_many_classes_leaves_the_picture_its_room():
    """Of 50 classes 15 are named and the others counted; the axes keep most of the figure's height."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    angles = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    net = Network(Layer([np.cos(angles), np.sin(angles)], np.zeros(50), "hardmax"))
    ax = plane(net, X, list(range(50)) + [0] * 10)
    ax.figure.draw_without_rendering()
    assert legend(ax)[:16] == [*map(str, range(15)), "… 35 more"]
    assert ax.get_window_extent().height > ax.figure.bbox.height / 2


def test_several_outputs_are_decided_each_for_itself():
    """The classes of a half adder are pairs, named by its outputs."""
    net = nets.ZOO["half adder"]
    ax = plane(net, SQUARE, net(SQUARE))
    assert legend(ax)[:3] == ["sum = 0, carry = 0", "sum = 0, carry = 1", "sum = 1, carry = 0"]
    assert legend(plane(net, SQUARE, sparse.csr_array(net(SQUARE))))[:3] == legend(ax)[:3]


def test_an_estimator_decides_between_its_classes():
    """What holds network_ and classes_ is drawn in its own labels, binary, multiclass and with several outputs."""
    binary = SimpleNamespace(network_=AND, classes_=np.array(["neither", "both"]))
    ax = plane(binary, SQUARE, ["neither", "neither", "both", "both"])
    assert legend(ax) == ["neither", "both", "mistake", "line of a neuron"]
    many = SimpleNamespace(network_=THREE, classes_=np.array([10, 20, 30]))
    assert legend(plane(many, [[-1, 0], [1, 0]], [10, 20]))[:3] == ["10", "20", "30"]
    several = SimpleNamespace(network_=nets.ZOO["half adder"], classes_=np.array([0, 1]))
    assert "sum = 1, carry = 0" in legend(plane(several, SQUARE, [[0, 0], [1, 0], [1, 0], [0, 1]]))


def test_a_fitted_perceptron_is_drawn_as_it_predicts():
    """Regions agree with predict all over the plane."""
    from limen.learn import Perceptron

    rng = np.random.default_rng(3)
    X = np.vstack([rng.normal(size=(30, 2)) + centre for centre in ([0, 0], [5, 0], [0, 5])])
    y = np.repeat(["a", "b", "c"], 30)
    clf = Perceptron(random_state=0).fit(X, y)
    points, numbers = regions(plane(clf, X, y))
    some = rng.choice(len(points), 2000, replace=False)
    assert np.array_equal(clf.classes_[numbers[some]], clf.predict(points[some]))


def test_a_model_with_cut_points_is_drawn_over_its_columns():
    """A model of two numeric columns is drawn over those, its lines at the cut points, regions as it predicts."""
    encoding = Encoding([Thresholds("age", (35, 60)), Thresholds("income", (1000,))])
    net = Network(Layer([[1], [1], [1]], [-2]), encoding.inputs, domain="binary")
    model = Model(net, encoding, ["no", "yes"])
    ax = plane(model, [[20, 500], [70, 2000]], ["no", "yes"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "income")
    X, numbers = regions(ax)
    some = np.random.default_rng(0).choice(len(X), 2000, replace=False)
    predicted = model.predict({"age": X[some, 0], "income": X[some, 1]})
    assert np.array_equal(np.array(["no", "yes"])[numbers[some]], predicted)
    ends = drawn_lines(ax)
    assert ends[0][:, 0].tolist() == pytest.approx([35, 35])
    assert ends[2][:, 1].tolist() == pytest.approx([1000, 1000])


def test_the_picture_goes_into_the_axes_given():
    """Given axes are drawn into and returned; without, a new figure is made."""
    _, ax = plt.subplots()
    assert plane(AND, SQUARE, [0, 0, 0, 1], ax=ax, inputs=["first $", "second $"]) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first $", "second $")
    assert plane(AND, SQUARE, [0, 0, 0, 1]).figure is not ax.figure
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize(
    "X",
    [
        [[3, 4]], [[0, 0], [0, 0]], [[1e9, 0], [1e9, 1]], [[1e-12, -1e12], [2e-12, 1e12]], [[1e300, 1], [-1e300, 2]],
        [[5e-324, 0], [1e-320, 1e-310]], [[1e15, 1e15], [1e15 + 1, 1e15]], [[-1e17, 0], [-1e17 + 16, 0]],
    ],
)  # fmt: skip
def test_points_of_any_scale_are_inside_the_picture(X):
    """Points alone, on one line, close together or far apart all lie inside the axes, which have an extent."""
    net = Network(Layer([[1], [-1]], [0]))
    ax = plane(net, X, net(X))
    ax.figure.draw_without_rendering()
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left < x < right and bottom < y < top for x, y in X)


@pytest.mark.parametrize(
    ("X", "y", "why"),
    [
        ([[0, 0, 0]], [0], "shape"),
        ([0, 1], [0, 1], "shape"),
        (np.zeros((0, 2)), [], "at least one"),
        ([[0, np.nan]], [0], "finite"),
        ([[0, np.inf]], [0], "finite"),
        ([[-1.7e308, 0], [1.7e308, 0]], [0, 1], r"at most 1e\+300. Received: -1.7e\+308"),
        ([["a", "b"]], [0], "floats"),
        (SQUARE, [0, 1], "each of the 4 points"),
        (SQUARE, [0, None, 1, 1], "missing"),
        (SQUARE, [0, float("nan"), 1, 1], "missing"),
        (SQUARE, ["a", "b", "c", "d"], "as many labels"),
        (SQUARE, [[0, 1]] * 4, "number of columns"),
    ],
)
def test_points_and_labels_that_do_not_fit_are_refused(X, y, why):
    """Each is a named error, and no figure is opened."""
    with pytest.raises(errors.InputError, match=why):
        plane(AND, X, y)
    assert plt.get_fignums() == []


def test_models_that_do_not_fit_are_refused():
    """Another number of inputs, an unfitted estimator, no model, labels of another model, text columns."""

    class Clf:
        def fit(self, X, y): ...

    text = Encoding([Categories("job", ("farmer",)), Categories("town", ("Ulm",))])
    worded = Model(Network(Layer([[1], [1]], [-2]), text.inputs, domain="binary"), text)
    known = SimpleNamespace(network_=AND, classes_=np.array(["no", "yes"]))
    for model, y, why in [
        (nets.ZOO["not"], [0, 1, 0, 1], "2 inputs"),
        (Clf(), [0, 1, 0, 1], "Call its fit first"),
        ("net", [0, 1, 0, 1], "Received: str"),
        (known, [0, 1, 0, 1], "labels of the model"),
        (worded, [0, 1, 0, 1], "categories"),
    ]:
        with pytest.raises(errors.InputError, match=why):
            plane(model, SQUARE, y)
    assert plt.get_fignums() == []


def test_axes_and_names_that_do_not_fit_are_refused():
    """Axes must be axes, and there are two of them to name."""
    for wrong in ({"ax": plt}, {"inputs": ["one"]}, {"inputs": [1, 2]}, {"inputs": "three"}):
        with pytest.raises(errors.InputError, match=next(iter(wrong))):
            plane(AND, SQUARE, [0, 0, 0, 1], **wrong)


def test_lines_within_a_rectangle():
    """The part of a line in a rectangle, or None: exhaustively for small whole weights, against every corner."""
    low, high = np.array([-1.0, 0.0]), np.array([2.0, 1.0])
    corners = np.array(list(itertools.product((-1.0, 2.0), (0.0, 1.0))))
    seen = Counter()
    for w1, w2, b in itertools.product(range(-3, 4), repeat=3):
        w = np.array([float(w1), float(w2)])
        ends = line_within(w, b, low, high)
        z = corners @ w + b
        through = z.min() < 0 < z.max()
        seen[through] += 1
        if through:
            assert ends is not None
            assert np.abs(ends @ w + b).max() < 1e-12
            assert (ends >= low).all()
            assert (ends <= high).all()
            on_frame = (np.isclose(ends, low) | np.isclose(ends, high)).any(axis=1)
            assert on_frame.all()
        elif not w.any() or z.min() > 0 or z.max() < 0:
            assert ends is None
    assert min(seen.values()) > 50


# Mistakes per epoch -------------------------------------------------------------------------------------------


def fitted(counts, reason="converged", **more):
    """Return what stands for a fitted estimator."""
    return SimpleNamespace(n_mistakes_=np.asarray(counts), stop_reason_=reason, **more)


def test_mistakes_are_drawn_epoch_by_epoch():
    """One point an epoch, from epoch 1; the axis starts at 0; the reason for stopping stands above."""
    ax = mistakes(fitted([5, 2, 3, 0]))
    (line,) = ax.lines
    assert line.get_xydata().tolist() == [[1, 5], [2, 2], [3, 3], [4, 0]]
    assert ax.get_ylim()[0] == 0
    assert "converged" in ax.get_title()
    assert "4 epochs" in ax.get_title()
    (star,) = ax.collections
    assert star.get_offsets().tolist() == [[4, 0]]
    assert legend(ax) == ["epoch without a mistake"]


def test_without_a_clean_epoch_there_is_no_star():
    """The star is only where an epoch had no mistake."""
    ax = mistakes(fitted([5, 2, 3], "max_iter"))
    assert list(ax.collections) == []
    assert ax.get_legend() is None


@pytest.mark.parametrize("counts", [[0], [3], [1, 0], [2, 1, 1], list(range(100, 0, -1)), [10**6, 10, 0]])
def test_ticks_are_whole_numbers(counts):
    """Neither half epochs nor half mistakes are marked."""
    ax = mistakes(fitted(counts))
    ax.figure.draw_without_rendering()
    assert all(float(tick).is_integer() for tick in [*ax.get_xticks(), *ax.get_yticks()])


def test_several_outputs_have_a_line_each():
    """A line for each output, by name, told apart by dashes and markers too; the star is where all are clean."""
    net = nets.ZOO["half adder"]
    ax = mistakes(fitted([[4, 2], [0, 1], [0, 0]], network_=net))
    assert [line.get_ydata().tolist() for line in ax.lines] == [[4, 0, 0], [2, 1, 0]]
    assert legend(ax) == ["sum", "carry", "epoch without a mistake"]
    assert len({(line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 2
    assert ax.collections[0].get_offsets().tolist() == [[3, 0]]


def test_many_outputs_have_no_legend():
    """Eleven lines are drawn without names."""
    ax = mistakes(fitted(np.arange(22).reshape(2, 11) + 1))
    assert len(ax.lines) == 11
    assert ax.get_legend() is None


def test_a_fitted_perceptron_has_its_mistakes_drawn():
    """What a perceptron records is what is drawn."""
    from limen.learn import Perceptron

    clf = Perceptron(random_state=0).fit(SQUARE, [1, 1, 1, 0])
    _, ax = plt.subplots()
    assert mistakes(clf, ax=ax) is ax
    assert ax.lines[0].get_ydata().tolist() == clf.n_mistakes_.tolist()
    assert clf.stop_reason_ in ax.get_title()


def test_what_has_no_mistakes_is_refused():
    """Not fitted, not counts: named errors, and no figure."""
    from limen.learn import Perceptron

    for clf, why in [
        (Perceptron(), "Call its fit first"),
        (AND, "n_mistakes_"),
        (fitted([]), "at least one"),
        (fitted(["a"]), "counts"),
        (fitted(np.zeros((1, 1, 1))), "counts"),
        (fitted([3, -1]), "0 or more"),
        (fitted([np.nan]), "0 or more"),
    ]:
        with pytest.raises(errors.InputError, match=why):
            mistakes(clf)
    assert plt.get_fignums() == []


# Without matplotlib -------------------------------------------------------------------------------------------


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    """Where matplotlib can't be imported, both say how to install it, and the rest of the room works."""
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for draw in (lambda: plane(AND, SQUARE, [0, 0, 0, 1]), lambda: mistakes(fitted([1, 0]))):
        with pytest.raises(errors.MissingExtraError, match=r"limen\[plot\]"):
            draw()


def test_matplotlib_is_loaded_on_first_use():
    """Importing the room and its functions doesn't load matplotlib; calling one does."""
    code = (
        "import sys; from limen.draw import mistakes; before = 'matplotlib' in sys.modules;"
        "import types; mistakes(types.SimpleNamespace(n_mistakes_=[1])); print(before, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
