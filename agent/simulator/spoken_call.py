"""A call in which somebody speaks for themselves: their microphone in, the agent's voice out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol

import aiohttp

from agent.simulator.call_in_progress import command_of
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import TAKES_WITHIN, CallFailedError, answered
from pipelines.audio import Chunker, Resampler, frame_bytes
from pipelines.background import BackgroundTasks
from pipelines.listening.dtmf import tones


class SoundCard(Protocol):
    """A microphone and a loudspeaker, open: 16-bit mono PCM at one rate."""

    @property
    def rate(self) -> int:
        """Hertz, of both."""
        ...

    def microphone(self) -> AsyncIterator[bytes]:
        """Yield what is heard, in pieces of any length, as it is heard.

        Raises:
            CallFailedError: If nothing comes any more.
        """
        ...

    def play(self, pcm: bytes) -> None:
        """Play this behind what is to be played already. Returns at once."""
        ...

    def clear(self) -> None:
        """Play no more of what was given. Returns at once."""
        ...


class SpokenCall:
    """One call over a sound card. Build it, then :meth:`hold` it.

    Args:
        card: Open.
        plan: Rate and headers.
        tell: Given a line, as things happen.
    """

    def __init__(self, card: SoundCard, plan: Plan, tell: Callable[[str], None]) -> None:
        self._card = card
        self._plan = plan
        self._tell = tell
        self._keys = bytearray()  # tones that are still to be sent

    def press(self, keys: str) -> None:
        """Press keys; the microphone is silent while they sound, as on a telephone.

        Raises:
            ValueError: If there are no such keys.
        """
        self._keys += tones(keys, self._plan.rate)

    async def hold(self, url: str, call_id: str) -> None:
        """Talk until the agent hangs up, or this is cancelled, which hangs up.

        Args:
            url: The stream endpoint.
            call_id: What to call it.

        Raises:
            CallFailedError: If the call was not answered, or the sound card gives nothing.
        """
        async with answered(url, self._plan, call_id) as socket:
            self._tell("answered")
            background = BackgroundTasks()
            listening = background.start(self._listen(socket), "listening to the agent")
            try:
                await self._speak(socket, listening)
            finally:
                await background.aclose()
        self._tell("the agent has hung up")

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        to_card = Resampler(self._plan.rate, self._card.rate)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._card.play(to_card.feed(message.data))
            elif message.type is aiohttp.WSMsgType.TEXT and command_of(message.data) == "clear":
                self._card.clear()
                to_card = Resampler(self._plan.rate, self._card.rate)

    async def _speak(
        self, socket: aiohttp.ClientWebSocketResponse, listening: asyncio.Task[None]
    ) -> None:
        to_line = Resampler(self._card.rate, self._plan.rate)
        frames = Chunker(frame_bytes(self._plan.rate))
        async for heard in self._card.microphone():
            for frame in frames.feed(to_line.feed(heard)):
                if listening.done():
                    return
                with suppress(ConnectionError):  # then there is nothing to listen to, either
                    await _send(socket, self._pressed(len(frame)) or frame)

    def _pressed(self, size: int) -> bytes:
        """Return a frame of the keys that are being pressed; ``b""`` if none is."""
        frame = bytes(self._keys[:size])
        del self._keys[:size]
        return frame.ljust(size, b"\0") if frame else b""


async def _send(socket: aiohttp.ClientWebSocketResponse, frame: bytes) -> None:
    """Send a frame.

    Raises:
        CallFailedError: If the agent takes none for :data:`~stream_caller.TAKES_WITHIN`.
    """
    try:
        async with asyncio.timeout(TAKES_WITHIN):
            await socket.send_bytes(frame)
    except TimeoutError:
        raise CallFailedError(f"the agent took no audio for {TAKES_WITHIN:g} s") from None
