"""The utterances of a call on one connection, one after the other.

What a provider hears belongs to one utterance, whatever became of it meanwhile. Between two
utterances the provider is asked to finalize; what comes before it has answered belongs to the
first. A provider that decides itself when a turn is over cannot be asked; there a connection is
used for the next utterance only once the last turn on it is over, else a fresh one is.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.connection import TranscriptionConnection
from pipelines.providers.streaming_stt.outgoing import OutgoingAudio
from pipelines.providers.streaming_stt.protocol import (
    NamingDialect,
    TranscriptionDialect,
    TranscriptionLimits,
)
from pipelines.providers.streaming_stt.turns import Pace, TurnState, UtteranceTranscript


class UtteranceStream:
    """Sends one utterance at a time over a connection, and waits for what is heard of it.

    Args:
        connection: Used by nobody else.
        limits: How the provider wants it to be treated.
        pace: How long to wait for what.
    """

    def __init__(
        self, connection: TranscriptionConnection, limits: TranscriptionLimits, pace: Pace
    ) -> None:
        self.connection = connection
        self._heard = connection.attribution
        self._upkeep = connection.upkeep
        self._limits = limits
        self._pace = pace
        self._outgoing = OutgoingAudio(limits)
        self._doubtful = False  # whether it took a whole utterance without a word

    def may_go_on(self) -> bool:
        """Return whether the utterance on it can go on."""
        overdue = self._heard.overdue(now())
        return self.connection.is_usable and not (self._doubtful or overdue)

    def may_begin(self, dialect: TranscriptionDialect) -> bool:
        """Return whether an utterance can be begun on it, to be heard in this dialect."""
        if not (dialect is self.connection.dialect or _retelling(dialect)):
            return False
        if not self.may_go_on() or now() >= self._upkeep.leaves_at:
            return False
        return self._heard.can_begin(now())

    def attend(self) -> None:
        """Note that somebody transcribes, and that the caller speaks."""
        self._upkeep.attended = self._upkeep.speaking = True

    def release(self) -> None:
        """Note that nobody does; a provider that detects turns is given silence to decide on."""
        self._upkeep.attended = self._upkeep.speaking = False
        self.connection.look_again()

    # Sending

    async def begin(self, utterance: UtteranceTranscript, dialect: TranscriptionDialect) -> None:
        """Begin an utterance, to be heard in this dialect; what was sent before is none of it.

        Raises:
            ProviderError: If the connection is lost.
        """
        before = self._heard.begin(utterance, now())
        self._outgoing.restart()
        if before is not None and not self._limits.detects_turns:
            await self._ask_to_finalize(before)
        if dialect is not self.connection.dialect:
            await self.connection.until(lambda: self.connection.is_open)
            self.connection.dialect = dialect
            for message in _retelling(dialect):
                await self.connection.send(message)

    async def send(self, piece: Audio) -> None:
        """Send the next piece, with others if it is short. Cancelling is safe: nothing is lost.

        Raises:
            ProviderError: If the connection is lost.
        """
        if self._outgoing.add(piece.pcm):
            await self._send_outgoing()

    async def finish(self, utterance: UtteranceTranscript) -> None:
        """Wait until the provider has heard all of the utterance. Cancelling is safe.

        Raises:
            ProviderError: If the connection is lost.
        """
        await self._send_outgoing(last=True)
        await self._ask_to_finalize(utterance)
        by = None
        if self._limits.asks_after is not None:
            by = now() + self._limits.asks_after
        if not await self.connection.until(lambda: not self._heard.owes_to(utterance), by):
            await self.connection.send_closing()
            await self.connection.until(lambda: not self._heard.owes_to(utterance))

    async def _ask_to_finalize(self, utterance: UtteranceTranscript) -> None:
        if not self._heard.unfinalized:
            return
        self._heard.unfinalized = False
        if messages := self.connection.protocol.finalize():
            self._heard.asked_to_finalize(utterance, now())
            for message in messages:
                await self.connection.send(message)

    async def _send_outgoing(self, *, last: bool = False) -> None:
        """Send what waits to be sent.

        Args:
            last: Whether nothing follows for now.
        """
        await self.connection.until(lambda: self.connection.is_open)
        if last:
            self._outgoing.end()
        while pcm := self._outgoing.take():
            self._heard.audio_sent(now())
            await self.connection.send(self.connection.protocol.audio(pcm))

    # Turns

    async def hear_out(self, utterance: UtteranceTranscript) -> None:
        """Wait until the provider has heard the end of the turn, or perhaps; or for long enough.

        Raises:
            ProviderError: If the connection is lost.
        """
        await self._send_outgoing(last=True)
        self._upkeep.speaking = False
        self.connection.look_again()
        patience = self._pace.patience
        patient_until = now() + patience
        while True:
            # What was sent faster than it was spoken, it may be hearing still.
            by = max(patient_until, utterance.heard_at + patience / 2)
            if utterance.turn is not TurnState.ONGOING:
                by = min(by, self._heard.turns.end_believed_at(utterance))
            if now() >= by:
                break
            await self.connection.until_change(by)
        self._doubtful = self.connection.received_at < utterance.went_on_at

    async def verdict(self, utterance: UtteranceTranscript) -> bool:
        """Return whether the utterance was all, once the provider knows. Cancelling is safe.

        Raises:
            ProviderError: If it does not decide, or the connection is lost.
        """
        while True:
            if utterance.resumed:
                utterance.resumed = False
                return False
            by, over = self._heard.turns.verdict(utterance, speaking=self._upkeep.speaking)
            if now() >= by:
                if over:
                    return True
                raise ProviderError("stt", "the turn does not end", timed_out=True)
            await self.connection.until_change(by)


def _retelling(dialect: TranscriptionDialect) -> Sequence[str]:
    """Return what has an open connection go on in a dialect; nothing if it cannot."""
    return dialect.retelling() if isinstance(dialect, NamingDialect) else ()
