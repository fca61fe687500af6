"""A diagram shows the network it was made from, and nothing in it overlaps or is cut off."""

from __future__ import annotations

import io
import itertools
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFont

import nets
from limen import Layer, Model, Network, _files, errors
from limen.draw import Diagram, diagram
from limen.draw._lettering import brief, shortened, width, wrapped

SVG = "{http://www.w3.org/2000/svg}"
MOST = 12  # rows of a column by default
TAGS = {"svg", "title", "desc", "g", "rect", "line", "circle", "polygon", "text"}


# Reading a drawing back ---------------------------------------------------------------------------------------


@cache
def font(size: float) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which matplotlib ships: real widths, to hold estimated ones against."""
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), size)


@dataclass
class Drawn:
    """What an SVG text shows, read with an XML parser: kinds, places and words."""

    root: ET.Element
    nodes: list[tuple[str, str, float, float, float, list[str]]] = field(default_factory=list)
    edges: list[tuple[set[str], str, ET.Element]] = field(default_factory=list)
    weights: list[tuple[tuple[float, float, float, float], str]] = field(default_factory=list)
    texts: list[tuple[float, float, float, float, str]] = field(default_factory=list)

    def columns(self) -> list[list[str]]:
        """Return the kinds of the nodes, grouped by where they stand from left to right."""
        columns: dict[float, list[str]] = {}
        for kind, _, x, *_ in self.nodes:
            columns.setdefault(x, []).append(kind)
        return [columns[x] for x in sorted(columns)]


def numbers(element: ET.Element, names: str) -> list[float]:
    """Return attributes as numbers."""
    return [float(element.attrib[name]) for name in names.split()]


def text_box(element: ET.Element) -> tuple[float, float, float, float, str]:
    """Return left, top, right, bottom of a line of text in DejaVu Sans, and the text."""
    x, baseline, size = numbers(element, "x y font-size")
    content = element.text or ""
    long = font(100).getlength(content) * size / 100
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[element.attrib["text-anchor"]] * long
    return left, baseline - 0.75 * size, left + long, baseline + 0.2 * size, content


def read(svg: str) -> Drawn:
    """Return what an SVG text shows."""
    drawn = Drawn(ET.fromstring(svg))
    for group in drawn.root.iter(SVG + "g"):
        kinds = group.attrib["class"].split()
        title = group.findtext(SVG + "title", "")
        if "limen-node" in kinds:
            circles = [numbers(c, "cx cy r") for c in group.iter(SVG + "circle")]
            x, y, r = circles[0] if len(circles) == 1 else (circles[0][0], circles[1][1], 9.0)
            words = [t.text or "" for t in group.iter(SVG + "text")]
            drawn.nodes.append((kinds[1].removeprefix("limen-"), title, x, y, r, words))
        elif "limen-connection" in kinds:
            drawn.edges.append((set(kinds), title, group))
        elif "limen-weight" in kinds:
            rect = group.find(SVG + "rect")
            assert rect is not None
            drawn.weights.append((tuple(numbers(rect, "x y width height")), group.findtext(SVG + "text", "")))
    drawn.texts = [text_box(text) for text in drawn.root.iter(SVG + "text")]
    return drawn


def overlaps(drawn: Drawn) -> list[str]:
    """Return what overlaps in a drawing although it shouldn't: circles, texts, weights and foreign lines."""
    found = []
    for (_, a, x1, y1, r1, _), (_, b, x2, y2, r2, _) in itertools.combinations(drawn.nodes, 2):
        if math.hypot(x1 - x2, y1 - y2) < r1 + r2:
            found.append(f"circles {a!r} and {b!r}")
    for a, b in itertools.combinations(drawn.texts, 2):
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
            found.append(f"texts {a[4]!r} and {b[4]!r}")
    lines = np.array([numbers(e.findall(SVG + "line")[0], "x1 y1 x2 y2") for _, _, e in drawn.edges])
    steps = np.linspace(0, 1, 201)[:, None]
    walks = [line[:2] + steps * (line[2:] - line[:2]) for line in lines]  # points along each line
    for (_, edge, _), walk in zip(drawn.edges, walks, strict=True):
        for kind, name, x, y, r, _ in drawn.nodes:
            if kind != "more" and np.hypot(*(walk - [x, y]).T).min() < r:
                found.append(f"line {edge!r} and circle {name!r}")
    for (left, top, wide, high), word in drawn.weights:
        corner, far = [left, top], [left + wide, top + high]
        crossed = sum(bool(((walk > corner) & (walk < far)).all(axis=1).any()) for walk in walks)
        if crossed != 1:
            found.append(f"weight {word!r} on {crossed} lines")
        for _, name, x, y, r, _ in drawn.nodes:
            across, down = max(left - x, 0, x - left - wide), max(top - y, 0, y - top - high)
            if math.hypot(across, down) < r:
                found.append(f"weight {word!r} and circle {name!r}")
    return found


def cut_off(drawn: Drawn) -> list[str]:
    """Return the texts and circles that reach out of the page."""
    x, y, wide, high = map(float, drawn.root.attrib["viewBox"].split())
    boxes = drawn.texts + [(cx - r, cy - r, cx + r, cy + r, name) for _, name, cx, cy, r, _ in drawn.nodes]
    return [b[4] for b in boxes if b[0] < x or b[1] < y or b[2] > x + wide or b[3] > y + high]


def expected_edges(net: Network) -> tuple[int, int, int, int]:
    """Count positive and negative weights, then positive and negative biases that are drawn."""
    counts = [0, 0, 0, 0]
    for index, layer in enumerate(net.layers):
        W = layer.dense()
        passes = net.pass_through(index) if index < net.depth - 1 else np.zeros(layer.n_neurons, dtype=bool)
        b = np.where(passes, 0, layer.bias)
        counts = [c + int(n) for c, n in zip(counts, [(W > 0).sum(), (W < 0).sum(), (b > 0).sum(), (b < 0).sum()], strict=True)]  # fmt: skip
    return tuple(counts)


@cache
def picture_of(name: str) -> Diagram:
    """Return the drawing of a network of the zoo, drawn once for all tests."""
    return diagram(nets.ZOO[name])


SMALL = nets.names(lambda net: max(net.n_inputs, *(layer.n_neurons for layer in net.layers)) <= MOST)
LARGE = [name for name in nets.ZOO if name not in SMALL]
XOR = nets.ZOO["xor"]


# What is drawn ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_every_neuron_and_connection_is_drawn(name):
    """Every input, neuron, weight and bias that isn't 0 is drawn, once, in its column."""
    net = nets.ZOO[name]
    drawn = read(picture_of(name).svg)
    columns = drawn.columns()
    sizes = [net.n_inputs, *(layer.n_neurons for layer in net.layers)]
    with_bias = [sum(kind != "bias" for kind in column) for column in columns]
    assert [n for n in with_bias if n] == [n for n in sizes if n]
    assert sum(kind == "pass" for column in columns for kind in column) == net.n_neurons - net.n_gates
    counted = [
        sum({sign} <= kinds and ("limen-from-bias" in kinds) == bias for kinds, _, _ in drawn.edges)
        for bias in (False, True)
        for sign in ("limen-excitatory", "limen-inhibitory")
    ]
    assert tuple(counted) == expected_edges(net)


@pytest.mark.parametrize("name", list(nets.ZOO))
def test_nothing_overlaps_and_nothing_is_cut_off(name):
    """Circles, words and weights keep clear of each other and of foreign lines, and stay on the page."""
    drawn = read(picture_of(name).svg)
    assert overlaps(drawn) == []
    assert cut_off(drawn) == []
    assert {element.tag.removeprefix(SVG) for element in drawn.root.iter()} <= TAGS


@settings(max_examples=25, deadline=None)
@given(nets.networks(activations=("heaviside", "sign", "hardmax", "identity", "sigmoid", "softmax")))
def test_any_small_network_is_drawn_whole_and_clear(net):
    """What holds for the zoo holds for random networks."""
    drawn = read(diagram(net).svg)
    assert overlaps(drawn) == []
    assert cut_off(drawn) == []
    assert len(drawn.edges) == sum(expected_edges(net))


def test_the_checkers_see_what_overlaps_and_what_is_cut_off():
    """A circle moved onto another, a word moved off the page and a weight moved onto two lines are found."""
    svg = diagram(XOR).svg
    first, second = re.findall(r'<circle cx="[-\d.]+" cy="([-\d.]+)" r="19"', svg)
    assert "circles" in overlaps(read(svg.replace(f'cy="{first}" r="19"', f'cy="{second}" r="19"')))[0]
    assert cut_off(read(re.sub(r'x="[-\d.]+"([^>]*>a\^b)', r'x="99999"\1', svg))) == ["a^b"]
    rects = re.sub(
        r'(limen-weight"><rect x="[-\d.]+" y="[-\d.]+" width="[-\d.]+" height=)"13"', r'\1"90"', svg
    )
    assert any("lines" in problem for problem in overlaps(read(rects)))


def test_excitatory_and_inhibitory_differ_by_more_than_colour():
    """A positive weight is a solid line with an arrow head, a negative one a dashed line with a flat bar."""
    drawn = read(diagram(nets.ZOO["a and not b"]).svg)
    shapes = {}
    for kinds, _, group in drawn.edges:
        sign = "excitatory" if "limen-excitatory" in kinds else "inhibitory"
        line = group.find(SVG + "line")
        heads = [child.tag.removeprefix(SVG) for child in group][2:]
        shapes.setdefault(sign, set()).add(("stroke-dasharray" in line.attrib, *heads))
    assert shapes == {"excitatory": {(False, "polygon")}, "inhibitory": {(True, "line")}}


def test_heads_point_at_the_neuron():
    """The tip of an arrow head is the point of its line that is nearest to the neuron it leads to."""
    drawn = read(diagram(nets.ZOO["and"], bias=False).svg)
    x, y = next(n[2:4] for n in drawn.nodes if n[0] == "neuron")
    for _, _, group in drawn.edges:
        points = group.find(SVG + "polygon").attrib["points"].split()
        corners = [tuple(map(float, point.split(","))) for point in points]
        assert min(corners, key=lambda c: math.dist(c, (x, y))) == corners[0]


def test_a_heavier_weight_is_a_thicker_line():
    """Line width grows with |weight| within a layer, whatever the sign."""
    net = Network(Layer([[1], [-3], [2]], [0]), domain="binary")
    thick = [float(g.find(SVG + "line").attrib["stroke-width"]) for _, _, g in read(diagram(net).svg).edges]
    assert thick == sorted(thick)
    assert len(set(thick)) == 3


@pytest.mark.parametrize(
    ("bias", "activation", "words"),
    [
        (-2, "heaviside", ["≥ 2"]),
        (0, "heaviside", ["≥ 0"]),
        (5, "heaviside", ["≥ −5"]),
        (0.25, "heaviside", ["≥ −0.25"]),
        (0, "sign", ["sgn"]),
        (-3, "sign", ["sgn", "θ 3"]),
        (1, "identity", ["Σ", "θ −1"]),
        (0, "hardmax", ["max"]),
        (0, "sigmoid", ["σ"]),
        (0, "softmax", ["soft"]),
    ],
)
def test_a_neuron_shows_its_threshold_or_symbol(bias, activation, words):
    """A neuron shows θ = −b; one that isn't heaviside shows what it computes."""
    drawn = read(diagram(Network(Layer([[1]], [bias], activation))).svg)
    assert [node[5] for node in drawn.nodes if node[0] == "neuron"] == [words]


def test_weights_are_written_on_small_networks():
    """Every weight of the half adder stands on its line; the tooltip says whose it is."""
    drawn = read(diagram(nets.ZOO["half adder"]).svg)
    assert sorted(word for _, word in drawn.weights) == sorted(["1"] * 6 + ["−1"] * 4 + ["−2"])
    assert "a → h1.1: weight 1" in [title for _, title, _ in drawn.edges]
    assert "bias → carry: weight −1" in [title for _, title, _ in drawn.edges]


def test_a_pass_through_neuron_is_small_and_plain():
    """A hidden neuron that repeats an input is a small circle without words, without bias connection."""
    drawn = read(diagram(nets.ZOO["full adder"]).svg)
    (passes,) = [node for node in drawn.nodes if node[0] == "pass"]
    radii = [node[4] for node in drawn.nodes if node[0] == "neuron"]
    assert passes[5] == []
    assert passes[4] < min(radii) / 2
    assert not any(title.startswith("bias → h1.4") for _, title, _ in drawn.edges)


def test_the_tooltip_of_a_neuron_says_what_it_computes():
    """Hovering over a neuron gives its rule in words."""
    titles = [node[1] for node in read(diagram(nets.ZOO["a and not b"]).svg).nodes]
    assert "y1 fires when a − b ≥ 1" in titles
    assert "input a" in titles


# Large layers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("most", [2, 5, MOST])
def test_what_is_left_out_is_counted(name, most):
    """In every column, the neurons drawn and the number written below them add up to all."""
    net = nets.ZOO[name]
    drawn = read(diagram(net, max_neurons=most, bias=False).svg)
    totals: dict[float, int] = {}
    for kind, _, x, _, _, words in drawn.nodes:
        totals[x] = totals.get(x, 0) + (int(words[0].split()[0]) if kind == "more" else 1)
    assert [totals[x] for x in sorted(totals)] == [net.n_inputs, *(n.n_neurons for n in net.layers)]
    assert all(len(column) <= most for column in drawn.columns())


def test_the_heaviest_inputs_are_shown():
    """Of a large layer those with the largest sum of |weight| are shown, the first of equals, in their order."""
    W = np.ones((30, 2), dtype=int)
    W[[3, 17, 25]] = [[5, -5], [-9, 0], [0, 8]]
    drawn = read(diagram(Network(Layer(W, [0, 0])), max_neurons=6).svg)
    assert [node[1] for node in drawn.nodes if node[0] == "input"] == [
        f"input x{k + 1}" for k in (0, 1, 3, 17, 25)
    ]
    assert "25 more" in [node[5][0] for node in drawn.nodes if node[0] == "more"]


def test_the_first_outputs_are_shown():
    """Of many outputs the first are shown."""
    net = Network(Layer(np.arange(40).reshape(1, 40), np.zeros(40, dtype=int)))
    names = re.findall(r">(y\d+)</text>", diagram(net, max_neurons=5).svg)
    assert names == ["y1", "y2", "y3", "y4"]


def test_the_rule_of_what_is_shown_is_stated():
    """The legend of an abbreviated drawing says which neurons are shown; of a whole one it doesn't."""
    assert "largest sum of |weight|" in words_of(diagram(nets.ZOO["63 inputs"]))
    assert "largest sum of |weight|" not in words_of(diagram(XOR))


def words_of(picture: Diagram) -> str:
    """Return all that is written in a drawing."""
    return " ".join(text.text or "" for text in ET.fromstring(picture.svg).iter(SVG + "text"))


@pytest.mark.parametrize("widths", [[784, 10], [784, 256, 10], [1, 1], [0, 1], [40, 40, 40]])
def test_any_size_is_drawn(widths):
    """Large and smallest networks are drawn clear of overlaps."""
    rng = np.random.default_rng(0)
    layers = [Layer(rng.normal(size=s), rng.normal(size=s[1])) for s in itertools.pairwise(widths)]
    drawn = read(diagram(Network(layers)).svg)
    assert overlaps(drawn) == []
    assert cut_off(drawn) == []


@pytest.mark.parametrize("scale", [1e-300, 1e300, 2.0**62])
def test_huge_and_tiny_weights_are_drawn(scale):
    """Weights at the ends of what float64 holds give finite coordinates."""
    net = Network(Layer(np.full((20, 2), scale) * [[1, -1]], [scale, -scale]))
    svg = diagram(net).svg
    assert not re.search(r'"[^"]*\b(nan|inf)\b', svg)


# Equal networks, options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(nets.ZOO))
def test_sparse_and_dense_weights_give_one_drawing(name):
    """A network drawn twice, or with sparse weights, gives the same text."""
    net = nets.ZOO[name]
    if isinstance(net.layers[0].weights, np.ndarray):
        other = nets.with_sparse_weights(net)
    else:
        layers = [Layer(layer.dense(), layer.bias, layer.activation) for layer in net.layers]
        other = Network(layers, net.inputs, net.outputs, net.domain)
    assert diagram(other) == picture_of(name)


def test_options_leave_out_what_they_say():
    """weights, bias and legend switch their part off; title is written and names the document."""
    plain = read(diagram(XOR, weights=False, bias=False, legend=False).svg)
    assert plain.weights == []
    assert not any(node[0] == "bias" for node in plain.nodes)
    assert "limen-legend" not in ET.tostring(plain.root, encoding="unicode")
    titled = read(diagram(XOR, title="Either & not both").svg)
    assert titled.root.findtext(SVG + "title") == "Either & not both"
    assert "Either & not both" in [text[4] for text in titled.texts]
    long = read(diagram(XOR, title="either the one or the other but never both of them " * 5).svg)
    assert overlaps(long) == []
    assert cut_off(long) == []


def test_a_screen_reader_is_told_what_the_network_computes():
    """The drawing is an image with a title and a description in words."""
    root = ET.fromstring(diagram(nets.ZOO["a and not b"]).svg)
    assert root.attrib["role"] == "img"
    assert root.findtext(SVG + "title") == "Network: 2 inputs → 1 heaviside"
    assert "y1 fires when a − b ≥ 1" in root.findtext(SVG + "desc", "")


def test_width_and_height_are_those_of_the_text():
    """Width and height are the SVG's, in whole pixels."""
    picture = diagram(XOR)
    root = ET.fromstring(picture.svg)
    assert (root.attrib["width"], root.attrib["height"]) == (str(picture.width), str(picture.height))
    assert picture._repr_svg_() == picture.svg
    assert repr(picture) == f"Diagram({picture.width} × {picture.height})"


@pytest.mark.parametrize("name", ["xor", "no inputs", "300 inputs, sparse"])
def test_other_programs_show_it_whole(name):
    """Drawn by CairoSVG the picture has ink, and none within four pixels of its edge."""
    import cairosvg

    png = cairosvg.svg2png(bytestring=picture_of(name).svg.encode())
    grey = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    assert (grey < 128).mean() > 0.002
    inner = np.zeros(grey.shape, dtype=bool)
    inner[4:-4, 4:-4] = True
    assert (grey[~inner] == 255).all()


# Names --------------------------------------------------------------------------------------------------------

WILD = ['a<b & "c"', "</text><script>alert(1)</script>", "]]>", "x" * 300, "年齢 ≥ 35", "العمر", "a\x00b\x1f", "\n", "é̂" * 40, "$x_1$", "😀" * 30, "\ud800"]  # fmt: skip


def test_wild_names_stay_names():
    """Markup, quotes, control characters and other scripts in names neither break nor enter the document."""
    net = Network(Layer(np.ones((len(WILD), 1), dtype=int), [0]), WILD, ["<out & 'in'>"])
    drawn = read(diagram(net).svg)
    assert {element.tag.removeprefix(SVG) for element in drawn.root.iter()} <= TAGS
    assert all(not key.startswith("on") and "href" not in key for e in drawn.root.iter() for key in e.attrib)
    titles = [node[1] for node in drawn.nodes]
    assert 'input a<b & "c"' in titles
    assert f"input {'x' * 300}" in titles
    assert "input a\ufffdb\ufffd" in titles
    assert "<out & 'in'>" in [text[4] for text in drawn.texts]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=3, max_size=3, unique=True), st.text())
def test_any_text_is_a_name(names, title):
    """Whatever the names and the title, the document can be parsed and has its three columns' words."""
    net = Network(Layer([[1], [1]], [0]), names[:2], names[2:])
    root = ET.fromstring(diagram(net, title=title).svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= TAGS


def test_a_long_name_keeps_both_ends():
    """A name too long is cut in the middle, so that names that differ at their ends still do."""
    long = "the average number of rooms in a dwelling of the district >= 6.25"
    drawn = read(diagram(Network(Layer([[1]], [-1]), [long], ["y"])).svg)
    (shown,) = [text[4] for text in drawn.texts if "…" in text[4]]
    assert shown.startswith("the average")
    assert shown.endswith(">= 6.25")
    assert f"input {long}" in [node[1] for node in drawn.nodes]


def test_estimated_widths_leave_room():
    """No ASCII character is narrower by the estimate than in DejaVu Sans; nor are the other alphabets as a whole."""
    real = {chr(c): font(100).getlength(chr(c)) / 100 for c in range(32, 127)}
    assert {c for c in real if width(c, 1) < real[c] - 0.005} == set()
    for first, last in ((0xC0, 0x17F), (0x391, 0x3A1), (0x3B1, 0x3C9), (0x410, 0x44F), (0x5D0, 0x5EA), (0x2190, 0x22FF)):  # fmt: skip
        alphabet = "".join(map(chr, range(first, last + 1)))
        assert width(alphabet, 1) >= font(100).getlength(alphabet) / 100


@pytest.mark.parametrize("name", [*WILD, "income of the household >= 35000", "i" * 99, "W" * 99])
@pytest.mark.parametrize("room", [20, 80, 200])
def test_a_shortened_name_fits(name, room):
    """Whatever the name, what is left of it is one line that fits."""
    short = shortened(name, 10, room)
    assert short
    assert width(short, 10) <= room
    assert short == " ".join(short.split())


def test_sentences_are_broken_at_spaces():
    """A sentence is broken into lines that fit and loses no word."""
    sentence = "of the outputs only the first are shown here"
    lines = wrapped(sentence, 10, 110)
    assert " ".join(lines) == sentence
    assert len(lines) > 1
    assert all(width(line, 10) <= 110 for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-1, "−1"), (99999, "99999"), (100000, "1e5"), (-123456, "−1.2e5"), (0.5, "0.5"), (1.25, "1.25"),
     (0.999, "1"), (9999.6, "10000"), (12345.6, "1.2e4"), (0.012345, "0.012"), (0.001, "1e−3"), (1e300, "1e300"),
     (float(2**63), "9.2e18")],
)  # fmt: skip
def test_numbers_are_written_briefly(value, text):
    """A number takes at most seven characters, whole numbers to five digits in full."""
    assert brief(value) == text
    assert len(brief(-value)) <= 8


# Files --------------------------------------------------------------------------------------------------------


def test_saving_writes_the_text(tmp_path):
    """The file holds the text, whatever the case of its ending, and replaces what was there."""
    picture = diagram(XOR)
    for name in ("net.svg", "NET.SVG", "net.svg"):
        picture.save(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == picture.svg
    picture.save(str(tmp_path / "as text.svg"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["NET.SVG", "as text.svg", "net.svg"]


@pytest.mark.parametrize("name", ["net.png", "net", "net.svg.gz", ".svg"])
def test_another_ending_is_refused(tmp_path, name):
    """A path that doesn't end in .svg is refused before anything is written, and the remedy is named."""
    with pytest.raises(errors.InputError, match=r"must end in \.svg"):
        diagram(XOR).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    """A folder that isn't there, a folder in the file's place and a number as path are named errors."""
    picture = diagram(XOR)
    with pytest.raises(errors.FileError, match="missing"):
        picture.save(tmp_path / "missing" / "net.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(errors.FileError, match=r"folder\.svg"):
        picture.save(tmp_path / "folder.svg")
    with pytest.raises(errors.InputError):
        picture.save(3)


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    """If the disk fails while saving, the old drawing is still there and nothing else."""
    path = tmp_path / "net.svg"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(errors.FileError, match="No space left"):
        diagram(XOR).save(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["net.svg"]


# Input --------------------------------------------------------------------------------------------------------


def test_models_and_fitted_estimators_are_drawn_as_their_network():
    """A Model and whatever holds network_ give the drawing of their network."""
    assert diagram(Model(XOR)) == diagram(SimpleNamespace(network_=XOR)) == diagram(XOR)


def test_what_is_no_network_is_refused():
    """An unfitted estimator is told to be fitted; anything else is named."""

    class Clf:
        def fit(self, X, y): ...

    with pytest.raises(errors.InputError, match="Call its fit first"):
        diagram(Clf())
    with pytest.raises(errors.InputError, match="Received: list"):
        diagram([[1, 2]])


@pytest.mark.parametrize("most", [1, 0, -3, 2.0, "12", None, True])
def test_the_most_neurons_are_a_whole_number_of_two_or_more(most):
    """Anything else is refused by name."""
    with pytest.raises(errors.InputError, match="max_neurons"):
        diagram(XOR, max_neurons=most)


@pytest.mark.parametrize("title", [5, b"net", ["net"]])
def test_a_title_is_text(title):
    """Anything else is refused by name."""
    with pytest.raises(errors.InputError, match="title must be text"):
        diagram(XOR, title=title)


def test_a_tooltip_says_what_printing_says():
    """Every rule that `print(net)` shows is the tooltip of a neuron, whatever the activation."""
    for net in (net for net in nets.ZOO.values() if max(layer.n_neurons for layer in net.layers) <= 12):
        titles = [node[1] for node in read(diagram(net).svg).nodes]
        lines = [line for line in str(net).split("\n")[1:] if ": the largest wins" not in line]
        assert {" ".join(line.split()) for line in lines if ": softmax" not in line} <= set(titles)


def test_importing_the_room_loads_neither_matplotlib_nor_scipy():
    """`import limen.draw` and a diagram of dense weights cost NumPy only."""
    code = (
        "import sys, limen, limen.draw; limen.draw.diagram(limen.Network(limen.Layer([[1]], [-1])));"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'matplotlib', 'scipy', 'sklearn', 'numba'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
