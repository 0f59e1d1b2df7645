"""AssemblyAI streaming speech-to-text over its websocket, version 3.

https://www.assemblyai.com/docs/streaming. Plain aiohttp: the official SDK is made of threads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from pydantic import BaseModel, Field, SecretStr

from pipelines.audio import BYTES_PER_SAMPLE
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.certainty import certainty
from pipelines.providers.streaming_stt.protocol import (
    ConnectionEnded,
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TranscriptionEvent,
    TranscriptionLimits,
    TurnBegan,
    TurnOver,
)
from pipelines.providers.streaming_stt.provider import StreamingStt
from pipelines.providers.streaming_stt.terms import TermLimits, with_names
from pipelines.providers.transport.failures import is_error
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "ASSEMBLYAI_API_KEY"

LIMITS = TranscriptionLimits(
    age=7_200.0,  # a session ends after three hours
    answers_within=1.5,  # P99 0.42, as pipecat measured it
    asks_after=0.8,  # where no turn is under way, nothing may come; not documented
)
DETECTING = replace(LIMITS, detects_turns=True, asks_after=None)

SHORTEST = BYTES_PER_SAMPLE * LIMITS.rate // 20
"""Bytes of 50 ms: messages hold that to 1 s (their API reference, Send Audio)."""

NEVER = "3000"
"""Milliseconds of silence that end a turn without us: longer than we ever wait to end it."""

FORCE = json.dumps({"type": "ForceEndpoint"})
TERMINATE = json.dumps({"type": "Terminate"})


TERMS = TermLimits(most=100, longest=50)
"""assemblyai.com/docs/streaming/keyterms-prompting."""


class Transcriber(StreamingStt):
    """Hear with AssemblyAI.

    A connection that waits for a call which was announced costs as long as it waits.
    """

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default="https://streaming.assemblyai.com",
            pattern="^https?://",
            description="Host. https://streaming.eu.assemblyai.com keeps data in Europe.",
        )
        model: str = Field(
            default="universal-3-5-pro",
            min_length=1,
            description=(
                "Model. The default is their newest; universal-streaming-english gives words as "
                "they are spoken."
            ),
        )
        languages: tuple[str, ...] = Field(
            default=("en",),
            description=(
                "ISO 639-1 codes of what is spoken. Empty: the model finds out itself. Those named "
                "universal-streaming take none."
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
        detect_turns: bool = Field(
            default=False,
            description=(
                "Whether AssemblyAI decides when a turn is over. Off: our own detection does, and "
                "has a transcript at every pause, which answers sooner."
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
        await self.connect_by(Http("stt", options.base_url), {"Authorization": key})
        log.info("assemblyai ready", model=options.model)


class _Dialect:
    """How to speak to AssemblyAI."""

    path = "/v3/ws"

    def __init__(self, options: Transcriber.Options) -> None:
        self._options = options
        self._formats = options.model.startswith("universal-streaming")
        self.limits = DETECTING if options.detect_turns else LIMITS

    def params(self) -> list[tuple[str, str]]:
        """Return the query."""
        options = self._options
        params = [
            ("speech_model", options.model),
            ("sample_rate", str(LIMITS.rate)),
            ("encoding", "pcm_s16le"),
        ]
        if self._formats:
            params.append(("format_turns", "true"))
        elif options.languages:
            params.append(("language_codes", json.dumps(options.languages)))
        if options.keyterms:
            params.append(("keyterms_prompt", json.dumps(options.keyterms)))
        if not options.detect_turns:
            params += [("min_turn_silence", NEVER), ("max_turn_silence", NEVER)]
        return params

    def with_names(self, names: Sequence[str]) -> _Dialect:
        """Return the dialect that has names among its terms."""
        told = with_names(self._options.keyterms, names, TERMS)
        return _Dialect(self._options.model_copy(update={"keyterms": told}))

    def retelling(self) -> Sequence[str]:
        """Return what replaces the terms of an open connection.

        assemblyai.com/docs/streaming/updating-configuration-mid-stream
        """
        terms = list(self._options.keyterms)
        return (json.dumps({"type": "UpdateConfiguration", "keyterms_prompt": terms}),)

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol(formats=self._formats, detects_turns=self._options.detect_turns)


class _Message(BaseModel):
    """Any message; what follows the error is of a ``Turn``."""

    type: str = ""
    error: Any = None
    transcript: Words = ""
    end_of_turn: bool = False
    turn_is_formatted: bool = True
    words: Any = None
    language_code: Any = None


class _Protocol:
    """One connection. Transcripts are of the whole turn so far.

    Args:
        formats: Whether a turn ends twice, the second time with punctuation.
        detects_turns: Whether turns end without being forced to.
    """

    def __init__(self, *, formats: bool, detects_turns: bool) -> None:
        self._formats = formats
        self._detects_turns = detects_turns
        self._forced = 0

    def opening(self) -> Sequence[str]:
        """Nothing has to be said."""
        return ()

    def audio(self, pcm: bytes) -> bytes:
        """Audio goes as it is, but what is too short is filled up with silence."""
        return pcm.ljust(SHORTEST, b"\0")

    def finalize(self) -> Sequence[str]:
        """End the turn."""
        self._forced += 1
        return (FORCE,)

    def keep_alive(self) -> bytes:
        """Never called: a session lasts without anything."""
        return bytes(SHORTEST)

    def closing(self) -> Sequence[str]:
        """End; the last turns come, then Termination."""
        return (TERMINATE,)

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        """Return what a message means.

        Raises:
            ProviderError: If it is an error.
            ValueError: If it is not of the protocol.
        """
        said = read_message(_Message, message)
        if is_error(said.error) or said.type == "Error":
            raise ProviderError("stt", "the server reports an error")
        match said.type or ("Turn" if said.transcript else ""):
            case "Turn":
                return self._turn(said)
            case "SpeechStarted":
                return (TurnBegan(),)
            case "Termination":
                return (ConnectionEnded(),)
        return ()

    def _turn(self, turn: _Message) -> Sequence[TranscriptionEvent]:
        known = certainty(language=turn.language_code, confidence=turn.words)
        if not turn.end_of_turn or (self._formats and not turn.turn_is_formatted):
            return (InterimTranscript(turn.transcript, known),)
        final = FinalTranscript(turn.transcript, known)
        if self._detects_turns:
            return (final, TurnOver())
        if self._forced:
            self._forced -= 1
            return (final, Finalized())
        return (final,)
