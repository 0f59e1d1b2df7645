"""Signing in by an identity provider: OpenID Connect, the authorization code flow with PKCE.

The code that a browser comes back with is exchanged, by us, for an ID token, which has to be signed
by the provider, made for us, for this very attempt, and now.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from agent.console.sign_in.browsers import every
from agent.console.sign_in.oidc import Attempt, NotLetInError, Person, ProviderFailedError
from agent.console.sign_in.recognition import highest, is_name
from agent.settings.console import OidcSettings
from agent.urls import is_loopback_host
from pipelines.clock import now
from pipelines.connection_errors import explain

WITHIN = 10.0
"""Seconds for an answer of the provider's: a person waits."""

MOST_BYTES = 256 * 1024
"""Of an answer of the provider's."""

KNOWN_FOR = 3600.0
"""Seconds for which what the provider says of itself, and its keys, are taken as they were."""

KEYS_AGAIN_AFTER = 60.0
"""Seconds between two looks for a key that is not known: it may be new, or made up."""

LEEWAY = 60
"""Seconds that the provider's clock may be ahead or behind."""

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""By which ID tokens may be signed: by a key that the provider alone has."""

_ERROR = re.compile("[a-z_]{1,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the provider says of itself."""

    authorization: str
    token: str
    basic: bool
    """Whether it takes our secret as a user's password is sent."""

    jwks: str
    at: float


class IdentityProvider:
    """One provider. Nothing of it has to be closed.

    Args:
        settings: Which, who we are there, and who may do what.
    """

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._known: _Known | None = None
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    @property
    def host(self) -> str:
        """Its name, for people."""
        return urlsplit(self._settings.issuer).hostname or ""

    async def address(self, attempt: Attempt, back: str) -> str:
        """See :class:`~agent.console.sign_in.oidc.SignInProvider`."""
        known = await self._discovered()
        challenge = hashlib.sha256(attempt.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._settings.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        sign = "&" if "?" in known.authorization else "?"
        return f"{known.authorization}{sign}{urlencode(asked)}"

    async def person(self, attempt: Attempt, query: Mapping[str, str], back: str) -> Person:
        """See :class:`~agent.console.sign_in.oidc.SignInProvider`."""
        if "error" in query:
            error = query["error"]
            said = error if _ERROR.fullmatch(error) else "something unreadable"
            raise NotLetInError(f"the provider says {said}", "The identity provider refused.")
        if query.get("iss", self._settings.issuer) != self._settings.issuer:
            raise NotLetInError("another provider answers", "Another provider has answered.")
        if not query.get("code"):
            raise NotLetInError("the provider sends no code", "Please sign in again.")
        token = await self._id_token(attempt, query["code"], back)
        return self._person(self._checked(token, attempt))

    def _person(self, claims: Mapping[str, Any]) -> Person:
        settings = self._settings
        names = [*_texts(claims, settings.name_claim), *_texts(claims, "sub")]
        name = next(filter(is_name, names), "")
        if not name:
            raise ProviderFailedError(f"no name in {settings.name_claim} or sub")
        role = highest(_texts(claims, settings.claim), settings.roles)
        if role is None:
            raise NotLetInError(
                f"nothing in {settings.claim!r} has a role (console.oidc.claim and roles)",
                f"{name} may not see this. Ask whoever runs the service.",
            )
        return Person(name=name, role=role)

    async def _id_token(self, attempt: Attempt, code: str, back: str) -> str:
        """Exchange a code for the ID token."""
        known, settings = await self._discovered(), self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
        }
        headers = {"accept": "application/json"}
        secret = settings.client_secret
        if secret is not None and known.basic:
            # RFC 6749, 2.3.1: both halves are encoded as a form's fields are.
            pair = (
                f"{quote(settings.client_id, safe='')}:{quote(secret.get_secret_value(), safe='')}"
            )
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = settings.client_id
            if secret is not None:
                form["client_secret"] = secret.get_secret_value()
        status, answer = await _asked("POST", known.token, form, headers)
        if status == 400:  # RFC 6749, 5.2: the code is none, or used
            raise NotLetInError("the provider does not take the code", "Please sign in again.")
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise ProviderFailedError(f"its token endpoint answers {status}, with no ID token")
        await self._find_keys(token, known)
        return token

    async def _find_keys(self, token: str, known: _Known) -> None:
        """See to it that the key is known by which a token is signed, if there is such a key."""
        fresh = self._keys is not None and now() - self._keys_at < KNOWN_FOR
        lately = self._keys is not None and now() - self._keys_at < KEYS_AGAIN_AFTER
        kid = _kid(token)
        if lately or (fresh and self._keys and any(one.kid == kid for one in self._keys)):
            return
        status, answer = await _asked("GET", known.jwks)
        if status != 200:
            raise ProviderFailedError(f"its keys: it answers {status}")
        try:
            self._keys = KeySet.import_key_set(answer)  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderFailedError("its keys cannot be read") from None
        self._keys_at = now()

    def _checked(self, token: str, attempt: Attempt) -> Mapping[str, Any]:
        """Return what an ID token says that is good: from the provider, for us, and now."""
        settings = self._settings
        assert self._keys is not None  # noqa: S101 - they were found with the token
        wanted = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
        )
        try:
            claims = jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise ProviderFailedError(f"its ID token is not good: {type(error).__name__}") from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", "" if several else settings.client_id) != settings.client_id:
            raise ProviderFailedError("its ID token was made for another client")
        return claims

    async def _discovered(self) -> _Known:
        """Return what the provider says of itself."""
        if self._known is not None and now() - self._known.at < KNOWN_FOR:
            return self._known
        issuer = self._settings.issuer
        where = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        status, said = await _asked("GET", where)
        if status != 200:
            raise ProviderFailedError(f"{where} answers {status}")
        if said.get("issuer") != issuer:
            raise ProviderFailedError(
                f"{where} is of another issuer: console.oidc.issuer has to be it"
            )
        methods = every(said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]))
        self._known = _Known(
            authorization=_endpoint(said, "authorization_endpoint", issuer),
            token=_endpoint(said, "token_endpoint", issuer),
            basic="client_secret_basic" in methods or "client_secret_post" not in methods,
            jwks=_endpoint(said, "jwks_uri", issuer),
            at=now(),
        )
        return self._known


def _texts(claims: Mapping[str, Any], key: str) -> Sequence[str]:
    """Return what a claim says; an email that is not verified is anybody's, and says nothing."""
    if key == "email" and claims.get("email_verified") is not True:
        return []
    return every(claims.get(key))


def _endpoint(said: Mapping[str, Any], name: str, issuer: str) -> str:
    """Return an address that the provider names; by TLS, unless it is on this machine itself."""
    url = said.get(name)
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        here = all(
            is_loopback_host(urlsplit(one).hostname or "") for one in (issuer, parts.geturl())
        )
        right = parts.scheme == "https" or (parts.scheme == "http" and here)
    except ValueError:
        right = False
    if not right or not isinstance(url, str) or not url.isprintable():
        raise ProviderFailedError(f"its {name} is no https:// address")
    return url


def _kid(token: str) -> object:
    """Return which key a token says that it is signed by; it is not believed in anything."""
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return None
    return header.get("kid") if isinstance(header, dict) else None


async def _asked(
    method: str,
    url: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Mapping[str, Any]]:
    """Ask the provider; return its status, and the JSON object that it answers, or an empty one.

    Raises:
        ProviderFailedError: If there is no whole answer in time.
    """
    try:
        async with (
            asyncio.timeout(WITHIN),
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            ) as session,
            session.request(
                method, url, data=form, headers=headers, allow_redirects=False
            ) as response,
        ):
            body = bytearray()
            while chunk := await response.content.readany():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ProviderFailedError("it answers without end")
            status = response.status
    except TimeoutError:
        raise ProviderFailedError(f"no answer within {WITHIN:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise ProviderFailedError(explain(error)) from None
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    return status, answer if isinstance(answer, dict) else {}
