"""Cartesia's websocket, as its documentation has it."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

from aiohttp import web

from pipelines.providers.cartesia_tts import Synthesizer
from tests.contract.case import Case, Plan
from tests.contract.voices import Sentences, pieces, refusal


class Server:
    """Speaks a tone for each context. Cancelling stops only what has not begun."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.versions: list[str] = []
        self.messages: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_get("/tts/websocket", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("X-API-Key", ""))
        if (refused := refusal(self.plan)) is not None:
            return refused
        self.versions.append(request.headers.get("Cartesia-Version", ""))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sentences, begun = Sentences(self), set[str]()
        try:
            async for message in socket:
                asked = json.loads(message.data)
                self.messages.append(asked)
                context = asked["context_id"]
                if asked.get("cancel"):
                    sentences.give_up(context, stop=context not in begun)
                else:
                    plan = replace(self.plan)
                    sentences.begin(context, self._speak(socket, asked, plan, begun))
        finally:
            await sentences.aclose()
        return socket

    async def _speak(
        self, socket: web.WebSocketResponse, asked: dict[str, Any], plan: Plan, begun: set[str]
    ) -> None:
        if plan.fault == "silent":
            await asyncio.Event().wait()
        context = asked["context_id"]
        head = {"context_id": context, "status_code": 206, "done": False}
        if plan.fault == "error":
            words = " ".join(plan.secrets)
            error = {"type": "error", "title": words, "message": words, "error_code": "model_error"}
            await socket.send_json(head | error | {"status_code": 500, "done": True})
            return
        if plan.fault == "garbage":
            await socket.send_str('{"type": "chunk", "data": 5}')
            return
        begun.add(context)
        rate = asked["output_format"]["sample_rate"]
        words_sent = False
        for piece in pieces(plan, rate):
            data = base64.b64encode(piece).decode()
            await socket.send_json(head | {"type": "chunk", "data": data, "step_time": 12.5})
            if not words_sent and asked.get("add_timestamps"):
                words_sent = True
                timestamps = _timestamps(asked["transcript"], plan.seconds)
                await socket.send_json(head | {"type": "timestamps", "word_timestamps": timestamps})
            await asyncio.sleep(0.001)
        if plan.fault == "early":
            await socket.close()
            return
        await socket.send_json(head | {"type": "flush_done", "flush_done": True, "flush_id": 1})
        await socket.send_json(head | {"type": "done", "done": True})


def _timestamps(text: str, seconds: float) -> dict[str, Any]:
    """Return the words without their punctuation, all equally long."""
    words = text.split()
    each = seconds / len(words)
    return {
        "words": [word.strip(".,?!\"'") for word in words],
        "start": [each * at for at in range(len(words))],
        "end": [each * (at + 1) for at in range(len(words))],
    }


CASE = Case(
    name="cartesia",
    needs=frozenset(["data"]),
    stage="tts",
    provider=Synthesizer,
    options=lambda url: {"base_url": url},
    wire=Server,
    variable="CARTESIA_API_KEY",
)
