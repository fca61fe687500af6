"""The tie rule and the activations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from limen import step

AROUND_A_TIE = [-(2**62), -2, -1, 0, 1, 2, 2**62]


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.int8])
def test_a_neuron_fires_iff_its_net_input_is_at_least_zero(dtype: type) -> None:
    """The tie rule: 0 at -1, 1 at 0 and at 1, in every type."""
    z = np.array([-1, 0, 1], dtype=dtype)
    assert step.heaviside(z).tolist() == [0, 1, 1]
    assert step.heaviside(z).dtype == np.int8


@pytest.mark.parametrize("threshold", [-3, 0, 1, 2**40])
def test_the_tie_at_the_threshold(threshold: int) -> None:
    """A weighted sum of θ-1 doesn't fire, θ and θ+1 do: a neuron fires when its sum reaches its threshold."""
    sums = np.array([threshold - 1, threshold, threshold + 1])
    assert step.heaviside(sums - threshold).tolist() == [0, 1, 1]


def test_the_smallest_float_below_zero_does_not_fire() -> None:
    """Nothing is rounded towards a tie; minus zero is zero."""
    tiny = 5e-324
    assert step.heaviside(np.array([-tiny, -0.0, tiny])).tolist() == [0, 1, 1]
    assert step.sign(np.array([-tiny, -0.0, tiny])).tolist() == [-1, 0, 1]


def test_sign_is_zero_exactly_at_zero() -> None:
    """-1 below, 0 at and +1 above zero, as int8."""
    result = step.sign(np.array(AROUND_A_TIE))
    assert result.tolist() == [-1, -1, -1, 0, 1, 1, 1]
    assert result.dtype == np.int8


def test_sign_is_the_difference_of_two_heavisides() -> None:
    """sign(z) = [z >= 0] - [-z >= 0]."""
    z = np.array(AROUND_A_TIE)
    assert np.array_equal(step.sign(z), step.heaviside(z) - step.heaviside(-z))


@pytest.mark.parametrize(
    ("z", "winner"), [([1, 2, 3], 2), ([3, 3, 1], 0), ([0, 3, 3], 1), ([-1, -1, -1], 0), ([5], 0)]
)
def test_hardmax_is_one_hot_of_the_first_largest(z: list[int], winner: int) -> None:
    """Exactly one neuron puts out 1, the first of equals."""
    assert step.hardmax(np.array(z)).tolist() == [int(i == winner) for i in range(len(z))]


def test_hardmax_of_integers_beyond_float64() -> None:
    """Integers that float64 can't tell apart are told apart."""
    assert step.hardmax(np.array([2**53, 2**53 + 1])).tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 0, 3), (2, 2, 3)])
@pytest.mark.parametrize("name", step.ACTIVATIONS)
def test_shapes_stay(name: str, shape: tuple[int, ...]) -> None:
    """An activation keeps the shape; the steps return int8, identity what came, the smooth ones float64."""
    z = np.arange(math.prod(shape)).reshape(shape)
    result = step.ACTIVATIONS[name](z)
    assert result.shape == shape
    assert result.dtype == (np.int8 if name in step.STEPS else np.int64 if name == "identity" else np.float64)


@pytest.mark.parametrize("name", step.ACTIVATIONS)
def test_the_net_inputs_are_left_alone(name: str) -> None:
    """An activation doesn't write to its argument."""
    z = np.array([[-1.5, 0.0, 2.0]])
    z.setflags(write=False)
    step.ACTIVATIONS[name](z)
    assert z.tolist() == [[-1.5, 0.0, 2.0]]


@pytest.mark.parametrize("z", [-2.5, -1.0, 0.0, 0.5, 3.0])
def test_the_smooth_ones_are_what_their_formulas_say(z: float) -> None:
    """Sigmoid, tanh and relu against Python's `math`, to the rounding of a few operations."""
    array = np.array([z])
    assert step.sigmoid(array)[0] == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-14)
    assert step.tanh(array)[0] == pytest.approx(math.tanh(z), rel=1e-14)
    assert step.relu(array)[0] == max(z, 0.0)


def test_softmax_is_shares_of_powers() -> None:
    """Shares of e**z add up to 1, also where e**z would overflow."""
    shares = step.softmax(np.array([[0.0, math.log(3.0)], [1e4, 1e4]]))
    assert shares == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]), rel=1e-14)
    assert step.softmax(np.array([-1e4, 0.0])).tolist() == [0.0, 1.0]


def test_smooth_ones_do_not_overflow() -> None:
    """Extreme net inputs give the limits, without a warning."""
    z = np.array([-1e308, 1e308])
    assert step.sigmoid(z).tolist() == [0.0, 1.0]
    assert step.tanh(z).tolist() == [-1.0, 1.0]


def test_bits_and_signs_are_inverse() -> None:
    """0 ↔ -1 and 1 ↔ +1, as int8, from any type."""
    for dtype in (bool, np.uint8, np.int64, np.float64):
        bits = np.array([[0, 1], [1, 0]], dtype=dtype)
        signs = step.to_signs(bits)
        assert signs.tolist() == [[-1, 1], [1, -1]]
        assert signs.dtype == np.int8
        assert np.array_equal(step.to_bits(signs), bits)


def test_every_step_and_coupled_one_is_an_activation() -> None:
    """The sets name activations that exist."""
    assert set(step.ACTIVATIONS) >= step.STEPS | step.COUPLED
    assert set(step.ACTIVATIONS) == {
        "heaviside", "sign", "identity", "hardmax", "sigmoid", "tanh", "relu", "softmax",
    }  # fmt: skip
