"""Perceptrons in plain Python, slow and obvious: oracles that share no code with what they judge.

Rows are lists of numbers; give integers or fractions and every result is exact.
"""

from fractions import Fraction


def dot(w, x):
    """Return the sum of products."""
    return sum(a * b for a, b in zip(w, x, strict=True))


def one_output(rows, signs, epochs, weights=None, margin=0):
    """Train one neuron; return last weights, last bias, summed weights, summed bias, mistakes per epoch."""
    weights = weights or [1] * len(rows)
    w, b = [0] * len(rows[0]), 0
    w_sum, b_sum, mistakes = [0] * len(rows[0]), 0, []
    for _ in range(epochs):
        wrong = 0
        for x, y, s in zip(rows, signs, weights, strict=True):
            if y * (dot(w, x) + b) <= margin:
                wrong += 1
                w = [wj + s * y * xj for wj, xj in zip(w, x, strict=True)]
                b += s * y
            w_sum = [aj + wj for aj, wj in zip(w_sum, w, strict=True)]
            b_sum += b
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, w_sum, b_sum, mistakes


def competing(rows, codes, n_classes, epochs, margin=0):
    """Train competing classes; return the same as `one_output`, with a list for each class."""
    w, b = [[0] * len(rows[0]) for _ in range(n_classes)], [0] * n_classes
    w_sum, b_sum, mistakes = [[0] * len(rows[0]) for _ in range(n_classes)], [0] * n_classes, []
    for _ in range(epochs):
        wrong = 0
        for x, true in zip(rows, codes, strict=True):
            z = [dot(w[k], x) + b[k] for k in range(n_classes)]
            rival = max((k for k in range(n_classes) if k != true), key=lambda k: (z[k], -k))
            if z[true] - z[rival] <= margin:
                wrong += 1
                for k, y in ((true, 1), (rival, -1)):
                    w[k] = [wj + y * xj for wj, xj in zip(w[k], x, strict=True)]
                    b[k] += y
            for k in range(n_classes):
                w_sum[k] = [aj + wj for aj, wj in zip(w_sum[k], w[k], strict=True)]
                b_sum[k] += b[k]
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, w_sum, b_sum, mistakes


def longest_run(rows, signs, epochs):
    """Train one neuron; return, for each epoch, the weights and bias of its longest run without a mistake."""
    w, b, run, pockets = [0] * len(rows[0]), 0, 0, []
    for _ in range(epochs):
        best, pocket = -1, None
        for x, y in zip(rows, signs, strict=True):
            if y * (dot(w, x) + b) <= 0:
                if run > best:
                    best, pocket = run, (list(w), b)
                run = 0
                w = [wj + y * xj for wj, xj in zip(w, x, strict=True)]
                b += y
            else:
                run += 1
        if run > best:
            pocket = (list(w), b)
        pockets.append(pocket)
    return pockets


def aggressive_step(variant, loss, square, C):
    """Return how far a passive-aggressive rule goes along a row of squared length `square`."""
    if variant == "pa1":
        return min(C, loss / square)
    return loss / (square + 1 / (2 * C))


def aggressive(rows, signs, epochs, variant, C=1.0, margin=1.0, weights=None, intercept=True):
    """Train one neuron passive-aggressively; return what `one_output` returns."""
    weights, one = weights or [1] * len(rows), int(intercept)
    w, b = [0.0] * len(rows[0]), 0.0
    w_sum, b_sum, mistakes = [0.0] * len(rows[0]), 0.0, []
    for _ in range(epochs):
        wrong = 0
        for x, y, s in zip(rows, signs, weights, strict=True):
            z = dot(w, x) + b
            if y * z <= 0:
                wrong += 1
            if y * z < margin:
                step = s * y * aggressive_step(variant, margin - y * z, dot(x, x) + one, C)
                w = [wj + step * xj for wj, xj in zip(w, x, strict=True)]
                b += step * one
            w_sum = [aj + wj for aj, wj in zip(w_sum, w, strict=True)]
            b_sum += b
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, w_sum, b_sum, mistakes


def aggressive_competing(rows, codes, n_classes, epochs, variant, C=1.0, margin=1.0, weights=None):
    """Train competing classes passive-aggressively; return what `competing` returns."""
    weights = weights or [1] * len(rows)
    w, b = [[0.0] * len(rows[0]) for _ in range(n_classes)], [0.0] * n_classes
    w_sum, b_sum, mistakes = [[0.0] * len(rows[0]) for _ in range(n_classes)], [0.0] * n_classes, []
    for _ in range(epochs):
        wrong = 0
        for x, true, s in zip(rows, codes, weights, strict=True):
            z = [dot(w[k], x) + b[k] for k in range(n_classes)]
            rival = max((k for k in range(n_classes) if k != true), key=lambda k: (z[k], -k))
            ahead = z[true] - z[rival]
            if ahead <= 0:
                wrong += 1
            if ahead < margin:
                step = s * aggressive_step(variant, margin - ahead, 2 * (dot(x, x) + 1), C)
                for k, change in ((true, step), (rival, -step)):
                    w[k] = [wj + change * xj for wj, xj in zip(w[k], x, strict=True)]
                    b[k] += change
            for k in range(n_classes):
                w_sum[k] = [aj + wj for aj, wj in zip(w_sum[k], w[k], strict=True)]
                b_sum[k] += b[k]
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, w_sum, b_sum, mistakes


def shard_independent(rows, codes, w, b):
    """Show independent outputs every row once, from given weights; return weights, biases, their sums, mistakes."""
    w, b, wrong = [list(wk) for wk in w], list(b), 0
    w_sum, b_sum = [[0] * len(wk) for wk in w], [0] * len(b)
    for x, fires in zip(rows, codes, strict=True):
        for k, fire in enumerate(fires):
            y = 1 if fire else -1
            if y * (dot(w[k], x) + b[k]) <= 0:
                wrong += 1
                w[k] = [wj + y * xj for wj, xj in zip(w[k], x, strict=True)]
                b[k] += y
            w_sum[k] = [aj + wj for aj, wj in zip(w_sum[k], w[k], strict=True)]
            b_sum[k] += b[k]
    return w, b, w_sum, b_sum, wrong


def shard_competing(rows, codes, w, b):
    """Show competing classes every row once, from given weights; return what `shard_independent` returns."""
    w, b, wrong = [list(wk) for wk in w], list(b), 0
    w_sum, b_sum = [[0] * len(wk) for wk in w], [0] * len(b)
    for x, true in zip(rows, codes, strict=True):
        z = [dot(wk, x) + bk for wk, bk in zip(w, b, strict=True)]
        rival = max((k for k in range(len(w)) if k != true), key=lambda k: (z[k], -k))
        if z[true] <= z[rival]:
            wrong += 1
            for k, y in ((true, 1), (rival, -1)):
                w[k] = [wj + y * xj for wj, xj in zip(w[k], x, strict=True)]
                b[k] += y
        for k in range(len(w)):
            w_sum[k] = [aj + wj for aj, wj in zip(w_sum[k], w[k], strict=True)]
            b_sum[k] += b[k]
    return w, b, w_sum, b_sum, wrong


def mixing(shards, taught, n_outputs, epochs, shares=None):
    """Train by iterative parameter mixing (McDonald et al. 2010, figure 3) on shards, each a pair (rows, codes).

    `taught` is `shard_independent` or `shard_competing`; `shares` sum to 1. Returns mixed weights and biases, the sums of
    both over all steps of all shards, and the mistakes of each shard in each epoch.
    """
    shares = shares or [Fraction(1, len(shards))] * len(shards)
    d = len(shards[0][0][0])
    w, b = [[0] * d for _ in range(n_outputs)], [0] * n_outputs
    w_sum, b_sum, mistakes = [[0] * d for _ in range(n_outputs)], [0] * n_outputs, []
    for _ in range(epochs):
        after = [taught(rows, codes, w, b) for rows, codes in shards]
        for k in range(n_outputs):
            for j in range(d):
                w[k][j] = sum(share * new[0][k][j] for share, new in zip(shares, after, strict=True))
                w_sum[k][j] += sum(new[2][k][j] for new in after)
            b[k] = sum(share * new[1][k] for share, new in zip(shares, after, strict=True))
            b_sum[k] += sum(new[3][k] for new in after)
        mistakes.append([new[4] for new in after])
    return w, b, w_sum, b_sum, mistakes
