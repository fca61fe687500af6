"""Keras layers of threshold neurons: exact steps, slopes by their formulas, whole weights."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from limen.errors import InputError
from limen.learn._keras_door import keras
from limen.learn.keras import (
    ClipLatent,
    Hardmax,
    PowerSchedule,
    Silence,
    Step,
    ThresholdDense,
    _normalised_step,
    _weighted_sum,
)

ops = keras.ops
BACKEND = keras.backend.backend()
DTYPES = ("float32", "float16", "bfloat16")
# Ties, both zeros, neighbours of zero (smaller floats are 0 to some processors), beyond 2**24 (where float32 has no halves), the largest numbers, infinities.
TRYING = [0.0, -0.0, 2e-38, -2e-38, 6e-8, -6e-8, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 2048.0, -2049.0]
TRYING += [2.0**24 + 2, -(2.0**24) - 2, 2.0**30, -(2.0**30), math.inf, -math.inf]


def slope_of(f, z):
    """Return the derivative of the sum of ``f(z)``."""
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.grad(lambda z: ops.sum(f(z)))(ops.convert_to_tensor(z)))
    import torch

    tensor = torch.tensor(z, requires_grad=True)
    f(tensor).sum().backward()
    return tensor.grad.numpy()


def naive_step(z, output):
    """Return a step of one number, by its table."""
    if output == "heaviside":
        return 1.0 if z >= 0 else 0.0
    if output == "bipolar":
        return 1.0 if z >= 0 else -1.0
    return 1.0 if z > 0 else -1.0 if z < 0 else 0.0


def naive_slope(z, surrogate, power):
    """Return the slope of a surrogate at one number, by its table."""
    far = abs(z)
    if surrogate == "clipped_identity":
        return 1.0 if far <= 1 else 0.0
    if surrogate == "triangle":
        return 2 - 2 * far if far < 1 else 0.0
    if far > 1.5:
        return 0.0
    return 0.1 ** (1 / power - 1) if far < 0.1 else far ** (1 / power - 1) / power


# Steps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["heaviside", "bipolar", "sign"])
@pytest.mark.parametrize("surrogate", ["clipped_identity", "triangle", "power"])
def test_a_step_is_exact_in_every_type(dtype, output, surrogate):
    """Going forward, a step has the value its table says, at ties, at infinity and where floats have no fractions."""
    z = ops.cast(ops.convert_to_tensor(np.array(TRYING, dtype=np.float32)), dtype)
    as_given = [float(value) for value in ops.convert_to_numpy(ops.cast(z, "float32"))]
    layer = Step(output, surrogate, dtype=dtype)
    found = layer(ops.reshape(z, (1, -1)))
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    assert ops.convert_to_numpy(ops.cast(found, "float32"))[0].tolist() == [
        naive_step(value, output) for value in as_given
    ]


def test_the_usual_way_to_write_a_step_would_be_caught():
    """A step written as z + stop_gradient(step(z) - z) is wrong where float32 has no halves, and the test's numbers show it."""
    z = ops.convert_to_tensor(np.array(TRYING[:-2], dtype=np.float32))
    usual = z + ops.stop_gradient(ops.where(z >= 0, 1.0, 0.0) - z)
    assert ops.convert_to_numpy(usual).tolist() != [naive_step(value, "heaviside") for value in TRYING[:-2]]


@pytest.mark.parametrize("output", ["heaviside", "bipolar", "sign"])
@pytest.mark.parametrize(
    ("surrogate", "power"), [("clipped_identity", 1), ("triangle", 1), ("power", 1), ("power", 2.5)]
)
def test_slopes_follow_their_formulas(output, surrogate, power):
    """Going back, a step has the slope its table says, halved for heaviside, and none at infinity."""
    z = np.array([*np.linspace(-2, 2, 401), 1e30, -1e30], dtype=np.float32)
    layer = Step(output, surrogate)
    if surrogate == "power":
        layer.power.assign(power)
    height = 0.5 if output == "heaviside" else 1.0
    expected = [height * naive_slope(float(value), surrogate, power) for value in z]
    assert slope_of(layer, z) == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_hardmax_is_the_first_of_the_largest():
    """Of equal net inputs the first wins, and exactly one wins in each row."""
    z = np.array([[1, 3, 3], [2, 2, 2], [-5, -7, -5], [0, -0.0, 1e-30]], dtype=np.float32)
    assert ops.convert_to_numpy(Hardmax()(z)).argmax(axis=1).tolist() == [1, 0, 0, 2]
    assert ops.convert_to_numpy(Hardmax()(z)).sum(axis=1).tolist() == [1, 1, 1, 1]


def test_silence_only_silences():
    """While training, steps become 0 or stay what they are; about the share asked for; otherwise all stay."""
    layer, steps = (
        Silence(0.25, seed=1),
        np.where(np.arange(20_000) % 3, 1.0, -1.0).reshape(100, 200).astype("float32"),
    )
    heard = ops.convert_to_numpy(layer(steps, training=True))
    assert set(np.unique(heard[heard != 0] / steps[heard != 0])) == {1.0}
    assert 0.23 < (heard == 0).mean() < 0.27
    again = ops.convert_to_numpy(layer(steps, training=True))
    silent, then = (heard == 0).ravel(), (again == 0).ravel()
    # Chance, and no pattern: neighbours, rows and the next time have nothing to do with each other.
    for other in (silent[1:], silent[200:], then):
        assert abs(np.corrcoef(silent[: len(other)], other)[0, 1]) < 0.03
    assert ops.convert_to_numpy(layer(steps)).tolist() == steps.tolist()


# Layers -------------------------------------------------------------------------------------------------------


def with_latent(layer, latent):
    """Return the layer, built, with these latent weights."""
    latent = np.asarray(latent, dtype=np.float32)
    layer.build((None, latent.shape[0]))
    layer.kernel.assign(latent)
    return layer


@pytest.mark.parametrize(
    ("weights", "latent", "whole"),
    [
        ("binary", [-1, -1e-30, -0.0, 0, 1e-30, 1], [-1, -1, 1, 1, 1, 1]),
        ("ternary", [-1, -0.5, -0.499, 0, 0.499, 0.5], [-1, -1, 0, 0, 0, 1]),
        ("int4", [-1, -0.5, 0.07, 0.08, 0.999, 1], [-7, -4, 0, 1, 7, 7]),
        ("int8", [-1, -0.5, 0.003, 0.004, 0.999, 1], [-127, -64, 0, 1, 127, 127]),
    ],
)
def test_latent_weights_stand_for_whole_ones(weights, latent, whole):
    """Each kind of weights rounds as its table says, at the edges too."""
    layer = with_latent(ThresholdDense(1, weights), [[value] for value in latent])
    assert layer.whole_weights().ravel().tolist() == whole


@pytest.mark.parametrize("product", ["float32", "int8"])
@pytest.mark.parametrize("weights", ["binary", "ternary", "int4", "int8"])
def test_weighted_sums_are_exact(weights, product):
    """A layer's net inputs are the whole numbers that Python adds up, in the order of their size."""
    rng = np.random.default_rng(0)
    layer = with_latent(ThresholdDense(5, weights, product=product), rng.uniform(-1, 1, (300, 5)))
    layer.bias.assign(rng.uniform(-0.5, 0.5, 5).astype(np.float32))
    x = rng.choice([-1, 1], (40, 300))
    scores = x @ layer.whole_weights() + layer.whole_bias()
    found = ops.convert_to_numpy(layer(x.astype(np.float32)))
    assert found == pytest.approx(scores * float(ops.convert_to_numpy(layer.scale())), rel=1e-6)
    assert (np.argsort(found, axis=1, kind="stable") == np.argsort(scores, axis=1, kind="stable")).all()


@pytest.mark.parametrize("activation", ["heaviside", "bipolar"])
@pytest.mark.parametrize("weights", ["binary", "int8"])
def test_normalised_neurons_fire_from_a_whole_threshold_on(activation, weights):
    """By fractions: a neuron fires where the normalised sum plus its offset isn't negative, rounding of float64 aside."""
    rng = np.random.default_rng(1)
    layer = with_latent(ThresholdDense(6, weights, activation, normalize=True), rng.uniform(-1, 1, (9, 6)))
    layer.bias.assign(np.array([0, 0.25, -0.25, 3, -3, 0.01], dtype=np.float32))
    mean, variance = np.array([0.5, 1, -2, 0, 0.25, 3]), np.array([1.0, 4, 9, 2, 0, 5])
    layer.set_statistics(mean, variance)
    x = rng.choice([-1, 1], (200, 9))
    fired = ops.convert_to_numpy(layer(x.astype(np.float32))) > 0
    for row, decided in zip(x @ layer.whole_weights(), fired, strict=True):
        for k, s in enumerate(row):
            deviation = math.sqrt(variance[k] + layer.epsilon)
            z = (
                Fraction(int(s))
                - Fraction(mean[k])
                + Fraction(float(ops.convert_to_numpy(layer.bias)[k]) * deviation)
            )
            assert bool(decided[k]) == (z >= 0)


def test_a_neuron_that_always_or_never_fires_keeps_a_small_threshold():
    """Thresholds go no further than one beyond what sums can reach, whatever the statistics."""
    layer = with_latent(ThresholdDense(2, activation="bipolar", normalize=True), np.ones((4, 2)))
    layer.set_statistics(np.array([1e9, -1e9]), np.ones(2))
    assert layer.whole_bias().tolist() == [-5, 4]


@pytest.mark.parametrize("surrogate", ["clipped_identity", "triangle"])
def test_the_slope_of_normalised_steps_is_that_of_their_parts(surrogate):
    """Going back in one formula gives what going back step by step gives, and float and byte products nearly the same."""
    rng = np.random.default_rng(2)
    x, wanted = (
        rng.choice([-1.0, 1.0], (64, 32)).astype(np.float32),
        rng.normal(size=(64, 5)).astype(np.float32),
    )
    layer = with_latent(
        ThresholdDense(5, activation="bipolar", normalize=True, surrogate=surrogate),
        rng.uniform(-1, 1, (32, 5)),
    )
    offset = np.linspace(-0.5, 0.5, 5).astype(np.float32)
    step = Step("bipolar", surrogate)

    def together(s):
        return _normalised_step(
            s, ops.convert_to_tensor(offset), 1e-3, "bipolar", surrogate, None
        ) * ops.convert_to_tensor(wanted)

    def in_parts(s):
        mean, variance = ops.moments(s, axes=[0])
        return step((s - mean) * ops.rsqrt(variance + 1e-3) + offset) * ops.convert_to_tensor(wanted)

    s = (x @ layer.whole_weights()).astype(np.float32)
    assert slope_of(together, s) == pytest.approx(slope_of(in_parts, s), rel=1e-3, abs=1e-5)
    latent = ops.convert_to_numpy(layer.kernel)
    slow, fast = (
        slope_of(
            lambda w, p=product: together(_weighted_sum(ops.convert_to_tensor(x), w, "binary", p)), latent
        )
        for product in ("float32", "int8")
    )
    assert np.corrcoef(slow.ravel(), fast.ravel())[0, 1] > 0.999


def test_slopes_go_straight_through_to_latent_weights():
    """The slope of the loss by a latent weight is that by the weight it stands for, times its level."""
    x = np.array([[1.0, -1.0, 1.0]], dtype=np.float32)
    for weights, level in (("binary", 1), ("ternary", 1), ("int4", 7), ("int8", 127)):
        layer = with_latent(ThresholdDense(1, weights, use_bias=False), [[0.3], [-0.6], [0.1]])

        def sums(latent, layer=layer):
            return _weighted_sum(ops.convert_to_tensor(x), latent, layer.kind, "float32")

        assert slope_of(sums, np.array([[0.3], [-0.6], [0.1]], dtype=np.float32)) == pytest.approx(
            level * x.T
        )


def small_model(**options):
    """Return a model of every layer there is here."""
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Rescaling(2.0, -1.0),
            ThresholdDense(8, "ternary", "bipolar", normalize=True, **options),
            Silence(0.1, seed=0),
            ThresholdDense(5, "int4", "heaviside", surrogate="power"),
            ThresholdDense(4),
            Step("sign", "triangle"),
            ThresholdDense(3, "int8"),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


DATA = np.random.default_rng(5).integers(0, 2, (64, 6)).astype(np.float32)
CLASSES = (DATA.sum(axis=1) % 3).astype(np.int64)


def test_models_train_save_and_load_without_custom_objects(tmp_path):
    """A model learns in fit with callbacks, keeps latent weights in range, and is the same when saved and loaded."""
    model = small_model()
    before = ops.convert_to_numpy(model.layers[1].kernel)
    model.fit(DATA, CLASSES, epochs=6, batch_size=16, verbose=0, callbacks=[PowerSchedule(2.0)])
    latent = ops.convert_to_numpy(model.layers[1].kernel)
    assert np.abs(latent - before).max() > 0
    assert np.abs(latent).max() <= 1
    assert float(ops.convert_to_numpy(model.layers[3].power)) == 2.0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (model.predict(DATA, verbose=0) == loaded.predict(DATA, verbose=0)).all()
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in model.layers]


def test_the_whole_products_of_bytes_train_too():
    """With int8 products a model has the same outputs, and learns."""
    keras.utils.set_random_seed(1)
    slow, fast = small_model(), small_model(product="int8")
    fast.set_weights(slow.get_weights())
    assert (slow.predict(DATA, verbose=0) == fast.predict(DATA, verbose=0)).all()
    before = fast.evaluate(DATA, CLASSES, verbose=0)
    fast.optimizer.learning_rate = 0.03
    fast.fit(DATA, CLASSES, epochs=30, verbose=0)
    assert fast.evaluate(DATA, CLASSES, verbose=0) < before


def test_a_functional_model_of_mixed_precision_decides_as_one_of_float32():
    """Under mixed_bfloat16 sums, thresholds and scores stay exact, so that every output is the same."""
    outputs = []
    for policy in ("float32", "mixed_bfloat16"):
        inputs = keras.Input((6,), dtype="float32")
        h = keras.layers.Rescaling(2.0, -1.0, dtype=policy)(inputs)
        h = ThresholdDense(
            300, "int8", "bipolar", normalize=True, dtype=policy, kernel_initializer=uniform(1)
        )(h)
        h = ThresholdDense(4, "int8", dtype=policy, kernel_initializer=uniform(2))(h)
        outputs.append(keras.Model(inputs, h).predict(DATA, verbose=0))
    assert (outputs[0] == outputs[1]).all()


def uniform(seed):
    """Return an initializer of latent weights."""
    return keras.initializers.RandomUniform(-1.0, 1.0, seed=seed)


def test_layers_take_rows_of_any_rank():
    """Leading axes are kept, as in a Dense layer."""
    layer, x = ThresholdDense(2), np.random.default_rng(0).choice([-1.0, 1.0], (3, 4, 5)).astype(np.float32)
    assert (
        ops.convert_to_numpy(layer(x)) == ops.convert_to_numpy(layer(x.reshape(12, 5))).reshape(3, 4, 2)
    ).all()


def test_clipped_latent_weights_stay_within_one():
    """The constraint clips, and leaves the rest."""
    assert ops.convert_to_numpy(ClipLatent()(np.array([-3.0, 0.25, 1.5], "float32"))).tolist() == [
        -1,
        0.25,
        1,
    ]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Step("ramp"), "output must be one of heaviside, bipolar, sign"),
        (lambda: Step(surrogate="identity"), "surrogate must be one of clipped_identity"),
        (lambda: ThresholdDense(0), "units must be a whole number from 1. Received: 0"),
        (lambda: ThresholdDense(True), "units must be"),
        (lambda: ThresholdDense(2, "int3"), "weights must be one of binary"),
        (lambda: ThresholdDense(2, activation="relu"), "activation must be one of"),
        (lambda: ThresholdDense(2, normalize=True), "normalize is for heaviside and bipolar neurons"),
        (lambda: ThresholdDense(2, "float", product="int8"), "product must be float32 for float weights"),
        (lambda: ThresholdDense(2, product="int4"), "product must be one of"),
        (lambda: Silence(1.0), "rate must be a share"),
    ],
)
def test_bad_parameters_are_refused_by_name(make, expected):
    """The message says what was expected and what came."""
    with pytest.raises(InputError, match=expected):
        make()
