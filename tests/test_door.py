"""What isn't of the form asked for is a named error at the door, whatever it is; what is, isn't copied needlessly."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from limen import Layer, Network, logic
from limen.errors import FormulaError, InputError, NotExactError

AND = Layer([[1], [1]], [-2])
NET = Network(AND, domain="binary")
GAPS = np.ma.array([[0, 1]], mask=[[True, False]])


class Elsewhere:
    """An array of another library that NumPy can't have, as one on a graphics card."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [TypeError("it lies on cuda:0"), RuntimeError("it lies on cuda:0")])
def test_arrays_that_numpy_cannot_have_are_refused(error: Exception) -> None:
    """As rows and as weights they are InputErrors that pass on the other library's reason."""
    with pytest.raises(InputError, match=r"X must be .* Received: it lies on cuda:0\.$"):
        NET(Elsewhere(error))
    with pytest.raises(InputError, match=r"weights must be .* Received: it lies on cuda:0\.$"):
        Layer(Elsewhere(error), [1])


def test_masked_entries_are_refused() -> None:
    """An entry without a value is neither an input nor a weight nor a bias; a mask that hides nothing is fine."""
    for refused in (lambda: NET(GAPS), lambda: Layer(GAPS, [0, 0]), lambda: Layer([[1, 1]], GAPS[0])):
        with pytest.raises(InputError, match="must have a value everywhere"):
            refused()
    assert Layer(np.ma.array([[1], [1]], mask=False), [-2]) == AND


def test_objects_are_refused_as_rows_for_what_they_are() -> None:
    """Whole numbers kept as objects are called objects, unless one doesn't fit into int64."""
    with pytest.raises(InputError, match=r"Received: dtype object\. Convert it"):
        NET(np.array([[0, 1]], dtype=object))
    with pytest.raises(NotExactError, match=f"Received: {2**64}"):
        NET([[1, 2**64]])


@pytest.mark.parametrize(
    "refused",
    [
        lambda: Network(5),  # type: ignore[arg-type]
        lambda: Network(None),  # type: ignore[arg-type]
        lambda: Network(AND, inputs=5),  # type: ignore[arg-type]
        lambda: Network(AND, domain=np.array(["binary", "real"])),  # type: ignore[arg-type]
        lambda: NET.then(AND),  # type: ignore[arg-type]
        lambda: NET.beside(None, inputs="same"),  # type: ignore[arg-type]
        lambda: NET.select(None),  # type: ignore[arg-type]
        lambda: NET.select([0.0]),  # type: ignore[list-item]
    ],
)
def test_what_is_no_layer_network_or_name_is_refused(refused: Any) -> None:
    """Building and composing raise InputErrors, not errors of the code inside."""
    with pytest.raises(InputError, match="Received"):
        refused()


def test_refusals_of_many_names_are_short() -> None:
    """Among 100,000 names one that stands twice, or an unknown one, is named in a line."""
    names = [f"x{i}" for i in range(100_000)]
    layer = Layer(np.ones((1, len(names))), np.zeros(len(names)))
    net = Network(layer, ["a"], names)
    for refused in (
        lambda: Network(layer, ["a"], [*names[1:], "x7"]),
        lambda: net.select("x"),
        lambda: Network(Layer(np.ones((len(names), 1)), [0]), names).beside(NET, inputs="same"),
    ):
        with pytest.raises(InputError, match="Received") as raised:
            refused()
        assert len(str(raised.value)) < 500


def test_rows_are_converted_in_blocks_whatever_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many bytes as rows take far less memory than as float64, under dense and under sparse weights alike."""
    X = np.random.default_rng(0).integers(0, 2, (20_000, 200), dtype=np.uint8)
    W = np.random.default_rng(1).integers(-3, 4, (200, 2))
    expected = X.astype(np.int64) @ W >= 0
    monkeypatch.setattr("limen._weights.BLOCK", 50_000)
    for weights in (W, sparse.csr_array(W), W + 0.0, sparse.csr_array(W + 0.0)):
        net = Network(Layer(weights, [0, 0]), domain="binary")
        tracemalloc.start()
        try:
            outputs = net(X)
            assert tracemalloc.get_traced_memory()[1] < X.nbytes
        finally:
            tracemalloc.stop()
        assert np.array_equal(outputs, expected)


@pytest.mark.parametrize(
    "make", [lambda: Network(Layer([[1], [1]], [0]), {"a", "b"}), lambda: logic.inputs({"a", "b"})]
)
def test_names_come_in_an_order(make):
    """A set of names is refused, since its order may change from run to run."""
    with pytest.raises(InputError, match="order"):
        make()


def test_an_error_in_a_long_formula_shows_only_its_surroundings():
    """The caret stands under the character at fault, and a long or unprintable line isn't shown whole."""
    text = "a and\t" * 10_000 + "\x00" + " or b" * 10_000
    with pytest.raises(FormulaError) as caught:
        logic.parse(text)
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) < 200
    assert shown.isprintable()
    assert shown[len(caret) - 1] == "\N{REPLACEMENT CHARACTER}"


def test_the_smallest_int64_is_a_whole_number():
    """A float of exactly -2**63 lies in the integer domain; 2**63 doesn't."""
    net = Network(Layer([[0]], [-1]), domain="integer")
    assert net([[-(2.0**63)]]).tolist() == [[0]]
    with pytest.raises(InputError, match="whole numbers"):
        net([[2.0**63]])
