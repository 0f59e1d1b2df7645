"""Any speech-to-text behind OpenAI's ``audio/transcriptions``: OpenAI, Groq, faster-whisper, vLLM.

https://developers.openai.com/api/docs/guides/speech-to-text. By utterance: one upload once the
caller has paused, one answer. Plain aiohttp rather than the SDK: it is one form, and cancelling it
closes the connection at once.
"""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.audio import BYTES_PER_SAMPLE, SPEECH_RATE, Audio
from pipelines.providers.contracts import (
    PlainTranscriptionSession,
    ProviderError,
    TranscriptionSession,
)
from pipelines.providers.transport.bodies import chunks, whole_body
from pipelines.providers.transport.failures import is_error
from pipelines.providers.transport.http import Http, form
from pipelines.providers.transport.reading import Words, parsed
from pipelines.settings import Section

from .openai_hosts import API_KEY, KEY_VARIABLE, OPENAI_URL, auth_headers

log = structlog.get_logger()

ANSWER_WITHIN = 10.0
"""Seconds until the head of an answer, and then between its pieces. OpenAI needs two for most
utterances (99 in 100, as pipecat measured). The chain gives up earlier."""

MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer, which has a few hundred."""


class _Said(BaseModel):
    text: Words = ""


TEXT = ("text", "transcript", "transcription")
"""Fields that have what was heard, as servers call them."""

PARTS = ("segments", "results", "result", "alternatives", "data", "chunks", "utterances")
"""Fields that have the same in parts, or in an object of its own."""

DEEPEST = 6
"""Fields in each other that are looked into."""


def _text(answer: object) -> str:
    """Return what was heard.

    Raises:
        ProviderError: If it is an error.
        ValueError: If nothing in it could be what was heard.
    """
    if isinstance(answer, Mapping) and is_error(answer.get("error")):
        raise ProviderError("stt", "the server reports an error")
    texts = _texts(answer, DEEPEST)
    if texts is None:
        raise ValueError("no transcript")
    return " ".join(" ".join(texts).split())


def _texts(answer: object, deepest: int) -> list[str] | None:
    """Return what was heard, in parts; None if there is no place for it.

    Raises:
        ValueError: If something else than text is in that place.
    """
    match answer:
        case str():
            return [answer]
        case list() if deepest:
            parts = [_texts(each, deepest - 1) for each in answer]
            found = [part for part in parts if part is not None]
            return [text for part in found for text in part] if found else None
        case Mapping() if deepest:
            return _texts_of_fields(answer, deepest)
    return None


def _texts_of_fields(answer: Mapping[str, object], deepest: int) -> list[str] | None:
    found: list[str] | None = None
    for name in TEXT:
        if name in answer:
            found = [_Said.model_validate({"text": answer[name]}).text]
            if found[0].strip():
                return found
    for name in PARTS:
        value = answer.get(name)
        if name == "alternatives" and isinstance(value, list):
            value = value[:1]  # the likeliest comes first
        if (parts := _texts(value, deepest - 1)) is not None:
            return parts
        if name in answer and value in (None, []):  # silence
            found = found or []
    return found


def _heard(kind: str, body: bytes) -> str:
    """Return what was heard by an answer of that media type.

    Raises:
        ProviderError: If it is an error.
        ValueError: If it cannot be read.
    """
    if kind == "text/plain":
        text = " ".join(body.decode("utf-8-sig", "replace").split())
        if not text.startswith(("{", "[{", '"', "<")):
            return text
    return _text(parsed(body))


class Transcriber:
    """Ask a server that speaks OpenAI's ``audio/transcriptions``."""

    class Options(Section):
        """What can be chosen."""

        model: str = Field(
            default="gpt-transcribe",
            min_length=1,
            description=(
                "Model name, as the server knows it: whisper-large-v3-turbo at Groq, say. The "
                "default is the only one of OpenAI's for whole utterances that has no shutdown "
                "date; whisper-1 and gpt-4o-transcribe end on 26 February 2027."
            ),
        )
        language: str | None = Field(
            default=None,
            pattern="^[a-z]{2,3}$",
            description=(
                "What callers speak, as ISO 639-1: en, de. Unset: the server finds out, which "
                "takes a little longer and is less sure for short answers."
            ),
        )
        prompt: str | None = Field(
            default=None,
            min_length=1,
            description=(
                "Words that callers are likely to use, or a sentence about what calls are about: "
                "names are heard better then. Some models return it when they hear nothing, so "
                "keep it unset unless names matter."
            ),
        )
        base_url: str = Field(
            default=OPENAI_URL,
            pattern="^https?://",
            description=(
                "URL, up to and without /audio/transcriptions; the default is OpenAI, whatever "
                "the environment says in OPENAI_BASE_URL. Groq's is "
                "https://api.groq.com/openai/v1."
            ),
        )
        api_key: SecretStr | None = Field(default=None, description=API_KEY)
        key_variable: str | None = Field(
            default=None, pattern="^[A-Za-z_][A-Za-z0-9_]*$", description=KEY_VARIABLE
        )

    def __init__(self, options: Options) -> None:
        self._options = options
        self._http = Http("stt", options.base_url)

    async def start(self) -> None:
        """Find the key; sends nothing.

        Raises:
            ProviderError: If the server needs a key, and there is none.
        """
        await self._http.start(auth_headers("stt", self._options))
        log.info("audio/transcriptions ready", model=self._options.model)

    async def warm(self) -> None:
        """Open a connection, if none is idle."""
        await self._http.warm()

    async def aclose(self) -> None:
        """Close all connections; what is being transcribed fails with ProviderError."""
        await self._http.aclose()

    def open_session(self) -> TranscriptionSession:
        """Return the session of one call."""
        return PlainTranscriptionSession(self._transcribe)

    async def _transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said; ``""`` if there was no speech at all, which no server is asked.

        Raises:
            ProviderError: If the server fails, or its answer cannot be read.
        """
        pcm = b"".join([audio.pcm async for audio in speech])
        if not pcm:
            return ""
        upload = form(self._fields(), name="speech.wav", content=_wav(pcm), kind="audio/wav")
        asking = self._http.request(
            "POST", "/audio/transcriptions", head_within=ANSWER_WITHIN, data=upload
        )
        async with asking as answer, aclosing(chunks(answer, ANSWER_WITHIN)) as body:
            return _heard(answer.content_type, await whole_body(body, MAX_ANSWER))

    def _fields(self) -> dict[str, str]:
        options = self._options
        fields = {"model": options.model, "response_format": "json"}  # which all servers know
        if options.language is not None:
            # The newer model takes several; the others, of OpenAI and elsewhere, take one.
            several = options.model.startswith("gpt-transcribe")
            fields["languages[]" if several else "language"] = options.language
        if options.prompt is not None:
            fields["prompt"] = options.prompt
        return fields


def _wav(pcm: bytes) -> bytes:
    """Return samples at ``SPEECH_RATE`` as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_PER_SAMPLE)
        writer.setframerate(SPEECH_RATE)
        writer.writeframes(pcm)
    return file.getvalue()
