"""The two versions of the Voice API behind one face: what we answer, and what we ask for.

Version 1 has conferences: a call of ours, or one that may be passed on, is one, with the phone and
the stream for legs. Version 2 has sessions with named legs and bridges.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.settings.sinch import Announcer
from agent.sinch import svaml
from agent.sinch.callbacks import Version
from agent.sinch.rest import SinchError, VoiceV1, VoiceV2
from agent.sinch.svaml import Stream, Svaml

Machine = Literal["talk", "hangup", "message"]
"""What to do when a machine answers."""

Note = Mapping[str, Any]
"""What the shared folder knows of a call or a leg: see :mod:`agent.sinch.call_control`."""

LONGEST = 14_400
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

    def connect_incoming(self, stream: Stream, ring: int, callback_url: str) -> Svaml:
        """Connect a call that comes in with the stream."""
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


class V1Answers:
    """Version 1."""

    stays_when_moved = False

    def nothing(self) -> Svaml:
        """Nothing to do: DiCE and notify want an object, an empty body is an error."""
        return {}

    def hang_up(self) -> Svaml:
        """Hang up."""
        return svaml.v1_hang_up()

    def hang_up_legs(self, *_names: str) -> Svaml:
        """Do nothing: other legs are hung up by requests."""
        return {}

    def say_and_hang_up(self, text: str, announcer: Announcer, *, answer: bool) -> Svaml:
        """Answer if need be, say, hang up."""
        return svaml.v1_say_and_hang_up(text, announcer, answer=answer)

    def connect_incoming(self, stream: Stream, _ring: int, _callback_url: str) -> Svaml:
        """Connect the stream."""
        return svaml.v1_stream(stream)

    def connect_placed(self, _stream: Stream, _ring: int, _name: str, leg: Note) -> Svaml:
        """Wait in the conference: the stream comes by a callout of its own."""
        return self.wait(leg)

    def wait(self, leg: Note) -> Svaml:
        """Go to the conference; a conferenceCallout does so by itself."""
        if leg["machine"] == "talk":
            return svaml.v1_continue()
        return svaml.v1_conference(leg["conference"])

    def ask_who_answers(self) -> None:
        """Nothing: ``amd`` was set when dialling."""

    def leave_alone(self) -> Svaml:
        """Continue."""
        return svaml.v1_continue()

    def join(self) -> Svaml:
        """Continue: the callout was into the conference."""
        return svaml.v1_continue()


class V2Answers:
    """Version 2."""

    stays_when_moved = True  # the mutual hang-up goes with it

    def nothing(self) -> Svaml:
        """No commands."""
        return svaml.v2_nothing()

    def hang_up(self) -> Svaml:
        """Hang up."""
        return svaml.v2_hang_up()

    def hang_up_legs(self, *names: str) -> Svaml:
        """Hang them up by their names."""
        return svaml.v2_hang_up(*names)

    def say_and_hang_up(self, text: str, announcer: Announcer, *, answer: bool) -> Svaml:
        """Answer if need be, say, hang up."""
        return svaml.v2_say_and_hang_up(text, announcer, answer=answer)

    def connect_incoming(self, stream: Stream, ring: int, callback_url: str) -> Svaml:
        """Answer and bridge."""
        return svaml.v2_incoming(stream, ring, callback_url)

    def connect_placed(self, stream: Stream, ring: int, name: str, _leg: Note) -> Svaml:
        """Bridge."""
        return svaml.v2_bridged(stream, ring, name)

    def wait(self, _leg: Note) -> Svaml:
        """No commands."""
        return svaml.v2_nothing()

    def ask_who_answers(self) -> Svaml:
        """Detect."""
        return svaml.v2_amd()

    def leave_alone(self) -> Svaml:
        """No commands."""
        return svaml.v2_nothing()

    def join(self) -> Svaml:
        """Bridge."""
        return svaml.v2_join()


ANSWERS: Mapping[Version, Answers] = {"v1": V1Answers(), "v2": V2Answers()}


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


class V1Actions:
    """Version 1."""

    version: Version = "v1"

    def __init__(self, api: VoiceV1) -> None:
        self._api = api

    def can_move(self, call: Note) -> bool:
        """Return whether it is a conference of version 1."""
        return call["version"] == "v1" and bool(call["conference"])

    def conference(self, name: str) -> str:
        """Return a name of its own: at most 64 characters, fit for a path."""
        return f"c-{uuid.uuid5(uuid.NAMESPACE_URL, name).hex}"

    async def place(self, name: str, dial: Dial, caller_id: str) -> dict[str, str]:
        """Dial into a conference; where machines are listened for, by way of ACE."""
        conference = self.conference(name)
        if dial.machine == "talk":
            body = svaml.v1_conference_callout(
                dial.to,
                caller_id,
                conference,
                custom=name,
                max_seconds=dial.max_seconds,
                dtmf=dial.keys,
            )
        elif svaml.is_sip(dial.to):
            raise SinchError("version 1 tells machines from people on telephone numbers only")
        else:
            ice = svaml.v1_dial(
                dial.to, caller_id, dial.max_seconds, wait_for_beep=dial.machine == "message"
            )
            body = svaml.v1_custom_callout(ice, ace=None, custom=name, max_seconds=dial.max_seconds)
        return {"call_id": await self._api.callout(body)}

    async def bring_stream(self, name: str, stream: Stream, conference: str) -> None:
        """Start a leg that is the stream, and goes to the conference."""
        body = svaml.v1_custom_callout(
            svaml.v1_stream(stream),
            ace=svaml.v1_conference(conference),
            custom=name,
            max_seconds=stream.max_seconds,
        )
        await self._api.callout(body)

    async def tell(self, _call_id: str, _commands: Svaml) -> None:
        """Do nothing: the leg waits in its conference."""

    async def transfer(
        self, call: Note, name: str, to: str, caller_id: str, _ring: int
    ) -> dict[str, str]:
        """Dial into the caller's conference."""
        body = svaml.v1_conference_callout(
            to, caller_id, call["conference"], custom=name, max_seconds=LONGEST
        )
        return {"call_id": await self._api.callout(body)}

    async def hang_up(self, _name: str, leg: Note) -> None:
        """Hang up, if the leg has come about."""
        if leg.get("call_id"):
            await self._api.update_call(leg["call_id"], svaml.v1_hang_up())

    async def clear(self, conference: str) -> None:
        """Kick all."""
        await self._api.kick_all(conference)


class V2Actions:
    """Version 2."""

    version: Version = "v2"

    def __init__(self, api: VoiceV2) -> None:
        self._api = api

    def can_move(self, call: Note) -> bool:
        """Return whether it is a call of version 2."""
        return bool(call["version"] == "v2")

    def conference(self, _name: str) -> str:
        """Return nothing: there are bridges."""
        return ""

    async def place(self, name: str, dial: Dial, caller_id: str) -> dict[str, str]:
        """Dial."""
        commands = svaml.v2_dial(
            dial.to, caller_id, name, ring=dial.ring_seconds, max_seconds=dial.max_seconds
        )
        return {"session": await self._api.create_call(commands, idempotency_key=name)}

    async def bring_stream(self, _name: str, _stream: Stream, _conference: str) -> None:
        """Do nothing: the stream comes by the answer to a callback."""

    async def tell(self, call_id: str, commands: Svaml) -> None:
        """Patch the call."""
        await self._api.update_call(call_id, commands, uuid.uuid4().hex)

    async def transfer(
        self, call: Note, name: str, to: str, caller_id: str, ring: int
    ) -> dict[str, str]:
        """Dial in the caller's session."""
        dial = svaml.v2_dial(to, caller_id, name, ring=ring, max_seconds=LONGEST)
        await self._api.update_call(call["call_id"], dial, idempotency_key=name)
        return {}

    async def hang_up(self, name: str, leg: Note) -> None:
        """Hang up: by its id, or by its name before that is known."""
        commands, key = svaml.v2_hang_up(), uuid.uuid4().hex
        if leg.get("call_id"):
            await self._api.update_call(leg["call_id"], commands, key)
        elif leg.get("session"):
            await self._api.update_session_call(leg["session"], name, commands, key)

    async def clear(self, _conference: str) -> None:
        """Do nothing: each leg's hang-up takes the others along."""


def actions(api: VoiceV1 | VoiceV2 | None) -> Actions | None:
    """Return what an account allows; None without one."""
    match api:
        case VoiceV1():
            return V1Actions(api)
        case VoiceV2():
            return V2Actions(api)
    return None
