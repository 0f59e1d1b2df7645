"""Signing in by a password: who may, how often they may try, and how long it lasts."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.console.sign_in.browsers import START, own_path
from agent.console.sign_in.pages import WRONG_OF_ONE_ADDRESS, WRONG_OF_ONE_NAME, WRONG_WITHIN
from agent.console.sign_in.passwords import (
    AT_ONCE,
    MOST_WAITING,
    BusyError,
    Passwords,
    hashed,
    weakness_of,
)
from agent.console.sign_in.sessions import Sessions
from agent.server.throttle import MOST_KEPT, Throttle
from agent.settings.console import ConsoleSettings, ConsoleUser
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.console.visiting import HASH, PASSWORD, READS, USERS, looker
from tests.agent.loopback import running
from tests.databases import alter
from tests.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("nothing_left")

OTHER_HASH = PasswordHasher(time_cost=1, memory_cost=7168, parallelism=1).hash("another one")

SESSION = "voice-agent-session"


def test_somebody_signs_in_and_out(tmp_path: Path) -> None:
    """They land where they wanted to, under an id of their own each time, and then nowhere."""

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server, looker(server) as ann:
            asked = await ann.get("/console/calls?q=a+b")
            assert asked.status == 303
            assert (
                asked.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fcalls%3Fq%3Da%2Bb"
            )
            shown = await ann.get(asked.headers["location"])
            assert 'value="/console/calls?q=a+b"' in shown.text
            with capture_logs() as logs:
                done = await ann.sign_in(next_="/console/calls?q=a+b")
            assert (done.status, done.headers["location"]) == (303, "/console/calls?q=a+b")
            (said,) = (one for one in logs if one["event"] == "signed in")
            assert (said["who"], said["role"]) == ("ann", "edit")
            cookie = done.headers["set-cookie"]
            assert cookie.startswith(f"{SESSION}=")
            assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
            page = await ann.get("/console")
            assert page.status == 200
            assert "Sign out" in page.text
            first = _session(ann.http)
            await ann.sign_in()
            assert _session(ann.http) != first  # a new one, and the old one is over
            old = {"cookie": f"{SESSION}={first}"}
            async with looker(server, **old) as another:
                assert (await another.get("/console")).status == 303
            token = (await ann.get("/console")).csrf
            form = {"csrf": token}
            out = await ann.ask("POST", "/console/sign-out", {"origin": ann.base}, data=form)
            assert (out.status, out.headers["location"]) == (303, "/console/sign-in")
            assert (await ann.get("/console")).status == 303

    asyncio.run(main())


def _session(http: Any) -> str:
    return str(next(one.value for one in http.cookie_jar if one.key == SESSION))


def test_one_password_is_enough(tmp_path: Path) -> None:
    """Of `console.password`, by a form without a name; who it is may do everything."""

    async def main() -> None:
        async with running(tmp_path, console={"password": HASH}) as server, looker(server) as one:
            page = await one.get("/console/sign-in")
            assert 'for="name"' not in page.text
            assert (await one.sign_in(name="whatever")).status == 303
            assert "admin" in (await one.get("/console")).text
            assert (await one.send("POST", "/console/phone")).status == 200

    asyncio.run(main())


def test_a_wrong_password_says_as_little_for_anybody(tmp_path: Path) -> None:
    """The same words for whoever is known and is not; what was typed is in no page and no log."""
    names = ["ann", "nobody", "", "oidc ann", "<b>ann</b>", "a" * 5000, "\x00"]

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server, looker(server) as one:
            for name in names:
                with capture_logs() as logs:
                    page = await one.sign_in(name, "<script>pass-word-1</script>")
                assert page.status == 401
                assert "That is not the right name and password." in page.text
                assert "pass-word" not in page.text + str(logs)
                (said,) = (one for one in logs if one["event"].startswith("sign-in refused"))
                assert said["who"] == ("ann" if name == "ann" else "(nobody's)")
                assert SESSION not in page.headers.get("set-cookie", "")
                assert (await one.get("/console")).status == 303

    asyncio.run(main())


def test_who_guesses_has_to_wait(tmp_path: Path) -> None:
    """Ten wrong ones of one address, and the right one is not even looked at; others go on."""

    async def main() -> None:
        sections: dict[str, Any] = {"console": {"users": USERS}}
        async with running(tmp_path, **sections) as server:
            async with looker(server, **{"x-forwarded-for": "203.0.113.1"}) as guesser:
                for number in range(WRONG_OF_ONE_ADDRESS):
                    assert (await guesser.sign_in("ann", f"wrong {number}")).status == 401
                for name in ("ann", "nobody"):
                    late = await guesser.sign_in(name)
                    assert late.status == 429
                    assert 0 < int(late.headers["retry-after"]) <= WRONG_WITHIN + 1
            async with looker(server, **{"x-forwarded-for": "203.0.113.2"}) as ann:
                for _ in range(WRONG_OF_ONE_ADDRESS + 2):  # right ones are not counted
                    assert (await ann.sign_in()).status == 303

    asyncio.run(main())


def test_a_name_is_guessed_no_faster_from_many_places() -> None:
    """Whoever has a thousand addresses has one allowance for a name; a name costs no memory."""
    throttle = Throttle(WRONG_OF_ONE_NAME, WRONG_WITHIN)
    assert [throttle.wait("ann", 0.0) for _ in range(WRONG_OF_ONE_NAME)] == [0] * WRONG_OF_ONE_NAME
    assert throttle.wait("ann", 1.0) == int(WRONG_WITHIN)
    assert throttle.wait("otto", 1.0) == 0
    assert throttle.wait("ann", WRONG_WITHIN) == 0
    throttle.forgive("otto")
    throttle.forgive("never seen")
    for number in range(MOST_KEPT + 10):
        throttle.wait(str(number), WRONG_WITHIN)
    assert len(throttle._tries) == MOST_KEPT


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes as long as it does: the thread that checks passwords lets all others go first."""
    monkeypatch.setattr("agent.console.sign_in.passwords.WITHIN", PATIENCE)


@pytest.mark.usefixtures("unhurried")
def test_few_passwords_are_checked_at_once() -> None:
    """Some wait; the next is told to come again, and memory is bounded."""

    async def main() -> None:
        passwords = Passwords({"ann": ConsoleUser(password=HASH)})
        tries = [passwords.right("ann", PASSWORD) for _ in range(AT_ONCE + MOST_WAITING + 5)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        busy = [one for one in done if isinstance(one, BusyError)]
        assert len(busy) == 5
        assert [one for one in done if one not in busy] == [True] * (AT_ONCE + MOST_WAITING)
        assert not await passwords.right("nobody", PASSWORD)
        assert not await passwords.right("ann", PASSWORD + "x" * 1000)
        await passwords.aclose()

    asyncio.run(main())


@pytest.mark.usefixtures("unhurried")
def test_the_same_password_typed_on_another_keyboard() -> None:
    """An accent may come by itself, or in its letter."""

    async def main() -> None:
        passwords = Passwords({"ann": ConsoleUser(password=hashed("Caf\u00e9 au lait"))})
        assert await passwords.right("ann", "Cafe\u0301 au lait")
        await passwords.aclose()

    asyncio.run(main())


def test_a_poor_password_is_not_taken() -> None:
    """Nor is one that cannot be typed into the form."""
    assert weakness_of("short")
    assert weakness_of("aaaaaaaaaaaaaaaa")
    assert weakness_of("a good password\x00")
    assert weakness_of("x" * 201)
    assert not weakness_of(PASSWORD)


def test_sessions_are_known_to_every_process_and_end(database_url: DatabaseUrl) -> None:
    """By the clock, by doing nothing, by signing out; and nothing that is stored is the secret."""

    async def main() -> None:
        at = [time.time()]
        console = ConsoleSettings(users={"ann": ConsoleUser(password=HASH)})
        async with opened(database_url) as store, opened(database_url) as other_store:
            here = Sessions(store.console, console, lambda: at[0])
            there = Sessions(other_store.console, console, lambda: at[0])
            secret = await here.begin("ann", "look")
            found = await there.find(secret)
            assert found is not None
            assert (found.name, found.role) == ("ann", "look")
            assert await there.find(secret + "x") is None
            for _ in range(2):  # somebody who does something now and then
                at[0] += console.idle_timeout - 1
                assert await here.find(secret) is not None
            at[0] += console.idle_timeout - 1
            assert await there.find(secret, active=False) is not None  # a page that is open
            at[0] += 2
            assert await there.find(secret) is None

            secret = await here.begin("ann", "look")
            for _ in range(20):
                at[0] += console.session_lifetime / 20 + 1
                found = await here.find(secret)
            assert found is None

            secret = await here.begin("ann", "look")
            await there.end(secret)
            assert await here.find(secret) is None
            await here.end(secret)

            await store.console.put("session.damaged", {"name": "ann", "role": "emperor"})
            assert await here.find("damaged") is None

    asyncio.run(main())


@pytest.mark.parametrize(
    "users",
    [
        {},
        {"ann": {"password": HASH, "role": "edit"}},
        {"ann": {"password": OTHER_HASH, "role": "look"}},
    ],
    ids=["gone", "another role", "another password"],
)
def test_what_the_settings_say_now_counts(tmp_path: Path, users: dict[str, Any]) -> None:
    """Whoever is taken out, or has another role or password, is signed out by that."""

    async def main() -> None:
        kept = {"otto": {"password": HASH, "role": "look"}}
        before = ConsoleSettings(users={"ann": {"password": HASH, "role": "look"}, **kept})
        after = ConsoleSettings(users={**users, **kept})
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/one.db")) as store:
            sessions = Sessions(store.console, before)
            ann, otto = await sessions.begin("ann", "look"), await sessions.begin("otto", "look")
            sessions = Sessions(store.console, after)
            assert await sessions.find(ann) is None
            assert await sessions.find(otto) is not None

    asyncio.run(main())


def test_a_database_that_fails_lets_nobody_in(tmp_path: Path) -> None:
    """A page says so to people, JSON to scripts."""

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server, looker(server) as ann:
            assert (await ann.sign_in()).status == 303
            alter(tmp_path, "ALTER TABLE console_entries RENAME TO gone")
            page = await ann.get("/console")
            assert page.status == 503
            assert page.headers["content-type"].startswith("text/html")
            assert "database fails" in page.text
            data = await ann.ask("GET", "/console")
            assert data.status == 503
            assert data.headers["content-type"].startswith("application/problem+json")
            assert (await ann.sign_in()).status == 503
            alter(tmp_path, "ALTER TABLE gone RENAME TO console_entries")
            assert (await ann.get("/console")).status == 200

    asyncio.run(main())


def test_nobody_is_signed_in_as_another(tmp_path: Path) -> None:
    """Another site cannot send the form: it has neither our origin, nor what the page was given."""

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server, looker(server) as one:
            page = await one.get("/console/sign-in")
            form = {"name": "ann", "password": PASSWORD, "csrf": page.csrf}
            wrong: list[tuple[dict[str, str], dict[str, str]]] = [
                ({"origin": "https://evil.example"}, form),
                ({"origin": "null"}, form),
                ({"origin": one.base, "sec-fetch-site": "cross-site"}, form),
                ({"origin": one.base, "sec-fetch-site": "same-site"}, form),
                ({}, form),
                ({"origin": one.base}, form | {"csrf": ""}),
                ({"origin": one.base}, form | {"csrf": "0" * 64}),
                ({"origin": one.base}, {"name": "ann", "password": PASSWORD}),
            ]
            for headers, fields in wrong:
                done = await one.ask("POST", "/console/sign-in", READS | headers, data=fields)
                assert done.status == 403, headers
                assert SESSION not in str(done.headers)
            async with looker(server) as victim:  # whose browser has another visit
                await victim.get("/console/sign-in")
                planted = await victim.ask(
                    "POST", "/console/sign-in", READS | {"origin": one.base}, data=form
                )
                assert planted.status == 403

    asyncio.run(main())


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "/%0a/evil", "///evil.example", "/console//evil.example", "/console/..//evil.example",
        "/console/../x",
        "/console/%2e%2e//evil.example", "/console/./x", "javascript:alert(1)", "/x", "/consoles",
        "data:text/html,x", "/console\r\nset-cookie: a=b", "/console\t", " /console", "/console x",
        "/console/sign-in?next=/console", "/console/sign-out", "/console#x", "console", "",
        "/console/<script>", '/console/"onload="x', "/console/" + "a" * 2000, "/stream", "/calls",
        "http:/console", "/console/\u202e", "/console/é", "/@evil.example", "/;@evil.example",
    ],
)  # fmt: skip
def test_nobody_is_led_elsewhere(path: str) -> None:
    """Only pages of the console, as they are written there."""
    assert own_path(path) == START


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?x=1",
        "/console",
        "/console?q=//x",
        "/console/calls/ab12?t=3.5",
        "/console/agents/a%20b",
    ],
)
def test_pages_of_ours_are_gone_back_to(path: str) -> None:
    """With what is asked there."""
    assert own_path(path) == path


@given(st.text(st.characters(max_codepoint=255)) | st.text("/\\.%2eEconsol:@?#\t\n"))
def test_whatever_is_given_is_a_path_of_ours(text: str) -> None:
    """Read as browsers do: without tabs and line breaks, a backslash being a slash."""
    found = own_path(text)
    assert found.startswith(("/console", "/?")) or found == "/"
    assert not set(found) & set('\\\t\r\n\x00 <>"#')
    assert "//" not in found.partition("?")[0]


def test_forms_and_cookies_of_any_kind_are_answered(tmp_path: Path) -> None:
    """With a page that says no; nothing of it is a bug of ours."""

    async def main() -> None:
        async with running(tmp_path, console={"users": USERS}) as server, looker(server) as one:
            own = READS | {"origin": one.base}
            kind = "application/x-www-form-urlencoded"
            bodies: list[tuple[str, bytes]] = [
                (kind, b"\xff\xfe=\x80"), (kind, b"&" * 4000), (kind, b"a=1&" * 400),
                (kind, b"csrf=%ff%fe&name=%00"), (kind, b""), (kind, b"name"),
                (kind + "; charset=nonsense", b"name=ann"), (kind, b"a=" + b"x" * 60_000),
                ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--"),
                ("application/json", b"[]"),
                ("", b"name=ann"), ("text/plain", b"csrf=1"),
            ]  # fmt: skip
            for content_type, body in bodies:
                headers = own | {"content-type": content_type}
                done = await one.ask("POST", "/console/sign-in", headers, data=body)
                assert done.status in (400, 401, 403, 413), (content_type, body[:20])
            too_long = await one.ask(
                "POST", "/console/sign-in", own | {"content-type": kind}, data=b"a" * 1_000_000
            )
            assert too_long.status == 413
            cookies = [
                "", "a", "A" * 43, "A" * 44, "../../etc", '"', "%00", "é" * 43, "a=b;c",
                "null", "A" * 42 + "\u00df", "session.x", "'; DROP TABLE console_entries;--",
            ]  # fmt: skip
            for value in cookies:
                cookie = (
                    f"{SESSION}={value}; voice-agent-visit={value}; voice-agent-attempt={value}"
                )
                async with looker(server, cookie=cookie) as odd:
                    assert (await odd.get("/console")).status == 303, value
                    assert (await odd.get("/console/sign-in")).status == 200, value

    asyncio.run(main())


@given(st.binary(max_size=200))
def test_no_cookie_is_a_way_in(value: bytes) -> None:
    """What is not one of ours is not even looked up."""
    from aiohttp.test_utils import make_mocked_request  # noqa: PLC0415

    from agent.console.sign_in.browsers import cookie  # noqa: PLC0415

    text = value.decode("latin-1").replace("\r", "").replace("\n", "")
    request = make_mocked_request("GET", "/console", headers={"cookie": f"{SESSION}={text}"})
    found = cookie(request, "voice-agent-session", secure=False)
    assert not found or (len(found) == 43 and found.isascii())
    assert not cookie(request, "voice-agent-session", secure=True)
