"""One-use tokens: what a stream must bring to be served.

The stream channel carries no signature and no header of its own, so whoever answers a callback puts
a token into the address of the stream and, as a second place, into the call headers. It says
which call, agent and rate it is for, until when, and that we said so (HMAC-SHA256). A call has one
stream: the database that all processes share sees to it, whatever number of tokens there are.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from agent.store.claims import StoredClaims
from agent.store.errors import StoreError

MAX_LENGTH = 1024
"""Characters; ours have some 250."""


class TokenError(Exception):
    """The token is wrong, expired or used. The message is for our log, and does not quote it."""


class TokenUncheckedError(TokenError):
    """The database does not say whether the token was used: it may be good another time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token stands for."""

    call: str
    """The platform's id of the phone leg; the stream's own may be another."""

    agent: str
    rate: int
    """Hertz."""

    expires: int
    """Unix time."""

    dialled: str = ""
    """Our id of an outgoing call; ``""`` for an incoming one."""


def stream_claim(call_id: str) -> str:
    """Return what is claimed in the store once the stream of a call has come."""
    return f"stream {call_id}"


class StreamTokens:
    """Make tokens and redeem them.

    Args:
        key: Secret; the same in each process that is to redeem what another made.
        store: Remembers what was used.
    """

    def __init__(self, key: bytes, store: StoredClaims) -> None:
        self._key = hmac.digest(key, b"stream tokens", hashlib.sha256)
        self._store = store

    def mint(self, claims: Claims) -> str:
        """Return the token: letters, digits, ``_``, ``-`` and one dot."""
        body = _encode(json.dumps(asdict(claims), separators=(",", ":")).encode())
        return f"{body}.{self._seal(body)}"

    def read(self, token: str) -> Claims:
        """Return what ``token`` stands for, expired or used though it may be; it stays as it is.

        Args:
            token: Anything.

        Raises:
            TokenError: If it is not ours.
        """
        body, _, seal = token.partition(".")
        genuine = len(token) <= MAX_LENGTH and hmac.compare_digest(
            seal.encode("utf-8", "replace"), self._seal(body).encode()
        )
        if not genuine:
            raise TokenError("the token is not ours")
        try:
            return Claims(**json.loads(_decode(body)))
        except (ValueError, TypeError):  # sealed by another version of ours
            raise TokenError("the token cannot be read") from None

    async def redeem(self, token: str, now: float) -> Claims:
        """Return what ``token`` stands for, and use it up.

        Waits no longer than a transaction may take. If this is cancelled, the token may be used up.

        Args:
            token: Anything.
            now: Unix time.

        Raises:
            TokenError: If it is not ours, has expired, or the call has its stream already.
            TokenUncheckedError: If the database does not say.
        """
        claims = self.read(token)
        if now > claims.expires:
            raise TokenError("the token has expired")
        try:
            used = await self._store.claim(stream_claim(claims.call))
        except StoreError as error:
            raise TokenUncheckedError(f"the database fails: {error}") from None
        if used is not None:
            raise TokenError("the token was used")
        return claims

    async def give_back(self, claims: Claims) -> None:
        """Make a token good again that was redeemed for a stream which did not come about.

        Raises:
            StoreError: If the database fails; the token stays used then.
        """
        await self._store.release(stream_claim(claims.call))

    def _seal(self, body: str) -> str:
        given = body.encode("utf-8", "replace")
        return _encode(hmac.digest(self._key, given, hashlib.sha256))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64") from None
