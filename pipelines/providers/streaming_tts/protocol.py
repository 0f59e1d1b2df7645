"""What the engine has to know of a provider: messages out, events in, and how to treat connections.

An adapter of a provider that speaks over a websocket is written against this file: it has a
:class:`SynthesisDialect`, which makes a :class:`SynthesisProtocol` for each connection. Neither
does any I/O, or reads a clock.

A sentence is a *context* to most providers: a name that the engine makes up, and never uses again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.providers.contracts import ProviderError

# What a provider tells.


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Audio of a sentence, cut anywhere, even within a sample."""

    context: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class WordsTimed:
    """When the next words of a sentence end, in seconds of its audio."""

    context: str
    ends: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SynthesisEnded:
    """Nothing more comes of a sentence: it is whole, or was cancelled, or failed."""

    context: str
    error: ProviderError | None = None
    """Why it is not whole; None if it is, or was cancelled."""


@dataclass(frozen=True, slots=True)
class MessageToSend:
    """What the protocol wants to be sent back at once, on the same connection."""

    message: str


SynthesisEvent = AudioChunk | WordsTimed | SynthesisEnded | MessageToSend


# What a provider is told.


@dataclass(frozen=True, slots=True)
class Address:
    """Where a connection goes; connections to the same one are alike."""

    path: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisLimits:
    """What a connection can be used for."""

    contexts: int
    """Sentences at once."""

    confirms: bool
    """Whether a cancelled sentence takes up room until :class:`SynthesisEnded` comes for it."""

    idle: float
    """Seconds without a sentence, after which it is closed."""

    age: float
    """Seconds after which it is given no more sentences."""

    a_minute: int | None = None
    """Sentences that may be begun in any minute; None if as many as you like."""

    confirmed_within: float = 5.0
    """Seconds for :class:`SynthesisEnded` to come for a cancelled sentence; else the connection is
    dropped. A provider that finishes what it had begun takes a second or two for it."""

    suspect_after: float = 1.0
    """Seconds: a connection is given no more sentences once one was given up that had waited so
    long for audio; and is dropped, with what is on it, if the server said nothing at all meanwhile
    (https://github.com/pipecat-ai/pipecat/issues/5305: a socket that took everything and sent
    nothing, for a minute). Healthy ones need 0.1 to 0.5."""


class SynthesisProtocol(Protocol):
    """The provider's protocol on one connection: what to send for an effect, and what came means.

    The engine sends what these return, in order, so an implementation may keep count.
    """

    def speak(self, context: str, text: str, rate: int) -> Sequence[str]:
        """Return what has ``text`` spoken, whole.

        One :class:`SynthesisEnded` for the context has to come of :meth:`read` in the end.

        Args:
            context: The name of the sentence, which is new.
            text: Never blank.
            rate: Hertz of the audio, as :meth:`SynthesisDialect.rate` gave it.
        """
        ...

    def cancel(self, context: str) -> Sequence[str]:
        """Return what has the provider stop a sentence that was begun and has not ended.

        If :attr:`SynthesisLimits.confirms`, :class:`SynthesisEnded` has to come for it, too.
        """
        ...

    def read(self, message: str | bytes) -> Iterable[SynthesisEvent]:
        """Return what a message means; nothing if it is of no interest.

        What it tells of a context that nobody waits for any more is thrown away.

        Raises:
            ProviderError: If it means that the connection is of no use.
            ValueError: If it is not of the protocol.
        """
        ...


class SynthesisDialect(Protocol):
    """How to reach one provider, and to speak to it. Made once, from an adapter's options."""

    @property
    def limits(self) -> SynthesisLimits:
        """What its connections can be used for."""
        ...

    def rate(self, line: int) -> int:
        """Return the rate to ask for, in hertz, for a line of ``line`` hertz."""
        ...

    def address(self, rate: int) -> Address:
        """Return where sentences of ``rate`` hertz are spoken."""
        ...

    def protocol(self) -> SynthesisProtocol:
        """Return the protocol of a fresh connection, of which nothing was sent yet."""
        ...
