"""Who may have a call, and with which agent: looked at before a stream is answered."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from agent.call.orders import LineParty
from agent.call.own_words import message_script
from agent.call.screening import Screens
from agent.call_headers import CallHeaders
from agent.personas.errors import PersonaError
from agent.personas.folder import AgentFolder
from agent.personas.script import Details, Script
from agent.server.phone_tickets import PhoneTickets, TicketError, is_ticket
from agent.settings.server import ServerSettings
from agent.sinch.applications import Applications
from agent.sinch.call_control import CallControl
from agent.sinch.call_facts import call_facts, screens_of
from agent.sinch.contracts import ExpectedCall
from agent.sinch.legs.leg_kinds import PartyLeg
from agent.sinch.tokens import Claims, StreamTokens, TokenError, TokenUncheckedError
from agent.store.errors import StoreError
from agent.stream.addresses import is_loopback
from agent.stream.connect import Connect

log = structlog.get_logger()


class NotAdmittedError(Exception):
    """The call is rejected. The message is for our log only.

    Args:
        reason: The message.
        status: What HTTP has for it, while nothing is connected yet.
    """

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


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

    cross_site: bool = False
    """Whether another host was asked for, or a page of another site asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What was right about the address of a stream, before it is connected."""

    trusted: bool
    """Whether it brought a token. Otherwise the call has to bring one, or come from here."""

    claims: Claims | None = None
    """What a one-use token says, which is used up."""

    @property
    def name(self) -> str:
        """Our name of the call, as it is expected; ``""`` if that is not known."""
        return (self.claims.dialled or self.claims.call) if self.claims is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A call that may be answered."""

    name: str
    """Ours: of a call that we placed our own, else the platform's."""

    call_id: str
    """The phone's leg, under which the record is kept."""

    agent: str
    script: Script
    headers: CallHeaders = field(default_factory=CallHeaders)
    """What came with it, and ours; without the token."""

    application: str = ""
    """The application that it is of, if that is not ours."""

    facts: Mapping[str, object] = field(default_factory=dict)
    """What call control knows of it, for its record."""

    claims: Claims | None = None
    """None for a call that was routed by hand."""

    whom: str = ""
    """Whom we have called, as it was dialled; ``""`` if they called us, or on a line of several:
    then it is not known who speaks."""

    screens: Screens | None = None
    """How we find out who has answered; None if we do not."""


class Admission:
    """Check what a call brings.

    Args:
        server: Its rate, and the token of calls that are routed by hand.
        open_to_loopback: Whether a call from this very machine needs no token.
        agents: The agent files.
        usual: The agent that answers, unless a call names one.
        tokens: Redeems one-use tokens; None if there are none.
        call_control: Knows the calls that we placed; None if we place none.
        applications: Tells those of others from ours; None if we have none.
        tickets: Redeems those of the browser phone; None if there is none.
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
        applications: Applications | None = None,
        tickets: PhoneTickets | None = None,
    ) -> None:
        self._server = server
        self._open_to_loopback = open_to_loopback
        self._agents = agents
        self._usual = usual
        self._tokens = tokens
        self._call_control = call_control
        self._applications = applications
        self._tickets = tickets

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

    def look(self, caller: Caller) -> Ticket:
        """Return what can be said of a stream before it is connected. Uses nothing up.

        Raises:
            NotAdmittedError: If nothing that it could say would let it in.
        """
        token = _address_token(caller)
        if self._is_fixed(token):
            return Ticket(trusted=True)
        if self._tickets is not None and is_ticket(token):
            return Ticket(trusted=False)  # the store knows, once there is a place to wait in
        if token and self._tokens is not None:
            try:
                return Ticket(trusted=True, claims=self._tokens.read(token))
            except TokenError as error:
                raise NotAdmittedError(str(error)) from None
        if token and self._server.token is not None:
            raise NotAdmittedError("the token is wrong")
        # A token may come with `connect`.
        if not (self._server.token or self._tokens or self._is_from_here(caller)):
            here = self._open_to_loopback and caller.cross_site
            raise NotAdmittedError("another site asks" if here else "no token", 403)
        return Ticket(trusted=False)

    async def redeem(self, caller: Caller, ticket: Ticket) -> None:
        """Use up the one-use token in the address of a stream, if there is one.

        Raises:
            NotAdmittedError: If it is late, or used already.
        """
        if ticket.claims is not None:
            await self._redeem(_address_token(caller))

    async def give_back(self, ticket: Ticket) -> None:
        """Undo :meth:`redeem`: the stream did not come about, and may be asked for again."""
        if ticket.claims is not None and self._tokens is not None:
            try:
                await self._tokens.give_back(ticket.claims)
            except StoreError:  # the database has logged it; the platform gives the call up
                log.warning("a token stays used, though its stream did not come about")

    async def admit(
        self, caller: Caller, connect: Connect, ticket: Ticket | None = None
    ) -> Admitted:
        """Return how to answer, and use up the token that the call brought.

        Args:
            caller: Who asks.
            connect: What they said.
            ticket: What the address was worth; None if it was not looked at.

        Raises:
            NotAdmittedError: If the call is not trusted, or there is no such agent.
        """
        headers = CallHeaders(connect.headers.items())
        in_header = headers.get("token", "")
        headers = headers.without("token")  # no template may see it
        if ticket is not None and ticket.trusted:
            claims = ticket.claims
        else:
            claims = await self._trust(_address_token(caller) or in_header, caller)
        connect = replace(connect, headers=headers)
        try:
            if claims is not None:
                return await self._routed(claims, connect)
            agent = caller.query.get("agent") or headers.get("agent") or self._usual
            script = await self._agents.script(agent, details(headers, connect.call_id))
        except (PersonaError, StoreError) as error:
            in_header_only = ticket is None or not ticket.trusted
            if claims is not None and in_header_only and self._call_control is not None:
                self._call_control.stream_ended(claims, moved=False)  # nobody else will come
            what = "the database fails: " if isinstance(error, StoreError) else ""
            raise NotAdmittedError(f"{what}{error}") from None
        return Admitted(
            name=connect.call_id,
            call_id=connect.call_id,
            agent=agent,
            script=_alone(script),
            headers=headers,
            application=self._other_application(connect),
        )

    def _other_application(self, connect: Connect) -> str:
        return self._applications.other(connect.application_id) if self._applications else ""

    async def _trust(self, token: str, caller: Caller) -> Claims | None:
        """Return what the call's one-use token says; None if it is trusted without one.

        Raises:
            NotAdmittedError: If it is not trusted.
        """
        if self._is_fixed(token):
            return None
        if self._tickets is not None and is_ticket(token):
            await self._let_phone_in(token, self._tickets)
            return None
        if self._tokens is not None and token:
            return await self._redeem(token)
        if self._is_from_here(caller):
            return None
        raise NotAdmittedError("the token is wrong or missing")

    async def _redeem(self, token: str) -> Claims | None:
        if self._tokens is None:
            return None
        try:
            return await self._tokens.redeem(token, time.time())
        except TokenUncheckedError as error:
            raise NotAdmittedError(str(error), 503) from None
        except TokenError as error:
            raise NotAdmittedError(str(error)) from None

    async def _let_phone_in(self, ticket: str, tickets: PhoneTickets) -> None:
        try:
            await tickets.redeem(ticket)
        except TicketError as error:
            raise NotAdmittedError(str(error)) from None
        except StoreError as error:
            raise NotAdmittedError(f"the database fails: {error}", 503) from None

    def _is_fixed(self, token: str) -> bool:
        """Return whether this is the token of calls that are routed by hand."""
        fixed = self._server.token
        return fixed is not None and hmac.compare_digest(
            token.encode("utf-8", "replace"), fixed.get_secret_value().encode()
        )

    def _is_from_here(self, caller: Caller) -> bool:
        """Return whether the caller is on this very machine, and needs no token."""
        if not self._open_to_loopback or caller.proxied or caller.cross_site:
            return False
        return is_loopback(caller.remote)

    async def _routed(self, claims: Claims, connect: Connect) -> Admitted:
        name = claims.dialled or claims.call
        if connect.call_id and connect.call_id != claims.call:
            # The stream may be a leg of its own, with an id of its own.
            log.debug("the stream has another id", phone=claims.call[:64])
        call_control = self._call_control
        placed = None
        call, can_transfer = None, False
        legs: Sequence[PartyLeg] = ()
        if call_control is not None:
            placed = await call_control.placed(claims.dialled) if claims.dialled else None
            # What the callback had comes back by the stream in part.
            call, can_transfer = await call_control.bridged(claims)
            legs = await call_control.parties.of(name)
        came_with = call.headers if call is not None else {}
        headers = CallHeaders([*came_with.items(), *connect.headers.items()])
        known = ExpectedCall(
            call=claims.call,
            agent=claims.agent,
            caller=headers.get("caller", ""),
            called=headers.get("called", ""),
            variables=placed.variables if placed is not None else {},
            outgoing=bool(claims.dialled),
            parties=tuple(_line_parties(legs)),
            lists_phone=placed is not None and bool(placed.parties),
        )
        about = details(headers, claims.call, known)
        script = await self._agents.script(claims.agent, about)
        if placed is not None and placed.leave_message:
            script = message_script(script, placed.message)
        if not can_transfer:
            script = _alone(script)
        return Admitted(
            name=name,
            call_id=claims.call,
            agent=claims.agent,
            script=script,
            headers=headers,
            application=self._other_application(connect),
            facts=call_facts(call, placed, parties=legs)
            | ({"dialled": name} if claims.dialled else {}),
            claims=claims,
            whom=placed.to if placed is not None and (call is None or not call.parties) else "",
            screens=screens_of(placed),
        )


def _line_parties(legs: Sequence[PartyLeg]) -> Iterator[LineParty]:
    for leg in legs:
        if leg.standing in ("expected", "joined"):
            yield LineParty(party=leg.name, title=leg.title, present=leg.standing == "joined")


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
        present=_titles(expected, present=True),
        expected=_titles(expected, present=False),
        lists_phone=expected is not None and expected.lists_phone,
    )


def _titles(expected: ExpectedCall | None, *, present: bool) -> dict[str, str]:
    parties = expected.parties if expected is not None else ()
    return {one.party: one.title for one in parties if one.present is present}


def _alone(script: Script) -> Script:
    """Return ``script`` without anybody to pass the caller on to, or to add to the line."""
    return replace(script, numbers={}, parties=(), brief=replace(script.brief, destinations=()))


def _address_token(caller: Caller) -> str:
    """Return the token in the endpoint's address; ``""`` if there is none."""
    return caller.path_token or caller.query.get("token", "")
