"""Deepgram's websocket for speech, as its documentation has it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from aiohttp import web

from pipelines.providers.deepgram_tts import Synthesizer
from tests.contract.case import Case, Plan
from tests.contract.voices import Sentences, pieces, refusal


class Server:
    """Speaks a tone for whatever was to be spoken when it is flushed."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.messages: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_get("/v1/speak", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization", "").removeprefix("Token "))
        if (refused := refusal(self.plan)) is not None:
            return refused
        self.queries.append(dict(request.query))
        rate = int(request.query["sample_rate"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "Metadata", "request_id": "r", "model_name": "aura"})
        sentences = Sentences(self)
        flushes = 0
        try:
            async for message in socket:
                asked = json.loads(message.data)
                self.messages.append(asked)
                match asked["type"]:
                    case "Flush":
                        plan = replace(self.plan)
                        sentences.begin(str(flushes), self._speak(socket, plan, rate, flushes))
                        flushes += 1
                    case "Clear":
                        sentences.give_up(str(flushes - 1), stop=True)
                        if self.plan.fault != "silent":
                            await socket.send_json({"type": "Cleared", "sequence_id": flushes - 1})
        finally:
            await sentences.aclose()
        return socket

    async def _speak(
        self, socket: web.WebSocketResponse, plan: Plan, rate: int, number: int
    ) -> None:
        match plan.fault:
            case "silent":
                await asyncio.Event().wait()
            case "error":
                words = " ".join(plan.secrets)
                await socket.send_json({"type": "Error", "description": words, "code": "DATA-0000"})
                return
            case "garbage":
                await socket.send_str("<html>")
                return
        for piece in pieces(plan, rate):
            await socket.send_bytes(piece)
            await asyncio.sleep(0.001)
        if plan.fault == "early":
            await socket.close()
            return
        await socket.send_json({"type": "Flushed", "sequence_id": number})


CASE = Case(
    name="deepgram",
    needs=frozenset(["type"]),
    stage="tts",
    provider=Synthesizer,
    options=lambda url: {"base_url": url},
    wire=Server,
    variable="DEEPGRAM_API_KEY",
)
