"""Cartesia Ink speech-to-text over its websocket: it says itself when a turn is over.

https://docs.cartesia.ai/api-reference/stt/turns/websocket. Plain aiohttp: the official SDK brings
its own HTTP client and websockets, for one message of one line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.providers.streaming_stt.protocol import (
    FinalTranscript,
    InterimTranscript,
    TranscriptionEvent,
    TranscriptionLimits,
    TurnBegan,
    TurnMayBeOver,
    TurnOver,
    TurnResumed,
)
from pipelines.providers.streaming_stt.provider import StreamingStt
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message
from pipelines.settings import Section

from .cartesia_stt import KEPT, KEY, VERSION, Error
from .cartesia_stt import LIMITS as WITHOUT_TURNS

log = structlog.get_logger()

LIMITS = TranscriptionLimits(
    age=WITHOUT_TURNS.age,
    group=WITHOUT_TURNS.group,
    keep_alive=WITHOUT_TURNS.keep_alive,
    detects_turns=True,
)

CLOSE = json.dumps({"type": "close"})


class Transcriber(StreamingStt):
    """Hear with Cartesia, which decides when a turn is over. English only."""

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
            description="Model. The default is the only one that detects turns.",
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
        log.info("cartesia ink with turns ready", model=options.model)


class _Dialect:
    """How to speak to Cartesia."""

    limits = LIMITS
    path = "/stt/turns/websocket"

    def __init__(self, options: Transcriber.Options) -> None:
        self._options = options

    def params(self) -> list[tuple[str, str]]:
        """Return the query."""
        return [
            ("model", self._options.model),
            ("encoding", "pcm_s16le"),
            ("sample_rate", str(LIMITS.rate)),
        ]

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol()


class _Message(BaseModel):
    """Any message."""

    type: str = ""
    transcript: Words = ""


class _Protocol:
    """One connection. Transcripts are of the whole turn so far."""

    def opening(self) -> Sequence[str]:
        """Nothing has to be said."""
        return ()

    def audio(self, pcm: bytes) -> bytes:
        """Audio goes as it is."""
        return pcm

    def finalize(self) -> Sequence[str]:
        """It cannot be asked to finish."""
        return ()

    def keep_alive(self) -> bytes:
        """Silence has to do."""
        return KEPT

    def closing(self) -> Sequence[str]:
        """End."""
        return (CLOSE,)

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        """Return what a message means.

        Raises:
            ProviderError: If it is an error.
            ValueError: If it is not of the protocol.
        """
        said = read_message(_Message, message)
        match said.type:
            case "turn.start":
                return (TurnBegan(),)
            case "turn.update":
                return (InterimTranscript(said.transcript),)
            case "turn.eager_end":
                return (InterimTranscript(said.transcript), TurnMayBeOver())
            case "turn.resume":
                return (TurnResumed(),)
            case "turn.end":
                return (FinalTranscript(said.transcript), TurnOver())
            case "error":
                raise read_message(Error, message).reason()
        return ()
