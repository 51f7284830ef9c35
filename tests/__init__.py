"""The tests; they mirror the package."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes that share the cores: threads of several that wait for each other take several times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
