"""The operator's REST interface: place calls, look at them, hang up, pass callers on.

Every request brings ``Authorization: Bearer <operator.token>``. What may be asked, and what comes
back, is in :data:`~agent.server.operator.openapi.OPENAPI`, which ``GET /openapi.json`` gives to
anyone.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from agent import phone_numbers
from agent.personas.folder import AgentFolder
from agent.plain_lines import one_line
from agent.records.erasing import InProgressError
from agent.server.operator.call_actions import CallActions, dialable
from agent.server.operator.errors import (
    Handler,
    UnreadableError,
    answered,
    problem,
    read_body,
)
from agent.server.operator.line_disclosures import LineDisclosures
from agent.server.operator.openapi import OPENAPI
from agent.server.operator.records import OperatorRecords
from agent.server.operator.requests import (
    DialRequest,
    HangUpRequest,
    PartyRequest,
    RecordingRequest,
    ReturnRequest,
    TakeOverRequest,
    TransferRequest,
    WhisperRequest,
)
from agent.server.throttle import SharedTries, Throttle
from agent.settings.server import OperatorSettings
from agent.settings.sinch import SinchSettings
from agent.sinch.api.svaml import is_sip
from agent.sinch.call_control import CallControl
from agent.sinch.callbacks import Version
from agent.sinch.contracts import Dial, Party
from agent.sinch.dialling.dial_rules import home_country
from agent.sinch.legs.leg_kinds import EndsWith, PlacedLeg, Screening
from agent.sinch.refusals import NoSuchCallError
from agent.stream.addresses import (
    client_address,
    is_cross_site,
    is_loopback,
    is_other_origin,
    is_proxied,
)
from pipelines.clock import now

log = structlog.get_logger()


_Kind = Literal["look", "dial", "hang up", "no token"]
"""What a request is counted as."""

MINUTE = 60.0
"""Seconds over which requests are counted."""


class OperatorInterface:
    """The routes.

    Args:
        settings: Of this interface; ``token`` is set.
        sinch: Version of the API, country and patience of the calls that are placed.
        agents: The agent files.
        usual: The agent of a call that names none.
        actions: Does what is asked to calls in progress.
        call_control: Knows the calls that we placed; None if there is no account.
        records: What answers when records are asked for.
    """

    def __init__(
        self,
        *,
        settings: OperatorSettings,
        sinch: SinchSettings,
        agents: AgentFolder,
        usual: str,
        actions: CallActions,
        call_control: CallControl | None,
        records: OperatorRecords,
        tries: SharedTries | None = None,
    ) -> None:
        token = settings.token
        self._token = token.get_secret_value().encode() if token is not None else b""
        # Each kind has an allowance of its own: neither wrong tokens, nor looking and dialling,
        # keep the operator from ending calls; nor do wrong tokens fill the log.
        most, hang_ups = settings.requests_a_minute, settings.hang_ups_a_minute
        self._throttles: Mapping[_Kind, Throttle] = {
            kind: Throttle(hang_ups if kind == "hang up" else most, MINUTE, tries, kind)
            for kind in get_args(_Kind)
        }
        self._hosts = [urlsplit(sinch.public_url).netloc.lower()]
        self._sinch = sinch
        self._usual = usual
        self._actions = actions
        self._call_control = call_control
        self._records = records
        self._disclosures = LineDisclosures(agents, actions, call_control)

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/openapi.json", self._describe)
        app.router.add_get("/calls", self._guarded("look", self._list))
        app.router.add_post("/calls", self._guarded("dial", self._dial))
        app.router.add_get("/calls/{id}", self._guarded("look", self._show))
        app.router.add_delete("/calls/{id}", self._guarded("look", self._erase))
        app.router.add_post("/calls/{id}/hangup", self._guarded("hang up", self._hang_up))
        app.router.add_post("/calls/{id}/transfer", self._guarded("dial", self._transfer))
        parties = "/calls/{id}/parties"
        app.router.add_post(parties, self._guarded("dial", self._add_party))
        app.router.add_delete(f"{parties}/{{party}}", self._guarded("hang up", self._drop_party))
        app.router.add_post("/calls/{id}/take-over", self._guarded("dial", self._take_over))
        app.router.add_post("/calls/{id}/return", self._guarded("hang up", self._give_back))
        app.router.add_post("/calls/{id}/whisper", self._guarded("hang up", self._whisper))
        app.router.add_get("/calls/{id}/recording", self._guarded("look", self._hear))
        app.router.add_post(
            "/calls/{id}/recording", self._guarded("hang up", self._control_recording)
        )

        if (opt_outs := self._records.opt_outs) is not None:
            app.router.add_get("/opt-outs", self._guarded("look", opt_outs.listed))
            app.router.add_post("/opt-outs", self._guarded("hang up", opt_outs.added))
            app.router.add_delete("/opt-outs/{number}", self._guarded("look", opt_outs.removed))

    def _guarded(
        self, kind: _Kind, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if self._is_cross_site(request):
                log.warning("operator refused: another site", remote=client_address(request))
                return problem(403, "asked by another site, or for another host")
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)
            right = right and scheme.lower() == "bearer"
            counted: _Kind = kind if right else "no token"
            if wait := self._throttles[counted].wait(counted, now()):
                return problem(429, "too many requests", {"retry-after": str(wait)})
            if not right:
                log.warning("operator refused", remote=client_address(request))
                return problem(401, "no token, or a wrong one", {"www-authenticate": "Bearer"})
            return await answered(handler, request)

        return guarded

    def _is_cross_site(self, request: web.Request) -> bool:
        """Return whether a page of another site asks, or one for which our address was borrowed."""
        if is_loopback(request.remote) and not is_proxied(request):
            return is_cross_site(request, self._hosts)
        return is_other_origin(request)

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(OPENAPI)

    async def _list(self, request: web.Request) -> web.Response:
        records = await self._records.answers.listed(request.query)
        return web.json_response({"calls": await self._actions.in_progress(), **records})

    async def _show(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        known: dict[str, Any] | None = None
        placed = await self._call_control.placed(name) if self._call_control else None
        if placed is not None:
            known = _described(placed)
        for call in await self._actions.in_progress() if known is None else ():
            if call["id"] == name:
                known = call
        if known is not None:
            known |= await self._parties(name)
        platform = placed.call_id if placed is not None else ""
        record = await self._records.answers.one(platform or name, request.query)
        if record is not None:
            if known is None:  # a call that came in, and is over
                called = str(record["data"].get("dialled") or record["call_id"])
                known = {"id": record["id"], "agent": record["agent"]} | await self._parties(called)
            known |= {"record": record}
        return web.json_response(known) if known is not None else problem(404, "no such call")

    async def _erase(self, request: web.Request) -> web.Response:
        erasure = self._records.erasure
        if erasure is None:
            raise NoSuchCallError
        try:
            return web.json_response(await erasure.erase(request.match_info["id"]))
        except InProgressError as error:
            return problem(409, str(error))
        except OSError as error:
            return problem(409, f"a file cannot be deleted: {error.strerror}")

    async def _dial(self, request: web.Request) -> web.Response:
        asked = await read_body(request, DialRequest)
        key = request.headers.get("idempotency-key", "")
        if key and not 16 <= len(key) <= 128:
            raise UnreadableError("Idempotency-Key: take 16 to 128 characters")
        several = () if isinstance(asked.to, str) else asked.to
        dial = await self._disclosures.dialled(
            _dial(asked, self._sinch, self._usual), [one.discloses for one in several]
        )
        placed = await self._actions.with_account().dial(dial, key)
        told = _described(placed) | await self._parties(placed.name)
        return web.json_response(told, status=201)

    async def _parties(self, name: str) -> dict[str, Any]:
        parties = await self._actions.parties(name)
        return {"parties": parties} if parties else {}

    async def _add_party(self, request: web.Request) -> web.Response:
        asked = await read_body(request, PartyRequest)
        party = _party(asked, self._sinch, "talk", "to")
        name = request.match_info["id"]
        party = await self._disclosures.added(name, party) if asked.discloses else party
        told = await self._actions.add_party(name, party)
        return web.json_response(told, status=201)

    async def _drop_party(self, request: web.Request) -> web.Response:
        found = request.match_info
        await self._actions.drop_party(found["id"], found["party"])
        return web.json_response({}, status=202)

    async def _hang_up(self, request: web.Request) -> web.Response:
        asked = await read_body(request, HangUpRequest)
        await self._actions.hang_up(request.match_info["id"], goodbye=asked.goodbye)
        return web.json_response({}, status=202)

    async def _transfer(self, request: web.Request) -> web.Response:
        asked = await read_body(request, TransferRequest)
        await self._actions.transfer(request.match_info["id"], asked)
        return web.json_response({}, status=202)

    async def _take_over(self, request: web.Request) -> web.Response:
        asked = await read_body(request, TakeOverRequest)
        await self._actions.take_over(request.match_info["id"], asked)
        return web.json_response({}, status=202)

    async def _give_back(self, request: web.Request) -> web.Response:
        await read_body(request, ReturnRequest)
        await self._actions.give_back(request.match_info["id"])
        return web.json_response({}, status=202)

    async def _whisper(self, request: web.Request) -> web.Response:
        asked = await read_body(request, WhisperRequest)
        await self._actions.whisper(request.match_info["id"], asked.text, "operator")
        return web.json_response({}, status=202)

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        placed = await self._call_control.placed(name) if self._call_control else None
        return await self._records.recording.hear(request, (placed and placed.call_id) or name)

    async def _control_recording(self, request: web.Request) -> web.Response:
        asked = await read_body(request, RecordingRequest)
        await self._actions.control_recording(request.match_info["id"], asked.action)
        return web.json_response({}, status=202)


def _dial(asked: DialRequest, sinch: SinchSettings, usual: str) -> Dial:
    """Return the call that is asked for.

    Raises:
        UnreadableError: If what is asked for makes no sense.
        CannotBeDialledError: If nobody can have one of the numbers.
    """
    one = isinstance(asked.to, str)
    if asked.machine == "message" and not one_line(asked.message):
        raise UnreadableError("message: is needed, since machine is 'message'")
    if asked.keys and (sinch.api == "v2" or asked.machine != "talk" or not one):
        raise UnreadableError(
            "keys: only version 1 of the API presses them, and not while machines are listened "
            "for, nor of several phones; a language model can press keys itself"
        )
    if asked.screening and asked.machine == "talk":
        raise UnreadableError("screening: only with machine 'hangup' or 'message'")
    parties = _line(asked, sinch)
    to = parties[0].to if parties else dialable("to", str(asked.to), sinch.country)
    return Dial(
        to=to,
        agent=asked.agent or usual,
        variables=asked.variables,
        caller_id=asked.caller_id and dialable("caller_id", asked.caller_id, sinch.country),
        max_seconds=asked.max_seconds,
        ring_seconds=sinch.ring_seconds,
        machine=asked.machine,
        message=asked.message,
        screening=asked.screening or ("platform" if parties else usual_screening(sinch.api, to)),
        keys=asked.keys,
        parties=parties,
        ends_with=_ends_with(asked, parties),
    )


def _ends_with(asked: DialRequest, parties: Sequence[Party]) -> EndsWith:
    if asked.ends_with is not None or not parties:
        return asked.ends_with or "phone"
    return "host" if any(one.host for one in parties) else "last"


def _line(asked: DialRequest, sinch: SinchSettings) -> tuple[Party, ...]:
    """Return who is dialled onto one line; nobody if it is a call to one phone."""
    if isinstance(asked.to, str):
        if asked.ends_with is not None:
            raise UnreadableError("ends_with: is of several; write `to` as a list")
        return ()
    if asked.machine == "message":
        raise UnreadableError("machine: a message is left on one phone; all of several hear it")
    if asked.screening not in (None, "platform"):
        raise UnreadableError(
            "screening: only the platform tells machines on a line of several, of whom the agent "
            "hears a mix"
        )
    machine = asked.machine
    parties = tuple(
        _party(one, sinch, machine, f"to.{place}") for place, one in enumerate(asked.to)
    )
    home, known = home_country(sinch), set[str]()
    for place, one in enumerate(parties):
        if (person := phone_numbers.person(one.to, home)) in known:
            raise UnreadableError(f"to.{place}: is on this line already: each is dialled once")
        known.add(person)
    if asked.ends_with == "host" and not any(one.host for one in parties):
        raise UnreadableError('ends_with: say who the host is: {"to": …, "host": true}')
    return parties


def _party(
    asked: PartyRequest, sinch: SinchSettings, machine: Literal["talk", "hangup"], place: str
) -> Party:
    return Party(
        to=dialable(place, asked.to, sinch.country),
        title=asked.title,
        host=asked.host,
        ring_seconds=asked.ring_seconds or sinch.ring_seconds,
        machine=asked.machine or machine,
        announcement=asked.announcement,
    )


def usual_screening(api: Version, to: str) -> Screening:
    """Return who finds out whether a machine has answered, unless that is asked for.

    The platform, as it always did, and before the agent comes; version 1 cannot at SIP addresses
    and In-App users, where the agent listens.
    """
    by_number = not (is_sip(to) or phone_numbers.user(to))
    return "platform" if api == "v2" or by_number else "ears"


def _described(leg: PlacedLeg) -> dict[str, str]:
    """Return what an operator may know of a call that we placed, as far as it is known."""
    known = {"call_id": leg.call_id, "result": leg.result, "reason": leg.reason}
    given = {"id": leg.name, "to": leg.to, "agent": leg.agent, "status": leg.status.value}
    return given | {name: value for name, value in known.items() if value}
