"""Version 2 of the Voice API: what we answer to its callbacks, what we ask for, and how.

It has sessions with named legs, and bridges. An answer is a list of commands, and may be about
other legs of the session.

Sources: OpenAPI "Voice API v2 2.0.58", and Sinch's pages on ``connectStream`` and the version 2
tutorials. The tests check each form of SVAML against schemas written out from there.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

from agent.settings.sinch import Announcer
from agent.sinch.api.menus import v2_menu
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Stream, Svaml, call_headers, is_sip
from agent.sinch.api.v2_requests import VoiceV2
from agent.sinch.callbacks import ENDED_WEBHOOK, Version
from agent.sinch.contracts import BroughtStream, Dial, Party
from agent.sinch.legs.leg_kinds import (
    CALLER,
    STREAM,
    BridgedCall,
    LegFacts,
    PartyLeg,
    Phone,
    PlacedLeg,
    TransferLeg,
)
from agent.sinch_limits import MAX_SAY

BRIDGE = "conversation"

_STREAM_GONE = ("onHangup", "onBusy", "onReject", "onTimeout", "onFailure")


# SVAML: values in, JSON objects out.


def answer_and_bridge(stream: Stream, ring: int, callback_url: str) -> Svaml:
    """Answer, bridge with the stream, and let each hang-up take the other along.

    The leg's own ``onHangup`` keeps the platform from telling us, so it ends with a webhook.
    """
    told = {"command": "webhook", "webhookName": ENDED_WEBHOOK, "url": callback_url}
    return {
        "callName": CALLER,
        "commands": [{"command": "answer"}, *_bridged(stream, ring, CALLER)],
        "events": {"onHangup": [_hang_up(STREAM), told]},
    }


def bridge_with_stream(stream: Stream, ring: int, phone: str) -> Svaml:
    """Bridge an answered leg, called ``phone``, with the stream."""
    return {"commands": _bridged(stream, ring, phone)}


def say_and_hang_up(text: str, announcer: Announcer, *, answer: bool) -> Svaml:
    """Say something and hang up; ``answer`` a call that still rings."""
    say = {**_say(text, announcer), "events": {"onFinish": [{"command": "hangup"}]}}
    return {"commands": [{"command": "answer"}, say] if answer else [say]}


def hang_up(*names: str) -> Svaml:
    """Hang up this leg, or those of these names."""
    return {"commands": [_hang_up(name) for name in names] or [{"command": "hangup"}]}


def no_commands() -> Svaml:
    """Do nothing."""
    return {"commands": []}


def detect_machine() -> Svaml:
    """Find out who answers; the platform tells us."""
    return {"commands": [{"command": "amd"}]}


def dial_leg(to: str, caller_id: str, name: str, *, ring: int, max_seconds: int) -> Svaml:
    """Dial a number or SIP address; without ``events``, so that everything is told to us."""
    return {
        "commands": [
            {
                "command": "dial",
                "callName": name,
                "from": {"type": "PHONE", "phone": {"number": caller_id}},
                "to": _party(to),
                "dialTimeoutDurationSeconds": ring,
                "maxCallDurationSeconds": max_seconds,
            }
        ]
    }


def dial_legs(legs: Sequence[PartyLeg], caller_id: str, *, max_seconds: int) -> Svaml:
    """Dial several, each with its own time to ring."""
    dials = [
        dial_leg(leg.to, caller_id, leg.name, ring=leg.ring_seconds, max_seconds=max_seconds)
        for leg in legs
    ]
    return {"commands": [command for dial in dials for command in dial["commands"]]}


def join_bridge() -> Svaml:
    """Bring a leg into the conversation."""
    return {"commands": [{"command": "bridgeCall", "bridgeName": BRIDGE}]}


def bridge_line(stream: Stream, ring: int, phones: Sequence[str]) -> Svaml:
    """Bridge the first answered leg of several with the stream, with which all of them go."""
    return {"commands": _bridged(stream, ring, *phones)}


def say_first(text: str, announcer: Announcer, then: Svaml) -> Svaml:
    """Say something, and do ``then``."""
    say = _say(text, announcer)
    return {"commands": [{**say, "events": {"onFinish": then["commands"]}}]}


def _party(to: str) -> Svaml:
    if is_sip(to):
        return {"type": "SIP", "sip": {"endpoint": to}}
    return {"type": "PHONE", "phone": {"number": to}}


def _say(text: str, announcer: Announcer) -> Svaml:
    say = {"text": text[:MAX_SAY], "voiceName": announcer.voice_name}
    return {"command": "messages", "messages": [{"type": "SAY", "say": say}]}


def _bridged(stream: Stream, ring: int, *phones: str) -> list[Svaml]:
    dial = {
        "command": "dial",
        "callName": STREAM,
        "to": {
            "type": "STREAM",
            "stream": {
                "endpoint": stream.endpoint,
                "streamOptions": {"version": 1, "codec": "PCM", "sampleRate": stream.rate},
                "callHeaders": call_headers(stream.headers),
            },
        },
        "dialTimeoutDurationSeconds": ring,
        "maxCallDurationSeconds": stream.max_seconds,
        "events": {
            "onAnswer": [{"command": "bridgeCall", "bridgeName": BRIDGE}],
            **{event: [_hang_up(phone) for phone in phones] for event in _STREAM_GONE},
        },
    }
    return [{"command": "bridgeCall", "bridgeName": BRIDGE}, dial]


def _hang_up(name: str) -> Svaml:
    return {"command": "hangup", "callName": name}


class V2Answers:
    """What a callback may be answered with."""

    stays_when_moved = True  # the mutual hang-up goes with it

    def nothing(self) -> Svaml:
        """No commands."""
        return no_commands()

    def hang_up(self) -> Svaml:
        """Hang up."""
        return hang_up()

    def hang_up_legs(self, *names: str) -> Svaml:
        """Hang them up by their names."""
        return hang_up(*names)

    def say_and_hang_up(self, text: str, announcer: Announcer, *, answer: bool) -> Svaml:
        """Answer if need be, say, hang up."""
        return say_and_hang_up(text, announcer, answer=answer)

    def connect_incoming(
        self, stream: Stream, _conference: str, ring: int, callback_url: str
    ) -> Svaml:
        """Answer and bridge."""
        return answer_and_bridge(stream, ring, callback_url)

    def connect_placed(self, stream: Stream, ring: int, leg: PlacedLeg) -> Svaml:
        """Bridge."""
        return bridge_with_stream(stream, ring, leg.name)

    def wait(self, _leg: PlacedLeg) -> Svaml:
        """No commands."""
        return no_commands()

    def ask_who_answers(self) -> Svaml:
        """Detect."""
        return detect_machine()

    def leave_alone(self) -> Svaml:
        """No commands."""
        return no_commands()

    def let_in(
        self,
        leg: PartyLeg,
        _conference: str,
        announcer: Announcer,
        bringing: BroughtStream | None = None,
    ) -> Svaml:
        """Say, and bridge; the first brings the stream along, which comes after what they hear."""
        if bringing is None:
            then = join_bridge()
        else:
            then = bridge_line(bringing.stream, bringing.ring, bringing.phones)
        first = leg.heard_alone if bringing is None else leg.announcement
        return say_first(first, announcer, then) if first else then

    def keep(self, _leg: PartyLeg, _conference: str) -> Svaml:
        """No commands."""
        return no_commands()

    def join(self) -> Svaml:
        """Bridge."""
        return join_bridge()

    def ask(self, leg: TransferLeg, announcer: Announcer, callback_url: str) -> Svaml:
        """Run a menu, which takes keys alone."""
        detect, menu = v2_menu(leg.prompt, announcer, callback_url)["commands"]
        if not leg.told_first:
            return {"commands": [detect, menu]}
        first = say_first(leg.told_first, announcer, {"commands": [menu]})
        return {"commands": [detect, *first["commands"]]}

    def bring_in(self, _call: BridgedCall) -> Svaml:
        """Bridge."""
        return join_bridge()


class V2Actions:
    """What can be asked of the platform."""

    version: Version = "v2"

    def __init__(self, api: VoiceV2) -> None:
        self._api = api

    def can_move(self, call: BridgedCall) -> bool:
        """Return whether it is a call of version 2."""
        return call.version == "v2"

    def conference(self, _name: str) -> str:
        """Return nothing: there are bridges."""
        return ""

    async def place(self, name: str, dial: Dial, caller_id: str) -> LegFacts:
        """Dial."""
        commands = dial_leg(
            dial.to, caller_id, name, ring=dial.ring_seconds, max_seconds=dial.max_seconds
        )
        return LegFacts(session=await self._api.create_call(commands, idempotency_key=name))

    def refusal(self, _party: Party) -> str:
        """Return nothing: whoever is not an In-App user can be dialled as is wanted."""
        return ""

    async def place_line(
        self, placed: PlacedLeg, legs: Sequence[PartyLeg]
    ) -> Mapping[str, LegFacts | SinchError]:
        """Dial all in one session."""
        commands = dial_legs(legs, placed.caller_id, max_seconds=placed.max_seconds)
        try:
            session = await self._api.create_call(commands, idempotency_key=placed.name)
        except SinchError as error:
            return {leg.name: error for leg in legs}
        return {leg.name: LegFacts(session=session) for leg in legs}

    async def add_party(
        self, call: BridgedCall, leg: PartyLeg, caller_id: str, max_seconds: int, beside: str
    ) -> LegFacts:
        """Dial in the session."""
        commands = dial_legs([leg], caller_id, max_seconds=max_seconds)
        await self._api.update_call(beside, commands, idempotency_key=leg.name)
        return LegFacts(session=call.session)

    def tells_of_answer(self, _to: str) -> bool:
        """Return True: of each of them."""
        return True

    async def participants(self, _conference: str) -> Collection[str]:
        """Return nobody: there are no conferences."""
        return ()

    async def has_joined(self, call_id: str, _conference: str) -> bool:
        """Return whether the call is in a bridge; one that is over, or not known, is in none."""
        try:
            return bool((await self._api.get_call(call_id)).get("bridgeName"))
        except SinchError as error:
            if error.not_found:
                return False
            raise

    async def bring_stream(self, _name: str, _stream: Stream, _conference: str) -> None:
        """Do nothing: the stream comes by the answer to a callback."""

    async def tell(self, call_id: str, commands: Svaml) -> None:
        """Patch the call."""
        await self._api.update_call(call_id, commands, uuid.uuid4().hex)

    async def transfer(
        self, call: BridgedCall, name: str, to: str, caller_id: str, ring: int, max_seconds: int
    ) -> LegFacts:
        """Dial in the caller's session."""
        dial = dial_leg(to, caller_id, name, ring=ring, max_seconds=max_seconds)
        await self._api.update_call(call.call_id, dial, idempotency_key=name)
        return LegFacts()

    async def dial_alone(
        self, call: BridgedCall, name: str, to: str, caller_id: str, ring: int, max_seconds: int
    ) -> LegFacts:
        """Dial in the caller's session: it is in no bridge until it is told to."""
        await self.transfer(call, name, to, caller_id, ring, max_seconds)
        return LegFacts(session=call.session)

    async def hang_up(self, phone: Phone) -> None:
        """Hang up: by its id, or by its name before that is known."""
        commands, key = hang_up(), uuid.uuid4().hex
        if phone.call_id:
            await self._api.update_call(phone.call_id, commands, key, urgent=True)
        elif phone.session:
            await self._api.update_session_call(phone.session, phone.name, commands, key)

    async def clear(self, _conference: str) -> None:
        """Do nothing: each leg's hang-up takes the others along."""

    async def hang_up_otherwise(self, phone: Phone, _conference: str) -> bool:
        """Hang up by the name of the leg; or else the stream, which takes the phone of its call."""
        if not (phone.session and phone.call_id):
            return False
        names = [phone.phone, STREAM] if isinstance(phone, BridgedCall) else [phone.name]
        refused: SinchError | None = None
        for name in names:
            try:
                await self._api.update_session_call(
                    phone.session, name, hang_up(), uuid.uuid4().hex
                )
            except SinchError as error:
                refused = error
                if error.passes:
                    break
            else:
                return True
        if refused is not None and not refused.not_found:
            raise refused
        return False

    async def hang_up_each(self, _conference: str) -> None:
        """Do nothing: there are no conferences."""
