"""What call control needs of others, and what it says when something cannot be done.

:class:`CallbackAnswers` and :class:`Actions` are what a version of the API has to offer: what a
callback may be answered with, and what can be asked of the platform at any time. What the calls of
this process have to offer is :class:`LocalCalls`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.call.orders import LineParty, Order
from agent.settings.sinch import Announcer
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Stream, Svaml
from agent.sinch.callbacks import Version
from agent.sinch.legs.leg_kinds import (
    BridgedCall,
    EndsWith,
    LegFacts,
    Machine,
    PartyLeg,
    Phone,
    PlacedLeg,
    Screening,
    TransferLeg,
)

PlatformLine = Literal["platform", "leg"]
"""Kinds of lines of a record in which the platform's word stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCall:
    """A call whose stream is about to come."""

    call: str
    agent: str
    caller: str
    called: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """What came with it, and ours."""

    variables: Mapping[str, str] = field(default_factory=dict)
    outgoing: bool = False
    parties: tuple[LineParty, ...] = ()
    """Of a line of several, who is there, and who is being dialled."""

    lists_phone: bool = False
    """Whether that holds the phone that the call goes by, too: we have dialled several at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTarget:
    """Where the platform finds our streams, and what they are like."""

    url: str
    """``wss://``, without a token."""

    rate: int
    """Hertz."""

    max_seconds: int
    """After which the platform ends a call, if we have not before."""


class LocalCalls(Protocol):
    """The calls of this process."""

    @property
    def in_progress(self) -> Mapping[str, str]:
        """Our name of each, and its agent; one that was routed by hand has the platform's id."""
        ...

    def no_room(self, name: str = "") -> str:
        """Return why no call is taken now, fit for a log; ``""`` if one is.

        One that is expected has its place already, if ``name`` says that it is this one.
        """
        ...

    def decline(self, reason: str) -> None:
        """Note that a call was turned away for that reason. Returns at once."""
        ...

    def expect(self, expected: ExpectedCall) -> None:
        """Prepare for a call, and keep a place for it. Returns at once."""
        ...

    def forget(self, name: str) -> None:
        """Expect a call no more, if it was expected."""
        ...

    def deliver(self, call_id: str, order: Order) -> bool:
        """Give an order to a call; return whether this process holds it."""
        ...

    def platform_line(
        self,
        call_id: str,
        fields: Mapping[str, Any],
        about: Mapping[str, object],
        kind: PlatformLine = "platform",
    ) -> None:
        """Add to the record of a call what the platform says of it.

        Where there is none, since nobody has answered it, there is one then, with what is known
        ``about`` it. A line ``leg`` is about another leg than that of its phone.
        """
        ...


MOST_PHONES = 10
"""On one line at the same time, those that ring included: more voices than that in one mixed audio
nobody tells apart, and each is a leg that costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody to be dialled onto the line of a call."""

    to: str
    """A number in E.164, a SIP address, or an In-App user, such as ``user:ann``."""

    title: str = ""
    """What they are called on the line, such as ``Ann``; ``""`` if that is not known."""

    host: bool = False
    """Whether the call ends with them, if it ends with its host."""

    ring_seconds: int = 30
    machine: Machine = "talk"
    """Not ``message``: a message to one machine would be heard by all."""

    announcement: str = ""
    """What the platform's voice tells them alone, before they are on the line."""

    disclosure: str = ""
    """That a machine talks, which they hear before the announcement, unless the agent comes with
    them, and says it to them itself; ``""`` for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A call to place."""

    to: str
    """A number in E.164, a SIP address, or an In-App user, such as ``user:ann``. Of several, the
    first."""

    agent: str
    variables: Mapping[str, str] = field(default_factory=dict)
    caller_id: str = ""
    """A number in E.164; ``""`` is the usual one."""

    max_seconds: int = 3600
    ring_seconds: int = 30
    machine: Machine = "talk"
    message: str = ""
    """What to leave on a machine."""

    screening: Screening = "platform"
    """Who finds out whether one has answered, where ``machine`` is not ``talk``."""

    keys: str = ""
    """Pressed by the platform once answered; version 1 only."""

    parties: tuple[Party, ...] = ()
    """Who is dialled at once, onto one line, :data:`MOST_PHONES` at the most; ``ring_seconds``,
    ``machine``, ``message`` and ``keys`` above are not theirs. Empty for a call to one phone, about
    whom there is nothing more to say."""

    ends_with: EndsWith = "phone"
    """Of several."""

    @property
    def asks_platform(self) -> bool:
        """Whether the platform finds out whether a machine has answered."""
        return self.machine != "talk" and self.screening != "ears"


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtStream:
    """A stream that comes to a line with the first who answers."""

    stream: Stream
    ring: int
    """Seconds for it to be answered."""

    phones: tuple[str, ...]
    """Names of the legs of all who are on the line, or to come: if the stream goes, so do they."""


class CallbackAnswers(Protocol):
    """What a callback may be answered with, in one version of the API."""

    stays_when_moved: bool
    """Whether the stream has to stay when the caller was passed on."""

    def nothing(self) -> Svaml:
        """Nothing to do."""
        ...

    def hang_up(self) -> Svaml:
        """Hang this leg up."""
        ...

    def hang_up_legs(self, *names: str) -> Svaml:
        """Hang other legs up, where that can be an answer."""
        ...

    def say_and_hang_up(self, text: str, announcer: Announcer, *, answer: bool) -> Svaml:
        """Say something, and hang up; ``answer`` a call that still rings."""
        ...

    def connect_incoming(
        self, stream: Stream, conference: str, ring: int, callback_url: str
    ) -> Svaml:
        """Connect a call that comes in with the stream; or with where that will come."""
        ...

    def connect_placed(self, stream: Stream, ring: int, leg: PlacedLeg) -> Svaml:
        """Connect a leg of ours, just answered, with the stream; or with where that will come."""
        ...

    def wait(self, leg: PlacedLeg) -> Svaml:
        """Keep a leg of ours where it is, or is to be."""
        ...

    def ask_who_answers(self) -> Svaml | None:
        """Find out whether a machine has answered; None if that was asked for when dialling."""
        ...

    def leave_alone(self) -> Svaml:
        """Let a leg go on that is none of ours."""
        ...

    def let_in(
        self,
        leg: PartyLeg,
        conference: str,
        announcer: Announcer,
        bringing: BroughtStream | None = None,
    ) -> Svaml:
        """Let a party, just answered, onto the line, after what they are told alone.

        Args:
            leg: Theirs.
            conference: Of the line.
            announcer: Tells them.
            bringing: The stream that is to come with them, who are the first; None if there is one.
        """
        ...

    def keep(self, leg: PartyLeg, conference: str) -> Svaml:
        """Keep a party where they are, or are to be."""
        ...

    def join(self) -> Svaml:
        """Let somebody, just answered, into the caller's conversation."""
        ...

    def ask(self, leg: TransferLeg, announcer: Announcer, callback_url: str) -> Svaml:
        """Tell somebody alone what it is about, and ask whether they take the call."""
        ...

    def bring_in(self, call: BridgedCall) -> Svaml:
        """Let somebody who was alone until now into the caller's conversation."""
        ...


class Actions(Protocol):
    """What can be asked of the platform, in one version of the API.

    Each method that waits raises SinchError if it is not done; each has its deadline.
    """

    version: Version

    def can_move(self, call: BridgedCall) -> bool:
        """Return whether the caller of a call can be passed on."""
        ...

    def conference(self, name: str) -> str:
        """Return the conference for a call of that name; ``""`` where there are none."""
        ...

    async def place(self, name: str, dial: Dial, caller_id: str) -> LegFacts:
        """Dial somebody; return what is known of the leg ``name`` then."""
        ...

    def refusal(self, party: Party) -> str:
        """Say why somebody cannot be dialled as is wanted; ``""`` if they can be."""
        ...

    async def place_line(
        self, placed: PlacedLeg, legs: Sequence[PartyLeg]
    ) -> Mapping[str, LegFacts | SinchError]:
        """Dial several onto one line; return by leg what is known of it then, or why not.

        A leg that is not in the answer was not asked for.
        """
        ...

    async def add_party(
        self, call: BridgedCall, leg: PartyLeg, caller_id: str, max_seconds: int, beside: str
    ) -> LegFacts:
        """Dial somebody onto the line of a call; return what is known of that leg then.

        Args:
            call: Of the line.
            leg: Theirs.
            caller_id: What they see.
            max_seconds: After which the platform ends the leg.
            beside: The platform's id of a leg that is on the line.
        """
        ...

    def tells_of_answer(self, to: str) -> bool:
        """Return whether the platform tells us when somebody whom we dial has answered."""
        ...

    async def participants(self, conference: str) -> Collection[str]:
        """Return the platform's ids of the legs in a conference: these are answered."""
        ...

    async def has_joined(self, call_id: str, conference: str) -> bool:
        """Return whether a leg is on its line: in the conference, or the bridge of version 2.

        Whoever is told something alone first has heard it then.
        """
        ...

    async def bring_stream(self, name: str, stream: Stream, conference: str) -> None:
        """Bring a stream into a conference, as a leg ``name``."""
        ...

    async def tell(self, call_id: str, commands: Svaml) -> None:
        """Give commands to a leg, where there are any besides answers to callbacks."""
        ...

    async def transfer(
        self, call: BridgedCall, name: str, to: str, caller_id: str, ring: int, max_seconds: int
    ) -> LegFacts:
        """Dial somebody into a caller's conversation; return what is known of that leg then."""
        ...

    async def dial_alone(
        self, call: BridgedCall, name: str, to: str, caller_id: str, ring: int, max_seconds: int
    ) -> LegFacts:
        """Dial somebody for a caller, into a leg of their own; return what is known of it then."""
        ...

    async def hang_up(self, phone: Phone) -> None:
        """Hang a phone's leg up; do nothing if the platform has not told us of it yet."""
        ...

    async def hang_up_otherwise(self, phone: Phone, conference: str) -> bool:
        """Hang a phone's leg up by other requests than :meth:`hang_up`, which was refused for good.

        Args:
            phone: Whose.
            conference: Of its line; ``""`` where there is none.

        Returns:
            Whether one of them was taken. If not, there is none, or it is about nobody there.
        """
        ...

    async def clear(self, conference: str) -> None:
        """Hang up whoever is in a conference."""
        ...

    async def hang_up_each(self, conference: str) -> None:
        """Hang up whoever is in a conference, one by one: :meth:`clear` was refused for good."""
        ...
