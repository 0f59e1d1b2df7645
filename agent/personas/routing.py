"""Which agent answers a call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.call_headers import CallHeaders
from agent.personas.folder import AgentFolder
from agent.settings.sinch import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Rules, the first that fits; then the numbers in the agent files; then the usual agent."""

    agents: AgentFolder
    usual: str
    """The agent that answers when no rule does; ``""`` if such a call is refused."""

    routes: Sequence[Route] = ()

    async def agent(self, called: str, caller: str, headers: Mapping[str, str]) -> str:
        """Return the agent for a call; ``""`` if nobody answers it."""
        for route in self.routes:
            if fits(route, called, caller, headers):
                return route.agent
        by_number = await self.agents.answering(called) if called else ""
        return by_number or self.usual


def fits(route: Route, called: str, caller: str, headers: Mapping[str, str]) -> bool:
    """Return whether the rule takes this call; names of headers may be in any case."""
    given = CallHeaders(headers.items())
    return (
        _alike(route.called, called)
        and _alike(route.caller, caller)
        and all(_alike(v or "*", given.get(k, "")) for k, v in route.headers.items())
    )


def covers(earlier: Route, later: Route) -> bool:
    """Return whether every call that ``later`` takes is one that ``earlier`` takes, too."""
    here = {name.lower(): value or "*" for name, value in later.headers.items()}
    return (
        _within(earlier.called, later.called)
        and _within(earlier.caller, later.caller)
        and all(_within(v or "*", here.get(k.lower(), "")) for k, v in earlier.headers.items())
    )


def _within(wanted: str, given: str) -> bool:
    """Return whether all that ``given`` fits, which may be a pattern itself, fits ``wanted``."""
    if not given or not wanted:
        return not wanted
    return _alike(wanted, given.removesuffix("*") or "*") and (
        wanted.endswith("*") or not given.endswith("*")
    )


def _alike(wanted: str, given: str) -> bool:
    if wanted.endswith("*"):
        return bool(given) and plain(given).startswith(plain(wanted[:-1]))
    return not wanted or plain(wanted) == plain(given)


def plain(text: str) -> str:
    """Return a number without what people put into it; anything else in lower case."""
    digits = re.sub(r"[\s().-]", "", text)
    return digits if re.fullmatch(r"\+?[0-9]*", digits) else text.lower()
