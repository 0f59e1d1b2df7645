"""Deepgram Nova speech-to-text over its websocket.

https://developers.deepgram.com/reference/speech-to-text/listen-streaming. Plain aiohttp: the
official SDK brings its own HTTP client and websockets, for three messages of one line.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog
from pydantic import BaseModel, Field, FiniteFloat, SecretStr

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
)
from pipelines.providers.streaming_stt.provider import StreamingStt
from pipelines.providers.streaming_stt.terms import TermLimits, with_names
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "DEEPGRAM_API_KEY"

GLOBAL = "https://api.deepgram.com"
"""The only endpoint that changes terms of Nova in an open connection, at the end of 2026
(developers.deepgram.com/docs/configure)."""

LIMITS = TranscriptionLimits(
    age=3_300.0,  # no limit is documented for this; they close speech synthesis after 3,600
    keep_alive=5.0,  # developers.deepgram.com/docs/audio-keep-alive: closed after 10
    answers_within=1.5,  # P99 0.35, as pipecat measured it
    asks_after=0.8,  # developers.deepgram.com/docs/finalize: an answer is not guaranteed
)

NO_WORD = 0.1
"""Seconds at the end of an utterance that may go unheard: its speech ended at least so long before,
or it would not be the end."""

ROUNDED = 0.02
"""Seconds that the end of a result may be short of the audio it covers."""

FINALIZE = json.dumps({"type": "Finalize"})
KEEP_ALIVE = json.dumps({"type": "KeepAlive"})
CLOSE = json.dumps({"type": "CloseStream"})


TERMS = TermLimits(most=100, longest=50, in_all=1_000)
"""Beyond 500 tokens nothing is heard any more (developers.deepgram.com/docs/keyterm); a token has
two characters or more."""


def configure(keyterms: Sequence[str]) -> str:
    """Return what replaces all terms of an open connection.

    It is answered by ``ConfigureSuccess`` or ``ConfigureFailure``; after a failure the terms are
    what they were, which is no reason to lose what is said.
    """
    return json.dumps({"type": "Configure", "keyterms": list(keyterms)})


class Transcriber(StreamingStt):
    """Hear with Deepgram Nova; our own voice detection says when an utterance is over."""

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default=GLOBAL,
            pattern="^https?://",
            description="Host. https://api.eu.deepgram.com keeps data in Europe.",
        )
        model: str = Field(
            default="nova-3",
            min_length=1,
            description="Model. The default is their newest without turn detection of its own.",
        )
        language: str = Field(
            default="en",
            min_length=1,
            description='BCP 47 tag of what is spoken, or "multi" for several at once.',
        )
        keyterms: tuple[str, ...] = Field(
            default=(),
            max_length=100,
            description=(
                "Names and words that callers will use and a dictionary lacks; nova-3 only. None "
                "by default: each makes it likelier to be heard where it was not said."
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
        await self.connect_by(Http("stt", options.base_url), {"Authorization": f"Token {key}"})
        log.info("deepgram ready", model=options.model)


class _Dialect:
    """How to speak to Deepgram."""

    limits = LIMITS
    path = "/v1/listen"

    def __init__(self, options: Transcriber.Options) -> None:
        self._options = options

    def params(self) -> list[tuple[str, str]]:
        """Return the query."""
        options = self._options
        return [
            ("model", options.model),
            ("language", options.language),
            ("encoding", "linear16"),
            ("sample_rate", str(LIMITS.rate)),
            ("channels", "1"),
            ("interim_results", "true"),
            ("punctuate", "true"),  # the endpoint is decided by what a sentence looks like, too
            ("endpointing", "false"),  # Finalize says when
            *(("keyterm", term) for term in options.keyterms),
        ]

    def with_names(self, names: Sequence[str]) -> _Dialect:
        """Return the dialect that has names among its terms."""
        if not self._options.model.startswith("nova-3"):
            return self  # which others take by another name, if at all
        told = with_names(self._options.keyterms, names, TERMS)
        return _Dialect(self._options.model_copy(update={"keyterms": told}))

    def retelling(self) -> Sequence[str]:
        """Return what replaces the terms of an open connection; the endpoints of regions cannot."""
        options = self._options
        return (configure(options.keyterms),) if options.base_url.rstrip("/") == GLOBAL else ()

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol()


class _Alternative(BaseModel):
    transcript: Words = ""
    confidence: Any = None
    languages: Any = None


class _Channel(BaseModel):
    alternatives: tuple[_Alternative, ...] = ()


class _Message(BaseModel):
    """Any message; only results have more than a type."""

    type: str = ""
    channel: _Channel | None = None
    start: FiniteFloat | None = None
    duration: FiniteFloat | None = None
    is_final: bool = False
    from_finalize: bool = False

    @property
    def heard(self) -> _Alternative:
        alternatives = self.channel.alternatives if self.channel else ()
        return alternatives[0] if alternatives else _Alternative()

    @property
    def end(self) -> float | None:
        """Seconds of audio that it reaches to, if that is told."""
        if self.start is None or self.duration is None:
            return None
        return self.start + self.duration


class _Protocol:
    """One connection.

    A Finalize is answered by results ``from_finalize``, unless little is left to be heard; so it
    counts as answered, too, once final results reach as far as the audio that was sent before it.
    """

    def __init__(self) -> None:
        self._sent = 0.0  # seconds of audio
        self._heard = 0.0  # of them, those whose result is final
        self._asked: deque[float] = deque()  # where it was asked to finish
        self._answered = 0.0  # up to where that was answered
        self._ending = False

    def opening(self) -> Sequence[str]:
        """Nothing has to be said."""
        return ()

    def audio(self, pcm: bytes) -> bytes:
        """Audio goes as it is."""
        self._sent += len(pcm) / (BYTES_PER_SAMPLE * LIMITS.rate)
        return pcm

    def finalize(self) -> Sequence[str]:
        """Ask for what is left, if anything is."""
        if self._heard >= self._sent - NO_WORD:
            return ()
        self._asked.append(self._sent)
        return (FINALIZE,)

    def keep_alive(self) -> str:
        """There is a message for it."""
        return KEEP_ALIVE

    def closing(self) -> Sequence[str]:
        """End; the last results come, then Metadata."""
        self._ending = True
        return (CLOSE,)

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        """Return what a message means.

        Raises:
            ProviderError: If it is an error.
            ValueError: If it is not of the protocol.
        """
        said = read_message(_Message, message)
        match said.type or ("Results" if said.channel else ""):
            case "Results":
                return self._results(said)
            case "Metadata" if self._ending:
                return (ConnectionEnded(),)
            case "Error":
                raise ProviderError("stt", "the server reports an error")
        return ()

    def _results(self, results: _Message) -> Sequence[TranscriptionEvent]:
        heard, end = results.heard, results.end
        text = heard.transcript
        known = certainty(language=heard.languages, confidence=heard.confidence)
        if not (results.is_final or results.from_finalize):
            return (InterimTranscript(text, known),)
        asked = self._asked[0] if self._asked and results.from_finalize else None
        if asked is not None and end is None:
            end = asked
        self._heard = max(self._heard, min(end or 0.0, self._sent))
        answered = sum(at <= self._heard + ROUNDED for at in self._asked)
        if asked is not None and end is not None and end > self._answered + ROUNDED:
            answered = max(answered, 1)
        for _ in range(answered):
            self._answered = self._asked.popleft()
        return (FinalTranscript(text, known), *(Finalized() for _ in range(answered)))
