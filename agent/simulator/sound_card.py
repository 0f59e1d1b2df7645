"""The sound card of this machine, by PortAudio: an extra, ``microphone``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from agent.simulator.playout_buffer import PlayoutBuffer
from agent.simulator.stream_caller import CallFailedError

PIECE_SECONDS = 0.02
"""Of audio, each time that the card asks: as long as a frame of the line."""

SILENT_AFTER = 5.0
"""Seconds without a piece until the card counts as unplugged."""

MOST_WAITING = 50
"""Pieces of the microphone that wait: a second. Of more, the oldest are lost."""

EXTRA = "pip install 'sinch-voice-agent[microphone]'"


class DefaultSoundCard:
    """The microphone and the loudspeaker that the system calls its usual ones.

    PortAudio asks in a thread of its own for what to play, and hands over what was heard: one lock
    for what is to be played, and the event loop told of what was heard.

    Args:
        rate: Hertz.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._to_play = PlayoutBuffer()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)

    async def microphone(self) -> AsyncIterator[bytes]:
        """See :class:`~agent.simulator.spoken_call.SoundCard`."""
        while True:
            try:
                async with asyncio.timeout(SILENT_AFTER):
                    piece = await self._heard.get()
            except TimeoutError:
                raise CallFailedError("the microphone gives nothing any more") from None
            yield piece

    def play(self, pcm: bytes) -> None:
        """See :class:`~agent.simulator.spoken_call.SoundCard`."""
        with self._lock:
            self._to_play.add(pcm)

    def clear(self) -> None:
        """See :class:`~agent.simulator.spoken_call.SoundCard`."""
        with self._lock:
            self._to_play.clear()

    def exchange(self, heard: Any, played: Any, _frames: int, _time: Any, _status: Any) -> None:  # noqa: ANN401 - PortAudio's buffers
        """Take what was heard, give what is to be played: PortAudio's callback, in its thread."""
        piece, size = bytes(heard), len(played)
        with self._lock:
            played[:] = self._to_play.take(size).ljust(size, b"\0")
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, piece)

    def _take(self, piece: bytes) -> None:
        if self._heard.full():
            self._heard.get_nowait()
        self._heard.put_nowait(piece)


@contextmanager
def sound_card(rate: int) -> Iterator[DefaultSoundCard]:
    """Open the usual microphone and loudspeaker, until the block is left.

    Args:
        rate: Hertz that the line has; the card's own if it does not take that.

    Raises:
        CallFailedError: If there is none, or the package for it is missing.
    """
    portaudio = _portaudio()
    stream = None
    try:
        try:
            card, stream = _opened(portaudio, rate)
        except portaudio.PortAudioError:
            usual = portaudio.query_devices(kind="input")["default_samplerate"]
            card, stream = _opened(portaudio, int(usual))
        stream.start()
        yield card
    except portaudio.PortAudioError as error:
        raise CallFailedError(f"the sound card: {error.args[0]}") from None
    finally:
        if stream is not None:
            stream.close()


def _opened(portaudio: ModuleType, rate: int) -> tuple[DefaultSoundCard, Any]:
    card = DefaultSoundCard(rate)
    stream = portaudio.RawStream(
        samplerate=rate,
        blocksize=int(rate * PIECE_SECONDS),
        dtype="int16",
        channels=1,
        callback=card.exchange,
    )
    return card, stream


def _portaudio() -> ModuleType:
    try:
        import sounddevice  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise CallFailedError(f"the package 'sounddevice' is missing: {EXTRA}") from None
    except OSError:  # the package is there, the library is not
        raise CallFailedError("PortAudio is missing: apt-get install libportaudio2") from None
    module: ModuleType = sounddevice
    return module
