"""Version 1 of the Voice API: what we answer to its callbacks, what we ask for, and how.

It has conferences: a call of ours, or one that may be passed on, is one, with the phone and the
stream for legs. What a callback is answered with does one thing; all else is a request.

Sources: OpenAPI "Voice API 1.0.1", and Sinch's pages on ``connectStream`` and answering machine
detection. The tests check each form of SVAML against schemas written out from there.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from agent import phone_numbers
from agent.settings.sinch import Announcer
from agent.sinch.api.menus import v1_menu
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Stream, Svaml, call_headers, is_sip
from agent.sinch.api.v1_requests import VoiceV1
from agent.sinch.callbacks import Version
from agent.sinch.contracts import BroughtStream, Dial, Party
from agent.sinch.legs.leg_kinds import (
    BridgedCall,
    LegFacts,
    PartyLeg,
    Phone,
    PlacedLeg,
    TransferLeg,
)
from agent.sinch_limits import MAX_SAY

ONLY_NUMBERS = "version 1 tells machines from people on telephone numbers only"
"""Why ``amd`` is not for SIP addresses and In-App users: ``connectPstn`` alone has it."""

# SVAML: values in, JSON objects out.


def connect_stream(stream: Stream) -> Svaml:
    """Connect to the stream (answer to ICE)."""
    return {
        "action": {
            "name": "connectStream",
            "destination": {"type": "Websocket", "endpoint": stream.endpoint},
            "streamingOptions": {"version": 1, "sampleRate": stream.rate},
            "maxDuration": stream.max_seconds,
            "callHeaders": call_headers(stream.headers),
        }
    }


def connect_conference(conference: str) -> Svaml:
    """Put the leg into a conference (answer to ICE or ACE)."""
    return {"action": {"name": "connectConf", "conferenceId": conference}}


def say_first(text: str, announcer: Announcer, then: Svaml) -> Svaml:
    """Say something, and do ``then`` (answer to ICE or ACE)."""
    return {"instructions": [_say(text, announcer)], **then}


def say_and_hang_up(text: str, announcer: Announcer, *, answer: bool) -> Svaml:
    """Say something and hang up; ``answer`` a call that still rings (ICE only)."""
    say = _say(text, announcer)
    return {
        "instructions": [{"name": "answer"}, say] if answer else [say],
        "action": {"name": "hangup"},
    }


def _say(text: str, announcer: Announcer) -> Svaml:
    return {"name": "say", "text": text[:MAX_SAY], "locale": announcer.locale}


def hang_up() -> Svaml:
    """Hang up."""
    return {"action": {"name": "hangup"}}


def continue_call() -> Svaml:
    """Let the call go on as it would (answer to ACE)."""
    return {"action": {"name": "continue"}}


def dial_and_detect(number: str, caller_id: str, max_seconds: int, *, wait_for_beep: bool) -> Svaml:
    """Dial a number and tell who answers (ICE of a customCallout, the one place for ``amd``)."""
    return {
        "action": {
            "name": "connectPstn",
            "number": number,
            "cli": caller_id,
            "maxDuration": max_seconds,
            "amd": {"enabled": True, "async": wait_for_beep},
        }
    }


def connect_sip(address: str, caller_id: str, max_seconds: int) -> Svaml:
    """Dial a SIP address (ICE); it rings until it is hung up."""
    return {
        "action": {
            "name": "connectSip",
            "destination": {"type": "sip", "endpoint": address},
            "cli": caller_id,
            "maxDuration": max_seconds,
        }
    }


def custom_callout(ice: Svaml, *, ace: Svaml | None, custom: str, max_seconds: int) -> Svaml:
    """Start a leg that follows ``ice``, and ``ace`` once answered; without, we are asked."""
    callout = {"ice": json.dumps(ice), "custom": custom, "maxDuration": max_seconds}
    if ace is not None:
        callout["ace"] = json.dumps(ace)
    return {"method": "customCallout", "customCallout": callout}


def conference_callout(
    to: str, caller_id: str, conference: str, *, custom: str, max_seconds: int, dtmf: str = ""
) -> Svaml:
    """Dial somebody into a conference; ACE and DiCE are told to us, of In-App users only DiCE."""
    callout = {
        "cli": caller_id,
        "destination": _destination(to),
        "conferenceId": conference,
        "custom": custom,
        "maxDuration": max_seconds,
        "enableAce": True,
        "enableDice": True,
    }
    if dtmf:
        callout["dtmf"] = dtmf
    return {"method": "conferenceCallout", "conferenceCallout": callout}


def _destination(to: str) -> Svaml:
    if user := phone_numbers.user(to):
        return {"type": "username", "endpoint": user}
    return {"type": "sip" if is_sip(to) else "number", "endpoint": to}


class V1Answers:
    """What a callback may be answered with."""

    stays_when_moved = False

    def nothing(self) -> Svaml:
        """Nothing to do: DiCE and notify want an object, an empty body is an error."""
        return {}

    def hang_up(self) -> Svaml:
        """Hang up."""
        return hang_up()

    def hang_up_legs(self, *_names: str) -> Svaml:
        """Do nothing: other legs are hung up by requests."""
        return {}

    def say_and_hang_up(self, text: str, announcer: Announcer, *, answer: bool) -> Svaml:
        """Answer if need be, say, hang up."""
        return say_and_hang_up(text, announcer, answer=answer)

    def connect_incoming(
        self, stream: Stream, conference: str, _ring: int, _callback_url: str
    ) -> Svaml:
        """Connect the stream; or wait in the conference, to which it comes by a callout."""
        return connect_conference(conference) if conference else connect_stream(stream)

    def connect_placed(self, _stream: Stream, _ring: int, leg: PlacedLeg) -> Svaml:
        """Wait in the conference: the stream comes by a callout of its own."""
        return self.wait(leg)

    def wait(self, leg: PlacedLeg) -> Svaml:
        """Go to the conference; a conferenceCallout does so by itself."""
        if not leg.asks_platform:
            return continue_call()
        return connect_conference(leg.conference)

    def ask_who_answers(self) -> None:
        """Nothing: ``amd`` was set when dialling."""

    def leave_alone(self) -> Svaml:
        """Continue."""
        return continue_call()

    def let_in(
        self,
        leg: PartyLeg,
        conference: str,
        announcer: Announcer,
        bringing: BroughtStream | None = None,
    ) -> Svaml:
        """Say, and go to the conference: the stream comes by a callout of its own."""
        then = self.keep(leg, conference)
        first = leg.heard_alone if bringing is None else leg.announcement
        return say_first(first, announcer, then) if first else then

    def keep(self, leg: PartyLeg, conference: str) -> Svaml:
        """Go to the conference; a conferenceCallout does so by itself."""
        return continue_call() if leg.machine == "talk" else connect_conference(conference)

    def join(self) -> Svaml:
        """Continue: the callout was into the conference."""
        return continue_call()

    def ask(self, leg: TransferLeg, announcer: Announcer, _callback_url: str) -> Svaml:
        """Run a menu, by the name of the leg: a PIE need not say more of whose it is."""
        menu = v1_menu(leg.name, leg.prompt, announcer)
        return say_first(leg.told_first, announcer, menu) if leg.told_first else menu

    def bring_in(self, call: BridgedCall) -> Svaml:
        """Put the leg into the call's conference."""
        return connect_conference(call.conference)


class V1Actions:
    """What can be asked of the platform."""

    version: Version = "v1"

    def __init__(self, api: VoiceV1, locale: str) -> None:
        self._api = api
        self._locale = locale  # of the platform's voice

    def can_move(self, call: BridgedCall) -> bool:
        """Return whether it is a conference of version 1."""
        return call.version == "v1" and bool(call.conference)

    def conference(self, name: str) -> str:
        """Return a name of its own: at most 64 characters, fit for a path."""
        return f"c-{uuid.uuid5(uuid.NAMESPACE_URL, name).hex}"

    async def place(self, name: str, dial: Dial, caller_id: str) -> LegFacts:
        """Dial into a conference; where machines are listened for, by way of ACE."""
        if not dial.asks_platform:
            body = conference_callout(
                dial.to,
                caller_id,
                self.conference(name),
                custom=name,
                max_seconds=dial.max_seconds,
                dtmf=dial.keys,
            )
        elif is_sip(dial.to) or phone_numbers.user(dial.to):
            raise SinchError(f"{ONLY_NUMBERS}; screening `ears` does so anywhere")
        else:
            # Where we listen, too, nobody waits for what the platform finds out.
            later = dial.machine == "message" or dial.screening == "both"
            ice = dial_and_detect(dial.to, caller_id, dial.max_seconds, wait_for_beep=later)
            body = custom_callout(ice, ace=None, custom=name, max_seconds=dial.max_seconds)
        return LegFacts(call_id=await self._api.callout(body))

    def refusal(self, party: Party) -> str:
        """Return :data:`ONLY_NUMBERS` if it is none, and machines are to be told from people."""
        by_number = not (is_sip(party.to) or phone_numbers.user(party.to))
        return "" if by_number or party.machine == "talk" else ONLY_NUMBERS

    async def place_line(
        self, placed: PlacedLeg, legs: Sequence[PartyLeg]
    ) -> Mapping[str, LegFacts | SinchError]:
        """Dial each into the conference."""
        found: dict[str, LegFacts | SinchError] = {}
        for leg in legs:
            try:
                found[leg.name] = await self._dial_into(
                    leg, placed.conference, placed.caller_id, placed.max_seconds
                )
            except SinchError as error:
                found[leg.name] = error
                if not error.status:
                    break  # Sinch is away: whoever asks waits for each
        return found

    async def add_party(
        self, call: BridgedCall, leg: PartyLeg, caller_id: str, max_seconds: int, _beside: str
    ) -> LegFacts:
        """Dial into the conference."""
        return await self._dial_into(leg, call.conference, caller_id, max_seconds)

    async def _dial_into(
        self, leg: PartyLeg, conference: str, caller_id: str, max_seconds: int
    ) -> LegFacts:
        if leg.machine == "talk":
            body = conference_callout(
                leg.to, caller_id, conference, custom=leg.name, max_seconds=max_seconds
            )
            if leg.heard_alone and not self.tells_of_answer(leg.to):  # else said at the answer
                greeting = {"greeting": leg.heard_alone, "locale": self._locale}
                body["conferenceCallout"] |= greeting
        else:  # to the conference by the answer to ACE
            ice = dial_and_detect(leg.to, caller_id, max_seconds, wait_for_beep=False)
            body = custom_callout(ice, ace=None, custom=leg.name, max_seconds=max_seconds)
        return LegFacts(call_id=await self._api.callout(body))

    def tells_of_answer(self, to: str) -> bool:
        """Return whether it is no In-App user: for these Sinch sends no ACE."""
        return not phone_numbers.user(to)

    async def participants(self, conference: str) -> Collection[str]:
        """Return whom the conference lists; it is none while nobody is in it."""
        return await self._api.get_participants(conference)

    async def has_joined(self, call_id: str, conference: str) -> bool:
        """Return whether the conference lists the leg."""
        return call_id in await self.participants(conference)

    async def bring_stream(self, name: str, stream: Stream, conference: str) -> None:
        """Start a leg that is the stream, and goes to the conference."""
        body = custom_callout(
            connect_stream(stream),
            ace=connect_conference(conference),
            custom=name,
            max_seconds=stream.max_seconds,
        )
        await self._api.callout(body)

    async def tell(self, _call_id: str, _commands: Svaml) -> None:
        """Do nothing: the leg waits in its conference."""

    async def transfer(
        self, call: BridgedCall, name: str, to: str, caller_id: str, _ring: int, max_seconds: int
    ) -> LegFacts:
        """Dial into the caller's conference."""
        body = conference_callout(
            to, caller_id, call.conference, custom=name, max_seconds=max_seconds
        )
        return LegFacts(call_id=await self._api.callout(body))

    async def dial_alone(
        self, _call: BridgedCall, name: str, to: str, caller_id: str, _ring: int, max_seconds: int
    ) -> LegFacts:
        """Dial somebody into a leg of their own; we are asked what then (ACE).

        Sinch does not ask that of In-App users, so that these cannot be dialled so.
        """
        if is_sip(to):
            ice = connect_sip(to, caller_id, max_seconds)
        else:
            ice = dial_and_detect(to, caller_id, max_seconds, wait_for_beep=True)
        body = custom_callout(ice, ace=None, custom=name, max_seconds=max_seconds)
        return LegFacts(call_id=await self._api.callout(body))

    async def hang_up(self, phone: Phone) -> None:
        """Hang up, if the leg has come about."""
        if phone.call_id:
            await self._api.update_call(phone.call_id, hang_up(), urgent=True)

    async def clear(self, conference: str) -> None:
        """Kick all."""
        await self._api.kick_all(conference)

    async def hang_up_otherwise(self, phone: Phone, conference: str) -> bool:
        """Kick the leg out of its conference, if it is there."""
        if not (phone.call_id and conference):
            return False
        try:
            await self._api.kick(conference, phone.call_id)
        except SinchError as error:
            if error.not_found:
                return False
            raise
        return True

    async def hang_up_each(self, conference: str) -> None:
        """Kick each, or else hang it up."""
        refused: SinchError | None = None
        for call_id in await self.participants(conference):
            try:
                await self._kick_or_hang_up(conference, call_id)
            except SinchError as error:
                # What passes is asked again, of all.
                refused = error if refused is None or error.passes else refused
        if refused is not None:
            raise refused

    async def _kick_or_hang_up(self, conference: str, call_id: str) -> None:
        for ask in (
            partial(self._api.kick, conference, call_id),
            partial(self._api.update_call, call_id, hang_up(), urgent=True),
        ):
            try:
                return await ask()
            except SinchError as error:
                if error.not_found:
                    return None
                refused = error
                if error.passes:
                    break
        raise refused
