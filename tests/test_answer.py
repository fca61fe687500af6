"""Answers and certificates: what they say, and what they refuse to be taken for."""

import pickle
from fractions import Fraction

import numpy as np
import pytest

from limen.answer import Answer, Certificate
from limen.errors import InputError, UndecidedError


def xor(**changes):
    """Return the certificate of exclusive or, with changes."""
    parts = {
        "firing": [[0, 1], [1, 0]],
        "resting": [[0, 0], [1, 1]],
        "firing_counts": (1, 1),
        "resting_counts": (1, 1),
        "firing_indices": (1, 2),
        "resting_indices": (0, 3),
        "inputs": ("a", "b"),
        "decide": decide,
    }
    return Certificate(**(parts | changes))


def decide(rows, indices):
    """Say what exclusive or says."""
    return rows[:, 0] ^ rows[:, 1]


def test_a_right_certificate_checks() -> None:
    """Equal sums of rows that fire and rows that don't are a proof."""
    assert xor().check() is True
    assert xor(firing_counts=(3, 3), resting_counts=(3, 3)).check() is True


@pytest.mark.parametrize(
    "changes",
    [
        {"firing_counts": (1, 2)},
        {"firing_counts": (2, 2)},
        {"firing_counts": (0, 2)},
        {"firing_counts": (-1, -1), "resting_counts": (-1, -1)},
        {"resting": [[0, 0], [1, 0]]},
        {"resting": [[0, 1], [1, 0]]},
        {"firing": [[0, 0], [1, 1]]},
        {"firing": [[0, 0], [1, 1]], "resting": [[0, 1], [1, 0]]},
        {"decide": lambda rows, indices: np.ones(len(rows))},
        {"decide": lambda rows, indices: np.full(len(rows), -1)},
        {
            "firing": np.zeros((0, 2)),
            "resting": np.zeros((0, 2)),
            "firing_counts": (),
            "resting_counts": (),
            "firing_indices": (),
            "resting_indices": (),
        },
    ],
)
def test_a_wrong_certificate_does_not_check(changes) -> None:
    """A count, a row or a decision that is wrong is found, and nothing at all proves nothing."""
    assert xor(**changes).check() is False


def test_floats_are_the_fractions_they_are() -> None:
    """Sums that are equal only after rounding prove nothing."""
    certificate = Certificate([[0.3]], [[0.1], [0.5]], (2,), (1, 1), (0,), (1, 2), ("x",))
    assert 0.1 + 0.5 == 2 * 0.3
    assert Fraction(0.1) + Fraction(0.5) != 2 * Fraction(0.3)
    assert certificate.check() is False
    assert Certificate([[0.25]], [[0.0], [0.5]], (2,), (1, 1), (0,), (1, 2), ("x",)).check()


def test_multipliers_are_shares() -> None:
    """Counts are also read as a convex combination."""
    certificate = Certificate([[1], [4]], [[2]], (2, 1), (3,), (0, 2), (1,), ("x",))
    assert certificate.check()
    assert certificate.firing_multipliers == (Fraction(2, 3), Fraction(1, 3))
    assert certificate.resting_multipliers == (Fraction(1),)


def test_rows_that_do_not_fit_are_refused() -> None:
    """A count for each row, a column for each input."""
    with pytest.raises(InputError, match="a count and an index for each firing"):
        xor(firing_counts=(1,))
    with pytest.raises(InputError, match="row of 3 numbers"):
        xor(inputs=("a", "b", "c"))


def test_certificates_print_rows_and_sums() -> None:
    """A class sees the rows and the equal sums; what has no room is counted."""
    assert str(xor()).splitlines()[0] == "         a b"
    assert str(xor(firing_counts=(2, 2), resting_counts=(2, 2))).splitlines()[1] == "fires ×2    0 1"
    many = [f"x{k}" for k in range(40)]
    wide = Certificate(np.zeros((1, 40)), np.zeros((1, 40)), (1,), (1,), (0,), (1,), many)
    assert str(wide) == "1 firing and 1 resting row with equal sums over 40 inputs"


def test_a_certificate_is_read_only_and_pickles() -> None:
    """Nobody can change a proof, and it can be kept."""
    certificate = xor()
    with pytest.raises(ValueError, match="read-only"):
        certificate.firing[0, 0] = 1
    assert pickle.loads(pickle.dumps(certificate)).check()


def test_answers_are_true_false_or_an_error() -> None:
    """Unknown is neither, and says so."""
    assert Answer("proved", "Yes.")
    assert not Answer("refuted", "No.")
    with pytest.raises(UndecidedError, match="unknown so far"):
        bool(Answer("unknown", "Perhaps."))
    assert [Answer(v, "").is_unknown for v in ("proved", "refuted", "unknown")] == [False, False, True]


def test_least_means_that_bounds_meet() -> None:
    """Bounds that meet are the least, others aren't, none aren't."""
    assert Answer("proved", "", bounds=(3, 3)).is_least
    assert not Answer("proved", "", bounds=(2, 3)).is_least
    assert not Answer("proved", "").is_least


def test_numbers_that_cannot_be_added_are_refused() -> None:
    """NaN, infinity, text and halves of a row are no certificate."""
    for rows in (
        [[0, float("nan")], [1, 0]],
        [[0, float("inf")], [1, 0]],
        [["0", "1"], ["1", "0"]],
        [[0, None], [1, 0]],
    ):
        with pytest.raises(InputError, match="finite numbers"):
            xor(firing=rows)
    with pytest.raises(InputError, match="whole numbers"):
        xor(firing_counts=(1.9, 1.9))


def test_rows_that_a_function_does_not_have_prove_nothing() -> None:
    """A truth table says nothing of rows that aren't zeros and ones, nor of a row under another's number."""
    from limen import logic

    decide = logic.one_neuron([0, 1, 1, 0]).certificate.decide
    real = {"firing_indices": (2, 1), "firing": [[1, 0], [0, 1]], "decide": decide}
    assert xor(**real).check()
    assert not xor(**real | {"firing_indices": (0, 0)}).check()
    beyond = {"firing": [[0, -2], [-1, 0]], "resting": [[0, 0], [-1, -2]], "decide": decide}
    assert not xor(**beyond).check()
    assert not xor(firing=[[2, 0], [0, 2]], resting=[[1, 1], [1, 1]], decide=decide).check()
