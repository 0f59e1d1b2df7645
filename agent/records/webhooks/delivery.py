"""Sends what is in the outbox, until it is taken or given up."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import structlog

from agent.records.values import iso
from agent.records.webhooks.endpoints import Endpoint
from agent.records.webhooks.messages import message_id
from agent.records.webhooks.outbox import Outbox, WaitingMessage
from agent.records.webhooks.source import MessageSource, UnreadableRecordError
from agent.store.errors import StoreError
from agent.version import VERSION
from pipelines.background import BackgroundTasks
from pipelines.backoff import longer
from pipelines.clock import now
from pipelines.tools.http import CONNECT_WITHIN, signed_headers
from pipelines.tools.post import UnansweredError, post_once

log = structlog.get_logger()

SCHEDULE = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between attempts, as the specification of Standard Webhooks recommends: three days."""

JITTER = 0.1
"""Part of such a wait that is added by chance, so that what failed at once is not tried at once."""

ANSWERED_WITHIN = 15.0
"""Seconds for an endpoint to answer; the specification recommends 15 to 30."""

LONGEST_WISH = 86_400.0
"""Seconds that ``Retry-After`` may ask for."""

AT_ONCE = 4
"""Messages on their way to an endpoint from one process."""

LOOK_EVERY = 1.0
"""Seconds between two looks for what is due, as the loader brings lines once a second."""

DOWN_AFTER = 3
"""Failures in a row, whatever the calls, after which an endpoint is taken to be away."""

PAUSE_FIRST, PAUSE_LONGEST = 1.0, 60.0
"""Seconds until one that is away is tried again; its other messages lose no attempts meanwhile."""

PRUNED_EVERY = 60.0
"""Seconds between two looks for what is old, and counts of what there is."""

GONE = 410
"""The status of an endpoint that wants no more, ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An attempt that failed."""

    why: str
    """Without anything that the other end has said."""

    gone: bool = False
    """Whether the endpoint wants nothing any more."""

    wish: float = 0.0
    """Seconds that the endpoint asks us to wait."""


async def send(endpoint: Endpoint, name: str, body: bytes) -> Failed | None:
    """Send a message once; return None if it was taken.

    Args:
        endpoint: To whom.
        name: What it is recognised by, from :func:`~agent.records.webhooks.messages.message_id`.
        body: JSON.
    """
    headers = {
        **endpoint.headers,
        "User-Agent": f"voice-agent/{VERSION}",
        **signed_headers(endpoint.keys, name, body),
    }
    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            answer = await post_once(
                endpoint.url, body, headers, connect_timeout=CONNECT_WITHIN, max_bytes=0
            )
    except TimeoutError:
        return Failed(why=f"no answer within {ANSWERED_WITHIN:g} s")
    except UnansweredError as error:
        return Failed(why=str(error))
    if 200 <= answer.status < 300:
        return None
    why = "redirects are not followed" if 300 <= answer.status < 400 else ""
    return Failed(
        why=f"HTTP {answer.status}{why and f': {why}'}",
        gone=answer.status == GONE,
        wish=wished(answer.retry_after, datetime.now(UTC)),
    )


def ping() -> bytes:
    """Return the body of a message by which an endpoint is tried out; it is of no call."""
    moment = iso(datetime.now(UTC).timestamp())
    return json.dumps({"type": "ping", "timestamp": moment, "data": {}}).encode()


def wished(retry_after: str, at: datetime) -> float:
    """Return the seconds that ``Retry-After`` asks for, within bounds; 0 if it says nothing.

    Args:
        retry_after: Seconds or a date, as RFC 9110 has them.
        at: Now.
    """
    given = retry_after.strip()
    if given.isascii() and given.isdigit():
        return min(float(given[:9]), LONGEST_WISH)
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return 0.0
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max((until - at).total_seconds(), 0.0), LONGEST_WISH)


def next_wait(attempts: int, wish: float) -> float | None:
    """Return the seconds until a message is tried again; None if it was tried often enough.

    Args:
        attempts: That failed.
        wish: Of the endpoint, in seconds.
    """
    if attempts > len(SCHEDULE):
        return None
    seconds = SCHEDULE[attempts - 1]
    return max(seconds * (1 + random.uniform(0, JITTER)), wish)  # noqa: S311 - no secret


class EndpointDelivery:
    """Sends the messages to one endpoint from this process.

    Args:
        endpoint: Where they go.
        outbox: Where they are.
        source: Makes them.
    """

    def __init__(self, endpoint: Endpoint, outbox: Outbox, source: MessageSource) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._outbox = outbox
        self._source = source
        self.sent = self.failures = self.given_up = 0
        """Since the start of the process: messages, attempts, messages."""

        self.waiting = self.kept = 0
        """In the database, when it was last counted: still to be sent, and given up."""

        self._failed_in_a_row = 0
        self._pause = self._paused_until = 0.0
        self._gone = False

    async def run(self) -> None:
        """Send whatever is due, until this is cancelled."""
        while True:
            try:
                found = await self.send_next()
            except StoreError:  # the database has logged it
                found = False
            if not found:
                await asyncio.sleep(LOOK_EVERY)

    async def send_next(self) -> bool:
        """Send the next message, if one is due; return whether one was.

        Raises:
            StoreError: If the database fails; what was sent is sent once more then.
        """
        if self._gone or now() < self._paused_until:
            return False
        message = await self._outbox.take(self.name)
        if message is None:
            return False
        try:
            body = await self._source.body(message, conversation=self._endpoint.conversation)
        except UnreadableRecordError as error:
            await self._give_up(message, f"its record cannot be read: {error}")
            return True
        if body is None:  # nobody is to hear of the call any more
            await self._outbox.taken(message)
            return True
        name = message_id(message.endpoint, message.journal, message.line)
        failed = await send(self._endpoint, name, body)
        if failed is None:
            self._works()
            await self._outbox.taken(message)
        else:
            self._fails(failed)
            await self._put_back(message, failed)
        return True

    async def give_all_up(self) -> None:
        """Give up what waits, if the endpoint has said that it wants nothing any more.

        Raises:
            StoreError: If the database fails.
        """
        if self._gone:
            self.given_up += await self._outbox.give_all_up(self.name, f"HTTP {GONE}")

    async def _put_back(self, message: WaitingMessage, failed: Failed) -> None:
        if failed.gone:
            self._gone = True
            log.error("an endpoint wants no more webhooks", endpoint=self.name)
            await self.give_all_up()
            return
        wait = next_wait(message.attempts, failed.wish)
        if wait is None:
            await self._give_up(message, failed.why)
        else:
            await self._outbox.postpone(message, wait, failed.why)

    async def _give_up(self, message: WaitingMessage, why: str) -> None:
        self.given_up += 1
        log.error(
            "a webhook is given up",
            endpoint=self.name,
            message=message.id,
            event_type=message.event,
            why=why,
        )
        await self._outbox.give_up(message, why)

    def _works(self) -> None:
        if self._failed_in_a_row >= DOWN_AFTER:
            log.warning("an endpoint takes webhooks again", endpoint=self.name)
        self.sent += 1
        self._failed_in_a_row, self._pause = 0, 0.0

    def _fails(self, failed: Failed) -> None:
        self.failures += 1
        self._failed_in_a_row += 1
        if self._failed_in_a_row == DOWN_AFTER:
            log.error(
                "an endpoint takes no webhooks; they wait", endpoint=self.name, why=failed.why
            )
        if self._failed_in_a_row >= DOWN_AFTER:
            self._pause = longer(self._pause, first=PAUSE_FIRST, longest=PAUSE_LONGEST)
            self._paused_until = now() + self._pause


class Webhooks:
    """Tells the endpoints of the settings what they want to know.

    Args:
        endpoints: Of the settings.
        outbox: Where the messages are.
        source: Makes them.
    """

    def __init__(
        self, endpoints: Iterable[Endpoint], outbox: Outbox, source: MessageSource
    ) -> None:
        self.endpoints = [EndpointDelivery(one, outbox, source) for one in endpoints]
        self.lost = 0
        """Messages forgotten that were still to be sent: there was no room for them."""

        self.outbox = outbox

    def run_in(self, background: BackgroundTasks) -> None:
        """Start sending, and throwing away what is old."""
        for one in self.endpoints:
            for _ in range(AT_ONCE):
                background.keep_running(one.run, f"webhooks to {one.name}")
        background.keep_running(self._keep_pruning, "pruning webhooks")

    async def _keep_pruning(self) -> None:
        while True:
            try:
                await self.prune()
            except StoreError:  # the database has logged it
                log.debug("webhooks are not pruned: the database fails")
            await asyncio.sleep(PRUNED_EVERY)

    async def prune(self) -> None:
        """Throw away what is old, and count what there is.

        Raises:
            StoreError: If the database fails.
        """
        pruned = await self.outbox.prune()
        if pruned.lost:
            self.lost += pruned.lost
            log.error("webhooks are lost: too many wait for their endpoint", messages=pruned.lost)
        for one in self.endpoints:
            if old := pruned.given_up.get(one.name, 0):
                one.given_up += old
                log.error("webhooks are given up: too old", endpoint=one.name, messages=old)
            await one.give_all_up()
        backlog = await self.outbox.backlog()
        for one in self.endpoints:
            theirs = backlog.get(one.name)
            one.waiting = theirs.waiting if theirs is not None else 0
            one.kept = theirs.given_up if theirs is not None else 0
