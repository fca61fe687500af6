"""Files larger than memory: parsing with one pass, passes from a cache, and how much memory a pass takes."""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.data import COLUMNS, sparse_scores, zipf_rows
from bench.report import Check, Line, Row
from bench.rivals import VOWPAL, in_process, missing, vowpal_seconds
from bench.settings import Settings
from bench.svmlight import write_svmlight, write_vowpal
from bench.timing import Work, alternate, say
from limen.learn import Perceptron

__all__ = ["stream"]

BLOCK = 10_000  # rows made up at a time
ROW_BYTES = 1012  # of svmlight text, about
PASSES = 10  # from a cache, in one timed run
TABLE_COLUMNS = 100
LIMIT = 300  # megabytes that a pass may take


def stream(settings: Settings) -> list[Row]:
    """Time passes over svmlight text and over a cache of it; measure memory over text and Parquet."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return _rows(settings, Path(folder))


def _rows(settings: Settings, folder: Path) -> list[Row]:
    n_rows = max(200, int(settings.sizes.stream_mb * 1e6 / ROW_BYTES))
    text, vowpal_text = folder / "rows.svm", folder / "rows.vw"
    write_svmlight(text, _blocks(n_rows))
    absent = missing("vowpalwabbit")
    if not absent:
        write_vowpal(vowpal_text, _blocks(n_rows))
    say(f"stream: wrote {text.stat().st_size / 1e6:.0f} MB of svmlight text")
    runs = min(settings.sizes.runs, 3)
    one, rival = "limen, parse and learn, one pass", "Vowpal Wabbit, one pass without a cache"
    works = {one: Work(lambda: _fit(text, 1))}
    if not absent:
        works[rival] = Work(lambda: vowpal_seconds(f"{VOWPAL} -d {vowpal_text} --passes 1"), reported=True)
    times = alternate(works, runs)
    first = Row(
        "stream",
        "10a",
        f"Text to weights: {n_rows:,} rows of svmlight text, {text.stat().st_size / 1e6:,.0f} MB, once",
        [
            Line(one, "limen", times[one], rival, at_least=1, moved=text.stat().st_size, threads=2),
            Line(rival, "rival", times.get(rival, ()), missing=absent),
        ],
        "the text, once",
        notes=["limen parses in one thread while it learns in another; Vowpal Wabbit does so too."],
    )
    cache, vowpal_cache = folder / "rows.cache", folder / "rows.vwcache"
    _fit(text, 1, cache=cache)
    again, rival = "limen, a pass from its cache", "Vowpal Wabbit, a pass from its cache"
    works = {again: Work(lambda: _later(text, cache), reported=True)}
    if not absent:
        vowpal_seconds(f"{VOWPAL} -d {vowpal_text} -k --cache_file {vowpal_cache} --passes 1")
        works[rival] = Work(lambda: _vowpal_later(vowpal_text, vowpal_cache), reported=True)
    times = alternate(works, runs)
    second = Row(
        "stream",
        "10b",
        f"From the second pass on: {n_rows:,} rows, {cache.stat().st_size / 1e6:,.0f} MB of cache",
        [
            Line(again, "limen", times[again], rival, at_least=10, moved=cache.stat().st_size, threads=2),
            Line(rival, "rival", times.get(rival, ()), missing=absent),
        ],
        "the cache, once",
        notes=[f"The time of {PASSES + 1} passes less that of one, divided by {PASSES}."],
    )
    for path in (vowpal_text, vowpal_cache, cache):
        path.unlink(missing_ok=True)
    table = folder / "rows.parquet"
    _write_parquet(table, settings.sizes.stream_mb)
    say(f"stream: wrote {table.stat().st_size / 1e6:.0f} MB of Parquet")
    checks = []
    for path, more in ((text, {"zero_based": False, "n_features": COLUMNS}), (table, {"target": "y"})):
        grown = in_process("streaming", str(path), json.dumps(more))
        checks.append(
            Check(
                f"resident set while streaming {path.stat().st_size / 1e6:,.0f} MB of {path.suffix[1:]}",
                f"{grown:,.0f} MB above the warmed-up process",
                f"at most {LIMIT} MB",
                grown <= LIMIT,
            )
        )
    third = Row("stream", "10c", "Memory of one pass", [], checks=checks)
    return [first, second, third]


def _blocks(n_rows: int) -> Iterator[tuple[Any, Any]]:
    for k, start in enumerate(range(0, n_rows, BLOCK)):
        X = zipf_rows(min(BLOCK, n_rows - start), np.random.default_rng(k))
        yield X, np.where(sparse_scores(X, 1)[:, 0] > 0, 1, -1)


def _fit(path: Path, epochs: int, **more: Any) -> Perceptron:
    reading = {"zero_based": False, "n_features": COLUMNS, **more}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Perceptron(solution="last", shuffle=False).fit_stream(
            path, classes=[-1, 1], epochs=epochs, **reading
        )


def _later(path: Path, cache: Path) -> float:
    """Return the seconds of one pass from the cache, the first not counted."""
    times = []
    for epochs in (1, PASSES + 1):
        start = time.perf_counter()
        _fit(path, epochs, cache=cache)
        times.append(time.perf_counter() - start)
    return (times[1] - times[0]) / PASSES


def _vowpal_later(path: Path, cache: Path) -> float:
    """Return the seconds of one pass of Vowpal Wabbit from its cache."""
    once, often = (
        vowpal_seconds(f"{VOWPAL} -d {path} --cache_file {cache} --passes {passes}")
        for passes in (1, PASSES + 1)
    )
    return (often - once) / PASSES


def _write_parquet(path: Path, megabytes: float) -> None:
    """Write random float32 columns and a target, in row groups of 40 MB."""
    import pyarrow as pa
    from pyarrow import parquet

    rng, left = np.random.default_rng(0), max(500, int(megabytes * 1e6 / (4 * TABLE_COLUMNS)))
    names = [f"x{k}" for k in range(TABLE_COLUMNS)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.int64())])
    with parquet.ParquetWriter(path, schema, compression="none") as writer:
        while left > 0:
            n = min(left, 100_000)
            X = rng.random((TABLE_COLUMNS, n), dtype=np.float32)
            y = (X[0] + 0.1 * X[1] > 0.55).astype(np.int64)
            writer.write_table(pa.table([*X, y], schema=schema))
            left -= n


# In a process of its own: memory ------------------------------------------------------------------------------


def _resident(key: str) -> float:
    """Return the resident set in megabytes: ``VmRSS`` now, ``VmHWM`` the highest so far."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return float(line.split()[1]) * 1024 / 1e6
    raise OSError(f"{key} isn't known here")


def _highest(work: Callable[[], Any]) -> float:
    """Return the highest resident set while `work` runs: as the system noted it, else looked up again and again."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the highest begins anew
    except OSError:
        done, found = threading.Event(), [_resident("VmRSS")]

        def watch() -> None:
            while not done.wait(0.01):
                found.append(_resident("VmRSS"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            work()
        finally:
            done.set()
            watcher.join()
        return max(found)
    work()
    return _resident("VmHWM")


def main() -> None:
    """Warm up on a small file, stream a large one, print how much the resident set grew at most."""
    path, reading = Path(sys.argv[1]), json.loads(sys.argv[2])
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        small = Path(folder) / path.name
        if path.suffix == ".svm":
            write_svmlight(small, _blocks(200))
        else:
            _write_parquet(small, 0.2)
        classes = [-1, 1] if path.suffix == ".svm" else [0, 1]
        learn = Perceptron(solution="last", shuffle=False)
        learn.fit_stream(small, classes=classes, epochs=1, **reading)
        gc.collect()
        before = _resident("VmRSS")
        highest = _highest(lambda: learn.fit_stream(path, classes=classes, epochs=1, **reading))
    print(highest - before)


if __name__ == "__main__":
    main()
