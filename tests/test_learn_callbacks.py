"""scikit-learn's callbacks: what they are told, what they may do, and that they cost nothing where there are none."""

import logging
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limen.learn import Perceptron, _callbacks

protocol = pytest.importorskip("sklearn.callback", reason="a scikit-learn without callbacks")
NOT_CONVERGED = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def table(classes=3, n=60, d=5, seed=0):
    """Return whole-number rows and overlapping labels."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-4, 5, (n, d))
    return X, (X @ rng.normal(size=(d, classes)) + rng.normal(size=(n, classes))).argmax(axis=1)


class Recorder:
    """A callback that writes down what it is told, and may raise or ask to stop after an epoch."""

    def __init__(self, stop_after=None, error=None):
        self.events, self.models, self.counts = [], [], []
        self.stop_after, self.error = stop_after, error

    def setup(self, estimator, context):
        """Write down that a fit begins."""
        self.events.append(("setup", context.task_name, context.max_subtasks))

    def teardown(self, estimator, context):
        """Write down that a fit has ended."""
        self.events.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context):
        """Write down that a task begins."""
        self.events.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        """Write down that a task has ended, and with what model."""
        self.events.append(("end", context.task_name, context.task_id))
        self.models.append(fitted_estimator)
        self.given = (X, y, metadata)
        if context.task_name == "epoch":
            self.counts.append((estimator.n_iter_, estimator.n_mistakes_.tolist()))
            if self.error is not None and context.task_id + 1 == self.stop_after:
                raise self.error
            return context.task_id + 1 == self.stop_after
        return None


@NOT_CONVERGED
def test_a_fit_is_a_task_and_each_epoch_a_part_of_it():
    """Hooks are called in order: set up, the fit begins, epochs begin and end by number, the fit ends, torn down."""
    X, y = table()
    recorder = Recorder()
    clf = Perceptron(max_iter=3, random_state=0).set_callbacks(recorder).fit(X, y)
    epochs = [(event, "epoch", number) for number in range(3) for event in ("begin", "end")]
    assert recorder.events == [
        ("setup", "fit", 3),
        ("begin", "fit", 0),
        *epochs,
        ("end", "fit", 0),
        ("teardown", "fit"),
    ]
    assert recorder.counts == [(n, clf.n_mistakes_[:n].tolist()) for n in (1, 2, 3)]


@NOT_CONVERGED
@pytest.mark.parametrize("solution", ["average", "last", "pocket"])
@pytest.mark.parametrize("kind", ["multiclass", "multioutput"])
def test_the_model_after_an_epoch_is_that_of_a_fit_that_ends_there(solution, kind):
    """Each fitted estimator that a hook gets equals a fit of as many epochs, and stays so when training goes on."""
    X, y = table()
    y = y if kind == "multiclass" else (y[:, None] == [0, 1]).astype(int)
    recorder, settings = Recorder(), {"solution": solution, "random_state": 0}
    clf = Perceptron(max_iter=4, **settings).set_callbacks(recorder).fit(X, y)
    *after_epochs, after_fit = recorder.models
    for epochs, model in enumerate(after_epochs, start=1):
        alone = Perceptron(max_iter=epochs, **settings).fit(X, y)
        assert model.network_ == alone.network_
        assert model.n_iter_ == epochs
        assert np.array_equal(model.predict(X), alone.predict(X))
        assert model.partial_fit(X, y).network_ == alone.partial_fit(X, y).network_
    assert after_fit.network_ == clf.network_
    assert clf.network_ == Perceptron(max_iter=4, **settings).fit(X, y).network_


@NOT_CONVERGED
def test_hooks_get_the_data_as_they_were_given():
    """The very objects, so that the model can be called with them; sample weights as metadata."""
    X, y = table()
    for weight in (None, np.ones(len(y))):
        recorder = Recorder()
        Perceptron(max_iter=2).set_callbacks(recorder).fit(X, y, sample_weight=weight)
        assert recorder.given[0] is X
        assert recorder.given[1] is y
        assert recorder.given[2] == (None if weight is None else {"sample_weight": weight})


def test_a_callback_can_end_training():
    """What a hook asks for is done after that epoch, without the warning, and the model is that of the epoch."""
    X, y = table()
    clf = Perceptron(max_iter=50, random_state=0).set_callbacks(Recorder(stop_after=2)).fit(X, y)
    assert (clf.n_iter_, clf.stop_reason_) == (2, "callback")
    with pytest.warns(ConvergenceWarning):
        assert clf.network_ == Perceptron(max_iter=2, random_state=0).fit(X, y).network_


def test_a_failing_callback_changes_nothing():
    """An error in a hook ends the fit, the estimator is as it was, and the callback is torn down."""
    X, y = table()
    recorder = Recorder(stop_after=2, error=RuntimeError("no disk"))
    clf = Perceptron(max_iter=50).set_callbacks(recorder)
    before = set(vars(clf))
    with pytest.raises(RuntimeError, match="no disk"):
        clf.fit(X, y)
    assert set(vars(clf)) == before
    assert recorder.events[-1] == ("teardown", "fit")


@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_interrupt_in_a_callback_keeps_the_epoch(stop_after):
    """Ctrl-C while a hook runs leaves the model of the epoch that has just ended."""
    X, y = table()
    recorder = Recorder(stop_after=stop_after, error=KeyboardInterrupt())
    clf = Perceptron(max_iter=50, random_state=0).set_callbacks(recorder)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert (clf.n_iter_, clf.stop_reason_) == (stop_after, "interrupted")
    assert clf.predict(X).shape == y.shape
    assert recorder.events[-1] == ("teardown", "fit")


@NOT_CONVERGED
def test_scores_after_each_epoch_are_those_of_the_models():
    """scikit-learn's ScoringMonitor logs the accuracy on the training rows of every epoch."""
    X, y = table()
    monitor = protocol.ScoringMonitor(scoring="accuracy")
    Perceptron(max_iter=4, random_state=0).set_callbacks(monitor).fit(X, y)
    logged = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    expected = [Perceptron(max_iter=n, random_state=0).fit(X, y).score(X, y) for n in range(1, 5)]
    assert [row["accuracy"] for row in logged] == expected


@NOT_CONVERGED
def test_a_table_with_names_scores_without_a_warning():
    """Where columns have names, the model of an epoch is called with the same table."""
    import pandas as pd

    X, y = table()
    monitor = protocol.ScoringMonitor(scoring="accuracy")
    clf = Perceptron(max_iter=2).set_callbacks(monitor)
    clf.fit(pd.DataFrame(X, columns=list("abcde")), y)
    assert len(monitor.get_logs().data) == 3


@NOT_CONVERGED
def test_progress_bars_reach_it_through_pipeline_and_search():
    """scikit-learn's ProgressBar runs on it alone, in a pipeline and in a grid search, and its clones carry callbacks."""
    X, y = table()
    bar = protocol.ProgressBar(max_propagation_depth=None)
    Perceptron(max_iter=3).set_callbacks(bar).fit(X, y)
    make_pipeline(StandardScaler(), Perceptron(max_iter=3)).set_callbacks(bar).fit(X, y)
    grid = GridSearchCV(Perceptron(max_iter=3), {"margin": [0.0, 1.0]}, cv=2).set_callbacks(bar)
    assert grid.fit(X, y).best_params_["margin"] in (0.0, 1.0)
    recorder = Recorder()
    clone(Perceptron(max_iter=2).set_callbacks(recorder)).fit(X, y)
    assert recorder.events[-1] == ("teardown", "fit")


def test_batches_call_nobody():
    """`partial_fit` has no tasks, so that callbacks hear nothing of it."""
    X, y = table()
    recorder = Recorder()
    Perceptron().set_callbacks(recorder).partial_fit(X, y, classes=[0, 1, 2])
    assert recorder.events == []


@NOT_CONVERGED
def test_without_callbacks_nothing_is_made_ready(monkeypatch):
    """A fit nobody listens to makes no audience and no records, and leaves nothing of the protocol behind."""
    X, y = table()
    monkeypatch.setattr(_callbacks, "Audience", None)
    monkeypatch.setattr(logging.Logger, "info", None)
    clf = Perceptron(max_iter=2, random_state=0).fit(X, y)
    clf.set_callbacks(Recorder()).set_callbacks().fit(X, y)
    assert not [name for name in vars(clf) if "callback" in name]
    with pytest.raises(TypeError):  # a fit somebody listens to does make one
        clf.set_callbacks(Recorder()).fit(X, y)


def test_a_scikit_learn_without_callbacks_learns_all_the_same():
    """Where the protocol can't be imported, a fit is as ever and there is no `set_callbacks`."""
    script = """
        import sklearn.callback
        del sklearn.callback.CallbackSupportMixin  # as if it had another name
        from limen.learn import Perceptron
        clf = Perceptron(random_state=0).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [1, 1, 1, 0])
        print(clf.stop_reason_, hasattr(clf, "set_callbacks"))
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["converged", "False"], done.stderr


def test_warnings_point_at_the_caller():
    """The warning that training never converged names the line that called `fit`, with callbacks and without."""
    X, y = table()
    for callbacks in ((), (Recorder(),)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Perceptron(max_iter=2).set_callbacks(*callbacks).fit(X, y)
        assert [warning.filename for warning in caught] == [__file__]
