"""Connections of calls that were announced, and the end of all of them."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.provider import StreamingStt
from tests.pipelines.providers.streaming_stt.calling import run

from .parrot import (
    Dialect,
    Manner,
    Parrot,
    Speech,
    cancelled_after,
    words,
)


def test_a_call_that_was_announced_finds_an_open_connection() -> None:
    """Each takes one; when there is none left, a fresh one is opened."""

    async def main() -> None:
        parrot = Parrot()
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        await provider.warm()
        assert len(parrot.connections) == 1
        first, second = provider.open_session(), provider.open_session()
        hearing = asyncio.create_task(first.transcribe(Speech(words([1, 2]))))
        assert await second.transcribe(Speech(words([3, 4]))) == "3 4"
        assert await hearing == "1 2"
        assert [connection.said for connection in parrot.connections] == [[1, 2], [3, 4]]
        await provider.aclose()

    run(main)


def test_a_spare_connection_that_nobody_takes_is_closed() -> None:
    """After some time, politely; and there are never many."""

    async def main() -> None:
        parrot = Parrot()
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        for _ in range(20):
            await provider.warm()
        assert len(parrot.connections) == 8
        await asyncio.sleep(20.1)
        assert all(connection.closed_at for connection in parrot.connections)
        assert parrot.connections[0].commands == ["hello", "bye"]
        await provider.aclose()

    run(main)


def test_warming_that_fails_or_is_cancelled_leaves_nothing() -> None:
    """It raises nothing; and no call gets a connection that did not open."""

    async def main() -> None:
        parrot = Parrot(Manner(refuses=True))
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        await provider.warm()
        parrot.manner.refuses = False
        await cancelled_after(0.05, provider.warm())
        session = provider.open_session()
        assert await session.transcribe(Speech(words([1]))) == "1"
        assert len(parrot.connections) == 1
        await provider.aclose()

    run(main)


def test_closing_the_provider_ends_what_is_heard() -> None:
    """With ProviderError, at once, wherever it was."""

    async def main() -> None:
        parrot = Parrot(Manner(thinks=lambda: 5.0))
        provider = StreamingStt(Dialect())
        await provider.connect_by(parrot, {})
        speaking, waiting = provider.open_session(), provider.open_session()
        tasks = [
            asyncio.create_task(speaking.transcribe(Speech(words([1]), ends=False))),
            asyncio.create_task(waiting.transcribe(Speech(words([2])))),
        ]
        await asyncio.sleep(1.0)
        await provider.aclose()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, ProviderError)
        assert now() == pytest.approx(1.0)
        with pytest.raises(ProviderError):
            await provider.open_session().transcribe(Speech(words([3])))

    run(main)
