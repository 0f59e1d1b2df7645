"""A service that is only scripted, at the other end of the stand-in: callbacks and streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
from aiohttp import web

from agent.simulator.party.party_phones import PartyCue, PartyTurn, PhoneScript
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.simulator.sinch.stand_in import StandIn
from pipelines.audio import Audio
from tests.agent.sinch import schemas
from tests.agent.sinch.credentials import V1, V2

RATE = 8000
CLI = "+12025550100"
ANN, BOB, CARL = "+15550000001", "+15550000002", "+15550000003"


def tone(level: int, seconds: float = 0.2) -> Audio:
    """A level that tells who it is; two at once are its sum with another."""
    return Audio(np.full(round(seconds * RATE), level, "<i2").tobytes(), RATE)


def person(name: str, level: int, after: float = 0.1, **more: Any) -> Phone:
    """Somebody who sounds once, so many seconds after they have joined."""
    leaves = more.pop("leaves", False)
    cue = PartyCue(event="joined", seconds=after)
    turn = PartyTurn(key=name, cue=cue, audio=tone(level), leaves=leaves)
    return Phone(script=PhoneScript(name=name, turns=[turn]), **more)


def levels(pcm: bytes) -> set[int]:
    """Return what was heard, silence left out."""
    return set(np.frombuffer(pcm, "<i2").tolist()) - {0}


@dataclass
class ScriptedService:
    """What asks the stand-in, and is asked by it."""

    sinch: StandIn
    http: aiohttp.ClientSession
    url: str
    stream_url: str
    answer: Callable[[dict[str, Any]], object]
    asked: list[dict[str, Any]] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    """By the agent."""

    socket: web.WebSocketResponse | None = None
    says: bytes = b""
    """What the agent says as soon as it has answered."""

    replies: str = "answer"

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send a request of either version; return the status and what came back."""
        async with self.http.request(
            method, self.url + path, json=body, headers={"authorization": "Basic eDp5"}
        ) as response:
            return response.status, await response.json(content_type=None)

    async def call_out(self, to: str, **fields: Any) -> str:
        """Dial somebody into the conference ``c`` (version 1); return the call's id."""
        kind = "number" if to.startswith("+") else "username"
        there = {"type": kind, "endpoint": to}
        callout: dict[str, Any] = {"cli": CLI, "destination": there, "conferenceId": "c"}
        callout |= {"enableAce": True, "enableDice": True, "custom": to} | fields
        body = {"method": "conferenceCallout", "conferenceCallout": callout}
        status, found = await self.ask("POST", "/calling/v1/callouts", body)
        assert status == 200, found
        return str(found["callId"])

    async def bring_stream(self) -> str:
        """Bring the agent into the conference ``c`` (version 1); return the call's id."""
        destination = {"type": "Websocket", "endpoint": self.stream_url}
        ice = {"action": {"name": "connectStream", "destination": destination}}
        ace = {"action": {"name": "connectConf", "conferenceId": "c"}}
        custom = {"ice": json.dumps(ice), "ace": json.dumps(ace), "custom": "stream"}
        body = {"method": "customCallout", "customCallout": custom}
        status, found = await self.ask("POST", "/calling/v1/callouts", body)
        assert status == 200, found
        return str(found["callId"])

    def leg(self, number: str) -> PhoneLeg:
        """Return the last leg to a number; ``""`` is the stream's."""
        return [leg for leg in self.sinch.legs if leg.number == number][-1]

    def heard_by(self, number: str) -> set[int]:
        """Return the levels that somebody heard."""
        there = self.leg(number).person
        return set() if there is None else levels(there.recording.heard.pcm)

    async def _callback(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        self.asked.append(asked)
        return web.json_response(self.answer(asked))

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.send_json({"command": self.replies})
        if self.replies == "answer":
            self.socket = socket
            await socket.send_bytes(self.says)
            async for message in socket:
                self.heard += message.data
        return socket


@asynccontextmanager
async def serving(
    phones: Mapping[str, Phone], answer: Callable[[dict[str, Any]], object], **more: Any
) -> AsyncIterator[ScriptedService]:
    """Run a stand-in with these phones, and a service that answers its callbacks so."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    callbacks: list[ScriptedService] = []

    async def callback(request: web.Request) -> web.Response:
        return await callbacks[0]._callback(request)

    async def stream(request: web.Request) -> web.WebSocketResponse:
        return await callbacks[0]._stream(request)

    app.router.add_post("/sinch", callback)
    app.router.add_get("/stream", stream)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        sinch = StandIn(
            f"http://{host}:{port}/sinch",
            v1=V1,
            v2=V2,
            phones=phones,
            check=schemas.check,
            tell=print,
            **more,
        )
        async with (
            sinch.running() as url,
            aiohttp.ClientSession() as http,
            asyncio.timeout(30),
        ):
            ours = f"ws://{host}:{port}/stream"
            callbacks.append(ScriptedService(sinch, http, url, ours, answer))
            yield callbacks[0]
            assert sinch.faults == []
    finally:
        await runner.cleanup()
