"""The loop's watchdog: how late it is, what held it, and the end of a process that hangs."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from agent.logs.writer import text_line
from agent.server import service_manager
from agent.server.load.watchdog import DEEPEST, LATELY, LoopLag, Watchdog, where
from tests.agent.loopback import running, until

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("nothing_left")


def test_one_stall_is_in_the_histogram_and_no_overload() -> None:
    """A loop that is late each time has too much to do; what is long past counts for nothing."""
    lag = LoopLag()
    for n in range(50):
        lag.note(0.002, n / 10)
    lag.note(3.0, 5.0)
    assert lag.lately == 0.002
    assert lag.longest == 3.0
    assert dict(lag.seconds.buckets)["0.005"] == 50
    assert dict(lag.seconds.buckets)["2.5"] == 50
    assert dict(lag.seconds.buckets)["+Inf"] == 51
    for n in range(50):
        lag.note(0.2, 5.1 + n / 10)
    assert lag.lately == 0.2
    lag.note(0.001, 10.0 + LATELY)
    assert lag.lately == 0.001


def hold(secret: str, done: Callable[[], bool]) -> int:
    """Hold the loop until ``done``; what it was given is in no log."""
    while not done():
        time.sleep(0.01)
    return len(secret)


def test_what_held_the_loop_is_told() -> None:
    """With the function's name, without its arguments; how long it was is in the histogram."""

    async def main() -> Watchdog:
        watchdog = Watchdog()
        watching = asyncio.create_task(watchdog.run())
        await asyncio.sleep(0.15)
        for _ in range(3):
            before = watchdog.holds
            hold("the caller's words", lambda: bool(watchdog._seen))
            await until(lambda: watchdog.holds > before)  # noqa: B023 - waited for here
        watching.cancel()
        await asyncio.wait([watching])
        return watchdog

    with capture_logs() as logs:
        watchdog = asyncio.run(main())
    held = logs[0]
    assert held["event"] == "the event loop was held"
    assert any("test_watchdog.py" in line and line.endswith(" hold") for line in held["where"])
    # `stack` is a text of structlog's own for the lines for people, which fail on a list.
    assert " hold" in text_line(colours=False)({**held, "level": "warning"})
    assert held["seconds"] >= 0.25
    assert "caller's words" not in str(logs)
    assert watchdog.lag.longest >= 0.25
    assert watchdog.holds >= 3
    assert len(logs) <= watchdog.holds  # a line each ten seconds, at the most


def test_a_stack_is_bounded() -> None:
    """However deep a recursion is."""

    def deeper(left: int) -> list[str]:
        return deeper(left - 1) if left else where(sys._getframe())

    assert len(deeper(200)) == DEEPEST
    assert where(None) == []


def test_the_lag_is_in_the_metrics(tmp_path: Path) -> None:
    """As a histogram that Prometheus can read."""

    async def main() -> str:
        async with running(tmp_path) as server, aiohttp.ClientSession() as session:
            address = server.url.replace("ws:", "http:").replace("/stream", "/metrics")
            while True:
                async with session.get(address) as answer:
                    text = await answer.text()
                if "voice_agent_loop_lag_seconds_count 0.0" not in text:
                    return text
                await asyncio.sleep(0.05)

    text = asyncio.run(main())
    assert re.search(
        r'^voice_agent_loop_lag_seconds_bucket\{le="\+Inf"\} [1-9]', text, re.MULTILINE
    )
    assert re.search(r"^voice_agent_loop_lag_seconds_sum \d", text, re.MULTILINE)
    assert re.search(r"^voice_agent_loop_held_total \d", text, re.MULTILINE)


@pytest.fixture(params=["file", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    name = f"@voice-agent-{os.getpid()}" if request.param == "abstract" else f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield listening


def test_systemd_is_told_that_the_loop_turns(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several times within what it asks for, and no more once the block is left."""
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    assert service_manager.asked_every() == 0.2

    async def main() -> None:
        async with service_manager.living(0):
            for _ in range(3):
                assert await asyncio.to_thread(manager.recv, 64) == b"WATCHDOG=1"

    asyncio.run(main())
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert service_manager.asked_every() == 0


@pytest.mark.parametrize("address", ["", "/no/such/socket", "relative", "@", "vsock:2:1"])
def test_a_service_manager_that_is_not_there_costs_nothing(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No address, a wrong one, one of a kind that we do not know."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    service_manager.notify("READY=1")


HOLDS = {
    "sleeps": "import time; time.sleep(600)",
    "computes": "while True: pass",
    # In C, and with the interpreter's lock: no thread of Python runs any more.
    "keeps the lock": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
}

PROGRAM = """
import asyncio, sys
from agent.server.service_manager import living
from agent.server.load.watchdog import Watchdog

async def main():
    watching = asyncio.create_task(Watchdog().run())
    async with living(1.0):
        await asyncio.sleep(0.3)
        hold()

def hold():
    {hold}

asyncio.run(main())
"""


@pytest.mark.parametrize("how", HOLDS)
def test_a_process_that_hangs_ends_itself(how: str) -> None:
    """Whatever holds it; who restarts it is told where it stood."""
    program = PROGRAM.format(hold=HOLDS[how])
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert b"Timeout" in ended.stderr
    assert b"in hold" in ended.stderr


def test_a_log_that_nobody_reads_does_not_keep_it() -> None:
    """The pipe of stderr is full: a write to it waits for ever, and may be what holds the loop."""
    fill = "import os; os.write(2, b'x' * 10_000_000)"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(hold=fill)], cwd=ROOT, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.wait(60) == 1
        finally:
            process.kill()


def test_the_service_says_when_it_is_ready_and_when_it_stops(
    manager: socket.socket, tmp_path: Path
) -> None:
    """A real process, as systemd starts it: ready once calls are answered, alive, stopping."""
    command = [sys.executable, "-m", "agent.cli", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WATCHDOG_USEC": "400000"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            told = [manager.recv(64)]
            while told[-1] != b"READY=1":
                told.append(manager.recv(64))
            assert manager.recv(64) == b"WATCHDOG=1"
            process.terminate()
            while told[-1] != b"STOPPING=1":
                told.append(manager.recv(64))
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert set(told) == {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"}
