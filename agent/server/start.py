"""The start of the service: what runs is started here, and stopped in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import structlog

from agent.records.sealing import take_up
from agent.server.app import Service
from agent.server.assembly import service
from agent.server.checks import needed, undisclosed
from agent.server.connections import HttpConnections
from agent.server.load.machine import raise_file_limit
from agent.server.load.memory import keep_some
from agent.server.mcp_servers import running_mcp_servers
from agent.server.providers import running, warm_usual
from agent.server.service_manager import living, notify
from agent.server.stopping import Stopping, signals
from agent.server.workers.shared_port import SharedPort
from agent.server.workers.worker import Worker
from agent.settings import Settings, SettingsError
from agent.settings.database import DatabaseUrl
from agent.settings.sealing_keys import SealingKey
from agent.store.errors import StoreError
from agent.store.store import Store, opened
from agent.version import VERSION
from pipelines.background import BackgroundTasks
from pipelines.listening.detectors import detectors
from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.end_of_turn import TurnModel
from pipelines.turn_taking.settings import TurnSettings
from pipelines.turn_taking.turn_models import turn_model as made_turn_model

log = structlog.get_logger()

AT_ONCE = 1.0
"""Seconds for calls to close their records when the process is to end at once."""


OVER = 60.0
"""Seconds beyond `calls.max_seconds` in which every call has ended: a goodbye, what follows it."""


async def serve(
    settings: Settings, ready: Callable[[str], None], worker: Worker | None = None
) -> None:
    """Answer calls until a signal comes, then drain; a second ends at once: see `stopping`.

    Args:
        settings: The whole tree.
        ready: Called with the address of the stream endpoint, once calls are answered.
        worker: What this is, if it is one of several.

    Raises:
        SettingsError: If a provider, detector, agent file or the database cannot be used as
            configured.
        OSError: If the address cannot be listened on.
    """
    log.info("starting", version=VERSION)
    raise_file_limit()
    keep_some()
    check(settings)
    with signals() as stopping:
        try:
            async with stopping.scope:
                await _serve(settings, ready, stopping, worker)
        except TimeoutError:
            if not stopping.scope.expired():
                raise
            log.warning("ended at once")


async def _serve(
    settings: Settings,
    ready: Callable[[str], None],
    stopping: Stopping,
    worker: Worker | None,
) -> None:
    async with (
        living(settings.server.held_limit),
        running_store(settings.database, settings.privacy.sealing_keys()) as store,
        running(settings.providers(), settings.budget, settings.llm, settings.phrases) as providers,
        running_turn_model(settings.turns) as turn_model,
        running_mcp_servers(settings.mcp) as servers,
    ):
        new_detector = detectors(settings.vad)
        slot = worker.slot if worker is not None else None
        built = service(settings, providers, new_detector, turn_model, servers, store, slot)
        background = BackgroundTasks()
        server = settings.server
        shared = _shared_port(worker, built)
        most = built.registry.capacity.room.most
        connections = HttpConnections(server, most, shared=shared)
        async with (
            connections.served(built.application(), server.host, server.port) as (host, port),
            aclosing(background),
        ):
            stopping.serving()
            notify("READY=1")
            if worker is not None and shared is not None:
                longest = settings.calls.max_seconds + OVER
                obeying = worker.obey(stopping, built.registry, shared, longest)
                background.start(obeying, "obeying the supervisor")
            shown = f"[{host}]" if ":" in host else host
            ready(f"ws://{shown}:{port}{settings.server.path}")
            warming = background.start(
                warm_usual(providers, built.agents, settings.agent, settings.server.rate),
                "warming up",
            )
            try:
                await stopping.asked.wait()
                warming.cancel()
                notify("STOPPING=1")
                log.info("draining; once more to stop at once", seconds=server.drain)
                await built.registry.drain(server.drain)
            finally:
                if built.registry.in_progress:
                    built.keeping.leave_recordings()
                await built.registry.end_calls(AT_ONCE)  # of which a drain has left none


def _shared_port(worker: Worker | None, built: Service) -> SharedPort | None:
    if worker is None or built.siblings is None:
        return None
    return SharedPort(worker.sockets, built.siblings, lambda: bool(built.health.refusing()))


def check(settings: Settings) -> None:
    """Look at what the settings name: providers, detectors, the agent file; and at secrets.

    Raises:
        SettingsError: If one cannot be used, or is no secret; a line for each mistake.
    """
    if found := needed(settings):
        raise SettingsError("\n".join(finding.line for finding in found))
    for finding in undisclosed(settings):
        log.warning("the agent has to say that it is a machine", found=finding.line)


@asynccontextmanager
async def running_store(url: DatabaseUrl, keys: Sequence[SealingKey] = ()) -> AsyncIterator[Store]:
    """Open the database, close it in the end.

    Args:
        url: Where it is.
        keys: That records are sealed with.

    Raises:
        SettingsError: If it cannot be used, or a key is missing that it was written with.
    """
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(opened(url))
            await take_up(store.database, keys)
        except StoreError as error:
            raise SettingsError(f"database = {str(url)!r}: {error}") from None
        yield store


@asynccontextmanager
async def running_turn_model(settings: TurnSettings) -> AsyncIterator[TurnModel | None]:
    """Start the configured turn model, close it in the end; None if there is to be none.

    Raises:
        SettingsError: If it cannot be used.
    """
    try:
        model = made_turn_model(settings)
        if model is not None:
            await model.start()
    except LookupError as error:
        raise SettingsError(f"turns.model = {settings.model!r}: {error.args[0]}") from None
    except ProviderError as error:
        raise SettingsError(f"turns.model = {settings.model!r}: {error.reason}") from None
    try:
        yield model
    finally:
        if model is not None:
            await model.aclose()
