"""``audio/transcriptions`` of OpenAI: https://developers.openai.com/api/reference/resources/audio."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from pipelines.providers.openai_transcribe import Transcriber
from tests.contract.case import Case, Plan


class Server:
    """Takes a form with a file, and answers with a text."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self.forms: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        return app

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        form = await request.post()
        self.forms.append({name: _value(value) for name, value in form.items()})
        self.served += 1
        try:
            return await self._answer()
        except (asyncio.CancelledError, ConnectionResetError):
            self.cancelled += 1
            raise

    async def _answer(self) -> web.StreamResponse:
        plan = self.plan
        message = {"message": f"Incorrect: {' '.join(plan.secrets)}", "type": "server_error"}
        match plan.fault:
            case "unauthorized":
                return web.json_response({"error": message}, status=401)
            case "rate_limit":
                return web.json_response({"error": message}, status=429)
            case "error":
                return web.json_response({"error": message}, status=500)
            case "garbage":
                return web.Response(text="<html>Hello!</html>", content_type="text/html")
            case "silent":
                await asyncio.Event().wait()
        usage = {"type": "duration", "seconds": 1}
        text = "" if plan.fault == "empty" else plan.text
        return web.json_response({"text": text, "usage": usage})


def _value(value: object) -> Any:
    if isinstance(value, web.FileField):
        with value.file as file:
            return (value.filename, value.content_type, file.read())
    return value


CASE = Case(
    name="openai",
    needs=frozenset(["text"]),
    stage="stt",
    provider=Transcriber,
    options=lambda url: {"base_url": f"{url}/v1", "key_variable": "GROQ_API_KEY"},
    wire=Server,
    variable="GROQ_API_KEY",
    skips={"server_fails-early": "the answer is one result"},
)
