"""OpenAI realtime transcription over its websocket.

https://developers.openai.com/api/docs/guides/realtime-transcription. Plain aiohttp: the official
SDK's realtime client needs the `websockets` package besides, for three messages of one line.
"""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.keys import find_key
from pipelines.providers.transport.reading import Words, read_message
from pipelines.settings import Section

log = structlog.get_logger()

KEY = "OPENAI_API_KEY"

LIMITS = TranscriptionLimits(
    age=600.0,  # sessions end after 60 minutes; LiveKit replaces them after 10
    rate=24_000,  # the only one there is for PCM
    group=0.1,  # base64 and JSON around it
    answers_within=4.0,  # P99 1.66, as pipecat measured it
)

COMMIT = json.dumps({"type": "input_audio_buffer.commit"})

EMPTY = "input_audio_buffer_commit_empty"
"""The error where less than 0.1 s was sent since the last commit."""

REMEMBERED = 32
"""Items of which nothing more is wanted."""

_REFUSALS = {"invalid_api_key", "insufficient_quota", "model_not_found", "invalid_value"}
"""Errors that come again if the same is asked again."""


TERMS = TermLimits(most=100, longest=50)
"""Ours: no limit is documented."""

KEYWORDS = ("gpt-transcribe", "gpt-live-transcribe")
"""Models that take keywords, by the beginning of their names; others refuse them."""


class Transcriber(StreamingStt):
    """Hear with OpenAI's realtime models; our own voice detection ends an utterance."""

    class Options(Section):
        """What can be chosen."""

        api_key: SecretStr | None = Field(
            default=None, description=f"Key. Unset: {KEY} from the environment, or {KEY}_FILE."
        )
        base_url: str = Field(
            default="https://api.openai.com/v1",
            pattern="^https?://",
            description="URL, up to and without /realtime.",
        )
        model: str = Field(
            default="gpt-live-transcribe",
            min_length=1,
            description=(
                "Model. The default is what OpenAI advises for live speech. gpt-4o-transcribe "
                "gives no text before the end."
            ),
        )
        language: str | None = Field(
            default="en",
            description="ISO 639-1 code of what is spoken. Null: the model finds out itself.",
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
        await self.connect_by(Http("stt", options.base_url), {"Authorization": f"Bearer {key}"})
        log.info("openai realtime ready", model=options.model)


class _Dialect:
    """How to speak to OpenAI."""

    limits = LIMITS
    path = "/realtime"

    def __init__(self, options: Transcriber.Options, names: Sequence[str] = ()) -> None:
        self._options = options
        self._names = names

    def params(self) -> list[tuple[str, str]]:
        """Return the query. A model here would make another kind of session."""
        return [("intent", "transcription")]

    def with_names(self, names: Sequence[str]) -> _Dialect:
        """Return the dialect that has names as keywords."""
        if not self._options.model.startswith(KEYWORDS):
            return self
        return _Dialect(self._options, with_names((), names, TERMS))

    def retelling(self) -> Sequence[str]:
        """Return the same as at the opening: all but the model can be changed at any time."""
        return self.protocol().opening()

    def protocol(self) -> _Protocol:
        """Return the protocol of a fresh connection."""
        return _Protocol(self._options, self._names)


class _Error(BaseModel):
    code: str | None = None


class _Message(BaseModel):
    """Any message; each type has a few of the fields."""

    type: str = ""
    item_id: str = ""
    delta: str = ""
    """A part of what ``transcript`` has all of, later."""

    transcript: Words = ""
    error: _Error = _Error()


@dataclass(slots=True)
class _Item:
    """What is heard of what was sent between two commits."""

    id: str
    text: str = ""
    done: bool = False


class _Protocol:
    """One connection. Items may be completed in another order than they were committed in."""

    def __init__(self, options: Transcriber.Options, names: Sequence[str] = ()) -> None:
        self._options = options
        self._names = names
        self._items: deque[_Item] = deque()
        self._told: deque[str] = deque(maxlen=REMEMBERED)  # items that are done with

    def opening(self) -> Sequence[str]:
        """Say what is wanted."""
        transcription: dict[str, object] = {"model": self._options.model}
        if self._options.language is not None:
            transcription["language"] = self._options.language
        if self._names:
            transcription["keywords"] = list(self._names)
        heard = {
            "format": {"type": "audio/pcm", "rate": LIMITS.rate},
            "transcription": transcription,
            "turn_detection": None,  # newer models refuse any
        }
        session = {"type": "transcription", "audio": {"input": heard}}
        return (json.dumps({"type": "session.update", "session": session}),)

    def audio(self, pcm: bytes) -> str:
        """Audio goes in JSON."""
        audio = base64.b64encode(pcm).decode()
        return json.dumps({"type": "input_audio_buffer.append", "audio": audio})

    def finalize(self) -> Sequence[str]:
        """Commit what was sent."""
        return (COMMIT,)

    def keep_alive(self) -> str:
        """Never called: a session lasts without anything."""
        return self.audio(b"")

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
        match said.type.removeprefix("conversation.item.input_audio_transcription."):
            case "input_audio_buffer.committed" if said.item_id:
                self._item(said.item_id)
            case "delta":
                self._item(said.item_id).text += said.delta
            case "completed":
                item = self._item(said.item_id)
                item.text, item.done = said.transcript or item.text, True
            case "failed":
                raise ProviderError("stt", "the server could not transcribe")
            case "error":
                self._error(said.error.code)
            case _:
                return ()
        return tuple(self._in_order())

    def _item(self, name: str) -> _Item:
        """Return an item; one that is named by some messages alone is the oldest without an end."""
        if name in self._told:
            return _Item(name)  # of no use
        for item in self._items:
            if item.id == name or not (item.done or (name and item.id)):
                item.id = item.id or name
                return item
        self._items.append(_Item(name))
        return self._items[-1]

    def _error(self, code: str | None) -> None:
        """Take an error; a commit of too little is answered by one.

        Raises:
            ProviderError: If it is another.
        """
        if code != EMPTY:
            raise ProviderError(
                "stt", "the server reports an error", retryable=code not in _REFUSALS
            )
        self._items.append(_Item("", done=True))

    def _in_order(self) -> Iterator[TranscriptionEvent]:
        while self._items and self._items[0].done:
            item = self._items.popleft()
            if item.id:
                self._told.append(item.id)
            yield FinalTranscript(item.text)
            yield Finalized()
        if self._items and self._items[0].text:
            yield InterimTranscript(self._items[0].text)
