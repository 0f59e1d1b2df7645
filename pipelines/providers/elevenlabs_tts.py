"""ElevenLabs text-to-speech over its multi-context websocket.

https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input
Plain aiohttp: the official SDK speaks this websocket only from a thread, one text at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from pydantic import AliasChoices, BaseModel, Field, SecretStr

from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_tts.protocol import (
    Address,
    AudioChunk,
    MessageToSend,
    SynthesisEnded,
    SynthesisEvent,
    SynthesisLimits,
    WordsTimed,
)
from pipelines.providers.streaming_tts.provider import StreamingTts
from pipelines.providers.streaming_tts.word_ends import WordEnds
from pipelines.providers.transport.failures import is_error
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Times, Words, read_message, samples
from pipelines.providers.voice_rate import voice_rate
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "ELEVENLABS_API_KEY"

RATES = (8_000, 16_000, 22_050, 24_000, 44_100)
"""Hertz that PCM can be had at (the document above, ``output_format``)."""

INACTIVITY = 180
"""Seconds without a message after which the server closes contexts: the most it allows."""

LIMITS = SynthesisLimits(
    contexts=5,  # "Each connection is limited to 5 concurrent contexts": the sixth closes it
    confirms=True,  # a closed context counts until it has been flushed
    idle=170.0,  # less than INACTIVITY
    age=1_800.0,  # no limit is documented; what has run for half an hour is replaced at leisure
)

_ERRORS = {
    "invalid_api_key": ("the key is refused", False),
    "missing_permissions": ("the key is refused", False),
    "quota_exceeded": ("no credit", False),
    "voice_not_found": ("the server does not know the voice", False),
    "voice_id_does_not_exist": ("the server does not know the voice", False),
    "model_not_found": ("the server does not know the model", False),
    "max_active_conversations": ("too many sentences on one connection", True),
    "too_many_concurrent_requests": ("too many requests", True),
    "rate_limit_exceeded": ("too many requests", True),
    "system_busy": ("the server is busy", True),
}
"""Those of its codes that say something, in words of ours, and whether to ask again may help."""


class Synthesizer(StreamingTts):
    """Speak with ElevenLabs. A sentence is a context; word timings come with the audio.

    The protocol's keep-alive message is for contexts, and ours live no longer than a sentence: a
    connection without any is kept for less than the server's inactivity timeout, by websocket
    pings, and then replaced.
    """

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default="https://api.elevenlabs.io",
            pattern="^https?://",
            description=(
                "Host. Others of theirs keep data in a region, such as "
                "https://api.eu.residency.elevenlabs.io."
            ),
        )
        voice: str = Field(
            default="JBFqnCBsd6RMkjVDRZzb",
            pattern="^[A-Za-z0-9_-]+$",
            description="Voice id. The default is the one of their own examples.",
        )
        model: str = Field(
            default="eleven_flash_v2_5",
            min_length=1,
            description=(
                "Model id. The default is their fastest; eleven_v3 does not do this websocket."
            ),
        )
        language: str | None = Field(
            default=None,
            pattern="^[a-z]{2,3}$",
            description="ISO 639-1 code. Unset: the model hears it in the text.",
        )
        speed: float | None = Field(
            default=None,
            ge=0.7,
            le=1.2,
            description="Times as fast as the voice speaks. Unset: as its settings say.",
        )
        connections: int = Field(
            default=20,
            ge=1,
            le=1_000,
            description=(
                "Websockets at once, for all calls; each carries five sentences. 20 are enough for "
                "hundreds of calls, since a sentence is made in a fraction of the time it plays."
            ),
        )

    def __init__(self, options: Options) -> None:
        super().__init__(_Dialect(options), options.connections)
        self._options = options

    async def start(self) -> None:
        """Find the key; sends nothing.

        Raises:
            ProviderError: If there is no key.
        """
        options = self._options
        key = find_key("tts", options.api_key, KEY)
        await self.connect_by(Http("tts", options.base_url), {"xi-api-key": key})
        log.info("elevenlabs ready", model=options.model)


class _Dialect:
    """How to speak to ElevenLabs."""

    limits = LIMITS

    def __init__(self, options: Synthesizer.Options) -> None:
        self._options = options

    def rate(self, line: int) -> int:
        """Return the line's rate, if it can be had."""
        return voice_rate(RATES, line)

    def address(self, rate: int) -> Address:
        """Return where to: voice, model and rate belong to the connection."""
        options = self._options
        params = {
            "model_id": options.model,
            "output_format": f"pcm_{rate}",
            "auto_mode": "true",  # whole sentences: nothing is to wait for more text
            "sync_alignment": "true",
            "inactivity_timeout": str(INACTIVITY),
        }
        if options.language is not None:
            params["language_code"] = options.language
        path = f"/v1/text-to-speech/{options.voice}/multi-stream-input"
        return Address(path, tuple(params.items()))

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        settings = {} if self._options.speed is None else {"speed": self._options.speed}
        return _Protocol(settings)


class _Alignment(BaseModel):
    """When the characters of a piece are spoken, from the beginning of the piece."""

    chars: tuple[str, ...]
    starts: Times = Field(alias="charStartTimesMs")
    durations: Times = Field(alias="charDurationsMs")


class _Message(BaseModel):
    """What is read of a message."""

    context: str | None = Field(None, validation_alias=AliasChoices("contextId", "context_id"))
    audio: Words = ""
    alignment: _Alignment | None = None
    final: bool | None = Field(None, validation_alias=AliasChoices("isFinal", "is_final"))
    error: Any = None


class _Speaking:
    """What has come of a sentence."""

    def __init__(self, text: str, rate: int) -> None:
        self.rate = rate
        self.words = WordEnds(text)
        self.size = 0
        """Bytes."""


class _Protocol:
    """One connection.

    Args:
        settings: Of the voice; empty for its own.
    """

    def __init__(self, settings: dict[str, float]) -> None:
        self._settings = settings
        self._speaking: dict[str, _Speaking] = {}

    def speak(self, context: str, text: str, rate: int) -> Sequence[str]:
        """Begin a context, and have all of its text spoken now."""
        self._speaking[context] = _Speaking(text, rate)
        first: dict[str, object] = {"text": " ", "context_id": context}
        if self._settings:
            first["voice_settings"] = self._settings
        then = {"text": f"{text.strip()} ", "context_id": context, "flush": True}
        return json.dumps(first), json.dumps(then)

    def cancel(self, context: str) -> Sequence[str]:
        """Close the context."""
        self._speaking.pop(context, None)
        return (_closing(context),)

    def read(self, message: str | bytes) -> Iterator[SynthesisEvent]:
        """Yield what it means.

        Raises:
            ProviderError: If it is an error: the server closes the connection after it.
            ValueError: If it cannot be read.
        """
        if isinstance(message, bytes):
            raise ValueError("a binary message")  # noqa: TRY004 - ValueError is what is promised
        said = read_message(_Message, message)
        if is_error(said.error):
            other = ("the server reported an error", True)
            reason, retryable = _ERRORS.get(str(said.error), other)
            raise ProviderError("tts", reason, retryable=retryable)
        context = said.context
        if context is None and len(self._speaking) == 1:
            (context,) = self._speaking
        if context is None:
            return
        if speaking := self._speaking.get(context):
            yield from self._heard(context, speaking, said)
        if said.final:
            self._speaking.pop(context, None)
            yield SynthesisEnded(context)

    def _heard(self, context: str, speaking: _Speaking, said: _Message) -> Iterator[SynthesisEvent]:
        begins = speaking.size / (2 * speaking.rate)
        if said.audio:
            if not speaking.size:
                # Its end is told only for a context that is closed. One that is closed before it
                # was begun may never be spoken, though:
                # https://github.com/pipecat-ai/pipecat/issues/4681, /5271.
                yield MessageToSend(_closing(context))
            pcm = samples(said.audio)
            speaking.size += len(pcm)
            yield AudioChunk(context, pcm)
        if said.alignment is not None:
            ends = speaking.words.add(_ends(said.alignment, begins))
            if ends:
                yield WordsTimed(context, ends)


def _ends(alignment: _Alignment, begins: float) -> Iterator[tuple[str, float]]:
    """Yield the characters, each with the second of the sentence that it ends at."""
    each = zip(alignment.chars, alignment.starts, alignment.durations, strict=False)
    for char, start, duration in each:
        yield char, begins + (start + duration) / 1000


def _closing(context: str) -> str:
    return json.dumps({"context_id": context, "close_context": True})
