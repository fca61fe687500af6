"""The command line: `main` is what the command ``limen`` runs.

A thin shell, one file a command family. Results go to standard output, messages to standard error; exit codes stand
in `limen.cli.app`.
"""

from __future__ import annotations

from limen.cli.app import main

__all__ = ["main"]
