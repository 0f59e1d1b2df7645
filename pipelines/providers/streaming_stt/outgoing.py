"""Audio on its way to a provider: at its rate, in messages of the length that it wants. No I/O."""

from __future__ import annotations

from pipelines.audio import BYTES_PER_SAMPLE, SPEECH_RATE, Resampler
from pipelines.providers.streaming_stt.protocol import TranscriptionLimits


class OutgoingAudio:
    """What was said on one connection and is not sent yet."""

    def __init__(self, limits: TranscriptionLimits) -> None:
        self._rate = limits.rate
        self._enough = limits.group * limits.rate * BYTES_PER_SAMPLE
        self._most = BYTES_PER_SAMPLE * int(limits.longest * limits.rate)
        self._resampler = Resampler(SPEECH_RATE, self._rate)
        self._waiting = bytearray()

    def restart(self) -> None:
        """Throw away what waits: what comes next is another utterance."""
        self._waiting.clear()
        self._resampler = Resampler(SPEECH_RATE, self._rate)

    def add(self, pcm: bytes) -> bool:
        """Add samples at SPEECH_RATE; return whether there is enough for a message."""
        self._waiting += self._resampler.feed(pcm)
        return len(self._waiting) >= self._enough

    def end(self) -> None:
        """Note that nothing follows for now: the resampler holds nothing back."""
        self._waiting += self._resampler.flush()
        self._resampler = Resampler(SPEECH_RATE, self._rate)

    def take(self) -> bytes:
        """Return the samples of the next message, at the provider's rate; none if all are taken."""
        pcm = bytes(self._waiting[: self._most])
        del self._waiting[: self._most]
        return pcm
