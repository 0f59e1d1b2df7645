"""The browser phone: a page that calls an agent over the stream channel, as Sinch does."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web

from agent.call_headers import CallHeaders
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.personas.errors import PersonaError
from agent.personas.folder import AgentFolder
from agent.server.admission import details
from agent.server.phone_tickets import PhoneTickets
from agent.sinch_limits import RATES
from agent.stream.addresses import client_address

log = structlog.get_logger()

RATE_WORDS = {8000: ", as a telephone has it", 16000: ", wideband", 48000: ", all that is heard"}
"""What rates mean, in hertz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLine:
    """The line between the page and the service."""

    path: str
    """Of the stream endpoint, whose calls it places."""

    rate: int
    """Hertz, unless another is chosen."""

    lead: float
    """Seconds of audio that are sent ahead of the clock."""


class PhonePages:
    """The phone.

    Args:
        rendering: Makes the page.
        agents: Who can be called.
        usual: The agent that is called, unless another is picked.
        line: To the service.
        tickets: Lets its calls in.
    """

    def __init__(
        self,
        rendering: Rendering,
        agents: AgentFolder,
        usual: str,
        line: PhoneLine,
        tickets: PhoneTickets,
    ) -> None:
        self._rendering = rendering
        self._agents = agents
        self._usual = usual
        self._line = line
        self._tickets = tickets

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [
            PageRoute(method="GET", path="/", role=Role.OPERATE, handler=self._show),
            PageRoute(method="POST", path="/console/phone", role=Role.OPERATE, handler=self._begin),
            PageRoute(
                method="GET",
                path="/console/phone/agents/{name}",
                role=Role.OPERATE,
                handler=self._introduce,
            ),
        ]

    async def _begin(self, request: web.Request, visitor: Visitor) -> web.Response:
        """Return where a call is placed: the path of a stream, good once; and what to call it.

        Whoever knows the name of the call can follow it: nobody else does.
        """
        path = f"{self._line.path.rstrip('/')}/{await self._tickets.issue()}"
        call_id = f"browser-{secrets.token_hex(16)}"
        remote = client_address(request)
        log.info("a browser may call", call_id=call_id, who=visitor.name, remote=remote)
        return web.json_response({"path": path, "call_id": call_id})

    async def _introduce(self, request: web.Request, visitor: Visitor) -> web.Response:
        return web.json_response(await self._about(request.match_info["name"], visitor))

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        names = self._agents.names
        asked = request.query.get("agent", "")
        chosen = next((one for one in (asked, self._usual, *names) if one in names), "")
        return self._rendering.page(
            request,
            visitor,
            "phone.html",
            agents=names,
            chosen=chosen,
            unknown=asked[:64] if asked != chosen else "",
            caller=_caller(visitor),
            rates=RATES,
            rate_words=RATE_WORDS,
            rate=self._line.rate,
            lead=self._line.lead,
            **await self._about(chosen, visitor),
        )

    async def _about(self, agent: str, visitor: Visitor) -> Mapping[str, object]:
        """Return what an agent says first to a visitor, and whether it has a mistake instead."""
        try:
            about = details(CallHeaders({"caller": _caller(visitor)}.items()), "")
            script = await self._agents.script(agent, about)
        except PersonaError:
            return {"greeting": "", "mistake": True}
        return {"greeting": script.greeting, "mistake": False}


def _caller(visitor: Visitor) -> str:
    """Return as whom somebody calls: by their name, if they have one here."""
    return visitor.name if visitor.signed_in else "browser"
