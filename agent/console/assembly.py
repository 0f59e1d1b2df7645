"""The console of a process, put together of what the process has."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import structlog

from agent.console.agents.assembly import AgentAnswering, AgentConsole
from agent.console.calls.export import CallExport
from agent.console.calls.list_pages import CallListPages
from agent.console.calls.pages import CallPages
from agent.console.calls.replay_pages import ReplayPages
from agent.console.calls.replays import Replays
from agent.console.calls.waveforms import Waveforms
from agent.console.console import Console
from agent.console.live.event_stream import Viewers
from agent.console.live.events import LiveEvents
from agent.console.live.pages import LivePages
from agent.console.overview.pages import OverviewPages
from agent.console.phone_pages import PhoneLine, PhonePages
from agent.console.rendering import Rendering
from agent.console.routes import Pages
from agent.console.sign_in.browsers import OwnAddress
from agent.console.sign_in.guard import Guard
from agent.console.sign_in.oidc import SignInProvider
from agent.console.sign_in.pages import SignInPages
from agent.console.sign_in.passwords import Passwords
from agent.console.sign_in.recognition import NamedByProxy, Recognition, SignedIn, ThisMachine
from agent.console.sign_in.sessions import Sessions
from agent.personas.folder import AgentFolder
from agent.records.sealing import seal_of
from agent.records.seals import Seal
from agent.records.statistics.call_statistics import CallStatistics
from agent.records.stored_lines import StoredLines
from agent.server.checks import agent_files
from agent.server.operator.call_actions import CallActions
from agent.server.operator.call_answers import CallAnswers
from agent.server.operator.recording_answers import RecordingAnswers
from agent.server.phone_tickets import PhoneTickets
from agent.server.record_keeping import RecordKeeping
from agent.server.registry import CallRegistry
from agent.server.throttle import SharedTries
from agent.settings import Settings
from agent.settings.console import OidcSettings
from agent.store.store import Store
from pipelines.stages.lineup import Providers

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """What of the process the console shows, and acts on."""

    settings: Settings
    agents: AgentFolder
    providers: Providers
    registry: CallRegistry
    actions: CallActions
    keeping: RecordKeeping
    store: Store
    tries: SharedTries | None
    """What other workers of the service count; None if there are none."""


def is_shown(settings: Settings) -> bool:
    """Return whether there is a console; where there is none and nobody said so, say why."""
    if not settings.shows_console and settings.console.enabled is not False:
        log.info(
            "no pages: others could reach them, and nobody signs in; set console.password, "
            "console.users, console.oidc or console.proxy"
        )
    return settings.shows_console


def _live(parts: ConsoleParts, seal: Seal) -> Sequence[Pages]:
    """Return what is pushed of calls in progress, where there are records of them."""
    stored = parts.keeping.database
    if stored is None:
        return ()
    lines = StoredLines(parts.store.database, seal)
    feeds = parts.registry.feeds
    viewers = Viewers()
    return [LiveEvents(feeds, parts.actions, lines, stored.records, stored.access, viewers)]


def console(parts: ConsoleParts) -> Console:
    """Return the console of a process."""
    rendering = Rendering()
    stored = parts.keeping.database
    records = stored.records if stored is not None else None
    access = stored.access if stored is not None else None
    seal = seal_of(parts.settings.privacy)
    statistics = CallStatistics(parts.store.database, seal) if records is not None else None
    waveforms, replays = Waveforms(parts.keeping.recordings), Replays(parts.settings.file)
    agents = _agents(parts)
    zone, country = parts.settings.time_zone or "UTC", parts.settings.sinch.country
    pages: list[Pages] = [
        _phone(parts, rendering),
        LivePages(rendering, parts.actions, parts.settings.server.path),
        *_live(parts, seal),
        CallPages(
            rendering,
            records,
            access,
            RecordingAnswers(records, parts.keeping.recordings, access),
            waveforms,
        ),
        ReplayPages(rendering, records, access, replays),
        OverviewPages(rendering, statistics, zone, country),
        CallListPages(
            rendering,
            CallAnswers(records, country, access),
            statistics,
            CallExport(parts.store.database, seal, access) if access is not None else None,
            zone,
        ),
        *agents.pages(rendering),
    ]
    settings = parts.settings
    address = _own_address(settings)
    sessions = Sessions(parts.store.console, settings.console)
    sign_in = _sign_in(settings, rendering, address, sessions, parts.tries)
    guard = _guard(settings, rendering, address, sessions, sign_in)
    beside: list[AbstractAsyncContextManager[object]] = [
        agents.running(),
        aclosing(guard),
        aclosing(waveforms),
        aclosing(replays),
    ]
    if sign_in is not None:
        beside.append(aclosing(sign_in))
    return Console(rendering, guard, pages, sign_in, beside)


def _phone(parts: ConsoleParts, rendering: Rendering) -> PhonePages:
    server, lead = parts.settings.server, parts.settings.playout.lead
    line = PhoneLine(path=server.path, rate=server.rate, lead=lead)
    tickets = PhoneTickets(parts.store.console)
    return PhonePages(rendering, parts.agents, parts.settings.agent, line, tickets)


def _agents(parts: ConsoleParts) -> AgentConsole:
    settings = parts.settings
    answering = AgentAnswering(
        usual=settings.agent,
        routes=settings.sinch.routes,
        rate=settings.server.rate,
        time_zone=settings.time_zone,
        check=partial(agent_files, settings),
    )
    return AgentConsole(answering, parts.agents, parts.providers, parts.registry, parts.store)


def _guard(
    settings: Settings,
    rendering: Rendering,
    address: OwnAddress,
    sessions: Sessions,
    sign_in: SignInPages | None,
) -> Guard:
    return Guard(
        rendering,
        _ways(settings, address, sessions),
        address,
        sign_in=sign_in is not None,
        open_here=not settings.console.signs_in,
    )


def _own_address(settings: Settings) -> OwnAddress:
    url = urlsplit(settings.console.public_url or settings.sinch.public_url)
    host = url.netloc.rpartition("@")[2].lower()
    return OwnAddress(origin=f"{url.scheme}://{host}" if host else "")


def _ways(settings: Settings, address: OwnAddress, sessions: Sessions) -> Sequence[Recognition]:
    """Return how people are recognised: nobody is, unless they sign in, or are of this machine."""
    given = settings.console
    if not given.signs_in:
        return [ThisMachine()] if settings.in_development else []
    ways: list[Recognition] = []
    if given.proxy.is_set:
        ways.append(NamedByProxy(given.proxy, address))
    if given.accounts or given.oidc.is_set:
        ways.append(SignedIn(sessions, address))
    return ways


def _sign_in(
    settings: Settings,
    rendering: Rendering,
    address: OwnAddress,
    sessions: Sessions,
    tries: SharedTries | None,
) -> SignInPages | None:
    given = settings.console
    if not given.accounts and not given.oidc.is_set:
        return None
    provider = _provider(given.oidc) if given.oidc.is_set else None
    passwords = Passwords(given.accounts)
    return SignInPages(rendering, given, address, sessions, passwords, provider, tries)


def _provider(settings: OidcSettings) -> SignInProvider:
    from agent.console.sign_in.identity_provider import IdentityProvider  # noqa: PLC0415 - an extra

    return IdentityProvider(settings)
