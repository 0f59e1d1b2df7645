"""What the engine has to know of a provider: messages out, events in, and how to treat connections.

An adapter of a provider that transcribes over a websocket is written against this file: it has a
:class:`TranscriptionDialect`, which makes a :class:`TranscriptionProtocol` for each connection.
Neither does any I/O, or reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pipelines.audio import SPEECH_RATE
from pipelines.providers.contracts import UNTOLD, Certainty

# What a provider tells.


@dataclass(frozen=True, slots=True)
class InterimTranscript:
    """What was heard since the last :class:`FinalTranscript`, as far as it is known by now."""

    text: str
    certainty: Certainty = UNTOLD


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """What was heard since the last final transcript; it will not change."""

    text: str
    certainty: Certainty = UNTOLD


@dataclass(frozen=True, slots=True)
class Finalized:
    """All is final that was sent before the oldest unanswered request to finalize.

    Such a request is what :meth:`TranscriptionProtocol.finalize` returned. The final transcripts
    themselves come before this.
    """


@dataclass(frozen=True, slots=True)
class ConnectionEnded:
    """Everything that was sent was heard, and the connection is at its end."""


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """The caller has begun to speak."""


@dataclass(frozen=True, slots=True)
class TurnMayBeOver:
    """The caller has perhaps finished; the text is final if they have."""


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The caller goes on: the turn that might have been over is not."""


@dataclass(frozen=True, slots=True)
class TurnOver:
    """The caller has finished."""


TurnEvent = TurnBegan | TurnMayBeOver | TurnResumed | TurnOver
TranscriptionEvent = InterimTranscript | FinalTranscript | Finalized | ConnectionEnded | TurnEvent


# What a provider is told.


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionLimits:
    """How a provider wants its connections to be treated."""

    age: float
    """Seconds after which a connection is replaced, once nobody speaks."""

    rate: int = SPEECH_RATE
    """Hertz of the audio that is sent. What the caller says comes at SPEECH_RATE, whatever their
    line carries; where the provider takes that, it costs nothing to send it so, and it is what
    most models were trained at."""

    group: float = 0.08
    """Seconds of audio in a message, while it is spoken: four frames of the line. Less makes
    messages more than it makes results sooner."""

    longest: float = 1.0
    """Seconds of audio in any message. AssemblyAI takes no more; nobody wants more."""

    keep_alive: float | None = None
    """Seconds without a message after which :meth:`TranscriptionProtocol.keep_alive` is sent; None
    for never."""

    detects_turns: bool = False
    """Whether the provider decides when a turn is over. It is not asked to finalize then."""

    answers_within: float = 2.0
    """Seconds for :class:`Finalized` to come. A connection that owes it for longer is not used
    again; whether to wait for longer is decided by those who ask."""

    asks_after: float | None = None
    """Seconds for :class:`Finalized` to come, after which the connection is closed to have an
    answer: for a provider that may say nothing where nothing is left to say. None if it always
    answers."""


class TranscriptionProtocol(Protocol):
    """The provider's protocol on one connection: what to send for an effect, and what came means.

    The engine calls these in the order in which it sends what they return, and sends all of it, so
    an implementation may keep count. It never calls one while another runs.
    """

    def opening(self) -> Sequence[str]:
        """Return what is sent first, before any audio; often nothing."""
        ...

    def audio(self, pcm: bytes) -> str | bytes:
        """Return the message that carries ``pcm``.

        Args:
            pcm: Samples at :attr:`TranscriptionLimits.rate`; never more than
                :attr:`TranscriptionLimits.longest`.
        """
        ...

    def finalize(self) -> Sequence[str]:
        """Return what has the provider transcribe the rest of what was sent, and wait for no more.

        Nothing is returned if nothing is left to be heard; :class:`Finalized` does not come then.
        Else exactly one :class:`Finalized` has to come of :meth:`read`. Never called if the
        provider detects turns.
        """
        ...

    def keep_alive(self) -> str | bytes:
        """Return what keeps the connection open while nobody speaks.

        Called only if there is :attr:`TranscriptionLimits.keep_alive`.
        """
        ...

    def closing(self) -> Sequence[str]:
        """Return what is sent last.

        If there is :attr:`TranscriptionLimits.asks_after`, :class:`ConnectionEnded` has to come of
        :meth:`read` once the provider has answered that.
        """
        ...

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        """Return what a message means; nothing if it is of no interest.

        Raises:
            ProviderError: If it means that the connection is of no use.
            ValueError: If it is not of the protocol.
        """
        ...


class TranscriptionDialect(Protocol):
    """How to reach one provider, and to speak to it. Made once, from an adapter's options."""

    @property
    def limits(self) -> TranscriptionLimits:
        """How its connections are to be treated."""
        ...

    @property
    def path(self) -> str:
        """Where to connect to, below the base URL."""
        ...

    def params(self) -> list[tuple[str, str]]:
        """Return the query of the URL."""
        ...

    def protocol(self) -> TranscriptionProtocol:
        """Return the protocol of a fresh connection, of which nothing was sent yet."""
        ...


@runtime_checkable
class NamingDialect(TranscriptionDialect, Protocol):
    """A :class:`TranscriptionDialect` of a provider that can be told names."""

    def with_names(self, names: Sequence[str]) -> NamingDialect:
        """Return the dialect of connections that tell these, beside what is configured.

        Args:
            names: Any number of them, of any length; those that the provider does not take are
                left out, as :func:`pipelines.providers.streaming_stt.terms.with_names` does. If
                it takes none at all, this very dialect is returned.
        """
        ...

    def retelling(self) -> Sequence[str]:
        """Return what has an open connection go on as if it had been opened in this dialect.

        Nothing is returned if that cannot be: the connection is replaced by a fresh one then.
        """
        ...
