"""Slow, obvious oracles on plain Python lists. They import nothing of limen, so that they can judge it.

A *row* is a list of inputs. A *layer* is ``(weights, bias, activation)``: ``weights[i][j]`` leads from input `i`
to neuron `j`, ``bias[j]`` belongs to neuron `j`. A *network* is a list of layers. A *tree* is a formula as
nested tuples: ``("input", name)``, ``("constant", 0)``, ``("not", tree)``, ``("and", tree, tree)``, the same
for ``or``, ``xor``, ``implies`` and ``iff``, ``("at_least", k, tree, …)``, the same for ``at_most`` and
``exactly``, and ``("majority", tree, …)``.
"""

from fractions import Fraction


def rows(n):
    """Return all rows of `n` zeros and ones, counting upwards in binary, first input most significant."""
    if n == 0:
        return [[]]
    shorter = rows(n - 1)
    return [[0, *row] for row in shorter] + [[1, *row] for row in shorter]


def net_input(weights, bias, row):
    """Return the weighted sum of one neuron plus its bias."""
    total = bias
    for weight, x in zip(weights, row, strict=True):
        total = total + weight * x
    return total


def neuron(weights, bias, row):
    """Return 1 if the neuron fires on `row`, else 0. `weights` holds one weight for each input."""
    if net_input(weights, bias, row) >= 0:
        return 1
    return 0


def layer(weights, bias, activation, row):
    """Return the outputs of one layer on `row`, one for each neuron."""
    z = []
    for j in range(len(bias)):
        column = [weights[i][j] for i in range(len(row))]
        z.append(net_input(column, bias[j], row))
    if activation == "heaviside":
        return [1 if value >= 0 else 0 for value in z]
    if activation == "sign":
        return [1 if value > 0 else -1 if value < 0 else 0 for value in z]
    if activation == "identity":
        return z
    if activation == "relu":
        return [value if value > 0 else 0 for value in z]
    if activation == "hardmax":
        winner = 0
        for j in range(1, len(z)):
            if z[j] > z[winner]:
                winner = j
        return [1 if j == winner else 0 for j in range(len(z))]
    raise ValueError(activation)


def network(layers, row):
    """Return the outputs of a network on `row`."""
    values = row
    for weights, bias, activation in layers:
        values = layer(weights, bias, activation, values)
    return values


def network_table(layers, n_inputs):
    """Return the outputs of a network on all rows of zeros and ones."""
    return [network(layers, row) for row in rows(n_inputs)]


def formula(tree, values):
    """Return 1 if the formula holds where `values` gives 0 or 1 for each name, else 0."""
    kind = tree[0]
    if kind == "input":
        return values[tree[1]]
    if kind == "constant":
        return tree[1]
    if kind in ("at_least", "at_most", "exactly"):
        count = 0
        for part in tree[2:]:
            count = count + formula(part, values)
        if kind == "at_least":
            return 1 if count >= tree[1] else 0
        if kind == "at_most":
            return 1 if count <= tree[1] else 0
        return 1 if count == tree[1] else 0
    parts = [formula(part, values) for part in tree[1:]]
    if kind == "majority":
        return 1 if 2 * sum(parts) > len(parts) else 0
    if kind == "not":
        return 0 if parts[0] == 1 else 1
    p, q = parts
    if kind == "and":
        return 1 if p == 1 and q == 1 else 0
    if kind == "or":
        return 1 if p == 1 or q == 1 else 0
    if kind == "xor":
        return 1 if p != q else 0
    if kind == "implies":
        return 0 if p == 1 and q == 0 else 1
    if kind == "iff":
        return 1 if p == q else 0
    raise ValueError(kind)


def truth_table(tree, names):
    """Return the value of the formula on all rows, the inputs being `names` in this order."""
    return [formula(tree, dict(zip(names, row, strict=True))) for row in rows(len(names))]


def exactly(layers):
    """Return the layers with every float replaced by the fraction it is; integers stay, being exact already."""
    exact = []
    for weights, bias, activation in layers:
        fractions = [[exact_number(weight) for weight in row] for row in weights]
        exact.append((fractions, [exact_number(value) for value in bias], activation))
    return exact


def exact_number(value):
    """Return a float as the fraction it is: a whole number over a power of two."""
    return Fraction(value) if isinstance(value, float) else value
