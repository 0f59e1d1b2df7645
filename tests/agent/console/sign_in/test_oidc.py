"""Signing in by an identity provider, which runs here on loopback, and does everything wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from pydantic import ValidationError
from structlog.testing import capture_logs

from agent.console.sign_in import identity_provider
from agent.console.sign_in.oidc import Attempt
from agent.console.sign_in.pages import ATTEMPTS_OF_ONE_ADDRESS, AWAY_FOR
from agent.settings.console import OidcSettings
from tests.agent.console.visiting import HASH, READS, Answered, Looker, looker
from tests.agent.loopback import running

pytestmark = pytest.mark.usefixtures("nothing_left")

RSA, OTHER = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
CLIENT, SECRET = "the:console", "s€cret/+"
ROLES = {"support": "listen", "leads": "edit"}


@dataclass
class LoopbackProvider:
    """An identity provider; what it says is changed by the tests."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    """Besides the right ones; None takes one away."""

    key: Any = field(default_factory=lambda: RSA)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256"})
    keys: list[Any] = field(default_factory=lambda: [RSA, EC])
    discovery: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] | None = None
    """Of the token endpoint, instead of a token."""

    status: int = 200
    slow: float = 0.0
    asked: dict[str, str] = field(default_factory=dict)
    """What the browser was sent there with, last."""

    counts: dict[str, int] = field(default_factory=dict)

    async def describe(self, request: web.Request) -> web.Response:
        self._count("discovery")
        await asyncio.sleep(self.slow)
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return web.json_response(said | self.discovery)

    async def jwks(self, request: web.Request) -> web.Response:
        self._count("keys")
        return web.json_response(KeySet(self.keys).as_dict())

    async def token(self, request: web.Request) -> web.Response:
        """Look whether all is there that has to be, and answer with an ID token."""
        form = dict(parse_qsl((await request.read()).decode()))
        if self.answer is not None:
            return web.json_response(self.answer, status=self.status)
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert form["grant_type"] == "authorization_code"
        assert form["redirect_uri"] == self.asked["redirect_uri"]
        basic = request.headers.get("authorization", "")
        if basic:
            assert base64.b64decode(basic.split()[1]) == b"the%3Aconsole:s%E2%82%ACcret%2F%2B"
        else:
            assert form["client_id"] == CLIENT
            assert form.get("client_secret", SECRET) == SECRET
        right = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        if form.get("code") != "the-code" or right != self.asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        at = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "1234", "exp": at + 300, "iat": at,
            "nonce": self.asked["nonce"], "email": "ann@example.com", "email_verified": True,
            "groups": ["staff", "leads"],
        } | self.claims  # fmt: skip
        claims = {
            name: at + int(value.total_seconds()) if isinstance(value, timedelta) else value
            for name, value in claims.items()
            if value is not None
        }
        header = {"kid": self.key.kid, **self.header}
        signed = jwt.encode(header, claims, self.key, algorithms=[header["alg"]])
        return web.json_response({"id_token": signed, "access_token": "x", "token_type": "Bearer"})

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


@asynccontextmanager
async def providing() -> AsyncIterator[LoopbackProvider]:
    """Run a provider."""
    one, app = LoopbackProvider(), web.Application()
    for key in (RSA, OTHER, EC):
        key.ensure_kid()
    app.router.add_get("/.well-known/openid-configuration", one.describe)
    app.router.add_get("/keys", one.jwks)
    app.router.add_post("/token", one.token)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield one
    finally:
        await runner.cleanup()


@asynccontextmanager
async def signing_in(
    folder: Path, **settings: Any
) -> AsyncIterator[tuple[LoopbackProvider, Looker]]:
    """Run a provider, a service that people sign in to by it, and a browser."""
    async with providing() as provider:
        oidc: dict[str, Any] = {
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
        }
        oidc |= {"roles": ROLES, **settings}
        async with running(folder, console={"oidc": oidc}) as server, looker(server) as one:
            yield provider, one


async def leave(provider: LoopbackProvider, one: Looker, next_: str = "/console") -> Answered:
    """Go to the provider; it remembers what came along."""
    sent = await one.get(f"/console/sign-in/oidc?next={next_}")
    assert sent.status == 303, sent.text
    where = urlsplit(sent.headers["location"])
    assert f"{where.scheme}://{where.netloc}" == provider.issuer
    provider.asked = dict(parse_qsl(where.query))
    return sent


async def come_back(provider: LoopbackProvider, one: Looker, **query: str) -> Answered:
    """Come back from it, as a browser does: by a link of another site's."""
    given = {"state": provider.asked["state"], "code": "the-code"} | query
    text = "&".join(f"{name}={value}" for name, value in given.items())
    followed = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    return await one.get(f"/console/sign-in/callback?{text}", **followed)


def test_somebody_signs_in_by_their_provider(tmp_path: Path) -> None:
    """It is asked for what PKCE, state and nonce want, and knows nothing of where they go on."""

    async def main() -> None:
        async with signing_in(tmp_path) as (provider, one):
            page = await one.get("/console/sign-in?next=/console/calls%3Fq%3Dann")
            assert "Sign in with 127.0.0.1" in page.text
            assert "password" not in page.text
            assert (await one.sign_in()).status == 401  # there are no passwords
            sent = await leave(provider, one, "/console/calls%3Fq%3Dann")
            assert provider.asked["response_type"] == "code"
            assert provider.asked["client_id"] == CLIENT
            assert provider.asked["redirect_uri"] == f"{one.base}/console/sign-in/callback"
            assert provider.asked["code_challenge_method"] == "S256"
            assert len({provider.asked[name] for name in ("state", "nonce", "code_challenge")}) == 3
            assert "calls" not in sent.headers["location"]
            with capture_logs() as logs:
                done = await come_back(provider, one)
            assert (done.status, done.headers["location"]) == (303, "/console/calls?q=ann")
            (said,) = (line for line in logs if line["event"] == "signed in")
            assert (said["who"], said["role"]) == ("oidc ann@example.com", "edit")
            assert "oidc ann@example.com" in (await one.get("/console")).text
            assert (await come_back(provider, one)).status == 403  # once
            assert provider.counts == {"discovery": 1, "keys": 1}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("settings", "provider_says", "who", "role"),
    [
        ({}, {"key": EC, "header": {"alg": "ES256"}}, "ann@example.com", "edit"),
        ({"client_secret": None}, {}, "ann@example.com", "edit"),
        ({}, {"discovery": {"token_endpoint_auth_methods_supported": ["client_secret_post"]}},
         "ann@example.com", "edit"),
        ({}, {"claims": {"groups": "support"}}, "ann@example.com", "listen"),
        ({}, {"claims": {"email_verified": None}}, "1234", "edit"),
        ({"name_claim": "name"}, {"claims": {"name": "Ann\u202e"}}, "1234", "edit"),
        ({"name_claim": "name"}, {"claims": {"name": "Ann <b>"}}, "Ann <b>", "edit"),
        ({"claim": "email", "roles": {"ann@example.com": "look"}}, {}, "ann@example.com", "look"),
        ({}, {"claims": {"aud": [CLIENT, "other"], "azp": CLIENT}}, "ann@example.com", "edit"),
        ({}, {"claims": {"exp": timedelta(seconds=-20)}}, "ann@example.com", "edit"),
    ],
)  # fmt: skip
def test_what_the_provider_says_counts(
    tmp_path: Path, settings: dict[str, Any], provider_says: dict[str, Any], who: str, role: str
) -> None:
    """Who it is, and their highest role; an email that it has not verified is nobody's."""

    async def main() -> None:
        async with signing_in(tmp_path, **settings) as (provider, one):
            for name, value in provider_says.items():
                setattr(provider, name, value)
            await leave(provider, one)
            with capture_logs() as logs:
                assert (await come_back(provider, one)).status == 303
            (said,) = (line for line in logs if line["event"] == "signed in")
            assert (said["who"], said["role"]) == (f"oidc {who}", role)

    asyncio.run(main())


BAD: list[tuple[dict[str, Any], int]] = [
    ({"key": OTHER, "keys": [RSA]}, 503),  # another's key
    ({"claims": {"iss": "http://127.0.0.1:1"}}, 503),
    ({"claims": {"aud": "another"}}, 503),
    ({"claims": {"aud": [CLIENT, "another"]}}, 503),
    ({"claims": {"azp": "another"}}, 503),
    ({"claims": {"nonce": "another"}}, 503),
    ({"claims": {"nonce": None}}, 503),
    ({"claims": {"exp": timedelta(hours=-1)}}, 503),
    ({"claims": {"exp": None}}, 503),
    ({"claims": {"exp": "never"}}, 503),
    ({"claims": {"iat": timedelta(hours=1)}}, 503),
    ({"claims": {"sub": None}}, 503),
    ({"key": OctKey.import_key("x" * 64), "header": {"alg": "HS256", "kid": "x"}}, 503),
    ({"answer": {}}, 503),
    ({"answer": {"id_token": 5}}, 503),
    ({"answer": {"id_token": "a.b.c"}}, 503),
    ({"answer": {"id_token": "eyJhbGciOiJub25lIn0.e30."}}, 503),
    ({"answer": {"id_token": "." * 1000}}, 503),
    ({"answer": {"error": "<b>server_error</b>"}, "status": 500}, 503),
    ({"answer": {"error": "invalid_grant"}, "status": 400}, 403),
    ({"answer": {"x": "y" * 300_000}}, 503),
    ({"claims": {"groups": ["staff"]}}, 403),
    ({"claims": {"groups": None}}, 403),
    ({"claims": {"groups": {"leads": True}}}, 403),
    ({"claims": {"groups": [["leads"]]}}, 403),
]
"""What a provider says that lets nobody in."""


def test_nobody_is_let_in_by_what_is_not_good(tmp_path: Path) -> None:
    """Not signed by the provider, not for us, not for this attempt, not now, or without a role."""

    async def main() -> None:
        async with signing_in(tmp_path) as (provider, one):
            for says, status in BAD:
                right = vars(LoopbackProvider(issuer=provider.issuer))
                for name, value in (right | says).items():
                    setattr(provider, name, value)
                one.headers = {"x-forwarded-for": f"203.0.113.{len(str(says)) % 250}"}
                await leave(provider, one)
                with capture_logs() as logs:
                    page = await come_back(provider, one)
                assert page.status == status, says
                assert "voice-agent-session" not in str(page.headers)
                (said,) = (line for line in logs if line["event"].startswith("sign-in refused"))
                assert "eyJ" not in str(said) + page.text
                assert SECRET not in str(logs) + page.text
                assert (await one.get("/console")).status == 303

    asyncio.run(main())


def test_only_the_browser_that_left_comes_back(tmp_path: Path) -> None:
    """With the state that it was given, within ten minutes; nobody is signed in as another."""

    async def main() -> None:
        async with signing_in(tmp_path) as (provider, one):
            await leave(provider, one)
            for query in (
                {"state": "0" * 64}, {"state": ""}, {"state": "é"}, {"error": "access_denied"},
                {"error": "<script>"}, {"iss": "https://evil.example"}, {"code": "another"},
                {"code": ""},
            ):  # fmt: skip
                page = await come_back(provider, one, **query)
                assert page.status == 403, query
                assert "<script>" not in page.text.partition("<main")[2]
            state, theirs = provider.asked, one.http.cookie_jar
            cookie = next(c.value for c in theirs if c.key == "voice-agent-attempt")
            async with looker(running_as(one)) as victim:  # an attacker's link, clicked
                provider.asked = state
                assert (await come_back(provider, victim)).status == 403
            old = cookie.split(".")
            old[1] = str(int(old[1]) - AWAY_FOR - 2)
            for text in (".".join(old), "x" + cookie, "a.b.c", "é", cookie.upper()):
                async with looker(running_as(one), cookie=f"voice-agent-attempt={text}") as late:
                    assert (await come_back(provider, late)).status == 403, text
            assert (await come_back(provider, one)).status == 303

    asyncio.run(main())


def running_as(one: Looker) -> Any:
    """Return what `looker` wants of a server, of another browser's."""

    class _Server:
        url = one.base.replace("http:", "ws:") + "/stream"

    return _Server()


@pytest.mark.parametrize(
    "says",
    [
        {"discovery": {"issuer": "https://evil.example"}},
        {"discovery": {"authorization_endpoint": "http://evil.example/auth"}},
        {"discovery": {"authorization_endpoint": "javascript:alert(1)"}},
        {"discovery": {"token_endpoint": None}},
        {"discovery": {"jwks_uri": "https://["}},
        {"discovery": {"x": "y" * 300_000}},
        {"slow": 5.0},
    ],
    ids=str,
)
def test_a_provider_that_makes_no_sense(
    tmp_path: Path, says: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """People are told, and nobody is sent anywhere."""
    if "slow" in says:
        monkeypatch.setattr(identity_provider, "WITHIN", 0.2)

    async def main() -> None:
        async with signing_in(tmp_path) as (provider, one):
            for name, value in says.items():
                setattr(provider, name, value)
            page = await one.get("/console/sign-in/oidc")
            assert page.status == 503
            assert "did not sign you in" in page.text
            provider.slow, provider.discovery = 0.0, {}
            await leave(provider, one)
            assert (await come_back(provider, one)).status == 303

    asyncio.run(main())


def test_new_keys_are_looked_for_but_not_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that changes its keys is asked again, once a minute at the most."""

    async def main() -> None:
        async with signing_in(tmp_path) as (provider, one):
            await leave(provider, one)
            assert (await come_back(provider, one)).status == 303
            provider.keys, provider.key = [OTHER], OTHER
            await leave(provider, one)
            assert (await come_back(provider, one)).status == 503
            assert provider.counts["keys"] == 1
            monkeypatch.setattr(identity_provider, "KEYS_AGAIN_AFTER", 0.0)
            await leave(provider, one)
            assert (await come_back(provider, one)).status == 303
            await leave(provider, one)
            assert (await come_back(provider, one)).status == 303
            assert provider.counts["keys"] == 2

    asyncio.run(main())


def test_the_provider_is_not_asked_without_end(tmp_path: Path) -> None:
    """One address leaves for it thirty times in ten minutes."""

    async def main() -> None:
        async with signing_in(tmp_path) as (provider, one):
            for _ in range(ATTEMPTS_OF_ONE_ADDRESS):
                await leave(provider, one)
            late = await one.get("/console/sign-in/oidc")
            assert late.status == 429
            assert int(late.headers["retry-after"]) > 0

    asyncio.run(main())


def test_a_page_of_another_site_starts_no_sign_in(tmp_path: Path) -> None:
    """Not in a frame, nor by a script; a link is followed, and changes nothing."""

    async def main() -> None:
        async with signing_in(tmp_path) as (_, one):
            for headers in (
                {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
                {"origin": "https://evil.example"},
            ):
                for path in ("/console/sign-in", "/console/sign-in/oidc"):
                    assert (await one.ask("GET", path, READS | headers)).status == 403

    asyncio.run(main())


@given(st.text(max_size=300))
def test_no_text_is_an_attempt(text: str) -> None:
    """But one that we have made, and that leads to a page of ours."""
    assert Attempt.of(text, AWAY_FOR) is None or text.count(".") == 2
    made = Attempt.begun("/console/calls")
    assert Attempt.of(made.text, AWAY_FOR) == made
    evil = base64.urlsafe_b64encode(b"//evil.example").decode()
    planted = Attempt.of(f"{made.secret}.{made.at}.{evil}", AWAY_FOR)
    assert planted is not None
    assert planted.next == "/console"
    assert not made.is_answered_by(text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"issuer": "http://login.example.com"}, "https:// is wanted"),
        ({"client_id": ""}, "client_id"),
        ({"roles": {}}, "nobody is let in"),
        ({"roles": {"a": "emperor"}}, "roles"),
        ({"scopes": ["email"]}, "openid"),
        ({"issuer": "https://a:b@login.example.com"}, "issuer"),
    ],
)
def test_settings_that_let_nobody_in_are_told(given: dict[str, Any], said: str) -> None:
    """Before the start."""
    right = {"issuer": "https://login.example.com", "client_id": "x", "roles": {"a": "look"}}
    OidcSettings.model_validate(right)
    with pytest.raises(ValidationError, match=said):
        OidcSettings.model_validate(right | given)


def test_a_password_beside_a_provider(tmp_path: Path) -> None:
    """Both are on the page."""

    async def main() -> None:
        console = {
            "oidc": {"issuer": "http://127.0.0.1:1", "client_id": "x", "roles": ROLES},
            "password": HASH,
        }
        async with running(tmp_path, console=console) as server, looker(server) as one:
            page = await one.get("/console/sign-in")
            assert 'type="password"' in page.text
            assert "Sign in with 127.0.0.1" in page.text
            assert (await one.sign_in()).status == 303
            assert (await one.get("/console/sign-in/oidc")).status == 503

    asyncio.run(main())
