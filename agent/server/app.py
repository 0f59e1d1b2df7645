"""The aiohttp application: its routes, and what runs while it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from aiohttp import web

from agent import phone_numbers, time_zones
from agent.console.console import Console
from agent.personas.folder import AgentFolder
from agent.server.answering import StreamEndpoint
from agent.server.health import Health
from agent.server.load.watchdog import Watchdog
from agent.server.metrics.scrape import CONTENT_TYPE
from agent.server.metrics.worker_sockets import WorkerMetrics
from agent.server.operator.interface import OperatorInterface
from agent.server.orphans import Orphans
from agent.server.record_keeping import RecordKeeping
from agent.server.registry import CallRegistry
from agent.server.workers.siblings import Siblings
from agent.settings.server import ServerSettings
from agent.sinch.callbacks import MAX_BYTES
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.service import SinchService
from agent.stream.addresses import TRUSTED_PROXIES
from pipelines.background import BackgroundTasks
from pipelines.stages.lineup import Providers
from pipelines.stages.probe import probe_speech

if TYPE_CHECKING:
    from agent.server.tracing.export import TraceExport  # an extra

TOLD_EVERY = 0.1
"""Seconds between two times that other workers are told whether this one takes calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What answers in one process; :func:`agent.server.assembly.service` puts it together."""

    server: ServerSettings
    agents: AgentFolder
    providers: Providers
    """Started. Whoever started them closes them."""

    registry: CallRegistry
    keeping: RecordKeeping
    health: Health
    metrics: WorkerMetrics
    streams: StreamEndpoint
    sinch: SinchService | None
    """None without an account."""

    processes: OtherProcesses | None
    """The others; None if this one keeps to itself."""

    orphans: Orphans | None
    """Of other processes; None if this one keeps to itself."""

    callback_path: str
    operator: OperatorInterface | None
    """None if there is no token to ask it with."""

    console: Console | None
    """The pages; None if there are none."""

    watchdog: Watchdog
    traces: TraceExport | None = None
    """None if nobody takes them."""
    siblings: Siblings | None = None
    """The other workers of the service; None if this is the only process."""

    def application(self) -> web.Application:
        """Return the application with its routes. Its clean-up stops all that runs beside calls."""
        app = web.Application(client_max_size=MAX_BYTES)
        app[TRUSTED_PROXIES] = [ip_network(one) for one in self.server.trusted_proxies]
        path = self.server.path
        app.router.add_get(path, self.streams.handle)
        app.router.add_get(path.rstrip("/") + "/{token}", self.streams.handle)
        app.router.add_get("/live", self._live)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        if self.sinch is not None:
            app.router.add_post(self.callback_path, self.sinch.webhook.handle)
        if self.operator is not None:
            self.operator.add_to(app)
        if self.console is not None:
            self.console.add_to(app)
        app.on_shutdown.append(self._end_looking)
        app.cleanup_ctx.append(self._telling_workers)
        app.cleanup_ctx.append(self._watching_itself)
        app.cleanup_ctx.append(self._watching_health)
        app.cleanup_ctx.append(self._sending_traces)
        app.cleanup_ctx.append(self._keeping_records)
        app.cleanup_ctx.append(self._running_registry)
        app.cleanup_ctx.append(self._watching_providers)
        return app

    async def _live(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        reasons = self.health.not_ready()
        body = {"ready": not reasons, "reasons": reasons}
        return web.json_response(body, status=503 if reasons else 200)

    async def _health(self, _request: web.Request) -> web.Response:
        report = self.health.report()
        return web.json_response(report, status=200 if report["status"] == "ok" else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        text = await self.metrics.text()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    async def _telling_workers(self, _app: web.Application) -> AsyncIterator[None]:
        async with self.metrics.told():
            yield

    async def _end_looking(self, _app: web.Application) -> None:
        self.registry.feeds.close()

    async def _watching_health(self, _app: web.Application) -> AsyncIterator[None]:
        self.health.start()
        yield
        await asyncio.to_thread(self.health.close)

    async def _watching_itself(self, _app: web.Application) -> AsyncIterator[None]:
        background = BackgroundTasks()
        await self.agents.start()
        await asyncio.to_thread(phone_numbers.load)
        await asyncio.to_thread(time_zones.load)
        background.keep_running(self.agents.watch, "watching the agent files")
        background.keep_running(self.watchdog.run, "watching the event loop")
        registry = self.registry
        background.keep_running(
            lambda: registry.capacity.watch(lambda: len(registry.in_progress)),
            "measuring what calls cost",
        )
        if self.siblings is not None:
            background.keep_running(self._tell_siblings, "telling the other workers")
        yield
        await background.aclose()
        await self.agents.aclose()

    async def _sending_traces(self, _app: web.Application) -> AsyncIterator[None]:
        yield  # all lines of records are written when this goes on
        if self.traces is not None:
            await asyncio.to_thread(self.traces.close)

    async def _tell_siblings(self) -> None:
        while True:
            self.health.beat()
            await asyncio.sleep(TOLD_EVERY)

    async def _keeping_records(self, _app: web.Application) -> AsyncIterator[None]:
        background = BackgroundTasks()
        self.keeping.run_in(background)
        yield  # the calls have ended when this goes on
        await background.aclose()
        await self.keeping.aclose()

    async def _running_registry(self, _app: web.Application) -> AsyncIterator[None]:
        if self.processes is not None:
            self.registry.carry_orders(self.processes)
        yield
        await self.registry.aclose()
        if self.sinch is not None:
            await self.sinch.call_control.aclose()
            if self.sinch.api is not None:
                await self.sinch.api.aclose()

    async def _watching_providers(self, _app: web.Application) -> AsyncIterator[None]:
        speech = probe_speech()
        background = BackgroundTasks()
        background.keep_running(lambda: self.providers.watch(speech), "watching the providers")
        if self.orphans is not None:
            background.keep_running(self.orphans.watch, "watching for processes that died")
        yield
        await background.aclose()
