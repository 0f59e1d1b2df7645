"""`voice-agent evaluate`: whole calls, and that a bad agent is found out."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from agent.cli import main
from agent.simulator import scenarios
from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.evaluation.evaluate import Evaluation, run
from agent.simulator.evaluation.judging import Outcome, Tried, judge
from agent.simulator.evaluation.references import References, heard_of
from agent.simulator.scenarios import Situation, joining
from agent.simulator.speech import recorded_turn
from pipelines.audio import FRAME_SECONDS, Audio
from pipelines.providers.scripted import Synthesizer, SynthesizerOptions
from tests.agent.conversation import LOUD, voice
from tests.agent.loopback import running

# Whole evaluations, over real sockets


def some(*names: str) -> list[Situation]:
    """Return situations by their names; none takes longer than 15 s."""
    found = [situation for situation in scenarios.load() if situation.name in names]
    return [
        each.model_copy(update={"plan": replace(each.plan, max_seconds=15.0)}) for each in found
    ]


NAMES = ("hello", "which-folder, pause 1.5 s", "over-which-folder", "mm-hm")


def opening(seconds: float) -> References:
    return References(opening=Audio(bytes(2 * int(8000 * seconds)), 8000), replies={})


async def evaluated(url: str) -> dict[str, Outcome]:
    """Run one situation of each kind."""
    outcomes = await run(url, some(*NAMES), opening(4.0), Evaluation(headers={}), lambda _: None)
    return {outcome.tried.name: outcome for outcome in outcomes}


def test_our_agent_is_measured(tmp_path: Path) -> None:
    """It answers, stops for words, and goes on after an "mm-hm"."""

    async def main() -> dict[str, Outcome]:
        speaker = Synthesizer(SynthesizerOptions(seconds_per_word=1.0))
        providers = voice(["Mm-hm."] * 9, ["Six seven eight nine."] * 9, tts=speaker)
        async with running(tmp_path, providers) as server:
            return await evaluated(server.url)

    found = asyncio.run(main())
    assert not [outcome.failed for outcome in found.values() if outcome.failed]
    assert found["hello"].response is not None
    assert found["over-which-folder"].stopped is not None
    assert found["over-which-folder"].stale == 0
    assert found["mm-hm"].stopped is not None
    assert found["mm-hm"].resumed is not None


@asynccontextmanager
async def rude() -> AsyncIterator[str]:
    """Serve an agent that talks without end, sends one `clear`, and goes on."""

    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.send_str('{"command": "answer"}')
        speaking = asyncio.create_task(drone(socket))
        cleared = False
        async for message in socket:
            if not cleared and isinstance(message.data, bytes) and any(message.data):
                cleared = True
                await socket.send_str('{"command": "clear"}')
        speaking.cancel()
        await asyncio.wait([speaking])
        return socket

    async def drone(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(LOUD * 100)  # 2 s
        while True:  # and a word each 1.4 s
            await asyncio.sleep(1.4)
            await socket.send_bytes(LOUD * 10)

    async with serving(talk) as url:
        yield url


async def hangs_up(request: web.Request) -> web.WebSocketResponse:
    """Answer, and hang up."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.receive()
    await socket.send_str('{"command": "answer"}')
    await socket.close()
    return socket


@asynccontextmanager
async def serving(
    agent: Callable[[web.Request], Awaitable[web.WebSocketResponse]],
) -> AsyncIterator[str]:
    """Serve an agent; yield its address."""
    application = web.Application()
    application.router.add_get("/", agent)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def test_a_bad_agent_is_found_out() -> None:
    """It cuts in, sends old audio after its `clear`, and is not there for the answer."""

    async def main() -> dict[str, Outcome]:
        async with rude() as url:
            return await evaluated(url)

    found = asyncio.run(main())
    assert found["which-folder, pause 1.5 s"].cut_in
    assert found["over-which-folder"].stale > 0.1


def test_nobody_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, and not by each situation."""
    assert main(["evaluate", "ws://127.0.0.1:1/"]) == 1
    said = capsys.readouterr()
    assert "cannot connect" in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_what_an_agent_cannot_be_tried_in_is_told_before_it_is_called() -> None:
    """One that is silent at first, and one whose opening is too short."""
    found = {s.name: s for s in scenarios.load()}
    silent = References(opening=None, replies={})
    assert silent.lacking(found["answer-yes, +0 s"]) == "the agent does not speak first"
    assert silent.lacking(found["echo, 10 dB down"]) == "the agent does not speak first"
    assert not silent.lacking(found["hello"])
    short = opening(1.2)
    assert short.lacking(found["over-no"]) == "its opening takes 1.2 s, and this comes at 2 s"
    assert not short.lacking(found["over-one-moment"])
    assert not short.lacking(found["answer-yes, +0 s"])


# What was heard, of whole calls without a socket

SPEECH = recorded_turn(scenarios.DEFAULT.parent / "recordings" / "not-in-service.wav", 8000).audio
OTHER = recorded_turn(scenarios.DEFAULT.parent / "recordings" / "press-one.wav", 8000).audio


def held(situation: Situation, known: References, agent: Callable[[int], bytes]) -> Outcome:
    """Hold a call with an agent that sends something at some frames, and judge it."""
    plan = known.plan(situation)
    call = CallInProgress(plan, lambda _at, _line: None)
    for frame in range(int(plan.max_seconds / FRAME_SECONDS)):
        if sent := agent(frame):
            call.received(sent)
        call.frame()
        if call.done:
            break
    call.finish()
    tried = Tried(name=situation.name, kind=situation.kind, offset=situation.offset)
    return judge(tried, heard_of(call, situation, known))


def at_frames(sent: dict[int, bytes]) -> Callable[[int], bytes]:
    return lambda frame: sent.get(frame, b"")


def known_by(opening: Audio, reply: Audio | None = None) -> References:
    trimmed = joining.trimmed(opening)
    label = "opening-hours.wav"
    return References(opening=trimmed, replies={label: reply and joining.trimmed(reply)})


def of_name(name: str) -> Situation:
    return next(one for one in scenarios.load() if one.name == name)


def test_an_answer_is_said_where_it_was_to_be() -> None:
    """To the frame, whatever the silence before the opening; and the reply to it is one."""
    known = known_by(SPEECH)
    answer = of_name("answer-yes, +0.25 s")
    replied = held(answer, known, at_frames({20: SPEECH.pcm, 330: OTHER.pcm}))
    assert replied.response is not None
    again = held(answer, known, at_frames({20: SPEECH.pcm, 330: SPEECH.pcm}))
    assert again.verdict == "lost"
    assert held(answer, known, at_frames({20: SPEECH.pcm})).verdict == "lost"


def test_a_reply_is_heard_to_its_end_or_is_not() -> None:
    """Over a talker: told by its words, though others follow that are as long."""
    known = known_by(SPEECH, OTHER)
    talker = of_name("talker-tells, 8 dB below")
    start = {0: SPEECH.pcm, 420: OTHER.pcm}
    assert held(talker, known, at_frames(start)).whole is True
    half = Audio(OTHER.pcm[: 2 * 8000 * 2], 8000)
    cut = {0: SPEECH.pcm, 420: half.pcm, 600: SPEECH.pcm}
    assert held(talker, known, at_frames(cut)).whole is False
    resumed = {0: SPEECH.pcm, 420: half.pcm, 800: OTHER.pcm[len(half.pcm) - 3200 :]}
    assert held(talker, known, at_frames(resumed)).whole is True


def test_an_opening_is_said_after_all_or_is_not() -> None:
    """After a "Hello?" at pick-up."""
    known, hello = known_by(SPEECH), of_name("pick-up-hello, 0.2 s")
    assert held(hello, known, at_frames({10: SPEECH.pcm[:8000], 80: SPEECH.pcm})).whole is True
    assert held(hello, known, at_frames({10: SPEECH.pcm[:8000], 80: OTHER.pcm})).whole is False


def test_an_echo_is_heard_by_the_agent_alone() -> None:
    """The recording of the call has what was said, so nobody has spoken; it is judged so."""
    known, echo = known_by(SPEECH), of_name("echo, 20 dB down")
    assert held(echo, known, at_frames({10: SPEECH.pcm})).verdict == "was not disturbed"
    itself = held(echo, known, at_frames({10: SPEECH.pcm, 330: OTHER.pcm}))
    assert itself.answered_itself
    call = CallInProgress(echo.plan, lambda _at, _line: None)
    call.received(SPEECH.pcm)
    assert any(any(call.frame()) for _ in range(100))
    assert not any(call.caller_channel)


# The command


def test_ctrl_c_prints_what_was_measured(tmp_path: Path) -> None:
    """As text and in the file, with the status that shells have for it; nothing hangs."""
    kept = tmp_path / "a.json"

    async def main() -> tuple[int | None, bytes]:
        async with serving(hangs_up) as url:
            command = [sys.executable, "-m", "agent.cli", "evaluate", url, "--only", "goodbye"]
            command += ["--repeat", "1000", "--at-once", "1", "--save", str(kept)]
            # Tests that run in the background ignore SIGINT, and so does what they start.
            process = await asyncio.create_subprocess_exec(
                *command,
                stdout=asyncio.subprocess.PIPE,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            assert process.stdout is not None
            try:
                async with asyncio.timeout(120):
                    first = await process.stdout.readline()
                    process.send_signal(signal.SIGINT)
                    rest = await process.stdout.read()
                    return await process.wait(), first + rest
            finally:
                if process.returncode is None:
                    process.kill()

    status, said = asyncio.run(main())
    assert status == 130
    assert b"stopped: this is what was measured until then" in said
    assert b"calls, not measured" in said
    found = json.loads(kept.read_text())
    assert found["whole"] is False
    assert 0 < found["calls"] < 1000
    assert found["situations"][0]["failed"] == "the agent hung up before"
