"""``audio/speech`` of OpenAI: https://developers.openai.com/api/reference/resources/audio."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from aiohttp import web

from pipelines.providers.openai_speech import Synthesizer
from tests.contract.case import Case, Plan

RATE = 24_000


def tone(seconds: float) -> bytes:
    """Return a tone of 400 Hz."""
    at = np.arange(int(seconds * RATE)) / RATE
    return bytes((8000 * np.sin(2 * np.pi * 400 * at)).astype("<i2").tobytes())


class Server:
    """Sends a tone as events, or bare; errors as OpenAI words them."""

    def __init__(self, plan: Plan, how: Literal["sse", "audio"]) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self._how = how

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_post("/v1/audio/speech", self._speak)
        return app

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        self.bodies.append(await request.json())
        self.served += 1
        try:
            return await self._answer(request)
        except (asyncio.CancelledError, ConnectionResetError):
            self.cancelled += 1
            raise

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        plan = self.plan
        message = {"message": f"Incorrect: {' '.join(plan.secrets)}", "type": "server_error"}
        match plan.fault:
            case "unauthorized" | "rate_limit":
                status = 401 if plan.fault == "unauthorized" else 429
                return web.json_response({"error": message}, status=status)
            case "error" if self._how == "audio":
                return web.json_response({"error": message}, status=500)
            case "garbage" if self._how == "audio":
                return web.Response(text="<html>Hello!</html>", content_type="text/html")
            case "silent":
                await asyncio.Event().wait()
        kind = "text/event-stream" if self._how == "sse" else "audio/pcm"
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for part in self._parts(message):
            await response.write(part)
            await asyncio.sleep(0)
        return response

    def _parts(self, message: Mapping[str, str]) -> Iterator[bytes]:
        """Yield the body of an answer that begins well."""
        plan = self.plan
        if plan.fault == "garbage":
            yield b'data: {"type": "speech.audio.\xff\n\n'
            return
        if plan.fault == "error":
            yield _event({"type": "error", "error": message})
            return
        samples = b"" if plan.fault == "empty" else tone(plan.seconds)
        size = 2 * RATE // 10 - 1  # cuts a sample in two
        for at in range(0, len(samples), size):
            piece = samples[at : at + size]
            if self._how == "audio":
                yield piece
            else:
                audio = base64.b64encode(piece).decode()
                yield _event({"type": "speech.audio.delta", "audio": audio})
            if plan.fault == "early":
                return
        if self._how == "sse":
            usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
            yield _event({"type": "speech.audio.done", "usage": usage})


def _event(payload: object) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


def _options(how: str) -> Any:
    return lambda url: {
        "base_url": f"{url}/v1",
        "stream_format": how,
        "key_variable": "MY_SPEECH_KEY",
    }


CASES = [
    Case(
        name="openai",
        needs=frozenset(["type", "audio"]),
        stage="tts",
        provider=Synthesizer,
        options=_options("sse"),
        wire=lambda plan: Server(plan, "sse"),
        variable="MY_SPEECH_KEY",
    ),
    Case(
        name="openai-bare",
        needs=frozenset(["type", "audio"]),
        stage="tts",
        provider=Synthesizer,
        options=_options("audio"),
        wire=lambda plan: Server(plan, "audio"),
        variable="MY_SPEECH_KEY",
        skips={"server_fails-early": "bare samples do not tell whether they are all"},
    ),
]
