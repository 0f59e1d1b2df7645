"""The operator's REST interface: place calls, look at them, hang up, pass callers on.

Every request brings ``Authorization: Bearer <operator.token>``. What may be asked, and what comes
back, is in :data:`OPENAPI`, which ``GET /openapi.json`` gives to anyone.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol, TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent import phone_numbers
from agent.personas import loader
from agent.personas.errors import PersonaError
from agent.server.admission import details, script_for
from agent.settings import Settings
from agent.sinch.call_control import CallControl, CallControlError, ExpectedCall
from agent.sinch.versions import Dial
from agent.stream.line import client_address

log = structlog.get_logger()

Model = TypeVar("Model", bound=BaseModel)

BODY_WITHIN = 5.0
"""Seconds for the body of a request to come."""

ANNOUNCEMENT = "I'm connecting you now. One moment, please."


class DialRequest(BaseModel):
    """A call to place."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="DialRequest")

    to: str = Field(description="Number, as people write it, or SIP address.", max_length=300)
    agent: str = Field("", description="Agent file, without `.md`. Unset: the usual one.")
    variables: dict[str, str] = Field({}, description="Values for the agent file's variables.")
    caller_id: str = Field("", description="Number of yours to show. Unset: `sinch.caller_id`.")
    max_seconds: int = Field(3600, ge=1, le=14400, description="Longest that the call may be.")
    machine: Literal["talk", "hangup", "message"] = Field(
        "talk",
        description="When a machine answers: talk to it as to anyone (nobody listens for "
        "machines, so people are greeted sooner), hang up, or leave `message` after the beep.",
    )
    message: str = Field("", max_length=2000, description="What to leave on a machine.")
    keys: str = Field(
        "",
        pattern="^[0-9*#wA-D]{0,64}$",
        description="Pressed once answered; `w` is half a second. Version 1, `machine` talk.",
    )


class HangUpRequest(BaseModel):
    """A call to end."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="HangUpRequest")

    goodbye: bool = Field(default=True, description="Whether the agent says goodbye before.")


class TransferRequest(BaseModel):
    """A caller to pass on."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="TransferRequest")

    to: str = Field(description="Number, or SIP address.", max_length=300)
    announcement: str = Field(
        ANNOUNCEMENT, min_length=1, max_length=2000, description="What the agent says before."
    )


class Calls(Protocol):
    """The calls of this process; see :class:`agent.server.app.CallRegistry`."""

    @property
    def in_progress(self) -> Mapping[str, str]:
        """Our name of each, and its agent."""
        ...

    def deliver(self, call_id: str, order: Mapping[str, Any]) -> bool:
        """Give an order to a call; return whether it is here."""
        ...


class OperatorInterface:
    """The routes.

    Args:
        settings: The whole tree; ``operator.token`` is set.
        calls: Those of this process.
        exchange: Does what is asked; None if there is no account to do it with.
    """

    def __init__(self, settings: Settings, calls: Calls, call_control: CallControl | None) -> None:
        token = settings.operator.token
        self._token = token.get_secret_value().encode() if token is not None else b""
        self._limit = settings.operator.requests_a_minute
        self._settings = settings
        self._calls = calls
        self._call_control = call_control
        self._lately: Mapping[bool, deque[float]] = {True: deque(), False: deque()}
        """When requests came: with the token, and without."""

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/openapi.json", self._describe)
        app.router.add_get("/calls", self._guarded(self._list))
        app.router.add_post("/calls", self._guarded(self._dial))
        app.router.add_get("/calls/{id}", self._guarded(self._show))
        app.router.add_post("/calls/{id}/hangup", self._guarded(self._hang_up))
        app.router.add_post("/calls/{id}/transfer", self._guarded(self._transfer))

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)
            right = right and scheme.lower() == "bearer"
            if wait := self._wait(asyncio.get_running_loop().time(), right=right):
                return _problem(429, "too many requests", {"retry-after": str(wait)})
            if not right:
                log.warning("operator refused", remote=client_address(request))
                return _problem(401, "no token, or a wrong one", {"www-authenticate": "Bearer"})
            return await _answered(handler, request)

        return guarded

    def _wait(self, now: float, *, right: bool) -> int:
        """Return the seconds to wait, 0 if none.

        Wrong tokens have an allowance of their own: they neither fill the log nor keep the operator
        from hanging up.
        """
        lately = self._lately[right]
        while lately and now - lately[0] >= 60:
            lately.popleft()
        if len(lately) >= self._limit:
            return int(60 - (now - lately[0])) + 1
        lately.append(now)
        return 0

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(OPENAPI)

    async def _list(self, _request: web.Request) -> web.Response:
        calls = [{"id": name, "agent": agent} for name, agent in self._calls.in_progress.items()]
        return web.json_response({"calls": calls})

    async def _show(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        placed = self._call_control.dialled(name) if self._call_control else None
        if placed is not None:
            return web.json_response(placed)
        if name in self._calls.in_progress:
            return web.json_response({"id": name, "agent": self._calls.in_progress[name]})
        return _problem(404, "no such call")

    async def _dial(self, request: web.Request) -> web.Response:
        asked = await _read(request, DialRequest)
        key = request.headers.get("idempotency-key", "")
        if key and not 16 <= len(key) <= 128:
            raise _UnreadableError("Idempotency-Key: take 16 to 128 characters")
        if asked.machine == "message" and not asked.message:
            raise _UnreadableError("message: is needed, since machine is 'message'")
        if asked.keys and (self._settings.sinch.api == "v2" or asked.machine != "talk"):
            raise _UnreadableError(
                "keys: only version 1 of the API presses them, and not while machines are listened "
                "for; a language model can press keys itself"
            )
        country = self._settings.sinch.country
        dial = Dial(
            to=_dialable("to", asked.to, country),
            agent=asked.agent or self._settings.agent,
            variables=asked.variables,
            caller_id=asked.caller_id and _dialable("caller_id", asked.caller_id, country),
            max_seconds=asked.max_seconds,
            ring_seconds=self._settings.sinch.ring_seconds,
            machine=asked.machine,
            message=asked.message,
            keys=asked.keys,
        )
        self._check_agent(dial)
        return web.json_response(await self._with_account().dial(dial, key), status=201)

    def _check_agent(self, dial: Dial) -> None:
        """Find now what would otherwise be found once somebody has answered.

        Raises:
            _UnreadableError: If there is no such agent, or it has no such variable.
        """
        expected = ExpectedCall(
            call="", agent=dial.agent, caller="", called="", variables=dial.variables, outgoing=True
        )
        try:
            script_for(self._settings, dial.agent, details({}, "", expected))
        except PersonaError as error:
            known = ", ".join(loader.names(self._settings.prompts))
            raise _UnreadableError(f"agent or variables: {error} (agents: {known})") from None

    async def _hang_up(self, request: web.Request) -> web.Response:
        asked, name = await _read(request, HangUpRequest), request.match_info["id"]
        if self._call_control is not None:
            await self._call_control.hang_up(name, goodbye=asked.goodbye)
        elif not self._calls.deliver(name, {"kind": "hang up", "goodbye": asked.goodbye}):
            raise CallControlError("no such call")
        return web.json_response({}, status=202)

    async def _transfer(self, request: web.Request) -> web.Response:
        asked = await _read(request, TransferRequest)
        to = _dialable("to", asked.to, self._settings.sinch.country)
        self._with_account().request_transfer(request.match_info["id"], to, asked.announcement)
        return web.json_response({}, status=202)

    def _with_account(self) -> CallControl:
        if self._call_control is None:
            raise CallControlError("Sinch is not set up: see the settings of `sinch`")
        return self._call_control


class _UnreadableError(Exception):
    """The request is wrong; the message says where."""


async def _answered(
    handler: Callable[[web.Request], Awaitable[web.Response]], request: web.Request
) -> web.Response:
    """Return what ``handler`` answers, or what keeps it from that."""
    try:
        return await handler(request)
    except (CallControlError, PersonaError) as error:
        return _problem(404 if "no such" in str(error) else 409, str(error))
    except _UnreadableError as error:
        return _problem(400, str(error))
    except web.HTTPRequestEntityTooLarge:
        return _problem(413, "the body is too long")
    except OSError as error:
        log.critical("the shared folder fails", error=error.strerror)
        return _problem(503, "the shared folder fails: see the log")


async def _read(request: web.Request, model: type[Model]) -> Model:
    try:
        async with asyncio.timeout(BODY_WITHIN):
            body = await request.read()
    except TimeoutError:
        raise _UnreadableError(f"body: did not come within {BODY_WITHIN:g} s") from None
    except (web.RequestPayloadError, ConnectionError):
        raise _UnreadableError("body: broke off, or is not encoded as it says") from None
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _UnreadableError(f"{where or 'body'}: {first['msg']}") from None


def _dialable(field: str, text: str, country: str) -> str:
    try:
        return phone_numbers.address(text, country)
    except ValueError as error:
        raise _UnreadableError(f"{field}: {error}") from None


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error as RFC 9457 has it."""
    body = {"status": status, "detail": detail}
    return web.json_response(
        body, status=status, headers=headers, content_type="application/problem+json"
    )


def _operation(
    summary: str, success: int, *, body: type[BaseModel] | None = None, by_id: bool = True
) -> dict[str, Any]:
    """Return one operation, as OpenAPI 3.1 has it."""
    parameters: list[dict[str, Any]] = []
    if by_id:
        parameters.append(_parameter("id", "path", "Of the call, as `POST /calls` gave it."))
    if body is DialRequest:
        parameters.append(
            _parameter(
                "Idempotency-Key",
                "header",
                "16 to 128 characters: within a day, the same key is the same call.",
            )
        )
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {
            str(success): {
                "description": "Done, or under way.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **{
                status: {
                    "description": meaning,
                    "content": {
                        "application/problem+json": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "status": {"type": "integer"},
                                    "detail": {"type": "string"},
                                },
                            }
                        }
                    },
                }
                for status, meaning in _PROBLEMS.items()
            },
        },
    }
    if body is not None:
        schema = body.model_json_schema()
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _parameter(name: str, where: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string"},
    }


_PROBLEMS = {
    "400": "The request is wrong; `detail` says where.",
    "401": "No token, or a wrong one.",
    "404": "No such call.",
    "409": "It cannot be done; `detail` says why, in Sinch's words if Sinch refused.",
    "413": "The body is too long.",
    "429": "Too many requests; see `Retry-After`.",
    "503": "The folder that processes share fails.",
}

OPENAPI: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Operator's interface of sinch-voice-agent", "version": "1"},
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "security": [{"token": []}],
    "paths": {
        "/calls": {
            "get": _operation("List the calls in progress in this process.", 200, by_id=False),
            "post": _operation("Place a call.", 201, body=DialRequest, by_id=False),
        },
        "/calls/{id}": {"get": _operation("Look at a call.", 200)},
        "/calls/{id}/hangup": {"post": _operation("End a call.", 202, body=HangUpRequest)},
        "/calls/{id}/transfer": {
            "post": _operation("Pass a caller on.", 202, body=TransferRequest)
        },
    },
}
"""What the interface is; the schemas are those that requests are checked against."""
