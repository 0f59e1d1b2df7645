"""Work that lets calls go first: on a full machine, the scheduler gives cores to the urgent."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress


def lower_thread_priority(niceness: int) -> None:
    """Make the thread that this is called in less urgent, for good.

    On Linux alone, where threads have priorities: elsewhere it would be the whole process.

    Args:
        niceness: 0 is as urgent as calls, 19 hardly ever runs beside them.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may not allow it: it is as urgent as the others then
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
