"""Who is let in: by a role, as this machine, by a proxy; and other sites, which try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from agent.cli import main as voice_agent
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.sign_in import guard
from agent.console.sign_in.browsers import OwnAddress
from agent.console.sign_in.guard import HEADERS, Guard
from agent.console.sign_in.recognition import ThisMachine, is_name
from agent.console.visitor import Role, Visitor
from agent.server import start
from agent.settings import Settings, SettingsError
from tests.agent.console.visiting import HASH, PASSWORD, READS, USERS, Looker, base_of, looker
from tests.agent.loopback import Running, running
from tests.agent.sinch.stories import TOKEN

pytestmark = pytest.mark.usefixtures("nothing_left")

PAGES = ["/", "/console", "/console/calls", "/console/overview", "/console/agents"]


@asynccontextmanager
async def visited(folder: Path, **sections: Any) -> AsyncIterator[tuple[Running, Looker]]:
    """Serve, and open a browser."""
    async with running(folder, **sections) as server, looker(server) as one:
        yield server, one


def test_each_role_may_what_is_its_own(tmp_path: Path) -> None:
    """Pages and what they send: the least that may ask is asked for, people are told in words."""

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server:
            allowed = {}
            for name in USERS:
                async with looker(server) as one:
                    assert (await one.sign_in(name)).status == 303
                    phone, called = await one.get("/"), await one.send("POST", "/console/phone")
                    allowed[name] = (phone.status, called.status)
                    console = await one.get("/console")
                    assert console.status == 200
                    assert f"<span>{name}</span>" in console.text
                    assert ('href="/">Phone' in console.text) is (phone.status == 200)
            assert allowed == {
                "ann": (200, 200), "otto": (200, 200), "lisa": (403, 403), "luke": (403, 403)
            }  # fmt: skip
            async with looker(server) as luke:
                await luke.sign_in("luke")
                page = await luke.get("/")
                assert page.headers["content-type"].startswith("text/html")
                assert (
                    "This takes the role &#39;operate&#39;; yours is &#39;look&#39;." in page.text
                )
                data = await luke.ask("GET", "/")
                assert data.headers["content-type"].startswith("application/problem+json")

    asyncio.run(main())


def test_strangers_see_nothing(tmp_path: Path) -> None:
    """People are led to the sign-in, scripts get 401; the operator's token is none here."""

    async def main() -> None:
        sections: dict[str, Any] = {"console": {"users": USERS}, "operator": {"token": TOKEN}}
        async with visited(tmp_path, **sections) as (_, one):
            for path in [*PAGES, "/console/nothing-here", "/console/sign-out"]:
                page = await one.get(path)
                assert page.status == 303
                assert page.headers["location"].startswith("/console/sign-in?next=%2F")
                for accept in ({}, {"accept": "*/*"}, {"accept": "text/event-stream"}):
                    data = await one.ask("GET", path, accept)
                    assert data.status == 401
                    assert "www-authenticate" in data.headers
                    assert data.headers["content-type"].startswith("application/problem+json")
            for path in ("/console/phone", "/console/sign-out", "/console/x"):
                assert (await one.ask("POST", path, one.own)).status == 401
            bearer = {"authorization": f"Bearer {TOKEN}"}
            assert (await one.ask("GET", "/console", bearer)).status == 401
            assert (await one.ask("GET", "/calls", bearer)).status == 200
            assert (await one.ask("GET", "/calls")).status == 401

    asyncio.run(main())


CHANGES = [("POST", "/console/phone"), ("POST", "/console/sign-out")]


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "this machine"])
def test_nothing_is_changed_but_from_a_page_of_ours(tmp_path: Path, *, signed_in: bool) -> None:
    """It has our origin, and what the page was given: neither alone is enough."""

    async def main() -> None:
        sections = {"console": {"users": USERS}} if signed_in else {}
        async with visited(tmp_path, **sections) as (_, ann):
            if signed_in:
                await ann.sign_in()
            csrf = (await ann.get("/console")).csrf
            assert len(csrf) >= 43
            origin = {"origin": ann.base}
            right = origin | {"x-csrf-token": csrf}
            wrong = [
                {"x-csrf-token": csrf},  # nobody says whose page it is
                origin,
                origin | {"x-csrf-token": ""},
                origin | {"x-csrf-token": csrf[:-1]},
                origin | {"x-csrf-token": "é" * 64},
                right | {"origin": "https://evil.example"},
                right | {"origin": "null"},
                right | {"origin": ann.base.replace("127.0.0.1", "localhost")},
                right | {"origin": ann.base + "0"},  # another port of this host
                right | {"sec-fetch-site": "cross-site"},
                right | {"sec-fetch-site": "same-site"},
                right | {"sec-fetch-site": "none"},
                # What a link that is followed says, said of a form.
                right
                | {
                    "sec-fetch-site": "cross-site",
                    "sec-fetch-mode": "navigate",
                    "sec-fetch-dest": "document",
                },
            ]
            for headers in wrong:
                for method, path in CHANGES:
                    assert (await ann.ask(method, path, headers)).status in (403, 404), headers
            form = {"csrf": csrf}
            assert (await ann.ask("POST", "/console/phone", right)).status == 200
            assert (await ann.ask("POST", "/console/phone", origin, data=form)).status == 200
            fetched = {"sec-fetch-site": "same-origin", "x-csrf-token": csrf}
            assert (await ann.ask("POST", "/console/phone", fetched)).status == 200
            for _, path in CHANGES:
                assert (await ann.ask("GET", path, right)).status == 404
            assert (await ann.get("/console")).status == 200  # nobody was signed out meanwhile

    asyncio.run(main())


FOREIGN: list[dict[str, str]] = [
    {"host": "evil.example"},  # a name that leads here: DNS rebinding
    {"host": "evil.example:8080"},
    {"host": "localhost.evil.example"},
    {"host": "127.0.0.1.evil.example"},
    {"host": "0.0.0.0"},  # noqa: S104 - it is asked for
    {"host": "10.0.0.1"},
    {"host": "[::2]"},
    {"host": "127.0.0.1@evil.example"},
    {"host": ""},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "empty"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "object"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "websocket", "sec-fetch-dest": "empty"},
    {"x-forwarded-for": "203.0.113.1"},
    {"x-forwarded-for": "127.0.0.1"},
    {"x-forwarded-proto": "https"},
    {"x-forwarded-host": "127.0.0.1"},
    {"forwarded": "for=127.0.0.1"},
    {"via": "1.1 proxy"},
    {"x-real-ip": "127.0.0.1"},
    {"cf-connecting-ip": "127.0.0.1"},
]
"""What a request brings that is not a page of ours on this machine."""

GUARDED = [*PAGES, "/console/events", "/console/live/x/events", "/console/live/x/audio"]


def test_in_development_only_this_machine_is_let_in(tmp_path: Path) -> None:
    """And no page of another site, whatever it takes: image, frame, script, fetch, EventSource."""

    async def main() -> None:
        async with visited(tmp_path) as (_, one):
            for path in GUARDED:
                for headers in FOREIGN:
                    for accept in (READS, {}):
                        seen = await one.ask("GET", path, accept | headers)
                        assert seen.status == 403, (path, headers)
                        assert "csrf" not in seen.text
            for path in PAGES:
                for host in ("localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"):
                    assert (await one.get(path, host=host)).status == 200
                link = {
                    "sec-fetch-site": "cross-site",
                    "sec-fetch-mode": "navigate",
                    "sec-fetch-dest": "document",
                }
                assert (await one.get(path, **link)).status == 200  # of a mail, or of our docs
            assert (await one.get("/console/sign-in")).status == 404

    asyncio.run(main())


def test_no_websocket_of_another_site(tmp_path: Path) -> None:
    """Neither to a page, nor to the stream that the browser phone calls."""

    async def main() -> None:
        async with running(tmp_path) as server, aiohttp.ClientSession() as http:
            for url in (base_of(server) + "/console/events", server.url.replace("ws:", "http:")):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await http.ws_connect(url, headers={"origin": "https://evil.example"})
                assert refused.value.status == 403

    asyncio.run(main())


@pytest.mark.parametrize(
    "sections",
    [
        {"server": {"host": "0.0.0.0"}},  # noqa: S104 - nothing listens there
        {"server": {"host": "::"}},
        {"server": {"host": ""}},
        {"server": {"host": "10.1.2.3"}},
        {"sinch": {"public_url": "https://agent.example.com"}},
        {"console": {"public_url": "https://agent.example.com"}},
    ],
    ids=str,
)
def test_whoever_can_be_reached_shows_nothing_without_sign_in(
    tmp_path: Path, sections: dict[str, Any]
) -> None:
    """There are no pages, and the log says why; with `enabled = true` it does not start."""

    async def main() -> None:
        with capture_logs() as logs:
            async with visited(tmp_path, **sections) as (_, one):
                for path in [*GUARDED, "/console/sign-in", "/console/static/x/app.js"]:
                    assert (await one.get(path)).status == 404
        assert sum(line["event"].startswith("no pages") for line in logs) == 1

    asyncio.run(main())
    console = sections.get("console", {}) | {"enabled": True}
    with pytest.raises(SettingsError, match=r"console\.enabled = True: .*set console\.password"):
        start.check(Settings(**{**sections, "console": console}))
    start.check(Settings(**{**sections, "console": console | {"password": HASH}}))


def test_the_check_says_what_is_set_in_the_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Passwords that everybody on the way reads; that there are no pages is no mistake."""
    file = tmp_path / "voice-agent.toml"
    file.write_text('[sinch]\npublic_url = "http://agent.example.org"')
    voice_agent(["check"])
    assert "console: " not in capsys.readouterr().out
    file.write_text(file.read_text() + f'\n[console]\npassword = "{HASH}"')
    voice_agent(["check"])
    said = capsys.readouterr().out
    assert "whoever is on the way reads passwords" in said
    assert HASH not in said


def test_everything_brings_the_headers(tmp_path: Path) -> None:
    """Errors, redirects, files, what is not there, and what broke; nothing of it is kept."""

    async def main() -> None:
        async with visited(tmp_path, console={"users": USERS}) as (server, one):
            files = [(await one.get("/console/sign-in")).text.partition('href="')[2].split('"')[0]]
            asked = [("GET", path) for path in [*PAGES, *files, "/console/sign-in", "/console/x"]]
            asked += [("GET", "/console/static/x/none.js"), ("POST", "/console/sign-in")]
            asked += [("PUT", "/console"), ("HEAD", "/"), ("OPTIONS", "/console/calls")]
            asked += [("DELETE", "/console/phone")]
            for method, path in asked:
                for secure in (False, True):
                    proto = {"x-forwarded-proto": "https"} if secure else {}
                    answer = await one.ask(method, path, READS | proto)
                    assert (
                        HEADERS.items()
                        <= {name.lower(): value for name, value in answer.headers.items()}.items()
                    ), (method, path)
                    assert ("strict-transport-security" in answer.headers) is secure
                    kept = answer.headers["cache-control"] != "no-store"
                    assert kept is (path in files and method == "GET")
            assert "'unsafe" not in HEADERS["content-security-policy"]
            assert "server.url" not in str(server)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("sections", "headers"),
    [
        ({"sinch": {"public_url": "https://agent.example.com/x"}}, {"host": "agent.example.com"}),
        ({}, {"host": "agent.example.com", "x-forwarded-proto": "https"}),
        ({}, {"host": "agent.example.com", "x-forwarded-proto": "http, https"}),
    ],
    ids=["by its address", "by its proxy", "by the last of two proxies"],
)
def test_with_tls_the_cookie_is_of_this_host_alone(
    tmp_path: Path, sections: dict[str, Any], headers: dict[str, str]
) -> None:
    """Its name says so; one that was set without TLS does not count."""

    async def main() -> None:
        async with visited(tmp_path, console={"users": USERS}, **sections) as (server, one):
            page = await one.get("/console/sign-in", **headers)
            visit = page.headers["set-cookie"].split(";")[0]
            assert visit.startswith("__Host-voice-agent-visit=")
            form = {"name": "ann", "password": PASSWORD, "csrf": page.csrf}
            own = READS | headers | {"origin": "https://agent.example.com", "cookie": visit}
            done = await one.ask("POST", "/console/sign-in", own, data=form)
            assert done.status == 303
            cookie = done.headers["set-cookie"]
            assert cookie.startswith("__Host-voice-agent-session=")
            assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
            assert "Domain" not in cookie
            session = cookie.split(";")[0]
            async with looker(server, **headers, cookie=session) as ann:
                assert (await ann.get("/console")).status == 200
            planted = session.removeprefix("__Host-")
            async with looker(server, **headers, cookie=planted) as other:
                assert (await other.get("/console")).status == 303
            downgraded = own | {"origin": "http://agent.example.com"}
            assert (await one.ask("POST", "/console/sign-in", downgraded, data=form)).status == 403

    asyncio.run(main())


PROXY = {
    "user_header": "X-Forwarded-User",
    "addresses": ["127.0.0.1"],
    "role_header": "X-Forwarded-Groups",
    "roles": {"support": "listen", "leads": "operate"},
}


def test_a_proxy_says_who_asks(tmp_path: Path) -> None:
    """Its word is taken, its name is in front of theirs; who has no role is not let in."""

    async def main() -> None:
        async with visited(tmp_path, console={"proxy": PROXY}) as (_, one):
            ann = {"x-forwarded-user": "ann <b>", "x-forwarded-groups": "x, leads,support"}
            page = await one.get("/console", **ann)
            assert page.status == 200
            assert "<b>" not in page.text
            one.csrf = page.csrf
            assert (await one.ask("POST", "/console/phone", one.own | ann)).status == 200
            lisa = {"x-forwarded-user": "lisa", "x-forwarded-groups": "support"}
            assert (await one.ask("POST", "/console/phone", one.own | lisa)).status == 403
            fresh = {"origin": one.base, "x-csrf-token": ""}
            assert (await one.ask("POST", "/console/phone", fresh | ann)).status == 403
            nobody: list[dict[str, str]] = [
                {},
                {"x-forwarded-groups": "leads"},
                {"x-forwarded-user": "", "x-forwarded-groups": "leads"},
                {"x-forwarded-user": "ann"},
                {"x-forwarded-user": "ann", "x-forwarded-groups": "edit"},
                {"x-forwarded-user": "a" * 101, "x-forwarded-groups": "leads"},
                {"x-forwarded-user": "a\u202eb", "x-forwarded-groups": "leads"},
            ]
            for headers in nobody:
                assert (await one.get("/console", **headers)).status == 401, headers
            twice = [("x-forwarded-user", "ann"), ("x-forwarded-user", "mallory")]
            async with one.http.get(
                one.base + "/console", headers=[*twice, ("x-forwarded-groups", "leads")]
            ) as both:
                assert both.status == 401  # a proxy that adds its own to what came
            assert (await one.get("/console/sign-in")).status == 401

    asyncio.run(main())


def test_nobody_but_the_proxy_says_who_asks(tmp_path: Path) -> None:
    """Nor a trusted proxy that was not named for it, nor whoever says that they were one."""

    async def main() -> None:
        proxy = PROXY | {"addresses": ["10.9.9.9"], "role": "edit"}
        sections: dict[str, Any] = {"console": {"proxy": proxy, "users": USERS}}
        async with visited(tmp_path, **sections) as (_, one):
            for more in ({}, {"x-forwarded-for": "10.9.9.9"}, {"x-real-ip": "10.9.9.9"}):
                with capture_logs() as logs:
                    page = await one.get("/console", **{"x-forwarded-user": "ann"}, **more)
                assert page.status == 303
                assert any("not believed" in line["event"] for line in logs)

    asyncio.run(main())
    with pytest.raises(SettingsError, match=r"not in server\.trusted_proxies"):
        start.check(Settings(console={"proxy": PROXY | {"addresses": ["10.9.9.9"]}}))


@pytest.mark.parametrize(
    "name", ["", " ", " ann", "ann ", "a\nb", "a\x00b", "a\x85", "\u2028", "x" * 101]
)
def test_what_is_no_name(name: str) -> None:
    """One line that can be read, and not too long."""
    assert not is_name(name)
    assert is_name("Ann Ångström <ann@example.com>")


def test_what_is_pushed_ends_with_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who signs out elsewhere, while a page is still open, hears no more of a call."""
    monkeypatch.setattr(guard, "LOOK_EVERY", 0.05)

    class Until(ThisMachine):
        allowed = True

        async def visitor(self, request: web.Request, *, active: bool) -> Visitor | None:
            return await super().visitor(request, active=active) if self.allowed else None

    async def push(request: web.Request, visitor: Visitor) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"data: x\n\n")
            await asyncio.sleep(0.01)

    async def main() -> None:
        way, app = Until(), web.Application()
        one = Guard(Rendering(), [way], OwnAddress(origin=""))
        route = PageRoute(method="GET", path="/push", handler=push, role=Role.LISTEN)
        app.router.add_get(route.path, one.guarded(route))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://{host}:{port}/push") as pushed:
                await pushed.content.readline()
                way.allowed = False
                with pytest.raises(aiohttp.ClientPayloadError):
                    async with asyncio.timeout(10):
                        await pushed.read()
            async with http.get(f"http://{host}:{port}/push") as again:
                assert again.status == 401
        await one.aclose()
        await runner.cleanup()

    asyncio.run(main())


def test_errors_are_pages_for_people(tmp_path: Path) -> None:
    """And what is in them is text."""

    async def main() -> None:
        async with visited(tmp_path) as (_, one):
            page = await one.get("/console/<script>alert(1)</script>")
            assert page.status == 404
            assert page.headers["content-type"].startswith("text/html")
            assert "alert(1)" not in page.text
            assert "There is nothing here" in page.text
            data = await one.ask("GET", "/console/nothing")
            assert data.headers["content-type"].startswith("application/problem+json")

    asyncio.run(main())
