"""The split: every row on one side, every class with its share, one row of each to learn from."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from limen.errors import InputError
from limen.learn.split import split_rows, strata


@pytest.mark.parametrize("sizes", [[5, 5], [1, 9], [1, 1, 1, 1, 20], [100], [33, 33, 34], [2] * 30])
@pytest.mark.parametrize("test_size", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_every_class_keeps_its_share_and_a_row_to_learn_from(sizes, test_size, seed):
    """Each row is on one side; each class is held out within one row of its share where that is possible."""
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    training, test = split_rows(classes, test_size, random_state=seed)
    assert sorted([*training, *test]) == list(range(sum(sizes)))
    held_out, kept = Counter(classes[test].tolist()), Counter(classes[training].tolist())
    assert all(kept[k] >= 1 for k in range(len(sizes)))
    n_test = max(1, min(round(sum(sizes) * test_size), sum(sizes) - len(sizes)))
    assert len(test) == n_test
    if min(sizes) > 20:
        for k, size in enumerate(sizes):
            assert abs(held_out[k] - size * n_test / sum(sizes)) < 1


def test_the_seed_decides():
    """The same seed gives the same rows, another one others; every row is held out sometimes."""
    classes = ["a", "b"] * 10
    first = split_rows(classes, 0.25, random_state=1)
    assert all(
        np.array_equal(a, b) for a, b in zip(first, split_rows(classes, 0.25, random_state=1), strict=True)
    )
    seen = {int(i) for seed in range(60) for i in split_rows(classes, 0.25, random_state=seed)[1]}
    assert seen == set(range(20))


def test_a_number_of_rows_and_none():
    """A whole number is how many; 0 holds out none."""
    assert len(split_rows([0, 1] * 10, 7)[1]) == 7
    assert len(split_rows([0, 1] * 10, 0)[1]) == 0


@pytest.mark.parametrize("test_size", [-0.1, 1.5, 19, 20, 1e9])
def test_sizes_that_leave_nothing_are_refused(test_size):
    """Of 20 rows of 2 classes at most 18 can be held out."""
    with pytest.raises(InputError):
        split_rows([0, 1] * 10, test_size)


def test_combinations_that_occur_once_are_one_stratum():
    """Several targets are split by their combinations, the rare ones together."""
    positions = np.array([[0, 0], [0, 0], [1, 1], [1, 1], [0, 1], [1, 0]])
    joined = strata(positions)
    assert joined[0] == joined[1] != joined[2] == joined[3]
    assert joined[4] == joined[5] == -1
