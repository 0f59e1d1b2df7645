"""What becomes of a call: answers to callbacks, and calls, transfers and hang-ups of ours.

One object a process; what several processes must know is in the folder that they share, as notes:

- ``leg <name>``: a leg that we asked for, by a name of ours that comes back with its callbacks
  (``custom`` in version 1, ``callName`` in version 2). Its ``kind`` is dial, stream or transfer.
- ``call <name>``: a call with a stream, by our name of it: of a call that we placed the leg's, of
  any other the platform's id.

So any process can answer for any leg. How the two versions differ is in
:mod:`agent.sinch.versions`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from agent import phone_numbers
from agent.call.orders import (
    CallerMoved,
    CallerNotMoved,
    HangUp,
    Order,
    TransferCaller,
    encode,
)
from agent.personas.routing import Routing
from agent.settings.sinch import SinchSettings
from agent.sinch import svaml
from agent.sinch.callbacks import (
    Answered,
    Answerer,
    Callback,
    Ended,
    Incoming,
    Leg,
    Other,
    Version,
)
from agent.sinch.rest import SinchError
from agent.sinch.svaml import Stream, Svaml
from agent.sinch.tokens import Claims, Tokens
from agent.sinch.versions import ANSWERS, Actions, Dial, Machine
from agent.store.folder import FolderStore

log = structlog.get_logger()

BEEP_WITHIN = 20.0
"""Seconds to wait for the beep of an answering machine; then the message is left all the same."""

STREAM_WITHIN = 20.0
"""Seconds for the stream of an answered leg to come about; then the leg is hung up."""

RECORD_WITHIN = 5.0
"""Seconds for our own end of a call to be on record, once the platform has told its own; a call is
gone in that time, whatever failed."""

LOOK_EVERY = 0.05
"""Seconds between two looks at whether it is."""

CANNOT_MOVE = (
    "this call cannot be passed on: version 1 of the API moves only calls in a conference "
    "(sinch.conference, or a call that we placed)"
)


class CallControlError(Exception):
    """It cannot be done. The message is for whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCall:
    """A call whose stream is about to come."""

    call: str
    agent: str
    caller: str
    called: str
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    outgoing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTarget:
    """Where the platform finds our streams, and what they are like."""

    url: str
    """``wss://``, without a token."""

    rate: int
    """Hertz."""

    max_seconds: int
    """After which the platform ends a call, if we have not before."""


class Board(Protocol):
    """The calls of this process."""

    @property
    def in_progress(self) -> Mapping[str, str]:
        """Our name of each, and its agent; one that was routed by hand has the platform's id."""
        ...

    def expect(self, expected: ExpectedCall) -> None:
        """Prepare for a call. Returns at once."""
        ...

    def deliver(self, call_id: str, order: Order) -> bool:
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


class CallControl:
    """Answer callbacks, and place, move and end calls.

    Args:
        settings: Of Sinch's side.
        stream: Where calls are connected to.
        routing: Which agent answers.
        tokens: For the streams.
        shared: What all processes know.
        actions: What we can ask the platform for; None if we have no account to do it with.
        board: The calls of this process.
    """

    def __init__(
        self,
        *,
        settings: SinchSettings,
        stream: StreamTarget,
        routing: Routing,
        tokens: Tokens,
        store: FolderStore,
        actions: Actions | None,
        board: Board,
    ) -> None:
        self._settings = settings
        self._target = stream
        self._routing = routing
        self._tokens = tokens
        self._store = store
        self._actions = actions
        self._board = board
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()

    async def aclose(self) -> None:
        """Finish what was begun on behalf of calls, in a few seconds; then let it be."""
        for timer in self._timers:
            timer.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=3.0)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    # Callbacks

    def answer(self, callback: Callback) -> Svaml:
        """Return what the platform is to do.

        Args:
            callback: Read, trusted, and not answered before.
        """
        match callback:
            case Incoming():
                return self._incoming(callback)
            case Answered():
                return self._answered(callback)
            case Ended():
                return self._ended(callback)
            case Other(name="pie"):
                return ANSWERS[callback.leg.version].leave_alone()  # of a menu that is not ours
        return ANSWERS[callback.leg.version].nothing()

    def sorry(self, callback: Callback) -> Svaml:
        """Return the answer for when something is wrong with us."""
        answers, settings = ANSWERS[callback.leg.version], self._settings
        match callback:
            case Incoming() | Answered(asks=True):
                ringing = isinstance(callback, Incoming)
                return answers.say_and_hang_up(settings.sorry, settings.announcer, answer=ringing)
            case Other(name="pie"):
                return answers.leave_alone()
        return answers.nothing()

    def _incoming(self, callback: Incoming) -> Svaml:
        leg, settings, answers = callback.leg, self._settings, ANSWERS[callback.leg.version]
        agent = self._routing.agent(callback.called, callback.caller, callback.headers)
        if not agent:
            log.info(
                "call refused: no agent for it", called=phone_numbers.shortened(callback.called)
            )
            return answers.say_and_hang_up(settings.refusal, settings.announcer, answer=True)
        stream = self._incoming_stream(callback, agent)
        call = self._incoming_call(leg)
        self._store.note(f"call {leg.call_id}", call)
        self._board.expect(
            ExpectedCall(
                call=leg.call_id,
                agent=agent,
                caller=callback.caller,
                called=callback.called,
                headers=callback.headers,
            )
        )
        log.info("call announced", agent=agent, version=leg.version)
        if not call["conference"]:
            return answers.connect_incoming(stream, settings.ring_seconds, settings.callback_url)
        self._start(self._bring_stream(leg.call_id, call, stream))
        return svaml.v1_conference(call["conference"])

    def _incoming_stream(self, callback: Incoming, agent: str) -> Stream:
        leg, settings = callback.leg, self._settings
        claims = Claims(
            call=leg.call_id,
            agent=agent,
            rate=self._target.rate,
            expires=int(_moment(leg.timestamp) + settings.token_lifetime),
        )
        headers = {"agent": agent, "caller": callback.caller, "called": callback.called}
        others = {f"x-{k}"[:255]: v for k, v in callback.headers.items() if k not in headers}
        return self._stream(claims, headers | others, self._target.max_seconds)

    def _incoming_call(self, leg: Leg) -> dict[str, Any]:
        conference = ""
        if self._settings.conference and self._actions is not None and leg.version == "v1":
            conference = self._actions.conference(leg.call_id)
        return {
            "version": leg.version,
            "session": leg.session_id,
            "phone": svaml.CALLER,
            "call_id": leg.call_id,
            "conference": conference,
        }

    def _answered(self, callback: Answered) -> Svaml:
        answer = self._take_answered(callback)
        return answer if callback.asks else ANSWERS[callback.leg.version].nothing()

    def _take_answered(self, callback: Answered) -> Svaml:
        name, note = self._ours(callback.leg)
        match note.get("kind"):
            case "transfer":
                return self._transfer_answered(name, note, callback.leg.version)
            case "dial":
                return self._dial_answered(name, note, callback)
        return ANSWERS[callback.leg.version].leave_alone()

    def _ended(self, callback: Ended) -> Svaml:
        name, note = self._ours(callback.leg)
        log.info("leg ended", leg=name[:1], result=callback.result, reason=callback.reason)
        match note.get("kind"):
            case "transfer":
                return self._transfer_ended(name, note, callback)
            case "stream":
                self._start(self._clear(str(note["of"])))
                return ANSWERS[callback.leg.version].nothing()
            case "dial":
                self._update(name, status="ended", result=callback.result, reason=callback.reason)
                return self._phone_ended(name, callback)
        return self._phone_ended(callback.leg.call_id, callback)

    def _ours(self, leg: Leg) -> tuple[str, dict[str, Any]]:
        """Return our name of a leg and its note; both empty if we did not ask for it."""
        name = leg.name or leg.custom
        note = self._store.noted(f"leg {name}") if name else None
        return (name, note) if note is not None else ("", {})

    def _phone_ended(self, of: str, callback: Ended) -> Svaml:
        """Close the record of a call whose phone has hung up, and let nobody else hang on."""
        leg, answers = callback.leg, ANSWERS[callback.leg.version]
        if self._store.claim(f"ended {leg.call_id}") is None:
            self._start(self._close_record(callback))
        call = self._store.noted(f"call {of}")
        if call is None:
            return answers.nothing()
        self._store.note(f"call {of}", call | {"over": True})
        self._start(self._clear(of))
        others = [svaml.STREAM]
        if transfer := str(call.get("transfer", "")):
            others.append(transfer)
            self._start(self._stop_ringing(transfer))
        return answers.hang_up_legs(*others)

    async def _close_record(self, callback: Ended) -> None:
        """Add what the platform says of a call to its record, behind our own last line.

        The socket of a stream and the callback are two connections: either may be the first to
        tell that the call is over, to this process or another.
        """
        call_id, looks = callback.leg.call_id, round(RECORD_WITHIN / LOOK_EVERY)
        try:
            for _ in range(looks):
                if not self._streams(call_id):
                    break
                await asyncio.sleep(LOOK_EVERY)
        finally:
            self._board.platform_line(
                call_id,
                {
                    "result": callback.result,
                    "reason": callback.reason,
                    "seconds": callback.seconds,
                    "amount": callback.amount,
                    "currency": callback.currency,
                },
            )

    def _streams(self, call_id: str) -> bool:
        """Return whether a call has its stream: here, or with a token of ours in any process."""
        if call_id in self._board.in_progress:
            return True
        streamed = self._store.claimed(f"stream {call_id}")
        return streamed and not self._store.claimed(f"stream over {call_id}")

    # Calls that we place

    async def dial(self, request: Dial, idempotency_key: str = "") -> dict[str, Any]:
        """Place a call; return what :meth:`dialled` does.

        The same key, within a day and over all processes, is the same call.

        Raises:
            ExchangeError: If it cannot be placed, with the reason.
        """
        if self._actions is None:
            raise CallControlError("no account to dial with: see the settings of `sinch`")
        caller_id = request.caller_id or self._settings.caller_id
        if not caller_id:
            raise CallControlError("no caller id: give one, or set sinch.caller_id")
        name = f"d{uuid.uuid4().hex[:24]}"
        key = f"dial key {idempotency_key}"
        if idempotency_key and self._store.claim(key) is not None:
            return await self._dialled_before(key)
        if idempotency_key:
            self._store.note(key, {"id": name})
        self._note_dial(name, request, caller_id, self._actions)
        try:
            found = await self._actions.place(name, request, caller_id)
        except SinchError as error:
            self._update(name, status="failed", reason=str(error))
            if idempotency_key:
                self._store.release(key)
            log.warning("not dialled", status=error.status, code=error.code)
            raise CallControlError(str(error)) from None
        self._update(name, **found)
        log.info("dialled", to=phone_numbers.shortened(request.to), dialled=name)
        return self.dialled(name) or {}

    def _note_dial(self, name: str, request: Dial, caller_id: str, actions: Actions) -> None:
        """Note a leg before it is asked for: its callbacks may be faster than the answer."""
        note = {
            "kind": "dial",
            "status": "dialling",
            "version": actions.version,
            "to": request.to,
            "agent": request.agent,
            "variables": dict(request.variables),
            "caller_id": caller_id,
            "max_seconds": request.max_seconds,
            "machine": request.machine,
            "message": request.message,
            "conference": actions.conference(name),
        }
        self._store.note(f"leg {name}", note)
        self._board.expect(
            ExpectedCall(
                call=name,
                agent=request.agent,
                caller=caller_id,
                called=request.to,
                variables=request.variables,
                outgoing=True,
            )
        )

    async def _dialled_before(self, key: str) -> dict[str, Any]:
        for _ in range(50):
            known = self._store.noted(key)
            if known is not None and (call := self.dialled(str(known["id"]))):
                return call
            await asyncio.sleep(0.1)
        raise CallControlError("a call with this key is being placed, or could not be")

    def dialled(self, name: str) -> dict[str, Any] | None:
        """Return what is known of a call that we placed; None if there is none of that name."""
        note = self.placed(name)
        if note.get("kind") != "dial":
            return None
        shown = ("to", "agent", "status", "call_id", "result", "reason")
        return {"id": name, **{key: note[key] for key in shown if key in note}}

    def placed(self, name: str) -> dict[str, Any]:
        """Return the note of a leg that we asked for; empty if there is none."""
        return self._store.noted(f"leg {name}") or {}

    def _dial_answered(self, name: str, note: dict[str, Any], callback: Answered) -> Svaml:
        answers = ANSWERS[callback.leg.version]
        if note["status"] in ("failed", "ended"):
            # The platform dialled though it told us otherwise, or somebody has hung up since.
            return answers.hang_up()
        self._update(name, status="answered", call_id=callback.leg.call_id)
        if not callback.by and note["machine"] != "talk" and (ask := answers.ask_who_answers()):
            return ask
        match _DECISIONS.get((note["machine"], callback.by)):
            case "hang up":
                self._update(name, status="machine")
                self._start(self._hang_up_phone(name))  # an answer to `notify` cannot
                return answers.hang_up()
            case "wait" | "wait for the beep" as decision:
                if decision != "wait":
                    self._later(BEEP_WITHIN, self._leave_message, name)
                return answers.wait(note)
            case decision:
                return self._connect(name, message=decision == "leave the message")

    def _connect(self, name: str, *, message: bool) -> Svaml:
        """Bring the agent to an answered leg, once; return the answer to the platform."""
        note = self.placed(name)
        answers = ANSWERS[note["version"]]
        if self._store.claim(f"connect {name}") is not None:
            return answers.wait(note)
        self._update(name, status="connected", leave_message=message)
        claims = Claims(
            call=note["call_id"],
            agent=note["agent"],
            rate=self._target.rate,
            expires=int(time.time() + self._settings.token_lifetime),
            dialled=name,
        )
        headers = {"agent": note["agent"], "caller": note["caller_id"], "called": note["to"]}
        stream = self._stream(claims, headers, note["max_seconds"])
        call = {
            "version": note["version"],
            "session": note.get("session", ""),
            "phone": name,
            "call_id": note["call_id"],
            "conference": note["conference"],
        }
        self._store.note(f"call {name}", call)
        if call["conference"]:
            self._start(self._bring_stream(name, call, stream))
        return answers.connect_placed(stream, self._settings.ring_seconds, name, note)

    async def _leave_message(self, name: str) -> None:
        """Leave the message on a machine that does not beep."""
        note = self.placed(name)
        if note.get("status") != "answered" or self._actions is None:
            return
        commands = self._connect(name, message=True)
        try:
            await self._actions.tell(note["call_id"], commands)
        except SinchError as error:
            log.warning("no message left", status=error.status, code=error.code)

    # The stream's leg of a conference

    async def _bring_stream(self, of: str, call: Mapping[str, Any], stream: Stream) -> None:
        """Add the stream to the conference in which the phone waits; else hang the phone up."""
        if self._actions is None:
            return
        name = f"s{uuid.uuid4().hex[:24]}"
        self._store.note(f"leg {name}", {"kind": "stream", "of": of})
        # Whatever becomes of the request; if Sinch does not hang up now, either, it may then.
        self._later(STREAM_WITHIN, self._look_for_stream, of)
        try:
            await self._actions.bring_stream(name, stream, call["conference"])
        except SinchError as error:
            log.warning("no stream for a call", status=error.status, code=error.code)
            await self._hang_up_phone(of)

    async def _look_for_stream(self, of: str) -> None:
        """Hang up a phone that nobody talks to."""
        call = self._store.noted(f"call {of}") or {}
        if not call.get("over") and not self._store.claimed(f"stream {call.get('call_id')}"):
            log.warning("the stream of a call did not come; the phone is hung up")
            await self._hang_up_phone(of)

    def stream_ended(self, claims: Claims, *, moved: bool) -> None:
        """Let the platform have the last word on a call whose record we have closed.

        A phone that our stream has left alone is hung up; where there is no conference, the
        platform does it itself. Returns at once.

        Args:
            claims: Of the stream, whether it was answered or not.
            moved: Whether the caller talks to somebody else now.
        """
        self._start(self._leave(claims, moved=moved))

    async def _leave(self, claims: Claims, *, moved: bool) -> None:
        self._store.claim(f"stream over {claims.call}")
        if not moved:
            await self._clear(_name(claims))

    async def _clear(self, of: str) -> None:
        """Hang up whoever is left in the conference of a call, unless they talk to each other."""
        call = self._store.noted(f"call {of}") or {}
        talking = call.get("moved") and not call.get("over")
        if self._actions is None or not call.get("conference") or talking:
            return
        try:
            await self._actions.clear(call["conference"])
        except SinchError as error:
            if error.status != 404:
                log.warning("conference not ended", status=error.status, code=error.code)

    async def _hang_up_phone(self, of: str) -> None:
        """Hang up the phone's leg, whatever became of the rest.

        Raises:
            ExchangeError: If Sinch does not do it.
        """
        if self._actions is None:
            return
        leg = self._store.noted(f"call {of}") or self.placed(of)
        try:
            await self._actions.hang_up(of, leg)
        except SinchError as error:
            if error.status != 404:
                log.warning("phone not hung up", status=error.status, code=error.code)
                raise CallControlError(str(error)) from None

    # What an operator and the agent may ask for

    async def hang_up(self, call_id: str, *, goodbye: bool) -> None:
        """Hang up a call, in whichever process its stream is, or a leg that still rings.

        Raises:
            ExchangeError: If there is none, or Sinch does not do it.
        """
        note, call = self.placed(call_id), self._store.noted(f"call {call_id}")
        order = HangUp(goodbye=goodbye)
        if not note and call is None:
            if self._board.deliver(call_id, order):  # it was routed by hand
                return
            raise CallControlError("no such call")
        if note.get("status") in ("failed", "ended") or (call is not None and call.get("over")):
            raise CallControlError("the call is over")
        if self._order(call_id, order):
            return
        if note:
            self._update(call_id, status="ended", reason="hung up by the operator")
        await self._hang_up_phone(call_id)

    def request_transfer(self, call_id: str, to: str, announcement: str) -> None:
        """Have the agent of a call announce a transfer and make it.

        Raises:
            ExchangeError: If there is no such call, or it cannot be moved.
        """
        call = self._store.noted(f"call {call_id}")
        if call is None or call.get("over"):
            raise CallControlError("no such call")
        if self._actions is None or not self._actions.can_move(call):
            raise CallControlError(CANNOT_MOVE)
        if not self._order(call_id, TransferCaller(to=to, announcement=announcement)):
            raise CallControlError("the call has no agent now")

    def can_transfer(self, claims: Claims) -> bool:
        """Return whether the caller of this stream can be passed on."""
        call = self._store.noted(f"call {_name(claims)}")
        return call is not None and self._actions is not None and self._actions.can_move(call)

    async def transfer(self, claims: Claims, to: str) -> None:
        """Dial ``to`` into the caller's conversation; what becomes of it comes as an order.

        Raises:
            ExchangeError: If it could not be dialled.
        """
        of = _name(claims)
        call = self._store.noted(f"call {of}")
        if call is None or self._actions is None or not self._actions.can_move(call):
            raise CallControlError(CANNOT_MOVE)
        name, ring = f"t{uuid.uuid4().hex[:24]}", self._settings.ring_seconds
        self._store.note(f"leg {name}", {"kind": "transfer", "of": of, "status": "dialling"})
        self._store.note(f"call {of}", call | {"transfer": name})
        caller_id = self.placed(of).get("caller_id") or self._settings.caller_id
        try:
            found = await self._actions.transfer(call, name, to, caller_id, ring)
        except SinchError as error:
            self._update(name, status="failed")
            log.warning("transfer not dialled", status=error.status, code=error.code)
            raise CallControlError(str(error)) from None
        self._update(name, **found)
        self._later(ring + 1.0, self._stop_ringing, name)

    async def _stop_ringing(self, name: str) -> None:
        """Hang up a transfer that nobody has answered; a conferenceCallout rings without end."""
        note = self.placed(name)
        if self._actions is None or note.get("status") != "dialling":
            return
        try:
            await self._actions.hang_up(name, note)
        except SinchError as error:
            if error.status != 404:
                log.warning("transfer not hung up", status=error.status, code=error.code)

    def _transfer_answered(self, name: str, note: dict[str, Any], version: Version) -> Svaml:
        answers = ANSWERS[version]
        call = self._store.noted(f"call {note['of']}") or {"over": True}
        if call.get("over"):
            return answers.hang_up()
        self._update(name, status="answered")
        self._store.note(f"call {note['of']}", call | {"moved": True})
        self._order(note["of"], CallerMoved(stay=answers.stays_when_moved))
        return answers.join()

    def _transfer_ended(self, name: str, note: dict[str, Any], callback: Ended) -> Svaml:
        answers, of = ANSWERS[callback.leg.version], str(note["of"])
        call = self._store.noted(f"call {of}") or {}
        self._update(name, status="ended")
        if note["status"] != "answered":
            self._store.note(f"call {of}", call | {"transfer": ""})
            self._order(of, CallerNotMoved())
            return answers.nothing()
        # They have talked: whoever is left has nobody to talk to.
        self._store.note(f"call {of}", call | {"over": True})
        self._start(self._clear(of))
        return answers.hang_up_legs(call.get("phone", svaml.CALLER))

    # Common to all of it

    def _stream(self, claims: Claims, headers: Mapping[str, str], max_seconds: int) -> Stream:
        token = self._tokens.mint(claims)
        return Stream(
            endpoint=f"{self._target.url}/{token}",
            rate=claims.rate,
            max_seconds=max_seconds,
            headers={"token": token, **headers},
        )

    def _order(self, call_id: str, order: Order) -> bool:
        """Give an order to a call; return whether there is an agent to take it."""
        call = self._store.noted(f"call {call_id}")
        if call is None or call.get("over"):
            return False
        if call.get("moved") and not isinstance(order, CallerMoved):
            return False
        if self._board.deliver(call_id, order):
            return True
        if not self._streams(call["call_id"]):
            return False
        self._store.order(call_id, encode(order))
        return True

    def _update(self, name: str, **fields: object) -> None:
        note = self._store.noted(f"leg {name}")
        if note is not None:
            self._store.note(f"leg {name}", note | fields)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _later(
        self, seconds: float, work: Callable[[str], Coroutine[Any, Any, None]], name: str
    ) -> None:
        """Start work for a call or leg, ``seconds`` from now."""

        def due() -> None:
            self._timers.discard(timer)
            self._start(work(name))

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work for a call failed: this is a bug", exc_info=error)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Do what nobody waits for."""
    try:
        await work
    except CallControlError:
        return  # logged where it was raised
    except OSError as error:
        log.warning("the shared folder fails", error=error.strerror)


def _name(claims: Claims) -> str:
    """Return our name of the call that a stream belongs to."""
    return claims.dialled or claims.call


def _moment(timestamp: str) -> int:
    """Return the Unix time of a callback; now if it does not say."""
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return int(time.time())
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    # A platform's clock that goes wrong may neither keep a token alive nor kill it.
    return int(min(max(at.timestamp(), time.time() - 30), time.time() + 30))
