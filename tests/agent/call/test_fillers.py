"""What is said while an answer is late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.call.fillers import Fillers
from agent.call.reply import Reply
from pipelines.audio import Audio
from pipelines.providers.scripted import Synthesizer, SynthesizerOptions
from pipelines.stages.phrases import Phrases, PhraseStore
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.call.parts import reply_of
from tests.agent.conversation import RATE, SCRIPT

WORDS = ("One moment.", "Let me see.")


def fillers(*prepared: str) -> Fillers:
    store = PhraseStore()
    for words in prepared:
        store.keep((words, RATE), (Audio(bytes(2 * RATE), RATE),))
    phrases = Phrases(Synthesizer(SynthesizerOptions()), store)
    return Fillers(replace(SCRIPT, fillers=WORDS), phrases, TurnSettings(), RATE)


def waited_for(**fields: bool | str) -> Reply:
    """A reply that the caller waits for, since 0."""
    reply = reply_of(**fields)
    reply.released.set()
    return reply


@pytest.mark.parametrize(
    ("now", "using_tools", "due"),
    [(1.9, False, False), (2.0, False, True), (0.9, True, False), (1.0, True, True)],
)
def test_a_filler_is_due_after_a_silence(now: float, using_tools: bool, due: bool) -> None:
    """A shorter one while a tool runs: that takes seconds, as is known beforehand."""
    reply = waited_for(using_tools=using_tools)
    assert bool(fillers(*WORDS).put_if_due(reply, now)) is due
    assert reply.playout.pending is due


def test_nothing_is_put_into_a_reply_that_nobody_waits_for() -> None:
    """Not released, held, still sounding: there is no silence of ours."""
    draft, held, sounding = reply_of(), waited_for(), waited_for()
    held.going.clear()
    sounding.playout.put(Audio(bytes(2 * RATE), RATE))
    while sounding.playout.pending:
        sounding.playout.take(9.5)
    ours = fillers(*WORDS)
    assert [ours.put_if_due(reply, 10.0) for reply in (draft, held, sounding)] == [""] * 3
    assert ours.bridge().text == WORDS[0]


def test_each_time_it_is_the_next() -> None:
    """Whether it is put into a reply or said by itself; after the last comes the first."""
    ours, reply = fillers(*WORDS), waited_for()
    assert ours.bridge().text == WORDS[0]
    assert ours.put_if_due(reply, 2.0)
    while reply.playout.pending:
        reply.playout.take(2.0)
    assert reply.playout.heard(4.0) == WORDS[1]
    assert ours.bridge().text == WORDS[0]
