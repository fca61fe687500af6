"""The textbook's circuits agree with Python's arithmetic and have as many gates as promised."""

import itertools
import random
import subprocess
import sys

import numpy as np
import pytest

import naive
from limen import logic
from limen.errors import InputError, NotExactError
from limen.logic import circuits


def n_gates(net):
    """Return the neurons that don't merely pass a value on, in the last layer too."""
    return net.n_neurons - sum(int(net.pass_through(k).sum()) for k in range(net.depth))


def table(net):
    """Return the rows of the inputs and the outputs, computed by the oracle from the layers' numbers."""
    layers = [(layer.dense().tolist(), layer.bias.tolist(), layer.activation) for layer in net.layers]
    return list(zip(naive.rows(net.n_inputs), naive.network_table(layers, net.n_inputs), strict=True))


def number(bits):
    """Return the number that bits are in binary, most significant first."""
    return int("".join(map(str, bits)) or "0", 2)


def bits_of(value, n):
    """Return the `n` bits of a number, most significant first."""
    return [value >> i & 1 for i in reversed(range(n))]


def is_exact(net):
    """Whether a network is exact, on zeros and ones, and of heaviside layers only."""
    return net.is_exact and net.domain == "binary" and {x.activation for x in net.layers} == {"heaviside"}


@pytest.mark.parametrize("n", range(1, 10))
def test_functions_of_the_number_of_ones(n):
    """Parity, majority, at least k, the sorter and the count say what Python's sum says, in the gates promised."""
    nets = [circuits.parity(n), circuits.majority(n), circuits.sorter(n), circuits.popcount(n)]
    thresholds = [circuits.at_least(k, n) for k in range(n + 2)]
    assert all(map(is_exact, [*nets, *thresholds]))
    for row, put_out in table(nets[0]):
        assert put_out == [sum(row) % 2]
    for row, put_out in table(nets[1]):
        assert put_out == [int(2 * sum(row) > n)]
    for row, put_out in table(nets[2]):
        assert put_out == sorted(row, reverse=True)
    for row, put_out in table(nets[3]):
        assert number(put_out) == sum(row)
    for k, net in enumerate(thresholds):
        assert all(put_out == [int(sum(row) >= k)] for row, put_out in table(net))
    if n > 1:
        assert [n_gates(net) for net in nets] == [n.bit_length(), 1, n, n.bit_length()]
        assert [net.n_gates for net in thresholds] == [1] * (n + 2)
    assert nets[0].n_gates == n.bit_length()


def test_names_are_the_textbooks():
    """Inputs and outputs are named, a number's most significant bit first."""
    assert circuits.parity(2).inputs == ("x1", "x2")
    assert circuits.sorter(2).outputs == ("y1", "y2")
    assert circuits.popcount(4).outputs == ("count2", "count1", "count0")
    assert circuits.decoder(1).outputs == ("y0", "y1")
    assert circuits.multiplexer(2).inputs == ("s1", "s0", "d0", "d1", "d2", "d3")
    assert circuits.comparator(2).inputs == ("a1", "a0", "b1", "b0")
    assert circuits.comparator(2).outputs == ("ge",)
    adder = circuits.adder(2, carry_in=True)
    assert adder.inputs == ("a1", "a0", "b1", "b0", "carry_in")
    assert adder.outputs == ("carry", "sum1", "sum0")
    assert circuits.adder(1).outputs == ("carry", "sum")


@pytest.mark.parametrize("n", range(1, 7))
def test_every_symmetric_function(n):
    """Each agrees with its values, and has at most half as many gates as changes, and one."""
    for code in range(1 << (n + 1)):
        values = bits_of(code, n + 1)
        net = circuits.symmetric(n, values)
        assert is_exact(net)
        assert all(put_out == [values[sum(row)]] for row, put_out in table(net))
        changes = sum(a != b for a, b in itertools.pairwise(values))
        assert net.n_gates <= changes // 2 + 1
        assert (net.n_gates == 1) == (changes <= 1)


def test_a_symmetric_function_of_many_inputs():
    """With 100 inputs, where a table can't be, the count alone decides; parity folds to 7 gates."""
    generator = np.random.default_rng(0)
    values = generator.integers(0, 2, 101)
    net = circuits.symmetric(100, values)
    X = (generator.random((500, 100)) < generator.random((500, 1))).astype(int)
    assert (net(X)[:, 0] == values[X.sum(1)]).all()
    assert circuits.parity(100).n_gates == 7
    assert (circuits.parity(100)(X)[:, 0] == X.sum(1) % 2).all()


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("carry_in", [False, True])
def test_small_adders(n, carry_in):
    """All sums are right, in two gates for each bit."""
    net = circuits.adder(n, carry_in=carry_in)
    assert is_exact(net)
    for row, put_out in table(net):
        assert number(put_out) == number(row[:n]) + number(row[n : 2 * n]) + sum(row[2 * n :])
    assert n_gates(net) == 2 * n
    assert net.depth == 2


@pytest.mark.parametrize("n", [31, 32, 33, 64, 100])
@pytest.mark.parametrize("carry_in", [False, True])
def test_adders_of_long_numbers(n, carry_in):
    """Random numbers, and those whose carry goes all the way, add as Python's integers do."""
    net = circuits.adder(n, carry_in=carry_in)
    draw = random.Random(n)
    largest = (1 << n) - 1
    pairs = [(draw.getrandbits(n), draw.getrandbits(n)) for _ in range(100)]
    pairs += [(largest, 0), (largest, 1), (largest, largest), (largest ^ 5, 5), (0, 0)]
    for a, b in pairs:
        for c in [0, 1] if carry_in else [0]:
            row = [*bits_of(a, n), *bits_of(b, n), *([c] if carry_in else [])]
            assert number(net(row).tolist()) == a + b + c
    assert n_gates(net) == 2 * n
    assert net.depth == 1 + -(-n // 32)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_small_comparators(n):
    """One neuron tells whether a >= b."""
    net = circuits.comparator(n)
    assert is_exact(net)
    assert net.n_neurons == 1
    assert all(put_out == [int(number(row[:n]) >= number(row[n:]))] for row, put_out in table(net))


def test_comparators_go_as_far_as_int64():
    """With 62 bits every net input still fits; with 63 it wouldn't, and the circuit is refused."""
    net = circuits.comparator(62)
    draw = random.Random(0)
    pairs = [(draw.getrandbits(62), draw.getrandbits(62)) for _ in range(50)]
    largest = (1 << 62) - 1
    pairs += [(a, a) for a, _ in pairs[:5]] + [(largest, 0), (0, largest), (largest - 1, largest), (0, 0)]
    rows = [bits_of(a, 62) + bits_of(b, 62) for a, b in pairs]
    assert net(rows)[:, 0].tolist() == [int(a >= b) for a, b in pairs]
    for n in (63, 64, 1000):
        with pytest.raises(NotExactError, match=f"at most 62 bits.*n_bits={n}"):
            circuits.comparator(n)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_decoders(n):
    """Only the output whose number the inputs are fires."""
    net = circuits.decoder(n)
    assert is_exact(net)
    for row, put_out in table(net):
        assert put_out == [int(i == number(row)) for i in range(1 << n)]
    assert net.n_gates == 1 << n


@pytest.mark.parametrize("n", [1, 2, 3])
def test_multiplexers(n):
    """The data input that is selected is put out, in as many gates as there are data inputs."""
    net = circuits.multiplexer(n)
    assert is_exact(net)
    put_out = logic.truth_table(net).to_array()[:, -1]
    rows = (np.arange(1 << net.n_inputs)[:, np.newaxis] >> np.arange(net.n_inputs - 1, -1, -1)) & 1
    selected = rows[:, :n] @ (1 << np.arange(n - 1, -1, -1))
    assert (put_out == rows[np.arange(len(rows)), n + selected]).all()
    assert net.n_gates == 1 << n


def test_the_largest_circuits_are_made():
    """Sizes at the limits are built, and fire as they should."""
    net = circuits.multiplexer(8)
    row = [*bits_of(77, 8), *([0] * 256)]
    row[8 + 77] = 1
    assert net([row, row[:8] + [1 - x for x in row[8:]]]).ravel().tolist() == [1, 0]
    assert circuits.decoder(12)(bits_of(1234, 12)).argmax() == 1234
    assert circuits.at_least(40_000, 65_536).n_inputs == 65_536
    assert circuits.parity(1000)([1] * 999 + [0]).tolist() == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: circuits.parity(0), "n must be from 1 to 65536. Received: 0"),
        (lambda: circuits.parity(1 << 17), "n must be from 1 to 65536"),
        (lambda: circuits.majority(2.5), "n must be a whole number. Received: 2.5"),
        (lambda: circuits.sorter(True), "n must be a whole number. Received: True"),
        (lambda: circuits.popcount("3"), "n must be a whole number. Received: '3'"),
        (lambda: circuits.at_least(-1, 3), "k must be from 0 to 4. Received: −1"),
        (lambda: circuits.at_least(5, 3), "k must be from 0 to 4. Received: 5"),
        (lambda: circuits.decoder(13), "n must be from 1 to 12. Received: 13"),
        (lambda: circuits.multiplexer(0), "n_select must be from 1 to 12. Received: 0"),
        (lambda: circuits.comparator(0), "n_bits must be from 1 on. Received: 0"),
        (lambda: circuits.adder(0), "n_bits must be from 1 to 1024. Received: 0"),
        (lambda: circuits.symmetric(2, [0, 1]), "values must be 3 zeros and ones"),
        (lambda: circuits.symmetric(2, [0, 1, 2]), "values must be zeros and ones. Received: 2"),
        (lambda: circuits.symmetric(2, 5), "values must be 3 zeros and ones. Received: 5"),
    ],
)
def test_wrong_sizes_are_refused(call, message):
    """What was expected and what came is said."""
    with pytest.raises(InputError, match=message):
        call()


def test_the_count_of_gates_counts_all_but_pass_throughs():
    """A network that repeats an input in two layers has none; a negation is one."""
    assert n_gates(logic.network({"y": logic.parse("a")})) == 0
    assert n_gates(logic.network({"y": logic.parse("not a")})) == 1


def test_circuits_load_no_solver():
    """Building them needs neither a solver nor the compiler."""
    code = "import sys; from limen.logic import circuits; circuits.adder(8); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"highspy", "ortools", "numba"} & set(loaded)
