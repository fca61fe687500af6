"""The file format: a model as one ``.limen`` file, and back.

A ``.limen`` file is a safetensors container. Its tensors are the numbers of the layers and a digest; its metadata
has one entry, ``limen``, a JSON object with everything else: names, activations, domain, encoding, labels.
``docs/file-format.md`` describes every field and is the contract: what version 1 wrote is read for ever.

* `save` writes a model. The same model gives the same bytes, and a crash leaves the old file or the new one.
* `load` reads one. It executes nothing that the file says, allocates no more than a small multiple of its size,
  and believes nothing: whatever isn't exactly as the format says is a `FileError` with the name of the field.

The last 32 bytes of a file are the SHA-256 of all bytes before them.
"""

from __future__ import annotations

import hashlib
import json
import os
import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save as serialize

import limen
from limen._door import is_sparse
from limen._files import reading, write_atomically
from limen.encoding import Categories, Encoding, Rule, Thresholds
from limen.errors import FileError, InputError
from limen.export import _fields
from limen.export._fields import LEAST, MOST, Fields
from limen.model import Model
from limen.network import DOMAINS, Layer, Network
from limen.step import ACTIVATIONS, Array

__all__ = ["VERSION", "load", "save"]

VERSION = 1
"""The version of the format that is written; it and every earlier one are read."""

ENTRY = "limen"  # the name of our entry in the container's metadata
DIGEST = "digest"  # the name of the tensor that holds the digest
DIGEST_SIZE = 32
LENGTH_SIZE = 8  # the file starts with the length of its header
MOST_HEADER = 100_000_000  # what safetensors reads

DTYPES = {"I64": np.dtype("<i8"), "F64": np.dtype("<f8")}
FIELDS = {"version", "producer", "domain", "inputs", "outputs", "layers", "encoding", "labels"}


def save(model: Model | Network, path: str | os.PathLike[str]) -> None:
    """Write a model, or a network as a model without encoding and labels, to one file.

    Parameters
    ----------
    model : Model or Network
    path : str or path
        By custom with the suffix ``.limen``. A file that is there is replaced once all is written, or left as it is.

    Raises
    ------
    InputError
        `model` is neither, or holds what the format can't: text that isn't Unicode, whole numbers beyond 64 bits.
    FileError
        `path` can't be written to.

    Examples
    --------
    >>> import limen, pathlib, tempfile
    >>> net = Network(Layer([[1], [1]], [-2]), ["a", "b"], ["a and b"], domain="binary")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "and.limen")
    ...     limen.save(net, path)
    ...     limen.load(path).network == net
    True
    """
    if isinstance(model, Network):
        model = Model(model)
    if not isinstance(model, Model):
        raise InputError(
            f"What is saved is a limen.Model or a limen.Network. Received: {type(model).__name__}."
        )
    write_atomically(path, _packed(model))


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model from a ``.limen`` file.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Model
        Equal to what was saved. A network comes back as a model without encoding and labels.

    Raises
    ------
    FileError
        No such file, not a ``.limen`` file, one of a later version, or one that is damaged; names the field.
    """
    with reading(path) as (stream, size), _loading(path):
        _header_size(stream.read(LENGTH_SIZE + 1), size)  # before anything large and foreign is read whole
        stream.seek(0)
        data = stream.read()
    with _loading(path):
        about, tensors = _opened(data)
        del data  # its numbers are now in `tensors`
        return _model(about, tensors)


@contextmanager
def _loading(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except FileError as error:
        raise FileError(f"{os.fspath(path)} can't be loaded. {error}") from error.__cause__


# Writing ------------------------------------------------------------------------------------------------------


def _packed(model: Model) -> bytes:
    """Return the bytes of the file."""
    text = json.dumps(
        _about(model), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    tensors = dict(_tensors(model.network))
    # The container sorts its tensors by type and name, bytes last: the digest is the end of the file.
    tensors[DIGEST] = np.zeros(DIGEST_SIZE, dtype=np.uint8)
    data = serialize(tensors, metadata={ENTRY: text})
    header = int.from_bytes(data[:LENGTH_SIZE], "little")
    if header > MOST_HEADER:
        raise InputError(
            f"Names, cut points, categories and labels may take {MOST_HEADER} bytes in a file. Received: {header}."
            " Give shorter names."
        )
    contents = memoryview(data)[:-DIGEST_SIZE]
    return b"".join((contents, hashlib.sha256(contents).digest()))


def _about(model: Model) -> Fields:
    network, encoding, labels = model.network, model.encoding, model.labels
    for name in (*network.inputs, *network.outputs):
        _require_fit(name, "name")
    for label in labels or ():
        for value in label if isinstance(label, tuple) else (label,):
            _require_fit(value, "label")
    return {
        "version": VERSION,
        "producer": f"limen {limen.__version__}",
        "domain": network.domain,
        "inputs": network.inputs,
        "outputs": network.outputs,
        "layers": [
            {
                "activation": layer.activation,
                "shape": [layer.n_inputs, layer.n_neurons],
                "storage": "csc" if is_sparse(layer.weights) else "dense",
            }
            for layer in network.layers
        ],
        "encoding": None if encoding is None else [_about_rule(rule) for rule in encoding.rules],
        "labels": labels,
    }


def _about_rule(rule: Rule) -> Fields:
    kind, values = ("thresholds", "cuts") if isinstance(rule, Thresholds) else ("categories", "categories")
    listed: Sequence[Any] = getattr(rule, values)
    _require_fit(rule.column, "column's name")
    for value in listed:
        _require_fit(value, f"value among the {values} of column {rule.column!r}")
    return {"kind": kind, "column": rule.column, values: listed, "missing": rule.missing}


def _tensors(network: Network) -> Iterator[tuple[str, Array]]:
    for index, layer in enumerate(network.layers):
        weights, name = layer.weights, f"layers.{index}.weights"
        yield f"layers.{index}.bias", np.ascontiguousarray(layer.bias)
        if is_sparse(weights):
            yield f"{name}.data", np.ascontiguousarray(weights.data)
            yield f"{name}.indices", weights.indices.astype(np.int64)
            yield f"{name}.indptr", weights.indptr.astype(np.int64)
        else:
            yield name, np.ascontiguousarray(weights)


def _require_fit(value: str | int | float | bool, what: str) -> None:
    """Refuse text and numbers that other programs couldn't read."""
    if isinstance(value, str) and not _fields.is_unicode(value):
        raise InputError(
            f"A {what} must be Unicode text to be saved. Received: {value!r}, half of a surrogate pair."
        )
    if isinstance(value, int) and not LEAST <= value <= MOST:
        raise InputError(f"A {what} must fit into 64 bits to be saved. Received: {value}. Make it text.")


# Reading: the container -----------------------------------------------------------------------------------------


def _opened(data: bytes) -> tuple[Fields, dict[str, Fields]]:
    """Return our metadata, and the tensors as the container gives them, once the digest is right."""
    size = _header_size(data[: LENGTH_SIZE + 1], len(data))
    header = _fields.parsed(data[LENGTH_SIZE : LENGTH_SIZE + size], "header")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or ENTRY not in metadata:
        raise FileError(
            "It is a safetensors file, but not one of limen's: its metadata has no entry 'limen'."
            " Give a file that limen.save wrote."
        )
    _fields.mapping(metadata, {ENTRY}, "__metadata__")
    about = _fields.parsed(
        _fields.string(metadata[ENTRY], f"__metadata__.{ENTRY}").encode(), f"__metadata__.{ENTRY}"
    )
    _require_version(about.get("version"))
    _require_digest(data, header, LENGTH_SIZE + size)
    try:
        found = deserialize(data)  # type: ignore[no-untyped-call]  # safetensors types only a part of itself
    except SafetensorError as error:
        raise FileError(
            f"header: safetensors refuses it, {str(error)[:300]!r}. The file is damaged."
        ) from error
    for name, entry in header.items():
        _fields.mapping(entry, {"dtype", "shape", "data_offsets"}, name)
    return about, {name: tensor for name, tensor in found if name != DIGEST}


def _header_size(opening: bytes, size: int) -> int:
    """Return the length of the header from the first nine bytes of a file and the file's size."""
    length = int.from_bytes(opening[:LENGTH_SIZE], "little")
    if len(opening) <= LENGTH_SIZE or opening[LENGTH_SIZE:] != b"{":
        found = f"it starts with {opening!r}" if opening else "it is empty"
        raise FileError(f"It isn't a .limen file: {found}. Give a file that limen.save wrote.")
    most = min(MOST_HEADER, size - LENGTH_SIZE)
    if length > most:
        raise FileError(
            f"header length must be at most {most}. Received: {length}. The file is truncated, damaged or not a"
            " .limen file."
        )
    return length


def _require_version(version: object) -> None:
    if type(version) is int and version > VERSION:
        raise FileError(
            f"version must be {VERSION} for this limen ({limen.__version__}). Received: {version}."
            " Install a later limen, which reads this file and all earlier ones."
        )
    if type(version) is not int or version != VERSION:
        raise _fields.refusal("version", f"{VERSION}", version)


def _require_digest(data: bytes, header: Fields, start: int) -> None:
    """Check that the digest is the end of the file and that of all before it."""
    end = len(data) - start
    place = {"dtype": "U8", "shape": [DIGEST_SIZE], "data_offsets": [end - DIGEST_SIZE, end]}
    if header.get(DIGEST) != place:
        raise _fields.refusal(DIGEST, f"a tensor at the end of the file, {place}", header.get(DIGEST))
    contents = memoryview(data)[:-DIGEST_SIZE]
    digest = hashlib.sha256(contents).digest()
    if digest != data[-DIGEST_SIZE:]:
        raise FileError(
            f"digest must be that of the contents, {digest.hex()}. Received: {data[-DIGEST_SIZE:].hex()}."
            " The file is damaged; get it again."
        )


# Reading: the model ---------------------------------------------------------------------------------------------


def _model(about: Fields, tensors: dict[str, Fields]) -> Model:
    _fields.mapping(about, FIELDS, f"__metadata__.{ENTRY}")
    _fields.string(about["producer"], "producer")
    inputs, outputs = _fields.names(about["inputs"], "inputs"), _fields.names(about["outputs"], "outputs")
    if about["domain"] not in DOMAINS:
        raise _fields.refusal("domain", f"one of {', '.join(DOMAINS)}", about["domain"])
    descriptions = _fields.sequence(about["layers"], "layers")
    if not descriptions:
        raise _fields.refusal("layers", "at least one layer", descriptions)
    layers: list[Layer] = []
    for index, description in enumerate(descriptions):
        n_inputs = layers[-1].n_neurons if layers else len(inputs)
        layers.append(_layer(f"layers.{index}", description, n_inputs, tensors))
    if tensors:
        received = reprlib.repr(min(tensors))
        raise FileError(f"Every tensor must be one of a layer. Received: {received}. The file is damaged.")
    if layers[-1].n_neurons != len(outputs):
        raise _fields.refusal(
            "outputs", f"{layers[-1].n_neurons} names, one for each neuron of the last layer", outputs
        )
    network = Network(layers, inputs, outputs, about["domain"])
    encoding = None if about["encoding"] is None else _encoding(about["encoding"], inputs)
    labels = None if about["labels"] is None else _labels(about["labels"], network)
    with _fields.named("labels"):
        return Model(network, encoding, labels)


def _layer(field: str, description: object, n_inputs: int, tensors: dict[str, Fields]) -> Layer:
    found = _fields.mapping(description, {"activation", "shape", "storage"}, field)
    activation, storage, shape = found["activation"], found["storage"], found["shape"]
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise _fields.refusal(f"{field}.activation", f"one of {', '.join(ACTIVATIONS)}", activation)
    bias = _tensor(tensors, f"{field}.bias", None, DTYPES)
    expected = [n_inputs, len(bias)]
    # Every dimension is now the length of something that is in the file, so that no number in it can ask for memory.
    if shape != expected or not all(type(n) is int for n in shape):
        before = "one for each input" if field == "layers.0" else "one for each neuron of the layer before"
        raise _fields.refusal(f"{field}.shape", f"{expected} ({n_inputs} inputs, {before})", shape)
    same = {name: dtype for name, dtype in DTYPES.items() if dtype == bias.dtype}
    if storage == "csc":
        weights = _sparse(tensors, f"{field}.weights", expected, same)
    elif storage == "dense":
        weights = _tensor(tensors, f"{field}.weights", expected, same)
    else:
        raise _fields.refusal(f"{field}.storage", "dense or csc", storage)
    with _fields.named(field):
        return Layer(weights, bias, activation)


def _tensor(
    tensors: dict[str, Fields], name: str, shape: list[int] | None, dtypes: dict[str, np.dtype[Any]]
) -> Array:
    """Take a tensor out of `tensors` as a read-only array; `shape` None means any vector."""
    tensor = tensors.pop(name, None)
    if tensor is None:
        raise FileError(f"{name} must be a tensor of the file. Received: none. The file is damaged.")
    if tensor["dtype"] not in dtypes:
        raise _fields.refusal(f"{name}.dtype", " or ".join(dtypes), tensor["dtype"])
    received = list(tensor["shape"])
    if received != shape and (shape is not None or len(received) != 1):
        raise _fields.refusal(f"{name}.shape", str(shape or "[n]"), received)
    array: Array = np.frombuffer(tensor["data"], dtypes[tensor["dtype"]]).reshape(received)
    return array


def _sparse(tensors: dict[str, Fields], name: str, shape: list[int], dtypes: dict[str, np.dtype[Any]]) -> Any:
    """Return sparse weights, their indices checked: SciPy's loops trust them."""
    from scipy import sparse

    n_inputs, n_neurons = shape
    whole = {"I64": DTYPES["I64"]}
    data = _tensor(tensors, f"{name}.data", None, dtypes)
    indices = _tensor(tensors, f"{name}.indices", [len(data)], whole)
    indptr = _tensor(tensors, f"{name}.indptr", [n_neurons + 1], whole)
    if indptr[0] != 0 or indptr[-1] != len(data) or (indptr[1:] < indptr[:-1]).any():
        raise _fields.refusal(f"{name}.indptr", f"from 0 to {len(data)} without a decrease", indptr)
    if ((indices < 0) | (indices >= n_inputs)).any():
        raise _fields.refusal(f"{name}.indices", f"from 0 to {n_inputs - 1}", indices)
    starts = np.zeros(len(data) + 1, dtype=bool)
    starts[indptr] = True
    if not ((indices[1:] > indices[:-1]) | starts[1:-1]).all():
        raise _fields.refusal(f"{name}.indices", "increasing within each neuron", indices)
    if (data == 0).any():
        raise _fields.refusal(f"{name}.data", "other than zero", data)
    return sparse.csc_array((data, indices, indptr), shape=(n_inputs, n_neurons))


def _encoding(found: object, inputs: list[str]) -> Encoding:
    rules: list[Rule] = []
    columns: set[str] = set()
    start = 0
    for index, description in enumerate(_fields.sequence(found, "encoding")):
        rule = _rule(description, f"encoding.{index}", inputs, start)
        if rule.column in columns:
            raise _fields.refusal(f"encoding.{index}.column", "a column without a rule before", rule.column)
        columns.add(rule.column)
        rules.append(rule)
        start += len(rule.inputs)
    if start < len(inputs):
        raise _fields.refusal("encoding", f"rules for all {len(inputs)} inputs", rules)
    with _fields.named("encoding"):
        return Encoding(rules)


def _rule(found: object, field: str, inputs: list[str], start: int) -> Rule:
    """Return the rule that makes the inputs from `start` on."""
    kind = found.get("kind") if isinstance(found, dict) else None
    if kind not in ("thresholds", "categories"):
        raise _fields.refusal(f"{field}.kind", "thresholds or categories", kind)
    values = "cuts" if kind == "thresholds" else "categories"
    description = _fields.mapping(found, {"kind", "column", values, "missing"}, field)
    column, missing = _fields.string(description["column"], f"{field}.column"), description["missing"]
    if type(missing) is not bool:
        raise _fields.refusal(f"{field}.missing", "true or false", missing)
    place = f"{field}.{values}"
    listed: Any = tuple(_fields.label(value, place) for value in _fields.sequence(description[values], place))
    n_inputs = len(listed) + missing
    own = tuple(inputs[start : start + n_inputs])
    # A name holds its column's: a long one with many cut points would make far more text than the file has.
    if len(own) == n_inputs and len(column) * n_inputs <= sum(map(len, own)):
        with _fields.named(place):
            rule = (Thresholds if kind == "thresholds" else Categories)(column, listed, missing)
        if rule.inputs == own:
            return rule
    raise _fields.refusal(field, f"a rule that makes the inputs {reprlib.repr(own)}", found)


def _labels(found: object, network: Network) -> list[Any]:
    labels = _fields.sequence(found, "labels")
    if network.layers[-1].activation != "heaviside" or network.n_outputs == 1:
        return [_fields.label(label, "labels") for label in labels]
    pairs = [_fields.sequence(pair, "labels") for pair in labels]
    return [tuple(_fields.label(label, "labels") for label in pair) for pair in pairs]
