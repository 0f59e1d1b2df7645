"""What all workers of this machine measure, told by any of them: each has a socket for the others.

A load balancer in front of one port sends Prometheus to whichever worker comes next. So each writes
its own metrics to whoever connects to ``metrics-<slot>.sock`` in the folder that they share, and
whoever is asked for ``/metrics`` puts those of all together.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from agent.server.metrics.merged_text import merged
from agent.server.workers.worker_slot import WorkerSlot

log = structlog.get_logger()

WITHIN = 0.5
"""Seconds for another worker to tell its metrics: one whose loop is held longer is left out. What
Prometheus waits for is ten."""

MOST_TOLD = 16_000_000
"""Bytes that another worker tells at the most, far more than any has: what is beyond is no text of
metrics, and would take this one's memory."""

UNREACHABLE = "voice_agent_workers_unreachable"
REACHABLE = "voice_agent_workers"


class WorkerMetrics:
    """The metrics of the service on this machine.

    Args:
        own: Returns those of this process. Called in the event loop of its calls.
        slot: Among the workers; None if this process is the only one.
    """

    def __init__(self, own: Callable[[], bytes], slot: WorkerSlot | None) -> None:
        self._own = own
        self._slot = slot

    async def text(self) -> bytes:
        """Return the metrics of all workers that answer, each sample with the label ``worker``.

        Of a process that is alone, they are its own, as they are. Takes :data:`WITHIN` at the most.
        """
        if (slot := self._slot) is None:
            return self._own() + _about_workers(1, 0)
        paths = await asyncio.to_thread(_sockets, slot)
        others: dict[int, str] = {}
        async with asyncio.TaskGroup() as asking:
            asked = {one: asking.create_task(_ask(path)) for one, path in paths.items()}
        for one, task in asked.items():
            if told := task.result():
                others[one] = told
        hung = {one for one, task in asked.items() if task.result() is None}
        missing = {*range(slot.workers), *hung} - {slot.number, *others}
        own = self._own()
        about = _about_workers(1 + len(others), len(missing))
        if slot.workers == 1 and not others:
            return own + about
        texts = {slot.number: own.decode()} | others
        text = await asyncio.to_thread(merged, dict(sorted(texts.items())))
        return text.encode() + about

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Tell other workers, until the block is left. Without any, nothing is opened."""
        if self._slot is None:
            yield
            return
        path = _path(self._slot, self._slot.number)
        listening = await asyncio.to_thread(_listening, path)
        server = await asyncio.start_unix_server(self._tell, sock=listening)
        try:
            yield
        finally:
            server.close()
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self._own())
            with suppress(ConnectionError, TimeoutError):  # whoever asked does not wait for it
                async with asyncio.timeout(WITHIN):
                    await writer.drain()
                    writer.write_eof()
        finally:
            writer.close()


def _about_workers(reachable: int, missing: int) -> bytes:
    """Return how many workers tell: of the machine, so without a label."""
    lines = (
        f"# HELP {REACHABLE} Processes of this machine whose metrics these are.",
        f"# TYPE {REACHABLE} gauge",
        f"{REACHABLE} {reachable}",
        f"# HELP {UNREACHABLE} Processes of this machine that did not tell theirs in time.",
        f"# TYPE {UNREACHABLE} gauge",
        f"{UNREACHABLE} {missing}",
    )
    return ("\n".join(lines) + "\n").encode()


def _path(slot: WorkerSlot, number: int) -> Path:
    return slot.folder / f"metrics-{number}.sock"


def _sockets(slot: WorkerSlot) -> dict[int, Path]:
    """Return where the others tell theirs, by slot. In a thread: it reads a folder."""
    found = {}
    for path in slot.folder.glob("metrics-*.sock"):
        number = path.stem.removeprefix("metrics-")
        if number.isascii() and number.isdigit() and int(number) != slot.number:
            found[int(number)] = path
    return found


def _listening(path: Path) -> socket.socket:
    """Return a socket that listens there, for the user alone. In a thread: it makes a file.

    Whoever had the slot before is gone, and may have left its socket.
    """
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o600)  # its folder lets nobody else in meanwhile
    listening.listen()
    listening.settimeout(0)
    return listening


async def _ask(path: Path) -> str | None:
    """Return the metrics of another worker; None if it does not tell them, whole and in time.

    ``""`` if nobody listens there: it has died, and left its socket.
    """
    writer = None
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_unix_connection(path)
            told = await _whole(reader)
            return told.decode() if told.endswith(b"\n") else None
    except (ConnectionRefusedError, FileNotFoundError):
        return ""
    except (OSError, TimeoutError, UnicodeDecodeError):
        return None
    finally:
        if writer is not None:
            writer.transport.abort()


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """Return all that comes; nothing if it is too much."""
    told = bytearray()
    while piece := await reader.read(1 << 16):
        told += piece
        if len(told) > MOST_TOLD:
            return b""
    return bytes(told)
