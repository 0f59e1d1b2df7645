"""Google's ``text:synthesize``, as its documentation has it."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from typing import Any

from aiohttp import web

from pipelines.providers.google_tts import Synthesizer
from tests.contract.case import Case, Plan
from tests.contract.voices import refusal, tone


class Server:
    """Answers with a whole WAV file."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.bodies: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_post("/v1/text:synthesize", self._synthesize)
        return app

    async def _synthesize(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("X-Goog-Api-Key", ""))
        self.bodies.append(await request.json())
        self.served += 1
        try:
            return await self._answer(request)
        except (asyncio.CancelledError, ConnectionResetError):
            self.cancelled += 1
            raise

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        plan = self.plan
        if (refused := refusal(plan)) is not None:
            return refused
        if plan.fault == "silent":
            await asyncio.Event().wait()
        if plan.fault == "error":
            error = {"code": 500, "message": " ".join(plan.secrets), "status": "INTERNAL"}
            return web.json_response({"error": error}, status=500)
        if plan.fault == "garbage":
            return web.json_response({"audioContent": "####"})
        rate = self.bodies[-1]["audioConfig"]["sampleRateHertz"]
        seconds = 0 if plan.fault == "empty" else plan.seconds
        file = _wav(tone(seconds, rate), rate)
        if plan.fault == "early":
            file = file[: len(file) // 2]
        body = {"audioContent": base64.b64encode(file).decode()}
        response = web.json_response(body)
        await response.prepare(request)
        await response.write_eof()
        return response


def _wav(pcm: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    return file.getvalue()


WHOLE = "a sentence comes whole: streaming is by gRPC only"

CASE = Case(
    name="google",
    needs=frozenset(["audioContent"]),
    stage="tts",
    provider=Synthesizer,
    options=lambda url: {"base_url": url},
    wire=Server,
    variable="GOOGLE_API_KEY",
    skips={"comes_promptly": WHOLE, "is_left_in_the_middle": WHOLE},
)
