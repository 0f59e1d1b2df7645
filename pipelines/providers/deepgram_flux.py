"""Deepgram Flux speech-to-text over its websocket: it says itself when a turn is over.

https://developers.deepgram.com/docs/flux. Plain aiohttp: the official SDK brings its own HTTP
client and websockets, for one message of one line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import structlog
from pydantic import BaseModel, Field, SecretStr, model_validator

from pipelines.providers.contracts import ProviderError
from pipelines.providers.deepgram_stt import TERMS, configure
from pipelines.providers.streaming_stt.certainty import certainty
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
from pipelines.providers.streaming_stt.terms import with_names
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "DEEPGRAM_API_KEY"

LIMITS = TranscriptionLimits(
    age=3_300.0,  # no limit is documented for this; they close speech synthesis after 3,600
    group=0.08,  # what they advise (developers.deepgram.com/docs/flux/quickstart)
    keep_alive=5.0,  # Nova is closed after 10 s without anything
    detects_turns=True,
)

KEPT = bytes(2 * LIMITS.rate // 50)
"""Silence of 20 ms: Flux has no message to keep a connection alive, and audio is what it costs."""

CLOSE = json.dumps({"type": "CloseStream"})


class Transcriber(StreamingStt):
    """Hear with Deepgram Flux."""

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
            default="flux-general-en",
            min_length=1,
            description="Model. flux-general-multi hears ten languages.",
        )
        languages: tuple[str, ...] = Field(
            default=(),
            description=(
                "Language codes that flux-general-multi is to expect, such as de. Empty: it finds "
                "out itself. flux-general-en takes none."
            ),
        )
        keyterms: tuple[str, ...] = Field(
            default=(),
            max_length=100,
            description=(
                "Names and words that callers will use and a dictionary lacks. None by default: "
                "each makes it likelier to be heard where it was not said."
            ),
        )
        turn_over_from: float = Field(
            default=0.7,
            ge=0.5,
            le=1.0,
            description="Certainty from which a turn is over, 0.5 to 1. 0.7 is Deepgram's default.",
        )
        maybe_over_from: float | None = Field(
            default=0.5,
            ge=0.3,
            le=0.9,
            description=(
                "Certainty from which a reply is prepared, 0.3 to 0.9 and below turn_over_from. "
                "0.5 is 0.15 to 0.25 s sooner than the end, for half as many replies again that "
                "are thrown away. Null: only at the end."
            ),
        )
        turn_over_after: float = Field(
            default=3.0,
            ge=0.5,
            le=8.0,
            description=(
                "Seconds of silence that end any turn. Deepgram's default of 5 is longer than "
                "callers wait."
            ),
        )

        @model_validator(mode="after")
        def _in_order(self) -> Transcriber.Options:
            if self.maybe_over_from is not None and self.maybe_over_from > self.turn_over_from:
                raise ValueError("maybe_over_from is above turn_over_from")
            return self

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
        await self.connect_by(Http("stt", options.base_url), {"Authorization": f"Token {key}"})
        log.info("deepgram flux ready", model=options.model)


class _Dialect:
    """How to speak to Flux."""

    limits = LIMITS
    path = "/v2/listen"

    def __init__(self, options: Transcriber.Options) -> None:
        self._options = options

    def params(self) -> list[tuple[str, str]]:
        """Return the query."""
        options = self._options
        params = [
            ("model", options.model),
            ("encoding", "linear16"),
            ("sample_rate", str(LIMITS.rate)),
            ("eot_threshold", f"{options.turn_over_from:g}"),
            ("eot_timeout_ms", str(round(options.turn_over_after * 1000))),
            *(("language_hint", language) for language in options.languages),
            *(("keyterm", term) for term in options.keyterms),
        ]
        if options.maybe_over_from is not None:
            params.append(("eager_eot_threshold", f"{options.maybe_over_from:g}"))
        return params

    def with_names(self, names: Sequence[str]) -> _Dialect:
        """Return the dialect that has names among its terms."""
        told = with_names(self._options.keyterms, names, TERMS)
        return _Dialect(self._options.model_copy(update={"keyterms": told}))

    def retelling(self) -> Sequence[str]:
        """Return what replaces the terms of an open connection."""
        return (configure(self._options.keyterms),)

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol()


class _Message(BaseModel):
    """Any message; only ``TurnInfo`` has more than a type."""

    type: str = ""
    event: str = ""
    transcript: Words = ""
    words: Any = None
    languages: Any = None


class _Protocol:
    """One connection. Transcripts are of the whole turn so far."""

    def opening(self) -> Sequence[str]:
        """Nothing has to be said."""
        return ()

    def audio(self, pcm: bytes) -> bytes:
        """Audio goes as it is."""
        return pcm

    def finalize(self) -> Sequence[str]:
        """Flux is not asked to finish."""
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
        match said.type or ("TurnInfo" if said.event else ""):
            case "TurnInfo":
                return _turn(said)
            case "Error" | "FatalError":
                raise ProviderError("stt", "the server reports an error")
        return ()


def _turn(info: _Message) -> Sequence[TranscriptionEvent]:
    known = certainty(language=info.languages, confidence=info.words)
    heard = InterimTranscript(info.transcript, known)
    match info.event:
        case "StartOfTurn":
            return (TurnBegan(), heard)
        case "Update":
            return (heard,)
        case "EagerEndOfTurn":
            return (heard, TurnMayBeOver())
        case "TurnResumed":
            return (heard, TurnResumed())
        case "EndOfTurn":
            return (FinalTranscript(info.transcript, known), TurnOver())
    return ()
