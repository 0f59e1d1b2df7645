"""A far end that leaves, in any way, at any moment: a hang-up, never a bug, and never `failed`."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.stream.counted_websocket import LONGEST_REASON
from tests.agent.conversation import LOUD, voice
from tests.agent.loopback import Running, until
from tests.agent.raw_socket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    RawSocket,
    connected,
    frame,
    upgrade,
)
from tests.agent.server.test_app import serve

pytestmark = pytest.mark.usefixtures("nothing_left")

CONNECT = json.dumps({"command": "connect", "callId": "c1", "sampleRate": 8000}).encode()


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


async def ping_and_gone(raw: RawSocket) -> None:
    await raw.send(frame(PING, b"are you there?"))
    await raw.close()


async def pings_and_reset(raw: RawSocket) -> None:
    await raw.send(frame(PING) * 20)
    raw.reset()


async def reset(raw: RawSocket) -> None:
    raw.reset()


async def end_of_file(raw: RawSocket) -> None:
    await raw.close()


async def half_close(raw: RawSocket) -> None:
    raw.half_close()
    await raw.until_closed()


async def mid_header(raw: RawSocket) -> None:
    await raw.send(frame(BINARY, LOUD)[:3])
    await raw.close()


async def mid_frame(raw: RawSocket) -> None:
    await raw.send(frame(BINARY, LOUD)[:-7])
    raw.reset()


async def mid_message(raw: RawSocket) -> None:
    await raw.send(frame(BINARY, LOUD, final=False) + frame(CONTINUATION, LOUD, final=False))
    await raw.close()


async def close_frame(raw: RawSocket) -> None:
    await raw.send(closing(1000, b"bye"))
    await raw.until_closed()


async def close_and_reset(raw: RawSocket) -> None:
    await raw.send(frame(BINARY, LOUD) * 3 + closing(1001))
    raw.reset()


async def close_then_more(raw: RawSocket) -> None:
    await raw.send(frame(CLOSE) + frame(PING) * 9 + frame(BINARY, LOUD) * 9)
    await raw.close()


async def close_with_an_error(raw: RawSocket) -> None:
    await raw.send(closing(1011, b"out of memory"))
    await raw.until_closed()


async def close_with_nonsense(raw: RawSocket) -> None:
    await raw.send(closing(999, b"\xff\xfe"))
    await raw.until_closed()


Leave = Callable[[RawSocket], Awaitable[None]]
WAYS: list[Leave] = [
    ping_and_gone, pings_and_reset, reset, end_of_file, half_close, mid_header, mid_frame,
    mid_message, close_frame, close_and_reset, close_then_more, close_with_an_error,
    close_with_nonsense,
]  # fmt: skip
ERRORS: list[Leave] = [close_with_an_error, close_with_nonsense]


async def at_once(_raw: RawSocket, _server: Running) -> None:
    """As soon as the socket is there."""


async def during_connect(raw: RawSocket, _server: Running) -> None:
    await raw.send(frame(TEXT, CONNECT[:20], final=False))


async def after_connect(raw: RawSocket, _server: Running) -> None:
    await raw.send(frame(TEXT, CONNECT))


async def answered(raw: RawSocket, server: Running) -> None:
    await after_connect(raw, server)
    await raw.reader.readuntil(b'"answer"}')


async def while_we_speak(raw: RawSocket, server: Running) -> None:
    await answered(raw, server)
    await raw.reader.readexactly(4000)  # a quarter of a second; one more is sent ahead


async def while_they_speak(raw: RawSocket, server: Running) -> None:
    await answered(raw, server)
    await raw.send(frame(BINARY, LOUD) * 40)
    await asyncio.sleep(0.05)


MOMENTS = [at_once, during_connect, after_connect, answered, while_we_speak, while_they_speak]


@pytest.mark.parametrize("leave", WAYS, ids=lambda one: one.__name__)
def test_whoever_leaves_has_hung_up(tmp_path: Path, leave: Leave) -> None:
    """No traceback, nothing `failed`, nothing left; the record says whether it was an error."""

    async def story(server: Running) -> None:
        for moment in MOMENTS:
            before = len(ended(server))
            async with connected(server.url, upgrade(server.url)) as raw, asyncio.timeout(20):
                assert "101" in await raw.head()
                await moment(raw, server)
                await leave(raw)
                await until(lambda: not server.registry.in_progress)
                if moment not in (at_once, during_connect, after_connect):
                    await until(partial(_more_ended, server, before))
        for line in ended(server):
            if leave in ERRORS:
                assert line["reason"] == f"the platform closed with code {line['close_code']}"
            else:
                assert line["reason"] == "the caller hung up"
                assert line["close_code"] in (1000, 1001, 1005, 1006)

    with capture_logs() as logs:
        serve(tmp_path, story, providers=voice(["Good day."], ["Good bye."]))
    assert not [entry for entry in logs if entry["log_level"] == "error"]
    assert "failed" not in str(logs)


def ended(server: Running) -> list[dict[str, Any]]:
    return [line for line in server.lines() if line["kind"] == "ended"]


def _more_ended(server: Running, before: int) -> bool:
    return len(ended(server)) > before


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (closing(1000, b"bye"), 1000, "bye"),
        (frame(CLOSE), 1005, ""),
        (closing(1011, "Grü\u2028ße\n\x1b[31m".encode()), 1011, "Grüße[31m"),
        (closing(4321, b"x" * 123), 4321, "x" * 123),
        (closing(1006, b"not allowed on the wire"), 1006, "not allowed on the wire"),
        (closing(1002, b"\xff\xfe\xff"), 1002, "\ufffd\ufffd\ufffd"),
        (b"", 1006, ""),
    ],
)
def test_what_the_platform_says_when_it_closes_is_kept(
    tmp_path: Path, sent: bytes, code: int, reason: str
) -> None:
    """Its code and reason stand in the record: cleaned, in one line, and bounded."""

    async def story(server: Running) -> None:
        async with connected(server.url, upgrade(server.url)) as raw:
            await raw.head()
            await answered(raw, server)
            await raw.send(sent)
            raw.half_close()
            await until(lambda: server.lines() and server.lines()[-1]["kind"] == "ended")
        last = server.lines()[-1]
        assert (last["close_code"], last["close_reason"]) == (code, reason)
        assert len(last["close_reason"]) <= LONGEST_REASON

    with capture_logs() as logs:
        serve(tmp_path, story)
    (line,) = [entry for entry in logs if entry["event"] == "call ended"]
    assert (line["close_code"], line["close_reason"]) == (code, reason)
