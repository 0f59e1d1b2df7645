"""Legs that we asked for, calls that have a stream, and the tables of what can happen to them.

Four kinds of leg are ours, each with a name of ours that comes back with its callbacks (``custom``
in version 1 of the API, ``callName`` in version 2):

- :class:`PlacedLeg`: a phone that we dialled, or several at once.
- :class:`TransferLeg`: whom a caller is passed on to.
- :class:`PartyLeg`: a phone on the line of a call of several.
- :class:`StreamLeg`: the agent's end of a call, where it is a leg of its own. Nothing is decided by
  its state.

A :class:`BridgedCall` is a phone and the stream that it talks with. It goes by the name of the leg
that we placed, or else by the platform's id. What can happen to each, and what it is then, is in
the tables of :mod:`agent.sinch.legs.leg_tables`.

Events come from outside, in any order and more than once. A pair that is not in a table cannot
happen: whoever is told so (by None) must change nothing, and answer the platform accordingly. This
file reads no clock and does no I/O; :mod:`agent.sinch.legs.directory` keeps what it makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from agent.sinch.callbacks import Version
from agent.sinch.legs.leg_tables import (
    CALL,
    PARTY_LEG,
    PLACED_LEG,
    TRANSFER_LEG,
    CallEvent,
    CallStatus,
    Gone,
    LegEvent,
    LegStatus,
    PartyStatus,
)
from agent.warm_transfers import Then, announced

CALLER, STREAM = "caller", "stream"
"""Names of the legs of a version 2 call that we did not place."""

Dropper = Literal["operator", "agent"]
"""Who has had somebody dropped from a line."""

Machine = Literal["talk", "hangup", "message"]
"""What to do when a machine answers."""

Screening = Literal["platform", "ears", "both"]
"""Who finds out whether a machine has answered: the platform, the agent by its ears, or both."""


After = Literal["return", "end"]
"""What becomes of a call when whoever its caller was passed on to hangs up: the agent comes back to
the caller, or it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFacts:
    """What becomes known of a leg with an event; ``""`` is nothing new."""

    call_id: str = ""
    """The platform's id of the leg."""

    session: str = ""
    """Version 2: its session, in which it can be reached by its name before it has an id."""

    result: str = ""
    """How it ended, in the platform's words."""

    reason: str = ""
    seconds: float | None = None
    price: float | None = None
    """What it has cost, all in all, in ``currency``; None if that is not known."""

    currency: str = ""
    why: Gone | Literal[""] = ""
    """Of a party: what it means that they are not, or will not be, on the line."""

    dropped_by: Dropper | Literal[""] = ""

    leave_message: bool = False
    prompt: str = ""
    """What whoever is asked is to be told, unless they are told already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLeg:
    """A phone that we dialled; or several at once, of which the first that answers is the phone.

    Of several, each is a :class:`PartyLeg`, and this one has no leg at the platform.
    """

    name: str
    version: Version
    to: str
    """A number in E.164, a SIP address, or an In-App user, such as ``user:ann``."""

    agent: str
    variables: Mapping[str, str]
    caller_id: str
    max_seconds: int
    machine: Machine
    message: str
    """What to leave on a machine."""

    conference: str
    """Where the agent comes to, in version 1; ``""`` in version 2."""

    announced: float = 0.0
    """When we asked for it, in Unix time; 0 in what the version before has left."""

    screening: Screening = "platform"
    """Who finds out whether a machine has answered, where ``machine`` is not ``talk``."""

    status: LegStatus = LegStatus.DIALLING
    call_id: str = ""
    session: str = ""
    result: str = ""
    """How it ended, in the platform's words; ``""`` while it has not."""

    reason: str = ""
    leave_message: bool = False
    """Whether the agent is to leave the message and hang up."""

    parties: tuple[str, ...] = ()
    """Names of the legs of all that were dialled at once; none if this is a phone itself."""

    ends_with: EndsWith = "phone"

    @property
    def asks_platform(self) -> bool:
        """Whether the platform finds out whether a machine has answered."""
        return self.machine != "talk" and self.screening != "ears"

    @property
    def is_screened(self) -> bool:
        """Whether the agent finds that out, by what it hears."""
        return self.machine != "talk" and self.screening != "platform"

    @property
    def is_over(self) -> bool:
        """Whether nobody hangs on at its end any more, as far as we are told."""
        ended = self.status in (LegStatus.FAILED, LegStatus.ENDED)
        return ended or (self.status is LegStatus.MACHINE and bool(self.result))

    def after(self, event: LegEvent, facts: LegFacts) -> PlacedLeg | None:
        """Return the leg after ``event``; None if that cannot happen to it now."""
        status = PLACED_LEG.get((self.status, event))
        if self.is_screened and (self.status, event) == (LegStatus.MACHINE, LegEvent.ANSWERED):
            status = LegStatus.MACHINE  # the agent has heard it; the platform may say so later
        if status is None:
            return None
        return replace(
            self,
            status=status,
            call_id=facts.call_id or self.call_id,
            session=facts.session or self.session,
            result=facts.result or self.result,
            reason=facts.reason or self.reason,
            leave_message=facts.leave_message or self.leave_message,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """An operator who is to take a caller over, by a telephone of theirs."""

    to: str
    """As it is dialled."""

    after: After = "return"
    introduction: str = ""
    """What the agent says to both before it falls silent; ``""`` for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLeg:
    """Whom a caller is passed on to."""

    name: str
    of: str
    """Name of the call."""

    introduction: str = ""
    """What the agent says to both; ``""`` for nothing."""

    stays: bool = False
    """Whether the agent stays on the line, whatever the platform needs, and can be called back."""

    when_over: After = "end"
    """What becomes of the call once they hang up, if the agent is on the line."""

    warm: bool = False
    """Whether they are asked first: they are told ``prompt``."""

    prompt: str = ""
    disclosure: str = ""
    """That a machine talks, which they hear first, in full; ``""`` for nothing."""

    then: Then = "leave"
    asked: int = 0
    """How often they were asked."""

    talked: bool = False
    """Whether they were with the caller, ever."""

    status: LegStatus = LegStatus.DIALLING
    call_id: str = ""
    session: str = ""

    @property
    def told_first(self) -> str:
        """What they hear before they are asked for the first time, and no more then."""
        return self.disclosure if self.asked == 1 else ""

    @property
    def waits(self) -> bool:
        """Whether it may still come to a yes, or to somebody who picks up."""
        return self.status in (LegStatus.DIALLING, LegStatus.BRIEFED, LegStatus.MACHINE)

    @property
    def is_there(self) -> bool:
        """Whether they are with the caller, or about to be."""
        return self.status is LegStatus.ANSWERED

    def after(self, event: LegEvent, facts: LegFacts) -> TransferLeg | None:
        """Return the leg after ``event``; None if that cannot happen to it now."""
        status = TRANSFER_LEG.get((self.status, event))
        if status is None:
            return None
        # Nobody is told any more: words of the call are not to stay in the store.
        over = status in (LegStatus.ANSWERED, LegStatus.ENDED)
        return replace(
            self,
            status=status,
            prompt="" if over else self.prompt if self.asked else facts.prompt or self.prompt,
            disclosure="" if over else self.disclosure,
            asked=self.asked + (event is LegEvent.BRIEFED),
            talked=self.talked or status is LegStatus.ANSWERED,
            call_id=facts.call_id or self.call_id,
            session=facts.session or self.session,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyLeg:
    """A phone on the line of a call, beside the one that the call goes by."""

    name: str
    of: str
    """Name of the call."""

    to: str
    """A number in E.164, a SIP address, or an In-App user, such as ``user:ann``."""

    title: str = ""
    """What they are called on the line, such as ``Ann``; ``""`` if that is not known."""

    host: bool = False
    """Whether the call ends with them, if it ends with its host."""

    ring_seconds: int = 30
    machine: Machine = "talk"
    announcement: str = ""
    """What the platform's voice tells them alone, before they are on the line."""

    disclosure: str = ""
    """That a machine talks, which they hear before the announcement, unless the agent comes with
    them, and says it to them itself; ``""`` for nothing."""

    status: LegStatus = LegStatus.DIALLING
    call_id: str = ""
    session: str = ""
    result: str = ""
    """How it ended, in the platform's words; ``""`` while it has not."""

    reason: str = ""
    seconds: float | None = None
    price: float | None = None
    currency: str = ""
    why: Gone | Literal[""] = ""
    """Once it is known, why they are not, or will not be, on the line."""

    dropped_by: Dropper | Literal[""] = ""
    """On whose word they were hung up; ``""`` if nobody's."""

    @property
    def heard_alone(self) -> str:
        """What they hear before they are on a line with the agent, or with others; or ``""``."""
        return announced(self.disclosure, self.announcement)

    @property
    def standing(self) -> PartyStatus:
        """How it stands with them."""
        if self.status is LegStatus.CONNECTED:
            return "joined"
        if self.status in (LegStatus.DIALLING, LegStatus.ANSWERED):
            return "expected"
        return self.why if self.why in ("left", "dropped") else "not reached"

    @property
    def is_over(self) -> bool:
        """Whether nobody hangs on at its end any more, as far as we are told."""
        return self.status in (LegStatus.FAILED, LegStatus.ENDED)

    def after(self, event: LegEvent, facts: LegFacts) -> PartyLeg | None:
        """Return the leg after ``event``; None if that cannot happen to it now."""
        status = PARTY_LEG.get((self.status, event))
        if status is None:
            return None
        talked = event is LegEvent.ENDED and self.status is LegStatus.CONNECTED
        answered = event is LegEvent.ANSWERED
        after_all = self.status is LegStatus.FAILED and answered and self.why != "dropped"
        known = "" if after_all else self.why
        return replace(
            self,
            status=status,
            why=known or ("left" if talked else facts.why),
            dropped_by="" if after_all else self.dropped_by or facts.dropped_by,
            seconds=self.seconds if facts.seconds is None else facts.seconds,
            price=self.price if facts.price is None else facts.price,
            currency=facts.currency or self.currency,
            call_id=facts.call_id or self.call_id,
            session=facts.session or self.session,
            result=facts.result or self.result,
            reason=facts.reason or self.reason,
        )


EndsWith = Literal["phone", "last", "host"]
"""Whose leaving ends a call: that of the phone it goes by, of the last phone, or of a host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLeg:
    """The agent's end of a call, as a leg of a conference."""

    name: str
    of: str
    """Name of the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgedCall:
    """A phone, and the stream that it talks with."""

    name: str
    version: Version
    phone: str
    """Name of the phone's leg: ours for it, or :data:`CALLER`."""

    call_id: str
    """The platform's id of the phone's leg."""

    session: str
    conference: str
    """Where both are, or are to be, in version 1; ``""`` if the stream takes the phone's place."""

    transfer: str = ""
    """Name of the leg that the caller is being passed on to, or was."""

    helpers: tuple[str, ...] = ()
    """Names of the legs of those who had come to help before, and are there still: ``transfer`` was
    called beside them, the last of them first."""

    take_over: TakeOver | None = None
    """Who has asked to take the caller over, once the agent has announced it."""

    parties: tuple[str, ...] = ()
    """Names of the legs of those who are, were or are to be on its line, in the order in which they
    were asked for; the phone itself is not among them."""

    ends_with: EndsWith = "phone"

    announced: float = 0.0
    """When the platform told of it, or we dialled, in Unix time; 0 if that is not known."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """What came with the call, and ours. They go out with its stream, too, where the platform takes
    no more than 16 of printable ASCII."""

    status: CallStatus = CallStatus.WITH_AGENT

    def after(self, event: CallEvent) -> BridgedCall | None:
        """Return the call after ``event``; None if that cannot happen to it now."""
        status = CALL.get((self.status, event))
        return None if status is None else replace(self, status=status)


OwnLeg = PlacedLeg | TransferLeg | PartyLeg | StreamLeg
"""A leg that we asked for."""

Phone = PlacedLeg | TransferLeg | PartyLeg | BridgedCall
"""What has somebody's phone at its end, which can be hung up."""
