"""Whatever happens on a call, every word is heard once, in its own utterance."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, TranscriptionSession
from tests.pipelines.providers.streaming_stt.calling import calling, run

from .parrot import (
    DETECTING,
    LIMITS,
    Manner,
    Parrot,
    Speech,
    cancelled_after,
    text,
    word,
)

step = st.tuples(
    st.sampled_from(["say", "go on", "cut", "cut the answer", "lose", "wait"]),
    st.integers(1, 12),
    st.floats(0, 0.4),
)


class Story:
    """A call of random steps, and what has to be true of it.

    Args:
        session: Transcribes it.
        parrot: The provider.
    """

    def __init__(self, session: TranscriptionSession, parrot: Parrot) -> None:
        self.open_session = session
        self.parrot = parrot
        self.utterance: list[Audio] = []
        self.spoken: list[int] = []
        self.losses = 0
        self._numbers = count(1)
        self._names: dict[int, int] = {}

    def _new(self, number: int) -> list[Audio]:
        pieces = []
        for _ in range(number):
            name = next(self._numbers)
            pieces.append(word(name))
            self._names[id(pieces[-1])] = name
            self.spoken.append(name)
        return pieces

    def _text(self) -> str:
        return text(self._names[id(piece)] for piece in self.utterance)

    async def step(self, what: str, number: int, seconds: float) -> None:
        known = len(self.utterance)
        match what:
            case "go on" | "cut" if seconds > 0.2 or what == "go on":
                self.utterance = [*self.utterance, *self._new(number)]
            case "say" | "cut" | "cut the answer":
                known, self.utterance = 0, self._new(number)
        match what:
            case "say" | "go on":
                await self._hear(known)
            case "cut":
                speech = Speech(self.utterance, at_once=known)
                await cancelled_after(seconds / 2, self._attempt(speech))
            case "cut the answer":
                speech = Speech(self.utterance, at_once=len(self.utterance))
                await cancelled_after(seconds / 2, self._attempt(speech))
            case "lose":
                self.losses += 1
                self.parrot.lines[-1].break_off()
            case "wait":
                await asyncio.sleep(seconds * 20)

    async def _attempt(self, speech: Speech) -> None:
        try:
            await self.open_session.transcribe(speech)
        except ProviderError:
            assert self.losses

    async def _hear(self, known: int) -> None:
        for attempt in range(3):
            at_once = len(self.utterance) if attempt else known
            try:
                heard = await self.open_session.transcribe(Speech(self.utterance, at_once=at_once))
            except ProviderError:
                assert self.losses, "failed, though nothing was lost"
            else:
                assert heard == self._text()
                return
        pytest.fail("fails again and again")

    def check(self) -> None:
        for connection in self.parrot.connections:
            said = connection.said
            assert said == sorted(set(said)), "sent twice, or out of order"
        if not self.losses:
            assert len(self.parrot.connections) == 1
            assert self.parrot.connections[0].said == [
                n for n in self.spoken if n in set(self.parrot.connections[0].said)
            ]


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(step, max_size=12), seed=st.integers(0, 1 << 30))
def test_every_word_is_heard_once_in_its_own_utterance(
    steps: list[tuple[str, int, float]], seed: int
) -> None:
    """Whatever is cancelled, goes on, or is answered late; and it is sent once."""
    chance = random.Random(seed)

    async def main() -> None:
        manner = Manner(up=0.03, down=0.03, thinks=lambda: chance.random() * 0.4)
        async with calling(manner, replace(LIMITS, keep_alive=1.0)) as (session, parrot):
            story = Story(session, parrot)
            for what, number, seconds in steps:
                if what != "lose":
                    await story.step(what, number, seconds)
            await story.step("say", 3, 0.0)
            story.check()

    run(main)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(step, max_size=12), seed=st.integers(0, 1 << 30))
def test_every_word_is_heard_though_connections_are_lost(
    steps: list[tuple[str, int, float]], seed: int
) -> None:
    """A second attempt, from the beginning, hears all of the utterance and nothing else."""
    chance = random.Random(seed)

    async def main() -> None:
        manner = Manner(thinks=lambda: chance.random() * 0.4)
        async with calling(manner) as (session, parrot):
            await asyncio.sleep(0.2)
            story = Story(session, parrot)
            for what, number, seconds in steps:
                await story.step(what, number, seconds)
            await story.step("say", 3, 0.0)
            story.check()

    run(main)


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(step, max_size=10),
    seed=st.integers(0, 1 << 30),
    maybe_after=st.floats(0.1, 0.6),
    over_after=st.floats(0.6, 3.0),
)
def test_turns_do_not_mix_utterances(
    steps: list[tuple[str, int, float]], seed: int, maybe_after: float, over_after: float
) -> None:
    """Where the provider detects turns, too, an utterance has all of its words and no other's."""

    async def main() -> None:
        manner = Manner(up=0.04, down=0.04, maybe_after=maybe_after, over_after=over_after)
        async with calling(manner, DETECTING) as (session, parrot):
            await asyncio.sleep(0.2)
            story = Story(session, parrot)
            story.losses = 1  # connections are replaced
            for what, number, seconds in steps:
                await story.step(what, number, seconds)
            await story.step("say", 3, 0.0)

    run(main)


def test_speech_rate_is_what_frames_are_made_of() -> None:
    """The parrot's words are 20 ms at the rate that sessions are given."""
    assert word(1).rate == SPEECH_RATE
    assert word(1).seconds == 0.02
