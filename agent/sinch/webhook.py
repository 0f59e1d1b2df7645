"""The webhook: one address for every callback of both versions.

A callback is trusted before it is read. What is not trusted, or no callback, gets a status and no
word; what is, gets 200 and valid SVAML, whatever goes wrong here: a call in which nobody answers
the platform is a call that ends in an error message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from agent.sinch import callbacks
from agent.sinch.api.signing import SignatureError, Verifier
from agent.sinch.api.svaml import Svaml
from agent.sinch.call_control import CallControl
from agent.sinch.callbacks import Callback, CallbackError
from agent.store.claims import Claim, StoredClaims
from agent.store.errors import StoreError
from agent.stream.addresses import client_address

log = structlog.get_logger()

SENT_AGAIN_WITHIN = 30.0
"""Seconds in which the platform may send the very same callback again, to us or by its fallback
address: version 2 waits 5 for an answer. After that it is somebody else who sends it."""


ANSWERED_WITHIN = 3.5
"""Seconds for an answer; then it is an apology, which still comes in time."""

SAME_WITHIN = 1.0
"""Seconds to wait for the answer to a callback that was sent twice, and is just being answered."""

LOOK_EVERY = 0.05
"""Seconds between two looks at whether it is."""

BODY_WITHIN = 5.0
"""Seconds for a callback to come; the platform has given up by then."""


class Webhook:
    """Takes callbacks.

    Args:
        call_control: Knows the answers.
        verifier: Knows Sinch.
        claims: Remember what came.
        public_url: Of this webhook, as the platform was told: what it signs is the path there.
    """

    def __init__(
        self, call_control: CallControl, verifier: Verifier, claims: StoredClaims, public_url: str
    ) -> None:
        self._call_control = call_control
        self._verifier = verifier
        self._claims = claims
        self._path = urlsplit(public_url).path or "/"

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one callback."""
        try:
            body = await _body(request)
            signature = self._verifier.verify(
                method=request.method,
                paths=(request.rel_url.raw_path, self._path),
                headers=request.headers,
                body=body,
                now=datetime.now(UTC),
            )
            callback = callbacks.parse(body)
            told = await self._once(callback, _names(callback, signature, request.headers))
        except SignatureError as error:
            return _refused(401, str(error), client_address(request))
        except CallbackError as error:
            return _refused(400, str(error), client_address(request))
        except _NotTrustedError as error:
            return _refused(error.status, str(error), client_address(request))
        return web.json_response(told)

    async def _once(self, callback: Callback, names: Sequence[str]) -> Svaml:
        """Return the answer to a callback, and the same again if it is sent again.

        Raises:
            _NotTrustedError: If it is a replay.
        """
        told: Svaml | None = None
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                before = await self._claims.claim_each(names)
                if any(claim.age > SENT_AGAIN_WITHIN for claim in before):
                    raise _NotTrustedError(401, "replayed")
                if before and (same := await self._told_before(names, before)) is not None:
                    return same
                told = await self._answer(callback)
                await self._claims.leave(names, {"svaml": told})
        except (StoreError, TimeoutError):  # the database has logged it
            if told is not None:
                return told  # one that cannot be kept is as good
            self._call_control.answer_late(callback)
            return self._call_control.sorry(callback)
        return told

    async def _told_before(self, names: Sequence[str], before: Sequence[Claim]) -> Svaml | None:
        """Return what a callback was answered with, by any process.

        Returns:
            None if it was not, and whoever was to answer it does not any more.
        """
        for _ in range(round(SAME_WITHIN / LOOK_EVERY)):
            for claim in before:
                match claim.value:
                    case {"svaml": dict(told)}:
                        return told
            await asyncio.sleep(LOOK_EVERY)
            found = [await self._claims.find(name) for name in names]
            before = [claim for claim in found if claim is not None]
        return None

    async def _answer(self, callback: Callback) -> Svaml:
        with structlog.contextvars.bound_contextvars(call_id=callback.leg.call_id[:64]):
            try:
                return await self._call_control.answer(callback)
            except StoreError:
                raise
            except Exception:
                # A bug costs this call and no other; the caller is told so.
                log.exception("callback failed: this is a bug")
                return self._call_control.sorry(callback)


class _NotTrustedError(Exception):
    """What came gets a status and no word. The message is for our log only."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def _body(request: web.Request) -> bytes:
    """Return what came.

    Raises:
        _NotTrustedError: If it is too long, too slow, or broken.
    """
    try:
        async with asyncio.timeout(BODY_WITHIN):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _NotTrustedError(413, "too long") from None
    except TimeoutError:
        raise _NotTrustedError(408, "too slow") from None
    except (web.RequestPayloadError, ConnectionError):
        raise _NotTrustedError(400, "broken off, or not encoded as it says") from None


def _names(callback: Callback, signature: str, headers: Mapping[str, str]) -> list[str]:
    """Return what makes this callback the same as another, which gets the same answer.

    Version 2 names each (CloudEvents: ``ce-source`` and ``ce-id``). Version 1 does not: there it
    is one if it is signed the same, and a call comes in once.
    """
    names = [f"callback {signature}"]
    if named := f"{headers.get('ce-source', '')} {headers.get('ce-id', '')}".strip():
        names.append(f"event {named}")
    if isinstance(callback, callbacks.IncomingCall):
        names.append(f"incoming {callback.leg.call_id}")
    return names


def _refused(status: int, reason: str, remote: str) -> web.Response:
    log.warning("callback refused", status=status, reason=reason, remote=remote)
    return web.Response(status=status)
