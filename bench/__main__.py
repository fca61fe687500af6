"""Run one benchmark: ``python -m bench NAME``."""

from __future__ import annotations

import sys

from bench import accuracy, bits, deep, neuron, perceptron

BENCHMARKS = {
    "accuracy": accuracy.main,
    "bits": bits.main,
    "deep": deep.main,
    "neuron": neuron.main,
    "perceptron": perceptron.main,
}


def main() -> None:
    """Run the benchmark named first on the command line."""
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        sys.exit(f"usage: python -m bench {{{','.join(BENCHMARKS)}}} [options]")
    BENCHMARKS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    main()
