"""A stand-in for the Sinch platform: it places a call to any server that speaks the stream channel.

It connects, waits for ``answer``, sends the caller's audio in 20 ms frames in real time, and plays
what comes back through a model of the platform's playout buffer. What the caller would have heard,
and when, is what it reports: not what was sent.
"""

from __future__ import annotations

import asyncio
import enum
import json
import wave
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
import numpy as np

from pipelines.audio import FRAME_SECONDS, Audio, Chunker, frame_bytes

BUFFER_BYTES = 5_000_000
"""The platform holds 5 MB a call, and drops the oldest beyond (AsyncAPI "Voice Stream 1.0.0")."""

SOUND = 150
"""RMS of a frame that sounds, in 16-bit steps: -47 dBFS, above line noise, below any speech."""

BREATH = 0.6
"""Seconds of quiet within one stretch of speech: a pause between two sentences."""

Shape = Literal["v1", "v2", "tutorial"]


class CallFailedError(Exception):
    """The call was refused, or nothing was answered; the message is one clear line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something the caller says."""

    audio: Audio
    """At the call's rate."""

    label: str
    """Words, or the name of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A call to place. Times in seconds."""

    turns: Sequence[Turn] = ()
    rate: int = 8000
    headers: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = "v2"
    """Which of the published ``connect`` messages to send."""

    interrupt_after: float | None = None
    """Start each turn this long after the agent has begun to speak, and not once it is done."""

    answer_timeout: float = 15.0
    """For the ``answer``, and for each reply."""

    greeting_timeout: float = 3.0
    """Speak first if there is no greeting by then."""

    max_seconds: float = 600.0
    """Hang up then: an agent may never stop talking."""

    patience: float = 1.0
    """Quiet after which the agent is done: longer than :data:`BREATH`."""

    linger: float = 0.0
    """Quiet, more than that, until the caller hangs up when they have said everything."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One turn of the caller and what came of it. Seconds since the answer."""

    label: str
    began: float
    """When the caller's first sound was sent."""

    ended: float
    """When the last was."""

    response: float | None = None
    """From ``ended`` to the first sound of the reply that the caller heard; negative if the agent
    cut in."""

    clear: float | None = None
    """From ``began`` to the ``clear`` that stopped the agent, if the agent was speaking."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What was measured. Seconds since the answer."""

    rate: int
    exchanges: list[Exchange] = field(default_factory=list)
    agent_spoke: list[tuple[float, float]] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    heartbeats: int = 0
    unknown: int = 0
    """Messages that the stream channel does not have."""

    gaps: int = 0
    """Times that the buffer ran dry within a stretch of speech: a stutter, or a slow sentence."""

    overflowed_bytes: int = 0
    ended_by: Literal["caller", "agent"] = "caller"
    close_code: int | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts; times rounded to milliseconds."""
        rounded: dict[str, Any] = json.loads(
            json.dumps(asdict(self)), parse_float=lambda text: round(float(text), 3)
        )
        return rounded


class PlayoutBuffer:
    """The platform's buffer of one call: filled as fast as we are sent, played in real time.

    Args:
        max_bytes: Beyond it the oldest bytes are lost.
    """

    def __init__(self, max_bytes: int = BUFFER_BYTES) -> None:
        self._pieces: deque[bytes] = deque()
        self._max_bytes = max_bytes
        self.size = 0
        """Bytes waiting to be played."""

        self.overflowed = 0
        """Bytes lost because the buffer was full."""

    def add(self, pcm: bytes) -> None:
        """Take audio that came in."""
        self._pieces.append(pcm)
        self.size += len(pcm)
        if self.size > self._max_bytes:
            self.overflowed += len(self.take(self.size - self._max_bytes))

    def clear(self) -> None:
        """Forget all that has not been played."""
        self._pieces.clear()
        self.size = 0

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes to be played; fewer if there are fewer."""
        taken = bytearray()
        while self._pieces and len(taken) < size:
            piece = self._pieces.popleft()
            wanted = size - len(taken)
            taken += piece[:wanted]
            if len(piece) > wanted:
                self._pieces.appendleft(piece[wanted:])
        self.size -= len(taken)
        return bytes(taken)


class Stretches:
    """Cut a run of frames into stretches of sound, with breaths within them.

    Args:
        on_change: Told when a stretch begins (True) and when it has ended (False), with the time
            at which that was: the end is known only a breath later.
    """

    def __init__(self, on_change: Callable[[bool, float], None]) -> None:
        self._on_change = on_change
        self._last_sound = 0.0
        self.began: float | None = None
        """When the present stretch began; None in quiet."""

    def feed(self, frame: bytes, at: float) -> None:
        """Take the frame that begins at ``at`` seconds."""
        if sounds(frame):
            if self.began is None:
                self.began = at
                self._on_change(True, at)  # noqa: FBT003 - begun or ended
            self._last_sound = at + FRAME_SECONDS
        elif self.began is not None and at - self._last_sound >= BREATH:
            self.flush()

    def flush(self) -> None:
        """End the stretch, if there is one."""
        if self.began is not None:
            self.began = None
            self._on_change(False, self._last_sound)  # noqa: FBT003 - begun or ended

    def quiet_for(self, now: float) -> float:
        """Return the seconds since the last sound; since the beginning if there was none."""
        return now - self._last_sound


def sounds(frame: bytes) -> bool:
    """Return whether ``frame`` is more than line noise."""
    samples = np.frombuffer(frame, "<i2").astype(np.float32)
    return len(samples) > 0 and float(np.sqrt(np.mean(samples * samples))) >= SOUND


def connect_message(plan: Plan, call_id: str) -> str:
    """Return the first message, in the shape that the plan asks for."""
    headers = dict(plan.headers)
    message: dict[str, Any] = {"command": "connect"}
    match plan.shape:
        case "v1":
            message |= {"CallId": call_id, "ApplicationId": "stand-in", "Headers": headers}
        case "tutorial":
            message |= {"callId": call_id, "applicationId": "stand-in", "headers": headers}
        case "v2":
            message |= {
                "version": 1,
                "callId": call_id,
                "applicationKey": "stand-in",
                "codec": "PCM",
                "sampleRate": plan.rate,
                "callHeaders": headers,
            }
    return json.dumps(message)


class _Stage(enum.Enum):
    LISTENING = enum.auto()
    SPEAKING = enum.auto()


class CallInProgress:
    """One call, frame by frame: no clock, no socket. Time is the number of frames.

    Args:
        plan: What the caller does.
        tell: Given a time and a line for the timeline, as things happen.
    """

    def __init__(self, plan: Plan, tell: Callable[[float, str], None]) -> None:
        self.buffer = PlayoutBuffer()
        self.report = Report(rate=plan.rate)
        self.caller_channel = bytearray()
        self.agent_channel = bytearray()
        self._plan = plan
        self._tell = tell
        self._frame_size = frame_bytes(plan.rate)
        self._silence = bytes(self._frame_size)
        self._agent = Stretches(self._agent_changed)
        self._turns = iter(plan.turns)
        self._next: Turn | None = next(self._turns, None)
        self._speech: Iterator[bytes] | None = None
        self._dry = 0
        self._now = 0.0
        self.done = False
        """Whether the caller has nothing more to say and nothing more to wait for."""

    def received(self, message: str | bytes) -> None:
        """Take what the agent sent, after its ``answer``."""
        if isinstance(message, bytes):
            self.buffer.add(message)
            return
        match _command(message):
            case "clear":
                self._cleared()
            case "heartbeat":
                self.report.heartbeats += 1
            case _:
                self.report.unknown += 1
                self._tell(self._now, "the agent sent something that is no command")

    def frame(self) -> bytes:
        """Play 20 ms; return the caller's next frame."""
        played = self.buffer.take(self._frame_size)
        self._count_gap(played)
        played = played.ljust(self._frame_size, b"\0")
        self._agent.feed(played, self._now)
        spoken = self._speak()
        self.agent_channel += played
        self.caller_channel += spoken
        self._now = round(self._now + FRAME_SECONDS, 6)
        self.done = self.done or self._now >= self._plan.max_seconds
        return spoken

    def finish(self) -> Report:
        """End the call; return what was measured."""
        self._agent.flush()
        self.report.seconds = self._now
        self.report.overflowed_bytes = self.buffer.overflowed
        return self.report

    def failure(self) -> str:
        """Return why this was no conversation, in one line; ``""`` if it was one."""
        if not self.report.agent_spoke:
            return "answered, but the agent said nothing"
        silent = [e.label for e in self.report.exchanges if e.response is None]
        if silent:
            return f"nothing was answered to {silent[0]!r}"
        if self._next is not None and self.report.ended_by == "caller":
            return f"{self._plan.max_seconds:g} s were over before {self._next.label!r}"
        if self._next is not None:
            return f"the agent hung up before {self._next.label!r}"
        return ""

    def save(self, path: Path) -> None:
        """Write the call as a stereo WAV: caller left, agent right."""
        both = np.stack(
            [np.frombuffer(bytes(c), "<i2") for c in (self.caller_channel, self.agent_channel)],
            axis=1,
        )
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(self._plan.rate)
            file.writeframes(both.tobytes())

    def _speak(self) -> bytes:
        if self._speech is None and self._next is not None and self._may_speak():
            self._begin_turn(self._next)
            self._next = next(self._turns, None)
        if self._speech is not None:
            if frame := next(self._speech, None):
                if sounds(frame):
                    self._mark_sound(self.report.exchanges[-1])
                return frame
            self._speech = None
            self._tell(self.report.exchanges[-1].ended, "caller stops")
        if self._next is None:
            self.done = self._nothing_to_wait_for()
        return self._silence

    def _mark_sound(self, exchange: Exchange) -> None:
        if exchange.ended == exchange.began:
            exchange.began = self._now
        exchange.ended = self._now + FRAME_SECONDS

    def _begin_turn(self, turn: Turn) -> None:
        self._tell(self._now, f"caller speaks: {turn.label}")
        self.report.exchanges.append(Exchange(label=turn.label, began=self._now, ended=self._now))
        frames = Chunker(self._frame_size)
        pieces = [*frames.feed(turn.audio.pcm), frames.flush()]
        self._speech = iter([piece for piece in pieces if piece])

    def _may_speak(self) -> bool:
        plan, since = self._plan, self._agent.began
        if plan.interrupt_after is not None and since is not None:
            last = self.report.exchanges[-1] if self.report.exchanges else None
            replying = last is None or last.response is not None
            return replying and self._now - since >= plan.interrupt_after
        waited = self._agent.quiet_for(self._now)
        if not self.report.agent_spoke and not self.report.exchanges:
            return since is None and waited >= plan.greeting_timeout
        return since is None and self._settled()

    def _settled(self) -> bool:
        """Whether the last turn has been replied to, or will not be."""
        plan = self._plan
        if self.report.exchanges and not self._replied(self.report.exchanges[-1]):
            return self._now - self.report.exchanges[-1].ended >= plan.answer_timeout
        return self._agent.quiet_for(self._now) >= plan.patience and not self.buffer.size

    def _replied(self, exchange: Exchange) -> bool:
        """Whether the agent has answered; words that only cut in are no answer."""
        return exchange.response is not None and self.report.agent_spoke[-1][1] > exchange.ended

    def _nothing_to_wait_for(self) -> bool:
        if not self.report.exchanges and not self.report.agent_spoke and self._agent.began is None:
            return self._now >= self._plan.answer_timeout
        lingered = self._agent.quiet_for(self._now) >= self._plan.patience + self._plan.linger
        return self._agent.began is None and self._settled() and lingered

    def _agent_changed(self, began: bool, at: float) -> None:  # noqa: FBT001 - see Stretches
        if not began:
            self.report.agent_spoke[-1] = (self.report.agent_spoke[-1][0], at)
            self._tell(at, "agent stops")
            return
        self.report.agent_spoke.append((at, at))
        last = self.report.exchanges[-1] if self.report.exchanges else None
        if last is None or last.response is not None:
            self._tell(at, "agent speaks")
            return
        last.response = at - last.ended
        cut_in = self._speech is not None
        if cut_in:
            self._tell(at, "agent speaks: cuts in")
        else:
            self._tell(at, f"agent speaks: {last.response:.2f} s after the caller")

    def _cleared(self) -> None:
        self.report.clears.append(self._now)
        self.buffer.clear()
        last = self.report.exchanges[-1] if self.report.exchanges else None
        if last is not None and last.clear is None and self._speech is not None:
            last.clear = self._now - last.began
            self._tell(self._now, f"clear: {last.clear:.2f} s after the caller began")
        else:
            self._tell(self._now, "clear")
        self._dry = 0
        # What sounded until now was cut off: what follows is another stretch.
        self._agent.flush()

    def _count_gap(self, played: bytes) -> None:
        if len(played) == self._frame_size:
            if 0 < self._dry * FRAME_SECONDS < BREATH and self._agent.began is not None:
                self.report.gaps += 1
            self._dry = 0
        else:
            self._dry += 1


async def place_call(
    url: str, plan: Plan, tell: Callable[[float, str], None], call_id: str
) -> CallInProgress:
    """Place a call and hold it to its end; return it, finished.

    Args:
        url: The stream endpoint, ``ws://`` or ``wss://``.
        plan: What the caller does.
        tell: Given a time and a line for the timeline, as things happen.
        call_id: What to call it.

    Raises:
        CallFailedError: If the call was not answered.
    """
    call = CallInProgress(plan, tell)
    async with aiohttp.ClientSession() as session:
        socket = await _dial(session, url, plan.answer_timeout)
        async with socket:
            await socket.send_str(connect_message(plan, call_id))
            await _await_answer(socket, plan.answer_timeout)
            tell(0.0, "answered")
            listening = asyncio.create_task(_receive(socket, call))
            try:
                await _pace(socket, call, listening)
            finally:
                listening.cancel()
            call.report.close_code = socket.close_code
    call.finish()
    return call


async def _dial(
    session: aiohttp.ClientSession, url: str, within: float
) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(within):
            return await session.ws_connect(url, max_msg_size=BUFFER_BYTES)
    except aiohttp.WSServerHandshakeError as error:
        raise CallFailedError(f"refused: HTTP {error.status}") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise CallFailedError(f"cannot connect: {error}") from None


async def _await_answer(socket: aiohttp.ClientWebSocketResponse, within: float) -> None:
    try:
        async with asyncio.timeout(within):
            message = await socket.receive()
    except TimeoutError:
        raise CallFailedError(f"no answer within {within:g} s") from None
    if message.type is aiohttp.WSMsgType.TEXT:
        command = _command(message.data)
        if command == "answer":
            return
        if command in ("busy", "reject"):
            raise CallFailedError(f"refused: {command}")
        raise CallFailedError("the first message was neither answer, busy nor reject")
    if message.type is aiohttp.WSMsgType.BINARY:
        raise CallFailedError("audio came before the answer")
    raise CallFailedError(f"closed before the answer, code {socket.close_code}")


async def _receive(socket: aiohttp.ClientWebSocketResponse, call: CallInProgress) -> None:
    async for message in socket:
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            call.received(message.data)


async def _pace(
    socket: aiohttp.ClientWebSocketResponse, call: CallInProgress, listening: asyncio.Task[None]
) -> None:
    """Run the frame clock until the caller is done or the agent has hung up."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while not call.done:
        if listening.done():
            call.report.ended_by = "agent"
            return
        try:
            await socket.send_bytes(call.frame())
        except ConnectionError:
            call.report.ended_by = "agent"
            return
        due += FRAME_SECONDS
        await asyncio.sleep(max(0.0, due - loop.time()))


def _command(message: str) -> str:
    try:
        return str(json.loads(message)["command"])
    except (ValueError, TypeError, KeyError):
        return ""
