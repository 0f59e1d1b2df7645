"""What call control needs of others: of a version of the API, and of this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.sinch.callbacks import Version
from agent.sinch.svaml import Announcer, Stream, Svaml

Machine = Literal["talk", "hangup", "message"]
"""What to do when a machine answers."""

Note = Mapping[str, Any]
"""What the shared folder knows of a call or a leg: see :mod:`agent.sinch.call_control`."""

LONGEST_CALL = 14_400
"""Seconds, the most that the API allows: nobody wants to be cut off for how their call began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A call to place."""

    to: str
    """A number in E.164, or a SIP address."""

    agent: str
    variables: Mapping[str, str] = field(default_factory=dict)
    caller_id: str = ""
    """A number in E.164; ``""`` is the usual one."""

    max_seconds: int = 3600
    ring_seconds: int = 30
    machine: Machine = "talk"
    message: str = ""
    """What to leave on a machine."""

    keys: str = ""
    """Pressed by the platform once answered; version 1 only."""


class Answers(Protocol):
    """What a callback may be answered with."""

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

    def connect_placed(self, stream: Stream, ring: int, name: str, leg: Note) -> Svaml:
        """Connect a leg of ours, just answered, with the stream; or with where that will come."""
        ...

    def wait(self, leg: Note) -> Svaml:
        """Keep a leg of ours where it is, or is to be."""
        ...

    def ask_who_answers(self) -> Svaml | None:
        """Find out whether a machine has answered; None if that was asked for when dialling."""
        ...

    def leave_alone(self) -> Svaml:
        """Let a leg go on that is none of ours."""
        ...

    def join(self) -> Svaml:
        """Let somebody, just answered, into the caller's conversation."""
        ...


class Actions(Protocol):
    """What can be asked of the platform. Each raises SinchError if it is not done."""

    version: Version

    def can_move(self, call: Note) -> bool:
        """Return whether the caller of a call can be passed on."""
        ...

    def conference(self, name: str) -> str:
        """Return the conference for a call of that name; ``""`` where there are none."""
        ...

    async def place(self, name: str, dial: Dial, caller_id: str) -> dict[str, str]:
        """Dial somebody; return what is known of the leg ``name`` then."""
        ...

    async def bring_stream(self, name: str, stream: Stream, conference: str) -> None:
        """Bring a stream into a conference, as a leg ``name``."""
        ...

    async def tell(self, call_id: str, commands: Svaml) -> None:
        """Give commands to a leg, where there are any besides answers to callbacks."""
        ...

    async def transfer(
        self, call: Note, name: str, to: str, caller_id: str, ring: int
    ) -> dict[str, str]:
        """Dial somebody into a caller's conversation; return what is known of that leg then."""
        ...

    async def hang_up(self, name: str, leg: Note) -> None:
        """Hang a phone's leg up."""
        ...

    async def clear(self, conference: str) -> None:
        """Hang up whoever is in a conference."""
        ...
