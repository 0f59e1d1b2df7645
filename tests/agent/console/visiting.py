"""Somebody who looks at the console of a loopback server, by a browser or something like it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from argon2 import PasswordHasher

from tests.agent.loopback import Running

PASSWORD = "correct horse battery"
"""Of everybody here."""

HASH = PasswordHasher(time_cost=1, memory_cost=7168, parallelism=1).hash(PASSWORD)
"""Made to be checked at once."""

USERS = {
    name: {"password": HASH, "role": role}
    for name, role in (
        ("ann", "edit"),
        ("otto", "operate"),
        ("lisa", "listen"),
        ("luke", "look"),
    )
}
"""Somebody of each role, for ``console={"users": USERS}``."""

READS = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
"""What a browser asks for that shows a page."""


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def csrf(self) -> str:
        """What the page gives to what it sends."""
        found = re.search(r'name="csrf" (?:content|value)="([^"]+)"', self.text)
        return found[1] if found else ""


@dataclass
class Looker:
    """A browser without scripts: it keeps cookies, and says whose page it sends something from."""

    http: aiohttp.ClientSession
    base: str
    headers: Mapping[str, str] = field(default_factory=dict)
    csrf: str = ""

    async def get(self, path: str, **headers: str) -> Answered:
        """Ask for a page; redirects are not followed."""
        return await self.ask("GET", path, READS | headers)

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **body: object
    ) -> Answered:
        """Send anything."""
        given = {**self.headers, **(headers or {})}
        async with self.http.request(
            method,
            self.base + path,
            headers=given,
            allow_redirects=False,
            **body,  # type: ignore[arg-type]
        ) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            return Answered(answer.status, answer.headers.copy(), text)

    @property
    def own(self) -> dict[str, str]:
        """What a script of ours sends along."""
        return {"origin": self.base, "x-csrf-token": self.csrf}

    async def send(self, method: str, path: str, **body: object) -> Answered:
        """Send something as `app.js` does; :attr:`csrf` is that of a page, asked for now if not."""
        if not self.csrf:
            self.csrf = (await self.get("/console")).csrf
        return await self.ask(method, path, self.own, **body)

    async def sign_in(
        self, name: str = "ann", password: str = PASSWORD, next_: str = "/console", **more: str
    ) -> Answered:
        """Fill in the form, and send it."""
        self.csrf = ""
        page = await self.get("/console/sign-in")
        form = {"name": name, "password": password, "next": next_, "csrf": page.csrf} | more
        return await self.ask("POST", "/console/sign-in", READS | {"origin": self.base}, data=form)


def base_of(server: Running) -> str:
    """Return the address of a loopback server, for a browser."""
    return server.url.rpartition("/")[0].replace("ws:", "http:")


@asynccontextmanager
async def looker(server: Running, **headers: str) -> AsyncIterator[Looker]:
    """Open a browser; ``headers`` go along with all that it sends."""
    jar = aiohttp.CookieJar(unsafe=True)  # the host is an address
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Looker(http, base_of(server), headers)
