"""Azure text-to-speech over REST, its answer streamed.

https://learn.microsoft.com/azure/ai-services/speech-service/rest-text-to-speech. Plain aiohttp: the
official SDK is a native library that calls back on threads of its own. Its websocket, which also
tells when words are spoken, is not documented.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from xml.sax.saxutils import escape, quoteattr

import structlog
from pydantic import Field, SecretStr

from pipelines.audio import SPEECH_RATE
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.providers.transport.bodies import chunks, whole_samples
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.voice_rate import voice_rate
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "AZURE_SPEECH_KEY"

ANSWER_WITHIN = 10.0
"""Seconds for the head of the answer, and then between its pieces. Whoever asks has shorter
deadlines."""

FORMATS = {
    8_000: "raw-8khz-16bit-mono-pcm",
    16_000: "raw-16khz-16bit-mono-pcm",
    22_050: "raw-22050hz-16bit-mono-pcm",
    24_000: "raw-24khz-16bit-mono-pcm",
    44_100: "raw-44100hz-16bit-mono-pcm",
    48_000: "raw-48khz-16bit-mono-pcm",
}
"""Names of the formats, by hertz."""

NO_AUDIO = ("text/", "application/json", "application/xml")
"""What an error would come as; what bare samples come as is not documented."""

_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not (its production 2, Char)."""


class Synthesizer:
    """Speak with Azure. No word timings come."""

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None,
            description=(
                f"Key of a Speech resource. Unset: {KEY} from the environment, or {KEY}_FILE."
            ),
        )
        region: str = Field(
            default="eastus",
            pattern="^[a-z0-9]+$",
            description="Region of the resource: a key is for one only.",
        )
        base_url: str | None = Field(
            default=None,
            pattern="^https?://",
            description=(
                "Host, up to and without /cognitiveservices/v1. Unset: the region's. A resource "
                "with a domain of its own has https://NAME.cognitiveservices.azure.com/tts."
            ),
        )
        voice: str = Field(
            default="en-US-AvaMultilingualNeural",
            pattern="^[a-z]{2,3}-[A-Za-z0-9]+-.+",
            description=(
                "Voice name, which begins with its language. The default is the one of their "
                "quickstart; it speaks other languages, too."
            ),
        )
        speed: float = Field(
            default=1.0, ge=0.5, le=2.0, description="Times as fast as the voice speaks."
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        base = options.base_url or f"https://{options.region}.tts.speech.microsoft.com"
        self._http = Http("tts", base)

    async def start(self) -> None:
        """Find the key; sends nothing.

        Raises:
            ProviderError: If there is no key.
        """
        options = self._options
        key = find_key("tts", options.api_key, KEY)
        headers = {"Ocp-Apim-Subscription-Key": key, "User-Agent": "sinch-voice-agent"}
        await self._http.start(headers)
        log.info("azure ready", voice=options.voice)

    async def warm(self) -> None:
        """Have a connection open."""
        await self._http.warm()

    async def aclose(self) -> None:
        """Close all connections. Sentences under way fail with ProviderError; so do later ones."""
        await self._http.aclose()

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio, as it comes; nothing if it is blank.

        An answer is bare samples: that one was cut short can only be told from its HTTP framing.

        Raises:
            ProviderError: If it could not be spoken.
        """
        if not text.strip():
            return
        made = voice_rate(tuple(FORMATS), rate)
        headers = {
            "Content-Type": "application/ssml+xml",
            "X-Microsoft-OutputFormat": FORMATS[made],
        }
        request = self._http.request(
            "POST",
            "/cognitiveservices/v1",
            headers=headers,
            data=ssml(text, self._options.voice, self._options.speed).encode(),
            head_within=ANSWER_WITHIN,
        )
        spoken = False
        async with request as response:
            if response.content_type.startswith(NO_AUDIO):
                raise ProviderError("tts", "the server's answer cannot be read")
            async with (
                aclosing(chunks(response, ANSWER_WITHIN)) as body,
                aclosing(whole_samples(body, made)) as pieces,
            ):
                async for audio in pieces:
                    spoken = True
                    yield audio
        if not spoken:
            raise ProviderError("tts", "no audio came")


def ssml(text: str, voice: str, speed: float) -> str:
    """Return ``text`` as a document to be spoken; nothing in it is taken for markup."""
    language = "-".join(voice.split("-")[:2])
    spoken = escape(_UNSPEAKABLE.sub(" ", text))
    if speed != 1:
        spoken = f'<prosody rate="{speed:g}">{spoken}</prosody>'
    return (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" '
        f"xml:lang={quoteattr(language)}><voice name={quoteattr(voice)}>{spoken}</voice></speak>"
    )
