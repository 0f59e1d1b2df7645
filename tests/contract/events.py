"""A server of a language model: it answers a POST with server-sent events, as all of them do.

What differs between providers is a :class:`Format`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from aiohttp import web

from .case import Plan


class Format(Protocol):
    """What one provider's server sends, and what it takes."""

    path: str
    """Of the POST."""

    def key(self, request: web.Request) -> str:
        """Return the key that came with a request."""
        ...

    def mistake(self, body: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a request, by the provider's rules; None if nothing is."""
        ...

    def error(self, status: int, text: str) -> object:
        """Return the body of an answer with that status."""
        ...

    def events(self, plan: Plan, body: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield the body of an answer that begins well."""
        ...


class Server:
    """Does as planned.

    Args:
        plan: What to do.
        speaks: The provider's format.
    """

    def __init__(self, plan: Plan, speaks: Format) -> None:
        self.plan = plan
        self.served = 0
        self.cancelled = 0
        self.keys: list[str] = []
        self._format = speaks

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_post(self._format.path, self._reply)
        return app

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(self._format.key(request))
        body = await request.json()
        self.served += 1
        try:
            return await self._answer(request, body, replace(self.plan))
        except (asyncio.CancelledError, ConnectionResetError):
            self.cancelled += 1
            raise

    async def _answer(
        self, request: web.Request, body: Mapping[str, Any], plan: Plan
    ) -> web.StreamResponse:
        status = {"unauthorized": 401, "rate_limit": 429}.get(plan.fault)
        text = " ".join(("Incorrect:", *plan.secrets))
        if mistake := self._format.mistake(body):
            status, text = 400, mistake
        if status:
            return web.json_response(self._format.error(status, text), status=status)
        if plan.fault == "silent":
            await asyncio.Event().wait()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in self._format.events(plan, body):
            await response.write(event)
            await asyncio.sleep(0)
        return response


def cut(text: str, size: int = 7) -> list[str]:
    """Return ``text`` in pieces of so many characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def dumped(value: object) -> str:
    """Return JSON with all letters as they are."""
    return json.dumps(value, ensure_ascii=False)


def duplicate(names: list[str]) -> str | None:
    """Return a name that is there twice; None if there is none."""
    return next((name for at, name in enumerate(names) if name in names[:at]), None)
