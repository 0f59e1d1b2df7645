"""The signals that end the service, on any event loop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from agent.server.start import _on_signals


class LoopWithoutSignals(asyncio.SelectorEventLoop):
    """As on Windows."""

    def add_signal_handler(self, *_args: Any) -> NoReturn:  # type: ignore[override]
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """What a test does to this process's signals ends with it."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, LoopWithoutSignals])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_each_signal_is_told_once_and_wakes_the_loop(
    loop: Callable[[], asyncio.AbstractEventLoop], number: int
) -> None:
    """Even one that has nothing to do until then: a second signal is told as well."""

    async def told() -> list[int]:
        signals = _on_signals()
        found = []
        for _ in range(2):
            os.kill(os.getpid(), number)
            found.append(await asyncio.wait_for(signals.get(), 5))
        assert signals.empty()
        return found

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(told()) == [number, number]
