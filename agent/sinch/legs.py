"""Legs that we asked for, calls that have a stream, and the tables of what can happen to them.

Four kinds of leg are ours, each with a name of ours that comes back with its callbacks (``custom``
in version 1 of the API, ``callName`` in version 2):

- :class:`PlacedLeg`: a phone that we dialled. Its states are in :data:`PLACED_LEG`.
- :class:`TransferLeg`: whom a caller is passed on to. Its states are in :data:`TRANSFER_LEG`.
- :class:`PartyLeg`: a further phone on the line of a call. Its states are in :data:`PARTY_LEG`.
- :class:`StreamLeg`: the agent's end of a call, where it is a leg of its own. Nothing is decided by
  its state.

A :class:`BridgedCall` is a phone and the stream that it talks with; its states are in
:data:`CALL`. It goes by the name of the leg that we placed, or else by the platform's id.

Events come from outside, in any order and more than once. A pair that is not in a table cannot
happen: whoever is told so (by None) must change nothing, and answer the platform accordingly. This
file reads no clock and does no I/O; :mod:`agent.sinch.directory` keeps what it makes.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from agent.call.orders import NotReached
from agent.sinch.callbacks import Version
from agent.warm_transfers import Then

CALLER, STREAM = "caller", "stream"
"""Names of the legs of a version 2 call that we did not place."""

Machine = Literal["talk", "hangup", "message"]
"""What to do when a machine answers."""

Screening = Literal["platform", "ears", "both"]
"""Who finds out whether a machine has answered: the platform, the agent by its ears, or both."""


class LegStatus(enum.Enum):
    """How far a leg is. The values are what an operator is told."""

    DIALLING = "dialling"
    ANSWERED = "answered"
    """Somebody or something; who it is may still have to be found out."""

    BRIEFED = "briefed"
    """Hears, alone, what it is about, and is asked whether they take the call."""

    MACHINE = "machine"
    """By a machine, on which we hang up; of a transfer, on which we do if it beeps, or says no yes:
    some people are taken for one."""

    CONNECTED = "connected"
    """With an agent, or about to be."""

    FAILED = "failed"
    """The platform told us that it did not dial."""

    ENDED = "ended"


class LegEvent(enum.Enum):
    """What happens to a leg."""

    ACCEPTED = enum.auto()
    """The platform took our request; its callbacks may have been faster."""

    REFUSED = enum.auto()
    """It did not, or we do not know."""

    ANSWERED = enum.auto()
    """Also: now it is known by whom."""

    BRIEFED = enum.auto()
    """They are told what it is about, for the first time or once more."""

    MACHINE_FOUND = enum.auto()
    CONNECTED = enum.auto()
    DROPPED = enum.auto()
    """Of a party: somebody of ours wants them off the line; the platform has still to say so."""

    ENDED = enum.auto()
    """The platform says so, or an operator has had it hung up."""


_S, _E = LegStatus, LegEvent

PLACED_LEG: Mapping[tuple[LegStatus, LegEvent], LegStatus] = {
    (_S.DIALLING, _E.ACCEPTED): _S.DIALLING,
    (_S.DIALLING, _E.ANSWERED): _S.ANSWERED,
    (_S.ANSWERED, _E.ANSWERED): _S.ANSWERED,
    (_S.ANSWERED, _E.MACHINE_FOUND): _S.MACHINE,
    (_S.ANSWERED, _E.CONNECTED): _S.CONNECTED,
    # Detection may go on after it has told what answers, and then tell something else.
    (_S.CONNECTED, _E.ANSWERED): _S.CONNECTED,
    (_S.CONNECTED, _E.MACHINE_FOUND): _S.MACHINE,
    (_S.MACHINE, _E.ANSWERED): _S.ANSWERED,
    # The answer to our request comes last.
    **{(s, _E.ACCEPTED): s for s in (_S.ANSWERED, _S.MACHINE, _S.CONNECTED, _S.ENDED)},
    # Whoever asked is told that it failed, so that is what it did: nobody who answers hears of us.
    **{(s, _E.REFUSED): _S.FAILED for s in (_S.DIALLING, _S.ANSWERED, _S.MACHINE, _S.CONNECTED)},
    # What an operator has hung up ends once more, by the platform's word, which is the last.
    **{(s, _E.ENDED): _S.ENDED for s in LegStatus if s is not _S.BRIEFED},
    # Whoever asks later is to know that it was a machine.
    (_S.MACHINE, _E.ENDED): _S.MACHINE,
}

TRANSFER_LEG: Mapping[tuple[LegStatus, LegEvent], LegStatus] = {
    (_S.DIALLING, _E.ACCEPTED): _S.DIALLING,
    (_S.DIALLING, _E.REFUSED): _S.FAILED,
    (_S.DIALLING, _E.ANSWERED): _S.ANSWERED,
    (_S.ANSWERED, _E.ANSWERED): _S.ANSWERED,
    # The platform dialled though it told us otherwise; the caller still wants to talk to them.
    (_S.FAILED, _E.ANSWERED): _S.ANSWERED,
    # Who is passed a caller on to warm is briefed first; they have answered once they say yes.
    (_S.DIALLING, _E.BRIEFED): _S.BRIEFED,
    (_S.FAILED, _E.BRIEFED): _S.BRIEFED,
    (_S.BRIEFED, _E.BRIEFED): _S.BRIEFED,
    (_S.BRIEFED, _E.ANSWERED): _S.ANSWERED,
    # Detection may be faster than the answer that it detects in, and may be wrong.
    (_S.DIALLING, _E.MACHINE_FOUND): _S.MACHINE,
    (_S.BRIEFED, _E.MACHINE_FOUND): _S.MACHINE,
    (_S.MACHINE, _E.MACHINE_FOUND): _S.MACHINE,
    (_S.MACHINE, _E.BRIEFED): _S.MACHINE,
    (_S.MACHINE, _E.ANSWERED): _S.ANSWERED,
    **{(s, _E.ACCEPTED): s for s in (_S.ANSWERED, _S.BRIEFED, _S.MACHINE, _S.ENDED)},
    **{(s, _E.ENDED): _S.ENDED for s in (_S.DIALLING, _S.ANSWERED, _S.BRIEFED, _S.MACHINE)},
    (_S.FAILED, _E.ENDED): _S.ENDED,
}


PARTY_LEG: Mapping[tuple[LegStatus, LegEvent], LegStatus] = {
    (_S.DIALLING, _E.ACCEPTED): _S.DIALLING,
    (_S.DIALLING, _E.REFUSED): _S.FAILED,
    (_S.DIALLING, _E.ANSWERED): _S.ANSWERED,
    (_S.ANSWERED, _E.ANSWERED): _S.ANSWERED,
    (_S.ANSWERED, _E.MACHINE_FOUND): _S.MACHINE,
    (_S.ANSWERED, _E.CONNECTED): _S.CONNECTED,
    (_S.CONNECTED, _E.ANSWERED): _S.CONNECTED,
    # The platform dialled though it told us otherwise; they are still expected.
    (_S.FAILED, _E.ANSWERED): _S.ANSWERED,
    **{(s, _E.ACCEPTED): s for s in (_S.ANSWERED, _S.MACHINE, _S.CONNECTED, _S.ENDED)},
    **{(s, _E.DROPPED): s for s in (_S.DIALLING, _S.ANSWERED, _S.CONNECTED)},
    **{(s, _E.ENDED): _S.ENDED for s in LegStatus if s not in (_S.ENDED, _S.BRIEFED)},
}

Gone = NotReached | Literal["left", "dropped"]
"""Why somebody is on the line no more, or will not come."""

PartyStatus = Literal["expected", "joined", "left", "not reached", "dropped"]
"""How it stands with a party, as an operator and the record are told."""


class CallStatus(enum.Enum):
    """Whom the caller, or the called, talks to."""

    WITH_AGENT = enum.auto()
    MOVED = enum.auto()
    """Somebody whom they were passed on to."""

    OVER = enum.auto()
    """Nobody."""


class CallEvent(enum.Enum):
    """What happens to a call."""

    MOVED = enum.auto()
    RETURNED = enum.auto()
    """The agent talks to the caller again; it has stayed and been silent."""

    ENDED = enum.auto()
    """Nobody is left who is to be talked to: see :data:`EndsWith`."""


CALL: Mapping[tuple[CallStatus, CallEvent], CallStatus] = {
    (CallStatus.WITH_AGENT, CallEvent.MOVED): CallStatus.MOVED,
    (CallStatus.MOVED, CallEvent.MOVED): CallStatus.MOVED,
    (CallStatus.MOVED, CallEvent.RETURNED): CallStatus.WITH_AGENT,
    **{(s, CallEvent.ENDED): CallStatus.OVER for s in CallStatus},
}


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
    why: Gone | Literal[""] = ""
    """Of a party: what it means that they are not, or will not be, on the line."""

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
class TransferLeg:
    """Whom a caller is passed on to."""

    name: str
    of: str
    """Name of the call."""

    warm: bool = False
    """Whether they are asked first: they are told ``prompt``."""

    prompt: str = ""
    introduction: str = ""
    """What the agent says to both; ``""`` for nothing."""

    then: Then = "leave"
    asked: int = 0
    """How often they were asked."""

    talked: bool = False
    """Whether they were with the caller, ever."""

    status: LegStatus = LegStatus.DIALLING
    call_id: str = ""
    session: str = ""

    @property
    def waits(self) -> bool:
        """Whether it may still come to a yes, or to somebody who picks up."""
        return self.status in (LegStatus.DIALLING, LegStatus.BRIEFED, LegStatus.MACHINE)

    def after(self, event: LegEvent, facts: LegFacts) -> TransferLeg | None:
        """Return the leg after ``event``; None if that cannot happen to it now."""
        status = TRANSFER_LEG.get((self.status, event))
        if status is None:
            return None
        return replace(
            self,
            status=status,
            prompt=self.prompt if self.asked else facts.prompt or self.prompt,
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

    status: LegStatus = LegStatus.DIALLING
    call_id: str = ""
    session: str = ""
    result: str = ""
    """How it ended, in the platform's words; ``""`` while it has not."""

    reason: str = ""
    why: Gone | Literal[""] = ""
    """Once it is known, why they are not, or will not be, on the line."""

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
        known = "" if self.status is LegStatus.FAILED and answered else self.why
        return replace(
            self,
            status=status,
            why=known or ("left" if talked else facts.why),
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
