"""A voice that is slow to begin leaves no hole between sentences, and none runs into the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from agent.call.reply import Reply
from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from pipelines.conversation import Brief, Message
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import Piece, ProviderError, Speech
from pipelines.reply.playout import AUDIBLE, Playout
from pipelines.reply.steps import Step
from tests.agent.call.parts import Parts, reply_of, says
from tests.agent.conversation import FRAME, RATE, voice
from tests.virtual_time import run

SENTENCES = ("Come at one.", "Come at two.", "Come at three.", "Come at four.")


@dataclass
class Voice:
    """Speaks a tone; knows what it was asked for, and what it does at present."""

    first: float
    """Seconds to the first audio of a sentence."""

    seconds: float
    """Of a sentence."""

    speed: float = 4.0
    """Seconds of audio a second, from then on."""

    pause: float = 0.0
    """Seconds of near-silence after it."""

    fails: Sequence[int] = ()
    """Which requests break off half-way."""

    asked: list[tuple[float, str]] = field(default_factory=list)
    speaking: int = 0

    async def start(self) -> None: ...

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        self.asked.append((round(now(), 3), text))
        number = len(self.asked)
        self.speaking += 1
        try:
            await asyncio.sleep(self.first)
            pieces = round(self.seconds / 0.1)
            for piece in range(pieces):
                if number in self.fails and piece == pieces // 2:
                    raise ProviderError("tts", "it broke off")
                yield Audio(b"\x00\x10\x00\x10\x00\xf0\x00\xf0" * (rate // 40), rate)
                await asyncio.sleep(0.1 / self.speed)
            yield Audio(bytes(2 * round(self.pause * rate)), rate)
        finally:
            self.speaking -= 1


@dataclass
class Mind:
    """Writes sentences, so long after one another."""

    every: float = 0.0
    texts: Sequence[str] = SENTENCES
    writing: int = 0

    async def start(self) -> None: ...

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.writing += 1
        try:
            for text in self.texts:
                yield f"{text} "
                await asyncio.sleep(self.every)
        finally:
            self.writing -= 1


class Answered:
    """One answer as it is played to a caller, in virtual time."""

    def __init__(self, voices: Voice | list[Voice], mind: Mind | None = None) -> None:
        self.mind = mind or Mind()
        self.parts = Parts(providers=voice(llm=self.mind, tts=voices))
        said = Utterance(text="When?")
        said.close()
        self.reply = self.parts.player.maker.answering(said)
        self.task = asyncio.create_task(self._play())

    async def _play(self) -> None:
        async for _ in self.parts.player.play(self.reply):
            pass

    def silences(self) -> list[float]:
        """Seconds of near-silence that the caller heard between two sounds."""
        ends, sounded, found = 0.0, None, list[float]()
        for at, pcm in self.parts.line.audio():
            begins = max(at, ends)
            ends = begins + Audio(pcm, RATE).seconds
            samples = np.frombuffer(pcm, "<i2").astype(float)
            if np.sqrt(np.mean(samples**2)) >= AUDIBLE:
                if sounded is not None and begins - sounded > FRAME:
                    found.append(round(begins - sounded, 3))
                sounded = ends
        return found


def silences(one: Voice, every: float = 0.0) -> list[float]:
    """Return the silences of an answer of four sentences."""

    async def main() -> list[float]:
        answered = Answered(one, Mind(every))
        answered.reply.release()
        await answered.task
        assert answered.reply.playout.gaps == 0
        return answered.silences()

    return run(main())


@pytest.mark.parametrize("first", [0.2, 0.5, 0.8, 1.2])
@pytest.mark.parametrize("seconds", [0.8, 1.5, 3.0])
def test_a_slow_voice_leaves_no_hole_while_it_is_faster_than_its_words(
    first: float, seconds: float
) -> None:
    """Where a sentence lasts as long as the next takes to be made, there is a pause and no more."""
    late = first + seconds / 4 - seconds
    found = silences(Voice(first=first, seconds=seconds))
    assert len(found) == 3
    assert all(0.18 <= one <= max(0.25, late + 0.15) for one in found), found


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
    """The voice breaks off in the second sentence, while the first is heard; twice, so the next."""

    async def main() -> None:
        one, two = Voice(first=0.3, seconds=0.8, fails=(2, 3)), Voice(first=0.3, seconds=0.8)
        answered = Answered([one, two])
        answered.reply.release()
        await answered.task
        assert answered.reply.playout.heard(now()) == " ".join(SENTENCES)
        assert [text for _, text in one.asked][:2] == list(SENTENCES[:2])
        assert [text for _, text in two.asked][-2:] == list(SENTENCES[2:])
        assert answered.reply.playout.gaps == 0

    run(main())


def test_a_sentence_that_cannot_be_spoken_is_apologized_for_after_the_one_before() -> None:
    """Known for long by then."""

    async def main() -> None:
        one = Voice(first=0.1, seconds=0.8, fails=range(2, 9))
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
