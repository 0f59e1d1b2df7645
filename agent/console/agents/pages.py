"""Agents: what they are told, as it is written and as it was before."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from agent.console.agents.agent_list import DAYS, SHOWN, AgentList, moment
from agent.console.agents.text_diff import differences
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.personas.errors import PersonaError
from agent.personas.folder import AgentFolder
from agent.personas.loader import MAX_BYTES, NAME
from agent.personas.saving import AgentText
from agent.server.checks.finding import Finding
from agent.store.agent_versions import AgentVersions

CHECK_WITHIN = 30.0
"""Seconds for all files to be checked: some hundreds."""

MOST_LINES = 2_000
"""Of a diff that are shown."""

STARTER = """---
# What the agent says and knows: change it, and the next call has it.
greeting: Hello, how can I help you?
language: en
questions:
  - ask: [When are you open?, What are your opening hours?]
    answer: We are open from nine to five, Monday to Friday.
---
You answer the telephone. Be brief and friendly, and say nothing that you do not know.
"""
"""A new agent that is no copy of another."""

_NUMBERS = re.compile(r"^numbers:.*\n(?:[ \t-].*\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentParts:
    """What the pages of agents show."""

    agents: AgentFolder
    usual: str
    """The agent that answers where no rule names another."""

    check: Callable[[], list[Finding]]
    """Says what is wrong with any of them. It reads their files: use a thread."""

    listing: AgentList
    versions: AgentVersions


class AgentPages:
    """The list of agents, the editor, and the history of each.

    Args:
        rendering: Makes the pages.
        parts: What they show.
    """

    def __init__(self, rendering: Rendering, parts: AgentParts) -> None:
        self._rendering = rendering
        self._parts = parts
        self._checking = asyncio.Lock()

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        one = "/console/agents/{name}"
        return [
            PageRoute(method="GET", path="/console/agents", handler=self._list),
            PageRoute(method="GET", path=one, handler=self._show),
            PageRoute(method="GET", path=f"{one}/history", handler=self._history),
        ]

    async def _list(self, request: web.Request, visitor: Visitor) -> web.Response:
        if (wanted := request.query.get("new")) is not None and visitor.may(Role.EDIT):
            return await self._begin(request, visitor, wanted.strip())
        return await self._listed(request, visitor)

    async def _begin(self, request: web.Request, visitor: Visitor, name: str) -> web.Response:
        """Show the editor of a new agent, or say why it cannot be called so."""
        if not NAME.fullmatch(name):
            wrong = "A name is 1 to 64 letters from a to z, digits, - or _."
        elif name in self._parts.agents.names:
            wrong = f"There is an agent called {name} already."
        else:
            like = urlencode({"like": request.query.get("like", "")})
            raise web.HTTPSeeOther(f"/console/agents/{name}?{like}")
        return await self._listed(request, visitor, wrong=wrong, name=name)

    async def _listed(
        self, request: web.Request, visitor: Visitor, wrong: str = "", name: str = ""
    ) -> web.Response:
        parts = self._parts
        words = request.query.get("find", "").strip()
        names = [one for one in parts.agents.names if words.lower() in one.lower()]
        found = None
        if "check" in request.query and visitor.may(Role.EDIT):
            found = await self._checked()
        return self._rendering.page(
            request,
            visitor,
            "agents.html",
            moment=moment,
            agents=await parts.listing.listed(names[:SHOWN], visitor),
            every=parts.agents.names,
            more=len(names) - SHOWN,
            find=words,
            found=found,
            folder=parts.agents.path,
            lost=parts.agents.health["lost"],
            days=DAYS,
            wrong=wrong,
            new_name=name,
        )

    async def _checked(self) -> list[Finding]:
        """Return what `voice-agent check` says of agent files, one look after the other."""
        try:
            async with asyncio.timeout(CHECK_WITHIN), self._checking:
                return await asyncio.to_thread(self._parts.check)
        except TimeoutError:
            late = f"not done within {CHECK_WITHIN:g} s: run `voice-agent check` instead"
            return [Finding(place=str(self._parts.agents.path), message=late)]

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        name = request.match_info["name"]
        if "version" in request.query:
            return await self._history(request, visitor)
        try:
            file = await self._parts.agents.text(name)
        except PersonaError:
            return self._missing(request, visitor, f"No agent is called {name[:64]}.")
        draft, origin = await self._draft(request, file, name)
        is_new = not file.version and not file.unreadable
        if is_new and not (visitor.may(Role.EDIT) and draft is not None):
            return self._missing(request, visitor, f"There is no agent called {name}.")
        locked = "" if visitor.may(Role.EDIT) else "You may look at agents, not change them."
        listing = self._parts.listing
        return self._rendering.page(
            request,
            visitor,
            "agent.html",
            moment=moment,
            name=name,
            file=file,
            text=file.text if draft is None else draft,
            origin=origin,
            is_new=is_new,
            locked=locked or file.locked or file.unreadable,
            mistakes=listing.mistakes(name),
            answers=bool(self._parts.agents.answering_text(name)),
            usual=name == self._parts.usual,
            rules=listing.rules(name, visitor),
            most_bytes=MAX_BYTES,
        )

    async def _draft(
        self, request: web.Request, file: AgentText, name: str
    ) -> tuple[str | None, str]:
        """Return what the editor begins with in place of the file, and what that is."""
        if wanted := request.query.get("restore"):
            found = await self._parts.versions.get(name, wanted[:64])
            if found is not None:
                return found[0].text, f"version {found[0].version}"
        if not file.version and (like := request.query.get("like")) is not None:
            if text := self._parts.agents.answering_text(like):
                return _NUMBERS.sub("", text, count=1), f"a copy of {like}, without its numbers"
            return STARTER, "a small agent to begin with"
        return None, ""

    async def _history(self, request: web.Request, visitor: Visitor) -> web.Response:
        name, wanted = request.match_info["name"], request.query.get("version", "")[:64]
        if not NAME.fullmatch(name):
            return self._missing(request, visitor, f"No agent is called {name[:64]}.")
        versions = await self._parts.versions.of(name)
        file = await self._parts.agents.text(name)
        if not versions and not file.version:
            return self._missing(request, visitor, f"There is no agent called {name}.")
        if not wanted and versions:
            wanted = versions[0].version
        found = await self._parts.versions.get(name, wanted) if wanted else None
        with_present = "present" in request.query
        lines = []
        if found is not None:
            shown, before = found
            pair = (before.text if before is not None else "", shown.text)
            if with_present:
                pair = (shown.text, file.text)
            lines = await asyncio.to_thread(differences, *pair)
        page = partial(
            self._rendering.page,
            request,
            visitor,
            "agent_history.html",
            moment=moment,
            name=name,
            versions=versions,
            wanted=wanted,
            shown=found[0] if found is not None else None,
            before=found[1] if found is not None else None,
            file=file,
            with_present=with_present,
            lines=lines[:MOST_LINES],
            more=len(lines) - MOST_LINES,
        )
        return await asyncio.to_thread(page)  # thousands of lines: the loop has callers

    def _missing(self, request: web.Request, visitor: Visitor, why: str) -> web.Response:
        page = self._rendering.page(request, visitor, "agent_missing.html", why=why)
        page.set_status(404)
        return page
