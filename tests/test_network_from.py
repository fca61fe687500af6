"""Keras models as networks: exact for every input, by plain Python, or refused by name."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import limen
import naive
import nets
from limen import Layer, Network
from limen.errors import InputError, NotExactError
from limen.learn import disagreements, keras_model, network_from
from limen.learn._keras_door import keras
from limen.learn._whole_sums import proved_increasing, proved_thresholds
from limen.learn.keras import Hardmax, Silence, Step, ThresholdDense

N = 9
ROWS = np.array(list(itertools.product((0, 1), repeat=N)), dtype=np.uint8)
kl = keras.layers


def signs():
    """Return the layer with which a model of zeros and ones begins."""
    return kl.Rescaling(2.0, -1.0)


def shaken(model, seed=0):
    """Return the model with weights and statistics as training might leave them: of all sizes and signs."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, ThresholdDense):
            layer.kernel.assign(rng.uniform(-1, 1, layer.kernel.shape).astype(np.float32))
            if layer.bias is not None:
                layer.bias.assign(rng.uniform(-0.2, 0.2, layer.units).astype(np.float32))
            if layer.normalize:
                layer.set_statistics(rng.normal(0, 2, layer.units), rng.uniform(0.5, 9, layer.units))
        elif isinstance(layer, kl.BatchNormalization):
            shape = layer.moving_mean.shape
            gamma = rng.normal(0, 1, shape)
            gamma[:2] = 0  # two neurons that are constant
            values = (gamma, rng.normal(0, 0.3, shape), rng.normal(0, 0.3, shape), rng.uniform(0.5, 2, shape))
            layer.set_weights([value.astype(np.float32) for value in values])
    return model


def sequential(*layers, seed=0):
    """Return a model of zeros and ones, shaken."""
    return shaken(keras.Sequential([keras.Input((N,)), *layers]), seed)


def own(weights, output="bipolar"):
    """Return hidden layers that normalise themselves."""
    return [
        ThresholdDense(7, weights, output, normalize=True),
        ThresholdDense(6, weights, output, normalize=True),
    ]


def folded(weights, output="bipolar"):
    """Return hidden layers that Keras normalises, with slopes of both signs."""
    parts = [[ThresholdDense(7, weights), kl.BatchNormalization(), Step(output)] for _ in range(2)]
    return [layer for part in parts for layer in part]


def plain(weights, output="bipolar"):
    """Return hidden layers with whole biases."""
    return [ThresholdDense(7, weights, output), ThresholdDense(6, weights), Step(output, "triangle")]


HIDDEN = {"own": own, "folded": folded, "plain": plain}
MODELS = {
    f"{weights}, {how}, {output}": (lambda w=weights, h=how, o=output: [signs(), *HIDDEN[h](w, o)])
    for weights in ("binary", "ternary", "int4", "int8")
    for how in HIDDEN
    for output in ("bipolar", "heaviside")
    if output == "bipolar" or weights == "binary"
}


def outputs(model, rows=ROWS):
    """Return what a model computes, each layer by itself; `predict` compiles them into one, which takes a second."""
    return keras.ops.convert_to_numpy(model(rows.astype(np.float32)))


def plainly(net):
    """Return what a network decides on all rows, added up in plain Python."""
    layers = [(layer.dense().tolist(), layer.bias.tolist(), layer.activation) for layer in net.layers]
    return [naive.network(layers, row) for row in ROWS.tolist()]


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_and_its_network_decide_alike_on_every_input(name, tmp_path):
    """Model, network, plain Python, the saved network and the simplified one agree on all rows; head scores are whole."""
    head = ThresholdDense(4, name.split(",")[0])
    model = sequential(*MODELS[name](), head)
    net = network_from(model)
    assert net.is_exact
    assert net.domain == "binary"
    scores = outputs(model)
    decided = net(ROWS)
    assert (scores.argmax(axis=1) == decided.argmax(axis=1)).all()
    assert (
        np.rint(scores / float(keras.ops.convert_to_numpy(head.scale()))).astype(int).tolist()
        == net.scores(ROWS).tolist()
    )
    assert decided.tolist() == plainly(net)
    assert len(disagreements(model, net, ROWS)) == 0
    limen.save(net, tmp_path / "net.limen")
    assert limen.load(tmp_path / "net.limen").network == net
    assert (limen.rewrite.simplify(net)(ROWS) == decided).all()
    assert len(np.unique(net.scores(ROWS), axis=0)) > 1


def test_classes_that_tie_are_won_by_the_first_in_both():
    """Two equal neurons, and scores that meet on many rows: model and network take the first."""
    model = sequential(signs(), *own("binary"), ThresholdDense(3, "binary"))
    latent = keras.ops.convert_to_numpy(model.layers[-1].kernel).copy()
    latent[:, 1] = latent[:, 0]
    model.layers[-1].kernel.assign(latent)
    model.layers[-1].bias.assign(np.zeros(3, dtype=np.float32))
    net = network_from(model)
    top = np.sort(net.scores(ROWS), axis=1)
    assert (top[:, -1] == top[:, -2]).mean() > 0.2
    assert (outputs(model).argmax(axis=1) == net(ROWS).argmax(axis=1)).all()
    assert not (net(ROWS).argmax(axis=1) == 1).any()


@pytest.mark.parametrize(
    ("tail", "activation", "decide"),
    [
        ([ThresholdDense(1)], "heaviside", lambda z: z >= 0),
        ([ThresholdDense(1, "int8"), kl.Activation("sigmoid")], "heaviside", lambda z: z >= 0.5),
        ([ThresholdDense(3), kl.Activation("sigmoid")], "heaviside", lambda z: z >= 0.5),
        ([ThresholdDense(3, "int8"), kl.Softmax()], "hardmax", lambda z: z == z.max(axis=1, keepdims=True)),
        ([ThresholdDense(3), Hardmax()], "hardmax", lambda z: z == 1),
        ([ThresholdDense(3, "int4", "heaviside")], "heaviside", lambda z: z == 1),
        ([ThresholdDense(3, "int4", "bipolar")], "heaviside", lambda z: z == 1),
    ],
)
def test_last_layers_mean_a_decision(tail, activation, decide):
    """One neuron and sigmoids fire, several compete, steps are what they are; a tie fires."""
    model = sequential(
        signs(), *own("ternary"), *[layer.__class__.from_config(layer.get_config()) for layer in tail]
    )
    net = network_from(model)
    assert net.layers[-1].activation == activation
    decided = net(ROWS)
    theirs = decide(outputs(model))
    rows = (
        (decided.sum(axis=1) == theirs.sum(axis=1)) if activation == "hardmax" else np.ones(len(ROWS), bool)
    )
    assert rows.mean() > 0.8  # hardmax has one winner where softmax has equals
    assert (decided[rows] == theirs[rows]).all()


def test_a_decision_can_be_chosen():
    """The same scores as competing classes, as neurons that each fire, or as they are."""
    model = sequential(signs(), ThresholdDense(3, "int8"))
    scores = network_from(model, decision="none")(ROWS)
    assert (network_from(model, decision="each")(ROWS) == (scores >= 0)).all()
    assert (network_from(model)(ROWS).argmax(axis=1) == scores.argmax(axis=1)).all()


def test_sign_neurons_of_three_values_stay_so():
    """A sign layer in a model is a sign layer in the network, zero at a tie."""
    model = sequential(signs(), ThresholdDense(5, "int4", "sign"), ThresholdDense(2, "int8"))
    model.layers[1].bias.assign(np.zeros(5, dtype=np.float32))
    net = network_from(model)
    assert net.layers[0].activation == "sign"
    assert (net.select(net.outputs)(ROWS) == net(ROWS)).all()
    assert (outputs(model).argmax(axis=1) == net(ROWS).argmax(axis=1)).all()
    assert 0 in net.layers[0](ROWS)


def test_functional_models_with_models_inside_are_read():
    """A functional chain with a model in it, layers that only train, and images that are flattened first."""
    inputs = keras.Input((3, 3))
    inner = keras.Sequential(
        [keras.Input((N,)), signs(), ThresholdDense(6, activation="bipolar", normalize=True)]
    )
    h = Silence(0.3, seed=0)(kl.Dropout(0.1)(inner(kl.Flatten()(inputs))))
    model = keras.Model(inputs, ThresholdDense(3, "int4")(h))
    shaken(inner)
    net = network_from(model, inputs=[f"pixel {k}" for k in range(N)], outputs=["a", "b", "c"])
    assert (net.inputs[0], net.outputs) == ("pixel 0", ("a", "b", "c"))
    images = ROWS.reshape(-1, 3, 3).astype(np.float32)
    assert (outputs(model, images).argmax(axis=1) == net(ROWS).argmax(axis=1)).all()


def test_ordinary_dense_models_are_networks_up_to_rounding():
    """Dense layers with smooth activations and normalisation between them give what predict gives, in float64."""
    model = shaken(
        keras.Sequential(
            [
                keras.Input((N,)),
                kl.Dense(8, activation="relu"),
                kl.BatchNormalization(),
                kl.Dense(6),
                kl.BatchNormalization(),
                kl.ReLU(),
                kl.Dense(5, activation="tanh"),
                kl.Dropout(0.5),
                kl.Dense(4, activation="sigmoid"),
                kl.Dense(3),
                kl.Activation("softmax"),
            ]
        )
    )
    net = network_from(model)
    assert not net.is_exact
    assert net.domain == "real"
    X = np.random.default_rng(0).normal(size=(50, N)).astype(np.float32)
    assert net(X) == pytest.approx(model.predict(X, verbose=0), rel=1e-4, abs=1e-6)


def test_a_last_layer_that_is_linear_stays_linear():
    """An ordinary model's numbers are not taken for a decision."""
    model = keras.Sequential([keras.Input((2,)), kl.Dense(1)])
    assert network_from(model).layers[-1].activation == "identity"


# Refusals -----------------------------------------------------------------------------------------------------


def branched():
    """Return a model that isn't a chain."""
    inputs = keras.Input((N,))
    one, two = ThresholdDense(2)(inputs), ThresholdDense(2)(inputs)
    return keras.Model(inputs, kl.Add()([one, two]))


def with_two_inputs():
    """Return a model with two inputs."""
    a, b = keras.Input((2,)), keras.Input((2,))
    return keras.Model([a, b], kl.Concatenate()([a, b]))


class Own(keras.Model):
    """A model with a call of its own."""

    def call(self, x):
        """Return what it is given."""
        return x


@pytest.mark.parametrize(
    ("make", "options", "error", "expected"),
    [
        (lambda: "model", {}, InputError, "model must be a Keras model. Received: str"),
        (Own, {}, InputError, "must be Sequential or functional"),
        (lambda: keras.Sequential([ThresholdDense(2)]), {}, InputError, "must be built"),
        (branched, {}, InputError, "must be a chain"),
        (with_two_inputs, {}, InputError, "one input and one output"),
        (lambda: sequential(kl.Dense(2, activation="gelu")), {}, InputError, "knows no activation 'gelu'"),
        (lambda: sequential(kl.LayerNormalization()), {}, InputError, r"LayerNormalization\) can't become"),
        (lambda: sequential(ThresholdDense(2), kl.Flatten()), {}, InputError, "it isn't the first"),
        (lambda: sequential(kl.ReLU(), kl.Dense(1)), {}, InputError, "follows no net inputs"),
        (lambda: sequential(kl.Dropout(0.5)), {}, InputError, "must have a layer with weights"),
        (lambda: sequential(ThresholdDense(2)), {"domain": "bits"}, InputError, "domain must be"),
        (lambda: sequential(ThresholdDense(2)), {"decision": "all"}, InputError, "decision must be one of"),
        (
            lambda: sequential(ThresholdDense(2, activation="sign")),
            {"decision": "each"},
            InputError,
            "without a step",
        ),
        (lambda: sequential(ThresholdDense(2)), {"exact": True}, NotExactError, "inputs may be any numbers"),
        (lambda: sequential(kl.Dense(2)), {"exact": True, "domain": "binary"}, NotExactError, "aren't whole"),
        (
            lambda: sequential(signs(), ThresholdDense(2), kl.BatchNormalization()),
            {},
            NotExactError,
            "no step follows",
        ),
        (
            lambda: sequential(signs(), ThresholdDense(2), kl.BatchNormalization(), Step("sign")),
            {},
            InputError,
            "three values after normalisation",
        ),
        (
            lambda: sequential(*own("binary"), ThresholdDense(2)),
            {"domain": "integer"},
            NotExactError,
            "have no bounds",
        ),
    ],
)
def test_what_cannot_be_read_is_named(make, options, error, expected):
    """The message says which layer or option, and why."""
    with pytest.raises(error, match=expected):
        network_from(make(), **options)


def test_sums_beyond_float32_are_refused():
    """Keras adds in float32: a layer whose sums could pass 2**24 isn't called exact."""
    model = keras.Sequential(
        [keras.Input((140_000,)), signs(), ThresholdDense(1, "int8", "heaviside", normalize=True)]
    )
    model.layers[1].kernel.assign(np.ones((140_000, 1), dtype=np.float32))
    with pytest.raises(NotExactError, match=r"exact below 2\*\*24"):
        network_from(model)


# The proof ----------------------------------------------------------------------------------------------------

LOW, HIGH = np.array([-6, -3]), np.array([6, 9])
ONE = np.ones(2)


def test_a_threshold_is_proved_in_both_directions():
    """Neurons that fire from a sum on, and down from one; that always do, or never."""
    turns, thresholds = proved_thresholds(
        lambda s: np.stack([s[:, 0] >= 2, s[:, 1] <= 4], axis=1),
        LOW,
        HIGH,
        np.array([1.0, -1]),
        np.array([-2.0, 4]),
        "a",
    )
    assert (turns.tolist(), thresholds.tolist()) == ([1, -1], [2, -4])
    turns, thresholds = proved_thresholds(
        lambda s: np.stack([s[:, 0] >= -9, s[:, 1] > 9], axis=1), LOW, HIGH, ONE, np.array([99.0, -99]), "a"
    )
    assert (turns.tolist(), thresholds.tolist()) == ([1, 1], [-6, 10])


@pytest.mark.parametrize(
    ("fires", "expected"),
    [
        (lambda s: s % 2 == 0, "has no threshold"),
        (lambda s: (s >= 2) & (s != 5), "has no threshold"),
        (lambda s: abs(s) >= 2, "has no threshold"),
        (lambda s: s >= 4, "too little precision"),
    ],
)
def test_the_proof_refuses_what_no_threshold_does(fires, expected):
    """An evaluation with gaps, or far from what its statistics say, is refused by the number of the neuron."""
    with pytest.raises(NotExactError, match=expected):
        proved_thresholds(fires, LOW, HIGH, ONE, np.array([-2.0, -2]), "a")


def test_the_proof_looks_at_every_sum():
    """One wrong sum among very many is found, wherever it stands."""
    low, high = np.array([-3_000_000]), np.array([3_000_000])
    for wrong in (-3_000_000, 17, 2_999_999):
        with pytest.raises(NotExactError, match="has no threshold"):
            proved_thresholds(
                lambda s, w=wrong: (s >= 5) ^ (s == w), low, high, np.ones(1), np.array([-5.0]), "a"
            )


def test_competing_outputs_must_tell_whole_numbers_apart():
    """Outputs that round two net inputs together, or differ between neurons, are refused."""
    proved_increasing(lambda s: s * 0.5, LOW, HIGH, np.zeros(2, dtype=np.int64), "a")
    for outputs in (lambda s: s // 2, lambda s: s * np.array([1.0, 1.01]), lambda s: -s):
        with pytest.raises(NotExactError, match="don't tell all its whole net inputs apart"):
            proved_increasing(outputs, LOW, HIGH, np.zeros(2, dtype=np.int64), "a")


# Side by side -------------------------------------------------------------------------------------------------


def test_a_tie_that_rounding_breaks_is_counted_as_one():
    """Where whole scores are equal and the model's floats aren't, the row is a tie; where a network differs, it isn't."""
    model = keras.Sequential([keras.Input((2,)), kl.Dense(2)])
    model.set_weights([np.array([[0.1, 0.3], [0.2, 0.0]], np.float32), np.zeros(2, np.float32)])
    tenths = Network(Layer([[1, 3], [2, 0]], [0, 0], "hardmax"), domain="binary")
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    scores = model.predict(X, verbose=0)
    found = disagreements(model, tenths, X)
    equal = np.ptp(tenths.scores(X), axis=1) == 0
    broken = np.flatnonzero(equal & (scores[:, 1] > scores[:, 0])).tolist()
    assert found.ties.tolist() == broken
    assert len(found.unexplained) == 0
    other = Network(Layer([[3, 1], [0, 2]], [0, 0], "hardmax"), domain="binary")
    wrong = disagreements(model, other, X)
    assert wrong.unexplained.tolist() == [1, 2]
    assert "2 unexplained" in str(wrong)


def test_scores_that_a_model_rounds_together_are_counted():
    """Where the model's floats are equal and the whole scores aren't, the row is one that rounding lost."""
    model = keras.Sequential([keras.Input((1,)), kl.Dense(2)])
    model.set_weights([np.array([[2.0**24, 2.0**24 + 1]], np.float32), np.zeros(2, np.float32)])
    net = Network(Layer([[2**24, 2**24 + 1]], [0, 0], "hardmax"), domain="binary")
    found = disagreements(model, net, np.array([[0], [1]]))
    assert (found.rounded.tolist(), len(found.ties), len(found.unexplained)) == ([1], 0, 0)


def test_one_neuron_is_compared_with_a_half_or_zero():
    """A sigmoid decides from one half on, net inputs from zero on."""
    for tail in ([], [kl.Activation("sigmoid")]):
        model = sequential(
            signs(), ThresholdDense(4, activation="bipolar", normalize=True), ThresholdDense(1), *tail
        )
        assert (
            str(disagreements(model, network_from(model), ROWS))
            == "Model and network decide alike on all 512 rows."
        )


def test_what_cannot_be_compared_is_refused():
    """A network of several decisions, and a model of other outputs."""
    model = sequential(ThresholdDense(2))
    with pytest.raises(InputError, match="must make one decision"):
        disagreements(model, Network(Layer(np.ones((N, 2)), [0, 0])), ROWS)
    with pytest.raises(InputError, match="must have the network's 3 outputs"):
        disagreements(model, Network(Layer(np.ones((N, 3)), [0, 0, 0], "hardmax")), ROWS)


# And back -----------------------------------------------------------------------------------------------------


def fits_float32(net):
    """Whether a network is small, and its sums are whole numbers that float32 holds."""
    reach = [
        np.abs(layer.dense().astype(float)).sum(axis=0).max() + np.abs(layer.bias).max()
        for layer in net.layers
    ]
    small = 0 < net.n_inputs <= 12 and net.depth <= 3
    return net.is_exact and net.domain == "binary" and small and max(reach) < 2**24


@pytest.mark.parametrize("name", nets.names(fits_float32))
def test_exact_networks_go_to_keras_and_back(name):
    """Model and the network read back from it give what the network gives, on all its rows."""
    net = nets.ZOO[name]
    X = np.asarray(nets.rows_for(net, most=512))
    model = keras_model(net)
    expected = net(X)
    assert (np.asarray(model(X.astype(np.float32))) == expected).all()
    decision = None if net.layers[-1].activation != "identity" else "none"
    assert (network_from(model, domain="binary", decision=decision)(X) == expected).all()


def test_smooth_networks_go_to_keras_up_to_rounding():
    """A network of smooth layers gives the same numbers there, to float32."""
    rng = np.random.default_rng(0)
    layers = [
        Layer(rng.normal(size=(3, 4)), rng.normal(size=4), "relu"),
        Layer(rng.normal(size=(4, 4)), rng.normal(size=4), "tanh"),
        Layer(rng.normal(size=(4, 2)), rng.normal(size=2), "softmax"),
    ]
    X = rng.normal(size=(20, 3))
    assert keras_model(Network(layers)).predict(X, verbose=0) == pytest.approx(Network(layers)(X), rel=1e-4)


def test_what_keras_cannot_hold_is_refused():
    """Sums that pass 2**24, no inputs, and what is no network."""
    with pytest.raises(NotExactError, match=r"whole numbers below 2\*\*24"):
        keras_model(nets.ZOO["comparator of 31 bits"])
    with pytest.raises(InputError, match="at least one input"):
        keras_model(nets.ZOO["no inputs"])
    with pytest.raises(InputError, match="must be a limen"):
        keras_model("net")
