"""What a provider must do. A provider is any object that has these methods; there is no base class.

A provider does one of three jobs: it turns speech into text (:class:`Transcriber`), a conversation
into the next reply (:class:`LanguageModel`), or text into speech (:class:`Synthesizer`). It belongs
to the process, not to a call: one object serves all calls at once, and holds connections, models
and threads.

To write one:

- Give the class an attribute ``Options``, a pydantic model, each field of which has a description.
  The object is built from one of these, does nothing yet, and is started and closed once.
- Raise :class:`ProviderError`, and nothing else, for whatever goes wrong at the other end. Any
  other exception is taken for a bug, and ends the call.
- Hold the event loop up for no longer than a frame of audio, 20 ms: models run in threads, and so
  do files and native libraries.
- A language model raises :class:`ContextTooLongError` if the conversation is too long for it: it is
  asked again with less of it then.
- Let every request be cancelled at any moment, which happens each time that a caller interrupts. It
  ends within 0.1 s then, its connection or thread goes with it or is of use to others, and nothing
  of it is in the answer to a later request.

``tests/contract`` asks all of this of every adapter, against a server of its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import Brief, Message, Tokens, ToolCall

Stage = Literal["stt", "llm", "tts"]


class ProviderError(Exception):
    """A provider could not do its job; another takes over, or the call goes on without this reply.

    The message goes to logs. It holds what is wrong in words of ours, with a
    status or a code of the server's at most, and never the server's own words: those may quote the
    prompt, what was said, or the key. Raise it ``from None`` where the cause would quote them.

    Attributes:
        stage: The stage that failed.
        reason: The message as it was given; ``str(error)`` has the stage before it.
        timed_out: Whether a deadline passed. To ask the same provider again would take as long
            again, so it is not asked while there is another.
        retryable: Whether to ask the same provider again, at once, may help. False if it refuses
            the key, the model or the request, say, or was not started.
        limited: Whether it takes no more requests for now (HTTP 429): more calls would make it
            worse, so none are let in while nobody else is left to ask.
    """

    def __init__(
        self,
        stage: Stage,
        message: str,
        *,
        timed_out: bool = False,
        retryable: bool = True,
        limited: bool = False,
    ) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage
        self.reason = message
        self.timed_out = timed_out
        self.retryable = retryable
        self.limited = limited


class ContextTooLongError(ProviderError):
    """A language model has no room for the conversation; with less of it, it may be asked again.

    Nothing is wrong with the provider: it does not cool down for it. Raised before anything of the
    reply was yielded.
    """

    def __init__(self, message: str = "the conversation is too long for the model") -> None:
        super().__init__("llm", message, retryable=False)


class RequestRefusedError(ProviderError):
    """A language model's server finds fault with the request, and does not say with what.

    From a provider that has answered in this call before it may be the length of the conversation,
    in words that no adapter knows.
    """

    def __init__(self, message: str) -> None:
        super().__init__("llm", message, retryable=False)


class WrittenCallError(ProviderError):
    """A language model has written the call of a tool among its words, and no word beside it.

    Its server does not take calls out of what models write. Nothing else is wrong with the
    provider: it does not cool down for it, but another is asked, since it would only write it
    again. Raised by whoever reads its text, not by adapters.
    """

    def __init__(self) -> None:
        super().__init__("llm", "the reply is a tool call, written as text", retryable=False)


Piece = str | ToolCall | Tokens
"""What a language model's reply is made of: text, tools to be used, and what it has cost."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When the next words of a sentence have been spoken.

    It decides which words count as heard when the caller interrupts. Rather tell of too few words
    than of one that was not spoken yet. In a sentence that nothing is told of they are estimated.
    """

    ends: tuple[float, ...]
    """Seconds from the beginning of the sentence's audio, one for each further word, in order. A
    word is what white space separates in the text that was to be spoken; in scripts without spaces
    it is a character (:func:`pipelines.text.words.words`). None: those that are spoken will be told
    of, or are not to be estimated."""


Speech = Audio | Timing
"""What a spoken sentence is made of: its audio, and when its words end in it."""


class Provider(Protocol):
    """What all three kinds have in common."""

    async def start(self) -> None:
        """Load what would make the first call slow, and find the key; ask no server for anything.

        Called once, before any other method; the service takes no calls until it has returned.

        Raises:
            ProviderError: If it cannot work as configured: a model file or the key is missing, say.
                The message tells what to do about it.
        """
        ...

    async def warm(self) -> None:
        """Open what a call is about to need, such as a connection that was closed for idling.

        Called when a call is announced, and perhaps cancelled before it has returned. It never
        raises ProviderError, since nothing is lost yet: the request that follows will tell.
        """
        ...

    async def aclose(self) -> None:
        """Let go of all threads and connections, and return once they are gone.

        Requests that are under way end with ProviderError, and so does every later one. Closing
        what is closed already, or was never started, does nothing.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """What a provider tells of a transcript beside its text."""

    language: str = ""
    """In which it was spoken, as a BCP 47 tag; ``""`` if that is not told."""

    confidence: float | None = None
    """Between 0 and 1, as the provider counts; None if it is not told."""


UNTOLD = Certainty()


class TranscriptionSession(Protocol):
    """The transcription of one call. Has at most one utterance at a time.

    It outlives a failure: whatever went wrong with one utterance, the next can be transcribed, on a
    fresh connection if need be.
    """

    detects_turns: bool
    """Whether the provider tells itself when the caller has finished, by :meth:`turn_over`. If not,
    our own voice detection and turn model decide."""

    @property
    def so_far(self) -> str:
        """What has been heard of the utterance by now; ``""`` if that is not known.

        Read at any time, also while :meth:`transcribe` runs. It may still change.
        """
        ...

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said, once ``speech`` ends; ``""`` if nothing was.

        A provider that detects the end of a turn itself may return as soon as it does, without
        taking the rest of ``speech``: that takes the place of the turn model.

        An utterance may go on after all. Then this is called again, after it has returned or was
        cancelled: ``speech`` begins with the very same pieces (the same objects) and has more after
        them, and the whole has to be returned. What was sent of them need not be sent again. Speech
        that begins with another object is another utterance, and nothing of the one before may be
        in its text, however late it comes.

        Args:
            speech: Pieces at :data:`pipelines.audio.SPEECH_RATE`, each when it has been spoken; in
                the pauses of the caller none may come for long.

        Raises:
            ProviderError: If the speech could not be transcribed. It may be asked for again then,
                from the beginning of the utterance.
        """
        ...

    async def turn_over(self) -> bool:
        """Wait until the provider knows whether the utterance was all; return whether it was.

        Called only if :attr:`detects_turns`, while :meth:`transcribe` runs or after it has
        returned, and cancelled when the caller goes on.

        Raises:
            ProviderError: If that will not be known, or the provider does not detect turns. Our own
                turn model decides then.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what the call held. Called once the call is over, used or not, maybe twice."""
        ...


@runtime_checkable
class CertainTranscription(Protocol):
    """What a :class:`TranscriptionSession` may have besides; it need not."""

    @property
    def certainty(self) -> Certainty:
        """Of the transcript that was returned last."""
        ...


class Transcriber(Provider, Protocol):
    """Speech to text."""

    def open_session(self) -> TranscriptionSession:
        """Return the session of one call, which whoever asked for it closes when the call ends.

        May begin to connect, but waits for nothing and raises nothing: what cannot be had is told
        by the first utterance.
        """
        ...


@runtime_checkable
class NameTranscriber(Protocol):
    """What a :class:`Transcriber` may have besides: it can be told names that are likely in a call.

    Without it nothing is told. Names are words of a call: they reach no log and no error.
    """

    def open_session_with(self, names: Sequence[str]) -> TranscriptionSession:
        """Return the session of one call, as ``open_session`` does, in which these may be said.

        Args:
            names: Those that are needed most first, each a single line; there may be none yet. As
                many of them are told as the provider takes beside what is configured; the others
                are left out. They change while the call lasts, when somebody joins: keep this
                object, and read it anew for each utterance. A transcriber that hands the work on to
                another hands this very object on.
        """
        ...


class PlainTranscriptionSession:
    """The session of a transcriber that keeps nothing of a call and detects no turns.

    A provider that takes whole utterances returns one of these from ``open_session``: it is given
    the speech once the caller is done, all at once, and not as it is spoken.

    Args:
        transcribe: Transcribes one whole utterance; see :meth:`TranscriptionSession.transcribe`.
    """

    detects_turns = False
    so_far = ""

    def __init__(self, transcribe: Callable[[AsyncIterator[Audio]], Awaitable[str]]) -> None:
        self._transcribe = transcribe

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said."""
        return await self._transcribe(speech)

    async def turn_over(self) -> bool:
        """Never know whether a turn is over.

        Raises:
            ProviderError: Always.
        """
        raise ProviderError("stt", "does not detect turns", retryable=False)

    async def aclose(self) -> None:
        """Hold nothing."""


class LanguageModel(Provider, Protocol):
    """A conversation to the next reply."""

    def reply(self, brief: Brief, conversation: Sequence[Message]) -> AsyncGenerator[Piece, None]:
        """Yield the next assistant message, piece by piece, and what it has cost.

        Text comes as it is written, cut anywhere; what is in it that is not for the caller is taken
        out by whoever asks (:mod:`pipelines.text.reply_text`). Tool calls come whole, in the order
        asked for, and may stand between texts; half of one is never yielded. :class:`Tokens`, if
        the provider counts them, come once. Closing the generator ends the request.

        Args:
            brief: What the model knows, the same all call; ``brief.tools`` are what it may ask for.
            conversation: All that was said by now, oldest first. The caller mostly has the last
                word, but not if we have just used a tool, or speak first. Several messages of one
                speaker may follow each other, and tool calls may have been made by another
                provider: :mod:`pipelines.providers.prompt` makes of it what every service takes.

        Raises:
            ProviderError: If there is no reply, or only part of one. What was yielded before counts
                as said.
        """
        ...


@runtime_checkable
class InstructedModel(Protocol):
    """What a :class:`LanguageModel` may have besides; without it, it follows instructions."""

    follows_whispers: bool
    """Whether it does what ``brief.whispers`` says."""


class Synthesizer(Provider, Protocol):
    """Text to speech."""

    def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio, all of it at one rate, in whole samples, first audio early.

        Where the provider knows when words are spoken, :class:`Timing` comes in between, before or
        after the audio that it is about. Closing the generator ends the request.

        Args:
            text: One sentence, or a few, without markup; 4,000 characters at the most. If nothing
                of it can be spoken, nothing is yielded, or ProviderError raised.
            rate: Hertz on the caller's line. A provider that can makes its audio at that; others
                give theirs, and it is resampled.

        Raises:
            ProviderError: If the text could not be spoken, or not to its end. What was yielded
                before is heard.
        """
        ...
