"""What the platform is told: answers to its callbacks, and calls, transfers and hang-ups of ours.

One object a process; what several processes must know is in the folder that they share. A leg that
we dial carries a name of ours (``custom`` in version 1, ``callName`` in version 2), under which the
folder tells what it is for, so that any process can answer for it.

Version 1 has no way to pass a stream's caller on, so a call that we place, and with
``sinch.conference`` also a call that comes in, is a conference of two legs: the phone and the
stream. Version 2 has bridges for that.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import structlog

from agent import numbers
from agent.routing import Routing
from agent.shared import SharedState
from agent.sinch import svaml
from agent.sinch.callbacks import Answered, Answerer, Callback, Ended, Incoming, Version
from agent.sinch.client import SinchError, VoiceV1, VoiceV2
from agent.sinch.svaml import Announcer, Stream, Svaml
from agent.sinch.tokens import Claims, Tokens

log = structlog.get_logger()

Machine = Literal["talk", "hangup", "message"]
"""What to do when a machine answers."""

BEEP_WITHIN = 20.0
"""Seconds to wait for the beep of an answering machine; then the message is left all the same."""

STREAM_WITHIN = 20.0
"""Seconds for the stream of an answered leg to come about; then the leg is hung up."""

TRANSFER_MAX_SECONDS = 14_400
"""The longest that the API allows: nobody wants to be cut off because of how the call began."""


class ExchangeError(Exception):
    """It cannot be done. The message is for whoever asked."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A call whose stream is about to come."""

    call: str
    agent: str
    caller: str
    called: str
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    outgoing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """What stays the same."""

    api: Version
    """Which version our own requests use."""

    stream_url: str
    """Where the platform finds the stream endpoint, ``wss://``, without a token."""

    callback_url: str
    rate: int
    max_seconds: int
    ring_seconds: int
    token_lifetime: float
    caller_id: str
    conference: bool
    refusal: str
    sorry: str
    announcer: Announcer = field(default_factory=Announcer)


class Board(Protocol):
    """The calls of this process."""

    def announce(self, announced: Announced) -> None:
        """Prepare for a call. Returns at once."""
        ...

    def deliver(self, call_id: str, order: Mapping[str, Any]) -> bool:
        """Give an order to a call; return whether this process holds it."""
        ...

    def platform_line(self, call_id: str, fields: Mapping[str, Any]) -> None:
        """Add to the record of a call what the platform says of it."""
        ...


_DECISIONS: Mapping[tuple[Machine, Answerer], str] = {
    ("hangup", "machine"): "hang up",
    ("hangup", "beep"): "hang up",
    ("hangup", "pending"): "wait",
    ("message", "machine"): "wait for the beep",
    ("message", "beep"): "leave the message",
    ("message", "pending"): "wait",
}
"""What to do when somebody answers a call of ours; absent means to talk to them."""


class Exchange:
    """Answer callbacks, and place, move and end calls.

    Args:
        settings: What stays the same.
        routing: Which agent answers.
        tokens: For the streams.
        shared: What all processes know.
        api: The version's REST client; None if we have no account to use it with.
        board: The calls of this process.
    """

    def __init__(
        self,
        *,
        settings: ExchangeSettings,
        routing: Routing,
        tokens: Tokens,
        shared: SharedState,
        api: VoiceV1 | VoiceV2 | None,
        board: Board,
    ) -> None:
        self._settings = settings
        self._routing = routing
        self._tokens = tokens
        self._shared = shared
        self._api = api
        self._board = board
        self._tasks: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Finish what was begun on behalf of calls, in a few seconds; then let it be."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=3.0)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    # Callbacks

    def answer(self, callback: Callback, *, again: bool = False) -> Svaml:
        """Return what the platform is to do.

        Args:
            callback: Read and trusted.
            again: Whether it was answered before: nothing but the answer is wanted then.
        """
        match callback:
            case Incoming():
                return self._incoming(callback, again=again)
            case Answered():
                return _nothing(callback.leg.version) if again else self._answered(callback)
            case Ended():
                return _nothing(callback.leg.version) if again else self._ended(callback)
        return _nothing(callback.leg.version)

    def sorry(self, callback: Callback) -> Svaml:
        """Return the answer for when something is wrong with us."""
        version = callback.leg.version
        if isinstance(callback, Incoming):
            return self._say_and_hang_up(version, self._settings.sorry)
        return _nothing(version)

    def _say_and_hang_up(self, version: Version, text: str) -> Svaml:
        say = svaml.v1_say_and_hang_up if version == "v1" else svaml.v2_say_and_hang_up
        return say(text, self._settings.announcer, answer=True)

    def _incoming(self, callback: Incoming, *, again: bool) -> Svaml:
        leg, settings = callback.leg, self._settings
        agent = self._routing.agent(callback.called, callback.caller, callback.headers)
        if not agent:
            log.info("call refused: no agent for it", called=numbers.shortened(callback.called))
            return self._say_and_hang_up(leg.version, settings.refusal)
        headers = {"agent": agent, "caller": callback.caller, "called": callback.called}
        stream = self._stream(
            Claims(
                call=leg.call_id,
                agent=agent,
                rate=settings.rate,
                expires=int(_moment(leg.timestamp) + settings.token_lifetime),
            ),
            headers | {f"x-{k}"[:255]: v for k, v in callback.headers.items() if k not in headers},
        )
        conference = settings.conference and leg.version == "v1" and self._api is not None
        note = {
            "version": leg.version,
            "session": leg.session_id,
            "phone": svaml.CALLER,
            "call_id": leg.call_id,
            "conference": _conference(leg.call_id) if conference else "",
        }
        if not again:
            self._shared.note(f"call {leg.call_id}", note)
            self._board.announce(
                Announced(
                    call=leg.call_id,
                    agent=agent,
                    caller=callback.caller,
                    called=callback.called,
                    headers=callback.headers,
                )
            )
            log.info("call announced", agent=agent, version=leg.version)
        if leg.version == "v2":
            return svaml.v2_incoming(stream, settings.ring_seconds, settings.callback_url)
        if not conference:
            return svaml.v1_stream(stream)
        if not again:
            self._start(self._bring_stream(note, leg.call_id, stream))
        return svaml.v1_conference(note["conference"])

    def _answered(self, callback: Answered) -> Svaml:
        leg = callback.leg
        name = leg.name if leg.version == "v2" else leg.custom
        note = self._shared.noted(f"leg {name}") if name else None
        if note is None:
            return _nothing(leg.version) if leg.version == "v2" else svaml.v1_continue()
        if note["kind"] == "transfer":
            return self._transfer_answered(name, note, callback)
        if note["kind"] == "dial":
            return self._dial_answered(name, note, callback)
        return svaml.v1_continue()

    def _ended(self, callback: Ended) -> Svaml:
        leg = callback.leg
        name = leg.name if leg.version == "v2" else leg.custom
        note = self._shared.noted(f"leg {name}") if name else None
        log.info("leg ended", leg=name[:1], result=callback.result, reason=callback.reason)
        kind = note["kind"] if note is not None else ""
        if note is not None and kind == "transfer":
            return self._transfer_ended(name, note, callback)
        if note is not None and kind == "stream":
            self._start(self._end_conference(note["of"]))
            return {}
        of = name if kind == "dial" else leg.call_id
        if note is not None:
            self._update(name, status="ended", result=callback.result, reason=callback.reason)
        return self._phone_ended(of, callback)

    def _phone_ended(self, of: str, callback: Ended) -> Svaml:
        """Close the record of a call whose phone has hung up, and let nobody else hang on."""
        leg = callback.leg
        if self._shared.claim(f"ended {leg.call_id}") is None:
            self._board.platform_line(
                leg.call_id,
                {
                    "result": callback.result,
                    "reason": callback.reason,
                    "seconds": callback.seconds,
                    "amount": callback.amount,
                    "currency": callback.currency,
                },
            )
        call = self._shared.noted(f"call {of}")
        if call is None:
            return _nothing(leg.version)
        self._shared.note(f"call {of}", call | {"over": True})
        transfer = str(call.get("transfer", ""))
        if leg.version == "v2":
            return svaml.v2_hang_up(svaml.STREAM, *([transfer] if transfer else []))
        self._start(self._end_conference(of))
        if transfer:
            self._start(self._cancel_transfer(transfer))
        return {}

    # Calls that we place

    async def dial(self, request: Dial, idempotency_key: str = "") -> dict[str, Any]:
        """Place a call; return what :meth:`dialled` does.

        The same key, within a day and over all processes, is the same call.

        Raises:
            ExchangeError: If it cannot be placed, with the reason.
        """
        if self._api is None:
            raise ExchangeError("no account to dial with: see the settings of `sinch`")
        caller_id = request.caller_id or self._settings.caller_id
        if not caller_id:
            raise ExchangeError("no caller id: give one, or set sinch.caller_id")
        name = f"d{uuid.uuid4().hex[:24]}"
        key = f"dial key {idempotency_key}"
        if idempotency_key and self._shared.claim(key) is not None:
            return await self._dialled_before(key)
        if idempotency_key:
            self._shared.note(key, {"id": name})
        note = {
            "kind": "dial",
            "status": "dialling",
            "version": self._settings.api,
            "to": request.to,
            "agent": request.agent,
            "variables": dict(request.variables),
            "caller_id": caller_id,
            "max_seconds": request.max_seconds,
            "machine": request.machine,
            "message": request.message,
            "conference": _conference(name) if self._settings.api == "v1" else "",
        }
        self._shared.note(f"leg {name}", note)
        self._board.announce(
            Announced(
                call=name,
                agent=request.agent,
                caller=caller_id,
                called=request.to,
                variables=request.variables,
                outgoing=True,
            )
        )
        try:
            found = await self._place(name, note, request)
        except SinchError as error:
            self._update(name, status="failed", reason=str(error))
            if idempotency_key:
                self._shared.release(key)
            log.warning("not dialled", status=error.status, code=error.code)
            raise ExchangeError(str(error)) from None
        self._update(name, **found)
        log.info("dialled", to=numbers.shortened(request.to), dialled=name)
        return self.dialled(name) or {}

    async def _place(self, name: str, note: dict[str, Any], request: Dial) -> dict[str, Any]:
        """Ask the platform for the phone's leg; return what is known of it now."""
        to, caller_id, longest = request.to, note["caller_id"], request.max_seconds
        if isinstance(self._api, VoiceV2):
            commands = svaml.v2_dial(
                to, caller_id, name, ring=request.ring_seconds, max_seconds=longest
            )
            return {"session": await self._api.create_call(commands, idempotency_key=name)}
        if not isinstance(self._api, VoiceV1):
            raise SinchError("no account")
        if request.machine == "talk":
            body = svaml.v1_conference_callout(
                to,
                caller_id,
                note["conference"],
                custom=name,
                max_seconds=longest,
                dtmf=request.keys,
            )
        elif svaml.is_sip(to):
            raise SinchError("version 1 tells machines from people on telephone numbers only")
        else:
            ice = svaml.v1_dial(to, caller_id, longest, wait_for_beep=request.machine == "message")
            body = svaml.v1_custom_callout(ice, ace=None, custom=name, max_seconds=longest)
        return {"call_id": await self._api.callout(body)}

    async def _dialled_before(self, key: str) -> dict[str, Any]:
        for _ in range(50):
            known = self._shared.noted(key)
            if known is not None and (call := self.dialled(str(known["id"]))):
                return call
            await asyncio.sleep(0.1)
        raise ExchangeError("a call with this key is being placed, or could not be")

    def dialled(self, name: str) -> dict[str, Any] | None:
        """Return what is known of a call that we placed; None if there is none of that name."""
        note = self._shared.noted(f"leg {name}")
        if note is None or note["kind"] != "dial":
            return None
        shown = ("to", "agent", "status", "call_id", "result", "reason")
        return {"id": name, **{key: note[key] for key in shown if key in note}}

    def placed(self, name: str) -> dict[str, Any]:
        """Return the note of a call that we placed; empty if there is none."""
        return self._shared.noted(f"leg {name}") or {}

    def _dial_answered(self, name: str, note: dict[str, Any], callback: Answered) -> Svaml:
        leg = callback.leg
        if note["status"] in ("failed", "ended"):
            # The platform dialled though it told us otherwise, or somebody has hung up since.
            return svaml.v1_hang_up() if leg.version == "v1" else svaml.v2_hang_up()
        self._update(name, status="answered", call_id=leg.call_id)
        decision = _DECISIONS.get((note["machine"], callback.by), "talk")
        if leg.version == "v2" and not callback.by and note["machine"] != "talk":
            return svaml.v2_amd()
        match decision:
            case "hang up":
                self._update(name, status="machine")
                if leg.version == "v1":
                    self._start(self._hang_up_phone(name))
                return svaml.v1_hang_up() if leg.version == "v1" else svaml.v2_hang_up()
            case "wait":
                return self._reply(leg.version, note)
            case "wait for the beep":
                self._start(self._leave_message_later(name))
                return self._reply(leg.version, note)
        return self._connect(name, message=decision == "leave the message")

    @staticmethod
    def _reply(version: Version, note: Mapping[str, Any]) -> Svaml:
        """Return the answer that only keeps the phone's leg where it is, or is to be."""
        if version == "v2":
            return svaml.v2_nothing()
        if note["machine"] == "talk":
            return svaml.v1_continue()  # a conferenceCallout goes there by itself
        return svaml.v1_conference(note["conference"])

    def _connect(self, name: str, *, message: bool) -> Svaml:
        """Bring the agent to an answered leg, once; return the answer to the platform."""
        note = self.placed(name)
        version: Version = note["version"]
        if self._shared.claim(f"connect {name}") is not None:
            return self._reply(version, note)
        self._update(name, status="connected", leave_message=message)
        headers = {"agent": note["agent"], "caller": note["caller_id"], "called": note["to"]}
        stream = self._stream(
            Claims(
                call=note["call_id"],
                agent=note["agent"],
                rate=self._settings.rate,
                expires=int(time.time() + self._settings.token_lifetime),
                dialled=name,
            ),
            headers,
            note["max_seconds"],
        )
        call = {
            "version": version,
            "session": note.get("session", ""),
            "phone": name,
            "call_id": note["call_id"],
            "conference": note["conference"],
        }
        self._shared.note(f"call {name}", call)
        if version == "v2":
            return svaml.v2_bridged(stream, self._settings.ring_seconds, name)
        self._start(self._bring_stream(call, name, stream))
        return self._reply(version, note)

    async def _leave_message_later(self, name: str) -> None:
        """Leave the message on a machine that does not beep."""
        await asyncio.sleep(BEEP_WITHIN)
        note = self.placed(name)
        if note.get("status") != "answered":
            return
        commands = self._connect(name, message=True)
        if isinstance(self._api, VoiceV2):
            try:
                await self._api.update_call(note["call_id"], commands, uuid.uuid4().hex)
            except SinchError as error:
                log.warning("no message left", status=error.status, code=error.code)

    # The stream's leg of a version 1 conference

    async def _bring_stream(self, call: Mapping[str, Any], of: str, stream: Stream) -> None:
        """Add the stream to the conference in which the phone waits; else hang the phone up."""
        if not isinstance(self._api, VoiceV1):
            return
        name = f"s{uuid.uuid4().hex[:24]}"
        self._shared.note(f"leg {name}", {"kind": "stream", "of": of})
        body = svaml.v1_custom_callout(
            svaml.v1_stream(stream),
            ace=svaml.v1_conference(call["conference"]),
            custom=name,
            max_seconds=stream.max_seconds,
        )
        try:
            await self._api.callout(body)
        except SinchError as error:
            log.warning("no stream for a call", status=error.status, code=error.code)
            await self._hang_up_phone(of)
            return
        await asyncio.sleep(STREAM_WITHIN)
        if not self._shared.claimed(f"stream {call['call_id']}"):
            log.warning("the stream of a call did not come; the phone is hung up")
            await self._hang_up_phone(of)

    async def stream_ended(self, claims: Claims, *, moved: bool) -> None:
        """Hang up a phone that our stream has left alone; the platform does it everywhere else.

        Args:
            claims: Of the stream.
            moved: Whether the caller talks to somebody else now.
        """
        if not moved:
            await self._end_conference(claims.dialled or claims.call)

    async def _end_conference(self, of: str) -> None:
        call = self._shared.noted(f"call {of}") or {}
        if not call.get("conference") or not isinstance(self._api, VoiceV1):
            return
        if call.get("moved") and not call.get("over"):
            return
        try:
            await self._api.kick_all(call["conference"])
        except SinchError as error:
            if error.status != 404:
                log.warning("conference not ended", status=error.status, code=error.code)

    async def _hang_up_phone(self, of: str) -> None:
        """Hang up the phone's leg, whatever became of the rest."""
        leg = self._shared.noted(f"call {of}") or self.placed(of)
        try:
            if isinstance(self._api, VoiceV1) and leg.get("call_id"):
                await self._api.update_call(leg["call_id"], svaml.v1_hang_up())
            elif isinstance(self._api, VoiceV2) and leg.get("call_id"):
                await self._api.update_call(leg["call_id"], svaml.v2_hang_up(), uuid.uuid4().hex)
            elif isinstance(self._api, VoiceV2) and leg.get("session"):
                await self._api.update_session_call(
                    leg["session"], of, svaml.v2_hang_up(), uuid.uuid4().hex
                )
        except SinchError as error:
            if error.status != 404:
                log.warning("phone not hung up", status=error.status, code=error.code)
                raise ExchangeError(str(error)) from None

    # What an operator and the agent may ask for

    async def hang_up(self, call_id: str, *, goodbye: bool) -> None:
        """Hang up a call, in whichever process its stream is, or a leg that still rings.

        Raises:
            ExchangeError: If there is none, or Sinch does not do it.
        """
        note, call = self.placed(call_id), self._shared.noted(f"call {call_id}")
        if not note and call is None:
            raise ExchangeError("no such call")
        if note.get("status") in ("failed", "ended") or (call is not None and call.get("over")):
            raise ExchangeError("the call is over")
        if self._order(call_id, {"kind": "hang up", "goodbye": goodbye}):
            return
        if note:
            self._update(call_id, status="ended", reason="hung up by the operator")
        await self._hang_up_phone(call_id)

    def request_transfer(self, call_id: str, to: str, announcement: str) -> None:
        """Have the agent of a call announce a transfer and make it.

        Raises:
            ExchangeError: If there is no such call, or it cannot be moved.
        """
        call = self._shared.noted(f"call {call_id}")
        if call is None or call.get("over"):
            raise ExchangeError("no such call")
        if not self._movable(call):
            raise ExchangeError(CANNOT_MOVE)
        order = {"kind": "transfer", "to": to, "announcement": announcement}
        if not self._order(call_id, order):
            raise ExchangeError("the call has no agent now")

    def can_transfer(self, claims: Claims) -> bool:
        """Return whether the caller of this stream can be passed on."""
        call = self._shared.noted(f"call {claims.dialled or claims.call}")
        return call is not None and self._movable(call)

    def _movable(self, call: Mapping[str, Any]) -> bool:
        if self._api is None:
            return False
        return isinstance(self._api, VoiceV2) == (call["version"] == "v2") and bool(
            call["version"] == "v2" or call["conference"]
        )

    async def transfer(self, claims: Claims, to: str) -> None:
        """Dial ``to`` into the caller's conversation; what becomes of it comes as an order.

        Raises:
            ExchangeError: If it could not be dialled.
        """
        of = claims.dialled or claims.call
        call = self._shared.noted(f"call {of}")
        if call is None or not self._movable(call):
            raise ExchangeError(CANNOT_MOVE)
        name = f"t{uuid.uuid4().hex[:24]}"
        note = {"kind": "transfer", "of": of, "status": "dialling"}
        self._shared.note(f"leg {name}", note)
        self._shared.note(f"call {of}", call | {"transfer": name})
        caller_id, ring = self._settings.caller_id, self._settings.ring_seconds
        if claims.dialled:
            caller_id = self.placed(claims.dialled)["caller_id"]
        try:
            if isinstance(self._api, VoiceV2):
                dial = svaml.v2_dial(
                    to, caller_id, name, ring=ring, max_seconds=TRANSFER_MAX_SECONDS
                )
                await self._api.update_call(call["call_id"], dial, idempotency_key=name)
            elif isinstance(self._api, VoiceV1):
                body = svaml.v1_conference_callout(
                    to,
                    caller_id,
                    call["conference"],
                    custom=name,
                    max_seconds=TRANSFER_MAX_SECONDS,
                )
                self._update(name, call_id=await self._api.callout(body))
                self._start(self._stop_ringing(name))
        except SinchError as error:
            self._update(name, status="failed")
            log.warning("transfer not dialled", status=error.status, code=error.code)
            raise ExchangeError(str(error)) from None

    async def _stop_ringing(self, name: str) -> None:
        """Give up a transfer that nobody answers; a conferenceCallout has no time for it."""
        await asyncio.sleep(self._settings.ring_seconds)
        if self.placed(name).get("status") == "dialling":
            await self._cancel_transfer(name)

    async def _cancel_transfer(self, name: str) -> None:
        call_id = self.placed(name).get("call_id")
        if not call_id or not isinstance(self._api, VoiceV1):
            return
        try:
            await self._api.update_call(call_id, svaml.v1_hang_up())
        except SinchError as error:
            if error.status != 404:
                log.warning("transfer not hung up", status=error.status, code=error.code)

    def _transfer_answered(self, name: str, note: dict[str, Any], callback: Answered) -> Svaml:
        call = self._shared.noted(f"call {note['of']}") or {"over": True}
        if call.get("over"):
            v1 = callback.leg.version == "v1"
            return svaml.v1_hang_up() if v1 else svaml.v2_hang_up()
        self._update(name, status="answered")
        self._shared.note(f"call {note['of']}", call | {"moved": True})
        # Version 2 would hang up on both with the stream.
        v1 = callback.leg.version == "v1"
        self._order(note["of"], {"kind": "moved", "stay": not v1})
        return svaml.v1_continue() if v1 else svaml.v2_join()

    def _transfer_ended(self, name: str, note: dict[str, Any], callback: Ended) -> Svaml:
        version, of = callback.leg.version, str(note["of"])
        call = self._shared.noted(f"call {of}") or {}
        self._update(name, status="ended")
        if note["status"] != "answered":
            self._shared.note(f"call {of}", call | {"transfer": ""})
            self._order(of, {"kind": "not moved", "result": callback.result})
            return _nothing(version)
        # They have talked: whoever is left has nobody to talk to.
        if version == "v2":
            return svaml.v2_hang_up(call.get("phone", svaml.CALLER))
        self._shared.note(f"call {of}", call | {"over": True})
        self._start(self._end_conference(of))
        return {}

    # Common to all of it

    def _stream(
        self, claims: Claims, headers: Mapping[str, str], max_seconds: int | None = None
    ) -> Stream:
        token = self._tokens.mint(claims)
        return Stream(
            endpoint=f"{self._settings.stream_url}/{token}",
            rate=claims.rate,
            max_seconds=max_seconds or self._settings.max_seconds,
            # The second place: version 2 allows 255 characters, which a token may exceed.
            headers={"token": token, **headers} if len(token) <= 255 else headers,
        )

    def _order(self, call_id: str, order: dict[str, Any]) -> bool:
        """Give an order to a call; return whether there is a stream to take it."""
        if self._board.deliver(call_id, order):
            return True
        call = self._shared.noted(f"call {call_id}")
        if call is None or call.get("over"):
            return False
        if not self._shared.claimed(f"stream {call['call_id']}"):
            return False
        self._shared.order(call_id, order)
        return True

    def _update(self, name: str, **fields: object) -> None:
        note = self._shared.noted(f"leg {name}")
        if note is not None:
            self._shared.note(f"leg {name}", note | fields)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work for a call failed: this is a bug", exc_info=error)


CANNOT_MOVE = (
    "this call cannot be passed on: version 1 of the API moves only calls in a conference "
    "(sinch.conference, or a call that we placed)"
)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except ExchangeError:
        pass  # logged where it was raised: nobody waits for this
    except OSError as error:
        log.warning("the shared folder fails", error=error.strerror)


def _nothing(version: Version) -> Svaml:
    return {} if version == "v1" else svaml.v2_nothing()


def _conference(name: str) -> str:
    """Return the conference of a call: at most 64 characters, of a kind that fits a path."""
    return f"c-{uuid.uuid5(uuid.NAMESPACE_URL, name).hex}"


def _moment(timestamp: str) -> int:
    """Return the Unix time of a callback; now if it does not say."""
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return int(time.time())
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    # A platform's clock that goes wrong may neither keep a token alive nor kill it.
    return int(min(max(at.timestamp(), time.time() - 30), time.time() + 30))
