"""Networks as ONNX models, in ONNX Runtime: every exact network of the zoo, ties included, and floats."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
from onnx import numpy_helper
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nets
from limen import Encoding, Layer, Model, Network, bits
from limen.encoding import Categories, Thresholds
from limen.errors import InputError, MissingExtraError, NotExactError
from limen.export import register_with_skl2onnx, to_onnx
from limen.learn import Perceptron, ThresholdEncoder

EXACT = nets.names(lambda net: net.is_exact)
MAJORITY = Network(Layer([[1], [1], [1]], [-2]), domain="binary")


def session(made):
    """Return an ONNX Runtime session that says nothing."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])


def rows_of(net):
    """Return dense rows to try."""
    rows = nets.rows_for(net)
    return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)


@pytest.mark.parametrize("name", EXACT)
def test_onnx_is_the_network(name):
    """Outputs and scores in ONNX Runtime are the network's, to the type, whatever the batch."""
    net = nets.ZOO[name]
    X = rows_of(net)
    run = session(to_onnx(net))
    kind = np.uint8 if net.domain == "binary" else np.int64
    for rows in (X, X[:1], X[:0]):
        output, scores = run.run(None, {"X": rows.astype(kind)})
        expected = net(rows)
        assert output.dtype == expected.dtype
        assert (output == expected).all()
        assert (scores == net.scores(rows)).all()


def test_small_weights_are_multiplied_as_bytes():
    """Where weights fit into int8 and sums into int32, MatMulInteger does the products; wider ones take int64."""
    narrow = Network(Layer([[127], [-127]], [5]), domain="binary")
    wide = Network(Layer([[128], [-127]], [5]), domain="binary")
    assert "MatMulInteger" in {node.op_type for node in to_onnx(narrow).graph.node}
    assert "MatMulInteger" not in {node.op_type for node in to_onnx(wide).graph.node}


@pytest.mark.parametrize("name", ["twelve inputs", "hardmax last, ties", "sign hidden"])
def test_one_wrong_weight_is_found(name):
    """A model whose first weight was changed isn't taken for the network."""
    net = nets.ZOO[name]
    made = to_onnx(net)
    first = made.graph.initializer[0]
    weights = numpy_helper.to_array(first).copy()
    weights[0, 0] += 9
    first.CopyFrom(numpy_helper.from_array(weights, first.name))
    output, scores = session(made).run(None, {"X": rows_of(net).astype(np.uint8)})
    assert not (scores == net.scores(rows_of(net))).all() or not (output == net(rows_of(net))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "activation", ["sigmoid", "tanh", "relu", "softmax", "identity", "sign", "heaviside", "hardmax"]
)
def test_any_network_goes_in_floats(activation, dtype):
    """In floats every activation is carried, up to the rounding of sums, none of which ties here."""
    rng = np.random.default_rng(0)
    net = Network(
        [
            Layer(rng.normal(size=(4, 6)), rng.normal(size=6), "tanh"),
            Layer(rng.normal(size=(6, 3)), rng.normal(size=3), activation),
        ]
    )
    X = rng.normal(size=(50, 4))
    output, scores = session(to_onnx(net, exact=False, dtype=dtype)).run(None, {"X": X.astype(dtype)})
    if activation in {"sign", "heaviside", "hardmax"}:
        assert output.dtype == np.int8
        assert (output == net(X)).all()
    else:
        np.testing.assert_allclose(output, net(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scores, net.scores(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", EXACT[::7])
def test_exact_networks_go_in_floats_too(name):
    """Whole numbers that float64 holds decide alike in floats."""
    net = nets.ZOO[name]
    output, _ = session(to_onnx(net, exact=False, dtype="float64")).run(
        None, {"X": rows_of(net).astype(np.float64)}
    )
    assert (output == net(rows_of(net))).all()


def test_the_model_says_what_it_is():
    """Version, producer, names and domain are in the model; it passes ONNX's own full check."""
    net = Network(MAJORITY.layers, ["a >= 1", "b", "c"], ["y = yes"], domain="binary")
    made = to_onnx(net)
    onnx.checker.check_model(made, full_check=True)
    assert made.opset_import[0].version == 19
    assert made.producer_name == "limen"
    found = {entry.key: entry.value for entry in made.metadata_props}
    assert found.pop("digest") == bits.compile(net).digest
    assert found == {"inputs": '["a >= 1", "b", "c"]', "outputs": '["y = yes"]'}


# Models -------------------------------------------------------------------------------------------------------

ENCODING = Encoding(
    [
        Thresholds("age", (30, 45.5), missing=True),
        Thresholds("big", (2**53 + 1,)),
        Categories("job", ("cook", "é✓"), missing=True),
        Categories("grade", (1, 2.5), missing=True),
        Categories("member", (True, False)),
        Thresholds("unused", ()),
    ]
)
TABLE = {
    "age": [29.9, 30.0, 45.5, np.nan],
    "big": [2.0**53, 2.0**53 + 2, 0.0, 1e300],
    "job": ["cook", "é✓", "baker", None],
    "grade": [1.0, 2.5, np.nan, 2.0],
    "member": [True, False, True, False],
}


def tensors(table):
    """Return a table as ONNX's tensors, missing texts empty."""
    found = {}
    for name, values in table.items():
        kind = object if isinstance(values[0], str) else bool if isinstance(values[0], bool) else np.float64
        found[name] = np.array(["" if v is None else v for v in values], dtype=kind)[:, np.newaxis]
    return found


@pytest.mark.parametrize(
    ("labels", "activation"),
    [
        (["low", "mid", "high"], "hardmax"),
        ([3, 5, 9], "hardmax"),
        ([0.5, 1.5, 2], "hardmax"),
        (["no", "yes"], "heaviside"),
        ([False, True], "heaviside"),
        (None, "hardmax"),
    ],
)
def test_a_models_columns_and_labels_go_along(labels, activation):
    """Columns as they are go in, and the labels that the model predicts come out."""
    n = 1 if activation == "heaviside" else 3
    rng = np.random.default_rng(1)
    net = Network(
        Layer(rng.integers(-3, 4, (ENCODING.n_inputs, n)), rng.integers(-1, 2, n), activation),
        ENCODING.inputs,
        domain="binary",
    )
    model = Model(net, ENCODING, labels)
    found = session(to_onnx(model)).run(None, tensors(TABLE))
    assert (found[0] == net(ENCODING.encode(TABLE))).all()
    if labels is None:
        assert len(found) == 2
    else:
        assert found[2].tolist() == model.predict(TABLE).tolist()


def test_every_input_of_the_encoding_is_made():
    """A model whose outputs are its inputs gives what the encoding gives."""
    n = ENCODING.n_inputs
    net = Network(Layer(np.eye(n, dtype=int), [-1] * n), ENCODING.inputs, domain="binary")
    output, _ = session(to_onnx(Model(net, ENCODING))).run(None, tensors(TABLE))
    assert (output == ENCODING.encode(TABLE)).all()


def test_whole_columns_are_compared_as_whole_numbers():
    """With numbers as int64 nothing is rounded beyond 2**53."""
    encoding = Encoding([Thresholds("a", (2**53 + 1,)), Categories("b", (3,))])
    net = Network(Layer([[1, 0], [0, 1]], [-1, -1]), encoding.inputs, domain="binary")
    table = {"a": np.array([2**53, 2**53 + 1]), "b": np.array([3, 4])}
    given = {name: values[:, np.newaxis] for name, values in table.items()}
    output, _ = session(to_onnx(Model(net, encoding), numbers="int64")).run(None, given)
    assert (output == encoding.encode(table)).all()


def one_rule(rule):
    """Return a model of one column."""
    encoding = Encoding([rule])
    return Model(
        Network(Layer(np.ones((encoding.n_inputs, 1), int), [-1]), encoding.inputs, domain="binary"), encoding
    )


@pytest.mark.parametrize(
    ("net", "options", "error", "expected"),
    [
        (Network(Layer([[0.5]], [0.0]), domain="binary"), {}, NotExactError, "to_integers"),
        (Network(Layer([[1]], [0])), {}, NotExactError, "real numbers"),
        (Network(Layer([[2**62], [2**62]], [0]), domain="binary"), {}, NotExactError, "could reach"),
        (7, {}, InputError, "Received: int"),
        (MAJORITY, {"dtype": "float16"}, InputError, "dtype must be"),
        (MAJORITY, {"numbers": "double"}, InputError, "numbers must be"),
        (one_rule(Thresholds("X", (1,))), {}, InputError, "can't be called 'X'"),
        (
            one_rule(Thresholds("a", (1,), missing=True)),
            {"numbers": "int64"},
            InputError,
            "no missing values",
        ),
        (one_rule(Categories("a", (True,), missing=True)), {}, InputError, "no missing values"),
        (one_rule(Categories("a", ("", "b"), missing=True)), {}, InputError, "missing text is the empty one"),
        (one_rule(Categories("a", (2.5,))), {"numbers": "int64"}, InputError, "never equals 2.5"),
        (one_rule(Categories("a", (2**53 + 1,))), {}, InputError, "No float64 equals"),
        (one_rule(Thresholds("a", (2**70,))), {"numbers": "int64"}, InputError, "must fit into int64"),
        (
            Model(Network(Layer([[1, 0]], [0, 0], "hardmax"), domain="binary"), None, [1, 2**63]),
            {},
            InputError,
            "fit into int64",
        ),
    ],
)
def test_what_onnx_cannot_carry_is_refused(net, options, error, expected):
    """Each refusal says what and what to do."""
    with pytest.raises(error, match=expected):
        to_onnx(net, **options)


def test_huge_weights_are_refused_before_they_are_made_dense():
    """A sparse network whose dense weights would fill the memory is refused by their size."""
    from scipy import sparse

    layer = Layer(sparse.csc_array((100_000, 100_000), dtype=np.int64), np.zeros(100_000, np.int64))
    with pytest.raises(InputError, match=r"are 74\.5 GiB"):
        to_onnx(Network(layer, domain="binary"))


def test_a_missing_extra_is_named(monkeypatch):
    """Without onnx the error says what to install."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"limen\[onnx\]"):
        to_onnx(MAJORITY)


# skl2onnx -----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
@pytest.mark.parametrize("before", [StandardScaler, ThresholdEncoder])
def test_pipelines_with_our_estimators_convert(load, text, dtype, before):
    """A scaler or an encoder and a Perceptron predict in ONNX Runtime what they predict in scikit-learn."""
    register_with_skl2onnx()
    X, y = load(return_X_y=True)
    y = np.array(["setosa", "é", "c"])[y] if text else y + 5
    pipeline = make_pipeline(before(), Perceptron(random_state=0)).fit(X, y)
    made = skl2onnx.to_onnx(pipeline, X[:1].astype(dtype), target_opset=19, options={"zipmap": False})
    labels, scores = session(made).run(None, {"X": X.astype(dtype)})
    assert (labels == pipeline.predict(X.astype(dtype))).all()
    assert scores.shape == (len(X), pipeline[-1].network_.n_outputs)


def test_what_skl2onnx_cannot_take_is_named():
    """Text in a tensor, and a classifier of several decisions, are refused with what to do instead."""
    register_with_skl2onnx()
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "job": ["x", "y", "x", "y"]})
    pipeline = make_pipeline(ThresholdEncoder(), Perceptron(random_state=0)).fit(table, [0, 1, 0, 1])
    from skl2onnx.common.data_types import DoubleTensorType

    with pytest.raises(InputError, match=r"limen\.learn\.model\(pipeline\)"):
        skl2onnx.convert_sklearn(
            pipeline, initial_types=[("X", DoubleTensorType([None, 2]))], target_opset=19
        )
    several = Perceptron(random_state=0).fit(np.eye(4), np.eye(4, 2, dtype=int) + 0)
    with pytest.raises(InputError, match="several decisions"):
        skl2onnx.to_onnx(several, np.eye(4), target_opset=19)


def test_learn_must_have_been_imported(monkeypatch):
    """Without limen.learn there is nothing to register, and the error says so."""
    monkeypatch.delitem(sys.modules, "limen.learn")
    with pytest.raises(InputError, match=r"Import limen\.learn first"):
        register_with_skl2onnx()
