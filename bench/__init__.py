"""Benchmarks: limen beside its rivals, in one run, on the same data.

``python -m bench epoch [--data DIR]`` times one epoch of 60,000 x 784 float32, ten outputs.
``python -m bench accuracy`` compares held-out accuracy on the example tables.
"""
