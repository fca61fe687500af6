"""Benchmarks: limen beside its rivals, in one run, on the same data.

``python -m bench perceptron [--data DIR] [--quick]`` measures `limen.learn.Perceptron`: how long an epoch, a
prediction, a pass over a file takes, how far that is from reading the bytes, and how often it is right.
``python -m bench neuron [--data DIR] [--quick]`` measures the exact questions: is this one neuron, how few gates, how
few points, are these data separable.
``python -m bench deep [--data DIR] [--quick]`` measures networks with hidden layers: accuracy, seconds and bytes.
``python -m bench accuracy`` compares held-out accuracy on the example tables.

Rivals that aren't installed are named in the output, with the line that installs them.
"""
