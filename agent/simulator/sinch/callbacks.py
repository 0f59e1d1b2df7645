"""Callbacks of the stand-in: signed, posted, and what came back."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp

from agent.sinch.api.signing import Credentials
from agent.sinch.api.svaml import Svaml

TIMEOUT = 5.0
"""Seconds that the platform waits for an answer (version 2; version 1 does not say)."""

LOST_AFTER = 1.0
"""Seconds until a connection counts as broken on which an answer of ours is lost."""

Check = Callable[[str, object], None]
"""Given the name of a schema and a body, raises if the body does not follow it."""


class CallbackPoster:
    """Posts to one address, while it is :meth:`running`.

    Args:
        url: Where callbacks go.
        tell: Given a line for each.
    """

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        self.posted: list[tuple[str, int]] = []
        """Every event, with the status of the answer; 0 if there was none."""

        self.lost: list[str] = []
        """Events whose next answers are lost on their way to the platform."""

        self._url = url
        self._tell = tell
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the connections, and close them in the end."""
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT)
        ) as self._session:
            yield

    async def post(
        self, signer: Credentials | None, body: Svaml, headers: Mapping[str, str] | None = None
    ) -> Svaml | None:
        """Send a callback; return the answer, None if it was refused or came too late.

        Args:
            signer: Signs it.
            body: With its ``event``.
            headers: Besides the signature.

        Raises:
            RuntimeError: If nobody signs, or this is not running.
        """
        if signer is None or self._session is None:
            raise RuntimeError("no credentials for this version, or not running")
        data, event = json.dumps(body).encode(), body["event"]
        signed = signer.headers(
            method="POST", path=urlsplit(self._url).path, body=data, now=datetime.now(UTC)
        )
        try:
            async with self._session.post(
                self._url, data=data, headers={**signed, **(headers or {})}
            ) as response:
                self._note(event, response.status, response.status)
                if response.status != 200:
                    return None
                reply = await response.json()
            if event in self.lost:
                self.lost.remove(event)
                await asyncio.sleep(LOST_AFTER)
                self._tell(f"callback {event}: its answer is lost")
                return None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._note(event, 0, type(error).__name__)
            return None
        return reply if isinstance(reply, dict) else None

    def _note(self, event: str, status: int, outcome: object) -> None:
        self.posted.append((event, status))
        self._tell(f"callback {event}: {outcome}")


def cloud_event() -> dict[str, str]:
    """Return the headers by which a callback of version 2 is told from a repeat."""
    return {"ce-id": str(uuid.uuid4()), "ce-source": "stand-in"}


def timestamp() -> str:
    """Return the time as callbacks have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
