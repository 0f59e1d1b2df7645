"""Whether agent files can be used, and each call finds one: routes, numbers, transfers, tools."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from agent import phone_numbers
from agent.personas import loader
from agent.personas.errors import PersonaError
from agent.personas.loader import Persona
from agent.personas.routing import covers, plain
from agent.server.checks.finding import Finding
from agent.settings import Settings
from agent.settings.allowed import did_you_mean, nearest
from agent.settings.sinch import Route, SinchSettings
from agent.sinch.dialling.dial_rules import allowed_countries, refusal
from pipelines.turn_taking.answerer import knows_screeners

Agents = Mapping[str, Persona]
"""The agent files that have no mistake, by name."""


def agent_file(settings: Settings, name: str) -> Persona | list[Finding]:
    """Return an agent, or what is wrong with its file, its transfers and tools."""
    persona = read(settings.prompts, name)
    if not isinstance(persona, Persona):
        return persona
    path = str(settings.prompts / f"{name}.md")
    found = [
        Finding(place=path, message=f"tools: no mcp.{server} in settings")
        for server in sorted(persona.tools.servers - settings.mcp.keys())
    ]
    if settings.sinch.takes_callbacks:
        found += _transfers(settings.sinch, path, persona)
    return found or persona


def read(folder: Path, name: str) -> Persona | list[Finding]:
    """Return an agent, or what is wrong with its file."""
    path = str(folder / f"{name}.md")
    try:
        return loader.load(folder, name)
    except PersonaError as error:
        return [_mistake(path, line) for line in str(error).splitlines()]


def _mistake(path: str, line: str) -> Finding:
    """Return what a line of a file's mistakes says; the number of a line belongs to the place."""
    found = re.match(rf"({re.escape(path)}(?:, line \d+)?): ", line)
    if found is None:
        return Finding(place=path, message=line)
    return Finding(place=found[1], message=line[found.end() :])


def files_in(folder: Path) -> list[str]:
    """Return the names of the agent files in a folder; one may be there that says what they are."""
    names = sorted(file.stem for file in folder.glob("*.md"))
    return [name for name in names if name.upper() != "README" and not name.startswith(".")]


def _transfers(sinch: SinchSettings, path: str, persona: Persona) -> Iterator[Finding]:
    """Find now whom no caller could ever be passed on to. The number is not quoted."""
    allowed = allowed_countries(sinch)
    for field, named in (("transfers", persona.transfers), ("parties", persona.parties)):
        for name, to in named.items():
            if why := refusal(to, sinch.dialling, *allowed):
                yield Finding(place=path, message=f"{field}: {name}: {why}")


def _never_told(path: str, persona: Persona) -> Iterator[Finding]:
    """Find a sentence for call screeners, of whom none is known by its words in this language."""
    if persona.screener and not knows_screeners(persona.language):
        why = f"no call screener is known by what it says in {persona.language!r}: it is never said"
        yield Finding(severity="warning", place=path, message=f"screener: {why}")


def all_files(settings: Settings) -> tuple[Agents, list[Finding]]:
    """Return the agents of the folder that can be used, and what is wrong with the others."""
    agents: dict[str, Persona] = {}
    found: list[Finding] = []
    for name in files_in(settings.prompts):
        if not loader.NAME.fullmatch(name):
            path = str(settings.prompts / f"{name}.md")
            why = "nobody can ask for it: a name is 1 to 64 letters, digits, - or _"
            found.append(Finding(severity="warning", place=path, message=why))
        elif isinstance(made := agent_file(settings, name), Persona):
            found += _never_told(str(settings.prompts / f"{name}.md"), made)
            agents[name] = made
        else:
            found += made
    return agents, found


def reached(settings: Settings, agents: Agents) -> set[str]:
    """Return the agents that calls come to unless they ask for another by its name."""
    numbered = {name for name, persona in agents.items() if persona.numbers}
    return {settings.agent, *numbered, *(route.agent for route in settings.sinch.routes)}


def routing(settings: Settings, agents: Agents) -> Iterator[Finding]:
    """Look whether every call finds an agent, and the one that was meant."""
    names = set(files_in(settings.prompts))
    if settings.agent not in names:
        yield missing("agent", settings.agent, names)
    routes = settings.sinch.routes
    for number, route in enumerate(routes):
        place = f"sinch.routes.{number}"
        if route.agent not in names:
            yield missing(f"{place}.agent", route.agent, names)
        yield from _patterns(place, route)
        yield from _never_reached(place, route, routes[:number])
    yield from _numbers(settings, agents)
    if (
        settings.sinch.refuse_unrouted
        and not routes
        and not any(a.numbers for a in agents.values())
    ):
        yield Finding(
            severity="warning",
            place="sinch.refuse_unrouted",
            message="every call is refused: there is neither a route nor an agent with numbers",
        )


def missing(place: str, name: str, names: Collection[str]) -> Finding:
    """Say that no agent is called so, and which was probably meant."""
    meant = did_you_mean([repr(one) for one in nearest(name.removesuffix(".md"), names)])
    why = f"no such agent file; there are {', '.join(sorted(names)) or 'none'}{meant}"
    return Finding(place=place, given=repr(name), message=why)


def _patterns(place: str, route: Route) -> Iterator[Finding]:
    """Look whether what a route names can ever be the number of a call. It is not quoted."""
    for field, value in (("called", route.called), ("caller", route.caller)):
        # Else it is anything, a SIP address, or a name.
        if value.lower().startswith("tel:"):
            yield Finding(place=f"{place}.{field}", message="no call has it so: leave out tel:")
        if re.fullmatch(r"[\d\s()./+-]+\*?", value) and (why := _why_never(value)):
            yield Finding(place=f"{place}.{field}", message=why)


def _why_never(number: str) -> str:
    """Say why no call has such a number, which may have a star at its end; ``""`` if one may."""
    if number.endswith("*"):
        right = re.fullmatch(r"\+[1-9]\d{0,14}", plain(number[:-1]))
        return "" if right else "no call begins so: write + and the country, such as +1202*"
    try:
        right_form = phone_numbers.number(number)
    except phone_numbers.ImpossibleNumberError:
        # The tables may not know it; calls are matched by its form.
        right = re.fullmatch(r"\+[1-9]\d{4,14}", plain(number))
        return "" if right else "not a number in E.164, such as +12025550123"
    except ValueError as error:
        return str(error)
    return "" if right_form == plain(number) else f"no call has it written so; write {right_form}"


def _never_reached(place: str, route: Route, before: Sequence[Route]) -> Iterator[Finding]:
    """Look whether a route before takes every call that this one would."""
    for number, earlier in enumerate(before):
        if covers(earlier, route):
            same = earlier.agent == route.agent
            yield Finding(
                severity="warning" if same else "error",
                place=place,
                message=f"no call comes here: sinch.routes.{number} takes all of them before, for "
                + (
                    "the same agent; leave one out" if same else f"{earlier.agent!r}; put it behind"
                ),
            )
            return


def _numbers(settings: Settings, agents: Agents) -> Iterator[Finding]:
    """Look whether each number in an agent file is that file's own."""
    answered: dict[str, str] = {}
    for name, persona in sorted(agents.items()):
        place = str(settings.prompts / f"{name}.md")
        for at, number in enumerate(persona.numbers, 1):
            where, shown = f"numbers.{at}", phone_numbers.shortened(number)
            other = answered.setdefault(number, name)
            if other != name:
                why = f"{shown} is also in {other}.md, which answers its calls; leave one out"
                yield Finding(place=place, message=f"{where}: {why}")
            elif number in persona.numbers[: at - 1]:
                why = f"{shown} stands there twice"
                yield Finding(severity="warning", place=place, message=f"{where}: {why}")
            for rule, route in enumerate(settings.sinch.routes):
                if route.agent != name and covers(route, Route(agent=name, called=number)):
                    why = f"{shown} is taken before by sinch.routes.{rule}, for {route.agent!r}"
                    yield Finding(place=place, message=f"{where}: {why}")
                    break
