"""The supervisor with workers that are a line of Python: one that hangs, and a storm of signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from agent.server.workers import supervisor
from agent.server.workers.supervisor import Supervisor, WorkerPlan
from tests.agent.loopback import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no several workers there")

HANGS = "import time; time.sleep(600)"

SERVES = """
import json, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
lifeline = socket.socket(fileno=json.loads(sys.argv[-1])["lifeline"])
lifeline.send(b"r")
lifeline.recv(1)
"""


def plan(program: str) -> WorkerPlan:
    return WorkerPlan(
        workers=1, command=[sys.executable, "-Sc", program], environment=os.environ, given=b""
    )


def test_a_worker_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one, so that the start fails with a status instead of waiting for ever."""
    monkeypatch.setattr(supervisor, "READY_WITHIN", 0.2)

    async def main() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            one = Supervisor(plan(HANGS), [listening], tmp_path, lambda: plan(HANGS))
            return await asyncio.wait_for(one.run(lambda: None), 60)

    assert asyncio.run(main()) == 1


def test_a_storm_of_sighup_is_one_or_two(tmp_path: Path) -> None:
    """Settings are read for those that come meanwhile once more, not once for each."""
    read: list[None] = []
    ready = asyncio.Event()

    def again() -> WorkerPlan:
        read.append(None)
        return plan(SERVES)

    async def main() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            one = Supervisor(plan(SERVES), [listening], tmp_path, again)
            running = asyncio.create_task(one.run(ready.set))
            await asyncio.wait_for(ready.wait(), 60)
            for _ in range(10):
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.sleep(0)
            await until(lambda: bool(read) and not one._reloading.locked(), 60)
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)  # while it is heeded
            return await asyncio.wait_for(running, 60)

    assert asyncio.run(main()) == 0
    assert 1 <= len(read) <= 4
