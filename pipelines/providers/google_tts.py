"""Google Cloud text-to-speech over REST.

https://docs.cloud.google.com/text-to-speech/docs/reference/rest/v1/text/synthesize. Plain aiohttp:
the official SDK is gRPC, a native library, and does not take an API key for its streaming.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.providers.transport.bodies import whole_body
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message, samples
from pipelines.providers.transport.wav import unpack
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "GOOGLE_API_KEY"

ANSWER_WITHIN = 10.0
"""Seconds for the head of the answer, and then for the rest. Whoever asks has shorter deadlines."""

MOST_BYTES = 16 * 1024 * 1024
"""In an answer: two minutes of base64 at 48 kHz."""


class Synthesizer:
    """Speak with Google, whole sentences: there is no streaming by REST, only by gRPC.

    The first audio of a sentence comes when all of it is made. No word timings come.
    """

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None,
            description=(
                f"API key of a project with the Text-to-Speech API. Unset: {KEY} from the "
                f"environment, or {KEY}_FILE."
            ),
        )
        base_url: str = Field(
            default="https://texttospeech.googleapis.com",
            pattern="^https?://",
            description="Host. Those that keep data in a region may want more than an API key.",
        )
        voice: str = Field(
            default="en-US-Chirp3-HD-Kore",
            pattern="^[a-z]{2,3}-[A-Za-z0-9]+-.+",
            description=(
                "Voice name, which begins with its language. The default is of their current "
                "models; a Neural2 voice answers sooner."
            ),
        )
        speed: float = Field(
            default=1.0, ge=0.25, le=2.0, description="Times as fast as the voice speaks."
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        self._http = Http("tts", options.base_url)

    async def start(self) -> None:
        """Find the key; sends nothing.

        Raises:
            ProviderError: If there is no key.
        """
        key = find_key("tts", self._options.api_key, KEY)
        # In a header, not in the URL: URLs are logged on the way.
        await self._http.start({"X-Goog-Api-Key": key})
        log.info("google ready", voice=self._options.voice)

    async def warm(self) -> None:
        """Have a connection open."""
        await self._http.warm()

    async def aclose(self) -> None:
        """Close all connections. Sentences under way fail with ProviderError; so do later ones."""
        await self._http.aclose()

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio, in one piece; nothing if it is blank.

        Raises:
            ProviderError: If it could not be spoken.
        """
        if not text.strip():
            return
        voice = self._options.voice
        wanted = {
            "input": {"text": text},
            "voice": {"languageCode": "-".join(voice.split("-")[:2]), "name": voice},
            "audioConfig": {
                "audioEncoding": "LINEAR16",
                "sampleRateHertz": rate,
                "speakingRate": self._options.speed,
            },
        }
        request = self._http.request(
            "POST", "/v1/text:synthesize", json=wanted, head_within=ANSWER_WITHIN
        )
        async with request as response:
            async with asyncio.timeout(ANSWER_WITHIN):
                body = await whole_body(response.content.iter_any(), MOST_BYTES)
            yield _audio(body)


class _Answer(BaseModel):
    """What is read of an answer."""

    audio: Words = Field(alias="audioContent")


def _audio(answer: bytes) -> Audio:
    """Return the audio of an answer.

    Raises:
        ProviderError: If there is none.
        ValueError: If it cannot be read.
    """
    encoded = read_message(_Answer, answer).audio
    audio = unpack(samples(encoded)) if encoded else None
    if audio is None or not audio.pcm:
        raise ProviderError("tts", "no audio came")
    return audio
