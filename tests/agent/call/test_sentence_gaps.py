"""A voice that is slow to begin leaves no hole between sentences, and none runs into the next."""

from __future__ import annotations

import asyncio

import pytest

from agent.call.reply import Reply
from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.reply.playout import Playout
from pipelines.reply.steps import Step
from pipelines.workers import OnThisMachine, WorkerThreads
from tests.agent.call.parts import Parts, reply_of, says
from tests.agent.call.sentences import SENTENCES, Answered, Mind, Voice, silences
from tests.agent.conversation import FRAME, RATE
from tests.virtual_time import run


@pytest.mark.parametrize("first", [0.2, 0.5, 0.8, 1.2])
@pytest.mark.parametrize("seconds", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("speed", [1.2, 4.0])
def test_a_slow_voice_leaves_no_hole_while_it_is_faster_than_its_words(
    first: float, seconds: float, speed: float
) -> None:
    """A sentence that lasts as long as the next takes to begin is followed by a pause, no more."""
    one = Voice(first=first, seconds=seconds, speed=speed)
    found = silences(one)
    assert len(found) == 3
    assert all(0.18 <= silence <= max(0.25, first - seconds + 0.05) for silence in found), found
    assert one.most == 2


def test_a_voice_that_still_speaks_is_not_silent() -> None:
    """The next sentence has all its time, though the one before was asked for long ago."""

    async def main() -> None:
        texts = ("Come at one in the afternoon, by the door to the left.", "Or at two.")
        one, other = Voice(first=1.5, seconds=6.0, speed=1.0), Voice(first=0.1, seconds=6.0)
        answered = Answered([one, other], Mind(every=4.0, texts=texts))
        answered.reply.release()
        await answered.task
        assert (len(one.asked), other.asked) == (2, [])

    run(main())


def test_a_voice_on_this_machine_makes_one_sentence_at_a_time() -> None:
    """What is heard is not made slower by what comes after it."""

    class Here(Voice):
        workers = WorkerThreads(1, "voice")

    one = Here(first=0.2, seconds=1.5)
    assert isinstance(one, OnThisMachine)
    assert all(0.18 <= silence <= 0.25 for silence in silences(one))
    assert (one.most, len(one.asked)) == (1, 4)


def test_a_slow_model_is_read_ahead_too() -> None:
    """A sentence a second, and 0.8 s to first audio: both while the one before is heard."""
    found = silences(Voice(first=0.8, seconds=3.0), every=1.0)
    assert all(0.18 <= one <= 0.25 for one in found), found


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.3])
def test_between_two_sentences_is_a_pause(pause: float) -> None:
    """As long as the voice leaves, and a fifth of a second at the least."""
    found = silences(Voice(first=0.1, seconds=1.5, pause=pause))
    assert all(abs(one - max(pause, 0.2)) <= 1.5 * FRAME for one in found), found


def test_a_draft_asks_for_one_sentence() -> None:
    """What may be dropped is not spoken in advance; released, it sounds at once."""

    async def main() -> None:
        one = Voice(first=0.3, seconds=1.5)
        answered = Answered(one)
        await asyncio.sleep(9)
        assert [text for _, text in one.asked] == [SENTENCES[0]]
        answered.reply.release()
        await answered.task
        assert [text for _, text in one.asked] == list(SENTENCES)
        assert answered.parts.line.audio()[0][0] == 9.0

    run(main())


def test_a_held_reply_runs_one_sentence_ahead() -> None:
    """However long the caller speaks."""

    async def main() -> None:
        one = Voice(first=0.3, seconds=1.5)
        answered = Answered(one)
        answered.reply.release()
        await asyncio.sleep(0.5)
        answered.parts.speaker.hold(answered.reply)
        await asyncio.sleep(60)
        assert [text for _, text in one.asked] == list(SENTENCES[:2])
        answered.parts.speaker.resume(answered.reply, {})
        await answered.task
        assert answered.reply.playout.heard(now()) == " ".join(SENTENCES)

    run(main())


def test_interrupted_at_any_moment_no_request_survives() -> None:
    """Neither of the voice nor of the model; what was made and not heard counts as wasted."""

    async def main(after: float) -> None:
        one = Voice(first=0.8, seconds=1.5)
        answered = Answered(one, Mind(0.4))
        answered.reply.release()
        await asyncio.sleep(after)
        answered.parts.speaker.hold(answered.reply)
        answered.reply.task = answered.task
        answered.reply.cancel()
        answered.parts.history.agent_said(answered.reply, cut_off=True)
        await asyncio.wait([answered.task])
        assert (one.speaking, answered.mind.writing) == (0, 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        heard = answered.reply.playout.position(now())
        answered.parts.history.close("x", "caller")
        (last,) = answered.parts.notes.of("ended")
        wasted = max(0.0, answered.reply.spent.audio - heard)
        assert last["audio_wasted"] == pytest.approx(wasted, abs=0.11)

    for tick in range(40):
        run(main(tick * 0.203))


def test_failover_within_the_look_ahead_keeps_order_and_says_nothing_twice() -> None:
    """The voice breaks off in the second sentence, while the first is heard; twice, so the next.

    The third has been asked for meanwhile, and stays with the voice that speaks it.
    """

    async def main() -> None:
        one, two = Voice(first=0.3, seconds=0.8, fails=("two.",)), Voice(first=0.3, seconds=0.8)
        answered = Answered([one, two])
        answered.reply.release()
        await answered.task
        assert answered.reply.playout.heard(now()) == " ".join(SENTENCES)
        assert {text for _, text in one.asked} >= set(SENTENCES[:3])
        assert [text for _, text in two.asked] == ["two."]
        assert answered.reply.playout.gaps == 0

    run(main())


def test_a_sentence_that_cannot_be_spoken_is_apologized_for_after_the_one_before() -> None:
    """Known for long by then."""

    async def main() -> None:
        one = Voice(first=0.1, seconds=0.8, fails=("two.",))
        answered = Answered(one, Mind(texts=SENTENCES[:2]))
        answered.reply.release()
        await answered.task
        said = answered.reply.playout.heard(now())
        assert said.startswith(SENTENCES[0])
        assert answered.reply.occasion == "apology"

    run(main())


def test_a_reply_ends_with_its_last_sound() -> None:
    """Not with the pause after it, if that was sent ahead; its words were all heard."""

    async def main() -> None:
        parts = Parts()
        reply = reply_of(*spoken("one two", 1.0, pause=0.8))
        reply.release()
        await played(parts, reply)
        assert now() == pytest.approx(1.0, abs=2 * FRAME)
        assert reply.playout.heard(now()) == "one two"

    run(main())


def test_what_is_said_next_is_heard_after_the_pause_that_is_still_on_its_way() -> None:
    """The line plays what it was sent: no word is credited before that."""

    async def main() -> None:
        parts = Parts()
        first = reply_of(*spoken("one two", 1.0, pause=0.5))
        second = Reply(playout=Playout(1.0, first.playout.line))
        second.steps = reply_of(*spoken("three four", 1.0)).steps
        first.release()
        await played(parts, first)
        second.release()
        task = asyncio.create_task(played(parts, second))
        await asyncio.sleep(0.3)
        assert second.playout.position(now()) == 0.0
        await asyncio.sleep(0.8)
        assert second.playout.heard(now()) == "three"
        await task
        assert now() == pytest.approx(2.5, abs=2 * FRAME)

    run(main())


def spoken(sentence: str, seconds: float, pause: float = 0.0) -> list[Step]:
    """A sentence as a tone, with near-silence after it."""
    started, audio, ended = says(sentence, seconds)
    assert isinstance(audio, Audio)
    tone = Audio(b"\x00\x10\x00\xf0" * (len(audio.pcm) // 4), RATE)
    return [started, tone, Audio(bytes(2 * round(RATE * pause)), RATE), ended]


async def played(parts: Parts, reply: Reply) -> None:
    async for _ in parts.player.play(reply):
        pass
