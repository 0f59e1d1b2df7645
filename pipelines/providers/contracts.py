"""What a provider must do. A provider is any object that has these methods.

A provider belongs to the process, not to a call: one object serves every call at once, and holds
connections, models and threads. It is built from its ``Options``, started once, and closed once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import Brief, Message, Tokens, ToolCall

Stage = Literal["stt", "llm", "tts"]


class ProviderError(Exception):
    """A provider could not do its job; another takes over, or the call goes on without this reply.

    The message is for logs: never the server's own words, since it may quote the prompt, what was
    said or the key.

    Attributes:
        stage: The stage that failed.
        reason: The message without the stage, which it is preceded by in ``str(error)``.
        timed_out: Whether a deadline passed; to ask the same provider again would take as long
            again.
        retryable: Whether to ask the same provider again may help; not if it refuses the key, say.
    """

    def __init__(
        self, stage: Stage, message: str, *, timed_out: bool = False, retryable: bool = True
    ) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage
        self.reason = message
        self.timed_out = timed_out
        self.retryable = retryable


Piece = str | ToolCall | Tokens
"""What a language model's reply is made of."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When the next words of a sentence have been spoken."""

    ends: tuple[float, ...]
    """Seconds from the beginning of the sentence's audio, one for each further word, in order."""


Speech = Audio | Timing
"""What a spoken sentence is made of."""


class Provider(Protocol):
    """What all three kinds have in common."""

    async def start(self) -> None:
        """Load and warm what would make the first call slow; called once, before any use.

        Raises:
            ProviderError: If it cannot work as configured: a model file is missing, say.
        """
        ...

    async def warm(self) -> None:
        """Open what a call is about to need, such as a connection that was closed for idling.

        Called when a call is announced; never raises ProviderError, since nothing is lost yet.
        """
        ...

    async def aclose(self) -> None:
        """Let go of threads and connections. Calls in progress may fail with ProviderError."""
        ...


class TranscriptionSession(Protocol):
    """What hears one call. Has at most one utterance at a time."""

    detects_turns: bool
    """Whether it tells itself when the caller has finished, by :meth:`turn_over`."""

    @property
    def so_far(self) -> str:
        """What has been heard of the utterance by now; ``""`` if that is not known."""
        ...

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said once ``speech`` ends; ``""`` if nothing was.

        ``speech`` comes at :data:`pipelines.audio.SPEECH_RATE`, as it is spoken. Cancelling is
        safe. A provider that detects the end of a turn itself may return as soon as it does: that
        takes the place of the turn model.

        An utterance may go on after all: then this is called again, ``speech`` begins with the very
        same pieces (the same objects) and has more after them, and the whole has to be returned.
        What was sent of them need not be sent again.

        Raises:
            ProviderError: If the speech could not be transcribed.
        """
        ...

    async def turn_over(self) -> bool:
        """Wait until the provider knows whether the utterance was all; return whether it was.

        Called while or after :meth:`transcribe` runs, only if :attr:`detects_turns`; cancelled when
        the caller goes on.

        Raises:
            ProviderError: If that will not be known.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what the call held."""
        ...


class Transcriber(Provider, Protocol):
    """Speech to text."""

    def open_session(self) -> TranscriptionSession:
        """Return what hears one call; to be closed when the call ends. Must not block."""
        ...


class PlainTranscriptionSession:
    """The session of a transcriber that keeps nothing of a call and detects no turns.

    Args:
        transcribe: Hears one whole utterance; see :meth:`TranscriptionSession.transcribe`.
    """

    detects_turns = False
    so_far = ""

    def __init__(self, transcribe: Callable[[AsyncIterator[Audio]], Awaitable[str]]) -> None:
        self._transcribe = transcribe

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said."""
        return await self._transcribe(speech)

    async def turn_over(self) -> bool:
        """Never know.

        Raises:
            ProviderError: Always.
        """
        raise ProviderError("stt", "does not detect turns", retryable=False)

    async def aclose(self) -> None:
        """Hold nothing."""


class LanguageModel(Provider, Protocol):
    """Text to text."""

    def reply(self, brief: Brief, conversation: Sequence[Message]) -> AsyncGenerator[Piece, None]:
        """Yield the next assistant message, piece by piece, and what it has cost.

        Text comes as it is written; tool calls come whole, in the order asked for, and may stand
        between texts; :class:`Tokens`, if the provider counts them, come once. Closing the
        generator ends the request.

        Raises:
            ProviderError: If there is no reply, or only part of one.
        """
        ...


class Synthesizer(Provider, Protocol):
    """Text to speech."""

    def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio, all of it at one rate, in whole samples, first audio early.

        Where the provider knows when words are spoken, :class:`Timing` comes in between. Closing
        the generator ends the request.

        Args:
            text: One sentence, or a few, without markup.
            rate: Hertz on the caller's line. A provider that can makes its audio at that; others
                give theirs, and it is resampled.

        Raises:
            ProviderError: If the text could not be spoken.
        """
        ...
