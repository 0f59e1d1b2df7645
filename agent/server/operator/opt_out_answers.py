"""Who wants no more calls, over REST: listed, added and taken back by an operator."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from aiohttp import web
from pydantic import ValidationError

from agent import phone_numbers
from agent.server.operator.call_actions import dialable
from agent.server.operator.errors import UnreadableError, problem, read_body
from agent.server.operator.opt_outs_api import OptOutRequest, OptOutsQuery
from agent.store.opt_outs import OptOuts

log = structlog.get_logger()


class OptOutAnswers:
    """What is asked of the list, and answered.

    Args:
        opt_outs: The list; all processes have the same.
        country: Two letters, of a number without ``+``; ``""`` if there is none.
        home: The country that we call from (:func:`~agent.sinch.dialling.dial_rules.home_country`).
    """

    def __init__(self, opt_outs: OptOuts, country: str, home: str) -> None:
        self._opt_outs = opt_outs
        self._country = country
        self._home = home

    async def listed(self, request: web.Request) -> web.Response:
        """Return those who have opted out, the latest first."""
        try:
            asked = OptOutsQuery.model_validate(dict(request.query))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise UnreadableError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        found = await self._opt_outs.latest(asked.limit, skip=asked.skip)
        listed = [
            {
                "number": one.number,
                "since": datetime.fromtimestamp(one.made, UTC).isoformat(timespec="seconds"),
                "how": one.how,
                "agent": one.agent,
            }
            for one in found
        ]
        return web.json_response({"opt_outs": listed})

    async def added(self, request: web.Request) -> web.Response:
        """Keep that somebody wants no more calls; 201 if that is new."""
        asked = await read_body(request, OptOutRequest)
        number = self._person(asked.number)
        new = await self._opt_outs.add(number, how="operator")
        log.info("opted out", by="operator")
        return web.json_response({"number": number}, status=201 if new else 200)

    async def removed(self, request: web.Request) -> web.Response:
        """Let somebody be called again."""
        number = self._person(request.match_info["number"])
        if not await self._opt_outs.remove(number):
            return problem(404, "this number has not opted out")
        log.info("opt-out taken back", by="operator")
        return web.json_response({"number": number})

    def _person(self, text: str) -> str:
        address = dialable("number", phone_numbers.without_parameters(text), self._country)
        return phone_numbers.person(address, self._home)
