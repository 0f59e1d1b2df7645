"""A server and the stand-in of Sinch on loopback, for whole stories."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from agent.simulator.plan import Plan, Turn
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.simulator.sinch.stand_in import StandIn
from agent.sinch.callbacks import Version
from pipelines.audio import Audio
from pipelines.stages.lineup import Providers
from tests.agent.loopback import Running, running
from tests.agent.sinch import schemas
from tests.agent.sinch.credentials import V1, V2

CALLER, CALLED, MANAGER, SERVICE = "+15550000001", "+12025550199", "+15550000002", "+15550199999"
TOKEN = "3f0c9a6d1be84572a1f4c60d98e7b35c"

AGENT = f"""---
greeting: Hello, who is this?
goodbye: Bye now.
transfer_failed: Nobody is there.
variables: {{name: friend}}
transfers:
  - {{name: manager, to: "{MANAGER}", ask: May I speak to the manager?}}
---
Be brief.
"""


@dataclass
class Story:
    """What a story has to act with."""

    server: Running
    sinch: StandIn
    version: Version
    http: aiohttp.ClientSession
    base: str
    sinch_url: str

    async def call_in(self, plan: Plan | None = None, **fields: Any) -> PhoneLeg:
        """Have somebody call; they say nothing and hang up after the greeting, unless planned."""
        return await self.sinch.call_in(
            CALLER, CALLED, plan or Plan(patience=0.3), self.version, **fields
        )

    async def operate(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Ask the operator's interface; return the status and the answer."""
        given = {"authorization": f"Bearer {TOKEN}"} | dict(headers or {})
        async with self.http.request(
            method, self.base + path, json=body, headers=given
        ) as response:
            return response.status, await response.json(content_type=None)

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of that kind in all transcripts."""
        return [line for line in self.server.lines() if line["kind"] == kind]

    def events(self) -> list[str]:
        """Return the callbacks that were sent, in order; each was answered with 200."""
        assert all(status == 200 for _, status in self.sinch.callbacks), self.sinch.callbacks
        return [event for event, _ in self.sinch.callbacks]


def speech(seconds: float = 0.6, rate: int = 8000) -> Turn:
    """Something that the tests' detector takes for speech."""
    tone = b"\x00\x20" * (rate // 400) + b"\x00\xe0" * (rate // 400)
    return Turn(audio=Audio(tone * round(seconds * 200), rate), label="a tone")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def told(
    folder: Path,
    version: Version,
    *,
    providers: Providers | None = None,
    phones: Mapping[str, Phone] | None = None,
    sinch: Mapping[str, Any] | None = None,
    **sections: Any,
) -> AsyncIterator[Story]:
    """Run a server whose Sinch is the stand-in; every body that passes is checked."""
    prompts = folder / "prompts"
    prompts.mkdir(exist_ok=True)
    if not (prompts / "reception.md").exists():
        (prompts / "reception.md").write_text(AGENT)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    standin = StandIn(
        f"{base}/sinch", v1=V1, v2=V2, phones=phones or {}, check=schemas.check, tell=print
    )
    async with standin.running() as url, aiohttp.ClientSession() as http:
        account = {
            "api": version,
            "application_key": V1.key_id,
            "application_secret": V1.secret,
            "project_id": "project",
            "service_id": V2.key_id,
            "service_secret": V2.secret,
            "access_key": "access",
            "access_secret": "secret",
            "api_url": url,
            "public_url": base,
            "caller_id": "+12025550100",
            # Numbers of nobody, which no test of ours could make ring.
            "dialling": {"numbers": ("+1555*",), "sip_hosts": ("example.com",)},
            **(sinch or {}),
        }
        given = {"operator": {"token": TOKEN}, "sinch": account, **sections}
        async with running(folder, providers, port, **given) as server:
            yield Story(server, standin, version, http, base, url)


def tell(
    folder: Path, version: Version, story: Callable[[Story], Awaitable[None]], **given: Any
) -> None:
    """Run ``story``; it has as long as any test, less what it takes to say what hangs."""

    async def main() -> None:
        async with told(folder, version, **given) as started, asyncio.timeout(100):
            await story(started)
            with suppress(TimeoutError):  # what still rings belongs to the story
                async with asyncio.timeout(3):
                    await started.sinch.settle()
            assert started.sinch.faults == []

    asyncio.run(main())
