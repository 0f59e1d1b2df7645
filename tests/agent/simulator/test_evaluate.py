"""`voice-agent evaluate`: what is counted as what, and that a bad agent is found out."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from agent.simulator import scenarios
from agent.simulator.evaluate import Outcome, as_json, judge, run, summary, table
from agent.simulator.plan import Plan
from agent.simulator.scenarios import Kind, ScenarioError, Situation
from agent.simulator.stretches import Frames
from pipelines.providers.scripted import Synthesizer, SynthesizerOptions
from tests.agent.conversation import LOUD, voice
from tests.agent.loopback import running
from tests.recordings import FOLDER


def situation(kind: Kind, pause: float | None = None) -> Situation:
    return Situation(name="it", kind=kind, pause=pause, plan=Plan())


def frames(timeline: str) -> Frames:
    """One letter is 100 ms: "+" sounds."""
    return np.array([mark == "+" for mark in timeline for _ in range(5)])


@pytest.mark.parametrize(
    ("kind", "caller", "agent", "clears", "verdict"),
    [
        ("turn", "....++++........", "++.........++++.", [], "answered after 0.30 s"),
        ("turn", "....++++........", "++..............", [], "missed"),
        ("pause", "....++....++....", "++............++", [], "answered after 0.20 s"),
        ("pause", "....++....++....", "++......+.....++", [], "cut in, then answered after 0.20 s"),
        ("barge-in", "....++++........", "+++++.......++++", [0.52], "stopped after 0.12 s"),
        ("barge-in", "....++++........", "+++++.+.....++++", [0.5],
         "stopped after 0.10 s, old audio for 0.10 s"),
        ("barge-in", "....++++........", "++++++++++++++++", [], "did not stop"),
        ("barge-in", ".........++++...", "++..........++++", [],
         "not measured: the agent was not speaking any more"),
        ("backchannel", "....++..........", "+++++..+++++++++", [0.5],
         "stopped after 0.10 s, went on after 0.10 s of silence"),
        ("backchannel", "....++..........", "++++++++++++++++", [], "did not stop"),
        ("noise", "....++..........", "+++++...........", [0.5],
         "stopped after 0.10 s, did not go on"),
        ("noise", "................", "+++++...........", [],
         "not measured: the caller never got to speak"),
    ],
)  # fmt: skip
def test_what_is_counted_as_what(
    kind: Kind, caller: str, agent: str, clears: list[float], verdict: str
) -> None:
    """Each situation has few ends, told in a few words."""
    outcome = judge(situation(kind), frames(caller), frames(agent), clears)
    assert outcome.verdict == verdict


@given(
    st.sampled_from(["turn", "pause", "barge-in", "backchannel", "noise"]),
    st.lists(st.booleans(), max_size=80),
    st.lists(st.booleans(), max_size=80),
    st.lists(st.floats(0, 2), max_size=4),
)
def test_any_call_is_judged(
    kind: Kind, caller: list[bool], agent: list[bool], clears: list[float]
) -> None:
    """Whatever was heard, there is a verdict, and figures that are numbers."""
    size = min(len(caller), len(agent))
    heard = np.array(agent[:size], bool)
    outcome = judge(situation(kind, 0.5), np.array(caller[:size], bool), heard, clears)
    assert outcome.verdict
    json.dumps(as_json("ws://x", [outcome]), allow_nan=False)


def test_figures_and_table() -> None:
    """Answers after a cut-in do not count as fast ones."""
    turn = Outcome(name="a", kind="turn", response=0.5)
    outcomes = [
        turn,
        replace(turn, response=None),
        Outcome(name="b", kind="pause", pause=0.5, cut_in=True, response=0.1),
        Outcome(name="c", kind="pause", pause=1.0, response=0.7),
        Outcome(name="d", kind="barge-in", stopped=0.12, stale=0.2),
        Outcome(name="e", kind="barge-in"),
        Outcome(name="f", kind="backchannel", stopped=0.1, resumed=0.3),
        Outcome(name="g", kind="backchannel", stopped=0.1, resumed=0.6),
        Outcome(name="h", kind="noise", failed="refused"),
    ]
    found = summary(outcomes)
    unknown = {"p50_interval": [None, None], "p95_interval": [0.5, None]}  # of two
    assert found["response"] == {"p50": 0.6, "p95": 0.69, "n": 2, **unknown}
    assert found["missed_turns"] == [1, 4]
    assert found["cut_ins_by_pause"] == {"0.5": [1, 1], "1": [0, 1]}
    assert found["barge_in_not_stopped"] == [1, 2]
    assert found["old_audio_after_clear"] == [1, 2]
    assert found["backchannels"]["resumed"] == [2, 2]
    assert found["backchannels"]["resumed_promptly"] == [1, 2]
    assert found["noises"]["stopped"] == [0, 0]
    assert found["not_measured"] == 1
    assert "within 0.4 s of silence            1 of 2 (9% to 91%)" in table(outcomes)


# The file


def test_the_situations_that_ship() -> None:
    """All kinds are there, from recordings that are the same as the tests'."""
    found = scenarios.load()
    kinds = [situation.kind for situation in found]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "turn": 14, "pause": 30, "barge-in": 8, "backchannel": 9, "noise": 7,
    }  # fmt: skip
    for path in (scenarios.DEFAULT.parent / "recordings").glob("*.wav"):
        original = FOLDER / path.name
        assert not original.exists() or original.read_bytes() == path.read_bytes()
    long, longer = (
        s.plan.turns[0].audio.seconds for s in found if s.name.startswith("desk, pause 1")
    )
    assert longer - long == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file: Input should be a valid dictionary"),
        ("situations: []", "situations: List should have at least 1 item"),
        ("situations: [{name: a, kind: b}]", "does not match any of the expected tags"),
        ("situations: [{name: a, kind: turn}]", "situations.0.turn.recording: Field required"),
        ("situations: [{name: a, kind: turn, recording: x}]", "No such file"),
        ("situations: [{name: a, kind: noise, sound: hum, decibels: 5, after: 1}]", "decibels"),
        ("a: [", "no YAML"),
        ("\0", "no YAML"),
        (
            "situations: [&a {name: a, kind: noise, sound: hum, decibels: -9, after: 1}, *a]",
            "two situations are named 'a'",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    """By the command too."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    command = [sys.executable, "-m", "agent.cli", "evaluate", "ws://127.0.0.1:1", "--scenarios"]
    done = subprocess.run([*command, path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(ScenarioError, match=r"none\.yaml: No such file"):
        scenarios.load(tmp_path / "none.yaml")


# Whole evaluations, over real sockets


def some(*names: str) -> list[Situation]:
    """Return situations by their names; none takes longer than 15 s."""
    found = [situation for situation in scenarios.load() if situation.name in names]
    return [
        each.model_copy(update={"plan": replace(each.plan, max_seconds=15.0)}) for each in found
    ]


NAMES = ("hello", "which-folder, pause 1.5 s", "over-which-folder", "mm-hm")


def evaluated(url: str) -> dict[str, Outcome]:
    """Run one situation of each kind."""
    outcomes = asyncio.run(run(url, some(*NAMES), at_once=4, headers={}, tell=lambda _: None))
    return {outcome.name: outcome for outcome in outcomes}


def test_our_agent_is_measured(tmp_path: Path) -> None:
    """It answers, stops for words, and goes on after an "mm-hm"."""

    async def main() -> dict[str, Outcome]:
        speaker = Synthesizer(SynthesizerOptions(seconds_per_word=1.0))
        providers = voice(["Mm-hm."] * 9, ["Six seven eight nine."] * 9, tts=speaker)
        async with running(tmp_path, providers) as server:
            found = await run(server.url, some(*NAMES), at_once=4, headers={}, tell=lambda _: None)
            return {outcome.name: outcome for outcome in found}

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

    application = web.Application()
    application.router.add_get("/", talk)
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
            found = await run(url, some(*NAMES), at_once=4, headers={}, tell=lambda _: None)
            return {outcome.name: outcome for outcome in found}

    found = asyncio.run(main())
    assert found["which-folder, pause 1.5 s"].cut_in
    assert found["over-which-folder"].stale > 0.1


def test_a_refusal_is_told() -> None:
    """Nobody is there: each situation says so, and the others are not held up."""
    found = evaluated("ws://127.0.0.1:1/")
    assert all("cannot connect" in outcome.failed for outcome in found.values())
    assert len(found) == len(NAMES)
