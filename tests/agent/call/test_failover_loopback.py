"""Real calls over real sockets whose first provider, a real adapter, does not do its job.

Its server speaks the provider's wire format, and a proxy before it breaks what it sends.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Plan as CallPlan
from agent.simulator.plan import Turn
from agent.simulator.stream_caller import place_call
from pipelines.audio import Audio
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.budgets import Budgets
from tests.agent.conversation import voice
from tests.agent.loopback import Running, running, until
from tests.contract.case import Case, Fault, Plan
from tests.contract.proxied import behind_a_proxy
from tests.contract.proxy import GOOD, Line, Proxy
from tests.contract.wires import cartesia_tts, deepgram_stt, openai_chat
from tests.own_time import OwnTimeLoop

CASES: dict[str, Case] = {
    "stt": deepgram_stt.CASE,
    "llm": openai_chat.CASE,
    "tts": cartesia_tts.CASE,
}
FALLBACKS: dict[str, Any] = {
    "stt": lambda: Transcriber(TranscriberOptions(lines=("Good day.",))),
    "llm": lambda: LanguageModel(LanguageModelOptions(lines=("Good bye.",))),
    "tts": lambda: Synthesizer(SynthesizerOptions()),
}
BUDGETS = Budgets(patience=1.0)
IN_TIME = 4.0
"""Seconds until the answer: half a second of silence, a second of patience, perhaps twice, and what
a machine that holds all these calls at once adds."""

PATIENT = 2.0
"""Seconds of quiet until the caller takes the agent to be done: all calls share one loop, and each
of them holds it for moments."""

LINES = {
    "refused": None,
    "reset at once": Line(breaks="drop"),
    "closed at once": Line(breaks="end"),
    "dead at once": Line(breaks="half_open"),
    "reset half-way": Line(breaks="drop", after=700),
    "closed half-way": Line(breaks="end", after=700),
    "dead half-way": Line(breaks="half_open", after=700),
}
PLANS: list[Fault] = ["error", "unauthorized", "rate_limit", "garbage", "silent", "early"]
FAULTS = [*LINES, *PLANS]


def provided(case: Case, fault: str, key: str) -> AbstractAsyncContextManager[Any]:
    """Return what yields the adapter, started, behind a line or before a server with ``fault``."""
    plan = Plan(text="Good day.", seconds=0.6)
    if fault in PLANS:
        plan.fault = fault
    application = case.wire(plan).application()
    return behind_a_proxy(case, application, lambda proxy: _set(proxy, fault), key)


def _set(proxy: Proxy, fault: str) -> None:
    line = LINES.get(fault, GOOD)
    if line is None:
        proxy.refuse()
    else:
        proxy.line = line


async def call(folder: Path, stage: str, fault: str) -> tuple[CallInProgress, list[dict[str, Any]]]:
    """Hold a call whose ``stage`` is broken, all others working; return it and its record."""
    async with provided(CASES[stage], fault, "a-key-of-no-use") as broken:
        given: dict[str, Any] = {name: make() for name, make in FALLBACKS.items()}
        given[stage] = [broken, given[stage]]
        providers = voice(budgets=BUDGETS, **given)
        async with running(folder, providers, alone=False) as server:
            return await _converse(server, f"{stage} {fault}")


async def _converse(server: Running, name: str) -> tuple[CallInProgress, list[dict[str, Any]]]:
    tone = b"\x00\x20" * 20 + b"\x00\xe0" * 20
    turns = [Turn(audio=Audio(tone * 120, 8000), label="a tone")]
    plan = CallPlan(turns=turns, patience=PATIENT)
    async with asyncio.timeout(60):
        done = await place_call(server.url, plan, lambda _at, _line: None, name)
        await until(lambda: not server.registry.in_progress)
    return done, server.lines()


def wrong(stage: str, done: CallInProgress, lines: list[dict[str, Any]]) -> str:
    """Return what is wrong with a call; nothing, if it is as it should be."""
    if failure := done.failure():
        return failure
    waited = done.report.exchanges[0].response
    said = [line["text"] for line in lines if line["kind"] == "agent"]
    if waited is None or waited > IN_TIME:
        return f"answered after {waited} s"
    if [line for line in lines if line["kind"] == "failed"]:
        return "a reply was lost"
    if said.count("Hello, who is this?") != 1 or len(said) != 2:
        return f"said {said}"
    answer = said[1].removeprefix("One moment, please. ")
    if answer not in ("Good bye.", "Good day. Good bye.", "Good day."):
        return f"said {said}"
    usage = [line for line in lines if line["kind"] == "usage" and line["stage"] == stage]
    return "" if len(usage) == 2 and usage[0]["failures"] else f"nobody took over: {usage}"


@pytest.mark.parametrize("stage", CASES)
def test_the_caller_hears_an_answer_in_time(stage: str, tmp_path: Path) -> None:
    """Whatever the wire, or the server behind it, does to the first provider of any stage."""
    folders = {fault: tmp_path / fault.replace(" ", "-") for fault in FAULTS}
    for folder in folders.values():
        folder.mkdir()

    async def main() -> dict[str, str]:
        held = await asyncio.gather(*(call(folders[fault], stage, fault) for fault in FAULTS))
        found = {
            fault: wrong(stage, done, lines)
            for fault, (done, lines) in zip(FAULTS, held, strict=True)
        }
        return {fault: mistake for fault, mistake in found.items() if mistake}

    with asyncio.Runner(loop_factory=OwnTimeLoop) as runner:
        assert runner.run(main()) == {}
