"""What answers in the process of a model that is no model: for tests of such processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


def answering(mistake: str = "") -> Callable[[bytes], float]:
    """Return what answers; raise a mistake instead, and say in which process, if there is one."""
    if mistake:
        raise LookupError(f"{mistake} {os.getpid()}")

    def answer(question: bytes) -> float:
        match question:
            case b"which process?":
                return os.getpid()
            case b"how nice?":
                return os.getpriority(os.PRIO_PROCESS, 0)
            case b"die":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"print":
                print("this is no answer", flush=True)
            case b"fail":
                raise LookupError("it cannot be said")
        return 0.5

    return answer
