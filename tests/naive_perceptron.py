"""Perceptrons in plain Python, slow and obvious: oracles that share no code with what they judge.

Rows are lists of numbers; give integers or fractions and every result is exact.
"""


def dot(w, x):
    """Return the sum of products."""
    return sum(a * b for a, b in zip(w, x, strict=True))


def one_output(rows, signs, epochs, weights=None):
    """Train one neuron; return last weights, last bias, summed weights, summed bias, mistakes per epoch."""
    weights = weights or [1] * len(rows)
    w, b = [0] * len(rows[0]), 0
    w_sum, b_sum, mistakes = [0] * len(rows[0]), 0, []
    for _ in range(epochs):
        wrong = 0
        for x, y, s in zip(rows, signs, weights, strict=True):
            if y * (dot(w, x) + b) <= 0:
                wrong += 1
                w = [wj + s * y * xj for wj, xj in zip(w, x, strict=True)]
                b += s * y
            w_sum = [aj + wj for aj, wj in zip(w_sum, w, strict=True)]
            b_sum += b
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, w_sum, b_sum, mistakes


def competing(rows, codes, n_classes, epochs):
    """Train competing classes; return the same as `one_output`, with a list for each class."""
    w, b = [[0] * len(rows[0]) for _ in range(n_classes)], [0] * n_classes
    w_sum, b_sum, mistakes = [[0] * len(rows[0]) for _ in range(n_classes)], [0] * n_classes, []
    for _ in range(epochs):
        wrong = 0
        for x, true in zip(rows, codes, strict=True):
            z = [dot(w[k], x) + b[k] for k in range(n_classes)]
            rival = max((k for k in range(n_classes) if k != true), key=lambda k: (z[k], -k))
            if z[rival] >= z[true]:
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
