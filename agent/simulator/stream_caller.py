"""A stand-in for the Sinch platform: it places a call to any server that speaks the stream channel.

It connects, waits for ``answer``, sends the caller's audio in 20 ms frames in real time, and plays
what comes back through a model of the platform's playout buffer. What the caller would have heard,
and when, is what it reports: not what was sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp

from agent.simulator.call_in_progress import CallInProgress, command_of
from agent.simulator.party.party_call import StreamMember
from agent.simulator.plan import Plan
from agent.simulator.playout_buffer import BUFFER_BYTES
from agent.simulator.report import Report
from pipelines.audio import FRAME_SECONDS, frame_bytes
from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.masking import without_secrets

TAKES_WITHIN = 5.0
"""Seconds for a frame to be taken: the platform sends in real time, too."""


class CallFailedError(Exception):
    """The call was refused, or nothing was answered; the message is one clear line."""


class ServiceFullError(CallFailedError):
    """The service takes no more calls for now; another one may be taken later."""


class PacedCall(Protocol):
    """A call from the far end, frame by frame: of one caller, or of several on one line."""

    @property
    def done(self) -> bool:
        """Whether the far end has hung up."""
        ...

    @property
    def report(self) -> Report:
        """What is measured."""
        ...

    def received(self, message: str | bytes) -> None:
        """Take what the agent sent, after its ``answer``."""
        ...

    def frame(self) -> bytes:
        """Let 20 ms pass; return what leaves for the agent meanwhile, in whole frames."""
        ...

    def finish(self) -> Report:
        """End the call; return what was measured."""
        ...


def connect_message(plan: Plan, call_id: str) -> str:
    """Return the first message, in the shape that the plan asks for."""
    headers = dict(plan.headers)
    message: dict[str, Any] = {"command": "connect"}
    match plan.shape:
        case "v1":
            message |= {"CallId": call_id, "ApplicationId": plan.application, "Headers": headers}
        case "tutorial":
            message |= {"callId": call_id, "applicationId": plan.application, "headers": headers}
        case "v2":
            message |= {
                "version": 1,
                "callId": call_id,
                "applicationKey": plan.application,
                "codec": "PCM",
                "sampleRate": plan.rate,
                "callHeaders": headers,
            }
    return json.dumps(message)


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
    await hold_call(url, call, plan, call_id, lambda: tell(0.0, "answered"))
    return call


async def hold_call(
    url: str,
    call: PacedCall,
    plan: Plan,
    call_id: str,
    on_answer: Callable[[], None] = lambda: None,
) -> None:
    """Place a call and hold it to its end; it is finished then.

    Args:
        url: The stream endpoint, ``ws://`` or ``wss://``.
        call: Asked for 20 ms every 20 ms, and given what comes.
        plan: Its rate, headers and patience.
        call_id: What to call it.
        on_answer: Called once it is answered.

    Raises:
        CallFailedError: If the call was not answered.
    """
    async with answered(url, plan, call_id) as socket:
        on_answer()
        background = BackgroundTasks()
        listening = background.start(_receive(socket, call.received), "listening to the agent")
        try:
            await _pace(socket, call, listening)
        finally:
            await background.aclose()
        call.report.close_code = socket.close_code
    call.finish()


async def hold_in_conference(
    url: str,
    stream: StreamMember,
    plan: Plan,
    call_id: str,
    mixed: asyncio.Queue[bytes],
    on_answer: Callable[[], None],
) -> None:
    """Place a call for a conference and hold it until the agent hangs up; it is finished then.

    Cancelling is safe, and hangs up.

    Args:
        url: The stream endpoint, ``ws://`` or ``wss://``.
        stream: Given what comes.
        plan: Its rate, headers and patience.
        call_id: What to call it.
        mixed: Gives 20 ms every 20 ms from then on, for the agent.
        on_answer: Called once it is answered: the stream is to join the conference then.

    Raises:
        CallFailedError: If the call was not answered.
    """
    async with answered(url, plan, call_id) as socket:
        on_answer()
        background = BackgroundTasks()
        listening = background.start(_receive(socket, stream.received), "listening to the agent")
        try:
            with suppress(ConnectionError):
                while not listening.done():
                    await _send(socket, await _next_of(mixed), frame_bytes(plan.rate))
        finally:
            await background.aclose()
            stream.finish()
        stream.report.ended_by = "agent"
        stream.report.close_code = socket.close_code


@asynccontextmanager
async def answered(
    url: str, plan: Plan, call_id: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Place a call; hang up when the block is left.

    Args:
        url: The stream endpoint, ``ws://`` or ``wss://``.
        plan: Its rate, headers and patience; what the caller says is up to the block.
        call_id: What to call it.

    Raises:
        CallFailedError: If the call was not answered.
    """
    async with aiohttp.ClientSession() as session:
        socket = await _dial(session, url, plan.answer_timeout)
        async with socket:
            await socket.send_str(connect_message(plan, call_id))
            await _await_answer(socket, plan.answer_timeout)
            yield socket


async def _dial(
    session: aiohttp.ClientSession, url: str, within: float
) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(within):
            return await session.ws_connect(url, max_msg_size=BUFFER_BYTES)
    except aiohttp.WSServerHandshakeError as error:
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise ServiceFullError("refused: HTTP 503, it takes no more calls") from None
        raise CallFailedError(f"refused: HTTP {error.status}") from None
    except (aiohttp.InvalidURL, ValueError):  # its text is the address, which may have a token
        raise CallFailedError("cannot connect: this is no address of a stream endpoint") from None
    except aiohttp.ClientConnectorError as error:
        why = error.os_error.strerror or type(error.os_error).__name__
        place = f"{error.host}:{error.port}"
        raise CallFailedError(f"cannot connect: {why}; does a service run at {place}?") from None
    except TimeoutError:
        raise CallFailedError(f"cannot connect: nothing came back within {within:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise CallFailedError(f"cannot connect: {without_secrets(str(error), url)}") from None


async def _await_answer(socket: aiohttp.ClientWebSocketResponse, within: float) -> None:
    try:
        async with asyncio.timeout(within):
            message = await socket.receive()
    except TimeoutError:
        raise CallFailedError(f"no answer within {within:g} s") from None
    if message.type is aiohttp.WSMsgType.TEXT:
        command = command_of(message.data)
        if command == "answer":
            return
        if command == "busy":
            raise ServiceFullError("refused: busy")
        if command == "reject":
            raise CallFailedError("refused: reject")
        raise CallFailedError("the first message was neither answer, busy nor reject")
    if message.type is aiohttp.WSMsgType.BINARY:
        raise CallFailedError("audio came before the answer")
    raise CallFailedError(f"closed before the answer, code {socket.close_code}")


async def _receive(
    socket: aiohttp.ClientWebSocketResponse, received: Callable[[str | bytes], None]
) -> None:
    async for message in socket:
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            received(message.data)


async def _next_of(mixed: asyncio.Queue[bytes]) -> bytes:
    try:
        async with asyncio.timeout(TAKES_WITHIN):
            return await mixed.get()
    except TimeoutError:
        raise CallFailedError("the conference has stopped") from None


async def _send(socket: aiohttp.ClientWebSocketResponse, audio: bytes, size: int) -> None:
    """Send frames, each a message.

    Raises:
        CallFailedError: If the agent takes none for :data:`TAKES_WITHIN`.
    """
    try:
        async with asyncio.timeout(TAKES_WITHIN):
            for start in range(0, len(audio), size):
                await socket.send_bytes(audio[start : start + size])
    except TimeoutError:
        raise CallFailedError(f"the agent took no audio for {TAKES_WITHIN:g} s") from None


async def _pace(
    socket: aiohttp.ClientWebSocketResponse, call: PacedCall, listening: asyncio.Task[None]
) -> None:
    """Run the frame clock until the caller is done or the agent has hung up."""
    due = now()
    while not call.done:
        if listening.done():
            call.report.ended_by = "agent"
            return
        try:
            await _send(socket, call.frame(), frame_bytes(call.report.rate))
        except ConnectionError:
            call.report.ended_by = "agent"
            return
        due += FRAME_SECONDS
        await asyncio.sleep(max(0.0, due - now()))
