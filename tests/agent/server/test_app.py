"""The server on a loopback socket: admission, abuse, and what is left afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Plan, Turn
from agent.simulator.stream_caller import place_call
from pipelines.audio import Audio
from pipelines.providers.scripted import (
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from tests.agent.conversation import LOUD, voice
from tests.agent.loopback import Running, command, declined, dialled, running, until
from tests.journals import files_of

CONNECT = {"command": "connect", "callId": "c1", "codec": "PCM", "sampleRate": 8000}
pytestmark = pytest.mark.usefixtures("nothing_left")


def serve(folder: Path, story: Callable[[Running], Awaitable[None]], **given: Any) -> None:
    """Run ``story`` against a server; nothing may outlive it."""

    async def main() -> None:
        async with running(folder, **given) as server:
            async with asyncio.timeout(30):
                await story(server)

    asyncio.run(main())


def speech(rate: int, seconds: float) -> Audio:
    tone = b"\x00\x20" * (rate // 400) + b"\x00\xe0" * (rate // 400)
    return Audio(tone * round(seconds * 200), rate)


async def converse(url: str, plan: Plan) -> CallInProgress:
    return await place_call(url, plan, lambda _at, _line: None, "c1")


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000, 96000])
def test_a_call_is_held_at_every_rate_of_the_channel(tmp_path: Path, rate: int) -> None:
    """The caller is greeted, heard and answered, and the transcript says so."""

    async def story(server: Running) -> None:
        turn = Turn(audio=speech(rate, 0.6), label="a tone")
        call = await converse(server.url, Plan(turns=[turn], rate=rate))
        assert call.failure() == ""
        assert call.report.gaps == 0
        greeting, reply = call.report.agent_spoke
        assert abs(greeting[1] - greeting[0] - 1.2) < 0.1
        assert abs(reply[1] - reply[0] - 0.6) < 0.1
        await until(lambda: not server.registry.in_progress)
        told = [(line["kind"], line.get("text")) for line in server.lines()]
        pieces = ("understood", "heard", "timing")
        assert [one for one in told if one[0] not in pieces] == [
            ("call", None),
            ("agent", "Hello, who is this?"),
            ("caller", "Good day."),
            ("agent", "Good bye."),
            *[("usage", None)] * 3,
            ("ended", None),
        ]
        first = server.lines()[0]
        known = {"direction": "incoming", "call_id": "c1", "rate": rate, "language": "en"}
        assert known.items() <= first.items()
        assert first["lineup"] == {"stt": ["1"], "llm": ["1"], "tts": ["1"]}
        assert first["connected"] <= first["started"]
        assert len(first["agent_version"]) == 12
        stt, llm, tts = (line for line in server.lines() if line["kind"] == "usage")
        assert stt["seconds"] == pytest.approx(0.6 + 0.4, abs=0.3)  # with what came before
        assert llm["requests"] == 1
        assert tts["characters"] >= len("Hello, who is this? Good bye.")

    serve(tmp_path, story, providers=voice(["Good day."], ["Good bye."]))


@pytest.mark.parametrize("shape", ["v1", "v2", "tutorial"])
def test_every_published_connect_is_answered(tmp_path: Path, shape: Any) -> None:
    """At the rate that the endpoint's address asked for, where `connect` names none."""

    async def story(server: Running) -> None:
        call = await converse(server.url + "?rate=16000", Plan(rate=16000, shape=shape))
        assert call.failure() == ""
        began, ended = call.report.agent_spoke[0]
        assert abs(ended - began - 1.2) < 0.1

    serve(tmp_path, story)


TOKEN = "a-long-random-text"


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        (f"?token={TOKEN}", {}, "answer"),
        ("", {"token": TOKEN}, "answer"),
        ("", {"Token": TOKEN, "agent": "reception"}, "answer"),
        ("", {}, "reject"),
        ("?token=", {}, "reject"),
        ("", {"token": TOKEN + "x"}, "reject"),
        (f"?token={TOKEN}x", {}, "401"),
        ("?token=\u00e4\ud7ff", {}, "401"),
        ("?token=wrong", {"token": TOKEN}, "401"),
    ],
)
def test_a_call_brings_the_token(
    tmp_path: Path, query: str, headers: dict[str, str], expected: str
) -> None:
    """In the endpoint's address or a call header; what it was is in no log and no transcript.

    A wrong one in the address gets no websocket.
    """

    async def story(server: Running) -> None:
        with capture_logs() as logs:
            if expected == "401":
                assert await declined(server.url + query) == 401
                return
            async with dialled(server.url + query) as socket:
                await socket.send_json(CONNECT | {"callHeaders": headers})
                assert await command(socket) == expected
            await asyncio.sleep(0.1)
        assert TOKEN not in str(logs)
        assert TOKEN not in str(server.lines())

    serve(tmp_path, story, server={"token": TOKEN})


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"codec": "OPUS"}, "codec"),
        ({"sampleRate": 11025}, "rate"),
        ({"callHeaders": {"agent": "nobody"}}, "nobody"),
        ({"callHeaders": {"agent": "../../etc/passwd"}}, "agent"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_rejected(
    tmp_path: Path, wrong: dict[str, Any], reason: str
) -> None:
    """`reject` comes first and alone, the socket closes, and the log says why."""

    async def story(server: Running) -> None:
        async with dialled(server.url) as socket:
            await socket.send_str(json.dumps(CONNECT | wrong))
            assert await command(socket) == "reject"
            assert await command(socket) == "closed"

    with capture_logs() as logs:
        serve(tmp_path, story)
    (refused,) = [entry for entry in logs if entry["event"] == "call refused"]
    assert reason in refused["reason"]


def test_a_full_server_declines_and_a_call_makes_room(tmp_path: Path) -> None:
    """503 while as many calls as allowed are on, `answer` again afterwards."""

    async def story(server: Running) -> None:
        async with dialled(server.url) as first:
            await first.send_str(json.dumps(CONNECT))
            assert await command(first) == "answer"
            assert await declined(server.url) == 503
        await until(lambda: not server.registry.in_progress)
        async with dialled(server.url) as third:
            await third.send_str(json.dumps(CONNECT))
            assert await command(third) == "answer"

    serve(tmp_path, story, server={"max_calls": 1})


def test_a_draining_server_is_busy_and_ends_calls_in_time(tmp_path: Path) -> None:
    """Calls may finish; when their time is up the agent says goodbye; /health says what goes on."""

    async def story(server: Running) -> None:
        async with dialled(server.url) as held:
            await held.send_str(json.dumps(CONNECT))
            assert await command(held) == "answer"
            drained = asyncio.create_task(server.registry.drain(1.5))
            await asyncio.sleep(0.1)
            assert await declined(server.url) == 503
            health = server.url.replace("ws:", "http:").replace("/stream", "/health")
            async with aiohttp.ClientSession() as session, session.get(health) as answer:
                assert answer.status == 503
                assert (await answer.json())["calls"] == 1
            assert await command(held) == "closed"
            await drained
        goodbye = [line for line in server.lines() if line["kind"] == "agent"][-1]
        assert "oodbye" in goodbye["text"]
        assert server.lines()[-1]["reason"] == "the service stops"

    serve(tmp_path, story)


def test_who_cannot_say_goodbye_is_hung_up_on(tmp_path: Path) -> None:
    """No voice, no goodbye; the call ends all the same, and no later."""
    mute = Synthesizer(SynthesizerOptions(fault="hangs"))

    async def story(server: Running) -> None:
        async with dialled(server.url) as held:
            await held.send_str(json.dumps(CONNECT))
            assert await command(held) == "answer"
            await server.registry.drain(0.1)
            assert not server.registry.in_progress
        assert server.lines()[-1]["kind"] == "ended"

    serve(tmp_path, story, providers=voice(tts=mute))


def test_a_socket_without_connect_is_closed(tmp_path: Path) -> None:
    """Nothing is sent on it, whatever audio or rubbish comes instead."""

    async def story(server: Running) -> None:
        async with dialled(server.url) as socket:
            for rubbish in ("{", "[]", '{"command": "heartbeat"}'):
                await socket.send_str(rubbish)
            await socket.send_bytes(LOUD)
            assert await command(socket) == "closed"

    with capture_logs() as logs:
        serve(tmp_path, story, server={"connect_timeout": 0.3})
    assert [e["reason"] for e in logs if e["event"] == "call refused"] == ["no connect in time"]


async def flood(socket: aiohttp.ClientWebSocketResponse) -> None:
    while not socket.closed:
        await socket.send_bytes(bytes(32_000))


async def one_huge_message(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_bytes(bytes(100_000_000))


async def many_small_messages(socket: aiohttp.ClientWebSocketResponse) -> None:
    while not socket.closed:
        await socket.send_str("{}")


async def invalid_text(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_frame(b"\xff\xfe", aiohttp.WSMsgType.TEXT)


async def vanish(socket: aiohttp.ClientWebSocketResponse) -> None:
    transport = socket.get_extra_info("socket")
    await socket.send_bytes(LOUD * 20)
    assert transport is not None
    socket._conn.transport.abort()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("abuse", "reason"),
    [
        (flood, "faster than real time"),
        (one_huge_message, "the line broke"),
        (many_small_messages, "too many messages"),
        (invalid_text, "the line broke"),
        (vanish, "hung up"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_abuse_ends_its_own_call_and_no_other_notices(
    tmp_path: Path,
    abuse: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]],
    reason: str,
) -> None:
    """One log line says why; the call beside it is greeted, heard and answered without a gap."""

    async def story(server: Running) -> None:
        plan = Plan(turns=[Turn(audio=speech(8000, 0.6), label="a tone")])
        neighbour = asyncio.create_task(converse(server.url, plan))
        await asyncio.sleep(0.3)
        async with dialled(server.url) as socket:
            await socket.send_str(json.dumps(CONNECT))
            assert await command(socket) == "answer"
            with suppress(ConnectionError, aiohttp.ClientError):  # the server has had enough
                await abuse(socket)
        call = await neighbour
        assert call.failure() == ""
        assert call.report.gaps == 0
        await until(lambda: not server.registry.in_progress)

    with capture_logs() as logs:
        serve(tmp_path, story, providers=voice(["Good day."], ["Good bye."]))
    endings = [entry["reason"] for entry in logs if entry["event"] == "call ended"]
    assert len(endings) == 2
    assert any(reason in ending for ending in endings)
    assert not [entry for entry in logs if entry["log_level"] == "error"]


def test_a_bug_in_one_call_is_loud_and_stays_there(tmp_path: Path) -> None:
    """The socket closes, the log has a traceback but not the words, and the next call works."""
    secret = "the caller's words"

    class Buggy(Transcriber):
        async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
            raise KeyError(secret)

    async def story(server: Running) -> None:
        turn = Turn(audio=speech(8000, 0.6), label="a tone")
        call = await converse(server.url, Plan(turns=[turn]))
        assert call.report.ended_by == "agent"
        assert "nothing was answered" in call.failure()
        assert (await converse(server.url, Plan())).failure() == ""

    with capture_logs() as logs:
        serve(tmp_path, story, providers=voice(stt=Buggy(TranscriberOptions())))
    (bug,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert bug["event"] == "call failed: this is a bug"


def test_a_call_says_what_is_wanted_of_it_afterwards(tmp_path: Path) -> None:
    """What its agent file asked for at its beginning, whatever becomes of the file."""
    (tmp_path / "prompts").mkdir()
    front = "greeting: Hello.\nsummary: true\nextract: {name: string}"
    (tmp_path / "prompts" / "reception.md").write_text(f"---\n{front}\n---\nBe brief.\n")

    async def story(server: Running) -> None:
        async with dialled(server.url) as socket:
            await socket.send_str(json.dumps(CONNECT))
            assert await command(socket) == "answer"
        await until(lambda: not server.registry.in_progress)
        assert server.lines()[1] == {
            "kind": "wanted",
            "summary": True,
            "extract": {"type": "object", "properties": {"name": {"type": "string"}}},
        }

    serve(tmp_path, story)


def test_transcripts_are_private_and_their_names_are_safe(tmp_path: Path) -> None:
    """A call id with slashes and dots stays a file name; only the owner may read it."""

    async def story(server: Running) -> None:
        async with dialled(server.url) as socket:
            await socket.send_str(json.dumps(CONNECT | {"callId": "../../x/\n é" + "y" * 300}))
            assert await command(socket) == "answer"
        await until(lambda: not server.registry.in_progress)
        (file,) = files_of(server.transcripts)
        assert file.suffix == ".jsonl"
        assert file.stat().st_mode & 0o777 == 0o600

    serve(tmp_path, story)


def test_a_disk_that_fails_costs_the_transcript_not_the_call(tmp_path: Path) -> None:
    """The folder cannot be made: the call is held all the same, and the log says so once."""
    (tmp_path / "transcripts").write_text("a file in the way")

    async def story(server: Running) -> None:
        assert (await converse(server.url, Plan())).failure() == ""

    with capture_logs() as logs:
        serve(tmp_path, story)
    errors = [e["event"] for e in logs if e["log_level"] == "error"]
    assert errors.count("records cannot be written") == 1
    assert set(errors) <= {
        "records cannot be written",
        "journals cannot be looked for",
        "a folder cannot be used",
    }
