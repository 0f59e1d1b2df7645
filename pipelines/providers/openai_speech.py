"""Any text-to-speech behind OpenAI's ``audio/speech``: OpenAI, Kokoro and Piper servers, vLLM.

https://developers.openai.com/api/reference/resources/audio/subresources/speech. One POST a text,
whose answer is the audio. Plain aiohttp rather than the SDK: the answer's media type decides how to
read it, since servers that are only compatible ignore ``stream_format``, and the SDK knows no
events of this endpoint.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.audio import SPEECH_RATE, frame_bytes
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.providers.transport.bodies import chunks, read_out, whole_samples
from pipelines.providers.transport.failures import is_error
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.reading import Words, objects, read, samples
from pipelines.providers.transport.wav import unpacked
from pipelines.settings import Section

from .openai_hosts import API_KEY, AZURE, KEY_VARIABLE, OPENAI, OPENAI_URL, auth_headers, is_at

log = structlog.get_logger()

HEAD_WITHIN = 10.0
"""Seconds until the head of an answer. The chain gives up earlier; this is for whoever has no
deadline of their own."""

GAP_WITHIN = 10.0
"""Seconds between two pieces of the audio, likewise."""

EVENTS = "text/event-stream"

PCM = re.compile(
    r"(?:application|binary)/octet-stream|(?:audio|application)/(?:x-)?(?:l16|pcm|raw)"
    r"|audio/(?:x-|vnd\.)?wave?"
)
"""Media types of samples, in use by OpenAI and by compatible servers. Whether they are in a WAV
file is seen from how they begin: some servers send one under any of these names."""


class _Event(BaseModel):
    """A server-sent event: ``speech.audio.delta`` with ``audio``, or ``speech.audio.done``."""

    type: str = ""
    audio: Words = ""
    """Base64 of samples."""

    error: Any = None


class Synthesizer:
    """Ask a server that speaks OpenAI's ``audio/speech``."""

    class Options(Section):
        """What can be chosen."""

        model: str = Field(
            default="gpt-4o-mini-tts",
            min_length=1,
            description=(
                "Model name, as the server knows it. The default is the only one of OpenAI's that "
                "takes instructions. OpenAI closes all its models of this endpoint on 6 January "
                "2027; servers of others keep it."
            ),
        )
        voice: str = Field(
            default="marin",
            min_length=1,
            description=(
                "Voice, as the server knows it. The default is one of the two that OpenAI calls "
                "its best; tts-1 and other servers have others."
            ),
        )
        instructions: str | None = Field(
            default=None,
            min_length=1,
            description="How to speak, in words: calm and friendly, say. Not for tts-1.",
        )
        speed: float = Field(
            default=1.0,
            ge=0.25,
            le=4,
            description="Speed of speech; 1 is the voice's own. Limits of OpenAI's.",
        )
        base_url: str = Field(
            default=OPENAI_URL,
            pattern="^https?://",
            description=(
                "URL, up to and without /audio/speech; the default is OpenAI, whatever the "
                "environment says in OPENAI_BASE_URL. http://localhost:8880/v1 is Kokoro's."
            ),
        )
        api_key: SecretStr | None = Field(default=None, description=API_KEY)
        key_variable: str | None = Field(
            default=None, pattern="^[A-Za-z_][A-Za-z0-9_]*$", description=KEY_VARIABLE
        )
        rate: int = Field(
            default=24_000,
            ge=8_000,
            le=48_000,
            description=(
                "Hertz of the samples that the server sends: it cannot be asked for, and the "
                "answer does not tell. OpenAI's is 24000."
            ),
        )
        stream_format: Literal["sse", "audio"] | None = Field(
            default=None,
            description=(
                "How the audio is to be sent: as events or bare. Unset: events from OpenAI and "
                "Azure, because they tell when the audio is whole, but bare from tts-1, which "
                "knows no events; from others, whatever they like. Both are always understood."
            ),
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        self._http = Http("tts", options.base_url)

    async def start(self) -> None:
        """Find the key; sends nothing.

        Raises:
            ProviderError: If the server needs a key, and there is none.
        """
        await self._http.start(auth_headers("tts", self._options))
        log.info("audio/speech ready", model=self._options.model)

    async def warm(self) -> None:
        """Open a connection, if none is idle."""
        await self._http.warm()

    async def aclose(self) -> None:
        """Close all connections; what is being spoken fails with ProviderError."""
        await self._http.aclose()

    async def speak(
        self,
        text: str,
        rate: int = SPEECH_RATE,  # noqa: ARG002 - it cannot be asked for
    ) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio, at the server's rate. Closing the generator ends the request.

        Raises:
            ProviderError: If the server fails, sends no audio or something else, or breaks off.
        """
        asking = self._http.request(
            "POST", "/audio/speech", head_within=HEAD_WITHIN, json=self._body(text)
        )
        spoken = False
        async with (
            asking as answer,
            aclosing(chunks(answer, GAP_WITHIN)) as body,
            aclosing(_pcm(answer.content_type, body)) as pcm,
        ):
            made, found = await unpacked(pcm, self._options.rate)
            async with (
                aclosing(found),
                aclosing(whole_samples(found, made, frame_bytes(made))) as pieces,
            ):
                async for audio in pieces:
                    spoken = True
                    yield audio
        if not spoken:
            raise ProviderError("tts", "no audio came")

    def _body(self, text: str) -> dict[str, object]:
        options = self._options
        how = options.stream_format
        if how is None and any(is_at(options.base_url, host) for host in (OPENAI, AZURE)):
            how = "audio" if options.model.startswith("tts-1") else "sse"
        body: dict[str, object] = {
            "model": options.model,
            "input": text,
            "voice": options.voice,
            "response_format": "pcm",
        }
        if options.instructions is not None:
            body["instructions"] = options.instructions
        if options.speed != 1:
            body["speed"] = options.speed
        if how is not None:
            body["stream_format"] = how
        return body


async def _pcm(kind: str, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the samples of an answer of that media type, cut anywhere, or a WAV file of them.

    Raises:
        ProviderError: If it holds something else, an error, or not all.
        ValueError: If it cannot be read.
    """
    if kind != EVENTS and not PCM.fullmatch(kind):
        raise ProviderError("tts", "the server sent something else than PCM", retryable=False)
    async with aclosing(_spoken_in(body) if kind == EVENTS else body) as pcm:
        async for piece in pcm:
            yield piece


async def _spoken_in(body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the samples in server-sent events.

    Raises:
        ProviderError: If the server reports an error, or breaks off.
        ValueError: If an event cannot be read.
    """
    odd = b""
    async with aclosing(objects(body)) as events:
        async for name, data in events:
            event = _Event(type="speech.audio.done") if data is None else read(_Event, data)
            match event.type or ("" if name == "message" else name):
                case "speech.audio.done":
                    await read_out(events)
                    return  # half a sample that is left is nothing
                case "error":
                    raise ProviderError("tts", "the server reported an error")
                case "speech.audio.delta" | "":
                    if is_error(event.error):
                        raise ProviderError("tts", "the server reported an error")
                    pcm = odd + samples(event.audio)
                    odd = pcm[len(pcm) & ~1 :]
                    yield pcm[: len(pcm) & ~1]
    raise ProviderError("tts", "the audio broke off")
