"""Learn with Vowpal Wabbit in a process of its own and print the seconds it took.

Run as ``python -m bench.vowpal "OPTIONS"``. Timed are the making of the workspace, in which it makes all its
passes, and its end; not the start of Python.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Learn and print the seconds."""
    from vowpalwabbit import Workspace

    start = time.perf_counter()
    Workspace(sys.argv[1]).finish()
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
