"""ElevenLabs' multi-context websocket, as its documentation and its users have it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from pipelines.providers.elevenlabs_tts import Synthesizer
from tests.contract.case import Case, Plan
from tests.contract.voices import Sentences, pieces, refusal

MOST = 5
"""Contexts on one connection; those that are closed and not done yet count."""


class Server:
    """Speaks a tone for each context once it is flushed; ends it once it is closed, too."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.voices: list[str] = []
        self.messages: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_get("/v1/text-to-speech/{voice}/multi-stream-input", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("xi-api-key", ""))
        if (refused := refusal(self.plan)) is not None:
            return refused
        self.queries.append(dict(request.query))
        self.voices.append(request.match_info["voice"])
        rate = int(request.query["output_format"].removeprefix("pcm_"))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = _Line(self, socket, rate)
        try:
            async for message in socket:
                await line.take(json.loads(message.data))
        finally:
            await line.sentences.aclose()
        return socket


class _Line:
    """One connection."""

    def __init__(self, server: Server, socket: web.WebSocketResponse, rate: int) -> None:
        self._server = server
        self._socket = socket
        self._rate = rate
        self._texts: dict[str, str] = {}
        self._closed: dict[str, asyncio.Event] = {}
        self._heard: set[str] = set()
        self.sentences = Sentences(server)

    async def take(self, message: dict[str, Any]) -> None:
        self._server.messages.append(message)
        context = message["context_id"]
        if message.get("close_context"):
            self._close(context)
            return
        if context not in self._texts:
            assert message["text"] == " ", "a context begins with a space"
            self._closed[context] = asyncio.Event()
        self._texts[context] = self._texts.get(context, "") + message["text"]
        if self.sentences.running >= MOST:
            await self._refuse("max_active_conversations")
        elif message.get("flush"):
            plan = replace(self._server.plan)
            self.sentences.begin(context, self._speak(context, plan))

    def _close(self, context: str) -> None:
        """Close a context, as is done once it is heard; before, or again, it is given up."""
        again = self._closed[context].is_set()
        self._closed[context].set()
        if again or context not in self._heard:
            self.sentences.give_up(context, stop=False)

    async def _speak(self, context: str, plan: Plan) -> None:
        if plan.fault == "silent":
            await asyncio.Event().wait()
        if plan.fault == "error":
            await self._refuse("quota_exceeded", plan)
            return
        if plan.fault == "garbage":
            await self._send(audio="####", contextId=context)
            return
        parts = list(pieces(plan, self._rate))
        text = f" {self._texts[context].strip()} "
        for number, part in enumerate(parts):
            self._heard.add(context)
            await self._send(
                audio=base64.b64encode(part).decode(),
                contextId=context,
                alignment=_alignment(
                    _share(text, number, len(parts)), len(part) / (2 * self._rate)
                ),
                normalizedAlignment=None,
            )
            await asyncio.sleep(0.001)
        if plan.fault == "early":
            await self._socket.close()
            return
        if parts:
            await self._closed[context].wait()
        await self._send(audio=None, isFinal=True, contextId=context)

    async def _refuse(self, code: str, plan: Plan | None = None) -> None:
        words = " ".join(plan.secrets) if plan else ""
        await self._send(message=f"Not with {words}", error=code, code=1008)
        await self._socket.close(code=1008, message=words.encode()[:100])

    async def _send(self, **message: object) -> None:
        await self._socket.send_json(message)


def _share(text: str, number: int, count: int) -> str:
    """Return what of ``text`` is spoken in one of ``count`` pieces."""
    size = -(-len(text) // count)
    return text[number * size : (number + 1) * size]


def _alignment(text: Sequence[str], seconds: float) -> dict[str, Any] | None:
    """Return when the characters of a piece are spoken, if there are any."""
    if not text:
        return None
    each = 1000 * seconds / len(text)
    starts = [int(each * at) for at in range(len(text))]
    return {
        "chars": list(text),
        "charStartTimesMs": starts,
        "charDurationsMs": [int(each) for _ in text],
    }


CASE = Case(
    name="elevenlabs",
    needs=frozenset(["audio", "isFinal"]),
    stage="tts",
    provider=Synthesizer,
    options=lambda url: {"base_url": url},
    wire=Server,
    variable="ELEVENLABS_API_KEY",
)
