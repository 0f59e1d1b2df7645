"""Services of one account, each a process of its own, whose Sinch is the stand-in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from agent.settings.database import DatabaseUrl
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.simulator.sinch.stand_in import StandIn
from agent.sinch.callbacks import Version
from tests.agent.process.serving import ServiceProcess, serving
from tests.agent.sinch import schemas
from tests.agent.sinch.credentials import V1, V2
from tests.agent.sinch.stories import CALLED, CALLER, TOKEN, free_port

LONG = Plan(patience=600, max_seconds=600, linger=600)
"""Somebody who stays on the line."""


@dataclass
class Account:
    """The stand-in, and the processes that answer for it."""

    folder: Path
    version: Version
    sinch: StandIn
    sinch_url: str
    http: aiohttp.ClientSession
    stack: AsyncExitStack
    port: int
    """Where the stand-in's callbacks go."""

    database: DatabaseUrl | None
    settings: dict[str, str] = field(default_factory=dict)

    async def start(
        self, port: int = 0, *, folder: Path | None = None, **settings: str
    ) -> ServiceProcess:
        """Start a process; on the port of callbacks unless another is given.

        In one folder they share a disk, as on one machine; with one of its own it has none in
        common with the others.
        """
        port = port or self.port
        base = f"http://127.0.0.1:{port}"
        account = {
            "API": self.version,
            "APPLICATION_KEY": V1.key_id,
            "APPLICATION_SECRET": V1.secret,
            "PROJECT_ID": "project",
            "SERVICE_ID": V2.key_id,
            "SERVICE_SECRET": V2.secret,
            "ACCESS_KEY": "access",
            "ACCESS_SECRET": "secret",
            "API_URL": self.sinch_url,
            "PUBLIC_URL": base,
            "CALLER_ID": "+12025550100",
            "DIALLING__NUMBERS": '["+1555*"]',
            "CONFERENCE": json.dumps(self.version == "v1"),
        }
        given = {f"SINCH__{name}": value for name, value in account.items()}
        given |= {"SERVER__PORT": str(port), "OPERATOR__TOKEN": TOKEN, **self.settings, **settings}
        if self.database is not None:
            given["DATABASE"] = self.database.get_secret_value()
        return await self.stack.enter_async_context(serving(folder or self.folder, given))

    async def call_in(self, plan: Plan = LONG) -> PhoneLeg:
        """Have somebody call, who stays on the line."""
        return await self.sinch.call_in(CALLER, CALLED, plan, self.version)

    async def operate(
        self, service: ServiceProcess, method: str, path: str, body: object = None
    ) -> tuple[int, dict[str, Any]]:
        """Ask the operator's interface of a process."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        request = self.http.request(method, service.base + path, json=body, headers=headers)
        async with request as response:
            return response.status, await response.json(content_type=None)

    def callbacks_to(self, service: ServiceProcess) -> None:
        """Have callbacks go to a process from now on."""
        self.sinch._callbacks._url = f"{service.base}/sinch"


@asynccontextmanager
async def account(
    folder: Path,
    version: Version,
    database: DatabaseUrl | None = None,
    phones: Mapping[str, Phone] | None = None,
    **settings: str,
) -> AsyncIterator[Account]:
    """Run the stand-in; the processes that are started end with the block."""
    port = free_port()
    standin = StandIn(
        f"http://127.0.0.1:{port}/sinch",
        v1=V1,
        v2=V2,
        phones=phones or {},
        check=schemas.check,
        tell=print,
    )
    async with (
        aiohttp.ClientSession() as http,
        standin.running() as url,
        AsyncExitStack() as stack,
    ):
        yield Account(folder, version, standin, url, http, stack, port, database, settings)


async def quietly(seconds: float) -> None:
    """Let time pass in which nothing may happen."""
    await asyncio.sleep(seconds)
