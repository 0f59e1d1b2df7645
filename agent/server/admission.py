"""Who may have a call, and with which agent: looked at before a stream is answered."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address

import structlog

from agent.personas.errors import PersonaError
from agent.personas.folder import AgentFolder
from agent.personas.script import Details, Script
from agent.server.machine import Room
from agent.server.overload import Overload
from agent.server.registry import CallRegistry
from agent.settings.server import ServerSettings
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import ExpectedCall
from agent.sinch.tokens import Claims, StreamTokens, TokenError
from agent.store.errors import StoreError
from agent.stream.connect import Connect

log = structlog.get_logger()


class NotAdmittedError(Exception):
    """The call is rejected. The message is for our log only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What comes with a stream before its `connect`."""

    query: Mapping[str, str]
    """Of the endpoint's address."""

    path_token: str
    """At the end of its path; ``""`` if there is none."""

    remote: str | None
    """Address of the other end of the socket."""

    proxied: bool
    """Whether a proxy says that it stands between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A call that may be answered."""

    name: str
    """Ours: of a call that we placed our own, else the platform's."""

    call_id: str
    """The phone's leg, under which the record is kept."""

    agent: str
    script: Script
    claims: Claims | None = None
    """None for a call that was routed by hand."""


PROVEN_AFTER = 10.0
"""Seconds after which what a call costs has been measured: a greeting and a first reply."""

GROWTH = 0.1
"""Of the calls in progress, the share that may be younger than that, beyond ``Room.at_once``."""


class Capacity:
    """Whether one more call may come in. One a process; every door asks it.

    Args:
        registry: The calls that there are.
        room: How many there may be.
        overload: Whether there is too much to do already.
    """

    def __init__(self, registry: CallRegistry, room: Room, overload: Overload) -> None:
        self._registry = registry
        self.room = room
        self.overload = overload
        self.declined = 0
        """Calls that were told `busy`, since the start."""

    def refusal(self, *, announced: bool = False) -> str | None:
        """Return why no call may come in now, for our log alone; None if one may.

        Costs next to nothing and changes nothing, so it may be asked at the callback, at the
        upgrade and before the answer. Whoever gets a text declines: `busy` on a stream, `sorry` to
        a callback, 503 to whoever wants a call placed.

        Args:
            announced: Whether this call was let in before, at its callback or when it was dialled,
                and only its stream comes now. It has its place already: somebody has picked up, so
                what is measured since does not send it away.
        """
        if self._registry.draining:
            return "draining"
        calls = len(self._registry.in_progress)
        if announced:
            return f"{calls} calls already" if calls >= self.room.most else None
        coming = self._registry.announced
        calls += coming
        if calls >= self.room.most:
            return f"{calls} calls already"
        if self.overload.reason:
            return f"overload: {self.overload.reason}"
        if calls >= self.room.at_once:
            # What these cost shows once they speak: a few at a time, so that it is never too late.
            young = coming + self._registry.younger_than(PROVEN_AFTER)
            if young >= max(1, int(GROWTH * calls)):
                return f"{young} of {calls} calls have only begun"
        return None


class Admission:
    """Check what a call brings.

    Args:
        server: Its rate, and the token of calls that are routed by hand.
        open_to_loopback: Whether a call from this very machine needs no token.
        agents: The agent files.
        usual: The agent that answers, unless a call names one.
        tokens: Redeems one-use tokens; None if there are none.
        call_control: Knows the calls that we placed; None if we place none.
    """

    def __init__(
        self,
        *,
        server: ServerSettings,
        open_to_loopback: bool,
        agents: AgentFolder,
        usual: str,
        tokens: StreamTokens | None,
        call_control: CallControl | None,
    ) -> None:
        self._server = server
        self._open_to_loopback = open_to_loopback
        self._agents = agents
        self._usual = usual
        self._tokens = tokens
        self._call_control = call_control

    def rate(self, caller: Caller) -> int:
        """Return the rate in hertz that we asked the platform for, if `connect` does not say.

        A token knows it: another process may have asked, with other settings.
        """
        if self._tokens is not None:
            with suppress(TokenError):
                return self._tokens.read(_address_token(caller)).rate
        given = caller.query.get("rate", "")
        if given.isascii() and given.isdigit() and len(given) < 7:
            return int(given)
        return self._server.rate

    async def admit(self, caller: Caller, connect: Connect) -> Admitted:
        """Return how to answer, and use up the token that the call brought.

        Raises:
            NotAdmittedError: If the call is not trusted, or there is no such agent.
        """
        headers = dict(connect.headers)
        in_header = headers.pop("token", "")  # no template may see it
        token = _address_token(caller) or in_header
        claims = await self._trust(token, caller)
        connect = replace(connect, headers=headers)
        try:
            if claims is not None:
                return await self._routed(claims, connect)
            agent = caller.query.get("agent") or headers.get("agent") or self._usual
            script = await self._agents.script(agent, details(headers, connect.call_id))
        except (PersonaError, StoreError) as error:
            if claims is not None and self._call_control is not None:
                self._call_control.stream_ended(claims, moved=False)  # nobody else will come
            what = "the database fails: " if isinstance(error, StoreError) else ""
            raise NotAdmittedError(f"{what}{error}") from None
        return Admitted(
            name=connect.call_id, call_id=connect.call_id, agent=agent, script=_alone(script)
        )

    async def _trust(self, token: str, caller: Caller) -> Claims | None:
        """Return what the call's one-use token says; None if it is trusted without one.

        Raises:
            NotAdmittedError: If it is not trusted.
        """
        fixed = self._server.token
        if fixed is not None and hmac.compare_digest(
            token.encode("utf-8", "replace"), fixed.get_secret_value().encode()
        ):
            return None
        if self._tokens is not None and token:
            try:
                return await self._tokens.redeem(token, time.time())
            except TokenError as error:
                raise NotAdmittedError(str(error)) from None
        if self._open_to_loopback and _is_here(caller):
            return None
        raise NotAdmittedError("the token is wrong or missing")

    async def _routed(self, claims: Claims, connect: Connect) -> Admitted:
        name = claims.dialled or claims.call
        if connect.call_id and connect.call_id != claims.call:
            # The stream may be a leg of its own, with an id of its own.
            log.debug("the stream has another id", phone=claims.call[:64])
        call_control = self._call_control
        placed = (
            await call_control.placed(claims.dialled) if call_control and claims.dialled else None
        )
        known = ExpectedCall(
            call=claims.call,
            agent=claims.agent,
            caller=connect.headers.get("caller", ""),
            called=connect.headers.get("called", ""),
            variables=placed.variables if placed is not None else {},
            outgoing=bool(claims.dialled),
        )
        about = details(connect.headers, claims.call, known)
        script = await self._agents.script(claims.agent, about)
        if placed is not None and placed.leave_message:
            script = replace(
                script,
                greeting=placed.message,
                greeting_interruptible=False,
                hang_up_after_greeting=True,
            )
        if call_control is None or not await call_control.can_transfer(claims):
            script = _alone(script)
        return Admitted(
            name=name, call_id=claims.call, agent=claims.agent, script=script, claims=claims
        )


def details(
    headers: Mapping[str, str], call_id: str, expected: ExpectedCall | None = None
) -> Details:
    """Return what the templates of an agent may know of a call."""
    return Details(
        now=datetime.now().astimezone(),
        caller=headers.get("caller", ""),
        called=headers.get("called", ""),
        call_id=call_id,
        headers=headers,
        outgoing=expected is not None and expected.outgoing,
        given=expected.variables if expected is not None else {},
    )


def _alone(script: Script) -> Script:
    """Return ``script`` without anybody to pass the caller on to."""
    return replace(script, numbers={}, brief=replace(script.brief, destinations=()))


def _address_token(caller: Caller) -> str:
    """Return the token in the endpoint's address; ``""`` if there is none."""
    return caller.path_token or caller.query.get("token", "")


def _is_here(caller: Caller) -> bool:
    """Return whether the caller is on this very machine."""
    try:
        return not caller.proxied and ip_address(caller.remote or "").is_loopback
    except ValueError:
        return False
