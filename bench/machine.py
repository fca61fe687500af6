"""What the numbers were measured with: versions, processor, and the memory bandwidth that bounds them."""

from __future__ import annotations

import datetime
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import numba
import numpy as np

__all__ = ["bandwidth", "header", "installed"]

PACKAGES = (
    "limen",
    "scikit-learn",
    "numpy",
    "scipy",
    "numba",
    "highspy",
    "python-flint",
    "ortools",
    "liblinear-official",
    "vowpalwabbit",
    "river",
)
VECTORS = [
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_int8",
    "asimd",
    "sve",
]


def installed(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def header(megabytes: int) -> dict[str, Any]:
    """Return all that stands above the table; measures the bandwidth.

    Parameters
    ----------
    megabytes : int
        Size of the array that is read for it.
    """
    versions: dict[str, str | None] = {"python": platform.python_version()}
    versions |= {package: installed(package) for package in PACKAGES}
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": versions,
        "processor": processor(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        "bandwidth": {"megabytes": megabytes} | {str(n): bandwidth(megabytes, n) for n in (1, 2)},
    }


def processor() -> dict[str, Any]:
    """Return the processor's name, cores and vector features."""
    name, flags = platform.processor() or platform.machine(), set[str]()
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        if key.strip() in ("flags", "Features"):
            flags = set(value.split())
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"name": name, "cores": usable, "vectors": [name for name in VECTORS if name in flags]}


@numba.njit(nogil=True, fastmath=True)
def _sum(values: Any) -> float:  # pragma: no cover - compiled
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total


def bandwidth(megabytes: int, threads: int, runs: int = 7) -> float:
    """Return the bytes a second that summing a large array reads, in the quickest of some runs.

    The quickest, because it is used as a bound: nothing that reads memory should get below it.
    """
    values = np.ones(megabytes * 1_000_000 // 8)
    parts = np.array_split(values, threads)
    _sum(values[:8])
    best = np.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(runs):
            start = time.perf_counter()
            list(pool.map(_sum, parts))
            best = min(best, time.perf_counter() - start)
    return float(values.nbytes / best)
