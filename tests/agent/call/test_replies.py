"""The reply that sounds, or will next, and the draft that nobody hears yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call.replies import Replies
from agent.call.reply import Reply
from agent.settings.calls import CallLimits, CallSettings
from pipelines.audio import Audio
from pipelines.stages.stt import Heard
from pipelines.turn_taking.judge import EndOfTurn
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.call.parts import Parts
from tests.agent.conversation import RATE
from tests.virtual_time import run

SETTINGS = CallSettings(
    calls=CallLimits(max_utterance=5.0), turns=TurnSettings(max_drafts=2, rewind_after=1.0)
)


def piece(seconds: float = 0.5) -> Audio:
    return Audio(bytes(2 * round(RATE * seconds)), RATE)


def with_replies(
    story: Callable[[Replies, Parts], None], call_settings: CallSettings = SETTINGS
) -> None:
    """Have ``story`` happen; what plays the replies plays nothing."""

    async def main() -> None:
        parts, tasks = Parts(call_settings), list[asyncio.Task[None]]()

        def start(reply: Reply) -> asyncio.Task[None]:
            tasks.append(asyncio.create_task(asyncio.sleep(3600.0)))
            return tasks[-1]

        replies = Replies(parts.player, parts.history, call_settings, start=start)
        story(replies, parts)
        if (last := replies.stop()) is not None:
            last.cancel()  # nobody waits for its words
        done, running = await asyncio.wait(tasks, timeout=0.01)
        assert not running
        assert all(task.cancelled() for task in done)

    run(main())


def sound(reply: Reply | None, sentence: str) -> None:
    """Send all of a sentence of it, which is heard later."""
    assert reply is not None
    reply.started_at = 0.0
    reply.playout.begin(sentence)
    reply.playout.put(piece(1.0))
    while reply.playout.pending:
        reply.playout.take(0.0)


def held_by(reply: Reply | None) -> list[Audio]:
    assert reply is not None
    assert reply.utterance is not None
    return reply.utterance.audio


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["hear", "pause", "answer too early"]), max_size=30))
def test_what_the_caller_says_is_in_one_place_and_in_order(walk: list[str]) -> None:
    """However often they pause, and go on before anything of an answer has sounded."""

    def story(replies: Replies, parts: Parts) -> None:
        said: list[Audio] = []
        replies.open_utterance()
        for what in walk:
            if what == "hear":
                said.append(piece(0.02))
                replies.hear(said[-1])
                continue
            replies.prepare(surely=False)
            if what == "answer too early":
                replies.release(EndOfTurn(by="silence"))
                assert replies.still_silent
                replies.drop()
            replies.discard()
            assert [id(one) for one in replies.unanswered.audio] == [id(one) for one in said]
            replies.open_utterance()
            assert replies.unanswered.audio == []
        assert [id(one) for one in held_by(replies.draft)] == [id(one) for one in said]

    with_replies(story)


@pytest.mark.parametrize(("forget", "kept"), [(False, [1.0, 0.5, 0.25]), (True, [0.5, 0.25])])
def test_what_is_overheard_is_kept_whatever_becomes_of_what_was_said_before(
    forget: bool, kept: list[float]
) -> None:
    """Our words, which cannot be stopped, have begun over a sound that nobody understood yet."""

    def story(replies: Replies, parts: Parts) -> None:
        replies.open_utterance()
        replies.hear(piece(1.0))
        replies.prepare(surely=True)
        replies.overhear(piece(0.5))
        replies.discard(forget=forget)
        replies.overhear(piece(0.25))
        assert [one.seconds for one in replies.unanswered.audio] == kept

    with_replies(story)


@pytest.mark.parametrize(
    ("seconds", "sounds", "kept", "on_record"),
    [(1.0, False, 1, []), (5.0, False, 0, ["Hi."]), (1.0, True, 0, ["Hi."])],
    ids=["goes on", "goes on for too long", "interrupts"],
)
def test_what_was_said_before_a_dropped_reply_is_kept_if_it_was_not_answered(
    seconds: float, sounds: bool, kept: int, on_record: list[str]
) -> None:
    """They are still speaking then; what is said over our words is a turn from then on."""

    def story(replies: Replies, parts: Parts) -> None:
        replies.open_utterance().take(Heard("Hi."))
        replies.hear(piece(seconds))
        replies.release(EndOfTurn(by="silence"))
        if sounds:
            sound(replies.sounding, "one two")
        replies.open_utterance()
        replies.hear(piece(0.1))
        replies.drop()
        assert replies.sounding is None
        over = replies.draft
        assert over is not None
        assert over.over_speech
        replies.hear_out()
        assert not over.over_speech
        assert [one.seconds for one in held_by(over)] == [*[seconds] * kept, 0.1]
        assert not replies.unanswered.audio
        assert [line["text"] for line in parts.notes.of("caller")] == on_record

    with_replies(story)
