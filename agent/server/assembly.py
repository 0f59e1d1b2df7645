"""What answers calls in one process, put together: only here the settings are handed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from agent.console.assembly import ConsoleParts, console, is_shown
from agent.console.console import Console
from agent.personas.folder import AgentFolder
from agent.personas.routing import Routing
from agent.records.summaries import SummaryModel
from agent.server.admission import Admission
from agent.server.answering import StreamEndpoint
from agent.server.app import Service
from agent.server.call_recording import recording_of
from agent.server.call_runner import CallResources, CallRunner
from agent.server.checks.surroundings import looks
from agent.server.health import FolderWatch, Health
from agent.server.load.capacity import Capacity
from agent.server.load.loop_load import LoopLoad
from agent.server.load.machine import cores, room
from agent.server.load.overload import Overload, readings, workers_of
from agent.server.load.watchdog import Watchdog
from agent.server.metrics.call_counts import CallCounts
from agent.server.metrics.process_state import ProcessParts
from agent.server.metrics.scrape import ProcessMetrics
from agent.server.metrics.worker_sockets import WorkerMetrics
from agent.server.operator.call_actions import CallActions
from agent.server.operator.call_answers import CallAnswers
from agent.server.operator.interface import OperatorInterface
from agent.server.operator.opt_out_answers import OptOutAnswers
from agent.server.operator.recording_answers import RecordingAnswers
from agent.server.operator.records import OperatorRecords
from agent.server.orphans import Orphans
from agent.server.phone_tickets import PhoneTickets
from agent.server.providers import warm_expected
from agent.server.record_keeping import RecordKeeping
from agent.server.registry import CallRegistry
from agent.server.throttle import SharedTries
from agent.server.workers.siblings import Siblings
from agent.server.workers.worker_slot import WorkerSlot
from agent.settings import Settings
from agent.settings.calls import CallSettings
from agent.sinch.applications import Applications
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import StreamTarget
from agent.sinch.dialling.dial_rules import home_country
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.service import SinchService, sinch_service
from agent.sinch_limits import MAX_SECONDS
from agent.store.store import Store
from pipelines.listening.detectors import VoiceDetector
from pipelines.stages.lineup import Providers
from pipelines.turn_taking.end_of_turn import TurnModel

if TYPE_CHECKING:
    from agent.server.tracing.export import TraceExport  # an extra
    from pipelines.tools.mcp import McpServer  # an extra


def service(
    settings: Settings,
    providers: Providers,
    new_detector: Callable[[], VoiceDetector],
    turn_model: TurnModel | None = None,
    servers: Mapping[str, McpServer] | None = None,
    store: Store | None = None,
    slot: WorkerSlot | None = None,
) -> Service:
    """Put together what answers in this process, each part with the settings that it takes.

    Args:
        settings: The whole tree.
        providers: Started.
        new_detector: Gives each call its own voice detector.
        turn_model: Started; None if turns end by silence and words alone.
        servers: MCP servers, started, by name.
        store: What the processes of one service share, open; None only if callbacks are not taken.
        slot: Among the workers of one service on this machine; None if it is the only process.
    """
    agents, watchdog = _agents(settings), Watchdog()
    workers = workers_of(providers, turn_model)
    overload = Overload(partial(readings, watchdog.lag, workers, providers))
    capacity = _capacity(settings, providers, overload, slot)
    keeping = RecordKeeping(settings, store, _summary_model(settings, providers, capacity))
    siblings, tries = (Siblings(slot), SharedTries(slot)) if slot is not None else (None, None)
    registry = _registry(settings, agents, providers, capacity, keeping, siblings)
    processes = OtherProcesses(store) if store is not None else None
    sinch = _sinch_service(settings, agents, registry, store, processes)
    call_control = sinch.call_control if sinch is not None else None
    actions = CallActions(registry, processes, call_control, settings.sinch.country, providers.llm)
    health = _health(settings, agents, registry, providers, processes, keeping, siblings)
    traces = _trace_export(settings)
    resources = CallResources(
        settings=call_settings(settings),
        providers=providers,
        new_detector=new_detector,
        turn_model=turn_model,
        mcp_servers=servers or {},
        record=partial(recording_of, settings.recording, keeping.recording_writer),
        new_trace=str if traces is None else traces.new_trace,
    )
    return Service(
        server=settings.server,
        agents=agents,
        providers=providers,
        registry=registry,
        keeping=keeping,
        watchdog=watchdog,
        health=health,
        metrics=_metrics(resources, registry, watchdog, keeping, health, traces, slot, sinch),
        traces=traces,
        streams=_streams(settings, agents, sinch, store, registry, resources),
        siblings=siblings,
        sinch=sinch,
        processes=processes,
        orphans=_orphans(processes, call_control, keeping),
        callback_path=settings.sinch.callback_path,
        operator=_operator(settings, agents, actions, call_control, keeping, store, tries),
        console=_console(settings, agents, providers, registry, actions, keeping, store, tries),
    )


def _agents(settings: Settings) -> AgentFolder:
    wanted = {settings.agent, *(route.agent for route in settings.sinch.routes)}
    return AgentFolder(settings.prompts, needed=wanted, time_zone=settings.time_zone)


def _streams(
    settings: Settings,
    agents: AgentFolder,
    sinch: SinchService | None,
    store: Store | None,
    registry: CallRegistry,
    resources: CallResources,
) -> StreamEndpoint:
    call_control = sinch.call_control if sinch is not None else None
    return StreamEndpoint(
        server=settings.server,
        line=settings.line,
        admission=_admission(settings, agents, sinch, store),
        registry=registry,
        runner=CallRunner(resources, registry, call_control),
    )


def _admission(
    settings: Settings,
    agents: AgentFolder,
    sinch: SinchService | None,
    store: Store | None,
) -> Admission:
    return Admission(
        server=settings.server,
        open_to_loopback=settings.open_to_loopback,
        agents=agents,
        usual=settings.agent,
        tokens=sinch.tokens if sinch is not None else None,
        call_control=sinch.call_control if sinch is not None else None,
        applications=Applications(settings.sinch),
        tickets=PhoneTickets(store.console) if store is not None else None,
    )


def _registry(
    settings: Settings,
    agents: AgentFolder,
    providers: Providers,
    capacity: Capacity,
    keeping: RecordKeeping,
    siblings: Siblings | None,
) -> CallRegistry:
    return CallRegistry(
        capacity=capacity,
        records=keeping.writer,
        prepare=partial(warm_expected, providers, agents, settings.server.rate),
        expected_within=settings.sinch.token_lifetime,
        siblings=siblings,
    )


def _capacity(
    settings: Settings, providers: Providers, overload: Overload, slot: WorkerSlot | None
) -> Capacity:
    workers = slot.workers if slot is not None else 1
    most, core = room(settings.server.max_calls, providers, workers), min(1.0, cores() / workers)
    return Capacity(most, overload, lambda: providers.down, LoopLoad(core))


def _summary_model(settings: Settings, providers: Providers, capacity: Capacity) -> SummaryModel:
    return SummaryModel(
        pool=providers.llm,
        limits=settings.llm,
        pricing=settings.pricing,
        busy=lambda: bool(capacity.busy),
    )


def call_settings(settings: Settings) -> CallSettings:
    """Return what a call takes of the settings."""
    return CallSettings(
        line=settings.line,
        calls=settings.calls,
        vad=settings.vad,
        turns=settings.turns,
        end_of_turn=settings.end_of_turn,
        playout=settings.playout,
        pricing=settings.pricing,
    )


def _sinch_service(
    settings: Settings,
    agents: AgentFolder,
    registry: CallRegistry,
    store: Store | None,
    processes: OtherProcesses | None,
) -> SinchService | None:
    sinch = settings.sinch
    if not sinch.takes_callbacks:
        return None
    if store is None or processes is None:
        raise ValueError("callbacks need a database")
    stream = StreamTarget(
        url=sinch.stream_url(settings.server.path),
        rate=settings.server.rate,
        # We end a call first, in words; the platform only if we did not.
        max_seconds=min(MAX_SECONDS, int(settings.calls.max_seconds) + 60),
    )
    usual = "" if sinch.refuse_unrouted else settings.agent
    routing = Routing(agents=agents, usual=usual, routes=sinch.routes)
    return sinch_service(sinch, stream, routing, store, processes, registry)


def _orphans(
    processes: OtherProcesses | None, call_control: CallControl | None, keeping: RecordKeeping
) -> Orphans | None:
    if processes is None:
        return None
    stored = keeping.database
    return Orphans(processes, call_control, stored.interrupted if stored is not None else None)


def _trace_export(settings: Settings) -> TraceExport | None:
    if not settings.tracing.is_on():
        return None
    from agent.server.tracing.export import TraceExport  # noqa: PLC0415 - an extra

    models: dict[tuple[str, str], str] = {
        (stage, one.name): str(getattr(one.options, "model", None) or "")
        for stage, asked in settings.providers().items()
        for one in asked
    }
    return TraceExport(settings.tracing, models)


def _metrics(
    resources: CallResources,
    registry: CallRegistry,
    watchdog: Watchdog,
    keeping: RecordKeeping,
    health: Health,
    traces: TraceExport | None,
    slot: WorkerSlot | None,
    sinch: SinchService | None,
) -> WorkerMetrics:
    counts = CallCounts()
    keeping.writer.watches = [counts.line, *([traces.traces.line] if traces is not None else [])]
    parts = ProcessParts(
        registry=registry,
        providers=resources.providers,
        watchdog=watchdog,
        writer=keeping.writer,
        recordings=keeping.recording_writer.counts,
        frame_costs=resources.frame_costs,
        workers=workers_of(resources.providers, resources.turn_model),
        webhooks=keeping.database.webhooks if keeping.database is not None else None,
        free=lambda: health.free,
        not_hung_up=lambda: 0 if sinch is None else sinch.call_control.hang_ups.refused,
    )
    return WorkerMetrics(ProcessMetrics(parts, counts).text, slot)


def _health(
    settings: Settings,
    agents: AgentFolder,
    registry: CallRegistry,
    providers: Providers,
    processes: OtherProcesses | None,
    keeping: RecordKeeping,
    siblings: Siblings | None,
) -> Health:
    return Health(
        registry=registry,
        agents=agents,
        providers=providers,
        folders=[FolderWatch(name, look) for name, look in looks(settings).items()],
        database=processes.database_failure if processes is not None else str,
        records=lambda: keeping.spool.warning,
        siblings=siblings,
    )


def _operator(
    settings: Settings,
    agents: AgentFolder,
    actions: CallActions,
    call_control: CallControl | None,
    keeping: RecordKeeping,
    store: Store | None,
    tries: SharedTries | None,
) -> OperatorInterface | None:
    if settings.operator.token is None:
        return None
    stored = keeping.database
    records = stored.records if stored is not None else None
    access = stored.access if stored is not None else None
    return OperatorInterface(
        settings=settings.operator,
        sinch=settings.sinch,
        agents=agents,
        usual=settings.agent,
        actions=actions,
        call_control=call_control,
        records=OperatorRecords(
            answers=CallAnswers(records, settings.sinch.country, access),
            erasure=stored.erasure if stored is not None else None,
            recording=RecordingAnswers(records, keeping.recordings, access),
            opt_outs=OptOutAnswers(
                store.opt_outs, settings.sinch.country, home_country(settings.sinch)
            )
            if store
            else None,
        ),
        tries=tries,
    )


def _console(
    settings: Settings,
    agents: AgentFolder,
    providers: Providers,
    registry: CallRegistry,
    actions: CallActions,
    keeping: RecordKeeping,
    store: Store | None,
    tries: SharedTries | None,
) -> Console | None:
    if store is None or not is_shown(settings):
        return None
    return console(
        ConsoleParts(
            settings=settings,
            agents=agents,
            providers=providers,
            registry=registry,
            actions=actions,
            keeping=keeping,
            store=store,
            tries=tries,
        )
    )
