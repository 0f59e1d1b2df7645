"""Sinch's request signatures: of its callbacks to us, and of our requests to its API.

The recipe is the same for version 1 (``application <key>:<signature>``) and version 2
(``service <id>:<signature>``): Sinch's pages "Callback Request Signing" and "Authentication", whose
examples are tests here. Nothing here reads a clock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Scheme = Literal["application", "service"]


class SignatureError(Exception):
    """A request is not to be trusted. The message is fit for a log: it quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who signs, and with what."""

    scheme: Scheme
    """``application`` in version 1 of the API, ``service`` in version 2."""

    key_id: str
    """The application key, or the service id."""

    secret: str = field(repr=False)
    """In base64, as the dashboard shows it."""

    def sign(
        self, *, method: str, path: str, content_type: str, timestamp: str, body: bytes
    ) -> str:
        """Return the signature, in base64.

        Args:
            method: ``POST``, in capitals.
            path: Of the address, without host and query.
            content_type: The header, whole; ``""`` if there is none.
            timestamp: The header ``x-timestamp``, as it stands there.
            body: As it is sent.
        """
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        text = "\n".join(
            (method, digest if body else "", content_type, f"x-timestamp:{timestamp}", path)
        )
        key = decoded_secret(self.secret)
        # What a header holds beyond UTF-8 comes as surrogates, and is signed as it came.
        given = text.encode("utf-8", "surrogateescape")
        return base64.b64encode(hmac.digest(key, given, hashlib.sha256)).decode()

    def headers(self, *, method: str, path: str, body: bytes, now: datetime) -> dict[str, str]:
        """Return the headers of a signed JSON request of ours."""
        timestamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
        content_type = "application/json; charset=utf-8" if body else ""
        signature = self.sign(
            method=method, path=path, content_type=content_type, timestamp=timestamp, body=body
        )
        headers = {
            "authorization": f"{self.scheme} {self.key_id}:{signature}",
            "x-timestamp": timestamp,
        }
        return headers | ({"content-type": content_type} if body else {})


def decoded_secret(secret: str) -> bytes:
    """Return the bytes of a secret.

    Raises:
        ValueError: If it is not base64; the message does not quote it.
    """
    try:
        return base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ValueError("not base64, as Sinch's dashboard shows it") from None


class Verifier:
    """Tell Sinch's callbacks from anybody else's.

    Args:
        credentials: Of every version that may call back.
        window: Seconds that a callback's clock may differ from ours.
    """

    def __init__(self, credentials: Iterable[Credentials], window: float = 300.0) -> None:
        self._credentials = {c.scheme: c for c in credentials}
        self._window = window

    def verify(
        self,
        *,
        method: str,
        paths: Iterable[str],
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,
    ) -> str:
        """Check a callback; return its signature, which names it.

        Args:
            method: Of the request.
            paths: Under which the platform may know us: as received, and as a proxy was asked.
            headers: Names in any case.
            body: As received, undecoded.
            now: Any time zone.

        Raises:
            SignatureError: If it is not signed, not by Sinch, or not lately.
        """
        lowered = {name.lower(): value for name, value in headers.items()}
        scheme, _, rest = lowered.get("authorization", "").partition(" ")
        key_id, _, signature = rest.strip().rpartition(":")
        if not signature:
            raise SignatureError("not signed")
        credentials = self._of(scheme, key_id)
        timestamp = lowered.get("x-timestamp", "")
        self._check_time(timestamp, now)
        content_type = lowered.get("content-type", "")
        expected = [
            credentials.sign(
                method=method, path=path, content_type=content_type, timestamp=timestamp, body=body
            )
            for path in paths
        ]
        given = signature.encode("utf-8", "replace")
        if not any(hmac.compare_digest(given, one.encode()) for one in expected):
            raise SignatureError("the signature does not match: wrong secret, path or body")
        return signature

    def _of(self, scheme: str, key_id: str) -> Credentials:
        for known, credentials in self._credentials.items():
            if scheme.lower() == known:
                if not hmac.compare_digest(
                    key_id.encode("utf-8", "replace"), credentials.key_id.encode()
                ):
                    raise SignatureError(f"signed for another {known}")
                return credentials
        raise SignatureError("signed in a way that is not configured here")

    def _check_time(self, timestamp: str, now: datetime) -> None:
        try:
            at = datetime.fromisoformat(timestamp)
        except ValueError:
            raise SignatureError("no readable x-timestamp") from None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if abs((now - at).total_seconds()) > self._window:
            raise SignatureError("too old, or from the future")
