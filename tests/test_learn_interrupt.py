"""Ctrl-C during a fit: a real signal to a real process, and a model that can be used afterwards."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"

FITS = {
    # name: rows, labels, settings
    "dense": ("rng.normal(size=(n, 40))", "rng.integers(0, 2, n)", "{}"),
    "sparse": (
        "sp.random_array((n, 900), density=0.02, rng=rng, format='csr')",
        "rng.integers(0, 2, n)",
        "{}",
    ),
    "outputs": ("rng.normal(size=(n, 40))", "rng.integers(0, 2, (n, 20))", "{'n_jobs': 2}"),
    "shards": ("rng.normal(size=(n, 40))", "rng.integers(0, 2, (n, 20))", "{'shards': 3, 'n_jobs': 2}"),
    "pocket": ("rng.normal(size=(n, 40))", "rng.integers(0, 3, n)", "{'solution': 'pocket'}"),
    "validation": ("rng.normal(size=(n, 40))", "rng.integers(0, 3, n)", "{}"),
}

SCRIPT = """
    import logging, os, signal, threading, warnings
    import numpy as np
    import scipy.sparse as sp
    from sklearn.base import clone
    from limen.learn import Perceptron, _deciding

    warnings.simplefilter("ignore")
    n = {n}
    rng = np.random.default_rng(0)
    X, y = {X}, {y}
    given = {{"X_val": X, "y_val": y}} if {name!r} == "validation" else {{}}
    clf = Perceptron(max_iter=10**9, random_state=0, n_iter_no_change=10**9).set_params(**{settings})

    class AfterTwoEpochs(logging.Handler):
        def emit(self, record):
            if getattr(record, "epoch", 0) == 2:
                {interrupt}

    def during_the_next():
        threading.Timer({delay}, os.kill, (os.getpid(), signal.SIGINT)).start()

    def while_it_is_judged():
        pieces, answer = [], _deciding.answer
        def third(*args):
            pieces.append(1)
            if len(pieces) == 3:
                signal.raise_signal(signal.SIGINT)
            return answer(*args)
        _deciding.PIECE, _deciding.answer = 40 * n, third

    logger, handler = logging.getLogger("limen"), AfterTwoEpochs()
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        clf.fit(X, y, **given)
    except KeyboardInterrupt as error:
        interrupt = error
    logger.removeHandler(handler)
    judged = clf.n_iter_ - bool(given)  # the epoch whose judging was interrupted has no score
    whole = clone(clf).set_params(max_iter=judged).fit(X, y, **given)
    assert clf.network_ == whole.network_
    assert clf.n_mistakes_[:judged].tolist() == whole.n_mistakes_.tolist()
    print("kept", clf.stop_reason_, clf.n_iter_, len(clf.predict(X[:3])), flush=True)
    raise interrupt
"""


@pytest.mark.skipif(
    not COMPILED, reason="so few rows as Python's own loops manage are learned before the signal"
)
@pytest.mark.parametrize("name", FITS)
def test_a_signal_leaves_the_model_of_the_last_whole_epoch(name):
    """SIGINT in an epoch, or while a pocket or a score is judged, ends the process; the estimator can be used."""
    X, y, settings = FITS[name]
    judges = name in ("pocket", "validation")
    script = textwrap.dedent(SCRIPT).format(
        name=name,
        n=20_000,
        X=X,
        y=y,
        settings=settings,
        delay=0.002,
        interrupt="while_it_is_judged()" if judges else "during_the_next()",
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == -signal.SIGINT, done.stderr
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
    kept, reason, n_epochs, n_answers = done.stdout.split()
    assert (kept, reason, n_answers) == ("kept", "interrupted", "3")
    if judges:
        # The pocket is part of its epoch, which is undone; a score comes after it.
        assert n_epochs == {"pocket": "2", "validation": "2"}[name]
    else:
        assert int(n_epochs) >= 2
