"""Cartesia Ink speech-to-text over its websocket, without turn detection.

https://docs.cartesia.ai/api-reference/stt/websocket. Plain aiohttp: the official SDK brings its own
HTTP client and websockets, for two words to send.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.providers.contracts import UNTOLD, ProviderError
from pipelines.providers.streaming_stt.certainty import certainty
from pipelines.providers.streaming_stt.protocol import (
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TranscriptionEvent,
    TranscriptionLimits,
)
from pipelines.providers.streaming_stt.provider import StreamingStt
from pipelines.providers.transport.failures import refused
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "CARTESIA_API_KEY"
VERSION = "2026-03-01"
"""Of the interface; named in every request."""

LIMITS = TranscriptionLimits(
    age=3_300.0,  # no limit is documented
    group=0.1,
    keep_alive=60.0,  # closed after 3 minutes without audio (their migration guides)
    answers_within=2.0,  # P99 0.81, as pipecat measured it
)

KEPT = bytes(2 * LIMITS.rate // 10)
"""Silence of 100 ms: there is no message to keep a connection alive."""


class Transcriber(StreamingStt):
    """Hear with Cartesia; our own voice detection says when an utterance is over."""

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default="https://api.cartesia.ai", pattern="^https?://", description="Host."
        )
        model: str = Field(
            default="ink-2",
            min_length=1,
            description="Model. ink-2 is their newest, and English only; ink-whisper is not.",
        )
        language: str = Field(
            default="en", min_length=2, description="ISO 639-1 code of what is spoken."
        )

    def __init__(self, options: Options) -> None:
        super().__init__(_Dialect(options))
        self._options = options

    async def start(self) -> None:
        """Find the key; sends nothing.

        Raises:
            ProviderError: If there is no key.
        """
        options = self._options
        key = find_key("stt", options.api_key, KEY)
        headers = {"X-API-Key": key, "Cartesia-Version": VERSION}
        await self.connect_by(Http("stt", options.base_url), headers)
        log.info("cartesia ink ready", model=options.model)


class _Dialect:
    """How to speak to Cartesia."""

    limits = LIMITS
    path = "/stt/websocket"

    def __init__(self, options: Transcriber.Options) -> None:
        self._options = options

    def params(self) -> list[tuple[str, str]]:
        """Return the query."""
        return [
            ("model", self._options.model),
            ("language", self._options.language),
            ("encoding", "pcm_s16le"),
            ("sample_rate", str(LIMITS.rate)),
        ]

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol()


class _Message(BaseModel):
    """Any message; what follows the type is of a transcript."""

    type: str = ""
    text: Words = ""
    is_final: bool = False
    language: Any = None


class Error(BaseModel):
    """How Cartesia reports one; ``code`` in interfaces before 2026."""

    status_code: int | None = None
    code: int | None = None

    def reason(self) -> ProviderError:
        """Return what it comes to."""
        return refused("stt", self.status_code or self.code or 500)


class _Protocol:
    """One connection. Final texts follow each other without anything between."""

    def __init__(self) -> None:
        self._text = ""  # final, of what will be finalized
        self._heard = ""  # of it, final or not
        self._certainty = UNTOLD

    def opening(self) -> Sequence[str]:
        """Nothing has to be said."""
        return ()

    def audio(self, pcm: bytes) -> bytes:
        """Audio goes as it is."""
        return pcm

    def finalize(self) -> Sequence[str]:
        """Finalize what was sent."""
        return ("finalize",)

    def keep_alive(self) -> bytes:
        """Silence has to do."""
        return KEPT

    def closing(self) -> Sequence[str]:
        """End."""
        return ("close",)

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        """Return what a message means.

        Raises:
            ProviderError: If it is an error.
            ValueError: If it is not of the protocol.
        """
        said = read_message(_Message, message)
        match said.type or ("transcript" if said.text else ""):
            case "transcript":
                self._heard = self._text + said.text
                if said.is_final:
                    self._text = self._heard
                self._certainty = certainty(language=said.language)
                return (InterimTranscript(self._heard, self._certainty),)
            case "flush_done":
                text, self._text, self._heard = self._heard, "", ""
                return (FinalTranscript(text, self._certainty), Finalized())
            case "error":
                raise read_message(Error, message).reason()
        return ()
