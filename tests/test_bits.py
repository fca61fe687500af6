"""Programs: how they are planned, what they take and refuse, tables, threads, code on disk."""

from __future__ import annotations

import threading
import time

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import nets
from limen import Encoding, Layer, Model, Network, bits, words
from limen.bits import _gates, _llvm, _sliced_text, _tape, _tools
from limen.bits._layers import layers_of_bits
from limen.bits._store import Store
from limen.encoding import Categories, Thresholds
from limen.errors import FileError, InputError, NotExactError

CARD = Network(Layer([[2], [1], [-1], [3]], [-3]), domain="binary")
rng = np.random.default_rng(0)


def signs(n, m, seed=0):
    """Return weights of ±1."""
    return np.random.default_rng(seed).choice([-1, 1], (n, m))


def balanced(weights, activation="heaviside"):
    """Return a layer whose neurons fire about every other time."""
    return Layer(weights, -(weights.sum(axis=0) // 2), activation)


WIDE_NET = Network([balanced(signs(200, 70)), balanced(signs(70, 5), "hardmax")], domain="binary")


# Plans --------------------------------------------------------------------------------------------------------


def test_each_of_the_two_fast_ways_wins_where_it_should():
    """Layers of many inputs run wide, cards and circuits sliced; the plan says so in words."""
    wide, sliced = bits.compile(WIDE_NET), bits.compile(CARD)
    assert (wide.plan.how, sliced.plan.how) == ("wide", "sliced")
    assert wide.plan.nanoseconds["wide"] < wide.plan.nanoseconds["sliced"]
    text = str(sliced.plan)
    assert "4 inputs → 1 heaviside: sliced" in text
    assert f"{sliced.plan.gates} gates" in text
    assert "layer 1: 4 → 1 heaviside, 2 bit planes" in text
    assert repr(wide) == "Program(200 inputs → 70 heaviside → 5 hardmax, wide)"


def test_matrix_registers_are_taken_where_they_gain():
    """Many inputs and larger weights go through matrix registers where there are some, a card doesn't; a few rows never do."""
    if not _llvm.host().matrices:
        pytest.skip("no matrix registers here")
    large = Network(balanced(rng.integers(-9, 10, (300, 40))), domain="binary")
    many, card = bits.compile(large, how="wide"), bits.compile(CARD, how="wide")
    assert "bytes, matrix registers: tiles of 32 rows by 32 neurons" in str(many.plan)
    assert "tdpbusd" in many.assembly
    assert "tdpbusd" not in card.assembly
    assert "tdpbusd" not in bits.compile(large, how="wide", processor="avx512_vpopcntdq").assembly
    for n_rows in (1, 23, 24, 31, 32, 33, 191, 192, 193, 215, 216, 400):
        X = rng.integers(0, 2, (n_rows, 300), dtype=np.uint8)
        assert (many(X) == large(X)).all()


def test_matrix_registers_are_asked_for(monkeypatch):
    """They count only where the processor has them, the system is Linux, and it lets this process use them."""
    features = dict.fromkeys(
        ["avx512f", "avx512bw", "avx512vl", "avx512vpopcntdq", "amx-tile", "amx-int8"], True
    )

    class System:
        def __init__(self, answer):
            self.syscall = lambda *numbers: answer

    def matrices(answer, platform="linux", **others):
        monkeypatch.setattr(_llvm.ctypes, "CDLL", lambda name: System(answer))
        monkeypatch.setattr(_llvm.sys, "platform", platform)
        return _llvm._target("any", features | others).matrices

    assert matrices(0)
    assert not matrices(-1)
    assert not matrices(0, platform="darwin")
    assert not matrices(0, **{"amx-int8": False})
    assert not matrices(0, avx512vpopcntdq=False)


@pytest.mark.parametrize("most", [127, 128])
@pytest.mark.parametrize("activation", ["heaviside", "sign", "hardmax", "identity"])
def test_weights_of_a_byte_reach_their_ends(most, activation):
    """Sums of the largest weights a byte holds are exact, and one that it doesn't hold is counted instead."""
    weights = np.full((700, 3), most)
    weights[:, 1] = -most
    net = Network(Layer(weights, [-most * 350, most * 350, -5], activation), domain="binary")
    X = (np.arange(700) < np.arange(701)[:, np.newaxis]).astype(np.uint8)
    program = bits.compile(net, how="wide")
    assert (program(X) == net(X)).all()
    assert (program.scores(X) == net.scores(X)).all()


def test_biases_beyond_every_sum_are_limits_too():
    """A bias near int64's ends makes a neuron fire always, or never, by matrix registers as well."""
    weights = rng.integers(-9, 10, (300, 4))
    net = Network(Layer(weights, [2**62, -(2**62), 2**31, -(2**31)]), domain="binary")
    X = rng.integers(0, 2, (100, 300), dtype=np.uint8)
    assert (bits.compile(net, how="wide")(X) == net(X)).all()


def test_a_network_no_fast_way_can_hold_runs_portable():
    """Where doubling a hidden sign neuron's weights leaves int64, the plain loop runs, and the plan says why."""
    net = Network([Layer([[1]], [0], "sign"), Layer([[2**62]], [-1])], domain="binary")
    program = bits.compile(net)
    assert program.plan.how == "portable"
    assert "not taken: " in str(program.plan)
    assert (program([[0], [1]]) == net([[0], [1]])).all()
    assert program.assembly == ""
    with pytest.raises(InputError, match=r"can't run wide: .*int64"):
        bits.compile(net, how="wide")


def test_what_was_compiled_can_be_read():
    """The text and the processor's instructions are there, and a wide program counts bits."""
    program = bits.compile(WIDE_NET, how="wide")
    assert "define void @words(" in program.ir
    assert "ctpop" in program.ir
    assert "words:" in program.assembly
    if _llvm.host().counts_words:
        assert "vpopcntq" in program.assembly
    assert program.nbytes > 70 * 200 // 8


def test_every_stage_is_text():
    """The stages come in order; the gates of a sliced program are named by what they read."""
    assert list(bits.compile(WIDE_NET).stages) == ["plan", "ir", "assembly"]
    stages = bits.compile(
        Network(Layer([[1, 1], [1, 0], [-1, 0]], [-1, -1]), domain="binary"), how="sliced"
    ).stages
    assert list(stages) == ["plan", "gates", "ir", "assembly"]
    assert stages["gates"] == "g4 = majority(x1, x2, not x3)\noutputs g4, x1"


def test_a_gate_of_three_inputs_is_one_instruction_where_the_processor_has_it():
    """On AVX-512 a majority of three takes no other Boolean instruction than that for three inputs."""
    if not _llvm.host().ternary:
        pytest.skip("no AVX-512 here")
    program = bits.compile(Network(Layer([[1]] * 3, [-2]), domain="binary"), how="sliced")
    assert program.plan.gates == 1
    assert "vpternlog" in program.assembly
    assert not any(name in program.assembly for name in ("vpand", "vpor", "vpxor"))


def test_digests_tell_networks_apart():
    """Equal networks have one digest, however their weights are stored; others have others."""
    same = Network(Layer(sparse.csc_array(CARD.layers[0].dense()), CARD.layers[0].bias), domain="binary")
    other = Network(Layer([[2], [1], [-1], [3]], [-4]), domain="binary")
    assert bits.compile(CARD).digest == bits.compile(same).digest
    assert bits.compile(CARD).digest != bits.compile(other).digest
    assert len(bits.compile(CARD).digest) == 64


# Gates --------------------------------------------------------------------------------------------------------


def value_of(graph, literal, values):
    """Return the value of a literal, given those of all gates."""
    return values[literal >> 1] ^ (literal & 1)


def computed(graph, row):
    """Return the outputs of a graph for one row, gate by gate."""
    values = [0, *row]
    for kind, reads in zip(graph.kinds[graph.n_inputs + 1 :], graph.reads[graph.n_inputs + 1 :], strict=True):
        read = [value_of(graph, literal, values) for literal in reads]
        if kind == _gates.AND:
            values.append(int(all(read)))
        elif kind == _gates.MAJ:
            values.append(int(sum(read) >= 2))
        else:
            values.append(sum(read) & 1)
    return [value_of(graph, literal, values) for literal in graph.outputs]


@pytest.mark.parametrize("name", ["twelve inputs", "hardmax of equals", "trained, int4-biases"])
def test_gates_compute_the_network(name):
    """The gates of a network, each by its definition, give the network's outputs on all rows."""
    net = nets.ZOO[name]
    graph = _gates.graph_of(layers_of_bits(net))
    X = np.asarray(nets.rows_for(net, most=512))
    assert [computed(graph, row) for row in X.tolist()] == net(X).tolist()


def test_zero_weights_and_constants_cost_no_gate():
    """A weight of 0 leaves no gate behind, nor does a neuron that always or never fires."""
    net = Network(Layer([[1, 0, 5], [0, 0, 1]], [-1, -1, 9]), domain="binary")
    graph = _gates.graph_of(net.layers)
    assert graph.n_gates == 0
    assert graph.outputs == [2, 0, 1]


def test_equal_neurons_are_built_once():
    """Twins share their gates, and an input with its negation is a constant."""
    one = _gates.graph_of(Network(Layer([[1], [1], [1]], [-2]), domain="binary").layers).n_gates
    twins = Network([Layer([[1, 1], [1, 1], [1, 1]], [-2, -2]), Layer([[1], [1]], [-2])], domain="binary")
    assert _gates.graph_of(twins.layers).n_gates == one


def test_a_graph_stops_where_it_is_told_to():
    """More gates than were allowed are an error, not a wait."""
    with pytest.raises(_gates.TooManyGatesError):
        _gates.graph_of(WIDE_NET.layers, most=100)


def test_a_tape_computes_what_straight_code_computes(monkeypatch):
    """Too many gates for code of their own run from a tape, and nothing changes."""
    net = nets.ZOO["twelve inputs"]
    X = np.asarray(nets.rows_for(net))
    straight = bits.compile(net, how="sliced")
    monkeypatch.setattr("limen.bits._executors.MOST", 10)
    tape = bits.compile(net, how="sliced")
    assert "switch" in tape.ir
    assert "switch" not in straight.ir
    assert tape.nbytes > 0
    for n in (1, 63, 64, 65, 1000, len(X)):
        assert (tape(X[:n]) == straight(X[:n])).all()
        assert (tape(X[:n]) == net(X[:n])).all()


def test_slots_of_a_tape_are_used_again():
    """A chain of a thousand gates needs a handful of slots."""
    graph = _gates.Graph(2)
    a, b = graph.inputs
    for _ in range(1000):
        a, b = graph.parity(a, b), graph.conjunction(a, b ^ 1)
    graph.outputs = [a, b]
    tape = _tape.tape_of(graph, _llvm.host())
    assert tape.n_slots < 12
    assert tape.vectors == _tape.MOST_VECTORS


def test_a_hundred_thousand_gates_are_compiled_in_seconds():
    """A large circuit becomes a tape; the words of random rows agree with the network's call."""
    generator = np.random.default_rng(3)
    layers, before = [], 500
    for _ in range(25):
        rows = generator.integers(0, before, (4000, 3))
        weights = sparse.csc_array(
            (generator.choice([-1, 1, 1, 2], 12000), (rows.ravel(), np.repeat(np.arange(4000), 3))),
            shape=(before, 4000),
        )
        sums = np.asarray(weights.sum(axis=0)).ravel()
        layers.append(Layer(weights, -(sums // 2) - 1 + generator.integers(0, 2, 4000)))
        before = 4000
    net = Network(layers, domain="binary")
    start = time.monotonic()
    program = bits.compile(net, how="sliced")
    assert time.monotonic() - start < 30  # a few seconds on a machine that does nothing else
    X = generator.integers(0, 2, (70, 500), dtype=np.uint8)
    assert (program(X) == net(X)).all()


# What goes in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["wide", "sliced", "portable"])
@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 119, 120, 121, 700])
def test_any_number_of_rows(n, how):
    """Batches around the sizes of words and tiles come out whole, whatever the threads."""
    program = bits.compile(WIDE_NET, how=how)
    X = np.random.default_rng(n).integers(0, 2, (n, 200), dtype=np.uint8)
    expected = WIDE_NET(X)
    for n_jobs in (None, 2, 5, -1):
        assert (program(X, n_jobs=n_jobs) == expected).all()
        assert (words.unpack(program.run(words.pack(X), n_jobs=n_jobs), 5) == expected).all()
        packed = program.run_columns(words.pack_columns(X), n, n_jobs=n_jobs)
        assert (words.unpack_columns(packed, n) == expected).all()
    assert program(X).shape == (n, 5)


@pytest.mark.parametrize("how", ["wide", "sliced", "portable"])
def test_dirt_in_the_padding_is_no_data(how):
    """Bits beyond the last input or row change nothing, and none come out; the words given stay as they were."""
    program = bits.compile(WIDE_NET, how=how)
    X = np.random.default_rng(1).integers(0, 2, (70, 200), dtype=np.uint8)
    rows, columns = words.pack(X), words.pack_columns(X)
    clean, clean_columns = program.run(rows), program.run_columns(columns, 70)
    rows[:, -1] |= np.uint64(2**63 + 2**40)
    columns[:, -1] |= np.uint64(2**63)
    before = rows.copy()
    assert (program.run(rows) == clean).all()
    assert (program.run_columns(columns, 70) == clean_columns).all()
    assert (rows == before).all()
    assert int(clean.max()) < 2**5
    assert int(clean_columns[:, -1].max()) < 2**6


@pytest.mark.parametrize("how", ["wide", "sliced", "portable"])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_columns_can_be_written_where_one_wants_them(how, n_jobs):
    """`out` is filled and returned, its padding clean; one that doesn't fit is refused before anything is written."""
    program = bits.compile(WIDE_NET, how=how)
    X = np.random.default_rng(1).integers(0, 2, (1000, 200), dtype=np.uint8)
    columns = words.pack_columns(X)
    out = np.full((5, 16), 2**64 - 1, dtype=np.uint64)
    assert program.run_columns(columns, 1000, n_jobs=n_jobs, out=out) is out
    assert (out == program.run_columns(columns, 1000)).all()
    frozen = out.copy()
    frozen.flags.writeable = False
    for wrong in (out[:4], out.astype(np.int64), np.asfortranarray(out), frozen, out.tolist()):
        with pytest.raises(InputError, match=r"of shape \(5, 16\)"):
            program.run_columns(columns, 1000, out=wrong)


@pytest.mark.parametrize("how", ["wide", "sliced", "portable"])
def test_rows_may_lie_in_memory_in_any_way(how):
    """Read-only, strided, Fortran-ordered, sparse, of other types, of more axes: all are the same rows."""
    program = bits.compile(WIDE_NET, how=how)
    X = np.random.default_rng(2).integers(0, 2, (66, 200), dtype=np.uint8)
    expected = WIDE_NET(X)
    frozen = X.copy()
    frozen.flags.writeable = False
    doubled = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)
    for same in (
        frozen,
        doubled[::2, ::2],
        np.asfortranarray(X),
        X.astype(bool),
        X.astype(np.float64),
        X.tolist(),
        sparse.csr_array(X),
    ):
        assert (program(same) == expected).all()
    assert (program(X.reshape(6, 11, 200)) == expected.reshape(6, 11, 5)).all()
    assert (program(X[0]) == expected[0]).all()
    assert (program.scores(X[0]) == WIDE_NET.scores(X[0])).all()
    big = np.zeros((66, 9), dtype=np.uint64)
    big[:, ::2][:, :4] = words.pack(X)
    assert (words.unpack(program.run(big[:, ::2][:, :4]), 5) == expected).all()
    tall = np.asfortranarray(words.pack_columns(X))
    assert (words.unpack_columns(program.run_columns(tall, 66), 66) == expected).all()


@pytest.mark.parametrize("how", ["wide", "sliced", "portable"])
@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.full((3, 200), 2, np.uint8), "2"),
        (np.full((3, 200), -1, np.int8), "-1"),
        (np.full((3, 200), 0.5), "0.5"),
        (np.zeros((3, 199), np.uint8), "200 columns"),
        (np.full((3, 200), np.nan), "nan"),
        ([["a"] * 200], "floats"),
    ],
)
def test_what_the_network_refuses_is_refused(X, expected, how):
    """A value other than 0 and 1, or another number of columns, gets the network's own message."""
    program = bits.compile(WIDE_NET, how=how)
    with pytest.raises(InputError, match=expected) as ours:
        program(X)
    with pytest.raises(InputError) as networks:
        WIDE_NET(X)
    assert str(ours.value) == str(networks.value)


@pytest.mark.parametrize(
    ("call", "error", "expected"),
    [
        (lambda: bits.compile(7), InputError, "Expected a limen.Network or a limen.Model. Received: int"),
        (lambda: bits.compile(Network(Layer([[0.5]], [0.0]), domain="binary")), NotExactError, "to_integers"),
        (lambda: bits.compile(Network(Layer([[1]], [0]))), InputError, "reads real numbers"),
        (
            lambda: bits.compile(Network(Layer([[1]], [0]), domain="integer")),
            InputError,
            "reads integer numbers",
        ),
        (
            lambda: bits.compile(Network(Layer([[1]], [0], "relu"), domain="binary")),
            NotExactError,
            "a layer of relu",
        ),
        (
            lambda: bits.compile(Network(Layer([[2**62], [2**62]], [0]), domain="binary")),
            NotExactError,
            "could reach 9223372036854775808",
        ),
        (
            lambda: bits.compile(CARD, how="fast"),
            InputError,
            "how must be None or one of wide, sliced, portable",
        ),
        (lambda: bits.compile(CARD, processor="z80"), InputError, "processor must be None"),
        (lambda: bits.compile(CARD, cache=7), InputError, "cache must be a folder's path or None"),
        (lambda: bits.compile(CARD, cache=__file__), InputError, "which is a file"),
        (
            lambda: bits.compile(CARD)([[0] * 4], n_jobs=0),
            InputError,
            "n_jobs must be None or a whole number",
        ),
        (lambda: bits.compile(CARD).run(np.zeros((2, 1))), InputError, "words must be an array of uint64"),
        (lambda: bits.compile(CARD).run(np.zeros((2, 2), np.uint64)), InputError, r"of shape \(n, 1\)"),
        (
            lambda: bits.compile(CARD).run_columns(np.zeros((3, 1), np.uint64), 9),
            InputError,
            "must have 4 rows",
        ),
        (
            lambda: bits.compile(CARD).run_columns(np.zeros((4, 1), np.uint64), 65),
            InputError,
            r"of shape \(n, 2\)",
        ),
        (
            lambda: bits.compile(CARD).run_columns(np.zeros((4, 1), np.uint64), -1),
            InputError,
            "n_rows must be",
        ),
        (
            lambda: bits.compile(CARD).predict([[0] * 4]),
            InputError,
            "compiled from a network, which has no labels",
        ),
        (
            lambda: bits.compile(Network(Layer([[1]], [0], "identity"), domain="binary")).run(
                np.zeros((1, 1), np.uint64)
            ),
            InputError,
            "are numbers",
        ),
        (
            lambda: bits.compile(Network(Layer([[1]], [0], "identity"), domain="binary"), how="sliced"),
            InputError,
            "can't run sliced: its outputs are numbers",
        ),
        (
            lambda: bits.compile(Network(Layer([[1]] * 41, [0]), domain="binary")).truth_table(),
            InputError,
            r"2\*\*41 rows",
        ),
    ],
)
def test_bad_input_is_named(call, error, expected):
    """Each refusal says what was expected and what came."""
    with pytest.raises(error, match=expected):
        call()


@pytest.mark.parametrize("how", ["wide", "sliced", "portable"])
@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 13])
def test_truth_tables_are_in_their_order(n, how):
    """Row r gives the inputs the digits of r, the first the most significant, and nothing is beyond the last row."""
    weights = np.random.default_rng(n).integers(-3, 4, (n, 3))
    net = Network(balanced(weights), domain="binary")
    table = bits.compile(net, how=how).truth_table(n_jobs=2)
    rows = np.arange(2**n)[:, np.newaxis] >> np.arange(n)[::-1] & 1
    assert (words.unpack_columns(table, 2**n) == net(rows)).all()
    assert int(np.bitwise_count(table).sum()) == int(net(rows).sum())


@pytest.mark.parametrize("n", [14, 16])
@pytest.mark.parametrize("how", ["wide", "sliced"])
def test_all_rows_of_deeper_networks_agree(n, how):
    """On all 2**16 rows of a network with hidden layers, program and call are one."""
    net = nets.random_network(n, [n, 12, 9, 4], ["heaviside", "sign", "hardmax"], "binary")
    rows = np.arange(2**n)[:, np.newaxis] >> np.arange(n)[::-1] & 1
    assert (words.unpack_columns(bits.compile(net, how=how).truth_table(), 2**n) == net(rows)).all()


def test_a_truth_table_is_made_in_slices():
    """More rows than a slice holds come out as few do."""
    net = Network(balanced(signs(19, 1)), domain="binary")
    whole = words.unpack_columns(bits.compile(net).truth_table(), 2**19)
    for start in (0, 2**18 - 64, 2**18, 2**19 - 64):
        rows = np.arange(start, start + 64)[:, np.newaxis] >> np.arange(19)[::-1] & 1
        assert (whole[start : start + 64] == net(rows)).all()


# Models -------------------------------------------------------------------------------------------------------

ENCODING = Encoding(
    [
        Thresholds("age", (30, 45.5, 60), missing=True),
        Thresholds("income", (2**53 + 1, 2**60), missing=True),
        Categories("job", ("cook", "smith"), missing=True),
        Thresholds("unused", ()),
        Categories("member", (True,)),
    ]
)


def table(n):
    """Return a table with everything in it that a table can have."""
    generator = np.random.default_rng(n)
    age = generator.choice([29.9, 30.0, 45.5, 45.4, 60.0, 99.0, np.nan], n)
    income = generator.choice([2**53, 2**53 + 1, 2**53 + 2, 2**60, 2**60 - 1, -5], n)
    return pd.DataFrame(
        {
            "age": age,
            "income": pd.array(income, dtype="Int64"),
            "job": generator.choice(["cook", "smith", "baker", None], n),
            "member": generator.choice([True, False], n),
        }
    )


@pytest.mark.parametrize("how", ["wide", "sliced", "portable"])
@pytest.mark.parametrize("n", [1, 64, 130])
def test_a_models_columns_go_in_as_they_are(n, how):
    """A program of a model compares, packs and decides as the model does."""
    weights = np.random.default_rng(1).integers(-3, 4, (ENCODING.n_inputs, 3))
    net = Network(Layer(weights, [0, -1, 1], "hardmax"), ENCODING.inputs, domain="binary")
    model = Model(net, ENCODING, ["low", "middle", "high"])
    program = bits.compile(model, how=how)
    rows = table(n)
    assert (program(rows) == net(ENCODING.encode(rows))).all()
    assert (program.predict(rows, n_jobs=2) == model.predict(rows)).all()
    assert (program.scores(rows) == net.scores(ENCODING.encode(rows))).all()


def test_a_program_takes_an_array_of_columns():
    """Without names the columns are taken in the encoding's order, NaN as missing."""
    encoding = Encoding([Thresholds("a", (0.5, 1.5)), Thresholds("b", (1,), missing=True)])
    net = Network(Layer([[1], [1], [-2], [1]], [-1]), encoding.inputs, domain="binary")
    program = bits.compile(Model(net, encoding, ["no", "yes"]))
    X = np.random.default_rng(0).choice([0.0, 0.5, 1.0, 1.5, np.nan], (300, 2))
    assert (program.predict(X) == Model(net, encoding, ["no", "yes"]).predict(X)).all()
    with pytest.raises(InputError, match="2 columns"):
        program(np.zeros((3, 3)))


@pytest.mark.parametrize("values", [[1, 2**62], [1.0, float(2**62)]])
@pytest.mark.parametrize("cut", [2**63, -(2**63) - 1, 2**80, -(2**80), 0.5, 2**62 + 1])
def test_cut_points_beyond_int64_are_reached_exactly(values, cut):
    """Comparisons with whole numbers no int64 holds are those of the encoding."""
    encoding = Encoding([Thresholds("a", (cut,))])
    net = Network(Layer([[1]], [-1]), encoding.inputs, domain="binary")
    rows = {"a": np.array(values)}
    assert (bits.compile(Model(net, encoding))(rows) == encoding.encode(rows)).all()


def test_a_model_without_an_encoding_takes_a_table_of_bits():
    """Columns are found by name, and arrays are taken as they are."""
    net = Network(CARD.layers, ["a", "b", "c", "d"], domain="binary")
    program = bits.compile(Model(net, None, ["no", "yes"]))
    rows = np.array([[1, 1, 0, 0], [0, 0, 1, 0]])
    frame = pd.DataFrame(rows, columns=["a", "b", "c", "d"])[["d", "c", "b", "a"]]
    assert program.predict(frame).tolist() == program.predict(rows).tolist() == ["yes", "no"]


# Threads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["wide", "sliced"])
def test_one_program_serves_many_threads(how):
    """Threads that call one program at the same time each get their own rows' outputs."""
    program = bits.compile(WIDE_NET, how=how)
    X = [np.random.default_rng(k).integers(0, 2, (500, 200), dtype=np.uint8) for k in range(8)]
    expected = [WIDE_NET(rows) for rows in X]
    wrong = []

    def work(k):
        wrong.extend(k for _ in range(20) if not (program(X[k]) == expected[k]).all())

    workers = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_what_a_thread_raises_comes_out(monkeypatch):
    """An error in one slice of rows isn't swallowed."""
    program = bits.compile(WIDE_NET, how="wide")

    def broken(rows):
        raise MemoryError("no room")

    monkeypatch.setattr(program._wide, "words", broken)
    with pytest.raises(MemoryError, match="no room"):
        program.run(np.zeros((500, 4), np.uint64), n_jobs=2)


# Code on disk -------------------------------------------------------------------------------------------------


def test_compiled_code_is_kept_and_found(tmp_path, monkeypatch):
    """The second time nothing is compiled, and the program is the same."""
    folder = tmp_path / "code"
    X = np.random.default_rng(0).integers(0, 2, (99, 200), dtype=np.uint8)
    first = bits.compile(WIDE_NET, cache=folder)
    [file] = folder.iterdir()
    before = file.stat().st_mtime_ns
    monkeypatch.setattr(_llvm.binding, "create_pass_builder", None)  # would fail if anything were compiled
    second = bits.compile(WIDE_NET, cache=folder)
    assert (second(X) == first(X)).all()
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "foreign"])
def test_damaged_code_is_never_run(tmp_path, damage, monkeypatch):
    """A file that fails its digest is compiled anew and replaced."""
    bits.compile(WIDE_NET, cache=tmp_path)
    [file] = tmp_path.iterdir()
    good = file.read_bytes()
    middle = len(good) // 2
    file.write_bytes(
        {
            "flipped": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
            "cut": good[:-1],
            "emptied": b"",
            "foreign": b"hello",
        }[damage]
    )
    loaded = []
    compiled = _llvm.compiled
    monkeypatch.setattr(
        "limen.bits._store.compiled",
        lambda *args, **options: loaded.append(options["object_code"]) or compiled(*args, **options),
    )
    bits.compile(WIDE_NET, cache=tmp_path)
    assert loaded == [None]
    assert file.read_bytes()[:13] == good[:13]
    bits.compile(WIDE_NET, cache=tmp_path)
    assert loaded[1] is not None


def test_code_for_another_processor_is_another_file(tmp_path):
    """What was compiled for less than this processor isn't taken for what it can do."""
    bits.compile(WIDE_NET, cache=tmp_path)
    bits.compile(WIDE_NET, cache=tmp_path, processor="baseline")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    """Code that can't be kept is an error that says where."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileError, match="can't be made"):
        Store(tmp_path / "file" / "code").compiled("", _llvm.host(), effort=0)


# Tools --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 63, 64, 65, 200])
@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 129])
def test_turning_and_packing_agree_with_words(n, n_rows):
    """The compiled ways to pack and to turn are those of `words`."""
    X = np.random.default_rng(n + n_rows).integers(0, 2, (n_rows, n), dtype=np.uint8)
    rows = words.pack(X)
    assert (_tools.packed(X) == rows).all()
    assert (_tools.transposed(rows, n) == words.pack_columns(X)).all()
    rows[:, -1] |= np.uint64(0) if n % 64 == 0 else np.uint64(2**63)
    assert (_tools.transposed(rows, n) == words.pack_columns(X)).all()


@pytest.mark.parametrize("kind", [np.float64, np.int64])
def test_comparisons_are_numpys(kind):
    """NaN reaches no cut point, infinity all; ties reach it."""
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0] if kind is np.float64 else [2**63 - 1, -(2**63), 0]
    values = np.concatenate([np.arange(-70, 70), special]).astype(kind)
    out = np.zeros(words.words_for(len(values)), np.uint64)
    for cut in (-1, 0, 3):
        _tools.reaching(values, kind(cut).item(), out)
        assert (words.unpack(out[np.newaxis], len(values))[0] == (values >= cut)).all()


def test_straight_code_is_for_few_gates():
    """The limit up to which gates become code of their own is what the plan reckons with."""
    assert bits.compile(CARD, how="sliced").plan.gates <= _sliced_text.MOST
