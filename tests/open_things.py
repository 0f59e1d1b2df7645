"""What a process holds, for tests that nothing outlives."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path


def open_files() -> list[str]:
    """Return what the open file descriptors lead to."""
    links = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own
            links.append(str(link.readlink()))
    # ONNX Runtime opens a database of its own when it likes.
    return [link for link in links if "onnxruntime" not in link]


def running_threads() -> set[threading.Thread]:
    """Return the threads that run."""
    return {thread for thread in threading.enumerate() if thread.is_alive()}
