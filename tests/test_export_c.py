"""Networks as C99: every exact network of the zoo, compiled with every warning an error, equal to its call."""

from __future__ import annotations

import ctypes
import re

import numpy as np
import pandas as pd
import pytest

import nets
from limen import Encoding, Layer, Model, Network, words
from limen.encoding import Categories, Thresholds
from limen.errors import InputError, NotExactError
from limen.export import to_c
from tools import run, tool

FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]
SANITIZED = [*FLAGS, "-fsanitize=undefined", "-fno-sanitize-recover"]
NAMES = nets.names(lambda net: net.is_exact)
MAJORITY = Network(Layer([[1], [1], [1]], [-2]), domain="binary")


def written(made, folder):
    """Write a network's files, and return those to compile into a library."""
    for file, text in made.files.items():
        (folder / file).write_text(text)
    return f"{made.name}.c"


def library(sources, folder):
    """Compile sources into a library and load it."""
    run(tool("gcc", "gcc"), *SANITIZED, "-shared", "-fPIC", "-o", "all.so", *sources, folder=folder)
    return ctypes.CDLL(str(folder / "all.so"))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Return a library of all networks, ``net0`` to the last."""
    folder = tmp_path_factory.mktemp("c")
    sources = [written(to_c(nets.ZOO[name], name=f"net{k}"), folder) for k, name in enumerate(NAMES)]
    return library(sources, folder)


def each(function, rows, out, *more):
    """Call a function for each row, and return its outputs."""
    found = np.empty((len(rows), *out.shape), dtype=out.dtype)
    for k, row in enumerate(rows):
        assert function(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(out.ctypes.data), *more) == 0
        found[k] = out
    return found


@pytest.mark.parametrize("name", NAMES)
def test_c_is_the_network(name, zoo):
    """Outputs, scores, classes and packed outputs are the network's; undefined behaviour would end the test."""
    net, prefix = nets.ZOO[name], f"net{NAMES.index(name)}"
    X = np.asarray(nets.rows_for(net))
    rows = np.ascontiguousarray(X.astype(np.uint8 if net.domain == "binary" else np.int64))
    expected, last = net(X), net.layers[-1].activation
    kind = np.int64 if last == "identity" else np.int8
    assert (each(getattr(zoo, prefix), rows, np.zeros(net.n_outputs, kind)) == expected).all()
    scores = each(getattr(zoo, f"{prefix}_scores"), rows, np.zeros(net.n_outputs, np.int64))
    assert (scores == net.scores(X)).all()
    if last == "hardmax":
        winners = [getattr(zoo, f"{prefix}_class")(ctypes.c_void_p(row.ctypes.data)) for row in rows]
        assert winners == expected.argmax(axis=1).tolist()
    if net.domain == "binary" and last != "identity":
        packed = words.pack(X).view(np.uint32)
        if net.n_inputs % 64:
            words_given = words.pack(X)
            words_given[:, -1] |= np.uint64(2**63 | 1 << net.n_inputs % 64)  # dirt
            packed = words_given.view(np.uint32)
        bits = 2 * net.n_outputs if last == "sign" else net.n_outputs
        out = each(getattr(zoo, f"{prefix}_packed"), packed, np.zeros(-(-bits // 32), np.uint32))
        found = np.unpackbits(out.view(np.uint8), axis=1, bitorder="little")
        assert not found[:, bits:].any()
        found = found[:, :bits].astype(np.int8)
        if last == "sign":
            found = found[:, ::2] * (1 - 2 * found[:, 1::2])
        assert (found == expected).all()


@pytest.mark.parametrize("name", NAMES[::5])
def test_the_test_program_is_compiled_without_a_warning_and_passes(name, tmp_path):
    """The vectors that come along try the call, the scores, the class and the packed form, and all are right."""
    written(to_c(nets.ZOO[name], name="net"), tmp_path)
    run(tool("gcc", "gcc"), *SANITIZED, "-o", "test", "net.c", "net_test.c", folder=tmp_path)
    assert re.fullmatch(r"ok \d+ rows\n", run(tmp_path / "test"))


@pytest.mark.parametrize("numbers", ["double", "int64"])
def test_the_test_program_tries_every_comparison_of_the_columns(numbers, tmp_path):
    """Rows of the table come along; a comparison turned round, whichever it is, makes the program say that a row is wrong."""
    made, gcc = to_c(identity_of(ENCODING), name="net", numbers=numbers), tool("gcc", "gcc")
    written(made, tmp_path)
    run(gcc, *SANITIZED, "-o", "good", "net.c", "net_test.c", folder=tmp_path)
    assert re.fullmatch(r"ok \d+ rows\n", run(tmp_path / "good"))
    run(gcc, *FLAGS, "-c", "net_test.c", folder=tmp_path)
    lines = re.findall(r"    x\[\d+\] = \(uint8_t\)\(.*\);\n", made.source)
    assert len(lines) == ENCODING.n_inputs
    for line in lines:
        turned = (
            line.replace("(uint8_t)(", "(uint8_t)!(") if "(0)" not in line else line.replace("(0)", "(1)")
        )
        (tmp_path / "net.c").write_text(made.source.replace(line, turned))
        run(gcc, "-std=c99", "-o", "bad", "net.c", "net_test.o", folder=tmp_path)
        assert "row of the table" in run(tmp_path / "bad", good=False)


@pytest.mark.parametrize("activation", ["hardmax", "heaviside", "sign", "identity"])
def test_rows_of_the_table_are_tried_whatever_a_row_gives(activation, tmp_path):
    """A class, a decision, signs and numbers are held to the model's, for rows of the table."""
    rng = np.random.default_rng(3)
    net = Network(
        Layer(rng.integers(-3, 4, (ENCODING.n_inputs, 3)), [0, 1, -1], activation),
        ENCODING.inputs,
        domain="binary",
    )
    written(to_c(Model(net, ENCODING), name="net"), tmp_path)
    run(tool("gcc", "gcc"), *SANITIZED, "-o", "test", "net.c", "net_test.c", folder=tmp_path)
    assert run(tmp_path / "test").startswith("ok")
    assert "static const net_columns rows[64]" in (tmp_path / "net_test.c").read_text()


def test_sparse_weights_are_entries():
    """A layer whose neurons read few of many inputs stores what they read, and takes little room."""
    weights = np.zeros((4000, 900), int)
    weights[np.arange(900) * 3, np.arange(900)] = 2
    net = Network(Layer(weights, np.full(900, -1)), domain="binary")
    made = to_c(net)
    assert "network_layer1_from[900]" in made.source
    assert made.table_bytes == 900 * (1 + 2) + 900 * 2 + 900


@pytest.mark.parametrize("name", ["twelve inputs", "hardmax last, ties", "integers, hardmax"])
def test_the_test_program_passes_and_can_fail(name, tmp_path):
    """The vectors that come along are right, and one changed constant makes the program say where."""
    made = to_c(nets.ZOO[name], name="net")
    written(made, tmp_path)
    gcc = tool("gcc", "gcc")
    run(gcc, *SANITIZED, "-o", "good", "net.c", "net_test.c", folder=tmp_path)
    assert re.fullmatch(r"ok \d+ rows\n", run(tmp_path / "good"))
    number = re.search(r"(_limits|_bias)\[\d+\] = \{\n    (-?\d+),", made.source)
    broken = made.source[: number.start(2)] + str(int(number[2]) + 9) + made.source[number.end(2) :]
    (tmp_path / "net.c").write_text(broken)
    run(gcc, *SANITIZED, "-o", "bad", "net.c", "net_test.c", folder=tmp_path)
    assert "expected" in run(tmp_path / "bad", good=False)


def test_inputs_outside_the_domain_are_refused_and_nothing_is_written(tmp_path):
    """A byte above 1, or an integer that could make a sum overflow, is -1, and the output stays as it was."""
    wide = Network(Layer([[2**40, 1], [-(2**40), 0]], [3, 0], "sign"), domain="integer")
    loaded = library(
        [written(to_c(MAJORITY, name="ternary"), tmp_path), written(to_c(wide, name="whole"), tmp_path)],
        tmp_path,
    )
    header = to_c(wide, name="whole").header
    largest = int(re.search(r"WHOLE_LARGEST INT64_C\((\d+)\)", header)[1])
    assert 2**41 * largest + 3 <= 2**63 - 1 < 2**41 * (largest + 1) + 3
    out = np.full(2, 77, np.int8)

    def call(function, row):
        return function(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(out.ctypes.data))

    assert call(loaded.ternary, np.array([1, 2, 0], np.uint8)) == -1
    for bad in ([largest + 1, 0], [0, -largest - 1], [-(2**63), 0]):
        assert call(loaded.whole, np.array(bad, np.int64)) == -1
    assert out.tolist() == [77, 77]
    for good in ([largest, -largest], [-largest, largest]):
        assert call(loaded.whole, np.array(good, np.int64)) == 0
        assert out.tolist() == wide([good])[0].tolist()


EDGES = {
    "any integer fits": Network(Layer([[1]], [0]), domain="integer"),
    "any but one": Network(Layer([[-1]], [0]), domain="integer"),
    "read by nobody": Network(Layer([[0]], [0]), domain="integer"),
    "few integers fit": Network(Layer([[2**61]], [0]), domain="integer"),
    "a bias at the edge": Network(Layer([[1]], [2**63 - 4]), domain="integer"),
    "a limit beyond int64": Network(Layer([[-(2**61)]], [-(3 * 2**61 - 1)]), domain="binary"),
    "the same, summed": Network(Layer([[-(2**61)]], [-(3 * 2**61 - 1)], "identity"), domain="binary"),
}


def test_the_edges_of_int64_are_met_exactly(tmp_path):
    """What a call takes, C computes without overflow; what a call refuses, C refuses."""
    loaded = library(
        [written(to_c(net, name=f"edge{k}"), tmp_path) for k, net in enumerate(EDGES.values())], tmp_path
    )
    for k, net in enumerate(EDGES.values()):
        kind = np.uint8 if net.domain == "binary" else np.int64
        out = np.zeros(1, np.int64 if net.layers[-1].activation == "identity" else np.int8)
        values = (
            [0, 1] if net.domain == "binary" else [0, 1, -1, 3, 4, -3, -4, 2**63 - 1, -(2**63) + 1, -(2**63)]
        )
        for value in values:
            row = np.array([value], kind)
            code = getattr(loaded, f"edge{k}")(
                ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(out.ctypes.data)
            )
            try:
                expected = net(row[np.newaxis])[0, 0]
            except NotExactError:
                assert code == -1
            else:
                assert (code, out[0]) == (0, expected)


HOSTILE = ["*/ evil(); /*", 'a"b\\', "new\nline", "??/", "if", "if", "Ünïcode ✓", "", "//", "%s%n"]


def test_names_cannot_break_out(tmp_path):
    """Names of inputs, outputs, columns, categories and labels that try to be C are comments and strings, and compile."""
    columns = [f"{name}{k}" for k, name in enumerate(HOSTILE)]
    encoding = Encoding(
        [Categories(column, ('x"); system("', "\\", "*/", "??/", "é")) for column in columns[:3]]
        + [Thresholds(column, (0.5,), missing=True) for column in columns[3:]]
    )
    net = Network(
        Layer(np.ones((encoding.n_inputs, 1), int), [-3]), encoding.inputs, ["*/ y"], domain="binary"
    )
    model = Model(net, encoding, ['no"; /*', "yes\\"])
    made = to_c(model, name="net")
    source = written(made, tmp_path)
    run(tool("gcc", "gcc"), *SANITIZED, "-Wtrigraphs", "-o", "test", source, "net_test.c", folder=tmp_path)
    assert run(tmp_path / "test").startswith("ok")
    assert "evil(); /*" not in made.source
    assert made.source.count("*/") == made.source.count("/*")


COLUMNS = [
    "INT8_MAX",
    "EOF",
    "NET_INPUTS",
    "int64_t",
    "typeof",
    "constexpr",
    "row",
    "x",
    "a",
    "a_missing",
    "a_missing_2_missing",
]


@pytest.mark.parametrize("numbers", ["double", "int64"])
def test_columns_may_be_called_as_anything_is(numbers, tmp_path):
    """Macros, types, words of C++ and names that look like another column's flag become members of their own."""
    encoding = Encoding([Thresholds(column, (1,)) for column in COLUMNS])
    net = Network(Layer(np.ones((len(COLUMNS), 1), int), [-2]), encoding.inputs, domain="binary")
    source = written(to_c(Model(net, encoding), name="net", numbers=numbers), tmp_path)
    run(tool("gcc", "gcc"), *SANITIZED, "-o", "test", source, "net_test.c", folder=tmp_path)
    run(tool("gcc", "gcc"), "-Wall", "-Wextra", "-Werror", "-c", source, folder=tmp_path)
    (tmp_path / "user.cpp").write_text(
        '#include "net.h"\nint main() { net_columns c{}; return net_row(&c); }\n'
    )
    run(tool("g++", "g++"), "-std=c++20", "-Wall", "-Werror", "-c", "user.cpp", folder=tmp_path)


def test_what_cannot_be_compared_is_never_equal(tmp_path):
    """Categories no number of C's type equals give 0, those at int64's edge are compared, and nothing is unused."""
    for k, (categories, numbers) in enumerate(
        [((2.5,), "int64"), ((-(2**63), 2**63), "int64"), ((10**400, 1), "double"), ((2**53 + 1,), "double")]
    ):
        encoding = Encoding([Categories("a", categories)])
        source = written(to_c(identity_of(encoding), name=f"net{k}", numbers=numbers), tmp_path)
        run(tool("gcc", "gcc"), *SANITIZED, "-c", source, folder=tmp_path)
    assert f"row->a == {'(-INT64_C(9223372036854775807) - 1)'}" in (tmp_path / "net1.c").read_text()


def test_doubles_must_be_doubles():
    """A compiler without doubles of 53 digits, or told to forget NaN, is stopped."""
    made = to_c(identity_of(Encoding([Thresholds("a", (1,))])), name="net")
    assert "#if DBL_MANT_DIG < 53" in made.source
    assert "#ifdef __FAST_MATH__" in made.source


def test_a_model_on_integers_compiles_with_its_columns(tmp_path):
    """A network on integers behind an encoding takes its zeros and ones as integers."""
    encoding = Encoding([Thresholds("a", (1, 2))])
    net = Network(Layer([[1], [1]], [-2]), encoding.inputs, domain="integer")
    source = written(to_c(Model(net, encoding), name="net"), tmp_path)
    run(tool("gcc", "gcc"), *SANITIZED, "-c", source, folder=tmp_path)


@pytest.mark.parametrize(
    "name",
    ["if", "2x", "a b", "", "é", "main", "x" * 42, "inline", None, "a;b", "out", "int8_t", "wrong", "printf"],
)
def test_a_name_must_be_one_in_c(name):
    """What C can't call a function is refused before anything is written."""
    with pytest.raises(InputError, match="name must be letters"):
        to_c(MAJORITY, name=name)


# Rows of a table ----------------------------------------------------------------------------------------------

TEXTS = ("cook", 'sm"ith', "é✓")
ENCODING = Encoding(
    [
        Thresholds("age", (30, 45.5), missing=True),
        Thresholds("big", (-(2**63), 2**53 + 1, 2**63), missing=True),
        Categories("job", TEXTS, missing=True),
        Categories("grade", (1, 2, 2.5), missing=True),
        Categories("member", (True, False), missing=True),
        Thresholds("unused", ()),
    ]
)


class Doubles(ctypes.Structure):
    """A row of the table, numbers as double."""

    _fields_ = (
        ("age", ctypes.c_double),
        ("big", ctypes.c_double),
        ("job", ctypes.c_char_p),
        ("grade", ctypes.c_double),
        ("member", ctypes.c_int),
    )


class Wholes(ctypes.Structure):
    """A row of the table, numbers as int64 with a flag."""

    _fields_ = (
        ("age", ctypes.c_int64),
        ("age_missing", ctypes.c_int),
        ("big", ctypes.c_int64),
        ("big_missing", ctypes.c_int),
        ("job", ctypes.c_char_p),
        ("grade", ctypes.c_int64),
        ("grade_missing", ctypes.c_int),
        ("member", ctypes.c_int),
    )


def identity_of(encoding):
    """Return a model whose outputs are its inputs."""
    n = encoding.n_inputs
    return Model(Network(Layer(np.eye(n, dtype=int), [-1] * n), encoding.inputs, domain="binary"), encoding)


def test_a_row_of_a_table_becomes_what_the_encoding_makes_of_it(tmp_path):
    """Numbers at and beside cut points, text, booleans and missing values give the encoding's inputs."""
    model = identity_of(ENCODING)
    loaded = library(
        [
            written(to_c(model, name="doubles"), tmp_path),
            written(to_c(model, name="wholes", numbers="int64"), tmp_path),
        ],
        tmp_path,
    )
    ages = [29.999, 30.0, 45.5, 45.0, np.nan, -np.inf if False else -1e300]
    bigs = [float(2**53), float(2**53 + 2), np.nan, float(-(2**63)), float(2**63), 0.0]
    jobs, grades, members = (
        ["cook", 'sm"ith', "é✓", "baker", None, ""],
        [1.0, 2.0, 2.5, 3.0, np.nan, 2.0],
        [
            True,
            False,
            None,
            True,
            False,
            True,
        ],
    )
    frame = pd.DataFrame(
        {"age": ages, "big": bigs, "job": jobs, "grade": grades, "member": pd.array(members, dtype="boolean")}
    )
    expected = ENCODING.encode(frame)
    out = np.zeros(ENCODING.n_inputs, np.int8)
    for k in range(len(frame)):
        text = None if jobs[k] is None else jobs[k].encode()
        member = -1 if members[k] is None else int(members[k])
        row = Doubles(ages[k], bigs[k], text, grades[k], member)
        assert loaded.doubles_row(ctypes.byref(row), ctypes.c_void_p(out.ctypes.data)) == 0
        assert out.tolist() == expected[k].tolist(), k
    wholes = [30, 29, 46, 45, None], [2**53, 2**53 + 1, -(2**63), 2**63 - 1, None], [1, 2, 3, None, 2]
    frame = pd.DataFrame(
        {name: pd.array(v, dtype="Int64") for name, v in zip(("age", "big", "grade"), wholes, strict=True)}
    )
    frame["job"], frame["member"] = jobs[:5], pd.array(members[:5], dtype="boolean")
    expected = ENCODING.encode(frame)
    for k in range(len(frame)):
        text = None if jobs[k] is None else jobs[k].encode()
        member = -1 if members[k] is None else int(members[k])
        numbers = [(v[k] or 0, int(v[k] is None)) for v in wholes]
        row = Wholes(*numbers[0], *numbers[1], text, *numbers[2], member)
        assert loaded.wholes_row(ctypes.byref(row), ctypes.c_void_p(out.ctypes.data)) == 0
        assert out.tolist() == expected[k].tolist(), k


def test_a_model_decides_in_c(tmp_path):
    """A model of one decision returns the number of its label, and the labels come along as text."""
    encoding = Encoding([Thresholds("a", (0.5, 1.5))])
    single = Model(
        Network(Layer([[1], [1]], [-2]), encoding.inputs, domain="binary"), encoding, ["low", "high"]
    )
    several = Model(
        Network(Layer([[1, 0, -1], [0, 1, -1]], [0, 0, 1], "hardmax"), encoding.inputs, domain="binary"),
        encoding,
        [3, 5, 9],
    )
    loaded = library(
        [written(to_c(single, name="single"), tmp_path), written(to_c(several, name="several"), tmp_path)],
        tmp_path,
    )
    for model, name in ((single, "single"), (several, "several")):
        labels = (ctypes.c_char_p * len(model.labels)).in_dll(loaded, f"{name}_labels")
        for value in (0.0, 0.5, 1.5, np.nan):
            number = getattr(loaded, f"{name}_row")(ctypes.byref(ctypes.c_double(value)))
            assert labels[number].decode() == str(model.predict({"a": [value]})[0])


# Limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "options", "error", "expected"),
    [
        (Network(Layer([[0.5]], [0.0]), domain="binary"), {}, NotExactError, "to_integers"),
        (Network(Layer([[1]], [0], "relu"), domain="binary"), {}, NotExactError, "a layer of relu"),
        (Network(Layer([[1]], [0])), {}, NotExactError, "a network on real numbers"),
        (
            Network(Layer([[2**62], [2**62]], [0]), domain="binary"),
            {},
            NotExactError,
            "one of layer 1 could reach 9223372036854775808",
        ),
        (7, {}, InputError, "Received: int"),
        (MAJORITY, {"numbers": "float"}, InputError, "numbers must be 'double' or 'int64'"),
        (MAJORITY, {"vectors": 0}, InputError, "vectors must be a whole number from 1"),
        (MAJORITY, {"vectors": 1.5}, InputError, "vectors must be a whole number from 1"),
        (Model(MAJORITY, None, ["a\0b", "a"]), {}, InputError, "without a zero byte"),
        (Model(MAJORITY, None, ["\ud800", "a"]), {}, InputError, "must be Unicode text"),
        (Model(MAJORITY, None, ["a" * 1001, "a"]), {}, InputError, "at most 1,000 bytes"),
    ],
)
def test_what_c_cannot_carry_is_refused(net, options, error, expected):
    """Each refusal says what and what to do."""
    with pytest.raises(error, match=expected):
        to_c(net, **options)


def test_there_is_no_floating_point_and_no_heap():
    """A network without a table uses neither, nor anything but the integer types of the standard."""
    made = to_c(nets.ZOO["twelve inputs"], name="net")
    assert set(re.findall(r"#include .*", made.source)) == {'#include "net.h"'}
    assert not re.search(r"\b(double|float|malloc|free|math)\b", made.source)


def test_sums_are_no_wider_than_they_must_be():
    """Where the weights prove that 16 bits do, nothing of 64 bits is computed, however wide the type of a loop."""
    made = to_c(nets.ZOO["twelve inputs"], name="net")
    computing = made.source.replace("int64_t *out", "")
    assert "int64" not in computing
    assert "int16_t" in computing


@pytest.mark.parametrize("name", ["twelve inputs", "integers, hardmax"])
def test_it_compiles_for_a_small_device(name, tmp_path):
    """A 32-bit processor without an operating system takes the same source."""
    source = written(to_c(nets.ZOO[name], name="net"), tmp_path)
    compiler = tool("arm-none-eabi-gcc", "gcc-arm-none-eabi")
    headers = ["-ffreestanding", "-mcpu=cortex-m3", "-mthumb", "-Os"]
    run(compiler, *FLAGS, *headers, "-c", source, "-o", "net.o", folder=tmp_path)
    assert (tmp_path / "net.o").stat().st_size > 0
