"""SVAML, both versions: what we tell the platform to do. Pure: values in, JSON objects out.

Sources: OpenAPI "Voice API 1.0.1", "Voice API v2 2.0.58", and Sinch's pages on ``connectStream``,
voice v2 tutorials and answering machine detection. The tests check each of these against schemas
written out from there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.settings.sinch import Announcer
from agent.sinch.callbacks import ENDED_WEBHOOK
from agent.sinch_limits import MAX_SAY

Svaml = dict[str, Any]

CALLER, STREAM = "caller", "stream"
"""Names of the legs of a version 2 call. A leg that we dialled is named by our own id for it."""

BRIDGE = "conversation"

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\t]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The stream that a call is to be connected to."""

    endpoint: str
    """``wss://``, with its token."""

    rate: int
    """Hertz."""

    max_seconds: int
    headers: Mapping[str, str] = field(default_factory=dict)


def v1_stream(stream: Stream) -> Svaml:
    """Connect to the stream (answer to ICE)."""
    return {
        "action": {
            "name": "connectStream",
            "destination": {"type": "Websocket", "endpoint": stream.endpoint},
            "streamingOptions": {"version": 1, "sampleRate": stream.rate},
            "maxDuration": stream.max_seconds,
            "callHeaders": _headers(stream.headers),
        }
    }


def v1_conference(conference: str) -> Svaml:
    """Put the leg into a conference (answer to ICE or ACE)."""
    return {"action": {"name": "connectConf", "conferenceId": conference}}


def v1_say_and_hang_up(text: str, announcer: Announcer, *, answer: bool) -> Svaml:
    """Say something and hang up; ``answer`` a call that still rings (ICE only)."""
    say = {"name": "say", "text": text[:MAX_SAY], "locale": announcer.locale}
    return {
        "instructions": [{"name": "answer"}, say] if answer else [say],
        "action": {"name": "hangup"},
    }


def v1_hang_up() -> Svaml:
    """Hang up."""
    return {"action": {"name": "hangup"}}


def v1_continue() -> Svaml:
    """Let the call go on as it would (answer to ACE)."""
    return {"action": {"name": "continue"}}


def v1_dial(number: str, caller_id: str, max_seconds: int, *, wait_for_beep: bool) -> Svaml:
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


def v1_custom_callout(ice: Svaml, *, ace: Svaml | None, custom: str, max_seconds: int) -> Svaml:
    """Start a leg that follows ``ice``, and ``ace`` once answered; without, we are asked."""
    callout = {"ice": json.dumps(ice), "custom": custom, "maxDuration": max_seconds}
    if ace is not None:
        callout["ace"] = json.dumps(ace)
    return {"method": "customCallout", "customCallout": callout}


def v1_conference_callout(
    to: str, caller_id: str, conference: str, *, custom: str, max_seconds: int, dtmf: str = ""
) -> Svaml:
    """Dial a number or SIP address into a conference; ACE and DiCE are told to us."""
    callout = {
        "cli": caller_id,
        "destination": {"type": "sip" if is_sip(to) else "number", "endpoint": to},
        "conferenceId": conference,
        "custom": custom,
        "maxDuration": max_seconds,
        "enableAce": True,
        "enableDice": True,
    }
    if dtmf:
        callout["dtmf"] = dtmf
    return {"method": "conferenceCallout", "conferenceCallout": callout}


def v2_incoming(stream: Stream, ring: int, callback_url: str) -> Svaml:
    """Answer, bridge with the stream, and let each hang-up take the other along.

    The leg's own ``onHangup`` keeps the platform from telling us, so it ends with a webhook.
    """
    told = {"command": "webhook", "webhookName": ENDED_WEBHOOK, "url": callback_url}
    return {
        "callName": CALLER,
        "commands": [{"command": "answer"}, *_bridged(stream, ring, CALLER)],
        "events": {"onHangup": [_hang_up(STREAM), told]},
    }


def v2_bridged(stream: Stream, ring: int, phone: str) -> Svaml:
    """Bridge an answered leg, called ``phone``, with the stream."""
    return {"commands": _bridged(stream, ring, phone)}


def v2_say_and_hang_up(text: str, announcer: Announcer, *, answer: bool) -> Svaml:
    """Say something and hang up; ``answer`` a call that still rings."""
    say = {
        "command": "messages",
        "messages": [
            {"type": "SAY", "say": {"text": text[:MAX_SAY], "voiceName": announcer.voice_name}}
        ],
        "events": {"onFinish": [{"command": "hangup"}]},
    }
    return {"commands": [{"command": "answer"}, say] if answer else [say]}


def v2_hang_up(*names: str) -> Svaml:
    """Hang up this leg, or those of these names."""
    return {"commands": [_hang_up(name) for name in names] or [{"command": "hangup"}]}


def v2_nothing() -> Svaml:
    """Do nothing."""
    return {"commands": []}


def v2_amd() -> Svaml:
    """Find out who answers; the platform tells us."""
    return {"commands": [{"command": "amd"}]}


def v2_dial(to: str, caller_id: str, name: str, *, ring: int, max_seconds: int) -> Svaml:
    """Dial a number or SIP address; without ``events``, so that everything is told to us."""
    return {
        "commands": [
            {
                "command": "dial",
                "callName": name,
                "from": {"type": "PHONE", "phone": {"number": caller_id}},
                "to": _v2_end(to),
                "dialTimeoutDurationSeconds": ring,
                "maxCallDurationSeconds": max_seconds,
            }
        ]
    }


def v2_join() -> Svaml:
    """Bring a leg into the conversation."""
    return {"commands": [{"command": "bridgeCall", "bridgeName": BRIDGE}]}


def is_sip(address: str) -> bool:
    """Return whether this is a SIP address, and no number."""
    return address.lower().startswith(("sip:", "sips:"))


def _v2_end(to: str) -> Svaml:
    if is_sip(to):
        return {"type": "SIP", "sip": {"endpoint": to}}
    return {"type": "PHONE", "phone": {"number": to}}


def _bridged(stream: Stream, ring: int, phone: str) -> list[Svaml]:
    dial = {
        "command": "dial",
        "callName": STREAM,
        "to": {
            "type": "STREAM",
            "stream": {
                "endpoint": stream.endpoint,
                "streamOptions": {"version": 1, "codec": "PCM", "sampleRate": stream.rate},
                "callHeaders": _headers(stream.headers),
            },
        },
        "dialTimeoutDurationSeconds": ring,
        "maxCallDurationSeconds": stream.max_seconds,
        "events": {
            "onAnswer": [{"command": "bridgeCall", "bridgeName": BRIDGE}],
            **{event: [_hang_up(phone)] for event in _STREAM_GONE},
        },
    }
    return [{"command": "bridgeCall", "bridgeName": BRIDGE}, dial]


_STREAM_GONE = ("onHangup", "onBusy", "onReject", "onTimeout", "onFailure")


def _hang_up(name: str) -> Svaml:
    return {"command": "hangup", "callName": name}


def _headers(headers: Mapping[str, str]) -> list[dict[str, str]]:
    """Return call headers within version 2's limits: 16, of printable ASCII, 255 characters."""
    fit = {_UNPRINTABLE.sub("?", k)[:255]: _UNPRINTABLE.sub("?", v) for k, v in headers.items()}
    return [
        {"key": key, "value": value} for key, value in fit.items() if key and len(value) <= 255
    ][:16]
