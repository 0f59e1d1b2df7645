"""ElevenLabs Scribe speech-to-text over its websocket.

https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime. Plain aiohttp:
the official SDK brings its own HTTP client and websockets, for one message of one line.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.protocol import (
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TranscriptionEvent,
    TranscriptionLimits,
)
from pipelines.providers.streaming_stt.provider import StreamingStt
from pipelines.providers.streaming_stt.terms import TermLimits, with_names
from pipelines.providers.transport.failures import is_error
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "ELEVENLABS_API_KEY"

LIMITS = TranscriptionLimits(
    age=1_800.0,  # sessions have a limit (session_time_limit_exceeded), which is not documented
    group=0.1,  # the least that they advise
    keep_alive=5.0,  # as pipecat has it; what closes an idle session is not documented
    answers_within=1.5,  # P99 0.41, as pipecat measured it
)

KEPT = bytes(2 * LIMITS.rate // 10)
"""Silence of 100 ms: there is no message to keep a connection alive."""

_REFUSALS = {"auth_error", "quota_exceeded", "unaccepted_terms"}
"""Errors that come again if the same is asked again."""


TERMS = TermLimits(most=50, longest=20)
"""As Vapi tells of the realtime model (docs.vapi.ai/whats-new/2026/11/16)."""


class Transcriber(StreamingStt):
    """Hear with Scribe; our own voice detection says when an utterance is over."""

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default="https://api.elevenlabs.io",
            pattern="^https?://",
            description="Host. Keys of a region of its own need that region's.",
        )
        model: str = Field(
            default="scribe_v2_realtime",
            min_length=1,
            description="Model. The default is their only one for live speech.",
        )
        language: str | None = Field(
            default="en",
            description="ISO 639 code of what is spoken. Null: the model finds out itself.",
        )
        keyterms: tuple[str, ...] = Field(
            default=(),
            max_length=50,
            description=(
                "Names and words that callers will use and a dictionary lacks. None by default: "
                "they cost extra, and each makes it likelier to be heard where it was not said."
            ),
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
        await self.connect_by(Http("stt", options.base_url), {"xi-api-key": key})
        log.info("elevenlabs scribe ready", model=options.model)


class _Dialect:
    """How to speak to Scribe."""

    limits = LIMITS
    path = "/v1/speech-to-text/realtime"

    def __init__(self, options: Transcriber.Options) -> None:
        self._options = options

    def params(self) -> list[tuple[str, str]]:
        """Return the query."""
        options = self._options
        params = [
            ("model_id", options.model),
            ("audio_format", f"pcm_{LIMITS.rate}"),
            ("commit_strategy", "manual"),
            *(("keyterms", term) for term in options.keyterms),
        ]
        if options.language is not None:
            params.append(("language_code", options.language))
        return params

    def with_names(self, names: Sequence[str]) -> _Dialect:
        """Return the dialect that has names among its terms."""
        told = with_names(self._options.keyterms, names, TERMS)
        return _Dialect(self._options.model_copy(update={"keyterms": told}))

    def retelling(self) -> Sequence[str]:
        """Terms are part of the address: an open connection cannot be told others."""
        return ()

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol()


class _Message(BaseModel):
    """Any message."""

    message_type: str = ""
    error: Any = None
    text: Words = ""


class _Protocol:
    """One connection."""

    def __init__(self) -> None:
        self._committed = 0  # and not answered

    def opening(self) -> Sequence[str]:
        """Nothing has to be said."""
        return ()

    def audio(self, pcm: bytes) -> str:
        """Audio goes in JSON."""
        return _chunk(pcm)

    def finalize(self) -> Sequence[str]:
        """Commit what was sent."""
        self._committed += 1
        return (_chunk(b"", commit=True),)

    def keep_alive(self) -> str:
        """Silence has to do."""
        return _chunk(KEPT)

    def closing(self) -> Sequence[str]:
        """There is nothing to say."""
        return ()

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        """Return what a message means.

        Raises:
            ProviderError: If it is an error.
            ValueError: If it is not of the protocol.
        """
        said = read_message(_Message, message)
        match said.message_type:
            case "partial_transcript":
                return (InterimTranscript(said.text),)
            case "committed_transcript":
                return (FinalTranscript(said.text), *self._answered())
            case "commit_throttled":
                # Less than 0.3 s since the last commit: nothing is heard of so little, unless more
                # follows; it stays where it is, for the next commit.
                return self._answered()
        if is_error(said.error) or said.message_type.endswith("error"):
            refused = said.message_type in _REFUSALS
            raise ProviderError("stt", "the server reports an error", retryable=not refused)
        return ()

    def _answered(self) -> Sequence[TranscriptionEvent]:
        if not self._committed:
            return ()  # it commits by itself what is very long
        self._committed -= 1
        return (Finalized(),)


def _chunk(pcm: bytes, *, commit: bool = False) -> str:
    return json.dumps(
        {
            "message_type": "input_audio_chunk",
            "audio_base_64": base64.b64encode(pcm).decode(),
            "commit": commit,
            "sample_rate": LIMITS.rate,
        }
    )
