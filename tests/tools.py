"""Compilers and simulators that tests run: there, or a loud skip; in CI, which installs them, a failure."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def tool(name: str, package: str) -> str:
    """Return where a program is."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} isn't installed (Debian: apt-get install {package})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def run(*command: object, folder: object = None, good: bool = True) -> str:
    """Run a program and return what it prints; fail with it unless it ends as it should."""
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode == 0) == good, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr
