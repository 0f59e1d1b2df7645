"""A log that cannot be written costs no call: with the real process, and a real stderr."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.logs.repeats import PER_SECOND
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import place_call
from tests.agent.loopback import until
from tests.agent.process.serving import ServiceProcess, serving


def full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def reader_gone() -> int:
    reader, descriptor = os.pipe()
    os.close(reader)
    return descriptor


def reader_that_does_not_read() -> int:
    _reader, descriptor = os.pipe()  # it stays open, in this process
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, True)
    return descriptor


def reader_that_does_not_read_or_block() -> int:
    descriptor = reader_that_does_not_read()
    os.set_blocking(descriptor, False)
    return descriptor


def goes_to(service: ServiceProcess, descriptor: int) -> str:
    return str(Path(f"/proc/{service.process.pid}/fd/{descriptor}").readlink())


async def carries_a_call(service: ServiceProcess) -> None:
    """A caller is greeted and hangs up, and the record says so."""
    call = await place_call(service.url, Plan(patience=0.3), lambda *_: None, "c1")
    assert call.failure() == ""
    await until(lambda: service.lines("ended"))
    assert [line["text"] for line in service.lines("agent")] == ["Hello, who is this?"]
    assert service.lines("ended")[0]["reason"] == "the caller hung up"


@pytest.mark.parametrize(
    "stderr",
    [full_disk, reader_gone, reader_that_does_not_read, reader_that_does_not_read_or_block],
)
def test_calls_are_carried_whatever_stderr_is(stderr: Callable[[], int], tmp_path: Path) -> None:
    """And the process ends as it should, though somebody never reads."""

    async def main() -> None:
        descriptor = stderr()
        async with serving(tmp_path, {"LOG__LEVEL": "debug"}, stderr=descriptor) as service:
            os.close(descriptor)
            await carries_a_call(service)
            service.kill(signal.SIGTERM)
            assert await service.ended() == 0

    asyncio.run(main())


def test_calls_are_carried_with_stderr_closed(tmp_path: Path) -> None:
    """No file or socket of ours gets its number, and what is written to it by others."""

    async def main() -> None:
        async with serving(tmp_path, preexec=lambda: os.close(2)) as service:
            await carries_a_call(service)
            assert goes_to(service, 2) == "/dev/null"
            service.kill(signal.SIGTERM)
            assert await service.ended() == 0

    asyncio.run(main())


def test_a_fault_that_repeats_itself_is_a_few_lines_a_second(tmp_path: Path) -> None:
    """Descriptors used up: asyncio logs each of a backlog of connections, again and again.

    uvloop says nothing of them: it lets them in by a descriptor that it has in reserve, and out.
    """
    most, seconds = 100, 4.0

    def few_descriptors() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def main() -> None:
        loop = {"SERVER__EVENT_LOOP": "asyncio"}
        async with serving(tmp_path, loop, preexec=few_descriptors) as service:
            host, port = service.base.removeprefix("http://").split(":")
            streams = [await asyncio.open_connection(host, int(port)) for _ in range(most + 50)]

            def said() -> list[dict[str, Any]]:
                return service.logged("socket.accept() out of system resource")

            await until(said)
            await asyncio.sleep(seconds)
            for _, stream in streams:
                stream.close()
            await until(lambda: service.logged("more like it"))
            async with aiohttp.ClientSession() as http, http.get(f"{service.base}/health") as found:
                assert found.status == 200
            # It may be a long while on a loaded machine: the log itself tells how many seconds.
            for second in {line["timestamp"][:19] for line in said()}:
                lines = [line for line in said() if line["timestamp"].startswith(second)]
                assert len(lines) <= 2 * PER_SECOND  # of two seconds, one of which began before
            more = service.logged("more like it")
            assert all(line["library"] == "asyncio" for line in more)
            assert sum(line["more"] for line in more) > len(said())

    asyncio.run(main())


def test_where_calls_are_answered_need_not_be_told(tmp_path: Path) -> None:
    """A stdout that is full, or closed, is no reason not to answer."""

    async def main() -> None:
        for name, spoil in {"full": full_stdout, "closed": lambda: os.close(1)}.items():
            folder = tmp_path / name
            folder.mkdir()
            async with serving(folder, preexec=spoil, announced=False) as service:
                service.kill(signal.SIGTERM)
                assert await service.ended() == 0, service.errors.read_text()
                assert not [line for line in service.logged() if line["level"] == "error"]

    asyncio.run(main())


def full_stdout() -> None:
    os.dup2(full_disk(), 1)
