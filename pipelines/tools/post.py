"""One request that has an effect at the other end, and so is never made twice by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from pipelines.connection_errors import explain


class UnansweredError(Exception):
    """A request that must not be made twice has no answer.

    Attributes:
        sent: Whether the server may have got it.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server has answered."""

    status: int
    body: bytes
    retry_after: str
    """The header of that name; ``""`` if there is none."""


async def post_once(
    url: str, body: bytes, headers: Mapping[str, str], *, connect_timeout: float, max_bytes: int
) -> Answer:
    """POST ``body`` over a connection of its own; return the answer.

    For requests that have an effect at the other end. A connection that was used before might have
    been closed there meanwhile, and then nobody knows whether the request was read. Redirects are
    not followed. The caller bounds the time that the answer may take; cancelling closes the
    connection.

    Args:
        url: Whole.
        body: Of type JSON.
        headers: Of the request.
        connect_timeout: Seconds, TLS included.
        max_bytes: Of the answer; what is longer is cut off there. With 0 it is not waited for.

    Raises:
        UnansweredError: If there is no connection, or no whole answer.
    """
    answer = bytearray()
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, connect=connect_timeout),
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            ) as session,
            session.post(
                URL(url),
                data=body,
                headers={"Content-Type": "application/json", **headers},
                allow_redirects=False,
            ) as response,
        ):
            while len(answer) < max_bytes and (chunk := await response.content.readany()):
                answer += chunk
            return Answer(
                status=response.status,
                body=bytes(answer[:max_bytes]),
                retry_after=response.headers.get("Retry-After", ""),
            )
    except aiohttp.ConnectionTimeoutError:
        raise UnansweredError("no connection in time", sent=False) from None
    except aiohttp.ClientConnectorError as error:
        raise UnansweredError(explain(error), sent=False) from None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise UnansweredError(explain(error), sent=True) from None
