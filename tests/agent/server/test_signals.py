"""The signals that end the service, on any event loop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from agent.server.stopping import Stopping, signals


class LoopWithoutSignals(asyncio.SelectorEventLoop):
    """As on Windows."""

    def add_signal_handler(self, *_args: Any) -> NoReturn:  # type: ignore[override]
        raise NotImplementedError


LOOPS: list[Callable[[], asyncio.AbstractEventLoop]]
LOOPS = [asyncio.SelectorEventLoop, LoopWithoutSignals]


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """What a test does to this process's signals ends with it; none is ignored, as by nohup(1)."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    before = [signal.getsignal(number) for number in numbers]
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    after = [signal.getsignal(number) for number in numbers]
    signal.signal(signal.SIGHUP, hangup)
    assert after == before


def send(number: int) -> None:
    os.kill(os.getpid(), number)


async def serve(stopping: Stopping, *later: int) -> bool:
    """Serve until asked to stop, then be sent more; return whether that ended us at once."""
    try:
        async with stopping.scope:
            stopping.serving()
            await asyncio.wait_for(stopping.asked.wait(), 30)
            for number in later:
                send(number)
            await asyncio.sleep(0.5)  # the drain
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize(
    ("later", "at_once"),
    [
        ([], False),
        ([signal.SIGHUP], False),  # a shell sends it, and then the terminal
        ([signal.SIGINT], True),
        ([signal.SIGTERM], True),
        ([signal.SIGINT] * 5, True),
    ],
)
def test_the_first_drains_and_the_second_ends_at_once(
    loop: Callable[[], asyncio.AbstractEventLoop], first: int, later: list[int], *, at_once: bool
) -> None:
    """Each wakes a loop that has nothing to do until then."""

    async def main() -> bool:
        with signals() as stopping:
            asyncio.get_running_loop().call_later(0.05, send, first)
            return await serve(stopping, *later)

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(main()) is at_once


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_before_anything_is_served_the_first_ends_at_once(number: int) -> None:
    """Models that load for a minute are not waited for."""

    async def main() -> None:
        with signals() as stopping:
            asyncio.get_running_loop().call_later(0.05, send, number)
            with pytest.raises(TimeoutError):
                async with stopping.scope:
                    await asyncio.sleep(60)
            assert stopping.scope.expired()

    asyncio.run(main())


def test_who_ignores_a_hangup_goes_on() -> None:
    """As nohup(1) has it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def main() -> None:
        with signals() as stopping:
            send(signal.SIGHUP)
            await asyncio.sleep(0.05)
            assert not stopping.asked.is_set()

    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGHUP, before)
