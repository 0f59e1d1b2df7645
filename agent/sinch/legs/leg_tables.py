"""What can happen to legs and calls, and what they are then: tables."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Literal

from agent.call.orders import NotReached


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

    CANCELLED = enum.auto()
    """Of a transfer: nobody waits for them any more, and they have not come to the caller."""

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
    # Who is with the caller, or about to be, is not: of a yes and this, the first counts.
    **{(s, _E.CANCELLED): _S.ENDED for s in (_S.DIALLING, _S.BRIEFED, _S.MACHINE, _S.FAILED)},
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
