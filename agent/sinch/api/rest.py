"""JSON requests to Sinch's servers; what the two versions of its API ask is in files of their own.

Every request has a deadline. It is sent again only where that cannot do anything twice: a request
that reads, ends or sets something, one with an ``Idempotency-Key``, and any that was turned away
(429) or did not reach the server.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import structlog

from agent.sinch.api.signing import Credentials
from agent.sinch.api.svaml import Svaml
from pipelines.backoff import longer
from pipelines.clock import now
from pipelines.encodable import read_json

log = structlog.get_logger()

ATTEMPTS = 3
ATTEMPT_TIMEOUT = 5.0
"""Seconds for one attempt."""

TIMEOUT = 12.0
"""Seconds for all attempts, waiting included: whoever dials waits for this."""

BACKOFF = 0.3
"""Seconds before the second attempt; twice that before the third."""

URGENT_AGAIN = 2.0
"""Seconds at the most until a hang-up that was turned away is asked for again, whatever the server
says: it counts requests, and a phone that is not hung up goes on costing."""

MAX_ANSWER = 1_048_576
"""Bytes read of an answer."""


class SinchError(Exception):
    """Sinch refused, failed or did not answer. One line, for whoever asked; it may quote a number.

    Attributes:
        status: Of the HTTP answer; 0 if there was none.
        code: The API's own, fit for a log; ``""`` if there was none.
        may_be_done: Whether it may have been done all the same, since the answer did not come.
    """

    def __init__(
        self, message: str, status: int = 0, code: str = "", *, may_be_done: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.may_be_done = may_be_done

    @property
    def not_found(self) -> bool:
        """Whether what it was about is not there: a leg or conference that is over, for one."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def passes(self) -> bool:
        """Whether it may be asked again: it failed, was asked too often, or cannot be reached."""
        return self.status in (0, 429) or self.status >= 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """A name and a password for HTTP."""

    name: str
    password: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        """Return the header that goes with every request."""
        pair = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        return {"authorization": f"Basic {pair}"}


class Rest:
    """JSON requests to one service, with deadlines and careful repeats. Close it in the end.

    Args:
        auth: How requests are authorized: a signature is made for each attempt.
        timeout: Seconds for all attempts, waiting included.
        attempt_timeout: Seconds for one.
    """

    def __init__(
        self,
        auth: Basic | Credentials,
        timeout: float = TIMEOUT,
        attempt_timeout: float = ATTEMPT_TIMEOUT,
    ) -> None:
        self._auth = auth
        self._timeout = timeout
        self._attempt_timeout = attempt_timeout
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        """By whether they are for what is urgent: a hang-up does not wait for a connection until
        those that dial have had their answers."""

    async def aclose(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    async def request(
        self,
        method: str,
        url: str,
        body: Svaml | None = None,
        *,
        idempotency_key: str = "",
        repeat: bool = False,
        urgent: bool = False,
        auth: Basic | Credentials | None = None,
    ) -> dict[str, Any]:
        """Return the answer, an object; empty if there is none.

        Args:
            method: In capitals.
            url: Whole.
            body: Sent as JSON.
            idempotency_key: Lets the server see that two requests are one.
            repeat: Whether doing it twice is doing it once, as with GET and DELETE.
            urgent: Whether it has connections of its own, and is asked again as long as there is
                time when it was turned away: it ends something.
            auth: Instead of the usual.

        Raises:
            SinchError: If it was refused, or there was no answer in time.
        """
        data = b"" if body is None else json.dumps(body).encode()
        extra = {"idempotency-key": idempotency_key} if idempotency_key else {}
        repeatable = repeat or method in ("GET", "DELETE") or bool(idempotency_key)
        backoff = 0.0
        try:
            async with asyncio.timeout_at(until := now() + self._timeout):
                for attempt in itertools.count(1):
                    try:
                        headers = self._headers(auth or self._auth, method, url, data) | extra
                        return await self._attempt(method, url, data, headers, urgent=urgent)
                    except _AgainError as again:
                        backoff = longer(backoff, first=BACKOFF, longest=self._timeout)
                        wait = backoff if again.after is None else again.after
                        wait = min(wait, URGENT_AGAIN) if urgent else wait
                        # Whoever asked hears the reason now, rather than wait for nothing.
                        last = attempt >= ATTEMPTS and not (urgent and again.harmless)
                        useless = last or now() + wait >= until
                        if useless or not (repeatable or again.harmless):
                            raise again.error from None
                        log.warning("Sinch is asked again", status=again.error.status, after=wait)
                    await asyncio.sleep(wait)
        except TimeoutError:
            late = f"Sinch did not answer within {self._timeout:g} s"
            raise SinchError(late, may_be_done=True) from None
        raise AssertionError  # the last attempt returned or raised

    @staticmethod
    def _headers(auth: Basic | Credentials, method: str, url: str, body: bytes) -> dict[str, str]:
        if isinstance(auth, Basic):
            return auth.headers() | ({"content-type": "application/json"} if body else {})
        path = urlsplit(url).path
        return auth.headers(method=method, path=path, body=body, now=datetime.now(UTC))

    async def _attempt(
        self, method: str, url: str, data: bytes, headers: Mapping[str, str], *, urgent: bool
    ) -> dict[str, Any]:
        if urgent not in self._sessions:
            timeout = aiohttp.ClientTimeout(total=self._attempt_timeout)
            self._sessions[urgent] = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._sessions[urgent].request(
                method, url, data=data or None, headers=headers, allow_redirects=False
            ) as response:
                text = await _whole(response.content)
        except aiohttp.ClientConnectorError:
            raise _AgainError(SinchError("Sinch cannot be reached"), harmless=True) from None
        except TimeoutError:
            said = f"Sinch did not answer within {self._attempt_timeout:g} s"
            late = SinchError(said, may_be_done=True)
            raise _AgainError(late) from None
        except aiohttp.ClientError as broken:
            name = type(broken).__name__
            broke = SinchError(f"the connection to Sinch broke: {name}", may_be_done=True)
            raise _AgainError(broke) from None
        if response.status < 300:
            return _object(text)
        after = _seconds(response.headers) if response.status == 429 else None
        refusal = _refusal(response.status, text, after)
        if response.status == 429:
            raise _AgainError(refusal, harmless=True, after=after)
        if response.status in (500, 502, 503, 504):
            raise _AgainError(refusal)
        raise refusal


class _AgainError(Exception):
    """An attempt that may be repeated."""

    def __init__(
        self, error: SinchError, *, harmless: bool = False, after: float | None = None
    ) -> None:
        super().__init__()
        self.error = error
        self.harmless = harmless
        """Whether nothing was done."""

        self.after = after


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """Return an answer, however many pieces it comes in; of one that is too long, the beginning."""
    text = b""
    while len(text) < MAX_ANSWER and (piece := await content.read(MAX_ANSWER - len(text))):
        text += piece
    return text


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Return ``Retry-After`` in seconds; None if there is none. It may be a date (RFC 9110)."""
    given = headers.get("retry-after", "")
    if given.isascii() and given.isdigit() and len(given) < 6:
        return float(given)
    try:
        at = parsedate_to_datetime(given)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = read_json(text or b"{}")
    except ValueError:
        raise SinchError("Sinch's answer is not JSON", may_be_done=True) from None
    return value if isinstance(value, dict) else {"items": value}


def _refusal(status: int, text: bytes, after: float | None) -> SinchError:
    """Turn an error's body into one line: version 1's own form, or version 2's problem+json.

    Args:
        status: Of the answer.
        text: Its body.
        after: Seconds to wait, if it says so.
    """
    try:
        body = read_json(text)
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    if isinstance(body.get("error"), dict):
        body = body["error"]
    code = str(body.get("errorCode") or body.get("code") or "")[:16]
    said = str(body.get("message") or body.get("detail") or body.get("title") or "")
    reference = str(body.get("reference") or body.get("traceId") or "")[:64]
    message = " ".join(f"Sinch refused: {said or 'no reason given'}".split())[:300]
    parts = [f"HTTP {status}"]
    parts += [f"code {code}"] if code else []
    parts += [f"id {reference}"] if reference else []
    parts += [f"wait {after:.0f} s"] if after else []
    about = ", ".join(parts)
    return SinchError(f"{message} ({about})", status, code, may_be_done=status >= 500)


def path_segment(text: str) -> str:
    """Return ``text`` as one segment of a path."""
    return quote(text, safe="")
