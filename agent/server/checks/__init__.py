"""What can be found out about a configuration before anything is started.

``voice-agent check`` asks for all of it (:func:`everything`), the start of the service for what
would keep it from answering (:func:`needed`). Files are read and sockets opened: not for the event
loop of a service that answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from agent.personas.loader import Persona
from agent.records.recordings.buckets import Bucket
from agent.records.sealing import seal_of
from agent.records.webhooks.endpoints import endpoints
from agent.server.checks import agents, console, disclosures, lineup, sinch, surroundings, tracing
from agent.server.checks.finding import Finding, findings_of
from agent.server.mcp_servers import mcp_servers
from agent.settings import Settings, SettingsError
from agent.settings.placeholders import refuse_placeholders
from agent.settings.tree import usual_prompts
from agent.urls import LOOPBACK
from pipelines.listening.detectors import detectors
from pipelines.turn_taking.turn_models import check_turn_model

OURS = (
    *("/live", "/ready", "/health", "/metrics"),
    *("/calls", "/opt-outs", "/openapi.json", "/console"),
)
"""Paths that answer already."""


def needed(settings: Settings) -> list[Finding]:
    """Return what would keep the service from answering, or its secrets from being any.

    Of the agent files the usual one alone is read: with another that is wrong, calls are taken.
    """
    found = [*_settings(settings), *lineup.line_up(settings)[1]]
    if not (settings.prompts / f"{settings.agent}.md").exists():
        found += [one for one in agents.routing(settings, {}) if one.place == "agent"]
    elif not isinstance(usual := agents.agent_file(settings, settings.agent), Persona):
        found += usual
    return _located(found, settings)


def everything(settings: Settings) -> list[Finding]:
    """Return all that is wrong or doubtful, without asking a provider or Sinch for anything."""
    known, found = lineup.line_up(settings)
    files, wrong = agents.all_files(settings)
    paths = {str(settings.prompts / f"{name}.md"): name for name in files}
    reached = agents.reached(settings, files)
    everywhere = [
        *_settings(settings),
        *found,
        *wrong,
        *agents.routing(settings, files),
        *lineup.keys(known),
        *lineup.spoken(
            known,
            {path: files[name] for path, name in paths.items()},
            [path for path, name in paths.items() if name in reached],
        ),
        *lineup.written(known, {path: files[name] for path, name in paths.items()}),
        *disclosures.disclosures(settings, files),
        *sinch.sinch(settings),
        *console.doubtful(settings),
        *_in_clear(settings),
        *surroundings.folders(settings),
        *surroundings.database(settings),
        *surroundings.port(settings.server),
    ]
    return _located(everywhere, settings)


def undisclosed(settings: Settings) -> list[Finding]:
    """Return what the usual agent does not say of itself: it answers calls all the same."""
    usual = agents.agent_file(settings, settings.agent)
    known = {settings.agent: usual} if isinstance(usual, Persona) else {}
    return _located(list(disclosures.disclosures(settings, known)), settings)


def _located(found: list[Finding], settings: Settings) -> list[Finding]:
    """Return the same with file and line before each setting that was given, or its section."""
    return [
        replace(one, place=f"{where}: {one.place}") if (where := settings.where(one.place)) else one
        for one in found
    ]


def agent_files(settings: Settings) -> list[Finding]:
    """Return what is wrong or doubtful about the agent files, and whether each call finds one."""
    known, _ = lineup.line_up(settings)
    files, found = agents.all_files(settings)
    paths = {str(settings.prompts / f"{name}.md"): persona for name, persona in files.items()}
    reached = [str(settings.prompts / f"{name}.md") for name in agents.reached(settings, files)]
    found += agents.routing(settings, files)
    found += lineup.spoken(known, paths, [path for path in reached if path in paths])
    found += lineup.written(known, paths)
    found += disclosures.disclosures(settings, files)
    return _located(found, settings)


def without_settings(error: SettingsError) -> list[Finding]:
    """Return what is wrong with the settings, and with agent files: of the folder that is set.

    Args:
        error: Of :func:`agent.settings.load`.
    """
    found = findings_of(error)
    given = error.origins.values.get("prompts")
    folder = Path(given) if isinstance(given, str) else usual_prompts()
    names = agents.files_in(folder)
    usual = error.origins.values.get("agent", Settings.model_fields["agent"].default)
    if isinstance(usual, str) and usual not in names:
        place = f"{error.origins.where(['agent'])}: agent".removeprefix(": ")
        found.append(agents.missing(place, usual, names))
    for name in names:
        made = agents.read(folder, name)
        found += [] if isinstance(made, Persona) else made
    return found


def _settings(settings: Settings) -> Iterator[Finding]:
    """Look at what the settings name: secrets, detectors, servers, a bucket, webhooks, paths."""
    try:
        refuse_placeholders(settings)
    except SettingsError as error:
        yield from findings_of(error)
    try:
        seal_of(settings.privacy)
    except SettingsError as error:
        yield from findings_of(error)
    yield from console.forbidden(settings)
    yield from tracing.missing(settings.tracing)
    yield from _models(settings)
    builds: list[Callable[[], object]] = [
        *(partial(mcp_servers, {name: server}) for name, server in settings.mcp.items()),
        *([partial(Bucket, settings.recording.store)] if settings.recording.store else ()),
        *(partial(endpoints, {name: webhook}) for name, webhook in settings.webhooks.items()),
    ]
    for build in builds:
        try:
            build()
        except (ValueError, SettingsError) as error:
            yield from findings_of(error)
    if settings.server.path.rstrip("/") in OURS:
        why = f"taken by the service itself, as are {', '.join(OURS)}"
        yield Finding(place="server.path", given=repr(settings.server.path), message=why)
    if settings.sinch.callback_path.rstrip("/") in (*OURS, settings.server.path.rstrip("/")):
        why = "taken by another part of the service; Sinch's sample has /sinch"
        given = repr(settings.sinch.callback_path)
        yield Finding(place="sinch.callback_path", given=given, message=why)


def _models(settings: Settings) -> Iterator[Finding]:
    """Load what hears voices and the ends of turns."""
    try:
        detectors(settings.vad)
    except LookupError as error:
        yield Finding(place="vad", message=str(error.args[0]))
    try:
        check_turn_model(settings.turns)
    except LookupError as error:
        given = repr(settings.turns.model)
        yield Finding(place="turns.model", given=given, message=str(error.args[0]))


def _in_clear(settings: Settings) -> Iterator[Finding]:
    """Look for webhooks that anybody on the way can read."""
    for name, webhook in settings.webhooks.items():
        parts = urlsplit(webhook.url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            why = "http: numbers of callers travel in clear; take https"
            yield Finding(severity="warning", place=f"webhooks.{name}.url", message=why)
