"""Who is on a line reaches whoever transcribes it, through a whole service and a conference."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from agent.simulator.party.party_phones import PartyCue, PartyTurn, PhoneScript
from agent.simulator.sinch.phone_network import Phone
from tests.agent.loopback import until
from tests.agent.process.sinch import account
from tests.contract.case import Plan
from tests.contract.hearing import HearingServer
from tests.contract.proxy import listening
from tests.contract.wires import deepgram_flux
from tests.recordings import load

ANN, BEN, CLEO = "+15550000021", "+15550000022", "+15550000023"

AGENT = """---
greeting: Hello, this is Linden.
party:
  called: [Linden, Linden Street Kitchen]
  announces: none
---
Be brief.
"""

WITHIN = 30.0
"""Seconds for what takes a moment, on a machine that is busy."""


@asynccontextmanager
async def transcribing() -> AsyncIterator[tuple[str, HearingServer]]:
    """Run a transcriber that says when turns are over; yield its address and what came."""
    wire = deepgram_flux.CASE.wire(Plan(text="Hello."))
    assert isinstance(wire, HearingServer)
    runner = web.AppRunner(wire.application(), handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    sock = listening()
    await web.SockSite(runner, sock).start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}", wire
    finally:
        await runner.cleanup()


def somebody(name: str, *says: PartyTurn) -> Phone:
    return Phone(script=PhoneScript(name=name, turns=says), after=0.2)


def terms_of(wire: HearingServer) -> list[list[str]]:
    """Return the terms of the last connection that has any: first, and as they were replaced."""
    named = [one for one in wire.connections if "keyterm" in dict(one.query)]
    if not named:
        return []
    texts = [json.loads(one) for one in named[-1].messages if isinstance(one, str)]
    asked = [value for key, value in named[-1].query if key == "keyterm"]
    return [asked, *(one["keyterms"] for one in texts if one["type"] == "Configure")]


@pytest.mark.timeout(180)  # a process of its own on a machine that may be busy
def test_the_names_of_a_line_reach_the_transcriber(tmp_path: Path) -> None:
    """The agent's and those who are dialled at first; whoever is added, before the next words."""
    begins = PartyCue(event="joined", seconds=1.0)
    greets = PartyTurn(key="hello", cue=begins, audio=load("hello"), label="Hello.")
    phones = {ANN: somebody("Ann"), BEN: somebody("Ben"), CLEO: somebody("Cleo", greets)}

    async def main() -> None:
        async with transcribing() as (url, wire), account(tmp_path, "v1", phones=phones) as us:
            us.settings["LLM__PROVIDER"] = "tests.agent.process.any_load:LanguageModel"
            us.settings["STT__PROVIDER"] = "deepgram-flux"
            us.settings["STT__OPTIONS"] = json.dumps({"base_url": url, "api_key": "key"})
            us.settings["AGENT"] = "linden"
            (tmp_path / "prompts").mkdir()
            (tmp_path / "prompts" / "linden.md").write_text(AGENT)
            service = await us.start()
            to = [{"to": ANN, "title": "Dr. Ann Miller"}, {"to": BEN, "title": "Ben"}]
            status, call = await us.operate(service, "POST", "/calls", {"to": to})
            assert status == 201, call
            await until(lambda: terms_of(wire), WITHIN)
            ours = ["Linden", "Linden Street Kitchen"]
            (first,) = terms_of(wire)
            assert first[:2] == ours
            assert sorted(first[2:]) == ["Ann", "Ben", "Miller"]  # whoever answers first
            party = {"to": CLEO, "title": "Cleo Smith"}
            status, added = await us.operate(service, "POST", f"/calls/{call['id']}/parties", party)
            assert status == 201, added
            await until(lambda: len(terms_of(wire)) > 1, WITHIN)
            assert terms_of(wire)[1] == [*ours, "Cleo", "Smith", *first[2:]]
            assert "Cleo" not in service.errors.read_text()
            assert not service.logged("background work failed: this is a bug")

    asyncio.run(main())
