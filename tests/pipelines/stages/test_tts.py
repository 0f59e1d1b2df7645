"""Who speaks a sentence, and how much of it when another broke off."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio import Audio
from pipelines.providers.contracts import Speech, Timing
from pipelines.stages.tts import FailoverSynthesizer
from pipelines.stages.usage import Usage
from tests.pipelines.stages.scripted import BUDGETS, Voice, broken, pool
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
