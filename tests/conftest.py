"""What every test run starts with."""

import atexit
import os
import shutil
import tempfile

# Networks of one shape are compiled once in a run, not once for each fit. Keras loads JAX later than this.
_compiled = tempfile.mkdtemp(prefix="limen-tests-")
atexit.register(shutil.rmtree, _compiled, ignore_errors=True)
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", _compiled)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("KERAS_BACKEND", "jax")
