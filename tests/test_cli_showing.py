"""``limen show`` and ``limen logic``: a network as text, JSON, file and picture."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

import limen as library
from shell import EXAMPLES, limen


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_learned_model_is_shown_with_its_heaviest_inputs_first():
    """Target, classes, size, exactness, and the inputs ordered by the size of their weight."""
    assert limen("fit", EXAMPLES / "recurrence.csv", "-t", "class").code == 0
    ended = limen("show", "recurrence.limen", "--most", 5)
    assert (ended.code, ended.err) == (0, "")
    for text in (
        "Decides     class: no-recurrence-events, recurrence-events",
        "exact, in whole numbers",
        f"{os.path.getsize('recurrence.limen'):,} bytes",
        "recurrence-events if the weights",
    ):
        assert text in ended.out
    said = json.loads(limen("show", "recurrence.limen", "--most", 5, "--json").out)
    network = library.load("recurrence.limen").network
    weights = dict(zip(network.inputs, network.layers[0].dense()[:, 0].tolist(), strict=True))
    (output,) = said["heaviest"]
    assert [abs(i["weight"]) for i in output["inputs"]] == sorted(map(abs, weights.values()), reverse=True)[
        :5
    ]
    assert all(weights[i["input"]] == i["weight"] for i in output["inputs"])
    listed = [line.split("  ")[-1] for line in ended.out.splitlines()[-5:]]
    assert listed == [i["input"] for i in output["inputs"]]


def test_every_class_of_a_multiclass_model_has_its_own_list():
    """Each output is a heading with its inputs below."""
    assert limen("fit", EXAMPLES / "iris.csv", "-t", "species").code == 0
    ended = limen("show", "iris.limen", "--most", 2)
    for species in ("setosa", "versicolor", "virginica"):
        assert f"species = {species} (starts at" in ended.out


def test_a_small_network_is_written_out_neuron_by_neuron():
    """What `print(net)` says stands in `limen show`."""
    limen("logic", "a and not b", "-o", "net.limen")
    ended = limen("show", "net.limen")
    assert "y fires when a − b ≥ 1" in ended.out
    assert "2 inputs → 1 heaviside, binary inputs" in ended.out


def test_pictures_are_svg():
    """`--svg` writes a picture that an XML parser reads, of a model and of a formula."""
    for command in (
        ["logic", "a and not b", "-o", "net.limen", "--svg", "l.svg"],
        ["show", "net.limen", "--svg", "s.svg"],
    ):
        ended = limen(*command)
        assert ended.code == 0
        assert command[-1] in ended.out
        assert ElementTree.parse(command[-1]).getroot().tag.endswith("svg")


def test_a_formula_becomes_its_truth_table_and_its_neurons():
    """The rows are in textbook order, and the neuron is one."""
    ended = limen("logic", "a and not b")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "a b │ y\n0 0 │ 0\n0 1 │ 0\n1 0 │ 1\n1 1 │ 0\n\n"
        "Network: 2 inputs → 1 heaviside\ny fires when a − b ≥ 1\n\n"
        "In words\ny fires when a and not b\n"
    )


def test_the_truth_table_is_right_as_json_and_in_the_saved_file():
    """At least two of three: JSON, the saved network and counting by hand agree on all rows."""
    said = json.loads(limen("logic", "at_least(2, a, b, c)", "-o", "vote.limen", "--json").out)
    rows = list(itertools.product((0, 1), repeat=3))
    expected = [[int(sum(row) >= 2)] for row in rows]
    assert said["truth_table"] == expected
    assert library.load("vote.limen").network(rows).tolist() == expected
    assert (said["inputs"], said["outputs"], said["neurons"]) == (["a", "b", "c"], ["y"], 1)
    assert said["model"] == {"path": "vote.limen", "bytes": Path("vote.limen").stat().st_size}


def test_a_formula_comes_from_standard_input_and_may_quote_names():
    """`-` reads the formula; a name in quotes may be any text."""
    ended = limen("logic", "-", "--name", "grant", stdin=b'"age >= 35" and not "no job"\n')
    assert "age >= 35 no job │ grant" in ended.out


def test_a_long_truth_table_is_left_out():
    """With many inputs only the neurons are printed."""
    ended = limen("logic", " or ".join(f"x{i}" for i in range(30)))
    assert ended.code == 0
    assert "│" not in ended.out
    assert "y fires when" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["logic", "a and"], "At character 6"),
        (["logic", "f(a)"], "Unknown function"),
        (["logic", ""], "empty"),
        (["logic", "a", "b", "--name", "y"], "--name"),
        (["logic", "a", "b", "--name", "y", "--name", "y"], "names of their own"),
        (["logic", "a", "--svg", "net.png"], ".svg"),
        (["logic", "a", "-o", "nowhere/net.limen"], "nowhere"),
        (["show", "nowhere.limen"], "nowhere.limen"),
        (["show", str(EXAMPLES / "iris.csv")], ".limen"),
    ],
)
def test_mistakes_are_refused_and_nothing_is_written(arguments, words, tmp_path):
    """Exit code 1, nothing on standard output, what is wrong on standard error, no traceback, no file."""
    ended = limen(*arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


# One neuron, fewest neurons, words ------------------------------------------------------------------------------


def test_one_neuron_is_shown_or_refused_with_its_rows():
    """`--one-neuron` prints the smallest neuron, or the four rows and their equal sums."""
    ended = limen("logic", "a and (b or c)", "a ^ b", "--one-neuron")
    assert (ended.code, ended.err) == (0, "")
    assert "y1 fires when 2·a + b + c ≥ 3" in ended.out
    assert ended.out.endswith("sum      1 1\n")
    said = json.loads(limen("logic", "a and (b or c)", "a ^ b", "--one-neuron", "--json").out)["one_neuron"]
    assert (said["y1"]["verdict"], said["y1"]["weights"], said["y1"]["threshold"]) == ("proved", [2, 1, 1], 3)
    assert (said["y1"]["bounds"], said["y1"]["unique"], said["y1"]["certificate"]) == ([4, 4], True, None)
    proof = said["y2"]["certificate"]
    totals = [
        [sum(entry["count"] * entry["row"][k] for entry in proof[side]) for k in range(2)]
        for side in ("firing", "resting")
    ]
    assert totals[0] == totals[1]


def test_the_one_neuron_is_saved_and_drawn():
    """The file holds the smallest neuron under the output's name."""
    assert (
        limen("logic", "a | b & c", "--one-neuron", "--name", "alarm", "-o", "n.limen", "--svg", "n.svg").code
        == 0
    )
    net = library.load("n.limen").network
    assert (net.depth, net.n_neurons, net.outputs) == (1, 1, ("alarm",))
    assert ElementTree.parse("n.svg").getroot().tag.endswith("svg")


def test_fewest_builds_a_smaller_network():
    """`--fewest` gives three-input parity two gates, and the saved network computes it."""
    said = json.loads(limen("logic", "a ^ b ^ c", "--fewest", "-o", "p.limen", "--json").out)
    assert said["gates"] == 2
    rows = list(itertools.product((0, 1), repeat=3))
    assert library.load("p.limen").network(rows)[:, 0].tolist() == [sum(row) % 2 for row in rows]


def test_neurons_are_read_in_words():
    """`logic` and `show` say what each neuron of a network means."""
    words = "In words\nh1.1 fires when a or b\nh1.2 fires when a and b\ny fires when h1.1 and not h1.2\n"
    assert limen("logic", "a ^ b", "-o", "x.limen").out.startswith("a b │ y")
    assert words in limen("logic", "a ^ b").out
    assert words in limen("show", "x.limen").out
    assert json.loads(limen("show", "x.limen", "--json").out)["in_words"] == words.splitlines()[1:]


# Points cards -----------------------------------------------------------------------------------------------------


def test_a_card_decides_as_its_model_on_the_rows():
    """The card that is saved predicts every row of the table as the model does, and its scores add up to the rows."""
    table = EXAMPLES / "recurrence.csv"
    assert limen("fit", table, "-t", "class", "-q").code == 0
    ended = limen("card", "recurrence.limen", table, "-o", "card.limen", "--json", "--time-limit", 5)
    said = json.loads(ended.out)
    assert (ended.code, said["verdict"], said["changes"]) == (0, "proved", None)
    assert limen("predict", "card.limen", table).out == limen("predict", "recurrence.limen", table).out
    weights = library.load("card.limen").network.layers[0].weights
    assert sum(item["points"] for item in said["items"]) == said["most"] == abs(weights).sum()
    assert sum(score["rows"] for score in said["scores"]) == 286
    text = limen("show", "card.limen", "--data", table).out
    assert f"class = recurrence-events at {said['threshold']} points or more, of {said['most']}" in text
    assert "points  rows  class = recurrence-events" in text
    assert "Points\n" in limen("show", "card.limen").out


def test_a_card_of_every_input_and_one_with_few_points():
    """Without a table all inputs count; a budget says how many decisions change."""
    limen("logic", "a and (b or c)", "-o", "net.limen")
    every = limen("card", "net.limen")
    assert every.out.startswith("2 points if a\n")
    assert "The same decision for every input" in every.out
    forced = json.loads(limen("card", "net.limen", "--max-points", 1, "--json").out)
    assert (forced["verdict"], forced["changes"]) == ("refuted", [1, 1])
    assert all(item["points"] == 1 for item in forced["items"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["logic", "a ^ b", "--one-neuron", "-o", "net.limen"], "no single neuron to save"),
        (["logic", "a", "b", "--one-neuron", "-o", "net.limen"], "saved at a time"),
        (["logic", "a", "b", "--fewest"], "one formula at a time"),
        (["logic", "a", "--fewest", "--one-neuron"], "not both"),
        (["logic", " ^ ".join(f"x{k}" for k in range(25)), "--one-neuron"], "at most 20 inputs"),
        (["card", "nowhere.limen"], "nowhere.limen"),
    ],
)
def test_mistakes_about_one_neuron_are_refused(arguments, words, tmp_path):
    """Exit code 1, one line that says what to do, no file."""
    ended = limen(*arguments)
    assert (ended.code, ended.out) == (1, "")
    assert words in ended.err.lower() or words in ended.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_card_is_refused():
    """Several neurons can't be added up; scores need a card and the column that holds the truth."""
    assert limen("fit", EXAMPLES / "iris.csv", "-t", "species", "-q").code == 0
    assert "one neuron, for two classes" in limen("card", "iris.limen").err
    assert "isn't a card" in limen("show", "iris.limen", "--data", EXAMPLES / "iris.csv").err


def test_a_card_never_replaces_its_model(tmp_path):
    """A card can't be saved as the model it is made of, which stays as it was."""
    model = tmp_path / "m.limen"
    assert limen("fit", EXAMPLES / "recurrence.csv", "-t", "class", "-o", model, "--max-iter", 2).code == 0
    before = model.read_bytes()
    ended = limen("card", model, "-o", model)
    assert (ended.code, "this command reads it" in ended.err) == (1, True)
    assert model.read_bytes() == before


def test_what_a_card_shows_comes_as_json_too(tmp_path):
    """`show --data --json` holds the card and its scores; rows of classes the model doesn't know are left out, said so."""
    table = EXAMPLES / "recurrence.csv"
    limen("fit", table, "-t", "class", "-q")
    limen("card", "recurrence.limen", table, "--max-points", 2, "--time-limit", 3, "-o", "card.limen")
    said = json.loads(limen("show", "card.limen", "--data", table, "--json").out)["card"]
    assert sum(score["rows"] for score in said["scores"]) == 286
    assert said["items"]
    strange = table.read_text().replace("no-recurrence-events", "something-else")
    (tmp_path / "strange.csv").write_text(strange)
    ended = limen("show", "card.limen", "--data", "strange.csv", "--json")
    assert "201 rows of classes that the model doesn't know left out" in ended.err
    assert sum(score["rows"] for score in json.loads(ended.out)["card"]["scores"]) == 85


def test_one_neuron_keeps_its_name_however_many_inputs_it_has():
    """Beyond the inputs of a table, the answer still speaks of the output by its name."""
    many = "at_least(3, " + ", ".join(f"x{k}" for k in range(30)) + ")"
    ended = limen("logic", many, "--one-neuron", "--name", "quorum", "-o", "q.limen")
    assert ended.out.startswith("One neuron computes quorum")
    assert library.load("q.limen").network.outputs == ("quorum",)
