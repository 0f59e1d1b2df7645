"""Cartesia text-to-speech over its websocket.

https://docs.cartesia.ai/api-reference/tts/websocket. Plain aiohttp: the official SDK does this one
well, but with the ``websockets`` package and a pool that cannot see a socket go silent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_tts.protocol import (
    Address,
    AudioChunk,
    SynthesisEnded,
    SynthesisEvent,
    SynthesisLimits,
    WordsTimed,
)
from pipelines.providers.streaming_tts.provider import StreamingTts
from pipelines.providers.streaming_tts.word_ends import WordEnds
from pipelines.providers.transport.failures import refused
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Times, Words, read_message, samples
from pipelines.providers.voice_rate import voice_rate
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "CARTESIA_API_KEY"

VERSION = "2026-03-01"
"""Of their API, as this file speaks it."""

RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
"""Hertz that raw PCM can be had at."""

LIMITS = SynthesisLimits(
    contexts=10,  # it "scales to dozens"; fewer are lost with one connection
    confirms=False,  # what had not begun is dropped without a word, what had runs on to its end
    idle=240.0,  # closed after 300: docs.cartesia.ai/use-the-api/concurrency-limits-and-timeouts
    age=1_800.0,  # no limit is documented; what has run for half an hour is replaced at leisure
)


class Synthesizer(StreamingTts):
    """Speak with Cartesia. A sentence is a context; word timings come with the audio.

    The protocol has no keep-alive message: a connection that was closed for idling is noticed, and
    replaced once. Their limit on contexts at once is the account's: 2 (free) to 15 (scale).
    """

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default="https://api.cartesia.ai", pattern="^https?://", description="Host."
        )
        voice: str = Field(
            default="f786b574-daa5-4673-aa0c-cbe3e8534c02",
            min_length=1,
            description="Voice id. The default is Katie, which they recommend for voice agents.",
        )
        model: str = Field(
            default="sonic-3.5",
            min_length=1,
            description="Model id. The default is the current one of their documentation.",
        )
        language: str = Field(
            default="en", pattern="^[a-z]{2,3}$", description="ISO 639-1 code of what is spoken."
        )
        speed: float | None = Field(
            default=None,
            ge=0.6,
            le=1.5,
            description="Times as fast as the voice speaks (sonic-3 and later). Unset: as it does.",
        )
        connections: int = Field(
            default=10,
            ge=1,
            le=1_000,
            description=(
                "Websockets at once, for all calls; each carries ten sentences. They allow ten "
                "times as many as sentences at once."
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
        headers = {"X-API-Key": key, "Cartesia-Version": VERSION}
        await self.connect_by(Http("tts", options.base_url), headers)
        log.info("cartesia ready", model=options.model)


class _Dialect:
    """How to speak to Cartesia."""

    limits = LIMITS

    def __init__(self, options: Synthesizer.Options) -> None:
        self._options = options

    def rate(self, line: int) -> int:
        """Return the line's rate, if it can be had."""
        return voice_rate(RATES, line)

    def address(self, rate: int) -> Address:  # noqa: ARG002 - the rate is said with each sentence
        """Return where to: one connection is for all rates."""
        return Address("/tts/websocket")

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        options = self._options
        request: dict[str, object] = {
            "model_id": options.model,
            "voice": {"mode": "id", "id": options.voice},
            "language": options.language,
            "continue": False,
            "add_timestamps": True,
            "max_buffer_delay_ms": 0,  # whole sentences: nothing is to wait for more text
        }
        if options.speed is not None:
            request["generation_config"] = {"speed": options.speed}
        return _Protocol(request)


class _Timestamps(BaseModel):
    """When words end, in seconds of the sentence."""

    words: tuple[str, ...]
    end: Times


class _Message(BaseModel):
    """What is read of a message."""

    type: str = ""
    context_id: str | None = None
    data: Words = ""
    word_timestamps: _Timestamps | None = None
    done: bool = False
    status_code: int = 500


class _Protocol:
    """One connection.

    Args:
        request: What all sentences are asked for with.
    """

    def __init__(self, request: dict[str, object]) -> None:
        self._request = request
        self._words: dict[str, WordEnds] = {}

    def speak(self, context: str, text: str, rate: int) -> Sequence[str]:
        """Have a whole context spoken."""
        self._words[context] = WordEnds(text)
        sound = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": rate}
        own = {"transcript": text, "context_id": context, "output_format": sound}
        return (json.dumps(self._request | own),)

    def cancel(self, context: str) -> Sequence[str]:
        """Cancel the context."""
        self._words.pop(context, None)
        return (json.dumps({"context_id": context, "cancel": True}),)

    def read(self, message: str | bytes) -> Iterator[SynthesisEvent]:
        """Yield what it means; a type that is not known means nothing.

        Raises:
            ProviderError: If it is an error that is of no sentence.
            ValueError: If it cannot be read.
        """
        if isinstance(message, bytes):
            raise ValueError("a binary message")  # noqa: TRY004 - ValueError is what is promised
        said = read_message(_Message, message)
        context = said.context_id
        if context is None and said.type != "error" and len(self._words) == 1:
            (context,) = self._words
        if said.type == "error":
            error = refused("tts", said.status_code)
            if context is None:
                raise error
            yield self._ended(context, error)
        elif context is not None:
            yield from self._heard(context, said)

    def _heard(self, context: str, said: _Message) -> Iterator[SynthesisEvent]:
        if said.type in ("chunk", "") and said.data:
            yield AudioChunk(context, samples(said.data))
        elif said.type in ("timestamps", "") and said.word_timestamps:
            yield from self._timed(context, said.word_timestamps)
        elif said.type == "done" or (said.done and not said.type):
            yield self._ended(context)

    def _timed(self, context: str, timestamps: _Timestamps) -> Iterator[SynthesisEvent]:
        if words := self._words.get(context):
            each = zip(timestamps.words, timestamps.end, strict=False)
            if ends := words.add(each):
                yield WordsTimed(context, ends)

    def _ended(self, context: str, error: ProviderError | None = None) -> SynthesisEnded:
        self._words.pop(context, None)
        return SynthesisEnded(context, error)
