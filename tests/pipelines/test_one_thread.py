"""Products of matrices are worked out by whoever asks for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

THREADS = """
import {module}
import os
import numpy
numpy.ones((999, 99)) @ numpy.ones((99, 99))
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
@pytest.mark.parametrize("module", ["pipelines.audio", "agent.server.throttle"])
def test_numpy_has_no_threads_of_its_own(module: str) -> None:
    """Whichever module of ours is the first to import it; a loop would wait for them."""
    bare = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    ran = subprocess.run(
        [sys.executable, "-c", THREADS.format(module=module)],
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout == "1\n"
