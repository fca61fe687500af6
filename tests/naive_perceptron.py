"""Perceptrons in plain Python, slow and obvious: oracles that share no code with what they judge.

Rows are lists of numbers; give integers or fractions and every result is exact.
"""


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
