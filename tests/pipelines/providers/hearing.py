"""What the tests of all streaming speech-to-texts share: a server, and something to hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.protocol import TranscriptionEvent, TranscriptionProtocol
from tests.contract.bench import Spoken, speech, until
from tests.contract.case import Case, Plan
from tests.contract.hearing import Connection, HearingServer
from tests.contract.proxy import listening

KEY = "sk-very-secret"


@asynccontextmanager
async def serving(
    case: Case, options: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[Any, HearingServer]]:
    """Run an adapter before its server."""
    wire = case.wire(Plan())
    assert isinstance(wire, HearingServer)
    runner = web.AppRunner(wire.application(), handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    sock = listening()
    await web.SockSite(runner, sock).start()
    chosen = {
        **case.options(f"http://127.0.0.1:{sock.getsockname()[1]}"),
        **(options or {}),
        "api_key": KEY,
    }
    provider = case.provider(case.provider.Options.model_validate(chosen))
    try:
        await provider.start()
        yield provider, wire
    finally:
        await provider.aclose()
        await runner.cleanup()


def one_utterance(
    case: Case, options: Mapping[str, Any] | None = None, names: Sequence[str] = ()
) -> tuple[str, Connection, list[str]]:
    """Have a session hear one utterance; return its text, what came, and the keys.

    Args:
        case: By whom.
        options: Other than the case's.
        names: What it is told besides.
    """

    async def main() -> tuple[str, Connection, list[str]]:
        async with serving(case, options) as (provider, wire):
            session = provider.open_session_with(names) if names else provider.open_session()
            heard = await session.transcribe(Spoken(speech()))
            await session.aclose()
            await until(lambda: wire.connections[0].closed, "the connection to be closed")
            return heard, wire.connections[0], wire.keys

    return asyncio.run(main())


def protocol(kind: type[Any], **options: Any) -> TranscriptionProtocol:
    """Return what a fresh connection of an adapter knows."""
    dialect = kind(kind.Options(**options)).dialect
    made: TranscriptionProtocol = dialect.protocol()
    return made


def params(kind: type[Any], **options: Any) -> list[tuple[str, str]]:
    """Return the query of an adapter."""
    query: list[tuple[str, str]] = kind(kind.Options(**options)).dialect.params()
    return query


def refuses(kind: type[Any], **options: Any) -> None:
    """Check that some options are a mistake."""
    with pytest.raises(ValidationError):
        kind.Options(**options)


def events(of: TranscriptionProtocol, *messages: str) -> list[TranscriptionEvent]:
    """Return all that some messages mean."""
    return [event for message in messages for event in of.read(message)]


def fails(of: TranscriptionProtocol, message: str) -> ProviderError:
    """Return the error that a message means."""
    with pytest.raises(ProviderError) as caught:
        of.read(message)
    assert "secret" not in str(caught.value)
    return caught.value


def not_understood(of: TranscriptionProtocol, messages: Sequence[str | bytes]) -> None:
    """Check that some messages are not of the protocol."""
    for message in messages:
        with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own, too
            of.read(message)
