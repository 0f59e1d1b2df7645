"""Who speaks a sentence, and how much of it when another broke off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError, Speech, Timing
from pipelines.stages.tts import EndlessError, FailoverSynthesizer, longest
from pipelines.stages.usage import Usage
from tests.pipelines.stages.scripted import BUDGETS, SECOND, Voice, broken, pool
from tests.virtual_time import run


def speak(text: str, *voices: Voice, usage: Usage | None = None) -> list[Speech]:
    async def main() -> list[Speech]:
        synthesizer = FailoverSynthesizer(pool(*voices, stage="tts"), BUDGETS, usage or Usage())
        async with aclosing(synthesizer.speak(text)) as source:
            return [piece async for piece in source]

    return run(main())


def seconds(spoken: Sequence[Speech]) -> float:
    return sum(piece.seconds for piece in spoken if isinstance(piece, Audio))


def ends(spoken: Sequence[Speech]) -> list[float]:
    return [end for piece in spoken if isinstance(piece, Timing) for end in piece.ends]


TEXT = "One two three four five six seven eight"


def test_a_voice_that_never_began_is_replaced_whole() -> None:
    """The next speaks the same."""
    second = Voice([1])
    assert seconds(speak(TEXT, Voice([broken(retryable=False)]), second)) == 1
    assert second.read == [TEXT]


def test_no_audio_is_a_failure() -> None:
    """Silence is no sentence."""
    second = Voice([1])
    assert seconds(speak(TEXT, Voice([]), second)) == 1


def test_the_next_voice_speaks_the_words_that_are_left() -> None:
    """By the usual pace, rounded down: a second is three words of these."""
    second = Voice([2])
    spoken = speak(TEXT, Voice([1, broken(retryable=False)]), second)
    assert second.read == ["four five six seven eight"]
    assert seconds(spoken) == 3
    assert ends(spoken) == [1.0, 1.0, 1.0]


def test_the_voice_s_own_word_on_its_words_counts_more() -> None:
    """With times, it is known what was spoken; the next one's times follow on."""
    first = Voice([Timing((0.3, 0.6, 0.9)), 1, broken(retryable=False)])
    second = Voice([Timing((0.5, 1.0)), 2])
    spoken = speak(TEXT, first, second)
    assert second.read == ["four five six seven eight"]
    assert ends(spoken) == pytest.approx([0.3, 0.6, 0.9, 1.5, 2.0])


def test_times_of_words_that_a_voice_did_not_come_to_are_told_by_the_next_alone() -> None:
    """The first tells of all words, and breaks off before one has ended, or within the second."""
    first = Voice([Timing((1.5, 2.0, 2.5)), 1, broken(retryable=False)])
    second = Voice([Timing((0.5, 1.5)), 1, broken(retryable=False)])
    third = Voice([Timing((0.25, 0.5)), 1])
    spoken = speak("One two three", first, second, third)
    assert [second.read, third.read] == [["One two three"], ["two three"]]
    assert ends(spoken) == pytest.approx([1.5, 2.25, 2.5])


def test_times_come_just_before_the_audio_that_reaches_them() -> None:
    """So whoever plays it knows of them in time, and of none too many."""
    spoken = speak("One two", Voice([Timing((0.5, 1.5)), 1, 1]))
    assert [type(piece) for piece in spoken] == [Timing, Timing, Audio, Timing, Audio]
    assert [piece.ends for piece in spoken if isinstance(piece, Timing)] == [(), (0.5,), (1.5,)]


def test_a_word_that_ends_with_the_audio_was_spoken() -> None:
    """Sums of pieces miss its end by less than any sound."""
    tenth = Audio(bytes(SPEECH_RATE // 5), SPEECH_RATE)
    first = Voice([Timing((0.3 + 1e-12,)), tenth, tenth, tenth, broken(retryable=False)])
    second = Voice([1])
    speak("One two", first, second)
    assert second.read == ["two"]


def test_after_half_a_word_no_words_are_guessed_from_the_audio() -> None:
    """It is said anew, so those after it end later than their share."""
    half = Audio(bytes(SPEECH_RATE // 5), SPEECH_RATE)
    spoken = speak("Wonderful news", Voice([half, broken(retryable=False)]), Voice([1]))
    assert spoken[1] == Timing(())
    assert Timing(()) not in speak("Wonderful news", Voice([1]))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("我们早上九点开门晚上六点关门欢迎光临", "九点开门晚上六点关门欢迎光临"),
        ("4155550123456789", "4155550123456789"),
        ("เปิดทุกวันตั้งแต่เก้าโมงเช้าถึงหกโมงเย็น", "งแต่เก้าโมงเช้าถึงหกโมงเย็น"),
    ],
)
def test_what_has_more_sound_in_a_character_is_not_taken_for_said(text: str, rest: str) -> None:
    """A second and a half of four: scripts without spaces go on at the character."""
    half = Audio(bytes(SPEECH_RATE), SPEECH_RATE)
    second = Voice([4])
    speak(text, Voice([1, half, broken(retryable=False)]), second)
    assert second.read == [rest]


def test_a_voice_that_breaks_off_at_the_end_has_said_all() -> None:
    """Nobody is asked for nothing."""
    second = Voice([1])
    assert seconds(speak("Yes.", Voice([2, broken(retryable=False)]), second)) == 2
    assert second.read == []


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=5))
def test_however_voices_break_off_no_word_is_left_out(faults: list[tuple[int, bool]]) -> None:
    """Each is asked for an end of the text, and none for more than the one before."""
    voices = [
        Voice([*([Timing((0.1,) * n)] if timed else []), n, broken(retryable=False)])
        for n, timed in faults
    ]
    voices.append(Voice([1]))
    speak(TEXT, *voices)
    read = [voice.read[0] for voice in voices if voice.read]
    assert all(TEXT.endswith(text) for text in read)
    assert [len(text) for text in read] == sorted((len(text) for text in read), reverse=True)


TICK = 0.01
"""Seconds of audio in a small piece."""


def small(count: int, every: float) -> list[Any]:
    """So many small pieces, one each so many seconds."""
    return [Audio(bytes(round(2 * SPEECH_RATE * TICK)), SPEECH_RATE), every] * count


def timed(voices: Sequence[Voice], text: str = TEXT) -> tuple[list[tuple[float, float]], str]:
    """Return when audio came and how much, and what it ended with."""

    async def main() -> tuple[list[tuple[float, float]], str]:
        synthesizer = FailoverSynthesizer(pool(*voices, stage="tts"), BUDGETS, Usage())
        came: list[tuple[float, float]] = []
        try:
            async with aclosing(synthesizer.speak(text)) as source:
                async for piece in source:
                    came += [(now(), piece.seconds)] if isinstance(piece, Audio) else []
        except ProviderError as error:
            return came, type(error).__name__
        return came, ""

    return run(main())


def gaps(came: Sequence[tuple[float, float]]) -> list[float]:
    """Return the seconds of silence within audio that is played as it comes."""
    ends, found = came[0][0], []
    for at, seconds in came:
        if at > ends + 1e-6:
            found.append(at - ends)
        ends = max(ends, at) + seconds
    return found


def test_a_voice_slower_than_real_time_is_replaced_within_the_sentence() -> None:
    """Ten milliseconds each hundred: two or three breaks, not fifty, and the rest by another."""
    second = Voice([3])
    came, error = timed([Voice(small(300, 0.1)), second])
    assert error == ""
    assert TEXT.endswith(second.read[0])
    assert len(gaps(came)) <= 3
    assert max(gaps(came)) <= BUDGETS.next_audio + 0.5


def test_one_that_is_alone_is_given_up_clearly() -> None:
    """Within its budget, and it is not asked again meanwhile."""
    slow = Voice(small(300, 0.1))
    came, error = timed([slow])
    assert error == "ProviderError"
    assert len(slow.read) == 1
    assert came[-1][0] <= BUDGETS.next_audio + 0.5


@pytest.mark.parametrize("every", [0.011, 0.012, 0.013])
def test_one_that_is_a_little_too_slow_is_gathered(every: float) -> None:
    """One pause or two in a sentence of three seconds, none after each piece."""
    came, error = timed([Voice(small(300, every))])
    assert error == ""
    assert sum(seconds for _, seconds in came) == pytest.approx(3.0)
    assert len([gap for gap in gaps(came) if gap > 0.05]) <= 2


@given(st.lists(st.sampled_from([0.0, 0.02, 0.06, 0.09]), min_size=10, max_size=60))
def test_one_that_is_merely_unsteady_is_not_noticed(waits: list[float]) -> None:
    """Pieces of 0.1 s that come within their time, whatever comes between them."""
    steps = [step for wait in waits for step in (wait, Audio(SECOND[:3200], SPEECH_RATE))]
    came, error = timed([Voice(steps)], TEXT * 3)
    assert error == ""
    assert gaps(came) == []
    assert len(came) == len(waits)


@pytest.mark.parametrize("text", ["Yes.", TEXT, "我们早上十点开门。", "1 2 3"])
def test_a_voice_that_never_ends_is_cut_at_a_bound_for_its_text(text: str) -> None:
    """What was to be said was said: nobody says it again, and the next sentence is another's."""
    endless, second = Voice([1] * 10_000), Voice([1])
    came, error = timed([endless, second], text)
    assert error == EndlessError.__name__
    assert second.read == []
    assert sum(seconds for _, seconds in came) == pytest.approx(longest(text))
    assert longest(text) <= 3.0 + 0.6 * len(text)


def test_the_sentence_after_one_without_end_is_another_s() -> None:
    """The one that did not end cools down."""
    voices = pool(Voice([1] * 10_000), Voice([1]), stage="tts")

    async def main() -> list[Speech]:
        synthesizer = FailoverSynthesizer(voices, BUDGETS, Usage())
        with pytest.raises(EndlessError):
            [piece async for piece in synthesizer.speak("Yes.")]
        return [piece async for piece in synthesizer.speak("Yes.")]

    assert seconds(run(main())) == 1


def test_a_voice_that_hangs_is_waited_for_once_however_many_sentences_wait() -> None:
    """Who asks later is told when those are who asked first, or a second after they have asked."""

    async def main() -> list[float]:
        synthesizer = FailoverSynthesizer(pool(Voice([60.0]), stage="tts"), BUDGETS, Usage())
        ended: list[float] = []

        async def ask(at: float) -> None:
            await asyncio.sleep(at)
            with pytest.raises(ProviderError):
                [piece async for piece in synthesizer.speak("Yes.")]
            ended.append(now())

        async with asyncio.TaskGroup() as tasks:
            for at in (0.0, 2.0, 3.9):
                tasks.create_task(ask(at))
        return ended

    assert run(main()) == pytest.approx([4.0, 4.0, 4.9])


def test_a_voice_that_speaks_for_others_has_its_whole_time() -> None:
    """One sentence that it hangs on is that sentence's fault."""

    async def main() -> None:
        voices = pool(Voice([60.0], [1], [3.5, 1]), stage="tts")
        synthesizer = FailoverSynthesizer(voices, BUDGETS, Usage())

        async def hang() -> None:
            with pytest.raises(ProviderError):
                [piece async for piece in synthesizer.speak("Xyzzy.")]

        hangs = asyncio.create_task(hang())
        await asyncio.sleep(3.0)
        assert [piece async for piece in synthesizer.speak("Yes.")]
        assert [piece async for piece in synthesizer.speak("No.")]
        await hangs

    run(main())
