"""The session of one call: what of its speech is new, and on which connection it goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.providers.contracts import UNTOLD, Certainty, ProviderError
from pipelines.providers.streaming_stt.connection import TranscriptionConnection
from pipelines.providers.streaming_stt.protocol import TranscriptionDialect, TranscriptionLimits
from pipelines.providers.streaming_stt.turns import Pace, TurnState, UtteranceTranscript
from pipelines.providers.streaming_stt.utterance_stream import UtteranceStream


class Connections(Protocol):
    """Where sessions have their connections from."""

    @property
    def dialect(self) -> TranscriptionDialect:
        """How utterances that begin now are to be heard."""
        ...

    def take(self) -> TranscriptionConnection:
        """Return a connection that is nobody else's, open or opening.

        Raises:
            ProviderError: If there can be none.
        """
        ...


@dataclass(slots=True, eq=False)
class _Utterance:
    """An utterance that was begun on a connection, and may go on there."""

    stream: UtteranceStream
    transcript: UtteranceTranscript = field(default_factory=UtteranceTranscript)
    pieces: list[Audio] = field(default_factory=list)
    """What was taken to be sent. Kept, because an utterance goes on with the very same objects."""


class StreamingTranscriptionSession:
    """Transcribe one call: :class:`pipelines.providers.contracts.TranscriptionSession`.

    Args:
        connections: Where to have connections from; the first is had at once.
        limits: How the provider wants them to be treated.
        pace: How long to wait for what.
    """

    def __init__(self, connections: Connections, limits: TranscriptionLimits, pace: Pace) -> None:
        self.detects_turns = limits.detects_turns
        self._connections = connections
        self._limits = limits
        self._pace = pace
        self._stream: UtteranceStream | None = None
        self._utterance: _Utterance | None = None
        self._sending: asyncio.Timeout | None = None
        self._utterance_known = asyncio.Event()  # unset while the current one may be another
        self._utterance_known.set()
        self._closed = False
        self._renew()

    @property
    def so_far(self) -> str:
        """What has been heard of the utterance by now."""
        return self._utterance.transcript.text if self._utterance else ""

    @property
    def certainty(self) -> Certainty:
        """How sure that is, as far as the provider tells."""
        return self._utterance.transcript.certainty if self._utterance else UNTOLD

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said; see the contract, :class:`TranscriptionSession`.

        Raises:
            ProviderError: At once if the connection is lost. The utterance is heard from its
                beginning then, on a fresh one, if this is called again.
        """
        self._utterance_known.clear()
        try:
            utterance = await self._send(speech)
            if utterance is None:
                return ""
            self._utterance_known.set()
            if self.detects_turns:
                await utterance.stream.hear_out(utterance.transcript)
            else:
                await utterance.stream.finish(utterance.transcript)
            return utterance.transcript.text
        finally:
            self._utterance_known.set()
            if self._stream is not None:
                self._stream.release()

    async def turn_over(self) -> bool:
        """Return whether the provider says that the utterance was all.

        Raises:
            ProviderError: If it does not detect turns, or will not decide, or the connection is
                lost.
        """
        if not self.detects_turns:
            raise ProviderError("stt", "does not detect turns", retryable=False)
        await self._utterance_known.wait()
        if self._utterance is None:
            raise ProviderError("stt", "nothing was said")
        return await self._utterance.stream.verdict(self._utterance.transcript)

    async def aclose(self) -> None:
        """Close the connection, within 0.1 s."""
        self._closed = True
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.connection.retire()
            await asyncio.wait([stream.connection.task])

    # Sending

    async def _send(self, speech: AsyncIterator[Audio]) -> _Utterance | None:
        """Send what is new of ``speech``, until it ends or the provider says that the turn has.

        Returns:
            The utterance; None if there was no audio.

        Raises:
            ProviderError: If the connection is lost.
        """
        bound = asyncio.timeout(None)
        try:
            async with bound:
                return await self._send_all(speech, bound)
        except TimeoutError:
            if not bound.expired() or self._utterance is None:
                raise
        finally:
            self._sending = None
        self._utterance.stream.connection.check()
        return self._utterance

    async def _send_all(
        self, speech: AsyncIterator[Audio], bound: asyncio.Timeout
    ) -> _Utterance | None:
        earlier = self._earlier()
        known: list[Audio] = []
        utterance: _Utterance | None = None
        async for piece in speech:
            if utterance is not None:
                if self._sending is None:  # the first that is new
                    utterance.transcript.go_on(now())
                    self._sending = bound
                    self._utterance_known.set()
                utterance.pieces.append(piece)
                await utterance.stream.send(piece)
                continue
            known.append(piece)
            if earlier is None or earlier.pieces[len(known) - 1] is not piece:
                utterance = await self._begin(known, bound)
            elif len(known) == len(earlier.pieces):
                utterance = earlier
                utterance.stream.attend()
        if utterance is None and known:  # it is shorter than it was
            utterance = await self._begin(known, bound)
        return utterance

    def _earlier(self) -> _Utterance | None:
        """Return the last utterance, if it could go on where it was."""
        utterance = self._utterance
        if utterance is None or not utterance.pieces or not utterance.stream.may_go_on():
            return None
        return utterance

    async def _begin(self, pieces: Sequence[Audio], bound: asyncio.Timeout) -> _Utterance:
        stream, dialect = self._stream, self._connections.dialect
        if stream is None or not stream.may_begin(dialect):
            if stream is not None:
                stream.connection.retire()
            stream = self._connect()
        utterance = self._utterance = _Utterance(stream)
        stream.attend()
        self._sending = bound
        self._utterance_known.set()
        await stream.begin(utterance.transcript, dialect)
        for piece in pieces:
            utterance.pieces.append(piece)
            await stream.send(piece)
        return utterance

    # Connections

    def _connect(self) -> UtteranceStream:
        if self._closed:
            raise ProviderError("stt", "the call is over", retryable=False)
        connection = self._connections.take()
        connection.on_change = self._look
        connection.on_leaving = self._renew
        self._stream = UtteranceStream(connection, self._limits, self._pace)
        return self._stream

    def _renew(self) -> None:
        """Have a fresh connection, since the call begins, or the one there is leaves for its age.

        If there can be none, whoever transcribes next is told.
        """
        with suppress(ProviderError):
            self._connect()

    def _look(self) -> None:
        """Stop sending, at once if that is of no use, soon if the provider heard the turn end."""
        utterance, sending = self._utterance, self._sending
        if utterance is None or sending is None or sending.expired():
            return
        if utterance.stream.connection.lost is not None:
            sending.reschedule(now())
        elif utterance.transcript.turn is TurnState.OVER:
            # What was sent meanwhile may be the next turn, which would be told of by then.
            sending.reschedule(utterance.transcript.turned_at + 2 * self._pace.lag)
        else:
            sending.reschedule(None)
