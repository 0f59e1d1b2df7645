"""A system of the user's on loopback: it believes what the library of the standard verifies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import update
from standardwebhooks import Webhook

from agent.records.events import JournalLine
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.records.webhooks.delivery import Webhooks
from agent.records.webhooks.endpoints import endpoints
from agent.records.webhooks.outbox import Outbox
from agent.records.webhooks.source import MessageSource
from agent.settings.webhooks import WebhookEvent, WebhookSettings
from agent.store.engine import Database
from agent.store.outbox_table import webhook_outbox

SECRET = "whsec_" + 43 * "A" + "="

ALL: tuple[WebhookEvent, ...] = (
    "call.started",
    "call.ended",
    "call.settled",
    "call.transferred",
    "call.recorded",
    "call.summarized",
)

Answer = Callable[[Mapping[str, Any]], int | web.StreamResponse]


@dataclass
class Receiver:
    """Takes messages; what ``answer`` says is answered, 204 unless it is set."""

    secret: str = SECRET
    answer: Answer = field(default=lambda _message: 204)
    came: list[tuple[str, str, str]] = field(default_factory=list)
    """The id, the event and the call of each that was verified."""

    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    another: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when one comes."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        Webhook(self.secret).verify(body, dict(request.headers))
        message = json.loads(body)
        data = message["data"]
        self.came.append((request.headers["webhook-id"], message["type"], data.get("id", "")))
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.another.set()
        answer = self.answer(message)
        return web.Response(status=answer) if isinstance(answer, int) else answer

    def events(self, call: str = "") -> list[str]:
        """Return what came, of a call or of all."""
        return [event for _, event, name in self.came if not call or name == call]


@asynccontextmanager
async def receiving(receiver: Receiver | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = receiver or Receiver()
    application = web.Application()
    application.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/calls?token=hidden-in-the-url"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class Process:
    """A process of the service: what stores lines, and what sends messages."""

    stored: StoredRecords
    webhooks: Webhooks
    rounds: int = 0
    """Messages that were tried."""

    @property
    def outbox(self) -> Outbox:
        return self.webhooks.outbox

    async def send_all(self) -> None:
        """Send what is due now."""
        for one in self.webhooks.endpoints:
            while await one.send_next():
                self.rounds += 1


def process(
    database: Database,
    urls: Mapping[str, str],
    events: Collection[WebhookEvent] = ALL,
    **given: Any,
) -> Process:
    """Return a process that tells the endpoints at these addresses, by their names."""
    settings = {
        name: WebhookSettings(url=url, secret=SecretStr(SECRET), events=tuple(events), **given)
        for name, url in urls.items()
    }
    made = endpoints(settings)
    outbox = Outbox(database, {name: one.events for name, one in made.items()})
    source = MessageSource(database, NoSeal())
    return Process(
        stored=StoredRecords(database, NoSeal(), outbox),
        webhooks=Webhooks(made.values(), outbox, source),
    )


async def later(database: Database, seconds: float) -> None:
    """Let time go by for what is in the outbox."""
    columns = webhook_outbox.c
    moved = update(webhook_outbox).values(due=columns.due - seconds, made=columns.made - seconds)
    await database.write(lambda c: c.execute(moved))


def journal(name: str, *lines: tuple[str, float | None, dict[str, Any]]) -> list[JournalLine]:
    """Return the lines of a call."""
    call = {
        "id": name,
        "call_id": f"sinch-{name}",
        "direction": "outgoing",
        "dialled": "d1",
        "caller": "+15550000001",
        "called": "+15550000002",
        "agent": "reception",
        "started": "2026-11-26T10:00:00.000+00:00",
        "headers": {"token": "not told"},
    }
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate([("call", None, call), *lines])
    ]


def short_call(name: str) -> list[JournalLine]:
    """Return the lines of a call of which all is told."""
    return journal(
        name,
        ("caller", 1.0, {"turn": 1, "text": "My card is 4242 \ud83d", "until": 2.0}),
        ("transfer", 3.0, {"to": "desk", "status": "started"}),
        ("transfer", 4.0, {"to": "desk", "status": "done"}),
        ("ended", 5.5, {"reason": "the caller hung up", "hung_up_by": "caller"}),
        ("recording", 6.0, {"status": "stored", "file": "a.flac", "seconds": 5.0}),
        ("platform", 7.0, {"result": "ANSWERED", "amount": 0.02, "currency": "EUR"}),
        ("summary", 8.0, {"text": "Asked for a desk.", "fields": {"n": 1}, "missing": ["day"]}),
    )


TOLD = [
    "call.started",
    "call.transferred",
    "call.ended",
    "call.recorded",
    "call.settled",
    "call.summarized",
]
"""What is told of a short call, in its order."""
