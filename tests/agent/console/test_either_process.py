"""A browser whose requests reach now one process of the service, now another: nothing is sticky."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.agent.console.sign_in.test_oidc import CLIENT, ROLES, SECRET, come_back, leave, providing
from tests.agent.console.visiting import HASH, Looker, looker
from tests.agent.loopback import command, dialled, running
from tests.databases import FILE

pytestmark = pytest.mark.usefixtures("nothing_left")


@asynccontextmanager
async def balanced(folder: Path, **console: Any) -> AsyncIterator[tuple[Looker, Looker]]:
    """Run two processes behind one address; return the browser as it reaches either."""
    given: dict[str, Any] = {
        "database": f"sqlite:///{folder}/{FILE}",
        "console": console,
        "server": {"token": "a secret of this service"},
    }
    async with (
        running(folder, alone=False, **given) as one,
        running(folder, alone=False, **given) as other,
        looker(one) as near,
    ):
        base = other.url.removesuffix("/stream").replace("ws:", "http:")
        host = near.base.removeprefix("http://")
        yield near, Looker(near.http, base, {"host": host})


def test_who_has_signed_in_is_known_to_either(tmp_path: Path) -> None:
    """A page of one sends to the other; signed out by one is signed out."""

    async def main() -> None:
        async with balanced(tmp_path, password=HASH) as (near, far):
            assert (await far.get("/console")).status == 303
            assert (await near.sign_in(name="")).status == 303
            page = await near.get("/console")
            assert (await far.get("/console")).status == 200
            own = {"origin": near.base, "x-csrf-token": page.csrf}
            begun = await far.ask("POST", "/console/phone", own)
            assert begun.status == 200
            ticket = json.loads(begun.text)
            connect = {"command": "connect", "callId": ticket["call_id"], "codec": "PCM"}
            # The ticket of one opens the line of the other.
            async with dialled(near.base.replace("http:", "ws:") + ticket["path"]) as socket:
                await socket.send_json(connect | {"sampleRate": 8000})
                assert await command(socket) == "answer"
            out = await far.ask("POST", "/console/sign-out", own, data={"csrf": page.csrf})
            assert out.status == 303
            assert (await near.get("/console")).status == 303

    asyncio.run(main())


def test_who_left_for_the_provider_by_one_comes_back_to_the_other(tmp_path: Path) -> None:
    """What is to be remembered meanwhile is in the browser."""

    async def main() -> None:
        async with providing() as provider:
            oidc = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET}
            async with balanced(tmp_path, oidc=oidc | {"roles": ROLES}) as (near, far):
                await leave(provider, near)
                done = await come_back(provider, far)
                assert (done.status, done.headers["location"]) == (303, "/console")
                assert "oidc ann@example.com" in (await near.get("/console")).text

    asyncio.run(main())
