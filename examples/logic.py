"""Logic as neurons: a formula, the neurons that compute it, and the table that shows it.

Run it with ``python examples/logic.py``.
"""

import limen
from limen import logic

a, b, c = logic.inputs("a b c")

# One neuron: excited by a, inhibited by b.
only_a = logic.network(a & ~b)
print(only_a)
print(logic.truth_table(only_a))

# "At least two of three" is one neuron as well.
vote = logic.network({"carried": logic.at_least(2, a, b, c)})
print(vote)

# A full adder: two outputs, the carry being that same vote.
adder = logic.network({"sum": a ^ b ^ c, "carry": logic.at_least(2, a, b, c)})
print(adder)
for x in (0, 1):
    for y in (0, 1):
        total, carry = adder([x, y, 1])
        print(f"{x} + {y} + 1 = {2 * carry + total}")

# Text says the same, and a network is a value that can be compared, saved and loaded.
same = logic.network({"carried": logic.parse("at_least(2, a, b, c)")})
print("Equal:", vote == same)
limen.save(adder, "adder.limen")
print("Loaded:", limen.load("adder.limen").network == adder)
