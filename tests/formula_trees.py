"""Random formulas as plain nested tuples (see `naive`), and the same as limen's formulas and as text."""

import random

from hypothesis import strategies as st

from limen import logic

TWO_PARTS = ("and", "or", "xor", "implies", "iff")
COUNTED = ("at_least", "at_most", "exactly")
SPELLINGS = {
    "not": ("not ", "~", "!", "¬", "NOT "),
    "and": (" and ", "&", "&&", " ∧ ", " And "),
    "or": (" or ", "|", "||", "∨", " OR "),
    "xor": (" xor ", "^", "⊕"),
    "implies": (" implies ", "->", "→"),
    "iff": (" iff ", "<->", "↔"),
}


def names(n):
    """Return the names of `n` inputs."""
    return [f"x{i}" for i in range(n)]


def trees(n, max_leaves=12):
    """Return a strategy for formulas of inputs ``x0`` to ``x(n-1)``."""
    leaves = st.one_of(
        st.sampled_from(names(n)).map(lambda name: ("input", name)),
        st.sampled_from(names(n)).map(lambda name: ("not", ("input", name))),
        st.sampled_from([("constant", 0), ("constant", 1)]) if n < 3 else st.nothing(),
    )

    def larger(part):
        several = st.lists(part, max_size=5)
        return st.one_of(
            part.map(lambda p: ("not", p)),
            st.tuples(st.sampled_from(TWO_PARTS), part, part),
            st.tuples(st.sampled_from(COUNTED), st.integers(-1, 6), several).map(
                lambda counted: (counted[0], counted[1], *counted[2])
            ),
            several.map(lambda parts: ("majority", *parts)),
        )

    return st.recursive(leaves, larger, max_leaves=max_leaves)


def built(tree):
    """Return the tree as limen's formula, made with operators and functions."""
    kind = tree[0]
    if kind == "input":
        return logic.inputs([tree[1]])[0]
    if kind == "constant":
        return logic.true if tree[1] else logic.false
    if kind in COUNTED:
        return getattr(logic, kind)(tree[1], [built(part) for part in tree[2:]])
    parts = [built(part) for part in tree[1:]]
    if kind == "majority":
        return logic.majority(parts)
    if kind == "not":
        return ~parts[0]
    p, q = parts
    by_operator = {"and": lambda: p & q, "or": lambda: p | q, "xor": lambda: p ^ q}
    return by_operator[kind]() if kind in by_operator else getattr(logic, kind)(p, q)


def written(tree, seed=0):
    """Return the tree as text, in mixed spellings and with all parentheses."""
    chance = random.Random(seed)

    def text(tree):
        kind = tree[0]
        if kind == "input":
            return tree[1]
        if kind == "constant":
            return ("false", "true")[tree[1]]
        if kind in COUNTED:
            return f"{kind}({', '.join([str(tree[1]), *map(text, tree[2:])])})"
        if kind == "majority":
            return f"majority({','.join(map(text, tree[1:]))})"
        sign = chance.choice(SPELLINGS[kind])
        if kind == "not":
            return f"({sign}{text(tree[1])})"
        return f"({text(tree[1])}{sign}{text(tree[2])})"

    return text(tree)
