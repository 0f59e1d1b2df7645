"""Half a character, wherever it may come from, costs no call: whole calls over real sockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from structlog.testing import capture_logs

from tests.agent.conversation import voice
from tests.agent.loopback import Running, command, dialled, running, until

pytestmark = pytest.mark.usefixtures("nothing_left")
HALF = "x\ud83dy"


def answered(folder: Path, connect: dict[str, Any], query: str = "", **given: Any) -> Running:
    """Have a call of half a second over a real socket; return the server it was had with."""

    async def main() -> Running:
        async with running(folder, **given) as server, asyncio.timeout(30):
            async with dialled(server.url + query) as socket:
                await socket.send_str(json.dumps({"command": "connect", **connect}))
                assert await command(socket) == "answer"
                heard = 0
                while heard < 8000:  # half a second at 8 kHz
                    message = await socket.receive(timeout=10)
                    assert message.type is aiohttp.WSMsgType.BINARY
                    heard += len(message.data)
            await until(lambda: not server.registry.in_progress)
        return server

    with capture_logs() as logs:
        server = asyncio.run(main())
    assert not [line for line in logs if "bug" in line["event"]]
    return server


@pytest.mark.parametrize(
    "connect",
    [
        {"callId": HALF},
        {"callId": "\ud83d\x00\n"},
        {"callId": "c1", "callHeaders": [{"key": HALF, "value": HALF}]},
        {"callId": "c1", "callHeaders": {"caller": HALF, "called": "\ude00", "agent": ""}},
        {"callId": 7, "applicationKey": HALF, HALF: HALF},
    ],
)
def test_the_platform_sends_half_a_character(tmp_path: Path, connect: dict[str, Any]) -> None:
    """The call is greeted, and its record can be read by anybody."""
    server = answered(tmp_path, connect)
    first, *_ = server.lines()
    assert first["kind"] == "call"
    json.dumps(server.lines(), ensure_ascii=False).encode()
    assert server.lines()[-1]["kind"] == "ended"


def test_so_does_the_greeting_of_an_agent(tmp_path: Path) -> None:
    """With a name from a header in it."""
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "reception.md").write_text(
        "---\ngreeting: Hello {{headers.name}}, who is this please?\n---\nYou talk to {{caller}}.\n"
    )
    headers = {"name": "Ann \ud83d", "caller": "\ud83d <b>{{x}}"}
    server = answered(tmp_path, {"callId": "c1", "callHeaders": headers})
    assert server.lines()[-1]["kind"] == "ended"


def test_nor_does_the_address_of_the_socket(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, or half a character, in its query."""
    server = answered(tmp_path, {"callId": "c1"}, query=f"?rate={quote(b'%ed%a0%bd')}&x=%ED%A0%BD")
    assert server.lines()[0]["call_id"] == "c1"


def test_an_agent_of_no_name_is_refused(tmp_path: Path) -> None:
    """And nothing is taken for a bug."""

    async def main() -> None:
        async with running(tmp_path) as server, dialled(f"{server.url}?agent=%ED%A0%BD") as socket:
            await socket.send_str(json.dumps({"command": "connect", "callId": "c1"}))
            assert await command(socket) == "reject"

    with capture_logs() as logs:
        asyncio.run(main())
    assert not [line for line in logs if "bug" in line["event"]]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/calls", b'{"to": "+1\\ud83d", "variables": {"\\ud83d": "\\ud83d"}}'),
        ("POST", "/calls", b'{"to": "+12025550123", "agent": "\\ud83d"}'),
        ("POST", "/calls", b'{"to": "sip:\\ud83d@example.com"}'),
        ("POST", "/calls", b'{"to": "\xed\xa0\xbd"}'),
        ("POST", "/calls", b"[" * 50_000),
        ("POST", "/calls/x%ED%A0%BD/hangup", b'{"goodbye": false}'),
        ("POST", "/calls/x/transfer", b'{"to": "+12025550123", "announcement": "\\ud83d"}'),
        ("GET", "/calls/%ED%A0%BD%00", b""),
    ],
)
def test_the_operator_sends_half_a_character(
    tmp_path: Path, method: str, path: str, body: bytes
) -> None:
    """A problem is told as a problem, in an answer that can be read."""

    async def main() -> None:
        operator = {"token": "t" * 40}
        async with running(tmp_path, operator=operator) as server, aiohttp.ClientSession() as http:
            url = server.url.replace("ws://", "http://").rpartition("/")[0]
            headers = {"authorization": f"Bearer {'t' * 40}", "idempotency-key": "é" * 20}
            async with http.request(method, url + path, data=body, headers=headers) as answer:
                assert 400 <= answer.status < 500
                (await answer.text()).encode()

    with capture_logs() as logs:
        asyncio.run(main())
    assert not [line for line in logs if "bug" in line["event"]]


def test_what_is_heard_and_said_can_be_written(tmp_path: Path) -> None:
    """A transcript, and a reply, with halves of characters in them."""
    from agent.simulator.plan import Plan, Turn  # noqa: PLC0415
    from tests.agent.server.test_app import converse, speech  # noqa: PLC0415

    async def main() -> list[dict[str, Any]]:
        providers = voice(["Good day \ud83d."], ["We open \ud83d", "now \ude00."])
        async with running(tmp_path, providers) as server, asyncio.timeout(30):
            turn = Turn(audio=speech(8000, 0.6), label="a tone")
            call = await converse(server.url, Plan(turns=[turn], rate=8000))
            assert call.failure() == ""
            await until(lambda: not server.registry.in_progress)
            return server.lines()

    with capture_logs() as logs:
        lines = [line for line in asyncio.run(main()) if line["kind"] in ("agent", "caller")]
    told = [(line["kind"], line["text"]) for line in lines]
    assert told[1][0] == "caller"
    assert told[1][1] == "Good day \ufffd."
    assert told[2][1].startswith("We open \ufffd")
    assert not [line for line in logs if "bug" in line["event"]]
