"""The agents of this machine, as a list has them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.console.agents.preview import AgentPreview, DraftRefusedError
from agent.console.visitor import Visitor
from agent.personas.folder import AgentFolder
from agent.personas.loader import version_of
from agent.records.agent_calls import calls_of_agents
from agent.settings.sinch import Route
from agent.store.engine import Database
from agent.store.errors import StoreError

SHOWN = 100
"""Agents of a page: what each is has to be found out once, 10 ms a file."""

WITHIN = 4.0
"""Seconds to find out what they are; those that are not known by then are named alone."""

DAYS = 7
"""Of which calls are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAgent:
    """What the list says of an agent."""

    name: str
    usual: bool
    """Whether it answers where no rule names another."""

    mistakes: Sequence[str]
    """Of the version on disk, a line each."""

    answers: bool
    """Whether there is a version without a mistake."""

    version: str
    changed: float
    """Unix time of its file's last change; 0 if that is not known."""

    language: str
    """``""`` if it is not known yet, as the next two."""

    about: str
    """What it is for, in a few words."""

    tools: Sequence[str]
    """Their names."""

    routes: Sequence[str]
    """The numbers whose calls it answers, and the rules of routing that name it."""

    calls: int | None
    """Of the last days; None if that is not known."""


class AgentList:
    """Finds out what there is to say.

    Args:
        agents: The files.
        preview: Looks at them.
        database: Has the calls.
        usual: The agent that answers where no rule names another.
        routes: The rules, in order.
    """

    def __init__(
        self,
        agents: AgentFolder,
        preview: AgentPreview,
        database: Database,
        usual: str,
        routes: Sequence[Route],
    ) -> None:
        self._agents = agents
        self._preview = preview
        self._database = database
        self._usual = usual
        self._routes = routes

    async def listed(self, names: Sequence[str], visitor: Visitor) -> list[ListedAgent]:
        """Return these agents, as ``visitor`` may see them."""
        drafts, calls = await self._drafts(names), await self._calls()
        known = self._agents.known
        found = []
        for name in (one for one in names if one in known):
            file, draft = known[name], drafts.get(name, {})
            one = ListedAgent(
                name=name,
                usual=name == self._usual,
                mistakes=self.mistakes(name),
                answers=file.text is not None,
                version=version_of(file.text) if file.text is not None else "",
                changed=file.changed,
                language=draft.get("language", ""),
                about=draft.get("about", ""),
                tools=draft.get("tools", ()),
                routes=[*draft.get("numbers", ()), *self.rules(name, visitor)],
                calls=None if calls is None else calls.get(name, 0),
            )
            found.append(one)
        return found

    def mistakes(self, name: str) -> list[str]:
        """Return what is wrong with the version on disk, without its path: the page has that."""
        file = self._agents.known.get(name)
        path = str(self._agents.path / f"{name}.md")
        told = file.mistakes.splitlines() if file is not None else []
        return [line.removeprefix(path).lstrip(",: ") for line in told]

    def rules(self, name: str, visitor: Visitor) -> list[str]:
        """Return the rules of routing that name an agent; callers' numbers as they may be seen."""
        return [_in_words(route, visitor) for route in self._routes if route.agent == name]

    async def _drafts(self, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        known = self._agents.known
        try:
            async with asyncio.timeout(WITHIN):
                for name in names:
                    if name in known and (text := known[name].text) is not None:
                        found[name] = await self._preview.known(text)
        except (TimeoutError, DraftRefusedError):  # the next look finds more of them known
            return found
        return found

    async def _calls(self) -> Mapping[str, int] | None:
        try:
            return await calls_of_agents(self._database, time.time() - DAYS * 86_400)
        except StoreError:  # the database has logged it
            return None


def moment(unix: float) -> str:
    """Return a Unix time as ISO 8601, in UTC; ``""`` if it is not known."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds") if unix else ""


def _in_words(route: Route, visitor: Visitor) -> str:
    parts = [f"calls to {route.called}"] if route.called else []
    if route.caller:
        parts.append(f"calls from {visitor.number(route.caller)}")
    parts += [f"header {name}" for name in route.headers]
    return ", ".join(parts) or "all other calls"
