"""What a provider must do. A provider is any object that has these methods.

A provider belongs to the process, not to a call: one object serves every call at once, and holds
connections, models and threads. It is built from its ``Options``, started once, and closed once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pipelines.audio import Audio

Stage = Literal["stt", "llm", "tts"]


class ProviderError(Exception):
    """A provider could not do its job; the call goes on without this reply.

    Attributes:
        stage: The stage that failed.
    """

    def __init__(self, stage: Stage, message: str) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation, as the model is shown it."""

    role: Literal["user", "assistant"]
    text: str
    cut_off: bool = False
    """Whether the caller heard no more than this of what we were saying."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for something to be done, once what it said before has been heard."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


END_CALL = "end_call"
"""Hang up."""

TRANSFER_CALL = "transfer_call"
"""Pass the caller on; ``to`` is the name of a :class:`Destination`."""

PRESS_KEYS = "press_keys"
"""Press keys of the telephone; ``keys`` are of ``0-9*#A-D``, and ``w`` for half a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Somebody whom callers can be passed on to."""

    name: str
    when: str = ""
    """When to, for a language model."""

    asked: tuple[str, ...] = ()
    """Ways of asking for it."""

    announcement: str = ""
    """What to say before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A frequent question and its answer."""

    asked: tuple[str, ...]
    """Ways of asking it; at least one."""

    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a language model knows before the first word, from the agent file. The same all call."""

    prompt: str = ""
    """The system prompt, its variables filled in. Facts and questions are not in it."""

    language: str = "en"
    """BCP 47 tag."""

    facts: tuple[str, ...] = ()
    """Sentences that are true, each fit to be spoken by itself."""

    questions: tuple[Question, ...] = ()

    unsure: tuple[str, ...] = ()
    """What to say, in turn, when the answer is not known."""

    goodbye: str = ""
    """What to say before hanging up."""

    pronounce: Mapping[str, str] = field(default_factory=dict)
    """Words, and how to write them for a voice."""

    destinations: tuple[Destination, ...] = ()
    """Whom the caller can be passed on to, if the call allows it."""

    may_press_keys: bool = False
    """Whether we dialled, and may meet a menu."""


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


class Transcriber(Provider, Protocol):
    """Speech to text."""

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said once ``speech`` ends; ``""`` if nothing was.

        ``speech`` comes at :data:`pipelines.audio.SPEECH_RATE`, as it is spoken. Cancelling is
        safe and frees what the request holds. A provider that detects the end of a turn itself
        returns then: that takes the place of the turn model. If the caller goes on all the same,
        it is asked again, from the beginning.

        Raises:
            ProviderError: If the speech could not be transcribed.
        """
        ...


class LanguageModel(Provider, Protocol):
    """Text to text."""

    def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the next assistant message, piece by piece, and what else should be done.

        Closing the generator ends the request.

        Raises:
            ProviderError: If there is no reply, or only part of one.
        """
        ...


class Synthesizer(Provider, Protocol):
    """Text to speech."""

    def speak(self, text: str) -> AsyncGenerator[Audio, None]:
        """Yield ``text`` as audio, all of it at one rate, in whole samples, first audio early.

        Closing the generator ends the request.

        Raises:
            ProviderError: If the text could not be spoken.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The three providers one call uses."""

    stt: Transcriber
    llm: LanguageModel
    tts: Synthesizer
