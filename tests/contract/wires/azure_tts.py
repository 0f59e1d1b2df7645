"""Azure's text-to-speech by REST, as its documentation has it."""

from __future__ import annotations

import asyncio
import re
from xml.etree import ElementTree as ET

from aiohttp import web

from pipelines.providers.azure_tts import Synthesizer
from tests.contract.case import Case, Plan
from tests.contract.voices import pieces, refusal


class Server:
    """Streams bare samples."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.documents: list[ET.Element] = []

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_post("/cognitiveservices/v1", self._speak)
        return app

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Ocp-Apim-Subscription-Key", ""))
        self.headers.append(dict(request.headers))
        self.documents.append(ET.fromstring(await request.text()))  # noqa: S314 - it is ours
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
            return web.Response(status=502, text=" ".join(plan.secrets))
        if plan.fault == "garbage":
            return web.Response(text="<html>Hello!</html>", content_type="text/html")
        response = web.StreamResponse(headers={"Content-Type": "audio/basic"})
        await response.prepare(request)
        for piece in pieces(plan, _rate(request.headers["X-Microsoft-OutputFormat"])):
            await response.write(piece)
            await asyncio.sleep(0.001)
        return response


def _rate(name: str) -> int:
    """Return the hertz of a format."""
    found = re.fullmatch(r"raw-(\d+)(k?)hz-16bit-mono-pcm", name)
    assert found, name
    return int(found[1]) * (1000 if found[2] else 1)


CASE = Case(
    name="azure",
    stage="tts",
    provider=Synthesizer,
    options=lambda url: {"base_url": url},
    wire=Server,
    variable="AZURE_SPEECH_KEY",
    skips={"server_fails-early": "bare samples do not tell whether they are all"},
)
