"""Version 1 of the Voice API: what we answer to its callbacks, what we ask for, and how.

It has conferences: a call of ours, or one that may be passed on, is one, with the phone and the
stream for legs. What a callback is answered with does one thing; all else is a request.

Sources: OpenAPI "Voice API 1.0.1", and Sinch's pages on ``connectStream`` and answering machine
detection. The tests check each form of SVAML against schemas written out from there.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from agent import phone_numbers
from agent.settings.sinch import Announcer
from agent.sinch.callbacks import Version
from agent.sinch.contracts import Dial
from agent.sinch.legs import BridgedCall, LegFacts, Phone, PlacedLeg
from agent.sinch.rest import Basic, Rest, SinchError, path_segment
from agent.sinch.signing import Credentials
from agent.sinch.svaml import Stream, Svaml, call_headers, is_sip
from agent.sinch_limits import MAX_SAY

CONFIGURATION_URL = "https://callingapi.sinch.com"
"""Numbers and callbacks are kept at a server of their own."""


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


def say_and_hang_up(text: str, announcer: Announcer, *, answer: bool) -> Svaml:
    """Say something and hang up; ``answer`` a call that still rings (ICE only)."""
    say = {"name": "say", "text": text[:MAX_SAY], "locale": announcer.locale}
    return {
        "instructions": [{"name": "answer"}, say] if answer else [say],
        "action": {"name": "hangup"},
    }


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


def custom_callout(ice: Svaml, *, ace: Svaml | None, custom: str, max_seconds: int) -> Svaml:
    """Start a leg that follows ``ice``, and ``ace`` once answered; without, we are asked."""
    callout = {"ice": json.dumps(ice), "custom": custom, "maxDuration": max_seconds}
    if ace is not None:
        callout["ace"] = json.dumps(ace)
    return {"method": "customCallout", "customCallout": callout}


def conference_callout(
    to: str, caller_id: str, conference: str, *, custom: str, max_seconds: int, dtmf: str = ""
) -> Svaml:
    """Dial somebody into a conference; ACE and DiCE are told to us."""
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

    def join(self) -> Svaml:
        """Continue: the callout was into the conference."""
        return continue_call()


class V1Actions:
    """What can be asked of the platform."""

    version: Version = "v1"

    def __init__(self, api: VoiceV1) -> None:
        self._api = api

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
            raise SinchError(
                "version 1 tells machines from people on telephone numbers only; screening `ears`"
                " does so anywhere"
            )
        else:
            # Where we listen, too, nobody waits for what the platform finds out.
            later = dial.machine == "message" or dial.screening == "both"
            ice = dial_and_detect(dial.to, caller_id, dial.max_seconds, wait_for_beep=later)
            body = custom_callout(ice, ace=None, custom=name, max_seconds=dial.max_seconds)
        return LegFacts(call_id=await self._api.callout(body))

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

    async def hang_up(self, phone: Phone) -> None:
        """Hang up, if the leg has come about."""
        if phone.call_id:
            await self._api.update_call(phone.call_id, hang_up(), urgent=True)

    async def clear(self, conference: str) -> None:
        """Kick all."""
        await self._api.kick_all(conference)


class VoiceV1:
    """Version 1: callouts, calls, conferences; the application's callbacks and numbers.

    Args:
        credentials: The application's.
        region: One of :data:`~agent.sinch_limits.V1_REGIONS`, or ``""``: wherever is nearest.
            Conferences need one.
        url: Instead of Sinch's own servers, a stand-in.
    """

    def __init__(self, credentials: Credentials, region: str = "", url: str = "") -> None:
        basic = Basic(name=credentials.key_id, password=credentials.secret)
        suffix = f"-{region}" if region else ""
        self._rest = Rest(basic)
        self._url = (url or f"https://calling{suffix}.api.sinch.com").rstrip("/")
        self._credentials = credentials
        self._configuration = (url or CONFIGURATION_URL).rstrip("/")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._rest.aclose()

    async def callout(self, body: Svaml) -> str:
        """Start a leg; return its call id. Never sent twice, unless it was turned away.

        Raises:
            SinchError: If there is none.
        """
        answer = await self._rest.request("POST", f"{self._url}/calling/v1/callouts", body)
        call_id = answer.get("callId") or answer.get("callid")
        if not isinstance(call_id, str) or not call_id:
            raise SinchError("Sinch's answer to the callout has no call id", may_be_done=True)
        return call_id

    async def get_call(self, call_id: str) -> dict[str, Any]:
        """Return what the platform knows of a call.

        Raises:
            SinchError: If it knows nothing.
        """
        return await self._rest.request("GET", self._call(call_id))

    async def update_call(self, call_id: str, svaml: Svaml, *, urgent: bool = False) -> None:
        """Let a call do something else: ``hangup``, ``continue`` or ``park``.

        Args:
            call_id: The platform's.
            svaml: What it is to do.
            urgent: Whether that does not wait for other requests: a hang-up.

        Raises:
            SinchError: If it cannot, or is over.
        """
        await self._rest.request("PATCH", self._call(call_id), svaml, repeat=True, urgent=urgent)

    async def kick_all(self, conference: str) -> None:
        """Hang up every leg of a conference.

        Raises:
            SinchError: If there is none.
        """
        url = f"{self._url}/calling/v1/conferences/id/{path_segment(conference)}"
        await self._rest.request("DELETE", url, urgent=True)

    async def get_numbers(self) -> list[dict[str, Any]]:
        """Return the numbers of the account, with the application that each belongs to.

        Raises:
            SinchError: If they cannot be had.
        """
        answer = await self._rest.request("GET", f"{self._configuration}/v1/configuration/numbers")
        numbers = answer.get("numbers") or answer.get("items") or []
        return [number for number in numbers if isinstance(number, dict)]

    async def get_callbacks(self) -> dict[str, Any]:
        """Return ``{"primary": …, "fallback": …}``; this request has to be signed.

        Raises:
            SinchError: If it cannot be had.
        """
        answer = await self._rest.request("GET", self._callbacks(), auth=self._credentials)
        url = answer.get("url")
        return url if isinstance(url, dict) else {}

    async def update_callbacks(self, primary: str) -> None:
        """Set where callbacks go; this request has to be signed.

        Raises:
            SinchError: If it is refused.
        """
        body = {"url": {"primary": primary}}
        await self._rest.request(
            "POST", self._callbacks(), body, repeat=True, auth=self._credentials
        )

    def _call(self, call_id: str) -> str:
        return f"{self._url}/calling/v1/calls/id/{path_segment(call_id)}"

    def _callbacks(self) -> str:
        key = path_segment(self._credentials.key_id)
        return f"{self._configuration}/v1/configuration/callbacks/applications/{key}"
