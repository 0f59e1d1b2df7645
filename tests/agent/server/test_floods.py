"""One socket that sends as much as it can, beside an honest call in the same process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.simulator.plan import Plan, Turn
from tests.agent.conversation import voice
from tests.agent.loopback import Running, until
from tests.agent.raw_socket import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawSocket,
    connected,
    frame,
    upgrade,
)
from tests.agent.server.test_app import converse, serve, speech

pytestmark = pytest.mark.usefixtures("nothing_left")

CONNECT = json.dumps({"command": "connect", "callId": "flood", "sampleRate": 8000}).encode()

FLOODS = {
    "pings": frame(PING) * 4000,
    "large pings": frame(PING, bytes(125)) * 500,
    "pongs": frame(PONG) * 4000,
    "continuations": frame(CONTINUATION, final=False) * 4000,
    "empty text": frame(TEXT) * 4000,
    "empty binary": frame(BINARY) * 4000,
    "tiny text": frame(TEXT, b"{}") * 4000,
    "garbage": frame(BINARY, b"\xff\x00{") * 4000,
    "brackets": frame(TEXT, b"[" * 9000),
}


@asynccontextmanager
async def flooding(server: Running, kind: str, *, answered: bool) -> AsyncIterator[RawSocket]:
    """Open a socket that is about to flood, before or after its call was answered."""
    async with connected(server.url, upgrade(server.url)) as raw:
        assert "101" in await raw.head()
        if answered:
            await raw.send(frame(TEXT, CONNECT))
            async with asyncio.timeout(10):
                await raw.reader.readuntil(b'"answer"}')
        if kind == "continuations":
            await raw.send(frame(BINARY, final=False))
        yield raw


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", FLOODS)
def test_whoever_floods_is_cut_off(tmp_path: Path, kind: str, answered: bool) -> None:
    """With frames of any kind, of no length too, before `connect` or in a call; and is told why.

    The call beside it is greeted, heard and answered.
    """

    async def story(server: Running) -> None:
        plan = Plan(turns=[Turn(audio=speech(8000, 0.6), label="a tone")])
        neighbour = asyncio.create_task(converse(server.url, plan))
        await until(lambda: server.registry.in_progress)
        async with flooding(server, kind, answered=answered) as raw, asyncio.timeout(15):
            await raw.flood(FLOODS[kind])
        assert (await neighbour).failure() == ""
        await until(lambda: not server.registry.in_progress)

    with capture_logs() as logs:
        serve(tmp_path, story, providers=voice(["Good day."], ["Good bye."]))
    assert not [entry for entry in logs if entry["log_level"] == "error"]
    told = {"call ended"} if answered else {"line lost before the answer"}
    reasons = [entry["reason"] for entry in logs if entry["event"] in told]
    too_much = ("too many messages", "audio came much faster than real time")
    assert [reason for reason in reasons if reason in too_much], reasons
