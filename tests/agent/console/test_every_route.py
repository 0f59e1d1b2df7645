"""Every route of the service that a browser can ask for, and whom it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from agent.console.sign_in.guard import HEADERS
from tests.agent.console.visiting import READS, USERS, Looker, looker
from tests.agent.loopback import Running, running

pytestmark = pytest.mark.usefixtures("nothing_left")

LOOK, LISTEN, OPERATE, EDIT = "luke", "lisa", "otto", "ann"

ONE = "/console/calls/{id}"

ROUTES = {
    ("GET", "/"): OPERATE,
    ("POST", "/console/phone"): OPERATE,
    ("GET", "/console/phone/agents/{name}"): OPERATE,
    ("GET", "/console"): LOOK,
    ("GET", "/console/events"): LOOK,
    ("GET", "/console/live/{name}"): LOOK,
    ("GET", "/console/live/{name}/events"): LOOK,
    ("GET", "/console/live/{name}/audio"): LISTEN,
    ("POST", "/console/live/{name}/hang-up"): OPERATE,
    ("POST", "/console/live/{name}/transfer"): OPERATE,
    ("POST", "/console/live/{name}/whisper"): OPERATE,
    ("POST", "/console/live/{name}/take-over"): OPERATE,
    ("POST", "/console/live/{name}/return"): OPERATE,
    ("GET", ONE): LOOK,
    ("GET", f"{ONE}/peaks"): LISTEN,
    ("GET", f"{ONE}/recording"): LISTEN,
    ("GET", f"{ONE}/transcript.txt"): LOOK,
    ("GET", f"{ONE}/transcript.vtt"): LOOK,
    ("GET", f"{ONE}/call.json"): LISTEN,
    ("POST", f"{ONE}/replays"): OPERATE,
    ("GET", f"{ONE}/replays/{{replay}}"): OPERATE,
    ("GET", f"{ONE}/replays/{{replay}}/state"): OPERATE,
    ("GET", "/console/overview"): LOOK,
    ("GET", "/console/calls"): LOOK,
    ("GET", "/console/calls.csv"): LISTEN,
    ("GET", "/console/calls.jsonl"): LISTEN,
    ("GET", "/console/agents"): LOOK,
    ("GET", "/console/agents/{name}"): LOOK,
    ("GET", "/console/agents/{name}/history"): LOOK,
    ("POST", "/console/agents/{name}/check"): LOOK,
    ("POST", "/console/agents/{name}/save"): EDIT,
    ("POST", "/console/agents/{name}/speak"): OPERATE,
    ("POST", "/console/sign-out"): LOOK,
}
"""What the console answers to those who have signed in, and the least of them."""

OPEN = {
    ("GET", "/console/sign-in"),
    ("POST", "/console/sign-in"),
    ("GET", "/console/static/{digest}/{name}"),
}
"""What it answers to everybody."""

OTHERS = {"/stream", "/stream/{token}", "/live", "/ready", "/health", "/metrics"}
"""What has nothing to do with it."""

LOWER = {LOOK: None, LISTEN: LOOK, OPERATE: LISTEN, EDIT: OPERATE}


def address(path: str) -> str:
    """Return an address of a route."""
    for name in ("{name}", "{id}", "{replay}"):
        path = path.replace(name, "nothing")
    return path


def routes(app: web.Application) -> Iterator[tuple[str, str]]:
    """Return method and path of whatever an application answers."""
    for route in app.router.routes():
        assert route.resource is not None
        yield route.method, route.resource.canonical


def served(folder: Path) -> Any:
    """Serve, with somebody of each role."""
    return running(folder, console={"users": USERS})


def test_none_is_missing_here(tmp_path: Path) -> None:
    """Whoever adds a route says here who may ask for it."""

    async def main() -> None:
        async with served(tmp_path) as server:
            found = {one for one in routes(server.app) if one[1] not in OTHERS}
            assert {one for one in found if one[0] != "*"} == ROUTES.keys() | OPEN
            fallbacks = {path for method, path in found if method == "*"}
            own = {path for _, path in ROUTES} | {"/console/sign-in"}
            assert fallbacks == own | {"/console/{rest}"}

    asyncio.run(main())


async def _refused(one: Looker, method: str, path: str, headers: dict[str, str]) -> int:
    answer = await one.ask(method, path, headers)
    sent = {name.lower(): value for name, value in answer.headers.items()}
    assert HEADERS.items() <= sent.items(), (method, path)
    return answer.status


def test_who_is_not_signed_in_is_refused_everywhere(tmp_path: Path) -> None:
    """Whatever they bring, and however they ask."""

    async def main() -> None:
        async with served(tmp_path) as server, looker(server) as one:
            page = await one.get("/console/sign-in")
            known = {"origin": one.base, "x-csrf-token": page.csrf}
            for method, path in ROUTES:
                for how in {method, "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"}:
                    for headers in ({}, known, known | {"x-forwarded-user": "ann"}):
                        status = await _refused(one, how, address(path), headers)
                        assert status == 401, (how, path)

    asyncio.run(main())


def test_a_role_that_is_too_small_is_refused_everywhere(tmp_path: Path) -> None:
    """By each route that takes another; and nothing else is answered under its path."""

    async def main() -> None:
        async with served(tmp_path) as server:
            for who in (LOOK, LISTEN, OPERATE):
                async with looker(server) as one:
                    await one.sign_in(who)
                    csrf = (await one.get("/console")).csrf
                    right = {"origin": one.base, "x-csrf-token": csrf}
                    for (method, path), least in ROUTES.items():
                        if LOWER[least] != who:
                            continue
                        assert await _refused(one, method, address(path), right) == 403, path
                        for how in ("HEAD", "OPTIONS", "PUT"):
                            assert await _refused(one, how, address(path), right) == 404, path

    asyncio.run(main())


def test_nothing_is_done_for_another_site(tmp_path: Path) -> None:
    """Somebody who may do everything: no token, a wrong one, another's, or another origin."""

    async def main() -> None:
        async with served(tmp_path) as server, looker(server) as ann, looker(server) as other:
            await ann.sign_in(EDIT)
            await other.sign_in(EDIT)
            csrf, anothers = (await ann.get("/console")).csrf, (await other.get("/console")).csrf
            origin = {"origin": ann.base}
            evil = {"origin": "https://evil.example", "x-csrf-token": csrf}
            wrong: list[dict[str, str]] = [
                {}, origin, origin | {"x-csrf-token": anothers}, {"x-csrf-token": csrf}, evil,
                evil | {"host": "evil.example"},  # and a name that leads here
                origin | {"x-csrf-token": csrf, "sec-fetch-site": "same-site"},
            ]  # fmt: skip
            for method, path in ROUTES:
                if method == "POST":
                    for headers in wrong[:5] + wrong[6:]:
                        status = await _refused(ann, method, address(path), headers)
                        assert status == 403, (path, headers)
                else:
                    assert await _refused(ann, method, address(path), evil) == 403, path
            assert (await ann.get("/console")).status == 200

    asyncio.run(main())


def test_in_development_no_other_name_leads_here(tmp_path: Path) -> None:
    """A page whose name leads to this machine, and a proxy on it, reach no route."""

    async def main() -> None:
        async with running(tmp_path) as server, looker(server) as one:
            for method, path in ROUTES:
                if path == "/console/sign-out":
                    continue
                for headers in (
                    {"host": "evil.example", "origin": "http://evil.example"},
                    {"x-forwarded-for": "203.0.113.9"},
                ):
                    status = await _refused(one, method, address(path), headers)
                    assert status == 403, (method, path)
            assert await _silent_proxy(server) == 403

    asyncio.run(main())


async def _silent_proxy(server: Running) -> int:
    """Ask as nginx does that was told nothing but where we are; return the status."""
    host, _, port = server.url.removeprefix("ws://").partition("/")[0].partition(":")
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET /console HTTP/1.0\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        status = (await reader.readline()).split()[1]
        await reader.read()
        writer.close()
        await writer.wait_closed()
    return int(status)


@pytest.mark.parametrize(
    "odd",
    ["%00", "%ff", "%ed%a0%80", "a%2fb", "x" * 300, "%3Cscript%3E", "%E2%80%AE",
     "%0d%0aset-cookie:a=b", "..%2f..%2fetc%2fpasswd", "%22%3E", "%2e%2e"],
)  # fmt: skip
def test_names_of_any_kind_are_answered(tmp_path: Path, odd: str) -> None:
    """In a path, or behind it: with a page of ours, with our headers, and no markup of theirs."""
    asked = ["agent", "find", "like", "new", "q", "zone", "number", "cursor", "since", "limit",
             "restore", "version", "from"]  # fmt: skip

    async def main() -> None:
        async with running(tmp_path) as server, looker(server) as one:
            paths = [address(path.replace("{name}", odd).replace("{id}", odd))
                     for method, path in ROUTES
                     if method == "GET" and not path.endswith("events")]  # fmt: skip
            query = "&".join(f"{name}={odd}" for name in asked)
            paths += [f"/console/{odd}", *(f"{path}?{query}" for path in paths)]
            for path in paths:
                async with one.http.get(
                    URL(one.base + path, encoded=True),
                    headers=READS,
                    allow_redirects=False,
                ) as answer:
                    text = await answer.text(errors="replace")
                    assert answer.status < 500, path
                    assert "content-security-policy" in answer.headers, path
                    assert "<script>" not in text
                    assert "a=b" not in answer.headers.get("set-cookie", "")

    asyncio.run(main())
