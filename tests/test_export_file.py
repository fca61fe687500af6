"""A `.limen` file gives back the model that was saved, or a refusal that names what is wrong; never another model."""

from __future__ import annotations

import base64
import enum
import hashlib
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import tempfile
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import sparse

import limen
import naive
import nets
from limen import Layer, Model, Network
from limen.encoding import Categories, Encoding, Thresholds
from limen.errors import FileError, InputError
from limen.export import _fields, file, load, save

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # thousands of small files needn't go to a disk
PAGE = Path(__file__).parent.parent / "docs" / "file-format.md"


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk():
    """Save thousands of files without forcing each to the disk; that this is done is tested with `limen._files`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


# A file as its parts, written and read without the code under test -----------------------------------------------


def bytes_of(model: Model | Network) -> bytes:
    """Return what `save` writes."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        save(model, os.path.join(folder, "file.limen"))
        return Path(folder, "file.limen").read_bytes()


def model_in(data: bytes) -> Model:
    """Return what `load` makes of these bytes."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        Path(folder, "file.limen").write_bytes(data)
        return load(os.path.join(folder, "file.limen"))


class Parts:
    """The parts of a file: `about` (our metadata) and `tensors`, name → [dtype, shape, bytes]."""

    def __init__(self, data: bytes) -> None:
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        self.metadata = header.pop("__metadata__")
        self.about = json.loads(self.metadata["limen"])
        self.tensors: dict[str, list[Any]] = {}
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            self.tensors[name] = [entry["dtype"], entry["shape"], data[8 + length + start : 8 + length + end]]
        del self.tensors["digest"]

    def header(self) -> tuple[dict[str, Any], bytes]:
        """Return the header and the bytes of the tensors, all but the digest's."""
        metadata = {**self.metadata, "limen": json.dumps(self.about)}
        header: dict[str, Any] = {"__metadata__": metadata}
        body = b""
        for name, (dtype, shape, data) in [*self.tensors.items(), ("digest", ["U8", [32], bytes(32)])]:
            header[name] = {
                "dtype": dtype,
                "shape": shape,
                "data_offsets": [len(body), len(body) + len(data)],
            }
            body += data
        return header, body[:-32]

    def put(self, name: str, values: Any, dtype: str = "I64") -> None:
        """Replace a tensor by these values."""
        array = np.asarray(values, dtype={"I64": "<i8", "F64": "<f8"}.get(dtype, np.int8))
        self.tensors[name] = [dtype, list(array.shape), array.tobytes()]


def sealed(header: dict[str, Any] | bytes, body: bytes) -> bytes:
    """Return a file with a right length and a right digest, whatever else it holds."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    contents = struct.pack("<Q", len(header)) + header + body
    return contents + hashlib.sha256(contents).digest()


def forged(data: bytes, change: Callable[[Parts], object]) -> bytes:
    """Return the file with its parts changed and its digest made right again."""
    parts = Parts(data)
    change(parts)
    return sealed(*parts.header())


def numbers_of(layer: Layer) -> tuple[Any, Any]:
    """Return the weights and the bias as lists."""
    return layer.dense().tolist(), layer.bias.tolist()


def facts(model: Model) -> Any:
    """Return all that a model holds with its types: True == 1 == 1.0 must not pass for each other here."""

    def typed(values: Any) -> Any:
        return [typed(v) if isinstance(v, tuple) else (type(v), v) for v in values]

    rules = [
        (type(r), r.column, typed(r.cuts if isinstance(r, Thresholds) else r.categories), r.missing)
        for r in (model.encoding.rules if model.encoding else ())
    ]
    layers = [
        (
            layer.activation,
            sparse.issparse(layer.weights),
            layer.bias.dtype,
            layer.weights.dtype,
            numbers_of(layer),
        )
        for layer in model.network.layers
    ]
    net = model.network
    return net.inputs, net.outputs, net.domain, layers, rules, model.labels and typed(model.labels)


# Models -----------------------------------------------------------------------------------------------------------


def decision(n_labels: int = 2) -> Network:
    """Return a network that makes one decision."""
    if n_labels == 2:
        return Network(Layer([[1], [-1]], [0]), domain="binary")
    return Network(Layer([list(range(n_labels))] * 2, [0] * n_labels, "hardmax"), domain="binary")


def everything() -> Model:
    """Return a small model in which every feature of the format occurs."""
    hidden = Layer(
        sparse.csc_array([[1, 0, -2], [0, 0, 3], [0, 0, 0], [2**53, 0, 1], [-1, 0, 5]]), [-1, 0, -3], "sign"
    )
    last = Layer([[0.5, -1.0], [0.1, 0.0], [-2.5, 1.0]], [-0.25, 1.0])
    inputs = ["age >= -3", "age >= 35.5", "job = farmer", "job = vétérinaire", "job is missing"]
    rules = [
        Thresholds("age", (-3, 35.5)),
        Categories("job", ("farmer", "vétérinaire"), missing=True),
    ]
    return Model(
        Network([hidden, last], inputs, ["ill", "old"], "binary"),
        Encoding(rules),
        [("benign", "malignant"), (False, 1.5)],
    )


GOLDEN = base64.b64decode(
    """
cAQAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJsaW1lbiI6IntcImRvbWFpblwiOlwiYmluYXJ5XCIsXCJlbmNvZGluZ1wiOlt7XCJj
b2x1bW5cIjpcImFnZVwiLFwiY3V0c1wiOlstMywzNS41XSxcImtpbmRcIjpcInRocmVzaG9sZHNcIixcIm1pc3NpbmdcIjpmYWxz
ZX0se1wiY2F0ZWdvcmllc1wiOltcImZhcm1lclwiLFwidsOpdMOpcmluYWlyZVwiXSxcImNvbHVtblwiOlwiam9iXCIsXCJraW5k
XCI6XCJjYXRlZ29yaWVzXCIsXCJtaXNzaW5nXCI6dHJ1ZX1dLFwiaW5wdXRzXCI6W1wiYWdlID49IC0zXCIsXCJhZ2UgPj0gMzUu
NVwiLFwiam9iID0gZmFybWVyXCIsXCJqb2IgPSB2w6l0w6lyaW5haXJlXCIsXCJqb2IgaXMgbWlzc2luZ1wiXSxcImxhYmVsc1wi
OltbXCJiZW5pZ25cIixcIm1hbGlnbmFudFwiXSxbZmFsc2UsMS41XV0sXCJsYXllcnNcIjpbe1wiYWN0aXZhdGlvblwiOlwic2ln
blwiLFwic2hhcGVcIjpbNSwzXSxcInN0b3JhZ2VcIjpcImNzY1wifSx7XCJhY3RpdmF0aW9uXCI6XCJoZWF2aXNpZGVcIixcInNo
YXBlXCI6WzMsMl0sXCJzdG9yYWdlXCI6XCJkZW5zZVwifV0sXCJvdXRwdXRzXCI6W1wiaWxsXCIsXCJvbGRcIl0sXCJwcm9kdWNl
clwiOlwibGltZW4gMC4xLjBcIixcInZlcnNpb25cIjoxfSJ9LCJsYXllcnMuMC5iaWFzIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUi
OlszXSwiZGF0YV9vZmZzZXRzIjpbMCwyNF19LCJsYXllcnMuMC53ZWlnaHRzLmRhdGEiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6
WzddLCJkYXRhX29mZnNldHMiOlsyNCw4MF19LCJsYXllcnMuMC53ZWlnaHRzLmluZGljZXMiOnsiZHR5cGUiOiJJNjQiLCJzaGFw
ZSI6WzddLCJkYXRhX29mZnNldHMiOls4MCwxMzZdfSwibGF5ZXJzLjAud2VpZ2h0cy5pbmRwdHIiOnsiZHR5cGUiOiJJNjQiLCJz
aGFwZSI6WzRdLCJkYXRhX29mZnNldHMiOlsxMzYsMTY4XX0sImxheWVycy4xLmJpYXMiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6
WzJdLCJkYXRhX29mZnNldHMiOlsxNjgsMTg0XX0sImxheWVycy4xLndlaWdodHMiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzMs
Ml0sImRhdGFfb2Zmc2V0cyI6WzE4NCwyMzJdfSwiZGlnZXN0Ijp7ImR0eXBlIjoiVTgiLCJzaGFwZSI6WzMyXSwiZGF0YV9vZmZz
ZXRzIjpbMjMyLDI2NF19fSAgIP//////////AAAAAAAAAAD9/////////wEAAAAAAAAAAAAAAAAAIAD///////////7/////////
AwAAAAAAAAABAAAAAAAAAAUAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAMAAAAAAAAABAAA
AAAAAAAAAAAAAAAAAAMAAAAAAAAAAwAAAAAAAAAHAAAAAAAAAAAAAAAAANC/AAAAAAAA8D8AAAAAAADgPwAAAAAAAPC/mpmZmZmZ
uT8AAAAAAAAAAAAAAAAAAATAAAAAAAAA8D/faUUbSlF79J66epoPc2/ndFrg2l3BrBmqQsSCplPJAQ==
    """
)
"""What `everything` was in version 1 when that version was written. Never change it: files like it are out there."""

ENCODED = {
    "whole and other cut points": [Thresholds("age", (-3, 0.0, 2, 35.5, 10**18))],
    "cut points at the ends": [Thresholds("x", (-(2**63), 5e-324, 0.1, 2**63 - 1, 2**64 - 1, 1e300))],
    "cut points as floats": [Thresholds("x", (-1e22, -2.0, 1e-7, 1e16, 1.7976931348623157e308))],
    "only missing": [Thresholds("age", (), missing=True), Categories("job", (), missing=True)],
    "a constant column": [Categories("job", ()), Thresholds("age", (1,))],
    "booleans": [Categories("smokes", (True, False), missing=True)],
    "whole numbers": [Categories("grade", (-1, 0, 3, 2**64 - 1, -(2**63)))],
    "mixed numbers": [Categories("grade", (1, 2.5, 3.0, -0.0))],
    "any text": [
        Categories('a "b\\', ("", " ", "\n", "\0", "\x7f", "é", "e\u0301", "\U0001f600", "2", "\ufeff"))
    ],
    "an empty column name": [Thresholds("", (1,)), Categories(" ", ("x",))],
}

LABELLED = {
    "text": ["benign", "malignant"],
    "integers": [0, 1],
    "booleans": [False, True],
    "floats": [0.0, 1.0],
    "mixed": ["1", 1],
    "a boolean and text": [True, "True"],
    "odd floats": [-1.5, 5e-324],
    "large integers": [-(2**63), 2**64 - 1],
    "numpy's": [np.int8(-1), np.float32(0.1)],
    "numpy's text": np.array(["a", "b"]),
    "empty text": ["", "\0"],
    "three": ["a", 2, 2.5],
    "one of each kind": ["x", True, 0, 1.5, "1.5"],
}

MODELS: dict[str, Model] = {
    "everything": everything(),
    **{f"network: {name}": Model(net) for name, net in nets.ZOO.items()},
    **{f"labels: {name}": Model(decision(len(labels)), labels=labels) for name, labels in LABELLED.items()},
    "labels: one neuron of hardmax": Model(Network(Layer([[1]], [0], "hardmax")), labels=["only"]),
}
for _name, _rules in ENCODED.items():
    _encoding = Encoding(_rules)
    _layer = Layer(np.ones((_encoding.n_inputs, 1), dtype=np.int64), [-1])
    MODELS[f"encoding: {_name}"] = Model(Network(_layer, _encoding.inputs, domain="binary"), _encoding)


# Round trips ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_as_it_was(name):
    """Every network of the zoo, encoding and kind of label comes back equal, in value and in type."""
    model = MODELS[name]
    back = model_in(bytes_of(model))
    assert back == model
    assert facts(back) == facts(model)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_model_gives_the_same_bytes(name):
    """Saving twice, saving what was loaded, and saving other arrays with the same contents give the same bytes."""
    model = MODELS[name]
    data = bytes_of(model)
    assert bytes_of(model) == data
    assert bytes_of(model_in(data)) == data
    layers = [
        Layer(
            sparse.csr_array(layer.weights)
            if sparse.issparse(layer.weights)
            else np.asfortranarray(layer.weights),
            layer.bias,
            layer.activation,
        )
        for layer in model.network.layers
    ]
    network = Network(layers, model.network.inputs, model.network.outputs, model.network.domain)
    assert bytes_of(Model(network, model.encoding, model.labels)) == data


def test_a_network_comes_back_as_a_model(tmp_path):
    """`load` returns a Model always; a bare network has neither encoding nor labels, and computes the same."""
    net = nets.ZOO["full adder"]
    limen.save(net, tmp_path / "adder.limen")
    back = limen.load(str(tmp_path / "adder.limen"))
    assert type(back) is Model
    assert (back.network, back.encoding, back.labels) == (net, None, None)
    assert (back.network(nets.rows_for(net)) == net(nets.rows_for(net))).all()


def test_what_is_loaded_is_frozen():
    """The arrays of a loaded network are read-only, dense and sparse, as those of any network are."""
    for layer in model_in(GOLDEN).network.layers:
        arrays = [layer.bias]
        arrays += (
            [layer.weights.data, layer.weights.indices, layer.weights.indptr]
            if sparse.issparse(layer.weights)
            else [layer.weights]
        )
        assert not any(array.flags.writeable for array in arrays)


class Grade(enum.IntEnum):
    """A label that is an integer and more."""

    LOW = 0
    HIGH = 7


def test_labels_that_are_enumerations():
    """An enumeration of integers is saved as its integers."""
    back = model_in(bytes_of(Model(decision(), labels=list(Grade))))
    assert facts(back) == facts(Model(decision(), labels=[0, 7]))


words = st.text(max_size=6)
numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False)
)
labels = st.one_of(words, st.booleans(), numbers)


@st.composite
def models(draw: Any) -> Model:
    """Draw a model with any encoding and any labels."""
    rules: list[Thresholds | Categories] = []
    for column in draw(st.lists(words, min_size=1, max_size=3, unique=True)):
        missing = draw(st.booleans())
        if draw(st.booleans()):
            cuts = draw(st.lists(numbers, max_size=4, unique=True))
            rules.append(Thresholds(column, tuple(sorted(cuts)), missing))
        else:
            kind = draw(st.sampled_from([words, st.booleans(), numbers]))
            rules.append(Categories(column, tuple(draw(st.lists(kind, max_size=4, unique=True))), missing))
    try:
        encoding = Encoding(rules)
    except InputError:  # no input, or two of one name
        assume(False)
    several = draw(st.booleans())
    size = draw(st.integers(2, 4))
    layer = Layer(np.ones((encoding.n_inputs, size)), np.zeros(size), "heaviside" if several else "hardmax")
    decided = draw(
        st.lists(st.lists(labels, min_size=2, max_size=2, unique=True), min_size=size, max_size=size)
        if several
        else st.lists(labels, min_size=size, max_size=size, unique=True)
    )
    return Model(Network(layer, encoding.inputs, domain="binary"), encoding, decided)


@settings(max_examples=100, deadline=None)
@given(models())
def test_any_encoding_and_labels_come_back(model):
    """Whatever columns, cut points, categories and labels a model has, they come back, typed."""
    data = bytes_of(model)
    assert facts(model_in(data)) == facts(model)
    assert bytes_of(model_in(data)) == data


@settings(max_examples=100, deadline=None)
@given(nets.networks(activations=("heaviside", "sign", "hardmax", "identity", "relu"), last=None))
def test_any_network_comes_back(net):
    """Whatever layers a network has, they come back."""
    assert facts(model_in(bytes_of(net))) == facts(Model(net))


# The promise: version 1 is read for ever ----------------------------------------------------------------------------


def test_the_frozen_file_is_read():
    """A file of version 1, kept here byte for byte, is read as the model that was saved in it."""
    back = model_in(GOLDEN)
    assert facts(back) == facts(everything())
    predicted = back.predict({"age": [-4, 40, 1], "job": ["farmer", None, "vétérinaire"]})
    assert predicted.tolist() == [["malignant", 1.5], ["benign", 1.5], ["malignant", False]]


def test_the_frozen_file_is_what_is_written(monkeypatch):
    """Version 1 is still written as it was, byte for byte: who changes the writer means to change the version."""
    monkeypatch.setattr(limen, "__version__", "0.1.0")
    assert bytes_of(everything()) == GOLDEN


def page_blocks(language: str) -> list[str]:
    """Return the blocks of code of the page."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """Return the names that the blocks of the page define, run in order."""
    names: dict[str, Any] = {}
    for block in page_blocks("python"):
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_the_page_shows_the_header_as_it_is(page):
    """The header and the metadata in the page are those of the file it makes."""
    header, metadata = map(json.loads, page_blocks("json"))
    (length,) = struct.unpack("<Q", page["data"][:8])
    found = json.loads(page["data"][8 : 8 + length])
    about = json.loads(found["__metadata__"]["limen"])
    assert about == {**metadata, "producer": f"limen {limen.__version__}"}
    assert found == {**header, "__metadata__": {"limen": found["__metadata__"]["limen"]}}


@pytest.mark.parametrize("name", MODELS)
def test_the_page_is_enough_to_read_a_file(page, name):
    """The reader shown in the page, which knows nothing of limen, finds the same numbers and names in every file."""
    net = MODELS[name].network
    about, layers = page["read"](bytes_of(MODELS[name]))
    assert (about["inputs"], about["outputs"], about["domain"]) == ([*net.inputs], [*net.outputs], net.domain)
    assert layers == [(*numbers_of(layer), layer.activation) for layer in net.layers]
    if net.is_exact and net.domain == "binary" and net.n_inputs <= 6:
        rows = naive.rows(net.n_inputs)
        assert [naive.network(layers, row) for row in rows] == net(nets.rows_for(net)).tolist()


# Damage -------------------------------------------------------------------------------------------------------------


def refused(data: bytes) -> None:
    """Check that bytes are refused."""
    with pytest.raises(FileError, match=r"file\.limen can't be loaded\. "):
        model_in(data)


def test_every_flipped_bit_is_noticed():
    """A file with a bit flipped, or all of a byte's, anywhere, is refused."""
    for position in range(len(GOLDEN)):
        for flips in (1 << position % 8, 0xFF):
            data = bytearray(GOLDEN)
            data[position] ^= flips
            refused(bytes(data))


@given(st.integers(0, len(GOLDEN) - 1), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_every_other_byte_is_noticed(position, byte):
    """A file with any one byte replaced is refused, or is the same file."""
    data = GOLDEN[:position] + bytes([byte]) + GOLDEN[position + 1 :]
    if data == GOLDEN:
        assert facts(model_in(data)) == facts(everything())
    else:
        with pytest.raises(FileError):
            model_in(data)


def test_every_truncation_is_noticed():
    """A file cut off at any byte, at its end or its beginning, is refused."""
    for length in range(len(GOLDEN)):
        refused(GOLDEN[:length])
        refused(GOLDEN[length + 1 :])


@pytest.mark.parametrize("padding", [b"\0", b" ", b"\n", b"}", bytes(8), bytes(4096), GOLDEN])
def test_padding_is_noticed(padding):
    """A file with anything after it, before it, or between header and tensors is refused."""
    start = 8 + struct.unpack("<Q", GOLDEN[:8])[0]
    refused(GOLDEN + padding)
    refused(padding + GOLDEN)
    refused(GOLDEN[:start] + padding + GOLDEN[start:])
    refused(sealed(GOLDEN[8:start], GOLDEN[start:-32] + padding))  # with a digest that is right


@given(st.binary(max_size=300))
@example(b"\x02\0\0\0\0\0\0\0{}")
@settings(max_examples=100, deadline=None)
def test_noise_is_refused(data):
    """Bytes that were never a file are refused."""
    for noise in (data, struct.pack("<Q", len(data)) + data, struct.pack("<Q", len(data) + 1) + b"{" + data):
        with pytest.raises(FileError):
            model_in(noise)


FOREIGN = {
    "empty": (b"", "it is empty"),
    "a CSV table": (b"age,job\n35,farmer\n", "isn't a .limen file"),
    "a pickle": (pickle.dumps({"a": 1}), "isn't a .limen file"),
    "a zip": (b"PK\x03\x04" + bytes(60), "isn't a .limen file"),
    "a JSON object": (b'{"version": 1, "layers": []}', "isn't a .limen file"),
    "nine bytes": (bytes(9), "isn't a .limen file"),
    "a header of no length": (bytes(8) + b"{}", "header: It must be JSON"),
    "a lying header length": (struct.pack("<Q", 2**60) + GOLDEN[8:], "header length must be at most 1400"),
    "the largest header length": (b"\xff" * 8 + GOLDEN[8:], "header length must be at most 1400"),
    "one byte too long a header": (
        struct.pack("<Q", 1401) + GOLDEN[8:],
        "header length must be at most 1400",
    ),
    "another safetensors file": (safetensors.numpy.save({"a": np.zeros(3)}), "no entry 'limen'"),
    "another's metadata": (safetensors.numpy.save({"a": np.zeros(3)}, {"format": "pt"}), "no entry 'limen'"),
    "an empty safetensors file": (struct.pack("<Q", 2) + b"{}", "no entry 'limen'"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused(name):
    """A file of another kind is refused, and the message says that it isn't one of ours."""
    data, message = FOREIGN[name]
    with pytest.raises(FileError, match=re.escape(message)):
        model_in(data)


def test_a_real_zip_and_a_real_pickle_are_refused_unread(tmp_path):
    """Nothing in a file is executed: a pickle that would write a file when loaded is refused, and writes none."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.write_text, (tmp_path / "sprung", "")

    (tmp_path / "trap.limen").write_bytes(pickle.dumps(Trap()))
    with zipfile.ZipFile(tmp_path / "zip.limen", "w") as archive:
        archive.writestr("trap.pkl", pickle.dumps(Trap()))
    for name in ("trap.limen", "zip.limen"):
        with pytest.raises(FileError, match=f"{name} can't be loaded. It isn't a .limen file"):
            load(tmp_path / name)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Trap()))
    assert (tmp_path / "sprung").exists()  # the trap does work


@pytest.mark.parametrize("path", ["nothing.limen", "", ".", "nul\0byte", os.devnull])
def test_no_file_to_read(path, tmp_path, monkeypatch):
    """No file, a folder, a device: a FileError that says why, before anything is read."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match=r"can't be read: "):
        load(path)


@pytest.mark.parametrize("path", [None, 3, b"x"])
def test_no_path(path):
    """What isn't a path is an InputError, for `load` and for `save`."""
    with pytest.raises(InputError, match="A path is text"):
        load(path)
    with pytest.raises(InputError, match="A path is text"):
        save(decision(), path)


# Files that are whole and wrong: the digest is right, a field is not ------------------------------------------------


def field(path: str, value: Any) -> Callable[[Parts], None]:
    """Return a change of one field of the metadata; ``...`` removes it."""

    def change(parts: Parts) -> None:
        *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        place: Any = parts.about
        for key in parents:
            place = place[key]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return change


def tensor(name: str, values: Any, dtype: str = "I64") -> Callable[[Parts], None]:
    """Return a change of one tensor."""
    return lambda parts: parts.put(name, values, dtype)


def raw(old: str, new: str) -> Callable[[Parts], tuple[bytes, bytes]]:
    """Return a change of the header's text."""

    def change(parts: Parts) -> tuple[bytes, bytes]:
        header, body = parts.header()
        text = json.dumps(header)
        assert old in text
        return text.replace(old, new, 1).encode("utf-8", "surrogatepass"), body

    return change


def inner(old: str, new: str) -> Callable[[Parts], tuple[bytes, bytes]]:
    """Return a change of the metadata's text."""

    def change(parts: Parts) -> tuple[bytes, bytes]:
        header, body = parts.header()
        text = header["__metadata__"]["limen"]
        assert old in text
        header["__metadata__"]["limen"] = text.replace(old, new, 1)
        return json.dumps(header).encode(), body

    return change


INPUTS = Parts(GOLDEN).about["inputs"]
VALUES = [1, 2**53, -1, -2, 3, 1, 5]
ROWS = [0, 3, 4, 0, 1, 3, 4]
W0, W1 = "layers.0.weights", "layers.1.weights"
FLOATS = [[0.5, -1.0], [0.1, 0.0], [-2.5, 1.0]]

WRONG: dict[str, tuple[Callable[[Parts], Any], str]] = {
    # version
    "later version": (
        field("version", 2),
        "version must be 1 for this limen (@). Received: 2. Install a later limen",
    ),
    "version far ahead": (field("version", 2**63), "Install a later limen"),
    "version 0": (field("version", 0), "version must be 1. Received: 0"),
    "version True": (field("version", True), "version must be 1. Received: True"),
    "version 1.0": (field("version", 1.0), "version must be 1. Received: 1.0"),
    "version as text": (field("version", "1"), "version must be 1. Received: '1'"),
    "no version": (field("version", ...), "version must be 1. Received: None"),
    # which fields there are
    "no producer": (field("producer", ...), "must have the field producer"),
    "no domain": (field("domain", ...), "must have the field domain"),
    "no inputs": (field("inputs", ...), "must have the field inputs"),
    "no outputs": (field("outputs", ...), "must have the field outputs"),
    "no layers": (field("layers", ...), "must have the field layers"),
    "no encoding": (field("encoding", ...), "must have the field encoding"),
    "no labels": (field("labels", ...), "must have the field labels"),
    "unknown field": (field("comment", "hello"), "Received: 'comment'"),
    "unknown field of a layer": (field("layers.0.gain", 2), "layers.0 may have the fields"),
    "unknown field of a rule": (field("encoding.1.order", 1), "encoding.1 may have the fields"),
    "cuts of categories": (field("encoding.1.cuts", []), "encoding.1 may have the fields"),
    "no activation": (field("layers.1.activation", ...), "layers.1 must have the field activation"),
    "no missing": (field("encoding.0.missing", ...), "encoding.0 must have the field missing"),
    "a second entry": (lambda p: p.metadata.update(format="pt"), "__metadata__ may have the fields limen"),
    # single fields
    "producer": (field("producer", 3), "producer must be Unicode text"),
    "unknown domain": (field("domain", "complex"), "domain must be one of binary, integer, real"),
    "a list as domain": (field("domain", ["binary"]), "domain must be one of"),
    "a name twice": (field("inputs", [*INPUTS[:4], INPUTS[0]]), "inputs must be names that differ"),
    "an empty name": (field("outputs", ["ill", ""]), "outputs must be names that aren't empty"),
    "a number as name": (field("outputs", ["ill", 1]), "outputs must be Unicode text"),
    "text as names": (field("outputs", "ab"), "outputs must be a list"),
    "half a surrogate pair": (
        field("outputs", ["ill", "\ud800"]),
        "outputs must be Unicode text. Received: '\\ud800'",
    ),
    "half a pair in a label": (field("labels.0.0", "\udfff"), "labels must be Unicode text"),
    "half a pair in a key": (field("\ud800", 1), "Received: '\\ud800'"),
    "too few inputs": (field("inputs", INPUTS[:4]), "layers.0.shape must be [4, 3]"),
    "too few outputs": (field("outputs", ["ill"]), "outputs must be 2 names"),
    "no layer": (field("layers", []), "layers must be at least one layer"),
    "layers as an object": (field("layers", {}), "layers must be a list"),
    "a layer as text": (field("layers.1", "dense"), "layers.1 must be a JSON object"),
    "unknown activation": (
        field("layers.0.activation", "step"),
        "layers.0.activation must be one of heaviside",
    ),
    "a list as activation": (field("layers.0.activation", []), "layers.0.activation must be one of"),
    "unknown storage": (field("layers.0.storage", "csr"), "layers.0.storage must be dense or csc"),
    "other storage": (field("layers.0.storage", "dense"), "layers.0.weights must be a tensor"),
    "other storage back": (field("layers.1.storage", "csc"), "layers.1.weights.data must be a tensor"),
    "a huge shape": (field("layers.0.shape", [2**60, 3]), "layers.0.shape must be [5, 3]"),
    "a shape of floats": (field("layers.0.shape", [5.0, 3]), "layers.0.shape must be [5, 3]"),
    "a shape of booleans": (field("layers.0.shape", [True, 3]), "layers.0.shape must be [5, 3]"),
    "a flat shape": (field("layers.1.shape", [3]), "layers.1.shape must be [3, 2]"),
    "a shape as text": (field("layers.1.shape", "32"), "layers.1.shape must be [3, 2]"),
    # tensors
    "no bias": (lambda p: p.tensors.pop("layers.1.bias"), "layers.1.bias must be a tensor"),
    "no weights": (lambda p: p.tensors.pop(W1), "layers.1.weights must be a tensor"),
    "one tensor too many": (tensor("layers.2.bias", [1]), "Received: 'layers.2.bias'"),
    "a tensor without a name": (tensor("", [1]), "Received: ''"),
    "a bias too many": (tensor("layers.1.bias", [0.0] * 3, "F64"), "layers.1.shape must be [3, 3]"),
    "a bias of another type": (tensor("layers.1.bias", [0, 1]), "layers.1.weights.dtype must be I64"),
    "small integers": (tensor("layers.1.bias", [0, 1], "I8"), "layers.1.bias.dtype must be I64 or F64"),
    "a type nobody knows": (lambda p: p.tensors[W1].__setitem__(0, "F65"), "header: safetensors refuses it"),
    "a bias in two dimensions": (
        tensor("layers.1.bias", [[0.0, 1.0]], "F64"),
        "layers.1.bias.shape must be [n]",
    ),
    "no neuron": (
        lambda p: (
            p.put("layers.1.bias", np.zeros(0), "F64"),
            p.put(W1, np.zeros((3, 0)), "F64"),
            field("layers.1.shape", [3, 0])(p),
        ),
        "layers.1: A layer needs at least one neuron",
    ),
    "weights transposed": (tensor(W1, np.transpose(FLOATS), "F64"), "layers.1.weights.shape must be [3, 2]"),
    "weights of no size": (tensor(W1, np.zeros((0, 2**40)), "F64"), "layers.1.weights.shape must be [3, 2]"),
    "a weight that is NaN": (
        tensor(W1, [[np.nan, -1.0], *FLOATS[1:]], "F64"),
        "layers.1: weights must be finite. Received: nan",
    ),
    "a weight that is infinite": (tensor(W1, [[-np.inf, 0], *FLOATS[1:]], "F64"), "weights must be finite"),
    "a bias that is infinite": (tensor("layers.1.bias", [np.inf, 0], "F64"), "layers.1: bias must be finite"),
    # sparse weights
    "an index too large": (tensor(W0 + ".indices", [*ROWS[:6], 5]), W0 + ".indices must be from 0 to 4"),
    "an index below zero": (tensor(W0 + ".indices", [-1, *ROWS[1:]]), W0 + ".indices must be from 0 to 4"),
    "a huge index": (tensor(W0 + ".indices", [*ROWS[:6], 2**62]), W0 + ".indices must be from 0 to 4"),
    "indices in disorder": (tensor(W0 + ".indices", [3, 0, *ROWS[2:]]), "increasing within each neuron"),
    "an index twice": (tensor(W0 + ".indices", [0, 0, *ROWS[2:]]), "increasing within each neuron"),
    "an index too few": (tensor(W0 + ".indices", ROWS[:6]), W0 + ".indices.shape must be [7]"),
    "indices as floats": (tensor(W0 + ".indices", ROWS, "F64"), W0 + ".indices.dtype must be I64"),
    "a decreasing indptr": (tensor(W0 + ".indptr", [0, 4, 3, 7]), W0 + ".indptr must be from 0 to 7"),
    "an indptr below zero": (tensor(W0 + ".indptr", [0, -1, 3, 7]), W0 + ".indptr must be"),
    "an indptr too far": (tensor(W0 + ".indptr", [0, 3, 8, 7]), W0 + ".indptr must be"),
    "an indptr that starts late": (tensor(W0 + ".indptr", [1, 3, 3, 7]), W0 + ".indptr must be"),
    "an indptr that ends early": (tensor(W0 + ".indptr", [0, 3, 3, 6]), W0 + ".indptr must be"),
    "an indptr that ends late": (tensor(W0 + ".indptr", [0, 3, 3, 8]), W0 + ".indptr must be"),
    "an indptr too short": (tensor(W0 + ".indptr", [0, 3, 7]), W0 + ".indptr.shape must be [4]"),
    "an indptr of nothing": (tensor(W0 + ".indptr", []), W0 + ".indptr.shape must be [4]"),
    "a stored zero": (tensor(W0 + ".data", [0, *VALUES[1:]]), W0 + ".data must be other than zero"),
    "sparse floats, NaN": (
        lambda p: (
            p.put(W0 + ".data", [np.nan] * 7, "F64"),
            p.put("layers.0.bias", [0.0, 0.0, 0.0], "F64"),
        ),
        "layers.0: weights must be finite",
    ),
    # encoding
    "encoding as an object": (field("encoding", {}), "encoding must be a list"),
    "no rule": (field("encoding", []), "encoding must be rules for all 5 inputs"),
    "a rule too few": (lambda p: p.about["encoding"].pop(), "encoding must be rules for all 5 inputs"),
    "a rule as text": (field("encoding.0", "age"), "encoding.0.kind must be thresholds or categories"),
    "unknown kind": (field("encoding.0.kind", "bins"), "encoding.0.kind must be thresholds or categories"),
    "a list as kind": (field("encoding.0.kind", []), "encoding.0.kind must be"),
    "a number as column": (field("encoding.0.column", 3), "encoding.0.column must be Unicode text"),
    "another column": (field("encoding.0.column", "edge"), "encoding.0 must be a rule that makes the inputs"),
    "a column twice": (field("encoding.1.column", "age"), "encoding.1 must be a rule that makes"),
    "two rules for a column": (
        lambda p: (
            p.about["inputs"].__setitem__(slice(2, 5), ["age >= 1", "age >= 2", "age >= 3"]),
            field("encoding.1", {"kind": "thresholds", "column": "age", "cuts": [1, 2, 3], "missing": False})(
                p
            ),
        ),
        "encoding.1.column must be a column without a rule before. Received: 'age'",
    ),
    "missing as a number": (field("encoding.1.missing", 1), "encoding.1.missing must be true or false"),
    "missing without an input": (field("encoding.0.missing", True), "encoding.0 must be a rule that makes"),
    "cuts as text": (field("encoding.0.cuts", "35"), "encoding.0.cuts must be a list"),
    "a text among the cuts": (
        field("encoding.0.cuts.0", "35"),
        "encoding.0.cuts: Cut points of column 'age'",
    ),
    "a boolean among the cuts": (field("encoding.0.cuts.0", True), "encoding.0.cuts: Cut points"),
    "null among the cuts": (
        field("encoding.0.cuts.0", None),
        "encoding.0.cuts must be text, a boolean or a number",
    ),
    "cuts that fall": (field("encoding.0.cuts", [35.5, -3]), "encoding.0.cuts: Cut points"),
    "a cut that is a float": (field("encoding.0.cuts.0", -3.0), "encoding.0 must be a rule that makes"),
    "categories of two kinds": (
        field("encoding.1.categories.0", 1),
        "encoding.1.categories: Categories of column",
    ),
    "a category twice": (field("encoding.1.categories.1", "farmer"), "encoding.1.categories: Categories of"),
    "a list as category": (field("encoding.1.categories.1", []), "encoding.1.categories must be text"),
    "a long name, many times": (
        field(
            "encoding.0",
            {"kind": "thresholds", "column": "x" * 10**5, "cuts": list(range(10**4)), "missing": False},
        ),
        "encoding.0 must be a rule that makes",
    ),
    # labels
    "labels as text": (field("labels", "ab"), "labels must be a list"),
    "labels of one decision": (field("labels", ["a", "b"]), "labels must be a list. Received: 'a'"),
    "a pair of three": (field("labels.0", ["a", "b", "c"]), "labels: labels must be 2 pairs"),
    "a pair too few": (lambda p: p.about["labels"].pop(), "labels: labels must be 2 pairs"),
    "a label twice": (field("labels.1", [1, True]), "labels: Labels of one decision must differ"),
    "null as label": (
        field("labels.1.0", None),
        "labels must be text, a boolean or a number. Received: None",
    ),
    "an object as label": (field("labels.1.0", {"a": 1}), "labels must be text, a boolean or a number"),
    "labels of sums": (
        field("layers.1.activation", "identity"),
        "labels must be text, a boolean or a number",
    ),
    # JSON
    "NaN in JSON": (inner("35.5", "NaN"), "__metadata__.limen: Numbers must be finite. Received: NaN"),
    "infinity in JSON": (inner("35.5", "-Infinity"), "Numbers must be finite. Received: -Infinity"),
    "a float without end": (inner("35.5", "1e999"), "Numbers must be finite. Received: 1e999"),
    "an integer beyond 64 bits": (inner("35.5", str(2**64)), "Whole numbers must fit into 64 bits"),
    "an integer below 64 bits": (inner("-3", str(-(2**63) - 1)), "Whole numbers must fit into 64 bits"),
    "an integer of a million digits": (inner("35.5", "9" * 10**6), "Whole numbers must fit into 64 bits"),
    "a million minus signs": (inner("35.5", "-" * 10**6), "__metadata__.limen: It must be JSON"),
    "a field twice": (
        inner('"domain":', '"domain": "real", "domain":'),
        "Keys must be unique. Received: 'domain' twice",
    ),
    "a field twice, written otherwise": (
        inner('"domain":', '"doma\\u0069n": 1, "domain":'),
        "Keys must be unique",
    ),
    "a field of a rule twice": (inner('"missing":', '"missing": true, "missing":'), "Keys must be unique"),
    "metadata twice": (
        raw('"__metadata__":', '"__metadata__": {}, "__metadata__":'),
        "header: Keys must be unique",
    ),
    "an entry twice": (raw('"limen":', '"limen": "", "limen":'), "header: Keys must be unique"),
    "a tensor twice": (
        raw('"layers.1.bias":', '"layers.0.bias": {}, "layers.1.bias":'),
        "header: Keys must be unique",
    ),
    "a shape twice": (raw('"shape":', '"shape": [1], "shape":'), "header: Keys must be unique"),
    "a list as header": (lambda p: (b"{" + b"}[]", b""), "header: It must be JSON"),
    "deep lists": (inner("[", "[" * 10**5), "JSON must not be nested deeply"),
    "deep objects": (inner("[", '{"a":' * 10**5), "JSON must not be nested deeply"),
    "a deep header": (
        raw('"__metadata__":', '"x": ' + "[" * 10**5),
        "header: JSON must not be nested deeply",
    ),
    "text after the object": (inner("{", "{} {"), "__metadata__.limen: It must be JSON"),
    "a number as entry": (raw('"limen": "', '"limen": 1, "x": "'), "__metadata__"),
    "not UTF-8": (raw("farmer", "f\ud800rmer"), "header: Text must be UTF-8"),
    "a number as metadata": (lambda p: (b'{"__metadata__": 3}', b""), "no entry 'limen'"),
    "text as metadata": (
        lambda p: (b'{"__metadata__": {"limen": "1"}}', b""),
        "__metadata__.limen: It must be a JSON object",
    ),
    "an object as entry": (
        lambda p: (b'{"__metadata__": {"limen": {}}}', b""),
        "__metadata__.limen must be Unicode text",
    ),
    # the container
    "unknown field of a tensor": (
        raw('"dtype":', '"order": 1, "dtype":'),
        "may have the fields data_offsets, dtype, shape",
    ),
    "a tensor that isn't one": (
        raw('"layers.1.bias": {', '"layers.2.bias": 1, "layers.1.bias": {'),
        "safetensors refuses",
    ),
    "offsets that overlap": (raw("[0, 24]", "[0, 80]"), "safetensors refuses"),
    "offsets that run backwards": (raw("[0, 24]", "[24, 0]"), "safetensors refuses"),
    "offsets far away": (raw("[0, 24]", f"[0, {2**63}]"), "safetensors refuses"),
    "a size that overflows": (raw('"shape": [3]', f'"shape": [{2**63}, {2**63}]'), "safetensors refuses"),
    "a digest of another type": (raw('"U8"', '"I8"'), "digest must be a tensor at the end of the file"),
    "no digest": (raw('"digest"', '"layers.9.bias"'), "digest must be a tensor at the end of the file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_refused_by_name(name):
    """One wrong field in an otherwise sound file, the digest right, is a FileError that names the field."""
    change, message = WRONG[name]
    parts = Parts(GOLDEN)
    result = change(parts)
    data = sealed(*(result if isinstance(result, tuple) and isinstance(result[0], bytes) else parts.header()))
    with pytest.raises(FileError, match=re.escape(message.replace("@", limen.__version__))) as refusal:
        model_in(data)
    assert len(str(refusal.value)) < 2000
    str(refusal.value).encode()  # can be printed


def test_an_unchanged_file_is_not_refused():
    """The tools of these tests break nothing by themselves: a file taken apart and put together is read."""
    assert facts(model_in(forged(GOLDEN, lambda parts: None))) == facts(everything())
    swapped = forged(GOLDEN, lambda parts: parts.tensors.update(reversed(parts.tensors.items())))
    assert facts(model_in(swapped)) == facts(everything())
    free = raw('"digest":', '\n\t "digest" : ')(Parts(GOLDEN))
    assert facts(model_in(sealed(*free))) == facts(everything())


def test_a_wrong_digest_is_called_that():
    """Where only the digest is wrong, the message says so and what it should be."""
    with pytest.raises(
        FileError, match=r"digest must be that of the contents, [0-9a-f]{64}\. Received: 0{64}\."
    ):
        model_in(GOLDEN[:-32] + bytes(32))


def test_a_later_version_is_told_before_its_digest():
    """A file of a later version may differ in everything but the version, and is still called that."""
    later = {"__metadata__": {"limen": json.dumps({"version": 3, "colour": "blue"})}}
    with pytest.raises(FileError, match=r"Received: 3\. Install a later limen"):
        model_in(sealed(later, b"")[:-1])


def refused_or_sound(data: bytes) -> None:
    """Check that a file is refused, or is a model that saves as what it is; any other error fails the test."""
    try:
        model = model_in(data)
    except FileError:
        return
    assert facts(model_in(bytes_of(model))) == facts(model)


ALPHABET = st.sampled_from([*b'{}[]",:\\0123456789.eE-+truefalsnu \0\xff'])


@settings(max_examples=250, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1400), st.sampled_from(["replace", "insert", "delete"]), ALPHABET),
        max_size=4,
    )
)
def test_a_header_with_holes_and_a_right_digest(changes):
    """Whatever is changed in the header, the digest made right: a FileError or a sound model."""
    start = 8 + struct.unpack("<Q", GOLDEN[:8])[0]
    header, body = bytearray(GOLDEN[8:start]), GOLDEN[start:-32]
    for position, what, byte in changes:
        place = position % len(header)
        header[place : place + (what != "insert")] = b"" if what == "delete" else bytes([byte])
    refused_or_sound(sealed(bytes(header), body))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | words
    | st.sampled_from(["dense", "csc", "sign", "hardmax", "thresholds"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(words, inside, max_size=3),
    max_leaves=6,
)
PLACES = ["domain", "inputs", "inputs.0", "outputs", "outputs.1", "layers", "layers.0", "layers.0.activation"]
PLACES += [
    "layers.1.storage",
    "layers.0.shape",
    "layers.1.shape.0",
    "encoding",
    "encoding.0",
    "encoding.0.kind",
]
PLACES += [
    "encoding.0.cuts",
    "encoding.0.cuts.0",
    "encoding.1.categories",
    "encoding.1.missing",
    "encoding.0.column",
]
PLACES += ["labels", "labels.0", "labels.1.1", "version", "producer", "more"]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(PLACES), json_values)
def test_any_value_in_any_field(place, value):
    """Whatever JSON stands in a field, the digest right: a FileError or a sound model."""
    refused_or_sound(forged(GOLDEN, field(place, value)))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(list(Parts(GOLDEN).tensors)),
    st.sampled_from(["I64", "F64"]),
    st.lists(st.integers(-3, 8) | st.sampled_from([2**53, -(2**63), 2**63 - 1]), max_size=9),
)
def test_any_numbers_in_any_tensor(name, dtype, values):
    """Whatever numbers a tensor holds, the digest right: a FileError or a sound model."""
    refused_or_sound(forged(GOLDEN, tensor(name, values, dtype)))


# Memory -------------------------------------------------------------------------------------------------------------


def peak(data: bytes, folder: Path) -> float:
    """Return the most memory that loading took, in multiples of the file's size beyond what any file takes."""
    path = folder / "file.limen"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        load(path)
    except FileError:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return max(0, most - 200_000) / len(data)


def entry(text: str) -> bytes:
    """Return a file whose metadata is this text."""
    return sealed({"__metadata__": {"limen": text}}, b"")


HOSTILE = {
    "many empty lists": lambda: entry('{"version": 1, "labels": [' + "[]," * 300_000 + "[]]}"),
    "many empty objects": lambda: entry('{"version": 1, "labels": [' + "{}," * 300_000 + "{}]}"),
    "many short texts": lambda: entry('{"version": 1, "inputs": [' + '"ab",' * 200_000 + '"ab"]}'),
    "many floats": lambda: entry('{"version": 1, "labels": [' + "1.5," * 200_000 + "1.5]}"),
    "wide characters": lambda: entry('{"version": 1, "producer": "\U0001f600' + "x" * 1_000_000 + '"}'),
    "many empty lists outside": lambda: sealed(b'{"a": [' + b"[]," * 300_000 + b"[]]}", b""),
    "many tensors": lambda: forged(GOLDEN, lambda p: [p.put(f"t{i}", []) for i in range(5_000)]),
    "a long name, many times": lambda: forged(GOLDEN, WRONG["a long name, many times"][0]),
    "deep lists": lambda: entry("[" * 1_000_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_little_memory(tmp_path, name):
    """However a file of a megabyte is made up, loading takes no more than 32 times its size."""
    assert peak(HOSTILE[name](), tmp_path) < 32


def huge_inputs(parts: Parts) -> None:
    """Claim an enormous layer with nothing in it: one neuron, no entries."""
    parts.about.update(inputs=[], encoding=None, labels=None, outputs=["y"])
    parts.about["layers"] = [{"activation": "heaviside", "shape": [2**50, 1], "storage": "csc"}]
    parts.tensors.clear()
    for name, values in {
        "bias": [0],
        "weights.data": [],
        "weights.indices": [],
        "weights.indptr": [0, 0],
    }.items():
        parts.put(f"layers.0.{name}", values)


CLAIMS: dict[str, Callable[[Parts], Any]] = {
    "inputs": huge_inputs,
    "inputs of no size": lambda p: (
        p.tensors.__setitem__(W1, ["F64", [0, 2**50], b""]),
        field("layers.1.shape", [0, 2**50])(p),
    ),
    "neurons of no size": lambda p: (
        p.tensors.__setitem__(W1, ["F64", [2**50, 0], b""]),
        field("layers.1.shape", [2**50, 0])(p),
    ),
    "entries": tensor(W0 + ".indptr", [0, 3, 3, 2**50]),
    "an index": tensor(W0 + ".indices", [*ROWS[:6], 2**50]),
    "a shape": field("layers.0.shape", [2**50, 2**50]),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_cost_nothing(tmp_path, name):
    """A small file that claims a huge size is refused in less than the memory of a small file."""
    data = forged(GOLDEN, CLAIMS[name])
    with pytest.raises(FileError, match=r"layers\.[01]"):
        model_in(data)
    assert peak(data, tmp_path) == 0


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_an_ordinary_large_file_takes_a_small_multiple(tmp_path, dtype):
    """Loading a dense or sparse layer of megabytes takes less than four times the file's size."""
    dense = Layer(np.ones((1000, 400), dtype=dtype), np.zeros(400, dtype=dtype))
    assert peak(bytes_of(Network(dense)), tmp_path) < 4
    assert peak(bytes_of(Network(Layer(sparse.csc_array(dense.weights), dense.bias))), tmp_path) < 4


def test_a_large_foreign_file_is_not_read(tmp_path):
    """A file that can't be ours is refused by its first bytes: a terabyte of zeros takes no memory and no time."""
    path = tmp_path / "large.csv"
    with path.open("wb") as large:
        large.truncate(2**40)
    with pytest.raises(FileError, match=r"isn't a \.limen file"):
        load(path)


# Saving -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thing", [None, "model", {}, Layer([[1]], [0]), Network, [decision()], np.zeros(3)])
def test_only_models_and_networks_are_saved(tmp_path, thing):
    """Anything else is an InputError that says what came, and no file appears."""
    with pytest.raises(InputError, match=r"limen\.Model or a limen\.Network\. Received: "):
        save(thing, tmp_path / "file.limen")
    assert os.listdir(tmp_path) == []


UNFIT = {
    "an integer beyond 64 bits": lambda: Model(decision(), labels=[0, 2**64]),
    "an integer below 64 bits": lambda: Model(decision(), labels=[0, -(2**63) - 1]),
    "half a pair in a label": lambda: Model(decision(), labels=["a", "\ud800"]),
    "half a pair in a name": lambda: Network(Layer([[1]], [0]), ["\udc80"]),
    "half a pair in an output": lambda: Network(Layer([[1]], [0]), outputs=["\udc80"]),
    "a large cut point": lambda: Model(
        Network(Layer([[1]], [0]), [f"x >= {2**64}"], domain="binary"), Encoding([Thresholds("x", (2**64,))])
    ),
    "a column's name": lambda: Model(
        Network(Layer([[1]], [0]), ["a >= 1"], domain="binary"),
        Encoding([Thresholds("a", (1,)), Thresholds("\ud800", ())]),
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_no_file_can_hold(tmp_path, name):
    """What other programs couldn't read is refused before the file that is there is touched."""
    path = tmp_path / "file.limen"
    path.write_bytes(GOLDEN)
    with pytest.raises(InputError, match=r"to be saved\. Received"):
        save(UNFIT[name](), path)
    assert path.read_bytes() == GOLDEN
    assert os.listdir(tmp_path) == ["file.limen"]


def test_a_header_that_no_reader_takes_is_not_written(tmp_path, monkeypatch):
    """Names too long for the container are refused when saving, not found out when loading."""
    monkeypatch.setattr(file, "MOST_HEADER", 500)
    with pytest.raises(InputError, match="may take 500 bytes"):
        save(Network(Layer([[1]], [0]), ["x" * 400]), tmp_path / "file.limen")
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written(tmp_path):
    """No folder, or a folder in the place, is a FileError; nothing is left behind and nothing is lost."""
    (tmp_path / "old.limen").write_bytes(GOLDEN)
    for path in (tmp_path / "no folder" / "file.limen", tmp_path, tmp_path / "old.limen" / "file.limen"):
        with pytest.raises(FileError, match="can't be written"):
            save(decision(), path)
    assert os.listdir(tmp_path) == ["old.limen"]
    assert (tmp_path / "old.limen").read_bytes() == GOLDEN


def test_a_full_disk_leaves_the_old_model(tmp_path, monkeypatch):
    """Where the new model can't be written, the old one loads as before."""
    path = tmp_path / "file.limen"
    save(everything(), path)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(FileError, match="No space left"):
            save(decision(), path)
    assert facts(load(path)) == facts(everything())
    assert os.listdir(tmp_path) == ["file.limen"]


def test_many_writers_and_readers_of_one_path(tmp_path):
    """While threads save two models to one path, whoever loads it gets one of the two."""
    path = tmp_path / "file.limen"
    choices = [everything(), Model(nets.ZOO["300 inputs, sparse"])]
    save(choices[0], path)
    writers = [
        threading.Thread(target=lambda model=model: [save(model, path) for _ in range(25)])
        for model in choices
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert load(path) in choices
    assert load(path) in choices
    assert os.listdir(tmp_path) == ["file.limen"]


def test_another_process_writes_the_same_bytes_and_loads_little(tmp_path):
    """The bytes don't hang on the process; a dense model is saved and loaded without SciPy or scikit-learn."""
    code = """
import sys
import limen.export
assert "scipy" not in sys.modules, "import"
net = limen.Network(limen.Layer([[1, 2.5], [-1, 0]], [0, 1], "hardmax"), ["a", "b"])
limen.save(limen.Model(net, labels=["é", 2]), sys.argv[1])
assert limen.load(sys.argv[1]).labels == ("é", 2)
heavy = {"scipy", "sklearn", "numba", "pyarrow", "pandas", "torch"} & set(sys.modules)
assert not heavy, heavy
"""
    path = tmp_path / "file.limen"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    net = Network(Layer([[1, 2.5], [-1, 0]], [0, 1], "hardmax"), ["a", "b"])
    assert path.read_bytes() == bytes_of(Model(net, labels=["é", 2]))


def test_the_checks_can_fail():
    """The comparison these tests rest on tells values, types, storage and names apart."""
    alike = [
        Model(decision(), labels=[0, 1]),
        Model(decision(), labels=[False, True]),
        Model(decision(), labels=[0.0, 1.0]),
        Model(decision()),
        Model(nets.with_sparse_weights(decision())),
        Model(Network(Layer([[1.0], [-1.0]], [0.0]), domain="binary")),
        Model(Network(Layer([[1], [-1]], [0]), domain="integer")),
        Model(Network(Layer([[1], [-1]], [0]), outputs=["z"], domain="binary")),
    ]
    assert all((facts(a) == facts(b)) == (a is b) for a in alike for b in alike)
    with pytest.raises(FileError, match="'a' twice"):
        _fields.parsed(b'{"a": 1, "a": 1}', "x")
    assert _fields.parsed(b'{"a": 1, "b": [1.0, -0.0]}', "x") == {"a": 1, "b": [1.0, 0.0]}
