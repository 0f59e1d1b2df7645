"""Deepgram Aura text-to-speech over its websocket.

https://developers.deepgram.com/reference/text-to-speech/speak-streaming. Plain aiohttp: the
official SDK brings its own HTTP client and websockets, for four messages of one line.
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
)
from pipelines.providers.streaming_tts.provider import StreamingTts
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import read_message
from pipelines.providers.voice_rate import voice_rate
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "DEEPGRAM_API_KEY"

RATES = (8_000, 16_000, 24_000, 32_000, 48_000)
"""Hertz that linear16 can be had at (the document above, ``sample_rate``)."""

LIMITS = SynthesisLimits(
    contexts=1,  # audio comes without a name
    confirms=True,  # by Cleared
    confirmed_within=1.0,  # it is told at once
    idle=300.0,  # no limit is documented; what they close for idling is noticed, and replaced once
    age=3_300.0,  # they close after 3,600
    a_minute=20,  # developers.deepgram.com/docs/tts-ws-flush: further ones are not done
)

FLUSH = json.dumps({"type": "Flush"})
CLEAR = json.dumps({"type": "Clear"})


class Synthesizer(StreamingTts):
    """Speak with Deepgram, one sentence at a time a connection; no word timings come."""

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default="https://api.deepgram.com",
            pattern="^https?://",
            description="Host. https://api.eu.deepgram.com keeps data in Europe.",
        )
        model: str = Field(
            default="aura-2-thalia-en",
            min_length=1,
            description=(
                "Model, which is a voice and its language. The default is the first of those they "
                "feature."
            ),
        )
        connections: int = Field(
            default=40,
            ge=1,
            le=1_000,
            description=(
                "Websockets at once, for all calls; each carries one sentence at a time, and 20 a "
                "minute, which is Deepgram's limit. 40 are enough for 80 calls at ten a minute."
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
        await self.connect_by(Http("tts", options.base_url), {"Authorization": f"Token {key}"})
        log.info("deepgram ready", model=options.model)


class _Dialect:
    """How to speak to Deepgram."""

    limits = LIMITS

    def __init__(self, options: Synthesizer.Options) -> None:
        self._options = options

    def rate(self, line: int) -> int:
        """Return the line's rate, if it can be had."""
        return voice_rate(RATES, line)

    def address(self, rate: int) -> Address:
        """Return where to: model and rate belong to the connection."""
        params = (
            ("model", self._options.model),
            ("encoding", "linear16"),
            ("sample_rate", str(rate)),
        )
        return Address("/v1/speak", params)

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol()


class _Message(BaseModel):
    """What is read of a message."""

    type: str = ""


class _Protocol:
    """One connection, with one sentence at most, which may be a cancelled one."""

    def __init__(self) -> None:
        self._context: str | None = None
        self._cancelled = False
        self._heard = False
        """Whether audio of the sentence has come."""

        self._stray = False
        """Whether a Flushed may still come of the sentence before this one."""

    def speak(self, context: str, text: str, rate: int) -> Sequence[str]:  # noqa: ARG002
        """Have a sentence spoken; its rate is the connection's."""
        self._context, self._cancelled, self._heard = context, False, False
        return json.dumps({"type": "Speak", "text": text}), FLUSH

    def cancel(self, context: str) -> Sequence[str]:
        """Have what is not sent yet thrown away."""
        self._cancelled = self._stray = context == self._context
        return (CLEAR,)

    def read(self, message: str | bytes) -> Iterator[SynthesisEvent]:
        """Yield what it means; a type that is not known, or a warning, means nothing.

        Raises:
            ProviderError: If it is an error.
            ValueError: If it cannot be read.
        """
        if isinstance(message, bytes):
            if self._context is not None:
                self._heard = True
                yield AudioChunk(self._context, message)
            return
        match read_message(_Message, message).type:
            case "Error":
                raise ProviderError("tts", "the server reported an error")
            case "Flushed":
                yield from self._flushed()
            case "Cleared" if self._cancelled:
                yield from self._ended()

    def _flushed(self) -> Iterator[SynthesisEvent]:
        """End the sentence, unless this is about a cancelled one: Clear and Flushed may cross."""
        stray, self._stray = self._stray, False
        if not (self._cancelled or (stray and not self._heard)):
            yield from self._ended()

    def _ended(self) -> Iterator[SynthesisEvent]:
        context, self._context, self._cancelled = self._context, None, False
        if context is not None:
            yield SynthesisEnded(context)
