"""Speech to text, by the first provider that can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.encodable import encodable
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import (
    UNTOLD,
    CertainTranscription,
    Certainty,
    NameTranscriber,
    PlainTranscriptionSession,
    ProviderError,
    Transcriber,
    TranscriptionSession,
)
from pipelines.stages.attempts import Attempts
from pipelines.stages.budgets import Budgets
from pipelines.stages.pool import Candidate, ProviderPool
from pipelines.stages.usage import Usage
from pipelines.turn_taking.annotations import words_of

log = structlog.get_logger()

CLOSE_WITHIN = 1.0
"""Seconds for the connection of a failed provider to be closed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller turned out to say; empty if it was not speech."""

    text: str
    turn_over: bool = False
    """Whether the provider heard the end of the turn itself, before anybody told it."""

    certainty: Certainty = UNTOLD
    """What the provider tells of that beside the text."""


class FailoverTranscriber:
    """Speech to text for one call, by the first provider that can.

    Args:
        pool: The providers, in the order in which they are wanted.
        budgets: How long each may take.
        usage: The call's; is added to.
        names: What is likely to be said in it and is told to those that can be told, until
            :meth:`expect` says otherwise; see
            :class:`~pipelines.providers.contracts.NameTranscriber`.
    """

    def __init__(
        self,
        pool: ProviderPool[Transcriber],
        budgets: Budgets,
        usage: Usage,
        names: Sequence[str] = (),
    ) -> None:
        self._pool = pool
        self._budgets = budgets
        self._usage = usage
        self._names = list(names)  # which every session reads anew
        self._sessions: dict[Candidate[Transcriber], TranscriptionSession] = {}
        self._counted: list[Audio] = []  # of the utterance, what is in the usage
        self._current = self._open(pool.first)

    def expect(self, names: Sequence[str]) -> None:
        """Have these names told in place of those before, from the next utterance on."""
        self._names[:] = names

    @property
    def detects_turns(self) -> bool:
        """Whether whoever hears now knows when the caller has finished."""
        return self._current.detects_turns

    @property
    def so_far(self) -> str:
        """What has been heard of the utterance by now; ``""`` if that is not known."""
        return _heard(self._current.so_far)

    async def turn_over(self) -> bool:
        """Wait until whoever hears knows whether the utterance was all; return whether it was.

        Raises:
            ProviderError: If that will not be known.
        """
        return await self._current.turn_over()

    async def transcribe(self, utterance: Utterance) -> Heard:
        """Hear the caller out.

        Raises:
            ProviderError: If nobody could.
        """
        attempts = Attempts(self._pool, self._usage)
        while True:
            try:
                heard = await self._attempt(attempts, utterance)
            except ProviderError as error:
                await self._drop(attempts.candidate)
                alone = attempts.alone
                attempts.failed(error)
                if alone:
                    # Nobody would take the words before, and a fault may be over by then.
                    await utterance.wait_closed()
            else:
                attempts.worked()
                return heard

    async def aclose(self) -> None:
        """Close the connections of the call."""
        async with asyncio.TaskGroup() as at_once:
            for candidate in list(self._sessions):
                at_once.create_task(self._drop(candidate))

    def _open(self, candidate: Candidate[Transcriber]) -> TranscriptionSession:
        if candidate not in self._sessions:
            provider = candidate.provider
            if isinstance(provider, NameTranscriber):
                self._sessions[candidate] = provider.open_session_with(self._names)
            else:
                self._sessions[candidate] = provider.open_session()
        return self._sessions[candidate]

    async def _drop(self, candidate: Candidate[Transcriber]) -> None:
        open_session = self._sessions.pop(candidate, None)
        if open_session is not None:
            try:
                async with asyncio.timeout(CLOSE_WITHIN):
                    await open_session.aclose()
            except TimeoutError:
                log.warning("a connection was not closed", provider=candidate.name)

    async def _attempt(self, attempts: Attempts[Transcriber], utterance: Utterance) -> Heard:
        budget = attempts.patience(self._budgets.transcript, self._budgets.patience)
        attempts.asked()
        try:
            self._current = open_session = self._open(attempts.candidate)
            async with utterance.answered_within(budget):
                async with aclosing(
                    self._counting(utterance, attempts.candidate, open_session)
                ) as speech:
                    text = _heard(await open_session.transcribe(speech))
                turn_over = bool(text) and not utterance.closed
                if not text:
                    await utterance.wait_closed()
        except TimeoutError:
            raise ProviderError(
                "stt", f"no transcript within {budget:g} s", timed_out=True
            ) from None
        attempts.answered(utterance.closed_at if utterance.closed_at is not None else now())
        known = open_session.certainty if isinstance(open_session, CertainTranscription) else UNTOLD
        return Heard(text, turn_over, known)

    async def _counting(
        self,
        utterance: Utterance,
        candidate: Candidate[Transcriber],
        open_session: TranscriptionSession,
    ) -> AsyncGenerator[Audio, None]:
        """Yield the utterance; count what is sent of it, which a streaming one is sent once."""
        used = self._usage.of("stt", candidate.name)
        takes_it_whole = isinstance(open_session, PlainTranscriptionSession)
        if takes_it_whole:  # each piece would wake it, to do nothing
            await utterance.wait_closed()
        known = self._counted
        self._counted = counted = list[Audio]()
        async with aclosing(utterance.listen()) as speech:
            async for piece in speech:
                again = len(counted) < len(known) and known[len(counted)] is piece
                if takes_it_whole or not again:
                    used.seconds += piece.seconds
                counted.append(piece)
                yield piece


def _heard(transcript: str) -> str:
    """Return what was said: a sound is no word, whatever the provider calls it.

    Whatever a transcriber hears enters here: no adapter looks for annotations itself.
    """
    return words_of(encodable(transcript.strip()))
