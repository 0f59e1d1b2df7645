"""A sentence in an agent's voice, to be heard before any caller does."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

from agent.server.registry import DRAINING, CallRegistry
from agent.server.throttle import Throttle
from agent.sinch.refusals import AllowanceUsedUpError, NoRoomError
from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.reply.line_rate import at_line_rate
from pipelines.reply.steps import Step
from pipelines.stages.lineup import Providers
from pipelines.stages.tts import EndlessError
from pipelines.text.sentences import cut
from pipelines.text.speakable import speakable

LONGEST = 500
"""Characters that are spoken at once: half a minute."""

A_MINUTE = 20
"""Texts that one visitor has spoken in a minute: services are paid by the character."""

WITHIN = 30.0
"""Seconds for a text to be spoken."""

TURN_WITHIN = 10.0
"""Seconds for the texts of others: one is spoken at a time, so that calls have the machine."""


class AgentSpeech:
    """Speaks texts as a call would, while calls leave room for it.

    Args:
        providers: Started.
        registry: Knows how busy this process is.
        rate: Hertz of the line.
    """

    def __init__(self, providers: Providers, registry: CallRegistry, rate: int) -> None:
        self._providers = providers
        self._registry = registry
        self._rate = rate
        self._turn = asyncio.Lock()
        self._spoken = Throttle(A_MINUTE, 60.0)

    async def speak(
        self, text: str, who: str, language: str, pronounce: Mapping[str, str]
    ) -> bytes:
        """Return a WAV file: 16 bits, mono, as a line carries it; empty if there is nothing to say.

        Args:
            text: What an agent would say.
            who: Whoever wants it.
            language: The agent's, a BCP 47 tag.
            pronounce: How the agent has words written for its voice.

        Raises:
            AllowanceUsedUpError: If the visitor has had enough for now.
            NoRoomError: If calls want the machine.
            ProviderError: If nobody can speak it.
            TimeoutError: If it takes too long.
        """
        if wait := self._spoken.wait(who, now()):
            raise AllowanceUsedUpError(
                f"{A_MINUTE} texts a minute are spoken: the next one in {wait} s"
            )
        async with asyncio.timeout(TURN_WITHIN):
            await self._turn.acquire()
        try:
            # Asked once it is our turn: it may have become busy meanwhile.
            capacity = self._registry.capacity
            draining = DRAINING if self._registry.draining else ""
            if why := draining or capacity.broken or capacity.busy:
                raise NoRoomError(why)
            async with asyncio.timeout(WITHIN):
                return await self._wav(text, language, pronounce)
        finally:
            self._turn.release()

    async def _wav(self, text: str, language: str, pronounce: Mapping[str, str]) -> bytes:
        pcm = bytearray()
        source = self._pieces(text, language, pronounce)
        async with aclosing(at_line_rate(source, self._rate)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Audio):
                    pcm += piece.pcm
        file = io.BytesIO()
        with wave.Wave_write(file) as written:
            written.setnchannels(1)
            written.setsampwidth(2)
            written.setframerate(self._rate)
            written.writeframes(pcm)
        return file.getvalue()

    async def _pieces(
        self, text: str, language: str, pronounce: Mapping[str, str]
    ) -> AsyncGenerator[Step, None]:
        voice = self._providers.voice()
        for sentence in cut(text):
            if words := speakable(sentence, language, pronounce):
                with suppress(EndlessError):
                    async with aclosing(voice.speak(words, self._rate)) as pieces:
                        async for piece in pieces:
                            yield piece
